"""Tokens: how the command line and other programs say whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from app.db import Tx
from app.db.database import lock_ledger
from app.officers import passes
from app.officers.accounts import write
from app.officers.passes import Kind
from app.officers.people import get, require
from app.records.errors import Invalid, NotFound, NotPermitted
from app.records.nouns import Officer, Role
from app.store.store import Store

_LONGEST_NAME = 100
_ACTS = 10_000
"""How far back in what was done to an account the names of its tokens are looked for."""


class NotSignedIn(NotPermitted):
    """The session or the token does not say who is asking: it ended, was revoked, or never was."""

    code = "not-signed-in"


class NoSuchToken(NotFound):
    """The officer holds no token of that id."""

    code = "no-such-token"


class BadToken(Invalid):
    """A token needs a name of one line, so that its holder knows later what it was for, and an end that is to come."""

    code = "bad-token"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token; `secret` is shown once and kept nowhere."""

    id: str
    secret: str = field(repr=False)
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its holder sees it listed."""

    id: str
    name: str
    made_at: datetime
    until: datetime | None


def issue_token(
    store: Store, tx: Tx, officer: Officer, *, name: str, by: Officer, why: str, until: datetime | None = None
) -> Issued:
    """Make a token that acts as `officer`, who alone may ask for it; without `until` it lasts until it is revoked."""
    if by.id != officer.id:
        raise NotPermitted(
            "nobody makes a token for somebody else", next="Invite them: acceptance gives them one."
        )
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadToken(f"a token has a name of one line and at most {_LONGEST_NAME} characters")
    now = store.clock.now()
    if until is not None and until <= now:
        raise BadToken("a token ends in the future, or not at all")
    lock_ledger(tx)
    require(get(tx, officer.id), *Role)
    made = passes.make(store, tx, Kind.TOKEN, officer, lasts=None if until is None else until - now)
    write(store, tx, "token-issued", officer, by=by, why=why, detail={"token": made.id, "name": name})
    return Issued(made.id, made.secret, made.until)


def token(store: Store, tx: Tx, secret: str) -> Officer:
    """Whose token this is, with the roles that they hold now, or `NotSignedIn`."""
    found = passes.find(store, tx, Kind.TOKEN, secret)
    if found is None:
        raise NotSignedIn(
            "this token was revoked, has run out, or was never made", next="Ask for a new one, or sign in."
        )
    return found.officer


def tokens(store: Store, tx: Tx, officer: Officer) -> list[Token]:
    """The tokens that act as `officer`, oldest first; their secrets are not among what is kept."""
    done = store.ledger.acts(tx, subject=officer.id, limit=_ACTS)
    names = {
        str(act.detail["token"]): str(act.detail.get("name", "")) for act in done if "token" in act.detail
    }
    held = passes.kept(store, tx, Kind.TOKEN, officer)
    return [Token(one.id, names.get(one.id, ""), one.made_at, one.until) for one in held]


def revoke(store: Store, tx: Tx, officer: Officer, id: str, *, by: Officer, why: str) -> None:
    """End one of an officer's tokens, by the id that `tokens` lists or `pass_id` gives.

    Its holder may, and an administrator.
    """
    if by.id != officer.id:
        require(by, Role.ADMINISTRATOR)
    lock_ledger(tx)
    if not passes.end_by_id(tx, officer, Kind.TOKEN, id):
        raise NoSuchToken(f"{officer.email} holds no token {id!r}")
    write(store, tx, "token-revoked", officer, by=by, why=why, detail={"revoked": id})

"""Signing in and out.

Whoever guesses learns nothing but that the guess was wrong: an unknown
e-mail, an account that ended and a wrong password give one answer, after the
same work. Every sign-in, sign-out and denial is on the access log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.db import Tx
from app.db.database import lock_ledger
from app.officers import passes
from app.officers.accounts import rehash
from app.officers.bearers import NotSignedIn
from app.officers.passes import Kind, Pass
from app.officers.passwords import matches, outdated
from app.officers.people import officer_of, row_of
from app.officers.tries import Limit, count, forgive, neighbourhood, wait
from app.records.errors import Refused, Unavailable
from app.records.nouns import Officer
from app.store import access
from app.store.store import Store

SESSION_LASTS = timedelta(hours=12)
SESSION_IDLES = timedelta(minutes=60)
SLIDES_AFTER = timedelta(minutes=1)
"""A session is written down as used at most this often."""

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = Limit("sign-in/account", 5, WINDOW)
PER_ADDRESS = Limit("sign-in/address", 20, WINDOW)
_NOTED = Limit("sign-in/noted", 1, WINDOW)
"""Those who are made to wait are noted once a window: what a stranger can ask for without end must not fill the disk."""


class WrongPassword(Refused):
    """The e-mail and the password do not belong together, or the account ended; which of them is not said."""

    code = "wrong-password"


class TooManyTries(Unavailable):
    """Too many sign-ins failed, for this account or from this address; `after` says how long to wait."""

    code = "too-many-tries"

    def __init__(self, after: timedelta) -> None:
        minutes = -(-after // timedelta(minutes=1))
        super().__init__(
            "too many sign-ins have failed",
            next=f"Try again in {minutes} minute{'' if minutes == 1 else 's'}.",
        )
        self.after = after


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in; `token` is the session's, ends by `until` at the latest, and is kept nowhere."""

    officer: Officer
    token: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Denied:
    """Nobody signed in. The door commits, so that the try is counted, and then raises `error`."""

    error: WrongPassword | TooManyTries


def sign_in(store: Store, tx: Tx, email: str, password: str, *, address: str | None) -> SignedIn | Denied:
    """Sign somebody in by e-mail and password, from a network address where there is one.

    After five failures of an account or twenty from an address within a
    quarter of an hour, even the right password is `Denied` until the oldest
    of them is a quarter of an hour old. The transaction MUST be committed
    whatever the outcome is.
    """
    # 1. Those who have failed too often wait; nothing is hashed for them.
    limited = [(PER_ACCOUNT, email.strip().lower())]
    if address:
        limited.append((PER_ADDRESS, neighbourhood(address)))
    for limit, who in limited:
        if held := wait(store, tx, limit, who):
            if not wait(store, tx, _NOTED, f"{limit.name} {who}"):
                count(store, tx, _NOTED, f"{limit.name} {who}")
                _note_denial(store, tx, row_of(tx, email), address, why="too many tries")
            return Denied(TooManyTries(held))
    # 2. The same work for everybody, then the same answer. The row is locked: a password that is being
    #    replaced at this moment MUST NOT open a session that the replacement does not end.
    known = row_of(tx, email)
    if known is not None and known.password and outdated(known.password):
        lock_ledger(tx)  # an entry may follow; whoever changes an account takes the two locks in this order
    row = row_of(tx, email, lock=True)
    right = matches(row.password if row else None, password)
    if not right or not row.active:
        for limit, who in limited:
            count(store, tx, limit, who)
        _note_denial(store, tx, row, address, why="wrong password")
        return Denied(
            WrongPassword(
                "the e-mail and the password do not belong together",
                next="Try again, or ask for a reset link.",
            )
        )
    # 3. In. The address stays counted: one account of one's own must not pay for guesses at others.
    officer = officer_of(row)
    forgive(store, tx, *limited[0])
    if outdated(row.password):
        rehash(store, tx, officer, password, before=row.password)
    made = passes.make(store, tx, Kind.SESSION, officer, lasts=SESSION_LASTS, used=True)
    access.note(store, tx, "sign-in", by=officer.id, detail={"address": address})
    assert made.until is not None
    return SignedIn(officer, made.secret, made.until)


def sign_out(store: Store, tx: Tx, token: str) -> None:
    """End a session; one that has ended already stays so."""
    found = passes.find(store, tx, Kind.SESSION, token)
    passes.end_one(tx, Kind.SESSION, token)
    if found:
        access.note(store, tx, "sign-out", by=found.officer.id)


def session(store: Store, tx: Tx, token: str) -> Officer:
    """Whose session this is, with the roles that they hold now, or `NotSignedIn`.

    A session ends twelve hours after the sign-in, or after sixty minutes
    without use. In a transaction that may write, the use is written down; in
    one that only reads it is not, and `slide_due` says when it should be.
    """
    found = _running(store, tx, token)
    if found is None:
        raise NotSignedIn("nobody is signed in, or the session has ended", next="Sign in.")
    if tx.get_execution_options().get("muniment_writes") and _idle(store, found) >= SLIDES_AFTER:
        passes.touch(store, tx, token)
    return found.officer


def slide_due(store: Store, tx: Tx, token: str) -> bool:
    """Whether the door should show a running session to a transaction that may write, so that it does not idle out."""
    found = _running(store, tx, token)
    return found is not None and _idle(store, found) >= SLIDES_AFTER


def _running(store: Store, tx: Tx, token: str) -> Pass | None:
    found = passes.find(store, tx, Kind.SESSION, token)
    return found if found and _idle(store, found) < SESSION_IDLES else None


def _idle(store: Store, found: Pass) -> timedelta:
    return store.clock.now() - (found.used_at or found.made_at)


def _note_denial(store: Store, tx: Tx, row: object, address: str | None, *, why: str) -> None:
    """Note whose account was tried, if anybody's: what was typed may be a password in the wrong field."""
    account = officer_of(row).id.hex if row else None
    access.note(
        store, tx, "sign-in-denied", by=None, detail={"account": account, "address": address, "why": why}
    )

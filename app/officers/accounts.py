"""Accounts: how people come into the archive, what they may do in it, and how they leave.

Nobody is ever removed: what they did still bears their name. Every change is
an entry in the ledger, which holds the account's random id and nothing that
names a person; who and why are committed. Verbs lock the ledger before they
change a row, all in one order, so that two of them never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, update

from app.db import Tx, to_instant
from app.db.database import lock_ledger
from app.officers import passes
from app.officers.passes import Kind
from app.officers.passwords import accepted, generated, hashed
from app.officers.people import get, list_all, officer_of, plain_email, require, row_of
from app.records.errors import Invalid, NotPermitted, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store.canonical import Json
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import officers as table

INVITATION_LASTS = timedelta(days=7)
_LONGEST_NAME = 200


class RolesNotAccepted(Invalid):
    """The roles do not make an account: none at all, an unknown one, or `messages` by itself."""

    code = "roles-not-accepted"


class BadName(Invalid):
    """The name is too long or holds line breaks or control characters."""

    code = "bad-name"


class AlreadyOfficer(Refused):
    """This e-mail has an account that is in use."""

    code = "already-officer"


class OfficersExist(Refused):
    """The first account is made once, in an archive that has none."""

    code = "officers-exist"


class LastAdministrator(Refused):
    """Nobody would be left who can invite people and change roles."""

    code = "last-administrator"


class InvitationSpent(Refused):
    """The invitation was used, has run out, or was never made."""

    code = "invitation-spent"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to one person; `secret` is shown once and kept nowhere."""

    officer: Officer
    secret: str = field(repr=False)
    until: datetime


class Accepted(NamedTuple):
    """Somebody who came in, and the token that they act with on the command line."""

    officer: Officer
    token: str


class First(NamedTuple):
    """The first account, with what `muniment init` prints once."""

    officer: Officer
    password: str
    token: str


def first(store: Store, tx: Tx, email: str) -> First:
    """Make the first account of a new archive; it holds `administrator` and `records_officer`."""
    lock_ledger(tx)
    if list_all(tx):
        raise OfficersExist(
            "this archive has officers already", next="Ask an administrator for an invitation."
        )
    roles = frozenset({Role.ADMINISTRATOR, Role.RECORDS_OFFICER})
    officer = Officer(id=new_id(), email=plain_email(email), name="", roles=roles)
    password = generated()
    kept = hashed(password)
    _insert(store, tx, officer, password=kept)
    token = passes.make(store, tx, Kind.TOKEN, officer, lasts=None)
    detail = {**_told(officer), "token": token.id, "name": "first token", MARK: mark(store, officer, kept)}
    write(store, tx, "added", officer, by=None, why="first account of the archive", detail=detail)
    return First(officer, password, token.secret)


def add(
    store: Store, tx: Tx, email: str, roles: Iterable[Role | str], *, name: str = "", by: Officer, why: str
) -> Invitation:
    """Open an account and make the invitation that lets its holder in for seven days.

    For somebody who never accepted, or who left, the account is opened again
    under the same id and what was handed out before stops working.
    `AlreadyOfficer` is raised for an account in use.
    """
    require(by, Role.ADMINISTRATOR)
    lock_ledger(tx)
    officer = Officer(id=new_id(), email=plain_email(email), name=_name(name), roles=_roles(roles))
    known = row_of(tx, officer.email)
    if known is None:
        _insert(store, tx, officer, password=None)
    elif known.active and known.password:
        raise AlreadyOfficer(f"{officer.email} has an account already", next="Change its roles instead.")
    else:
        officer = replace(officer, id=UUID(bytes=bytes(known.id)))
        _change(tx, officer, name=officer.name, roles=_kept(officer.roles), active=True, password=None)
        passes.end(tx, officer, *Kind)
    invitation = passes.make(store, tx, Kind.INVITATION, officer, lasts=INVITATION_LASTS)
    write(
        store, tx, "added" if known is None else "added-again", officer, by=by, why=why, detail=_told(officer)
    )
    assert invitation.until is not None
    return Invitation(officer, invitation.secret, invitation.until)


def accept(store: Store, tx: Tx, invitation: str, password: str) -> Accepted:
    """Come in with an invitation and choose a password; works once."""
    found = passes.find(store, tx, Kind.INVITATION, invitation)
    if found is None or found.used_at is not None:
        raise _spent()
    officer = found.officer
    kept = acceptable(store, officer, password)
    lock_ledger(tx)
    if not passes.spend(store, tx, Kind.INVITATION, invitation):
        raise _spent()
    _change(tx, officer, password=kept)
    token = passes.make(store, tx, Kind.TOKEN, officer, lasts=None)
    detail = {
        "token": token.id,
        "name": "token of the invitation",
        MARK: mark(store, officer, kept),
    }
    write(store, tx, "accepted", officer, by=officer, why="accepted the invitation", detail=detail)
    return Accepted(officer, token.secret)


def change_roles(
    store: Store, tx: Tx, officer: Officer, roles: Iterable[Role | str], *, by: Officer, why: str
) -> Officer:
    """Give an officer exactly these roles; they hold from the next thing that the officer does.

    Taking `administrator` from the last active one raises `LastAdministrator`.
    """
    require(by, Role.ADMINISTRATOR)
    lock_ledger(tx)
    before, after = get(tx, officer.id), _roles(roles)
    if Role.ADMINISTRATOR not in after:
        _leave_an_administrator(tx, before)
    _change(tx, before, roles=_kept(after))
    detail = {"before": _kept(before.roles).split(), "after": _kept(after).split()}
    write(store, tx, "roles-changed", before, by=by, why=why, detail=detail)
    return replace(before, roles=after)


def deactivate(store: Store, tx: Tx, officer: Officer, *, by: Officer, why: str) -> Officer:
    """Shut an officer out at once: sessions, tokens, invitations and reset links end with the account.

    The last active administrator stays, with `LastAdministrator`.
    """
    require(by, Role.ADMINISTRATOR)
    lock_ledger(tx)
    before = get(tx, officer.id)
    _leave_an_administrator(tx, before)
    _change(tx, before, active=False, password=None)
    ended = passes.end(tx, before, *Kind)
    write(store, tx, "deactivated", before, by=by, why=why, detail={"passes": ended})
    return replace(before, active=False)


def set_password(
    store: Store, tx: Tx, officer: Officer, password: str, *, by: Officer, why: str, keep: str = ""
) -> None:
    """Choose another password for oneself; every session but `keep` ends, tokens stay.

    The door MUST have signed the officer in anew with the old password (that
    session is what `keep` is for), so that an open screen is not enough. An
    administrator who helps somebody makes a reset link instead.
    """
    if by.id != officer.id:
        raise NotPermitted("nobody chooses another's password", next="Make a reset link for them.")
    kept = acceptable(store, officer, password)
    lock_ledger(tx)
    renew_password(tx, require(get(tx, officer.id), *Role), kept, keep=keep)
    write(store, tx, "password-set", officer, by=by, why=why, detail={MARK: mark(store, officer, kept)})


def acceptable(store: Store, officer: Officer, password: str) -> str:
    """What is kept of a new password, or `PasswordNotAccepted`.

    Called before the ledger is locked: hashing is slow on purpose, and nobody else should wait for it.
    """
    who, agency = (officer.email, officer.email.partition("@")[0], officer.name), store.agency
    return hashed(accepted(password, about=[*who, agency.name, agency.domain]))


def renew_password(tx: Tx, officer: Officer, kept: str, *, keep: str = "") -> None:
    """Keep a new password and end every session and reset link that the old one may have let somebody have."""
    _change(tx, officer, password=kept)
    passes.end(tx, officer, Kind.SESSION, Kind.RESET, keep=keep)


def rehash(store: Store, tx: Tx, officer: Officer, password: str, *, before: str) -> None:
    """Keep the password that was just proven under today's parameters; nothing changes for anybody.

    The act says of which kept password it was proven, so that one that nobody
    chose is not made good by being used. The ledger MUST be locked, before the
    row of the officer was.
    """
    kept = hashed(password)
    _change(tx, officer, password=kept)
    detail = {"before": mark(store, officer, before), MARK: mark(store, officer, kept)}
    why = "kept under today's parameters"
    write(store, tx, "password-kept-anew", officer, by=officer, why=why, detail=detail)


MARK = "mark"
"""Under which name an act tells the mark of the password that stands from then on."""


def mark(store: Store, officer: Officer, kept: str) -> str:
    """What an act tells of a password, so that another one beside it is found; nobody learns a password by it."""
    return keyed(store.lookup, b"password", officer.id.bytes, kept.encode()).hex()


def write(
    store: Store,
    tx: Tx,
    act: str,
    officer: Officer,
    *,
    by: Officer | None,
    why: str,
    detail: Mapping[str, object],
) -> int:
    """Write the one entry of a change to an account."""
    facts: dict[str, Json] = {"user": officer.id.hex, "act": act}
    who = None if by is None else by.id
    return store.ledger.act(
        tx, "user", by=who, why=why, facts=facts, detail={"act": act, **detail}, subject=officer.id
    )


def _leave_an_administrator(tx: Tx, leaving: Officer) -> None:
    """Raise `LastAdministrator` unless somebody else, who has come in, can still invite people."""
    can_act = table.c.active & table.c.password.is_not(None)
    others = [
        officer_of(row) for row in tx.execute(select(table).where(can_act, table.c.id != leaving.id.bytes))
    ]
    if leaving.may(Role.ADMINISTRATOR) and not any(other.may(Role.ADMINISTRATOR) for other in others):
        raise LastAdministrator(
            f"{leaving.email} is the last active administrator",
            next="Invite another administrator first, and wait until they have accepted.",
        )


def _insert(store: Store, tx: Tx, officer: Officer, *, password: str | None) -> None:
    tx.execute(
        insert(table).values(
            id=officer.id.bytes,
            email=officer.email,
            name=officer.name,
            password=password,
            roles=_kept(officer.roles),
            active=True,
            added_at=to_instant(store.clock.now()),
        )
    )


def _change(tx: Tx, officer: Officer, **values: object) -> None:
    tx.execute(update(table).where(table.c.id == officer.id.bytes).values(**values))


def _told(officer: Officer) -> dict[str, object]:
    return {"email": officer.email, "name": officer.name, "roles": _kept(officer.roles).split()}


def _roles(roles: Iterable[Role | str]) -> frozenset[Role]:
    try:
        wanted = frozenset(Role(role) for role in roles)
    except ValueError as error:
        known = ", ".join(role.value for role in Role)
        raise RolesNotAccepted(f"{error}", next=f"The roles are {known}.") from error
    if not wanted:
        raise RolesNotAccepted(
            "an account holds at least one role", next="To shut somebody out, deactivate them."
        )
    if wanted == {Role.MESSAGES}:
        raise RolesNotAccepted("`messages` stands beside another role", next="Add what the person is to do.")
    return wanted


def _kept(roles: frozenset[Role]) -> str:
    return " ".join(sorted(role.value for role in roles))


def _name(name: str) -> str:
    name = name.strip()
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadName(f"a name is one line of at most {_LONGEST_NAME} characters")
    return name


def _spent() -> InvitationSpent:
    return InvitationSpent(
        "this invitation was used, has run out, or was never made", next="Ask an administrator for a new one."
    )

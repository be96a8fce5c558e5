"""Who may act in the archive: reading officers and asking for their roles."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db import Tx
from app.officers.mail import is_address
from app.records.errors import Invalid, NotFound, NotPermitted
from app.records.nouns import Officer, Role
from app.store.tables import officers


class BadEmail(Invalid):
    """This is not one e-mail address."""

    code = "bad-email"


class NoSuchOfficer(NotFound):
    """Nobody in the archive has this id or e-mail."""

    code = "no-such-officer"


def get(tx: Tx, id: UUID) -> Officer:
    """The officer of that id, active or not, or `NoSuchOfficer`."""
    row = tx.execute(select(officers).where(officers.c.id == id.bytes)).one_or_none()
    if row is None:
        raise NoSuchOfficer(f"no officer has the id {id.hex}")
    return officer_of(row)


def find(tx: Tx, email: str) -> Officer:
    """The officer of that e-mail, active or not, or `NoSuchOfficer`."""
    row = row_of(tx, email)
    if row is None:
        raise NoSuchOfficer(f"no officer has the e-mail {email!r}", next="Invite them: `muniment user add`.")
    return officer_of(row)


def list_all(tx: Tx) -> list[Officer]:
    """Everybody, those who left included, by e-mail."""
    return [officer_of(row) for row in tx.execute(select(officers).order_by(officers.c.email))]


def emails(tx: Tx) -> dict[UUID, str]:
    """By which address everybody is named, those who left included."""
    return {
        UUID(bytes=bytes(row.id)): row.email for row in tx.execute(select(officers.c.id, officers.c.email))
    }


def require(officer: Officer, *roles: Role) -> Officer:
    """`officer`, if they are active and hold at least one of `roles`; otherwise `NotPermitted` names the roles."""
    if officer.may(*roles):
        return officer
    if not officer.active:
        raise NotPermitted("this account is no longer active")
    needed = " or ".join(role.value for role in roles)
    raise NotPermitted(
        f"this needs the role {needed}", next="Ask somebody who holds it, or an administrator for it."
    )


def plain_email(email: str) -> str:
    """`email` as it is kept: without blanks around it, in small letters; otherwise `BadEmail`."""
    plain = email.strip().lower()
    if not is_address(plain):
        raise BadEmail(f"{email!r} is not one e-mail address", next="Write it as name@agency.example.")
    return plain


def row_of(tx: Tx, email: str, *, lock: bool = False) -> Any:
    """The row of that e-mail, or None; what cannot be an e-mail is nobody's. `lock` keeps others from changing it."""
    plain = email.strip().lower()
    if not is_address(plain):
        return None
    asked = select(officers).where(officers.c.email == plain)
    return tx.execute(asked.with_for_update() if lock else asked).one_or_none()


def officer_of(row: Any) -> Officer:
    """The officer that a row speaks of."""
    return Officer(
        id=UUID(bytes=bytes(row.id)),
        email=row.email,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles.split()),
        active=bool(row.active),
    )

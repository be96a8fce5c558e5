"""Passes: the secrets that let somebody in. Only the SHA-256 of each is kept, so that a copied database opens nothing.

A session belongs to a browser and ends by itself. A token belongs to the
command line or another program and ends when it is revoked. Invitations and
reset links open an account once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.db import Tx, from_instant, to_instant
from app.officers.people import officer_of
from app.records.nouns import Officer
from app.store.store import Store
from app.store.tables import officers
from app.store.tables import passes as table


class Kind(StrEnum):
    """What a pass lets its bearer do."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    INVITATION = "invitation"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass as it is kept."""

    id: str
    officer: Officer
    kind: Kind
    made_at: datetime
    until: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """A pass as it is handed out, once."""

    id: str
    secret: str = field(repr=False)
    until: datetime | None


def make(
    store: Store, tx: Tx, kind: Kind, officer: Officer, *, lasts: timedelta | None, used: bool = False
) -> Made:
    """Make a pass; its secret is in the answer and nowhere else.

    A secret begins with its kind, so that one that strays is recognised.
    """
    now = store.clock.now()
    secret = f"muniment-{kind}-{secrets.token_urlsafe(32)}"
    until = None if lasts is None else now + lasts
    key = select(officers.c.key).where(officers.c.id == officer.id.bytes).scalar_subquery()
    tx.execute(
        insert(table).values(
            digest=_digest(secret),
            officer=key,
            kind=kind.value,
            made_at=to_instant(now),
            until=None if until is None else to_instant(until),
            used_at=to_instant(now) if used else None,
        )
    )
    return Made(pass_id(secret), secret, until)


def find(store: Store, tx: Tx, kind: Kind, secret: str) -> Pass | None:
    """The pass of that secret, if it is of that kind, has not run out, and its officer is active."""
    found = tx.execute(
        _joined().where(table.c.digest == _digest(secret), table.c.kind == kind.value)
    ).one_or_none()
    if found is None or not found.active or _over(found, store.clock.now()):
        return None
    return _pass(found)


def kept(store: Store, tx: Tx, kind: Kind, officer: Officer) -> list[Pass]:
    """The passes of one kind that an officer holds, oldest first."""
    now = store.clock.now()
    asked = _joined().where(officers.c.id == officer.id.bytes, table.c.kind == kind.value)
    return [
        _pass(row)
        for row in tx.execute(asked.order_by(table.c.made_at, table.c.digest))
        if not _over(row, now)
    ]


def holders(tx: Tx, kind: Kind) -> Iterator[tuple[str, bytes]]:
    """Each pass of one kind by the name that it is listed under, with the id of whoever holds it."""
    asked = select(table.c.digest, officers.c.id).join_from(
        table, officers, table.c.officer == officers.c.key
    )
    for row in tx.execute(asked.where(table.c.kind == kind.value).order_by(table.c.digest)):
        yield _id(bytes(row.digest)), bytes(row.id)


def spend(store: Store, tx: Tx, kind: Kind, secret: str) -> bool:
    """Use a pass that opens once; True for exactly one of those who try, even at the same moment."""
    unused = (table.c.digest == _digest(secret)) & (table.c.kind == kind.value) & table.c.used_at.is_(None)
    return tx.execute(update(table).where(unused).values(used_at=to_instant(store.clock.now()))).rowcount == 1


def touch(store: Store, tx: Tx, secret: str) -> None:
    """Write down that a pass is in use."""
    tx.execute(
        update(table).where(table.c.digest == _digest(secret)).values(used_at=to_instant(store.clock.now()))
    )


def end(tx: Tx, officer: Officer, *kinds: Kind, keep: str = "") -> int:
    """End the passes of these kinds that an officer holds, all but `keep`; return how many."""
    key = select(officers.c.key).where(officers.c.id == officer.id.bytes).scalar_subquery()
    theirs = (table.c.officer == key) & table.c.kind.in_([kind.value for kind in kinds])
    return tx.execute(delete(table).where(theirs, table.c.digest != _digest(keep))).rowcount


def end_one(tx: Tx, kind: Kind, secret: str) -> None:
    """End the pass of that kind and secret."""
    tx.execute(delete(table).where(table.c.digest == _digest(secret), table.c.kind == kind.value))


def end_by_id(tx: Tx, officer: Officer, kind: Kind, id: str) -> bool:
    """End the pass that `id` names, if the officer holds it; whether there was one."""
    key = select(officers.c.key).where(officers.c.id == officer.id.bytes).scalar_subquery()
    held = tx.execute(
        select(table.c.digest).where(table.c.officer == key, table.c.kind == kind.value)
    ).scalars()
    wanted = [bytes(digest) for digest in held if _id(bytes(digest)) == id]
    return bool(wanted) and tx.execute(delete(table).where(table.c.digest.in_(wanted))).rowcount > 0


def sweep_passes(store: Store, tx: Tx) -> int:
    """Discard what has run out; return how many."""
    return tx.execute(delete(table).where(table.c.until < to_instant(store.clock.now()))).rowcount


def pass_id(secret: str) -> str:
    """The name under which a pass is listed and revoked; it opens nothing."""
    return _id(_digest(secret))


def _id(digest: bytes) -> str:
    return digest[:8].hex()


def _digest(secret: str) -> bytes:
    """The secret has 256 random bits: nothing slower than SHA-256 would make guessing any harder."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _joined() -> Any:
    rows = (table.c.digest, table.c.kind, table.c.made_at, table.c.until, table.c.used_at)
    return select(officers, *rows).join_from(table, officers, table.c.officer == officers.c.key)


def _over(row: Any, now: datetime) -> bool:
    return row.until is not None and to_instant(now) >= row.until


def _pass(row: Any) -> Pass:
    return Pass(
        id=_id(bytes(row.digest)),
        officer=officer_of(row),
        kind=Kind(row.kind),
        made_at=from_instant(row.made_at),
        until=None if row.until is None else from_instant(row.until),
        used_at=None if row.used_at is None else from_instant(row.used_at),
    )

"""Reading what was done and who read what, in pages, newest first, with exact totals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from app.db import Tx, from_instant, to_instant
from app.store import concealed
from app.store.access import Access
from app.store.ledger import Act, act_words
from app.store.sealing import unseal
from app.store.store import Store
from app.store.tables import accesses, acts, checkpoints, quarantines

_QUARANTINE = "quarantine"
_NAMES = frozenset({"item", "record"})
"""Under which names the detail of a quarantine has its record."""
_HOLDS = re.compile(r"\bhold:", re.IGNORECASE)
_NUMBERS = frozenset({"total", "cursor"})
"""What of a question tells how much it found."""


@dataclass(frozen=True, slots=True)
class ActsPart:
    """Some of what was done; `next` is the entry to go on before, None at the end."""

    acts: Sequence[Act]
    total: int
    next: int | None


@dataclass(frozen=True, slots=True)
class AccessesPart:
    """Some of who read what; `next` is the number to go on before, None at the end."""

    accesses: Sequence[Access]
    total: int
    next: int | None


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest checkpoint that was signed."""

    size: int
    at: datetime
    note: str


def acts_before(
    store: Store,
    tx: Tx,
    *,
    before: int | None = None,
    limit: int = 50,
    kind: str | None = None,
    by: UUID | None = None,
) -> ActsPart:
    """What was done before entry `before`, newest first, each with its detail; `kind` narrows to one type.

    Acts on a silent matter are not there, unless `by` is a member of it; which
    record an act of quarantine is about is told to the two alone who were named.
    """
    asked: Any = select(acts).where(concealed.open_to(by))
    if kind:
        asked = asked.where(acts.c.type == kind)
    total = tx.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
    if before is not None:
        asked = asked.where(acts.c.entry < before)
    rows = tx.execute(asked.order_by(acts.c.entry.desc()).limit(limit + 1)).all()
    told = []
    unnamed = _unnamed(tx, rows[:limit], by)
    for row, value in zip(rows[:limit], act_words(store.keyring, tx, rows[:limit]), strict=True):
        hidden = row.entry in unnamed
        told.append(
            Act(
                entry=row.entry,
                type=row.type,
                at=from_instant(row.at),
                officer=_id(row.officer),
                subject=None if hidden else _id(row.subject),
                why=value["why"],
                detail={
                    name: one for name, one in value["detail"].items() if not hidden or name not in _NAMES
                },
            )
        )
    return ActsPart(told, total, told[-1].entry if len(rows) > limit else None)


def _unnamed(tx: Tx, rows: Sequence[Any], by: UUID | None) -> set[int]:
    """Which of these acts are of a quarantine to which `by` was given no access."""
    found = {row.entry for row in rows if row.type == _QUARANTINE}
    if not found or by is None:
        return found
    mine = (quarantines.c.ordered_by == by.bytes) | (quarantines.c.named == by.bytes)
    asked = select(quarantines.c.entry, quarantines.c.ended_entry).where(mine)
    return found - {entry for row in tx.execute(asked) for entry in (row.entry, row.ended_entry)}


def kinds_of_acts(tx: Tx, by: UUID | None = None) -> list[str]:
    """The types of acts that there are, as far as `by` may know of them."""
    asked = select(acts.c.type).where(concealed.open_to(by)).distinct().order_by(acts.c.type)
    return list(tx.execute(asked).scalars())


def accesses_before(
    store: Store,
    tx: Tx,
    *,
    before: int | None = None,
    limit: int = 50,
    by: UUID | None = None,
    record: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    asker: UUID | None = None,
) -> AccessesPart:
    """Who read what before access `before`, newest first, as `asker` may know it; what was asked is opened with its day's key."""
    asked: Any = select(accesses)
    if by:
        asked = asked.where(accesses.c.officer == by.bytes)
    if record:
        asked = asked.where(accesses.c.record == record.bytes)
    if since:
        asked = asked.where(accesses.c.at >= to_instant(since))
    if until:
        asked = asked.where(accesses.c.at <= to_instant(until))
    total = tx.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
    if before is not None:
        asked = asked.where(accesses.c.key < before)
    rows = tx.execute(asked.order_by(accesses.c.key.desc()).limit(limit + 1)).all()
    told = [
        as_known(
            Access(
                at=from_instant(row.at),
                officer=_id(row.officer),
                action=row.action,
                record=_id(row.record),
                detail=msgspec.json.decode(
                    unseal(store.keyring.named(f"access/{row.day}"), b"access", bytes(row.sealed))
                ),
            ),
            asker,
        )
        for row in rows[:limit]
    ]
    return AccessesPart(told, total, rows[limit - 1].key if len(rows) > limit else None)


def as_known(one: Access, asker: UUID | None) -> Access:
    """An access as `asker` may know it: how many records are held is told to whoever asked it alone.

    The number is that of the holds which *they* may know of; beside the same
    question of one's own it would tell of a silent matter.
    """
    if one.officer == asker or not any(_HOLDS.search(text) for text in _texts(one.detail)):
        return one
    return replace(one, detail={name: value for name, value in one.detail.items() if name not in _NUMBERS})


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for part in value.values() for text in _texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in _texts(part))


def newest_checkpoint(tx: Tx) -> Signed | None:
    """The largest checkpoint that was signed, or None."""
    row = tx.execute(select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).one_or_none()
    return None if row is None else Signed(row.size, from_instant(row.signed_at), str(row.note))


def _id(value: bytes | None) -> UUID | None:
    return UUID(bytes=bytes(value)) if value else None

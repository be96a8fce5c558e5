"""The access log: reading leaves a trace. What was asked is sealed under the day's key; the day's digest is an entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select

from app.db import Tx, from_instant, to_instant
from app.store.canonical import canonical, plain
from app.store.evidence import piece_commitment
from app.store.merkle import fold
from app.store.sealing import derive, seal, unseal
from app.store.store import Store
from app.store.tables import access_digests, accesses


@dataclass(frozen=True, slots=True)
class Access:
    """Who read what, and when."""

    at: datetime
    officer: UUID | None
    action: str
    record: UUID | None
    detail: Mapping[str, object]


def note(
    store: Store,
    tx: Tx,
    action: str,
    *,
    by: UUID | None,
    record: UUID | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write down that something was read: "sign-in", "search", "view", "export" and so on."""
    at = store.clock.now()
    day = at.date().isoformat()
    key = _key(store, day)
    told = canonical(plain(dict(detail or {})))
    row = {
        "at": to_instant(at),
        "day": day,
        "officer": by.bytes if by else None,
        "action": action,
        "record": record.bytes if record else None,
    }
    stated = canonical(
        {
            "at": row["at"],
            "officer": by.hex if by else None,
            "action": action,
            "record": record.hex if record else None,
            "detail": told.decode(),
        }
    )
    tx.execute(
        insert(accesses).values(
            **row,
            sealed=seal(key, b"access", told),
            commitment=piece_commitment(derive(key, b"salt"), stated),
        )
    )


def read(
    store: Store,
    tx: Tx,
    *,
    by: UUID | None = None,
    record: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Access]:
    """The accesses that fit, oldest first."""
    asked: Any = select(accesses).order_by(accesses.c.key)
    if by:
        asked = asked.where(accesses.c.officer == by.bytes)
    if record:
        asked = asked.where(accesses.c.record == record.bytes)
    if since:
        asked = asked.where(accesses.c.at >= to_instant(since))
    if until:
        asked = asked.where(accesses.c.at <= to_instant(until))
    for row in tx.execute(asked):
        yield Access(
            at=from_instant(row.at),
            officer=UUID(bytes=bytes(row.officer)) if row.officer else None,
            action=row.action,
            record=UUID(bytes=bytes(row.record)) if row.record else None,
            detail=msgspec.json.decode(unseal(_key(store, row.day), b"access", bytes(row.sealed))),
        )


def close_days(store: Store, tx: Tx, *, by: UUID | None, why: str) -> int:
    """Write the digest of every past day that has accesses and no digest yet; return how many."""
    today = store.clock.now().date().isoformat()
    closed = select(access_digests.c.day)
    days = (
        tx.execute(
            select(accesses.c.day)
            .where(accesses.c.day < today, accesses.c.day.not_in(closed))
            .distinct()
            .order_by(accesses.c.day)
        )
        .scalars()
        .all()
    )
    for day in days:
        leaves = [
            bytes(row)
            for row in tx.execute(
                select(accesses.c.commitment).where(accesses.c.day == day).order_by(accesses.c.key)
            ).scalars()
        ]
        root = fold(leaves)
        entry = store.ledger.act(
            tx, "access", by=by, why=why, facts={"day": day, "n": len(leaves), "root": root.hex()}
        )
        tx.execute(insert(access_digests).values(day=day, entry=entry, count=len(leaves), root=root))
    return len(days)


def check_days(tx: Tx) -> list[str]:
    """The days whose accesses no longer give the digest that the ledger holds."""
    wrong = []
    for day, count, root in tx.execute(
        select(access_digests.c.day, access_digests.c.count, access_digests.c.root)
    ).all():
        leaves = [
            bytes(row)
            for row in tx.execute(
                select(accesses.c.commitment).where(accesses.c.day == day).order_by(accesses.c.key)
            ).scalars()
        ]
        if len(leaves) != count or fold(leaves) != bytes(root):
            wrong.append(day)
    return wrong


def _key(store: Store, day: str) -> bytes:
    return store.keyring.named(f"access/{day}")

"""The access log: reading leaves a trace. What was asked is sealed under the day's key; the day's digest is an entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select

from app.db import Tx, from_instant, to_instant
from app.records.errors import NotFound
from app.store.canonical import canonical, plain
from app.store.evidence import piece_commitment
from app.store.merkle import fold
from app.store.sealing import SealBroken, derive, seal, unseal
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
    day = _open_day(tx, at.date())
    key = _key(store, day)
    told = canonical(plain(dict(detail or {})))
    officer, concerned = by.bytes if by else None, record.bytes if record else None
    tx.execute(
        insert(accesses).values(
            at=to_instant(at),
            day=day,
            officer=officer,
            action=action,
            record=concerned,
            sealed=seal(key, b"access", told),
            commitment=_commitment(key, to_instant(at), officer, action, concerned, told),
        )
    )


def _open_day(tx: Tx, day: date) -> str:
    """The day, or the first that is still open: after a clock was set back, its own may have its digest already."""
    closed = tx.execute(select(func.max(access_digests.c.day))).scalar()
    return max(day, date.fromisoformat(closed) + timedelta(days=1) if closed else day).isoformat()


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


def check_days(store: Store, tx: Tx, *, full: bool) -> list[str]:
    """The days whose accesses are not those that were noted, or do not give the digest that the ledger holds.

    `full` opens every access; otherwise only the commitments are compared.
    """
    digests = select(access_digests, access_digests.c.count.label("number"))
    closed = {row.day: row for row in tx.execute(digests).all()}
    noted = set(tx.execute(select(accesses.c.day).distinct()).scalars())
    wrong = []
    for day in sorted(closed.keys() | noted):
        asked = select(accesses).where(accesses.c.day == day).order_by(accesses.c.key)
        leaves, as_noted = [], True
        for row in tx.execute(asked):
            leaves.append(bytes(row.commitment))
            as_noted = as_noted and (not full or _as_noted(store, row))
        if not as_noted or (day in closed and not _as_closed(store, tx, closed[day], leaves)):
            wrong.append(day)
    return wrong


def _as_noted(store: Store, row: Any) -> bool:
    """Whether a row still opens to what its commitment speaks of, on its own day or, after a clock was set back, a later one."""
    key = _key(store, row.day)
    try:
        told = unseal(key, b"access", bytes(row.sealed))
    except SealBroken:
        return False
    officer, record = (bytes(value) if value else None for value in (row.officer, row.record))
    return (
        _commitment(key, row.at, officer, row.action, record, told) == bytes(row.commitment)
        and from_instant(row.at).date().isoformat() <= row.day
    )


def _as_closed(store: Store, tx: Tx, closed: Any, leaves: list[bytes]) -> bool:
    """Whether a day's accesses give its digest, and its digest is the one in the ledger."""
    root = fold(leaves)
    try:
        said = msgspec.json.decode(store.ledger.entry(tx, closed.entry))
    except (NotFound, msgspec.DecodeError):
        return False
    return (
        (closed.number, bytes(closed.root)) == (len(leaves), root)
        and said.get("type") == "access"
        and (said.get("day"), said.get("n"), said.get("root")) == (closed.day, len(leaves), root.hex())
    )


def _commitment(
    key: bytes, at: int, officer: bytes | None, action: str, record: bytes | None, told: bytes
) -> bytes:
    stated = canonical(
        {
            "at": at,
            "officer": officer.hex() if officer else None,
            "action": action,
            "record": record.hex() if record else None,
            "detail": told.decode(),
        }
    )
    return piece_commitment(derive(key, b"salt"), stated)


def _key(store: Store, day: str) -> bytes:
    return store.keyring.named(f"access/{day}")

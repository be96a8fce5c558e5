"""Quarantine: access to a record is cut off at once, for everybody but two people, and nothing is destroyed.

For an order that is expected or disputed, for what should never have been
shown, for what must be looked at before anybody decides. Whoever orders it
names a second person; these two see the record by its id, and neither finds it
in a search, a list, an export or a count. It goes on being captured, held and
checked. The ledger, which anybody may read, says that something was put into
quarantine, and not what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from app import officers
from app.capture import deeds, records
from app.db import Tx
from app.db.database import lock_ledger
from app.records.errors import Invalid, NotFound, Refused
from app.records.nouns import Officer, Role
from app.store.store import Store
from app.store.tables import quarantines
from app.store.tables import records as record_table

ORDERERS = (Role.ATTORNEY, Role.ADMINISTRATOR)


class InQuarantine(Refused):
    """The record is in quarantine already."""

    code = "in-quarantine"


class NotInQuarantine(NotFound):
    """No quarantine of that record is known to you."""

    code = "not-in-quarantine"


class BadQuarantine(Invalid):
    """A quarantine names a second person beside whoever orders it."""

    code = "bad-quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A quarantine that is in force: whose record, since when, why, and who has access."""

    record: UUID
    at: datetime
    why: str
    ordered_by: UUID
    named: UUID
    entry: int


def begin(store: Store, tx: Tx, record: UUID, second: str, *, by: Officer, why: str) -> Quarantine:
    """Cut off access to a record for everybody but `by` and the officer of the e-mail `second`."""
    officers.require(by, *ORDERERS)
    lock_ledger(tx)
    if not second.strip():
        raise BadQuarantine("a quarantine names a second person", next="Name them: --with EMAIL.")
    named = officers.find(tx, second)
    if named.id == by.id or not named.active:
        raise BadQuarantine(
            f"{named.email} cannot be the second person", next="Name somebody else who works here."
        )
    # A private message can be cut off by whoever may not read it: that it is there is in the order already.
    found = records.get(store, tx, record, messages=True, by=by.id)
    key = _key(tx, found.id)
    if key in _running(tx):
        raise InQuarantine(f"record {record} is in quarantine already")
    entry = store.ledger.act(
        tx,
        "quarantine",
        by=by.id,
        why=why,
        facts={"act": "began"},
        detail={"item": record.hex, "access": [str(by.id), str(named.id)]},
        subject=record,
    )
    tx.execute(
        insert(quarantines).values(record=key, entry=entry, ordered_by=by.id.bytes, named=named.id.bytes)
    )
    return get(store, tx, record, by=by)


def end(store: Store, tx: Tx, record: UUID, *, by: Officer, why: str) -> int:
    """Give access back; one of the two who are named does. Returns the entry."""
    lock_ledger(tx)
    began = get(store, tx, record, by=by)
    entry = store.ledger.act(
        tx,
        "quarantine",
        by=by.id,
        why=why,
        facts={"act": "ended", "of": began.entry},
        detail={"item": record.hex},
        subject=record,
    )
    mine = (quarantines.c.record == _key(tx, record)) & quarantines.c.ended_entry.is_(None)
    tx.execute(update(quarantines).where(mine).values(ended_entry=entry))
    return entry


def get(store: Store, tx: Tx, record: UUID, *, by: Officer) -> Quarantine:
    """The quarantine of a record, for the two who are named; for everybody else there is none."""
    for one in listed(store, tx, by=by):
        if one.record == record:
            return one
    raise NotInQuarantine(
        f"no quarantine of record {record} is known", next="See muniment quarantine --list."
    )


def listed(store: Store, tx: Tx, *, by: Officer) -> list[Quarantine]:
    """The quarantines for which `by` is one of the two who are named, the newest first."""
    rows = tx.execute(
        select(quarantines, record_table.c.id)
        .join(record_table, record_table.c.key == quarantines.c.record)
        .where(
            quarantines.c.ended_entry.is_(None),
            (quarantines.c.ordered_by == by.id.bytes) | (quarantines.c.named == by.id.bytes),
        )
        .order_by(quarantines.c.key.desc())
    ).all()
    told = deeds.told(store, tx, [row.entry for row in rows])
    return [
        Quarantine(
            record=UUID(bytes=bytes(row.id)),
            at=told[row.entry].at,
            why=told[row.entry].why,
            ordered_by=UUID(bytes=bytes(row.ordered_by)),
            named=UUID(bytes=bytes(row.named)),
            entry=row.entry,
        )
        for row in rows
    ]


def _running(tx: Tx) -> set[int]:
    return set(tx.execute(select(quarantines.c.record).where(quarantines.c.ended_entry.is_(None))).scalars())


def _key(tx: Tx, record: UUID) -> int:
    return int(tx.execute(select(record_table.c.key).where(record_table.c.id == record.bytes)).scalar_one())


def as_json(one: Quarantine, people: dict[UUID, str]) -> dict[str, object]:
    """A quarantine, as programs read it."""
    return {
        "record": str(one.record),
        "since": one.at.isoformat(),
        "why": one.why,
        "access": [people.get(one.ordered_by, str(one.ordered_by)), people.get(one.named, str(one.named))],
        "entry": one.entry,
    }

"""Editions of schedules as the agency adopted them: kept byte for byte, each with its instrument, in force one at a time.

A schedule is public, so its bytes stand in the clear; by which instrument it
was adopted, by whom and why stands in the ledger's entry. An edition ends
when another of the same schedule takes its place, or when somebody ends it.
Nothing is taken out: what was in force on an earlier day can be read for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from app.capture import deeds
from app.capture.deeds import BadDate, Told
from app.db import Tx
from app.db.database import lock_ledger
from app.index.engine import Engine
from app.records.clock import iso
from app.records.errors import IntegrityFailure, NotFound, Refused
from app.records.ids import new_id
from app.retention import editions, schedules
from app.retention.editions import Edition, InForce, Span
from app.retention.lines import Problem
from app.retention.schedule import Schedule
from app.retention.schedules import BadSchedule
from app.retention.sets import must_be_answerable
from app.store.store import Store
from app.store.tables import schedules as table


class NoSuchSchedule(NotFound):
    """No edition of that id was adopted."""

    code = "no-such-schedule"


class AlreadyAdopted(Refused):
    """These very bytes are in force already."""

    code = "already-adopted"


class ScheduleAltered(IntegrityFailure):
    """An adopted edition is not what its ledger entry says."""

    code = "schedule-altered"


class ScheduleEnded(Refused):
    """This edition has ended, or will on a day that is written down already."""

    code = "schedule-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """An edition with what was written down when it was adopted, and when it ended."""

    key: int
    id: UUID
    entry: int
    edition: Edition
    digest: bytes
    size: int
    by: UUID | None
    at: datetime
    why: str
    ended_by: UUID | None = None
    ended_why: str = ""

    def standing(self, on: date) -> str:
        """How the edition stands on a day: `in force`, `to come` or `ended`."""
        if self.edition.binds(on):
            return "in force"
        return "to come" if on < self.edition.since else "ended"


@lru_cache(maxsize=64)
def _read(content: bytes) -> Schedule:
    return schedules.read(content.decode("utf-8-sig"), "the adopted schedule")


def read(content: bytes, file: str) -> Schedule:
    """The schedule that these bytes write, or `BadSchedule` with everything that is wrong in them."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem(line, "this is not UTF-8 text", "Save the file as UTF-8.")
        raise BadSchedule(file, [problem]) from error
    return schedules.read(text, file)


def listed(store: Store, tx: Tx) -> list[Adopted]:
    """Every edition that was ever adopted, the newest first."""
    rows = tx.execute(select(table).order_by(table.c.key.desc())).all()
    told = deeds.told(store, tx, [entry for row in rows for entry in (row.entry, row.ended_entry)])
    for row in rows:
        _must_be_as_entered(store, tx, row, told[row.entry])
    return [_adopted(row, told) for row in rows]


def get(store: Store, tx: Tx, identity: UUID) -> Adopted:
    """The edition of that id, or `NoSuchSchedule`."""
    for one in listed(store, tx):
        if one.id == identity:
            return one
    raise NoSuchSchedule(f"no schedule {identity} was adopted", next="List them: muniment schedule list.")


def content(tx: Tx, one: Adopted) -> bytes:
    """The exact bytes of an edition's file."""
    return bytes(tx.execute(select(table.c.content).where(table.c.key == one.key)).scalar_one())


def in_force(store: Store, tx: Tx, on: date) -> InForce:
    """The editions that bind on a day."""
    return editions.in_force([one.edition for one in listed(store, tx)], on)


def coming(
    store: Store, tx: Tx, schedule: Schedule, *, instrument: str, since: date
) -> tuple[Edition, InForce]:
    """What adopting a schedule would put in force, on the first day on which it binds; nothing is written.

    Raises what adoption would: a placeholder, another edition of that day or
    later, series or priorities of another schedule.
    """
    edition = Edition(schedule=schedule, instrument=instrument, adopted_on=since)
    before = [one.edition for one in listed(store, tx)]
    after = [_ended_by(one, edition) for one in before]
    editions.check([*after, edition])
    return edition, editions.in_force([*after, edition], edition.since)


def spans(store: Store, tx: Tx, start: date, last: date, besides: Edition | None = None) -> list[Span]:
    """The days from `start` to `last` under the editions that bind on each, as if `besides` were adopted too."""
    known = [one.edition for one in listed(store, tx)]
    if besides is not None:
        known = [*(_ended_by(one, besides) for one in known), besides]
    return editions.spans(known, start, last)


def adopt(
    store: Store,
    tx: Tx,
    file: bytes,
    *,
    instrument: str,
    since: date | None = None,
    name: str = "schedule",
    engine: Engine | None = None,
    by: UUID,
    why: str,
) -> Adopted:
    """Adopt a schedule: it binds from `since`, or from the day on which it takes effect if that is later.

    `instrument` is what made it the agency's: a resolution, an order, a letter
    of the state archives. The edition of the same schedule that was in force
    ends on the day on which this one binds. One that is in force already is
    refused, and so is whatever cannot stand beside what is in force, and a
    rule whose question the search engine cannot answer.
    """
    schedule = read(file, name)
    must_be_answerable(schedule, engine, store.agency.zone())
    words = deeds.words(instrument, "the instrument")
    today = deeds.today(store)
    lock_ledger(tx)
    before = listed(store, tx)
    edition, _ = coming(store, tx, schedule, instrument=words, since=since or today)
    digest = hashlib.sha256(file).digest()
    if any(one.digest == digest and one.edition.ended_on is None for one in before):
        raise AlreadyAdopted(
            f"{schedule.title}, edition {schedule.edition}, is adopted already",
            next="See muniment schedule list.",
        )
    identity = new_id()
    facts = {"schedule": identity.hex, "act": "adopted", "digest": digest.hex(), "since": str(edition.since)}
    entry = store.ledger.act(
        tx,
        "schedule",
        by=by,
        why=why,
        facts=facts,
        detail={
            "name": schedule.name,
            "edition": schedule.edition,
            "instrument": words,
            "from": edition.adopted_on.isoformat(),
            "recorded_on": today.isoformat(),
        },
        subject=identity,
    )
    for one in before:
        ended = _ended_by(one.edition, edition)
        if ended is not one.edition:
            tx.execute(
                update(table)
                .where(table.c.key == one.key)
                .values(ended_on=str(edition.since), ended_entry=entry)
            )
    row = {"id": identity.bytes, "entry": entry, "digest": digest, "content": file}
    tx.execute(insert(table).values(adopted_on=edition.adopted_on.isoformat(), **row))
    return get(store, tx, identity)


def end(store: Store, tx: Tx, one: Adopted, *, on: date, by: UUID, why: str) -> Adopted:
    """End an edition that nothing takes the place of: from `on` everything under it is kept."""
    lock_ledger(tx)
    now = get(store, tx, one.id)
    if now.edition.ended_on is not None:
        raise ScheduleEnded(f"this edition ends on {now.edition.ended_on} already")
    if on < now.edition.since:
        raise BadDate(f"{on} is before {now.edition.since}, from when it binds")
    if on < deeds.today(store):
        raise BadDate(f"{on} is past", next="What was in force then stays so; end it today or later.")
    entry = store.ledger.act(
        tx,
        "schedule",
        by=by,
        why=why,
        facts={"schedule": one.id.hex, "act": "ended", "on": str(on)},
        subject=one.id,
    )
    tx.execute(update(table).where(table.c.key == one.key).values(ended_on=str(on), ended_entry=entry))
    return get(store, tx, one.id)


def as_json(one: Adopted, today: date) -> dict[str, object]:
    """An edition as programs read it."""
    schedule = one.edition.schedule
    return {
        "id": str(one.id),
        "jurisdiction": schedule.jurisdiction,
        "authority": schedule.authority,
        "title": schedule.title,
        "edition": schedule.edition,
        "instrument": one.edition.instrument,
        "from": str(one.edition.since),
        "adopted_on": str(one.edition.adopted_on),
        "ended_on": str(one.edition.ended_on) if one.edition.ended_on else None,
        "standing": one.standing(today),
        "sha256": one.digest.hex(),
        "bytes": one.size,
        "by": str(one.by) if one.by else None,
        "at": iso(one.at),
        "why": one.why,
        "ended_why": one.ended_why or None,
        "entry": one.entry,
    }


def rules_digest(editions: Sequence[bytes]) -> bytes:
    """A digest of the editions by which records are classified: another one means that they are classified anew."""
    told = hashlib.sha256(b"rules/v1\n")
    for digest in sorted(editions):
        told.update(digest)
    told.update(b"%d" % len(editions))
    return told.digest()


def binding(store: Store, tx: Tx, on: date) -> list[Adopted]:
    """The editions that bind on a day, with their rows."""
    return [one for one in listed(store, tx) if one.edition.binds(on)]


def _must_be_as_entered(store: Store, tx: Tx, row: Any, told: Told) -> None:
    """Hold a row against its entries: what decides when records go is not read from a row alone."""
    entered = msgspec.json.decode(store.ledger.entry(tx, row.entry))
    same = entered.get("digest") == hashlib.sha256(bytes(row.content)).hexdigest() == bytes(row.digest).hex()
    same = same and entered.get("schedule") == bytes(row.id).hex() and told.text("from") == row.adopted_on
    if row.ended_entry is not None:
        ended = msgspec.json.decode(store.ledger.entry(tx, row.ended_entry))
        same = same and row.ended_on == ended.get("on" if ended.get("act") == "ended" else "since")
    elif row.ended_on is not None:
        same = False
    if not same:
        raise ScheduleAltered(
            f"schedule {UUID(bytes=bytes(row.id))} is not what entry {row.entry} says",
            next="Keep this copy as evidence, and restore the newest backup. Until then nothing is eligible.",
        )


def _ended_by(one: Edition, successor: Edition) -> Edition:
    """An edition as it stands when another of the same schedule takes its place."""
    if one.schedule.name != successor.schedule.name or one.ended_on is not None:
        return one
    return one if successor.since < one.since else replace(one, ended_on=successor.since)


def _adopted(row: Any, told: dict[int, Told]) -> Adopted:
    said, ended = told[row.entry], told.get(row.ended_entry)
    file = bytes(row.content)
    return Adopted(
        key=row.key,
        id=UUID(bytes=bytes(row.id)),
        entry=row.entry,
        edition=Edition(
            schedule=_read(file),
            instrument=said.text("instrument"),
            adopted_on=date.fromisoformat(row.adopted_on),
            ended_on=deeds.of_row(row.ended_on),
        ),
        digest=bytes(row.digest),
        size=len(file),
        by=said.by,
        at=said.at,
        why=said.why,
        ended_by=ended.by if ended else None,
        ended_why=ended.why if ended else "",
    )

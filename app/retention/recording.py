"""What people record of records: series that they assign, events, declarations, orders to keep longer.

Each is one entry of the ledger, for one record or for many. Nothing is
changed in place: a correction is another event that supersedes the first, and
both stay. A person can give a day that no capture shows; nobody can give one
that is still to come, or on which the record was not there yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.capture import deeds
from app.capture.deeds import BadDate
from app.capture.records import NoSuchRecord
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.records.errors import Invalid, NotFound, Refused
from app.records.ids import new_id
from app.records.nouns import Officer
from app.retention import adopted, describing, lines
from app.retention.calendar import civil, next_day
from app.retention.editions import InForce
from app.retention.known import KEPT_UNTIL, REVIEW_ON, REVIEWED
from app.retention.schedule import DECLARED, DISPOSED, EVENTS, FIRST_SEEN, PUBLISHED
from app.store.disposals import root
from app.store.store import Store
from app.store.tables import assigned, records, retention_events, tombstones

EXTENDED = "extended"
_SHOWN_BY_CAPTURE = frozenset({PUBLISHED, FIRST_SEEN})
_ASK = 500
_NAMED = 1_000
"""So many records are named in the detail of an entry; of more, their number and root say which they are."""


class NoSuchSeries(Invalid):
    """No edition in force has a series of that code."""

    code = "no-such-series"


class BadEvent(Invalid):
    """This is no event that a schedule in force knows, or it lacks something."""

    code = "bad-event"


class NoSuchEvent(NotFound):
    """No event of that id is recorded."""

    code = "no-such-event"


class AlreadySuperseded(Refused):
    """This event was corrected or taken back already; what took its place can be corrected in turn."""

    code = "already-superseded"


class NothingRecorded(Invalid):
    """No record is named."""

    code = "no-records-named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event as it is told: of how many records, when, by whom, and what shows it."""

    id: UUID
    name: str
    on: date | None
    until: date | None
    about: str
    signed_by: UUID | None
    evidence: str
    records: int
    by: UUID | None
    at: datetime
    why: str
    entry: int
    superseded_entry: int | None = None


def keys_of(tx: Tx, ids: Sequence[UUID], *, messages: bool, hidden: Collection[int] = ()) -> dict[UUID, int]:
    """The keys of living records, or `NoSuchRecord`.

    Private messages are there only where `messages` is set, and those whose
    keys are `hidden` are not there for whoever asks.
    """
    found: dict[UUID, int] = {}
    for part in _parts([one.bytes for one in ids]):
        asked = (
            select(records.c.id, records.c.key, records.c.private)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(records.c.id.in_(part), tombstones.c.record.is_(None))
        )
        for identity, key, private in tx.execute(asked):
            if (messages or not private) and key not in hidden:
                found[UUID(bytes=bytes(identity))] = key
    for one in ids:
        if one not in found:
            raise NoSuchRecord(f"no record {one} is held")
    return found


# -- series ------------------------------------------------------------------------------------------------


def assign(store: Store, tx: Tx, ids: Sequence[UUID], series: str, *, by: Officer, why: str) -> int:
    """Put records into a series, whatever the rules say; return the entry.

    It stays so when records are classified anew, until another is assigned or
    the assignment is ended.
    """
    lock_ledger(tx)
    held = adopted.in_force(store, tx, deeds.today(store))
    _must_be_in_force(held, series)
    keys = _named(tx, ids)
    entry = _act(store, tx, "assigned", keys, {"series": series}, {}, by=by, why=why)
    _end_assignments(tx, list(keys.values()), entry)
    rows = [
        {"record": key, "entry": entry, "officer": by.id.bytes, "series": series} for key in keys.values()
    ]
    tx.execute(insert(assigned), rows)
    return entry


def unassign(store: Store, tx: Tx, ids: Sequence[UUID], *, by: Officer, why: str) -> int:
    """End what officers assigned to records: the rules count again. Return the entry."""
    lock_ledger(tx)
    keys = _named(tx, ids)
    there: set[int] = set()
    for part in _parts(list(keys.values())):
        asked = select(assigned.c.record).where(assigned.c.record.in_(part), assigned.c.ended_entry.is_(None))
        there |= set(tx.execute(asked).scalars())
    if not there:
        raise Refused("no officer assigned a series to it", next="The rules count already.")
    mine = {identity: key for identity, key in keys.items() if key in there}
    entry = _act(store, tx, "unassigned", mine, {}, {}, by=by, why=why)
    _end_assignments(tx, sorted(there), entry)
    return entry


def _end_assignments(tx: Tx, keys: Sequence[int], entry: int) -> None:
    for part in _parts(keys):
        running = assigned.c.ended_entry.is_(None) & assigned.c.record.in_(part)
        tx.execute(update(assigned).where(running).values(ended_entry=entry))


def _must_be_in_force(held: InForce, series: str) -> None:
    if held.series(series) is None:
        codes = [one.code for edition in held.editions for one in edition.schedule.series]
        next_ = lines.nearest(series, codes) if codes else "Adopt a schedule first: muniment schedule adopt."
        raise NoSuchSeries(f"no edition in force has a series {series!r}", next=next_)


# -- events ------------------------------------------------------------------------------------------------


def event(
    store: Store,
    tx: Tx,
    ids: Sequence[UUID],
    name: str,
    *,
    on: date | None,
    until: date | None = None,
    about: str = "",
    evidence: str,
    corrects: UUID | None = None,
    by: Officer,
    why: str,
) -> Recorded:
    """Record what happened to records: on a day, or between `on` and `until`; without a day, nobody knows when.

    `evidence` says what shows it. A declaration is signed by whoever records
    it, and is made for the series `about`. With `corrects`, an earlier event
    of that id counts no more for these records.
    """
    lock_ledger(tx)
    held = adopted.in_force(store, tx, deeds.today(store))
    _must_be_known(held, name, about)
    _must_be_past(store, on, until)
    words = deeds.words(evidence, "what shows it")
    keys = _named(tx, ids)
    last = until or on
    if last is not None and name != DISPOSED:  # which is said of other records
        _must_have_been_there(store, tx, list(keys.values()), last)
    signed = by.id.bytes if name == DECLARED else None
    identity = new_id()
    detail: dict[str, object] = {
        "name": name,
        "on": str(on) if on else None,
        "until": str(until) if until else None,
        "about": about,
        "evidence": words,
        "signed_by": by.id.hex if signed else None,
        "corrects": corrects.hex if corrects else None,
    }
    entry = _act(store, tx, "recorded", keys, {"event": identity.hex}, detail, by=by, why=why)
    if corrects is not None:
        _supersede(tx, corrects, list(keys.values()), entry)
    rows = [
        {
            "id": identity.bytes,
            "record": key,
            "entry": entry,
            "name": name,
            "about": about,
            "after_on": str(on) if on else None,
            "by_on": str(last) if last else None,
            "signed_by": signed,
        }
        for key in keys.values()
    ]
    tx.execute(insert(retention_events), rows)
    describing.queue(tx, keys.values())
    return get(store, tx, identity)


def extend(store: Store, tx: Tx, ids: Sequence[UUID], until: date, *, by: Officer, why: str) -> Recorded:
    """Order records kept until the end of a day, however early their schedule would let them go."""
    if until <= deeds.today(store):
        raise BadDate(f"{until} is past", next="Give a day that is still to come.")
    lock_ledger(tx)
    keys = _named(tx, ids)
    identity = new_id()
    detail: dict[str, object] = {"name": KEPT_UNTIL, "until": str(until), "evidence": why}
    entry = _act(store, tx, EXTENDED, keys, {"event": identity.hex}, detail, by=by, why=why)
    rows = [
        {"id": identity.bytes, "record": key, "entry": entry, "name": KEPT_UNTIL, "by_on": str(until)}
        for key in keys.values()
    ]
    tx.execute(insert(retention_events), rows)
    return get(store, tx, identity)


def review(
    store: Store,
    tx: Tx,
    ids: Sequence[UUID],
    *,
    found: str,
    again: date | None = None,
    by: Officer,
    why: str,
) -> Recorded:
    """Record that somebody reviewed records today and what they found; `again` is the day of the next review.

    Nothing else changes: whoever finds that they belong elsewhere assigns a series.
    """
    today = deeds.today(store)
    if again is not None and again <= today:
        raise BadDate(f"{again} is past", next="Give a day that is still to come, or none.")
    words = deeds.words(found, "what was found")
    lock_ledger(tx)
    keys = _named(tx, ids)
    if again is not None:
        _reviewed(store, tx, keys, REVIEW_ON, words, None, again, by=by, why=why)
    return get(store, tx, _reviewed(store, tx, keys, REVIEWED, words, today, today, by=by, why=why))


def _reviewed(
    store: Store,
    tx: Tx,
    keys: dict[UUID, int],
    name: str,
    words: str,
    on: date | None,
    last: date,
    *,
    by: Officer,
    why: str,
) -> UUID:
    identity = new_id()
    detail: dict[str, object] = {
        "name": name,
        "on": str(on) if on else None,
        "until": str(last) if last != on else None,
        "about": "",
        "evidence": words,
        "signed_by": None,
        "corrects": None,
    }
    entry = _act(store, tx, "recorded", keys, {"event": identity.hex}, detail, by=by, why=why)
    rows = [
        {
            "id": identity.bytes,
            "record": key,
            "entry": entry,
            "name": name,
            "after_on": str(on) if on else None,
            "by_on": str(last),
        }
        for key in keys.values()
    ]
    tx.execute(insert(retention_events), rows)
    return identity


def take_back(store: Store, tx: Tx, identity: UUID, *, by: Officer, why: str) -> Recorded:
    """Say that an event was recorded by mistake: it counts no more, and stays to be read."""
    lock_ledger(tx)
    before = get(store, tx, identity)
    asked = select(records.c.id, records.c.key).join(
        retention_events, retention_events.c.record == records.c.key
    )
    named = tx.execute(asked.where(retention_events.c.id == identity.bytes)).all()
    keys = {UUID(bytes=bytes(one)): key for one, key in named}
    entry = _act(
        store, tx, "taken-back", keys, {"event": identity.hex}, {"name": before.name}, by=by, why=why
    )
    _supersede(tx, identity, list(keys.values()), entry)
    describing.queue(tx, keys.values())
    return get(store, tx, identity)


def get(store: Store, tx: Tx, identity: UUID) -> Recorded:
    """The event of that id, or `NoSuchEvent`."""
    rows = tx.execute(select(retention_events).where(retention_events.c.id == identity.bytes)).all()
    if not rows:
        raise NoSuchEvent(f"no event {identity} is recorded")
    return _recorded(store, tx, rows[:1], {rows[0].id: len(rows)})[0]


def of_record(store: Store, tx: Tx, key: int) -> list[Recorded]:
    """Every event of a record, those that count no more too; the newest first."""
    asked = select(retention_events).where(retention_events.c.record == key)
    rows = tx.execute(asked.order_by(retention_events.c.key.desc())).all()
    return _recorded(store, tx, rows, {})


def _recorded(store: Store, tx: Tx, rows: Sequence[Any], numbers: dict[bytes, int]) -> list[Recorded]:
    told = deeds.told(store, tx, [row.entry for row in rows])
    found = []
    for row in rows:
        said = told[row.entry]
        shows = said.text("evidence")
        if row.evidence is not None:
            shows = f"record {UUID(bytes=bytes(row.evidence))}"
        after, by = deeds.of_row(row.after_on), deeds.of_row(row.by_on)
        found.append(
            Recorded(
                id=UUID(bytes=bytes(row.id)),
                name=row.name,
                on=after or by,
                until=by if after is not None and by != after else None,
                about=row.about,
                signed_by=UUID(bytes=bytes(row.signed_by)) if row.signed_by is not None else None,
                evidence=shows,
                records=numbers.get(row.id, 1),
                by=said.by,
                at=said.at,
                why=said.why,
                entry=row.entry,
                superseded_entry=row.superseded_entry,
            )
        )
    return found


def _supersede(tx: Tx, identity: UUID, keys: Sequence[int], entry: int) -> None:
    of_it = retention_events.c.id == identity.bytes
    if tx.execute(select(retention_events.c.key).where(of_it).limit(1)).first() is None:
        raise NoSuchEvent(f"no event {identity} is recorded")
    changed = 0
    for part in _parts(keys):
        counts = of_it & retention_events.c.superseded_entry.is_(None) & retention_events.c.record.in_(part)
        changed += tx.execute(update(retention_events).where(counts).values(superseded_entry=entry)).rowcount
    if not changed:
        raise AlreadySuperseded(f"event {identity} counts no more for any of these records")


def _must_be_known(held: InForce, name: str, about: str) -> None:
    """Refuse what no schedule can ask for, what captures show, and what is said of no series though it must be."""
    if name in _SHOWN_BY_CAPTURE:
        raise BadEvent(
            f"{name} is what the capture shows; nobody records it", next="Record what it does not show."
        )
    own = {event for edition in held.editions for event in edition.schedule.events}
    if name != DISPOSED and name not in EVENTS and name not in own:
        raise BadEvent(f"no event is called {name!r}", next=lines.nearest(name, [*EVENTS, DISPOSED, *own]))
    if name in (DECLARED, DISPOSED):
        if not about:
            raise BadEvent(f"{name} is said of a series", next="Name it: --series CODE.")
        _must_be_in_force(held, about)
    elif about:
        raise BadEvent(f"{name} is said of the record, and of no series", next="Leave the series out.")


def _must_be_past(store: Store, on: date | None, until: date | None) -> None:
    today = deeds.today(store)
    for one in (on, until):
        if one is not None and one > today:
            raise BadDate(f"{one} is still to come", next="Record what happened when it has.")
    if until is not None and (on is None or until < on):
        raise BadDate(f"{until} is before {on}", next="The first day comes first.")


def _must_have_been_there(store: Store, tx: Tx, keys: Sequence[int], on: date) -> None:
    """Refuse a day on which one of these records was not there yet, as far as it is known when it was published."""
    zone = store.agency.zone()
    after = to_instant(datetime.combine(next_day(on), time(), zone))
    for part in _parts(keys):
        younger = select(records.c.id, records.c.published_at).where(
            records.c.key.in_(part), records.c.published_at >= after, records.c.first_seen >= after
        )
        if (row := tx.execute(younger.order_by(records.c.key).limit(1)).one_or_none()) is not None:
            day = civil(from_instant(row.published_at), zone)
            raise BadDate(
                f"{on} is before record {UUID(bytes=bytes(row.id))} was there: it was published on {day}",
                next="Look at the day again, or leave out what is younger.",
            )


def _named(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, int]:
    if not ids:
        raise NothingRecorded(
            "no record is named", next="Name one, or give a query or a file that names some."
        )
    return keys_of(tx, list(dict.fromkeys(ids)), messages=True)


def _act(
    store: Store,
    tx: Tx,
    act: str,
    keys: dict[UUID, int],
    facts: dict[str, str],
    detail: dict[str, object],
    *,
    by: Officer,
    why: str,
) -> int:
    """One entry for all of these records; what it says of them is sealed."""
    only = next(iter(keys)) if len(keys) == 1 else None
    told: dict[str, Any] = {"act": act, "n": len(keys), "root": root(one.bytes for one in keys).hex()}
    named = {"records": [one.hex for one in keys]} if len(keys) <= _NAMED else {}
    event = {"event": facts["event"]} if "event" in facts else {}
    return store.ledger.act(
        tx,
        "retention",
        by=by.id,
        why=why,
        facts={**told, **event},
        detail={**facts, **detail, **named},
        subject=only,
    )


def _parts(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _ASK):
        yield list(items[start : start + _ASK])

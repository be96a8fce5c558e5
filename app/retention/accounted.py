"""Schedules, events, assignments and classes held against the acts that wrote them: what fixity asks of this room.

Whoever disposes asks `entered` of the very records that go. This looks at all
of it, with every row read once and every act opened once: editions and
classifications are folded act by act, and of what grows with the archive the
number and root that an entry states are compared with the rows that name it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import select

from app.db import Tx, from_instant
from app.retention import adopted
from app.retention.calendar import civil
from app.retention.classifying import Noted
from app.retention.known import ANSWERED, CAPTURED, KEPT_UNTIL
from app.retention.recording import EXTENDED
from app.retention.schedules import BadSchedule
from app.store.accounts import ALTERED, MISSING, Wrong
from app.store.disposals import root
from app.store.hearing import (
    NOT_ALL,
    NOT_AS_DONE,
    NOT_DONE,
    Heard,
    Rows,
    compared,
    heard,
    roots,
    whole,
)
from app.store.store import Store
from app.store.tables import (
    assigned,
    classified,
    classifyings,
    days_seen,
    followed,
    records,
    retention_events,
    schedules,
    tombstones,
    versions,
)

LOOK = "retention"
"""What fixity calls this look."""
_NONE = Rows(0, root(()))


def wrong(store: Store) -> Wrong:
    """Whatever the rows of retention say that nobody did, or no longer say although somebody did."""
    with store.database.read() as tx:
        said = _Said()
        for act in heard(store, tx, "schedule", "classification", "retention"):
            said.take(act)
        yield from _editions(tx, said)
        yield from _classifyings(tx, said)
        yield from _classified(store, tx, said)
        yield from _unclassified(tx)
        yield from _assigned(tx, said)
        yield from _recorded(tx, said)
        yield from _answers(tx, said)
        yield from _superseded(tx, said)
        yield from _days(store, tx)


@dataclass(slots=True)
class _Said:
    """What was done, in the order in which it was."""

    editions: dict[bytes, dict[str, object]] = field(default_factory=dict)
    """What the row of each edition says, by its id."""
    names: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    """Which schedule an edition is of, and since when it binds."""
    jobs: dict[bytes, dict[str, object]] = field(default_factory=dict)
    running: bytes | None = None
    batches: dict[int, _Batch] = field(default_factory=dict)
    """Entries that classified records, or noted answers."""
    taken: Counter[int] = field(default_factory=Counter)
    """How many rows of each such entry later ones took over."""
    given: dict[int, Heard] = field(default_factory=dict)
    """Entries that put records into series, or let the rules count again."""
    recorded: dict[int, Heard] = field(default_factory=dict)
    """Entries that recorded events."""
    superseding: dict[bytes, list[Heard]] = field(default_factory=dict)
    """Entries that correct an event or take it back, by its id, in their order."""

    def take(self, act: Heard) -> None:
        match act.type, act.act:
            case "schedule", "adopted":
                self._adopted(act)
            case "schedule", "ended":
                edition = self.editions.get(bytes.fromhex(act.facts["schedule"]), {})
                edition |= {"ended_on": act.facts["on"], "ended_entry": act.entry}
            case "classification", "begun":
                self._ended(act)
                self.running = bytes.fromhex(act.facts["classification"])
                self.jobs[self.running] = {
                    "entry": act.entry,
                    "rules": bytes.fromhex(act.facts["rules"]),
                    "ended_entry": None,
                }
            case "classification", "ended":
                self._ended(act)
            case "classification", "classified" | "forgotten":
                if act.act == "classified":
                    self.batches[act.entry] = _Batch.of(act)
                self.taken.update({int(entry): n for entry, n in act.detail.get("from", {}).items()})
            case "retention", "assigned" | "unassigned":
                self.given[act.entry] = act
            case "retention", "recorded" | "extended":
                self.recorded[act.entry] = act
                if act.detail.get("corrects"):
                    self.superseding.setdefault(bytes.fromhex(act.detail["corrects"]), []).append(act)
            case "retention", "taken-back":
                self.superseding.setdefault(bytes.fromhex(act.facts["event"]), []).append(act)
            case _:
                pass

    def _adopted(self, act: Heard) -> None:
        identity, since = bytes.fromhex(act.facts["schedule"]), act.facts["since"]
        for one, (name, from_) in self.names.items():
            if name == act.detail["name"] and self.editions[one]["ended_on"] is None and since >= from_:
                self.editions[one] |= {"ended_on": since, "ended_entry": act.entry}
        self.names[identity] = act.detail["name"], since
        self.editions[identity] = {
            "entry": act.entry,
            "adopted_on": act.detail["from"],
            "digest": bytes.fromhex(act.facts["digest"]),
            "ended_on": None,
            "ended_entry": None,
        }

    def _ended(self, act: Heard) -> None:
        """The classification that ran ended: it came to its end, or other rules came into force."""
        if self.running is not None:
            self.jobs[self.running]["ended_entry"] = act.entry
        self.running = None


class _Batch(NamedTuple):
    """What an entry states that classified records: how many, which, by which rules, and the answers that it noted."""

    n: int
    root: str
    rules: str
    at: Any
    counted: bool
    """Whether it tells what it took over: so entries have done since answers are stated."""
    noted: str
    ended: str
    answers: int

    @classmethod
    def of(cls, act: Heard) -> _Batch:
        facts = act.facts
        nothing = root(()).hex()
        return cls(
            facts["n"],
            facts["root"],
            facts["rules"],
            act.at,
            "from" in act.detail,
            facts.get("noted", nothing),
            facts.get("ended", nothing),
            facts.get("answers", 0),
        )


# -- schedules ---------------------------------------------------------------------------------------------


def _editions(tx: Tx, said: _Said) -> Wrong:
    """1. Every edition is what was adopted, to the byte, and ended when it ended."""
    rows = tx.execute(select(schedules).order_by(schedules.c.key)).all()
    yield from compared(
        rows, said.editions, key=lambda row: bytes(row.id), where=whole, missing=lambda one: bytes(one).hex()
    )
    for row in rows:
        if sha256(bytes(row.content)).digest() != bytes(row.digest):
            yield ALTERED, "the bytes of an edition are not those that were adopted", whole(row)


def _classifyings(tx: Tx, said: _Said) -> Wrong:
    """2. Every classification of everything was begun and ended by its entries."""
    yield from compared(
        tx.execute(select(classifyings).order_by(classifyings.c.key)),
        said.jobs,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )


# -- classes -----------------------------------------------------------------------------------------------


def _classified(store: Store, tx: Tx, said: _Said) -> Wrong:
    """3. Each record is where an entry put it, by a rule of an edition that was in force then."""
    rules = _Rules.read(store, tx)
    places = (
        select(
            classified.c.entry,
            records.c.id,
            classified.c.series,
            classified.c.schedule,
            classified.c.priority,
        )
        .join(records, records.c.key == classified.c.record)
        .where(classified.c.entry.is_not(None))
        .order_by(classified.c.entry, records.c.id)
    )
    counted: dict[int, Rows] = {}
    odd: list[bytes] = []

    known: dict[tuple[Any, ...], bool] = {}

    def leaf(row: Any) -> bytes:
        entry, identity, *place = row
        asked = (entry, *place)
        if asked not in known:
            told = said.batches.get(entry)
            known[asked] = told is not None and rules.put(tuple(place), told)
        if not known[asked]:
            odd.append(bytes(identity))
        return bytes(identity) + (place[0] or "").encode()

    for entry, rows, _ in roots(tx, places, leaf):
        counted[entry] = rows
        yield from ((ALTERED, NOT_AS_DONE, identity.hex()) for identity in odd)
        odd.clear()
    complete = all(one.counted for one in said.batches.values())
    for entry, told in said.batches.items():
        held = counted.get(entry, _NONE)
        left = told.n - said.taken[entry]
        if (held.n != left if complete else held.n > told.n) or (
            held.n == told.n and held.root.hex() != told.root
        ):
            yield (MISSING if held.n < left else ALTERED), NOT_ALL, f"entry {entry}"
    nowhere = select(classified.c.record).where(
        classified.c.entry.is_(None),
        classified.c.series.is_not(None)
        | classified.c.schedule.is_not(None)
        | classified.c.priority.is_not(None),
    )
    for record in _ids(tx, nowhere):
        yield ALTERED, NOT_DONE, record


@dataclass(slots=True)
class _Rules:
    """Which series the rules of each edition name, and which editions bind on a day."""

    store: Store
    series: dict[int, dict[int, str]]
    """By the key of the edition and the priority of the rule."""
    bind: list[tuple[int, bytes, str, str | None]]
    digests: dict[date, tuple[str, frozenset[int]]] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Store, tx: Tx) -> _Rules:
        series: dict[int, dict[int, str]] = {}
        bind = []
        for row in tx.execute(select(schedules).order_by(schedules.c.key.desc())):
            try:
                schedule = adopted.read(bytes(row.content), "the adopted schedule")
            except BadSchedule:
                continue  # its bytes were altered, and the look at editions says so
            series[row.key] = {rule.priority: rule.series for rule in schedule.classify}
            since = max(str(schedule.effective or row.adopted_on), row.adopted_on)
            bind.append((row.key, bytes(row.digest), since, row.ended_on))
        return cls(store, series, bind)

    def put(self, place: tuple[Any, ...], told: _Batch) -> bool:
        """Whether the rules by which that entry classified can put a record there."""
        return self._put(place, civil(told.at, self.store.agency.zone()), told.rules)

    def _put(self, place: tuple[Any, ...], day: date, rules: str) -> bool:
        series, schedule, priority = place
        if series is None:
            return schedule is None and priority is None
        digest, binding = self._on(day)
        if digest == rules and schedule not in binding:
            return False  # where editions were altered the digest is another, and they are what is told
        return self.series.get(schedule, {}).get(priority) == str(series)

    def _on(self, day: date) -> tuple[str, frozenset[int]]:
        if day not in self.digests:
            there = [
                (key, digest)
                for key, digest, since, ended in self.bind
                if since <= str(day) and (ended is None or str(day) < ended)
            ]
            told = adopted.rules_digest([digest for _, digest in there])
            self.digests[day] = told.hex(), frozenset(key for key, _ in there)
        return self.digests[day]


def _unclassified(tx: Tx) -> Wrong:
    """4. Every record that the classification has come to has its row, and no row is of a record that is not there."""
    reached = tx.execute(select(followed.c.reached).where(followed.c.name == CAPTURED)).scalar() or 0
    missing = (
        select(records.c.id)
        .join(versions, (versions.c.record == records.c.key) & (versions.c.number == 1))
        .outerjoin(classified, classified.c.record == records.c.key)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(classified.c.record.is_(None), tombstones.c.record.is_(None), versions.c.entry < reached)
    )
    for identity in tx.execute(missing).scalars():
        yield MISSING, "a record that was classified has no row", bytes(identity).hex()
    lost = (
        select(classified.c.entry, classified.c.record)
        .outerjoin(records, records.c.key == classified.c.record)
        .where(records.c.key.is_(None))
    )
    for entry, _ in tx.execute(lost):
        yield ALTERED, "a class is of a record that is not there", f"entry {entry}"


# -- what officers assigned --------------------------------------------------------------------------------


def _assigned(tx: Tx, said: _Said) -> Wrong:
    """5. Officers gave these records this series, each until the next was given or the rules counted again."""
    asked = (
        select(assigned.c.entry, records.c.id, assigned.c.officer, assigned.c.series)
        .join(records, records.c.key == assigned.c.record)
        .order_by(assigned.c.entry, records.c.id)
    )
    odd: dict[int, None] = {}

    def leaf(row: Any) -> bytes:
        told = said.given.get(row.entry)
        if (
            told is None
            or told.act != "assigned"
            or bytes(row.officer) != told.by
            or (not told.untold and row.series != told.detail.get("series"))
        ):
            odd[row.entry] = None
        return bytes(row.id)

    given = {entry: rows for entry, rows, _ in roots(tx, asked, leaf)}
    ends = (
        select(assigned.c.ended_entry, records.c.id)
        .join(records, records.c.key == assigned.c.record)
        .where(assigned.c.ended_entry.is_not(None))
        .order_by(assigned.c.ended_entry, records.c.id)
    )
    ended = {entry: rows for entry, rows, _ in roots(tx, ends)}
    yield from ((ALTERED, NOT_AS_DONE, f"entry {entry}") for entry in odd)
    for entry, act in said.given.items():
        rows = (given if act.act == "assigned" else ended).get(entry, _NONE)
        yield from _stated(act, rows)
    yield from _one_after_the_other(tx, said)


def _one_after_the_other(tx: Tx, said: _Said) -> Wrong:
    """Of one record, each assignment ends with the next, or with an entry that let the rules count."""
    asked = (
        select(assigned.c.record, assigned.c.entry, assigned.c.ended_entry)
        .join(records, records.c.key == assigned.c.record)
        .order_by(assigned.c.record, assigned.c.entry)
    )
    before: Any = None
    for row in tx.execution_options(yield_per=10_000).execute(asked):
        if before is not None:
            follows = row.entry if row.record == before.record else None
            if not _ends_so(before, follows, said):
                yield ALTERED, NOT_AS_DONE, f"entry {before.entry}"
        before = row
    if before is not None and not _ends_so(before, None, said):
        yield ALTERED, NOT_AS_DONE, f"entry {before.entry}"


def _ends_so(row: Any, follows: int | None, said: _Said) -> bool:
    """Whether an assignment ends where it may: with the one that `follows`, or before it when the rules counted again."""
    ended = row.ended_entry
    if ended is None or ended == follows:
        return bool(ended == follows)
    act = said.given.get(ended)
    later = follows is None or ended < follows
    return act is not None and act.act == "unassigned" and row.entry < ended and later


def _stated(act: Heard, rows: Rows) -> Wrong:
    """The rows that name an entry are as many, and of the records, that it states."""
    if (act.facts["n"], act.facts["root"]) != (rows.n, rows.root.hex()):
        yield (MISSING if rows.n < act.facts["n"] else ALTERED), NOT_ALL, f"entry {act.entry}"


# -- events ------------------------------------------------------------------------------------------------


def _recorded(tx: Tx, said: _Said) -> Wrong:
    """6. Every event that somebody recorded says what its entry says, of exactly its records."""
    asked = (
        select(retention_events.c.entry, records.c.id.label("whose"), *_EVENT)
        .join(records, records.c.key == retention_events.c.record)
        .where(retention_events.c.evidence.is_(None))
        .order_by(retention_events.c.entry, records.c.id)
    )
    odd: dict[int, None] = {}

    def leaf(row: Any) -> bytes:
        told = said.recorded.get(row.entry)
        if told is None or (not told.untold and not _says(row, told)):
            odd[row.entry] = None
        return bytes(row.whose)

    held = {entry: rows for entry, rows, _ in roots(tx, asked, leaf)}
    yield from ((ALTERED, NOT_AS_DONE, f"entry {entry}") for entry in odd)
    for entry, act in said.recorded.items():
        yield from _stated(act, held.get(entry, _NONE))


_EVENT = (
    retention_events.c.id,
    retention_events.c.name,
    retention_events.c.about,
    retention_events.c.after_on,
    retention_events.c.by_on,
    retention_events.c.signed_by,
)


def _says(row: Any, told: Heard) -> bool:
    detail = told.detail
    signed = bytes(row.signed_by).hex() if row.signed_by is not None else None
    held = (bytes(row.id).hex(), row.name, row.about, row.after_on, row.by_on, signed)
    if told.act == EXTENDED:
        return held == (told.facts["event"], KEPT_UNTIL, "", None, detail["until"], None)
    last = detail["until"] or detail["on"]
    return held == (
        told.facts["event"],
        detail["name"],
        detail["about"],
        detail["on"],
        last,
        detail["signed_by"],
    )


def _answers(tx: Tx, said: _Said) -> Wrong:
    """7. Every answer that was noted is in the root of the entry that noted it, with the record that answers."""
    asked = (
        select(retention_events.c.entry, retention_events.c.record, retention_events.c.evidence, *_EVENT)
        .where(retention_events.c.evidence.is_not(None))
        .order_by(retention_events.c.entry, retention_events.c.id)
    )
    odd: dict[int, None] = {}

    def leaf(row: Any) -> bytes:
        nothing = (row.name, row.about, row.after_on, row.signed_by) == (ANSWERED, "", None, None)
        if row.entry not in said.batches or not nothing or row.by_on is None or row.record < 0:
            odd[row.entry] = None
            return b""
        return Noted(bytes(row.id), row.record, bytes(row.evidence), row.by_on).leaf

    noted = {entry: rows for entry, rows, _ in roots(tx, asked, leaf)}
    ends = (
        select(retention_events.c.superseded_entry, retention_events.c.id)
        .where(retention_events.c.evidence.is_not(None), retention_events.c.superseded_entry.is_not(None))
        .order_by(retention_events.c.superseded_entry, retention_events.c.id)
    )
    ended = {entry: rows for entry, rows, _ in roots(tx, ends)}
    yield from ((ALTERED, NOT_AS_DONE, f"entry {entry}") for entry in odd)
    for entry, told in said.batches.items():
        new, gone = noted.pop(entry, _NONE), ended.pop(entry, _NONE)
        if not told.counted:
            if new.n + gone.n != told.answers:  # entries that state only their number
                yield ALTERED, NOT_ALL, f"entry {entry}"
        elif (told.noted, told.ended, told.answers) != (new.root.hex(), gone.root.hex(), new.n + gone.n):
            yield ALTERED, NOT_ALL, f"entry {entry}"
    yield from ((ALTERED, NOT_DONE, f"entry {entry}") for entry in ended)


def _superseded(tx: Tx, said: _Said) -> Wrong:
    """8. An event that somebody recorded counts until the first entry that corrects it, or takes it back."""
    corrected = [act for acts in said.superseding.values() for act in acts if act.act != "taken-back"]
    of_entry = {act.entry: _records_of(tx, act.entry) for act in corrected}
    asked = select(
        retention_events.c.entry,
        retention_events.c.id,
        retention_events.c.record,
        retention_events.c.superseded_entry,
    ).where(retention_events.c.evidence.is_(None))
    for row in tx.execution_options(yield_per=10_000).execute(asked):
        acts = said.superseding.get(bytes(row.id), ())
        ends = next(
            (act.entry for act in acts if act.act == "taken-back" or row.record in of_entry[act.entry]), None
        )
        if row.superseded_entry != ends:
            yield ALTERED, NOT_AS_DONE, f"entry {row.entry}"


def _records_of(tx: Tx, entry: int) -> frozenset[int]:
    asked = select(retention_events.c.record).where(retention_events.c.entry == entry)
    return frozenset(tx.execute(asked).scalars())


# -- days --------------------------------------------------------------------------------------------------


def _days(store: Store, tx: Tx) -> Wrong:
    """9. A day that was seen is the civil day of the moment at which it was."""
    zone = store.agency.zone()
    for day, at in tx.execute(select(days_seen.c.day, days_seen.c.at)):
        if day != civil(from_instant(at), zone).isoformat():
            yield ALTERED, "a day that was seen is not that of its moment", str(day)


def _ids(tx: Tx, keys: Any) -> Iterator[str]:
    asked = select(records.c.id).where(records.c.key.in_(keys))
    for identity in tx.execute(asked).scalars():
        yield bytes(identity).hex()

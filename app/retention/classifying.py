"""Puts records into series and keeps it so: a follower of the ledger, and a classification of everything by new rules.

What is captured is classified as it comes. The follower remembers the last
entry that it has seen together with what it wrote, so that a crash at any
moment loses nothing and does nothing twice. When other rules come into force,
every record is classified anew in parts, each with one entry; broken off, it
goes on behind the last part. Who decided is always an edition in force: where
that changes on the way, it begins again.

What an officer assigned outranks all this and is not touched by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, update

from app.db import Tx, key_of
from app.db.database import lock_ledger
from app.db.rows import insert_rows, update_rows
from app.index.documents import Document
from app.index.engine import Engine
from app.index.source import LedgerSource
from app.records.ids import new_id
from app.retention import adopted, days, describing, known
from app.retention.adopted import Adopted
from app.retention.calendar import civil
from app.retention.classify import Classification, Classified, classify
from app.retention.describing import Below, Marks, Publishers
from app.retention.editions import InForce
from app.retention.known import ANSWERED, CAPTURED
from app.retention.sets import RuleSets, asked_of
from app.store import quarantine
from app.store.disposals import root
from app.store.store import Store
from app.store.tables import (
    classified,
    classifyings,
    followed,
    records,
    retention_events,
    to_classify,
    tombstones,
    versions,
)

WHY = "what was captured is classified by the rules in force"
WHY_ALL = "other rules are in force"
WHY_GONE = "what was disposed of is in no series any more"
PART = 5_000
_READ = 1_000
_ASK = 500
Point = Callable[[str], None]
Place: TypeAlias = tuple[str | None, int | None, int | None]
"""Series, edition and priority, as a row keeps them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force on a day, and what tells them from others."""

    editions: InForce
    digest: bytes
    keys: Mapping[int, int]
    """The row of each edition, by the place of its schedule's rules: by priority."""

    def row_of(self, found: Classification) -> Place:
        """Where a classification puts a record."""
        if not isinstance(found, Classified):
            return None, None, None
        return found.assignment.series, self.keys[found.rule.priority], found.rule.priority


def rules_in_force(store: Store, tx: Tx) -> Rules:
    """The rules by which is classified now."""
    today = civil(store.clock.now(), store.agency.zone())
    return rules_of(adopted.binding(store, tx, today), today)


def rules_of(told: Sequence[Adopted], on: date) -> Rules:
    """The rules of these editions."""
    found = InForce(on, tuple(one.edition for one in told))
    keys = {rule.priority: one.key for one in told for rule in one.edition.schedule.classify}
    return Rules(found, adopted.rules_digest([one.digest for one in told]), keys)


@dataclass(slots=True)
class Done:
    """What a classification did: records that were looked at, and how many went from which series to which.

    What is in quarantine is classified like everything else, and not counted.
    """

    looked: int = 0
    moves: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        return sum(self.moves.values())


@dataclass(frozen=True, slots=True)
class Before:
    """The row of a record as it was."""

    series: str | None
    schedule: int | None
    priority: int | None
    entry: int | None
    marks: Marks


# -- what is captured --------------------------------------------------------------------------------------


def follow(store: Store, *, point: Point = lambda _name: None) -> int:
    """Classify what was captured since the last time, and what is on the list; return how many records were looked at."""
    source = LedgerSource(store)
    with store.database.read() as tx:
        nothing = _reached(tx) >= store.ledger.size(tx) and tx.execute(_waiting().limit(1)).first() is None
        if nothing and days.noted(store, tx):
            return 0
    looked = 0
    while part := _round(store, source, point):
        looked += part
    return looked


def _round(store: Store, source: LedgerSource, point: Point) -> int:
    """Classify what is there now, by what is known now of who publishes as whom; 0 where nothing was left."""
    with store.database.begin() as tx:
        days.note(store, tx)
        told = describing.publishers(store, tx)
        describing.learn(store, tx, told)
    looked = 0
    while (part := _next(store, source, told)) is not None:
        looked += part
        point("followed")
    while part := _from_the_list(store, source, told):
        looked += part
        point("listed")
    return looked


def _next(store: Store, source: LedgerSource, told: Publishers) -> int | None:
    """Classify the next records that the ledger speaks of; None where nothing is left."""
    with store.database.read() as tx:
        size, seen = store.ledger.size(tx), _reached(tx)
    if seen >= size:
        return None
    changes = source.read(seen - 1, _READ)
    upto = changes[-1].upto + 1 if changes else size
    documents = {one.record: one.documents for one in changes if one.documents}
    with store.database.begin() as tx:
        lock_ledger(tx)
        if _reached(tx) != seen:
            return 0  # another process did it meanwhile
        _take_in(store, tx, documents, told)
        _reach(tx, upto)
    return len(documents)


def _from_the_list(store: Store, source: LedgerSource, told: Publishers) -> int:
    with store.database.read() as tx:
        keys = list(tx.execute(_waiting().order_by(to_classify.c.record).limit(_READ)).scalars())
    if not keys:
        return 0
    documents = {one[0].record: one for one in source.of(keys)}
    with store.database.begin() as tx:
        lock_ledger(tx)
        _take_in(store, tx, documents, told)
        for start in range(0, len(keys), _ASK):
            tx.execute(delete(to_classify).where(to_classify.c.record.in_(keys[start : start + _ASK])))
    return len(keys)


def _waiting() -> Select[Any]:
    return select(to_classify.c.record)


def _reached(tx: Tx) -> int:
    return int(tx.execute(select(followed.c.reached).where(followed.c.name == CAPTURED)).scalar() or 0)


def _reach(tx: Tx, upto: int) -> None:
    if tx.execute(update(followed).where(followed.c.name == CAPTURED).values(reached=upto)).rowcount == 0:
        tx.execute(insert(followed).values(name=CAPTURED, reached=upto))


def _take_in(store: Store, tx: Tx, documents: Mapping[int, Sequence[Document]], told: Publishers) -> None:
    """Classify these records, and note which records they answer."""
    rows = _rows(tx, list(documents))
    before = _before(tx, list(rows))
    marks = {key: told.marks(row.page, documents[key]) for key, row in rows.items()}
    _mark(tx, marks, before)
    answers = _answers(tx, rows, marks, before)
    rules, beside = rules_in_force(store, tx), describing.below(tx, list(rows))
    beside = Below(beside.answered | answers.answered, beside.untold, beside.duplicates)
    found = {}
    for key, row in rows.items():
        known_ = bool(told.own.get(row.page))
        seen = describing.described(store, key, documents[key], marks[key], beside, known=known_)
        found[key] = rules.row_of(classify(seen, rules.editions, thorough=False))
    noted = _to_note(store, rows, answers)
    facts = _of_answers(noted, answers) if noted or answers.gone else {}
    entry = _write(store, tx, rows, before, found, rules, answers=facts, why=WHY)
    _note_answers(tx, rows, answers, noted, entry)


@dataclass(frozen=True, slots=True)
class _Row:
    key: int
    id: bytes
    page: int
    published_at: int | None
    first_seen: int


def _rows(tx: Tx, keys: Sequence[int]) -> dict[int, _Row]:
    """Those of these records that were not disposed of."""
    found: dict[int, _Row] = {}
    for part in _parts(keys):
        asked = (
            select(records.c.key, records.c.id, records.c.page, records.c.published_at, records.c.first_seen)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(records.c.key.in_(part), tombstones.c.record.is_(None))
            .order_by(records.c.key)
        )
        for key, identity, page, published, seen in tx.execute(asked):
            found[key] = _Row(key, bytes(identity), page, published, seen)
    return found


def _before(tx: Tx, keys: Sequence[int]) -> dict[int, Before]:
    found = {}
    for part in _parts(keys):
        for row in tx.execute(select(classified).where(classified.c.record.in_(part))):
            marks = Marks(row.incoming, bool(row.authored), bool(row.spoken))
            found[row.record] = Before(row.series, row.schedule, row.priority, row.entry, marks)
    return found


def _mark(tx: Tx, marks: Mapping[int, Marks], before: Mapping[int, Before]) -> None:
    """Keep what is told of records beside their series; a record that is new gets its row."""
    new = [(key, one.incoming, one.authored, one.spoken) for key, one in marks.items() if key not in before]
    insert_rows(tx, classified, ("record", "incoming", "authored", "spoken"), new)
    changed = [(one.incoming, one.authored, one.spoken, key) for key, one in marks.items() if key in before and before[key].marks != one]  # fmt: skip
    update_rows(tx, classified, ("incoming", "authored", "spoken"), "record", changed)


def _write(
    store: Store,
    tx: Tx,
    rows: Mapping[int, _Row],
    before: Mapping[int, Before],
    found: Mapping[int, Place],
    rules: Rules,
    *,
    answers: Mapping[str, int | str] = MappingProxyType({}),
    why: str,
) -> int | None:
    """Keep the series of those records whose series is another now, with one entry; None where nothing is new.

    The entry tells how many rows it took over from which entries before it, so
    that the rows of each can be counted for ever.
    """
    changed = {
        key: place
        for key, place in found.items()
        if place
        != ((was.series, was.schedule, was.priority) if (was := before.get(key)) else (None, None, None))
    }
    if not changed and not answers:
        return None
    series = Counter(place[0] or "" for place in changed.values())
    taken = Counter(
        str(was.entry) for key in changed if (was := before.get(key)) is not None and was.entry is not None
    )
    entry = store.ledger.act(
        tx,
        "classification",
        by=None,
        why=why,
        facts={
            "act": "classified",
            "n": len(changed),
            "answers": 0,
            **answers,
            "rules": rules.digest.hex(),
            "root": root(rows[key].id + (place[0] or "").encode() for key, place in changed.items()).hex(),
        },
        detail={"series": dict(sorted(series.items())), "from": dict(sorted(taken.items()))},
    )
    values = [(*place, entry, key) for key, place in changed.items()]
    update_rows(tx, classified, ("series", "schedule", "priority", "entry"), "record", values)
    return entry


# -- answers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers of the agency that are new, as record and what it answers, and those that turned out to be none."""

    new: tuple[tuple[int, int], ...]
    gone: tuple[tuple[int, bytes], ...]
    """Keys and ids of events."""
    touched: frozenset[int]
    """Records of which something about their answers changed."""

    @property
    def answered(self) -> frozenset[int]:
        return frozenset(parent for _, parent in self.new)


def _answers(
    tx: Tx, rows: Mapping[int, _Row], marks: Mapping[int, Marks], before: Mapping[int, Before]
) -> _Answers:
    above = describing.parents(tx, list(rows))
    noted: dict[tuple[int, bytes], tuple[int, bytes]] = {}
    for part in _parts(sorted(set(above.values()))):
        asked = select(
            retention_events.c.key,
            retention_events.c.id,
            retention_events.c.record,
            retention_events.c.evidence,
        ).where(
            retention_events.c.record.in_(part),
            retention_events.c.name == ANSWERED,
            retention_events.c.evidence.is_not(None),
            retention_events.c.superseded_entry.is_(None),
        )
        for key, identity, record, evidence in tx.execute(asked):
            noted[record, bytes(evidence)] = key, bytes(identity)
    new: list[tuple[int, int]] = []
    gone: list[tuple[int, bytes]] = []
    touched: set[int] = set()
    for key, parent in above.items():
        there = noted.get((parent, rows[key].id))
        theirs = marks[key].incoming is False
        if theirs and there is None:
            new.append((key, parent))
        elif not theirs and there is not None:
            gone.append(there)
        if key not in before or before[key].marks.incoming is not marks[key].incoming:
            touched.add(parent)
    touched.update(parent for _, parent in new)
    return _Answers(tuple(new), tuple(gone), frozenset(touched))


@dataclass(frozen=True, slots=True)
class Noted:
    """An answer as it is noted: the event's id, the record that it is of, the one that answers, and the day."""

    id: bytes
    record: int
    evidence: bytes
    by_on: str

    @property
    def leaf(self) -> bytes:
        """What the entry's root is made of."""
        return self.id + self.evidence + self.record.to_bytes(8, "big") + self.by_on.encode()


def _to_note(store: Store, rows: Mapping[int, _Row], answers: _Answers) -> list[Noted]:
    day = known.days(store.agency.zone())
    told = []
    for key, parent in answers.new:
        row = rows[key]
        when = row.first_seen if row.published_at is None else row.published_at
        told.append(Noted(new_id().bytes, parent, row.id, day(when).isoformat()))
    return told


def _of_answers(noted: Sequence[Noted], answers: _Answers) -> dict[str, int | str]:
    """What the entry states of answers: how many, those that are noted, and those that turned out to be none."""
    return {
        "answers": len(noted) + len(answers.gone),
        "noted": root(one.leaf for one in noted).hex(),
        "ended": root(identity for _, identity in answers.gone).hex(),
    }


def _note_answers(
    tx: Tx, rows: Mapping[int, _Row], answers: _Answers, noted: Sequence[Noted], entry: int | None
) -> None:
    """Note answers as events with the answering record as their evidence; have what they answer classified anew."""
    for one in noted:
        tx.execute(
            insert(retention_events).values(
                id=one.id,
                record=one.record,
                entry=entry,
                name=ANSWERED,
                by_on=one.by_on,
                evidence=one.evidence,
            )
        )
    for key, _ in answers.gone:
        tx.execute(
            update(retention_events).where(retention_events.c.key == key).values(superseded_entry=entry)
        )
    describing.queue(tx, answers.touched - rows.keys())


# -- everything, by other rules ----------------------------------------------------------------------------


def due(store: Store, tx: Tx) -> bool:
    """Whether other rules are in force than those by which everything was last classified."""
    last = tx.execute(select(classifyings).order_by(classifyings.c.key.desc()).limit(1)).one_or_none()
    rules = rules_in_force(store, tx)
    if last is None:
        return bool(rules.editions.editions)
    return last.ended_entry is None or bytes(last.rules) != rules.digest


def classify_all(
    store: Store,
    engine: Engine,
    *,
    by: UUID | None = None,
    why: str = WHY_ALL,
    part: int = PART,
    point: Point = lambda _name: None,
) -> Done:
    """Classify everything by the rules in force, where that is due; broken off, it goes on where it stopped.

    What the follower has not looked at yet is left to it.
    """
    done = Done()
    forget_disposed(store)
    while (job := _begun(store, by=by, why=why)) is not None:
        point("begun")
        with store.database.read() as tx:
            sets = asked_for(store, tx, engine, job.rules.editions)
        reached: int | None = job.reached
        while reached is not None:
            reached = _go_on(store, job, sets, reached, part, done, by=by, why=why)
            point("part")
    return done


def forget_disposed(store: Store) -> int:
    """Keep nothing beside the tombstones of what was disposed of; return how many rows went.

    An entry tells how many of each entry before it they were.
    """
    gone = classified.c.record.in_(select(tombstones.c.record))
    with store.database.read() as tx:
        if tx.execute(select(classified.c.record).where(gone).limit(1)).first() is None:
            return 0
    with store.database.begin() as tx:
        lock_ledger(tx)
        counted = (
            select(classified.c.entry, func.count())
            .where(gone, classified.c.entry.is_not(None))
            .group_by(classified.c.entry)
        )
        taken = {str(entry): int(number) for entry, number in tx.execute(counted)}
        if taken:
            store.ledger.act(
                tx,
                "classification",
                by=None,
                why=WHY_GONE,
                facts={"act": "forgotten", "n": sum(taken.values())},
                detail={"from": dict(sorted(taken.items()))},
            )
        return tx.execute(delete(classified).where(gone)).rowcount


@dataclass(frozen=True, slots=True)
class _Job:
    key: int
    id: UUID
    reached: int
    rules: Rules


def _begun(store: Store, *, by: UUID | None, why: str) -> _Job | None:
    """The classification that is under way, or one that begins now; None where none is due."""
    with store.database.begin() as tx:
        lock_ledger(tx)
        if not due(store, tx):
            return None
        rules = rules_in_force(store, tx)
        last = tx.execute(select(classifyings).order_by(classifyings.c.key.desc()).limit(1)).one_or_none()
        if last is not None and last.ended_entry is None and bytes(last.rules) == rules.digest:
            return _Job(last.key, UUID(bytes=bytes(last.id)), last.reached, rules)
        identity = new_id()
        facts = {"classification": identity.hex, "act": "begun", "rules": rules.digest.hex()}
        entry = store.ledger.act(tx, "classification", by=by, why=why, facts=facts, subject=identity)
        if last is not None and last.ended_entry is None:  # by rules that are in force no more
            tx.execute(update(classifyings).where(classifyings.c.key == last.key).values(ended_entry=entry))
        made = insert(classifyings).values(id=identity.bytes, entry=entry, rules=rules.digest)
        return _Job(key_of(tx.execute(made)), identity, 0, rules)


def _go_on(
    store: Store,
    job: _Job,
    sets: RuleSets,
    reached: int,
    part: int,
    done: Done,
    *,
    by: UUID | None,
    why: str,
) -> int | None:
    """Classify the next part; return how far it came, or None at the end, or where other rules are in force now."""
    with store.database.read() as tx:
        told = known.read(tx, known.living(), after=reached, limit=part)
        places = placed(store, tx, job.rules, sets, told)
    with store.database.begin() as tx:
        lock_ledger(tx)
        row = tx.execute(select(classifyings).where(classifyings.c.key == job.key)).one()
        if row.ended_entry is not None or rules_in_force(store, tx).digest != job.rules.digest:
            return None
        if row.reached != reached:
            return int(row.reached)  # another process did it meanwhile
        mine = classifyings.c.key == job.key
        if not told:
            facts = {"classification": job.id.hex, "act": "ended", "rules": job.rules.digest.hex()}
            entry = store.ledger.act(tx, "classification", by=by, why=why, facts=facts, subject=job.id)
            tx.execute(update(classifyings).where(mine).values(ended_entry=entry))
            return None
        now = _rows(tx, list(places))
        before = _before(tx, list(now))
        # What was captured since these were read is the follower's, which knows the same rules.
        late = _changed_since(tx, list(now), sets.size)
        found = {key: places[key] for key in now if key not in late}
        unseen = quarantine.hidden(tx)
        _write(store, tx, now, before, found, job.rules, why=why)
        tx.execute(update(classifyings).where(mine).values(reached=told[-1].key))
    done.looked += len(found.keys() - unseen)
    for key, place in found.items():
        if key not in unseen and before[key].series != place[0]:
            done.moves[before[key].series, place[0]] += 1
    return told[-1].key


def asked_for(store: Store, tx: Tx, engine: Engine, editions: InForce) -> RuleSets:
    """The sets of all rules of these editions, and which records the index has not come to."""
    sets = RuleSets.ask(engine, asked_of(editions), store.agency.zone())
    newer = select(versions.c.record).where(versions.c.entry > sets.seen).distinct()
    sets.late, sets.size = frozenset(tx.execute(newer).scalars()), store.ledger.size(tx)
    return sets


def placed(
    store: Store, tx: Tx, rules: Rules, sets: RuleSets, told: Sequence[known.Row]
) -> Mapping[int, Place]:
    """Where rules put these records; those that the follower has not looked at yet are left out."""
    rows = [row for row in told if row.authored is not None]
    asks = sets.asked
    below = asks.answers or asks.duplicates
    beside = describing.below(tx, [row.key for row in rows]) if below else Below.nothing()
    own = describing.publishers(store, tx) if asks.answers else None
    places: dict[int, Place] = {}
    alone: dict[int, known.Row] = {}
    for row in rows:
        if sets.cannot_tell(row):
            alone[row.key] = row
            continue
        answered = beside.answer(row.key, known=bool(own.own.get(row.page))) if own is not None else None
        places[row.key] = sets.place(
            row.key, row.incoming, answered, duplicate=row.key in beside.duplicates, place_of=rules.row_of
        )
    if alone:
        own = own or describing.publishers(store, tx)
        if not below:
            beside = describing.below(tx, list(alone))
        for documents in LedgerSource(store).of(sorted(alone)):
            row = alone[documents[0].record]
            marks = Marks(row.incoming, bool(row.authored), bool(row.spoken))
            known_ = bool(own.own.get(row.page))
            seen = describing.described(store, row.key, documents, marks, beside, known=known_)
            places[row.key] = rules.row_of(classify(seen, rules.editions, thorough=False))
    return places


def _changed_since(tx: Tx, keys: Sequence[int], size: int) -> set[int]:
    found: set[int] = set()
    for part in _parts(keys):
        asked = select(versions.c.record).where(versions.c.record.in_(part), versions.c.entry >= size)
        found |= set(tx.execute(asked).scalars())
        waiting = select(to_classify.c.record).where(to_classify.c.record.in_(part))
        found |= set(tx.execute(waiting).scalars())
    return found


def _parts(keys: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), _ASK):
        yield list(keys[start : start + _ASK])

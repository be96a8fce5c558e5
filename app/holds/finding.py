"""Finding what a scope covers, with the index as far as it has come, and on sealed content where it cannot say.

The index answers in two values, a scope is decided in three. So it is asked
twice: what meets the question, and what might, if every day that is not known
and every text that could not be searched were met. The first are covered; of
the second, those that are not among the first are opened and judged. What the
index has not reached is judged too, or counted as covered unread where it is
much: the record is protected all the same, since whoever destroys looks at its
content again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text

from app.db import Tx
from app.holds.scopes import Judge, Met, Scope, lacks_words, possible, read_all
from app.holds.searching import whole
from app.index import asof
from app.index.documents import Document
from app.index.engine import Engine, QueryNotSupported, Sort
from app.index.keys import Keys
from app.index.source import LedgerSource
from app.records.errors import Invalid, Unavailable
from app.records.nouns import Officer
from app.store import quarantine
from app.store.store import Store
from app.store.tables import hold_records, records, tombstones, versions

_ASK = 500
_READ_NOW = 20_000
"""So many records that the index has not reached are read while a hold is placed; more are covered unread."""
UNDATED, UNSEARCHABLE, UNOPENED, NOT_REACHED = "undated", "unsearchable", "unopened", "not_reached"


class UnknownRecords(Invalid):
    """A record that the scope names is not held."""

    code = "hold-names-unknown-record"


@dataclass(frozen=True, slots=True)
class Found:
    """What a scope covers as of `size` entries: what met it, what could not be decided and why, what was named."""

    size: int
    matched: Keys = field(default_factory=Keys)
    undecided: Mapping[int, str] = field(default_factory=dict)
    named: Keys = field(default_factory=Keys)

    def keys(self) -> Keys:
        return self.matched | Keys.of(self.undecided) | self.named

    def reasons(self) -> dict[str, int]:
        """Of how many it could not be decided, by the reason."""
        counted = dict.fromkeys((UNDATED, UNSEARCHABLE, UNOPENED, NOT_REACHED), 0)
        for why in self.undecided.values():
            counted[why] += 1
        return counted


def find(store: Store, engine: Engine, scope: Scope, *, by: Officer | None = None) -> Found:
    """What the scope covers in the archive as it stands; the question is refused, if at all, before anything is read.

    What is in quarantine is covered as everything else, and counted for
    nobody. Named by its id it is there for the two who have access alone:
    `by` is who names it, None for the archive's own work.
    """
    tree = scope.asked()
    with store.database.read() as tx:
        named = named_keys(tx, scope.records, hidden=quarantine.hidden(tx, by.id) if by else ())
        size = store.ledger.size(tx)
    if tree is None:
        return Found(size, named=named)
    judge = Judge(tree, store.agency.zone())
    source = LedgerSource(store)
    reached, matched, doubtful = _asked(engine, judge)
    gone = source.disposed()
    matched -= gone
    told = {key: why for key, why in _judged(source, judge, doubtful - gone) if why is not None}
    with store.database.read() as tx:
        late = [int(key) for key in tx.execute(captured_since(reached)).scalars()]
        size = store.ledger.size(tx)
    if len(late) > _READ_NOW:
        told |= dict.fromkeys(late, NOT_REACHED)
        size = reached
    else:
        matched, told = _again(source, judge, late, matched, told)
    met = Keys.of(key for key, why in told.items() if not why)
    return Found(size, matched | met, {key: why for key, why in told.items() if why}, named)


def thought_of(store: Store, engine: Engine, query: str, *, messages: bool) -> Keys:
    """What a hold by this query would cover if it were placed now: what it cannot decide, too.

    A hold covers private messages; they are told only where `messages` may be
    read, or the number would tell what stands in them. Refuses what no scope
    may name.
    """
    found = find(store, engine, Scope(query=query)).keys()
    with store.database.read() as tx:
        return found - uncounted(tx, messages=messages)


def _asked(engine: Engine, judge: Judge) -> tuple[int, Keys, Keys]:
    """How far the index has come, what meets the question there, and what else might. Nothing where it cannot answer."""
    try:
        reached = asof.size_of(engine)
        if not reached:
            return 0, Keys(), Keys()
        engine = whole(engine)
        matched = Keys.of(engine.ask(judge.tree, judge.asking).every(Sort.NEWEST))
        wide = possible(judge.tree)
        if wide == judge.tree:
            return reached, matched, Keys()
        return reached, matched, Keys.of(engine.ask(wide, judge.asking).every(Sort.NEWEST)) - matched
    except (QueryNotSupported, Unavailable):
        return 0, Keys(), Keys()


def _judged(source: LedgerSource, judge: Judge, keys: Iterable[int]) -> Iterable[tuple[int, str | None]]:
    """Each of these records with why it is covered: nothing where it met the scope, None where it is not."""
    for documents in source.of(keys):
        yield documents[0].record, verdict(judge, documents)


def verdict(judge: Judge, documents: Sequence[Document]) -> str | None:
    """Why a record is covered: an empty word where it meets the scope, a reason where that is undecided, None where not."""
    read = read_all(documents)
    match judge.of(read):
        case Met.NO:
            return None
        case Met.YES:
            return ""
        case Met.UNDECIDED:
            return UNSEARCHABLE if judge.reads_text and any(map(lacks_words, read)) else UNDATED


def _again(
    source: LedgerSource, judge: Judge, late: Sequence[int], matched: Keys, told: dict[int, str]
) -> tuple[Keys, dict[int, str]]:
    """The same with what the index has not reached, read now. A record that changed was covered by what it was, too."""
    seen = dict(_judged(source, judge, late))
    for key in late:
        why = seen.get(key, UNOPENED)
        if why is None or key in matched:
            continue
        told[key] = "" if told.get(key) == "" else why
    return matched, told


def captured_since(size: int) -> Select[Any]:
    """The living records that entries from `size` on speak of."""
    return (
        select(versions.c.record)
        .outerjoin(tombstones, tombstones.c.record == versions.c.record)
        .where(versions.c.entry >= size, tombstones.c.record.is_(None))
        .distinct()
    )


def named_keys(tx: Tx, named: Sequence[UUID], *, hidden: Collection[int] = ()) -> Keys:
    """The keys of records that are named one by one, or `UnknownRecords`; what was disposed of cannot be held.

    Those whose keys are `hidden` are not there for whoever names them.
    """
    found: dict[UUID, int] = {}
    for start in range(0, len(named), _ASK):
        part = [one.bytes for one in named[start : start + _ASK]]
        asked = (
            select(records.c.id, records.c.key)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(records.c.id.in_(part), tombstones.c.record.is_(None))
        )
        found |= {
            UUID(bytes=bytes(identity)): key for identity, key in tx.execute(asked) if key not in hidden
        }
    missing = [one for one in dict.fromkeys(named) if one not in found]
    if missing:
        raise UnknownRecords(
            f"{len(missing)} of the records that are named are not held, {missing[0]} among them",
            next="Leave them out; what was disposed of is told when the hold is placed.",
        )
    return Keys.of(found.values())


# -- rows --------------------------------------------------------------------------------------------------


def cover(tx: Tx, hold: int, keys: Iterable[int], basis: str) -> None:
    """Write down that a hold covers these records; what is written already stays as it is."""
    wanted = list(keys)
    for start in range(0, len(wanted), _PART):
        part = wanted[start : start + _PART]
        if tx.dialect.name == "sqlite":
            tx.exec_driver_sql(
                "INSERT OR IGNORE INTO hold_records (hold, record, basis) VALUES (?, ?, ?)",
                [(hold, key, basis) for key in part],
            )
        else:
            tx.execute(
                text(
                    "INSERT INTO hold_records (hold, record, basis) "
                    "SELECT :hold, unnest(CAST(:keys AS bigint[])), :basis ON CONFLICT DO NOTHING"
                ),
                {"hold": hold, "keys": part, "basis": basis},
            )


_PART = 50_000


def covered(tx: Tx, hold: int, *, messages: bool) -> dict[str, int]:
    """How many records a hold covers, by basis: private messages only where they may be read, quarantine never."""
    asked = (
        select(hold_records.c.basis, func.count())
        .join(records, records.c.key == hold_records.c.record)
        .where(hold_records.c.hold == hold, quarantine.outside(records.c.key))
        .group_by(hold_records.c.basis)
    )
    if not messages:
        asked = asked.where(records.c.private.is_(False))
    return {basis: int(number) for basis, number in tx.execute(asked)}


def uncounted(tx: Tx, *, messages: bool) -> Keys:
    """The records that holds cover and no number tells: what is in quarantine, private messages unless they may be read."""
    unseen = Keys.of(quarantine.hidden(tx))
    if messages:
        return unseen
    return unseen | Keys.of(tx.execute(select(records.c.key).where(records.c.private)).scalars())

"""As of an earlier size of the ledger: which records were hits then, by what was captured by then.

The index holds every version with the number of its entry, and answers for
all of them. What it finds among records that have not changed since stood so
then; records that are new since are left out; those that have changed since
are opened and read again without what came later. So no engine needs to know
of the past, and the answer is exact whichever it is.

Disposal cannot be undone here: a record that was disposed of since is not
found, and `disposed_since` says how many there were. Facts that have no
versions are read as they stand today: the name of the page, when the record
was published, whether it is private.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import func, select

from app.capture import records
from app.db import Tx
from app.index import judging
from app.index.documents import Document
from app.index.engine import Index, Scope, Sort
from app.index.judging import Read
from app.index.keys import Keys
from app.index.standing import must_have_history
from app.index.tree import (
    Among,
    DateRange,
    Exactly,
    Field,
    Not,
    Tree,
    both,
    either,
    everything_in,
    with_dates_met,
    with_dates_unmet,
)
from app.records.errors import Unavailable
from app.records.nouns import Record
from app.store.disposals import DESTROYED, VERIFIED
from app.store.store import Store
from app.store.tables import disposal_records, versions

_FACT = Field("as-of", "then")


class IndexBehind(Unavailable):
    """The index has not reached the size of the ledger that is asked for."""

    code = "index-behind"


class History(Protocol):
    """What is asked of the store: versions by record, and what has changed since."""

    def of(self, keys: Iterable[int]) -> Iterator[Sequence[Document]]:
        """All versions of each of these records, in their order."""
        ...

    def changed(self, size: int) -> tuple[Keys, Keys]:
        """Of which records entries from `size` on speak: those that were captured before, and those that are new since."""
        ...

    def disposed(self) -> Keys:
        """The records that were disposed of."""
        ...


def size_of(engine: Index) -> int:
    """How many entries of the ledger the index has seen."""
    position = engine.position()
    return 0 if position is None else position.entry + 1


def hits(history: History, engine: Index, tree: Tree, scope: Scope, size: int) -> Keys:
    """The records that were hits when the ledger had `size` entries, as far as they are still there.

    Raises `IndexBehind` where the index has not come so far, and
    `QueryNotSupported` as the engine does.
    """
    stood = _stood(history, engine, tree, scope, size)
    return stood.alike | Keys.of(record for record, _ in stood.versions)


def question(history: History, engine: Index, tree: Tree, scope: Scope, size: int) -> Tree:
    """A question of now that finds what `tree` found when the ledger had `size` entries, each by the version that was found then.

    Its answer counts, sorts and goes on as every answer does.
    """
    stood = _stood(history, engine, tree, scope, size)
    return either(both(tree, Among(_FACT, stood.alike)), Exactly(stood.versions))


def going_on(history: History, engine: Index, tree: Tree, scope: Scope, size: int) -> Tree:
    """What goes on with a list that was begun at `size` entries: each of its records by the version that was found then.

    Whether a record is tagged, held or of a series is read as it is now. Only
    what has changed since is opened, however many hits there are.
    """
    changed, new = history.changed(size)
    judging.must_be_known(tree)
    asked = judging.whichever_is_current(tree) if judging.asks_for_current(tree) else tree
    candidates = Keys.of(engine.ask(both(asked, Among(_FACT, changed)), scope).every(Sort.NEWEST))
    opened = (
        judging.newest_hit(tree, [Read(one) for one in told], scope, before=size)
        for told in history.of(candidates)
    )
    then = frozenset((one.record, one.version) for one in opened if one is not None)
    unmoved = both(tree, Not(Among(_FACT, changed | new)))
    return either(unmoved, Exactly(then)) if then else unmoved


@dataclass(frozen=True, slots=True)
class _Stood:
    """Hits of then: records that stand as they stood, and versions of those that have changed since."""

    alike: Keys
    versions: frozenset[tuple[int, int]]


def _stood(history: History, engine: Index, tree: Tree, scope: Scope, size: int) -> _Stood:
    must_have_history(tree)
    before = size_of(engine)
    if before < size:
        raise IndexBehind(
            f"the index has seen {before} entries of the ledger, and the question is about {size}",
            next="Try again when it has caught up, or run muniment reindex.",
        )
    found = Keys.of(engine.ask(tree, scope).every(Sort.NEWEST))
    if before == size == size_of(engine):
        return _Stood(found - history.disposed(), frozenset())
    judging.must_be_known(tree)
    candidates = found
    if judging.asks_for_current(tree):
        candidates = Keys.of(engine.ask(judging.whichever_is_current(tree), scope).every(Sort.NEWEST))
    # Asked for after the index, so that whatever the index may have seen is among them.
    changed, new = history.changed(size)
    judged = (candidates | found) & changed
    opened = (
        judging.newest_hit(tree, [Read(one) for one in told], scope, before=size)
        for told in history.of(judged)
    )
    hit = frozenset((one.record, one.version) for one in opened if one is not None)
    disposed = history.disposed()
    return _Stood(found - changed - new - disposed, frozenset(one for one in hit if one[0] not in disposed))


def undated(history: History, engine: Index, tree: Tree, scope: Scope, size: int) -> Keys:
    """The records that only their missing date of publication kept out, as of `size` entries."""
    if not any(isinstance(part, DateRange) for part in everything_in(tree)):
        return Keys()
    without = both(with_dates_met(tree), Not(Field("has", "date")), Not(with_dates_unmet(tree)))
    return hits(history, engine, without, scope, size)


def not_reached(tx: Tx, size: int) -> int:
    """How many versions were captured that an index of `size` entries has not seen."""
    return int(tx.execute(select(func.count()).where(versions.c.entry >= size)).scalar_one())


def as_then(store: Store, tx: Tx, found: Iterable[Record], size: int) -> list[Record]:
    """These records, each with the version that was its newest when the ledger had `size` entries."""
    told = []
    for record in found:
        version = record.version
        if version.entry >= size or record.versions > version.number:
            before = [one for one in records.history(store, tx, record) if one.entry < size]
            version = before[-1] if before else version
        told.append(replace(record, version=version, state=version.state, versions=version.number))
    return told


def disposed_since(tx: Tx, size: int) -> int:
    """How many records that had been captured when the ledger had `size` entries were disposed of since."""
    there = versions.c.record == disposal_records.c.record
    asked = (
        select(func.count())
        .select_from(disposal_records)
        .join(versions, there & (versions.c.number == 1))
        .where(
            disposal_records.c.state.in_((DESTROYED, VERIFIED)),
            disposal_records.c.entry >= size,
            versions.c.entry < size,
        )
    )
    return int(tx.execute(asked).scalar_one())

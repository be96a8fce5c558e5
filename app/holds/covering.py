"""What holds cover, looked at when it matters: on the record's own sealed text, never on the index.

Coverage is kept in rows as the ledger is followed, for lists and counts. Rows
may lag. Whoever is about to destroy asks `covering`, inside the destroying
transaction: it reads the rows *and* judges every active scope on the content
as it is sealed, and answers with the union. Placing a hold writes an entry
under the ledger's lock, as destroying does: so a hold is there first and is
seen, or it comes after the tombstone and says that it came too late.

What is in doubt is covered: a record whose content cannot be opened, a scope
that cannot be read any more, a release that was approved and not carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, or_, select

from app.capture import deeds
from app.db import Tx
from app.holds.scopes import Judge, Met, Scope, read_all
from app.index.language import BadQuery
from app.index.source import LedgerSource
from app.index.tree import All, Tree
from app.records.errors import ArchiveError
from app.records.nouns import Officer
from app.store.ledger import DISPOSED_WITH
from app.store.store import Store
from app.store.tables import (
    hold_records,
    holds,
    matter_members,
    matters,
    quarantines,
    records,
    tombstones,
)

_ASK = 500


@dataclass(frozen=True, slots=True)
class Active:
    """A hold that is active, with the question that its scope asks; None where only records are named."""

    key: int
    id: UUID
    matter: int | None
    entry: int
    reached: int
    scope: Scope | None
    tree: Tree | None


def covering(store: Store, tx: Tx, keys: Sequence[int]) -> dict[int, frozenset[UUID]]:
    """Every active hold that covers each of these records, silent ones and those of requests among them.

    Judged inside `tx`, on rows and on sealed content; what a scope cannot
    decide it covers. A record that was disposed of is covered by nothing any
    more. Each key is in the answer.
    """
    living = _living(tx, keys)
    found: dict[int, set[UUID]] = {key: set() for key in keys}
    running = active(store, tx)
    if not running:
        return {key: frozenset() for key in keys}
    for key, identity in _kept(tx, living):
        found[key].add(identity)
    for key, identity in _named(tx, living, running):
        found[key].add(identity)
    for key, covered_by in judged(store, tx, living, running).items():
        found[key] |= {hold.id for hold, value in covered_by.items() if value}
    return {key: frozenset(held) if key in living else frozenset() for key, held in found.items()}


def judged(
    store: Store, tx: Tx, keys: Iterable[int], running: Iterable[Active]
) -> dict[int, dict[Active, Met]]:
    """What each scope says of each record, on its sealed content; what cannot be opened is undecided."""
    asked = [(hold, judge(store, hold.tree)) for hold in running if hold.tree is not None]
    wanted = sorted(set(keys))
    if not asked:
        return {key: {} for key in wanted}
    everything = {hold: Met.UNDECIDED for hold, _ in asked}
    told = {key: dict(everything) for key in wanted}
    source = LedgerSource(store)
    for start in range(0, len(wanted), _ASK):
        part = wanted[start : start + _ASK]
        try:
            for documents in source.within(tx, part):
                read = read_all(documents)
                told[documents[0].record] = {hold: one.of(read) for hold, one in asked}
        except (
            ArchiveError
        ):  # an object or a frame is damaged: each by itself, so that the others are decided
            told |= _one_by_one(source, tx, part, asked, everything)
    return told


def _one_by_one(
    source: LedgerSource,
    tx: Tx,
    keys: Sequence[int],
    asked: Sequence[tuple[Active, Judge]],
    everything: Mapping[Active, Met],
) -> dict[int, dict[Active, Met]]:
    told = {}
    for key in keys:
        told[key] = dict(everything)
        try:
            for documents in source.within(tx, [key]):
                read = read_all(documents)
                told[key] = {hold: one.of(read) for hold, one in asked}
        except ArchiveError:
            continue  # it stays undecided, and so it is covered
    return told


def judge(store: Store, tree: Tree) -> Judge:
    """Reads a question in the agency's time zone."""
    return Judge(tree, store.agency.zone())


def _kept(tx: Tx, keys: Iterable[int]) -> Iterable[tuple[int, UUID]]:
    wanted = sorted(keys)
    for start in range(0, len(wanted), _ASK):
        asked = (
            select(hold_records.c.record, holds.c.id)
            .join(holds, holds.c.key == hold_records.c.hold)
            .where(hold_records.c.record.in_(wanted[start : start + _ASK]), holds.c.released_entry.is_(None))
        )
        for record, identity in tx.execute(asked):
            yield record, UUID(bytes=bytes(identity))


def _named(tx: Tx, keys: Iterable[int], running: Sequence[Active]) -> Iterable[tuple[int, UUID]]:
    """Those of these records that a scope names one by one, whatever the rows say."""
    naming = [
        (hold.id, frozenset(hold.scope.records))
        for hold in running
        if hold.scope is not None and hold.scope.records
    ]
    if not naming:
        return
    wanted = sorted(keys)
    for start in range(0, len(wanted), _ASK):
        asked = select(records.c.key, records.c.id).where(records.c.key.in_(wanted[start : start + _ASK]))
        ids = {UUID(bytes=bytes(identity)): key for key, identity in tx.execute(asked)}
        for hold, named in naming:
            for one in ids.keys() & named:
                yield ids[one], hold


def _living(tx: Tx, keys: Sequence[int]) -> set[int]:
    buried: set[int] = set()
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        buried |= set(tx.execute(select(tombstones.c.record).where(tombstones.c.record.in_(part))).scalars())
    return set(keys) - buried


# -- which holds there are ---------------------------------------------------------------------------------


def active(store: Store, tx: Tx) -> list[Active]:
    """Every hold that is active, in the order in which they were placed.

    A scope that can no longer be read covers everything: a hold is never lost
    because the program has learned other words.
    """
    rows = tx.execute(select(holds).where(holds.c.released_entry.is_(None)).order_by(holds.c.key)).all()
    words = _scopes(store, tx, rows)
    return [
        Active(
            key=row.key,
            id=UUID(bytes=bytes(row.id)),
            matter=row.matter,
            entry=row.entry,
            reached=row.reached,
            scope=words[row.key],
            tree=tree_of(words[row.key]),
        )
        for row in rows
    ]


def _scopes(store: Store, tx: Tx, rows: Sequence[Any]) -> dict[int, Scope | None]:
    told = deeds.told(store, tx, [row.entry for row in rows])
    found: dict[int, Scope | None] = {}
    for row in rows:
        said = told.get(row.entry)
        given = said.detail.get("scope") if said is not None and said.why != DISPOSED_WITH else None
        found[row.key] = Scope.of(given) if isinstance(given, dict) else None
    return found


def tree_of(scope: Scope | None) -> Tree | None:
    """The question of a scope; every record where it cannot be read, None where it only names records."""
    if scope is None:
        return All()
    return _understood(scope)


@lru_cache(maxsize=256)
def _understood(scope: Scope) -> Tree | None:
    try:
        return scope.understood()
    except (BadQuery, ArchiveError):
        return All()


# -- for whoever asks --------------------------------------------------------------------------------------


def known_to(by: Officer) -> Any:
    """The condition that a hold may be known to an officer: its matter is not silent, or they are a member of it."""
    member = exists().where(
        matter_members.c.matter == holds.c.matter,
        matter_members.c.officer == by.id.bytes,
        matter_members.c.ended_entry.is_(None),
    )
    silent = exists().where(matters.c.key == holds.c.matter, matters.c.silent)
    return or_(~silent, member)


def shown(store: Store, tx: Tx, keys: Sequence[int], *, by: Officer) -> dict[int, frozenset[UUID]]:
    """The active holds on each of these records that `by` may know of, from the coverage kept in rows."""
    del store  # the same form as `covering`; rows need no key
    found: dict[int, set[UUID]] = {key: set() for key in keys}
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        for record, identity in tx.execute(_known(by).where(hold_records.c.record.in_(part))):
            found[record].add(UUID(bytes=bytes(identity)))
    return {key: frozenset(held) for key, held in found.items()}


def held_keys(tx: Tx, *, by: Officer) -> Iterable[int]:
    """Every record that a hold covers which `by` may know of, for `hold:any`; a record may come more than once."""
    asked = (
        select(hold_records.c.record)
        .join(holds, holds.c.key == hold_records.c.hold)
        .where(holds.c.released_entry.is_(None), known_to(by))
    )
    return tx.execution_options(yield_per=10_000).execute(asked).scalars()


def _known(by: Officer) -> Select[Any]:
    return (
        select(hold_records.c.record, holds.c.id)
        .join(holds, holds.c.key == hold_records.c.hold)
        .where(holds.c.released_entry.is_(None), known_to(by))
    )


def quarantined(tx: Tx, keys: Sequence[int]) -> set[int]:
    """Those of these records that are in quarantine."""
    found: set[int] = set()
    for start in range(0, len(keys), _ASK):
        asked = select(quarantines.c.record).where(
            quarantines.c.record.in_(list(keys[start : start + _ASK])), quarantines.c.ended_entry.is_(None)
        )
        found |= set(tx.execute(asked).scalars())
    return found

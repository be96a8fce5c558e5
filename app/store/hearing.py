"""Hearing acts one after the other, so that rows can be held against what was done.

A room whose rows people decide by folds its own acts and compares: each row
against the act that wrote it, and each act against the row that it should have.
Of tables that grow with the archive an act states how many and a Merkle root,
and rows are read once, in the order of their entries.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, select

from app.db import Tx, from_instant
from app.store.accounts import ALTERED, MISSING, Wrong
from app.store.ledger import DISPOSED_WITH, act_words
from app.store.merkle import Growing, leaf_hash
from app.store.store import Store
from app.store.tables import acts, entries

NOT_AS_DONE = "a row does not say what its act says"
NOT_DONE = "no act wrote a row"
NO_ROW = "what was done has no row"
NOT_ALL = "the rows of an act are not those that it states"
_PART = 500
_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Heard:
    """An act: what stands in the clear of its entry, and what is sealed beside it."""

    entry: int
    type: str
    at: datetime
    by: bytes | None
    subject: bytes | None
    facts: Mapping[str, Any]
    detail: Mapping[str, Any]
    untold: bool
    """Whether its words went with a record that they named."""

    @property
    def act(self) -> str:
        """What was done, in the entry or, where that is not told in the clear, in its detail."""
        return str(self.facts.get("act") or self.detail.get("act") or "")


def heard(store: Store, tx: Tx, *types: str) -> Iterator[Heard]:
    """The acts of these types, the oldest first."""
    asked = (
        select(acts, entries.c.body)
        .join(entries, entries.c.index == acts.c.entry)
        .where(acts.c.type.in_(types))
        .order_by(acts.c.entry)
    )
    for part in tx.execution_options(yield_per=_PART).execute(asked).partitions(_PART):
        for row, words in zip(part, act_words(store.keyring, tx, part), strict=True):
            yield Heard(
                entry=row.entry,
                type=row.type,
                at=from_instant(row.at),
                by=bytes.fromhex(words["by"]) if words["by"] else None,
                subject=bytes(row.subject) if row.subject is not None else None,
                facts=msgspec.json.decode(bytes(row.body)),
                detail=words["detail"],
                untold=words["why"] == DISPOSED_WITH,
            )


def compared(
    rows: Iterable[Any],
    done: Mapping[Any, Mapping[str, object]],
    *,
    key: Callable[[Any], Hashable],
    where: Callable[[Any], str],
    missing: Callable[[Any], str],
) -> Wrong:
    """Each row says what was done, and whatever was done has its row; `done` names only what is held."""
    seen: set[Hashable] = set()
    for row in rows:
        mine = key(row)
        told = done.get(mine)
        if told is None or mine in seen:
            yield ALTERED, NOT_DONE, where(row)
            continue
        seen.add(mine)
        if any(not _same(getattr(row, name), value) for name, value in told.items()):
            yield ALTERED, NOT_AS_DONE, where(row)
    for one in done:
        if one not in seen:
            yield MISSING, NO_ROW, missing(one)


def _same(held: object, told: object) -> bool:
    if isinstance(held, memoryview | bytearray):
        held = bytes(held)
    return held == told and isinstance(held, bytes) == isinstance(told, bytes)


def whole(row: Any) -> str:
    """Where a row is that has a random id."""
    return bytes(row.id).hex()


def by_entry(row: Any) -> str:
    """Where a row is that has only the entry that wrote it."""
    return f"entry {row.entry}"


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of one kind there are, and their root."""

    n: int
    root: bytes


def roots(
    tx: Tx, asked: Select[Any], leaf: Callable[[Any], bytes] = lambda row: bytes(row.id)
) -> Iterator[tuple[int, Rows, Any]]:
    """For each value of the first column of `asked`, by which it MUST be ordered: its rows, and the last of them.

    Within one value rows MUST come in the order of their leaves.
    """
    tree, last = Growing(), None
    for part in tx.execution_options(yield_per=_ROWS).execute(asked).partitions(_ROWS):
        for row in part:
            if last is not None and row[0] != last[0]:
                yield last[0], Rows(tree.count, tree.root()), last
                tree = Growing()
            tree.add(leaf_hash(leaf(row)))
            last = row
    if last is not None:
        yield last[0], Rows(tree.count, tree.root()), last

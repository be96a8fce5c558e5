"""The index follows the ledger: it remembers how far it has seen and catches up exactly.

What it has seen is part of the index's own commit. A crash between taking in
and committing loses the uncommitted part, which is then followed again; an
index that is thrown away is followed again from nothing, with the same
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Protocol, TypeVar

from app.index import analyser
from app.index.documents import Change, Position
from app.index.engine import Engine, IndexNeedsRebuild

_READ = 2_000
_COMMIT_EVERY = 50_000
"""Documents held by the engine before they are committed: what a crash costs to follow again."""


class Source(Protocol):
    """What there is to follow."""

    def size(self) -> int:
        """How many entries the ledger has."""
        ...

    def read(self, after: int, limit: int) -> Sequence[Change]:
        """The next records that entries after index `after` speak of, in the order of the ledger; at most `limit`.

        Reading on from the last `upto` MUST miss nothing; it MAY repeat. An
        empty answer means that nothing after `after`, up to the size that
        was told before, concerns a record.
        """
        ...


def catch_up(source: Source, engine: Engine, *, told: Callable[[int, int], None] | None = None) -> int:
    """Follow the ledger to where it stands now, and say how many records were taken in anew.

    `told` hears the entry reached and the size of the ledger, after each commit.
    Refused where the index has seen more than the ledger has: one of them is
    not what it was.
    """
    size = source.size()
    position = engine.position()
    seen = position.entry if position is not None else -1
    _check_position(position, size)
    taken = 0
    try:
        while seen < size - 1:
            reached, records = _take_in(source, engine, seen, size)
            engine.commit(Position(reached, analyser.VERSION))
            taken += records
            seen = reached
            if told is not None:
                told(seen, size)
    finally:
        engine.settle()
    return taken


def _check_position(position: Position | None, size: int) -> None:
    if position is None:
        return
    if position.analyser != analyser.VERSION:
        raise IndexNeedsRebuild(
            f"its words were made by analyser {position.analyser}, not {analyser.VERSION}"
        )
    if position.entry >= size:
        raise IndexNeedsRebuild(f"it has seen {position.entry + 1} ledger entries, and the ledger has {size}")


def _take_in(source: Source, engine: Engine, committed: int, size: int) -> tuple[int, int]:
    """Take in what one commit may hold; say the entry that was reached and how many records it was."""
    reached = committed
    taken: set[int] = set()
    documents = 0
    while reached < size - 1 and documents < _COMMIT_EVERY:
        changes = source.read(reached, _READ)
        if not changes:
            return size - 1, len(taken)
        last = {change.record: change for change in changes}  # the later says all that the earlier did
        engine.remove([record for record, change in last.items() if not _is_new(change, committed, taken)])
        engine.add(list(chain.from_iterable(change.documents for change in last.values())))
        taken.update(last)
        documents += sum(len(change.documents) for change in last.values())
        reached = max(reached, changes[-1].upto)
    return reached, len(taken)


def _is_new(change: Change, committed: int, taken: set[int]) -> bool:
    """Whether the index cannot hold anything of this record, so that removing it first would be for nothing."""
    return (
        bool(change.documents)
        and change.record not in taken
        and min(document.entry for document in change.documents) > committed
    )


def unsearchable(source: Source, engine: Engine) -> int:
    """How many ledger entries the index has not seen yet."""
    position = engine.position()
    return max(0, source.size() - 1 - (position.entry if position is not None else -1))


Kept = TypeVar("Kept", bound=Engine)


def rebuild(source: Source, engine: Kept, *, told: Callable[[int, int], None] | None = None) -> int:
    """Make the index anew beside the living one, then swap: nobody waits, and no trace of what was removed stays."""
    fresh = engine.beside()
    taken = catch_up(source, fresh, told=told)
    engine.adopt(fresh)
    return taken

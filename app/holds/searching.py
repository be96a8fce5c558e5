"""An index that finds nothing which is in quarantine: whoever asks, whatever they ask, in hits, totals and counts.

Which records these are is asked of the database with each question, so that a
quarantine works from its commit on, in every process; where the ledger has not
grown since they were read last, none has begun or ended, for each writes an
entry. The index behind it goes on holding everything; holds ask that one,
since they cover what nobody sees.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Self

from app.db import Tx
from app.index.documents import Document, Position
from app.index.engine import Answer, Engine, Index, Scope
from app.index.keys import Keys
from app.index.tree import Among, Field, Not, Tree, both
from app.store import quarantine
from app.store.store import Store

_FACT = Field("quarantine", "any")


class Honouring:
    """An engine that honours quarantine; everything but its answers is the inner one's."""

    def __init__(self, inner: Engine, store: Store) -> None:
        self.inner, self.store = inner, store
        self._read: tuple[int, Keys] | None = None
        """What was in quarantine when the ledger had so many entries."""

    def still(self) -> Index:
        with self.store.database.read() as tx:
            return Within(self.inner.still(), _hidden(tx))

    def within(self, tx: Tx, size: int) -> Index:
        """The same for questions that belong together: what is in quarantine as `tx` sees it, which only reads.

        `size` is that of the ledger in `tx`. One that has written may yet come
        to nothing, and another end with as many entries.
        """
        known = self.known(size)
        if known is None:
            self._read = (size, _hidden(tx))
            known = Within(self.inner.still(), self._read[1])
        return known

    def known(self, size: int) -> Index | None:
        """The same where what is in quarantine was read when the ledger had just so many entries."""
        read = self._read
        return Within(self.inner.still(), read[1]) if read is not None and read[0] == size else None

    def position(self) -> Position | None:
        return self.inner.position()

    def add(self, documents: Sequence[Document]) -> None:
        self.inner.add(documents)

    def remove(self, records: Collection[int]) -> None:
        self.inner.remove(records)

    def commit(self, position: Position) -> None:
        self.inner.commit(position)

    def settle(self) -> None:
        self.inner.settle()

    def ask(self, tree: Tree, scope: Scope) -> Answer:
        """Answer a question as if what is in quarantine were not there."""
        return self.still().ask(tree, scope)

    def removed(self) -> int:
        return self.inner.removed()

    def beside(self) -> Self:
        return type(self)(self.inner.beside(), self.store)

    def adopt(self, other: Self) -> None:
        self.inner.adopt(other.inner)

    def close(self) -> None:
        """Give back the connections of an engine that is asked over a network."""
        close = getattr(self.inner, "close", None)
        if close is not None:
            close()


class Within:
    """What an index left when it was last committed to, without what was in quarantine then."""

    def __init__(self, inner: Index, withdrawn: Keys) -> None:
        self._inner, self._withdrawn = inner, withdrawn

    def position(self) -> Position | None:
        return self._inner.position()

    def ask(self, tree: Tree, scope: Scope) -> Answer:
        """Answer a question as if what is in quarantine were not there."""
        if self._withdrawn:
            tree = both(tree, Not(Among(_FACT, self._withdrawn)))
        return self._inner.ask(tree, scope)


def whole(engine: Engine) -> Engine:
    """The index that holds everything: for what protects, checks and discards, never for what shows."""
    return engine.inner if isinstance(engine, Honouring) else engine


def within(engine: Engine, tx: Tx, size: int) -> Index:
    """An engine for questions that belong together, and are asked of the archive as `tx`, which only reads, sees it.

    `size` is that of the ledger in `tx`.
    """
    return engine.within(tx, size) if isinstance(engine, Honouring) else engine.still()


def at_once(engine: Engine, tx: Tx) -> Index:
    """The same as a transaction sees it that may have written: nothing that it read is kept for others."""
    return Within(engine.inner.still(), _hidden(tx)) if isinstance(engine, Honouring) else engine.still()


def known(engine: Engine, size: int) -> Index | None:
    """The same without a transaction, where nothing was entered since it was last asked; None where something was."""
    return engine.known(size) if isinstance(engine, Honouring) else None


def _hidden(tx: Tx) -> Keys:
    return Keys.of(quarantine.hidden(tx))

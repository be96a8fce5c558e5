"""The index as something derived that disposal purges: taken out at once, then made anew and swapped.

Taking records out makes them unfindable, and leaves their words in the
engine's files until it merges them away. So the index is made anew beside the
living one, out of what can still be opened, and swapped; the files before it
are removed. So are the words that were read in attachments of these records;
they were sealed, and their secret is gone, but nothing of them needs to lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from zoneinfo import ZoneInfo

from app.index import follower
from app.index.engine import Engine, IndexNeedsRebuild, Scope, Sort
from app.index.follower import Source
from app.index.source import LedgerSource
from app.index.tree import All


class IndexPurger:
    """Purges an index; `following` keeps whoever follows the ledger from writing to it meanwhile."""

    name = "index"

    def __init__(
        self, source: Source, engine: Engine, zone: ZoneInfo, following: AbstractContextManager[object]
    ) -> None:
        self.source, self.engine, self.following = source, engine, following
        self.everything = Scope(zone, messages=True)
        self.readings = source.readings if isinstance(source, LedgerSource) else None

    def purge(self, disposed: Sequence[int]) -> None:
        """Hold nothing of these records any more, nor any trace of their words."""
        with self.following:
            if self.readings is not None:
                self.readings.purge(disposed)
            with suppress(IndexNeedsRebuild):  # which is what happens next
                position = self.engine.position()
                if position is not None:
                    self.engine.remove(disposed)
                    self.engine.commit(position)
            follower.rebuild(self.source, self.engine)

    def still_holds(self, disposed: Sequence[int]) -> int:
        """How many of these records are found when everything is asked for."""
        wanted = set(disposed)
        found = {key for key in self.engine.ask(All(), self.everything).every(Sort.CAPTURED) if key in wanted}
        return len(found | (self.readings.still_hold(disposed) if self.readings is not None else set()))

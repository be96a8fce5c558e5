"""The lists that a pass reads one after another: those besides the page's own, at which a platform fails, are left for its end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar

from connectors import cursors
from connectors.contract import Batch, Gap
from connectors.visits import Visit


class Place(cursors.Staged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which list is read, and where in it.

    `ended` says that the list has no further answer. `left` are the lists at
    which the platform failed, and which are asked for once more at the end;
    `late` says that the pass has come to them.
    """

    ended: bool = False
    left: tuple[str, ...] = ()
    late: bool = False

    def beginning(self, stage: str) -> Self:
        """The same pass, at the beginning of a list. A connector says here what else it notes of the list that it reads."""
        return self.moved(stage=stage, ended=False)

    def after(self, stage: str) -> Self:
        """Where to go on once `stage` is read to its end."""
        return self.beginning(self.following(stage))


P = TypeVar("P", bound=Place)


class Lists(ABC, Generic[P]):
    """A pass over lists."""

    _asking: Visit
    _place: P

    @abstractmethod
    def _stage(self, stage: str) -> Iterator[Batch]:
        """Read a list, from where the pass stands in it; one that others need not wait for is read `_apart`."""

    @abstractmethod
    def _batch(self) -> Batch:
        """What was gathered, with where to resume from."""

    @abstractmethod
    def _misses(self, stage: str, gap: Gap) -> None:
        """A list was not read to its end: take the gap along, and note what it may hide."""

    def _move(self, **changes: Any) -> None:
        self._place = self._place.moved(**changes)

    def _in_turn(self) -> Iterator[Batch]:
        """Each list from where the pass stands, then once more those that were left for the end."""
        stages = self._place.stages
        if not self._place.late:
            for stage in stages[stages.index(self._place.stage) :]:
                yield from self._stage(stage)
                if stage != stages[-1]:
                    self._place = self._place.after(stage)
        while self._place.left:
            stage, *others = self._place.left
            if not self._place.late or self._place.stage != stage:
                self._place = self._place.beginning(stage).moved(late=True)
            yield from self._stage(stage)
            self._move(left=tuple(others))

    def _apart(self, what: str, stage: str, read: Iterator[Batch]) -> Iterator[Batch]:
        """Read a list besides the page's own: where the platform fails at it alone, what follows is read all the same.

        It is asked for once more at the end of the pass, and is a gap where it
        fails again: an outage that passes costs nothing.
        """
        with self._asking.about(what, stage) as asked:
            yield from read
        if asked.gap is None:
            return
        if self._place.late:
            self._misses(stage, replace(asked.gap, native_id=None))
        elif stage not in self._place.left:
            self._move(left=(*self._place.left, stage))
        self._place = self._place.beginning(stage).moved(ended=True)
        yield self._batch()

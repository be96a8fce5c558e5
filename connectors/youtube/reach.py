"""What a pass over a span of time asks for: the span itself, and what began shortly before it and may be answered within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors import reach

_NEAR = timedelta(hours=1)
"""By how much the span is taken wider than it is where YouTube tells a time twice."""

_LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Reach(reach.Reach):
    """The span of a pass, open on a side that is None, and how far before it a comment may have begun."""

    def begun_at(self, at: datetime) -> bool:
        """Whether the span had begun by then."""
        return self.begins is None or at >= self.begins

    def over_at(self, at: datetime) -> bool:
        """Whether the span was over by then."""
        return self.ends is not None and at > self.ends

    def reaches(self, at: datetime) -> bool:
        """Whether what began then may be answered within the span."""
        return self.earliest is None or at >= self.earliest

    def holds(self, at: datetime | None) -> bool:
        """Whether something of about that time lies within; what bears no time belongs to every pass."""
        if at is None:
            return True
        if self.begins is not None and at < self.begins - _NEAR:
            return False
        return self.ends is None or at <= self.ends + _NEAR

    def is_past(self, times: Sequence[datetime | None]) -> bool:
        """Whether an answer, newest first as it should be, lies wholly before everything that is asked for."""
        told = reach.newest_first(times)
        return self.earliest is not None and bool(told) and told[0] < self.earliest

    def is_lately(self, began: datetime) -> bool:
        """Whether the pass, which began then, looks for what is new."""
        return self.begins is not None and self.ends is None and began - self.begins <= _LATELY

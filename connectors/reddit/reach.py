"""What a pass over a span of time asks for: the span itself, and what was published shortly before it and may be answered in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors import reach


@dataclass(frozen=True, slots=True)
class Reach(reach.Reach):
    """The span of a pass, open on a side that is None, and how far before it a submission may have been published."""

    def holds(self, at: datetime | None) -> bool:
        """Whether something of that time lies within; what bears no time belongs to every pass."""
        if at is None:
            return True
        return (self.begins is None or at >= self.begins) and (self.ends is None or at <= self.ends)

    def may_be_answered(self, at: datetime | None) -> bool:
        """Whether what was published then may be answered within the span: in it, or not long before."""
        if at is None or self.holds(at):
            return True
        if self.begins is None or at >= self.begins:
            return False
        return self.begins - at <= self.before

    def is_before(self, times: Sequence[datetime | None], *, widely: bool = False) -> bool:
        """Whether an answer, newest first as it should be, ends before everything that is asked for.

        `widely`: before whatever may still be answered within the span, too.
        """
        told = reach.newest_first(times)
        if self.begins is None or not told:
            return False
        away = self.begins - told[-1]
        return away > (self.before if widely else timedelta(0))

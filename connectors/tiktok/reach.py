"""What a pass over a span of time asks for: the span itself, and what was published shortly before it and may be answered within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors import reach

_NEAR = timedelta(hours=1)
"""By how much the span is asked for wider than it is."""

_EARLIEST = datetime(2016, 9, 1, tzinfo=UTC)
"""Nothing on TikTok is older."""


@dataclass(frozen=True, slots=True)
class Reach(reach.Reach):
    """The span of a pass, open on a side that is None, and how far before it a video or a comment may stand."""

    @property
    def earliest(self) -> datetime | None:
        """How far back videos and comments are read."""
        if self.begins is None:
            return None
        near = self.before + _NEAR
        return self.begins - near if self.begins - _EARLIEST > near else min(self.begins, _EARLIEST)

    @property
    def first_cursor(self) -> str:
        """Where the list of videos begins, in milliseconds since 1970; empty where it begins with the newest."""
        return "" if self.ends is None else str(max(0, int((self.ends + _NEAR).timestamp() * 1000)))

    def reaches(self, at: datetime | None) -> bool:
        """Whether what was published then may be answered within the span."""
        return at is None or self.earliest is None or at >= self.earliest

    def is_past(self, times: Sequence[datetime | None]) -> bool:
        """Whether an answer, newest first as it should be, ends before everything that is asked for."""
        told = reach.newest_first(times)
        return self.earliest is not None and bool(told) and told[-1] < self.earliest

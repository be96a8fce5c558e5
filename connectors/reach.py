"""What a pass over a span of time asks for: the span itself, and how far before it something may be answered within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Reach:
    """The span of a pass, open on a side that is None, and how far before it what is answered in it may have begun."""

    begins: datetime | None
    ends: datetime | None
    before: timedelta

    @property
    def narrowed(self) -> bool:
        """Whether the pass is about a part of the page."""
        return self.begins is not None or self.ends is not None

    @property
    def earliest(self) -> datetime | None:
        """When the oldest item began of which the answers are asked for; None where all are."""
        if self.begins is None:
            return None
        first = datetime.min.replace(tzinfo=self.begins.tzinfo)
        return self.begins - self.before if self.begins - first > self.before else first


def newest_first(times: Sequence[datetime | None]) -> list[datetime]:
    """The times of an answer, newest first as it should be.

    Nothing where one is missing or out of order: such an answer shows nothing of what follows it.
    """
    told = [one for one in times if one is not None]
    return told if len(told) == len(times) and told == sorted(told, reverse=True) else []

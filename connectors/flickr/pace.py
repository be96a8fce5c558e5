"""How many questions were asked in this hour. Flickr permits 3,600 to a key and says in no answer how many are left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

_HOUR = timedelta(hours=1)


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many questions in the hour that began at `since`, in seconds of the epoch."""

    since: int = 0
    count: int = 0


class Pace:
    """Counts questions. What was asked before a run stands in the cursor, and is remembered from there."""

    def __init__(self) -> None:
        self.asked = Asked()

    def remember(self, asked: Asked) -> None:
        """Take over what an earlier run has asked, unless more is known already."""
        if (asked.since, asked.count) > (self.asked.since, self.asked.count):
            self.asked = asked

    def left(self, most: int, now: datetime) -> int:
        """How many of `most` questions may still be asked in this hour."""
        return most - (self.asked.count if self._runs(now) else 0)

    def count(self, questions: int, now: datetime) -> None:
        """Note that so many were asked."""
        if not self._runs(now):
            self.asked = Asked(int(now.timestamp()), 0)
        self.asked = Asked(self.asked.since, self.asked.count + questions)

    def until_next(self, now: datetime) -> timedelta:
        """How long it is until the hour is over."""
        return datetime.fromtimestamp(self.asked.since, UTC) + _HOUR - now

    def _runs(self, now: datetime) -> bool:
        begun = datetime.fromtimestamp(self.asked.since, UTC)
        return begun <= now < begun + _HOUR

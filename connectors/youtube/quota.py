"""What asking costs: units of a day that begins at midnight in Los Angeles. YouTube tells none of it, so it is counted here."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

PACIFIC = ZoneInfo("America/Los_Angeles")

A_LIST, CAPTIONS_LIST, CAPTIONS_DOWNLOAD = 1, 50, 200
"""What a question costs. One that is refused costs as much as one that is answered."""

GRANTED = 10_000
"""What YouTube grants a project a day, unless somebody asked for more."""


class Spent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many units were spent on which day."""

    day: str = ""
    units: int = 0

    def on(self, now: datetime) -> int:
        """What was spent on the day of `now`."""
        return self.units if self.day == day(now) else 0

    def with_more(self, units: int, now: datetime) -> Spent:
        """The same count with these units added; a new day begins at nothing."""
        return Spent(day(now), self.on(now) + units)


class Purse:
    """What one connector has spent, whatever it was asked for: a pass, and the looks that follow from it."""

    def __init__(self) -> None:
        self.spent = Spent()

    def remember(self, spent: Spent) -> None:
        """Go on from what a cursor knows, where that is more, or of a later day."""
        self.spent = max(self.spent, spent, key=lambda one: (one.day, one.units))

    def pay(self, units: int, now: datetime) -> None:
        """Count these units."""
        self.spent = self.spent.with_more(units, now)


def day(now: datetime) -> str:
    """The day of the quota on which `now` falls."""
    return now.astimezone(PACIFIC).date().isoformat()


def until_midnight(now: datetime) -> timedelta:
    """How long the day of the quota still lasts; 23 to 25 hours lie between two midnights."""
    tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), PACIFIC).astimezone(UTC) - now

"""Time is passed in. Nothing in the archive asks the machine for it anywhere else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, in UTC, with its zone."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands until it is moved: for tests and simulated nights."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def iso(at: datetime) -> str:
    """A moment as it is written wherever the archive tells one: RFC 3339, in UTC, with `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def today(clock: Clock, zone: ZoneInfo) -> date:
    """The civil date in the agency's time zone."""
    return clock.now().astimezone(zone).date()

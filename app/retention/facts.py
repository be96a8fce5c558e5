"""What is known of a record when its retention is decided: plain values, each known or not.

An event that nobody told has not happened, as far as is known; one that is
told without its later end has, and nobody knows when. Neither starts a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from app.retention.calendar import Between


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a record; `when` is None where nobody knows the day.

    A declaration names the series for which it was made (`about`) and who
    signed it. The disposal of records that this one depends on names theirs.
    """

    name: str
    when: Between | None
    about: str = ""
    signed_by: str = ""

    @staticmethod
    def on(name: str, day: date | None, *, about: str = "", signed_by: str = "") -> Event:
        """An event of one day."""
        return Event(
            name=name,
            when=None if day is None else Between(by=day, after=day),
            about=about,
            signed_by=signed_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A record as far as retention goes.

    `extended_until` is a day until which an officer ordered it kept beyond
    its schedule; the schedule can only be outlasted, never cut short.
    """

    id: str
    kind: str = "post"
    page: str = ""
    events: tuple[Event, ...] = ()
    extended_until: date | None = None

    def of(self, name: str, about: str = "") -> list[Event]:
        """Every event of that name; where `about` is given, only those that are about it."""
        return [event for event in self.events if event.name == name and about in {"", event.about}]

    def with_event(self, event: Event) -> Facts:
        """The same record with one more event."""
        return replace(self, events=(*self.events, event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The series of a record, and who or what put it there."""

    series: str
    by: str
    """`rule`, or the officer who did."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The day on which is decided, and what is known of the machine's clock.

    `seen` is the highest civil day that the archive ever saw; a clock that
    shows an earlier one is wrong now, or was then. `attested` is the latest
    day that somebody outside vouches for, such as a timestamp authority; None
    where nobody outside was asked. While the clock cannot be believed,
    nothing is eligible.
    """

    day: date
    seen: date
    attested: date | None = None

    @staticmethod
    def plainly(day: date) -> Today:
        """A day that somebody asks about, such as a preview's."""
        return Today(day=day, seen=day)

    @property
    def doubt(self) -> str:
        """Why the day cannot be believed; empty where it can."""
        if self.day < self.seen:
            return f"the clock shows {self.day}, and {self.seen} was seen already"
        if self.attested is not None and self.day > self.attested:
            return f"the clock shows {self.day}, and from outside only {self.attested} is attested"
        return ""

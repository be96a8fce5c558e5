"""Which edition of a schedule binds on a day. Pure.

An edition binds from the day on which it was adopted, or on which it takes
effect if that is later, until another takes its place. It then speaks of
every record that is held, whenever its clock began: a schedule is about
records, not about years. Two editions in force at once are refused, and so
are two schedules that use one code, or rules of one priority: which of them
would win is nobody's guess to make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from app.records.errors import Refused
from app.retention.schedule import Schedule, Series


class TwoEditionsInForce(Refused):
    """Two editions of one schedule would be in force on one day."""

    code = "two-editions-in-force"


class SchedulesOverlap(Refused):
    """Two schedules in force use one code, or rules of one priority."""

    code = "schedules-overlap"


class NotAdoptable(Refused):
    """This schedule is a placeholder: it holds the place of one that was not found."""

    code = "not-adoptable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A schedule as an agency adopted it: by which instrument, from when, and until which day."""

    schedule: Schedule
    instrument: str
    adopted_on: date
    ended_on: date | None = None
    """The first day on which it binds no more; None while nothing has taken its place."""

    @property
    def since(self) -> date:
        """The first day on which it binds."""
        return max(self.adopted_on, self.schedule.effective or self.adopted_on)

    def binds(self, on: date) -> bool:
        return self.since <= on and (self.ended_on is None or on < self.ended_on)

    def meets(self, other: Edition) -> bool:
        """Whether there is a day on which both bind."""
        ends = [one.ended_on for one in (self, other) if one.ended_on is not None]
        begins = max(self.since, other.since)
        return all(begins < end for end in ends)


@dataclass(frozen=True, slots=True)
class InForce:
    """The editions that bind on the day `on`, one of each schedule; what cannot stand together cannot be made."""

    on: date
    editions: tuple[Edition, ...] = ()

    def __post_init__(self) -> None:
        check(self.editions)

    def series(self, code: str) -> tuple[Edition, Series] | None:
        """A series and the edition in which it stands, or None."""
        for edition in self.editions:
            if (found := edition.schedule.one(code)) is not None:
                return edition, found
        return None


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which the same editions bind: from the day for which they were looked up, and before `end`."""

    editions: InForce
    end: date

    @property
    def first(self) -> date:
        return self.editions.on


def spans(editions: Sequence[Edition], start: date, last: date) -> list[Span]:
    """The days from `start` to `last`, each under the editions that bind on it."""
    changes = {day for one in editions for day in (one.since, one.ended_on) if day and start < day <= last}
    found: list[Span] = []
    for day in sorted({start, *changes}):
        binds = in_force(editions, day)
        if found and found[-1].editions.editions == binds.editions:
            continue
        if found:
            found[-1] = Span(found[-1].editions, day)
        found.append(Span(binds, date.max))
    return found


def in_force(editions: Sequence[Edition], on: date) -> InForce:
    """The editions that bind on a day, or an error that says which two cannot bind together."""
    return InForce(on, tuple(edition for edition in editions if edition.binds(on)))


def check(editions: Sequence[Edition]) -> None:
    """Raise unless these editions can stand together: `TwoEditionsInForce`, `SchedulesOverlap` or `NotAdoptable`."""
    for one in editions:
        if one.schedule.placeholder:
            raise NotAdoptable(
                f"{one.schedule.title} is a placeholder: {one.schedule.placeholder}",
                next="Write the agency's own schedule, and adopt that.",
            )
    for one, other in combinations(editions, 2):
        if one.meets(other):
            _check_two(one, other)


def _check_two(one: Edition, other: Edition) -> None:
    mine, theirs = one.schedule, other.schedule
    if mine.name == theirs.name:
        raise TwoEditionsInForce(
            f"editions {mine.edition} and {theirs.edition} of {mine.title} would both be in force from {max(one.since, other.since)}",
            next="Say on which day the earlier one ends.",
        )
    codes = {series.code for series in mine.series} & {series.code for series in theirs.series}
    if codes:
        raise SchedulesOverlap(
            f"{mine.title} and {theirs.title} both have a series {min(codes)}",
            next="Leave the series out of one of them, or give it another code.",
        )
    priorities = {rule.priority for rule in mine.classify} & {rule.priority for rule in theirs.classify}
    if priorities:
        raise SchedulesOverlap(
            f"{mine.title} and {theirs.title} both have a rule of priority {min(priorities)}",
            next="Give the rules of one of them other priorities.",
        )

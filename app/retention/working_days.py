"""On which days an agency works: weekends, observed holidays, and its own. Pure.

Holidays of a country and its states come from a list that its keepers correct
as laws change. The agency's own days stand beside it: what the list does not
know, and the holidays on which the agency works all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import holidays as observances

from app.retention.calendar import DAY, LAST, BadCalendar

_FRIDAY = 4
_MOVED = " (observed)"
"""How the list ends the name of a holiday on the day on which it is observed instead."""


@dataclass(frozen=True, kw_only=True)
class WorkingDays:
    """On which days the agency works.

    `country` and `subdivision` name the holidays observed there (`US`, `AK`),
    with the days on which they are observed when they fall on a weekend;
    without a country there are none but the agency's own. `closed` are the
    agency's own days, `open` the holidays on which it works all the same.
    """

    country: str = ""
    subdivision: str = ""
    closed: Mapping[date, str] = field(default_factory=dict)
    open: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    """Monday is 0."""
    optional: frozenset[str] = frozenset()
    """Holidays of the list, by name, on which an agency works unless it says that it is closed."""
    moved: bool = True
    """Whether the day on which a holiday of a weekend is observed is free; if not, the agency names those that are."""
    fridays: bool = True
    """Whether that holds of the Friday before a Saturday, too, and not of the Monday after a Sunday alone."""

    def __post_init__(self) -> None:
        known = observances.list_supported_countries()
        if self.country and self.country not in known:
            raise BadCalendar(
                f"no holidays are known of {self.country!r}", next="Write the country as US, or leave it out."
            )
        if self.subdivision and self.subdivision not in known.get(self.country, ()):
            raise BadCalendar(
                f"no holidays are known of {self.subdivision!r} in {self.country or 'no country'}",
                next="Write the state as AK, or leave it out and list the agency's own days.",
            )
        if set(self.weekend) >= set(range(7)):
            raise BadCalendar("an agency that never works has no working day", next="Name its working days.")

    @cached_property
    def _observed(self) -> Mapping[date, str]:
        if not self.country:
            return {}
        return observances.country_holidays(self.country, subdiv=self.subdivision or None)

    def closed_for(self, day: date) -> str | None:
        """Why the agency does not work on `day`, or None if it does."""
        if day in self.closed:
            return self.closed[day]
        if day.weekday() in self.weekend:
            return "weekend"
        if day in self.open:
            return None
        told = self._observed.get(day)  # the library learns a year when it is asked for one of its days
        return "; ".join(one for one in told.split("; ") if self._free(one, day)) or None if told else None

    def _free(self, name: str, day: date) -> bool:
        holiday = name.removesuffix(_MOVED)
        moves = self.moved and (self.fridays or day.weekday() != _FRIDAY)
        return holiday not in self.optional and (moves or holiday == name)

    def works(self, day: date) -> bool:
        return self.closed_for(day) is None

    def after(self, day: date, count: int) -> date:
        """The working day that is the `count`th after `day`, which is not counted itself."""
        if count < 1:
            raise BadCalendar(f"{count} working days after a day is none", next="Count from 1.")
        for found in self._following(day):
            count -= self.works(found)
            if not count:
                return found
        return LAST

    def this_or_next(self, day: date) -> date:
        """`day`, or the first working day after it."""
        return day if self.works(day) else self.after(day, 1)

    def between(self, first: date, last: date) -> int:
        """How many working days lie after `first`, up to and with `last`."""
        return sum(self.works(first + timedelta(days=day + 1)) for day in range((last - first).days))

    def holidays(self, year: int) -> list[tuple[date, str]]:
        """Every day but weekends on which the agency does not work in a year, for a person to check."""
        days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
        told = [(day, self.closed_for(day)) for day in days if day.year == year]
        return [(day, why) for day, why in told if why is not None and why != "weekend"]

    @staticmethod
    def _following(day: date) -> Iterator[date]:
        while day < LAST:
            day += DAY
            yield day

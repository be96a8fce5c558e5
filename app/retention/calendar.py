"""The agency's calendar: civil days, periods, intervals, the years in which it counts. Pure.

Retention is reckoned in civil days of the agency's time zone, never in hours.
Wherever a day could be read in two ways, the later one counts: what is kept a
day too long can still be disposed of, what went a day too early cannot come
back. So 29 February and a year is 1 March, 31 January and a month is 1 March
in a common year, and the day of an event is not counted: two years after
5 March 2024 are over when 5 March 2026 is.
"""

from __future__ import annotations

import calendar as months
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.records.errors import Invalid

DAY = timedelta(days=1)
LAST = date.max
"""What lies beyond the calendar ends on its last day, which never comes."""
MOST = 9999
_WRITTEN = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?|P(\d+)W", re.ASCII)
_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})", re.ASCII)
_HARD_TO_PART = timedelta(microseconds=1)


class BadPeriod(Invalid):
    """This is no period of whole years, months, weeks or days."""

    code = "bad-period"


class BadCalendar(Invalid):
    """A calendar cannot be made of this."""

    code = "bad-calendar"


# -- periods -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Years, months and days, as ISO 8601 writes them; a week is seven days."""

    years: int = 0
    months: int = 0
    days: int = 0

    @staticmethod
    def read(text: str) -> Period:
        """The period that `text` writes, or `BadPeriod`. Hours, fractions and signs are refused."""
        match = _WRITTEN.fullmatch(text)
        if match is None or text == "P":
            raise BadPeriod(f"{text[:80]!r} is no period", next=_how(text))
        written = [(number or "0").lstrip("0") for number in match.groups()]
        if any(len(number) > len(str(MOST)) or int(number or 0) > MOST for number in written):
            raise BadPeriod(f"{text[:80]} is longer than {MOST}", next="For ever is written then: permanent.")
        numbers = [int(number or 0) for number in written]
        years, of_months, days, weeks = numbers
        return Period(years=years, months=of_months, days=days + 7 * weeks)

    def __str__(self) -> str:
        parts = ((self.years, "Y"), (self.months, "M"), (self.days, "D"))
        return "P" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0D")

    def words(self) -> str:
        """The period as a person reads it: `2 years and 6 months`."""
        parts = ((self.years, "year"), (self.months, "month"), (self.days, "day"))
        said = [f"{number} {unit}{'s' * (number != 1)}" for number, unit in parts if number]
        return " and ".join(said) or "no time"

    @property
    def shortest(self) -> int:
        """The fewest days that it can be."""
        whole = 12 * self.years + self.months
        return whole // 12 * 365 + whole % 12 * 28 + self.days

    @property
    def longest(self) -> int:
        """More days than it can ever be."""
        whole = 12 * self.years + self.months
        return whole // 12 * 366 + whole % 12 * 31 + self.days + 1


def _how(text: str) -> str:
    how = "Write it as ISO 8601 does: P3Y, P6M, P2W, P90D or P1Y6M."
    if "T" in text.upper():
        return f"{how} Retention counts civil days; hours and minutes are not known."
    if "W" in text.upper():
        return f"{how} Weeks stand alone; with years or months write days."
    return how


def add(day: date, period: Period) -> date:
    """The day that lies `period` after `day`: years and months first, then days.

    Where that month has no such day, it is the first of the next one, which
    is later. What lies beyond the calendar is its last day.
    """
    whole = 12 * day.year + day.month - 1 + 12 * period.years + period.months
    year, month = divmod(whole, 12)
    if year > LAST.year:
        return LAST
    month += 1
    if day.day <= months.monthrange(year, month)[1]:
        moved = date(year, month, day.day)
    elif month < 12:
        moved = date(year, month + 1, 1)
    else:
        return LAST  # December has a day for each that any month has
    try:
        return moved + timedelta(days=period.days)
    except OverflowError:
        return LAST


def next_day(day: date) -> date:
    """The day after, or the calendar's last one."""
    return day if day == LAST else day + DAY


# -- moments and intervals ---------------------------------------------------------------------------------


def civil(moment: datetime, zone: ZoneInfo) -> date:
    """The civil day of a moment in the agency's time zone.

    Where clocks were set back across midnight in the last 24 hours, the day
    that had begun counts as begun: a later moment never has an earlier day.
    """
    if moment.tzinfo is None:
        raise BadCalendar(
            "a moment without its zone has no civil day", next="Give the moment with its offset."
        )
    here = moment.astimezone(zone)
    before = moment - DAY
    offset = here.utcoffset() or timedelta()
    if (before.astimezone(zone).utcoffset() or timedelta()) <= offset:
        return here.date()
    # Set back since: the last day that was shown before it is at least as late.
    low, high = before, moment
    while high - low > _HARD_TO_PART:
        middle = low + (high - low) / 2
        if (middle.astimezone(zone).utcoffset() or timedelta()) > offset:
            low = middle
        else:
            high = middle
    return max(here.date(), low.astimezone(zone).date())


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """The days between which something happened: not before `after`, at the latest on `by`.

    A clock that it starts, starts at the later end. Without one it starts
    none.
    """

    by: date
    after: date | None = None

    @staticmethod
    def of(after: datetime | None, by: datetime, zone: ZoneInfo) -> Between:
        """Between two moments: last seen before, first seen after."""
        return Between(after=None if after is None else civil(after, zone), by=civil(by, zone))


# -- years -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class YearStart:
    """The month and day on which a year begins: 1 January, or the fiscal year's first day."""

    month: int = 1
    day: int = 1

    @staticmethod
    def read(text: str) -> YearStart:
        """`07-01` as the first of July. 29 February begins no year, since most years have none."""
        match = _MONTH_DAY.fullmatch(text)
        month, day = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
        if not 1 <= month <= 12 or not 1 <= day <= months.monthrange(2001, month)[1]:
            raise BadCalendar(
                f"{text!r} is no day on which every year can begin", next="Write month and day: 07-01."
            )
        return YearStart(month=month, day=day)

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"

    def following(self, day: date) -> date:
        """The first day of the year after the one in which `day` lies."""
        year = day.year if (day.month, day.day) < (self.month, self.day) else day.year + 1
        return LAST if year > LAST.year else date(year, self.month, self.day)

    def year_of(self, day: date) -> int:
        """The year in which `day` lies, called after the civil year in which it begins."""
        return self.following(day).year - 1 if self.following(day) != LAST else LAST.year


JANUARY = YearStart()


def block_ends(start: YearStart, day: date, years: int, first: int) -> date:
    """The first day after the block of `years` years in which `day` lies; one block began with the year `first`."""
    last = first + ((start.year_of(day) - first) // years + 1) * years
    return LAST if last > LAST.year else date(last, start.month, start.day)


def anniversary(of: date, day: date) -> date:
    """The first anniversary of `of` that falls after `day`; of 29 February it is 1 March in a common year."""
    years = max(1, day.year - of.year)
    while (found := add(of, Period(years=years))) <= day:
        if found == LAST:
            return LAST
        years += 1
    return found

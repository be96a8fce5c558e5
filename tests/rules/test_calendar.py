"""The agency's calendar: periods in civil days, intervals, years, working days; in doubt the later day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from app.retention import calendar
from app.retention.calendar import (
    DAY,
    JANUARY,
    LAST,
    BadCalendar,
    BadPeriod,
    Between,
    Period,
    YearStart,
    add,
    civil,
)
from app.retention.working_days import WorkingDays

ZONES = [
    ZoneInfo(name)
    for name in (
        "America/Juneau",
        "America/Denver",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
    )
]
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2400, 12, 31))
PERIODS = st.builds(
    Period,
    years=st.integers(min_value=0, max_value=120),
    months=st.integers(min_value=0, max_value=40),
    days=st.integers(min_value=0, max_value=1000),
)


# -- periods -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("P3Y", Period(years=3)),
        ("P6M", Period(months=6)),
        ("P90D", Period(days=90)),
        ("P2W", Period(days=14)),
        ("P1Y6M", Period(years=1, months=6)),
        ("P0D", Period()),
    ],
)
def test_a_period_is_read_as_iso_8601_writes_it(written: str, period: Period):
    assert Period.read(written) == period


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("3Y", "P3Y"),
        ("P", "P3Y"),
        ("", "P3Y"),
        ("P3", "P3Y"),
        ("p3y", "P3Y"),
        ("P-3Y", "P3Y"),
        ("P1.5Y", "P3Y"),
        ("P3D1Y", "P3Y"),
        ("P٣Y", "P3Y"),
        ("PT24H", "civil days"),
        ("P1DT1H", "civil days"),
        ("P1Y2W", "write days"),
        ("P10000Y", "permanent"),
    ],
)
def test_what_is_no_period_is_refused_with_how_to_write_it(written: str, remedy: str):
    with pytest.raises(BadPeriod) as refused:
        Period.read(written)
    assert remedy in refused.value.next


@given(PERIODS)
def test_a_period_that_is_written_is_read_again(period: Period):
    assert Period.read(str(period)) == period


def test_a_period_is_said_in_words():
    said = [Period.read(written).words() for written in ("P1Y", "P2Y6M", "P90D", "P0D")]
    assert said == ["1 year", "2 years and 6 months", "90 days", "no time"]


@given(DAYS, PERIODS)
def test_years_months_and_days_are_added_as_anyone_reads_them_and_a_day_that_is_not_there_is_later(
    day: date, period: Period
):
    whole = day + relativedelta(years=period.years, months=period.months)
    missing = whole.day != day.day
    assert add(day, period) == whole + timedelta(days=missing) + timedelta(days=period.days)


@pytest.mark.parametrize(
    ("day", "period", "ends"),
    [
        (date(2024, 2, 29), "P1Y", date(2025, 3, 1)),
        (date(2024, 2, 29), "P4Y", date(2028, 2, 29)),
        (date(2024, 2, 28), "P1Y", date(2025, 2, 28)),
        (date(2096, 2, 29), "P4Y", date(2100, 3, 1)),
        (date(2023, 1, 31), "P1M", date(2023, 3, 1)),
        (date(2024, 1, 30), "P1M", date(2024, 3, 1)),
        (date(2024, 8, 31), "P1M", date(2024, 10, 1)),
        (date(2024, 12, 31), "P2M", date(2025, 3, 1)),
        (date(2024, 12, 31), "P0D", date(2024, 12, 31)),
    ],
)
def test_a_day_that_does_not_exist_ends_later_not_earlier(day: date, period: str, ends: date):
    assert add(day, Period.read(period)) == ends


@given(DAYS, DAYS, PERIODS)
def test_what_begins_later_never_ends_earlier(one: date, other: date, period: Period):
    assert add(min(one, other), period) <= add(max(one, other), period)


@given(DAYS, PERIODS, PERIODS)
def test_a_longer_period_never_ends_earlier(day: date, period: Period, more: Period):
    longer = Period(
        years=period.years + more.years, months=period.months + more.months, days=period.days + more.days
    )
    assert add(day, period) <= add(day, longer)


@given(st.dates(min_value=date(1, 1, 1)), PERIODS)
def test_a_period_is_never_shorter_or_longer_than_it_says(day: date, period: Period):
    ends = add(day, period)
    assert ends == LAST or period.shortest <= (ends - day).days <= period.longest


def test_what_lies_beyond_the_calendar_ends_on_its_last_day():
    assert add(date(2026, 1, 1), Period(years=9000)) == LAST
    assert add(date(9999, 12, 1), Period(days=40)) == LAST
    assert add(date(9999, 12, 31), Period(months=1)) == LAST
    assert calendar.next_day(LAST) == LAST


# -- moments -----------------------------------------------------------------------------------------------


def test_a_moment_belongs_to_the_agencys_own_day():
    late = datetime(2026, 7, 1, 3, 30, tzinfo=UTC)
    assert civil(late, ZoneInfo("America/Juneau")) == date(2026, 6, 30)
    assert civil(late, ZoneInfo("Europe/Berlin")) == date(2026, 7, 1)


def test_a_moment_without_its_zone_has_no_day():
    with pytest.raises(BadCalendar):
        civil(datetime(2026, 7, 1, 3, 30), ZoneInfo("UTC"))  # noqa: DTZ001  # that is the test


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(
    st.datetimes(min_value=datetime(1975, 1, 1), max_value=datetime(2036, 1, 1)),  # noqa: DTZ001  # UTC is added
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)),
)
def test_a_later_moment_never_has_an_earlier_day(zone: ZoneInfo, moment: datetime, later: timedelta):
    moment = moment.replace(tzinfo=UTC)
    assert civil(moment, zone) <= civil(moment + later, zone)


@pytest.mark.parametrize(
    ("name", "year", "times"),
    [
        ("America/Juneau", 2026, 2),
        ("America/St_Johns", 2007, 2),
        ("America/Sao_Paulo", 2018, 2),
        ("Australia/Lord_Howe", 2024, 2),
        ("Pacific/Apia", 2011, 3),
    ],
)
def test_around_every_change_of_the_clock_days_follow_one_another(name: str, year: int, times: int):
    zone = ZoneInfo(name)
    moments = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=6 * quarter) for quarter in range(4 * 365)]
    changes = [
        one
        for one, other in pairwise(moments)
        if one.astimezone(zone).utcoffset() != other.astimezone(zone).utcoffset()
    ]
    assert len(changes) == times
    for change in changes:
        around = [change + timedelta(minutes=minute) for minute in range(-60, 480)]
        days = [civil(moment, zone) for moment in around]
        assert days == sorted(days)
        assert all(moment.astimezone(zone).date() <= day for moment, day in zip(around, days, strict=True))


def test_a_day_that_begins_twice_has_begun():
    """In St. John's, clocks went back from 0:01 to 23:01 of the day before until 2011."""
    zone = ZoneInfo("America/St_Johns")
    before = datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC)  # 0:00:30 on the 7th
    after = before + timedelta(minutes=20)  # 23:20 on the 6th, for the second time
    assert after.astimezone(zone).date() < before.astimezone(zone).date(), "the clock goes back over midnight"
    assert civil(after, zone) == civil(before, zone) == date(2010, 11, 7)


def test_an_interval_is_known_by_its_later_end():
    zone = ZoneInfo("America/Juneau")
    seen, missed = datetime(2026, 3, 1, 20, tzinfo=UTC), datetime(2026, 3, 3, 20, tzinfo=UTC)
    assert Between.of(seen, missed, zone) == Between(after=date(2026, 3, 1), by=date(2026, 3, 3))
    assert Between.of(None, missed, zone) == Between(by=date(2026, 3, 3))


# -- years -------------------------------------------------------------------------------------------------


def test_a_fiscal_year_ends_before_its_first_day():
    july = YearStart.read("07-01")
    assert july.following(date(2026, 6, 30)) == date(2026, 7, 1)
    assert july.following(date(2026, 7, 1)) == date(2027, 7, 1)
    assert JANUARY.following(date(2026, 1, 1)) == date(2027, 1, 1)
    assert JANUARY.following(LAST) == LAST


@pytest.mark.parametrize(
    "written", ["7-1", "13-01", "04-31", "02-29", "00-10", "July", "07-01-2026", "07-00"]
)
def test_a_day_that_no_year_or_not_every_year_has_begins_none(written: str):
    with pytest.raises(BadCalendar, match="every year") as refused:
        YearStart.read(written)
    assert "07-01" in refused.value.next


@given(DAYS, st.dates(min_value=date(2001, 1, 1), max_value=date(2001, 12, 31)))
def test_the_year_after_is_the_first_that_begins_later(day: date, begins: date):
    start = YearStart(month=begins.month, day=begins.day)
    following = start.following(day)
    assert (following.month, following.day) == (start.month, start.day)
    assert day < following <= date(day.year + 1, 12, 31)
    assert (following - day).days <= 366


def test_years_leave_in_blocks_when_the_last_of_them_is_over():
    block = {day: calendar.block_ends(JANUARY, date(day, 6, 1), 5, 2001) for day in (2000, 2001, 2005, 2006)}
    assert block == {
        2000: date(2001, 1, 1),
        2001: date(2006, 1, 1),
        2005: date(2006, 1, 1),
        2006: date(2011, 1, 1),
    }
    july = YearStart(month=7, day=1)
    assert calendar.block_ends(july, date(2006, 6, 30), 5, 2001) == date(2006, 7, 1)
    assert calendar.block_ends(july, date(2006, 7, 1), 5, 2001) == date(2011, 7, 1)


@given(DAYS, DAYS, st.integers(min_value=1, max_value=20), st.integers(min_value=1900, max_value=2100))
def test_a_later_day_never_leaves_with_an_earlier_block(one: date, other: date, years: int, first: int):
    early, late = sorted((one, other))
    ends = [calendar.block_ends(JANUARY, day, years, first) for day in (early, late)]
    assert early < ends[0] <= ends[1]


def test_an_anniversary_follows_the_day_and_is_later_where_the_day_is_missing():
    assert calendar.anniversary(date(2020, 3, 5), date(2024, 3, 4)) == date(2024, 3, 5)
    assert calendar.anniversary(date(2020, 3, 5), date(2024, 3, 5)) == date(2025, 3, 5)
    assert calendar.anniversary(date(2020, 2, 29), date(2025, 1, 1)) == date(2025, 3, 1)
    assert calendar.anniversary(date(2020, 3, 5), date(2020, 3, 5)) == date(2021, 3, 5)
    assert calendar.anniversary(date(2020, 3, 5), LAST) == LAST


@given(DAYS, DAYS)
def test_there_is_an_anniversary_within_a_year(of: date, day: date):
    found = calendar.anniversary(of, day)
    assert found > day
    assert found <= max(add(day, Period(years=1)) + DAY, add(of, Period(years=1)))


# -- working days ------------------------------------------------------------------------------------------

ALASKA = WorkingDays(country="US", subdivision="AK", closed={date(2026, 7, 2): "the office moves"})


def test_holidays_of_the_state_are_observed_on_the_days_on_which_the_state_observes_them():
    assert ALASKA.closed_for(date(2026, 3, 30)) == "Seward's Day"
    assert "observed" in (ALASKA.closed_for(date(2026, 7, 3)) or "")
    assert ALASKA.closed_for(date(2026, 7, 4)) == "weekend"
    assert WorkingDays(country="US", subdivision="WY").works(date(2026, 3, 30))


def test_the_agencys_own_days_stand_beside_them():
    assert ALASKA.closed_for(date(2026, 7, 2)) == "the office moves"
    opened = WorkingDays(country="US", subdivision="AK", open=frozenset({date(2026, 3, 30)}))
    assert opened.works(date(2026, 3, 30))
    assert WorkingDays(closed={date(2026, 3, 30): "Founders' Day"}).holidays(2026) == [
        (date(2026, 3, 30), "Founders' Day")
    ]


def test_without_a_country_only_weekends_are_free():
    plain = WorkingDays()
    assert plain.works(date(2026, 7, 3))
    assert plain.holidays(2026) == []
    assert plain.after(date(2026, 7, 3), 1) == date(2026, 7, 6)


def test_the_day_itself_is_not_counted():
    """Received on Wednesday 1 July: the fifth working day, with the 2nd, the 3rd and a weekend free, is the 10th."""
    assert ALASKA.after(date(2026, 7, 1), 5) == date(2026, 7, 10)
    assert ALASKA.between(date(2026, 7, 1), date(2026, 7, 10)) == 5
    assert ALASKA.this_or_next(date(2026, 7, 1)) == date(2026, 7, 1)
    assert ALASKA.this_or_next(date(2026, 7, 2)) == date(2026, 7, 6)


@given(
    st.dates(min_value=date(2015, 1, 1), max_value=date(2035, 1, 1)), st.integers(min_value=1, max_value=40)
)
def test_counting_there_and_back_agrees(day: date, count: int):
    found = ALASKA.after(day, count)
    assert ALASKA.works(found)
    assert ALASKA.between(day, found) == count


def test_a_list_of_a_years_holidays_can_be_checked_by_a_person():
    names = [why for _, why in ALASKA.holidays(2026)]
    assert "Alaska Day (observed)" in names
    assert "the office moves" in names
    assert "weekend" not in names


@pytest.mark.parametrize(
    "made",
    [
        lambda: WorkingDays(country="XX"),
        lambda: WorkingDays(country="US", subdivision="Alaska"),
        lambda: WorkingDays(subdivision="AK"),
        lambda: WorkingDays(weekend=frozenset(range(7))),
        lambda: WorkingDays().after(date(2026, 1, 1), 0),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_with_a_remedy(made):
    with pytest.raises(BadCalendar) as refused:
        made()
    assert refused.value.next

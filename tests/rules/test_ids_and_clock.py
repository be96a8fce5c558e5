"""Ids tell when they were made and nothing else; time comes from a clock that is handed in."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import RFC_4122, UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db import from_instant, to_instant
from app.records import ids
from app.records.clock import FixedClock, SystemClock, today
from app.records.errors import Invalid
from app.records.ids import new_id, new_ids

JUNEAU = ZoneInfo("America/Juneau")
MOMENTS = st.datetimes(timezones=st.timezones())


def test_an_id_is_a_uuid_of_version_7():
    for identity in (new_id(), *(UUID(bytes=one) for one in new_ids(100))):
        assert (identity.version, identity.variant) == (7, RFC_4122)


def test_ids_are_all_different():
    assert len({*new_ids(20_000), *(new_id().bytes for _ in range(1_000))}) == 21_000
    assert new_ids(0) == []


def test_an_id_tells_the_millisecond_in_which_it_was_made():
    before = time.time_ns() // 1_000_000
    made = [new_id().int >> 80, *(int.from_bytes(one) >> 80 for one in new_ids(3))]
    after = time.time_ns() // 1_000_000
    assert all(before <= one <= after for one in made)


def test_ids_made_later_sort_after_those_made_before():
    earlier = ids._value(1_700_000_000_000, b"\xff" * 10)
    later = ids._value(1_700_000_000_001, b"\x00" * 10)
    assert earlier.to_bytes(16) < later.to_bytes(16)


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_chance_is_the_only_thing_that_tells_two_ids_of_one_moment_apart(one: bytes, other: bytes):
    free = (1 << 76) - 1  # 74 bits of the 80 are used, beside version and variant
    same = ids._value(1, one) == ids._value(1, other)
    assert same == ((int.from_bytes(one) ^ int.from_bytes(other)) & ((1 << 74) - 1) == 0)
    assert ids._value(1, one) >> 76 == ids._value(1, other) >> 76
    assert ids._value(1, one) & ~free == ids._value(1, other) & ~free


def test_the_machines_clock_tells_the_present_moment_in_utc():
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_fixed_clock_stands_until_it_is_moved():
    clock = FixedClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2026, 3, 2, 12, tzinfo=UTC)
    clock.at += timedelta(hours=1)
    assert clock.now() == datetime(2026, 3, 2, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "day"), [(8, date(2026, 3, 1)), (9, date(2026, 3, 2)), (23, date(2026, 3, 2))]
)
def test_today_is_the_agencys_date_and_not_that_of_utc(hour: int, day: date):
    assert today(FixedClock(datetime(2026, 3, 2, hour, tzinfo=UTC)), JUNEAU) == day


@given(MOMENTS)
def test_a_moment_comes_back_from_its_row_as_it_was(moment: datetime):
    assert from_instant(to_instant(moment)) == moment.astimezone(UTC)


@given(MOMENTS, MOMENTS)
def test_moments_sort_in_rows_as_they_happened(one: datetime, other: datetime):
    happened = (one.astimezone(UTC) < other.astimezone(UTC), one.astimezone(UTC) == other.astimezone(UTC))
    assert (to_instant(one) < to_instant(other), to_instant(one) == to_instant(other)) == happened


def test_a_moment_without_a_zone_is_refused_and_not_guessed():
    with pytest.raises(ValueError, match="no time zone"):
        to_instant(datetime(2026, 3, 2, 12))  # noqa: DTZ001 - that is the point
    assert to_instant(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0


# -- lists of ids ------------------------------------------------------------------------------------------

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n{OTHER}",
        f"\ufeff{ONE}\r\n\r\n{OTHER}\r\n",
        f"  {ONE}\t{OTHER} {ONE}",
        f"{ONE.hex.upper()}\n{OTHER}\n{ONE}\n",
    ],
)
def test_a_list_of_ids_is_one_a_line_or_divided_by_blanks_and_each_counts_once(text: str):
    assert ids.listed(text) == ids.of_file(text.encode()) == [ONE, OTHER]


def test_a_mistake_in_a_list_of_ids_is_told_with_its_line():
    with pytest.raises(Invalid, match=r"line 3: 'p1' is no record id"):
        ids.listed(f"{ONE}\n\n{OTHER} p1\n")


def test_a_file_that_is_no_text_is_no_list_of_ids():
    with pytest.raises(Invalid, match="cannot be read as ids of records: byte 37"):
        ids.of_file(f"{ONE}\xff".encode("latin-1"))


def test_a_list_of_nothing_names_nothing():
    assert ids.listed(" \n") == ids.of_file(b"") == []

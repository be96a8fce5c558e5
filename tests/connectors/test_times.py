"""What a platform writes for a time is a moment in UTC, or none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import times

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["2026-03-02T12:00:00Z", "2026-03-02T12:00:00", "2026-03-02T07:00:00-05:00", "2026-03-02T12:00:00+0000"],
)
def test_every_way_to_write_a_moment_is_that_moment(written: str):
    assert times.iso(written) == NOON


@pytest.mark.parametrize(
    "written",
    [None, "", "yesterday", "0000-00-00T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)
def test_what_is_no_moment_is_none(written: str | None):
    assert times.iso(written) is None


@given(st.text(max_size=40) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat))
def test_nothing_that_is_written_is_an_error(written: str):
    read = times.iso(written)
    assert read is None or read.utcoffset() == UTC.utcoffset(None)


@given(st.floats() | st.integers())
def test_no_number_of_seconds_is_an_error(seconds: float):
    read = times.epoch(seconds)
    assert read is None or read.tzinfo is UTC
    assert times.epoch(NOON.timestamp()) == NOON

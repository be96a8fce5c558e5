"""A pass over a span of time reads as far before it as something may be answered within it, and knows when it is past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.reach import Reach, newest_first

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_pass_with_a_side_that_is_closed_is_about_a_part_of_the_page():
    assert Reach(NOON, None, DAY).narrowed
    assert Reach(None, NOON, DAY).narrowed
    assert not Reach(None, None, DAY).narrowed


def test_a_pass_reaches_back_to_before_its_span_and_one_without_a_beginning_reaches_everything():
    assert Reach(NOON, None, DAY).earliest == NOON - DAY
    assert Reach(None, NOON, DAY).earliest is None


def test_a_span_near_the_beginning_of_time_reaches_no_further():
    first = datetime.min.replace(tzinfo=UTC)
    assert Reach(first + DAY / 2, None, DAY).earliest == first


def test_times_that_stand_newest_first_are_told():
    assert newest_first([NOON, NOON, NOON - DAY]) == [NOON, NOON, NOON - DAY]


def test_where_a_time_is_missing_or_out_of_order_nothing_is_concluded_from_any():
    assert newest_first([NOON, None]) == []
    assert newest_first([NOON - DAY, NOON]) == []
    assert newest_first([]) == []

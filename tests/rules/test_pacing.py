"""How often a page is captured: what the night reads, what is looked for in between, and when a page is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture import lanes, pacing
from app.capture.hints import Hint
from app.capture.pacing import BadPace, Facts, Pace
from app.capture.run import Pass
from connectors.contract import Kind

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PACE = Pace()
KNOWN = Facts(
    narrows=True,
    whole_at=NOW - timedelta(days=3),
    covered_at=NOW - timedelta(hours=6),
    tried_at=NOW - timedelta(hours=1),
    spent=100,
    usual_cost=3,
)


def test_the_first_night_reads_everything():
    assert [one.lane for one in pacing.nightly(PACE, Facts(narrows=True), None, NOW)] == [lanes.WHOLE]


def test_a_pass_over_everything_that_was_not_seen_through_is_gone_on_with():
    begun = replace(KNOWN, unfinished=True)
    assert [one.lane for one in pacing.nightly(PACE, begun, None, NOW)] == [lanes.WHOLE]


def test_later_nights_read_the_window_and_a_part_of_what_is_older():
    older = Pass(lane=lanes.SWEEP, published_until=NOW - timedelta(days=30))
    window, swept = pacing.nightly(PACE, KNOWN, older, NOW)
    assert (window.lane, window.published_from) == (lanes.WINDOW, NOW - timedelta(days=30))
    assert swept == replace(older, most=swept.most)


def test_a_page_that_cannot_be_narrowed_is_read_whole_each_night():
    assert [one.lane for one in pacing.nightly(PACE, replace(KNOWN, narrows=False), None, NOW)] == [
        lanes.WHOLE
    ]


def test_a_window_reaches_back_to_what_was_not_covered():
    away = replace(KNOWN, covered_at=NOW - timedelta(days=50))
    window = pacing.nightly(PACE, away, None, NOW)[0]
    assert window.published_from == NOW - timedelta(days=50) - pacing.OVERLAP


def test_what_is_new_is_looked_for_when_its_minutes_have_passed_and_not_before():
    due = pacing.lately(PACE, KNOWN, NOW)
    assert due is not None
    assert (due.lane, due.published_from) == (lanes.LATELY, NOW - timedelta(days=1))
    assert pacing.lately(PACE, replace(KNOWN, tried_at=NOW - timedelta(minutes=14)), NOW) is None
    assert pacing.lately(Pace(every=0), KNOWN, NOW) is None


def test_a_page_that_was_connected_since_it_was_last_tried_is_looked_at_at_once():
    failing = replace(KNOWN, failures=9, tried_at=NOW - timedelta(minutes=1))
    assert pacing.lately(PACE, failing, NOW) is None
    assert pacing.lately(PACE, replace(failing, failures=0, anew=True), NOW) is not None
    assert pacing.lately(PACE, replace(failing, failures=0, anew=True, spent=2498), NOW) is None


def test_a_page_that_cannot_be_narrowed_and_failed_is_tried_again_before_the_night():
    failed = replace(KNOWN, narrows=False, unfinished=True, failures=1, tried_at=NOW - timedelta(minutes=30))
    due = pacing.lately(PACE, failed, NOW)
    assert due is not None
    assert (due.lane, due.published_from) == (lanes.WHOLE, None)
    assert pacing.lately(PACE, replace(failed, tried_at=NOW - timedelta(minutes=29)), NOW) is None
    assert pacing.lately(PACE, replace(failed, spent=5000), NOW) is None, "its budget is spent"


def test_a_page_that_was_never_captured_waits_for_its_night():
    assert pacing.lately(PACE, Facts(narrows=True), NOW) is None


def test_looks_in_between_leave_half_of_the_budget_to_the_night():
    assert pacing.lately(PACE, replace(KNOWN, spent=2497), NOW) is not None
    assert pacing.lately(PACE, replace(KNOWN, spent=2498), NOW) is None


def test_a_page_that_costs_much_is_looked_at_less_often():
    dear = replace(KNOWN, usual_cost=500)
    assert pacing.lately(PACE, dear, NOW) is None
    assert pacing.lately(PACE, replace(dear, tried_at=NOW - timedelta(hours=4, minutes=48)), NOW) is not None


@given(st.integers(0, 60))
def test_a_page_that_fails_is_left_alone_for_longer_each_time_but_never_for_more_than_four_hours(
    failures: int,
):
    wait = pacing.backoff(PACE, failures)
    assert wait <= pacing.backoff(PACE, failures + 1) <= timedelta(hours=4)
    failing = replace(KNOWN, failures=failures, tried_at=NOW - max(wait, timedelta(minutes=15)))
    assert pacing.lately(PACE, failing, NOW) is not None
    if failures:
        assert pacing.lately(PACE, replace(failing, tried_at=NOW - wait + timedelta(seconds=1)), NOW) is None


@given(st.integers(0, 5_000_000), st.integers(1, 400), st.integers(1, 1000))
def test_as_many_nights_as_a_sweep_has_see_everything(held: int, nights: int, days: int):
    pace = Pace(sweep=days)
    assert pacing.part(held, 1, pace) * days >= held
    assert pacing.part(held, nights, pace) <= held
    assert pacing.part(held, nights, pace) >= pacing.part(held, 1, pace)


def test_busy_posts_come_busiest_first_and_quiet_ones_not_at_all():
    assert pacing.busy(PACE, {"a": 20, "b": 19, "c": 90, "d": 20}) == ["c", "a", "d"]
    assert pacing.busy(Pace(surge=0), {"c": 90}) == []


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"evry": 5}, "evry"),
        ({"every": -1}, "every"),
        ({"window": 0}, "window"),
        ({"budget": "many"}, "budget"),
    ],
)
def test_a_pace_that_cannot_be_is_refused_and_says_what_is_wrong(told: dict[str, object], says: str):
    with pytest.raises(BadPace, match=says):
        PACE.changed(told)


def test_a_page_keeps_its_own_numbers_and_takes_the_others_from_the_archive():
    assert Pace.read('{"every": 5}', Pace(sweep=10)) == Pace(every=5, sweep=10)


# -- what a platform told of ---------------------------------------------------------------------------------


def hint(key: int = 1, **more: Any) -> Hint:
    given: dict[str, Any] = {
        "key": key,
        "native_id": f"p{key}",
        "told_at": NOW - timedelta(seconds=90),
        **more,
    }
    return Hint(**given)


def told(*waiting: Hint, facts: Facts = KNOWN, pace: Pace = PACE, families: bool = True) -> Pass | None:
    return pacing.told(pace, facts, waiting, NOW, families=families)


def test_what_was_told_of_is_looked_at_together_and_nothing_is_done_where_nothing_was():
    assert told() is None
    both = told(hint(1), hint(2, kind=Kind.COMMENT))
    assert both is not None
    assert (both.lane, both.families, both.looks, both.hints) == (
        lanes.TOLD,
        ("p1",),
        ((Kind.COMMENT, "p2"),),
        (1, 2),
    )
    assert both.most == PACE.budget - KNOWN.spent - pacing.SURGE_LEAVES


def test_a_pass_and_single_posts_are_two_runs_and_what_was_told_first_comes_first():
    since = hint(1, native_id=None, since=NOW - timedelta(hours=1))
    first = told(since, hint(2, told_at=NOW))
    assert first is not None
    assert (first.published_from, first.singly, first.hints) == (NOW - timedelta(hours=1), False, (1,))
    other = told(replace(since, told_at=NOW), hint(2))
    assert other is not None
    assert (other.families, other.hints) == (("p2",), (2,))


def test_what_failed_goes_alone_and_after_everything_that_was_never_tried():
    one = told(hint(1, tries=1), hint(2), hint(3))
    assert one is not None
    assert one.hints == (2, 3)
    one = told(hint(1, tries=2), hint(2, tries=1), hint(3, tries=1, told_at=NOW))
    assert one is not None
    assert one.hints == (2,)


def test_what_was_looked_at_a_moment_ago_rests_for_as_long_as_a_busy_post_does():
    just = hint(1, taken_at=NOW - timedelta(seconds=119))
    assert told(just) is None
    assert told(replace(just, taken_at=NOW - timedelta(minutes=2))) is not None
    assert told(replace(just, taken_at=NOW - timedelta(minutes=2)), pace=Pace(surge=5)) is None
    assert told(hint(1), pace=Pace(surge=0)) is not None


@pytest.mark.parametrize(("spent", "budget", "looks"), [(4499, 5000, True), (4500, 5000, False), (0, 1, True), (5, 10, False)])  # fmt: skip
def test_a_part_of_the_budget_is_left_to_the_passes(spent, budget, looks):
    found = told(hint(1), facts=replace(KNOWN, spent=spent), pace=Pace(budget=budget))
    assert (found is not None) == looks


def test_a_page_that_fails_is_left_alone_until_it_is_connected_again():
    failing = replace(KNOWN, failures=1, tried_at=NOW - timedelta(minutes=29))
    assert told(hint(1), facts=failing) is None
    assert told(hint(1), facts=replace(failing, anew=True)) is not None
    assert told(hint(1), facts=replace(failing, tried_at=NOW - timedelta(minutes=30))) is not None


def test_who_cannot_observe_one_post_makes_a_pass_and_who_cannot_narrow_waits_for_the_next():
    one = told(hint(1), families=False)
    assert one is not None
    assert (one.singly, one.published_from) == (False, NOW - timedelta(seconds=90) - pacing.LATEST)
    cannot = replace(KNOWN, narrows=False)
    assert told(hint(1), facts=cannot, families=False) is None
    assert told(hint(1, native_id=None, since=NOW), facts=cannot) is None
    looked = told(hint(1, kind=Kind.POST), facts=cannot, families=False)
    assert looked is not None
    assert looked.looks == ((Kind.POST, "p1"),)


def test_posts_that_are_observed_by_themselves_put_no_pass_off():
    busy = replace(KNOWN, tried_at=NOW - timedelta(seconds=30), passed_at=NOW - timedelta(minutes=15))
    assert pacing.lately(PACE, busy, NOW) is not None
    assert pacing.lately(PACE, replace(busy, passed_at=NOW - timedelta(minutes=14)), NOW) is None
    assert pacing.lately(PACE, replace(busy, failures=1), NOW) is None, (
        "whatever failed, the page is left alone"
    )

"""Coverage: an unbroken account of when capture was provably working, and why not where it was not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.capture.coverage import Cover, Passed, Pause, account, clipped, days

BEGAN = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)
JUNEAU = ZoneInfo("America/Juneau")


def passed(at: float, *lacks: str, finished: bool = True, reaches: float | None = None) -> Passed:
    """A pass that began `at` days after the first, and took ten minutes."""
    began = BEGAN + at * DAY
    return Passed(
        began_at=began,
        ended_at=began + timedelta(minutes=10),
        finished=finished,
        published_from=None if reaches is None else BEGAN + reaches * DAY,
        lacks=lacks,
    )


def covers(*passes: Passed, now: float, pauses: tuple[Pause, ...] = ()) -> list[tuple[str, tuple[str, ...]]]:
    """How each window after the first capture is covered, and why."""
    found = account(list(passes), pauses, now=BEGAN + now * DAY)
    assert found[0].since is None
    return [(str(one.cover), one.why) for one in found[1:]]


def test_a_page_that_was_never_captured_is_covered_nowhere():
    (only,) = account([], [], now=BEGAN)
    assert (only.cover, only.why) == (Cover.UNCOVERED, ("it has never been captured",))


def test_the_time_before_the_first_capture_is_uncovered_and_says_so():
    first = account([passed(0)], [], now=BEGAN + DAY / 2)[0]
    assert (first.since, first.until, first.cover) == (None, BEGAN, Cover.UNCOVERED)
    assert "before the first capture" in first.why[0]


def test_nights_that_follow_one_another_cover_what_lies_between_them():
    assert covers(passed(0), passed(1), passed(2), now=2.5) == [
        ("covered", ()),
        ("covered", ()),
        ("pending", ()),
    ]


def test_an_outage_is_uncovered_from_the_last_good_pass_to_the_next_and_says_why():
    broken = passed(1, "what the page would have shown: 503", finished=False)
    assert covers(passed(0), broken, passed(2), now=2.1) == [
        ("uncovered", ("what the page would have shown: 503",)),
        ("pending", ()),
    ]


def test_a_broken_pass_between_two_good_ones_that_are_near_each_other_uncovers_nothing():
    assert covers(passed(0), passed(0.5, "503", finished=False), passed(1), now=1)[0] == ("covered", ())


def test_a_pass_that_knows_of_a_gap_covers_partly():
    assert covers(passed(0), passed(1, "an attachment: 404"), now=1) == [("partly", ("an attachment: 404",))]


def test_a_page_that_is_not_reached_any_more_is_uncovered_once_a_night_and_a_little_have_passed():
    assert covers(passed(0), now=26 / 24)[-1][0] == "pending"
    assert covers(passed(0), now=27 / 24) == [("uncovered", ("no pass was made",))]


def test_a_pause_is_named_where_it_made_a_window_uncovered():
    pause = Pause(since=BEGAN + DAY / 2, until=BEGAN + 3 * DAY, why="paused: the page moves")
    assert covers(passed(0), passed(3), now=3, pauses=(pause,)) == [
        ("uncovered", ("paused: the page moves",))
    ]


def test_a_narrow_pass_covers_only_if_it_reaches_back_to_the_one_before():
    assert covers(passed(0), passed(1, reaches=-29), now=1) == [("covered", ())]
    assert covers(passed(0), passed(1, reaches=0.5), now=1.2) == [("uncovered", ("no pass was made",))]


def test_a_narrow_pass_alone_covers_nothing():
    (only,) = account([passed(0, reaches=-1)], [], now=BEGAN + DAY)
    assert only.cover is Cover.UNCOVERED


SOME = st.lists(
    st.tuples(st.integers(0, 40 * 24), st.booleans(), st.booleans(), st.none() | st.integers(-100, 40 * 24)),
    max_size=25,
    unique_by=lambda one: one[0],
)
"""Passes over one page; no two of them begin at once, since a page is captured by one at a time."""


def made(told: list[tuple[int, bool, bool, int | None]]) -> list[Passed]:
    return [
        passed(
            hour / 24,
            *(["something"] if lacks else []),
            finished=finished,
            reaches=None if since is None else since / 24,
        )
        for hour, finished, lacks, since in sorted(told, key=lambda one: one[0])
    ]


@given(SOME)
def test_an_account_has_no_room_between_its_windows_and_ends_now(
    told: list[tuple[int, bool, bool, int | None]],
):
    now = BEGAN + 41 * DAY
    found = account(made(told), [], now=now)
    assert found[0].since is None
    assert all(before.until == after.since for before, after in pairwise(found))
    assert found[-1].until == now


@given(SOME)
def test_nothing_is_covered_that_does_not_lie_between_two_passes_that_were_seen_through(
    told: list[tuple[int, bool, bool, int | None]],
):
    passes = made(told)
    seen_through = {one.began_at for one in passes if one.finished}
    for window in account(passes, [], now=BEGAN + 41 * DAY):
        if window.cover in (Cover.COVERED, Cover.PARTLY):
            assert window.since in seen_through
            assert window.until in seen_through
            assert window.until - window.since <= timedelta(hours=26)


@given(SOME)
def test_every_window_that_is_not_covered_says_why(told: list[tuple[int, bool, bool, int | None]]):
    for window in account(made(told), [], now=BEGAN + 41 * DAY):
        assert window.why or window.cover in (Cover.COVERED, Cover.PENDING)


@given(SOME, st.integers(0, 20))
def test_the_later_part_of_an_account_is_the_same_as_in_the_whole(
    told: list[tuple[int, bool, bool, int | None]], cut: int
):
    now, passes = BEGAN + 41 * DAY, made(told)
    whole = account(passes, [], now=now)
    covering = [one.until for one in whole if one.since is None] + [
        one.until for one in whole if one.since is not None and one.until < now
    ]
    earlier = [at for at in covering if at < BEGAN + cut * DAY and any(one.began_at == at for one in passes)]
    if not earlier:
        return
    later = account([one for one in passes if one.began_at > earlier[-1]], [], now=now, reached=earlier[-1])
    assert clipped(later, earlier[-1], now) == clipped(whole, earlier[-1], now)


def test_a_clipped_account_is_as_long_as_what_was_asked_for():
    whole = account([passed(0), passed(1), passed(2), passed(5)], [], now=BEGAN + 6 * DAY)
    part = clipped(whole, BEGAN + DAY / 2, BEGAN + 5.5 * DAY)
    assert [(one.cover, one.since, one.until) for one in part] == [
        (Cover.COVERED, BEGAN + DAY / 2, BEGAN + 2 * DAY),
        (Cover.UNCOVERED, BEGAN + 2 * DAY, BEGAN + 5 * DAY),
        (Cover.PENDING, BEGAN + 5 * DAY, BEGAN + 5.5 * DAY),
    ]


def test_a_day_is_covered_wholly_partly_or_not_at_all_in_the_agencys_time():
    whole = account([passed(number) for number in (0, 1, 2, 5, 6)], [], now=BEGAN + 6 * DAY)
    told = {day.on: str(day.cover) for day in days(whole, date(2026, 2, 27), date(2026, 3, 9), JUNEAU)}
    assert [told[date(2026, 2, 27) + number * DAY] for number in range(11)] == [
        "uncovered",
        "uncovered",
        "partly",
        "covered",
        "partly",
        "uncovered",
        "uncovered",
        "partly",
        "covered",
        "pending",
        "pending",
    ]


def test_a_day_on_which_the_clocks_change_has_its_own_length():
    passes = [passed(number) for number in range(12)]
    told = days(account(passes, [], now=BEGAN + 11 * DAY), date(2026, 3, 7), date(2026, 3, 9), JUNEAU)
    assert [str(day.cover) for day in told] == ["covered"] * 3

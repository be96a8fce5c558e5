"""What is done with a page each night and in between, on a real archive over many simulated days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from sqlalchemy import func, select

from app.capture import lanes, pages, plans, run
from app.capture.pacing import BadPace, Pace
from app.capture.run import Pass
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from app.store.tables import records
from connectors.contract import Batch, Client, Cursor, Kind, Listing, Manifest, Observation
from connectors.contract import Page as PageAddress
from connectors.errors import ConnectorError, TryAgainLater
from tests.steps.scripted import ScriptedClient, listing
from tests.steps.test_capture import comment, post

PACE = Pace(window=10, sweep=20)


class Shelf:
    """A page whose posts stand in order of publication; it is asked for a span, ten posts an answer."""

    manifest: ClassVar[Manifest] = Manifest(
        name="shelf", title="A shelf", platform="blog", route="api", captures={}, narrows=True
    )

    def __init__(
        self, http: Client, posts: Sequence[Observation], error: ConnectorError | None = None
    ) -> None:
        self.http, self.posts, self.error = http, posts, error
        self.asked: list[tuple[datetime | None, datetime | None]] = []

    def observe(self, page: PageAddress, since: Cursor | None) -> Iterator[Batch]:
        self.asked.append((page.published_from, page.published_until))
        began = self.http.now()
        shown = [
            one
            for one in self.posts
            if one.published_at is not None
            and (page.published_from is None or one.published_at >= page.published_from)
            and (page.published_until is None or one.published_at <= page.published_until)
        ]
        clock = FixedClock(began)
        start = int(since) if since and since != "end" else 0
        for place in range(start, max(len(shown), 1), 10):
            whole = Listing(
                kinds=[Kind.POST],
                began_at=began,
                exchange=0,
                published_from=page.published_from,
                published_until=page.published_until,
            )
            last = place + 10 >= len(shown)
            yield listing(
                clock,
                *shown[place : place + 10],
                cursor="end" if last else str(place + 10),
                listings=[whole] if last and not start else [],
            )
            if self.error is not None:
                raise self.error

    def look(self, page: PageAddress, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        yield from ()


class Days:
    """A page over many days."""

    def __init__(self, store: Store, clock: FixedClock, posts: list[Observation]) -> None:
        self.store, self.clock, self.posts = store, clock, posts
        self.error: ConnectorError | None = None
        with store.database.begin() as tx:
            self.page = pages.add(
                store,
                tx,
                connector="shelf",
                platform="blog",
                address="https://shelf.example",
                name="Shelf",
                by=None,
                why="test",
            )
        self.asked: list[tuple[datetime | None, datetime | None]] = []

    def make(self, wanted: Pass) -> Report:
        client = ScriptedClient(self.clock)
        shelf = Shelf(client, self.posts, self.error)
        report = run.capture(
            self.store,
            self.page,
            shelf,
            client,
            by=None,
            why="test",
            tick=lambda: 0.0,
            pass_=wanted,
        )
        self.asked += shelf.asked
        return report

    def night(self) -> list[Report]:
        with self.store.database.read() as tx:
            wanted = plans.tonight(self.store, tx, self.page, PACE, narrows=True)
        return [self.make(one) for one in wanted]

    def due(self) -> Pass | None:
        with self.store.database.read() as tx:
            return plans.now_due(self.store, tx, self.page, PACE, narrows=True)

    def unseen_for(self) -> timedelta:
        """How long ago the record that nobody has seen for longest was seen."""
        with self.store.database.read() as tx:
            oldest = tx.execute(select(func.min(records.c.last_seen))).scalar_one()
        return self.clock.at - datetime.fromtimestamp(oldest / 1e6, self.clock.at.tzinfo)


@pytest.fixture
def days(store: Store, clock: FixedClock) -> Days:
    posts = [
        post(f"p{number}", f"words {number}", published_at=clock.at - timedelta(days=number * 3, hours=1))
        for number in range(150)
    ]
    return Days(store, clock, posts)


def test_every_record_is_seen_again_within_its_days_and_no_night_reads_everything(days: Days):
    assert [report.status for report in days.night()] == ["complete"]
    for _ in range(60):
        days.clock.at += timedelta(days=1)
        days.posts.insert(
            0, post(f"n{days.clock.at}", "new", published_at=days.clock.at - timedelta(hours=2))
        )
        reports = days.night()
        assert [report.status for report in reports] == ["complete", "complete"]
        assert sum(report.tally.unchanged for report in reports) < 40
        assert days.unseen_for() <= timedelta(days=PACE.sweep)


def test_a_removal_long_ago_is_found_by_the_sweep_and_not_before(days: Days):
    days.night()
    del days.posts[100]
    missing = []
    for _ in range(PACE.sweep):
        days.clock.at += timedelta(days=1)
        missing.append(sum(report.tally.absent for report in days.night()))
    assert missing[0] == 0
    assert sum(missing) == 1


def test_what_a_narrow_pass_does_not_ask_for_is_not_missing(days: Days):
    days.night()
    days.clock.at += timedelta(hours=2)
    due = days.due()
    assert due is not None
    report = days.make(due)
    assert (report.tally.absent, report.tally.new) == (0, 0)
    assert days.asked[-1] == (due.published_from, None)


def test_nights_that_were_missed_are_made_up_for_by_larger_parts(days: Days):
    days.night()
    days.clock.at += timedelta(days=1)
    usual = sum(report.tally.unchanged for report in days.night())
    days.clock.at += timedelta(days=8)
    assert sum(report.tally.unchanged for report in days.night()) > 3 * usual
    assert days.unseen_for() <= timedelta(days=PACE.sweep)


def test_a_pass_that_broke_off_goes_on_with_its_own_span_before_this_nights(days: Days):
    days.night()
    days.clock.at += timedelta(days=1)
    days.error = TryAgainLater("503")
    (broken,) = days.night()[:1]
    assert not broken.finished
    first = days.asked[-1]
    days.error = None
    days.clock.at += timedelta(days=1)
    before = len(days.asked)
    reports = days.night()
    assert all(report.finished for report in reports)
    assert first in days.asked[before:]
    with days.store.database.read() as tx:
        assert not lanes.lane(days.store, tx, days.page, lanes.WINDOW).unfinished


def test_a_pass_stops_where_the_budget_ends_and_the_next_run_goes_on(days: Days):
    report = days.make(Pass(lane=lanes.WHOLE, most=4))
    assert (report.status, report.finished, report.tally.new) == ("partial", False, 40)
    assert [gap.what for gap in report.gaps] == ["the rest of this pass"]
    again = days.make(Pass(lane=lanes.WHOLE))
    assert (again.status, again.tally.new) == ("complete", 110)


def test_a_page_that_fails_is_tried_again_later_and_later(days: Days):
    days.night()
    days.error = TryAgainLater("503")
    tries = 0
    for _ in range(24 * 12):
        days.clock.at += timedelta(minutes=5)
        due = days.due()
        if due is not None:
            days.make(due)
            tries += 1
    assert 6 <= tries <= 12


def test_a_page_that_is_connected_again_is_tried_again_at_once_and_not_hours_later(days: Days):
    days.night()
    days.error = TryAgainLater("401")
    for _ in range(48):
        days.clock.at += timedelta(minutes=15)
        if (due := days.due()) is not None:
            days.make(due)
    days.clock.at += timedelta(minutes=1)
    assert days.due() is None
    with days.store.database.begin() as tx:
        secret = {"user": "archivist", "application_password": "abcd efgh ijkl"}
        pages.connect(days.store, tx, days.page, secret, by=None, why="test")
    days.clock.at += timedelta(minutes=1)
    days.error = None
    due = days.due()
    assert due is not None
    assert days.make(due).finished
    assert days.due() is None, "once"


def test_a_pace_is_set_number_by_number(days: Days):
    with days.store.database.begin() as tx:
        plans.set_pace(days.store, tx, days.page, {"every": 5}, PACE, by=None, why="test")
        plans.set_pace(days.store, tx, days.page, {"sweep": 7}, PACE, by=None, why="test")
        assert plans.pace(tx, days.page, PACE) == Pace(every=5, window=10, sweep=7)
    with pytest.raises(BadPace), days.store.database.begin() as tx:
        plans.set_pace(days.store, tx, days.page, {"every": -5}, PACE, by=None, why="test")


def test_the_posts_that_are_busy_are_those_whose_answers_came_within_the_hour(days: Days):
    days.posts.append(post("hot", "Missing child", published_at=days.clock.at - timedelta(days=1)))
    days.night()
    days.clock.at += timedelta(hours=3)
    now = days.clock.at
    first = comment("c0", "where?", "hot")
    answers: Mapping[str, Observation] = {
        f"c{number}": comment(
            f"c{number}", "there", "hot" if number % 2 else "c0", published_at=now - timedelta(minutes=number)
        )
        for number in range(1, 30)
    }
    days.posts += [*([first] if first.published_at else []), *answers.values()]
    days.posts.append(comment("c0", "where?", "hot", published_at=now - timedelta(hours=2)))
    due = days.due()
    assert due is not None
    days.make(due)
    with days.store.database.read() as tx:
        assert plans.busy(days.store, tx, days.page, PACE) == ["hot"]
    days.clock.at += timedelta(hours=1)
    with days.store.database.read() as tx:
        assert plans.busy(days.store, tx, days.page, PACE) == []


def test_what_is_covered_is_known_however_many_looks_came_since_the_whole_pass(
    days: Days, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(plans, "_LOOKED_AT", 5)
    days.night()
    for _ in range(8):
        days.clock.at += timedelta(minutes=30)
        due = days.due()
        assert due is not None
        days.make(due)
    with days.store.database.read() as tx:
        assert plans.covered_at(tx, days.page) == days.clock.at

"""The night: every page, whatever fails; once on every date, those on which the clocks change too; missed ones made up for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from threading import Event
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture import diary, pages, run
from app.capture.runs import Report
from app.jobs.night import BadHour, Night, Nightly, Told, begins, hour_of, missed, night
from app.records.clock import FixedClock
from app.records.nouns import Page
from app.store import Store, access
from app.store.note import Checkpoint, opened
from app.store.tables import jobs
from connectors.errors import TryAgainLater
from tests.archives import NOON
from tests.steps.scripted import Scripted, ScriptedClient, listing
from tests.steps.test_capture import post
from tests.steps.test_ledger import alter

JUNEAU = ZoneInfo("America/Juneau")
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
"""In Juneau the clocks go from 02:00 to 03:00 on the one, and from 02:00 back to 01:00 on the other."""
HOURS = [(0, 30), (1, 0), (1, 30), (2, 0), (2, 30), (3, 0), (3, 30), (23, 59)]


def utc(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


# -- when --------------------------------------------------------------------------------------------------


def test_a_time_of_day_is_read_as_people_write_it():
    assert hour_of("02:30") == (2, 30)
    assert hour_of("0:05") == (0, 5)
    assert hour_of("23:59") == (23, 59)


@pytest.mark.parametrize(
    "text", ["", "2", "24:00", "2:60", "-1:30", "02.30", "ab:cd", "2:30pm", "02:30:00", "²:30"]
)
def test_what_is_no_time_of_day_is_refused_with_a_remedy(text: str):
    with pytest.raises(BadHour) as refused:
        hour_of(text)
    assert "MUNIMENT_NIGHTLY_AT" in refused.value.next


def test_the_night_begins_by_the_clocks_of_the_agency():
    assert begins(date(2026, 3, 2), JUNEAU, 2, 30) == utc(2, 11, 30)
    assert begins(date(2026, 3, 9), JUNEAU, 2, 30) == utc(9, 10, 30)


def test_a_night_whose_hour_the_clocks_skip_begins_as_much_later_as_they_skip():
    begun = begins(SPRING, JUNEAU, 2, 30)
    assert begun.astimezone(JUNEAU).time().isoformat() == "03:30:00"


def test_a_night_whose_hour_comes_twice_begins_at_the_first():
    assert begins(AUTUMN, JUNEAU, 1, 30) == utc(1, 9, 30, month=11)


@pytest.mark.parametrize(("hour", "minute"), HOURS)
@pytest.mark.parametrize("changes", [SPRING, AUTUMN])
def test_the_clockwork_fires_once_for_every_date_when_the_clocks_change(
    changes: date, hour: int, minute: int
):
    trigger = Nightly(JUNEAU, hour, minute)
    now = datetime.combine(changes - timedelta(days=3), datetime.min.time(), JUNEAU).astimezone(UTC)
    fired = [trigger.get_next_fire_time(None, now)]
    for _ in range(5):
        fired.append(trigger.get_next_fire_time(fired[-1], fired[-1] + timedelta(seconds=1)))
    assert [one.astimezone(JUNEAU).date() - changes for one in fired] == [
        timedelta(days=n) for n in range(-3, 3)
    ]


@given(st.integers(0, 2 * 366 * 24 * 60), st.integers(0, 23), st.integers(0, 59))
def test_the_next_night_is_never_past_and_never_further_than_a_day(minutes: int, hour: int, minute: int):
    now = NOON + timedelta(minutes=minutes)
    following = Nightly(JUNEAU, hour, minute).get_next_fire_time(None, now)
    assert now <= following <= now + timedelta(hours=25)
    after = Nightly(JUNEAU, hour, minute).get_next_fire_time(following, now)
    assert timedelta(hours=23) <= after - following <= timedelta(hours=25)


# -- whether one was missed --------------------------------------------------------------------------------


def test_a_new_archive_has_missed_no_night():
    assert not missed(None, utc(2, 20), JUNEAU, 2, 30)
    founded = utc(2, 20)
    assert not missed(founded, utc(3, 11, 29), JUNEAU, 2, 30)
    assert missed(founded, utc(3, 11, 30), JUNEAU, 2, 30)


def test_a_night_that_ran_was_not_missed_and_one_that_did_not_was():
    assert not missed(utc(2, 11, 30), utc(3, 11, 29), JUNEAU, 2, 30)
    assert missed(utc(2, 11, 30), utc(3, 11, 31), JUNEAU, 2, 30)
    assert missed(utc(2, 11, 29), utc(2, 20), JUNEAU, 2, 30)
    assert missed(utc(2, 11, 30), utc(9, 0), JUNEAU, 2, 30)


@pytest.mark.parametrize(("hour", "minute"), HOURS)
@pytest.mark.parametrize("changes", [SPRING, AUTUMN])
def test_however_the_clocks_change_a_night_that_ran_on_time_is_never_missed(
    changes: date, hour: int, minute: int
):
    """Whenever the machine is started again, in steps of ten minutes over three days."""
    at = begins(changes - timedelta(days=1), JUNEAU, hour, minute)
    until, last = at + timedelta(days=3), at
    trigger = Nightly(JUNEAU, hour, minute)
    following = trigger.get_next_fire_time(last, at)
    while at < until:
        if at >= following:
            assert missed(last, at, JUNEAU, hour, minute)
            last, following = following, trigger.get_next_fire_time(following, at)
        assert not missed(last, at, JUNEAU, hour, minute), at
        at += timedelta(minutes=10)


# -- the work ----------------------------------------------------------------------------------------------


class Pages:
    """Two pages and an import's page, captured by script."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        self.asked: list[str] = []
        self.fails: dict[str, Exception] = {}
        with store.database.begin() as tx:
            for name, connector in (("first", "scripted"), ("second", "scripted"), ("old mail", "import")):
                pages.add(
                    store,
                    tx,
                    connector=connector,
                    platform="blog",
                    address=f"https://{connector}.example",
                    name=name,
                    by=None,
                    why="test",
                )

    def capture(self, page: Page, why: str) -> list[Report]:
        self.asked.append(page.name)
        if error := self.fails.get(page.name):
            raise error
        client = ScriptedClient(self.clock)
        connector = Scripted(client)
        connector.steps = [listing(self.clock, post(page.name, why))]
        ticks = iter(range(100))
        tick = lambda: next(ticks)  # noqa: E731 - a clock of its own for each run
        return [run.capture(self.store, page, connector, client, by=None, why=why, tick=tick)]

    def page(self, name: str) -> Page:
        with self.store.database.read() as tx:
            return pages.get(tx, name)


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Pages:
    return Pages(store, clock)


def test_a_night_captures_every_page_that_is_there_to_capture(town: Pages):
    told = night(town.store, town.capture, lambda: 0)
    assert town.asked == ["first", "second"]
    assert ([report.status for report in told.reports], told.failed) == (["complete", "complete"], [])


def test_a_night_leaves_paused_pages_alone(town: Pages):
    with town.store.database.begin() as tx:
        pages.pause(town.store, tx, town.page("first"), by=UUID(int=1), why="test")
    night(town.store, town.capture, lambda: 0)
    assert town.asked == ["second"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (run.PagePaused("paused meanwhile"), "page-paused"),
        (TryAgainLater("503"), "TryAgainLater"),
        (KeyError("a fault of the program"), "KeyError"),
        (OSError("no such device"), "OSError"),
    ],
)
def test_a_page_that_fails_stops_neither_the_others_nor_the_rest_of_the_night(
    town: Pages, error: Exception, says: str
):
    town.fails = {"first": error}
    told = night(town.store, town.capture, lambda: 0)
    assert town.asked == ["first", "second"]
    assert told.failed == [f"{town.page('first').id}: {says}"]
    assert [report.tally.new for report in told.reports] == [1]
    with town.store.database.read() as tx:
        size = town.store.ledger.size(tx)
    note = (town.store.ledger.folder / "checkpoint").read_text()
    assert Checkpoint.parse(opened(note, town.store.ledger.verifier())).size == size


@pytest.mark.parametrize("error", [OSError("no room"), RuntimeError("a fault of the program")])
def test_an_index_that_cannot_follow_does_not_keep_the_ledger_from_being_signed(
    town: Pages, error: Exception
):
    def follow() -> int:
        raise error

    told = night(town.store, town.capture, follow)
    assert told.failed == [f"index: {type(error).__name__}"]
    assert (town.store.ledger.folder / "checkpoint").exists()


def test_a_night_closes_the_access_log_of_days_that_are_over(town: Pages):
    with town.store.database.begin() as tx:
        access.note(town.store, tx, "view", by=None)
    town.clock.at += timedelta(days=1)
    night(town.store, town.capture, lambda: 0)
    with town.store.database.begin() as tx:
        assert access.close_days(town.store, tx, by=None, why="again") == 0


def test_a_night_finds_an_altered_entry_and_signs_nothing_after_it(town: Pages, home):
    night(town.store, town.capture, lambda: 0)
    signed = (town.store.ledger.folder / "checkpoint").read_text()
    alter(home, 1)
    told = night(town.store, town.capture, lambda: 0)
    assert told.failed == ["ledger: ledger-broken", "checkpoint: ledger-broken"]
    assert (town.store.ledger.folder / "checkpoint").read_text() == signed


# -- the clockwork -----------------------------------------------------------------------------------------


class Clockwork:
    """The clockwork over an archive, with work that says when it was done."""

    def __init__(self, store: Store) -> None:
        self.store, self.worked, self.nights = store, Event(), 0
        self.told = Told()
        self.error: Exception | None = None
        self.night = Night(store, self.work, lambda: 0, "02:30")

    def work(self) -> Told:
        self.nights += 1
        self.worked.set()
        if self.error:
            raise self.error
        return self.told

    def diary(self) -> tuple[datetime | None, str | None]:
        with self.store.database.read() as tx:
            outcome = tx.execute(jobs.select().where(jobs.c.name == "night")).one_or_none()
            return diary.last_began(tx, "night"), outcome.last_outcome if outcome else None


@pytest.fixture
def clockwork(store: Store) -> Iterator[Clockwork]:
    works = Clockwork(store)
    yield works
    works.night.stop()


def test_the_diary_tells_when_a_night_began_and_how_it_ended(clockwork: Clockwork, clock: FixedClock):
    assert clockwork.diary() == (None, None)
    clockwork.night._night()
    assert clockwork.diary() == (NOON, "done")
    clock.at += timedelta(days=1)
    clockwork.told = Told(failed=["index: OSError", "a page: TryAgainLater"])
    clockwork.night._night()
    assert clockwork.diary() == (NOON + timedelta(days=1), "done, 2 things failed")


def test_a_night_that_breaks_is_written_down_and_the_next_one_comes(clockwork: Clockwork):
    clockwork.error = RuntimeError("whatever it is")
    clockwork.night._night()
    assert clockwork.diary() == (NOON, "failed: RuntimeError")
    clockwork.error = None
    clockwork.night._night()
    assert clockwork.diary() == (NOON, "done")


def test_a_missed_night_is_made_up_for_at_the_start(clockwork: Clockwork, clock: FixedClock):
    clockwork.night._night()
    clock.at += timedelta(days=3)
    clockwork.worked.clear()
    clockwork.night.start()
    assert clockwork.worked.wait(10)
    clockwork.night.stop()
    assert clockwork.nights == 2
    assert clockwork.diary() == (NOON + timedelta(days=3), "done")


def test_a_night_that_was_not_missed_waits_for_its_hour(clockwork: Clockwork, clock: FixedClock):
    clockwork.night._night()
    clock.at += timedelta(hours=1)
    clockwork.night.start()
    assert sorted(job.id for job in clockwork.night.scheduler.get_jobs()) == ["follow", "night"]
    (due,) = (job.next_run_time for job in clockwork.night.scheduler.get_jobs() if job.id == "night")
    clockwork.night.stop()
    assert due.astimezone(JUNEAU).time().isoformat() in {"02:30:00", "03:30:00"}
    assert clockwork.nights == 1


def test_a_new_archive_waits_for_its_first_night(clockwork: Clockwork, store: Store, clock: FixedClock):
    with store.database.begin() as tx:
        store.ledger.act(tx, "user", by=None, why="init")
    clock.at += timedelta(hours=1)
    clockwork.night.start()
    clockwork.night.stop()
    assert clockwork.nights == 0


def test_an_archive_whose_first_night_never_came_makes_up_for_it(
    clockwork: Clockwork, store: Store, clock: FixedClock
):
    with store.database.begin() as tx:
        store.ledger.act(tx, "user", by=None, why="init")
    clock.at += timedelta(days=2)
    clockwork.night.start()
    assert clockwork.worked.wait(10)


def test_an_index_that_cannot_follow_does_not_end_the_clockwork(store: Store):
    def follow() -> int:
        raise run.PagePaused("an error of ours")

    Night(store, Told, follow, "02:30")._follow()


def test_a_clockwork_without_a_time_of_day_is_not_built(store: Store):
    build: Callable[[str], Night] = lambda at: Night(store, Told, lambda: 0, at)  # noqa: E731 - one line says it
    assert (build("02:30").hour, build("02:30").minute) == (2, 30)
    with pytest.raises(BadHour):
        build("half past two")

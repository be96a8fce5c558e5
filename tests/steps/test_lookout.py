"""Between the nights: what is due is captured and nothing else, and what a platform tells by itself is kept as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.capture import lanes, lease, pages, run
from app.capture.pacing import Pace
from app.capture.run import Pass
from app.capture.runs import Report
from app.jobs.lookout import Listeners, Lookout
from app.records.clock import FixedClock
from app.records.nouns import Page
from app.store import Store, fixity
from app.store.tables import attachments as attachment_table
from app.store.tables import records, runs, versions
from connectors.contract import Attachment, Batch, Cursor, Kind, Listing
from connectors.contract import Page as PageAddress
from connectors.errors import TryAgainLater
from tests.steps.scripted import Scripted, ScriptedClient, listing
from tests.steps.test_capture import comment, post

Answer = TypeVar("Answer")


class AtOnce(Executor):
    """Does what it is given before it returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Told(Scripted):
    """A page whose platform tells by itself what happens."""

    def __init__(self, http: ScriptedClient, told: Sequence[Batch | Exception]) -> None:
        super().__init__(http)
        self.told = told
        self.heard_since: list[Cursor | None] = []

    def listen(self, page: PageAddress, since: Cursor | None) -> Iterator[Batch]:
        self.heard_since.append(since)
        for one in self.told:
            if isinstance(one, Exception):
                raise one
            yield one


class Town:
    """Pages by script, as the lookout reaches them."""

    def __init__(self, store: Store, clock: FixedClock, *names: str) -> None:
        self.store, self.clock = store, clock
        self.passes: list[tuple[str, Pass | None]] = []
        self.told: list[Batch | Exception] = []
        self.heard_since: list[Cursor | None] = []
        self.narrow = True
        self.steps: Callable[[Page], list[Any]] = lambda page: [listing(self.clock, post(page.name, "words"))]
        self.families: list[str] = []
        with store.database.begin() as tx:
            for name in names:
                pages.add(
                    store,
                    tx,
                    connector="scripted",
                    platform="blog",
                    address=f"https://{name}.example",
                    name=name,
                    by=None,
                    why="test",
                )
            self.pages = pages.listed(tx)

    def narrows(self, _page: Page) -> bool:
        return self.narrow

    def sees_families(self, _page: Page) -> bool:
        return True

    def streams(self, _page: Page) -> bool:
        return bool(self.told)

    def follow(self) -> int:
        return 0

    def capture(self, page: Page, *, by: UUID | None, why: str, pass_: Pass | None = None) -> Report:
        self.passes.append((page.name, pass_))
        client = ScriptedClient(self.clock)
        connector = Scripted(client)
        connector.steps = self.steps(page)

        def family(_page: PageAddress, root: str) -> Iterator[Batch]:
            self.families.append(root)
            yield listing(self.clock, post(root, "seen closely"))

        connector.family = family  # type: ignore[attr-defined]  # a script that can do more
        return run.capture(self.store, page, connector, client, by=by, why=why, tick=lambda: 0.0, pass_=pass_)

    def listen(self, page: Page, *, by: UUID | None, why: str, until: Callable[[], bool]) -> Report:
        client = ScriptedClient(self.clock)
        connector = Told(client, self.told)
        try:
            return run.listen(
                self.store, page, connector, client, by=by, why=why, tick=lambda: 0.0, until=until
            )
        finally:
            self.heard_since += connector.heard_since

    def lookout(self, workers: Executor | None = None, **pace: int) -> Lookout:
        return Lookout(self.store, self, workers or AtOnce(), Pace(**pace))

    def names(self) -> list[str]:
        return [name for name, _ in self.passes]


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Town:
    return Town(store, clock, "police", "parks")


def test_pages_that_were_never_captured_wait_for_the_night_and_others_come_when_they_are_due(town: Town):
    lookout = town.lookout()
    assert lookout.tick() == []
    town.capture(town.pages[0], by=None, why="test")
    town.passes.clear()
    town.clock.at += timedelta(minutes=14)
    assert lookout.tick() == []
    town.clock.at += timedelta(minutes=1)
    assert [(page.name, wanted.lane) for page, wanted in lookout.tick()] == [("police", lanes.LATELY)]
    assert lookout.tick() == []
    town.clock.at += timedelta(minutes=15)
    assert [page.name for page, _ in lookout.tick()] == ["police"]


def test_a_paused_page_is_left_alone(town: Town):
    town.capture(town.pages[0], by=None, why="test")
    with town.store.database.begin() as tx:
        pages.pause(town.store, tx, town.pages[0], by=UUID(int=1), why="test")
    town.clock.at += timedelta(hours=1)
    assert town.lookout().tick() == []


def test_one_page_is_not_begun_twice_and_one_that_takes_long_does_not_hold_up_the_others(
    store: Store, clock: FixedClock
):
    town = Town(store, clock, "long", "a", "b", "c", "d", "e")
    for page in town.pages:
        town.capture(page, by=None, why="test")
    town.passes.clear()
    clock.at += timedelta(minutes=15)
    begun, go_on = threading.Event(), threading.Event()

    def steps(page: Page) -> list[Any]:
        if page.name == "long":
            begun.set()
            assert go_on.wait(20)
        return [listing(clock, post(page.name, "words"))]

    town.steps = steps
    with ThreadPoolExecutor(max_workers=2) as workers:
        lookout = town.lookout(workers)
        assert len(lookout.tick()) == 6
        assert begun.wait(20)
        # The one other worker comes round to what is put behind all the rest.
        assert workers.submit(lambda: "turn").result(20) == "turn"
        assert sorted(town.names()) == ["a", "b", "c", "d", "e", "long"]
        clock.at += timedelta(minutes=15)
        assert "long" not in [page.name for page, _ in lookout.tick()]
        go_on.set()
    assert town.names().count("long") == 1


def test_a_post_that_is_busy_is_observed_closely_until_it_is_quiet(town: Town):
    police = town.pages[0]
    at = town.clock.at
    town.steps = lambda _page: [listing(town.clock, post("hot", "Missing child", published_at=at))]
    town.capture(police, by=None, why="test")
    answers = [comment(f"c{n}", "seen", "hot", published_at=at) for n in range(25)]
    town.steps = lambda _page: [listing(town.clock, *answers)]
    town.clock.at += timedelta(minutes=15)
    lookout = town.lookout()
    lookout.tick()
    town.clock.at += timedelta(minutes=1)
    assert [(page.name, wanted.lane, wanted.families) for page, wanted in lookout.tick()] == [
        ("police", lanes.SURGE, ["hot"])
    ]
    assert town.families == ["hot"]
    assert lookout.tick() == [], "two minutes have not passed"
    town.clock.at += timedelta(minutes=2)
    assert [wanted.lane for _, wanted in lookout.tick()] == [lanes.SURGE]
    town.clock.at = at + timedelta(hours=2)
    assert lanes.SURGE not in [wanted.lane for _, wanted in lookout.tick()]


def test_what_a_stream_tells_is_kept_and_goes_on_where_it_broke(town: Town):
    police = town.pages[0]
    town.told = [listing(town.clock, post("p1", "one"), cursor="at 1"), TryAgainLater("the line broke")]
    report = town.listen(police, by=None, why="test", until=lambda: False)
    assert (report.status, report.tally.new) == ("partial", 1)
    town.told = [listing(town.clock, post("p2", "two"), cursor="at 2")]
    town.listen(police, by=None, why="test", until=lambda: False)
    assert town.heard_since == [None, "at 1"]
    with town.store.database.read() as tx:
        kinds = tx.execute(select(runs.c.kind, runs.c.lane)).all()
        assert pages.get(tx, "police").status == pages.ACTIVE
    assert [tuple(row) for row in kinds] == [("stream", "stream")] * 2


def test_files_of_what_a_stream_tells_are_fetched_while_it_lasts(town: Town):
    police = town.pages[0]
    picture = Attachment(id="a", url="https://blog.example/a.png", media_type="image/png")
    client = ScriptedClient(town.clock, {picture.url or "": b"PNG" * 100})
    connector = Told(client, [])
    kept: list[str] = []

    def hearing() -> Iterator[Batch]:
        yield listing(town.clock, post("p1", "look", attachments=(picture,)))
        with town.store.database.read() as tx:
            kept.extend(tx.execute(select(attachment_table.c.state)).scalars())

    connector.listen = lambda page, since: hearing()  # type: ignore[method-assign]  # what this test is told
    report = run.listen(
        town.store, police, connector, client, by=None, why="test", tick=lambda: 0.0, until=lambda: False
    )
    assert (report.status, kept) == ("complete", ["kept"])


def test_a_connector_that_is_no_longer_there_does_not_stop_the_others(town: Town):
    for page in town.pages:
        town.capture(page, by=None, why="test")
    town.passes.clear()
    town.clock.at += timedelta(minutes=15)

    def narrows(page: Page) -> bool:
        if page.name == "police":
            raise LookupError("There is no connector of that name")
        return True

    town.narrows = narrows  # type: ignore[method-assign, assignment]  # a connector that was uninstalled
    assert [page.name for page, _ in town.lookout().tick()] == ["parks"]


def test_a_stream_makes_nothing_absent_whatever_it_promises(town: Town):
    police = town.pages[0]
    town.capture(police, by=None, why="test")
    town.clock.at += timedelta(hours=1)
    promise = Listing(kinds=[Kind.POST], began_at=town.clock.now(), exchange=0)
    town.told = [listing(town.clock, post("p2", "two"), listings=[promise])]
    assert town.listen(police, by=None, why="test", until=lambda: False).tally.absent == 0


def test_a_page_is_listened_to_once_and_captured_meanwhile(town: Town):
    police = town.pages[0]

    def hearing() -> Iterator[Batch]:
        yield listing(town.clock, post("p1", "one"))
        with pytest.raises(lease.PageBusy):
            town.listen(police, by=None, why="a second ear", until=lambda: False)
        town.steps = lambda _page: [listing(town.clock, post("p1", "one"), post("p2", "two"))]
        assert town.capture(police, by=None, why="a pass").tally.new == 1
        yield listing(town.clock, post("p2", "two"), post("p3", "three"))

    town.told = [listing(town.clock, post("p1", "one"))]
    client = ScriptedClient(town.clock)
    connector = Told(client, [])
    connector.listen = lambda page, since: hearing()  # type: ignore[method-assign]  # what this test is told
    report = run.listen(
        town.store, police, connector, client, by=None, why="test", tick=lambda: 0.0, until=lambda: False
    )
    assert (report.tally.new, report.tally.unchanged) == (2, 1)
    assert fixity.verify(town.store, full=True).findings == []


def test_what_a_pass_keeps_between_a_streams_deciding_and_writing_is_one_record(town: Town):
    """Both decide that the post is new; whoever writes second finds it there, and decides again."""
    police = town.pages[0]
    met: list[str] = []

    def in_between(name: str) -> None:
        if name == "after-keyring" and not met:
            met.append(name)
            town.steps = lambda _page: [listing(town.clock, post("p1", "one"), post("p2", "two"))]
            town.capture(police, by=None, why="a pass")

    client = ScriptedClient(town.clock)
    connector = Scripted(client)
    connector.steps = [listing(town.clock, post("p1", "one, edited"), post("p3", "three"))]
    with town.store.database.begin() as tx:
        other = pages.add(
            town.store, tx, connector="scripted", platform="x", address="https://x.example", name="x",
            by=None, why="test",
        )  # fmt: skip
    # The same records under another page's lease: as a stream has a lease of its own.
    report = run.listen(
        town.store, police, Told(client, connector.steps), client, by=None, why="test", most_bytes=0,
        tick=lambda: 0.0, until=lambda: False, point=in_between,
    )  # fmt: skip
    assert met
    assert other.id != police.id
    assert (report.tally.new, report.tally.edited) == (1, 1)
    with town.store.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(records)).scalar_one() == 3
        assert tx.execute(select(func.count()).select_from(versions)).scalar_one() == 4
    assert fixity.verify(town.store, full=True).findings == []


def test_listeners_begin_again_after_a_pause_that_grows(town: Town):
    town.told = [TryAgainLater("the line broke")]
    listeners = Listeners(town.store, town)

    def tick() -> int:
        before = len(town.heard_since)
        listeners.tick()
        for ear in list(listeners._ears.values()):
            ear.thread.join(20)
        return len(town.heard_since) - before

    assert tick() == 2
    assert tick() == 0
    town.clock.at += timedelta(minutes=2)
    assert tick() == 2
    town.clock.at += timedelta(minutes=2)
    assert tick() == 0
    town.clock.at += timedelta(hours=1)
    assert tick() == 2
    listeners.stop()

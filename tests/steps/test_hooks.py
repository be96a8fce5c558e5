"""What a platform tells by itself: heard once, looked at soon and once, lost by no crash; and nobody else is heard."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from app.capture import applications, hints, hooks, lanes, lease, pages, plans, run
from app.capture.hooks import Again, Door, Refusals, Taken
from app.capture.pacing import Pace
from app.capture.run import Pass
from app.capture.runs import Report, gaps_of
from app.db import Database, DiskFull, to_instant
from app.jobs.doctor import examine
from app.jobs.lookout import TOLD_WHY, Lookout
from app.records.clock import FixedClock
from app.records.nouns import Page
from app.settings import BadSetting
from app.store import Store, cursors, fixity
from app.store.tables import acts, deliveries, entries
from app.store.tables import hints as hint_table
from app.store.tables import hooks as hook_table
from app.store.tables import records as record_table
from app.store.tables import runs as run_table
from connectors.contract import Batch, Cursor, Gap, Kind, Listing, Sighting, State
from connectors.contract import Page as PageAddress
from connectors.errors import TryAgainLater, UnexpectedResponse
from connectors.facebook import Facebook
from connectors.failing import FAMILY
from connectors.linkedin import LinkedIn
from connectors.threads import Threads
from connectors.webhooks import WINDOW, Greeting, Refused
from tests.archives import settings_at
from tests.steps.scripted import Scripted, ScriptedClient, exchange, listing
from tests.steps.test_capture import comment, post
from tests.steps.test_lookout import AtOnce

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
WORD = "a word that was agreed"
NUMBER = "100064000000001"
OFFICER = UUID(int=7)
WORDS = "The public's very own words"


class Killed(BaseException):
    """The process is gone: nothing after this point happens."""


def kill_at(wanted: str) -> Callable[[str], None]:
    def point(name: str) -> None:
        if name == wanted:
            raise Killed(name)

    return point


class Town:
    """A town with a page on a platform that tells; the test says what the page shows, and what is told."""

    def __init__(self, store: Store, clock: FixedClock, page: Page | None = None) -> None:
        self.store, self.clock = store, clock
        self.door = Door("scripted", Facebook.hooks, WORD, (SECRET,))
        self.page = page or self.add("police", f"https://platform.example/{NUMBER}")
        self.shown: Callable[[], Iterable[Batch]] = lambda: [listing(clock, post("p", "Road closed"))]
        self.families: list[str] = []
        self.remembered: list[str] = []
        self.looked: list[tuple[Kind, str]] = []
        self.spans: list[Any] = []
        self.family: Callable[[str], Iterator[Batch]] = lambda root: iter(
            [listing(clock, post(root, "seen closely"))]
        )
        self.looks: Callable[[str], State] = lambda _name: State.GONE
        self.meanwhile: Callable[[], None] = lambda: None
        self.narrow = self.closely = True

    def add(self, name: str, address: str, connector: str = "scripted") -> Page:
        with self.store.database.begin() as tx:
            return pages.add(
                self.store,
                tx,
                connector=connector,
                platform="blog",
                address=address,
                name=name,
                by=OFFICER,
                why="test",
            )

    # -- as the lookout reaches it

    def narrows(self, _page: Page) -> bool:
        return self.narrow

    def sees_families(self, _page: Page) -> bool:
        return self.closely

    def streams(self, _page: Page) -> bool:
        return False

    def follow(self) -> int:
        return 0

    def listen(self, page: Page, *, by: UUID | None, why: str, until: Callable[[], bool]) -> Report:
        raise AssertionError("nobody listens here")

    def capture(
        self,
        page: Page,
        *,
        by: UUID | None,
        why: str,
        pass_: Pass | None = None,
        point: Callable[[str], None] | None = None,
    ) -> Report:
        client = ScriptedClient(self.clock)
        connector = Shown(client, self)
        return run.capture(
            self.store, page, connector, client, by=by, why=why, tick=lambda: 0.0, pass_=pass_, point=point
        )

    # -- what happens

    def begin(self) -> Lookout:
        """The page was captured whole a moment ago, so that no pass is due."""
        self.capture(self.page, by=None, why="the first night")
        self.spans.clear()
        return self.watch()

    def watch(self) -> Lookout:
        """Whoever looks every minute."""
        return Lookout(self.store, self, AtOnce(), Pace())

    def tell(self, body: bytes, **more: Any) -> hooks.Outcome:
        return hooks.delivered(self.store, self.door, body, signed(body), **more)

    def later(self, **span: float) -> None:
        self.clock.at += timedelta(**span)

    def rows(self, table: Any) -> list[Any]:
        with self.store.database.read() as tx:
            return list(tx.execute(select(table)).all())

    def waiting(self) -> list[hints.Hint]:
        with self.store.database.read() as tx:
            return hints.waiting(self.store, tx, self.page)

    def counted(self) -> dict[str, int]:
        return {row.outcome: row.times for row in self.rows(hook_table)}

    def state_of(self, text: str = "") -> list[str]:
        with self.store.database.read() as tx:
            return list(tx.execute(select(record_table.c.state).order_by(record_table.c.key)).scalars())


class Shown(Scripted):
    """The town's page as a connector sees it."""

    def __init__(self, http: ScriptedClient, town: Town) -> None:
        super().__init__(http)
        self.town = town

    def observe(self, page: PageAddress, since: Cursor | None) -> Iterator[Batch]:
        self.town.spans.append(page.published_from)
        yield from self.town.shown()

    def remember(self, since: Cursor) -> None:
        self.town.remembered.append(since)

    def family(self, _page: PageAddress, root: str) -> Iterator[Batch]:
        self.town.families.append(root)
        self.town.meanwhile()
        yield from self.town.family(root)

    def look(self, page: PageAddress, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        for kind, name in native_ids:
            self.town.looked.append((kind, name))
            told, _ = exchange(self.town.clock, [])
            seen = Sighting(native_id=name, state=self.town.looks(name), exchange=0, reason="asked")
            yield Batch(exchanges=[told], sightings=[seen], resume_from=Cursor(""))


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def feed(item: str = "comment", verb: str = "add", family: str = "p", **more: Any) -> dict[str, Any]:
    return {
        "field": "feed",
        "value": {"item": item, "verb": verb, "post_id": family, "message": WORDS, **more},
    }


@pytest.fixture
def town(anywhere: Store, clock: FixedClock) -> Town:
    return Town(anywhere, clock)


@pytest.fixture
def lite(store: Store, clock: FixedClock) -> Town:
    """The same on SQLite alone, for what no database decides."""
    return Town(store, clock)


def body_of(
    town: Town, *changes: dict[str, Any], page: str = NUMBER, at: datetime | None = None, **more: Any
) -> bytes:
    at = at or town.clock.now()
    entry = {"id": page, "time": int(at.timestamp()), "changes": list(changes), **more}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


# -- who is heard --------------------------------------------------------------------------------------------

ASKED = {"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": "1158201444"}


def test_the_platform_is_greeted_where_it_shows_our_word_and_nobody_else_is(town: Town):
    assert hooks.greet(town.store, town.door, ASKED) == Greeting("1158201444")
    assert isinstance(hooks.greet(town.store, town.door, ASKED | {"hub.verify_token": "another"}), Refused)
    assert town.counted() == {"greeted": 1}


@pytest.mark.parametrize(
    ("word", "secrets", "why"), [(WORD, (), hooks.NO_SECRET), ("", (SECRET,), hooks.NO_WORD)]
)
def test_a_door_that_is_not_set_up_greets_nobody_and_says_what_it_lacks(lite: Town, word, secrets, why):
    door = Door("scripted", Facebook.hooks, word, secrets)
    assert hooks.greet(lite.store, door, ASKED | {"hub.verify_token": word}) == Refused(why)
    assert lite.counted() == {}


def test_a_door_that_anybody_can_greet_writes_down_one_greeting_a_minute(town: Town):
    """LinkedIn shows no word: whoever sends a code is answered, and must not make the archive write for each."""
    door = Door("linkedin", LinkedIn.hooks, "", (SECRET,))
    for number in range(20):
        answered = hooks.greet(town.store, door, {"challengeCode": f"890e4665-{number:04}"})
        assert isinstance(answered, Greeting)
    assert town.counted() == {"greeted": 1}
    town.later(minutes=2)
    hooks.greet(town.store, door, {"challengeCode": "890e4665-4dfe"})
    assert town.counted() == {"greeted": 2}
    assert town.rows(hook_table)[0].last_at == to_instant(town.clock.now())


def test_a_delivery_is_heard_once_however_often_it_comes(town: Town):
    body = body_of(town, feed(comment_id="1"))
    assert town.tell(body) == Taken(1)
    town.later(hours=30)
    assert town.tell(body) == Again()
    assert town.counted() == {"accepted": 1, "repeated": 1}
    assert [(row.times, row.done_at) for row in town.rows(hint_table)] == [(1, None)]
    other = body_of(town, feed(comment_id="2"))
    assert town.tell(other) == Taken(1)
    assert [row.times for row in town.rows(hint_table)] == [2], "another delivery about the same post"


def test_one_that_comes_twice_at_one_moment_is_heard_once(town: Town):
    body = body_of(town, feed(comment_id="1"))
    together = Barrier(4, timeout=20)

    def tell(_number: int) -> hooks.Outcome:
        together.wait()
        return town.tell(body)

    with ThreadPoolExecutor(4) as people:
        told = list(people.map(tell, range(4)))
    assert sorted(type(one).__name__ for one in told) == ["Again", "Again", "Again", "Taken"]
    assert [row.times for row in town.rows(hint_table)] == [1]


def test_deliveries_about_the_same_pages_in_another_order_do_not_wait_for_one_another(town: Town):
    town.add("parks", "https://platform.example/200")
    now = int(town.clock.now().timestamp())

    def tell(number: int) -> hooks.Outcome:
        told = [
            {
                "id": page,
                "time": now,
                "changes": [feed(family=f"f{one}", comment_id=str(number)) for one in order],
            }
            for page in ((NUMBER, "200") if number % 2 else ("200", NUMBER))
            for order in ([(1, 2, 3), (3, 2, 1)][number % 2],)
        ]
        return town.tell(json.dumps({"entry": told}).encode())

    with ThreadPoolExecutor(6) as people:
        assert list(people.map(tell, range(18))) == [Taken(6)] * 18
    assert [row.times for row in town.rows(hint_table)] == [18] * 6


@pytest.mark.parametrize(
    "change",
    [
        lambda town, body: (body, {}),
        lambda town, body: (body, signed(body, "another application's secret")),
        lambda town, body: (body.replace(b"add", b"adD"), signed(body)),
        lambda town, body: (
            old := body_of(town, feed(), at=town.clock.now() - timedelta(days=3)),
            signed(old),
        ),
        lambda town, body: (b"{}", signed(b"{}")),
        lambda town, body: (b" " * (1 << 20) + body, signed(b" " * (1 << 20) + body)),
    ],
    ids=["unsigned", "another's", "changed", "old", "of another shape", "too long"],
)
def test_what_is_not_the_platforms_or_not_of_now_is_refused_and_writes_nothing(lite: Town, change):
    body = body_of(lite, feed(comment_id="1"))
    given, headers = change(lite, body)
    assert isinstance(hooks.delivered(lite.store, lite.door, given, headers), Refused)
    assert lite.rows(hint_table) == lite.rows(deliveries) == lite.rows(hook_table) == []
    assert lite.tell(body) == Taken(1), "what was refused before does not stand in the way"


def test_without_a_secret_of_the_application_nothing_is_heard(lite: Town):
    lite.door = Door("scripted", Facebook.hooks, WORD, ())
    assert lite.tell(body_of(lite, feed())) == Refused(hooks.NO_SECRET)


def test_a_platform_that_knows_us_as_two_applications_may_sign_with_either_secret(lite: Town):
    lite.door = Door("scripted", Facebook.hooks, WORD, ("the first application's", SECRET))
    assert lite.tell(body_of(lite, feed())) == Taken(1)
    old = body_of(lite, feed(), at=lite.clock.now() - timedelta(days=3))
    assert lite.tell(old) == Refused("it is older than a delivery may be"), "the true reason is told"


def test_a_platform_of_another_shape_is_read_in_its_own_manner(lite: Town):
    lite.door = Door("scripted", Threads.hooks, WORD, (SECRET,))
    value = {"id": "5", "root_post": {"id": "3", "owner_id": NUMBER}}
    told = {"time": int(lite.clock.now().timestamp()), "values": {"field": "replies", "value": value}}
    assert lite.tell(json.dumps(told).encode()) == Taken(1)
    assert [one.native_id for one in lite.waiting()] == ["3"]


# -- of which page it tells ----------------------------------------------------------------------------------


def test_a_page_is_known_by_its_address_or_by_the_number_of_its_introduction(lite: Town):
    named = lite.add("parks", "https://platform.example/town.parks")
    body = body_of(lite, feed(), page="200")
    assert lite.tell(body) == Taken(0, strangers=1)
    lite.shown = lambda: [
        listing(lite.clock, replace(post("200", "We look after the parks."), kind=Kind.PROFILE))
    ]
    lite.capture(named, by=None, why="test")
    assert lite.tell(body_of(lite, feed(comment_id="2"), page="200")) == Taken(1)
    with lite.store.database.read() as tx:
        assert [one.native_id for one in hints.waiting(lite.store, tx, named)] == ["p"]
        assert hints.waiting(lite.store, tx, lite.page) == []
    assert lite.counted() == {"accepted": 2, "unknown": 1}


def test_a_page_of_another_platform_that_bears_the_same_number_is_not_meant(lite: Town):
    lite.add("elsewhere", f"https://other.example/{NUMBER}", connector="another")
    assert lite.tell(body_of(lite, feed())) == Taken(1)
    assert {row.page for row in lite.rows(hint_table)} == {lite.page.key}


@pytest.mark.parametrize(("act", "outcome"), [(pages.pause, "paused"), (pages.remove, "unknown")])
def test_a_page_that_is_paused_or_removed_is_not_looked_at_and_the_platform_is_acknowledged(
    lite: Town, act, outcome
):
    with lite.store.database.begin() as tx:
        act(lite.store, tx, lite.page, by=OFFICER, why="test")
    told = lite.tell(body_of(lite, feed()))
    assert isinstance(told, Taken)
    assert (told.hints, lite.rows(hint_table)) == (0, [])
    assert lite.counted() == {"accepted": 1, outcome: 1}


# -- what is kept of it --------------------------------------------------------------------------------------


def test_the_words_of_a_delivery_and_what_it_names_stand_nowhere(lite: Town, home: Path):
    lite.tell(body_of(lite, feed(family="a-very-special-post", comment_id="c")))
    lite.store.database.close()
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert WORDS.encode() not in content
            assert b"a-very-special-post" not in content
    assert [one.native_id for one in lite.waiting()] == ["a-very-special-post"]


def test_what_is_told_leaves_no_entry_and_the_run_that_looks_has_one_that_says_why(town: Town):
    lookout = town.begin()
    with town.store.database.read() as tx:
        before = town.store.ledger.size(tx)
    town.tell(body_of(town, feed(comment_id="1")))
    with town.store.database.read() as tx:
        assert town.store.ledger.size(tx) == before
    lookout.tick()
    with town.store.database.read() as tx:
        newest = tx.execute(
            select(acts.c.entry).where(acts.c.type == "run").order_by(acts.c.entry.desc()).limit(1)
        ).scalar_one()
        body = tx.execute(select(entries.c.body).where(entries.c.index == newest)).scalar_one()
        (lane,) = tx.execute(select(run_table.c.lane).order_by(run_table.c.key.desc()).limit(1)).scalars()
    assert newest >= before
    assert json.loads(bytes(body))["status"] == "complete"
    assert (lane, TOLD_WHY) == (lanes.TOLD, "what the platform told of by itself")
    assert fixity.verify(town.store, full=True).findings == []


def test_that_a_delivery_was_accepted_cannot_be_changed_and_is_forgotten_when_it_is_too_old(town: Town):
    body = body_of(town, feed(comment_id="1"))
    town.tell(body)
    with pytest.raises(DatabaseError, match="never changes"), town.store.database.begin() as tx:
        tx.execute(text("UPDATE deliveries SET at = at + 1"))
    town.clock.at += WINDOW
    assert hooks.tidy(town.store) == 0
    assert town.tell(body) == Again()
    town.later(hours=3)
    assert hooks.tidy(town.store) == 2
    assert town.rows(deliveries) == town.rows(hint_table) == []
    assert isinstance(town.tell(body), Refused), "by now it is too old"


# -- what a crash leaves -------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["marked", "before-commit"])
def test_a_crash_before_the_answer_leaves_nothing_and_the_delivery_that_comes_again_is_heard(
    town: Town, where
):
    body = body_of(town, feed(comment_id="1"))
    with pytest.raises(Killed):
        town.tell(body, point=kill_at(where))
    assert town.rows(deliveries) == town.rows(hint_table) == town.rows(hook_table) == []
    assert town.tell(body) == Taken(1)


def test_a_crash_after_the_commit_loses_nothing_and_the_delivery_that_comes_again_does_nothing(town: Town):
    lookout = town.begin()
    body = body_of(town, feed(comment_id="1"))
    with pytest.raises(Killed):
        town.tell(body, point=kill_at("after-commit"))
    assert town.tell(body) == Again()
    lookout.tick()
    assert town.families == ["p"]


@pytest.mark.parametrize("where", ["before-objects", "after-keyring", "before-commit", "after-commit"])
def test_a_crash_while_it_is_read_leaves_it_waiting_and_the_next_run_reads_it(town: Town, where):
    lookout = town.begin()
    town.tell(body_of(town, feed(comment_id="1")))
    with town.store.database.read() as tx:
        wanted = plans.told(town.store, tx, town.page, Pace(), narrows=True, families=True)
    with pytest.raises(Killed):
        town.capture(town.page, by=None, why=TOLD_WHY, pass_=wanted, point=kill_at(where))
    assert [one.tries for one in town.waiting()] == [1]
    town.later(minutes=11)  # the lease of a process that is gone; this one lives
    lookout.tick()
    assert town.families == ["p", "p"]
    assert town.waiting() == []
    assert fixity.verify(town.store, full=True).findings == []


# -- how it is looked at -------------------------------------------------------------------------------------


def test_what_is_told_is_asked_of_the_page_that_the_last_pass_knew(town: Town):
    town.shown = lambda: [listing(town.clock, post("p", "Road closed"), cursor="number 4711")]
    lookout = town.begin()
    assert town.remembered == []
    town.tell(body_of(town, feed(comment_id="1")))
    lookout.tick()
    assert (town.families, town.remembered) == (["p"], ["number 4711"])


def test_what_is_told_is_looked_at_with_the_next_minute_and_once(town: Town):
    lookout = town.begin()
    assert lookout.tick() == []
    town.tell(body_of(town, feed(comment_id="1")))
    ((page, wanted),) = lookout.tick()
    assert (page.id, wanted.lane, wanted.families) == (town.page.id, lanes.TOLD, ("p",))
    town.later(minutes=5)
    assert lookout.tick() == []
    assert town.families == ["p"]
    (row,) = town.rows(hint_table)
    assert (row.sealed_what, row.done_at is not None) == (None, True)


def test_a_storm_of_deliveries_about_one_post_is_one_reading(town: Town):
    lookout = town.begin()
    for number in range(30):
        town.tell(body_of(town, *[feed(comment_id=f"{number}-{one}") for one in range(5)]))
    assert len(lookout.tick()) == 1
    for number in range(30, 40):
        town.tell(body_of(town, feed(comment_id=str(number))))
    town.later(minutes=1)
    assert lookout.tick() == [], "it was read a minute ago"
    town.later(minutes=1)
    assert len(lookout.tick()) == 1
    assert town.families == ["p", "p"]


def test_what_is_told_again_while_it_is_read_is_read_again(town: Town):
    lookout = town.begin()
    town.tell(body_of(town, feed(comment_id="1")))
    again = body_of(town, feed(comment_id="2"))

    def meanwhile() -> None:
        town.meanwhile = lambda: None
        assert town.tell(again) == Taken(1)

    town.meanwhile = meanwhile
    lookout.tick()
    assert [one.tries for one in town.waiting()] == [0]
    town.later(minutes=2)
    lookout.tick()
    assert town.families == ["p", "p"]
    assert town.waiting() == []


def test_what_two_processes_take_at_one_moment_is_read_by_one(town: Town):
    town.begin()
    town.tell(body_of(town, feed(comment_id="1")))
    with town.store.database.read() as tx:
        wanted = plans.told(town.store, tx, town.page, Pace(), narrows=True, families=True)
    town.capture(town.page, by=None, why=TOLD_WHY, pass_=wanted)
    before = len(town.rows(run_table))
    with pytest.raises(lease.PageBusy):
        town.capture(town.page, by=None, why=TOLD_WHY, pass_=wanted)
    assert (town.families, len(town.rows(run_table))) == (["p"], before)
    assert town.capture(town.page, by=None, why="the lease is free").status == "complete"


def test_posts_and_items_that_are_told_together_are_one_run(lite: Town):
    lookout = lite.begin()
    lite.tell(body_of(lite, feed(family="a"), feed(family="b"), feed(verb="remove", comment_id="c")))
    ((_, wanted),) = lookout.tick()
    assert sorted(lite.families) == ["a", "b"]
    assert lite.looked == [(Kind.COMMENT, "c")]
    assert lite.waiting() == []
    assert len(wanted.hints) == 3


def test_a_page_that_is_being_captured_keeps_what_is_told_waiting_untried(lite: Town):
    lookout = lite.begin()
    lite.tell(body_of(lite, feed(comment_id="1")))
    begun: list[tuple[Page, Pass]] = []
    waits: list[hints.Hint] = []

    def shown() -> Iterator[Batch]:
        begun.extend(lookout.tick())
        waits.extend(lite.waiting())
        yield listing(lite.clock, post("p", "Road closed"))

    lite.shown = shown
    lite.capture(lite.page, by=None, why="a pass of somebody's")
    assert [wanted.lane for _, wanted in begun] == [lanes.TOLD]
    assert [(one.tries, one.taken_at) for one in waits] == [(0, None)]
    assert lite.families == [], "never twice at once"
    lite.later(minutes=1)
    lookout.tick()
    assert lite.families == ["p"]


def test_what_was_removed_is_asked_for_and_gone_by_the_platforms_own_word(town: Town):
    lookout = town.begin()
    town.tell(body_of(town, feed(item="status", verb="remove")))
    lookout.tick()
    assert town.looked == [(Kind.POST, "p")]
    assert town.state_of() == ["gone"]


def test_what_the_platform_cannot_tell_of_what_it_says_was_removed_changes_nothing(lite: Town):
    lookout = lite.begin()
    lite.looks = lambda _name: State.UNKNOWN
    lite.tell(body_of(lite, feed(item="status", verb="remove")))
    lookout.tick()
    assert lite.looked == [(Kind.POST, "p")]
    assert (lite.state_of(), lite.waiting()) == (["present"], [])


def test_what_was_gone_before_anybody_saw_it_is_a_gap_and_no_trouble(town: Town):
    lookout = town.begin()
    reports: list[Report] = []
    lookout.told = lambda _page, report: reports.append(report)
    town.tell(body_of(town, feed(verb="remove", comment_id="never-seen")))
    lookout.tick()
    with town.store.database.read() as tx:
        found = gaps_of(town.store, tx, page=town.page.key)
    assert [(gap.native_id, gap.why) for gap in found] == [
        ("never-seen", "it was gone before it could be captured")
    ]
    assert [one.status for one in reports] == ["complete"]
    assert fixity.verify(town.store, full=True).findings == []


def test_a_message_leads_to_a_pass_over_what_was_just_written(lite: Town):
    lookout = lite.begin()
    since = lite.clock.now() - timedelta(hours=1)
    said = [{"sender": {"id": "2001"}, "message": {"mid": "m_1", "text": WORDS}}]
    lite.tell(body_of(lite, messaging=said))
    ((_, wanted),) = lookout.tick()
    assert (wanted.lane, wanted.published_from, lite.spans) == (lanes.TOLD, since, [since])
    assert lite.waiting() == []
    # What it makes of coverage: nothing. The next look for what is new still reaches back to the whole pass.
    lite.later(minutes=15)
    ((_, lately),) = lookout.tick()
    assert lately.lane == lanes.LATELY


def test_a_pass_that_was_wanted_is_had_by_any_pass_over_as_much_that_began_later(lite: Town):
    lookout = lite.begin()
    lite.later(minutes=14)
    lite.tell(body_of(lite, {"field": "something_new", "value": {}}))
    lite.later(minutes=1)
    ((_, wanted),) = lookout.tick()
    assert wanted.lane == lanes.LATELY
    assert lite.waiting() == []
    assert lookout.tick() == []


def test_constant_telling_does_not_put_off_the_passes_that_reconcile(lite: Town):
    lookout = lite.begin()
    seen = []
    for number in range(46):
        lite.tell(body_of(lite, feed(family=f"f{number}", comment_id="1")))
        seen += [wanted.lane for _, wanted in lookout.tick()]
        lite.later(minutes=1)
    assert seen.count(lanes.LATELY) == 3
    assert len(set(lite.families)) >= 42


def test_what_cannot_be_read_keeps_nothing_else_waiting_and_is_left_to_the_passes_in_the_end(lite: Town):
    lookout = lite.begin()

    def family(root: str) -> Iterator[Batch]:
        if root == "bad":
            raise UnexpectedResponse("it has another shape")
        yield listing(lite.clock, post(root, "seen closely"))

    lite.family = family
    lite.tell(body_of(lite, feed(family="bad")))
    lite.tell(body_of(lite, feed(family="good")))
    for _ in range(60):
        lookout.tick()
        lite.later(minutes=10)
    assert lite.families.count("bad") == hints.MOST_TRIES
    assert "good" in lite.families
    assert [row.done_at is None for row in lite.rows(hint_table)].count(True) == 1
    with lite.store.database.read() as tx:
        assert hints.late(tx, lite.clock.now()) == (0, 1)
    lite.tell(body_of(lite, feed(family="bad", comment_id="9")))
    assert [one.tries for one in lite.waiting()] == [0], "told anew, it is tried anew"


def test_a_post_at_which_the_platform_fails_is_a_gap_and_is_tried_again(lite: Town):
    lookout = lite.begin()
    told: list[str] = []

    def family(root: str) -> Iterator[Batch]:
        answer, _ = exchange(lite.clock, [])
        if len(told) < 2:
            told.append(root)
            gap = Gap(what=FAMILY, why="the platform answered 500", native_id=root)
            yield Batch(exchanges=[answer], resume_from=Cursor(""), gaps=[gap])
        else:
            yield listing(lite.clock, post(root, "seen closely"))

    lite.family = family
    lite.tell(body_of(lite, feed(family="p")))
    for _ in range(6):
        lookout.tick()
        lite.later(minutes=10)
    assert lite.families == ["p", "p", "p"]
    assert lite.waiting() == []


def test_a_platform_that_does_not_answer_is_asked_less_and_less_and_what_it_told_waits(lite: Town):
    lookout = lite.begin()
    lite.later(minutes=1)

    def family(_root: str) -> Iterator[Batch]:
        raise TryAgainLater("it is busy")
        yield

    lite.family = family
    lite.tell(body_of(lite, feed(family="a")))
    for _ in range(14):
        lookout.tick()
        lite.later(minutes=1)
    assert len(lite.families) == 1
    assert [one.tries for one in lite.waiting()] == [1]


def test_the_budget_of_the_page_bounds_what_telling_can_cost(lite: Town):
    lite.begin()
    lookout = Lookout(lite.store, lite, AtOnce(), Pace(budget=4))
    for number in range(10):
        lite.tell(body_of(lite, feed(family=f"f{number}")))
    lite.family = lambda root: iter(
        [listing(lite.clock, post(root, "1")), listing(lite.clock, post(root, "2"))]
    )
    for _ in range(5):
        lookout.tick()
        lite.later(minutes=2)
    assert len(lite.families) <= 4
    assert len(lite.waiting()) >= 6


def test_a_page_that_is_no_longer_let_in_is_looked_at_after_it_was_connected_again(lite: Town):
    lookout = lite.begin()
    with lite.store.database.begin() as tx:
        pages.disconnect(lite.store, tx, lite.page, by=None, why="the token ended")
    assert lite.tell(body_of(lite, feed())) == Taken(1)
    assert lookout.tick() == []
    with lite.store.database.begin() as tx:
        lite.page = pages.connect(
            lite.store, tx, lite.page, {"access_token": "a new token of the page"}, by=OFFICER, why="test"
        )
    lite.later(minutes=1)
    for _ in range(3):
        lookout.tick()
        lite.later(minutes=1)
    assert lite.families == ["p"]


def test_a_connector_that_cannot_observe_one_post_makes_a_pass_instead(lite: Town):
    lookout = lite.begin()
    lite.closely = False
    lite.tell(body_of(lite, feed()))
    ((_, wanted),) = lookout.tick()
    assert (wanted.families, wanted.published_from) == ((), lite.clock.now() - timedelta(days=1))
    lite.narrow = False
    lite.later(minutes=2)
    lite.tell(body_of(lite, feed(family="q")))
    assert lookout.tick() == [], "what cannot be narrowed waits for its next pass"


def test_what_a_disposal_took_from_a_hint_is_looked_for_by_a_pass(lite: Town):
    lookout = lite.begin()
    lite.tell(body_of(lite, feed()))
    lite.store.keyring.forget([cursors.owner(lite.store, lite.page.id.bytes)])
    (hint,) = lite.waiting()
    assert (hint.native_id, hint.since) == (None, lite.clock.now() - timedelta(days=1))
    ((_, wanted),) = lookout.tick()
    assert (wanted.families, lite.waiting()) == ((), [])


def test_one_post_promises_nothing_about_the_others(lite: Town):
    lite.shown = lambda: [listing(lite.clock, post("p", "one"), post("q", "two"))]
    lookout = lite.begin()
    lite.later(minutes=1)
    promise = Listing(kinds=[Kind.POST], began_at=lite.clock.now(), exchange=0)
    lite.family = lambda root: iter([listing(lite.clock, post(root, "one"), listings=[promise])])
    lite.tell(body_of(lite, feed()))
    lookout.tick()
    assert (lite.state_of(), lite.looked) == (["present", "present"], [])


def test_an_answer_that_was_told_of_is_held_within_the_minute(lite: Town):
    lookout = lite.begin()
    lite.later(minutes=3)
    published = lite.clock.now()
    lite.tell(body_of(lite, feed(comment_id="c1")))
    lite.family = lambda root: iter(
        [listing(lite.clock, post(root, "Road closed"), comment("c1", WORDS, root, published_at=published))]
    )
    lite.later(minutes=1)
    lookout.tick()
    with lite.store.database.read() as tx:
        seen = tx.execute(select(func.max(record_table.c.first_seen))).scalar_one()
    assert seen - int(published.timestamp() * 1_000_000) <= 60_000_000


# -- what the operator is told -------------------------------------------------------------------------------


def says(town: Town, home: Path) -> tuple[bool, str]:
    doors = [town.door]
    checks = examine(settings_at(home), town.store, lambda: 0, lambda: doors)
    return next((one.ok, one.says) for one in checks if one.what == "webhooks")


def test_the_doctor_says_how_the_doors_stand(lite: Town, home: Path):
    assert says(lite, home) == (
        False,
        "scripted: it is set up, and nobody ever called: enter its address at the platform",
    )
    hooks.greet(lite.store, lite.door, ASKED)
    assert says(lite, home) == (True, "scripted tells by itself")
    lite.tell(body_of(lite, feed()))
    lite.later(hours=2)
    assert says(lite, home) == (False, "1 things that were told of were not looked at within an hour")
    lite.later(days=8)
    hooks.tidy(lite.store)
    assert "nothing was told since 2026-03-02" in says(lite, home)[1]


def test_the_doctor_says_what_was_refused_and_why_and_no_secret(lite: Town, home: Path):
    hooks.greet(lite.store, lite.door, ASKED)
    refusals = Refusals()
    for _ in range(3):
        refusals.count("scripted", "its signature is not the platform's", "192.0.2.1", lite.clock.now())
    refusals.count("scripted", f"it is no JSON: {WORDS}", "192.0.2.1", lite.clock.now())
    assert refusals.write(lite.store) == 4
    assert refusals.write(lite.store) == 0
    ok, told = says(lite, home)
    assert not ok
    assert "refused, 3 in all, last on 2026-03-02: its signature is not the platform's" in told
    assert "it is no JSON" in told
    assert not {WORDS, SECRET, WORD} & set(told.split("; "))
    assert WORDS not in told
    assert SECRET not in repr(lite.door)
    assert WORD not in repr(lite.door)
    lite.later(days=8)
    assert "refused" not in says(lite, home)[1], "what is long over is no news"


def test_what_was_refused_is_not_forgotten_where_it_could_not_be_written_down(
    lite: Town, monkeypatch: pytest.MonkeyPatch
):
    refusals = Refusals()
    refusals.count("scripted", "no", "192.0.2.1", lite.clock.now())
    with monkeypatch.context() as broken:

        def full(_self: Database) -> Any:
            raise DiskFull("the disk is full")

        broken.setattr(Database, "begin", full)
        with pytest.raises(DiskFull):
            refusals.write(lite.store)
    refusals.count("scripted", "no", "192.0.2.1", lite.clock.now())
    assert refusals.write(lite.store) == 2
    assert lite.counted() == {"refused": 2}


def test_a_door_that_nobody_meant_to_open_is_no_matter_for_the_doctor(lite: Town, home: Path):
    lite.door = Door("scripted", Facebook.hooks, "", (SECRET,))
    assert says(lite, home) == (True, "no platform tells by itself: none was set up")
    lite.door = Door("scripted", Facebook.hooks, WORD, ())
    assert says(lite, home) == (False, f"scripted: {hooks.NO_SECRET}")


def test_whoever_is_refused_too_often_is_read_no_further_for_a_while(clock: FixedClock):
    refusals = Refusals(most=3)
    for _ in range(3):
        assert not refusals.too_many("192.0.2.1", clock.now())
        refusals.count("scripted", "no", "192.0.2.1", clock.now())
    assert refusals.too_many("192.0.2.1", clock.now())
    assert not refusals.too_many("192.0.2.2", clock.now())
    clock.at += timedelta(minutes=1)
    assert not refusals.too_many("192.0.2.1", clock.now())


# -- what the operator gives ---------------------------------------------------------------------------------


def test_the_word_and_the_secrets_of_a_door_stand_in_the_file_of_the_applications(tmp_path: Path):
    file = tmp_path / "apps.toml"
    file.write_text(
        '[facebook]\nclient_secret = "the secret of it"\nwebhook_token = "our agreed word"\n'
        '[instagram]\nclient_id = "1"\nclient_secret = "the secret of it"\nwebhook_secret = "another secret"\n'
    )
    agreed = applications.agreed(file)
    assert (agreed["facebook"].word, agreed["facebook"].secrets) == ("our agreed word", ("the secret of it",))
    assert agreed["instagram"].secrets == ("the secret of it", "another secret")
    assert list(applications.read(file)) == ["instagram"], "a table for the door alone is no application"
    assert "secret of it" not in repr(agreed)


@pytest.mark.parametrize(
    "line",
    ['webhook_token = "short"', 'webhook_secret = "short"', "webhook_token = 12345678", 'webhook = "x"'],
)
def test_a_file_that_says_something_else_of_a_door_is_refused_without_its_secrets(tmp_path: Path, line):
    file = tmp_path / "apps.toml"
    file.write_text(f'[facebook]\nclient_id = "1"\nclient_secret = "the secret of it"\n{line}\n')
    with pytest.raises(BadSetting) as refused:
        applications.agreed(file)
    assert "secret of it" not in str(refused.value)

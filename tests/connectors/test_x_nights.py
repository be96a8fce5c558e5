"""X in a real archive, night after night: an edit, a deletion, a hide, a suspension, a failure, and a month's money."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from app.capture import lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store, fixity
from connectors.contract import Page
from connectors.x import X
from tests.connectors.worlds.broken import breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import Desk, told_in_full
from tests.connectors.worlds.x_world import AL, HANDLE, JO, JSON, OURS, STRANGER, XWorld, spoken

EVENING = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)


class Account(Desk):
    """A desk and its account on X, which live by one clock."""

    def __init__(self, store: Store, clock: FixedClock, stack: ExitStack, world: XWorld) -> None:
        page = Page(address=f"https://x.com/{HANDLE}", options={"api": f"{world.address}/2"})
        super().__init__(store, clock, stack, X, page, {"access_token": XWorld.user_token})
        self.world = world

    def evening(self) -> None:
        self.world.a_new_day()
        self.world.now = self.clock.at

    def window(self) -> Pass:
        return Pass(lane=lanes.WINDOW, published_from=self.clock.at - timedelta(days=30))


@pytest.fixture
def desk(store: Store, clock: FixedClock, stack: ExitStack) -> Account:
    clock.at = EVENING
    world = stack.enter_context(XWorld())
    world.tick(days=11)  # half a day before the first night
    return Account(store, clock, stack, world)


def test_what_is_said_below_the_account_s_other_posts_is_captured_although_the_first_was_deleted(
    desk: Account,
) -> None:
    world = desk.world
    root = world.say("Bridge closed")
    part = world.say("Detour by Main Street", to=root)
    first = world.say("Thanks", by=JO, to=part, names_nobody=True)
    beside = world.say("Until when?", by=AL, to=root, names_nobody=True)
    assert told_in_full(desk.night()) == ("complete", 7, 0, 0, 0, 0)
    world.delete(root)
    late = world.say("Still closed?", by=JO, to=first, names_nobody=True)
    assert told_in_full(desk.night()) == ("complete", 1, 0, 0, 0, 1)
    assert desk.words(late) == "Still closed?"
    world.delete(beside)
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 1)
    assert desk.states() == {root: "gone", beside: "gone"}


def test_a_conversation_is_searched_once_whatever_the_account_says_in_it_and_others_conversations_never(
    desk: Account,
) -> None:
    world = desk.world
    root = world.say("Bridge closed")
    world.say("By order.", to=world.say("Detour by Main Street", to=root))
    world.say("Thanks", by=JO, to=root, names_nobody=True)
    theirs = world.say("Where is the detour?", by=AL)
    world.say("And when?", by=JO, to=theirs, names_nobody=True)
    world.say("It is long.", to=world.say("By Main Street.", to=theirs))
    world.asked.clear()
    assert desk.night().status == "complete"
    searched = [one for one in world.asked if "/search/" in one]
    assert len(searched) == 1
    assert root in searched[0]
    assert theirs not in searched[0]


def test_an_edit_a_hide_a_deletion_a_suspension_and_a_failure_are_told_once_and_as_they_were(
    desk: Account,
) -> None:
    world = desk.world
    post = world.say("Bridge closed until six", picture="901", alt="A barrier")
    first = world.say(f"@{HANDLE} until when?", by=JO, to=post)
    answer = world.say("Until six.", to=first)
    spam = world.say("Buy cheap pills", by=AL, to=first, names_nobody=True)
    rude = world.say(f"@{HANDLE} you fools", by=STRANGER, to=post)
    mention = world.say(f"Thank you @{HANDLE}", by=JO)
    message = world.write("Is the office open?")

    # 1. The first night keeps all that there is, with the introduction and the lists that only the account sees.
    assert told_in_full(desk.night()) == ("complete", 10, 0, 0, 0, 0)
    held = desk.held()
    private = {f"dm:{message}", "blocked", "muted"}
    assert {post, first, answer, spam, rude, mention, f"user:{OURS}", *private} == set(held)
    assert held[f"dm:{message}"].private

    # 2. A quiet night changes nothing, whatever became of likes and of the addresses of pictures.
    world.likes += 40
    world.media += 1
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)

    # 3. The post is edited, and has another id: one record, whose versions follow one another.
    later = world.edit(post, "Bridge closed until seven")
    late = world.say(f"@{HANDLE} why?", by=AL, to=later)
    assert told_in_full(desk.night(desk.window())) == ("complete", 1, 1, 0, 0, 0)
    held = desk.held()
    assert later not in held
    assert (held[post].versions, held[post].version.fields["text"]) == (2, "Bridge closed until seven")
    assert held[post].version.fields["url"] == f"https://x.com/i/status/{later}"
    assert held[late].version.fields["in_reply_to"] == post

    # 4. One reply is hidden, which X tells nobody; another is deleted.
    world.items[rude].hidden = True
    world.delete(spam)
    assert told_in_full(desk.night(desk.window())) == ("complete", 0, 0, 0, 0, 1)
    held = desk.held()
    assert (held[rude].state, held[spam].state) == ("present", "gone")
    assert held[spam].version.fields["text"] == "Buy cheap pills"

    # 5. A writer is suspended: what is missing is absent, and X does not say that it is gone. Then it is back.
    world.suspended.add(STRANGER)
    assert told_in_full(desk.night(desk.window())) == ("complete", 0, 0, 0, 1, 0)
    assert desk.held()[rude].state == "absent"
    world.suspended.clear()
    assert desk.night(desk.window()).tally.restored == 1

    # 6. Errors inside answers, an outage, a plan that is used up and a dead token prove no removal.
    before = {name: record.state for name, record in desk.held().items()}
    world.amiss["tweets"] = {"title": "Operational Error", "type": "about:blank"}
    assert desk.night(desk.window()).status == "partial"
    world.amiss.clear()
    world.trouble = lambda path: (
        (503, JSON, spoken({"title": "Service Unavailable"})) if "mentions" in path else None
    )
    assert desk.night(desk.window()).status == "partial"
    world.trouble = None
    world.capped = True
    capped = desk.night(desk.window())
    assert any("plan" in gap.why for gap in capped.gaps)
    world.capped, world.dead = False, True
    assert desk.night(desk.window()).status == "failed"
    assert {name: record.state for name, record in desk.held().items()} == before

    # 7. When all is well again the night sees what happened meanwhile.
    world.dead = False
    world.delete(post)
    after = desk.night(desk.window())
    assert after.status == "complete", after.gaps
    held = desk.held()
    assert {name for name, record in held.items() if record.state == "gone"} == {post, spam}
    assert held[first].state == "present", "who answered it has deleted nothing"
    with desk.store.database.read():
        assert fixity.verify(desk.store, full=True).findings == []


def test_a_month_s_money_is_spent_once_and_the_next_month_goes_on(desk: Account) -> None:
    world = desk.world
    for number in range(12):
        world.say(f"@{HANDLE} why?", by=JO, to=world.say(f"Notice {number}"))
    desk.page = desk.adds(
        "Police, thriftily", monthly_budget="1.5", messages="no", block_lists="no", quotes="no"
    )
    reports = [desk.night(desk.window()) for _ in range(5)]
    assert world.spent <= 1500 * 29 // 100
    stopped = [report for report in reports if report.status != "complete"]
    assert stopped
    assert any(
        "monthly_budget" in gap.why and gap.until == datetime(2026, 7, 1, tzinfo=UTC)
        for gap in stopped[0].gaps
    )
    assert not any(gap.until for report in stopped[1:] for gap in report.gaps), "the gap is told once"
    assert not {record.state for record in desk.held().values()} - {"present"}
    world.tick(days=31)
    new = world.say("A new month")
    desk.clock.at = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)
    desk.night(desk.window())
    assert new in desk.held()


def test_another_description_of_a_picture_is_an_edit_and_an_address_that_expires_is_none(
    desk: Account,
) -> None:
    world = desk.world
    post = world.say("Bridge closed", picture="901", alt="A barrier")

    def expire() -> None:
        world.media += 1

    def describe(words: str | None) -> None:
        world.items[post].alt = words

    desk.hears_other_descriptions(post, expire, describe)


def test_a_conversation_that_fails_for_ever_keeps_nothing_behind_it_from_being_captured(
    desk: Account,
) -> None:
    world = desk.world
    oldest, broken, newest = (world.say(words) for words in ("Bridge closed", "Open house", "Flood"))
    for post in (oldest, broken, newest):
        world.say("Until when?", by=JO, to=post, names_nobody=True)
    assert desk.night().status == "complete"
    behind = [world.say("Still?", by=JO, to=one, names_nobody=True) for one in (oldest, newest)]
    lost = [world.say("Me too", by=JO, to=broken, names_nobody=True)]
    breaks(world, f"conversation_id%3A{broken}")
    passed_over(desk, broken, behind=behind, lost=lost)
    recovered(desk, world, lost)


def test_a_conversation_that_nobody_can_read_keeps_nothing_behind_it_from_being_captured(
    desk: Account,
) -> None:
    """Three lists belong to one post: its conversation, who quotes it, and what the account answers."""
    world = desk.world
    posts = oldest, broken, newest = [world.say(words) for words in ("Bridge closed", "Open house", "Flood")]
    asks = world.say("Who cut the trees?", by=JO)
    for post in posts:
        world.say("Until when?", by=JO, to=post, names_nobody=True)
        world.say("Read this", by=JO, quotes=post)
    world.say("It was the storm.", to=asks)
    assert desk.night().status == "complete"
    behind = [world.say("Still?", by=JO, to=one, names_nobody=True) for one in (oldest, newest)]
    behind += [world.say("And this", by=JO, quotes=one) for one in (oldest, newest)]
    lost = [world.say("Me too", by=JO, to=broken, names_nobody=True)]
    lost.append(world.say("And that", by=JO, quotes=broken))
    parts = (f"conversation_id%3A{broken}", f"{broken}/quote_tweets", f"ids={asks}")
    world.trouble = lambda _path: (
        (200, JSON, b'{"data": [{"id": 3}, {"id": 4}, {"id": 5}], "meta": {}}')
        if any(part in world.asked[-1] for part in parts)
        else None
    )
    night = desk.night()
    assert night.status == "partial"
    assert {gap.native_id for gap in night.gaps} == {broken, asks}
    assert set(behind) <= desk.held().keys()
    assert not set(lost) & desk.held().keys()
    assert set(desk.states().values()) <= {"hidden"}, "nothing is missing by it"
    world.trouble = None
    recovered(desk, world, lost)


def test_what_cannot_be_read_beside_others_is_no_edit_and_no_removal_and_is_read_when_it_is_well_again(
    desk: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = desk.world
    poll = world.say("Which day?", choices=("Friday", "Saturday"))
    theirs = world.say("A long post, to its end", by=AL)
    repost = world.say("RT @al_visitor: A long…", reposts=theirs)
    picture = world.say("Bridge closed", picture="901", alt="A barrier")
    plain = world.say("Open house")
    message = world.write("Is the office open?", picture="77")
    assert desk.night().status == "complete"
    before = {name: (one.state, one.version.fields) for name, one in desk.held().items()}
    assert {poll, repost, picture, plain, f"dm:{message}"} <= before.keys()
    answers = world.answer

    def strange(target: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        """All that stands beside the items is null, and one of the items has its id alone."""
        status, headers, body = answers(target, authorization)
        told = json.loads(body) if headers == JSON or "json" in headers.get("Content-Type", "") else {}
        if not told.get("meta"):
            return status, headers, body
        told["includes"] = {name: [None] * len(listed) for name, listed in told.get("includes", {}).items()}
        told["data"] = [{"id": plain} if one["id"] == plain else one for one in told.get("data", [])]
        return status, headers, spoken(told)

    with monkeypatch.context() as changed:
        changed.setattr(world, "answer", strange)
        late = world.say("Flood")
        night = desk.night()
    assert night.status == "partial"
    assert {poll, repost, plain} <= {gap.native_id for gap in night.gaps}
    held = desk.held()
    assert late in held
    assert {name: (held[name].state, held[name].version.fields) for name in before} == before
    report = desk.night()
    assert report.status == "complete", report.gaps
    held = desk.held()
    assert {name: (held[name].state, held[name].version.fields["text"]) for name in before} == {
        name: (state, fields["text"]) for name, (state, fields) in before.items()
    }
    assert (report.tally.edited, held[late].version.fields["author_handle"]) == (0, HANDLE)


def test_where_every_conversation_fails_the_pass_stops_and_is_not_complete(desk: Account) -> None:
    world = desk.world
    posts = [world.say(f"Notice {number}") for number in range(5)]
    assert [world.say("Thanks", by=JO, to=post, names_nobody=True) for post in posts]
    assert desk.night().status == "complete"
    lost = [world.say("Really?", by=JO, to=post, names_nobody=True) for post in posts]
    breaks(world, "tweets/search")
    stopped(desk, lost=lost)
    recovered(desk, world, lost)

"""Facebook in a real archive, night after night: an edit, a removal, a hide, a lost permission and a failure."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from app.capture import lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store, fixity
from connectors.contract import Page
from connectors.facebook import Facebook
from tests.connectors.worlds.broken import BROKEN, breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import Desk, told
from tests.connectors.worlds.facebook_world import JSON, OURS, FacebookWorld, Refused


@pytest.fixture
def world(stack: ExitStack) -> FacebookWorld:
    return stack.enter_context(FacebookWorld())


@pytest.fixture
def desk(store: Store, clock: FixedClock, stack: ExitStack, world: FacebookWorld) -> Desk:
    page = Page(address="https://www.facebook.com/testtownpolice", options={"graph": world.address})
    return Desk(store, clock, stack, Facebook, page, world.secrets)


def test_an_edit_a_hide_a_removal_and_a_failure_are_told_once_and_as_they_were(
    desk: Desk, world: FacebookWorld
) -> None:
    post = world.say("Bridge closed until six", picture="901", alt="A barrier")
    first = world.comment(post, "Until when?")
    answer = world.comment(post, "Until six.", by=OURS, to=first)
    spam = world.comment(post, "Buy cheap pills", by="2002")
    rude = world.comment(post, "You fools", by="2002")
    theirs = world.say("Who cut the trees?", by="2002", edge="visitor_posts")
    message = world.write("t_1", "Is the office open?")
    event = world.event("Open house", start_time="2026-04-01T10:00:00+0000")

    # 1. The first night keeps all that there is, with the page's introduction, its settings and its block list.
    assert told(desk.night()) == ("complete", 11, 0, 0, 0)
    held = desk.held()
    assert {post, first, answer, spam, rude, theirs, message, f"event:{event}", OURS} < set(held)
    assert held[message].private

    # 2. A quiet night changes nothing, whatever became of likes and of the addresses of pictures.
    world.night += 1
    world.items[post].likes += 40
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A post and a comment are edited: Facebook tells no time of it, so it happened between two nights.
    world.amend(post, "Bridge closed until seven")
    world.amend(first, "Until when exactly?")
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    assert desk.held()[post].versions == 2

    # 4. The page hides one comment and removes another: the hidden one's words are still told to the page.
    world.hide(spam)
    world.delete(rude)
    assert told(desk.night()) == ("complete", 0, 0, 1, 1)
    held = desk.held()
    assert (held[spam].state, held[rude].state) == ("hidden", "gone")
    assert held[rude].version.fields["text"] == "You fools"

    # 5. A lost permission, an outage and a dead token prove no removal.
    world.scopes.discard("pages_read_user_content")
    assert desk.night().tally.gone == 0
    world.scopes.add("pages_read_user_content")
    failing = Refused(2, "An unexpected error has occurred.", status=500)
    world.shut["published_posts"] = failing
    assert desk.night().status == "partial"
    world.shut.clear()
    world.dead = 460
    failed = desk.night()
    assert failed.status == "failed"
    assert any("password" in gap.why for gap in failed.gaps)
    states = {name: record.state for name, record in desk.held().items()}
    assert {name for name, state in states.items() if state != "present"} == {spam, rude}

    # 6. When all is well again the night sees what happened meanwhile; whoever unhid the comment is not told.
    world.dead = None
    world.hide(spam, hidden=False)
    world.delete(post)
    after = desk.night()
    assert after.status == "complete"
    held = desk.held()
    assert {name for name, record in held.items() if record.state == "gone"} == {
        post,
        first,
        answer,
        spam,
        rude,
    }
    assert held[theirs].state == "present"
    with desk.store.database.read():
        assert fixity.verify(desk.store, full=True).findings == []


def test_a_night_over_a_window_notices_what_happened_within_it(desk: Desk, world: FacebookWorld) -> None:
    old = world.say("Long ago")
    world.tick(days=200)
    post = world.say("Closed")
    comment, other = world.comment(post, "+1"), world.comment(post, "+2", by="2002")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=-1))
    assert desk.night().status == "complete"
    world.delete(comment)
    world.amend(other, "+3")
    world.delete(old)
    assert told(desk.night(window)) == ("complete", 0, 1, 0, 1)
    held = desk.held()
    assert (held[comment].state, held[other].version.fields["text"]) == ("gone", "+3")
    assert held[old].state == "present", "what lies before the window is another night's"
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)


def test_what_is_removed_is_noticed_also_after_the_page_has_changed_its_name(
    desk: Desk, world: FacebookWorld
) -> None:
    post = world.say("Bridge closed")
    rude, kind = world.comment(post, "You fools", by="2002"), world.comment(post, "Thanks")
    assert desk.night().status == "complete"
    nobody = Refused(100, "Unsupported get request.", subcode=33)
    world.trouble = lambda path: (
        (nobody.status, JSON, world.error(nobody)) if path.endswith("/testtownpolice") else None
    )
    world.delete(rude)
    world.amend(kind, "Thank you")
    assert told(desk.night()) == ("complete", 0, 1, 0, 1)
    assert desk.states() == {rude: "gone"}


def test_another_description_of_a_picture_is_an_edit_and_an_address_that_expires_is_none(
    desk: Desk, world: FacebookWorld
) -> None:
    post = world.say("Bridge closed", picture="901", alt="A barrier")

    def expire() -> None:
        world.night += 1

    def describe(words: str | None) -> None:
        world.items[post].alt = words

    desk.hears_other_descriptions(post, expire, describe)


@pytest.mark.parametrize(("refused", "status"), [("901", "complete"), ("ids", "partial")])
def test_a_description_that_facebook_refuses_to_tell_one_night_is_no_edit(
    desk: Desk, world: FacebookWorld, refused: str, status: str
) -> None:
    post = world.say("Bridge closed", picture="901", alt="A barrier")
    assert desk.night().status == "complete"
    world.shut[refused] = Refused(10, "Permission denied", status=403)
    assert told(desk.night()) == (status, 0, 0, 0, 0)
    world.amend(post, "Bridge open")
    assert desk.night().tally.edited == 1
    world.shut.clear()
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.described(post) == [["A barrier"], ["A barrier"]]


def test_a_post_that_fails_for_ever_keeps_nothing_behind_it_from_being_captured(
    desk: Desk, world: FacebookWorld
) -> None:
    world.nests = False
    posts = [world.say(words) for words in ("Bridge closed", "Open house", "Flood")]
    for post in posts:
        world.comment(post, "Until when?")
    message = world.write("t_1", "Is the office open?")
    assert desk.night().status == "complete"
    oldest, broken, newest = posts
    behind = [world.comment(oldest, "Still?"), world.comment(newest, "Where?")]
    lost = [world.comment(broken, "Me too")]
    breaks(world, f"{broken}/comments")
    passed_over(desk, broken, behind=behind, lost=lost)
    recovered(desk, world, lost)
    breaks(world, "t_1/messages")
    behind = [world.comment(oldest, "Thanks")]
    passed_over(desk, "t_1", behind=behind, lost=[])
    assert desk.held()[message].state == "present"


def test_where_every_post_fails_the_pass_stops_and_is_not_complete(desk: Desk, world: FacebookWorld) -> None:
    world.nests = False
    posts = [world.say(f"Notice {number}") for number in range(5)]
    assert [world.comment(post, "Thanks") for post in posts]
    assert desk.night().status == "complete"
    lost = [world.comment(post, "Really?") for post in posts]
    breaks(world, "/comments")
    stopped(desk, lost=lost)
    recovered(desk, world, lost)


def test_a_picture_that_facebook_fails_to_describe_keeps_no_other_from_being_described(
    desk: Desk, world: FacebookWorld
) -> None:
    posts = [
        world.say(f"Notice {number}", picture=f"90{number}", alt=f"Barrier {number}") for number in range(4)
    ]
    world.trouble = lambda _: BROKEN if "ids=" in world.asked[-1] and "902" in world.asked[-1] else None
    report = desk.night()
    assert (report.status, report.finished) == ("partial", True)
    assert [one.native_id for one in report.gaps] == ["902"]
    said = [desk.described(post) for post in posts]
    assert said == [[["Barrier 0"]], [["Barrier 1"]], [[None]], [["Barrier 3"]]]
    world.trouble = None
    assert desk.night().status == "complete"
    assert desk.described(posts[2])[-1] == ["Barrier 2"]


def test_a_post_of_which_not_even_one_comment_can_be_gathered_keeps_nothing_behind_it_from_being_captured(
    desk: Desk, world: FacebookWorld
) -> None:
    world.nests = False
    oldest, broken, newest = (world.say(words) for words in ("Bridge closed", "Open house", "Flood"))
    behind = [world.comment(oldest, "Still?"), world.comment(newest, "Where?")]
    lost = [world.comment(broken, "Me too")]
    body = world.error(Refused(1, "Please reduce the amount of data you're asking for", status=500))
    world.trouble = lambda _: (500, JSON, body) if f"{broken}/comments" in world.asked[-1] else None
    passed_over(desk, broken, behind=behind, lost=lost)
    recovered(desk, world, lost)


@pytest.mark.parametrize("code", [4, 190, 368])
def test_a_failing_answer_that_speaks_of_whoever_asks_is_no_post_that_fails(
    desk: Desk, world: FacebookWorld, code: int
) -> None:
    world.nests = False
    broken, newest = world.say("Open house"), world.say("Flood")
    lost = [world.comment(broken, "Me too")]
    body = world.error(Refused(code, "Refused", status=500))
    world.trouble = lambda _: (500, JSON, body) if f"{newest}/comments" in world.asked[-1] else None
    stopped(desk, lost=lost)
    recovered(desk, world, lost)


def test_an_item_at_which_facebook_fails_when_it_is_asked_for_is_missing_and_never_gone(
    desk: Desk, world: FacebookWorld
) -> None:
    post = world.say("Bridge closed")
    first, second, third = (world.comment(post, f"+{number}") for number in range(3))
    assert desk.night().status == "complete"
    for name in (first, second, third):
        world.delete(name)
    world.trouble = lambda path: BROKEN if path.endswith(f"/{second}") else None
    report = desk.night()
    assert (report.status, report.finished, report.tally.gone, report.tally.absent) == (
        "complete",
        True,
        2,
        1,
    )
    assert desk.states() == {first: "gone", second: "absent", third: "gone"}
    world.trouble = None
    desk.night()
    assert desk.states() == {first: "gone", second: "gone", third: "gone"}

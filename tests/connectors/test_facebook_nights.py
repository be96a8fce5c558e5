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
from tests.connectors.worlds.desk import Desk, told
from tests.connectors.worlds.facebook_world import OURS, FacebookWorld, Refused


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

"""Instagram in a real archive, night after night: an edit, a removal, a hide, a story, a lost permission and a failure."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from app.capture import lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store, fixity
from connectors.contract import Page
from connectors.instagram import Instagram
from tests.connectors.worlds.broken import breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import Desk, told_in_full
from tests.connectors.worlds.instagram_world import NAME, OURS, InstagramWorld, Refused


class Account(Desk):
    """A desk and its account on Instagram, for which a day passes too."""

    def __init__(self, store: Store, clock: FixedClock, stack: ExitStack, world: InstagramWorld) -> None:
        page = Page(address=f"https://www.instagram.com/{NAME}/", options={"graph": world.address})
        super().__init__(store, clock, stack, Instagram, page, world.secrets, name="Police on Instagram")
        self.world = world

    def evening(self) -> None:
        self.world.tick(days=1)


@pytest.fixture
def desk(store: Store, clock: FixedClock, stack: ExitStack) -> Account:
    return Account(store, clock, stack, stack.enter_context(InstagramWorld()))


def test_an_edit_a_hide_a_removal_and_a_failure_are_told_once_and_as_they_were(desk: Account) -> None:
    world = desk.world
    post = world.say("Bridge closed until six", alt="A barrier")
    other = world.say("Flood", parts=["181", "182"])
    first = world.comment(post, "Until when?")
    answer = world.comment(post, "Until six.", by=NAME, to=first)
    spam = world.comment(post, "Buy cheap pills", by="al_visitor")
    rude = world.comment(post, "You fools", by="al_visitor")
    tagged = world.tag("With @testtownpolice")
    message = world.write("t_1", "Is the office open?")
    world.tick(days=1)
    story = world.story("Closed today")
    world.tick(days=-1)

    # 1. The first night keeps all that there is, with the account's introduction.
    assert told_in_full(desk.night()) == ("complete", 10, 0, 0, 0, 0)
    held = desk.held()
    assert {post, other, first, answer, spam, rude, f"tagged:{tagged}", message, f"story:{story}", OURS} == {
        *held
    }
    assert held[message].private

    # 2. The next day the story has ended: it is absent, with the reason, and stays so without another question.
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 1, 0)
    ended = desk.held()[f"story:{story}"]
    assert ended.state == "absent"
    assert "24 hours" in str(ended.version.fields["state_reason"])

    # 3. A quiet night changes nothing, whatever became of likes and of the addresses of pictures.
    world.night += 1
    world.items[post].likes += 40
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    assert not any(f"/v26.0/{story}" in question for question in world.asked), (
        "it is in a list, or it has ended"
    )

    # 4. A caption is edited: Instagram tells no time of it, so it happened between two nights.
    world.the(post).text = "Bridge closed until seven"
    assert told_in_full(desk.night()) == ("complete", 0, 1, 0, 0, 0)
    assert desk.held()[post].versions == 2

    # 5. One comment is hidden, another removed. The hidden one's words are told to the account; of the other Instagram
    #    says no more than of one whose writer is restricted, so it is absent and not gone.
    world.the(spam).hidden = True
    world.delete(rude)
    assert told_in_full(desk.night()) == ("complete", 0, 0, 1, 1, 0)
    held = desk.held()
    assert (held[spam].state, held[rude].state) == ("hidden", "absent")
    assert held[rude].version.fields["text"] == "You fools"

    # 6. A lost permission, an outage and a dead token prove no removal.
    world.scopes.discard("manage_comments")
    lost = desk.night()
    assert (lost.status, lost.tally.absent, lost.tally.gone) == ("partial", 0, 0)
    world.scopes.add("manage_comments")
    world.shut[f"{OURS}/media"] = Refused(2, "An unexpected error has occurred.", status=500)
    assert desk.night().status == "partial"
    world.shut.clear()
    world.dead = 460
    failed = desk.night()
    assert failed.status == "failed"
    assert any("password" in gap.why for gap in failed.gaps)
    states = {name: record.state for name, record in desk.held().items()}
    assert {name for name, state in states.items() if state != "present"} == {spam, rude, f"story:{story}"}

    # 7. When all is well again the night sees what happened meanwhile; a post that was removed is gone, since Instagram
    #    shows the others.
    world.dead = None
    world.the(spam).hidden = False
    world.delete(post)
    assert desk.night().status == "complete"
    held = desk.held()
    assert {name for name, record in held.items() if record.state == "gone"} == {post}
    assert {held[one].state for one in (first, answer, spam, rude)} == {"absent"}
    assert held[other].state == held[f"tagged:{tagged}"].state == "present"
    with desk.store.database.read():
        assert fixity.verify(desk.store, full=True).findings == []


def test_hidden_comments_that_are_not_listed_are_hidden_and_not_absent(desk: Account) -> None:
    world = desk.world
    world.lists_hidden = False
    post = world.say("Closed")
    spam, fine = world.comment(post, "Pills"), world.comment(post, "+1")
    desk.night()
    world.the(spam).hidden = True
    assert told_in_full(desk.night()) == ("complete", 0, 0, 1, 0, 0)
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    world.the(spam).hidden = False
    desk.night()
    held = desk.held()
    assert (held[spam].state, held[fine].state) == ("present", "present")


def test_a_night_over_a_window_notices_what_happened_within_it(desk: Account) -> None:
    world = desk.world
    old = world.say("Long ago")
    world.tick(days=200)
    world.say("Open")
    post = world.say("Closed")
    comment, other = world.comment(post, "+1"), world.comment(post, "+2", by="al_visitor")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=-1))
    world.tick(days=1)
    assert desk.night().status == "complete"
    world.delete(comment)
    world.the(other).text = "+3"
    world.delete(old)
    assert told_in_full(desk.night(window)) == ("complete", 0, 1, 0, 1, 0)
    held = desk.held()
    assert (held[comment].state, held[other].version.fields["text"]) == ("absent", "+3")
    assert held[old].state == "present", "what lies before the window is another night's"
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 1)
    assert desk.held()[old].state == "gone"


def test_another_description_of_a_picture_is_an_edit_and_an_address_that_expires_is_none(
    desk: Account,
) -> None:
    world = desk.world
    post = world.say("Bridge closed", alt="A barrier")
    assert desk.night().status == "complete"
    world.night += 1
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    for alt in ("A barrier across the road", None):
        world.the(post).alt = alt
        assert told_in_full(desk.night()) == ("complete", 0, 1, 0, 0, 0)
    assert desk.described(post) == [["A barrier"], ["A barrier across the road"], [None]]
    assert desk.sound()


def test_a_post_that_fails_for_ever_keeps_nothing_behind_it_from_being_captured(desk: Account) -> None:
    world = desk.world
    world.nests = False
    oldest, broken, newest = (world.say(words) for words in ("Bridge closed", "Open house", "Flood"))
    for post in (oldest, broken, newest):
        world.comment(post, "Until when?")
    assert desk.night().status == "complete"
    behind = [world.comment(oldest, "Still?"), world.comment(newest, "Where?")]
    lost = [world.comment(broken, "Me too")]
    breaks(world, f"{broken}/comments")
    passed_over(desk, broken, behind=behind, lost=lost)
    recovered(desk, world, lost)


def test_where_every_post_fails_the_pass_stops_and_is_not_complete(desk: Account) -> None:
    world = desk.world
    world.nests = False
    posts = [world.say(f"Notice {number}") for number in range(5)]
    assert [world.comment(post, "Thanks") for post in posts]
    assert desk.night().status == "complete"
    lost = [world.comment(post, "Really?") for post in posts]
    breaks(world, "/comments")
    stopped(desk, lost=lost)
    recovered(desk, world, lost)

"""Threads in a real archive, night after night: an edit, a removal, a hide, a ghost post, a lost permission and a failure."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from app.capture import lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store, fixity
from connectors.contract import Page
from connectors.threads import Threads
from tests.connectors.worlds.broken import breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import Desk, told_in_full
from tests.connectors.worlds.instagram_world import Refused
from tests.connectors.worlds.threads_world import NAME, OURS, ThreadsWorld


class Account(Desk):
    """A desk and its account on Threads, for which a day passes too."""

    def __init__(self, store: Store, clock: FixedClock, stack: ExitStack, world: ThreadsWorld) -> None:
        page = Page(address=f"https://www.threads.com/@{NAME}", options={"graph": world.address})
        super().__init__(store, clock, stack, Threads, page, world.secrets, name="Police on Threads")
        self.world = world

    def evening(self) -> None:
        self.world.tick(days=1)


@pytest.fixture
def desk(store: Store, clock: FixedClock, stack: ExitStack) -> Account:
    return Account(store, clock, stack, stack.enter_context(ThreadsWorld()))


def test_an_edit_a_hide_a_removal_and_a_failure_are_told_once_and_as_they_were(desk: Account) -> None:
    world = desk.world
    post = world.say("Bridge closed until six", kind="IMAGE", alt="A barrier")
    other = world.say("Flood", parts=["181", "182"])
    first = world.answer_to(post, "Until when?")
    answer = world.answer_to(first, "Until six.", by=NAME)
    spam = world.answer_to(post, "Buy cheap pills", by="al_visitor")
    echo = world.answer_to(spam, "Yes, do")
    rude = world.answer_to(post, "You fools", by="al_visitor")
    mention = world.elsewhere("With @testtownpolice")
    named = world.answer_to(post, "@testtownpolice thank you")
    world.tick(days=1)
    ghost = world.ghost("Only today")
    world.tick(days=-1)

    # 1. The first night keeps all that there is, with the account's introduction.
    assert told_in_full(desk.night()) == ("complete", 11, 0, 0, 0, 0)
    assert {*desk.held()} == {
        *(post, other, first, answer, spam, echo, rude, named, ghost, OURS),
        f"mention:{mention}",
    }

    # 2. The next day Threads has archived the ghost post, and says so.
    assert told_in_full(desk.night()) == ("complete", 0, 0, 1, 0, 0)
    assert desk.held()[ghost].state == "hidden"

    # 3. A quiet night changes nothing, whatever became of the addresses of pictures.
    world.night += 1
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)

    # 4. A post is edited: Threads tells no time of it, so it happened between two nights.
    world.the(post).text = "Bridge closed until seven"
    assert told_in_full(desk.night()) == ("complete", 0, 1, 0, 0, 0)
    assert desk.held()[post].versions == 2

    # 5. One answer is hidden, with what answers it; another is removed, of which Threads says no more than of one whose
    #    writer left.
    world.hide(spam)
    world.delete(rude)
    assert told_in_full(desk.night()) == ("complete", 0, 0, 2, 1, 0)
    held = desk.held()
    assert [held[one].state for one in (spam, echo, rude)] == ["hidden", "hidden", "absent"]
    assert held[rude].version.fields["text"] == "You fools"

    # 6. A lost permission, an outage and a dead token prove no removal.
    for silent in (False, True):
        world.silent = silent
        world.scopes.discard("threads_read_replies")
        lost = desk.night()
        assert (lost.status, lost.tally.absent, lost.tally.gone) == ("partial", 0, 0)
        world.scopes.add("threads_read_replies")
    world.shut[f"{OURS}/threads"] = Refused(2, "An unexpected error has occurred.", status=500)
    assert desk.night().status == "partial"
    world.shut.clear()
    world.dead = 463
    failed = desk.night()
    assert failed.status == "failed"
    assert any("run out" in gap.why for gap in failed.gaps)
    states = {name: record.state for name, record in desk.held().items()}
    assert {name for name, state in states.items() if state != "present"} == {spam, echo, rude, ghost}

    # 7. When all is well again the night sees what happened meanwhile; a post that was removed is gone, since Threads
    #    shows the others.
    world.dead = None
    world.delete(post)
    assert desk.night().status == "complete"
    held = desk.held()
    assert {name for name, record in held.items() if record.state == "gone"} == {post}
    assert {held[one].state for one in (first, answer, spam, echo, rude, named)} == {"absent"}
    assert held[other].state == held[f"mention:{mention}"].state == "present"
    with desk.store.database.read():
        assert fixity.verify(desk.store, full=True).findings == []


def test_a_night_over_a_window_notices_what_happened_within_it(desk: Account) -> None:
    world = desk.world
    old = world.say("Long ago")
    world.tick(days=200)
    world.say("Open")
    post = world.say("Closed")
    answer, other = world.answer_to(post, "+1"), world.answer_to(post, "+2", by="al_visitor")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=-1))
    world.tick(days=1)
    assert desk.night().status == "complete"
    world.delete(answer)
    world.the(other).text = "+3"
    world.delete(old)
    assert told_in_full(desk.night(window)) == ("complete", 0, 1, 0, 1, 0)
    held = desk.held()
    assert (held[answer].state, held[other].version.fields["text"]) == ("absent", "+3")
    assert held[old].state == "present", "what lies before the window is another night's"
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 1)
    assert desk.held()[old].state == "gone"


def test_another_description_of_a_picture_is_an_edit_and_an_address_that_expires_is_none(
    desk: Account,
) -> None:
    world = desk.world
    post = world.say("Bridge closed", kind="IMAGE", alt="A barrier")

    def expire() -> None:
        world.night += 1

    def describe(words: str | None) -> None:
        world.items[post].alt = words

    desk.hears_other_descriptions(post, expire, describe)


def test_a_post_that_fails_for_ever_keeps_nothing_behind_it_from_being_captured(desk: Account) -> None:
    world = desk.world
    oldest, broken, newest = (world.say(words) for words in ("Bridge closed", "Open house", "Flood"))
    for post in (oldest, broken, newest):
        world.answer_to(post, "Until when?")
    assert desk.night().status == "complete"
    behind = [world.answer_to(oldest, "Still?"), world.answer_to(newest, "Where?")]
    lost = [world.answer_to(broken, "Me too")]
    breaks(world, f"{broken}/conversation")
    passed_over(desk, broken, behind=behind, lost=lost)
    recovered(desk, world, lost)


def test_where_every_post_fails_the_pass_stops_and_is_not_complete(desk: Account) -> None:
    world = desk.world
    posts = [world.say(f"Notice {number}") for number in range(5)]
    assert [world.answer_to(post, "Thanks") for post in posts]
    assert desk.night().status == "complete"
    lost = [world.answer_to(post, "Really?") for post in posts]
    breaks(world, "/conversation")
    stopped(desk, lost=lost)
    recovered(desk, world, lost)

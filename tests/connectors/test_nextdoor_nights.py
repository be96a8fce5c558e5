"""Nextdoor in a real archive, night after night: an edit, a removal, comments that are counted and not shown, and failures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from app.capture import importing, lanes
from app.capture.run import Pass
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.nextdoor import Nextdoor
from tests.connectors.worlds.desk import Desk
from tests.connectors.worlds.nextdoor_world import (
    HTML,
    INTRODUCED,
    JSON,
    PAGE,
    WRITER,
    NextdoorWorld,
    Refused,
    refusal,
)

POSTS = "/external/api/partner/v1/post/"


def desk_of(
    store: Store, clock: FixedClock, stack: ExitStack, world: NextdoorWorld, secret: Mapping[str, str]
) -> Desk:
    page = Page(address=f"https://nextdoor.com{PAGE}", options={"api": world.address, "auth": world.address})
    return Desk(store, clock, stack, Nextdoor, page, secret, name="Police on Nextdoor")


def told(report: Report) -> tuple[str, int, int, int, int]:
    tally = report.tally
    return report.status, tally.new, tally.edited, tally.absent, tally.gone


def test_an_edit_a_removal_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack, tmp_path: Path
) -> None:
    world = stack.enter_context(NextdoorWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    old, bridge, house = (
        world.say("Long ago."),
        world.say("Bridge closed.", media=("1/a.jpg",)),
        world.say("Open house."),
    )
    asked = world.answer_to(bridge, "Until when?")
    world.answer_to(asked, "Until six.", by=WRITER)

    # 1. The first night keeps all that there is, with the introduction and the areas. Comments are counted, not shown.
    assert told(desk.night()) == ("complete", 5, 0, 0, 0)
    assert set(desk.held()) == {INTRODUCED, "areas", old, bridge, house}
    assert desk.counted() == {"comment+reply": (2, 0)}

    # 2. A quiet night changes nothing, whatever became of likes and of the addresses of files.
    world.night += 1
    world.posts[bridge].likes += 40
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A post is edited, of which Nextdoor tells no time; an area is added.
    world.posts[bridge].body = "Bridge closed until seven."
    world.areas.append(("Island", 14, "custom"))
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    assert (desk.held()[bridge].versions, desk.states()) == (2, {})

    # 4. What an officer brought in counts against what Nextdoor counts: one comment is held now, and one is not.
    file = tmp_path / "recorded.jsonl"
    line = {"native_id": asked, "kind": "comment", "in_reply_to": bridge, "text": "Until when?"}
    file.write_text(json.dumps(line) + "\n")
    importing.observations(
        store, file, page=desk.page, make_pages=False, by=None, why="test", tick=count().__next__
    )
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.counted() == {"comment+reply": (2, 1)}
    assert desk.states() == {}, "what was brought in is missing from no list of Nextdoor's"

    # 5. A post is removed. Nextdoor answers for no single post: it is missing, and no more is claimed.
    world.delete(house)
    assert told(desk.night()) == ("complete", 0, 0, 1, 0)
    assert desk.states() == {house: "absent"}
    assert desk.held()[house].version.fields["text"] == "Open house."

    # 6. An outage, a throttle, a firewall, a lost scope, a list that is suddenly empty, and a dead token prove no removal.
    for trouble in (
        (500, HTML, b""),
        (429, {**JSON, "Retry-After": "240"}, refusal(Refused(429, "rate_limited"))),
        (200, HTML, b"<html>Sign in</html>"),
        (200, JSON, b'{"posts": []}'),
        (200, JSON, b'{"posts": [], "posts_length": 3}'),
    ):
        world.trouble = lambda path, says=trouble: says if path == POSTS else None
        assert desk.night().status == "partial"
        assert desk.states() == {house: "absent"}
    world.trouble = None
    world.scopes.discard("agency.boundary:read")
    assert desk.night().status == "partial"
    world.scopes.add("agency.boundary:read")
    world.dead = True
    assert desk.night().status == "failed"
    world.dead = False
    assert desk.states() == {house: "absent"}

    # 7. When all is well again the night sees what happened meanwhile: also the oldest post was removed, and a post is new.
    #    The list shows fewer posts than it did, so that it was not cut off at its end.
    world.delete(old)
    new = world.say("Office closed.")
    assert told(desk.night()) == ("complete", 1, 0, 1, 0)
    assert desk.states() == {house: "absent", old: "absent"}
    assert desk.held()[new].state == "present"
    assert desk.sound()


def test_a_list_that_is_cut_off_at_its_end_makes_no_old_post_absent(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(NextdoorWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    world.cuts_off = 3
    first, second, *_ = [world.say(f"Notice {number}.") for number in range(3)]
    assert desk.night().status == "complete"
    third = world.say("Notice 3.")
    assert told(desk.night()) == ("complete", 1, 0, 0, 0)
    assert desk.states() == {}, f"{first} slipped out behind the end of the list"
    world.delete(third)
    world.cuts_off = None
    world.delete(second)
    assert desk.night().status == "complete"
    assert desk.states() == {third: "absent", second: "absent"}
    assert desk.sound()


def test_an_account_whose_posts_hold_their_comments_is_kept_whole_and_a_removed_comment_is_missed(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(NextdoorWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    world.shows_comments = True
    bridge = world.say("Bridge closed.")
    asked = world.answer_to(bridge, "Until when?")
    answer, rude = world.answer_to(asked, "Until six.", by=WRITER), world.answer_to(bridge, "You fools")
    assert told(desk.night()) == ("complete", 6, 0, 0, 0)
    held = desk.held()
    assert [held[one].kind for one in (asked, answer, rude)] == ["comment", "reply", "comment"]
    world.delete(rude)
    assert told(desk.night()) == ("complete", 0, 0, 1, 0)
    assert desk.states() == {rude: "absent"}

    # Nextdoor stops showing them, and counts them still: nothing is concluded from that.
    world.shows_comments = False
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {rude: "absent"}
    assert desk.counted()["comment+reply"] == (2, 2)
    assert desk.sound()


def test_a_night_over_a_window_changes_nothing_outside_it(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(NextdoorWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    oldest, old = world.say("Long ago."), world.say("Quiet.")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=200))
    first, second = world.say("Bridge closed."), world.say("Open house.")
    assert desk.night().status == "complete"
    world.delete(old)
    world.delete(second)
    world.posts[first].body = "Bridge open."
    desk.night(window)
    assert desk.states() == {second: "absent"}, f"what lies before the window is another night's: {old}"
    assert desk.held()[first].version.fields["text"] == "Bridge open."
    desk.night()
    assert desk.states() == {second: "absent", old: "absent"}
    assert desk.held()[oldest].state == "present"
    assert desk.sound()


def test_what_the_public_feed_no_longer_shows_stays_as_it_was(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(NextdoorWorld())
    desk = desk_of(store, clock, stack, world, world.for_the_public)
    bridge, house = world.say("Bridge closed."), world.say("Open house.")
    asked = world.answer_to(bridge, "Until when?")
    answer = world.answer_to(asked, "Until six.", by=WRITER)
    assert told(desk.night()) == ("complete", 5, 0, 0, 0)
    world.delete(house)
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {}

    # A comment below a post that is shown, with all that are counted there, is missed.
    world.delete(answer)
    assert told(desk.night()) == ("complete", 0, 0, 1, 0)
    assert desk.states() == {answer: "absent"}
    world.dead = True
    assert desk.night().status == "failed"
    world.dead = False
    assert desk.night().status == "complete"
    assert desk.states() == {answer: "absent"}
    assert desk.sound()


def test_areas_at_which_nextdoor_always_fails_keep_no_post_from_being_captured(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(NextdoorWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    world.trouble = lambda path: (500, {}, b"") if "boundary" in path else None
    bridge, house = world.say("Bridge closed."), world.say("Open house.")
    report = desk.night()
    assert (report.status, report.finished) == ("partial", True)
    assert {bridge, house} <= set(desk.held())
    assert "areas" not in desk.held()
    world.trouble = None
    world.delete(house)
    assert told(desk.night()) == ("complete", 1, 0, 1, 0)
    assert "areas" in desk.held()
    assert desk.states() == {house: "absent"}
    assert desk.sound()


def test_where_nextdoor_fails_at_the_posts_the_night_stops_and_tells_nothing(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(NextdoorWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    world.say("Bridge closed.")
    assert desk.night().status == "complete"
    world.trouble = lambda path: (500, {}, b"") if "/me/" not in path else None
    report = desk.night()
    assert (report.status, report.finished, desk.states()) == ("partial", False, {})
    world.trouble = None
    assert desk.night().status == "complete"
    assert desk.states() == {}

"""Flickr in a real archive, night after night: edits, a removal, a photo made private, and nights on which Flickr fails."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from app.capture import lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.flickr import Flickr
from tests.connectors.worlds import answering
from tests.connectors.worlds.desk import Desk, told
from tests.connectors.worlds.flickr_world import ALIAS, JSON, OURS, FlickrWorld, failing


def desk_of(
    store: Store, clock: FixedClock, stack: ExitStack, world: FlickrWorld, secret: Mapping[str, str]
) -> Desk:
    page = Page(address=f"https://www.flickr.com/photos/{ALIAS}/", options={"api": world.api})
    return Desk(store, clock, stack, Flickr, page, secret)


def test_an_edit_a_removal_a_private_photo_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(FlickrWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    bridge, house = world.post("Bridge closed until six", "By order."), world.post("Open house")
    album = world.make_album("The year in photos")
    when, answer = world.say(bridge, "Until when?"), world.say(bridge, "Until six.", by=OURS)
    thanks, praise = world.say(house, "Thanks"), world.say(album, "Well done")

    # 1. The first night keeps all that there is, with the introduction.
    assert told(desk.night()) == ("complete", 8, 0, 0, 0)
    assert set(desk.held()) == {OURS, bridge, house, album, when, answer, thanks, praise}
    assert desk.states() == {}

    # 2. A quiet night changes nothing, whatever became of views and of the addresses of files.
    world.night += 1
    world.photos[bridge].views += 40
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A title and a comment are edited.
    world.edit_photo(bridge, title="Bridge closed until seven")
    world.amend(when, "Until when exactly?")
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    assert desk.held()[when].version.fields["text"] == "Until when exactly?"

    # 4. A photo is made private: it is hidden, with what was said there. It comes back.
    world.edit_photo(house, public=0)
    desk.night()
    assert desk.states() == {house: "hidden", thanks: "hidden"}
    world.edit_photo(house, public=1)
    desk.night()
    assert desk.states() == {}

    # 5. A comment is removed: Flickr answers for no single comment, so it is missing, and no more is claimed.
    world.delete(answer)
    desk.night()
    assert desk.states() == {answer: "absent"}
    assert desk.held()[answer].version.fields["text"] == "Until six."

    # 6. An outage in either form, a throttle, a broken answer and a lost permission prove no removal.
    before = desk.states()
    for trouble in (
        (500, {}, b""),
        (429, {}, b""),
        (200, JSON, failing(105, "Service currently unavailable")),
        (200, JSON, failing(201, "Sorry") + b","),
    ):
        world.trouble = lambda method, says=trouble: says if "comments" in method else None
        assert desk.night().status == "partial"
        assert desk.states() == before
    world.trouble, world.dead = None, (98, "token_rejected")
    assert desk.night().status == "failed"
    world.dead = None
    assert desk.states() == before

    # 7. When all is well again the night sees what happened meanwhile: a photo was removed, with all that was said there.
    world.delete(bridge)
    assert desk.night().status == "complete"
    assert desk.states() == {bridge: "gone", when: "gone", answer: "gone"}
    assert desk.sound()


def test_with_a_key_alone_what_is_missing_is_absent_and_comes_back(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(FlickrWorld())
    desk = desk_of(store, clock, stack, world, world.with_key)
    bridge, house = world.post("Bridge closed"), world.post("Open house")
    thanks = world.say(house, "Thanks")
    assert desk.night().status == "complete"
    world.edit_photo(house, public=0)
    world.delete(bridge)
    desk.night()
    assert desk.states() == {bridge: "absent", house: "absent", thanks: "absent"}
    world.edit_photo(house, public=1)
    desk.night()
    assert desk.states() == {bridge: "absent"}
    assert desk.sound()


def test_a_night_over_a_window_notices_what_was_said_below_old_photos_and_leaves_the_rest(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(FlickrWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    old, quiet = world.post("Long ago"), world.post("Quiet")
    long_ago, untouched = world.say(old, "First!"), world.say(quiet, "Nice")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=200))
    new = world.post("Bridge closed")
    assert desk.night().status == "complete"
    late, fresh = world.say(old, "Still true?"), world.say(new, "Until when?")
    world.amend(long_ago, "First of all!")
    asked = len(world.asked)
    assert told(desk.night(window)) == ("complete", 2, 1, 0, 0)
    assert {late, fresh} < set(desk.held())
    assert quiet not in {one.get("photo_id") for one in world.asked[asked:]}
    world.delete(fresh)
    world.delete(untouched)
    world.tick()
    world.edit_photo(new, description="Still.")
    desk.night(window)
    assert desk.states() == {fresh: "absent"}, "what lies before the window is another night's"
    assert desk.sound()


def failing_below(world: FlickrWorld, *roots: str) -> None:
    """From now on Flickr answers with 500 to whoever asks what was said below these photos."""
    answering.failing_at(
        world, lambda target: "comments.getList" in target and any(f"={root}" in target for root in roots)
    )


def test_what_stands_behind_a_photo_at_whose_comments_flickr_always_fails_is_captured_the_same_night(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(FlickrWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    names = [world.post(f"No. {number}") for number in range(3)]
    below = [world.say(name, "Why?") for name in names]
    assert desk.night().status == "complete"

    # 1. One is broken. What is said below the others is captured; nothing is told of what was said below it.
    failing_below(world, names[1])
    unseen = world.say(names[1], "And the ferry?")
    new = [world.say(name, "Since when?") for name in (names[0], names[2])]
    world.delete(below[1])
    report = desk.night()
    assert told(report) == ("partial", 2, 0, 0, 0)
    assert [gap.native_id for gap in report.gaps] == [names[1]]
    assert set(new) <= set(desk.held())
    assert desk.states() == {}

    # 2. It recovers: what was said meanwhile is captured, and what was removed is noticed.
    answering.is_itself(world)
    report = desk.night()
    assert (report.status, report.tally.new) == ("complete", 1)
    assert unseen in desk.held()
    assert desk.states() == {below[1]: "absent"}
    assert desk.sound()


def test_where_flickr_fails_at_the_comments_of_every_photo_the_night_stops_and_tells_nothing(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(FlickrWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    names = [world.post(f"No. {number}") for number in range(5)]
    for name in names:
        world.say(name, "Why?")
    assert desk.night().status == "complete"
    failing_below(world, *names)
    report = desk.night()
    assert (report.status, report.finished, desk.states()) == ("partial", False, {})
    answering.is_itself(world)
    desk.night()
    assert desk.night().status == "complete"
    assert desk.states() == {}
    assert desk.sound()

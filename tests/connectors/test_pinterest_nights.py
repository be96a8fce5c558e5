"""Pinterest in a real archive, night after night: edits, a removal, a secret board, throttles and a lost permission."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.pinterest import Pinterest
from tests.connectors.worlds import answering
from tests.connectors.worlds.desk import Desk, told
from tests.connectors.worlds.pinterest_world import NAME, NUMBER, OTHER, SECRET, PinterestWorld, Refused


def desk_of(store: Store, clock: FixedClock, stack: ExitStack, world: PinterestWorld) -> Desk:
    page = Page(address=f"https://www.pinterest.com/{NAME}/", options={"api": world.api})
    return Desk(store, clock, stack, Pinterest, page, world.signed_in)


def test_edits_a_secret_board_a_removal_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(PinterestWorld())
    desk = desk_of(store, clock, stack, world)
    roads = world.board("Roads", "What is closed.")
    winter = world.section(roads, "Winter")
    bridge, ferry = world.pin(roads, "Bridge closed", "Until six."), world.pin(roads, "Ferry", section=winter)
    plans = world.board("Plans", privacy=SECRET)
    draft = world.pin(plans, "Not yet")
    boards = {f"board/{roads}", f"section/{roads}/{winter}", f"board/{plans}"}

    # 1. The first night keeps all that there is, with pictures; what the public does not see is hidden.
    assert told(desk.night()) == ("complete", 7, 0, 0, 0)
    assert set(desk.held()) == {f"account/{NUMBER}", *boards, bridge, ferry, draft}
    assert desk.states() == {f"board/{plans}": "hidden", draft: "hidden"}
    assert list(desk.files(bridge).values()) == [b"a picture"]

    # 2. A quiet night changes nothing, whatever became of counts and of the addresses of pictures.
    world.night += 1
    world.pins[bridge].comments += 40
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A pin, what it leads to, and the words of a board are edited. Pinterest tells no time of it.
    world.pins[bridge].description = "Until seven."
    world.pins[ferry].link = "https://town.example/ferry"
    world.boards[roads].description = "What is closed, and until when."
    assert told(desk.night()) == ("complete", 0, 3, 0, 0)
    assert desk.words(bridge) == "Bridge closed\n\nUntil seven."
    assert desk.held()[bridge].version.fields.get("edited_at") is None

    # 4. A board is made secret: what stands on it is hidden with it, and its words are still told to the account.
    world.boards[roads].privacy = SECRET
    assert told(desk.night()) == ("complete", 0, 0, 4, 0)
    assert desk.held()[bridge].state == "hidden"
    world.boards[roads].privacy = "PUBLIC"
    assert desk.night().status == "complete"
    assert desk.states() == {f"board/{plans}": "hidden", draft: "hidden"}

    # 5. A pin is removed.
    world.delete(ferry)
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)
    assert desk.held()[ferry].state == "gone"
    assert desk.words(ferry) == "Ferry\n\nhttps://town.example/ferry"

    # 6. A throttle, an outage, a permission that opens no secret boards, and one that was taken back prove no removal.
    before = desk.states()
    limited = PinterestWorld.error(Refused(429, 8, "You have exceeded your rate limit. Try again later."))
    world.trouble = lambda path: (
        (429, {"x-ratelimit-reset": "30"}, limited) if path.endswith("pins") else None
    )
    throttled = desk.night()
    assert throttled.status == "partial"
    assert throttled.tally.gone == 0
    world.trouble = lambda path: (503, {}, b"") if path.endswith("boards") else None
    assert desk.night().status == "partial"
    world.trouble = None
    world.scopes -= {"boards:read_secret", "pins:read_secret"}
    narrow = desk.night()
    assert (narrow.status, narrow.tally.gone) == ("partial", 0)
    assert any("secret boards" in gap.what for gap in narrow.gaps)
    world.scopes |= {"boards:read_secret", "pins:read_secret"}
    world.dead = Refused(401, 2, "Authentication failed.")
    assert desk.night().status == "failed"
    world.dead = None
    assert desk.states() == before

    # 7. When all is well again the night sees what happened meanwhile: a board was removed, with all that stood on it.
    world.delete(roads)
    assert desk.night().status == "complete"
    gone = {name for name, state in desk.states().items() if state == "gone"}
    assert gone == {f"board/{roads}", f"section/{roads}/{winter}", bridge, ferry}
    assert desk.held()[draft].state == "hidden"
    assert desk.sound()


def test_what_is_moved_to_a_secret_board_that_is_not_open_to_us_is_absent_and_comes_back(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(PinterestWorld())
    world.scopes -= {"boards:read_secret", "pins:read_secret"}
    desk = desk_of(store, clock, stack, world)
    roads, plans = world.board("Roads"), world.board("Plans", privacy=SECRET)
    bridge, removed = world.pin(roads, "Bridge closed"), world.pin(roads, "Ferry")
    assert desk.night().status == "partial"
    world.pins[bridge].board = plans
    world.delete(removed)
    desk.night()
    assert desk.states() == {bridge: "absent", removed: "absent"}
    world.pins[bridge].board = roads
    desk.night()
    assert desk.states() == {removed: "absent"}
    assert desk.sound()


def test_another_description_of_a_picture_is_an_edit_and_an_address_that_expires_is_none(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(PinterestWorld())
    desk = desk_of(store, clock, stack, world)
    bridge = world.pin(world.board("Roads"), "Bridge closed", alt="A barrier")

    def expire() -> None:
        world.night += 1

    def describe(words: str | None) -> None:
        world.pins[bridge].alt = words

    desk.hears_other_descriptions(bridge, expire, describe)


FAILS = {
    "500": (500, {}, b""),
    "a web page": (200, {"Content-Type": "text/html"}, b"<html>Something went wrong</html>"),
    "another shape": (200, {"Content-Type": "application/json"}, b'{"items": 7}'),
    "half an answer": (200, {"Content-Type": "application/json"}, b'{"items": [{"id": "8'),
}
"""How Pinterest answers where it fails at one board."""

each_failure = pytest.mark.parametrize("says", FAILS)


@each_failure
def test_what_stands_behind_a_board_at_which_pinterest_always_fails_is_captured_the_same_night(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(PinterestWorld())
    desk = desk_of(store, clock, stack, world)
    boards = [world.board(f"No. {number}", owner=OTHER) for number in range(3)]
    below = [f"shared/{world.pin(board, 'Closed', by=OTHER)}" for board in boards]
    assert desk.night().status == "complete"

    # 1. One board is broken. What others put on those behind it is captured; nothing is told of what stands on it.
    world.trouble = lambda path: FAILS[says] if f"boards/{boards[1]}/" in path else None
    world.delete(below[1].partition("/")[2])
    unseen = f"shared/{world.pin(boards[1], 'Open', by=OTHER)}"
    new = [f"shared/{world.pin(board, 'Open', by=OTHER)}" for board in (boards[0], boards[2])]
    report = desk.night()
    assert told(report) == ("partial", 2, 0, 0, 0)
    assert {gap.native_id for gap in report.gaps} == {f"board/{boards[1]}"}
    assert set(new) <= set(desk.held())
    assert desk.states() == {}

    # 2. It recovers: what was put there meanwhile is captured, and what was removed is noticed.
    world.trouble = None
    report = desk.night()
    assert (report.status, report.tally.new) == ("complete", 1)
    assert unseen in desk.held()
    assert desk.states() == {below[1]: "absent"}
    assert desk.sound()


@each_failure
def test_where_pinterest_fails_at_every_board_the_night_stops_and_tells_nothing(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(PinterestWorld())
    desk = desk_of(store, clock, stack, world)
    for number in range(5):
        world.pin(world.board(f"No. {number}"), "Closed")
    assert desk.night().status == "complete"
    world.trouble = lambda path: FAILS[says] if "boards/" in path else None
    report = desk.night()
    assert (report.status, report.finished, desk.states()) == ("partial", False, {})
    world.trouble = None
    desk.night()
    assert desk.night().status == "complete"
    assert desk.states() == {}
    assert desk.sound()


def test_a_night_with_items_that_cannot_be_read_edits_nothing_misses_nothing_else_and_the_next_reads_them(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(PinterestWorld())
    desk = desk_of(store, clock, stack, world)
    roads, drafts = world.board("Roads"), world.board("Drafts", privacy=SECRET)
    together = world.board("Together", owner=OTHER)
    winter = world.section(roads, "Winter")
    salt, secret = world.pin(roads, "Salt", section=winter), world.pin(drafts, "Not yet")
    odd, film = world.pin(roads, "Closed", alt="A barrier"), world.pin(roads, "Snow", media=world.film("f"))
    shared = f"shared/{world.pin(together, 'Library hours', by=OTHER)}"
    assert desk.night().status == "complete"
    stood = desk.states()

    # 1. A secret board and a section are null, a pin has no number, a cover and a description are of another type.
    def boards(told: dict[str, Any]) -> None:
        told["items"] = [None if one["id"] == drafts else one for one in told["items"]]

    def pins(told: dict[str, Any]) -> None:
        for one in told["items"]:
            one["alt_text"] = []
            if one["id"] == film:
                one["media"].update(cover_image_url=5)
            if one["id"] == odd:
                one["id"] = None

    answering.told_as(world, lambda target: "/v5/boards?" in target, boards)
    answering.told_as(world, lambda target: "/pins?" in target, pins)
    answering.told_as(world, lambda target: "/sections?" in target, lambda told: told.update(items=[None]))
    new = f"shared/{world.pin(together, 'Open day', by=OTHER)}"
    for number in (1, 0):
        report = desk.night()
        assert told(report) == ("partial", number, 0, 0, 0)
        assert {gap.what for gap in report.gaps} == {"a board", "a section of a board", "a pin"}
        assert desk.states() == stood
    assert {new, shared, salt} <= set(desk.held())

    # 2. They are told as ever: what was removed meanwhile is noticed, and nothing was edited.
    answering.is_itself(world)
    world.delete(odd)
    assert told(desk.night())[:3] == ("complete", 0, 0)
    assert desk.states() == {**stood, odd: "gone"}
    assert desk.held()[secret].state == "hidden"
    assert desk.sound()

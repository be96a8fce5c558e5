"""TikTok in a real archive, night after night: an edit, a removal, a hidden comment, a private video, a limit, an outage and a lost permission."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from app.capture import lanes
from app.capture.run import Pass
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.tiktok import TikTok
from tests.connectors.worlds import answering
from tests.connectors.worlds.desk import Desk
from tests.connectors.worlds.tiktok_world import JSON, NAME, Denied, Refused, TikTokWorld


def desk_of(
    store: Store,
    clock: FixedClock,
    stack: ExitStack,
    world: TikTokWorld,
    secret: Mapping[str, str],
    **options: str,
) -> Desk:
    page = Page(address=f"https://www.tiktok.com/@{NAME}", options={"api": world.accounts_api, **options})
    return Desk(store, clock, stack, TikTok, page, secret)


def told(report: Report) -> tuple[str, int, int, int, int]:
    tally = report.tally
    return report.status, tally.new, tally.edited, tally.hidden, tally.absent


def test_an_edit_a_hidden_comment_a_removal_a_private_video_and_a_failure_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = desk_of(store, clock, stack, world, world.business)
    clip, other = world.post("Bridge closed until six"), world.post("Open house")
    first = world.say(clip, "Until when?")
    answer = world.say(clip, "Until six.", by=NAME, to=first)
    rude, spam = world.say(clip, "You fools"), world.say(clip, "Pills", status="HIDDEN")
    thanks = world.say(other, "Thanks", by="al_visitor")
    names = {one: f"{clip}/{one}" for one in (first, answer, rude, spam)} | {thanks: f"{other}/{thanks}"}

    # 1. The first night keeps all that there is, with the account's introduction and the videos' covers.
    assert told(desk.night()) == ("complete", 8, 0, 0, 0)
    assert {"profile", clip, other, *names.values()} == set(desk.held())
    assert desk.states() == {names[spam]: "hidden"}
    assert sum("/media/tos-cover/" in target for target in world.asked) == 2

    # 2. A quiet night changes nothing, whatever became of likes, pins and the addresses of pictures.
    world.night += 1
    world.clips[clip].likes += 40
    world.said[first].pinned = True
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert sum("/media/tos-cover/" in target for target in world.asked) == 2

    # 3. What was written to a video, and of the account, is edited. TikTok tells no time of it.
    world.clips[clip].words = "Bridge closed until seven"
    world.bio = "Call 911 in an emergency."
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    held = desk.held()
    assert held[clip].version.fields["text"] == "Bridge closed until seven"
    assert held[clip].version.fields.get("edited_at") is None

    # 4. One comment is hidden, another one removed. Of the first TikTok tells so, of the other one nothing.
    world.hide(rude)
    world.delete(thanks)
    assert told(desk.night()) == ("complete", 0, 0, 1, 1)
    assert desk.states() == {names[spam]: "hidden", names[rude]: "hidden", names[thanks]: "absent"}
    assert desk.held()[names[thanks]].version.fields["text"] == "Thanks"

    # 5. A hidden comment is shown again; a video is made private, and comes back with what answers it.
    world.hide(rude, "PUBLIC")
    world.clips[clip].public = False
    assert desk.night().status == "complete"
    states = desk.states()
    assert states[clip] == "absent"
    assert names[first] not in states, (
        "TikTok shows the comments of a private video to whoever asks for them by id"
    )
    world.clips[clip].public = True
    assert desk.night().status == "complete"
    assert desk.states() == {names[spam]: "hidden", names[thanks]: "absent"}

    # 6. A limit, an outage, a permission that is lacking and one that was taken back prove no removal.
    before = desk.states()
    world.shut[clip] = Refused(40100, "Too many requests")
    limited = desk.night()
    assert limited.status == "partial"
    assert any("limit" in gap.why for gap in limited.gaps)
    world.shut.clear()
    world.trouble = lambda path: (500, JSON, b"{}") if path.endswith("comment/list/") else None
    assert desk.night().status == "partial"
    world.trouble = None
    world.scopes.remove("comment.list")
    narrow = desk.night()
    assert (narrow.status, narrow.tally.absent, narrow.tally.gone) == ("partial", 0, 0)
    world.scopes.add("comment.list")
    world.dead = Refused(40105)
    assert desk.night().status == "failed"
    world.dead = None
    assert desk.states() == before

    # 7. When all is well again, the nights see what happened meanwhile: a video was removed, with all that answered it.
    world.delete(clip)
    desk.night()
    assert desk.night().status == "complete"
    absent = {name for name, state in desk.states().items() if state == "absent"}
    assert absent == {clip, *names.values()}
    assert desk.held()[other].state == "present"
    assert desk.sound()


def test_by_the_display_interface_coverage_says_how_many_comments_are_known_and_not_held(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = desk_of(store, clock, stack, world, world.display, api=world.display_api, door="display")
    clip, other = world.post("Bridge closed"), world.post("Open house")
    for words in ("Until when?", "Thanks"):
        world.say(clip, words)
    report = desk.night()
    assert told(report) == ("complete", 3, 0, 0, 0)
    counts = desk.counted()
    assert counts == {"comment+reply": (2, 0)}
    assert desk.held()[clip].version.fields.get("edited_at") is None
    world.delete(other)
    world.clips[clip].words += "!"
    assert told(desk.night()) == ("complete", 0, 1, 0, 1)
    assert desk.states() == {other: "absent"}
    world.dead = Denied("rate_limit_exceeded", 429)
    assert desk.night().status in {"failed", "partial"}
    assert desk.states() == {other: "absent"}
    assert desk.sound()


def test_a_night_over_a_window_notices_what_happened_within_it_and_leaves_the_rest_to_another(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = desk_of(store, clock, stack, world, world.business)
    old = world.post("Long ago")
    long_ago = world.say(old, "First!")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=200))
    clip = world.post("Closed")
    first = world.say(clip, "+1")
    hidden, removed = world.say(clip, "+2", to=first), world.say(clip, "+3", to=first)
    assert desk.night().status == "complete"
    world.hide(hidden)
    world.clips[clip].words = "Closed until six"
    for name in (removed, long_ago):
        world.delete(name)
    assert told(desk.night(window)) == ("complete", 0, 1, 1, 1)
    held = desk.held()
    assert (held[f"{clip}/{removed}"].state, held[f"{clip}/{hidden}"].state) == ("absent", "hidden")
    assert held[f"{old}/{long_ago}"].state == "present", "what lies before the window is another night's"
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)
    assert desk.sound()


@pytest.mark.parametrize("refused", [Refused(50000), Denied("internal_error", 500)])
def test_what_stands_behind_a_video_at_whose_comments_tiktok_always_fails_is_captured_the_same_night(
    store: Store, clock: FixedClock, stack: ExitStack, refused: Refused | Denied
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = desk_of(store, clock, stack, world, world.business)
    behind, broken, before = (world.post(f"Video {number}") for number in range(3))
    names = {clip: f"{clip}/{world.say(clip, 'Thanks')}" for clip in (behind, broken, before)}
    assert desk.night().status == "complete"
    removed = f"{behind}/{world.say(behind, 'Soon removed')}"
    assert desk.night().status == "complete"

    # 1. What is said behind the broken video is captured the same night; nothing is told of what lies below it.
    world.shut[broken] = refused
    below = f"{broken}/{world.say(broken, 'Unseen')}"
    new = f"{behind}/{world.say(behind, 'Still open?')}"
    world.delete(names[broken].partition("/")[2])
    assert told(desk.night()) == ("partial", 1, 0, 0, 0)
    assert new in desk.held()
    assert desk.states() == {}

    # 2. The nights after go on around it, and compare what they can: each video by itself.
    world.delete(removed.partition("/")[2])
    report = desk.night()
    assert (report.status, [gap.native_id for gap in report.gaps]) == ("partial", [broken])
    assert desk.states() == {removed: "absent"}

    # 3. It recovers: what was said meanwhile is captured, and what was removed is noticed.
    world.shut.clear()
    assert desk.night().status == "complete"
    assert desk.night().status == "complete"
    assert below in desk.held()
    assert desk.states() == {removed: "absent", names[broken]: "absent"}
    assert desk.sound()


def test_where_tiktok_fails_at_the_comments_of_every_video_the_night_stops_and_tells_nothing(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = desk_of(store, clock, stack, world, world.business)
    for number in range(5):
        world.say(world.post(f"Video {number}"), "Thanks")
    assert desk.night().status == "complete"
    world.trouble = lambda path: (500, JSON, b"{}") if path.endswith("comment/list/") else None
    asked = len(world.asked)
    report = desk.night()
    assert (report.status, report.finished, desk.states()) == ("partial", False, {})
    assert sum("comment/list" in target for target in world.asked[asked:]) == 3
    world.trouble = None
    assert desk.night().status in {"complete", "partial"}
    assert desk.night().status == "complete"
    assert desk.states() == {}
    assert desk.sound()


def test_a_night_with_items_that_cannot_be_read_edits_nothing_misses_nothing_else_and_the_next_reads_them(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = desk_of(store, clock, stack, world, world.business)
    clip, odd, behind = world.post("Open house"), world.post("Closed"), world.post("Library hours")
    below = f"{odd}/{world.say(odd, 'Why?')}"
    said = [f"{clip}/{world.say(clip, f'+{number}', image=True)}" for number in range(3)]
    assert desk.night().status == "complete"

    # 1. A video is null, a comment has no id, a picture, a cover and a name are of no type that they can have.
    def videos(told: dict[str, Any]) -> None:
        told["videos"] = [
            None if one["item_id"] == odd else {**one, "thumbnail_url": 5} for one in told["videos"]
        ]

    def comments(told: dict[str, Any]) -> None:
        for one in told["comments"]:
            one.update(image_url=[], display_name={})
            if f"{clip}/{one['comment_id']}" == said[1]:
                one["comment_id"] = None

    answering.told_as(world, lambda target: "video/list" in target, lambda told: videos(told["data"]))
    answering.told_as(world, lambda target: "comment/list" in target, lambda told: comments(told["data"]))
    new = f"{behind}/{world.say(behind, 'Thanks')}"
    for number in (1, 0):
        report = desk.night()
        assert told(report) == ("partial", number, 0, 0, 0)
        assert {gap.what for gap in report.gaps} == {"a video", "a comment"}
        assert desk.states() == {}
    assert new in desk.held()

    # 2. They are told as ever: what was removed meanwhile is noticed, and nothing was edited.
    answering.is_itself(world)
    world.delete(below.partition("/")[2])
    assert told(desk.night())[:3] == ("complete", 0, 0)
    assert told(desk.night())[:3] == ("complete", 0, 0)
    assert desk.states() == {below: "absent"}
    assert desk.sound()

"""YouTube in a real archive, night after night: an edit, a removal, a hold, a closed video, a spent quota and a lost permission."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import cast

from app.capture import attachments, lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.youtube import YouTube
from tests.connectors.worlds.broken import breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import Desk, told
from tests.connectors.worlds.platform_world import Answer
from tests.connectors.worlds.youtube_world import HANDLE, HELD, SPAM, Refused, Track, YouTubeWorld


def desk_of(
    store: Store,
    clock: FixedClock,
    stack: ExitStack,
    world: YouTubeWorld,
    secret: Mapping[str, str],
    **options: str,
) -> Desk:
    page = Page(address=f"https://www.youtube.com/{HANDLE}", options={"api": world.api, **options})
    return Desk(store, clock, stack, YouTube, page, secret)


def test_an_edit_a_hold_a_removal_a_closed_video_and_a_failure_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    film, other = world.upload("Bridge closed until six", "By order."), world.upload("Open house")
    first = world.say(film, "Until when?")
    answer = world.say(film, "Until six.", by=HANDLE, to=first)
    rude, spam = world.say(film, "You fools", by="@al"), world.say(film, "Pills", by="@al", status=SPAM)
    thanks = world.say(other, "Thanks")
    names = {one: f"{film}/{one}" for one in (first, answer, rude, spam)} | {thanks: f"{other}/{thanks}"}

    # 1. The first night keeps all that there is, with the channel's introduction and what was set.
    assert told(desk.night()) == ("complete", 9, 0, 0, 0)
    held = desk.held()
    assert {film, other, "settings", *names.values()} < set(held)
    assert desk.states() == {names[spam]: "hidden"}

    # 2. A quiet night changes nothing, whatever became of likes and of the addresses of pictures.
    world.night += 1
    world.films[film].likes += 40
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A comment and a title are edited: of the comment YouTube tells when, of the title it does not.
    world.amend(first, "Until when exactly?")
    world.films[film].title = "Bridge closed until seven"
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    held = desk.held()
    assert held[names[first]].version.fields["edited_at"] is not None
    assert held[film].version.fields.get("edited_at") is None

    # 4. One comment is held for review, another one removed. The held one's words are still told to the channel.
    world.hold(rude, HELD)
    world.delete(thanks)
    assert told(desk.night()) == ("complete", 0, 0, 1, 1)
    assert desk.states() == {names[spam]: "hidden", names[rude]: "hidden", names[thanks]: "gone"}
    assert desk.held()[names[thanks]].version.fields["text"] == "Thanks"

    # 5. Comments of a video are turned off. They are hidden with it, and come back when they are turned on again.
    world.films[film].comments = False
    assert told(desk.night()) == ("complete", 0, 0, 2, 0)
    assert desk.held()[names[first]].state == "hidden"
    world.films[film].comments = True
    assert desk.night().status == "complete"
    assert names[first] not in desk.states()

    # 6. A spent quota, an outage, a permission that is too narrow and one that was taken back prove no removal.
    before = desk.states()
    world.quota = world.spent + 4
    spent = desk.night()
    assert spent.status == "partial"
    assert any("quota" in gap.why for gap in spent.gaps)
    world.quota = 10**6
    world.trouble = lambda path: (500, {}, b"") if path.endswith("videos") else None
    assert desk.night().status == "partial"
    world.trouble, world.scopes = None, False
    narrow = desk.night()
    assert (narrow.status, narrow.tally.gone) == ("partial", 0)
    world.scopes, world.dead = True, Refused(401, "authError")
    assert desk.night().status == "failed"
    world.dead = None
    assert desk.states() == before

    # 7. When all is well again the night sees what happened meanwhile: a video was removed, with all that answers it.
    world.delete(film)
    assert desk.night().status == "complete"
    gone = {name for name, state in desk.states().items() if state == "gone"}
    assert gone == {film, *names.values()}
    assert desk.held()[other].state == "present"
    assert desk.sound()


def test_with_a_key_alone_what_is_missing_is_absent_and_comes_back(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.with_key)
    film, private = world.upload("Bridge closed"), world.upload("Open house")
    held, removed = world.say(film, "You fools"), world.say(film, "Thanks")
    under = world.say(private, "When?")
    assert desk.night().status == "complete"
    world.hold(held)
    world.delete(removed)
    world.films[private].privacy = "private"
    desk.night()
    assert set(desk.states().values()) == {"absent"}
    assert set(desk.states()) == {private, f"{film}/{held}", f"{film}/{removed}", f"{private}/{under}"}
    world.hold(held, "published")
    world.films[private].privacy = "public"
    desk.night()
    assert desk.states() == {f"{film}/{removed}": "absent"}
    assert desk.sound()


def test_a_night_over_a_window_notices_what_happened_within_it_and_leaves_the_rest_to_another(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    old = world.upload("Long ago")
    long_ago = world.say(old, "First!")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=200))
    film = world.upload("Closed")
    first = world.say(film, "+1")
    edited, removed = world.say(film, "+2", to=first), world.say(film, "+3", to=first)
    late = world.say(old, "Still true?")
    assert desk.night().status == "complete"
    world.amend(edited, "+4")
    for name in (removed, late, long_ago):
        world.delete(name)
    assert told(desk.night(window)) == ("complete", 0, 1, 0, 2)
    held = desk.held()
    assert held[f"{film}/{edited}"].version.fields["text"] == "+4"
    assert (held[f"{film}/{removed}"].state, held[f"{old}/{late}"].state) == ("gone", "gone")
    assert held[f"{old}/{long_ago}"].state == "present", "what lies before the window is another night's"
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)


def test_captions_are_kept_as_files_of_their_video_and_a_night_without_them_makes_no_new_version(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in, captions="written")
    film = world.upload("Closed", captions=[Track("track-1", "Main Street is closed.")])
    assert told(desk.night()) == ("complete", 3, 0, 0, 0)
    record = desk.held()[film]
    listed = cast("Sequence[Mapping[str, str]]", record.version.fields["attachments"])
    (name,) = (one["id"] for one in listed if one["id"].startswith("captions:"))
    with store.database.read() as tx:
        row = attachments.of(store, tx, record.id.bytes, [name])[name]
        assert b"Main Street is closed." in b"".join(attachments.stream(store, row))
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert sum("captions/track-1" in target for target in world.asked) == 1
    world.shut["captions"] = Refused(403, "forbidden")
    report = desk.night()
    assert (report.status, report.tally.edited) == ("partial", 0)
    assert desk.sound()


def test_other_tags_or_another_translation_are_an_edit_and_how_far_a_film_was_processed_is_none(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.with_key)
    film = world.upload("Bridge closed", tags=["flood", "road"])
    assert desk.night().status == "complete"
    world.films[film].tags = ["road", "flood"]
    world.films[film].upload = "uploaded"
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    world.films[film].tags = ["road"]
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    world.films[film].translations = {"de": {"title": "Brücke gesperrt", "description": ""}}
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    assert desk.sound()


def test_a_thread_and_a_video_that_fail_for_ever_keep_nothing_behind_them_from_being_captured(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    film = world.upload("Bridge closed")
    oldest, broken, newest = (world.say(film, words) for words in ("Until when?", "Where?", "Why?"))
    for thread in (oldest, broken, newest):
        world.say(film, "I wonder too", to=thread)
    assert desk.night().status == "complete"
    behind = [f"{film}/{world.say(film, 'Still', to=thread)}" for thread in (oldest, newest)]
    lost = [f"{film}/{world.say(film, 'Me too', to=broken)}"]
    breaks(world, f"parentId={broken}&")
    passed_over(desk, f"{film}/{broken}", behind=behind, lost=lost)
    recovered(desk, world, lost)

    # One video of several that are asked for at once takes no other with it.
    behind = [world.upload("Open house"), world.upload("Flood")]
    lost = [world.upload("Lost dog")]
    breaks(world, lost[0])
    passed_over(desk, lost[0], behind=behind, lost=lost)
    recovered(desk, world, lost)


def test_where_every_thread_fails_the_pass_stops_and_is_not_complete(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in)
    film = world.upload("Bridge closed")
    threads = [world.say(film, f"Question {number}") for number in range(5)]
    assert [world.say(film, "I wonder too", to=thread) for thread in threads]
    assert desk.night().status == "complete"
    lost = [f"{film}/{world.say(film, 'Me too', to=thread)}" for thread in threads]
    breaks(world, "parentId=")
    stopped(desk, lost=lost)
    recovered(desk, world, lost)


def test_a_night_of_odd_items_edits_nothing_takes_no_file_away_and_calls_nothing_missing(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(YouTubeWorld())
    desk = desk_of(store, clock, stack, world, world.signed_in, captions="written")
    tracks = [Track(f"track-{number}", f"Main Street is closed, {number}.") for number in range(2)]
    film, other = world.upload("Closed", captions=tracks), world.upload("Open house")
    first, odd = world.say(film, "Until when?"), world.say(film, "Where?")
    answers = [world.say(film, f"+{number}", to=first) for number in range(2)]
    held = world.say(film, "You fools", status=HELD)
    assert desk.night().status == "complete"
    before = desk.states()
    strange = {f'"{name}"' for name in (odd, answers[0], held, other, "track-0")}
    plain = world.answer

    def answer(target: str, headers: Mapping[str, str]) -> Answer:
        status, kind, body = plain(target, headers)
        whole = json.loads(body) if status == 200 and b'"items"' in body else {}
        for number, one in enumerate(whole.get("items", [])):
            if any(name in json.dumps(one) for name in strange):
                whole["items"][number] = None
            elif "thumbnails" in one.get("snippet", {}):
                one["snippet"]["thumbnails"] = [[]]
        return status, kind, json.dumps(whole).encode() if whole else body

    world.answer = answer  # type: ignore[method-assign] # one world tells otherwise
    behind = world.say(film, "Why?")
    report = desk.night()
    assert (report.status, report.finished) == ("partial", True)
    assert (report.tally.new, report.tally.edited, report.tally.absent, report.tally.gone) == (1, 0, 0, 0)
    assert f"{film}/{behind}" in desk.held()
    assert desk.states() == before
    del world.answer
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == before
    assert desk.sound()

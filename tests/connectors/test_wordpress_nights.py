"""WordPress in a real archive, night after night: an edit, comments held and trashed, removals, an outage and a lost password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, cast

import pytest

from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Kind, Page, State
from connectors.errors import TryAgainLater
from connectors.wordpress import WordPress
from tests.connectors.worlds.desk import Desk, changed, told, told_in_full
from tests.connectors.worlds.wordpress_world import (
    EDITOR,
    HTML,
    JSON,
    SIGN_IN,
    Answer,
    Refused,
    WordPressWorld,
)

DAY = 24 * 60


class Town:
    """A site and the archive that captures it; a day passes for both."""

    def __init__(
        self, store: Store, clock: FixedClock, stack: ExitStack, secret: Mapping[str, str] | None = None
    ) -> None:
        self.world = stack.enter_context(WordPressWorld())
        self.world.tick(DAY)
        page = Page(address=self.world.address)
        self.desk = Desk(store, clock, stack, WordPress, page, secret or {})

    def night(self) -> Report:
        self.world.tick(DAY)
        return self.desk.night()

    def troubled(self, route: str, answer: Answer) -> Report:
        """A night in which one route answers otherwise."""
        self.world.trouble = lambda asked: answer if asked == route else None
        report = self.night()
        self.world.trouble = None
        return report


def test_an_edit_comments_held_and_trashed_removals_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(
        store,
        clock,
        stack,
        {"user": WordPressWorld.user, "application_password": WordPressWorld.application_password},
    )
    world, desk = town.world, town.desk
    road = world.publish("Road closure", "<p>Closed until six.</p>")
    ferry = world.publish("Ferry", "<p>No ferry today.</p>")
    about = world.publish("About", "<p>Who we are.</p>", type="page")
    minutes = world.publish("Minutes", "<p>Not for everyone.</p>", status="private")
    world.upload("bridge.jpg", post=road)
    asks = world.comment(road, "Until when?")
    answer = world.comment(road, "Until six.", parent=asks)
    rude = world.comment(road, "You fools")
    thanks = world.comment(ferry, "Thanks")
    pills = world.comment(ferry, "Pills", status="spam")
    posts = {one: f"post:{one}" for one in (road, ferry, minutes)} | {about: f"page:{about}"}
    said = {one: f"comment:{one}" for one in (asks, answer, rude, thanks, pills)}

    # 1. The first night keeps all that there is, with files; what the public does not see is hidden.
    assert told(town.night()) == ("complete", 10, 0, 0, 0)
    assert set(desk.held()) == {"site", *posts.values(), *said.values()}
    assert desk.states() == {posts[minutes]: "hidden", said[pills]: "hidden"}
    assert list(desk.files(posts[road]).values()) == [b"a picture"]

    # 2. A quiet night changes nothing.
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    quiet = clock.at

    # 3. A post is edited twice, and a comment once: of the post WordPress tells when, and what stood in between; of the
    # comment neither.
    world.edit(road, "<p>Closed until half past six.</p>")
    world.edit(road, "<p>Closed until seven.</p>")
    world.edit_comment(asks, "Until when exactly?")
    assert told(town.night()) == ("complete", 0, 2, 0, 0)
    before, after = desk.history(posts[road])
    assert "until six" in str(before.text("text"))
    assert "until seven" in str(after.text("text"))
    assert after.fields["edited_at"] is not None
    told_between = cast("Mapping[str, Sequence[Mapping[str, object]]]", after.fields["extra"])["revisions"]
    assert [one["text"] for one in told_between] == ["Closed until half past six.", "Closed until seven."]
    first, second = desk.history(said[asks])
    assert (first.text("text"), second.text("text")) == ("Until when?", "Until when exactly?")
    assert second.fields.get("edited_at") is None
    for newest in (after, second):
        assert (newest.last_seen_before, newest.observed_at) == (quiet, clock.at)

    # 4. A comment is held, another one trashed, and a post made private. They are hidden, their words are still told to us.
    world.set_comment_status(rude, "hold")
    world.set_comment_status(answer, "trash")
    world.set_status(ferry, "private")
    assert told(town.night()) == ("complete", 0, 0, 3, 0)
    always = {posts[minutes]: "hidden", said[pills]: "hidden"}
    assert desk.states() == {**always, posts[ferry]: "hidden", said[rude]: "hidden", said[answer]: "hidden"}
    assert "You fools" in str(desk.words(said[rude]))
    world.set_comment_status(rude, "approved")
    world.set_comment_status(answer, "approved")
    world.set_status(ferry, "publish")
    back = town.night()
    assert (back.status, back.tally.restored, back.tally.edited) == ("complete", 3, 0)
    assert desk.states() == always

    # 5. A comment and a page are deleted for good, as WordPress itself says of their numbers.
    world.delete_comment(rude)
    world.delete(about)
    assert told(town.night()) == ("complete", 0, 0, 0, 2)
    before_trouble = {**always, said[rude]: "gone", posts[about]: "gone"}
    assert desk.states() == before_trouble
    assert (desk.words(said[rude]), "Who we are." in str(desk.words(posts[about]))) == ("You fools", True)

    # 6. Throttles, outages, a form to sign in where JSON should be, a password that is refused: nothing is said of a record.
    throttled: Answer = (429, {"Retry-After": "60"}, b"")
    broken: Answer = (500, JSON, b'{"code":"internal_server_error"}')
    for route in ("comments", "users", "media", "pages"):
        for answered in (throttled, broken, (200, HTML, SIGN_IN)):
            failing = town.troubled(route, answered)
            assert (failing.status, changed(failing)) == ("partial", 0)
            assert failing.gaps
    world.accepts_password = False
    locked = town.night()
    assert (locked.status, changed(locked)) == ("failed", 0)
    assert "application password" in locked.gaps[0].why
    world.accepts_password, world.capabilities = True, {}
    narrow = town.night()
    assert (narrow.status, changed(narrow)) == ("partial", 0)
    assert {gap.what for gap in narrow.gaps} == {"hidden posts", "hidden pages", "hidden comments"}
    world.capabilities = dict(EDITOR)
    assert desk.states() == before_trouble

    # 7. When all is well again the night sees what happened meanwhile: a post was deleted, with all that answers it.
    world.delete(road)
    assert told(town.night()) == ("complete", 0, 0, 0, 3)
    gone = {name for name, state in desk.states().items() if state == "gone"}
    assert gone == {posts[road], posts[about], said[asks], said[answer], said[rude]}
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


def test_without_a_password_what_is_held_or_trashed_is_absent_and_comes_back_and_only_the_sites_own_code_makes_gone(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    road = world.publish("Road closure", "<p>Closed until six.</p>")
    ferry = world.publish("Ferry", "<p>No ferry today.</p>")
    held, trashed = world.comment(road, "You fools"), world.comment(road, "Until six.")
    removed, under = world.comment(road, "Thanks"), world.comment(ferry, "When?")
    assert told(town.night()) == ("complete", 7, 0, 0, 0)
    assert told(town.night()) == ("complete", 0, 0, 0, 0)

    # Held, trashed and private are the same refusal to the public: absent. Deleted is said by a code of its own.
    world.set_comment_status(held, "hold")
    world.set_comment_status(trashed, "trash")
    world.set_status(ferry, "private")
    world.delete_comment(removed)
    absent = town.night()
    assert told(absent) == ("partial", 0, 0, 0, 1)
    assert [gap.why for gap in absent.gaps] == ["the site counts 1 and shows 0 of them to us"]
    assert desk.states() == {
        f"comment:{held}": "absent",
        f"comment:{trashed}": "absent",
        f"comment:{under}": "absent",
        f"post:{ferry}": "absent",
        f"comment:{removed}": "gone",
    }
    world.set_comment_status(held, "approved")
    world.set_comment_status(trashed, "approved")
    world.set_status(ferry, "publish")
    back = town.night()
    assert (back.status, back.tally.restored) == ("complete", 4)
    assert desk.states() == {f"comment:{removed}": "gone"}

    # A password is set on a post: its words are closed to the public, and so are its comments. Earlier words stay.
    post, comments = f"post:{road}", {f"comment:{held}": "absent", f"comment:{trashed}": "absent"}
    world.items[road].password = "sesame"
    assert told(town.night()) == ("partial", 0, 1, 0, 0)
    assert desk.states() == {f"comment:{removed}": "gone", **comments}
    open_, closed = desk.history(post)
    assert (open_.text("text"), closed.text("text")) == ("Road closure\n\nClosed until six.", "Road closure")
    assert closed.fields.get("edited_at") is None
    world.items[road].password = ""
    assert told(town.night()) == ("complete", 0, 1, 0, 0)
    assert (desk.states(), desk.words(post)) == ({f"comment:{removed}": "gone"}, open_.text("text"))

    # Routes that the site closes are a gap and no removal.
    world.shut["comments"] = Refused(
        404, "rest_no_route", "No route was found matching the URL and request method."
    )
    shut = town.night()
    assert (shut.status, changed(shut)) == ("partial", 0)
    assert [gap.what for gap in shut.gaps] == ["comments"]
    world.shut.clear()
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


def test_another_description_or_caption_of_a_picture_is_an_edit_of_what_shows_it(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    road = town.world.publish("Road closure", "<p>Closed until six.</p>")
    picture = town.world.upload("bridge.jpg", post=road, alt="A barrier")
    assert town.night().status == "complete"
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    town.world.library[picture]["alt_text"] = "A barrier across the road"
    assert told(town.night()) == ("complete", 0, 1, 0, 0)
    town.world.library[picture] |= {"alt_text": "", "caption": {"rendered": "<p>By night</p>"}}
    assert told(town.night()) == ("complete", 0, 1, 0, 0)
    assert town.desk.described(f"post:{road}") == [["A barrier"], ["A barrier across the road"], ["By night"]]
    assert town.desk.sound()


def an_editors(store: Store, clock: FixedClock, stack: ExitStack) -> Town:
    secret = {"user": WordPressWorld.user, "application_password": WordPressWorld.application_password}
    return Town(store, clock, stack, secret)


@pytest.mark.parametrize("warns", [False, True])
def test_a_post_and_a_comment_at_which_a_plugin_always_fails_are_gaps_and_all_others_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, *, warns: bool
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    world.warns = warns
    posts = [world.publish(f"Notice {number}", f"<p>Words {number}</p>") for number in range(9)]
    said = [world.comment(post, f"On {post}") for post in posts]
    assert told(town.night()) == ("complete", 19, 0, 0, 0)

    # 1. Three posts in a row and a comment break: they are named, what stands behind them is captured the same night,
    #    and nothing is missing because of them, whatever the site counts.
    broken = {f"post:{one}" for one in posts[3:6]} | {f"comment:{said[4]}"}
    world.breaks = set(broken)
    behind, after = world.publish("Behind", "<p>Behind them</p>"), world.comment(posts[8], "Behind it")
    night = town.night()
    assert told_in_full(night) == ("partial", 2, 0, 0, 0, 0)
    assert {gap.native_id for gap in night.gaps if gap.native_id} == broken
    said_why = "plugin's warning" if warns else "500"
    assert all(said_why in gap.why for gap in night.gaps if gap.native_id)
    assert {f"post:{behind}", f"comment:{after}"} <= desk.held().keys()
    assert desk.states() == {}

    # 2. They are asked for again every night, and one that is deleted meanwhile is gone by the site's own word alone.
    world.edit(posts[3], "<p>Other words</p>")
    assert told_in_full(town.night()) == ("partial", 0, 0, 0, 0, 0)

    # 3. They recover, and are captured whole.
    world.breaks.clear()
    assert told(town.night()) == ("complete", 0, 1, 0, 0)
    assert "Other words" in str(desk.words(f"post:{posts[3]}"))
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


@pytest.mark.parametrize("answer", [(500, JSON, b'{"code":"internal_server_error"}'), (200, HTML, SIGN_IN)])
def test_a_site_that_fails_at_every_post_ends_the_night_and_says_nothing_of_any(
    store: Store, clock: FixedClock, stack: ExitStack, answer: Answer
) -> None:
    town = Town(store, clock, stack)
    world = town.world
    posts = [world.publish(f"Notice {number}", f"<p>Words {number}</p>") for number in range(9)]
    assert town.night().status == "complete"
    begun = len(world.asked)
    failing = town.troubled("posts", answer)
    assert told_in_full(failing) == ("partial", 0, 0, 0, 0, 0)
    assert len(world.asked) - begun < 30
    assert not any("/comments" in asked for asked in world.asked[begun:])
    assert town.desk.states() == {}
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert {f"post:{one}" for one in posts} <= town.desk.held().keys()


@pytest.mark.parametrize("warns", [False, True])
def test_a_file_at_which_the_site_always_fails_costs_its_own_post_and_makes_none_look_edited(
    store: Store, clock: FixedClock, stack: ExitStack, *, warns: bool
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    world.warns = warns
    posts = [world.publish(f"Notice {number}", f"<p>Words {number}</p>") for number in range(3)]
    files = [world.upload(f"{post}.jpg", post=post) for post in posts]
    assert town.night().status == "complete"
    world.breaks = {f"attachment:{files[1]}"}
    for post in posts:
        world.edit(post, "<p>Other words</p>")
    night = town.night()
    assert told_in_full(night) == ("partial", 0, 2, 0, 0, 0)
    assert [gap.native_id for gap in night.gaps if gap.native_id] == [f"post:{posts[1]}"]
    world.breaks.clear()
    assert told_in_full(town.night()) == ("complete", 0, 1, 0, 0, 0)
    assert [len(desk.history(f"post:{post}")) for post in posts] == [2, 2, 2]


@pytest.mark.parametrize("warns", [False, True])
def test_earlier_texts_that_the_site_failed_to_tell_are_asked_for_until_it_does(
    store: Store, clock: FixedClock, stack: ExitStack, *, warns: bool
) -> None:
    town = an_editors(store, clock, stack)
    world, desk = town.world, town.desk
    world.warns = warns
    road, ferry = (world.publish(title, "<p>Closed.</p>") for title in ("Road", "Ferry"))
    for post in (road, ferry):
        world.edit(post, "<p>Closed until six.</p>")
    world.breaks = {f"revision:{world.items[road].revisions[0]['id']}"}
    night = town.night()
    assert (night.status, [(gap.what, gap.native_id) for gap in night.gaps]) == (
        "partial",
        [("earlier texts", f"post:{road}")],
    )
    assert desk.held().keys() >= {f"post:{road}", f"post:{ferry}"}
    for _ in range(2):  # long after the edit, too
        assert town.night().status == "partial"
    world.breaks.clear()
    begun = len(world.asked)
    assert town.night().status == "complete"
    asked = [one for one in world.asked[begun:] if "/revisions" in one]
    assert [f"/posts/{road}/" in one for one in asked] == [True]
    assert town.night().status == "complete"


def test_a_site_that_shuts_its_list_of_users_renames_nobody(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    world = town.world
    posts = [world.publish(f"Notice {number}", "<p>Words.</p>") for number in range(2)]
    assert town.night().status == "complete"
    world.shut["users"] = Refused(401, "rest_user_cannot_view")
    assert told_in_full(town.night())[:3] == ("partial", 0, 0)
    world.edit(posts[0], "<p>Other words.</p>")  # what is an edit is told, and names whom it named
    assert told_in_full(town.night())[:3] == ("partial", 0, 1)
    newest = town.desk.history(f"post:{posts[0]}")[-1]
    assert newest.text("author_name") == town.desk.history(f"post:{posts[0]}")[0].text("author_name") != ""
    world.shut.clear()
    assert told_in_full(town.night())[:3] == ("complete", 0, 0)


@pytest.mark.parametrize("answer", [(500, JSON, b'{"code":"internal_server_error"}'), (200, HTML, SIGN_IN)])
def test_authors_whose_names_the_site_fails_to_tell_are_a_gap_and_keep_no_post_from_being_captured(
    store: Store, clock: FixedClock, stack: ExitStack, answer: Answer
) -> None:
    town = Town(store, clock, stack)
    first = town.world.publish("Road closure", "<p>Words.</p>")
    assert town.night().status == "complete"
    town.world.edit(first, "<p>Other words.</p>")
    town.world.publish("Ferry", "<p>Words.</p>")
    night = town.troubled("users", answer)
    assert told_in_full(night)[:3] == ("partial", 1, 1)
    assert {gap.what for gap in night.gaps} == {"authors' names"}
    newest = town.desk.history(f"post:{first}")[-1]
    assert newest.text("author_name") == town.desk.history(f"post:{first}")[0].text("author_name") != ""


def test_a_site_that_shuts_its_library_takes_no_file_away_and_nothing_is_told_as_edited_by_it(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    road, ferry, still = (world.publish(title, "<p>Words.</p>") for title in ("Road", "Ferry", "Still"))
    files = [world.upload(f"{post}.jpg", post=post, alt="A barrier") for post in (road, ferry, still)]
    source = {
        post: world.library[file]["source_url"]
        for post, file in zip((road, ferry, still), files, strict=True)
    }
    for post in (road, ferry, still):  # shown in a smaller size, and named by nothing but its address
        world.edit(post, f'<p>Words.</p><p><img src="{source[post].replace("/03/", "/03/m-")}"></p>')
    loose = world.upload("minutes.pdf", post=road, media_type="application/pdf")  # which no text shows
    assert town.night().status == "complete"
    assert _ids(desk, road) == [f"media:{files[0]}", f"media:{loose}"]

    # 1. The library is shut: nothing was edited, however many nights, and no file is kept a second time.
    world.shut["media"] = Refused(401, "rest_forbidden")
    for _ in range(2):
        night = town.night()
        assert told_in_full(night)[:3] == ("partial", 0, 0)
        assert {gap.what for gap in night.gaps} == {"files"}
    assert [len(desk.history(f"post:{post}")) for post in (road, ferry, still)] == [1, 1, 1]

    # 2. What is new or edited meanwhile is kept, with the files that are known and those that it shows anew.
    shown = world.items[road].content
    world.edit(road, shown.replace("Words.", "Other words."))
    new_picture = f"{world.address}/wp-content/uploads/2026/04/new.jpg"
    world.edit(ferry, world.items[ferry].content + f'<p><img src="{new_picture}"></p>')
    late = world.publish("Late", f'<p>New.</p><img src="{new_picture}">')
    assert told_in_full(town.night())[:3] == ("partial", 1, 2)
    assert _ids(desk, road) == [f"media:{files[0]}", f"media:{loose}"]
    assert desk.described(f"post:{road}")[-1] == desk.described(f"post:{road}")[0]
    assert _ids(desk, ferry) == [f"media:{files[1]}", new_picture]
    assert _ids(desk, late) == [new_picture]
    assert told_in_full(town.night())[:3] == ("partial", 0, 0)

    # 3. It is opened again, and what stood as it stood is no edit.
    world.shut.clear()
    assert told_in_full(town.night())[:3] == ("complete", 0, 0)
    assert [len(desk.history(f"post:{post}")) for post in (road, ferry, still, late)] == [2, 2, 1, 1]

    # 4. A picture that is taken out then is told, as ever.
    del world.library[loose]
    assert told_in_full(town.night())[:3] == ("complete", 0, 1)
    assert desk.sound()


def test_where_the_library_was_never_open_a_picture_that_is_taken_out_is_an_edit(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    world.shut["media"] = Refused(401, "rest_forbidden")
    pictures = [f"{world.address}/wp-content/uploads/2026/04/{name}.jpg" for name in ("bridge", "road")]
    post = world.publish("Road", "".join(f'<img src="{one}">' for one in pictures))
    town.night()
    assert _ids(desk, post) == pictures
    world.edit(post, f'<img src="{pictures[1]}">')
    assert told_in_full(town.night())[:3] == ("partial", 0, 1)
    assert _ids(desk, post) == pictures[1:]


def _ids(desk: Desk, post: int) -> list[object]:
    """The ids of the files that the newest version of a post states."""
    listed = desk.history(f"post:{post}")[-1].fields.get("attachments")
    return [one["id"] for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def test_no_more_rows_is_an_answer_only_to_who_asks_beyond_the_first(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    post = town.world.publish("Road closure", "<p>Closed.</p>")
    town.world.comment(post, "Until when?")
    assert town.night().status == "complete"
    ends = b'{"code":"rest_post_invalid_page_number","message":"","data":{"status":400}}'
    for route in ("comments", "pages", "posts"):
        for status in (400, 404):
            night = town.troubled(route, (status, JSON, ends))
            assert (night.status in {"partial", "failed"}, changed(night)) == (True, 0)
            assert night.gaps
    assert town.desk.states() == {}


def test_an_item_whose_own_address_always_fails_is_unknown_and_the_others_are_told(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    world = town.world
    posts = [world.publish(f"Notice {number}", "<p>Words.</p>") for number in range(3)]
    page = Page(address=world.address)
    world.delete(posts[2])
    broken: Answer = (500, JSON, b'{"code":"internal_server_error"}')
    world.trouble = lambda route: broken if route == f"posts/{posts[0]}" else None
    asked = [(Kind.POST, f"post:{post}") for post in posts]
    found = [one for batch in WordPress(town.desk.client).look(page, asked) for one in batch.sightings]
    assert [one.state for one in found] == [State.UNKNOWN, State.PRESENT, State.GONE]
    world.trouble = lambda route: broken if route.startswith("posts/") else None
    with pytest.raises(TryAgainLater):
        list(WordPress(town.desk.client).look(page, asked))


@pytest.mark.parametrize("number", [None, "seven", "absent"])
@pytest.mark.parametrize("kind", ["post", "page", "comment"])
def test_an_item_whose_number_nobody_can_read_is_a_gap_and_all_others_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, kind: str, number: object
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    first, strange, last = (
        world.publish(title, "<p>Words.</p>", type="page" if kind == "page" else "post")
        for title in ("Road", "Ferry", "Bridge")
    )
    said = [world.comment(first, f"Said {place}") for place in range(3)]
    assert told(town.night()) == ("complete", 7, 0, 0, 0)

    # 1. One item bears no number: it is a gap, the others are read, and nothing is missing for it.
    hit = said[1] if kind == "comment" else strange
    numberless(world, kind, hit, number)
    fresh = world.publish("New", "<p>Words.</p>")
    late = world.comment(last, "Said later")
    for _ in range(2):
        night = town.night()
        assert (night.status, night.tally.absent, night.tally.gone, night.tally.edited) == (
            "partial",
            0,
            0,
            0,
        )
        assert f"one of the {kind}s" in {gap.what for gap in night.gaps}
    assert {f"post:{fresh}", f"comment:{late}", f"comment:{said[2]}"} <= desk.held().keys()
    assert desk.states() == {}

    # 2. It bears its number again, and what was deleted meanwhile is gone by the site's own word.
    world.altered = None
    world.delete_comment(said[0])
    assert told_in_full(town.night()) == ("complete", 0, 0, 0, 0, 1)
    assert desk.sound()


def test_a_page_of_another_site_in_place_of_a_list_of_items_is_no_item_without_a_number(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    town.world.publish("Road", "<p>Words.</p>")
    assert town.night().status == "complete"
    for strange in (b"{}", b'{"id":null}', b"7", b"null"):
        night = town.troubled("posts", (200, JSON, strange))
        assert (night.status in {"partial", "failed"}, changed(night)) == (True, 0)
    assert town.desk.states() == {}


def numberless(world: WordPressWorld, kind: str, hit: int, number: object) -> None:
    """From now on the site tells one item of a list with this in place of its number, or with none."""

    def other(route: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if route != f"{kind}s":
            return rows
        bare = [{name: value for name, value in row.items() if name != "id"} for row in rows]
        more = {} if number == "absent" else {"id": number}
        return [
            {**without, **more} if row["id"] == hit else row for row, without in zip(rows, bare, strict=True)
        ]

    world.altered = other


def test_a_post_that_is_first_seen_while_the_library_is_shut_is_not_edited_by_its_being_opened(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    world.shut["media"] = Refused(401, "rest_forbidden")
    road, ferry, bare, edited = (
        world.publish(title, "<p>Words.</p>") for title in ("Road", "Ferry", "Bare", "Edited")
    )
    files = {
        post: world.upload(f"{post}.jpg", post=post, alt="A barrier") for post in (road, ferry, bare, edited)
    }
    source = {post: world.library[file]["source_url"] for post, file in files.items()}
    world.items[road].content = f'<img class="wp-image-{files[road]}" src="{source[road]}">'
    world.items[ferry].content = f'<img src="{source[ferry].replace("/03/", "/03/m-")}">'
    for _ in range(2):
        assert {gap.what for gap in town.night().gaps} == {"files"}
    assert _ids(desk, ferry) == [source[ferry].replace("/03/", "/03/m-")]

    # 1. The library is opened: the files are kept with their posts, and only the post is edited that was.
    world.shut.clear()
    world.edit(edited, "<p>Other words.</p>")
    assert told_in_full(town.night())[:3] == ("complete", 0, 1)
    for post, file in files.items():
        assert _ids(desk, post) == [f"media:{file}"]
        assert list(desk.files(f"post:{post}")) == [f"media:{file}"]
        assert desk.described(f"post:{post}")[-1] == ["A barrier"]
    assert told_in_full(town.night())[:3] == ("complete", 0, 0)

    # 2. From then on another file, or another description, is an edit as ever.
    world.library[files[road]]["alt_text"] = "A barrier across the road"
    late = world.upload("late.jpg", post=bare)
    assert told_in_full(town.night())[:3] == ("complete", 0, 2)
    assert _ids(desk, bare) == [f"media:{files[bare]}", f"media:{late}"]
    assert desk.sound()


def test_authors_who_were_not_named_at_first_are_not_edited_by_being_named(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack)
    world, desk = town.world, town.desk
    road, ferry = (world.publish(title, "<p>Words.</p>") for title in ("Road", "Ferry"))
    world.upload("road.jpg", post=road, alt="A barrier")
    world.shut["users"] = Refused(401, "rest_user_cannot_view")
    assert town.night().status == "partial"
    world.shut.clear()
    world.edit(ferry, "<p>Other words.</p>")
    assert told_in_full(town.night())[:3] == ("complete", 0, 1)
    for post in (road, ferry):
        assert desk.history(f"post:{post}")[-1].text("author_name") == "Press Office"
    world.users[1] = ("Another Office", "press")
    assert told_in_full(town.night())[:3] == ("complete", 0, 2)
    assert desk.sound()


def test_pingbacks_and_trackbacks_are_captured_where_the_page_is_connected(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = an_editors(store, clock, stack)
    world, desk = town.world, town.desk
    post = world.publish("Road", "<p>Words.</p>")
    said = world.comment(post, "<p>Until when?</p>")
    ping = world.comment(post, "<p>[…] the road […]</p>", type="pingback", author_name="Valley News")
    held = world.comment(post, "<p>Read on</p>", type="trackback", status="hold")
    assert told(town.night()) == ("complete", 5, 0, 0, 0)
    assert desk.states() == {f"comment:{held}": "hidden"}
    assert desk.held()[f"comment:{ping}"].version.fields["in_reply_to"] == f"post:{post}"
    assert desk.counted()["comment"] == (3, 3)

    # 1. Nothing is missing where nothing is, and what is deleted for good is gone; of the post alone, too.
    assert told_in_full(town.night()) == ("complete", 0, 0, 0, 0, 0)
    world.delete_comment(ping)
    assert told_in_full(town.night()) == ("complete", 0, 0, 0, 0, 1)
    late = world.comment(post, "<p>[…] open again […]</p>", type="pingback")
    batches = list(WordPress(desk.client, world.secret).family(Page(address=world.address), f"post:{post}"))
    seen = [one.native_id for batch in batches for one in batch.observations]
    assert seen == [f"post:{post}", f"comment:{said}", f"comment:{held}", f"comment:{late}"]
    assert len([one for batch in batches for one in batch.listings if one.in_reply_to == f"post:{post}"]) == 1

    # 2. The public is not shown them, and nobody removed them.
    world.capabilities["moderate_comments"] = False
    night = town.night()
    assert (night.tally.gone, night.tally.edited) == (0, 0)
    assert f"comment:{late}" not in desk.held()
    world.capabilities["moderate_comments"] = True
    assert told(town.night())[0] == "complete"
    assert f"comment:{late}" in desk.held()
    assert {name for name, state in desk.states().items() if state == "gone"} == {f"comment:{ping}"}

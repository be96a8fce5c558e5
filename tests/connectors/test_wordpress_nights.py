"""WordPress in a real archive, night after night: an edit, comments held and trashed, removals, an outage and a lost password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import cast

from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.wordpress import WordPress
from tests.connectors.worlds.desk import Desk, changed, told
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

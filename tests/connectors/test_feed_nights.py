"""Feeds in a real archive, night after night: edits, items that leave and return, tombstones, broken-off passes.

A feed shows what is public, and has no hide: in its place stands an item that
is missing for a night from a feed that lists everything. It is absent, which
is no deletion; gone is only what the feed's own tombstone (RFC 6721), or the
item's own address, says is gone.
"""

from __future__ import annotations

from contextlib import ExitStack

from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.feed import Feed
from tests.connectors.worlds.desk import Desk, changed, told
from tests.connectors.worlds.feed_world import Answer, FeedWorld

DAY = 24 * 60
WEB = {"Content-Type": "text/html"}
THROTTLED: Answer = (429, {"Retry-After": "60"}, b"")
SIGN_IN: Answer = (200, WEB, b"<!DOCTYPE html><html><form><input type='password'></form></html>")


class Town:
    """A site and the archive that captures its feed; a day passes for both."""

    def __init__(self, store: Store, clock: FixedClock, stack: ExitStack, form: str, **options: str) -> None:
        self.world = stack.enter_context(FeedWorld(form))
        self.desk = Desk(store, clock, stack, Feed, Page(address=self.world.feed, options=options), {})

    def night(self) -> Report:
        self.world.tick(DAY)
        self.world.asked.clear()
        self.world.statuses.clear()
        return self.desk.night()

    def troubled(self, part: str, answer: Answer) -> Report:
        """A night in which the addresses with this part answer otherwise."""
        self.world.trouble, self.world.patience = lambda target: answer if part in target else None, 0
        report = self.night()
        self.world.trouble = None
        return report


def test_edits_an_absence_a_tombstone_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack, "atom", complete="yes")
    world, desk = town.world, town.desk
    world.window, world.links_older = 2, "next"
    names = [world.publish(title, f"<p>{title}, by order.</p>") for title in ("Council", "Ferry", "Road")]
    council, ferry, road = names
    world.posts[council].enclosure = f"{world.address}/files/agenda.mp3"
    asks = world.comment(road, "<p>Until when?</p>")
    answer = world.comment(road, "<p>Until six.</p>", answers=asks)

    def post(name: str) -> str:
        return f"post:{name}"

    # 1. The first night keeps all that there is: the feed in its two parts, the comments on a post, and a sound.
    assert told(town.night()) == ("complete", 6, 0, 0, 0)
    comments = {f"comment:{asks}", f"comment:{answer}"}
    assert set(desk.held()) == {"profile", *map(post, names), *comments}
    assert (desk.states(), list(desk.files(post(council)).values())) == ({}, [b"a sound"])

    # 2. A quiet night changes nothing.
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    quiet = clock.at

    # 3. A post is edited, of which Atom tells when, and the feed's own title, of which it does not.
    world.edit(ferry, "<p>The ferry runs again.</p>")
    world.title = "Test Town"
    assert told(town.night()) == ("complete", 0, 2, 0, 0)
    before, after = desk.history(post(ferry))
    assert (before.text("text"), after.text("text")) == (
        "Ferry\n\nFerry, by order.",
        "Ferry\n\nThe ferry runs again.",
    )
    assert (before.fields.get("edited_at"), after.fields.get("edited_at") is None) == (None, False)
    titles = desk.history("profile")
    assert ["Valley" in str(one.text("text")) for one in titles] == [True, False]
    assert titles[-1].fields.get("edited_at") is None
    for newest in (after, titles[-1]):
        assert (newest.last_seen_before, newest.observed_at) == (quiet, clock.at)

    # 4. A post is missing for a night from a feed that lists everything: it is absent, and comes back as it was.
    missing = world.posts.pop(ferry)
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {post(ferry): "absent"}
    world.posts[ferry] = missing
    back = town.night()
    assert (back.status, back.tally.restored, back.tally.edited, desk.states()) == ("complete", 1, 0, {})

    # 5. A post is deleted, by the feed's own tombstone. That a comment left the feed of comments says nothing of it.
    world.remove(ferry, says_so=True)
    world.posts[road].comments.pop(0)
    assert told(town.night()) == ("complete", 0, 0, 0, 1)
    assert desk.states() == {post(ferry): "gone"}
    assert desk.words(post(ferry)) == "Ferry\n\nThe ferry runs again."

    # 6. Throttles, outages, refusals and a form to sign in prove nothing, wherever the pass was when they came.
    world.publish("Storm", "<p>Stay in.</p>")
    assert told(town.night()) == ("complete", 1, 0, 0, 0)
    failures: list[tuple[str, Answer, str]] = [
        ("/feed", THROTTLED, "failed"),
        ("part=2", THROTTLED, "partial"),
        ("/comments", (500, {}, b"trouble"), "partial"),
        ("part=2", (503, {}, b"trouble"), "partial"),
        ("/feed", (401, {}, b"no"), "failed"),
        ("part=2", SIGN_IN, "partial"),
        ("part=2", (404, WEB, b"no"), "partial"),
        ("/feed", SIGN_IN, "failed"),
        ("/feed", (404, WEB, b"no"), "failed"),
    ]
    for part, answered, status in failures:
        failing = town.troubled(part, answered)
        assert (failing.status, changed(failing)) == (status, 0)
        assert failing.gaps
        assert desk.states() == {post(ferry): "gone"}

    assert told(town.night()) == ("complete", 0, 0, 0, 0)

    # 7. A pass that broke off goes on, although a post was removed meanwhile and older ones moved up by one.
    assert town.troubled("part=2", THROTTLED).status == "partial"
    del world.posts[road]
    last = town.night()
    # The feed of comments on what was removed answers 404: there is nothing that was missed, and nothing is known of them.
    assert told(last) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {post(ferry): "gone", post(road): "absent"}
    assert [one.state for one in desk.history(post(council))] == ["present"]
    assert desk.sound()


def test_a_post_that_left_a_window_with_the_feed_of_its_comments_is_a_gap_once_and_one_that_is_shown_each_night(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack, "rss")
    world, desk = town.world, town.desk
    road, ferry = world.publish("Road", "<p>Closed.</p>"), world.publish("Ferry", "<p>None.</p>")
    asked = world.comment(road, "<p>Until when?</p>")
    world.comment(ferry, "<p>Why?</p>")
    assert told(town.night()) == ("complete", 5, 0, 0, 0)

    # 1. The post is shown, and the feed of its comments is not: each night says so.
    for _ in range(2):
        broken = town.troubled("/comments", (404, {}, b"no"))
        assert (broken.status, len(broken.gaps)) == ("partial", 2)

    # 2. The post is removed, which a window does not say: that its comments cannot be seen is told once.
    world.remove(road, says_so=False)
    once = town.night()
    assert (once.status, changed(once), len(once.gaps)) == ("partial", 0, 1)
    for _ in range(2):
        assert told(town.night()) == ("complete", 0, 0, 0, 0)
        assert any("/comments" in one and "Road" not in one for one in world.asked)
    assert desk.states() == {}
    assert "Until when?" in str(desk.words(f"comment:{asked}"))
    assert desk.sound()


def test_a_feed_that_is_a_window_makes_nothing_absent_and_a_night_that_missed_something_says_so(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack, "rss", comments="no")
    world, desk = town.world, town.desk
    world.window = 2
    first, second = world.publish("One", "<p>1</p>"), world.publish("Two", "<p>2</p>")
    assert told(town.night()) == ("complete", 3, 0, 0, 0)
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert world.statuses == [304]

    # What leaves the window, or is taken down without a word, stays as it was last seen.
    world.publish("Three", "<p>3</p>")
    assert told(town.night()) == ("complete", 1, 0, 0, 0)
    del world.posts[second]
    # An older one returns to the window in its place: nothing was missed, and no gap is told.
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert (desk.states(), len(desk.held())) == ({}, 4)

    # An edit in RSS bears no time: the interval is all that is known of it.
    quiet = clock.at
    world.edit(first, "<p>One again</p>")
    assert told(town.night()) == ("complete", 0, 1, 0, 0)
    before, after = desk.history(f"post:{first}")
    assert (before.text("text"), after.text("text")) == ("One\n\n1", "One\n\nOne again")
    assert (after.last_seen_before, after.observed_at, after.fields.get("edited_at")) == (
        quiet,
        clock.at,
        None,
    )

    # While the feed is down, more is published than its window shows: the night after says what it cannot know.
    assert town.troubled("/feed", (503, {}, b"down")).status == "failed"
    for title in ("Four", "Five", "Six"):
        world.publish(title, f"<p>{title}</p>")
    late = town.night()
    assert told(late) == ("partial", 2, 0, 0, 0)
    assert ["left the feed between two passes" in gap.what for gap in late.gaps] == [True]
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {}
    assert desk.sound()


def test_an_items_own_address_makes_it_gone_and_an_outage_there_makes_it_absent(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack, "rss", complete="yes", check_links="yes", comments="no")
    world, desk = town.world, town.desk
    world.remembers_readers = False  # 304 shows no item, and nothing is looked at again for it
    kept, left = world.publish("Road", "<p>Closed.</p>"), world.publish("Ferry", "<p>No ferry.</p>")
    assert told(town.night()) == ("complete", 3, 0, 0, 0)
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    missing = world.posts.pop(left)

    # Its page still stands, fails, stands again with the feed, and is gone at last.
    world.other["/"] = (200, WEB, b"<p>No ferry.</p>")
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {}
    world.other["/"] = (500, WEB, b"trouble")
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {f"post:{left}": "absent"}
    world.posts[left] = missing
    assert town.night().tally.restored == 1
    del world.posts[left]
    world.other["/"] = THROTTLED
    throttled = town.night()
    assert (throttled.status, changed(throttled), desk.states()) == ("partial", 0, {})
    world.other["/"] = (410, WEB, b"<p>Taken down</p>")
    assert told(town.night()) == ("complete", 0, 0, 0, 1)
    assert desk.states() == {f"post:{left}": "gone"}
    assert desk.words(f"post:{kept}") == "Road\n\nClosed."
    assert desk.sound()


def test_in_json_feed_what_leaves_a_feed_of_everything_is_absent_and_comes_back(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack, "json", complete="yes")
    world, desk = town.world, town.desk
    road, ferry = world.publish("Road", "<p>Closed.</p>"), world.publish("Ferry", "<p>No ferry.</p>")
    assert told(town.night()) == ("complete", 3, 0, 0, 0)
    first = clock.at
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert world.statuses == [304]
    world.edit(road, "<p>Open.</p>")
    assert told(town.night()) == ("complete", 0, 1, 0, 0)
    before, after = desk.history(f"post:{road}")
    assert (before.text("text"), after.text("text")) == ("Road\n\nClosed.", "Road\n\nOpen.")
    assert after.fields.get("edited_at") is not None
    # The quiet night was answered 304, which shows no item: the post was last seen on the first one.
    assert (after.last_seen_before, after.observed_at) == (first, clock.at)
    missing = world.posts.pop(ferry)
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {f"post:{ferry}": "absent"}

    # An empty feed, a body that breaks off and an outage make nothing absent beyond that, and bring nothing back.
    posts, world.posts = world.posts, {}
    empty = town.night()
    assert (empty.status, changed(empty)) == ("partial", 0)
    world.posts = posts
    world.cutting, world.patience = True, 0
    cut = town.night()
    assert (cut.status in {"partial", "failed"}, changed(cut)) == (True, 0)
    world.cutting = False
    assert town.troubled("/feed", (500, {}, b"trouble")).status == "failed"
    assert desk.states() == {f"post:{ferry}": "absent"}
    world.posts[ferry] = missing
    back = town.night()
    assert (back.status, back.tally.restored, desk.states()) == ("complete", 1, {})
    assert desk.sound()


def test_a_feed_of_comments_that_always_fails_is_a_gap_and_those_behind_it_are_read_whatever_of_5xx_it_answers(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    town = Town(store, clock, stack, "rss")
    world, desk = town.world, town.desk
    posts = [world.publish(f"Notice {number}", "<p>Words.</p>") for number in range(4)]
    for post in posts:
        world.comment(post, "<p>When?</p>")
    assert told(town.night()) == ("complete", 9, 0, 0, 0)
    broken = world.comments_address(world.posts[posts[2]]).removeprefix(world.address)
    for status in (502, 503, 504):
        world.comment(posts[0], f"<p>And on the day of the {status}?</p>")
        night = town.troubled(broken, (status, {}, b"trouble"))
        assert told(night) == ("partial", 1, 0, 0, 0)
        assert [broken in gap.what for gap in night.gaps] == [True]
    assert desk.states() == {}

    # All of them fail: the pass ends at the third, and tells nothing.
    down = town.troubled("/comments", (503, {}, b"down"))
    assert (down.status, changed(down)) == ("partial", 0)
    assert sum("/comments" in one for one in world.asked) == 3
    assert town.night().status == "complete"
    assert told(town.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {}

"""RSS, Atom and JSON feeds over loopback: what they show, what they prove, and what they cannot do to us."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Batch, Cursor, Gap, Kind, Observation, Page, Sighting, Span, State
from connectors.errors import AccessRevoked, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.failing import AGAIN
from connectors.feed import Feed, discover, encoding, markup, reading
from connectors.feed.parse import Document, NotAFeed, Where, moment
from connectors.feed.place import Place
from connectors.http import EvidenceClient
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.feed_world import FeedWorld, PromisedFeed
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import bytes_at, listings, seen

FORMS = ["rss", "rss1", "atom", "json"]
WITH_EDITS = ["atom", "json"]
AT = "https://town.example/feed"


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client() as client:
        yield client


@pytest.fixture
def world() -> Iterator[FeedWorld]:
    with FeedWorld() as site:
        yield site


@pytest.fixture(params=FORMS)
def each_world(request) -> Iterator[FeedWorld]:
    with FeedWorld(request.param) as site:
        yield site


class Visit:
    """One connector at one feed, and what its passes yield."""

    def __init__(self, world: FeedWorld, http: EvidenceClient, address: str = "", **options: str) -> None:
        self.connector = Feed(http)
        self.page = Page(address=address or world.feed, options=options)
        self.cursor: Cursor | None = None

    def night(self) -> list[Batch]:
        """Observe from where the last night ended."""
        batches = self.since(self.cursor)
        self.cursor = batches[-1].resume_from
        return batches

    def since(self, cursor: Cursor | None) -> list[Batch]:
        return list(self.connector.observe(self.page, cursor))

    def look(self, *asked: tuple[Kind, str]) -> dict[str, Sighting]:
        batches = list(self.connector.look(self.page, asked))
        return {one.native_id: one for batch in batches for one in batch.sightings}


def posts(batches: Sequence[Batch]) -> list[str]:
    return [one.native_id for batch in batches for one in batch.observations if one.kind is Kind.POST]


def sightings(batches: Sequence[Batch]) -> list[Sighting]:
    return [one for batch in batches for one in batch.sightings]


def gaps(batches: Sequence[Batch]) -> list[Gap]:
    return [one for batch in batches for one in batch.gaps]


def read(body: str | bytes, **where: object) -> Document:
    data = body.encode() if isinstance(body, str) else body
    return reading.read(data, Where(address=AT, **where))  # type: ignore[arg-type]  # a test names the fields


def rss(items: str, more: str = "") -> str:
    return f'<rss version="2.0" {more}><channel><title>News</title>{items}</channel></rss>'


def the_post(document: Document) -> Observation:
    found = [one for one in document.observations if one.kind is Kind.POST]
    assert len(found) == 1
    return found[0]


# --- what every connector promises ------------------------------------------------------------------------


class TestRss(ConnectorPromises):
    form = "rss"

    def world(self):
        return PromisedFeed(self.form)

    def connector(self, client):
        return Feed(client)


class TestRssThatIsComplete(TestRss):
    def world(self):
        return PromisedFeed(self.form, complete="yes")


class TestAtom(TestRss):
    form = "atom"


class TestJsonFeed(TestRss):
    form = "json"

    def world(self):
        return PromisedFeed(self.form, complete="yes")


# --- what a pass sees -------------------------------------------------------------------------------------


def test_a_pass_sees_the_pages_introduction_and_its_posts_oldest_first(each_world, http):
    first = each_world.publish("Road & bridge", "<p>Main Street is <b>closed</b>.</p><p>Use 2nd.</p>")
    second = each_world.publish("Storm \U0001f327", "<p>Stay in.</p>")

    found = seen(Visit(each_world, http, comments="no").night())

    assert list(found) == ["profile", f"post:{first}", f"post:{second}"]
    assert found["profile"].kind is Kind.PROFILE
    assert found["profile"].text == "Test Town & Valley\n\nNews from the hall"
    post = found[f"post:{first}"]
    assert post.text == "Road & bridge\n\nMain Street is closed.\n\nUse 2nd."
    assert post.html == "<p>Main Street is <b>closed</b>.</p><p>Use 2nd.</p>"
    assert post.url == f"{each_world.address}/road---bridge/"
    assert post.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert post.edited_at is None
    assert post.extra["title"] == "Road & bridge"
    assert found[f"post:{second}"].text == "Storm \U0001f327\n\nStay in."


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
def test_an_item_brings_its_author_its_categories_and_its_files(form, http):
    with FeedWorld(form) as world:
        number = world.publish(
            "Hearing", "Audio", tags=["Council", "Budget"], enclosure="https://media.example/a.mp3?sig=1"
        )
        post = seen(Visit(world, http, comments="no").night())[f"post:{number}"]

    assert post.author is not None
    assert post.author.name == "Press Office"
    assert post.extra["tags"] == ["Council", "Budget"]
    assert [(one.id, one.url, one.media_type) for one in post.attachments] == [
        ("https://media.example/a.mp3", "https://media.example/a.mp3?sig=1", "audio/mpeg")
    ]


def test_each_post_is_evidenced_by_exactly_its_own_bytes(each_world, http):
    for number in range(3):
        each_world.publish(f"Notice {number}", f"<p>Only in notice {number} é</p>")

    (batch,) = Visit(each_world, http, comments="no").night()

    for number in range(3):
        (post,) = (one for one in batch.observations if one.text.startswith(f"Notice {number}"))
        (span,) = post.evidence
        own = bytes_at(batch, span)
        assert own.startswith((b"<item", b"<entry", b"{"))
        assert own.endswith((b"</item>", b"</entry>", b"}"))
        assert f"notice {number} ".encode() in own
        assert not any(f"notice {other} ".encode() in own for other in range(3) if other != number)


def test_the_introduction_is_evidenced_without_any_posts_bytes(each_world, http):
    each_world.publish("Notice", "<p>A notice</p>")
    (batch,) = Visit(each_world, http, comments="no").night()
    profile = seen([batch])["profile"]

    shown = b"".join(bytes_at(batch, span) for span in profile.evidence)

    assert b"News from the hall" in shown
    assert b"A notice" not in shown


@pytest.mark.parametrize("form", WITH_EDITS)
def test_an_edit_is_seen_with_its_time_where_the_format_has_one(form, http):
    with FeedWorld(form) as world:
        number = world.publish("Road", "closed")
        visit = Visit(world, http, comments="no")
        visit.night()
        world.edit(number, "open again")
        post = seen(visit.night())[f"post:{number}"]

    assert post.text == "Road\n\nopen again"
    assert post.edited_at == datetime(2026, 3, 1, 8, 2, tzinfo=UTC)
    assert post.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)


def test_an_edit_in_rss_is_seen_without_a_time(world, http):
    number = world.publish("Road", "closed")
    visit = Visit(world, http, comments="no")
    visit.night()
    world.edit(number, "open again")
    post = seen(visit.night())[f"post:{number}"]
    assert (post.text, post.edited_at) == ("Road\n\nopen again", None)


# --- what a feed proves, and what it does not -------------------------------------------------------------


def test_what_leaves_the_window_is_neither_absent_nor_gone(each_world, http):
    number = each_world.publish("Old", "old")
    each_world.publish("New", "new")
    visit = Visit(each_world, http, comments="no")
    visit.night()
    each_world.remove(number)
    batches = visit.night()
    assert (listings(batches), sightings(batches)) == ([], [])


def test_a_feed_that_lists_everything_closes_with_a_listing(each_world, http):
    each_world.publish("Old", "old")
    batches = Visit(each_world, http, comments="no", complete="yes").night()
    (listing,) = listings(batches)
    assert list(listing.kinds) == [Kind.POST]
    assert listing.exchange < len(batches[-1].exchanges)


def test_a_feed_that_says_by_itself_that_it_is_complete_closes_with_a_listing(http):
    with FeedWorld("atom") as world:
        world.says_complete = True
        world.publish("Old", "old")
        assert len(listings(Visit(world, http, comments="no").night())) == 1


def test_an_unchanged_feed_yields_its_exchange_and_makes_nothing_absent(each_world, http):
    each_world.publish("Old", "old")
    visit = Visit(each_world, http, comments="no", complete="yes")
    visit.night()

    (batch,) = visit.night()

    assert [one.status for one in batch.exchanges] == [304]
    assert [*batch.observations, *batch.sightings, *batch.listings, *batch.gaps] == []


def test_a_feed_that_is_suddenly_empty_makes_nothing_absent(world, http):
    number = world.publish("Old", "old")
    visit = Visit(world, http, comments="no", complete="yes")
    visit.night()
    world.remove(number)
    batches = visit.night()
    assert listings(batches) == []
    assert "empty" in gaps(batches)[0].why


def test_a_feed_cut_in_the_middle_makes_nothing_absent_and_is_asked_for_again(world, http):
    for number in range(3):
        world.publish(f"Notice {number}", "words")
    visit = Visit(world, http, comments="no", complete="yes")
    visit.night()
    whole = world.document(sorted(world.posts.values(), key=lambda post: post.date, reverse=True))
    cut = whole[: whole.index(b"<title>Notice 0")]
    world.other["/feed"] = (200, {"Content-Type": "application/rss+xml"}, cut)

    cut_night = visit.night()
    again = visit.night()

    assert {"Notice 2", "Notice 1"} <= {str(one.extra.get("title")) for one in seen(cut_night).values()}
    assert listings(cut_night) == []
    assert gaps(cut_night)
    assert [one.status for batch in again for one in batch.exchanges] == [200]


@pytest.mark.parametrize(
    "end",
    ["<guid>town-1", "<guid>town-12</guid><title>Boil wa", "<guid>town-12</guid><description><![CDATA[Boil"],
)
def test_the_half_of_an_item_in_which_a_feed_ends_is_no_state_of_it_and_the_whole_one_is(end):
    before = "<item><guid>town-13</guid><title>Whole</title></item>"
    cut = read(rss(before).removesuffix("</channel></rss>") + f"<item>{end}")
    assert cut.ids == ["post:town-13"]
    assert [one.what for one in cut.gaps if "half an item" in one.why] == ["the last item of the feed"]
    assert not cut.certain

    whole = read(rss(f"{before}<item><guid>town-12</guid><title>Boil water</title></item>"))
    assert set(whole.ids) == {"post:town-12", "post:town-13"}
    assert whole.gaps == []


def test_items_that_are_whole_are_read_although_the_feed_ends_behind_them():
    document = read(rss("<item><guid>1</guid><title>x</title></item>").removesuffix("</channel></rss>"))
    assert document.ids == ["post:1"]
    assert not any("half an item" in one.why for one in document.gaps)


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_a_deletion_that_the_feed_itself_declares_is_gone(form, http):
    with FeedWorld(form) as world:
        number = world.publish("Old", "old")
        world.publish("New", "new")
        visit = Visit(world, http, comments="no")
        visit.night()
        world.remove(number, says_so=True)
        (sighting,) = sightings(visit.night())

    assert (sighting.native_id, sighting.state) == (f"post:{number}", State.GONE)
    assert sighting.reason == "at:deleted-entry when=2026-03-01T08:03:00Z"


def test_an_item_that_is_shown_is_not_gone_whatever_a_tombstone_says(http):
    with FeedWorld("atom") as world:
        number = world.publish("Back", "again")
        world.gone[number] = world.tick()
        batches = Visit(world, http, comments="no").night()
    assert sightings(batches) == []
    assert seen(batches)[f"post:{number}"].state is State.PRESENT


# --- windows that do not join -----------------------------------------------------------------------------


def test_more_posts_than_the_window_shows_leave_a_gap_since_the_last_pass(world, http):
    world.window = 3
    world.publish("First", "first")
    visit = Visit(world, http, comments="no")
    visit.night()
    for number in range(5):
        world.publish(f"Storm {number}", "words")

    batches = visit.night()

    (gap,) = gaps(batches)
    assert "left the feed" in gap.what
    assert gap.since is not None
    assert gap.until == datetime(2026, 3, 1, 8, 4, tzinfo=UTC)


def test_windows_that_join_leave_no_gap(world, http):
    world.window = 3
    world.publish("First", "first")
    visit = Visit(world, http, comments="no")
    visit.night()
    for number in range(2):
        world.publish(f"Storm {number}", "words")
    assert gaps(visit.night()) == []


def test_a_post_pinned_to_the_top_does_not_make_windows_join(http):
    with FeedWorld("atom") as world:
        world.window = 3
        world.publish("Pinned", "stays on top")
        visit = Visit(world, http, comments="no")
        visit.night()
        for number in range(5):
            world.publish(f"Storm {number}", "words")
        shown = sorted(world.posts.values(), key=lambda post: post.date, reverse=True)
        pinned = world.document([shown[-1], *shown[:3]])
        world.other["/feed"] = (200, {"Content-Type": "application/atom+xml"}, pinned)
        (gap,) = gaps(visit.night())
    assert "left the feed" in gap.what


def test_a_feed_that_puts_the_oldest_first_joins_by_its_first_item(http):
    with FeedWorld("atom") as world:
        world.publish("First", "words")
        visit = Visit(world, http, comments="no")
        visit.night()
        for number in range(2):
            world.publish(f"Storm {number}", "words")
        rising = world.document(sorted(world.posts.values(), key=lambda post: post.date))
        world.other["/feed"] = (200, {"Content-Type": "application/atom+xml"}, rising)
        assert gaps(visit.night()) == []


@pytest.mark.parametrize("relation", ["next", "prev-archive"])
def test_older_parts_that_a_feed_links_are_read_at_first_and_again_only_until_they_join(relation, http):
    with FeedWorld("atom") as world:
        world.window, world.links_older = 2, relation
        for number in range(7):
            world.publish(f"Notice {number}", "words")
        visit = Visit(world, http, comments="no")
        first = visit.night()
        world.asked.clear()
        for number in range(3):
            world.publish(f"Storm {number}", "words")
        second = visit.night()

    assert len(posts(first)) == 7
    assert world.asked == ["/feed", "/feed?part=2"]
    assert {f"Storm {number}" for number in range(3)} <= {one.extra["title"] for one in seen(second).values()}
    assert gaps(first) == gaps(second) == []


def test_json_feeds_are_read_part_by_part(http):
    with FeedWorld("json") as world:
        world.window, world.links_older = 2, "next"
        for number in range(5):
            world.publish(f"Notice {number}", "words")
        assert len(posts(Visit(world, http).night())) == 5


def test_wordpress_pages_are_read_until_it_says_that_there_are_no_more(world, http):
    world.window = 2
    for number in range(5):
        world.publish(f"Notice {number}", "words")
    batches = Visit(world, http, comments="no", paged="yes", complete="yes").night()
    assert len(posts(batches)) == 5
    assert world.asked[1:] == ["/feed?paged=2", "/feed?paged=3", "/feed?paged=4"]
    assert len(listings(batches)) == 1
    assert gaps(batches) == []


def test_a_feed_without_end_is_an_error_after_everything_else_was_read(http):
    with FeedWorld("atom") as world:
        number = world.publish("Notice", "words")
        comment = world.comment(number, "A word")
        world.links_older = "next"
        circle = world.document(list(world.posts.values()), older=world.feed)
        world.trouble = lambda target: (200, {}, circle) if target.startswith("/feed") else None
        visit, batches = Visit(world, http, complete="yes"), []
        observing = visit.connector.observe(visit.page, None)
        batches += [next(observing), next(observing)]
        with pytest.raises(UnexpectedResponse) as error:
            next(observing)
    assert error.value.exchanges
    assert f"comment:{comment}" in seen(batches)
    assert "no end" in gaps(batches)[0].why
    assert listings(batches) == []
    assert Place.read(batches[-1].resume_from, visit.page.address).began is None


def test_a_server_that_ignores_paging_leaves_a_gap(world, http):
    for number in range(3):
        world.publish(f"Notice {number}", "words")
    same = world.document(list(world.posts.values()))
    world.trouble = lambda target: (200, {"Content-Type": "application/rss+xml"}, same)
    batches = Visit(world, http, comments="no", paged="yes", complete="yes").night()
    assert world.asked == ["/feed", "/feed?paged=2"]
    assert "repeats" in gaps(batches)[0].why
    assert listings(batches) == []


def test_older_parts_that_could_not_be_read_are_asked_for_again_the_next_night(http):
    with FeedWorld("atom") as world:
        world.window, world.links_older = 2, "next"
        for number in range(5):
            world.publish(f"Notice {number}", "words")
        world.trouble = lambda target: (200, {}, b"<html>Sign in</html>") if "part=2" in target else None
        visit = Visit(world, http, comments="no")
        first = visit.night()
        world.trouble = None
        second = visit.night()
    assert (len(posts(first)), len(posts(second))) == (2, 5)
    assert "part=2" in gaps(first)[0].what
    assert gaps(second) == []


def test_a_limit_on_parts_is_a_gap_and_no_listing(http):
    with FeedWorld("atom") as world:
        world.window, world.links_older = 1, "next"
        for number in range(5):
            world.publish(f"Notice {number}", "words")
        batches = Visit(world, http, comments="no", max_pages="3", complete="yes").night()
    assert len(posts(batches)) == 3
    assert "max_pages" in gaps(batches)[0].why
    assert listings(batches) == []


# --- comments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_comments_answer_the_post_whose_feed_they_came_from_or_what_they_name(form, http):
    with FeedWorld(form) as world:
        number = world.publish("Road", "closed")
        first = world.comment(number, "Which way?")
        answer = world.comment(number, "Left", answers=first)
        found = seen(Visit(world, http).night())

    assert found[f"comment:{first}"].kind is Kind.COMMENT
    assert found[f"comment:{first}"].in_reply_to == f"post:{number}"
    assert found[f"comment:{first}"].author is not None
    assert found[f"comment:{answer}"].in_reply_to == f"comment:{first}"
    assert "Which way?" in found[f"comment:{first}"].text
    assert found[f"post:{number}"].counts == {"comments": 2}


def test_comments_are_looked_for_although_the_posts_did_not_change(http):
    with FeedWorld("rss") as world:
        number = world.publish("Road", "closed")
        world.comment(number, "One")
        visit = Visit(world, http)
        visit.night()
        # A site that counts comments somewhere else: the posts' feed stays the same.
        post = world.posts[number]
        fixed = world.document([post])
        world.other["/feed"] = (200, {"Content-Type": "application/rss+xml"}, fixed)
        two = world.comment(number, "Two")
        batches = visit.night()
    assert f"comment:{two}" in seen(batches)
    assert [one.status for batch in batches for one in batch.exchanges] == [304, 200]


def test_comments_that_an_officer_no_longer_leaves_out_are_read_although_the_feed_did_not_change(world, http):
    number = world.publish("Road closure", "Main Street is closed.")
    comment = world.comment(number, "Which way is the detour?")
    visit = Visit(world, http, comments="no")
    assert f"comment:{comment}" not in seen(visit.night())
    assert [one.status for one in visit.night()[0].exchanges] == [304]
    visit.page = Page(address=world.feed)
    assert f"comment:{comment}" in seen(visit.night())
    assert visit.night()[0].exchanges[0].status == 304


def test_a_post_that_says_it_has_no_comments_is_not_asked_for_them(world, http):
    world.publish("Road", "closed")
    Visit(world, http).night()
    assert world.asked == ["/feed"]


def test_comments_are_left_out_on_demand(world, http):
    world.comment(world.publish("Road", "closed"), "One")
    assert not any(
        one.kind is Kind.COMMENT for one in seen(Visit(world, http, comments="no").night()).values()
    )


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
def test_locked_or_broken_comments_on_one_post_are_a_gap_and_the_others_are_read(status, world, http):
    locked, public = world.publish("Locked", "x"), world.publish("Public", "y")
    world.comment(locked, "unseen")
    shown = world.comment(public, "seen")
    world.trouble = lambda target: (
        (status, {}, b"no") if target.startswith("/comments") and "p%3D1" in target else None
    )
    batches = Visit(world, http).night()
    assert f"comment:{shown}" in seen(batches)
    (gap,) = gaps(batches)
    assert str(status) in gap.why


def test_comments_that_are_throttled_end_the_pass_and_are_read_when_it_resumes(world, http):
    for name in ("One", "Two"):
        world.comment(world.publish(name, "x"), f"on {name}")
    world.trouble = lambda target: (429, {"Retry-After": "7200"}, b"") if "p%3D1" in target else None
    visit, batches = Visit(world, http), []
    observing = visit.connector.observe(visit.page, None)
    batches += [next(observing), next(observing)]
    with pytest.raises(TryAgainLater):
        next(observing)
    world.trouble = None
    batches += visit.since(batches[-1].resume_from)
    assert sum(one.kind is Kind.COMMENT for one in seen(batches).values()) == 2


def test_only_the_newest_posts_comments_are_looked_for_again_and_that_is_said(world, http):
    for number in range(4):
        world.comment(world.publish(f"Notice {number}", "x"), f"on {number}")
    visit = Visit(world, http, comment_feeds="2")
    first = visit.night()
    assert sum(one.kind is Kind.COMMENT for one in seen(first).values()) == 4
    assert "2 older posts" in gaps(first)[0].what
    world.asked.clear()
    visit.night()
    assert len(world.asked) == 3


def test_a_feed_may_itself_be_one_of_comments(world, http):
    number = world.publish("Road", "closed")
    first = world.comment(number, "Which way?")
    world.comment(number, "Left", answers=first)
    address = world.comments_address(world.posts[number])
    found = seen(Visit(world, http, address, kind="comments").night())
    assert found[f"comment:{first}"].kind is Kind.COMMENT
    assert found[f"comment:{number}#comment-2"].in_reply_to == f"comment:{first}"


def test_a_feed_of_comments_that_several_posts_name_is_no_posts_own():
    item = "<item><guid>{0}</guid><wfw:commentRss>https://town.example/comments</wfw:commentRss></item>"
    more = 'xmlns:wfw="http://wellformedweb.org/CommentAPI/"'
    (shared,) = read(rss(item.format(1) + item.format(2), more)).comment_feeds
    (own,) = read(rss(item.format(1), more)).comment_feeds
    assert (shared.answers, own.answers) == (None, "post:1")


# --- finding the feed -------------------------------------------------------------------------------------


def test_a_web_page_leads_to_its_feed_and_the_way_is_recorded(world, http):
    number = world.publish("Road", "closed")
    world.other["/"] = (
        200,
        {"Content-Type": "text/html"},
        (
            b'<!DOCTYPE html><html><head><link rel="alternate" type="application/rss+xml" href="/comments/feed/">'
            b'<link rel="alternate" type="application/rss+xml" title="News" href="/feed"></head></html>'
        ),
    )
    visit = Visit(world, http, world.address + "/", comments="no")
    first, second = visit.night(), visit.night()
    assert [one.exchanges[0].url for one in first] == [world.address + "/", world.feed]
    assert f"post:{number}" in seen(first)
    assert [one.exchanges[0].url for one in second] == [world.feed]


def test_a_feed_that_moved_is_found_again_through_its_web_page(world, http):
    number = world.publish("Road", "closed")
    html = b'<html><link rel="alternate" type="application/rss+xml" href="%s"></html>'
    world.other["/"] = (200, {"Content-Type": "text/html"}, html % b"/old")
    world.other["/old"] = (
        200,
        {"Content-Type": "application/rss+xml"},
        world.document(list(world.posts.values())),
    )
    visit = Visit(world, http, world.address + "/", comments="no")
    visit.night()
    del world.other["/old"]
    world.other["/"] = (200, {"Content-Type": "text/html"}, html % b"/feed")
    assert f"post:{number}" in seen(visit.night())


def test_a_web_page_that_names_no_feed_is_unexpected_since_it_may_ask_to_sign_in(world, http):
    world.other["/"] = (200, {"Content-Type": "text/html"}, b"<html><title>Town</title></html>")
    with pytest.raises(UnexpectedResponse) as error:
        Visit(world, http, world.address + "/").night()
    assert len(error.value.exchanges) == 1


def test_a_feed_that_is_not_there_is_no_such_page(world, http):
    with pytest.raises(NoSuchPage):
        Visit(world, http, world.address + "/nothing").night()


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>Down for maintenance</body></html>", b"%PDF-1.7", b'{"ok":true}']
)
def test_something_else_in_the_feeds_place_is_unexpected_and_proves_nothing(body, world, http):
    world.publish("Road", "closed")
    visit = Visit(world, http, comments="no", complete="yes")
    visit.night()
    world.other["/feed"] = (200, {"Content-Type": "text/html"}, body)
    with pytest.raises(UnexpectedResponse) as error:
        visit.night()
    assert error.value.exchanges[0].body == body


@pytest.mark.parametrize(("status", "error"), [(401, AccessRevoked), (503, TryAgainLater), (404, NoSuchPage)])
def test_an_answer_that_is_no_success_says_what_to_do_and_yields_nothing(status, error, world, http):
    world.trouble = lambda target: (status, {}, b"no")
    with pytest.raises(error):
        Visit(world, http).night()


def test_a_compressed_answer_is_evidence_as_a_whole_and_says_so(world, http):
    number = world.publish("Road", "closed")
    packed = gzip.compress(world.document(list(world.posts.values())))
    world.other["/feed"] = (200, {"Content-Type": "application/rss+xml", "Content-Encoding": "gzip"}, packed)
    (batch,) = Visit(world, http, comments="no").night()
    post = seen([batch])[f"post:{number}"]
    assert post.text == "Road\n\nclosed"
    assert list(post.evidence) == [Span(0, 0, len(packed))]
    assert "compressed" in batch.gaps[0].why


# --- resuming ---------------------------------------------------------------------------------------------


def test_a_feed_that_is_itself_a_compressed_file_is_read_as_one_that_came_compressed(world, http):
    number = world.publish("Storm", "Stay in.")
    whole = world.document(list(world.posts.values()))
    world.other["/feed"] = (200, {"Content-Type": "application/gzip"}, gzip.compress(whole))
    batches = Visit(world, http, comments="no").night()
    (post,) = (one for one in seen(batches).values() if one.kind is Kind.POST)
    assert (post.native_id, post.text) == (f"post:{number}", "Storm\n\nStay in.")
    assert post.evidence == [Span(0, 0, len(gzip.compress(whole)))]
    world.other["/feed"] = (200, {"Content-Type": "application/gzip"}, gzip.compress(whole)[:-9])
    with pytest.raises(UnexpectedResponse):
        Visit(world, http, comments="no").night()


def test_that_another_feed_did_not_change_says_nothing_of_the_one_that_was_read(world, http):
    """A feed moves, and where it stands now knows the date of the old one."""
    world.publish("Old", "old")
    visit = Visit(world, http, comments="no")
    visit.night()
    new = rss("<item><guid>new</guid><title>New</title></item>").encode()
    world.other["/feed"] = (301, {"Location": "/new"}, b"")
    answers = iter([(304, {}, b""), (200, {"Content-Type": "application/rss+xml", "ETag": '"n"'}, new)])
    world.trouble = lambda path: next(answers) if path == "/new" else None
    batches = visit.night()
    assert posts(batches) == ["post:new"]
    told = batches[0].exchanges
    assert [one.status for one in told] == [304, 200]
    (post,) = (one for one in seen(batches).values() if one.kind is Kind.POST)
    assert b"<guid>new</guid>" in bytes_at(batches[0], post.evidence[0])

    world.trouble = lambda path: (304, {}, b"") if path == "/new" else None
    assert [one.status for batch in visit.night() for one in batch.exchanges] == [304]


def test_resuming_from_any_cursor_misses_nothing_although_posts_are_published_in_between(http):
    with FeedWorld("atom") as world:
        world.window, world.links_older = 2, "next"
        for number in range(6):
            world.comment(world.publish(f"Notice {number}", "words"), f"on {number}")
        visit = Visit(world, http)
        whole = visit.since(None)
        wanted = set(seen(whole))
        for cut in range(len(whole)):
            world.publish(f"Between {cut}", "words")
            rest = visit.since(whole[cut].resume_from)
            assert wanted <= {*seen(whole[: cut + 1]), *seen(rest)}


def test_a_listing_after_resuming_promises_from_the_beginning_of_the_pass(http):
    with FeedWorld("atom") as world:
        world.window, world.links_older = 2, "next"
        for number in range(5):
            world.publish(f"Notice {number}", "words")
        visit = Visit(world, http, comments="no", complete="yes")
        whole = visit.since(None)
        rest = visit.since(whole[0].resume_from)
    assert listings(rest)[0].began_at == listings(whole)[0].began_at
    assert len({*seen(whole[:1]), *seen(rest)}) == 6


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "{}", '{"version":9}', '{"page":"elsewhere","streams":[]}']
)
def test_a_cursor_that_cannot_be_read_begins_from_nothing(cursor, world, http):
    number = world.publish("Road", "closed")
    assert f"post:{number}" in seen(Visit(world, http).since(Cursor(cursor)))


def test_a_finished_pass_begins_the_next_one(world, http):
    world.publish("Road", "closed")
    visit = Visit(world, http)
    place = Place.read(visit.night()[-1].resume_from, visit.page.address)
    assert (place.began, place.walk, place.stream) == (None, None, 0)
    assert place.streams[0].etag


# --- looking by id ----------------------------------------------------------------------------------------


def test_links_are_asked_only_on_demand_and_only_where_the_id_is_the_link(world, http):
    world.other = {"/here": (200, {}, b"yes"), "/forbidden": (403, {}, b""), "/gone": (410, {}, b"")}
    world.other["/moved"] = (302, {"Location": "/"}, b"")
    world.other["/"] = (200, {}, b"front page")
    world.other["/elsewhere"] = (302, {"Location": "/nothing-there-either"}, b"")
    world.other["/folder"] = (301, {"Location": "/folder/"}, b"")
    paths = ["here", "nothing", "gone", "forbidden", "moved", "elsewhere", "folder"]
    asked = [(Kind.POST, f"post:{world.address}/{path}") for path in paths]
    asked += [
        (Kind.POST, "post:tag:town.example,1"),
        (Kind.COMMENT, f"comment:{world.address}/here#comment-1"),
    ]

    assert Visit(world, http).look(*asked) == {}
    stood = Visit(world, http, check_links="yes").look(*asked)

    assert [(one.rpartition("/")[2], found.state) for one, found in stood.items()] == [
        ("here", State.PRESENT),
        ("nothing", State.GONE),
        ("gone", State.GONE),
        ("forbidden", State.UNKNOWN),
        ("moved", State.UNKNOWN),
        ("elsewhere", State.UNKNOWN),
        ("folder", State.GONE),
    ]
    assert stood[f"post:{world.address}/nothing"].reason == "404 Not Found"


def test_an_outage_while_looking_proves_nothing(world, http):
    world.trouble = lambda target: (503, {}, b"")
    with pytest.raises(TryAgainLater):
        Visit(world, http, check_links="yes").look((Kind.POST, f"post:{world.address}/here"))


# --- entities, encodings and other dangers ----------------------------------------------------------------

BILLION_LAUGHS = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE rss [<!ENTITY c SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("declaration", [BILLION_LAUGHS, OUTSIDE])
def test_an_entity_that_a_feed_declares_is_never_expanded(declaration):
    document = read(declaration + rss("<item><guid>1</guid><title>Say &c; now</title></item>"))
    assert the_post(document).text == "Say &c; now"
    assert "&c;" in document.gaps[0].why
    assert document.certain


def test_declarations_hidden_in_broken_markup_are_not_expanded_either():
    for opening in (
        "<rss><!DOCTYPE x [<!ENTITY c 'boom'>]>",
        "<!DOCTYPE a><!DOCTYPE b [<!ENTITY c 'boom'>]><rss>",
    ):
        body = f"{opening}<channel><item><guid>1</guid><title>&c;</title><broken></item></channel></rss>"
        assert the_post(read(body)).text == "&c;"


@pytest.mark.parametrize("declaration", ["", '<!DOCTYPE rss [<!ENTITY nbsp "&#160;"><!ENTITY eacute "é">]>'])
def test_the_names_that_html_knows_are_read_although_xml_does_not_know_them(declaration):
    document = read(declaration + rss("<item><guid>1</guid><title>Caf&eacute;&nbsp;&amp; bar</title></item>"))
    assert the_post(document).text in {"Café & bar", "Café\xa0& bar"}
    assert document.gaps == []


def test_a_name_of_html_that_a_feed_declares_otherwise_is_not_what_the_feed_declares():
    document = read(
        '<!DOCTYPE rss [<!ENTITY copy "boom">]>' + rss("<item><guid>1</guid><title>&copy;</title></item>")
    )
    assert "boom" not in the_post(document).text
    assert "&copy;" in document.gaps[0].why


def test_what_looks_like_an_entity_in_a_marked_section_is_left_alone():
    body = rss(
        "<item><guid>1</guid><description><![CDATA[<p>a &nbsp; b &amp; &c;</p>]]></description></item>"
    )
    assert the_post(read(body)).html == "<p>a &nbsp; b &amp; &c;</p>"


@pytest.mark.parametrize(
    ("broken", "gap"),
    [
        ("<item><guid>1</guid><title>Tom & Jo &</title></item>", None),
        ("<item><guid>1</guid><title>1 < 2</title></item>", None),
        (
            "<item><guid>1</guid><title>Bell \x07 rings &#2; here</title></item>",
            "forbids 2 of its characters",
        ),
        ("<item><guid>1</guid><title>Bold <b>words</title></item>", "mismatched tag"),
        ('<item><guid>1</guid><media:content url="https://media.example/a.jpg"/></item>', "unbound prefix"),
        ("<item><guid>1</guid><title>Quote</title><a href='x></a></item>", "mismatched tag"),
        ("<item><guid>1</guid><title>No end</title>", "mismatched tag"),
    ],
)
def test_a_broken_item_is_read_as_far_as_it_goes_and_takes_nobody_along(broken, gap):
    document = read(
        rss(f"<item><guid>0</guid><title>Before</title></item>{broken}<item><guid>2</guid></item>")
    )
    assert set(document.ids) == {"post:0", "post:1", "post:2"}
    assert [gap in one.why for one in document.gaps] == [True] if gap else not document.gaps
    assert len({one.evidence[0] for one in document.observations if one.kind is Kind.POST}) == 3


def test_bytes_that_no_encoding_explains_are_replaced_and_said():
    body = (
        rss("<item><guid>1</guid><title>Caf\xe9 \u20ac</title></item>").encode().replace(b"\xc3\xa9", b"\xff")
    )
    document = read(body)
    assert the_post(document).text == "Caf\ufffd \u20ac"
    assert "U+FFFD" in document.gaps[0].why
    (span,) = the_post(document).evidence
    assert body[span.start : span.end].endswith(b"</item>")


@pytest.mark.parametrize(
    "name",
    [
        "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso-8859-1", "iso-8859-15", "windows-1252",
        "windows-1251", "koi8-r", "cp037", "shift_jis", "euc-jp", "iso-2022-jp", "gb18030", "gb2312", "big5", "euc-kr",
    ],
)  # fmt: skip
def test_items_are_placed_byte_for_byte_in_every_encoding(name):
    word = {"windows-1251": "улица", "koi8-r": "улица", "shift_jis": "道路", "euc-jp": "道路", "iso-2022-jp": "道路",
            "gb18030": "道路", "gb2312": "道路", "big5": "道路", "euc-kr": "도로"}.get(name, "rue fermée")  # fmt: skip
    items = [f"<item><guid>{number}</guid><title>{word} {number}</title></item>" for number in range(3)]
    declared = f'<?xml version="1.0" encoding="{name.removesuffix("-sig")}"?>'
    body = (declared + rss("\n".join(items))).encode(name)
    document = read(body)
    assert document.gaps == []
    found = {one.native_id: one for one in document.observations}
    for number, item in enumerate(items):
        assert found[f"post:{number}"].text == f"{word} {number}"
        (span,) = found[f"post:{number}"].evidence
        plain = name.removesuffix("-sig")
        plain = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(plain, plain)
        assert body[span.start : span.end].decode(plain) == item


@pytest.mark.parametrize("name", ["zip", "idna", "unicode_escape", "utf-7", "rot13", "no-such", "utf-16"])
def test_an_encoding_that_is_none_is_not_believed(name):
    body = f'<?xml version="1.0" encoding="{name}"?>' + rss("<item><guid>1</guid><title>é</title></item>")
    assert the_post(read(body, charset=name)).text == "é"


def test_the_server_outranks_the_document_about_the_encoding():
    body = (
        '<?xml version="1.0" encoding="utf-8"?>' + rss("<item><guid>1</guid><title>é</title></item>")
    ).encode("cp1251", "replace")
    body = body.replace(b"?</title>", b"\xf3</title>")
    assert the_post(read(body, charset="windows-1251")).text == "у"


# --- identity, dates, addresses ---------------------------------------------------------------------------


def test_an_item_is_known_by_its_id_else_its_link_else_a_digest():
    ids = read(
        rss(
            "<item><guid isPermaLink='false'>a-1</guid><link>https://x.example/1</link></item>"
            "<item><link>https://x.example/2</link><title>t</title></item>"
            "<item><title>Only a title</title></item><item><title>Another</title></item>"
        )
    ).ids
    assert sorted(ids)[:2] == ["post:a-1", "post:https://x.example/2"]
    assert len({one for one in ids if one.startswith("post:sha256:")}) == 2


def test_items_without_an_id_that_share_a_link_are_items_of_their_own(world, http):
    """A list of alerts whose every item leads to the list."""

    def shows(*titles: str) -> None:
        items = [
            f"<item><title>{one}</title><link>https://town.example/alerts</link></item>" for one in titles
        ]
        world.other["/feed"] = (200, {"Content-Type": "application/rss+xml"}, rss("".join(items)).encode())

    visit = Visit(world, http, comments="no")
    shows("Water", "Roads")
    first = visit.night()
    assert [one.text for one in seen(first).values() if one.kind is Kind.POST] == ["Roads", "Water"]
    assert not gaps(first)
    shows("Water")
    assert set(posts(visit.night())) < set(posts(first)), "alone in the window it is what it was"
    shows("Bridge", "Water")
    assert len(set(posts(first)) | set(posts(visit.night()))) == 3


def test_an_item_whose_id_changes_at_every_look_is_one_item_and_its_edits_are_its_own(world, http):
    visit, number = Visit(world, http, comments="no", complete="yes"), iter(range(9))

    def shows(*items: tuple[str, str, str]) -> list[Batch]:
        told = [
            f"<item><guid isPermaLink='false'>{ids or next(number)}</guid><title>{title}</title>"
            f"<pubDate>Sun, 01 Mar 2026 08:00:00 GMT</pubDate><description>{words}</description></item>"
            for ids, title, words in items
        ]
        world.other["/feed"] = (200, {"Content-Type": "application/rss+xml"}, rss("".join(told)).encode())
        return visit.night()

    first = shows(("", "Water", "Boil it."), ("", "Roads", "Closed."))
    second = shows(("", "Water", "Boil it until noon."), ("", "Roads", "Closed."))
    assert set(posts(second)) == set(posts(first))
    assert "Water\n\nBoil it until noon." in {one.text for one in seen(second).values()}
    assert not gaps(second)
    assert set(posts(shows(("", "Water", "Boil it."), ("", "Roads", "Open.")))) == set(posts(first))
    kept = {one.text: name for name, one in seen(first).items()}["Water\n\nBoil it."]
    both = posts(shows((kept.removeprefix("post:"), "Water", "Boil it."), ("another", "Water", "Again.")))
    assert set(both) == {kept, "post:another"}, (
        "where the id of before is shown too, the other is another item"
    )


def test_an_item_that_moves_to_another_address_is_another_item_where_its_address_is_its_id(world, http):
    visit = Visit(world, http, comments="no", complete="yes")
    found = []
    for slug in ("water", "water-works"):
        item = (
            f"<item><guid>https://town.example/{slug}</guid><link>https://town.example/{slug}</link><title>Water</title>"
            "<pubDate>Sun, 01 Mar 2026 08:00:00 GMT</pubDate></item>"
        )
        world.other["/feed"] = (200, {"Content-Type": "application/rss+xml"}, rss(item).encode())
        found.append(set(posts(visit.night())))
    assert found == [{"post:https://town.example/water"}, {"post:https://town.example/water-works"}]


def test_an_item_without_an_id_is_not_known_by_the_link_of_the_whole_page():
    page = "<link>https://town.example/</link>"
    items = "<item><title>{0}</title><link>https://town.example</link></item>"
    one, other = (read(rss(page + items.format(title))) for title in ("Water", "Roads"))
    assert set(one.ids).isdisjoint(other.ids)
    own = "<item><title>{0}</title><link>https://town.example/7</link></item>"
    first, again = (read(rss(page + own.format(title))) for title in ("Water", "Water again"))
    assert first.ids == again.ids == ["post:https://town.example/7"]


def test_what_an_entry_keeps_elsewhere_is_a_file_of_it():
    (file,) = the_post(
        read(
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://base.example/x/"><entry><id>7</id>'
            '<title>Order 7</title><content src="order.pdf" type="application/pdf"/></entry></feed>'
        )
    ).attachments
    assert (file.url, file.media_type) == ("https://base.example/x/order.pdf", "application/pdf")


def test_a_relative_id_stays_what_it_is_and_a_relative_link_is_resolved():
    post = the_post(
        read(
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://base.example/blog/"><entry>'
            '<id>7</id><link href="seven.html"/><title>x</title></entry></feed>'
        )
    )
    assert (post.native_id, post.url) == ("post:7", "https://base.example/blog/seven.html")


def test_an_id_given_twice_is_one_item_in_its_latest_state_with_the_bytes_of_both():
    entry = "<entry><id>1</id><title>{0}</title><updated>2026-03-0{1}T00:00:00Z</updated></entry>"
    document = read(
        f'<feed xmlns="http://www.w3.org/2005/Atom">{entry.format("old", 1)}{entry.format("new", 2)}</feed>'
    )
    assert the_post(document).text == "new"
    assert len(the_post(document).evidence) == 2
    assert document.gaps[0].native_id == "post:1"
    assert document.certain


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Sun, 01 Mar 2026 08:00:00 GMT", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 08:00:00 -0900", datetime(2026, 3, 1, 17, tzinfo=UTC)),
        ("2026-03-01T08:00:00.5+01:00", datetime(2026, 3, 1, 7, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:00:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("20260301", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-W09-7", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-060", datetime(2026, 3, 1, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 08:00:00 AKST", datetime(2026, 3, 1, 17, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 08:00:00 HST", datetime(2026, 3, 1, 18, tzinfo=UTC)),
        ("Sun, 05 Jul 2026 08:00:00 CEST", datetime(2026, 7, 5, 6, tzinfo=UTC)),
        ("Sun, 05 Jul 2026 08:00:00 BST", datetime(2026, 7, 5, 7, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 08:00:00 EST", datetime(2026, 3, 1, 13, tzinfo=UTC)),
        ("2026-03-01T24:00:00Z", datetime(2026, 3, 2, tzinfo=UTC)),
        ("2026-03-01T25:00:00Z", None),
        ("2026-03-01T08:61:00Z", None),
        ("2026-366", None),
        ("1772352000", None),
        ("1772352000000", None),
        ("soon", None),
        ("9999-99-99", None),
        ("1" * 5000, None),
    ],
)
def test_a_date_is_a_moment_in_utc_or_nothing(written, meant):
    assert moment(written) == meant


def test_a_date_that_nobody_can_read_is_kept_as_it_is_written():
    post = the_post(read(rss("<item><guid>1</guid><pubDate>Thirtieth of Fooember</pubDate></item>")))
    assert post.published_at is None
    assert post.extra["date_text"] == "Thirtieth of Fooember"


def test_words_that_look_misread_are_not_corrected():
    assert the_post(read(rss("<item><guid>1</guid><title>Ã© Â£5</title></item>"))).text == "Ã© Â£5"


def test_html_is_kept_as_published_and_its_words_are_read_without_scripts():
    html = '<p onclick="x()">Hello <a href="/here">there</a></p><script>alert(1)</script>'
    post = the_post(read(rss(f"<item><guid>1</guid><description><![CDATA[{html}]]></description></item>")))
    assert (post.html, post.text) == (html, "Hello there")


def test_an_item_inside_somebodys_words_is_no_item_of_the_feed():
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>x</title><content type="xhtml">'
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>see</p><entry>not one</entry></div></content></entry></feed>'
    )
    document = read(body)
    assert document.ids == ["post:1"]
    assert "muniment" not in (the_post(document).html or "")
    assert "<entry>not one</entry>" in (the_post(document).html or "")


def _feed_of(*items: object, **more: object) -> str:
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": items, **more}
    )


def _well(name: str) -> dict[str, object]:
    return {"id": name, "title": f"Notice {name}", "date_published": f"2024-01-0{name}T08:00:00Z"}


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        (None, None),
        ({"strange": [[]]}, None),
        ({"id": None, "title": None}, None),
        ({"id": [["2"]], "title": "Notice 2"}, None),
        ({"id": "2", "title": [["Notice 2"]]}, "post:2"),
        ({"id": 2, "content_text": {"text": "Notice 2"}}, "post:2"),
    ],
)
def test_an_item_of_another_shape_is_a_gap_and_empties_no_post_and_those_beside_it_are_read(odd, named):
    document = read(_feed_of(_well("3"), odd, _well("1")))
    assert document.ids == ["post:1", "post:3"]
    assert not document.certain
    (gap,) = document.gaps
    assert (gap.what, gap.native_id) == ("item 2 of the feed", named)
    assert gap.why.endswith(AGAIN)
    assert read(_feed_of(_well("3"), _well("2"), _well("1"))).certain


def test_a_feed_of_which_no_item_can_be_read_is_none():
    assert read(_feed_of(None, None)).ids == []
    with pytest.raises(NotAFeed, match="None of its 3 items can be read"):
        read(_feed_of(None, None, None))


def test_a_number_without_end_costs_the_item_that_bears_it_and_no_other():
    document = read(_feed_of(_well("3"), _well("1")).replace('"id": "1"', f'"id": {"1" * 5000}'))
    assert document.ids == ["post:3"]
    assert not document.certain


def test_a_file_of_another_shape_costs_no_post_and_takes_no_file_away():
    whole = [{"url": "https://town.example/a.gif", "mime_type": "image/gif"}]
    for files, told in (([None, *whole], False), ({"url": "x"}, False), (whole, True), (None, True)):
        document = read(_feed_of({**_well("1"), "attachments": files}))
        assert the_post(document).files_told is told
        assert document.certain


def test_an_item_that_says_nothing_is_no_post_where_others_do():
    document = read(rss("<item><guid>2</guid><title>Two</title></item><item></item><item><guid/></item>"))
    assert document.ids == ["post:2"]
    assert not document.certain
    assert [one.what for one in document.gaps] == ["item 2 of the feed", "item 3 of the feed"]
    assert read(rss("<item><guid>2</guid></item>")).certain


def test_an_item_of_another_shape_is_read_when_it_is_well_again_though_newer_ones_have_come(
    http, monkeypatch
):
    with FeedWorld("json") as world:
        world.window, world.links_older = 2, "next"
        for number in range(4):
            world.publish(f"Notice {number}", "Closed.")
        usual = FeedWorld._json

        def odd(self, shown, older):
            feed = json.loads(usual(self, shown, older))
            feed["items"] = [None if "Notice 1" in str(one) else one for one in feed["items"]]
            return json.dumps(feed).encode()

        monkeypatch.setattr(FeedWorld, "_json", odd)
        visit = Visit(world, http)
        first = visit.night()
        assert len(posts(first)) == 3
        assert [one.native_id for one in gaps(first)] == [None]
        world.publish("Notice 4", "Open.")
        monkeypatch.undo()
        again = visit.night()
        assert len(set(posts(again)) - set(posts(first))) == 2
        assert not gaps(again)
        world.publish("Notice 5", "Open.")
        assert len(set(posts(visit.night()))) == 2, "what was read once is joined"


def test_json_items_with_numbers_for_ids_and_strange_values_are_read():
    feed = {
        "items": [
            {"id": 7, "content_text": "plain", "tags": [1, "a"], "authors": "x"},
            "no object",
            {"title": "t"},
        ]
    }
    document = read(json.dumps(feed))
    assert "post:7" in document.ids
    assert len(document.ids) == 2
    assert not document.certain


@pytest.mark.parametrize(
    "body", ["", "   ", "hello", "<html><body><item/></body></html>", "[1, 2]", "{", "\x00" * 9]
)
def test_what_is_no_feed_is_said_to_be_none(body):
    with pytest.raises(NotAFeed):
        read(body)


@pytest.mark.parametrize(
    ("opening", "media_type", "is_page"),
    [
        ("<!-- made by hand --><rss version='2.0'>", "text/html", False),
        ("<?xml version='1.0'?><!DOCTYPE html><html>", "application/xhtml+xml", True),
        ("<!doctype HTML>", "text/plain", True),
        ('{"items":[]}', "text/html", False),
        ("<p>Down for maintenance", "text/html; charset=utf-8", True),
        ("<?xml version='1.0'?><feed xmlns='x'><title>&lt;html>", "text/html", False),
    ],
)
def test_a_web_page_is_told_from_a_feed_by_its_first_element(opening, media_type, is_page):
    assert discover.looks_like_html(opening.encode(), media_type) is is_page


def test_web_pages_name_their_feeds_relative_to_their_base():
    html = (
        '<base href="https://cdn.example/x/"><link href="a.xml" type="application/atom+xml" rel="alternate">'
        '<link rel="stylesheet" href="b.css"><link rel="ALTERNATE" type="application/feed+json" href="/c.json">'
        '<!-- <link rel="alternate" type="application/rss+xml" href="/hidden"> -->'
    )
    found, _ = discover.named_feeds(html.encode(), None, "https://town.example/")
    assert found == ["https://cdn.example/x/a.xml", "https://cdn.example/c.json"]


# --- properties -------------------------------------------------------------------------------------------

_words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@given(st.lists(_words, min_size=1, max_size=6), st.sampled_from(["utf-8", "utf-16-le", "utf-32-be"]))
def test_items_and_the_rest_joined_are_the_body(titles, name):
    items = "".join(
        f"<item>\n<guid>{number}</guid><title><![CDATA[{title.replace(']]>', '')}]]></title></item>"
        for number, title in enumerate(titles)
    )
    body = rss(items).encode(name)
    document = read(body)
    spans = sorted(
        (one.evidence[0].start, one.evidence[0].end) for one in document.observations if one.kind is Kind.POST
    )
    assert len(spans) == len(titles)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    pieces, at = [], 0
    for start, end in spans:
        pieces += [body[at:start], body[start:end]]
        at = end
        assert body[start:end].decode(name).startswith("<item>")
        assert body[start:end].decode(name).endswith("</item>")
    assert b"".join([*pieces, body[at:]]) == body


@given(
    st.binary(max_size=300),
    st.sampled_from(["<rss><channel><item>", "<feed><entry>", '{"items":[', "<?xml ", ""]),
)
def test_whatever_bytes_come_the_outcome_is_a_document_or_no_feed(noise, opening):
    body = opening.encode() + noise
    try:
        document = read(body)
    except NotAFeed:
        return
    for one in document.observations:
        assert all(0 <= span.start <= span.end <= len(body) for span in one.evidence)


@given(st.lists(st.sampled_from(["<item>", "</item>", "<a>", "</a>", "<![CDATA[", "]]>", "<!--", "-->", "<", ">", "&", "&x;", "'", '"', "w", "<!DOCTYPE x [", "]>", "<content>", "</content>", "<a b='"]), max_size=30))  # fmt: skip
def test_however_tags_are_mixed_items_are_inside_the_body_and_nested_or_apart(pieces):
    body = rss("".join(pieces)).encode()
    try:
        document = read(body)
    except NotAFeed:
        return
    spans = sorted({(span.start, span.end) for one in document.observations for span in one.evidence})
    for first in spans:
        for second in spans:
            apart = first[1] <= second[0] or second[1] <= first[0]
            nested = (first[0] <= second[0] and second[1] <= first[1]) or (
                second[0] <= first[0] and first[1] <= second[1]
            )
            assert apart or nested


@given(st.text(max_size=60))
def test_the_tokens_of_any_text_lie_in_order_and_apart(text):
    pieces = list(markup.tokens(text))
    assert all(first[2] <= second[1] for first, second in pairwise(pieces))
    assert all(0 <= start < end <= len(text) for _, start, end, _ in pieces)


@given(
    st.binary(max_size=120),
    st.sampled_from(["utf-8", "utf-16-le", "shift_jis", "gb18030", "cp1252", "utf-32-be"]),
)
def test_places_found_in_any_bytes_rise_with_the_characters(body, name):
    characters = encoding.Characters(body.decode(name, "replace"), name, 0, "broken")
    found = encoding.byte_offsets(body, characters, range(len(characters.text)))
    assert list(found.values()) == sorted(found.values())
    assert all(0 <= offset <= len(body) for offset in found.values())


@pytest.mark.parametrize(
    "body",
    [
        "<rss><channel>" + "<!--" * 40_000,
        "<rss><channel>" + "<![CDATA[" * 40_000,
        "\n" * 200_000 + "<rss/>",
        "<rss><channel>" + '<a "' * 40_000,
        "<rss><channel>" + "<a>" * 8_000 + "</b>" * 8_000,
        rss("<item><author>" + "a" * 200_000 + "</author></item>"),
        rss("<item>" + "".join(f"<category>{number}</category>" for number in range(8_000)) + "</item>"),
        rss('<a xml:base="x/">' * 3_000 + "</a>" * 3_000),
        "<!DOCTYPE x [" + '<!ENTITY a "' * 40_000,
    ],
    ids=range(9),
)
def test_no_document_holds_the_night_up(body):
    began = process_time()
    with suppress(NotAFeed):
        read(body)
    assert process_time() - began < 20  # a second or two; with their square it would be many minutes

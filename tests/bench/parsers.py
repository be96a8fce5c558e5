"""What it takes to read an answer, connector by connector: the bytes of one page into observations with their places.

    python tests/bench/parsers.py FEEDS

Each case is an answer as the platform's world of the tests gives it, of about
as many items as the platform shows at once, read by the connector's own parser.
Beside it, in the same run, stands the floor: somebody else's parser over the
same bytes, which makes nothing of them. That is msgspec for JSON, expat (by
defusedxml) for feeds, and html.parser for what pages show in their markup. Both
are taken at the best of several rounds, by the time of the process.

A comment may take 500 us on its whole way into the archive, and reading it a
fifth of that. Where what people wrote has to be read out of HTML, the time goes
with the length of the HTML: there it may be four times html.parser's. A feed may
take twice what feedparser takes, which does most of its reading: FEEDS holds real feeds of many makers, which are looked for beside the
checkout and never copied into it.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from time import process_time
from typing import Any, cast
from urllib.parse import urlencode

import feedparser
import msgspec
from defusedxml.ElementTree import fromstring

from connectors import graph, pieces, spans
from connectors.bluesky import parse as bluesky
from connectors.contract import Client, Exchange, Observation, Page, Span
from connectors.facebook import parse as facebook
from connectors.facebook import shapes as facebook_shapes
from connectors.feed import discover, reading
from connectors.feed.parse import NotAFeed, Where
from connectors.flickr import parse as flickr
from connectors.flickr import reading as flickr_reading
from connectors.instagram import parse as instagram
from connectors.instagram import shapes as instagram_shapes
from connectors.linkedin import LinkedIn
from connectors.linkedin import parse as linkedin
from connectors.linkedin import reading as linkedin_reading
from connectors.linkedin.shapes import Comment as LinkedInComment
from connectors.mastodon import parse as mastodon
from connectors.mediawiki import parse as mediawiki
from connectors.nextdoor import parse as nextdoor
from connectors.nextdoor import reading as nextdoor_reading
from connectors.nixle import rss
from connectors.pinterest import parse as pinterest
from connectors.pinterest.shapes import Account, Pin
from connectors.reddit import parse as reddit
from connectors.reddit import reading as reddit_reading
from connectors.snapchat import parse as snapchat
from connectors.snapchat import reading as snapchat_reading
from connectors.threads import parse as threads
from connectors.threads import shapes as threads_shapes
from connectors.tiktok import parse as tiktok
from connectors.tiktok import reading as tiktok_reading
from connectors.tiktok import shapes as tiktok_shapes
from connectors.webpage import reading as webpage
from connectors.wordpress import parse as wordpress
from connectors.x import parse as x
from connectors.x import shapes as x_shapes
from connectors.youtube import parse as youtube
from connectors.youtube import reading as youtube_reading
from connectors.youtube import shapes as youtube_shapes
from tests.connectors.worlds import (
    facebook_world,
    flickr_world,
    instagram_world,
    linkedin_world,
    mastodon_world,
    nextdoor_world,
    pinterest_world,
    snapchat_world,
    threads_world,
    tiktok_world,
    webpage_world,
    x_world,
    youtube_world,
)
from tests.connectors.worlds.bluesky_world import BlueskyWorld
from tests.connectors.worlds.feed_world import FeedWorld
from tests.connectors.worlds.mediawiki_world import MediaWikiWorld
from tests.connectors.worlds.nixle_world import NixleWorld
from tests.connectors.worlds.reddit_world import RedditWorld
from tests.connectors.worlds.wordpress_world import WordPressWorld

WORDS = "Until when is the bridge by the old mill closed, and where do I go around? "
ITEMS = 2_000
"""So many are read in one round, answer after answer."""
ROUNDS = 7
HTML = "html.parser"
WHEN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """One answer: how many items it must give, how it is read, what stands for the floor, and feedparser where it can."""

    name: str
    items: int
    read: Callable[[], Sized]
    floor: Callable[[], object]
    floor_is: str = "msgspec"
    feedparser: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What an item took, in microseconds."""

    name: str
    items: int
    microseconds: float
    floor: float
    floor_is: str
    feedparser: float | None


def json_case(name: str, items: int, body: bytes, read: Callable[[bytes], Sized]) -> Case:
    return Case(name, items, lambda: read(body), lambda: msgspec.json.decode(body))


def measured(case: Case) -> Taken:
    """The best of the rounds, one beside the other; a reading that loses an item is none."""
    found = len(case.read())
    assert found == case.items, f"{case.name}: {found} items of {case.items}"
    times = max(1, ITEMS // case.items)
    acts = [case.read, case.floor, *([case.feedparser] if case.feedparser else [])]
    rounds = [[_took(act, times) for act in acts] for _ in range(ROUNDS)]
    ours, floor, *peer = (min(took) / (times * case.items) * 1e6 for took in zip(*rounds, strict=True))
    return Taken(case.name, case.items, ours, floor, case.floor_is, peer[0] if peer else None)


def _tokens(html: str) -> None:
    parser = HTMLParser()
    parser.feed(html)
    parser.close()


def _took(act: Callable[[], object], times: int) -> float:
    gc.collect()  # what one leaves behind is not for the other to clear away
    began = process_time()
    for _ in range(times):
        act()
    return process_time() - began


# -- answers in JSON -----------------------------------------------------------------------------------------


def of_bluesky() -> Case:
    with BlueskyWorld() as world:
        agency, jo = world.join("citypd", "City PD"), world.join("jopublic", "Jo Public")
        post = world.post(agency, "Closed.")
        world.post(jo, WORDS, to=post)
        above, (answer,) = world._node(post, 0), world._node(post, 1)["replies"]
    uri = answer["post"]["uri"][:-4]
    below = [
        {**answer, "replies": [], "post": {**answer["post"], "uri": f"{uri}{number:04}"}}
        for number in range(ITEMS)
    ]
    whose = bluesky.Whose(did=agency)

    def read(body: bytes) -> Sized:
        branch = bluesky.thread(body, 0)
        assert isinstance(branch, bluesky.Branch)
        return [bluesky.shown(one.seen, whose) for one in branch.all()]

    body = json.dumps({"thread": {**above, "replies": below}}).encode()
    return json_case("bluesky, a thread", ITEMS + 1, body, read)


def of_facebook() -> Case:
    rows = facebook_world.many_comments(100, WORDS)

    def read(body: bytes) -> Sized:
        found = graph.many(body, 0, facebook_shapes.Comment).items
        return [facebook.comment(one, "9_500", facebook_world.OURS) for one in found]

    body = facebook_world.spoken({"data": rows, "paging": {"cursors": {"after": "A"}}})
    return json_case("facebook, comments", 100, body, read)


def of_flickr() -> Case:
    rows = flickr_world.many_comments(ITEMS, WORDS * 3)

    def read(body: bytes) -> Sized:
        found = flickr_reading.comments(body, 0)
        assert found is not None
        return [flickr.comment(one, "2", flickr_world.OURS, hidden=False) for one in found.items]

    body = flickr_world.written({"comments": {"photo_id": "2", "comment": rows}, "stat": "ok"})
    return json_case("flickr, comments", ITEMS, body, read)


def of_instagram() -> Case:
    rows = [
        {
            "id": f"17900000000000{number}",
            "text": WORDS,
            "timestamp": "2026-03-01T08:00:00+0000",
            "username": "jo.public",
            "from": {"id": "2001", "username": "jo.public"},
            "hidden": False,
            "like_count": 3,
        }
        for number in range(500, 550)
    ]

    def read(body: bytes) -> Sized:
        found = graph.many(body, 0, instagram_shapes.Comment).items
        assert not any(instagram.replies_within(body, one) for one in found)
        return [instagram.comment(one, "9", instagram_world.OURS, instagram_world.NAME) for one in found]

    body = instagram_world.spoken({"data": rows, "paging": {"cursors": {"after": "A"}}})
    return json_case("instagram, comments", 50, body, read)


def of_linkedin() -> Case:
    post, activity = "urn:li:share:7094637247487995904", "urn:li:activity:7094637247890620418"
    ours = linkedin.Ours(str(linkedin_world.NUMBER), "Test Town Police", linkedin_world.VANITY)
    rows = [
        {
            "id": str(number),
            "actor": "urn:li:person:abc",
            "object": activity,
            "commentUrn": f"urn:li:comment:({activity},{number})",
            "created": {"actor": "urn:li:person:abc", "time": 1_775_808_000_000},
            "lastModified": {"time": 1_775_808_000_000},
            "message": {"text": WORDS, "attributes": []},
        }
        for number in range(100)
    ]

    def read(body: bytes) -> Sized:
        found = linkedin_reading.many(body, 0, LinkedInComment).items
        return [linkedin.remark(one, post, post, ours) for one in found]

    return json_case("linkedin, comments", 100, json.dumps({"elements": rows}).encode(), read)


class _Ready:
    """A client whose answers are there already."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers

    def now(self) -> datetime:
        return WHEN

    def get(self, url: str, **_: Any) -> Exchange:
        body = next(one for part, one in self.answers.items() if part in url)
        return Exchange(method="GET", url=url, started_at=WHEN, seconds=0, status=200, body=body)


def of_a_family_on_linkedin() -> Case:
    """A post with its comments, through the whole connector but for the network."""
    with linkedin_world.LinkedInWorld() as world:
        post = world.post("Closed")
        for number in range(100):
            world.say(post, f"+{number} {WORDS}")
        said = {
            "comments?": world._comments(post, {"start": "0", "count": "100"}),
            "posts/": world._post(world.entries[post]),
            "socialMetadata": {"results": {post: world._metadata(post)}},
            "organizations": {"elements": [world._organisation()]},
        }
    answers = {part: json.dumps(one).encode() for part, one in said.items()}
    connector = LinkedIn(cast(Client, _Ready(answers)), dict(linkedin_world.LinkedInWorld.secret))

    def read() -> Sized:
        told = connector.family(Page(address=linkedin_world.ADDRESS), post)
        return {one.native_id for batch in told for one in batch.observations}

    def floor() -> None:
        for body in answers.values():
            msgspec.json.decode(body)

    return Case("linkedin, a family through the connector", 101, read, floor)


def of_mastodon() -> Case:
    with mastodon_world.MastodonWorld(connected=True, small=False) as world:
        root = world.say("Closed")
        for number in range(500):
            world.say(f"{WORDS} {number}", by=f"jo{number % 50}@far.example", to=root)
        body = json.dumps(world._context(world.said[root], mastodon_world.OURS)).encode()

    def read(body: bytes) -> Sized:
        above, below = mastodon.context(body, 0)
        return [mastodon.status(one, mastodon_world.OURS) for one in (*above.items, *below.items)]

    return json_case("mastodon, a thread", 500, body, read)


def of_mediawiki() -> Case:
    with MediaWikiWorld() as world:
        for number in range(50):
            world.write("Road closure", f"{WORDS * 20}\n\n== News ==\n{number}", comment="closed longer")
        (sheet,) = world.sheets.values()
        asked = {"revids": "|".join(str(one.revid) for one in sheet.revisions)}
        body = json.dumps(world._words(asked, ("read",))).encode()
    standing = mediawiki.Standing(sheet.number, sheet.title, WHEN, None, "https://wiki.example/?oldid=")

    def read(body: bytes) -> Sized:
        found = mediawiki.elements(body, "query", "pages", 0, "revisions")
        told = [
            mediawiki.revision(mediawiki.one(raw, mediawiki.Revision), standing, (), (Span(0, start, end),))
            for start, end, raw in found
        ]
        return [one for one in told if one is not None]

    return json_case("mediawiki, revisions with their text", 50, body, read)


def of_nextdoor() -> Case:
    agency = nextdoor.Known(nextdoor_world.OURS, nextdoor_world.NAME)
    comments = nextdoor_world.many_comments(ITEMS, WORDS * 3)
    told = {"id": "1", "body": "Bridge.", "comments": comments, "comment_count": ITEMS}

    def read(body: bytes) -> Sized:
        (one,) = nextdoor_reading.posts(nextdoor_reading.Answer(body, 0)).items
        below = nextdoor.answers(one, agency)
        assert below.whole
        return [nextdoor.post(one.post, agency, below), *below.observed]

    return json_case(
        "nextdoor, a post with comments", ITEMS + 1, json.dumps({"posts": [told]}).encode(), read
    )


def of_pinterest() -> Case:
    ours = Account(username=pinterest_world.NAME, number=pinterest_world.NUMBER)
    rows = [
        {
            "id": str(number),
            "title": "Bridge closed",
            "description": WORDS,
            "created_at": "2026-03-01T08:00:00",
            "media": pinterest_world.PinterestWorld.picture("a"),
            "pin_metrics": {"all_time": {"comment": 1}},
        }
        for number in range(250)
    ]

    def read(body: bytes) -> Sized:
        at = spans.member(body, spans.document(body), "items")
        assert at is not None
        return [pinterest.pin(one, ours, ()) for one in pieces.listed(body, at, 0, Pin)]

    return json_case("pinterest, pins", 250, json.dumps({"items": rows, "bookmark": None}).encode(), read)


def of_reddit() -> Case:
    with RedditWorld() as world:
        film = world.submit("Closed")
        for _ in range(100):
            name = film
            for _ in range(8):
                name = world.say(name, WORDS * 3)
        world.shown_at_once, world.deep = 1_000, 10
        body = json.dumps(world._tree(film, {}, moderator=True)).encode()

    def read(body: bytes) -> Sized:
        _, below = reddit_reading.tree(body, 0)
        return [reddit.told(one, frozenset()) for one in below.items]

    return json_case("reddit, a tree eight deep", 800, body, read)


def of_threads() -> Case:
    rows = [
        {
            "id": f"17900000000000{number}",
            "text": WORDS,
            "timestamp": "2026-03-01T08:00:00+0000",
            "username": "jo.public",
            "media_type": "TEXT_POST",
            "permalink": f"https://www.threads.com/@jo.public/post/D{number}",
            "root_post": {"id": "17900000000000400"},
            "replied_to": {"id": "17900000000000400"},
            "is_reply_owned_by_me": False,
            "hide_status": "NOT_HUSHED",
            "has_replies": False,
        }
        for number in range(500, 600)
    ]

    def read(body: bytes) -> Sized:
        found = graph.many(body, 0, threads_shapes.Media).items
        return [threads.media(one, threads_world.OURS, threads_world.NAME, below="9") for one in found]

    body = instagram_world.spoken({"data": rows, "paging": {"cursors": {"after": "A"}}})
    return json_case("threads, answers", 100, body, read)


def of_tiktok() -> Case:
    rows = tiktok_world.many_comments(100, WORDS)

    def read(body: bytes) -> Sized:
        found = tiktok_reading.many(body, 0, tiktok_shapes.Comment, "comments").items
        return tiktok.once(tiktok.comment(one, "73") for one in found)

    body = json.dumps({"code": 0, "data": {"comments": rows, "has_more": False}}).encode()
    return json_case("tiktok, comments", 100, body, read)


def of_wordpress() -> Iterator[Case]:
    with WordPressWorld() as world:
        for number in range(100):
            world.publish(
                f"Road {number}", f'<p>{WORDS}</p>\n<p><a href="/map/">Where</a> &amp; when</p>' * 5
            )
            world.comment(1, f"<p>{WORDS} &amp; <em>when</em></p>")
        posts, comments = (
            world.answer(f"/wp-json/wp/v2/{name}?per_page=100", None)[2] for name in ("posts", "comments")
        )

    def of_comments(body: bytes) -> Sized:
        return [wordpress.comment(one) for one in wordpress.many(body, 0, wordpress.Comment)]

    def of_posts() -> Sized:
        return [wordpress.post(one, {}, {}) for one in wordpress.many(posts, 0, wordpress.Post)]

    def tokens() -> None:
        for one in msgspec.json.decode(posts):
            _tokens(one["content"]["rendered"])

    yield json_case("wordpress, comments", 100, comments, of_comments)
    yield Case("wordpress, posts with their HTML", 100, of_posts, tokens, HTML)


def of_x() -> Case:
    with x_world.XWorld() as world:
        post = world.say("Bridge closed")
        for number in range(100):
            by = x_world.JO if number % 2 else x_world.AL
            world.say(f"@{x_world.HANDLE} number {number} {WORDS} https://t.co/x", by=by, to=post)
        asked = urlencode({**x_shapes.POSTS_ASKED, "max_results": "100"})
        target = f"/2/users/{x_world.OURS}/mentions?{asked}"
        body = world.answer(target, f"Bearer {x_world.XWorld.app_token}")[2]

    def read(body: bytes) -> Sized:
        return x.Reader(x.answer(body, 0, x_shapes.Post), x_world.OURS).observed()

    return json_case("x, mentions", 100, body, read)


def of_youtube() -> Case:
    with youtube_world.YouTubeWorld() as world:
        film = world.upload("Closed")
        for number in range(100):
            world.say(film, f"{WORDS} {number} & more\nThanks")
        query = {"part": "snippet", "videoId": film, "maxResults": "100"}
        body = json.dumps(world._threads(query, owner=False)).encode()

    def read(body: bytes) -> Sized:
        found = youtube_reading.many(body, 0, youtube_shapes.Thread, "commentThreadListResponse").items
        return [youtube.thread(one, youtube_world.OURS) for one in found]

    return json_case("youtube, comments", 100, body, read)


# -- pages ---------------------------------------------------------------------------------------------------


def of_snapchat() -> Case:
    """A profile; the floor has its data found already."""
    with snapchat_world.SnapchatWorld() as world:
        for number in range(41):
            world.tell(words=f"{WORDS} {number}")
        for number in range(35):
            world.save(f"Saved {number}", world.snap(), world.snap())
        for number in range(23):
            world.shine(f"Bright {number}", WORDS)
        body = world.answer(f"/@{world.username}", {})[2]
    start, end = snapchat_reading.data(body)
    data = body[start:end]

    def read() -> Sized:
        shown = snapchat_reading.profile(body, 0)
        author = snapchat.author(shown)
        return [
            snapchat.profile(shown),
            *(snapchat.snap(one, author) for one in shown.story),
            *(snapchat.saved(one, author) for one in shown.saved),
            *(snapchat.spotlight(one, author) for one in shown.spotlights if one.told is not None),
        ]

    return Case("snapchat, a profile", 100, read, lambda: msgspec.json.decode(data))


def of_webpage() -> Iterator[Case]:
    """Comments on an agency's own site: in a script beside the page, and in its markup."""
    remarks = [webpage_world.Remark(f"c{number}", "Jo Public", f"{WORDS} {number}") for number in range(500)]
    with webpage_world.TownSite() as site:
        address = f"{site.base}/news/"
        linked, shown = (
            site._html("/news/", webpage_world.Sheet("News", f"<p>{WORDS}</p>", remarks, microdata=microdata))
            for microdata in (False, True)
        )
    script = re.search(rb"<script type='application/ld\+json'>(.*?)</script>", linked)
    assert script is not None
    data = script.group(1)

    def reads(body: bytes) -> Callable[[], Sized]:
        return lambda: webpage.read(body, "text/html; charset=utf-8", address).remarks

    yield Case("web page, comments in a script", 500, reads(linked), lambda: msgspec.json.decode(data))
    yield Case("web page, comments in its markup", 500, reads(shown), lambda: _tokens(shown.decode()), HTML)


# -- feeds ---------------------------------------------------------------------------------------------------


def of_feeds() -> Iterator[Case]:
    for form, name in (("rss", "feed, RSS"), ("atom", "feed, Atom"), ("json", "feed, JSON")):
        with FeedWorld(form) as world:
            for number in range(100):
                world.publish(f"Road {number}", f"<p>{WORDS}</p><p>{number} &amp; more</p>", tags=["Roads"])
            yield _feed(name, world.document(list(world.posts.values())), world.feed)


def _feed(name: str, body: bytes, address: str) -> Case:
    """The items and how the feed introduces itself."""

    def read() -> Sized:
        return reading.read(body, Where(address=address)).observations

    if body.startswith(b"{"):
        return Case(name, 101, read, lambda: msgspec.json.decode(body))
    return Case(name, 101, read, lambda: fromstring(body), "expat", lambda: feedparser.parse(body))


def of_nixle() -> Case:
    with NixleWorld("feed", window=100) as world:
        world.mails = False
        for number in range(100):
            world.issue(f"Advisory Message: road {number}", f"<p>{WORDS}</p><p>{WORDS}</p>")
        body, hosts = world.feed(), world.hosts

    def read() -> Sized:
        return [one.reading(one.number or "") for one in rss.read(body, hosts).items]

    return Case("nixle, its feed", 100, read, lambda: fromstring(body), "expat")


def real_feeds(folder: Path) -> dict[str, Any] | None:
    """Every real feed once, ours and feedparser's, in seconds; None where there are none."""
    found = sorted(folder.rglob("*.xml")) + sorted(folder.rglob("*.json"))
    if not found:
        return None
    bodies = [path.read_bytes() for path in found]
    return {
        "documents": len(bodies),
        "bytes": sum(map(len, bodies)),
        "observations": sum(len(_read_real(body)) for body in bodies),
        "seconds": min(_took(lambda: [_read_real(body) for body in bodies], 1) for _ in range(2)),
        "feedparser": min(_took(lambda: [feedparser.parse(body) for body in bodies], 1) for _ in range(2)),
    }


def _read_real(body: bytes) -> Sequence[Observation]:
    """As the connector would: by the type that the feed's maker says it is served with."""
    header = re.search(rb"^ *Header: *Content-type: *([^\r\n]*)", body[:2000], re.IGNORECASE | re.MULTILINE)
    charset = discover.charset(header.group(1).decode("latin-1")) if header else None
    try:
        return reading.read(body, Where(address="http://example.com/feed", charset=charset)).observations
    except NotAFeed:
        return ()


def cases() -> Iterator[Case]:
    for one in (
        of_bluesky,
        of_facebook,
        of_flickr,
        of_instagram,
        of_linkedin,
        of_a_family_on_linkedin,
        of_mastodon,
        of_mediawiki,
        of_nextdoor,
        of_nixle,
        of_pinterest,
        of_reddit,
        of_snapchat,
        of_threads,
        of_tiktok,
        of_x,
        of_youtube,
    ):
        yield one()
    for several in (of_feeds, of_webpage, of_wordpress):
        yield from several()


if __name__ == "__main__":
    read = sorted((measured(case) for case in cases()), key=lambda one: one.name)
    print(json.dumps({"parsers": [asdict(one) for one in read], "feeds": real_feeds(Path(sys.argv[1]))}))

"""A small site on loopback that publishes its posts as RSS, Atom or JSON Feed, and comments on them too.

It shows a window of the newest items, pages older ones as WordPress does or
links them as RFC 5005 says, answers conditional requests, and serves any other
bytes at any address at will.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from connectors.contract import Page
from tests.connectors.worlds.loopback import Loopback, Talk

Answer = tuple[int, dict[str, str], bytes]
TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "rss1": "application/rdf+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" '
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0" '
    'xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns:fh="http://purl.org/syndication/history/1.0"'
)


@dataclass
class Remark:
    id: str
    content: str
    date: datetime
    author: str = "Jo Public"
    answers: str = ""


@dataclass
class Post:
    id: str
    title: str
    content: str
    date: datetime
    updated: datetime
    author: str = "Press Office"
    tags: list[str] = field(default_factory=list)
    enclosure: str = ""
    slug: str = ""
    comments: list[Remark] = field(default_factory=list)


class FeedWorld(Loopback):
    """One site. Use it as a context: the server ends with it."""

    def __init__(self, form: str = "rss") -> None:
        self.form = form
        self.title, self.subtitle = "Test Town & Valley", "News from the hall"
        self.posts: dict[str, Post] = {}
        self.gone: dict[str, datetime] = {}
        self.window = 10
        self.names_comments = True
        self.links_older: str | None = None
        """None, or the relation under which older documents are linked: "next" or "prev-archive"."""
        self.pages_older = False
        self.says_complete = False
        self.remembers_readers = True
        """Whether conditional requests are answered with 304."""
        self.content_types = dict(TYPES)
        self.other: dict[str, Answer] = {}
        """What is answered at other addresses, by path."""
        self.trouble: Callable[[str], Answer | None] | None = None
        """Asked first, with the path and query; what it answers is sent instead."""
        self.patience = 0
        """How many answers go well before trouble begins."""
        self.cutting = False
        """Whether every answer breaks off in its midst."""
        self.circles = False
        """Whether every document names the same next one."""
        self.uncounted = 0
        """How many more comments the feed counts than it shows."""
        self.before: Callable[[str], None] | None = None
        """Called before each answer: the site changes while it is read."""
        self.asked: list[str] = []
        self.statuses: list[int] = []
        self._now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self._numbers = 0

    # --- what happens on the site -------------------------------------------------------------------------

    def tick(self, minutes: int = 1) -> datetime:
        self._now += timedelta(minutes=minutes)
        return self._now

    def publish(self, title: str, content: str, **more: object) -> str:
        """Publish a post and answer its id."""
        now, self._numbers = self.tick(), self._numbers + 1
        number = (
            f"{self.address}/?p={self._numbers}"
            if self.form == "rss"
            else f"tag:town.example,{self._numbers}"
        )
        self.posts[number] = Post(number, title, content, now, now, **more)  # type: ignore[arg-type]  # a test names the fields
        return number

    def edit(self, number: str, content: str) -> object:
        self.posts[number].content = content
        self.posts[number].updated = self.tick()
        return None

    def comment(self, number: str, content: str, answers: str = "") -> str:
        post = self.posts[number]
        remark = Remark(f"{number}#comment-{len(post.comments) + 1}", content, self.tick(), answers=answers)
        post.comments.append(remark)
        return remark.id

    def remove(self, number: str, *, says_so: bool = False) -> object:
        del self.posts[number]
        if says_so:
            self.gone[number] = self.tick()
        return None

    @property
    def troubled(self) -> bool:
        return self.patience < 0

    # --- the server ---------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                status, headers, body = world.answer(self.path, dict(self.headers.items()))
                self.say(status, headers, body, cut=world.cutting and world.troubled)

        return Handler

    @property
    def feed(self) -> str:
        return f"{self.address}/feed"

    def answer(self, target: str, headers: dict[str, str]) -> Answer:
        self.asked.append(target)
        self.patience -= 1
        if self.before is not None:
            self.before(target)
        answered = (self.trouble(target) if self.trouble and self.troubled else None) or self._answer(target)
        status, given, body = answered
        if status == 200 and self.remembers_readers:
            etag = '"' + hashlib.sha256(body).hexdigest()[:20] + '"'
            given = given | {"ETag": etag}
            if headers.get("If-None-Match") == etag:
                status, body = 304, b""
        self.statuses.append(status)
        return status, given, body

    def _answer(self, target: str) -> Answer:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        if parts.path in self.other:
            return self.other[parts.path]
        if parts.path.startswith("/files/"):
            return 200, {"Content-Type": "audio/mpeg"}, b"a sound"
        posts = sorted(self.posts.values(), key=lambda post: post.date, reverse=True)
        if parts.path == "/feed":
            number = int(query.get("paged", query.get("part", "1")))
            shown = posts[(number - 1) * self.window : number * self.window]
            if number > 1 and not shown:
                return 404, {"Content-Type": "text/html"}, b"<html>Nothing here</html>"
            older = f"{self.feed}?part={number + 1}" if len(posts) > number * self.window else ""
            if self.circles:
                older = f"{self.feed}?part=2"
            return self._served(self.document(shown, older if self.links_older else ""))
        if parts.path == "/comments":
            post = self.posts.get(query.get("of", ""))
            if post is not None:
                return self._served(self.comments(post))
        return 404, {"Content-Type": "text/html"}, b"<html>Nothing here</html>"

    def _served(self, body: bytes) -> Answer:
        return 200, {"Content-Type": self.content_types[self.form]}, body

    # --- the documents ------------------------------------------------------------------------------------

    def document(self, posts: list[Post], older: str = "") -> bytes:
        form = {"rss": self._rss, "rss1": self._rss1, "atom": self._atom, "json": self._json}[self.form]
        return form(posts, older)

    def comments(self, post: Post) -> bytes:
        """The comments on one post, newest first: in Atom where the posts are, in RSS otherwise."""
        entries = []
        for remark in reversed(post.comments):
            ref = remark.answers or post.id
            answers = (
                f'<thr:in-reply-to ref="{escape(ref)}"/>' if self.form == "atom" or remark.answers else ""
            )
            if self.form == "atom":
                entries.append(
                    f"<entry><id>{escape(remark.id)}</id><title>By: {escape(remark.author)}</title>"
                    f"<author><name>{escape(remark.author)}</name></author>"
                    f"<published>{_iso(remark.date)}</published><updated>{_iso(remark.date)}</updated>"
                    f'<content type="html">{escape(remark.content)}</content>{answers}</entry>'
                )
            else:
                entries.append(
                    f'<item><guid isPermaLink="false">{escape(remark.id)}</guid><title>By: {escape(remark.author)}</title>'
                    f"<dc:creator>{escape(remark.author)}</dc:creator><pubDate>{format_datetime(remark.date)}</pubDate>"
                    f"<content:encoded><![CDATA[{remark.content}]]></content:encoded>{answers}</item>"
                )
        if self.form == "atom":
            return f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}><title>Comments</title>{"".join(entries)}</feed>'.encode()
        return f'<rss version="2.0" {NAMESPACES}><channel><title>Comments</title>{"".join(entries)}</channel></rss>'.encode()

    def comments_address(self, post: Post) -> str:
        return str(httpx.URL(f"{self.address}/comments", params={"of": post.id}))

    def _rss(self, posts: list[Post], older: str) -> bytes:
        items = []
        for post in posts:
            named = (
                f"<wfw:commentRss>{escape(self.comments_address(post))}</wfw:commentRss>"
                f"<slash:comments>{len(post.comments) + self.uncounted}</slash:comments>"
            )
            items.append(
                f"<item>\n<title>{escape(post.title)}</title>\n<link>{self.address}/{_slug(post.slug or post.title)}/</link>\n"
                f'<guid isPermaLink="false">{escape(post.id)}</guid>\n<pubDate>{format_datetime(post.date)}</pubDate>\n'
                f"<dc:creator><![CDATA[{post.author}]]></dc:creator>\n"
                + "".join(f"<category><![CDATA[{tag}]]></category>\n" for tag in post.tags)
                + f"<description>{_section(post.content[:20])}</description>\n"
                f"<content:encoded>{_section(post.content)}</content:encoded>\n"
                + (
                    f'<enclosure url="{escape(post.enclosure)}" type="audio/mpeg" length="3"/>\n'
                    if post.enclosure
                    else ""
                )
                + (named if self.names_comments else "")
                + "</item>\n"
            )
        link = f'<atom:link rel="{self.links_older}" href="{escape(older)}"/>' if older else ""
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {NAMESPACES}>\n<channel>\n'
            f"<title>{escape(self.title)}</title>\n<link>{self.address}/</link>\n"
            f"<description>{escape(self.subtitle)}</description>\n{link}{self._of_the_whole()}"
            f"{''.join(items)}</channel>\n</rss>\n"
        ).encode()

    def _of_the_whole(self) -> str:
        """What RSS and Atom say alike of the whole feed: that this is all of it, and what was deleted."""
        complete = "<fh:complete/>" if self.says_complete else ""
        return complete + "".join(
            f'<at:deleted-entry ref="{escape(one)}" when="{_iso(when)}"/>' for one, when in self.gone.items()
        )

    def _rss1(self, posts: list[Post], older: str) -> bytes:
        items = "".join(
            f'<item rdf:about="{escape(post.id)}"><title>{escape(post.title)}</title>'
            f"<link>{self.address}/{_slug(post.slug or post.title)}/</link><dc:date>{_iso(post.date)}</dc:date>"
            f"<description>{escape(post.content)}</description></item>\n"
            for post in posts
        )
        listed = "".join(f'<rdf:li rdf:resource="{escape(post.id)}"/>' for post in posts)
        return (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
            f'{NAMESPACES}><channel rdf:about="{self.address}/"><title>{escape(self.title)}</title>'
            f"<link>{self.address}/</link><description>{escape(self.subtitle)}</description>"
            f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{items}</rdf:RDF>"
        ).encode()

    def _atom(self, posts: list[Post], older: str) -> bytes:
        entries = []
        for post in posts:
            replies = (
                f'<link rel="replies" type="application/atom+xml" href="{escape(self.comments_address(post))}" '
                f'thr:count="{len(post.comments) + self.uncounted}"/>'
            )
            entries.append(
                f'<entry><id>{escape(post.id)}</id><title type="text">{escape(post.title)}</title>'
                f'<link rel="alternate" type="text/html" href="/{_slug(post.slug or post.title)}/"/>'
                + (
                    f'<link rel="enclosure" type="audio/mpeg" href="{escape(post.enclosure)}"/>'
                    if post.enclosure
                    else ""
                )
                + "".join(f'<category term="{escape(tag)}"/>' for tag in post.tags)
                + f"<author><name>{escape(post.author)}</name></author><published>{_iso(post.date)}</published>"
                f'<updated>{_iso(post.updated)}</updated><content type="html">{escape(post.content)}</content>'
                + (replies if self.names_comments else "")
                + "</entry>\n"
            )
        link = f'<link rel="{self.links_older}" href="{escape(older)}"/>' if older else ""
        return (
            f'<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}>\n'
            f"<id>tag:town.example,feed</id><title>{escape(self.title)}</title>"
            f"<subtitle>{escape(self.subtitle)}</subtitle><link href='{self.address}/'/>\n{link}{self._of_the_whole()}"
            f"{''.join(entries)}</feed>"
        ).encode()

    def _json(self, posts: list[Post], older: str) -> bytes:
        items = []
        for post in posts:
            item: dict[str, object] = {
                "id": post.id,
                "url": f"{self.address}/{_slug(post.slug or post.title)}/",
                "title": post.title,
                "content_html": post.content,
                "date_published": _iso(post.date),
                "date_modified": _iso(post.updated),
                "authors": [{"name": post.author}],
                "tags": post.tags,
            }
            if post.enclosure:
                item["attachments"] = [{"url": post.enclosure, "mime_type": "audio/mpeg"}]
            items.append(item)
        feed: dict[str, object] = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.title,
            "description": self.subtitle,
            "home_page_url": f"{self.address}/",
            "items": items,
        }
        return json.dumps(feed | ({"next_url": older} if older else {}), indent=1).encode()


class PromisedFeed(FeedWorld):
    """A world for `ConnectorPromises`: a feed in several parts, with comments where its format has them."""

    def __init__(self, form: str, **options: str) -> None:
        super().__init__(form)
        self.options = options
        self.window, self.links_older = 2, "next"
        self.names_comments = form != "json"

    def __enter__(self) -> Self:
        super().__enter__()
        for number in range(5):
            post = self.publish(f"Notice {number}", f"<p>Words of notice {number}</p>", tags=["News"])
            self.posts[post].enclosure = f"{self.address}/files/{number}.mp3?signed=1"
            if number % 2 and self.names_comments:
                first = self.comment(post, f"On notice {number}")
                self.comment(post, "An answer", answers=first)
        return self

    @property
    def base(self) -> str:
        return self.address

    @property
    def page(self) -> Page:
        return Page(address=self.feed, options=self.options)

    @property
    def secrets(self) -> Mapping[str, str]:
        return {}

    @property
    def client_options(self) -> Mapping[str, object]:
        return {}

    @property
    def cannot(self) -> Mapping[str, str]:
        reasons = {"revoke": "feeds are public: there are no credentials to refuse"}
        return reasons | ({"recount": "JSON Feed counts nothing"} if self.form == "json" else {})

    def shows(self) -> Collection[str]:
        comments = [f"comment:{one.id}" for post in self.posts.values() for one in post.comments]
        return ["profile", *(f"post:{number}" for number in self.posts), *comments]

    def publish(self, title: str = "Storm", content: str = "<p>Stay in</p>", **more: object) -> str:
        number = super().publish(title, content, **more)
        return number if more or title != "Storm" else f"post:{number}"

    def edit(self, number: str = "", content: str = "<p>Other words</p>") -> str:
        newest = number or max(self.posts.values(), key=lambda post: post.date).id
        super().edit(newest, content)
        return f"post:{newest}"

    def remove(self, number: str = "", *, says_so: bool = False) -> str:
        oldest = number or min(self.posts.values(), key=lambda post: post.date).id
        super().remove(oldest, says_so=says_so or "complete" not in self.options)
        return f"post:{oldest}"

    def recount(self) -> None:
        self.uncounted += 3

    def expire(self) -> None:
        for post in self.posts.values():
            post.enclosure += "1"

    def throttle(self, after: int) -> timedelta | None:
        self._begin(after, lambda _: (429, {"Retry-After": "7200"}, b""))
        return timedelta(hours=2)

    def sign_in(self, after: int) -> None:
        page = b"<!DOCTYPE html><html><form action='/sign-in'><input type='password'></form></html>"
        self._begin(after, lambda _: (200, {"Content-Type": "text/html"}, page))

    def cut(self, after: int) -> None:
        self._begin(after, None)
        self.cutting = True

    def fail(self, after: int) -> None:
        self._begin(after, lambda _: (500, {}, b"trouble"))

    def revoke(self, after: int) -> None:
        self._begin(after, lambda _: (401, {}, b"no"))

    def loop(self) -> None:
        self.circles = True

    def recover(self) -> None:
        self.trouble, self.cutting, self.circles, self.patience = None, False, False, 0

    def _begin(self, after: int, trouble: Callable[[str], Answer | None] | None) -> None:
        self.patience, self.trouble = after, trouble


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _section(content: str) -> str:
    return "<![CDATA[" + content.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _slug(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())

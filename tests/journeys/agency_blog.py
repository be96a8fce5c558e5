"""An agency's blog as its history has it: served as a feed on this machine, night by night.

The history is a list of changes, each with the text to which it led. Nights
are made of it so that none changes a post twice: as few as show every change
to whoever looks once a night. The blog lists everything that is published,
and answers a post that was removed with 404.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

TYPES = {"atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostChange:
    """One change of one post: create, edit, delete or restore, and the words after it."""

    blog: str
    slug: str
    place: int
    at: datetime
    what: str
    title: str
    text: str

    @property
    def shown(self) -> str:
        """The words as an archive of the feed should have them: the title, then the text."""
        title, text = " ".join(self.title.split()), self.text.strip()
        return "\n\n".join(part for part in ([title, text] if title != text else [text]) if part)


@dataclass(frozen=True, slots=True)
class Night:
    """The changes between two looks at the blogs, at most one of each post, and when the second look is."""

    at: datetime
    changes: Sequence[PostChange]


def history(file: Path) -> list[PostChange]:
    """The changes that stand in a file of them, oldest first."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    changes = [
        PostChange(
            blog=row["page"],
            slug=row["post_id"].removeprefix(f"{row['page']}/"),
            place=row["seq"],
            at=datetime.fromisoformat(row["at"]),
            what=row["change"],
            title=row["title"] or "",
            text=(row["text"] or "")
            .removeprefix(row["title"] or "")
            .lstrip(),  # the corpus says the title twice
        )
        for row in rows
    ]
    return sorted(changes, key=lambda change: (change.at, change.blog, change.slug, change.place))


def nights(changes: Iterable[PostChange]) -> list[Night]:
    """The fewest nights in which no post changes twice, in the order in which it happened."""
    found: list[Night] = []
    tonight: dict[tuple[str, str], PostChange] = {}

    def end() -> None:
        at = max(change.at for change in tonight.values()) + timedelta(minutes=1)
        if found:
            at = max(at, found[-1].at + timedelta(minutes=1))
        found.append(Night(at, list(tonight.values())))
        tonight.clear()

    for change in changes:
        if (change.blog, change.slug) in tonight:
            end()
        tonight[change.blog, change.slug] = change
    if tonight:
        end()
    return found


class AgencyBlog:
    """One blog, as a feed in Atom or JSON. Use it as a context: the server ends with it."""

    def __init__(self, name: str, form: str) -> None:
        self.name, self.form = name, form
        self.posts: dict[str, PostChange] = {}
        self.published: dict[str, datetime] = {}
        self.statuses: list[int] = []
        self._document = b""

    def turn(self, changes: Iterable[PostChange]) -> None:
        """What happens on the blog until the next look."""
        for change in changes:
            if change.what == "delete":
                del self.posts[change.slug]
            else:
                self.published.setdefault(change.slug, change.at)
                self.posts[change.slug] = change
        self._document = self._atom() if self.form == "atom" else self._json()

    def __enter__(self) -> Self:
        blog = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self) -> None:
                status, headers, body = blog.answer(self.path, self.headers.get("If-None-Match"))
                blog.statuses.append(status)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.turn([])
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def feed(self) -> str:
        return f"{self.address}/feed"

    def native_id(self, slug: str) -> str:
        """What an archive knows a post by: its kind and its address."""
        return f"post:{self._link(slug)}"

    def answer(self, target: str, known: str | None) -> tuple[int, Mapping[str, str], bytes]:
        if target == "/feed":
            body = self._document
            headers = {"Content-Type": TYPES[self.form], "ETag": f'"{hashlib.sha256(body).hexdigest()[:20]}"'}
            return (304, headers, b"") if known == headers["ETag"] else (200, headers, body)
        post = self.posts.get(unquote(target.removeprefix("/")))
        html = {"Content-Type": "text/html; charset=utf-8"}
        if post is None:
            return 404, html, b"<html><title>Page not found</title></html>"
        return 200, html, f"<html><title>{escape(post.title)}</title></html>".encode()

    def _link(self, slug: str) -> str:
        return f"{self.address}/{quote(slug)}"

    def _newest_first(self) -> list[PostChange]:
        return sorted(
            self.posts.values(), key=lambda post: (self.published[post.slug], post.slug), reverse=True
        )

    def _atom(self) -> bytes:
        entries = "".join(
            f"<entry><id>{escape(self._link(post.slug))}</id>"
            f'<title type="text">{escape(post.title)}</title>'
            f'<link rel="alternate" type="text/html" href="{escape(self._link(post.slug))}"/>'
            f"<published>{_iso(self.published[post.slug])}</published><updated>{_iso(post.at)}</updated>"
            f'<content type="text">{escape(post.text)}</content></entry>\n'
            for post in self._newest_first()
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"<id>{self.address}/</id><title>{self.name}</title><link href='{self.address}/'/>\n"
            f"<author><name>{self.name}</name></author>\n{entries}</feed>\n"
        ).encode()

    def _json(self) -> bytes:
        items = [
            {
                "id": self._link(post.slug),
                "url": self._link(post.slug),
                "title": post.title,
                "content_text": post.text,
                "date_published": _iso(self.published[post.slug]),
                "date_modified": _iso(post.at),
            }
            for post in self._newest_first()
        ]
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": self.name, "items": items}
        return json.dumps(feed, ensure_ascii=False).encode()


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

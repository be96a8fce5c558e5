"""The simulated platform: the town's pages on loopback, as they stand on the night that is set.

It is a real server that speaks HTTP on 127.0.0.1 and nowhere else. Setting
`night` moves the story: posts and comments appear, change and go, and what
should go wrong that night goes wrong. Every answer depends on the night and
the request alone, down to its `Date`.

    with SimulatedPlatform() as platform:
        platform.night = 3
        ...ask platform.address("police")...

The story can also stand between its nights (`at`), and go another way than it
is written: visitors say more (`say`), a page fails until it is mended (`fail`,
`mend`), an application password ends and another is given (`revoke`, `issue`).

It is bounded: a number of connections at a time, a time after which a silent
one is closed, a length for what it reads. `close` ends every connection and
every thread.
"""

from __future__ import annotations

import socket
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from app.demo import syndication
from app.demo.answers import Answer, Request, as_html, html_page, unless_known
from app.demo.nouns import Feed, Town
from app.demo.pictures import picture
from app.demo.telling import ToldComment, tale
from app.demo.town import BLOGS, FEEDS, NAME, TITLES, night_of, stands, state
from app.demo.trouble import RETRY_AFTER, TROUBLES, Kind, Trouble, Troublemaker
from app.demo.wordpress import APPLICATION_PASSWORD, WordPress, sign_in_page

HOST = "127.0.0.1"
CONNECTIONS = 32
SILENCE = 30.0
"""Seconds after which a connection that says nothing is closed."""
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a visitor says, and when."""

    at: datetime
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One request that the platform answered, for whoever wants to know what was asked of it."""

    night: int
    method: str
    target: str
    status: int


class SimulatedPlatform:
    """The town's pages, served on loopback from when it is made until it is closed.

    `port` 0 takes any free port. Addresses stand in what the pages say, so a
    demonstration that is to go on another day should ask for the same port.
    """

    def __init__(self, port: int = 0, troubles: Sequence[Trouble] = TROUBLES, *, night: int = 1) -> None:
        self._state: Town = state(night)
        self._tales = {key: tale(key) for key in (*BLOGS, *FEEDS)}
        self._passwords = {APPLICATION_PASSWORD}
        self._troubles = Troublemaker(troubles)
        self.answered: deque[Answered] = deque(maxlen=REMEMBERED)
        self._server = _Server((HOST, port), self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="simulated-platform")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, end every connection, and wait for the threads. Closing twice does no harm."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self._server.server_close()

    @property
    def url(self) -> str:
        """Where the platform stands: `http://127.0.0.1:PORT`."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def night(self) -> int:
        return self._state.night

    @night.setter
    def night(self, night: int) -> None:
        """Move the story to that night; what goes wrong in it starts afresh."""
        self._state = state(night)
        if self._retold:
            self._state = stands(self._tales, self._state.at)
        self._troubles.begin_night()

    @property
    def at(self) -> datetime:
        """When the story stands."""
        return self._state.at

    @at.setter
    def at(self, at: datetime) -> None:
        """Move the story to any moment, also between its nights; a new night begins as it would by `night`."""
        if night_of(at) != self.night:
            self._troubles.begin_night()
        self._state = stands(self._tales, at)

    @property
    def _retold(self) -> bool:
        return any(told is not tale(key) for key, told in self._tales.items())

    def say(self, site: str, slug: str, *said: Said) -> None:
        """Visitors answer a post of a blog, each at a time to come: what was shown keeps its number."""
        told = self._tales[site]
        place = 1 + max(comment.place for item in told.items for comment in item.comments)
        if any(one.at <= self.at for one in said):
            message = f"nobody answers {slug} before now"
            raise ValueError(message)
        more = [
            ToldComment(
                place=place + number, name=one.name, at=one.at, text=one.text, begins="approved", answers=None
            )
            for number, one in enumerate(said)
        ]
        if slug not in [item.slug for item in told.items]:
            raise KeyError(slug)
        items = [
            replace(item, comments=[*item.comments, *more]) if item.slug == slug else item
            for item in told.items
        ]
        self._tales[site] = replace(told, items=items)
        self._state = stands(self._tales, self.at)

    def fail(self, site: str, kind: Kind, path: str = "", *, times: int | None = None) -> None:
        """From now on requests of `site` whose path contains `path` fail, so many times or until it is mended."""
        self._troubles.begin(Trouble(None, site, kind, path, times))

    def mend(self, site: str) -> None:
        """What `fail` began at this site is over."""
        self._troubles.mend(site)

    def revoke(self, password: str = APPLICATION_PASSWORD) -> None:
        """The blogs no longer accept this application password."""
        self._passwords.discard(password)

    def issue(self, password: str) -> None:
        """From now on the blogs accept this application password of the archive's account too."""
        self._passwords.add(password)

    @property
    def town(self) -> Town:
        """What every page shows now."""
        return self._state

    def address(self, key: str) -> str:
        """The address of a page: the blog's own, or that of the feed itself."""
        file = {"notices": "/atom.xml", "council": "/feed.json"}.get(key, "/")
        return f"{self.url}/{key}{file}"

    def trouble(self, request: Request) -> Kind | None:
        """What goes wrong with this request, if anything."""
        site, _, _ = request.path.removeprefix("/").partition("/")
        return self._troubles.next(self.night, site, request.path + request.one("rest_route"))

    def answer(self, request: Request) -> Answer:
        """What the platform says to this request when nothing goes wrong."""
        site, slash, rest = request.path.removeprefix("/").partition("/")
        inner = Request(
            method=request.method, path=f"{slash}{rest}" or "/", query=request.query, headers=request.headers
        )
        home = f"{self.url}/{site}"
        if site in BLOGS:
            return WordPress(self._state.blogs[site], home, self._passwords).answer(inner)
        if site in FEEDS:
            return _feed_site(self._state.feeds[site], home, inner)
        return self._front() if not site else _missing()

    def _front(self) -> Answer:
        names = {key: blog.name for key, blog in self._state.blogs.items()}
        names |= {key: feed.name for key, feed in self._state.feeds.items()}
        pages = "".join(f'<li><a href="/{key}/">{escape(name)}</a></li>\n' for key, name in names.items())
        title = TITLES[self.night - 1]
        return html_page(
            NAME,
            f"<h1>{NAME}</h1>\n<p>A simulated platform for the demonstration. The town is invented.</p>\n"
            f"<p>Night {self.night}: {escape(title)}.</p>\n<ul>\n{pages}</ul>",
        )


def _feed_site(feed: Feed, home: str, request: Request) -> Answer:
    """A feed, its entries as pages of their own, and its files."""
    if request.path == "/atom.xml" and feed.key == "notices":
        return unless_known(
            request, syndication.atom(feed, home), "application/atom+xml; charset=utf-8", feed.updated
        )
    if request.path == "/feed.json" and feed.key == "council":
        number = request.one("page", "1")
        if not (number.isdecimal() and 1 <= int(number) <= -(-len(feed.entries) // syndication.PER_PAGE)):
            return _missing()
        body = syndication.json_feed(feed, home, int(number))
        return unless_known(request, body, "application/feed+json; charset=utf-8", feed.updated)
    return _feed_pages(feed, home, request)


def _feed_pages(feed: Feed, home: str, request: Request) -> Answer:
    slug = request.path.strip("/")
    for entry in feed.entries:
        if slug == entry.slug:
            return html_page(entry.title, f"<h1>{escape(entry.title)}</h1>\n{as_html(entry.text)}")
        if entry.picture and slug == f"files/{entry.picture[0]}":
            return unless_known(request, picture(entry.picture[0]), "image/png", entry.at)
    if slug:
        return _missing()
    file, kind = ("atom.xml", "atom+xml") if feed.key == "notices" else ("feed.json", "feed+json")
    rows = "".join(
        f'<li><a href="{home}/{entry.slug}">{escape(entry.title)}</a></li>' for entry in feed.entries
    )
    return html_page(
        feed.name,
        f'<link rel="alternate" type="application/{kind}" href="{home}/{file}">\n'
        f"<h1>{escape(feed.name)}</h1>\n<p>{escape(feed.tagline)}</p>\n<ul>{rows}</ul>",
    )


def _missing() -> Answer:
    return html_page("Not found", "<h1>Not found</h1>", status=404)


class _Server(ThreadingHTTPServer):
    """One thread a connection, and no more connections than we said."""

    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], platform: SimulatedPlatform) -> None:
        self.platform = platform
        self._room = BoundedSemaphore(CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking who we are: the name of the loopback is nobody's to resolve."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(timeout=1):
            self.shutdown_request(request)
            return
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
            self._room.release()

    def hang_up(self) -> None:
        """End every connection that is still open, so that its thread ends too."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the other side was faster
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A visitor who hangs up is no error of ours; anything else is, and is printed."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads requests, asks the platform, writes its answers."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "HarrowFalls/1", ""
    timeout = SILENCE
    disable_nagle_algorithm = (
        True  # head and body leave in two steps; the second should not wait for the first
    )
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are remembered in `answered`, not printed."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The time of the story: within a night it stands still."""
        del timestamp
        return format_datetime(self.server.platform.town.at, usegmt=True)

    def _serve(self) -> None:
        platform, request = self.server.platform, self._request()
        kind = platform.trouble(request)
        answer = _instead(kind) if kind else None
        if answer is None:
            answer = platform.answer(request)
        platform.answered.append(Answered(platform.night, request.method, self.path, answer.status))
        self._send(answer, cut=kind is Kind.CUT)

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        return Request(
            method=self.command,
            path=unquote(parts.path),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
        )

    def _send(self, answer: Answer, *, cut: bool) -> None:
        """Send the answer; a cut one says its whole length and gives half."""
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        if cut:
            self.close_connection = True


def _instead(kind: Kind) -> Answer | None:
    """What is sent instead of the answer; None where the answer itself goes wrong on its way."""
    match kind:
        case Kind.THROTTLED:
            body = "<h1>Too many requests</h1>\n<p>Slow down, please.</p>"
            return html_page("Slow down", body, status=429, headers=(("Retry-After", str(RETRY_AFTER)),))
        case Kind.DOWN:
            return html_page(
                "Out of service", "<h1>Out of service</h1>\n<p>Back in the morning.</p>", status=503
            )
        case Kind.SIGN_IN:
            return sign_in_page(NAME)
        case Kind.CUT:
            return None

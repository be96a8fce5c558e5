"""A town's web site on loopback, with everything that makes two looks at one page differ without an edit.

Each answer bears a new token, a new nonce, the time and a counter; files bear
parameters against caches. It makes trouble at will: a wall of consent, a notice
with status 200 that there is no page, a form to sign in, throttling, an outage,
cut bodies, a file that is far too large.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from typing import Self
from urllib.parse import urlsplit

from connectors.contract import Page
from tests.connectors.worlds.loopback import Loopback, Talk

Answer = tuple[int, dict[str, str], bytes]
HTML = {"Content-Type": "text/html; charset=utf-8"}
RED, BLUE, GREEN = (200, 30, 40), (20, 60, 200), (10, 150, 60)

SIGN_IN = "<!DOCTYPE html><title>Sign in</title><h1>Sign in</h1><form action='/login'><input type=password name=p></form>"
CONSENT = (
    "<!DOCTYPE html><html><head><title>Before you continue</title></head><body><h1>Before you continue</h1>"
    "<p>We and our 830 partners use cookies to store and access personal data.</p>"
    "<form><button>Accept all</button><button>Reject all</button><a href='/privacy'>Manage preferences</a></form></body></html>"
)
SOFT_404 = "<!DOCTYPE html><title>Page not found | Test Town</title><h1>Sorry, page not found.</h1><p>Try our search.</p>"
PARKED = "<!DOCTYPE html><title>town.example</title><p>This domain is for sale. Buy this domain today.</p>"
CHALLENGE = "<!DOCTYPE html><title>Just a moment...</title><p>Checking your browser.</p>"


@dataclass
class Remark:
    id: str
    author: str
    text: str
    answers: str | None = None
    upvotes: int = 0
    at: str = "2026-05-02T10:00:00+02:00"


@dataclass
class Sheet:
    """One page of the site."""

    title: str
    words: str
    remarks: list[Remark] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=lambda: ["/img/town.png"])
    documents: list[str] = field(default_factory=list)
    microdata: bool = False
    encoding: str = "utf-8"
    says_encoding: bool = True
    modified: str | None = None
    published: str = "2026-05-01T08:00:00Z"


class TownSite(Loopback):
    """The site. Use it as a context: the server ends with it."""

    def __init__(self) -> None:
        self.sheets: dict[str, Sheet] = {}
        self.files: dict[str, tuple[str, bytes]] = {
            "/theme/site.css": (
                "text/css",
                b'@import "print.css"; body{margin:0;background:#0a963c url(bg.png)}',
            ),
            "/theme/print.css": ("text/css", b"@font-face{font-family:T;src:url('/theme/town.woff2')}"),
            "/theme/town.woff2": ("font/woff2", b"not really a font"),
            "/theme/bg.png": ("image/png", png(GREEN, 4, 4)),
            "/img/town.png": ("image/png", png(RED, 300, 200)),
            "/docs/agenda.pdf": ("application/pdf", b"%PDF-1.4 the agenda of May"),
            "/js/site.js": ("text/javascript", b"document.title='scripted'"),
        }
        self.instead: dict[str, Answer] = {}
        """What a path answers in place of what it would."""
        self.validators = False
        self.counts = True
        """Whether a counter and a clock stand in the words of each page."""
        self.signed = 1
        self.rotating: list[str] = []
        """Pictures of which each answer shows the next one."""
        self.trouble: Callable[[str], Answer | None] | None = None
        self.patience = 0
        self.cutting = False
        self.password: str | None = None
        self.asked: list[str] = []
        self.authorized: list[str] = []
        self.compresses: Callable[[bytes], bytes] | None = None
        self._served = 0

    # --- what happens on the site -------------------------------------------------------------------------

    def put(self, path: str, title: str, words: str, **more: object) -> Sheet:
        """Put a page on the site."""
        self.sheets[path] = sheet = Sheet(title, words, **more)  # type: ignore[arg-type] # a test names the fields
        return sheet

    # --- the server ---------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                status, headers, body = world.answer(self.path, dict(self.headers.items()))
                self.say(status, headers, body, cut=world.cutting and world.patience < 0)

        return Handler

    @property
    def base(self) -> str:
        return self.address

    @property
    def host(self) -> str:
        return self.base.removeprefix("http://")

    def name(self, path: str, remark: str = "") -> str:
        """The native id of a page, or of a comment on it."""
        return f"comment:{self.host}{path}#{remark}" if remark else f"page:{self.host}{path}"

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(target)
        self.authorized.append(headers.get("Authorization", ""))
        self.patience -= 1
        path = urlsplit(target).path
        if self.trouble is not None and self.patience < 0:
            told = self.trouble(path)
            if told is not None:
                return told
        if self.password is not None:
            pair = base64.b64encode(f"archivist:{self.password}".encode()).decode()
            if headers.get("Authorization") != f"Basic {pair}":
                return 401, {**HTML, "WWW-Authenticate": 'Basic realm="town"'}, b"<p>401"
        if path in self.instead:
            return self.instead[path]
        if path in self.files:
            return self._file(path, headers)
        if path in self.sheets:
            self._served += 1
            body = self._html(path, self.sheets[path])
            said = HTML if self.sheets[path].says_encoding else {"Content-Type": "text/html"}
            if self.compresses is not None:
                return 200, {**said, "Content-Encoding": "gzip"}, self.compresses(body)
            return 200, said, body
        return 404, HTML, b"<!DOCTYPE html><title>Not found</title><h1>Not found</h1>"

    def _file(self, path: str, headers: Mapping[str, str]) -> Answer:
        media_type, body = self.files[path]
        said = {"Content-Type": media_type}
        if self.validators:
            said["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
            if headers.get("If-None-Match") == said["ETag"]:
                return 304, said, b""
        return 200, said, body

    def _html(self, path: str, sheet: Sheet) -> bytes:
        number, signed = self._served, f"?v={self.signed}"
        counter = (
            f"<p>Page made in 0.{number:03d} s; visitor {1000 + number}; your key is {_token(number)}</p>"
            if self.counts
            else ""
        )
        article: dict[str, object] = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "datePublished": sheet.published,
        }
        if sheet.modified:
            article["dateModified"] = sheet.modified
        shown = ""
        if sheet.remarks and not sheet.microdata:
            article |= {
                "commentCount": len(sheet.remarks),
                "comment": [self._linked(one, sheet) for one in sheet.remarks if not one.answers],
            }
        elif sheet.remarks:
            shown = "".join(self._shown(one, sheet) for one in sheet.remarks if not one.answers)
            shown = f"<section id=comments><span itemprop=commentCount>{len(sheet.remarks)}</span>{shown}</section>"
        html = (
            f"<!DOCTYPE html>\n<!-- {number} -->\n<html lang='en'><head><title>{escape(sheet.title)} | Test Town</title>"
            f"<meta name=csrf content={_token(number)}><link rel=canonical href='{path}'>"
            f"<link rel=stylesheet href='/theme/site.css{signed}'>"
            f"<script nonce={_token(number)} src='/js/site.js?_={number}'></script>"
            f"<script type='application/ld+json'>{json.dumps(article)}</script></head>"
            f"<body class=r{number} data-at={number}><nav><a href='/?sid={_token(number)}'>Home</a></nav>"
            f"<h1>{escape(sheet.title)}</h1>"
            + "".join(
                f"<img style='display:block' src='{one}{signed}' alt='A picture'>"
                for one in [*sheet.pictures, *self.rotating[number % max(len(self.rotating), 1) :][:1]]
            )
            + f"{sheet.words}"
            + "".join(f"<a href='{one}?utm_source=front'>More</a> " for one in sheet.links)
            + "".join(f"<a href='{one}'>A document</a> " for one in sheet.documents)
            + f"<form><input type=hidden name=csrf value={_token(number)}></form>{counter}{shown}</body></html>\n"
        )
        return html.encode(sheet.encoding, "replace")

    def _linked(self, remark: Remark, sheet: Sheet) -> dict[str, object]:
        answers = [self._linked(one, sheet) for one in sheet.remarks if one.answers == remark.id]
        return {
            "@type": "Comment",
            "@id": remark.id,
            "text": escape(remark.text),
            "author": {"@type": "Person", "name": remark.author},
            "dateCreated": remark.at,
            "upvoteCount": remark.upvotes,
            **({"comment": answers} if answers else {}),
        }

    def _shown(self, remark: Remark, sheet: Sheet) -> str:
        answers = "".join(self._shown(one, sheet) for one in sheet.remarks if one.answers == remark.id)
        return (
            f"<article itemprop=comment itemscope itemtype='https://schema.org/Comment' id='{remark.id}'>"
            f"<b itemprop=author itemscope itemtype='https://schema.org/Person'><i itemprop=name>{escape(remark.author)}</i></b>"
            f"<time itemprop=dateCreated datetime='{remark.at}'>2 May</time>"
            f"<div itemprop=text><p>{escape(remark.text)}</p></div><meta itemprop=upvoteCount content={remark.upvotes}>"
            f"{answers}</article>"
        )


class PromisedSite(TownSite):
    """A world for `ConnectorPromises`: a front page that links news, one of them with comments."""

    def __init__(
        self, *, password: str | None = None, microdata: bool = False, main: str = "/", **options: str
    ) -> None:
        super().__init__()
        self.password = password
        self._main = main
        self._given = {"render": "no", **options}
        self._microdata = microdata

    def __enter__(self) -> Self:
        super().__enter__()
        # Three files are enough here: a pass is broken off at each of its answers.
        self.files["/theme/site.css"] = ("text/css", b"body{margin:0}")
        front = self.put(
            self._main, "Welcome", "<p>Words of the front page.</p>", documents=["/docs/agenda.pdf"]
        )
        for number in (1, 2):
            self.put(
                f"/news/{number}",
                f"Notice {number}",
                f"<p>Words of notice {number}.</p>",
                microdata=self._microdata,
                published=f"2026-05-0{number + 1}T08:00:00Z",
            )
            front.links.append(f"/news/{number}")
        self.sheets["/news/1"].remarks = [
            Remark("c1", "Al", "What about Mill Road?"),
            Remark("c2", "Bo", "It is open.", answers="c1"),
            Remark("c3", "Cy", "Thank you.", at="2026-05-06T10:00:00Z"),
        ]
        return self

    @property
    def page(self) -> Page:
        return Page(address=self.base + self._main, options={"links": "/news/*", **self._given})

    @property
    def secrets(self) -> Mapping[str, str]:
        return {} if self.password is None else {"user": "archivist", "password": self.password}

    @property
    def client_options(self) -> Mapping[str, object]:
        return {}

    @property
    def cannot(self) -> Mapping[str, str]:
        return {"loop": "a pass follows links one step deep: nothing names a next page"}

    def shows(self) -> Collection[str]:
        remarks = [self.name(path, one.id) for path, sheet in self.sheets.items() for one in sheet.remarks]
        return [*(self.name(path) for path in self.sheets), *remarks]

    def publish(self) -> str:
        self.put("/news/9", "Storm", "<p>Stay in.</p>")
        self.sheets[self._main].links.append("/news/9")
        return self.name("/news/9")

    def edit(self) -> str:
        self.sheets["/news/2"].words = "<p>Other words.</p>"
        return self.name("/news/2")

    def remove(self) -> str:
        del self.sheets["/news/2"]
        self.instead["/news/2"] = (410, HTML, b"<title>Gone</title><h1>This notice was withdrawn</h1>")
        return self.name("/news/2")

    def recount(self) -> None:
        self.sheets["/news/1"].remarks[0].upvotes += 5

    def expire(self) -> None:
        self.signed += 1

    def throttle(self, after: int) -> timedelta | None:
        self._begin(after, lambda _: (429, {"Retry-After": "7200"}, b""))
        return timedelta(hours=2)

    def sign_in(self, after: int) -> None:
        self._begin(after, lambda _: (200, HTML, SIGN_IN.encode()))

    def cut(self, after: int) -> None:
        self._begin(after, None)
        self.cutting = True

    def fail(self, after: int) -> None:
        self._begin(after, lambda _: (500, HTML, b"<p>trouble"))

    def revoke(self, after: int) -> None:
        self._begin(after, lambda _: (401, HTML, b"<p>no"))

    def loop(self) -> None:
        """Said in `cannot`."""

    def recover(self) -> None:
        self.trouble, self.cutting, self.patience = None, False, 0

    def _begin(self, after: int, trouble: Callable[[str], Answer | None] | None) -> None:
        self.patience, self.trouble = after, trouble


def png(colour: tuple[int, int, int], width: int, height: int) -> bytes:
    """A picture of one colour."""
    rows = (b"\0" + bytes(colour) * width) * height

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _token(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()

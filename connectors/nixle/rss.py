"""An agency's feed, read: RSS 2.0, the newest alerts with the bytes of each.

Pure: bytes in, readings with spans out. The few elements that Nixle writes are
found by their tags, outside comments and marked sections; no XML parser is
asked, so that no declaration is ever expanded and one stray character in one
alert hides no other. A document that does not come to its end is no feed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape

from connectors import text as words
from connectors.nixle.links import Hosts
from connectors.nixle.reading import FEED, Reading, canonical, titled

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_PIECE = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[(?P<section>.*?)(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)|<!DOCTYPE[^\[>]{0,1000}(?:\[[^\]]{0,4000}\]\s{0,20})?>"
    r"|<(?P<end>/?)(?P<name>[A-Za-z_][\w.:-]*)(?:[^>\"']|\"[^\"]*\"|'[^']*')*+>",
    re.DOTALL,
)
_DEEPEST = 32
_TAGGED = re.compile(r"</?[A-Za-z][^<>]*>")
_OF_XML = re.compile(r"&(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")


class NotTheFeed(ValueError):
    """The bytes are no whole RSS document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One alert in the feed. Where only a short link names it, `code` is that link's, and its number is not known yet."""

    number: str | None
    code: str | None
    title: str
    description: str
    published_at: datetime | None
    span: tuple[int, int]

    def reading(self, native_id: str) -> Reading:
        """The alert, once it is known which one it is."""
        urgency, headline = titled(self.title)
        body = words.plain(self.description) if _TAGGED.search(self.description) else self.description
        return Reading(
            native_id=native_id,
            route=FEED,
            text=canonical(headline, body),
            headline=headline,
            urgency=urgency,
            published_at=self.published_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The feed: whose it is, how it introduces itself and in which bytes, and what it shows."""

    title: str
    description: str
    link: str
    spans: Sequence[tuple[int, int]]
    items: Sequence[Item]


def read(body: bytes, hosts: Hosts) -> Feed:
    """Read a feed; `NotTheFeed` where it is none, or is cut."""
    text = body.decode("latin-1")  # a byte, a place: tags are ASCII in every encoding that a feed has
    elements = list(_elements(text, _decoder(body)))
    if not elements or elements[0].path != ("rss",) or elements[0].end != len(text.rstrip()):
        raise NotTheFeed("It is no whole RSS document.")
    own: dict[str, str] = {}
    spans, items = [], []
    for one in elements:
        if one.path == ("rss", "channel", "item"):
            items.append(_item(one, hosts))
        elif len(one.path) == 3 and one.path[:2] == ("rss", "channel"):
            spans.append((one.start, one.end))
            own.setdefault(one.path[2], one.content)
    return Feed(
        title=" ".join(own.get("title", "").split()),
        description=own.get("description", "").strip(),
        link=own.get("link", "").strip(),
        spans=spans,
        items=items,
    )


@dataclass(slots=True)
class _Element:
    """An element up to the third level below the root, with the words of those inside it by name."""

    path: tuple[str, ...]
    start: int
    end: int = -1
    content: str = ""
    inside: dict[str, str] | None = None


def _elements(text: str, decode: Callable[[str], str]) -> Iterator[_Element]:
    """The root, the channel's own elements and its items, in the order in which they begin; whole ones only."""
    found: list[_Element] = []
    stack: list[_Element] = []
    at = 0
    for piece in _PIECE.finditer(text):
        if stack:
            stack[-1].content += _expanded(decode(text[at : piece.start()]))
            if piece["section"] is not None:
                stack[-1].content += decode(piece["section"])
        at = piece.end()
        name = (piece["name"] or "").lower()
        if not name:
            continue
        if not piece["end"]:
            if len(stack) >= _DEEPEST:
                raise NotTheFeed("Its elements stand in one another without end.")
            one = _Element((*(stack[-1].path if stack else ()), name), piece.start(), inside={})
            if len(one.path) <= 3:
                found.append(one)
            stack.append(one)
            if text[piece.end() - 2] == "/":
                _close(stack, piece.end())
        elif any(one.path[-1] == name for one in stack):
            while stack[-1].path[-1] != name:
                stack.pop()  # without an end of its own it is not whole
            _close(stack, piece.end())
    yield from (one for one in found if one.end >= 0)


def _close(stack: list[_Element], end: int) -> None:
    one = stack.pop()
    one.end = end
    if stack and stack[-1].inside is not None:
        stack[-1].inside.setdefault(one.path[-1], one.content)


def _item(one: _Element, hosts: Hosts) -> Item:
    inside = one.inside or {}
    links = [inside.get(name, "").strip() for name in ("guid", "link")]
    return Item(
        number=next((number for link in links if (number := hosts.number(link))), None),
        code=next((code for link in links if (code := hosts.code(link))), None),
        title=unescape(inside.get("title", "")),
        description=inside.get("content:encoded") or inside.get("description", ""),
        published_at=moment(inside.get("pubdate", "")),
        span=(one.start, one.end),
    )


def moment(written: str) -> datetime | None:
    """A time as mail and RSS write it (RFC 5322), in UTC; None where it cannot be read."""
    try:
        read = parsedate_to_datetime(written.strip()[:100])
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _expanded(text: str) -> str:
    """Character data with the references that XML knows; any other stays as it is written."""
    return _OF_XML.sub(lambda found: unescape(found.group()), text) if "&" in text else text


def _decoder(body: bytes) -> Callable[[str], str]:
    """How the characters of a document are read, of which each byte was taken for one."""
    declared = _DECLARED.match(body.removeprefix(b"\xef\xbb\xbf"))
    name = declared.group(1).decode("ascii") if declared else "utf-8"
    try:
        codecs.lookup(name)
    except LookupError:
        name = "utf-8"
    return lambda text: text.encode("latin-1").decode(name, "replace")

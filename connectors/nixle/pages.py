"""An agency's list of alerts and one alert's page, read: HTML as Nixle's server writes it.

Pure: bytes in, readings with spans out. Relative times ("5 days, 1 hour ago")
are never taken for dates. A page that shows something else than this (a
challenge, a front page, another agency) is `NotThePage`, never an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from connectors import text as words
from connectors.nixle.reading import PAGE, Reading, canonical

# Every repetition is bounded: what a stranger wrote is read in time with its length.
_ROW = re.compile(rb"""<li\b[^>]{0,500}\bid\s*=\s*["']pub_(\d{1,18})["']""", re.IGNORECASE)
_ANY_ROW = re.compile(rb"\bpub_\d+")
_TITLE = re.compile(rb"<title\b[^>]{0,500}>(.{0,2000}?)</title>", re.DOTALL | re.IGNORECASE)
_LIST_OF = re.compile(r"Messages from (.+?)\s*:\s*Nixle", re.IGNORECASE)
_WIRE = re.compile(rb"""\bid\s*=\s*["']wire["']""", re.IGNORECASE)
_NEXT = re.compile(r"""<a\b[^>]{0,500}\bhref\s*=\s*["']\?page=(\d{1,6})["'][^>]{0,500}""", re.IGNORECASE)
_CERTIFIED = re.compile(
    r"""<dd\b[^>]{0,500}\bclass\s*=\s*["']certified["'][^>]{0,500}>(.{0,2000}?)</dd>""",
    re.DOTALL | re.IGNORECASE,
)
_POSTED = re.compile(
    r"""<dl\b[^>]{0,500}\bclass\s*=\s*["']last\b[^"']*["'][^>]{0,500}>\s*<dd\b[^>]{0,500}>(.{0,2000}?)</dd>""",
    re.DOTALL | re.IGNORECASE,
)
_INFO = re.compile(r"""<div\b[^>]{0,500}\bclass\s*=\s*["']full_message_info["'][^>]{0,500}>""", re.IGNORECASE)
_URGENCY = re.compile(r"""<span\b[^>]{0,500}\bclass\s*=\s*["']priority\s+([\w-]+)["']""", re.IGNORECASE)
_HEADLINE = re.compile(r"<h2\b[^>]{0,500}>(.{0,2000}?)</h2>", re.DOTALL | re.IGNORECASE)
_BODY = re.compile(r"""<div\b[^>]{0,500}\bid\s*=\s*["']alert-body["'][^>]{0,500}>""", re.IGNORECASE)
_DIV = re.compile(r"<(/?)div\b[^>]{0,500}>", re.IGNORECASE)
_HIDDEN = re.compile(
    r"""<(span|a)\b[^>]{0,500}\bdata-cfemail\s*=\s*["']([0-9a-fA-F]{4,600})["'][^>]{0,500}>.{0,2000}?</\1>""",
    re.DOTALL | re.IGNORECASE,
)
_NAMED = re.compile(
    r"""<link\b[^>]{0,500}\brel\s*=\s*["']canonical["'][^>]{0,500}>|<meta\b[^>]{0,500}\bproperty\s*=\s*["']og:url["'][^>]{0,500}>""",
    re.IGNORECASE,
)

_TIME = re.compile(
    r"([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\s*::\s*"
    r"(?:(\d{1,2})(?::(\d{2}))?\s*([ap])\.?\s*m\.?|(noon|midnight))\s+([A-Z]{3,4})\b",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONES = {
    "UTC": 0, "GMT": 0, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "HDT": -9, "SST": -11, "CHST": 10,
}  # fmt: skip
"""The zones of the United States, in hours; a name that is not here makes no time."""


class NotThePage(ValueError):
    """The bytes are not the page that they should be; the words say what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One alert in the list, and where it stands there."""

    native_id: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of an agency's list: whose it is and in which bytes that stands, its alerts, and the next part."""

    agency: str
    title: tuple[int, int]
    rows: Sequence[Row]
    following: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One alert's page: what it says, and whose it is."""

    reading: Reading
    agency: str
    slug: str


def listing(body: bytes, number: int) -> Part:
    """Read part `number` of an agency's list."""
    title = _TITLE.search(body)
    named = _LIST_OF.search(_plain(_text(title.group(1)))) if title else None
    if title is None or named is None or _WIRE.search(body) is None:
        raise NotThePage("it is not an agency's list of messages")
    rows = list(_rows(body))
    if not rows and _ANY_ROW.search(body):
        raise NotThePage("it shows alerts in another markup than this connector reads")
    later = [int(one.group(1)) for one in _NEXT.finditer(_text(body))]
    following = number + 1 if any(one > number for one in later) else None
    return Part(agency=named.group(1).strip(), title=title.span(), rows=rows, following=following)


def _rows(body: bytes) -> Iterator[Row]:
    for one in _ROW.finditer(body):
        end = body.find(b"</li>", one.end())
        if end < 0:
            return
        yield Row(native_id=str(int(one.group(1))), span=(one.start(), end + len(b"</li>")))


def alert(body: bytes, native_id: str) -> Shown:
    """Read the page of one alert."""
    text = _text(body)
    info, own = _INFO.search(text), _BODY.search(text)
    certified = _CERTIFIED.search(text)
    if certified is None or own is None:
        raise NotThePage(
            "it is not an alert's page, or is written in another markup than this connector reads"
        )
    end = _closed(text, own.end())
    if end is None:
        raise NotThePage("the alert's words have no end")
    before = text[info.end() if info else 0 : own.start()]
    headline = _HEADLINE.search(before)
    urgency = _URGENCY.search(before)
    title = _plain(headline.group(1)) if headline else ""
    posted = _POSTED.search(text)
    link = words.attributes(certified.group(1)).get("href", "")
    return Shown(
        reading=Reading(
            native_id=native_id,
            route=PAGE,
            text=canonical(title, words.plain(_unhidden(text[own.end() : end]))),
            headline=title,
            urgency=urgency.group(1).lower() if urgency else None,
            published_at=moment(_plain(posted.group(1))) if posted else None,
        ),
        agency=_plain(certified.group(1)),
        slug=urlsplit(link).path.strip("/").lower(),
    )


def names_itself(body: bytes) -> str:
    """The address by which a page names itself, as the text of the element that says so."""
    found = _NAMED.search(_text(body))
    given = words.attributes(found.group()) if found else {}
    return given.get("href") or given.get("content") or ""


def moment(written: str) -> datetime | None:
    """A time as an alert's page writes it: "Wednesday September 9th, 2026 :: 11:43 a.m. PDT"."""
    found = _TIME.search(written)
    if found is None:
        return None
    month, day, year, hour, minute, half, word, zone = found.groups()
    offset = _ZONES.get(zone.upper())
    if offset is None or month[:3].lower() not in _MONTHS:
        return None
    at = 12 if word else int(hour)
    if not 1 <= at <= 12:
        return None
    at = at % 12 + (12 if (half or "").lower() == "p" or (word or "").lower() == "noon" else 0)
    try:
        local = datetime(
            int(year), _MONTHS.index(month[:3].lower()) + 1, int(day), at, int(minute or 0), tzinfo=UTC
        )
        return local - timedelta(hours=offset)
    except (ValueError, OverflowError):
        return None


def _closed(text: str, at: int) -> int | None:
    """Where the element ends that was opened before `at`."""
    depth = 1
    for found in _DIV.finditer(text, at):
        depth += -1 if found.group(1) else 1
        if depth == 0:
            return found.start()
    return None


def _unhidden(html: str) -> str:
    """HTML with the e-mail addresses that the content network hides, otherwise at each answer."""
    return _HIDDEN.sub(lambda found: _address(found.group(2)), html)


def _address(coded: str) -> str:
    try:
        raw = bytes.fromhex(coded)
    except ValueError:
        return ""
    return bytes(one ^ raw[0] for one in raw[1:]).decode("utf-8", "replace").replace("<", "&lt;")


def _plain(html: str) -> str:
    return " ".join(words.plain(html).split())


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")

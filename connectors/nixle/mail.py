"""An alert mail, read: which alert it is about, and its words.

Pure: the bytes of a message in, a reading out. What a mail says is what it
says: whether it was really sent by Nixle is not verified here, and the
signature that would show it (DKIM) is kept with the bytes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from html import unescape

from connectors import text as words
from connectors.nixle.links import Hosts
from connectors.nixle.reading import MAIL, Reading, canonical, titled
from connectors.nixle.rss import moment

_ISSUED = re.compile(
    r"(?:^|\n)[ \t]*(?P<urgency>alert|advisory|community|traffic)\s+message\s+has\s+been\s+issued\s+by\s+(?:the\s+)?"
    r"(?P<agency>[^\n]{1,200}?)\.?[ \t]*(?=\n|$)",
    re.IGNORECASE,
)
_GREETING = re.compile(r"\s*dear\s+nixle\s+user\s*,?\s*", re.IGNORECASE)
_CLOSING = re.compile(
    r"(?:^|\n)[ \t]*(?:for\s+(?:full|more)\s+(?:details|information),?\s+)?view\s+this\s+message\s+on\s+the\s+web\b"
    r"(?P<at>[^\n]*(?:\n[ \t]*https?:[^\n]*)?)",
    re.IGNORECASE,
)
_CLOCKS_DIFFER = timedelta(days=1)
_FROM = re.compile(rb"(?:\A|\n)(From:[^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)


class NotAnAlert(ValueError):
    """The message is no alert of one agency that can be told; the words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as far as its alert is concerned. Where only a short link names the alert, `code` is that link's."""

    number: str | None
    code: str | None
    agency: str | None
    subject: str
    body: str
    said_at: datetime | None
    urgency: str | None
    sender: str
    message_id: str | None

    def reading(self, native_id: str, received_at: datetime | None) -> Reading:
        """The alert, once it is known which one it is. A mail from the future is dated by its receipt."""
        urgency, headline = titled(self.subject, by_mail=True)
        said_at = self.said_at
        if received_at is not None and (said_at is None or said_at > received_at + _CLOCKS_DIFFER):
            said_at = received_at
        return Reading(
            native_id=native_id,
            route=MAIL,
            text=canonical(headline, self.body),
            headline=headline,
            urgency=urgency or self.urgency,
            published_at=said_at,
            sender=self.sender,
            message_id=self.message_id,
        )


def sender(fields: bytes) -> tuple[str, str] | None:
    """The name and address of the one sender that header fields name; None where they name none, or several."""
    message = BytesParser(policy=policy.compat32).parsebytes(fields, headersonly=True)
    named = message.get_all("From", [])
    found = getaddresses([_decoded(str(one)) for one in named])
    return found[0] if len(named) == 1 and len(found) == 1 and "@" in found[0][1] else None


def sender_span(body: bytes) -> tuple[int, int] | None:
    """Where the sender stands in a message's own header."""
    end = min((at for mark in (b"\r\n\r\n", b"\n\n") if (at := body.find(mark)) >= 0), default=len(body))
    found = _FROM.search(body, 0, end)
    return found.span(1) if found else None


def read(body: bytes, hosts: Hosts) -> Letter:
    """Read a message; `NotAnAlert` where it names no alert, or more than one."""
    message = BytesParser(policy=policy.compat32).parsebytes(body)
    plain, html = _parts(message)
    shown = plain or words.plain(html)
    issued = _ISSUED.search(shown)
    number, code = _alert(plain, html, hosts)
    named = sender(body)
    return Letter(
        number=number,
        code=code,
        agency=" ".join(issued["agency"].split()) if issued else None,
        subject=" ".join(_decoded(str(message.get("Subject", ""))).split()),
        body=_alone(shown, issued),
        said_at=moment(str(message.get("Date", ""))),
        urgency=issued["urgency"].lower() if issued else None,
        sender=named[1].lower() if named else "",
        message_id=str(message["Message-ID"]).strip()[:500] if message["Message-ID"] else None,
    )


def _alone(shown: str, issued: re.Match[str] | None) -> str:
    """The agency's own words: without the greeting before them, and without what Nixle adds behind them."""
    greeting = _GREETING.match(shown)
    start = greeting.end() if greeting else 0
    if issued is not None and not shown[start : issued.start()].strip():
        start = issued.end()
    closing = _CLOSING.search(shown, start)
    return shown[start : closing.start() if closing else len(shown)]


def _alert(plain: str, html: str, hosts: Hosts) -> tuple[str | None, str | None]:
    """The one alert that a message is about, by its number, or else by a short link.

    The link by which it is viewed on the web counts before any other: an
    alert's own words may link to another alert.
    """
    for text in (*_closing_links(plain), *_anchors(html), plain, html):
        numbers, codes = set(hosts.numbers_in(text)), set(hosts.codes_in(text))
        if len(numbers) == 1:
            return numbers.pop(), None
        if len(numbers) > 1:
            raise NotAnAlert("it links to several alerts, and none of them is said to be this message")
        if len(codes) == 1:
            return None, codes.pop()
    raise NotAnAlert("it links to no alert")


def _closing_links(plain: str) -> Iterator[str]:
    closing = _CLOSING.search(plain)
    if closing is not None:
        yield closing["at"]


def _anchors(html: str) -> Iterator[str]:
    """The targets of links whose words say that they show this message on the web."""
    target, said = "", ""
    for name, piece in words.tokens(html):
        if name is None:
            said += piece
        elif name == "a":
            target, said = words.attributes(piece).get("href", ""), ""
        elif name == "/a":
            if "message on the web" in " ".join(unescape(said).split()).lower():
                yield target
            target, said = "", ""


def _parts(message: Message) -> tuple[str, str]:
    """The first plain text and the first HTML of a message that are not files."""
    found = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in found and not found[kind] and part.get_content_disposition() != "attachment":
            found[kind] = _text(part)
    return found["text/plain"], found["text/html"]


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        codecs.lookup(charset)
    except LookupError:
        charset = "utf-8"
    return raw.decode(charset, "replace").replace("\r\n", "\n")


def _decoded(value: str) -> str:
    """A header's value with its encoded words read (RFC 2047); as it is written where that cannot be done."""
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value

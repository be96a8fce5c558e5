"""A request that came as an e-mail: what it says, who wrote it and when, read from a message that may be hostile.

The message is kept whole, with its headers, as the request's own words came.
What is read out of it here only fills in the form: a header can be forged, a
date can be wrong, and an officer says what holds. HTML is never shown; where a
message has nothing else, its words are taken out of it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser

from app.disclosure.papers import ATTACHED, MESSAGE, MOST_BYTES, New
from app.officers.mail import is_address
from app.records.errors import Invalid

MOST_PARTS = 200
MOST_WORDS = 100_000
_LONGEST_NAME = 200
_LONGEST_HEADER = 10_000
"""Of a header so many signs are read: it takes a library the longer the more there are, and then some."""
_WRITER = re.compile(
    r"""(?P<name>"(?:[^"\\<>]|\\["\\])*"\s*|[^<>@,;:"()\\]*)<(?P<address>[^<>\s,;"()]+)>|(?P<bare>[^<>\s,;"()]+)"""
)
"""One writer, written plainly. Whatever else a header can hold (comments, groups, lists) tells nobody for certain."""
_NOBODY = re.compile(r"(?:no|do-?not|dont)[-_.]?reply\b", re.IGNORECASE)
"""Addresses at which nobody reads an answer: a form's."""
_STRANGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NO_CHARSETS = frozenset({"unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined"})
"""What a program calls encodings and no mail is written in."""
_WESTERN = frozenset({"ascii", "iso8859-1"})
"""What is called so is nearly always the one that has quotation marks too (WHATWG Encoding, section 4.2)."""


class BadMessage(Invalid):
    """This is no e-mail message that a request can be read from."""

    code = "bad-message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a message says: from whom, when, its words, and what was attached. The message itself is the first paper."""

    name: str
    email: str
    subject: str
    words: str
    sent_at: datetime | None
    message_id: str
    papers: tuple[New, ...]
    left_out: int = 0
    """How many parts were not read one by one; they are in the message all the same."""


def read(content: bytes, file: str = "message.eml") -> Read:
    """What the bytes of an `.eml` file say, or `BadMessage`."""
    if len(content) > MOST_BYTES:
        raise BadMessage(
            f"the message has more than {MOST_BYTES // 1024 // 1024} MiB", next="Ask for the request without its attachments."
        )  # fmt: skip
    if not content.strip():
        raise BadMessage("the file is empty", next="Save the message as .eml, with its headers.")
    try:
        bare = content.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
        return _read(message_from_bytes(bare, policy=policy.compat32), content, file)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # The library was not written for those who mean harm: whatever it trips over is no message.
        raise BadMessage("the file cannot be read as a message", next="Save it as .eml again.") from error


def _read(message: Message, content: bytes, file: str) -> Read:
    if not message.keys():
        raise BadMessage("the file has no headers", next="Save the message as .eml, with its headers.")
    parts = [*_parts(message)]
    if _by_itself(message):
        raise BadMessage(
            "a program wrote this by itself, in answer to another message",
            next="Where it is a request all the same, write its words yourself.",
        )
    name, address = _writer(message, "From")
    if _NOBODY.match(address):
        answers = _writer(message, "Reply-To")
        name, address = answers if answers[1] else (name, address)
    plain, rich, attached = "", "", []
    forwarded: list[Message] = []
    beside: list[Message] = []
    for part in parts[:MOST_PARTS]:
        kind, named = part.get_content_type(), _name(part)
        aside = bool(named) or part.get_content_disposition() == "attachment"
        if kind == "text/plain" and not aside and len(plain) < MOST_WORDS:
            plain = "\n\n".join(one for one in (plain, _text(part).strip()) if one)
        elif kind == "text/html" and not aside and not rich:
            rich = _text(part)
        else:
            if kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
                beside.append(part)
            attached.append(New(ATTACHED, named or "part", kind, _bytes(part)))
            forwarded += _inside(part)
    subject = _header(message, "Subject")
    words = plain or _words_of(rich) or _of_named(beside) or _of_forwarded(forwarded)
    said = "\n\n".join(part for part in (subject, words) if part)
    if not said:
        raise BadMessage(
            "the message says nothing", next="Write its words yourself, and keep the file beside them."
        )
    return Read(
        name=name,
        email=address,
        subject=subject,
        words=said[:MOST_WORDS],
        sent_at=_date(message),
        message_id=_header(message, "Message-ID")[:_LONGEST_NAME],
        papers=(New(MESSAGE, _safe(file) or "message.eml", "message/rfc822", content), *attached),
        left_out=max(0, len(parts) - MOST_PARTS),
    )


def _parts(message: Message) -> Iterator[Message]:
    """The leaves of a message, as they stand in it; what is attached as a message is a leaf."""
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        held = part.get_payload()
        inside = [one for one in held if isinstance(one, Message)] if isinstance(held, list) else []
        if inside and part.get_content_maintype() == "multipart":
            waiting = inside + waiting
        else:
            yield part


def _bytes(part: Message) -> bytes:
    held = part.get_payload()
    if isinstance(held, list):
        return b"".join(one.as_bytes() for one in held if isinstance(one, Message))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _inside(part: Message) -> Sequence[Message]:
    """The message that is attached as one, where it is."""
    held = part.get_payload()
    return [one for one in held if isinstance(one, Message)] if isinstance(held, list) else []


def _of_named(parts: Sequence[Message]) -> str:
    """The words of parts that are shown and have a name, as some programs give it to the message itself."""
    said = (
        _text(one).strip() if one.get_content_type() == "text/plain" else _words_of(_text(one))
        for one in parts
    )
    return "\n\n".join(one for one in said if one)


def _by_itself(message: Message) -> bool:
    """Whether a program answered by itself (RFC 3834, section 5; RFC 6522; RFC 8098), as those do that tell of an absence."""
    answered = _header(message, "Auto-Submitted").partition("(")[0].partition(";")[0].strip().casefold()
    return (
        answered == "auto-replied"
        or bool(_header(message, "X-Autoreply"))
        or str(message.get_param("report-type", "") or "").casefold()
        in ("delivery-status", "disposition-notification")
    )


def _of_forwarded(forwarded: Sequence[Message]) -> str:
    """The words of a message that was handed on as an attachment, where the message around it has none of its own."""
    for message in forwarded:
        parts = [one for one in list(_parts(message))[:MOST_PARTS] if not _name(one)]
        plain = [_text(one).strip() for one in parts if one.get_content_type() == "text/plain"]
        rich = [_words_of(_text(one)) for one in parts if one.get_content_type() == "text/html"]
        words = "\n\n".join(one for one in plain if one) or next((one for one in rich if one), "")
        said = "\n\n".join(one for one in (_header(message, "Subject"), words) if one)
        if said:
            return said
    return ""


def _text(part: Message) -> str:
    """The words of a part, in the encoding that it names, or the one that they are in where it names none that is known."""
    held = _bytes(part)
    found = _decoded(held, part.get_content_charset("") or "")
    return _STRANGE.sub("", found.replace("\r\n", "\n").replace("\r", "\n"))


def _decoded(held: bytes, charset: str) -> str:
    try:
        known = codecs.lookup(charset).name if charset else ""
    except (LookupError, ValueError):
        known = ""
    if known and known not in _NO_CHARSETS and known not in _WESTERN:
        try:
            return held.decode(known, "replace")
        except (LookupError, ValueError):
            pass  # it is no encoding of text: read as one that names none
    if known != "iso8859-1":
        try:
            return held.decode()
        except UnicodeDecodeError:
            pass
    return held.decode("cp1252", "replace")


def _header(message: Message, name: str) -> str:
    """A header as one line of readable signs."""
    given = _given(message, name)
    return _said(given[0])[:4_000] if given else ""


def _given(message: Message, name: str) -> list[str]:
    """The headers of that name as they stand in the message, each on one line; bytes that no header may have are read as text."""
    found = [str(held) for key, held in message.raw_items() if key.lower() == name.lower()]
    return [
        " ".join(_decoded(one[:_LONGEST_HEADER].encode("utf-8", "surrogateescape"), "").split())
        for one in found
    ]


def _said(written: str) -> str:
    """What a header says, with its encoded words (RFC 2047) decoded."""
    try:
        found = EmailMessage(policy=policy.default)
        found["Subject"] = written
        said = str(found["Subject"])
    except (ValueError, LookupError, IndexError, AttributeError):
        said = written  # what the library cannot take apart is shown as it is
    return " ".join(_STRANGE.sub("", said).split())


def _writer(message: Message, header: str) -> tuple[str, str]:
    """Name and address of whoever wrote it, where the header names exactly one; an address is no name."""
    given = _given(message, header)
    found = _WRITER.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        return "", ""
    address = (found["address"] or found["bare"]).lower()
    name = _said(re.sub(r"\\(.)", r"\1", (found["name"] or "").strip().strip('"')))
    name = "" if "@" in name else name
    return name[:_LONGEST_NAME], address if is_address(address) else ""


def _date(message: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(message.get("Date", "")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _name(part: Message) -> str:
    """The name of an attached file; without folders, and of readable signs."""
    try:
        given = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):
        return "part"
    return _safe(str(given)) if given else ""


def _safe(name: str) -> str:
    last = re.split(r"[\\/]", name)[-1]
    plain = " ".join(_STRANGE.sub("", last).split()).strip(". ")
    return plain[:_LONGEST_NAME]


class _Words(HTMLParser):
    """The words of HTML, without scripts, styles and marks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "body":
            self._silent = 0  # its head is over, whether or not somebody ended it
        self._silent += tag in {"script", "style", "head", "title"}
        if tag in {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "blockquote", "pre", "dt", "dd"}:  # fmt: skip
            self.said.append("\n")
        elif tag in {"td", "th"}:
            self.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag in {"script", "style", "head", "title"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)


def _words_of(rich: str) -> str:
    reader = _Words()
    reader.feed(rich[: 4 * MOST_WORDS])
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.said).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

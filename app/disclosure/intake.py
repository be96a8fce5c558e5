"""A request that came as an e-mail: what it says, who wrote it and when, read from a message that may be hostile.

The message is kept whole, with its headers, as the request's own words came.
What is read out of it here only fills in the form: a header can be forged, a
date can be wrong, and an officer says what holds. HTML is never shown; where a
message has nothing else, its words are taken out of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_WRITER = re.compile(
    r"""(?P<name>"[^"\\<>@]*"|[^<>@,;:"()\\]*)<(?P<address>[^<>\s,;"()]+)>|(?P<bare>[^<>\s,;"()]+)"""
)
"""One writer, written plainly. Whatever else a header can hold (comments, groups, lists) tells nobody for certain."""
_STRANGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


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
        return _read(message_from_bytes(content, policy=policy.compat32), content, file)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # The library was not written for those who mean harm: whatever it trips over is no message.
        raise BadMessage("the file cannot be read as a message", next="Save it as .eml again.") from error


def _read(message: Message, content: bytes, file: str) -> Read:
    if not message.keys():
        raise BadMessage("the file has no headers", next="Save the message as .eml, with its headers.")
    parts = [*_parts(message)]
    name, address = _writer(message)
    plain, rich, attached = "", "", []
    for part in parts[:MOST_PARTS]:
        kind, named = part.get_content_type(), _name(part)
        if kind == "text/plain" and not named and not plain:
            plain = _text(part)
        elif kind == "text/html" and not named and not rich:
            rich = _text(part)
        else:
            attached.append(New(ATTACHED, named or "part", kind, _bytes(part)))
    subject = _header(message, "Subject")
    words = plain.strip() or _words_of(rich)
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


def _text(part: Message) -> str:
    """The words of a part; an encoding that is not known is read as the signs that it shares with all."""
    held = _bytes(part)
    try:
        found = held.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        found = held.decode("utf-8", "replace")
    return _STRANGE.sub("", found.replace("\r\n", "\n").replace("\r", "\n"))


def _header(message: Message, name: str) -> str:
    """A header as one line of readable signs."""
    held = message.get(name)
    if held is None:
        return ""
    try:
        found = EmailMessage(policy=policy.default)
        found[name] = " ".join(str(held).split())
        said = str(found[name])
    except (ValueError, LookupError, IndexError, AttributeError):
        said = str(held)  # what the library cannot take apart is shown as it is
    return " ".join(_STRANGE.sub("", said).split())[:4_000]


def _writer(message: Message) -> tuple[str, str]:
    """Name and address of whoever wrote it, where the header names exactly one."""
    given = [" ".join(str(one).split()) for one in message.get_all("From", [])]
    found = _WRITER.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        return "", ""
    address = (found["address"] or found["bare"]).lower()
    name = _decoded((found["name"] or "").strip().strip('"'))
    return name[:_LONGEST_NAME], address if is_address(address) else ""


def _decoded(name: str) -> str:
    holder = Message()
    holder["Subject"] = name
    return _header(holder, "Subject")


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
        self._silent += tag in {"script", "style", "head", "title"}
        if tag in {"p", "br", "div", "li", "tr", "h1", "h2", "h3"}:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag in {"script", "style", "head", "title"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)


def _words_of(rich: str) -> str:
    reader = _Words()
    reader.feed(rich[: 4 * MOST_WORDS])
    lines = [" ".join(line.split()) for line in "".join(reader.said).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

"""What one e-mail says: its bytes in, an observation out. Pure.

Archives hand out an item of social media as an e-mail of its own, with header
fields that each of them calls otherwise. None of those is guessed at: every
field is kept as it stands, and a mapping may say what it means. Without one
an e-mail is a private message, because nothing in it says that it was public.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime

from app.capture.formats import mime
from app.capture.formats.mime import Part
from app.capture.formats.source import Counted, Unreadable
from connectors.contract import Attachment, Author, Kind, Observation
from connectors.text import plain

LARGEST = 64 << 20
_ID = re.compile(r"<([^<>\s]{1,900})>")
_TEXT = frozenset({"text/plain", "text/html"})
_MOST_FIELDS = 1_000


@dataclass(slots=True)
class Told:
    """What was noticed in all of the e-mails."""

    derived: Counted = field(default_factory=Counted)
    """Without an id of their own: it was made from their bytes."""
    zoneless: Counted = field(default_factory=Counted)
    cut: Counted = field(default_factory=Counted)
    broken: Counted = field(default_factory=Counted)
    """With an attachment of which not all bytes could be had."""
    letters: Counted = field(default_factory=Counted)
    """With characters that could not be read."""
    chats: Counted = field(default_factory=Counted)
    """That are short-message files, and hold many items."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail and its parts."""

    content: bytes
    begins: int
    root: Part
    text: Sequence[Part]
    html: Sequence[Part]
    files: Sequence[tuple[int, Part]]
    """The parts that are files, each with its number among all parts."""


def opened(content: bytes) -> Mail:
    """Take an e-mail apart, or `Unreadable`. A line `From …` of a mailbox before it is passed over."""
    start = content.find(b"\n") + 1 if content.startswith(b"From ") else 0
    root = mime.parse(content, start)
    if not any(key.casefold() in _ALWAYS for key, _ in root.headers):
        raise Unreadable("no e-mail: it has none of the header fields that every e-mail has")
    text: list[Part] = []
    html: list[Part] = []
    files: list[tuple[int, Part]] = []
    for number, part in enumerate(root.leaves(), start=1):
        if part.type in _TEXT and not part.attached and not part.name:
            (text if part.type == "text/plain" else html).append(part)
        elif part.end > part.start:
            files.append((number, part))
    return Mail(content, start, root, text, html, files)


_ALWAYS = frozenset({"from", "date", "message-id", "subject", "to", "sender", "received"})


def read(content: bytes, told: Told, place: str) -> tuple[Observation, Mapping[str, str]]:
    """The observation of one e-mail, and its header fields by their names in small letters; `Unreadable` otherwise."""
    mail = opened(content)
    root = mail.root
    if root.header("X-RSMF-Version"):
        told.chats.add(place)
    words, lost = _words(mail)
    markup = [mime.text_of(content, part) for part in mail.html]
    html = "\n".join(one for one, _ in markup) or None
    lost += sum(number for _, number in markup)
    if lost:
        told.letters.add(place)
    if _cut(root):
        told.cut.add(place)
    extra: dict[str, object] = {
        "subject": mime.words_of(root.header("Subject")) or None,
        "to": mime.words_of(root.header("To")) or None,
        "cc": mime.words_of(root.header("Cc")) or None,
        "headers": [list(one) for one in root.headers[:_MOST_FIELDS]],
        "cut": True if _cut(root) else None,
        "unreadable_characters": lost or None,
    }
    found = Observation(
        native_id=_identity(mail, told, place),
        kind=Kind.MESSAGE,
        private=True,
        author=_author(root.header("From") or root.header("Sender")),
        text=words if words or html is None else plain(html),
        html=html,
        in_reply_to=_first(root.header("In-Reply-To")),
        published_at=_moment(root.header("Date"), told, place),
        attachments=tuple(_attachments(mail, told, place)),
        extra={name: value for name, value in extra.items() if value is not None},
    )
    fields: dict[str, str] = {}
    for name, value in root.headers:
        fields.setdefault(name.casefold(), mime.words_of(value))
    return found, fields


def attached(content: bytes, number: int) -> bytes | None:
    """The bytes of a file that an e-mail brings."""
    mail = opened(content)
    part = next((part for at, part in mail.files if at == number), None)
    return None if part is None else mime.body_of(content, part)[0]


def _words(mail: Mail) -> tuple[str, int]:
    found = [mime.text_of(mail.content, part) for part in mail.text]
    told = "\n\n".join(one.replace("\r\n", "\n").rstrip("\n") for one, _ in found if one.strip())
    return told, sum(number for _, number in found)


def _cut(part: Part) -> bool:
    return part.cut or any(_cut(one) for one in part.parts)


def _identity(mail: Mail, told: Told, place: str) -> str:
    if own := _first(mail.root.header("Message-ID")):
        return own
    told.derived.add(place)
    return f"mail:{hashlib.sha256(memoryview(mail.content)[mail.begins :]).hexdigest()[:32]}"


def _first(value: str) -> str | None:
    found = _ID.search(value)
    return found[1] if found else None


def _author(value: str) -> Author | None:
    """Who sent it, as the e-mail says."""
    name, address = parseaddr(mime.words_of(value)[:2_000])
    return Author(name=name or address or None, handle=address or None) if name or address else None


def _moment(value: str, told: Told, place: str) -> datetime | None:
    """When it was sent; a time that names no zone is none (`-0000` is one: it means UTC)."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value[:200])
        if moment.tzinfo is None:
            if not re.search(r"[-+]0000\b", value):
                told.zoneless.add(place)
                return None
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _attachments(mail: Mail, told: Told, place: str) -> list[Attachment]:
    found = []
    for number, part in mail.files:
        body, whole = mime.body_of(mail.content, part)
        if not whole:
            told.broken.add(f"{place}: {part.name or number}")
        content_id = _first(part.header("Content-ID"))
        found.append(
            Attachment(
                id=f"{part.name or content_id or 'part'}:{hashlib.sha256(body).hexdigest()[:16]}",
                path=str(number),
                media_type=part.type,
                description=mime.words_of(part.header("Content-Description")) or None,
                caption=part.name or None,
            )
        )
    return found

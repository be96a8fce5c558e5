"""JSON Lines, one observation a line: the form that anything can be brought into."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from app.capture.formats import halves
from app.capture.formats.encoding import wider_than_utf8
from app.capture.formats.source import Beside, Left, Line, Mark, Unreadable, digest_of
from app.capture.lines import BadFile, Stretch, opened, stretches
from connectors.contract import Attachment, Author, Kind, Observation, State

_DEEPEST, _PLATFORM, _PAGE = 100, 64, 500
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_MARK = b"\xef\xbb\xbf"
"""The byte order mark with which some programs begin a file."""
_decode = msgspec.json.Decoder().decode
KNOWN = frozenset(
    {
        "platform",
        "page",
        "native_id",
        "kind",
        "in_reply_to",
        "author",
        "published_at",
        "edited_at",
        "state",
        "text",
        "html",
        "url",
        "language",
        "attachments",
        "counts",
        "extra",
    }
)


class Observations:
    """A file of observations, plain or gzip."""

    format = "observations"
    reader = "observations/2"
    shared = False
    form = ""
    key = ""

    def __init__(self, file: Path) -> None:
        raw, content = opened(file)
        with raw, contextlib.suppress(EOFError, OSError, zlib.error):  # what is damaged is told line by line
            if wider := wider_than_utf8(content.read(4)):
                raise BadFile(f"{file.name} is written in {wider}", next="Save it as UTF-8, and import that.")
        self.file = file
        self.handed = digest_of(file)
        self.total = self.handed.bytes
        self._beside = Beside(file.parent)
        self._done = 0

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Lines from `after` on; bytes of a gzip file count as unpacked."""
        raw, content = opened(self.file)
        with raw:
            skipped = 0
            while skipped < after.bytes and (passed := content.read(min(1 << 20, after.bytes - skipped))):
                skipped += len(passed)
            for found in stretches(content, after.lines + 1):
                self._done = raw.tell()
                yield found
        self._done = self.total

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """One line, or nothing where it is blank."""
        if not stretch.content.strip():
            return ()
        return (parse(stretch.content.removeprefix(_MARK) if stretch.number == 1 else stretch.content),)

    def page(self) -> tuple[str, str] | None:
        """Lines name their own pages."""
        return None

    def done(self) -> int:
        """Bytes of the file that were read."""
        return self._done

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """A file beside the import."""
        return self._beside.open(path)

    def left(self) -> Sequence[Left]:
        """Nothing: each line is taken, or reported."""
        return ()

    def remarks(self) -> Sequence[str]:
        """None."""
        return ()

    def close(self) -> None:
        """Nothing stays open."""


def parse(line: bytes) -> Line:
    """Read one line, or raise `Unreadable` with the reason. Unknown keys are kept in `extra`.

    Half of a character costs itself alone: `halves` says what becomes of it.
    """
    try:
        found = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not halves.escaped(line):
            raise Unreadable(f"not JSON: {error}") from error
        found = _with_halves(line)
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    if type(found) is not dict:
        raise Unreadable("not a JSON object")
    return halves.whole(line_of(found))


def _with_halves(line: bytes) -> object:
    """What the line says, halves of characters as they stand there."""
    try:
        return json.loads(line.decode(), parse_constant=_no_number)
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def line_of(found: Mapping[str, object]) -> Line:
    """An observation of these names and values, or `Unreadable` with the reason."""
    get = found.get
    native_id = get("native_id")
    if type(native_id) is not str or not native_id:
        raise Unreadable("native_id is missing or not a text")
    text = get("text")
    if text is None:
        text = ""
    if type(text) is not str:
        raise Unreadable("text is not a text")
    author = get("author")
    extra = get("extra") or {}
    if type(extra) is not dict:
        raise Unreadable("extra is not an object")
    if not found.keys() <= KNOWN:
        extra = {**extra, **{name: value for name, value in found.items() if name not in KNOWN}}
    if extra and _deeper(extra, _DEEPEST):
        raise Unreadable("nested too deeply")
    listed = get("attachments") or ()
    if type(listed) is not list and listed != ():
        raise Unreadable("attachments is not a list")
    return Line(
        platform=page_name(found, "platform", _PLATFORM),
        page=page_name(found, "page", _PAGE),
        observation=Observation(
            native_id=native_id,
            kind=_kind(get("kind")),
            state=_state(get("state")),
            author=_author(author) if author is not None else None,
            text=text,
            html=_text(found, "html"),
            url=_text(found, "url"),
            in_reply_to=_text(found, "in_reply_to"),
            published_at=_moment(found, "published_at"),
            edited_at=_moment(found, "edited_at"),
            language=_text(found, "language"),
            attachments=tuple(_attachment(item, number) for number, item in enumerate(listed))
            if listed
            else (),
            counts=_counts(get("counts")),
            extra=extra,
            private=get("kind") == "message",
        ),
    )


_KINDS = {str(kind): kind for kind in Kind}
_STATES = {str(state): state for state in State}


def _kind(value: object) -> Kind:
    try:
        return _KINDS[cast("str", value)]
    except (KeyError, TypeError) as error:
        raise Unreadable(f"kind is {value!r}, not one of {', '.join(_KINDS)}") from error


def _state(value: object) -> State:
    if value is None:
        return State.PRESENT
    try:
        return _STATES[cast("str", value)]
    except (KeyError, TypeError) as error:
        raise Unreadable(f"state is {value!r}, not one of {', '.join(_STATES)}") from error


def _text(found: Mapping[str, object], name: str) -> str | None:
    value = found.get(name)
    if value is None or type(value) is str:
        return value
    raise Unreadable(f"{name} is not a text")


def page_name(found: Mapping[str, object], name: str, most: int) -> str | None:
    """A name that can stand in the registry of pages; an empty one is none."""
    value = _text(found, name)
    if value and (not value.strip() or len(value) > most or _CONTROL.search(value)):
        raise Unreadable(f"{name} is blank, longer than {most} characters, or holds control characters")
    return value or None


def _deeper(value: object, left: int) -> bool:
    """Whether lists and objects stand in one another more than `left` deep."""
    if not isinstance(value, (dict, list)):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_deeper(item, left - 1) for item in inside)


def _moment(found: Mapping[str, object], name: str) -> datetime | None:
    value = found.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(cast("str", value))
        if moment.tzinfo is not None:
            moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"{name} is {value!r}, not a date and time of RFC 3339") from error
    if moment.tzinfo is None:
        raise Unreadable(f"{name} has no time zone")
    return moment


def _author(value: object) -> Author:
    if type(value) is not dict:
        raise Unreadable("author is not an object")
    return Author(id=_text(value, "id"), name=_text(value, "name"), handle=_text(value, "handle"))


def _attachment(value: object, number: int) -> Attachment:
    if type(value) is not dict:
        raise Unreadable("an attachment is not an object")
    url, path = _text(value, "url"), _text(value, "path")
    return Attachment(
        id=_text(value, "id") or url or path or f"attachment-{number}",
        url=url,
        path=path,
        media_type=_text(value, "media_type"),
        description=_text(value, "description"),
        caption=_text(value, "caption"),
    )


def _counts(value: object) -> dict[str, int]:
    if value is None:
        return {}
    if type(value) is not dict or not all(type(count) is int for count in value.values()):
        raise Unreadable("counts is not an object of whole numbers")
    return value

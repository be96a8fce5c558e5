"""The parts of an e-mail (RFC 5322, RFC 2045 and following), with the place of each in the bytes. Pure; knows the form only.

Whoever wrote the e-mail is a stranger: the time that reading takes grows with
its length, parts that lie too deeply in one another are left as they stand,
and nothing is guessed that the e-mail does not say.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

_BLANK = re.compile(rb"(?:\A|\n)\r?\n")
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_LINE = re.compile(r"\r?\n")
_HEAD, _VALUE, _DEEPEST, _PARTS = 1 << 20, 16 << 10, 20, 10_000
_WORD = re.compile(r"=\?[^?]{1,60}\?[bBqQ]\?")
_NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})
"""What Python calls encodings, and no e-mail may ask for."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its header fields as they stand, unfolded, and where its body lies."""

    headers: Sequence[tuple[str, str]]
    start: int
    end: int
    type: str = "text/plain"
    charset: str = ""
    name: str = ""
    """The name of the file that it is, where it says so."""
    attached: bool = False
    coding: str = ""
    parts: Sequence[Part] = ()
    cut: bool = False
    """The last of its parts never ends."""

    def header(self, name: str) -> str:
        """The first field of that name, or nothing."""
        wanted = name.casefold()
        return next((value for key, value in self.headers if key.casefold() == wanted), "")

    def leaves(self) -> Iterator[Part]:
        """The parts that have no parts themselves, in their order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


def parse(mail: bytes, start: int = 0, end: int | None = None) -> Part:
    """The e-mail that stands at `mail[start:end]`. One without header fields is a body alone."""
    return _parse(mail, start, len(mail) if end is None else end, 0, [0])


def body_of(mail: bytes, part: Part) -> tuple[bytes, bool]:
    """The bytes of a part as they were before they were packed for the mail, and whether all of them could be had."""
    raw = mail[part.start : part.end]
    match part.coding:
        case "base64":
            try:
                return binascii.a2b_base64(raw), True
            except binascii.Error:
                sound = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
                return binascii.a2b_base64(sound[: len(sound) - len(sound) % 4]), False
        case "quoted-printable":
            return binascii.a2b_qp(raw), True
        case "" | "7bit" | "8bit" | "binary":
            return raw, True
        case _:
            return raw, False


def text_of(mail: bytes, part: Part) -> tuple[str, int]:
    """The words of a part, and how many characters could not be read."""
    body, _ = body_of(mail, part)
    for name in (part.charset, "utf-8"):
        if name and _is_text(name):
            try:
                return body.decode(name), 0
            except (LookupError, ValueError):
                continue
    told = body.decode("utf-8" if part.charset.lower() in {"utf-8", "utf8"} else "cp1252", "replace")
    return told, told.count("\ufffd")


def words_of(value: str) -> str:
    """A header field as people read it: encoded words (RFC 2047) are resolved, others stay as they are."""
    if _WORD.search(value) is None:
        return value
    try:
        found = decode_header(value)
    except (ValueError, binascii.Error, MessageError):
        return value
    told = []
    for piece, charset in found:
        if isinstance(piece, str):
            told.append(piece)
            continue
        name = charset or "latin-1"
        try:
            told.append(piece.decode(name if _is_text(name) else "latin-1", "replace"))
        except (LookupError, ValueError):
            told.append(piece.decode("latin-1"))
    return "".join(told)


def _parse(mail: bytes, start: int, end: int, depth: int, seen: list[int]) -> Part:
    blank = _BLANK.search(mail, start, min(end, start + _HEAD))
    first = mail[start : min(end, start + 1)]
    if first in {b"\r", b"\n", b""}:
        at = start + (2 if mail[start : start + 2] == b"\r\n" else len(first))
        return Part((), at, end)
    head_end, body = (blank.start(), blank.end()) if blank else (end, end)
    if blank is None and end - start > _HEAD:
        return Part((), start, end)
    headers = tuple(_headers(mail[start:head_end]))
    part = Part(headers, body, end)
    told = Message()
    for name in ("Content-Type", "Content-Disposition"):
        if (value := part.header(name)) and len(value) <= _VALUE:
            told[name] = value
    try:
        kind, charset = told.get_content_type(), str(told.get_content_charset() or "")
        name, attached = told.get_filename() or "", told.get_content_disposition() == "attachment"
        boundary = told.get_boundary() or ""
    except (ValueError, LookupError, TypeError, MessageError):
        # A parameter that is none: the part stands as it is.
        return Part(headers, body, end, "application/octet-stream")
    coding = part.header("Content-Transfer-Encoding").strip().lower()
    parts: list[Part] = []
    cut = False
    if kind.startswith("multipart/") and boundary and depth < _DEEPEST:
        spans, cut = _divided(mail, body, end, boundary)
        for one in spans:
            seen[0] += 1
            if seen[0] > _PARTS:
                break
            parts.append(_parse(mail, *one, depth + 1, seen))
    return Part(headers, body, end, kind, charset, words_of(name), attached, coding, tuple(parts), cut)


def _divided(mail: bytes, start: int, end: int, boundary: str) -> tuple[list[tuple[int, int]], bool]:
    """Where the parts of a body stand, and whether the last of them never ends."""
    mark = re.compile(
        rb"^--" + re.escape(boundary.encode("utf-8", "surrogateescape")) + rb"(--)?[ \t]*\r?$", re.MULTILINE
    )
    spans: list[tuple[int, int]] = []
    begins = -1
    for found in mark.finditer(mail, start, end):
        if begins >= 0:
            stops = found.start()
            for line_end in (b"\n", b"\r"):
                if stops > begins and mail[stops - 1 : stops] == line_end:
                    stops -= 1
            spans.append((begins, stops))
        if found[1]:
            return spans, False
        begins = min(end, found.end() + 1)
    if begins >= 0:
        spans.append((begins, end))
    return spans, True


def _headers(head: bytes) -> Iterator[tuple[str, str]]:
    try:
        told = head.decode()
    except UnicodeDecodeError:
        told = head.decode("latin-1")
    for line in _LINE.split(_FOLD.sub("", told)):
        name, colon, value = line.partition(":")
        if colon and name and not name[0].isspace():
            yield name.strip(), value.strip()


def _is_text(name: str) -> bool:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return found.name.replace("-", "_") not in _NO_TEXT

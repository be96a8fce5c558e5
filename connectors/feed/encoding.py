"""How the bytes of an XML feed are to be read as characters, and where each character stands in the bytes.

RFC 7303 decides between what the server and the document say of the encoding:
a byte-order mark first, then the `charset` of the answer, then the XML
declaration, then UTF-8. What cannot be read is replaced and said so, never
passed over in silence. All functions are pure.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OPENINGS = (
    # How "<?" or "<" looks where no mark stands before it (XML 1.0, appendix F).
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARATION = re.compile(
    r"""\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']\s*([A-Za-z0-9._:-]{1,40})\s*["']""", re.IGNORECASE
)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252"}
"""What publishers mean by these names, as browsers read them (WHATWG Encoding)."""

_REFUSED = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7", "charmap"}
)
"""Codecs that are not encodings of documents; some take time beyond measure, or hide markup."""

_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Characters:
    """A body as text. `start` is where the text begins in the bytes, after a byte-order mark."""

    text: str
    encoding: str
    start: int
    broken: str | None
    """None, or what could not be read and was replaced."""


def read(body: bytes, charset: str | None) -> Characters:
    """Read `body` as text; what no encoding explains becomes U+FFFD, and `broken` says so."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return _leniently(body, len(mark), encoding)
    candidates = list(_candidates(body, charset))
    for encoding in candidates:
        text = _strictly(body, encoding)
        if text is not None and text.lstrip("\ufeff\x00 \t\r\n").startswith("<"):
            return Characters(text, encoding, 0, None)
    fitting = (name for name in candidates if "<" in body[:512].decode(name, "replace"))
    return _leniently(body, 0, next(fitting, "utf-8"))


def byte_offsets(body: bytes, characters: Characters, positions: Iterable[int]) -> dict[int, int]:
    """Where in `body` the characters at `positions` begin; a position that cannot be placed is left out.

    The bytes are decoded once more, block by block, and byte by byte only
    where a position lies, so that it holds for encodings with changing widths
    and shift states too.
    """
    wanted = sorted(set(positions))
    if characters.encoding == "utf-8" and characters.broken is None:
        return dict(_utf8_offsets(characters, wanted))
    return dict(_offsets(body, characters, wanted))


def _candidates(body: bytes, charset: str | None) -> Iterator[str]:
    opening = next((encoding for start, encoding in _OPENINGS if body.startswith(start)), None)
    for name in (charset, _declared(body, opening), opening, "utf-8"):
        encoding = _known(name, opening)
        if encoding is not None:
            yield _WIDER.get(encoding, encoding)
            yield encoding


def _declared(body: bytes, opening: str | None) -> str | None:
    """The encoding that the XML declaration names, as far as it is legible."""
    found = _DECLARATION.match(body[:1024].decode(opening or "latin-1", "replace"))
    return found.group(1) if found else None


def _known(name: str | None, opening: str | None) -> str | None:
    if not name:
        return None
    try:
        found = codecs.lookup(name.strip().strip("\"'")).name
        b"<".decode(found, "replace")  # refuses what turns bytes into bytes, such as "zip"
    except (LookupError, ValueError):
        return None
    if found.replace("_", "-") in _REFUSED:
        return None
    if found in {"utf-16", "utf-32"}:  # which way round is seen from the bytes, not from the name
        return opening if opening is not None and opening.startswith(found) else None
    return "utf-8" if found == "utf-8-sig" else found


def _strictly(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeError:
        return None


def _leniently(body: bytes, start: int, encoding: str) -> Characters:
    text = _strictly(body[start:], encoding)
    if text is not None:
        return Characters(text, encoding, start, None)
    text = body[start:].decode(encoding, "replace")
    if encoding == "utf-8" and not any(mark > "\x7f" and mark != "\ufffd" for mark in text):
        # Not one character beyond ASCII is UTF-8: the publisher's machine most likely wrote Windows-1252.
        text = body[start:].decode("cp1252", "replace")
        return Characters(text, "cp1252", start, "is not the UTF-8 that it should be; read as windows-1252")
    why = f"has bytes that are not {encoding}; {text.count(chr(0xFFFD))} were replaced by U+FFFD in the words"
    return Characters(text, encoding, start, why)


def _utf8_offsets(characters: Characters, wanted: list[int]) -> Iterator[tuple[int, int]]:
    at, offset = 0, characters.start
    for position in wanted:
        offset += len(characters.text[at:position].encode("utf-8"))
        at = position
        yield position, offset


def _offsets(body: bytes, characters: Characters, wanted: list[int]) -> Iterator[tuple[int, int]]:
    decoder = codecs.getincrementaldecoder(characters.encoding)("replace")
    width = len("<".encode(characters.encoding))
    pending = iter(wanted)
    position = next(pending, None)
    count, at = 0, characters.start
    while position == 0:
        yield 0, characters.start
        position = next(pending, None)
    while position is not None and at < len(body):
        before = decoder.getstate()
        block = body[at : at + _BLOCK]
        produced = len(decoder.decode(block))
        if count + produced < position:
            count += produced
            at += len(block)
            continue
        decoder.setstate(before)
        for offset in range(at, at + len(block)):
            piece = decoder.decode(body[offset : offset + 1])
            count += len(piece)
            while position is not None and position <= count:
                if position == count and piece:
                    yield position, offset + 1
                elif position == count - 1 and piece.endswith("<"):
                    # A broken character was given up only when the next one was complete.
                    yield position, offset + 1 - width
                position = next(pending, None)
        at += len(block)

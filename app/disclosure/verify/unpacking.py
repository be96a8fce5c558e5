"""What lies inside a file: the members of a ZIP, what gzip holds, records of a WARC, parts of a message, streams of a PDF.

Pure reading of hostile bytes: nothing is executed, nothing is written to a
place that a file names, and every depth and size has a bound. What a bound
or damage keeps from being read is told as `Unread`; nothing is passed over.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_binary_file, policy
from email.errors import MessageError
from typing import IO, TypeAlias, cast

from app.index.extracting import Extractor
from app.records.zips import DAMAGED

MOST_UNPACKED = 4 << 30
"""Bytes that one file may unfold to."""
DEEPEST = 6
MOST_IN_MEMORY = 16 << 20
_LARGEST_DOCUMENT = 256 << 20
_CHUNK = 1 << 20
_MESSAGE = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}\r?\n")
_STREAM = re.compile(rb"stream\r?\n")
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IDAT", b"fdAT", b"PLTE", b"IHDR", b"IEND")
_SCAN = 0xDA
_LARGEST_HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Inner:
    """Bytes that lie inside others, and where."""

    where: str
    content: IO[bytes]
    tells: bool = False
    """Whether it is there to tell something of what it lies in, as a picture's remarks are."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A place that could not be looked into, and why."""

    where: str
    why: str


Found: TypeAlias = Inner | Unread


class Unpacker:
    """Opens what is packed, one file after another; ends with its process for PDFs."""

    def __init__(self) -> None:
        self._extractor = Extractor()

    def close(self) -> None:
        self._extractor.close()

    def inside(self, content: IO[bytes], where: str) -> Iterator[Found]:
        """What lies one layer inside `content`; nothing where it is no container that is known here."""
        content.seek(0)
        head = content.read(4096)
        try:
            if head.startswith(b"\x1f\x8b"):
                yield from _gzip(content, where)
            elif head.startswith(b"PK\x03\x04") or _ends_as_zip(content):
                yield from _zip(content, where)
            elif head.startswith(b"WARC/"):
                yield from _warc(content, where)
            elif b"%PDF-" in head[:1024]:
                yield from self._pdf(content, where)
            elif head.startswith(_PNG):
                yield from _png(content, where)
            elif head.startswith(b"\xff\xd8\xff"):
                yield from _jpeg(content, where)
            elif _MESSAGE.match(head):
                yield from _message(content, where)
        except _TooMuch:
            yield Unread(where, f"it unfolds to more than {MOST_UNPACKED} bytes")

    def _pdf(self, content: IO[bytes], where: str) -> Iterator[Found]:
        """Its words, as a reader sees them, and its streams without their compression."""
        size = _size(content)
        if size > _LARGEST_DOCUMENT:
            yield Unread(where, "a document larger than is read")
            return
        content.seek(0)
        whole = content.read()
        told = self._extractor.read([whole], size, "application/pdf", "")
        if told.text:
            yield _held(f"{where}!words", told.text.encode("utf-8", "replace"))
        if told.lacks not in (None, "scanned"):
            yield Unread(where, f"its words cannot be read: {told.lacks}")
        for number, unpacked in enumerate(streams(whole)):
            if unpacked:
                yield _held(f"{where}!stream {number}", unpacked)


def streams(document: bytes) -> Iterator[bytes]:
    """The streams of a PDF without their compression; an empty one for each that is packed in another way."""
    bound = _Bound()
    for start in _STREAM.finditer(document):
        end = document.find(b"endstream", start.end())
        yield _inflated(document[start.end() : end if end >= 0 else len(document)], bound)


def _gzip(content: IO[bytes], where: str) -> Iterator[Found]:
    """Every member, joined: a WARC file is written so."""
    out, bound = _room(), _Bound()
    content.seek(0)
    member: zlib._Decompress | None = None
    whole = True
    try:
        while chunk := content.read(_CHUNK):
            while chunk:
                member = member or zlib.decompressobj(zlib.MAX_WBITS | 16)
                told = member.decompress(chunk, _CHUNK)
                out.write(bound.of(told))
                chunk = member.unconsumed_tail
                if member.eof:
                    chunk, member = member.unused_data.lstrip(b"\x00"), None
        whole = member is None
    except zlib.error:
        whole = False
    if not whole:
        yield Unread(where, "its compression is damaged or cut off")
    yield Inner(f"{where}!gzip", out)


def _ends_as_zip(content: IO[bytes]) -> bool:
    size = _size(content)
    content.seek(max(0, size - 65_557))
    return b"PK\x05\x06" in content.read()


def _zip(content: IO[bytes], where: str) -> Iterator[Found]:
    bound = _Bound()
    try:
        packed = zipfile.ZipFile(content)
    except DAMAGED as error:
        yield Unread(where, f"a ZIP that cannot be opened: {error}")
        return
    if packed.comment:
        yield _held(f"{where}!comment", packed.comment)
    for info in packed.infolist():
        place = f"{where}!{info.filename}"
        yield _held(f"{place}!name", info.filename.encode("utf-8", "surrogateescape") + b"\n" + info.comment)
        out = _room()
        try:
            with packed.open(info) as member:
                while chunk := member.read(_CHUNK):
                    out.write(bound.of(chunk))
        except DAMAGED as error:
            yield Unread(place, f"it cannot be unpacked: {error}")
        yield Inner(place, out)


def _warc(content: IO[bytes], where: str) -> Iterator[Found]:
    """The block of each record; of an HTTP answer, its body as well."""
    content.seek(0)
    number = 0
    while line := content.readline(_LARGEST_HEAD):
        if not line.strip():
            continue
        if not line.startswith(b"WARC/"):
            yield Unread(where, f"record {number} of it does not begin where one must")
            return
        length = None
        while head := content.readline(_LARGEST_HEAD):
            if not head.strip():
                break
            name, _, value = head.partition(b":")
            if name.lower() == b"content-length" and value.strip().isdigit():
                length = int(value)
        if length is None:
            yield Unread(where, f"record {number} of it does not say how long it is")
            return
        block = _room()
        for chunk in _part(content, length):
            block.write(chunk)
        yield from _block(block, f"{where}!record {number}")
        number += 1


def _block(block: IO[bytes], where: str) -> Iterator[Found]:
    block.seek(0)
    if block.readline(_LARGEST_HEAD).startswith(b"HTTP/"):
        while head := block.readline(_LARGEST_HEAD):
            if not head.strip():
                break
        body = _room()
        while chunk := block.read(_CHUNK):
            body.write(chunk)
        yield Inner(f"{where} body", body)
    yield Inner(where, block)


def _message(content: IO[bytes], where: str) -> Iterator[Found]:
    """The heads and the parts of an e-mail message, decoded; an RSMF file is one."""
    if _size(content) > _LARGEST_DOCUMENT:
        yield Unread(where, "a message larger than is read")
        return
    content.seek(0)
    try:
        message = message_from_binary_file(content, policy=policy.default)
        heads = "\n".join(f"{name}: {value}" for name, value in message.items())
        yield _held(f"{where}!heads", heads.encode("utf-8", "replace"))
        for number, part in enumerate(message.walk()):
            if not part.is_multipart():
                body = part.get_payload(decode=True)
                yield _held(f"{where}!part {number}", cast("bytes", body or b""))
                yield _held(
                    f"{where}!part {number} name", (part.get_filename() or "").encode("utf-8", "replace")
                )
    except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        yield Unread(where, f"a message that cannot be read: {error}")


def _png(content: IO[bytes], where: str) -> Iterator[Found]:
    """What a picture carries beside its pixels, and without compression what of that is compressed."""
    content.seek(len(_PNG))
    bound = _Bound()
    while len(head := content.read(8)) == 8:
        length, kind = int.from_bytes(head[:4]), head[4:]
        if kind in _PIXELS or length > MOST_IN_MEMORY:
            content.seek(length, 1)
        else:
            data = content.read(length)
            place = f"{where}!{kind.decode('ascii', 'replace')}"
            yield _held(place, data, tells=True)
            for start in (found.end() for found in re.finditer(rb"\x00", data[:2048])):
                told = _inflated(data[start:], bound) or _inflated(data[start + 1 :], bound)
                if told:
                    yield _held(f"{place} unpacked", told, tells=True)
                    break
        content.seek(4, 1)


def _jpeg(content: IO[bytes], where: str) -> Iterator[Found]:
    """The segments that programs and remarks have in a picture, before its pixels begin."""
    content.seek(2)
    while len(head := content.read(4)) == 4 and head[0] == 0xFF and head[1] != _SCAN:
        length = int.from_bytes(head[2:]) - 2
        if length < 0:
            return
        data = content.read(length)
        if 0xE0 <= head[1] <= 0xFE:
            yield _held(f"{where}!segment {head[1]:02X}", data, tells=True)


# -- sizes and rooms ---------------------------------------------------------------------------------------


class _TooMuch(Exception):
    """A file unfolds to more than is read."""


class _Bound:
    """Counts what a file unfolds to."""

    def __init__(self) -> None:
        self.left = MOST_UNPACKED

    def of(self, chunk: bytes) -> bytes:
        self.left -= len(chunk)
        if self.left < 0:
            raise _TooMuch
        return chunk


def _inflated(packed: bytes, bound: _Bound) -> bytes:
    """What a zlib stream holds, as far as it can be read; nothing where it is none."""
    try:
        return bound.of(zlib.decompressobj().decompress(packed, _LARGEST_DOCUMENT))
    except zlib.error:
        return b""


def _part(content: IO[bytes], length: int) -> Iterator[bytes]:
    while length and (chunk := content.read(min(_CHUNK, length))):
        length -= len(chunk)
        yield chunk


def _held(where: str, content: bytes, *, tells: bool = False) -> Inner:
    out = _room()
    out.write(content)
    return Inner(where, out, tells)


def _room() -> IO[bytes]:
    """A place for bytes: in memory while there are few."""
    return cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=MOST_IN_MEMORY))


def _size(content: IO[bytes]) -> int:
    return content.seek(0, 2)

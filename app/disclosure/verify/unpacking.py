"""What lies inside a file: members of a ZIP or a tar, what gzip, bzip2, xz and zlib hold, records of a WARC, parts of a message.

And the streams of a PDF, the words of rich text and of captions, the messages
of an mbox, and texts of other codings as UTF-8.

Pure reading of hostile bytes: nothing is executed, nothing is written to a
place that a file names, and every depth and size has a bound. What a bound
or damage keeps from being read is told as `Unread`; nothing is passed over.
"""

from __future__ import annotations

import bz2
import codecs
import lzma
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_binary_file, policy
from email.errors import MessageError
from functools import partial
from typing import IO, Protocol, TypeAlias, cast

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
_SPOKEN = re.compile(rb"\d\d:\d\d[.,]\d\d\d[ \t]*-->[ \t]*\d")
_FROM = re.compile(rb"From [^\r\n]{3,}\r?\n[A-Za-z][A-Za-z0-9-]*:")
_UNOPENED = {
    b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard", b"MSCF\0\0\0\0": "CAB",
    b"\x1f\x9d": "compress", b"\x04\x22\x4d\x18": "LZ4", b"LZIP": "lzip",
}  # fmt: skip
"""How archives begin that nothing here can open."""
_CODINGS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
"""The marks of texts in other codings; that of UTF-32 begins as that of UTF-16 does, and stands first."""
_LZMA = re.compile(rb"\x5d\0\0[\x00-\x80][\x00-\x08](?:\xff{8}|.{4}\0{4})", re.DOTALL)
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
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
            elif (opened := _compressed(head)) is not None:
                yield from _unfolded(content, where, *opened)
            elif head[257:262] == b"ustar":
                yield from _tar(content, where)
            elif (
                of := next((kind for mark, kind in _UNOPENED.items() if head.startswith(mark)), None)
            ) is not None:
                yield Unread(where, f"an archive that cannot be opened here ({of})")
            elif (
                coding := next((one for mark, one in _CODINGS.items() if head.startswith(mark)), None)
            ) is not None:
                yield from _transcoded(content, where, coding)
            elif head.startswith(b"{\\rtf"):
                yield from self._words(content, where, "application/rtf")
            elif _SPOKEN.search(head):
                yield from self._words(content, where, "text/vtt")
            elif _FROM.match(head):
                yield from _mbox(content, where)
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

    def _words(self, content: IO[bytes], where: str, media_type: str) -> Iterator[Found]:
        """The words of a text as somebody reads them, without the signs that set them or the times at which they are said."""
        size = _size(content)
        content.seek(0)
        told = self._extractor.read(iter(lambda: content.read(_CHUNK), b""), size, media_type, "")
        if told.text:
            yield _held(f"{where}!words", told.text.encode("utf-8", "replace"))
        if (
            told.lacks is not None and media_type != "text/vtt"
        ):  # the words of captions were read as they lie there
            yield Unread(where, f"its words cannot be read: {told.lacks}")

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


class _Decompressor(Protocol):
    """What opens one member, a part at a time."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def _compressed(head: bytes) -> tuple[str, Callable[[], _Decompressor]] | None:
    """By what a file is compressed, where its beginning can be read so."""
    opened: tuple[str, Callable[[], _Decompressor]] | None = None
    if head.startswith(b"BZh"):
        opened = ("bzip2", bz2.BZ2Decompressor)
    elif head.startswith(b"\xfd7zXZ\0"):
        opened = ("xz", lzma.LZMADecompressor)
    elif _LZMA.match(head):
        opened = ("lzma", partial(lzma.LZMADecompressor, lzma.FORMAT_ALONE))
    elif _ZLIB.match(head):
        opened = ("zlib", _Zlib)
    if opened is None or head.startswith((b"BZh", b"\xfd7zXZ\0")):
        return opened
    try:  # letters alone may begin as these do
        return opened if opened[1]().decompress(head, _CHUNK) else None
    except (lzma.LZMAError, zlib.error):
        return None


class _Zlib:
    """zlib, asked as the others are."""

    def __init__(self) -> None:
        self._of = zlib.decompressobj()
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        told = self._of.decompress(self._of.unconsumed_tail + data, max(max_length, 0))
        self.needs_input = not self._of.unconsumed_tail
        return told

    @property
    def eof(self) -> bool:
        return self._of.eof

    @property
    def unused_data(self) -> bytes:
        return self._of.unused_data


def _unfolded(
    content: IO[bytes], where: str, name: str, opened: Callable[[], _Decompressor]
) -> Iterator[Found]:
    """Every member, joined; what stands behind the last and is none is looked at as it lies there."""
    out, bound = _room(), _Bound()
    content.seek(0)
    member: _Decompressor | None = None
    try:
        while chunk := content.read(_CHUNK):
            while chunk:
                member = member or opened()
                out.write(bound.of(member.decompress(chunk, _CHUNK)))
                while not member.eof and not member.needs_input:
                    out.write(bound.of(member.decompress(b"", _CHUNK)))
                chunk, member = (member.unused_data, None) if member.eof else (b"", member)
        whole = member is None
    except (OSError, lzma.LZMAError, zlib.error):
        whole = False
    if not whole:
        yield Unread(where, "its compression is damaged or cut off")
    yield Inner(f"{where}!{name}", out)


def _tar(content: IO[bytes], where: str) -> Iterator[Found]:
    bound = _Bound()
    content.seek(0)
    try:
        with tarfile.open(fileobj=content, mode="r:") as packed:
            for info in packed:
                names = f"{info.name}\n{info.linkname}\n{info.uname}\n{info.gname}"
                yield _held(f"{where}!{info.name}!name", names.encode("utf-8", "surrogateescape"))
                if (member := packed.extractfile(info) if info.isreg() else None) is not None:
                    out = _room()
                    try:
                        while chunk := member.read(_CHUNK):
                            out.write(bound.of(chunk))
                    except (tarfile.TarError, OSError) as error:
                        yield Unread(f"{where}!{info.name}", f"it cannot be unpacked: {error}")
                    yield Inner(f"{where}!{info.name}", out)
    except (tarfile.TarError, OSError, ValueError, OverflowError) as error:
        yield Unread(where, f"a tar that cannot be read: {error}")


def _transcoded(content: IO[bytes], where: str, coding: str) -> Iterator[Found]:
    """A text that bears the mark of its coding, as UTF-8; what is no text in it is replaced."""
    out, reads = _room(), codecs.getincrementaldecoder(coding)("replace")
    content.seek(0)
    while chunk := content.read(_CHUNK):
        out.write(reads.decode(chunk).encode("utf-8", "replace"))
    yield Inner(f"{where}!{coding}", out)


def _mbox(content: IO[bytes], where: str) -> Iterator[Found]:
    """Each message of an mbox, from one line that begins with From to the next."""
    content.seek(0)
    number = 0
    content.readline()
    message = _room()
    for line in iter(lambda: content.readline(_CHUNK), b""):
        if line.startswith(b"From "):
            yield Inner(f"{where}!message {number}", message)
            number, message = number + 1, _room()
        else:
            message.write(line)
    yield Inner(f"{where}!message {number}", message)


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

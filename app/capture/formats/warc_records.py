"""The records of a WARC file (ISO 28500), plain or gzip, one after the other in bounded memory. Knows the format only.

Every byte comes out again, in its order, so that the records join to the file
as it reads unpacked. Where it stops being a WARC, or is cut, the rest comes out
with the reason.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from app.capture.lines import BadFile

LARGEST = 32 << 20
"""A record whose block is longer is told of by its header alone."""
_HEAD = 256 << 10
_PART = 4 << 20
_STEP = 1 << 16
_SUSPECT, _RATIO = 64 << 20, 250
_GZIP, _MEMBER = b"\x1f\x8b", b"\x1f\x8b\x08"
_BIT = 256
_ALGORITHMS = {"sha1": 20, "sha256": 32}


class Readable(Protocol):
    """What a part of a download and a file have in common."""

    def read(self, most: int = -1, /) -> bytes: ...


class _Damaged(Exception):
    """What is read ends or goes wrong here, and why; `goes_on` where more can be read behind it."""

    def __init__(self, why: str, *, goes_on: bool = False) -> None:
        super().__init__(why)
        self.goes_on = goes_on


@dataclass(frozen=True, slots=True)
class _Broken:
    """A packed member that is damaged: why, and what of it can be read."""

    why: str
    readable: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """Bytes of the file that are one record, with what they say.

    `block` is where its block stands in `content`. Of a record that is too
    large, and of what is no record, `why` says so at its first bytes and is
    empty for those that follow; `headers` stand with the first.
    """

    number: int
    content: bytes
    headers: Mapping[str, str]
    block: tuple[int, int] = (0, 0)
    why: str | None = None
    length: int = 0

    @property
    def type(self) -> str:
        return self.headers.get("warc-type", "")

    @property
    def target(self) -> str:
        """The address that it speaks of; some programs wrote it in angle brackets."""
        return self.headers.get("warc-target-uri", "").strip().removeprefix("<").removesuffix(">")


def records(content: Readable) -> Iterator[Record]:
    """Every record of a file, and what follows them where that is none."""
    taken = _Buffer(content)
    number = 0
    while True:
        number += 1
        try:
            head = taken.head()
        except _Damaged as error:
            if error.goes_on:
                yield Record(number, taken.held_back(), {}, why=str(error))
                continue
            yield from _rest(taken, number, str(error))
            return
        if not head:
            return
        headers = _headers(head)
        length = headers.get("content-length", "")
        if headers.get("") is None or not length.isdecimal() or len(length) > 15:
            taken.give_back(head)
            if (yield from _rest(taken, number, "no WARC record stands here")):
                continue
            return
        size = int(length)
        try:
            if size > LARGEST:
                yield Record(
                    number, head, headers, (len(head), len(head)), f"longer than {LARGEST >> 20} MiB", size
                )
                left = size
                while left:
                    part = taken.take(min(left, _PART))
                    left -= len(part)
                    yield Record(number, part, {}, why="")
                yield Record(number, taken.blank(), {}, why="")
                continue
            block = taken.take(size)
            end = taken.blank()
        except _Damaged as error:
            taken.give_back(b"" if size > LARGEST else head)
            if error.goes_on:
                yield Record(number, taken.held_back(), {}, why=str(error))
                continue
            yield from _rest(taken, number, str(error))
            return
        yield Record(number, head + block + end, headers, (len(head), len(head) + size), None, size)


def agrees(block: bytes, told: str) -> bool | None:
    """Whether bytes have the digest that a header names; None where it names none that we know."""
    name, _, value = told.strip().partition(":")
    name = name.lower().replace("-", "")
    if name not in _ALGORITHMS or not value:
        return None
    digest = hashlib.new(name, block, usedforsecurity=False).digest()
    try:
        if len(value) == _ALGORITHMS[name] * 2:
            return bytes.fromhex(value) == digest
        return base64.b32decode(value.upper() + "=" * (-len(value) % 8)) == digest
    except (ValueError, binascii.Error):
        return None


def _headers(head: bytes) -> dict[str, str]:
    """The named fields of a record, in small letters; the version under the empty name, where there is one."""
    lines = head.lstrip(b"\r\n").replace(b"\r\n", b"\n").split(b"\n")
    found: dict[str, str] = {}
    if lines[0].startswith(b"WARC/"):
        found[""] = lines[0].decode("ascii", "replace")
    last = ""
    for line in lines[1:]:
        if line[:1] in {b" ", b"\t"} and last:
            found[last] += " " + line.strip().decode("utf-8", "replace")
            continue
        name, colon, value = line.partition(b":")
        if colon:
            last = name.strip().decode("utf-8", "replace").lower()
            found.setdefault(last, value.strip().decode("utf-8", "replace"))
    return found


def _rest(taken: _Buffer, number: int, why: str) -> Generator[Record, None, bool]:
    """What is left of the file, as far as it can be read; whether records may stand behind something that is damaged."""
    first = why
    while True:
        try:
            part = taken.some(_PART)
        except _Damaged as error:
            first = first or str(error)
            if error.goes_on:
                yield Record(number, taken.held_back(), {}, why=first)
                return True
            part = b""
        if part or first:
            yield Record(number, part, {}, why=first)
        if not part:
            return False
        first = ""


class _Buffer:
    """The unpacked bytes of a file, taken from its start."""

    def __init__(self, content: Readable) -> None:
        self.source = _unpacked(content)
        self.held = b""
        self.later: _Damaged | None = None
        """What is wrong behind the bytes that are held."""

    def head(self) -> bytes:
        """Everything up to and with the empty line that ends a record's header; nothing at the end of the file."""
        while not self.held.lstrip(b"\r\n") and self._more():
            pass
        if not self.held.lstrip(b"\r\n"):
            head, self.held = self.held, b""
            if head:
                self.held = head
                raise _Damaged("")
            return b""
        while True:
            start = len(self.held) - len(self.held.lstrip(b"\r\n"))
            ends = [
                at + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (at := self.held.find(mark, start)) >= 0
            ]
            if ends:
                end = min(ends)
                head, self.held = self.held[:end], self.held[end:]
                return head
            if len(self.held) > _HEAD:
                raise _Damaged("no WARC record stands here")
            if not self._more():
                raise _Damaged("the file is cut here")

    def take(self, size: int) -> bytes:
        """Exactly so many bytes."""
        parts = [self.held[:size]]
        found, self.held = len(parts[0]), self.held[size:]
        while found < size:
            try:
                more = self._more()
            except _Damaged:
                self.held = b"".join(parts)
                raise
            if not more:
                self.held = b"".join(parts)
                raise _Damaged("the file is cut here")
            part = self.held[: size - found]
            self.held = self.held[len(part) :]
            parts.append(part)
            found += len(part)
        return b"".join(parts)

    def blank(self) -> bytes:
        """The empty lines after a block, at most the two that belong there; what is damaged behind it comes later."""
        try:
            while len(self.held) < 4 and self._more():
                pass
        except _Damaged as error:
            self.later = error
        for mark in (b"\r\n\r\n", b"\n\n"):
            if self.held.startswith(mark):
                self.held = self.held[len(mark) :]
                return mark
        return b""

    def some(self, most: int) -> bytes:
        """At most so many bytes; none at the end."""
        if not self.held:
            self._more()
        part, self.held = self.held[:most], self.held[most:]
        return part

    def give_back(self, content: bytes) -> None:
        """Put bytes back before those that come next."""
        self.held = content + self.held

    def held_back(self) -> bytes:
        """Everything that is held."""
        content, self.held = self.held, b""
        return content

    def _more(self) -> bool:
        if self.later is not None:
            error, self.later = self.later, None
            raise error
        part = next(self.source, b"")
        if isinstance(part, _Broken):
            self.held += part.readable
            raise _Damaged(part.why, goes_on=True)
        self.held += part
        return bool(part)


def _unpacked(content: Readable) -> Iterator[bytes | _Broken]:
    """The bytes of a file; those of a gzip file without its packing, member after member.

    Where a member is damaged, what of it can be read comes out as `_Broken`,
    and it goes on with the next one that holds a record.
    """
    try:
        chunk = content.read(_STEP)
        if not chunk.startswith(_GZIP):
            while chunk:
                yield chunk
                chunk = content.read(_STEP)
            return
        yield from _members(content, chunk)
    except (OSError, EOFError) as error:
        raise _Damaged(f"the file is damaged here: {error}") from error
    except BadFile as error:
        raise _Damaged(str(error)) from error


def _members(content: Readable, chunk: bytes) -> Iterator[bytes | _Broken]:
    packed = unfolded = 0
    member = zlib.decompressobj(31)
    fresh = True
    while chunk or (chunk := content.read(_STEP)):
        if member.eof:
            chunk = chunk.lstrip(b"\0")
            if not chunk:
                continue
            member, fresh = zlib.decompressobj(31), True
        before, stood = len(chunk), None if fresh else member.copy()
        try:
            part = member.decompress(chunk, _STEP)
        except zlib.error as error:
            yield _Broken(
                f"the file is damaged here: {error}", _salvaged(stood or zlib.decompressobj(31), chunk)
            )
            chunk = _next_record(content, chunk[1:] if fresh else chunk)
            member, fresh = zlib.decompressobj(31), True
            if not chunk:
                return
            continue
        chunk = member.unused_data if member.eof else member.unconsumed_tail
        fresh = False
        packed, unfolded = packed + before - len(chunk), unfolded + len(part)
        if unfolded > _SUSPECT and unfolded > _RATIO * packed:
            raise _Damaged(f"it would unfold into more than {unfolded >> 20} MiB out of {packed >> 10} KiB")
        if part:
            yield part
    if not member.eof:
        raise _Damaged("the file is cut here")


def _salvaged(member: zlib._Decompress, chunk: bytes) -> bytes:
    """What a damaged member still tells, as far as it can be read."""
    told = b""
    with suppress(zlib.error):
        for start in range(0, len(chunk), _BIT):
            told += member.decompress(chunk[start : start + _BIT], _STEP)
    return told


def _next_record(content: Readable, chunk: bytes) -> bytes:
    """The packed bytes from the next member on that begins as a record does; none where there is none."""
    while True:
        more = content.read(_STEP)
        at = chunk.find(_MEMBER)
        while at >= 0 and (len(chunk) - at >= _BIT or not more):
            if _salvaged(zlib.decompressobj(31), chunk[at : at + _BIT]).lstrip(b"\r\n").startswith(b"WARC/"):
                return chunk[at:] + more
            at = chunk.find(_MEMBER, at + 1)
        if not more:
            return b""
        chunk = (chunk[at:] if at >= 0 else chunk[1 - len(_MEMBER) :]) + more

"""The words of a file: PDF, Word, Excel, PowerPoint, OpenDocument, rich text, HTML, e-mail, captions and plain text, as pure functions over bytes.

Files come from strangers. So this runs in a process of its own
(`app.index.extracting`), with little memory and a clock; every part of an
archive is read only up to a bound, XML is read without its entities, and
whatever cannot be read is said by its reason. Nothing is executed, nothing is
fetched, and no picture is looked into: a scan has no words.
"""

from __future__ import annotations

import re
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import IO, BinaryIO

import msgspec

from app.index import office_files, pdf_files, plain_files
from app.index.writing import MOST_INSIDE, Attached, Enough, Protected, Writing

MOST_BYTES = 64 * 1024 * 1024
"""A larger file is not read."""
MOST_SECONDS = 20
_MEMORY = 1 << 30

MEDIA, QUIET = "media", "quiet"
"""What is no text: pictures, sound and film; fonts, styles and programs."""


def read(
    content: bytes, media_type: str = "", name: str = "", *, now: Callable[[], float] = time.monotonic
) -> Attached:
    """The words of a file, by what it is rather than by what it is called; whatever fails is a reason.

    What was read before something failed stands.
    """
    return _read(content, media_type, name, now=now, until=now() + MOST_SECONDS, depth=0)


def _read(
    content: bytes, media_type: str, name: str, *, now: Callable[[], float], until: float, depth: int
) -> Attached:
    if len(content) > MOST_BYTES or depth > MOST_INSIDE:
        return Attached(lacks="too_long")
    kind = sort_of(content, media_type, name)
    reader = _READERS.get(kind)
    if reader is None:
        return Attached(lacks=kind)
    inside = partial(_read, now=now, until=until, depth=depth + 1)
    writing = Writing(now, until, inside)
    try:
        reader(content, media_type, writing)
    except Enough:
        writing.lacks = "too_long"
    except Protected:
        return Attached(lacks="protected")
    except (MemoryError, RecursionError):
        return Attached(lacks="unreadable")
    except Exception:  # noqa: BLE001 - a damaged file may raise anything, in our readers and in pypdf
        writing.lacks = "unreadable"
    return writing.done()


# ---- what it is ----------------------------------------------------------------------------------

_MEDIA_MAGIC = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"ID3", b"OggS", b"fLaC",
    b"\x1aE\xdf\xa3", b"\x00\x00\x01\x00", b"\xff\xfb", b"\xff\xf3",
)  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_QUIET_TYPES = re.compile(r"font/|text/css|.*javascript|application/(wasm|font|x-font|vnd\.ms-fontobject)")
_QUIET_NAMES = re.compile(r".*\.(css|js|mjs|woff2?|ttf|otf|eot|map|wasm)", re.IGNORECASE)
_MEDIA_NAMES = re.compile(
    r".*\.(jpe?g|png|gif|webp|avif|heic|bmp|tiff?|svg|ico|mp3|m4a|aac|ogg|oga|opus|wav|flac|mp4|m4v|mov|webm|ogv|avi|mkv)",
    re.IGNORECASE,
)


def told_by_name(media_type: str, name: str) -> str | None:
    """`media`, `quiet`, or None where only the bytes can tell."""
    told = media_type.partition(";")[0].strip().lower()
    if _QUIET_TYPES.match(told) or (not told and _QUIET_NAMES.fullmatch(name)):
        return QUIET
    if told.startswith(("image/", "video/", "audio/")) or (not told and _MEDIA_NAMES.fullmatch(name)):
        return MEDIA
    return None


def sort_of(content: bytes, media_type: str = "", name: str = "") -> str:
    """Which reader reads a file; `media`, `quiet`, `protected` or `unknown_format` where none does."""
    head = content[:1024]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return office_files.sort_of(content)
    if head.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in content
        return "protected" if locked else "unknown_format"
    if head.startswith(_MEDIA_MAGIC) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] in _RIFF):
        return MEDIA
    told = told_by_name(media_type, name)
    if told is not None:
        return told
    kind = media_type.partition(";")[0].strip().lower()
    lower = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if kind in ("message/rfc822", "multipart/related") or plain_files.is_letter(content[:16384]):
        return "mail"
    if kind in _SPOKEN_TYPES or _SPOKEN_NAMES.fullmatch(name) or lower.startswith(b"webvtt"):
        return "captions"
    if lower.startswith((b"begin:vcalendar", b"begin:vcard")):
        return "calendar"
    if kind in ("text/html", "application/xhtml+xml") or lower.startswith((b"<!doctype html", b"<html")):
        return "html"
    if kind.startswith("text/") or kind in ("application/json", "application/xml"):
        return "plain"
    return "plain" if plain_files.is_text(content) else "unknown_format"


_RIFF = (b"WEBP", b"WAVE", b"AVI ")
_SPOKEN_TYPES = ("text/vtt", "application/x-subrip", "application/srt", "text/srt")
_SPOKEN_NAMES = re.compile(r".*\.(srt|vtt|sbv)", re.IGNORECASE)

Reader = Callable[[bytes, str, Writing], None]


def _of_content(reader: Callable[[bytes, Writing], None]) -> Reader:
    """A reader of a format that says itself what it is."""
    return lambda content, _, writing: reader(content, writing)


_READERS: dict[str, Reader] = {
    "pdf": _of_content(pdf_files.pdf), "docx": _of_content(office_files.docx), "xlsx": _of_content(office_files.xlsx),
    "pptx": _of_content(office_files.pptx), "odf": _of_content(office_files.odf), "html": plain_files.page,
    "rtf": plain_files.rich_text, "mail": plain_files.letter, "captions": plain_files.captions,
    "calendar": plain_files.calendar, "plain": plain_files.plain,
}  # fmt: skip


# ---- the process ---------------------------------------------------------------------------------


class Asked(msgspec.Struct, frozen=True):
    """What is asked of the process: a file follows of so many bytes."""

    size: int
    media_type: str
    name: str


def serve() -> None:
    """Read files from standard input until it ends, and answer on standard output.

    The process may use a gigabyte, writes no file, and ends by itself where a
    file takes too long.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    into, out = sys.stdin.buffer, sys.stdout.buffer
    while (asked := _taken(into)) is not None:
        told = msgspec.msgpack.decode(asked, type=Asked)
        content = into.read(told.size)
        signal.alarm(MOST_SECONDS * 2)  # by default it ends the process, whatever holds it up
        answer = msgspec.msgpack.encode(read(content, told.media_type, told.name))
        signal.alarm(0)
        with suppress(BrokenPipeError):
            put(out, answer)


def put(out: BinaryIO | IO[bytes], message: bytes) -> None:
    """Write one message with its length."""
    out.write(struct.pack(">I", len(message)) + message)
    out.flush()


def _taken(into: BinaryIO) -> bytes | None:
    head = into.read(4)
    if len(head) < 4:
        return None
    return into.read(int(struct.unpack(">I", head)[0]))


__all__ = [
    "MEDIA", "MOST_BYTES", "MOST_SECONDS", "QUIET", "Asked", "Attached", "put", "read", "serve", "sort_of", "told_by_name",
]  # fmt: skip

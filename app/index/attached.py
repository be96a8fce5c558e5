"""The words of a file: PDF, Word, Excel, PowerPoint, OpenDocument, HTML and plain text, as pure functions over bytes.

Files come from strangers. So this runs in a process of its own
(`app.index.extracting`), with little memory and a clock; here every part of
an archive is read only up to a bound, XML is read without its entities, and
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
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from io import BytesIO
from typing import IO, BinaryIO, Protocol

import msgspec

MOST_BYTES = 64 * 1024 * 1024
"""A larger file is not read."""
MOST_CHARACTERS = 5_000_000
MOST_PAGES = 3_000
MOST_SECONDS = 20
_MOST_UNPACKED = 256 * 1024 * 1024
_MOST_PARTS = 10_000
_MEMORY = 1 << 30

MEDIA, QUIET = "media", "quiet"
"""What is no text: pictures, sound and film; fonts, styles and programs."""


class Attached(msgspec.Struct, frozen=True, array_like=True):
    """The words of a file; `pages` says where each of its pages, slides or sheets begins, `lacks` what is missing.

    `lacks` is a word of `documents.LACKS`, `media` or `quiet`, or None where
    everything was read.
    """

    text: str = ""
    pages: tuple[int, ...] = ()
    unit: str = "page"
    lacks: str | None = None


class _Enough(Exception):
    """A bound was reached; what was read so far stands."""


@dataclass(slots=True)
class _Writing:
    """Collects text up to the bounds."""

    now: Callable[[], float]
    until: float
    parts: list[str]
    pages: list[int]
    length: int = 0

    def page(self) -> None:
        if len(self.pages) >= MOST_PAGES:
            raise _Enough
        if self.length:
            self.say("\n\n")
        self.pages.append(self.length)

    def say(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)
        if self.length > MOST_CHARACTERS or self.now() > self.until:
            raise _Enough

    def done(self, unit: str, *, whole: bool) -> Attached:
        text = "".join(self.parts)[:MOST_CHARACTERS].encode("utf-8", "replace").decode()
        return Attached(text, tuple(self.pages), unit, None if whole else "too_long")


def read(
    content: bytes, media_type: str = "", name: str = "", *, now: Callable[[], float] = time.monotonic
) -> Attached:
    """The words of a file, by what it is rather than by what it is called; whatever fails is a reason."""
    if len(content) > MOST_BYTES:
        return Attached(lacks="too_long")
    kind = sort_of(content, media_type, name)
    reader = _READERS.get(kind)
    if reader is None:
        return Attached(lacks=kind)
    writing = _Writing(now, now() + MOST_SECONDS, [], [])
    try:
        reader(content, writing)
    except _Enough:
        return writing.done(_UNITS.get(kind, "page"), whole=False)
    except _Protected:
        return Attached(lacks="protected")
    except (MemoryError, RecursionError):
        return Attached(lacks="unreadable")
    except Exception:  # noqa: BLE001 - a damaged file may raise anything, in our readers and in pypdf
        return Attached(lacks="unreadable")
    told = writing.done(_UNITS.get(kind, "page"), whole=True)
    if kind == "pdf" and re.search(r"\w", told.text) is None:
        return Attached(lacks="scanned")
    return told


class _Protected(Exception):
    """The file is locked with a password."""


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
        return _sort_of_zip(content)
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
    if kind in ("text/html", "application/xhtml+xml") or lower.startswith((b"<!doctype html", b"<html")):
        return "html"
    if kind.startswith("text/") or kind in ("application/json", "application/xml", "application/x-subrip"):
        return "plain"
    return "plain" if _is_text(content) else "unknown_format"


_RIFF = (b"WEBP", b"WAVE", b"AVI ")


def _sort_of_zip(content: bytes) -> str:
    try:
        names = set(zipfile.ZipFile(BytesIO(content)).namelist())
    except (zipfile.BadZipFile, ValueError, RuntimeError):  # the last is of a method of packing that is newer
        return "unreadable"
    for part, kind in (
        ("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx"), ("ppt/presentation.xml", "pptx"), ("content.xml", "odf"),
    ):  # fmt: skip
        if part in names:
            return kind
    return "unknown_format"


def _is_text(content: bytes) -> bool:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        content[:65536].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > 65530  # the bound fell into a character
    return re.search(rb"[\x00-\x08\x0e-\x1a]", content[:65536]) is None


# ---- readers -------------------------------------------------------------------------------------


def _plain(content: bytes, writing: _Writing) -> None:
    writing.say(_decoded(content))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


_APART = frozenset(
    [
        "p",
        "div",
        "br",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "td",
        "th",
        "tr",
        "table",
        "section",
        "article",
        "header",
        "footer",
        "blockquote",
        "pre",
        "title",
        "dt",
        "dd",
    ]
)
_UNREAD = frozenset(("script", "style", "template", "noscript"))


class _Html(HTMLParser):
    def __init__(self, writing: _Writing) -> None:
        super().__init__(convert_charrefs=True)
        self.writing, self.inside = writing, 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self.inside += 1
        elif tag in _APART:
            self.writing.say("\n")
        for name, value in attrs:
            if name in ("alt", "title") and value and not self.inside:
                self.writing.say(f"\n{value}\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self.inside = max(0, self.inside - 1)
        elif tag in _APART:
            self.writing.say("\n")

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.writing.say(data)


def _html(content: bytes, writing: _Writing) -> None:
    parser = _Html(writing)
    text = _decoded(content)
    for start in range(0, len(text), 65536):
        parser.feed(text[start : start + 65536])
    parser.close()


def _pdf(content: bytes, writing: _Writing) -> None:
    from pypdf import PdfReader  # noqa: PLC0415 - only here: most files are none, and it takes a while to load
    from pypdf.errors import DependencyError, FileNotDecryptedError  # noqa: PLC0415 - only here: it takes a while to load

    try:
        reader = PdfReader(BytesIO(content), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise _Protected
        for page in reader.pages:
            writing.page()
            writing.say(page.extract_text())
    except (DependencyError, FileNotDecryptedError) as error:
        raise _Protected from error


def _docx(content: bytes, writing: _Writing) -> None:
    parts = _Parts(content)
    wanted = re.compile(r"word/(document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml")
    for name in sorted(filter(wanted.fullmatch, parts.names), key=lambda name: name != "word/document.xml"):
        _say_xml(parts.open(name), writing, says={"t", "delText"}, ends={"p"}, blanks={"tab", "br", "cr"})
        writing.say("\n")


def _pptx(content: bytes, writing: _Writing) -> None:
    parts = _Parts(content)
    for number, name in parts.numbered(r"ppt/slides/slide(\d+)\.xml"):
        writing.page()
        _say_xml(parts.open(name), writing, says={"t"}, ends={"p"}, blanks={"br"})
        notes = f"ppt/notesSlides/notesSlide{number}.xml"
        if notes in parts.names:
            _say_xml(parts.open(notes), writing, says={"t"}, ends={"p"}, blanks={"br"})


def _xlsx(content: bytes, writing: _Writing) -> None:
    parts = _Parts(content)
    shared = list(_shared(parts)) if "xl/sharedStrings.xml" in parts.names else []
    for _, name in parts.numbered(r"xl/worksheets/sheet(\d+)\.xml"):
        writing.page()
        kind = ""
        for event, tag, element in _events(parts.open(name)):
            if event == "start" and tag == "c":
                kind = element.get("t", "")
            elif event == "end" and tag in {"v", "t"} and element.text:
                at = int(element.text) if kind == "s" and tag == "v" and element.text.isdigit() else None
                said = element.text if at is None else shared[at] if at < len(shared) else ""
                writing.say(said + "\t")
            elif event == "end" and tag == "row":
                writing.say("\n")
                element.clear()


def _shared(parts: _Parts) -> Iterator[str]:
    held: list[str] = []
    for event, tag, element in _events(parts.open("xl/sharedStrings.xml")):
        if event == "end" and tag == "t":
            held.append(element.text or "")
        elif event == "end" and tag == "si":
            yield "".join(held)
            held = []
            element.clear()


def _odf(content: bytes, writing: _Writing) -> None:
    parts = _Parts(content)
    if "META-INF/manifest.xml" in parts.names and b"encryption-data" in parts.open(
        "META-INF/manifest.xml"
    ).read(1 << 20):
        raise _Protected
    for event, tag, element in _events(parts.open("content.xml")):
        if event == "start" and tag in {"page", "table"}:
            writing.page()
        if event == "start" and tag in {"tab", "line-break", "s"}:
            writing.say(" ")
        if event == "end" and tag in {"p", "h"}:
            writing.say("".join(element.itertext()) + "\n")


class _Parts:
    """The parts of a zipped document, read up to a bound all together: what unpacks beyond measure is no document."""

    def __init__(self, content: bytes) -> None:
        self.file = zipfile.ZipFile(BytesIO(content))
        told = self.file.infolist()
        if len(told) > _MOST_PARTS or sum(one.file_size for one in told) > _MOST_UNPACKED:
            raise _Enough
        if any(one.flag_bits & 1 for one in told):
            raise _Protected
        self.names = {one.filename for one in told}

    def open(self, name: str) -> IO[bytes]:
        return self.file.open(name)  # the length that the directory tells is a bound: reading ends there

    def numbered(self, pattern: str) -> list[tuple[int, str]]:
        found = ((re.fullmatch(pattern, name), name) for name in self.names)
        return sorted((int(match.group(1)), name) for match, name in found if match is not None)


class _Element(Protocol):
    """What is used of an element."""

    text: str | None

    def get(self, name: str, default: str) -> str: ...
    def itertext(self) -> Iterator[str]: ...
    def clear(self) -> None: ...


def _events(part: IO[bytes]) -> Iterator[tuple[str, str, _Element]]:
    """Every element as it begins and as it ends, by its name without a namespace; no entity is ever followed."""
    from defusedxml.ElementTree import iterparse  # noqa: PLC0415 - only here: most files are none of these

    for event, element in iterparse(part, events=("start", "end"), forbid_dtd=True):
        yield event, str(element.tag).rpartition("}")[2], element


def _say_xml(part: IO[bytes], writing: _Writing, *, says: set[str], ends: set[str], blanks: set[str]) -> None:
    for event, tag, element in _events(part):
        if event == "end" and tag in says:
            writing.say(element.text or "")
        elif event == "end" and tag in blanks:
            writing.say(" ")
        elif event == "end" and tag in ends:
            writing.say("\n")
            element.clear()


_READERS: dict[str, Callable[[bytes, _Writing], None]] = {
    "pdf": _pdf, "docx": _docx, "xlsx": _xlsx, "pptx": _pptx, "odf": _odf, "html": _html, "plain": _plain,
}  # fmt: skip
_UNITS = {"pptx": "slide", "xlsx": "sheet"}


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

"""A web archive: WARC files, plain or gzip, or WACZ files. Each web page in it is a record, each time it was seen a version.

Other programs captured it, so that it is received like any import, never
captured. Pictures, styles and scripts are listed by their addresses; their
bytes are kept with the rest of the file, so that nothing is lost.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from app.capture.formats import warc_records
from app.capture.formats.divided import inside
from app.capture.formats.download import Download
from app.capture.formats.source import Handed, Left, Line, Mark, Unreadable, digest_of, joined
from app.capture.formats.warc_records import Readable, Record
from app.capture.lines import BadFile, Stretch
from connectors.codings import CannotDecode, codings, decode
from connectors.contract import Kind, Observation
from connectors.text import plain

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,300}>([^<]{1,2000})</title", re.IGNORECASE)
_NO_PAGES = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
"""Encodings that Python knows and in which no browser reads a page."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_AS_BROWSERS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
"""What browsers read where a page names these (WHATWG Encoding, 4.2): wider encodings that hold all of their signs."""
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[^\r\n]{0,200}\r\n")
_SILENT = frozenset({"request", "metadata", "warcinfo", "revisit", "continuation"})
"""Records that show no page by themselves."""


class WebArchive:
    """Everything that web archives show."""

    format = "warc"
    reader = "warc/2"
    shared = True
    key = ""

    def __init__(self, files: Sequence[Path]) -> None:
        self.handed: Handed
        self._download: Download | None = None
        self._parts: list[tuple[str, Callable[[], AbstractContextManager[BinaryIO]]]] = []
        self._seen: dict[str, Left] = {}
        self._silent: Counter[str] = Counter()
        self._done = 0
        if all(file.is_dir() or zipfile.is_zipfile(file) for file in files):
            self._packed(files)
        else:
            self._plain(files)
        self.total = self.handed.bytes
        self.form = "the records of the WARC file, unpacked"

    def _packed(self, files: Sequence[Path]) -> None:
        """WACZ files, or a folder."""
        self._download = Download(files, apart=True)
        self.handed = self._download.handed
        for path in sorted(self._download.members):
            if path.lower().endswith((".warc", ".warc.gz")):
                self._parts.append((path, partial(self._download.open, path)))
        if not self._parts:
            refused = self._download.refusal(
                f"{self.handed.name} holds no WARC file", "Give a .warc, a .warc.gz or a .wacz."
            )
            self._download.close()
            raise refused

    def _plain(self, files: Sequence[Path]) -> None:
        """WARC files by themselves."""
        told = [digest_of(file) for file in files]
        names = {one.name for one in told}
        if len(names) != len(told):
            raise BadFile("two of these files bear one name", next="Import them one after the other.")
        self.handed = (
            told[0]
            if len(told) == 1
            else joined(told[0].name, [(one.name, one.sha256, one.bytes) for one in told])
        )
        for file in files:
            with file.open("rb") as opened:
                first = next(warc_records.records(cast("Readable", opened)), None)
            if first is None or not first.content.lstrip(b"\r\n").startswith(b"WARC/"):
                why = f": {first.why}" if first is not None and first.why else ""
                raise BadFile(
                    f"{file.name} is no WARC file{why}", next="Give a .warc, a .warc.gz or a .wacz."
                )
            self._parts.append((file.name, partial(_opened, file)))

    # -- what an import asks -------------------------------------------------------------------------------

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Every record of every file."""
        number = 0
        self._seen, self._silent = {}, Counter()
        for name, opened in self._parts:
            with opened() as content:
                for record in warc_records.records(cast("Readable", content)):
                    stretch = self._stretch(name, record)
                    if number >= after.stretches:
                        yield stretch
                    number += 1
                    self._done = min(self.total, self._done + len(record.content))
        self._done = self.total

    def _stretch(self, name: str, record: Record) -> Stretch:
        """A record as a stretch of its file; what is no web page is listed, or counted."""
        if record.why is None or record.headers:
            why = record.why or _why_not(record)
            if record.type in _SILENT:
                self._silent[record.type] += 1
            elif why is not None:
                self._seen[f"{name}: record {record.number} {record.target}".rstrip()] = Left(
                    f"{name}: record {record.number} {record.target}".rstrip(), record.length, why
                )
            else:
                return Stretch(record.number, record.content, None, name, record)
            return Stretch(record.number, record.content, None, name)
        return Stretch(record.number, record.content, record.why, name)

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """The web page of one record."""
        return (Line(None, None, page(stretch.found)),) if isinstance(stretch.found, Record) else ()

    def page(self) -> tuple[str, str] | None:
        """A web archive does not say whose page it shows."""
        raise BadFile(
            f"{self.handed.name} does not say whose page it shows", next="Name the page with --page."
        )

    def done(self) -> int:
        """About how many of the bytes were read: unpacked ones count, as far as there are packed ones."""
        return self._done

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """None: the records name no file."""
        del path
        return None

    def left(self) -> Sequence[Left]:
        """Every response that is no web page, by its address, and every other file of a WACZ."""
        told = list(self._seen.values())
        if self._download is not None:
            parts = {name for name, _ in self._parts}
            told += self._download.refused
            told += [
                Left(path, one.size, _no_warc(self._download, path))
                for path, one in sorted(self._download.members.items())
                if path not in parts
            ]
        return told

    def remarks(self) -> Sequence[str]:
        """What is kept as bytes alone."""
        told = [
            f"{number} {kind} records are kept as bytes alone"
            for kind, number in sorted(self._silent.items())
        ]
        told.append(
            "When a page was published is not known; when another program saw it stands in `seen_at`."
        )
        return told

    def close(self) -> None:
        """Give the files back."""
        if self._download is not None:
            self._download.close()


def _opened(file: Path) -> AbstractContextManager[BinaryIO]:
    return file.open("rb")


def _no_warc(download: Download, path: str) -> str:
    """Why a file of a WACZ is not read; indexes are gzip as a rule, and no archives."""
    kind = download.packing(path)
    return inside(kind) if kind and kind != "gzip" else "no WARC file: it is not read"


# -- one record --------------------------------------------------------------------------------------------------


def _why_not(record: Record) -> str | None:
    """Why a record shows no web page; None where it does."""
    block = record.content[slice(*record.block)]
    if record.type == "response":
        head = _answer(block)
        if head is None:
            return "no HTTP response"
        status, headers, _ = head
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        if status != 200:
            return f"an answer of {status}"
    elif record.type == "resource":
        media = record.headers.get("content-type", "").partition(";")[0].strip().lower()
    else:
        return f"a record of the type {record.type or 'none'!r}"
    if not record.target:
        return "it names no address"
    return None if media in _HTML else f"no web page: {media or 'of no type'}"


def page(record: Record) -> Observation:
    """A web page as some program saw it, or `Unreadable`: cut, altered, or packed in a way that is not read."""
    block = record.content[slice(*record.block)]
    agreed = warc_records.agrees(block, record.headers.get("warc-block-digest", ""))
    headers: Mapping[str, str] = record.headers
    body = block
    if record.type == "response":
        answer = _answer(block)
        assert answer is not None, "what is no response was listed"
        _, headers, body = answer
        if agreed is None:
            # Some programs take the payload's digest of the body without its transfer coding.
            told = record.headers.get("warc-payload-digest", "")
            agreed = warc_records.agrees(body, told) or warc_records.agrees(_unchunked(body, headers), told)
    if agreed is False:
        raise Unreadable("its bytes do not have the digest that the WARC file names")
    if record.headers.get("warc-segment-number"):
        raise Unreadable("only a part of it: it goes on in further records, which are not put together")
    if record.headers.get("warc-truncated"):
        raise Unreadable(f"it was cut when it was captured: {record.headers['warc-truncated']}")
    body = _unchunked(body, headers)
    try:
        body = decode(body, codings(headers.get("content-encoding")), most=warc_records.LARGEST)
    except CannotDecode as error:
        if not body.lstrip().startswith(b"<"):
            raise Unreadable(f"the page cannot be unpacked: {error}") from error
        # Some programs unpack a page and leave its header as it was.
    html, broken = _words(body, headers.get("content-type", ""))
    title = _TITLE.search(html)
    extra: dict[str, object] = {
        "seen_at": record.headers.get("warc-date"),
        "warc_record": record.headers.get("warc-record-id"),
        "warc_type": record.type,
        "title": title[1].strip() if title else None,
        "server_address": record.headers.get("warc-ip-address"),
        "digest_agrees": agreed,
        "unreadable_characters": broken or None,
    }
    return Observation(
        native_id=record.target,
        kind=Kind.POST,
        text=plain(html),
        html=html,
        url=record.target,
        extra={name: value for name, value in extra.items() if value is not None},
    )


def _answer(block: bytes) -> tuple[int, Mapping[str, str], bytes] | None:
    """Status, headers and body of an HTTP response; None where it is none."""
    for mark in (b"\r\n\r\n", b"\n\n"):
        head, found, body = block.partition(mark)
        if found:
            break
    else:
        return None
    lines = head.replace(b"\r\n", b"\n").split(b"\n")
    status = re.fullmatch(rb"HTTP/\d(?:\.\d)? (\d{3})(?: .*)?", lines[0])
    if status is None:
        return None
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.strip().decode("latin-1").lower(), value.strip().decode("latin-1"))
    return int(status[1]), headers, body


def _unchunked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body without its transfer coding, where it still bears it."""
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return body
    parts: list[bytes] = []
    at = 0
    while (size := _CHUNK.match(body, at)) is not None:
        length, start = int(size[1], 16), size.end()
        if length == 0:
            return b"".join(parts)
        if body[start + length : start + length + 2] != b"\r\n":
            return body
        parts.append(body[start : start + length])
        at = start + length + 2
    return body


def _words(body: bytes, content_type: str) -> tuple[str, int]:
    """The page as text, and how many characters could not be read: in the encoding that it names, UTF-8, or Windows-1252."""
    stated = _CHARSET.search(content_type)
    meta = _META.search(body[:4096])
    names = [stated[1]] if stated else []
    names += [meta[1].decode("ascii")] if meta else []
    # A byte order mark comes before whatever the page or the server says.
    for mark, name in _MARKS:
        if body.startswith(mark):
            body, names = body.removeprefix(mark), [name]
    for name in (*names, "utf-8"):
        try:
            found = codecs.lookup(name).name
            if found not in _NO_PAGES:
                return body.decode(_AS_BROWSERS.get(found, found)), 0
        except (LookupError, ValueError):
            continue
    told = body.decode("utf-8" if "utf-8" in (one.lower() for one in names) else "cp1252", "replace")
    return told, told.count("\ufffd")

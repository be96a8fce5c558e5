"""In which encoding a table is written, and what divides its cells: stated, or found out where it is certain."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from app.capture.formats.source import CHUNK
from app.capture.lines import BadFile

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_WIDER = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_WINDOWS = tuple(f"cp{number}" for number in range(1250, 1259))
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS, _SAMPLE = 200, 1 << 20


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding, how many bytes of mark come first, and how it is known."""

    name: str
    mark: int
    known: str

    def newline(self) -> bytes:
        """The end of a line, in bytes."""
        return "\n".encode(self.name)


def _certain() -> frozenset[int]:
    """The bytes above ASCII that every Windows code page reads alike: quotation marks, dashes and their like."""
    alike = set()
    for byte in range(0x80, 0x100):
        read = set()
        for page in _WINDOWS:
            try:
                read.add(bytes([byte]).decode(page))
            except UnicodeDecodeError:
                read.add("")
        if len(read) == 1 and "" not in read:
            alike.add(byte)
    return frozenset(alike)


_ALIKE = _certain()


def encoding_of(content: BinaryIO, stated: str | None) -> Encoding:
    """The encoding of a file: as stated, as its mark says, UTF-8 where all of it is, or refused.

    Windows-1252 is found out only where every byte above ASCII means the same
    in every Windows code page, so that nothing can be read wrongly.
    """
    start = content.read(4)
    marked = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), None)
    if stated is not None:
        return _stated(stated, marked)
    if marked is not None:
        return Encoding(marked[1], len(marked[0]), "its byte order mark says so")
    decoder = codecs.getincrementaldecoder("utf-8")()
    above: set[int] = set()
    whole, nul, size = True, 0, 0
    chunk = start
    while chunk:
        nul, size = nul + chunk.count(0), size + len(chunk)
        if whole:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                whole = False
        above |= set(chunk.translate(None, _ASCII))
        chunk = content.read(CHUNK)
    if whole:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            whole = False
    if start[1:2] == b"\0" and nul * 10 > size * 4:
        return Encoding("utf-16-le", 0, "about every other byte is zero, as in UTF-16")
    if whole:
        return Encoding("utf-8", 0, "all of it is UTF-8" if above else "all of it is ASCII")
    if above <= _ALIKE:
        return Encoding("cp1252", 0, "its bytes above ASCII mean the same in every Windows code page")
    if _mostly_utf8(above):
        return Encoding("utf-8", 0, "nearly all of it is UTF-8; the rows that are not are reported")
    raise BadFile(
        "the file is not UTF-8, and what else it is cannot be known from its bytes",
        next="Save it as UTF-8, or state `encoding` in the mapping (Western European Excel files: cp1252).",
    )


def wider_than_utf8(begins: bytes) -> str | None:
    """The encoding whose characters have two bytes or four, where the first bytes of a file show one; else None."""
    for mark, name in _WIDER:
        if begins.startswith(mark):
            return name
    return "UTF-16" if len(begins) > 1 and (begins[0] == 0) != (begins[1] == 0) else None


_ASCII = bytes(range(0x80))


def _mostly_utf8(above: set[int]) -> bool:
    """Whether bytes occur that stand in UTF-8 for what no letter of a Windows page is followed by: lead and trail bytes of emoji."""
    return 0xF0 in above and 0x9F in above


def _stated(stated: str, marked: tuple[bytes, str] | None) -> Encoding:
    try:
        name = codecs.lookup(stated).name
        plain = "\n,\"'a".encode(name)
    except (LookupError, UnicodeError, ValueError) as error:
        raise BadFile(
            f"{stated!r} is no encoding of text", next="Write one such as utf-8, utf-16 or cp1252."
        ) from error
    if name in {"utf-16", "utf-8-sig"}:
        name = marked[1] if marked else ("utf-16-le" if name == "utf-16" else "utf-8")
    elif plain != b"\n,\"'a" and name not in {"utf-16-le", "utf-16-be"}:
        raise BadFile(f"{stated} cannot be divided into lines", next="Save the file as UTF-8.")
    mark = len(marked[0]) if marked and marked[1] == name else 0
    return Encoding(name, mark, "stated")


def delimiter_of(sample: str, quote: str, wanted: Sequence[str], header: int) -> str:
    """What divides the cells: the sign under which the columns that the mapping names are there, or every row has as many."""
    fitting: dict[str, int] = {}
    for sign in _DELIMITERS:
        try:
            rows = [
                row
                for row in csv.reader(
                    io.StringIO(sample, newline=""), delimiter=sign, quotechar=quote, strict=True
                )
                if row
            ]
        except csv.Error:
            continue
        head = rows[max(header, 1) - 1] if len(rows) >= max(header, 1) else []
        if (
            wanted
            and header
            and not {name for name in wanted if not name.startswith("#")} <= {cell.strip() for cell in head}
        ):
            continue
        if len(head) > 1 and all(len(row) == len(head) for row in rows[max(header, 1) - 1 : -1]):
            fitting[sign] = len(head)
    if len(fitting) == 1:
        return next(iter(fitting))
    if not fitting:
        return _by_names(sample, quote, wanted, header)
    raise BadFile(
        f"the cells may be divided by {' or by '.join(map(repr, fitting))}",
        next="State `delimiter` in the mapping, under `read`.",
    )


def _by_names(sample: str, quote: str, wanted: Sequence[str], header: int) -> str:
    """Where rows differ in length: the only sign under which the named columns stand in the header, else the comma."""
    lines = sample.splitlines()
    head = lines[header - 1] if 0 < header <= len(lines) else ""
    names = {name for name in wanted if not name.startswith("#")}
    fitting = []
    for sign in _DELIMITERS:
        cells = next(csv.reader([head], delimiter=sign, quotechar=quote), [])
        if len(cells) > 1 and (not names or names <= {cell.strip() for cell in cells}):
            fitting.append(sign)
    if len(fitting) > 1:
        raise BadFile(
            f"the cells may be divided by {' or by '.join(map(repr, fitting))}",
            next="State `delimiter` in the mapping, under `read`.",
        )
    return fitting[0] if fitting else ","


def physical(content: BinaryIO, newline: bytes, most: int) -> Iterator[bytes]:
    """The lines of a file in bytes, each with its end; one that is longer than `most` comes in parts."""
    unit, rest = len(newline), b""
    while chunk := content.read(CHUNK):
        data = rest + chunk
        if unit == 1:
            *whole, rest = data.split(newline)
            for line in whole:
                yield line + newline
        else:
            start = at = 0
            while (found := data.find(newline, at)) >= 0:
                at = found + 1
                if found % unit == 0:
                    yield data[start : found + unit]
                    start = at = found + unit
            rest = data[start:]
        while len(rest) > most:
            yield rest[:most]
            rest = rest[most:]
    if rest:
        yield rest


def sample_of(content: BinaryIO, encoding: Encoding) -> str:
    """The first lines of a file as text, for finding out what divides cells."""
    start = content.read(_SAMPLE)[encoding.mark :]
    text = start.decode(encoding.name, "replace")
    lines = text.splitlines(keepends=True)
    return "".join(lines[:_SAMPLE_ROWS] if len(lines) > _SAMPLE_ROWS else lines)

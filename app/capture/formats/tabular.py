"""CSV, and tables divided by semicolons, tabulators or bars: each row with its own bytes of the file.

Rows are taken apart by Python's csv module, strictly: a row whose quotation
marks do not close where a cell ends is reported, not repaired. Because it asks
for one line at a time, the lines that it took are exactly the row's bytes.
"""

from __future__ import annotations

import csv
import zlib
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from app.capture.formats.encoding import Encoding, delimiter_of, encoding_of, physical, sample_of
from app.capture.formats.mapping import MappingFile, Reading, Row
from app.capture.formats.source import Counted, Handed, digest_of
from app.capture.formats.table import Fact, Table, fact
from app.capture.lines import BadFile, Stretch, opened

LONGEST = 4 * 1024 * 1024
"""The longest row that is read; a quotation mark that never closes swallows no more than this."""
csv.field_size_limit(LONGEST)  # the module's own limit is 128 KiB, less than a long post with its markup


class Csv(Table):
    """A file of rows."""

    format = "csv"
    reader = "csv/1"

    def __init__(self, file: Path, mapping: MappingFile | None, handed: Handed | None = None) -> None:
        super().__init__(file, handed or digest_of(file), mapping)
        self.reading = reading = mapping.reading if mapping else Reading()
        raw, content = self.opened()
        with raw:
            try:
                self.encoding = self.encoding_of(content)
            except (EOFError, OSError, zlib.error) as error:
                raise BadFile(f"{file} is cut or damaged: {error}") from error
        raw, content = self.opened()
        with raw:
            sample = sample_of(content, self.encoding)
        self.delimiter, self.quote = self.signs(sample)
        breaks = "\n" in sample
        self.newline = (
            self.encoding.newline() if breaks or "\r" not in sample else "\r".encode(self.encoding.name)
        )
        self.nul = Counted()
        if reading.header:
            head = next(islice((stretch.found for stretch in self._parsed()), reading.header - 1, None), None)
            if not isinstance(head, Row) or not any(head.cells):
                raise BadFile(f"{file.name} has no line {reading.header} that names its columns")
            self.head(head.cells)
        else:
            first = next((stretch.found for stretch in self._parsed()), None)
            self.head([""] * len(first.cells) if isinstance(first, Row) else [])

    def opened(self) -> tuple[BinaryIO, BinaryIO]:
        """The file as it lies, and what it holds."""
        return opened(self.file)

    def encoding_of(self, content: BinaryIO) -> Encoding:
        """The encoding, stated or found out."""
        return encoding_of(content, self.reading.encoding)

    def signs(self, sample: str) -> tuple[str, str]:
        """What divides cells, and what stands around them."""
        reading = self.reading
        wanted = [] if self.mapping is None else sorted(columns_of(self.mapping.fields))
        divides = reading.delimiter or delimiter_of(sample, reading.quote, wanted, reading.header)
        return divides, reading.quote

    def rows(self) -> Iterator[Stretch]:
        """Every row, its header first."""
        for number, stretch in enumerate(self._parsed()):
            if number < self.reading.header:
                yield Stretch(stretch.number, stretch.content, stretch.why)
            else:
                yield stretch

    def facts(self) -> list[Fact]:
        """Encoding and delimiter with how they are known, and what was noticed."""
        signs = {
            ",": "commas",
            ";": "semicolons",
            "\t": "tabulators",
            "|": "bars",
            "\x14": "DC4 (character 20)",
        }
        divided = signs.get(self.delimiter, repr(self.delimiter))
        return [
            Fact(f"read as {self.encoding.name} ({self.encoding.known})"),
            Fact(f"cells divided by {divided} ({'stated' if self.reading.delimiter else 'found out'})"),
            *super().facts(),
            *fact(self.nul, "{} rows hold NUL characters, kept as they are"),
        ]

    def _parsed(self) -> Iterator[Stretch]:
        """Rows with the bytes that they were read from."""
        raw, content = self.opened()
        with raw:
            lines, number = _Lines(physical(content, self.newline, LONGEST)), 1
            feed = _Feed(lines, self.encoding.name, self.encoding.mark)
            reader = self._reader(feed)
            while True:
                feed.begin()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except (csv.Error, _TooLong) as error:
                    # Only the line on which it began is given up; those after it may be rows of their own.
                    lost = feed.taken[0]
                    lines.give_back(feed.taken[1:])
                    yield Stretch(number, lost, _why(error))
                    while len(lost) >= LONGEST and not lost.endswith(self.newline):
                        lost = next(lines, b"")
                        yield Stretch(number, lost, "")
                    number += 1
                    reader = self._reader(feed)
                    continue
                self._done = raw.tell()
                place = f"line {number}"
                if any("\0" in cell for cell in cells):
                    self.nul.add(place)
                yield Stretch(number, b"".join(feed.taken), feed.bad or None, found=Row(cells, place))
                number += len(feed.taken)

    def _reader(self, feed: _Feed) -> Iterator[list[str]]:
        return csv.reader(feed, delimiter=self.delimiter, quotechar=self.quote, strict=True)


class _Lines:
    """Lines of the file; those that were taken in vain can be given back."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines = lines
        self.again: deque[bytes] = deque()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> bytes:
        return self.again.popleft() if self.again else next(self.lines)

    def give_back(self, lines: list[bytes]) -> None:
        self.again.extendleft(reversed(lines))


class _TooLong(Exception):
    """A row that does not end."""


class _Feed:
    """Hands lines to the csv module as text, and remembers the bytes of those that it took."""

    def __init__(self, lines: Iterator[bytes], encoding: str, mark: int) -> None:
        self.lines, self.encoding, self.mark = lines, encoding, mark
        self.taken: list[bytes] = []
        self.size, self.bad = 0, ""

    def begin(self) -> None:
        """A new row begins with the next line."""
        self.taken, self.size, self.bad = [], 0, ""

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.taken.append(line)
        self.size += len(line)
        if self.size >= LONGEST:
            raise _TooLong
        mark, self.mark = self.mark, 0
        try:
            return line[mark:].decode(self.encoding)
        except UnicodeDecodeError:
            self.bad = f"bytes that are not {self.encoding}"
            return line[mark:].decode(self.encoding, "replace")


def _why(error: Exception) -> str:
    if isinstance(error, _TooLong):
        return (
            f"a quotation mark that opens here is not closed within {LONGEST >> 20} MiB, or the row is longer"
        )
    if "unexpected end of data" in str(error):
        return "a quotation mark that opens here is never closed"
    return f"its quotation marks are not those of a table: {error}"


def columns_of(value: object) -> set[str]:
    """The columns that a mapping names, as far as they bear names."""
    found: set[str] = set()
    if not isinstance(value, dict) and not hasattr(value, "items"):
        return found
    for name, spec in value.items():
        if isinstance(spec, str):
            found.add(spec)
        elif isinstance(spec, dict):
            if name == "counts":
                found |= {str(column) for column in spec.values()}
            else:
                found |= {str(spec[key]) for key in ("column",) if key in spec}
                found |= {str(column) for key in ("columns", "derive") for column in spec.get(key, [])}
    return found

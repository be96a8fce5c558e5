"""The rows of a table within a download, each with its own bytes: read strictly, and not repaired."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.capture.formats.tabular import LONGEST

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with its bytes; `why` where it cannot be read."""

    start: int
    end: int
    cells: Sequence[str]
    why: str | None = None


def rows(body: bytes, *, escaped: bool = False) -> Iterator[Row]:
    """The rows of a table with their bytes, its header first.

    The csv module asks for one line at a time, so that the lines that it took
    are exactly a row's bytes. Where it gives a row up, only the line on which
    that began is lost: those after it may be rows of their own. `escaped` says
    that a quotation mark inside a cell has a backslash before it, not a second one.
    """
    lines = [(one.start(), one.end()) for one in _LINE.finditer(body)]
    at = 0
    while at < len(lines):
        feed = _Feed(body, lines, at)
        reader = csv.reader(feed, strict=True, doublequote=not escaped, escapechar="\\" if escaped else None)
        while True:
            begins = feed.at
            feed.begin = begins
            feed.bad = False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                why = (
                    "a quotation mark that opens here is not closed"
                    if "unexpected end" in str(error)
                    else f"its quotation marks are not those of a table: {error}"
                )
                yield Row(*lines[begins], (), why)
                at = begins + 1
                break
            bad = "bytes that are not UTF-8" if feed.bad else None
            yield Row(lines[begins][0], lines[feed.at - 1][1], cells, bad)


class _Feed:
    """Hands lines to the csv module as text, and remembers how far it came."""

    def __init__(self, body: bytes, lines: Sequence[tuple[int, int]], at: int) -> None:
        self.body, self.lines, self.at = body, lines, at
        self.begin, self.bad = at, False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        start, end = self.lines[self.at]
        if end - self.lines[self.begin][0] > LONGEST:
            raise csv.Error("a row that does not end")
        self.at += 1
        line = self.body[start:end]
        if start == 0:
            line = line.removeprefix(_MARK)
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.bad = True
            return line.decode(errors="replace")

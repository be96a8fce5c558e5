"""The rows of a table within a download, each with its own bytes: read strictly, and not repaired."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.capture.formats.tabular import LONGEST

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
    at = 0
    while at < len(body):
        feed = _Feed(body, at)
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
                at = _line_end(body, begins)
                yield Row(begins, at, (), why)
                break
            bad = "bytes that are not UTF-8" if feed.bad else None
            yield Row(begins, feed.at, cells, bad)


def cells_of(content: bytes) -> Sequence[str]:
    """The cells of one row that was read before, out of its own bytes."""
    return next(csv.reader((line.decode() for line in io.BytesIO(content)), strict=True))


class _Feed:
    """Hands lines to the csv module as text, and remembers how far it came."""

    def __init__(self, body: bytes, at: int) -> None:
        self.body, self.at = body, at
        self.begin, self.bad = at, False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        start = self.at
        if start >= len(self.body):
            raise StopIteration
        end = _line_end(self.body, start)
        if end - self.begin > LONGEST:
            raise csv.Error("a row that does not end")
        self.at = end
        line = self.body[start:end]
        if start == 0:
            line = line.removeprefix(_MARK)
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.bad = True
            return line.decode(errors="replace")


def _line_end(body: bytes, start: int) -> int:
    return body.find(b"\n", start) + 1 or len(body)

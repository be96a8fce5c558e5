"""A table that a mapping reads: what CSV files and workbooks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.capture.formats.mapping import BadMapping, Bound, MappingFile, Row, bind, named
from app.capture.formats.source import Beside, Counted, Handed, Left, Line, Mark
from app.capture.lines import Stretch


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a reader should know of how a table was read, and how often it met it."""

    what: str
    times: int = 0
    places: Sequence[str] = ()

    def __str__(self) -> str:
        where = (
            f" ({', '.join(self.places)}{', …' if self.times > len(self.places) else ''})"
            if self.places
            else ""
        )
        return f"{self.what}{where}"


class Table(ABC):
    """A table and the mapping that reads it."""

    format: str
    reader: str
    shared = False
    form = ""

    def __init__(self, file: Path, handed: Handed, mapping: MappingFile | None) -> None:
        self.file, self.handed, self.mapping = file, handed, mapping
        self.key = mapping.digest if mapping else ""
        self.total = handed.bytes
        self.columns: list[str] = []
        self.bound: Bound | None = None
        self._beside = Beside(file.parent)
        self._done = 0

    def head(self, cells: Sequence[object]) -> None:
        """Take the names of the columns, and bind the mapping to them."""
        self.columns = named(cells)
        if self.mapping is not None:
            self.bound = bind(self.mapping, self.columns)

    @abstractmethod
    def rows(self) -> Iterator[Stretch]:
        """Every stretch of the table; `found` is a `Row` where it is one."""

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Every stretch after those that are kept already."""
        for number, stretch in enumerate(self.rows()):
            if number >= after.stretches:
                yield stretch
        self._done = self.total

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """The observation of a row; nothing where it is the header, or empty."""
        if not isinstance(stretch.found, Row):
            return ()
        if self.bound is None:
            raise BadMapping(
                "a table is read with a mapping", next="`--suggest MAPPING` writes one to start from."
            )
        line = self.bound.line(stretch.found)
        return () if line is None else (line,)

    def page(self) -> tuple[str, str] | None:
        """A table is nobody's download; the mapping or the officer says whose page it was."""
        return None

    def done(self) -> int:
        """Bytes of the file that were read."""
        return self._done

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """A file beside the table."""
        return self._beside.open(path)

    def left(self) -> Sequence[Left]:
        """What of the file is no part of the table."""
        return ()

    def reading_suggested(self) -> list[str]:
        """Lines of a mapping that say how the table itself is read, where that is not plain."""
        return []

    def facts(self) -> list[Fact]:
        """What was noticed while reading; the mapping's part."""
        if self.bound is None:
            return []
        told = []
        if self.bound.derived:
            told.append(
                Fact(
                    f"native ids are made from {', '.join(self.bound.derived)}: rows that agree in these are one record, "
                    "and a row whose words there were changed is another record"
                )
            )
        for name, (_, times) in self.bound.times.items():
            noticed = times.noticed
            proven = noticed.order_proven.times
            for counted, what in (
                (
                    noticed.order_open,
                    f"{{}} times in {name} could be read with day and month changed about; "
                    + (
                        f"{proven} others prove the order of the mapping"
                        if proven
                        else "none proves the order of the mapping"
                    ),
                ),
                (noticed.days, f"{{}} values of {name} tell a day and no time: read as its first moment"),
                (noticed.twice, f"{{}} times in {name} were shown twice by the clocks: read as the later"),
                (
                    noticed.skipped,
                    f"{{}} times in {name} were never shown by the clocks: read as that much later",
                ),
            ):
                told += fact(counted, what)
        told += fact(self.bound.short_rows, "{} rows have fewer cells than there are columns")
        return told

    def remarks(self) -> Sequence[str]:
        """What was noticed, in sentences."""
        return [str(one) for one in self.facts()]

    def close(self) -> None:
        """Nothing stays open; there is nothing more to read."""
        self._done = self.total


def fact(counted: Counted, what: str) -> list[Fact]:
    """What was noticed, where it was."""
    return [Fact(what.format(counted.times), counted.times, counted.places)] if counted.times else []

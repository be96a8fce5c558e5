"""A LinkedIn member's own download ("Get a copy of your data"): a ZIP, or a folder of its tables.

What a table is, is told by its columns. Quotation marks inside a cell stand
twice in some of LinkedIn's tables and behind a backslash in others; which of
the two, the table that can be read without a fault decides. A row that cannot
be read is reported, not repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from app.capture.formats import linkedin_items
from app.capture.formats.divided import Divided, Item
from app.capture.formats.download import Download
from app.capture.formats.linkedin_items import PROFILE, Told
from app.capture.formats.loose import Loose
from app.capture.formats.rows import Row, rows
from app.capture.formats.source import Line
from app.capture.lines import BadFile


@dataclass(frozen=True, slots=True)
class _Table:
    what: str
    columns: Sequence[str]
    escaped: bool
    quoted: bool = False
    """Whether each line of a cell stands between quotation marks that are LinkedIn's."""


class LinkedinDownload(Divided):
    """Everything that a member's download shows."""

    format = "linkedin-download"
    reader = "linkedin-download/2"

    def __init__(self, files: Sequence[Path]) -> None:
        self.told = Told()
        self.tables: dict[str, _Table] = {}
        super().__init__(files)

    def gathered(self, files: Sequence[Path]) -> Download:
        """The download, or tables of it."""
        return Loose(files)

    def page(self) -> tuple[str, str] | None:
        """The page whose download this is, or `BadFile` where it does not say."""
        if not self.told.name:
            raise BadFile(
                f"{self.handed.name} does not say whose page it is", next="Name the page with --page."
            )
        return "linkedin", self.told.name

    def remarks(self) -> Sequence[str]:
        """What was undone, and what may be missing."""
        told = ["Times that name no zone are read as UTC, in which LinkedIn writes the others."]
        if self.told.quoted:
            told.append(
                f"In {self.told.quoted} texts LinkedIn put each line between quotation marks: these were taken away; the bytes are kept as they were"
            )
        if self.told.odd_times:
            told.append(
                f"{self.told.odd_times} times cannot be: they are kept in `extra`, and no date was made of them"
            )
        told += self.beside()
        told.append("What others wrote below the posts is not in a download; capturing the page shows it.")
        return told

    def survey(self) -> None:
        """Find out what each table holds, how it is written, and whose page it is."""
        for path in self.paths(".csv"):
            self._recognise(path)
        if not self.tables and not self.unreadable:
            raise self.refusal(
                f"{self.handed.name} holds no table of a LinkedIn download that is known",
                advice="Ask LinkedIn for the larger data archive, with posts and comments.",
            )

    def _recognise(self, path: str) -> None:
        body = self.body(path)
        if body is None:
            return
        head = next(rows(body), None)
        what = linkedin_items.kind_of(head.cells, PurePosixPath(path).name) if head else None
        if head is None or what is None:
            number = sum(1 for _ in rows(body))
            names = ", ".join(head.cells)[:200] if head else ""
            self.leave(
                path, f"a table whose columns are not known ({names}); it has {max(number - 1, 0)} rows"
            )
            return
        columns = [name.strip().casefold() for name in head.cells]
        faults = {escaped: _faults(rows(body, escaped=escaped), len(columns)) for escaped in (False, True)}
        table = _Table(what, columns, faults[True] < faults[False])
        several = [
            words for row in self._rows(body, table) if "\n" in (words := linkedin_items.words_of(row))
        ]
        # One text that is written otherwise shows that the marks of the others are their writers' own.
        quoted = bool(several) and all(map(linkedin_items.is_quoted, several))
        self.tables[path] = table = replace(table, quoted=quoted)
        self.understood.append(path)
        if what == PROFILE:
            for told in self._rows(body, table):
                self.told.name = self.told.name or linkedin_items.name_of(told)

    def _rows(self, body: bytes, table: _Table) -> Iterator[Mapping[str, str]]:
        for row in rows(body, escaped=table.escaped):
            if row.start > 0 and _why(row, len(table.columns)) is None:
                yield dict(zip(table.columns, row.cells, strict=True))

    def items(self, path: str, body: bytes) -> Sequence[Item]:
        """The rows of a table below its header; empty ones are nobody's."""
        table = self.tables[path]
        return [
            Item(
                row.start,
                row.end,
                partial(self._read, table=table, cells=row.cells),
                _why(row, len(table.columns)),
            )
            for number, row in enumerate(rows(body, escaped=table.escaped))
            if number and (row.why is not None or any(row.cells))
        ]

    def _read(self, _content: bytes, *, table: _Table, cells: Sequence[str]) -> Sequence[Line]:
        """One row, whose cells were taken from these very bytes."""
        row = dict(zip(table.columns, cells, strict=True))
        return linkedin_items.lines(table.what, row, self.told, quoted=table.quoted)


def _why(row: Row, columns: int) -> str | None:
    if row.why is None and len(row.cells) != columns:
        return f"{len(row.cells)} cells where the table has {columns} columns"
    return row.why


def _faults(found: Iterator[Row], columns: int) -> int:
    """How many rows cannot be read so."""
    return sum(
        1 for row in found if (row.why is not None or any(row.cells)) and _why(row, columns) is not None
    )

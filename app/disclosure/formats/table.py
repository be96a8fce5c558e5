"""Tables as CSV (RFC 4180): UTF-8 with its mark, and nothing in them that a spreadsheet computes.

What strangers wrote may be made to be a formula. A value that a spreadsheet
would take for one gets an apostrophe before it, as in every table that leaves
this archive (`app.capture.copies`). So that it can be taken off again, a value
that looks as if it had one already gets another: `=1` becomes `'=1`, and `'=1`
becomes `''=1`. Whoever reads takes exactly one away. Blanks and characters that
nobody sees do not keep a sign from being the first: programs pass over them.
A value that has a semicolon or a tab is quoted as well, because LibreOffice
divides cells there too unless it is told otherwise, and behind one a formula could begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from app.capture import copies
from app.disclosure.formats.shape import (
    Kind,
    Malformed,
    Remark,
    Remarks,
    Row,
    Table,
    columned,
    counted,
    unheard,
)
from app.papers import words

END = "\r\n"
LONGEST = 64 << 20
"""A record of a table that is longer is none of ours, and is not read into memory."""
_BOM = "\ufeff"
_DANGEROUS_BEFORE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTED = re.compile(r'[",;\t\r\n]')
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_CELL = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n)')


def guarded(value: str) -> str:
    """`value` so that no spreadsheet computes it."""
    return f"'{value}" if copies.computes(value.lstrip("'")) else value


def unguarded(value: str) -> str:
    """What `guarded` was given."""
    bare = value.lstrip("'")
    return value[1:] if value != bare and copies.computes(bare) else value


def fitted(value: str) -> str:
    """A value as whoever reads the table gets it back: NUL and halves of characters are shown by their numbers."""
    return words.valid(value)


class Writer:
    """Writes a table to an open binary file, a row at a time; holds nothing but the current row."""

    def __init__(self, out: BinaryIO, columns: Sequence[str], *, remark: Remarks = unheard) -> None:
        self.out, self.remark = out, remark
        self.columns = columned("the table", "", columns)
        out.write((_BOM + _line(columns)).encode())

    def write(self, values: Sequence[str]) -> None:
        """One row: a value for each column."""
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns")
        line = _line(values)
        if _NO_TEXT.search(line) is not None:
            line = _line([self._fitted(place, value, values[0]) for place, value in enumerate(values)])
        self.out.write(line.encode())

    def _fitted(self, place: int, value: str, begins: str) -> str:
        told = fitted(value)
        if told != value:
            lost = len(_NO_TEXT.findall(value))
            self.remark(Remark("csv", begins, self.columns[place], Kind.UNFIT, lost))
        return told


def read(file: BinaryIO, name: str) -> Table:
    """A table as this module writes them, and no other: raises `Malformed` with line and character."""
    records = _records(file, name)
    first = next(records, None)
    if first is None:
        raise Malformed(name, "", "it is empty, and has not even a line with the names of its columns")
    columns = columned(name, "line 1", _cells(name, *first))

    def rows() -> Iterator[Row]:
        for number, record in records:
            values = _cells(name, number, record)
            counted(name, f"line {number}", values, columns)
            yield Row(f"line {number}", values)

    return Table(columns, rows())


def _line(values: Sequence[str]) -> str:
    cells = [guarded(value) if value else value for value in values]
    joined = ",".join(cells)
    if joined.count(",") != len(cells) - 1 or any(sign in joined for sign in '";\t\r\n'):
        joined = ",".join(
            [f'"{cell.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(cell) else cell for cell in cells]
        )
    return joined + END


def _line_before(values: Sequence[str]) -> str:
    """A row as editions before 2026-11 wrote it, which productions hold that were given long ago."""
    cells = []
    for value in values:
        bare = value.lstrip("'")
        cell = f"'{value}" if bare.startswith(_DANGEROUS_BEFORE) else value
        quoted = any(sign in cell for sign in '",\r\n')
        cells.append(f'"{cell.replace(chr(34), chr(34) * 2)}"' if quoted else cell)
    return ",".join(cells) + END


def _records(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Each record with the number of its first line; one that holds line ends is several lines."""
    number, begins, length, quotes = 0, 1, 0, 0
    held: list[str] = []
    while line_bytes := file.readline(LONGEST):
        number += 1
        try:
            line = line_bytes.decode()
        except UnicodeDecodeError as error:
            raise Malformed(name, f"line {number}, byte {error.start + 1}", "it is not UTF-8") from error
        if number == 1:
            if not line.startswith(_BOM):
                raise Malformed(name, "line 1", "the mark that tells the encoding is missing")
            line = line.removeprefix(_BOM)
        held.append(line)
        length += len(line)
        quotes += line.count('"')
        if length > LONGEST:
            raise Malformed(name, f"line {begins}", "the record does not end")
        if quotes % 2 == 0 and line.endswith(END):
            yield begins, "".join(held)
            begins, length, quotes = number + 1, 0, 0
            held.clear()
    if held:
        raise Malformed(name, f"line {begins}", "the record does not end as it should")


def _cells(name: str, number: int, record: str) -> tuple[str, ...]:
    values: list[str] = []
    at = 0
    while at < len(record):
        found = _CELL.match(record, at)
        if found is None or (found[3] == END and found.end() < len(record)):
            raise Malformed(
                name, f"line {number}, character {at + 1}", "a value is not quoted as it should be"
            )
        values.append(unguarded(found[2] if found[1] is None else found[1].replace('""', '"')))
        at = found.end()
    if any(fitted(value) != value for value in values) or record not in (_line(values), _line_before(values)):
        raise Malformed(name, f"line {number}", "the values are not written as they should be")
    return tuple(values)

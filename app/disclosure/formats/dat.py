"""Concordance load files (DAT): one document a line, every value between two þ, the values divided by DC4.

A line end inside a value is written as ®, and a þ inside a value stands twice.
The two other signs of the form cannot stand in a value at all: they are shown
by their numbers, and a remark tells of it. UTF-8 with its mark is the rule;
UTF-16LE and Windows-1252 are for programs that read nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from io import TextIOWrapper
from typing import BinaryIO

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

SEPARATOR, QUALIFIER, NEWLINE = "\x14", "þ", "®"
BETWEEN = f"{QUALIFIER}{SEPARATOR}{QUALIFIER}"
END = "\r\n"
LONGEST = 64 << 20
"""A line that is longer is none of ours, and is not read into memory."""
_ENDS = re.compile("\r\n|[\n\v\f\r\u0085\u2028\u2029]")
_OWN = re.compile(f"[{SEPARATOR}{NEWLINE}]")
_CAREFUL = re.compile(f"[\x00\n\v\f\r\u0085\u2028\u2029{NEWLINE}\ud800-\udfff]")
_NEVER = re.compile("[\x00\n\v\f\r\u0085\u2028\u2029]")
_BOM = "\ufeff"


class Encoding(StrEnum):
    """How the characters of a load file are written."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16-le"
    WINDOWS = "cp1252"

    @property
    def mark(self) -> str:
        """What the file begins with, so that programs know the encoding; Windows-1252 has nothing of the kind."""
        return "" if self is Encoding.WINDOWS else _BOM


def fitted(value: str, encoding: Encoding = Encoding.UTF_8) -> tuple[str, Counter[Kind]]:
    """A value as whoever reads the file gets it back, and what it lost on the way."""
    lost: Counter[Kind] = Counter()
    # 1. The form's own signs, before line ends become one of them.
    value, lost[Kind.SIGN] = _OWN.subn(lambda found: _shown(found[0], encoding), value)
    # 2. Line ends become line feeds.
    lost[Kind.LINE_END] = sum(found != "\n" for found in _ENDS.findall(value))
    value = _ENDS.sub("\n", value)
    # 3. What is no text, or has no place in the encoding.
    lost[Kind.UNFIT] = _unfit(value, encoding)
    told = _windows(value) if encoding is Encoding.WINDOWS else words.valid(value)
    return told, +lost


class Writer:
    """Writes a load file to an open binary file, a document at a time; holds nothing but the current line."""

    def __init__(
        self,
        out: BinaryIO,
        columns: Sequence[str],
        *,
        encoding: Encoding = Encoding.UTF_8,
        remark: Remarks = unheard,
    ) -> None:
        self.out, self.encoding, self.remark = out, encoding, remark
        self.columns = columned("the load file", "", columns)
        self.form = "dat"
        out.write((encoding.mark + self._line(columns)).encode(encoding))

    def write(self, values: Sequence[str]) -> None:
        """One document: a value for each column, the first of them its first number."""
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns")
        self.out.write(self._line(values).encode(self.encoding))

    def _line(self, values: Sequence[str]) -> str:
        joined = BETWEEN.join(values)
        between = len(values) - 1
        if (
            self.encoding is Encoding.WINDOWS
            or joined.count(QUALIFIER) != 2 * between
            or joined.count(SEPARATOR) != between
            or _CAREFUL.search(joined) is not None
        ):
            joined = BETWEEN.join([self._cell(place, value, values[0]) for place, value in enumerate(values)])
        return f"{QUALIFIER}{joined}{QUALIFIER}{END}"

    def _cell(self, place: int, value: str, begins: str) -> str:
        told, lost = fitted(value, self.encoding)
        if QUALIFIER in told:
            lost[Kind.DOUBLED] = told.count(QUALIFIER)
        for kind, count in lost.items():
            self.remark(Remark(self.form, begins, self.columns[place], kind, count))
        return _written(told)


def read(file: BinaryIO, name: str, *, encoding: Encoding = Encoding.UTF_8) -> Table:
    """A load file as this module writes them, and no other: raises `Malformed` with line and character."""
    lines = _lines(file, name, encoding)
    first = next(lines, None)
    if first is None:
        raise Malformed(name, "", "it is empty, and has not even a line with the names of its columns")
    columns = columned(name, "line 1", _strictly(name, 1, first[1], encoding))

    def rows() -> Iterator[Row]:
        for number, line in lines:
            values = _strictly(name, number, line, encoding)
            counted(name, f"line {number}", values, columns)
            yield Row(f"line {number}", values)

    return Table(columns, rows())


def _written(told: str) -> str:
    return told.replace(QUALIFIER, QUALIFIER * 2).replace("\n", NEWLINE)


def _shown(char: str, encoding: Encoding) -> str:
    return f"<U+{ord(char):04X}>" if encoding is Encoding.WINDOWS else words.shown(char)


def _windows(value: str) -> str:
    return "".join(char if _in_windows(char) else _shown(char, Encoding.WINDOWS) for char in value)


def _in_windows(char: str) -> bool:
    if char == "\x00":
        return False
    try:
        char.encode(Encoding.WINDOWS)
    except UnicodeEncodeError:
        return False
    return True


def _unfit(value: str, encoding: Encoding) -> int:
    """How many characters of `value` are shown by their numbers."""
    if encoding is Encoding.WINDOWS:
        return sum(not _in_windows(char) for char in value)
    return sum(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value)


def _lines(file: BinaryIO, name: str, encoding: Encoding) -> Iterator[tuple[int, str]]:
    """Each line with its number, without its end."""
    for number, line in enumerate(_decoded(file, name, encoding), start=1):
        told = line.removeprefix(_BOM) if number == 1 else line
        if number == 1 and told == line and encoding.mark:
            raise Malformed(name, "line 1", "the mark that tells the encoding is missing")
        if len(told) >= LONGEST or not told.endswith(END):
            raise Malformed(
                name, f"line {number}, character {len(told)}", "the line does not end as it should"
            )
        yield number, told[: -len(END)]


def _decoded(file: BinaryIO, name: str, encoding: Encoding) -> Iterator[str]:
    if encoding is Encoding.UTF_16:  # a line feed is two bytes there, and a half of other characters
        text = TextIOWrapper(file, encoding=encoding, newline="\n")
        number = 0
        try:
            while line := text.readline(LONGEST):
                number += 1
                yield line
        except UnicodeDecodeError as error:
            raise Malformed(name, f"after line {number}", f"it is not {encoding}: {error.reason}") from error
        finally:
            text.detach()
        return
    number = 0
    while line_bytes := file.readline(LONGEST):
        number += 1
        try:
            yield line_bytes.decode(encoding)
        except UnicodeDecodeError as error:
            raise Malformed(
                name, f"line {number}, byte {error.start + 1}", f"it is not {encoding}"
            ) from error


def _strictly(name: str, number: int, line: str, encoding: Encoding) -> tuple[str, ...]:
    cells = line.count(SEPARATOR) + 1
    if line.count(QUALIFIER) == 2 * cells and _NEVER.search(line) is None:  # as most lines are
        values = tuple(line[1:-1].replace(NEWLINE, "\n").split(BETWEEN))
        if len(values) == cells and line[0] == line[-1] == QUALIFIER:
            return values
    return _cell_by_cell(name, number, line, encoding)


def _cell_by_cell(name: str, number: int, line: str, encoding: Encoding) -> tuple[str, ...]:
    values: list[str] = []
    at = 1
    for cell in line.split(SEPARATOR):
        where = f"line {number}, character {at}"
        if len(cell) < 2 or cell[0] != QUALIFIER or cell[-1] != QUALIFIER:
            raise Malformed(name, where, "a value does not stand between two þ")
        inner = cell[1:-1]
        if QUALIFIER in inner.replace(QUALIFIER * 2, ""):
            raise Malformed(name, where, "a þ inside a value stands alone")
        value = inner.replace(QUALIFIER * 2, QUALIFIER).replace(NEWLINE, "\n")
        if _written(fitted(value, encoding)[0]) != inner:
            raise Malformed(name, where, "a value holds what a load file cannot hold")
        values.append(value)
        at += len(cell) + 1
    return tuple(values)

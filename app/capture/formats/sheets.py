"""Workbooks (XLSX): the rows of one sheet, each with its own XML and the values of its cells.

A workbook keeps the words of its cells apart from its rows, so that no bytes
of the file are one row's alone. What is kept of a row is therefore a line of
JSON that holds the row's own XML, letter for letter, and the values to which
it refers; the file's SHA-256 says which file it was read from. Formulas are
never computed: the value that the file holds is taken, and one that it does
not hold is reported.
"""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook

from app.capture.formats.mapping import MappingFile, Reading, Row
from app.capture.formats.source import CHUNK, Counted, Left, digest_of
from app.capture.formats.table import Fact, Table, fact
from app.capture.lines import BadFile, Stretch

_ENTRIES, _LARGEST, _STRINGS = 10_000, 4 << 30, 512 << 20
_SUSPECT, _RATIO = 64 << 20, 250
_LONGEST = 4 << 20
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})


class Xlsx(Table):
    """One sheet of a workbook."""

    format = "xlsx"
    reader = "xlsx/1"
    form = "a line of JSON for each row: its own XML in the sheet, and the values of its cells"

    def __init__(self, file: Path, mapping: MappingFile | None) -> None:
        super().__init__(file, digest_of(file), mapping)
        _weigh(file)
        self.reading = mapping.reading if mapping else Reading()
        book = _book(file)
        try:
            self.sheets = [(sheet.title, sheet.sheet_state) for sheet in book.worksheets]
            self.system = "1904" if book.epoch.year == 1904 else "1900"
        finally:
            book.close()
        self.sheet = self._chosen()
        self.hidden_rows, self.formulas, self.errors = Counted(), Counted(), Counted()
        self.whole = _Noted()
        if self.reading.header:
            head = next((row for number, row in self._found() if number == self.reading.header), None)
            if head is None or not any(cell not in {None, ""} for cell in head.cells):
                raise BadFile(f"sheet {self.sheet} has no row {self.reading.header} that names its columns")
            cells = list(head.cells)
            while cells and cells[-1] in {None, ""}:
                cells.pop()
            self.head(cells)
        else:
            self.head([""] * max((len(row.cells) for _, row in self._found()), default=0))
        self._forget()

    def rows(self) -> Iterator[Stretch]:
        """Every row of the sheet that holds something."""
        self._forget()
        for number, row, content in self._told():
            if len(content) > _LONGEST:
                yield Stretch(number, content, f"longer than {_LONGEST >> 20} MiB")
                continue
            cells = list(row.cells)
            while len(cells) > len(self.columns) and cells[-1] in {None, ""}:
                cells.pop()
            cells += [None] * (len(self.columns) - len(cells))
            heading = number <= self.reading.header
            yield Stretch(number, content, found=None if heading else Row(cells, row.place, row.bad))

    def facts(self) -> list[Fact]:
        """Which sheet, what is hidden or joined in it, and what was noticed."""
        hidden = [name for name, state in self.sheets if state != "visible"]
        others = [name for name, _ in self.sheets if name != self.sheet]
        told = [Fact(f"sheet {self.sheet!r} read; days count from {self.system}")]
        if others:
            told.append(Fact(f"other sheets, not read: {', '.join(map(repr, others))}"))
        if hidden:
            told.append(Fact(f"hidden sheets: {', '.join(map(repr, hidden))}"))
        told += super().facts()
        told += fact(self.hidden_rows, "{} rows are hidden in the workbook, and are taken like the others")
        if self.whole.hidden_columns:
            told.append(
                Fact(
                    f"{self.whole.hidden_columns} stretches of columns are hidden in the workbook, and are taken"
                )
            )
        if self.whole.merged:
            told.append(
                Fact(
                    f"{len(self.whole.merged)} ranges of cells are joined into one: the value stands in the first cell, "
                    f"the others are empty ({', '.join(self.whole.merged[:5])})"
                )
            )
        told += fact(
            self.formulas, "{} cells hold a formula whose value the file does not hold; nothing is computed"
        )
        told += fact(self.errors, "{} cells hold an error instead of a value")
        return told

    def left(self) -> Sequence[Left]:
        """The other sheets."""
        return [
            Left(f"sheet {name}", 0, "another sheet; name it under `read` in a mapping to import it")
            for name, _ in self.sheets
            if name != self.sheet
        ]

    def _chosen(self) -> str:
        names = [name for name, _ in self.sheets]
        if self.reading.sheet is not None:
            if self.reading.sheet not in names:
                raise BadFile(
                    f"the workbook has no sheet {self.reading.sheet!r}",
                    next=f"Its sheets are {', '.join(names)}.",
                )
            return self.reading.sheet
        shown = [name for name, state in self.sheets if state == "visible"]
        if len(shown) != 1:
            raise BadFile(
                f"the workbook has {len(shown)} sheets that are shown",
                next=f"Name one under `read`, as `sheet:`. They are {', '.join(names)}.",
            )
        return shown[0]

    def _forget(self) -> None:
        for counted in (self.hidden_rows, self.formulas, self.errors):
            counted.times, counted.places = 0, []
        self.whole = _Noted()

    def _found(self) -> Iterator[tuple[int, Row]]:
        for number, row, _ in self._told():
            yield number, row

    def _told(self) -> Iterator[tuple[int, Row, bytes]]:
        """Rows with their values, and the line of JSON that is kept of each."""
        book = _book(self.file)
        try:
            with zipfile.ZipFile(self.file) as packed, packed.open(_part(packed, self.sheet)) as part:
                values = _Values(book, self.sheet)
                self.whole.size = packed.getinfo(part.name).file_size
                for raw in _raw_rows(part, self.whole):
                    cells = values.of(raw.number)
                    self._done = int(self.total * min(1.0, part.tell() / max(self.whole.size or 1, 1)))
                    row = self._row(raw, cells)
                    told = {
                        "sheet": self.sheet,
                        "row": raw.number,
                        "xml": raw.xml,
                        "cells": {
                            get_column_letter(place): _said(value)
                            for place, value in enumerate(cells, start=1)
                            if value is not None
                        },
                    }
                    yield (
                        raw.number,
                        row,
                        json.dumps(told, ensure_ascii=False, sort_keys=True).encode() + b"\n",
                    )
        except (
            zipfile.BadZipFile,
            expat.ExpatError,
            DefusedXmlException,
            KeyError,
            ValueError,
            OSError,
        ) as error:
            raise BadFile(
                f"{self.file.name} is no sound workbook: {error}", next="Open it and save it again."
            ) from error
        finally:
            book.close()

    def _row(self, raw: _Raw, cells: Sequence[object]) -> Row:
        place = f"row {raw.number}"
        bad: dict[int, str] = {}
        for column in raw.formulas:
            where = f"{column}{raw.number}"
            self.formulas.add(where)
            bad[_place(column)] = f"{where} holds a formula whose value the file does not hold"
        for number, value in enumerate(cells):
            if isinstance(value, str) and value in _ERRORS and number not in bad:
                where = f"{get_column_letter(number + 1)}{raw.number}"
                self.errors.add(where)
                bad[number] = f"{where} holds the error {value}"
        if raw.hidden:
            self.hidden_rows.add(place)
        return Row(cells, place, bad)


@dataclass(slots=True)
class _Noted:
    """What a sheet says beside its rows."""

    merged: list[str] = field(default_factory=list)
    hidden_columns: int = 0
    size: int = 0


@dataclass(slots=True)
class _Raw:
    """A row's own XML; `formulas` are the columns of formulas without a value."""

    number: int
    hidden: bool
    xml: str = ""
    formulas: list[str] = field(default_factory=list)


class _Values:
    """The values of a sheet's cells, as openpyxl reads them, asked for row by row."""

    def __init__(self, book: Workbook, sheet: str) -> None:
        self._rows = enumerate(book[sheet].iter_rows(values_only=True), start=1)
        self._number, self._cells = 0, cast("tuple[object, ...]", ())

    def of(self, number: int) -> tuple[object, ...]:
        while self._number < number:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what openpyxl finds odd is a cell's error, told as such
                self._number, self._cells = next(self._rows, (number, ()))
        return self._cells


def _raw_rows(part: IO[bytes], noted: _Noted) -> Iterator[_Raw]:
    """The rows of a sheet with their own XML, in bounded memory."""
    reader = _Rows(noted)
    while chunk := part.read(min(CHUNK, 1 << 16)):
        yield from reader.feed(chunk)
    yield from reader.feed(b"")


class _Rows:
    """Follows a sheet's XML and cuts each row out of it, byte for byte."""

    def __init__(self, noted: _Noted) -> None:
        self.noted = noted
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse
        self.buffer, self.base = b"", 0
        self.last = 0
        self.row: _Raw | None = None
        self.begins = 0
        self.closing: _Raw | None = None
        self.done: list[_Raw] = []
        self.cell, self.formula, self.valued, self.inside = "", False, False, ""

    def feed(self, chunk: bytes) -> list[_Raw]:
        """Rows that are whole now."""
        self.buffer += chunk
        self.parser.Parse(chunk, not chunk)
        if not chunk:
            self._close(self.base + len(self.buffer))
        keep = self.begins if self.row or self.closing else self.base + len(self.buffer)
        self.buffer, self.base = self.buffer[keep - self.base :], keep
        if len(self.buffer) > 16 * _LONGEST:
            raise ValueError("a row is larger than any that could be read")
        found, self.done = self.done, []
        return found

    def _close(self, at: int) -> None:
        """The row that ended reaches as far as where the next thing begins."""
        if self.closing is not None:
            xml = self.buffer[self.begins - self.base : at - self.base]
            self.closing.xml = xml.decode()
            self.done.append(self.closing)
            self.closing = None

    def _start(self, name: str, told: Mapping[str, str]) -> None:
        self._close(self.parser.CurrentByteIndex)
        match name.rpartition(":")[2]:
            case "row":
                self.last = int(told.get("r", self.last + 1))
                self.begins = self.parser.CurrentByteIndex
                self.row = _Raw(self.last, told.get("hidden") in {"1", "true"})
            case "c":
                self.cell = re.sub(r"\d", "", told.get("r", ""))
                self.formula = self.valued = False
            case "f":
                self.formula = True
            case "v" | "is" as what:
                self.inside = what
            case "mergeCell":
                self.noted.merged.append(told.get("ref", ""))
            case "col" if told.get("hidden") in {"1", "true"}:
                self.noted.hidden_columns += 1
            case _:
                return

    def _end(self, name: str) -> None:
        self._close(self.parser.CurrentByteIndex)
        match name.rpartition(":")[2]:
            case "row":
                self.closing, self.row = self.row, None
            case "c":
                if self.formula and not self.valued and self.row is not None:
                    self.row.formulas.append(self.cell)
            case "v" | "is":
                self.inside = ""
            case _:
                return

    def _text(self, text: str) -> None:
        self._close(self.parser.CurrentByteIndex)
        if self.inside and text:
            self.valued = True


def _refuse(*_told: object) -> None:
    raise ValueError("it declares a document type, which no workbook does")


def _place(column: str) -> int:
    place = 0
    for letter in column:
        place = place * 26 + ord(letter) - 64
    return place - 1


def _said(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _book(file: Path) -> Workbook:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl leaves out (styles, validations) holds no words
            return load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        OSError,
        DefusedXmlException,
        TypeError,
    ) as error:
        raise BadFile(f"{file.name} is no workbook that can be read: {error}", next=_SAVE) from error
    except Exception as error:
        # openpyxl lets through whatever its parts raise over a file that is none; the file is at fault.
        raise BadFile(
            f"{file.name} is no workbook that can be read: {type(error).__name__}", next=_SAVE
        ) from error


_SAVE = "Save it as XLSX without a password, or as CSV in UTF-8."


def _weigh(file: Path) -> None:
    """Refuse what would unfold into more than a workbook holds, before anything of it is unfolded."""
    try:
        with zipfile.ZipFile(file) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise BadFile(f"{file.name} is no workbook (XLSX): {error}", next=_SAVE) from error
    if len(parts) > _ENTRIES or sum(part.file_size for part in parts) > _LARGEST:
        raise BadFile(f"{file.name} holds more than a workbook does")
    for part in parts:
        bomb = part.file_size > _SUSPECT and part.file_size > _RATIO * max(part.compress_size, 1)
        if bomb or ("sharedStrings" in part.filename and part.file_size > _STRINGS):
            raise BadFile(
                f"{part.filename} in {file.name} unfolds into {part.file_size >> 20} MiB, and is not read"
            )


def _part(packed: zipfile.ZipFile, sheet: str) -> str:
    """The part of the workbook that holds a sheet."""
    book = next(name for name in packed.namelist() if name.endswith("workbook.xml"))
    folder, _, name = book.rpartition("/")
    relation = next(
        found.get(f"{_OFFICE}id")
        for found in fromstring(packed.read(book)).iter()
        if found.tag.endswith("}sheet") and found.get("name") == sheet
    )
    related = fromstring(packed.read(f"{folder}/_rels/{name}.rels".lstrip("/")))
    target = next(str(found.get("Target")) for found in related if found.get("Id") == relation)
    return target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")

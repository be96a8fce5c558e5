"""Tables as workbooks (XLSX, ISO/IEC 29500): words and whole numbers, no formula, no link, no macro, nothing from outside.

Written by ourselves, because a workbook of this kind is six small files, and
because a million rows must neither stand in memory nor pass through temporary
files, and two builds must be the same bytes. What a sheet cannot hold goes on
in the next; what a cell cannot hold ends with words that say where the rest is.
People look at workbooks, so what steers or hides words is shown by its number.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import IO, BinaryIO, Self
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from app.disclosure.formats import ends, workbook
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
from app.disclosure.formats.table import guarded, unguarded
from app.papers import words

MOST_ROWS = 1_048_576
"""Of a sheet, the one with the names of columns among them."""
MOST_BYTES = 1 << 30
"""Of a sheet before it is compressed: beyond four times that, a workbook needs a form of ZIP that not every program reads."""
LONGEST = 32_767
"""What a cell holds, counted as spreadsheets count: a character beyond the first 65,536 is two."""
CONTINUED = " …continued in text/"
_WHOLE = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_FLUSH = 1 << 16
_EXPANDED = 8 << 30
_LONGEST_ROW = 1 << 28
_CHUNK = 1 << 20
_ROW_ENDS = "</row>"
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})([1-9][0-9]*)"( s="1")?'
    r'(?: t="inlineStr"><is><t xml:space="preserve">([^<]+)</t></is></c>|><v>(0|[1-9][0-9]{0,14})</v></c>)',
    re.ASCII,
)
# Words in Latin letters that begin with a letter or digit and hold nothing that means something in XML, or that looks
# like the number of a character (`_x0041_`).
_EASY = re.compile(r"[A-Za-z0-9.\\(\u00c0-\u024f](?:[ !#-%'-;=?-^`-~\u00c0-\u024f]|_(?!x))*")


def fitted(value: str) -> str:
    """A value as whoever reads the workbook gets it back."""
    told = words.harmless(value)
    if _units(guarded(told)) <= LONGEST:
        return told
    # Room for the apostrophe that may stand before it, and for a joiner at the end that now joins nothing.
    room = LONGEST - _units(CONTINUED) - 1 - len("⟨U+200D⟩")
    return words.harmless(_beginning(told, room)) + CONTINUED


class Writer:
    """Writes a workbook to an open binary file that can be read back; `close` ends it. Holds some kilobytes."""

    def __init__(
        self,
        out: BinaryIO,
        columns: Sequence[str],
        *,
        title: str,
        agency: str,
        made_at: datetime,
        sheet: str = "Documents",
        numbers: Collection[str] = (),
        remark: Remarks = unheard,
    ) -> None:
        self.columns = columned("the workbook", "", columns)
        self.title, self.agency, self.made_at, self.remark = title, agency, made_at, remark
        self.numbers = [name in numbers for name in columns]
        self.letters = [workbook.letters(place) for place in range(len(columns))]
        self.zip = ZipFile(out, "w", ZIP_DEFLATED, compresslevel=6)
        self.name = sheet
        self.sheets: list[str] = []
        self.sheet: IO[bytes] | None = None
        self.held: list[str] = []
        self.length = self.written = self.rows = 0

    def write(self, values: Sequence[str]) -> None:
        """One row: a value for each column; a whole number in a column of numbers is one."""
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns")
        if self.sheet is None or self.rows >= MOST_ROWS or self.written >= MOST_BYTES:
            self._begin()
        cells = [self._cell(place, value, values[0]) for place, value in enumerate(values) if value]
        self._row(cells)

    def close(self) -> None:
        """End the workbook; one without a row still has its columns."""
        if self.sheet is None:
            self._begin()
        self._end()
        for name, content in workbook.parts(self.sheets, self.title, self.agency, self.made_at):
            self.zip.writestr(workbook.member(name), content)
        self.zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the workbook; after a failure, let go of it as it is: nobody can read it."""
        if kind is None:
            self.close()
            return
        with suppress(OSError, ValueError):  # the file may be closed already
            if self.sheet is not None:
                self.sheet.close()
            self.zip.close()

    def _begin(self) -> None:
        if self.sheet is not None:
            self._end()
        self.sheets.append(self.name if not self.sheets else f"{self.name} {len(self.sheets) + 1}")
        self.sheet = self.zip.open(workbook.member(f"xl/worksheets/sheet{len(self.sheets)}.xml"), "w")
        self.written = self.rows = 0
        self._put(workbook.BEFORE)
        self._row(
            [
                f'<c r="{letters}1" s="1" t="inlineStr"><is><t xml:space="preserve">{workbook.xml(name)}</t></is></c>'
                for letters, name in zip(self.letters, self.columns, strict=True)
            ]
        )

    def _end(self) -> None:
        assert self.sheet is not None, "a sheet was begun"
        self._put(workbook.AFTER)
        self._flush()
        self.sheet.close()

    def _cell(self, place: int, value: str, begins: str) -> str:
        at = f"{self.letters[place]}{self.rows + 1}"
        if self.numbers[place] and _WHOLE.fullmatch(value):
            return f'<c r="{at}"><v>{value}</v></c>'
        if _easy(value):
            return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        told = fitted(value)
        if told != value:
            self._remarked(place, value, told, begins)
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{workbook.xml(guarded(told))}</t></is></c>'

    def _remarked(self, place: int, value: str, told: str, begins: str) -> None:
        ends = value.count("\r")
        whole = words.harmless(value)
        unfit = whole.count("⟨U+") - value.count("⟨U+")
        for kind, count in ((Kind.LINE_END, ends), (Kind.UNFIT, unfit), (Kind.CUT, int(told != whole))):
            if count > 0:
                self.remark(Remark("xlsx", begins, self.columns[place], kind, count))

    def _row(self, cells: Sequence[str]) -> None:
        self.rows += 1
        self._put(f'<row r="{self.rows}">{"".join(cells)}</row>')

    def _put(self, text: str) -> None:
        self.held.append(text)
        self.length += len(text)
        if self.length >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        assert self.sheet is not None, "a sheet was begun"
        content = "".join(self.held).encode()
        self.sheet.write(content)
        self.written += len(content)
        self.held.clear()
        self.length = 0


def read(file: BinaryIO, name: str) -> Table:
    """A workbook as this module writes them, and no other: raises `Malformed` with sheet and row.

    Every file in it MUST be one that is written here, so that there is no
    place for a macro, a link, a picture or a formula.
    """
    try:
        book = ZipFile(file)
    except BadZipFile as error:
        raise Malformed(name, "", f"it is no workbook: {error}") from error
    sheets = _checked(book, name)
    rows = _rows(book, name, sheets)
    first = next(rows)
    columns = columned(name, first.where, first.values)
    return Table(columns, _bodies(rows, columns, name))


def _bodies(rows: Iterator[Row], columns: Sequence[str], name: str) -> Iterator[Row]:
    """The rows under the names of columns, which stand on every sheet."""
    for row in rows:
        if row.where.endswith(", row 1"):
            if tuple(row.values[: len(columns)]) != tuple(columns):
                raise Malformed(name, row.where, "this sheet has other columns than the first")
            continue
        values = (*row.values, *[""] * (len(columns) - len(row.values)))
        counted(name, row.where, values, columns)
        yield Row(row.where, values)


def _checked(book: ZipFile, name: str) -> list[str]:
    """The names of the sheets of a workbook whose other files are just what is written here."""
    if more := ends.of_zip(book):
        raise Malformed(name, "", more)
    listed = {one.filename: one for one in book.infolist()}
    if len(listed) != len(book.infolist()):
        raise Malformed(name, "", "two files in it have one name")
    for one in listed.values():
        if (
            one.date_time != workbook.EARLIEST
            or one.compress_type != ZIP_DEFLATED
            or one.file_size > _EXPANDED
        ):
            raise Malformed(name, one.filename, "it is not packed as it should be")
    try:
        told = book.read("xl/workbook.xml").decode()
        core = book.read("docProps/core.xml").decode()
    except (KeyError, BadZipFile, UnicodeDecodeError, ValueError) as error:
        raise Malformed(name, "", f"it is no workbook as it was made: {error}") from error
    sheets = [workbook.unxml(found) for found in re.findall(r'<sheet name="([^"]*)"', told)]
    about = re.fullmatch(
        r".*<dc:title>(.*)</dc:title><dc:creator>(.*)</dc:creator>.*W3CDTF\">([^<]*)</dcterms:created>.*",
        core,
        re.DOTALL,
    )
    try:
        if not sheets or about is None:
            raise ValueError("it names no sheet, or not who made it")
        made_at = datetime.fromisoformat(about[3])
        parts = dict(workbook.parts(sheets, workbook.unxml(about[1]), workbook.unxml(about[2]), made_at))
        wanted = {*parts, *(f"xl/worksheets/sheet{number}.xml" for number in range(1, len(sheets) + 1))}
        if set(listed) != wanted:
            raise ValueError(f"it has other files than it should: {min(set(listed) ^ wanted)}")
        for part, content in parts.items():
            if book.read(part) != content.encode():
                raise ValueError(f"{part} is not as it was made")
    except (ValueError, BadZipFile) as error:
        raise Malformed(name, "", str(error)) from error
    return sheets


def _rows(book: ZipFile, name: str, sheets: Sequence[str]) -> Iterator[Row]:
    for number, sheet in enumerate(sheets, start=1):
        at = 0
        try:
            with book.open(f"xl/worksheets/sheet{number}.xml") as file:
                for at, row in enumerate(_written(file), start=1):
                    yield Row(f"sheet {sheet}, row {at}", _values(row, at))
        except (BadZipFile, ValueError, EOFError) as error:
            raise Malformed(name, f"sheet {sheet}, row {at}", str(error)) from error
        if not at:
            raise Malformed(name, f"sheet {sheet}", "it has no row")


def _written(file: IO[bytes]) -> Iterator[str]:
    """The rows of a sheet as they are written; raises `ValueError` for anything before, between or after them.

    Taken apart as text, not as XML: there is one way in which they are written, and so nothing to be expanded.
    """
    text = getincrementaldecoder("utf-8")()
    held, begun = "", False
    while True:
        chunk = file.read(_CHUNK)
        held += text.decode(chunk, final=not chunk)
        if not begun and (len(held) >= len(workbook.BEFORE) or not chunk):
            if not held.startswith(workbook.BEFORE):
                raise ValueError("the sheet does not begin as it should")
            held, begun = held[len(workbook.BEFORE) :], True
        done = 0
        while begun and (end := held.find(_ROW_ENDS, done)) >= 0:
            yield held[done:end]
            done = end + len(_ROW_ENDS)
        held = held[done:]
        if not chunk:
            break
        if len(held) > _LONGEST_ROW:
            raise ValueError("the row does not end")
    if held != workbook.AFTER:
        raise ValueError("the sheet does not end as it should")


def _values(row: str, at: int) -> tuple[str, ...]:
    begins = f'<row r="{at}">'
    if not row.startswith(begins):
        raise ValueError(f"row {at} does not begin as it should")
    values: list[str] = []
    done = len(begins)
    while done < len(row):
        cell = _CELL.match(row, done)
        if cell is None or cell[2] != str(at) or (cell[3] is not None) is not (at == 1):
            raise ValueError(f"at character {done + 1} of row {at} there is neither words nor a number")
        place = workbook.place_of(cell[1])
        if place < len(values):
            raise ValueError(f"{cell[1]}{at} stands out of order")
        values += [""] * (place - len(values))
        values.append(_read(cell[4], f"{cell[1]}{at}") if cell[5] is None else cell[5])
        done = cell.end()
    return tuple(values)


def _read(written: str, at: str) -> str:
    """The words of a cell."""
    if _easy(written):
        return written
    value = unguarded(workbook.unxml(written))
    if not value or fitted(value) != value or workbook.xml(guarded(value)) != written:
        raise ValueError(f"{at} holds what a cell should not")
    return value


def _easy(text: str) -> bool:
    """Whether a value stands in a cell just as it is: most do, and need no more looking."""
    return len(text) <= LONGEST and _EASY.fullmatch(text) is not None


def _units(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text) if not text.isascii() else len(text)


def _beginning(text: str, room: int) -> str:
    """As much of `text` as fits."""
    taken = 0
    for place, char in enumerate(text):
        taken += 2 if char > "\uffff" else 1
        if taken > room:
            return text[:place]
    return text

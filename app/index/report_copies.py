"""Working copies of a search-term report: CSV, XLSX and a page to print, marked as such, with nothing that computes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from app.capture import copies
from app.index import reports
from app.index.reports import Report
from app.records.nouns import Officer
from app.store.store import Store

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_CELL = 32_000
"""A cell holds 32,767 characters."""
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""


def lines(store: Store, officer: Officer, report: Report) -> Iterator[Sequence[object]]:
    """The whole report as lines, one table after the other."""
    yield from copies.head(store, officer, reports.head(report))
    for title, rows in reports.tables(report):
        yield [title]
        yield from rows
        yield []
    yield [f"END – {len(report.rows)} queries"]


def as_xlsx(store: Store, officer: Officer, report: Report) -> bytes:
    """The report as a workbook, a sheet for each table; numbers are numbers, and no cell is a formula."""
    book = Workbook(write_only=True)
    book.properties.creator = store.agency.name
    book.properties.title = f"{copies.MARK}: search-term report"
    book.properties.created = book.properties.modified = store.clock.now().replace(tzinfo=None)
    about = book.create_sheet("Working copy")
    for said in copies.head(store, officer, reports.head(report)):
        about.append([_cell(about, value) for value in said])
    for title, rows in reports.tables(report):
        sheet = book.create_sheet(title)
        sheet.oddHeader.center.text = copies.MARK
        for number, line in enumerate(rows):
            sheet.append([_cell(sheet, value, bold=number == 0) for value in line])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _cell(sheet: WriteOnlyWorksheet, value: object, *, bold: bool = False) -> Cell | None:
    """A whole number, or text that no spreadsheet computes."""
    if value is None:
        return None
    if isinstance(value, int):
        cell = WriteOnlyCell(sheet, value)
    else:
        text = _UNFIT.sub("\ufffd", copies.cell(value))
        if len(text) > _LONGEST_CELL:
            text = f"{text[:_LONGEST_CELL]} … (cut here; the CSV has all of it)"
        cell = WriteOnlyCell(sheet, text)
        cell.data_type = "s"  # whatever it looks like
    if bold:
        cell.font = Font(bold=True)
    return cell

"""CSV and XLSX: nothing that a spreadsheet computes, everything that was written is read back, and others read them too."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile, ZipInfo

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.capture import copies
from app.disclosure.formats import dat, table, workbook, xlsx
from app.disclosure.formats.shape import Kind, Malformed, Remark
from app.papers import words
from tests.rules import leaving
from tests.rules.leaving import HOSTILE, SHOWN

COLUMNS = ("BEGDOC", "AUTHOR", "PGCOUNT")
MADE = datetime(2026, 4, 1, 9, tzinfo=UTC)


def as_csv(rows: Iterable[Sequence[str]], columns: Sequence[str] = COLUMNS) -> tuple[BytesIO, list[Remark]]:
    out, remarks = BytesIO(), list[Remark]()
    writer = table.Writer(out, columns, remark=remarks.append)
    for row in rows:
        writer.write(row)
    return BytesIO(out.getvalue()), remarks


def as_xlsx(rows: Iterable[Sequence[str]], columns: Sequence[str] = COLUMNS) -> tuple[BytesIO, list[Remark]]:
    out, remarks = BytesIO(), list[Remark]()
    writer = xlsx.Writer(
        out,
        columns,
        title="Flood <&>",
        agency='Town "of" Example',
        made_at=MADE,
        numbers=["PGCOUNT"],
        remark=remarks.append,
    )
    for row in rows:
        writer.write(row)
    writer.close()
    return BytesIO(out.getvalue()), remarks


# -- what spreadsheets compute ---------------------------------------------------------------------------------


@given(HOSTILE)
@example("'=1")
@example("''")
def test_a_guarded_value_is_never_computed_and_its_guard_comes_off_again(value: str):
    told = table.guarded(value)
    assert copies.cell(told) == told, "a spreadsheet would compute it"
    assert table.unguarded(told) == value


@pytest.mark.parametrize("value", SHOWN)
def test_what_looks_like_a_formula_gets_one_apostrophe(value: str):
    dangerous = value.lstrip("'") != "" and copies.cell(value.lstrip("'")) != value.lstrip("'")
    assert table.guarded(value) == (f"'{value}" if dangerous else value)
    assert not re.match(r"[=+\-@\t\r\n＝＋－＠]", table.guarded(value))


@pytest.mark.parametrize(
    "unseen",
    [
        " ",
        "   ",
        "\u00a0",
        "\ufeff",
        "\u200b",
        "\u2060",
        "\u00ad",
        "\x1f",
        " \ufeff\u3000",
        "\u202e",
        "\u3164",
    ],
)
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_a_sign_behind_what_nobody_sees_is_the_first_one(unseen: str, sign: str):
    value = f"{unseen}{sign}HYPERLINK(1)"
    assert table.guarded(value) == f"'{value}"
    assert table.guarded(f"'{value}") == f"''{value}"
    assert [table.unguarded(one) for one in (f"'{value}", f"''{value}")] == [value, f"'{value}"]
    file, _ = as_csv([("1", value, "2")])
    assert [row.values for row in table.read(file, "vol001.csv").rows] == [("1", value, "2")]
    assert f"1,'{value},2" in file.getvalue().decode()


@pytest.mark.parametrize("between", [";", "\t"])
def test_no_formula_begins_behind_a_sign_at_which_another_program_divides_cells(between: str):
    file, _ = as_csv([("1", f"a{between}=1+1{between}b", "2"), ("2", "a.=1+1", "3")])
    assert file.getvalue().decode().split("\r\n")[1:3] == [f'1,"a{between}=1+1{between}b",2', "2,a.=1+1,3"]


@pytest.mark.parametrize(
    "value", ["", "Town", "'tis", "a=b", "1-2", "þ@", "O'Neill", " a=b", "\ufeffa", "  ", " ' =1"]
)
def test_what_does_not_is_left_as_it_is(value: str):
    assert table.guarded(value) == value == table.unguarded(value)


# -- CSV -------------------------------------------------------------------------------------------------------


def test_a_table_is_the_bytes_that_rfc_4180_has():
    file, remarks = as_csv([("1", 'Þór "þ", x', "=2"), ("2", "a\nb", "")])
    assert file.getvalue().decode() == (
        "\ufeffBEGDOC,AUTHOR,PGCOUNT\r\n"
        '1,"Þór ""þ"", x",\'=2\r\n'
        '2,"a\nb",\r\n'
    )  # fmt: skip
    assert not remarks


@settings(max_examples=40)
@given(leaving.rows(3))
@example([("1", "\r\n", '"'), ("", "", "")])
@example([("'=", '"\r', ",")])
def test_a_table_reads_back_as_it_was_and_loses_only_what_is_no_text(rows: list[Sequence[str]]):
    file, remarks = as_csv(rows)
    read = table.read(file, "vol001.csv")
    assert tuple(read.columns) == COLUMNS
    back = [row.values for row in read.rows]
    assert back == [tuple(words.valid(value) for value in row) for row in rows]
    changed = sum(words.valid(value) != value for row in rows for value in row)
    assert len(remarks) == changed
    assert {remark.kind for remark in remarks} <= {Kind.UNFIT}


@settings(max_examples=40)
@given(leaving.rows(3))
def test_pythons_own_reader_takes_our_tables_apart_in_the_same_way(rows: list[Sequence[str]]):
    file, _ = as_csv(rows)
    theirs = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline=""), strict=True))
    assert [[table.unguarded(value) for value in row] for row in theirs[1:]] == [
        [words.valid(value) for value in row] for row in rows
    ]


def test_a_value_longer_than_the_csv_modules_limit_is_read():
    long = 'Ð"\r\n' * 65_536
    file, _ = as_csv([("1", long, "")])
    assert [row.values[1] for row in table.read(file, "x").rows] == [long]


def test_rows_say_on_which_line_they_begin():
    file, _ = as_csv([("1", "a\r\nb\r\nc", ""), ("2", "", "")])
    assert [row.where for row in table.read(file, "x").rows] == ["line 2", "line 5"]


@pytest.mark.parametrize(
    ("spoil", "where", "what"),
    [
        (lambda told: told[3:], "line 1", "mark"),
        (lambda told: told.replace(b"Ann", b'An"n', 1), "line 2", "does not end"),
        (lambda told: told.replace(b"Ann", b'A"n"n', 1), "line 2, character 3", "quoted"),
        (lambda told: told.replace(b"Ann", b'"Ann"', 1), "line 2", "should be"),
        (lambda told: told.replace(b"Ann", b"=nn", 1), "line 2", "should be"),
        (lambda told: told.replace(b"Ann", b"A\x00n", 1), "line 2", "should be"),
        (lambda told: told.replace(b"Ann", b"A\xffn", 1), "line 2, byte 4", "UTF-8"),
        (lambda told: told.replace(b"Ann", b"A,n", 1), "line 2", "4 values for 3"),
        (lambda told: told.replace(b"Ann", b"A\nn", 1), "line 2, character 3", "quoted"),
        (lambda told: told[:-2] + b"\n", "line 2", "does not end"),
        (lambda told: told[:-2], "line 2", "does not end"),
        (lambda told: told + b"\r\n", "line 3", "1 values for 3"),
        (lambda told: told.replace(b"AUTHOR", b"BEGDOC"), "line 1", "two columns"),
        (lambda _: b"", "", "empty"),
    ],
)  # fmt: skip
def test_a_table_that_was_spoiled_is_refused_at_its_place(
    spoil: Callable[[bytes], bytes], where: str, what: str
):
    good, _ = as_csv([("1", "Ann", "x")])
    assert len(list(table.read(leaving.whole(good), "x").rows)) == 1
    with pytest.raises(Malformed) as refused:
        list(table.read(BytesIO(spoil(good.getvalue())), "x").rows)
    assert refused.value.where.startswith(where)
    assert what in refused.value.what


# -- XLSX ------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(leaving.rows(3))
@example([("_x0041_", "__x005F_x", "007")])
@example([("1", "\u200d", "12"), ("x" * 40_000, "é\u200d", "1" * 16)])
@example([("", "", ""), ("", "", "0")])
def test_a_workbook_reads_back_as_people_are_shown_it(rows: list[Sequence[str]]):
    file, remarks = as_xlsx(rows)
    read = xlsx.read(file, "vol001.xlsx")
    assert tuple(read.columns) == COLUMNS
    back = [row.values for row in read.rows]
    assert back == [tuple(xlsx.fitted(value) for value in row) for row in rows]
    told = {(remark.begins, remark.field) for remark in remarks}
    for row, values in zip(rows, back, strict=True):
        for column, was, now in zip(COLUMNS, row, values, strict=True):
            assert was == now or (row[0], column) in told, "a value changed and nobody was told"


@settings(max_examples=20)
@given(st.one_of(HOSTILE, st.text(leaving.SIGNS, min_size=1, max_size=4).map(lambda text: text * 9_000)))
def test_a_cell_that_was_fitted_once_fits(value: str):
    once = xlsx.fitted(value)
    assert xlsx.fitted(once) == once
    assert len(table.guarded(once).encode("utf-16-le")) // 2 <= 32_767


def test_openpyxl_reads_words_as_words_and_numbers_as_numbers():
    file, _ = as_xlsx([("TOWN-0000001", "Þórdís <Ægis> & co\n=1", "12"), ("TOWN-0000002", "=1+1", "012")])
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["Documents"]
    sheet = book["Documents"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        list(COLUMNS),
        ["TOWN-0000001", "Þórdís <Ægis> & co\n=1", 12],
        ["TOWN-0000002", "'=1+1", "012"],
    ]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s", "n"}
    assert (book.properties.title, book.properties.creator) == ("Flood <&>", 'Town "of" Example')
    assert book.properties.created == MADE.replace(tzinfo=None)
    assert sheet.freeze_panes == "A2"


def test_two_workbooks_of_the_same_rows_are_the_same_bytes():
    rows = [("1", "a", "2"), ("2", "þ", "")]
    assert as_xlsx(rows)[0].getvalue() == as_xlsx(rows)[0].getvalue() != as_xlsx(rows[:1])[0].getvalue()


def test_what_a_sheet_cannot_hold_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    rows = [(str(number), "x", "1") for number in range(1, 6)]
    file, _ = as_xlsx(rows)
    read = list(xlsx.read(leaving.whole(file), "x").rows)
    assert [row.values for row in read] == rows
    assert [row.where for row in read][1:3] == ["sheet Documents, row 3", "sheet Documents 2, row 2"]
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["Documents", "Documents 2", "Documents 3"]
    assert all([cell.value for cell in sheet[1]] == list(COLUMNS) for sheet in book)


def test_a_sheet_ends_before_it_needs_another_form_of_zip(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(xlsx, "MOST_BYTES", 100_000)
    file, _ = as_xlsx([(str(number), "x" * 30_000, "1") for number in range(12)])
    assert len(openpyxl.load_workbook(leaving.whole(file)).sheetnames) > 1
    assert len(list(xlsx.read(file, "x").rows)) == 12


def test_a_value_that_no_cell_holds_ends_with_where_it_goes_on():
    file, remarks = as_xlsx(
        [("1", "🚒" * 32_768, ""), ("2", "=" + "a" * 32_765, ""), ("3", "=" + "a" * 32_766, "")]
    )
    cells = [row.values[1] for row in xlsx.read(file, "x").rows]
    assert cells[0].endswith("🚒 …continued in text/")
    assert cells[1] == "=" + "a" * 32_765
    assert cells[2].endswith("a …continued in text/")
    assert [(remark.begins, remark.kind) for remark in remarks] == [("1", Kind.CUT), ("3", Kind.CUT)]


def test_a_workbook_without_a_document_still_names_its_columns():
    file, _ = as_xlsx([])
    assert [cell.value for cell in openpyxl.load_workbook(leaving.whole(file))["Documents"][1]] == list(
        COLUMNS
    )
    assert not list(xlsx.read(file, "x").rows)


def repacked(
    file: BytesIO, change: Callable[[str, bytes], bytes | None], more: dict[str, bytes] | None = None
) -> BytesIO:
    """The same workbook with its files changed, left out, or others beside them."""
    out = BytesIO()
    with ZipFile(file) as was, ZipFile(out, "w") as now:
        for member in was.infolist():
            content = change(member.filename, was.read(member))
            if content is not None:
                now.writestr(member, content)
        for name, content in (more or {}).items():
            now.writestr(workbook.member(name), content)
    return out


SHEET = "xl/worksheets/sheet1.xml"


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        if name == SHEET:
            assert old in content
            return content.replace(old, new, 1)
        return content

    return change


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (in_sheet(b"<v>12</v>", b"<f>1+1</f><v>12</v>"), "neither words nor a number"),
        (in_sheet(b"<v>12</v>", b"<v>012</v>"), "neither words nor a number"),
        (in_sheet(b">Ann<", b">=nn<"), "holds what a cell should not"),
        (in_sheet(b">Ann<", b">\xe2\x80\xaenn<"), "holds what a cell should not"),
        (in_sheet(b't="inlineStr"><is><t xml:space="preserve">Ann', b't="str"><is><t xml:space="preserve">Ann'), "neither words nor a number"),
        (in_sheet(b"</sheetData>", b"</sheetData><hyperlinks/>"), "end as it should"),
        (in_sheet(b'r="B2"', b'r="A2"'), "out of order"),
        (in_sheet(b'<row r="2">', b'<row r="7">'), "does not begin"),
        (in_sheet(b"</row>", b"</rw>"), "neither words nor a number"),
        (in_sheet(b"<worksheet", b'<!DOCTYPE x [<!ENTITY e "x">]><worksheet'), "sheet does not begin"),
    ],
)  # fmt: skip
def test_a_sheet_with_anything_but_words_and_numbers_is_refused(
    change: Callable[[str, bytes], bytes], what: str
):
    good, _ = as_xlsx([("1", "Ann", "12")])
    assert len(list(xlsx.read(repacked(leaving.whole(good), lambda _, content: content), "x").rows)) == 1
    with pytest.raises(Malformed) as refused:
        list(xlsx.read(repacked(good, change), "x").rows)
    assert what in refused.value.what
    assert "sheet Documents" in refused.value.where


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (lambda _, content: content, {"xl/vbaProject.bin": b"macro"}),
        (lambda _, content: content, {"xl/externalLinks/externalLink1.xml": b"<x/>"}),
        (lambda name, content: None if name == "xl/styles.xml" else content, {}),
        (lambda name, content: content.replace(b"worksheets/", b"https://x/") if name.endswith("workbook.xml.rels") else content, {}),
        (lambda name, content: content + b" " if name == "[Content_Types].xml" else content, {}),
        (lambda name, content: None if name == SHEET else content, {}),
    ],
)  # fmt: skip
def test_a_workbook_with_any_other_file_in_it_is_refused(change, more: dict[str, bytes]):
    good, _ = as_xlsx([("1", "Ann", "12")])
    with pytest.raises(Malformed):
        list(xlsx.read(repacked(good, change, more), "x").rows)


def test_a_workbook_packed_at_another_time_is_refused():
    good, _ = as_xlsx([("1", "Ann", "12")])
    out = BytesIO()
    with ZipFile(good) as was, ZipFile(out, "w") as now:
        for member in was.infolist():
            now.writestr(ZipInfo(member.filename, (2026, 4, 1, 9, 0, 0)), was.read(member))
    with pytest.raises(Malformed, match="packed"):
        xlsx.read(out, "x")
    with pytest.raises(Malformed, match="no workbook"):
        xlsx.read(BytesIO(b"PK"), "x")


# -- together --------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(leaving.rows(3))
def test_the_three_forms_of_one_row_agree_in_what_each_can_hold(rows: list[Sequence[str]]):
    held = BytesIO()
    writer = dat.Writer(held, COLUMNS)
    for row in rows:
        writer.write(row)
    of_table = [row.values for row in table.read(as_csv(rows)[0], "x").rows]
    assert [row.values for row in dat.read(BytesIO(held.getvalue()), "x").rows] == [
        tuple(dat.fitted(value)[0] for value in row) for row in of_table
    ]
    assert [row.values for row in xlsx.read(as_xlsx(rows)[0], "x").rows] == [
        tuple(xlsx.fitted(value) for value in row) for row in of_table
    ]


def test_writers_hold_no_row_once_it_is_written():
    with (
        tempfile.TemporaryFile() as file,
        tempfile.TemporaryFile() as packed,
        xlsx.Writer(packed, COLUMNS, title="", agency="", made_at=MADE) as book,
    ):
        for writer in (dat.Writer(file, COLUMNS), table.Writer(file, COLUMNS), book):
            tracemalloc.start()
            for number in range(2_000):
                writer.write((str(number), "x" * 1_000, ""))
            held, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert held < 600_000, "two megabytes were written"


def test_a_workbook_that_was_broken_off_is_let_go_of_and_is_none():
    out = BytesIO()

    def break_off() -> None:
        with xlsx.Writer(out, COLUMNS, title="", agency="", made_at=MADE) as book:
            book.write(("1", "", ""))
            raise RuntimeError("power failed")

    with pytest.raises(RuntimeError, match="power"):
        break_off()
    with pytest.raises(Malformed):
        xlsx.read(out, "x")

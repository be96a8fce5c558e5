"""Importing tables: a mapping says which column is what, a preview shows what it does, and each row keeps its own bytes."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from sqlalchemy import select

from app.capture import importing, records, runs
from app.capture.formats import known, mapping, suggest, tabular
from app.capture.formats.mapping import BadMapping
from app.capture.formats.preview import Preview, preview
from app.capture.formats.source import Mark, Unreadable
from app.capture.formats.table import Table
from app.capture.importing import Received
from app.capture.lines import BadFile
from app.records.nouns import Record
from app.store import Store, fixity, reading
from app.store.tables import exchanges, pieces, versions
from app.store.tables import records as record_table

OFFICER = UUID(int=7)
PAGE = ("nixle", "Harrow Falls")
FIELDS: dict[str, object] = {
    "platform": {"value": PAGE[0]},
    "page": {"value": PAGE[1]},
    "native_id": "ID",
    "kind": {"value": "post"},
    "text": "Text",
    "published_at": {"column": "Date", "format": "%m/%d/%Y %H:%M", "zone": "America/Juneau"},
}
HEAD = b"ID,Date,Text\r\n"


def mapped(read: Mapping[str, object] | None = None, **fields: Any) -> mapping.MappingFile:
    told = {name.replace("__", "."): value for name, value in (FIELDS | fields).items() if value is not None}
    return mapping.parse(json.dumps({"mapping": 1, "read": read or {}, "fields": told}).encode())


class Desk:
    """Where tables are received."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def file(self, content: bytes, name: str = "table.csv") -> Path:
        made = self.folder / name
        made.write_bytes(content)
        return made

    def book(self, rows: Sequence[Sequence[object]], name: str = "table.xlsx", **sheets: str) -> Path:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.title = "Posts"
        for row in rows:
            book.active.append(list(row))
        for title, state in sheets.items():
            book.create_sheet(title).sheet_state = state
        book.save(self.folder / name)
        return self.folder / name

    def receive(self, file: Path, how: mapping.MappingFile, **more: Any) -> Received:
        ticks = iter(range(1_000))
        source = known.opened("xlsx" if file.suffix == ".xlsx" else "csv", [file], how)
        return importing.receive(
            self.store,
            source,
            page=None,
            make_pages=True,
            by=OFFICER,
            why="test",
            tick=lambda: next(ticks),
            **more,
        )

    def preview(self, file: Path, how: mapping.MappingFile, **more: Any) -> Preview:
        source = known.opened("xlsx" if file.suffix == ".xlsx" else "csv", [file], how)
        return preview(source, page=None, registry=more.pop("registry", [PAGE]), **more)

    def records(self) -> dict[str, Record]:
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key).order_by(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True)
        return {str(one.version.fields["native_id"]): one for one in found}

    def bytes_kept(self) -> bytes:
        with self.store.database.read() as tx:
            keys = tx.execute(select(exchanges.c.key).order_by(exchanges.c.key)).scalars().all()
            return b"".join(reading.exchange(self.store, tx, key).body for key in keys)

    def sound(self) -> bool:
        return fixity.verify(self.store, full=True).findings == []


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    (tmp_path / "desk").mkdir()
    return Desk(store, tmp_path / "desk")


# -- what a row becomes ------------------------------------------------------------------------------------


def test_a_row_is_received_as_its_mapping_says_and_columns_that_it_does_not_name_are_kept(desk: Desk):
    (desk.folder / "media").mkdir()
    (desk.folder / "media" / "a.png").write_bytes(b"picture")
    content = (
        "ID,Date,Text,From,User,Parent,Type,Shown,Files,Likes,Link,Office\r\n"
        'p1,03/04/2026 10:00,"Road closed,\r\nuse the bridge – “now”",Pat,@pat,,Status,yes,a.png,"1,204",https://t.example/p1,West\r\n'
        "c1,03/04/2026 11:00,Thanks,Kim,@kim,p1,Comment,no,,,,\r\n"
    ).encode()
    how = mapped(
        author={"name": "From", "handle": "User"},
        in_reply_to="Parent",
        kind={"column": "Type", "values": {"Status": "post"}},
        state={"column": "Shown", "values": {"yes": "present", "no": "hidden"}},
        attachments={"column": "Files", "under": "media/"},
        counts={"likes": "Likes"},
        url="Link",
    )
    report = desk.receive(desk.file(content), how)
    assert (report.status, report.tally.new, report.unreadable) == ("complete", 2, [])
    first, answer = desk.records()["p1"], desk.records()["c1"]
    told = records.as_json(first)
    assert (told["text"], told["published_at"]) == (
        "Road closed,\r\nuse the bridge – “now”",
        "2026-03-04T19:00:00Z",
    )
    assert (told["author"], told["counts"], told["extra"], told["url"]) == (
        {"id": None, "name": "Pat", "handle": "@pat"},
        {"likes": 1204},
        {"Office": "West"},
        "https://t.example/p1",
    )
    assert (answer.kind, answer.state, answer.in_reply_to) == ("comment", "hidden", first.id)
    assert [one.state for one in first.attachments] == ["kept"]
    assert desk.bytes_kept() == content
    assert desk.sound()


def test_the_bytes_of_each_row_are_its_record_s_alone_and_the_header_is_the_file_s(desk: Desk):
    desk.receive(desk.file(HEAD + b'1,03/04/2026 10:00,"a\nb"\r\n2,03/04/2026 10:00,c\r\n'), mapped())
    with desk.store.database.read() as tx:
        owned = tx.execute(
            select(pieces.c.length).where(pieces.c.record.is_not(None)).order_by(pieces.c.key)
        ).scalars()
        assert sorted(owned) == [len(b"2,03/04/2026 10:00,c\r\n"), len(b'1,03/04/2026 10:00,"a\nb"\r\n')]


def test_the_same_table_again_brings_nothing_new_and_a_changed_row_is_a_version(desk: Desk):
    content = HEAD + b"".join(b"%d,03/04/2026 10:00,words %d\r\n" % (n, n) for n in range(50))
    file = desk.file(content)
    desk.receive(file, mapped())
    again = desk.receive(file, mapped())
    assert (again.tally.new, again.tally.edited, again.tally.unchanged) == (0, 0, 50)
    later = desk.receive(desk.file(content.replace(b"words 7\r", b"other words\r"), "later.csv"), mapped())
    assert (later.tally.new, later.tally.edited, later.tally.unchanged) == (0, 1, 49)


def test_a_table_in_gzip_is_the_same_as_what_it_holds(desk: Desk):
    content = HEAD + b"1,03/04/2026 10:00,a\r\n"
    desk.receive(desk.file(gzip.compress(content), "table.csv.gz"), mapped())
    assert desk.bytes_kept() == content


def test_an_import_of_a_table_that_was_broken_off_goes_on_where_it_stopped(desk: Desk):
    content = HEAD + b"".join(b'%d,03/04/2026 10:00,"words\n%d"\r\n' % (n, n) for n in range(2_500))
    file = desk.file(content)
    with pytest.raises(_BrokenOff):
        desk.receive(file, mapped(), point=_break_off("before-commit", 2))
    report = desk.receive(file, mapped())
    assert (report.tally.new, report.tally.unchanged, len(desk.records())) == (501, 0, 2_500)
    assert desk.bytes_kept() == content


def test_another_mapping_reads_a_broken_off_table_from_its_beginning(desk: Desk):
    file = desk.file(HEAD + b"".join(b"%d,03/04/2026 10:00,words\r\n" % n for n in range(2_500)))
    with pytest.raises(_BrokenOff):
        desk.receive(file, mapped(), point=_break_off("before-commit", 2))
    report = desk.receive(file, mapped(native_id={"column": "ID", "prefix": "n-"}))
    assert report.tally.new == 2_500


class _BrokenOff(BaseException):
    pass


def _break_off(which: str, times: int) -> Any:
    seen = 0

    def point(name: str) -> None:
        nonlocal seen
        seen += name == which
        if name == which and seen == times:
            raise _BrokenOff

    return point


# -- what cannot be read -----------------------------------------------------------------------------------

ROWS: dict[str, tuple[bytes, str]] = {
    "a time that is none": (b"1,soon,a\r\n", "published_at: 'soon' is not written as %m/%d/%Y %H:%M"),
    "day before month": (b"1,31/12/2026 10:00,a\r\n", "published_at: '31/12/2026 10:00' is not written as"),
    "no id": (b",03/04/2026 10:00,a\r\n", "native_id is missing"),
    "an id that a spreadsheet rounded": (b"1.02E+17,03/04/2026 10:00,a\r\n", "a number that a spreadsheet has rounded"),
    "too few cells": (b"1,03/04/2026 10:00\r\n", "2 cells where there are 3 columns"),
    "too many cells": (b"1,03/04/2026 10:00,a,b\r\n", "4 cells where there are 3 columns"),
    "bytes that are not UTF-8": (b"1,03/04/2026 10:00,caf\xe9\r\n", "bytes that are not utf-8"),
    "a quotation mark in the wrong place": (b'1,03/04/2026 10:00,"a"b"\r\n', "its quotation marks are not those of a table"),
}  # fmt: skip


@pytest.mark.parametrize("what", ROWS)
def test_a_row_that_cannot_be_read_is_reported_with_its_line_and_why_and_the_rest_is_kept(
    desk: Desk, what: str
):
    row, why = ROWS[what]
    content = HEAD + b"before,03/04/2026 10:00,a\r\n" + row + b"after,03/14/2026 10:00,b \xf0\x9f\x9a\xa7\r\n"
    report = desk.receive(desk.file(content), mapped())
    assert (report.status, report.tally.new, report.unreadable_total) == ("partial", 2, 1)
    ((number, reason),) = report.unreadable
    assert (number, why in reason) == (3, True), reason
    assert desk.records().keys() == {"before", "after"}
    assert desk.bytes_kept() == content
    assert desk.sound()


def test_a_quotation_mark_that_never_closes_costs_the_line_on_which_it_opens_and_no_other(desk: Desk):
    content = (
        HEAD + b'1,03/04/2026 10:00,a\n2,03/04/2026 10:00,"b\n3,03/04/2026 10:00,c\n4,03/04/2026 10:00,d\n'
    )
    report = desk.receive(desk.file(content), mapped())
    assert report.unreadable == [(3, "a quotation mark that opens here is never closed")]
    assert desk.records().keys() == {"1", "3", "4"}
    assert desk.bytes_kept() == content


@pytest.mark.parametrize("mark", [b'"', b""])
@pytest.mark.parametrize("more", [-30, 0, 10, tabular.LONGEST])
def test_a_row_longer_than_memory_allows_is_reported_once_and_its_bytes_are_kept(
    desk: Desk, mark: bytes, more: int
):
    long = b"2,03/14/2026 10:00," + mark + b"x" * (tabular.LONGEST + more) + mark + b"\n"
    content = HEAD + b"1,03/04/2026 10:00,a\n" + long + b"3,03/04/2026 10:00,c\n"
    report = desk.receive(desk.file(content), mapped())
    assert [number for number, _ in report.unreadable] == ([3] if more > -30 else [])
    assert desk.records().keys() == ({"1", "3"} if more > -30 else {"1", "2", "3"})
    assert desk.bytes_kept() == content


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='ab1,;"\r\n\t é', max_size=80).map(str.encode))
def test_whatever_bytes_a_table_holds_its_stretches_join_to_the_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
):
    file = tmp_path_factory.mktemp("bytes") / "table.csv"
    file.write_bytes(HEAD + content)
    source = tabular.Csv(file, mapped({"encoding": "utf-8", "delimiter": ","}))
    found = list(source.stretches(Mark()))
    assert b"".join(one.content for one in found) == HEAD + content
    for stretch in found:
        if stretch.why is None:
            # Whatever it is, it is read, or refused as what cannot be read; nothing else is raised.
            with contextlib.suppress(Unreadable):
                source.read(stretch)


# -- encodings and delimiters ------------------------------------------------------------------------------

WORDS = "Café “closed” – naïve ✓"
ENCODED: dict[str, tuple[bytes, str]] = {
    "UTF-8": (WORDS.encode(), "read as utf-8 (all of it is UTF-8)"),
    "UTF-8 with a mark": (codecs.BOM_UTF8, "read as utf-8 (its byte order mark says so)"),
    "UTF-16, small end first": (codecs.BOM_UTF16_LE, "read as utf-16-le (its byte order mark says so)"),
    "UTF-16, large end first": (codecs.BOM_UTF16_BE, "read as utf-16-be (its byte order mark says so)"),
}


@pytest.mark.parametrize("what", ENCODED)
def test_a_table_is_read_in_the_encoding_that_its_bytes_prove(desk: Desk, what: str):
    mark, said = ENCODED[what]
    mark = b"" if what == "UTF-8" else mark
    name = said.split()[2]
    content = mark + f'ID,Date,Text\r\n1,03/04/2026 10:00,"{WORDS}\nsecond"\r\n'.encode(name)
    report = desk.receive(desk.file(content), mapped())
    assert report.status == "complete"
    assert desk.records()["1"].version.text("text") == f"{WORDS}\nsecond"
    assert said in report.remarks
    assert desk.bytes_kept() == content


def test_windows_quotation_marks_are_certain_and_are_read(desk: Desk):
    report = desk.receive(desk.file(HEAD + "1,03/04/2026 10:00,“now” – …\r\n".encode("cp1252")), mapped())
    assert desk.records()["1"].version.text("text") == "“now” – …"
    assert "read as cp1252 (its bytes above ASCII mean the same in every Windows code page)" in report.remarks


def test_a_windows_letter_could_be_another_letter_and_is_not_guessed(desk: Desk):
    file = desk.file(HEAD + "1,03/04/2026 10:00,café\r\n".encode("cp1252"))
    with pytest.raises(BadFile, match="not UTF-8"):
        desk.receive(file, mapped())
    desk.receive(file, mapped({"encoding": "cp1252"}))
    assert desk.records()["1"].version.text("text") == "café"


@pytest.mark.parametrize(
    ("sign", "name"), [(",", "commas"), (";", "semicolons"), ("\t", "tabulators"), ("|", "bars")]
)
def test_what_divides_the_cells_is_found_out_and_said(desk: Desk, sign: str, name: str):
    text = (
        sign.join(["ID", "Date", "Text"])
        + "\n"
        + sign.join(["1", "03/04/2026 10:00", '"a, b; c\td|e"'])
        + "\n"
    )
    report = desk.receive(desk.file(text.encode()), mapped())
    assert desk.records()["1"].version.text("text") == "a, b; c\td|e"
    assert f"cells divided by {name} (found out)" in report.remarks


def test_where_two_signs_may_divide_the_cells_neither_is_guessed(tmp_path: Path):
    file = tmp_path / "table.csv"
    file.write_bytes(b"a,b;c\n1,2;3\n4,5;6\n")
    with pytest.raises(BadFile, match="may be divided by"):
        known.table("csv", file, None)


def test_nul_characters_are_kept_and_said(desk: Desk):
    report = desk.receive(desk.file(HEAD + b"1,03/04/2026 10:00,a\x00b\r\n"), mapped())
    assert desk.records()["1"].version.text("text") == "a\x00b"
    assert "1 rows hold NUL characters, kept as they are (line 2)" in report.remarks


def test_lines_that_end_as_on_old_machines_are_lines(desk: Desk):
    content = (HEAD + b"1,03/04/2026 10:00,a\r\n2,03/04/2026 10:00,b\r\n").replace(b"\r\n", b"\r")
    desk.receive(desk.file(content), mapped())
    assert desk.records().keys() == {"1", "2"}
    assert desk.bytes_kept() == content


# -- times -------------------------------------------------------------------------------------------------


def said_of_times(desk: Desk, values: Sequence[str], form: str = "%m/%d/%Y %H:%M") -> list[str]:
    rows = b"".join(f"{n},{value},a\r\n".encode() for n, value in enumerate(values))
    how = mapped(published_at={"column": "Date", "format": form, "zone": "America/Juneau"})
    return desk.preview(desk.file(HEAD + rows), how).remarks


def test_times_that_could_be_read_in_the_other_order_are_said_over_the_whole_file(desk: Desk):
    told = said_of_times(desk, ["03/04/2026 10:00", "05/05/2026 10:00", "03/14/2026 10:00"])
    assert (
        "1 times in published_at could be read with day and month changed about; 1 others prove the order of the mapping (line 2)"
        in told
    )
    told = said_of_times(desk, ["03/04/2026 10:00"])
    assert any("none proves the order of the mapping" in one for one in told)


def test_times_whose_order_is_plain_are_not_spoken_of(desk: Desk):
    assert not any("changed about" in one for one in said_of_times(desk, ["03/14/2026 10:00"]))
    assert not any(
        "changed about" in one for one in said_of_times(desk, ["2026-03-04 10:00"], "%Y-%m-%d %H:%M")
    )


def test_a_time_that_the_clocks_showed_twice_is_the_later_and_said(desk: Desk):
    desk.receive(desk.file(HEAD + b"1,11/01/2026 01:30,a\r\n"), mapped())
    assert records.as_json(desk.records()["1"])["published_at"] == "2026-11-01T10:30:00Z"
    assert any("shown twice by the clocks" in one for one in said_of_times(desk, ["11/01/2026 01:30"]))


def test_a_time_that_the_clocks_skipped_is_that_much_later_and_said(desk: Desk):
    desk.receive(desk.file(HEAD + b"1,03/08/2026 02:30,a\r\n"), mapped())
    assert records.as_json(desk.records()["1"])["published_at"] == "2026-03-08T11:30:00Z"
    assert any("never shown by the clocks" in one for one in said_of_times(desk, ["03/08/2026 02:30"]))


@pytest.mark.parametrize(
    ("form", "value", "moment"),
    [
        ("iso", "2026-03-04T10:00:00-05:00", "2026-03-04T15:00:00Z"),
        ("iso", "2026-03-04 10:00", "2026-03-04T19:00:00Z"),
        ("epoch", "1772618400", "2026-03-04T10:00:00Z"),
        ("epoch_ms", "1772618400000", "2026-03-04T10:00:00Z"),
        ("%d/%m/%Y %I:%M %p", "04/03/2026 10:00 AM", "2026-03-04T19:00:00Z"),
        ("%a %b %d %H:%M:%S %z %Y", "Wed Mar 04 10:00:00 +0000 2026", "2026-03-04T10:00:00Z"),
    ],
)
def test_times_are_read_in_the_form_and_zone_that_the_mapping_states(
    desk: Desk, form: str, value: str, moment: str
):
    how = mapped(published_at={"column": "Date", "format": form, "zone": "America/Juneau"})
    desk.receive(desk.file(HEAD + f"1,{value},a\r\n".encode()), how)
    assert records.as_json(desk.records()["1"])["published_at"] == moment


# -- mappings ----------------------------------------------------------------------------------------------

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a field that is none": ({"colour": "Text"}, "colour is no field"),
    "no native id": ({"native_id": None}, "does not say what native_id is"),
    "no kind": ({"kind": None}, "does not say what kind is"),
    "a kind that is none": ({"kind": {"value": "story"}}, "'story' is not one of"),
    "a column that is not there": ({"text": "Words"}, "the table has no column 'Words'"),
    "a time without a zone": ({"published_at": {"column": "Date", "format": "%m/%d/%Y"}}, "bear no zone"),
    "a zone that is none": ({"published_at": {"column": "Date", "zone": "Mars/Base"}}, "is no time zone"),
    "a form without a day": ({"published_at": {"column": "Date", "format": "%m/%Y", "zone": "UTC"}}, "does not tell a day in full"),
    "a form nobody chose": ({"published_at": {"column": "Date", "format": "CHOOSE", "zone": "UTC"}}, "'CHOOSE' does not tell"),
    "both orders at once": ({"published_at": {"column": "Date", "format": ["%m/%d/%Y", "%d/%m/%Y"], "zone": "UTC"}}, "in both orders"),
    "a word too many": ({"text": {"column": "Text", "upper": True}}, "knows no upper"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_mapping_that_cannot_be_used_is_refused_before_anything_is_written(desk: Desk, what: str):
    fields, why = BAD[what]
    with pytest.raises(BadMapping, match=why):
        desk.receive(desk.file(HEAD + b"1,03/04/2026 10:00,a\r\n"), mapped(**fields))
    with desk.store.database.read() as tx:
        assert runs.recent(tx) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"mapping: 1\nfields: {a: &x [1], b: *x}", "uses aliases"),
        (b"- 1", "not a list of names"),
        (b"\xff\xfe\xff", "neither YAML nor JSON"),
        (b"mapping: 2\nfields: {kind: a}", "does not begin with"),
        (b"mapping: 1\nfield: {kind: a}", "knows no field"),
        (b"mapping: 1\nread: {delimiter: ab}\nfields: {native_id: a, kind: b}", "one character"),
        (b"a" * 300_000, "larger than"),
    ],
)
def test_a_mapping_that_cannot_be_read_says_why(content: bytes, why: str):
    with pytest.raises(BadMapping, match=why):
        mapping.parse(content)


def test_an_id_made_from_content_is_the_same_every_time_and_said(desk: Desk):
    how = mapped(native_id={"derive": ["Date", "Text"]})
    file = desk.file(HEAD + b",03/04/2026 10:00,a\r\n,03/04/2026 10:00,b\r\n,03/04/2026 10:00,a\r\n")
    report = desk.receive(file, how)
    assert (report.tally.new, report.tally.unchanged) == (2, 1)
    assert any(one.startswith("native ids are made from Date, Text") for one in report.remarks)
    assert desk.receive(desk.file(file.read_bytes() + b"\r\n", "again.csv"), how).tally.new == 0


def test_rows_shorter_than_the_header_are_taken_only_where_the_mapping_says_so(desk: Desk):
    file = desk.file(b"ID,Date,Text,More\r\n1,03/04/2026 10:00,a\r\n")
    assert desk.receive(file, mapped()).unreadable_total == 1
    report = desk.receive(file, mapped({"short_rows": "accept"}))
    assert (report.tally.new, report.remarks[-1]) == (
        1,
        "1 rows have fewer cells than there are columns (line 2)",
    )


def test_a_table_without_names_is_mapped_by_the_numbers_of_its_columns(desk: Desk):
    how = mapped({"header": 0}, native_id="#1", text="#3", published_at={"column": "#2", "zone": "UTC"})
    desk.receive(desk.file(b"1,2026-03-04,a\r\n2,2026-03-05,b\r\n"), how)
    assert desk.records().keys() == {"1", "2"}


# -- preview -----------------------------------------------------------------------------------------------


def test_a_preview_tells_every_problem_of_the_whole_file_and_changes_nothing(desk: Desk):
    rows = [b"%d,03/14/2026 10:00,a\r\n" % n for n in range(3_000)]
    rows[2_500] = b"7,03/14/2026 10:00,other words\r\n"
    rows[2_600] = b"x,soon,a\r\n"
    rows[2_700] = b",03/14/2026 10:00,a\r\n"
    told = desk.preview(desk.file(HEAD + b"".join(rows)), mapped(), registry=[])
    assert (told.lines, told.readable, told.unreadable_total) == (3_000, 2_998, 2)
    assert {why: counted.places for why, counted in told.unreadable.items()} == {
        "published_at: '…' is not written as %m/%d/%Y %H:%M": ["line 2602"],
        "native_id is missing or not a text": ["line 2702"],
    }
    assert (told.twice, told.twice_at) == (1, ["line 2502"])
    assert (told.missing_pages, len(told.rows)) == ([PAGE], 10)
    assert told.rows[0]["published_at"] == "2026-03-14T18:00:00+00:00"
    assert json.dumps(told.as_dict())
    assert any("3000 lines: 2998 can be read, 2 cannot" in line for line in told.lines_told())
    with desk.store.database.read() as tx:
        assert runs.recent(tx) == []


def test_a_preview_of_a_sound_table_finds_nothing_amiss(desk: Desk):
    told = desk.preview(desk.file(HEAD + b"1,03/14/2026 10:00,a\r\n"), mapped())
    assert (told.unreadable_total, told.twice, told.missing_pages, told.undated) == (0, 0, [], 0)


def test_a_preview_says_which_attachments_are_not_there(desk: Desk):
    (desk.folder / "a.png").write_bytes(b"picture")
    file = desk.file(b"ID,Date,Text,File\r\n1,03/14/2026 10:00,a,a.png\r\n2,03/14/2026 10:00,a,../b.png\r\n")
    told = desk.preview(file, mapped(attachments={"column": "File"}))
    assert (told.attachments, told.attachments_missing.places) == (2, ["line 3: ../b.png"])


# -- suggestions -------------------------------------------------------------------------------------------


def suggested(table: Table) -> str:
    return suggest.suggestion(table, zone="America/Juneau", page=PAGE)


def test_a_mapping_is_suggested_from_the_names_of_columns_and_reads_the_table(desk: Desk):
    file = desk.file(
        b"Post ID,Created At,Message,From Name,Likes,Permalink,Ward\r\n9,2026-03-04T10:00:00Z,a,Pat,4,https://t.example/9,2\r\n"
    )
    how = mapping.parse(suggested(known.table("csv", file, None)).encode())
    report = desk.receive(file, how)
    assert (report.status, report.tally.new) == ("complete", 1)
    told = records.as_json(desk.records()["9"])
    assert (told["text"], told["counts"], told["extra"], told["published_at"]) == (
        "a",
        {"likes": 4},
        {"Ward": "2"},
        "2026-03-04T10:00:00Z",
    )


def test_what_only_a_person_knows_is_left_open_and_refused_until_chosen(desk: Desk):
    file = desk.file(b"ID,Date,Text,Type\r\n1,03/04/2026,a,Story\r\n")
    text = suggested(known.table("csv", file, None))
    assert 'format: "CHOOSE"' in text
    assert '"Story": CHOOSE' in text
    with pytest.raises(BadMapping):
        desk.receive(file, mapping.parse(text.encode()))
    chosen = text.replace('format: "CHOOSE"', 'format: "%m/%d/%Y"').replace(": CHOOSE", ": post")
    assert desk.receive(file, mapping.parse(chosen.encode())).tally.new == 1


def test_a_date_that_proves_its_order_is_not_left_open(desk: Desk):
    file = desk.file(b"ID,Date,Text\r\n1,03/04/2026 10:00,a\r\n2,03/24/2026 10:00,a\r\n")
    assert 'format: "%m/%d/%Y %H:%M", zone: America/Juneau' in suggested(known.table("csv", file, None))


def test_a_mapping_for_a_workbook_reads_its_dates_in_the_agency_s_zone(desk: Desk):
    file = desk.book([row[:3] for row in BOOK_ROWS[:2]])
    text = suggested(known.table("xlsx", file, None))
    assert desk.receive(file, mapping.parse(text.encode())).tally.new == 1
    assert records.as_json(desk.records()["1"])["published_at"] == "2026-03-04T19:00:00Z"


def test_a_table_without_ids_is_suggested_one_from_its_content(desk: Desk):
    file = desk.file(b"When,Text\r\n2026-03-04,a\r\n")
    assert "native_id: {derive:" in suggested(known.table("csv", file, None))


# -- workbooks ---------------------------------------------------------------------------------------------

BOOK_ROWS = (
    ("ID", "Date", "Text", "More"),
    ("1", datetime(2026, 3, 4, 10, 0, tzinfo=UTC).replace(tzinfo=None), "words – “here”", None),
    ("2", "03/05/2026 10:00", "other", 4.5),
)


def test_a_row_of_a_workbook_is_received_with_its_own_xml_and_values(desk: Desk):
    file = desk.book(BOOK_ROWS)
    report = desk.receive(file, mapped())
    assert (report.status, report.tally.new) == ("complete", 2)
    told = records.as_json(desk.records()["1"])
    assert (told["text"], told["published_at"]) == ("words – “here”", "2026-03-04T19:00:00Z")
    assert records.as_json(desk.records()["2"])["extra"] == {"More": "4.5"}
    kept = [json.loads(line) for line in desk.bytes_kept().splitlines()]
    with zipfile.ZipFile(file) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert [one["row"] for one in kept] == [1, 2, 3]
    assert all(one["xml"].startswith("<row") and one["xml"] in sheet for one in kept)
    assert kept[1]["cells"]["C"] == "words – “here”"
    assert desk.receive(file, mapped()).tally.unchanged == 2
    assert desk.sound()


def test_days_are_counted_from_where_the_workbook_says(desk: Desk):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    assert book.active is not None
    book.active.append(["ID", "Date", "Text"])
    book.active.append(["1", date(2026, 3, 4), "a"])
    book.save(desk.folder / "mac.xlsx")
    report = desk.receive(desk.folder / "mac.xlsx", mapped())
    assert records.as_json(desk.records()["1"])["published_at"] == "2026-03-04T09:00:00Z"
    assert report.remarks[0] == "sheet 'Sheet' read; days count from 1904"


def test_a_formula_is_never_computed_and_one_without_a_value_is_reported(desk: Desk):
    report = desk.receive(
        desk.book([*BOOK_ROWS, ("3", "03/05/2026 10:00", "=1+1"), ("4", "03/05/2026 10:00", "x", "=2")]),
        mapped(),
    )
    assert report.unreadable == [(4, "text: C4 holds a formula whose value the file does not hold")]
    assert "4" in desk.records()
    assert any("2 cells hold a formula" in one for one in report.remarks)


def test_an_id_that_the_workbook_keeps_as_a_long_number_is_refused_because_its_last_digits_are_lost(
    desk: Desk,
):
    report = desk.receive(
        desk.book([*BOOK_ROWS, (102345678901234567, "03/05/2026 10:00", "a"), (77, "03/05/2026 10:00", "b")]),
        mapped(),
    )
    assert [number for number, why in report.unreadable if "spreadsheet rounds" in why] == [4]
    assert "77" in desk.records()


def test_hidden_rows_joined_cells_and_other_sheets_are_said(desk: Desk):
    file = desk.book(BOOK_ROWS, Notes="hidden")
    book = openpyxl.load_workbook(file)
    book["Posts"].row_dimensions[3].hidden = True
    book["Posts"].merge_cells("C2:D2")
    book.save(file)
    report = desk.receive(file, mapped())
    told = "\n".join(report.remarks)
    assert report.tally.new == 2
    assert "hidden sheets: 'Notes'" in told
    assert "1 rows are hidden in the workbook, and are taken like the others (row 3)" in told
    assert "(C2:D2)" in told
    assert [one.name for one in report.left] == ["sheet Notes"]


def test_of_several_sheets_one_is_named_and_none_is_guessed(desk: Desk):
    file = desk.book(BOOK_ROWS, Other="visible")
    with pytest.raises(BadFile, match="2 sheets that are shown"):
        desk.receive(file, mapped())
    assert desk.receive(file, mapped({"sheet": "Posts"})).tally.new == 2
    with pytest.raises(BadFile, match="no sheet 'More'"):
        desk.receive(file, mapped({"sheet": "More"}))


def _packed(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("what", ["no zip", "another zip", "a bomb", "an old workbook", "a document type"])
def test_what_is_no_sound_workbook_is_refused_before_anything_is_written(desk: Desk, what: str):
    sound = desk.book(BOOK_ROWS)
    with zipfile.ZipFile(sound) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    content = {
        "no zip": b"ID,Date,Text\r\n",
        "another zip": _packed({"a.txt": b"a"}),
        "a bomb": _packed(parts | {sheet: bytes(80 << 20)}),
        "an old workbook": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        "a document type": _packed(
            parts | {sheet: b'<!DOCTYPE x [<!ENTITY a "b">]>' + parts[sheet].split(b"?>")[-1]}
        ),
    }[what]
    with pytest.raises(BadFile):
        desk.receive(desk.file(content, "table.xlsx"), mapped())
    with desk.store.database.read() as tx:
        assert runs.recent(tx) == []


def test_a_table_makes_one_version_for_each_row(desk: Desk):
    desk.receive(desk.book(BOOK_ROWS), mapped())
    with desk.store.database.read() as tx:
        assert len(tx.execute(select(versions.c.number)).all()) == 2

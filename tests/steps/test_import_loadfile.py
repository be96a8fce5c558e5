"""Load files: each row a document with its words, natives and pages, whatever program wrote the table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.capture.formats import known, mapping
from app.capture.formats.load_file import LoadFile
from app.capture.formats.mapping import BadMapping
from app.capture.formats.preview import preview
from app.capture.formats.source import Mark
from app.capture.formats.suggest import suggestion
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import Desk, left, unpacked, zipped

HEAD = ("BEGDOC", "DATESENT", "FROM", "NATIVEPATH", "TEXTPATH", "NOTE")
FIELDS: dict[str, object] = {
    "platform": {"value": "facebook"},
    "page": {"value": "Harrow Falls"},
    "native_id": "BEGDOC",
    "kind": {"value": "post"},
    "author": {"name": "FROM"},
    "published_at": {"column": "DATESENT", "format": "%m/%d/%Y %H:%M", "zone": "America/Juneau"},
    "attachments": {"column": "NATIVEPATH", "separator": ";"},
}
ONE = (
    "HF-01",
    "03/04/2026 10:00",
    "Harrow Falls",
    r".\VOL01\NATIVES\HF-01.png",
    r".\VOL01\TEXT\HF-01.txt",
    "a®b",
)
TWO = ("HF-02", "03/04/2026 11:00", "Kim", "", r".\VOL01\TEXT\HF-02.txt", "")
FILES = {
    "VOL01/NATIVES/HF-01.png": b"bridge",
    "VOL01/TEXT/HF-01.txt": b"\xef\xbb\xbfRoad closed\r\nuntil noon",
    "VOL01/TEXT/HF-02.txt": b"thank you",
}


def dat(*rows: Sequence[str], encoding: str = "utf-8-sig", end: str = "\r\n") -> bytes:
    lines = ["\x14".join(f"þ{cell}þ" for cell in row) + end for row in (HEAD, *rows)]
    return "".join(lines).encode(encoding)


def mapped(read: Mapping[str, object] | None = None, **fields: object) -> mapping.MappingFile:
    told = {name: value for name, value in (FIELDS | fields).items() if value is not None}
    return mapping.parse(
        json.dumps(
            {"mapping": 1, "read": {"text_file": "TEXTPATH"} | dict(read or {}), "fields": told}
        ).encode()
    )


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", lambda files: known.opened("load-file", files, mapped()))


def volume(desk: Desk, table: bytes, name: str = "prod.zip", more: Mapping[str, bytes] | None = None) -> Path:
    return zipped(desk.folder / name, {"VOL01/DATA/prod.dat": table, **FILES, **(more or {})})


def read(file: Path, how: mapping.MappingFile) -> list[Any]:
    source = LoadFile(file, how)
    try:
        return [line.observation for one in source.stretches(Mark()) for line in source.read(one)]
    finally:
        source.close()


# -- a document --------------------------------------------------------------------------------------------


def test_a_document_has_its_words_from_its_file_its_native_and_its_columns(desk: Desk):
    report = desk.receive(volume(desk, dat(ONE, TWO)))
    assert (report.status, report.tally.new, report.gaps, report.unreadable) == ("complete", 2, [], [])
    told = desk.told("HF-01")
    assert (told["text"], told["published_at"], told["author"]["name"]) == (
        "Road closed\nuntil noon",
        "2026-03-04T19:00:00Z",
        "Harrow Falls",
    )
    assert [(one["state"], one["bytes"]) for one in told["attachments"]] == [("kept", 6), ("kept", 26)]
    assert told["extra"]["NOTE"] == "a\nb"
    assert desk.told("HF-02")["text"] == "thank you"
    assert left(report) == {}
    assert desk.sound()


def test_each_row_keeps_its_own_bytes_and_the_table_joins_to_itself(desk: Desk):
    table = dat(ONE, TWO)
    desk.receive(volume(desk, table))
    source = LoadFile(desk.folder / "prod.zip", mapped())
    assert b"".join(one.content for one in source.stretches(Mark())) == table
    source.close()
    payloads = desk.records()["HF-02"].version.fields["payloads"]
    assert isinstance(payloads, list)
    assert sum(one["bytes"] for one in payloads) < len(table) - len(dat())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_form_is_read_in_every_encoding_in_which_it_is_written(desk: Desk, encoding: str):
    assert [one.native_id for one in read(volume(desk, dat(ONE, TWO, encoding=encoding)), mapped())] == [
        "HF-01",
        "HF-02",
    ]


def test_a_windows_code_page_that_is_not_certain_must_be_stated(desk: Desk):
    table = dat((*ONE[:2], "José", *ONE[3:]), encoding="cp1252")
    with pytest.raises(BadFile, match="not UTF-8"):
        read(volume(desk, table), mapped())
    (found,) = read(volume(desk, table, "again.zip"), mapped({"encoding": "cp1252"}))
    assert found.author.name == "José"


def test_the_forms_own_signs_are_known_in_a_code_page_that_writes_other_letters_there(desk: Desk):
    table = dat((*ONE[:2], "Łódź", *ONE[3:]), encoding="utf-8").decode().replace("þ", "ţ").encode("cp1250")
    (found,) = read(volume(desk, table), mapped({"encoding": "cp1250"}))
    assert (found.author.name, found.extra["NOTE"]) == ("Łódź", "a\nb")


def test_values_without_their_signs_a_thorn_that_stands_twice_and_a_line_end_inside_are_read(desk: Desk):
    table = (
        "BEGDOC\x14DATESENT\x14FROM\x14NATIVEPATH\x14TEXTPATH\x14NOTE\r\n"
        "HF-01\x1403/04/2026 10:00\x14þÞórr þþor\r\nsonþ\x14\x14\x14\r\n"
    ).encode("utf-8-sig")
    (found,) = read(volume(desk, table), mapped())
    assert found.author.name == "Þórr þor\r\nson"


def test_a_value_that_never_closes_costs_its_own_line_alone(desk: Desk):
    broken = dat(ONE, TWO).replace("þHF-01þ".encode(), "þHF-01".encode())
    report = desk.receive(volume(desk, broken))
    assert (report.tally.new, report.unreadable_total) == (1, 1)
    assert list(desk.records()) == ["HF-02"]


def test_a_row_of_another_length_is_reported(desk: Desk):
    report = desk.receive(volume(desk, dat(ONE, TWO[:4])))
    assert (report.tally.new, report.unreadable_total) == (1, 1)
    assert "4 cells where there are 6 columns" in report.unreadable[0][1]


# -- its files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        r".\VOL01\NATIVES\HF-01.png",
        r"\VOL01\NATIVES\HF-01.png",
        r"D:\Export\VOL01\NATIVES\HF-01.png",
        r"\\server\share\VOL01\natives\hf-01.PNG",
        "NATIVES/HF-01.png",
    ],
)
def test_a_path_is_found_whatever_drive_or_folder_it_begins_with(desk: Desk, path: str):
    source = LoadFile(volume(desk, dat(ONE)), mapped())
    assert source.found(path) == "VOL01/NATIVES/HF-01.png"
    source.close()


def test_a_path_that_two_files_end_with_or_that_leads_out_means_none(desk: Desk):
    file = volume(desk, dat(ONE), more={"VOL02/NATIVES/HF-01.png": b"other"})
    source = LoadFile(file, mapped())
    assert source.found("VOL01/NATIVES/HF-01.png") == "VOL01/NATIVES/HF-01.png"
    assert source.found("NATIVES/HF-01.png") is None
    assert source.found("../VOL01/NATIVES/HF-01.png") is None
    assert source.attachment(r"..\..\etc\passwd") is None
    assert source.found("") is None
    source.close()


def test_files_that_are_not_there_are_gaps_and_said_and_files_that_no_row_names_are_listed(desk: Desk):
    more = {"VOL01/NATIVES/HF-09.png": b"x", "readme.pdf": b"pdf"}
    table = dat(ONE, ("HF-03", *TWO[1:3], r"VOL01\NATIVES\HF-03.png", r"VOL01\TEXT\HF-03.txt", ""))
    report = desk.receive(volume(desk, table, more=more))
    assert report.tally.new == 2
    assert [gap.native_id for gap in report.gaps] == ["HF-03", "HF-03"]
    assert any("1 documents have no file of words" in one for one in report.remarks)
    assert left(report) == {
        "VOL01/NATIVES/HF-09.png": "no row of the load file names it",
        "VOL01/TEXT/HF-02.txt": "no row of the load file names it",
        "readme.pdf": "no row of the load file names it",
    }


def test_an_image_load_file_says_which_pages_a_document_has(desk: Desk):
    opt = (
        "HF-01,VOL01,.\\VOL01\\IMAGES\\HF-01.tif,Y,,,2\r\nHF-01.2,VOL01,.\\VOL01\\IMAGES\\HF-01.2.tif,,,,\r\n"
        "HF-02,VOL01,.\\VOL01\\IMAGES\\HF-02.tif,Y,,,1\r\nodd line\r\n"
    )
    pages = {f"VOL01/IMAGES/{name}.tif": name.encode() for name in ("HF-01", "HF-01.2", "HF-02")}
    report = desk.receive(volume(desk, dat(ONE, TWO), more={"VOL01/DATA/prod.opt": opt.encode(), **pages}))
    assert report.gaps == []
    assert [one["bytes"] for one in desk.told("HF-01")["attachments"]] == [6, 26, 5, 7]
    assert left(report) == {"VOL01/DATA/prod.opt": "the image load file: read for the pages of each document"}


def test_a_load_file_by_itself_finds_the_files_beside_its_folder(desk: Desk):
    folder = unpacked(desk.folder / "out", {"VOL01/DATA/prod.dat": dat(ONE), **FILES})
    table = dat((*ONE[:3], r"NATIVES\HF-01.png", r"TEXT\HF-01.txt", ""))
    (folder / "VOL01/DATA/prod.dat").write_bytes(table)
    report = desk.receive(folder / "VOL01/DATA/prod.dat")
    assert (report.tally.new, report.gaps) == (1, [])
    assert desk.told("HF-01")["text"] == "Road closed\nuntil noon"


def test_a_folder_is_read_like_a_zip(desk: Desk):
    folder = unpacked(desk.folder / "out", {"VOL01/DATA/prod.dat": dat(ONE, TWO), **FILES})
    report = desk.receive(folder)
    assert (report.tally.new, report.gaps, left(report)) == (2, [], {})


def test_words_in_a_file_of_another_encoding_are_read(desk: Desk):
    files = {
        "VOL01/TEXT/HF-01.txt": "Straße ☂".encode("utf-16"),
        "VOL01/TEXT/HF-02.txt": "café".encode("cp1252"),
    }
    desk.receive(volume(desk, dat(ONE, TWO), more=files))
    assert desk.told("HF-01")["text"] == "Straße ☂"
    assert desk.told("HF-02")["text"] == "café"


def test_words_longer_than_are_read_are_kept_whole_and_said(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.capture.formats.load_file._LONGEST", 4)
    report = desk.receive(volume(desk, dat(ONE)))
    assert desk.told("HF-01")["text"] == "R"
    assert [one["bytes"] for one in desk.told("HF-01")["attachments"]] == [6, 26]
    assert any("1 files of words are longer" in one for one in report.remarks)


# -- tables of other programs ------------------------------------------------------------------------------


def test_an_export_of_microsoft_purview_is_read_as_a_load_file(store: Store, tmp_path: Path):
    """Its columns are those that Microsoft documents for Export_load_file.csv."""
    how = mapping.parse(
        json.dumps(
            {
                "mapping": 1,
                "read": {"text_file": "Extracted_text_path"},
                "fields": {
                    "platform": {"value": "facebook"},
                    "page": {"value": "Falls"},
                    "native_id": "Immutable_ID",
                    "kind": {"value": "post"},
                    "published_at": {"column": "Date", "format": "iso"},
                    "attachments": {"column": "Export_native_path"},
                },
            }
        ).encode()
    )
    table = (
        "File_ID,Immutable_ID,Date,Export_native_path,Extracted_text_path,Compound_path\r\n"
        '1,K1,2026-03-04T10:00:00Z,Exchange/1.eml,Extracted_text_files/1.txt,"a, b"\r\n'
    )
    desk = Desk(store, tmp_path / "purview", lambda files: known.opened("load-file", files, how))
    report = desk.receive(
        zipped(
            desk.folder / "Export.zip",
            {
                "Export_load_file.csv": table.encode("utf-8-sig"),
                "Summary.csv": b"a,b\r\n1,2\r\n",
                "Exchange/1.eml": b"From: a@b\r\n\r\nwords",
                "Extracted_text_files/1.txt": b"words",
            },
        )
    )
    assert (report.tally.new, report.gaps) == (1, [])
    assert desk.told("K1")["text"] == "words"
    assert left(report) == {"Summary.csv": "no row of the load file names it"}


# -- a mapping to start from -------------------------------------------------------------------------------


def test_a_mapping_is_suggested_with_the_columns_of_the_form(desk: Desk):
    table = known.table("load-file", volume(desk, dat(ONE, TWO)), None)
    told = suggestion(table, zone="America/Juneau", page=None)
    table.close()
    for part in (
        'text_file: "TEXTPATH"',
        'native_id: "BEGDOC"',
        'attachments: {column: "NATIVEPATH"}',
        'author.name: "FROM"',
        "CHOOSE",
    ):
        assert part in told
    mapping.parse(told.encode())


def test_a_mapping_that_names_no_column_of_the_table_is_refused(desk: Desk):
    with pytest.raises(BadMapping, match="text_file"):
        LoadFile(volume(desk, dat(ONE)), mapped({"text_file": "OCR"}))


# -- what is none ------------------------------------------------------------------------------------------


def test_several_load_files_or_none_are_refused_with_their_names(desk: Desk):
    with pytest.raises(BadFile, match=r"holds 2 load files: VOL01/DATA/prod.dat, b.dat"):
        LoadFile(volume(desk, dat(ONE), more={"b.dat": dat(TWO)}), mapped())
    with pytest.raises(BadFile, match="holds no load file"):
        LoadFile(zipped(desk.folder / "c.zip", {"a.pdf": b"a", "b.pdf": b"b"}), mapped())
    with pytest.raises(BadFile):
        LoadFile(desk.folder / "not.there", mapped())


def test_the_preview_counts_and_changes_nothing(desk: Desk):
    source = LoadFile(volume(desk, dat(ONE, (*TWO[:3], "gone.png", "", ""))), mapped())
    told = preview(source, page=None, registry=[])
    assert (told.readable, told.attachments, told.attachments_missing.times) == (2, 3, 1)
    assert any("® in them is read as a line end" in one for one in told.remarks)
    source.close()


def test_an_import_goes_on_in_the_middle_and_lists_what_is_left_as_before(desk: Desk):
    source = LoadFile(volume(desk, dat(ONE, TWO)), mapped())
    every = [one.content for one in source.stretches(Mark())]
    assert [one.content for one in source.stretches(Mark(2))] == every[2:]
    assert [one.name for one in source.left()] == []
    source.close()


@pytest.mark.parametrize(
    "content", [b"", b"\x14\x14\r\n", b"\xfe\x14\xfe\r\n", b"\xfe" * 900, b"\x00" * 900, b"\xff\xfe\x14"]
)
def test_bytes_that_are_no_load_file_are_refused(desk: Desk, content: bytes):
    with pytest.raises((BadFile, BadMapping)):
        read(volume(desk, content), mapped())

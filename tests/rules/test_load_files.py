"""DAT and OPT: what is written is read back, what is lost is told, what is not ours is refused at its place; and the fields."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import ROOT
from app.disclosure.formats import dat, fields, logs, opt, profiles, rsmf_rules
from app.disclosure.formats.dat import Encoding
from app.disclosure.formats.fields import Digests
from app.disclosure.formats.opt import Page
from app.disclosure.formats.profiles import PROFILES, UnknownProfile
from app.disclosure.formats.shape import Kind, Malformed, Remark
from app.disclosure.package.recipe import BadPrefix, Names, fit
from app.disclosure.released import ReleasedAuthor, Removed
from tests.rules import leaving
from tests.rules.leaving import HOSTILE, RECIPE, made, numbered, recipe, released, version, withheld

COLUMNS = ("BEGDOC", "AUTHOR", "TITLE")
ENCODINGS = st.sampled_from(Encoding)


def written(
    rows: Iterable[Sequence[str]], encoding: Encoding = Encoding.UTF_8, columns: Sequence[str] = COLUMNS
) -> tuple[BytesIO, list[Remark]]:
    out, remarks = BytesIO(), list[Remark]()
    writer = dat.Writer(out, columns, encoding=encoding, remark=remarks.append)
    for row in rows:
        writer.write(row)
    return BytesIO(out.getvalue()), remarks


# -- DAT -------------------------------------------------------------------------------------------------------


def test_a_load_file_is_the_bytes_that_concordance_has():
    file, remarks = written([("TOWN-0000001", "Þórdís þ Ægis", "one\ntwo")])
    assert file.getvalue() == (
        b"\xef\xbb\xbf"
        b"\xc3\xbeBEGDOC\xc3\xbe\x14\xc3\xbeAUTHOR\xc3\xbe\x14\xc3\xbeTITLE\xc3\xbe\r\n"
        b"\xc3\xbeTOWN-0000001\xc3\xbe\x14\xc3\xbe\xc3\x9e\xc3\xb3rd\xc3\xads \xc3\xbe\xc3\xbe \xc3\x86gis\xc3\xbe\x14"
        b"\xc3\xbeone\xc2\xaetwo\xc3\xbe\r\n"
    )
    assert remarks == [Remark("dat", "TOWN-0000001", "AUTHOR", Kind.DOUBLED, 1)]
    assert remarks[0].kind.lossless


@pytest.mark.parametrize(
    ("encoding", "begins", "qualifier"),
    [
        (Encoding.UTF_8, b"\xef\xbb\xbf\xc3\xbe", b"\xc3\xbe"),
        (Encoding.UTF_16, b"\xff\xfe\xfe\x00", b"\xfe\x00"),
        (Encoding.WINDOWS, b"\xfe", b"\xfe"),
    ],
)
def test_each_encoding_has_its_own_mark_and_qualifier(encoding: Encoding, begins: bytes, qualifier: bytes):
    file, _ = written([("1", "x", "y")], encoding)
    assert file.getvalue().startswith(begins + "BEGDOC".encode(encoding))
    assert file.getvalue().endswith(qualifier + "\r\n".encode(encoding))


@given(leaving.rows(3), ENCODINGS)
@example([("þ", "þþ", "®\x14\r\n\r\n\x00\ud800")], Encoding.UTF_8)
@example([("þ", "Ω漢", "⟨U+0041⟩")], Encoding.WINDOWS)
@example([("\u0a0d", "\u0d0a", "\u140a")], Encoding.UTF_16)
def test_what_is_read_back_is_what_was_written_but_for_what_was_told(
    rows: list[Sequence[str]], encoding: Encoding
):
    file, remarks = written(rows, encoding)
    read = dat.read(file, "vol001.dat", encoding=encoding)
    assert tuple(read.columns) == COLUMNS
    back = [row.values for row in read.rows]
    assert len(back) == len(rows)
    told = Counter((remark.begins, remark.field) for remark in remarks if not remark.kind.lossless)
    for row, values in zip(rows, back, strict=True):
        for column, was, now in zip(COLUMNS, row, values, strict=True):
            assert now == dat.fitted(was, encoding)[0]
            assert now == was or told[row[0], column], "a value changed and nobody was told"


@given(HOSTILE, ENCODINGS)
def test_a_value_that_was_fitted_once_loses_nothing_more(value: str, encoding: Encoding):
    once, _ = dat.fitted(value, encoding)
    again, lost = dat.fitted(once, encoding)
    assert again == once
    assert not lost


@given(
    st.text(st.characters(exclude_characters="®\x14\x00\r\v\f\u0085\u2028\u2029", exclude_categories=["Cs"]))
)
def test_nothing_is_lost_of_what_a_load_file_can_hold(value: str):
    assert dat.fitted(value) == (value, Counter())


@pytest.mark.parametrize(
    ("value", "reads", "lost"),
    [
        ("Taser®", "Taser⟨U+00AE⟩", {Kind.SIGN: 1}),
        ("a\x14b", "a⟨U+0014⟩b", {Kind.SIGN: 1}),
        ("a\r\nb\rc\nd\u2028e", "a\nb\nc\nd\ne", {Kind.LINE_END: 3}),
        ("nul \x00 half \ud800", "nul ⟨U+0000⟩ half ⟨U+D800⟩", {Kind.UNFIT: 2}),
        ("\ufeffmark \u202eturned", "\ufeffmark \u202eturned", {}),
    ],
)
def test_what_a_load_file_cannot_hold_is_shown_and_counted(value: str, reads: str, lost: dict[Kind, int]):
    assert dat.fitted(value) == (reads, Counter(lost))


def test_windows_1252_shows_what_it_lacks_in_signs_that_it_has():
    assert dat.fitted("漢®", Encoding.WINDOWS) == ("<U+6F22><U+00AE>", Counter({Kind.UNFIT: 1, Kind.SIGN: 1}))


def test_a_value_of_64_kilobytes_stays_whole():
    long = "Ð" * 65_536
    file, remarks = written([("1", long, "")])
    assert [row.values[1] for row in dat.read(file, "x").rows] == [long]
    assert not remarks


@pytest.mark.parametrize(
    ("spoil", "where", "what"),
    [
        (lambda told: told[3:], "line 1", "mark"),
        (lambda told: told.replace(b"\xc3\xbe\x14\xc3\xbeAnn", b"\x14\xc3\xbeAnn", 1), "line 2, character 1", "two þ"),
        (lambda told: told.replace(b"Ann", b"A\xc3\xben", 1), "line 2, character 5", "alone"),
        (lambda told: told.replace(b"Ann", b"A\x14n", 1), "line 2, character 5", "two þ"),
        (lambda told: told.replace(b"Ann", b"A\xe2\x80\xa8n", 1), "line 2, character 5", "cannot hold"),
        (lambda told: told.replace(b"Ann", b"A\xffn", 1), "line 2, byte 10", "utf-8"),
        (lambda told: told.replace(b"Ann", b"A\rn", 1), "line 2, character 5", "cannot hold"),
        (lambda told: told.replace(b"Ann", b"A\nn", 1), "line 2, character 7", "does not end"),
        (lambda told: told[:-2] + b"\n", "line 2", "does not end"),
        (lambda told: told[:-2], "line 2", "does not end"),
        (lambda told: told[:-2] + b"\x14\xc3\xbe\xc3\xbe\r\n", "line 2", "4 values for 3"),
        (lambda told: told.replace(b"TITLE", b"AUTHOR"), "line 1", "two columns"),
        (lambda told: told.replace(b"TITLE", b""), "line 1", "no name"),
        (lambda _: b"", "", "empty"),
    ],
)  # fmt: skip
def test_a_load_file_that_was_spoiled_is_refused_at_its_place(spoil, where: str, what: str):
    good, _ = written([("1", "Ann", "x")])
    assert [row.where for row in dat.read(leaving.whole(good), "vol001.dat").rows] == ["line 2"]
    with pytest.raises(Malformed) as refused:
        list(dat.read(BytesIO(spoil(good.getvalue())), "vol001.dat").rows)
    assert refused.value.where.startswith(where)
    assert what in refused.value.what
    assert str(refused.value).startswith("vol001.dat")


def test_half_of_a_file_in_utf_16_is_refused():
    good, _ = written([("1", "Ann", "x")], Encoding.UTF_16)
    with pytest.raises(Malformed, match="utf-16"):
        list(dat.read(BytesIO(good.getvalue()[:-1]), "x", encoding=Encoding.UTF_16).rows)


def test_a_row_of_another_width_is_the_callers_mistake():
    with pytest.raises(ValueError, match="2 values for 3"):
        written([("1", "2")])


# -- OPT -------------------------------------------------------------------------------------------------------


def imaged(*documents: Sequence[Page]) -> BytesIO:
    out = BytesIO()
    writer = opt.Writer(out)
    for pages in documents:
        writer.write("VOL001", pages)
    return BytesIO(out.getvalue())


TWO = (
    Page("TOWN-0000001", r".\images\0001\town-0000001.pdf"),
    Page("TOWN-0000002", r".\images\0001\town-0000002.pdf"),
)
ONE = (Page("TOWN-0000003", r".\pdf\0001\town-0000003.pdf"),)


def test_an_image_load_file_has_seven_values_and_six_commas():
    assert imaged(TWO, ONE).getvalue().decode().split("\r\n") == [
        r"TOWN-0000001,VOL001,.\images\0001\town-0000001.pdf,Y,,,2",
        r"TOWN-0000002,VOL001,.\images\0001\town-0000002.pdf,,,,",
        r"TOWN-0000003,VOL001,.\pdf\0001\town-0000003.pdf,Y,,,1",
        "",
    ]


@given(st.lists(st.integers(1, 5), max_size=8))
def test_documents_come_back_with_all_their_pages(counts: list[int]):
    documents, first = [], 1
    for count in counts:
        documents.append(
            [Page(f"T-{first + place:07d}", rf".\x\{first + place}.pdf") for place in range(count)]
        )
        first += count
    back = list(opt.read(imaged(*documents), "x"))
    assert [list(document.pages) for document in back] == documents
    assert {document.volume for document in back} <= {"VOL001"}


@pytest.mark.parametrize(
    ("spoil", "where", "what"),
    [
        (lambda told: told.replace(b",Y,,,2", b",,,,", 1), "line 1", "does not begin"),
        (lambda told: told.replace(b",Y,,,2", b",Y,,,3", 1), "line 1", "said to have 3"),
        (lambda told: told.replace(b",Y,,,2", b",Y,,,", 1), "line 1", "neither"),
        (lambda told: told.replace(b",Y,,,2", b",Y,Y,,2", 1), "line 1", "folder"),
        (lambda told: told.replace(b",Y,,,2", b",Y,,2", 1), "line 1", "6 values"),
        (lambda told: told.replace(b"0000002,", b"0000004,", 1), "line 2", "does not follow"),
        (lambda told: told.replace(b"TOWN-0000002,", b"T-0000002,", 1), "line 2", "same kind"),
        (lambda told: told.replace(b"0002,VOL001", b"0002,VOL002", 1), "line 2", "two volumes"),
        (lambda told: told.replace(b"\r\n", b"\n", 1), "line 1", "CR LF"),
        (lambda told: told.replace(b"VOL001", b"VOL\xff01", 1), "line 1, byte", "UTF-8"),
        (lambda told: told.replace(rb".\images\0001\town-0000002.pdf", b"", 1), "line 2", "no path"),
    ],
)  # fmt: skip
def test_an_image_load_file_that_was_spoiled_is_refused_at_its_line(spoil, where: str, what: str):
    good = imaged(TWO, ONE)
    assert len(list(opt.read(leaving.whole(good), "x"))) == 2
    with pytest.raises(Malformed) as refused:
        list(opt.read(BytesIO(spoil(good.getvalue())), "vol001.opt"))
    assert refused.value.where.startswith(where)
    assert what in refused.value.what


@pytest.mark.parametrize("path", ["a,b.pdf", 'a"b.pdf', "a\r\nb.pdf", ""])
def test_a_name_that_the_form_cannot_hold_is_never_written(path: str):
    with pytest.raises(ValueError, match="cannot stand"):
        imaged([Page("T-1", path)])


# -- fields ----------------------------------------------------------------------------------------------------

FILES = {"natives/0001/town-0000001.json": Digests(321, "5a" * 32, "3b" * 16)}


def of(document=None, told=None, files=None) -> dict[str, str]:
    return fields.values(document or numbered(released()), told or RECIPE, FILES if files is None else files)


def test_a_record_that_leaves_whole_has_everything_that_is_known_of_it():
    told = of()
    assert {name: told[name] for name in ("BEGDOC", "ENDDOC", "PGCOUNT", "VOLUME", "GROUPID", "DOCTYPE")} == {
        "BEGDOC": "TOWN-0000001", "ENDDOC": "TOWN-0000001", "PGCOUNT": "1", "VOLUME": "VOL001",
        "GROUPID": "TOWN-0000001", "DOCTYPE": "post",
    }  # fmt: skip
    assert (told["DATESENT"], told["TIMESENT"], told["TIMEZONE"]) == ("2026-03-05", "10:30:00", "UTC")
    assert (told["AUTHOR"], told["AUTHOR_HANDLE"], told["AUTHOR_ID"]) == (
        "Þórdís Ægisdóttir",
        "@thordis",
        "a1",
    )
    assert (told["SHA256"], told["MD5HASH"], told["FILESIZE"]) == ("5a" * 32, "3b" * 16, "321")
    assert told["NATIVEPATH"] == r".\natives\0001\town-0000001.json"
    assert fields.file_of(told["NATIVEPATH"]) == "natives/0001/town-0000001.json"
    assert (told["REDACTED"], told["WITHHELD"], told["REDACTION_CODES"]) == ("N", "N", "")
    assert (told["LOG_INDEX"], told["LOG_SIZE"], told["LIKE_COUNT"]) == ("10", "1000", "3")
    assert re.fullmatch("[0-9a-f]{64}", told["DEDUPHASH"])


def test_what_was_taken_out_is_blank_in_every_field_and_its_ground_is_told():
    secret = "Jane Roe"
    record = released(
        author=ReleasedAuthor(id=Removed("6C"), name=Removed("6C"), handle=Removed("6C")),
        url=Removed("6C"),
        native_id=Removed("6C"),
        versions=(version(text=("Ask ", Removed("6C"), " about #flood")),),
        redactions=(made(), made(where="author")),
    )
    told = of(numbered(record))
    assert [told[name] for name in ("AUTHOR", "AUTHOR_HANDLE", "AUTHOR_ID", "PERMALINK", "NATIVE_ID")] == [
        ""
    ] * 5
    assert told["TEXT_SNIPPET"] == "Ask [REDACTED 6C] about #flood"
    assert (told["REDACTED"], told["REDACTION_CODES"], told["PROPERTIES"]) == ("Y", "6C", "Redacted")
    assert [
        told[name] for name in ("NATIVEPATH", "SHA256", "MD5HASH", "FILESIZE", "DEDUPHASH", "WACZPATH")
    ] == [""] * 6
    assert told["HASHTAGS"] == "#flood"
    assert secret not in "".join(told.values())


def test_a_withheld_document_has_numbers_and_grounds_and_nothing_that_a_person_wrote():
    told = of(numbered(withheld(2), first=2, parent="TOWN-0000001"))
    assert {name for name, value in told.items() if value} == {
        "BEGDOC", "ENDDOC", "GROUPID", "PGCOUNT", "VOLUME", "PRODUCTION", "AGENCY", "CUSTODIAN", "ALLCUSTODIANS", "DOCTYPE",
        "PLATFORM", "ACCOUNT", "ACCOUNTURL", "THREAD_ID", "IN_REPLY_TO", "REPLYTODOC", "TIMEZONE", "TEXTPATH", "PDFPATH",
        "RSMFPATH", "REDACTED", "REDACTION_CODES", "WITHHELD", "PROPERTIES", "ITEM_UUID", "LOG_INDEX", "LOG_SIZE", "PROOFPATH",
    }  # fmt: skip
    assert (told["WITHHELD"], told["REDACTION_CODES"], told["LOG_INDEX"]) == ("Y", "6C", "10;20")


def test_attachments_make_a_family_and_those_kept_back_are_counted_but_lie_nowhere():
    without = of(numbered(released()))
    assert (without["BEGATTACH"], without["ATTACHRANGE"], without["ATTACHCOUNT"]) == ("", "", "0")
    record = released(versions=(version(attachments=(leaving.attachment(), leaving.kept_back())),))
    told = of(numbered(record, pages=3))
    assert (told["BEGATTACH"], told["ENDATTACH"]) == ("TOWN-0000001", "TOWN-0000003")
    assert (told["ATTACHCOUNT"], told["ATTACHPATHS"]) == ("2", r".\natives\0001\town-0000001-1.png")
    assert (told["REDACTED"], told["REDACTION_CODES"]) == ("Y", "6C")


def test_two_captures_of_one_thing_have_one_digest_and_the_same_words_of_two_people_have_not():
    one = of(numbered(released(1)))
    again = of(numbered(released(1, id=UUID(int=5), last_seen=leaving.AT)))
    other = of(numbered(released(2)))
    assert one["DEDUPHASH"] == again["DEDUPHASH"] != other["DEDUPHASH"]
    pictured = released(versions=(version(attachments=(leaving.attachment(),)),))
    files = FILES | {"natives/0001/town-0000001-1.png": Digests(7, "11" * 32, "22" * 16)}
    others = FILES | {"natives/0001/town-0000001-1.png": Digests(7, "33" * 32, "22" * 16)}
    digests = {of(numbered(pictured), files=told)["DEDUPHASH"] for told in (files, others)}
    assert len(digests) == 2
    assert one["DEDUPHASH"] not in digests
    assert not of(numbered(pictured), files=FILES)["DEDUPHASH"], (
        "without its media's digest it would say too little"
    )


@given(st.lists(st.one_of(HOSTILE, st.just(Removed("6C"))), max_size=6))
def test_a_snippet_is_one_line_and_no_mark_in_it_is_cut(passage: list[str | Removed]):
    told = fields.snippet(passage, 20)
    assert "\n" not in told
    assert "\r" not in told
    assert told.count("[REDACTED 6C]") <= sum(isinstance(run, Removed) for run in passage)
    assert len(told.replace("[REDACTED 6C]", "")) <= 21


@pytest.mark.parametrize(
    ("passage", "field", "found"),
    [
        (("See #flood and #Flóð2026, not C#5 or a#b, &#39; #12.",), "HASHTAGS", "#flood;#Flóð2026"),
        (("@town and @a.b@host.example, mail x@host.example.",), "MENTIONS", "@town;@a.b@host.example"),
        (
            ("(https://example.org/a;b?c=1), HTTP://x.is/Þ.",),
            "URLS",
            "https://example.org/a%3Bb?c=1;HTTP://x.is/Þ",
        ),
        (("https://example.org/", Removed("6C"), " #flood"), "URLS", ""),
        (("#half", Removed("6C"), "half #whole"), "HASHTAGS", "#whole"),
        ((Removed("6C"), "@cut and @whole"), "MENTIONS", "@whole"),
    ],
)
def test_what_touches_a_place_where_something_was_taken_out_is_not_listed(passage, field: str, found: str):
    assert of(numbered(released(versions=(version(text=passage),))))[field] == found


def test_a_list_divides_at_semicolons_that_no_value_has():
    assert fields.listed(["a;b", "c", "", "c"]) == "a%3Bb;c"


@pytest.mark.parametrize("path", ["", ".", "pdf\\x", ".\\..\\x", ".\\a\\\\b", ".\\a/../b", "\\etc", "C:\\x"])
def test_a_path_that_leads_elsewhere_is_refused(path: str):
    assert fields.file_of(fields.path("pdf/0001/x.pdf")) == "pdf/0001/x.pdf"
    with pytest.raises(ValueError, match="no path"):
        fields.file_of(path)


def test_every_field_is_explained_and_has_a_name_of_its_own():
    assert len(fields.BY_NAME) == len(fields.FIELDS) > 60
    assert all(field.meaning and field.blank for field in fields.FIELDS)
    assert all(re.fullmatch("[A-Z][A-Z0-9_]*", field.name) for field in fields.FIELDS)


def test_neither_holds_nor_confidentiality_are_told():
    assert not {"HOLDS", "CONFIDENTIALITY"} & set(fields.BY_NAME)


@pytest.mark.parametrize("name", list(PROFILES))
def test_a_profile_names_numbers_pages_and_what_leads_to_the_proof(name: str):
    profile = profiles.called(name)
    stands = [field for _, field in profile.columns]
    assert len(set(profile.names)) == len(profile.names)
    assert set(stands) <= set(fields.BY_NAME)
    assert {
        "BEGDOC",
        "ENDDOC",
        "PGCOUNT",
        "TEXTPATH",
        "NATIVEPATH",
        "PDFPATH",
        "REDACTED",
        "ITEM_UUID",
        "LOG_INDEX",
        "PROOFPATH",
    } <= set(stands)
    assert profile.columns[0][1] == "BEGDOC", "the first column is what remarks and logs call a document by"
    row = profile.row(of())
    assert len(row) == len(profile.names) == len(profile.dictionary()) - 1
    assert row[0] == "TOWN-0000001"


def test_federal_recipients_get_american_dates_and_the_others_iso():
    values = of()
    shown = {
        name: dict(zip(profile.names, profile.row(values), strict=True)) for name, profile in PROFILES.items()
    }
    assert (
        shown["doj-antitrust"]["DOCDATE"]
        == shown["sec"]["DATE_SENT"]
        == shown["ftc"]["CREATEDATE"]
        == "03/05/2026"
    )
    assert shown["ftc"]["LASTACCDATE"] == "03/08/2026 10:30:00"
    assert shown["relativity"]["DATESENT"] == shown["everlaw"]["DATESENT"] == "2026-03-05"


def test_an_unknown_recipient_is_refused_with_those_that_are_known():
    with pytest.raises(UnknownProfile) as refused:
        profiles.called("relativty")
    assert "relativity" in refused.value.next


@pytest.mark.parametrize("prefix", ["TOWN-", "A", "2026-0417-"])
def test_a_prefix_of_letters_digits_and_hyphens_is_good(prefix: str):
    assert fit(prefix) == prefix


@pytest.mark.parametrize(
    "prefix", ["", "TOWN 1", "TOWN ", "TOWN1", "TOWN(", "[T]-", "{T}", "-T", "=T", "ÞORP-", "T\u2010"]
)
def test_a_prefix_that_programs_misread_is_refused(prefix: str):
    with pytest.raises(BadPrefix):
        fit(prefix)


def test_a_production_without_proofs_points_at_none():
    told = of(numbered(released(), names=Names()), recipe(checkpoint=0))
    assert [told[name] for name in ("LOG_SIZE", "PROOFPATH", "TEXTPATH", "NATIVEPATH", "RSMFPATH")] == [
        ""
    ] * 5
    assert of(replace(numbered(released()), replaced="PD-2026-0001-P01"))["REPLACES"] == "PD-2026-0001-P01"


# -- what people are told --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        [f"| `{field.name}` | {field.kind} | {field.meaning} | {field.blank} |" for field in fields.FIELDS],
        [f"| `{name}` |" for name in PROFILES],
        [f"| `{code}` | {what} |" for code, what in rsmf_rules.CODES.items()],
        [f"| `{line}` | {what} |" for line, what in logs.LINES.items()],
        [f"| `{name}` |" for name in logs.COLUMNS],
    ],
    ids=["fields", "profiles", "codes", "lines", "logs"],
)
def test_the_document_for_recipients_says_what_the_program_does(rows: list[str]):
    told = (ROOT / "docs" / "load-files.md").read_text()
    assert rows
    assert [row for row in rows if row not in told] == []

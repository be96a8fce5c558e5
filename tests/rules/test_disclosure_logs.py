"""The logs: every number accounted for, everything taken out on a ground and with a commitment, and nothing that tells what it was."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.disclosure.formats import dat, logs, premis, table
from app.disclosure.formats.logs import Gap, Privilege, Range
from app.disclosure.formats.shape import Kind, Malformed, Remark
from app.disclosure.package.recipe import Earlier, Numbered
from app.disclosure.released import Made, ReleasedAuthor, Removed
from tests.rules import leaving
from tests.rules.leaving import AT, HOSTILE, RECIPE, made, numbered, recipe, released, version, withheld

JUNEAU = ZoneInfo("America/Juneau")


def commitment(entry: int) -> str:
    return f"{entry:064x}"


def day(at: datetime) -> str:
    return at.astimezone(JUNEAU).date().isoformat()


def kept_back(document: Numbered) -> list[dict[str, str]]:
    rows = logs.of_withheld(document, commitment, RECIPE.exemptions, day)
    return [dict(zip(logs.WITHHELD, row, strict=True)) for row in rows]


def taken_out(document: Numbered) -> list[dict[str, str]]:
    return [dict(zip(logs.REDACTION, row, strict=True)) for row in logs.of_redactions(document, commitment)]


def file_of(name: str, rows: Sequence[Sequence[str]]) -> BytesIO:
    out = BytesIO()
    writer = table.Writer(out, logs.COLUMNS[name])
    for row in rows:
        writer.write(row)
    return BytesIO(out.getvalue())


# -- numbers ---------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), max_size=12), st.randoms())
def test_every_number_between_first_and_last_is_in_a_range_or_in_a_gap(steps: list[tuple[int, int]], chance):
    documents, at = [], 1
    for pages, gap in steps:
        documents.append((at + gap, at + gap + pages - 1))
        at += gap + pages
    mixed = list(documents)
    chance.shuffle(mixed)
    told = logs.ranges(mixed)
    assert sum(one.documents for one in told) == len(documents)
    lines = [dict(zip(logs.PRODUCTION, row, strict=True)) for row in logs.of_ranges(RECIPE, told)]
    borne = {page for first, last in documents for page in range(first, last + 1)}
    of = {
        kind: {
            page
            for line in lines
            if line["LINE"] == kind
            for page in range(int(line["BEGDOC"][-7:]), int(line["ENDDOC"][-7:]) + 1)
        }
        for kind in ("range", "gap")
    }
    assert of["range"] == borne
    assert of["gap"] == set(range(min(borne), max(borne) + 1)) - borne if borne else not of["gap"]


@pytest.mark.parametrize("documents", [[(1, 2), (2, 3)], [(1, 3), (2, 2)], [(5, 4)]])
def test_a_number_that_is_borne_twice_is_refused(documents: list[tuple[int, int]]):
    assert logs.ranges([(1, 2), (3, 3)]) == [Range(1, 3, 2)]
    with pytest.raises(ValueError, match="twice"):
        logs.ranges(documents)


def test_a_gap_says_why_it_is_one():
    told = [Range(1, 3, 2), Range(7, 7, 1)]
    _, gap, _ = logs.of_ranges(RECIPE, told)
    assert gap == (
        "gap",
        "TOWN-0000004",
        "TOWN-0000006",
        "3",
        "",
        "",
        "not borne by any document of this production",
    )
    anew = recipe(replaces={UUID(int=1): Earlier("PD-2026-0001-P01", 7, 1, 1)}, number="PD-2026-0001-P02")
    _, gap, _ = logs.of_ranges(anew, told)
    assert gap[-1] == "borne by documents of an earlier production that are not replaced here"


def test_natives_slip_sheets_and_what_stands_anew_have_their_lines():
    film = leaving.attachment(media_type="video/mp4")
    plain = numbered(released())
    whole = numbered(released(versions=(version(attachments=(film,)),)), pages=2)
    assert not list(logs.of_document(plain))
    (native,) = logs.of_document(whole)
    assert native == (
        "native", "TOWN-0000001", "TOWN-0000002", "1", "natives/0001/town-0000001-1.png", "", "video/mp4, whole; produced in native format",
    )  # fmt: skip
    (slip,) = logs.of_document(numbered(withheld(2), first=2))
    assert slip[:4] == ("withheld", "TOWN-0000002", "TOWN-0000002", "1")
    (again,) = logs.of_document(replace(plain, revision=2, replaced="PD-2026-0001-P01"))
    assert again[-1] == "stood in PD-2026-0001-P01 before; this is revision 2"


@pytest.mark.parametrize("kind", list(Kind))
def test_what_a_load_file_lost_stands_in_the_production_log(kind: Kind):
    line = dict(
        zip(logs.PRODUCTION, logs.of_remark(Remark("dat", "TOWN-0000001", "AUTHOR", kind, 2)), strict=True)
    )
    assert (line["LINE"], line["BEGDOC"], line["COUNT"], line["FILE"], line["FIELD"]) == (
        "value",
        "TOWN-0000001",
        "2",
        "dat",
        "AUTHOR",
    )
    assert ("nothing is lost" in line["WHAT"]) is kind.lossless


# -- what was taken out ----------------------------------------------------------------------------------------


def test_a_redaction_is_told_with_ground_people_and_the_commitment_of_its_version():
    record = released(
        versions=(version(1), version(2)),
        redactions=(made(where="text of version 2, characters 4 to 11"), made(where="author")),
    )
    first, second = taken_out(numbered(record))
    assert first == {
        "BEGDOC": "TOWN-0000001", "ENDDOC": "TOWN-0000001", "ITEM_UUID": str(record.id), "FIELD_OR_REGION": "text of version 2",
        "CODE": "6C", "CITATION": "AS 40.25.120(a)(6)(C)", "EXPLANATION": "Names a victim.", "REDACTED_BY": "Records officer",
        "APPROVED_BY": "Counsel", "DATE": "2026-03-14T10:30:00Z", "COMMITMENT": commitment(20), "LOG_INDEX": "20",
    }  # fmt: skip
    assert (second["COMMITMENT"], second["LOG_INDEX"]) == (f"{commitment(10)};{commitment(20)}", "10;20")


def test_what_was_taken_out_of_a_picture_has_the_commitment_of_the_picture():
    picture = leaving.attachment(commitment="cd" * 32)
    record = released(
        versions=(version(1), version(2, attachments=(picture,))),
        redactions=(made(where=f"attachment {picture.id}, page 1, a region"),),
    )
    (line,) = taken_out(numbered(record))
    assert (line["COMMITMENT"], line["LOG_INDEX"]) == ("cd" * 32, "20")
    unknown = replace(record, versions=(version(1, attachments=(leaving.attachment(),)),))
    (line,) = taken_out(numbered(unknown))
    assert (line["COMMITMENT"], line["LOG_INDEX"]) == (commitment(10), "10")


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_no_log_tells_how_long_it_was(start: int, end: int):
    record = released(redactions=(made(where=f"text of version 1, characters {start} to {end}"),))
    (line,) = taken_out(numbered(record))
    assert line["FIELD_OR_REGION"] == "text of version 1"
    (event,) = [event for event in premis.of_document(numbered(record)) if event.code == "red"]
    assert event.detail == "text of version 1: 6C, AS 40.25.120(a)(6)(C)"


def test_a_record_that_leaves_whole_or_not_at_all_has_no_redactions():
    assert not taken_out(numbered(released()))
    assert not taken_out(numbered(withheld()))


# -- what was kept back ----------------------------------------------------------------------------------------


def test_a_withheld_record_is_told_by_type_day_sides_ground_and_commitment():
    (line,) = kept_back(numbered(withheld(2), first=2))
    assert line == {
        "BEGDOC": "TOWN-0000002", "ENDDOC": "TOWN-0000002", "ITEM_UUID": str(UUID(int=1_002)), "ITEM_TYPE": "comment",
        "DATE": "2026-03-05", "AUTHOR_CATEGORY": "visitor", "RECIPIENT_CATEGORY": "public", "CODE": "6C",
        "CITATION": "AS 40.25.120(a)(6)(C)", "EXPLANATION": "Names a victim.", "DECIDED_BY": "Records officer", "APPROVED_BY": "Counsel",
        "DECIDED_ON": "2026-03-14T10:30:00Z", "COMMITMENT": f"{commitment(10)};{commitment(20)}", "LOG_INDEX": "10;20",
    }  # fmt: skip


def test_each_ground_has_its_own_line():
    lines = kept_back(numbered(withheld(grounds=(made(), made("AC", approved_by=None)))))
    assert [(line["CODE"], line["APPROVED_BY"]) for line in lines] == [("6C", "Counsel"), ("AC", "")]


@pytest.mark.parametrize(
    ("kind", "author", "recipient"),
    [("message", "agency", "visitor"), ("message", "visitor", "agency"), ("message", "unknown", "unknown"), ("comment", "visitor", "public"), ("post", "agency", "public")],
)  # fmt: skip
def test_a_message_went_to_the_other_side_and_everything_else_to_everybody(
    kind: str, author: str, recipient: str
):
    (line,) = kept_back(numbered(withheld(kind=kind, author=author)))
    assert (line["AUTHOR_CATEGORY"], line["RECIPIENT_CATEGORY"]) == (author, recipient)


def test_an_attachment_that_is_kept_back_is_told_once_with_the_commitment_of_its_piece():
    film = leaving.kept_back()
    record = released(
        published_at=datetime(2026, 3, 5, 3, tzinfo=UTC),
        versions=(version(1, attachments=(film, leaving.attachment())), version(2, attachments=(film,))),
        redactions=(made(where=f"attachment {film.id}", by="Clerk"),),
    )
    (line,) = kept_back(numbered(record))
    assert (line["ITEM_TYPE"], line["CODE"], line["COMMITMENT"]) == (
        "attachment of a post, video/mp4",
        "6C",
        "ab" * 32,
    )
    assert (line["LOG_INDEX"], line["DATE"], line["EXPLANATION"]) == (
        "10;20",
        "2026-03-04",
        "Shows a victim.",
    )
    assert (line["DECIDED_BY"], line["CITATION"]) == ("Clerk", "AS 40.25.120(a)(6)(C)")
    assert not kept_back(numbered(released()))


def test_the_privilege_log_has_what_is_withheld_on_a_privilege_and_nothing_else():
    def privilege(code: str, decided: Made | None) -> Privilege | None:
        attorney = decided.approved_by or decided.by if decided is not None else ""
        return Privilege("attorney and client", attorney) if code == "AC" else None

    def claimed(document: Numbered) -> list[dict[str, str]]:
        rows = logs.of_privileges(document, commitment, RECIPE.exemptions, day, privilege)
        return [dict(zip(logs.PRIVILEGE, row, strict=True)) for row in rows]

    (line,) = claimed(numbered(withheld(grounds=(made(), made("AC")))))
    assert (line["CODE"], line["PRIVILEGE_BASIS"], line["ATTORNEY"]) == (
        "AC",
        "attorney and client",
        "Counsel",
    )
    (line,) = claimed(numbered(released(redactions=(made("AC"), made()))))
    assert line["ITEM_TYPE"] == "post, text of version 1"
    assert line["COMMITMENT"] == commitment(10)
    assert not claimed(numbered(withheld()))
    film = replace(leaving.kept_back(), removed=Removed("AC"))
    record = released(
        versions=(version(attachments=(film,)),), redactions=(made("AC", where=f"attachment {film.id}"),)
    )
    (line,) = claimed(numbered(record))
    assert (line["ITEM_TYPE"], line["COMMITMENT"]) == ("attachment of a post, video/mp4", "ab" * 32)


def test_nothing_of_the_author_or_the_words_is_in_any_log_of_what_was_taken_out():
    hidden = Removed("6C")
    record = released(
        author=ReleasedAuthor(id=hidden, name=hidden, handle=hidden),
        url=hidden,
        native_id=hidden,
        versions=(version(text=("Ask ", hidden)),),
        redactions=(made(), made(where="author")),
    )
    told = repr(
        [taken_out(numbered(record)), kept_back(numbered(record)), list(logs.of_document(numbered(record)))]
    )
    assert "Ask" not in told
    assert "Ægisdóttir" not in told


# -- gaps ------------------------------------------------------------------------------------------------------


def test_a_gap_says_which_page_which_time_what_and_why():
    gap = Gap(
        page_id=str(leaving.PAGE.id), page=leaving.PAGE.name, platform="mastodon", begins=AT, ends=AT + timedelta(hours=2),
        what="comments", why="The platform answered 503.", found=AT + timedelta(hours=3), run="r1",
    )  # fmt: skip
    line = dict(zip(logs.GAPS, logs.of_gap(gap), strict=True))
    assert (line["FROM"], line["UNTIL"], line["FOUND"]) == (
        "2026-03-05T10:30:00Z",
        "2026-03-05T12:30:00Z",
        "2026-03-05T13:30:00Z",
    )
    open_ended = dict(zip(logs.GAPS, logs.of_gap(replace(gap, begins=None, ends=None)), strict=True))
    assert (open_ended["FROM"], open_ended["UNTIL"]) == ("", "")


# -- reading ---------------------------------------------------------------------------------------------------


def every_log() -> dict[str, list[Sequence[str]]]:
    """A log of each kind with lines of every kind that it has."""
    record = numbered(
        released(
            versions=(version(attachments=(leaving.attachment(), leaving.kept_back())),), redactions=(made(),)
        ),
        pages=2,
    )
    kept = numbered(withheld(2), first=4)
    return {
        "production-log.csv": [
            *logs.of_ranges(RECIPE, logs.ranges([(1, 2), (4, 4)])),
            *logs.of_document(record), *logs.of_document(kept), *logs.of_document(replace(record, replaced="PD-2026-0001-P00")),
            logs.of_remark(Remark("dat", "TOWN-0000001", "AUTHOR", Kind.SIGN, 1)), logs.of_form("wacz", "nothing leaves whole"),
        ],
        "redaction-log.csv": list(logs.of_redactions(record, commitment)),
        "withheld-log.csv": [row for one in (record, kept) for row in logs.of_withheld(one, commitment, RECIPE.exemptions, day)],
        "privilege-log.csv": list(logs.of_privileges(kept, commitment, RECIPE.exemptions, day, lambda *_: Privilege("x", "y"))),
        "gaps.csv": [logs.of_gap(Gap(page_id="1", page="Town", platform="feed", begins=None, ends=AT, what="=posts", why="", found=None))],
    }  # fmt: skip


@pytest.mark.parametrize("name", list(logs.COLUMNS))
def test_every_log_that_is_written_is_read_back_line_by_line(name: str):
    rows = every_log()[name]
    assert rows
    read = list(logs.checked(name, table.read(file_of(name, rows), name)))
    assert [tuple(line.values()) for line in read] == [tuple(row) for row in rows]
    theirs = csv.DictReader(
        io.StringIO(file_of(name, rows).getvalue().decode("utf-8-sig"), newline=""), strict=True
    )
    assert len(list(theirs)) == len(rows)


def test_every_kind_of_line_is_explained_and_exists():
    assert {row[0] for row in every_log()["production-log.csv"]} == set(logs.LINES)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("production-log.csv", "LINE", "other"),
        ("production-log.csv", "COUNT", "-1"),
        ("redaction-log.csv", "CODE", ""),
        ("redaction-log.csv", "COMMITMENT", "AB"),
        ("redaction-log.csv", "DATE", "yesterday"),
        ("redaction-log.csv", "ITEM_UUID", "x"),
        ("withheld-log.csv", "LOG_INDEX", "1;"),
        ("withheld-log.csv", "DECIDED_ON", "2026"),
        ("privilege-log.csv", "ATTORNEY", ""),
        ("gaps.csv", "FROM", "2026-01-01"),
    ],
)
def test_a_line_that_says_too_little_or_otherwise_is_refused_at_its_place(name: str, column: str, value: str):
    rows = [list(row) for row in every_log()[name]]
    rows[0][logs.COLUMNS[name].index(column)] = value
    with pytest.raises(Malformed, match=f"line 2: {column}"):
        list(logs.checked(name, table.read(file_of(name, rows), name)))


def test_a_log_with_other_columns_is_none():
    with pytest.raises(Malformed, match="columns"):
        list(logs.checked("gaps.csv", table.read(file_of("redaction-log.csv", []), "gaps.csv")))


# -- custody.premis.xml ----------------------------------------------------------------------------------------


def custody(*documents: Numbered) -> bytes:
    out = BytesIO()
    premis.write(out, RECIPE, lambda: iter(documents))
    return out.getvalue()


def told_of() -> tuple[Numbered, ...]:
    received = released(3, origin="received", received={"file": "x"})
    redacted = released(versions=(version(1), version(2)), redactions=(made(),))
    return numbered(redacted), numbered(withheld(2), first=2), numbered(received, first=3)


def test_custody_tells_how_each_record_came_and_what_was_done_to_it():
    content = custody(*told_of())
    assert premis.check(BytesIO(content), "custody.premis.xml") == 7
    root = ET.fromstring(content)
    n = {"p": premis.NAMESPACE}
    assert [event.findtext("p:eventType", "", n) for event in root.findall("p:event", n)] == [
        "capture", "capture", "redaction", "redaction", "ingestion", "information package creation", "dissemination",
    ]  # fmt: skip
    assert [one.findtext("p:agentName", "", n) for one in root.findall("p:agent", n)] == [
        "Muniment", "Town of Example", "Records officer", "Counsel",
    ]  # fmt: skip
    types = {event.find("p:eventType", n) for event in root.findall("p:event", n)}
    assert all(
        one is not None and one.attrib["valueURI"].startswith(f"{premis.VOCABULARY}/") for one in types
    )
    first = root.find("p:object", n)
    assert first is not None
    assert first.attrib[f"{{{premis.INSTANCE}}}type"] == "intellectualEntity"


@given(HOSTILE, HOSTILE)
@example("\n", " ")
def test_custody_is_well_formed_whatever_people_are_called(name: str, by: str):
    page = replace(leaving.PAGE, name=name, platform=by or "x")
    redacted = released(page=page, redactions=(made(by=by, approved_by=name, citation=name),))
    premis.check(BytesIO(custody(numbered(redacted))), "x")


def test_objects_come_before_events_and_events_before_agents():
    writer = premis.Writer(BytesIO())
    writer.object("a")
    writer.event(premis.Event("cap", AT, "", ["a"]))
    with pytest.raises(ValueError, match="cannot come after"):
        writer.object("b")


def swapped(one: bytes, other: bytes) -> Callable[[bytes], bytes]:
    """What stands in `one` changes places with what follows it in `other`."""

    def change(told: bytes) -> bytes:
        found = re.search(one + other, told, re.DOTALL)
        assert found is not None
        first = re.match(one, found[0], re.DOTALL)
        assert first is not None
        return told.replace(found[0], found[0][first.end() :] + first[0], 1)

    return change


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (swapped(rb"<eventType .*?</eventType>", rb"<eventDateTime>.*?</eventDateTime>"), "should be"),
        (swapped(rb"<agentName>.*?</agentName>", rb"<agentType>.*?</agentType>"), "should be"),
        (swapped(rb"<linkingAgentIdentifier>.*?</linkingAgentIdentifier>", rb"<linkingObjectIdentifier>.*?</linkingObjectIdentifier>"), "should be"),
        (lambda told: told.replace(b"<linkingObjectIdentifierValue>0", b"<linkingObjectIdentifierValue>9", 1), "no such object"),
        (lambda told: told.replace(b"<linkingAgentIdentifierValue>software", b"<linkingAgentIdentifierValue>nobody", 1), "no such agent"),
        (lambda told: told.replace(b">E2<", b">E1<", 1), "there twice"),
        (lambda told: told.replace(b"2026-03-05T11:30:00Z", b"2026-03-05", 1), "no time"),
        (lambda told: told.replace(b">capture<", b">taking<", 1), "no type"),
        (lambda told: told.replace(b"<event>", b"<event>word", 1), "words between"),
        (lambda told: told.replace(b"<eventDetail>", b"<eventDetail/><eventDetail>", 1), "should be"),
        (lambda told: told.replace(b">Muniment<", b"><"), "empty"),
        (lambda told: told.replace(b'version="3.0"', b'version="2.2"'), "PREMIS 3.0"),
        (lambda told: told.replace(premis.NAMESPACE.encode(), b"http://example.org"), "namespace"),
        (lambda told: told.replace(b"</premis>", b""), "well-formed"),
        (lambda told: b'<!DOCTYPE x [<!ENTITY e "x">]>' + told.partition(b"\n")[2], "well-formed"),
        (lambda told: re.sub(rb"<agent>.*</agent>\n", b"", told, flags=re.DOTALL), "in this order"),
    ],
)  # fmt: skip
def test_custody_in_another_order_or_with_loose_ends_is_refused(spoil: Callable[[bytes], bytes], what: str):
    good = custody(*told_of())
    bad = spoil(good)
    assert bad != good
    with pytest.raises(Malformed, match=what):
        premis.check(BytesIO(bad), "custody.premis.xml")


def test_what_is_wrong_in_custody_is_told_by_the_number_of_its_element():
    bad = re.sub(rb"(<event>.*?</event>\n<event>)", rb"\1word", custody(*told_of()), count=1)
    with pytest.raises(Malformed) as refused:
        premis.check(BytesIO(bad), "custody.premis.xml")
    assert refused.value.where == "event 2, event"


def test_the_words_of_a_log_and_of_a_load_file_are_guarded_alike():
    rows = [("1", "Town", "feed", "", "", "=1", "@x", "", "")]
    (line,) = logs.checked("gaps.csv", table.read(file_of("gaps.csv", rows), "gaps.csv"))
    assert line["WHAT"] == "=1"
    assert b"'=1,'@x" in file_of("gaps.csv", rows).getvalue()
    assert dat.fitted("=1")[0] == "=1", "a load file is read by programs that compute nothing"

"""What one record would tell of another: a later name of the same person, the same file, words that a document shows, lengths of what is missing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from app.disclosure import assembling, reviewing
from app.disclosure.conflicts import Conflict, Kind
from app.disclosure.package.completing import fit_to_leave
from app.disclosure.package.recipe import Form
from app.disclosure.producing import ConflictsRemain, WithheldWordsFound
from app.disclosure.reaching import Reach
from app.disclosure.redacting import Field, Read, Region, Span, Whole
from app.disclosure.released import Leaves, Released, Removed
from app.disclosure.requests import Request
from app.disclosure.verify import checking
from app.disclosure.verify.hunting import hunt_bytes
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Attachment, Author, Observation
from tests.productions import reader
from tests.productions.test_examined import Examined
from tests.rules.test_redacting import PICTURE, held, leaves, read, strings, took
from tests.steps.scripted import listing
from tests.steps.test_capture import comment, post
from tests.steps.test_evidence_out import letters
from tests.steps.test_producing import FORMS, Producer
from tests.steps.test_review import WHY
from tests.steps.test_words_beside import a_pdf

JANE = Author(id="7781234501", name="Jane Doe", handle="jdoe907")


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Examined]:
    made = Examined(store, clock, tmp_path / "index")
    yield made
    made.engine.settle()


def asked(desk: Producer, *more: Observation, files: Mapping[str, bytes] | None = None) -> Request:
    desk.client.files |= files or {}
    desk.capture(
        listing(
            desk.clock,
            post("p1", "Elm Street is closed"),
            replace(comment("c1", "the Elm is mine, I tell you"), author=JANE),
            *more,
        )
    )
    return desk.asked()


def told(desk: Producer, request: Request, name: str, kind: Kind) -> list[Conflict]:
    of = desk.records()[name].id
    return [one for one in desk.plan(request).conflicts if one.record == of and one.kind is kind]


def file_of(desk: Producer, name: str) -> UUID:
    with desk.store.database.read() as tx:
        found = assembling.one(desk.store, tx, desk.records()[name])
    (identity,) = {one.id for listed in found.attachments.values() for one in listed}
    assert identity is not None
    return identity


# -- who it was, by another name ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same",
    [
        {"author_id": "7781234501", "author_handle": "ibrandt"},
        {"author_id": "77", "author_handle": "jdoe907"},
    ],
    ids=["by the id", "by the handle"],
)
def test_another_name_of_somebody_who_is_taken_out_goes_too(same: dict[str, Any]):
    first = read("one", number=1)
    second = read("two", number=2, author_name="Ilse Brandt", **same)
    found = Reach([(first, [took(Field("author"))])]).within(second)
    assert {one.where for one in found} == {Field("author")}
    assert not any("Ilse" in one for one in strings(leaves(second, *found)))
    by_handle = Reach([(first, [took(Field("handle"))])]).within(second)
    assert {one.where for one in by_handle} == {Field("handle")}, "a name was let stand there as well"


@pytest.mark.parametrize("short", ["author_id", "author_handle", "author_name"])
def test_an_author_whose_name_or_id_is_short_is_taken_out_of_their_other_records(short: str):
    first: dict[str, Any] = {
        "author_id": "4401",
        "author_handle": "hand1",
        "author_name": "Okapi One",
        short: "kim",
    }
    second: dict[str, Any] = {
        "author_id": "4402",
        "author_handle": "other",
        "author_name": "Quagga Two",
        short: "Kim",
    }
    found = Reach([(read("one", number=1, **first), [took(Field("author"))])]).within(
        read("two", number=2, **second)
    )
    assert {one.where for one in found} == {Field("author")}
    elsewhere = read("two", number=2, **second)
    page = replace(elsewhere.record.page, id=UUID(int=901))
    elsewhere = replace(elsewhere, record=replace(elsewhere.record, page=page))
    assert Reach([(read("one", number=1, **first), [took(Field("author"))])]).within(elsewhere) == []
    longer = {**second, short: "kimberley"}
    assert Reach([(read("one", number=1, **first), [took(Field("author"))])]).within(read("two", number=2, **longer)) == []  # fmt: skip


@pytest.mark.parametrize("handle", ["janedoe", "jane_doe", "jane.doe", "JaneDoe7"])
def test_a_handle_that_spells_out_a_name_that_is_taken_out_goes_too(handle: str):
    own = read("I am Jane Doe", author_name="J.", author_handle=handle, author_id="1", url="u", native_id="n")
    assert isinstance(leaves(own, took(Span(1, 5, 13))).author.handle, Removed)
    assert leaves(read("I am Jane Doe", author_handle="jdoe"), took(Span(1, 5, 13))).author.handle == "jdoe"
    first = read("I am Jane Doe", number=1)
    found = Reach([(first, [took(Span(1, 5, 13))])]).within(replace_number(own))
    assert Field("handle") in {one.where for one in found}


def replace_number(made: Any) -> Any:
    return replace(made, record=replace(made.record, id=UUID(int=2), key=2))


def test_what_leaves_does_not_say_of_whose_record_the_same_words_were_taken_out():
    """Otherwise the log would say which of the records are of one person."""
    first, second = read("one", number=1), read("two", number=2)
    item = leaves(second, *Reach([(first, [took(Field("author"))])]).within(second))
    assert item.redactions
    assert not any(str(UUID(int=1)) in said for said in strings(item))
    assert all("the same words are taken out of another record" in one.explanation for one in item.redactions)


# -- spelled otherwise -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beside", "name"),
    [
        ({"extra": {"card": {"title": "Officer O&#8217;Neil speaks"}}}, "O'Neil"),
        ({"extra": {"card": {"html": "<p>by <b>O&rsquo;</b>Neil</p>"}}}, "O'Neil"),
        ({"html": "<p>yours<br>Jane<br/>Doe</p>"}, "Jane Doe"),
        ({"html": "<td>Jane</td><td>Doe</td>"}, "Jane Doe"),
        ({"attachments": (Attachment(id="a", caption="with O&#8217;Neil"),)}, "O'Neil"),
        ({"attachments": (Attachment(id="file:letter to O’Neil.odt"),)}, "O'Neil"),
    ],
)
def test_a_name_in_markup_is_read_as_it_is_shown(desk: Examined, beside: dict[str, Any], name: str):
    request = asked(desk, comment("c2", f"call {name}, Elm"), comment("c3", "thanks, Elm", **beside))
    desk.redact(request, "c2", Span(1, 5, 5 + len(name)))
    item = desk.items(request)["c3"]
    assert isinstance(item, Released)
    assert [one.where for one in item.redactions] == ["details"]
    assert item.now.html is None
    assert not any("Neil" in one or "Doe" in one for one in strings(item))


@pytest.mark.parametrize(
    ("word", "content"),
    [
        ("O'Neil", "by O’Neil".encode()),
        ("O’Neil", b"by O'Neil"),
        ("O'Neil", b'{"by": "O\\u2019Neil"}'),
        ("Dvořák", "by Dvorák".encode()),
        ("Jane Doe", b"<p>Jane<br>Doe</p>"),
        ("Jane Doe", "Ja\u00adne\u00a0Doe".encode()),
    ],
)
def test_whoever_hunts_reads_signs_for_one_another_as_people_do(word: str, content: bytes):
    assert hunt_bytes([word], content).hits
    assert hunt_bytes([word], content.replace(b"N", b"X").replace(b"D", b"X")).clean


# -- the same file -----------------------------------------------------------------------------------------


def a_picture(color: tuple[int, int, int] = (9, 120, 60)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(out, "PNG")
    return out.getvalue()


ONE, TWO, OTHER = (f"https://files.example/{name}.png" for name in ("one", "two", "other"))
FACE, WEIR = a_picture(), a_picture((120, 9, 60))


def shows(name: str, url: str, media_type: str = "image/png") -> Observation:
    return comment(name, "see, Elm", attachments=(Attachment(id=name, url=url, media_type=media_type),))


def with_files(desk: Producer) -> Request:
    return asked(
        desk,
        *(shows(name, url) for name, url in (("f1", ONE), ("f2", TWO), ("f3", OTHER))),
        files={ONE: FACE, TWO: FACE, OTHER: WEIR},
    )


@pytest.mark.parametrize(
    ("where", "how"),
    [
        (lambda held: Region(held, 1, 0, 0, 5_000, 5_000), Leaves.REDACTED),
        (Whole, Leaves.WITHHELD),
    ],
    ids=["a region", "all of it"],
)
def test_what_is_taken_out_of_a_file_is_taken_out_of_the_same_file_elsewhere(
    where: Any, how: Leaves, desk: Examined
):
    request = with_files(desk)
    desk.redact(request, "f1", where(file_of(desk, "f1")))
    items = desk.items(request)
    left = {name: items[name].now.attachments[0].leaves for name in ("f1", "f2", "f3")}  # type: ignore[union-attr] # none is withheld
    assert left == {"f1": how, "f2": how, "f3": Leaves.WHOLE}


def test_the_same_file_stays_where_it_is_meant_there_alone_or_was_let_leave(desk: Examined):
    request = with_files(desk)
    desk.redact(request, "f1", Whole(file_of(desk, "f1")), only_here=True)
    item = desk.items(request)["f2"]
    assert isinstance(item, Released)
    assert item.redactions == []
    desk.redact(request, "f3", Whole(file_of(desk, "f3")))
    with desk.store.database.begin() as tx:
        reviewing.let_leave(desk.store, tx, request, desk.records()["f2"], file_of(desk, "f2"), by=desk.admin, why=WHY)  # fmt: skip
    assert told(desk, request, "f2", Kind.SAME_FILE) == []


def test_the_file_of_a_withheld_record_may_not_leave_in_another_undecided(desk: Examined):
    request = with_files(desk)
    desk.redact(request, "f1", Whole())
    (conflict,) = told(desk, request, "f2", Kind.SAME_FILE)
    assert conflict.blocks
    assert "attachment" in conflict.next
    assert told(desk, request, "f3", Kind.SAME_FILE) == []
    with desk.store.database.begin() as tx:
        reviewing.let_leave(desk.store, tx, request, desk.records()["f2"], file_of(desk, "f2"), by=desk.admin, why=WHY)  # fmt: skip
    assert told(desk, request, "f2", Kind.SAME_FILE) == []


# -- what a document shows ---------------------------------------------------------------------------------

PDF = "https://files.example/letter.pdf"


def test_a_document_made_anew_may_not_show_what_is_taken_out_of_its_record(desk: Examined, tmp_path: Path):
    """It becomes a picture of its pages: nobody finds the words in it again, and everybody reads them."""
    letter = replace(shows("d1", PDF, "application/pdf"), text="call Quagga Lane, Elm")
    request = asked(desk, letter, files={PDF: a_pdf("The weir", "at Quagga Lane 7")})
    desk.redact(request, "d1", Span(1, 5, 16))
    (conflict,) = told(desk, request, "d1", Kind.STANDS)
    assert conflict.blocks
    assert "page 2" in conflict.what
    with pytest.raises(ConflictsRemain, match="page 2"):
        desk.make(request, tmp_path)
    desk.redact(request, "d1", Region(file_of(desk, "d1"), 2, 0, 0, 10_000, 5_000))
    assert told(desk, request, "d1", Kind.STANDS) == []


def test_a_document_that_does_not_show_it_is_no_conflict(desk: Examined):
    letter = replace(shows("d1", PDF, "application/pdf"), text="call Quagga Lane, Elm")
    request = asked(desk, letter, files={PDF: a_pdf("The weir", "at Okapi Lane 7")})
    desk.redact(request, "d1", Span(1, 5, 16))
    assert told(desk, request, "d1", Kind.STANDS) == []


def test_a_document_may_not_show_what_is_taken_out_of_another_record(desk: Examined):
    letter = replace(shows("d1", PDF, "application/pdf"), text="for all, Elm")
    request = asked(desk, letter, comment("c2", "call Quagga Lane, Elm"), files={PDF: a_pdf("Quagga Lane 7")})
    desk.redact(request, "c2", Span(1, 5, 16))
    desk.redact(request, "d1", Span(1, 0, 7))
    assert len(told(desk, request, "d1", Kind.STANDS)) == 1


# -- words of what is withheld -----------------------------------------------------------------------------

SAID = "The informant said that Kimball sold the pills behind the laundromat on Ninth"


@pytest.mark.parametrize(
    "quoting",
    [
        {"words": "Elm: 'Kimball sold the pills behind the laundromat', really?"},
        {"words": "Elm: > The informant said that Kimball sold…"},
        {"words": "Elm", "extra": {"quoted": {"text": "said that Kimball sold the pills behind"}}},
    ],
    ids=["the middle", "the beginning", "in what is quoted"],
)
def test_a_part_of_what_is_withheld_is_pointed_out_where_another_quotes_it(
    desk: Examined, quoting: dict[str, Any]
):
    words = quoting.pop("words")
    request = asked(desk, comment("w1", f"{SAID}, Elm"), comment("q1", words, **quoting), comment("q2", "said the mayor that, Elm"))  # fmt: skip
    desk.redact(request, "w1", Whole())
    assert len(told(desk, request, "q1", Kind.QUOTED)) == 1
    assert told(desk, request, "q2", Kind.QUOTED) == []
    assert not told(desk, request, "q1", Kind.QUOTED)[0].blocks


def test_a_part_that_is_taken_out_or_let_stay_is_settled(desk: Examined):
    words = "Elm: said that Kimball sold the pills, yes"
    request = asked(desk, comment("w1", f"{SAID}, Elm"), comment("q1", words), comment("q2", words))
    desk.redact(request, "w1", Whole())
    assert told(desk, request, "q1", Kind.QUOTED)
    desk.redact(request, "q1", Span(1, 5, 36), only_here=True)
    assert told(desk, request, "q1", Kind.QUOTED) == []
    with desk.store.database.begin() as tx:
        reviewing.keep_words(desk.store, tx, request, desk.records()["q2"], Span(1, 0, len(words)), by=desk.admin, why=WHY)  # fmt: skip
    assert told(desk, request, "q2", Kind.QUOTED) == []


def test_the_words_of_a_withheld_record_beside_another_are_known_before_anything_is_built(desk: Examined):
    request = asked(
        desk, comment("w1", f"{SAID}, Elm"), comment("q1", "Elm", extra={"quoted": f"{SAID}, Elm"})
    )
    desk.redact(request, "w1", Whole())
    (conflict,) = told(desk, request, "q1", Kind.SAME_TEXT)
    assert "beside its words" in conflict.what


def test_an_address_that_leads_to_a_withheld_record_is_pointed_out_where_an_answer_bears_it(desk: Examined):
    own = "https://blog.example/elm?comment=w1-882244"
    request = asked(
        desk,
        comment("w1-882244", "no, Elm", url=own),
        comment("w1-882244.r9", "oh, Elm", url=f"{own}&reply=9", on="w1-882244"),
        comment("x2", "oh, Elm", url="https://blog.example/elm?comment=x2"),
    )
    desk.redact(request, "w1-882244", Whole())
    assert any("--field address" in one.next for one in told(desk, request, "w1-882244.r9", Kind.NAMED))
    assert told(desk, request, "x2", Kind.NAMED) == []
    desk.redact(request, "w1-882244.r9", Field("address"))
    assert not any("--field address" in one.next for one in told(desk, request, "w1-882244.r9", Kind.NAMED))


# -- what is missing ---------------------------------------------------------------------------------------


def holes(folder: Path) -> tuple[list[bytes], list[dict[str, Any]]]:
    bodies, said = [], []
    for file in sorted(folder.rglob("*.wacz")):
        with zipfile.ZipFile(file) as packed:
            for name in packed.namelist():
                if name.endswith(".warc.gz"):
                    for one in gzip.decompress(packed.read(name)).split(b"WARC/1."):
                        head, _, body = one.partition(b"\r\n\r\n")
                        if b"WARC-Type: conversion" in head:
                            bodies.append(body)
                        elif b'"holes"' in body:
                            said += json.loads(body)["holes"]
    return bodies, said


@pytest.mark.parametrize("where", [Span(1, 5, 16), Whole()], ids=["words", "the record"])
def test_a_web_capture_does_not_tell_how_long_it_is_what_is_missing(
    where: Any, desk: Examined, tmp_path: Path
):
    told = []
    for number, words in enumerate(("Quagga", "Quagga Lane 77 b, the third floor on the left")):
        name = f"h{number}"
        desk.capture(listing(desk.clock, comment(f"a{number}", f"before, Birch{number}"), comment(name, f"call Quagga Lane {words}, Birch{number}"), comment(f"z{number}", f"after, Birch{number}")))  # fmt: skip
        request = desk.opened()
        desk.select(request, f"Birch{number}")
        desk.confirm(request)
        desk.redact(request, name, where, only_here=True)
        _, built = desk.make(desk.again(request), tmp_path / name, f"HF{number}-", forms=FORMS | {Form.WACZ})
        told.append(holes(built.folder))
    (first, gone), (second, also) = told
    assert [len(one) for one in first] == [len(one) for one in second]
    assert gone == also
    assert gone
    assert all(b"before" in one and b"after" in one and b"Quagga" not in one for one in first)


def test_what_is_let_stay_in_one_record_does_not_let_a_transcript_of_another_leave(desk: Examined):
    said = "https://files.example/said.vtt"
    request = asked(
        desk,
        comment("c2", "call Quagga Lane, Elm"),
        comment("k1", "of Quagga Lane, Elm"),
        shows("t1", said, "text/vtt"),
        files={said: b"WEBVTT\n\n00:01.000 --> 00:02.000\nat Quagga Lane\n"},
    )
    desk.redact(request, "c2", Span(1, 5, 16))
    assert len(told(desk, request, "t1", Kind.STANDS)) == 1
    with desk.store.database.begin() as tx:
        reviewing.keep_words(desk.store, tx, request, desk.records()["k1"], Span(1, 3, 14), by=desk.admin, why=WHY)  # fmt: skip
    assert len(told(desk, request, "t1", Kind.STANDS)) == 1
    with desk.store.database.begin() as tx:
        reviewing.keep_words(desk.store, tx, request, desk.records()["t1"], Field("details"), by=desk.admin, why=WHY)  # fmt: skip
    assert told(desk, request, "t1", Kind.STANDS) == []


# -- in a file of somebody's -------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [False, True], ids=["all of it leaves", "some of it does not"])
def test_the_digest_of_a_file_is_told_only_where_nothing_of_it_is_missing(
    taken: bool, desk: Examined, tmp_path: Path
):
    """Whoever knows the rest of the file could try what is missing until the digest is met."""
    file = letters(desk, tmp_path, 3)
    digest = hashlib.sha256(file.read_bytes()).hexdigest().encode()
    request = desk.opened()
    desk.select(request, "words")
    desk.confirm(request)
    if taken:
        desk.redact(request, "n1", Span(1, 6, 7), only_here=True)
    _, built = desk.make(desk.again(request), tmp_path / "out", forms=FORMS | {Form.WACZ, Form.PDF})
    content = b"".join(one for _, one in reader.everything(built.folder))
    assert b"letters.jsonl" in content
    assert b"words 2" in content
    assert (digest in content) is not taken
    assert (b"first_byte" in content or b"#bytes=" in content) is not taken


def test_whose_file_it_was_what_was_counted_and_why_it_is_hidden_go_with_the_words_that_are_taken_out():
    first, second = read("call Jane Doe", number=1), read("two", number=2, author_name="B", author_handle="b", author_id="2", url="u", native_id="n")  # fmt: skip
    reach = Reach([(first, [took(Span(1, 5, 13))])])
    received = replace(second, record=replace(second.record, handed_in={"file": "jane doe's inbox.mbox"}))
    counted = replace(second, record=replace(second.record, counts={"likes": 3, "Clap by Jane Doe": 1}))
    reason = read("two", number=2, author_name="B", author_handle="b", author_id="2", url="u", native_id="n", state_reason="hidden by Jane Doe")  # fmt: skip
    for one in (received, counted, reason):
        found = reach.within(one)
        assert [made.where for made in found] == [Field("details")]
        assert not any("jane" in said.casefold() for said in strings(leaves(one, *found)))
    assert reach.within(second) == []


def with_type(media_type: str) -> Read:
    """A record of somebody else, with a file of this type."""
    return read(
        "me too", number=2, attachments=[held(PICTURE, media_type)], author_name="Ann Lee", author_handle="annlee", author_id="77",
        url="https://town.example/2", native_id="2",
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["Jane Doe.pdf", "Jane_Doe.pdf", "janedoe.pdf", "J%61ne%20Doe", "Jane&nbsp;Doe"]
)
def test_the_type_of_a_file_bears_no_name_that_is_taken_out_of_another_record(name: str):
    one, two = read("I am Jane Doe"), with_type(f'text/plain; charset=utf-8; name="{name}"')
    reached = Reach([(one, [took(Span(1, 5, 13))]), (two, [])]).within(two)
    assert [made.where for made in reached] == [Field("details")]
    assert leaves(two, *reached, whole=[PICTURE]).now.attachments[0].media_type == "text/plain"


@pytest.mark.parametrize("name", ["Joan Dole.pdf", "utf-8"])
def test_the_type_of_a_file_that_names_somebody_else_reaches_nothing(name: str):
    one, two = read("I am Jane Doe"), with_type(f'text/plain; charset=utf-8; name="{name}"')
    assert Reach([(one, [took(Span(1, 5, 13))]), (two, [])]).within(two) == []


def test_the_type_of_a_file_bears_no_name_where_anything_is_taken_out():
    picture = held(PICTURE, 'image/png; name="Jane Doe.png"')
    item = leaves(read("I am Jane Doe", attachments=[picture]), took(Span(1, 5, 13)), whole=[PICTURE])
    assert item.now.attachments[0].media_type == "image/png"


@pytest.mark.parametrize("taken", [False, True], ids=["nothing is taken out", "words are"])
def test_a_file_that_cannot_be_looked_into_is_in_the_way_only_where_something_must_be_absent(
    taken: bool, desk: Examined, tmp_path: Path
):
    request = asked(desk, shows("d1", PDF, "application/pdf"), files={PDF: a_pdf("The weir")[:200]})
    if taken:
        desk.redact(request, "c1", Field("author"))
        with pytest.raises(WithheldWordsFound, match="could not be looked into"):
            desk.make(request, tmp_path)
    else:
        _, built = desk.make(request, tmp_path)
        assert checking.check(built.folder).findings == []


@pytest.mark.parametrize(
    "who", ["@jdoe907", "@j.doe-7:", "u/jdoe907", "jdoe907@town.example", "@jdoe907@town.example"]
)
def test_words_of_a_gap_name_nobody(who: str):
    left = fit_to_leave(f"the profile of {who} could not be read and/or is private, page 2")
    assert "doe" not in left
    assert left.startswith("the profile of (an address)")
    assert left.endswith("could not be read and/or is private, page 2")

"""The same words are treated alike everywhere: what is taken out of one record is taken out of, or pointed out in, every other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from app.disclosure import reviewing
from app.disclosure.assembling import Decided
from app.disclosure.conflicts import Conflict, Kind, Named
from app.disclosure.producing import ConflictsRemain
from app.disclosure.reaching import Reach
from app.disclosure.redacting import BadRedaction, Field, Span, Whole
from app.disclosure.released import Released, plain
from app.disclosure.requests import Request
from app.disclosure.verify import checking
from app.disclosure.verify.hunting import hunt
from app.disclosure.verify.seal import Trust
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Attachment, Author, Observation
from tests.rules.test_redacting import read, took
from tests.steps.scripted import listing
from tests.steps.test_capture import comment, post
from tests.steps.test_producing import Producer

JANE = Author(id="7781234501", name="Jane Doe", handle="jdoe907")
CAPTIONS = "https://files.example/captions.vtt"


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Producer]:
    made = Producer(store, clock, tmp_path / "index")
    yield made
    made.engine.settle()


def by(author: Author, name: str, words: str, **more: Any) -> Observation:
    made = comment(name, words, **more)
    object.__setattr__(made, "author", author)
    return made


def asked(desk: Producer, *more: Observation) -> Request:
    desk.capture(
        listing(desk.clock, post("p1", "Elm Street is closed"), by(JANE, "c1", "the Elm is mine"), *more)
    )
    return desk.asked()


def told(desk: Producer, request: Request, name: str, kind: Kind) -> list[Conflict]:
    of = desk.records()[name].id
    return [one for one in desk.plan(request).conflicts if one.record == of and one.kind is kind]


# -- what is taken out goes from everywhere ----------------------------------------------------------------

BESIDE: dict[str, dict[str, Any]] = {
    "alt text": {"attachments": (Attachment(id="a", media_type="image/png", description="Jane Doe at the podium"),)},
    "a caption": {"attachments": (Attachment(id="a", media_type="image/png", caption="with JANE DOE"),)},
    "a file's name": {"attachments": (Attachment(id="a", url="https://files.example/jane%2Ddoe.png"),)},
    "html": {"html": "<p>thanks <a title='J&#97;ne Doe'>you</a></p>"},
    "html through its tags": {"html": "<p>thanks Ja<b>ne D</b>oe</p>"},
    "a link's title": {"extra": {"card": {"title": "Jane Doe speaks"}}},
    "a quoted post": {"extra": {"quoted": [{"author": "@jdoe907", "text": "x"}]}},
    "an address": {"extra": {"card": {"url": "https://news.example/2026/jane-doe-arrested"}}},
}  # fmt: skip


@pytest.mark.parametrize("place", BESIDE)
def test_a_name_that_is_taken_out_leaves_nothing_of_itself_in(desk: Producer, place: str, tmp_path: Path):
    request = asked(desk, comment("c2", "thanks for telling about Elm", **BESIDE[place]))
    desk.redact(request, "c1", Field("author"))
    _, built = desk.make(request, tmp_path / "out")
    assert hunt(["Jane Doe", "jdoe907", "7781234501", "jane-doe"], built.folder).clean
    assert checking.check(built.folder, Trust()).findings == []
    item = desk.items(request)["c2"]
    assert isinstance(item, Released)
    assert [(one.where, one.code) for one in item.redactions] == [("details", "6(C)")]
    assert plain(item.now.text) == "thanks for telling about Elm"


@pytest.mark.parametrize("place", BESIDE)
def test_a_record_that_does_not_say_the_name_leaves_whole(desk: Producer, place: str):
    request = asked(desk, comment("c2", "thanks for telling about Elm", **BESIDE[place]))
    desk.redact(request, "c1", Span(1, 0, 7), only_here=False)
    item = desk.items(request)["c2"]
    assert isinstance(item, Released)
    assert item.redactions == []


@pytest.mark.parametrize(
    "words",
    [
        "see https://news.example/2026/jane-doe-arrested on Elm",
        "Elm https://news.example/?q=Jane%20Doe",
        "Elm #JaneDoe",
        "Elm jane.doe@mail.example",
        "Elm @jdoe907@town.example",
    ],
)
def test_a_name_in_an_address_of_another_text_goes_too(desk: Producer, words: str, tmp_path: Path):
    request = asked(desk, comment("c2", words))
    desk.redact(request, "c1", Field("author"))
    _, built = desk.make(request, tmp_path / "out")
    assert hunt(["Jane Doe", "JaneDoe", "jane-doe", "jane.doe", "jdoe907"], built.folder).clean


def test_a_name_of_three_characters_in_a_script_without_blanks_goes_from_everywhere(desk: Producer, tmp_path: Path):  # fmt: skip
    desk.capture(
        listing(desk.clock, post("p1", "Elm"), by(Author(name="王小明"), "c1", "Elm"), comment("c2", "Elm: 昨天王小明說"))
    )  # fmt: skip
    request = desk.asked()
    desk.redact(request, "c1", Field("author"))
    _, built = desk.make(request, tmp_path / "out")
    found = hunt(["王小明"], built.folder)
    assert (found.words, found.clean) == (1, True)


def test_details_are_let_stay_with_a_reason(desk: Producer, tmp_path: Path):
    request = asked(desk, comment("c2", "Elm", extra={"card": {"title": "Jane Doe speaks"}}))
    desk.redact(request, "c1", Field("author"))
    with desk.store.database.begin() as tx:
        reviewing.keep_words(
            desk.store,
            tx,
            request,
            desk.records()["c2"],
            Field("details"),
            by=desk.admin,
            why="a newspaper's",
        )
    assert [one.kind for one in told(desk, request, "c2", Kind.KEPT)] == [Kind.KEPT]
    desk.make(request, tmp_path / "out")
    item = desk.items(request)["c2"]
    assert isinstance(item, Released)
    assert item.extra == {"card": {"title": "Jane Doe speaks"}}


def test_details_are_taken_out_by_hand_and_with_them_what_is_said_of_files(desk: Producer):
    picture = Attachment(id="a", media_type="image/png", description="a house")
    request = asked(desk, comment("c2", "Elm", html="<p>Elm</p>", attachments=(picture,)))
    desk.redact(request, "c2", Field("details"))
    item = desk.items(request)["c2"]
    assert isinstance(item, Released)
    assert (plain(item.now.text), item.now.html) == ("Elm", None)
    assert [plain(one.description) for one in item.now.attachments] == ["[REDACTED 6(C)]"]


# -- what cannot be taken out stands in the way ---------------------------------------------------------------


def test_words_in_a_transcript_that_leaves_stand_in_the_way_until_it_is_withheld(desk: Producer, tmp_path: Path):  # fmt: skip
    desk.client.files[CAPTIONS] = b"WEBVTT\n\n00:01.000 --> 00:02.000\nhere is Jane Doe\n"
    captions = Attachment(id="v", url=CAPTIONS, media_type="text/vtt")
    request = asked(desk, comment("c2", "a film of Elm", attachments=(captions,)))
    desk.redact(request, "c1", Field("author"))
    (one,) = told(desk, request, "c2", Kind.STANDS)
    attachment = desk.records()["c2"].attachments[0].id
    assert attachment is not None
    assert (str(attachment) in one.what, one.blocks) == (True, True)
    with pytest.raises(ConflictsRemain, match="which leaves as it is"):
        desk.begin(desk.plan(request))
    desk.redact(request, "c2", Whole(attachment))
    assert told(desk, request, "c2", Kind.STANDS) == []
    _, built = desk.make(request, tmp_path / "out")
    assert hunt(["Jane Doe"], built.folder).clean


def test_words_of_the_agency_s_own_page_stand_in_the_way(desk: Producer):
    request = asked(desk)
    name = desk.page.name
    desk.capture(listing(desk.clock, comment("c3", f"Elm of the {name}")))
    desk.select(request, "Elm", families=True)
    desk.confirm(request)
    made = desk.redact(request, "c3", Span(1, 11, 11 + len(name)))
    stands = [one for one in desk.plan(request).conflicts if one.kind is Kind.STANDS]
    assert [repr(name) in one.what for one in stands] == [True]
    with desk.store.database.begin() as tx:
        reviewing.retract(desk.store, tx, made.id, by=desk.admin, why="it is its own")
    assert [one for one in desk.plan(request).conflicts if one.kind is Kind.STANDS] == []


# -- what only a person can decide is pointed out -------------------------------------------------------------


def test_who_wrote_a_withheld_record_is_pointed_out_where_others_name_them(desk: Producer):
    request = asked(
        desk, comment("c2", "well said, J\u00e1ne  DOE!", on="c1"), comment("c3", "as @jdoe907 said"), comment("c4", "hello to Jane"),
        comment("c5", "Elm", extra={"title": "Jane Doe"}), comment("c6", "thanks Jane", on="c1"),
    )  # fmt: skip
    desk.redact(request, "c1", Whole())
    (by_name,) = told(desk, request, "c2", Kind.NAMED)
    assert (by_name.blocks, "at 11:20," in by_name.what, "which is withheld" in by_name.what) == (False, True, True)  # fmt: skip
    assert "at 4:11," in told(desk, request, "c3", Kind.NAMED)[0].what
    assert "beside its words" in told(desk, request, "c5", Kind.NAMED)[0].what
    assert "perhaps who wrote" in told(desk, request, "c6", Kind.NAMED)[0].what
    assert told(desk, request, "c1", Kind.NAMED) == []
    desk.redact(request, "c2", Span(1, 11, 20))
    assert told(desk, request, "c2", Kind.NAMED) == []
    with desk.store.database.begin() as tx:
        reviewing.keep_words(
            desk.store, tx, request, desk.records()["c3"], Span(1, 3, 11), by=desk.admin, why="another"
        )
        reviewing.keep_words(
            desk.store, tx, request, desk.records()["c5"], Field("details"), by=desk.admin, why="another"
        )
    assert [told(desk, request, one, Kind.NAMED) for one in ("c3", "c5")] == [[], []]


def test_who_wrote_what_is_withheld_here_alone_is_not_looked_for(desk: Producer):
    request = asked(desk, comment("c2", "well said, Jane Doe!", on="c1"))
    desk.redact(request, "c1", Whole(), only_here=True)
    assert told(desk, request, "c2", Kind.NAMED) == []


def test_a_name_too_short_to_be_taken_out_elsewhere_is_pointed_out_where_it_stands_by_itself(desk: Producer):
    desk.capture(
        listing(
            desk.clock, post("p1", "Elm"), by(Author(name="Al", handle="al"), "c1", "Elm"), comment("c2", "ask @al", on="c1"),
            comment("c3", "also all of Elm"),
        )
    )  # fmt: skip
    request = desk.asked()
    desk.redact(request, "c1", Field("author"))
    assert ["at 5:7," in one.what for one in told(desk, request, "c2", Kind.NAMED)] == [True]
    assert told(desk, request, "c3", Kind.NAMED) == []


def test_the_agency_s_own_name_is_nobody_s_to_protect():
    record = read("closed", author_name="Town Police", author_handle="townpd", attachments=())
    other = read("ask the Town Police", number=2)
    object.__setattr__(record, "author", "agency")
    assert not Named([(record, [took(Whole())])])
    object.__setattr__(record, "author", "visitor")
    assert list(Named([(record, [took(Whole())])]).within(other, (), ()))


def test_a_name_is_no_part_of_a_longer_word():
    record = read("x", author_name="Anna Lee", author_handle="anna")
    named = Named([(record, [took(Whole())])])
    assert list(named.within(read("from Savannah to Annapolis", number=2), (), ())) == []
    assert [one.kind for one in named.within(read("from anna, Savannah", number=2), (), ())] == [Kind.NAMED]


def test_no_field_is_taken_out_that_there_is_not(desk: Producer):
    request = asked(desk)
    with pytest.raises(BadRedaction, match="no field"):
        desk.redact(request, "c1", Field("extra"))


# -- and quickly ----------------------------------------------------------------------------------------------


def test_hundreds_of_names_are_looked_for_in_ten_thousand_records_in_seconds():
    chance = random.Random(7)
    words = [f"{chance.choice('bcdfghkl')}{chance.choice('aeiou')}{number:x}" for number in range(400)]
    back = [
        (read("gone " * 9, number=one, author_name=f"Name{one} Last{one}", author_handle=f"handle{one}"), [took(Whole())])
        for one in range(1, 401)
    ]  # fmt: skip
    out = [(one[0], [took(Field("author"))]) for one in back[200:]]
    others = [
        read(
            " ".join(chance.choice(words) for _ in range(50)) + (f" @handle{one % 400}" if one % 100 == 0 else ""),
            number=one, extra={"card": {"title": " ".join(chance.choice(words) for _ in range(20)), "url": "https://a.example/b"}},
        )
        for one in range(1_000, 11_000)
    ]  # fmt: skip
    began = process_time()
    named, reach = Named([*back[:200], *out]), Reach(out)
    found = 0
    for other in others:
        more = Decided().reached(reach.within(other))
        found += bool(more) + sum(1 for _ in named.within(other, (), more))
    assert found > 80
    assert process_time() - began < 30  # a few seconds where nobody else works

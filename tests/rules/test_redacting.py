"""What is taken out of a record is in nothing that leaves of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import process_time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure import matching, redacting
from app.disclosure.reaching import Reach, left_behind
from app.disclosure.redacting import (
    BadRedaction,
    Field,
    Held,
    Read,
    Redaction,
    Region,
    Span,
    Undecided,
    Where,
    Whole,
)
from app.disclosure.released import Leaves, Released, ReleasedAuthor, Removed, Withheld, plain
from app.disclosure.verify.hunting import hunt_bytes
from app.records.nouns import Page, Record, Version

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
PICTURE, SOUND = UUID(int=71), UUID(int=72)


class Pictures:
    """Makes pictures anew, as bytes that say so."""

    def remade(self, held: Held, regions: Sequence[tuple[Region, Removed]]) -> tuple[bytes, str]:
        return f"remade with {len(regions)}".encode(), "image/png"


def read(*texts: str, number: int = 1, attachments: Sequence[Held] = (), **fields: object) -> Read:
    page = Page(
        key=1, id=UUID(int=900), connector="mastodon", platform="mastodon", address="https://town.example", name="Town",
        custodian="Clerk", options={}, status="active", approved=True, added_at=AT, connected=False,
    )  # fmt: skip
    given: Mapping[str, object] = {
        "author_id": "7781234501", "author_name": "Jane Doe", "author_handle": "jdoe907",
        "url": f"https://town.example/@jdoe907/{number}11122233", "native_id": f"{number}11122233", "html": "<p>as served</p>",
        "extra": {"more": "of it"}, **fields,
    }  # fmt: skip
    versions = [
        Version(number=place, entry=place, state="present", observed_at=AT, last_seen_before=None, fields={**given, "text": text})
        for place, text in enumerate(texts, 1)
    ]  # fmt: skip
    record = Record(
        key=number, id=UUID(int=number), page=page, kind="comment", state="present", in_reply_to=None, root=UUID(int=number),
        published_at=AT, first_seen=AT, last_seen=AT, versions=len(texts), version=versions[-1], counts={"likes": 3},
        attachments=(), private=False, received=False,
    )  # fmt: skip
    return Read(
        record=record, versions=versions, author="visitor", day="2026-05-01",
        attachments={version.number: tuple(attachments) for version in versions},
    )  # fmt: skip


def held(identity: UUID, media_type: str, description: str = "") -> Held:
    return Held(
        id=identity, state="kept", media_type=media_type, size=4, description=description, chunks=lambda: iter((b"1234",)),
        commitment="ab" * 32,
    )  # fmt: skip


def took(where: Where, code: str = "6(C)", *, only_here: bool = False) -> Redaction:
    return Redaction(
        where=where, code=code, citation="AS 40.25.120(a)(6)(C)", explanation="privacy", by="Olga", approved_by=None, on=AT,
        only_here=only_here,
    )  # fmt: skip


def leaves(read: Read, *redactions: Redaction, whole: Sequence[UUID] = ()) -> Released:
    item = redacting.release(read, redactions, whole=whole, by=Pictures())
    assert isinstance(item, Released)
    return item


def strings(value: object) -> Iterator[str]:
    """Every text that stands anywhere in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Removed):
        yield value.code
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from strings(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from strings(name)
            yield from strings(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from strings(one)


def test_nothing_taken_out_everything_leaves():
    item = leaves(read("the road is closed"))
    assert (plain(item.now.text), item.now.html, item.extra) == ("the road is closed", "<p>as served</p>", {"more": "of it"})  # fmt: skip
    assert (item.author.name, item.redacted) == ("Jane Doe", False)


def test_words_are_taken_out_of_every_version_and_every_description_whatever_their_case():
    picture = held(PICTURE, "image/png", "Bear Creek at night")
    item = leaves(
        read("I live at Bear Creek", "I live at BEAR  CREEK, and bear\ncreek is cold", attachments=[picture]),
        took(Span(1, 10, 20)),
    )
    assert [plain(version.text) for version in item.versions] == [
        "I live at [REDACTED 6(C)]",
        "I live at [REDACTED 6(C)], and [REDACTED 6(C)] is cold",
    ]
    assert plain(item.now.attachments[0].description) == "[REDACTED 6(C)] at night"
    assert (item.now.html, item.extra) == (None, {})


def test_the_mark_says_nothing_of_how_long_it_was():
    long, short = (
        leaves(read("x" * 400 + " end"), took(Span(1, 0, 400))),
        leaves(read("abcd end"), took(Span(1, 0, 4))),
    )
    assert plain(long.now.text) == plain(short.now.text) == "[REDACTED 6(C)] end"


def test_places_that_touch_become_one_mark_that_names_every_ground():
    item = leaves(read("0123456789"), took(Span(1, 2, 5)), took(Span(1, 4, 8), "6(A)"))
    assert list(item.now.text) == ["01", Removed("6(A); 6(C)"), "89"]


def test_whoever_wrote_it_is_taken_out_with_all_that_leads_there():
    item = leaves(read("thanks, Jane Doe says @jdoe907"), took(Field("author")))
    assert item.author == ReleasedAuthor(id=Removed("6(C)"), name=Removed("6(C)"), handle=Removed("6(C)"))
    assert isinstance(item.url, Removed)
    assert isinstance(item.native_id, Removed)
    assert plain(item.now.text) == "thanks, [REDACTED 6(C)] says @[REDACTED 6(C)]"
    assert not any("jdoe" in one.lower() or "jane" in one.lower() for one in strings(item))


def test_the_address_alone_leaves_the_author():
    item = leaves(read("thanks"), took(Field("address")))
    assert (item.author.name, item.author.handle) == ("Jane Doe", "jdoe907")
    assert (item.url, item.native_id) == (Removed("6(C)"), Removed("6(C)"))


def test_words_of_a_redaction_are_taken_out_of_the_address_too():
    assert isinstance(leaves(read("I am jdoe907"), took(Span(1, 5, 12))).url, Removed)


@pytest.mark.parametrize("slug", ["the-blue-house", "the%20blue%20house", "The_Blue_House", "thebluehouse"])
def test_an_address_that_spells_out_what_was_taken_out_goes_too(slug: str):
    item = leaves(read("look: the blue house", url=f"https://town.example/2026/{slug}"), took(Span(1, 6, 20)))
    assert isinstance(item.url, Removed)
    assert leaves(read("look: the blue house", url="https://town.example/2026/barn"), took(Span(1, 6, 20))).url == "https://town.example/2026/barn"  # fmt: skip


def test_a_record_that_is_withheld_leaves_a_slip_and_its_commitment_only():
    item = redacting.release(read("secret words"), [took(Whole())], by=Pictures())
    assert isinstance(item, Withheld)
    assert (item.author, item.day, [one.code for one in item.grounds]) == ("visitor", "2026-05-01", ["6(C)"])
    assert not any("secret" in one or "Jane" in one or "jdoe" in one for one in strings(item))


def test_regions_make_a_picture_anew_and_any_redaction_takes_its_metadata():
    picture = held(PICTURE, "image/jpeg")
    boxed = leaves(
        read("x", attachments=[picture]), took(Region(PICTURE, 1, 0, 0, 500, 500))
    ).now.attachments[0]
    scrubbed = leaves(read("some words", attachments=[picture]), took(Span(1, 0, 4))).now.attachments[0]
    assert (boxed.leaves, scrubbed.leaves) == (Leaves.REDACTED, Leaves.SCRUBBED)
    assert boxed.chunks is not None
    assert (b"".join(boxed.chunks()), boxed.size, boxed.media_type, boxed.commitment) == (b"remade with 1", 13, "image/png", None)  # fmt: skip
    untouched = leaves(read("x", attachments=[picture])).now.attachments[0]
    assert (untouched.leaves, untouched.size) == (Leaves.WHOLE, 4)


def test_a_picture_leaves_as_it_is_where_somebody_decided_so():
    picture = held(PICTURE, "image/jpeg")
    item = leaves(read("some words", attachments=[picture]), took(Span(1, 0, 4)), whole=[PICTURE])
    assert (item.now.attachments[0].leaves, item.now.attachments[0].size) == (Leaves.WHOLE, 4)


def test_no_part_of_a_sound_can_be_taken_out():
    sound = held(SOUND, "audio/mpeg")
    with pytest.raises(BadRedaction, match="cannot be redacted in part"):
        redacting.check(read("x", attachments=[sound]), Region(SOUND, 1, 0, 0, 9, 9))


@pytest.mark.parametrize(
    ("media_type", "can"),
    [
        ("image/jpeg; q=1", True),
        ("IMAGE/JPG", True),
        ("application/pdf", True),
        ("video/mp4", False),
        ("image/svg+xml", False),
        (None, False),
    ],
)
def test_pictures_and_pdfs_can_be_made_anew_and_nothing_else(media_type: str | None, can: bool):
    assert redacting.can_be_remade(media_type) is can


def test_a_sound_of_a_record_that_leaves_in_part_waits_for_a_decision():
    sound = held(SOUND, "audio/mpeg")
    with pytest.raises(Undecided, match="cannot be looked through"):
        leaves(read("some words", attachments=[sound]), took(Span(1, 0, 4)))
    whole = leaves(read("some words", attachments=[sound]), took(Span(1, 0, 4)), whole=[SOUND])
    kept_back = leaves(read("some words", attachments=[sound]), took(Span(1, 0, 4)), took(Whole(SOUND)))
    assert whole.now.attachments[0].leaves is Leaves.WHOLE
    assert (kept_back.now.attachments[0].leaves, kept_back.now.attachments[0].chunks) == (
        Leaves.WITHHELD,
        None,
    )


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (Span(1, 0, 99), "has 5 characters"),
        (Span(1, 3, 3), "no part of them"),
        (Span(2, 0, 1), "no version 2"),
        (Span(1, 4, 5), "nothing but blanks"),
        (Field("name"), "no field 'name'"),
        (Region(UUID(int=3), 1, 0, 0, 1, 1), "no attachment"),
        (Region(PICTURE, 0, 0, 0, 1, 1), "on page 1"),
        (Region(PICTURE, 2, 0, 0, 1, 1), "no page 2"),
        (Region(PICTURE, 1, 5, 0, 5, 1), "between 0 and 10000"),
        (Region(PICTURE, 1, 0, 0, 10_001, 1), "between 0 and 10000"),
        (Whole(UUID(int=3)), "no attachment"),
    ],
)
def test_what_the_record_does_not_have_cannot_be_taken_out(where, says):
    with pytest.raises(BadRedaction, match=says):
        redacting.check(read("word ", attachments=[held(PICTURE, "image/png")]), where)


def test_the_same_words_are_taken_out_of_the_other_records_on_the_same_ground():
    first, second = read("call 907-555-0133", number=1), read("907 555 0133 or 907-555-0133!", number=2, author_name="B", author_handle="b", author_id="2", url="u", native_id="n")  # fmt: skip
    reach = Reach([(first, [took(Span(1, 5, 17))])])
    found = reach.within(second)
    assert [one.where for one in found] == [Span(1, 0, 12), Span(1, 16, 28)], "with blanks as with hyphens"
    assert "the same words are taken out of 00000000-0000-0000-0000-000000000001" in found[0].explanation
    assert plain(leaves(second, *found).now.text) == "[REDACTED 6(C)] or [REDACTED 6(C)]!"
    assert reach.within(first) == []


def test_an_author_who_is_taken_out_once_is_taken_out_of_every_record():
    first, second = read("one", number=1), read("two", number=2)
    found = Reach([(first, [took(Field("author"))])]).within(second)
    assert {one.where for one in found} == {Field("author")}
    assert not any("jdoe" in one or "Jane" in one for one in strings(leaves(second, *found)))


def test_what_is_meant_here_alone_reaches_no_other_record():
    first, second = read("Police came", number=1), read("the police", number=2)
    assert not Reach([(first, [took(Span(1, 0, 6), only_here=True)])])
    assert Reach([(first, [took(Span(1, 0, 6))])]).within(second)


def test_a_version_whose_words_nobody_took_anything_out_of_is_pointed_at():
    edited = read("I am at 12 Elm", "I am at 12 Elm St", "I am at twelve Elm")
    assert left_behind(edited, [took(Span(1, 8, 14))]) == [3]
    assert left_behind(edited, []) == []


def test_words_that_are_hidden_from_the_eye_are_found_all_the_same():
    text = "Ja\u200bne D\u00ado\u0301e and ＪＡＮＥ\u00a0DOE"
    item = leaves(read("Jane Doe", text), took(Span(1, 0, 8)))
    assert plain(item.now.text) == "[REDACTED 6(C)] and [REDACTED 6(C)]"


def test_words_are_found_without_the_blanks_and_punctuation_between_them():
    text = "Jane-Doe, JaneDoe and J.a.n.e Doe"
    item = leaves(read("Jane Doe", text, author_name="Jane"), took(Span(1, 0, 8)))
    assert plain(item.now.text) == "[REDACTED 6(C)], [REDACTED 6(C)] and [REDACTED 6(C)]"
    text = "thejanedoes, a-jane-does and Jane, Doe"
    item = leaves(read("Jane Doe", text, author_name="Jane"), took(Span(1, 0, 8)))
    assert plain(item.now.text) == text, "seven letters may stand in other words by chance"
    text = "Jane-Does, JaneDoes and 'J.a.n.e (Does)'"
    item = leaves(read("Jane Does", text), took(Span(1, 0, 9)))
    assert plain(item.now.text) == "[REDACTED 6(C)], [REDACTED 6(C)] and '[REDACTED 6(C)])'"


def test_of_long_words_a_part_is_found_as_well():
    long = " ".join(f"word{number}" for number in range(80))
    item = leaves(read(long, f"He wrote: {long[:300]} and so on"), took(Span(1, 0, len(long))))
    assert plain(item.now.text).startswith("He wrote: [REDACTED 6(C)]")
    assert "word20 word21" not in plain(item.now.text)


def test_a_letter_that_folds_into_two_is_taken_out_whole():
    assert plain(leaves(read("stras", "straße 5"), took(Span(1, 0, 5))).now.text) == "[REDACTED 6(C)]e 5"


texts = st.text("abcÄé ,\n\u200bßX9", min_size=1, max_size=60)
words = st.text("abcÄéßX9", min_size=4, max_size=12)


@given(texts, words, texts, texts)
def test_whatever_is_taken_out_of_one_version_is_in_no_version(
    before: str, word: str, after: str, other: str
):
    first = before + word + after
    item = leaves(
        read(first, other + first, word.upper() + other), took(Span(1, len(before), len(before) + len(word)))
    )
    gone = matching.folded(word)
    for version in item.versions:
        for run in version.text:
            assert isinstance(run, Removed) or gone not in matching.folded(run)


@given(st.text("abcÄéßX9 -.", min_size=4, max_size=40), st.data())
def test_what_was_taken_out_is_not_met_by_whoever_hunts_for_it(word: str, data: st.DataObject):
    pieces = data.draw(st.lists(st.sampled_from((*word, word, word.upper(), ", ", "X")), max_size=20))
    first = f"{word}!"
    item = leaves(read(first, "".join(pieces)), took(Span(1, 0, len(word))))
    for version in item.versions:
        assert hunt_bytes([word.strip()], plain(version.text).encode()).hits == []


@given(st.lists(texts, min_size=1, max_size=5), texts)
def test_many_words_at_once_are_found_where_each_is_found_alone(looked_for: list[str], text: str):
    said = matching.read(text)
    folded = {matching.folded(word) for word in looked_for} - {""}
    alone = {one: places for one in folded if (places := matching.found([one], said))}
    assert matching.Many(looked_for).within(text) == alone


def test_words_that_stand_in_a_long_text_very_often_are_found_in_a_moment():
    text = "ﬃ road " * 60_000
    begun = process_time()
    places = matching.found([matching.folded("ffi road")], matching.read(text))
    assert (len(places), text[slice(*places[-1])]) == (60_000, "ﬃ road")
    assert process_time() - begun < 10  # it was minutes where each of them copied the rest of the text

"""Edits of words that stand beside a text: descriptions and captions of files, and an author's own words elsewhere.

An archive that was kept by the older rule, by which such words did not count,
is made by putting that rule in the place of today's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from app.capture import marks
from connectors.contract import Attachment, Observation, State
from tests.steps.scripted import Scripted, listing
from tests.steps.test_capture import World, post


@pytest.fixture
def world(store: Any, clock: Any) -> World:
    return World(store, clock)


@contextmanager
def older_rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Captures as they were when words beside the text made no version."""
    with monkeypatch.context() as changed:
        changed.setattr(marks.Said, "mark", marks.Said.older_mark)
        changed.setattr(marks.Said, "denies", False)
        changed.setattr(marks.Said, "leaves_open", False)
        yield


def pictured(description: str | None, caption: str | None = "", sign: str = "a", **more: Any) -> Observation:
    file = Attachment(
        id="a", url=f"https://cdn.example/1?sig={sign}", description=description, caption=caption
    )
    return post("p1", more.pop("words", "x"), attachments=(file,), **more)


def seen(world: World, *shown: Observation) -> str:
    """What each capture made of it: a letter for each, `n`ew, `e`dited, `u`nchanged or another."""
    told = ""
    for one in shown:
        world.client.files = {str(file.url): b"picture" for file in one.attachments}
        tally = world.capture(listing(world.clock, one)).tally
        told += "n" * tally.new + "e" * tally.edited + "u" * tally.unchanged + "h" * tally.hidden
    return told


def descriptions(world: World) -> list[object]:
    from app.capture import records

    with world.store.database.read() as tx:
        found = records.history(world.store, tx, world.records()["p1"])
    return [[item.get("description") for item in one.fields["attachments"]] for one in found]  # type: ignore[attr-defined]  # lists of objects


def test_another_description_or_caption_is_an_edit_and_the_first_one_stays(world: World):
    shown = (pictured("A barrier"), pictured("A barrier, closed"), pictured("A barrier, closed", "By night"))
    assert seen(world, *shown) == "nee"
    assert descriptions(world) == [["A barrier"], ["A barrier, closed"], ["A barrier, closed"]]
    assert world.soundness() == []


def test_an_address_that_merely_expires_is_no_edit_whatever_is_written_of_the_file(world: World):
    assert seen(world, pictured("A barrier", sign="a"), pictured("A barrier", sign="b")) == "nu"


def test_a_description_that_is_added_taken_away_and_put_back_is_an_edit_each_time(world: World):
    assert seen(world, *(pictured(words) for words in ("", "A barrier", "", "A barrier"))) == "neee"


def test_what_was_not_told_this_time_is_no_edit_and_is_not_lost_by_one(world: World):
    shown = (
        pictured("A barrier"),
        pictured(None),
        pictured(None, words="y"),
        pictured("A barrier", words="y"),
        pictured(None, words="y"),
        pictured("Two barriers", words="y"),
    )
    assert seen(world, *shown) == "nueuue"
    assert descriptions(world) == [["A barrier"], ["A barrier"], ["Two barriers"]]


def test_what_was_hidden_in_between_keeps_its_words(world: World):
    hidden = replace(pictured(None), state=State.HIDDEN)
    assert seen(world, pictured("A barrier"), hidden, hidden, replace(hidden, state=State.PRESENT)) == "nhu"
    assert descriptions(world) == [["A barrier"]] * 3


@pytest.mark.parametrize("words", ["A barrier", "", None])
def test_a_record_without_a_true_difference_gets_no_version_after_the_rule_has_changed(
    world: World, monkeypatch: pytest.MonkeyPatch, words: str | None
):
    with older_rule(monkeypatch):
        assert seen(world, pictured("A barrier" if words is None else words)) == "n"
    again = pictured(words)
    assert seen(world, again, replace(again, counts={"likes": 4}), again) == "uuu"


@pytest.mark.parametrize(
    ("before", "after"), [("A barrier", "Two barriers"), ("", "A barrier"), ("A barrier", "")]
)
def test_a_true_difference_is_one_edit_also_where_the_older_rule_kept_the_version(
    world: World, monkeypatch: pytest.MonkeyPatch, before: str, after: str
):
    with older_rule(monkeypatch):
        assert seen(world, pictured(before), pictured(before)) == "nu"
    assert seen(world, pictured(after), pictured(after)) == "eu"
    assert world.soundness() == []


def test_a_mark_of_words_that_nothing_has_is_as_it_always_was():
    plain, none = post("p1", "x"), pictured("", "")
    assert marks.seen("blog", plain).mark(b"s" * 32) == marks.seen("blog", plain).older_mark(b"s" * 32)
    assert marks.seen("blog", none).mark(b"s" * 32) == marks.seen("blog", none).older_mark(b"s" * 32)
    assert marks.seen("blog", pictured("A barrier")).mark(b"s" * 32) != marks.seen("blog", none).mark(
        b"s" * 32
    )


class TellsAll(Scripted):
    """A platform that tells the whole history of an item at every pass."""

    manifest = replace(Scripted.manifest, tells_history=True)


STATES = [
    pictured("A barrier", words="one"),
    pictured(None, words="two"),
    pictured("Two barriers", words="two"),
    pictured("Two barriers", words="three"),
]


@pytest.mark.parametrize("older", [True, False])
def test_a_history_that_is_told_again_makes_no_version_whichever_rule_kept_it(
    world: World, monkeypatch: pytest.MonkeyPatch, older: bool
):
    world.connector = TellsAll(world.client)
    if older:
        with older_rule(monkeypatch):
            assert seen(world, *STATES) == "neue"
        assert seen(world, *STATES) == "uueu", "what the older rule left out is one edit"
    else:
        assert seen(world, *STATES) == "neee"
    assert seen(world, *STATES) == "uuuu"
    assert seen(world, *reversed(STATES)) == "uuuu"
    assert seen(world, pictured("Three barriers", words="one")) == "e"


def test_tags_of_a_video_are_its_authors_words_and_its_licence_and_duration_are_not():
    def mark(**extra: object) -> bytes:
        return marks.seen("youtube", post("v", "x", extra=extra)).mark(b"s" * 32)

    told = mark(tags=["flood", "road"], license="youtube", duration="PT1M")
    assert told == mark(tags=["road", "flood"], license="creativeCommon", duration="PT2M")
    assert told != mark(tags=["flood", "bridge"], license="youtube", duration="PT1M")
    assert mark(license="youtube") == mark()


def test_the_same_words_elsewhere_are_not_counted_where_others_write_them():
    def mark(*tags: str) -> bytes:
        return marks.seen("mediawiki", post("r", "x", extra={"tags": list(tags)})).mark(b"s" * 32)

    assert mark("mw-reverted") == mark()


def test_an_authors_words_are_read_alike_from_what_is_shown_and_from_what_was_stated(world: World):
    from app.capture.keep import PageRef, stated_fields

    page = PageRef(1, b"p" * 16, "youtube", "City")
    for extra in (
        {"tags": ["flood"], "localizations": {"de": {"title": "Flut", "description": ""}}},
        {"tags": ["Ünwetter"], "localizations": {"de": {"título": "Flut"}}, "views": 1.5},
    ):
        shown = post("v", "x", extra=extra, attachments=pictured("A barrier").attachments)
        stated = marks.stated(stated_fields(page, shown, [], b"e" * 16))
        assert stated.mark(b"s" * 32) == marks.seen("youtube", shown).mark(b"s" * 32)


def test_what_a_web_page_writes_of_a_picture_stands_in_its_html_and_counts_there_alone():
    def mark(words: str, html: str) -> bytes:
        return marks.seen("webpage", pictured(words, html=html)).mark(b"s" * 32)

    assert mark("Visitor 4711", "<img>") == mark("Visitor 4712", "<img>")
    assert mark("A", '<img alt="A">') != mark("A", '<img alt="B">')

"""Scopes: what a hold is about is decided in three values, and what cannot be decided is covered."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.holds.scopes import (
    EmptyScope,
    Judge,
    Left,
    Met,
    Scope,
    ScopeRefused,
    may_have_met,
    possible,
    read_all,
)
from app.index.documents import Document
from app.index.engine import Scope as Asking
from app.index.judging import hit
from app.index.language import BadQuery
from app.index.printer import show

ZONE = ZoneInfo("America/Juneau")


def version(number: int = 1, **more: Any) -> Document:
    given: dict[str, Any] = {
        "record": 1,
        "version": number,
        "entry": number,
        "page": "00000000-0000-0000-0000-000000000001",
        "page_name": "Police blog",
        "platform": "blog",
        "kind": "post",
        "author": ("7", "Jane Doe"),
        "published_at": datetime(2026, 3, 2, tzinfo=UTC),
        "captured_at": datetime(2026, 3, 3, tzinfo=UTC),
        "text": "the road is closed",
    }
    return Document(**(given | more))


def judged(scope: Scope, *versions: Document) -> Met:
    tree = scope.understood()
    assert tree is not None
    return Judge(tree, ZONE).of(read_all(versions or (version(),)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("road", Met.YES),
        ("flood", Met.NO),
        ('"road is"', Met.YES),
        ("road w/2 closed", Met.YES),
        ("NOT flood", Met.YES),
        ("kind:comment", Met.NO),
        ('author:"jane doe"', Met.YES),
        ("date:2026-03", Met.YES),
        ("date:2025", Met.NO),
        ("captured:2026-03-02", Met.YES),
        ("version:current flood", Met.NO),
    ],
)
def test_a_version_meets_a_scope_or_does_not(query: str, expected: Met):
    assert judged(Scope(query=query)) is expected


@pytest.mark.parametrize(
    "query", ["date:2026-03", "NOT date:2026-03", "road date:2025", "flood OR date:2025"]
)
def test_days_of_an_undated_record_cannot_be_decided(query: str):
    assert judged(Scope(query=query), version(published_at=None)) is Met.UNDECIDED


def test_what_another_part_decides_is_decided():
    undated = version(published_at=None)
    assert judged(Scope(query="flood date:2026-03"), undated) is Met.NO
    assert judged(Scope(query="road OR date:2025"), undated) is Met.YES


@pytest.mark.parametrize("query", ["flood", "NOT flood", "#flood", '"flood road"', "flood w/5 road"])
def test_words_of_what_could_not_be_searched_cannot_be_decided(query: str):
    for lacking in (version(text="", media=True), version(text="hello", media=True, lacks=("scanned",))):
        assert judged(Scope(query=query), lacking) is Met.UNDECIDED


def test_media_whose_words_meet_the_scope_are_decided():
    assert judged(Scope(query="road"), version(media=True, lacks=("media_without_text",))) is Met.YES


def test_a_record_without_a_version_that_can_be_opened_cannot_be_decided():
    tree = Scope(query="road").understood()
    assert tree is not None
    assert Judge(tree, ZONE).of([]) is Met.UNDECIDED


def test_any_version_covers_the_record_and_which_one_is_current_does_not_matter():
    history = (version(1, text="flood"), version(2, text="nothing"))
    assert judged(Scope(query="flood"), *history) is Met.YES
    assert judged(Scope(query="flood version:current"), *history) is Met.YES


def test_private_messages_are_covered_whoever_placed_the_hold():
    assert judged(Scope(query="road"), version(kind="message", private=True)) is Met.YES


@pytest.mark.parametrize("field", ["tag:x", "series:GS-1", "state:gone", "hold:any"])
def test_a_scope_refuses_what_changes_without_the_record_and_says_what_to_write(field: str):
    with pytest.raises(ScopeRefused) as refused:
        Scope(query=f"road {field}").understood()
    assert refused.value.position == 5
    assert refused.value.next


def test_a_scope_that_cannot_be_understood_points_at_the_place():
    with pytest.raises(BadQuery) as refused:
        Scope(query="road AND (closed").understood()
    assert refused.value.position == 9


@pytest.mark.parametrize("more", [{"authors": ("",)}, {"authors": ("Pat", " ")}, {"pages": ("",)}])
def test_an_empty_author_or_page_is_refused_for_nothing_would_be_covered(more: dict[str, tuple[str, ...]]):
    """Placed by a program that leaves a field empty, such a hold would look as if it protected."""
    with pytest.raises(EmptyScope, match="is empty"):
        Scope(query="bridge", **more).asked()  # type: ignore[arg-type]  # a mapping of one of its fields
    assert Scope(query="bridge", **more).understood(), "one that was placed is read as ever"  # type: ignore[arg-type]  # the same


def test_an_empty_scope_is_refused():
    with pytest.raises(EmptyScope):
        Scope().understood()


def test_pages_authors_and_days_narrow_the_query():
    assert judged(Scope(query="road", pages=("Police blog",), authors=("Jane Doe", "Pat"))) is Met.YES
    assert judged(Scope(query="road", pages=("Parks",))) is Met.NO
    assert judged(Scope(query="road", authors=("Pat",))) is Met.NO
    assert judged(Scope(since="2026-03-01", until="2026-03-02")) is Met.YES
    assert judged(Scope(since="2026-03-03")) is Met.NO
    assert judged(Scope(since="2026-03-02", dates="captured"), version(published_at=None)) is Met.YES


def test_days_that_are_none_are_refused():
    with pytest.raises(EmptyScope):
        Scope(since="2026-01-01", dates="someday").understood()


def test_a_scope_comes_back_as_it_was_written():
    scope = Scope(query="road", pages=("a",), authors=("b",), since="2026-01-01", dates="captured")
    assert Scope.of(scope.as_json()) == scope


@pytest.mark.parametrize(
    "query",
    [
        "road",
        "NOT road",
        "date:2026-03 flood",
        "NOT (flood AND date:2026)",
        "kind:post OR #flood",
        "NOT NOT flood",
    ],
)
@pytest.mark.parametrize(
    "told",
    [
        version(),
        version(published_at=None),
        version(text="", media=True),
        version(text="", media=True, published_at=None, lacks=("media_without_text",)),
        version(text="flood", kind="comment"),
    ],
)
def test_whatever_is_covered_is_found_by_the_widest_question(query: str, told: Document):
    tree = Scope(query=query).understood()
    assert tree is not None
    [read] = read_all([told])
    asking = Asking(ZONE, messages=True)
    covered = Judge(tree, ZONE).of([read]) is not Met.NO
    assert not covered or hit(possible(tree), [read], asking), show(possible(tree))
    assert covered or not hit(tree, [read], asking)


# -- what is left of a record ------------------------------------------------------------------------------

MARCH = Left(
    page="1",
    page_name="Police blog",
    platform="blog",
    kind="post",
    since=date(2026, 3, 1),
    until=date(2026, 3, 31),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("flood", Met.UNDECIDED),
        ("NOT flood", Met.UNDECIDED),
        ("kind:comment", Met.NO),
        ("kind:post", Met.YES),
        ('page:"police blog"', Met.YES),
        ("platform:elsewhere flood", Met.NO),
        ("date:2026-03", Met.YES),
        ("date:2026-03-15", Met.UNDECIDED),
        ("date:2025", Met.NO),
        ("NOT date:2025", Met.YES),
        ("author:Pat", Met.UNDECIDED),
    ],
)
def test_of_a_tombstone_page_kind_and_month_are_decided_and_words_are_not(query: str, expected: Met):
    tree = Scope(query=query).understood()
    assert tree is not None
    assert may_have_met(tree, MARCH) is expected


def test_a_tombstone_without_a_month_may_lie_on_any_day():
    tree = Scope(query="date:2025").understood()
    assert tree is not None
    assert may_have_met(tree, Left(page="1", page_name="", platform="blog", kind="post")) is Met.UNDECIDED

"""The search-term report against plain sets, lists as people write them, and the judge against brute force."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.index import drafts, judging, reports
from app.index.declarations import Verdict, verdict
from app.index.engine import QueryNotSupported
from app.index.judging import Read
from app.index.keys import Keys
from app.index.language import BadQuery, parse
from app.index.printer import show
from app.index.questions import Filters, Question
from app.index.reports import Asked, BadQueryList, Line, Mistake
from tests.promises import reference_engine as brute
from tests.promises import test_engines as world

KEYS = st.sets(st.one_of(st.integers(0, 90), st.integers(0, 3_000_000)), max_size=30)
SETS = st.lists(st.sets(st.integers(1, 40), max_size=30), max_size=8)


# -- sets of keys ------------------------------------------------------------------------------------------


@given(KEYS, KEYS)
def test_keys_are_the_sets_that_they_stand_for(one: set[int], other: set[int]):
    mine, theirs = Keys.of(one), Keys.of(other)
    assert list(mine) == sorted(one)
    assert len(mine) == len(one)
    assert bool(mine) is bool(one)
    assert set(mine & theirs) == one & other
    assert set(mine | theirs) == one | other
    assert set(mine - theirs) == one - other
    assert all((key in mine) is (key in one) for key in one | other)
    assert (mine == theirs) is (one == other)


def test_a_million_keys_are_a_hundred_and_twenty_five_kilobytes():
    every = Keys.of(range(1_000_000))
    assert len(every) == 1_000_000
    assert every.bits.bit_length() // 8 < 126_000


# -- what is counted ---------------------------------------------------------------------------------------


def asked_of(sets: Sequence[set[int]]) -> list[Asked]:
    return [
        Asked(Line(number, number, f"q{number}", "q"), "q", (), Keys.of(found))
        for number, found in enumerate(sets, start=1)
    ]


@given(SETS, st.lists(st.integers(0, 7), min_size=41, max_size=41))
def test_every_number_of_a_report_is_that_of_plain_sets(sets: list[set[int]], family_of: list[int]):
    def with_family(hits: Keys) -> int:
        families = {family_of[key] for key in hits}
        return sum(family in families for family in family_of[1:])

    told = reports.tally(asked_of(sets), [], with_family=with_family, as_of=9, behind=0, scope={})
    union = set().union(*sets)
    for place, (row, found) in enumerate(zip(told.rows, sets, strict=True)):
        others = set().union(*(one for at, one in enumerate(sets) if at != place))
        assert (row.hits, row.unique) == (len(found), len(found - others))
        assert row.with_family == sum(
            family_of[key] in {family_of[hit] for hit in found} for key in range(1, 41)
        )
    assert told.totals.hits == len(union)
    assert {(one.first, one.second): one.records for one in told.overlaps} == {
        (first + 1, second + 1): len(sets[first] & sets[second])
        for first in range(len(sets))
        for second in range(first + 1, len(sets))
    }
    matrix = list(reports.matrix(told))
    assert len(matrix) == len(sets) + 1
    assert all(
        matrix[row][column] == matrix[column][row]
        for row in range(1, len(matrix))
        for column in range(1, len(matrix))
    )


# -- lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name", "query", "begins"),
    [
        ("Bridge: bridge OR brücke", "Bridge", "bridge OR brücke", 8),
        ("bridge w/5 closed", "bridge w/5 closed", "bridge w/5 closed", 0),
        ("  Mill Road (2024):   road  ", "Mill Road (2024)", "road", 22),
        ('author:"Jane Doe" flood', 'author:"Jane Doe" flood', 'author:"Jane Doe" flood', 0),
        ('"road: closed"', '"road: closed"', '"road: closed"', 0),
        ("(road OR path: x)", "(road OR path: x)", "(road OR path: x)", 0),
        ("https://town.example/a", "https://town.example/a", "https://town.example/a", 0),
        ("One: date:2024 kind:post", "One", "date:2024 kind:post", 5),
    ],
)  # fmt: skip
def test_a_line_is_a_name_with_its_query_or_the_query_alone(written: str, name: str, query: str, begins: int):
    (one,) = reports.listed(f"\n{written}\r\n\n")
    assert one == Line(1, 2, name, query, begins)


@pytest.mark.parametrize(
    ("written", "column", "length"), [("kind: post", 1, 5), ("Flood date: 2024", 7, 5), ("Flood:", 6, 1)]
)
def test_what_may_be_a_field_or_a_name_is_neither_guessed_nor_passed_over(
    written: str, column: int, length: int
):
    (one,) = reports.listed(written)
    assert isinstance(one, Mistake)
    assert (one.column, one.length) == (column, length)
    assert one.next


@given(st.text(max_size=80))
def test_whatever_a_list_holds_every_line_is_there_once(text: str):
    try:
        found = reports.listed(text)
    except BadQueryList:
        assert not text.strip() or not [line for line in text.splitlines() if line.strip()]
        return
    lines = [one.line if isinstance(one, Mistake) else one for one in found]
    assert [one.line for one in lines] == [
        number for number, line in enumerate(text.splitlines(), start=1) if line.strip()
    ]
    assert all(one.query in text for one in lines)


def test_a_mistake_stands_at_its_place_in_the_line():
    (line,) = reports.listed("Bridge: bridge NEAR road")
    assert isinstance(line, Line)
    with pytest.raises(BadQuery) as refused:
        parse(line.query)
    told = reports.misread(line, refused.value)
    written = "Bridge: bridge NEAR road"
    assert written[told.column - 1 : told.column - 1 + told.length] == "NEAR"
    assert "at character" not in told.what
    assert told.next.startswith("Write road w/5")
    part = reports.unanswered(line, QueryNotSupported("road", "a test"))
    assert written[part.column - 1 : part.column - 1 + part.length] == "road"


def test_a_list_has_queries_and_not_too_many():
    for text in ("", " \n\t\n"):
        with pytest.raises(BadQueryList, match="no query"):
            reports.listed(text)
    assert len(reports.listed("a\n" * reports.MOST_QUERIES)) == reports.MOST_QUERIES
    with pytest.raises(BadQueryList, match="301"):
        reports.listed("a\n" * (reports.MOST_QUERIES + 1))
    with pytest.raises(BadQueryList, match="byte 4"):
        reports.read("caf\xe9".encode("latin-1"))
    assert reports.read(b"\xef\xbb\xbfcaf\xc3\xa9") == "café"


def test_filters_are_those_of_the_doors_and_nothing_empty():
    kept = Filters.of({"page": " Town ", "from": "2024-01", "kind": "", "colour": "red"})
    assert kept == Filters(page="Town", since="2024-01")
    assert Filters.of(kept.as_json()) == kept
    assert show(Question("", kept).understood().tree) == "* AND page:Town AND date:>=2024-01-01"


# -- the judge ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_the_judge_reads_every_question_as_brute_force_does(seed: int):
    chance = random.Random(seed)
    for record in range(1, 9):
        documents = world.some_versions(chance, record)
        read = [Read(one) for one in documents]
        for _ in range(40):
            tree = world.a_tree(chance)
            for scope in (world.PUBLIC, world.ALL):
                expected = any(
                    (scope.messages or not one.private)
                    and brute.meets(tree, one, scope, current=one is documents[-1])
                    for one in documents
                )
                assert judging.hit(tree, read, scope) is expected, show(tree)
                loose = judging.whichever_is_current(tree)
                assert not judging.asks_for_current(loose)
                assert not expected or judging.hit(loose, read, scope), show(tree)


def test_the_judge_refuses_what_versions_do_not_have():
    with pytest.raises(QueryNotSupported, match="tag"):
        judging.must_be_known(parse("road AND NOT tag:x").tree)
    judging.must_be_known(parse("road AND version:current").tree)
    with pytest.raises(QueryNotSupported):
        judging.hit(parse("tag:x").tree, [Read(world.a_document(1))], world.ALL)


# -- declarations ------------------------------------------------------------------------------------------


def test_a_verdict_is_same_fewer_as_disposals_explain_or_different():
    assert verdict((3, "a"), (3, "a"), 0) is Verdict.SAME
    assert verdict((3, "a"), (3, "a"), 5) is Verdict.SAME
    assert verdict((3, "a"), (1, "b"), 2) is Verdict.DISPOSED
    assert verdict((3, "a"), (1, "b"), 1) is Verdict.DIFFERS
    assert verdict((3, "a"), (3, "b"), 9) is Verdict.DIFFERS
    assert verdict((3, "a"), (4, "b"), 9) is Verdict.DIFFERS


def test_a_draft_never_says_that_it_was_signed():
    said = " ".join(drafts.NOT_SAID) + drafts.MARK
    assert "NOT SIGNED" in said
    assert "under penalty" not in said

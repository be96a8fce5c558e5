"""Questions in OpenSearch's language: what is exact, what is judged, and that nothing is ever left out by the way."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest

from app.index.documents import PLACES
from app.index.engine import QueryNotSupported
from app.index.keys import Keys
from app.index.language import parse
from app.index.opensearch_compile import (
    EVERYTHING,
    NOTHING,
    Compiler,
    Query,
    all_of,
    any_of,
    check_known,
    must_be_judged,
    native,
    one_of,
    superset,
    visible,
)
from app.index.opensearch_layout import (
    GAP,
    LONGEST_WORD,
    MOST_TERMS,
    bounded,
    identity,
    laid,
    mapping,
    settings,
)
from app.index.tree import (
    Address,
    All,
    Among,
    DateRange,
    Exactly,
    Field,
    Fuzzy,
    In,
    Near,
    Not,
    Or,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
    both,
)
from tests.promises.test_engines import ALL, PUBLIC, a_document, a_tree


def in_text(tree: Tree) -> Query | None:
    """What is written for the text alone."""
    return native(In("text", tree))


def nobody(tree: Tree, _: Query) -> Sequence[int]:
    raise AssertionError(f"{tree} was judged")


def compiled(tree: Tree) -> Query:
    return Compiler(PUBLIC, nobody, any_apart=False).query(tree, EVERYTHING)


@pytest.mark.parametrize(
    ("tree", "written"),
    [
        (Term("road"), {"term": {"text.words": {"value": "road"}}}),
        (Wild("cl?s*"), {"wildcard": {"text.words": {"value": "cl?s*", "rewrite": "constant_score"}}}),
        (Wild("road"), {"term": {"text.words": {"value": "road"}}}),
        (Stem("closing"), {"term": {"text.stems": {"value": "close"}}}),
        (Tag("flood"), {"term": {"text.sigils": {"value": "#flood"}}}),
        (Tag("fl*"), {"wildcard": {"text.sigils": {"value": "#fl*", "rewrite": "constant_score"}}}),
        (Address("https://a.b"), {"term": {"text.sigils": {"value": "https://a.b"}}}),
        (
            Address("https://a\\?", prefix=True),
            {"prefix": {"text.sigils": {"value": "https://a\\?", "rewrite": "constant_score"}}},
        ),
        (
            Phrase((Term("road"), Term("closed"))),
            {"match_phrase": {"text.words": {"query": "road closed", "analyzer": "divided", "slop": 0}}},
        ),
        (
            Pre(3, Term("road"), Or((Term("open"), Term("closed")))),
            {
                "span_near": {
                    "clauses": [
                        {"span_term": {"text.words": {"value": "road"}}},
                        {
                            "span_or": {
                                "clauses": [
                                    {"span_term": {"text.words": {"value": "open"}}},
                                    {"span_term": {"text.words": {"value": "closed"}}},
                                ]
                            }
                        },
                    ],
                    "slop": 2,
                    "in_order": True,
                }
            },
        ),
    ],
)
def test_what_is_exact_is_written_as_it_is(tree, written):
    assert in_text(tree) == written


def test_words_like_another_are_all_taken_and_not_the_best_of_them():
    told = in_text(Fuzzy("closed", 2))
    assert told is not None
    assert told["fuzzy"]["text.words"]["rewrite"] == "constant_score"
    assert told["fuzzy"]["text.words"]["fuzziness"] == 2
    assert native(Fuzzy("x" * 41, 2)) is None  # of a very long word, pieces
    assert all("wildcard" in one for one in superset(In("alt", Fuzzy("abcde" * 10, 1)))["bool"]["should"])


@pytest.mark.parametrize(
    "query",
    [
        '"road clos*"',
        "road w/3 road",
        "(a w/3 b) w/2 c",
        '"a b" w/3 c',
        "road w/3 clos*",
        "(a OR road) w/3 (road OR b)",
        "#flood w/3 road",
    ],
)
def test_what_the_cluster_cannot_tell_is_judged(query):
    tree = parse(query).tree
    assert native(tree) is None
    assert must_be_judged(tree)
    assert must_be_judged(Not(both(In("alt", tree), Term("x"))))
    with pytest.raises(AssertionError, match="judged"):
        compiled(tree)


@pytest.mark.parametrize(
    "query",
    ["road", "road AND NOT closed", '"road closed"', "road w/3 closed", "clos* OR #x", "alt:(a w/2 b)"],
)
def test_what_the_cluster_can_tell_is_not(query):
    tree = parse(query).tree
    assert not must_be_judged(tree)
    assert compiled(tree)


def test_a_proximity_that_would_reach_into_the_next_passage_is_judged():
    assert native(Near(GAP - 1, Term("road"), Term("closed"))) is not None
    assert native(Near(GAP, Term("road"), Term("closed"))) is None


def test_a_word_is_looked_for_in_every_place_or_in_one():
    everywhere = native(Term("road"))
    assert everywhere is not None
    assert [next(iter(one["term"])) for one in everywhere["bool"]["should"]] == [f"{p}.words" for p in PLACES]
    assert native(In("alt", Term("road"))) == {"term": {"alt.words": {"value": "road"}}}


def test_what_must_be_judged_is_asked_for_last_and_only_among_the_rest():
    asked: list[Query] = []

    def judge(_: Tree, candidates: Query) -> Sequence[int]:
        asked.append(candidates)
        return [7]

    tree = parse('"road clos*" kind:post NOT state:gone').tree
    found = Compiler(PUBLIC, judge, any_apart=False).query(tree, EVERYTHING)
    (candidates,) = asked
    assert {"term": {"kind": {"value": "post"}}} in list(below(candidates))
    assert {"term": {"state": {"value": "gone"}}} in list(below(candidates))
    assert {"terms": {"key": [7]}} in list(below(found))


def test_documents_that_the_cluster_never_took_are_judged_for_every_word():
    asked: list[Query] = []

    def judge(_: Tree, candidates: Query) -> Sequence[int]:
        asked.append(candidates)
        return [9]

    found = Compiler(PUBLIC, judge, any_apart=True).query(Not(Term("road")), EVERYTHING)
    assert len(asked) == 1
    assert {"terms": {"key": [9]}} in list(below(found))


def below(query: Any) -> Iterator[Any]:
    yield query
    parts = query.values() if isinstance(query, dict) else query if isinstance(query, list) else ()
    for part in parts:
        yield from below(part)


def test_a_lone_exclusion_stands_beside_everything():
    assert all_of(but_not=[EVERYTHING]) == {"bool": {"filter": [EVERYTHING], "must_not": [EVERYTHING]}}
    assert any_of() == NOTHING
    for seed in range(300):
        tree = a_tree(random.Random(seed))
        query = Compiler(PUBLIC, lambda *_: [], any_apart=False).query(tree, EVERYTHING)
        for part in below(query):
            if isinstance(part, dict) and "bool" in part:
                assert part["bool"].keys() >= {"filter"} or part["bool"].keys() >= {"should"}, tree


def test_sets_of_any_size_are_asked_for_in_parts_that_the_cluster_takes():
    parts = one_of("key", range(MOST_TERMS * 2 + 1))["bool"]["should"]
    assert [len(part["terms"]["key"]) for part in parts] == [MOST_TERMS, MOST_TERMS, 1]
    assert one_of("key", []) == NOTHING


@pytest.mark.parametrize(
    ("keys", "written"),
    [
        (set(), NOTHING),
        ({5}, {"terms": {"record": [5]}}),
        (
            {1, 2, 3, 5},
            {
                "bool": {
                    "filter": [{"range": {"record": {"lt": 6}}}],
                    "must_not": [{"terms": {"record": [0, 4]}}],
                }
            },
        ),
    ],
)
def test_a_set_that_is_most_of_the_archive_is_asked_for_by_what_is_missing(keys, written):
    assert compiled(Among(Field("tag", "x"), Keys.of(keys))) == written


def test_facts_and_dates_are_written_as_they_are_kept():
    assert compiled(Field("page", "Town POLICE")) == {"term": {"page": {"value": "town police"}}}
    assert compiled(Field("has", "alt")) == {"term": {"places": {"value": "alt"}}}
    assert compiled(Field("unsearchable", "any")) == {"term": {"lacks": {"value": "any"}}}
    assert compiled(DateRange(None, date.max)) == {"range": {"published": {"gte": -(2**60)}}}
    assert compiled(Exactly(frozenset({(2, 1)}))) == {"terms": {"key": [2 << 24 | 1]}}
    assert compiled(All()) == EVERYTHING
    begins = compiled(DateRange(date(2024, 1, 1), date(2024, 1, 1)))["range"]["published"]
    assert begins["lt"] - begins["gte"] == 24 * 3_600_000_000


def test_private_messages_are_left_out_unless_they_may_be_read():
    assert visible(PUBLIC)["bool"]["must_not"] == [{"term": {"private": {"value": True}}}]
    assert visible(ALL) == EVERYTHING


def test_what_no_version_has_is_refused_by_name():
    with pytest.raises(QueryNotSupported, match="tag:x"):
        check_known(Not(Field("tag", "x")))
    with pytest.raises(QueryNotSupported):
        native(Wild("a" * 1001 + "*"))
    check_known(Among(Field("tag", "x"), Keys()))


# ---- how documents lie -------------------------------------------------------------------------------------------


def test_every_field_of_a_document_is_in_the_mapping():
    """The mapping is strict: what it does not name would be refused."""
    document = a_document(1, "road #flood", author=("x",), language="en", lacks=("scanned",))
    made = laid(document, current=True, born=3)
    known = mapping("opensearch")["properties"]
    assert set(made) <= set(known)
    assert set(made["text"]) == set(known["text"]["properties"])


def test_a_word_longer_than_a_term_is_kept_apart_and_one_that_fits_is_not():
    def apart(length: int) -> bool:
        return bool(laid(a_document(1, "road " + "警x" + "x" * (length - 1)), current=True, born=1)["apart"])

    assert not apart(LONGEST_WORD)
    assert apart(LONGEST_WORD + 1)
    tokenizer = settings(shards=1, replicas=0)["index"]["analysis"]["tokenizer"]["divided"]
    assert tokenizer["max_token_length"] >= 2 * LONGEST_WORD  # Java counts two for what lies above U+FFFF
    assert LONGEST_WORD * 4 <= 32_766  # bytes


def test_a_document_of_another_commit_has_another_name():
    assert identity(a_document(1), 3) != identity(a_document(1), 4)
    assert identity(a_document(1, version=2), 3) != identity(a_document(12, version=1), 3)


def test_a_value_longer_than_a_term_is_told_from_every_other():
    assert bounded("x" * 2000) != bounded("x" * 1999 + "y")
    assert len(bounded("x" * 2000)) < 1000

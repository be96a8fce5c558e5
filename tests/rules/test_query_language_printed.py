"""What is printed reads back as the same question, whatever it is."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.index.analyser import is_single, normalised, words
from app.index.documents import PLACES
from app.index.language import BadQuery, parse
from app.index.printer import explain, show
from app.index.tree import (
    Address,
    All,
    CapturedRange,
    DateRange,
    Field,
    Fuzzy,
    In,
    Mention,
    Near,
    Not,
    Or,
    Part,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
    both,
    either,
)

plain_words = st.sampled_from(
    [
        "a",
        "road",
        "and",
        "or",
        "not",
        "w",
        "pre",
        "50",
        "_x",
        "strasse",
        "i\u0307x",
        "警",
        "ー",
        "ท",
        "😂",
        "👍🏽",
        "🇺🇸",
        "हिन्दी",
    ]
)
lettered = st.sampled_from(["road", "strasse", "i\u0307x", "हिन्दी"])
patterns = st.sampled_from(["clos*", "*burg", "cl?sed", "a*b?c", "*x*"])
names = st.sampled_from(["flood", "警察", "flo*", "f?o", "_"])
terms = st.builds(Term, plain_words)
parts: st.SearchStrategy[Part] = st.one_of(
    terms,
    st.builds(Wild, patterns),
    st.builds(Tag, names),
    st.builds(Mention, st.sampled_from(["user", "user@host.example", "name.b-c", "us*"])),
    st.builds(Address, st.sampled_from(["https://town.example/a?b=c", "http://a.b/#x"])),
)
loose: st.SearchStrategy[Tree] = st.one_of(
    parts,
    st.builds(Phrase, st.lists(parts, min_size=2, max_size=4).map(tuple)),
    st.builds(Fuzzy, lettered, st.sampled_from([1, 2])),
    st.builds(Stem, lettered),
    st.builds(Wild, st.sampled_from(["clos?", "?", "?los?"])),
    st.builds(Address, st.sampled_from(["https://town.example/"]), st.just(value=True)),
)
joinable = st.recursive(
    loose,
    lambda below: st.one_of(
        st.builds(Near, st.integers(1, 10_000), below, below),
        st.builds(Pre, st.integers(1, 10_000), below, below),
        st.builds(either, below, below),
    ),
    max_leaves=6,
)
days = st.dates()
ranges = st.one_of(
    st.tuples(days, st.none()),
    st.tuples(st.none(), days),
    st.tuples(days, days).map(lambda two: (min(two), max(two))),
)
values = st.one_of(st.text(min_size=1), st.text(alphabet='a"\\ “”()*?:>.', min_size=1)).filter(
    lambda value: value == value.strip()
)
facts: st.SearchStrategy[Tree] = st.one_of(
    st.builds(
        Field, st.sampled_from(["author", "page", "platform", "series", "tag", "lang", "hold"]), values
    ),
    st.builds(Field, st.just("state"), st.sampled_from(["gone", "hidden"])),
    ranges.map(lambda two: DateRange(*two)),
    ranges.map(lambda two: CapturedRange(*two)),
    st.just(All()),
    st.builds(In, st.sampled_from(PLACES), joinable.filter(lambda tree: not isinstance(tree, Or))),
)
trees: st.SearchStrategy[Tree] = st.recursive(
    st.one_of(joinable, facts),
    lambda below: st.one_of(
        st.builds(both, below, below), st.builds(either, below, below, below), st.builds(Not, below)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(trees)
@example(both(Term("and"), Term("not")))
@example(DateRange(date(1, 1, 1), None))
def test_what_is_printed_reads_back_as_the_same_question(tree):
    assert parse(show(tree)).tree == tree
    assert explain(tree)["is"]


@settings(deadline=None)
@given(st.text(alphabet='ab 警😂#@*?~%"“”()ANDORTw/5pre:.-’https', max_size=30))
@example("5:@?")
@example('"*"')
def test_whatever_is_understood_is_said_back_as_the_same_question(query):
    with suppress(BadQuery):
        tree = parse(query).tree
        assert parse(show(tree)).tree == tree


@settings(deadline=None)
@given(st.text(alphabet='ab 警#*?~"()w/5altexOR:', max_size=30).map(lambda text: f"alt:{text}"))
@example("alt:(a OR NOT b)")
def test_whatever_is_asked_of_a_place_is_said_back_as_the_same_question(query):
    with suppress(BadQuery):
        tree = parse(query).tree
        assert parse(show(tree)).tree == tree


@settings(deadline=None)
@given(st.text())
def test_any_text_is_either_understood_or_refused_at_a_place_in_it(query):
    found = understood(query)
    if isinstance(found, BadQuery):
        assert 0 <= found.position <= len(query)
        assert 0 <= found.length <= len(query) - found.position
    else:
        assert parse(show(found)).tree == found


def understood(query: str) -> Tree | BadQuery:
    try:
        return parse(query).tree
    except BadQuery as refused:
        return refused


@settings(deadline=None)
@given(st.text(alphabet="abcé漢ท😂 .,'-", min_size=1))
def test_a_quoted_text_is_the_phrase_of_its_words(text):
    expected = words(text)
    if expected:
        tree = parse(f'"{text}"').tree
        found = tree.parts if isinstance(tree, Phrase) else (tree,)
        assert found == tuple(Term(word) for word in expected)


@settings(deadline=None)
@given(plain_words)
def test_the_words_of_these_tests_are_words(word):
    assert words(word) == [word] == [normalised(word)]
    assert is_single(word) == (word in {"警", "ー", "ท", "😂", "👍🏽", "🇺🇸"})

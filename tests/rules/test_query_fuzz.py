"""Whatever is typed, the parser answers: with a tree that reads back as itself, or with the place of the mistake. It never fails, and never hangs."""

from __future__ import annotations

import faulthandler
import os
import random
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence

import pytest

from app.index import search, spans
from app.index.documents import PLACES
from app.index.language import CHOICES, FIELDS, BadQuery, parse
from app.index.printer import explain, show
from app.index.tree import Tree, everything_in

_SLOWEST = 2.0
"""Seconds of the processor's time: a question of a few hundred characters takes a thousandth of that."""
_SECONDS = float(os.environ.get("MUNIMENT_FUZZ_SECONDS", "600"))

_PIECES = [
    *("a", "road", "closed", "é", "ẞ", "ﬁ", "警", "ท", "😂", "👍🏽", "🇺🇸", "©️", "हिन्दी", "i̇", "\u200d", "\ufe0f", "\x00", "\ud800"),
    *(" ", "  ", "\n", "\t", "\u3000", "(", ")", "((", "))", '"', "“", "”", "„", "＂", "'", "’"),
    *("AND", "OR", "NOT", "and", "or", "not", "w/5", "pre/3", "W/1", "w/0", "w/99999", "w/５", "near/2", "/s", "&&", "||", "!"),
    *("*", "?", "~", "%", "%%", "~2", "^2", "#", "@", "#flood", "@a@b.c", "https://a.b/c?d=e", "http://", "://", ":", "::", "//"),
    *("date:", "captured:", "2024", "2024-01-01..2024-03-31", ">=2024-01", "<", "..", "[", "]", "{", "TO", "\\", '\\"', "-", "+", "_"),
    *(f"{field}:" for field in FIELDS),
    *(f"{field}:{value}" for field, values in CHOICES.items() for value in values),
]  # fmt: skip
_WELL_FORMED = [
    "a", "road", "closed", "é", "警察", "😂", "don't", "#flood", "@a@b.c", "https://a.b/(c)?d=%20e", "clos*", "cl?sed", "closed~", "closd%",
    '"road closed"', "date:2024", "kind:post", "(a OR b)",
]  # fmt: skip
_HABITS = [
    "a NOT w/5 b", "clos!", "'a b'", "a +5 b", "-a", "–a", "a AROUND(3) b", "a[0]", "1..2", "/a/", "a(b)", '"a"*', "a * b", "a==", "author=a", "~a", "%a%", "a~~",
    "https://*.b/c", '"near5" w/3 "not"', "«a b»", "a\\:b", "##a", "date:2024 TO 2025",
]  # fmt: skip
_SEEDS = [
    *_HABITS,
    'flood (road OR "bridge closed") NOT date:2024',
    '(a w/3 b) pre/8 ("c d" OR e*) author:"Jane \\"J\\" Doe"',
    "alt:(road w/5 closed) OR attachment:https://a.b/c* AND NOT title:#flo?",
    "closed~ closd%% cl?sed *burg don't U.S. 警察 😂😂",
]


def by_grammar(chance: random.Random, depth: int = 4) -> str:
    """A question that is well formed most of the time."""
    kind = chance.random()
    if depth and kind < 0.25:
        return (
            by_grammar(chance, depth - 1)
            + chance.choice([" ", " AND ", " OR ", " AND NOT "])
            + by_grammar(chance, depth - 1)
        )
    if depth and kind < 0.35:
        return f"({by_grammar(chance, depth - 1)})"
    if depth and kind < 0.5:
        return f"({by_grammar(chance, depth - 1)}) {chance.choice(['w', 'pre'])}/{chance.randint(0, 12)} {by_grammar(chance, 0)}"
    if kind < 0.6:
        return f"{chance.choice(PLACES)}:{by_grammar(chance, max(0, depth - 1))}"
    if kind < 0.7:
        return '"' + " ".join(chance.choices(_PIECES[:18], k=chance.randint(1, 4))) + '"'
    return chance.choice(_WELL_FORMED if chance.random() < 0.8 else _PIECES)


def mutated(chance: random.Random, query: str) -> str:
    """The same with something put in, left out, doubled or swapped."""
    for _ in range(chance.randint(1, 4)):
        at, to = sorted((chance.randint(0, len(query)), chance.randint(0, len(query))))
        kind = chance.randrange(4)
        if kind == 0:
            query = query[:at] + chance.choice(_PIECES) + query[at:]
        elif kind == 1:
            query = query[:at] + query[to:]
        elif kind == 2:
            query = query[:to] + query[at:to] + query[to:]
        else:
            query = (
                query[:at]
                + chr(
                    chance.choice(
                        [chance.randrange(128), chance.randrange(0x3000), chance.randrange(0x110000)]
                    )
                )
                + query[at:]
            )
    return query[:2_000]


def a_question(chance: random.Random, interesting: Sequence[str]) -> str:
    kind = chance.random()
    if kind < 0.3:
        return by_grammar(chance)
    if kind < 0.5:
        return "".join(chance.choices(_PIECES, k=chance.randint(1, 30)))
    return mutated(chance, chance.choice(interesting))


def understood(query: str) -> Tree | BadQuery:
    try:
        return parse(query).tree
    except BadQuery as refused:
        return refused


def must_answer(query: str) -> set[str]:
    """Ask the parser, hold its answer to what it promises, and say what sorts of parts or of mistake there were."""
    began = time.process_time()
    tree = understood(query)
    if isinstance(tree, BadQuery):
        assert 0 <= tree.position <= len(query), repr(query)
        assert 0 <= tree.length <= len(query) - tree.position, repr(query)
        assert time.process_time() - began < _SLOWEST, f"slow: {query!r}"
        return {f"refused: {tree.next[:16]}"}
    printed = show(tree)
    # Folding may leave what NFKC would join (ẞ with a dot above): such a word is the same in text and in question,
    # and cannot be written down so that it is read as it stands.
    if unicodedata.is_normalized("NFKC", printed):
        assert parse(printed).tree == tree, repr(query)
    explain(tree)
    search.highlight(tree, "The road is closed, 警察 #flood @a@b.c https://a.b/c?d=e 😂")
    assert time.process_time() - began < _SLOWEST, f"slow: {query!r}"
    spans.marked(tree, spans.read("a b"))
    return {type(part).__name__ for part in everything_in(tree)}


def fuzzed(chance: random.Random, number: int | None, until: float | None) -> Counter[str]:
    """Ask so many questions, or until that moment; an answer of a new sort becomes a seed."""
    interesting, sorts, asked = list(_SEEDS), Counter[str](), 0
    while (number is None or asked < number) and (until is None or time.monotonic() < until):
        query = a_question(chance, interesting)
        found = must_answer(query)
        asked += 1
        if until is not None and asked % 1_000 == 1:  # from here on, one that hangs says where
            faulthandler.dump_traceback_later(120, exit=True, file=2)
        sorts.update(found)
        if len(query) < 300 and any(sorts[sort] <= 5 for sort in found):
            interesting.append(query)
    if until is not None:
        faulthandler.cancel_dump_traceback_later()
    sorts["questions"] = asked
    return sorts


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_typed_is_understood_or_refused_at_its_place(seed):
    sorts = fuzzed(random.Random(seed), 1_500, None)
    assert {"And", "Or", "Not", "Near", "In", "Phrase", "Term"} <= sorts.keys()
    assert len(sorts) > 35  # mistakes of many sorts, each shown at its place


@pytest.mark.parametrize(
    "query",
    [
        "(" * 99 + "a" + ")" * 99,
        "a w/5 (" * 90 + "b" + ")" * 90,
        "alt:(" * 90 + "b" + ")" * 90,
        '"' * 2_001,
        "a*" * 10_000,
        "#" * 50_000,
        "@a" * 20_000,
        "https://" * 10_000,
        "author:" + "\\" * 20_000,
        "🇺" * 20_000,
        "e" + "\u0301" * 50_000,
        "date:" + "9" * 50_000,
        "~" * 50_000 + "%" * 49_000,
        "w/" + "5" * 50_000,
        ":" * 99_999,
    ],
    ids=range(15),
)
def test_a_question_made_to_be_slow_is_answered_all_the_same(query):
    must_answer(query)


@pytest.mark.parametrize("query", ["i\u200d?\ufe0f?n", '"a ?\u0301??\ufe0f?b?"'])
def test_a_sign_that_stands_behind_a_mark_alone_is_read_as_it_is_when_said_back(query):
    must_answer(query)


@pytest.mark.soak
def test_ten_minutes_of_anything_find_no_crash_and_no_hang(capsys):
    seed = int(os.environ.get("MUNIMENT_FUZZ_SEED", random.randrange(1 << 32)))
    with capsys.disabled():
        print(
            f"\nseed {seed}, {_SECONDS:,.0f} seconds", flush=True
        )  # before anything is found: it finds it again
    sorts = fuzzed(random.Random(seed), None, time.monotonic() + _SECONDS)
    asked = sorts.pop("questions")
    with capsys.disabled():
        print(f"{asked:,} questions, {len(sorts)} sorts of answers; {sorts.most_common(40)}")
    assert len(sorts) > (35 if asked > 5_000 else 0)  # trees and mistakes of many sorts

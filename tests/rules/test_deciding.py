"""A question that is prepared for many texts decides as `spans` does, and refuses what would take minutes."""

from __future__ import annotations

import random
from itertools import product

import pytest

from app.index.analyser import Sigil
from app.index.deciding import Decider, QueryTooWide
from app.index.language import parse
from app.index.spans import Words, met
from app.index.tree import (
    Address,
    Fuzzy,
    In,
    Mention,
    Near,
    Or,
    Part,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
)

WORDS = ("a", "ab", "abc", "closed", "closing", "road", "roads", "b", "ba")


def a_part(chance: random.Random) -> Part:
    word = chance.choice(WORDS)
    kind = chance.randrange(10)
    if kind < 5:
        return Term(word)
    return (
        Wild(f"{word[0]}*"),
        Wild(f"*{word[-1]}"),
        Fuzzy(word, chance.choice((1, 2))),
        Stem(word),
        Tag(word),
    )[kind - 5]


def a_tree(chance: random.Random, depth: int = 3) -> Tree:
    kind = chance.randrange(6 if depth else 1)
    if kind < 1:
        return a_part(chance)
    if kind == 1:
        return Phrase(tuple(a_part(chance) for _ in range(chance.randint(2, 3))))
    if kind == 2:
        return Or(tuple(a_tree(chance, depth - 1) for _ in range(chance.randint(2, 6))))
    pair = (chance.randint(1, 4), a_tree(chance, depth - 1), a_tree(chance, depth - 1))
    return Near(*pair) if kind < 5 else Pre(*pair)


def a_text(chance: random.Random) -> Words:
    words = [chance.choice(WORDS) for _ in range(chance.randint(0, 14))]
    sigils = []
    for at, word in enumerate(words):
        if chance.random() < 0.2:
            sigils.append(Sigil(f"{chance.choice('#@')}{word}", at, at + chance.randint(0, 1)))
    return Words(words, sigils)


@pytest.mark.parametrize("seed", range(8))
def test_a_prepared_question_is_met_where_the_plain_judge_meets_it(seed: int):
    chance = random.Random(seed)
    hits = 0
    for _ in range(150):
        tree = a_tree(chance)
        tree = In("alt", tree) if chance.random() < 0.2 else tree
        prepared = Decider(tree)
        for _ in range(15):
            told = [(chance.choice(("text", "alt")), a_text(chance)) for _ in range(chance.randint(1, 2))]
            assert prepared.met(told) == met(tree, told), (tree, told)
            hits += met(tree, told)
    assert 300 < hits < 2_000


def test_mentions_and_addresses_are_met_as_the_plain_judge_meets_them():
    words = Words(
        ["see", "jane", "https", "a", "example"], [Sigil("@jane", 1, 2), Sigil("https://a.example/", 2, 5)]
    )
    for tree in (
        Mention("jane"),
        Mention("joe"),
        Address("https://a.example/"),
        Address("https://a", prefix=True),
    ):
        for whole in (tree, Near(1, Term("see"), tree), Near(2, tree, Term("see"))):
            assert Decider(whole).met([("text", words)]) == met(whole, [("text", words)])


MANY = "(" + " OR ".join(f"w{number}" for number in range(4_000)) + ")"


@pytest.mark.parametrize(
    "query",
    [
        f"{MANY} w/5 road",
        f"{MANY} w/5 {MANY.replace('w', 'v')}",
        f"({MANY} w/5 road) w/8 closed",
        "(" + " OR ".join(f'"w{number} road"' for number in range(2_000)) + ") w/5 closed",
        "(" + " OR ".join(f"(w{number} w/3 v{number})" for number in range(2_000)) + ") w/5 closed",
        "(" + " OR ".join(f"w{number}*" for number in range(2_000)) + ") w/5 closed",
    ],
)
def test_a_long_list_of_words_costs_no_more_than_a_short_one(query: str):
    text = [("text", Words(["the", "road", "by", "w77", "v77", "was", "closed", "then"]))]
    prepared = Decider(parse(query).tree, most=1_000)
    for _ in range(5_000):  # with each word held against each text this would take minutes
        prepared.met(text)
    assert prepared.met(text) == met(parse(query).tree, text)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("((a w/1000 b) w/1000 c) w/1000 nowhere", ["a", "b", "c"] * 3_000),
        ("(*x*y*z* OR *z*y*x*) w/5 road", [f"w{number}" for number in range(40_000)]),
        ("(abcdef%% OR fedcba%%) w/5 road", ["ab" + "".join(signs) for signs in product("cdefgh", repeat=4)]),
    ],
)
def test_what_would_take_minutes_is_refused_and_never_guessed(query: str, words: list[str]):
    tree = parse(query).tree
    with pytest.raises(QueryTooWide) as refused:
        Decider(tree, most=50_000).met([("text", Words([*words, "road"]))])
    assert refused.value.code == "query-too-wide"
    assert "smaller distance" in str(refused.value.next)
    assert len(str(refused.value)) < 400
    assert Decider(tree, most=50_000).met([("text", Words(words[:9]))]) == met(
        tree, [("text", Words(words[:9]))]
    )


def test_the_distance_alone_makes_no_question_too_wide():
    text = [("text", Words(["a", "b"] * 20_000 + ["c"]))]
    assert Decider(parse("a w/1000 b").tree, most=1_000).met(text)
    assert Decider(parse("(a w/1000 b) w/1 c").tree, most=1_000).met(text)
    assert Decider(parse("(b pre/1000 c) w/1 a").tree, most=1_000).met(text)
    assert not Decider(parse("(b pre/1000 c) w/1 nowhere").tree, most=1_000).met(text)

"""What is marked in a text: wholly, and as far as an excerpt of a long one needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.index.language import parse
from app.index.search import first_places, highlight
from app.index.spans import Words, marked, marks, reach_of
from app.web.finding import excerpt

ROOM = 60
QUESTIONS = (
    "road", "clos*", "road closed", "road AND NOT closed", '"road closed"', '"road clos*"', "road w/3 closed",
    "(road OR bridge) w/2 (closed pre/3 crew)", "crew pre/1 road", "closed~", "raod%", "#road", "road #closed",
    "text:road", "alt:road", "(road w/9 crew) OR bridge", "NOT road",
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "road",
        "closed",
        "closing",
        "bridge",
        "crew",
        "and",
        "é",
        "e\u0301",
        "#road",
        "#closed",
        "x" * 30,
        "道路",
        "\n",
        "ﬁn",
    ]
)


@given(st.sampled_from(QUESTIONS), st.lists(WORDS, max_size=120), st.integers(1, 200))
def test_an_excerpt_of_a_long_text_is_marked_as_if_all_of_it_had_been_read(question, words, part):
    tree, text = parse(question).tree, " ".join(words)
    whole, first = highlight(tree, text), first_places(tree, text, ROOM, part=part)
    assert first[:1] == whole[:1]
    end = whole[0][0] + ROOM if whole else 0
    assert [one for one in first if one[1] <= end] == [one for one in whole if one[1] <= end]


def test_no_more_of_a_text_is_read_than_the_excerpt_takes():
    text = "road closed " * 10_000
    first = first_places(parse("road w/3 closed").tree, text, 420)
    assert 420 < first[-1][1] < 6_000
    assert excerpt(text, first) == excerpt(text, highlight(parse("road w/3 closed").tree, text))


def test_a_text_whose_first_place_stands_at_its_end_is_read_to_its_end():
    text = "word " * 20_000 + "road closed"
    assert first_places(parse('"road closed"').tree, text, 420) == [(100_000, 100_011)]


@pytest.mark.parametrize(
    ("question", "reach"),
    [("road", 1), ('"road closed now"', 3), ("road w/5 closed", 7), ("(a w/5 b) pre/9 c", 17), ("a OR (b w/2 c)", 4), ("#road", None), ("road AND @desk", None), ("page:x", 0)],
)  # fmt: skip
def test_how_far_a_question_reaches(question, reach):
    assert reach_of(parse(question).tree) == reach


@pytest.mark.parametrize("question", ["page:x AND NOT road", "NOT road", "date:2026", "*"])
def test_what_marks_nothing_is_known_beforehand(question):
    assert not marks(parse(question).tree)


@pytest.mark.parametrize("question", ["road", "page:x AND road", "NOT (a) OR #b", "alt:road"])
def test_what_may_mark_is_known_beforehand(question):
    assert marks(parse(question).tree)


class Counted(list[str]):
    """Words that count how often they are walked through."""

    walks = 0

    def __iter__(self) -> Iterator[str]:
        self.walks += 1
        return super().__iter__()


@pytest.mark.parametrize(
    "query", ["{}", "{} w/2 road", "road pre/3 ({} OR (by w/2 way))", "alt:({} w/2 road)"]
)
def test_a_long_list_of_words_is_marked_without_walking_through_a_text_for_each(query: str):
    names = [
        f"{sign}{number}{rest}"
        for number in range(200)
        for sign, rest in (("w", ""), ("w", "x*"), ("v", "~"))
    ]
    many = parse(query.format("(" + " OR ".join(names) + ")")).tree
    few = parse(query.format("(w7 OR w8x* OR v9~)")).tree
    words = Counted(["a", "road", "by", "w7", "and", "w8xyz", "road", "v9", "way"])
    found = marked(many, Words(words), "alt")
    assert found == marked(few, Words(list(words)), "alt") != set()
    assert words.walks < 30

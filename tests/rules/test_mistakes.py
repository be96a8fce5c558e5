"""A mistake in a question is drawn under the right character, whatever stands before it."""

from __future__ import annotations

import pytest

from app.index import mistakes
from app.index.language import BadQuery, parse


def refused(query: str) -> BadQuery:
    with pytest.raises(BadQuery) as error:
        parse(query)
    return error.value


@pytest.mark.parametrize(
    ("query", "room", "carets"),
    [
        ("road -closed", 5, 7),
        ("警察 -closed", 5, 7),
        ("ｒｏａｄ -closed", 9, 7),
        ("😂 -closed", 3, 7),
        ("👩🏽‍🚒 🇺🇸 -closed", 6, 7),
        ("❤️ -closed", 3, 7),
        ("e\u0301 -closed", 2, 7),
        ("ที่นี่ -closed", 3, 7),
        ("co\u00adop\u200b -closed", 5, 7),
        ("road kind:警察", 5, 9),
        ("road\n\t-closed", 6, 7),
        ("road AND", 5, 3),
        ("", 0, 1),
    ],
)
def test_carets_stand_under_the_mistake(query, room, carets):
    shown, under = mistakes.drawn(refused(query))
    assert under == " " * room + "^" * carets
    assert "\n" not in shown
    assert mistakes.columns(shown) >= room


def test_of_a_long_question_what_stands_around_the_mistake_is_shown():
    error = refused("road " * 5000 + "-closed " + "bridge " * 5000)
    shown, under = mistakes.drawn(error)
    assert len(shown) < 200
    assert shown[under.index("^") :].startswith("-closed")
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_a_mistake_that_is_long_itself_is_shown_from_its_beginning():
    shown, under = mistakes.drawn(refused('road "' + "bridge " * 500))
    assert shown[under.index("^") :].startswith('"bridge')
    assert len(under) < 100

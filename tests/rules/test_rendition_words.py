"""Words made harmless: whatever strangers write is readable, hides nothing, and steers nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.papers import blocks, words

ANY = st.text(alphabet=st.characters(exclude_categories=())) | st.text(
    alphabet=st.sampled_from(
        "aא\u0301\u094d\u200c\u200d\u202e\ufe0f\u180b\U0001f469\U0001f3fd\ud800 \r\n\t⟨"
    ),
)
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "می\u200cخواهم"
BENGALI = "র\u200d্য"


@given(ANY)
def test_nothing_that_is_left_controls_anything(text: str):
    for char in words.harmless(text):
        assert char in "\n\t\u200c\u200d" or unicodedata.category(char)[0] != "C"
        assert unicodedata.category(char) not in {"Zl", "Zp"}


@given(ANY)
def test_what_is_harmless_stays_as_it_is(text: str):
    once = words.harmless(text)
    assert words.harmless(once) == once
    once.encode()


@given(ANY)
def test_a_line_is_one_line(text: str):
    assert len(words.line(text).splitlines()) <= 1


@given(ANY, st.integers(1, 30))
def test_a_line_is_no_longer_than_it_may_be(text: str, most: int):
    assert len(words.line(text, most)) <= most


@given(ANY)
def test_text_is_valid_utf_8_and_otherwise_as_it_was_written(text: str):
    said = words.valid(text)
    said.encode()
    if not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
        assert said == text


@pytest.mark.parametrize(
    "text",
    [
        "Road closed (Main St.) – 50 % off, don't!",
        "Übergrößenträger, naïve, þ®¶, €5",
        "שָׁלוֹם עוֹלָם مرحبا",
        "你好，世界",
        FAMILY,
        PERSIAN,
        BENGALI,
        "❤\ufe0f",
        "one\ttwo\nthree",
    ],
)
def test_what_people_write_stays(text: str):
    assert words.harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay \u202eevil\u202c", "pay ⟨U+202E⟩evil⟨U+202C⟩"),
        ("pass\u200bword", "pass⟨U+200B⟩word"),
        ("a\u200db", "a⟨U+200D⟩b"),
        ("a\u00adb", "a⟨U+00AD⟩b"),
        ("\x1b[31m\x00\x14", "⟨U+001B⟩[31m⟨U+0000⟩⟨U+0014⟩"),
        ("\ud83d", "⟨U+D83D⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\ue000\uffff", "⟨U+E000⟩⟨U+FFFF⟩"),
        ("a\u2028b\u0085", "a⟨U+2028⟩b⟨U+0085⟩"),
        (" \ufe0f", " ⟨U+FE0F⟩"),
        ("\u3164\u2800", "⟨U+3164⟩⟨U+2800⟩"),
        ("a\r\nb\rc", "a\nb\nc"),
    ],
)
def test_what_hides_or_steers_is_shown_by_its_number(text: str, shown: str):
    assert words.harmless(text) == shown


def test_marks_are_piled_up_only_so_high():
    pile = "a" + "\u0301" * (words.MOST_MARKS + 2)
    assert words.harmless(pile) == "a" + "\u0301" * words.MOST_MARKS + "⟨U+0301⟩⟨U+0301⟩"
    assert words.harmless(pile[: words.MOST_MARKS + 1]) == pile[: words.MOST_MARKS + 1]


def test_joiners_do_not_help_a_pile():
    pile = "ک" + "\u0650\u200c" * 40
    assert words.harmless(pile).count("\u0650") == words.MOST_MARKS


@pytest.mark.parametrize(
    ("text", "right"), [("123 שלום a", False), ("a שלום", True), ("123", True), ("مر", False)]
)
def test_a_text_is_read_from_the_side_of_its_first_letter(text: str, right: bool):
    assert words.rightwards(text) is right


def flat(runs: list[object]) -> str:
    return "".join(
        run if isinstance(run, str) else str(run[0]) for run in runs if isinstance(run, (str, list))
    )


@given(st.text(alphabet=st.sampled_from("ab \u0301क\u094d"), max_size=200))
def test_a_line_in_runs_says_the_same(text: str):
    assert flat(list(blocks._run(text))) == text


def test_a_long_word_is_divided_and_a_short_one_is_not():
    assert list(blocks._run("short words only")) == ["short words only"]
    assert [type(run) for run in blocks._run("w" * 90)] == [list] * 5
    assert max(len(run[0]) for run in blocks._run("w" * 64_000)) <= 18

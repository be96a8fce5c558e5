"""Words that were taken out are met wherever a reader would read them, and quickly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure import matching
from app.disclosure.matching import Many, addresses, folded, found, in_addresses, long_enough, quickly, read

TEXTS = st.text(st.sampled_from("aAéÉßﬃﷺ ¨\u00a0\u200b\x1f\x00\n-_.#@/王かภ김İ"), max_size=40)


def met(words: str, text: str) -> list[str]:
    return [text[start:end] for start, end in sorted({*Many([words]).within(text).get(folded(words), [])})]


@given(TEXTS)
def test_what_is_read_quickly_is_what_is_read_with_its_places(text: str):
    assert quickly(text) == read(text).folded
    assert matching._letters(text) == read(text).letters


@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_a_quick_look_never_says_no_where_words_are_found(text: str, words: list[str]):
    many = Many(words)
    for word in words:
        if folded(word) and (found([folded(word)], read(text)) or in_addresses([folded(word)], text)):
            assert many.any(text)
            assert folded(word) in many.within(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "see https://news.example/2026/jane-doe-arrested now",
            "https://news.example/2026/jane-doe-arrested",
        ),
        ("see https://news.example/?q=Jane%20Doe", "https://news.example/?q=Jane%20Doe"),
        ("see https://news.example/?q=J%61ne+Doe", "https://news.example/?q=J%61ne+Doe"),
        ("mail jane.doe@town.example", "jane.doe"),
        ("#JaneDoe is right", "JaneDoe"),
        ("thanks @jane_doe!", "jane_doe"),
        ("thanks J\u00e1ne\n DOE", "J\u00e1ne\n DOE"),
    ],
)
def test_a_name_is_met_in_addresses_handles_and_hashtags(text: str, place: str):
    assert met("Jane Doe", text)[-1] == place


@pytest.mark.parametrize(
    "text", ["see https://news.example/2026/joan-dole", "#JanetDo", "jane@doe.example", "jane, doe"]
)
def test_what_only_looks_like_it_stays(text: str):
    assert met("Jane Doe", text) == []


def test_names_in_a_script_without_blanks_are_met_in_the_middle_of_a_text():
    assert met("王小明", "昨天王小明說") == ["王小明"]
    assert met("王明", "昨天王明說") == ["王明"]
    assert (long_enough("王明"), long_enough("王"), long_enough("jdoe"), long_enough("al")) == (
        True,
        False,
        True,
        False,
    )
    assert met("Al", "also al.") == ["al"]


def test_an_address_ends_where_its_quotation_ends():
    text = '<a href="https://town.example/a">x</a>'
    assert [text[start:end] for start, end in addresses(text)] == ["https://town.example/a"]


@pytest.mark.parametrize(
    ("words", "text", "place"),
    [
        ("O'Neil", "tell O\u2019Neil", "O\u2019Neil"),
        ("O\u2019Neil", "tell O'Neil", "O'Neil"),
        ("O'Neil", "tell O\u02bcNeil", "O\u02bcNeil"),
        ("O'Neil", "tell O`NEIL", "O`NEIL"),
        ("O'Neil", "tell O\u00b4Neil", "O\u00b4Neil"),
        ("Bo-Jo", "Bo\u2011Jo came", "Bo\u2011Jo"),
        ("Bo-Jo", "Bo\u2013Jo came", "Bo\u2013Jo"),
        ("Łuk", "LUK said", "LUK"),
        ("Lukasz", "Łukasz", "Łukasz"),
        ("Đoko", "Doko", "Doko"),
        ("Søren", "soren", "soren"),
        ("Işıl", "ISIL", "ISIL"),
        ("586-0600", "٥٨٦-٠٦٠٠", "٥٨٦-٠٦٠٠"),
    ],
)
def test_a_name_is_met_with_whichever_sign_its_writer_had_at_hand(words: str, text: str, place: str):
    assert met(words, text) == [place]
    assert [text[start:end] for start, end in found([folded(words)], read(text))] == [place]


@pytest.mark.parametrize(
    ("words", "text"), [("O'Neil", "O Neil"), ("Bo-Jo", "Bo Jo"), ("586-0600", "٥٨٦-٠٦٠١")]
)
def test_what_has_another_sign_between_short_parts_stays(words: str, text: str):
    assert met(words, text) == []

"""Words that were taken out are met wherever a reader would read them, and quickly."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure import matching
from app.disclosure.matching import Many, addresses, folded, found, in_addresses, long_enough, quickly, read

TEXTS = st.text(st.sampled_from("aAéÉßﬃﷺ ¨\u00a0\u200b\x1f\x00\n-_.#@/王かภ김İ&;#4\u3164"), max_size=40)


def met(words: str, text: str) -> list[str]:
    return [text[start:end] for start, end in sorted({*Many([words]).within(text).get(folded(words), [])})]


@given(TEXTS)
def test_what_is_read_quickly_is_what_is_read_with_its_places(text: str):
    assert quickly(text) == read(text).folded
    assert matching._letters(text) == read(text).letters


@given(
    st.lists(
        st.sampled_from(["&", "amp;", "#38;", "\uff06", "lt", ";", "x", " ", "\u00c4", "&semi;", "&num;"]),
        max_size=9,
    ).map("".join)
)
def test_what_was_folded_stays_as_it_is(text: str):
    assert folded(folded(text)) == folded(text)


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
        ("see facebook.example/jane.doe?x=1 now", "facebook.example/jane.doe?x=1"),
        ("she runs thejanedoe.example", "thejanedoe.example"),
        ("see https://a.example/Jane%2520Doe", "https://a.example/Jane%2520Doe"),
        ("see https://xn--jnedoe-pta.example/", "https://xn--jnedoe-pta.example/"),
        ("see https://a.example/J%E1ne%20Doe", "https://a.example/J%E1ne%20Doe"),
    ],
)
def test_a_name_is_met_in_addresses_handles_and_hashtags(text: str, place: str):
    assert met("Jane Doe", text)[-1] == place


@pytest.mark.parametrize(
    "text",
    [
        "see https://news.example/2026/joan-dole",
        "#JanetDo",
        "jane@doe.example",
        "jane, doe",
        "said Jane; Doe said",
        "https://xn--jnedoe.example/",
        "https://xn--99999999999.example/",
        "janedoes",
    ],
)
def test_what_only_looks_like_it_stays(text: str):
    assert met("Jane Doe", text) == []


@pytest.mark.parametrize(
    ("words", "text", "place"),
    [
        ("Jane Doe", "it was jane.doe again", "jane.doe"),
        ("Jane Doe", "it was Jane_Doe again", "Jane_Doe"),
        ("Jane Doe", "it was Jane-Doe\u2019s", "Jane-Doe"),
        ("Jane Doe", "it was **Jane** Doe", "Jane** Doe"),
        ("Jane Doe", "it was Jane\u200bDoe", "Jane\u200bDoe"),
        ("Jane Doe", "it was janedoe", "janedoe"),
        ("Jane Doe", "J a n e  D o e", "J a n e  D o e"),
        ("Jane Doe", "Ja\u3164ne\u2800Doe", "Ja\u3164ne\u2800Doe"),
        ("Jane Doe", "J\u0430ne D\u043e\u0435", "J\u0430ne D\u043e\u0435"),
        (
            "Jane Doe",
            "\u1d0a\u1d00\u0274\u1d07 \u1d05\u1d0f\u1d07",
            "\u1d0a\u1d00\u0274\u1d07 \u1d05\u1d0f\u1d07",
        ),
        ("Jane Doe", 'it was "Jane" Doe', 'Jane" Doe'),
        ("Jane Doe", "it was Ja<b>ne</b> Doe!", "Ja<b>ne</b> Doe"),
        ("Jane Doe", "it was Jane<br>Doe!", "Jane<br>Doe"),
        ("Jane Doe", '<a href="x" title="Jane Doe">she</a>', "Jane Doe"),
        ("Jane Doe", "it was Jane&nbsp;Doe", "Jane&nbsp;Doe"),
        ("Jane Doe", "it was &#74;ane D&#x6f;e!", "&#74;ane D&#x6f;e"),
        ("Tom & Jo", "of Tom &amp; Jo", "Tom &amp; Jo"),
        ("Tom &amp; Jo", "of Tom & Jo", "Tom & Jo"),
        ("O'Neil", "Ms O&#39;Neil", "O&#39;Neil"),
        ("586-3304", "call 586.3304", "586.3304"),
        ("586-3304", "call 5863304", "5863304"),
        ("5863304", "call 586-3304.", "586-3304"),
        ("5/3/1990", "born 5-3-1990", "5-3-1990"),
    ],
)
def test_a_short_name_or_number_is_met_whatever_joins_its_parts(words: str, text: str, place: str):
    assert met(words, text) == [place]
    assert [text[start:end] for start, end in found([folded(words)], read(text))] == [place]


@pytest.mark.parametrize(
    ("words", "text"),
    [("Jane Doe", "janedoes"), ("Jane Doe", "Jane <3 and 4> Doe"), ("Jane Doe", "jane: doe"), ("586-3304", "15863304"), ("Al Lo", "all o"), ("a part", "in apartments"), ("Tom &amp; Jo", "Tom &amp Jo")],
)  # fmt: skip
def test_a_short_name_or_number_is_not_met_by_chance(words: str, text: str):
    assert met(words, text) == []
    assert found([folded(words)], read(text)) == []


@pytest.mark.parametrize("run", ["a", "a.", "a-", "www.", "a@", "xn--a.", "&amp;", "&#9"])
def test_addresses_of_a_post_of_64_kilobytes_are_told_in_a_moment(run: str):
    text = (run * 64_000)[:64_000] + " @b"
    begun = process_time()
    Many(["Jane Doe"]).within(text)
    in_addresses(["jane doe"], text)
    assert process_time() - begun < 10


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

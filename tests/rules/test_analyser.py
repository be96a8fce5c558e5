"""What a word is: the quick analyser against a slow one that goes character by character."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.index.analyser import Sigil, analyse, is_single, normalised, sigils, tokens, words
from tests.promises.reference_engine import is_unspaced, slow_words

EMOJI = [
    "😂", "👍🏽", "👨‍👩‍👧‍👦", "🇺🇸", "🇨🇦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏃‍♀️", "❤️", "☀", "🧑🏿‍🚒", "©️",
]  # fmt: skip

LETTERS = (
    "abzAZ09_ßİıÄéñǰΣςἈᾳﬁＡ１²½Ⅷ①٣५𝟘𐒠𞤀"  # folding, fullwidth, digits of other scripts
    "\u0301\u0308\u0345\u20e3\u1ab0\U0001e130"  # combining marks
    " \t\n.,;:!?-'’“”#@/\\()*%~+=<>|\u200d\u200c\u00ad\u00a0…—·•\x00"  # everything that divides
    "漢字々〇ひらがなカタカナーｶﾞｱ𠮷"
    "ตำรวจ๑ປະຊາຄមမြန်မာ၁"
    "عربيहिन्दी한국어각"  # words with vowel signs, and letters that compose
)

texts = st.lists(
    st.one_of(
        st.text(alphabet=LETTERS, max_size=8),
        st.text(alphabet="ab1_ .,-'", max_size=12),
        st.sampled_from(EMOJI),
        st.sampled_from(["#flood", "@user", "https://town.example/a?b=c", "don't", "U.S."]),
    ),
    max_size=8,
).map("".join)

# Emoji are checked by example: the slow analyser must be told which clusters there are, and any two
# that stand together may make another one.
without_emoji = st.lists(
    st.one_of(
        st.text(alphabet=LETTERS, max_size=10), st.text(max_size=6), st.text(alphabet="ab1_ .,", max_size=12)
    ),
    max_size=6,
).map("".join)


def holds_emoji(text: str) -> bool:
    return any(is_single(word) and not is_unspaced(word[0]) for word in words(text))


@settings(deadline=None)
@given(without_emoji)
@example("e\u0301\u0301x")
@example("\u0301leading mark")
@example("ラーメン屋")
@example("ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ")
def test_words_are_those_of_the_slow_analyser(text):
    if not holds_emoji(text):
        assert words(text) == slow_words(text)


@settings(deadline=None)
@given(texts)
def test_every_way_to_the_words_gives_the_same_words(text):
    assert analyse(text).words.split() == words(text)
    assert [token.word for token in tokens(text)] == words(text)


@settings(deadline=None)
@given(st.text())
def test_every_way_to_the_words_of_any_text_gives_the_same_words(text):
    assert analyse(text).words.split() == words(text)
    assert [token.word for token in tokens(text)] == words(text)


@settings(deadline=None)
@given(st.one_of(texts, st.text()))
def test_what_stands_at_the_place_of_a_word_holds_that_word(text):
    end = 0
    for token in tokens(text):
        assert 0 <= token.start < token.end <= len(text)
        assert token.start >= end or token.start in range(
            end - 3, end
        )  # one character may become several words
        assert token.word in normalised(text[token.start : token.end])
        end = token.end


@settings(deadline=None)
@given(st.one_of(texts, st.text()))
def test_a_word_is_made_of_itself(text):
    """Who searches for a word as it is shown finds it."""
    for word in words(text):
        if normalised(word) == word:
            assert words(word) == [word]


@settings(deadline=None)
@given(texts)
def test_a_sigil_covers_its_own_words(text):
    found = analyse(text)
    every = found.words.split()
    for sigil in found.sigils:
        assert 0 <= sigil.first < sigil.last <= len(every)
        if normalised(sigil.text) == sigil.text and sigil.text[0] in "#@":
            assert every[sigil.first : sigil.last] == words(sigil.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("don't", ["don", "t"]),
        ("don’t", ["don", "t"]),
        ("U.S.", ["u", "s"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("snake_case _x 3d", ["snake_case", "_x", "3d"]),
        ("Ｆｕｌｌｗｉｄｔｈ１", ["fullwidth1"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("q\u0308x", ["q\u0308x"]),
        ("\u0301x", ["x"]),
        ("x½y", ["x1", "2y"]),
        ("zero\u200djoiner soft\u00adhyphen", ["zero", "joiner", "soft", "hyphen"]),
        ("٣४ x٣", ["٣४", "x٣"]),
        ("警察abc来了", ["警", "察", "abc", "来", "了"]),
        ("ラーメン", ["ラ", "ー", "メ", "ン"]),
        ("ｶﾞ", ["ガ"]),
        ("ที่", ["ท", "ี", "่"]),
        ("한국어 글", ["한국어", "글"]),
        ("हिन्दी", ["हिन्दी"]),
        ("ok👍🏽ok", ["ok", "👍🏽", "ok"]),
        ("👨‍👩‍👧‍👦👨", ["👨‍👩‍👧‍👦", "👨"]),
        ("🇺🇸🇨🇦", ["🇺🇸", "🇨🇦"]),
        ("❤️❤", ["❤️", "❤"]),
        ("© ©️", ["©️"]),
        ("1️⃣", ["1\ufe0f\u20e3"]),
        ("\ud800x", ["x"]),
    ],
)
def test_words_by_example(text, expected):
    assert words(text) == expected
    assert [token.word for token in tokens(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#Flood now", [("#flood", 0, 1)]),
        ("#警察来了", [("#警察来了", 0, 4)]),
        ("你好#警察#", [("#警察", 2, 4)]),
        ("＃Flood ＠User", [("#flood", 0, 1), ("@user", 1, 2)]),
        ("a#b clerk@town.example", []),
        ("# @ ## #- http:// https://.", []),
        ("#a#b", [("#a", 0, 1)]),
        ("hi @user@Host.example!", [("@user", 1, 2), ("@user@host.example", 1, 4)]),
        ("(@name.bsky.social)", [("@name", 0, 1), ("@name.bsky.social", 0, 3)]),
        ("see https://Town.example/Road?x=1.", [("https://town.example/road?x=1", 1, 7)]),
        ("(https://a.b/c_(d))", [("https://a.b/c_(d)", 0, 5)]),
        ("http://a.b/#top", [("http://a.b/#top", 0, 4)]),
        ("roadhttp://a.b", [("http://a.b", 0, 3)]),
        ("#roadhttp://a.b x", [("#roadhttp", 0, 1), ("http://a.b", 0, 3)]),
        ("http://t.co/abc警察", [("http://t.co/abc", 0, 4)]),
        ("http://a.b/ http://a.b", [("http://a.b", 0, 3), ("http://a.b", 3, 6)]),
        ("ftp://a.b", []),
    ],
)
def test_sigils_by_example(text, expected):
    assert list(sigils(text)) == [Sigil(*one) for one in expected]


def test_the_scripts_without_spaces_are_those_that_unicode_names():
    """Ranges here, names there: each letter, mark and digit of these scripts stands alone, and no other."""
    differing = [
        hex(code)
        for code in range(0x110000)
        if not 0xD800 <= code < 0xE000
        and unicodedata.category(chr(code))[0] in "LMN"
        and unicodedata.is_normalized("NFKC", chr(code))
        and is_single(chr(code)) != is_unspaced(chr(code))
    ]
    assert differing == []


@pytest.mark.parametrize(
    "piece",
    [" ", "-", "…", "#", "@", "://", "http://", ")", "#a", "a", "\u0301", "警", "👨‍", "ﷺ", "@a.", "__"],
)
def test_no_text_is_slow(piece):
    """A text of one thing over and over takes time in proportion to its length."""
    began = time.process_time()
    analyse(piece * 20_000 + "é")
    tokens(piece * 2_000 + "é")
    assert time.process_time() - began < 2

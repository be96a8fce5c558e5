"""Texts whose encoding a download broke: each is judged by itself, and right ones of any script are left as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.formats.mended import Mended

WORDS = {
    "French": "voilà déjà où Noël garçon CAFÉ SANTÉ ÇA œuvre l’été",
    "German": "Straße Spaß Maß groß ÜBER größer Öl weiß",
    "Spanish": "¿qué? ¡mañana! AÑO 1.º 2.ª corazón",
    "Portuguese": "coração ações é não MANHÃ irmão",
    "Nordic": "å PÅ smörgås Ærø Ísland það Øst BLÅ",
    "Polish": "żółć Łódź JUŻ źle się",
    "Turkish": "İstanbul ışık çağ ŞİŞ",
    "Vietnamese": "Tiếng Việt được ĐÃ nhà",
    "Greek": "καλημέρα ΑΘΗΝΑ ώρα 10kΩ",
    "Cyrillic": "Привет мир Ёлка їжа",
    "Hebrew": "שלום עולם בית",
    "Arabic": "مرحبا بالعالم سلام",
    "Hindi": "नमस्ते दुनिया",
    "Thai": "สวัสดี",
    "Chinese": "東京 道路 封鎖 頻道",
    "Japanese": "こんにちは カタカナ",
    "Korean": "안녕하세요 도로",
    "Amharic": "ሰላም",
    "emoji": "🚧 👍🏽 👨‍👩‍👧 ❤️ 🇺🇸",
    "signs": "20°C 5€ ½ 3×4 ©2026 ®™ – — … “x” «y» „z“ 10µm m²",
    "plain": "the bridge is open",
}  # fmt: skip
EVERY = sorted({word for words in WORDS.values() for word in words.split()})
SPACES = [" ", "\u00a0", "\n", ", ", " – "]
ENDS = ["", "\u00a0!", "\u00a0»", "»", "«", "°", "²", "…", ".", "’s"]
texts = st.lists(st.tuples(st.sampled_from(EVERY), st.sampled_from(ENDS), st.sampled_from(SPACES)), max_size=6).map(
    lambda parts: "".join(word + end + space for word, end, space in parts)
)  # fmt: skip


def broken(text: str) -> str:
    """The text as Facebook writes it: every byte a character of its own."""
    return text.encode().decode("latin-1")


def ambiguous(text: str) -> bool:
    """Whether all of it could be bytes and no sign in it decides: MANHû, PÅ\u00a0."""
    try:
        return text.encode("latin-1").decode() != text
    except UnicodeError:
        return False


@given(texts)
def test_a_right_text_of_any_script_is_left_as_it_is(text: str):
    mended = Mended()
    if ambiguous(text) and any(word in text for word in ("MANHÃ", "PÅ", "BLÅ", "ĐÃ")):
        return
    assert mended.text(text) == text
    assert (mended.texts, mended.doubtful) == (0, 0)


@given(texts)
def test_a_broken_text_of_any_script_is_put_right_once(text: str):
    mended = Mended()
    assert mended.text(broken(text)) == text
    assert mended.texts == (not text.isascii())


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_what_was_broken_twice_is_put_right_once_because_the_second_time_is_the_writer_s(text: str):
    twice = broken(broken(text))
    if any("\x80" <= sign <= "\x9f" for sign in twice):
        assert Mended().text(twice) == broken(text)


@given(texts, texts)
def test_of_a_text_that_mixes_both_nothing_is_lost_and_what_was_right_stays(first: str, second: str):
    told = Mended().text(f"東京 {first} {broken(second)} 道路")
    assert told.startswith(f"東京 {first} ")
    assert told.endswith(" 道路")
    kept = "".join(sign for sign in broken(second) if sign.isascii())
    assert "".join(sign for sign in told[len(first) + 4 : -3] if sign.isascii()) == kept


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("caf\u00c3\u00a9", "café"),
        ("\u00e2\u0080\u0093 東京", "– 東京"),
        ("Kim\u00f0\u009f\u009a\u00a7 “said” é", "Kim🚧 “said” é"),
        ("they wrote Ã© and 🚧", "they wrote Ã© and 🚧"),
        ("CAFÉ»", "CAFÉ»"),
        ("déjà\u00a0»", "déjà\u00a0»"),
        ("voilà\u00a0»", "voilà\u00a0»"),
        ("3×\u00a04", "3×\u00a04"),
        ("voil\u00c3\u00a0 20\u00c2\u00b0C", "voilà 20°C"),
        ("10k\u00ce\u00a9", "10kΩ"),
    ],
)
def test_each_text_is_read_as_its_writer_wrote_it(written: str, read: str):
    assert Mended().text(written) == read


def test_a_text_that_is_cut_within_a_character_is_shown_as_it_stands_and_counted():
    mended = Mended()
    cut = broken("road 🚧")[:-1]
    assert mended.text(cut) == cut
    assert (mended.texts, mended.doubtful) == (0, 1)


def test_names_and_lists_are_put_right_too_and_numbers_are_left():
    mended = Mended()
    assert mended.value({broken("Größe"): [broken("groß"), 5, None, True]}) == {
        "Größe": ["groß", 5, None, True]
    }

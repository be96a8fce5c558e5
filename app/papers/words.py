"""Strangers' words made harmless to read: nothing of them is hidden, and nothing of them steers the page that shows them.

A bidirectional override turns a sentence around, a zero-width character hides
a name from search, a pile of combining marks covers the line above. In what
people look at (HTML, PDF) such characters are shown by their numbers instead,
`⟨U+202E⟩`. What programs read (native JSON, text) keeps them, but for those
that are no text at all.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MOST_MARKS = 8
"""So many combining marks may follow one another; Hebrew with its accents and Tibetan need no more."""

_PLAIN = re.compile(r"[\n\t\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]*")
_ENDS = re.compile(r"\r\n?")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_JOINERS = frozenset("\u200c\u200d")
_JOINING = (
    (0x0600, 0x08FF),  # Arabic, Syriac, N'Ko, Mandaic
    (0x0900, 0x0DFF),  # the scripts of India and Sri Lanka
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0xA800, 0xABFF),
    (0x10A00, 0x11FFF),
    (0x1E900, 0x1E95F),
)
_UNSEEN = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f")
"""Letters and marks that no font shows."""


def shown(char: str) -> str:
    """A character by its number: `⟨U+202E⟩`."""
    return f"⟨U+{ord(char):04X}⟩"


def harmless(text: str) -> str:
    """`text` for people to look at; only line feeds and tabs are left of what controls.

    Joiners stay where a script or an emoji needs them to be spelled, variation
    selectors after something that they vary. Line ends become line feeds.
    The result may be longer; it is the same at every time, and harmless again.
    """
    text = _ENDS.sub("\n", text)
    if _PLAIN.fullmatch(text):
        return text
    said: list[str] = []
    marks, before = 0, ""
    for place, char in enumerate(text):
        kind = _kind(char)
        marks = marks + 1 if kind == "mark" else marks if kind in {"joiner", "selector"} else 0
        match kind:
            case "plain":
                keep = True
            case "mark":
                keep = marks <= MOST_MARKS
            case "joiner":
                keep = _spells(before, char, text[place + 1 : place + 2], marks)
            case "selector":
                keep = _is_seen(before)
            case _:
                keep = False
        said.append(char if keep else shown(char))
        before = char if keep else ""
    return "".join(said)


def line(text: str, most: int = 0) -> str:
    """The same on one line: for titles, names and cells; cut after `most` characters where that is not 0."""
    told = " ".join(harmless(text).split())
    return told if not most or len(told) <= most else told[: most - 1].rstrip() + "…"


def valid(text: str) -> str:
    """`text` as it can be written in UTF-8: only NUL and halves of characters are shown by their numbers."""
    return _NO_TEXT.sub(lambda found: shown(found.group()), text)


def rightwards(text: str) -> bool:
    """Whether a text begins in a script that is read from the left."""
    for char in text:
        match unicodedata.bidirectional(char):
            case "L":
                return True
            case "R" | "AL":
                return False
            case _:
                pass
    return True


@lru_cache(maxsize=16384)
def _kind(char: str) -> str:
    if char in "\n\t":
        return "plain"
    if char in _JOINERS:
        return "joiner"
    if "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180d":
        return "selector"
    if char in _UNSEEN:
        return "harm"
    category = unicodedata.category(char)
    if category in {"Mn", "Me"}:
        return "mark"
    # Controls, formats (bidirectional, zero-width, tags), surrogates, private use, what is no character yet, and line
    # and paragraph separators.
    return "harm" if category[0] == "C" or category in {"Zl", "Zp"} else "plain"


def _spells(before: str, joiner: str, after: str, marks: int) -> bool:
    """Whether a joiner is part of how a word is spelled, or an emoji is put together; what follows it is shown then."""
    if not before or not after:
        return False
    kind = _kind(after)
    if kind not in {"plain", "mark"} or (kind == "mark" and marks >= MOST_MARKS):
        return False
    if unicodedata.combining(before) == 9:  # a virama, after which a joiner chooses the form
        return True
    if _joins(before) and _joins(after):
        return True
    return joiner == "\u200d" and _pictorial(before) and _pictorial(after)


def _joins(char: str) -> bool:
    number = ord(char)
    return any(first <= number <= last for first, last in _JOINING) and unicodedata.category(char)[0] in "LM"


def _pictorial(char: str) -> bool:
    return char == "\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff" or unicodedata.category(char) == "So"


def _is_seen(before: str) -> bool:
    return bool(before) and _kind(before) == "plain" and not before.isspace()

"""Where words that were taken out of a record stand again, however they are written there.

A name that is redacted in one place must not be read in the next. So words are
compared as a reader would read them: without regard to case, width, accents,
line breaks, and characters that nobody sees. That may take out a little more
than was asked for, and never less.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from ahocorasick_rs import AhoCorasick

SHORTEST = 4
"""Shorter words are found only where they stand by themselves: 'Al' is no part of 'also'."""


@dataclass(frozen=True, slots=True)
class Read:
    """A text as it is compared, and where each of its characters begins in the text itself."""

    folded: str
    starts: tuple[int, ...]
    """For each folded character the place of its source; one more for the end."""

    def source(self, begin: int, end: int) -> tuple[int, int]:
        """The part of the text that the folded characters `begin` to `end` were read from."""
        last = self.starts[end - 1]
        return self.starts[begin], next(place for place in self.starts[end:] if place > last)


@lru_cache(maxsize=8192)
def _char(char: str) -> str:
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = "".join(one for one in parts if unicodedata.category(one) not in ("Mn", "Me", "Cf", "Cc", "Cs"))
    return " " if char.isspace() else kept


def read(text: str) -> Read:
    """A text as it is compared. What nobody sees belongs to the character before it."""
    folded: list[str] = []
    starts: list[int] = []
    blank = False
    for place, char in enumerate(text):
        said = _char(char)
        if said.isspace():
            if not blank:
                folded.append(" ")
                starts.append(place)
            blank = True
            continue
        if not said:
            continue
        blank = False
        for one in said:
            folded.append(one)
            starts.append(place)
    starts.append(len(text))
    return Read("".join(folded), tuple(starts))


def folded(text: str) -> str:
    """Words as they are looked for."""
    return read(text).folded.strip()


def found(words: Iterable[str], text: Read) -> list[tuple[int, int]]:
    """Where any of these folded words stand in a text, as places of the text itself; sorted, and may overlap."""
    places = {
        text.source(begin, begin + len(word)) for word in words if word for begin in _places(word, text)
    }
    return sorted(places)


def _places(word: str, text: Read) -> Iterator[int]:
    begin = text.folded.find(word)
    while begin >= 0:
        if len(word) >= SHORTEST or alone(text.folded, begin, begin + len(word)):
            yield begin
        begin = text.folded.find(word, begin + 1)


def alone(folded: str, begin: int, end: int) -> bool:
    """Whether words stand by themselves in a text, and are not part of a longer one."""
    before = begin > 0 and folded[begin - 1].isalnum() and folded[begin].isalnum()
    after = end < len(folded) and folded[end].isalnum() and folded[end - 1].isalnum()
    return not before and not after


def spelled_in(words: str, address: str) -> bool:
    """Whether an address spells words out, as addresses do: without blanks, or with hyphens or escapes for them."""
    looked_for = _letters(words)
    return len(looked_for) >= SHORTEST and looked_for in _letters(unquote(address))


def _letters(text: str) -> str:
    return "".join(one for one in folded(text) if one.isalnum())


class Many:
    """Many words at once, for texts by the thousand: what they cost does not grow with the number of words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted({folded(one) for one in words} - {""})
        self._found = AhoCorasick(self._words) if self._words else None

    def __bool__(self) -> bool:
        return self._found is not None

    def within(self, text: str) -> dict[str, list[tuple[int, int]]]:
        """Which of the words stand in a text, folded, and where."""
        if self._found is None:
            return {}
        said = read(text)
        told: dict[str, set[tuple[int, int]]] = {}
        for number, begin, end in self._found.find_matches_as_indexes(said.folded, overlapping=True):
            word = self._words[number]
            if len(word) >= SHORTEST or alone(said.folded, begin, end):
                told.setdefault(word, set()).add(said.source(begin, end))
        return {word: sorted(places) for word, places in sorted(told.items())}

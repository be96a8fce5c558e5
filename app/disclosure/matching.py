"""Where words that were taken out of a record stand again, however they are written there.

A name that is redacted in one place must not be read in the next. So words are
compared as a reader would read them: without regard to case, width, accents,
line breaks, and characters that nobody sees, and where there are enough of
them, without regard to blanks and punctuation either: 'Mill-Road' is Mill Road.
That may take out a little more than was asked for, and never less. A finished
production is hunted through in the same manner, or a narrower one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import unquote

from ahocorasick_rs import AhoCorasick

SHORTEST = 4
"""Shorter words are found only where they stand by themselves: 'Al' is no part of 'also'."""
LOOSE_FROM = 8
"""Bytes that the letters and digits of words must have for them to be found by these alone."""
LONGEST = 256
"""Longer words are found by their parts of this length, so that a quotation of some of them is met as well."""


@dataclass(frozen=True)
class Read:
    """A text as it is compared, and where each of its characters begins in the text itself."""

    folded: str
    starts: tuple[int, ...]
    """For each folded character the place of its source; one more for the end."""

    def source(self, begin: int, end: int) -> tuple[int, int]:
        """The part of the text that the folded characters `begin` to `end` were read from."""
        last, after = self.starts[end - 1], end
        while self.starts[after] <= last:  # one sign can be read as several, and the end is later than any
            after += 1
        return self.starts[begin], self.starts[after]

    @cached_property
    def _letters(self) -> tuple[str, tuple[int, ...]]:
        """The letters and digits alone, and the place of each among the folded characters."""
        places = tuple(place for place, char in enumerate(self.folded) if char.isalnum())
        return "".join(self.folded[place] for place in places), places

    @property
    def letters(self) -> str:
        """The letters and digits of the text, and nothing between them."""
        return self._letters[0]

    def among_letters(self, begin: int, end: int) -> tuple[int, int]:
        """The part of the text that the letters `begin` to `end` were read from, with what stands between them."""
        places = self._letters[1]
        return self.source(places[begin], places[end - 1] + 1)


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


def parts(words: str) -> list[str]:
    """Words in lengths that are looked for: from the beginning, and one at the end."""
    if len(words) <= LONGEST:
        return [words]
    starts = [*range(0, len(words) - LONGEST, LONGEST), len(words) - LONGEST]
    return [words[start : start + LONGEST] for start in starts]


def found(words: Iterable[str], text: Read) -> list[tuple[int, int]]:
    """Where any of these folded words stand in a text, as places of the text itself; sorted, and may overlap."""
    return sorted({place for word in words if word for place in _places(word, text)})


def _places(word: str, text: Read) -> Iterator[tuple[int, int]]:
    for begin in _each(word, text.folded):
        if len(word) >= SHORTEST or alone(text.folded, begin, begin + len(word)):
            yield text.source(begin, begin + len(word))
    if loose := _loose(word):
        for begin in _each(loose, text.letters):
            yield text.among_letters(begin, begin + len(loose))


def _each(word: str, text: str) -> Iterator[int]:
    begin = text.find(word)
    while begin >= 0:
        yield begin
        begin = text.find(word, begin + 1)


def _loose(word: str) -> str:
    """The letters and digits of words that are enough of them to be looked for alone; otherwise nothing."""
    letters = "".join(char for char in word if char.isalnum())
    return letters if len(letters.encode()) >= LOOSE_FROM else ""


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
        loose = [(letters, word) for word in self._words if (letters := _loose(word))]
        self._whose = [word for _, word in loose]
        self._loosely = AhoCorasick([letters for letters, _ in loose]) if loose else None

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
        if self._loosely is not None:
            for number, begin, end in self._loosely.find_matches_as_indexes(said.letters, overlapping=True):
                told.setdefault(self._whose[number], set()).add(said.among_letters(begin, end))
        return {word: sorted(places) for word, places in sorted(told.items())}

"""Decides where a question is met in the words of one text.

This is the one judge of phrases with wildcards, of nested proximity and of
what is marked when a record is shown: engines only propose candidates to it.

A span is the first and the last place of the words that meet a part. `w/N`
joins two spans that do not overlap, the start of the later less the end of
the earlier being at most N; the span of the whole is their hull. Every
combination counts, not only the shortest.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from app.index.analyser import Sigil, analyse
from app.index.stem import stem
from app.index.tree import (
    Address,
    And,
    Fuzzy,
    In,
    Mention,
    Near,
    Not,
    Or,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
)

Span: TypeAlias = tuple[int, int]
"""First and last place, both inclusive."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one text in their order, and its sigils."""

    words: Sequence[str]
    sigils: Sequence[Sigil] = ()


def read(text: str) -> Words:
    """A text as the judge reads it."""
    analysis = analyse(text)
    return Words(analysis.words.split(), analysis.sigils)


def spans(tree: Tree, words: Words) -> set[Span]:
    """Everywhere that a word, a phrase, a proximity or an OR of them is met."""
    match tree:
        case Term(word):
            return {(at, at) for at, found in enumerate(words.words) if found == word}
        case Wild() | Fuzzy() | Stem():
            meets = meeting(tree)
            return {(at, at) for at, found in enumerate(words.words) if meets(found)}
        case Tag() | Mention() | Address():
            meets = meeting(tree)
            return {(s.first, s.last - 1) for s in words.sigils if s.last > s.first and meets(s.text)}
        case Phrase(parts):
            return _consecutive([spans(part, words) for part in parts])
        case Near(within, left, right):
            one, other = spans(left, words), spans(right, words)
            return _before(within, one, other) | _before(within, other, one)
        case Pre(within, left, right):
            return _before(within, spans(left, words), spans(right, words))
        case Or(parts):
            return set().union(*(spans(part, words) for part in parts))
        case _:
            raise TypeError(f"{type(tree).__name__} has no place in a text")


Placed: TypeAlias = tuple[str, Words]
"""The words of one text, with the place where they stand."""


def met(tree: Tree, told: Iterable[Placed]) -> bool:
    """Whether a word, a phrase, a proximity or an OR of them is met in any one of these texts.

    `In` asks of the texts of one place only. Nothing is met across two texts.
    """
    place, part = (tree.place, tree.part) if isinstance(tree, In) else (None, tree)
    asked = (words for where, words in told if place is None or where == place)
    match part:
        case Term(word):
            return any(word in words.words for words in asked)
        case Wild() | Fuzzy() | Stem():
            meets = meeting(part)
            return any(any(map(meets, words.words)) for words in asked)
        case Tag() | Mention() | Address():
            meets = meeting(part)
            return any(any(meets(sigil.text) for sigil in words.sigils) for words in asked)
        case _:
            return any(spans(part, words) for words in asked)


def _consecutive(parts: Sequence[set[Span]]) -> set[Span]:
    found = parts[0]
    for part in parts[1:]:
        if not found:
            break
        following: dict[int, list[int]] = {}
        for start, end in part:
            following.setdefault(start, []).append(end)
        found = {(start, last) for start, end in found for last in following.get(end + 1, ())}
    return found


def _before(within: int, earlier: Iterable[Span], later: Iterable[Span]) -> set[Span]:
    return {(left[0], right[1]) for left, right in _pairs(within, earlier, later)}


def _pairs(within: int, earlier: Iterable[Span], later: Iterable[Span]) -> Iterable[tuple[Span, Span]]:
    ordered = sorted(later)
    starts = [start for start, _ in ordered]
    for span in earlier:
        end = span[1]
        for right in ordered[bisect_right(starts, end) : bisect_right(starts, end + within)]:
            yield span, right


# ---- single words --------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def meeting(part: Term | Wild | Fuzzy | Stem | Tag | Mention | Address) -> Callable[[str], bool]:
    """Whether a word, or the text of a sigil, meets a part."""
    match part:
        case Term(word):
            return lambda found: found == word
        case Wild(pattern):
            return _meets_pattern(pattern)
        case Fuzzy(word, letters):
            return lambda found: changes(word, found, letters) <= letters
        case Stem(word):
            wanted = stem(word)
            return lambda found: stem(found) == wanted
        case Tag(name):
            return _meets_pattern(f"#{name}")
        case Mention(name):
            return _meets_pattern(f"@{name}")
        case Address(text, prefix):
            return (lambda found: found.startswith(text)) if prefix else (lambda found: found == text)


def _meets_pattern(pattern: str) -> Callable[[str], bool]:
    written = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    compiled = re.compile(written, re.DOTALL)
    return lambda found: compiled.fullmatch(found) is not None


def changes(one: str, other: str, most: int) -> int:
    """How many letters must be put in, left out, replaced or swapped with their neighbour (no letter twice).

    Counting stops above `most`.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, against in enumerate(other, 1):
            cost = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > most and min(above) > most:
            return most + 1
        before, above = above, line
    return above[-1]


# ---- what is marked ------------------------------------------------------------------------------


def marked(tree: Tree, words: Words, place: str = "text") -> set[Span]:
    """The spans to show in a text that stands at `place`: words, phrases, and within a proximity only what takes part in it.

    What stands under NOT is never marked; facts and dates have no place.
    """
    match tree:
        case And(parts) | Or(parts):
            return set().union(*(marked(part, words, place) for part in parts))
        case In(where, part):
            return marked(part, words, place) if where == place else set()
        case Near() | Pre():
            return set().union(*(_taking_part(tree, span, words) for span in spans(tree, words)))
        case Phrase() | Term() | Wild() | Fuzzy() | Stem() | Tag() | Mention() | Address():
            return spans(tree, words)
        case Not():
            return set()
        case _:
            return set()


def _taking_part(tree: Tree, hull: Span, words: Words) -> set[Span]:
    match tree:
        case Or(parts):
            return set().union(*(_taking_part(part, hull, words) for part in parts))
        case Near(within, left, right):
            return _taking_part(Pre(within, left, right), hull, words) | _taking_part(
                Pre(within, right, left), hull, words
            )
        case Pre(within, left, right):
            found: set[Span] = set()
            earlier = [span for span in spans(left, words) if span[0] == hull[0]]
            later = [span for span in spans(right, words) if span[1] == hull[1]]
            for one, other in _pairs(within, earlier, later):
                found |= _taking_part(left, one, words) | _taking_part(right, other, words)
            return found
        case _:
            return {hull} if hull in spans(tree, words) else set()

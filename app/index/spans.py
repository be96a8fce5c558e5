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
        case Term() | Wild() | Fuzzy() | Stem():
            return _single([tree], words)
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
            single, others = divided(parts)
            return _single(single, words).union(*(spans(part, words) for part in others))
        case _:
            raise TypeError(f"{type(tree).__name__} has no place in a text")


def divided(parts: Iterable[Tree]) -> tuple[list[Term | Wild | Fuzzy | Stem], list[Tree]]:
    """The single words among some parts, which are looked for together, and the others."""
    single: list[Term | Wild | Fuzzy | Stem] = []
    others: list[Tree] = []
    for part in parts:
        if isinstance(part, Term | Wild | Fuzzy | Stem):
            single.append(part)
        else:
            others.append(part)
    return single, others


def _single(parts: Sequence[Term | Wild | Fuzzy | Stem], words: Words) -> set[Span]:
    """Everywhere that any of some single words is met."""
    if not parts:
        return set()
    wanted = {part.word for part in parts if isinstance(part, Term)}
    others = [meeting(part) for part in parts if not isinstance(part, Term)]
    if len(parts) == len(others) == 1:
        meets = others[0]
        return {(at, at) for at, found in enumerate(words.words) if meets(found)}
    if others:
        wanted.update(word for word in set(words.words) if any(meets(word) for meets in others))
    return {(at, at) for at, found in enumerate(words.words) if found in wanted}


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


@lru_cache(maxsize=4096)
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
    beginning = pattern[:-1]
    if pattern.endswith("*") and "*" not in beginning and "?" not in beginning:
        return lambda found: found.startswith(beginning)
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
            single, others = divided(parts)
            return _single(single, words).union(*(marked(part, words, place) for part in others))
        case In(where, part):
            return marked(part, words, place) if where == place else set()
        case Near() | Pre():
            return _taking_part(tree, spans(tree, words), words)
        case Phrase() | Term() | Wild() | Fuzzy() | Stem() | Tag() | Mention() | Address():
            return spans(tree, words)
        case Not():
            return set()
        case _:
            return set()


def marks(tree: Tree) -> bool:
    """Whether anything can be marked for a question at all."""
    match tree:
        case And(parts) | Or(parts):
            return any(marks(part) for part in parts)
        case (
            Tag()
            | Mention()
            | Address()
            | Term()
            | Wild()
            | Fuzzy()
            | Stem()
            | Phrase()
            | Near()
            | Pre()
            | In()
        ):
            return True
        case _:
            return False


def reach_of(tree: Tree) -> int | None:
    """How many words, itself among them, decide at most whether a word is marked; None where that is not bounded.

    A sigil may have any number of words.
    """
    match tree:
        case Tag() | Mention() | Address():
            return None
        case Term() | Wild() | Fuzzy() | Stem():
            return 1
        case Phrase(parts):
            return _together([reach_of(part) for part in parts], sum)
        case Near(within, left, right) | Pre(within, left, right):
            return _together([reach_of(left), within, reach_of(right)], sum)
        case And(parts) | Or(parts):
            return _together([reach_of(part) for part in parts], max)
        case In(_, part):
            return reach_of(part)
        case _:
            return 0


def _together(reaches: Sequence[int | None], joined: Callable[[list[int]], int]) -> int | None:
    known = [reach for reach in reaches if reach is not None]
    return joined(known) if len(known) == len(reaches) else None


def _taking_part(tree: Tree, hulls: set[Span], words: Words) -> set[Span]:
    """What of a proximity stands in one of these hulls and makes it one."""
    if not hulls:
        return set()
    match tree:
        case Or(parts):
            single, longer = divided(parts)
            here = hulls & _single(single, words)
            return here.union(*(_taking_part(part, hulls, words) for part in longer))
        case Near(within, left, right) | Pre(within, left, right):
            one, other = spans(left, words), spans(right, words)
            pairs = [pair for pair in _pairs(within, one, other) if (pair[0][0], pair[1][1]) in hulls]
            ones, others = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
            if isinstance(tree, Near):
                pairs = [pair for pair in _pairs(within, other, one) if (pair[0][0], pair[1][1]) in hulls]
                ones, others = ones | {pair[1] for pair in pairs}, others | {pair[0] for pair in pairs}
            return _taking_part(left, ones, words) | _taking_part(right, others, words)
        case _:
            return hulls & spans(tree, words)

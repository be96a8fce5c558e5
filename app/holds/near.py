"""Near misses: what a scope does not cover, and would if a word in it were written a little otherwise.

Words are matched exactly, so `closed` does not meet `closing`, nor `cafe`
`café`, nor `dont` `don't`. Before a hold is placed, its words are asked for in
the ways in which they are most often missed, and what that would add is shown.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.index import spans
from app.index.engine import Engine, QueryNotSupported, Sort
from app.index.engine import Scope as Asking
from app.index.keys import Keys
from app.index.printer import show
from app.index.source import LedgerSource
from app.index.tree import And, Fuzzy, In, Near, Not, Or, Phrase, Pre, Stem, Term, Tree, Wild, both, either
from app.store.store import Store

_MOST_WORDS, _MOST_READ, _SHOWN = 20, 200, 8
_SHORTEST = 4
_ENDINGS = frozenset(("s", "t", "d", "m", "re", "ve", "ll"))
"""What follows an apostrophe in English."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """How a word of the scope would be written, how many records that would add, and the words they were met by."""

    instead_of: str
    written: str
    records: int
    words: tuple[str, ...]


def near_misses(store: Store, engine: Engine, tree: Tree, found: Keys, *, messages: bool) -> list[NearMiss]:
    """What is just outside a scope; private messages count only where they may be read."""
    asking = Asking(store.agency.zone(), messages=messages)
    source, told = LedgerSource(store), []
    for leaf, variant in islice(_variants(tree), _MOST_WORDS * 4):
        try:
            answer = Keys.of(engine.ask(_replaced(tree, leaf, variant), asking).every(Sort.NEWEST))
        except QueryNotSupported:
            continue
        added = answer - found - source.disposed()
        if added:
            words = _words(source, variant, islice(added, _MOST_READ))
            told.append(NearMiss(show(leaf), show(variant), len(added), words))
    return told


def _variants(tree: Tree) -> Iterator[tuple[Tree, Tree]]:
    """The words and phrases that a scope asks for, each with another way of writing it."""
    for leaf in dict.fromkeys(_asked_for(tree)):
        match leaf:
            case Term(word):
                yield leaf, Stem(word)
                if len(word) >= _SHORTEST:
                    yield leaf, Fuzzy(word, 1)
                if (plain := _plain(word)) != word:
                    yield leaf, Term(plain)
                elif (accented := _accented(word)) is not None:
                    yield leaf, accented
                if len(word) > _SHORTEST - 1 and word[-1] in "tsdm":
                    yield leaf, Phrase((Term(word[:-1]), Term(word[-1])))
            case Phrase(parts):
                if (joined := _without_apostrophe(parts)) is not None:
                    yield leaf, joined
                stems = tuple(Stem(part.word) if isinstance(part, Term) else part for part in parts)
                if stems != parts:
                    yield leaf, Phrase(stems)
            case _:
                continue


def _asked_for(tree: Tree) -> Iterator[Tree]:
    match tree:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _asked_for(part)
        case Near(_, left, right) | Pre(_, left, right):
            yield from _asked_for(left)
            yield from _asked_for(right)
        case In(_, part):
            yield from _asked_for(part)
        case Term() | Phrase():
            yield tree
        case _:
            return


def _replaced(tree: Tree, leaf: Tree, by: Tree) -> Tree:
    """The same question with one word written otherwise wherever it stands."""
    if tree == leaf:
        return by
    match tree:
        case And(parts):
            return both(*(_replaced(part, leaf, by) for part in parts))
        case Or(parts):
            return either(*(_replaced(part, leaf, by) for part in parts))
        case Near(within, left, right):
            return Near(within, _replaced(left, leaf, by), _replaced(right, leaf, by))
        case Pre(within, left, right):
            return Pre(within, _replaced(left, leaf, by), _replaced(right, leaf, by))
        case In(place, part):
            return In(place, _replaced(part, leaf, by))
        case Not(part):
            return Not(part)
        case _:
            return tree


def _without_apostrophe(parts: Sequence[object]) -> Term | None:
    """`don't` is two words; written without the apostrophe it is one."""
    match parts:
        case (Term(first), Term(second)) if second in _ENDINGS:
            return Term(first + second)
        case _:
            return None


def _plain(word: str) -> str:
    """A word without its accents."""
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def _accented(word: str) -> Wild | None:
    """The last vowel of a word with any accent: `caf?` meets `café`."""
    place = max((word.rfind(vowel) for vowel in "aeioun"), default=-1)
    if place < 0 or len(word) < _SHORTEST or not word.isascii():
        return None
    return Wild(word[:place] + "?" + word[place + 1 :])


def _words(source: LedgerSource, variant: Tree, keys: Iterable[int]) -> tuple[str, ...]:
    """By which words the first of them were met."""
    found: dict[str, int] = {}
    for documents in source.of(keys):
        for document in documents:
            read = spans.read(document.text)
            for first, last in spans.spans(variant, read):
                words = " ".join(read.words[first : last + 1])
                found[words] = found.get(words, 0) + 1
    ordered = sorted(found, key=lambda words: (-found[words], words))
    return tuple(ordered[:_SHOWN])


def as_json(told: Sequence[NearMiss]) -> list[dict[str, object]]:
    return [
        {
            "instead_of": one.instead_of,
            "written": one.written,
            "records": one.records,
            "words": list(one.words),
        }
        for one in told
    ]

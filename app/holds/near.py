"""Near misses: what a scope does not cover, and would if a word in it were written a little otherwise.

Words are matched exactly, so `closed` does not meet `closing`, nor `cafe`
`café`, nor `dont` `don't`. Before a hold is placed, its words are asked for in
the ways in which they are most often missed, and what that would add is shown:
by their stems, with one letter different, and with or without accents and
apostrophes, in phrases too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, pairwise, product

from app.index import spans
from app.index.engine import Engine, QueryNotSupported, Sort
from app.index.engine import Scope as Asking
from app.index.keys import Keys
from app.index.printer import show
from app.index.source import LedgerSource
from app.index.tree import And, Fuzzy, In, Near, Not, Or, Phrase, Pre, Stem, Term, Tree, both, either
from app.store.store import Store

_MOST_WORDS, _MOST_READ, _SHOWN = 20, 200, 8
_SHORTEST = 4
_ENDINGS = ("s", "t", "d", "m", "re", "ve", "ll")
"""What follows an apostrophe in English."""
_BEGINNINGS = ("o", "d", "l")
"""What stands before one in names, and in French."""
_ACCENTS = {
    "a": "àáâãäå", "c": "ç", "e": "èéêë", "i": "ìíîï", "n": "ñ", "o": "òóôõö", "u": "ùúûü", "y": "ýÿ",
}  # fmt: skip
_MOST_SPELLINGS = 500
"""So many ways of accenting one word are asked for; of longer words those with a single accent."""


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
    for leaf, variant, spelt in islice(_variants(tree), _MOST_WORDS * 3):
        try:
            answer = Keys.of(engine.ask(_replaced(tree, leaf, variant), asking).every(Sort.NEWEST))
        except QueryNotSupported:
            continue
        added = answer - found - source.disposed()
        if added:
            words = _words(source, variant, islice(added, _MOST_READ))
            written = " OR ".join(_quoted(one) for one in words) if spelt and words else show(variant)
            told.append(NearMiss(show(leaf), written, len(added), words))
    return told


def _quoted(words: str) -> str:
    return f'"{words}"' if " " in words else words


def _variants(tree: Tree) -> Iterator[tuple[Tree, Tree, bool]]:
    """The words and phrases that a scope asks for, each with another way of writing it.

    The last says whether that stands for many spellings, of which only those
    that were met are shown.
    """
    for leaf in dict.fromkeys(_asked_for(tree)):
        match leaf:
            case Term(word):
                yield leaf, Stem(word), False
                if len(word) >= _SHORTEST:
                    yield leaf, Fuzzy(word, 1), False
                if spellings := [one for one in _spellings(word) if one != leaf]:
                    yield leaf, either(*spellings), True
            case Phrase(parts):
                stems = tuple(Stem(part.word) if isinstance(part, Term) else part for part in parts)
                if stems != parts:
                    yield leaf, Phrase(stems), False
                if (spelt := _spelt(parts)) is not None:
                    yield leaf, spelt, True
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


# -- accents and apostrophes -------------------------------------------------------------------------------


def _spellings(word: str) -> list[Tree]:
    """A word as it may be written without its accents, with others, or with an apostrophe inside."""
    plain = _plain(word)
    words = dict.fromkeys([word, plain, *_accented(plain)])
    return [*(Term(one) for one in words), *_parted(word)]


def _plain(word: str) -> str:
    """A word without its accents."""
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def _accented(word: str) -> Iterator[str]:
    """A word with an accent on any letter that may bear one, or on two: `cafe` as `café`, `resume` as `résumé`."""
    places = [place for place, letter in enumerate(word) if letter in _ACCENTS]
    chosen: list[tuple[int, ...]] = [(place,) for place in places]
    pairs = list(combinations(places, 2))
    if sum(len(_ACCENTS[word[one]]) * len(_ACCENTS[word[two]]) for one, two in pairs) <= _MOST_SPELLINGS:
        chosen += pairs
    for some in chosen:
        for letters in product(*(_ACCENTS[word[place]] for place in some)):
            there = dict(zip(some, letters, strict=True))
            yield "".join(there.get(place, letter) for place, letter in enumerate(word))


def _parted(word: str) -> Iterator[Phrase]:
    """`theyre` as `they're`, which is two words, and `obrien` as `o'brien`."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) > max(len(ending), _SHORTEST - 2):
            yield Phrase((Term(word.removesuffix(ending)), Term(ending)))
    for beginning in _BEGINNINGS:
        if word.startswith(beginning) and len(word) > _SHORTEST:
            yield Phrase((Term(beginning), Term(word.removeprefix(beginning))))


def _spelt(parts: Sequence[object]) -> Tree | None:
    """A phrase in all those ways: each word, or two on both sides of an apostrophe written as one."""
    words = [part.word for part in parts if isinstance(part, Term)]
    if len(words) < len(parts):
        return None
    rows: list[list[Tree]] = [[either(*_spellings(word)) for word in words]]
    for place, (first, second) in enumerate(pairwise(words)):
        if second in _ENDINGS or first in _BEGINNINGS:
            joined: Tree = either(*(Term(one) for one in _joined(first + second)))
            rows.append([*rows[0][:place], joined, *rows[0][place + 2 :]])
    return either(*(_in_a_row(row) for row in rows))


def _joined(word: str) -> list[str]:
    return list(dict.fromkeys([word, _plain(word)]))


def _in_a_row(row: Sequence[Tree]) -> Tree:
    """Each directly after the one before."""
    whole, *rest = row
    for one in rest:
        whole = Pre(1, whole, one)
    return whole


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

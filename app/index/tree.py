"""A question as a tree of frozen nouns.

Words in it are as `analyser` makes them; names of fields and dates are as
the officer wrote them. Each tree has one shape: groups of one kind are
flattened, so that what is printed reads back as the same tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from app.index.keys import Keys


@dataclass(frozen=True, slots=True)
class Term:
    """One word."""

    word: str


@dataclass(frozen=True, slots=True)
class Wild:
    """One word in which `*` stands for any characters, none too, and `?` for exactly one."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """One word that becomes `word` by at most `letters` changes: one put in, left out, replaced, or two swapped."""

    word: str
    letters: int


@dataclass(frozen=True, slots=True)
class Stem:
    """One word that has the same English stem as `word`."""

    word: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag, without its `#`; `*` and `?` stand for what they stand for in a word."""

    name: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A mention, without its first `@`; `*` and `?` stand for what they stand for in a word."""

    name: str


@dataclass(frozen=True, slots=True)
class Address:
    """An `http://` or `https://` address; with `prefix`, every address that begins so."""

    text: str
    prefix: bool = False


Part: TypeAlias = Term | Wild | Fuzzy | Stem | Tag | Mention | Address
"""What stands at one place of a text."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Two or more parts, each directly after the one before."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Two spans that do not overlap, start of the later less end of the earlier at most `within`."""

    within: int
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Pre:
    """The same with `left` the earlier."""

    within: int
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class In:
    """A word, a phrase or a proximity in one place of a version, such as `alt`, and nowhere else."""

    place: str
    part: Tree


@dataclass(frozen=True, slots=True)
class Field:
    """A fact of the record, compared whole and without regard to case."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DateRange:
    """Published on these days in the agency's time zone, both inclusive; None leaves that side open."""

    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class CapturedRange:
    """Captured on these days in the agency's time zone, both inclusive; None leaves that side open."""

    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Among:
    """A fact that no index keeps, joined when the question is asked: it holds of the records of `keys`."""

    fact: Field
    keys: Keys


@dataclass(frozen=True, slots=True)
class Exactly:
    """One of these versions, each as the key of its record and its number."""

    versions: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class All:
    """Every record."""


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Tree


Tree: TypeAlias = (
    Part
    | Phrase
    | Near
    | Pre
    | In
    | Field
    | DateRange
    | CapturedRange
    | Among
    | Exactly
    | All
    | And
    | Or
    | Not
)


_IN_A_TEXT = (Term, Wild, Fuzzy, Stem, Tag, Mention, Address, Phrase, Near, Pre, In)


def both(*parts: Tree) -> Tree:
    """All of `parts`, in the one shape that such a tree has."""
    flat = tuple(_flattened(And, parts))
    return flat[0] if len(flat) == 1 else And(flat)


def either(*parts: Tree) -> Tree:
    """Any of `parts`, in the one shape that such a tree has."""
    flat = tuple(_flattened(Or, parts))
    return flat[0] if len(flat) == 1 else Or(flat)


def _flattened(group: type[And | Or], parts: tuple[Tree, ...]) -> Iterator[Tree]:
    for part in parts:
        if isinstance(part, group):
            yield from part.parts
        else:
            yield part


def below(tree: Tree) -> tuple[Tree, ...]:
    """What stands directly below a node."""
    match tree:
        case And(parts) | Or(parts) | Phrase(parts):
            return parts
        case Not(part) | In(_, part):
            return (part,)
        case Near(_, left, right) | Pre(_, left, right):
            return (left, right)
        case _:
            return ()


def everything_in(tree: Tree) -> Iterator[Tree]:
    """A node and all that stands below it."""
    yield tree
    for part in below(tree):
        yield from everything_in(part)


def asks_for_words(tree: Tree) -> bool:
    """Whether a question asks for anything that stands in a text."""
    return any(isinstance(part, _IN_A_TEXT) for part in everything_in(tree))


def with_words_met(tree: Tree, *, excluded: bool = False) -> Tree:
    """The same question as if nothing were known of any words: what it does not find, no words could bring in."""
    match tree:
        case And(parts):
            return both(*(with_words_met(part, excluded=excluded) for part in parts))
        case Or(parts):
            return either(*(with_words_met(part, excluded=excluded) for part in parts))
        case Not(part):
            return Not(with_words_met(part, excluded=not excluded))
        case part if isinstance(part, _IN_A_TEXT):
            return Not(All()) if excluded else All()
        case _:
            return tree


def with_dates_met(tree: Tree) -> Tree:
    """The same question as if every date of publication were met."""
    return _with_dates(tree, All())


def with_dates_unmet(tree: Tree) -> Tree:
    """The same question as it stands for a record without a date of publication, which meets no range of dates."""
    return _with_dates(tree, Not(All()))


def _with_dates(tree: Tree, instead: Tree) -> Tree:
    match tree:
        case DateRange():
            return instead
        case And(parts):
            return both(*(_with_dates(part, instead) for part in parts))
        case Or(parts):
            return either(*(_with_dates(part, instead) for part in parts))
        case Not(part):
            return Not(_with_dates(part, instead))
        case _:
            return tree

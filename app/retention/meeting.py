"""Whether a question is met by one record, told from its own text and facts: yes, no, or nobody can tell. Pure.

An engine answers yes or no for a whole archive. Where the answer disposes of
records, a third one is needed: a record that nobody dated neither was
published in March nor was not. Whoever asks decides on which side of doubt to
stand; retention and holds both stand on the side that keeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from zoneinfo import ZoneInfo

from app.index import judging
from app.index.documents import Document
from app.index.engine import Scope, folded
from app.index.judging import Read
from app.index.printer import show
from app.index.tree import All, And, CapturedRange, DateRange, Field, Not, Or, Tree


class Met(Enum):
    """Whether something is so; `UNKNOWN` where it cannot be told."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @staticmethod
    def of(so: bool | None) -> Met:
        """A fact, or None where it is not known."""
        return Met.UNKNOWN if so is None else Met.YES if so else Met.NO

    def reversed(self) -> Met:
        return {Met.YES: Met.NO, Met.NO: Met.YES, Met.UNKNOWN: Met.UNKNOWN}[self]


def every(told: Iterable[Met]) -> Met:
    """Yes if all are, no if one is not, whatever the unknown ones may be."""
    found = set(told)
    return Met.NO if Met.NO in found else Met.UNKNOWN if Met.UNKNOWN in found else Met.YES


def any_of(told: Iterable[Met]) -> Met:
    """Yes if one is, no if none is."""
    found = set(told)
    return Met.YES if Met.YES in found else Met.UNKNOWN if Met.UNKNOWN in found else Met.NO


@dataclass(frozen=True, kw_only=True)
class Described:
    """One record as rules see it: all its versions in their order, and what is known beside them."""

    versions: tuple[Document, ...]
    zone: ZoneInfo
    unread: frozenset[int] = frozenset()
    """The numbers of versions whose words could not be opened."""
    tags: frozenset[str] | None = None
    """The tags that officers gave it; None where nobody looked."""
    answered: bool | None = None
    """Whether the agency answered it; None where nobody can tell."""
    incoming: bool | None = None
    """Whether the public sent it, rather than the agency published it; None where nobody can tell."""
    duplicate: bool = False
    """Whether an officer found that the same is kept elsewhere as the record."""

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """The versions with their words, which are cut once however many rules ask."""
        return tuple(Read(version) for version in self.versions)

    @cached_property
    def scope(self) -> Scope:
        """Rules read private messages too: they decide how long those are kept."""
        return Scope(self.zone, messages=True)


def meets(tree: Tree, record: Described) -> Met:
    """Whether any version of a record meets the whole question; of one without versions nobody can tell."""
    if not record.versions:
        return Met.UNKNOWN
    return any_of(_met(tree, record, place) for place in range(len(record.versions)))


def lacking(tree: Tree, record: Described) -> str:
    """The first part of a question that keeps a record from meeting it, as the query language writes it."""
    if isinstance(tree, And):
        for part in tree.parts:
            if meets(part, record) is not Met.YES:
                return lacking(part, record)
    return show(tree)


def _met(tree: Tree, record: Described, place: int) -> Met:
    match tree:
        case All():
            return Met.YES
        case And(parts):
            return every(_met(part, record, place) for part in parts)
        case Or(parts):
            return any_of(_met(part, record, place) for part in parts)
        case Not(part):
            return _met(part, record, place).reversed()
        case Field():
            return _fact(tree, record, place)
        case DateRange():
            if record.versions[place].published_at is None:
                return Met.UNKNOWN
            return _judged(tree, record, place)
        case CapturedRange():
            return _judged(tree, record, place)
        case _:
            if record.versions[place].version in record.unread:
                return Met.UNKNOWN
            return _judged(tree, record, place)


def _fact(fact: Field, record: Described, place: int) -> Met:
    match fact.name:
        case "version":
            return Met.of(place == len(record.versions) - 1)
        case "tag":
            if record.tags is None:
                return Met.UNKNOWN
            return Met.of(folded(fact.value) in {folded(tag) for tag in record.tags})
        case "author" if not record.versions[place].author:
            return Met.UNKNOWN
        case "lang" if record.versions[place].language is None:
            return Met.UNKNOWN
        case name if name in judging.FIELDS:
            return _judged(fact, record, place)
        case _:
            return Met.UNKNOWN


def _judged(tree: Tree, record: Described, place: int) -> Met:
    """What the one judge of texts and facts says of a part for which all facts are known."""
    return Met.of(judging.hit(tree, record.reads[place : place + 1], record.scope))

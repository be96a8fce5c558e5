"""Reads a question against versions of one record, as plain values, without any engine.

An engine answers for the whole archive as it stands. What it cannot be asked
is decided here: how records stood before they changed, and which of what was
captured just now is new to a question. Text is judged by `spans`, as engines
are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from app.index import spans
from app.index.deciding import Decider
from app.index.documents import Document
from app.index.engine import QueryNotSupported, Scope, folded, instants, microseconds
from app.index.printer import show
from app.index.spans import Placed
from app.index.tree import (
    All,
    Among,
    And,
    CapturedRange,
    DateRange,
    Exactly,
    Field,
    Not,
    Or,
    Tree,
    both,
    either,
    everything_in,
)

FIELDS = frozenset(
    ("author", "page", "platform", "kind", "state", "version", "has", "lang", "origin", "unsearchable")
)
_CURRENT = Field("version", "current")


def must_be_known(tree: Tree) -> None:
    """Raise `QueryNotSupported` where a question names a fact that versions do not have."""
    for part in everything_in(tree):
        if isinstance(part, Field) and part.name not in FIELDS:
            raise QueryNotSupported(show(part), f"it does not know the {part.name} of a record")


@dataclass(frozen=True)
class Read:
    """A version with its words, which are cut once however many questions are read against it."""

    document: Document

    def by(self, before: int | None) -> Read:
        """The version without what attachments hold that were kept at entry `before` or later."""
        told = self.document.passages
        if before is None or all(one.entry < before for one in told):
            return self
        return Read(replace(self.document, passages=tuple(one for one in told if one.entry < before)))

    @cached_property
    def words(self) -> Sequence[Placed]:
        """The words of each of its texts, with the place where it stands."""
        beside = [(one.place, spans.read(one.text)) for one in self.document.passages]
        return [("text", spans.read(self.document.text)), *beside]


def hit(tree: Tree, versions: Sequence[Read], scope: Scope, *, before: int | None = None) -> bool:
    """Whether a record is a hit, or was when the ledger had `before` entries: any of its versions by then is.

    `versions` are those of one record in their order. The current version is
    the last one that there was by then.
    """
    return newest_hit(tree, versions, scope, before=before) is not None


def newest_hit(
    tree: Tree, versions: Sequence[Read], scope: Scope, *, before: int | None = None
) -> Document | None:
    """The newest version that is a hit, or was by then; None where none is."""
    there = [one.by(before) for one in versions if before is None or one.document.entry < before]
    for one in reversed(there):
        visible = scope.messages or not one.document.private
        if visible and _meets(tree, one, scope, current=one is there[-1]):
            return one.document
    return None


def whichever_is_current(tree: Tree) -> Tree:
    """The same question as if every version could be the current one: what it does not find, `tree` never found."""
    return _loosened(tree, excluded=False)


def _loosened(tree: Tree, *, excluded: bool) -> Tree:
    match tree:
        case Field("version", _):
            return Not(All()) if excluded else All()
        case And(parts):
            return both(*(_loosened(part, excluded=excluded) for part in parts))
        case Or(parts):
            return either(*(_loosened(part, excluded=excluded) for part in parts))
        case Not(part):
            return Not(_loosened(part, excluded=not excluded))
        case _:
            return tree


def asks_for_current(tree: Tree) -> bool:
    """Whether a question tells the current version from earlier ones."""
    return any(part == _CURRENT for part in everything_in(tree))


def _meets(tree: Tree, read: Read, scope: Scope, *, current: bool) -> bool:
    """Whether this one version answers the whole question."""
    match tree:
        case All():
            return True
        case And(parts):
            return all(_meets(part, read, scope, current=current) for part in parts)
        case Or(parts):
            return any(_meets(part, read, scope, current=current) for part in parts)
        case Not(part):
            return not _meets(part, read, scope, current=current)
        case Field(name, value):
            return _has(name, value, read.document, current=current)
        case DateRange():
            published = read.document.published_at
            return published is not None and _between(tree, microseconds(published), scope)
        case CapturedRange():
            return _between(tree, microseconds(read.document.captured_at), scope)
        case Among(_, keys):
            return read.document.record in keys
        case Exactly(versions):
            return (read.document.record, read.document.version) in versions
        case _:
            return _decider(tree).met(read.words)


@lru_cache(maxsize=16)
def _decider(tree: Tree) -> Decider:
    """A part of a question, prepared: the same few are put to every version. What is decided for a hold is never refused."""
    return Decider(tree, most=sys.maxsize)


def _between(days: DateRange | CapturedRange, at: int, scope: Scope) -> bool:
    begin, end = instants(days, scope.zone)
    return (begin is None or begin <= at) and (end is None or at < end)


def _has(name: str, value: str, document: Document, *, current: bool) -> bool:
    match name:
        case "version":
            return current
        case "has":
            if value in ("media", "date"):
                return document.media if value == "media" else document.published_at is not None
            return any(one.place == value for one in document.passages)
        case "unsearchable":
            return bool(document.lacks) if value == "any" else value in document.lacks
        case "kind" | "state" | "origin":
            return bool(getattr(document, name) == value)
        case "author":
            return folded(value) in {folded(one) for one in document.author}
        case "page":
            return folded(value) in {folded(document.page), folded(document.page_name)}
        case "platform":
            return folded(value) == folded(document.platform)
        case "lang":
            return document.language is not None and folded(value) == folded(document.language)
        case _:
            raise QueryNotSupported(show(Field(name, value)), f"it does not know the {name} of a record")

"""Scopes: what a hold is about, and whether it covers a record. Decided on plain values; what cannot be decided is covered.

A scope is a standing query over what a record says and what capture knows of
it: words, page, platform, author, kind, language, origin, days. Tags, series,
state and other holds are refused in it: they change without the record, and a
hold that let go of a record because somebody took a tag away would be none.

The question is read against one version at a time, in three values. *Undecided*
is a day for a record that bears none, words for a record of which something
could not be searched (a picture without text, a scan), and anything for a
record whose content cannot be opened. A record is covered when any of its versions meets the scope or leaves it
undecided; `version:current` is read as if every version could be the current
one, since which one is changes with the next capture.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from app.index import judging
from app.index.documents import Document
from app.index.engine import Scope as Asking
from app.index.engine import folded, instants, microseconds
from app.index.judging import Read
from app.index.language import BadQuery, captured, parse
from app.index.printer import show
from app.index.search import narrowed
from app.index.tree import (
    Address,
    All,
    And,
    CapturedRange,
    DateRange,
    Field,
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
    both,
    either,
    everything_in,
)
from app.records.errors import Invalid

REFUSED = {
    "tag": "Place the hold on the words, pages, authors or days by which the tag was given, or name the records in a file.",
    "series": "Which series a record belongs to changes with the schedule. Name pages, kinds or days.",
    "state": "What is hidden or gone today may be shown tomorrow. Leave it out: every state is covered.",
    "hold": "Holds overlap; what another hold covers may be released. Write this hold's own scope.",
}
"""Fields that no scope may name, and what to write rather."""
Text = (Term, Wild, Fuzzy, Stem, Tag, Mention, Address, Phrase, Near, Pre, In)
PUBLISHED, CAPTURED = "published", "captured"


class ScopeRefused(BadQuery):
    """The scope names a fact that changes without the record, or cannot be understood."""

    code = "scope-refused"


class EmptyScope(Invalid):
    """The scope names neither words nor pages, authors, days or records, or one that is empty."""

    code = "empty-scope"


class Met(IntEnum):
    """Whether a version meets a scope. `max` of several says what the record does."""

    NO = 0
    UNDECIDED = 1
    YES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a hold is about: a query within pages, authors and days, and records named one by one beside it.

    `dates` says which days are meant: those of publication, or of capture.
    """

    query: str = ""
    pages: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    dates: str = PUBLISHED
    records: tuple[UUID, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Scope:
        """The scope as `as_json` wrote it."""

        def several(name: str) -> tuple[str, ...]:
            value = given.get(name)
            return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else ()

        def one(name: str) -> str | None:
            value = given.get(name)
            return value if isinstance(value, str) and value else None

        return cls(
            query=one("query") or "",
            pages=several("pages"),
            authors=several("authors"),
            since=one("from"),
            until=one("to"),
            dates=one("dates") or PUBLISHED,
            records=tuple(UUID(record) for record in several("records")),
        )

    def as_json(self) -> dict[str, object]:
        return {
            "query": self.query,
            "pages": list(self.pages),
            "authors": list(self.authors),
            "from": self.since,
            "to": self.until,
            "dates": self.dates,
            "records": [str(one) for one in self.records],
        }

    @property
    def standing(self) -> bool:
        """Whether there is anything that new captures could meet, beside records that are named."""
        return bool(self.query.strip() or self.pages or self.authors or self.since or self.until)

    def asked(self) -> Tree | None:
        """The same as `understood`, of a scope that is only asked about: refused where nothing could ever meet it."""
        if not all(one.strip() for one in (*self.authors, *self.pages)):
            raise EmptyScope(
                "an author or a page of the scope is empty, and nothing would meet it", next="Leave it out."
            )
        return self.understood()

    def understood(self) -> Tree | None:
        """The question as it is asked of every version; None where only records are named.

        Raises `ScopeRefused` with the place of the mistake, and `EmptyScope`.
        """
        if not self.standing:
            if not self.records:
                raise EmptyScope(
                    "the scope is empty", next="Give --scope, --page, --author, --from, --to or --records."
                )
            return None
        text = self.query.strip() or "*"
        parts = [_asked(text)]
        if self.pages:
            parts.append(either(*(Field("page", page) for page in self.pages)))
        if self.authors:
            parts.append(either(*(Field("author", author) for author in self.authors)))
        if self.since or self.until:
            if self.dates not in (PUBLISHED, CAPTURED):
                raise EmptyScope(
                    f"{self.dates!r} are no days of a record", next="Write published or captured."
                )
            if self.dates == PUBLISHED:
                parts.append(narrowed(parse("*"), since=self.since, until=self.until).tree)
            else:
                parts.append(captured(self.since, self.until))
        return judging.whichever_is_current(_plain(both(*parts)))


def _asked(text: str) -> Tree:
    """The query of a scope, or `ScopeRefused` where a fact stands in it that changes without the record."""
    query = parse(text)
    for part in everything_in(query.tree):
        if isinstance(part, Field) and part.name in REFUSED:
            at = text.lower().find(f"{part.name}:")
            raise ScopeRefused(
                f"A hold's scope cannot name {part.name}",
                text,
                max(at, 0),
                len(show(part)),
                next=REFUSED[part.name],
            )
    judging.must_be_known(query.tree)
    return query.tree


def _plain(tree: Tree) -> Tree:
    """The same without `*` where it changes nothing."""
    if isinstance(tree, And):
        kept = [part for part in tree.parts if not isinstance(part, All)]
        return both(*kept) if kept else All()
    return tree


# -- deciding ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judge:
    """Reads one question against records."""

    tree: Tree
    zone: ZoneInfo

    @cached_property
    def asking(self) -> Asking:
        """A hold protects private messages, whoever placed it."""
        return Asking(self.zone, messages=True)

    def of(self, versions: Sequence[Read]) -> Met:
        """Whether a record is covered: by any of its versions; without one that can be opened it is undecided."""
        return max((met(self.tree, one, self.asking) for one in versions), default=Met.UNDECIDED)

    @cached_property
    def reads_text(self) -> bool:
        return any(isinstance(part, Text) for part in everything_in(self.tree))

    @cached_property
    def reads_days(self) -> bool:
        return any(isinstance(part, DateRange) for part in everything_in(self.tree))


def met(tree: Tree, read: Read, asking: Asking) -> Met:
    """Whether this version meets the question: the least of what is joined by AND, the most of what is by OR."""
    match tree:
        case All():
            return Met.YES
        case And(parts):
            return min(met(part, read, asking) for part in parts)
        case Or(parts):
            return max(met(part, read, asking) for part in parts)
        case Not(part):
            return Met(Met.YES - met(part, read, asking))
        case DateRange() if read.document.published_at is None:
            return Met.UNDECIDED
    if judging.hit(tree, [read], asking):
        return Met.YES
    return Met.UNDECIDED if isinstance(tree, Text) and lacks_words(read) else Met.NO


def lacks_words(read: Read) -> bool:
    """Whether something of a version could not be searched: what it lacks is known, or it shows media and says nothing."""
    document = read.document
    return bool(document.lacks) or (document.media and not any(words.words for _, words in read.words))


def possible(tree: Tree) -> Tree:
    """The widest question that an index can be asked: whatever it does not find, the scope surely does not cover."""
    return _widened(tree, excluded=False)


def _widened(tree: Tree, *, excluded: bool) -> Tree:
    match tree:
        case And(parts):
            return both(*(_widened(part, excluded=excluded) for part in parts))
        case Or(parts):
            return either(*(_widened(part, excluded=excluded) for part in parts))
        case Not(part):
            return Not(_widened(part, excluded=not excluded))
        case DateRange():
            dated = Field("has", "date")
            return both(tree, dated) if excluded else either(tree, Not(dated))
        case _ if isinstance(tree, Text):
            left_out = either(Field("unsearchable", "any"), Field("has", "media"))
            return both(tree, Not(left_out)) if excluded else either(tree, left_out)
        case _:
            return tree


# -- what is left of a record, and what is known of a page --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """What a tombstone says of a record: its page, its kind, and the days of the month in which it was published."""

    page: str
    page_name: str
    platform: str
    kind: str
    since: date | None = None
    until: date | None = None


def may_have_met(tree: Tree, left: Left) -> Met:
    """Whether a record of which only this is left may have met the question; words and authors cannot be known."""
    match tree:
        case All():
            return Met.YES
        case And(parts):
            return min(may_have_met(part, left) for part in parts)
        case Or(parts):
            return max(may_have_met(part, left) for part in parts)
        case Not(part):
            return Met(Met.YES - may_have_met(part, left))
        case Field("page", value):
            return _known(folded(value) in {folded(left.page), folded(left.page_name)})
        case Field("platform", value):
            return _known(folded(value) == folded(left.platform))
        case Field("kind", value) if left.kind:
            return _known(value == left.kind)
        case DateRange(since, until) if left.since is not None and left.until is not None:
            if (until is not None and until < left.since) or (since is not None and since > left.until):
                return Met.NO
            whole = (since is None or since <= left.since) and (until is None or until >= left.until)
            return Met.YES if whole else Met.UNDECIDED
    return Met.UNDECIDED


def _known(value: bool) -> Met:
    return Met.YES if value else Met.NO


def is_within(days: DateRange | CapturedRange, moment: int, zone: ZoneInfo) -> bool:
    """Whether a microsecond lies on these days."""
    begin, end = instants(days, zone)
    return (begin is None or begin <= moment) and (end is None or moment < end)


def read_all(versions: Iterable[Document]) -> list[Read]:
    """Versions as they are judged; their words are cut once, however many scopes are read against them."""
    return [Read(one) for one in versions]


def bases(judged: Mapping[int, Met], named: Collection[int]) -> dict[int, str]:
    """Why each record is covered: it was named, met the scope, or could not be decided; those that are not are left out."""
    told = {key: "matched" if value is Met.YES else "undecided" for key, value in judged.items() if value}
    return told | dict.fromkeys(named, "named")


__all__ = [
    "CAPTURED", "PUBLISHED", "EmptyScope", "Judge", "Left", "Met", "Scope", "ScopeRefused", "bases", "is_within",
    "may_have_met", "met", "microseconds", "possible", "read_all",
]  # fmt: skip

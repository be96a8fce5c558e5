"""An engine that is obviously right and slow: every question read against every version, by brute force.

It shares nothing with what it judges but the tree: words are cut one
character at a time, and proximity is every combination of places.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from app.index.documents import Document, Position
from app.index.engine import Page, QueryNotSupported, Scope, Sort
from app.index.printer import show
from app.index.stem import stem
from app.index.tree import (
    Address,
    All,
    Among,
    And,
    CapturedRange,
    DateRange,
    Exactly,
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
)

UNSPACED_NAMES = (
    "CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA ", "KATAKANA", "THAI ", "LAO ", "KHMER ",
    "MYANMAR ", "IDEOGRAPHIC ITERATION MARK", "HANGZHOU NUMERAL", "IDEOGRAPHIC NUMBER ZERO", "IDEOGRAPHIC CLOSING MARK", "HENTAIGANA ",
    "VERTICAL KANA REPEAT", "VERTICAL IDEOGRAPHIC ITERATION MARK", "MASU MARK", "OLD CHINESE ITERATION MARK",
    "VIETNAMESE ALTERNATE READING MARK",
)  # fmt: skip


@cache
def is_unspaced(character: str) -> bool:
    """Read from Unicode's names, where the analyser has ranges."""
    return unicodedata.category(character)[0] in "LMN" and unicodedata.name(character, "").startswith(
        UNSPACED_NAMES
    )


def slow_words(text: str, emoji: Collection[str] = ()) -> list[str]:
    """The words of a text, one character at a time. Each of `emoji` is a word; the longest is tried first."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found: list[str] = []
    word = ""
    at = 0
    while at < len(plain):
        cluster = next(
            (one for one in sorted(emoji, key=len, reverse=True) if plain.startswith(one, at)), None
        )
        character = plain[at]
        kind = unicodedata.category(character)[0]
        alone = cluster or (character if is_unspaced(character) else None)
        if alone is not None:
            found += [word] if word else []
            found.append(alone)
            word = ""
        elif kind in "LN" or character == "_" or (kind == "M" and word):
            word += character
        else:
            found += [word] if word else []
            word = ""
        at += len(alone or character)
    return found + ([word] if word else [])


@dataclass(frozen=True)
class Placed:
    """A hashtag, mention or address with its words."""

    text: str
    first: int
    last: int


@cache
def slow_sigils(text: str) -> tuple[Placed, ...]:
    """Of simple texts: sigils stand between spaces, with nothing written against them."""
    found = []
    at = 0
    for piece in text.split():
        count = len(slow_words(piece))
        if piece[0] in "#@" or piece.startswith("http"):
            found.append(Placed(piece.casefold().rstrip("./"), at, at + count - 1))
        at += count
    return tuple(found)


@cache
def words_of(text: str) -> tuple[str, ...]:
    return tuple(slow_words(text))


def distance(one: str, other: str) -> int:
    """Optimal string alignment, by its definition."""

    @cache
    def cost(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        least = min(cost(i - 1, j) + 1, cost(i, j - 1) + 1, cost(i - 1, j - 1) + (one[i - 1] != other[j - 1]))
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            least = min(least, cost(i - 2, j - 2) + 1)
        return least

    return cost(len(one), len(other))


def like(pattern: str, word: str) -> bool:
    return (
        re.fullmatch("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), word, re.DOTALL)
        is not None
    )


def places(tree: Tree, text: str) -> list[tuple[int, int]]:
    """Every span, all combinations."""
    words = words_of(text)
    match tree:
        case Term(word):
            return [(at, at) for at, found in enumerate(words) if found == word]
        case Wild(pattern):
            return [(at, at) for at, found in enumerate(words) if like(pattern, found)]
        case Fuzzy(word, letters):
            return [(at, at) for at, found in enumerate(words) if distance(word, found) <= letters]
        case Stem(word):
            return [(at, at) for at, found in enumerate(words) if stem(found) == stem(word)]
        case Tag(name):
            return [(s.first, s.last) for s in slow_sigils(text) if like(f"#{name}", s.text)]
        case Mention(name):
            return [(s.first, s.last) for s in slow_sigils(text) if like(f"@{name}", s.text)]
        case Address(address, prefix):
            return [
                (s.first, s.last)
                for s in slow_sigils(text)
                if s.text == address or (prefix and s.text.startswith(address))
            ]
        case Phrase(parts):
            return [
                (chain[0][0], chain[-1][1])
                for chain in itertools.product(*(places(part, text) for part in parts))
                if all(later[0] == earlier[1] + 1 for earlier, later in itertools.pairwise(chain))
            ]
        case Or(parts):
            return [span for part in parts for span in places(part, text)]
        case Near(within, left, right):
            return places(Pre(within, left, right), text) + places(Pre(within, right, left), text)
        case Pre(within, left, right):
            return [
                (one[0], other[1])
                for one, other in itertools.product(set(places(left, text)), set(places(right, text)))
                if 0 < other[0] - one[1] <= within
            ]
        case _:
            raise AssertionError(tree)


def meets(tree: Tree, document: Document, scope: Scope, *, current: bool) -> bool:
    """Whether this one version answers the whole question."""
    match tree:
        case All():
            return True
        case And(parts):
            return all(meets(part, document, scope, current=current) for part in parts)
        case Or(parts):
            return any(meets(part, document, scope, current=current) for part in parts)
        case Not(part):
            return not meets(part, document, scope, current=current)
        case Field(name, value):
            return _has(name, value, document, current=current)
        case DateRange(since, until):
            if document.published_at is None:
                return False
            on = document.published_at.astimezone(scope.zone).date()
            return (since is None or since <= on) and (until is None or on <= until)
        case CapturedRange(since, until):
            on = document.captured_at.astimezone(scope.zone).date()
            return (since is None or since <= on) and (until is None or on <= until)
        case Among(_, keys):
            return document.record in set(keys)
        case Exactly(versions):
            return (document.record, document.version) in versions
        case In(place, part):
            return any(places(part, text) for where, text in texts_of(document) if where == place)
        case _:
            return any(places(tree, text) for _, text in texts_of(document))


def texts_of(document: Document) -> list[tuple[str, str]]:
    """Every text of a version, each by itself."""
    return [("text", document.text), *((one.place, one.text) for one in document.passages)]


def _has(name: str, value: str, document: Document, *, current: bool) -> bool:
    values = {
        "author": document.author,
        "page": (document.page, document.page_name),
        "platform": (document.platform,),
        "kind": (document.kind,),
        "state": (document.state,),
        "lang": (document.language or "",),
        "origin": (document.origin,),
        "version": ("current",) if current else (),
        "has": (
            *("media",) * document.media,
            *("date",) * (document.published_at is not None),
            *(one.place for one in document.passages),
        ),
        "unsearchable": (*document.lacks, *("any",) * bool(document.lacks)),
    }
    if name not in values:
        raise QueryNotSupported(show(Field(name, value)), "nothing here knows it")
    return value.casefold() in {one.casefold() for one in values[name]}


class ReferenceEngine:
    """Everything in a dictionary; nothing is found before it is committed."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], Document] = {}
        self._pending: dict[tuple[int, int], Document] = {}
        self._position: Position | None = None
        self._removed = 0

    def position(self) -> Position | None:
        return self._position

    def add(self, documents: Sequence[Document]) -> None:
        self._pending |= {(document.record, document.version): document for document in documents}

    def remove(self, records: Collection[int]) -> None:
        self._pending = {
            key: document for key, document in self._pending.items() if key[0] not in set(records)
        }

    def commit(self, position: Position) -> None:
        self._removed += len({record for record, _ in self._kept} - {record for record, _ in self._pending})
        self._kept, self._position = dict(self._pending), position

    def settle(self) -> None:
        self._pending = dict(self._kept)

    def removed(self) -> int:
        return self._removed

    def still(self) -> Self:
        return copy.copy(self)  # a commit puts other dictionaries in place

    def ask(self, tree: Tree, scope: Scope) -> ReferenceAnswer:
        newest = {record: max(v for r, v in self._kept if r == record) for record, _ in self._kept}
        met: dict[int, Document] = {}
        for (record, version), document in sorted(self._kept.items()):
            visible = scope.messages or not document.private
            if visible and meets(tree, document, scope, current=newest[record] == version):
                met[record] = document
        return ReferenceAnswer(list(met.values()), scope)

    def beside(self) -> Self:
        return type(self)()

    def adopt(self, other: Self) -> None:
        other.settle()
        self.__dict__ = other.__dict__


@dataclass
class ReferenceAnswer:
    met: list[Document]
    scope: Scope

    def total(self) -> int:
        return len(self.met)

    def _place(self, document: Document, sort: Sort) -> tuple[bool, float, int]:
        """Where in the order a document stands: the undated last, equals by their records."""
        at = document.captured_at if sort is Sort.CAPTURED else document.published_at
        turned = 1 if sort is Sort.OLDEST else -1
        return at is None, turned * (0 if at is None else at.timestamp()), turned * document.record

    def _sorted(self, sort: Sort) -> list[Document]:
        return sorted(self.met, key=lambda document: self._place(document, sort))

    def page(self, sort: Sort, limit: int, after: str | None = None) -> Page:
        passed = None if after is None else tuple(json.loads(after))
        left = [one for one in self._sorted(sort) if passed is None or self._place(one, sort) > passed]
        shown = left[:limit]
        cursor = json.dumps(self._place(shown[-1], sort)) if limit < len(left) else None
        return Page(tuple(one.record for one in shown), cursor)

    def every(self, sort: Sort) -> Iterator[int]:
        return iter([document.record for document in self._sorted(sort)])

    def facets(self, fields: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {name: {} for name in fields}
        for document, name in itertools.product(self.met, fields):
            value = self._value(document, name)
            if value:
                found[name][value] = found[name].get(value, 0) + 1
        return found

    def _value(self, document: Document, name: str) -> str | None:
        published = document.published_at
        return {
            "page": document.page_name,
            "platform": document.platform,
            "kind": document.kind,
            "author": document.author[-1] if document.author else None,
            "state": document.state,
            "lang": document.language,
            "origin": document.origin,
            "month": f"{published.astimezone(self.scope.zone):%Y-%m}" if published else None,
        }[name]

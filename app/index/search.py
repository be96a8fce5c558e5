"""The verbs of searching: ask, narrow, stream, mark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from app.db import Tx
from app.index import analyser, asof
from app.index.asof import History
from app.index.documents import LACKS
from app.index.engine import Answer, Index, QueryNotSupported, Scope, Sort
from app.index.keys import Keys
from app.index.language import Query, fact, parse, published
from app.index.leafing import Begun
from app.index.printer import explain, show
from app.index.source import LedgerSource
from app.index.spans import Words, marked, reach_of
from app.index.standing import JOINED, Standing, joined, must_have_history
from app.index.tree import (
    Address,
    DateRange,
    Field,
    Mention,
    Not,
    Tag,
    Tree,
    asks_for_words,
    both,
    everything_in,
    with_dates_met,
    with_dates_unmet,
    with_words_met,
)
from app.records.errors import Invalid
from app.store.store import Store

_LACKING = Field("unsearchable", "any")


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a question.

    `undated` counts the records that only their missing date of publication
    kept out. `as_of` is the size of the ledger that the answer speaks of.

    `not_searched` says by reason what may be missing: `behind`, ledger entries
    that the index has not seen yet, and under words of `LACKS` the records that
    the question could have found in pictures, scans and files that nobody can
    read. `unsearchable` is how many that are: entries, and records each once.

    `disposed_since` is how many records were disposed of since the size of the
    ledger that was asked about; None where the question was about now.
    """

    total: int
    records: tuple[int, ...]
    cursor: str | None
    undated: int
    as_of: int
    unsearchable: int
    query: Mapping[str, object]
    behind: int = 0
    not_searched: Mapping[str, int] = field(default_factory=dict)
    disposed_since: int | None = None
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def search(
    engine: Index,
    query: str | Query | Tree,
    *,
    zone: ZoneInfo,
    ledger_size: int,
    may_read_messages: bool = False,
    sort: Sort = Sort.NEWEST,
    limit: int = 50,
    after: str | None = None,
    facets: Sequence[str] = (),
    standing: Standing | None = None,
    past: Past | None = None,
    history: History | None = None,
) -> Found:
    """Answer a question with its exact total.

    Private messages are not found, counted or faceted unless
    `may_read_messages`. `standing` knows tags, series and holds; without it
    they are refused. With `past` the question is about an earlier size.
    `history` is what a list in the order of capture goes on by: what is
    captured while somebody leafs through it moves nothing in it.
    """
    understood = _understood(query)
    seen = asof.size_of(engine)
    here = asking(engine, understood, zone, may_read_messages=may_read_messages, standing=standing, past=past)
    answer = here.answer()
    begun = Begun.of(sort, after, seen)
    page = here.going_on(begun, history, answer).page(sort, limit, begun.after)
    lacking = here.lacking()
    behind = max(0, ledger_size - seen) if past is None else 0
    return Found(
        total=answer.total(),
        records=page.records,
        cursor=begun.cursor(page.cursor),
        undated=here.undated(),
        as_of=seen if past is None else past.size,
        unsearchable=behind + lacking.pop("any", 0),
        query=understood.explain(),
        behind=behind,
        not_searched=({"behind": behind} if behind else {}) | lacking,
        disposed_since=None if past is None else past.disposed,
        facets=counted(answer, facets, standing if past is None else None),
    )


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier size of the ledger that a question is about, what knows of it, and how many were disposed of since."""

    history: History
    size: int
    disposed: int


class NoSuchSize(Invalid):
    """The ledger never had so many entries."""

    code = "no-such-size"


def past(store: Store, tx: Tx, size: int) -> Past:
    """What a question about `size` entries of the ledger needs, or `NoSuchSize`."""
    entries = store.ledger.size(tx)
    if not 0 < size <= entries:
        raise NoSuchSize(
            f"the ledger has {entries} entries, not {size}",
            next="Give a size that an answer or a checkpoint told.",
        )
    return Past(LedgerSource(store), size, asof.disposed_since(tx, size))


@dataclass(frozen=True, slots=True)
class Asking:
    """A question on its way to the index: its facts joined, about now or about an earlier size."""

    engine: Index
    tree: Tree
    scope: Scope
    past: Past | None = None

    def answer(self) -> Answer:
        """What is found. The question is refused, if at all, here."""
        return self.engine.ask(self._as_of(self.tree), self.scope)

    def going_on(self, begun: Begun, history: History | None, answer: Answer) -> Answer:
        """What a part of a list is taken from: `answer`, or, where its order may have moved since it was begun, as it stood then."""
        if self.past is not None or history is None:
            return answer
        tree = begun.question(history, self.engine, self.tree, self.scope)
        return answer if tree is self.tree else self.engine.ask(tree, self.scope)

    def undated(self) -> int:
        """How many records without a date of publication would be hits if their dates were met, and are not."""
        if self.past is None:
            return undated(self.engine, self.tree, self.scope)
        past = self.past
        return len(asof.undated(past.history, self.engine, self.tree, self.scope, past.size))

    def lacking(self) -> dict[str, int]:
        """How many records could not be searched wholly, and might be hits by what was not: `any`, and each reason."""
        if not asks_for_words(self.tree) or self._nothing_lacks():
            return {}
        found: dict[str, int] = {}
        for reason in ("any", *LACKS):
            tree = both(with_words_met(self.tree), Field("unsearchable", reason))
            number = self.engine.ask(self._as_of(tree), self.scope).total()
            if number:
                found[reason] = number
            elif reason == "any":
                break
        return found

    def _nothing_lacks(self) -> bool:
        """Whether all that there is could be searched wholly, which is soon asked."""
        return self.past is None and not self.engine.ask(_LACKING, self.scope).total()

    def _as_of(self, tree: Tree) -> Tree:
        if self.past is None:
            return tree
        return asof.question(self.past.history, self.engine, tree, self.scope, self.past.size)


def counted(
    answer: Answer, facets: Sequence[str], standing: Standing | None
) -> Mapping[str, Mapping[str, int]]:
    """How many hits have each value of these facts; those that no index keeps are read for what was found."""
    beside = [name for name in facets if name in JOINED]
    if beside and standing is None:
        raise QueryNotSupported(", ".join(beside), "hits cannot be counted by it here")
    found = dict(answer.facets([name for name in facets if name not in JOINED]))
    if beside and standing is not None:
        hits = Keys.of(answer.every(Sort.CAPTURED))
        found |= {name: standing.counted(name, hits) for name in beside}
    return {name: found[name] for name in facets}


def count(
    engine: Index,
    query: str | Query | Tree,
    *,
    zone: ZoneInfo,
    may_read_messages: bool = False,
    standing: Standing | None = None,
) -> int:
    """How many records are hits."""
    return asked(engine, query, zone, may_read_messages=may_read_messages, standing=standing).total()


def every(
    engine: Index,
    query: str | Query | Tree,
    *,
    zone: ZoneInfo,
    may_read_messages: bool = False,
    sort: Sort = Sort.NEWEST,
    standing: Standing | None = None,
    past: Past | None = None,
) -> Iterator[int]:
    """Every hit in order, without a cap. The question is refused, if at all, before the first one."""
    answer = asked(engine, query, zone, may_read_messages=may_read_messages, standing=standing, past=past)
    return answer.every(sort)


def asked(
    engine: Index,
    query: str | Query | Tree,
    zone: ZoneInfo,
    *,
    may_read_messages: bool,
    standing: Standing | None = None,
    past: Past | None = None,
) -> Answer:
    """The answer to a question, its facts joined."""
    return asking(
        engine, query, zone, may_read_messages=may_read_messages, standing=standing, past=past
    ).answer()


def asking(
    engine: Index,
    query: str | Query | Tree,
    zone: ZoneInfo,
    *,
    may_read_messages: bool,
    standing: Standing | None = None,
    past: Past | None = None,
) -> Asking:
    """A question, its facts joined."""
    tree, scope = _understood(query).tree, Scope(zone, messages=may_read_messages)
    if past is not None:
        must_have_history(tree)
    return Asking(engine, joined(tree, standing), scope, past)


def _understood(query: str | Query | Tree) -> Query:
    if isinstance(query, Query):
        return query
    return parse(query) if isinstance(query, str) else Query(show(query), query)


def undated(engine: Index, tree: Tree, scope: Scope) -> int:
    """How many records without a date of publication would be hits if their dates were met, and are not."""
    if not any(isinstance(part, DateRange) for part in everything_in(tree)):
        return 0
    without = both(with_dates_met(tree), Not(Field("has", "date")), Not(with_dates_unmet(tree)))
    return engine.ask(without, scope).total()


def narrowed(
    query: Query,
    *,
    since: str | None = None,
    until: str | None = None,
    **fields: str | None,
) -> Query:
    """The same question within these fields and days of publication; a value is a whole value, whatever signs it has.

    Raises `BadQuery` with the parameter and the place in its value.
    """
    parts = [query.tree, *(fact(name, value) for name, value in fields.items() if value is not None)]
    if since or until:
        parts.append(published(since, until))
    return Query(query.text, both(*parts), query.notes)


def highlight(tree: Tree, text: str, place: str = "text") -> list[tuple[int, int]]:
    """Where `text`, which stands at `place`, meets the question: places (half open) in their order, none touching another.

    Phrases and hashtags are marked whole, with what stands between their
    words; of a proximity only what takes part in it.
    """
    return _joined(_marks(tree, text, place)[0])


def first_places(
    tree: Tree, text: str, room: int, place: str = "text", *, part: int = 6_000
) -> list[tuple[int, int]]:
    """What `highlight` gives, of a long text as far as `room` characters from the first place at least: for an excerpt.

    No more is read than that takes, `part` characters at first: whether a word
    is marked depends on the words within its reach and no others.
    """
    reach = reach_of(tree)
    while reach is not None and part < len(text):
        end = max(text.rfind(" ", 0, part), text.rfind("\n", 0, part))  # no word and no sigil goes over these
        places, words = _marks(tree, text[: max(end, 0)], place)
        if places and reach < len(words):
            known = words[len(words) - reach - 1][0]
            if known > places[0][0] + room:
                return _joined([one for one in places if one[0] < known])
        part *= 4
    return highlight(tree, text, place)


def _marks(tree: Tree, text: str, place: str) -> tuple[list[tuple[int, int]], Sequence[tuple[int, int]]]:
    """Every place that is marked, in order, and the place of every word."""
    found, at = analyser.words_with_places(text)
    asks = any(isinstance(part, Tag | Mention | Address) for part in everything_in(tree))
    words = Words(found, analyser.sigils(text) if asks else ())
    return sorted((at[first][0], at[last][1]) for first, last in marked(tree, words, place)), at


def _joined(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


__all__ = [
    "Asking",
    "Found",
    "NoSuchSize",
    "Past",
    "Query",
    "asked",
    "count",
    "counted",
    "every",
    "explain",
    "first_places",
    "highlight",
    "narrowed",
    "parse",
    "past",
    "search",
    "show",
    "undated",
]  # fmt: skip

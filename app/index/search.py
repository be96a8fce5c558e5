"""The verbs of searching: ask, narrow, stream, mark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from app.index import analyser
from app.index.engine import Answer, Engine, Scope, Sort
from app.index.language import Query, parse
from app.index.printer import explain, show
from app.index.spans import Words, marked
from app.index.tree import DateRange, Field, Not, Tree, both, everything_in, with_dates_met


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a question.

    `undated` counts the records that only their missing date of publication
    kept out. `as_of` is the size of the ledger that the index reflects, and
    `unsearchable` how many entries it has not seen yet.
    """

    total: int
    records: tuple[int, ...]
    cursor: str | None
    undated: int
    as_of: int
    unsearchable: int
    query: Mapping[str, object]
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def search(
    engine: Engine,
    query: str | Query | Tree,
    *,
    zone: ZoneInfo,
    ledger_size: int,
    may_read_messages: bool = False,
    sort: Sort = Sort.NEWEST,
    limit: int = 50,
    after: str | None = None,
    facets: Sequence[str] = (),
) -> Found:
    """Answer a question with its exact total.

    Private messages are not found, counted or faceted unless
    `may_read_messages`.
    """
    understood = _understood(query)
    scope = Scope(zone, messages=may_read_messages)
    position = engine.position()
    answer = engine.ask(understood.tree, scope)
    page = answer.page(sort, limit, after)
    seen = position.entry + 1 if position is not None else 0
    return Found(
        total=answer.total(),
        records=page.records,
        cursor=page.cursor,
        undated=undated(engine, understood.tree, scope),
        as_of=seen,
        unsearchable=max(0, ledger_size - seen),
        query=understood.explain(),
        facets=answer.facets(facets),
    )


def count(
    engine: Engine, query: str | Query | Tree, *, zone: ZoneInfo, may_read_messages: bool = False
) -> int:
    """How many records are hits."""
    return _asked(engine, query, zone, may_read_messages=may_read_messages).total()


def every(
    engine: Engine,
    query: str | Query | Tree,
    *,
    zone: ZoneInfo,
    may_read_messages: bool = False,
    sort: Sort = Sort.NEWEST,
) -> Iterator[int]:
    """Every hit in order, without a cap. The question is refused, if at all, before the first one."""
    return _asked(engine, query, zone, may_read_messages=may_read_messages).every(sort)


def _asked(engine: Engine, query: str | Query | Tree, zone: ZoneInfo, *, may_read_messages: bool) -> Answer:
    return engine.ask(_understood(query).tree, Scope(zone, messages=may_read_messages))


def _understood(query: str | Query | Tree) -> Query:
    if isinstance(query, Query):
        return query
    return parse(query) if isinstance(query, str) else Query(show(query), query)


def undated(engine: Engine, tree: Tree, scope: Scope) -> int:
    """How many records without a date of publication would be hits if their dates were met, and are not."""
    if not any(isinstance(part, DateRange) for part in everything_in(tree)):
        return 0
    without = both(with_dates_met(tree), Not(Field("has", "date")), Not(tree))
    return engine.ask(without, scope).total()


def narrowed(
    query: Query,
    *,
    since: str | None = None,
    until: str | None = None,
    **fields: str | None,
) -> Query:
    """The same question within these fields and days of publication, each as the query language writes its value."""
    parts = [query.tree]
    for name, value in fields.items():
        if value is not None:
            parts.append(parse(show(Field(name, value))).tree)
    if since is not None or until is not None:
        parts.append(parse(f'date:"{since or ""}..{until or ""}"').tree)
    return Query(query.text, both(*parts), query.notes)


def highlight(tree: Tree, text: str) -> list[tuple[int, int]]:
    """Where `text` meets the question: places (half open) in their order, none touching another.

    Phrases and hashtags are marked whole, with what stands between their
    words; of a proximity only what takes part in it.
    """
    tokens = analyser.tokens(text)
    words = Words([token.word for token in tokens], analyser.sigils(text))
    places = sorted((tokens[first].start, tokens[last].end) for first, last in marked(tree, words))
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


__all__ = [
    "Found", "Query", "count", "every", "explain", "highlight", "narrowed", "parse", "search", "show", "undated",
]  # fmt: skip

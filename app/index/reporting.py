"""Making a search-term report: each query is asked of the index, and all of them are as of one size of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from app.db import Tx
from app.index import asof, families, reports
from app.index.asof import History
from app.index.engine import Engine, QueryNotSupported, Scope
from app.index.keys import Keys
from app.index.language import BadQuery, parse
from app.index.questions import Filters
from app.index.reports import Asked, Line, Listed, Mistake, Report
from app.index.tree import Field, asks_for_words, both, with_words_met
from app.store import access
from app.store.store import Store


def make(
    store: Store,
    history: History,
    engine: Engine,
    listed: Sequence[Listed],
    filters: Filters,
    *,
    messages: bool,
) -> Report:
    """Ask every query of a list within `filters`, and count.

    What is captured while it is made is left out, and what is disposed of
    meanwhile is, too: all numbers speak of the same records. Filters that
    cannot be understood are refused before anything is asked.
    """
    filters.narrow(parse("*"))
    size = asof.size_of(engine)
    scope = Scope(store.agency.zone(), messages=messages)
    asked: list[Asked] = []
    mistakes: list[Mistake] = []
    for one in listed:
        match one:
            case Mistake():
                mistakes.append(one)
            case Line():
                found = _ask(history, engine, one, filters, scope, size)
                if isinstance(found, Mistake):
                    mistakes.append(found)
                else:
                    asked.append(found)
    with store.database.read() as tx:
        known = families.read(tx, size, messages=messages)
        behind = max(0, store.ledger.size(tx) - size)
    return reports.tally(
        [replace(one, hits=one.hits & known.living, lacking=one.lacking & known.living) for one in asked],
        mistakes,
        with_family=known.with_family,
        as_of=size,
        behind=behind,
        scope=filters.as_json(),
    )


def _ask(
    history: History, engine: Engine, line: Line, filters: Filters, scope: Scope, size: int
) -> Asked | Mistake:
    try:
        query = filters.narrow(parse(line.query))
        found = asof.hits(history, engine, query.tree, scope, size)
        left: Keys = asof.undated(history, engine, query.tree, scope, size)
        lacking = Keys()
        if asks_for_words(query.tree):
            unread = both(with_words_met(query.tree), Field("unsearchable", "any"))
            lacking = asof.hits(history, engine, unread, scope, size)
    except BadQuery as error:
        return reports.misread(line, error)
    except QueryNotSupported as error:
        return reports.unanswered(line, error)
    told = query.explain()
    return Asked(line, str(told["understood"]), query.notes, found, len(left), lacking)


def note(store: Store, tx: Tx, report: Report, *, by: UUID, taken: bool) -> None:
    """Write down on the access log what was asked; `taken` where a working copy of the report was made."""
    detail = {
        "what": "search-report",
        "queries": [row.line.query for row in report.rows],
        "not_understood": [one.line.query for one in report.mistakes],
        "filters": dict(report.scope),
        "total": report.totals.hits,
    }
    access.note(store, tx, "export" if taken else "search", by=by, detail=detail)

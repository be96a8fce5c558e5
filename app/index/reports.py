"""The search-term report: many queries over one scope, each with what it finds, what only it finds, and with whom it shares.

Two sides negotiate with it which words are searched for. So its numbers are
exact, and everything that was asked is in it: a query that cannot be
understood is listed with the place of its mistake and stops nothing else.

Pure: what each query finds comes in as a set of whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias

from app.index.engine import QueryNotSupported
from app.index.keys import Keys
from app.index.language import EXAMPLES, FIELDS, BadQuery
from app.records.errors import Invalid

MOST_QUERIES = 300
"""More make a report that nobody reads; every pair of queries is compared."""
_LONGEST_NAME = 200
_NAMED = re.compile(r"([^\s:\"“”„‟＂][^:\"“”„‟＂]*):(?=\s|$)")
"""A name ends with a colon and a blank, and no quotation mark stands before it."""


class BadQueryList(Invalid):
    """The list of queries cannot be read, is empty, or is too long."""

    code = "bad-query-list"


@dataclass(frozen=True, slots=True)
class Line:
    """A query of the list: the number among the queries, the line of the file, its name, and the query."""

    number: int
    line: int
    name: str
    query: str
    begins: int = 0
    """How many characters of the line stand before the query."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that could not be understood, with the place in it (characters from 1) and what to write."""

    line: Line
    column: int
    length: int
    what: str
    next: str


Listed: TypeAlias = Line | Mistake


def read(content: bytes) -> str:
    """The list as text; UTF-8, with or without its mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadQueryList(
            f"the list is not UTF-8: byte {error.start + 1}", next="Save it as plain text in UTF-8."
        ) from error


def listed(text: str) -> list[Listed]:
    """The queries of a list, one a line: `name: query`, or the query alone. Empty lines are passed over."""
    found: list[Listed] = []
    for number, written in enumerate(text.splitlines(), start=1):
        if written.strip():
            found.append(_line(len(found) + 1, number, written))
    return _bounded(found)


def given(queries: Sequence[tuple[str, str]]) -> list[Listed]:
    """Queries that come with their names already; where a name is empty, the query is called by its words."""
    return _bounded(
        [
            Line(number, number, _short(name.strip() or query.strip()), query)
            for number, (name, query) in enumerate(queries, start=1)
        ]
    )


def _bounded(found: list[Listed]) -> list[Listed]:
    if not found:
        raise BadQueryList("the list has no query", next="Write one query a line: `name: query`.")
    if len(found) > MOST_QUERIES:
        raise BadQueryList(
            f"the list has {len(found)} queries, and a report compares {MOST_QUERIES} at most",
            next="Divide it into several lists.",
        )
    return found


def _line(number: int, line: int, written: str) -> Listed:
    start = len(written) - len(written.lstrip())
    named = _NAMED.match(written, start)
    if named is None or named[1].count("(") != named[1].count(")"):  # a bracket is open: it is a query
        query = written.strip()
        return Line(number, line, _short(query), query, start)
    name, rest = named[1].strip(), written[named.end() :]
    begins = named.end() + len(rest) - len(rest.lstrip())
    told = Line(number, line, _short(name), rest.strip(), begins)
    word = name.split()[-1]
    if word.lower() in FIELDS:
        at = named.end() - len(word)
        return Mistake(
            told, at, len(word) + 1,
            f"{word}: with a blank after it is neither a field nor surely a name",
            f"Write {EXAMPLES[word.lower()]} without a blank for the field, or another name before the colon.",
        )  # fmt: skip
    if not told.query:
        return Mistake(told, named.end(), 1, "Nothing follows the name", "Write `name: query`.")
    return told


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def misread(line: Line, error: BadQuery) -> Mistake:
    """A query that the language refuses, at its place in the line."""
    return Mistake(line, line.begins + error.position + 1, max(1, error.length), error.what, error.next)


def unanswered(line: Line, error: QueryNotSupported) -> Mistake:
    """A query that was understood and that the index cannot answer, at the part that it cannot."""
    at = max(0, line.query.casefold().find(error.part.casefold()))
    said = str(error).removesuffix(".")
    return Mistake(line, line.begins + at + 1, len(error.part), said, error.next)


# ---- what is counted -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was understood, with what it finds."""

    line: Line
    understood: str
    notes: Sequence[str]
    hits: Keys
    undated: int = 0
    lacking: Keys = field(default_factory=Keys)
    """Records that might be hits by what nobody could read in them."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of one query: `unique` are hits of no other query of the list."""

    line: Line
    understood: str
    notes: Sequence[str]
    hits: int
    unique: int
    with_family: int
    undated: int
    unsearchable: int
    """How many records might be hits by pictures, scans and files that nobody could read."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many records two queries, by their numbers, both find."""

    first: int
    second: int
    records: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all queries together, each record once."""

    hits: int
    with_family: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report, with the size of the ledger that it is as of and what was not searched.

    `behind` are ledger entries that the index has not seen yet; `unsearchable`
    counts them and, each once, the records that any query might find in what
    nobody could read.
    """

    rows: Sequence[Row]
    mistakes: Sequence[Mistake]
    overlaps: Sequence[Overlap]
    totals: Totals
    as_of: int
    behind: int
    unsearchable: int
    scope: Mapping[str, str] = field(default_factory=dict)


def tally(
    asked: Sequence[Asked],
    mistakes: Sequence[Mistake],
    *,
    with_family: Callable[[Keys], int],
    as_of: int,
    behind: int,
    scope: Mapping[str, str],
) -> Report:
    """Count the report; `with_family` says how many records the families of some hits have."""
    all_hits, once = _once(asked)
    return Report(
        rows=[
            Row(
                line=one.line,
                understood=one.understood,
                notes=one.notes,
                hits=len(one.hits),
                unique=len(one.hits & once),
                with_family=with_family(one.hits),
                undated=one.undated,
                unsearchable=len(one.lacking),
            )
            for one in asked
        ],
        mistakes=mistakes,
        overlaps=[
            Overlap(one.line.number, other.line.number, len(one.hits & other.hits))
            for one, other in combinations(asked, 2)
        ],
        totals=Totals(len(all_hits), with_family(all_hits)),
        as_of=as_of,
        behind=behind,
        unsearchable=behind + len(_any(one.lacking for one in asked)),
        scope=scope,
    )


def _any(sets: Iterable[Keys]) -> Keys:
    found = Keys()
    for one in sets:
        found |= one
    return found


def _once(asked: Sequence[Asked]) -> tuple[Keys, Keys]:
    """What any query finds, and what exactly one does."""
    found, twice = Keys(), Keys()
    for one in asked:
        twice |= found & one.hits
        found |= one.hits
    return found, found - twice


# ---- how it is told ------------------------------------------------------------------------------


def as_json(report: Report) -> dict[str, object]:
    """The report as programs read it."""
    return {
        "as_of": report.as_of,
        "unsearchable": report.unsearchable,
        "behind": report.behind,
        "scope": dict(report.scope),
        "queries": [
            {
                "number": row.line.number,
                "line": row.line.line,
                "name": row.line.name,
                "query": row.line.query,
                "understood": row.understood,
                "notes": list(row.notes),
                "hits": row.hits,
                "unique": row.unique,
                "with_family": row.with_family,
                "undated": row.undated,
                "unsearchable": row.unsearchable,
            }
            for row in report.rows
        ],
        "totals": {
            "queries": len(report.rows),
            "hits": report.totals.hits,
            "with_family": report.totals.with_family,
        },
        "overlaps": [
            {"first": one.first, "second": one.second, "records": one.records} for one in report.overlaps
        ],
        "not_understood": [
            {
                "number": one.line.number,
                "line": one.line.line,
                "name": one.line.name,
                "query": one.line.query,
                "column": one.column,
                "length": one.length,
                "what": one.what,
                "next": one.next,
            }
            for one in report.mistakes
        ],
    }


def head(report: Report) -> list[tuple[str, object]]:
    """What a working copy says of the whole report."""
    return [
        ("What", "Search-term report"),
        *((f"Only {name}", value) for name, value in report.scope.items()),
        ("Queries", len(report.rows)),
        ("Queries not understood", len(report.mistakes)),
        ("Records that any query finds", report.totals.hits),
        ("with their families", report.totals.with_family),
        ("Ledger entries searched", report.as_of),
        ("Ledger entries not searched yet", report.behind),
        (
            "Records with pictures, scans or files that could not be searched",
            report.unsearchable - report.behind,
        ),
    ]


def tables(report: Report) -> Iterator[tuple[str, list[Sequence[object]]]]:
    """The report as tables, each with its title and its heads."""
    yield "Queries", [
        ("number", "name", "query", "understood as", "hits", "unique hits", "hits with family", "left out for having no date", "could not be searched wholly"),
        *(
            (row.line.number, row.line.name, row.line.query, row.understood, row.hits, row.unique, row.with_family, row.undated, row.unsearchable)
            for row in report.rows
        ),
        (None, "All queries together", None, None, report.totals.hits, None, report.totals.with_family, None, report.unsearchable - report.behind),
    ]  # fmt: skip
    yield "Overlap", list(matrix(report))
    if report.mistakes:
        yield (
            "Not understood",
            [
                ("line", "name", "query", "character", "what", "what to write"),
                *(
                    (one.line.line, one.line.name, one.line.query, one.column, one.what, one.next)
                    for one in report.mistakes
                ),
            ],
        )


def matrix(report: Report) -> Iterator[Sequence[object]]:
    """How many records each two queries both find, a line and a column for each; on the diagonal, its own hits."""
    shared = {(one.first, one.second): one.records for one in report.overlaps}
    numbers = [row.line.number for row in report.rows]
    yield ("number", *numbers)
    for row in report.rows:
        mine = row.line.number
        yield (
            mine,
            *(row.hits if mine == other else shared[min(mine, other), max(mine, other)] for other in numbers),
        )

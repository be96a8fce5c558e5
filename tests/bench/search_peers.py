"""The same questions asked of others: SQLite FTS5, PostgreSQL's text search, and Whoosh, each in a process of its own.

Every one is given the very words that our analyser makes, so that a count
which differs is a difference of engines; and beside them page, platform,
author, kind, state and date of publication, each with an index where there are
such. A question is asked as a skilled hand would ask that engine, for what the
archive gives: an exact total and the newest twenty. What an engine cannot say
is left out for it, and counted.

PostgreSQL is a throw-away cluster as the tests start it, without fsync, which
favours it where it builds and changes nothing where it answers.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import psycopg

from app.index import analyser
from app.index.documents import Document, Position
from app.index.engine import Engine, folded, instants, microseconds
from app.index.language import parse
from app.index.tantivy_engine import TantivyEngine
from app.index.tree import And, DateRange, Field, Near, Not, Or, Phrase, Pre, Tag, Term, Tree, Wild
from tests.bench.queries import ZONE, a_document, observations
from tests.bench.search_stages import NEWEST, asked_of_corpus, first_answer, milliseconds
from tests.postgres import Cluster, programs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Whoosh's own modules say when Python reads them
    from whoosh import fields, index, query
    from whoosh.query import spans

BATCH = 5_000
FACTS = ("page", "platform", "kind", "state")
UNDATED = -(2**62)


class CannotSay(Exception):
    """This engine has no way to ask that exactly."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record as a peer is given it: its words, its hashtags and mentions, and facts beside them."""

    number: int
    published: int
    words: str
    sigils: Sequence[str]
    facts: Mapping[str, str]
    author: Sequence[str]


def rows(names: Sequence[str]) -> Iterator[Row]:
    for number, seen in enumerate(observations(names), 1):
        document = a_document(number, seen)
        yield of_document(document)


def of_document(document: Document) -> Row:
    analysis = analyser.analyse(document.text)
    published = document.published_at
    author = [folded(one) for one in document.author]
    return Row(
        number=document.record,
        published=UNDATED if published is None else microseconds(published),
        words=analysis.words,
        sigils=[sigil.text for sigil in analysis.sigils],
        facts={name: folded(str(getattr(document, name))) for name in FACTS},
        author=[*author, "", "", ""][:3],
    )


class Peer(Protocol):
    """An engine that is filled once and then asked."""

    def fill(self, given: Iterator[Row]) -> int:
        """Take in these records; how many there were."""
        ...

    def asking(self, tree: Tree) -> Callable[[], int]:
        """What asks this question for its total and the newest twenty, or `CannotSay`."""
        ...


# ---- SQL, as two engines speak it ------------------------------------------------------------------------------


class Sql:
    """A question as a condition over the table of records; only what stands in a text differs by engine."""

    sign = "?"
    """What stands for a value."""

    def condition(self, tree: Tree, values: list[Any]) -> str:
        words = self.text(tree)
        if words is not None:
            return self.match(words, values)
        match tree:
            case And(parts):
                told = [part for part in parts if self.in_a_text(part)]
                rest = [self.condition(part, values) for part in parts if part not in told]
                together = self.text(And(tuple(told))) if len(told) > 1 else None
                if together is not None:  # one question for all words, where one of them must be there
                    rest.append(self.match(together, values))
                else:
                    rest += [self.condition(part, values) for part in told]
                return " AND ".join(f"({one})" for one in rest)
            case Or(parts):
                return " OR ".join(f"({self.condition(part, values)})" for part in parts)
            case Not(part):
                return f"NOT ({self.condition(part, values)})"
            case Field("author", value):
                values += [folded(value)] * 3
                return " OR ".join(f"author_{number} = {self.sign}" for number in (1, 2, 3))
            case Field(name, value) if name in FACTS:
                values.append(folded(value))
                return f"{name} = {self.sign}"
            case DateRange():
                begin, end = instants(tree, ZONE)
                values += [UNDATED + 1 if begin is None else begin, 2**62 if end is None else end]
                return f"published >= {self.sign} AND published < {self.sign}"
            case _:
                raise CannotSay(type(tree).__name__)

    def in_a_text(self, tree: Tree) -> bool:
        part = tree.part if isinstance(tree, Not) else tree
        return self.text(part) is not None

    def text(self, tree: Tree) -> str | None:
        """The words of a question as the engine writes them, or None where other things stand in it."""
        raise AssertionError("each engine has its own")

    def match(self, words: str, values: list[Any]) -> str:
        raise AssertionError("each engine has its own")


_COLUMNS = ("number", "published", *FACTS, "author_1", "author_2", "author_3")
_KEPT = "CREATE TABLE kept (number {key}, published bigint, {facts}, author_1 text, author_2 text, author_3 text{more})"
_LOOKED_UP = ("published", *FACTS, "author_1", "author_2", "author_3")


def _kept(key: str, more: str = "") -> str:
    return _KEPT.format(key=key, facts=", ".join(f"{name} text" for name in FACTS), more=more)


def _values(row: Row) -> tuple[Any, ...]:
    return (row.number, row.published, *row.facts.values(), *row.author)


_ASKED = "SELECT number, count(*) OVER () FROM kept WHERE {} ORDER BY published DESC LIMIT {}"


# ---- SQLite ----------------------------------------------------------------------------------------------------


class Fts5(Sql):
    """FTS5 as the machine's SQLite brings it, without a copy of the texts."""

    def __init__(self, folder: Path) -> None:
        self.database = sqlite3.connect(folder / "fts5.db")
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA cache_size=-262144")

    def fill(self, given: Iterator[Row]) -> int:
        database, number = self.database, 0
        database.execute(_kept("INTEGER PRIMARY KEY"))
        database.execute(
            "CREATE VIRTUAL TABLE found USING fts5(words, sigils, content='', tokenize=\"ascii tokenchars '_#@./:-'\")"
        )
        while batch := list(islice(given, BATCH)):
            number += len(batch)
            with database:
                places = ", ".join("?" * len(_COLUMNS))
                database.executemany(f"INSERT INTO kept VALUES ({places})", map(_values, batch))
                database.executemany(
                    "INSERT INTO found (rowid, words, sigils) VALUES (?, ?, ?)",
                    ((row.number, row.words, " ".join(row.sigils)) for row in batch),
                )
        with database:
            for name in _LOOKED_UP:
                database.execute(f"CREATE INDEX by_{name} ON kept ({name})")
            database.execute("INSERT INTO found (found) VALUES ('optimize')")
            database.execute("ANALYZE")
        return number

    def asking(self, tree: Tree) -> Callable[[], int]:
        values: list[Any] = []
        statement = _ASKED.format(self.condition(tree, values), NEWEST)

        def ask() -> int:
            hits = self.database.execute(statement, values).fetchall()
            return int(hits[0][1]) if hits else 0

        return ask

    def match(self, words: str, values: list[Any]) -> str:
        values.append(words)
        return "number IN (SELECT rowid FROM found WHERE found MATCH ?)"

    def text(self, tree: Tree) -> str | None:
        match tree:
            case Term(word):
                return f"words : {_quoted(word)}"
            case Tag(name):
                return f"sigils : {_star(f'#{name}')}"
            case Wild(pattern):
                return f"words : {_star(pattern)}"
            case Phrase(parts):
                return f"words : {_phrase(parts)}"
            case Near(within, left, right):
                pairs = [(one, other) for one in _each(left) for other in _each(right)]
                return (
                    "words : ("
                    + " OR ".join(f"NEAR({one} {other}, {within - 1})" for one, other in pairs)
                    + ")"
                )
            case Or(parts):
                told = [self.text(part) for part in parts]
                return None if None in told else "(" + " OR ".join(f"({one})" for one in told) + ")"
            case And(parts):
                wanted = [self.text(part) for part in parts if not isinstance(part, Not)]
                but_not = [self.text(part.part) for part in parts if isinstance(part, Not)]
                if None in wanted or None in but_not or not wanted:
                    return None
                found = "(" + " AND ".join(f"({one})" for one in wanted) + ")"
                return found + "".join(f" NOT ({one})" for one in but_not)
            case Pre():
                raise CannotSay("words in this order")
            case _:
                return None


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _star(pattern: str) -> str:
    """A word, or the beginning of one; a wildcard anywhere else it does not have."""
    bare = pattern.removesuffix("*")
    if "*" in bare or "?" in bare:
        raise CannotSay("a wildcard inside a word")
    return _quoted(bare) + ("*" if bare != pattern else "")


def _phrase(parts: Sequence[Tree]) -> str:
    words = [part.word for part in parts if isinstance(part, Term)]
    if len(words) != len(parts):
        raise CannotSay("a wildcard in a phrase")
    return _quoted(" ".join(words))


def _each(tree: Tree) -> list[str]:
    """Every word or phrase that a side of a proximity may be."""
    match tree:
        case Term(word):
            return [_quoted(word)]
        case Wild(pattern):
            return [_star(pattern)]
        case Phrase(parts):
            return [_phrase(parts)]
        case Or(parts):
            return [one for part in parts for one in _each(part)]
        case _:
            raise CannotSay("proximities within one another")


# ---- PostgreSQL ------------------------------------------------------------------------------------------------


class PostgreSql(Sql):
    """`tsvector` with GIN; positions as our analyser counts them, as far as PostgreSQL counts."""

    sign = "%s"

    def __init__(self, _: Path) -> None:
        found = programs()
        if found is None:
            raise CannotSay("PostgreSQL is not installed")
        self.cluster = Cluster(found)
        name = self.cluster.fresh().partition("@/")[2].partition("?")[0]
        self.database = psycopg.connect(
            host=str(self.cluster.folder), user="postgres", dbname=name, autocommit=True
        )
        self.database.execute("SET work_mem = '64MB'")
        self.database.execute("SET jit = off")

    def fill(self, given: Iterator[Row]) -> int:
        database, number = self.database, 0
        database.execute(_kept("bigint PRIMARY KEY", ", words tsvector, sigils tsvector"))
        with (
            database.cursor() as cursor,
            cursor.copy(f"COPY kept ({', '.join(_COLUMNS)}, words, sigils) FROM STDIN") as taking,
        ):
            for row in given:
                number += 1
                plain = [one.replace("\x00", "") for one in map(str, _values(row))]
                taking.write_row((*plain, _vector(row.words.split()), _vector(row.sigils)))
        for name in ("words", "sigils"):
            database.execute(f"CREATE INDEX by_{name} ON kept USING gin ({name})")
        for name in _LOOKED_UP:
            database.execute(f"CREATE INDEX by_{name} ON kept ({name})")
        database.execute("VACUUM ANALYZE kept")
        return number

    def asking(self, tree: Tree) -> Callable[[], int]:
        values: list[Any] = []
        statement = _ASKED.format(self.condition(tree, values), NEWEST).encode()

        def ask() -> int:
            hits = self.database.execute(statement, values).fetchall()
            return int(hits[0][1]) if hits else 0

        return ask

    def close(self) -> None:
        self.database.close()
        self.cluster.stop()

    def match(self, words: str, values: list[Any]) -> str:
        column, _, asked = words.partition(" ")
        values.append(asked)
        return f"{column} @@ %s::tsquery"

    def text(self, tree: Tree) -> str | None:
        if isinstance(tree, Tag):
            return f"sigils {_lexeme(f'#{tree.name}')}"
        words = self._words(tree)
        return None if words is None else f"words {words}"

    def _words(self, tree: Tree) -> str | None:
        match tree:
            case Term(word):
                return _lexeme(word)
            case Wild(pattern):
                return _lexeme(pattern)
            case Phrase(parts):
                return "(" + " <-> ".join(self._said(part) for part in parts) + ")"
            case Near(within, left, right):
                one, other = self._said(left), self._said(right)
                return _within(within, one, other) + " | " + _within(within, other, one)
            case Pre(within, left, right):
                return _within(within, self._said(left), self._said(right))
            case Or(parts) | And(parts):
                told = [self._words(part) for part in parts]
                sign = " | " if isinstance(tree, Or) else " & "
                return None if None in told else "(" + sign.join(f"({one})" for one in told) + ")"
            case Not(part):
                words = self._words(part)
                return None if words is None else f"!({words})"
            case _:
                return None

    def _said(self, tree: Tree) -> str:
        words = self._words(tree)
        if words is None:
            raise CannotSay(type(tree).__name__)
        return f"({words})"


def _within(most: int, one: str, other: str) -> str:
    return "(" + " | ".join(f"({one} <{apart}> {other})" for apart in range(1, most + 1)) + ")"


def _lexeme(pattern: str) -> str:
    bare = pattern.removesuffix("*")
    if "*" in bare or "?" in bare:
        raise CannotSay("a wildcard inside a word")
    quoted = bare.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'" + (":*" if bare != pattern else "")


_MOST_POSITIONS, _LAST_POSITION, _LONGEST_LEXEME = 255, 16_383, 2_000


def _vector(words: Sequence[str]) -> str:
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words, 1):
        if len(word.encode()) <= _LONGEST_LEXEME:
            places.setdefault(word.replace("\x00", ""), []).append(min(place, _LAST_POSITION))
    told = []
    for word, at in places.items():
        quoted = word.replace("\\", "\\\\").replace("'", "''")
        told.append(f"'{quoted}':" + ",".join(map(str, at[:_MOST_POSITIONS])))
    return " ".join(told)


# ---- Whoosh ----------------------------------------------------------------------------------------------------


class Whoosh:
    """Whoosh by itself, without the archive's care for what it answers wrongly."""

    def __init__(self, folder: Path) -> None:
        told = {name: fields.ID() for name in FACTS}
        words = fields.analysis.RegexTokenizer(r"\S+")
        schema = fields.Schema(
            number=fields.NUMERIC(int, bits=64, stored=True),
            published=fields.NUMERIC(int, bits=64, signed=True, sortable=True),
            words=fields.TEXT(analyzer=words, phrase=True),
            sigils=fields.KEYWORD(),
            author=fields.KEYWORD(commas=True),
            **told,
        )
        place = folder / "whoosh"
        place.mkdir()
        self.index = index.create_in(place, schema)
        self.searcher: Any = None

    def fill(self, given: Iterator[Row]) -> int:
        writer, number = self.index.writer(limitmb=256), 0
        for row in given:
            number += 1
            writer.add_document(
                number=row.number,
                published=max(row.published, -(2**60)),
                words=row.words,
                sigils=" ".join(row.sigils),
                author=",".join({one.replace(",", " ") for one in row.author if one}),
                **row.facts,
            )
        writer.commit()
        return number

    def asking(self, tree: Tree) -> Callable[[], int]:
        if self.searcher is None:
            self.searcher = self.index.searcher()
        asked = self._query(tree)

        def ask() -> int:
            return len(self.searcher.search(asked, limit=NEWEST, sortedby="published", reverse=True))

        return ask

    def _query(self, tree: Tree) -> Any:
        match tree:
            case Term(word):
                return query.Term("words", word)
            case Wild(pattern):
                bare = pattern.removesuffix("*")
                if "*" in bare or "?" in bare:
                    return query.Wildcard("words", pattern)
                return query.Prefix("words", bare)
            case Tag(name):
                return query.Term("sigils", f"#{name}")
            case Phrase(parts):
                words = [part.word for part in parts if isinstance(part, Term)]
                if len(words) != len(parts):
                    return spans.SpanNear2([self._query(part) for part in parts])
                return query.Phrase("words", words)
            case Near(within, left, right):
                return spans.SpanNear2([self._query(left), self._query(right)], slop=within, ordered=False)
            case Pre(within, left, right):
                return spans.SpanNear2([self._query(left), self._query(right)], slop=within)
            case And(parts):
                return query.And([self._query(part) for part in parts])
            case Or(parts):
                return query.Or([self._query(part) for part in parts])
            case Not(part):
                return query.Not(self._query(part))
            case Field(name, value) if name in (*FACTS, "author"):
                return query.Term(name, folded(value))
            case DateRange():
                begin, end = instants(tree, ZONE)
                return query.NumericRange(
                    "published", -(2**59) if begin is None else begin, 2**61 if end is None else end - 1
                )
            case _:
                raise CannotSay(type(tree).__name__)


# ---- ours, and the stages --------------------------------------------------------------------------------------


class Ours:
    """Our engine as an archive fills and asks it, from the documents themselves: its analysis counts."""

    def __init__(self, folder: Path) -> None:
        self.engine: Engine = TantivyEngine.open(folder / "ours")

    def fill_documents(self, names: Sequence[str]) -> int:
        number, seen = 0, observations(names)
        while batch := list(islice(seen, BATCH)):
            self.engine.add([a_document(number + at, one) for at, one in enumerate(batch, 1)])
            number += len(batch)
        self.engine.commit(Position(number - 1, analyser.VERSION))
        self.engine.settle()
        return number

    def asking(self, tree: Tree) -> Callable[[], int]:
        return lambda: first_answer(self.engine, tree)


PEERS: dict[str, Callable[[Path], Peer]] = {"fts5": Fts5, "postgresql": PostgreSql, "whoosh": Whoosh}


def measure(name: str, folder: Path, expected: str, rounds: int, names: Sequence[str]) -> dict[str, object]:
    """Fill an engine and ask it everything that it can say."""
    began = time.perf_counter()
    peer: Any
    if name == "ours":
        peer = Ours(folder)
        number = peer.fill_documents(names)
    else:
        peer = PEERS[name](folder)
        number = peer.fill(rows(names))
    filled = time.perf_counter() - began
    told, cannot = [], []
    try:
        for question in asked_of_corpus():
            try:
                ask = peer.asking(parse(question["muniment"]).tree)
            except CannotSay as why:
                cannot.append(f"{question['id']}: {why}")
                continue
            total = ask()
            took = [milliseconds(ask) for _ in range(rounds)]
            told.append(
                {
                    "id": question["id"],
                    "total": total,
                    "expected": question[expected],
                    "took": statistics.median(took),
                }
            )
    finally:
        if isinstance(peer, PostgreSql):
            peer.close()
    return {"records": number, "seconds": filled, "questions": told, "cannot": cannot}


def main(arguments: list[str]) -> None:
    name, folder, expected, rounds, *names = arguments
    told = measure(name, Path(folder), expected, int(rounds), names)
    print(json.dumps({"told": told, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main(sys.argv[1:])

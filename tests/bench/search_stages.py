"""The stages of the benchmark of search, each a process of its own, so that its memory is its own too.

`questions` asks the archive as its doors do, and beside it, of the very same
index and in turns: the bare engine, with the same query and none of our
layers, where the engine is exact by itself; and where it is not, the least
that an exact answer costs, which is to have the engine propose candidates and
to judge each by its stored words. Both give what the archive gives, an exact
total and the newest twenty.
"""

from __future__ import annotations

import json
import resource
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import tantivy
from sqlalchemy import insert
from starlette.testclient import TestClient
from tantivy import Order, Query

from app import main
from app.holds.searching import whole
from app.index import analyser, source
from app.index.deciding import Decider
from app.index.documents import Position
from app.index.engine import FACETS, Engine, Scope, Sort
from app.index.language import parse
from app.index.tantivy_engine import TantivyEngine, _all_of, _any_of, _Reading
from app.index.tree import And, Near, Not, Phrase, Pre, Tree, everything_in
from app.main import Archive
from app.officers import NoMail, passes
from app.officers.passes import Kind
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.settings import Settings
from app.store import tables
from tests.bench.queries import SHARED, ZONE, a_document, observations

NEWEST = 20
ENOUGH = 10.0
"""Seconds after which a question has been asked often enough."""
EVERY = 50_000
"""Documents in a commit, as when an index follows from nothing."""
STREAMED = ("的", "kind:comment", "*")
"""Questions that find very much; the first that finds enough is streamed."""


JUDGED = (
    "(police w/3 officer) w/8 shot*",
    '"health care" pre/5 act',
    '"climate chang*"',
    "(flood OR storm*) w/6 (warn* OR alert*)",
    "vot* w/3 right*",
    '("white house" w/10 presid*) AND NOT trump',
    "(tax* pre/4 cut*) AND date:2017",
    '"new w*" w/4 (law* OR rule*)',
)
"""More questions that are judged, for the corpus has few; they are right if judging every candidate finds as many."""


def settings(home: Path) -> Settings:
    return Settings(home=home, _env_file=None)


def asked_of_corpus() -> list[dict[str, Any]]:
    """The corpus's questions with the totals that are known to be right."""
    with (SHARED / "corpus" / "queries.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@contextmanager
def opened(home: Path) -> Iterator[Archive]:
    archive = main.open_archive(settings(home))
    main.settle()  # as the service does before it serves
    try:
        yield archive
    finally:
        archive.close()


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


# ---- the floor of an answer --------------------------------------------------------------------------------


class Bare:
    """The index of an archive without the archive: what tantivy itself takes, and what judging takes beside it."""

    def __init__(self, archive: Archive) -> None:
        engine = whole(archive.index)
        assert isinstance(engine, TantivyEngine)
        snapshot = engine._freshen()
        self.searcher: tantivy.Searcher = snapshot.searcher
        self.reading = _Reading(snapshot, Scope(ZONE, messages=True))

    def must_be_judged(self, tree: Tree) -> bool:
        """Whether the engine is not exact in what was written; what stands beside it is little, and judged more often."""
        return any(
            isinstance(part, Phrase | Near | Pre) and self.reading._native(part, "text") is None
            for part in everything_in(tree)
        )

    def compiled(self, tree: Tree) -> Query:
        """The engine's own query for a question that it is exact in."""
        return self.reading.query(tree, Query.all_query())

    def ask(self, query: Query) -> int:
        """An exact total and the newest twenty, as tantivy gives them."""
        found = self.searcher.search(query, NEWEST, count=True, order_by_field="published", order=Order.Desc)
        return int(found.count or 0)  # type: ignore[attr-defined] # the binding's types leave it out

    def candidates(self, tree: Tree) -> tuple[Query, list[Tree]]:
        """What the engine proposes for a question, and which parts of it each candidate is judged by.

        Enough for words and groups of words that AND and NOT join, which is what the corpus asks.
        """
        if not self.must_be_judged(tree):
            return self.compiled(tree), []
        if not isinstance(tree, And):
            places = self.reading._present
            return _any_of(*(self.reading._superset(tree, place) for place in places)), [tree]
        required: list[Query] = []
        excluded: list[Query] = []
        judged: list[Tree] = []
        for part in tree.parts:
            if isinstance(part, Not):
                if not self.must_be_judged(part.part):
                    excluded.append(self.compiled(part.part))
                else:
                    judged.append(part)
            else:
                query, parts = self.candidates(part)
                required.append(query)
                judged += parts
        return _all_of(*required, but_not=excluded), judged

    def judge(self, query: Query, judged: Sequence[Tree]) -> int:
        """Every candidate read and judged, the newest first: how many are met."""
        most = max(1, self.ask(query))  # a larger limit would only cost memory
        hits = self.searcher.search(
            query, most, count=False, order_by_field="published", order=Order.Desc
        ).hits
        newest: list[tantivy.DocAddress] = []
        number = 0
        wanted = [Decider(part).met for part in judged if not isinstance(part, Not)]
        unwanted = [Decider(part.part).met for part in judged if isinstance(part, Not)]
        for _, address in hits:
            told = list(self.reading._told(address, with_sigils=False))
            if all(met(told) for met in wanted) and not any(met(told) for met in unwanted):
                number += 1
                if len(newest) < NEWEST:
                    newest.append(address)
        return number


def first_answer(engine: Engine, tree: Tree) -> int:
    """An exact total and the newest twenty, as an engine of ours gives them."""
    answer = engine.ask(tree, Scope(ZONE))
    answer.page(Sort.NEWEST, NEWEST)
    return answer.total()


# ---- stages --------------------------------------------------------------------------------------------------


def questions(home: Path, expected: str, rounds: int) -> dict[str, object]:
    """Every question: what it found and took, beside the floor of such an answer."""
    told = []
    with opened(home) as archive:
        bare = Bare(archive)
        more = [{"id": f"judged-{number}", "muniment": text} for number, text in enumerate(JUDGED, 1)]
        for question in [*asked_of_corpus(), *more]:
            text = question["muniment"]
            tree = parse(text).tree
            judged = bare.must_be_judged(tree)
            query, parts = bare.candidates(tree)
            floor = partial(bare.judge, query, parts) if judged else partial(bare.ask, query)
            whole_answer = partial(archive.search, text, limit=NEWEST, messages=False)
            room = partial(first_answer, whole(archive.index), tree)
            began = time.perf_counter()
            found = whole_answer().total
            first = (time.perf_counter() - began) * 1000
            known = floor()
            ours, rooms, floors = [], [], []
            began = time.perf_counter()
            for number in range(rounds):
                if number > 2 and time.perf_counter() - began > ENOUGH:
                    break
                ours.append(milliseconds(whole_answer))
                floors.append(milliseconds(floor))
                rooms.append(milliseconds(room))
            told.append(
                {
                    "id": question["id"],
                    "judged": judged,
                    "total": found,
                    "expected": question.get(expected, known),
                    "floor_total": known,
                    "first": first,
                    "ours": statistics.median(ours),
                    "room": statistics.median(rooms),
                    "floor": statistics.median(floors),
                }
            )
    return {"questions": told}


def stream(home: Path, wanted: int) -> dict[str, object]:
    """Every hit of a question that finds very much: keys as the index gives them, and ids as an officer gets them."""
    with opened(home) as archive:
        totals = {text: archive.search(text, limit=1, messages=False).total for text in STREAMED}
        text = next((text for text, total in totals.items() if total >= wanted), STREAMED[-1])
        began = time.perf_counter()
        keys = sum(1 for _ in archive.every(text, messages=False))
        in_index = time.perf_counter() - began
        began = time.perf_counter()
        ids, hits = 0, archive.every(text, messages=False)
        while part := list(islice(hits, 5_000)):
            with archive.store.database.read() as tx:
                ids += len(source.identities(tx, part))
        in_all = time.perf_counter() - began
    return {
        "question": text,
        "total": totals[text],
        "keys": keys,
        "ids": ids,
        "keys_a_second": keys / in_index,
        "ids_a_second": ids / in_all,
    }


def pages(home: Path, rounds: int) -> dict[str, object]:
    """The page that an officer opens: fifty records with all counts and what met the question marked, as HTML."""
    took: list[float] = []
    alone: list[float] = []
    with opened(home) as archive, _officer(archive) as client:
        for question in asked_of_corpus():
            for number in range(rounds + 1):
                began = time.perf_counter()
                answer = client.get("/search", params={"q": question["muniment"]})
                spent = (time.perf_counter() - began) * 1000
                assert answer.status_code == 200, answer.text[:500]
                if number:  # the first one warms the machine
                    took.append(spent)
            ask = partial(archive.search, question["muniment"], limit=50, messages=False, facets=FACETS)
            alone.append(milliseconds(ask))
    took.sort()
    return {
        "asked": len(took),
        "median_ms": statistics.median(took),
        "p95_ms": nearest(took, 0.95),
        "worst_ms": took[-1],
        "search_alone_p95_ms": nearest(sorted(alone), 0.95),
    }


@contextmanager
def _officer(archive: Archive) -> Iterator[TestClient]:
    """A records officer with a token, before the pages and the API of an archive."""
    officer = Officer(
        id=new_id(), email="clerk@bench.example", name="", roles=frozenset({Role.RECORDS_OFFICER})
    )
    with archive.store.database.begin() as tx:
        tx.execute(
            insert(tables.officers).values(
                id=officer.id.bytes,
                email=f"{secrets.token_hex(4)}@bench.example",
                name="",
                roles=Role.RECORDS_OFFICER.value,
                active=True,
                added_at=0,
            )
        )
        token = passes.make(archive.store, tx, Kind.TOKEN, officer, lasts=None).secret
    with ThreadPoolExecutor(1) as starter:
        app = main.create_app(archive, NoMail(), starter)
        yield TestClient(app, headers={"Authorization": f"Bearer {token}"})


def nearest(ordered: Sequence[float], part: float) -> float:
    """The percentile of an ordered series: of so many, the smallest that this part of them do not exceed."""
    return ordered[max(0, -(-len(ordered) * int(part * 100) // 100) - 1)]


# ---- five and ten times as much ------------------------------------------------------------------------------


def fill(home: Path, times: int, names: Sequence[str]) -> dict[str, object]:
    """An archive whose index has every observation of `names` so many times, each as a record of its own."""
    store = main.make(settings(home), agency="Benchmark", domain="bench.example", timezone="America/Juneau")
    store.database.close()
    store.keyring.database.close()
    engine = TantivyEngine.open(settings(home).index())
    began = time.perf_counter()
    number = 0
    for _ in range(times):
        seen = observations(names)
        while batch := list(islice(seen, EVERY)):
            for start in range(0, len(batch), 5_000):
                part = batch[start : start + 5_000]
                engine.add([a_document(number + at, one) for at, one in enumerate(part, 1)])
                number += len(part)
            engine.commit(Position(number - 1, analyser.VERSION))
    engine.settle()
    size = sum(path.stat().st_size for path in settings(home).index().rglob("*") if path.is_file())
    return {"records": number, "seconds": time.perf_counter() - began, "bytes": size}


def serve(home: Path, times: int, expected: str, rounds: int) -> dict[str, object]:
    """The service over it: every question by the archive and by the page, with all counts, and one streamed whole."""
    wrong, took = [], []
    with opened(home) as archive, _officer(archive) as client:
        for question in asked_of_corpus():
            text, known = question["muniment"], question[expected] * times
            total = archive.search(text, limit=NEWEST, messages=False).total
            if total != known:
                wrong.append(f"{question['id']}: {total:,}, expected {known:,}")
            ask = partial(archive.search, text, limit=NEWEST, messages=False)
            spent = [milliseconds(ask) for _ in range(rounds)]
            took.append(statistics.median(spent))
        asked_mb = _peak()
        for question in asked_of_corpus():
            answer = client.get("/search", params={"q": question["muniment"]})
            assert answer.status_code == 200, answer.text[:500]
        streamed = sum(1 for _ in archive.every(STREAMED[0], messages=False))
    took.sort()
    return {
        "asked": len(took),
        "wrong": wrong,
        "median_ms": statistics.median(took),
        "p95_ms": nearest(took, 0.95),
        "asked_mb": asked_mb,
        "streamed": streamed,
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main_of_stage(arguments: list[str]) -> None:
    name, home, *rest = arguments
    stages: dict[str, Callable[[], object]] = {
        "questions": lambda: questions(Path(home), rest[0], int(rest[1])),
        "stream": lambda: stream(Path(home), int(rest[0])),
        "pages": lambda: pages(Path(home), int(rest[0])),
        "fill": lambda: fill(Path(home), int(rest[0]), rest[1:]),
        "serve": lambda: serve(Path(home), int(rest[0]), rest[1], int(rest[2])),
    }
    told = stages[name]()
    print(json.dumps({"told": told, "peak_mb": _peak()}))


if __name__ == "__main__":
    main_of_stage(sys.argv[1:])

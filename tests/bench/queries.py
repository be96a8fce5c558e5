"""Ask the corpus's questions of a real index and compare every total with the one that is known to be right.

    python tests/bench/queries.py [--over sample-100k] [--rounds 5] [--engine whoosh]

Reads the corpus through MUNIMENT_SHARED (default: `shared` beside the
checkout) and prints, for each question, the count, what was expected, and
median and slowest milliseconds: the count with the newest twenty, and the
first page as people see it, with every facet of the index and what met the
question marked. Then what a record costs, and how quickly all hits stream.
Ends with 1 if a count is wrong. Not part of the quick suite: it takes a minute.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app import ROOT
from app.index import analyser
from app.index.documents import Document, Position
from app.index.engine import FACETS, Engine, QueryNotSupported, Scope, Sort
from app.index.language import parse
from app.index.search import highlight
from app.index.tantivy_engine import TantivyEngine
from app.index.tree import All, Tree
from app.index.whoosh_engine import WhooshEngine

SHARED = Path(os.environ.get("MUNIMENT_SHARED", ROOT.parent / "shared"))
ZONE = ZoneInfo("America/Juneau")
CAPTURED = datetime(2026, 1, 1, tzinfo=UTC)


def observations(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        with gzip.open(SHARED / "corpus" / f"{name}.observations.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def a_document(number: int, seen: dict[str, Any]) -> Document:
    author = seen.get("author") or {}
    published = seen.get("published_at")
    return Document(
        record=number,
        version=1,
        entry=number - 1,
        page=seen["page"],
        page_name=seen["page"],
        platform=seen["platform"],
        kind=seen["kind"],
        author=tuple(author[part] for part in ("id", "name", "handle") if author.get(part)),
        state=seen.get("state") or "present",
        published_at=datetime.fromisoformat(published) if published else None,
        captured_at=CAPTURED,
        text=seen.get("text") or "",
        language=seen.get("language"),
        media=bool(seen.get("attachments")),
        origin="received",
    )


ENGINES: dict[str, Callable[[Path], Engine]] = {"tantivy": TantivyEngine, "whoosh": WhooshEngine}


def first_page(engine: Engine, tree: Tree, scope: Scope, texts: Sequence[str]) -> float:
    """Milliseconds until the first fifty hits stand there with their facets and with what met the question marked."""
    began = time.perf_counter()
    answer = engine.ask(tree, scope)
    answer.total()
    page = answer.page(Sort.NEWEST, 50)
    answer.facets(FACETS)
    for record in page.records:
        highlight(tree, texts[record - 1])
    return (time.perf_counter() - began) * 1000


def streamed(engine: Engine, scope: Scope) -> str:
    """How quickly every record leaves, in two orders."""
    told = []
    for sort in (Sort.NEWEST, Sort.CAPTURED):
        began = time.perf_counter()
        number = sum(1 for _ in engine.ask(All(), scope).every(sort))
        took = time.perf_counter() - began
        told.append(f"{number:,} ids {sort} in {took:.2f} s, {number / took:,.0f} a second")
    return "; ".join(told)


def build(engine: Engine, names: Sequence[str]) -> Sequence[str]:
    """Fill the index, saying what the analyser and the engine cost a record; return the texts."""
    number = 0
    texts: list[str] = []
    analysing = adding = altogether = 0.0
    seen = observations(names)
    while batch := list(islice(seen, 5000)):
        documents = [a_document(number + at, one) for at, one in enumerate(batch, 1)]
        number += len(batch)
        texts += [document.text for document in documents]
        began = time.thread_time()
        for document in documents:
            analyser.analyse(document.text)
        analysed, whole = time.thread_time(), time.process_time()
        engine.add(documents)
        adding += time.thread_time() - analysed
        altogether += time.process_time() - whole
        analysing += analysed - began
    began = time.perf_counter()
    engine.commit(Position(number - 1, analyser.VERSION))
    engine.settle()
    settled = time.perf_counter() - began
    each = 1e6 / number
    print(
        f"{number:,} records; a record costs the analyser {analysing * each:.1f} µs, and adding it, analysis "
        f"included, {adding * each:.1f} µs for the caller and {altogether * each:.1f} µs of processor in all; "
        f"last commit {settled:.1f} s"
    )
    return texts


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--over", nargs="*", default=["sample-100k"])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--engine", choices=ENGINES, default="tantivy")
    chosen = arguments.parse_args()
    expected_under = "expected_100k" if chosen.over == ["sample-100k"] else "expected_all"
    questions = [json.loads(line) for line in (SHARED / "corpus" / "queries.jsonl").open(encoding="utf-8")]
    wrong = 0
    medians: list[float] = []
    pages: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = ENGINES[chosen.engine](Path(folder) / "index")
        texts = build(engine, chosen.over)
        scope = Scope(ZONE)
        for question in questions:
            tree = parse(question["muniment"]).tree
            took: list[float] = []
            total = 0
            try:
                for _ in range(chosen.rounds):
                    began = time.perf_counter()
                    answer = engine.ask(tree, scope)
                    total = answer.total()
                    answer.page(Sort.NEWEST, 20)
                    took.append((time.perf_counter() - began) * 1000)
            except QueryNotSupported as refused:
                print(f"{question['id']} not answered: {refused}")
                continue
            right = total == question[expected_under]
            wrong += not right
            medians.append(statistics.median(took))
            pages += [first_page(engine, tree, scope, texts) for _ in range(chosen.rounds)]
            print(
                f"{question['id']} {total:>7} {'as expected' if right else f'EXPECTED {question[expected_under]}':<16}"
                f" median {statistics.median(took):8.2f} ms, slowest {max(took):8.2f}  {question['muniment']}"
            )
        streaming = streamed(engine, scope)
    ordered, pages = sorted(medians), sorted(pages)
    print(
        f"{len(medians)} questions, {wrong} wrong; median {statistics.median(ordered):.2f} ms, "
        f"95 of 100 under {ordered[int(len(ordered) * 0.95)]:.2f} ms"
    )
    print(
        f"first page with facets and marks: median {statistics.median(pages):.1f} ms, 95 of 100 under "
        f"{pages[int(len(pages) * 0.95)]:.1f} ms, slowest {pages[-1]:.1f} ms"
    )
    print(streaming)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

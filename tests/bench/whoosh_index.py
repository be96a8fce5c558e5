"""The second engine over the sample: how long it takes to build and to ask, and whether every count is right.

The stages of `make bench B=whoosh`; each is a process of its own, so that
its memory is its own too.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from app.index import analyser
from app.index.documents import Position
from app.index.engine import QueryNotSupported, Scope, Sort
from app.index.language import parse
from app.index.whoosh_engine import WhooshEngine
from tests.bench.queries import SHARED, ZONE, a_document, observations

EVERY = 50_000
"""Documents in a commit, as when an index follows from nothing."""


def build(home: Path, name: str) -> dict[str, float]:
    """Fill an index with the observations of `name`."""
    engine = WhooshEngine.open(home)
    began = time.perf_counter()
    number = 0
    seen = observations([name])
    while batch := list(islice(seen, EVERY)):
        engine.add([a_document(number + at, one) for at, one in enumerate(batch, 1)])
        number += len(batch)
        engine.commit(Position(number - 1, analyser.VERSION))
    engine.settle()
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    return {"records": number, "seconds": time.perf_counter() - began, "bytes": size}


def ask(home: Path, expected: str) -> dict[str, object]:
    """Every question of the corpus: its exact total, and the newest twenty."""
    engine = WhooshEngine.open(home)
    scope = Scope(ZONE)
    began = time.perf_counter()
    engine.position()
    opened = time.perf_counter() - began
    wrong, refused, times = [], [], []
    questions = [json.loads(line) for line in (SHARED / "corpus" / "queries.jsonl").open(encoding="utf-8")]
    for question in questions:
        tree = parse(question["muniment"]).tree
        began = time.perf_counter()
        try:
            answer = engine.ask(tree, scope)
        except QueryNotSupported as error:
            refused.append(f"{question['id']}: {error}")
            continue
        total = answer.total()
        answer.page(Sort.NEWEST, 20)
        times.append(((time.perf_counter() - began) * 1000, question["id"]))
        if total != question[expected]:
            wrong.append(f"{question['id']} {question['muniment']}: {total}, expected {question[expected]}")
    times.sort()
    return {
        "asked": len(questions),
        "right": len(questions) - len(wrong) - len(refused),
        "wrong": wrong,
        "refused": refused,
        "opened_ms": opened * 1000,
        "median_ms": statistics.median(took for took, _ in times),
        "p95_ms": times[int(len(times) * 0.95)][0],
        "slowest": [f"{question} {took:.0f} ms" for took, question in times[-3:]],
    }


def main(arguments: list[str]) -> None:
    name, home, rest = arguments
    stages: dict[str, Callable[[], object]] = {
        "build": lambda: build(Path(home), rest),
        "ask": lambda: ask(Path(home), rest),
    }
    told = stages[name]()
    print(json.dumps({"told": told, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main(sys.argv[1:])

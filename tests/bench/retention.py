"""A million records decided upon: their rows laid, evaluated, evaluated again under another schedule, and put into series anew.

    python tests/bench/retention.py lay HOME COUNT
    python tests/bench/retention.py floor|evaluate|compare|classify HOME

The rows are those that deciding reads (records, their newest versions, what
the follower keeps beside them); no content lies behind them. The floor reads
the same rows and does nothing with them, in the same process form.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app import main
from app.db import to_instant
from app.db.rows import insert_rows
from app.index import analyser
from app.index.documents import Document, Position
from app.index.tantivy_engine import TantivyEngine
from app.records.clock import FixedClock
from app.retention import adopted, classifying, effects, judging, known
from app.retention.facts import Today
from app.retention.standing import Standing
from app.settings import Settings
from app.store import Store
from app.store.tables import classified, followed, objects, pages, records, versions

NOW = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
SCHEDULE = """\
jurisdiction: us-xx-town
authority: Town council
title: Schedule
edition: "{edition}"
effective: null
series:
  - {{code: POSTS, title: Posts, citation: R, verified: true, rule: {{after: published, keep: {posts}, cutoff: calendar_year, then: destroy}}}}
  - {{code: TALK, title: Talk, citation: R, verified: true, rule: {{after: published, keep: {talk}, then: destroy}}}}
  - {{code: GONE, title: Gone, citation: R, verified: true, rule: {{all_of: [{{after: published, keep: P2Y}}, {{after: removed, keep: P30D}}], then: destroy}}}}
  - {{code: KEPT, title: Kept, citation: R, verified: true, rule: {{then: permanent}}}}
classify:
  - {{series: KEPT, when: "kind:profile", priority: 40}}
  - {{series: GONE, when: "state:gone", priority: 30}}
  - {{series: {first}, when: "kind:post", priority: 20}}
  - {{series: TALK, when: "kind:comment", priority: 10}}
"""
KINDS = ("post", "comment", "comment", "comment")
ONE = SCHEDULE.format(edition="1", posts="P3Y", talk="P2Y", first="POSTS")
OTHER = SCHEDULE.format(edition="2", posts="P5Y", talk="P1Y", first="TALK")
_PART = 50_000


def settings(home: Path) -> Settings:
    return Settings(home=home, _env_file=None)


def opened(home: Path) -> Store:
    return main.open_store(settings(home), FixedClock(NOW))


def facts(number: int, chance: random.Random) -> tuple[str, str, int, int]:
    """Kind, state, and when it was published and first seen: spread over fifteen years."""
    published = NOW - timedelta(minutes=chance.randrange(15 * 365 * 24 * 60))
    seen = published + timedelta(minutes=chance.randrange(24 * 60))
    state = "gone" if number % 50 == 0 else "present"
    return KINDS[number % 4], state, to_instant(published), to_instant(seen)


def lay(home: Path, count: int) -> dict[str, Any]:
    """The rows of `count` records, and an index that knows kind, state and date of each."""
    store = main.make(
        settings(home),
        agency="Bench",
        domain="bench.example",
        timezone="America/Juneau",
        clock=FixedClock(NOW),
    )
    by = UUID(int=1)
    with store.database.begin() as tx:
        adopted.adopt(store, tx, ONE.encode(), instrument="R", since=date(2020, 1, 1), by=by, why="bench")
        page = UUID(int=2)
        tx.execute(
            insert(pages).values(
                key=1, id=page.bytes, connector="scripted", platform="blog", address="https://x.example",
                name="Bench", status="active", added_at=0,
            )
        )  # fmt: skip
        tx.execute(insert(objects).values(key=1, digest=bytes(32), size=1, kept_at=0))
    engine = TantivyEngine.open(home / "bench-index")
    chance = random.Random(7)
    first = -2 * count - 2  # before the ledger: nothing of these was captured since anything was read
    for start in range(0, count, _PART):
        told = [
            (number, *facts(number, chance)) for number in range(start + 1, min(start + _PART, count) + 1)
        ]
        _rows(store, told, first)
        engine.add([_document(one) for one in told])
    engine.commit(Position(0, analyser.VERSION))
    engine.settle()
    with store.database.begin() as tx:
        tx.execute(insert(followed).values(name=known.CAPTURED, reached=1_000_000_000))
    return {"records": count}


def _rows(store: Store, told: list[tuple[int, str, str, int, int]], first: int) -> None:
    about = ("key", "id", "page", "kind", "native_mac", "state", "version", "published_at", "first_seen", "last_seen", "private", "received")  # fmt: skip
    with store.database.begin() as tx:
        insert_rows(
            tx,
            records,
            about,
            [
                (key, key.to_bytes(16), 1, kind, key.to_bytes(16), state, 1 + (state == "gone"), at, seen, seen, False, False)
                for key, kind, state, at, seen in told
            ],
        )  # fmt: skip
        columns = ("record", "number", "entry", "state", "observed_at", "last_seen_before", "exchange", "object", "place", "size", "mark")  # fmt: skip
        day = 24 * 60 * 60 * 1_000_000
        insert_rows(
            tx,
            versions,
            columns,
            [
                (key, 1, first + 2 * key, "present", seen, None, 1, 1, 0, 1, b"")
                for key, _, _, _, seen in told
            ],
        )
        insert_rows(
            tx,
            versions,
            columns,
            [
                (key, 2, first + 2 * key + 1, state, seen + 30 * day, seen + 29 * day, 1, 1, 0, 1, b"")
                for key, _, state, _, seen in told
                if state == "gone"
            ],
        )
        insert_rows(
            tx,
            classified,
            ("record", "series", "schedule", "priority", "incoming", "authored", "spoken"),
            [(key, *_place(kind, state), None, True, True) for key, kind, state, _, _ in told],
        )


def _place(kind: str, state: str) -> tuple[str, int, int]:
    if state == "gone":
        return "GONE", 1, 30
    return ("POSTS", 1, 20) if kind == "post" else ("TALK", 1, 10)


def _document(one: tuple[int, str, str, int, int]) -> Document:
    key, kind, state, at, _ = one
    published = datetime.fromtimestamp(at / 1e6, UTC)
    return Document(
        record=key, version=1, entry=key, page="2", page_name="Bench", platform="blog", kind=kind,
        state=state, published_at=published, captured_at=published, text="",
    )  # fmt: skip


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def spent(began: tuple[float, float]) -> dict[str, float]:
    """Seconds on the wall, and of this process: on a busy machine only the second says something."""
    wall, own = now()
    return {"seconds": wall - began[0], "cpu": own - began[1]}


def floor(home: Path) -> dict[str, Any]:
    """Read the same rows, part by part, and do nothing."""
    store = opened(home)
    began = now()
    with store.database.read() as tx:
        after = read = 0
        while told := tx.execute(known.living().where(records.c.key > after).limit(judging.PART)).all():
            read += len(told)
            after = told[-1][0]
    return {"records": read, **spent(began)}


def evaluate(home: Path) -> dict[str, Any]:
    """Decide upon every record."""
    store = opened(home)
    standing = Standing(store)
    began = now()
    with store.database.read() as tx:
        judge = standing.judge(tx, Today.plainly(date(2026, 3, 2)))
        counts: Counter[str] = Counter()
        for one in judging.every(tx, judge):
            counts[type(one.decision).__name__] += 1
    return {"records": sum(counts.values()), **spent(began), "counts": dict(counts)}


def compare(home: Path) -> dict[str, Any]:
    """What another schedule would do: every record put by its rules, and decided upon twice."""
    store, engine = opened(home), TantivyEngine.open(home / "bench-index")
    standing = Standing(store)
    schedule = adopted.read(OTHER.encode(), "other")
    began = now()
    with store.database.read() as tx:
        told = effects.of_adopting(standing, tx, engine, schedule, since=date(2026, 3, 2))
    engine.settle()
    return {
        "records": told.records, **spent(began), "becomes": told.becomes, "stops": told.stops,
    }  # fmt: skip


def classify(home: Path) -> dict[str, Any]:
    """Adopt the other schedule, and put every record into its series: rows and entries written."""
    store, engine = opened(home), TantivyEngine.open(home / "bench-index")
    with store.database.begin() as tx:
        adopted.adopt(
            store, tx, OTHER.encode(), instrument="R", since=date(2026, 3, 2), by=UUID(int=1), why="bench"
        )
    began = now()
    done = classifying.classify_all(store, engine)
    engine.settle()
    return {"records": done.looked, **spent(began), "changed": done.changed}


def run(act: str, home: str, *more: str) -> None:
    acts = {"floor": floor, "evaluate": evaluate, "compare": compare, "classify": classify}
    told = lay(Path(home), int(more[0])) if act == "lay" else acts[act](Path(home))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"told": told, "peak_mb": peak}))
    sys.stdout.flush()
    os._exit(0)  # what is open is read only, or committed


if __name__ == "__main__":
    run(*sys.argv[1:])

"""A production of 10,000 records with PDF, or of a million as native files, text and load files; and the reading of the same records alone.

    python tests/bench/production.py [FOLDER] [RECORDS] [plain|pdf|all]

`pdf` (the usual) has PDF, text, native files, CSV and load files; `plain` the
same without PDF; `all` everything that a production can have. Prints one line
of JSON: seconds of each part, records a second, the most memory, the size, and
the floor: the same records opened one after the other in the same run, which
no production can do without.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app import main
from app.capture import importing
from app.capture.leaving import Leaving
from app.db import Tx
from app.disclosure import assembling
from app.disclosure.assembling import Decided
from app.disclosure.package import building
from app.disclosure.package.building import Sources
from app.disclosure.package.recipe import USUAL, Form, Forms, Ground, Recipe
from app.disclosure.redacting import Redaction, Span, Whole
from app.disclosure.released import Item
from app.disclosure.rendition.remaking import Remakes
from app.records.folders import below
from app.settings import Settings
from app.store.outgoing import walk
from app.store.tables import records

PLAIN = frozenset({Form.TEXT, Form.NATIVE, Form.CSV, Form.LOADFILE})
FORMS: Mapping[str, Forms] = {"plain": PLAIN, "pdf": PLAIN | {Form.PDF, Form.IMAGES}, "all": USUAL}
AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
REDACTED, WITHHELD = 50, 100
"""One record in so many loses some words, and one in so many is kept back."""


def settings(folder: Path) -> Settings:
    return Settings(home=folder / "home", _env_file=None)


def lay(folder: Path, number: int) -> None:
    """An archive of so many records, in a process of its own: what importing needs is not what producing needs."""
    store = main.make(settings(folder), agency="Bench", domain="bench.example", timezone="America/Juneau")
    file = folder / "lines.jsonl"
    with file.open("w") as out:
        for one in range(number):
            words = f"Notice {one}: the road to harbour {one % 977} is open again, says crew {one % 31}"
            line = {"platform": "blog", "page": f"page {one % 7}", "native_id": f"n-{one}", "kind": "post" if one % 10 == 0 else "comment",
                    "in_reply_to": None if one % 10 == 0 else f"n-{one - one % 10}",
                    "published_at": f"20{10 + one % 10}-0{1 + one % 9}-1{one % 9}T12:00:00Z", "text": words,
                    "author": {"id": f"a{one % 500}", "name": f"Neighbour {one % 500}"}}  # fmt: skip
            out.write(json.dumps(line) + "\n")
    importing.observations(store, file, page=None, make_pages=True, by=None, why="bench", tick=time.monotonic)
    file.unlink()


def decided(_tx: Tx, keys: Sequence[int]) -> Mapping[int, Decided]:
    """What is taken out: by the records' own numbers, so that every run takes out the same."""

    def made(where: Span | Whole) -> Decided:
        return Decided(
            redactions=[
                Redaction(
                    where=where, code="P-1", citation="Act 1", explanation="Privacy.", by="Ada", approved_by=None, on=AT
                )
            ]
        )  # fmt: skip

    return {
        key: made(Whole() if key % WITHHELD == 0 else Span(1, 0, 6))
        for key in keys
        if key % WITHHELD == 0 or key % REDACTED == 0
    }


def run(folder: Path, number: int, forms: Forms) -> dict[str, object]:
    told: dict[str, object] = {"records": number, "forms": sorted(forms)}
    began = time.perf_counter()

    def lap(name: str) -> float:
        nonlocal began
        took, began = time.perf_counter() - began, time.perf_counter()
        told[name] = round(took, 2)
        return took

    store = main.open_store(settings(folder))
    lap("opened")
    with store.database.read() as tx:
        keys = assembling.in_order(tx, list(tx.execute(select(records.c.key)).scalars()), messages=False)
    size = walk.signed_now(store)
    recipe = Recipe(
        production=UUID(int=1), number="PD-2026-0001-P01", request="PD-2026-0001", title="Bench", agency="Bench",
        domain="bench.example", timezone="America/Juneau", prefix="BENCH-", first=1, volume="VOL001", made_at=AT,
        as_of=size, checkpoint=size if Form.PROOFS in forms else 0, forms=forms,
        exemptions={"P-1": Ground("Act 1", "Privacy", "Privacy.")}, software="Muniment (bench)",
    )  # fmt: skip
    reading = walk.remembering(store)
    with closing(Remakes()) as by:

        def items(position: int) -> Iterator[Item]:
            return assembling.items(reading, keys[position:], decided, size=size, messages=False, by=by)

        lap("ordered")
        read = sum(1 for _ in items(0))
        floor = lap("floor")
        at: dict[str, float] = {}

        def point(name: str) -> None:
            if name.startswith("after-"):
                at[name.removeprefix("after-")] = round(time.perf_counter() - began, 2)

        sources = Sources(store=reading, teller=Leaving(reading), point=point)
        built = building.build(recipe, items, folder, sources, workers=2)
        took = lap("produced")
    bytes_ = sum(file.stat().st_size for file in below(built.folder) if file.is_file())
    parts = dict(
        zip(
            at,
            (now - before for now, before in zip(at.values(), [0.0, *at.values()], strict=False)),
            strict=True,
        )
    )
    return told | {
        "parts": {name: round(seconds, 2) for name, seconds in parts.items()},
        "documents": built.counts.documents,
        "a_second": round(read / took, 1),
        "over_floor": round(took / floor, 1) if floor else None,
        "bytes": bytes_,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "memory_of_children_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def measured(folder: Path, number: int, forms: Forms) -> dict[str, object]:
    fresh = partial(ProcessPoolExecutor, max_workers=1, mp_context=get_context("spawn"))
    with fresh() as process:
        process.submit(lay, folder, number).result()
    with fresh() as process:
        return process.submit(run, folder, number, forms).result()


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    which = FORMS[sys.argv[3] if len(sys.argv) > 3 else "pdf"]
    if where is not None:
        where.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measured(where, count, which)))
    else:
        with tempfile.TemporaryDirectory(prefix="muniment-bench-") as scratch:
            print(json.dumps(measured(Path(scratch), count, which)))

"""The ledger at a million entries: appended, checkpointed and proven, against the least that anybody could do.

The floor writes the same entries as canonical JSON (sorted names, no spaces),
hashes each once with SHA-256, and inserts them with the driver's
`executemany`, two thousand a transaction, in a database with the archive's own
settings; it builds no tree, signs nothing and proves nothing. The archive's own
side appends them in transactions of the same size, signs a checkpoint every
hundred thousand, and then proves one entry in a thousand, chosen at random,
each proof checked as anybody would check it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import sqlite3
import statistics
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

from app import main
from app.settings import Settings
from app.store.canonical import canonical
from app.store.merkle import check_inclusion, leaf_hash
from app.store.note import Checkpoint, opened

BATCH, SIGNED_EACH, PROVEN_ONE_IN = 2_000, 100_000, 1_000


def entry(number: int) -> dict[str, str | int | bool | list[str] | None]:
    """A capture's entry, made of what costs nothing to make."""
    digest = f"{number:064x}"
    return {
        "v": 1,
        "type": "capture",
        "ts": "2026-11-21T02:20:00Z",
        "item": digest[:32],
        "ver": 1,
        "c": digest,
    }


def floor(folder: Path, count: int) -> dict[str, float]:
    folder.mkdir(parents=True)
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        database.execute(f"PRAGMA {pragma}")
    database.execute('CREATE TABLE entries ("index" INTEGER PRIMARY KEY, body BLOB NOT NULL)')
    began = time.perf_counter()
    digest = b""
    for first in range(0, count, BATCH):
        bodies = [
            json.dumps(entry(number), sort_keys=True, separators=(",", ":")).encode()
            for number in range(first, min(first + BATCH, count))
        ]
        for body in bodies:
            digest = hashlib.sha256(body).digest()
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO entries VALUES (?, ?)", list(enumerate(bodies, start=first)))
        database.execute("COMMIT")
    seconds = time.perf_counter() - began
    database.close()
    return {"entries": count, "seconds": seconds, "last": digest[0]}


def own(folder: Path, count: int) -> dict[str, float]:
    store = main.make(
        Settings(home=folder, _env_file=None),
        agency="Benchmark",
        domain="bench.example",
        timezone="America/Juneau",
    )
    book = store.ledger
    began = time.perf_counter()
    for first in range(0, count, BATCH):
        bodies = [canonical(entry(number)) for number in range(first, min(first + BATCH, count))]
        with store.database.begin() as tx:
            book.append(tx, bodies)
        if (first + BATCH) % SIGNED_EACH == 0:
            book.checkpoint()
    note = book.checkpoint()
    written = time.perf_counter() - began
    said = Checkpoint.parse(opened(note, book.verifier()))
    chosen = random.Random(7).sample(range(said.size), max(said.size // PROVEN_ONE_IN, 1))
    times = []
    for index in chosen:
        at = time.perf_counter()
        path = book.inclusion(index, said.size)
        times.append((time.perf_counter() - at) * 1000)
        assert check_inclusion(leaf_hash(canonical(entry(index))), index, said.size, path, said.root), index
    seconds = time.perf_counter() - began
    folios = []
    for index in chosen[:100]:
        at = time.perf_counter()
        told = book.proof(index)
        folios.append((time.perf_counter() - at) * 1000)
        assert f"index {index}" in told
        assert b64decode(told.split("\n")[2])
    times.sort()
    return {
        "entries": said.size,
        "seconds": seconds,
        "written": written,
        "median_ms": statistics.median(times),
        "worst_ms": times[-1],
        "p99_ms": times[int(len(times) * 0.99)],
        "whole_ms": statistics.median(folios),
    }


def main_of_stage(arguments: list[str]) -> None:
    name, folder, count = arguments
    stages: dict[str, Callable[[Path, int], dict[str, float]]] = {"floor": floor, "own": own}
    told = stages[name](Path(folder), int(count))
    print(json.dumps({"told": told, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    os.environ.pop("MUNIMENT_HOME", None)
    main_of_stage(sys.argv[1:])

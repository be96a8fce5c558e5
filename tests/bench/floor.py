"""The floor that an import is measured against: what no archive of this kind can do without, and nothing else.

For each record: parse its JSON, insert five rows, one AES-GCM over its bytes,
fourteen SHA-256, and add it to a Tantivy index. This file fixes it; it is not
to be made slower, and nothing of the archive's own code is in it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import tantivy
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROWS = 5
HASHES = 14
BATCH = 2_000


def floor(files: Iterable[Path], most: int | None = None) -> dict[str, float]:
    """Do the floor's work over the files; seconds and records."""
    folder = Path(tempfile.mkdtemp(prefix="muniment-floor-"))
    try:
        return _work(files, most, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _work(files: Iterable[Path], most: int | None, folder: Path) -> dict[str, float]:
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    for number in range(ROWS):
        database.execute(f"CREATE TABLE t{number} (key INTEGER PRIMARY KEY, a BLOB, b BLOB, c INTEGER)")
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", stored=False)
    builder.add_unsigned_field("id", stored=True, indexed=True, fast=True)
    builder.add_text_field("page", stored=False, tokenizer_name="raw", fast=True)
    (folder / "index").mkdir()
    index = tantivy.Index(builder.build(), path=str(folder / "index"))
    writer = index.writer(heap_size=128_000_000, num_threads=1)
    cipher = AESGCM(os.urandom(32))
    began = time.perf_counter()
    records = 0
    rows: list[tuple[int, bytes, bytes, int]] = []

    def commit() -> None:
        database.execute("BEGIN IMMEDIATE")
        for number in range(ROWS):
            database.executemany(f"INSERT INTO t{number} VALUES (?,?,?,?)", rows)
        database.execute("COMMIT")
        rows.clear()

    for file in files:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            for line in lines:
                if most is not None and records >= most:
                    break
                found = json.loads(line)
                nonce = os.urandom(12)
                sealed = cipher.encrypt(nonce, line, None)
                digest = b""
                for _ in range(HASHES):
                    digest = hashlib.sha256(digest + line[:64]).digest()
                records += 1
                rows.append((records, digest, sealed[:64], len(line)))
                document = tantivy.Document()
                document.add_text("text", found["text"])
                document.add_unsigned("id", records)
                document.add_text("page", found["page"])
                writer.add_document(document)
                if len(rows) == BATCH:
                    commit()
    commit()
    writer.commit()
    writer.wait_merging_threads()
    seconds = time.perf_counter() - began
    database.close()
    return {"records": records, "seconds": seconds, "microseconds": seconds / max(records, 1) * 1e6}


if __name__ == "__main__":
    most = int(sys.argv[1])
    print(json.dumps(floor([Path(name) for name in sys.argv[2:]], most or None)))

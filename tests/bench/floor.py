"""The floor that an import is measured against: what no archive of this kind can do without, and nothing else.

For each record: parse its JSON, insert five rows, one AES-GCM over its bytes,
fourteen SHA-256, and add it to a Tantivy index. The rows are inserted as
anybody would write it down first: through SQLAlchemy, a statement a row, into
tables with a key and a random id, a transaction for every two thousand
records. With `bare`, the same rows go through the driver's `executemany`
instead: the least that the machine can do at all, told beside the floor for
comparison. This file fixes both; nothing of the archive's own code is in it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import tantivy
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, create_engine, insert

ROWS = 5
HASHES = 14
BATCH = 2_000


def floor(files: Iterable[Path], most: int | None = None, *, bare: bool = False) -> dict[str, float]:
    """Do the floor's work over the files; seconds and records."""
    folder = Path(tempfile.mkdtemp(prefix="muniment-floor-"))
    try:
        return _work(files, most, folder, bare=bare)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _work(files: Iterable[Path], most: int | None, folder: Path, *, bare: bool) -> dict[str, float]:
    engine = create_engine(f"sqlite:///{folder / 'floor.db'}")
    metadata = MetaData()
    tables = [
        Table(
            f"t{number}",
            metadata,
            Column("key", Integer, primary_key=True),
            Column("id", LargeBinary(16), nullable=False, unique=True),
            Column("a", LargeBinary, nullable=False),
            Column("b", Integer, nullable=False),
        )
        for number in range(ROWS)
    ]
    metadata.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
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
    rows: list[dict[str, object]] = []

    def commit() -> None:
        with engine.begin() as tx:
            tx.exec_driver_sql("PRAGMA synchronous=FULL")
            for table in tables:
                if bare and rows:
                    statement = f"INSERT INTO {table.name} VALUES (?, ?, ?, ?)"
                    tx.exec_driver_sql(statement, [tuple(row.values()) for row in rows])
                elif not bare:
                    for row in rows:
                        tx.execute(insert(table), row)
        rows.clear()

    for line in _lines(files, most):
        found = json.loads(line)
        nonce = os.urandom(12)
        sealed = cipher.encrypt(nonce, line, None)
        digest = b""
        for _ in range(HASHES):
            digest = hashlib.sha256(digest + line[:64]).digest()
        records += 1
        rows.append({"key": records, "id": os.urandom(16), "a": digest + sealed[:32], "b": len(line)})
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
    engine.dispose()
    return {"records": records, "seconds": seconds, "microseconds": seconds / max(records, 1) * 1e6}


def _lines(files: Iterable[Path], most: int | None) -> Iterator[bytes]:
    left = most if most is not None else -1
    for file in files:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            for line in lines:
                if left == 0:
                    return
                left -= 1
                yield line


if __name__ == "__main__":
    kind, count, *names = sys.argv[1:]
    print(json.dumps(floor([Path(name) for name in names], int(count) or None, bare=kind == "bare")))

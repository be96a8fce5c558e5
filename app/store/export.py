"""The ledger as static files, for anyone to mirror: checkpoint, tiles, entry bundles and the verifier key (C2SP tlog-tiles)."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.store.ledger import Ledger
from app.store.note import Checkpoint, opened
from app.store.proofs import must_be_empty
from app.store.tiles import WIDTH, path


def ledger(book: Ledger, folder: Path) -> dict[str, object]:
    """Write a freshly signed checkpoint with everything under it into the empty folder."""
    must_be_empty(folder)
    note = book.checkpoint()
    size = Checkpoint.parse(opened(note, book.verifier())).size
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint").write_text(note)
    (folder / "log.vkey").write_text(book.verifier().line() + "\n")
    if (book.folder / "tile").is_dir():
        shutil.copytree(book.folder / "tile", folder / "tile")
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        file = folder / path(0, number, width).replace("tile/0/", "tile/entries/", 1)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bundle(book, number, width))
    return {"size": size, "folder": str(folder), "origin": book.origin}


def bundle(book: Ledger, number: int, width: int) -> bytes:
    """An entry bundle: each entry after its length as two big-endian bytes."""
    first = number * WIDTH
    return b"".join(len(body).to_bytes(2) + body for body in book.bodies(first, first + width))

"""The proof folder: everything that a stranger needs to check one version of one record without us."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast
from uuid import UUID

from sqlalchemy import select

from app.db import Tx
from app.records.errors import Invalid
from app.store.reading import VERSION_COLUMNS, Frames, layout, open_pieces, statement, version_row
from app.store.statement import disclosures
from app.store.store import Store
from app.store.tables import objects, pieces, records, versions


class FolderNotEmpty(Invalid):
    """The folder to write to holds something already; nothing was written."""

    code = "folder-not-empty"


def write(store: Store, tx: Tx, record: UUID, out: Path, *, number: int | None = None) -> dict[str, object]:
    """Write the proof of a version (the newest, or `number`) into the empty folder `out`.

    `statement.json`, `salt.hex`, `entry.json`, `item.tlog-proof`,
    `disclosures.txt`, `payload/`, `log.vkey`: as the interface says, byte for
    byte what was committed.
    """
    must_be_empty(out)
    row = version_row(
        tx.execute(
            select(*VERSION_COLUMNS)
            .join(records, records.c.key == versions.c.record)
            .join(objects, objects.c.key == versions.c.object)
            .where(
                records.c.id == record.bytes,
                versions.c.number == (records.c.version if number is None else number),
            )
        ).one()
    )
    secret = store.keyring.secret(record.bytes)
    told = statement(Frames(store.objects), secret, row)
    note = store.ledger.proof(row.entry)
    out.mkdir(parents=True, exist_ok=True)
    (out / "payload").mkdir()
    (out / "statement.json").write_bytes(told.body)
    (out / "salt.hex").write_text(told.salt.hex() + "\n")
    (out / "entry.json").write_bytes(store.ledger.entry(tx, row.entry))
    (out / "item.tlog-proof").write_text(note)
    (out / "disclosures.txt").write_text(
        "".join(f"{line}\n" for line in disclosures(secret, told, row.number))
    )
    (out / "log.vkey").write_text(store.ledger.verifier().line() + "\n")
    payloads = cast("list[dict[str, object]]", told.values().get("payloads") or [])
    for name, content in _payloads(store, tx, row.record, row.exchange, payloads):
        (out / "payload" / name).write_bytes(content)
    return {"record": str(record), "version": row.number, "entry": row.entry, "folder": str(out)}


def must_be_empty(folder: Path) -> None:
    """Raise `FolderNotEmpty` where something would be overwritten or mixed in."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty(f"{folder} is not an empty folder", next="Name a new folder.")


def _payloads(
    store: Store, tx: Tx, record: int, exchange: int, stated: list[dict[str, object]]
) -> list[tuple[str, bytes]]:
    """The record's own bytes in the exchange, by the names that the statement gives them."""
    wanted = {str(item["sha256"]): str(item["name"]) for item in stated}
    own = set(tx.execute(select(pieces.c.key).where(pieces.c.record == record)).scalars())
    found = []
    for content in open_pieces(store, tx, own & {ref[0] for ref in layout(tx, exchange)}).values():
        name = wanted.get(hashlib.sha256(content).hexdigest())
        if name:
            found.append((name, content))
    return found

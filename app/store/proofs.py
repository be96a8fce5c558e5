"""The proof folder: everything that a stranger needs to check one version of one record without us."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import cast
from uuid import UUID

from sqlalchemy import select

from app import ROOT
from app.db import Tx
from app.records.errors import Invalid
from app.store import anchors, merkle, witness
from app.store.ledger import Ledger, LedgerBroken
from app.store.note import Checkpoint, Verifier, opened, proof_text, with_cosignatures
from app.store.reading import VERSION_COLUMNS, Frames, layout, open_pieces, statement, version_row
from app.store.statement import disclosures
from app.store.store import Store
from app.store.tables import checkpoints, objects, pieces, records, versions

VERIFIERS = ROOT / "app" / "store" / "verifiers"
"""What goes with every proof: two programs that check it without this one, and how to use them."""


class FolderNotEmpty(Invalid):
    """The folder to write to holds something already; nothing was written."""

    code = "folder-not-empty"


def write(
    store: Store,
    tx: Tx,
    record: UUID,
    out: Path,
    *,
    number: int | None = None,
    signed: int | None = None,
    verifiers: bool = True,
) -> dict[str, object]:
    """Write the proof of a version (the newest, or `number`) into the empty folder `out`.

    `statement.json`, `salt.hex`, `entry.json`, `item.tlog-proof`,
    `disclosures.txt`, `payload/`, `log.vkey`: as the interface says, byte for
    byte what was committed. The proof stands under the earliest checkpoint that
    somebody else timestamped, with those timestamps in `anchors/`; a later one
    that covers them is in `renewed/`. `witnesses.vkey` names who cosigned.

    `signed` is the size of a checkpoint to stand under where nobody vouched for
    any, so that many proofs share it; without it, one is signed now. Whoever
    writes many may leave the `verifiers` out and hand them over once.
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
    out.mkdir(parents=True, exist_ok=True)
    (out / "payload").mkdir()
    (out / "statement.json").write_bytes(told.body)
    (out / "salt.hex").write_text(told.salt.hex() + "\n")
    (out / "entry.json").write_bytes(store.ledger.entry(tx, row.entry))
    (out / "disclosures.txt").write_text(
        "".join(f"{line}\n" for line in disclosures(secret, told, row.number))
    )
    payloads = cast("list[dict[str, object]]", told.values().get("payloads") or [])
    for name, content in _payloads(store, tx, row.record, row.exchange, payloads):
        (out / "payload" / name).write_bytes(content)
    vouched = _vouched(store, tx, row.entry, out, signed)
    if verifiers:
        for file in means():
            shutil.copy(file, out / file.name)
    return {"record": str(record), "version": row.number, "entry": row.entry, "folder": str(out)} | vouched


def means() -> list[Path]:
    """The verifiers, and the text that tells how to use them."""
    return [file for file in sorted(VERIFIERS.iterdir()) if file.is_file()]


def under(store: Store, tx: Tx, entry: int, size: int | None = None) -> str:
    """The `tlog-proof` of an entry under the checkpoint of `size` entries that was signed then, or one signed now.

    Cosignatures stand in it. It is checked before it is handed out.
    """
    if size is None:
        proof = store.ledger.proof(entry)
        size = Checkpoint.parse(opened(proof.partition("\n\n")[2], store.ledger.verifier())).size
    else:
        note = tx.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar_one()
        proof = _checked(store.ledger, tx, entry, str(note), store.ledger.verifier_at(tx, size))
    return with_cosignatures(proof, (line for _, line in witness.lines_over(tx, size)))


def _checked(ledger: Ledger, tx: Tx, entry: int, note: str, by: Verifier) -> str:
    said = Checkpoint.parse(opened(note, by))
    path = ledger.inclusion(entry, said.size)
    leaf = merkle.leaf_hash(ledger.entry(tx, entry))
    if not merkle.check_inclusion(leaf, entry, said.size, path, said.root):
        raise LedgerBroken(
            f"entry {entry} is not the one that was signed",
            next="Run `muniment verify`; if it finds the same, keep this copy as evidence and restore the newest backup.",
        )
    return proof_text(entry, path, note)


def _vouched(store: Store, tx: Tx, entry: int, out: Path, signed: int | None) -> dict[str, object]:
    """Write the proof, the key of the epoch that signed its checkpoint, who cosigned and who timestamped it."""
    size = anchors.first_over(tx, entry) or witness.newest_over(tx, entry) or signed
    by = store.ledger.verifier_at(tx, size) if size else store.ledger.verifier()
    (out / "log.vkey").write_text(by.line() + "\n")
    (out / "item.tlog-proof").write_text(under(store, tx, entry, size), encoding="utf-8")
    keys = [key.line() for key, _ in witness.lines_over(tx, size)] if size else []
    if keys:
        (out / "witnesses.vkey").write_text("".join(f"{key}\n" for key in keys), encoding="utf-8")
    tokens = anchors.over(tx, size) if size else []
    write_tokens(out / "anchors", tokens)
    if tokens:
        _renewed(store, tx, tokens[0], out / "renewed", by)
    proven = anchors.proven_by(tx, entry)
    return {"proven_by": proven.isoformat() if proven else None, "witnesses": len(keys)}


def _renewed(store: Store, tx: Tx, token: anchors.Kept, out: Path, by: Verifier) -> None:
    """Where a newer timestamp covers the entry that notes this one, show so: it vouches for the older signature.

    Not under the key of a later epoch: the folder holds one key.
    """
    size = anchors.newest_over(tx, token.entry)
    if size is None or store.ledger.verifier_at(tx, size) != by:
        return
    note = tx.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar_one()
    proof = _checked(store.ledger, tx, token.entry, str(note), by)
    write_tokens(out, anchors.over(tx, size))
    (out / "entry.json").write_bytes(store.ledger.entry(tx, token.entry))
    (out / "entry.tlog-proof").write_text(proof, encoding="utf-8")


def write_tokens(out: Path, tokens: list[anchors.Kept]) -> None:
    """Each timestamp, and each set of roots that it was checked against, under the name of its own SHA-256."""
    if tokens:
        out.mkdir()
    for one in tokens:
        (out / f"{one.digest.hex()}.tsr").write_bytes(one.token)
        roots = one.roots.encode()
        (out / f"{hashlib.sha256(roots).hexdigest()}.pem").write_bytes(roots)


def must_be_empty(folder: Path) -> None:
    """Raise `FolderNotEmpty` where something would be overwritten or mixed in."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty(f"{folder} is not an empty folder", next="Name a new folder.")


def _payloads(
    store: Store, tx: Tx, record: int, exchange: int, stated: list[dict[str, object]]
) -> list[tuple[str, bytes]]:
    """The record's own bytes in the exchange, by the names that the statement gives them."""
    wanted: dict[str, list[str]] = {}
    for item in stated:
        wanted.setdefault(str(item["sha256"]), []).append(str(item["name"]))
    own = set(tx.execute(select(pieces.c.key).where(pieces.c.record == record)).scalars())
    found = []
    for content in open_pieces(store, tx, own & {ref[0] for ref in layout(tx, exchange)}).values():
        names = wanted.get(hashlib.sha256(content).hexdigest(), [])
        found += [(name, content) for name in names]
    return found

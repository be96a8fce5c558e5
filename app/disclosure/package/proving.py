"""Proofs that leave with a production: as much of each as the record that it speaks of leaves.

* Of a record that leaves whole: the statement, its salt, every field, and the
  bytes that it was read from.
* Of a record of which something was taken out: the statement and its salt,
  and those fields alone whose value can be read in what leaves. A field is
  shown because the item shows the same value, never because nobody forbade it.
* Of a record that is kept back: the ledger's entry and its place in the
  ledger. The commitment tells nothing; a court that is shown the record later
  can see that it is this one.

Every proof stands under one checkpoint, so that one signature and its
timestamps vouch for all. Timestamps over earlier checkpoints say more of the
older entries: these stand in `history/`, with a proof each that the shared
checkpoint only went on from there.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.db import Tx
from app.disclosure.package.recipe import BadRecipe, Numbered
from app.disclosure.released import Released, ReleasedVersion, Withheld, plain
from app.store import anchors, merkle, proofs, witness
from app.store.ledger import LedgerBroken
from app.store.note import Checkpoint, opened
from app.store.reading import (
    VERSION_COLUMNS,
    Frames,
    VersionRow,
    layout,
    open_pieces,
    statement,
    version_row,
)
from app.store.statement import Statement, disclosures
from app.store.store import Store
from app.store.tables import objects, pieces, records, versions

NEVER = frozenset({"payloads", "extra", "attachments", "seen", "in_reply_to", "state_reason", "private"})
"""Fields that are not shown of a record unless all of it is: digests of what is taken out, and what leads elsewhere."""


class ProofsDiffer(BadRecipe):
    """What is to leave is not what the ledger has: somebody has to look before anything is sealed."""

    code = "proofs-differ"


def write(store: Store, tx: Tx, told: Numbered, folder: Path, size: int, *, evident: bool) -> int:
    """Write the proofs of a document into `folder`, one folder a version; return how many.

    `evident` says whether its very bytes may leave: it is whole, and nothing
    that it answers is kept back.
    """
    match told.item:
        case Withheld() as withheld:
            for entry in withheld.entries:
                body = store.ledger.entry(tx, entry)
                said = msgspec.json.decode(body)
                if said.get("item") != withheld.id.hex:
                    raise ProofsDiffer(f"entry {entry} does not speak of the record {withheld.id}")
                _entry(store, tx, folder / str(said["ver"]), entry, body, size)
            return len(withheld.entries)
        case Released() as released:
            _released(store, tx, released, folder, size, evident=evident)
            return len(released.versions)


def _released(store: Store, tx: Tx, released: Released, folder: Path, size: int, *, evident: bool) -> None:
    secret = store.keyring.secret(released.id.bytes)
    rows = _rows(tx, released)
    frames = Frames(store.objects)
    for version in released.versions:
        row = rows.get(version.number)
        if row is None or row.entry != version.entry:
            raise ProofsDiffer(
                f"version {version.number} of record {released.id} is not the one of the ledger"
            )
        made = statement(frames, secret, row)
        out = folder / str(version.number)
        _entry(store, tx, out, version.entry, store.ledger.entry(tx, version.entry), size)
        (out / "statement.json").write_bytes(made.body)
        (out / "salt.hex").write_text(made.salt.hex() + "\n")
        shown = _shown(secret, made, version, released, evident=evident)
        (out / "disclosures.txt").write_text("".join(f"{line}\n" for line in shown))
        if evident:
            for name, content in _payloads(store, tx, row, made):
                (out / "payload").mkdir(exist_ok=True)
                (out / "payload" / name).write_bytes(content)


def _rows(tx: Tx, released: Released) -> dict[int, VersionRow]:
    asked = (
        select(*VERSION_COLUMNS)
        .join(records, records.c.key == versions.c.record)
        .join(objects, objects.c.key == versions.c.object)
        .where(records.c.id == released.id.bytes)
    )
    found = (version_row(row) for row in tx.execute(asked))
    return {row.number: row for row in found}


def _entry(store: Store, tx: Tx, out: Path, entry: int, body: bytes, size: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "entry.json").write_bytes(body)
    (out / "item.tlog-proof").write_text(proofs.under(store, tx, entry, size), encoding="utf-8")


# -- which fields ------------------------------------------------------------------------------------------


def _shown(
    secret: bytes, made: Statement, version: ReleasedVersion, released: Released, *, evident: bool
) -> list[str]:
    lines = disclosures(secret, made, version.number)
    if evident:
        return lines
    values = made.values()
    names = {name for name, value in values.items() if shows(released, version, name, value)}
    return [line for line, name in zip(lines, values, strict=True) if name in names]


def shows(released: Released, version: ReleasedVersion, name: str, value: object) -> bool:
    """Whether what leaves of a version shows this very value of a field. Pure; what is not known is not shown."""
    if name in NEVER or isinstance(value, (dict, list)):
        return False
    match name:
        case "text":
            whole = all(isinstance(run, str) for run in version.text)
            return whole and plain(version.text) == value
        case "html":
            return version.html is not None and version.html == value
        case "state":
            return version.state == value
        case "edited_at":
            return version.edited_at is not None and version.edited_at == value
        case "last_seen_before":
            return _is(version.last_seen_before, value)
        case "published_at":
            return _is(released.published_at, value)
        case _:
            return isinstance(value, str) and _fields(released).get(name) == value


def _fields(released: Released) -> Mapping[str, object]:
    """What a record shows by name; a mark is equal to no text."""
    return {
        "platform": released.page.platform,
        "page": released.page.name,
        "kind": released.kind,
        "native_id": released.native_id,
        "url": released.url,
        "author_id": released.author.id,
        "author_name": released.author.name,
        "author_handle": released.author.handle,
        "language": released.language,
    }


def _is(at: datetime | None, value: object) -> bool:
    if at is None or not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value) == at
    except (ValueError, TypeError):
        return False


def _payloads(store: Store, tx: Tx, row: VersionRow, made: Statement) -> list[tuple[str, bytes]]:
    """The record's own bytes in the exchange that showed it, by the names that the statement gives them."""
    wanted: dict[str, list[str]] = {}
    for item in cast("list[dict[str, object]]", made.values().get("payloads") or []):
        wanted.setdefault(str(item["sha256"]), []).append(str(item["name"]))
    if not wanted:
        return []
    own = set(tx.execute(select(pieces.c.key).where(pieces.c.record == row.record)).scalars())
    held = open_pieces(store, tx, own & {ref[0] for ref in layout(tx, row.exchange)})
    found = sorted(
        (name, content)
        for content in held.values()
        for name in wanted.get(hashlib.sha256(content).hexdigest(), ())
    )
    if {name for name, _ in found} != {name for names in wanted.values() for name in names}:
        raise ProofsDiffer(
            f"what entry {row.entry} was read from is not what its statement says",
            next="Run `muniment verify --full`, and produce nothing before it finds nothing.",
        )
    return found


# -- what all proofs share ---------------------------------------------------------------------------------


def shared(store: Store, tx: Tx, out: Path, size: int, entries: Iterable[int]) -> dict[str, object]:
    """Write the checkpoint under which every proof stands, its key, who vouched for it, and earlier timestamps.

    `entries` are those of the production: for each, the earliest checkpoint
    with a timestamp that covers it stands in `history/`.
    """
    out.mkdir(parents=True, exist_ok=True)
    note = anchors.signed_note(tx, size)
    if note is None:
        raise LedgerBroken(
            f"no checkpoint of {size} entries was signed here",
            next="The production was begun over another copy of this archive. Begin anew.",
        )
    by = store.ledger.verifier_at(tx, size)
    said = Checkpoint.parse(opened(note, by))
    (out / "checkpoint").write_text(note, encoding="utf-8")
    (out / "log.vkey").write_text(by.line() + "\n")
    seen = list(witness.lines_over(tx, size))
    if seen:
        (out / "cosignatures").write_text("".join(line for _, line in seen), encoding="utf-8")
        (out / "witnesses.vkey").write_text("".join(f"{key.line()}\n" for key, _ in seen), encoding="utf-8")
    tokens = anchors.over(tx, size)
    _tokens(out, tokens)
    earlier = sorted(_covering(tx, entries, size))
    for one in earlier:
        _history(store, tx, out / "history" / str(one), one, said)
    return {
        "origin": said.origin,
        "size": said.size,
        "root": said.root.hex(),
        "key": by.line(),
        "witnesses": [key.line() for key, _ in seen],
        "timestamps": len(tokens),
        "earlier": earlier,
    }


def _covering(tx: Tx, entries: Iterable[int], size: int) -> set[int]:
    """The sizes of the earliest checkpoints with a timestamp that cover these entries, below `size`."""
    found: set[int] = set()
    known: list[int] = []
    for entry in sorted(set(entries)):
        if not known or known[-1] <= entry:
            first = anchors.first_over(tx, entry)
            if first is None or first >= size:
                break
            known.append(first)
            found.add(first)
    return found


def _history(store: Store, tx: Tx, out: Path, size: int, said: Checkpoint) -> None:
    """An earlier checkpoint with its timestamps, and the proof that the shared one begins with it (RFC 9162, 2.1.4)."""
    if store.ledger.verifier_at(tx, size) != store.ledger.verifier_at(tx, said.size):
        return  # of an epoch that a restore ended: another key, and nothing that leads from one to the other
    note = anchors.signed_note(tx, size)
    if note is None:
        return
    was = Checkpoint.parse(opened(note, store.ledger.verifier_at(tx, size)))
    path = store.ledger.consistency(size, said.size)
    if not merkle.check_consistency(size, said.size, was.root, said.root, path):
        raise LedgerBroken(
            f"the checkpoint of {said.size} entries does not go on from that of {size}",
            next="Run `muniment verify`, and keep this copy as evidence.",
        )
    out.mkdir(parents=True)
    (out / "checkpoint").write_text(note, encoding="utf-8")
    (out / "consistency").write_text(
        "".join(base64.b64encode(part).decode() + "\n" for part in path), encoding="utf-8"
    )
    _tokens(out, anchors.over(tx, size))


def _tokens(out: Path, tokens: Sequence[anchors.Kept]) -> None:
    """Each timestamp and its roots under the name of its own SHA-256."""
    for one in tokens:
        (out / f"{one.digest.hex()}.tsr").write_bytes(one.token)
        roots = one.roots.encode()
        (out / f"{hashlib.sha256(roots).hexdigest()}.pem").write_bytes(roots)


def proven_by(tx: Tx, entries: Iterable[int]) -> dict[int, datetime | None]:
    """For each entry when it existed at the latest, by somebody else's clock."""
    return {entry: anchors.proven_by(tx, entry) for entry in entries}


def entries_of(told: Numbered) -> list[int]:
    """Where the ledger holds the versions of a document."""
    match told.item:
        case Withheld() as withheld:
            return list(withheld.entries)
        case Released() as released:
            return [one.entry for one in released.versions]


def hides(item: Released | Withheld) -> bool:
    """Whether what leads to this record on its platform is kept back: whatever answers it may name it in its bytes."""
    return isinstance(item, Withheld) or not all(
        one is None or isinstance(one, str)
        for one in (item.native_id, item.url, item.author.id, item.author.handle)
    )


def evident(told: Numbered, hidden: set[UUID]) -> bool:
    """Whether a document's very bytes may leave: all of it leaves, and nothing that it answers is hidden."""
    item = told.item
    return (
        told.whole
        and item.root not in hidden
        and (item.in_reply_to is None or item.in_reply_to not in hidden)
    )

"""What had been disposed of when the keys were copied: ids, citations and times, and no content.

It goes with every copy of the keys, so that a restore of older data can carry
out again what was disposed of since: the newest keys say what is gone.

One JSON object a line: a `batch` before its `record`s and the `forgotten`
secrets that went with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.db import Tx, from_instant
from app.store.backup.sets import BackupAltered
from app.store.canonical import canonical
from app.store.disposals import DESTROYED, VERIFIED
from app.store.tables import disposal_records, disposals, forgotten, pages, records, suppressed, tombstones

FILE = "disposed.jsonl"


@dataclass(frozen=True, slots=True)
class Gone:
    """A record that was disposed of: what its tombstone says, and the mark that keeps it from being kept again."""

    record: UUID
    at: datetime
    page: UUID
    kind: str
    month: str | None
    private: bool
    received: bool
    mark: bytes


@dataclass(slots=True)
class Carried:
    """A batch that was carried out, as far as it was."""

    batch: UUID
    at: datetime
    entry: int
    series: str
    citation: str
    authority: str
    records: list[Gone] = field(default_factory=list)
    forgotten: list[tuple[bytes, str]] = field(default_factory=list)


def write(tx: Tx, file: Path, *, since: int | None = None) -> int:
    """Write down everything that was disposed of, or what was since an entry of the ledger; return how many records that are.

    The ledger tells before from after, whatever a clock said.

    Called after the keyring was copied: a tombstone comes before its secret
    goes, so that whatever the copy lacks is named here.
    """
    count = 0
    with file.open("wb") as out:
        for line in _lines(tx, since):
            count += line["t"] == "record"
            out.write(canonical(line) + b"\n")
    return count


def _lines(tx: Tx, since: int | None) -> Iterator[dict[str, object]]:
    for batch in tx.execute(select(disposals).order_by(disposals.c.entry)).all():
        gone = list(_records(tx, batch.key, since))
        if not gone:
            continue
        yield {
            "t": "batch",
            "id": bytes(batch.id).hex(),
            "at": batch.at,
            "entry": batch.entry,
            "series": batch.series,
            "citation": batch.citation,
            "authority": batch.authority,
        }
        yield from gone
        asked = select(forgotten.c.owner, forgotten.c.kind).where(forgotten.c.batch == batch.key)
        for owner, kind in tx.execute(asked.order_by(forgotten.c.owner)):
            yield {"t": "forgotten", "owner": bytes(owner).hex(), "kind": kind}


def _records(tx: Tx, batch: int, since: int | None) -> Iterator[dict[str, object]]:
    asked = (
        select(
            records.c.id,
            tombstones.c.at,
            pages.c.id.label("page"),
            records.c.kind,
            tombstones.c.detail,
            records.c.private,
            records.c.received,
            suppressed.c.mac,
        )
        .join(records, records.c.key == disposal_records.c.record)
        .join(tombstones, tombstones.c.record == records.c.key)
        .join(pages, pages.c.key == records.c.page)
        .join(suppressed, suppressed.c.record == records.c.key)
        .where(disposal_records.c.batch == batch, disposal_records.c.state.in_((DESTROYED, VERIFIED)))
        .order_by(records.c.key)
    )
    if since is not None:
        asked = asked.where(disposal_records.c.entry >= since)
    for row in tx.execute(asked):
        yield {
            "t": "record",
            "id": bytes(row.id).hex(),
            "at": row.at,
            "page": bytes(row.page).hex(),
            "kind": row.kind,
            "month": msgspec.json.decode(row.detail)["month"],
            "private": bool(row.private),
            "received": bool(row.received),
            "mark": bytes(row.mac).hex(),
        }


def read(file: Path) -> list[Carried]:
    """The batches in a file, in the order in which they were authorised."""
    found: list[Carried] = []
    try:
        with file.open("rb") as lines:
            for line in lines:
                _take(found, msgspec.json.decode(line))
    except (OSError, msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
        raise BackupAltered(f"{file} cannot be read: {error}") from error
    return found


def _take(found: list[Carried], told: dict[str, object]) -> None:
    match told["t"]:
        case "batch":
            found.append(
                Carried(
                    batch=UUID(hex=str(told["id"])),
                    at=from_instant(int(str(told["at"]))),
                    entry=int(str(told["entry"])),
                    series=str(told["series"]),
                    citation=str(told["citation"]),
                    authority=str(told["authority"]),
                )
            )
        case "record":
            found[-1].records.append(
                Gone(
                    record=UUID(hex=str(told["id"])),
                    at=from_instant(int(str(told["at"]))),
                    page=UUID(hex=str(told["page"])),
                    kind=str(told["kind"]),
                    month=str(told["month"]) if told["month"] else None,
                    private=bool(told["private"]),
                    received=bool(told["received"]),
                    mark=bytes.fromhex(str(told["mark"])),
                )
            )
        case "forgotten":
            found[-1].forgotten.append((bytes.fromhex(str(told["owner"])), str(told["kind"])))
        case other:
            raise ValueError(f"{other!r} is nothing that was disposed of")


def together(*files: Sequence[Carried]) -> list[Carried]:
    """Several lists as one: each batch once, with all that any of them says of it."""
    merged: dict[UUID, Carried] = {}
    for one in (batch for told in files for batch in told):
        held = merged.setdefault(
            one.batch, Carried(one.batch, one.at, one.entry, one.series, one.citation, one.authority)
        )
        known = {gone.record for gone in held.records}
        held.records += [gone for gone in one.records if gone.record not in known]
        went = set(held.forgotten)
        held.forgotten += [pair for pair in one.forgotten if pair not in went]
    return sorted(merged.values(), key=lambda one: (one.entry, one.at))

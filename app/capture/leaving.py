"""What the archive tells of its records and pages when all of it leaves: records with their versions, pages with their coverage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select

from app.capture import account, attachments, introductions, pages, records, shown
from app.db import Tx, from_instant
from app.records.clock import FixedClock, iso
from app.records.nouns import Disposed, Record
from app.store.outgoing.telling import AsOf, AttachmentTold, PageTold, RecordTold, TombstoneTold, VersionTold
from app.store.store import Store
from app.store.tables import counts, tombstones, versions
from app.store.tables import records as record_rows
from connectors import registry

_ASK = 500
_HELD = "held"
"""Left out of every record: which records a hold covers is nothing that leaves."""


class Leaving:
    """Tells records and pages as they stood at a checkpoint; for `app.store.outgoing`, which writes them down."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def records(
        self, tx: Tx, keys: Sequence[int], as_of: AsOf, *, messages: bool
    ) -> list[RecordTold | TombstoneTold]:
        """The records of these keys in their order, with the versions that the ledger had at `as_of`."""
        found: dict[int, RecordTold | TombstoneTold] = dict(self._disposed(tx, keys, messages=messages))
        numbers = self._numbers(tx, keys, as_of)
        for record in records.read(self.store, tx, keys, messages=messages):
            if record.key in numbers:
                found[record.key] = self._told(tx, record, numbers[record.key])
        return [found[key] for key in keys if key in found]

    def page(self, tx: Tx, page: PageTold, as_of: AsOf) -> Mapping[str, object]:
        """What the registry says of a page, its introduction, and how it was covered from the beginning."""
        still = replace(self.store, clock=FixedClock(as_of.at))
        zone = still.agency.zone()
        noun = pages.get(tx, str(page.id))
        told = account.of(still, tx, noun, noun.added_at, max(as_of.at, noun.added_at))
        manifest = next((one for one in registry.connectors() if one.name == noun.connector), None)
        covered = account.as_json(
            noun, replace(told, latency=None), manifest.blind_spots if manifest else (), zone
        )
        read, source = introductions.introduction(still, tx, noun)
        introduction = {
            "text": read.text if read else None,
            "links": list(read.links) if read else [],
            "read_from": [{"record": str(one), "version": number} for one, number in source.versions],
        }
        return {
            "page.json": {**shown.page(noun, as_of.at.astimezone(zone).date())},
            "coverage.json": covered,
            "introduction.json": introduction,
        }

    def _disposed(
        self, tx: Tx, keys: Sequence[int], *, messages: bool
    ) -> Iterator[tuple[int, TombstoneTold]]:
        for start in range(0, len(keys), _ASK):
            asked = (
                select(record_rows.c.key, record_rows.c.id)
                .join(tombstones, tombstones.c.record == record_rows.c.key)
                .where(record_rows.c.key.in_(list(keys[start : start + _ASK])))
            )
            if not messages:
                asked = asked.where(record_rows.c.private.is_(False))
            for key, identity in tx.execute(asked).all():
                gone = records.get(self.store, tx, UUID(bytes=bytes(identity)), messages=messages)
                if isinstance(gone, Disposed):
                    yield key, TombstoneTold(key=key, id=gone.id, at=gone.on, json=records.as_json(gone))

    def _numbers(self, tx: Tx, keys: Sequence[int], as_of: AsOf) -> dict[int, list[int]]:
        """The versions of each record that the ledger had, by number."""
        found: dict[int, list[int]] = {}
        for start in range(0, len(keys), _ASK):
            asked = (
                select(versions.c.record, versions.c.number)
                .where(versions.c.record.in_(list(keys[start : start + _ASK])), versions.c.entry < as_of.size)
                .order_by(versions.c.record, versions.c.number)
            )
            for record, number in tx.execute(asked):
                found.setdefault(record, []).append(number)
        return found

    def _told(self, tx: Tx, newest: Record, numbers: Sequence[int]) -> RecordTold:
        told = []
        for number in numbers:
            if number == newest.version.number:
                record = newest
            else:
                record = records.read(self.store, tx, [newest.key], messages=True, number=number)[0]
            told.append(self._version(tx, record, len(numbers)))
        return RecordTold(
            key=newest.key, id=newest.id, kind=newest.kind, versions=told, counts=self._counts(tx, newest.key)
        )

    def _version(self, tx: Tx, record: Record, of: int) -> VersionTold:
        version = record.version
        told = {name: value for name, value in records.as_json(record).items() if name != _HELD}
        names = cast("list[dict[str, str]]", version.fields.get("attachments") or [])
        held = (
            attachments.of(self.store, tx, record.id.bytes, [item.get("id", "") for item in names])
            if names
            else {}
        )
        listed: list[dict[str, object]] = []
        kept: dict[UUID, AttachmentTold] = {}
        for item in names:
            row = held.get(item.get("id", ""))
            entry: dict[str, object] = {
                "id": str(row.id) if row else None,
                "url": item.get("url"),
                "media_type": item.get("media_type"),
                "description": item.get("description"),
                "bytes": row.length if row else None,
                "state": row.state if row else "listed",
            }
            listed.append(entry)
            if row is not None and row.digest is not None and row.length is not None:
                kept[row.id] = AttachmentTold(
                    id=row.id,
                    entry_json=entry,
                    media_type=item.get("media_type"),
                    url=item.get("url"),
                    size=row.length,
                    chunks=partial(attachments.stream, self.store, row),
                )
        return VersionTold(
            number=version.number,
            state=version.state,
            observed_at=version.observed_at,
            json={**told, "versions": of},
            listed=listed,
            attachments=list(kept.values()),
        )

    def _counts(self, tx: Tx, key: int) -> list[dict[str, Any]]:
        asked = select(counts.c.at, counts.c.counts).where(counts.c.record == key).order_by(counts.c.at)
        return [{"at": iso(from_instant(at)), "counts": _numbers_of(told)} for at, told in tx.execute(asked)]


def _numbers_of(told: str) -> Mapping[str, object]:
    found: Mapping[str, object] = json.loads(told)
    return found

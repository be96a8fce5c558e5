"""Batches: authorised, withdrawn, and final when no copy of the keys is left. Nothing is destroyed here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, update

from app.db import Tx, key_of, to_instant
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.records.clock import today
from app.store import disposals
from app.store.canonical import Json
from app.store.destruction.refusals import (
    AlreadyDisposed,
    InAnotherBatch,
    KeyBackupsLive,
    NothingToDispose,
    NotVerified,
    UnknownRecord,
)
from app.store.destruction.rows import condemned, mark, parts
from app.store.disposals import AUTHORISED, DESTROYED, VERIFIED, WITHDRAWN, Batch
from app.store.store import Store
from app.store.tables import disposal_records, records, tombstones
from app.store.tables import disposals as batches


def authorise(
    store: Store,
    tx: Tx,
    batch: UUID,
    wanted: Iterable[UUID],
    *,
    authority: str,
    series: str,
    citation: str,
    by: UUID | None,
    why: str,
) -> Batch:
    """Write down that these records are to be destroyed, and on what authority; nothing is touched yet.

    `batch` MUST be a random id. Refused where a record was disposed of
    already, or stands in another batch. Nobody (`by`) is named only by a
    restore, which writes down again what was decided.
    """
    ids = list(dict.fromkeys(one.bytes for one in wanted))
    if not ids or not authority.strip() or not series.strip() or not citation.strip():
        raise NothingToDispose(
            "a batch needs records, a series, its citation, and an authority",
            next="Name what authorises the disposal.",
        )
    lock_ledger(tx)
    keys = _may_be_disposed(tx, batch, ids)
    entry = store.ledger.act(
        tx,
        "disposal",
        by=by,
        why=why,
        facts={
            "batch": batch.hex,
            "act": "authorised",
            "n": len(ids),
            "root": disposals.root(ids).hex(),
        },
        detail={"series": series, "citation": citation, "authority": authority},
        subject=batch,
    )
    made = tx.execute(
        insert(batches).values(
            id=batch.bytes,
            entry=entry,
            at=to_instant(store.clock.now()),
            series=series,
            citation=citation,
            authority=authority,
        )
    )
    of = key_of(made)
    insert_rows(
        tx, disposal_records, ("batch", "record", "state"), [(of, key, AUTHORISED) for key in keys.values()]
    )
    return disposals.batch(tx, batch)


def _may_be_disposed(tx: Tx, batch: UUID, ids: Sequence[bytes]) -> dict[bytes, int]:
    """The keys of these records, or what is refused about them."""
    if tx.execute(select(batches.c.key).where(batches.c.id == batch.bytes)).first() is not None:
        raise InAnotherBatch(f"batch {batch} was authorised before")
    keys: dict[bytes, int] = {}
    for part in parts(ids):
        asked = (
            select(records.c.id, records.c.key, tombstones.c.record, disposal_records.c.batch)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .outerjoin(
                disposal_records,
                (disposal_records.c.record == records.c.key) & (disposal_records.c.state != WITHDRAWN),
            )
            .where(records.c.id.in_(part))
        )
        for identity, key, buried, standing in tx.execute(asked):
            if buried is not None:
                raise AlreadyDisposed(f"record {UUID(bytes=bytes(identity))} was disposed of already")
            if standing is not None:
                raise InAnotherBatch(
                    f"record {UUID(bytes=bytes(identity))} stands in another batch",
                    next="Execute that batch, or withdraw it.",
                )
            keys[bytes(identity)] = key
    missing = [identity for identity in ids if identity not in keys]
    if missing:
        raise UnknownRecord(f"no record {UUID(bytes=missing[0])} is held")
    return keys


def withdraw(store: Store, tx: Tx, batch: UUID, *, by: UUID | None, why: str) -> Batch:
    """Withdraw whatever of a batch was not destroyed yet; those records may stand in another batch."""
    lock_ledger(tx)
    found = disposals.batch(tx, batch)
    left = [one.key for one in condemned(tx, found.key, None)]
    if left:
        facts: dict[str, Json] = {"batch": batch.hex, "act": "withdrawn", "n": len(left)}
        entry = store.ledger.act(tx, "disposal", by=by, why=why, facts=facts, subject=batch)
        mark(tx, found.key, left, WITHDRAWN, entry)
    return disposals.batch(tx, batch)


def final(store: Store, tx: Tx, batch: UUID, *, backups_expired: date, by: UUID | None, why: str) -> Batch:
    """Write down that no copy of the keys is left that could open the batch: the last one expired on that day.

    Refused while something of the batch is not verified, and while that day is
    still to come.
    """
    lock_ledger(tx)
    found = disposals.batch(tx, batch)
    if found.final_entry is not None:
        return found
    if found.number(AUTHORISED) or found.number(DESTROYED) or not found.number(VERIFIED):
        raise NotVerified(
            f"batch {batch} has not been destroyed and verified as a whole",
            next="Execute it, or withdraw what is left of it.",
        )
    if backups_expired > today(store.clock, store.agency.zone()):
        raise KeyBackupsLive(
            f"a copy of the keys can open batch {batch} until {backups_expired}",
            next="It becomes final when that copy has expired.",
        )
    facts: dict[str, Json] = {"batch": batch.hex, "act": "final", "expired": backups_expired.isoformat()}
    entry = store.ledger.act(tx, "disposal", by=by, why=why, facts=facts, subject=batch)
    tx.execute(update(batches).where(batches.c.key == found.key).values(final_entry=entry))
    return disposals.batch(tx, batch)

"""Replay: after a restore, what had been disposed of is disposed of again, before anything serves.

Why this may destroy without anybody's approval: nothing is decided here. Every
record that goes was destroyed before, in a batch that was authorised, held
against holds and schedule, and carried out; the list of it came with the keys,
signed by the ledger. A restore that left such records standing would undo a
lawful disposal. What was authorised and not yet carried out is *not* replayed:
it is withdrawn, and somebody has to decide again; where entries were lost, so
is every other batch that waits, because a hold may have been lost with them.

Three things can stand in the restored archive that should not, by which of the
two sets is the older:

- the data are older: rows live whose secrets are gone already, or are not.
  They are executed as the batch that they went with, so that rows, marks,
  circles and entries are what they would be; a record that was kept and
  disposed of after the data were copied gets the row that its tombstone needs.
- the keys are older: secrets lie in the keyring whose records have tombstones.
  They are forgotten and the epoch is rotated.
- a disposal was under way when the data were copied: it is finished.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select

from app.db import Tx, to_instant
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.records.clock import FixedClock
from app.store import destruction, disposals
from app.store.backup.disposed import Carried, Gone
from app.store.disposals import AUTHORISED, NoSuchBatch
from app.store.store import Store
from app.store.tables import disposal_records, forgotten, pages, records, tombstones
from app.store.tables import disposals as batches

WHY = "restored from a backup; it had been destroyed before"
_ASK = 500
_PART = 5_000


@dataclass(slots=True)
class Replayed:
    """What was disposed of again, and what is told of it."""

    records: int = 0
    batches: list[UUID] = field(default_factory=list)
    finished: int = 0
    """Records of disposals that were under way."""
    forgotten: int = 0
    """Secrets that an older copy of the keys still held."""
    withdrawn: list[UUID] = field(default_factory=list)
    """Records that were authorised for destruction, had not been destroyed, and are withdrawn."""
    homeless: int = 0
    """Records whose page is not in the restored archive: there is nothing of them to dispose of, and no mark."""


def replay(store: Store, carried: Sequence[Carried], *, lost: bool, by: UUID | None, why: str) -> Replayed:
    """Dispose again of everything that was disposed of, then forget every secret that should be gone.

    Where entries were `lost`, holds may be among them: whatever was authorised
    and not destroyed is withdrawn. Done twice it is done once. Nothing derived
    may exist yet: it is made from what is left. Raises `NotDestroyed` where
    something can still be reached.
    """
    told = Replayed()
    for batch in carried:
        _again(store, batch, told, by=by, why=f"{why}: {WHY}")
    if lost:
        with store.database.begin() as tx:
            told.withdrawn += _withdraw_all(store, tx, by=by, why=f"{why}: a hold may have been lost")
    _forget(store, told)
    told.finished = destruction.finish(store, [], by=by, why=f"{why}: finishing what was under way")
    return told


def _again(store: Store, batch: Carried, told: Replayed, *, by: UUID | None, why: str) -> None:
    """Carry out one batch again, as far as it was carried out; its tombstones bear the day on which it was."""
    with store.database.begin() as tx:
        lock_ledger(tx)
        going = [gone for gone in batch.records if gone.record.bytes not in _buried(tx, batch.records)]
        if not going:
            return
        homes = _pages(tx, going)
        told.homeless += sum(gone.page.bytes not in homes for gone in going)
        going = [gone for gone in going if gone.page.bytes in homes]
        _make_rows(tx, going, homes)
        told.withdrawn += _withdraw_others(store, tx, batch.batch, going, by=by, why=why)
        wanted = [gone.record for gone in going]
        if not wanted:
            return
        try:
            disposals.batch(tx, batch.batch)
        except NoSuchBatch:
            destruction.authorise(
                _at(store, batch),
                tx,
                batch.batch,
                wanted,
                authority=batch.authority,
                series=batch.series,
                citation=batch.citation,
                by=by,
                why=why,
            )
        _note_forgotten(tx, batch)
    gone_before = set(wanted)

    def stays(_tx: Tx, asked: Sequence[UUID]) -> Mapping[UUID, str]:
        return {one: "not destroyed before" for one in asked if one not in gone_before}

    done = destruction.execute(_at(store, batch), batch.batch, recheck=stays, derived=[], by=by, why=why)
    told.records += len(done.destroyed)
    told.batches.append(batch.batch)
    told.withdrawn += list(done.withdrawn)


def _at(store: Store, batch: Carried) -> Store:
    """The store as of the day on which the batch was carried out; the ledger keeps today's time."""
    return replace(store, clock=FixedClock(max(gone.at for gone in batch.records)))


def _buried(tx: Tx, gone: Sequence[Gone]) -> set[bytes]:
    found: set[bytes] = set()
    for start in range(0, len(gone), _ASK):
        ids = [one.record.bytes for one in gone[start : start + _ASK]]
        asked = (
            select(records.c.id)
            .join(tombstones, tombstones.c.record == records.c.key)
            .where(records.c.id.in_(ids))
        )
        found |= {bytes(one) for one in tx.execute(asked).scalars()}
    return found


def _pages(tx: Tx, going: Sequence[Gone]) -> dict[bytes, int]:
    wanted = {gone.page.bytes for gone in going}
    asked = select(pages.c.id, pages.c.key)
    return {bytes(row.id): row.key for row in tx.execute(asked) if bytes(row.id) in wanted}


def _make_rows(tx: Tx, going: Sequence[Gone], homes: Mapping[bytes, int]) -> None:
    """Make the rows of records that were kept after the data were copied: a tombstone and a mark stand on them.

    Such a row bears the mark of its page and native id, which burial lays, and
    nothing else: no version of it is here.
    """
    known: set[bytes] = set()
    for start in range(0, len(going), _ASK):
        ids = [gone.record.bytes for gone in going[start : start + _ASK]]
        known |= {
            bytes(one) for one in tx.execute(select(records.c.id).where(records.c.id.in_(ids))).scalars()
        }
    key = tx.execute(select(func.max(records.c.key))).scalar() or 0
    for gone in going:
        if gone.record.bytes in known:
            continue
        key += 1
        taken = tx.execute(select(records.c.key).where(records.c.native_mac == gone.mark)).first()
        tx.execute(
            insert(records).values(
                key=key,  # given as capture gives them, which asks no sequence
                id=gone.record.bytes,
                page=homes[gone.page.bytes],
                kind=gone.kind,
                # one that was kept again under a hold has the mark of the one before, which is still to go
                native_mac=gone.mark if taken is None else os.urandom(16),
                state="unknown",
                version=0,
                published_at=_within(gone.month),
                first_seen=to_instant(gone.at),
                last_seen=to_instant(gone.at),
                private=gone.private,
                received=gone.received,
            )
        )


def _within(month: str | None) -> int | None:
    """A moment of a month, in whichever time zone: burial notes the month and takes the moment away."""
    return None if month is None else to_instant(datetime.fromisoformat(f"{month}-15T12:00:00+00:00"))


def _withdraw_others(
    store: Store, tx: Tx, batch: UUID, going: Sequence[Gone], *, by: UUID | None, why: str
) -> list[UUID]:
    """Withdraw what is left of other batches in which these records stand: they went with this one."""
    others: set[bytes] = set()
    for start in range(0, len(going), _ASK):
        ids = [gone.record.bytes for gone in going[start : start + _ASK]]
        asked = (
            select(batches.c.id)
            .join(disposal_records, disposal_records.c.batch == batches.c.key)
            .join(records, records.c.key == disposal_records.c.record)
            .where(records.c.id.in_(ids), disposal_records.c.state == AUTHORISED, batches.c.id != batch.bytes)
            .distinct()
        )
        others |= {bytes(one) for one in tx.execute(asked).scalars()}
    withdrawn: list[UUID] = []
    wanted = {gone.record for gone in going}
    for one in sorted(others):
        left = disposals.states(tx, UUID(bytes=one))
        withdrawn += [
            record for record, state in left.items() if state == AUTHORISED and record not in wanted
        ]
        destruction.withdraw(store, tx, UUID(bytes=one), by=by, why=why)
    return withdrawn


def _withdraw_all(store: Store, tx: Tx, *, by: UUID | None, why: str) -> list[UUID]:
    """Withdraw every batch that waits to be executed, as far as it waits."""
    lock_ledger(tx)
    withdrawn: list[UUID] = []
    for batch in disposals.batches(tx):
        if batch.number(AUTHORISED):
            states = disposals.states(tx, batch.id)
            withdrawn += [record for record, state in states.items() if state == AUTHORISED]
            destruction.withdraw(store, tx, batch.id, by=by, why=why)
    return withdrawn


def _note_forgotten(tx: Tx, batch: Carried) -> None:
    """What else went with the batch: its words cannot be looked for any more, so the list says whose secrets they are."""
    key = disposals.batch(tx, batch.batch).key
    there = disposals.gone(tx, [owner for owner, _ in batch.forgotten])
    rows: list[tuple[object, ...]] = [
        (owner, key, kind) for owner, kind in batch.forgotten if owner not in there
    ]
    insert_rows(tx, forgotten, ("owner", "batch", "kind"), rows)


def _forget(store: Store, told: Replayed) -> None:
    """Forget the secrets of everything that has a tombstone, where an older copy of the keys brought them back."""
    for part in _destroyed(store):
        held = list(store.keyring.secrets(part))
        if held:
            told.forgotten += store.keyring.forget(held)
    if told.forgotten:
        store.keyring.rotate()


def _destroyed(store: Store) -> Iterator[list[bytes]]:
    asked = (
        select(records.c.id)
        .join(tombstones, tombstones.c.record == records.c.key)
        .union_all(select(forgotten.c.owner))
    )
    with store.database.read() as tx:
        for part in tx.execution_options(yield_per=_PART).execute(asked).scalars().partitions():
            yield [bytes(owner) for owner in part]

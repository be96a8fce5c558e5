"""Aftermath: what follows from a tombstone, as often as it takes: secrets, epoch, derived copies, objects, and a last look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.db import Tx, to_instant
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.store import disposals
from app.store.destruction.rows import cursors_of, destroyed_of, owners_of
from app.store.destruction.seeing import verify
from app.store.disposals import DESTROYED, Purger
from app.store.objects import ObjectLocked
from app.store.store import Store
from app.store.tables import (
    disposal_records,
    ended_circles,
    exchanges,
    forgotten,
    objects,
    pieces,
    tombstones,
    unlinked,
    versions,
)

_LOCKED_FOR = timedelta(days=1)
"""How long to wait before an object is tried again whose storage does not say when its lock ends."""


def finish(
    store: Store,
    derived: Sequence[Purger],
    *,
    by: UUID | None = None,
    why: str = "finishing what was broken off",
    point: Callable[[str], None] | None = None,
) -> int:
    """Finish every disposal that is past its point of no return, and try again what the storage had locked.

    Called at a start and each night. Nothing is decided here: what is not
    destroyed yet waits for its batch to be executed. Returns how many records
    were seen to be gone.
    """
    with store.database.read() as tx:
        keys = disposals.unfinished(tx)
    done = complete(store, keys, derived, by=by, why=why, point=point or (lambda _name: None))
    _discard(store)
    return done


def complete(
    store: Store,
    keys: Sequence[int],
    derived: Sequence[Purger],
    *,
    by: UUID | None,
    why: str,
    point: Callable[[str], None],
) -> int:
    """Everything after the tombstone, for the batches of these keys; doing it twice is doing it once."""
    with store.database.read() as tx:
        keys = [key for key in keys if key in disposals.unfinished(tx)]
        if not keys:
            return 0
        destroyed = destroyed_of(tx, keys)
        owners = [*owners_of(tx, keys), *cursors_of(store, tx, keys)]
        ids = {one.key: one.id for one in disposals.batches(tx)}
    # 1. The secrets, and those of whatever else names the records.
    store.keyring.forget(owners)
    point("after-secrets")
    # 2. The epoch: what the secrets were wrapped under is destroyed wherever it was copied to.
    store.keyring.rotate()
    point("after-rotation")
    # 3. Whatever holds content in the clear.
    for one in derived:
        one.purge(sorted(destroyed))
    point("after-derived")
    # 4. Objects in which nothing can be opened any more.
    for key in keys:
        _unlink(store, key)
    _discard(store)
    point("after-objects")
    # 5. Try every way to what was destroyed, and say so in the ledger.
    point("before-verify")
    return sum(verify(store, ids[key], derived, by=by, why=why) for key in keys)


def _unlink(store: Store, batch: int) -> None:
    """Write down which objects are dead as a whole; one frame that somebody can open keeps an object.

    What is dead stays dead: nothing is ever added to an object, and no record
    comes to share a file that nobody living has. So the looking needs no lock.
    """
    living = select(versions.c.object).where(versions.c.record.not_in(select(tombstones.c.record)))
    shared = select(pieces.c.object).where(
        (pieces.c.record.is_not(None) & pieces.c.record.not_in(select(tombstones.c.record)))
        | (pieces.c.circle.is_not(None) & pieces.c.circle.not_in(select(ended_circles.c.circle)))
        | (pieces.c.exchange.is_not(None) & pieces.c.exchange.not_in(_forgotten_exchanges()))
    )
    with store.database.read() as tx:
        dead = _touched(tx, batch)
        for asked in (living, shared):
            for held in tx.execute(asked.distinct()).scalars():
                dead.discard(held)
    with store.database.begin() as tx:
        lock_ledger(tx)
        dead -= set(tx.execute(select(unlinked.c.object)).scalars())
        now = to_instant(store.clock.now())
        insert_rows(
            tx, unlinked, ("object", "batch", "at", "until"), [(key, batch, now, 0) for key in sorted(dead)]
        )


def _forgotten_exchanges() -> Any:
    return select(exchanges.c.key).join(forgotten, forgotten.c.owner == exchanges.c.id)


def _touched(tx: Tx, batch: int) -> set[int]:
    """Objects in which something died: of the batch's records, of circles that ended, of exchanges forgotten."""
    theirs = select(disposal_records.c.record).where(
        disposal_records.c.batch == batch, disposal_records.c.state == DESTROYED
    )
    found: set[int] = set()
    for asked in (
        select(versions.c.object).where(versions.c.record.in_(theirs)),
        select(pieces.c.object).where(pieces.c.record.in_(theirs)),
        select(pieces.c.object).join(ended_circles, ended_circles.c.circle == pieces.c.circle),
        select(pieces.c.object).where(pieces.c.exchange.in_(_forgotten_exchanges())),
    ):
        found |= set(tx.execute(asked.distinct()).scalars())
    return found


def _discard(store: Store) -> None:
    """Remove the objects that were written down as dead; what the storage locks waits until its lock ends."""
    now = store.clock.now()
    with store.database.read() as tx:
        asked = (
            select(unlinked.c.object, objects.c.digest)
            .join(objects, objects.c.key == unlinked.c.object)
            .where(unlinked.c.until <= to_instant(now))
        )
        waiting = [(row.object, bytes(row.digest)) for row in tx.execute(asked)]
    for key, digest in waiting:
        until: int | None = None
        try:
            store.objects.discard(digest, bypass=True)
        except ObjectLocked as locked:
            until = to_instant(locked.until or now + _LOCKED_FOR)
        with store.database.begin() as tx:
            tx.execute(update(unlinked).where(unlinked.c.object == key).values(until=until))

"""Seeing that it is so: every way to what was destroyed is tried, and the ledger is told that none leads there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from app.db import Tx
from app.db.database import lock_ledger
from app.store import disposals
from app.store.destruction.refusals import NotDestroyed
from app.store.destruction.rows import destroyed_of, owners_of, parts
from app.store.disposals import DESTROYED, VERIFIED, Purger
from app.store.objects import ObjectMissing
from app.store.reading import Opener, pieces_of
from app.store.store import Store
from app.store.tables import circle_members, disposal_records, ended_circles, objects, pieces, unlinked


def verify(store: Store, batch: UUID, derived: Sequence[Purger], *, by: UUID | None, why: str) -> int:
    """Try every way to what was destroyed of a batch; write the entry that none leads there, or raise `NotDestroyed`."""
    with store.database.read() as tx:
        key = disposals.batch(tx, batch).key
        tried = destroyed_of(tx, [key])
        ways = list(_ways(store, tx, key, tried, derived)) if tried else []
    if ways:
        raise NotDestroyed(ways)
    with store.database.begin() as tx:
        lock_ledger(tx)
        destroyed = destroyed_of(tx, [key]).keys() & tried.keys()
        if not destroyed:
            return 0  # somebody else has seen it meanwhile
        locked = _locked(tx, key)
        store.ledger.act(
            tx,
            "disposal",
            by=by,
            why=why,
            facts={
                "batch": batch.hex,
                "act": "verified",
                "n": len(destroyed),
                "epoch": store.keyring.keys.current(),
                "locked": locked,
            },
            detail={"derived": [one.name for one in derived]},
            subject=batch,
        )
        for part in parts(sorted(destroyed)):
            tx.execute(
                update(disposal_records)
                .where(disposal_records.c.batch == key, disposal_records.c.record.in_(part))
                .values(state=VERIFIED)
            )
    return len(destroyed)


def _ways(
    store: Store, tx: Tx, batch: int, destroyed: Mapping[int, bytes], derived: Sequence[Purger]
) -> Iterator[str]:
    """The ways by which something of these records can still be reached."""
    keys = sorted(destroyed)
    # 1. A secret in the keyring, or an epoch under which it was wrapped.
    if left := len(store.keyring.secrets(owners_of(tx, [batch]))):
        yield f"{left} secrets are in the keyring"
    if min(store.keyring.keys.epochs()) <= _newest_epoch(store, tx, batch):
        yield "the epoch under which the secrets were wrapped still has its key"
    # 2. A piece that opens: its own, or one of a circle that ended.
    theirs: set[int] = set()
    for part in parts(keys):
        own = select(pieces.c.key).where(pieces.c.record.in_(part))
        shared = (
            select(pieces.c.key)
            .join(ended_circles, ended_circles.c.circle == pieces.c.circle)
            .join(circle_members, circle_members.c.circle == pieces.c.circle)
            .where(circle_members.c.record.in_(part))
        )
        theirs |= {*tx.execute(own).scalars(), *tx.execute(shared).scalars()}
    opens = Opener(tx, store.keyring).owners(pieces_of(tx, sorted(theirs)).values())
    if left := sum(owner is not None for owner in opens.values()):
        yield f"{left} pieces of evidence open"
    # 3. Something derived that holds it in the clear.
    for one in derived:
        if left := one.still_holds(keys):
            yield f"{left} records are in the {one.name}"
    # 4. An object that should be gone.
    gone = (
        select(objects.c.digest)
        .join(unlinked, unlinked.c.object == objects.c.key)
        .where(unlinked.c.batch == batch, unlinked.c.until.is_(None))
    )
    for digest in tx.execute(gone).scalars():
        try:
            store.objects.read(bytes(digest), 0, 1)
        except ObjectMissing:
            continue
        yield f"object {bytes(digest).hex()} is still there"


def _newest_epoch(store: Store, tx: Tx, batch: int) -> int:
    """The newest epoch under which a secret of this batch was still wrapped when its tombstone was written."""
    asked = (
        select(disposal_records.c.entry)
        .where(disposal_records.c.batch == batch, disposal_records.c.state == DESTROYED)
        .distinct()
    )
    bodies = [msgspec.json.decode(store.ledger.entry(tx, entry)) for entry in tx.execute(asked).scalars()]
    return max((int(body["epoch"]) for body in bodies), default=0)


def _locked(tx: Tx, batch: int) -> int:
    asked = select(unlinked.c.object).where(unlinked.c.batch == batch, unlinked.c.until.is_not(None))
    return len(tx.execute(asked).all())

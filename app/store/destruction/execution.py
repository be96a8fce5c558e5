"""Execution: part by part, look again and write the tombstones; then everything that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.db import Tx
from app.db.database import lock_ledger
from app.store import disposals, suppression, traces
from app.store.destruction.aftermath import complete
from app.store.destruction.burial import blank, bury, end_circles, forget_lanes, note_forgotten
from app.store.destruction.rows import Condemned, condemned, mark, parts
from app.store.disposals import DESTROYED, WITHDRAWN, Batch, Purger
from app.store.store import Store
from app.store.tables import versions

Recheck = Callable[[Tx, Sequence[UUID]], Mapping[UUID, str]]
"""Looks again, inside the destroying transaction, and says which of the records stay, and why."""

_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Executed:
    """What became of a batch just now: destroyed, and withdrawn with the reason that the last look gave.

    The reasons are for whoever may know them; no row and no entry holds them.
    """

    batch: UUID
    destroyed: Sequence[UUID]
    withdrawn: Mapping[UUID, str]


def execute(
    store: Store,
    batch: UUID,
    *,
    recheck: Recheck,
    derived: Sequence[Purger],
    by: UUID | None,
    why: str,
    most: int = _MOST,
    point: Callable[[str], None] | None = None,
) -> Executed:
    """Destroy what was authorised, in parts of at most `most` records, and see that it is gone.

    `recheck` is asked in each part's own transaction; what it names stays, and
    is withdrawn. Broken off, it goes on where it stopped when it is called
    again. Raises `NotDestroyed` where something can still be reached. Nobody
    (`by`) is named only by a restore, which carries out again what was decided.
    """
    point = point or (lambda _name: None)
    destroyed: list[UUID] = []
    withdrawn: dict[UUID, str] = {}
    with store.database.read() as tx:
        found = disposals.batch(tx, batch)
        known = _Traces(store, tx, [one.key for one in condemned(tx, found.key, None)])
    while (done := _part(store, found, known, recheck, most, by=by, why=why, point=point)) is not None:
        gone, stays = done
        destroyed += [UUID(bytes=one.id) for one in gone]
        withdrawn |= stays
        store.keyring.forget([one.id for one in gone])
    complete(store, [found.key], derived, by=by, why=why, point=point)
    return Executed(batch, destroyed, withdrawn)


def _part(
    store: Store,
    batch: Batch,
    known: _Traces,
    recheck: Recheck,
    most: int,
    *,
    by: UUID | None,
    why: str,
    point: Callable[[str], None],
) -> tuple[list[Condemned], dict[UUID, str]] | None:
    """One part: look again, and write the tombstones of what is still to go. None where nothing is left."""
    with store.database.begin() as tx:
        # 1. From here to the commit nobody else writes an entry: no hold, no capture, no other disposal.
        lock_ledger(tx)
        part = condemned(tx, batch.key, most)
        if not part:
            return None
        # 2. Holds, schedule and facts, as they are now. Whatever is named stays.
        said = recheck(tx, [UUID(bytes=one.id) for one in part])
        stays = {UUID(bytes=one.id): said[UUID(bytes=one.id)] for one in part if UUID(bytes=one.id) in said}
        gone = [one for one in part if UUID(bytes=one.id) not in stays]
        keys = [one.key for one in gone]
        # 3. What else names these records, before they lose what they are named by.
        also = known.of(tx, keys)
        # 4. The entry: how many, which, and under which epoch their secrets still are.
        entry = store.ledger.act(
            tx,
            "disposal",
            by=by,
            why=why,
            facts={
                "batch": batch.id.hex,
                "act": "executed",
                "authorised": batch.entry,
                "n": len(gone),
                "excluded": len(stays),
                "root": disposals.root(one.id for one in gone).hex(),
                "marks": disposals.root(suppression.marks(tx, keys)).hex(),
                "epoch": store.keyring.keys.current(),
            },
            detail={"series": batch.series, "citation": batch.citation, "authority": batch.authority},
            subject=batch.id,
        )
        # 5. Tombstones, marks, and nothing else left in the rows.
        bury(store, tx, batch, gone)
        suppression.lay(tx, keys)
        blank(tx, keys)
        end_circles(tx, keys)
        note_forgotten(tx, batch.key, also)
        forget_lanes(tx, {one.page for one in gone})
        # 6. What became of each record of the batch.
        mark(tx, batch.key, keys, DESTROYED, entry)
        mark(tx, batch.key, [one.key for one in part if UUID(bytes=one.id) in stays], WITHDRAWN, entry)
        point("before-tombstone")
    point("after-tombstone")
    return gone, stays


class _Traces:
    """What else names the records of a batch: looked for once over everything, then only in what is new."""

    def __init__(self, store: Store, tx: Tx, keys: Sequence[int]) -> None:
        self.store = store
        self.size = store.ledger.size(tx)
        self.names = traces.names_of(store, tx, keys)
        self.found = traces.of(store, tx, keys, self.names)

    def of(self, tx: Tx, keys: Sequence[int]) -> list[traces.Trace]:
        """Those that name any of these records, as of this transaction."""
        wanted = set(keys)
        late = traces.of(self.store, tx, keys, self.names, after=self.size - 1)
        for part in parts(keys):  # an edit that came meanwhile has words of its own
            asked = select(versions.c.record).where(
                versions.c.record.in_(part), versions.c.entry >= self.size
            )
            edited = sorted(set(tx.execute(asked).scalars()))
            if edited:
                late += traces.of(self.store, tx, edited, traces.names_of(self.store, tx, edited))
        return [trace for trace in (*self.found, *late) if trace.records & wanted]

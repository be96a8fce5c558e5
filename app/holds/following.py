"""Following: what is captured joins the holds that cover it, by itself.

Each hold is a follower of the ledger with a place of its own. It reads the
ledger, not the index, and opens what changed. Rows are only added: a record
that an edit takes out of a scope stays covered until release.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from app.db.database import lock_ledger
from app.holds import covering, finding
from app.holds.covering import Active
from app.holds.placing import MATCHED, UNDECIDED
from app.holds.scopes import Judge
from app.index.documents import Change
from app.index.follower import Source
from app.index.source import LedgerSource
from app.store.store import Store
from app.store.tables import holds

_READ = 1_000
_MOST = 20_000
"""So many records are read in one look; the next look goes on from there."""


def follow(store: Store, source: Source | None = None, *, most: int = _MOST) -> int:
    """Read what was captured since each hold last looked; return how many rows were added."""
    source = source or LedgerSource(store)
    with store.database.read() as tx:
        size = store.ledger.size(tx)
        behind = [one for one in covering.active(store, tx) if one.reached < size]
    added = read = 0
    while behind and read < most:
        start = min(one.reached for one in behind)
        changes = source.read(start - 1, _READ)
        upto = min(size, changes[-1].upto + 1) if changes else size
        added += _advance(store, [one for one in behind if one.reached < upto], changes, upto)
        read += max(1, len(changes))
        with store.database.read() as tx:
            behind = [one for one in covering.active(store, tx) if one.reached < size]
    return added


def _advance(store: Store, behind: Sequence[Active], changes: Sequence[Change], upto: int) -> int:
    """Judge these records for the holds that have not, and write down how far each came."""
    zone = store.agency.zone()
    wanted: list[tuple[Active, dict[int, str]]] = []
    for one in behind:
        if one.tree is None:
            wanted.append((one, {}))
            continue
        judge = Judge(one.tree, zone)
        told: dict[int, str] = {}
        for change in changes:
            verdict = finding.verdict(judge, change.documents) if change.documents else None
            if verdict is not None:
                told[change.record] = UNDECIDED if verdict else MATCHED
        wanted.append((one, told))
    added = 0
    with store.database.begin() as tx:
        lock_ledger(tx)
        for one, told in wanted:
            mine = (holds.c.key == one.key) & (holds.c.reached == one.reached)
            for basis in (MATCHED, UNDECIDED):
                keys = [key for key, why in told.items() if why == basis]
                finding.cover(tx, one.key, keys, basis)
                added += len(keys)
            tx.execute(update(holds).where(mine).values(reached=upto))
    return added

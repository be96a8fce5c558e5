"""The series of records, as rows have it: what an officer assigned, or else what the rules say.

It stands here so that whoever reads a record can say its series; who puts it
there, and what follows from it, is retention's.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.db import Tx
from app.store.tables import assigned, classified

_ASK = 500


def of(tx: Tx, keys: Sequence[int]) -> dict[int, str]:
    """The series of these records; one without any is left out."""
    found: dict[int, str] = {}
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        ruled = select(classified.c.record, classified.c.series).where(
            classified.c.record.in_(part), classified.c.series.is_not(None)
        )
        given = select(assigned.c.record, assigned.c.series).where(
            assigned.c.record.in_(part), assigned.c.ended_entry.is_(None)
        )
        found |= {row.record: row.series for row in tx.execute(ruled)}
        found |= {row.record: row.series for row in tx.execute(given)}
    return found

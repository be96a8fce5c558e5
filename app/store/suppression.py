"""Disposed stays disposed: the mark by which capture knows what it must not keep again.

It is a keyed digest of page and native id, and opens nothing. The mark is laid
in the transaction that writes the tombstone; from then on the row of the
disposed record no longer bears it, so that a hold can make the item a new
record. When that one is disposed of too, the same mark stands for both.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from sqlalchemy import select

from app.db import Tx
from app.db.rows import insert_rows, update_rows
from app.store.tables import records, suppressed

_ASK = 500


def lay(tx: Tx, disposed: Sequence[int]) -> None:
    """Lay the marks of records that are being disposed of; their rows then bear random ones."""
    for start in range(0, len(disposed), _ASK):
        part = list(disposed[start : start + _ASK])
        asked = select(records.c.key, records.c.native_mac).where(records.c.key.in_(part))
        laid_now = [(bytes(row.native_mac), row.key) for row in tx.execute(asked)]
        insert_rows(tx, suppressed, ("mac", "record"), laid_now)
        update_rows(tx, records, ("native_mac",), "key", [(os.urandom(16), key) for _, key in laid_now])


def marks(tx: Tx, keys: Sequence[int]) -> list[bytes]:
    """The marks that will be laid for these records when they are disposed of."""
    found: list[bytes] = []
    for start in range(0, len(keys), _ASK):
        asked = select(records.c.native_mac).where(records.c.key.in_(list(keys[start : start + _ASK])))
        found += [bytes(mark) for mark in tx.execute(asked).scalars()]
    return found


def laid(tx: Tx, macs: Sequence[bytes]) -> dict[bytes, int]:
    """Which of these were disposed of, and the key of the disposed record each was: the last, where there were several."""
    found: dict[bytes, int] = {}
    for start in range(0, len(macs), _ASK):
        asked = (
            select(suppressed.c.mac, suppressed.c.record)
            .where(suppressed.c.mac.in_(list(macs[start : start + _ASK])))
            .order_by(suppressed.c.record)
        )
        found |= {bytes(row.mac): row.record for row in tx.execute(asked)}
    return found

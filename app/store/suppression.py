"""Disposed stays disposed: the mark by which capture knows what it must not keep again.

It is a keyed digest of page and native id, and opens nothing. The mark is laid
in the transaction that writes the tombstone; from then on the row of the
disposed record no longer bears it, so that a hold can make the item a new
record.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from sqlalchemy import insert, select, update

from app.db import Tx
from app.store.tables import records, suppressed

_ASK = 500


def lay(tx: Tx, record: int) -> None:
    """Lay the mark of a record that is being disposed of; its row then bears a random one."""
    mac = tx.execute(select(records.c.native_mac).where(records.c.key == record)).scalar_one()
    tx.execute(insert(suppressed).values(mac=bytes(mac), record=record))
    tx.execute(update(records).where(records.c.key == record).values(native_mac=os.urandom(16)))


def laid(tx: Tx, macs: Sequence[bytes]) -> dict[bytes, int]:
    """Which of these were disposed of, and the key of the disposed record each was."""
    found: dict[bytes, int] = {}
    for start in range(0, len(macs), _ASK):
        asked = select(suppressed.c.mac, suppressed.c.record).where(
            suppressed.c.mac.in_(list(macs[start : start + _ASK]))
        )
        found |= {bytes(row.mac): row.record for row in tx.execute(asked)}
    return found

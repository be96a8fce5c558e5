"""Attachments whose bytes came after a selection was confirmed: nobody has seen them, and they do not leave with it.

A record is read as the ledger had it then; of an attachment there is one row
alone, which a later run fills. When it came, its entry in the ledger tells.
"""

from __future__ import annotations

import re
from uuid import UUID

from app.store.store import Store

_ENTRY = re.compile(rb'"attachment":"([0-9a-f]{32})"')


def attachments(store: Store, size: int) -> frozenset[UUID]:
    """The attachments whose bytes were kept when the ledger had `size` entries or more."""
    with store.database.read() as tx:
        now = store.ledger.size(tx)
    found = (_ENTRY.search(body) for body in store.ledger.bodies(size, now) if b'"type":"attachment"' in body)
    return frozenset(UUID(hex=one[1].decode()) for one in found if one is not None)

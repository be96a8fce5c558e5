"""Quarantine, as everything that reads honours it: a record to which only two people have access is not there for others.

Nothing of it is destroyed, and what keeps, checks and backs up goes on doing
so. Whatever shows, finds, lists, counts or hands out asks here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.db import Tx
from app.store.tables import quarantines

_STANDING = select(quarantines.c.record, quarantines.c.ordered_by, quarantines.c.named).where(
    quarantines.c.ended_entry.is_(None)
)


def hidden(tx: Tx, by: UUID | None = None) -> set[int]:
    """The records, by key, that are in quarantine, without those for which `by` is one of the two who are named."""
    mine = by.bytes if by else None
    return {
        row.record for row in tx.execute(_STANDING) if mine not in (bytes(row.ordered_by), bytes(row.named))
    }


def outside(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a record, by its key, is in no quarantine."""
    return column.not_in(select(quarantines.c.record).where(quarantines.c.ended_entry.is_(None)))

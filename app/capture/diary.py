"""When recurring work last began and ended: what tells, after a restart, that a night was missed."""

from __future__ import annotations

from datetime import datetime

from msgspec.json import decode
from sqlalchemy import insert, select, update

from app.db import Tx, from_instant, to_instant
from app.store.tables import entries, jobs


def last_began(tx: Tx, name: str) -> datetime | None:
    """When the work last began, or None."""
    at = tx.execute(select(jobs.c.last_began_at).where(jobs.c.name == name)).scalar()
    return None if at is None else from_instant(at)


def began(tx: Tx, name: str, at: datetime) -> None:
    """Write down that the work begins."""
    changed = tx.execute(update(jobs).where(jobs.c.name == name).values(last_began_at=to_instant(at)))
    if not changed.rowcount:
        tx.execute(insert(jobs).values(name=name, last_began_at=to_instant(at)))


def ended(tx: Tx, name: str, at: datetime, outcome: str) -> None:
    """Write down that the work ended, and how."""
    tx.execute(
        update(jobs).where(jobs.c.name == name).values(last_ended_at=to_instant(at), last_outcome=outcome)
    )


def founded(tx: Tx) -> datetime | None:
    """When the archive's first entry was written: no night before it was missed."""
    body = tx.execute(select(entries.c.body).where(entries.c.index == 0)).scalar()
    return None if body is None else datetime.fromisoformat(decode(bytes(body))["ts"])


def noted(tx: Tx, name: str) -> str | None:
    """What the work left for its next time, or None."""
    return tx.execute(select(jobs.c.last_outcome).where(jobs.c.name == name)).scalar()

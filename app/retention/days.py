"""The day on which is decided: the civil day of the clock, the highest day ever seen, and what is attested from outside.

The archive remembers every day that it has seen, and takes none back. A clock
that shows an earlier one is wrong now or was wrong then, and makes nothing
eligible. Where authorities timestamp the ledger, their newest answer says up
to which day somebody else vouches; a clock that has run ahead of it makes
nothing eligible either, until they have answered again.
"""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.retention.calendar import civil
from app.retention.facts import Today
from app.store.store import Store
from app.store.tables import acts, anchors, days_seen


def today(store: Store, tx: Tx, *, attested: bool) -> Today:
    """The day of the archive's clock, with what can be held against it. `attested`: whether authorities are asked."""
    zone = store.agency.zone()
    day = civil(store.clock.now(), zone)
    return Today(day=day, seen=max(day, _seen(tx, zone)), attested=_attested(tx, zone) if attested else None)


def note(store: Store, tx: Tx) -> None:
    """Remember the day of the clock, where no later one was seen."""
    if noted(store, tx):
        return
    lock_ledger(tx)
    if not noted(store, tx):
        now = store.clock.now()
        day = civil(now, store.agency.zone())
        tx.execute(insert(days_seen).values(day=day.isoformat(), at=to_instant(now)))


def noted(store: Store, tx: Tx) -> bool:
    """Whether the day of the clock, or a later one, was written down."""
    known = tx.execute(select(func.max(days_seen.c.day))).scalar()
    return known is not None and civil(store.clock.now(), store.agency.zone()) <= date.fromisoformat(known)


def _seen(tx: Tx, zone: ZoneInfo) -> date:
    """The highest day that was written down, or on which somebody last did something."""
    known = tx.execute(select(func.max(days_seen.c.day))).scalar()
    newest = tx.execute(select(acts.c.at).order_by(acts.c.entry.desc()).limit(1)).scalar()
    told = [date.fromisoformat(known)] if known is not None else []
    told += [civil(from_instant(newest), zone)] if newest is not None else []
    return max(told, default=date.min)


def _attested(tx: Tx, zone: ZoneInfo) -> date:
    """The newest day for which an authority vouches; where none ever answered, none."""
    newest = tx.execute(select(func.max(anchors.c.at))).scalar()
    return date.min if newest is None else civil(from_instant(newest), zone)

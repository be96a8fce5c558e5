"""Hints: where to look, because a platform told by itself that something happened there.

A hint is told as often as the platform likes and is one row; it is done when
what it names was read after it was told last. It is put in the transaction that
accepts the delivery, and done in the transaction that ends the run that read
it: a crash in between leaves it waiting. One that cannot be read after
three tries, or that waits for two days (the page was disconnected), is left to
the passes, which reconcile whatever was told.

A hint is no evidence and leaves no entry. What it led to is a run with an entry
of its own, as with a stream. What it names may be an item by its native id, so
that it is sealed as a cursor is: under a secret that goes with every disposal
on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, func, select, update

from app.capture import lanes
from app.db import Tx, from_instant, to_instant
from app.db.rows import inserting
from app.records.nouns import Page
from app.store import cursors
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import hints
from connectors.contract import Kind
from connectors.webhooks import WINDOW, Wanted

MOST_TRIES = 3
"""So many runs try to read what a hint names; then the passes will see it."""
_AT_ONCE = 200
_LABEL = b"hint"
_FAMILY = "family"
_BEFORE = timedelta(days=1)
"""How far a pass reaches back in the place of a hint that can no longer be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What waits to be looked at: a family by its root, an item of some kind, or what was published `since`."""

    key: int
    native_id: str | None = None
    kind: Kind | None = None
    since: datetime | None = None
    told_at: datetime
    taken_at: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Hinted:
    """How it stands with a page: how much waits to be looked at, and when anything was last told of it."""

    waiting: int
    last: datetime | None


# -- putting -----------------------------------------------------------------------------------------------


def put(store: Store, tx: Tx, page: Page, wanted: Wanted) -> int:
    """Remember where to look on a page; return how many hints that are. What waits already is told once more."""
    named = {f"{_FAMILY}:{root}": None for root in wanted.families}
    named |= {f"{kind}:{native_id}": None for kind, native_id in wanted.looks}
    for name in sorted(named):  # in one order, so that two deliveries never wait for one another in turn
        sealed = cursors.sealed(store, page.id.bytes, _LABEL, name)
        _put(store, tx, page, name, sealed_what=sealed)
    if wanted.since is not None:
        _put(store, tx, page, "since", since=to_instant(wanted.since))
    return len(named) + (wanted.since is not None)


def _put(
    store: Store, tx: Tx, page: Page, name: str, *, sealed_what: bytes | None = None, since: int | None = None
) -> None:
    now = to_instant(store.clock.now())
    told = inserting(tx, hints).values(
        page=page.key,
        mac=keyed(store.lookup, page.id.bytes, b"hint", name.encode()),
        sealed_what=sealed_what,
        since=since,
        first_at=now,
        told_at=now,
        times=1,
    )
    waits = hints.c.done_at.is_(None)
    earlier = waits & (hints.c.since < told.excluded.since)
    tx.execute(
        told.on_conflict_do_update(
            index_elements=[hints.c.page, hints.c.mac],
            set_={
                "sealed_what": told.excluded.sealed_what,
                "since": case((earlier, hints.c.since), else_=told.excluded.since),
                "first_at": case((waits, hints.c.first_at), else_=now),
                "told_at": now,
                "times": case((waits, hints.c.times + 1), else_=1),
                # Whoever reads it now began before it was told again: it is tried anew.
                "tries": 0,
                "done_at": None,
            },
        )
    )


# -- taking ------------------------------------------------------------------------------------------------


def pages_waiting(tx: Tx, now: datetime) -> set[int]:
    """The keys of the pages on which something waits to be looked at."""
    return set(tx.execute(select(hints.c.page).where(_waits(now)).distinct()).scalars())


def waiting(store: Store, tx: Tx, page: Page) -> list[Hint]:
    """What waits on a page, what was tried least and told first in front."""
    asked = select(hints).where(hints.c.page == page.key, _waits(store.clock.now()))
    rows = tx.execute(asked.order_by(hints.c.tries, hints.c.told_at, hints.c.key).limit(_AT_ONCE)).all()
    found = []
    for row in rows:
        told_at, since = from_instant(row.told_at), None
        name = None
        if row.since is not None:
            since = from_instant(row.since)
        else:
            name = cursors.opened(store, page.id.bytes, _LABEL, bytes(row.sealed_what))
            since = told_at - _BEFORE if name is None else None
        what, _, native_id = (name or "").partition(":")
        found.append(
            Hint(
                key=row.key,
                native_id=native_id or None,
                kind=Kind(what) if name is not None and what != _FAMILY else None,
                since=since,
                told_at=told_at,
                taken_at=from_instant(row.taken_at) if row.taken_at is not None else None,
                tries=row.tries,
            )
        )
    return found


def take(tx: Tx, keys: Sequence[int], now: datetime) -> int:
    """Write down that a run reads what these name, in the transaction that begins it; return how many still wait."""
    waits = hints.c.key.in_(list(keys)) & hints.c.done_at.is_(None)
    taken = update(hints).where(waits).values(taken_at=to_instant(now), tries=hints.c.tries + 1)
    return tx.execute(taken).rowcount


def settle(tx: Tx, keys: Sequence[int], now: datetime) -> None:
    """Write down that it was read, in the transaction that ends the run; what was told again meanwhile still waits."""
    if keys:
        read = hints.c.key.in_(list(keys)) & (hints.c.tries > 0)
        tx.execute(update(hints).where(read).values(done_at=to_instant(now), sealed_what=None))


def passed(
    tx: Tx, page: Page, lane: str, published_from: datetime | None, began: datetime, now: datetime
) -> None:
    """A pass was seen through: whoever wanted one over a span within it, and said so before it began, has it."""
    if lane not in (lanes.WHOLE, lanes.WINDOW, lanes.LATELY):
        return
    had = (hints.c.page == page.key) & hints.c.since.is_not(None) & hints.c.done_at.is_(None)
    had &= hints.c.told_at < to_instant(began)
    if published_from is not None:
        had &= hints.c.since >= to_instant(published_from)
    tx.execute(update(hints).where(had).values(done_at=to_instant(now)))


def of_page(tx: Tx, page: Page) -> Hinted:
    """What its platform told of a page lately."""
    here = hints.c.page == page.key
    last = tx.execute(select(func.max(hints.c.told_at)).where(here)).scalar()
    waits = select(func.count()).select_from(hints).where(here, hints.c.done_at.is_(None))
    return Hinted(tx.execute(waits).scalar_one(), from_instant(last) if last is not None else None)


def late(tx: Tx, before: datetime) -> tuple[int, int]:
    """How many hints wait since before a moment, and how many were given up, for the operator."""
    open_ = hints.c.done_at.is_(None)
    counted = [
        tx.execute(select(func.count()).select_from(hints).where(open_, which)).scalar_one()
        for which in (
            (hints.c.tries < MOST_TRIES) & (hints.c.first_at < to_instant(before)),
            hints.c.tries >= MOST_TRIES,
        )
    ]
    return counted[0], counted[1]


def tidy(tx: Tx, now: datetime) -> int:
    """Forget what was told so long ago that the passes have seen it; return how many hints that were."""
    return tx.execute(delete(hints).where(hints.c.told_at < to_instant(now - WINDOW))).rowcount


def _waits(now: datetime) -> ColumnElement[bool]:
    young = hints.c.told_at >= to_instant(now - WINDOW)
    return hints.c.done_at.is_(None) & (hints.c.tries < MOST_TRIES) & young

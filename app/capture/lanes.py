"""The lanes of a page: each kind of pass remembers where it goes on, and what span it is about.

`whole` reads everything that the page shows. `window` reads again what was
published lately, `sweep` a part of what is older, another part each night, so
that every record is seen again within its days. `lately` looks for what is
new, every few minutes. `surge` is busy posts, `told` what a platform said at
our door that something happened to. `stream` is what it tells by itself as long
as we listen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from app.db import Tx, from_instant, to_instant
from app.records.nouns import Page
from app.store import cursors
from app.store.store import Store
from app.store.tables import lanes

WHOLE, WINDOW, SWEEP, LATELY, SURGE, STREAM = "whole", "window", "sweep", "lately", "surge", "stream"
TOLD = "told"


@dataclass(frozen=True, slots=True)
class Lane:
    """Where one kind of pass over a page stands; a pass that is not finished goes on with its own span."""

    name: str
    cursor: str | None = None
    published_from: datetime | None = None
    published_until: datetime | None = None
    unfinished: bool = False
    finished_at: datetime | None = None


def lane(store: Store, tx: Tx, page: Page, name: str) -> Lane:
    """Where the pass of that name stands; a new one has no cursor, nor has one whose cursor went with a disposal."""
    row = tx.execute(select(lanes).where(lanes.c.page == page.key, lanes.c.name == name)).one_or_none()
    if row is None:
        return Lane(name)
    sealed = row.sealed_cursor
    cursor = None if sealed is None else cursors.opened(store, page.id.bytes, _label(name), bytes(sealed))
    return Lane(
        name,
        cursor,
        from_instant(row.published_from) if row.published_from is not None else None,
        from_instant(row.published_until) if row.published_until is not None else None,
        bool(row.unfinished),
        from_instant(row.finished_at) if row.finished_at is not None else None,
    )


def begin(
    tx: Tx, page: Page, name: str, published_from: datetime | None, published_until: datetime | None
) -> None:
    """Write down that a pass over this span has begun."""
    _change(
        tx,
        page,
        name,
        published_from=to_instant(published_from) if published_from else None,
        published_until=to_instant(published_until) if published_until else None,
        unfinished=True,
    )


def reach(store: Store, tx: Tx, page: Page, name: str, cursor: str) -> None:
    """Remember where a batch ended, in the transaction that keeps it."""
    sealed = cursors.sealed(store, page.id.bytes, _label(name), cursor)
    _change(tx, page, name, sealed_cursor=sealed)


def finish(tx: Tx, page: Page, name: str, at: datetime) -> None:
    """Write down that the pass was seen through."""
    _change(tx, page, name, unfinished=False, finished_at=to_instant(at))


def forget(tx: Tx, page: Page) -> None:
    """Begin every pass from nothing; the options of a page were changed."""
    tx.execute(delete(lanes).where(lanes.c.page == page.key))


def _change(tx: Tx, page: Page, name: str, **values: object) -> None:
    changed = tx.execute(update(lanes).where(lanes.c.page == page.key, lanes.c.name == name).values(**values))
    if changed.rowcount == 0:
        tx.execute(insert(lanes).values(page=page.key, name=name, **values))


def _label(name: str) -> bytes:
    """What a cursor is sealed for; that of a whole pass is as it was before there were lanes."""
    return b"cursor" if name == WHOLE else b"cursor/" + name.encode()

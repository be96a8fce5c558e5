"""The hold of a records request: from its opening nothing on its pages and dates is disposed of.

It is there before anybody knows what is responsive. When a person has confirmed
the selection, what is responsive is held instead, through the appeal window;
when that is over the hold ends. What is selected besides, from other pages and
dates or after the confirmation, is held from then on. It needs no attorney and no second person: the
request's own steps are its reasons. Everybody who sees requests may know of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.db import Tx
from app.db.database import lock_ledger
from app.holds import acts, finding, placing, releasing
from app.holds.finding import Found
from app.holds.placing import Hold
from app.holds.scopes import Scope
from app.index.engine import Engine
from app.index.keys import Keys
from app.index.source import identities
from app.records.nouns import Officer, Page
from app.store.store import Store
from app.store.tables import hold_records, holds


def scope_of(pages: Sequence[Page], since: date | None, until: date | None) -> Scope:
    """What a request is about before anything is selected: its pages and days; none named: the whole archive."""
    return Scope(
        query="" if pages or since or until else "*",
        pages=tuple(str(page.id) for page in pages),
        since=since.isoformat() if since else None,
        until=until.isoformat() if until else None,
    )


def look_for_request(store: Store, engine: Engine, scope: Scope) -> Found:
    """What such a hold covers by now; looked for before the transaction that opens the request."""
    return finding.find(store, engine, scope)


def open_for_request(
    store: Store,
    tx: Tx,
    request: UUID,
    pages: Sequence[Page] = (),
    *,
    since: date | None = None,
    until: date | None = None,
    found: Found | None = None,
    by: Officer,
    why: str,
) -> Hold:
    """Hold everything on these pages and dates, none named the whole archive, in the transaction that opens a request.

    `found` is what `look_for_request` found. Without it the rows follow later;
    the records are protected from the commit on all the same.
    """
    lock_ledger(tx)
    scope = scope_of(pages, since, until)
    return placing.written(
        store, tx, scope, found or Found(0, undecided={0: finding.NOT_REACHED}), matter=None, request=request,
        by=by.id, why=why,
    )  # fmt: skip


def confirm_for_request(
    store: Store, tx: Tx, request: UUID, responsive: Iterable[int], *, by: Officer, why: str
) -> Hold | None:
    """Hold what is responsive, by key, and let go of the rest; None where nothing is responsive.

    The new hold is there before the old ones end, in one transaction.
    """
    lock_ledger(tx)
    wanted = Keys.of(responsive)
    before = of_request(store, tx, request)
    held = None
    if wanted:
        scope = Scope(records=tuple(identities(tx, list(wanted))))
        size = store.ledger.size(tx)
        held = placing.written(
            store, tx, scope, Found(size, named=wanted), matter=None, request=request, by=by.id, why=why
        )
    _end(store, tx, before, by=by, why=why)
    return held


def also_for_request(
    store: Store, tx: Tx, request: UUID, chosen: Iterable[int], *, by: Officer, why: str
) -> Hold | None:
    """Hold what was selected for a request beside what its holds cover; None where each of it has a row of one of them."""
    lock_ledger(tx)
    rows = (
        select(hold_records.c.record)
        .join(holds, holds.c.key == hold_records.c.hold)
        .where(holds.c.request == request.bytes, holds.c.released_entry.is_(None))
    )
    wanted = Keys.of(chosen) - Keys.of(tx.execute(rows.execution_options(yield_per=10_000)).scalars())
    if not wanted:
        return None
    scope = Scope(records=tuple(identities(tx, list(wanted))))
    size = store.ledger.size(tx)
    return placing.written(
        store, tx, scope, Found(size, named=wanted), matter=None, request=request, by=by.id, why=why
    )


def end_for_request(store: Store, tx: Tx, request: UUID, *, by: Officer, why: str) -> int:
    """Let the holds of a request end: it was closed, and its appeal window is over; return how many ended."""
    lock_ledger(tx)
    return _end(store, tx, of_request(store, tx, request), by=by, why=why)


def of_request(store: Store, tx: Tx, request: UUID) -> list[Hold]:
    """The active holds of a request."""
    asked = select(holds.c.id).where(holds.c.request == request.bytes, holds.c.released_entry.is_(None))
    return [
        placing.of_id(store, tx, UUID(bytes=bytes(identity)))
        for identity in tx.execute(asked).scalars().all()
    ]


def _end(store: Store, tx: Tx, ended: Sequence[Hold], *, by: Officer, why: str) -> int:
    for hold in ended:
        entry = acts.note(
            store, tx, "hold:released", matter=None, hold=hold.id, by=by.id, why=why, subject=hold.id
        )
        releasing.end(tx, hold, entry)
    return len(ended)

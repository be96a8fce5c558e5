"""One run a page at a time, across threads and processes: a lease in the database."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, or_, select, update

from app.db import Tx, to_instant
from app.records.errors import Unavailable
from app.records.nouns import Page
from app.store.store import Store
from app.store.tables import lanes, pages

LASTS = timedelta(minutes=10)


class PageBusy(Unavailable):
    """Another run is capturing the page."""

    code = "page-busy"


def owner() -> str:
    """Who we are: this machine, this process, and when it began, so that a number used again is not mistaken for it."""
    return f"{socket.gethostname()[:30]}/{os.getpid()}/{_began(os.getpid())}"


def look(store: Store, tx: Tx, page: Page) -> str | None:
    """Raise `PageBusy` where a run has the page; return the lease that may be taken over, if any."""
    held = tx.execute(select(pages.c.lease_owner, pages.c.lease_until).where(pages.c.key == page.key)).one()
    now = to_instant(store.clock.now())
    if held.lease_owner is not None and held.lease_until >= now and not died(held.lease_owner):
        raise PageBusy(f"{page.name} is being captured", next="Wait until that run ends.")
    left: str | None = held.lease_owner
    return left


def take(store: Store, tx: Tx, page: Page, who: str) -> None:
    """Take the page's lease, or raise `PageBusy`; one that its process left behind is taken over."""
    left, now = look(store, tx, page), store.clock.now()
    taken = tx.execute(
        update(pages)
        .where(
            pages.c.key == page.key,
            or_(pages.c.lease_owner.is_(None), pages.c.lease_owner == left),
        )
        .values(lease_owner=who, lease_until=to_instant(now + LASTS))
    )
    if taken.rowcount != 1:
        raise PageBusy(f"{page.name} is being captured", next="Wait until that run ends.")


def renew(store: Store, tx: Tx, page: Page, who: str) -> None:
    """Keep the lease; raise `PageBusy` if it was lost, so that nothing more of this run is kept."""
    kept = tx.execute(
        update(pages)
        .where(pages.c.key == page.key, pages.c.lease_owner == who)
        .values(lease_until=to_instant(store.clock.now() + LASTS))
    )
    if kept.rowcount != 1:
        raise PageBusy(f"the lease of {page.name} was lost to another run")


def give_back(tx: Tx, page: Page, who: str) -> None:
    """Let others capture the page."""
    tx.execute(
        update(pages)
        .where(pages.c.key == page.key, pages.c.lease_owner == who)
        .values(lease_owner=None, lease_until=None)
    )


def take_stream(store: Store, tx: Tx, page: Page, who: str) -> None:
    """Take the lease of the page's stream, which stands beside that of its passes."""
    mine = (lanes.c.page == page.key) & (lanes.c.name == "stream")
    held = tx.execute(select(lanes.c.lease_owner, lanes.c.lease_until).where(mine)).one_or_none()
    now = store.clock.now()
    until = to_instant(now + LASTS)
    if held is None:
        tx.execute(insert(lanes).values(page=page.key, name="stream", lease_owner=who, lease_until=until))
        return
    if held.lease_owner is not None and held.lease_until >= to_instant(now) and not died(held.lease_owner):
        raise PageBusy(f"{page.name} is being listened to", next="Another process does.")
    same = lanes.c.lease_owner.is_(None) | (lanes.c.lease_owner == held.lease_owner)
    taken = tx.execute(update(lanes).where(mine, same).values(lease_owner=who, lease_until=until))
    if taken.rowcount != 1:
        raise PageBusy(f"{page.name} is being listened to", next="Another process does.")


def renew_stream(store: Store, tx: Tx, page: Page, who: str) -> None:
    """Keep the stream's lease, or raise `PageBusy` if it was lost."""
    until = to_instant(store.clock.now() + LASTS)
    mine = (lanes.c.page == page.key) & (lanes.c.name == "stream") & (lanes.c.lease_owner == who)
    if tx.execute(update(lanes).where(mine).values(lease_until=until)).rowcount != 1:
        raise PageBusy(f"the stream of {page.name} was lost to another process")


def give_back_stream(tx: Tx, page: Page, who: str) -> None:
    """Let others listen."""
    mine = (lanes.c.page == page.key) & (lanes.c.name == "stream") & (lanes.c.lease_owner == who)
    tx.execute(update(lanes).where(mine).values(lease_owner=None, lease_until=None))


def died(who: str) -> bool:
    """Whether a process of this machine left the lease behind."""
    host, process, began = [*who.split("/"), "", ""][:3]
    return host == socket.gethostname()[:30] and process.isdigit() and _began(int(process)) != began


def _began(process: int) -> str:
    """When a process began, in the kernel's own ticks; empty when there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""

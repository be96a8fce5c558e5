"""Going through everything that is held, a part at a time: nothing here ever has a list of all."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from app.db import from_instant
from app.store import quarantine
from app.store.ledger import LedgerBroken
from app.store.note import Checkpoint, opened
from app.store.objects import Guard, Kept, Objects
from app.store.outgoing.telling import AsOf, PageTold
from app.store.store import Store
from app.store.tables import checkpoints, exchanges, pages, records, runs, versions

PART = 100
_LINES = 1_000
_WHOLE = 16 << 20
_REMEMBERED = 4


class Remembering:
    """Objects, of which the last few that were read whole are remembered: neighbours lie in the same ones."""

    def __init__(self, held: Objects) -> None:
        self._held = held
        self._known: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()

    def read(self, digest: bytes, place: int, size: int) -> bytes:
        if place or size > _WHOLE:
            return self._held.read(digest, place, size)
        known = self._known.get((digest, size))
        if known is None:
            known = self._known[digest, size] = self._held.read(digest, place, size)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known

    def put(self, chunks: Iterable[bytes]) -> Kept:
        return self._held.put(chunks)

    def stream(self, digest: bytes, place: int, size: int) -> Iterator[bytes]:
        return self._held.stream(digest, place, size)

    def check(self, digest: bytes) -> int:
        return self._held.check(digest)

    def names(self, *, older_than: datetime | None = None) -> Iterator[bytes]:
        return self._held.names(older_than=older_than)

    def discard(self, digest: bytes, *, bypass: bool = False) -> None:
        self._held.discard(digest, bypass=bypass)

    def sweep(self, *, older_than: datetime) -> int:
        return self._held.sweep(older_than=older_than)

    def describe(self) -> Guard:
        return self._held.describe()


def remembering(store: Store) -> Store:
    """The same store, reading each object once for all that lies in it."""
    return replace(store, objects=Remembering(store.objects))


def as_of(store: Store, size: int) -> AsOf:
    """The checkpoint of that size, as it was signed."""
    with store.database.read() as tx:
        row = tx.execute(select(checkpoints).where(checkpoints.c.size == size)).one_or_none()
    if row is None:
        raise LedgerBroken(
            f"no checkpoint of {size} entries was signed here",
            next="The export was begun over another copy of this archive. Begin anew in a new folder.",
        )
    return AsOf(size=size, at=from_instant(row.signed_at), note=str(row.note))


def signed_now(store: Store) -> int:
    """Sign the ledger as it stands, and say how many entries that covers."""
    return Checkpoint.parse(opened(store.ledger.checkpoint(), store.ledger.verifier())).size


def pages_of(store: Store, wanted: Sequence[UUID]) -> list[PageTold]:
    """These pages, or every page, in the order in which they were added."""
    asked = select(pages.c.key, pages.c.id, pages.c.name, pages.c.platform).order_by(pages.c.key)
    if wanted:
        asked = asked.where(pages.c.id.in_([one.bytes for one in wanted]))
    with store.database.read() as tx:
        return [
            PageTold(key=row.key, id=UUID(bytes=bytes(row.id)), name=row.name, platform=row.platform)
            for row in tx.execute(asked)
        ]


def record_keys(store: Store, page: PageTold, told: AsOf, *, after: int = 0) -> Iterator[list[int]]:
    """The keys of a page's records that the ledger had, disposed ones among them and none that is in quarantine, in parts."""
    while True:
        asked = (
            select(records.c.key)
            .join(versions, (versions.c.record == records.c.key) & (versions.c.number == 1))
            .where(
                records.c.page == page.key,
                records.c.key > after,
                versions.c.entry < told.size,
                quarantine.outside(records.c.key),
            )
            .order_by(records.c.key)
            .limit(PART)
        )
        with store.database.read() as tx:
            part = list(tx.execute(asked).scalars())
        if not part:
            return
        yield part
        after = part[-1]


def exchange_keys(store: Store, page: PageTold, told: AsOf, *, after: int = 0) -> Iterator[list[int]]:
    """The keys of the exchanges that were made for a page, or in which records of it were received, in parts."""
    both = heapq.merge(_made(store, page, told, after), _received(store, page, told, after))
    while part := list(islice(both, PART)):
        yield part


def _made(store: Store, page: PageTold, told: AsOf, after: int) -> Iterator[int]:
    of_page = select(runs.c.key).where(runs.c.page == page.key)
    while True:
        asked = (
            select(exchanges.c.key)
            .where(exchanges.c.key > after, exchanges.c.entry < told.size, exchanges.c.run.in_(of_page))
            .order_by(exchanges.c.key)
            .limit(_LINES)
        )
        with store.database.read() as tx:
            part = list(tx.execute(asked).scalars())
        if not part:
            return
        yield from part
        after = part[-1]


def _received(store: Store, page: PageTold, told: AsOf, after: int) -> list[int]:
    """Those of imports into several pages: one for thousands of lines, so that they can be listed."""
    of_many = select(runs.c.key).where(runs.c.page.is_(None))
    asked = (
        select(exchanges.c.key)
        .join(versions, versions.c.exchange == exchanges.c.key)
        .join(records, records.c.key == versions.c.record)
        .where(
            exchanges.c.key > after,
            exchanges.c.entry < told.size,
            exchanges.c.run.in_(of_many),
            records.c.page == page.key,
        )
        .distinct()
        .order_by(exchanges.c.key)
    )
    with store.database.read() as tx:
        return list(tx.execute(asked).scalars())


def lines(store: Store, asked: Select[Any], column: Any) -> Iterator[Any]:
    """The rows of a question, in the order of a column that is never the same twice, in parts."""
    last = -1
    while True:
        with store.database.read() as tx:
            found = tx.execute(asked.where(column > last).order_by(column).limit(_LINES)).all()
        if not found:
            return
        yield from found
        last = found[-1][0]

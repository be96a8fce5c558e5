"""Sweeping what a crash left: objects and secrets that no row ever spoke of, and files that never became objects.

Only what is older than a day is swept, so that a batch that another process is
writing at this moment is never touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.db import to_instant
from app.store import cursors
from app.store.objects import ObjectLocked
from app.store.store import Store
from app.store.tables import acts, exchanges, objects, pages, records, runs

AGE = timedelta(days=1)
_ASK = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was left over."""

    objects: int
    secrets: int
    incoming: int = 0
    locked: int = 0
    """Objects that nothing refers to and that the storage's own lock still holds; a later sweep takes them."""


def sweep(store: Store, *, since: datetime | None = None) -> Swept:
    """Discard objects and secrets that nothing refers to and that are older than a day.

    `since` is when the last sweep began: secrets that were made two days
    before it were looked at then, and are left alone.
    """
    before = store.clock.now() - AGE
    orphans = _unknown_objects(store, store.objects.names(older_than=before))
    locked = 0
    for digest in orphans:
        try:
            store.objects.discard(digest)
        except ObjectLocked:  # nobody may hurry what nobody decided: it goes when its lock ends
            locked += 1
    moment = to_instant(before) // 1000
    first = _first_of(since - 2 * AGE) if since is not None else b""
    old = (owner for owner in store.keyring.owners(after=first) if UUID(bytes=owner).int >> 80 < moment)
    forgotten = _unknown_owners(store, old)
    return Swept(
        objects=len(orphans) - locked,
        secrets=store.keyring.forget(forgotten) if forgotten else 0,
        incoming=store.objects.sweep(older_than=before),
        locked=locked,
    )


def _first_of(moment: datetime) -> bytes:
    """The smallest id that can have been made at a moment: UUIDv7 begin with their milliseconds."""
    return (to_instant(moment) // 1000).to_bytes(6) + bytes(10)


def _unknown_objects(store: Store, names: Iterable[bytes]) -> list[bytes]:
    unknown: list[bytes] = []
    for part in _parts(names):
        with store.database.read() as tx:
            known = {
                bytes(digest)
                for digest in tx.execute(select(objects.c.digest).where(objects.c.digest.in_(part))).scalars()
            }
        unknown += [digest for digest in part if digest not in known]
    return unknown


def _unknown_owners(store: Store, owners: Iterable[bytes]) -> list[bytes]:
    with store.database.read() as tx:
        made = {cursors.owner(store, bytes(page)) for page in tx.execute(select(pages.c.id)).scalars()}
    unknown: list[bytes] = []
    for part in _parts(owners):
        known = set(made)
        with store.database.read() as tx:
            for column in (records.c.id, exchanges.c.id, acts.c.secret, pages.c.id, runs.c.id):
                known |= {
                    bytes(owner) for owner in tx.execute(select(column).where(column.in_(part))).scalars()
                }
        unknown += [owner for owner in part if owner not in known]
    return unknown


def _parts(items: Iterable[bytes]) -> Iterable[list[bytes]]:
    part: list[bytes] = []
    for item in items:
        part.append(item)
        if len(part) == _ASK:
            yield part
            part = []
    if part:
        yield part

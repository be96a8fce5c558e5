"""The rows of a batch: which records are still to go, which went, and whose secrets go with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select, update

from app.db import Tx
from app.store import cursors
from app.store.disposals import AUTHORISED, DESTROYED
from app.store.store import Store
from app.store.tables import disposal_records, forgotten, pages, records

_ASK = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Condemned:
    """A record of a batch as its row says it, just before."""

    key: int
    id: bytes
    page: int
    page_id: bytes
    kind: str
    published_at: int | None


def condemned(tx: Tx, batch: int, most: int | None) -> list[Condemned]:
    """The records of a batch that are still to be destroyed, in the order of their keys."""
    asked = (
        select(
            records.c.key,
            records.c.id,
            records.c.page,
            pages.c.id.label("page_id"),
            records.c.kind,
            records.c.published_at,
        )
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .join(pages, pages.c.key == records.c.page)
        .where(disposal_records.c.batch == batch, disposal_records.c.state == AUTHORISED)
        .order_by(records.c.key)
        .limit(most)
    )
    return [
        Condemned(row.key, bytes(row.id), row.page, bytes(row.page_id), row.kind, row.published_at)
        for row in tx.execute(asked)
    ]


def destroyed_of(tx: Tx, keys: Sequence[int]) -> dict[int, bytes]:
    """The records of these batches that were destroyed and not yet seen to be: their keys and ids."""
    asked = (
        select(records.c.key, records.c.id)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .where(disposal_records.c.batch.in_(list(keys)), disposal_records.c.state == DESTROYED)
    )
    return {row.key: bytes(row.id) for row in tx.execute(asked)}


def owners_of(tx: Tx, keys: Sequence[int]) -> list[bytes]:
    """Whose secrets go with these batches: the records', and those of whatever else names them."""
    also = tx.execute(select(forgotten.c.owner).where(forgotten.c.batch.in_(list(keys)))).scalars()
    return [*destroyed_of(tx, keys).values(), *(bytes(owner) for owner in also)]


def cursors_of(store: Store, tx: Tx, keys: Sequence[int]) -> list[bytes]:
    """The owners of the secrets under which the cursors of these batches' pages are sealed."""
    asked = (
        select(pages.c.id)
        .join(records, records.c.page == pages.c.key)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .where(disposal_records.c.batch.in_(list(keys)), disposal_records.c.state == DESTROYED)
        .distinct()
    )
    return [cursors.owner(store, bytes(page)) for page in tx.execute(asked).scalars()]


def mark(tx: Tx, batch: int, keys: Sequence[int], state: str, entry: int) -> None:
    for part in parts(keys):
        tx.execute(
            update(disposal_records)
            .where(disposal_records.c.batch == batch, disposal_records.c.record.in_(part))
            .values(state=state, entry=entry)
        )


def parts(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _ASK):
        yield list(items[start : start + _ASK])

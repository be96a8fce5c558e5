"""Burial: what the destroying transaction writes. Tombstones come first; everything here is undone with it, or stays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select, update

from app.db import Tx, from_instant, to_instant
from app.db.rows import insert_rows, update_rows
from app.store import disposals, files, traces
from app.store.destruction.rows import Condemned, parts
from app.store.disposals import Batch
from app.store.store import Store
from app.store.tables import (
    attachments,
    circle_members,
    circle_parts,
    counts,
    ended_circles,
    forgotten,
    lanes,
    pieces,
    records,
    tombstones,
)


def bury(store: Store, tx: Tx, batch: Batch, gone: Sequence[Condemned]) -> None:
    """Write the tombstones: page, kind, month of publication, series, citation, authority, batch; no content."""
    now, zone = to_instant(store.clock.now()), store.agency.zone()
    rows: list[tuple[object, ...]] = []
    for one in gone:
        month = None
        if one.published_at is not None:
            month = f"{from_instant(one.published_at).astimezone(zone):%Y-%m}"
        detail = {
            "batch": str(batch.id),
            "series": batch.series,
            "citation": batch.citation,
            "authority": batch.authority,
            "page": str(UUID(bytes=one.page_id)),
            "kind": one.kind,
            "month": month,
        }
        rows.append((one.key, batch.id.bytes, now, json.dumps(detail, ensure_ascii=False)))
    insert_rows(tx, tombstones, ("record", "batch", "at", "detail"), rows)


def blank(tx: Tx, keys: Sequence[int]) -> None:
    """Take from the rows what a tombstone does not say: what it answered, when it was published, its counters."""
    update_rows(
        tx,
        records,
        ("parent_mac", "published_at", "counts"),
        "key",
        [(None, None, None, key) for key in keys],
    )
    _part_from_files(tx, keys)
    for part in parts(keys):
        tx.execute(delete(counts).where(counts.c.record.in_(part)))
        attached = tx.execute(select(attachments.c.key).where(attachments.c.record.in_(part))).scalars().all()
        update_rows(
            tx,
            attachments,
            ("mac", "file", "wrapped", "content_mac"),
            "key",
            [(os.urandom(16), None, None, None, key) for key in attached],
        )


def _part_from_files(tx: Tx, keys: Sequence[int]) -> None:
    """Take from the rows of these records which of their files another has or had: it would say what they held.

    What lay there for them alone stays written down, once.
    """
    theirs: list[tuple[int, int, bytes]] = []
    for part in parts(keys):
        asked = select(attachments.c.key, attachments.c.piece, attachments.c.file).where(
            attachments.c.record.in_(part), attachments.c.piece.is_not(None), attachments.c.file.is_not(None)
        )
        theirs += [(row.key, row.piece, bytes(row.file)) for row in tx.execute(asked)]
    elsewhere = {file for file in {file for _, _, file in theirs} if files.lives(tx, file)}
    parted: list[tuple[int, int]] = []
    for key, piece, file in theirs:
        if file in elsewhere:
            parted.append((key, piece))
        elsewhere.add(file)
    update_rows(tx, attachments, ("piece",), "key", [(None, key) for key, _ in parted])
    for gone in parts([piece for _, piece in parted]):
        tx.execute(delete(pieces).where(pieces.c.key.in_(gone)))


def end_circles(tx: Tx, keys: Sequence[int]) -> None:
    """End the circles whose last record this was, the smaller ones first."""
    touched: set[int] = set()
    for part in parts(keys):
        asked = select(circle_members.c.circle).where(circle_members.c.record.in_(part)).distinct()
        touched |= set(tx.execute(asked).scalars())
    while touched:
        ended = [key for part in parts(sorted(touched)) for key in _with_nobody_left(tx, part)]
        insert_rows(tx, ended_circles, ("circle",), [(key,) for key in ended])
        touched = set()
        for part in parts(ended):
            around = select(circle_parts.c.circle).where(circle_parts.c.part.in_(part)).distinct()
            touched |= set(tx.execute(around).scalars())


def _with_nobody_left(tx: Tx, keys: Sequence[int]) -> list[int]:
    """Those of these circles that have not ended yet, and whose records and parts all have."""
    living = (
        select(circle_members.c.circle)
        .outerjoin(tombstones, tombstones.c.record == circle_members.c.record)
        .where(circle_members.c.circle.in_(keys), tombstones.c.record.is_(None))
    )
    open_ = (
        select(circle_parts.c.circle)
        .outerjoin(ended_circles, ended_circles.c.circle == circle_parts.c.part)
        .where(circle_parts.c.circle.in_(keys), ended_circles.c.circle.is_(None))
    )
    already = select(ended_circles.c.circle).where(ended_circles.c.circle.in_(keys))
    stays = set(tx.execute(living.union(open_, already)).scalars())
    return [key for key in keys if key not in stays]


def note_forgotten(tx: Tx, batch: int, also: Iterable[traces.Trace]) -> None:
    """Write down which other secrets go with the batch: whoever finishes it needs no more than these rows."""
    known = {trace.owner: trace.kind for trace in also}
    there = disposals.gone(tx, list(known))
    insert_rows(
        tx,
        forgotten,
        ("owner", "batch", "kind"),
        [(owner, batch, kind) for owner, kind in known.items() if owner not in there],
    )


def forget_lanes(tx: Tx, of: Iterable[int]) -> None:
    """Begin every pass over these pages from nothing: a cursor may name what is gone. Leases stay."""
    for part in parts(sorted(of)):
        tx.execute(
            update(lanes)
            .where(lanes.c.page.in_(part))
            .values(
                sealed_cursor=None,
                published_from=None,
                published_until=None,
                unfinished=False,
                finished_at=None,
            )
        )

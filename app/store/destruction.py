"""Destruction: records are destroyed so that proof is left and content is not.

Why this is safe to have in an archive:

- *Nobody reaches it by accident.* Only disposition may import this module; a
  contract in `pyproject.toml` and a test hold that wall. Nothing that keeps,
  reads or searches can destroy.
- *Nothing is destroyed that was not authorised before*, in an entry of its
  own: a batch names its records one by one, with series, citation and
  authority, and what is not in a batch cannot be reached from here.
- *A hold always wins until the last moment.* Each part of a batch is one
  transaction under the ledger's lock, in which holds, schedule and facts are
  looked at again; whoever places a hold writes an entry under the same lock.
  So the hold is there first and is seen, or it comes after the tombstone and
  is told so. What the look returns is withdrawn; where it fails, nothing
  happens.
- *The tombstone's commit is the point of no return*, and the only one. Before
  it nothing is lost, whatever breaks. After it nothing is decided any more:
  what is left to do can be done again and again with the same end, and `finish`
  does it at the next start.
- *What is destroyed are keys.* Ciphertext that nobody can open is harmless
  wherever copies of it lie; segments are never rewritten, and removed only
  when nothing in them can be opened any more. Secrets are removed from the
  keyring, and then the epoch is rotated: what is left is wrapped anew and the
  old epoch's key is destroyed, so that no log, no dead row and no older copy of
  the keyring's database gives a secret back. An old copy of the main database
  opens nothing with today's keys.
- *What is left proves itself.* Entries, commitments and the rows of versions
  and pieces stay: their salts came from the destroyed secret, so they say
  nothing, and the neighbours' exchanges go on verifying. The executed entry
  gives the Merkle root over the ids of what was destroyed, and fixity holds
  every tombstone against it.

What is *not* reached: copies that lawfully left before, backups of the keys
until they expire (`final` is written then), and what officers wrote themselves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import delete, insert, select, update

from app.db import Tx, from_instant, key_of, to_instant
from app.db.database import lock_ledger
from app.db.rows import insert_rows, update_rows
from app.records.clock import today
from app.records.errors import IntegrityFailure, Invalid, NotFound, Refused
from app.store import cursors, disposals, suppression, traces
from app.store.canonical import Json
from app.store.disposals import AUTHORISED, DESTROYED, VERIFIED, WITHDRAWN, Batch, Purger
from app.store.objects import ObjectLocked, ObjectMissing
from app.store.reading import Opener, pieces_of
from app.store.store import Store
from app.store.tables import (
    attachments,
    circle_members,
    circle_parts,
    counts,
    disposal_records,
    ended_circles,
    exchanges,
    forgotten,
    lanes,
    objects,
    pages,
    pieces,
    records,
    tombstones,
    unlinked,
    versions,
)
from app.store.tables import disposals as batches

Recheck = Callable[[Tx, Sequence[UUID]], Mapping[UUID, str]]
"""Looks again, inside the destroying transaction, and says which of the records stay, and why."""

_ASK = 500
_MOST = 2_000
_LOCKED_FOR = timedelta(days=1)
"""How long to wait before an object is tried again whose storage does not say when its lock ends."""
T = TypeVar("T")


class NothingToDispose(Invalid):
    """A batch without records, or without what authorises it."""

    code = "nothing-to-dispose"


class UnknownRecord(NotFound):
    """A record was named that the archive does not hold."""

    code = "unknown-record"


class AlreadyDisposed(Refused):
    """A record was disposed of before; nothing is left of it to destroy."""

    code = "already-disposed"


class InAnotherBatch(Refused):
    """A record stands in another batch that was authorised, or the batch itself was authorised before."""

    code = "in-another-batch"


class NotVerified(Refused):
    """A batch has records that were not destroyed yet, or not seen to be."""

    code = "disposal-not-verified"


class KeyBackupsLive(Refused):
    """A copy of the keys that could open the batch has not expired yet."""

    code = "key-backups-live"


class NotDestroyed(IntegrityFailure):
    """Something that was disposed of can still be opened or found."""

    code = "not-destroyed"

    def __init__(self, ways: Sequence[str]) -> None:
        super().__init__(
            f"what was disposed of can still be reached: {'; '.join(ways)}",
            next="Finish the disposal again; if this stays, call whoever runs the archive.",
        )
        self.ways = tuple(ways)


@dataclass(frozen=True, slots=True)
class Executed:
    """What became of a batch just now: destroyed, and withdrawn with the reason that the last look gave.

    The reasons are for whoever may know them; no row and no entry holds them.
    """

    batch: UUID
    destroyed: Sequence[UUID]
    withdrawn: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class _Condemned:
    """A record of a batch as its row says it, just before."""

    key: int
    id: bytes
    page: int
    page_id: bytes
    kind: str
    published_at: int | None


# -- before ------------------------------------------------------------------------------------------------


def authorise(
    store: Store,
    tx: Tx,
    batch: UUID,
    wanted: Iterable[UUID],
    *,
    authority: str,
    series: str,
    citation: str,
    by: UUID,
    why: str,
) -> Batch:
    """Write down that these records are to be destroyed, and on what authority; nothing is touched yet.

    `batch` MUST be a random id. Refused where a record was disposed of
    already, or stands in another batch.
    """
    ids = list(dict.fromkeys(one.bytes for one in wanted))
    if not ids or not authority.strip() or not series.strip() or not citation.strip():
        raise NothingToDispose(
            "a batch needs records, a series, its citation, and an authority",
            next="Name what authorises the disposal.",
        )
    lock_ledger(tx)
    keys = _may_be_disposed(tx, batch, ids)
    entry = store.ledger.act(
        tx,
        "disposal",
        by=by,
        why=why,
        facts={
            "batch": batch.hex,
            "act": "authorised",
            "n": len(ids),
            "root": disposals.root(ids).hex(),
        },
        detail={"series": series, "citation": citation, "authority": authority},
        subject=batch,
    )
    made = tx.execute(
        insert(batches).values(
            id=batch.bytes,
            entry=entry,
            at=to_instant(store.clock.now()),
            series=series,
            citation=citation,
            authority=authority,
        )
    )
    of = key_of(made)
    insert_rows(
        tx, disposal_records, ("batch", "record", "state"), [(of, key, AUTHORISED) for key in keys.values()]
    )
    return disposals.batch(tx, batch)


def _may_be_disposed(tx: Tx, batch: UUID, ids: Sequence[bytes]) -> dict[bytes, int]:
    """The keys of these records, or what is refused about them."""
    if tx.execute(select(batches.c.key).where(batches.c.id == batch.bytes)).first() is not None:
        raise InAnotherBatch(f"batch {batch} was authorised before")
    keys: dict[bytes, int] = {}
    for part in _parts(ids):
        asked = (
            select(records.c.id, records.c.key, tombstones.c.record, disposal_records.c.batch)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .outerjoin(
                disposal_records,
                (disposal_records.c.record == records.c.key) & (disposal_records.c.state != WITHDRAWN),
            )
            .where(records.c.id.in_(part))
        )
        for identity, key, buried, standing in tx.execute(asked):
            if buried is not None:
                raise AlreadyDisposed(f"record {UUID(bytes=bytes(identity))} was disposed of already")
            if standing is not None:
                raise InAnotherBatch(
                    f"record {UUID(bytes=bytes(identity))} stands in another batch",
                    next="Execute that batch, or withdraw it.",
                )
            keys[bytes(identity)] = key
    missing = [identity for identity in ids if identity not in keys]
    if missing:
        raise UnknownRecord(f"no record {UUID(bytes=missing[0])} is held")
    return keys


def withdraw(store: Store, tx: Tx, batch: UUID, *, by: UUID, why: str) -> Batch:
    """Withdraw whatever of a batch was not destroyed yet; those records may stand in another batch."""
    lock_ledger(tx)
    found = disposals.batch(tx, batch)
    left = [one.key for one in _condemned(tx, found.key, None)]
    if left:
        facts: dict[str, Json] = {"batch": batch.hex, "act": "withdrawn", "n": len(left)}
        entry = store.ledger.act(tx, "disposal", by=by, why=why, facts=facts, subject=batch)
        _mark(tx, found.key, left, WITHDRAWN, entry)
    return disposals.batch(tx, batch)


# -- the point of no return --------------------------------------------------------------------------------


def execute(
    store: Store,
    batch: UUID,
    *,
    recheck: Recheck,
    derived: Sequence[Purger],
    by: UUID,
    why: str,
    most: int = _MOST,
    point: Callable[[str], None] | None = None,
) -> Executed:
    """Destroy what was authorised, in parts of at most `most` records, and see that it is gone.

    `recheck` is asked in each part's own transaction; what it names stays, and
    is withdrawn. Broken off, it goes on where it stopped when it is called
    again. Raises `NotDestroyed` where something can still be reached.
    """
    point = point or (lambda _name: None)
    destroyed: list[UUID] = []
    withdrawn: dict[UUID, str] = {}
    with store.database.read() as tx:
        found = disposals.batch(tx, batch)
        known = _Traces(store, tx, [one.key for one in _condemned(tx, found.key, None)])
    while (done := _part(store, found, known, recheck, most, by=by, why=why, point=point)) is not None:
        gone, stays = done
        destroyed += [UUID(bytes=one.id) for one in gone]
        withdrawn |= stays
        store.keyring.forget([one.id for one in gone])
    _complete(store, [found.key], derived, by=by, why=why, point=point)
    return Executed(batch, destroyed, withdrawn)


def _part(
    store: Store,
    batch: Batch,
    known: _Traces,
    recheck: Recheck,
    most: int,
    *,
    by: UUID,
    why: str,
    point: Callable[[str], None],
) -> tuple[list[_Condemned], dict[UUID, str]] | None:
    """One part: look again, and write the tombstones of what is still to go. None where nothing is left."""
    with store.database.begin() as tx:
        # 1. From here to the commit nobody else writes an entry: no hold, no capture, no other disposal.
        lock_ledger(tx)
        part = _condemned(tx, batch.key, most)
        if not part:
            return None
        # 2. Holds, schedule and facts, as they are now. Whatever is named stays.
        said = recheck(tx, [UUID(bytes=one.id) for one in part])
        stays = {UUID(bytes=one.id): said[UUID(bytes=one.id)] for one in part if UUID(bytes=one.id) in said}
        gone = [one for one in part if UUID(bytes=one.id) not in stays]
        keys = [one.key for one in gone]
        # 3. What else names these records, before they lose what they are named by.
        also = known.of(tx, keys)
        # 4. The entry: how many, which, and under which epoch their secrets still are.
        entry = store.ledger.act(
            tx,
            "disposal",
            by=by,
            why=why,
            facts={
                "batch": batch.id.hex,
                "act": "executed",
                "authorised": batch.entry,
                "n": len(gone),
                "excluded": len(stays),
                "root": disposals.root(one.id for one in gone).hex(),
                "epoch": store.keyring.keys.current(),
            },
            detail={"series": batch.series, "citation": batch.citation, "authority": batch.authority},
            subject=batch.id,
        )
        # 5. Tombstones, marks, and nothing else left in the rows.
        _bury(store, tx, batch, gone)
        suppression.lay(tx, keys)
        _blank(tx, keys)
        _end_circles(tx, keys)
        _note_forgotten(tx, batch.key, also)
        _forget_lanes(tx, {one.page for one in gone})
        # 6. What became of each record of the batch.
        _mark(tx, batch.key, keys, DESTROYED, entry)
        _mark(tx, batch.key, [one.key for one in part if UUID(bytes=one.id) in stays], WITHDRAWN, entry)
        point("before-tombstone")
    point("after-tombstone")
    return gone, stays


def _condemned(tx: Tx, batch: int, most: int | None) -> list[_Condemned]:
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
        _Condemned(row.key, bytes(row.id), row.page, bytes(row.page_id), row.kind, row.published_at)
        for row in tx.execute(asked)
    ]


def _bury(store: Store, tx: Tx, batch: Batch, gone: Sequence[_Condemned]) -> None:
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


def _blank(tx: Tx, keys: Sequence[int]) -> None:
    """Take from the rows what a tombstone does not say: what it answered, when it was published, its counters."""
    update_rows(
        tx,
        records,
        ("parent_mac", "published_at", "counts"),
        "key",
        [(None, None, None, key) for key in keys],
    )
    for part in _parts(keys):
        tx.execute(delete(counts).where(counts.c.record.in_(part)))
        files = tx.execute(select(attachments.c.key).where(attachments.c.record.in_(part))).scalars().all()
        update_rows(tx, attachments, ("mac",), "key", [(os.urandom(16), key) for key in files])


def _end_circles(tx: Tx, keys: Sequence[int]) -> None:
    """End the circles whose last record this was, the smaller ones first."""
    touched: set[int] = set()
    for part in _parts(keys):
        asked = select(circle_members.c.circle).where(circle_members.c.record.in_(part)).distinct()
        touched |= set(tx.execute(asked).scalars())
    while touched:
        ended = [key for part in _parts(sorted(touched)) for key in _with_nobody_left(tx, part)]
        insert_rows(tx, ended_circles, ("circle",), [(key,) for key in ended])
        touched = set()
        for part in _parts(ended):
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


def _note_forgotten(tx: Tx, batch: int, also: Iterable[traces.Trace]) -> None:
    """Write down which other secrets go with the batch: whoever finishes it needs no more than these rows."""
    known = {trace.owner: trace.kind for trace in also}
    there = disposals.gone(tx, list(known))
    insert_rows(
        tx,
        forgotten,
        ("owner", "batch", "kind"),
        [(owner, batch, kind) for owner, kind in known.items() if owner not in there],
    )


def _forget_lanes(tx: Tx, of: Iterable[int]) -> None:
    """Begin every pass over these pages from nothing: a cursor may name what is gone. Leases stay."""
    for part in _parts(sorted(of)):
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


def _mark(tx: Tx, batch: int, keys: Sequence[int], state: str, entry: int) -> None:
    for part in _parts(keys):
        tx.execute(
            update(disposal_records)
            .where(disposal_records.c.batch == batch, disposal_records.c.record.in_(part))
            .values(state=state, entry=entry)
        )


class _Traces:
    """What else names the records of a batch: looked for once over everything, then only in what is new."""

    def __init__(self, store: Store, tx: Tx, keys: Sequence[int]) -> None:
        self.store = store
        self.size = store.ledger.size(tx)
        self.names = traces.names_of(store, tx, keys)
        self.found = traces.of(store, tx, keys, self.names)

    def of(self, tx: Tx, keys: Sequence[int]) -> list[traces.Trace]:
        """Those that name any of these records, as of this transaction."""
        wanted = set(keys)
        late = traces.of(self.store, tx, keys, self.names, after=self.size - 1)
        for part in _parts(keys):  # an edit that came meanwhile has words of its own
            asked = select(versions.c.record).where(
                versions.c.record.in_(part), versions.c.entry >= self.size
            )
            edited = sorted(set(tx.execute(asked).scalars()))
            if edited:
                late += traces.of(self.store, tx, edited, traces.names_of(self.store, tx, edited))
        return [trace for trace in (*self.found, *late) if trace.records & wanted]


# -- what follows, as often as it takes --------------------------------------------------------------------


def finish(
    store: Store,
    derived: Sequence[Purger],
    *,
    by: UUID | None = None,
    why: str = "finishing what was broken off",
    point: Callable[[str], None] | None = None,
) -> int:
    """Finish every disposal that is past its point of no return, and try again what the storage had locked.

    Called at a start and each night. Nothing is decided here: what is not
    destroyed yet waits for its batch to be executed. Returns how many records
    were seen to be gone.
    """
    with store.database.read() as tx:
        keys = disposals.unfinished(tx)
    done = _complete(store, keys, derived, by=by, why=why, point=point or (lambda _name: None))
    _discard(store)
    return done


def _complete(
    store: Store,
    keys: Sequence[int],
    derived: Sequence[Purger],
    *,
    by: UUID | None,
    why: str,
    point: Callable[[str], None],
) -> int:
    """Everything after the tombstone, for the batches of these keys; doing it twice is doing it once."""
    with store.database.read() as tx:
        keys = [key for key in keys if key in disposals.unfinished(tx)]
        if not keys:
            return 0
        destroyed = _destroyed(tx, keys)
        owners = [*_owners(tx, keys), *_cursors(store, tx, keys)]
    # 1. The secrets, and those of whatever else names the records.
    store.keyring.forget(owners)
    point("after-secrets")
    # 2. The epoch: what the secrets were wrapped under is destroyed wherever it was copied to.
    store.keyring.rotate()
    point("after-rotation")
    # 3. Whatever holds content in the clear.
    for one in derived:
        one.purge(sorted(destroyed))
    point("after-derived")
    # 4. Objects in which nothing can be opened any more.
    with store.database.begin() as tx:
        lock_ledger(tx)
        _unlink(store, tx, keys)
    _discard(store)
    point("after-objects")
    # 5. Try every way to what was destroyed, and say so in the ledger.
    point("before-verify")
    return sum(verify(store, key, derived, by=by, why=why) for key in keys)


def _destroyed(tx: Tx, keys: Sequence[int]) -> dict[int, bytes]:
    """The records of these batches that were destroyed and not yet seen to be: their keys and ids."""
    asked = (
        select(records.c.key, records.c.id)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .where(disposal_records.c.batch.in_(list(keys)), disposal_records.c.state == DESTROYED)
    )
    return {row.key: bytes(row.id) for row in tx.execute(asked)}


def _owners(tx: Tx, keys: Sequence[int]) -> list[bytes]:
    """Whose secrets go with these batches: the records', and those of whatever else names them."""
    also = tx.execute(select(forgotten.c.owner).where(forgotten.c.batch.in_(list(keys)))).scalars()
    return [*_destroyed(tx, keys).values(), *(bytes(owner) for owner in also)]


def _cursors(store: Store, tx: Tx, keys: Sequence[int]) -> list[bytes]:
    """The owners of the secrets under which the cursors of these batches' pages are sealed."""
    asked = (
        select(pages.c.id)
        .join(records, records.c.page == pages.c.key)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .where(disposal_records.c.batch.in_(list(keys)), disposal_records.c.state == DESTROYED)
        .distinct()
    )
    return [cursors.owner(store, bytes(page)) for page in tx.execute(asked).scalars()]


def _unlink(store: Store, tx: Tx, keys: Sequence[int]) -> None:
    """Write down which objects are dead as a whole; one frame that somebody can open keeps an object."""
    dead = _touched(tx, keys)
    living = select(versions.c.object).where(versions.c.record.not_in(select(tombstones.c.record)))
    shared = select(pieces.c.object).where(
        (pieces.c.record.is_not(None) & pieces.c.record.not_in(select(tombstones.c.record)))
        | (pieces.c.circle.is_not(None) & pieces.c.circle.not_in(select(ended_circles.c.circle)))
        | (pieces.c.exchange.is_not(None) & pieces.c.exchange.not_in(_forgotten_exchanges()))
    )
    for asked in (living, shared):
        for (held,) in tx.execute(asked.distinct()).yield_per(10_000):
            dead.discard(held)
    insert_rows(
        tx,
        unlinked,
        ("object", "batch", "at", "until"),
        [(key, keys[0], to_instant(store.clock.now()), 0) for key in sorted(dead)],
    )


def _forgotten_exchanges() -> Any:
    return select(exchanges.c.key).join(forgotten, forgotten.c.owner == exchanges.c.id)


def _touched(tx: Tx, keys: Sequence[int]) -> set[int]:
    """Objects in which something died: of the batches' records, of circles that ended, of exchanges forgotten."""
    theirs = select(disposal_records.c.record).where(
        disposal_records.c.batch.in_(list(keys)), disposal_records.c.state == DESTROYED
    )
    found: set[int] = set()
    for asked in (
        select(versions.c.object).where(versions.c.record.in_(theirs)),
        select(pieces.c.object).where(pieces.c.record.in_(theirs)),
        select(pieces.c.object).join(ended_circles, ended_circles.c.circle == pieces.c.circle),
        select(pieces.c.object).where(pieces.c.exchange.in_(_forgotten_exchanges())),
    ):
        found |= set(tx.execute(asked.distinct()).scalars())
    known = set(tx.execute(select(unlinked.c.object)).scalars())
    return found - known


def _discard(store: Store) -> None:
    """Remove the objects that were written down as dead; what the storage locks waits until its lock ends."""
    now = store.clock.now()
    with store.database.read() as tx:
        asked = (
            select(unlinked.c.object, objects.c.digest)
            .join(objects, objects.c.key == unlinked.c.object)
            .where(unlinked.c.until <= to_instant(now))
        )
        waiting = [(row.object, bytes(row.digest)) for row in tx.execute(asked)]
    for key, digest in waiting:
        until: int | None = None
        try:
            store.objects.discard(digest, bypass=True)
        except ObjectLocked as locked:
            until = to_instant(locked.until or now + _LOCKED_FOR)
        with store.database.begin() as tx:
            tx.execute(update(unlinked).where(unlinked.c.object == key).values(until=until))


# -- seeing that it is so ----------------------------------------------------------------------------------


def verify(store: Store, batch: int, derived: Sequence[Purger], *, by: UUID | None, why: str) -> int:
    """Try every way to what was destroyed of a batch; write the entry that none leads there, or raise `NotDestroyed`."""
    with store.database.read() as tx:
        tried = _destroyed(tx, [batch])
        ways = list(_ways(store, tx, batch, tried, derived)) if tried else []
    if ways:
        raise NotDestroyed(ways)
    with store.database.begin() as tx:
        lock_ledger(tx)
        destroyed = _destroyed(tx, [batch]).keys() & tried.keys()
        if not destroyed:
            return 0  # somebody else has seen it meanwhile
        identity = UUID(
            bytes=bytes(tx.execute(select(batches.c.id).where(batches.c.key == batch)).scalar_one())
        )
        locked = _locked(tx, batch)
        store.ledger.act(
            tx,
            "disposal",
            by=by,
            why=why,
            facts={
                "batch": identity.hex,
                "act": "verified",
                "n": len(destroyed),
                "epoch": store.keyring.keys.current(),
                "locked": locked,
            },
            detail={"derived": [one.name for one in derived]},
            subject=identity,
        )
        for part in _parts(sorted(destroyed)):
            tx.execute(
                update(disposal_records)
                .where(disposal_records.c.batch == batch, disposal_records.c.record.in_(part))
                .values(state=VERIFIED)
            )
    return len(destroyed)


def _ways(
    store: Store, tx: Tx, batch: int, destroyed: Mapping[int, bytes], derived: Sequence[Purger]
) -> Iterator[str]:
    """The ways by which something of these records can still be reached."""
    keys = sorted(destroyed)
    # 1. A secret in the keyring, or an epoch under which it was wrapped.
    if left := len(store.keyring.secrets(_owners(tx, [batch]))):
        yield f"{left} secrets are in the keyring"
    if min(store.keyring.keys.epochs()) <= _newest_epoch(store, tx, batch):
        yield "the epoch under which the secrets were wrapped still has its key"
    # 2. A piece that opens: its own, or one of a circle that ended.
    theirs: set[int] = set()
    for part in _parts(keys):
        own = select(pieces.c.key).where(pieces.c.record.in_(part))
        shared = (
            select(pieces.c.key)
            .join(ended_circles, ended_circles.c.circle == pieces.c.circle)
            .join(circle_members, circle_members.c.circle == pieces.c.circle)
            .where(circle_members.c.record.in_(part))
        )
        theirs |= {*tx.execute(own).scalars(), *tx.execute(shared).scalars()}
    opens = Opener(tx, store.keyring).owners(pieces_of(tx, sorted(theirs)).values())
    if left := sum(owner is not None for owner in opens.values()):
        yield f"{left} pieces of evidence open"
    # 3. Something derived that holds it in the clear.
    for one in derived:
        if left := one.still_holds(keys):
            yield f"{left} records are in the {one.name}"
    # 4. An object that should be gone.
    gone = (
        select(objects.c.digest)
        .join(unlinked, unlinked.c.object == objects.c.key)
        .where(unlinked.c.batch == batch, unlinked.c.until.is_(None))
    )
    for digest in tx.execute(gone).scalars():
        try:
            store.objects.read(bytes(digest), 0, 1)
        except ObjectMissing:
            continue
        yield f"object {bytes(digest).hex()} is still there"


def _newest_epoch(store: Store, tx: Tx, batch: int) -> int:
    """The newest epoch under which a secret of this batch was still wrapped when its tombstone was written."""
    asked = (
        select(disposal_records.c.entry)
        .where(disposal_records.c.batch == batch, disposal_records.c.state == DESTROYED)
        .distinct()
    )
    bodies = [msgspec.json.decode(store.ledger.entry(tx, entry)) for entry in tx.execute(asked).scalars()]
    return max((int(body["epoch"]) for body in bodies), default=0)


def _locked(tx: Tx, batch: int) -> int:
    asked = select(unlinked.c.object).where(unlinked.c.batch == batch, unlinked.c.until.is_not(None))
    return len(tx.execute(asked).all())


def final(store: Store, tx: Tx, batch: UUID, *, backups_expired: date, by: UUID | None, why: str) -> Batch:
    """Write down that no copy of the keys is left that could open the batch: the last one expired on that day.

    Refused while something of the batch is not verified, and while that day is
    still to come.
    """
    lock_ledger(tx)
    found = disposals.batch(tx, batch)
    if found.final_entry is not None:
        return found
    if found.number(AUTHORISED) or found.number(DESTROYED) or not found.number(VERIFIED):
        raise NotVerified(
            f"batch {batch} has not been destroyed and verified as a whole",
            next="Execute it, or withdraw what is left of it.",
        )
    if backups_expired > today(store.clock, store.agency.zone()):
        raise KeyBackupsLive(
            f"a copy of the keys can open batch {batch} until {backups_expired}",
            next="It becomes final when that copy has expired.",
        )
    facts: dict[str, Json] = {"batch": batch.hex, "act": "final", "expired": backups_expired.isoformat()}
    entry = store.ledger.act(tx, "disposal", by=by, why=why, facts=facts, subject=batch)
    tx.execute(update(batches).where(batches.c.key == found.key).values(final_entry=entry))
    return disposals.batch(tx, batch)


def _parts(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _ASK):
        yield list(items[start : start + _ASK])

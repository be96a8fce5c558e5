"""Disposals as they can be read: batches, what became of their records, and tombstones. Nothing here destroys.

A tombstone is lawful when an entry of the ledger says that its batch was
executed and gives the Merkle root over the ids of exactly the records that it
destroyed. Fixity asks this of every tombstone; anything else that is missing
was not disposed of, it was lost.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import and_, func, or_, select

from app.db import Tx, from_instant
from app.records.errors import NotFound
from app.store.accounts import ALTERED, MISSING, Wrong
from app.store.canonical import Json, plain
from app.store.ledger import act_words
from app.store.merkle import Growing, leaf_hash
from app.store.store import Store
from app.store.tables import (
    acts,
    attachments,
    circle_members,
    circle_parts,
    counts,
    disposal_records,
    disposals,
    ended_circles,
    entries,
    forgotten,
    pages,
    pieces,
    records,
    suppressed,
    tombstones,
    unlinked,
    versions,
)

AUTHORISED, WITHDRAWN, DESTROYED, VERIFIED = "authorised", "withdrawn", "destroyed", "verified"
NOT_DESTROYED = "not-destroyed"
UNLAWFUL = "disposal-without-entry"
_ASK = 500
_PART = 5_000


class NoSuchBatch(NotFound):
    """No batch of that id was ever authorised."""

    code = "no-such-batch"


class Purger(Protocol):
    """Something derived that holds content in the clear, and can be made to hold nothing of certain records."""

    name: str

    def purge(self, disposed: Sequence[int]) -> None:
        """Hold nothing of these records any more, by their keys, nor any trace of what was held.

        When this returns, no file of it has a byte of theirs. Called again
        with the same records it MUST do no harm: a crash may come before its
        work is written down.
        """
        ...

    def still_holds(self, disposed: Sequence[int]) -> int:
        """How many of these records it still holds."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands: what authorised it, and how many of its records are where."""

    key: int
    id: UUID
    entry: int
    at: datetime
    series: str
    citation: str
    authority: str
    final_entry: int | None
    numbers: Mapping[str, int] = field(default_factory=dict)

    def number(self, state: str) -> int:
        return self.numbers.get(state, 0)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a record that was disposed of."""

    record: UUID
    batch: UUID
    at: datetime
    detail: Mapping[str, object]

    def as_note(self) -> dict[str, Json]:
        """What is left, as it may be published: it holds no content, no names and no native ids."""
        told = {"batch": self.batch.hex, "on": f"{self.at:%Y-%m-%d}", "record": self.record.hex}
        return {**{name: plain(value) for name, value in self.detail.items()}, **told}


def batch(tx: Tx, identity: UUID) -> Batch:
    """The batch of that id, or `NoSuchBatch`."""
    found = next(iter(_batches(tx, [identity.bytes])), None)
    if found is None:
        raise NoSuchBatch(f"no batch {identity} was authorised")
    return found


def batches(tx: Tx) -> list[Batch]:
    """Every batch, the oldest first."""
    return _batches(tx, None)


def unfinished(tx: Tx) -> list[int]:
    """The keys of batches with records that were destroyed and not yet seen to be."""
    asked = select(disposal_records.c.batch).where(disposal_records.c.state == DESTROYED).distinct()
    return sorted(tx.execute(asked).scalars())


def _batches(tx: Tx, wanted: Sequence[bytes] | None) -> list[Batch]:
    asked = select(disposals).order_by(disposals.c.key)
    counted = select(disposal_records.c.batch, disposal_records.c.state, func.count())
    if wanted is not None:
        asked = asked.where(disposals.c.id.in_(wanted))
        counted = counted.join(disposals, disposals.c.key == disposal_records.c.batch).where(
            disposals.c.id.in_(wanted)
        )
    rows = tx.execute(asked).all()
    numbers: dict[int, dict[str, int]] = {}
    for key, state, number in tx.execute(
        counted.group_by(disposal_records.c.batch, disposal_records.c.state)
    ):
        numbers.setdefault(key, {})[state] = number
    return [
        Batch(
            key=row.key,
            id=UUID(bytes=bytes(row.id)),
            entry=row.entry,
            at=from_instant(row.at),
            series=row.series,
            citation=row.citation,
            authority=row.authority,
            final_entry=row.final_entry,
            numbers=numbers.get(row.key, {}),
        )
        for row in rows
    ]


def states(tx: Tx, identity: UUID) -> dict[UUID, str]:
    """What became of each record of a batch."""
    asked = (
        select(records.c.id, disposal_records.c.state)
        .join(records, records.c.key == disposal_records.c.record)
        .join(disposals, disposals.c.key == disposal_records.c.batch)
        .where(disposals.c.id == identity.bytes)
        .order_by(records.c.key)
    )
    return {UUID(bytes=bytes(record)): state for record, state in tx.execute(asked)}


def disposed(tx: Tx, wanted: Iterable[UUID]) -> dict[UUID, Tombstone]:
    """Those of these records that were disposed of already: a hold on them comes too late."""
    ids = [one.bytes for one in wanted]
    found: dict[UUID, Tombstone] = {}
    for start in range(0, len(ids), _ASK):
        asked = (
            select(records.c.id, tombstones)
            .join(tombstones, tombstones.c.record == records.c.key)
            .where(records.c.id.in_(ids[start : start + _ASK]))
        )
        found |= {one.record: one for one in map(_tombstone, tx.execute(asked))}
    return found


def notes(tx: Tx, batch: UUID) -> Iterator[Tombstone]:
    """What is left of the records that were disposed of in a batch."""
    asked = (
        select(records.c.id, tombstones)
        .join(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.batch == batch.bytes)
        .order_by(records.c.key)
    )
    return map(_tombstone, tx.execution_options(yield_per=_ASK).execute(asked))


def _tombstone(row: Any) -> Tombstone:
    return Tombstone(
        UUID(bytes=bytes(row.id)), UUID(bytes=bytes(row.batch)), from_instant(row.at), json.loads(row.detail)
    )


def root(ids: Iterable[bytes]) -> bytes:
    """The Merkle root (RFC 6962) over the ids of records, in their order."""
    tree = Growing()
    for identity in sorted(ids):
        tree.add(leaf_hash(identity))
    return tree.root()


def gone(tx: Tx, owners: Sequence[bytes]) -> set[bytes]:
    """Those of these secrets that went lawfully with a batch, beside those of its records."""
    found: set[bytes] = set()
    for start in range(0, len(owners), _ASK):
        asked = select(forgotten.c.owner).where(forgotten.c.owner.in_(list(owners[start : start + _ASK])))
        found |= {bytes(owner) for owner in tx.execute(asked).scalars()}
    return found


# -- what fixity asks --------------------------------------------------------------------------------------


def wrong(store: Store, size: int, derived: Sequence[Purger] = ()) -> Wrong:
    """Whatever of disposals is not as the law and the ledger have it, among the first `size` entries."""
    with store.database.read() as tx:
        said = _said(tx, size)
        yield from _tombstones(tx, said, size)
        yield from _executed(tx, said)
        yield from _entered(tx)
        yield from _authorised(tx, size)
        yield from _stated(store, tx, size)
        yield from _marks(tx)
        yield from _circles(tx)
        yield from _rows_left(tx)
        yield from _objects(tx)
    yield from _secrets(store)
    for one in derived:
        yield from _derived(store, one)


def _said(tx: Tx, size: int) -> dict[int, dict[str, object]]:
    """What the entries say that executed disposals."""
    asked = (
        select(entries.c.index, entries.c.body)
        .where(
            entries.c.index.in_(
                select(disposal_records.c.entry).where(disposal_records.c.entry.is_not(None))
            ),
            entries.c.index < size,
        )
        .order_by(entries.c.index)
    )
    return {index: msgspec.json.decode(bytes(body)) for index, body in tx.execute(asked)}


def _tombstones(tx: Tx, said: Mapping[int, Mapping[str, object]], size: int) -> Wrong:
    """Every tombstone belongs to a batch that the ledger says was executed."""
    asked = (
        select(
            records.c.id,
            tombstones.c.batch,
            disposal_records.c.state,
            disposal_records.c.entry,
        )
        .join(records, records.c.key == tombstones.c.record)
        .outerjoin(disposals, disposals.c.id == tombstones.c.batch)
        .outerjoin(
            disposal_records,
            (disposal_records.c.batch == disposals.c.key) & (disposal_records.c.record == records.c.key),
        )
    )
    for identity, of, state, entry in tx.execute(asked):
        if entry is not None and entry >= size:
            continue  # written while this looks
        entered = said.get(entry) if entry is not None else None
        if state not in (DESTROYED, VERIFIED) or entered is None or entered.get("batch") != bytes(of).hex():
            yield (
                UNLAWFUL,
                "a record has a tombstone, and no entry that disposed of it",
                bytes(identity).hex(),
            )


def _executed(tx: Tx, said: Mapping[int, Mapping[str, object]]) -> Wrong:
    """Every entry that executed a part of a batch names, by its root, exactly the records that are gone."""
    asked = (
        select(
            disposal_records.c.entry,
            disposal_records.c.state,
            records.c.id,
            tombstones.c.record,
            suppressed.c.mac,
        )
        .join(records, records.c.key == disposal_records.c.record)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .outerjoin(suppressed, suppressed.c.record == records.c.key)
        .where(disposal_records.c.entry.is_not(None))
    )
    destroyed: dict[int, list[bytes]] = {}
    marks: dict[int, list[bytes]] = {}
    withdrawn: Counter[int] = Counter()
    for entry, state, identity, buried, mark in tx.execute(asked):
        if state in (DESTROYED, VERIFIED):
            if mark is not None:
                marks.setdefault(entry, []).append(bytes(mark))
            destroyed.setdefault(entry, []).append(bytes(identity))
            if buried is None:
                yield (
                    UNLAWFUL,
                    "a record is said to be destroyed, and has no tombstone",
                    bytes(identity).hex(),
                )
        else:
            withdrawn[entry] += 1
    for entry, told in said.items():
        ids = destroyed.get(entry, [])
        match told.get("act"):
            case "executed":
                same = (told.get("n"), told.get("excluded"), told.get("root")) == (
                    len(ids),
                    withdrawn[entry],
                    root(ids).hex(),
                )
                if told.get("marks", root(marks.get(entry, [])).hex()) != root(marks.get(entry, [])).hex():
                    yield (
                        ALTERED,
                        "the marks laid with a disposal are not those of its entry",
                        f"entry {entry}",
                    )
            case "withdrawn":
                same = (told.get("n"), ids) == (withdrawn[entry], [])
            case _:
                same = False
        if told.get("type") != "disposal" or not same:
            yield ALTERED, "what was destroyed is not what its entry says", f"entry {entry}"


def _entered(tx: Tx) -> Wrong:
    """What became of a record, and what authorised it, names an entry that is there."""
    asked = (
        select(records.c.id)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .outerjoin(entries, entries.c.index == disposal_records.c.entry)
        .where(disposal_records.c.entry.is_not(None), entries.c.index.is_(None))
    )
    for identity in tx.execute(asked).scalars():
        yield UNLAWFUL, "what became of a record names no entry", bytes(identity).hex()
    unknown = (
        select(records.c.id)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .where(
            or_(
                disposal_records.c.state.not_in((AUTHORISED, WITHDRAWN, DESTROYED, VERIFIED)),
                and_(disposal_records.c.state == AUTHORISED, disposal_records.c.entry.is_not(None)),
                and_(disposal_records.c.state != AUTHORISED, disposal_records.c.entry.is_(None)),
            )
        )
    )
    for identity in tx.execute(unknown).scalars():
        yield (
            ALTERED,
            "what became of a record of a batch is not what an entry makes of one",
            bytes(identity).hex(),
        )
    nowhere = (
        select(disposals.c.entry)
        .outerjoin(entries, entries.c.index == disposals.c.entry)
        .where(entries.c.index.is_(None))
    )
    for entry in tx.execute(nowhere).scalars():
        yield MISSING, "a batch names no entry that authorised it", f"entry {entry}"


def _authorised(tx: Tx, size: int) -> Wrong:
    """Every batch has the entry that authorised it, over exactly its records."""
    asked = (
        select(disposals.c.key, disposals.c.id, entries.c.body, disposals.c.entry)
        .outerjoin(entries, entries.c.index == disposals.c.entry)
        .where(disposals.c.entry < size)
    )
    for key, identity, body, entry in tx.execute(asked).all():
        ids = [
            bytes(one)
            for one in tx.execute(
                select(records.c.id)
                .join(disposal_records, disposal_records.c.record == records.c.key)
                .where(disposal_records.c.batch == key)
            ).scalars()
        ]
        told = msgspec.json.decode(bytes(body)) if body is not None else {}
        wanted = ("disposal", "authorised", bytes(identity).hex(), len(ids), root(ids).hex())
        if tuple(told.get(name) for name in ("type", "act", "batch", "n", "root")) != wanted:
            yield MISSING, "a batch is not the one that its entry authorised", f"entry {entry}"


def _stated(store: Store, tx: Tx, size: int) -> Wrong:
    """Batches and tombstones state the authority that was entered when they were authorised."""
    asked = (
        select(disposals, acts.c.secret, acts.c.sealed)
        .join(acts, acts.c.entry == disposals.c.entry)
        .where(disposals.c.entry < size)
    )
    rows = tx.execute(asked).all()
    lawful: dict[str, dict[str, object]] = {}
    for row, words in zip(rows, act_words(store.keyring, tx, rows), strict=True):
        states = {name: getattr(row, name) for name in ("series", "citation", "authority")}
        if words["detail"] != states:
            yield ALTERED, "a batch states another authority than its entry", f"entry {row.entry}"
        identity = UUID(bytes=bytes(row.id))
        lawful[str(identity)] = {**words["detail"], "batch": str(identity)}
    buried = (
        select(records.c.id, records.c.kind, pages.c.id.label("page"), tombstones)
        .join(records, records.c.key == tombstones.c.record)
        .join(pages, pages.c.key == records.c.page)
    )
    for row in tx.execute(buried):
        told: dict[str, object] = {}
        with contextlib.suppress(msgspec.DecodeError):
            told = msgspec.json.decode(row.detail, type=dict[str, object])
        told.pop("month", None)  # of when it was published nothing is left to hold it against
        of = lawful.get(str(UUID(bytes=bytes(row.batch))))
        clear = {"page": str(UUID(bytes=bytes(row.page))), "kind": row.kind}
        if of is not None and told != of | clear:
            yield ALTERED, "a tombstone states something else than its entry", bytes(row.id).hex()


def _marks(tx: Tx) -> Wrong:
    """A suppression mark stands where a tombstone stands, and nowhere else."""
    laid = (
        select(records.c.id, tombstones.c.record, suppressed.c.record)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .outerjoin(suppressed, suppressed.c.record == records.c.key)
        .where(or_(tombstones.c.record.is_not(None), suppressed.c.record.is_not(None)))
    )
    for identity, buried, marked in tx.execute(laid):
        if buried is None:
            yield UNLAWFUL, "a record is marked as disposed of, and has no tombstone", bytes(identity).hex()
        elif marked is None:
            yield ALTERED, "a disposed record has no mark and would be kept again", bytes(identity).hex()


def _circles(tx: Tx) -> Wrong:
    """A circle ended only with the last of its records."""
    living = (
        select(circle_members.c.circle)
        .join(ended_circles, ended_circles.c.circle == circle_members.c.circle)
        .outerjoin(tombstones, tombstones.c.record == circle_members.c.record)
        .where(tombstones.c.record.is_(None))
    )
    part = ended_circles.alias("part")
    open_ = (
        select(circle_parts.c.circle)
        .join(ended_circles, ended_circles.c.circle == circle_parts.c.circle)
        .outerjoin(part, part.c.circle == circle_parts.c.part)
        .where(part.c.circle.is_(None))
    )
    for key in sorted(tx.execute(living.union(open_)).scalars()):
        yield UNLAWFUL, "a circle has ended, and a record of it was not disposed of", f"circle {key}"


def _rows_left(tx: Tx) -> Wrong:
    """The row of a disposed record says only what its tombstone may."""
    asked = (
        select(records.c.id)
        .join(tombstones, tombstones.c.record == records.c.key)
        .outerjoin(counts, counts.c.record == records.c.key)
        .outerjoin(attachments, attachments.c.record == records.c.key)
        .where(
            or_(
                records.c.parent_mac.is_not(None),
                records.c.published_at.is_not(None),
                records.c.counts.is_not(None),
                counts.c.record.is_not(None),
                attachments.c.file.is_not(None),
                attachments.c.wrapped.is_not(None),
                attachments.c.content_mac.is_not(None),
            )
        )
    )
    living = (
        select(pieces.c.object)
        .join(attachments, attachments.c.piece == pieces.c.key)
        .outerjoin(tombstones, tombstones.c.record == attachments.c.record)
        .where(attachments.c.file.is_not(None), tombstones.c.record.is_(None))
    )
    with_them = (
        select(records.c.id)
        .join(tombstones, tombstones.c.record == records.c.key)
        .join(pieces, pieces.c.record == records.c.key)
        .where(pieces.c.object.in_(living))
    )
    for identity in tx.execute(asked.union(with_them)).scalars():
        yield NOT_DESTROYED, "the row of a disposed record says more than it may", bytes(identity).hex()


def _objects(tx: Tx) -> Wrong:
    """An object was removed only when nothing in it could be opened any more."""
    of_version = (
        select(versions.c.object)
        .join(unlinked, unlinked.c.object == versions.c.object)
        .where(versions.c.record.not_in(select(tombstones.c.record)))
    )
    of_piece = (
        select(pieces.c.object)
        .join(unlinked, unlinked.c.object == pieces.c.object)
        .where(
            or_(
                pieces.c.record.is_not(None) & pieces.c.record.not_in(select(tombstones.c.record)),
                pieces.c.circle.is_not(None) & pieces.c.circle.not_in(select(ended_circles.c.circle)),
            )
        )
    )
    for key in sorted(tx.execute(of_version.union(of_piece)).scalars()):
        yield UNLAWFUL, "an object is said to be removed, and something living lies in it", f"object {key}"


def _secrets(store: Store) -> Wrong:
    """No secret is left of what was disposed of: neither a record's nor those that went with it."""
    for part in _destroyed(store):
        for identity in store.keyring.secrets(part):
            yield NOT_DESTROYED, "the secret of something disposed of is still in the keyring", identity.hex()


def _destroyed(store: Store) -> Iterator[list[bytes]]:
    """The ids of everything whose secret was destroyed, in parts."""
    asked = (
        select(records.c.id)
        .join(tombstones, tombstones.c.record == records.c.key)
        .union_all(select(forgotten.c.owner))
    )
    part: list[bytes] = []
    with store.database.read() as tx:
        for identity in tx.execution_options(yield_per=_PART).execute(asked).scalars():
            part.append(bytes(identity))
            if len(part) == _PART:
                yield part
                part = []
    if part:
        yield part


def _derived(store: Store, one: Purger) -> Wrong:
    """Nothing derived holds what was disposed of."""
    with store.database.read() as tx:
        keys = list(tx.execute(select(tombstones.c.record)).scalars())
    if keys and (left := one.still_holds(keys)):
        yield NOT_DESTROYED, f"{left} disposed records are still in the {one.name}", one.name

"""Reading what is held: versions, evidence and attachments, opened with the secrets that still exist."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Table, select

from app.db import Tx
from app.store import files, quarantine
from app.store.evidence import Hole, Ref, join
from app.store.keyring import Keyring
from app.store.objects import FixityMismatch, Objects
from app.store.sealing import SealBroken, unseal
from app.store.statement import Statement, fields_of, unpack
from app.store.store import Store
from app.store.tables import (
    attachments,
    circle_members,
    circle_parts,
    circles,
    disposal_records,
    disposals,
    ended_circles,
    exchanges,
    forgotten,
    objects,
    pieces,
    records,
    runs,
    tombstones,
    versions,
)
from app.store.wrapping import open_circle

_layout_decoder = msgspec.msgpack.Decoder(list[tuple[int, int, int]])
_DISPOSED = "disposed of in batch"
_QUARANTINE = "not handed out"
_WHOLE = 16 * 1024 * 1024
_CACHED = 8
_SINGLY = 3
"""So many frames of an object are read by themselves: a page of hits has few of each, of megabytes."""
_LITTLE = 64 * 1024
_ASK = 500


class Frames:
    """Reads frames out of objects; a small object of which a few were asked for is read whole, because the next are its neighbours."""

    def __init__(self, store_objects: Objects) -> None:
        self.objects = store_objects
        self._asked: dict[bytes, int] = {}
        self._whole: OrderedDict[bytes, bytes] = OrderedDict()

    def read(self, digest: bytes, object_size: int, place: int, size: int) -> bytes:
        """One frame."""
        if object_size > _WHOLE:
            return self.objects.read(digest, place, size)
        whole = self._whole.get(digest)
        if whole is None:
            asked = self._asked[digest] = self._asked.get(digest, 0) + 1
            if asked <= _SINGLY and object_size > _LITTLE:
                return self.objects.read(digest, place, size)
            whole = self._whole[digest] = self.objects.read(digest, 0, object_size)
            if len(self._whole) > _CACHED:
                self._whole.popitem(last=False)
        if not 0 <= place <= place + size <= len(whole):
            raise FixityMismatch(f"object {digest.hex()} is shorter than it was")
        return whole[place : place + size]


@dataclass(frozen=True, slots=True)
class PieceRow:
    """Where a piece lies and whose it is."""

    key: int
    record: int | None
    circle: int | None
    exchange: int | None
    commitment: bytes
    length: int
    digest: bytes
    object_size: int
    place: int
    size: int


def pieces_of(tx: Tx, keys: Iterable[int]) -> dict[int, PieceRow]:
    """The rows of these pieces."""
    wanted = list(dict.fromkeys(keys))
    found: dict[int, PieceRow] = {}
    for start in range(0, len(wanted), _ASK):
        asked = (
            select(
                pieces.c.key,
                pieces.c.record,
                pieces.c.circle,
                pieces.c.exchange,
                pieces.c.commitment,
                pieces.c.length,
                objects.c.digest,
                objects.c.size,
                pieces.c.place,
                pieces.c.size.label("frame"),
            )
            .join(objects, objects.c.key == pieces.c.object)
            .where(pieces.c.key.in_(wanted[start : start + _ASK]))
        )
        for row in tx.execute(asked):
            found[row.key] = PieceRow(
                row.key,
                row.record,
                row.circle,
                row.exchange,
                bytes(row.commitment),
                row.length,
                bytes(row.digest),
                row[7],
                row.place,
                row.frame,
            )
    return found


class Opener:
    """Finds the secret that opens a piece: its record's, its circle's through any living member, or its exchange's."""

    def __init__(self, tx: Tx, keyring: Keyring) -> None:
        self.tx, self.keyring = tx, keyring
        self._circles: dict[int, tuple[bytes, bytes] | None] = {}

    def owners(self, rows: Iterable[PieceRow]) -> dict[int, tuple[bytes, bytes] | None]:
        """For each piece: its owner's id and secret, or None where the secret is gone."""
        rows = list(rows)
        by_record = self._ids(records, {row.record for row in rows if row.record is not None})
        by_exchange = self._ids(exchanges, {row.exchange for row in rows if row.exchange is not None})
        secrets = self.keyring.secrets([*by_record.values(), *by_exchange.values()])
        circle_secrets = {
            key: self._circle(key) for key in {row.circle for row in rows if row.circle is not None}
        }
        found: dict[int, tuple[bytes, bytes] | None] = {}
        for row in rows:
            if row.circle is not None:
                found[row.key] = circle_secrets[row.circle]
                continue
            identity = by_record[row.record] if row.record is not None else by_exchange[row.exchange or 0]
            found[row.key] = (identity, secrets[identity]) if identity in secrets else None
        return found

    def _ids(self, table: Table, keys: set[int]) -> dict[int, bytes]:
        wanted = sorted(keys)
        found: dict[int, bytes] = {}
        for start in range(0, len(wanted), _ASK):
            asked = select(table.c.key, table.c.id).where(table.c.key.in_(wanted[start : start + _ASK]))
            found |= {key: bytes(identity) for key, identity in self.tx.execute(asked)}
        return found

    def _circle(self, key: int) -> tuple[bytes, bytes] | None:
        if key not in self._circles:
            self._circles[key] = self._through_a_record(key) or self._through_a_part(key)
        return self._circles[key]

    def _through_a_record(self, key: int) -> tuple[bytes, bytes] | None:
        asked = (
            select(circles.c.id, circle_members.c.wrapped, records.c.id)
            .join(circle_members, circle_members.c.circle == circles.c.key)
            .join(records, records.c.key == circle_members.c.record)
            .where(circles.c.key == key)
        )
        members = self.tx.execute(asked).all()
        secrets = self.keyring.secrets(bytes(member) for _, _, member in members)
        broken: SealBroken | None = None
        for identity, wrapped, member in members:
            if bytes(member) in secrets:
                try:
                    return bytes(identity), open_circle(
                        secrets[bytes(member)], bytes(identity), bytes(wrapped)
                    )
                except SealBroken as error:  # another member may still open it
                    broken = error
        if broken is not None:
            raise broken
        return None

    def _through_a_part(self, key: int) -> tuple[bytes, bytes] | None:
        """A circle of circles opens through any of them that still opens."""
        asked = (
            select(circles.c.id, circle_parts.c.wrapped, circle_parts.c.part)
            .join(circle_parts, circle_parts.c.circle == circles.c.key)
            .where(circles.c.key == key)
        )
        broken: SealBroken | None = None
        for identity, wrapped, part in self.tx.execute(asked).all():
            through = self._circle(part)
            if through is not None:
                try:
                    return bytes(identity), open_circle(through[1], bytes(identity), bytes(wrapped))
                except SealBroken as error:  # another part may still open it
                    broken = error
        if broken is not None:
            raise broken
        return None


@dataclass(frozen=True, slots=True)
class ExchangeKept:
    """An exchange as it can be read today: its envelope, its body, and the holes in both."""

    key: int
    id: UUID
    entry: int
    kind: str
    at: int
    status: int
    page: int | None
    envelope: bytes | None
    body: bytes
    holes: Sequence[Hole]


def exchange(store: Store, tx: Tx, key: int, *, of: int | None = None) -> ExchangeKept:
    """Join an exchange from its pieces; what is disposed of is a hole, and so is what is in quarantine.

    The record `of` is read although it may be in quarantine: whoever asks MUST
    have been let in to it.
    """
    row = tx.execute(
        select(exchanges, runs.c.page).join(runs, runs.c.key == exchanges.c.run).where(exchanges.c.key == key)
    ).one()
    refs = [Ref(*ref) for ref in layout_of(tx, row.layout, row.alike)]
    wanted = {row.envelope, *(ref.piece for ref in refs)}
    content = open_pieces(store, tx, {one for one in wanted if one > 0})
    withdrawn = _in_quarantine(tx, content, of)
    content = {one: held for one, held in content.items() if one not in withdrawn}
    missing = [one for one in wanted if one not in content and one not in withdrawn]
    body, holes = join(refs, content, why=_disposals(tx, missing) | dict.fromkeys(withdrawn, _QUARANTINE))
    return ExchangeKept(
        key=key,
        id=UUID(bytes=bytes(row.id)),
        entry=row.entry,
        kind=row.kind,
        at=row.at,
        status=row.status,
        page=row.page,
        envelope=content.get(row.envelope),
        body=body,
        holes=holes,
    )


def _in_quarantine(tx: Tx, keys: Iterable[int], of: int | None) -> set[int]:
    """Those of these pieces whose record is in quarantine."""
    hidden = sorted(quarantine.hidden(tx) - {of})
    if not hidden:
        return set()
    held = tx.execute(select(pieces.c.key).where(pieces.c.record.in_(hidden))).scalars()
    return set(held) & set(keys)


def _disposals(tx: Tx, missing: Sequence[int]) -> dict[int, str]:
    """Why bytes are not there: the disposal of whose they were, or of what the platform still showed after it."""
    told: dict[int, str] = {}
    never = [-one for one in missing if one < 0]
    for row in tx.execute(
        select(tombstones.c.record, tombstones.c.batch).where(tombstones.c.record.in_(never))
    ):
        told[-row.record] = f"{_DISPOSED} {UUID(bytes=bytes(row.batch))}, and not kept again"
    for start in range(0, len(missing), _ASK):
        part = [one for one in missing[start : start + _ASK] if one > 0]
        own = (
            select(pieces.c.key, tombstones.c.batch)
            .join(tombstones, tombstones.c.record == pieces.c.record)
            .where(pieces.c.key.in_(part))
        )
        told |= {row.key: f"{_DISPOSED} {UUID(bytes=bytes(row.batch))}" for row in tx.execute(own)}
        with_them = (
            select(pieces.c.key, disposals.c.id)
            .join(exchanges, exchanges.c.key == pieces.c.exchange)
            .join(forgotten, forgotten.c.owner == exchanges.c.id)
            .join(disposals, disposals.c.key == forgotten.c.batch)
            .where(pieces.c.key.in_(part))
        )
        for row in tx.execute(with_them):
            told[row.key] = f"{_DISPOSED} {UUID(bytes=bytes(row.id))}, a record of which it named"
        shared = (
            select(pieces.c.key, pieces.c.circle)
            .join(ended_circles, ended_circles.c.circle == pieces.c.circle)
            .where(pieces.c.key.in_(part))
        )
        for row in tx.execute(shared).all():
            last = _last_of(tx, row.circle)
            told[row.key] = f"{_DISPOSED} {last}, with the last of the records that shared it"
    return told


def _last_of(tx: Tx, circle: int) -> UUID | None:
    """The batch with which the last record of a circle, and of the circles in it, was disposed of."""
    inside, waiting = {circle}, [circle]
    while waiting:
        parts = tx.execute(select(circle_parts.c.part).where(circle_parts.c.circle.in_(waiting))).scalars()
        waiting = [part for part in parts if part not in inside]
        inside.update(waiting)
    last = (
        select(tombstones.c.batch)
        .join(circle_members, circle_members.c.record == tombstones.c.record)
        .join(disposals, disposals.c.id == tombstones.c.batch)
        .join(
            disposal_records,
            (disposal_records.c.batch == disposals.c.key)
            & (disposal_records.c.record == tombstones.c.record),
        )
        .where(circle_members.c.circle.in_(sorted(inside)))
        .order_by(disposal_records.c.entry.desc())
        .limit(1)
    )
    batch = tx.execute(last).scalar()
    return UUID(bytes=bytes(batch)) if batch is not None else None


def layout_of(tx: Tx, layout: bytes, alike: int | None) -> list[tuple[int, int, int]]:
    """What a body is joined from: piece, start and length; told by the row itself, or by the one that it is like."""
    if alike is not None:
        layout = tx.execute(select(exchanges.c.layout).where(exchanges.c.key == alike)).scalar_one()
    return _layout_decoder.decode(bytes(layout))


def layout(tx: Tx, exchange: int) -> list[tuple[int, int, int]]:
    """What the body of an exchange is joined from: piece, start and length."""
    row = tx.execute(select(exchanges.c.layout, exchanges.c.alike).where(exchanges.c.key == exchange)).one()
    return layout_of(tx, row.layout, row.alike)


def open_pieces(store: Store, tx: Tx, keys: Iterable[int]) -> dict[int, bytes]:
    """The contents of those pieces that can still be opened."""
    rows = pieces_of(tx, keys)
    owners = Opener(tx, store.keyring).owners(rows.values())
    frames = Frames(store.objects)
    found: dict[int, bytes] = {}
    for row in rows.values():
        owner = owners[row.key]
        if owner is not None:
            found[row.key] = _open_piece(store, tx, frames, row, owner)
    return found


def _open_piece(store: Store, tx: Tx, frames: Frames, row: PieceRow, owner: tuple[bytes, bytes]) -> bytes:
    """A piece's content.

    A body may refer to an attachment of the same bytes, which is sealed
    otherwise: capture did so before it kept the two apart.
    """
    frame = frames.read(row.digest, row.object_size, row.place, row.size)
    try:
        return unseal(owner[1], b"piece/" + owner[0] + row.commitment, frame)
    except SealBroken:
        asked = select(attachments.c.id, attachments.c.file, attachments.c.wrapped).where(
            attachments.c.record == row.record, attachments.c.piece == row.key
        )
        attached = tx.execute(asked).first()
        if row.record is None or attached is None:
            raise
        sealed = files.Sealed(
            bytes(attached.id), attached.file, attached.wrapped, row.digest, row.place, row.size
        )
        return b"".join(files.opened(store, owner[1], sealed))


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version with what is needed to open it."""

    record: int
    record_id: bytes
    number: int
    entry: int
    state: str
    observed_at: int
    last_seen_before: int | None
    exchange: int
    digest: bytes
    object_size: int
    place: int
    size: int


VERSION_COLUMNS = (
    versions.c.record,
    records.c.id,
    versions.c.number,
    versions.c.entry,
    versions.c.state,
    versions.c.observed_at,
    versions.c.last_seen_before,
    versions.c.exchange,
    objects.c.digest,
    objects.c.size,
    versions.c.place,
    versions.c.size,
)


def version_row(row: Any) -> VersionRow:
    """A version from the columns of `VERSION_COLUMNS`, which come first."""
    record, identity, number, entry, state, observed, before, seen, digest, object_size, place, size = row[
        : len(VERSION_COLUMNS)
    ]
    return VersionRow(
        record,
        bytes(identity),
        number,
        entry,
        state,
        observed,
        before,
        seen,
        bytes(digest),
        object_size,
        place,
        size,
    )


def opened(frames: Frames, secret: bytes, row: VersionRow) -> bytes:
    """The packed statement and fields of a version."""
    return unseal(
        secret,
        b"version/%d/" % row.number + row.record_id,
        frames.read(row.digest, row.object_size, row.place, row.size),
    )


def statement(frames: Frames, secret: bytes, row: VersionRow) -> Statement:
    """A version's statement, with its salt and commitment."""
    return unpack(secret, opened(frames, secret, row), row.number)


def fields(frames: Frames, secret: bytes, row: VersionRow) -> dict[str, object]:
    """Only a version's fields."""
    return fields_of(opened(frames, secret, row))

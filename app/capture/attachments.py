"""Attachments: fetched after the record that has them is kept, streamed and sealed, each with an entry of its own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, update

from app.db import Tx, key_of, to_instant
from app.db.database import lock_ledger
from app.records.ids import new_id
from app.store import files
from app.store.canonical import canonical
from app.store.ledger import keyed, timestamp
from app.store.objects import Kept
from app.store.sealing import new_secret, seal_stream
from app.store.store import Store
from app.store.tables import attachments, objects, pieces, records, tombstones
from app.store.wrapping import wrap_file
from connectors import in_place

KEPT, MISSING = "kept", "missing"
_DIGEST = re.compile("(?=sha256:.{64}$|sha1:.{40}$)(sha256|sha1):([0-9a-f]+)")
_ASK = 500


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """Where an attachment's bytes lie."""

    id: UUID
    record: bytes
    mac: bytes
    state: str
    piece: int | None
    length: int | None
    digest: bytes | None
    place: int
    size: int
    private: bool
    file: bytes | None = None
    wrapped: bytes | None = None


class NotKept(Exception):
    """Bytes came, and were let go of: they must be fetched again."""


class NotTheFile(NotKept):
    """What came is not the file that its name tells by its digest."""

    def __init__(self) -> None:
        super().__init__("another file came in its place: its digest is not the one that names it")


class HolderGone(NotKept):
    """The record that had the same bytes was disposed of while they came: they must be fetched again."""

    def __init__(self) -> None:
        super().__init__("another record that had the same file was disposed of in this moment")


def wanted(store: Store, tx: Tx, record: bytes, names: Iterable[str]) -> list[str]:
    """Those attachments of a record, by the platform's own ids, that are not kept yet."""
    names = list(names)
    held = set(
        tx.execute(
            select(attachments.c.mac)
            .join(records, records.c.key == attachments.c.record)
            .where(records.c.id == record, attachments.c.state == KEPT)
        ).scalars()
    )
    return [name for name in names if _mac(store, record, name) not in {bytes(mac) for mac in held}]


def beginning(chunks: Iterator[bytes]) -> bytes:
    """So much of a file as tells what it is; the rest of it is still to come from `chunks`."""
    first = b""
    while len(first) < in_place.TELLS and (chunk := next(chunks, None)) is not None:
        first += chunk
    return first


def no_file(first: bytes, media_type: str | None, address: str = "") -> str:
    """Why what begins so is not the file that was asked for; empty where it may be.

    What was asked for is told by its type, or by how its address ends.

    Servers answer with a page of words (sign in, try again later), with a
    message or with nothing, and call it success. Kept, it would stand in the
    file's place for ever.
    """
    if not first:
        return "the platform answered with an empty file"
    asked = in_place.expected(media_type or "", address)
    other = in_place.stands_in(first, asked)
    return f"the platform answered with {other} in the place of {asked}" if other else ""


def as_named(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a file; raises `NotTheFile` after the last where its name is another digest than its own."""
    told = _DIGEST.fullmatch(name)
    content = hashlib.new(told[1]) if told is not None else None
    for chunk in chunks:
        if content is not None:
            content.update(chunk)
        yield chunk
    if told is not None and content is not None and content.hexdigest() != told[2]:
        raise NotTheFile


def keep(
    store: Store,
    record: bytes,
    name: str,
    chunks: Iterable[bytes],
) -> int:
    """Seal the bytes of one attachment as they come, and write its entry; return how many bytes there were.

    Objects first, then one transaction. The commitment covers the whole
    content, so that a cut or altered attachment is found. Bytes that another
    record has already are not kept again, after those were read to their end;
    raises `HolderGone` where that record is disposed of in the same moment. What
    is kept under that name stays as it is.
    """
    secret = store.keyring.secret(record)
    identity, counted = new_id(), _Counted(chunks)
    file = files.Held(os.urandom(16), new_secret(), 0, 0, 0)
    kept: Kept | None = None
    try:
        kept = store.objects.put(_sealed(store, file, counted))
        file = replace(file, size=kept.size)
    except _HeldAlready as found:
        file = found.file
    digest = counted.digest.digest()
    commitment = files.commitment(secret, digest)
    with store.database.begin() as tx:
        lock_ledger(tx)
        row = tx.execute(select(records.c.key).where(records.c.id == record)).scalar_one()
        if tx.execute(select(tombstones.c.record).where(tombstones.c.record == row)).first() is not None:
            return counted.count  # disposed of meanwhile: nobody can open the bytes, and they are swept
        mac = _mac(store, record, name)
        known = tx.execute(
            select(attachments.c.key, attachments.c.state).where(
                attachments.c.record == row, attachments.c.mac == mac
            )
        ).first()
        if known is not None and known.state == KEPT:
            return counted.count  # by another worker meanwhile, and entered: these bytes are swept
        if kept is None and not files.lives(tx, file.file):
            raise HolderGone
        piece = (tx.execute(select(func.max(pieces.c.key))).scalar() or 0) + 1
        tx.execute(
            insert(pieces).values(
                key=piece,
                record=row,
                commitment=commitment,
                length=counted.count,
                object=file.object if kept is None else _object(store, tx, kept),
                place=file.place,
                size=file.size,
            )
        )
        told = {
            "id": identity.bytes,
            "piece": piece,
            "state": KEPT,
            "file": file.file,
            "wrapped": wrap_file(secret, file.file, file.secret),
            "content_mac": files.content_mac(store, digest),
        }
        if known is None:
            tx.execute(insert(attachments).values(record=row, mac=mac, **told))
        else:
            tx.execute(update(attachments).where(attachments.c.key == known.key).values(**told))
        store.ledger.append(
            tx,
            [
                canonical(
                    {
                        "c": commitment.hex(),
                        "item": record.hex(),
                        "attachment": identity.hex,
                        "ts": timestamp(store.clock.now()),
                        "type": "attachment",
                        "v": 1,
                    }
                )
            ],
        )
    return counted.count


def _sealed(store: Store, file: files.Held, counted: _Counted) -> Iterator[bytes]:
    """The sealed bytes of a file; raises `_HeldAlready` after the last of them where the same lie there already."""
    yield from seal_stream(file.secret, files.context(file.file), counted)
    same = files.held(store, counted.digest.digest())
    if same is not None:
        raise _HeldAlready(same)


def _object(store: Store, tx: Tx, kept: Kept) -> int:
    held = tx.execute(select(objects.c.key).where(objects.c.digest == kept.digest)).scalar()
    return held or key_of(
        tx.execute(
            insert(objects).values(digest=kept.digest, size=kept.size, kept_at=to_instant(store.clock.now()))
        )
    )


def miss(store: Store, tx: Tx, record: bytes, name: str) -> None:
    """Write down that an attachment could not be fetched; the next run tries again."""
    row = tx.execute(select(records.c.key).where(records.c.id == record)).scalar_one()
    mac = _mac(store, record, name)
    if (
        tx.execute(
            select(attachments.c.key).where(attachments.c.record == row, attachments.c.mac == mac)
        ).first()
        is None
    ):
        tx.execute(insert(attachments).values(id=new_id().bytes, record=row, mac=mac, state=MISSING))


def of(store: Store, tx: Tx, record: bytes, names: Iterable[str]) -> dict[str, AttachmentRow]:
    """What is held of a record's attachments, by the platform's own ids."""
    rows = {row.mac: row for row in _rows(tx, records.c.id == record)}
    found = {}
    for name in names:
        row = rows.get(_mac(store, record, name))
        if row is not None:
            found[name] = row
    return found


def of_records(tx: Tx, keys: Sequence[int]) -> dict[tuple[bytes, bytes], AttachmentRow]:
    """What is held of the attachments of several records, by the record's id and `named` of the platform's own id."""
    found: dict[tuple[bytes, bytes], AttachmentRow] = {}
    for start in range(0, len(keys), _ASK):
        for row in _rows(tx, attachments.c.record.in_(list(keys[start : start + _ASK]))):
            found[row.record, row.mac] = row
    return found


def named(store: Store, record: bytes, name: str) -> bytes:
    """What an attachment of a record is found by, from the platform's own id."""
    return _mac(store, record, name)


def get(tx: Tx, identity: UUID) -> AttachmentRow | None:
    """One attachment by its id."""
    return next(iter(_rows(tx, attachments.c.id == identity.bytes)), None)


def stream(store: Store, row: AttachmentRow) -> Iterator[bytes]:
    """An attachment's bytes in chunks; the read that reaches the end raises `SealBroken` if it was cut."""
    assert row.digest is not None, "only a kept attachment is streamed"
    sealed = files.Sealed(row.id.bytes, row.file, row.wrapped, row.digest, row.place, row.size)
    return files.opened(store, store.keyring.secret(row.record), sealed)


def _rows(tx: Tx, condition: ColumnElement[bool]) -> list[AttachmentRow]:
    asked = (
        select(
            attachments.c.id,
            records.c.id,
            attachments.c.mac,
            attachments.c.state,
            attachments.c.piece,
            pieces.c.length,
            objects.c.digest,
            pieces.c.place,
            pieces.c.size,
            records.c.private,
            attachments.c.file,
            attachments.c.wrapped,
        )
        .join(records, records.c.key == attachments.c.record)
        .outerjoin(pieces, pieces.c.key == attachments.c.piece)
        .outerjoin(objects, objects.c.key == pieces.c.object)
        .where(condition)
    )
    return [
        AttachmentRow(
            UUID(bytes=bytes(row[0])),
            bytes(row[1]),
            bytes(row[2]),
            row[3],
            row[4],
            row[5],
            bytes(row[6]) if row[6] is not None else None,
            row[7] or 0,
            row[8] or 0,
            bool(row[9]),
            bytes(row[10]) if row[10] is not None else None,
            bytes(row[11]) if row[11] is not None else None,
        )
        for row in tx.execute(asked)
    ]


def _mac(store: Store, record: bytes, name: str) -> bytes:
    return keyed(store.lookup, b"attachment", record, name.encode())


class _HeldAlready(Exception):
    """These bytes lie there already, as this file."""

    def __init__(self, file: files.Held) -> None:
        super().__init__()
        self.file = file


class _Counted:
    """Chunks, counted and hashed on their way."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self.count, self.digest = chunks, 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.count += len(chunk)
            self.digest.update(chunk)
            yield chunk

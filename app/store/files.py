"""Files: what is attached to records. The same bytes lie once, for however many records have them.

The bytes are sealed under a secret of the file's own, which is wrapped under
the secret of each record that has it: the last of them takes it along. Each
record has a commitment of its own, so that neither the ledger nor what is left
of a disposed record says who else had the file.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from app.db import Tx
from app.records.errors import ArchiveError
from app.store.ledger import keyed
from app.store.sealing import derive, unseal_stream
from app.store.store import Store
from app.store.tables import attachments, objects, pieces, records, tombstones
from app.store.wrapping import open_file

_TRIED = 3
_ASKED = 50
"""How many records that should have the same bytes are asked for them, the newest first."""
_UNREADABLE = (
    ArchiveError, OSError, TypeError, AttributeError, ValueError, ArithmeticError, MemoryError
)  # fmt: skip
"""What is met where a file is lost or damaged, its disk fails, or nothing of ours wrote its row."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where a file's sealed bytes lie, and what they were sealed as: `file` and `wrapped`, or the attachment's own id."""

    attachment: bytes
    file: bytes | None
    wrapped: bytes | None
    digest: bytes
    place: int
    size: int


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is held already: its id, the secret that opens it, and where it lies."""

    file: bytes
    secret: bytes
    object: int
    place: int
    size: int


def content_mac(store: Store, digest: bytes) -> bytes:
    """What a file is found by, from the SHA-256 of its bytes."""
    return keyed(store.lookup, b"file", digest)


def context(file: bytes) -> bytes:
    """What a file's bytes are sealed as."""
    return b"stream/" + file


def commitment(secret: bytes, digest: bytes) -> bytes:
    """What the ledger says of a record's file: keyed with the record's secret, over the SHA-256 of its bytes."""
    return hashlib.sha256(b"piece-commit/v1\n" + derive(secret, b"piece") + digest).digest()


def opened(store: Store, secret: bytes, sealed: Sealed) -> Iterator[bytes]:
    """A file's bytes in chunks, with the secret of the record that has it.

    The read that reaches the end raises `SealBroken` if the file was cut.
    """
    if sealed.wrapped is None or sealed.file is None:
        own, name = secret, sealed.attachment
    else:
        own, name = open_file(secret, sealed.file, sealed.wrapped), sealed.file
    yield from unseal_stream(
        own, context(name), store.objects.stream(sealed.digest, sealed.place, sealed.size)
    )


def held(store: Store, digest: bytes) -> Held | None:
    """A file of these bytes that a living record has, if there is one: it was read to its end just now.

    One that cannot be read is passed over, whatever the reason: whoever has
    the bytes at hand keeps them once more, rather than to rely on it.
    """
    asked = (
        select(attachments.c.key)
        .where(  # of a record that was disposed of, none of these is left
            attachments.c.content_mac == content_mac(store, digest),
            attachments.c.file.is_not(None),
            attachments.c.wrapped.is_not(None),
        )
        .order_by(attachments.c.key.desc())
        .limit(_ASKED)
    )
    with store.database.read() as tx:
        keys = tx.execute(asked).scalars().all()
    tried: set[int] = set()
    for key in keys:
        if len(tried) == _TRIED:
            break
        with contextlib.suppress(*_UNREADABLE):
            found = _whole(store, key, digest, tried)
            if found is not None:
                return found
    return None


def _whole(store: Store, key: int, digest: bytes, tried: set[int]) -> Held | None:
    """The file of one attachment, if it gives these bytes; an object that was `tried` is not read again."""
    asked = (
        select(
            records.c.id.label("record"),
            attachments.c.id,
            attachments.c.file,
            attachments.c.wrapped,
            objects.c.digest,
            pieces.c.object,
            pieces.c.place,
            pieces.c.size,
        )
        .join(records, records.c.key == attachments.c.record)
        .join(pieces, pieces.c.key == attachments.c.piece)
        .join(objects, objects.c.key == pieces.c.object)
        .where(attachments.c.key == key)
    )
    with store.database.read() as tx:
        row = tx.execute(asked).first()
    if row is None or row.object in tried:
        return None
    tried.add(row.object)
    sealed = Sealed(row.id, row.file, row.wrapped, row.digest, row.place, row.size)
    secret, content = store.keyring.secret(row.record), hashlib.sha256()
    for chunk in opened(store, secret, sealed):
        content.update(chunk)
    if content.digest() != digest:
        return None
    return Held(row.file, open_file(secret, row.file, row.wrapped), row.object, row.place, row.size)


def lives(tx: Tx, file: bytes) -> bool:
    """Whether a record that was not disposed of has this file; nothing is added to one that nobody has."""
    asked = (
        select(attachments.c.key)
        .outerjoin(tombstones, tombstones.c.record == attachments.c.record)
        .where(attachments.c.file == file, tombstones.c.record.is_(None))
        .limit(1)
    )
    return tx.execute(asked).first() is not None

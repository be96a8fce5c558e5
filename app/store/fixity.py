"""Fixity: whether everything that is kept is still what it was, and everything agrees with everything else.

The quick check reads every object and every entry and compares rows with rows.
The full check opens every frame with the secrets that exist, and recomputes
every commitment down to the fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Select, select

from app.records.errors import IntegrityFailure
from app.store import access
from app.store.evidence import exchange_commitment, piece_commitment
from app.store.keyring import KeyMissing
from app.store.ledger import act_commitment
from app.store.reading import VERSION_COLUMNS, Frames, Opener, PieceRow, VersionRow, opened, version_row
from app.store.sealing import SealBroken, derive, unseal, unseal_stream
from app.store.statement import StatementBroken, check, unpack
from app.store.store import Store
from app.store.tables import (
    acts,
    attachments,
    entries,
    exchanges,
    objects,
    pieces,
    records,
    tombstones,
    versions,
)

_PART = 5_000
_MOST = 1_000
_layout_decoder = msgspec.msgpack.Decoder(list[tuple[int, int, int]])


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was, where, and what to do next."""

    code: str
    what: str
    where: str
    next: str

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what, "where": self.where, "next": self.next}


_RESTORE = "Keep this copy as evidence, and restore the newest backup."


@dataclass(slots=True)
class Checked:
    """What was looked at, and what was found; findings beyond a thousand are counted only."""

    checked: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    def count(self, what: str, number: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + number

    def find(self, code: str, what: str, where: str, next: str = _RESTORE) -> None:
        if len(self.findings) < _MOST:
            self.findings.append(Finding(code, what, where, next))
        else:
            self.more += 1


def verify(store: Store, *, full: bool, progress: Callable[[str, int], None] | None = None) -> Checked:
    """Check the store; `full` opens everything."""
    told = Checked()
    progress = progress or (lambda _what, _number: None)
    _objects(store, told, progress)
    _ledger(store, told)
    _entries(store, told, progress)
    _keyring(store, told)
    with store.database.read() as tx:
        for day in access.check_days(tx):
            told.find("access-log-altered", "the accesses of a day no longer give its digest", day)
        told.count("access_days")
    if full:
        _versions(store, told, progress)
        _pieces(store, told, progress)
        _exchanges(store, told)
        _acts(store, told)
        _attachments(store, told)
    return told


# -- the quick check ---------------------------------------------------------------------------------------


def _objects(store: Store, told: Checked, progress: Callable[[str, int], None]) -> None:
    """1. Every object that rows speak of is there and holds what its name says."""
    for number, (digest,) in enumerate(
        _all(store, select(objects.c.digest).order_by(objects.c.key)), start=1
    ):
        try:
            store.objects.check(bytes(digest))
        except IntegrityFailure as error:
            told.find(error.code, str(error), bytes(digest).hex())
        told.count("objects")
        progress("objects", number)


def _ledger(store: Store, told: Checked) -> None:
    """2. The entries give the tree that every checkpoint ever signed speaks of."""
    for wrong in store.ledger.verify():
        told.find("ledger-broken", wrong, store.ledger.origin)
    with store.database.read() as tx:
        told.count("entries", store.ledger.size(tx))


def _entries(store: Store, told: Checked, progress: Callable[[str, int], None]) -> None:
    """3. Every version has its own entry, and no capture entry stands without its version."""
    asked = (
        select(versions.c.entry, versions.c.number, records.c.id, entries.c.body)
        .join(records, records.c.key == versions.c.record)
        .outerjoin(entries, entries.c.index == versions.c.entry)
        .order_by(versions.c.entry)
    )
    count = 0
    for entry, number, identity, body in _all(store, asked):
        count += 1
        expected = b'"item":"%b"' % bytes(identity).hex().encode()
        if (
            body is None
            or expected not in bytes(body)
            or not bytes(body).endswith(b'"type":"capture","v":1,"ver":%d}' % number)
        ):
            told.find(
                "version-without-entry",
                f"version {number} does not match entry {entry}",
                bytes(identity).hex(),
            )
        if count % 10_000 == 0:
            progress("versions", count)
    told.count("versions", count)
    with store.database.read() as tx:
        size = store.ledger.size(tx)
    captures = sum(1 for body in store.ledger.bodies(0, size) if b'"type":"capture"' in body)
    if captures != count and not any(finding.code == "version-without-entry" for finding in told.findings):
        told.find(
            "entry-without-version",
            f"{captures} capture entries of {size}, but {count} versions",
            store.ledger.origin,
        )


def _keyring(store: Store, told: Checked) -> None:
    """4. Every record that was not disposed of has its secret."""
    asked = (
        select(records.c.id)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None))
        .order_by(records.c.id)
    )
    held = iter(store.keyring.owners())
    owner = next(held, None)
    count = 0
    for (identity,) in _all(store, asked):
        count += 1
        wanted = bytes(identity)
        while owner is not None and owner < wanted:
            owner = next(held, None)
        if owner != wanted:
            told.find(
                "key-missing",
                "a record's secret is not in the keyring",
                wanted.hex(),
                "Restore the newest key backup.",
            )
    told.count("records", count)


# -- the full check ----------------------------------------------------------------------------------------


def _versions(store: Store, told: Checked, progress: Callable[[str, int], None]) -> None:
    """5. Every version opens, states its fields, and gives the commitment that its entry holds."""
    asked = (
        select(*VERSION_COLUMNS, entries.c.body)
        .join(records, records.c.key == versions.c.record)
        .join(objects, objects.c.key == versions.c.object)
        .join(entries, entries.c.index == versions.c.entry)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None))
        .order_by(versions.c.entry)
    )
    frames = Frames(store.objects)
    count = 0
    for part in _parts(_all(store, asked)):
        rows = [(version_row(row), bytes(row[-1])) for row in part]
        secrets = store.keyring.secrets(row.record_id for row, _ in rows)
        for row, body in rows:
            _version(told, frames, secrets.get(row.record_id), row, body)
        count += len(rows)
        progress("versions opened", count)
    told.count("versions_opened", count)


def _version(told: Checked, frames: Frames, secret: bytes | None, row: VersionRow, body: bytes) -> None:
    where = f"{row.record_id.hex()} version {row.number}"
    if secret is None:
        return
    try:
        statement = unpack(secret, opened(frames, secret, row), row.number)
        check(secret, statement, row.number)
    except (SealBroken, StatementBroken, IntegrityFailure, msgspec.MsgspecError) as error:
        told.find(getattr(error, "code", "statement-broken"), str(error), where)
        return
    if b'"c":"%b"' % statement.commitment.hex().encode() not in body:
        told.find("commitment-mismatch", "the statement is not the one that the ledger committed", where)


def _pieces(store: Store, told: Checked, progress: Callable[[str, int], None]) -> None:
    """6. Every piece of evidence opens and gives its commitment."""
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
            pieces.c.size,
            attachments.c.key,
            tombstones.c.record,
        )
        .join(objects, objects.c.key == pieces.c.object)
        .outerjoin(attachments, attachments.c.piece == pieces.c.key)
        .outerjoin(tombstones, tombstones.c.record == pieces.c.record)
        .order_by(pieces.c.key)
    )
    frames = Frames(store.objects)
    count = 0
    for part in _parts(_all(store, asked)):
        rows = [
            PieceRow(
                row[0], row[1], row[2], row[3], bytes(row[4]), row[5], bytes(row[6]), row[7], row[8], row[9]
            )
            for row in part
            if row[10] is None and row[11] is None
        ]
        with store.database.read() as tx:
            owners = Opener(tx, store.keyring).owners(rows)
        for row in rows:
            _piece(told, frames, owners[row.key], row)
        count += len(rows)
        progress("pieces opened", count)
    told.count("pieces_opened", count)


def _piece(told: Checked, frames: Frames, owner: tuple[bytes, bytes] | None, row: PieceRow) -> None:
    if owner is None:
        if row.circle is None:
            told.find(
                "key-missing",
                "the secret of a piece of evidence is not in the keyring",
                f"piece {row.key}",
                "Restore the newest key backup.",
            )
        return
    identity, secret = owner
    try:
        content = unseal(
            secret,
            b"piece/" + identity + row.commitment,
            frames.read(row.digest, row.object_size, row.place, row.size),
        )
    except IntegrityFailure as error:
        told.find(error.code, str(error), f"piece {row.key}")
        return
    if len(content) != row.length or piece_commitment(derive(secret, b"piece"), content) != row.commitment:
        told.find(
            "commitment-mismatch", "a piece of evidence is not the one that was committed", f"piece {row.key}"
        )


def _exchanges(store: Store, told: Checked) -> None:
    """7. Every exchange is made of the pieces that its entry commits to."""
    asked = (
        select(exchanges.c.id, exchanges.c.envelope, exchanges.c.layout, entries.c.body)
        .join(entries, entries.c.index == exchanges.c.entry)
        .order_by(exchanges.c.key)
    )
    for identity, envelope, layout, body in _all(store, asked):
        refs = _layout_decoder.decode(bytes(layout))
        wanted = sorted({envelope, *(piece for piece, _, _ in refs)} - {0})
        commitments: dict[int, bytes] = {0: bytes(32)}
        with store.database.read() as tx:
            for start in range(0, len(wanted), 500):
                asked_pieces = select(pieces.c.key, pieces.c.commitment).where(
                    pieces.c.key.in_(wanted[start : start + 500])
                )
                commitments |= {key: bytes(commitment) for key, commitment in tx.execute(asked_pieces)}
        found = None
        if commitments.keys() >= {envelope, *(piece for piece, _, _ in refs)}:
            found = exchange_commitment(
                commitments[envelope], ((commitments[piece], start, length) for piece, start, length in refs)
            )
        if found is None or b'"c":"%b"' % found.hex().encode() not in bytes(body):
            told.find(
                "commitment-mismatch",
                "an exchange is not made of what the ledger committed",
                bytes(identity).hex(),
            )
        told.count("exchanges")


def _acts(store: Store, told: Checked) -> None:
    """8. Every act opens and gives the commitment that its entry holds."""
    asked = (
        select(acts.c.entry, acts.c.secret, acts.c.sealed, entries.c.body)
        .join(entries, entries.c.index == acts.c.entry)
        .order_by(acts.c.entry)
    )
    for part in _parts(_all(store, asked)):
        secrets = store.keyring.secrets(bytes(row[1]) for row in part)
        for entry, owner, sealed, body in part:
            try:
                secret = secrets[bytes(owner)]
                text = unseal(secret, b"act", bytes(sealed))
            except KeyError:
                told.find(
                    "key-missing",
                    "the secret of an act is not in the keyring",
                    f"entry {entry}",
                    "Restore the newest key backup.",
                )
                continue
            except SealBroken as error:
                told.find(error.code, str(error), f"entry {entry}")
                continue
            if b'"c":"%b"' % act_commitment(secret, text).hex().encode() not in bytes(body):
                told.find(
                    "commitment-mismatch", "an act is not the one that the ledger committed", f"entry {entry}"
                )
        told.count("acts", len(part))


def _attachments(store: Store, told: Checked) -> None:
    """9. Every attachment opens to its end and gives its commitment."""
    asked = (
        select(
            attachments.c.id,
            records.c.id,
            pieces.c.commitment,
            objects.c.digest,
            pieces.c.place,
            pieces.c.size,
        )
        .join(records, records.c.key == attachments.c.record)
        .join(pieces, pieces.c.key == attachments.c.piece)
        .join(objects, objects.c.key == pieces.c.object)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None))
        .order_by(attachments.c.key)
    )
    for identity, record, commitment, digest, place, size in _all(store, asked):
        content = hashlib.sha256()
        try:
            secret = store.keyring.secret(bytes(record))
            for chunk in unseal_stream(
                secret, b"stream/" + bytes(identity), store.objects.stream(bytes(digest), place, size)
            ):
                content.update(chunk)
        except (IntegrityFailure, KeyMissing) as error:
            told.find(error.code, str(error), f"attachment {bytes(identity).hex()}")
            continue
        if hashlib.sha256(
            b"piece-commit/v1\n" + derive(secret, b"piece") + content.digest()
        ).digest() != bytes(commitment):
            told.find(
                "commitment-mismatch",
                "an attachment is not the one that was committed",
                f"attachment {bytes(identity).hex()}",
            )
        told.count("attachments")


# -- reading everything in bounded memory ------------------------------------------------------------------


def _all(store: Store, asked: Select[Any]) -> Iterator[Any]:
    with store.database.read() as tx:
        yield from tx.execution_options(yield_per=_PART).execute(asked)


def _parts(rows: Iterator[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == _PART:
            yield part
            part = []
    if part:
        yield part

"""What the index follows: the ledger's capture entries, opened into documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select

from app.capture import attachments, pages
from app.capture.attachments import AttachmentRow
from app.db import Tx, from_instant
from app.index import passages
from app.index.attached import Attached
from app.index.documents import Change, Document
from app.index.keys import Keys
from app.index.passages import Reading
from app.index.readings import Readings
from app.records.errors import IntegrityFailure
from app.records.nouns import Page
from app.store.reading import VERSION_COLUMNS, Frames, VersionRow, fields, version_row
from app.store.store import Store
from app.store.tables import entries, objects, records, tombstones, versions

_ASK = 500
_ENTRIES = 5_000
_ATTACHMENT = b'"type":"attachment"'


class LedgerSource:
    """Reads what has changed since an entry; content whose secret is gone is not there."""

    def __init__(self, store: Store, readings: Readings | None = None) -> None:
        self.store = store
        self.readings = readings or Readings(store)
        self.frames = Frames(store.objects)
        self._files: list[_File] = []
        self._looked = (0, 0)
        self._began = self._reached = -1
        self._told = Keys()
        self._pages: dict[int, Page] = {}
        self._disposed = Keys()

    def size(self) -> int:
        """How many entries the ledger has."""
        with self.store.database.read() as tx:
            return self.store.ledger.size(tx)

    def read(self, after: int, limit: int) -> Sequence[Change]:
        """The next records that changed after entry `after`, each with all its versions so far, in the order of the ledger.

        A record changes with a version, and when an attachment of it is kept.
        """
        with self.store.database.read() as tx:
            size = self.store.ledger.size(tx)
            if after < self._reached or self._began < 0:
                self._told, self._began = Keys(), size
            self._look(tx, after + 1, size)
            asked = _versions().where(versions.c.entry > after).order_by(versions.c.entry).limit(limit)
            rows = tx.execute(asked).all()
            reached = rows[-1][3] if len(rows) == limit else size - 1
            late = [one for one in self._files if after < one.entry <= reached]
            if len(late) > limit:
                reached = late[limit - 1].entry
                late, rows = late[:limit], [row for row in rows if row[3] <= reached]
            upto = {row[0]: row[3] for row in rows}
            for record, entry in self._of(tx, late):
                if entry >= self._began or record not in self._told:
                    upto[record] = max(entry, upto.get(record, -1))
            single = {row[0]: [row] for row in rows if row[-1] == 1}
            others = sorted(upto.keys() - single.keys())
            opened = self._opened(tx, single | _by_record(tx, _versions(), others))
        changes = [
            Change(upto=upto[record], record=record, documents=tuple(opened.documents(record)))
            for record in sorted(upto, key=lambda record: upto[record])
        ]
        self._told, self._reached = self._told | Keys.of(upto), reached
        return changes

    def of(self, keys: Iterable[int]) -> Iterator[Sequence[Document]]:
        """All versions of each of these records in their order; what was disposed of is left out."""
        wanted = iter(keys)
        while part := list(islice(wanted, _ASK)):
            with self.store.database.read() as tx:
                opened = self._living(tx, part)
            yield from opened.every()

    def within(self, tx: Tx, keys: Sequence[int]) -> Iterator[Sequence[Document]]:
        """The same as `tx` sees it: also what it wrote itself, and nothing that was written after it began.

        No attachment is read here that was not read before: nobody else may
        write while `tx` does. What was not, is said to lack (`not_read`).
        """
        for start in range(0, len(keys), _ASK):
            yield from self._living(tx, list(keys[start : start + _ASK])).every(waits=True)

    def changed(self, size: int) -> tuple[Keys, Keys]:
        """Of which records entries from `size` on speak: those that were captured before, and those that are new since."""
        with self.store.database.read() as tx:
            asked = select(versions.c.record).where(versions.c.entry >= size)
            new = _keys(tx, asked.where(versions.c.number == 1))
            self._look(tx, size, self.store.ledger.size(tx))
            late = Keys.of(key for key, _ in self._of(tx, [one for one in self._files if one.entry >= size]))
            return (_keys(tx, asked.where(versions.c.number > 1)) | late) - new, new

    def disposed(self) -> Keys:
        """The records that were disposed of; the index may hold some of them until it is purged."""
        with self.store.database.read() as tx:
            number = tx.execute(select(func.count()).select_from(tombstones)).scalar_one()
            if number != len(self._disposed):  # a tombstone stays for good, so their number tells
                self._disposed = _keys(tx, select(tombstones.c.record))
            return self._disposed

    # -- attachments -----------------------------------------------------------------------------------

    def _look(self, tx: Tx, start: int, size: int) -> None:
        """Know of every attachment that was kept at entries from `start` on: the ledger says so, and no row does."""
        first, last = self._looked
        if not first <= start <= last:
            self._files, first, last = [], start, start
        for low in range(last, size, _ENTRIES):
            asked = select(entries.c.index, entries.c.body).where(
                entries.c.index >= low, entries.c.index < min(low + _ENTRIES, size)
            )
            for index, body in tx.execute(asked.order_by(entries.c.index)):
                if _ATTACHMENT in body:
                    told = msgspec.json.decode(body, type=_Kept)
                    self._files.append(_File(index, bytes.fromhex(told.item), bytes.fromhex(told.attachment)))
        self._looked = (first, max(last, size))

    def _of(self, tx: Tx, files: Sequence[_File]) -> Iterator[tuple[int, int]]:
        """The keys of the records that these attachments belong to, each with the last entry of its own."""
        last = {file.record: file.entry for file in files}
        wanted = sorted(last)
        for start in range(0, len(wanted), _ASK):
            asked = select(records.c.key, records.c.id).where(records.c.id.in_(wanted[start : start + _ASK]))
            for key, identity in tx.execute(asked):
                yield key, last[bytes(identity)]

    # -- opening ---------------------------------------------------------------------------------------

    def _living(self, tx: Tx, keys: Sequence[int]) -> _Opened:
        return self._opened(tx, _by_record(tx, _versions().where(tombstones.c.record.is_(None)), keys))

    def _opened(self, tx: Tx, told: Mapping[int, Sequence[Any]]) -> _Opened:
        """These versions with all that is needed to open them."""
        self._learn(tx, {rows[0][-3] for rows in told.values()})
        files = attachments.of_records(tx, sorted(told))
        secrets = self.store.keyring.secrets(bytes(rows[0][1]) for rows in told.values())
        entered = {file.attachment: file.entry for file in self._files}
        return _Opened(self, told, files, secrets, entered)

    def _learn(self, tx: Tx, keys: Iterable[int]) -> None:
        if any(key not in self._pages for key in keys):
            self._pages = {page.key: page for page in pages.listed(tx)}

    def _document(self, row: Any, secret: bytes, reading: Reading) -> Document:
        version: VersionRow = version_row(row)
        found = fields(self.frames, secret, version)
        beside, lacks = passages.of(found, reading)
        page = self._pages[row[-3]]
        kind, published, private, received = row[len(VERSION_COLUMNS) : len(VERSION_COLUMNS) + 4]
        text, language = found.get("text"), found.get("language")
        return Document(
            record=version.record,
            version=version.number,
            entry=version.entry,
            page=str(page.id),
            page_name=page.name,
            platform=page.platform,
            kind=kind,
            author=tuple(
                str(found[name]) for name in ("author_id", "author_name", "author_handle") if found.get(name)
            ),
            state=version.state,
            published_at=from_instant(published) if published is not None else None,
            captured_at=from_instant(version.observed_at),
            text=text if isinstance(text, str) else "",
            language=language if isinstance(language, str) else None,
            media=bool(found.get("attachments")),
            private=bool(private),
            origin="received" if received else "captured",
            passages=beside,
            lacks=lacks,
        )


@dataclass(frozen=True, slots=True)
class _Opened:
    """Versions of records, with the secrets that still exist and what is held of their attachments."""

    source: LedgerSource
    told: Mapping[int, Sequence[Any]]
    files: Mapping[tuple[bytes, bytes], AttachmentRow]
    secrets: Mapping[bytes, bytes]
    entered: Mapping[bytes, int]

    def every(self, *, waits: bool = False) -> Iterator[Sequence[Document]]:
        """The records that can still be opened, in the order of their keys."""
        for record in sorted(self.told):
            documents = self.documents(record, waits=waits)
            if documents:
                yield documents

    def documents(self, record: int, *, waits: bool = False) -> Sequence[Document]:
        """All versions of a record; none where it was disposed of. With `waits` no attachment is read anew."""
        rows = self.told[record]
        identity = bytes(rows[0][1])
        secret = self.secrets.get(identity)
        if rows[0][-2] is not None or secret is None:
            return ()
        read: dict[UUID, Attached] = {}

        def reading(name: str, media_type: str, called: str) -> tuple[UUID, Attached, int] | str:
            row = self.files.get((identity, attachments.named(self.source.store, identity, name)))
            if row is None or row.state != attachments.KEPT or row.digest is None:
                return "not_kept"
            if row.id not in read:
                found = self._read(row, secret, media_type, called, waits=waits)
                if found is None:
                    return "not_read"
                read[row.id] = found
            return row.id, read[row.id], self.entered.get(row.id.bytes, 0)

        return [self.source._document(row, secret, reading) for row in rows]  # noqa: SLF001 - two halves of one room

    def _read(
        self, row: AttachmentRow, secret: bytes, media_type: str, called: str, *, waits: bool
    ) -> Attached | None:
        readings = self.source.readings
        if waits:
            return readings.known(row, secret)
        try:
            return readings.read(row, secret, media_type, called)
        except IntegrityFailure:  # fixity finds it and says so; here its words are missing, and nothing else
            return Attached(lacks="unreadable")


class _File(NamedTuple):
    """An attachment that was kept: at which entry, of which record, and its id."""

    entry: int
    record: bytes
    attachment: bytes


class _Kept(msgspec.Struct):
    """What an entry says of an attachment that was kept."""

    item: str
    attachment: str


def _by_record(tx: Tx, asked: Any, keys: Sequence[int]) -> dict[int, list[Any]]:
    """All versions of each of these records, in their order."""
    found: dict[int, list[Any]] = {}
    for start in range(0, len(keys), _ASK):
        part = asked.where(versions.c.record.in_(list(keys[start : start + _ASK])))
        for row in tx.execute(part.order_by(versions.c.record, versions.c.number)):
            found.setdefault(row[0], []).append(row)
    return found


def _keys(tx: Tx, asked: Select[Any]) -> Keys:
    return Keys.of(key for (key,) in tx.execute(asked.execution_options(yield_per=10_000)))


def _versions() -> Any:
    return (
        select(
            *VERSION_COLUMNS,
            records.c.kind,
            records.c.published_at,
            records.c.private,
            records.c.received,
            records.c.page,
            tombstones.c.record,
            records.c.version,
        )
        .join(records, records.c.key == versions.c.record)
        .join(objects, objects.c.key == versions.c.object)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
    )


def identities(tx: Tx, keys: Sequence[int]) -> list[UUID]:
    """The public ids of records, in the order of their keys as given."""
    found: dict[int, UUID] = {}
    for start in range(0, len(keys), _ASK):
        asked = select(records.c.key, records.c.id).where(records.c.key.in_(list(keys[start : start + _ASK])))
        found |= {key: UUID(bytes=bytes(identity)) for key, identity in tx.execute(asked)}
    return [found[key] for key in keys if key in found]


def digest(tx: Tx, keys: Iterable[int]) -> str:
    """SHA-256 over the ids of records: in small letters, sorted, each followed by a line feed."""
    hashed = hashlib.sha256()
    for identity in sorted(identity.bytes for identity in identities(tx, list(keys))):
        hashed.update(f"{UUID(bytes=identity)}\n".encode())
    return hashed.hexdigest()

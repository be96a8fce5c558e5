"""What the index follows: the ledger's capture entries, opened into documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.capture import pages
from app.db import Tx, from_instant
from app.index.documents import Change, Document
from app.index.keys import Keys
from app.records.nouns import Page
from app.store.reading import VERSION_COLUMNS, Frames, VersionRow, fields, version_row
from app.store.store import Store
from app.store.tables import objects, records, tombstones, versions

_ASK = 500


class LedgerSource:
    """Reads what has changed since an entry; content whose secret is gone is not there."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.frames = Frames(store.objects)
        self._pages: dict[int, Page] = {}
        self._disposed = Keys()

    def size(self) -> int:
        """How many entries the ledger has."""
        with self.store.database.read() as tx:
            return self.store.ledger.size(tx)

    def read(self, after: int, limit: int) -> Sequence[Change]:
        """The next records that changed after entry `after`, each with all its versions so far, in the order of the ledger."""
        with self.store.database.read() as tx:
            asked = _versions().where(versions.c.entry > after).order_by(versions.c.entry).limit(limit)
            rows = tx.execute(asked).all()
            if not rows:
                return []
            several = sorted({row[0] for row in rows if row[-1] > 1})
            earlier: dict[int, list[Any]] = {}
            for start in range(0, len(several), _ASK):
                more = (
                    _versions()
                    .where(versions.c.record.in_(several[start : start + _ASK]))
                    .order_by(versions.c.number)
                )
                for row in tx.execute(more):
                    earlier.setdefault(row[0], []).append(row)
            self._learn(tx, {row[-3] for row in rows})
        secrets = self.store.keyring.secrets(bytes(row[1]) for row in rows)
        last = {row[0]: place for place, row in enumerate(rows)}
        changes = []
        for place, row in enumerate(rows):
            if last[row[0]] != place:
                continue
            secret = secrets.get(bytes(row[1]))
            gone = row[-2] is not None or secret is None
            told = () if gone else tuple(self._document(one, secret) for one in earlier.get(row[0], [row]))
            changes.append(Change(upto=row[3], record=row[0], documents=told))
        return changes

    def of(self, keys: Iterable[int]) -> Iterator[Sequence[Document]]:
        """All versions of each of these records in their order; what was disposed of is left out."""
        wanted = iter(keys)
        while part := list(islice(wanted, _ASK)):
            with self.store.database.read() as tx:
                asked = _versions().where(versions.c.record.in_(part), tombstones.c.record.is_(None))
                rows = tx.execute(asked.order_by(versions.c.record, versions.c.number)).all()
                self._learn(tx, {row[-3] for row in rows})
            secrets = self.store.keyring.secrets(bytes(row[1]) for row in rows)
            for _, of_record in groupby(rows, key=lambda row: row[0]):
                told = [(row, secrets.get(bytes(row[1]))) for row in of_record]
                found = [self._document(row, secret) for row, secret in told if secret is not None]
                if found:
                    yield found

    def changed(self, size: int) -> tuple[Keys, Keys]:
        """Of which records entries from `size` on speak: those that were captured before, and those that are new since."""
        with self.store.database.read() as tx:
            asked = select(versions.c.record).where(versions.c.entry >= size)
            new = _keys(tx, asked.where(versions.c.number == 1))
            return _keys(tx, asked.where(versions.c.number > 1)) - new, new

    def disposed(self) -> Keys:
        """The records that were disposed of; the index may hold some of them until it is purged."""
        with self.store.database.read() as tx:
            number = tx.execute(select(func.count()).select_from(tombstones)).scalar_one()
            if number != len(self._disposed):  # a tombstone stays for good, so their number tells
                self._disposed = _keys(tx, select(tombstones.c.record))
            return self._disposed

    def _learn(self, tx: Tx, keys: Iterable[int]) -> None:
        if any(key not in self._pages for key in keys):
            self._pages = {page.key: page for page in pages.listed(tx)}

    def _document(self, row: Any, secret: bytes | None) -> Document:
        version: VersionRow = version_row(row)
        found = fields(self.frames, secret or b"", version)
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
        )


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

"""The archive as an OCFL storage root: one object a record, one a page, and one for the archive itself.

An object holds all of a record and nothing of another, because the record is
the unit of disposal: whoever received the export carries out a schedule by
removing whole objects. What several records share in one answer (the listing
around them, a user named twice) is told by its place and not carried; whole
answers leave as WACZ.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from sqlalchemy import select

from app.db import Tx, from_instant
from app.records.clock import iso
from app.records.errors import IntegrityFailure
from app.store import anchors, proofs, warc
from app.store.ledger import DISPOSED_WITH, act_words
from app.store.outgoing import ocfl, walk
from app.store.outgoing.folder import Going
from app.store.outgoing.readme import OCFL as README
from app.store.outgoing.telling import (
    AsOf,
    AttachmentTold,
    PageTold,
    RecordTold,
    Teller,
    TombstoneTold,
    VersionTold,
)
from app.store.reading import layout_of, open_pieces
from app.store.store import Store
from app.store.tables import (
    acts,
    checkpoints,
    exchanges,
    gaps,
    manifests,
    pages,
    pieces,
    runs,
    stated,
    tombstones,
)
from app.store.tables import anchors as anchor_rows
from app.store.tables import records as record_rows
from app.store.tables import versions as version_rows

Progress = Callable[[str, int], None]
_SEEN = 256
_EXTENSIONS = {
    "application/pdf": ".pdf",
    "audio/mpeg": ".mp3",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "text/html": ".html",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}


class NotAsWritten(IntegrityFailure):
    """What stands in the export is not what was written there."""

    code = "not-as-written"


@dataclass(slots=True)
class Tally:
    """What an export holds."""

    records: int = 0
    versions: int = 0
    attachments: int = 0
    tombstones: int = 0
    pages: int = 0

    def add(self, other: Mapping[str, int]) -> None:
        """Count what another tally counted as well, but for the pages."""
        self.records += other["records"]
        self.versions += other["versions"]
        self.attachments += other["attachments"]
        self.tombstones += other["tombstones"]

    def as_dict(self) -> dict[str, int]:
        return {
            "records": self.records,
            "versions": self.versions,
            "attachments": self.attachments,
            "tombstones": self.tombstones,
            "pages": self.pages,
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """An exchange as far as it is told beside a record: where its bytes lie, and how it came about."""

    id: UUID
    entry: int
    kind: str
    at: int
    status: int
    envelope: bytes | None
    layout: list[tuple[int, int, int]]


def archive_id(store: Store) -> str:
    """The id of the archive's own object: a UUID (version 5) of the ledger's origin, so that it is always the same."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, store.agency.origin)}"


@dataclass(slots=True)
class Custody:
    """Writes the storage root."""

    store: Store
    teller: Teller
    going: Going
    as_of: AsOf
    software: str
    progress: Progress
    _shown: OrderedDict[int, Shown] = field(default_factory=OrderedDict)

    def write(self) -> tuple[Tally, str]:
        """Write what is not there yet; return what the export holds and the SHA-256 of the inventory that seals it."""
        ocfl.lay_root(self.going.folder)
        told = walk.pages_of(self.store, [UUID(one) for one in self.going.scope.pages])
        done = 0
        for page in told:
            for keys in walk.record_keys(self.store, page, self.as_of):
                self._records(keys)
                done += len(keys)
                self.progress("records", done)
        for page in told:
            self._page(page)
        tally = self._archive(told)
        (self.going.folder / "README.md").write_text(
            README.format(
                agency=self.store.agency.name,
                size=self.as_of.size,
                at=iso(self.as_of.at),
                archive=ocfl.place(archive_id(self.store)),
                messages="are in it"
                if self.going.scope.messages
                else "are not in it, whether there are any or not",
                scope="all pages of the archive"
                if not self.going.scope.pages
                else "these pages: " + ", ".join(page.name for page in told),
            ),
            encoding="utf-8",
        )
        sealed = self.going.folder / ocfl.place(archive_id(self.store)) / "inventory.json"
        return tally, hashlib.sha256(sealed.read_bytes()).hexdigest()

    # -- records -------------------------------------------------------------------------------------------

    def _records(self, keys: list[int]) -> None:
        with self.store.database.read() as tx:
            for told in self.teller.records(tx, keys, self.as_of, messages=self.going.scope.messages):
                if self.going.resumed and self._stands(told):
                    continue
                if isinstance(told, TombstoneTold):
                    self._tombstone(told)
                else:
                    self._record(tx, told)

    def _stands(self, told: RecordTold | TombstoneTold) -> bool:
        """Whether an earlier run made this object, whole, and the record has not been disposed of since."""
        there = ocfl.whole(self.going.folder, _urn(told.id))
        if there is None:
            return False
        if isinstance(told, TombstoneTold):
            return there.files.keys() == {"tombstone.json"}
        return there.head == f"v{len(told.versions)}"

    def _record(self, tx: Tx, told: RecordTold) -> None:
        """One version of the object for each version of the record."""
        draft = self._draft(_urn(told.id))
        own = set(tx.execute(select(pieces.c.key).where(pieces.c.record == told.key)).scalars())
        showing = self._showing(tx, told)
        placed: set[str] = set()
        for version in told.versions:
            files = {_name(one): one for one in version.attachments}
            carried = sorted(placed & files.keys())
            placed |= files.keys()
            with draft.version(
                created=iso(version.observed_at), message=_message(version), carried=carried, first="proof"
            ) as content:
                ocfl.write_json(content / "record.json", dict(version.json))
                proofs.write(
                    self.store,
                    tx,
                    told.id,
                    content / "proof",
                    number=version.number,
                    signed=self.as_of.size,
                    verifiers=False,
                )
                for one in showing.get(version.number, []):
                    self._evidence(tx, content / "evidence", one, own)
                if version.listed:
                    ocfl.write_json(content / "attachments.json", _listed(version))
                for name, attached in files.items():
                    if name not in carried:
                        _stream(content / name, attached)
                if version is told.versions[-1] and told.counts:
                    ocfl.write_json(content / "counts.json", [dict(one) for one in told.counts])
        draft.put(self.going.folder)

    def _showing(self, tx: Tx, told: RecordTold) -> dict[int, list[int]]:
        """By version, the exchanges that show it; others that hold bytes of the record stand with the newest."""
        asked = select(version_rows.c.exchange, version_rows.c.number).where(
            version_rows.c.record == told.key, version_rows.c.entry < self.as_of.size
        )
        by_exchange: dict[int, int] = {}
        found: dict[int, list[int]] = {}
        for exchange, number in tx.execute(asked.order_by(version_rows.c.number)):
            by_exchange[exchange] = number
            found.setdefault(number, []).append(exchange)
        for exchange in warc.exchanges_of(tx, told.key):
            if exchange not in by_exchange and self._shown_by(tx, exchange).entry < self.as_of.size:
                found.setdefault(told.versions[-1].number, []).append(exchange)
        return found

    def _shown_by(self, tx: Tx, key: int) -> Shown:
        known = self._shown.get(key)
        if known is None:
            row = tx.execute(select(exchanges).where(exchanges.c.key == key)).one()
            envelope = open_pieces(self.store, tx, [row.envelope]).get(row.envelope)
            known = self._shown[key] = Shown(
                id=UUID(bytes=bytes(row.id)),
                entry=row.entry,
                kind=row.kind,
                at=row.at,
                status=row.status,
                envelope=envelope,
                layout=layout_of(tx, row.layout, row.alike),
            )
            if len(self._shown) > _SEEN:
                self._shown.popitem(last=False)
        return known

    def _evidence(self, tx: Tx, folder: Path, key: int, own: set[int]) -> None:
        """The record's own bytes in an exchange, joined, and where in the body each run of them stood."""
        told = self._shown_by(tx, key)
        content = open_pieces(self.store, tx, own & {piece for piece, _, _ in told.layout})
        ranges, parts, place, joined = [], [], 0, 0
        for piece, start, length in told.layout:
            if piece in content:
                ranges.append({"start": place, "end": place + length, "from": joined, "to": joined + length})
                parts.append(content[piece][start : start + length])
                joined += length
            place += length
        folder = folder / str(told.id)
        folder.mkdir(parents=True)
        if parts:
            (folder / "bytes").write_bytes(b"".join(parts))
        ocfl.write_json(
            folder / "exchange.json",
            {
                "exchange": str(told.id),
                "ledger_entry": told.entry,
                "kind": told.kind,
                "at": iso(from_instant(told.at)),
                "status": told.status,
                "body_bytes": place,
                "own": ranges,
                "envelope": msgspec.json.decode(told.envelope) if told.envelope is not None else None,
            },
        )

    def _tombstone(self, told: TombstoneTold) -> None:
        draft = self._draft(_urn(told.id))
        with draft.version(
            created=iso(told.at), message="disposed of; only the tombstone is left"
        ) as content:
            ocfl.write_json(content / "tombstone.json", dict(told.json))
        draft.put(self.going.folder)

    # -- pages and the archive -----------------------------------------------------------------------------

    def _page(self, page: PageTold) -> None:
        draft = self._draft(_urn(page.id))
        with (
            self.store.database.read() as tx,
            draft.version(created=iso(self.as_of.at), message=f"the page {page.name} as it stood") as content,
        ):
            for name, told in self.teller.page(tx, page, self.as_of).items():
                ocfl.write_json(content / name, told)
        draft.put(self.going.folder)

    def _archive(self, told: list[PageTold]) -> Tally:
        """The archive's own object, made last: the catalog in it has the digest of every other object's inventory."""
        draft = self._draft(archive_id(self.store), "archive")
        with draft.version(created=iso(self.as_of.at), message="the archive as it stood") as content:
            tally = Tally(pages=len(told))
            _lines(content / "catalog.jsonl", self._catalog(told, tally))
            (content / "ledger").mkdir()
            self._ledger(content / "ledger")
            _lines(content / "runs.jsonl", self._runs(told))
            _lines(content / "gaps.jsonl", self._gaps(told))
            _lines(content / "manifests.jsonl", self._manifests(told))
            (content / "verify").mkdir()
            for file in proofs.means():
                shutil.copyfile(file, content / "verify" / file.name)
            agency = self.store.agency
            ocfl.write_json(
                content / "archive.json",
                {
                    "agency": agency.name,
                    "domain": agency.domain,
                    "timezone": agency.timezone,
                    "origin": agency.origin,
                    "as_of": {"entries": self.as_of.size, "signed_at": iso(self.as_of.at)},
                    "holds": tally.as_dict(),
                    "private_messages": self.going.scope.messages,
                    "pages": [
                        {"id": str(one.id), "name": one.name, "platform": one.platform} for one in told
                    ],
                    "software": self.software,
                },
            )
        draft.put(self.going.folder)
        return tally

    def _catalog(self, told: list[PageTold], tally: Tally) -> Iterator[Mapping[str, object]]:
        """A line for each object: what it is, where it stands, the SHA-512 of its inventory."""
        for page in told:
            yield self._line("page", page.id, page.id, self._inventory(page.id))
        done = 0
        for page in told:
            for keys in walk.record_keys(self.store, page, self.as_of):
                for identity, gone in self._identities(keys):
                    there = self._inventory(identity)
                    if gone and there.files.keys() != {"tombstone.json"}:
                        with self.store.database.read() as tx:  # disposed of while this was written
                            self._bury(tx, identity)
                        there = self._inventory(identity)
                    if gone:
                        tally.tombstones += 1
                    else:
                        tally.records += 1
                        tally.versions += int(there.head[1:])
                        tally.attachments += sum(
                            path.partition("/content/")[2].startswith("attachments/")
                            for paths in there.manifest.values()
                            for path in paths
                        )
                    yield self._line("tombstone" if gone else "record", identity, page.id, there)
                done += len(keys)
                self.progress("catalog", done)

    def _line(self, what: str, identity: UUID, page: UUID, there: ocfl.Inventory) -> dict[str, object]:
        return {
            "id": _urn(identity),
            "what": what,
            "page": _urn(page),
            "path": ocfl.place(_urn(identity)),
            "versions": int(there.head[1:]),
            "inventory_sha512": there.digest,
        }

    def _identities(self, keys: list[int]) -> list[tuple[UUID, bool]]:
        """The ids of records, and whether each was disposed of by now."""
        asked = (
            select(record_rows.c.id, tombstones.c.record)
            .outerjoin(tombstones, tombstones.c.record == record_rows.c.key)
            .where(record_rows.c.key.in_(keys))
            .order_by(record_rows.c.key)
        )
        if not self.going.scope.messages:
            asked = asked.where(record_rows.c.private.is_(False))
        with self.store.database.read() as tx:
            return [(UUID(bytes=bytes(row[0])), row[1] is not None) for row in tx.execute(asked)]

    def _bury(self, tx: Tx, identity: UUID) -> None:
        key = tx.execute(select(record_rows.c.key).where(record_rows.c.id == identity.bytes)).scalar_one()
        for told in self.teller.records(tx, [key], self.as_of, messages=self.going.scope.messages):
            if isinstance(told, TombstoneTold):
                self._tombstone(told)

    def _inventory(self, identity: UUID) -> ocfl.Inventory:
        there = ocfl.inventory(self.going.folder, _urn(identity))
        if there is None:
            raise NotAsWritten(
                f"{ocfl.place(_urn(identity))} is not what was written there",
                next="Something else writes to this folder. Begin anew in a new one.",
            )
        return there

    def _ledger(self, folder: Path) -> None:
        """The checkpoint, the key, every entry below it in a line of its own, and who else vouched for it."""
        (folder / "checkpoint").write_text(self.as_of.note, encoding="utf-8")
        (folder / "log.vkey").write_text(self.store.ledger.verifier().line() + "\n")
        with (folder / "entries.jsonl").open("wb") as file:
            for body in self.store.ledger.bodies(0, self.as_of.size):
                file.write(body + b"\n")
        with self.store.database.read() as tx:
            asked = (
                select(anchor_rows.c.size)
                .where(anchor_rows.c.size <= self.as_of.size, anchor_rows.c.entry < self.as_of.size)
                .distinct()
                .order_by(anchor_rows.c.size)
            )
            for size in tx.execute(asked).scalars().all():
                note = tx.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar_one()
                where = folder / "timestamps" / str(size)
                where.mkdir(parents=True)
                (where / "checkpoint").write_text(str(note), encoding="utf-8")
                proofs.write_tokens(where, anchors.over(tx, size))

    def _runs(self, told: list[PageTold]) -> Iterator[Mapping[str, object]]:
        """Every run that had ended: what it was about, and what it came to."""
        known = {page.key: str(page.id) for page in told}
        asked = select(runs).where(runs.c.ended_at.is_not(None))
        for row in walk.lines(self.store, self._of_pages(asked, runs.c.page, told), runs.c.key):
            if from_instant(row.ended_at) > self.as_of.at:
                continue
            with self.store.database.read() as tx:
                said = tx.execute(
                    select(stated).where(stated.c.run == row.key).order_by(stated.c.kinds)
                ).all()
            yield {
                "run": str(UUID(bytes=bytes(row.id))),
                "page": known.get(row.page),
                "kind": row.kind,
                "lane": row.lane,
                "began_at": _moment(row.began_at),
                "ended_at": _moment(row.ended_at),
                "published_from": _moment(row.published_from),
                "published_until": _moment(row.published_until),
                "status": row.status,
                "tally": json.loads(row.tally),
                "stated": [{"kinds": one.kinds, "total": one.total, "held": one.held} for one in said],
            }

    def _gaps(self, told: list[PageTold]) -> Iterator[Mapping[str, object]]:
        """Everything that is known to be missing, and why."""
        known = {page.key: str(page.id) for page in told}
        asked = (
            select(
                gaps.c.key,
                gaps.c.entry,
                gaps.c.page,
                gaps.c.at,
                gaps.c.since,
                gaps.c.until,
                runs.c.id,
                acts.c.secret,
                acts.c.sealed,
            )
            .join(acts, acts.c.entry == gaps.c.entry)
            .join(runs, runs.c.key == gaps.c.run)
            .where(gaps.c.entry < self.as_of.size)
        )
        if not self.going.scope.messages:
            private = select(record_rows.c.native_mac).where(record_rows.c.private.is_(True))
            asked = asked.where(gaps.c.native_mac.is_(None) | gaps.c.native_mac.not_in(private))
        for row in walk.lines(self.store, self._of_pages(asked, gaps.c.page, told), gaps.c.key):
            with self.store.database.read() as tx:
                detail = act_words(self.store.keyring, tx, [row])[0]["detail"]
            yield {
                "ledger_entry": row.entry,
                "run": str(UUID(bytes=bytes(row.id))),
                "page": known.get(row.page),
                "at": _moment(row.at),
                "what": detail.get("what"),
                "why": detail.get("why", DISPOSED_WITH),
                "native_id": detail.get("native_id"),
                "since": _moment(row.since),
                "until": _moment(row.until),
            }

    def _manifests(self, told: list[PageTold]) -> Iterator[Mapping[str, object]]:
        """What each page's days were closed with."""
        asked = (
            select(manifests.c.entry, manifests, pages.c.id.label("page_id"))
            .join(pages, pages.c.key == manifests.c.page)
            .where(manifests.c.entry < self.as_of.size)
        )
        for row in walk.lines(self.store, self._of_pages(asked, manifests.c.page, told), manifests.c.entry):
            yield {
                "ledger_entry": row[0],
                "page": str(UUID(bytes=bytes(row.page_id))),
                "day": row.day,
                "captured": row.count,
                "root": bytes(row.root).hex(),
                "previous": row.previous,
                "through": row.through,
            }

    def _of_pages(self, asked: Any, column: Any, told: list[PageTold]) -> Any:
        """Only what is of the pages that were named; all where none was."""
        return asked.where(column.in_([page.key for page in told])) if self.going.scope.pages else asked

    def _draft(self, identity: str, beside: str = "object") -> ocfl.Draft:
        agency = self.store.agency
        user = ocfl.User(agency.name, f"https://{agency.domain}")
        return ocfl.Draft(self.going.coming / beside, identity, user)


def _urn(identity: UUID) -> str:
    return f"urn:uuid:{identity}"


def _name(told: AttachmentTold) -> str:
    kind = (told.media_type or "").partition(";")[0].strip().lower()
    return f"attachments/{told.id}{_EXTENSIONS.get(kind, '.bin')}"


def _listed(version: VersionTold) -> list[dict[str, object]]:
    files = {str(one.id): _name(one) for one in version.attachments}
    return [{**one, "file": files.get(str(one["id"]))} for one in version.listed]


def _message(version: VersionTold) -> str:
    return f"version {version.number} as it was observed: {version.state}"


def _stream(file: Path, told: AttachmentTold) -> None:
    file.parent.mkdir(exist_ok=True)
    with file.open("wb") as out:
        for chunk in told.chunks():
            out.write(chunk)


def _lines(file: Path, told: Iterable[Mapping[str, object]]) -> None:
    """JSON Lines, names sorted."""
    with file.open("w", encoding="utf-8", newline="\n") as out:
        for one in told:
            out.write(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n")


def _moment(at: int | None) -> str | None:
    return None if at is None else iso(from_instant(at))

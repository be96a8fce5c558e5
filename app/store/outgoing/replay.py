"""The archive as WACZ files for replay: each page's exchanges as WARC, an index, and a line for each record.

A page is one file, or several of bounded size, named one after the other. An
exchange is written once, however many records it shows; one from which
something was disposed of, or holds what may not leave, is what
`app.store.warc` makes of it, or is not there. Attachments stand under their
own addresses.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, cast
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import func, select

from app.db import Tx
from app.records.clock import iso
from app.store import warc
from app.store.outgoing import cdxj, rendering, wacz, walk
from app.store.outgoing.custody import Progress, Tally
from app.store.outgoing.folder import Going
from app.store.outgoing.ocfl import write_json
from app.store.outgoing.readme import WACZ as README
from app.store.outgoing.telling import (
    AsOf,
    AttachmentTold,
    PageTold,
    RecordTold,
    Teller,
    TombstoneTold,
    VersionTold,
)
from app.store.reading import exchange, layout_of, open_pieces
from app.store.store import Store
from app.store.tables import circle_members, circle_parts, exchanges, pieces, tombstones, versions
from app.store.tables import records as record_rows

LARGEST = 1 << 30
"""How many bytes of WARC a volume has before the next one begins."""
_EXCHANGES, _RECORDS = "exchanges", "records"
_NO_BODY = b"\r\n\r\n"
_ASK = 500
_SEEN = 256
_CIRCLES = 100_000
_PAGES, _LISTS = ("pages", "extraPages"), ("versions", "tombstones")


class Indexed(warc.Writer):
    """Writes WARC records and notes where those lie that can be replayed."""

    def __init__(self, out: wacz.Entry, name: Callable[[], UUID], file: str, index: cdxj.Sorter) -> None:
        super().__init__(cast("BinaryIO", out), name)
        self._entry, self._file, self._index = out, file, index

    def put(self, kind: str, at: datetime, more: Mapping[str, str], media_type: str, block: bytes) -> None:
        start = self._entry.size
        super().put(kind, at, more, media_type, block)
        if kind == "response":
            status, mime = _head_of(block)
            if status != "200" or not block.endswith(
                _NO_BODY
            ):  # an attachment's head: its bytes stand by themselves
                self._note(at, more, start, mime, status)
        elif kind == "resource":
            self._note(at, more, start, media_type.partition(";")[0].strip(), "200")

    def put_attachment(self, at: datetime, told: AttachmentTold) -> None:
        """An attachment as it came, under its own address."""
        start = self._entry.size
        mime = told.media_type or "application/octet-stream"
        more = {"WARC-Target-URI": told.url or f"urn:uuid:{told.id}"}
        self.put_stream("resource", at, more, mime, told.chunks)
        self._note(at, more, start, mime.partition(";")[0].strip(), "200")

    def put_rendering(self, url: str, record: UUID, version: VersionTold) -> None:
        """A post as a page of the web, and a record beside it that says who made it of what."""
        at, body = version.observed_at, rendering.page(record, version)
        digest = warc.digest_line(hashlib.sha256(body).digest())
        shared = {"WARC-Target-URI": url}
        self.put("resource", at, {**shared, "WARC-Payload-Digest": digest}, "text/html; charset=utf-8", body)
        told = {"rendering_of": {"record": str(record), "version": version.number}, "made_by": "the archive"}
        self.put(
            "metadata",
            at,
            {**shared, "WARC-Concurrent-To": self.last},
            "application/json",
            json.dumps(told).encode(),
        )

    def _note(self, at: datetime, more: Mapping[str, str], start: int, mime: str, status: str) -> None:
        told = {"mime": mime, "status": status}
        if "WARC-Payload-Digest" in more:
            told["digest"] = more["WARC-Payload-Digest"]
        told |= {"length": str(self._entry.size - start), "offset": str(start), "filename": self._file}
        self._index.add(cdxj.line(more["WARC-Target-URI"], at.strftime("%Y%m%d%H%M%S"), told))


class Volume:
    """One WACZ file while it is written."""

    def __init__(self, replay: Replay, page: PageTold, number: int) -> None:
        self.name = f"{page.id}-{number:03}.wacz"
        self.page, self.tally = page, Tally(pages=1)
        self._replay, self._names = replay, 0
        self._folder = replay.going.coming / "volume"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self.file = self._folder / self.name
        self._package = wacz.Package(self.file, replay.as_of.at)
        self._index = cdxj.Sorter(self._folder)
        self._lists: dict[str, IO[str]] = {
            name: (self._folder / name).open("w", encoding="utf-8", newline="\n")
            for name in (*_PAGES, *_LISTS)
        }
        self._line("pages", {"format": "json-pages-1.0", "id": "pages", "title": "Posts", "hasText": True})
        self._line(
            "extraPages",
            {"format": "json-pages-1.0", "id": "extra", "title": "Other records", "hasText": True},
        )
        file = self.name.replace(".wacz", ".warc.gz")
        self._archive = ExitStack()
        self._entry = self._archive.enter_context(self._package.entry(f"archive/{file}"))
        self.warc = Indexed(self._entry, self._next_name, file, self._index)
        store = replay.store
        self.warc.begin(
            replay.as_of.at,
            file,
            software=replay.software,
            part_of=store.agency.origin,
            description=f"the page {page.name} of {store.agency.name}",
        )

    @property
    def size(self) -> int:
        return self._entry.size

    def told(self, what: str, line: Mapping[str, object]) -> None:
        """A line of one of the lists: pages, extraPages, versions, tombstones."""
        self._line(what, line)

    def close(self) -> None:
        """End the file."""
        self._archive.close()
        with self._package.entry("indexes/index.cdx.gz") as blocks:
            index = cdxj.write_blocks(self._index.merged(), cast("BinaryIO", blocks), "index.cdx.gz")
        with self._package.entry("indexes/index.idx") as entry:
            entry.write(index)
        for name, out in self._lists.items():
            out.close()
            where = "pages" if name in _PAGES else "records"
            if (self._folder / name).stat().st_size:
                self._package.add(f"{where}/{name}.jsonl", self._folder / name)
        agency = self._replay.store.agency
        self._package.close(
            title=f"{self.page.name} ({self.page.platform}), {agency.name}",
            description=f"as of {self._replay.as_of.size} entries of the ledger {agency.origin}",
            software=self._replay.software,
        )

    def abandon(self) -> None:
        """Leave it unfinished; the next run begins it anew."""
        for out in self._lists.values():
            out.close()
        self._archive.close()
        self._package.abandon()

    def _line(self, name: str, told: Mapping[str, object]) -> None:
        self._lists[name].write(json.dumps(told, ensure_ascii=False, sort_keys=name in _LISTS))
        self._lists[name].write("\n")

    def _next_name(self) -> UUID:
        """The id of the next WARC record: the same each time that this archive is written."""
        self._names += 1
        return uuid5(self.page.id, f"{self._replay.as_of.size}/{self.name}/{self._names}")


@dataclass(slots=True)
class Made:
    """What stands already: the volumes, each with how far it came, and how many tombstones each page had then."""

    volumes: list[dict[str, Any]] = field(default_factory=list)
    buried: dict[str, int] = field(default_factory=dict)

    def of(self, page: PageTold) -> list[dict[str, Any]]:
        return [one for one in self.volumes if one["page"] == str(page.id)]

    def as_dict(self) -> dict[str, object]:
        return {"volumes": self.volumes, "buried": self.buried}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to write: after it, the page is written up to `key` of `stage`."""

    stage: str
    key: int
    write: Callable[[Volume], None]


@dataclass(slots=True)
class Replay:
    """Writes the WACZ files."""

    store: Store
    teller: Teller
    going: Going
    as_of: AsOf
    software: str
    progress: Progress
    largest: int = LARGEST
    _done: int = 0
    _private: dict[int, bool] = field(default_factory=dict)
    _pages_served: OrderedDict[int, str | None] = field(default_factory=OrderedDict)

    def write(self) -> tuple[Tally, str]:
        """Write what is not there yet; return what the export holds and the SHA-256 of its catalog."""
        told = walk.pages_of(self.store, [UUID(one) for one in self.going.scope.pages])
        made = self._made()
        for page in told:
            self._page(page, made)
        for page in told:
            while made.buried[str(page.id)] != self._buried(page):  # disposed of while this was written
                self._forget(page, made)
                self._page(page, made)
        tally = Tally(pages=len(told))
        for volume in made.volumes:
            tally.add(volume["holds"])
        agency = self.store.agency
        catalog = {
            "agency": agency.name,
            "origin": agency.origin,
            "as_of": {"entries": self.as_of.size, "signed_at": iso(self.as_of.at)},
            "private_messages": self.going.scope.messages,
            "holds": tally.as_dict(),
            "pages": [{"id": str(one.id), "name": one.name, "platform": one.platform} for one in told],
            "files": [
                {name: volume[name] for name in ("file", "page", "bytes", "sha256", "holds")}
                for volume in made.volumes
            ],
            "software": self.software,
        }
        write_json(self.going.folder / "catalog.json", catalog)
        (self.going.folder / "README.md").write_text(
            README.format(
                agency=agency.name,
                size=self.as_of.size,
                at=iso(self.as_of.at),
                messages="are in them"
                if self.going.scope.messages
                else "are not in them, whether there are any or not",
                scope="all pages of the archive"
                if not self.going.scope.pages
                else "these pages: " + ", ".join(page.name for page in told),
            ),
            encoding="utf-8",
        )
        return tally, hashlib.sha256((self.going.folder / "catalog.json").read_bytes()).hexdigest()

    # -- volumes -------------------------------------------------------------------------------------------

    def _made(self) -> Made:
        """The volumes that an earlier run finished and that are still what they were; what came after one that is not is made anew."""
        told = self.going.progress()
        made = Made(
            cast("list[dict[str, Any]]", told.get("volumes") or []),
            dict(cast("dict[str, int]", told.get("buried") or {})),
        )
        kept = []
        for volume in made.volumes:
            if not _is(self.going.folder / volume["file"], volume["sha256"]):
                break
            kept.append(volume)
        for file in self.going.folder.glob("*.wacz"):
            if file.name not in {volume["file"] for volume in kept}:
                file.unlink()
        made.volumes = kept
        return made

    def _page(self, page: PageTold, made: Made) -> None:
        """Write the volumes of a page that are not there yet."""
        before = made.of(page)
        if before and before[-1]["last"]:
            return
        made.buried.setdefault(str(page.id), self._buried(page))
        stage, after = before[-1]["through"] if before else (_EXCHANGES, 0)
        steps = self._steps(page, stage, after)
        step = next(steps, None)
        while step is not None or not made.of(page):
            volume = Volume(self, page, len(made.of(page)) + 1)
            try:
                while step is not None:
                    step.write(volume)
                    stage, after = step.stage, step.key
                    step = next(steps, None)
                    if volume.size >= self.largest:
                        break
                volume.close()
            except BaseException:
                volume.abandon()
                raise
            self._keep(volume, made, {"through": [stage, after], "last": step is None})

    def _keep(self, volume: Volume, made: Made, more: Mapping[str, object]) -> None:
        """Move a finished volume into its place, and write down that it is there."""
        with volume.file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        told = {
            "file": volume.name,
            "page": str(volume.page.id),
            "bytes": volume.file.stat().st_size,
            "sha256": digest,
            "holds": volume.tally.as_dict(),
            **more,
        }
        volume.file.replace(self.going.folder / volume.name)
        made.volumes.append(told)
        self.going.has_come(made.as_dict())

    def _forget(self, page: PageTold, made: Made) -> None:
        """Take a page's volumes back: something in them was disposed of meanwhile."""
        for volume in made.of(page):
            (self.going.folder / volume["file"]).unlink(missing_ok=True)
        made.volumes = [one for one in made.volumes if one["page"] != str(page.id)]
        del made.buried[str(page.id)]
        self.going.has_come(made.as_dict())

    def _buried(self, page: PageTold) -> int:
        """How many of the page's records have a tombstone by now."""
        asked = (
            select(func.count())
            .select_from(tombstones)
            .join(record_rows, record_rows.c.key == tombstones.c.record)
            .where(record_rows.c.page == page.key)
        )
        with self.store.database.read() as tx:
            return int(tx.execute(asked).scalar_one())

    # -- what is written -----------------------------------------------------------------------------------

    def _steps(self, page: PageTold, stage: str, after: int) -> Iterator[Step]:
        """Everything that is to be written of a page after a place: its exchanges, then its records."""
        if stage == _EXCHANGES:
            for keys in walk.exchange_keys(self.store, page, self.as_of, after=after):
                for key in keys:
                    yield Step(_EXCHANGES, key, partial(self._exchange, page, key))
                self._went("exchanges", len(keys))
            after = 0
        for keys in walk.record_keys(self.store, page, self.as_of, after=after):
            with self.store.database.read() as tx:
                told = self.teller.records(tx, keys, self.as_of, messages=self.going.scope.messages)
            for one in told:
                yield Step(_RECORDS, one.key, partial(self._record, one))
            self._went("records", len(keys))

    def _went(self, what: str, number: int) -> None:
        self._done += number
        self.progress(what, self._done)

    def _exchange(self, page: PageTold, key: int, volume: Volume) -> None:
        """An exchange as what it can leave as; of a file that was received, the lines of this page's records."""
        with self.store.database.read() as tx:
            row = tx.execute(select(exchanges).where(exchanges.c.key == key)).one()
            shown = [piece for piece, _, _ in layout_of(tx, row.layout, row.alike)]
            if row.kind == "file":
                kept = exchange(self.store, tx, key)
                warc.put_lines(self.store, tx, volume.warc, kept, self._received(tx, page, shown))
            elif self.going.scope.messages or not self._shows_private(tx, [*shown, row.envelope]):
                warc.put_exchange(volume.warc, exchange(self.store, tx, key))

    def _received(self, tx: Tx, page: PageTold, shown: list[int]) -> list[int]:
        """The page's records to which pieces belong, private ones only where they may leave."""
        found: set[int] = set()
        for start in range(0, len(shown), _ASK):
            asked = (
                select(record_rows.c.key)
                .join(pieces, pieces.c.record == record_rows.c.key)
                .where(pieces.c.key.in_(shown[start : start + _ASK]), record_rows.c.page == page.key)
            )
            if not self.going.scope.messages:
                asked = asked.where(record_rows.c.private.is_(False))
            found.update(tx.execute(asked).scalars())
        return sorted(found)

    def _shows_private(self, tx: Tx, shown: list[int]) -> bool:
        """Whether any piece belongs to a private message, or to a circle that one is in."""
        circles: set[int] = set()
        for start in range(0, len(shown), _ASK):
            part = shown[start : start + _ASK]
            own = (
                select(pieces.c.key)
                .join(record_rows, record_rows.c.key == pieces.c.record)
                .where(pieces.c.key.in_(part), record_rows.c.private.is_(True))
            )
            if tx.execute(own.limit(1)).first() is not None:
                return True
            shared = select(pieces.c.circle).where(pieces.c.key.in_(part), pieces.c.circle.is_not(None))
            circles.update(tx.execute(shared).scalars())
        return any(self._circle_is_private(tx, circle) for circle in circles)

    def _circle_is_private(self, tx: Tx, circle: int) -> bool:
        known = self._private.get(circle)
        if known is None:
            member = (
                select(record_rows.c.key)
                .join(circle_members, circle_members.c.record == record_rows.c.key)
                .where(circle_members.c.circle == circle, record_rows.c.private.is_(True))
            )
            known = tx.execute(member.limit(1)).first() is not None
            if not known:
                inside = select(circle_parts.c.part).where(circle_parts.c.circle == circle)
                known = any(self._circle_is_private(tx, part) for part in tx.execute(inside).scalars().all())
            if len(self._private) >= _CIRCLES:
                self._private.clear()
            self._private[circle] = known
        return known

    def _record(self, told: RecordTold | TombstoneTold, volume: Volume) -> None:
        """A record's versions, its attachments, its line among the pages, and a post's rendering."""
        if isinstance(told, TombstoneTold):
            volume.told("tombstones", told.json)
            volume.tally.tombstones += 1
            return
        newest = told.versions[-1]
        for version in told.versions:
            volume.told("versions", version.json)
        attached = {
            one.id: (version.observed_at, one) for version in told.versions for one in version.attachments
        }
        for at, one in attached.values():
            volume.warc.put_attachment(at, one)
        url = str(newest.json.get("url") or "")
        if told.kind == "post" and url.startswith(("http://", "https://")) and not self._served(told, url):
            for version in told.versions:
                if version.state == "present":
                    volume.warc.put_rendering(url, told.id, version)
        volume.told(
            "pages" if told.kind == "post" else "extraPages",
            {
                "id": str(told.id),
                "url": url or f"urn:uuid:{told.id}",
                "ts": iso(newest.observed_at),
                "title": rendering.title(newest),
                "text": str(newest.json.get("text") or ""),
            },
        )
        volume.tally.records += 1
        volume.tally.versions += len(told.versions)
        volume.tally.attachments += len(attached)

    def _served(self, told: RecordTold, url: str) -> bool:
        """Whether the platform itself served a page of the web under the address, in an exchange that shows the record."""
        asked = select(versions.c.exchange).where(versions.c.record == told.key).distinct()
        with self.store.database.read() as tx:
            found = [self._page_of(tx, key) for key in tx.execute(asked).scalars().all()]
        return url.partition("#")[0] in found

    def _page_of(self, tx: Tx, key: int) -> str | None:
        """The address of an exchange that gave a page of the web; None where it gave something else."""
        if key not in self._pages_served:
            row = tx.execute(
                select(exchanges.c.envelope, exchanges.c.status).where(exchanges.c.key == key)
            ).one()
            content = (
                open_pieces(self.store, tx, [row.envelope]).get(row.envelope, b"{}")
                if row.status == 200
                else b"{}"
            )
            head = msgspec.json.decode(content)
            names = {name.lower(): value for name, value in head.get("response_headers") or []}
            is_page = names.get("content-type", "").startswith("text/html")
            self._pages_served[key] = str(head["url"]).partition("#")[0] if is_page else None
            if len(self._pages_served) > _SEEN:
                self._pages_served.popitem(last=False)
        return self._pages_served[key]


def _head_of(block: bytes) -> tuple[str, str]:
    """Status and media type of a response."""
    lines = block.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    parts = lines[0].split(" ", 2)
    named = dict(line.split(":", 1) for line in lines[1:] if ":" in line)
    kinds = [value for name, value in named.items() if name.lower() == "content-type"]
    return parts[1] if len(parts) > 1 else "-", kinds[0].partition(";")[0].strip() if kinds else "unk"


def _is(file: Path, sha256: str) -> bool:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == sha256
    except OSError:
        return False

"""Importing: what a file of someone else's claims is received, in that file, from whoever handed it in.

Formats (`app/capture/formats/`) read; this keeps. What cannot be read is
reported with its place and reason, its bytes are kept with the rest, and the
import goes on. An import that was broken off goes on after its last committed
batch; importing the same thing again finds everything unchanged.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.capture import attachments, lease, meeting, pages, runs, whose
from app.capture.formats import halves
from app.capture.formats.observations import Observations, parse
from app.capture.formats.source import CHUNK, Left, Line, Mark, Source, Unreadable
from app.capture.keep import Carried, Keeper, PageRef, Seen
from app.capture.lines import BadFile, Stretch
from app.capture.runs import GapFound, Report, Run
from app.db import ArchiveBusy, Tx, from_instant
from app.records.errors import Unavailable
from app.records.nouns import Page
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import records
from app.store.tables import runs as run_table
from connectors.contract import Attachment, Observation

LINES_A_BATCH = 2_000
"""So many lines are kept together, in one transaction, or as many as weigh eight mebibytes."""
_BYTES = 8 * 1024 * 1024
_BEAT, _DEAD = timedelta(minutes=1), timedelta(minutes=10)
_LEFT, _REMARKS, _RUNS = 1_000, 100, 2_000
_running: set[bytes] = set()
"""The imports of this very process that are under way."""


class ImportUnderWay(Unavailable):
    """The same file is being imported at this moment."""

    code = "import-under-way"


class ImportLost(Unavailable):
    """This import was taken for broken off and was ended; what it kept is kept."""

    code = "import-lost"


@dataclass(slots=True)
class Received(Report):
    """What became of a file that was handed in."""

    file: str = ""
    sha256: str = ""
    handed_by: str = ""
    left: list[Left] = field(default_factory=list)
    """Everything that was in it and was not taken, and why."""
    left_total: int = 0
    remarks: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """The report in the shape of a capture, and what only an import has."""
        return Report.as_dict(self) | {
            "file": self.file,
            "sha256": self.sha256,
            "from": self.handed_by or None,
            "unreadable": [{"line": number, "why": why} for number, why in self.unreadable],
            "unreadable_total": self.unreadable_total,
            "left": [{"name": one.name, "size": one.size, "why": one.why} for one in self.left],
            "left_total": self.left_total,
            "remarks": list(self.remarks),
        }


def observations(
    store: Store,
    file: Path,
    *,
    page: Page | None,
    make_pages: bool,
    by: UUID | None,
    why: str,
    tick: Callable[[], float],
    progress: Callable[[int, int], None] | None = None,
    point: Callable[[str], None] | None = None,
) -> Received:
    """Receive every observation of a file of JSON Lines, as `receive` does."""
    return receive(
        store,
        Observations(file),
        page=page,
        make_pages=make_pages,
        by=by,
        why=why,
        tick=tick,
        progress=progress,
        point=point,
    )


def receive(
    store: Store,
    source: Source,
    *,
    page: Page | None,
    make_pages: bool,
    by: UUID | None,
    why: str,
    tick: Callable[[], float],
    handed_by: str = "",
    progress: Callable[[int, int], None] | None = None,
    held: Callable[[PageRef, Observation], bool] | None = None,
    point: Callable[[str], None] | None = None,
) -> Received:
    """Receive everything that `source` shows, from `handed_by`; `progress` is told bytes read and bytes in all.

    `held` says whether an active hold covers an item: what was disposed of is
    then kept as a new record.

    Lines that name their own page go to the page of that platform and name,
    which `make_pages` adds where it is missing, unapproved; other lines go to
    `page`, or else to the page whose download this says it is.
    """
    whence = halves.replaced(handed_by)
    importing = _Import(store, source, page, make_pages, by, why, tick, whence, progress, point)
    importing.held = held
    return importing.go()


def close_broken_off(store: Store, tx: Tx, *, by: UUID | None) -> list[Run]:
    """End the imports that nobody runs any more; what they kept is kept, and the rest is a gap.

    One is taken for broken off when its process ended, or, where that cannot
    be seen from here, ten minutes after it last said that it is there.
    """
    left = [run for run in _past(tx) if run.status == "running" and not _alive(store, tx, run)]
    for run in left:
        _close(store, tx, run, by=by)
    return left


def _past(tx: Tx) -> Iterator[Run]:
    """Every import, newest first."""
    asked = select(run_table).where(run_table.c.kind == runs.IMPORT).order_by(run_table.c.key.desc())
    for row in tx.execute(asked):
        ended = from_instant(row.ended_at) if row.ended_at else None
        began = from_instant(row.began_at)
        yield Run(
            row.key,
            UUID(bytes=bytes(row.id)),
            row.page,
            row.kind,
            began,
            ended,
            row.status,
            json.loads(row.tally),
        )


def _alive(store: Store, tx: Tx, run: Run) -> bool:
    if run.id.bytes in _running:
        return True
    note = runs.noted(store, tx, run)
    owner, beat = note.get("owner"), note.get("beat")
    if not isinstance(owner, str) or not isinstance(beat, str):
        return False
    if owner == lease.owner() or lease.died(owner):
        return False
    return store.clock.now() - datetime.fromisoformat(beat) < _DEAD


def _close(store: Store, tx: Tx, run: Run, *, by: UUID | None, continued: bool = False) -> None:
    """End an import that was broken off; where another one goes on with it, nothing is missing."""
    note = runs.noted(store, tx, run)
    name = note.get("file") or "a file"
    kept = cast("dict[str, int]", note.get("mark") or {}).get("lines", note.get("lines", 0))
    told = Report(page=None, run=run.id, status="partial", finished=False)
    page = next((page for page in pages.listed(tx) if page.key == run.page), None)
    if page is not None:
        told.page = page.id
    missing = []
    if unreadable := cast("int", note.get("unreadable", 0)):
        missing.append(_unreadable(str(name), unreadable))
    if not continued:
        missing.append(
            GapFound(
                f"the rest of {name}",
                "the import was broken off; importing the same file again goes on with it",
                since=run.began_at,
                until=store.clock.now(),
            )
        )
    runs.note_gaps(store, tx, run, page, missing, by=by)
    told.gaps += missing
    why = f"broken off after {kept} lines, " + ("continued" if continued else "found at the next start")
    runs.end(store, tx, run, told, [], by=by, why=why)


def _unreadable(name: str, number: int) -> GapFound:
    return GapFound(f"{number} lines of {name}", "they could not be read; their bytes are kept")


@dataclass(slots=True)
class _Batch:
    """Stretches that are kept together: of each file in turn, the place of the first byte and the stretches."""

    files: list[tuple[int, list[Stretch]]] = field(default_factory=list)
    lines: int = 0
    weight: int = 0

    def add(self, place: int, stretch: Stretch) -> None:
        if not self.files or self.files[-1][1][0].file != stretch.file:
            self.files.append((place, []))
        self.files[-1][1].append(stretch)
        self.lines += 1
        self.weight += len(stretch.content)

    def full(self) -> bool:
        return self.lines >= LINES_A_BATCH or self.weight >= _BYTES


class _Import:
    """One import."""

    def __init__(
        self,
        store: Store,
        source: Source,
        page: Page | None,
        make_pages: bool,
        by: UUID | None,
        why: str,
        tick: Callable[[], float],
        handed_by: str,
        progress: Callable[[int, int], None] | None,
        point: Callable[[str], None] | None,
    ) -> None:
        self.store, self.source, self.page, self.make_pages = store, source, page, make_pages
        self.by, self.why, self.tick, self.progress = by, why, tick, progress
        self.point = point
        self.held: Callable[[PageRef, Observation], bool] | None = None
        self.refs: dict[tuple[str, str], PageRef] = {}
        self.own: tuple[str, str] | None = None
        self.same: Mapping[tuple[str, str], Page] = {}
        """The pages that are captured of the accounts that the download names, by the names that it has for them."""
        self.claimed: dict[bytes, str] = {}
        self.touched: dict[int, Page] = {}
        self.touched_by_key: dict[int, Page] = {}
        self.report: Received
        self.run: Run
        self.keeper: Keeper
        self.at = store.clock.now()
        self.beat = self.at
        self.mark = Mark()
        self.facts: dict[str, object] = {
            "file": source.handed.name,
            "sha256": source.handed.sha256,
            "from": handed_by,
            "format": source.format,
            "key": source.key,
            "page": page.id.hex if page else None,
            "make_pages": make_pages,
            "at": self.at.isoformat(),
            "owner": lease.owner(),
        }
        self.handed_by = handed_by

    def go(self) -> Received:
        began = self.tick()
        store, source = self.store, self.source
        self.own = halves.page(source) if self.page is None else None
        with store.database.begin() as tx:
            self.mark, again = self._before(tx)
            self.run = runs.begin(store, tx, self.page, runs.IMPORT)
            _running.add(self.run.id.bytes)
            self._note(tx, self.mark)
            self._known_pages(tx)
        try:
            self.report = Received(
                page=self.page.id if self.page else None,
                run=self.run.id,
                file=source.handed.name,
                sha256=source.handed.sha256,
                handed_by=self.handed_by,
            )
            self.keeper = Keeper(
                store,
                self.run.key,
                source.reader,
                received=True,
                again=again,
                held=self.held,
                point=self.point,
            )
            for batch, after in self._batches():
                self._keep(batch, after)
                if self.progress:
                    self.progress(source.done(), source.total)
            if self.progress:
                self.progress(source.total, source.total)
            self._end(began)
        except Exception:
            # Said at once where it can be; what is not said now, the next import or night finds.
            with contextlib.suppress(Exception), store.database.begin() as tx:
                if self._stands(tx):
                    _close(store, tx, self.run, by=self.by)
            raise
        finally:
            _running.discard(self.run.id.bytes)
        return self.report

    def _end(self, began: float) -> None:
        report, source = self.report, self.source
        left = [replace(one, name=halves.replaced(one.name)) for one in source.left()]
        report.left, report.left_total = left, len(left)
        report.remarks = [halves.replaced(one) for one in [*self._met(), *source.remarks()][:_REMARKS]]
        report.seconds = self.tick() - began
        with self.store.database.begin() as tx:
            if not self._stands(tx):
                raise _lost()
            if report.unreadable_total:
                gap = _unreadable(source.handed.name, report.unreadable_total)
                runs.note_gaps(self.store, tx, self.run, self.page, [gap], by=self.by)
                report.gaps.append(gap)
            if report.gaps:
                report.status = "partial"
            note = self.facts | {
                "whole": True,
                "handed": source.handed.as_dict(),
                "left": [asdict(one) for one in report.left[:_LEFT]],
                "left_total": report.left_total,
                "remarks": report.remarks,
            }
            runs.remember(self.store, tx, self.run, note)
            runs.end(self.store, tx, self.run, report, self.touched.values(), by=self.by, why=self._said())

    def _met(self) -> list[str]:
        """Which pages were taken to be of the accounts that the download names."""
        return [
            f"{name} is received on the page {page.name}, whose address ends in the same name or id"
            for (_, name), page in self.same.items()
            if page.key in self.touched
        ]

    def _said(self) -> str:
        """Why, for the run's entry: with the file, its digest and who handed it in, committed like every why."""
        handed = self.source.handed
        whence = f" from {self.handed_by}" if self.handed_by else ""
        return f"{self.why} (file {handed.name}, SHA-256 {handed.sha256}{whence})"

    # -- what came before ----------------------------------------------------------------------------------

    def _before(self, tx: Tx) -> tuple[Mark, bool]:
        """Where an earlier import of the same broke off, and whether the last one that was whole is this very one.

        What it says of older states is then known. With another one in
        between, the same words are news: something was changed, and changed
        back. Other imports that were broken off are ended on the way.
        """
        mark, again = Mark(), False
        last_whole = resumable = True
        for number, run in enumerate(list(_past(tx))):
            running = run.status == "running"
            if not running and (number >= _RUNS or not (last_whole or resumable)):
                continue
            note = runs.noted(self.store, tx, run)
            if running and _alive(self.store, tx, run):
                if note.get("sha256") == self.facts["sha256"]:
                    raise ImportUnderWay(
                        f"{self.facts['file']} is being imported at this moment",
                        next="Wait until that import ends.",
                    )
                continue
            same = resumable and self._same(note)
            if same and not note.get("whole"):
                mark = max(mark, _mark(note), key=lambda one: (one.stretches, one.bytes))
            if running:
                _close(self.store, tx, run, by=self.by, continued=same)
            if note.get("whole"):
                if last_whole:
                    again = self._read_alike(note)
                last_whole, resumable = False, resumable and not same
        return mark, again

    def _read_alike(self, note: Mapping[str, object]) -> bool:
        """Whether that import read the same bytes in the same way."""
        return note.get("sha256") == self.facts["sha256"] and note.get("key", "") == self.facts["key"]

    def _same(self, note: Mapping[str, object]) -> bool:
        """Whether that import read the same bytes in the same way into the same pages."""
        default = {
            "format": "observations",
            "key": "",
            "page": self.facts["page"],
            "make_pages": self.make_pages,
        }
        told = default | dict(note)
        return all(told.get(name) == self.facts[name] for name in ("sha256", *default))

    # -- batch by batch ------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[tuple[_Batch, Mark]]:
        """Stretches in batches, each with how far the import has come when it is kept."""
        mark, batch = self.mark, _Batch()
        file, place, lines = mark.file, mark.bytes, mark.lines
        for stretch in self.source.stretches(mark):
            if stretch.file != file:
                file, place = stretch.file, 0
            batch.add(place, stretch)
            place += len(stretch.content)
            lines = stretch.number if stretch.content.endswith(b"\n") else stretch.number - 1
            if batch.full():
                mark = Mark(mark.stretches + batch.lines, file, place, lines)
                yield batch, mark
                batch = _Batch()
        if batch.lines:
            yield batch, Mark(mark.stretches + batch.lines, file, place, lines)

    def _keep(self, batch: _Batch, after: Mark) -> None:
        """Keep one batch; stretches that cannot be read are kept as bytes of the file alone."""
        before, unreadable = self.mark, self.report.unreadable_total
        parsed: list[tuple[int, int, Stretch, Line]] = []
        for exchange, (_, stretches) in enumerate(batch.files):
            start = 0
            for stretch in stretches:
                try:
                    if stretch.why is not None:
                        raise Unreadable(stretch.why)
                    parsed += [(exchange, start, stretch, line) for line in halves.read(self.source, stretch)]
                except Unreadable as error:
                    if str(error):
                        self.report.cannot_read(stretch.number, _at(stretch, str(error)))
                start += len(stretch.content)
        self._make_pages([line for *_, line in parsed])
        told: list[tuple[Seen, meeting.Other | None]] = []
        for exchange, start, stretch, line in parsed:
            ref = self._ref(line)
            if ref is None:
                why = f"page {line.page!r} on {line.platform!r} is not in the registry"
                self.report.cannot_read(stretch.number, _at(stretch, why))
                continue
            begin, end = line.span or (0, len(stretch.content))
            told.append((Seen(ref, line.observation, [(exchange, start + begin, start + end)]), line.other))
            self.touched.setdefault(ref.key, self.touched_by_key[ref.key])
        seen = meeting.as_held(self.store, self.source, told, self.claimed)
        # Files that lie beside come after the batch: until they are there, a broken-off import goes on before it.
        awaits = any(attachment.path for item in seen for attachment in item.observation.attachments)
        stopped = (before, unreadable) if awaits else (after, self.report.unreadable_total)

        def also(tx: Tx) -> None:
            if not self._stands(tx):
                raise _lost()
            self._note(tx, *stopped)

        carried = [self._carried(place, stretches) for place, stretches in batch.files]
        try:
            self.report.tally.add(self.keeper.keep(carried, seen, also=also))
        except IntegrityError as error:
            raise ArchiveBusy(
                "somebody else kept the same records at the same moment",
                next="Wait until the other import or capture ends, then import this file again.",
            ) from error
        self._files(seen)
        self.mark = after

    def _carried(self, place: int, stretches: list[Stretch]) -> Carried:
        """The bytes of one file in this batch, and the envelope that says which file, from whom, and where in it."""
        body = b"".join(stretch.content for stretch in stretches)
        first, last = stretches[0], stretches[-1]
        now = self.store.clock.now()
        told: dict[str, object] = {
            "file": self.source.handed.name,
            "sha256": self.source.handed.sha256,
            "from": self.handed_by or None,
            "format": self.source.format,
            "first_byte": place,
            "bytes": len(body),
            "first_line": first.number,
            "lines": last.number - first.number + 1,
            "at": now.isoformat(),
        }
        if first.file:
            told["member"] = halves.replaced(first.file)
        if self.source.form:
            told["form"] = self.source.form
        envelope = json.dumps(told, ensure_ascii=True).encode()
        return Carried("file", now, 0, envelope, body, shared=self.source.shared)

    def _note(self, tx: Tx, mark: Mark, unreadable: int = 0) -> None:
        """Remember how far the import has come, and that it is there."""
        self.beat = self.store.clock.now()
        note = self.facts | {"mark": asdict(mark), "unreadable": unreadable, "beat": self.beat.isoformat()}
        runs.remember(self.store, tx, self.run, note)
        self._noted = (mark, unreadable)

    def _stands(self, tx: Tx) -> bool:
        """Whether nobody has taken this import for broken off."""
        asked = select(run_table.c.status).where(run_table.c.key == self.run.key)
        return tx.execute(asked).scalar() == "running"

    # -- attachments ---------------------------------------------------------------------------------------

    def _files(self, seen: list[Seen]) -> None:
        """Receive the files that lie beside the import; one that is not there is a gap."""
        for item in seen:
            for attachment in item.observation.attachments:
                if attachment.path:
                    self._file(item, attachment)

    def _file(self, item: Seen, attachment: Attachment) -> None:
        store = self.store
        mac = keyed(store.lookup, item.page.id, item.observation.native_id.encode())
        with store.database.read() as tx:
            record = tx.execute(select(records.c.id).where(records.c.native_mac == mac)).scalar_one()
            if not attachments.wanted(store, tx, bytes(record), [attachment.id]):
                return
        beside = self.source.attachment(attachment.path or "")
        if beside is None:
            self._missed(item, bytes(record), attachment, "its file does not lie beside the import")
            return
        try:
            with beside as file:
                attachments.keep(store, bytes(record), attachment.id, self._chunks(file))
        except (BadFile, attachments.HolderGone) as error:
            self._missed(item, bytes(record), attachment, str(error))

    def _missed(self, item: Seen, record: bytes, attachment: Attachment, why: str) -> None:
        gap = GapFound("an attachment", why, native_id=item.observation.native_id)
        with self.store.database.begin() as tx:
            attachments.miss(self.store, tx, record, attachment.id)
            page = self.touched_by_key[item.page.key]
            runs.note_gaps(self.store, tx, self.run, page, [gap], by=self.by)
        self.report.gaps.append(gap)

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        """The bytes of one attachment; meanwhile the import says now and then that it is there."""
        while chunk := file.read(CHUNK):
            if self.store.clock.now() - self.beat > _BEAT:
                with self.store.database.begin() as tx:
                    if not self._stands(tx):
                        raise _lost()
                    self._note(tx, *self._noted)
            yield chunk

    # -- pages ---------------------------------------------------------------------------------------------

    def _known_pages(self, tx: Tx) -> None:
        known = pages.listed(tx)
        for page in known:
            self._learn(page)
        self.same = whose.captured(known, self.source)

    def _learn(self, page: Page) -> PageRef:
        ref = self.refs[page.platform, page.name] = PageRef(page.key, page.id.bytes, page.platform, page.name)
        self.touched_by_key[page.key] = page
        return ref

    def _whose(self, line: Line) -> tuple[str | None, str | None]:
        """Platform and name of the page to which a line belongs."""
        if line.page is not None and (line.platform is not None or self.page is not None):
            platform = line.platform or (self.page.platform if self.page else "")
            return self._named(platform, line.page)
        if self.page is not None:
            return self.page.platform, self.page.name
        return self._named(*self.own) if self.own else (None, None)

    def _named(self, platform: str, name: str) -> tuple[str, str]:
        """The page of that name, or the one that is captured of the same account."""
        page = self.same.get((platform, name))
        return (page.platform, page.name) if page else (platform, name)

    def _ref(self, line: Line) -> PageRef | None:
        platform, name = self._whose(line)
        return None if platform is None or name is None else self.refs.get((platform, name))

    def _make_pages(self, lines: list[Line]) -> None:
        if not self.make_pages:
            return
        named = dict.fromkeys(self._whose(line) for line in lines)
        wanted = [
            (platform, name)
            for platform, name in named
            if platform and name and (platform, name) not in self.refs
        ]
        if not wanted:
            return
        with self.store.database.begin() as tx:
            made = pages.add_each(
                self.store,
                tx,
                [("import", platform, "", name, "", {}) for platform, name in wanted],
                by=self.by,
                why=f"named by the import of {self.source.handed.name}",
            )
        for page in made:
            self._learn(page)


def _mark(note: Mapping[str, object]) -> Mark:
    told = note.get("mark")
    if isinstance(told, dict):
        return Mark(**told)
    return Mark(0, "", cast("int", note.get("bytes", 0)), cast("int", note.get("lines", 0)))


def _at(stretch: Stretch, why: str) -> str:
    return f"{halves.replaced(stretch.file)}: {why}" if stretch.file else why


def _lost() -> ImportLost:
    return ImportLost(
        "this import was taken for broken off and ended by another",
        next="Import the same file again; it goes on where this one stopped.",
    )


__all__ = [
    "ImportLost",
    "ImportUnderWay",
    "Received",
    "Unreadable",
    "close_broken_off",
    "observations",
    "parse",
    "receive",
]

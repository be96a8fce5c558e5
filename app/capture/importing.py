"""Importing observations from a file: what it claims is received, in that file, from whoever gave it.

One JSON object a line (`observations` in the interface). A line that cannot be
read is reported with its number and reason, its bytes are kept with the rest,
and the import goes on. An import that was broken off goes on after its last
committed batch; importing a file again finds everything unchanged.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.capture import attachments, pages, runs
from app.capture.keep import Carried, Keeper, PageRef, Seen
from app.capture.runs import GapFound, Report, Run
from app.db import Tx
from app.records.errors import Invalid
from app.records.nouns import Page
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import records
from connectors.contract import Attachment, Author, Kind, Observation, State

FORMATS = {"observations": "JSON Lines, one observation a line, plain or gzip (.gz)"}
_LINES, _BYTES, _LONGEST = 2_000, 8 * 1024 * 1024, 32 * 1024 * 1024
_decode = msgspec.json.Decoder().decode
_KNOWN = frozenset(
    {
        "platform",
        "page",
        "native_id",
        "kind",
        "in_reply_to",
        "author",
        "published_at",
        "edited_at",
        "state",
        "text",
        "html",
        "url",
        "language",
        "attachments",
        "counts",
        "extra",
    }
)


class BadFile(Invalid):
    """The file to import cannot be read, or is of no known format."""

    code = "bad-file"


class Unreadable(Exception):
    """A line that is no observation, and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """An observation with the page that it names."""

    platform: str | None
    page: str | None
    observation: Observation


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
) -> Report:
    """Receive every observation of `file`; `progress` is told bytes read and bytes in all.

    Lines that name their own page go to the page of that platform and name,
    which `make_pages` adds where it is missing, unapproved; other lines go to
    `page`.
    """
    return _Import(store, file, page, make_pages, by, why, tick, progress, point).go()


def parse(line: bytes) -> Line:
    """Read one line, or raise `Unreadable` with the reason. Unknown keys are kept in `extra`."""
    try:
        found = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if type(found) is not dict:
        raise Unreadable("not a JSON object")
    get = found.get
    native_id = get("native_id")
    if type(native_id) is not str or not native_id:
        raise Unreadable("native_id is missing or not a text")
    text = get("text")
    if text is None:
        text = ""
    if type(text) is not str:
        raise Unreadable("text is not a text")
    author = get("author")
    extra = get("extra") or {}
    if type(extra) is not dict:
        raise Unreadable("extra is not an object")
    if not found.keys() <= _KNOWN:
        extra = {**extra, **{name: value for name, value in found.items() if name not in _KNOWN}}
    listed = get("attachments") or ()
    return Line(
        platform=_text(found, "platform"),
        page=_text(found, "page"),
        observation=Observation(
            native_id=native_id,
            kind=_kind(get("kind")),
            state=_state(get("state")),
            author=_author(author) if author is not None else None,
            text=text,
            html=_text(found, "html"),
            url=_text(found, "url"),
            in_reply_to=_text(found, "in_reply_to"),
            published_at=_moment(found, "published_at"),
            edited_at=_moment(found, "edited_at"),
            language=_text(found, "language"),
            attachments=tuple(_attachment(item, number) for number, item in enumerate(listed))
            if listed
            else (),
            counts=_counts(get("counts")),
            extra=extra,
            private=get("kind") == "message",
        ),
    )


_KINDS = {str(kind): kind for kind in Kind}
_STATES = {str(state): state for state in State}


def _kind(value: object) -> Kind:
    try:
        return _KINDS[cast("str", value)]
    except (KeyError, TypeError) as error:
        raise Unreadable(f"kind is {value!r}, not one of {', '.join(_KINDS)}") from error


def _state(value: object) -> State:
    if value is None:
        return State.PRESENT
    try:
        return _STATES[cast("str", value)]
    except (KeyError, TypeError) as error:
        raise Unreadable(f"state is {value!r}, not one of {', '.join(_STATES)}") from error


def _text(found: Mapping[str, object], name: str) -> str | None:
    value = found.get(name)
    if value is None or type(value) is str:
        return value
    raise Unreadable(f"{name} is not a text")


def _moment(found: Mapping[str, object], name: str) -> datetime | None:
    value = found.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(cast("str", value))
    except (TypeError, ValueError) as error:
        raise Unreadable(f"{name} is {value!r}, not a date and time of RFC 3339") from error
    if moment.tzinfo is None:
        raise Unreadable(f"{name} has no time zone")
    return moment


def _author(value: object) -> Author:
    if type(value) is not dict:
        raise Unreadable("author is not an object")
    return Author(id=_text(value, "id"), name=_text(value, "name"), handle=_text(value, "handle"))


def _attachment(value: object, number: int) -> Attachment:
    if type(value) is not dict:
        raise Unreadable("an attachment is not an object")
    url, path = _text(value, "url"), _text(value, "path")
    return Attachment(
        id=_text(value, "id") or url or path or f"attachment-{number}",
        url=url,
        path=path,
        media_type=_text(value, "media_type"),
        description=_text(value, "description"),
    )


def _counts(value: object) -> dict[str, int]:
    if value is None:
        return {}
    if type(value) is not dict or not all(type(count) is int for count in value.values()):
        raise Unreadable("counts is not an object of whole numbers")
    return value


class _Import:
    """One import."""

    def __init__(
        self,
        store: Store,
        file: Path,
        page: Page | None,
        make_pages: bool,
        by: UUID | None,
        why: str,
        tick: Callable[[], float],
        progress: Callable[[int, int], None] | None,
        point: Callable[[str], None] | None,
    ) -> None:
        self.store, self.file, self.page, self.make_pages = store, file, page, make_pages
        self.by, self.why, self.tick, self.progress = by, why, tick, progress
        self.point = point
        self.refs: dict[tuple[str, str], PageRef] = {}
        self.touched: dict[int, Page] = {}
        self.touched_by_key: dict[int, Page] = {}
        self.report: Report
        self.run: Run
        self.keeper: Keeper
        self.sha256 = ""

    def go(self) -> Report:
        began = self.tick()
        self.sha256 = self._digest()
        store = self.store
        with store.database.begin() as tx:
            done, line = self._broken_off(tx)
            self.run = runs.begin(store, tx, self.page, runs.IMPORT)
            self._known_pages(tx)
        self.report = Report(page=self.page.id if self.page else None, run=self.run.id)
        self.keeper = Keeper(store, self.run.key, "observations/1", received=True, point=self.point)
        for start, first, lines in self._batches(done, line):
            self._keep(start, first, lines)
        self.report.seconds = self.tick() - began
        if self.report.gaps or self.report.unreadable:
            self.report.status = "partial"
        with store.database.begin() as tx:
            unread = len(self.report.unreadable)
            if unread:
                gap = GapFound(
                    f"{unread} lines of {self.file.name}", "they could not be read; their bytes are kept"
                )
                runs.note_gaps(store, tx, self.run, self.page, [gap], by=self.by)
                self.report.gaps.append(gap)
            runs.end(store, tx, self.run, self.report, self.touched.values(), by=self.by, why=self.why)
        return self.report

    def _digest(self) -> str:
        try:
            with self.file.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BadFile(f"{self.file} cannot be read: {error.strerror}") from error

    def _broken_off(self, tx: Tx) -> tuple[int, int]:
        """Where an earlier import of the same file stopped; earlier broken-off imports are ended."""
        place = (0, 0)
        for run in runs.interrupted(tx, self.page, runs.IMPORT):
            note = runs.noted(self.store, tx, run)
            if note.get("sha256") == self.sha256:
                place = max(place, (cast("int", note["bytes"]), cast("int", note["lines"])))
                gap_free = Report(page=self.page.id if self.page else None, run=run.id, status="partial")
                runs.end(
                    self.store,
                    tx,
                    run,
                    gap_free,
                    [],
                    by=self.by,
                    why=f"broken off after {note['lines']} lines, continued",
                )
        return place

    def _known_pages(self, tx: Tx) -> None:
        for page in pages.listed(tx):
            self._learn(page)

    def _learn(self, page: Page) -> PageRef:
        ref = self.refs[page.platform, page.name] = PageRef(page.key, page.id.bytes, page.platform, page.name)
        self.touched_by_key[page.key] = page
        return ref

    def _batches(self, done: int, line: int) -> Iterator[tuple[int, int, list[bytes]]]:
        """Lines in batches: the place of the first byte, the number of the first line, the lines."""
        total = self.file.stat().st_size
        try:
            with self.file.open("rb") as raw:
                content = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if self.file.suffix == ".gz" else raw
                skipped = 0
                while skipped < done:
                    skipped += len(content.read(min(1 << 20, done - skipped)))
                place, number, lines, weight = done, line, list[bytes](), 0
                for found in iter(lambda: content.readline(_LONGEST), b""):
                    lines.append(found)
                    weight += len(found)
                    if len(lines) >= _LINES or weight >= _BYTES:
                        yield place, number, lines
                        place, number, lines, weight = place + weight, number + len(lines), [], 0
                        if self.progress:
                            self.progress(raw.tell(), total)
                if lines:
                    yield place, number, lines
                if self.progress:
                    self.progress(total, total)
        except (EOFError, gzip.BadGzipFile) as error:
            raise BadFile(
                f"{self.file} is cut or not gzip: {error}",
                next="What was read before that is kept; import the whole file again.",
            ) from error

    def _keep(self, place: int, first: int, lines: list[bytes]) -> None:
        """Keep one batch of lines; those that cannot be read are kept as bytes of the file alone."""
        parsed: list[tuple[int, int, Line]] = []
        start = 0
        for number, content in enumerate(lines, start=first + 1):
            if content.strip():
                try:
                    parsed.append((start, number, parse(content)))
                except Unreadable as error:
                    self._unreadable(number, str(error))
            start += len(content)
        self._make_pages(parsed)
        body = b"".join(lines)
        seen = []
        for begin, number, line in parsed:
            ref = self._ref(line)
            if ref is None:
                self._unreadable(number, f"page {line.page!r} on {line.platform!r} is not in the registry")
                continue
            seen.append(Seen(ref, line.observation, [(0, begin, begin + len(lines[number - first - 1]))]))
            self.touched.setdefault(ref.key, self.touched_by_key[ref.key])
        now = self.store.clock.now()
        envelope = json.dumps(
            {
                "file": self.file.name,
                "sha256": self.sha256,
                "format": "observations",
                "first_byte": place,
                "bytes": len(body),
                "first_line": first + 1,
                "lines": len(lines),
                "at": now.isoformat(),
            }
        ).encode()

        def also(tx: Tx) -> None:
            runs.remember(
                self.store,
                tx,
                self.run,
                {"sha256": self.sha256, "bytes": place + len(body), "lines": first + len(lines)},
            )

        carried = Carried("file", now, 0, envelope, body, shared=False)
        self.report.tally.add(self.keeper.keep([carried], seen, also=also))
        self._files(seen)

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
        beside = (self.file.parent / (attachment.path or "")).resolve()
        if not beside.is_relative_to(self.file.parent.resolve()) or not beside.is_file():
            gap = GapFound(
                "an attachment",
                "its file does not lie beside the import",
                native_id=item.observation.native_id,
            )
            with store.database.begin() as tx:
                attachments.miss(store, tx, bytes(record), attachment.id)
                runs.note_gaps(store, tx, self.run, self.touched_by_key[item.page.key], [gap], by=self.by)
            self.report.gaps.append(gap)
            return
        with beside.open("rb") as file:
            attachments.keep(store, bytes(record), attachment.id, iter(lambda: file.read(1 << 20), b""))

    def _ref(self, line: Line) -> PageRef | None:
        if line.page is not None and (line.platform is not None or self.page is not None):
            platform = line.platform or (self.page.platform if self.page else "")
            return self.refs.get((platform, line.page))
        if self.page is not None:
            return self.refs[self.page.platform, self.page.name]
        return None

    def _make_pages(self, parsed: list[tuple[int, int, Line]]) -> None:
        if not self.make_pages:
            return
        wanted = {
            (line.platform, line.page): None
            for _, _, line in parsed
            if line.platform and line.page and (line.platform, line.page) not in self.refs
        }
        if not wanted:
            return
        with self.store.database.begin() as tx:
            made = pages.add_each(
                self.store,
                tx,
                [("import", str(platform), "", str(name), "", {}) for platform, name in wanted],
                by=self.by,
                why=f"named by the import of {self.file.name}",
            )
        for page in made:
            self._learn(page)

    def _unreadable(self, number: int, why: str) -> None:
        self.report.unreadable.append((number, why[:500]))

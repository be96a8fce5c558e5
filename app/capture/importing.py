"""Importing observations from a file: what it claims is received, in that file, from whoever gave it.

One JSON object a line (`observations` in the interface). A line that cannot be
read is reported with its number and reason, its bytes are kept with the rest,
and the import goes on. An import that was broken off goes on after its last
committed batch; importing a file again finds everything unchanged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.capture import attachments, pages, runs
from app.capture.keep import Carried, Keeper, PageRef, Seen
from app.capture.lines import BadFile, Stretch, opened, stretches
from app.capture.runs import GapFound, Report, Run
from app.db import ArchiveBusy, Tx
from app.records.nouns import Page
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import records
from connectors.contract import Attachment, Author, Kind, Observation, State

FORMATS = {"observations": "JSON Lines, one observation a line, plain or gzip (.gz)"}
_LINES, _BYTES = 2_000, 8 * 1024 * 1024
_DEEPEST, _PLATFORM, _PAGE, _RUNS = 100, 64, 500, 10_000
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_MARK = b"\xef\xbb\xbf"
"""The byte order mark with which some programs begin a file."""
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
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
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
    if extra and _deeper(extra, _DEEPEST):
        raise Unreadable("nested too deeply")
    listed = get("attachments") or ()
    if type(listed) is not list and listed != ():
        raise Unreadable("attachments is not a list")
    return Line(
        platform=_name(found, "platform", _PLATFORM),
        page=_name(found, "page", _PAGE),
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


def _name(found: Mapping[str, object], name: str, most: int) -> str | None:
    """A name that can stand in the registry of pages; an empty one is none."""
    value = _text(found, name)
    if value and (not value.strip() or len(value) > most or _CONTROL.search(value)):
        raise Unreadable(f"{name} is blank, longer than {most} characters, or holds control characters")
    return value or None


def _deeper(value: object, left: int) -> bool:
    """Whether lists and objects stand in one another more than `left` deep."""
    if not isinstance(value, (dict, list)):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_deeper(item, left - 1) for item in inside)


def _moment(found: Mapping[str, object], name: str) -> datetime | None:
    value = found.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(cast("str", value))
        if moment.tzinfo is not None:
            moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
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
            again = self._received_before(tx)
            self.run = runs.begin(store, tx, self.page, runs.IMPORT)
            self._known_pages(tx)
        self.report = Report(page=self.page.id if self.page else None, run=self.run.id)
        self.keeper = Keeper(
            store, self.run.key, "observations/1", received=True, again=again, point=self.point
        )
        for start, lines in self._batches(done, line):
            self._keep(start, lines)
        self.report.seconds = self.tick() - began
        if self.report.gaps or self.report.unreadable_total:
            self.report.status = "partial"
        with store.database.begin() as tx:
            self._note_unreadable(tx, self.run, self.report, self.report.unreadable_total)
            runs.remember(store, tx, self.run, {"sha256": self.sha256, "whole": True})
            runs.end(store, tx, self.run, self.report, self.touched.values(), by=self.by, why=self.why)
        return self.report

    def _digest(self) -> str:
        opened(self.file)[0].close()
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
                told = Report(page=self.page.id if self.page else None, run=run.id, status="partial")
                self._note_unreadable(tx, run, told, cast("int", note.get("unreadable", 0)))
                runs.end(
                    self.store,
                    tx,
                    run,
                    told,
                    [],
                    by=self.by,
                    why=f"broken off after {note['lines']} lines, continued",
                )
        return place

    def _received_before(self, tx: Tx) -> bool:
        """Whether the last file that was received whole is this very one: what it says of older states is then known.

        With another one in between, the same words are news: something was changed, and changed back.
        """
        for run in runs.recent(tx, limit=_RUNS):
            note = runs.noted(self.store, tx, run) if run.kind == runs.IMPORT else {}
            if note.get("whole"):
                return note["sha256"] == self.sha256
        return False

    def _note_unreadable(self, tx: Tx, run: Run, report: Report, number: int) -> None:
        if number:
            gap = GapFound(
                f"{number} lines of {self.file.name}", "they could not be read; their bytes are kept"
            )
            runs.note_gaps(self.store, tx, run, self.page, [gap], by=self.by)
            report.gaps.append(gap)

    def _known_pages(self, tx: Tx) -> None:
        for page in pages.listed(tx):
            self._learn(page)

    def _learn(self, page: Page) -> PageRef:
        ref = self.refs[page.platform, page.name] = PageRef(page.key, page.id.bytes, page.platform, page.name)
        self.touched_by_key[page.key] = page
        return ref

    def _batches(self, done: int, line: int) -> Iterator[tuple[int, list[Stretch]]]:
        """Lines in batches, each with the place of its first byte; `done` bytes and `line` lines are kept already."""
        total = self.file.stat().st_size
        raw, content = opened(self.file)
        with raw:
            skipped = 0
            while skipped < done and (passed := content.read(min(1 << 20, done - skipped))):
                skipped += len(passed)
            place, lines, weight = done, list[Stretch](), 0
            for found in stretches(content, line + 1):
                lines.append(found)
                weight += len(found.content)
                if len(lines) >= _LINES or weight >= _BYTES:
                    yield place, lines
                    place, lines, weight = place + weight, [], 0
                    if self.progress:
                        self.progress(raw.tell(), total)
            if lines:
                yield place, lines
            if self.progress:
                self.progress(total, total)

    def _keep(self, place: int, lines: list[Stretch]) -> None:
        """Keep one batch of lines; those that cannot be read are kept as bytes of the file alone."""
        first, last = lines[0].number, lines[-1]
        before = (place, first - 1, self.report.unreadable_total)
        parsed: list[tuple[int, Stretch, Line]] = []
        start = 0
        for line in lines:
            try:
                if line.why is not None:
                    raise Unreadable(line.why)
                if line.content.strip():
                    parsed.append(
                        (
                            start,
                            line,
                            parse(line.content.removeprefix(_MARK) if line.number == 1 else line.content),
                        )
                    )
            except Unreadable as error:
                if str(error):
                    self.report.cannot_read(line.number, str(error))
            start += len(line.content)
        self._make_pages(parsed)
        body = b"".join(line.content for line in lines)
        seen = []
        for begin, stretch, line_found in parsed:
            ref = self._ref(line_found)
            if ref is None:
                self.report.cannot_read(
                    stretch.number,
                    f"page {line_found.page!r} on {line_found.platform!r} is not in the registry",
                )
                continue
            seen.append(Seen(ref, line_found.observation, [(0, begin, begin + len(stretch.content))]))
            self.touched.setdefault(ref.key, self.touched_by_key[ref.key])
        if not body:
            return
        now = self.store.clock.now()
        envelope = json.dumps(
            {
                "file": self.file.name,
                "sha256": self.sha256,
                "format": "observations",
                "first_byte": place,
                "bytes": len(body),
                "first_line": first,
                "lines": last.number - first + 1,
                "at": now.isoformat(),
            }
        ).encode()
        # Files that lie beside come after the batch: until they are there, a broken-off import goes on before it.
        after = (
            place + len(body),
            last.number if last.content.endswith(b"\n") else last.number - 1,
            self.report.unreadable_total,
        )
        awaits = any(attachment.path for item in seen for attachment in item.observation.attachments)
        stopped = dict(zip(("bytes", "lines", "unreadable"), before if awaits else after, strict=True))

        def also(tx: Tx) -> None:
            runs.remember(self.store, tx, self.run, {"sha256": self.sha256, **stopped})

        carried = Carried("file", now, 0, envelope, body, shared=False)
        try:
            self.report.tally.add(self.keeper.keep([carried], seen, also=also))
        except IntegrityError as error:
            raise ArchiveBusy(
                "somebody else kept the same records at the same moment",
                next="Wait until the other import or capture ends, then import this file again.",
            ) from error
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
        beside = self._beside(attachment.path or "")
        if beside is None:
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

    def _beside(self, path: str) -> Path | None:
        """The file of that path beside the import, or None: elsewhere, no file, or not to be read."""
        folder = self.file.parent.resolve()
        with contextlib.suppress(OSError, ValueError):
            found = (folder / path).resolve()
            if found.is_relative_to(folder) and found.is_file() and os.access(found, os.R_OK):
                return found
        return None

    def _ref(self, line: Line) -> PageRef | None:
        if line.page is not None and (line.platform is not None or self.page is not None):
            platform = line.platform or (self.page.platform if self.page else "")
            return self.refs.get((platform, line.page))
        if self.page is not None:
            return self.refs[self.page.platform, self.page.name]
        return None

    def _make_pages(self, parsed: list[tuple[int, Stretch, Line]]) -> None:
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

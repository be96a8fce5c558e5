"""A look ahead: how what was handed in would be kept, and every problem in all of it. Nothing is changed."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from app.capture.formats import halves
from app.capture.formats.source import Counted, Line, Mark, Source, Unreadable
from app.capture.lines import Stretch
from connectors.contract import Observation

_ROWS, _REASONS, _PAGES = 10, 50, 100
_BUCKETS = 64
_TWICE = 20
_VALUE = re.compile("'[^']*'")
"""A cell's own words in a reason: reasons that differ in these alone are one."""


@dataclass(slots=True)
class Preview:
    """What an import would do."""

    file: str
    sha256: str
    format: str
    lines: int = 0
    """Lines, rows or items that hold something."""
    readable: int = 0
    rows: list[dict[str, object]] = field(default_factory=list)
    unreadable: dict[str, Counted] = field(default_factory=dict)
    unreadable_total: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    pages: Counter[tuple[str, str]] = field(default_factory=Counter)
    missing_pages: list[tuple[str, str]] = field(default_factory=list)
    twice: int = 0
    """Lines whose page and native id stood in an earlier line already."""
    twice_at: list[str] = field(default_factory=list)
    undated: int = 0
    earliest: datetime | None = None
    latest: datetime | None = None
    attachments: int = 0
    attachments_missing: Counted = field(default_factory=Counted)
    remarks: list[str] = field(default_factory=list)
    left: list[dict[str, object]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "format": self.format,
            "lines": self.lines,
            "readable": self.readable,
            "unreadable_total": self.unreadable_total,
            "unreadable": [
                {"why": why, "lines": counted.times, "first": counted.places}
                for why, counted in self.unreadable.items()
            ],
            "rows": self.rows,
            "kinds": dict(self.kinds),
            "pages": [
                {
                    "platform": platform,
                    "page": page,
                    "lines": number,
                    "in_registry": (platform, page) not in self.missing_pages,
                }
                for (platform, page), number in self.pages.items()
            ],
            "same_native_id": {"lines": self.twice, "first": self.twice_at},
            "undated": self.undated,
            "earliest": self.earliest.isoformat() if self.earliest else None,
            "latest": self.latest.isoformat() if self.latest else None,
            "attachments": {
                "named": self.attachments,
                "missing": self.attachments_missing.times,
                "first_missing": self.attachments_missing.places,
            },
            "remarks": self.remarks,
            "left": self.left,
            "changed": False,
        }

    def lines_told(self) -> Iterator[str]:
        """For a person."""
        yield f"{self.file}, SHA-256 {self.sha256}"
        yield f"{self.lines} lines: {self.readable} can be read, {self.unreadable_total} cannot. Nothing was changed."
        for row in self.rows:
            told = {name: value for name, value in row.items() if value not in (None, "", [], {})}
            yield "  " + "  ".join(f"{name}={value!r}" for name, value in told.items())
        for why, counted in self.unreadable.items():
            yield f"  cannot be read, {counted.times} times: {why} ({', '.join(counted.places)})"
        for (platform, page), number in self.pages.items():
            known = (
                "is not in the registry" if (platform, page) in self.missing_pages else "is in the registry"
            )
            yield f"  {number} for {page!r} on {platform}, which {known}"
        if self.twice:
            yield f"  {self.twice} lines bear a native id that an earlier line bears: one record, each difference a version ({', '.join(self.twice_at)})"
        if self.undated:
            yield f"  {self.undated} bear no time"
        if self.earliest and self.latest:
            yield f"  published from {self.earliest.isoformat()} to {self.latest.isoformat()}"
        if self.attachments:
            yield f"  {self.attachments} attachments are named, {self.attachments_missing.times} of them are not there ({', '.join(self.attachments_missing.places)})"
        yield from (f"  {remark}" for remark in self.remarks)
        yield from (f"  not taken: {one['name']} ({one['size']} bytes): {one['why']}" for one in self.left)


def preview(
    source: Source,
    *,
    page: tuple[str, str] | None,
    registry: Iterable[tuple[str, str]],
    progress: Callable[[int, int], None] | None = None,
) -> Preview:
    """Read everything that was handed in, keep nothing, and tell what an import would do with it.

    `page` is the page to which lines belong that name none; `registry` are
    the platform and name of every page that is known.
    """
    told = Preview(source.handed.name, source.handed.sha256, source.format)
    own = page or halves.page(source)
    known = set(registry)
    seen = _Ids()
    for number, (stretch, line) in enumerate(_lines(source, told)):
        if progress and number % 1000 == 0:
            progress(source.done(), source.total)
        _take(told, source, stretch, line, own, seen)
    told.remarks = list(source.remarks())
    told.left = [
        {"name": halves.replaced(one.name), "size": one.size, "why": one.why} for one in source.left()
    ]
    if repeated := seen.repeated():
        told.twice = sum(repeated.values())
        again: set[int] = set()
        for stretch, line in _lines(source, None):
            mark = _id(_page(line, own), line.observation.native_id)
            if mark in repeated and mark in again:
                told.twice_at.append(_place(stretch))
                if len(told.twice_at) == _TWICE:
                    break
            again |= {mark} & repeated.keys()
    told.missing_pages = [one for one in told.pages if one not in known]
    return told


def _lines(source: Source, told: Preview | None) -> Iterator[tuple[Stretch, Line]]:
    """Every line that can be read; those that cannot are counted."""
    for stretch in source.stretches(Mark()):
        try:
            if stretch.why is not None:
                raise Unreadable(stretch.why)
            lines = halves.read(source, stretch)
        except Unreadable as error:
            if told is not None and str(error):
                told.lines += 1
                told.unreadable_total += 1
                why = _VALUE.sub("'…'", str(error))[:200]
                if why not in told.unreadable and len(told.unreadable) >= _REASONS:
                    why = "other reasons"
                told.unreadable.setdefault(why, Counted()).add(_place(stretch))
            continue
        for line in lines:
            yield stretch, line


def _take(
    told: Preview, source: Source, stretch: Stretch, line: Line, own: tuple[str, str] | None, seen: _Ids
) -> None:
    found = line.observation
    told.lines += 1
    whose = _page(line, own)
    if whose is None:
        told.unreadable_total += 1
        told.unreadable.setdefault("it names no page, and none was given", Counted()).add(_place(stretch))
        return
    told.readable += 1
    told.kinds[str(found.kind)] += 1
    if whose in told.pages or len(told.pages) < _PAGES:
        told.pages[whose] += 1
    seen.add(_id(whose, found.native_id))
    if found.published_at is None:
        told.undated += 1
    else:
        told.earliest = min(told.earliest or found.published_at, found.published_at)
        told.latest = max(told.latest or found.published_at, found.published_at)
    for attachment in found.attachments:
        if attachment.path:
            told.attachments += 1
            opened = source.attachment(attachment.path)
            if opened is None:
                told.attachments_missing.add(f"{_place(stretch)}: {attachment.path[:100]}")
            elif hasattr(opened, "close"):
                opened.close()
    if len(told.rows) < _ROWS:
        told.rows.append(_shown(stretch, whose, found))


def _shown(stretch: Stretch, whose: tuple[str, str], found: Observation) -> dict[str, object]:
    """An observation as it would be kept."""
    author = found.author
    return {
        "line": _place(stretch),
        "platform": whose[0],
        "page": whose[1],
        "native_id": found.native_id,
        "kind": str(found.kind),
        "state": str(found.state),
        "author": {"id": author.id, "name": author.name, "handle": author.handle} if author else None,
        "published_at": found.published_at.isoformat() if found.published_at else None,
        "edited_at": found.edited_at.isoformat() if found.edited_at else None,
        "text": found.text,
        "html": found.html,
        "url": found.url,
        "in_reply_to": found.in_reply_to,
        "language": found.language,
        "attachments": [attachment.path or attachment.url for attachment in found.attachments],
        "counts": dict(found.counts),
        "extra": dict(found.extra),
        "private": found.private,
    }


def _page(line: Line, own: tuple[str, str] | None) -> tuple[str, str] | None:
    if line.page is not None and (line.platform is not None or own is not None):
        return line.platform or (own[0] if own else ""), line.page
    return own


def _place(stretch: Stretch) -> str:
    return (
        f"{halves.replaced(stretch.file)}: item {stretch.number}"
        if stretch.file
        else f"line {stretch.number}"
    )


def _id(whose: tuple[str, str] | None, native_id: str) -> int:
    told = "\0".join((*(whose or ("", "")), native_id)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest())


class _Ids:
    """The ids that were seen, eight bytes each, so that a million of them are counted in little memory."""

    def __init__(self) -> None:
        self.buckets = [array("Q") for _ in range(_BUCKETS)]

    def add(self, mark: int) -> None:
        self.buckets[mark % _BUCKETS].append(mark)

    def repeated(self) -> Mapping[int, int]:
        """Ids that were seen more than once, and how often more."""
        found: dict[int, int] = {}
        for bucket in self.buckets:
            ordered = sorted(bucket)
            for one, following in pairwise(ordered):
                if one == following:
                    found[one] = found.get(one, 0) + 1
        return found

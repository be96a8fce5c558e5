"""How far a production has come, on disk: what was numbered, with how many pages, in which files of which digest.

A journal is replaced whole, after everything that it speaks of is written
down. While documents are laid their files are not brought to disk one by one:
whoever goes on after a kill or a power cut reads every file that the journal
speaks of before believing it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, cast
from uuid import UUID

from app.disclosure.formats.fields import Digests
from app.disclosure.released import Item, Leaves, Released, Withheld, plain
from app.records.errors import Refused
from app.store import folders

_CHUNK = 1 << 20


class ItemsChanged(Refused):
    """What is to leave is not what it was when this production was begun."""

    code = "items-changed"


class Laid(NamedTuple):
    """A document whose files are written: whose, how many pages, whether it hides what leads to it, and its files."""

    record: UUID
    pages: int
    hides: bool
    mark: str
    """Of everything that leaves of it; another mark is another item."""
    files: Mapping[str, Digests]
    stood: Stood | None = None
    """None where an earlier version of the program laid it, or it is withheld."""

    def line(self) -> str:
        files = {name: list(told) for name, told in self.files.items()}
        told = [self.record.hex, self.pages, int(self.hides), self.mark, files]
        return json.dumps([*told, *([self.stood.told()] if self.stood is not None else [])]) + "\n"

    def as_laid(self, item: Item) -> Item:
        """The item as it stood when it was laid: each form of a production tells the same of it."""
        if self.stood is None or isinstance(item, Withheld):
            return item
        return replace(
            item, last_seen=self.stood.last_seen, counts=dict(self.stood.counts), series=self.stood.series
        )


class Stood(NamedTuple):
    """What is told of a record and goes on changing while nothing of it does: when it was last seen, its counts, its series."""

    last_seen: datetime
    counts: Mapping[str, int]
    series: str | None

    @classmethod
    def of(cls, item: Item) -> Stood | None:
        return None if isinstance(item, Withheld) else cls(item.last_seen, item.counts, item.series)

    def told(self) -> list[object]:
        return [self.last_seen.isoformat(), dict(self.counts), self.series]


def laid(line: str) -> Laid:
    """What `Laid.line` wrote."""
    record, pages, hides, mark, files, *more = json.loads(line)
    stood = next((Stood(datetime.fromisoformat(at), counts, series) for at, counts, series in more), None)
    digests = {name: Digests(*told) for name, told in files.items()}
    return Laid(UUID(hex=record), pages, bool(hides), mark, digests, stood)


def mark_of(item: Item) -> str:
    """What tells an item from another: a digest of all that leaves of it, but for the bytes of attachments that leave whole."""
    told = hashlib.blake2b(digest_size=12)

    def say(*parts: object) -> None:
        for part in parts:
            words = str(part).encode("utf-8", "surrogatepass")
            told.update(len(words).to_bytes(8, "big") + words)

    match item:
        case Withheld():
            say("withheld", item.id, item.kind, item.root, item.in_reply_to, item.day, item.author)
            for ground in item.grounds:
                say(ground.code, ground.citation, ground.explanation)
            say(*item.entries)
        case Released():
            say("released", item.id, item.kind, item.root, item.in_reply_to, item.url, item.native_id)
            say(item.author.id, item.author.name, item.author.handle, item.published_at, item.language)
            for made in item.redactions:
                say(made.where, made.code, made.citation, made.explanation)
            for version in item.versions:
                say(version.number, version.entry, version.state, version.edited_at, plain(version.text))
                say(version.html, len(version.attachments))
                for one in version.attachments:
                    say(one.id, one.leaves, one.media_type, one.size, plain(one.description), one.removed)
                    if one.chunks is not None and one.leaves is not Leaves.WHOLE:
                        for chunk in one.chunks():  # other regions may fill as many bytes
                            told.update(chunk)
    return told.hexdigest()


@dataclass(slots=True)
class Journal:
    """The file that says how far it has come; `told` is what it says."""

    file: Path
    told: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, file: Path) -> Journal:
        """What an earlier run wrote down, or an empty one."""
        try:
            return cls(file, cast("dict[str, Any]", json.loads(file.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            return cls(file)

    def note(self, **told: object) -> None:
        """Write down what has come to be, whole or not at all."""
        self.told |= told
        beside = self.file.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as out:
            json.dump(self.told, out, sort_keys=True)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self.file)
        folders.sync(self.file.parent)


class Spool:
    """The list of documents that are laid, one a line, in their order."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._out: IO[str] | None = None

    def cut(self, size: int) -> None:
        """Forget what was written after `size` bytes, and go on from there."""
        self.file.touch()
        os.truncate(self.file, size)
        self._out = self.file.open("a", encoding="utf-8")

    def add(self, one: Laid) -> None:
        assert self._out is not None
        self._out.write(one.line())

    def safe(self) -> int:
        """Bring it to disk; return how many bytes it has."""
        assert self._out is not None
        self._out.flush()
        os.fsync(self._out.fileno())
        return self._out.tell()

    def close(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[tuple[Laid, int]]:
        """Each document from a place on, with the place behind it."""
        with self.file.open("rb") as file:
            file.seek(start)
            place = start
            for line in file:
                if end is not None and place >= end:
                    return
                place += len(line)
                yield laid(line.decode()), place


class Hashing:
    """A file of the payload while it is written: counted and hashed on its way."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._size, self._sha256, self._md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)

    def write(self, content: bytes) -> None:
        self._sha256.update(content)
        self._md5.update(content)
        self._size += len(content)
        self._out.write(content)

    def digests(self) -> Digests:
        return Digests(self._size, self._sha256.hexdigest(), self._md5.hexdigest())


def put(payload: Path, name: str, content: bytes) -> Digests:
    """Write a file of the payload; one that stands there already from a run that was broken off is written anew."""
    file = payload / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        told = Hashing(out)
        told.write(content)
    return told.digests()


def stands(payload: Path, one: Laid) -> bool:
    """Whether every file of a document is what it was when it was laid."""
    return all(_sha256(payload / name) == told.sha256 for name, told in one.files.items())


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            told = hashlib.sha256()
            while chunk := content.read(_CHUNK):
                told.update(chunk)
            return told.hexdigest()
    except OSError:
        return None

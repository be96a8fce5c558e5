"""Looking for what should be gone: in every byte on disk, and in everything that the living keys open."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import func, select

from app.capture import lanes
from app.db import Database
from app.store import Store
from app.store.keyring import Keyring, named_table
from app.store.objects import Folder
from app.store.sealing import SealBroken, unseal, unseal_stream
from app.store.tables import (
    attachments,
    circle_members,
    circle_parts,
    circles,
    exchanges,
    metadata,
    objects,
    pieces,
    records,
    versions,
)
from app.store.wrapping import open_circle, open_file

CONTEXTS = [
    *(b"act", b"run", b"access", b"credentials", b"connection", b"connect/link", b"connect/visit"),
    *(b"renewal", b"answer", b"cursor"),
    *(
        b"cursor/" + name.encode()
        for name in (lanes.WINDOW, lanes.SWEEP, lanes.LATELY, lanes.SURGE, lanes.TOLD)
    ),
    b"cursor/" + lanes.STREAM.encode(),
    b"hint",
]
"""For what the columns that hold sealed content are sealed."""


def spellings(words: str) -> set[bytes]:
    """A text in every spelling in which it may lie around, in small letters where that tells nothing."""
    told: set[bytes] = set()
    for text in {words, words.casefold()}:
        plain = text.encode()
        told |= {plain, text.encode("utf-16-le"), text.encode("utf-16-be"), plain.hex().encode()}
        told |= {quote(text).encode(), quote(text, safe="").encode(), json.dumps(text)[1:-1].encode()}
        for shift in range(3):  # the bytes before it shift where a letter of base64 begins
            inner = base64.b64encode(bytes(shift) + plain)[(0, 2, 3)[shift] :]
            inner = inner.rstrip(b"=")[: -1 if (len(plain) + shift) % 3 else None]
            told |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return told


@dataclass(slots=True)
class Wanted:
    """What is looked for: each thing by its name, in all its spellings."""

    things: Mapping[str, str]
    spelt: dict[str, set[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.spelt = {name: spellings(words) for name, words in self.things.items()}

    def found_in(self, content: bytes) -> set[str]:
        small = content.lower()
        return {
            name
            for name, spelt in self.spelt.items()
            if any(one in content or one.lower() in small for one in spelt)
        }

    def found_in_files(self, *folders: Path) -> dict[str, set[str]]:
        """What is found in the bytes and in the names of every file below these folders."""
        found: dict[str, set[str]] = {}
        files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
        assert files, "there is nothing to look through"
        for file in files:
            if told := self.found_in(file.read_bytes()) | self.found_in(str(file.name).encode()):
                found[str(file)] = told
        return found


@dataclass(frozen=True, slots=True)
class Sealed:
    """Something sealed as it lies in a database or an object: under which contexts it may open."""

    where: str
    frame: bytes
    contexts: tuple[bytes, ...]
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A circle's or a file's secret, wrapped for one of those that have it."""

    identity: bytes
    wrapped: bytes
    opens: Callable[[bytes, bytes, bytes], bytes]


@dataclass(slots=True)
class Everything:
    """All that is sealed in a copy of an archive: what stands in its rows, and what lies in its objects."""

    sealed: list[Sealed]
    wrapped: list[Wrapped]

    @classmethod
    def of(cls, database: Database, folder: Path) -> Everything:
        with database.read() as tx:
            held = Folder(folder)
            frames: list[Sealed] = []
            for table in metadata.sorted_tables:
                frames += [
                    Sealed(f"{table.name}.{column.name}", bytes(row[column.name]), tuple(CONTEXTS))
                    for column in table.columns
                    if column.name.startswith("sealed")
                    for row in tx.execute(select(column)).mappings()
                    if row[column.name]
                ]
            in_versions = select(
                versions.c.number, records.c.id, objects.c.digest, versions.c.place, versions.c.size
            )
            for number, identity, digest, place, size in tx.execute(
                in_versions.join(records, records.c.key == versions.c.record).join(
                    objects, objects.c.key == versions.c.object
                )
            ):
                frames += _frame(
                    held, "version", bytes(digest), place, size, b"version/%d/" % number + bytes(identity)
                )
            in_pieces = (
                select(
                    pieces.c.commitment,
                    records.c.id,
                    circles.c.id,
                    exchanges.c.id,
                    func.coalesce(attachments.c.file, attachments.c.id),
                    objects.c.digest,
                    pieces.c.place,
                    pieces.c.size,
                )
                .join(objects, objects.c.key == pieces.c.object)
                .outerjoin(records, records.c.key == pieces.c.record)
                .outerjoin(circles, circles.c.key == pieces.c.circle)
                .outerjoin(exchanges, exchanges.c.key == pieces.c.exchange)
                .outerjoin(attachments, attachments.c.piece == pieces.c.key)
            )
            for commitment, *owners, attached, digest, place, size in tx.execute(in_pieces):
                owner = next(bytes(one) for one in owners if one is not None)
                if attached is not None:
                    context = b"stream/" + bytes(attached)
                else:
                    context = b"piece/" + owner + bytes(commitment)
                frames += _frame(held, "piece", bytes(digest), place, size, context, attached is not None)
            wrapped = [
                Wrapped(bytes(row[0]), bytes(row[1]), open_circle)
                for table in (circle_members, circle_parts)
                for row in tx.execute(
                    select(circles.c.id, table.c.wrapped).join(table, table.c.circle == circles.c.key)
                )
            ]
            shared = select(attachments.c.file, attachments.c.wrapped).where(
                attachments.c.wrapped.is_not(None)
            )
            wrapped += [Wrapped(bytes(row[0]), bytes(row[1]), open_file) for row in tx.execute(shared)]
        return cls(frames, wrapped)

    def opened(self, keyring: Keyring) -> Iterator[tuple[str, bytes]]:
        """Whatever any living key opens: every secret, every named key, every circle and every file that they lead to."""
        keys = living_keys(keyring)
        keys |= self._shared(keys)
        for one in self.sealed:
            for key in keys:
                content = _content(key, one)
                if content is not None:
                    yield one.where, content
                    break

    def _shared(self, keys: Iterable[bytes]) -> set[bytes]:
        found: set[bytes] = set()
        waiting = set(keys)
        while waiting:
            more: set[bytes] = set()
            for one in self.wrapped:
                for key in waiting:
                    try:
                        more.add(one.opens(key, one.identity, one.wrapped))
                    except SealBroken:
                        continue
            waiting = more - found
            found |= more
        return found


def living_keys(keyring: Keyring) -> set[bytes]:
    """Every secret that the keyring can give, and every key that it has by name."""
    keys = set(keyring.secrets(list(keyring.owners())).values())
    with keyring.database.read() as tx:
        names = list(tx.execute(select(named_table.c.name)).scalars())
    return keys | {keyring.named(name) for name in names}


def found_when_opened(wanted: Wanted, everything: Everything, store: Store) -> dict[str, set[str]]:
    """What is found in whatever the living keys of `store` open."""
    found: dict[str, set[str]] = {}
    opened = 0
    for where, content in everything.opened(store.keyring):
        opened += 1
        if told := wanted.found_in(content):
            found.setdefault(where, set()).update(told)
    assert opened, "no living key opened anything"
    return found


def _frame(
    held: Folder, where: str, digest: bytes, place: int, size: int, context: bytes, stream: bool = False
) -> list[Sealed]:
    """A frame where its object is still there."""
    if digest not in set(held.names()):
        return []
    return [Sealed(where, held.read(digest, place, size), (context,), stream)]


def _content(key: bytes, one: Sealed) -> bytes | None:
    for context in one.contexts:
        try:
            if one.stream:
                return b"".join(unseal_stream(key, context, [one.frame]))
            return unseal(key, context, one.frame)
        except SealBroken:
            continue
    return None

"""Publishing what proves the archive into a bucket, in compliance mode: tiles, checkpoints and notes of disposal.

What is published holds no content: tiles and entries hold hashes, random ids,
times and commitments, and a note of disposal says what a certificate says in
the open. So a lock that nobody can undo keeps nothing that a schedule may want
gone. Nothing of a record may ever be put here.

    published/checkpoint                 the newest signed checkpoint; each is a version of its own
    published/checkpoints/<size>         every checkpoint that was published
    published/tile/…, tile/entries/…     the ledger in the C2SP tlog-tiles layout
    published/log.vkey                   the key that checkpoints are verified with
    published/tombstones/<record>.json   that a record was disposed of
    published/epochs/<n>/…               the ledger under its later names, after a restore that lost entries
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from botocore.exceptions import ClientError

from app.records.errors import IntegrityFailure
from app.store import merkle
from app.store.canonical import Json, canonical
from app.store.export import bundle
from app.store.ledger import Ledger
from app.store.note import Checkpoint, NoteBroken, opened
from app.store.s3 import Bucket
from app.store.tiles import WIDTH, last_tile, path

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

_NEXT = "Somebody else published here, or the ledger is not what it was. Keep both as evidence; `muniment ledger verify` says which."


class PublishedOtherwise(IntegrityFailure):
    """What was published before contradicts what the archive says now."""

    code = "published-otherwise"


@dataclass(frozen=True, slots=True)
class Placed:
    """Something that is published, and until when nobody can remove it; None where the bucket has no lock."""

    path: str
    until: datetime | None
    new: bool


@dataclass(frozen=True, slots=True)
class Published:
    """How far the ledger is published."""

    size: int
    placed: int
    until: datetime | None


class Publish:
    """Puts what is never altered into the archive's bucket, locked in compliance mode for `days`.

    Publishing the same again changes nothing, except that a lock of which
    less than half is left is made longer. A lock is never made shorter: the
    storage refuses it.
    """

    def __init__(self, bucket: Bucket, *, days: int) -> None:
        self.requests, self.clock, self.bucket, self.days = bucket.requests, bucket.clock, bucket, days
        self.root = f"{bucket.root}published/"

    def ledger(self, book: Ledger, *, anew: bool = False) -> Published:
        """Publish the ledger up to a checkpoint signed now; its cost follows what is new since the last one.

        With `anew`, everything is gone through, and locks that run out are
        made longer. Raises `PublishedOtherwise` where the ledger is behind, or
        contradicts, the checkpoint that was published last.
        """
        note = book.checkpoint()
        size = Checkpoint.parse(opened(note, book.verifier())).size
        under = _under(book)
        before = self._before(book, size)
        placed = [
            self.place(under + name, data) for name, data in _files(book, 0 if anew else before, size)
        ]  # tiles first: whoever reads the checkpoint finds everything under it
        placed.append(self.place(f"{under}log.vkey", book.verifier().line().encode() + b"\n"))
        placed.append(self.place(f"{under}checkpoints/{size}", note.encode()))
        newest = self.place(f"{under}checkpoint", note.encode(), changes=True)
        placed.append(newest)
        return Published(size, sum(one.new for one in placed), newest.until)

    def tombstone(self, record: UUID, note: Mapping[str, Json]) -> Placed:
        """Publish that a record was disposed of: `note` MUST hold no content, no names and no native ids."""
        return self.place(f"tombstones/{record.hex}.json", canonical(dict(note)) + b"\n")

    def newest(self) -> list[str]:
        """The newest checkpoint that was published of each epoch of the ledger: what a restore must not contradict."""
        listed = self.requests.ask(
            lambda: self.requests.client.list_objects_v2(
                Bucket=self.requests.bucket, Prefix=f"{self.root}epochs/", Delimiter="/"
            )
        )
        later = [one["Prefix"].removeprefix(self.root) for one in listed.get("CommonPrefixes", [])]
        found = []
        for under in ("", *later):
            head = self._head(f"{under}checkpoint")
            if head is not None:
                found.append(self._read(f"{under}checkpoint", head).decode())
        return found

    def place(self, name: str, data: bytes, *, changes: bool = False) -> Placed:
        """Put `data` under a name, once; other bytes under it are `PublishedOtherwise`, unless the name `changes`."""
        head = self._head(name)
        if head is not None:
            if self._read(name, head) == data:
                return self._longer(name, head)
            if not changes:
                raise PublishedOtherwise(
                    f"{self.bucket.where}/published/{name} says something else", next=_NEXT
                )
        until = self._until()
        asked: dict[str, Any] = self._named(name)
        if until is not None:
            asked |= {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        self.requests.ask(
            lambda: self.requests.client.put_object(
                Body=data,
                ContentType="application/octet-stream",
                ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode("ascii"),
                **asked,
            )
        )
        return Placed(name, until, new=True)

    def _longer(self, name: str, head: HeadObjectOutputTypeDef) -> Placed:
        """What is published already, its lock made longer, or as strong as it is meant to be, where it is neither."""
        told: Mapping[str, Any] = head  # its type says that all of it is always there
        held: datetime | None = told.get("ObjectLockRetainUntilDate")
        wanted = self._until()
        if wanted is None:
            return Placed(name, held, new=False)
        enough = wanted - timedelta(days=self.days / 2)
        if told.get("ObjectLockMode") == "COMPLIANCE" and held is not None and held >= enough:
            return Placed(name, held.astimezone(UTC), new=False)
        until = max(wanted, held) if held is not None else wanted
        self.requests.ask(
            lambda: self.requests.client.put_object_retention(
                **self._named(name),
                VersionId=head["VersionId"],
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
            )
        )
        return Placed(name, until.astimezone(UTC), new=False)

    def _before(self, book: Ledger, size: int) -> int:
        """How many entries are published; what was published last is held against the ledger as it is now."""
        name = f"{_under(book)}checkpoint"
        head = self._head(name)
        if head is None:
            return 0
        try:
            note = self._read(name, head).decode()
            said = Checkpoint.parse(opened(note, book.verifier()))
        except (NoteBroken, UnicodeDecodeError) as error:
            raise PublishedOtherwise(
                f"the checkpoint in {self.bucket.where} is not ours: {error}", next=_NEXT
            ) from error
        if said.size > size:
            raise PublishedOtherwise(
                f"a checkpoint of {said.size} entries was published, and the ledger has {size}",
                next="An older copy of the database was put in place. Restore the newest one; nothing is published until then.",
            )
        if merkle.root(book.tiles.at(said.size), said.size) != said.root:
            raise PublishedOtherwise(
                f"the first {said.size} entries are not those that were published", next=_NEXT
            )
        return said.size

    def _until(self) -> datetime | None:
        if not self.days or not self.bucket.rule().lockable:
            return None
        return (self.clock.now() + timedelta(days=self.days)).replace(microsecond=0)

    def _head(self, name: str) -> HeadObjectOutputTypeDef | None:
        try:
            return self.requests.ask(partial(self.requests.client.head_object, **self._named(name)))
        except ClientError:
            return None

    def _read(self, name: str, head: HeadObjectOutputTypeDef) -> bytes:
        """The bytes of the very version that was looked at; a bucket without versions has but one."""
        told: Mapping[str, Any] = head  # its type says that all of it is always there
        asked = self._named(name) | ({"VersionId": told["VersionId"]} if told.get("VersionId") else {})

        def whole() -> bytes:
            return self.requests.client.get_object(**asked)["Body"].read()

        return self.requests.ask(whole)

    def _named(self, name: str) -> dict[str, Any]:
        return {"Bucket": self.requests.bucket, "Key": self.root + name}


def _under(book: Ledger) -> str:
    """Where an epoch of the ledger is published: what was published under an earlier name is never written over."""
    number = book.origin.rpartition("/")[2]
    return "" if number == "1" else f"epochs/{number}/"


def _files(book: Ledger, before: int, size: int) -> Iterator[tuple[str, bytes]]:
    """The tiles and bundles that a ledger of `size` entries has more than one of `before`."""
    level = 0
    while size >> (8 * level):
        count = size >> (8 * level)
        for number in range(last_tile(before >> (8 * level)), -(-count // WIDTH)):
            width = min(WIDTH, count - number * WIDTH)
            name = path(level, number, width)
            yield name, book.tiles.tile(level, number, width)
            if level == 0:
                yield name.replace("tile/0/", "tile/entries/", 1), bundle(book, number, width)
        level += 1

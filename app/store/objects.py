"""Objects: sealed bytes in files that are written once, named by the SHA-256 of what they hold."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from app.db import DiskFull
from app.records.errors import IntegrityFailure, Refused
from app.store import folders

_CHUNK = 1 << 20
_NAME = re.compile("[0-9a-f]{64}")


class ObjectMissing(IntegrityFailure):
    """The database speaks of an object that is not there."""

    code = "object-missing"


class FixityMismatch(IntegrityFailure):
    """An object does not hold the bytes that its name says."""

    code = "fixity-mismatch"


class ObjectLocked(Refused):
    """The storage's own lock holds an object: it cannot be removed before a moment, or not by us."""

    code = "object-locked"

    def __init__(self, message: str, *, until: datetime | None, mode: str, next: str = "") -> None:
        super().__init__(message, next=next)
        self.until, self.mode = until, mode


@dataclass(frozen=True, slots=True)
class Kept:
    """An object that is on disk and survives a power cut."""

    digest: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Guard:
    """Where objects lie, and what keeps them from being removed or replaced behind our back."""

    where: str
    locked: bool
    says: tuple[str, ...]


class Objects(Protocol):
    """Where sealed bytes lie. Nothing in it is ever rewritten."""

    def put(self, chunks: Iterable[bytes]) -> Kept:
        """Store the bytes and return their name.

        When this returns, they survive a power cut. Putting the same bytes
        twice is one object. Memory stays bounded by one chunk.
        """
        ...

    def read(self, digest: bytes, place: int, size: int) -> bytes:
        """`size` bytes from `place`; raises `ObjectMissing` or `FixityMismatch` when they are not there."""
        ...

    def stream(self, digest: bytes, place: int, size: int) -> Iterator[bytes]:
        """The same, in chunks."""
        ...

    def check(self, digest: bytes) -> int:
        """Read all of an object and return its size; raises `FixityMismatch` unless it holds what its name says."""
        ...

    def names(self, *, older_than: datetime | None = None) -> Iterator[bytes]:
        """The digests of everything that is there, or that was put there before a moment."""
        ...

    def discard(self, digest: bytes, *, bypass: bool = False) -> None:
        """Remove an object that nothing refers to; one that is not there is no error.

        When this returns, it stays gone after a power cut. Raises
        `ObjectLocked` where the storage's own lock holds it. `bypass`
        asks the storage to set such a lock aside; only destruction may.
        """
        ...

    def sweep(self, *, older_than: datetime) -> int:
        """Discard what a `put` that was broken off before a moment left; return how many that were."""
        ...

    def describe(self) -> Guard:
        """Say what guards the objects; raises what is wrong where they cannot be reached."""
        ...


class Folder:
    """Objects in a local folder: `ab/cd…` under two letters of the name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "incoming").mkdir(parents=True, exist_ok=True)

    def put(self, chunks: Iterable[bytes]) -> Kept:
        digest, size = hashlib.sha256(), 0
        coming = self.folder / "incoming" / secrets.token_hex(8)
        try:
            with coming.open("xb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            kept = self._path(digest.digest())
            kept.parent.mkdir(exist_ok=True)
            coming.rename(kept)
            folders.sync(kept.parent)
            folders.sync(self.folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                coming.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise DiskFull(
                    "the disk that holds the objects is full", next="Make room, then run again."
                ) from error
            raise
        except BaseException:
            coming.unlink(missing_ok=True)
            raise
        return Kept(digest.digest(), size)

    def read(self, digest: bytes, place: int, size: int) -> bytes:
        with self._open(digest, place, size) as file:
            data = os.pread(file.fileno(), size, place)
        if len(data) != size:
            raise FixityMismatch(f"object {digest.hex()} is shorter than it was")
        return data

    def stream(self, digest: bytes, place: int, size: int) -> Iterator[bytes]:
        with self._open(digest, place, size) as file:
            file.seek(place)
            left = size
            while left:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    raise FixityMismatch(f"object {digest.hex()} is shorter than it was")
                left -= len(chunk)
                yield chunk

    def check(self, digest: bytes) -> int:
        with self._open(digest) as file:
            if hashlib.file_digest(file, "sha256").digest() != digest:
                raise FixityMismatch(f"object {digest.hex()} does not hold what its name says")
            return file.tell()

    def names(self, *, older_than: datetime | None = None) -> Iterator[bytes]:
        for folder in sorted(self.folder.iterdir()):
            if len(folder.name) == 2 and folder.is_dir():
                for file in sorted(folder.iterdir()):
                    if not _NAME.fullmatch(folder.name + file.name):
                        continue  # not ours: a file manager's, a backup tool's
                    if older_than is None or file.stat().st_mtime < older_than.timestamp():
                        yield bytes.fromhex(folder.name + file.name)

    def discard(self, digest: bytes, *, bypass: bool = False) -> None:  # noqa: ARG002 - a folder has no lock
        file = self._path(digest)
        file.unlink(missing_ok=True)
        if file.parent.is_dir():
            folders.sync(file.parent)  # whoever writes down that it is gone must not see it again

    def sweep(self, *, older_than: datetime) -> int:
        left = [
            file
            for file in (self.folder / "incoming").iterdir()
            if file.stat().st_mtime < older_than.timestamp()
        ]
        for file in left:
            file.unlink(missing_ok=True)
        return len(left)

    def describe(self) -> Guard:
        return Guard(
            where=str(self.folder),
            locked=False,
            says=("whoever may write the folder can remove or replace what lies there; fixity finds it",),
        )

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.folder / name[:2] / name[2:]

    def _open(self, digest: bytes, place: int = 0, size: int = 0) -> BufferedReader:
        """The object's file; raises `FixityMismatch` at once when `size` bytes from `place` cannot be in it."""
        try:
            file = self._path(digest).open("rb")
        except (
            FileNotFoundError,
            IsADirectoryError,
            NotADirectoryError,
        ) as error:  # or it is the name of none
            raise ObjectMissing(f"object {digest.hex()} is not in {self.folder}") from error
        if not 0 <= place <= place + size <= os.fstat(file.fileno()).st_size:
            file.close()
            raise FixityMismatch(f"object {digest.hex()} is shorter than it was")
        return file

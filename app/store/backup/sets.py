"""Sets: a folder that holds one copy of the data or of the keys, and a signed list of everything in it.

A set is whole when its list stands under its name, which is the last thing
that happens to it. Until then the folder bears a mark that says so; such a
folder is never restored, and the next backup into it begins anew. The list is
signed with the ledger's own key: a set in which one byte is another, or that
belongs to another archive, is known before anything is put anywhere.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import msgspec

from app.db import DiskFull
from app.records.errors import IntegrityFailure, Invalid, Refused
from app.store.canonical import canonical
from app.store.ledger import timestamp
from app.store.note import NoteBroken, Signer, Verifier, opened
from app.store.proofs import FolderNotEmpty
from app.store.store import Agency

FORMAT = "muniment-backup/1"
DATA, KEYS = "data", "keys"
MANIFEST, NOTE, BROKEN_OFF = "manifest.json", "manifest.note", "incomplete"
_NOBODYS = {"lost+found"}
"""What a disk's own folder holds before anybody has put anything there."""
_CHUNK = 1 << 20


class NoBackup(Invalid):
    """The folder holds no whole set: it is another folder, or a backup into it was broken off."""

    code = "no-backup"


class BackupAltered(IntegrityFailure):
    """A set is not what was written: a file is missing, or its bytes are others."""

    code = "backup-altered"


class SetsDiffer(Refused):
    """The two sets are not of one archive."""

    code = "sets-differ"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a set, by its place below the folder."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, folder: Path, name: str) -> File:
        digest, size = hashlib.sha256(), 0
        with (folder / name).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        return cls(name, size, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Log:
    """An epoch of the ledger, by its name and public key."""

    origin: str
    vkey: str

    @property
    def number(self) -> int:
        return number_of(self.origin)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a set says of itself. `told` is what only sets of its kind say."""

    kind: str
    backup: UUID
    at: datetime
    program: str
    agency: Agency
    logs: Sequence[Log]
    """Every epoch of the ledger, the oldest first; the last one signs."""
    size: int
    root: bytes
    """The largest checkpoint known to have been signed in the last epoch when the set was made."""
    database: Mapping[str, str]
    files: Sequence[File]
    told: Mapping[str, Any]

    def verifier(self) -> Verifier:
        return Verifier.parse(self.logs[-1].vkey)

    def written(self) -> bytes:
        return canonical(
            {
                "format": FORMAT,
                "set": self.kind,
                "backup": self.backup.hex,
                "at": timestamp(self.at),
                "program": self.program,
                "agency": {
                    "name": self.agency.name,
                    "domain": self.agency.domain,
                    "timezone": self.agency.timezone,
                    "origin": self.agency.origin,
                },
                "logs": [{"origin": log.origin, "vkey": log.vkey} for log in self.logs],
                "signed": {"size": self.size, "root": self.root.hex()},
                "database": dict(self.database),
                "files": [{"name": one.name, "bytes": one.bytes, "sha256": one.sha256} for one in self.files],
                "told": dict(self.told),
            }
        )

    @classmethod
    def read(cls, body: bytes) -> Manifest:
        try:
            told = msgspec.json.decode(body)
            if told["format"] != FORMAT:
                raise NoBackup(
                    f"the set is of the form {told['format']!r}, this program reads {FORMAT}",
                    next="Restore it with the version that made it, then upgrade.",
                )
            return cls(
                kind=told["set"],
                backup=UUID(hex=told["backup"]),
                at=datetime.fromisoformat(told["at"]).astimezone(UTC),
                program=told["program"],
                agency=Agency(**told["agency"]),
                logs=[Log(one["origin"], one["vkey"]) for one in told["logs"]],
                size=told["signed"]["size"],
                root=bytes.fromhex(told["signed"]["root"]),
                database=told["database"],
                files=[File(_inside(one["name"]), one["bytes"], one["sha256"]) for one in told["files"]],
                told=told["told"],
            )
        except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise BackupAltered(f"the list of the set cannot be read: {error}") from error


def _inside(name: str) -> str:
    """A name that leads nowhere but into the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} is no file of a set")
    return name


def number_of(origin: str) -> int:
    """The number of a ledger's epoch, which its name ends with."""
    told = origin.rpartition("/")[2]
    return int(told) if told.isdecimal() else 0


# -- writing -----------------------------------------------------------------------------------------------


@contextmanager
def writing(folder: Path, kind: str) -> Iterator[None]:
    """Make a set in an empty folder. What goes wrong on the way leaves the folder as empty as it was.

    Raises `FolderNotEmpty`, unless what lies there is a backup that was broken
    off: that is no backup, and is cleared away.
    """
    begun = False
    with full_disk(folder):
        try:
            _begin(folder, kind)
            begun = True
            yield
        except BaseException:
            if begun:
                clear(folder)
            raise


def must_be_free(folder: Path) -> None:
    """Raise `FolderNotEmpty` where a set would be mixed with something else."""
    if not folder.exists() or is_broken_off(folder):
        return
    if not folder.is_dir() or {file.name for file in folder.iterdir()} - _NOBODYS:
        raise FolderNotEmpty(
            f"{folder} is not an empty folder", next="Each backup goes into an empty folder of its own."
        )


def is_broken_off(folder: Path) -> bool:
    """Whether a backup into this folder was begun and never came to its end."""
    return (folder / BROKEN_OFF).is_file() and not (folder / MANIFEST).exists()


def _begin(folder: Path, kind: str) -> None:
    must_be_free(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / BROKEN_OFF).touch()
    clear(folder, but=BROKEN_OFF)
    (folder / BROKEN_OFF).write_text(f"a backup of the {kind}, not finished: it cannot be restored\n")
    if kind == KEYS:
        folder.chmod(0o700)


def clear(folder: Path, *, but: str | None = None) -> None:
    """Take everything out of a folder that holds a backup which was broken off."""
    for found in folder.iterdir():
        if found.name in _NOBODYS or found.name == but:
            continue
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()


def seal(folder: Path, manifest: Manifest, signer: Signer, point: Callable[[str], None]) -> None:
    """Sign the list of a set and put it in place: from here on the set is whole, and survives a power cut."""
    body = manifest.written()
    (folder / NOTE).write_text(signer.sign(_noted(body)), encoding="utf-8")
    coming = folder / f"{MANIFEST}.part"
    coming.write_bytes(body)
    # One call for the whole disk rather than one for each of many small files.
    os.sync()
    point(f"before-{manifest.kind}-whole")
    coming.rename(folder / MANIFEST)
    (folder / BROKEN_OFF).unlink()
    sync(folder)
    point(f"after-{manifest.kind}-whole")


def _noted(body: bytes) -> str:
    """What is signed. It begins otherwise than any checkpoint, whose first line names its ledger."""
    return f"{FORMAT}\n{hashlib.sha256(body).hexdigest()}\n"


def sync(folder: Path) -> None:
    """Make a folder's names survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Say so where the disk of `folder` has no room left."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                f"the disk that holds {folder} is full", next="Make room, or name another disk."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise Invalid(f"{folder} cannot be written: {error.strerror}") from error
        raise


# -- reading -----------------------------------------------------------------------------------------------


def read(folder: Path, kind: str) -> Manifest:
    """What the set in `folder` says of itself, if it is whole, of that kind, and signed by the key that it names."""
    try:
        body, note = (folder / MANIFEST).read_bytes(), (folder / NOTE).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        if is_broken_off(folder):
            raise NoBackup(
                f"the backup in {folder} was broken off", next="Take one that is whole."
            ) from error
        if (folder / MANIFEST).exists():
            raise BackupAltered(f"{folder / NOTE} is missing") from error
        raise NoBackup(
            f"{folder} holds no backup", next="Name the folder that `muniment backup` wrote."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BackupAltered(f"the list of {folder} cannot be read: {error}") from error
    manifest = Manifest.read(body)
    try:
        if opened(note, manifest.verifier()) != _noted(body):
            raise BackupAltered(f"the list of {folder} is not the one that was signed")
    except (NoteBroken, LookupError) as error:
        raise BackupAltered(f"the list of {folder}: {error}") from error
    if manifest.kind != kind:
        raise NoBackup(
            f"{folder} holds a backup of the {manifest.kind}, not of the {kind}",
            next="Write `muniment restore DATA --keys KEYS`.",
        )
    return manifest


def must_be_as_written(folder: Path, manifest: Manifest) -> None:
    """Read every file of the list; raise `BackupAltered` at the first one that is not what it was."""
    for one in manifest.files:
        try:
            found = File.of(folder, one.name)
        except OSError as error:
            raise BackupAltered(f"{folder / one.name} cannot be read: {error.strerror}") from error
        if found != one:
            raise BackupAltered(
                f"{folder / one.name} is not the file that was written",
                next="Keep this set as it is, and restore another one.",
            )


def must_belong_together(data: Manifest, keys: Manifest) -> None:
    """Raise `SetsDiffer` unless both are of one archive, whichever of them is the older."""
    shared = min(len(data.logs), len(keys.logs))
    if data.agency.domain != keys.agency.domain or list(data.logs[:shared]) != list(keys.logs[:shared]):
        raise SetsDiffer(
            f"the data are of {data.logs[-1].origin}, the keys of another archive"
            if data.agency.domain == keys.agency.domain
            else f"the data are of {data.agency.domain}, the keys of {keys.agency.domain}",
            next="Name two sets of one archive.",
        )


def chunks(file: Path) -> Iterable[bytes]:
    with file.open("rb") as opened_:
        while chunk := opened_.read(_CHUNK):
            yield chunk

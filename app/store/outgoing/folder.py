"""The folder that an export goes to: whose it is, how far it has come, and that nobody else writes to it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from app.db import DiskFull
from app.records.errors import Invalid, Refused, Unavailable
from app.store.outgoing.ocfl import write_json

MARKER = "muniment-export.json"
COMING = ".muniment-coming"
"""Where things are made before they are moved into their place; gone when the export is done."""
UNDER_WAY, DONE = "under way", "done"
_FORM = 1


class FolderOfSomethingElse(Invalid):
    """The folder to write to holds something that is not this export; nothing was written."""

    code = "folder-of-something-else"


class ExportDone(Refused):
    """The folder holds this export already, and it is complete."""

    code = "export-done"


class ExportBusy(Unavailable):
    """Another process is writing this export."""

    code = "export-busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an export is of. A second run into the same folder is of exactly the same, or it is refused."""

    form: str
    origin: str
    pages: tuple[str, ...]
    """The ids of the pages that were named; none: the whole archive."""
    messages: bool
    software: str


@dataclass(slots=True)
class Going:
    """An export under way in its folder."""

    folder: Path
    scope: Scope
    size: int
    """After how many ledger entries it stands."""
    resumed: bool

    @property
    def coming(self) -> Path:
        return self.folder / COMING

    def progress(self) -> dict[str, object]:
        """How far it had come, as it was last written down."""
        try:
            told: dict[str, object] = json.loads((self.coming / "progress.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return told

    def has_come(self, told: Mapping[str, object]) -> None:
        """Write down how far it has come, whole or not at all."""
        beside = self.coming / "progress.new"
        write_json(beside, told)
        beside.replace(self.coming / "progress.json")

    def note(self, told: Mapping[str, object]) -> None:
        """Write the marker: whose the folder is, and what it holds."""
        beside = self.coming / "marker.new"
        write_json(beside, {"form": _FORM, "size": self.size, **_plain(self.scope), **told})
        beside.replace(self.folder / MARKER)

    def done(self, told: Mapping[str, object], settle: Callable[[], None]) -> None:
        """Everything is in its place: have it on disk, say so, and leave nothing that was on its way."""
        settle()
        self.note({"state": DONE, **told})
        shutil.rmtree(self.coming)


@contextmanager
def opened(folder: Path, scope: Scope, begin: Callable[[], int]) -> Iterator[Going]:
    """Begin an export in an empty folder, or go on with the one that was broken off there.

    `begin` says after how many entries a new export stands; one that goes on
    stands where it began.
    """
    before = _before(folder, scope)
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)  # what people said, in the clear
    (folder / COMING).mkdir(exist_ok=True)
    handle = os.open(folder / COMING / "lock", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ExportBusy(
                f"another process is writing to {folder}", next="Wait until it has ended, then look again."
            ) from error
        going = Going(folder, scope, begin() if before is None else before, before is not None)
        with _room(folder):
            if before is None:
                going.note({"state": UNDER_WAY})
            yield going
    finally:
        os.close(handle)


def must_lie_outside(folder: Path, home: Path) -> None:
    """Refuse a folder in the archive's own: what leaves is in the clear, and backups take that folder along."""
    if folder.resolve().is_relative_to(home.resolve()):
        raise FolderOfSomethingElse(
            f"{folder} lies in the archive's own folder {home}", next="Name a new folder elsewhere."
        )


def _before(folder: Path, scope: Scope) -> int | None:
    """Where the export stands that was begun in the folder; None where the folder is empty."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise FolderOfSomethingElse(f"{folder} is not a folder", next="Name a new folder.")
    inside = {one.name for one in folder.iterdir()}
    try:
        told = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        size, state = int(told["size"]), str(told["state"])
    except FileNotFoundError:
        if inside <= {COMING}:
            return None  # broken off before it was written down what this is to be
        raise FolderOfSomethingElse(
            f"{folder} holds something that is no export of ours", next="Name a new folder."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise FolderOfSomethingElse(
            f"{folder / MARKER} cannot be read: {error}", next="Name a new folder."
        ) from error
    differs = [name for name, value in _plain(scope).items() if told.get(name) != value]
    if differs:
        raise FolderOfSomethingElse(
            f"{folder} holds an export that differs in: {', '.join(differs)}", next="Name a new folder."
        )
    if state == DONE:
        raise ExportDone(
            f"{folder} holds a complete export as of {size} ledger entries",
            next="Name a new folder for another.",
        )
    return size


def _plain(scope: Scope) -> dict[str, object]:
    return {**asdict(scope), "pages": list(scope.pages)}


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Say what to do where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"the disk that holds {folder} is full",
                next="Make room, then run the same command again; it goes on where it was.",
            ) from error
        raise

"""What happened after a copy of the keys was made, left beside it as long as it can be reached.

Whenever a checkpoint is signed, it is written beside the copies of the keys,
with the list of what was disposed of since each was made, signed with the
ledger's key. A restore of that copy then knows what the copy cannot. It is a
help and no promise: a disk that is not there learns nothing, and nobody waits
for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from app.db import Tx
from app.records.errors import ArchiveError
from app.store.backup import disposed, epochs, kept, sets
from app.store.backup.disposed import Carried
from app.store.backup.epochs import Known
from app.store.backup.kept import KeyCopy
from app.store.backup.sets import BackupAltered, Log, Manifest, number_of
from app.store.canonical import canonical
from app.store.note import NoteBroken, Verifier, opened, parts_of
from app.store.store import Store

_FIRST = "muniment-later/1"
_WAIT = 5.0
_log = logging.getLogger("muniment")


class Beside:
    """Tells the copies of the keys of each checkpoint that is signed, in a thread that nobody waits long for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._busy = threading.Lock()

    def __call__(self, note: str) -> None:
        try:
            with self.store.database.read() as tx:
                known = [one for one in kept.key_copies(tx) if one.done and not one.destroyed]
        except ArchiveError as error:
            _log.debug("nothing was left beside the keys: %s", error)
            return
        if not known or not self._busy.acquire(blocking=False):
            return  # a disk that does not answer holds up the next telling, and nothing else
        teller = threading.Thread(target=self._tell, args=(known, note), daemon=True, name="beside-the-keys")
        teller.start()
        teller.join(_WAIT)

    def _tell(self, copies: Sequence[KeyCopy], note: str) -> None:
        try:
            for copy in copies:
                folder = Path(copy.place)
                try:
                    if sets.read(folder, sets.KEYS).backup == copy.backup:
                        with self.store.database.read() as tx:
                            self._write(tx, copy, folder, note)
                except (ArchiveError, OSError) as error:
                    _log.debug("nothing was left beside the keys of backup %s: %s", copy.backup, error)
        finally:
            self._busy.release()

    def _write(self, tx: Tx, copy: KeyCopy, folder: Path, note: str) -> None:
        list_, said = _files(folder, number_of(self.store.ledger.origin))
        coming = list_.with_name(f"{list_.name}.part")
        count = disposed.write(tx, coming, since=copy.entry)
        digest = hashlib.sha256(coming.read_bytes()).hexdigest()
        coming.replace(list_)
        told = canonical(
            {
                "backup": copy.backup.hex,
                "checkpoint": note,
                "disposed": {"count": count, "sha256": digest},
                "successions": [one.succession for one in self.store.ledger.ended(tx)],
            }
        )
        signed = self.store.ledger.signer().sign(f"{_FIRST}\n{told.decode()}\n")
        coming = said.with_name(f"{said.name}.part")
        coming.write_text(signed, encoding="utf-8")
        coming.replace(said)
        sets.sync(folder)


def _files(folder: Path, number: int) -> tuple[Path, Path]:
    """The list and the note of an epoch of the ledger: what an earlier one left is never written over."""
    return folder / f"later-{number}.jsonl", folder / f"later-{number}.note"


@dataclass(slots=True)
class Later:
    """What is known to have happened after a copy of the keys was made."""

    known: list[Known] = field(default_factory=list)
    disposed: list[Sequence[Carried]] = field(default_factory=list)


def look(folder: Path, manifest: Manifest, logs: Sequence[Log]) -> Later:
    """What lies beside a copy of the keys. What is not signed with a key of the ledger says nothing of disposals.

    Raises `BackupAltered` where it cannot be read: whoever knows why may take
    it away, and restore without it.
    """
    found = Later()
    for file in sorted(folder.glob("later-*.note"), key=lambda file: (len(file.name), file.name)):
        try:
            note = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _altered(file, str(error)) from error
        told = _told(file, note)
        if told.get("backup") != manifest.backup.hex:
            raise _altered(file, "it belongs to another backup")
        logs = epochs.succeeded(logs, told["successions"])
        try:
            found.known.append(
                epochs.read(
                    str(told["checkpoint"]), logs, manifest.agency.domain, f"{folder.name}/{file.name}"
                )
            )
        except epochs.NotACheckpoint as error:
            raise _altered(file, str(error)) from error
        list_ = file.with_suffix(".jsonl")
        if not _is_signed(note, logs) or not list_.exists():
            continue
        # Where a crash came between the two files, the next telling would have mended it.
        if hashlib.sha256(list_.read_bytes()).hexdigest() == told["disposed"]["sha256"]:
            found.disposed.append(disposed.read(list_))
    return found


def _altered(file: Path, why: str) -> BackupAltered:
    return BackupAltered(
        f"{file} is not what was left there: {why}",
        next="Find out who changed it. Without the file, the backup is restored without what it says.",
    )


def _told(file: Path, note: str) -> dict[str, Any]:
    try:
        text, _ = parts_of(note)
        first, body, _ = text.split("\n")
        told: dict[str, Any] = msgspec.json.decode(body)
        if first != _FIRST or not {"backup", "checkpoint", "disposed", "successions"} <= told.keys():
            raise _altered(file, "it is of another form")
    except (NoteBroken, ValueError, TypeError, AttributeError) as error:
        raise _altered(file, str(error)) from error
    return told


def _is_signed(note: str, logs: Sequence[Log]) -> bool:
    for log in logs:
        try:
            opened(note, Verifier.parse(log.vkey))
        except NoteBroken:
            continue
        return True
    return False

"""What was read in attachments, kept so that making the index anew does not read every PDF again.

Reading a hundred pages takes a second, opening what was read a hundred
microseconds; and the index is made anew after every disposal. So the words
are kept, in the folder of the index: like it they are derived, never backed
up, and may be thrown away. Unlike it they are sealed, under the secret of
the record that the attachment belongs to: with the secret they die, wherever
a copy of the folder may lie, and the files of disposed records are removed
when the index is purged.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy import select

from app.capture import attachments
from app.capture.attachments import AttachmentRow
from app.db import Tx
from app.index.attached import Attached
from app.index.extracting import Extractor
from app.store.sealing import SealBroken, seal, unseal
from app.store.store import Store
from app.store.tables import records

EDITION = 2
"""Raised whenever the same file would yield other words; what another edition read is read again."""
_EDITION = b"reading/%d/" % EDITION
_ASK = 500


class Reads(Protocol):
    """Reads a file that comes in chunks."""

    def read(self, chunks: Iterable[bytes], size: int, media_type: str, name: str) -> Attached: ...
    def close(self) -> None: ...


def folder_of(store: Store) -> Path:
    """Where readings lie: in the folder of the index, which stands beside that of the ledger."""
    return store.ledger.folder.parent / "index" / "readings"


class Readings:
    """The words of attachments, read once."""

    def __init__(self, store: Store, folder: Path | None = None, reader: Reads | None = None) -> None:
        self.store = store
        self.folder = folder or folder_of(store)
        self._reader = reader or Extractor()
        self._one = threading.Lock()

    def close(self) -> None:
        """End whatever still reads."""
        self._reader.close()

    def known(self, row: AttachmentRow, secret: bytes) -> Attached | None:
        """What was read before; None where nothing was, or what lies there cannot be opened."""
        try:
            sealed = self._file(row).read_bytes()
            return msgspec.msgpack.decode(unseal(secret, _EDITION + row.id.bytes, sealed), type=Attached)
        except (OSError, SealBroken, msgspec.MsgspecError):
            return None

    def read(self, row: AttachmentRow, secret: bytes, media_type: str, name: str) -> Attached:
        """The words of an attachment whose bytes are kept. Raises what opening its bytes raises."""
        found = self.known(row, secret)
        if found is not None:
            return found
        with self._one:
            found = self._reader.read(attachments.stream(self.store, row), row.length or 0, media_type, name)
        with suppress(OSError):  # a full disk: it is read again next time
            self._keep(row, secret, found)
        return found

    def _keep(self, row: AttachmentRow, secret: bytes, found: Attached) -> None:
        file = self._file(row)
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f"{file.name}.{os.getpid()}.new")
        beside.write_bytes(seal(secret, _EDITION + row.id.bytes, msgspec.msgpack.encode(found)))
        beside.replace(file)

    def _file(self, row: AttachmentRow) -> Path:
        return self._of(row.record) / row.id.hex

    def _of(self, record: bytes) -> Path:
        return self.folder / record.hex()[-2:] / record.hex()

    # -- disposal ------------------------------------------------------------------------------------------

    def purge(self, disposed: Sequence[int]) -> None:
        """Remove what was read in attachments of these records."""
        for folder in self._folders(disposed):
            for file in list(folder.glob("*")):
                file.unlink(missing_ok=True)
            folder.rmdir()

    def still_hold(self, disposed: Sequence[int]) -> set[int]:
        """Of which of these records something is left."""
        with self.store.database.read() as tx:
            return {key for key, identity in self._ids(tx, disposed) if any(self._of(identity).glob("*"))}

    def _folders(self, keys: Sequence[int]) -> list[Path]:
        with self.store.database.read() as tx:
            found = [self._of(identity) for _, identity in self._ids(tx, keys)]
        return [folder for folder in found if folder.is_dir()]

    def _ids(self, tx: Tx, keys: Sequence[int]) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        for start in range(0, len(keys), _ASK):
            asked = select(records.c.key, records.c.id).where(
                records.c.key.in_(list(keys[start : start + _ASK]))
            )
            found += [(key, bytes(identity)) for key, identity in tx.execute(asked)]
        return found


__all__ = ["EDITION", "Readings", "Reads", "folder_of"]

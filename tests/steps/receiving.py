"""Where the downloads of platforms are received: archives made up in a temporary folder, and what is kept of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.capture import importing, records
from app.capture.formats.preview import Preview, preview
from app.capture.formats.source import Source
from app.capture.importing import Received
from app.records.nouns import Record
from app.store import Store, fixity, reading
from app.store.tables import exchanges
from app.store.tables import records as record_table

OFFICER = UUID(int=7)


def zipped(file: Path, content: Mapping[str, bytes], *, packing: int = zipfile.ZIP_DEFLATED) -> Path:
    """A ZIP file of these files."""
    with zipfile.ZipFile(file, "w", packing) as packed:
        for name, one in content.items():
            packed.writestr(name, one)
    return file


def unpacked(folder: Path, content: Mapping[str, bytes]) -> Path:
    """A folder of these files."""
    for name, one in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(one)
    return folder


class Desk:
    """Where downloads of one form are received."""

    def __init__(self, store: Store, folder: Path, opened: Callable[[Sequence[Path]], Source]) -> None:
        self.store, self.folder, self.opened = store, folder, opened
        folder.mkdir()

    def receive(self, *given: Path, **more: Any) -> Received:
        """Import what is given, as an officer would."""
        ticks = iter(range(1_000))
        source = self.opened(given)
        try:
            return importing.receive(
                self.store,
                source,
                page=more.pop("page", None),
                make_pages=more.pop("make_pages", True),
                by=OFFICER,
                why="test",
                tick=lambda: next(ticks),
                **more,
            )
        finally:
            source.close()

    def preview(self, *given: Path) -> Preview:
        """Look ahead, and keep nothing."""
        source = self.opened(given)
        try:
            return preview(source, page=None, registry=[])
        finally:
            source.close()

    def records(self) -> dict[str, Record]:
        """Everything that is held, by its native id."""
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key).order_by(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True)
        return {str(one.version.fields["native_id"]): one for one in found}

    def told(self, native_id: str) -> dict[str, Any]:
        """One record, as JSON."""
        return records.as_json(self.records()[native_id])

    def kept(self) -> dict[str, bytes]:
        """The bytes that are kept, by the file that their envelope names."""
        joined: dict[str, bytes] = {}
        with self.store.database.read() as tx:
            for key in tx.execute(select(exchanges.c.key).order_by(exchanges.c.key)).scalars().all():
                found = reading.exchange(self.store, tx, key)
                name = json.loads(found.envelope or b"{}")["member"]
                joined[name] = joined.get(name, b"") + found.body
        return joined

    def sound(self) -> bool:
        """Whether everything that is kept is what it should be."""
        return fixity.verify(self.store, full=True).findings == []


def left(report: Received) -> dict[str, str]:
    """What was not taken, and why."""
    return {one.name: one.why for one in report.left}

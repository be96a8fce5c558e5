"""WACZ 1.1.1: a ZIP in which a WARC file, its index and its list of pages can be read in place. Knows the format only."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

VERSION = "1.1.1"
_CHUNK = 1 << 20


class Entry:
    """A file of the package while it is written: counted and hashed on its way."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self.size, self._digest = out, 0, hashlib.sha256()

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        self.size += len(content)
        return self._out.write(content)

    def hash(self) -> str:
        return f"sha256:{self._digest.hexdigest()}"


class Package:
    """A WACZ file that is being written, one file in it after the other, none of them compressed."""

    def __init__(self, file: Path, at: datetime) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self._at = at
        self._resources: list[dict[str, object]] = []

    @contextmanager
    def entry(self, name: str) -> Iterator[Entry]:
        """Write a file of the package."""
        with self._zip.open(self._head(name), "w", force_zip64=True) as out:
            entry = Entry(out)
            yield entry
        known_as = name.rpartition("/")[2].lower()  # data packages allow small letters only
        told: dict[str, object] = {
            "name": known_as,
            "path": name,
            "hash": entry.hash(),
            "bytes": entry.size,
        }
        if name.endswith(".jsonl"):
            told["type"] = "file"  # and no table, in which a number among words would be an error
        self._resources.append(told)

    def add(self, name: str, file: Path) -> None:
        """Put a file into the package."""
        with self.entry(name) as entry, file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                entry.write(chunk)

    def close(self, *, title: str, description: str, software: str) -> None:
        """End the package with what is in it, and the digest of that."""
        created = self._at.strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {
            "profile": "data-package",
            "wacz_version": VERSION,
            "title": title,
            "description": description,
            "created": created,
            "software": software,
            "resources": sorted(self._resources, key=lambda one: str(one["path"])),
        }
        body = _json(told)
        self._zip.writestr(self._head("datapackage.json"), body)
        said = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(body).hexdigest()}"}
        self._zip.writestr(self._head("datapackage-digest.json"), _json(said))
        self._zip.close()

    def abandon(self) -> None:
        """Give the file back, unfinished."""
        self._zip.close()

    def _head(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._at.timetuple()[:6])
        info.external_attr, info.create_system = 0o644 << 16, 3
        return info


def _json(told: object) -> bytes:
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()

"""OCFL 1.1: a storage root and the objects in it. Knows the format and nothing of records.

An object is drafted in a folder of its own and moved into its place by one
rename, so that what is in place is whole, or was damaged later. Digests are
SHA-512; SHA-256 of every file stands in the fixity block.

Layout extension 0003: the folder of an object bears its id, so that whoever
has a record's id finds it with `find` and no program; the two levels above it
come from the id's SHA-256 and spread objects evenly, two bytes deep.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT_DECLARATION, OBJECT_DECLARATION = "0=ocfl_1.1", "0=ocfl_object_1.1"
LAYOUT = "0003-hash-and-id-n-tuple-storage-layout"
_TUPLES, _TUPLE = 2, 2
_LONGEST_NAME = 100
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class User:
    """On whose behalf a version was made."""

    name: str
    address: str


def lay_root(folder: Path) -> None:
    """Make `folder` an OCFL 1.1 storage root, or leave it one."""
    (folder / ROOT_DECLARATION).write_text("ocfl_1.1\n")
    told = {
        "extension": LAYOUT,
        "description": "Two levels from the SHA-256 of the id, then a folder that bears the id",
    }
    write_json(folder / "ocfl_layout.json", told)
    config = {
        "extensionName": LAYOUT,
        "digestAlgorithm": "sha256",
        "tupleSize": _TUPLE,
        "numberOfTuples": _TUPLES,
    }
    where = folder / "extensions" / LAYOUT
    where.mkdir(parents=True, exist_ok=True)
    write_json(where / "config.json", config)


def place(identity: str) -> str:
    """Where the object of that id stands below the storage root (extension 0003)."""
    digest = hashlib.sha256(identity.encode()).hexdigest()
    name = "".join(
        sign if re.fullmatch("[A-Za-z0-9_-]", sign) else "".join(f"%{byte:02x}" for byte in sign.encode())
        for sign in identity
    )
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}-{digest}"
    return "/".join([*(digest[_TUPLE * n : _TUPLE * (n + 1)] for n in range(_TUPLES)), name])


class Draft:
    """An object that is being made, version by version; nothing of it is in place before `put`."""

    def __init__(self, folder: Path, identity: str, user: User) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / OBJECT_DECLARATION).write_text("ocfl_object_1.1\n")
        self.folder, self.identity, self.user = folder, identity, user
        self._manifest: dict[str, list[str]] = {}
        self._fixity: dict[str, list[str]] = {}
        self._versions: dict[str, dict[str, object]] = {}
        self._state: dict[str, str] = {}

    @contextmanager
    def version(
        self, *, created: str, message: str, carried: Iterable[str] = (), first: str = ""
    ) -> Iterator[Path]:
        """Give a folder to be filled with the files of the next version.

        `carried` names files of the version before that are in this one too.
        A file that an earlier version has already is referred to, not stored
        again; so is one that this version has twice, and the one in the folder
        `first` is stored.
        """
        name = f"v{len(self._versions) + 1}"
        content = self.folder / name / "content"
        content.mkdir(parents=True)
        yield content
        state = {path: self._state[path] for path in carried}
        files = {file.relative_to(content).as_posix(): file for file in content.rglob("*") if file.is_file()}
        for path in sorted(files, key=lambda path: (path.partition("/")[0] != first, path)):
            file = files[path]
            sha512, sha256 = _digests(file)
            if sha512 in self._manifest:
                file.unlink()
            else:
                self._manifest[sha512] = [f"{name}/content/{path}"]
                self._fixity.setdefault(sha256, []).append(f"{name}/content/{path}")
            state[path] = sha512
        _drop_empty(content)
        self._state = state
        listed: dict[str, list[str]] = {}
        for path in sorted(state):
            listed.setdefault(state[path], []).append(path)
        self._versions[name] = {
            "created": created,
            "message": message,
            "state": listed,
            "user": {"name": self.user.name, "address": self.user.address},
        }
        self._write_inventory(self.folder / name, name)

    def put(self, root: Path) -> None:
        """Move the object into its place below `root`; what stood there is gone."""
        self._write_inventory(self.folder, f"v{len(self._versions)}")
        there = root / place(self.identity)
        if there.exists():
            shutil.rmtree(there)
        there.parent.mkdir(parents=True, exist_ok=True)
        self.folder.rename(there)

    def _write_inventory(self, folder: Path, head: str) -> None:
        told = {
            "id": self.identity,
            "type": "https://ocfl.io/1.1/spec/#inventory",
            "digestAlgorithm": "sha512",
            "head": head,
            "manifest": self._manifest,
            "versions": self._versions,
            "fixity": {"sha256": self._fixity},
        }
        write_json(folder / "inventory.json", told)
        digest = hashlib.sha512((folder / "inventory.json").read_bytes()).hexdigest()
        (folder / "inventory.json.sha512").write_text(f"{digest} inventory.json\n")


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an object in its place says of itself."""

    digest: str
    head: str
    files: Mapping[str, str]
    """The files of the newest version, each with its SHA-512."""
    manifest: Mapping[str, list[str]]


def inventory(root: Path, identity: str) -> Inventory | None:
    """The inventory of an object, or None where there is none, or it is not the one that its digest speaks of."""
    folder = root / place(identity)
    try:
        body = (folder / "inventory.json").read_bytes()
        said = (folder / "inventory.json.sha512").read_text()
        told = json.loads(body)
        digest = hashlib.sha512(body).hexdigest()
        if said != f"{digest} inventory.json\n" or told["id"] != identity:
            return None
        state = told["versions"][told["head"]]["state"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    files = {path: sha512 for sha512, paths in state.items() for path in paths}
    return Inventory(digest, told["head"], files, told["manifest"])


def whole(root: Path, identity: str) -> Inventory | None:
    """The inventory of an object all of whose files are there with the digests that they should have; else None."""
    told = inventory(root, identity)
    if told is None:
        return None
    folder = root / place(identity)
    wanted = {path: sha512 for sha512, paths in told.manifest.items() for path in paths}
    try:
        sound = all(_digests(folder / path)[0] == sha512 for path, sha512 in wanted.items())
    except OSError:
        return None
    there = {file.relative_to(folder).as_posix() for file in folder.glob("v*/content/**/*") if file.is_file()}
    heads = [folder / OBJECT_DECLARATION, *(folder / f"v{n}" / "inventory.json" for n in _numbers(told.head))]
    return told if sound and there == wanted.keys() and all(file.is_file() for file in heads) else None


def write_json(file: Path, told: object) -> None:
    """JSON as people can read it: names sorted, indented, one newline at the end."""
    file.write_text(
        json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n"
    )


def _numbers(head: str) -> range:
    return range(1, int(head[1:]) + 1)


def _digests(file: Path) -> tuple[str, str]:
    """SHA-512 and SHA-256 of a file, in one reading."""
    sha512, sha256 = hashlib.sha512(), hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            sha512.update(chunk)
            sha256.update(chunk)
    return sha512.hexdigest(), sha256.hexdigest()


def _drop_empty(folder: Path) -> None:
    """Remove folders that hold nothing: OCFL knows files only."""
    for inside in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(inside.iterdir()):
            inside.rmdir()
    if not any(folder.iterdir()):
        folder.rmdir()

"""What a disk would hold: a journal of every call, played to any moment, and the power cut there.

The model is what POSIX promises and no more. A file's bytes are safe when the
file was synced; a name is safe when its folder was. What was written since may
be there, or not, or in part: any of its 512-byte sectors, in any order, and the
file's length for itself. Names that depend on one another (a rename, and what
became of either name after it) are there up to some point in their own order,
each such chain for itself. A rename is never half there.
"""

from __future__ import annotations

import json
import os
import random
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

SECTOR = 512
_HEAD = struct.Struct("=IIQQQQ")
OPEN, WRITE, TRUNCATE, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, SAY = range(1, 11)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the journal has it: what it was, on which open file, where, and with what."""

    kind: int
    flags: int
    file: int
    place: int
    first: bytes
    second: bytes

    @property
    def path(self) -> Path:
        return Path(os.fsdecode(self.first))

    @property
    def other(self) -> Path:
        return Path(os.fsdecode(self.second))

    @property
    def said(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.first)
        return told


def calls(journal: Path) -> Iterator[Call]:
    """The calls of a journal, in their order."""
    with journal.open("rb") as file:
        while head := file.read(_HEAD.size):
            kind, flags, number, place, first, second = _HEAD.unpack(head)
            yield Call(kind, flags, number, place, file.read(first), file.read(second))


@dataclass(slots=True, eq=False)
class File:
    """A file without its name: what is safe, what was written since, and how it looks to the program."""

    safe: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)
    now: bytearray = field(default_factory=bytearray)

    def write(self, place: int, content: bytes) -> None:
        self.since.append((place, content))
        _apply(self.now, place, content)

    def truncate(self, size: int) -> None:
        self.since.append((size, None))
        _apply(self.now, size, None)

    def sync(self) -> None:
        self.safe, self.since = bytes(self.now), []

    def after_a_cut(self, chance: random.Random) -> bytes:
        """What may be there: all, nothing, the first of what was written, or any sectors of it."""
        if not self.since:
            return self.safe
        held = bytearray(self.safe)
        how = chance.choice(("all", "nothing", "first", "any", "any"))
        if how == "nothing":
            return self.safe
        upto = chance.randrange(len(self.since) + 1) if how == "first" else len(self.since)
        for number, (place, content) in enumerate(self.since[:upto]):
            if content is None:
                if how != "any" or chance.random() < 0.5:
                    _apply(held, place, None)
                continue
            torn = how == "any" or (how == "first" and number == upto - 1)
            for at, part in _sectors(place, content):
                if not torn or chance.random() < 0.5:
                    _apply(held, at, part)
        if (
            how == "any" and chance.random() < 0.5
        ):  # its length was written, its bytes were not, or the other way round
            _apply(held, chance.choice((len(self.safe), len(self.now))), None)
        return bytes(held)


def _apply(held: bytearray, place: int, content: bytes | None) -> None:
    if content is None:
        del held[place:]
        held.extend(bytes(place - len(held)))
    else:
        held.extend(bytes(max(0, place - len(held))))
        held[place : place + len(content)] = content


def _sectors(place: int, content: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(content):
        size = min(SECTOR - (place + start) % SECTOR, len(content) - start)
        yield place + start, content[start : start + size]
        start += size


Change: TypeAlias = "dict[str, Node | None]"
"""What one call does to the names of one folder: each with what bears it then."""


@dataclass(slots=True, eq=False)
class Folder:
    """A folder without its name: which names in it are safe, which were changed since, and how it looks now."""

    safe: dict[str, Node] = field(default_factory=dict)
    since: list[Change] = field(default_factory=list)
    now: dict[str, Node] = field(default_factory=dict)

    def change(self, names: Change) -> None:
        self.since.append(names)
        _rename(self.now, names)

    def sync(self) -> None:
        self.safe, self.since = dict(self.now), []

    def after_a_cut(self, chance: random.Random) -> dict[str, Node]:
        """The names that may be there: each chain of changes up to a point of its own."""
        held = dict(self.safe)
        for chain in _chains(self.since):
            how = chance.choice(("all", "nothing", "first"))
            upto = {"all": len(chain), "nothing": 0}.get(how, chance.randrange(len(chain) + 1))
            for names in chain[:upto]:
                _rename(held, names)
        return held


Node: TypeAlias = "File | Folder"


def _rename(held: dict[str, Node], names: Change) -> None:
    for name, node in names.items():
        if node is None:
            held.pop(name, None)
        else:
            held[name] = node


def _chains(changes: list[Change]) -> list[list[Change]]:
    """Changes that have a name in common belong together, and keep their order."""
    chains: list[tuple[set[str], list[Change]]] = []
    for names in changes:
        together = [chain for chain in chains if chain[0] & names.keys()]
        chains = [chain for chain in chains if chain not in together]
        merged = [one for one in changes if any(one is two for chain in together for two in chain[1])]
        chains.append((set(names).union(*(chain[0] for chain in together)), [*merged, names]))
    return [chain for _, chain in chains]


class Disk:
    """The folder that was watched, as the program sees it and as the disk may have it."""

    def __init__(self, root: Path, before: Path | None = None) -> None:
        """`before` is a copy of what was safely there when watching began."""
        self.root, self.top = root, Folder()
        self.open: dict[int, Node] = {}
        if before is not None:
            self.top = _safe(before)

    def play(self, call: Call) -> None:
        """Do what the journal says was done."""
        match call.kind:
            case 1:
                self._open(call)
            case 2:
                self._file(call).write(call.place, call.second)
            case 3:
                self._file(call).truncate(call.place)
            case 4:
                self.open[call.file].sync()
            case 5:
                self._move(call.path, call.other)
            case 6:
                folder, name = self._within(call.other)
                folder.change({name: self._at(call.path)})
            case 7 | 9:
                folder, name = self._within(call.path)
                folder.change({name: None})
            case 8:
                folder, name = self._within(call.path)
                folder.change({name: Folder()})
            case _:
                assert call.kind == SAY

    def _open(self, call: Call) -> None:
        if call.path == self.root:
            self.open[call.file] = self.top
            return
        folder, name = self._within(call.path)
        if name not in folder.now:
            assert call.flags & os.O_CREAT, f"{call.path} came about in a way that is not watched"
            folder.change({name: File()})
        node = self.open[call.file] = folder.now[name]
        if call.flags & os.O_TRUNC and isinstance(node, File) and node.now:
            node.truncate(0)

    def _file(self, call: Call) -> File:
        node = self.open[call.file]
        assert isinstance(node, File)
        return node

    def _move(self, before: Path, after: Path) -> None:
        (old, name), (new, called) = self._within(before), self._within(after)
        node = old.now[name]
        if old is new:
            old.change({name: None, called: node})
        else:
            new.change({called: node})
            old.change({name: None})

    def _within(self, path: Path) -> tuple[Folder, str]:
        folder = self._at(path.parent)
        assert isinstance(folder, Folder)
        return folder, path.name

    def _at(self, path: Path) -> Node:
        node: Node = self.top
        for part in path.relative_to(self.root).parts:
            assert isinstance(node, Folder)
            node = node.now[part]
        return node

    def as_seen(self) -> dict[str, bytes]:
        """Every file by its name, as the program sees it."""
        return dict(_files(self.top, "", lambda folder: folder.now, lambda file: bytes(file.now)))

    def cut(self, chance: random.Random, to: Path) -> None:
        """Cut the power, and write what is left of everything into a folder."""
        _lay(self.top, to, chance, {})


def _files(folder: Folder, above: str, names: Any, content: Any) -> Iterator[tuple[str, bytes]]:
    for name, node in sorted(names(folder).items()):
        if isinstance(node, Folder):
            yield from _files(node, f"{above}{name}/", names, content)
        else:
            yield above + name, content(node)


def _lay(folder: Folder, to: Path, chance: random.Random, laid: dict[File, Path]) -> None:
    to.mkdir()
    for name, node in folder.after_a_cut(chance).items():
        if isinstance(node, Folder):
            _lay(node, to / name, chance, laid)
        elif node in laid:
            os.link(laid[node], to / name)
        elif not derived(name):
            laid[node] = to / name
            laid[node].write_bytes(node.after_a_cut(chance))


def derived(name: str) -> bool:
    """SQLite's shared memory: it is made anew by whoever opens the database first, and is never written through calls alone."""
    return name.endswith("-shm")


def _safe(before: Path) -> Folder:
    """A folder as it is on a disk that has long been at rest."""
    folder = Folder()
    for file in sorted(before.iterdir()):
        if file.is_dir():
            node: Node = _safe(file)
        else:
            content = file.read_bytes()
            node = File(content, [], bytearray(content))
        folder.now[file.name] = node
    folder.safe = dict(folder.now)
    return folder


def on_disk(folder: Path) -> Mapping[str, bytes]:
    """Every file of a real folder by its name, but what is derived."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not derived(file.name)
    }

"""The ledger's hashes as static files (C2SP tlog-tiles): derived from the entries, and made anew when lost.

    tile/<L>/<N>            256 hashes of level 8*L
    tile/<L>/<N>.p/<W>      the first W hashes of a tile that is not full yet

`N` is written in groups of three digits, all but the last with an x.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from app.records.errors import IntegrityFailure
from app.store import folders
from app.store.merkle import fold, leaf_hash

WIDTH = 256
_HASH = 32
_LOOKS = 4
"""How often a reader looks for a tile that somebody else is growing at this moment."""


class TileBroken(IntegrityFailure):
    """A tile of the ledger is missing or does not have its size; `ledger verify` makes tiles anew."""

    code = "tile-broken"


def path(level: int, number: int, width: int = WIDTH) -> str:
    """Where a tile lies, below the ledger's folder."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    name = "/".join(groups)
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def last_tile(size: int) -> int:
    """The number of the tile that holds the last of `size` entries."""
    return max(size - 1, 0) // WIDTH


class Tiles:
    """Tiles in a folder, complete up to some size. One writes at a time; anybody may read meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read_full = lru_cache(maxsize=512)(self._read)
        self._written: list[Path] = []

    def extend(self, old: int, new: int, entries: Iterable[bytes]) -> None:
        """Write the tiles that `new` entries have more than `old`; when this returns, they are safe on the disk.

        `entries` begins at the entry that begins the last tile of `old`. What
        a power cut leaves of it lies beyond `old`, and is written again.
        """
        self._read_full.cache_clear()
        self._written.clear()
        first = last_tile(old)
        row: list[bytes] = []
        number = first
        for body in entries:
            row.append(leaf_hash(body))
            if len(row) == WIDTH:
                self._write(0, number, row)
                number, row = number + 1, []
        if number * WIDTH + len(row) != new:
            raise TileBroken(f"the ledger has {number * WIDTH + len(row)} entries where {new} were counted")
        if row:
            self._write(0, number, row)
        level = 1
        while new >> (8 * level):
            count = new >> (8 * level)
            for number in range(last_tile(old >> (8 * level)), -(-count // WIDTH)):
                below = range(number * WIDTH, min((number + 1) * WIDTH, count))
                self._write(
                    level, number, [fold(_split(self._read_full(level - 1, n, WIDTH))) for n in below]
                )
            level += 1
        self._settle()

    def of(self, size: int) -> Iterator[tuple[int, int, int]]:
        """Every tile of the tree of `size` entries, by level, number and width; the lowest first."""
        level = 0
        while count := size >> (8 * level):
            for number in range(-(-count // WIDTH)):
                yield level, number, min(WIDTH, count - number * WIDTH)
            level += 1

    def differing(self, other: Tiles, size: int) -> Iterator[tuple[str, str]]:
        """Where these are not the tiles that `other` has for `size` entries: each path, and what is wrong there."""
        for level, number, width in self.of(size):
            try:
                if self._read(level, number, width) != other.tile(level, number, width):
                    yield path(level, number, width), "does not hold the hashes of its entries"
            except TileBroken as error:
                yield path(level, number, width), str(error)

    def mend(self) -> None:
        """Put back what a replacement that was broken off between its two steps had taken away."""
        old = self.folder / "tile.old"
        if old.exists() and not (self.folder / "tile").exists():
            old.rename(self.folder / "tile")

    def replace(self, other: Tiles) -> None:
        """Put the tiles of `other` in the place of these; `other` is left with none."""
        self.mend()
        old = self.folder / "tile.old"
        shutil.rmtree(old, ignore_errors=True)
        if (self.folder / "tile").exists():
            (self.folder / "tile").rename(old)
        if (other.folder / "tile").exists():
            (other.folder / "tile").rename(self.folder / "tile")
            folders.sync(other.folder)
        # What is removed below must not be what a power cut would bring back under its old name.
        folders.sync(self.folder)
        self._read_full.cache_clear()
        shutil.rmtree(old, ignore_errors=True)

    def at(self, size: int) -> TreeAt:
        """The tree as it stood at `size` entries."""
        return TreeAt(self, size)

    def tile(self, level: int, number: int, width: int) -> bytes:
        """A tile's bytes; a partial one is also cut from the tile that has grown since."""
        if width == WIDTH:
            return self._read_full(level, number, width)
        return self._read(level, number, width)

    def _read(self, level: int, number: int, width: int) -> bytes:
        for _ in range(_LOOKS):
            for file, has in self._candidates(level, number, width):
                with contextlib.suppress(FileNotFoundError):
                    data = file.read_bytes()
                    if len(data) != has * _HASH:
                        raise TileBroken(f"{file.name} has {len(data)} bytes")
                    return data[: width * _HASH]
        raise TileBroken(f"{path(level, number, width)} is missing")

    def _candidates(self, level: int, number: int, width: int) -> Iterator[tuple[Path, int]]:
        """The files that hold the first `width` hashes of a tile, and how many each holds: it may have grown."""
        yield self.folder / path(level, number, width), width
        yield self.folder / path(level, number), WIDTH
        partial = self.folder / (path(level, number) + ".p")
        grown = sorted(int(file.name) for file in partial.glob("*") if file.name.isdigit())
        yield from ((partial / str(has), has) for has in grown if has > width)

    def _write(self, level: int, number: int, row: list[bytes]) -> None:
        file = self.folder / path(level, number, len(row))
        file.parent.mkdir(parents=True, exist_ok=True)
        coming = file.with_name(file.name + ".new")
        coming.write_bytes(b"".join(row))
        coming.replace(file)
        self._written.append(file)

    def _settle(self) -> None:
        """Make what was written safe, then remove the shorter tiles that it has taken the place of."""
        for file in self._written:
            _sync(file)
        for folder in sorted({above for file in self._written for above in self._above(file)}):
            folders.sync(folder)
        for file in self._written:
            short = file.parent if file.parent.suffix == ".p" else file.with_name(file.name + ".p")
            if short.is_dir():
                for smaller in short.iterdir():
                    if smaller != file:
                        smaller.unlink()
                if short != file.parent:
                    short.rmdir()
        self._written.clear()

    def _above(self, file: Path) -> Iterator[Path]:
        """The folders in which the names lie that lead to a tile."""
        folder = file.parent
        while folder != self.folder:
            yield folder
            folder = folder.parent
        yield self.folder


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class TreeAt:
    """Gives subtree hashes of the tree at one size: what `app.store.merkle` reads proofs from."""

    def __init__(self, tiles: Tiles, size: int) -> None:
        self.tiles, self.size = tiles, size

    def __call__(self, level: int, index: int) -> bytes:
        tile_level, rest = divmod(level, 8)
        first = index << rest
        number, offset = divmod(first, WIDTH)
        count = self.size >> (8 * tile_level)
        width = min(WIDTH, count - number * WIDTH)
        row = self.tiles.tile(tile_level, number, width)
        return fold(_split(row[offset * _HASH : (offset + (1 << rest)) * _HASH]))


def _split(row: bytes) -> list[bytes]:
    return [row[start : start + _HASH] for start in range(0, len(row), _HASH)]

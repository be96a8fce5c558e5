"""Bags as RFC 8493 has them (BagIt 1.0), written strictly: two digests of everything, every name plain, nothing fetched.

Our own writer, because the usual library writes version 0.97 and takes
manifests whose whitespace the RFC does not allow. `check` is as strict as
`write`: what it passes, others pass too. The digest of the tag manifest stands
for the whole bag: every file is under it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path

from app.records.errors import Invalid
from app.store import folders
from app.store.proofs import must_be_empty

ALGORITHMS = ("sha256", "sha512")
DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE = re.compile(r"([0-9a-f]+)  (\S.*)\n")
_NAME = re.compile(r"[a-z0-9._/-]+")
_WIDEST = 78
_CHUNK = 1 << 20


class BadBag(Invalid):
    """A folder is no bag as RFC 8493 has it, or not the bag that was packed."""

    code = "bad-bag"


def write(out: Path, fill: Callable[[Path], None], info: Mapping[str, str]) -> bytes:
    """Make a bag of what `fill` puts into its payload folder; return the SHA-256 of its tag manifest.

    It is put in place by one rename, when every file of it is safe on the disk.
    """
    must_be_empty(out)
    coming = out.with_name(out.name + ".part")
    must_be_empty(coming)  # what was broken off before is somebody's to look at, and to take away
    payload = coming / "data"
    payload.mkdir(parents=True)
    fill(payload)
    count, size = _manifests(coming, _files(payload), "manifest")
    (coming / "bagit.txt").write_text(DECLARATION, encoding="utf-8")
    told = {**info, "Payload-Oxum": f"{size}.{count}"}
    (coming / "bag-info.txt").write_text("".join(_tag(name, told[name]) for name in told), encoding="utf-8")
    tags = [file for file in sorted(coming.iterdir()) if file.is_file()]
    _manifests(coming, iter(tags), "tagmanifest")
    for name in ALGORITHMS:
        _sync(coming / f"tagmanifest-{name}.txt")
    folders.sync(coming)
    if out.exists():
        out.rmdir()
    coming.rename(out)
    folders.sync(out.parent)
    return digest(out)


def digest(bag: Path) -> bytes:
    """What stands for a whole bag: the SHA-256 of its tag manifest."""
    return bytes.fromhex(_digest(bag / "tagmanifest-sha256.txt", "sha256"))


def check(bag: Path) -> None:
    """Raise `BadBag` unless every file is listed as it is, in both manifests, and nothing else lies there."""
    try:
        wrong = next(_wrong(bag), None)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise BadBag(f"{bag} cannot be read as a bag: {error}") from error
    if wrong is not None:
        raise BadBag(f"{bag} is not a bag as it was packed: {wrong}", next="Keep it as it is, and pack anew.")


def _wrong(bag: Path) -> Iterator[str]:
    if (bag / "bagit.txt").read_text(encoding="utf-8") != DECLARATION:
        yield "bagit.txt is not that of BagIt 1.0"
    beside = {one.name for one in _inside(bag) if one.name != "data"}
    tags = {one for one in beside if not one.startswith("tagmanifest-")}
    wanted = {f"{kind}-{name}.txt" for kind in ("manifest", "tagmanifest") for name in ALGORITHMS}
    wanted |= {"bagit.txt", "bag-info.txt"}
    if beside != wanted:
        yield f"its tag files are not those of a bag: {', '.join(sorted(beside ^ wanted))}"
        return
    count, size = 0, 0
    for file in _files(bag / "data"):
        count, size = count + 1, size + file.stat().st_size
    for name in ALGORITHMS:
        yield from _compared(bag, f"manifest-{name}.txt", _files(bag / "data"), name)
        yield from _compared(bag, f"tagmanifest-{name}.txt", (bag / one for one in sorted(tags)), name)
    said = (bag / "bag-info.txt").read_text(encoding="utf-8")
    if f"\nPayload-Oxum: {size}.{count}\n" not in "\n" + said:
        yield "its payload is not of the size that bag-info.txt says"


def _compared(bag: Path, manifest: str, lying: Iterator[Path], algorithm: str) -> Iterator[str]:
    """Files and lines side by side, both in one order: neither is held in memory."""
    with (bag / manifest).open(encoding="utf-8", newline="") as lines:
        for line, file in zip_longest(lines, lying):
            path = file.relative_to(bag).as_posix() if file is not None else None
            read = _LINE.fullmatch(line or "")
            if line is not None and (read is None or not _NAME.fullmatch(read[2])):
                raise BadBag(f"{manifest} has a line that cannot be read: {line[:120]!r}")
            if read is None or read[2] != path:
                yield f"{manifest} does not list exactly what lies there, in its order"
                return
            assert file is not None, "its path is the line's"
            if _digest(file, algorithm) != read[1]:
                yield f"{path} is not what {manifest} says"


def _manifests(bag: Path, files: Iterator[Path], kind: str) -> tuple[int, int]:
    """Write the manifests of these files, each of which is read once and made safe; return how many there are, and their size."""
    count = total = 0
    with ExitStack() as open_:
        lists = {
            name: open_.enter_context((bag / f"{kind}-{name}.txt").open("w", encoding="utf-8"))
            for name in ALGORITHMS
        }
        folder: Path | None = None
        for file in files:
            path = file.relative_to(bag).as_posix()
            if not _NAME.fullmatch(path):
                raise BadBag(f"{path!r} is no name for a file in a bag")
            told = {name: hashlib.new(name) for name in ALGORITHMS}
            with file.open("rb") as content:
                while chunk := content.read(_CHUNK):
                    total += len(chunk)
                    for each in told.values():
                        each.update(chunk)
                os.fsync(content.fileno())
            for name, each in told.items():
                lists[name].write(f"{each.hexdigest()}  {path}\n")
            if folder is not None and folder != file.parent:
                _sync_up(folder, bag)
            folder, count = file.parent, count + 1
        if folder is not None:
            _sync_up(folder, bag)
    return count, total


def _sync_up(folder: Path, bag: Path) -> None:
    """Make a folder's names safe, and those above it."""
    while folder != bag:
        folders.sync(folder)
        folder = folder.parent


def _sync(file: Path) -> None:
    with file.open("rb") as kept:
        os.fsync(kept.fileno())


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in the order of their paths; one folder's names are held at a time."""
    for one in _inside(folder):
        if one.is_dir(follow_symlinks=False):
            yield from _files(Path(one.path))
        else:
            yield Path(one.path)


def _inside(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        inside = sorted(found, key=lambda one: one.name)
    for one in inside:
        if one.is_symlink():
            raise BadBag(f"{one.name} is a link, and a bag has none")
        if not (one.is_dir(follow_symlinks=False) or one.is_file(follow_symlinks=False)):
            raise BadBag(f"{one.name} is no file, and a bag has nothing else")
    return inside


def _digest(file: Path, algorithm: str) -> str:
    told = hashlib.new(algorithm)
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            told.update(chunk)
    return told.hexdigest()


def _tag(name: str, value: str) -> str:
    """One line of bag-info.txt; a long value goes on in lines that begin with a blank."""
    words = " ".join(value.split())
    line, lines = f"{name}:", []
    for word in words.split(" "):
        if len(line) + 1 + len(word) > _WIDEST and line.strip():
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\n".join([*lines, line]) + "\n"

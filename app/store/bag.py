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
from pathlib import Path

from app.records.errors import Invalid
from app.store import folders
from app.store.proofs import must_be_empty

ALGORITHMS = ("sha256", "sha512")
DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE = re.compile(r"([0-9a-f]+)  (\S.*)")
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
    files = list(_files(payload))
    size = sum(file.stat().st_size for file in files)
    _manifests(coming, files, "manifest")
    (coming / "bagit.txt").write_text(DECLARATION, encoding="utf-8")
    told = {**info, "Payload-Oxum": f"{size}.{len(files)}"}
    (coming / "bag-info.txt").write_text("".join(_tag(name, told[name]) for name in told), encoding="utf-8")
    _manifests(coming, [file for file in sorted(coming.iterdir()) if file.is_file()], "tagmanifest")
    for file in _files(coming):
        with file.open("rb") as kept:
            os.fsync(kept.fileno())
    for folder in {file.parent for file in _files(coming)}:
        folders.sync(folder)
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
    payload = {file.relative_to(bag).as_posix() for file in _files(bag / "data")}
    lying = {file.relative_to(bag).as_posix() for file in _files(bag)} - payload
    tags = {one for one in lying if not one.startswith("tagmanifest-")}
    wanted = {f"{kind}-{name}.txt" for kind in ("manifest", "tagmanifest") for name in ALGORITHMS}
    if lying != wanted | {"bagit.txt", "bag-info.txt"}:
        yield f"its tag files are not those of a bag: {', '.join(sorted(lying ^ (wanted | {'bagit.txt', 'bag-info.txt'})))}"
    for name in ALGORITHMS:
        for kind, there in (("manifest", payload), ("tagmanifest", tags)):
            listed = _listed(bag / f"{kind}-{name}.txt")
            if listed.keys() != there:
                yield f"{kind}-{name}.txt does not list exactly what lies there"
            for path, said in listed.items():
                if path in there and _digest(bag / path, name) != said:
                    yield f"{path} is not what {kind}-{name}.txt says"
    size = sum((bag / one).stat().st_size for one in payload)
    if f"\nPayload-Oxum: {size}.{len(payload)}\n" not in "\n" + (bag / "bag-info.txt").read_text(
        encoding="utf-8"
    ):
        yield "its payload is not of the size that bag-info.txt says"


def _listed(manifest: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        read = _LINE.fullmatch(line)
        if read is None or read[2] in found or not _NAME.fullmatch(read[2]):
            raise BadBag(f"{manifest.name} has a line that cannot be read: {line[:120]!r}")
        found[read[2]] = read[1]
    return found


def _manifests(bag: Path, files: list[Path], kind: str) -> None:
    for name in ALGORITHMS:
        lines = []
        for file in files:
            path = file.relative_to(bag).as_posix()
            if not _NAME.fullmatch(path):
                raise BadBag(f"{path!r} is no name for a file in a bag")
            lines.append(f"{_digest(file, name)}  {path}\n")
        (bag / f"{kind}-{name}.txt").write_text("".join(lines), encoding="utf-8")


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_symlink():
            raise BadBag(f"{file.name} is a link, and a bag has none")
        if file.is_file():
            yield file


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

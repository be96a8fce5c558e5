"""What lies in the folder: every file under the digests that were sealed, nothing missing, nothing beside it.

Names come first: a file may lie only where one belongs. Then every byte is
read once, in the order in which manifests are written, so that nothing of the
size of a production need be held in memory.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.disclosure.verify.findings import Finding, Report, Wrong
from app.store.bag import ALGORITHMS, DECLARATION

READ_ME, OUTSIDE = "read-me-first.pdf", "outside-sha256.txt"
MEANS = frozenset({"expected-output.txt", "proof.py", "proof.sh", "verify.md", "verify.py", "verify.sh"})
_TRUST = re.compile(r"agency-chain\.pem|tsa-[a-z0-9-]+\.pem|log\.vkey|witnesses\.vkey")
_NUMBER = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STAMP = r"(?:([2-9]|[1-9][0-9]{1,3})\.)?tsr"
"""How the name of a timestamp ends: the first bears no number."""
_LINE = re.compile(r"([0-9a-f]+)  (\S+)\n")
_TAGS = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt")
_MANIFESTS = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt")
_CHUNK = 1 << 20
_LONGEST = 1 << 14
"""Characters of a line; a longer one is none that is written."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A production's folder, and the names of what lies beside the bag."""

    folder: Path
    number: str
    """What the seal's file is called by: `pd-2026-0001-p01`."""

    @property
    def seal(self) -> Path:
        return self.folder / f"{self.number}.seal.json"

    @property
    def signature(self) -> Path:
        return self.folder / f"{self.number}.seal.p7s"

    @property
    def bag(self) -> Path:
        return self.folder / "bag"

    @property
    def data(self) -> Path:
        """The payload."""
        return self.bag / "data"

    @property
    def stamped(self) -> Path:
        """What timestamps are over: the signature, or the seal where nobody signed."""
        return self.signature if self.signature.exists() else self.seal

    def timestamps(self) -> list[Path]:
        """The timestamps over the seal or its signature, in the order of their numbers."""
        wanted = re.compile(re.escape(self.stamped.name.removesuffix(".json")) + rf"\.{_STAMP}")
        found = [(wanted.fullmatch(path.name), path) for path in self.folder.iterdir()]
        return [path for _, path in sorted((int(met[1] or 1), path) for met, path in found if met)]


def found(folder: Path) -> Outside:
    """The production that lies in `folder`, known by its seal; raises `Wrong` where there is none, or more than one."""
    seals = sorted(path.name for path in folder.iterdir() if path.name.endswith(".seal.json"))
    if len(seals) != 1:
        raise Wrong(
            "file-missing" if not seals else "file-unknown",
            "a production has one seal",
            ", ".join(map(shown, seals)) or "*.seal.json",
        )
    number = seals[0].removesuffix(".seal.json")
    if not _NUMBER.fullmatch(number):
        raise Wrong("name-unsafe", "a production's seal bears the production's number", shown(seals[0]))
    return Outside(folder, number)


def look(of: Outside, report: Report) -> Iterator[Finding]:
    """Every file of the folder, its name, and its digest; findings name the file."""
    yield from _names(of)
    yield from _beside(of, report)
    yield from _bag(of, report)


def shown(name: str) -> str:
    """A file's name with nothing in it that could be taken for something else."""
    return re.sub(rb"[^A-Za-z0-9._/-]", b"?", name.encode("utf-8", "surrogateescape")).decode("ascii")


def plain(of: Outside) -> bool:
    """Whether all that a seal is looked at by is a file: whoever opens a pipe waits for ever."""
    own = [path for path in of.folder.iterdir() if path.name.startswith(f"{of.number}.seal.")]
    trust = list((of.folder / "trust").iterdir()) if _is(of.folder / "trust", "folder") else []
    needed = [of.seal, of.folder / OUTSIDE, of.bag / "tagmanifest-sha256.txt"]
    return all(_is(file, "file") for file in (*needed, *own, *trust))


def names(folder: Path) -> list[str]:
    """What lies in a folder, by name, sorted."""
    return sorted(path.name for path in folder.iterdir())


# -- names -------------------------------------------------------------------------------------------------


def _names(of: Outside) -> Iterator[Finding]:
    over = r"p7s\." if of.signature.exists() else r"(?:p7s\.)?"
    own = re.compile(re.escape(of.number) + rf"\.seal\.(?:json|p7s|{over}{_STAMP})")
    for name in (READ_ME, OUTSIDE, "trust", "verify", "bag"):
        if not (of.folder / name).exists():
            yield Finding("file-missing", "a production holds this", name)
    for name in names(of.folder):
        path = of.folder / name
        kind = "folder" if name in ("trust", "verify", "bag") else "file"
        known = kind == "folder" or name in (READ_ME, OUTSIDE) or own.fullmatch(name)
        if not known or not _is(path, kind):
            yield Finding("file-unknown", "a production does not hold this", shown(name))
    yield from _signature(of)
    for folder, wanted in (
        ("trust", _TRUST),
        ("verify", re.compile("|".join(map(re.escape, sorted(MEANS))))),
    ):
        for name in names(of.folder / folder) if _is(of.folder / folder, "folder") else []:
            if not wanted.fullmatch(name) or not _is(of.folder / folder / name, "file"):
                yield Finding("file-unknown", "a production does not hold this", shown(f"{folder}/{name}"))
    for name in sorted(MEANS) if _is(of.folder / "verify", "folder") else []:
        if not _is(of.folder / "verify" / name, "file"):
            yield Finding("file-missing", "a production holds this", f"verify/{name}")
    if _is(of.bag, "folder"):
        yield from _in_bag(of)


def _signature(of: Outside) -> Iterator[Finding]:
    """Whether the signature is there that timestamps are over, and none of these was taken out."""
    over = re.compile(re.escape(of.signature.name) + rf"\.{_STAMP}")
    stamps = [name for name in names(of.folder) if over.fullmatch(name)]
    if not of.signature.exists() and stamps:
        yield Finding("file-missing", f"{stamps[0]} is a timestamp over it", of.signature.name)
    for number, stamp in enumerate(of.timestamps(), start=1):
        wanted = f"{of.stamped.name.removesuffix('.json')}.{f'{number}.' if number > 1 else ''}tsr"
        if stamp.name != wanted:
            yield Finding("file-missing", f"{stamp.name} is a further one", wanted)
            return


def _in_bag(of: Outside) -> Iterator[Finding]:
    for name in (*_TAGS, *_MANIFESTS):
        if not _is(of.bag / name, "file"):
            yield Finding("file-missing", "a bag holds this", f"bag/{name}")
    if not _is(of.data, "folder"):
        yield Finding("file-missing", "a bag holds this", "bag/data")
    for name in names(of.bag):
        if name not in (*_TAGS, *_MANIFESTS, "data"):
            yield Finding("file-unknown", "a bag does not hold this", shown(f"bag/{name}"))


def _is(path: Path, kind: str) -> bool:
    return not path.is_symlink() and (path.is_dir() if kind == "folder" else path.is_file())


# -- beside the bag ----------------------------------------------------------------------------------------


def _beside(of: Outside, report: Report) -> Iterator[Finding]:
    """`outside-sha256.txt` lists every file beside the bag but itself and the seal's, sorted."""
    listing = of.folder / OUTSIDE
    if not _is(listing, "file"):
        return
    listed: list[tuple[str, str]] = []
    for line in _lines(listing):
        read = _LINE.fullmatch(line)
        if read is None or len(read[1]) != 64 or (listed and read[2] <= listed[-1][0]):
            yield Finding(
                "outside-form", "a line is not a digest, two blanks and a name, sorted by names", OUTSIDE
            )
            return
        listed.append((read[2], read[1]))
    there = {READ_ME} if _is(of.folder / READ_ME, "file") else set()
    for folder in ("trust", "verify"):
        if _is(of.folder / folder, "folder"):
            there |= {f"{folder}/{path.name}" for path in (of.folder / folder).iterdir() if _is(path, "file")}
    for name, digest in listed:
        if name not in there:
            yield Finding("file-missing", f"{OUTSIDE} speaks of it", shown(name))
        elif _digests(of.folder / name, ("sha256",))[0] != digest:
            yield Finding("outside-altered", f"it is not what {OUTSIDE} says", name)
        report.count("files")
    for name in sorted(there - {name for name, _ in listed}):
        yield Finding("file-unknown", f"{OUTSIDE} does not speak of it", shown(name))


# -- the bag -----------------------------------------------------------------------------------------------


def _bag(of: Outside, report: Report) -> Iterator[Finding]:
    if any(not _is(of.bag / name, "file") for name in (*_TAGS, *_MANIFESTS)) or not _is(of.data, "folder"):
        return
    if _head(of.bag / "bagit.txt") != DECLARATION.encode():
        yield Finding("bag-form", "it is not that of BagIt 1.0", "bag/bagit.txt")
    yield from _tag_files(of, report)
    count, size = 0, 0
    payload = _Listed(of.bag, "manifest")
    for path in _walk(of.bag, "data"):
        file = of.bag / path
        if isinstance(problem := _unsafe(file, path), Finding):
            yield problem
            continue
        yield from payload.before(path)
        digests = payload.of(path)
        length = file.stat().st_size
        count, size = count + 1, size + length
        report.count("files")
        report.count("bytes", length)
        if digests is None:
            yield Finding("file-unknown", "the manifests do not speak of it", f"bag/{path}")
        elif digests != _digests(file, ALGORITHMS):
            yield Finding("bag-altered", "it is not what the manifests say", f"bag/{path}")
    yield from payload.before(None)
    if b"\nPayload-Oxum: %d.%d\n" % (size, count) not in b"\n" + _head(of.bag / "bag-info.txt"):
        yield Finding("bag-size", "the payload is not of the size that it says", "bag/bag-info.txt")


def _tag_files(of: Outside, report: Report) -> Iterator[Finding]:
    tags = _Listed(of.bag, "tagmanifest")
    for name in _TAGS:
        yield from tags.before(name)
        digests = tags.of(name)
        report.count("files")
        if digests is None:
            yield Finding("bag-form", "the tag manifests do not speak of it", f"bag/{name}")
        else:
            told = zip(ALGORITHMS, digests, _digests(of.bag / name, ALGORITHMS), strict=True)
            if apart := [f"bag/tagmanifest-{one}.txt" for one, said, is_ in told if said != is_]:
                yield Finding(
                    "bag-altered", "it is not what its tag manifest says", ", ".join([f"bag/{name}", *apart])
                )
    yield from tags.before(None)


class _Listed:
    """Two manifests of one bag, read side by side in the order in which files are met."""

    def __init__(self, bag: Path, kind: str) -> None:
        self._kind = kind
        self._both = [
            (f"bag/{kind}-{name}.txt", _entries(bag / f"{kind}-{name}.txt", name)) for name in ALGORITHMS
        ]
        self._next = self._read()

    def _read(self) -> tuple[str, list[str]] | None:
        told = [next(entries, None) for _, entries in self._both]
        first, second = told
        if first is None and second is None:
            return None
        if first is None or second is None or first[0] != second[0]:
            raise Wrong(
                "bag-form",
                "the two manifests do not list the same files",
                ", ".join(name for name, _ in self._both),
            )
        return first[0], [first[1], second[1]]

    def before(self, path: str | None) -> Iterator[Finding]:
        """What is listed before `path` (None: what is left), and does not lie there."""
        while self._next is not None and (path is None or _order(self._next[0]) < _order(path)):
            yield Finding("file-missing", f"the {self._kind}s speak of it", f"bag/{self._next[0]}")
            self._advance()

    def of(self, path: str) -> list[str] | None:
        """The digests that are listed for `path`, and on to the next."""
        if self._next is None or self._next[0] != path:
            return None
        digests = self._next[1]
        self._advance()
        return digests

    def _advance(self) -> None:
        last = self._next
        self._next = self._read()
        if last is not None and self._next is not None and _order(self._next[0]) <= _order(last[0]):
            raise Wrong(
                "bag-form", "a manifest does not list its files once each, in their order", self._both[0][0]
            )


def _entries(manifest: Path, algorithm: str) -> Iterator[tuple[str, str]]:
    length = hashlib.new(algorithm).digest_size * 2
    for line in _lines(manifest):
        read = _LINE.fullmatch(line)
        if read is None or len(read[1]) != length:
            raise Wrong("bag-form", "a line is not a digest, two blanks and a name", f"bag/{manifest.name}")
        yield read[2], read[1]


def _lines(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as content:
        while line := content.readline(_LONGEST):
            yield line


def _head(file: Path) -> bytes:
    """What a small file holds; of one beyond all measure the beginning, which is no such file's."""
    with file.open("rb") as content:
        return content.read(_CHUNK)


def _walk(bag: Path, folder: str) -> Iterator[str]:
    """Every path below a folder that is no folder, in the order of their parts."""
    with os.scandir(bag / folder) as listing:
        entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing)
    if not entries:
        yield f"{folder}/"
    for name, is_folder in entries:
        path = f"{folder}/{name}"
        if is_folder:
            yield from _walk(bag, path)
        else:
            yield path


def _unsafe(file: Path, path: str) -> Finding | None:
    if path.endswith("/"):
        return Finding("file-unknown", "a bag has no empty folders", shown(f"bag/{path}"))
    if file.is_symlink() or not file.is_file():
        return Finding("name-unsafe", "it is neither a file nor a folder", shown(f"bag/{path}"))
    if not all(_SAFE.fullmatch(part) for part in path.split("/")):
        return Finding("name-unsafe", "its name is not plain", shown(f"bag/{path}"))
    return None


def _order(path: str) -> list[str]:
    return path.split("/")


def _digests(file: Path, algorithms: Sequence[str]) -> list[str]:
    told = [hashlib.new(name) for name in algorithms]
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            for one in told:
                one.update(chunk)
    return [one.hexdigest() for one in told]

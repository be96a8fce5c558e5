"""What an import asks of a format: stretches of what was handed in, and the observations that each one shows.

A format decides nothing about keeping. It divides what it was given into
stretches whose bytes, joined, are a file as it was (or, where a file cannot be
divided by bytes, a form of it that says so), and it reads one stretch at a
time into observations, or says why it cannot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from app.capture.lines import BadFile, Stretch
from connectors.contract import Observation

CHUNK = 1 << 20


class Unreadable(Exception):
    """A line, row or item that is no observation, and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """An observation with the page that it names, and the bytes of its stretch that are its own.

    `span` None means the whole stretch. A line inside another's bytes names
    its own; the archive gives them to the innermost. `other` makes the id that
    the item had in a download in which it did not share its second, where it
    does now, or the other way round.
    """

    platform: str | None
    page: str | None
    observation: Observation
    span: tuple[int, int] | None = None
    other: Callable[[], str] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed in: its name, its SHA-256, its bytes, and where it has several files, each of them."""

    name: str
    sha256: str
    bytes: int
    parts: Sequence[tuple[str, str, int]] = ()

    def as_dict(self) -> dict[str, object]:
        told: dict[str, object] = {"file": self.name, "sha256": self.sha256, "bytes": self.bytes}
        if self.parts:
            told["parts"] = [
                {"file": name, "sha256": digest, "bytes": size} for name, digest, size in self.parts
            ]
        return told


@dataclass(frozen=True, slots=True)
class Left:
    """Something that was handed in and was not taken: a file, or a branch of one; how large, and why."""

    name: str
    size: int
    why: str


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an import came: stretches that are kept, and of the file at hand its name, the bytes and lines."""

    stretches: int = 0
    file: str = ""
    bytes: int = 0
    lines: int = 0


class Source(Protocol):
    """What was handed in, opened by the format that reads it."""

    format: str
    reader: str
    """The format and its edition, as statements name what read them. Raised when the same bytes would be read otherwise."""
    handed: Handed
    shared: bool
    """Whether bytes that are nobody's own may tell of people; they then go with the records that came with them."""
    form: str
    """Empty where the bytes kept are those of the file; else what they are."""
    key: str
    """What decides, beside the bytes, how they are read: the digest of a mapping, or empty."""
    total: int
    """Bytes in all, for progress."""

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Everything from `after` on, in an order that is the same every time."""
        ...

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """The observations of one stretch; none where it holds nothing; `Unreadable` with the reason otherwise."""
        ...

    def page(self) -> tuple[str, str] | None:
        """Platform and name of the page whose download this is, where it says so."""
        ...

    def done(self) -> int:
        """How many of the bytes in all have been read."""
        ...

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """The file of that path, beside or within what was handed in; None where it leads elsewhere or nowhere."""
        ...

    def left(self) -> Sequence[Left]:
        """After all stretches: what was not taken."""
        ...

    def remarks(self) -> Sequence[str]:
        """After all stretches: what a reader of the report should know of how this was read."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Addressed(Protocol):
    """A source that says how the addresses of the accounts end whose pages it names."""

    def addresses(self) -> Mapping[tuple[str, str], str]:
        """By platform and name of a page, the last step of its address: a handle, or an id."""
        ...


@dataclass(slots=True)
class Beside:
    """Files that lie beside what was handed in, and nowhere else."""

    folder: Path

    def open(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """The file of that path, or None: elsewhere, no file, or not to be read."""
        try:
            folder = self.folder.resolve()
            found = (folder / path).resolve()
            if found.is_relative_to(folder) and found.is_file():
                return found.open("rb")
        except (OSError, ValueError):
            return None
        return None


def digest_of(file: Path) -> Handed:
    """The name, SHA-256 and size of a file, read once from end to end."""
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            return Handed(said(file.name), digest, opened.tell())
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}") from error


def said(name: str) -> str:
    """The name of a file as it can be told: what is no text in it is replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def joined(name: str, parts: Sequence[tuple[str, str, int]]) -> Handed:
    """Several files as one thing that was handed in: the SHA-256 of their list, as `sha256sum` would print it."""
    told = "".join(f"{digest}  {part}\n" for part, digest, _ in sorted(parts))
    return Handed(
        said(name),
        hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest(),
        sum(size for _, _, size in parts),
        tuple(sorted(parts)),
    )


@dataclass(slots=True)
class Counted:
    """How often something was noticed, and at which places first."""

    times: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        self.times += 1
        if len(self.places) < _PLACES:
            self.places.append(place)


_PLACES = 5

Extra = Mapping[str, object]

"""A download whose files are divided into items: what Instagram's, X's and YouTube's own downloads have in common.

A format says which of the files it understands and where the items stand in
them. Here they become stretches that join to the file as it was, and whatever
was not understood is listed by its name. Nothing is unpacked to disk; JSON and
tables are read one file at a time, and of its items one at a time, attachments
as streams.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from app.capture.formats import halves
from app.capture.formats.download import Download, composed
from app.capture.formats.encoding import wider_than_utf8
from app.capture.formats.source import Left, Line, Mark
from app.capture.lines import BadFile, Stretch
from connectors.spans import NotJson, array_places, document, object_members, without_halves

LARGEST = 256 << 20
_WHOLE = 32 << 20
_PART = 4 << 20
_DEEPEST = 100
_BYTES = re.compile("[\udc80-\udcff]")
"""Bytes in a name that are no UTF-8; halves of characters look the same."""
_SMALL = 1 << 16
_OPENED = 8
_FILES = re.compile(
    r"\.(jpe?g|png|gif|webp|heic|bmp|mp4|mov|webm|mkv|avi|wmv|flv|3gp|mp3|m4a|aac|wav|ogg|pdf|srt|vtt)"
)
"""Pictures, sounds, videos and documents: what items name."""


@dataclass(frozen=True, slots=True)
class Item:
    """The bytes of a file that are one item's own, and how they are read; `why` where they cannot be."""

    start: int
    end: int
    read: Callable[[bytes], Sequence[Line]]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Items that stand in one list, or one by itself, and are read alike."""

    spans: Iterable[tuple[int, int]]
    read: Callable[[bytes], Sequence[Line]]


def in_order(runs: Iterable[Run]) -> Iterator[Item]:
    """The items of lists none of which stands in another, in the order of their bytes."""
    begun = [(first[0], run) for run in runs if (first := next(iter(run.spans), None))]
    for _, run in sorted(begun, key=lambda one: one[0]):
        for span in run.spans:
            yield Item(*span, run.read)


@dataclass(frozen=True, slots=True)
class _Own:
    """How a stretch is read, and how many of its bytes are the item's own."""

    read: Callable[[bytes], Sequence[Line]]
    length: int


class Divided(ABC):
    """Everything that a platform's download shows."""

    format: str
    reader: str
    shared = True
    form = ""
    key = ""

    def __init__(self, files: Sequence[Path]) -> None:
        self.download = self.gathered(files)
        self.understood: list[str] = []
        """The files whose items are received, in their order."""
        self.unreadable: dict[str, str] = {}
        """Files that should hold items and cannot be read, and why; their bytes are kept."""
        self.others: list[Left] = []
        """Files and branches that are known not to be taken, and why."""
        self.wanted: set[str] = set()
        """Paths of attachments that items name."""
        self._done = 0
        self._ends: dict[str, list[str]] = {}
        for path in self.download.members:
            self._ends.setdefault(PurePosixPath(path).name, []).append(path)
        try:
            self.handed = self.download.handed
            self.survey()
        except BaseException:
            self.download.close()
            raise
        self.total = sum(self.download.members[path].size for path in self.understood)

    # -- what a format says --------------------------------------------------------------------------------

    def gathered(self, files: Sequence[Path]) -> Download:
        """What was handed in, file by file."""
        return Download(files)

    @abstractmethod
    def survey(self) -> None:
        """Find out what each file is before anything is kept; `BadFile` where nothing is known."""

    @abstractmethod
    def items(self, path: str, body: bytes) -> Iterable[Item]:
        """The items of a file that is understood, in the order of their bytes; `NotJson` at once where they cannot be found."""

    @abstractmethod
    def page(self) -> tuple[str, str] | None:
        """Platform and name of the page whose download this is."""

    def addresses(self) -> Mapping[tuple[str, str], str]:
        """The page whose download this is, with how its address ends: as its name does, where that is a handle."""
        try:
            own = self.page()
        except BadFile:
            return {}
        return {own: own[1]} if own else {}

    @abstractmethod
    def remarks(self) -> Sequence[str]:
        """What a reader of the report should know of how this was read."""

    # -- what an import asks -------------------------------------------------------------------------------

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Every item of every file that is understood, file by file."""
        number = 0
        for path in self.understood:
            for stretch in self._stretches(path):
                if number >= after.stretches:
                    yield stretch
                number += 1
            self._done += self.download.members[path].size
        for path, why in self.unreadable.items():
            for stretch in self._damaged(path, why):
                if number >= after.stretches:
                    yield stretch
                number += 1

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """The observations of one item."""
        own = stretch.found
        if not isinstance(own, _Own):
            return ()
        content = stretch.content[: own.length]
        return halves.counted(own.read(content), content)

    def done(self) -> int:
        """Bytes of the files with items that were read."""
        return self._done

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """A file of the download, by the path that an item gives, below whatever folder the download stands in."""
        found = self.found(path)
        return self.download.attachment(found) if found else None

    def left(self) -> Sequence[Left]:
        """Every file, and every branch with words, that was not taken, and why."""
        taken = {found for path in self.wanted if (found := self.found(path))}
        known = {*self.understood, *taken, *self.unreadable, *(one.name for one in self.others)}
        unknown = [
            Left(path, one.size, self.why_not(path))
            for path, one in sorted(self.download.members.items())
            if path not in known
        ]
        return [*self.download.refused, *self.others, *unknown]

    def why_not(self, path: str) -> str:
        """Why a file was not taken of which nothing else is known."""
        suffix = PurePosixPath(path).suffix.lower()
        if suffix in {".html", ".htm"}:
            return "HTML, which is not read"
        if kind := self.download.packing(path):
            return inside(kind)
        return (
            "no item that was taken names it"
            if _FILES.fullmatch(suffix)
            else "a kind of file that is not read"
        )

    def close(self) -> None:
        """Give the files back."""
        self.download.close()

    # -- what a format needs -------------------------------------------------------------------------------

    def paths(self, *suffixes: str) -> Iterator[str]:
        """The files with one of these suffixes, numbered ones in the order of their numbers; larger ones are left, and said."""
        for path in sorted(self.download.members, key=_natural):
            if path.lower().endswith(suffixes):
                size = self.download.members[path].size
                if size > LARGEST:
                    self.others.append(Left(path, size, f"larger than {LARGEST >> 20} MiB"))
                else:
                    yield path

    def body(self, path: str) -> bytes | None:
        """The bytes of a file; None where they cannot be read, which is then reported."""
        try:
            body = self.download.read(path, LARGEST)
        except BadFile as error:
            self.unreadable[path] = str(error)
            return None
        if why := otherwise_written(body):
            self.unreadable[path] = why
            return None
        return body

    def refusal(self, why: str, advice: str) -> BadFile:
        """What is said where nothing of the download is understood, with what each file is."""
        return self.download.refusal(
            why, advice, self.unreadable | {one.name: one.why for one in self.others}
        )

    def leave(self, path: str, why: str) -> None:
        """Say that a file is not taken."""
        self.others.append(Left(path, self.download.members[path].size, why))

    def found(self, path: str) -> str | None:
        """The file that an item's path means: exactly it, or the only one that ends so."""
        path = composed(path)
        if path in self.download.members:
            return path
        ends = [one for one in self._ends.get(PurePosixPath(path).name, ()) if one.endswith("/" + path)]
        return ends[0] if len(ends) == 1 else None

    def beside(self) -> list[str]:
        """A remark about further parts that were not given."""
        if not self.download.beside:
            return []
        names = ", ".join(self.download.beside)
        return [f"Beside it lie what may be further parts of this download, which were not given: {names}"]

    # -- item by item --------------------------------------------------------------------------------------

    def _stretches(self, path: str) -> Iterator[Stretch]:
        """The items of a file with everything between them, so that the stretches join to the file."""
        try:
            body = self.download.read(path, LARGEST)
        except BadFile as error:  # it changed since it was looked through
            yield from self._damaged(path, str(error))
            return
        try:
            items = iter(self.items(path, body))
        except NotJson as error:
            yield from _pieces(body, str(error), path)
            return
        item = next(items, None)
        first = item.start if item else len(body)
        if first:
            yield Stretch(0, body[:first], None, path)
        number, last = 0, len(body)
        while item is not None:
            number, last, following = number + 1, item.end, next(items, None)
            until = following.start if following else item.end
            why = item.why
            if item.end - item.start > _WHOLE:
                why = f"longer than {_WHOLE >> 20} MiB"
            own = _Own(item.read, item.end - item.start)
            yield Stretch(number, body[item.start : until], why, path, own)
            item = following
        if last < len(body):
            yield Stretch(number, body[last:], None, path)

    def _damaged(self, path: str, why: str) -> Iterator[Stretch]:
        """A file that cannot be understood: its bytes are kept as far as they can be read, and it is reported once."""
        yield from _pieces(self.download.readable(path, LARGEST), why, path)


def inside(kind: str) -> str:
    """Why an archive within a download is not taken."""
    return f"another archive, {kind}, which is not opened: take it out, and import it by itself"


def otherwise_written(body: bytes) -> str | None:
    """Why a file is not read that is written in wider characters than any platform's; None for every other."""
    wider = wider_than_utf8(body[:4])
    if wider is None:
        return None
    return (
        f"written in {wider}, as no platform does: some program saved it anew; "
        "give the download as the platform handed it out"
    )


def decoded(content: bytes, level: int = 0) -> object:
    """A JSON value that stands in `level` others; half a character that stands alone becomes the replacement character. `NotJson` otherwise."""
    found: object
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _leniently(content)
    if _too_deep(found, level):
        raise NotJson("nested too deeply")
    return found


def _leniently(content: bytes) -> object:
    """A JSON value in which something stands that a stricter reader does not take: halves of characters as a rule."""
    if (whole := without_halves(content)) is not None:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found: object = msgspec.json.decode(whole)
            return found
    try:
        return json.loads(halves.replaced(json.dumps(json.loads(content), ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        raise NotJson(f"not JSON: {error}") from error


class Spans:
    """Where the elements of a JSON list stand, however many there are: `NotJson` where no list stands there."""

    def __init__(self, body: bytes, start: int, end: int) -> None:
        self._places: array[int] = array_places(body, start, end)

    def __len__(self) -> int:
        return len(self._places) // 2

    def __iter__(self) -> Iterator[tuple[int, int]]:
        places = iter(self._places)
        return zip(places, places, strict=True)


class Elements:
    """The elements of a JSON list that stands in `level` other values, one at a time and as often as they are gone through: never all of them in memory."""

    def __init__(self, body: bytes, start: int, end: int, level: int = 0) -> None:
        self._body, self._spans, self._level = body, Spans(body, start, end), level + 1

    def __len__(self) -> int:
        return len(self._spans)

    def __iter__(self) -> Iterator[object]:
        for start, end in self._spans:
            yield decoded(self._body[start:end], self._level)


LISTS = (list, Elements)
"""A JSON list, all of it or element by element."""


def listed(body: bytes, start: int, end: int) -> Elements | object:
    """The JSON value that stands at `body[start:end]`, as `decoded` reads it; a list as `Elements`, each of which can be read."""
    if body[start : start + 1] == b"[":
        with suppress(NotJson):
            found = Elements(body, start, end)
            for _ in found:
                pass
            return found
    return decoded(body[start:end])  # which says what is wrong with a list, too


def unfolded(body: bytes) -> object:
    """The JSON value of a file, as `decoded` reads it; each large list in its outer objects as `Elements`, each of which can be read."""
    start, end = document(body)
    if body[start : start + 1] not in {b"{", b"["}:
        return decoded(body)
    with suppress(NotJson):
        found = laid_out(body, start, end)
        for one in large_lists(found):
            for _ in one:
                pass
        return found
    try:
        json.loads(body, object_hook=_forgotten)
    except RecursionError:
        pass
    except ValueError as error:
        raise NotJson(f"not JSON: {error}") from error
    return decoded(body)


def laid_out(body: bytes, start: int, end: int, level: int = 0) -> object:
    """What `unfolded` reads, of the value at `body[start:end]`; what stands in its large lists is not looked at."""
    opening = body[start : start + 1]
    if end - start < _SMALL or level >= _OPENED or opening not in {b"{", b"["}:
        return decoded(body[start:end], level)
    if opening == b"[":
        return Elements(body, start, end, level)
    members = object_members(body, (start, end))
    if any(_BYTES.search(name) for name in members):
        raise NotJson("a name that may not be UTF-8")
    return {halves.replaced(name): laid_out(body, *span, level + 1) for name, span in members.items()}


def large_lists(found: object) -> Iterator[Elements]:
    """Every list within that is read element by element."""
    if isinstance(found, Elements):
        yield found
    elif isinstance(found, dict):
        for one in found.values():
            yield from large_lists(one)


def _forgotten(_: object) -> None:
    """Of a file that is cut, what is wrong is wanted, and nothing that stands before it."""


def uris(found: object) -> Iterator[str]:
    """Every file of a download that is named anywhere inside, as Facebook and Instagram name theirs."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            uri = one.get("uri")
            if isinstance(uri, str) and uri and "://" not in uri:
                yield uri
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, Elements):
            for inner in one:
                yield from uris(inner)


def written(value: object) -> int:
    """How long a JSON value is as Python writes it, in letters."""
    if isinstance(value, Elements):
        return 2 * max(len(value), 1) + sum(map(written, value))
    if isinstance(value, dict) and next(large_lists(value), None) is not None:
        names = sum(len(json.dumps(name)) + 2 for name in value)
        return 2 * len(value) + names + sum(map(written, value.values()))
    return len(json.dumps(value, default=str))


def _too_deep(found: object, outer: int = 0) -> bool:
    """Whether lists and objects stand in one another deeper than any platform's do, `outer` of them around this one."""
    level: list[object] = [found]
    for _ in range(_DEEPEST - outer):
        level = [
            inside
            for one in level
            for inside in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(inside, (dict, list))
        ]
        if not level:
            return False
    return True


def rest(item: Mapping[str, object], taken: set[str]) -> dict[str, object]:
    """Whatever has no field of its own, under its own name."""
    return {
        name: value
        for name, value in item.items()
        if name not in taken and value not in ("", None) and value not in ([], {})
    }


def _pieces(body: bytes, why: str, path: str) -> Iterator[Stretch]:
    for start in range(0, max(len(body), 1), _PART):
        yield Stretch(0, body[start : start + _PART], "" if start else why, path)


def _natural(path: str) -> list[tuple[int, int, str]]:
    """Sorts numbered files by their numbers: 2 before 10."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", path)]

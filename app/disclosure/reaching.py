"""The same words are treated the same everywhere: what is taken out of one record is taken out of the others of a request.

A name that leaves in the next comment was not redacted. So every redaction of
words reaches every record of the selection, however the words are written
there, in its text, its fields, and what the platform says beside it (html,
quoted posts, titles of links, names and descriptions of files), unless it says
that it means its own record only. Whoever was taken out as an author is known
again by id and handle, whatever they are called there. What was taken out of a
file is taken out of the same file wherever it lies. Each place is a
redaction of its own in the logs, on the same ground, by the same person; of
whose record the words are is not told to those to whom it leaves: it would say
which records are of one person. Pure, but for the files that are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from app.disclosure import matching
from app.disclosure.redacting import (
    DETAILS,
    FIELDS,
    SPELLED,
    Field,
    Held,
    Read,
    Redaction,
    Region,
    Span,
    Where,
    Whole,
    beside,
    words,
)
from app.records.nouns import Version

_FILE = "the same file is"

Known: TypeAlias = tuple[str, str, UUID | None]
"""A field that says who wrote a record, what it says, and on which page alone that speaks of the same person."""


@dataclass(frozen=True, slots=True)
class Ground:
    """From which record words come that are taken out, and the redaction that took them out there."""

    record: UUID
    redaction: Redaction


class Reach:
    """All words that a request's redactions take out, to be looked for in each of its records."""

    def __init__(self, made: Iterable[tuple[Read, Sequence[Redaction]]]) -> None:
        grounds: dict[str, list[Ground]] = {}
        self._authors: dict[Known, list[Ground]] = {}
        self._files = SameFiles[Ground]()
        for read, redactions in made:
            for one in redactions:
                if one.only_here or one.where == Whole():
                    continue
                self._files.add(_taken_of(read, one.where), Ground(read.record.id, one))
                for known in _who(read, one.where):
                    self._authors.setdefault(known, []).append(Ground(read.record.id, one))
                for word in words(read, [one]):
                    said = matching.folded(word)
                    if matching.long_enough(said):
                        grounds.setdefault(said, []).append(Ground(read.record.id, one))
        self._grounds: Mapping[str, Sequence[Ground]] = grounds
        self._many = matching.Many(grounds)

    def __bool__(self) -> bool:
        return bool(self._many) or bool(self._authors) or bool(self._files)

    def within(self, read: Read) -> list[Redaction]:
        """What is taken out of a record because the same words were taken out of another one."""
        if not self:
            return []
        found: list[Redaction] = []
        for version in read.versions:
            for word, places in self._many.within(version.text("text") or "").items():
                for ground in _others(self._grounds[word], read):
                    found += [self._made(ground, Span(version.number, *place)) for place in places]
        covered: set[str] = set()
        for name, part in _parts():
            first = next(self._in_field(read, part), None) if part not in covered else None
            if first is not None:
                reached = _widened(name, first.redaction)
                covered.update(FIELDS[reached])
                found.append(self._made(first, Field(reached)))
        return _distinct([*found, *self._beside(read), *self._same_files(read)])

    def _same_files(self, read: Read) -> Iterator[Redaction]:
        for held, ground in self._files.of(read):
            match ground.redaction.where:
                case Region() as region if held.id is not None:
                    yield self._made(ground, replace(region, attachment=held.id), _FILE)
                case Whole() if held.id is not None:
                    yield self._made(ground, Whole(held.id), _FILE)
                case _:
                    pass

    def _in_field(self, read: Read, part: str) -> Iterator[Ground]:
        for version in read.versions:
            value = version.text(part) or ""
            for page in (read.record.page.id, None):
                yield from _others(self._authors.get((part, matching.folded(value), page), ()), read)
            spelled = self._many.spelled(value) if part in SPELLED else ()
            for word in (*self._many.within(value), *spelled):
                yield from _others(self._grounds[word], read)

    def _beside(self, read: Read) -> Iterator[Redaction]:
        """What is taken out of the details, for each ground once, with the words by which it reached them."""
        said = {*beside(read)}
        told: dict[str, tuple[Ground, list[str]]] = {}
        for word in sorted({word for one in said for word in self._many.named(one)}):
            for ground in _others(self._grounds[word], read):
                told.setdefault(ground.redaction.code, (ground, []))[1].append(word)
        for ground, theirs in told.values():
            yield replace(self._made(ground, Field(DETAILS)), words=tuple(theirs))

    @staticmethod
    def _made(ground: Ground, where: Where, what: str = "the same words are") -> Redaction:
        said = f"{ground.redaction.explanation}; " if ground.redaction.explanation else ""
        return replace(
            ground.redaction,
            where=where,
            explanation=f"{said}{what} taken out of {ground.record}",
            outside=f"{said}{what} taken out of another record",
        )


Of = TypeVar("Of")


class SameFiles(Generic[Of]):
    """Attachments of which something is kept back, to be known again where the same bytes are attached elsewhere.

    Read and digested are only those of one size.
    """

    def __init__(self) -> None:
        self._of: dict[int, list[tuple[Held, Of]]] = {}
        self._digests: dict[UUID, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, files: Iterable[Held], of: Of) -> None:
        for held in files:
            if held.id is not None and held.chunks is not None and held.size:
                self._of.setdefault(held.size, []).append((held, of))

    def of(self, read: Read) -> Iterator[tuple[Held, Of]]:
        """The attachments of a record that are one of these under another id, and whose it is."""
        listed = {one.id: one for files in read.attachments.values() for one in files} if self._of else {}
        for identity, held in listed.items():
            if identity is not None and held.chunks is not None:
                for other, of in self._of.get(held.size or 0, ()):
                    if other.id != identity and self._digest(other) == self._digest(held):
                        yield held, of

    def _digest(self, held: Held) -> bytes:
        assert held.id is not None, "only what has an id is compared"
        assert held.chunks is not None, "and what has bytes"
        if held.id not in self._digests:
            told = hashlib.sha256()
            for chunk in held.chunks():
                told.update(chunk)
            self._digests[held.id] = told.digest()
        return self._digests[held.id]


def _taken_of(read: Read, where: Where) -> Iterator[Held]:
    """The attachment that a redaction is of."""
    if isinstance(where, Region | Whole):
        listed = {one.id: one for files in read.attachments.values() for one in files}
        if where.attachment in listed:
            yield listed[where.attachment]


def _who(read: Read, where: Where) -> Iterator[Known]:
    """Each field that a redaction takes out and that says who wrote it, folded; as a whole it is met by no chance.

    One of few letters speaks of the same person on the same page only: user 7 is another one elsewhere.
    """
    if not isinstance(where, Field):
        return
    for part in FIELDS[where.name]:
        for version in read.history if part not in FIELDS["address"] else ():
            said = matching.folded(version.text(part) or "")
            if matching.long_enough(said):
                yield part, said, None
            elif said.isalnum() and said != "0" and (part != "author_name" or said.isalpha()):
                yield part, said, read.record.page.id


def _widened(name: str, ground: Redaction) -> str:
    """What is taken out where somebody is known again: all that names them, if it was there."""
    return "author" if name == "handle" and ground.where == Field("author") else name


def _others(grounds: Iterable[Ground], read: Read) -> list[Ground]:
    first = next((one for one in grounds if one.record != read.record.id), None)
    return [] if first is None else [first]


def _parts() -> Iterator[tuple[str, str]]:
    """Each field that words may stand in, and the name that takes it out with all that leads there; the widest first."""
    yield "author", "author_name"
    yield "handle", "author_handle"
    yield "handle", "author_id"
    yield "address", "url"
    yield "address", "native_id"


def _distinct(found: Iterable[Redaction]) -> list[Redaction]:
    told: dict[tuple[object, str], Redaction] = {}
    for one in found:
        told.setdefault((one.where, one.code), one)
    return list(told.values())


def left_behind(read: Read, redactions: Sequence[Redaction]) -> list[int]:
    """The versions of a record whose words nobody took anything out of, while words of another version were.

    Somebody should look at them: an edit may have written the same thing in other words.
    """
    spans = {one.where.version for one in redactions if isinstance(one.where, Span)}
    if not spans:
        return []
    gone = [matching.folded(word) for word in words(read, redactions)]
    return [
        version.number
        for version in read.versions
        if version.number not in spans and _says(version) and not _meets(version, gone)
    ]


def _says(version: Version) -> bool:
    return bool((version.text("text") or "").strip())


def _meets(version: Version, gone: Sequence[str]) -> bool:
    return bool(matching.found([one for one in gone if one], matching.read(version.text("text") or "")))


assert {part for _, part in _parts()} == {part for parts in FIELDS.values() for part in parts}

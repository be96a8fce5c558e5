"""The same words are treated the same everywhere: what is taken out of one record is taken out of the others of a request.

A name that leaves in the next comment was not redacted. So every redaction of
words reaches every record of the selection, however the words are written
there, in its text, its fields, and what the platform says beside it (html,
quoted posts, titles of links, names and descriptions of files), unless it says
that it means its own record only. Each place is a
redaction of its own in the logs, on the same ground, by the same person. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app.disclosure import matching
from app.disclosure.redacting import DETAILS, FIELDS, Field, Read, Redaction, Span, Whole, details, words
from app.records.nouns import Version


@dataclass(frozen=True, slots=True)
class Ground:
    """From which record words come that are taken out, and the redaction that took them out there."""

    record: UUID
    redaction: Redaction


class Reach:
    """All words that a request's redactions take out, to be looked for in each of its records."""

    def __init__(self, made: Iterable[tuple[Read, Sequence[Redaction]]]) -> None:
        grounds: dict[str, list[Ground]] = {}
        for read, redactions in made:
            for one in redactions:
                if one.only_here or isinstance(one.where, Whole):
                    continue
                for word in words(read, [one]):
                    said = matching.folded(word)
                    if matching.long_enough(said):
                        grounds.setdefault(said, []).append(Ground(read.record.id, one))
        self._grounds: Mapping[str, Sequence[Ground]] = grounds
        self._many = matching.Many(grounds)

    def __bool__(self) -> bool:
        return bool(self._many)

    def within(self, read: Read) -> list[Redaction]:
        """What is taken out of a record because the same words were taken out of another one."""
        if not self:
            return []
        found: list[Redaction] = []
        for version in read.versions:
            for word, places in self._many.within(version.text("text") or "").items():
                for ground in self._others(word, read):
                    found += [self._made(ground, Span(version.number, *place)) for place in places]
        covered: set[str] = set()
        for name, part in _parts():
            first = next(self._in_field(read, part), None) if part not in covered else None
            if first is not None:
                covered.update(FIELDS[name])
                found.append(self._made(first, Field(name)))
        return _distinct([*found, *self._beside(read)])

    def _in_field(self, read: Read, part: str) -> Iterator[Ground]:
        for version in read.versions:
            value = version.text(part) or ""
            spelled = self._many.spelled(value) if part in FIELDS["address"] else ()
            for word in (*self._many.within(value), *spelled):
                yield from self._others(word, read)

    def _beside(self, read: Read) -> Iterator[Redaction]:
        """What is taken out of the details, for each ground once, with the words by which it reached them."""
        said = {one for version in read.versions for one in details(version)}
        told: dict[str, tuple[Ground, list[str]]] = {}
        for word in sorted({word for one in said for word in self._many.named(one)}):
            for ground in self._others(word, read):
                told.setdefault(ground.redaction.code, (ground, []))[1].append(word)
        for ground, theirs in told.values():
            yield replace(self._made(ground, Field(DETAILS)), words=tuple(theirs))

    def _others(self, word: str, read: Read) -> list[Ground]:
        first = next((one for one in self._grounds[word] if one.record != read.record.id), None)
        return [] if first is None else [first]

    @staticmethod
    def _made(ground: Ground, where: Span | Field) -> Redaction:
        said = f"the same words are taken out of {ground.record}"
        why = f"{ground.redaction.explanation}; {said}" if ground.redaction.explanation else said
        return replace(ground.redaction, where=where, explanation=why)


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

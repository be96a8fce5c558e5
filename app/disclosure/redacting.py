"""Redaction, as rules: from a record and what was decided of it to what may leave. Pure.

What could go wrong here is that something withheld is read by a requester. So
the rules err on the side of taking out:

* Words taken out in one place are taken out wherever the same record has them
  again: in each of its versions, in what describes its pictures.
* Taking out the author takes out the name, the handle, the platform's id of
  the author, and the address and native id of the record, which would lead
  to them.
* In an address words are met however they are spelled there, and all of it goes.
* A record of which anything is taken out leaves without what is not shown to
  whoever decides: the platform's html, its further details, the source
  addresses of attachments, and the metadata inside pictures.
* A sound, video or file of such a record cannot be looked through. Somebody
  has to say that it leaves whole, or on what ground it is withheld; until
  then nothing of the record leaves.

The record itself never changes.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from app.disclosure import matching
from app.disclosure.released import (
    Item,
    Leaves,
    Made,
    Marked,
    Passage,
    Released,
    ReleasedAttachment,
    ReleasedAuthor,
    ReleasedPage,
    ReleasedVersion,
    Removed,
    Withheld,
)
from app.records.errors import Invalid, Refused
from app.records.nouns import Record, Version

FIELDS: Mapping[str, tuple[str, ...]] = {
    "author": ("author_name", "author_handle", "author_id", "url", "native_id"),
    "handle": ("author_handle", "author_id", "url", "native_id"),
    "address": ("url", "native_id"),
    "details": (),
}
"""What can be taken out by name, and everything that goes with it because it would lead there.

`details` is what the platform says beside it: its html, further details, the
names and descriptions of files. The first two go with whatever is taken out.
"""
SPELLED = ("author_handle", *FIELDS["address"])
"""Fields in which words are met by their letters alone, as they are spelled where no blanks can be."""
DETAILS = "details"
_TAG = re.compile(r"<[^<>]*>")
_COUNTED = re.compile(r"[a-z]+(?:[ _][a-z0-9]+)?")
"""What is counted by the names that platforms have for it: `likes`, `votes_1`; anything else somebody wrote."""
_OF_A_FILE = ("id", "url", "path", "description", "caption")
_LEAST = 8
"""A shorter native id, a plain number, says nothing where it stands in a text."""
FINE = 10_000
"""Regions are told in ten-thousandths of a picture's or page's width and height, from its top left corner."""


class BadRedaction(Invalid):
    """It does not say what is taken out, or there is no such thing in the record."""

    code = "bad-redaction"


class Undecided(Refused):
    """Something of a record that leaves in part cannot be looked through, and nobody decided whether it leaves."""

    code = "attachment-undecided"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of the text of a version, counted as code points from 0; `end` is the first that stays."""

    version: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field by name: `author`, `handle` or `address`."""

    name: str


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture, or of a page of a PDF (from 1), in ten-thousandths."""

    attachment: UUID
    page: int
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Whole:
    """An attachment, all of it; without an attachment, the record."""

    attachment: UUID | None = None


Where: TypeAlias = Span | Field | Region | Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """Something that a person takes out of every rendition of a record, on a ground."""

    where: Where
    code: str
    citation: str
    explanation: str
    by: str
    approved_by: str | None
    on: datetime
    only_here: bool = False
    """Whether the same words may leave elsewhere; without it they are taken out of every record of the request."""
    words: tuple[str, ...] = ()
    """Of the details: which words alone go out of the descriptions; none, and the descriptions go."""
    outside: str = ""
    """The explanation as it leaves, where the archive's own says more than may."""

    def made(self) -> Made:
        """As the logs tell it."""
        return Made(
            where=shown(self.where), code=self.code, citation=self.citation,
            explanation=self.outside or self.explanation, by=self.by, approved_by=self.approved_by, on=self.on,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An attachment as the archive holds it; `state` is kept, missing, refused or listed."""

    id: UUID | None
    state: str
    media_type: str | None
    size: int | None
    description: str
    chunks: Callable[[], Iterator[bytes]] | None
    commitment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A record with everything that could leave of it."""

    record: Record
    versions: Sequence[Version]
    attachments: Mapping[int, Sequence[Held]]
    """By the number of the version that lists them."""
    author: str
    """Who wrote it, as a category: `agency`, `visitor`, or `unknown` where the page's own name there is not known."""
    day: str
    later: Sequence[Version] = ()
    """Versions that do not leave, because they were captured afterwards; words may have been taken out of them too."""

    @property
    def history(self) -> Sequence[Version]:
        """Every version there is, oldest first."""
        return [*self.versions, *self.later]


class Remaker(Protocol):
    """Makes pictures and documents anew; the builder hands in one that does it in a child process."""

    def remade(self, held: Held, regions: Sequence[tuple[Region, Removed]]) -> tuple[bytes, str]:
        """The attachment made anew with its regions filled and without metadata, and its media type."""
        ...


PICTURES = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/avif"}
)
DOCUMENTS = frozenset({"application/pdf"})


def plain_type(media_type: str | None) -> str:
    """A media type without its parameters, in small letters."""
    said = (media_type or "").partition(";")[0].strip().casefold()
    return "image/jpeg" if said == "image/jpg" else said


def can_be_remade(media_type: str | None) -> bool:
    """Whether what is of this type can be made anew, in part or without its metadata; everything else leaves whole or not at all."""
    return plain_type(media_type) in PICTURES | DOCUMENTS


def told(where: Where) -> str:
    """Where a redaction stands, in words."""
    match where:
        case Span(version, start, end):
            return f"text of version {version}, characters {start} to {end}"
        case Field(name):
            return name
        case Region(attachment, page):
            return f"attachment {attachment}, page {page}, a region"
        case Whole(None):
            return "the whole record"
        case Whole(attachment):
            return f"attachment {attachment}"


def shown(where: Where) -> str:
    """The same for those to whom it leaves: nothing tells how long the words were, or where in the text they stood."""
    return f"text of version {where.version}" if isinstance(where, Span) else told(where)


def check(read: Read, where: Where) -> None:
    """Raise `BadRedaction` unless the record has what is to be taken out."""
    match where:
        case Span(version, start, end):
            text = _text(read, version)
            if not 0 <= start < end <= len(text):
                raise BadRedaction(
                    f"version {version} has {len(text)} characters, and {start}:{end} is no part of them",
                    next="START:END count characters from 0; END is the first that stays.",
                )
            if not matching.folded(text[start:end]) and not text[start:end].strip():
                raise BadRedaction(f"{start}:{end} holds nothing but blanks", next="Choose the words.")
        case Field(name):
            if name not in FIELDS:
                raise BadRedaction(f"there is no field {name!r}", next=f"One of {', '.join(FIELDS)}.")
        case Region(attachment, page, left, top, right, bottom):
            kind = _attachment(read, attachment).media_type
            if not can_be_remade(kind):
                raise BadRedaction(
                    f"a file of the kind {kind or 'unknown'} cannot be redacted in part",
                    next="Withhold the whole attachment, or let it leave whole.",
                )
            if page > 1 and plain_type(kind) in PICTURES:
                raise BadRedaction(
                    f"a picture has no page {page}", next="Its region is on page 1; of one that moves it is taken out throughout."
                )  # fmt: skip
            if page < 1 or not (0 <= left < right <= FINE and 0 <= top < bottom <= FINE):
                raise BadRedaction(
                    f"a region lies between 0 and {FINE} from the left and from the top, on page 1 or a later one",
                    next="Give PAGE:LEFT,TOP,RIGHT,BOTTOM in ten-thousandths of the width and height.",
                )
        case Whole(attachment) if attachment is not None:
            _attachment(read, attachment)
        case _:
            pass


def release(read: Read, redactions: Sequence[Redaction], *, whole: Iterable[UUID] = (), by: Remaker) -> Item:
    """What leaves of a record: everything but what `redactions` take out, or only a slip in its place.

    `whole` are the attachments of which somebody decided that they leave as they
    are, although something else of the record does not. Raises `Undecided`
    where that decision is missing.
    """
    page = ReleasedPage(
        id=read.record.page.id, name=read.record.page.name, platform=read.record.page.platform,
        address=read.record.page.address, custodian=read.record.page.custodian,
    )  # fmt: skip
    grounds = [one.made() for one in redactions if one.where == Whole()]
    if grounds:
        return Withheld(
            key=read.record.key, id=read.record.id, page=page, kind=read.record.kind, root=read.record.root,
            in_reply_to=read.record.in_reply_to, day=read.day, author=read.author,
            entries=[one.entry for one in read.versions], grounds=grounds,
        )  # fmt: skip
    taken = _Taken(read, redactions)
    newest = read.versions[-1]
    touched = bool(redactions)
    return Released(
        key=read.record.key,
        id=read.record.id,
        page=page,
        kind=read.record.kind,
        root=read.record.root,
        in_reply_to=read.record.in_reply_to,
        author=ReleasedAuthor(
            id=taken.field(newest, "author_id"),
            name=taken.field(newest, "author_name"),
            handle=taken.field(newest, "author_handle"),
        ),
        url=taken.field(newest, "url"),
        native_id=taken.field(newest, "native_id"),
        published_at=read.record.published_at,
        first_seen=read.record.first_seen,
        last_seen=read.record.last_seen,
        language=newest.text("language"),
        counts={name: number for name, number in read.record.counts.items() if not taken.says(name)},
        origin="received" if read.record.received else "captured",
        received=None if touched else read.record.handed_in,
        series=read.record.series,
        versions=[
            _version(taken, version, read.attachments.get(version.number, ()), frozenset(whole), by)
            for version in read.versions
        ],
        redactions=[one.made() for one in redactions],
        extra={} if touched else _mapping(newest.fields.get("extra")),
    )


def details(version: Version) -> Iterator[str]:
    """What the platform said beside the words of a version: its html, further details, and of each file what it is called."""
    yield from as_shown(version.text("html") or "")
    yield version.text("state_reason") or ""
    more = version.fields.get("extra")
    for said in _strings(_parsed(more) if isinstance(more, str) else more):
        yield from as_shown(said)
    listed = version.fields.get("attachments")
    for item in listed if isinstance(listed, list | tuple) else ():
        if isinstance(item, Mapping):
            for name in _OF_A_FILE:
                if isinstance(called := item.get(name), str):
                    yield from as_shown(called.rpartition(":")[2] if name == "id" else called)


def beside(read: Read) -> Iterator[str]:
    """What is said beside the words of a record: its details, what it is counted by, and in whose file it was received.

    What follows the type of a file is the file's own words: its name, for one.
    """
    for version in read.versions:
        yield from details(version)
    for media_type in {one.media_type or "" for listed in read.attachments.values() for one in listed}:
        for shown in as_shown(media_type.partition(";")[2]):
            yield from (shown, *shown.split(";"))
    yield from (name for name in read.record.counts if not _COUNTED.fullmatch(name))
    yield from _strings(read.record.handed_in or {})


def as_shown(said: str) -> Iterator[str]:
    """Words as they are written, and as somebody sees them where they are markup: once with nothing in place of its tags, once with a blank."""
    yield said
    if (plain := html.unescape(said)) != said:
        yield plain
        if (twice := html.unescape(plain)) != plain:  # markup that is held by markup
            yield (plain := twice)
    if (bare := _TAG.sub("", plain)) != plain:
        yield bare
        yield _TAG.sub(" ", plain)


def _parsed(written: str) -> object:
    """What a statement holds as JSON text."""
    try:
        return json.loads(written)
    except ValueError:
        return written


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for name, one in value.items():
                yield from _strings(name)
                yield from _strings(one)
        case list() | tuple():
            for one in value:
                yield from _strings(one)
        case _:
            pass


def to_be_remade(
    read: Read, redactions: Sequence[Redaction], whole: Iterable[UUID] = ()
) -> Iterator[tuple[Held, Sequence[tuple[Region, Removed]]]]:
    """The attachments that are made anew before a record leaves, each once, with the regions that are taken out of it."""
    if not redactions or any(one.where == Whole() for one in redactions):
        return
    back = {one.where.attachment for one in redactions if isinstance(one.where, Whole)}
    for held in {one.id: one for listed in read.attachments.values() for one in listed}.values():
        if held.id is None or held.chunks is None or held.id in back or not can_be_remade(held.media_type):
            continue
        regions = [
            (one.where, Removed(one.code))
            for one in redactions
            if isinstance(one.where, Region) and one.where.attachment == held.id
        ]
        if regions or held.id not in whole:
            yield held, regions


def words(read: Read, redactions: Iterable[Redaction]) -> dict[str, Removed]:
    """The words that redactions take out of a record, as they stand in it, each with its mark.

    Long ones come in their parts (`matching.parts`). For whoever looks for them elsewhere: in the same record, in other records,
    in a finished production.
    """
    return {part: Removed(code) for word, code in _words(read, redactions) for part in matching.parts(word)}


def remaining(read: Read, redactions: Sequence[Redaction]) -> Iterator[tuple[int, str]]:
    """The words of each version that `redactions` leave, in the pieces between what they take out."""
    taken = _Taken(read, redactions)
    for version in read.versions:
        for run in taken.passage(version.text("text") or "", version.number):
            if isinstance(run, str):
                yield version.number, run


def gone(read: Read, redactions: Sequence[Redaction]) -> Mapping[int, Sequence[tuple[int, int]]]:
    """By the number of each version the places that `redactions` take out of its text."""
    taken = _Taken(read, redactions)
    return {
        version.number: [(start, end) for start, end, _ in taken.places(version.text("text") or "", version.number)]
        for version in read.versions
    }  # fmt: skip


def _words(read: Read, redactions: Iterable[Redaction]) -> Iterator[tuple[str, str]]:
    for one in redactions:
        match one.where:
            case Span(number, start, end):
                yield _text(read, number)[start:end].strip(), one.code
            case Field("details"):
                yield from ((word, one.code) for word in one.words)
            case Field(name):
                for version in read.history:
                    for part in FIELDS[name]:
                        value = (version.text(part) or "").strip()
                        if len(value) >= (_LEAST if part in FIELDS["address"] else 1):
                            yield value, one.code
            case _:
                pass


class _Taken:
    """What is taken out of one record, and where."""

    def __init__(self, read: Read, redactions: Sequence[Redaction]) -> None:
        self.redactions = redactions
        self.spans: dict[int, list[tuple[int, int, str]]] = {}
        self.fields: dict[str, set[str]] = {}
        self.attachments: dict[UUID, list[Redaction]] = {}
        self.descriptions: set[str] = set()
        """On what grounds the descriptions of files go as a whole."""
        for one in redactions:
            match one.where:
                case Span(version, start, end):
                    self.spans.setdefault(version, []).append((start, end, one.code))
                case Field("details") if not one.words:
                    self.descriptions.add(one.code)
                case Field(name):
                    for part in FIELDS[name]:
                        self.fields.setdefault(part, set()).add(one.code)
                case Region(attachment) | Whole(UUID() as attachment):
                    self.attachments.setdefault(attachment, []).append(one)
                case _:
                    pass
        self.words: dict[str, set[str]] = {}
        for word, code in _words(read, redactions):
            for part in matching.parts(word):
                said = matching.folded(part)
                if len(said) > 1 or not said.isalnum():
                    self.words.setdefault(said, set()).add(code)
        self.words.pop("", None)

    def field(self, version: Version, name: str) -> Marked | None:
        """A field, taken out whole where it was asked for, or holds words that were."""
        value = version.text(name)
        if value is None or not value:
            return None
        codes = set(self.fields.get(name, ()))
        said, leads = matching.read(value), name in SPELLED
        for word, theirs in self.words.items():
            if matching.found([word], said) or (leads and matching.spelled_in(word, value)):
                codes |= theirs
        return _mark(codes) if codes else value

    def says(self, text: str) -> bool:
        """Whether a text has words that are taken out."""
        said = matching.read(text) if self.words else None
        return said is not None and any(matching.found([word], said) for word in self.words)

    def passage(self, text: str, version: int | None = None) -> Passage:
        """A text without what is taken out of it."""
        return passage(text, self.places(text, version))

    def description(self, text: str) -> Passage:
        """What is said of a file, without what is taken out of it."""
        if self.descriptions and text:
            return (_mark(self.descriptions),)
        codes = {
            code
            for said in as_shown(text)
            if said != text
            for word, theirs in self.words.items()
            if matching.found([word], matching.read(said))
            for code in theirs
        }
        return (_mark(codes),) if codes else self.passage(text)

    def places(self, text: str, version: int | None = None) -> list[tuple[int, int, str]]:
        """What is taken out of a text: where, and on which ground."""
        places = list(self.spans.get(version, ())) if version is not None else []
        if self.words:
            said = matching.read(text)
            for word, codes in self.words.items():
                places += [
                    (start, end, code)
                    for start, end in (*matching.found([word], said), *matching.in_addresses([word], text))
                    for code in codes
                ]
        return places


def passage(text: str, places: Iterable[tuple[int, int, str]]) -> Passage:
    """A text with a mark for each of the places that are taken out; those that touch become one."""
    runs: list[str | Removed] = []
    at = 0
    for start, end, codes in _merged(places):
        if at < start:
            runs.append(text[at:start])
        runs.append(_mark(codes))
        at = end
    if at < len(text):
        runs.append(text[at:])
    return tuple(runs)


def _merged(places: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, set[str]]]:
    begun: tuple[int, int, set[str]] | None = None
    for start, end, code in sorted(places):
        if begun is not None and start <= begun[1]:
            begun = (begun[0], max(begun[1], end), begun[2] | {code})
            continue
        if begun is not None:
            yield begun
        begun = (start, end, {code})
    if begun is not None:
        yield begun


def _mark(codes: Iterable[str]) -> Removed:
    return Removed("; ".join(sorted(codes)))


def _version(
    taken: _Taken, version: Version, held: Sequence[Held], whole: frozenset[UUID], by: Remaker
) -> ReleasedVersion:
    return ReleasedVersion(
        number=version.number,
        entry=version.entry,
        state=version.state,
        observed_at=version.observed_at,
        last_seen_before=version.last_seen_before,
        edited_at=version.text("edited_at"),
        text=taken.passage(version.text("text") or "", version.number),
        html=None if taken.redactions else version.text("html"),
        attachments=[_left(taken, one, whole, by) for one in held],
    )


def _left(taken: _Taken, held: Held, whole: frozenset[UUID], by: Remaker) -> ReleasedAttachment:
    description = taken.description(held.description)
    leaves = ReleasedAttachment(
        id=held.id, leaves=Leaves.WHOLE, media_type=held.media_type, size=held.size, description=description,
        chunks=held.chunks, commitment=held.commitment,
    )  # fmt: skip
    if taken.redactions and held.media_type:  # what follows a type is the file's own words: its name, for one
        leaves = replace(leaves, media_type=held.media_type.partition(";")[0].strip())
    if held.id is None or held.chunks is None:
        return replace(leaves, leaves=Leaves.MISSING, size=None, chunks=None)
    of_it = taken.attachments.get(held.id, [])
    withheld = [one for one in of_it if isinstance(one.where, Whole)]
    if withheld:
        return replace(
            leaves, leaves=Leaves.WITHHELD, size=None, chunks=None, description=(),
            removed=_mark({one.code for one in withheld}),
            explanation="; ".join(dict.fromkeys(one.made().explanation for one in withheld if one.explanation)),
        )  # fmt: skip
    regions = [(one.where, Removed(one.code)) for one in of_it if isinstance(one.where, Region)]
    if not regions and (not taken.redactions or held.id in whole):
        return leaves  # nothing is taken out of its record, or somebody decided that it leaves all the same
    if can_be_remade(held.media_type):
        content, media_type = by.remade(held, regions)
        return replace(
            leaves, leaves=Leaves.REDACTED if regions else Leaves.SCRUBBED, size=len(content),
            media_type=media_type, chunks=lambda: iter((content,)), commitment=None,
        )  # fmt: skip
    raise Undecided(
        f"attachment {held.id} ({held.media_type or 'of an unknown kind'}) cannot be looked through, and "
        "something else of its record is taken out",
        next="Decide: `muniment review release-attachment` lets it leave whole, "
        "`muniment review withhold --attachment` keeps it back on a ground.",
    )


def _text(read: Read, number: int) -> str:
    for version in read.history:
        if version.number == number:
            return version.text("text") or ""
    raise BadRedaction(f"the record has no version {number}", next="`muniment record show ID --versions`.")


def _attachment(read: Read, identity: UUID) -> Held:
    for listed in read.attachments.values():
        for held in listed:
            if held.id == identity:
                return held
    raise BadRedaction(
        f"the record has no attachment {identity}", next="`muniment record show ID` lists them."
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

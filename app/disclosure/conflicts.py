"""What is treated in two ways, shown before anything leaves.

Some conflicts stand in the way of a production: something that nobody decided,
something that somebody else still has to approve, words of a withheld record
that leave in another one, or its file, words that were taken out and stand where
nothing is taken out, or in a document of which a picture is made. Others are for a person to know: a version that nobody took anything
out of, a record that left otherwise before, a name of whoever wrote a record
that is withheld, or an address that leads to it, a part of its words that
another record quotes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from app.disclosure import matching
from app.disclosure.assembling import Decided
from app.disclosure.reaching import SameFiles, left_behind
from app.disclosure.redacting import (
    FIELDS,
    Field,
    Held,
    Read,
    Redaction,
    Region,
    Span,
    Whole,
    as_shown,
    beside,
    can_be_remade,
    gone,
    plain_type,
    remaining,
    words,
)
from app.disclosure.verify.hunting import Hunter

_LEAST = 2
"""Letters of a name that is looked for at all; of a part of a name, one more."""
_READ_AS_TEXT = 1 << 20
"""Bytes of a transcript or another text that is looked into beforehand; everything is when it is built."""
_TEXTS = ("text/", "application/json", "application/xml", "application/x-subrip", "application/ttml+xml")
_QUOTED, _AS_LONG = 6, 24
"""So many words in a row, of so many characters at least, are a quotation; so many characters where no blanks part words."""
_MOST_QUOTED = 2_000
"""Of longer texts not every beginning of a quotation is looked for, but each fourth: a longer one is met."""
LONG = 20
"""Words of a withheld record are looked for elsewhere from so many characters on; 'Thank you!' is everybody's."""


class Kind(StrEnum):
    """What is in conflict."""

    UNDECIDED = "attachment-undecided"
    NOT_APPROVED = "redaction-not-approved"
    SAME_TEXT = "withheld-words-leave"
    LEFT_BEHIND = "version-not-looked-at"
    OTHERWISE = "left-otherwise-before"
    NOT_LISTED = "exemption-not-listed"
    KEPT = "kept-here-taken-out-there"
    NAMED = "named-elsewhere"
    STANDS = "taken-out-words-stand"
    UNFIT = "attachment-not-remade"
    SAME_FILE = "withheld-file-leaves"
    QUOTED = "withheld-words-quoted"


BLOCKING = frozenset(
    {Kind.UNDECIDED, Kind.NOT_APPROVED, Kind.SAME_TEXT, Kind.SAME_FILE, Kind.STANDS, Kind.UNFIT}
)
"""What has to be settled before a production is made."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something of a record that is treated in two ways, and what to do about it."""

    kind: Kind
    record: UUID
    what: str
    next: str

    @property
    def blocks(self) -> bool:
        return self.kind in BLOCKING

    def as_json(self) -> dict[str, object]:
        """As programs read it."""
        return {
            "code": str(self.kind), "record": str(self.record), "what": self.what, "next": self.next, "blocks": self.blocks,
        }  # fmt: skip


def within(read: Read, so: Decided, more: Sequence[Redaction], *, two_persons: bool) -> Iterator[Conflict]:
    """What is in conflict within a record, as far as it can be told from itself; `more` reaches it from others."""
    made = [*so.redactions, *more]
    waiting = [one for one in so.redactions if one.approved_by is None]
    if two_persons and waiting:
        yield Conflict(
            Kind.NOT_APPROVED, read.record.id, f"{len(waiting)} redactions wait for a second person",
            "`muniment review approve` by somebody who did not make them.",
        )  # fmt: skip
    if any(one.where == Whole() for one in made):
        return  # it leaves as a slip: nothing else of it can be in conflict
    yield from _undecided(read, made, so)
    for number in left_behind(read, so.redactions):
        yield Conflict(
            Kind.LEFT_BEHIND, read.record.id,
            f"nothing is taken out of version {number}, while words of another version are",
            "Look whether the edit says the same in other words.",
        )  # fmt: skip


def _undecided(read: Read, made: Sequence[Redaction], so: Decided) -> Iterator[Conflict]:
    if not made:
        return
    decided = {one.where.attachment for one in made if isinstance(one.where, Whole | Region)} | so.whole
    waiting = {
        held.id: held
        for listed in read.attachments.values()
        for held in listed
        if held.id is not None and held.chunks is not None and not can_be_remade(held.media_type)
    }
    for identity, held in waiting.items():
        if identity not in decided:
            yield Conflict(
                Kind.UNDECIDED, read.record.id,
                f"attachment {identity} ({held.media_type or 'of an unknown kind'}) cannot be looked through, and "
                "something else of its record is taken out",
                "`muniment review release-attachment`, or `muniment review withhold --attachment`.",
            )  # fmt: skip


class Withdrawn:
    """The words and the files of the records that are withheld, to be looked for in those that leave."""

    def __init__(self, held_back: Iterable[Read]) -> None:
        self._of: dict[str, UUID] = {}
        self._quoted: dict[str, UUID] = {}
        self._files = SameFiles[UUID]()
        for read in held_back:
            listed = {one.id: one for files in read.attachments.values() for one in files}
            self._files.add(listed.values(), read.record.id)
            for version in read.history:
                text = (version.text("text") or "").strip()
                if len(text) >= LONG:
                    for part in matching.parts(text):
                        self._of.setdefault(matching.folded(part), read.record.id)
                for part in _quotations(matching.folded(text)):
                    self._quoted.setdefault(part, read.record.id)
        self._many, self._parts = matching.Many(self._of), matching.Many(self._quoted)

    def __bool__(self) -> bool:
        return bool(self._many) or bool(self._parts) or bool(self._files)

    def within(self, read: Read, so: Decided, redactions: Sequence[Redaction]) -> Iterator[Conflict]:
        """Where what leaves of a record has the words or a file of one that does not."""
        if not self:
            return
        told = [*self._same_text(read, so, redactions)]
        yield from told or self._quotes(read, so, redactions)
        settled = {
            one.where.attachment for one in redactions if isinstance(one.where, Whole | Region)
        } | so.whole
        for held, other in self._files.of(read):
            if other != read.record.id and held.id not in settled:
                yield Conflict(
                    Kind.SAME_FILE, read.record.id,
                    f"attachment {held.id} is the same file as one of record {other}, which is withheld",
                    "`muniment review withhold --attachment`, or `muniment review release-attachment`; or withhold the other one `--only-here`.",
                )  # fmt: skip

    def _same_text(self, read: Read, so: Decided, redactions: Sequence[Redaction]) -> Iterator[Conflict]:
        found = set()
        if any(self._many.any(version.text("text") or "") for version in read.versions):
            found = {
                (f"version {number} has", self._of[said])
                for number, run in remaining(read, redactions)
                for said in self._many.within(run)
            }
        found |= {
            ("what the platform says beside its words, or what a file of it is called, has", self._of[word])
            for said in _beside(read, so.kept, redactions)
            for word in self._many.within(said)
        }
        for what, other in sorted(found):
            if other != read.record.id:
                yield Conflict(
                    Kind.SAME_TEXT, read.record.id, f"{what} words of record {other}, which is withheld",
                    "Withhold it too, take the words out, or withhold the other one `--only-here`.",
                )  # fmt: skip

    def _quotes(self, read: Read, so: Decided, redactions: Sequence[Redaction]) -> Iterator[Conflict]:
        taken: Mapping[int, Sequence[tuple[int, int]]] | None = None
        for version in read.versions:
            met = self._parts.within(version.text("text") or "")
            if met and taken is None:
                taken = gone(read, redactions)
            for word, places in met.items():
                if self._quoted[word] != read.record.id and not all(
                    _settled(version.number, *place, so.kept, (taken or {}).get(version.number, ()))
                    for place in places
                ):
                    yield self._quotation(read, f"version {version.number}", word, "--words")
                    return
        for said in _beside(read, so.kept, redactions):
            for word in self._parts.within(said):
                if self._quoted[word] != read.record.id:
                    beside = "what the platform says beside its words, or what a file of it is called,"
                    yield self._quotation(read, beside, word, "--field details")
                    return

    def _quotation(self, read: Read, what: str, word: str, remedy: str) -> Conflict:
        return Conflict(
            Kind.QUOTED, read.record.id, f"{what} has a part of the words of record {self._quoted[word]}, which is withheld",
            f"Take it out here too: `muniment review redact {remedy}`; or let it stay, and say why: `muniment review keep {remedy}`.",
        )  # fmt: skip


def _quotations(text: str) -> Iterator[str]:
    """The parts of a folded text by which a quotation of some of it is met."""
    words = text.split(" ")
    if len(words) < _QUOTED and not text.isascii():  # a script without blanks
        yield from (text[start : start + _AS_LONG // 2] for start in range(len(text) - _AS_LONG // 2 + 1))
        return
    for start in range(0, len(words) - _QUOTED + 1, 1 if len(words) <= _MOST_QUOTED else 4):
        part = " ".join(words[start : start + _QUOTED])
        if len(part) >= _AS_LONG:
            yield part


def _beside(read: Read, kept: Sequence[Span | Field], redactions: Sequence[Redaction]) -> set[str]:
    """What is said beside the words of a record and leaves with it, undecided."""
    if Field("details") in kept or any(one.where == Field("details") for one in redactions):
        return set()
    if redactions:  # the html and the further details go with whatever is taken out
        return {
            shown
            for listed in read.attachments.values()
            for held in listed
            for shown in as_shown(held.description)
        }
    return {*beside(read)}


@dataclass(frozen=True, slots=True)
class Whose:
    """A name that is looked for: of which record, of which thread, and what is said of it."""

    record: UUID
    root: UUID
    what: str
    near: bool = False
    """Only in the same thread: 'Jane' is many people, and one among those who answer her."""
    leads: bool = False
    """Whether it is an address or an id that leads to the record, wherever a longer one begins with it."""


class Named:
    """Names that a redaction does not reach, to be pointed out where they stand in other records.

    Who wrote a record that is withheld, by name, handle, id and address; what was
    taken out and is too short to be taken out elsewhere; and in the same thread a
    part of the name of somebody who was taken out. Each only by itself: 'Anna' is no
    part of 'Savannah'. The agency is nobody to be protected.
    """

    def __init__(self, told: Iterable[tuple[Read, Sequence[Redaction]]]) -> None:
        self._whose: dict[str, list[Whose]] = {}
        for read, redactions in told:
            for name, whose in _names(read, [one for one in redactions if not one.only_here]):
                said = matching.folded(name)
                if sum(map(str.isalnum, said)) >= _LEAST + whose.near:
                    self._whose.setdefault(said, []).append(whose)
        self._many = matching.Many(self._whose)

    def __bool__(self) -> bool:
        return bool(self._many)

    def within(
        self, read: Read, kept: Sequence[Span | Field], redactions: Sequence[Redaction]
    ) -> Iterator[Conflict]:
        """Where what leaves of a record names somebody whom another one keeps back."""
        if not self:
            return
        taken: Mapping[int, Sequence[tuple[int, int]]] | None = None
        for version in read.versions:
            text = version.text("text") or ""
            met = self._many.within(text)
            if met and taken is None:
                taken = gone(read, redactions)
            for (start, end), word in _widest(met):
                if matching.by_itself(text, start, end) and not _settled(
                    version.number, start, end, kept, (taken or {}).get(version.number, ())
                ):
                    place = f"version {version.number} names, at {start}:{end},"
                    remedy = f"--span {start}:{end} --version {version.number}"
                    yield from self._told(word, read, place, remedy)
        for word in sorted({word for one in _beside(read, kept, redactions) for word in self._names(one)}):
            place = "what the platform says beside its words, or what a file of it is called, names"
            yield from self._told(word, read, place, "--field details")
        yield from self._leading(read, kept, redactions)

    def _leading(
        self, read: Read, kept: Sequence[Span | Field], redactions: Sequence[Redaction]
    ) -> Iterator[Conflict]:
        settled = {one for one in (*kept, *(made.where for made in redactions)) if isinstance(one, Field)}
        if settled & {Field("author"), Field("handle"), Field("address")}:
            return
        values = {version.text(part) or "" for version in read.versions for part in FIELDS["address"]}
        for word in sorted({word for value in values for word in self._many.named(value)}):
            if any(one.leads for one in self._whose[word]):
                yield from self._told(word, read, "its address or its id on the platform names", "--field address")  # fmt: skip
                return

    def _names(self, said: str) -> set[str]:
        found = {
            word
            for word, places in self._many.within(said).items()
            if any(matching.by_itself(said, *place) for place in places)
        }
        return found | (set() if " " in said else set(self._many.spelled(said)))

    def _told(self, word: str, read: Read, place: str, remedy: str) -> Iterator[Conflict]:
        of = [
            one
            for one in self._whose[word]
            if one.record != read.record.id and (not one.near or one.root == read.record.root)
        ]
        for one in of[:1]:
            yield Conflict(
                Kind.NAMED, read.record.id, f"{place} {one.what}",
                f"Take it out here too: `muniment review redact {remedy}`; or let it stay, and say why: `muniment review keep {remedy}`.",
            )  # fmt: skip


def _names(read: Read, redactions: Sequence[Redaction]) -> Iterator[tuple[str, Whose]]:
    """The names that a record's redactions keep back and do not take out elsewhere."""
    record = read.record
    withheld = any(one.where == Whole() for one in redactions)
    if withheld and read.author != "agency":
        whose = Whose(record.id, record.root, f"who wrote record {record.id}, which is withheld")
        for version in read.history:
            for part in FIELDS["author"]:
                value = (version.text(part) or "").strip()
                if value and (len(value) >= 8 or part not in FIELDS["address"]) and value != record.page.name:
                    yield value, replace(whose, leads=part in FIELDS["address"])
    if withheld or any(one.where == Field("author") for one in redactions):
        whose = Whose(
            record.id, record.root, f"perhaps who wrote record {record.id}, who was taken out", near=True
        )
        for version in read.history:
            named = (version.text("author_name") or "").split()
            if read.author != "agency" and len(named) > 1:
                yield from ((part, whose) for part in named)
    for word in words(read, redactions):
        if not matching.long_enough(matching.folded(word)):
            yield word, Whose(record.id, record.root, f"what is taken out of record {record.id} and too short to be taken out elsewhere")  # fmt: skip


def _widest(met: Mapping[str, Sequence[tuple[int, int]]]) -> Iterator[tuple[tuple[int, int], str]]:
    """Each place with the word that stands there, but for those that lie within another: a part of a whole name."""
    places = sorted(
        ((place, word) for word, found in met.items() for place in found),
        key=lambda one: (one[0][0], -one[0][1]),
    )
    reached = -1
    for place, word in places:
        if place[1] > reached:
            reached = place[1]
            yield place, word


def _settled(
    version: int,
    start: int,
    end: int,
    kept: Sequence[Span | Field],
    taken: Sequence[tuple[int, int]],
) -> bool:
    """Whether somebody decided of a place: it is taken out, or may stay."""
    return any(first < end and start < last for first, last in taken) or any(
        isinstance(one, Span) and one.version == version and one.start <= start and end <= one.end
        for one in kept
    )


class Standing:
    """Words that are taken out, to be looked for where nothing is: in the names of pages, and in files that leave as they are.

    With the eyes of whoever looks through the finished production, so that it is known before it is built.
    """

    def __init__(self, every: Sequence[str], absent: Sequence[str], agency: Sequence[str]) -> None:
        """`absent` are those of `every` that nobody let stay in any record."""
        self._every, self._hunter = Hunter(every), Hunter(absent)
        self._agency: Sequence[str] = agency
        self._seen: set[UUID] = set()

    def within(self, read: Read, so: Decided, redactions: Sequence[Redaction]) -> Iterator[Conflict]:
        """Where such words stand, of what leaves with a record; what is let stay in one is so in no other."""
        if not self._every.count:
            return
        hunter = self._hunter if so.kept else self._every
        page = read.record.page
        if page.id not in self._seen:
            self._seen.add(page.id)
            for said in (*self._agency, page.name, page.address, page.custodian):
                if next(self._hunter.content(said.encode(errors="replace")), None) is not None:
                    yield Conflict(
                        Kind.STANDS, read.record.id, f"words that are taken out stand in {said!r}, which is the agency's own and always leaves",
                        "Take out fewer words, or take them out `--only-here`.",
                    )  # fmt: skip
            self._agency = ()
        for held in _as_they_are(read, so.whole, redactions):
            if _holds(hunter, held):
                yield Conflict(
                    Kind.STANDS, read.record.id, f"words that are taken out stand in attachment {held.id} ({held.media_type}), which leaves as it is",
                    "`muniment review withhold --attachment`, or take the words out `--only-here` where they are taken out.",
                )  # fmt: skip


def _holds(hunter: Hunter, held: Held) -> bool:
    assert held.chunks is not None, "it leaves"
    return next(hunter.content(b"".join(held.chunks()), told=True), None) is not None


def _as_they_are(read: Read, whole: frozenset[UUID], redactions: Sequence[Redaction]) -> Iterator[Held]:
    """The texts among the attachments that leave byte for byte, each once."""
    back = {one.where.attachment for one in redactions if isinstance(one.where, Whole | Region)}
    held = {one.id: one for listed in read.attachments.values() for one in listed if one.id is not None}
    for identity, one in held.items():
        if (
            one.chunks is not None
            and identity not in back
            and (not redactions or identity in whole)
            and (one.size or 0) <= _READ_AS_TEXT
            and plain_type(one.media_type).startswith(_TEXTS)
        ):
            yield one


def unfit(read: Read, why: str, remedy: str) -> Conflict:
    """That an attachment would have to be made anew, and cannot be."""
    return Conflict(Kind.UNFIT, read.record.id, why, remedy)


def shown(read: Read, held: Held, page: int) -> Conflict:
    """That a page of a document would show, as a picture, words that are taken out."""
    return Conflict(
        Kind.STANDS, read.record.id, f"page {page} of attachment {held.id} shows words that are taken out, and leaves as a picture",
        f"Take the place out: `muniment review redact --attachment {held.id} --region {page}:LEFT,TOP,RIGHT,BOTTOM`; or `muniment review withhold --attachment`.",
    )  # fmt: skip


def otherwise(read: Read, production: str, before: str, now: str) -> Conflict:
    """That a record left before with other decisions than now."""
    return Conflict(
        Kind.OTHERWISE, read.record.id, f"it left {before} in {production}, and now leaves {now}",
        "Say so to whoever has the earlier one; ask it back where it should not have left.",
    )  # fmt: skip


def kept_here(read: Read, so: Decided, more: Sequence[Redaction]) -> Iterator[Conflict]:
    """Words that stay in a record although the same are taken out of another one."""
    stays = set(map(id, more)) - set(map(id, so.reached(more)))
    if stays:
        yield Conflict(
            Kind.KEPT, read.record.id, f"{len(stays)} places keep words that are taken out of other records",
            "A person decided so; look whether it still stands: `muniment review show`.",
        )  # fmt: skip


def not_listed(read: Read, code: str, law: str) -> Conflict:
    """That something is kept back on a ground that the list of the request's law does not have."""
    return Conflict(
        Kind.NOT_LISTED, read.record.id, f"{code!r} is not among the exemptions that are listed for {law}",
        "Look whether it is the ground that is meant; the list that comes with Muniment is a beginning.",
    )  # fmt: skip

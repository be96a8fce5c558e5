"""What may leave: a record as it is released, with everything that the law keeps back already taken out of it.

Whoever renders, numbers, packs or logs a production is given these values and
nothing else of a record. What was taken out is not in them under any name, so
no renderer, file name, load file or thumbnail can carry it: the redacted copy
is built from redacted data, never by covering the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Removed:
    """What stands where something was taken out: the code of the exemption, and nothing that tells how long it was."""

    code: str

    def __str__(self) -> str:
        return f"[REDACTED {self.code}]"


Marked: TypeAlias = str | Removed
"""A field that leaves whole, or was taken out whole."""

Passage: TypeAlias = Sequence[str | Removed]
"""Running text: what leaves of it, with a mark for each place where something was taken out."""


def plain(passage: Passage) -> str:
    """A passage as text, each mark in square brackets."""
    return "".join(str(run) for run in passage)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedPage:
    """The agency's own page, of which nothing is ever taken out."""

    id: UUID
    name: str
    platform: str
    address: str
    custodian: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedAuthor:
    """Who wrote it, as the platform named them; nobody claims that the name is theirs."""

    id: Marked | None = None
    name: Marked | None = None
    handle: Marked | None = None


class Leaves(StrEnum):
    """How an attachment leaves."""

    WHOLE = "whole"
    """Byte for byte as it was captured."""
    REDACTED = "redacted"
    """Made anew from what is released of it: regions filled, every other metadata gone."""
    SCRUBBED = "scrubbed"
    """Made anew without its metadata, because something else of the record was taken out."""
    WITHHELD = "withheld"
    MISSING = "missing"
    """The archive never got its bytes; a gap says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedAttachment:
    """A picture, sound, video or document as it leaves. `chunks` is there unless it is withheld or missing."""

    id: UUID | None
    leaves: Leaves
    media_type: str | None = None
    size: int | None = None
    """In bytes, of what leaves; None where nothing does."""
    description: Passage = ()
    chunks: Callable[[], Iterator[bytes]] | None = None
    removed: Removed | None = None
    """Why it is withheld."""
    explanation: str = ""
    commitment: str | None = None
    """Of the piece that was captured, as the ledger knows it; stands in the log of what was withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedVersion:
    """One state of the record, as it was observed."""

    number: int
    entry: int
    """Where the ledger holds it."""
    state: str
    observed_at: datetime
    last_seen_before: datetime | None
    """When it was last seen without this change: it happened between the two."""
    edited_at: str | None
    text: Passage
    html: str | None = None
    """As the platform served it; only of a record of which nothing was taken out."""
    attachments: Sequence[ReleasedAttachment] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A redaction, as the logs tell it: where it stands, on what ground, who made it and who approved it."""

    where: str
    """`text of version 2`, `author name`, `picture …, region 1`, `attachment …`."""
    code: str
    citation: str
    explanation: str
    by: str
    approved_by: str | None
    on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A record that leaves, whole or in part."""

    key: int
    """The archive's own number, for those who read more of it there; it never leaves."""
    id: UUID
    page: ReleasedPage
    kind: str
    root: UUID
    in_reply_to: UUID | None
    author: ReleasedAuthor
    url: Marked | None
    native_id: Marked | None
    published_at: datetime | None
    first_seen: datetime
    last_seen: datetime
    language: str | None
    counts: Mapping[str, int]
    origin: str
    """`captured` or `received`."""
    received: Mapping[str, object] | None
    """Where a received record comes from; None where it was captured."""
    series: str | None
    versions: Sequence[ReleasedVersion]
    """Oldest first; the last is how it stands."""
    redactions: Sequence[Made] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    """What else the platform said; only of a record of which nothing was taken out."""

    @property
    def redacted(self) -> bool:
        """Whether anything was taken out."""
        return bool(self.redactions)

    @property
    def now(self) -> ReleasedVersion:
        """How it stands."""
        return self.versions[-1]

    @property
    def state(self) -> str:
        """present, hidden, absent, gone or unknown."""
        return self.now.state

    @property
    def withheld_from(self) -> Sequence[ReleasedAttachment]:
        """The attachments that are kept back."""
        return [one for version in self.versions for one in version.attachments if one.removed is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A record that is kept back whole: a slip-sheet stands in its place, and only its commitment is shown."""

    key: int
    id: UUID
    page: ReleasedPage
    kind: str
    root: UUID
    """Random ids tell nothing; they keep the thread together."""
    in_reply_to: UUID | None
    day: str
    """The day it was published, in the agency's time zone, or of its first sighting; ISO 8601."""
    author: str
    """The category: `agency`, `visitor` or `unknown`."""
    entries: Sequence[int]
    """Where the ledger holds its versions."""
    grounds: Sequence[Made]
    """One or more, each for the whole record."""


Item: TypeAlias = Released | Withheld
"""One document of a production."""

"""What the index is told of a record's version, and where in the ledger it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MOST_RECORDS = 1 << 38
MOST_VERSIONS = 1 << 24

PLACES = ("text", "alt", "caption", "filename", "title", "attachment")
"""Where words of a version can stand: its text, and beside it what pictures and links say and attachments hold."""

LACKS = (
    "media_without_text", "scanned", "protected", "unreadable", "too_long", "unknown_format", "not_kept", "not_read",
)  # fmt: skip
"""Why something of a version could not be searched; docs/search.md has a sentence for each."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Words of a version beside its text, each passage a text of its own: no phrase goes from one into another.

    `of` says in words what bears them (`picture 2`, `notes.pdf`), and `pages`
    where in `text` each page begins (or slide, or sheet: `unit`), if it has pages. `attachment` is the id of
    the attachment whose own bytes were read; None where the platform said the
    words with the version itself. Such bytes may be kept later than the version:
    `entry` says when, where whoever reads the ledger has passed it.
    """

    place: str
    text: str
    of: str = ""
    pages: tuple[int, ...] = ()
    unit: str = "page"
    attachment: UUID | None = None
    entry: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One version of a record, as plain values.

    `record` is the archive's internal key of the record, a positive integer;
    `version` counts from 1; `entry` is the index of the version's ledger
    entry. `author` holds the id, the name and the handle, as far as they
    exist, in that order of telling: the last one is what people are shown.
    `passages` are the words that stand beside `text`; `lacks` says what of the
    version could not be searched, in words of `LACKS`.
    """

    record: int
    version: int
    entry: int
    page: str
    page_name: str
    platform: str
    kind: str
    author: tuple[str, ...] = ()
    state: str = "present"
    published_at: datetime | None = None
    captured_at: datetime
    text: str = ""
    language: str | None = None
    media: bool = False
    private: bool = False
    origin: str = "captured"
    passages: tuple[Passage, ...] = ()
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A record that ledger entry `upto` speaks of: all its versions by now, or none where it was disposed of."""

    upto: int
    record: int
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Position:
    """How far the index has followed: the last ledger entry that it has seen, and the analyser it was made with."""

    entry: int
    analyser: int

"""What the index is told of a record's version, and where in the ledger it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MOST_RECORDS = 1 << 38
MOST_VERSIONS = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One version of a record, as plain values.

    `record` is the archive's internal key of the record, a positive integer;
    `version` counts from 1; `entry` is the index of the version's ledger
    entry. `author` holds the id, the name and the handle, as far as they
    exist, in that order of telling: the last one is what people are shown.
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

"""What the steps above the store make of its rows, as plain values: the builder hands in whoever tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.db import Tx

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentTold:
    """An attachment whose bytes are held; `chunks` streams them, and its end raises where they were cut."""

    id: UUID
    entry_json: Json
    media_type: str | None
    url: str | None
    size: int
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTold:
    """A version as the interface shows it, and the attachments that it lists."""

    number: int
    state: str
    observed_at: datetime
    json: Json
    listed: Sequence[Json]
    """Every attachment that the version lists, held or not."""
    attachments: Sequence[AttachmentTold]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTold:
    """A record with its versions, oldest first, and its counters as they were seen."""

    key: int
    id: UUID
    kind: str
    versions: Sequence[VersionTold]
    counts: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class TombstoneTold:
    """What is left of a record that was disposed of."""

    key: int
    id: UUID
    at: datetime
    json: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTold:
    """A page of the registry: its key, its id, and what people call it."""

    key: int
    id: UUID
    name: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """Where an export stands: after how many ledger entries, under which checkpoint, signed when."""

    size: int
    at: datetime
    note: str


class Teller(Protocol):
    """Tells records and pages as people read them."""

    def records(
        self, tx: Tx, keys: Sequence[int], as_of: AsOf, *, messages: bool
    ) -> Sequence[RecordTold | TombstoneTold]:
        """The records of these keys in their order, with the versions that the ledger had at `as_of`.

        Private messages are told only where `messages` is set.
        """
        ...

    def page(self, tx: Tx, page: PageTold, as_of: AsOf) -> Mapping[str, object]:
        """What the registry says of a page, and its coverage: by file name, what is to stand in the file."""
        ...

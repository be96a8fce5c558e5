"""What every full-text engine promises, whichever it is.

An engine keeps documents, one for each version of a record, and answers
trees. The whole question is read against one version; a record is a hit if
any of its versions is; totals count records and are exact. What an engine
cannot answer exactly it refuses.
"""

from __future__ import annotations

import base64
import binascii
import calendar
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, Self
from zoneinfo import ZoneInfo

from app.index.analyser import normalised
from app.index.documents import MOST_RECORDS, MOST_VERSIONS, Document, Position
from app.index.tree import CapturedRange, DateRange, Tree
from app.records.errors import IntegrityFailure, Invalid, Refused, Unavailable


class QueryNotSupported(Refused):
    """The question was understood, and the index cannot answer this part of it: `part` as it was written."""

    code = "query-not-supported"

    def __init__(self, part: str, why: str) -> None:
        super().__init__(
            f"The index cannot answer {part}: {why}", next="Leave that part out, or write it otherwise."
        )
        self.part = part


class IndexNeedsRebuild(Unavailable):
    """The index was made by another edition, or from another ledger; nothing is lost by making it anew."""

    code = "index-needs-rebuild"

    def __init__(self, why: str) -> None:
        super().__init__(f"The index must be rebuilt: {why}.", next="Run muniment reindex.")


class IndexBusy(Unavailable):
    """Another process is writing to the index."""

    code = "index-busy"


class IndexFailed(Unavailable):
    """The engine failed; what was not committed will be followed again."""

    code = "index-failed"


class UnfitDocument(Invalid):
    """A document that no engine can keep; it is refused before anything of its batch is written."""

    code = "unfit-document"


class BadCursor(Invalid):
    """The cursor is not one that this list gave, or belongs to another order."""

    code = "bad-cursor"


class StillFound(IntegrityFailure):
    """A record that was removed is still found."""

    code = "index-still-finds-removed"

    def __init__(self, documents: int) -> None:
        super().__init__(
            f"{documents} documents of removed records are still in the index.", next="Run muniment reindex."
        )
        self.documents = documents


class Sort(StrEnum):
    """The order of hits. Records without a date come last; equals stand in the order of their keys."""

    NEWEST = "newest"
    OLDEST = "oldest"
    CAPTURED = "captured"
    """The latest captured first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom a question is asked: whose days are meant, and whether private messages may be read."""

    zone: ZoneInfo
    messages: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the hits in their order; `cursor` is None where nothing follows."""

    records: tuple[int, ...]
    cursor: str | None


FACETS = ("page", "platform", "kind", "author", "state", "lang", "origin", "month")
"""What hits can be counted by. `month` is the month of publication in the agency's time zone."""


class Answer(Protocol):
    """The answer to one question, from the index as it stood when it was asked: nothing in it shifts."""

    def total(self) -> int:
        """How many records are hits."""
        ...

    def page(self, sort: Sort, limit: int, after: str | None = None) -> Page:
        """At most `limit` records in order, after the page that gave the cursor `after`."""
        ...

    def every(self, sort: Sort) -> Iterator[int]:
        """Every record in order, without a cap and in bounded memory."""
        ...

    def facets(self, fields: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """For each of `fields`, how many hits have each value, the most frequent first.

        A record counts once, under what its newest version says that is a
        hit. A record without a value is not counted there.
        """
        ...


class Index(Protocol):
    """What answers questions: an engine, or how it stood once."""

    def position(self) -> Position | None:
        """What the last commit said, or None if nothing was ever committed."""
        ...

    def ask(self, tree: Tree, scope: Scope) -> Answer:
        """Answer a question, or raise `QueryNotSupported`."""
        ...


class Engine(Index, Protocol):
    """Keeps documents and answers questions. One process writes; any number read."""

    def still(self) -> Index:
        """What the last commit left, for questions that belong together.

        Its answers and its position MUST be of that commit, whatever is
        committed meanwhile.
        """
        ...

    def add(self, documents: Sequence[Document]) -> None:
        """Take in documents. They are found after the next commit.

        A record MUST be given with all its versions, and removed first if
        the index may hold any of them.
        """
        ...

    def remove(self, records: Collection[int]) -> None:
        """Take out all versions of these records; unknown ones are no error.

        Documents added after this call stay.
        """
        ...

    def commit(self, position: Position) -> None:
        """Make everything since the last commit found, together with `position`, or nothing of it.

        Raises `StillFound` if a removed record can still be found.
        """
        ...

    def settle(self) -> None:
        """Finish what runs in the background and let another process write.

        What was not committed is dropped.
        """
        ...

    def removed(self) -> int:
        """How many records were taken out since the index was made.

        An engine may keep traces of their words until it is made anew, so
        after a disposal it MUST be rebuilt.
        """
        ...

    def beside(self) -> Self:
        """A new, empty index beside this one, to be filled and then adopted."""
        ...

    def adopt(self, other: Self) -> None:
        """Answer from `other` from now on, in every process, and discard what stood here."""
        ...


# ---- what engines share --------------------------------------------------------------------------


def folded(value: str) -> str:
    """The value of a field as it is compared: whole and without regard to case."""
    return normalised(value.encode("utf-8", "replace").decode().strip())


UNDATED = -(2**62)
"""Stands for no date: before everything, so that the newest come first and the undated last."""


def check(document: Document) -> None:
    """Raise `UnfitDocument` for one that no engine can keep."""
    if not 0 < document.record < MOST_RECORDS:
        raise UnfitDocument(f"A record's key is from 1 to {MOST_RECORDS - 1}, not {document.record}.")
    if not 0 < document.version < MOST_VERSIONS:
        raise UnfitDocument(f"A version is from 1 to {MOST_VERSIONS - 1}, not {document.version}.")
    for at in (document.published_at, document.captured_at):
        if at is not None and at.tzinfo is None:
            raise UnfitDocument(f"A time of record {document.record} does not say its zone.")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def instants(days: DateRange | CapturedRange, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """From the first microsecond of these days to the first one after them."""
    return (
        None if days.since is None else _begin(days.since, zone),
        None
        if days.until is None or days.until == date.max
        else _begin(days.until + timedelta(days=1), zone),
    )


def _begin(day: date, zone: ZoneInfo) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return microseconds(midnight.replace(tzinfo=UTC)) - (midnight.utcoffset() or timedelta()) // _MICROSECOND


def month_of(moment: int, zone: ZoneInfo) -> tuple[int, int]:
    """The agency's year and month in which a microsecond lies."""
    at = _EPOCH + timedelta(microseconds=moment)
    with suppress(OverflowError):  # on the first or the last day of all time
        at = at.astimezone(zone)
    return at.year, at.month


def whole_month(year: int, month: int) -> tuple[date, date]:
    """The first and the last day of a month."""
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an order a page ended: the value that was sorted by, and the record with its version."""

    sort: Sort
    value: int
    key: int

    def cursor(self) -> str:
        """The place after every version of the record: an edit between two pages MUST NOT show it again."""
        record = self.key // MOST_VERSIONS * MOST_VERSIONS
        key = record + MOST_VERSIONS - 1 if self.sort is Sort.OLDEST else record
        return base64.urlsafe_b64encode(f"{self.sort}:{self.value}:{key}".encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str, sort: Sort) -> Place:
        try:
            written = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            order, value, key = written.split(":")
            place = cls(Sort(order), int(value), int(key))
        except (ValueError, binascii.Error) as error:
            raise BadCursor("The cursor cannot be read.", next="Begin again without one.") from error
        if place.sort is not sort or not -(2**63) <= place.value < 2**63 or not 0 <= place.key < 2**63:
            raise BadCursor("The cursor belongs to another order.", next="Begin again without one.")
        return place

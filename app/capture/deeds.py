"""What stands in the entries behind rows: who, when, why and the words, opened by number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.db import Tx, from_instant
from app.records.clock import today as today_of
from app.records.errors import Invalid
from app.store.canonical import Json
from app.store.ledger import act_words
from app.store.store import Store
from app.store.tables import acts, entries

_ASK = 500
_LONGEST = 4_000


class BadDate(Invalid):
    """This is no day, or it lies where it cannot."""

    code = "bad-date"


class TooLong(Invalid):
    """What was written is empty or too long to be kept in a register."""

    code = "bad-entry"


@dataclass(frozen=True, slots=True)
class Told:
    """Who did something, when, why, and its detail."""

    entry: int
    type: str
    at: datetime
    by: UUID | None
    why: str
    facts: Mapping[str, Json]
    """What stands in the clear of the entry."""
    detail: Mapping[str, Json]

    def text(self, name: str) -> str:
        """A word of the detail; empty where there is none."""
        value = self.detail.get(name)
        return value if isinstance(value, str) else ""

    @property
    def what(self) -> str:
        """What was done, as it is told on pages: 'opened', 'selection: query', 'production: begun'."""
        act = self.facts.get("act") or self.text("act") or self.text("how")
        said = str(act).replace("-", " ").replace("_", " ") if act else ""
        return f"{self.type}: {said}" if said and self.type != "request" else said or self.type


def told(store: Store, tx: Tx, numbers: Iterable[int | None]) -> dict[int, Told]:
    """What the entries of these numbers say; numbers that are None are passed over."""
    wanted = sorted({entry for entry in numbers if entry is not None})
    found: dict[int, Told] = {}
    for start in range(0, len(wanted), _ASK):
        asked = select(acts, entries.c.body).join(entries, entries.c.index == acts.c.entry)
        rows = tx.execute(asked.where(acts.c.entry.in_(wanted[start : start + _ASK]))).all()
        for row, value in zip(rows, act_words(store.keyring, tx, rows), strict=True):
            found[row.entry] = Told(
                entry=row.entry,
                type=row.type,
                at=from_instant(row.at),
                by=UUID(bytes=bytes(row.officer)) if row.officer else None,
                why=value["why"],
                facts=msgspec.json.decode(bytes(row.body)),
                detail=value["detail"],
            )
    return found


def today(store: Store) -> date:
    """The civil date in the agency's time zone."""
    return today_of(store.clock, store.agency.zone())


def day(text: str | None, what: str = "the date") -> date | None:
    """A day as people write it, None where nothing was written, or `BadDate`."""
    if text is None or not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise BadDate(f"{what} {text!r} is no day", next="Write it as 2027-03-01.") from error


def until(store: Store, last: date | None) -> str | None:
    """A last day as it is kept; one that is past is refused."""
    if last is not None and last < today(store):
        raise BadDate(f"{last} is past", next="Give a day that is still to come, or none.")
    return last.isoformat() if last else None


def words(text: str, what: str, *, needed: bool = True) -> str:
    """Words for a register, without blanks around them."""
    plain = text.strip()
    if needed and not plain:
        raise TooLong(f"{what} is missing", next="Say it in a sentence.")
    if len(plain) > _LONGEST:
        raise TooLong(f"{what} has more than {_LONGEST} characters")
    return plain


def of_row(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)

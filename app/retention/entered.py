"""Holds what people recorded of records against the ledger, before anything is decided by it.

Rows are quick to read, and whoever has the machine can alter them. What an
officer assigned or recorded stands in a committed entry too; where the two
differ nothing is decided, and somebody is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.capture import deeds
from app.capture.deeds import Told
from app.db import Tx
from app.records.errors import IntegrityFailure
from app.retention.known import KEPT_UNTIL
from app.store.store import Store
from app.store.tables import assigned, records, retention_events

_ASK = 500


class RecordedAltered(IntegrityFailure):
    """What was recorded of a record is not what its ledger entry says."""

    code = "recorded-altered"


def must_be_as_entered(store: Store, tx: Tx, keys: Sequence[int]) -> None:
    """Raise `RecordedAltered` where a row of an event or an assignment that counts says something else than its entry."""
    events: list[Any] = []
    given: list[Any] = []
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        asked = select(retention_events, records.c.id.label("whose")).join(
            records, records.c.key == retention_events.c.record
        )
        counts = retention_events.c.superseded_entry.is_(None) & retention_events.c.evidence.is_(None)
        events += tx.execute(asked.where(retention_events.c.record.in_(part), counts)).all()
        more = select(assigned, records.c.id.label("whose")).join(records, records.c.key == assigned.c.record)
        given += tx.execute(more.where(assigned.c.record.in_(part), assigned.c.ended_entry.is_(None))).all()
    told = deeds.told(store, tx, [row.entry for row in (*events, *given)])
    wrong = [row for row in events if not _says(told.get(row.entry), row, dict(_of_event(row)))]
    wrong += [row for row in given if not _says(told.get(row.entry), row, {"series": row.series})]
    if wrong:
        raise RecordedAltered(
            f"what is recorded of record {UUID(bytes=bytes(wrong[0].whose))} is not what entry {wrong[0].entry} says",
            next="Keep this copy as evidence, and restore the newest backup. Until then nothing is decided of it.",
        )


def _of_event(row: Any) -> Iterator[tuple[str, object]]:
    """What the entry of an event says of the days and words of its row."""
    yield "event", bytes(row.id).hex()
    yield "name", row.name
    if row.name == KEPT_UNTIL:
        yield "until", row.by_on
        return
    yield "about", row.about
    yield "on", row.after_on
    yield "until", row.by_on if row.by_on != row.after_on else None
    yield "signed_by", bytes(row.signed_by).hex() if row.signed_by is not None else None


def _says(told: Told | None, row: Any, values: dict[str, object]) -> bool:
    """Whether an entry says these values of this record; of many records it may not name each."""
    if told is None:
        return False
    detail = told.detail
    named = detail.get("records")
    if isinstance(named, list) and bytes(row.whose).hex() not in named:
        return False
    return all(_same(name, detail.get(name), value, detail) for name, value in values.items())


def _same(name: str, said: object, value: object, detail: Any) -> bool:
    if name == "until" and value is None:  # a last day that is the first one is not told twice
        return said is None or said == detail.get("on")
    return said == value

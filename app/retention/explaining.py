"""Why one record is kept: the rule that won and those that lost, until when, since which event, and what is missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.capture.records import NoSuchRecord
from app.db import Tx
from app.index.source import LedgerSource
from app.records.clock import iso
from app.retention import describing, recording, telling
from app.retention.classify import BY_RULE, Assigned, assignment_of, classify
from app.retention.decide import Decision, decide
from app.retention.describing import Marks
from app.retention.facts import Facts, Today
from app.retention.known import KEPT_UNTIL, REVIEW_ON
from app.retention.meeting import Described
from app.retention.preview import Ruling
from app.retention.recording import Recorded
from app.retention.standing import Standing
from app.store.store import Store
from app.store.tables import classified, records


@dataclass(frozen=True, slots=True)
class Explained:
    """How a record stands. `waits`: the rules in force say otherwise than what is kept, and it is to be classified anew."""

    record: UUID
    key: int
    ruling: Ruling
    series: str | None
    decision: Decision
    facts: Facts
    today: Today
    events: tuple[Recorded, ...]
    waits: bool


def explain(
    standing: Standing,
    tx: Tx,
    key: int,
    *,
    holds: Collection[str | UUID] | None = (),
    today: Today | None = None,
) -> Explained:
    """Explain one living record, read from its own text.

    `holds` are those that whoever asks may know of; what another hold keeps
    is nothing that they are told. None: nobody looked.
    """
    store, day = standing.store, today or standing.today(tx)
    facts = standing.facts(tx, [key]).get(key)
    if facts is None:
        raise NoSuchRecord(f"no record of key {key} is held")
    made = standing.assignments(tx, [key]).get(key)
    by_officer = made if made is not None and made.by != BY_RULE else None
    editions = standing.in_force(tx, day.day)
    found = classify(_described(store, tx, key), editions, by_officer)
    looked = None if holds is None else [str(one) for one in holds]
    decision = decide(facts, made, standing.judge(tx, day).editions, looked, day)
    now = found.otherwise if isinstance(found, Assigned) else found
    ruled = assignment_of(now)
    stands = _ruled(tx, key)
    return Explained(
        record=UUID(facts.id),
        key=key,
        ruling=Ruling(classification=found, decision=decision),
        series=made.series if made else None,
        decision=decision,
        facts=facts,
        today=day,
        events=tuple(recording.of_record(store, tx, key)),
        waits=(ruled.series if ruled else None) != stands,
    )


def _described(store: Store, tx: Tx, key: int) -> Described:
    row = tx.execute(select(records.c.page).where(records.c.key == key)).one()
    versions = next(LedgerSource(store).of([key]), ())
    told = describing.publishers(store, tx)
    marks = told.marks(row.page, versions) if versions else Marks(None, authored=False, spoken=False)
    beside = describing.below(tx, [key])
    return describing.described(store, key, versions, marks, beside, known=bool(told.own.get(row.page)))


def _ruled(tx: Tx, key: int) -> str | None:
    """The series into which the rules put it when it was last classified."""
    found: str | None = tx.execute(select(classified.c.series).where(classified.c.record == key)).scalar()
    return found


def lines(told: Explained) -> list[str]:
    """The explanation as a person reads it."""
    said = telling.lines(told.ruling)
    if told.waits:
        said.append(
            "The rules in force say otherwise than what is kept: it is classified anew at night, or by muniment retention classify."
        )
    for one in told.events:
        counts = (
            "" if one.superseded_entry is None else f" (counts no more since entry {one.superseded_entry})"
        )
        said.append(f"{what(one)}, shown by {one.evidence}; entry {one.entry}{counts}.")
    return said


def what(one: Recorded) -> str:
    """An event as a clause: its name and its days."""
    if one.name == KEPT_UNTIL:
        return f"Ordered kept until {one.on}"
    if one.name == REVIEW_ON:
        return f"To be reviewed again on {one.on}"
    when = "on a day that nobody knows" if one.on is None else f"on {one.on}"
    if one.until is not None:
        when = f"between {one.on} and {one.until}"
    about = f" for series {one.about}" if one.about else ""
    return f"Event {one.name}{about} {when}"


def as_json(told: Explained) -> dict[str, Any]:
    """The explanation for programs."""
    return {
        "record": str(told.record),
        **telling.as_json(told.ruling),
        "series": told.series,
        "to_be_classified_anew": told.waits,
        "today": str(told.today.day),
        "events": [
            {
                "name": one.name,
                "after": str(one.when.after) if one.when and one.when.after else None,
                "by": str(one.when.by) if one.when else None,
                "about": one.about or None,
                "signed_by": str(UUID(one.signed_by)) if one.signed_by else None,
            }
            for one in told.facts.events
        ],
        "recorded": [recorded_json(one) for one in told.events],
    }


def recorded_json(one: Recorded) -> dict[str, Any]:
    """An event that was recorded, as programs read it."""
    return {
        "id": str(one.id),
        "name": one.name,
        "on": str(one.on) if one.on else None,
        "until": str(one.until) if one.until else None,
        "series": one.about or None,
        "signed_by": str(one.signed_by) if one.signed_by else None,
        "evidence": one.evidence,
        "records": one.records,
        "by": str(one.by) if one.by else None,
        "at": iso(one.at),
        "why": one.why,
        "entry": one.entry,
        "superseded_entry": one.superseded_entry,
    }

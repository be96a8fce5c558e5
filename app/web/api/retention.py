"""How records stand under the schedules, over the API: counts, explanations, events, assignments, the years to come."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.db import Tx
from app.holds import covering, finding, searching
from app.index import search
from app.index.source import identities
from app.records.nouns import Officer, Role
from app.retention import adopted, classifying, effects, explaining, recording, reviews
from app.retention.effects import Simulation
from app.retention.explaining import Explained
from app.retention.preview import Preview
from app.retention.recording import Recorded
from app.retention.schedule import Schedule
from app.store import access, quarantine
from app.web import reading
from app.web.api.schedules import MayKeepSchedules, MaySeeSchedules
from app.web.forms import reason
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import Holding, MayRead, messages

router = APIRouter(tags=["retention"])

MayRecord = Annotated[Officer, Depends(Holding(Role.RECORDS_OFFICER, Role.ATTORNEY))]
"""What is recorded of records: events, orders to keep longer, reviews."""
_Why = Annotated[str, Field(max_length=2_000)]
_Word = Annotated[str, Field(max_length=80)]
MOST_NAMED = 10_000
_Records = Annotated[list[UUID], Field(min_length=1, max_length=MOST_NAMED)]
_Hold = Annotated[str, Query(max_length=100_000, description="As if a hold covered what this query finds.")]


class NewAssignment(BaseModel):
    """Records, and the series into which an officer puts them; without one, the rules count again."""

    model_config = ConfigDict(extra="forbid")

    records: _Records
    series: _Word | None
    why: _Why = ""


class Several(BaseModel):
    """The records that something is recorded of: named one by one, or all that a query finds."""

    model_config = ConfigDict(extra="forbid")

    records: _Records | None = None
    query: Annotated[str | None, Field(max_length=100_000)] = None


class NewEvent(Several):
    """What happened to records, on which day, and what shows it."""

    name: _Word
    on: date | None = None
    until: date | None = None
    series: _Word = ""
    evidence: Annotated[str, Field(max_length=4_000)] = ""
    corrects: UUID | None = None
    why: _Why = ""


class NewExtension(Several):
    """Records that are kept longer than their schedule asks."""

    until: date
    why: _Why = ""


class NewReview(Several):
    """Records that somebody reviewed, what they found, and the day of the next review."""

    found: Annotated[str, Field(max_length=4_000)]
    again: date | None = None
    why: _Why = ""


class Reason(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    why: _Why = ""


class Proposal(BaseModel):
    """As if this schedule were adopted, or a hold covered what a query finds."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[str | None, Field(max_length=1_000_000)] = None
    hold: Annotated[str | None, Field(max_length=100_000)] = None
    on: date | None = None


@router.get("/retention")
def preview(officer: MaySeeSchedules, here: Here, tx: ReadTx, on: date | None = None) -> dict[str, Any]:
    """How many records of each series stand how, today or on a day. Holds are not looked at."""
    del officer
    standing = here.standing()
    today = standing.today(tx)
    counts = effects.tally(standing, tx, searching.whole(here.index), on)
    return {
        "on": str(on or today.day),
        "doubt": today.doubt or None,
        "series": [
            {"series": code or None, "decisions": dict(found)} for code, found in sorted(counts.items())
        ],
    }


@router.get("/retention/simulation")
def simulation(
    officer: MaySeeSchedules, here: Here, on: date | None = None, hold: _Hold = ""
) -> dict[str, Any]:
    """When records become eligible in the next ten years, if nothing else happens."""
    return effects.as_json(simulated(here, by=officer, on=on, hold=hold or None)[0])


@router.post("/retention/simulation")
def simulate(form: Proposal, officer: MaySeeSchedules, here: Here) -> dict[str, Any]:
    """The same under a schedule that is not adopted, with what adopting it would do; nothing is changed."""
    schedule = adopted.read(form.content.encode(), "schedule") if form.content else None
    found, adopting = simulated(here, by=officer, on=form.on, hold=form.hold, schedule=schedule)
    told = effects.as_json(found)
    return told if adopting is None else told | {"adopting": effects.preview_json(adopting)}


@router.get("/retention/classification")
def classification(officer: MaySeeSchedules, here: Here) -> dict[str, Any]:
    """How many records the rules in force would put from which series into which."""
    del officer
    classifying.follow(here.store)
    with here.store.database.read() as tx:
        moves = effects.of_classifying(here.store, tx, searching.whole(here.index))
        waits = classifying.due(here.store, tx)
    told = [{"from": one or None, "to": to or None, "records": n} for (one, to), n in sorted(moves.items())]
    return {"due": waits, "records": sum(moves.values()), "moves": told}


@router.post("/retention/classification")
def classify(form: Reason, officer: MayKeepSchedules, here: Here) -> dict[str, Any]:
    """Classify everything by the rules in force now, where that is due."""
    done = classify_now(here, by=officer, why=form.why)
    told = [{"from": one, "to": to, "records": n} for (one, to), n in done.moves.items()]
    return {"looked": done.looked, "changed": done.changed, "moves": told}


@router.post("/retention/assignments", status_code=201)
def assign(form: NewAssignment, officer: MayKeepSchedules, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Put records into a series, whatever the rules say; or let the rules count again."""
    must_be_there(tx, form.records, by=officer)
    why = reason(form.why)
    if form.series is None:
        entry = recording.unassign(here.store, tx, form.records, by=officer, why=why)
    else:
        entry = recording.assign(here.store, tx, form.records, form.series, by=officer, why=why)
    return {"records": len(set(form.records)), "series": form.series, "entry": entry}


@router.post("/retention/events", status_code=201)
def record_event(form: NewEvent, officer: MayRecord, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Record what happened to records."""
    made = recording.event(
        here.store,
        tx,
        several(here, tx, form, by=officer),
        form.name,
        on=form.on,
        until=form.until,
        about=form.series,
        evidence=form.evidence,
        corrects=form.corrects,
        by=officer,
        why=reason(form.why),
    )
    return explaining.recorded_json(made)


@router.post("/retention/events/{event}/take-back")
def take_back(event: UUID, form: Reason, officer: MayRecord, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Say that an event was recorded by mistake; it counts no more, and stays to be read."""
    made = recording.take_back(here.store, tx, event, by=officer, why=reason(form.why))
    return explaining.recorded_json(made)


@router.post("/retention/extensions", status_code=201)
def extend(form: NewExtension, officer: MayRecord, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Keep records longer than their schedule asks."""
    ids = several(here, tx, form, by=officer)
    made = recording.extend(here.store, tx, ids, form.until, by=officer, why=reason(form.why))
    return explaining.recorded_json(made)


@router.get("/retention/reviews")
def list_reviews(officer: MaySeeSchedules, here: Here, tx: ReadTx) -> dict[str, Any]:
    """The records that a person is to review by now: how many of each series, and the first thousand."""
    return reviews.as_json(reviews.due(here.standing(), tx, messages=messages(officer)))


@router.post("/retention/reviews", status_code=201)
def review(form: NewReview, officer: MayRecord, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Record that records were reviewed; they are kept as before."""
    ids = several(here, tx, form, by=officer)
    made = reviewed(here, tx, ids, found=form.found, again=form.again, by=officer, why=form.why)
    return explaining.recorded_json(made)


@router.get("/records/{record}/explain")
def explain(record: UUID, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Why a record is kept: which rule won, which lost, until when, since which event, and what is missing."""
    return explaining.as_json(explained(here, tx, record, by=officer))


# -- what pages ask too ------------------------------------------------------------------------------------


def explained(here: Parts, tx: Tx, record: UUID, *, by: Officer) -> Explained:
    """A record's explanation, as far as `by` may know of the holds on it; the look at it is written down."""
    found = reading.living(reading.view(here, tx, record, by=by, what="retention"))
    holds = covering.shown(here.store, tx, [found.key], by=by).get(found.key, frozenset())
    return explaining.explain(here.standing(), tx, found.key, holds=holds)


def simulated(
    here: Parts,
    *,
    by: Officer,
    on: date | None = None,
    hold: str | None = None,
    schedule: Schedule | None = None,
) -> tuple[Simulation, Preview | None]:
    """The years to come, as of what is captured now; under another schedule, with what adopting it today would do."""
    classifying.follow(here.store)
    held = finding.thought_of(here.store, here.index, hold, messages=messages(by)) if hold else None
    with here.store.database.read() as tx:
        standing, engine = here.standing(), searching.whole(here.index)
        found = effects.simulate(standing, tx, engine, schedule=schedule, on=on, held=held)
        if schedule is None:
            return found, None
        since = standing.today(tx).day
        return found, effects.of_adopting(standing, tx, engine, schedule, since=since)


def several(here: Parts, tx: Tx, form: Several, *, by: Officer) -> list[UUID]:
    """The records that are named, or that the query finds as far as the index has come: exactly one of the two."""
    if (form.records is None) == (form.query is None):
        raise recording.NothingRecorded(
            "name the records, or give a query", next="Give exactly one of records and query."
        )
    if form.records is not None:
        must_be_there(tx, form.records, by=by)
        return form.records
    assert form.query is not None, "one of the two is given"
    return all_of(here, tx, form.query, by=by)


def all_of(here: Parts, tx: Tx, query: str, *, by: Officer) -> list[UUID]:
    """Every record that a query finds for `by`, and the question is on the access log."""
    zone = here.store.agency.zone()
    found = list(search.every(here.index, query, zone=zone, may_read_messages=messages(by)))
    asked = {"what": "retention", "query": query, "total": len(found)}
    access.note(here.store, tx, "search", by=by.id, detail=asked)
    return identities(tx, found)


def reviewed(
    here: Parts, tx: Tx, ids: list[UUID], *, found: str, again: date | None, by: Officer, why: str
) -> Recorded:
    """Record a review of records that are there for `by`."""
    must_be_there(tx, ids, by=by)
    return recording.review(here.store, tx, ids, found=found, again=again, by=by, why=reason(why))


def classify_now(here: Parts, *, by: Officer, why: str) -> classifying.Done:
    """Classify what was captured, and everything where other rules are in force than before."""
    told = reason(why)
    classifying.follow(here.store)
    return classifying.classify_all(here.store, searching.whole(here.index), by=by.id, why=told)


def must_be_there(tx: Tx, ids: list[UUID], *, by: Officer) -> None:
    """Raise `NoSuchRecord` where one of these is not there for `by`."""
    recording.keys_of(tx, ids, messages=messages(by), hidden=quarantine.hidden(tx, by.id))

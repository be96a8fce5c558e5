"""Retention schedules, over the API: adopted, previewed before they are, ended, and read byte for byte."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from app.capture import deeds
from app.db import Tx
from app.holds import searching
from app.records.nouns import Officer, Role
from app.retention import adopted, classifying, effects
from app.retention.adopted import Adopted
from app.retention.preview import Preview
from app.retention.remarks import remarks
from app.retention.schedule import Schedule, sentence
from app.web.forms import reason
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import READERS, Holding

router = APIRouter(tags=["schedules"])

MayKeepSchedules = Annotated[Officer, Depends(Holding(Role.RECORDS_OFFICER))]
"""Adopting schedules, and what is recorded of records."""
MaySeeSchedules = Annotated[Officer, Depends(Holding(*READERS, Role.APPROVER, Role.ADMINISTRATOR))]
"""Schedules, and how many records stand how under them."""
_Why = Annotated[str, Field(max_length=2_000)]


class NewSchedule(BaseModel):
    """A schedule to be adopted: its file's text, what makes it the agency's, and from when it binds."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    content: Annotated[str, Field(max_length=1_000_000)]
    instrument: Annotated[str, Field(max_length=4_000)] = ""
    since: Annotated[date | None, Field(alias="from")] = None
    why: _Why = ""


class Ending(BaseModel):
    """When an edition ends, and why."""

    model_config = ConfigDict(extra="forbid")

    on: date | None = None
    why: _Why = ""


@router.get("/schedules")
def list_schedules(officer: MaySeeSchedules, here: Here, tx: ReadTx) -> dict[str, Any]:
    """Every edition that was adopted, the newest first."""
    del officer
    today = deeds.today(here.store)
    found = adopted.listed(here.store, tx)
    return {"total": len(found), "schedules": [adopted.as_json(one, today) for one in found]}


@router.post("/schedules/preview")
def preview(form: NewSchedule, officer: MayKeepSchedules, here: Here) -> dict[str, Any]:
    """What adopting a schedule would do; nothing is changed."""
    del officer
    return effects.preview_json(previewed(here, form.content.encode(), form.since))


@router.post("/schedules", status_code=201)
def adopt(form: NewSchedule, officer: MayKeepSchedules, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Adopt a schedule; records are classified by it at night, or when somebody asks for it."""
    return told(
        here,
        adopt_now(here, tx, form.content.encode(), form.instrument, form.since, by=officer, why=form.why),
    )


@router.get("/schedules/{schedule}")
def show(schedule: UUID, officer: MaySeeSchedules, here: Here, tx: ReadTx) -> dict[str, Any]:
    """An edition with its series."""
    del officer
    one = adopted.get(here.store, tx, schedule)
    return told(here, one) | of_series(one.edition.schedule)


@router.get("/schedules/{schedule}/file", response_class=Response)
def file(schedule: UUID, officer: MaySeeSchedules, here: Here, tx: ReadTx) -> Response:
    """The exact bytes that were adopted."""
    del officer
    return as_file(tx, adopted.get(here.store, tx, schedule))


@router.post("/schedules/{schedule}/end")
def end(schedule: UUID, form: Ending, officer: MayKeepSchedules, here: Here, tx: RequestTx) -> dict[str, Any]:
    """End an edition that none takes the place of."""
    one = adopted.get(here.store, tx, schedule)
    on = form.on or deeds.today(here.store)
    return told(here, adopted.end(here.store, tx, one, on=on, by=officer.id, why=reason(form.why)))


# -- what pages ask too ------------------------------------------------------------------------------------


def told(here: Parts, one: Adopted) -> dict[str, Any]:
    """An edition as programs read it."""
    return adopted.as_json(one, deeds.today(here.store))


def of_series(schedule: Schedule) -> dict[str, Any]:
    """The series of a schedule, each with its rule in words, and what may surprise."""
    return {
        "series": [
            {
                "code": one.code,
                "title": one.title,
                "scope": one.scope or None,
                "citation": one.citation or None,
                "verified": one.verified,
                "rule": sentence(schedule, one.rule),
                "line": one.line,
            }
            for one in schedule.series
        ],
        "rules": len(schedule.classify),
        "notes": [{"line": one.line, "message": one.what} for one in remarks(schedule)],
    }


def previewed(here: Parts, content: bytes, since: date | None) -> Preview:
    """What adopting these bytes would do, as of what is captured now."""
    schedule = adopted.read(content, "schedule")
    classifying.follow(here.store)
    with here.store.database.read() as tx:
        return effects.of_adopting(
            here.standing(),
            tx,
            searching.whole(here.index),
            schedule,
            since=since or deeds.today(here.store),
        )


def adopt_now(
    here: Parts, tx: Tx, content: bytes, instrument: str, since: date | None, *, by: Officer, why: str
) -> Adopted:
    return adopted.adopt(
        here.store,
        tx,
        content,
        instrument=instrument,
        since=since,
        engine=searching.whole(here.index),
        by=by.id,
        why=reason(why),
    )


def as_file(tx: Tx, one: Adopted) -> Response:
    """The file of an edition, under the name of its digest."""
    headers = {"Content-Disposition": f'attachment; filename="schedule-{one.digest.hex()[:16]}.yaml"'}
    return Response(adopted.content(tx, one), media_type="application/yaml", headers=headers)

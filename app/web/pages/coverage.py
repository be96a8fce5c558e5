"""A page's coverage, for people: a calendar of its days, its windows, and what is known to be missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.capture import account, pages, plans
from app.capture.coverage import Day
from app.web.parts import Here
from app.web.showing import show
from app.web.transactions import ReadTx
from app.web.who import MayEnter
from connectors import registry

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_BACK = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar, in weeks that begin on Sunday; None stands where no day is."""

    name: str
    weeks: Sequence[Sequence[Day | None]]


@router.get("/pages/{page}/coverage")
def show_coverage(
    request: Request,
    page: UUID,
    _: MayEnter,
    here: Here,
    tx: ReadTx,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
) -> Response:
    """How the page is covered, day by day."""
    found, zone = pages.get(tx, str(page)), here.store.agency.zone()
    if first is None:
        today = here.store.clock.now().astimezone(zone).date()
        first = max(found.added_at.astimezone(zone).date(), (last or today) - _BACK)
    since, until = account.span(here.store, found, first, last)
    told = account.of(here.store, tx, found, since, until)
    manifest = next((one for one in registry.connectors() if one.name == found.connector), None)
    return show(
        request,
        "coverage.html",
        page=found,
        told=told,
        months=months(account.calendar(told, zone)),
        first=since.astimezone(zone).date(),
        last=(until - timedelta(microseconds=1)).astimezone(zone).date(),
        blind_spots=manifest.blind_spots if manifest else (),
        captures=manifest.captures if manifest else {},
        pace=plans.pace(tx, found, here.usual_pace),
        means=account.MEANS,
    )


def months(days: Sequence[Day]) -> list[Month]:
    """The days as months of weeks."""
    found = []
    for _, some in groupby(days, key=lambda day: (day.on.year, day.on.month)):
        part = list(some)
        cells: list[Day | None] = [None] * (part[0].on.isoweekday() % 7)
        cells += part
        cells += [None] * (-len(cells) % 7)
        weeks = [cells[start : start + 7] for start in range(0, len(cells), 7)]
        found.append(Month(part[0].on.strftime("%B %Y"), weeks))
    return found

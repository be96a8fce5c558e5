"""Coverage and pace of a page, over the API."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from app.capture import account, pages, plans
from app.web.api.shapes import NewPace, PaceOut
from app.web.forms import reason
from app.web.parts import Here
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayEnter, MayKeep
from connectors import registry

router = APIRouter(prefix="/pages", tags=["pages"])
FirstDay = Annotated[
    date | None, Query(alias="from", description="From this day on, in the agency's time zone.")
]
LastDay = Annotated[date | None, Query(alias="to", description="Up to and with this day.")]


@router.get("/{page}/coverage")
def coverage(
    page: UUID, _: MayEnter, here: Here, tx: ReadTx, first: FirstDay = None, last: LastDay = None
) -> dict[str, Any]:
    """When capture of the page was provably working, when not and why, and what is known to be missing."""
    found = pages.get(tx, str(page))
    since, until = account.span(here.store, found, first, last)
    told = account.of(here.store, tx, found, since, until)
    manifest = next((one for one in registry.connectors() if one.name == found.connector), None)
    blind = manifest.blind_spots if manifest else ()
    return account.as_json(found, told, blind, here.store.agency.zone())


@router.get("/{page}/pace")
def pace(page: UUID, _: MayEnter, here: Here, tx: ReadTx) -> PaceOut:
    """How often the page is captured, and how much of it."""
    return PaceOut(**plans.pace(tx, pages.get(tx, str(page)), here.usual_pace).as_dict())


@router.post("/{page}/pace")
def set_pace(page: UUID, form: NewPace, officer: MayKeep, here: Here, tx: RequestTx) -> PaceOut:
    """Set some numbers of the page's pace; the others stay as they are."""
    told = form.model_dump(exclude={"why"}, exclude_none=True)
    made = plans.set_pace(
        here.store,
        tx,
        pages.get(tx, str(page)),
        told,
        here.usual_pace,
        by=officer.id,
        why=reason(form.why),
    )
    return PaceOut(**made.as_dict())

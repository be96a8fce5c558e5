"""Runs, over the API: what the nights did, and starting one now."""

from uuid import UUID

from fastapi import APIRouter, Response

from app.capture import overview, pages, runs
from app.db import Tx
from app.web import paging
from app.web.api.shapes import CaptureOut, CaptureShown, CapturesOut, GapOut, NewCapture, Started
from app.web.forms import reason
from app.web.paging import Cursor, Limit
from app.web.parts import Here
from app.web.transactions import ReadTx
from app.web.who import MayEnter, MayKeep

router = APIRouter(prefix="/captures", tags=["captures"])
_ALL_GAPS = 100_000


@router.get("")
def list_captures(
    _: MayEnter, tx: ReadTx, page: str | None = None, limit: Limit = 50, cursor: Cursor = None
) -> CapturesOut:
    """The runs, newest first, of one page or of all."""
    which = pages.get(tx, page) if page else None
    found = overview.runs_before(tx, which, before=paging.number("captures", cursor), limit=limit)
    names = ids(tx)
    return CapturesOut(
        total=found.total,
        captures=[CaptureOut.of(run, names.get(run.page)) for run in found.runs],
        next=paging.cursor("captures", found.next),
    )


@router.post("", status_code=202)
def start_capture(form: NewCapture, officer: MayKeep, here: Here, response: Response) -> Started:
    """Start capturing a page now; its run shows among the captures."""
    with here.store.database.read() as tx:
        page = pages.get(tx, form.page)
    here.capture(page.id, officer.id, reason(form.why))
    where = f"/api/v1/captures?page={page.id}"
    response.headers["Location"] = where
    return Started(page=page.id, captures=where)


@router.get("/{run}")
def show_capture(run: UUID, _: MayEnter, here: Here, tx: ReadTx) -> CaptureShown:
    """One run with every gap that it knows of."""
    found = overview.run(tx, run)
    gaps = runs.gaps_of(here.store, tx, run=found.key, limit=_ALL_GAPS)
    told = CaptureOut.of(found, ids(tx).get(found.page)).model_dump()
    return CaptureShown(**told, gaps=[GapOut.of(gap) for gap in gaps])


def ids(tx: Tx) -> dict[int | None, UUID]:
    """The ids of pages by their keys."""
    return {page.key: page.id for page in pages.listed(tx)}

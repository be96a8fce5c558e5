"""The first page: how every page of the agency stands, what needs doing, how far the ledger is."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.capture import deeds, due, overview
from app.store import anchors, audit
from app.web.parts import Here
from app.web.showing import show
from app.web.transactions import ReadTx
from app.web.who import MayEnter, messages

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def dashboard(request: Request, officer: MayEnter, here: Here, tx: ReadTx) -> Response:
    """How the archive stands."""
    standings = overview.standings(tx, messages=messages(officer))
    size = here.store.ledger.size(tx)
    authorities = anchors.authorities(here.settings.timestamp_urls)
    return show(
        request,
        "dashboard.html",
        standings=standings,
        due=[*here.to_do(tx), *due.of(here.store, tx, standings)],
        today=deeds.today(here.store),
        size=size,
        behind=max(0, size - here.position()),
        checkpoint=audit.newest_checkpoint(tx),
        authorities=authorities,
        unanchored=anchors.unanchored(here.store, tx, authorities),
        records=sum(standing.records for standing in standings),
    )

"""The first page: how every page of the agency stands, what needs doing, how far the ledger is."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.capture import deeds, overview
from app.capture import needs as registry
from app.capture.needs import Need
from app.capture.overview import Standing
from app.capture.pages import ACTIVE, DISCONNECTED, PAUSED
from app.store import audit
from app.web.parts import Here
from app.web.showing import show
from app.web.transactions import ReadTx
from app.web.who import MayEnter, messages

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that somebody should look at."""

    where: str
    link: str
    what: str
    urgent: bool


@router.get("/")
def dashboard(request: Request, officer: MayEnter, here: Here, tx: ReadTx) -> Response:
    """How the archive stands."""
    standings = overview.standings(tx, messages=messages(officer))
    size = here.store.ledger.size(tx)
    return show(
        request,
        "dashboard.html",
        standings=standings,
        due=[
            *(due for standing in standings for due in needs(standing)),
            *map(of_registry, registry.of_archive(here.store, tx)),
        ],
        today=deeds.today(here.store),
        size=size,
        behind=max(0, size - here.position()),
        checkpoint=audit.newest_checkpoint(tx),
        records=sum(standing.records for standing in standings),
    )


def needs(standing: Standing) -> list[Due]:
    """What a page needs somebody to do."""
    page, found = standing.page, []
    link = f"/pages/{page.id}"
    if page.status == DISCONNECTED:
        found.append(
            Due(page.name, link, "The platform no longer lets us in: connect the page again.", urgent=True)
        )
    if page.status == PAUSED:
        found.append(Due(page.name, link, "Paused: nothing is captured until it is resumed.", urgent=False))
    run = standing.captured
    if run is not None and run.status == "failed":
        found.append(Due(page.name, f"/runs/{run.id}", "The last capture failed.", urgent=True))
    elif run is not None and run.status == "partial":
        found.append(Due(page.name, f"/runs/{run.id}", "The last capture has gaps.", urgent=True))
    elif run is None and page.connector != "import" and page.status == ACTIVE:
        found.append(Due(page.name, link, "Not captured yet.", urgent=False))
    return found


def of_registry(need: Need) -> Due:
    """What the registry needs somebody to do, with where to do it."""
    if need.page is None:
        return Due("Violation reports", "/violations", need.what, urgent=need.urgent)
    return Due(need.page.name, f"/pages/{need.page.id}", need.what, urgent=need.urgent)

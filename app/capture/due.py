"""What needs doing with capture: for the overview and for the daily letter. Only what somebody can and should act upon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.capture import credentials, needs, notices, overview, pages, troubles
from app.capture.overview import Standing
from app.db import Tx
from app.store.store import Store


@dataclass(frozen=True, slots=True)
class Due:
    """Something that somebody should look at."""

    where: str
    link: str
    what: str
    urgent: bool


def of(store: Store, tx: Tx, standings: Sequence[Standing] | None = None) -> list[Due]:
    """Everything that needs doing with the pages, what is urgent first."""
    told = {one.page.key: one for one in notices.open_troubles(store, tx)}
    found: list[Due] = []
    for standing in standings if standings is not None else overview.standings(tx, messages=False):
        found += _of_page(standing, told.get(standing.page.key))
    for ending in credentials.ending(tx, store.clock.now()):
        ended = ending.on <= store.clock.now()
        day = ending.on.astimezone(store.agency.zone()).date().isoformat()
        what = f"Its {ending.what} {'ended' if ended else 'ends'} on {day}: connect the page anew."
        found.append(Due(ending.name, f"/pages/{ending.page}", what, urgent=ended))
    for need in needs.of_archive(store, tx):
        where = need.page.name if need.page else "Violation reports"
        link = f"/pages/{need.page.id}" if need.page else "/violations"
        found.append(Due(where, link, need.what, urgent=need.urgent))
    return sorted(found, key=lambda one: not one.urgent)


def _of_page(standing: Standing, trouble: notices.Told | None) -> list[Due]:
    page, found = standing.page, []
    link = f"/pages/{page.id}"
    if page.status == pages.DISCONNECTED:
        found.append(
            Due(page.name, link, "The platform no longer lets us in: connect the page again.", urgent=True)
        )
    if page.status == pages.PAUSED:
        found.append(Due(page.name, link, "Paused: nothing is captured until it is resumed.", urgent=False))
    run = standing.captured
    if trouble is not None and trouble.cause is not troubles.Cause.UNAUTHORISED:
        what = "The last capture failed." if trouble.cause is troubles.Cause.FAILED else "Captured with gaps."
        found.append(Due(page.name, f"/runs/{trouble.run}", what, urgent=True))
    elif trouble is None and run is not None and run.status == "failed":
        found.append(Due(page.name, f"/runs/{run.id}", "The last capture failed.", urgent=True))
    elif trouble is None and run is not None and run.status == "partial":
        found.append(Due(page.name, f"/runs/{run.id}", "The last capture has gaps.", urgent=True))
    elif run is None and page.connector != "import" and page.status == pages.ACTIVE:
        found.append(Due(page.name, link, "Not captured yet.", urgent=False))
    return found

"""What was done, and who read what: for auditors."""

import json
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app import officers
from app.db import Tx
from app.records.errors import Invalid
from app.store import access, audit
from app.web import paging
from app.web.moments import moment_of
from app.web.paging import Cursor
from app.web.parts import Here
from app.web.showing import show
from app.web.transactions import RequestTx
from app.web.who import MayAudit

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_PART = 50


@router.get("/audit")
def acts(
    request: Request, officer: MayAudit, here: Here, tx: RequestTx, type: str = "", cursor: Cursor = None
) -> Response:
    """What was done, newest first."""
    before = paging.number("audit", cursor)
    found = audit.acts_before(here.store, tx, before=before, limit=_PART, kind=type or None, by=officer.id)
    access.note(here.store, tx, "audit", by=officer.id, detail={"type": type, "before": before})
    return show(
        request,
        "audit.html",
        acts=found.acts,
        total=found.total,
        further=paging.cursor("audit", found.next),
        type=type,
        types=audit.kinds_of_acts(tx, officer.id),
        people=people(tx),
        told=told,
    )


@router.get("/accesses")
def accesses(
    request: Request,
    officer: MayAudit,
    here: Here,
    tx: RequestTx,
    by: str = "",
    record: str = "",
    since: str = "",
    until: str = "",
    cursor: Cursor = None,
) -> Response:
    """Who signed in, searched, read and took out what, newest first."""
    zone = here.store.agency.zone()
    found = audit.accesses_before(
        here.store,
        tx,
        before=paging.number("accesses", cursor),
        limit=_PART,
        by=officers.find(tx, by).id if by.strip() else None,
        record=_record(record),
        since=moment_of(since, zone),
        until=moment_of(until, zone, end=True),
        asker=officer.id,
    )
    asked = {"by": by, "record": record, "since": since, "until": until}
    access.note(here.store, tx, "access-log", by=officer.id, detail=asked)
    return show(
        request,
        "accesses.html",
        accesses=found.accesses,
        total=found.total,
        further=paging.cursor("accesses", found.next),
        asked=asked,
        people=people(tx),
        told=told,
    )


def people(tx: Tx) -> dict[UUID, str]:
    """Everybody's e-mail by their id."""
    return officers.emails(tx)


def told(detail: dict[str, object]) -> list[tuple[str, str]]:
    """A detail as names and values, without what is empty."""
    return [(name, _plain(value)) for name, value in detail.items() if value not in ("", None, [], {})]


def _plain(value: object) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _record(text: str) -> UUID | None:
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError as error:
        raise Invalid(f"{text.strip()[:60]!r} is no record id") from error

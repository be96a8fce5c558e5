"""What was done, and who read what: for auditors, over the API."""

from uuid import UUID

from fastapi import APIRouter

from app import officers
from app.store import access, audit
from app.web import paging
from app.web.api.shapes import AccessesOut, AccessOut, ActOut, ActsOut
from app.web.moments import moment_of
from app.web.paging import Cursor, Limit
from app.web.parts import Here
from app.web.transactions import RequestTx
from app.web.who import MayAudit

router = APIRouter(tags=["audit"])


@router.get("/audit")
def acts(
    officer: MayAudit,
    here: Here,
    tx: RequestTx,
    type: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ActsOut:
    """What was done, newest first: who, when and why, with the entry of each."""
    before = paging.number("audit", cursor)
    found = audit.acts_before(here.store, tx, before=before, limit=limit, kind=type, by=officer.id)
    access.note(here.store, tx, "audit", by=officer.id, detail={"type": type or "", "before": before})
    told = [
        ActOut(
            entry=act.entry,
            type=act.type,
            at=act.at,
            by=act.officer,
            subject=act.subject,
            why=act.why,
            detail=dict(act.detail),
        )
        for act in found.acts
    ]
    return ActsOut(total=found.total, acts=told, next=paging.cursor("audit", found.next))


@router.get("/accesses")
def accesses(
    officer: MayAudit,
    here: Here,
    tx: RequestTx,
    by: str | None = None,
    record: UUID | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AccessesOut:
    """Who signed in, searched, read and took out what, newest first; `by` is an e-mail."""
    zone = here.store.agency.zone()
    found = audit.accesses_before(
        here.store,
        tx,
        before=paging.number("accesses", cursor),
        limit=limit,
        by=officers.find(tx, by).id if by else None,
        record=record,
        since=moment_of(since, zone),
        until=moment_of(until, zone, end=True),
        asker=officer.id,
    )
    access.note(
        here.store, tx, "access-log", by=officer.id, detail={"by": by or "", "record": str(record or "")}
    )
    told = [
        AccessOut(at=one.at, by=one.officer, action=one.action, record=one.record, detail=dict(one.detail))
        for one in found.accesses
    ]
    return AccessesOut(total=found.total, accesses=told, next=paging.cursor("accesses", found.next))

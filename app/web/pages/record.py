"""A record for people: itself, what changed, its post and comments as they stand or stood, and working copies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from app.capture import copies, records, tags
from app.records.nouns import Disposed, Version
from app.store import access
from app.web import paging, reading
from app.web.differences import Change, differences
from app.web.forms import Posted, reason
from app.web.moments import moment_of
from app.web.paging import Cursor
from app.web.parts import Here
from app.web.showing import SHOWN, show
from app.web.transactions import RequestTx
from app.web.who import MayRead, MayTag, MayTakeEvidence

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Number = Annotated[int | None, Query(ge=1, le=1 << 30)]
Line = Annotated[str, Form(max_length=2_000)]
_PART = 200
_FIELDS = {
    "text": "the text",
    "html": "its formatting",
    "author_name": "the author’s name",
    "author_handle": "the author’s handle",
    "author_id": "the author",
    "attachments": "the attachments",
    "in_reply_to": "what it answers",
    "edited_at": "when it was edited",
    "url": "its address",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A version with what it changed of the one before."""

    version: Version
    changed: Sequence[str]
    words: Sequence[Change]


@router.get("/records/{record}")
def show_record(
    request: Request,
    record: UUID,
    officer: MayRead,
    here: Here,
    tx: RequestTx,
    version: Number = None,
    at: str = "",
    cursor: Cursor = None,
) -> Response:
    """The record within its family."""
    moment = moment_of(at, here.store.agency.zone())
    found = reading.view(here, tx, record, by=officer, number=version)
    if isinstance(found, Disposed):
        return show(request, "disposed.html", record=found)
    members = reading.family(here, tx, found, by=officer, at=moment)
    begin = paging.number("family", cursor) or 0
    further = None
    if begin + _PART < len(members):
        asked = {"version": version or "", "at": at, "cursor": paging.cursor("family", begin + _PART)}
        further = urlencode({name: value for name, value in asked.items() if value})
    return show(
        request,
        "record.html",
        record=found,
        history=history(records.history(here.store, tx, found)),
        tags=tags.of_record(here.store, tx, found),
        may_tag=officer.may(*tags.TAGGERS),
        members=members[begin : begin + _PART],
        total=len(members),
        further=further,
        part=_PART,
        at=moment,
        at_given=moment.astimezone(here.store.agency.zone()).strftime("%Y-%m-%dT%H:%M") if moment else "",
        at_query=f"?{urlencode({'at': at})}" if at else "",
    )


@router.get("/records/{record}/print")
def print_family(
    request: Request, record: UUID, officer: MayRead, here: Here, tx: RequestTx, at: str = ""
) -> Response:
    """The whole family on one page, marked as a working copy."""
    moment = moment_of(at, here.store.agency.zone())
    found = reading.living(reading.view(here, tx, record, by=officer, what="family print"))
    members = reading.family(here, tx, found, by=officer, at=moment)
    return show(
        request,
        "record-print.html",
        record=found,
        members=members,
        rows=_rows(found.page.name, len(members), moment, here.store.ledger.size(tx)),
    )


@router.get("/records/{record}/family.csv")
def family_csv(record: UUID, officer: MayRead, here: Here, tx: RequestTx, at: str = "") -> Response:
    """The whole family as CSV, marked as a working copy."""
    zone = here.store.agency.zone()
    moment = moment_of(at, zone)
    found = reading.living(reading.view(here, tx, record, by=officer, what="family"))
    members = reading.family(here, tx, found, by=officer, at=moment)
    access.note(
        here.store, tx, "export", by=officer.id, record=record, detail={"what": "family csv", "at": at}
    )
    lines: Iterable[Sequence[object]] = chain(
        copies.head(
            here.store, officer, _rows(found.page.name, len(members), moment, here.store.ledger.size(tx))
        ),
        [["depth", "stood then", *copies.COLUMNS]],
        (
            [
                member.depth,
                SHOWN[member.stood.shown] if member.stood else None,
                *copies.row(member.record, zone),
            ]
            for member in members
        ),
        [[], [f"END – {len(members)} records"]],
    )
    return csv_answer(lines, f"{found.id}-family-working-copy.csv")


@router.post("/records/{record}/evidence", dependencies=[Posted])
def evidence(record: UUID, officer: MayTakeEvidence, here: Here, why: Line = "") -> Response:
    """The exchanges that show the record."""
    return reading.evidence(here, record, by=officer, why=reason(why))


@router.post("/records/{record}/proof", dependencies=[Posted])
def proof(
    record: UUID,
    officer: MayTakeEvidence,
    here: Here,
    version: Annotated[int | None, Form(ge=1, le=1 << 30)] = None,
    why: Line = "",
) -> Response:
    """The proof of one version."""
    return reading.proof(here, record, number=version, by=officer, why=reason(why))


@router.post("/records/{record}/tags", dependencies=[Posted])
def tag(
    record: UUID,
    officer: MayTag,
    here: Here,
    tx: RequestTx,
    tag: Line = "",
    act: Line = "give",
    why: Line = "",
) -> Response:
    """Give the record a tag, or take one off."""
    found = reading.living(reading.view(here, tx, record, by=officer, what="tags"))
    if act == "take off":
        tags.remove(here.store, tx, found, tag, by=officer, why=reason(why))
    else:
        tags.add(here.store, tx, found, tag, by=officer, why=reason(why))
    return RedirectResponse(f"/records/{found.id}#tags", status_code=303)


@router.get("/attachments/{attachment}")
def attachment(attachment: UUID, officer: MayRead, here: Here, tx: RequestTx) -> Response:
    """An attachment's bytes."""
    return reading.attachment(here, tx, attachment, by=officer)


def history(versions: Sequence[Version]) -> list[Told]:
    """Every version with what it changed."""
    told = []
    before: Version | None = None
    for version in versions:
        changed = [] if before is None else changes(before, version)
        words: Sequence[Change] = ()
        if before is not None and (before.text("text") or "") != (version.text("text") or ""):
            words = differences(before.text("text") or "", version.text("text") or "")
        told.append(Told(version, changed, words))
        before = version
    return told


def changes(before: Version, after: Version) -> list[str]:
    """What differs between two versions, in words."""
    found = [words for name, words in _FIELDS.items() if before.fields.get(name) != after.fields.get(name)]
    return (["its state"] if before.state != after.state else []) + found


def csv_answer(lines: Iterable[Sequence[object]], name: str) -> Response:
    """A CSV file, streamed."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(copies.as_csv(lines), media_type="text/csv; charset=utf-8", headers=headers)


def _rows(page: str, total: int, at: datetime | None, size: int) -> list[tuple[str, object]]:
    stood = [("As it stood at", at.isoformat())] if at else []
    return [("Page", page), *stood, ("Records", total), ("Ledger size", size)]

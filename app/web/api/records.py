"""One record, over the API: itself, its versions, its family, its evidence and its proof."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from app import officers
from app.capture import records, tags
from app.records.nouns import Disposed
from app.store import access
from app.web import paging, reading
from app.web.forms import reason
from app.web.moments import moment_of
from app.web.paging import Cursor, Limit
from app.web.parts import Here
from app.web.transactions import RequestTx
from app.web.who import MayRead, MayTag, MayTakeEvidence

router = APIRouter(tags=["records"])
TAKEN = "taken over the API"
Number = Annotated[int | None, Query(ge=1, le=1 << 30, description="The version's number; none: the newest.")]


@router.get("/records/{record}")
def show_record(
    record: UUID, officer: MayRead, here: Here, tx: RequestTx, version: Number = None
) -> dict[str, Any]:
    """A record with its newest version or `version`; of a disposed one, when and under which authority."""
    found = reading.view(here, tx, record, by=officer, number=version)
    told = records.as_json(found)
    if not isinstance(found, Disposed):
        told["tags"] = tags.of(here.store, tx, [found.key]).get(found.key, [])
    return told


@router.get("/records/{record}/versions")
def versions(record: UUID, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Every version of a record, oldest first."""
    found = reading.view(here, tx, record, by=officer, what="versions")
    if isinstance(found, Disposed):
        return records.as_json(found)
    told = [records.version_json(version) for version in records.history(here.store, tx, found)]
    return {"id": str(found.id), "total": len(told), "versions": told}


@router.get("/records/{record}/family")
def family(
    record: UUID,
    officer: MayRead,
    here: Here,
    tx: RequestTx,
    at: str | None = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The post with everything that answers it, in reading order; with `at`, how each item stood at that moment."""
    moment = moment_of(at, here.store.agency.zone())
    found = reading.view(here, tx, record, by=officer, what="family")
    if isinstance(found, Disposed):
        return records.as_json(found)
    members = reading.family(here, tx, found, by=officer, at=moment)
    begin = paging.number("family", cursor) or 0
    end = begin + limit
    told = []
    for member in members[begin:end]:
        one = records.as_json(member.record) | {"depth": member.depth}
        if member.stood is not None:
            one |= {
                "at": member.stood.shown,
                "last_seen": records.iso(member.stood.last_seen),
                "first_seen_after": records.iso(member.stood.first_seen_after),
            }
        told.append(one)
    return {
        "root": str(found.root),
        "at": records.iso(moment),
        "total": len(members),
        "records": told,
        "next": paging.cursor("family", end) if end < len(members) else None,
    }


class NewTag(BaseModel):
    """A tag and why it is given."""

    tag: str = Field(max_length=400)
    why: str = Field(default="", max_length=2_000)


@router.get("/tags")
def every_tag(officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Every tag with how many records have it, the most frequent first."""
    told = tags.listed(here.store, tx)
    access.note(here.store, tx, "search", by=officer.id, detail={"what": "tags", "total": len(told)})
    return {"total": len(told), "tags": [{"tag": one.tag, "records": one.records} for one in told]}


@router.get("/records/{record}/tags")
def tags_of(record: UUID, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """The tags of a record, with who gave each and why."""
    found = reading.living(reading.view(here, tx, record, by=officer, what="tags"))
    people = officers.emails(tx)
    told = [
        tags.as_json(one, people.get(one.by) if one.by else None)
        for one in tags.of_record(here.store, tx, found)
    ]
    return {"id": str(found.id), "total": len(told), "tags": told}


@router.post("/records/{record}/tags", status_code=201)
def tag(record: UUID, form: NewTag, officer: MayTag, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Give a record a tag."""
    found = reading.living(reading.view(here, tx, record, by=officer, what="tags"))
    given = tags.add(here.store, tx, found, form.tag, by=officer, why=reason(form.why))
    return {"id": str(found.id), **tags.as_json(given, officer.email)}


@router.delete("/records/{record}/tags/{tag}")
def untag(
    record: UUID,
    tag: str,
    officer: MayTag,
    here: Here,
    tx: RequestTx,
    why: Annotated[str, Query(max_length=2_000)] = "",
) -> dict[str, Any]:
    """Take a tag off a record; that it was given stays written down."""
    found = reading.living(reading.view(here, tx, record, by=officer, what="tags"))
    entry = tags.remove(here.store, tx, found, tag, by=officer, why=reason(why))
    return {"id": str(found.id), "tag": tag, "entry": entry}


@router.get("/records/{record}/evidence", response_class=Response)
def evidence(record: UUID, officer: MayTakeEvidence, here: Here, why: str = TAKEN) -> Response:
    """The exchanges that show the record, as WARC 1.1."""
    return reading.evidence(here, record, by=officer, why=why.strip() or TAKEN)


@router.get("/records/{record}/proof", response_class=Response)
def proof(
    record: UUID, officer: MayTakeEvidence, here: Here, version: Number = None, why: str = TAKEN
) -> Response:
    """The proof folder of the newest version or of `version`, as a zip."""
    return reading.proof(here, record, number=version, by=officer, why=why.strip() or TAKEN)


@router.get("/attachments/{attachment}", response_class=Response)
def attachment(attachment: UUID, officer: MayRead, here: Here, tx: RequestTx) -> Response:
    """An attachment's bytes."""
    return reading.attachment(here, tx, attachment, by=officer)

"""Holds, over the API: preview and place them, see what they cover, release them; notices; quarantine."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from app import officers
from app.capture import pages
from app.db import Tx
from app.holds import finding, guarding, letter, matters, noticing, placing, quarantine, releasing
from app.holds.placing import Hold
from app.holds.scopes import Scope
from app.records.nouns import Officer
from app.web import paging
from app.web.forms import reason
from app.web.paging import Cursor, Limit
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayEnter, messages

router = APIRouter(tags=["holds"])
Which = Annotated[UUID, Path(description="The hold's id.")]
Text = Annotated[str, Field(max_length=4_000)]
Short = Annotated[str, Field(max_length=400)]
_MOST_NAMED = 100_000
_BODY = 8_000_000
"""As many ids as may be named fit into it."""


class NewHold(BaseModel):
    """A hold to be placed or previewed: a standing query within pages, authors and days, and records beside it."""

    matter: UUID
    scope: Annotated[str, Field(max_length=100_000)] = ""
    pages: list[UUID] = []
    authors: Annotated[list[Short], Field(max_length=1_000)] = []
    since: Annotated[str | None, Field(alias="from", max_length=40)] = None
    until: Annotated[str | None, Field(alias="to", max_length=40)] = None
    dates: Literal["published", "captured"] = "published"
    records: Annotated[list[UUID], Field(max_length=_MOST_NAMED)] = []
    why: Text = ""

    def understood(self, tx: Tx) -> Scope:
        """The scope; its pages are looked up."""
        return Scope(
            query=self.scope,
            pages=tuple(str(pages.get(tx, str(page)).id) for page in self.pages),
            authors=tuple(self.authors),
            since=self.since,
            until=self.until,
            dates=self.dates,
            records=tuple(self.records),
        )


class Reason(BaseModel):
    """Why."""

    why: Text


class Consent(BaseModel):
    """For which page, and why."""

    page: UUID
    why: Text


class NewNotice(BaseModel):
    """To whom, and why."""

    to: Short
    why: Text


class NewLetter(BaseModel):
    """To whom a preservation letter is addressed, the lines of their address, and why."""

    to: Short
    address: Annotated[list[Short], Field(max_length=20)] = []
    why: Text


class NewQuarantine(BaseModel):
    """Which record, who else has access, and why."""

    record: UUID
    second: Annotated[str, Field(alias="with", max_length=400)]
    why: Text


@router.get("/holds")
def list_holds(officer: MayEnter, here: Here, tx: ReadTx, matter: UUID | None = None) -> dict[str, Any]:
    """The holds that you may know of, the newest first."""
    of = matters.get(here.store, tx, str(matter), by=officer) if matter else None
    found = placing.listed(here.store, tx, by=officer, matter=of)
    return {"total": len(found), "holds": [told(here, tx, hold, officer) for hold in found]}


@router.post("/holds/preview", max_body_size=_BODY)
def preview_hold(officer: MayEnter, here: Here, asked: NewHold) -> dict[str, Any]:
    """What a hold would cover, what is just outside, and what was disposed of before."""
    with here.store.database.read() as tx:
        matter = matters.get(here.store, tx, str(asked.matter), by=officer)
        scope = asked.understood(tx)
    _, found = placing.preview(here.store, here.index, matter, scope, by=officer)
    return placing.preview_json(found)


@router.post("/holds", status_code=201, max_body_size=_BODY)
def place_hold(officer: MayEnter, here: Here, asked: NewHold) -> dict[str, Any]:
    """Place a hold; new captures join it by themselves."""
    why = reason(asked.why)
    return placed(here, officer, asked, why)


def placed(here: Parts, officer: Officer, asked: NewHold, why: str) -> dict[str, Any]:
    """Look without a lock, then place in one transaction."""
    with here.store.database.read() as tx:
        matter = matters.get(here.store, tx, str(asked.matter), by=officer)
        matters.must_be_open(matters.may_work_on(here.store, tx, matter, officer))
        scope = asked.understood(tx)
    found = finding.find(here.store, here.index, scope, by=officer)
    with here.store.database.begin() as tx:
        made = placing.place(here.store, tx, matter, scope, found, by=officer, why=why)
        noticing.tell_of_change(here.store, tx, made.hold, by=officer, why=why)
    return placing.placed_json(made, matter)


@router.get("/holds/{hold}")
def show_hold(hold: Which, officer: MayEnter, here: Here, tx: ReadTx) -> dict[str, Any]:
    """A hold, and how many records it covers."""
    return told(here, tx, placing.get(here.store, tx, str(hold), by=officer), officer)


@router.get("/holds/{hold}/records")
def records_of_hold(
    hold: Which,
    officer: MayEnter,
    here: Here,
    tx: ReadTx,
    basis: Annotated[str | None, Query(pattern="^(matched|undecided|named)$")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """What a hold covers, record by record."""
    found = placing.get(here.store, tx, str(hold), by=officer)
    after = paging.number("hold", cursor) or 0
    part = placing.records_of(tx, found, messages=messages(officer), after=after, limit=limit, basis=basis)
    return {
        "total": part.total,
        "records": [{"id": str(one.record), "basis": one.basis} for one in part.records],
        "next": paging.cursor("hold", part.next),
    }


@router.get("/holds/{hold}/release-preview")
def preview_release(hold: Which, officer: MayEnter, here: Here, tx: ReadTx) -> dict[str, Any]:
    """What a release would free, as far as you may know."""
    found = placing.get(here.store, tx, str(hold), by=officer)
    return {"id": str(hold), **releasing.as_json(releasing.preview(tx, found, by=officer))}


@router.post("/holds/{hold}/release")
def ask_release(hold: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Reason) -> dict[str, Any]:
    """Ask for the release of a hold."""
    found = placing.get(here.store, tx, str(hold), by=officer)
    return told(here, tx, releasing.ask(here.store, tx, found, by=officer, why=reason(asked.why)), officer)


@router.post("/holds/{hold}/approve-release")
def approve_release(
    hold: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Reason
) -> dict[str, Any]:
    """Approve a release as a second person; it is carried out after the delay."""
    found = placing.get(here.store, tx, str(hold), by=officer)
    after = timedelta(days=here.settings.hold_release_days)
    now = releasing.approve(here.store, tx, found, after=after, by=officer, why=reason(asked.why))
    return told(here, tx, now, officer)


@router.post("/holds/{hold}/cancel-release")
def cancel_release(
    hold: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Reason
) -> dict[str, Any]:
    """Take a release back."""
    found = placing.get(here.store, tx, str(hold), by=officer)
    return told(here, tx, releasing.cancel(here.store, tx, found, by=officer, why=reason(asked.why)), officer)


@router.post("/holds/{hold}/consent")
def consent(hold: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Consent) -> dict[str, Any]:
    """Let a page be paused or removed although this hold concerns it."""
    found = placing.get(here.store, tx, str(hold), by=officer)
    page = pages.get(tx, str(asked.page))
    now = guarding.consent(here.store, tx, found, page, by=officer, why=reason(asked.why))
    return told(here, tx, now, officer)


@router.get("/holds/{hold}/notices")
def notices(hold: Which, officer: MayEnter, here: Here, tx: ReadTx) -> dict[str, Any]:
    """Who was told, and who acknowledged when."""
    found = noticing.listed(here.store, tx, placing.get(here.store, tx, str(hold), by=officer))
    return {"total": len(found), "notices": [noticing.as_json(one) for one in found]}


@router.post("/holds/{hold}/notices", status_code=201)
def notify(hold: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: NewNotice) -> dict[str, Any]:
    """Give a custodian notice; the letter goes within a minute."""
    found = placing.get(here.store, tx, str(hold), by=officer)
    made = noticing.notify(here.store, tx, found, asked.to, by=officer, why=reason(asked.why))
    return noticing.as_json(made)


@router.post("/holds/{hold}/letter")
def write_letter(hold: Which, officer: MayEnter, here: Here, asked: NewLetter) -> Response:
    """A preservation letter as PDF, to a platform or a custodian."""
    return letter_answer(here, hold, officer, asked.to, asked.address, asked.why)


@router.get("/quarantine")
def list_quarantine(officer: MayEnter, here: Here, tx: ReadTx) -> dict[str, Any]:
    """The records to which you are one of the two who have access."""
    found = quarantine.listed(here.store, tx, by=officer)
    people = officers.emails(tx)
    return {"total": len(found), "quarantines": [quarantine.as_json(one, people) for one in found]}


@router.post("/quarantine", status_code=201)
def begin_quarantine(officer: MayEnter, here: Here, tx: RequestTx, asked: NewQuarantine) -> dict[str, Any]:
    """Cut off access to a record for everybody but you and one other."""
    why = reason(asked.why)
    made = quarantine.begin(here.store, tx, asked.record, asked.second, by=officer, why=why)
    return quarantine.as_json(made, officers.emails(tx))


@router.post("/quarantine/{record}/end")
def end_quarantine(
    record: UUID, officer: MayEnter, here: Here, tx: RequestTx, asked: Reason
) -> dict[str, Any]:
    """Give access back."""
    entry = quarantine.end(here.store, tx, record, by=officer, why=reason(asked.why))
    return {"record": str(record), "entry": entry}


def letter_answer(
    here: Parts, hold: UUID, officer: Officer, to: str, address: list[str], why: str
) -> Response:
    """The letter as a file; that it was written is an act on the matter."""
    content = letter.preservation(here.store, hold, to, address, by=officer, why=reason(why))
    headers = {"Content-Disposition": f'attachment; filename="letter-{hold}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def told(here: Parts, tx: Tx, hold: Hold, officer: Officer) -> dict[str, Any]:
    """A hold with its matter and how many records it covers."""
    matter = matters.of_key(here.store, tx, hold.matter, by=officer) if hold.matter is not None else None
    return placing.as_json(hold, matter, finding.covered(tx, hold.key, messages=messages(officer)))

"""Matters, over the API: open, read, change and close them, with their members and custodians."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from app import officers
from app.capture import deeds, pages
from app.db import Tx
from app.holds import finding, matters, noticing, placing
from app.holds.matters import Matter
from app.records.nouns import Officer
from app.web.forms import reason
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayEnter, messages

router = APIRouter(tags=["matters"])
Which = Annotated[UUID, Path(description="The matter's id.")]
Text = Annotated[str, Field(max_length=4_000)]
Short = Annotated[str, Field(max_length=400)]


class NewMatter(BaseModel):
    """A matter to be opened."""

    name: Text
    silent: bool = False
    trigger: Short | None = None
    notes: Text = ""
    members: Annotated[list[Short], Field(max_length=1_000)] = []
    pages: list[UUID] = []
    why: Text


class ChangedMatter(BaseModel):
    """What is to change; what is left out stays."""

    trigger: Short | None = None
    note: Text = ""
    pages: list[UUID] | None = None
    why: Text


class Member(BaseModel):
    """Somebody who works here or is a custodian, by e-mail."""

    email: Short
    why: Text


class NewCustodian(BaseModel):
    """Somebody who must keep what they have."""

    name: Text
    email: Short
    why: Text


class Reason(BaseModel):
    """Why."""

    why: Text


@router.get("/matters")
def list_matters(officer: MayEnter, here: Here, tx: ReadTx) -> dict[str, Any]:
    """The matters that you may know of, the newest first."""
    found = matters.listed(here.store, tx, by=officer)
    return {"total": len(found), "matters": [matters.in_short(one) for one in found]}


@router.post("/matters", status_code=201)
def open_matter(officer: MayEnter, here: Here, tx: RequestTx, asked: NewMatter) -> dict[str, Any]:
    """Open a matter; a silent one is known to its members only."""
    made = matters.open(
        here.store,
        tx,
        asked.name,
        silent=asked.silent,
        trigger=deeds.day(asked.trigger, "the trigger date"),
        notes=asked.notes,
        members=asked.members,
        about=[pages.get(tx, str(page)).id for page in asked.pages],
        by=officer,
        why=reason(asked.why),
    )
    return told(here, tx, made, officer)


@router.get("/matters/{matter}")
def show_matter(matter: Which, officer: MayEnter, here: Here, tx: ReadTx) -> dict[str, Any]:
    """A matter with its members, custodians, notes and holds."""
    return told(here, tx, matters.get(here.store, tx, str(matter), by=officer), officer)


@router.post("/matters/{matter}/change")
def change_matter(
    matter: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: ChangedMatter
) -> dict[str, Any]:
    """Write down another trigger date, of which custodians get notice anew, other pages, or a note."""
    found, why = matters.get(here.store, tx, str(matter), by=officer), reason(asked.why)
    with noticing.telling(here.store, tx, found, by=officer, why=why):
        made = matters.change(
            here.store,
            tx,
            found,
            trigger=deeds.day(asked.trigger, "the trigger date"),
            about=asked.pages,
            note=asked.note,
            by=officer,
            why=why,
        )
    return told(here, tx, made, officer)


@router.post("/matters/{matter}/members")
def admit_member(
    matter: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Member
) -> dict[str, Any]:
    """Make somebody a member."""
    found, why = matters.get(here.store, tx, str(matter), by=officer), reason(asked.why)
    with noticing.telling(here.store, tx, found, by=officer, why=why):
        made = matters.admit(here.store, tx, found, asked.email, by=officer, why=why)
    return told(here, tx, made, officer)


@router.post("/matters/{matter}/members/leave")
def dismiss_member(
    matter: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Member
) -> dict[str, Any]:
    """Let somebody be a member no more; the last one stays."""
    found, why = matters.get(here.store, tx, str(matter), by=officer), reason(asked.why)
    with noticing.telling(here.store, tx, found, by=officer, why=why):
        made = matters.dismiss(here.store, tx, found, asked.email, by=officer, why=why)
    return told(here, tx, made, officer)


@router.post("/matters/{matter}/custodians/leave")
def excuse_custodian(
    matter: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Member
) -> dict[str, Any]:
    """Take somebody off the list of custodians; what was sent to them stays written down."""
    found = matters.get(here.store, tx, str(matter), by=officer)
    made = matters.excuse_custodian(here.store, tx, found, asked.email, by=officer, why=reason(asked.why))
    return told(here, tx, made, officer)


@router.post("/matters/{matter}/custodians")
def add_custodian(
    matter: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: NewCustodian
) -> dict[str, Any]:
    """Name somebody who must keep what they have; one without an address is refused."""
    found = matters.get(here.store, tx, str(matter), by=officer)
    matters.name_custodian(here.store, tx, found, asked.name, asked.email, by=officer, why=reason(asked.why))
    return told(here, tx, matters.get(here.store, tx, str(matter), by=officer), officer)


@router.post("/matters/{matter}/close")
def close_matter(
    matter: Which, officer: MayEnter, here: Here, tx: RequestTx, asked: Reason
) -> dict[str, Any]:
    """Close a matter none of whose holds is active."""
    found = matters.get(here.store, tx, str(matter), by=officer)
    made = matters.close(here.store, tx, found, by=officer, why=reason(asked.why))
    return told(here, tx, made, officer)


def told(here: Parts, tx: Tx, matter: Matter, officer: Officer) -> dict[str, Any]:
    """A matter with its holds."""
    people = officers.emails(tx)
    held = placing.listed(here.store, tx, by=officer, matter=matter)
    return matters.as_json(matter, people) | {
        "active_holds": matter.holds,
        "holds": [
            placing.as_json(hold, matter, finding.covered(tx, hold.key, messages=messages(officer)))
            for hold in held
        ],
    }

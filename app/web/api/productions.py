"""Productions, over the API: what would leave, making one, what it holds, and the folder as one file."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from app.disclosure import asking_back, handing, produced, requests
from app.disclosure.requests import Request
from app.records.nouns import Officer
from app.web.api.requests import MayRequest, MaySeeRequests, Which, laws
from app.web.api.reviews import Reason
from app.web.forms import reason
from app.web.parts import Here, Parts, Productions
from app.web.transactions import ReadTx, RequestTx
from app.web.who import messages

router = APIRouter(tags=["productions"])
Number = Annotated[str, Path(max_length=80, description="The production's number (PD-2026-0001-P01) or id.")]
Short = Annotated[str, Field(max_length=200)]
_CHUNK = 1 << 20


class NewProduction(BaseModel):
    """By which prefix pages are numbered, in which forms the records leave; all that are usual without.

    `replaces` names a production of which `records` are given anew under their numbers.
    """

    prefix: Short
    forms: Annotated[list[Short], Field(max_length=20)] = []
    profile: Short = "relativity"
    more: bool = False
    """An instalment: more of this request comes later."""
    supplement: bool = False
    """Only what was not given yet, or would leave otherwise now."""
    replaces: Short = ""
    records: Annotated[list[UUID], Field(max_length=5_000)] = []
    why: Annotated[str, Field(max_length=4_000)] = ""


class ClawBack(Reason):
    """Which numbers, all of them without; for the letter on what ground, and what the notice rests on."""

    ranges: Annotated[str, Field(max_length=2_000)] = ""
    exemption: Short = ""
    rule: Annotated[str, Field(max_length=2_000)] = ""


class HandOver(Reason):
    """To whom, and for how many days a link works; without days it was handed over by hand."""

    to: Short
    days: Annotated[int | None, Field(ge=1, le=365)] = None


class Handed(BaseModel):
    """A hand-over; `link` is shown this once."""

    to: str
    until: str | None
    link: str | None
    entry: int


def made_here(here: Parts) -> Productions:
    """What makes productions, or `FolderElsewhere` where the agency has no place for them."""
    if here.productions is None:
        raise handing.FolderElsewhere(
            "productions are not made over the web here",
            next="Use the command line: muniment disclose produce. Or set MUNIMENT_PRODUCTIONS.",
        )
    return here.productions


@router.get("/requests/{request}/production")
def preview(request: Which, officer: MaySeeRequests, here: Here) -> dict[str, Any]:
    """What a production of the confirmed selection would hold, and everything that is in conflict."""
    with here.store.database.read() as tx:
        found = requests.get(here.store, tx, request)
    return previewed(here, found, officer)


def previewed(here: Parts, found: Request, officer: Officer) -> dict[str, Any]:
    """The same, as pages and programs read it."""
    return made_here(here).preview(found, messages=messages(officer)).as_json()


@router.post("/requests/{request}/productions", status_code=201)
def produce(request: Which, officer: MayRequest, here: Here, asked: NewProduction) -> dict[str, Any]:
    """Make a production, or go on with one that was broken off. Large ones are made by the command line."""
    with here.store.database.read() as tx:
        found = requests.must_be_open(requests.get(here.store, tx, request))
    return made_here(here).make(
        found, prefix=asked.prefix, forms=asked.forms, profile=asked.profile, messages=messages(officer), more=asked.more,
        only_new=asked.supplement, replaces=asked.replaces, only=asked.records, by=officer, why=reason(asked.why),
    )  # fmt: skip


@router.get("/productions")
def list_productions(
    officer: MaySeeRequests, here: Here, tx: ReadTx, request: str | None = None
) -> dict[str, Any]:
    """The productions, of a request or of all, the newest first."""
    del officer
    of = requests.get(here.store, tx, request).id if request else None
    told = [produced.as_json(one) for one in produced.listed(here.store, tx, of)]
    return {"total": len(told), "productions": told}


@router.get("/productions/{production}")
def show_production(production: Number, officer: MaySeeRequests, here: Here, tx: ReadTx) -> dict[str, Any]:
    """A production, and to whom it was given."""
    del officer
    found = produced.get(here.store, tx, production)
    return {**produced.as_json(found), "given_to": handing.as_json(handing.of(here.store, tx, found.key))}


@router.post("/productions/{production}/give-up")
def give_up(
    production: Number, officer: MayRequest, here: Here, tx: RequestTx, asked: Reason
) -> dict[str, Any]:
    """Build a production no more."""
    found = produced.get(here.store, tx, production)
    return produced.as_json(produced.give_up(here.store, tx, found, by=officer, why=reason(asked.why)))


@router.post("/productions/{production}/claw-back")
def claw_back(
    production: Number, officer: MayRequest, here: Here, tx: RequestTx, asked: ClawBack
) -> dict[str, Any]:
    """Write down that a production was asked back; its links work no more."""
    found = produced.get(here.store, tx, production)
    why = reason(asked.why)
    done = asking_back.ask_back(
        here.store, tx, laws(here), found, ranges=asked.ranges, exemption=asked.exemption, rule=asked.rule,
        by=officer, why=why,
    )  # fmt: skip
    return produced.as_json(done)


@router.post("/productions/{production}/hand-over", status_code=201)
def hand_over(production: Number, officer: MayRequest, here: Here, tx: RequestTx, asked: HandOver) -> Handed:
    """Write down to whom a production is given, by hand or by a link that works until a day."""
    found = produced.get(here.store, tx, production)
    if asked.days is not None:
        made_here(here).folder(found.number)
    made = handing.hand_over(
        here.store, tx, found, asked.to, days=asked.days, by=officer, why=reason(asked.why)
    )
    return Handed(
        to=asked.to,
        until=made.until.isoformat() if made.until else None,
        link=handing.link(here.settings.public_url, made),
        entry=made.entry,
    )


@router.get("/productions/{production}/folder.zip")
def take(production: Number, officer: MayRequest, here: Here, tx: RequestTx) -> Response:
    """The folder of a production that was made here, as one file."""
    found = produced.get(here.store, tx, production)
    handing.note_taken(here.store, tx, found.number, by=officer)
    return zipped(made_here(here).folder(found.number))


def zipped(folder: FilePath) -> Response:
    """A folder as a ZIP, made as it is read; nothing of it is held in memory or laid on the disk."""
    headers = {
        "Content-Disposition": f'attachment; filename="{folder.name}.zip"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_chunks(folder), media_type="application/zip", headers=headers)


def _chunks(folder: FilePath) -> Iterator[bytes]:
    yield from handing.as_zip(folder, _CHUNK)

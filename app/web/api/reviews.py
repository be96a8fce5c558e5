"""Selection and review, over the API: what answers a request, what is taken out of it, and who looked."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from app import officers
from app.capture import records
from app.db import Tx
from app.disclosure import assembling, lists, redacting, requests, reviewing, selecting, showing, trying
from app.disclosure.redacting import Read, Region, Span, Where, Whole
from app.disclosure.requests import Request
from app.disclosure.reviewing import Looked
from app.disclosure.suggesting import Suggestion
from app.index.questions import Filters, Question
from app.records.errors import Invalid
from app.records.nouns import Officer, Record
from app.web.api.requests import MayRequest, MaySeeRequests, Which
from app.web.forms import reason
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import messages

router = APIRouter(tags=["reviews"])
Identity = Annotated[UUID, Path(description="The record's id.")]
Text = Annotated[str, Field(max_length=4_000)]
Short = Annotated[str, Field(max_length=200)]
_MOST = 10_000


class Choice(BaseModel):
    """A question, or records by hand."""

    query: Annotated[str | None, Field(max_length=100_000)] = None
    filters: dict[str, Short] = {}
    families: bool = False
    add: bool = False
    as_of: int | None = None
    records: Annotated[list[UUID], Field(max_length=_MOST)] = []
    without: Annotated[list[UUID], Field(max_length=_MOST)] = []
    why: Text = ""


class Reason(BaseModel):
    """Why."""

    why: Text = ""


class NewRedaction(Reason):
    """What is taken out, on which ground."""

    span: Annotated[tuple[int, int] | None, Field(description="Characters of the text, from 0.")] = None
    version: int | None = None
    field: Literal["author", "handle", "address", "details"] | None = None
    attachment: UUID | None = None
    region: Annotated[
        tuple[int, int, int, int, int] | None,
        Field(description="Page, left, top, right, bottom, in ten-thousandths."),
    ] = None
    record: Annotated[bool, Field(description="The whole record.")] = False
    exemption: Short
    explanation: Annotated[str, Field(max_length=2_000)] = ""
    only_here: bool = False

    def where(self, newest: int) -> Where:
        """Where it stands."""
        told: list[Where] = []
        if self.span is not None:
            told.append(Span(self.version or newest, *self.span))
        if self.field is not None:
            told.append(redacting.Field(self.field))
        if self.region is not None and self.attachment is not None:
            told.append(Region(self.attachment, *self.region))
        elif self.attachment is not None:
            told.append(Whole(self.attachment))
        if self.record:
            told.append(Whole())
        if len(told) != 1 or (self.region is not None and self.attachment is None):
            raise Invalid(
                "say one thing that is taken out",
                next="Give span, field, attachment (with or without a region), or record: true.",
            )
        return told[0]


class Kept(Reason):
    """Words that may stay, or a field."""

    span: tuple[int, int] | None = None
    version: int | None = None
    field: Literal["author", "handle", "address", "details"] | None = None

    def where(self, newest: int) -> Span | redacting.Field:
        """What may stay."""
        if (self.span is None) == (self.field is None):
            raise Invalid("say one thing that may stay", next="Give span, or field.")
        if self.field is not None:
            return redacting.Field(self.field)
        assert self.span is not None, "one of both was given"
        return Span(self.version or newest, *self.span)


class Confirmation(Reason):
    """The entry of the newest step that was looked at; left out: the selection as it stands."""

    seen: Annotated[int | None, Field(ge=0)] = None


class Marked(Reason):
    """Which records: named, or all that are selected."""

    records: Annotated[list[UUID], Field(max_length=_MOST)] = []
    all: bool = False


class Assignment(Marked):
    """To whom."""

    to: Short


class Rule(Reason):
    """Whether two persons are asked for."""

    two_persons: bool


# -- selection ---------------------------------------------------------------------------------------------


@router.post("/requests/{request}/selection", status_code=201)
def choose(request: Which, officer: MayRequest, here: Here, asked: Choice) -> dict[str, Any]:
    """Select what a question finds, or records by hand."""
    return chosen(here, request, asked, reason(asked.why), officer)


def chosen(here: Parts, which: str, asked: Choice, why: str, officer: Officer) -> dict[str, Any]:
    """Look without a lock, then select in one transaction."""
    store = here.store
    filters = Filters.of(asked.filters)
    by_question = asked.query is not None or bool(filters.as_json())
    if by_question + bool(asked.records) + bool(asked.without) != 1:
        raise Invalid(
            "a selection is a question, or records by hand", next="Give query, or records, or without."
        )
    with store.database.read() as tx:
        found = requests.must_be_open(requests.get(store, tx, which))
    told = None
    if by_question:
        told = selecting.find(
            store, here.index, Question(asked.query or "*", filters), size=asked.as_of, whole_families=asked.families,
            messages=messages(officer),
        )  # fmt: skip
    with store.database.begin() as tx:
        if told is not None:
            made = selecting.choose(store, tx, found, told, add=asked.add, by=officer, why=why)
        else:
            made = selecting.by_hand(
                store, tx, found, add=asked.records, remove=asked.without, by=officer, why=why
            )
        return {"id": str(found.id), "number": found.number, **showing.selection(made, _people(tx))}


@router.get("/requests/{request}/selection")
def show_selection(request: Which, officer: MaySeeRequests, here: Here, tx: ReadTx) -> dict[str, Any]:
    """How it was selected, step by step, and how many records are selected now."""
    del officer
    found = requests.get(here.store, tx, request)
    people = _people(tx)
    told = [showing.selection(one, people) for one in selecting.history(here.store, tx, found.id)]
    return {"id": str(found.id), "selected": selecting.count(tx, found.id), "steps": told}


@router.post("/requests/{request}/confirm", status_code=201)
def confirm(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Confirmation
) -> dict[str, Any]:
    """Confirm that the selection answers the request: it is held, and the rest of its pages and dates let go."""
    found = requests.get(here.store, tx, request)
    made = selecting.confirm(here.store, tx, found, seen=asked.seen, by=officer, why=reason(asked.why))
    state = requests.get(here.store, tx, request).state
    return {
        "id": str(found.id),
        "number": found.number,
        "state": state,
        **showing.selection(made, _people(tx)),
    }


# -- review ------------------------------------------------------------------------------------------------


@router.get("/reviews/{request}")
def show_queue(
    request: Which,
    officer: MaySeeRequests,
    here: Here,
    tx: ReadTx,
    only: Literal["", "unlooked", "once", "mine", "redacted", "withheld"] = "",
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
) -> dict[str, Any]:
    """The records of a request, and how far the review is."""
    return queued(here, tx, requests.get(here.store, tx, request), officer, only, after, limit)


def queued(
    here: Parts, tx: Tx, request: Request, officer: Officer, only: str, after: int, limit: int
) -> dict[str, Any]:
    """The queue, as programs read it."""
    store = here.store
    found = reviewing.queue(tx, request.id, only=only, mine=officer.id, after=after, limit=limit)
    people = _people(tx)
    held = records.read(store, tx, [one.key for one in found], messages=messages(officer), by=officer.id)
    known = {one.key: one for one in held}
    told = [
        {
            "record": str(known[one.key].id), "kind": known[one.key].kind, "state": one.state,
            "text": (known[one.key].version.text("text") or "")[:200],
            "assigned": people.get(one.looked.assigned) if one.looked.assigned else None,
            "looked": people.get(one.looked.first) if one.looked.first else None,
            "second": people.get(one.looked.second) if one.looked.second else None,
        }
        for one in found
        if one.key in known
    ]  # fmt: skip
    progress = showing.progress(
        reviewing.progress(tx, request.id), people, two_persons=reviewing.needs_two(tx, request.id)
    )
    return {
        "request": str(request.id), "number": request.number, "records": told,
        "next": found[-1].key if len(found) == limit else None, **progress,
    }  # fmt: skip


@router.get("/reviews/{request}/records/{record}")
def show_record(
    request: Which, record: Identity, officer: MaySeeRequests, here: Here, tx: ReadTx
) -> dict[str, Any]:
    """A record under review: its versions, what was decided of it, what is suggested."""
    store = here.store
    found = requests.get(store, tx, request)
    held = one(here, tx, record, officer)
    made = reviewing.of_record(store, tx, held.key)
    read = assembling.one(store, tx, held)
    looked = reviewing.looked(tx, found.id, [held.key]).get(held.key, Looked())
    return showing.reviewed(read, made, looked, suggested(here, tx, read, made), _people(tx))


def suggested(
    here: Parts, tx: Tx, read: Read, made: Sequence[reviewing.Standing]
) -> dict[int, list[Suggestion]]:
    """What might have to be taken out of a record: by its form, by the agency's lists, by what was taken out of others."""
    own = lists.read(here.settings.request_laws_folder())
    return reviewing.suggestions(
        here.store, read, made, minors=own.minors, dictionaries=own.dictionaries,
        earlier=reviewing.earlier(here.store, tx, read.record.key),
    )  # fmt: skip


@router.post("/reviews/{request}/records/{record}/redactions", status_code=201)
def redact(
    request: Which, record: Identity, officer: MayRequest, here: Here, asked: NewRedaction
) -> dict[str, Any]:
    """Take something out of every rendition of a record, or keep it back whole."""
    store, why = here.store, reason(asked.why)
    if asked.region is not None and asked.attachment is not None:
        tried(here, request, record, officer, Region(asked.attachment, *asked.region), asked.exemption)
    with store.database.begin() as tx:
        found, held = requests.get(store, tx, request), one(here, tx, record, officer)
        made = reviewing.redact(
            store, tx, found, held, asked.where(held.version.number), asked.exemption, explanation=asked.explanation,
            only_here=asked.only_here, by=officer, why=why,
        )  # fmt: skip
        listed = reviewing.grounds(found, asked.exemption).listed
        return {**showing.standing(made, _people(tx)), "listed": listed}


def tried(here: Parts, which: str, record: UUID, officer: Officer, where: Region, code: str) -> None:
    """Try a region before it is decided, outside any transaction: opening a stranger's file may take a minute."""
    with here.store.database.read() as tx:
        requests.must_be_open(requests.get(here.store, tx, which))
        held = one(here, tx, record, officer)
    trying.region(here.store, held, where, code)


@router.post("/reviews/{request}/records/{record}/kept", status_code=201)
def keep(
    request: Which, record: Identity, officer: MayRequest, here: Here, tx: RequestTx, asked: Kept
) -> dict[str, Any]:
    """Let words or a field stay that were suggested to be taken out, or are taken out of other records."""
    found, held = requests.get(here.store, tx, request), one(here, tx, record, officer)
    where = asked.where(held.version.number)
    made = reviewing.keep_words(here.store, tx, found, held, where, by=officer, why=reason(asked.why))
    return showing.standing(made, _people(tx))


@router.post("/reviews/{request}/records/{record}/attachments/{attachment}/leaves", status_code=201)
def let_leave(
    request: Which, record: Identity, attachment: UUID, officer: MayRequest, here: Here, tx: RequestTx, asked: Reason
) -> dict[str, Any]:  # fmt: skip
    """Decide that an attachment leaves whole although something else of its record does not."""
    found, held = requests.get(here.store, tx, request), one(here, tx, record, officer)
    made = reviewing.let_leave(here.store, tx, found, held, attachment, by=officer, why=reason(asked.why))
    return showing.standing(made, _people(tx))


@router.post("/redactions/{redaction}/retract")
def retract(redaction: UUID, officer: MayRequest, here: Here, tx: RequestTx, asked: Reason) -> dict[str, Any]:
    """Take a redaction or decision back."""
    entry = reviewing.retract(here.store, tx, redaction, by=officer, why=reason(asked.why))
    return {"id": str(redaction), "entry": entry}


@router.post("/redactions/{redaction}/approve")
def approve(redaction: UUID, officer: MayRequest, here: Here, tx: RequestTx, asked: Reason) -> dict[str, Any]:
    """Approve somebody else's redaction, as a second person."""
    entry = reviewing.approve(here.store, tx, redaction, by=officer, why=reason(asked.why))
    return {"id": str(redaction), "entry": entry}


@router.post("/reviews/{request}/looked")
def look(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Marked) -> dict[str, Any]:
    """Say that you looked through records."""
    found = requests.get(here.store, tx, request)
    keys = marked(here, tx, found, asked, officer)
    first, second = reviewing.look(here.store, tx, found, keys, by=officer, why=reason(asked.why))
    return {"looked": first, "second": second}


@router.post("/reviews/{request}/assigned")
def assign(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Assignment
) -> dict[str, Any]:
    """Give records to somebody to look through."""
    found = requests.get(here.store, tx, request)
    keys = marked(here, tx, found, asked, officer)
    to = officers.find(tx, asked.to)
    number = reviewing.assign(here.store, tx, found, keys, to, by=officer, why=reason(asked.why))
    return {"assigned": number, "to": to.email}


@router.post("/reviews/{request}/rule")
def rule(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Rule) -> dict[str, Any]:
    """Ask for a second person's approval of whatever is taken out, or no more."""
    found = requests.get(here.store, tx, request)
    entry = reviewing.ask_for_two(here.store, tx, found, asked.two_persons, by=officer, why=reason(asked.why))
    return {"id": str(found.id), "two_persons": asked.two_persons, "entry": entry}


def marked(here: Parts, tx: Tx, request: Request, asked: Marked, officer: Officer) -> Sequence[int]:
    """The keys of the records that are meant."""
    if asked.all == bool(asked.records):
        raise Invalid("name the records, or say all", next="One of both.")
    if asked.all:
        return selecting.of(tx, request.id)
    return [one(here, tx, named, officer).key for named in asked.records]


def one(here: Parts, tx: Tx, identity: UUID, officer: Officer) -> Record:
    """A record that is there, or `NoSuchRecord`."""
    return records.there(here.store, tx, identity, messages=messages(officer), by=officer.id)


def _people(tx: Tx) -> dict[UUID, str]:
    return officers.emails(tx)

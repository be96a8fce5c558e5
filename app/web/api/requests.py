"""Requests for records, over the API: open them, read what is due, extend, toll, charge, deny, close; letters and the log."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Query, Response, UploadFile
from pydantic import BaseModel, Field

from app import officers
from app.capture import deeds
from app.db import Tx
from app.disclosure import fees, intake, known, letters, log, moving, opening, papers, requests
from app.disclosure.intake import Read
from app.disclosure.known import Laws
from app.disclosure.law import WORK
from app.disclosure.papers import MOST_BYTES, Paper
from app.disclosure.requests import READERS, REVIEWING, SELECTING, WORKERS, Request
from app.holds import requests as holding
from app.records.errors import Invalid
from app.records.nouns import Officer
from app.store import access
from app.web import paging
from app.web.forms import reason
from app.web.paging import Cursor, Limit
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import Holding

router = APIRouter(tags=["requests"])
MayRequest = Annotated[Officer, Depends(Holding(*WORKERS))]
"""Opening requests and working on them."""
MaySeeRequests = Annotated[Officer, Depends(Holding(*READERS))]
"""Reading them."""
Which = Annotated[str, Path(max_length=40, description="The request's number (PD-2026-0001) or id.")]
Text = Annotated[str, Field(max_length=4_000)]
Short = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=opening.MOST_WORDS)]
Day = Annotated[str | None, Field(max_length=10)]
Moment = Annotated[str | None, Field(max_length=40)]
Cents = Annotated[int, Field(ge=0, le=fees.MOST_CENTS)]
OPEN = (SELECTING, REVIEWING)
BODY = MOST_BYTES + 1_000_000


class Reason(BaseModel):
    """Why."""

    why: Text


class NewRequest(BaseModel):
    """A request to be opened; whoever asks may stay unknown."""

    text: Words = ""
    received: Annotated[str, Field(max_length=40)] = ""
    name: Annotated[str, Field(alias="from", max_length=200)] = ""
    email: Short = ""
    address: Annotated[str, Field(max_length=2_000)] = ""
    law: Short = ""
    track: Short = ""
    channel: Literal["page", "letter", "mail", "email", "oral", "in_person", "api", "command_line"] = "api"
    postmarked: Moment = None
    complete: bool = True
    litigant: bool | None = None
    pages: Annotated[list[UUID], Field(max_length=1_000)] = []
    since: Day = None
    until: Day = None
    target: Day = None
    why: Text


class At(Reason):
    """When, now where nothing is said; and why."""

    at: Moment = None


class Extension(Reason):
    """By how much, and what the notice says."""

    until: Day = None
    reasons: Text = ""
    circumstance: Short = ""
    not_for_delay: bool = True
    deadline: Short = ""
    rule: Short = ""


class Toll(At):
    """On which ground, and until when."""

    reasons: Text = ""
    ground: Short = ""
    until: Day = None


class Resumption(At):
    """Which of several grounds has ended."""

    ground: Short = ""


class Question(At):
    """What the requester is asked."""

    question: Text


class Promise(Reason):
    """For which day, and which instalment."""

    reasons: Text = ""
    on: Annotated[str, Field(max_length=10)]
    number: Annotated[int, Field(ge=1, le=10_000)] = 1


class Instalment(Reason):
    """Which instalment was produced, and whether it was the last."""

    number: Annotated[int, Field(ge=0, le=10_000)] = 0
    last: bool = False


class Mark(At):
    """What happened for which no letter goes."""

    event: Literal[
        "complete",
        "routed",
        "determined",
        "ruling_asked",
        "clarification_answered",
        "fee_arranged",
        "produced",
    ]


class LitigantAnswer(Reason):
    """Whether the requester is a party to litigation with the agency."""

    litigant: bool


class Custodian(Reason):
    """Who answers it, by e-mail."""

    email: Short


class Time(Reason):
    """Time that was spent; below zero takes back what was wrong."""

    minutes: Annotated[int, Field(ge=-fees.MOST_MINUTES, le=fees.MOST_MINUTES)]
    work: Literal["search", "copying", "review", "redaction", "privilege_review", "other"] = "search"
    on: Day = None
    officer: Short = ""
    cents_an_hour: Annotated[int | None, Field(ge=0)] = None


class Fee(Reason):
    """A fee: estimated, told to the requester, paid or waived."""

    reasons: Text = ""
    act: Literal["estimate", "notice", "paid", "waived"]
    cents: Cents = 0
    copies: Cents = 0
    expected_minutes: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Answer(Reason):
    """Reasons, where they are others than why."""

    reasons: Text = ""


class Denial(Answer):
    """On which grounds, and by what delegation."""

    exemptions: Annotated[list[Short], Field(max_length=100)] = []
    grounds: Annotated[list[Text], Field(max_length=100)] = []
    delegation: Text = ""
    partly: bool = False


class NewAppeal(At):
    """What the appeal says."""

    words: Text = ""


class Decision(At):
    """How an appeal was decided."""

    decision: Literal["upheld", "reversed", "partly"]
    reasons: Text = ""


class Closing(Reason):
    """How it ended; left out: as the requester was told last."""

    reasons: Text = ""
    outcome: Literal[
        "", "produced", "partly", "denied", "no_records", "withdrawn", "abandoned", "discovery", "unstated"
    ] = ""


class LogAsked(Reason):
    """Which part of the log."""

    since: Annotated[str | None, Field(alias="from", max_length=10)] = None
    until: Annotated[str | None, Field(alias="to", max_length=10)] = None
    law: Short = ""
    everything: bool = False


def laws(here: Parts) -> Laws:
    """The public-records laws that the agency knows."""
    return known.of(here.settings.request_laws_folder())


# -- laws --------------------------------------------------------------------------------------------------


@router.get("/requests/laws")
def list_laws(_: MaySeeRequests, here: Here) -> dict[str, Any]:
    """The public-records laws that are known, with the edition that holds today."""
    found, today = laws(here), deeds.today(here.store)
    told = []
    for law in found.listed():
        rules = next((one for one in law.editions if one.holds_on(today)), None)
        told.append(
            {
                "law": law.name,
                "title": law.title,
                "authority": law.authority,
                "edition": rules.label if rules else None,
                "clock": None if rules is None else "none_statutory" if rules.no_clock else "statutory",
                "no_clock": rules.no_clock or None if rules else None,
                "tracks": dict(rules.known_tracks()) if rules else {},
                "exemptions": [
                    {"code": one.code, "title": one.title, "citation": one.citation, "explanation": one.explanation,
                     "verified": one.verified}
                    for one in law.exemptions
                ],
            }
        )  # fmt: skip
    return {"total": len(told), "own": found.get().name, "laws": told}


# -- opening and reading -----------------------------------------------------------------------------------


@router.get("/requests")
def list_requests(
    _: MaySeeRequests,
    here: Here,
    tx: ReadTx,
    state: Annotated[Literal["open", "selecting", "reviewing", "closed"] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The requests, the newest first, each with what is due."""
    states = () if state is None else OPEN if state == "open" else (state,)
    after = paging.number("request", cursor)
    found = requests.listed(here.store, tx, states=states, after=after, limit=limit + 1)
    today, of = deeds.today(here.store), laws(here)
    return {
        "total": requests.count(here.store, tx, states=states),
        "requests": [
            requests.in_short(one, requests.due(here.store, of, one), today) for one in found[:limit]
        ],
        "next": paging.cursor("request", found[limit - 1].key if len(found) > limit else None),
    }


@router.post("/requests", status_code=201)
def open_request(officer: MayRequest, here: Here, asked: NewRequest) -> dict[str, Any]:
    """Open a request; from now on nothing on its pages and dates is disposed of."""
    return told(here, opened(here, officer, asked))


@router.post("/requests/message", status_code=201, max_body_size=BODY)
def open_by_message(
    officer: MayRequest,
    here: Here,
    message: UploadFile,
    why: Annotated[str, Form(max_length=4_000)],
    law: Annotated[str, Form(max_length=200)] = "",
    received: Annotated[str, Form(max_length=40)] = "",
) -> dict[str, Any]:
    """Open a request from the e-mail in which it came (`.eml`); the message is kept whole, with its headers."""
    read = intake.read(message.file.read(MOST_BYTES + 1), message.filename or "message.eml")
    asked = NewRequest.model_validate({"law": law, "received": received, "why": why, "channel": "email"})
    return told(here, opened(here, officer, asked, read))


def opened(here: Parts, officer: Officer, asked: NewRequest, read: Read | None = None) -> Request:
    """Look for what it is about without a lock, then open it in one transaction."""
    why, zone = reason(asked.why), here.store.agency.zone()
    since, until = deeds.day(asked.since, "since"), deeds.day(asked.until, "until")
    with here.store.database.read() as tx:
        about = opening.pages_of(tx, [str(page) for page in asked.pages])
    found = holding.look_for_request(here.store, here.index, holding.scope_of(about, since, until))
    with here.store.database.begin() as tx:
        return opening.open(
            here.store,
            tx,
            laws(here),
            asked.text or (read.words if read else ""),
            received=_received(here, asked.received, read),
            law=asked.law,
            track=asked.track,
            name=asked.name or (read.name if read else ""),
            email=asked.email or (read.email if read else ""),
            address=asked.address,
            channel=asked.channel,
            litigant=asked.litigant,
            pages=about,
            since=since,
            until=until,
            target=deeds.day(asked.target, "the target"),
            complete=asked.complete,
            postmarked=opening.moment(asked.postmarked, zone, "the postmark") if asked.postmarked else None,
            enclosed=read.papers if read else (),
            message=read.message_id if read else "",
            found=found,
            by=officer,
            why=why,
        )


def _received(here: Parts, written: str, read: Read | None) -> datetime:
    if written.strip():
        return opening.moment(written, here.store.agency.zone())
    if read is not None and read.sent_at is not None and read.sent_at <= here.store.clock.now():
        return read.sent_at
    raise Invalid("nothing says when it was received", next="Say when: received.")


@router.get("/requests/{request}")
def show_request(request: Which, officer: MaySeeRequests, here: Here, tx: RequestTx) -> dict[str, Any]:
    """A request with everything that stands in it, and what is due."""
    found = requests.get(here.store, tx, request)
    viewed(here, tx, found, officer)
    return _whole(here, tx, found)


def viewed(here: Parts, tx: Tx, request: Request, officer: Officer, paper: UUID | None = None) -> None:
    """Leave a trace of who read a request, or a paper of it."""
    detail = {"request": request.id.hex, **({"paper": paper.hex} if paper else {})}
    access.note(here.store, tx, "view", by=officer.id, detail=detail)


@router.get("/requests/{request}/history")
def request_history(request: Which, _: MaySeeRequests, here: Here, tx: ReadTx) -> dict[str, Any]:
    """Everything that was done on a request, oldest first."""
    found = requests.history(here.store, tx, requests.get(here.store, tx, request))
    people = officers.emails(tx)
    done = [
        {
            "act": one.text("act"),
            "at": one.at.isoformat(),
            "by": people.get(one.by) if one.by else None,
            "why": one.why,
            "entry": one.entry,
        }
        for one in found
    ]
    return {"total": len(done), "acts": done}


@router.get("/requests/{request}/papers/{paper}")
def request_paper(
    request: Which, paper: UUID, officer: MaySeeRequests, here: Here, tx: RequestTx
) -> Response:
    """A paper of a request, as the bytes that were kept."""
    now = requests.get(here.store, tx, request)
    found = papers.get(here.store, tx, now, paper)
    viewed(here, tx, now, officer, paper)
    return handed(found, papers.content(here.store, tx, found))


def handed(paper: Paper, content: bytes) -> Response:
    """A paper as a file to be saved: what a stranger sent is never shown by a browser."""
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{paper.kind}-{paper.id}"'},
    )


# -- what happens to it ------------------------------------------------------------------------------------


@router.post("/requests/{request}/acknowledge")
def acknowledge(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: At) -> dict[str, Any]:
    """Acknowledge receipt."""
    now, at = requests.get(here.store, tx, request), when(here, asked.at)
    made = moving.acknowledge(here.store, tx, laws(here), now, at=at, by=officer, why=reason(asked.why))
    return _whole(here, tx, made)


@router.post("/requests/{request}/extend")
def extend(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Extension
) -> dict[str, Any]:
    """Extend a deadline, as the law allows it, with the notice that it demands."""
    made = moving.extend(
        here.store, tx, laws(here), requests.get(here.store, tx, request), reasons=asked.reasons,
        circumstance=asked.circumstance, not_for_delay=asked.not_for_delay, deadline=asked.deadline, rule=asked.rule,
        until=deeds.day(asked.until, "until"), by=officer, why=reason(asked.why),
    )  # fmt: skip
    return _whole(here, tx, made)


@router.post("/requests/{request}/toll")
def toll(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Toll) -> dict[str, Any]:
    """Stop its clocks on a ground that the law knows."""
    made = moving.toll(
        here.store, tx, laws(here), requests.get(here.store, tx, request), ground=asked.ground,
        until=deeds.day(asked.until, "until"), reasons=asked.reasons, at=when(here, asked.at), by=officer, why=reason(asked.why),
    )  # fmt: skip
    return _whole(here, tx, made)


@router.post("/requests/{request}/resume")
def resume(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Resumption
) -> dict[str, Any]:
    """Let its clocks go on."""
    now, at = requests.get(here.store, tx, request), when(here, asked.at)
    made = moving.resume(here.store, tx, now, ground=asked.ground, at=at, by=officer, why=reason(asked.why))
    return _whole(here, tx, made)


@router.post("/requests/{request}/ask")
def ask(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Question) -> dict[str, Any]:
    """Ask the requester what is meant."""
    made = moving.ask(
        here.store, tx, laws(here), requests.get(here.store, tx, request), asked.question, at=when(here, asked.at),
        by=officer, why=reason(asked.why),
    )  # fmt: skip
    return _whole(here, tx, made)


@router.post("/requests/{request}/promise")
def promise(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Promise) -> dict[str, Any]:
    """Promise the answer, or an instalment, for a day."""
    on = deeds.day(asked.on, "on")
    if on is None:
        raise Invalid("nothing says for which day", next="Say which: on.")
    made = moving.promise(
        here.store, tx, laws(here), requests.get(here.store, tx, request), on, number=asked.number, reasons=asked.reasons, by=officer,
        why=reason(asked.why),
    )  # fmt: skip
    return _whole(here, tx, made)


@router.post("/requests/{request}/instalment")
def instalment(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Instalment
) -> dict[str, Any]:
    """Write down that an instalment was produced."""
    now = requests.get(here.store, tx, request)
    made = moving.instalment(
        here.store, tx, now, number=asked.number, last=asked.last, by=officer, why=reason(asked.why)
    )
    return _whole(here, tx, made)


@router.post("/requests/{request}/mark")
def mark(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Mark) -> dict[str, Any]:
    """Write down what happened for which no letter goes."""
    now, at = requests.get(here.store, tx, request), when(here, asked.at)
    return _whole(
        here, tx, moving.mark(here.store, tx, now, asked.event, at=at, by=officer, why=reason(asked.why))
    )


@router.post("/requests/{request}/litigant")
def litigant(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: LitigantAnswer
) -> dict[str, Any]:
    """Say whether the requester is a party to litigation with the agency."""
    now = requests.get(here.store, tx, request)
    made = moving.answer_litigant(
        here.store, tx, now, litigant=asked.litigant, by=officer, why=reason(asked.why)
    )
    return _whole(here, tx, made)


@router.post("/requests/{request}/assign")
def assign(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Custodian
) -> dict[str, Any]:
    """Say who answers it."""
    now = requests.get(here.store, tx, request)
    return _whole(
        here, tx, moving.assign(here.store, tx, now, asked.email, by=officer, why=reason(asked.why))
    )


@router.post("/requests/{request}/time")
def spend(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Time) -> dict[str, Any]:
    """Write down time that was spent on it."""
    assert asked.work in WORK, "the model knows the same words"
    made = fees.spend(
        here.store, tx, requests.get(here.store, tx, request), asked.minutes, asked.work,
        on=deeds.day(asked.on, "on"), officer=officers.find(tx, asked.officer) if asked.officer else None,
        cents_an_hour=asked.cents_an_hour, by=officer, why=reason(asked.why),
    )  # fmt: skip
    return _whole(here, tx, made)


@router.post("/requests/{request}/fee")
def fee(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Fee) -> dict[str, Any]:
    """Estimate a fee, tell the requester of it, write down that it was paid, or waive it."""
    now, why = requests.get(here.store, tx, request), reason(asked.why)
    match asked.act:
        case "estimate":
            made = fees.estimate(here.store, tx, now, asked.cents, by=officer, why=why)
        case "notice":
            made = fees.notify(
                here.store, tx, laws(here), now, asked.cents, copies=asked.copies,
                expected_minutes=asked.expected_minutes, reasons=asked.reasons, by=officer, why=why,
            )  # fmt: skip
        case "paid":
            made = fees.paid(here.store, tx, now, asked.cents, by=officer, why=why)
        case _:
            made = fees.waive(here.store, tx, now, asked.cents, by=officer, why=why)
    return _whole(here, tx, made)


@router.post("/requests/{request}/no-records")
def no_records(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Answer
) -> dict[str, Any]:
    """Tell the requester that there are no such records."""
    now = requests.get(here.store, tx, request)
    made = moving.no_records(
        here.store, tx, laws(here), now, reasons=asked.reasons, by=officer, why=reason(asked.why)
    )
    return _whole(here, tx, made)


@router.post("/requests/{request}/deny")
def deny(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Denial) -> dict[str, Any]:
    """Deny it, in whole or in part, on grounds of its law."""
    made = moving.deny(
        here.store, tx, laws(here), requests.get(here.store, tx, request), exemptions=asked.exemptions,
        grounds=asked.grounds, reasons=asked.reasons, delegation=asked.delegation, partly=asked.partly, by=officer,
        why=reason(asked.why),
    )  # fmt: skip
    return _whole(here, tx, made)


@router.post("/requests/{request}/appeal")
def appeal(
    request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: NewAppeal
) -> dict[str, Any]:
    """Take down that an appeal was received."""
    now, at = requests.get(here.store, tx, request), when(here, asked.at)
    made = moving.appeal(
        here.store, tx, laws(here), now, words=asked.words, at=at, by=officer, why=reason(asked.why)
    )
    return _whole(here, tx, made)


@router.post("/requests/{request}/decide")
def decide(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Decision) -> dict[str, Any]:
    """Take down how an appeal was decided."""
    made = moving.decide_appeal(
        here.store, tx, laws(here), requests.get(here.store, tx, request), asked.decision, reasons=asked.reasons,
        at=when(here, asked.at), by=officer, why=reason(asked.why),
    )  # fmt: skip
    return _whole(here, tx, made)


@router.post("/requests/{request}/close")
def close(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Closing) -> dict[str, Any]:
    """Close it."""
    now = requests.get(here.store, tx, request)
    made = moving.close(
        here.store,
        tx,
        laws(here),
        now,
        outcome=asked.outcome,
        reasons=asked.reasons,
        by=officer,
        why=reason(asked.why),
    )
    return _whole(here, tx, made)


@router.post("/requests/{request}/reopen")
def reopen(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Answer) -> dict[str, Any]:
    """Open it again, where the law has it."""
    now = requests.get(here.store, tx, request)
    return _whole(
        here,
        tx,
        moving.reopen(
            here.store, tx, laws(here), now, reasons=asked.reasons, by=officer, why=reason(asked.why)
        ),
    )


@router.post("/requests/{request}/let-go")
def let_go(request: Which, officer: MayRequest, here: Here, tx: RequestTx, asked: Reason) -> dict[str, Any]:
    """Let go of what is held for it."""
    now = requests.get(here.store, tx, request)
    return _whole(here, tx, moving.let_go(here.store, tx, laws(here), now, by=officer, why=reason(asked.why)))


@router.post("/requests/{request}/papers/{paper}/send")
def send(request: Which, paper: UUID, officer: MayRequest, here: Here, asked: Reason) -> dict[str, Any]:
    """Send a letter to the requester by e-mail."""
    why = reason(asked.why)
    with here.store.database.read() as tx:
        now = requests.get(here.store, tx, request)
        found = papers.get(here.store, tx, now, paper)
    entry = letters.send(here.store, here.mailer, now, found, by=officer, why=why)
    return {"sent": str(found.id), "to": now.email, "entry": entry}


@router.post("/request-log")
def export_log(officer: MaySeeRequests, here: Here, tx: RequestTx, asked: LogAsked) -> Response:
    """The request log as CSV, with the columns that the law names."""
    content = log.as_csv(
        here.store, tx, since=deeds.day(asked.since, "from"), until=deeds.day(asked.until, "to"), law=asked.law,
        everything=asked.everything, by=officer, why=reason(asked.why),
    )  # fmt: skip
    return csv_answer(content)


def csv_answer(content: bytes) -> Response:
    """The log as a file."""
    headers = {"Content-Disposition": 'attachment; filename="request-log.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def when(here: Parts, written: str | None) -> datetime | None:
    """When it happened, where somebody said so."""
    return opening.moment(written, here.store.agency.zone(), "at") if written else None


def told(here: Parts, request: Request) -> dict[str, Any]:
    """A request as it stands, read anew."""
    with here.store.database.read() as tx:
        return _whole(here, tx, requests.get(here.store, tx, str(request.id)))


def _whole(here: Parts, tx: Tx, request: Request) -> dict[str, Any]:
    people = officers.emails(tx)
    dues = requests.due(here.store, laws(here), request)
    value = requests.as_json(request, dues, deeds.today(here.store), people)
    value["fees"] = fees.as_json(tx, request)
    value["papers"] = [papers.as_json(one) for one in papers.listed(here.store, tx, request)]
    return value

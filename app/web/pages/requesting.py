"""Requests for records, for people: the list with its clocks, opening one, a request with everything due on it, the log."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from app import officers
from app.capture import deeds, pages
from app.db import Tx
from app.disclosure import clock, fees, intake, letters, log, moving, opening, papers, requests
from app.disclosure.law import EVENTS, WORK
from app.disclosure.requests import OUTCOMES, STATES, WORKERS
from app.holds import requests as holding
from app.records.errors import ArchiveError, Invalid
from app.records.nouns import Officer, Role
from app.web.api import requests as api
from app.web.api.requests import BODY, MayRequest, MaySeeRequests, NewRequest, laws
from app.web.forms import Posted, reason
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx, RequestTx

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=4_000)]
Words = Annotated[str, Form(max_length=opening.MOST_WORDS)]
Several = Annotated[list[str], Form()]
_A_PAGE = 50
STANDINGS = {
    "met": "Met",
    "met late": "Met late",
    "waiting": "Waiting",
    "on track": "On track",
    "near": "Due soon",
    "overdue": "Overdue",
    "target passed": "Target passed",
}
GLYPHS = {
    "met": "✓",
    "met late": "✓",
    "waiting": "‖",
    "on track": "●",
    "near": "▲",
    "overdue": "■",
    "target passed": "◆",
}
"""Beside colour and word, so that nobody needs to see colours."""
SHADES = {
    "met": "present",
    "met late": "hidden",
    "waiting": "unknown",
    "on track": "present",
    "near": "hidden",
    "overdue": "gone",
    "target passed": "hidden",
}


# -- the list ----------------------------------------------------------------------------------------------


@router.get("/requests")
def list_requests(
    request: Request,
    officer: MaySeeRequests,
    here: Here,
    tx: ReadTx,
    state: Annotated[str, Query(pattern="^(open|closed|all)$")] = "open",
    cursor: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """The requests, the open ones first; each with what is due next."""
    states = {"open": api.OPEN, "closed": ("closed",), "all": ()}[state]
    found = requests.listed(here.store, tx, states=states, after=cursor, limit=_A_PAGE + 1)
    of = laws(here)
    dues = {one.id: requests.due(here.store, of, one) for one in found}
    return show(
        request,
        "requests.html",
        found=found[:_A_PAGE],
        dues=dues,
        next_due=requests.next_due,
        today=deeds.today(here.store),
        total=requests.count(here.store, tx, states=states),
        state=state,
        next=found[_A_PAGE - 1].key if len(found) > _A_PAGE else None,
        may_open=officer.may(*WORKERS),
        own=of.get(),
        **_words(),
    )


# -- opening -----------------------------------------------------------------------------------------------


@router.get("/requests/open")
def open_form(request: Request, officer: MayRequest, here: Here) -> Response:
    """Where a request is taken down."""
    del officer
    return _form(request, here, NewRequest.model_validate({"why": ""}))


@router.post("/requests/open", dependencies=[Posted], max_body_size=BODY)
def open_request(
    request: Request,
    officer: MayRequest,
    here: Here,
    text: Words = "",
    name: Line = "",
    email: Line = "",
    address: Line = "",
    received: Line = "",
    law: Line = "",
    track: Line = "",
    channel: Line = "page",
    postmarked: Line = "",
    incomplete: Line = "",
    litigant: Line = "",
    page: Several = [],  # noqa: B006 - FastAPI copies it
    since: Line = "",
    until: Line = "",
    target: Line = "",
    message: UploadFile | None = None,
    why: Line = "",
) -> Response:
    """Open a request: from its words, or from the e-mail in which it came."""
    given: dict[str, Any] = {
        "text": text,
        "from": name,
        "email": email,
        "address": address,
        "received": received,
        "law": law,
        "track": track,
        "channel": channel,
        "postmarked": postmarked or None,
        "complete": incomplete != "yes",
        "litigant": {"yes": True, "no": False}.get(litigant),
        "pages": page,
        "since": since or None,
        "until": until or None,
        "target": target or None,
        "why": why,
    }
    held = message.file.read(papers.MOST_BYTES + 1) if message is not None else b""
    if held and channel == "page":
        given["channel"] = "email"
    asked = NewRequest.model_construct(**{**given, "name": name})  # as it was typed, to be shown again
    try:
        asked = NewRequest.model_validate(given)
        read = intake.read(held, (message.filename if message else None) or "message.eml") if held else None
        made = api.opened(here, officer, asked, read)
    except ValidationError as error:
        wrong = error.errors()[0]
        what = f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
        return _form(request, here, asked, Invalid(what, next="Correct it and send it again."))
    except ArchiveError as error:
        return _form(request, here, asked, error)
    return RedirectResponse(f"/requests/{made.number}", 303)


def _form(request: Request, here: Parts, asked: NewRequest, error: ArchiveError | None = None) -> Response:
    of = laws(here)
    today = deeds.today(here.store)
    with here.store.database.read() as tx:
        listed = pages.listed(tx)
    tracks = {
        track: f"{says} ({law.title})"
        for law in of.listed()
        for one in law.editions
        if one.holds_on(today)
        for track, says in one.tracks.items()
    }
    return show(
        request,
        "request-open.html",
        status_code=status_of(error) if error else 200,
        asked=asked,
        pages=listed,
        laws=of.listed(),
        own=of.get(),
        tracks=tracks,
        channels=CHANNELS,
        error=error,
    )


CHANNELS = {
    "page": "handed in or told here",
    "letter": "by letter, with proof of receipt",
    "mail": "by post, without proof of receipt",
    "email": "by e-mail",
    "oral": "by word of mouth",
    "in_person": "in person, in writing",
}


# -- the log -----------------------------------------------------------------------------------------------


@router.get("/requests/log")
def show_log(request: Request, officer: MaySeeRequests, here: Here, tx: ReadTx) -> Response:
    """The log as the law wants it, to be looked at before it leaves."""
    heads, lines = log.rows(here.store, tx, by=officer)
    return show(request, "request-log.html", heads=heads, lines=lines[-200:], total=len(lines), error=None)


@router.post("/requests/log", dependencies=[Posted])
def export_log(
    request: Request,
    officer: MaySeeRequests,
    here: Here,
    since: Annotated[str, Form(alias="from", max_length=10)] = "",
    until: Annotated[str, Form(alias="to", max_length=10)] = "",
    everything: Line = "",
    why: Line = "",
) -> Response:
    """The log as CSV."""
    try:
        with here.store.database.begin() as tx:
            content = log.as_csv(
                here.store, tx, since=deeds.day(since, "the first day"), until=deeds.day(until, "the last day"),
                everything=everything == "yes", by=officer, why=reason(why),
            )  # fmt: skip
    except ArchiveError as error:
        with here.store.database.read() as tx:
            heads, lines = log.rows(here.store, tx, by=officer)
        return show(
            request, "request-log.html", status_code=status_of(error), heads=heads, lines=lines[-200:], total=len(lines), error=error
        )  # fmt: skip
    return api.csv_answer(content)


# -- one of them -------------------------------------------------------------------------------------------


@router.get("/requests/{which}")
def show_request(request: Request, which: str, officer: MaySeeRequests, here: Here) -> Response:
    """A request with its clocks, its letters, its time and fees, and what was done."""
    with here.store.database.begin() as tx:
        api.viewed(here, tx, requests.get(here.store, tx, which), officer)
    return _request(request, here, which, officer)


@router.get("/requests/{which}/papers/{paper}")
def take_paper(which: str, paper: UUID, officer: MaySeeRequests, here: Here, tx: RequestTx) -> Response:
    """A paper: letters are shown as plain text, what strangers sent is only handed on."""
    now = requests.get(here.store, tx, which)
    found = papers.get(here.store, tx, now, paper)
    api.viewed(here, tx, now, officer, paper)
    content = papers.content(here.store, tx, found)
    if found.kind == papers.LETTER:
        return Response(content, media_type="text/plain; charset=utf-8")
    return api.handed(found, content)


@router.post("/requests/{which}/papers/{paper}/send", dependencies=[Posted])
def send_letter(
    request: Request, which: str, paper: UUID, officer: MayRequest, here: Here, why: Line = ""
) -> Response:
    """Send a letter by e-mail."""
    try:
        said = reason(why)
        with here.store.database.read() as tx:
            now = requests.get(here.store, tx, which)
            found = papers.get(here.store, tx, now, paper)
        letters.send(here.store, here.mailer, now, found, by=officer, why=said)
    except ArchiveError as error:
        return _request(request, here, which, officer, error)
    return RedirectResponse(f"/requests/{which}", 303)


@router.post("/requests/{which}/{act}", dependencies=[Posted])
def change_request(
    request: Request,
    which: str,
    act: str,
    officer: MayRequest,
    here: Here,
    at: Line = "",
    until: Line = "",
    on: Line = "",
    code: Line = "",
    words: Line = "",
    circumstance: Line = "",
    not_for_delay: Line = "",
    number: Line = "",
    amount: Line = "",
    copies: Line = "",
    hours: Line = "",
    work: Line = "search",
    rate: Line = "",
    exemption: Several = [],  # noqa: B006 - FastAPI copies it
    delegation: Line = "",
    partly: Line = "",
    last: Line = "",
    email: Line = "",
    answer: Line = "",
    why: Line = "",
) -> Response:
    """One act on a request, as the button says."""
    store, of = here.store, laws(here)
    given = {
        "at": at, "until": until, "on": on, "code": code, "words": words, "circumstance": circumstance, "number": number,
        "amount": amount, "copies": copies, "hours": hours, "work": work, "rate": rate, "exemption": exemption,
        "delegation": delegation, "partly": partly, "last": last, "answer": answer, "why": why,
    }  # fmt: skip
    try:
        said, moment = reason(why), api.when(here, at)
        with store.database.begin() as tx:
            now = requests.get(store, tx, which)
            match act:
                case "acknowledge":
                    moving.acknowledge(store, tx, of, now, at=moment, by=officer, why=said)
                case "extend":
                    moving.extend(
                        store, tx, of, now, reasons=words, circumstance=circumstance,
                        not_for_delay=not_for_delay == "yes", until=deeds.day(until, "the day"), by=officer, why=said,
                    )  # fmt: skip
                case "toll":
                    moving.toll(
                        store, tx, of, now, ground=code, until=deeds.day(until, "the day"), reasons=words, at=moment, by=officer, why=said
                    )  # fmt: skip
                case "resume":
                    moving.resume(store, tx, now, ground=code, at=moment, by=officer, why=said)
                case "ask":
                    moving.ask(store, tx, of, now, words, at=moment, by=officer, why=said)
                case "promise":
                    day = deeds.day(on, "the day")
                    if day is None:
                        raise Invalid("nothing says for which day", next="Give the day.")
                    moving.promise(
                        store, tx, of, now, day, number=_number(number), reasons=words, by=officer, why=said
                    )
                case "instalment":
                    moving.instalment(store, tx, now, last=last == "yes", by=officer, why=said)
                case "mark":
                    moving.mark(store, tx, now, code, at=moment, by=officer, why=said)
                case "litigant":
                    moving.answer_litigant(store, tx, now, litigant=answer == "yes", by=officer, why=said)
                case "assign":
                    moving.assign(store, tx, now, email, by=officer, why=said)
                case "time":
                    fees.spend(
                        store, tx, now, round(_decimal(hours, "hours") * 60), work, on=deeds.day(on, "the day"),
                        cents_an_hour=_cents(rate) if rate.strip() else None, by=officer, why=said,
                    )  # fmt: skip
                case "fee-notice":
                    fees.notify(
                        store, tx, of, now, _cents(amount), copies=_cents(copies) if copies.strip() else 0,
                        expected_minutes=round(_decimal(hours, "hours") * 60) if hours.strip() else 0, reasons=words, by=officer, why=said,
                    )  # fmt: skip
                case "fee-paid":
                    fees.paid(store, tx, now, _cents(amount), by=officer, why=said)
                case "fee-waived":
                    fees.waive(store, tx, now, _cents(amount) if amount.strip() else 0, by=officer, why=said)
                case "no-records":
                    moving.no_records(store, tx, of, now, reasons=words, by=officer, why=said)
                case "deny":
                    moving.deny(
                        store, tx, of, now, exemptions=exemption, grounds=[code] if code.strip() else [],
                        reasons=words, delegation=delegation, partly=partly == "yes", by=officer, why=said,
                    )  # fmt: skip
                case "appeal":
                    moving.appeal(store, tx, of, now, words=words, at=moment, by=officer, why=said)
                case "decide":
                    moving.decide_appeal(
                        store, tx, of, now, answer, reasons=words, at=moment, by=officer, why=said
                    )
                case "close":
                    moving.close(store, tx, of, now, outcome=answer, reasons=words, by=officer, why=said)
                case "reopen":
                    moving.reopen(store, tx, of, now, reasons=words, by=officer, why=said)
                case "let-go":
                    moving.let_go(store, tx, of, now, by=officer, why=said)
                case _:
                    raise Invalid(
                        f"{act[:40]!r} is nothing that is done with a request", next="Load the page again."
                    )
    except ArchiveError as error:
        return _request(request, here, which, officer, error, act, given)
    return RedirectResponse(f"/requests/{which}", 303)


def _request(
    request: Request,
    here: Parts,
    which: str,
    officer: Officer,
    error: ArchiveError | None = None,
    tried: str = "",
    given: Mapping[str, str | Sequence[str]] = MappingProxyType({}),
) -> Response:
    """The page of a request; after a refusal with what was `given` for the act that was `tried`, so that nothing is typed twice."""
    with here.store.database.read() as tx:
        told = _told(here, tx, which, officer)
    status = 200 if error is None else status_of(error)
    return show(request, "request.html", status_code=status, error=error, tried=tried, given=given, **told)


def _told(here: Parts, tx: Tx, which: str, officer: Officer) -> dict[str, Any]:
    store, of = here.store, laws(here)
    found, today = requests.get(store, tx, which), deeds.today(store)
    people = officers.emails(tx)
    known = {page.id: page for page in pages.listed(tx)}
    return {
        "one": found,
        "dues": requests.due(store, of, found),
        "today": today,
        "people": people,
        "workers": [
            one.email for one in officers.list_all(tx) if one.may(Role.RECORDS_OFFICER, Role.ATTORNEY)
        ],
        "known": known,
        "papers": papers.listed(store, tx, found),
        "history": requests.history(store, tx, found),
        "reckoned": fees.reckoned(tx, found),
        "account": fees.account(tx, found),
        "spent": fees.spent(tx, [found.key]),
        "money": fees.money,
        "standing_still": clock.standing_still(found.rules, found.happened, store.agency.zone(), today),
        "kept_until": requests.kept_until(store, of, found),
        "since_selecting": requests.selecting_since(found),
        "under_appeal": requests.under_appeal(found),
        "won": requests.won(found),
        "held": [one.id for one in holding.of_request(store, tx, found.id)],
        "may_work": officer.may(*WORKERS),
        "EVENTS": EVENTS,
        "WORK": WORK,
        "may_mark": moving.may_mark(found),
        "DECISIONS": moving.DECISIONS,
        **_words(),
    }


def _words() -> dict[str, Any]:
    return {
        "REQUEST_STATES": STATES,
        "OUTCOMES": OUTCOMES,
        "STANDINGS": STANDINGS,
        "GLYPHS": GLYPHS,
        "SHADES": SHADES,
    }


def _number(written: str) -> int:
    if written.strip() and not (written.strip().isdecimal() and len(written.strip()) < 6):
        raise Invalid(f"{written[:20]!r} is no number of an instalment", next="Count from 1.")
    return int(written.strip() or 1)


def _decimal(written: str, what: str) -> float:
    try:
        found = float(written.strip().lstrip("$").replace(",", ""))
    except ValueError as error:
        raise Invalid(f"{what} {written[:20]!r} is no number", next="Write it as 2.5.") from error
    if not -1e9 < found < 1e9:
        raise Invalid(f"{what} {written[:20]!r} is no number", next="Write it as 2.5.")
    return found


def _cents(written: str) -> int:
    return round(_decimal(written, "the amount") * 100)

"""The people of the registry, for people: managers, statements, the agency's policy, and two registers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app import officers
from app.capture import approvals, deeds, introductions, pages, people, policy, registers
from app.db import Tx
from app.records.errors import Invalid
from app.records.nouns import Page
from app.web.api.registry import linkable, who
from app.web.forms import Posted, reason
from app.web.parts import Here
from app.web.showing import show
from app.web.transactions import ReadTx, RequestTx
from app.web.who import (
    MayAnswerReports,
    MayDecidePages,
    MayEnter,
    MayManagePeople,
    MaySeeAuthorisations,
    MaySeeReports,
    messages,
)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=2_000)]
Lines = Annotated[str, Form(max_length=20_000)]


# -- a page's managers and statements ----------------------------------------------------------------------


@router.post("/pages/{page}/managers", dependencies=[Posted])
def add_manager(
    page: UUID,
    officer: MayDecidePages,
    here: Here,
    tx: RequestTx,
    email: Line = "",
    known_as: Line = "",
    until: Line = "",
    why: Line = "",
) -> Response:
    """Authorise somebody to manage a page."""
    found, last = pages.get(tx, str(page)), deeds.day(until, "the last day")
    people.authorise(
        here.store, tx, found, email, known_as=known_as, until=last, by=officer.id, why=reason(why)
    )
    return RedirectResponse(f"/pages/{page}#managers", 303)


@router.post("/pages/{page}/managers/end", dependencies=[Posted])
def end_manager(
    page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, email: Line = "", why: Line = ""
) -> Response:
    """End somebody's authorisation."""
    people.end(here.store, tx, pages.get(tx, str(page)), email, by=officer.id, why=reason(why))
    return RedirectResponse(f"/pages/{page}#managers", 303)


@router.post("/pages/{page}/statements/check", dependencies=[Posted])
def check_statements(page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx) -> Response:
    """Look now, rather than at night."""
    found = pages.get(tx, str(page))
    introductions.check(here.store, tx, found, by=officer.id, why="looked for on request")
    return RedirectResponse(f"/pages/{page}#statements", 303)


@router.post("/pages/{page}/statements/mark", dependencies=[Posted])
def mark_statement(
    page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, statement: Line = "", why: Line = ""
) -> Response:
    """Mark a statement as present."""
    found = pages.get(tx, str(page))
    introductions.mark(here.store, tx, found, statement, by=officer.id, why=reason(why))
    return RedirectResponse(f"/pages/{page}#statements", 303)


@router.post("/pages/{page}/statements/unmark", dependencies=[Posted])
def unmark_statement(
    page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, statement: Line = "", why: Line = ""
) -> Response:
    """Take a mark back."""
    found = pages.get(tx, str(page))
    introductions.unmark(here.store, tx, found, statement, by=officer.id, why=reason(why))
    return RedirectResponse(f"/pages/{page}#statements", 303)


# -- the agency's policy -----------------------------------------------------------------------------------


@router.get("/policy")
def show_policy(request: Request, _: MayEnter, here: Here, tx: ReadTx) -> Response:
    """What the agency's policy asks, who the chief is, and to whom approval was delegated."""
    return show(
        request,
        "registry-policy.html",
        asked=approvals.of_agency(tx),
        profiles=[policy.named(name) for name in policy.names()],
        chief=approvals.chief(tx),
        delegations=approvals.listed(here.store, tx),
        today=deeds.today(here.store),
        who=who(tx),
    )


@router.post("/policy/use", dependencies=[Posted])
def use_policy(
    officer: MayManagePeople, here: Here, tx: RequestTx, name: Line = "", why: Line = ""
) -> Response:
    """Choose the profile that the agency follows."""
    approvals.use(here.store, tx, name, by=officer.id, why=reason(why))
    return RedirectResponse("/policy", 303)


@router.post("/policy/chief", dependencies=[Posted])
def name_chief(
    officer: MayManagePeople, here: Here, tx: RequestTx, email: Line = "", why: Line = ""
) -> Response:
    """Say whose account is the chief's."""
    approvals.name_chief(here.store, tx, officers.find(tx, email), by=officer.id, why=reason(why))
    return RedirectResponse("/policy", 303)


@router.post("/policy/delegate", dependencies=[Posted])
def delegate(
    officer: MayDecidePages,
    here: Here,
    tx: RequestTx,
    email: Line = "",
    instrument: Lines = "",
    since: Line = "",
    until: Line = "",
    why: Line = "",
) -> Response:
    """Record that the chief lets somebody approve pages."""
    approvals.delegate(
        here.store,
        tx,
        officers.find(tx, email),
        instrument=instrument,
        since=deeds.day(since, "the first day"),
        until=deeds.day(until, "the last day"),
        by=officer.id,
        why=reason(why),
    )
    return RedirectResponse("/policy", 303)


@router.post("/policy/delegations/{delegation}/end", dependencies=[Posted])
def end_delegation(
    delegation: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, why: Line = ""
) -> Response:
    """End a delegation."""
    approvals.end_delegation(here.store, tx, delegation, by=officer.id, why=reason(why))
    return RedirectResponse("/policy", 303)


# -- the two registers -------------------------------------------------------------------------------------


@router.get("/authorisations")
def list_authorisations(request: Request, _: MaySeeAuthorisations, here: Here, tx: ReadTx) -> Response:
    """Who may disclose what."""
    return show(
        request,
        "registry-authorisations.html",
        found=registers.authorised(here.store, tx),
        asked=approvals.of_agency(tx),
        listed=pages.listed(tx),
        today=deeds.today(here.store),
        who=who(tx),
    )


@router.post("/authorisations", dependencies=[Posted])
def authorise(
    officer: MayDecidePages,
    here: Here,
    tx: RequestTx,
    whom: Line = "",
    what: Lines = "",
    given_by: Line = "",
    instrument: Lines = "",
    given_on: Line = "",
    until: Line = "",
    page: Line = "",
    record: Line = "",
    why: Line = "",
) -> Response:
    """Write an authorisation down."""
    registers.authorise(
        here.store,
        tx,
        who=whom,
        what=what,
        given_by=given_by,
        instrument=instrument,
        given_on=deeds.day(given_on, "the day on which it was given"),
        until=deeds.day(until, "the last day"),
        page=_page(tx, page),
        record=linkable(officer, _record(record)),
        messages=messages(officer),
        by=officer.id,
        why=reason(why),
    )
    return RedirectResponse("/authorisations", 303)


@router.post("/authorisations/{authorisation}/end", dependencies=[Posted])
def end_authorisation(
    authorisation: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, why: Line = ""
) -> Response:
    """End an authorisation before its time."""
    registers.end_authorisation(here.store, tx, authorisation, by=officer.id, why=reason(why))
    return RedirectResponse("/authorisations", 303)


@router.get("/violations")
def list_reports(request: Request, _: MaySeeReports, here: Here, tx: ReadTx) -> Response:
    """Every violation report."""
    return show(
        request,
        "registry-violations.html",
        found=registers.reported(here.store, tx),
        who=who(tx),
        known={page.id: page for page in pages.listed(tx)},
    )


@router.get("/violations/new")
def new_report(request: Request, _: MayEnter, tx: ReadTx, told: bool = False) -> Response:
    """The form to tell the supervisors of a posting or page that violates the policy."""
    return show(
        request,
        "registry-report.html",
        told=told,
        asked=approvals.of_agency(tx),
        listed=pages.listed(tx),
    )


@router.post("/violations", dependencies=[Posted])
def report(
    officer: MayEnter,
    here: Here,
    tx: RequestTx,
    what: Lines = "",
    address: Line = "",
    attachment: Lines = "",
    page: Line = "",
    record: Line = "",
) -> Response:
    """Tell the supervisors."""
    registers.report(
        here.store,
        tx,
        what=reason(what),
        address=address,
        attachment=attachment,
        page=_page(tx, page),
        record=linkable(officer, _record(record)),
        messages=messages(officer),
        by=officer.id,
    )
    return RedirectResponse("/violations/new?told=true", 303)


@router.post("/violations/{violation}/answer", dependencies=[Posted])
def answer(violation: UUID, officer: MayAnswerReports, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Answer a report, which closes it."""
    registers.answer(here.store, tx, violation, reason(why), by=officer.id)
    return RedirectResponse("/violations", 303)


def _page(tx: Tx, given: str) -> Page | None:
    return pages.get(tx, given.strip()) if given.strip() else None


def _record(given: str) -> UUID | None:
    if not given.strip():
        return None
    try:
        return UUID(given.strip())
    except ValueError as error:
        raise Invalid(f"{given.strip()[:80]!r} is no id of a record") from error

"""The registry of pages and its people, over the API."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from app import officers
from app.capture import (
    approvals,
    deeds,
    introductions,
    needs,
    pages,
    people,
    policy,
    registers,
    shown,
)
from app.capture.pages import About
from app.db import Tx
from app.records.nouns import Officer, Page
from app.web import paging
from app.web.api.shapes import Credentials, NewPage, PageOut, PagesOut, Why
from app.web.forms import reason
from app.web.paging import Cursor, Limit
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import (
    READERS,
    MayAnswerReports,
    MayConnect,
    MayDecidePages,
    MayDescribe,
    MayEnter,
    MayKeep,
    MayManagePeople,
    MaySeeAuthorisations,
    MaySeeReports,
    messages,
)

router = APIRouter(tags=["pages"])


class PageTold(PageOut):
    """A page of the registry, with what it is for and how its approval stands."""

    approval: str
    """`approved`, `lapsed` or `none`."""
    approved_until: date | None
    purpose: str
    scope: str
    audiences: list[str]
    official_site: str
    review_on: date | None
    review_overdue: bool
    policy: str


class PagesTold(PagesOut):
    """Pages, with their exact total."""

    pages: Sequence[PageTold]  # type: ignore[assignment]  # the same pages, with more said of each


class NewPageTold(NewPage):
    """A page to put into the registry, with what it is for."""

    purpose: str | None = None
    scope: str | None = None
    audiences: list[str] | None = None
    official_site: str | None = None
    review_on: str | None = None
    policy: str | None = None

    def about(self) -> About:
        return About(
            purpose=self.purpose,
            scope=self.scope,
            audiences=self.audiences,
            official_site=self.official_site,
            review_on=self.review_on,
            policy=self.policy,
        )


class Change(BaseModel):
    """What the registry is to say of a page; fields that are left out stay as they are."""

    purpose: str | None = None
    scope: str | None = None
    audiences: list[str] | None = None
    custodian: str | None = None
    official_site: str | None = None
    review_on: str | None = None
    policy: str | None = None
    why: str


class Approve(Why):
    """An approval, and its last day where it has one."""

    until: date | None = None


class ManagerOut(BaseModel):
    """Somebody's authorisation to manage a page."""

    email: str
    known_as: str
    since: date
    until: date | None
    by: str | None
    why: str
    authorised: bool
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None
    entry: int


class ManagersOut(BaseModel):
    """Everybody who is or was authorised, with what is wrong with whose credentials the page uses."""

    total: int
    managers: list[ManagerOut]
    owner: str | None
    owner_wrong: str | None


class NewManager(BaseModel):
    """Whom to authorise."""

    email: str
    known_as: str = ""
    until: date | None = None
    why: str


class EndManager(BaseModel):
    """Whose authorisation to end."""

    email: str
    why: str


class ApprovalOut(BaseModel):
    """One approval of a page, or its withdrawal."""

    act: str
    at: datetime
    by: str | None
    why: str
    authority: str
    delegation: UUID | None
    until: date | None
    entry: int


class ApprovalsOut(BaseModel):
    """Every approval of a page and every withdrawal, newest first."""

    total: int
    approvals: list[ApprovalOut]


class SaidOut(BaseModel):
    """An answer about a statement."""

    answer: str
    since: datetime | None
    by: str | None
    why: str
    words: list[str]
    missing: list[str]
    record: UUID | None
    version: int | None
    entry: int | None


class StatementOut(SaidOut):
    """A statement that the policy asks for, with the newest answer and those before it."""

    name: str
    says: str
    force: str
    citation: str
    history: list[SaidOut]


class StatementsOut(BaseModel):
    """What the policy asks of the page's introduction; nothing where no profile applies."""

    policy: str | None
    statements: list[StatementOut]


class NeedOut(BaseModel):
    """Something that somebody should look at."""

    page: UUID | None
    what: str
    urgent: bool


class UsePolicy(BaseModel):
    """Which profile the agency follows; `none` is none."""

    name: str
    why: str


class NameChief(BaseModel):
    """Whose account is the chief's."""

    email: str
    why: str


class NewDelegation(BaseModel):
    """Whom the chief lets approve pages, by what instrument."""

    email: str
    instrument: str
    since: date | None = None
    until: date | None = None
    why: str


class NewAuthorisation(BaseModel):
    """Who may disclose what, by whose word."""

    who: str
    what: str
    given_by: str
    instrument: str = ""
    given_on: date | None = None
    until: date | None = None
    page: UUID | None = None
    record: UUID | None = None
    why: str


class NewReport(BaseModel):
    """A posting or page that violates the policy."""

    what: str
    address: str = ""
    attachment: str = ""
    page: UUID | None = None
    record: UUID | None = None


class NewAnswer(BaseModel):
    """What was done about a report."""

    answer: str


def told(here: Parts, page: Page) -> PageTold:
    """A page as the API gives it."""
    return PageTold(added_at=page.added_at, **shown.page(page, deeds.today(here.store)))


def who(tx: Tx) -> shown.Who:
    """What people are called: by e-mail."""
    names = officers.emails(tx)
    return lambda identity: None if identity is None else names.get(identity, str(identity))


# -- pages -------------------------------------------------------------------------------------------------


@router.get("/pages")
def list_pages(_: MayEnter, here: Here, tx: ReadTx, limit: Limit = 100, cursor: Cursor = None) -> PagesTold:
    """Every page, in the order in which they were added."""
    found = pages.listed(tx)
    some, further = part(found, limit, cursor)
    return PagesTold(total=len(found), pages=[told(here, page) for page in some], next=further)


def part(found: list[Page], limit: int, given: str | None) -> tuple[list[Page], str | None]:
    """The pages that come after those of the cursor."""
    after = paging.number("pages", given) or 0
    left = [page for page in found if page.key > after]
    return left[:limit], paging.cursor("pages", left[limit - 1].key) if len(left) > limit else None


@router.post("/pages", status_code=201)
def add_page(form: NewPageTold, officer: MayKeep, here: Here) -> PageTold:
    """Put a page into the registry, unapproved; it is captured all the same."""
    added = here.add_page(
        form.connector,
        form.address,
        name=form.name,
        custodian=form.custodian,
        options=form.options,
        by=officer.id,
        why=reason(form.why),
        about=form.about(),
    )
    return told(here, added)


@router.get("/pages/{page}")
def show_page(page: UUID, _: MayEnter, here: Here, tx: ReadTx) -> PageTold:
    """One page."""
    return told(here, pages.get(tx, str(page)))


@router.post("/pages/{page}/change")
def change(page: UUID, form: Change, officer: MayDescribe, here: Here, tx: RequestTx) -> PageTold:
    """Change what the registry says of the page."""
    about = About(**form.model_dump(exclude={"why"}))
    found = pages.get(tx, str(page))
    return told(here, pages.describe(here.store, tx, found, about, by=officer.id, why=reason(form.why)))


@router.post("/pages/{page}/approve")
def approve(page: UUID, form: Approve, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageTold:
    """Write down that the page is approved, or approve it anew."""
    found = pages.get(tx, str(page))
    approved = pages.approve(here.store, tx, found, by=officer.id, why=reason(form.why), until=form.until)
    return told(here, approved)


@router.post("/pages/{page}/withdraw")
def withdraw(page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageTold:
    """Take the approval of the page back; it is captured all the same."""
    found = pages.get(tx, str(page))
    return told(here, pages.withdraw(here.store, tx, found, by=officer.id, why=reason(form.why)))


@router.get("/pages/{page}/approvals")
def list_approvals(page: UUID, _: MayEnter, here: Here, tx: ReadTx) -> ApprovalsOut:
    """Every approval of the page and every withdrawal, newest first."""
    name = who(tx)
    found = approvals.history(here.store, tx, pages.get(tx, str(page)))
    return ApprovalsOut(
        total=len(found), approvals=[ApprovalOut(**shown.approval(one, name)) for one in found]
    )


@router.post("/pages/{page}/pause")
def pause(page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageTold:
    """Stop capturing the page until it is resumed; the pause is a gap."""
    found = pages.get(tx, str(page))
    return told(
        here,
        pages.pause(here.store, tx, found, by=officer.id, why=reason(form.why), guards=here.guards),
    )


@router.post("/pages/{page}/remove")
def remove(page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageTold:
    """Capture the page no longer; it stays in the registry with its records."""
    found = pages.get(tx, str(page))
    return told(
        here,
        pages.remove(here.store, tx, found, by=officer.id, why=reason(form.why), guards=here.guards),
    )


@router.post("/pages/{page}/resume")
def resume(page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageTold:
    """Capture the page again."""
    found = pages.get(tx, str(page))
    return told(here, pages.resume(here.store, tx, found, by=officer.id, why=reason(form.why)))


@router.post("/pages/{page}/connect")
def connect(page: UUID, form: Credentials, officer: MayConnect, here: Here, tx: RequestTx) -> PageTold:
    """Seal the page's credentials."""
    found = pages.get(tx, str(page))
    return told(here, pages.connect(here.store, tx, found, form.secret, by=officer.id, why=reason(form.why)))


# -- managers and statements -------------------------------------------------------------------------------


@router.get("/pages/{page}/managers")
def list_managers(page: UUID, _: MayEnter, here: Here, tx: ReadTx) -> ManagersOut:
    """Who is or was authorised to manage the page."""
    return _managers(here, tx, pages.get(tx, str(page)))


@router.post("/pages/{page}/managers", status_code=201)
def add_manager(
    page: UUID, form: NewManager, officer: MayDecidePages, here: Here, tx: RequestTx
) -> ManagersOut:
    """Authorise somebody to manage the page, or renew it."""
    found = pages.get(tx, str(page))
    people.authorise(
        here.store,
        tx,
        found,
        form.email,
        known_as=form.known_as,
        until=form.until,
        by=officer.id,
        why=reason(form.why),
    )
    return _managers(here, tx, found)


@router.post("/pages/{page}/managers/end")
def end_manager(
    page: UUID, form: EndManager, officer: MayDecidePages, here: Here, tx: RequestTx
) -> ManagersOut:
    """End somebody's authorisation; it stays on the list."""
    found = pages.get(tx, str(page))
    people.end(here.store, tx, found, form.email, by=officer.id, why=reason(form.why))
    return _managers(here, tx, found)


def _managers(here: Parts, tx: Tx, page: Page) -> ManagersOut:
    facts = needs.of_one(here.store, tx, page)
    name, today = who(tx), deeds.today(here.store)
    return ManagersOut(
        total=len(facts.managers),
        managers=[ManagerOut(**shown.manager(one, today, name)) for one in facts.managers],
        owner=facts.owner or facts.connected_by or None,
        owner_wrong=facts.owner_wrong(today),
    )


@router.get("/pages/{page}/statements")
def list_statements(page: UUID, _: MayEnter, here: Here, tx: ReadTx) -> StatementsOut:
    """What the page's introduction says of what the policy asks, with dates."""
    return _statements(here, tx, pages.get(tx, str(page)))


@router.post("/pages/{page}/statements/check")
def check_statements(
    page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx
) -> StatementsOut:
    """Look now, rather than at night."""
    found = pages.get(tx, str(page))
    introductions.check(here.store, tx, found, by=officer.id, why=reason(form.why))
    return _statements(here, tx, found)


@router.post("/pages/{page}/statements/{name}/mark")
def mark_statement(
    page: UUID, name: str, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx
) -> StatementsOut:
    """Mark a statement as present, with the reason; the mark lapses when the introduction changes."""
    found = pages.get(tx, str(page))
    introductions.mark(here.store, tx, found, name, by=officer.id, why=reason(form.why))
    return _statements(here, tx, found)


@router.post("/pages/{page}/statements/{name}/unmark")
def unmark_statement(
    page: UUID, name: str, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx
) -> StatementsOut:
    """Take a mark back."""
    found = pages.get(tx, str(page))
    introductions.unmark(here.store, tx, found, name, by=officer.id, why=reason(form.why))
    return _statements(here, tx, found)


def _statements(here: Parts, tx: Tx, page: Page) -> StatementsOut:
    asked, name = policy.of_page(page, approvals.of_agency(tx)), who(tx)
    return StatementsOut(
        policy=asked.name if asked else None,
        statements=[
            StatementOut(**shown.statement(one, name))
            for one in introductions.standings(here.store, tx, page)
        ],
    )


@router.get("/needs")
def list_needs(_: MayEnter, here: Here, tx: ReadTx) -> list[NeedOut]:
    """What the registry needs somebody to do."""
    return [NeedOut(**shown.need(one)) for one in needs.of_archive(here.store, tx)]


# -- the agency's policy -----------------------------------------------------------------------------------


@router.get("/policy")
def show_policy(_: MayEnter, here: Here, tx: ReadTx) -> dict[str, Any]:
    """The profile that the agency follows, who the chief is, and every delegation."""
    return _policy(here, tx)


@router.post("/policy/use")
def use_policy(form: UsePolicy, officer: MayManagePeople, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Choose the profile that the agency follows."""
    approvals.use(here.store, tx, form.name, by=officer.id, why=reason(form.why))
    return _policy(here, tx)


@router.post("/policy/chief")
def name_chief(form: NameChief, officer: MayManagePeople, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Say whose account is the chief's."""
    chief = officers.find(tx, form.email)
    approvals.name_chief(here.store, tx, chief, by=officer.id, why=reason(form.why))
    return _policy(here, tx)


@router.post("/policy/delegations", status_code=201)
def delegate(form: NewDelegation, officer: MayDecidePages, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Record that the chief lets somebody approve pages."""
    approvals.delegate(
        here.store,
        tx,
        officers.find(tx, form.email),
        instrument=form.instrument,
        since=form.since,
        until=form.until,
        by=officer.id,
        why=reason(form.why),
    )
    return _policy(here, tx)


@router.post("/policy/delegations/{delegation}/end")
def end_delegation(
    delegation: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx
) -> dict[str, Any]:
    """End a delegation."""
    approvals.end_delegation(here.store, tx, delegation, by=officer.id, why=reason(form.why))
    return _policy(here, tx)


def _policy(here: Parts, tx: Tx) -> dict[str, Any]:
    name, today = who(tx), deeds.today(here.store)
    return {
        "policy": shown.policy(approvals.of_agency(tx)),
        "profiles": list(policy.names()),
        "chief": name(approvals.chief(tx)),
        "delegations": [shown.delegation(one, today, name) for one in approvals.listed(here.store, tx)],
    }


# -- the two registers -------------------------------------------------------------------------------------


@router.get("/authorisations")
def list_authorisations(
    _: MaySeeAuthorisations, here: Here, tx: ReadTx, record: UUID | None = None
) -> dict[str, Any]:
    """Who may disclose what, newest first; `record` narrows to those of one record."""
    name, today = who(tx), deeds.today(here.store)
    found = registers.authorised(here.store, tx, record=record)
    return {
        "total": len(found),
        "authorisations": [shown.authorisation(one, today, name) for one in found],
    }


@router.post("/authorisations", status_code=201)
def authorise(form: NewAuthorisation, officer: MayDecidePages, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Write an authorisation down."""
    made = registers.authorise(
        here.store,
        tx,
        who=form.who,
        what=form.what,
        given_by=form.given_by,
        instrument=form.instrument,
        given_on=form.given_on,
        until=form.until,
        page=pages.get(tx, str(form.page)) if form.page else None,
        record=linkable(officer, form.record),
        messages=messages(officer),
        by=officer.id,
        why=reason(form.why),
    )
    return shown.authorisation(made, deeds.today(here.store), who(tx))


@router.post("/authorisations/{authorisation}/end")
def end_authorisation(
    authorisation: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx
) -> dict[str, Any]:
    """End an authorisation before its time."""
    ended = registers.end_authorisation(here.store, tx, authorisation, by=officer.id, why=reason(form.why))
    return shown.authorisation(ended, deeds.today(here.store), who(tx))


@router.get("/violations")
def list_reports(_: MaySeeReports, here: Here, tx: ReadTx) -> dict[str, Any]:
    """Every violation report, newest first."""
    name = who(tx)
    found = registers.reported(here.store, tx)
    return {"total": len(found), "violations": [shown.report(one, name) for one in found]}


@router.post("/violations", status_code=201)
def report(form: NewReport, officer: MayEnter, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Tell the supervisors of a posting or page that violates the policy."""
    made = registers.report(
        here.store,
        tx,
        what=reason(form.what),
        address=form.address,
        attachment=form.attachment,
        page=pages.get(tx, str(form.page)) if form.page else None,
        record=linkable(officer, form.record),
        messages=messages(officer),
        by=officer.id,
    )
    return shown.report(made, who(tx))


@router.post("/violations/{violation}/answer")
def answer(
    violation: UUID, form: NewAnswer, officer: MayAnswerReports, here: Here, tx: RequestTx
) -> dict[str, Any]:
    """Answer a report, which closes it."""
    made = registers.answer(here.store, tx, violation, reason(form.answer), by=officer.id)
    return shown.report(made, who(tx))


def linkable(officer: Officer, record: UUID | None) -> UUID | None:
    """The record, if there is one and the officer may read records at all."""
    if record is not None:
        officers.require(officer, *READERS)
    return record

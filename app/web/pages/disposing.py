"""Disposition, for people: the log, a preview and a proposal, one proposal with its list, approvals, execution, certificate."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.capture import deeds
from app.db import Tx
from app.disposition import approving, executing, proposals, proposing, telling
from app.disposition.grounds import lines as ground_lines
from app.disposition.proposals import Proposal
from app.records.errors import ArchiveError
from app.records.nouns import Officer
from app.web.api import dispositions as api
from app.web.api.dispositions import (
    MayApprove,
    MayExecute,
    MayPropose,
    MaySeeDispositions,
    MayWithdraw,
)
from app.web.forms import Posted, reason
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx, RequestTx

router = APIRouter(prefix="/dispositions", include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=4_000)]
_A_PAGE = 50


@router.get("")
def list_dispositions(
    request: Request,
    officer: MaySeeDispositions,
    here: Here,
    tx: ReadTx,
    cursor: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """The log of dispositions."""
    return _log(request, here, tx, officer, after=cursor)


def _log(
    request: Request,
    here: Parts,
    tx: Tx,
    officer: Officer,
    *,
    after: int | None = None,
    mistake: ArchiveError | None = None,
    seen: Any = None,
    series: str = "",
    on: str = "",
) -> Response:
    found = proposals.listed(here.store, tx, after=after, limit=_A_PAGE + 1)
    return show(
        request,
        "dispositions.html",
        status_code=status_of(mistake) if mistake else 200,
        found=found[:_A_PAGE],
        total=proposals.count(tx),
        next=found[_A_PAGE - 1].key if len(found) > _A_PAGE else None,
        next_step=telling.next_step,
        may_propose=officer.may(*proposing.PROPOSERS),
        seen=seen,
        series=series,
        on=on,
        mistake=mistake,
        ground_lines=ground_lines,
    )


@router.get("/propose")
def preview(
    request: Request,
    officer: MayPropose,
    here: Here,
    tx: ReadTx,
    series: Annotated[str, Query(max_length=80)] = "",
    on: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """What would be on the list, before it is proposed."""
    try:
        seen = proposing.look(here.disposing, tx, series.strip(), on=_day(on))
    except ArchiveError as error:
        return _log(request, here, tx, officer, mistake=error, series=series, on=on)
    return _log(request, here, tx, officer, seen=seen, series=series, on=on)


@router.post("/propose", dependencies=[Posted])
def propose(
    officer: MayPropose, here: Here, tx: RequestTx, series: Line = "", on: Line = "", why: Line = ""
) -> Response:
    """Freeze the list."""
    found = proposing.propose(here.disposing, tx, series.strip(), on=_day(on), by=officer, why=reason(why))
    return _back(found.id)


@router.get("/{disposition}")
def show_one(
    request: Request,
    disposition: UUID,
    officer: MaySeeDispositions,
    here: Here,
    tx: ReadTx,
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """One proposal: how it stands, who approved it, and its list with the reasons."""
    found = proposals.get(here.store, tx, disposition)
    listed = proposals.of_list(tx, found, after=after, limit=_A_PAGE + 1)
    return show(
        request,
        "disposition.html",
        one=found,
        listed=listed[:_A_PAGE],
        total=proposals.listed_ever(tx, found),
        next=listed[_A_PAGE - 1].key if len(listed) > _A_PAGE else None,
        who=api.who_of(tx),
        next_step=telling.next_step(found),
        listed_json=telling.listed_json,
        ground_lines=ground_lines,
        disposed=proposals.destroyed(found.batch),
        may=_may(found, officer, today=deeds.today(here.store)),
    )


def _may(found: Proposal, officer: Officer, *, today: date) -> dict[str, bool]:
    """Which forms are shown; the verbs decide, whatever is shown."""
    approves = found.state == proposals.PROPOSED and officer.may(*approving.APPROVERS)
    stands = found.state in (proposals.PROPOSED, proposals.APPROVED, proposals.EXECUTING)
    due = found.opens_on is not None and found.opens_on <= today
    return {
        "approve": approves and officer.id != found.by,
        "reject": approves,
        "withdraw": stands and officer.may(*approving.WITHDRAWERS),
        "execute": found.state in (proposals.APPROVED, proposals.EXECUTING)
        and due
        and officer.may(*executing.EXECUTORS),
        "certificate": found.state == proposals.EXECUTED and proposals.destroyed(found.batch) > 0,
    }


@router.post("/{disposition}/approve", dependencies=[Posted])
def approve(
    disposition: UUID, officer: MayApprove, here: Here, tx: RequestTx, why: Line = "", instrument: Line = ""
) -> Response:
    """Take the next step of the chain."""
    approving.approve(here.disposing, tx, disposition, by=officer, why=reason(why), instrument=instrument)
    return _back(disposition)


@router.post("/{disposition}/reject", dependencies=[Posted])
def reject(disposition: UUID, officer: MayApprove, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Say no."""
    return _done(approving.reject, disposition, officer, here, tx, why)


@router.post("/{disposition}/withdraw", dependencies=[Posted])
def withdraw(disposition: UUID, officer: MayWithdraw, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Take it back."""
    return _done(approving.withdraw, disposition, officer, here, tx, why)


@router.post("/{disposition}/execute", dependencies=[Posted])
def execute(disposition: UUID, officer: MayExecute, here: Here, why: Line = "") -> Response:
    """Dispose of what was approved, in transactions of its own."""
    executing.execute(here.disposing, disposition, by=officer, why=reason(why))
    return _back(disposition)


@router.get("/{disposition}/certificate")
def certificate(
    disposition: UUID,
    officer: MaySeeDispositions,
    here: Here,
    form_as: Annotated[str, Query(alias="as", pattern="^(pdf|json)$")] = "pdf",
) -> Response:
    """The certificate of destruction, on paper or as JSON."""
    return api.certificate_answer(here, api.made(here, disposition, officer), form_as)


def _done(
    verb: Callable[..., Proposal], disposition: UUID, officer: Officer, here: Parts, tx: Tx, why: str
) -> Response:
    verb(here.disposing, tx, disposition, by=officer, why=reason(why))
    return _back(disposition)


def _day(text: str) -> date | None:
    return deeds.day(text)


def _back(disposition: UUID) -> Response:
    return RedirectResponse(f"/dispositions/{disposition}", 303)

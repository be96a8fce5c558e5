"""Disposition, for people: the log, a proposal with its list, orders, approvals, execution, transfer, certificate."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from app.capture import deeds
from app.db import Tx
from app.disposition import approving, executing, proposals, proposing, telling, transferring
from app.disposition.grounds import lines as ground_lines
from app.disposition.proposals import Proposal
from app.records import ids
from app.records.errors import ArchiveError, Invalid
from app.records.nouns import Officer
from app.retention.schedule import Rule, Series, Then, Timed
from app.web import handing, reading
from app.web.api import dispositions as api
from app.web.api.dispositions import (
    MayApprove,
    MayConfirmHolds,
    MayExecute,
    MayOrder,
    MayPack,
    MayPropose,
    MaySeeDispositions,
    MayWithdraw,
)
from app.web.forms import Posted, reason
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx

router = APIRouter(prefix="/dispositions", include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=4_000)]
Ids = Annotated[str, Form(max_length=400_000)]
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
    limit: str = "",
    wrong: str = "propose",
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
        codes=_ending(here, tx),
        may_order=officer.may(*proposing.ORDERERS),
        may_confirm=officer.may(*approving.CONFIRMERS),
        seen=seen,
        series=series,
        on=on,
        limit=limit,
        mistake=mistake,
        wrong=wrong,
        ground_lines=ground_lines,
    )


def _ending(here: Parts, tx: Tx) -> list[Series]:
    """The series of the editions in force of which something could be proposed."""
    in_force = here.standing().in_force(tx, deeds.today(here.store))
    every = [one for edition in in_force.editions for one in edition.schedule.series]
    return sorted((one for one in every if _ends(one.rule)), key=lambda one: one.code)


def _ends(rule: Rule) -> bool:
    return isinstance(rule, Timed) and rule.then in (Then.DESTROY, Then.TRANSFER)


@router.get("/propose")
def preview(
    request: Request,
    officer: MayPropose,
    here: Here,
    tx: ReadTx,
    series: Annotated[str, Query(max_length=80)] = "",
    on: Annotated[str, Query(max_length=10)] = "",
    limit: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """What would be on the list, before it is proposed."""
    told: dict[str, Any] = {"series": series, "on": on, "limit": limit}
    try:
        seen = proposing.look(here.disposing, tx, series.strip(), on=_day(on), limit=_most(limit))
    except ArchiveError as error:
        return _log(request, here, tx, officer, mistake=error, **told)
    return _log(request, here, tx, officer, seen=seen, **told)


@router.post("/propose", dependencies=[Posted])
def propose(
    request: Request,
    officer: MayPropose,
    here: Here,
    series: Line = "",
    on: Line = "",
    limit: Line = "",
    without: Ids = "",
    why: Line = "",
) -> Response:
    """Freeze the list."""

    def do(tx: Tx) -> Proposal:
        return proposing.propose(
            here.disposing,
            tx,
            series.strip(),
            on=_day(on),
            limit=_most(limit),
            without=ids.listed(without),
            by=officer,
            why=reason(why),
        )

    return _begun(request, here, officer, do, "propose", series=series, on=on, limit=limit)


@router.post("/order", dependencies=[Posted])
def order(
    request: Request,
    officer: MayOrder,
    here: Here,
    records: Ids = "",
    instrument: Line = "",
    days: Line = "",
    why: Line = "",
) -> Response:
    """Take down a court's order that records be destroyed."""

    def do(tx: Tx) -> Proposal:
        return proposing.order(
            here.disposing,
            tx,
            ids.listed(records),
            instrument=instrument,
            waiting_days=_number(days),
            by=officer,
            why=reason(why),
        )

    return _begun(request, here, officer, do, "order")


@router.post("/confirm-holds", dependencies=[Posted])
def confirm_holds(request: Request, officer: MayConfirmHolds, here: Here, why: Line = "") -> Response:
    """After a restore that lost entries: the holds are as they should be."""
    try:
        with here.store.database.begin() as tx:
            approving.confirm_holds(here.disposing, tx, by=officer, why=reason(why))
    except ArchiveError as error:
        with here.store.database.read() as tx:
            return _log(request, here, tx, officer, mistake=error, wrong="confirm")
    return RedirectResponse("/dispositions", 303)


def _begun(
    request: Request,
    here: Parts,
    officer: Officer,
    do: Callable[[Tx], Proposal],
    wrong: str,
    *,
    series: str = "",
    on: str = "",
    limit: str = "",
) -> Response:
    """Show what was proposed; where it is refused, say why beside the form."""
    try:
        with here.store.database.begin() as tx:
            found = do(tx)
    except ArchiveError as error:
        with here.store.database.read() as tx:
            return _log(
                request, here, tx, officer, mistake=error, wrong=wrong, series=series, on=on, limit=limit
            )
    return _back(found.id)


@router.get("/{disposition}")
def show_one(
    request: Request,
    disposition: UUID,
    officer: MaySeeDispositions,
    here: Here,
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """One proposal: how it stands, who approved it, and its list with the reasons."""
    return _one(request, here, disposition, officer, after=after)


def _one(
    request: Request,
    here: Parts,
    disposition: UUID,
    officer: Officer,
    *,
    after: int = 0,
    mistake: ArchiveError | None = None,
) -> Response:
    with here.store.database.begin() as tx:
        found = proposals.get(here.store, tx, disposition)
        listed = proposals.of_list(tx, found, after=after, limit=_A_PAGE + 1)
        # Of what stayed nobody outside its matter is told more than that it did.
        waiting = [row.id for row in listed[:_A_PAGE] if row.became is None]
        known = reading.in_brief(here, tx, waiting, by=officer)
        total, who = proposals.listed_ever(tx, found), api.who_of(tx)
    return show(
        request,
        "disposition.html",
        status_code=status_of(mistake) if mistake else 200,
        one=found,
        listed=listed[:_A_PAGE],
        known=known,
        total=total,
        next=listed[_A_PAGE - 1].key if len(listed) > _A_PAGE else None,
        who=who,
        next_step=telling.next_step(found),
        became=telling.became,
        ground_lines=ground_lines,
        disposed=proposals.destroyed(found.batch),
        may=_may(found, officer, today=deeds.today(here.store)),
        mistake=mistake,
    )


def _may(found: Proposal, officer: Officer, *, today: date) -> dict[str, bool]:
    """Which forms are shown; the verbs decide, whatever is shown."""
    approves = found.state == proposals.PROPOSED and officer.may(*approving.APPROVERS)
    stands = found.state in (proposals.PROPOSED, proposals.APPROVED, proposals.EXECUTING)
    due = found.opens_on is not None and found.opens_on <= today
    moves = found.kind == proposals.TRANSFER and found.state == proposals.APPROVED
    received = found.transfer is not None and found.transfer.receipt is not None
    return {
        "approve": approves and officer.id != found.by,
        "reject": approves,
        "leave-out": approves,
        "withdraw": stands and officer.may(*approving.WITHDRAWERS),
        "transfer": moves and officer.may(*transferring.PACKERS),
        "accept": moves and found.transfer is not None and not received and officer.may(*executing.EXECUTORS),
        "execute": found.state in (proposals.APPROVED, proposals.EXECUTING)
        and due
        and (found.kind != proposals.TRANSFER or received)
        and officer.may(*executing.EXECUTORS),
        "certificate": found.state == proposals.EXECUTED and proposals.destroyed(found.batch) > 0,
    }


@router.post("/{disposition}/approve", dependencies=[Posted])
def approve(
    request: Request,
    disposition: UUID,
    officer: MayApprove,
    here: Here,
    why: Line = "",
    instrument: Line = "",
) -> Response:
    """Take the next step of the chain."""

    def do() -> None:
        with here.store.database.begin() as tx:
            approving.approve(
                here.disposing, tx, disposition, by=officer, why=reason(why), instrument=instrument
            )

    return _done(request, here, disposition, officer, do)


@router.post("/{disposition}/reject", dependencies=[Posted])
def reject(request: Request, disposition: UUID, officer: MayApprove, here: Here, why: Line = "") -> Response:
    """Say no."""

    def do() -> None:
        with here.store.database.begin() as tx:
            approving.reject(here.disposing, tx, disposition, by=officer, why=reason(why))

    return _done(request, here, disposition, officer, do)


@router.post("/{disposition}/leave-out", dependencies=[Posted])
def leave_out(
    request: Request,
    disposition: UUID,
    officer: MayApprove,
    here: Here,
    records: Ids = "",
    why: Line = "",
) -> Response:
    """Take records off a list that is not approved yet."""

    def do() -> None:
        with here.store.database.begin() as tx:
            approving.leave_out(
                here.disposing, tx, disposition, ids.listed(records), by=officer, why=reason(why)
            )

    return _done(request, here, disposition, officer, do)


@router.post("/{disposition}/withdraw", dependencies=[Posted])
def withdraw(
    request: Request, disposition: UUID, officer: MayWithdraw, here: Here, why: Line = ""
) -> Response:
    """Take it back."""

    def do() -> None:
        with here.store.database.begin() as tx:
            approving.withdraw(here.disposing, tx, disposition, by=officer, why=reason(why))

    return _done(request, here, disposition, officer, do)


@router.post("/{disposition}/transfer", dependencies=[Posted])
def transfer(request: Request, disposition: UUID, officer: MayPack, here: Here, why: Line = "") -> Response:
    """The bag for the archives, in a zip."""
    try:
        return api.bag_answer(here, disposition, officer, why)
    except ArchiveError as error:
        return _one(request, here, disposition, officer, mistake=error)


@router.post("/{disposition}/accept", dependencies=[Posted], max_body_size=handing.BODY)
def accept(
    request: Request,
    disposition: UUID,
    officer: MayExecute,
    here: Here,
    receipt: UploadFile,
    why: Line = "",
) -> Response:
    """Take down the archives' receipt."""
    return _done(
        request, here, disposition, officer, lambda: api.accepted(here, disposition, receipt, officer, why)
    )


@router.post("/{disposition}/execute", dependencies=[Posted])
def execute(request: Request, disposition: UUID, officer: MayExecute, here: Here, why: Line = "") -> Response:
    """Dispose of what was approved, in transactions of its own."""
    return _done(
        request,
        here,
        disposition,
        officer,
        lambda: executing.execute(here.disposing, disposition, by=officer, why=reason(why)),
    )


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
    request: Request, here: Parts, disposition: UUID, officer: Officer, do: Callable[[], object]
) -> Response:
    """Do it and show the proposal again; where it is refused, with the reason."""
    try:
        do()
    except ArchiveError as error:
        return _one(request, here, disposition, officer, mistake=error)
    return _back(disposition)


def _day(text: str) -> date | None:
    return deeds.day(text)


def _number(text: str, what: str = "days") -> int:
    """A number of days or records; nothing is none."""
    if not text.strip():
        return 0
    if not text.strip().isdecimal():
        raise Invalid(f"{text[:40]!r} is no number of {what}", next="Write it in digits.")
    return int(text)


def _most(text: str) -> int:
    """How many records a list has at most; as many as a list may have where nobody says."""
    return _number(text, "records") if text.strip() else proposing.MOST


def _back(disposition: UUID) -> Response:
    return RedirectResponse(f"/dispositions/{disposition}", 303)

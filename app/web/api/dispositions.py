"""Disposition, over the API: proposals, their lists and approvals, execution, certificates."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from app import officers
from app.db import Tx
from app.disposition import (
    approving,
    certifying,
    executing,
    proposals,
    proposing,
    telling,
    transferring,
)
from app.disposition.certifying import Certificate
from app.disposition.proposals import Proposal
from app.records.nouns import Officer
from app.web import handing, reading
from app.web.forms import reason
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import Holding

router = APIRouter(prefix="/dispositions", tags=["dispositions"])

MaySeeDispositions = Annotated[Officer, Depends(Holding(*certifying.READERS))]
"""The log of dispositions and its certificates, which hold no content."""
MayPropose = Annotated[Officer, Depends(Holding(*proposing.PROPOSERS))]
"""Proposing what a schedule lets go."""
MayOrder = Annotated[Officer, Depends(Holding(*proposing.ORDERERS))]
"""Taking down an order of a court."""
MayApprove = Annotated[Officer, Depends(Holding(*approving.APPROVERS))]
"""Approving and rejecting; the chain of the schedule says whose turn it is."""
MayWithdraw = Annotated[Officer, Depends(Holding(*approving.WITHDRAWERS))]
"""Taking a proposal back."""
MayExecute = Annotated[Officer, Depends(Holding(*executing.EXECUTORS))]
"""Carrying out what was approved."""
MayPack = Annotated[Officer, Depends(Holding(*transferring.PACKERS))]
"""Packing the bag for the archives, which holds the records in the clear."""
MayConfirmHolds = Annotated[Officer, Depends(Holding(*approving.CONFIRMERS))]
"""Saying, after a restore, that the holds are as they should be."""
_Why = Annotated[str, Field(max_length=2_000)]
_Ids = Annotated[list[UUID], Field(max_length=10_000)]


class NewProposal(BaseModel):
    """A series of which the eligible records are to be listed."""

    model_config = ConfigDict(extra="forbid")

    series: Annotated[str, Field(max_length=80)]
    on: date | None = None
    limit: Annotated[int, Field(ge=1, le=proposing.MOST)] = proposing.MOST
    without: _Ids = []
    why: _Why = ""


class NewOrder(BaseModel):
    """An order of a court."""

    model_config = ConfigDict(extra="forbid")

    records: _Ids
    instrument: Annotated[str, Field(max_length=4_000)]
    waiting_days: Annotated[int, Field(ge=0, le=3_650)] = 0
    why: _Why = ""


class Saying(BaseModel):
    """Why; of an approval also the instrument of the governing body."""

    model_config = ConfigDict(extra="forbid")

    why: _Why = ""
    instrument: Annotated[str, Field(max_length=4_000)] = ""


class LeavingOut(BaseModel):
    """Records that are taken off a list."""

    model_config = ConfigDict(extra="forbid")

    records: _Ids
    why: _Why = ""


@router.get("")
def list_dispositions(
    _officer: MaySeeDispositions,
    here: Here,
    tx: ReadTx,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, Any]:
    """The log of dispositions, the newest first."""
    found = proposals.listed(here.store, tx, after=cursor, limit=limit + 1)
    shown, who = found[:limit], who_of(tx)
    return {
        "total": proposals.count(tx),
        "dispositions": [telling.as_json(one, who) for one in shown],
        "next": shown[-1].key if len(found) > limit else None,
    }


@router.get("/preview")
def preview(
    _officer: MayPropose,
    here: Here,
    tx: ReadTx,
    series: Annotated[str, Query(max_length=80)],
    on: date | None = None,
    limit: Annotated[int, Query(ge=1, le=proposing.MOST)] = proposing.MOST,
) -> dict[str, Any]:
    """What would be on the list now, and how many whose day has come stay."""
    return telling.preview_json(proposing.look(here.disposing, tx, series, on=on, limit=limit))


@router.post("", status_code=201)
def propose(form: NewProposal, officer: MayPropose, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Freeze the list of what is eligible and not held."""
    found = proposing.propose(
        here.disposing,
        tx,
        form.series,
        on=form.on,
        limit=form.limit,
        without=form.without,
        by=officer,
        why=reason(form.why),
    )
    return telling.as_json(found, who_of(tx))


@router.post("/orders", status_code=201)
def order(form: NewOrder, officer: MayOrder, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Take down a court's order that records be destroyed."""
    found = proposing.order(
        here.disposing,
        tx,
        form.records,
        instrument=form.instrument,
        waiting_days=form.waiting_days,
        by=officer,
        why=reason(form.why),
    )
    return telling.as_json(found, who_of(tx))


@router.post("/confirm-holds")
def confirm_holds(form: Saying, officer: MayConfirmHolds, here: Here, tx: RequestTx) -> dict[str, Any]:
    """After a restore that lost entries: the holds are as they should be."""
    return {"entry": approving.confirm_holds(here.disposing, tx, by=officer, why=reason(form.why))}


@router.get("/{disposition}")
def show(disposition: UUID, _officer: MaySeeDispositions, here: Here, tx: ReadTx) -> dict[str, Any]:
    """One proposal as it stands."""
    return telling.as_json(proposals.get(here.store, tx, disposition), who_of(tx))


@router.get("/{disposition}/records")
def list_records(
    disposition: UUID,
    _officer: MaySeeDispositions,
    here: Here,
    tx: ReadTx,
    cursor: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """The records of the list, each with why it is there and what became of it."""
    found = proposals.get(here.store, tx, disposition)
    listed = proposals.of_list(tx, found, after=cursor, limit=limit + 1)
    return {
        "total": proposals.listed_ever(tx, found),
        "records": [telling.listed_json(one) for one in listed[:limit]],
        "next": listed[limit - 1].key if len(listed) > limit else None,
    }


@router.post("/{disposition}/approve")
def approve(
    disposition: UUID, form: Saying, officer: MayApprove, here: Here, tx: RequestTx
) -> dict[str, Any]:
    """Take the next step of the chain."""
    found = approving.approve(
        here.disposing, tx, disposition, by=officer, why=reason(form.why), instrument=form.instrument
    )
    return telling.as_json(found, who_of(tx))


@router.post("/{disposition}/reject")
def reject(disposition: UUID, form: Saying, officer: MayApprove, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Say no, with a reason."""
    found = approving.reject(here.disposing, tx, disposition, by=officer, why=reason(form.why))
    return telling.as_json(found, who_of(tx))


@router.post("/{disposition}/withdraw")
def withdraw(
    disposition: UUID, form: Saying, officer: MayWithdraw, here: Here, tx: RequestTx
) -> dict[str, Any]:
    """Take it back, as far as it was not executed."""
    found = approving.withdraw(here.disposing, tx, disposition, by=officer, why=reason(form.why))
    return telling.as_json(found, who_of(tx))


@router.post("/{disposition}/leave-out")
def leave_out(
    disposition: UUID, form: LeavingOut, officer: MayApprove, here: Here, tx: RequestTx
) -> dict[str, Any]:
    """Take records off a list that is not approved yet."""
    found = approving.leave_out(
        here.disposing, tx, disposition, form.records, by=officer, why=reason(form.why)
    )
    return telling.as_json(found, who_of(tx))


@router.post("/{disposition}/transfer")
def transfer(disposition: UUID, form: Saying, officer: MayPack, here: Here) -> Response:
    """Pack the records as a bag for the archives, in a zip; `X-Bag-SHA256` stands for the whole bag."""
    return bag_answer(here, disposition, officer, form.why)


@router.post("/{disposition}/accept", max_body_size=handing.BODY)
def accept(
    disposition: UUID,
    officer: MayExecute,
    here: Here,
    receipt: UploadFile,
    why: Annotated[str, Form(max_length=2_000)] = "",
) -> dict[str, Any]:
    """Take down the archives' receipt for the newest bag."""
    found = accepted(here, disposition, receipt, officer, why)
    with here.store.database.read() as tx:
        return telling.as_json(found, who_of(tx))


@router.post("/{disposition}/execute")
def execute(disposition: UUID, form: Saying, officer: MayExecute, here: Here) -> dict[str, Any]:
    """Dispose of what was approved, in transactions of its own; what is held or changed stays."""
    return executing.execute(here.disposing, disposition, by=officer, why=reason(form.why)).as_json()


@router.get("/{disposition}/certificate")
def certificate(
    disposition: UUID,
    officer: MaySeeDispositions,
    here: Here,
    form_as: Annotated[str, Query(alias="as", pattern="^(pdf|json)$")] = "json",
) -> Response:
    """The certificate of destruction, as JSON or on paper."""
    return certificate_answer(here, made(here, disposition, officer), form_as)


def made(here: Parts, disposition: UUID, officer: Officer) -> Certificate:
    """A certificate, with the entry that says that it was made out."""
    software = f"Muniment {here.version}"
    return certifying.certify(
        here.disposing, disposition, software=software, by=officer, why="certificate asked for"
    )


def certificate_answer(here: Parts, told: Certificate, form_as: str) -> Response:
    """A certificate as a file."""
    name = f"certificate-{told.told['batch']}.{form_as}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if form_as == "pdf":
        return Response(told.pdf(here.disposing), media_type="application/pdf", headers=headers)
    content = json.dumps(told.told, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, media_type="application/json", headers=headers)


def bag_answer(here: Parts, disposition: UUID, officer: Officer, why: str) -> Response:
    """Pack a bag and hand it over; nothing of it stays on this machine."""
    said = reason(why)
    folder = TemporaryDirectory(prefix="muniment-")
    written = Path(folder.name) / f"transfer-{disposition}"
    file = written.with_suffix(".zip")
    try:
        packed = transferring.pack(
            here.disposing, disposition, written, home=here.settings.home, by=officer, why=said
        )
        reading.zipped(written, file)
        answer = reading.handed_over(file, folder, "application/zip")
    except BaseException:
        folder.cleanup()
        raise
    answer.headers["X-Bag-SHA256"] = packed.digest.hex()
    return answer


def accepted(here: Parts, disposition: UUID, receipt: UploadFile, officer: Officer, why: str) -> Proposal:
    """Take down a receipt that was handed in; the file itself stays with the agency's papers."""
    said = reason(why)
    with handing.laid(here, [receipt]) as (file,), here.store.database.begin() as tx:
        return transferring.accept(here.disposing, tx, disposition, file, by=officer, why=said)


def who_of(tx: Tx) -> Callable[[UUID], str]:
    """What people are called here: by their e-mail."""
    people = officers.emails(tx)
    return lambda which: people.get(which, str(which))

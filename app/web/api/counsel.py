"""Search for counsel, over the API: the search-term report, saved searches and their alerts, search declarations."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from app import officers
from app.capture import copies, records
from app.db import Tx
from app.holds.joining import Known
from app.index import alerts, declarations, drafts, report_copies, reporting, reports, saved
from app.index.declarations import DECLARERS, Again, Declaration, Means
from app.index.engine import Sort
from app.index.questions import Filters, Question
from app.index.reports import Listed, Report
from app.index.saved import Saved
from app.index.source import LedgerSource
from app.records.nouns import Officer
from app.store import access
from app.web import finding
from app.web.finding import Asked
from app.web.forms import reason
from app.web.parts import Here, Parts
from app.web.transactions import ReadTx, RequestTx
from app.web.who import Holding, MayRead, messages

router = APIRouter(tags=["counsel"])

MayDeclare = Annotated[Officer, Depends(Holding(*DECLARERS))]
"""Drafts of search declarations."""
_Text = Annotated[str, Field(max_length=4_000)]
_Query = Annotated[str, Field(max_length=100_000)]
_Why = Annotated[str, Field(max_length=2_000)]


class Narrowed(BaseModel):
    """The filters beside a query, as searching takes them."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    page: _Text = ""
    platform: _Text = ""
    author: _Text = ""
    kind: _Text = ""
    state: _Text = ""
    since: Annotated[str, Field(alias="from", max_length=40)] = ""
    until: Annotated[str, Field(alias="to", max_length=40)] = ""

    def filters(self) -> Filters:
        """The filters, without what is empty."""
        return Filters.of(self.model_dump(by_alias=True))


class NamedQuery(BaseModel):
    """A query of a list, with its name."""

    model_config = ConfigDict(extra="forbid")

    name: _Text = ""
    query: _Query


class NewReport(Narrowed):
    """A list of queries: as lines of text, or one by one."""

    queries: Annotated[str, Field(max_length=500_000)] | Annotated[list[NamedQuery], Field(max_length=1_000)]

    def listed(self) -> Sequence[Listed]:
        if isinstance(self.queries, str):
            return reports.listed(self.queries)
        return reports.given([(one.name, one.query) for one in self.queries])


class NewSaved(Narrowed):
    """A search to be kept."""

    name: _Text
    query: _Query = ""
    everybody: bool = False
    why: _Why = ""


class NewName(BaseModel):
    """Another name for a saved search."""

    name: _Text
    why: _Why = ""


class Reason(BaseModel):
    """Why."""

    why: _Why = ""


class NewDeclaration(Narrowed):
    """A search to be declared."""

    query: _Query = ""
    why: _Why = ""


class Form(StrEnum):
    """How a report is given."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"


class Draft(StrEnum):
    """How a draft is given."""

    TEXT = "text"
    HTML = "html"


# -- the search-term report --------------------------------------------------------------------------------


@router.post("/search-reports")
def make_report(
    form: NewReport,
    officer: MayRead,
    here: Here,
    form_as: Annotated[Form, Query(alias="as")] = Form.JSON,
) -> Response:
    """What each query of a list finds, what only it finds, with their families, and every overlap."""
    told = report(here, form.listed(), form.filters(), by=officer, taken=form_as is not Form.JSON)
    return report_answer(here, told, form_as, by=officer)


def report(here: Parts, listed: Sequence[Listed], filters: Filters, *, by: Officer, taken: bool) -> Report:
    """Make a report and write down that it was asked for. Nobody who writes waits while it is made."""
    told = reporting.make(
        here.store, LedgerSource(here.store), here.index, listed, filters, messages=messages(by)
    )
    with here.store.database.begin() as tx:
        reporting.note(here.store, tx, told, by=by.id, taken=taken)
    return told


def report_answer(here: Parts, told: Report, form: Form, *, by: Officer) -> Response:
    """A report as JSON, or as a working copy."""
    name = f"search-report-working-copy.{form}"
    match form:
        case Form.JSON:
            return Response(_json(reports.as_json(told)), media_type="application/json")
        case Form.XLSX:
            return _file(report_copies.as_xlsx(here.store, by, told), report_copies.XLSX, name)
        case Form.CSV:
            lines = copies.as_csv(report_copies.lines(here.store, by, told))
            return _file(b"".join(lines), "text/csv; charset=utf-8", name)
        case Form.HTML:
            lines = copies.as_html(report_copies.lines(here.store, by, told))
            return _file(b"".join(lines), "text/html; charset=utf-8", name)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _file(content: bytes, media: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media, headers=headers)


# -- saved searches ----------------------------------------------------------------------------------------


@router.get("/saved-searches")
def list_saved(officer: MayRead, here: Here, tx: ReadTx) -> dict[str, Any]:
    """The searches that you saved, and those that are shared; the newest first."""
    found = saved.listed(here.store, tx, by=officer)
    return {"total": len(found), "searches": [saved_json(tx, one) for one in found]}


@router.post("/saved-searches", status_code=201)
def save(form: NewSaved, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Keep a search by a name."""
    made = saved.save(
        here.store,
        tx,
        form.name,
        Question(form.query, form.filters()),
        shared=form.everybody,
        by=officer,
        why=form.why.strip() or "kept for later",
    )
    return saved_json(tx, made)


@router.get("/saved-searches/{search}")
def show_saved(search: UUID, officer: MayRead, here: Here, tx: ReadTx) -> dict[str, Any]:
    """A saved search."""
    return saved_json(tx, saved.get(here.store, tx, str(search), by=officer))


@router.get("/saved-searches/{search}/records")
def run_saved(
    search: UUID,
    officer: MayRead,
    here: Here,
    tx: RequestTx,
    sort: Sort = Sort.NEWEST,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> dict[str, Any]:
    """What a saved search finds now, as searching answers."""
    one = saved.get(here.store, tx, str(search), by=officer)
    asked = question_of(one.question, sort=sort, limit=limit, cursor=cursor)
    _, found, hits = finding.find(here, tx, asked, by=officer)
    return {
        "saved": saved_json(tx, one),
        "understood_otherwise": saved.understood_otherwise(one),
        "total": found.total,
        "records": [records.as_json(record) for record in hits],
        "query": found.query,
        "as_of": found.as_of,
        "undated": found.undated,
        "unsearchable": found.unsearchable,
        "not_searched": found.not_searched,
        "next": found.cursor,
    }


@router.post("/saved-searches/{search}/rename")
def rename_saved(search: UUID, form: NewName, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Give a saved search another name."""
    one = saved.get(here.store, tx, str(search), by=officer)
    why = form.why.strip() or "named anew"
    return saved_json(tx, saved.rename(here.store, tx, one, form.name, by=officer, why=why))


@router.post("/saved-searches/{search}/remove")
def remove_saved(search: UUID, form: Reason, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Take a saved search off the lists; its entry stays."""
    one = saved.get(here.store, tx, str(search), by=officer)
    entry = saved.remove(here.store, tx, one, by=officer, why=reason(form.why))
    return {"id": str(one.id), "removed": True, "entry": entry}


@router.post("/saved-searches/{search}/alert")
def set_alert(search: UUID, form: Reason, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Be told by letter of what is new to a saved search."""
    one = saved.get(here.store, tx, str(search), by=officer)
    alerts.begin(here.store, tx, one, by=officer, why=form.why.strip() or "asked to be told")
    return saved_json(tx, saved.get(here.store, tx, str(search), by=officer))


@router.post("/saved-searches/{search}/alert/end")
def end_alert(search: UUID, form: Reason, officer: MayRead, here: Here, tx: RequestTx) -> dict[str, Any]:
    """Be told no more."""
    one = saved.get(here.store, tx, str(search), by=officer)
    alerts.end(here.store, tx, one, by=officer, why=form.why.strip() or "asked not to be told")
    return saved_json(tx, saved.get(here.store, tx, str(search), by=officer))


def saved_json(tx: Tx, one: Saved) -> dict[str, Any]:
    """A saved search, with the e-mail of whoever saved it."""
    return saved.as_json(one, officers.get(tx, one.by).email)


def question_of(question: Question, *, sort: Sort, limit: int, cursor: str = "") -> Asked:
    """A kept question as a request asks it."""
    kept = question.filters
    return Asked(
        q=question.text,
        page=kept.page or "",
        platform=kept.platform or "",
        author=kept.author or "",
        kind=kept.kind or "",
        state=kept.state or "",
        since=kept.since or "",
        until=kept.until or "",
        sort=sort,
        limit=limit,
        cursor=cursor,
    )


# -- declarations ------------------------------------------------------------------------------------------


@router.get("/declarations")
def list_declarations(officer: MayDeclare, here: Here, tx: ReadTx) -> dict[str, Any]:
    """The drafts that were made, the newest first."""
    found = declarations.listed(here.store, tx, messages=messages(officer))
    return {"total": len(found), "declarations": [declarations.in_short(one) for one in found]}


@router.post("/declarations", status_code=201)
def make_declaration(form: NewDeclaration, officer: MayDeclare, here: Here) -> dict[str, Any]:
    """Search, and keep what was asked and found as a draft for a person to sign."""
    made = declare(here, Question(form.query, form.filters()), by=officer, why=form.why)
    return declarations.as_json(made)


@router.get("/declarations/{declaration}")
def show_declaration(declaration: UUID, officer: MayDeclare, here: Here, tx: RequestTx) -> Mapping[str, Any]:
    """Everything that the draft says."""
    return declarations.as_json(read(here, tx, declaration, by=officer))


@router.get("/declarations/{declaration}/draft", response_class=Response)
def draft(
    declaration: UUID,
    officer: MayDeclare,
    here: Here,
    tx: RequestTx,
    form_as: Annotated[Draft, Query(alias="as")] = Draft.TEXT,
) -> Response:
    """The draft in its words."""
    return draft_answer(read(here, tx, declaration, by=officer), form_as)


@router.post("/declarations/{declaration}/again")
def again(declaration: UUID, officer: MayDeclare, here: Here) -> dict[str, Any]:
    """Run it again: as of the ledger's size of then, and now."""
    return declarations.again_json(run_again(here, declaration, by=officer))


def declare(here: Parts, question: Question, *, by: Officer, why: str) -> Declaration:
    """Make a draft of what a question finds."""
    return declarations.make(
        here.store,
        means(here, by),
        question,
        by=by,
        messages=messages(by),
        why=why.strip() or "a declaration of this search was asked for",
    )


def read(here: Parts, tx: Tx, identity: UUID, *, by: Officer) -> Declaration:
    """A draft, with the look at it written down."""
    kept = declarations.get(here.store, tx, identity, messages=messages(by))
    access.note(here.store, tx, "view", by=by.id, detail={"declaration": identity.hex})
    return kept


def draft_answer(kept: Declaration, form: Draft) -> Response:
    """The draft as a file."""
    if form is Draft.HTML:
        content, media = drafts.as_html(kept.facts), "text/html; charset=utf-8"
    else:
        content, media = drafts.as_text(kept.facts), "text/plain; charset=utf-8"
    name = f"search-declaration-{kept.id}.{'html' if form is Draft.HTML else 'txt'}"
    return _file(content.encode("utf-8", "replace"), media, name)


def run_again(here: Parts, identity: UUID, *, by: Officer) -> Again:
    """Run a declaration again, and write down that it was."""
    with here.store.database.read() as tx:
        kept = declarations.get(here.store, tx, identity, messages=messages(by))
    told = declarations.again(here.store, means(here, by), kept)
    with here.store.database.begin() as tx:
        declarations.note(here.store, tx, "declaration again", kept, told.total, by=by.id)
    return told


def means(here: Parts, by: Officer) -> Means:
    """With what this archive is searched, and who knows what is said of its records."""
    return declarations.means(
        here.store, here.index, here.settings, here.version, lambda tx: Known(here.store, tx, by)
    )

"""Search for counsel, for people: the search-term report, saved searches and their alerts, search declarations."""

from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app import officers
from app.capture import records
from app.db import Tx
from app.index import alerts, asof, declarations, drafts, reports, saved
from app.index.engine import BadCursor, QueryNotSupported, Scope, Sort
from app.index.language import BadQuery
from app.index.questions import Filters, Question
from app.index.reports import BadQueryList
from app.index.saved import BadSearchName, SearchNameTaken
from app.index.source import LedgerSource
from app.records.errors import ArchiveError
from app.records.nouns import Officer
from app.web import finding
from app.web.api import counsel as api
from app.web.api.counsel import Draft, MayDeclare
from app.web.api.counsel import Form as Form_
from app.web.forms import Posted, reason
from app.web.pages.searching import caret, choices
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayRead, messages

router = APIRouter(prefix="/search", include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=4_000)]
Words = Annotated[str, Form(max_length=100_000)]
Lines = Annotated[str, Form(max_length=500_000)]
_NEW = 200
"""So many of what is new are shown; all of it is found by the search itself."""


def _carried(
    q: Annotated[str, Query(max_length=100_000)] = "",
    page: str = "",
    platform: str = "",
    author: str = "",
    kind: str = "",
    state: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
) -> Question:
    given = {"page": page, "platform": platform, "author": author, "kind": kind, "state": state}
    return Question(q, Filters.of({**given, "from": since, "to": until}))


def _given(
    q: Words = "",
    page: Line = "",
    platform: Line = "",
    author: Line = "",
    kind: Line = "",
    state: Line = "",
    since: Annotated[str, Form(alias="from", max_length=40)] = "",
    until: Annotated[str, Form(alias="to", max_length=40)] = "",
) -> Question:
    return _carried(q, page, platform, author, kind, state, since, until)


Carried = Annotated[Question, Depends(_carried)]
"""The search that a form is opened with, as the address has it."""
Given = Annotated[Question, Depends(_given)]
"""The search that a form sends."""


# -- the search-term report --------------------------------------------------------------------------------


@router.get("/report")
def report_form(request: Request, officer: MayRead, tx: ReadTx) -> Response:
    """Where a list of queries is pasted."""
    return show(
        request, "counsel-report.html", queries="", filters=Filters(), told=None, mistake=None, matrix=(),
        **choices(tx, "", messages=messages(officer)),
    )  # fmt: skip


@router.post("/report", dependencies=[Posted])
def make_report(
    request: Request,
    officer: MayRead,
    here: Here,
    queries: Lines = "",
    page: Line = "",
    platform: Line = "",
    kind: Line = "",
    since: Annotated[str, Form(alias="from", max_length=40)] = "",
    until: Annotated[str, Form(alias="to", max_length=40)] = "",
    form: Annotated[str, Form(alias="as", pattern="^(page|csv|xlsx|html)$")] = "page",
) -> Response:
    """The report, here or as a working copy."""
    filters = Filters.of({"page": page, "platform": platform, "kind": kind, "from": since, "to": until})
    told, mistake = None, None
    try:
        told = api.report(here, reports.listed(queries), filters, by=officer, taken=form != "page")
    except (BadQueryList, BadQuery) as error:
        mistake = error
    if told is not None and form != "page":
        return api.report_answer(here, told, Form_(form), by=officer)
    with here.store.database.read() as tx:
        shown = choices(tx, filters.page or "", messages=messages(officer))
    return show(
        request, "counsel-report.html", status_code=status_of(mistake) if mistake else 200,
        queries=queries, filters=filters, told=told, mistake=mistake,
        matrix=list(reports.matrix(told)) if told is not None else (), **shown,
    )  # fmt: skip


# -- saved searches ----------------------------------------------------------------------------------------


@router.get("/saved")
def list_saved(
    request: Request,
    officer: MayRead,
    here: Here,
    tx: ReadTx,
    question: Carried,
) -> Response:
    """Yours, and what is shared; the form is filled with the search that one comes from."""
    return _saved_list(request, here, tx, officer, question)


def _saved_list(
    request: Request,
    here: Parts,
    tx: Tx,
    officer: Officer,
    question: Question,
    mistake: ArchiveError | None = None,
    name: str = "",
) -> Response:
    return show(
        request,
        "saved.html",
        status_code=status_of(mistake) if mistake else 200,
        found=saved.listed(here.store, tx, by=officer),
        people=officers.emails(tx),
        question=question,
        filters=question.filters.as_json(),
        name=name,
        mistake=mistake,
        caret=caret(mistake) if mistake else None,
    )


@router.post("/saved", dependencies=[Posted])
def save(
    request: Request,
    officer: MayRead,
    here: Here,
    tx: RequestTx,
    question: Given,
    name: Line = "",
    everybody: Line = "",
    why: Line = "",
) -> Response:
    """Keep a search."""
    try:
        made = saved.save(
            here.store, tx, name, question, shared=bool(everybody), by=officer, why=why.strip() or "kept for later"
        )  # fmt: skip
    except (BadQuery, QueryNotSupported, BadSearchName, SearchNameTaken) as error:
        return _saved_list(request, here, tx, officer, question, error, name)
    return RedirectResponse(f"/search/saved/{made.id}", 303)


@router.get("/saved/{search}")
def run_saved(
    request: Request,
    search: UUID,
    officer: MayRead,
    here: Here,
    tx: RequestTx,
    since: Annotated[int | None, Query(ge=0, le=1 << 53)] = None,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """What it finds now; with `since`, what is new to it since the ledger had so many entries."""
    one = saved.get(here.store, tx, str(search), by=officer)
    asked = api.question_of(one.question, sort=Sort.NEWEST, limit=50, cursor=cursor)
    shown: dict[str, Any] = {
        "one": one,
        "asked": asked,
        "people": officers.emails(tx),
        "filters": one.question.filters.as_json(),
        "since": since,
    }
    try:
        otherwise = saved.understood_otherwise(one)
        query, found, hits = finding.find(here, tx, asked, by=officer)
    except (BadQuery, QueryNotSupported, BadCursor) as error:
        return show(
            request, "saved-one.html", status_code=status_of(error), found=None, mistake=error,
            caret=caret(error), otherwise=None, new=None, hits=(), **shown,
        )  # fmt: skip
    new = None
    if since is not None and since <= found.as_of:
        scope = Scope(here.store.agency.zone(), messages=messages(officer))
        history = LedgerSource(here.store)
        now = asof.hits(history, here.index, query.tree, scope, found.as_of)
        keys = sorted(now - asof.hits(history, here.index, query.tree, scope, since), reverse=True)
        new = len(keys)
        hits = records.read(here.store, tx, list(islice(keys, _NEW)), messages=messages(officer))
    return show(
        request,
        "saved-one.html",
        found=found,
        otherwise=otherwise,
        new=new,
        hits=finding.hits(here, tx, query, hits),
        mistake=None,
        caret=None,
        **shown,
    )


@router.post("/saved/{search}/rename", dependencies=[Posted])
def rename_saved(
    search: UUID, officer: MayRead, here: Here, tx: RequestTx, name: Line = "", why: Line = ""
) -> Response:
    """Give it another name."""
    one = saved.get(here.store, tx, str(search), by=officer)
    saved.rename(here.store, tx, one, name, by=officer, why=why.strip() or "named anew")
    return RedirectResponse(f"/search/saved/{search}", 303)


@router.post("/saved/{search}/remove", dependencies=[Posted])
def remove_saved(search: UUID, officer: MayRead, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Take it off the lists."""
    one = saved.get(here.store, tx, str(search), by=officer)
    saved.remove(here.store, tx, one, by=officer, why=reason(why))
    return RedirectResponse("/search/saved", 303)


@router.post("/saved/{search}/alert", dependencies=[Posted])
def set_alert(search: UUID, officer: MayRead, here: Here, tx: RequestTx) -> Response:
    """Be told by letter of what is new to it."""
    one = saved.get(here.store, tx, str(search), by=officer)
    alerts.begin(here.store, tx, one, by=officer, why="asked to be told")
    return RedirectResponse(f"/search/saved/{search}", 303)


@router.post("/saved/{search}/alert/end", dependencies=[Posted])
def end_alert(search: UUID, officer: MayRead, here: Here, tx: RequestTx) -> Response:
    """Be told no more."""
    one = saved.get(here.store, tx, str(search), by=officer)
    alerts.end(here.store, tx, one, by=officer, why="asked not to be told")
    return RedirectResponse(f"/search/saved/{search}", 303)


# -- declarations ------------------------------------------------------------------------------------------


@router.get("/declarations")
def list_declarations(
    request: Request,
    officer: MayDeclare,
    here: Here,
    tx: ReadTx,
    question: Carried,
) -> Response:
    """The drafts that were made; the form is filled with the search that one comes from."""
    return _declared(request, here, tx, officer, question)


def _declared(
    request: Request,
    here: Parts,
    tx: Tx,
    officer: Officer,
    question: Question,
    mistake: ArchiveError | None = None,
) -> Response:
    return show(
        request,
        "declarations.html",
        status_code=status_of(mistake) if mistake else 200,
        found=declarations.listed(here.store, tx, messages=messages(officer)),
        question=question,
        filters=question.filters.as_json(),
        mistake=mistake,
        caret=caret(mistake) if mistake else None,
    )


@router.post("/declarations", dependencies=[Posted])
def make_declaration(
    request: Request,
    officer: MayDeclare,
    here: Here,
    question: Given,
    why: Line = "",
) -> Response:
    """Search, and keep the draft."""
    try:
        made = api.declare(here, question, by=officer, why=reason(why))
    except (BadQuery, QueryNotSupported) as error:
        with here.store.database.read() as tx:
            return _declared(request, here, tx, officer, question, error)
    return RedirectResponse(f"/search/declarations/{made.id}", 303)


@router.get("/declarations/{declaration}")
def show_declaration(
    request: Request, declaration: UUID, officer: MayDeclare, here: Here, tx: RequestTx
) -> Response:
    """The draft."""
    kept = api.read(here, tx, declaration, by=officer)
    return _draft(request, kept, told=None)


@router.post("/declarations/{declaration}/again", dependencies=[Posted])
def again(request: Request, declaration: UUID, officer: MayDeclare, here: Here) -> Response:
    """Run it again."""
    told = api.run_again(here, declaration, by=officer)
    return _draft(request, told.declaration, told=declarations.again_sentences(told))


def _draft(request: Request, kept: declarations.Declaration, *, told: list[str] | None) -> Response:
    return show(
        request, "declaration.html", kept=kept, sections=drafts.sections(kept.facts), mark=drafts.MARK, told=told
    )  # fmt: skip


@router.get("/declarations/{declaration}/draft")
def draft(
    declaration: UUID,
    officer: MayDeclare,
    here: Here,
    tx: RequestTx,
    form: Annotated[Draft, Query(alias="as")] = Draft.TEXT,
) -> Response:
    """The draft as a file."""
    return api.draft_answer(api.read(here, tx, declaration, by=officer), form)

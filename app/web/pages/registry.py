"""The registry of pages, and their runs, for people."""

import json
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.capture import approvals, deeds, introductions, needs, overview, pages, policy, runs
from app.capture.overview import Standing
from app.capture.pages import About
from app.records.errors import ArchiveError
from app.web import paging
from app.web.api.registry import who
from app.web.forms import Posted, reason
from app.web.pages import registry_people
from app.web.paging import Cursor
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import show, took
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayConnect, MayDecidePages, MayDescribe, MayEnter, MayKeep, messages
from connectors import registry as connectors

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
router.include_router(registry_people.router)
Line = Annotated[str, Form(max_length=2_000)]
Lines = Annotated[str, Form(max_length=20_000)]
_PART = 50
_GAPS = 200


@router.get("/pages")
def list_pages(request: Request, officer: MayEnter, here: Here, tx: ReadTx) -> Response:
    """Every page."""
    return _listed(request, here, overview.standings(tx, messages=messages(officer)), _form())


@router.post("/pages", dependencies=[Posted])
def add(
    request: Request,
    officer: MayKeep,
    here: Here,
    connector: Line = "",
    address: Line = "",
    name: Line = "",
    custodian: Line = "",
    options: Lines = "",
    purpose: Line = "",
    scope: Line = "",
    audiences: Lines = "",
    official_site: Line = "",
    review_on: Line = "",
    profile: Line = "",
    why: Line = "",
) -> Response:
    """Put a page into the registry."""
    told = {
        "purpose": purpose,
        "scope": scope,
        "audiences": audiences,
        "official_site": official_site,
        "review_on": review_on,
        "profile": profile,
    }
    try:
        page = here.add_page(
            connector,
            address.strip(),
            name=name.strip() or None,
            custodian=custodian.strip(),
            options=_options(options),
            by=officer.id,
            why=reason(why),
            about=_about(told),
        )
    except ArchiveError as error:
        with here.store.database.read() as tx:
            standings = overview.standings(tx, messages=messages(officer))
        given = {
            "connector": connector,
            "address": address,
            "name": name,
            "custodian": custodian,
            "options": options,
            "why": why,
            **told,
        }
        return _listed(request, here, standings, _form(given, error), status_of(error))
    return RedirectResponse(f"/pages/{page.id}", 303)


@router.get("/pages/{page}")
def show_page(
    request: Request, page: UUID, officer: MayEnter, here: Here, tx: ReadTx, cursor: Cursor = None
) -> Response:
    """One page with its runs and its newest gaps."""
    found = pages.get(tx, str(page))
    part = overview.runs_before(tx, found, before=paging.number("runs", cursor), limit=_PART)
    standing = next(
        one for one in overview.standings(tx, messages=messages(officer)) if one.page.key == found.key
    )
    gaps = pages.newest_of(runs.gaps_of(here.store, tx, page=found.key, limit=_GAPS))
    facts, today = needs.of_one(here.store, tx, found), deeds.today(here.store)
    manifest = next((one for one in connectors.connectors() if one.name == found.connector), None)
    return show(
        request,
        "page.html",
        page=found,
        standing=standing,
        runs=part.runs,
        total=part.total,
        further=paging.cursor("runs", part.next),
        gaps=gaps,
        most_gaps=_GAPS,
        manifest=manifest,
        took=took,
        today=today,
        facts=facts,
        asked=facts.policy,
        profiles=policy.names(),
        due=needs.registry_needs([facts], today),
        owner_wrong=facts.owner_wrong(today),
        history=approvals.history(here.store, tx, found),
        means=introductions.MEANS,
        who=who(tx),
    )


@router.post("/pages/{page}/change", dependencies=[Posted])
def change(
    page: UUID,
    officer: MayDescribe,
    here: Here,
    tx: RequestTx,
    custodian: Line = "",
    purpose: Line = "",
    scope: Line = "",
    audiences: Lines = "",
    official_site: Line = "",
    review_on: Line = "",
    profile: Line = "",
    why: Line = "",
) -> Response:
    """Change what the registry says of a page: the form bears every field."""
    told = {
        "purpose": purpose,
        "scope": scope,
        "audiences": audiences,
        "official_site": official_site,
        "review_on": review_on,
        "profile": profile,
    }
    about = _about(told, custodian=custodian)
    pages.describe(here.store, tx, pages.get(tx, str(page)), about, by=officer.id, why=reason(why))
    return RedirectResponse(f"/pages/{page}", 303)


@router.post("/pages/{page}/approve", dependencies=[Posted])
def approve(
    page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, until: Line = "", why: Line = ""
) -> Response:
    """Approve a page, or approve it anew."""
    last = deeds.day(until, "the last day")
    pages.approve(here.store, tx, pages.get(tx, str(page)), by=officer.id, why=reason(why), until=last)
    return RedirectResponse(f"/pages/{page}", 303)


@router.post("/pages/{page}/withdraw", dependencies=[Posted])
def withdraw(page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Take the approval of a page back."""
    pages.withdraw(here.store, tx, pages.get(tx, str(page)), by=officer.id, why=reason(why))
    return RedirectResponse(f"/pages/{page}", 303)


@router.post("/pages/{page}/pause", dependencies=[Posted])
def pause(page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Pause a page."""
    found = pages.get(tx, str(page))
    pages.pause(here.store, tx, found, by=officer.id, why=reason(why), guards=here.guards)
    return RedirectResponse(f"/pages/{page}", 303)


@router.post("/pages/{page}/remove", dependencies=[Posted])
def remove(page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Capture a page no longer; it stays in the registry with its records."""
    found = pages.get(tx, str(page))
    pages.remove(here.store, tx, found, by=officer.id, why=reason(why), guards=here.guards)
    return RedirectResponse(f"/pages/{page}", 303)


@router.post("/pages/{page}/resume", dependencies=[Posted])
def resume(page: UUID, officer: MayDecidePages, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Resume a page."""
    pages.resume(here.store, tx, pages.get(tx, str(page)), by=officer.id, why=reason(why))
    return RedirectResponse(f"/pages/{page}", 303)


@router.post("/pages/{page}/connect", dependencies=[Posted])
def connect(
    page: UUID, officer: MayConnect, here: Here, tx: RequestTx, secret: Lines = "", why: Line = ""
) -> Response:
    """Seal a page's credentials."""
    pages.connect(
        here.store, tx, pages.get(tx, str(page)), _credentials(secret), by=officer.id, why=reason(why)
    )
    return RedirectResponse(f"/pages/{page}", 303)


@router.post("/pages/{page}/capture", dependencies=[Posted])
def capture(page: UUID, officer: MayKeep, here: Here, why: Line = "") -> Response:
    """Start a capture now."""
    with here.store.database.read() as tx:
        found = pages.get(tx, str(page))
    here.capture(found.id, officer.id, reason(why))
    return RedirectResponse(f"/pages/{page}", 303)


@router.get("/runs")
def list_runs(request: Request, _: MayEnter, tx: ReadTx, cursor: Cursor = None) -> Response:
    """The runs of every page, newest first."""
    part = overview.runs_before(tx, before=paging.number("runs", cursor), limit=_PART)
    return show(
        request,
        "runs.html",
        runs=part.runs,
        total=part.total,
        further=paging.cursor("runs", part.next),
        pages={page.key: page for page in pages.listed(tx)},
        took=took,
    )


@router.get("/runs/{run}")
def show_run(request: Request, run: UUID, _: MayEnter, here: Here, tx: ReadTx) -> Response:
    """One run with its gaps."""
    found = overview.run(tx, run)
    gaps = runs.gaps_of(here.store, tx, run=found.key, limit=10_000)
    page = next((one for one in pages.listed(tx) if one.key == found.page), None)
    return show(request, "run.html", run=found, page=page, gaps=gaps, took=took)


def _form(given: dict[str, str] | None = None, error: ArchiveError | None = None) -> dict[str, Any]:
    names = ("connector", "address", "name", "custodian", "options", "why", *_ABOUT)
    return {
        "connectors": connectors.connectors(),
        "given": given or dict.fromkeys(names, ""),
        "error": error,
        "profiles": policy.names(),
    }


def _listed(
    request: Request, here: Parts, standings: Sequence[Standing], form: dict[str, Any], status: int = 200
) -> Response:
    today = deeds.today(here.store)
    return show(request, "pages.html", status_code=status, standings=standings, today=today, **form)


_ABOUT = ("purpose", "scope", "audiences", "official_site", "review_on", "profile")


def _about(told: dict[str, str], custodian: str | None = None) -> About:
    """What a form says of a page; audiences stand one a line."""
    return About(
        purpose=told["purpose"],
        scope=told["scope"],
        audiences=told["audiences"].splitlines(),
        custodian=custodian,
        official_site=told["official_site"],
        review_on=told["review_on"],
        policy=told["profile"],
    )


def _options(text: str) -> dict[str, str]:
    """`name=value` a line."""
    found = {}
    for line in text.splitlines():
        if line.strip():
            name, equals, value = line.partition("=")
            if not equals or not name.strip():
                raise pages.BadPage(f"the option {line.strip()[:80]!r} is not name=value")
            found[name.strip()] = value.strip()
    return found


def _credentials(text: str) -> dict[str, str]:
    """`name=value` a line, or a JSON object; what was typed is in no message."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise pages.BadPage("the credentials are not a JSON object of names and values")
        return found
    pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
    if not all(equals and name.strip() for name, equals, _ in pairs):
        raise pages.BadPage("the credentials are not name=value, one a line")
    return {name.strip(): value.strip() for name, _, value in pairs}

"""Connecting a page: what its manager sees who has a link and no account, and what records staff see of it."""

from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.capture import credentials, hints, hooks, pages
from app.capture.connecting import Connected, LinkSpent, Opened
from app.records.errors import ArchiveError, Invalid
from app.records.nouns import Page
from app.web.forms import Posted, reason, visit
from app.web.parts import Here
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx
from app.web.who import MayConnect
from connectors.contract import ByHand

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=2_000)]
Values = Annotated[list[str], Form()]
_MOST = 200


@router.get("/connect/back")
def back(request: Request, here: Here) -> Response:
    """Where platforms lead managers back to."""
    asked = dict(list(request.query_params.items())[:_MOST])
    try:
        connected = here.desk.back(asked, browser=_browser(request))
    except ArchiveError as error:
        return _not_connected(request, error)
    return _connected(request, connected)


@router.get("/connect/{secret}")
def opened(request: Request, here: Here, secret: str) -> Response:
    """What a link opens. Looking at it does not use it."""
    try:
        found = here.desk.opened(secret)
    except LinkSpent as error:
        return _not_connected(request, error)
    return _form(request, found, secret)


@router.post("/connect/{secret}", dependencies=[Posted])
def fill_in(
    request: Request,
    here: Here,
    secret: str,
    values: Values = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Connect the page with what its manager entered; nothing of it is shown again."""
    try:
        found = here.desk.opened(secret)
        fields = found.sign_in.fields if isinstance(found.sign_in, ByHand) else ()
        given = dict(zip((one.name for one in fields), values, strict=False))
        connected = here.desk.fill_in(secret, given)
    except Invalid as error:
        return _form(request, here.desk.opened(secret), secret, error)
    except ArchiveError as error:
        return _not_connected(request, error)
    return _connected(request, connected)


@router.post("/connect/{secret}/leave", dependencies=[Posted])
def leave(request: Request, here: Here, secret: str) -> Response:
    """Show where the manager is led: a link, so that no form is answered by another site."""
    try:
        address = here.desk.leave(secret, browser=_browser(request))
    except ArchiveError as error:
        return _not_connected(request, error)
    found = here.desk.opened(secret)
    return show(request, "connect-leave.html", opened=found, address=address, host=urlsplit(address).hostname)


@router.get("/pages/{page}/connection")
def standing(request: Request, page: UUID, _: MayConnect, here: Here, tx: ReadTx) -> Response:
    """How the page is connected, for records staff."""
    return _standing(request, here, pages.get(tx, str(page)))


@router.post("/pages/{page}/connection/invite", dependencies=[Posted])
def invite(
    request: Request, page: UUID, officer: MayConnect, here: Here, email: Line = "", why: Line = ""
) -> Response:
    """Ask the page's manager to connect it."""
    with here.store.database.read() as tx:
        found = pages.get(tx, str(page))
    try:
        made = here.invite_manager(found, email, officer, reason(why))
    except ArchiveError as error:
        return _standing(request, here, found, error=error, email=email, why=why)
    return _standing(request, here, found, made=made)


@router.post("/pages/{page}/connection/check", dependencies=[Posted])
def check(request: Request, page: UUID, _: MayConnect, here: Here) -> Response:
    """Ask the platform what the page's connection lacks."""
    with here.store.database.read() as tx:
        found = pages.get(tx, str(page))
    return _standing(request, here, found, findings=here.desk.look(found))


@router.post("/pages/{page}/connection/forget", dependencies=[Posted])
def forget(request: Request, page: UUID, officer: MayConnect, here: Here, why: Line = "") -> Response:
    """Destroy the page's credentials."""
    with here.store.database.read() as tx:
        found = pages.get(tx, str(page))
    try:
        forgotten, platform = here.desk.forget(found, by=officer.id, why=reason(why))
    except ArchiveError as error:
        return _standing(request, here, found, error=error)
    return _standing(request, here, forgotten, findings=[platform] if platform is not None else None)


def _browser(request: Request) -> str:
    """What this browser comes back with; a session or a visit, as the forms of this browser bear it."""
    return visit(request)


def _form(request: Request, found: Opened, secret: str, error: ArchiveError | None = None) -> Response:
    return show(
        request,
        "connect.html",
        status_code=200 if error is None else status_of(error),
        opened=found,
        secret=secret,
        by_hand=isinstance(found.sign_in, ByHand),
        error=error,
    )


def _connected(request: Request, connected: Connected) -> Response:
    return show(request, "connect-done.html", connected=connected)


def _not_connected(request: Request, error: ArchiveError) -> Response:
    return show(request, "connect-not.html", status_code=status_of(error), error=error)


def _standing(request: Request, here: Here, page: Page, **more: Any) -> Response:
    told: dict[str, Any] = {"made": None, "findings": None, "error": None, "email": "", "why": "", **more}
    with here.store.database.read() as tx:
        connection = credentials.connection(here.store, tx, page)
        door = here.door(page.connector)
        told_by = hooks.standing(tx, [door] if door else [], here.settings.public_url)
        hinted = hints.of_page(tx, page)
    now = here.store.clock.now()
    error = told["error"]
    return show(
        request,
        "connect-standing.html",
        status_code=200 if error is None else status_of(error),
        page=page,
        connection=connection,
        door=told_by[0] if told_by else None,
        door_troubles=[said for one in told_by for said in hooks.troubles(one, now)],
        hinted=hinted,
        **told,
    )

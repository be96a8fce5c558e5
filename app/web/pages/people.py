"""Accounts, for administrators: who is in, what they may do, inviting and shutting out."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app import officers
from app.officers import MailNotSent
from app.records.errors import ArchiveError
from app.records.nouns import Role
from app.web.forms import Posted, reason
from app.web.parts import Here
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayManagePeople

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=2_000)]
Roles = Annotated[list[str], Form()]


@router.get("/users")
def list_users(request: Request, _: MayManagePeople, tx: ReadTx) -> Response:
    """Everybody."""
    return show(request, "users.html", users=officers.list_all(tx), **_form())


@router.post("/users", dependencies=[Posted])
def invite(
    request: Request,
    officer: MayManagePeople,
    here: Here,
    roles: Roles = [],  # noqa: B006 - FastAPI copies it
    email: Line = "",
    name: Line = "",
    why: Line = "",
) -> Response:
    """Invite somebody; the letter goes after the account is open, and where it cannot go, the link is shown once."""
    try:
        with here.store.database.begin() as tx:
            made = officers.add(here.store, tx, email, roles, name=name, by=officer, why=reason(why))
    except ArchiveError as error:
        with here.store.database.read() as tx:
            users = officers.list_all(tx)
        given: dict[str, Any] = {"email": email, "name": name, "why": why, "roles": roles}
        return show(request, "users.html", status_code=status_of(error), users=users, **_form(given, error))
    base_url = here.settings.public_url
    letter = officers.invitation_letter(
        here.store.agency, made.officer, made.secret, made.until, by=officer, base_url=base_url
    )
    link = None
    try:
        here.mailer.send(letter.to, letter.subject, letter.text)
    except MailNotSent:
        link = f"{base_url.rstrip('/')}{officers.INVITATION_PATH}{made.secret}"
    return show(request, "invited.html", invited=made.officer, until=made.until, link=link)


@router.get("/users/{user}")
def show_user(request: Request, user: UUID, _: MayManagePeople, tx: ReadTx) -> Response:
    """One account."""
    return show(request, "user.html", user=officers.get(tx, user), link=None)


@router.post("/users/{user}/roles", dependencies=[Posted])
def change_roles(
    user: UUID,
    officer: MayManagePeople,
    here: Here,
    tx: RequestTx,
    roles: Roles = [],  # noqa: B006 - FastAPI copies it
    why: Line = "",
) -> Response:
    """Give an officer exactly these roles."""
    officers.change_roles(here.store, tx, officers.get(tx, user), roles, by=officer, why=reason(why))
    return RedirectResponse(f"/users/{user}", 303)


@router.post("/users/{user}/deactivate", dependencies=[Posted])
def deactivate(user: UUID, officer: MayManagePeople, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Shut an officer out."""
    officers.deactivate(here.store, tx, officers.get(tx, user), by=officer, why=reason(why))
    return RedirectResponse(f"/users/{user}", 303)


@router.post("/users/{user}/reset", dependencies=[Posted])
def make_reset(
    request: Request, user: UUID, officer: MayManagePeople, here: Here, tx: RequestTx, why: Line = ""
) -> Response:
    """Make a reset link to hand over; it is shown once."""
    found = officers.get(tx, user)
    secret = officers.make_reset(here.store, tx, found, by=officer, why=reason(why))
    link = f"{here.settings.public_url.rstrip('/')}{officers.RESET_PATH}{secret}"
    return show(request, "user.html", user=found, link=link)


def _form(given: dict[str, Any] | None = None, error: ArchiveError | None = None) -> dict[str, Any]:
    return {
        "given": given or {"email": "", "name": "", "why": "", "roles": []},
        "error": error,
        "all_roles": list(Role),
    }

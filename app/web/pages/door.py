"""Coming in and going out: signing in, forgotten passwords, invitations."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app import officers
from app.officers import Denied, MailNotSent, PasswordNotAccepted
from app.web.forms import SESSION, Posted
from app.web.parts import Here
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import RequestTx
from app.web.who import address, drop_session, keep_session

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Text = Annotated[str, Form(max_length=2_000)]
_LONGEST_WAY_BACK = 2_000


@router.get("/sign-in")
def ask(request: Request, next: str = "/") -> Response:
    """The form."""
    return show(request, "sign-in.html", email="", back=way_back(next), error=None)


@router.post("/sign-in", dependencies=[Posted])
def sign_in(
    request: Request, here: Here, tx: RequestTx, email: Text = "", password: Text = "", next: Text = "/"
) -> Response:
    """Sign in; whatever was wrong, the answer is the same, and the try is counted."""
    outcome = officers.sign_in(here.store, tx, email, password, address=address(request))
    if isinstance(outcome, Denied):
        answer: Response = show(
            request,
            "sign-in.html",
            status_code=status_of(outcome.error),
            email=email,
            back=way_back(next),
            error=outcome.error,
        )
        return answer
    if old := request.cookies.get(SESSION):
        officers.sign_out(here.store, tx, old)
    answer = RedirectResponse(way_back(next), 303)
    keep_session(here, request, answer, outcome.token)
    return answer


@router.post("/sign-out", dependencies=[Posted])
def sign_out(request: Request, here: Here, tx: RequestTx) -> Response:
    """End the session."""
    if session := request.cookies.get(SESSION):
        officers.sign_out(here.store, tx, session)
    answer = RedirectResponse("/sign-in", 303)
    drop_session(here, request, answer)
    return answer


@router.get("/forgot")
def forgot(request: Request) -> Response:
    """The form that asks for a reset link."""
    return show(request, "forgot.html", said=None, error=None)


@router.post("/forgot", dependencies=[Posted])
def ask_reset(request: Request, here: Here, tx: RequestTx, email: Text = "") -> Response:
    """Mail a reset link to the account, if there is one; everybody is told the same."""
    try:
        said = officers.ask_reset(
            here.store, tx, here.mailer, email, base_url=here.settings.public_url, address=address(request)
        )
    except MailNotSent as error:
        return show(request, "forgot.html", status_code=status_of(error), said=None, error=error)
    return show(request, "forgot.html", said=said, error=None)


@router.get("/reset/{secret}")
def choose_new(request: Request, secret: str) -> Response:
    """The form that a reset link opens. Looking at it does not use the link."""
    return show(request, "password.html", kind="reset", secret=secret, error=None)


@router.post("/reset/{secret}", dependencies=[Posted])
def reset(
    request: Request, here: Here, tx: RequestTx, secret: str, password: Text = "", again: Text = ""
) -> Response:
    """Keep the new password; the link is spent."""
    try:
        officers.reset(here.store, tx, secret, same(password, again))
    except PasswordNotAccepted as error:
        tx.rollback()
        return show(request, "password.html", status_code=422, kind="reset", secret=secret, error=error)
    return show(request, "password-kept.html", token=None)


@router.get("/invitation/{secret}")
def invited(request: Request, secret: str) -> Response:
    """The form that an invitation opens. Looking at it does not use the invitation."""
    return show(request, "password.html", kind="invitation", secret=secret, error=None)


@router.post("/invitation/{secret}", dependencies=[Posted])
def accept(request: Request, here: Here, secret: str, password: Text = "", again: Text = "") -> Response:
    """Come in; the token for the command line is shown once."""
    try:
        with here.store.database.begin() as tx:
            accepted = officers.accept(here.store, tx, secret, same(password, again))
    except PasswordNotAccepted as error:
        return show(request, "password.html", status_code=422, kind="invitation", secret=secret, error=error)
    return show(request, "password-kept.html", token=accepted.token)


def same(password: str, again: str) -> str:
    """A password that was typed twice alike."""
    if password != again:
        raise PasswordNotAccepted("the two passwords differ", next="Type the same one twice.")
    return password


def way_back(wanted: str) -> str:
    """Where to go after signing in: a place here, never another site."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    if not plain or "\\" in wanted or len(wanted) > _LONGEST_WAY_BACK or wanted.startswith("/api/"):
        return "/"
    return wanted

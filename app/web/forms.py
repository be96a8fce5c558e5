"""Forms that somebody else's page cannot post in an officer's name.

Each form bears an HMAC of the session that it was made for, or, before anyone
is signed in, of a random cookie; both halves must come back together.
"""

import hmac
import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request, Response

from app.records.errors import Invalid, NotPermitted
from app.web.parts import Here, Parts

SESSION = "muniment_session"
VISIT = "muniment_visit"
SAFE = {"GET", "HEAD", "OPTIONS"}
_LONGEST_WHY = 2_000


class FormExpired(NotPermitted):
    """The form was not made for this session: it is an old one, or another site's."""

    code = "form-expired"


class ReasonMissing(Invalid):
    """A change was asked for without saying why."""

    code = "reason-missing"


def is_api(request: Request) -> bool:
    """Whether a program asks, not a page."""
    return request.url.path.startswith("/api/")


def is_safe(here: Parts, request: Request) -> bool:
    """Whether the browser reaches us over TLS."""
    return request.url.scheme == "https" or urlsplit(here.settings.public_url).scheme == "https"


def bound(here: Parts, to: str) -> str:
    """The mark that a form bears for one session or visit."""
    return hmac.new(
        here.store.keyring.named("web/forms"), to.encode("utf-8", "surrogatepass"), "sha256"
    ).hexdigest()


def check(here: Parts, to: str, given: str) -> None:
    """Raise `FormExpired` unless `given` was made for that session or visit."""
    if not to or not hmac.compare_digest(bound(here, to).encode(), given.encode("utf-8", "surrogatepass")):
        raise FormExpired(
            "this form is not of your session", next="Go back, load the page again, and send it once more."
        )


def posted(request: Request, here: Here, csrf: Annotated[str, Form()] = "") -> None:
    """Let a posted form through only if it is of this session or visit, and no other site sent it."""
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise FormExpired("another site sent this form", next="Open the page here and send it from there.")
    check(here, request.cookies.get(SESSION) or request.cookies.get(VISIT, ""), csrf)


Posted = Depends(posted)
"""Stands in the `dependencies` of every route that takes a form."""


def visit(request: Request) -> str:
    """What the forms of this browser are bound to: its session, its visit, or a new visit."""
    known = request.cookies.get(SESSION) or request.cookies.get(VISIT)
    if known:
        return known
    made: str | None = getattr(request.state, "visit", None)
    if made is None:
        made = request.state.visit = secrets.token_urlsafe(24)
    return made


def keep_visit(here: Parts, request: Request, response: Response) -> None:
    """Hand the browser the visit that its forms were made for."""
    made: str | None = getattr(request.state, "visit", None)
    if made is not None:
        response.set_cookie(
            VISIT, made, httponly=True, samesite="lax", secure=is_safe(here, request), path="/"
        )


def reason(why: str) -> str:
    """The reason that a change must have."""
    if not why.strip():
        raise ReasonMissing("a change needs a reason", next="Say why, in a sentence.")
    if len(why) > _LONGEST_WHY:
        raise ReasonMissing(f"a reason has at most {_LONGEST_WHY} characters")
    return why.strip()

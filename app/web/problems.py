"""Errors, as programs and people are told: one table from family to status, RFC 9457 for programs, a page for people."""

import logging
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from app.officers import NotSignedIn, TooManyTries
from app.records.errors import (
    ArchiveError,
    IntegrityFailure,
    Invalid,
    NotFound,
    NotPermitted,
    Refused,
    Unavailable,
)
from app.web import forms, showing
from app.web.showing import show

_log = logging.getLogger("muniment.web")

STATUSES: tuple[tuple[type[ArchiveError], int], ...] = (
    (NotSignedIn, 401),
    (NotPermitted, 403),
    (TooManyTries, 429),
    (Invalid, 422),
    (NotFound, 404),
    (Refused, 409),
    (Unavailable, 503),
    (IntegrityFailure, 500),
)
"""The first that fits counts."""

MEDIA_TYPE = "application/problem+json"
_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")


def status_of(error: ArchiveError) -> int:
    """The status of an error's family."""
    return next((status for family, status in STATUSES if isinstance(error, family)), 500)


def install(app: FastAPI) -> None:
    """Answer every error in one form."""
    app.add_exception_handler(ArchiveError, _archive)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _archive(request: Request, error: Exception) -> Response:
    assert isinstance(error, ArchiveError)
    status, headers = status_of(error), {}
    if isinstance(error, IntegrityFailure):
        _log.error("integrity failure: %s", error.code)
    if status == 401:
        if not _for_programs(request):
            return _to_sign_in(request)
        headers = {"WWW-Authenticate": "Bearer"}
    if isinstance(error, TooManyTries):
        headers = {"Retry-After": str(max(1, int(error.after.total_seconds())))}
    elif status == 503:
        headers = {"Retry-After": "5"}
    return _told(request, status, error.code, str(error), error.next, headers, _more(error))


def _more(error: ArchiveError) -> dict[str, object]:
    """What some errors say beside words: where in the query, or in which parameter, the mistake is."""
    place = {name: getattr(error, name, None) for name in ("position", "length", "part", "parameter")}
    return {
        name: showing.in_characters(value) if isinstance(value, str) else value
        for name, value in place.items()
        if isinstance(value, (int, str)) and value != ""
    }


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = [
        {
            "where": showing.in_characters(".".join(map(str, one["loc"]))),
            "what": showing.in_characters(one["msg"]),
        }
        for one in error.errors()
    ]
    said = "; ".join(f"{one['where']}: {one['what']}" for one in wrong)
    return _told(request, 422, "invalid", said, "Correct it and ask again.", {}, {"errors": wrong})


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 403: "not-permitted", 413: "invalid"}.get(error.status_code, "invalid")
    said = {404: "nothing is at this address"}.get(error.status_code, str(error.detail).lower())
    return _told(request, error.status_code, code, said, "", dict(error.headers or {}), {})


def _unexpected(request: Request, error: Exception) -> Response:
    """Say that it is our fault, and nothing else: what went wrong stands in the log."""
    _log.error("unexpected: %s", type(error).__name__)
    return _told(
        request,
        500,
        "unexpected",
        "this should not have happened; nothing was changed",
        "Tell your operator when it happened; the log has the rest.",
        {},
        {},
    )


def _told(
    request: Request,
    status: int,
    code: str,
    said: str,
    what_next: str,
    headers: dict[str, str],
    more: dict[str, object],
) -> Response:
    title = HTTPStatus(status).phrase
    if _for_programs(request):
        body = {
            "type": f"urn:muniment:error:{code}",
            "title": title,
            "status": status,
            "detail": showing.in_characters(said),
            "code": code,
            "next": showing.in_characters(what_next),
            **more,
        }
        return JSONResponse(body, status, headers, MEDIA_TYPE)
    answer = show(
        request, "error.html", status=status, code=code, title=title, said=said, what_next=what_next
    )
    answer.status_code = status
    answer.headers.update(headers)
    return answer


def _for_programs(request: Request) -> bool:
    return forms.is_api(request) or request.url.path.startswith(_PROGRAMS)


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path
    if request.method != "GET" or wanted == "/":
        return RedirectResponse("/sign-in", 303)
    back = wanted + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(back, safe='')}", 303)

"""The doors at which platforms tell by themselves what happened. Nobody signs in here: a delivery is signed instead.

Whoever calls learns nothing but whether they were heard: the answers have no
words, and are the same whatever was wrong.
"""

import asyncio
import logging
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.requests import ClientDisconnect

from app.capture import hooks
from app.officers.tries import neighbourhood
from app.records.errors import ArchiveError
from app.web.parts import Here, Parts
from app.web.who import address
from connectors.webhooks import LONGEST, Refused

router = APIRouter(include_in_schema=False)
_NAME = re.compile("[a-z0-9_-]{1,64}")
_log = logging.getLogger("muniment.web")
_HEARD, _REFUSED, _TOO_SLOW, _TOO_LONG, _TOO_MUCH, _LATER = 200, 403, 408, 413, 429, 503
_PATIENCE = 10.0
"""Seconds within which a delivery must have come whole."""


async def delivery(request: Request, here: Here) -> bytes | int:
    """The body as it was sent, or with which status it is refused unread: what is too long, too slow, or too much.

    It is read here because only what arrives bit by bit can be left unread;
    all else of the program waits in threads.
    """
    if here.refusals.too_many(_whence(request), here.store.clock.now()):
        return _TOO_MUCH
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > LONGEST:
        return _TOO_LONG
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST:
                    return _TOO_LONG
    except (TimeoutError, ClientDisconnect):  # whoever left before the end is not there to be answered
        return _TOO_SLOW
    return bytes(body)


@router.get("/hooks/{connector}")
def greet(request: Request, connector: str, here: Here) -> Response:
    """Answer the platform that asks whether this door is ours."""
    if here.refusals.too_many(_whence(request), here.store.clock.now()):
        return _silent(_TOO_MUCH)
    try:
        door = _door(here, connector)
        if door is None:
            return _silent(_REFUSED)
        answer = hooks.greet(here.store, door, dict(request.query_params))
    except ArchiveError as error:
        return _later(error)
    if isinstance(answer, Refused):
        return _refused(request, here, connector, answer.why)
    return Response(answer.body, media_type=answer.media_type)


# A platform signs its deliveries instead of bearing a form's mark. The framework's limit lies above ours, which
# is kept where the body is read, so that the operator is told.
@router.post("/hooks/{connector}", max_body_size=2 * LONGEST)
def deliver(
    request: Request, connector: str, here: Here, body: Annotated[bytes | int, Depends(delivery)]
) -> Response:
    """Take a delivery: 200 when where it says to look is remembered for good, and not before."""
    if isinstance(body, int):
        if body == _TOO_LONG and _known(here, connector):
            here.refusals.count(connector, hooks.TOO_LONG, _whence(request), here.store.clock.now())
        return _silent(body)
    try:
        door = _door(here, connector)
        if door is None:
            return _silent(_REFUSED)
        outcome = hooks.delivered(here.store, door, body, request.headers)
    except ArchiveError as error:
        return _later(error)
    if isinstance(outcome, Refused):
        return _refused(request, here, connector, outcome.why)
    return _silent(_HEARD)


def _door(here: Parts, connector: str) -> hooks.Door | None:
    return here.door(connector) if _NAME.fullmatch(connector) else None


def _known(here: Parts, connector: str) -> bool:
    try:
        return _door(here, connector) is not None
    except ArchiveError:
        return False


def _refused(request: Request, here: Parts, connector: str, why: str) -> Response:
    here.refusals.count(connector, why, _whence(request), here.store.clock.now())
    return _silent(_REFUSED)


def _later(error: ArchiveError) -> Response:
    """What was not written down comes again; the operator finds the reason in the log."""
    _log.error("a delivery could not be taken: %s", error.code)
    return Response(status_code=_LATER, headers={"Retry-After": "60"})


def _silent(status: int) -> Response:
    return Response(status_code=status)


def _whence(request: Request) -> str:
    return neighbourhood(address(request) or "")

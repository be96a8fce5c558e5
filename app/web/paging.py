"""Cursors: where a list goes on. They mean nothing to anybody but the list that made them."""

import base64
import binascii
from typing import Annotated

from fastapi import Query

from app.index.engine import BadCursor

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
Cursor = Annotated[str | None, Query(description="`next` of the answer before.")]


def cursor(kind: str, number: int | None) -> str | None:
    """The cursor that goes on before `number` in a list of that kind."""
    if number is None:
        return None
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def number(kind: str, given: str | None) -> int | None:
    """What a cursor of that kind says, or `BadCursor`."""
    if not given:
        return None
    try:
        said, _, place = (
            base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode("ascii").partition(":")
        )
        if said == kind and place.isascii() and place.isdigit() and int(place) < 1 << 62:
            return int(place)
    except (binascii.Error, ValueError):
        pass
    raise BadCursor("this cursor was not made by this list", next="Begin again without one.")

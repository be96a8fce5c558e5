"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from connectors import pieces, spans
from connectors.contract import Span
from connectors.pieces import Malformed, Seen, value

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer of a list: its items, how many LinkedIn counts, and the place to which its next link leads."""

    items: list[Seen[T]]
    total: int | None
    leads: int | None


class _Link(msgspec.Struct):
    rel: str = ""
    href: str = ""


class _Paging(msgspec.Struct):
    total: int | None = None
    links: list[_Link] = []


def moment(told: int | None) -> datetime | None:
    """A time in milliseconds since 1970; None where it is none."""
    if told is None:
        return None
    try:
        return datetime.fromtimestamp(told / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def one(body: bytes, exchange: int, shape: type[T]) -> Seen[T]:
    """Read a whole body as one object."""
    return pieces.one(body, exchange, shape, "LinkedIn")


def many(body: bytes, exchange: int, shape: type[T]) -> Answer[T]:
    """Read a body as one answer of a list. Every item has its own bytes."""
    try:
        members = spans.object_members(body, spans.document(body))
        if "elements" not in members:
            raise Malformed("the answer is not of LinkedIn's shape: a list without its elements")
        items = [_item(body, at, exchange, shape) for at in spans.array_items(body, *members["elements"])]
        paging = _Paging()
        if "paging" in members:
            start, end = members["paging"]
            paging = value(body[start:end], _Paging)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "LinkedIn")) from error
    return Answer(items, paging.total, _leads(paging))


def results(body: bytes, exchange: int, shape: type[T]) -> tuple[dict[str, Seen[T]], dict[str, int]]:
    """Read an answer about several ids (`?ids=`): each object by its id, and the status of those that were refused."""
    try:
        members = spans.object_members(body, spans.document(body))
        if "results" not in members:
            raise Malformed("the answer is not of LinkedIn's shape: no results for what was asked by id")
        found = {
            unquote(name): _item(body, at, exchange, shape)
            for name, at in spans.object_members(body, members["results"]).items()
        }
        refused: dict[str, int] = {}
        if "errors" in members:
            start, end = members["errors"]
            for name, told in value(body[start:end], dict[str, Any]).items():
                status = told.get("status") if isinstance(told, dict) else None
                refused[unquote(name)] = status if isinstance(status, int) else 0
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "LinkedIn")) from error
    return found, refused


def _item(body: bytes, at: tuple[int, int], exchange: int, shape: type[T]) -> Seen[T]:
    return Seen(value(body[at[0] : at[1]], shape), Span(exchange, *at))


def _leads(paging: _Paging) -> int | None:
    """The place to which the next link leads. The link itself is not followed: it may name anything."""
    for link in paging.links:
        if link.rel == "next":
            start = dict(parse_qsl(urlsplit(link.href).query)).get("start", "")
            if start.isascii() and start.isdecimal():
                return int(start[:9])
    return None

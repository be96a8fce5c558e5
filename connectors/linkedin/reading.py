"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from connectors import pieces, spans
from connectors.contract import Span
from connectors.pieces import STRANGE, Malformed, Seen, Unread, value

T = TypeVar("T")


NAMELESS = "?"
"""What an item is called of which not even the name can be read."""


class Strange(Malformed):
    """What was answered is JSON, and of another shape than what was asked for: no sign-in page, and no firewall."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer of a list: its items, how many LinkedIn counts, and the place to which its next link leads.

    `unread` are those that are of another shape. They have their places in the list as well.
    """

    items: list[Seen[T]]
    total: int | None
    leads: int | None
    unread: list[Unread] = field(default_factory=list)

    def names(self, name: Callable[[T], str]) -> list[str]:
        """What all of them are called, in the order in which they stand."""
        told = [(seen.span.start, name(seen.what)) for seen in self.items]
        told += [(one.span.start, one.id or NAMELESS) for one in self.unread]
        return [called for _, called in sorted(told)]


@dataclass(frozen=True, slots=True)
class Results(Generic[T]):
    """An answer about several ids: each object by its id, the status of those that were refused, and what is of another shape."""

    items: dict[str, Seen[T]]
    refused: dict[str, int]
    unread: list[Unread]


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
    try:
        return pieces.one(body, exchange, shape, "LinkedIn")
    except Malformed as error:
        raise _malformed(body, error) from error


def many(body: bytes, exchange: int, shape: type[T], called: str = "id") -> Answer[T]:
    """Read a body as one answer of a list. Every item has its own bytes, and is `called` by that member."""
    try:
        members = spans.object_members(body, spans.document(body))
        if "elements" not in members:
            raise Malformed("the answer is not of LinkedIn's shape: a list without its elements")
        told = pieces.sorted_out(body, members["elements"], exchange, shape, name=called)
        paging = _Paging()
        if "paging" in members:
            start, end = members["paging"]
            paging = value(body[start:end], _Paging)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _malformed(body, error) from error
    return Answer(told.items, paging.total, _leads(paging), told.unread)


def results(body: bytes, exchange: int, shape: type[T]) -> Results[T]:
    """Read an answer about several ids (`?ids=`). Where none of several objects can be read, the answer cannot."""
    found: dict[str, Seen[T]] = {}
    unread: list[Unread] = []
    try:
        members = spans.object_members(body, spans.document(body))
        if "results" not in members:
            raise Malformed("the answer is not of LinkedIn's shape: no results for what was asked by id")
        for name, at in spans.object_members(body, members["results"]).items():
            span = Span(exchange, *at)
            try:
                found[unquote(name)] = Seen(value(body[at[0] : at[1]], shape), span)
            except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
                unread.append(Unread(unquote(name), span, str(fault)))
        if not found and len(unread) >= STRANGE:
            raise Malformed(f"the answer is not of LinkedIn's shape: {unread[-1].why}")
        refused: dict[str, int] = {}
        if "errors" in members:
            start, end = members["errors"]
            for name, told in value(body[start:end], dict[str, Any]).items():
                status = told.get("status") if isinstance(told, dict) else None
                refused[unquote(name)] = status if isinstance(status, int) else 0
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _malformed(body, error) from error
    return Results(found, refused, unread)


def _malformed(body: bytes, error: Exception) -> Malformed:
    """What is wrong with an answer, in an officer's words."""
    told = pieces.why(body, error, "LinkedIn")
    try:
        msgspec.json.decode(body[slice(*spans.document(body))])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Malformed(told)
    return Strange(told)


def _leads(paging: _Paging) -> int | None:
    """The place to which the next link leads. The link itself is not followed: it may name anything."""
    for link in paging.links:
        if link.rel == "next":
            start = dict(parse_qsl(urlsplit(link.href).query)).get("start", "")
            if start.isascii() and start.isdecimal():
                return int(start[:9])
    return None

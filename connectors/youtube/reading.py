"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from connectors import pieces, spans
from connectors.contract import Span
from connectors.pieces import Malformed, Seen, value

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer of a list: its items, what leads to the next one, and how many YouTube counts in all."""

    items: list[Seen[T]]
    following: str | None
    total: int | None
    body: bytes


class _PageInfo(msgspec.Struct, rename="camel"):
    total_results: int | None = None


class _Head(msgspec.Struct, rename="camel"):
    """What stands beside the items of a list."""

    kind: str
    next_page_token: str | None = None
    page_info: _PageInfo | None = None


def many(body: bytes, exchange: int, shape: type[T], kind: str) -> Answer[T]:
    """Read a body as one answer of a list of that kind ("videoListResponse").

    YouTube leaves `items` out where there are none. That is taken for an empty
    list only where the rest of the answer is what it should be.
    """
    try:
        members = spans.object_members(body, spans.document(body))
        head = value(_beside(body, members), _Head)
        if head.kind != f"youtube#{kind}":
            raise Malformed(f"the answer calls itself {head.kind!r}, and should be {kind}")
        total = head.page_info.total_results if head.page_info else None
        if "items" not in members and total != 0:
            raise Malformed("the answer is not of YouTube's shape: a list without its items")
        items = pieces.items(body, members["items"], exchange, shape) if "items" in members else []
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "YouTube")) from error
    return Answer(items, head.next_page_token or None, total, body)


def within(body: bytes, seen: Span, shape: type[T], *path: str) -> list[Seen[T]]:
    """The items of a list that stands inside an item; none where no list stands there."""
    try:
        at = spans.member(body, (seen.start, seen.end), *path)
        if at is None or body[at[0] : at[0] + 1] != b"[":
            return []
        return pieces.items(body, at, seen.exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "YouTube")) from error


def part(body: bytes, seen: Span, name: str) -> Span | None:
    """The bytes of one part of an item; None where it has none."""
    at = spans.member(body, (seen.start, seen.end), name)
    return None if at is None else Span(seen.exchange, *at)


def _beside(body: bytes, members: Mapping[str, tuple[int, int]]) -> bytes:
    """What stands beside the items, as an object of its own."""
    told = [
        b'"' + name.encode() + b'":' + body[members[name][0] : members[name][1]]
        for name in ("kind", "nextPageToken", "pageInfo")
        if name in members
    ]
    return b"{" + b",".join(told) + b"}"

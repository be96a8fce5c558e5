"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from connectors import pieces, spans
from connectors.contract import Span
from connectors.pieces import Malformed, Seen, Sorted, Unread, value

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer of a list: its items, what leads to the next one, how many YouTube counts in all, and which items are of another shape."""

    items: list[Seen[T]]
    following: str | None
    total: int | None
    body: bytes
    unread: list[Unread] = field(default_factory=list)


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
        at = members.get("items")
        if at is None or body[slice(*at)] == b"null":
            if total != 0:
                raise Malformed("the answer is not of YouTube's shape: a list without its items")
            at = None
        found: Sorted[T] = Sorted([]) if at is None else pieces.sorted_out(body, at, exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "YouTube")) from error
    return Answer(found.items, head.next_page_token or None, total, body, found.unread)


def within(body: bytes, seen: Span, shape: type[T], *path: str) -> Sorted[T]:
    """The items of a list that stands inside an item; none where nothing stands there.

    What stands there and leads to no list is as an item that cannot be read.
    """
    at = (seen.start, seen.end)
    try:
        for step in path:
            found = spans.member(body, at, step)
            if found is None and body[at[0] : at[0] + 1] == b"{":
                return Sorted([])
            if found is None:
                break
            at = found
        if body[at[0] : at[0] + 1] != b"[":
            return Sorted([], [Unread(None, Span(seen.exchange, *at), "no list stands there")])
        return pieces.sorted_out(body, at, seen.exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "YouTube")) from error


def told(body: bytes, seen: Span, *path: str) -> str | None:
    """A text inside an item that cannot be read otherwise; None where none stands there."""
    *above, last = path
    try:
        at = spans.member(body, (seen.start, seen.end), *above)
    except ValueError:
        return None
    return None if at is None else pieces.called(body[slice(*at)], last)


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

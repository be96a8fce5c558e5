"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody.

Both doors put what they tell under `data`: the door for businesses beside a
number (`{"code": 0, "message": "OK", "request_id": …, "data": {…}}`), the
Display API beside an object (`{"data": {…}, "error": {"code": "ok", …}}`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from connectors import pieces, spans
from connectors.contract import Span
from connectors.pieces import Malformed, Seen, Sorted, Unread, value

T = TypeVar("T")

_LONGEST_NAME = 64
_CURSOR = re.compile(r"[!-~]{1,256}")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer of a list: its items, those that cannot be read, and what to ask with for the next one; None where there is none."""

    items: list[Seen[T]]
    unread: list[Unread]
    following: str | None
    called: str
    """The member that these items are called by."""

    def names(self) -> list[str]:
        """The ids of all that stands in the list, in its order; empty where one cannot be read."""
        told = {one.span: str(getattr(one.what, self.called)) for one in self.items}
        told |= {one.span: known_as(one.id) or "" for one in self.unread}
        return [told[span] for span in sorted(told, key=lambda span: span.start)]


def one(body: bytes, exchange: int, shape: type[T], *path: str) -> Seen[T]:
    """The one item that an answer tells."""
    try:
        at = spans.member(body, spans.document(body), "data", *path)
        if at is None or body[at[0] : at[0] + 1] != b"{":
            raise Malformed("an answer of TikTok without what was asked for")
        return Seen(value(body[at[0] : at[1]], shape), Span(exchange, *at))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(_why(error)) from error


def many(
    body: bytes, exchange: int, shape: type[T], name: str, *, paged: bool = True, called: str = "id"
) -> Answer[T]:
    """One answer of a list, of items that are `called` so.

    A list that is left out is taken for an empty one only where the answer
    says that nothing follows.
    """
    try:
        at = spans.member(body, spans.document(body), "data")
        members = spans.object_members(body, at) if at is not None and body[at[0] : at[0] + 1] == b"{" else {}
        more, following = _told(body, members.get("has_more")), _told(body, members.get("cursor"))
        if paged and more not in (True, False):
            raise Malformed("a list of TikTok that does not say whether it goes on")
        listed_at = members.get(name)
        if listed_at is not None and body[listed_at[0] : listed_at[1]] == b"null":
            listed_at = None
        if listed_at is None and (more or at is None):
            raise Malformed(f"a list of TikTok without its items ({name})")
        told: Sorted[T] = Sorted([])
        if listed_at is not None:
            told = pieces.sorted_out(body, listed_at, exchange, shape, name=called)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(_why(error)) from error
    return Answer(told.items, told.unread, _cursor(following) if paged and more else None, called)


def within(body: bytes, seen: Span, shape: type[T], name: str, *, called: str = "id") -> Sorted[T]:
    """The items of a list that stands inside an item; none where no list stands there.

    Something else in its place is one that cannot be read, and so is a list
    of which nothing can be.
    """
    if f'"{name}"'.encode() not in body[seen.start : seen.end]:
        return Sorted([])
    at = spans.member(body, (seen.start, seen.end), name)
    if at is None or body[at[0] : at[1]] == b"null":
        return Sorted([])
    try:
        return pieces.sorted_out(body, at, seen.exchange, shape, name=called)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Sorted([], [Unread(None, Span(seen.exchange, *at), _why(error))])


def known_as(told: str | None) -> str | None:
    """What is given as an id, where it can be one."""
    try:
        return name_of(told)
    except Malformed:
        return None


def name_of(told: str | int | None) -> str:
    """An id as text; an error where it can be none."""
    written = str(told) if told is not None and not isinstance(told, bool) else ""
    if not (written.isascii() and written.isalnum() and len(written) <= _LONGEST_NAME):
        raise Malformed("an item of TikTok has no id that could be one")
    return written


def words(told: Any) -> Sequence[str]:
    """What a list of permissions names, however it is written: `"a,b"`, `"a b"`, `["a", "b"]`."""
    if isinstance(told, str):
        return told.replace(",", " ").split()
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []


def _told(body: bytes, at: tuple[int, int] | None) -> Any:
    return None if at is None else json.loads(body[at[0] : at[1]])


def _cursor(told: Any) -> str:
    """What leads on: a number, or a text of one."""
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 2**64:
        told = str(told)
    if not isinstance(told, str) or not _CURSOR.fullmatch(told):
        raise Malformed("a list of TikTok that goes on, and does not say where")
    return told


def _why(error: Exception) -> str:
    if isinstance(error, Malformed):
        return str(error)
    return f"the answer is not of TikTok's shape: {error}"

"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from connectors import spans
from connectors.contract import Span
from connectors.nextdoor.shapes import Agency, Area, Comment, Post, Profile
from connectors.pieces import Malformed, Unread, sorted_out, value, why

T = TypeVar("T")

_MORE = "has_next_page"
_UNCLEAR = f"the answer does not say whether another one follows ({_MORE})"

_MOST_TELLING = 64
"""Members beside a list are read up to so many; an answer of Nextdoor's has a handful."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of one answer, and the exchange that keeps it.

    `packed` is None, or how long the body is as it was kept, where Nextdoor
    compressed it although we asked not to: no item has bytes of its own there.
    """

    body: bytes
    exchange: int
    packed: int | None = None

    def span(self, at: tuple[int, int]) -> Span:
        """The bytes that are kept for what stands at `at`."""
        return Span(self.exchange, *at) if self.packed is None else Span(self.exchange, 0, self.packed)


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """One item, where it stands in its answer, and the bytes that are kept of it."""

    what: T
    at: tuple[int, int]
    span: Span


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """One answer of a list: its items, what stands beside them, and what leads to the next answer.

    `unread` are those among them that are of another shape.
    """

    items: list[T]
    beside: Mapping[str, Any]
    following: str | None = None
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Below:
    """A comment, with the id of the one that it stands inside; None where it stands directly below its post."""

    seen: Seen[Comment]
    inside: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A post with everything that answers it, at any depth, as far as it stands inside; None where no list of it does.

    `unread` is what cannot be read of that. What stands inside it is not read either.
    """

    post: Seen[Post]
    below: list[Below] | None
    unread: list[Unread] = field(default_factory=list)


def profile(answer: Answer) -> Seen[Profile]:
    """Who the account is."""
    return _guarded(answer, lambda: _one(answer, spans.document(answer.body), Profile))


def profiles(answer: Answer) -> Rows[Seen[Profile]]:
    """The profiles of an account that has several."""
    return _rows(answer, Profile, "profile_list", "profiles")


def areas(answer: Answer) -> Rows[Seen[Area]]:
    """The areas that an agency may address."""
    return _rows(answer, Area, "result", called="group_id")


def posts(answer: Answer) -> Rows[Whole]:
    """Posts, each with what answers it."""
    rows = _rows(answer, Post, "posts")
    whole = _guarded(answer, lambda: [_whole(answer, one) for one in rows.items])
    return Rows(whole, rows.beside, rows.following, rows.unread)


def agencies(answer: Answer) -> Rows[Seen[Agency]]:
    """The agencies of a state: a list that stands alone, or is the one list in an object."""
    body = answer.body
    at = _guarded(answer, lambda: spans.document(body))
    if body[at[0] : at[0] + 1] == b"[":
        items, unread = _guarded(answer, lambda: _listed(answer, at, Agency))
        return Rows(items, {}, unread=unread)
    members = _guarded(answer, lambda: spans.object_members(body, at))
    lists = [name for name, (start, _) in members.items() if body[start : start + 1] == b"["]
    if len(lists) != 1:
        raise Malformed("the answer is not of Nextdoor's shape: no list of agencies stands in it")
    return _rows(answer, Agency, lists[0])


def _whole(answer: Answer, post: Seen[Post]) -> Whole:
    body = answer.body
    at = spans.member(body, post.at, "comments")
    if at is None or body[at[0] : at[0] + 1] != b"[":
        return Whole(post, None)
    found: list[Below] = []
    strange: list[Unread] = []
    waiting: list[tuple[tuple[int, int], str | None]] = [(at, None)]
    while waiting:
        at, inside = waiting.pop()
        items, unread = _listed(answer, at, Comment)
        strange += unread
        for seen in items:
            found.append(Below(seen, inside))
            if b'"comments"' in body[slice(*seen.at)]:
                deeper = spans.object_members(body, seen.at).get("comments")
                if deeper is not None and body[deeper[0] : deeper[0] + 1] == b"[":
                    waiting.append((deeper, str(seen.what.id)))
    return Whole(post, found, strange)


def _rows(answer: Answer, shape: type[T], *names: str, called: str = "id") -> Rows[Seen[T]]:
    """The list that stands under the first of these names which is there, with what stands beside it."""

    def read() -> Rows[Seen[T]]:
        body = answer.body
        members = spans.object_members(body, spans.document(body))
        name = next((one for one in names if one in members), None)
        if name is None or body[members[name][0] : members[name][0] + 1] != b"[":
            raise Malformed(f"the answer is not of Nextdoor's shape: it lacks its list ({names[0]})")
        beside = dict(_plain(body, members, name))
        if _MORE in members and _MORE not in beside:
            raise Malformed(_UNCLEAR)
        items, unread = _listed(answer, members[name], shape, called)
        return Rows(items, beside, _following(beside), unread)

    return _guarded(answer, read)


def _following(beside: Mapping[str, Any]) -> str | None:
    """What leads to the next answer, in the manner of the lists that Nextdoor pages: `has_next_page` and `cursor`."""
    cursor, more = beside.get("cursor"), beside.get(_MORE)
    if more in (None, False, "", "false", "False"):
        return None
    if more not in (True, "true", "True"):
        raise Malformed(_UNCLEAR)
    if isinstance(cursor, int) and not isinstance(cursor, bool):
        return str(cursor)
    if not isinstance(cursor, str) or not cursor:
        raise Malformed("the answer says that another one follows, and does not say where")
    return cursor


def _plain(body: bytes, members: Mapping[str, tuple[int, int]], but: str) -> Iterator[tuple[str, object]]:
    for name, (start, end) in list(members.items())[:_MOST_TELLING]:
        if name != but and body[start : start + 1] not in {b"[", b"{"}:
            yield name, value(body[start:end], object)


def _listed(
    answer: Answer, at: tuple[int, int], shape: type[T], called: str = "id"
) -> tuple[list[Seen[T]], list[Unread]]:
    """The items of a list, and those among them that cannot be read."""
    told = sorted_out(answer.body, at, answer.exchange, shape, name=called)
    places = [(one.what, (one.span.start, one.span.end)) for one in told.items]
    return [Seen(what, place, answer.span(place)) for what, place in places], told.unread


def _one(answer: Answer, at: tuple[int, int], shape: type[T]) -> Seen[T]:
    return Seen(value(answer.body[at[0] : at[1]], shape), at, answer.span(at))


def _guarded(answer: Answer, read: Callable[[], T]) -> T:
    """Read, and say in an officer's words what is wrong with what cannot be read."""
    try:
        return read()
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Malformed(why(answer.body, fault, "Nextdoor")) from fault

"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody.

Flickr's JSON is its XML written otherwise: what stood between tags is
`_content`, and numbers come as texts or as numbers, as it happens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from connectors import spans
from connectors.contract import Span
from connectors.pieces import STRANGE, Malformed, Seen, Sorted, Unread, sorted_out, value

T = TypeVar("T")


ALWAYS_TOLD: Mapping[str, Sequence[str]] = {
    "photo": ("title", "description", "owner", "secret", "ispublic", "media"),
    "photoset": ("title", "description"),
}
"""What Flickr tells of every photo and every album, be it empty: what it leaves out was not emptied."""

_TOLD = frozenset({"ownername", "username", "pathalias"})
_EITHER = frozenset({"0", "1", "true", "false"})

_LATEST = 253402300799
"""The last second that a time can name."""


class Broken(Malformed):
    """The body begins as JSON and goes on as none: Flickr writes such answers when it is overloaded."""


class Head(msgspec.Struct):
    """What every answer says of itself."""

    stat: str
    code: int | str = 0
    message: str = ""


class Comment(msgspec.Struct):
    """A comment, as Flickr writes it."""

    id: str | int
    author: Any = None
    content: str | int | None = msgspec.field(name="_content", default="")
    authorname: Any = None
    realname: Any = None
    path_alias: Any = None
    permalink: Any = None
    datecreate: Any = None
    author_is_deleted: Any = None


@dataclass(frozen=True, slots=True)
class Rows:
    """One answer of a list: its items, which page of how many it is, how many items Flickr counts, and which of them cannot be read."""

    items: list[Seen[dict[str, Any]]]
    page: int
    pages: int
    total: int | None
    unread: list[Unread] = field(default_factory=list)


def head(body: bytes) -> Head:
    """What the answer says of itself; `Malformed` where it is none of Flickr's."""
    start = body.lstrip()[:1]
    try:
        return value(body, Head)
    except (msgspec.ValidationError, UnicodeError) as fault:
        raise Malformed(f"the answer is not of Flickr's shape: {fault}") from fault
    except (ValueError, RecursionError) as fault:
        if start == b"{":
            raise Broken("the answer begins as JSON and breaks off") from fault
        raise Malformed("the answer is no JSON: something else than Flickr's interface answered") from fault


def one(body: bytes, exchange: int, name: str, *, named: bool = True) -> Seen[dict[str, Any]]:
    """The one item of that name; where it is `named`, it has an id of its own."""
    at = _at(body, name)
    return Seen(_object(body[at[0] : at[1]], named=named), Span(exchange, *at))


def rows(body: bytes, exchange: int, name: str, item: str) -> Rows:
    """One answer of a list: `{"photos": {"page": 1, "pages": 2, "total": "3", "photo": [...]}}`."""
    at = _at(body, name)
    members = spans.object_members(body, at)
    if item not in members:
        raise Malformed(f"a list without its items ({item})")
    told = {each: body[s:e] for each, (s, e) in members.items() if each != item}
    page, pages = (number(_plain(told.get(each))) for each in ("page", "pages"))
    if page is None or pages is None:
        raise Malformed("a list that does not say which page of how many it is")
    found = _sorted_out(
        body, members[item], exchange, dict[str, Any], lambda row: strange(row, ALWAYS_TOLD[item])
    )
    return Rows(found.items, page, pages, number(_plain(told.get("total"))), found.unread)


def strange(row: Mapping[str, Any], always: Sequence[str]) -> str:
    """What is strange in a photo or an album, of which these members are `always` told; empty where nothing is."""
    if not said(row.get("id")):
        return "it has no id"
    for name in always:
        if row.get(name) is None:
            return f"“{name}” is missing"
    for name, told in row.items():
        if (name in always or name in _TOLD or name.startswith("url_")) and not is_told(told):
            return f"“{name}” is neither a text nor a number"
    if "ispublic" in row and not says_which(row["ispublic"]):
        return "“ispublic” says neither yes nor no"
    return ""


def comments(body: bytes, exchange: int) -> Sorted[Comment] | None:
    """Everything that was said below one photo or album: the list is never paged.

    None where the list is left out, as Flickr does where nothing was said.
    """
    at = _at(body, "comments")
    within = spans.object_members(body, at).get("comment")
    if within is None or body[within[0] : within[1]] == b"null":
        return None
    return _sorted_out(body, within, exchange, Comment, _strange_comment)


def _sorted_out(
    body: bytes, at: tuple[int, int], exchange: int, shape: type[T], odd: Callable[[T], str]
) -> Sorted[T]:
    """The items of the list at `at`; apart from them those of another shape, and those in which something is `odd`."""
    try:
        told = sorted_out(body, at, exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Malformed(f"an item is not of Flickr's shape: {fault}") from fault
    found: Sorted[T] = Sorted([], [replace(one, id=_named(body, one.span)) for one in told.unread])
    for one in told.items:
        why = odd(one.what)
        if why:
            found.unread.append(Unread(_named(body, one.span), one.span, why))
        else:
            found.items.append(one)
    if not found.items and len(found.unread) >= STRANGE:
        raise Malformed(f"no item is of Flickr's shape: {found.unread[-1].why}")
    return found


def _strange_comment(told: Comment) -> str:
    if told.id == "":
        return "it has no id"
    if not (said(told.author) or said(told.content) or said(told.datecreate)):
        return "it has neither words nor a writer nor a date"
    return ""


def _named(body: bytes, span: Span) -> str | None:
    """The id of an item that cannot be read otherwise."""
    try:
        told = value(body[span.start : span.end], dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return said(told.get("id")) or None


def says_which(told: Any) -> bool:
    """Whether it says yes or no, however Flickr writes that."""
    return isinstance(told, bool) or said(told) in _EITHER


def is_told(told: Any) -> bool:
    """Whether it is something of which the words can be told, or nothing."""
    if told is None or isinstance(told, (str, int)):
        return True
    if not isinstance(told, dict):
        return False
    within = told.get("_content", "" if not told else ())
    return within is None or isinstance(within, (str, int))


def said(told: Any) -> str:
    """The words of a value: as they stand, or as `_content`."""
    if isinstance(told, Mapping):
        told = told.get("_content")
    if isinstance(told, str):
        return told
    return str(told) if isinstance(told, int) and not isinstance(told, bool) else ""


def number(told: Any) -> int | None:
    """A number, however Flickr writes it."""
    words = said(told)
    return int(words) if words.isascii() and words.isdecimal() and len(words) <= 18 else None


def moment(told: Any) -> datetime | None:
    """A time in seconds of the epoch; None where there is none."""
    seconds = number(told)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds <= _LATEST else None


def _at(body: bytes, name: str) -> tuple[int, int]:
    at = spans.member(body, spans.document(body), name)
    if at is None or body[at[0] : at[0] + 1] != b"{":
        raise Malformed(f"an answer without “{name}”")
    return at


def _object(piece: bytes, *, named: bool = True) -> dict[str, Any]:
    try:
        told = value(piece, dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Malformed(f"an item is not of Flickr's shape: {fault}") from fault
    if named and not said(told.get("id")):
        raise Malformed("an item has no id")
    return told


def _plain(piece: bytes | None) -> Any:
    return None if piece is None else json.loads(piece)

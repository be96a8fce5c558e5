"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import msgspec

from connectors import spans
from connectors.contract import Span
from connectors.pieces import STRANGE, Malformed, Seen, Sorted, Unread, mended, value, why, without_nulls
from connectors.reddit.shapes import T1, Person, Replies, Thing, is_id

T = TypeVar("T")

_things: msgspec.json.Decoder[Thing] = msgspec.json.Decoder(Thing)
_NOTHING = frozenset({b"[]", b"null"})


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer of a list: its items, after which of them the next one begins, and what cannot be read."""

    items: list[Seen[T]]
    following: str | None
    unread: list[Unread] = field(default_factory=list)


class _Beside(msgspec.Struct):
    children: msgspec.Raw
    after: str | None = None


class _Listing(msgspec.Struct, tag_field="kind", tag="Listing"):
    data: _Beside


class _OfPeople(msgspec.Struct):
    """Reddit calls some of them `Listing`, and some `UserList`."""

    kind: Literal["Listing", "UserList"]
    data: _Beside


class _Flat(msgspec.Struct):
    things: msgspec.Raw


class _Told(msgspec.Struct):
    errors: list[object] = []
    data: _Flat | None = None


class _MoreChildren(msgspec.Struct):
    json: _Told


def listing(body: bytes, exchange: int) -> Answer[Thing]:
    """A list of things, and after which of them it goes on."""
    try:
        read = value(body, _Listing)
        at = _within(body, spans.document(body), "data", "children")
        told = _listed(body, at, exchange)
        return Answer(told.items, read.data.after or None, told.unread)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def people(body: bytes) -> tuple[list[Person], str | None]:
    """A list of people, who are kept as one record, and after which of them it goes on."""
    try:
        read = value(body, _OfPeople)
        return value(bytes(read.data.children), list[Person]), read.data.after or None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def tree(body: bytes, exchange: int) -> tuple[Sorted[Thing], Sorted[Thing]]:
    """A submission, which alone stands in its list, and everything that this answer shows below it, at any depth."""
    try:
        both = spans.array_items(body, *spans.document(body))
        if len(both) != 2:
            raise Malformed("a submission and its comments were expected")
        first = _listed(body, _within(body, both[0], "data", "children"), exchange)
        if len(first.items) + len(first.unread) != 1:
            raise Malformed("the submission is missing")
        return first, _listed(body, _within(body, both[1], "data", "children"), exchange)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def flat(body: bytes, exchange: int) -> Sorted[Thing]:
    """Comments that were asked for by their ids."""
    try:
        told = value(body, _MoreChildren).json
        if told.errors:
            raise Malformed(f"Reddit names errors: {told.errors}")
        if told.data is None:
            return Sorted([])
        return _listed(body, _within(body, spans.document(body), "json", "data", "things"), exchange)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def one(body: bytes, exchange: int, shape: type[T]) -> Seen[T]:
    """A body that is one thing of that shape."""
    try:
        return Seen(value(body, shape), Span(exchange, *spans.document(body)))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def is_listing(body: bytes) -> bool:
    """Whether a list stands there: so Reddit answers for a subreddit that it does not know."""
    try:
        value(body, _Listing)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _listed(body: bytes, at: tuple[int, int], exchange: int) -> Sorted[Thing]:
    """The things of the list at `at` with those inside them, each with its own bytes, and those that cannot be read.

    An error where none of `STRANGE` things and more can be read. A comment of
    which only what answers it cannot be read is read, and named among those as well.
    """
    told: Sorted[Thing] = Sorted([])
    left = [at]
    while left:
        inside: list[tuple[int, int]] = []
        for start, end in spans.array_items(body, *left.pop()):
            piece, span = body[start:end], Span(exchange, start, end)
            what, strange = _read(piece)
            if what is not None:
                told.items.append(Seen(what, span))
                below = _answers(what)
                if below.startswith(b"["):
                    begin = body.find(below, start, end)
                    inside.append(
                        (begin, begin + len(below))
                        if begin >= 0
                        else _within(body, (start, end), "data", "replies", "data", "children")
                    )
                elif below:
                    strange = "what answers it is no list"
            if strange:
                told.unread.append(Unread(_called(piece), span, strange))
        left += reversed(inside)
    if not told.items and len(told.unread) >= STRANGE:
        raise ValueError(told.unread[-1].why)
    return told


def _answers(what: Thing) -> bytes:
    """What stands right below a thing, in its own bytes; empty where nothing does."""
    if not isinstance(what, T1) or not isinstance(what.data.replies, Replies):
        return b""
    below = bytes(what.data.replies.data.children)
    return b"" if below in _NOTHING else below


def _read(piece: bytes) -> tuple[Thing | None, str]:
    """One thing, as far as it can be read, and what is strange in it."""
    try:
        return _thing(piece), ""
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _without_answers(piece), str(error)


def _without_answers(piece: bytes) -> Thing | None:
    """A comment without what stands below it; None where that is not all that cannot be read."""
    told = _plain(piece)
    data = told.get("data")
    if told.get("kind") != "t1" or not isinstance(data, dict) or not data.pop("replies", None):
        return None
    try:
        return _things.decode(json.dumps(without_nulls(told)))
    except (msgspec.MsgspecError, RecursionError):
        return None


def _called(piece: bytes) -> str | None:
    """The native id of a thing that cannot be read otherwise."""
    told = _plain(piece)
    data = told.get("data")
    names = data if isinstance(data, dict) else told
    name, number = names.get("name"), names.get("id")
    if isinstance(name, str) and name.startswith(("t1_", "t3_")):
        return name
    if not is_id(number):
        return None
    match told.get("kind"):
        case "t1" | "t3" as kind:
            return f"{kind}_{number}"
        case "modaction":
            return f"log:{number}"
        case _:
            return None


def _plain(piece: bytes) -> dict[str, Any]:
    """An object as it stands; an empty one where none stands there."""
    try:
        told = json.loads(mended(piece))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _thing(piece: bytes) -> Thing:
    """One thing; half an emoji, a number that none can hold, and null where nothing need stand, take nothing else from it."""
    try:
        return _things.decode(piece)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        told = mended(piece)
        try:
            return _things.decode(told)
        except msgspec.ValidationError:
            with suppress(msgspec.ValidationError):
                return _things.decode(json.dumps(without_nulls(json.loads(told))))
            if isinstance(fault, msgspec.ValidationError):
                raise fault from None
            raise


def _within(body: bytes, span: tuple[int, int], *path: str) -> tuple[int, int]:
    at = spans.member(body, span, *path)
    if at is None:
        raise Malformed(f"{'.'.join(path)} is missing")
    return at

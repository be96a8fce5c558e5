"""Reads bodies: JSON bytes in, items with the place of their own bytes out. Asks nobody."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import msgspec

from connectors import spans
from connectors.contract import Span
from connectors.pieces import Malformed, Seen, mended, value, why, without_nulls
from connectors.reddit.shapes import T1, Person, Replies, Thing

T = TypeVar("T")

_things: msgspec.json.Decoder[Thing] = msgspec.json.Decoder(Thing)
_EMPTY = b"[]"


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer of a list: its items, and after which of them the next one begins."""

    items: list[Seen[T]]
    following: str | None


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
        return Answer(_listed(body, at, exchange), read.data.after or None)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def people(body: bytes) -> tuple[list[Person], str | None]:
    """A list of people, who are kept as one record, and after which of them it goes on."""
    try:
        read = value(body, _OfPeople)
        return value(bytes(read.data.children), list[Person]), read.data.after or None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def tree(body: bytes, exchange: int) -> tuple[Seen[Thing], list[Seen[Thing]]]:
    """A submission, and everything that this answer shows below it, at any depth."""
    try:
        both = spans.array_items(body, *spans.document(body))
        if len(both) != 2:
            raise Malformed("a submission and its comments were expected")
        first = _listed(body, _within(body, both[0], "data", "children"), exchange)
        if len(first) != 1:
            raise Malformed("the submission is missing")
        return first[0], _listed(body, _within(body, both[1], "data", "children"), exchange)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, "Reddit")) from error


def flat(body: bytes, exchange: int) -> list[Seen[Thing]]:
    """Comments that were asked for by their ids."""
    try:
        told = value(body, _MoreChildren).json
        if told.errors:
            raise Malformed(f"Reddit names errors: {told.errors}")
        if told.data is None:
            return []
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


def _listed(body: bytes, at: tuple[int, int], exchange: int) -> list[Seen[Thing]]:
    """The things of the list at `at` with those inside them, each with its own bytes."""
    found: list[Seen[Thing]] = []
    left = [at]
    while left:
        inside: list[tuple[int, int]] = []
        for start, end in spans.array_items(body, *left.pop()):
            what = _thing(body[start:end])
            found.append(Seen(what, Span(exchange, start, end)))
            if isinstance(what, T1) and isinstance(what.data.replies, Replies):
                below = bytes(what.data.replies.data.children)
                if below != _EMPTY:
                    begin = body.find(below, start, end)
                    inside.append(
                        (begin, begin + len(below))
                        if begin >= 0
                        else _within(body, (start, end), "data", "replies", "data", "children")
                    )
        left += reversed(inside)
    return found


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

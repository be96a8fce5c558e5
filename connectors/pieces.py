"""Pieces of JSON bodies: each as a value, with the place of its own bytes. Pure.

What interfaces in JSON have in common, and no platform needs to say anew:
items of a list with their spans, halves of characters that no text can hold, an
answer that was compressed although we asked not to, and what stands where JSON
should be.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from connectors import codings, spans
from connectors.contract import Exchange, Observation, Span

T = TypeVar("T")

_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which JSON can escape and no text can hold."""


_MOST_DIGITS = 400
"""A whole number of more is none that anything counts to; thousands would be refused by Python itself."""


class Malformed(ValueError):
    """The bytes are not of the shape that was promised; the message says what stands there."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """One item, with the bytes that it was read from."""

    what: T
    span: Span


def value(piece: bytes, shape: type[T]) -> T:
    """Decode one value; where half an emoji stands alone, the replacement character takes its place.

    A name with null says no more than one that is not there: what may be left out may be null as well.
    """
    try:
        return msgspec.json.decode(piece, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        told = mended(piece)
        try:
            return msgspec.json.decode(told, type=shape)
        except msgspec.ValidationError:
            with suppress(msgspec.ValidationError):
                return msgspec.convert(without_nulls(json.loads(told)), shape)
            if isinstance(fault, msgspec.ValidationError):
                raise fault from None
            raise


def mended(piece: bytes) -> str:
    """The same JSON; where half an emoji stands alone, the replacement character takes its place.

    A number that none can hold (1e400, NaN, one of thousands of digits) is null: nothing is told by it.
    """
    told = json.loads(piece, parse_constant=_nothing, parse_float=_finite, parse_int=_whole)
    return _HALVES.sub("\ufffd", json.dumps(told, ensure_ascii=False))


def _nothing(_constant: str) -> None:
    return None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if isfinite(number) else None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def without_nulls(told: Any) -> Any:
    """The same value; what stands there as null is left out, however deep."""
    match told:
        case dict():
            return {name: without_nulls(one) for name, one in told.items() if one is not None}
        case list():
            return [without_nulls(one) for one in told]
        case _:
            return told


def items(body: bytes, at: tuple[int, int], exchange: int, shape: type[T]) -> list[Seen[T]]:
    """The items of the array at `at`, each with its own bytes; the reader's own error where one cannot be read."""
    decoder = msgspec.json.Decoder(shape)
    found: list[Seen[T]] = []
    for start, end in spans.array_items(body, *at):
        piece = body[start:end]
        try:
            what = decoder.decode(piece)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            what = value(piece, shape)
        found.append(Seen(what, Span(exchange, start, end)))
    return found


@dataclass(frozen=True, slots=True)
class Unread:
    """An item of a list that has another shape than its list promises: its id as far as that much can be read, its bytes, and what is strange."""

    id: str | None
    span: Span
    why: str


@dataclass(frozen=True, slots=True)
class Sorted(Generic[T]):
    """The items of a list, and those among them that cannot be read."""

    items: list[Seen[T]]
    unread: list[Unread] = field(default_factory=list)


STRANGE = 3
"""Where so many items stand in a list and none of them can be read, it is the list that is of another shape."""


def sorted_out(
    body: bytes, at: tuple[int, int], exchange: int, shape: type[T], *, name: str = "id"
) -> Sorted[T]:
    """The items of the array at `at`, each with its own bytes; those of another shape beside the others.

    `name` is the member that an item is called by. Where none of `STRANGE`
    items and more can be read, the reader's own error: so a platform that
    speaks otherwise from one day on is told from one odd item.
    """
    decoder = msgspec.json.Decoder(shape)
    told: Sorted[T] = Sorted([])
    fault: Exception | None = None
    for start, end in spans.array_items(body, *at):
        piece, span = body[start:end], Span(exchange, start, end)
        try:
            try:
                what = decoder.decode(piece)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                what = value(piece, shape)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            fault = error
            told.unread.append(Unread(called(piece, name), span, str(error)))
        else:
            told.items.append(Seen(what, span))
    if fault is not None and not told.items and len(told.unread) >= STRANGE:
        raise fault
    return told


def called(piece: bytes, name: str = "id") -> str | None:
    """What an item is called that cannot be read otherwise: its member `name`, where that is a text or a whole number."""
    try:
        told = json.loads(mended(piece))
    except (ValueError, RecursionError):
        return None
    given = told.get(name) if isinstance(told, dict) else None
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        return None
    return str(given) or None


def listed(body: bytes, at: tuple[int, int], exchange: int, shape: type[T]) -> list[Seen[T]]:
    """The items of the array at `at`, each with its own bytes; `Malformed` where one is of another shape."""
    try:
        return items(body, at, exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error)) from error


def one(body: bytes, exchange: int, shape: type[T], whose: str = "") -> Seen[T]:
    """A whole body as one object; `Malformed` where it is not of the shape that is `whose` (see `why`)."""
    try:
        start, end = spans.document(body)
        return Seen(value(body[start:end], shape), Span(exchange, start, end))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(why(body, error, whose)) from error


def why(
    body: bytes, error: Exception, whose: str = "", *, instead: str = "an address of another kind"
) -> str:
    """What stands where JSON of a known shape should be, in words.

    `whose` shape it should be, where that is named ("Reddit"); `instead` is
    what else than a sign-in page and a firewall answers with HTML there.
    """
    if isinstance(error, Malformed):
        return str(error)
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return f"HTML stands where JSON should be (a sign-in page, a firewall, or {instead})"
    if not start:
        return "the answer is empty"
    shape = f"not of {whose}'s shape" if whose else "of another shape"
    return f"the answer is {shape}: {error}"


def packed(observations: Sequence[Observation], exchanges: Sequence[Exchange]) -> list[Observation]:
    """The same observations; those that were read out of a compressed answer own the whole of it.

    No item has bytes of its own there.
    """
    whole = {
        number: Span(number, 0, len(exchange.body))
        for number, exchange in enumerate(exchanges)
        if codings.codings(exchange.header("Content-Encoding"))
    }
    if not whole:
        return list(observations)
    return [
        replace(seen, evidence=tuple(dict.fromkeys(whole.get(span.exchange, span) for span in seen.evidence)))
        for seen in observations
    ]


def keeps_secrets(address: str) -> bool:
    """Whether a token may be sent to this address: over TLS, or within this machine."""
    try:
        parts = urlsplit(address)
        if parts.scheme == "https":
            return True
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False

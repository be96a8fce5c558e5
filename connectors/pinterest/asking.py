"""Asks Pinterest's interface, and gathers what was asked until a batch takes it along. The token travels in a header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from connectors import pieces, spans
from connectors.contract import Client, Exchange, Span
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.pieces import Malformed, Seen, Unread
from connectors.pinterest import refusals
from connectors.visits import Visit

T = TypeVar("T")

_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ANSWERS = (400, 401, 403, 404)
"""What we weigh ourselves: refusals with a number in their body."""


@dataclass(frozen=True, slots=True)
class Odd:
    """An item of a list that cannot be read, and what else it tells by which it matters to others."""

    what: Unread
    privacy: str | None = None
    own: bool | None = True
    """Of a pin, whether it is the account's; None where that cannot be read either."""

    @property
    def number(self) -> str | None:
        """Its number, where that can be one."""
        return self.what.id if _NUMBER.fullmatch(self.what.id or "") else None


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """One answer of a list: its items, those that cannot be read, and the bookmark that leads on."""

    items: list[Seen[T]]
    unread: list[Odd]
    bookmark: str | None


class _Tail(msgspec.Struct):
    bookmark: str | None = None


class _Apart(msgspec.Struct):
    privacy: Any = None
    is_owner: Any = None


class Asking(Visit):
    """One visit to the interface.

    `secret` holds `access_token`, and is read anew for each question. `more`
    is asked with every question.
    """

    unread_is_apart = True

    def __init__(
        self, http: Client, secret: Mapping[str, str] | None, base: str, more: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._http, self._secret, self._base, self._more = http, secret or {}, base, more

    def now(self) -> datetime:
        return self._http.now()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Exchange:
        """Ask a question and weigh the answer; `NotGiven` where this one thing is refused."""
        token = self._secret.get("access_token", "")
        if not token:
            raise AccessRevoked(
                "The page is not connected: Pinterest shows nothing without a permission. Connect it by signing in as "
                "the account."
            )
        try:
            exchange = self._http.get(
                f"{self._base}/{path}",
                params={**(params or {}), **self._more},
                headers={"Authorization": f"Bearer {token}"},
                accept=_ANSWERS,
            )
        except TryAgainLater as error:
            self._weigh(error)
            raise
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        if exchange.status == 200:
            return exchange
        if exchange.status not in _ANSWERS:
            raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}.")
        raise refusals.sorted_out(refusals.fault(decoded(exchange), exchange.status), exchange, self.now())

    def one(self, path: str, shape: type[T], params: Mapping[str, str] | None = None) -> Seen[T]:
        """Ask for one object."""
        return self._one(self.get(path, params), shape)

    def readable(self, path: str, shape: type[T]) -> Seen[T] | None:
        """Ask for one object among others; None where JSON of another shape stands there."""
        exchange = self.get(path)
        try:
            return self._one(exchange, shape)
        except UnexpectedResponse:
            with suppress(ValueError, RecursionError):
                pieces.mended(decoded(exchange))
                return None
            raise

    def _one(self, exchange: Exchange, shape: type[T]) -> Seen[T]:
        body = decoded(exchange)
        try:
            start, end = spans.document(body)
            return Seen(pieces.value(body[start:end], shape), Span(self.last, start, end))
        except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
            raise UnexpectedResponse(f"{exchange.url}: {pieces.why(body, fault)}.") from fault

    def many(self, path: str, shape: type[T], params: Mapping[str, str]) -> Rows[T]:
        """Ask for one answer of a list."""
        exchange = self.get(path, params)
        body = decoded(exchange)
        try:
            members = spans.object_members(body, spans.document(body))
            if "items" not in members:
                raise Malformed("a list stands there without its items")
            start, end = members.get("bookmark", (0, 0))
            tail = pieces.value(b'{"bookmark":' + body[start:end] + b"}", _Tail) if end else _Tail()
            told = pieces.sorted_out(body, members["items"], self.last, shape)
            odd = [_apart(body, one) for one in told.unread]
            return Rows(told.items, odd, tail.bookmark or None)
        except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
            raise UnexpectedResponse(f"{exchange.url}: {pieces.why(body, fault)}.") from fault

    def _weigh(self, error: TryAgainLater) -> None:
        """What a throttle says of when to come again."""
        if error.after is not None or not error.exchanges or error.exchanges[-1].status != 429:
            return
        error.after = refusals.later(error.exchanges[-1], self.now())


def _apart(body: bytes, one: Unread) -> Odd:
    """An item that cannot be read, with what else of it can be."""
    try:
        told = pieces.value(body[one.span.start : one.span.end], _Apart)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Odd(one)
    privacy = told.privacy if isinstance(told.privacy, str) and told.privacy else None
    own = told.is_owner is None or told.is_owner
    return Odd(one, privacy, own if isinstance(own, bool) else None)

"""Asks Pinterest's interface, and gathers what was asked until a batch takes it along. The token travels in a header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from connectors import pieces, spans
from connectors.contract import Client, Exchange, Span
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.pieces import Malformed, Seen
from connectors.pinterest import refusals
from connectors.visits import Visit

T = TypeVar("T")

_ANSWERS = (400, 401, 403, 404)
"""What we weigh ourselves: refusals with a number in their body."""


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """One answer of a list: its items, and the bookmark that leads on."""

    items: list[Seen[T]]
    bookmark: str | None


class _Tail(msgspec.Struct):
    bookmark: str | None = None


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
        exchange = self.get(path, params)
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
            return Rows(pieces.listed(body, members["items"], self.last, shape), tail.bookmark or None)
        except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
            raise UnexpectedResponse(f"{exchange.url}: {pieces.why(body, fault)}.") from fault

    def _weigh(self, error: TryAgainLater) -> None:
        """What a throttle says of when to come again."""
        if error.after is not None or not error.exchanges or error.exchanges[-1].status != 429:
            return
        error.after = refusals.later(error.exchanges[-1], self.now())

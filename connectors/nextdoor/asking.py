"""Asks Nextdoor's interface, weighs its answers, and gathers what was asked until a batch takes it along.

The token travels in a header. Every question but the one for an application's
token is a GET: Nextdoor is never asked to change anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from connectors.contract import Client, Exchange
from connectors.errors import UnexpectedResponse
from connectors.http import decoded
from connectors.nextdoor import refusals
from connectors.nextdoor.reading import Answer
from connectors.nextdoor.session import Session
from connectors.pieces import Malformed
from connectors.visits import Visit

T = TypeVar("T")

_ANSWERS = (400, 401, 403, 404)
"""What we weigh ourselves: Nextdoor's refusals."""


class Asking(Visit):
    """One visit to the interface at `base`; an application asks for its token at `auth`."""

    def __init__(self, http: Client, session: Session, base: str, auth: str, scope: str) -> None:
        super().__init__()
        self._http, self._session, self._base = http, session, base
        self._auth, self._scope = auth, scope

    def now(self) -> datetime:
        return self._http.now()

    @property
    def signed_in(self) -> bool:
        """Whether the agency's account has signed in."""
        return self._session.signed_in

    def get(self, path: str, read: Callable[[Answer], T], params: Mapping[str, str] | None = None) -> T:
        """Ask a question and read its answer; `NotGiven` where this one thing is refused."""
        exchange = self._asked(path, params or {})
        body = decoded(exchange)
        packed = None if body is exchange.body else len(exchange.body)
        try:
            return read(Answer(body, self.last, packed))
        except Malformed as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}.") from fault

    def _asked(self, path: str, params: Mapping[str, str]) -> Exchange:
        exchange = self._once(path, params)
        if exchange.status == 401 and self._session.forgets():
            exchange = self._once(path, params)
        if exchange.status == 200:
            return exchange
        if exchange.status not in _ANSWERS:
            raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}.")
        raise refusals.sorted_out(exchange, decoded(exchange))

    def _once(self, path: str, params: Mapping[str, str]) -> Exchange:
        if not self._session.token:
            self._session.learn(self._taken(self._session.begin(self._auth, self._scope)))
        headers = {"Authorization": f"Bearer {self._session.token}", "Accept": "application/json"}
        return self._taken(
            self._http.get(f"{self._base}/{path}", params=params, headers=headers, accept=_ANSWERS)
        )

    def _taken(self, exchange: Exchange) -> Exchange:
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        return exchange


def advanced(cursor: str, met: set[str], what: str) -> str:
    """Where a list goes on, which is added to `met`; an error where it has led there before."""
    if cursor in met:
        raise UnexpectedResponse(f"Nextdoor leads on to where it has led before: its {what} have no end.")
    met.add(cursor)
    return cursor

"""Asks Nextdoor's interface, weighs its answers, and gathers what was asked until a batch takes it along.

The token travels in a header. Every question but the one for an application's
token is a GET: Nextdoor is never asked to change anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

_MOST_STALLED = 10
"""So many answers of a list without anything new, one after the other, are taken for a list without an end."""


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


class Led:
    """Where a list has led, and what it has shown."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._met: set[str] = set()
        self._shown: set[str] = set()
        self._stalled = 0

    def on(self, cursor: str, shown: Iterable[str]) -> str:
        """Where it goes on after an answer that showed these.

        An error where it has led there before, or shows nothing new again and again.
        """
        told = set(shown)
        self._stalled = 0 if told - self._shown else self._stalled + 1
        self._shown |= told
        if cursor in self._met or self._stalled > _MOST_STALLED:
            raise UnexpectedResponse(
                f"Nextdoor leads on to where it has led before: its {self._what} have no end."
            )
        self._met.add(cursor)
        return cursor

"""Asks one server, and gathers what was asked until a batch takes it along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from connectors import times
from connectors.contract import Client, Exchange, Gap, Span
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.mastodon import parse
from connectors.pieces import Malformed, Seen, Sorted
from connectors.visits import Visit

T = TypeVar("T")

_ANSWERS = (401, 403, 404, 410, 422)
"""What we weigh ourselves: Mastodon's own refusals."""

_NOT_THERE = (404, 410, 422)

_SINCE_1970 = 10**9
"""Nobody is asked to wait for so many seconds: such a number is a moment."""

_MOST_DIGITS = 19


class NotGiven(UnexpectedResponse):
    """The server itself refused one question; `words` are its own.

    Who asks for what may be refused weighs it; for anybody else it is an answer that was not promised.
    """

    code = "mastodon-refused"

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status} {words}")
        self.status = status
        self.words = words

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing."""
        return self.status in {404, 410}

    @property
    def lacks_permission(self) -> bool:
        """Whether the token may not ask for it."""
        return self.status == 403


class Asking(Visit):
    """One visit to a server. An error on the way takes along the exchanges that led to it."""

    unread_is_apart = True

    def __init__(self, http: Client, origin: str, secret: Mapping[str, str] | None) -> None:
        super().__init__()
        self._http = http
        self.origin = origin
        self._secret = secret or {}

    @property
    def connected(self) -> bool:
        """Whether we come with a token."""
        return bool(self._secret.get("access_token"))

    def headers(self) -> Mapping[str, str] | None:
        """What a question bears: the token, read anew each time."""
        return {"Authorization": f"Bearer {self._secret['access_token']}"} if self.connected else None

    def now(self) -> datetime:
        return self._http.now()

    def get(self, url: str, *, openly: bool = False) -> Exchange:
        """Ask for `url` and weigh the answer; `openly` leaves our token out."""
        try:
            exchange = self._http.get(url, headers=None if openly else self.headers(), accept=_ANSWERS)
        except TryAgainLater as later:
            # Every answer names the moment of the limit; that it has to be waited for, a throttle alone says.
            if later.after is None and later.exchanges and later.exchanges[-1].status == 429:
                later.after = _reset(later.exchanges[-1], self.now())
            raise
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        return exchange

    def json(self, path: str, params: Mapping[str, str] | None = None, *, openly: bool = False) -> Exchange:
        """Ask where the server should answer 200; `NotGiven` where Mastodon itself refuses this one thing.

        401 means that the token, or that coming without one, is refused
        altogether. Anyone else's refusal is unexpected: a firewall's page
        proves nothing about the account.
        """
        exchange = self.get(self.url(path, params), openly=openly)
        if exchange.status == 200:
            return exchange
        words = parse.refusal(decoded(exchange))
        if words is None:
            raise UnexpectedResponse(
                f"{exchange.url} answered {exchange.status} with a page that is not Mastodon's own: a firewall or "
                "another program stands before it. Ask the server's administrator to let this address reach /api/."
            )
        if exchange.status == 401:
            raise AccessRevoked(_unauthorised(exchange, words, connected=self.connected and not openly))
        if exchange.status == 403 and "scope" not in words.lower():
            raise AccessRevoked(
                f"{self.origin} refuses the account that the page is connected with ({words}). Sign in there and see "
                "what it asks for; then connect the page again."
            )
        if exchange.status in {403, *_NOT_THERE}:
            raise NotGiven(exchange.status, words)
        raise UnexpectedResponse(f"{exchange.url} answered {exchange.status} ({words}).")

    def url(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """The address of a route such as "/api/v1/statuses/5"."""
        return f"{self.origin}{path}" + (f"?{urlencode(params, safe='[]@')}" if params else "")

    def one(
        self, path: str, shape: type[T], params: Mapping[str, str] | None = None, *, openly: bool = False
    ) -> Seen[T]:
        """Ask for one object."""
        exchange = self.json(path, params, openly=openly)
        body = decoded(exchange)
        try:
            return self._whole(body, exchange, parse.one(body, self.last, shape))
        except Malformed as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}.") from fault

    def many(
        self, path: str, shape: type[T], params: Mapping[str, str] | None = None
    ) -> tuple[Sorted[T], Exchange]:
        """Ask for a list; with what it tells comes the exchange, whose header leads on."""
        exchange = self.json(path, params)
        body = decoded(exchange)
        try:
            told = parse.many(body, self.last, shape)
        except Malformed as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}.") from fault
        return self._all_whole(body, exchange, told), exchange

    def stands(self, path: str, *, openly: bool = False) -> parse.Standing | None:
        """Ask how one item stands; None where it is told in another shape."""
        exchange = self.json(path, openly=openly)
        return self._read(exchange, parse.standing)

    def context(
        self, identity: str, *, openly: bool = False
    ) -> tuple[Sorted[parse.Status], Sorted[parse.Status]]:
        """Ask what a status answers, and what answers it."""
        exchange = self.json(f"/api/v1/statuses/{identity}/context", openly=openly)
        body = decoded(exchange)
        try:
            above, below = parse.context(body, self.last)
        except Malformed as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}.") from fault
        return self._all_whole(body, exchange, above), self._all_whole(body, exchange, below)

    def statuses(self, what: str, told: Sorted[T]) -> list[Gap]:
        """A gap for each status of a list that cannot be read."""
        return self.gaps_of(what, told.unread, "status:{}".format)

    def _all_whole(self, body: bytes, exchange: Exchange, told: Sorted[T]) -> Sorted[T]:
        return Sorted([self._whole(body, exchange, item) for item in told.items], told.unread)

    def _whole(self, body: bytes, exchange: Exchange, item: Seen[T]) -> Seen[T]:
        """Where the server compressed although we asked not to, no item has bytes of its own: all own the whole."""
        if body is exchange.body:
            return item
        return replace(item, span=Span(item.span.exchange, 0, len(exchange.body)))


def _unauthorised(exchange: Exchange, words: str, *, connected: bool) -> str:
    if connected:
        return f"{exchange.url}: the server no longer accepts the page's token ({words}). Connect the page again."
    return (
        f"{exchange.url}: the server shows this only to those who sign in ({words}). Connect the page, with the "
        "account itself or with any other on that server."
    )


def lacking(origin: str, what: str, permission: str, refused: NotGiven) -> AccessRevoked:
    """For an officer: which permission a token lacks, without which nothing can be captured with it."""
    return AccessRevoked(
        f"{origin} does not show {what} to the page's token ({refused}): the permission {permission} is lacking. "
        "Connect the page again and permit it."
    )


def _reset(exchange: Exchange, now: datetime) -> timedelta | None:
    """How long the server asks us to wait: Mastodon names the moment, others count seconds, from now or from 1970."""
    told = exchange.header("X-RateLimit-Reset") or ""
    if told.isascii() and told.isdecimal():
        seconds = int(told[:_MOST_DIGITS])
        if seconds < _SINCE_1970:
            return timedelta(seconds=seconds)
        until = times.epoch(seconds)
    else:
        until = parse.moment(told)
    return None if until is None else max(until - now, timedelta(0))

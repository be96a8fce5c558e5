"""Asks the servers of the network, and gathers what was asked until a batch takes it along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from connectors.bluesky import parse
from connectors.bluesky.car import NotCar
from connectors.bluesky.cbor import NotCbor
from connectors.contract import Batch, Client, Cursor, Exchange, Gap, Listing, Observation, Sighting, Span
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.visits import Visit

T = TypeVar("T")
P = ParamSpec("P")

_ANSWERS = (400, 401, 403, 404, 410, 501)
"""What we weigh ourselves: refusals in the protocol's own words."""

_AN_EPOCH = 1_000_000_000
"""A larger RateLimit-Reset is a moment (as the reference servers write it), a smaller one a span (as the draft says)."""


class NotGiven(Exception):
    """A server of the network refused one question; `error` is the protocol's own word for why."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(f"{status} {error}")
        self.status, self.error, self.message = status, error, message

    @property
    def reason(self) -> str:
        return f"{self.status} {self.error}"


class Asking(Visit):
    """One visit to the network. An error on the way takes along the exchanges that led to it."""

    unread_is_apart = True

    def __init__(self, http: Client) -> None:
        super().__init__()
        self.http = http
        self._compressed: set[int] = set()

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, accept: Sequence[int] = _ANSWERS
    ) -> Exchange:
        """Ask for `url`; what throttles us says until when."""
        try:
            exchange = self.http.get(url, headers=headers, accept=accept)
        except TryAgainLater as error:
            raise patient(error) from error
        return self.taken(exchange)

    def taken(self, exchange: Exchange) -> Exchange:
        """Gather an exchange that was made elsewhere: a sign-in, a message of a stream."""
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        return exchange

    def forget(self, exchange: Exchange) -> None:
        """Let go of an exchange that is none of the page's."""
        self._exchanges = [one for one in self._exchanges if one is not exchange]

    def xrpc(
        self,
        server: str,
        method: str,
        query: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Ask a server by a method of the protocol; `NotGiven` where it refuses in the protocol's own words.

        Anyone else's refusal is unexpected: it proves nothing about the account.
        """
        asked = urlencode(query, doseq=True, safe=":/")
        exchange = self.get(f"{server}/xrpc/{method}{'?' if asked else ''}{asked}", headers)
        if exchange.status == 200:
            return exchange
        refusal = refused(exchange)
        if headers is None and exchange.status in {401, 403}:
            raise AccessRevoked(f"{exchange.url} does not let us ask: {refusal.reason} {refusal.message}.")
        raise refusal

    def read(
        self, reader: Callable[Concatenate[bytes, P], T], exchange: Exchange, *told: P.args, **more: P.kwargs
    ) -> T:
        """What a pure reader makes of a body, given what else it needs to know; `UnexpectedResponse` where it cannot read it."""
        body = decoded(exchange)
        if body is not exchange.body:
            # Compressed although we asked not to: no item has bytes of its own, so all own the whole.
            self._compressed.add(self.last)
        try:
            return reader(body, *told, **more)
        except (parse.Malformed, NotCar, NotCbor) as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}") from fault

    def body(self, index: int) -> bytes:
        """The bytes of an exchange, as parsers read them."""
        return decoded(self._exchanges[index])

    def whole(self, index: int) -> Span:
        """All bytes of an exchange."""
        return Span(index, 0, len(self._exchanges[index].body))

    def batch(
        self,
        resume_from: Cursor,
        observations: Sequence[Observation] = (),
        *,
        sightings: Sequence[Sighting] = (),
        listings: Sequence[Listing] = (),
        gaps: Sequence[Gap] = (),
    ) -> Batch:
        """Hand over what was gathered; of an answer that was compressed unasked, its items own the whole."""
        if self._compressed:
            observations = [replace(one, evidence=self._owned(one.evidence)) for one in observations]
            self._compressed.clear()
        return super().batch(resume_from, observations, sightings=sightings, listings=listings, gaps=gaps)

    def _owned(self, evidence: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(
            self.whole(span.exchange) if span.exchange in self._compressed else span for span in evidence
        )


def refused(exchange: Exchange) -> NotGiven:
    """The refusal in the protocol's words that an answer is; raises where it is somebody else's."""
    said = parse.refusal(decoded(exchange))
    if said is None:
        raise UnexpectedResponse(
            f"{exchange.url} answered {exchange.status} with a page that is not of the AT Protocol: a firewall, a "
            "proxy or another site answers in its place. Ask whoever runs it, or correct the page's options."
        )
    return NotGiven(exchange.status, said.error, said.message)


def revoked(refusal: NotGiven, what: str) -> AccessRevoked:
    """That the network does not accept our credentials, in words that an officer can act on."""
    return AccessRevoked(
        f"{what}: the account's server answers {refusal.reason}. Make a new app password in Bluesky under "
        "Settings > Privacy and security > App passwords, and connect the page again with it."
    )


def patient(error: TryAgainLater) -> TryAgainLater:
    """The same error with the delay that the network's own rate headers ask for.

    The moment in RateLimit-Reset is counted from the server's own Date, so
    that it means the same on a machine whose clock is wrong.
    """
    shown = error.exchanges[-1] if error.exchanges else None
    if error.after is not None or shown is None or shown.status != 429:
        return error
    reset = (shown.header("RateLimit-Reset") or "").strip()
    if not (reset.isascii() and reset.isdigit() and len(reset) < 12):
        return error
    seconds = int(reset)
    if seconds >= _AN_EPOCH:
        try:
            seconds -= int(parsedate_to_datetime(shown.header("Date") or "").timestamp())
        except (ValueError, TypeError, OverflowError):
            seconds -= int(shown.started_at.timestamp())
    after = timedelta(seconds=min(max(seconds, 0), 86400))
    return TryAgainLater(str(error), error.exchanges, after=after)

"""Asks, and gathers what was asked until a batch takes it along."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import Batch, Client, Cursor, Exchange, Gap, Listing, Observation, Sighting
from connectors.errors import ConnectorError, UnexpectedResponse
from connectors.failing import Failing
from connectors.http import decoded
from connectors.visits import Visit

_LEFT_AS_THEY_ARE = (301, 302, 303, 307, 308)


class Gathering(Visit):
    """One visit. An error on the way takes along the exchanges that led to it."""

    unread_is_apart = True

    def __init__(self, http: Client) -> None:
        super().__init__()
        self._http = http
        self.gaps: list[Gap] = []

    def get(self, url: str, *, accept: Sequence[int] = (), followed: bool = True) -> Exchange:
        """Ask for `url`; without `followed`, only where it leads.

        A challenge that is put to machines stands before a page, not before
        the agency: it refuses nobody's credentials.
        """
        taken = (*accept, 403, *(() if followed else _LEFT_AS_THEY_ARE))
        exchange = self.keep(self._http.get(url, accept=taken))
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        if exchange.status == 403 and 403 not in accept:
            raise UnexpectedResponse(
                f"{exchange.url} answered 403: Nixle, or the network that stands before it, lets no machine in here. "
                "Ask Everbridge to admit the archive's address; alert mails arrive all the same (option `mailbox`)."
            )
        return exchange

    def left_to(self, error: ConnectorError) -> None:
        """Leave the answer that an error speaks of to the error: what was gathered before it is handed over."""
        if not error.exchanges:
            error.exchanges = (self._exchanges.pop(),)

    def counts_anew(self) -> None:
        """From here on failures count anew: what failed before is told, and the platform is asked for other things."""
        self._failing = Failing()

    def keep(self, exchange: Exchange) -> Exchange:
        """Take an exchange along in the next batch."""
        self._exchanges.append(exchange)
        return exchange

    def place(self, exchange: Exchange) -> int | None:
        """The index of an exchange in the next batch; None where an earlier batch took it along."""
        return next((index for index, one in enumerate(self._exchanges) if one is exchange), None)

    def batch(
        self,
        resume_from: Cursor,
        observations: Sequence[Observation] = (),
        *,
        sightings: Sequence[Sighting] = (),
        listings: Sequence[Listing] = (),
        gaps: Sequence[Gap] = (),
    ) -> Batch:
        """Hand over what was gathered, the gaps among it, and begin to gather anew."""
        found, self.gaps = [*self.gaps, *gaps], []
        return super().batch(resume_from, observations, sightings=sightings, listings=listings, gaps=found)


def body_of(exchange: Exchange) -> tuple[bytes, bool]:
    """The bytes to read, and whether they are the bytes of the wire: some servers compress unasked."""
    body = decoded(exchange)
    return body, body is exchange.body or body == exchange.body

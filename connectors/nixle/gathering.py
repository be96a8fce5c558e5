"""Asks, and gathers what was asked until a batch takes it along."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from connectors.contract import Batch, Client, Cursor, Exchange, Gap, Listing, Observation, Sighting
from connectors.errors import ConnectorError, UnexpectedResponse
from connectors.http import decoded

_LEFT_AS_THEY_ARE = (301, 302, 303, 307, 308)


class Gathering:
    """One visit. An error on the way takes along the exchanges that led to it."""

    def __init__(self, http: Client) -> None:
        self._http = http
        self._exchanges: list[Exchange] = []
        self.gaps: list[Gap] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ConnectorError):
            shown = [one for one in error.exchanges if all(one is not kept for kept in self._exchanges)]
            error.exchanges = (*self._exchanges, *shown)

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

    def keep(self, exchange: Exchange) -> Exchange:
        """Take an exchange along in the next batch."""
        self._exchanges.append(exchange)
        return exchange

    def place(self, exchange: Exchange) -> int | None:
        """The index of an exchange in the next batch; None where an earlier batch took it along."""
        return next((index for index, one in enumerate(self._exchanges) if one is exchange), None)

    @property
    def last(self) -> int:
        """The index, in the next batch, of what was asked last."""
        return len(self._exchanges) - 1

    def batch(
        self,
        resume_from: Cursor,
        observations: Sequence[Observation] = (),
        *,
        sightings: Sequence[Sighting] = (),
        listings: Sequence[Listing] = (),
    ) -> Batch:
        """Hand over what was gathered, and begin to gather anew."""
        exchanges, self._exchanges = tuple(self._exchanges), []
        gaps, self.gaps = tuple(self.gaps), []
        return Batch(
            exchanges=exchanges,
            resume_from=resume_from,
            observations=tuple(observations),
            sightings=tuple(sightings),
            listings=tuple(listings),
            gaps=gaps,
        )


def body_of(exchange: Exchange) -> tuple[bytes, bool]:
    """The bytes to read, and whether they are the bytes of the wire: some servers compress unasked."""
    body = decoded(exchange)
    return body, body is exchange.body or body == exchange.body

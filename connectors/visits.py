"""One visit to a platform: what is asked is gathered until a batch takes it along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar

from connectors.contract import Batch, Cursor, Exchange, Gap, Listing, Observation, Sighting, Span
from connectors.errors import ConnectorError, UnexpectedResponse
from connectors.http import decoded
from connectors.pieces import Malformed, packed

T = TypeVar("T")


class Visit:
    """Gathers exchanges. An error on the way takes along those that led to it."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ConnectorError):
            error.exchanges = (*self._exchanges, *self._others(error.exchanges))

    def _others(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Those of `exchanges` that are not gathered yet."""
        return [one for one in exchanges if all(one is not kept for kept in self._exchanges)]

    @property
    def last(self) -> int:
        """The index, in the next batch, of the exchange asked last."""
        return len(self._exchanges) - 1

    def _read(self, exchange: Exchange, reader: Callable[[bytes], T]) -> T:
        """What an answer says, by a reader of bodies; `UnexpectedResponse` where it says `Malformed`."""
        try:
            return reader(decoded(exchange))
        except Malformed as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}.") from fault

    def since(self, first: int) -> Iterator[Span]:
        """All bytes of the exchanges from the index `first` on."""
        for index, exchange in enumerate(self._exchanges[first:], start=first):
            if exchange.body:
                yield Span(index, 0, len(exchange.body))

    def everything(self) -> Iterator[Span]:
        """All bytes gathered so far."""
        return self.since(0)

    def batch(
        self,
        resume_from: Cursor,
        observations: Sequence[Observation] = (),
        *,
        sightings: Sequence[Sighting] = (),
        listings: Sequence[Listing] = (),
        gaps: Sequence[Gap] = (),
    ) -> Batch:
        """Hand over what was gathered, and begin to gather anew.

        Where an answer was compressed although we asked not to, no item has
        bytes of its own there: all that were read from it own the whole.
        """
        exchanges, self._exchanges = tuple(self._exchanges), []
        return Batch(
            exchanges=exchanges,
            resume_from=resume_from,
            observations=tuple(packed(observations, exchanges)),
            sightings=tuple(sightings),
            listings=tuple(listings),
            gaps=tuple(gaps),
        )

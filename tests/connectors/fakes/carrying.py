"""What the connectors of the fake platforms share: everything that was asked is carried, by a batch or by an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.contract import Batch, Client, Cursor, Exchange, Gap, Listing, Observation, Sighting
from connectors.errors import ConnectorError


class Carrying:
    """Asks, and keeps what was answered until it is handed over."""

    def __init__(self, http: Client) -> None:
        self._http = http
        self._exchanges: list[Exchange] = []

    def _fetched(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        try:
            exchange = self._http.get(url, params=params, headers=headers)
        except ConnectorError as error:
            error.exchanges = (*self._exchanges, *error.exchanges)
            raise
        self._exchanges.append(exchange)
        return exchange

    def _batch(
        self,
        cursor: Cursor,
        observations: Sequence[Observation],
        listings: Sequence[Listing] = (),
        sightings: Sequence[Sighting] = (),
        gaps: Sequence[Gap] = (),
    ) -> Batch:
        taken, self._exchanges = self._exchanges, []
        return Batch(
            exchanges=taken,
            resume_from=cursor,
            observations=observations,
            listings=listings,
            sightings=sightings,
            gaps=gaps,
        )

"""Asks for Snapchat's public pages, and gathers what was asked until a batch takes it along. Nobody signs in."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.contract import Client, Exchange
from connectors.errors import NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.snapchat import reading
from connectors.snapchat.reading import Piece, Profile
from connectors.visits import Visit

NO_SUCH = (404, 410)
_REFUSALS = (401, 403, 451)
_WALL = timedelta(hours=1)
"""How long Snapchat is left alone after it would not let us look."""

_HEADERS = {"Accept": "text/html", "Accept-Language": "en"}
"""One language, so that what the page says of itself is no edit."""


class Asking(Visit):
    """One visit to the profile whose name is given, at the site that is given."""

    unread_is_apart = True

    def __init__(self, http: Client, site: str, name: str) -> None:
        super().__init__()
        self._http, self._site, self.name = http, site, name

    def now(self) -> datetime:
        return self._http.now()

    def profile(self) -> Profile:
        """The profile's page."""
        exchange = self._get(f"{self._site}/@{self.name}")
        if exchange.status in NO_SUCH:
            raise NoSuchPage(
                f"Snapchat shows no profile @{self.name} ({exchange.status}): it was renamed, closed, or never was. Look at "
                f"{exchange.url} in a browser, and correct the page's address."
            )
        shown = self._read(exchange, lambda body: reading.profile(body, self.last))
        if self.name not in shown.names:
            raise NoSuchPage(
                f"Snapchat shows the profile @{reading.text(shown.info.what, 'username')} at {exchange.url}. Correct the "
                "page's address if it is the one that is meant."
            )
        return shown

    def spotlight(self, name: str) -> tuple[Exchange, Piece | None]:
        """The page of one spotlight, and the spotlight where the page shows it."""
        exchange = self._get(f"{self._site}/spotlight/{name}")
        if exchange.status in NO_SUCH:
            return exchange, None
        return exchange, self._read(exchange, lambda body: reading.spotlight(body, self.last, name))

    def _get(self, url: str) -> Exchange:
        exchange = self._http.get(url, headers=_HEADERS, accept=(*NO_SUCH, *_REFUSALS))
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        if exchange.status == 200 or exchange.status in NO_SUCH:
            return exchange
        if exchange.status in {401, 403}:
            raise TryAgainLater(
                f"Snapchat does not let the archive look at {exchange.url} for now ({exchange.status}). If this goes on, ask "
                "whoever runs the network whether something stands in between, and import the profile's own data meanwhile.",
                after=_WALL,
            )
        raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}.")

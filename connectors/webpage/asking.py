"""Asks one site, and gathers what was asked until a batch takes it along."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from connectors.contract import Client, Exchange
from connectors.errors import AddressRefused, ConnectorError, UnexpectedResponse
from connectors.webpage import places

_ACCEPT_PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"


class Asking:
    """One visit. An error on the way takes along the exchanges that led to it."""

    def __init__(self, http: Client, secret: Mapping[str, str] | None, site: str) -> None:
        self._http, self._secret, self._site = http, secret, site
        self.exchanges: list[Exchange] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ConnectorError):
            shown = [one for one in error.exchanges if all(one is not kept for kept in self.exchanges)]
            error.exchanges = (*self.exchanges, *shown)

    def page(self, address: str, accept: Sequence[int] = ()) -> Exchange:
        """Ask for a page, with our name and password where the page is connected."""
        exchange = self._get(address, {"Accept": _ACCEPT_PAGE}, accept)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {address} was cut short ({exchange.truncated}).")
        return exchange

    def file(self, address: str, accept: Sequence[int], validators: Mapping[str, str]) -> Exchange:
        """Ask for a file that a page shows."""
        return self._get(address, dict(validators), accept)

    def take(self) -> list[Exchange]:
        """What was gathered, to begin anew."""
        taken, self.exchanges = self.exchanges, []
        return taken

    def show(self, exchange: Exchange) -> int:
        """The place of an exchange in the next batch; one that nobody asked for, a rendition, is added to it."""
        for place, one in enumerate(self.exchanges):
            if one is exchange:
                return place
        self.exchanges.append(exchange)
        return len(self.exchanges) - 1

    def _get(self, address: str, headers: dict[str, str], accept: Sequence[int]) -> Exchange:
        headers |= authorization(self._secret, self._site, address)
        exchange = self._http.get(address, headers=headers, accept=accept)
        self.exchanges.append(exchange)
        return exchange


def authorization(secret: Mapping[str, str] | None, site: str, address: str) -> dict[str, str]:
    """Our name and password (RFC 7617), for the site itself and nobody else."""
    if not secret or places.origin(address) != places.origin(site):
        return {}
    if not places.keeps_secrets(address):
        raise AddressRefused(
            f"{address} is not protected by TLS: the password would travel in clear. Give the page's https address."
        )
    pair = f"{secret['user']}:{secret['password']}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}

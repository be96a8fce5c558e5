"""Asks for one address and follows where it was moved, keeping every exchange on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.contract import Client, Exchange
from connectors.errors import ConnectorError
from connectors.feed.parse import http_address

_MOVED = (301, 302, 303, 307, 308)
_HOPS = 5

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.5, */*;q=0.1"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The last of `exchanges` is the answer; `address` is where it was asked for in the end."""

    exchanges: Sequence[Exchange]
    address: str

    @property
    def last(self) -> Exchange:
        return self.exchanges[-1]


def ask(
    http: Client, address: str, *, headers: Mapping[str, str] | None = None, accept: Sequence[int] = ()
) -> Answer:
    """Ask for `address`. An error on the way takes along the exchanges that led to it."""
    exchanges: list[Exchange] = []
    at = address
    try:
        while True:
            exchanges.append(http.get(at, headers={"Accept": ACCEPT, **(headers or {})}, accept=accept))
            location = exchanges[-1].header("Location") if exchanges[-1].status in _MOVED else None
            following = http_address(location, at) if location else None
            if following is None or len(exchanges) > _HOPS:
                return Answer(exchanges, at)
            at = following
    except ConnectorError as error:
        error.exchanges = (*exchanges, *error.exchanges)
        raise

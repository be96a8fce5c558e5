"""Asks for one address, and gives the answer's bytes as they are to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors import http as evidence
from connectors.contract import Client, Exchange

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.5, */*;q=0.1"
)


def ask(
    http: Client, address: str, *, headers: Mapping[str, str] | None = None, accept: Sequence[int] = ()
) -> Exchange:
    """Ask for a feed at `address`, or for what else may live there."""
    return http.get(address, headers={"Accept": _ACCEPT, **(headers or {})}, accept=accept)


def words_of(answer: Exchange) -> tuple[bytes, bool]:
    """The bytes to read, and whether they are the bytes of the wire: some servers compress unasked."""
    body = evidence.decoded(answer)
    return body, body == answer.body

"""Asks for one address, and gives the answer's bytes as they are to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors import codings
from connectors import http as evidence
from connectors.contract import Client, Exchange
from connectors.errors import UnexpectedResponse

_COMPRESSED = b"\x1f\x8b\x08"
"""How a file begins that gzip made (RFC 1952); no feed does."""

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
    """The bytes to read, and whether they are the bytes of the wire: some servers compress unasked, or hand out a compressed file."""
    body = evidence.decoded(answer)
    if body.startswith(_COMPRESSED):
        try:
            body = codings.decode(body, ["gzip"], most=evidence.MAX_DECODED)
        except codings.CannotDecode as fault:
            raise UnexpectedResponse(f"{answer.url} cannot be read: {fault}.", [answer]) from fault
    return body, body == answer.body

"""Asking those whom the operator named to vouch for the ledger: one question, one bounded answer, in bounded time.

The addresses are the operator's own words, so they may lie in the agency's own
network; an answer may not send us elsewhere. Redirects are not followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.records.errors import Unavailable
from connectors.connections import Watch

_LONGEST_ANSWER = 256 * 1024
_DEADLINE = timedelta(seconds=30)


class NotReached(Unavailable):
    """An authority or a witness gave no answer that could be read; work goes on, and it is asked again."""

    code = "not-reached"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status."""

    status: int
    media_type: str
    body: bytes = field(repr=False)


class Ask(Protocol):
    """Posts `content` and returns what came back; `NotReached` where nothing whole did."""

    def __call__(self, url: str, content: bytes, media_type: str) -> Reply: ...


class Asking:
    """`Ask` over a client that the builder made."""

    def __init__(self, client: httpx.Client, *, deadline: timedelta = _DEADLINE) -> None:
        self._client, self._deadline = client, deadline

    def __call__(self, url: str, content: bytes, media_type: str) -> Reply:
        watch, named = Watch(self._deadline), spoken(url)

        def connected(event: str, info: Mapping[str, object]) -> None:
            if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
                stream = info["return_value"]
                watch.over(stream.get_extra_info("socket"))  # type: ignore[attr-defined]  # httpcore's network stream

        try:
            request = self._client.build_request(
                "POST",
                url,
                content=content,
                headers={"Content-Type": media_type, "Accept-Encoding": "identity", "Connection": "close"},
                timeout=self._deadline.total_seconds(),
                extensions={"trace": connected},
            )
            response = self._client.send(request, stream=True, follow_redirects=False)
            try:
                came = bytearray()
                for chunk in response.iter_raw():
                    came += chunk
                    if len(came) > _LONGEST_ANSWER:
                        raise NotReached(f"{named} answers with more than an answer could need")
            finally:
                response.close()
        except (httpx.TransportError, httpx.InvalidURL, httpx.StreamError) as fault:
            raise NotReached(f"{named} did not answer: {type(fault).__name__}") from fault
        finally:
            watch.end()
        if watch.cut:
            raise NotReached(f"{named} did not answer in time")
        if response.is_redirect:
            raise NotReached(
                f"{named} sends us to {response.headers.get('location', 'nowhere')}",
                next="If you trust that address, name it in the settings; redirects are not followed.",
            )
        return Reply(
            response.status_code,
            response.headers.get("content-type", "").partition(";")[0].strip(),
            bytes(came),
        )


def spoken(url: str) -> str:
    """An address as it may be written down: without a user, a password or what comes after `?` and `#`."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

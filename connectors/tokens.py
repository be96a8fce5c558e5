"""The way to a platform's token endpoints. Nothing that passes here is recorded, logged or repeated in an error.

Evidence is what a page shows; a token is never evidence. So tokens do not
travel through the evidence client: it would have to know them before it could
leave them out. The same gate stands here as there: a name is resolved once,
what it resolved to is checked, and exactly that address is connected to.
Redirects are not followed, a question is never sent twice, and plain http is
spoken only with hosts that the operator named.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlencode

import httpx

from connectors.addresses import Gate, Resolve, resolve
from connectors.connections import Connections, Watch
from connectors.errors import AddressRefused, TryAgainLater, UnexpectedResponse

_LONGEST_ANSWER = 256 * 1024
_MOST_ADDRESSES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a token endpoint answered."""

    status: int
    body: bytes = field(repr=False)


class Asks(Protocol):
    """Sends a form to a token endpoint."""

    def ask(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """Post `form`, as JSON where `headers` call it so, and return what came, whatever its status.

        Raises `TryAgainLater` where no whole answer came: whether the server
        took the question is then unknown. `AddressRefused` where it may not be
        asked, and was not.
        """
        ...


class TokenClient:
    """`Asks` over real connections, each question over one of its own."""

    def __init__(
        self,
        *,
        version: str,
        allow_hosts: Collection[str] = (),
        deadline: timedelta = timedelta(seconds=45),
        resolve: Resolve = resolve,
    ) -> None:
        self._agent = f"Muniment/{version} (archive of public records)"
        self._gate = Gate(allow_hosts, resolve)
        self._plain = frozenset(host.strip().lower() for host in allow_hosts)
        self._deadline = deadline

    def ask(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form; see `Asks`."""
        where = self._gate.read(url).copy_with(fragment=None)
        if where.scheme != "https" and self._plain.isdisjoint({where.host, where.netloc.decode("ascii")}):
            raise AddressRefused(
                f"{where.host} would be told credentials over plain http. Use an address with https://."
            )
        addresses = self._gate.addresses(where)[:_MOST_ADDRESSES]
        connections, watch = Connections(None), Watch(self._deadline)
        try:
            told = dict(headers or {})
            kind = told.pop("Content-Type", "application/x-www-form-urlencoded")
            body = json.dumps(dict(form)) if kind == "application/json" else urlencode(form)
            return self._sent(
                connections, watch, where, addresses, body.encode(), {"Content-Type": kind, **told}
            )
        finally:
            watch.end()
            connections.close()

    def _sent(
        self,
        connections: Connections,
        watch: Watch,
        where: httpx.URL,
        addresses: Collection[str],
        body: bytes,
        headers: Mapping[str, str],
    ) -> Answer:
        for address in addresses:
            with suppress(
                httpx.ConnectError, httpx.ConnectTimeout
            ):  # nothing was sent: the next one may be asked
                return self._once(connections, watch, where, address, body, headers)
        raise TryAgainLater(f"{where.host} did not answer.")

    def _once(
        self,
        connections: Connections,
        watch: Watch,
        where: httpx.URL,
        address: str,
        body: bytes,
        headers: Mapping[str, str],
    ) -> Answer:
        seconds = self._deadline.total_seconds()
        request = httpx.Request(
            "POST",
            where.copy_with(host=address),
            headers=[
                ("Host", where.netloc.decode("ascii")),
                ("User-Agent", self._agent),
                ("Accept", "application/json"),
                ("Accept-Encoding", "identity"),
                ("Connection", "close"),
                ("Content-Length", str(len(body))),
                *headers.items(),
            ],
            content=body,
            extensions={
                "timeout": {
                    "connect": min(20.0, seconds),
                    "read": seconds,
                    "write": seconds,
                    "pool": seconds,
                },
                "sni_hostname": where.raw_host.decode("ascii").rstrip("."),
            },
        )
        try:
            response = connections.send(where, address, request, watch)
            came = bytearray()
            for chunk in response.stream:  # type: ignore[union-attr]  # of a sync transport
                came += chunk
                if len(came) > _LONGEST_ANSWER:
                    raise UnexpectedResponse(f"{where.host} answers with more than a token could need.")
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise
        except httpx.TransportError as fault:
            raise TryAgainLater(f"{where.host} did not answer: {type(fault).__name__}.") from None
        if watch.cut:
            raise TryAgainLater(f"{where.host} did not answer in time.")
        return Answer(response.status_code, bytes(came))

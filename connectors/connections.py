"""Connections of the evidence client: each to one address for one host, and cut when its time is over."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

import httpx

_MOST_CONNECTIONS = 8


class BrokenOff(Exception):
    """A stream that stays open came to an end that is none: what it did, why in WARC's words, and the part that came.

    `refused` says that the platform closed it because it does not let us in.
    """

    def __init__(self, says: str, truncated: str, part: bytes, *, refused: bool = False) -> None:
        super().__init__(says)
        self.says, self.truncated, self.part, self.refused = says, truncated, part, refused


class Watch:
    """Cuts a connection when its time is over, also while the other side drips byte by byte.

    Reading has a limit of silence only; a server that sends a header's byte
    now and then would hold us for days.
    """

    def __init__(self, deadline: timedelta) -> None:
        self.cut = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(deadline.total_seconds(), self._end_it)
        self._timer.daemon = True
        self._timer.start()

    def over(self, connection: socket.socket | None) -> None:
        """Watch over this connection."""
        self._socket = connection

    def end(self) -> None:
        self._timer.cancel()
        self._socket = None

    def _end_it(self) -> None:
        self.cut = True
        if self._socket is not None:
            with suppress(OSError):
                # Of the plain socket: TLS would wait for the other side's consent.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Connections:
    """Connections that are kept open, each to one address for one host.

    Two hosts may share an address; a connection whose certificate was verified
    for one of them is never used for the other.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._open: dict[
            tuple[str, str, int | None, str], tuple[httpx.HTTPTransport, list[socket.socket]]
        ] = {}
        self._alone: list[Alone] = []

    @property
    def tls(self) -> ssl.SSLContext | None:
        """How certificates are verified; None: by the machine's own authorities."""
        return self._tls

    def send(self, url: httpx.URL, address: str, request: httpx.Request, watch: Watch) -> httpx.Response:
        transport, sockets = self._to(url, address)
        return _send(transport, sockets, request, watch)

    def alone(self, scheme: str) -> Alone:
        """A connection for one stream, which stays open while others ask the same host."""
        self._alone = [one for one in self._alone if not one.closed]
        self._alone.append(Alone(self._transport(scheme)))
        return self._alone[-1]

    def close(self) -> None:
        """Let go of everything. A stream that another thread reads from ends there."""
        for one in self._alone:
            one.end()
        for transport, _ in self._open.values():
            transport.close()
        self._open.clear()

    def _to(self, url: httpx.URL, address: str) -> tuple[httpx.HTTPTransport, list[socket.socket]]:
        key = (url.scheme, url.host, url.port, address)
        if key not in self._open:
            while len(self._open) >= _MOST_CONNECTIONS:
                self._open.pop(next(iter(self._open)))[0].close()
            self._open[key] = (self._transport(url.scheme), [])
        return self._open[key]

    def _transport(self, scheme: str) -> httpx.HTTPTransport:
        if scheme == "https" and self._tls is None:
            self._tls = httpx.create_ssl_context()
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=15)
        return httpx.HTTPTransport(
            verify=self._tls or False, trust_env=False, http1=True, http2=False, limits=limits
        )


class Alone:
    """A connection that one stream has to itself."""

    def __init__(self, transport: httpx.HTTPTransport) -> None:
        self._transport = transport
        self._sockets: list[socket.socket] = []
        self.closed = False

    def send(self, request: httpx.Request, watch: Watch) -> httpx.Response:
        return _send(self._transport, self._sockets, request, watch)

    def end(self) -> None:
        """Cut it, from whichever thread: who reads from it reads no further, and closes it."""
        for one in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        self.closed = True
        self._transport.close()


def _send(
    transport: httpx.HTTPTransport, sockets: list[socket.socket], request: httpx.Request, watch: Watch
) -> httpx.Response:
    """Send, and remember in `sockets` the one that was connected."""

    def connected(event: str, info: Mapping[str, object]) -> None:
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            stream = info["return_value"]
            sockets[:] = [stream.get_extra_info("socket")]  # type: ignore[attr-defined]  # httpcore's network stream
            watch.over(sockets[0])

    watch.over(sockets[0] if sockets else None)
    request.extensions["trace"] = connected
    return transport.handle_request(request)

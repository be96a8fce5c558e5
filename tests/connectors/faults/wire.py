"""Connections that fail at the questions that they are told to, and let things happen on the page before others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import httpcore
import httpx

from connectors.connections import Alone, Connections, Watch

_SIGN_IN = b'<!DOCTYPE html><html><form action="/login"><input type="password" name="pw"></form></html>'


class Wire(Connections):
    """The network as one run meets it.

    `happens` is told of each question before it is asked, and `heard` of each
    that opened a stream, once the platform knows its listener.
    """

    def __init__(
        self,
        faults: Mapping[int, str],
        happens: Callable[[int], None],
        heard: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__(None)
        self.asked = 0
        self.met: list[str] = []
        """The faults that were met, in order."""
        self._faults, self._happens, self._heard = faults, happens, heard

    def send(self, url: httpx.URL, address: str, request: httpx.Request, watch: Watch) -> httpx.Response:
        _, fault = self._next()
        if fault is None:
            return super().send(url, address, request, watch)
        if fault == "nobody":
            raise httpx.ConnectError("connection refused", request=request)
        response = super().send(url, address, request, watch)
        if fault == "cut":
            return _with(response, _Cut(response))
        for _ in cast(httpx.SyncByteStream, response.stream):
            """It was answered; we are the ones who do not hear it."""
        response.close()
        return _instead(fault, request, response)

    def alone(self, scheme: str) -> Alone:
        self._alone.append(_Listening(self._transport(scheme), self))
        return self._alone[-1]

    def opened(self, send: Callable[[], httpx.Response], request: httpx.Request) -> httpx.Response:
        """Open a stream, or meet in its place what the question is told to."""
        number, fault = self._next()
        if fault == "nobody":
            raise httpx.ConnectError("connection refused", request=request)
        if fault not in {None, "cut"}:
            stranger = httpx.Response(200, extensions={"network_stream": _Stranger()})
            return _instead(fault, request, stranger)  # somebody stands before the platform
        response = send()
        if _is_a_stream(response):
            self._heard(number)
        if fault is None:
            return response
        if response.status_code == 101:
            response.extensions["network_stream"] = _HalfHeard(response.extensions["network_stream"])
            return response
        return _with(response, _Cut(response))

    def _next(self) -> tuple[int, str | None]:
        number, self.asked = self.asked, self.asked + 1
        self._happens(number)
        fault = self._faults.get(number)
        self.met += [fault] if fault is not None else []
        return number, fault


class _Listening(Alone):
    """A connection for one stream, over the disturbed wire."""

    def __init__(self, transport: httpx.HTTPTransport, wire: Wire) -> None:
        super().__init__(transport)
        self._wire = wire

    def send(self, request: httpx.Request, watch: Watch) -> httpx.Response:
        return self._wire.opened(lambda: super(_Listening, self).send(request, watch), request)


def _is_a_stream(response: httpx.Response) -> bool:
    events = response.headers.get("content-type", "").startswith("text/event-stream")
    return response.status_code == 101 or (response.status_code == 200 and events)


def _instead(fault: str | None, request: httpx.Request, response: httpx.Response) -> httpx.Response:
    match fault:
        case "timeout":
            raise httpx.ReadTimeout("no answer", request=request)
        case "reset":
            raise httpx.ReadError("connection reset by peer", request=request)
        case "empty":
            return _with(response, httpx.ByteStream(b""))
        case "refused":
            return _with(response, httpx.ByteStream(b"no"), 403)
        case "sign-in":
            return _with(response, httpx.ByteStream(_SIGN_IN), 200, "text/html")
        case _:
            return _with(response, httpx.ByteStream(b"try again"), 503)


class _Cut(httpx.SyncByteStream):
    """Half of a body, and then the connection is gone."""

    def __init__(self, whole: httpx.Response) -> None:
        self._whole = whole

    def __iter__(self) -> Iterator[bytes]:
        body = b"".join(cast(httpx.SyncByteStream, self._whole.stream))
        yield body[: len(body) // 2]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    def close(self) -> None:
        self._whole.close()


class _Stranger:
    """The connection to whoever stands before the platform."""

    def get_extra_info(self, info: str) -> Any:
        return ("127.0.0.1", 0) if info == "server_addr" else None


class _HalfHeard:
    """Half of what comes over a WebSocket, and then the connection is gone. The platform has hung up by then."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._half: bytes | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._half is None:
            whole = b"".join(iter(lambda: self._stream.read(max_bytes, timeout), b""))
            self._half = whole[: len(whole) // 2]
            return self._half
        raise httpcore.ReadError("connection reset by peer")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)


def _with(
    response: httpx.Response,
    stream: httpx.SyncByteStream,
    status: int | None = None,
    media: str | None = None,
) -> httpx.Response:
    kept = [
        (key, value)
        for key, value in response.headers.multi_items()
        if key not in {"content-length", "transfer-encoding", "content-encoding"}
        and (status is None or key in {"date", "server"})
    ]
    return httpx.Response(
        status or response.status_code,
        headers=[*kept, *([("content-type", media)] if media else [])],
        stream=stream,
        extensions=response.extensions,
    )

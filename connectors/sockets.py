"""WebSocket (RFC 6455): how a connection is asked to become one, and its messages as bytes.

The `websockets` library reads and writes the frames; the connection is the
evidence client's own, opened and checked like any other. No compression is
offered, so that the bytes of a message are what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol as Shape

import httpcore
from websockets.exceptions import PayloadTooBig, WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side
from websockets.utils import accept_key, generate_key

from connectors.connections import BrokenOff

_READ_AT_ONCE = 1 << 16
_AN_END = frozenset({CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD})
_LOST = (httpcore.NetworkError, httpcore.TimeoutException)
_REFUSALS = frozenset({3000, 3003})
"""Unauthorized and Forbidden, in IANA's registry of close codes."""


class Stream(Shape):
    """A connection that both sides may write to."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    def write(self, buffer: bytes, timeout: float | None = None) -> None: ...


def opening() -> dict[str, str]:
    """The headers that ask for a WebSocket, with a key of its own."""
    return {"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": generate_key()}


def agreed(key: str, answered: Mapping[str, str]) -> str | None:
    """What is wrong with an answer that claims to open a WebSocket; None where nothing is (RFC 6455, section 4.1)."""
    if answered.get("upgrade", "").lower() != "websocket":
        return "it is something other than a WebSocket"
    if answered.get("sec-websocket-accept", "").strip() != accept_key(key):
        return "it does not answer the key that was sent"
    if answered.get("sec-websocket-extensions"):
        return "it uses extensions that nobody asked for"
    return None


class Messages:
    """The messages of one open WebSocket.

    Any byte is a sign of life. After half of `silence` without one we ask with
    a ping; when nothing comes after the other half either, it is `BrokenOff`.
    """

    def __init__(self, stream: Stream, *, most: int, silence: timedelta) -> None:
        self._stream, self._most = stream, most
        self._patience = silence.total_seconds() / 2
        self._frames = Protocol(Side.CLIENT, max_size=most)
        self._part = bytearray()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            came = self._read()
            if came:
                self._frames.receive_data(came)
            else:
                self._frames.receive_eof()
            for event in self._frames.events_received():
                yield from self._message(event)
            closed = self._frames.close_rcvd
            with suppress(*_LOST):
                self._write()
            if isinstance(self._frames.parser_exc, PayloadTooBig):
                says = f"sends a message of more than {self._most} bytes"
                raise BrokenOff(says, "length", bytes(self._part))
            if closed is not None and closed.code in _AN_END and not self._part:
                return
            if closed is not None:
                says = f"was closed by the platform with code {closed.code}"
                raise BrokenOff(says, "disconnect", bytes(self._part), refused=closed.code in _REFUSALS)
            if self._frames.parser_exc is not None or not came:
                why = type(self._frames.parser_exc).__name__ if came else "no closing frame"
                raise BrokenOff(f"broke off ({why})", "disconnect", bytes(self._part))

    def close(self) -> None:
        """Say that we leave; nobody waits for the answer."""
        with suppress(WebSocketException, *_LOST):
            self._frames.send_close(CloseCode.NORMAL_CLOSURE)
            self._write()

    def _message(self, event: object) -> Iterator[bytes]:
        if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            self._part += event.data
            if event.fin:
                whole = bytes(self._part)
                self._part.clear()
                yield whole

    def _read(self) -> bytes:
        """What came next; empty where the connection ended."""
        for asked in (False, True):
            try:
                return self._stream.read(_READ_AT_ONCE, self._patience)
            except httpcore.ReadTimeout:
                if asked:
                    break
                with suppress(*_LOST):
                    self._frames.send_ping(b"")
                    self._write()
            except httpcore.NetworkError as fault:
                says = f"broke off ({type(fault).__name__})"
                raise BrokenOff(says, "disconnect", bytes(self._part)) from None
        raise BrokenOff("was silent for too long", "time", bytes(self._part))

    def _write(self) -> None:
        for data in self._frames.data_to_send():
            if data:
                self._stream.write(data, self._patience)

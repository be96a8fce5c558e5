"""What worlds on this machine share: a server that lasts as long as its context, and a client that may ask it.

The client is the evidence client, with a clock that stands and pauses that
take no time.
"""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Self

from app.records.clock import FixedClock
from connectors.http import EvidenceClient

ALLOWED = ("127.0.0.1", "localhost")


class Passing:
    """Time as the client feels it: it passes only by waiting, and waiting is instant."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, pause: timedelta) -> None:
        self.seconds += pause.total_seconds()


def evidence_client(
    secrets: Mapping[str, str] | None = None, now: datetime = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
) -> EvidenceClient:
    """A client for one page on loopback."""
    passing = Passing()
    return EvidenceClient(
        clock=FixedClock(now),
        monotonic=passing.monotonic,
        wait=passing.wait,
        contact="records@town.example",
        secrets=secrets,
        allow_hosts=ALLOWED,
    )


class Talk(BaseHTTPRequestHandler):
    """One connection to a world: quiet, with head and body in one piece, since two would wait for each other."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked has left: that is no fault of this world's
            super().handle()

    def finish(self) -> None:
        with suppress(ConnectionError):
            super().finish()

    def get(self) -> None:
        """Answer a question; each world says how."""
        raise AssertionError(f"this world was asked for {self.path}")

    def post(self) -> None:
        """Answer a POST, in worlds that know any."""
        self.send_error(501)

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def say(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        cut: bool = False,
        ends: bool = False,
        bare: bool = False,
    ) -> None:
        """Answer. `cut` breaks off in the midst, as does a body that is shorter than its headers say; `ends` closes the
        connection; `bare` names no server and no date."""
        (self.send_response_only if bare else self.send_response)(status)
        said = dict(headers)
        if status != 304:
            said.setdefault("Content-Length", str(len(body)))
        short = status != 304 and said["Content-Length"] != str(len(body))
        if ends:
            said["Connection"] = "close"
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # whoever asked has left
            if status != 304:
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.wfile.flush()
        self.close_connection = self.close_connection or cut or ends or short

    def body(self) -> bytes:
        """What was sent along with the question."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, format: str, *args: object) -> None:
        """The tests speak for themselves."""


class _Server(ThreadingHTTPServer):
    """A server that hangs up when it ends: a connection that a client keeps open would be answered on."""

    def __init__(self, talk: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), talk)
        self._connected: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        self._connected.append(connection)
        return connection, address

    def server_close(self) -> None:
        super().server_close()
        for connection in self._connected:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Loopback(ABC):
    """A world with a server of its own. Use it as a context: the server ends with it."""

    waits_for_answers: ClassVar[bool] = False
    """Whether the end waits until every answer was given."""

    @abstractmethod
    def talk(self) -> type[BaseHTTPRequestHandler]:
        """How it answers one connection."""

    def __enter__(self) -> Self:
        self._server = _Server(self.talk())
        self._server.daemon_threads = not self.waits_for_answers
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def address(self) -> str:
        """Where it listens, such as "http://127.0.0.1:40001"."""
        return f"http://127.0.0.1:{self._server.server_port}"

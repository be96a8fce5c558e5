"""What the tests of connectors share: a clock that stands, a client that never sleeps, and a server that answers byte for byte."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("connectors.promises", "tests.connectors.worlds.visits")

from connectors.http import EvidenceClient, Manners  # noqa: E402 - their asserts are rewritten before anything imports them
from tests.connectors.worlds.accepting import Accepting  # noqa: E402 - as above

QUICK = frozenset(
    [
        "addresses",
        "closing",
        "codings",
        "courtesy",
        "cursors",
        "failing",
        "graph",
        "graph_checks",
        "graph_passes",
        "http",
        "http_post",
        "linkedin_parse",
        "listen",
        "mailbox",
        "naming",
        "nextdoor_reading",
        "options",
        "pieces",
        "pinterest_parse",
        "reach",
        "registry",
        "resuming",
        "secrets",
        "snapchat_reading",
        "spans",
        "text",
        "tiktok_parse",
        "times",
        "webhooks",
    ]
)
"""What needs no platform's world, and runs with `make test`; everything else here is a connector's, and `make platforms`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if (
            item.path.is_relative_to(Path(__file__).parent)
            and item.path.stem.removeprefix("test_") not in QUICK
        ):
            item.add_marker(pytest.mark.platforms)


class Time:
    """A clock that stands until it is moved; waiting moves it, and nobody sleeps."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
        self.seconds = 1000.0
        self.waited: list[timedelta] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, span: timedelta) -> None:
        self.waited.append(span)
        self.passes(span)

    def passes(self, span: timedelta) -> None:
        self.at += span
        self.seconds += span.total_seconds()


Script = Callable[["Call"], None]


class Call:
    """One request as it came, and the socket to answer it on."""

    def __init__(self, head: bytes, connection: socket.socket, reader: Any) -> None:
        self.head, self.connection = head, connection
        line, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.target = line.split(" ")[1]
        self.method = line.split(" ")[0]
        self.headers = [tuple(header.split(": ", 1)) for header in rest]
        self.body = reader.read(int(self.header("Content-Length") or 0))

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def send(self, *pieces: bytes) -> None:
        self.connection.sendall(b"".join(pieces))

    def answer(self, body: bytes = b"", *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"), body)

    def until_they_leave(self) -> None:
        with suppress(OSError):
            while self.connection.recv(65536):
                pass


class Wire(Accepting):
    """A server on loopback that does with each request what its script says."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, greeting: bytes = b"") -> None:
        super().__init__()
        self.script, self.tls, self.greeting = script, tls, greeting
        self.calls: list[Call] = []
        self.port = self.listen()

    @property
    def base(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            connection.sendall(self.greeting)
            reader = connection.makefile("rb")
            while head := _head(reader):
                call = Call(head, connection, reader)
                self.calls.append(call)
                self.script(call)
        with suppress(OSError):
            connection.close()


def _head(reader: Any) -> bytes:
    lines = []
    while line := reader.readline():
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)
    return b""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is opened for a test, and closed with it: worlds, servers, clients."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def serve() -> Iterator[Callable[..., Wire]]:
    """Start servers that end with the test."""
    servers: list[Wire] = []

    def start(script: Script, **more: Any) -> Wire:
        servers.append(Wire(script, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client(time: Time) -> Iterator[Callable[..., EvidenceClient]]:
    """Make evidence clients that may ask loopback and never sleep."""
    made: list[EvidenceClient] = []

    def make(**more: Any) -> EvidenceClient:
        manners = more.pop("manners", {})
        settings: dict[str, Any] = {
            "clock": time,
            "monotonic": time.monotonic,
            "wait": time.wait,
            "contact": "records@town.example",
            "version": "1.2",
            "allow_hosts": ["127.0.0.1"],
            "manners": Manners(**{"interval": timedelta(0), **manners}),
        }
        made.append(EvidenceClient(**{**settings, **more}))
        return made[-1]

    yield make
    for one in made:
        one.close()

"""A mail server on the loopback that keeps what it is sent."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword


@dataclass
class Sink:
    """A mail server's port and the letters that it has taken."""

    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    says: str = "250 OK"

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(letter.content or b"", policy=default) for letter in self.taken]  # type: ignore[arg-type]  # the default policy makes EmailMessage

    async def handle_DATA(self, _server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.says.startswith("250"):
            self.taken.append(envelope)
            self.over_tls.append(session.ssl is not None)
        return self.says

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (
            b"records@town",
            b"s:e/c ret",
        )
        if right:
            self.users.append(given.login.decode())
        return AuthResult(success=right, handled=right)


@pytest.fixture
def serve() -> Iterator[Callable[..., Sink]]:
    """Start mail servers; each ends with the test."""
    with serving() as start:
        yield start


@contextmanager
def serving() -> Iterator[Callable[..., Sink]]:
    """Start mail servers in one thread, until the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running: list[asyncio.Server] = []

    def start(*, wrapped: ssl.SSLContext | None = None, **options: Any) -> Sink:
        sink = Sink()

        async def listen() -> asyncio.Server:
            def made() -> SMTP:
                return SMTP(sink, hostname="sink.example", authenticator=sink.check, **options)

            return await loop.create_server(made, "127.0.0.1", 0, ssl=wrapped)

        server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
        running.append(server)
        sink.port = server.sockets[0].getsockname()[1]
        return sink

    async def end() -> None:
        for server in running:
            server.close()
            await server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield start
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

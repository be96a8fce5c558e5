"""What the fake platforms share: a server on loopback, trouble at will, and events for whoever listens."""

from __future__ import annotations

import json
import queue
import threading
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from tests.connectors.worlds.loopback import Loopback, Talk

SIGN_IN = b'<!DOCTYPE html><html><form action="/login"><input type="password" name="pw"></form></html>'


@dataclass
class Asked:
    """One request, as the platform sees it."""

    path: str
    query: dict[str, str]
    authorization: str | None
    last_event: int = 0


@dataclass
class Answer:
    """What is said. `dropped` says nothing at all; `events` stays open and tells what happens after that number."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    dropped: bool = False
    events: int | None = None


def answer(value: object, status: int = 200, **headers: str) -> Answer:
    body = json.dumps(value, ensure_ascii=False, indent=1).encode()
    return Answer(status, body, {"Content-Type": "application/json", **headers})


class FakePlatform(Loopback):
    """A world for `ConnectorPromises`. Subclasses say how it answers and what happens on it."""

    secrets: ClassVar[Mapping[str, str]] = {}
    client_options: ClassVar[Mapping[str, Any]] = {}
    cannot: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        self.looping = False
        self._trouble: Answer | None = None
        self._cuts = False
        self._left = 0
        self._now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self._events: list[bytes] = []
        self._listeners: list[queue.Queue[bytes | None]] = []
        self._heard = threading.Condition()

    # -- what subclasses say -------------------------------------------------------------------------------

    @abstractmethod
    def reply(self, asked: Asked) -> Answer:
        """What the platform answers when all is well."""

    def throttled(self) -> tuple[Answer, timedelta | None]:
        """The platform's own way of saying "too often", and the delay that it names."""
        return answer({"title": "Too Many Requests"}, 429, **{"Retry-After": "900"}), timedelta(minutes=15)

    def revoked(self) -> Answer:
        """The platform's own way of refusing our credentials."""
        return answer({"title": "Unauthorized"}, 401)

    def tick(self) -> str:
        """A later time than any before, as the platform writes it."""
        self._now += timedelta(minutes=1)
        return self._now.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    # -- events --------------------------------------------------------------------------------------------

    def tell(self, event: str, data: object) -> None:
        """Tell every listener of something that happened; it is remembered for those who come back."""
        with self._heard:
            told = json.dumps(data, ensure_ascii=False)
            self._events.append(f"id: {len(self._events) + 1}\nevent: {event}\ndata: {told}\n\n".encode())
            for listener in self._listeners:
                listener.put(self._events[-1])

    def await_listener(self) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: self._listeners, 5), "nobody listens"

    def hang_up(self) -> None:
        with self._heard:
            for listener in self._listeners:
                listener.put(None)
            self._listeners.clear()

    def _listen(self, after: int) -> queue.Queue[bytes | None]:
        listener: queue.Queue[bytes | None] = queue.Queue()
        with self._heard:
            for event in self._events[after:]:
                listener.put(event)
            self._listeners.append(listener)
            self._heard.notify_all()
        return listener

    # -- trouble -------------------------------------------------------------------------------------------

    def throttle(self, after: int) -> timedelta | None:
        says, delay = self.throttled()
        self._will(says, after)
        return delay

    def sign_in(self, after: int) -> None:
        self._will(Answer(200, SIGN_IN, {"Content-Type": "text/html"}), after)

    def cut(self, after: int) -> None:
        self._cuts, self._left = True, after

    def fail(self, after: int) -> None:
        self._will(Answer(500, b"internal error", {"Content-Type": "text/plain"}), after)

    def revoke(self, after: int) -> None:
        self._will(self.revoked(), after)

    def loop(self) -> None:
        self.looping = True

    def recover(self) -> None:
        self._trouble, self._cuts, self.looping = None, False, False

    def _will(self, says: Answer, after: int) -> None:
        self._trouble, self._left = says, after

    def _answered(self, asked: Asked) -> Answer:
        if self._trouble is None and not self._cuts:
            return self.reply(asked)
        if self._left > 0:
            self._left -= 1
            return self.reply(asked)
        if self._trouble is not None:
            return self._trouble
        whole = self.reply(asked)
        return Answer(whole.status, whole.body, whole.headers, cut=True)

    # -- the server ----------------------------------------------------------------------------------------

    @property
    def base(self) -> str:
        return self.address

    def talk(self) -> type[Talk]:
        platform = self

        class Handler(Talk):
            def get(self) -> None:
                parts = urlsplit(self.path)
                says = platform._answered(
                    Asked(
                        parts.path,
                        dict(parse_qsl(parts.query)),
                        self.headers["Authorization"],
                        int(self.headers["Last-Event-ID"] or 0),
                    )
                )
                if says.dropped:
                    self.close_connection = True
                elif says.events is not None:
                    self._tell(platform._listen(says.events))
                else:
                    self.say(says.status, says.headers, says.body, cut=says.cut)

            def _tell(self, listener: queue.Queue[bytes | None]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                with suppress(OSError):
                    self._chunk(b":welcome\n\n")
                    for told in iter(listener.get, None):
                        self._chunk(told)
                    self._chunk(b"")

            def _chunk(self, told: bytes) -> None:
                self.wfile.write(f"{len(told):x}\r\n".encode() + told + b"\r\n")
                self.wfile.flush()

        return Handler

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        super().__exit__()

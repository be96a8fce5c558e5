"""What the worlds of platforms share: how they are asked, what happens in the place of an answer, and trouble on request."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from tests.connectors.worlds.loopback import Loopback, Talk

Answer = tuple[int, dict[str, str], bytes]
"""A status, what stands in the head, and the body."""

PICTURE: Answer = (200, {"Content-Type": "image/jpeg"}, b"a picture")
"""How a world answers for any of its files."""


class Answering(Loopback):
    """A world that answers questions."""

    @property
    def base(self) -> str:
        return self.address

    def answer(self, *asked: Any, **more: Any) -> Answer:
        """Answer a question; each world says how, and what a question consists of."""
        raise AssertionError(f"this world was asked {asked}")


class PlatformWorld(Answering):
    """A platform on which time passes, and whose answers may be disturbed.

    `before` is told what is asked for before it is answered: the platform changes
    while it is read. `trouble` is asked next, and what it answers is sent in the
    platform's place.
    """

    step: ClassVar[timedelta] = timedelta(minutes=1)
    """So much time lies between two things that happen."""

    def __init__(self) -> None:
        self.compresses = False
        self.loops = False
        self.night = 1
        """Which night it is: addresses of files are other ones in each."""
        self.trouble: Callable[[str], Answer | None] | None = None
        self.before: Callable[[str], None] | None = None
        self._now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

    def tick(self, **span: float) -> datetime:
        self._now += timedelta(**span) if span else self.step
        return self._now

    def disturbed(self, what: str) -> Answer | None:
        """What is answered in the platform's place, if anything."""
        if self.before is not None:
            self.before(what)
        return self.trouble(what) if self.trouble is not None else None

    def packed(self, answer: Answer) -> Answer:
        """An answer as it is sent: compressed, where the world compresses."""
        if not self.compresses:
            return answer
        status, headers, body = answer
        return status, {**headers, "Content-Encoding": "gzip"}, gzip.compress(body, mtime=0)


class ReadWorld(PlatformWorld):
    """A platform that is only read: a question is an address, and what stands in its head."""

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                head = dict(self.headers.items())
                self.say(*world.packed(world.answer(self.path, world.noticed(head))))

        return Handler

    def noticed(self, head: dict[str, str]) -> Any:
        """What of the head is looked at."""
        return head


class SignedInWorld(ReadWorld):
    """A platform that is only read, and looks at nothing but who asks: a question is an address, and the authorization."""

    def noticed(self, head: dict[str, str]) -> str | None:
        return head.get("Authorization")


class FormWorld(PlatformWorld):
    """A platform that is read, and is sent forms besides, as it is for a token: a question is all of that."""

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                self._tell("GET", {})

            def post(self) -> None:
                self._tell("POST", dict(parse_qsl(self.body().decode(), keep_blank_values=True)))

            def _tell(self, method: str, form: dict[str, str]) -> None:
                self.say(*world.packed(world.answer(method, self.path, dict(self.headers.items()), form)))

        return Handler


class Troubled(Answering):
    """What goes wrong on request, for the promises: from so many more answers on, until it recovers.

    It is named before the world that it troubles: `class PromisedGazette(Troubled, GazetteWorld)`.
    """

    loops: bool
    night: int

    def __init__(self) -> None:
        super().__init__()
        self._says: Answer | None = None
        self._cuts = self._refuses = False
        self._left = 0

    @property
    def client_options(self) -> Mapping[str, Any]:
        return {}

    @property
    def cannot(self) -> Mapping[str, str]:
        return {}

    def expire(self) -> None:
        self.night += 1

    def cut(self, after: int) -> None:
        self._cuts, self._left = True, after

    def revoke(self, after: int) -> None:
        self._refuses, self._left = True, after

    def loop(self) -> None:
        self.loops = True

    def recover(self) -> None:
        self._says, self._cuts, self._refuses, self.loops = None, False, False, False

    def turn_away(self) -> None:
        """Accept nobody who signs in: what `revoke` comes to. A world that does so also says how it recovers."""
        raise AssertionError("this world turns nobody away")

    def answer(self, *asked: Any, **more: Any) -> Answer:
        if self._left > 0:
            self._left -= 1
            return super().answer(*asked, **more)
        if self._says is not None:
            return self._says
        if self._refuses:
            self.turn_away()
        status, headers, body = super().answer(*asked, **more)
        if self._cuts:
            return status, {**headers, "Content-Length": str(len(body))}, body[: len(body) // 2]
        return status, headers, body

    def _will(self, says: Answer, after: int) -> None:
        """Answer so, in the platform's place."""
        self._says, self._left = says, after

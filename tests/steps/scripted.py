"""A page whose every answer a test writes down beforehand: a connector, and the client beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar

from app.records.clock import FixedClock
from connectors.contract import (
    Batch,
    Client,
    Cursor,
    Exchange,
    Kind,
    Manifest,
    Observation,
    Page,
    Span,
)
from connectors.errors import TryAgainLater

Step = Batch | Exception


class ScriptedClient:
    """Gives the bytes of attachments that a test wrote down."""

    def __init__(self, clock: FixedClock, files: Mapping[str, bytes] | None = None) -> None:
        self.clock, self.files = clock, dict(files or {})
        self.made: list[Exchange] = []

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
        apart: timedelta = timedelta(0),
    ) -> Exchange:
        raise TryAgainLater(f"nothing is scripted for {url}")

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange:
        raise TryAgainLater(f"nothing is scripted for {url}")

    def listen(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Exchange]:
        raise TryAgainLater(f"nothing is scripted for {url}")

    def learned(self, exchange: Exchange) -> Mapping[str, str]:
        return {}

    def keep_secret(self, name: str, value: str) -> None:
        """Nothing that a script says is secret."""

    def now(self) -> datetime:
        return self.clock.now()

    def take(self) -> list[Exchange]:
        made, self.made = self.made, []
        return made

    @contextmanager
    def stream(
        self, url: str, *, most: int, headers: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Exchange, Iterator[bytes]]]:
        content = self.files.get(url)
        status = 404 if content is None else 200
        head = Exchange(method="GET", url=url, started_at=self.clock.now(), seconds=0.1, status=status)
        yield head, iter([content[:most]] if content else [])


class Scripted:
    """Yields what it was told to, and raises what it was told to."""

    manifest: ClassVar[Manifest] = Manifest(
        name="scripted", title="A script", platform="blog", route="api", captures={}
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self.http, self.secret = http, secret
        self.steps: list[Step] = []
        self.looks: list[Step] = []
        self.asked: list[tuple[Kind, str]] = []
        self.since: list[Cursor | None] = []
        self.before: Callable[[int], None] = lambda _number: None

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        self.since.append(since)
        for number, step in enumerate(self.steps):
            self.before(number)
            if isinstance(step, Exception):
                raise step
            yield step

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        self.asked += native_ids
        for step in self.looks:
            if isinstance(step, Exception):
                raise step
            yield step


def exchange(
    clock: FixedClock, items: Sequence[Mapping[str, object]], **more: Any
) -> tuple[Exchange, list[tuple[int, int]]]:
    """A JSON answer that lists items, and where each stands in its body."""
    body, places = b"[", []
    for number, item in enumerate(items):
        body += b", " if number else b""
        told = json.dumps(item).encode()
        places.append((len(body), len(body) + len(told)))
        body += told
    told_more: dict[str, Any] = {
        "method": "GET",
        "url": "https://blog.example/posts",
        "started_at": clock.now(),
        "seconds": 0.1,
        "status": 200,
    }
    return Exchange(body=body + b"]", **(told_more | more)), places


def listing(clock: FixedClock, *items: Observation, cursor: str = "c", **more: Any) -> Batch:
    """A batch of one exchange that shows these observations, each with its own bytes as evidence."""
    shown, places = exchange(
        clock,
        [
            {"id": item.native_id, "text": item.text, "at": str(item.edited_at)}
            | ({"files": [[one.id, one.description] for one in item.attachments]} if item.attachments else {})
            for item in items
        ],
    )
    placed = [
        Observation(
            **{name: getattr(item, name) for name in item.__slots__ if name != "evidence"},
            evidence=(Span(0, start, end),),
        )
        for item, (start, end) in zip(items, places, strict=True)
    ]
    return Batch(exchanges=[shown], observations=placed, resume_from=Cursor(cursor), **more)

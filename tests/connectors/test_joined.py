"""Byte for byte: what was on the wire is what the archive joins from its pieces, after the recorded replacement of secrets.

Every world's whole pass, and the bodies of real platforms' recordings, go
through the evidence client, the keeper and the store's reading.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
import yaml
from sqlalchemy import select

from app.capture import pages
from app.capture.run import capture
from app.store import Store
from app.store.reading import ExchangeKept, exchange
from app.store.tables import exchanges
from connectors.connections import Connections, Watch
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
from connectors.http import EvidenceClient, Manners
from tests.connectors.faults import worlds
from tests.connectors.faults.archive import Time
from tests.connectors.faults.archive import archive as archive_of
from tests.connectors.worlds.loopback import Loopback, Talk

NAMES = ("user", "app_id", "client_id")
"""What a world's secrets hold that is a name, and no secret."""
_MARK = re.compile(rb"\[\[secret:[^\]]*\]\]")


# -- listening at the wire -----------------------------------------------------------------------------------


@dataclass
class Heard:
    """One answer as it came off the wire, before anything was replaced in it."""

    status: int
    body: bytes = b""
    file: bool = False


class _Told(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response, heard: Heard) -> None:
        self._response, self._heard = response, heard

    def __iter__(self) -> Iterator[bytes]:
        for chunk in cast(httpx.SyncByteStream, self._response.stream):
            self._heard.body += chunk
            yield chunk

    def close(self) -> None:
        self._response.close()


class Tapped(Connections):
    """Connections that somebody listens to."""

    def __init__(self) -> None:
        super().__init__(None)
        self.heard: list[Heard] = []

    def send(self, url: httpx.URL, address: str, request: httpx.Request, watch: Watch) -> httpx.Response:
        response = super().send(url, address, request, watch)
        self.heard.append(Heard(response.status_code))
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Told(response, self.heard[-1]),
            extensions=response.extensions,
        )


def kept_in(store: Store) -> list[ExchangeKept]:
    """Every exchange that the archive holds, in the order in which they were made."""
    with store.database.read() as tx:
        keys = list(tx.execute(select(exchanges.c.key).where(exchanges.c.kind == "http")).scalars())
        return sorted((exchange(store, tx, key) for key in keys), key=lambda one: one.at)


def is_the_wire_without_secrets(kept: ExchangeKept, heard: Heard) -> bool:
    """Whether a joined body is what was heard, but for as many markers as the exchange says were put there."""
    head = msgspec.json.decode(kept.envelope or b"{}")
    counted = sum(count for where, _, count in head["replaced"] if where == "response.body")
    parts = _MARK.split(kept.body) if counted else [kept.body]
    if len(parts) != counted + 1:
        return False
    return re.fullmatch(b".+?".join(re.escape(part) for part in parts), heard.body, re.DOTALL) is not None


# -- the worlds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", worlds.WORLDS)
def test_every_exchange_of_three_nights_is_joined_as_it_was_on_the_wire(
    name, archive_template, tmp_path, monkeypatch
):
    home = Path(shutil.copytree(archive_template, tmp_path / "home"))
    tapped = Tapped()
    client_of = EvidenceClient.stream

    @contextmanager
    def noting_files(self: EvidenceClient, url: str, **more: Any) -> Iterator[Any]:
        with client_of(self, url, **more) as (head, chunks):
            tapped.heard[-1].file = 200 <= head.status < 300
            yield head, chunks

    monkeypatch.setattr(EvidenceClient, "stream", noting_files)
    with archive_of(worlds.made(name), home) as archive:
        for night in range(3):  # as it stood, as it still stands, and with something new
            if night == 2:
                archive.world.publish()
            report = archive.capture(over=tapped)
            assert report is not None
            assert report.finished
        secrets = archive.world.secrets
        told: dict[int, ExchangeKept] = {}
        for one in kept_in(archive.store):
            # An answer that several batches need is handed over with each of them.
            assert told.setdefault(one.at, one).body == one.body
        assert tapped.heard
        replaced = 0
        for kept, heard in zip(told.values(), tapped.heard, strict=True):
            assert (kept.status, kept.holes) == (heard.status, [])
            if heard.file:
                # The bytes of a file are the attachment's; its exchange keeps the head.
                assert kept.body == b""
                continue
            assert is_the_wire_without_secrets(kept, heard)
            replaced += kept.body != heard.body
            assert not any(value.encode() in kept.body for key, value in secrets.items() if key not in NAMES)
        if name == "nested":
            assert replaced, "this platform repeats the token in its answers, and nothing was replaced"


def test_a_byte_that_differs_is_noticed():
    head = b'{"replaced": [["response.body", "[[secret:token]]", 1]]}'

    def kept(body: bytes, envelope: bytes = head) -> ExchangeKept:
        return ExchangeKept(0, cast(Any, None), 0, "http", 0, 200, None, envelope, body, [])

    heard = Heard(200, b"a abcdefgh b")
    assert is_the_wire_without_secrets(kept(b"a [[secret:token]] b"), heard)
    for body in (
        b"a [[secret:token]] c",
        b"a  [[secret:token]] b",
        b"a abcdefgh b",
        b"[[secret:token]]"[:-1],
    ):
        assert not is_the_wire_without_secrets(kept(body), heard)
    assert not is_the_wire_without_secrets(kept(b"a [[secret:token]] b", b'{"replaced": []}'), heard)


# -- real recordings -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """One answer of a real platform, with the path and query that it was asked by."""

    target: str
    status: int
    media_type: str
    body: bytes


class Recordings:
    """Yields recorded answers one by one, each cut among made-up owners: apart, nested, and shared."""

    manifest: ClassVar[Manifest] = Manifest(
        name="recordings", title="Recordings", platform="recordings", route="api", captures={}
    )

    def __init__(self, http: Client, targets: Sequence[str]) -> None:
        self._http, self._targets = http, targets
        self.got: list[Exchange] = []

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        every = range(200, 600)
        for number, target in enumerate(self._targets):
            answer = self._http.get(f"{page.address}{target}", accept=every)
            self.got.append(answer)
            yield Batch(
                exchanges=[answer],
                resume_from=Cursor(str(number)),
                observations=[
                    Observation(native_id=f"{number}.{who}", kind=Kind.POST, text=target, evidence=spans)
                    for who, spans in enumerate(_spans(number, len(answer.body)))
                ],
            )

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        yield from ()


def _spans(seed: int, size: int) -> list[list[Span]]:
    """Three owners of parts of a body: one around another, and one that shares a part with each."""
    chance = random.Random(seed)  # the same cuts wherever it runs
    first, second, third, fourth = sorted(chance.randint(0, size) for _ in range(4))
    shared = Span(0, fourth, size)
    return [
        [Span(0, first, fourth), shared],
        [Span(0, second, third), shared],
        [shared],
    ]


class Serving(Loopback):
    """A server on loopback that says again what was recorded."""

    def __init__(self, answers: Mapping[str, Recorded]) -> None:
        self._answers = answers

    def talk(self) -> type[Talk]:
        answers = self._answers

        class Handler(Talk):
            def get(self) -> None:
                told = answers[self.path]
                self.say(told.status, {"Content-Type": told.media_type}, told.body)

        return Handler


@pytest.fixture
def replayed(store: Store) -> Callable[[Sequence[Recorded]], list[tuple[Exchange, ExchangeKept]]]:
    """Say again what was recorded, capture it, and give each exchange as it was got and as it is held."""

    def again(recorded: Sequence[Recorded]) -> list[tuple[Exchange, ExchangeKept]]:
        time = Time()
        with (
            Serving({one.target: one for one in recorded}) as server,
            EvidenceClient(
                clock=time,
                monotonic=time.monotonic,
                wait=time.wait,
                contact="recordings",
                allow_hosts=[urlsplit(server.address).netloc],
                manners=Manners(interval=timedelta(0), retries=0),
            ) as client,
        ):
            with store.database.begin() as tx:
                page = pages.add(
                    store,
                    tx,
                    connector="recordings",
                    platform="recordings",
                    address=server.address,
                    name="Recordings",
                    by=None,
                    why="test",
                )
            connector = Recordings(client, [one.target for one in recorded])
            report = capture(
                store, page, cast(Any, connector), client, by=None, why="test", tick=time.monotonic
            )
        assert report.finished
        held = kept_in(store)
        assert len(held) == len(connector.got) == len(recorded)
        return list(zip(connector.got, held, strict=True))

    return again


def test_the_bodies_of_real_feeds_are_joined_byte_for_byte(shared, replayed):
    files = sorted(one for one in (shared / "recordings" / "feeds").rglob("*") if one.is_file())
    recorded = [
        Recorded(f"/{number}{file.suffix}", 200, "application/xml", file.read_bytes())
        for number, file in enumerate(files)
    ]
    assert len(recorded) > 1_000
    for told, (_, held) in zip(recorded, replayed(recorded), strict=True):
        assert held.body == told.body
        assert held.holes == []


def cassettes(folder: Path) -> Iterator[Recorded]:
    """Each recorded exchange of each cassette, at an address of its own."""
    for number, file in enumerate(sorted(folder.rglob("*.yml"))):
        told = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        for place, one in enumerate(told["interactions"]):
            parts, answer = urlsplit(one["request"]["uri"]), one["response"]
            content = answer["content"] if "content" in answer else answer["body"]["string"]
            media = (
                answer["headers"].get("Content-Type") or answer["headers"].get("content-type") or ["text/xml"]
            )
            yield Recorded(
                f"/{number}/{place}{parts.path}?{parts.query}",
                answer["status_code"] if "status_code" in answer else answer["status"]["code"],
                media[0],
                content if isinstance(content, bytes) else content.encode(),
            )


def test_recorded_exchanges_of_a_real_platform_are_replayed_and_joined_byte_for_byte(shared, replayed):
    recorded = list(cassettes(shared / "recordings" / "flickr"))
    assert len(recorded) > 100
    for told, (got, held) in zip(recorded, replayed(recorded), strict=True):
        assert (got.status, got.body) == (told.status, told.body)
        assert (held.status, held.body, held.holes) == (told.status, told.body, [])
        assert got.header("Content-Type") == told.media_type

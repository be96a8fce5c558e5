"""Faults for every connector: a real archive captures a world that makes trouble, and must end where an undisturbed one does.

A seed decides what goes wrong and when: on the wire (nobody there, no answer,
a connection that is reset, a body that is cut or empty, a refusal, a sign-in
page), on the platform in its own manner (throttled, failing, our credentials
refused), on the page (it shifts while it is read), and in the process (it is
killed at a named point of capture and begins again). Nothing sleeps.

What must hold at any time: an item that the page shows was never stored as
absent or gone. What must hold at the end, when one undisturbed pass went
through: the records are those of an archive that captured the same page
without any trouble, nothing missed, nothing twice.

`WORLDS` lists what is tried. A connector's room adds its own by one line: the
promises over its world, which say how both are made.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from app import main
from app.capture import pages, records
from app.capture.run import capture
from app.capture.runs import Report
from app.records.nouns import Page
from app.store import fixity
from app.store.tables import records as record_table
from app.store.tables import versions
from connectors.connections import Connections, Watch
from connectors.http import EvidenceClient, Manners
from connectors.promises import ConnectorPromises, World
from tests.archives import close, settings_at

WORLDS: Mapping[str, str] = {
    "nested": "tests.connectors.test_nested:TestNested",
    "sideloading": "tests.connectors.test_sideloading:TestSideloading",
    "wordpress": "tests.connectors.test_wordpress_promises:TestWordPressForThePublic",
    "wordpress connected": "tests.connectors.test_wordpress_promises:TestWordPressForItsEditors",
    "feed": "tests.connectors.test_feed:TestRss",
    "feed complete": "tests.connectors.test_feed:TestJsonFeed",
    "bluesky": "tests.connectors.test_bluesky:TestPublicly",
    "mastodon": "tests.connectors.test_mastodon:TestThePublicAccount",
    "mediawiki": "tests.connectors.test_mediawiki:TestAsVisitorsSeeIt",
    "nixle": "tests.connectors.test_nixle:TestByFeed",
    "webpage": "tests.connectors.test_webpage:TestSiteBehindAPassword",
    "myspace": "tests.connectors.test_webpage:TestMySpaceWithCommentsInMicrodata",
}

POINTS = ("before-objects", "after-objects", "after-keyring", "before-commit", "after-commit")
OF_THE_WIRE = ("nobody", "timeout", "reset", "cut", "empty", "refused", "sign-in", "failing")
OF_THE_PLATFORM = ("throttle", "fail", "cut", "revoke", "sign_in")
OF_THE_PAGE = ("publish", "edit", "remove")

_SIGN_IN = b'<!DOCTYPE html><html><form action="/login"><input type="password" name="pw"></form></html>'
_MOST_CALM_RUNS = 3


def known() -> list[str]:
    """The worlds that there are, each with its room in the checkout."""
    return [name for name, where in WORLDS.items() if find_spec(where.partition(":")[0]) is not None]


def made(name: str) -> ConnectorPromises:
    """How a world and its connector are made."""
    module, _, promises = WORLDS[name].partition(":")
    return cast(ConnectorPromises, getattr(import_module(module), promises)())


class Killed(BaseException):
    """The process ended here. Not an Exception: nobody who is killed cleans up."""


@dataclass
class Attempt:
    """What goes wrong in one run: by the number of a question on the wire and on the page, and at a point of capture."""

    wire: Mapping[int, str] = field(default_factory=dict)
    page: Mapping[int, str] = field(default_factory=dict)
    platform: tuple[str, int] | None = None
    kill: tuple[str, int] | None = None


def attempts(name: str, seed: int, questions: int, cannot: Mapping[str, str]) -> list[Attempt]:
    """The disturbed runs of a seed. `questions` is how many a pass asks when nothing disturbs it."""
    # The same for a seed wherever it runs; nobody's secret depends on it.
    chance = random.Random(f"{name}/{seed}")
    troubles = [hook for hook in OF_THE_PLATFORM if hook not in cannot]
    happens = [hook for hook in OF_THE_PAGE if hook not in cannot]
    return [
        Attempt(
            wire={
                chance.randrange(2 * questions): chance.choice(OF_THE_WIRE)
                for _ in range(chance.choice((0, 1, 1, 2, 3)))
            },
            page={
                chance.randrange(questions): chance.choice(happens)
                for _ in range(chance.choice((0, 1, 1, 2)))
            },
            platform=(chance.choice(troubles), chance.randrange(questions))
            if troubles and chance.random() < 0.5
            else None,
            kill=(chance.choice(POINTS), chance.randint(1, 4)) if chance.random() < 0.4 else None,
        )
        for _ in range(chance.randint(2, 5))
    ]


class Time:
    """A clock that moves by a second whenever it is read; waiting moves it, and nobody sleeps."""

    def __init__(self) -> None:
        self.at = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def wait(self, span: timedelta) -> None:
        self.at += span


class Wire(Connections):
    """Connections that fail at the questions that they are told to, and let things happen on the page before others."""

    def __init__(self, faults: Mapping[int, str], happens: Callable[[int], None]) -> None:
        super().__init__(None)
        self.asked = 0
        self._faults, self._happens = faults, happens

    def send(self, url: httpx.URL, address: str, request: httpx.Request, watch: Watch) -> httpx.Response:
        number, self.asked = self.asked, self.asked + 1
        self._happens(number)
        fault = self._faults.get(number)
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


@dataclass(frozen=True)
class Kept:
    """A record as the two archives are compared by it."""

    kind: str
    state: str
    text: object
    author: object
    in_reply_to: object
    attachments: tuple[str, ...]


class Archive:
    """A real archive of one world's page; it can be killed and opened again."""

    def __init__(self, home: Path, promises: ConnectorPromises, world: World) -> None:
        self._home, self._promises, self.world = home, promises, world
        self.time = Time()
        self.store = main.open_store(settings_at(home), cast(Any, self.time))
        manifest = promises.connector(cast(Any, _Nothing(self.time))).manifest
        with self.store.database.begin() as tx:
            self._page: Page = pages.add(
                self.store,
                tx,
                connector=manifest.name,
                platform=manifest.platform,
                address=world.page.address,
                name=manifest.title,
                options=dict(world.page.options),
                by=None,
                why="test",
            )

    def close(self) -> None:
        close(self.store)

    def capture(
        self,
        attempt: Attempt | None = None,
        happens: Callable[[str], None] | None = None,
        *,
        over: Connections | None = None,
    ) -> Report | None:
        """One run; None where the process was killed, and another begins."""
        attempt = attempt or Attempt()
        self.time.wait(timedelta(hours=1))
        seen, dead = 0, False

        def point(name: str) -> None:
            nonlocal seen, dead
            if attempt.kill is not None and name == attempt.kill[0]:
                seen += 1
                dead = dead or seen == attempt.kill[1]
            if dead:
                raise Killed

        def before(question: int) -> None:
            if happens is not None and question in attempt.page:
                happens(attempt.page[question])

        wire = Wire(attempt.wire, before)
        with self._client(over or wire) as client:
            if attempt.platform is not None:
                hook, after = attempt.platform
                getattr(self.world, hook)(after=after)
            try:
                report = capture(
                    self.store,
                    self._page,
                    self._promises.connector(client),
                    client,
                    by=None,
                    why="test",
                    tick=self.time.monotonic,
                    point=point,
                )
            except Killed:
                report = None
            finally:
                self.world.recover()
        self.asked = wire.asked
        if report is None:
            close(self.store)
            self.store = main.open_store(settings_at(self._home), cast(Any, self.time))
        return report

    def _client(self, wire: Connections) -> EvidenceClient:
        options: dict[str, Any] = {
            "clock": self.time,
            "monotonic": self.time.monotonic,
            "wait": self.time.wait,
            "contact": "faults",
            "secrets": self.world.secrets,
            "allow_hosts": [urlsplit(self.world.base).netloc],
            "manners": Manners(interval=timedelta(0), retries=1),
        }
        client = EvidenceClient(**{**options, **self.world.client_options})
        client._connections = wire
        return client

    def kept(self) -> dict[str, Kept]:
        """Every record by its native id, with its newest version. Addresses are without this world's port."""
        netloc = urlsplit(self.world.base).netloc
        found: dict[str, Kept] = {}
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key)).scalars())
            for record in records.read(self.store, tx, keys, messages=True):
                fields = record.version.fields
                name = str(fields["native_id"]).replace(netloc, "world")
                assert name not in found, f"{name} is held twice"
                listed = cast("Sequence[Mapping[str, str]]", fields.get("attachments") or ())
                found[name] = Kept(
                    record.kind,
                    record.state,
                    _elsewhere(fields.get("text"), netloc),
                    _elsewhere([fields.get(f"author_{part}") for part in ("id", "name", "handle")], netloc),
                    _elsewhere(fields.get("in_reply_to"), netloc),
                    tuple(file["id"].replace(netloc, "world") for file in listed),
                )
        return found

    def shown(self) -> set[str]:
        """What the page shows now, as `kept` names it."""
        netloc = urlsplit(self.world.base).netloc
        return {name.replace(netloc, "world") for name in self.world.shows()}

    def missed_by_mistake(self) -> set[str]:
        """What the page shows, and any version calls absent or gone."""
        with self.store.database.read() as tx:
            wrong = (
                select(versions.c.record)
                .where(versions.c.state.in_(["absent", "gone"]))
                .distinct()
                .subquery()
            )
            keys = list(tx.execute(select(wrong.c.record)).scalars())
            told = records.read(self.store, tx, keys, messages=True)
        netloc = urlsplit(self.world.base).netloc
        return {str(one.version.fields["native_id"]).replace(netloc, "world") for one in told} & self.shown()

    def findings(self) -> list[str]:
        """What is not sound."""
        return [f"{one.code}: {one.what}" for one in fixity.verify(self.store, full=True).findings]


class _Nothing:
    """What a connector is made with when only its manifest is asked for."""

    def __init__(self, time: Time) -> None:
        self.now = time.now


def _elsewhere(value: object, netloc: str) -> object:
    """A value as it would read in another world's place."""
    match value:
        case str():
            return value.replace(netloc, "world")
        case Mapping():
            return {key: _elsewhere(inner, netloc) for key, inner in value.items()}
        case list() | tuple():
            return [_elsewhere(inner, netloc) for inner in value]
        case _:
            return value


@contextmanager
def archive(promises: ConnectorPromises, home: Path) -> Iterator[Archive]:
    """A fresh world, and an archive of its page in `home`."""
    with promises.world() as world:
        one = Archive(home, promises, world)
        try:
            yield one
        finally:
            one.close()


def play(name: str, seed: int, twin: Archive, disturbed: Archive) -> None:
    """Capture one world undisturbed and its twin with the faults of `seed`, and compare what is held.

    What happens on the page while it is read with faults happens on the twin's
    too, in the same order, with a look after each.
    """
    first = twin.capture()
    assert first is not None
    assert first.finished, f"an undisturbed run failed: {first.gaps}"
    happened: list[str] = []

    def happens(hook: str) -> None:
        getattr(disturbed.world, hook)()
        happened.append(hook)

    told = []
    for number, attempt in enumerate(attempts(name, seed, twin.asked, disturbed.world.cannot)):
        report = disturbed.capture(attempt, happens)
        told.append(f"run {number}: {attempt}: {'killed' if report is None else report.as_dict()}")
        story = "\n".join(told)
        wrong = disturbed.missed_by_mistake()
        assert not wrong, f"{wrong} are shown, and were stored as absent or gone\n{story}"
    story = "\n".join(told)
    for hook in happened:
        getattr(twin.world, hook)()
        after = twin.capture()
        assert after is not None
        assert after.finished, f"an undisturbed run failed after {hook}: {after.gaps}"
    for _ in range(_MOST_CALM_RUNS):
        calm = disturbed.capture()
        if calm is not None and calm.finished:
            break
    else:
        raise AssertionError(f"no run completed after all trouble was over\n{story}")
    compare(twin, disturbed, story)


def compare(twin: Archive, disturbed: Archive, story: str) -> None:
    """The two archives hold the same; what was there and gone between two looks may be known to the twin alone."""
    wanted, held, shown = twin.kept(), disturbed.kept(), disturbed.shown()
    assert twin.shown() == shown, "the twins' worlds have drifted apart"
    assert shown <= set(held), f"missed: {shown - set(held)}\n{story}"
    assert set(held) <= set(wanted), f"nobody else knows of {set(held) - set(wanted)}\n{story}"
    wrong = disturbed.missed_by_mistake()
    assert not wrong, f"{wrong} are shown, and were stored as absent or gone\n{story}"
    for name, one in held.items():
        if name in shown:
            assert one == wanted[name], f"{name}: {one} and not {wanted[name]}\n{story}"
        else:
            assert (one.kind, one.state) == (wanted[name].kind, wanted[name].state), (
                f"{name}: {one.state} and not {wanted[name].state}\n{story}"
            )
    assert disturbed.findings() == [], story

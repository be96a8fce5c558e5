"""A real archive of one world's page; its process can be killed at any point of capture, and begins again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from sqlalchemy import select

from app import main
from app.capture import attachments, pages, records, run
from app.capture.run import Pass
from app.capture.runs import Report
from app.db import Tx
from app.records.errors import IntegrityFailure
from app.records.nouns import Page, Record
from app.store import fixity, reading
from app.store.tables import exchanges as exchange_table
from app.store.tables import records as record_table
from app.store.tables import versions
from connectors.connections import Connections
from connectors.contract import Client, Connector, Streams
from connectors.http import EvidenceClient, Manners
from connectors.promises import ConnectorPromises, StreamingWorld, World
from tests.archives import close, settings_at
from tests.connectors.faults import worlds
from tests.connectors.faults.attempts import OF_THE_PAGE, Attempt
from tests.connectors.faults.wire import Wire

Happens = Callable[[str], None]


class Killed(BaseException):
    """The process ended here. Not an Exception: nobody who is killed cleans up."""


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


@dataclass(frozen=True)
class Held:
    """A file of a record: what it is known by, and what names its bytes where that is its address.

    A file that was named before it could be had is known by its address for
    good; it is the same file that elsewhere is known by its bytes.
    """

    id: str
    bytes: str | None = None

    def is_same(self, other: Held) -> bool:
        return other.id in (self.id, self.bytes) or self.id == other.bytes


@dataclass(frozen=True)
class Kept:
    """A record as the two archives are compared by it. `native_id` is what its own world calls it."""

    kind: str
    state: str
    fields: Mapping[str, object]
    attachments: tuple[Held, ...] = field(compare=False)
    words: tuple[object, ...]
    """What each version said, oldest first, where the platform tells the history of an item."""
    native_id: str = field(compare=False)
    published_at: datetime | None = field(compare=False)

    def is_same(self, other: Kept) -> bool:
        """Whether both say the same, with the same files in the same order."""
        files = zip_longest(self.attachments, other.attachments)
        return self == other and all(one and two and one.is_same(two) for one, two in files)

    @property
    def answers(self) -> str | None:
        return cast("str | None", self.fields["in_reply_to"])


_COMPARED = (
    "text",
    "html",
    "url",
    "author_id",
    "author_name",
    "author_handle",
    "in_reply_to",
    "published_at",
    "edited_at",
)


@dataclass(frozen=True)
class Access:
    """How one run comes to the page: with which secrets, as which connector, and what renews them."""

    secrets: Mapping[str, str]
    connector: Callable[[EvidenceClient], Connector]
    renew: Callable[[], bool] | None = None


class Archive:
    """The archive of a world's page."""

    def __init__(self, home: Path, promises: ConnectorPromises, world: World) -> None:
        self._home, self._promises, self.world = home, promises, world
        self.time = Time()
        self.asked = 0
        self.met: set[str] = set()
        """What went wrong, and how it was read meanwhile: "wire reset", "killed before-commit", "way stream"."""
        self.store = main.open_store(settings_at(home), cast(Any, self.time))
        self.manifest = promises.connector(cast(Client, _Nothing(self.time))).manifest
        with self.store.database.begin() as tx:
            self.page: Page = pages.add(
                self.store,
                tx,
                connector=self.manifest.name,
                platform=self.manifest.platform,
                address=world.page.address,
                name=self.manifest.title,
                options=dict(world.page.options),
                by=None,
                why="test",
            )

    def close(self) -> None:
        close(self.store)

    def offers(self) -> frozenset[str]:
        """How the page can be read: what its connector offers, and its platform tells."""
        connector = self._promises.connector(cast(Client, _Nothing(self.time)))
        cannot = self.world.cannot
        silent = all(f"stream_{hook}" in cannot for hook in OF_THE_PAGE)
        streams = hasattr(connector, "listen") and isinstance(self.world, StreamingWorld) and not silent
        return frozenset(
            {worlds.WHOLE}
            | ({worlds.WINDOW, worlds.SWEEP} if self.manifest.narrows else set())
            | ({worlds.FAMILY} if hasattr(connector, "family") else set())
            | ({worlds.STREAM} if streams else set())
        )

    # -- runs ----------------------------------------------------------------------------------------------

    def capture(
        self,
        attempt: Attempt | None = None,
        happens: Happens | None = None,
        *,
        pass_: Pass | None = None,
        over: Connections | None = None,
    ) -> Report | None:
        """One run over the page, or over what `pass_` says; None where the process was killed, and another begins."""
        attempt = attempt or Attempt()

        def go(client: EvidenceClient, access: Access, point: Callable[[str], None]) -> Report:
            return run.capture(
                self.store,
                self.page,
                access.connector(client),
                client,
                by=None,
                why="test",
                tick=self.time.monotonic,
                pass_=pass_,
                renew=access.renew,
                point=point,
            )

        wire = Wire(attempt.wire, lambda question: self.before(question, attempt, happens))
        report = self._run(attempt, over or wire, go)
        self.asked = wire.asked
        return report

    def listen(
        self, attempt: Attempt | None = None, happens: Happens | None = None, *, meanwhile: bool = False
    ) -> Report | None:
        """One run over the stream, as long as the platform tells; None where the process was killed.

        What has not happened when the stream is open happens then, and is
        told; with `meanwhile` a pass reads the page before any of it is heard.
        """
        attempt = attempt or Attempt()

        def heard(question: int) -> None:
            for number in sorted(attempt.page):
                if number > question:
                    self.before(number, attempt, happens)
            cast(StreamingWorld, self.world).hang_up()
            if meanwhile:
                self.capture()

        def go(client: EvidenceClient, access: Access, point: Callable[[str], None]) -> Report:
            return run.listen(
                self.store,
                self.page,
                cast(Streams, access.connector(client)),
                client,
                by=None,
                why="test",
                tick=self.time.monotonic,
                until=lambda: False,
                renew=access.renew,
                point=point,
            )

        return self._run(
            attempt,
            Wire(attempt.wire, lambda question: self.before(question, attempt, happens), heard),
            go,
        )

    def _run(
        self,
        attempt: Attempt,
        wire: Connections,
        go: Callable[[EvidenceClient, Access, Callable[[str], None]], Report],
    ) -> Report | None:
        self.time.wait(timedelta(hours=1))
        seen, dead = 0, False

        def point(name: str) -> None:
            nonlocal seen, dead
            if attempt.kill is not None and name == attempt.kill[0]:
                seen += 1
                dead = dead or seen == attempt.kill[1]
            if dead:
                raise Killed

        access = self.access(attempt)
        with self._client(wire, access.secrets) as client:
            if attempt.platform is not None:
                hook, after = attempt.platform
                getattr(self.world, hook)(after=after)
            try:
                return go(client, access, point)
            except Killed:
                self.met |= {f"killed {attempt.kill[0]}"} if attempt.kill and dead else set()
                self.begin_again()
                return None
            finally:
                self.world.recover()
                self.met |= {f"wire {fault}" for fault in getattr(wire, "met", ())} | {f"way {attempt.way}"}
                self.met |= {f"platform {attempt.platform[0]}"} if attempt.platform else set()

    def before(self, question: int, attempt: Attempt, happens: Happens | None) -> None:
        """What happens before a question is asked."""
        if happens is not None and question in attempt.page:
            happens(attempt.page[question])

    def access(self, attempt: Attempt) -> Access:
        """How a run comes to the page."""
        del attempt
        return Access(self.world.secrets, self._promises.connector)

    def begin_again(self) -> None:
        """Another process opens what the one before left."""
        close(self.store)
        self.store = main.open_store(settings_at(self._home), cast(Any, self.time))

    def _client(self, wire: Connections, secrets: Mapping[str, str]) -> EvidenceClient:
        options: dict[str, Any] = {
            "clock": self.time,
            "monotonic": self.time.monotonic,
            "wait": self.time.wait,
            "contact": "faults",
            "secrets": secrets,
            "allow_hosts": [self.netloc],
            "manners": Manners(interval=timedelta(0), retries=1, stream_silence=timedelta(seconds=10)),
        }
        client = EvidenceClient(**{**options, **self.world.client_options})
        client._connections = wire
        return client

    # -- what is held --------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Kept]:
        """Every record by its native id, with its newest version. Addresses are without this world's port."""
        found: dict[str, Kept] = {}
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key)).scalars())
            for record in records.read(self.store, tx, keys, messages=True):
                fields = record.version.fields
                name = self.plain(str(fields["native_id"]))
                assert name not in found, f"{name} is held twice"
                listed = cast("Sequence[Mapping[str, str]]", fields.get("attachments") or ())
                found[name] = Kept(
                    record.kind,
                    record.state,
                    {part: self._elsewhere(fields.get(part)) for part in _COMPARED},
                    self._files(tx, record, [file["id"] for file in listed]),
                    self._words(tx, record),
                    str(fields["native_id"]),
                    record.published_at,
                )
        return found

    def _files(self, tx: Tx, record: Record, ids: Sequence[str]) -> tuple[Held, ...]:
        kept = attachments.of(
            self.store, tx, record.id.bytes, [one for one in ids if one.startswith("address:")]
        )
        told = {
            name: f"sha256:{hashlib.sha256(b''.join(attachments.stream(self.store, row))).hexdigest()}"
            for name, row in kept.items()
            if row.digest is not None
        }
        return tuple(Held(self.plain(one), told.get(one)) for one in ids)

    def _words(self, tx: Tx, record: Record) -> tuple[object, ...]:
        """What each version of a record said; only where an earlier one cannot have been missed."""
        if not self.manifest.tells_history or record.kind == "profile":
            return ()
        return tuple(one.fields.get("text") for one in records.history(self.store, tx, record))

    def shown(self) -> set[str]:
        """What the page shows now, as `kept` names it."""
        return {self.plain(name) for name in self.world.shows()}

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
        return {self.plain(str(one.version.fields["native_id"])) for one in told} & self.shown()

    def findings(self) -> list[str]:
        """What is not sound, and what cannot be read although it is."""
        found = [f"{one.code}: {one.what}" for one in fixity.verify(self.store, full=True).findings]
        with self.store.database.read() as tx:
            for key in tx.execute(select(exchange_table.c.key)).scalars().all():
                try:
                    reading.exchange(self.store, tx, key)
                except IntegrityFailure as fault:
                    found.append(f"{fault.code}: exchange {key} cannot be read")
        return found

    def plain(self, name: str) -> str:
        """A name as it would be in another world's place."""
        return name.replace(self.netloc, "world")

    @property
    def netloc(self) -> str:
        """Host and port of this archive's world."""
        return urlsplit(self.world.base).netloc

    def _elsewhere(self, value: object) -> object:
        return self.plain(value) if isinstance(value, str) else value


class _Nothing:
    """What a connector is made with when only its manifest is asked for."""

    def __init__(self, time: Time) -> None:
        self.now = time.now


@contextmanager
def archive(
    promises: ConnectorPromises,
    home: Path,
    made: Callable[[Path, ConnectorPromises, World], Archive] = Archive,
) -> Iterator[Archive]:
    """A fresh world, and an archive of its page in `home`."""
    with promises.world() as world:
        one = made(home, promises, world)
        try:
            yield one
        finally:
            one.close()

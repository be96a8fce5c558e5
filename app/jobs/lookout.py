"""Between the nights: what is new is looked for every few minutes, busy posts more often, what is told at once.

Streams are listened to; what a platform tells at the archive's door waits as
hints (`app/capture/hints.py`) and is looked at with the next minute.

Pages are captured side by side, so many at once and no more; one that takes
long keeps its own place and nobody else's. Which page is due is decided by
`plans`; that no two runs have one page, by the lease in the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.capture import hints, lanes, lease, pacing, pages, plans
from app.capture.pacing import Pace
from app.capture.run import Pass
from app.capture.runs import Report
from app.db import Tx
from app.records.errors import ArchiveError
from app.records.nouns import Page
from app.store.store import Store

_log = logging.getLogger("muniment.lookout")
WHY = "looking for what is new"
TOLD_WHY = "what the platform told of by itself"
_AGAIN = timedelta(minutes=1)
_LONGEST_SILENCE = timedelta(hours=1)


class Reach(Protocol):
    """What the lookout asks of the archive."""

    def narrows(self, page: Page) -> bool: ...
    def sees_families(self, page: Page) -> bool: ...
    def streams(self, page: Page) -> bool: ...
    def capture(self, page: Page, *, by: UUID | None, why: str, pass_: Pass | None = None) -> Report: ...
    def listen(self, page: Page, *, by: UUID | None, why: str, until: Callable[[], bool]) -> Report: ...
    def follow(self) -> int: ...


@dataclass(slots=True)
class Lookout:
    """Hands due work to `workers`; `tick` is called every minute."""

    store: Store
    archive: Reach
    workers: Executor
    usual: Pace
    told: Callable[[Page, Report], None] = lambda _page, _report: None
    _running: set[UUID] = field(default_factory=set)
    _surged: dict[UUID, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tick(self) -> list[tuple[Page, Pass]]:
        """Begin what is due now; return what was begun."""
        begun = []
        with self.store.database.read() as tx:
            told = hints.pages_waiting(tx, self.store.clock.now())
            due = [
                (page, wanted)
                for page in self._watched(tx)
                for wanted in self._tried(tx, page, told=page.key in told)
            ]
        for page, wanted in due:
            with self._lock:
                if page.id in self._running:
                    continue
                self._running.add(page.id)
            begun.append((page, wanted))
            self.workers.submit(self._capture, page, wanted)
        return begun

    def _watched(self, tx: Tx) -> list[Page]:
        return [
            page
            for page in pages.listed(tx)
            if page.status not in pages.NOT_CAPTURED
            and page.connector != "import"
            and page.id not in self._running
        ]

    def _tried(self, tx: Tx, page: Page, *, told: bool) -> list[Pass]:
        try:
            return self._due(tx, page, told=told)
        except Exception:  # noqa: BLE001 - a connector that is gone must not stop the other pages
            _log.exception("it cannot be told whether page %s is due", page.id)
            return []

    def _due(self, tx: Tx, page: Page, *, told: bool) -> list[Pass]:
        """At most one thing: what is new, or else what the platform told of, or else the posts that are busy."""
        narrows = self.archive.narrows(page)
        new = plans.now_due(self.store, tx, page, self.usual, narrows=narrows)
        if new is not None:
            return [new]
        if page.status != pages.ACTIVE:
            return []
        families = self.archive.sees_families(page)
        if told:
            wanted = plans.told(self.store, tx, page, self.usual, narrows=narrows, families=families)
            if wanted is not None:
                return [wanted]
        if not families:
            return []
        pace = plans.pace(tx, page, self.usual)
        last, now = self._surged.get(page.id), self.store.clock.now()
        if pace.surge == 0 or (last is not None and now - last < timedelta(minutes=pace.surge)):
            return []
        busy = plans.busy(self.store, tx, page, pace)
        left = pace.budget - plans.facts(self.store, tx, page, narrows=True).spent
        if not busy or left <= pacing.SURGE_LEAVES:
            return []
        self._surged[page.id] = now
        return [Pass(lane=lanes.SURGE, families=busy, most=left)]

    def _capture(self, page: Page, wanted: Pass) -> None:
        try:
            why = TOLD_WHY if wanted.lane == lanes.TOLD else WHY
            report = self.archive.capture(page, by=None, why=why, pass_=wanted)
            self.archive.follow()
            self.told(page, report)
        except lease.PageBusy:
            pass  # it is being captured, which is all that was wanted
        except ArchiveError as error:
            _log.warning("page %s was not captured: %s", page.id, error.code)
        except Exception:  # noqa: BLE001 - whatever it is, the other pages are captured
            _log.exception("page %s was not captured", page.id)
        finally:
            with self._lock:
                self._running.discard(page.id)


@dataclass(slots=True)
class _Ear:
    """A thread that listens to one page."""

    page: Page
    thread: threading.Thread
    ended: threading.Event
    failures: int = 0
    not_before: datetime | None = None


@dataclass(slots=True)
class Listeners:
    """A thread for every page whose platform tells by itself what happens; `tick` is called every minute."""

    store: Store
    archive: Reach
    most: int = 32
    _ears: dict[UUID, _Ear] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def tick(self) -> None:
        """Begin to listen where nobody does; keep the leases of those that listen."""
        now = self.store.clock.now()
        with self.store.database.read() as tx:
            wanted = [
                page
                for page in pages.listed(tx)
                if page.status == pages.ACTIVE and page.connector != "import" and self._streams(page)
            ]
        for page in wanted:
            ear = self._ears.get(page.id)
            if ear is not None and ear.thread.is_alive():
                self._keep(page)
            elif (ear is None or ear.not_before is None or now >= ear.not_before) and self._room():
                self._begin(page, ear.failures if ear else 0)
        listed = {page.id for page in wanted}
        for identity, ear in self._ears.items():
            if identity not in listed:
                ear.ended.set()

    def stop(self) -> None:
        """End every stream after the message that it keeps."""
        self._stopped.set()
        for ear in self._ears.values():
            ear.ended.set()

    def _streams(self, page: Page) -> bool:
        try:
            return self.archive.streams(page)
        except Exception:  # noqa: BLE001 - a connector that is gone must not stop the other pages
            _log.exception("it cannot be told whether page %s streams", page.id)
            return False

    def _room(self) -> bool:
        return sum(one.thread.is_alive() for one in self._ears.values()) < self.most

    def _begin(self, page: Page, failures: int) -> None:
        ended = threading.Event()
        thread = threading.Thread(
            target=self._listen, args=(page,), name=f"stream-{page.id.hex[:8]}", daemon=True
        )
        self._ears[page.id] = _Ear(page, thread, ended, failures)
        thread.start()

    def _keep(self, page: Page) -> None:
        try:
            with self.store.database.begin() as tx:
                lease.renew_stream(self.store, tx, page, lease.owner())
        except ArchiveError:
            _log.warning("the stream of %s is no longer ours", page.id)
            self._ears[page.id].ended.set()

    def _listen(self, page: Page) -> None:
        ear = self._ears[page.id]
        try:
            report = self.archive.listen(
                page,
                by=None,
                why="what the platform tells by itself",
                until=lambda: ear.ended.is_set() or self._stopped.is_set(),
            )
            ear.failures = 0 if report.tally.exchanges else ear.failures + 1
            self.archive.follow()
        except lease.PageBusy:
            ear.failures = 1
        except ArchiveError as error:
            ear.failures += 1
            _log.warning("the stream of page %s broke: %s", page.id, error.code)
        except Exception:  # noqa: BLE001 - whatever it is, it is listened to again
            ear.failures += 1
            _log.exception("the stream of page %s broke", page.id)
        ear.not_before = self.store.clock.now() + min(_LONGEST_SILENCE, _AGAIN * 2 ** min(ear.failures, 10))

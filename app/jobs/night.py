"""The night: every page captured, the index caught up, the access log closed, the ledger checked and signed.

A page that fails does not stop the others. A night that was missed while the
machine was off is made up for at the next start.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from app.capture import diary, importing, pages, runs
from app.capture.runs import Report
from app.records.errors import ArchiveError, Invalid
from app.records.nouns import Page
from app.store import access
from app.store.ledger import LedgerBroken
from app.store.store import Store
from app.store.sweep import sweep

_log = logging.getLogger("muniment.night")
_WHY = "the nightly work"
FOLLOW_SECONDS = 1
"""So often the index looks whether the ledger has grown: what was captured is found within five seconds."""
CHECKED_A_NIGHT = 100_000
"""Entries of the ledger that a night reads again; a ledger that has more is read within a month."""
NIGHTS_OF_CHECKING = 30


class BadHour(Invalid):
    """The hour of the nightly work cannot be read."""

    code = "bad-hour"


@dataclass(slots=True)
class Told:
    """What a night did."""

    reports: list[Report] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def night(
    store: Store,
    capture: Callable[[Page, str], Sequence[Report]],
    follow: Callable[[], int],
    *,
    workers: int = 1,
    also: Sequence[tuple[str, Callable[[], object]]] = (),
) -> Told:
    """Do one night's work, `workers` pages side by side; what fails is written down and the rest goes on.

    `capture` makes the passes of one page; `also` is more work to do after them, by name.
    """
    told = Told()
    with store.database.read() as tx:
        waiting = [
            page
            for page in pages.listed(tx)
            if page.status not in pages.NOT_CAPTURED and page.connector != "import"
        ]

    def capture_one(page: Page) -> tuple[Sequence[Report], str | None]:
        try:
            return capture(page, _WHY), None
        except ArchiveError as error:
            _log.warning("page %s was not captured: %s", page.id, error.code)
            return [], f"{page.id}: {error.code}"
        except Exception as error:  # noqa: BLE001 - whatever it is, the other pages are captured
            _log.exception("page %s was not captured", page.id)
            return [], f"{page.id}: {type(error).__name__}"

    for reports, failure in _side_by_side(capture_one, waiting, workers):
        told.reports += reports
        told.failed += [failure] if failure else []
    for name, work in (
        ("index", follow),
        ("imports", lambda: _close_imports(store)),
        ("manifests", lambda: _daily_manifests(store)),
        ("access log", lambda: _close_days(store)),
        ("ledger", lambda: _check_ledger(store)),
        ("checkpoint", store.ledger.checkpoint),
        ("sweep", lambda: _sweep(store)),
        *also,
    ):
        try:
            work()
        except ArchiveError as error:
            _log.exception("the night's %s failed", name)
            told.failed.append(f"{name}: {error.code}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest of the night's work is done
            _log.exception("the night's %s failed", name)
            told.failed.append(f"{name}: {type(error).__name__}")
    return told


def _check_ledger(store: Store) -> None:
    """Read entries against the checkpoints: all of them, or of a large ledger another part each night."""
    with store.database.read() as tx:
        size = store.ledger.size(tx)
    if size <= CHECKED_A_NIGHT:
        examined = store.ledger.examine()
        wrong = examined.wrong + [one.what for one in examined.damaged]
    else:
        part = max(CHECKED_A_NIGHT, -(-size // NIGHTS_OF_CHECKING))
        first = store.clock.now().toordinal() % -(-size // part) * part
        wrong = store.ledger.verify_some(first, first + part)
    if wrong:
        raise LedgerBroken(
            "; ".join(wrong), next="Keep this copy as evidence, and call `muniment verify --full`."
        )


def _side_by_side(
    work: Callable[[Page], tuple[Sequence[Report], str | None]], waiting: Sequence[Page], workers: int
) -> Iterator[tuple[Sequence[Report], str | None]]:
    if workers == 1:
        yield from map(work, waiting)
        return
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="night") as pool:
        yield from pool.map(work, waiting)


def _close_imports(store: Store) -> None:
    """End the imports that say they are running although nobody runs them."""
    with store.database.begin() as tx:
        importing.close_broken_off(store, tx, by=None)


def _daily_manifests(store: Store) -> None:
    with store.database.begin() as tx:
        before = diary.noted(tx, "manifests")
        diary.began(tx, "manifests", store.clock.now())
        since = int(before) if before is not None else -1
        reached = runs.daily_manifests(store, tx, pages.listed(tx), by=None, since=since)
        diary.ended(tx, "manifests", store.clock.now(), str(reached))


def _sweep(store: Store) -> None:
    with store.database.read() as tx:
        since = diary.last_began(tx, "sweep")
    began = store.clock.now()
    sweep(store, since=since)
    with store.database.begin() as tx:
        diary.began(tx, "sweep", began)
        diary.ended(tx, "sweep", store.clock.now(), "done")


def _close_days(store: Store) -> None:
    with store.database.begin() as tx:
        access.close_days(store, tx, by=None, why=_WHY)


class Night:
    """The clockwork: APScheduler in the agency's time zone, with a diary that survives the machine."""

    def __init__(
        self,
        store: Store,
        work: Callable[[], Told],
        follow: Callable[[], int],
        at: str,
        minutely: Sequence[Callable[[], object]] = (),
    ) -> None:
        self.store, self.work, self.follow, self.minutely = store, work, follow, minutely
        self.zone = store.agency.zone()
        self.hour, self.minute = hour_of(at)
        self.scheduler = BackgroundScheduler(
            timezone=self.zone,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin; a night that was missed begins at once."""
        with self.store.database.read() as tx:
            last = diary.last_began(tx, "night")
            founded = diary.founded(tx)
        now = self.store.clock.now()
        # The missed night is the nightly job's own first time, not a job that ends: taking such a one out
        # while the scheduler stops would fail in its thread.
        at_once = (
            {"next_run_time": now} if missed(last or founded, now, self.zone, self.hour, self.minute) else {}
        )
        self.scheduler.add_job(self._night, Nightly(self.zone, self.hour, self.minute), id="night", **at_once)
        self.scheduler.add_job(self._follow, IntervalTrigger(seconds=FOLLOW_SECONDS), id="follow")
        if self.minutely:
            self.scheduler.add_job(self._minutely, IntervalTrigger(minutes=1), id="minutely")
        self.scheduler.start()

    def stop(self) -> None:
        """End after the work under way."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=True)

    def _night(self) -> None:
        with self.store.database.begin() as tx:
            diary.began(tx, "night", self.store.clock.now())
        try:
            told = self.work()
            outcome = "done" if not told.failed else f"done, {len(told.failed)} things failed"
        except Exception as error:  # noqa: BLE001 - whatever it is, the next night comes, and the diary says so
            outcome = f"failed: {type(error).__name__}"
            _log.exception("the night failed")
        with self.store.database.begin() as tx:
            diary.ended(tx, "night", self.store.clock.now(), outcome)

    def _minutely(self) -> None:
        for work in self.minutely:
            try:
                work()
            except Exception:  # noqa: BLE001 - whatever it is, the next minute comes
                _log.exception("what is done every minute failed")

    def _follow(self) -> None:
        try:
            self.follow()
        except ArchiveError:
            _log.exception("the index could not follow")


class Nightly(BaseTrigger):  # type: ignore[misc]  # APScheduler brings no types
    """Fires once every night, on the days when the clocks change too."""

    def __init__(self, zone: ZoneInfo, hour: int, minute: int) -> None:
        self.zone, self.hour, self.minute = zone, hour, minute

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """When the night after `previous` begins, or the next one from now on."""
        day = (previous or now).astimezone(self.zone).date()
        due = begins(day, self.zone, self.hour, self.minute)
        while due < now if previous is None else due <= previous:
            day += timedelta(days=1)
            due = begins(day, self.zone, self.hour, self.minute)
        return due


def begins(day: date, zone: ZoneInfo, hour: int, minute: int) -> datetime:
    """When the night of `day` begins, in UTC: the first time that the clocks show the hour.

    Where the clocks skip the hour, the night begins as much later as they skip.
    """
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def missed(last: datetime | None, now: datetime, zone: ZoneInfo, hour: int, minute: int) -> bool:
    """Whether a night should have begun since `last` and has not; a new archive has missed none."""
    if last is None:
        return False
    day = now.astimezone(zone).date()
    due = begins(day, zone, hour, minute)
    if due > now:
        due = begins(day - timedelta(days=1), zone, hour, minute)
    return last < due


def hour_of(text: str) -> tuple[int, int]:
    """`HH:MM` as hour and minute, or `BadHour`."""
    found = re.fullmatch("([0-9]{1,2}):([0-9]{2})", text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise BadHour(f"{text!r} is no time of day", next="Write MUNIMENT_NIGHTLY_AT as 02:30.")
    return int(found[1]), int(found[2])

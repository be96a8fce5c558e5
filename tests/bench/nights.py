"""The stages that measure capture: one page that answers at once, and a night over many pages.

The platforms are simulated: the first is a WordPress on loopback in a process
of its own that has its answers ready; the others are pages of JSON made on the
spot, a hundred items an answer, of which one in a hundred differs from the
night before.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from app import main
from app.capture import importing, pages, run
from app.capture.runs import Report
from app.jobs.night import night
from app.records.clock import FixedClock
from app.records.nouns import Page
from app.settings import Settings
from connectors.contract import (
    Author,
    Batch,
    Client,
    Cursor,
    Exchange,
    Kind,
    Listing,
    Manifest,
    Observation,
    Span,
)
from connectors.contract import Page as PageAddress
from connectors.http import Manners
from connectors.spans import items
from tests.connectors.worlds.wordpress_world import WordPressWorld
from tests.steps.scripted import ScriptedClient

BEGAN = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
LONG_AFTER = datetime.now(UTC) + timedelta(days=10)
"""As if what is held had been kept long before: ids bear the machine's time, and a night looks at the newest."""
WORDS = "The road by the old mill is closed until the water has gone down again, says the crew on the spot."
_AN_ANSWER = 100


def settings(home: Path, **more: Any) -> Settings:
    return Settings(home=home, _env_file=None, **more)


def opened(home: Path, clock: FixedClock, **more: Any) -> main.Archive:
    if not home.exists():
        store = main.make(
            settings(home), agency="Benchmark", domain="bench.example", timezone="America/Juneau", clock=clock
        )
        store.database.close()
        store.keyring.database.close()
    return main.open_archive(settings(home, **more), clock)


# -- one page that answers at once -------------------------------------------------------------------------


class Ready(WordPressWorld):
    """A blog with one post and many comments, whose answers are given again as they were."""

    def __init__(self, comments: int) -> None:
        super().__init__()
        post = self.publish("The flood", WORDS)
        for number in range(comments):
            self.comment(post, f"{WORDS} ({number})")
        self.known: dict[tuple[str, str | None], Any] = {}

    def answer(self, target: str, authorization: str | None) -> Any:
        asked = (target, authorization)
        if asked not in self.known:
            self.known[asked] = super().answer(target, authorization)
        return self.known[asked]


def serve(comments: int) -> None:
    """Be the platform until standard input ends."""
    with Ready(comments) as world:
        print(world.address, flush=True)
        sys.stdin.read()


@contextmanager
def platform(comments: int) -> Iterator[str]:
    """The platform in a process of its own, and its address."""
    begun = subprocess.Popen(
        [sys.executable, __file__, "serve", str(comments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert begun.stdin is not None
    assert begun.stdout is not None
    try:
        yield begun.stdout.readline().strip()
    finally:
        begun.stdin.close()
        begun.stdout.close()
        begun.wait()


def one_page(home: Path, comments: int) -> dict[str, float]:
    """Capture a page whose platform answers at once, twice into fresh archives: the second time its answers are ready."""
    told: dict[str, float] = {}
    with platform(comments) as address:
        for attempt in ("warm", "measured"):
            clock = FixedClock(BEGAN)
            archive = opened(
                home / attempt, clock, allow_hosts=address.removeprefix("http://"), day_budget=10**9
            )
            archive.manners = Manners(interval=timedelta(0))
            with archive.store.database.begin() as tx:
                pages.add(
                    archive.store, tx, connector="wordpress", platform="wordpress", address=address,
                    name="Blog", by=None, why="benchmark",
                )  # fmt: skip
                (page,) = pages.listed(tx)
            began = time.perf_counter()
            report = archive.capture(page, by=None, why="benchmark")
            told = {
                "comments": comments,
                "new": report.tally.new,
                "complete": report.status == "complete",
                "seconds": time.perf_counter() - began,
            }
            archive.close()
    return told


def long_thread(home: Path, comments: int, others: int) -> dict[str, float]:
    """A night over one page with a thread of many comments and `others` small ones, two at a time: who ends when."""
    ended: list[str] = []
    with platform(comments) as address:
        clock = FixedClock(BEGAN)
        archive = opened(home, clock, allow_hosts=address.removeprefix("http://"), day_budget=10**9)
        archive.manners = Manners(interval=timedelta(0))
        with archive.store.database.begin() as tx:
            wanted: list[tuple[str, str, str, str, str, dict[str, str]]] = [
                ("wordpress", "wordpress", address, "the long thread", "", {})
            ]
            wanted += [
                ("simulated", "simulated", f"https://{number}.example", f"page {number}", "", {})
                for number in range(others)
            ]
            pages.add_each(archive.store, tx, wanted, by=None, why="benchmark")

        def capture(page: Page, why: str) -> list[Report]:
            if page.connector == "wordpress":
                report = archive.capture(page, by=None, why=why)
            else:
                client = ScriptedClient(FixedClock(clock.now()))
                simulated = Simulated(client, page, 200, 2, 1)
                report = run.capture(
                    archive.store, page, simulated, client, by=None, why=why, tick=time.perf_counter
                )
            ended.append(page.name)
            return [report]

        began = time.perf_counter()
        done = night(archive.store, capture, archive.follow, workers=2)
        seconds = time.perf_counter() - began
        archive.close()
    return {
        "seconds": seconds,
        "new": sum(report.tally.new for report in done.reports),
        "complete": sum(report.status == "complete" for report in done.reports),
        "ended_before_the_long_one": ended.index("the long thread"),
        "failed": len(done.failed),
    }


# -- a night over many pages -------------------------------------------------------------------------------


class Simulated:
    """A page that shows as many items as it is told to, some of them other than the night before."""

    manifest: ClassVar[Manifest] = Manifest(
        name="simulated", title="Simulated", platform="simulated", route="api", captures={}
    )

    def __init__(self, http: Client, page: Page, shows: int, changed: int, tonight: int) -> None:
        self.http, self.page = http, page
        self.shows, self.changed, self.tonight = shows, changed, tonight

    def observe(self, page: PageAddress, since: Cursor | None) -> Iterator[Batch]:
        began = self.http.now()
        for first in range(0, self.shows, _AN_ANSWER):
            numbers = range(first, min(first + _AN_ANSWER, self.shows))
            body = json.dumps({"data": [self._item(number) for number in numbers]}).encode()
            shown = Exchange(
                method="GET", url=f"{page.address}/items?from={first}", started_at=self.http.now(),
                seconds=0.01, status=200, body=body,
            )  # fmt: skip
            last = first + _AN_ANSWER >= self.shows
            yield Batch(
                exchanges=[shown],
                observations=[
                    self._seen(json.loads(raw), start, end) for start, end, raw in items(body, "data")
                ],
                listings=[Listing(kinds=[Kind.COMMENT], began_at=began, exchange=0)] if last else [],
                resume_from=Cursor("" if last else str(first)),
            )

    def _item(self, number: int) -> dict[str, object]:
        edited = number % (self.shows // self.changed) == 0 and self.tonight > 1
        words = f"{WORDS} ({number}, night {self.tonight})" if edited else f"{WORDS} ({number})"
        return {"id": f"{self.page.name}-{number}", "text": words, "by": f"Visitor {number % 97}"}

    def _seen(self, item: dict[str, str], start: int, end: int) -> Observation:
        return Observation(
            native_id=item["id"],
            kind=Kind.COMMENT,
            text=item["text"],
            author=Author(name=item["by"]),
            in_reply_to="post",
            evidence=[Span(0, start, end)],
        )

    def look(self, page: PageAddress, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        yield from ()


def make_nights(home: Path, count: int, each: int, older: int) -> dict[str, float]:
    """An archive of `count` pages with `each` known items, and `older` records more that no page shows any longer."""
    clock = FixedClock(LONG_AFTER)
    archive = opened(home, clock)
    with archive.store.database.begin() as tx:
        pages.add_each(
            archive.store,
            tx,
            [
                ("simulated", "simulated", f"https://{number}.example", f"page {number}", "", {})
                for number in range(count)
            ],
            by=None,
            why="benchmark",
        )
    if older:
        file = home.parent / f"{home.name}.jsonl"
        with file.open("w") as lines:
            for number in range(older):
                past = {"platform": "past", "page": f"past {number % count}", "native_id": str(number),
                        "kind": "comment", "text": f"{WORDS} ({number}, long ago)"}  # fmt: skip
                lines.write(json.dumps(past) + "\n")
        importing.observations(
            archive.store, file, page=None, make_pages=True, by=None, why="benchmark", tick=time.perf_counter
        )
        file.unlink()
    told = _night(archive, each, 1)
    archive.close()
    return told


def one_night(home: Path, each: int) -> dict[str, float]:
    """The night after, on which one item in a hundred was edited."""
    archive = opened(home, FixedClock(LONG_AFTER + timedelta(days=1)))
    told = _night(archive, each, 2)
    archive.close()
    return told


def _night(archive: main.Archive, each: int, tonight: int) -> dict[str, float]:
    def capture(page: Page, why: str) -> list[Report]:
        if page.connector != "simulated":
            return []
        client = ScriptedClient(FixedClock(archive.store.clock.now()))
        simulated = Simulated(client, page, each, each // 100, tonight)
        return [run.capture(archive.store, page, simulated, client, by=None, why=why, tick=time.perf_counter)]

    began = time.perf_counter()
    done = night(archive.store, capture, archive.follow, workers=4)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "new": sum(report.tally.new for report in done.reports),
        "edited": sum(report.tally.edited for report in done.reports),
        "unchanged": sum(report.tally.unchanged for report in done.reports),
        "failed": len(done.failed) + sum(report.status != "complete" for report in done.reports),
    }


def main_of_stage(arguments: list[str]) -> None:
    name, *rest = arguments
    if name == "serve":
        serve(int(rest[0]))
        return
    home, *numbers = rest
    stages: dict[str, Callable[..., object]] = {
        "one_page": one_page, "long_thread": long_thread, "make_nights": make_nights, "one_night": one_night,
    }  # fmt: skip
    told = stages[name](Path(home), *map(int, numbers))
    print(json.dumps({"told": told, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main_of_stage(sys.argv[1:])

"""A process that is killed while it takes a delivery, or reads what it was told of, loses nothing and reads nothing twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app import ROOT
from app.capture import hints, pages
from app.records.clock import FixedClock
from app.store import Store, fixity
from tests.steps.test_hooks import Town, body_of, feed

pytestmark = pytest.mark.faults

# A process of its own, which kills itself (SIGKILL: nothing is flushed, nothing is closed) where it is told to.
VICTIM = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from app import main
from app.capture import pages, plans
from app.capture.pacing import Pace
from app.records.clock import FixedClock
from app.settings import Settings
from tests.steps.test_hooks import Town, body_of, feed
home, what, wanted, at = Path(sys.argv[1]), sys.argv[2], sys.argv[3], datetime.fromisoformat(sys.argv[4])
clock = FixedClock(at)
store = main.open_store(Settings(home=home, _env_file=None), clock)
def point(name):
    if name == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
with store.database.read() as tx:
    page = pages.get(tx, "police")
town = Town(store, clock, page)
if what == "telling":
    town.tell(body_of(town, feed(comment_id="1")), point=point)
else:
    with store.database.read() as tx:
        told = plans.told(store, tx, page, Pace(), narrows=True, families=True)
    town.capture(page, by=None, why="killed", pass_=told, point=point)
"""


def killed(home: Path, clock: FixedClock, what: str, where: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", VICTIM, str(home), what, where, clock.at.isoformat()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == -9, ended.stderr


@pytest.mark.parametrize(("where", "heard"), [("marked", 0), ("before-commit", 0), ("after-commit", 1)])
def test_a_process_that_is_killed_while_it_takes_a_delivery(
    home: Path, reopen: Callable[[], Store], clock: FixedClock, where: str, heard: int
):
    Town(reopen(), clock).begin()
    killed(home, clock, "telling", where)
    store = reopen()
    with store.database.read() as tx:
        page = pages.get(tx, "police")
        assert len(hints.waiting(store, tx, page)) == heard
    town = Town(store, clock, page)
    town.tell(body_of(town, feed(comment_id="1")))  # it was not answered, so that it comes again
    town.watch().tick()
    assert town.families == ["p"]
    town.later(minutes=5)
    town.watch().tick()
    assert town.families == ["p"]
    assert fixity.verify(store, full=True).findings == []


@pytest.mark.parametrize("where", ["before-objects", "after-objects", "after-keyring", "before-commit", "after-commit"])  # fmt: skip
def test_a_process_that_is_killed_while_it_reads_what_it_was_told_of(
    home: Path, reopen: Callable[[], Store], clock: FixedClock, where: str
):
    begun = Town(reopen(), clock)
    begun.begin()
    begun.tell(body_of(begun, feed(comment_id="1")))
    killed(home, clock, "reading", where)
    store = reopen()
    with store.database.read() as tx:
        page = pages.get(tx, "police")
        assert [one.tries for one in hints.waiting(store, tx, page)] == [1]
    town = Town(store, clock, page)
    town.later(minutes=2)
    town.watch().tick()
    assert town.families == ["p"], "the process is gone, so that its lease is taken over at once"
    assert town.waiting() == []
    assert fixity.verify(store, full=True).findings == []

"""A process that is killed at any named point of keeping leaves an archive that verifies, and the next run goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import ROOT
from app.capture import importing
from app.store import Store, fixity
from app.store.sweep import sweep
from app.store.tables import records

pytestmark = pytest.mark.faults

POINTS = ["before-objects", "after-objects", "after-keyring", "before-commit", "after-commit"]
LINES, BATCH = 500, 200

# A process of its own, which kills itself (SIGKILL: nothing is flushed, nothing is closed) the second time
# that it comes by the point. It says how many lines were acknowledged before.
VICTIM = """
import os, signal, sys, time
from pathlib import Path
from app import main
from app.capture import importing
from app.settings import Settings
home, file, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
importing.LINES_A_BATCH = int(sys.argv[4])
seen = 0
def point(name):
    global seen
    if name == "after-commit":
        print("kept", flush=True)
    seen += name == wanted
    if seen == 2 and name == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
store = main.open_store(Settings(home=home, _env_file=None))
importing.observations(store, file, page=None, make_pages=True, by=None, why="crash test", tick=time.monotonic, point=point)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [
        json.dumps(
            {
                "platform": "blog",
                "page": f"page {number % 3}",
                "native_id": f"n{number}",
                "kind": "comment",
                "in_reply_to": f"n{number // 10}",
                "author": {"name": f"Visitor {number % 50}"},
                "published_at": "2026-03-01T10:00:00Z",
                "text": f"Comment number {number} about the road",
            }
        )
        for number in range(LINES)
    ]
    made = tmp_path / "lines.jsonl"
    made.write_text("\n".join(lines) + "\n")
    return made


def held(store: Store) -> int:
    with store.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(records)).scalar_one())


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_loses_nothing_that_was_acknowledged(
    home: Path, file: Path, point: str, reopen: Callable[[], Store]
):
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, str(home), str(file), point, str(BATCH)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert victim.returncode == -9, victim.stderr
    acknowledged = victim.stdout.count("kept")
    store = reopen()
    assert held(store) == BATCH * acknowledged
    assert fixity.verify(store, full=True).findings == []
    ticks = iter(range(1_000))
    report = importing.observations(
        store, file, page=None, make_pages=True, by=None, why="again", tick=lambda: next(ticks)
    )
    assert held(store) == LINES
    assert (report.tally.new, report.tally.unchanged) == (LINES - BATCH * acknowledged, 0)
    assert fixity.verify(store, full=True).findings == []


def test_what_a_crash_left_is_swept_when_it_is_a_day_old_and_not_before(
    store: Store, file: Path, clock, monkeypatch: pytest.MonkeyPatch
):
    def point(name: str) -> None:
        if name == "after-keyring":
            raise KeyboardInterrupt

    ticks = iter(range(1_000))
    monkeypatch.setattr(importing, "LINES_A_BATCH", BATCH)
    with pytest.raises(KeyboardInterrupt):
        importing.observations(
            store,
            file,
            page=None,
            make_pages=True,
            by=None,
            why="crash test",
            tick=lambda: next(ticks),
            point=point,
        )
    from datetime import UTC, datetime, timedelta

    clock.at = datetime.now(UTC)  # the files and ids of a crash bear the machine's own time
    assert sweep(store).objects == 0
    clock.at += timedelta(days=2)
    swept = sweep(store)
    assert (swept.objects, swept.secrets) == (1, BATCH + 1)
    assert fixity.verify(store, full=True).findings == []

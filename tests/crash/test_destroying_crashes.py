"""A process that is killed at any named point of destroying leaves nothing half known, and the next start finishes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from app import ROOT
from app.capture import importing
from app.capture import records as reading
from app.index import follower
from app.index.purging import IndexPurger
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.records.ids import new_id
from app.records.nouns import Disposed
from app.store import Store, destruction, disposals, fixity
from app.store.tables import records, tombstones
from tests.steps.remains import Wanted

pytestmark = pytest.mark.faults

OFFICER = UUID(int=7)
LINES, GOING, PART = 12, 8, 4
WORDS = "The heron number {} stands in the mill race"

# A process of its own, which kills itself (SIGKILL: nothing is flushed, nothing is closed) the nth time that
# it comes by the point.
VICTIM = """
import os, signal, sys, threading
from pathlib import Path
from uuid import UUID
from app import main
from app.index.purging import IndexPurger
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.settings import Settings
from app.store import destruction
home, batch, wanted, times = Path(sys.argv[1]), UUID(sys.argv[2]), sys.argv[3], int(sys.argv[4])
seen = 0
def point(name):
    global seen
    seen += name == wanted
    if seen == times and name == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
store = main.open_store(Settings(home=home, _env_file=None))
engine = TantivyEngine(home / "index", heap=15_000_000)
purger = IndexPurger(LedgerSource(store), engine, store.agency.zone(), threading.RLock())
destruction.execute(
    store, batch, recheck=lambda tx, records: {}, derived=[purger], by=UUID(int=7), why="it is due", most=4, point=point
)
"""


@pytest.fixture
def batch(home: Path, store: Store, tmp_path: Path) -> UUID:
    """An archive of which two thirds are to go, in two parts, with its index."""
    file = tmp_path / "lines.jsonl"
    lines = [
        {"platform": "blog", "page": "herons", "native_id": f"n{number}", "kind": "post",
         "text": WORDS.format(number)}
        for number in range(LINES)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    importing.observations(store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0)
    follower.catch_up(LedgerSource(store), TantivyEngine(home / "index", heap=15_000_000))
    identity = new_id()
    with store.database.begin() as tx:
        asked = select(records.c.id).order_by(records.c.key).limit(GOING)
        ids = [UUID(bytes=bytes(one)) for one in tx.execute(asked).scalars()]
        destruction.authorise(
            store,
            tx,
            identity,
            ids,
            authority="Council",
            series="S",
            citation="item 3",
            by=OFFICER,
            why="due",
        )
    return identity


@pytest.mark.parametrize(
    ("point", "times", "buried"),
    [
        ("before-tombstone", 1, 0),
        ("before-tombstone", 2, PART),
        ("after-tombstone", 1, PART),
        ("after-tombstone", 2, GOING),
        ("after-secrets", 1, GOING),
        ("after-rotation", 1, GOING),
        ("after-derived", 1, GOING),
        ("after-objects", 1, GOING),
        ("before-verify", 1, GOING),
    ],
)
def test_a_kill_at_any_point_leaves_nothing_destroyed_without_a_tombstone_and_is_finished(
    home: Path, batch: UUID, point: str, times: int, buried: int, reopen: Callable[[], Store]
):
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, str(home), str(batch), point, str(times)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert victim.returncode == -9, victim.stderr
    store = reopen()
    # 1. What has a tombstone is gone for every reader; what has none is whole.
    with store.database.read() as tx:
        assert len(tx.execute(select(tombstones)).all()) == buried
        states = disposals.states(tx, batch)
        told = {one: reading.get(store, tx, one, messages=True) for one in states}
    assert {one for one, found in told.items() if isinstance(found, Disposed)} == {
        one for one, state in states.items() if state != disposals.AUTHORISED
    }
    assert {finding.code for finding in fixity.verify(store, full=True).findings} <= {"not-destroyed"}
    # 2. The next start finishes what is past the point of no return, and decides nothing.
    engine = TantivyEngine(home / "index", heap=15_000_000)
    purger = IndexPurger(LedgerSource(store), engine, store.agency.zone(), threading.RLock())
    assert destruction.finish(store, [purger]) == buried
    assert destruction.finish(store, [purger]) == 0
    with store.database.read() as tx:
        assert list(disposals.states(tx, batch).values()).count(disposals.AUTHORISED) == GOING - buried
    assert fixity.verify(store, full=True, derived=[purger]).findings == []
    gone = Wanted({str(number): WORDS.format(number) for number in range(buried)})
    assert gone.found_in_files(home) == {}
    # 3. Executing the batch again goes on where it stopped.
    done = destruction.execute(
        store, batch, recheck=lambda _tx, _ids: {}, derived=[purger], by=OFFICER, why="again", most=PART
    )
    assert len(done.destroyed) == GOING - buried
    with store.database.read() as tx:
        assert set(disposals.states(tx, batch).values()) == {disposals.VERIFIED}
    assert fixity.verify(store, full=True, derived=[purger]).findings == []
    assert Wanted({str(number): WORDS.format(number) for number in range(GOING)}).found_in_files(home) == {}

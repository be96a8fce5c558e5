"""A process that is killed while it executes a disposal disposes of nothing that is held, and a person finishes it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from app import ROOT, main
from app.capture import importing
from app.disposition import approving, executing, nightly, proposals, proposing
from app.disposition.disposing import Disposing
from app.disposition.proposals import EXECUTED, EXECUTING
from app.holds import covering, matters, placing
from app.holds.finding import Found
from app.holds.scopes import Scope
from app.index.keys import Keys
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.retention import adopted, recording
from app.retention.standing import Standing
from app.store import Store, destruction, disposals, fixity
from app.store.tables import records, tombstones
from tests.archives import settings_at
from tests.steps.disposing import SCHEDULE

pytestmark = pytest.mark.faults

LINES, PART = 10, 4
CLERK = Officer(id=UUID(int=7), email="c@b.example", name="", roles=frozenset({Role.RECORDS_OFFICER}))
CHIEF = Officer(id=UUID(int=8), email="d@b.example", name="", roles=frozenset({Role.APPROVER}))
ATTORNEY = Officer(id=UUID(int=9), email="e@b.example", name="", roles=frozenset({Role.ATTORNEY}))

# A process of its own, which kills itself (SIGKILL: nothing is flushed, nothing is closed) the nth time that
# it comes by the point.
VICTIM = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from app import main
from app.disposition import executing
from app.disposition.disposing import Disposing
from app.holds import covering
from app.records.nouns import Officer, Role
from app.retention.standing import Standing
from app.settings import Settings
home, which, wanted, times = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
seen = 0
def point(name):
    global seen
    seen += name == wanted
    if seen == times and name == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
store = main.open_store(Settings(home=home, _env_file=None))
of = Disposing(store, Standing(store), lambda tx, keys: covering.covering(store, tx, keys), lambda: (), False)
clerk = Officer(id=UUID(int=7), email="", name="", roles=frozenset({Role.RECORDS_OFFICER}))
executing.execute(of, which, by=clerk, why="it is due", most=4, point=point)
"""


def disposing(store: Store) -> Disposing:
    return Disposing(
        store, Standing(store), lambda tx, keys: covering.covering(store, tx, keys), lambda: (), False
    )


@pytest.fixture
def opened(home: Path) -> Store:
    """The archive as its machine's own clock has it, for the process that is killed has no other."""
    return main.open_store(settings_at(home))


@pytest.fixture
def batch(opened: Store, tmp_path: Path) -> UUID:
    """A proposal of ten records that was approved, one of which was held afterwards."""
    store = opened
    file = tmp_path / "lines.jsonl"
    lines = [
        {"platform": "blog", "page": "herons", "native_id": f"n{number}", "kind": "post",
         "published_at": "2020-03-02T12:00:00Z", "text": f"heron {number}"}
        for number in range(LINES)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    importing.observations(store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0)
    of = disposing(store)
    text = SCHEDULE.format(
        edition="2026", keep="P3Y", waiting=0, approvals="[records_officer, approver]", more=""
    )
    with store.database.begin() as tx:
        adopted.adopt(store, tx, text.encode(), instrument="Resolution 12", by=CLERK.id, why="adopted")
        ids = [UUID(bytes=bytes(one)) for one in tx.execute(select(records.c.id)).scalars()]
        recording.assign(store, tx, ids, "COR-03", by=CLERK, why="correspondence")
    with store.database.begin() as tx:
        found = proposing.propose(of, tx, "COR-03", by=CLERK, why="due")
    with store.database.begin() as tx:
        found = approving.approve(of, tx, found.id, by=CHIEF, why="I looked")
    with store.database.begin() as tx:
        matter = matters.open(store, tx, f"matter {new_id()}", by=ATTORNEY, why="a letter")
        named = Keys.of([tx.execute(select(records.c.key).order_by(records.c.key)).scalars().all()[1]])
        kept = tx.execute(select(records.c.id).where(records.c.key.in_(list(named)))).scalar_one()
        scope = Scope(records=(UUID(bytes=bytes(kept)),))
        told = Found(store.ledger.size(tx), named=named)
        placing.place(store, tx, matter, scope, told, by=ATTORNEY, why="a letter")
    return found.id


@pytest.mark.parametrize(
    ("point", "times", "buried"),
    [
        ("before-tombstone", 1, 0),
        ("after-tombstone", 1, PART - 1),
        ("before-tombstone", 2, PART - 1),
        ("after-tombstone", 3, LINES - 1),
        ("after-secrets", 1, LINES - 1),
        ("after-rotation", 1, LINES - 1),
        ("after-objects", 1, LINES - 1),
        ("before-verify", 1, LINES - 1),
    ],
)
def test_a_kill_anywhere_leaves_the_held_record_and_executing_again_finishes(
    home: Path, batch: UUID, point: str, times: int, buried: int, opened: Store
):
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, str(home), str(batch), point, str(times)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert victim.returncode == -9, victim.stderr
    opened.database.close()
    store = main.open_store(settings_at(home))
    of = disposing(store)
    # 1. What has a tombstone is counted, and the proposal says that it was broken off.
    with store.database.read() as tx:
        assert len(tx.execute(select(tombstones)).all()) == buried
        assert proposals.get(store, tx, batch).state == EXECUTING
    # 2. The night finishes what is past the point of no return, and executes nothing more.
    destruction.finish(store, [])
    nightly.tonight(of)
    with store.database.read() as tx:
        assert len(tx.execute(select(tombstones)).all()) == buried
        assert proposals.get(store, tx, batch).state == (EXECUTED if buried == LINES - 1 else EXECUTING)
    # 3. A person executes again: everything but the held record goes.
    if buried < LINES - 1:
        done = executing.execute(of, batch, by=CLERK, why="again", most=PART)
        assert (done.disposed, len(done.excluded)) == (LINES - 1, 1)
    with store.database.read() as tx:
        assert proposals.get(store, tx, batch).state == EXECUTED
        states = list(disposals.states(tx, batch).values())
    assert (states.count(disposals.VERIFIED), states.count(disposals.WITHDRAWN)) == (LINES - 1, 1)
    assert fixity.verify(store, full=True).findings == []
    store.database.close()
    store.keyring.database.close()

"""The disk of Harrow Falls dies: what was kept comes back, what was disposed of does not, and nobody is told a ledger that never was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from app import main
from app.cli import main as muniment
from app.index.purging import IndexPurger
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.jobs.night import night
from app.main import Archive
from app.records.clock import FixedClock
from app.records.nouns import Disposed
from app.store import Store, destruction, proofs
from app.store.backup import kept
from app.store.note import Checkpoint, opened
from tests import archives
from tests.archives import NOON, settings_at
from tests.steps.remains import Everything, Wanted, found_when_opened
from tests.steps.scripted import listing
from tests.steps.test_backup import Yard, again
from tests.steps.test_capture import OFFICER, World, comment, post
from tests.steps.test_destruction import authorise, told

pytestmark = pytest.mark.faults

GONE = {
    "what was said": "A kittiwake of Quillon Row wept over marmalade",
    "what was said late": "Doppelganger remarks by Fotheringay of the mill race",
}


def another(capture: threading.Event) -> None:
    """Wait until one more capture has ended: the backup is overtaken at each of its steps."""
    capture.clear()
    assert capture.wait(60)


def test_the_disk_is_lost_after_a_disposal(store: Store, clock: FixedClock, tmp_path: Path):
    yard = Yard(World(store, clock), tmp_path)
    world = yard.world
    # 1. Monday. The page is captured, and while it is captured a backup is taken.
    world.capture(
        listing(
            clock,
            post("p1", "Main Street is closed", published_at=NOON),
            comment("c1", GONE["what was said"]),
        )
    )
    begun, stop = threading.Event(), threading.Event()
    nights: list[str] = []

    def capture() -> None:
        while not stop.is_set() or len(nights) < 3:
            number = len(nights)
            report = world.capture(
                listing(clock, *(post(f"n{number}-{one}", f"kept {one}") for one in range(20)))
            )
            nights.append(report.status)
            begun.set()

    capturing = threading.Thread(target=capture)
    capturing.start()
    assert begun.wait(60)
    try:
        yard.take("monday", point=lambda _name: another(begun))
    finally:
        stop.set()
        capturing.join()
    assert set(nights) == {"complete"}
    # 2. Tuesday. More is captured, and a checkpoint is given out.
    world.capture(listing(clock, comment("c2", GONE["what was said late"])))
    held = store.ledger.checkpoint()
    old = store.ledger.verifier()
    # 3. Wednesday. Two comments are disposed of; the certificate names the ledger's entry. The keys are copied.
    records = world.records()
    archive = Archive(settings_at(yard.home), store, TantivyEngine.open(yard.home / "index"))
    archive.follow()
    purger = IndexPurger(LedgerSource(store), archive.index, store.agency.zone(), threading.RLock())
    batch = authorise(world, records["c1"], records["c2"])
    destruction.execute(
        store, batch, recheck=lambda _tx, _ids: {}, derived=[purger], by=OFFICER, why="it is due"
    )
    yard.take("wednesday", data=False)
    # 4. Thursday. Everything is lost; the machine beside it is given the data of Monday and the keys of Wednesday.
    kept_before = {name: record.id for name, record in records.items()}
    clock.at += timedelta(days=1)
    yard.lose()
    done, restored = yard.restore("monday", "wednesday")
    new = restored.store
    # What was disposed of is disposed of: no reader, no byte and no living key has it.
    assert done.replayed.records == 2
    assert isinstance(told(restored, kept_before["c1"]), Disposed)
    assert isinstance(told(restored, kept_before["c2"]), Disposed)
    wanted = Wanted(GONE)
    home = new.ledger.folder.parent
    assert wanted.found_in_files(home) == {}
    assert found_when_opened(wanted, Everything.of(new.database, home / "objects"), new) == {}
    # Everything agrees with everything, through the door that an officer uses.
    reopened = main.open_archive(settings_at(home), clock, store=new)
    assert reopened.verify(full=True).findings == []
    assert done.restored.findings == []
    # What Monday's backup had is there; what was captured during it is, as far as its rows were copied.
    there = restored.records()
    assert {"p1", "n0-0"} <= there.keys() <= records.keys()
    # 5. The ledger says what it lost, and under which name it goes on.
    given_out = Checkpoint.parse(opened(held, old))
    assert done.restored.lost is not None
    reached, end = done.restored.lost
    assert reached < given_out.size <= (end or 0)
    assert new.ledger.origin == "harrowfalls.example/records/2"
    assert new.ledger.verify() == []
    with new.database.read() as tx:
        [ended] = new.ledger.ended(tx)
        proofs.write(new, tx, there["p1"].id, tmp_path / "proof")
    assert (ended.verifier, ended.size) == (
        old,
        end,
    )  # whoever holds an old checkpoint can go on verifying it
    said = subprocess.run(
        [sys.executable, str(tmp_path / "proof" / "verify.py"), str(tmp_path / "proof")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 0, said.stdout
    # 6. The night goes on: the page shows everything again, and what was disposed of is not kept again.
    shown = listing(
        clock,
        *(post("p1", "Main Street is open"), comment("c1", GONE["what was said"])),
        comment("c2", GONE["what was said late"]),
    )
    happened = night(new, lambda _page, _why: [again(restored, new).capture(shown)], reopened.follow)
    assert happened.failed == []
    assert [(one.status, one.tally.suppressed, one.tally.edited) for one in happened.reports] == [
        ("complete", 2, 1)
    ]
    assert wanted.found_in_files(home) == {}
    assert reopened.verify(full=True).findings == []
    # 7. And the next copy of the keys is taken; those from before the disposal say when nothing opens it any more.
    restored_yard = Yard(restored, tmp_path / "after")
    restored_yard.take("thursday", data=False)
    with new.database.read() as tx:
        copies = kept.key_copies(tx)
    assert kept.opened_until(copies, 1) == (copies[0].expires + timedelta(days=1)).date()
    reopened.index.settle()
    for one in yard.restored:
        archives.close(one)


# -- the same through the command line ---------------------------------------------------------------------


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    """The command line of an archive that was made this morning; its answers as JSON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUNIMENT_HOME", str(tmp_path / "home"))
    for name in ("MUNIMENT_TOKEN", "MUNIMENT_TOKEN_FILE", "MUNIMENT_MASTER_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> tuple[int, Any]:
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(StringIO()):
            code = muniment([*words, "--json"])
        return code, json.loads(said.getvalue())

    _, made = run(
        *("init", "--agency", "Harrow Falls", "--domain", "harrowfalls.example"),
        *("--timezone", "America/Juneau", "--admin", "clerk@harrowfalls.example"),
    )
    monkeypatch.setenv("MUNIMENT_TOKEN", made["token"])
    (tmp_path / "lines.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "platform": "blog",
                    "page": "p",
                    "native_id": f"n{one}",
                    "kind": "post",
                    "text": f"heron {one}",
                }
            )
            + "\n"
            for one in range(3)
        )
    )
    assert run("import", "lines.jsonl", "--make-pages")[0] == 0
    return run


def test_backup_and_restore_through_the_command_line(at_home: Callable[..., tuple[int, Any]], tmp_path: Path):
    code, taken = at_home("backup", "data", "--keys", "keys", "--why", "the first")
    assert (code, taken["data"]["objects"], taken["destroy"], taken["findings"]) == (0, 1, [], [])
    assert at_home("backup", "data", "--keys", "keys")[0] == 2
    # Nothing was lost: the same ledger goes on, and the same officer is known.
    shutil.rmtree(tmp_path / "home")
    code, done = at_home("restore", "data", "--keys", "keys", "--why", "a drill")
    assert (code, done["findings"], done["indexed"], done["disposals_replayed"]) == (0, [], 3, 0)
    assert (done["ledger"]["epoch"], done["ledger"]["lost"]) == (1, None)
    assert done["restored"]["by"] is not None
    assert at_home("search", "heron", "--count")[1] == {
        **at_home("search", "heron", "--count")[1],
        "total": 3,
    }
    assert at_home("verify", "--full")[1]["findings"] == []
    # It is not restored over what is there.
    assert at_home("restore", "data", "--keys", "keys")[0] == 4
    # Something is signed after the backup and lost: a new epoch, and it says so.
    (tmp_path / "lines.jsonl").write_text(json.dumps({"platform": "blog", "page": "p", "native_id": "n9", "kind": "post", "text": "late"}) + "\n")  # fmt: skip
    assert at_home("import", "lines.jsonl")[0] == 0
    shutil.rmtree(tmp_path / "home")
    code, done = at_home("restore", "data", "--keys", "keys")
    assert (code, done["ledger"]["epoch"], done["ledger"]["origin"]) == (
        0,
        2,
        "harrowfalls.example/records/2",
    )
    lost = done["ledger"]["lost"]
    assert 0 < lost["from"] < lost["to"]
    assert at_home("ledger", "verify")[0] == 0
    assert at_home("doctor")[1]


def test_the_command_line_refuses_what_makes_no_sense(
    at_home: Callable[..., tuple[int, Any]], tmp_path: Path
):
    assert at_home("backup")[0] == 2
    assert at_home("backup", "--destroyed", "not-an-id")[0] == 2
    assert at_home("backup", "--destroyed", "00" * 16, "--why", "gone")[0] == 3
    (tmp_path / "nothing").mkdir()
    assert at_home("restore", "nothing", "--keys", "nothing")[0] == 2
    _, taken = at_home("backup", "--keys", "keys")
    assert taken["data"] is None
    assert at_home("backup", "--destroyed", taken["backup"], "--why", "gone")[0] == 4
    shutil.rmtree(tmp_path / "keys")
    assert at_home("backup", "--destroyed", taken["backup"], "--why", "gone") == (0, {"backup": taken["backup"], "destroyed": True})  # fmt: skip

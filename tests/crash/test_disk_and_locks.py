"""When another process holds the database, or no room is left: nothing is half done, and the next run goes on."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import ROOT
from app.capture import importing
from app.cli.door import exit_code
from app.db import ArchiveBusy, Database, DiskFull
from app.records.errors import Unavailable
from app.store import Store, fixity
from app.store.tables import entries, records

pytestmark = pytest.mark.faults

LINES = 2_500
BATCH = 2_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "lines.jsonl"
    made.write_text(
        "".join(
            json.dumps(
                {
                    "platform": "blog",
                    "page": "visitors",
                    "native_id": f"n{number}",
                    "kind": "comment",
                    "text": f"Comment number {number} about the road, {os.urandom(60).hex()}",
                }
            )
            + "\n"
            for number in range(LINES)
        )
    )
    return made


def count(store: Store, table: object = records) -> int:
    with store.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]  # any table


def goes_on(store: Store, file: Path, *, acknowledged: int) -> None:
    """Everything that was acknowledged verifies, nothing else is there, and the next run does the rest."""
    kept = min(LINES, acknowledged * BATCH)
    assert count(store) == kept
    assert fixity.verify(store, full=True).findings == []
    report = importing.observations(
        store, file, page=None, make_pages=True, by=None, why="again", tick=lambda: 0.0
    )
    assert (report.status, count(store)) == ("complete", LINES)
    assert report.tally.new == LINES - kept
    assert fixity.verify(store, full=True).findings == []


# -- somebody else writes ----------------------------------------------------------------------------------

HOLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
database.execute("ROLLBACK")
"""


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Another process has begun to write to the database, and does not end."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
    finally:
        holder.communicate(timeout=60)


def impatient(database: Database) -> None:
    """Wait a hundredth of a second, where an archive waits half a minute."""

    def hurry(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 10")

    from sqlalchemy import event

    database.close()
    event.listen(database.engine, "connect", hurry)


def test_a_database_that_another_process_writes_to_is_busy_and_nothing_is_changed(store: Store, home: Path):
    impatient(store.database)
    with held(home / "archive.db"):
        with pytest.raises(ArchiveBusy) as refused, store.database.begin() as tx:
            store.ledger.act(tx, "test", by=None, why="test")
        assert count(store, entries) == 0, "readers never wait"
    assert (exit_code(refused.value), refused.value.next) == (5, "Try again in a moment.")
    with store.database.begin() as tx:
        store.ledger.act(tx, "test", by=None, why="test")
    assert count(store, entries) == 1


@pytest.mark.parametrize("which", ["archive.db", "keys/keyring.db"])
def test_an_import_that_meets_a_busy_database_keeps_nothing_by_half_and_goes_on_later(
    store: Store, reopen: Callable[[], Store], home: Path, file: Path, which: str
):
    impatient(store.database)
    impatient(store.keyring.database)
    done, holding = 0, held(home / which)

    def point(name: str) -> None:
        nonlocal done
        done += name == "after-commit"
        if done == 1 and name == "before-objects":
            holding.__enter__()

    with pytest.raises(ArchiveBusy):
        importing.observations(
            store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0, point=point
        )
    holding.__exit__(None, None, None)
    goes_on(reopen(), file, acknowledged=1)


def test_a_database_that_may_not_be_written_is_unavailable_and_says_where_to_look(store: Store, home: Path):
    read_only = Database(f"sqlite:///file:{home / 'archive.db'}?mode=ro&uri=true")
    assert count(store) == 0
    with pytest.raises(Unavailable) as refused, read_only.begin() as tx:
        tx.exec_driver_sql("DELETE FROM jobs")
    assert "read-only" in refused.value.next
    read_only.close()


# -- no room -----------------------------------------------------------------------------------------------

# A process of its own whose files may not grow beyond a number of bytes, or whose disk is small. It says how
# often a batch was acknowledged, and which error ended it.
VICTIM = """
import resource, sys
from pathlib import Path
from app import main
from app.capture import importing
from app.records.errors import ArchiveError
from app.settings import Settings
home, file, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
def point(name):
    if name == "after-commit":
        print("kept", flush=True)
try:
    store = main.open_store(Settings(home=home, _env_file=None))
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    importing.observations(store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0, point=point)
except ArchiveError as error:
    print(error.code, flush=True)
"""


def run_out_of_room(home: Path, file: Path, limit: int) -> list[str]:
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, str(home), str(file), str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert victim.returncode == 0, victim.stderr
    return victim.stdout.split()


@pytest.mark.parametrize("kilobytes", [64, 1_500])
def test_where_files_may_not_grow_what_was_acknowledged_is_whole_and_the_next_run_goes_on(
    home: Path, file: Path, reopen: Callable[[], Store], kilobytes: int
):
    """Small limits meet the objects first, larger ones the database's log."""
    *kept, error = run_out_of_room(home, file, kilobytes << 10)
    assert error in {"disk-full", "archive-busy"}
    goes_on(reopen(), file, acknowledged=kept.count("kept"))


def test_without_such_a_limit_the_same_import_ends(home: Path, file: Path, reopen: Callable[[], Store]):
    assert run_out_of_room(home, file, 0) == ["kept"] * 2
    assert count(reopen()) == LINES


_BLOCK = 4096
"""Of so many bytes a disk in memory gives out its room."""


@pytest.fixture
def little_disk(home: Path, tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Puts a copy of the archive onto a disk that has so many kilobytes more than it needs."""
    disks: list[Path] = []
    mount = shutil.which("mount")
    if os.geteuid() or mount is None:
        pytest.skip("only root may mount a small disk")

    def make(beyond: int) -> Path:
        disk = tmp_path / f"disk {len(disks)}"
        disk.mkdir()
        kilobytes = beyond + sum(-(-one.stat().st_size // _BLOCK) * (_BLOCK >> 10) for one in home.rglob("*"))
        asked = [mount, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)]
        if subprocess.run(asked, check=False, capture_output=True).returncode:
            pytest.skip("this machine does not let root mount a small disk")
        disks.append(disk)
        return Path(shutil.copytree(home, disk / "home"))

    yield make
    for disk in disks:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("beyond", [60, 300, 700, 3_300, 3_800])
def test_on_a_full_disk_what_was_acknowledged_is_whole_and_the_next_run_goes_on(
    little_disk: Callable[[int], Path], home: Path, file: Path, reopen: Callable[[], Store], beyond: int
):
    small = little_disk(beyond)
    *kept, error = run_out_of_room(small, file, 0)
    assert error == DiskFull.code
    shutil.rmtree(home)
    shutil.copytree(small, home)
    goes_on(reopen(), file, acknowledged=kept.count("kept"))


def test_a_damaged_database_is_told_from_one_that_is_busy(home: Path, reopen: Callable[[], Store]):
    with closing(sqlite3.connect(home / "archive.db")) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    (home / "archive.db").write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(Exception, match="file is not a database") as refused:
        reopen()
    assert getattr(refused.value, "code", "") == "database-broken"
    assert exit_code(refused.value) == 6  # type: ignore[arg-type]  # an error of the archive's, as the lines above say

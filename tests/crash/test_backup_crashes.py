"""A backup or a restore that is killed at any named point leaves no set that looks whole, and serves nothing half."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from app import main
from app.records.clock import FixedClock
from app.store import Store, fixity
from app.store.backup import kept, sets, taking
from app.store.backup.restoring import MARK, PlaceTaken, RestoreUnfinished
from app.store.backup.sets import BackupAltered, NoBackup
from tests import archives
from tests.archives import settings_at
from tests.steps.test_backup import Yard, conversation, texts
from tests.steps.test_capture import World
from tests.steps.test_destruction import dispose

pytestmark = pytest.mark.faults

BACKUP = [
    *("begun", "after-database", "after-keyring", "before-keys-whole", "after-keys-whole"),
    *("during-objects", "after-objects", "before-data-whole", "after-data-whole", "before-noted"),
]
RESTORE = [
    *("claimed", "after-database", "after-keyring", "during-objects", "after-epoch", "after-settled"),
    *("after-replay", "before-finished", "after-finished"),
]
_fork = multiprocessing.get_context("fork")


def killed(at: str, work: Callable[[Callable[[str], None]], object]) -> None:
    """Do the work in a process of its own, which is killed (SIGKILL: nothing is flushed or closed) when it comes by the point."""

    def point(name: str) -> None:
        if name == at:
            os.kill(os.getpid(), signal.SIGKILL)

    victim = _fork.Process(target=work, args=(point,))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL, f"it never came by {at}"


def take(home: Path, folder: Path, clock: FixedClock) -> Callable[[Callable[[str], None]], object]:
    def work(point: Callable[[str], None]) -> object:
        store = main.open_store(settings_at(home), clock)
        return taking.take(
            store,
            home=home,
            data=folder / "data-one",
            keys=folder / "keys-one",
            program="1",
            by=None,
            why="test",
            point=point,
        )

    return work


def is_whole(folder: Path, kind: str) -> bool:
    try:
        sets.must_be_as_written(folder, sets.read(folder, kind))
    except (NoBackup, BackupAltered):
        return False
    return True


@pytest.mark.parametrize("at", BACKUP)
def test_a_backup_that_is_killed_leaves_the_archive_unharmed_and_nothing_that_looks_whole(
    home: Path, store: Store, clock: FixedClock, tmp_path: Path, at: str, reopen: Callable[[], Store]
):
    yard = Yard(World(store, clock), tmp_path)
    conversation(yard.world)
    archives.close(store)
    killed(at, take(home, tmp_path, clock))
    # 1. A set is whole when its list is in place, and not a moment sooner; what is not whole says so.
    whole = [is_whole(yard.data("one"), sets.DATA), is_whole(yard.keys("one"), sets.KEYS)]
    assert whole == [
        at in {"after-data-whole", "before-noted"},
        BACKUP.index(at) >= BACKUP.index("after-keys-whole"),
    ]
    for folder, kind in ((yard.data("one"), sets.DATA), (yard.keys("one"), sets.KEYS)):
        if folder.exists() and not is_whole(folder, kind):
            assert sets.is_broken_off(folder)
    # 2. The archive is what it was, and knows that a copy of its keys may lie around.
    again = reopen()
    with again.database.read() as tx:
        copies = kept.key_copies(tx)
    assert [(one.place, one.done) for one in copies] == [(str(yard.keys("one")), False)]
    assert fixity.verify(again, full=True).findings == []
    # 3. The next backup goes into the same folders, unless what lies there is whole.
    yard.world.store = again
    if any(whole):
        yard.take("two")
    else:
        yard.take("one")
        assert [is_whole(yard.data("one"), sets.DATA), is_whole(yard.keys("one"), sets.KEYS)] == [True, True]


@pytest.mark.parametrize("at", RESTORE)
def test_a_restore_that_is_killed_serves_nothing_and_is_run_again_in_the_same_place(
    home: Path, store: Store, clock: FixedClock, tmp_path: Path, at: str
):
    yard = Yard(World(store, clock), tmp_path)
    conversation(yard.world)
    yard.take("old")
    dispose(yard.world, "c1")
    yard.store.ledger.checkpoint()
    yard.take("new", data=False)
    yard.lose()
    place = yard.place()

    def restore(point: Callable[[str], None]) -> object:
        return main.restore(
            place, yard.data("old"), yard.keys("new"), token="", why="lost", clock=clock, point=point
        )

    killed(at, restore)
    if at == "after-finished":  # from here on the archive is whole, and is never overwritten
        with pytest.raises(PlaceTaken):
            restore(lambda _name: None)
        left = main.open_store(place, clock)
    else:
        # 1. Nothing opens it, and nothing else is restored over it.
        assert (place.home / MARK).exists()
        for opens in (main.open_store, main.upgrade_all):
            with pytest.raises(RestoreUnfinished):
                opens(place)
        with pytest.raises(RestoreUnfinished):
            main.make(place, agency="Other", domain="other.example", timezone="UTC")
        with pytest.raises(PlaceTaken):
            main.restore(place, yard.data("old"), yard.keys("old"), token="", why="lost", clock=clock)
        # 2. Run again with the same sets, it ends as if it had never been killed.
        done = restore(lambda _name: None)
        assert isinstance(done, main.Restoration)
        assert (done.replayed.records, done.restored.findings) == (1, [])
        left = main.open_store(place, clock)
    assert left.ledger.origin == "harrowfalls.example/records/2"
    left.ledger.checkpoint()
    assert fixity.verify(left, full=True).findings == []
    yard.world.store = left
    assert set(texts(yard.world)) == {"p1", "c2"}
    archives.close(left)

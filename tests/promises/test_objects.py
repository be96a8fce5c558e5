"""What objects promise, whatever keeps them: bytes that survive, are never rewritten, and are found when they change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import ROOT
from app.db import DiskFull
from app.records.clock import SystemClock
from app.store.objects import FixityMismatch, Folder, ObjectMissing, Objects
from app.store.s3 import Bucket
from tests.seaweed import Seaweed, serving

MIB = 1 << 20
WITHIN = 16 * MIB
EVERYWHERE = ("folder", "bucket", "locking bucket")
"""Every implementation; a bucket with a lock, and thus with versions, is another thing than one without."""
Make = Callable[[Path], Objects]


@pytest.fixture(scope="module")
def seaweed() -> Iterator[Seaweed]:
    with serving() as storage:
        yield storage


@pytest.fixture(params=EVERYWHERE)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes an implementation, empty and with a folder of its own."""
    if request.param == "folder":
        return Folder
    storage: Seaweed = request.getfixturevalue("seaweed")
    requests = storage.requests("keeper", storage.common(lock=request.param == "locking bucket"))

    def make(folder: Path) -> Objects:
        return Bucket(requests, storage.prefix(), folder, clock=SystemClock(), days=0)

    return make


@pytest.fixture
def objects(make: Make, tmp_path: Path) -> Objects:
    return make(tmp_path / "objects")


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def megabytes(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * MIB


# -- what every implementation promises --------------------------------------------------------------------


def test_what_was_put_is_read_as_it_was(objects: Objects):
    kept = objects.put([b"one ", b"", b"two"])
    assert (kept.digest, kept.size) == (hashlib.sha256(b"one two").digest(), 7)
    assert objects.read(kept.digest, 0, 7) == b"one two"
    assert objects.read(kept.digest, 4, 3) == b"two"
    assert b"".join(objects.stream(kept.digest, 1, 5)) == b"ne tw"
    assert objects.check(kept.digest) == 7


def test_nothing_is_an_object_too(objects: Objects):
    kept = objects.put([])
    assert (kept.size, objects.read(kept.digest, 0, 0), objects.check(kept.digest)) == (0, b"", 0)
    assert list(objects.stream(kept.digest, 0, 0)) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=200), max_size=8), data=st.data())
def test_any_part_of_any_object_is_read_as_it_was_put(
    make: Make, tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], data: st.DataObject
):
    objects = make(tmp_path_factory.mktemp("objects"))
    whole, kept = b"".join(chunks), objects.put(chunks)
    start = data.draw(st.integers(0, len(whole)))
    size = data.draw(st.integers(0, len(whole) - start))
    assert objects.read(kept.digest, start, size) == whole[start : start + size]
    assert b"".join(objects.stream(kept.digest, start, size)) == whole[start : start + size]


def test_the_same_bytes_are_one_object_however_they_came(objects: Objects):
    first = objects.put([b"same", b"bytes"])
    assert objects.put([b"samebytes"]) == first
    assert list(objects.names()) == [first.digest]
    assert objects.put([b"other"]) != first
    assert len(list(objects.names())) == 2


@pytest.mark.parametrize(
    ("place", "size"), [(0, 8), (7, 1), (8, 0), (-1, 1), (0, -1), (-3, 3), (2**40, 1), (0, 2**62)]
)
def test_bytes_that_an_object_does_not_have_are_never_made_up(objects: Objects, place: int, size: int):
    kept = objects.put([b"sevenby"])
    with pytest.raises(FixityMismatch):
        objects.read(kept.digest, place, size)
    with pytest.raises(FixityMismatch):
        list(objects.stream(kept.digest, place, size))


def test_an_object_that_is_not_there_is_missing_and_not_empty(objects: Objects):
    nowhere = hashlib.sha256(b"nowhere").digest()
    for ask in (
        lambda: objects.read(nowhere, 0, 0),
        lambda: list(objects.stream(nowhere, 0, 0)),
        lambda: objects.check(nowhere),
    ):
        with pytest.raises(ObjectMissing):
            ask()


def test_what_is_discarded_is_gone_and_discarding_it_again_is_no_error(objects: Objects):
    kept, other = objects.put([b"gone"]), objects.put([b"stays"])
    objects.discard(kept.digest)
    objects.discard(kept.digest)
    assert list(objects.names()) == [other.digest]
    with pytest.raises(ObjectMissing):
        objects.check(kept.digest)
    assert objects.check(other.digest) == 5


def test_names_tell_what_was_put_before_a_moment(objects: Objects):
    kept = objects.put([b"now"])
    now = datetime.now(UTC)
    assert list(objects.names(older_than=now - timedelta(hours=1))) == []
    assert list(objects.names(older_than=now + timedelta(hours=1))) == [kept.digest]


def test_chunks_that_fail_to_come_leave_nothing(objects: Objects):
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        objects.put(broken())
    assert list(objects.names()) == []
    assert objects.sweep(older_than=datetime.now(UTC) + timedelta(days=1)) == 0


def test_what_guards_them_is_said(objects: Objects):
    told = objects.describe()
    assert told.where
    assert not told.locked  # nothing here was put under a lock
    assert all(told.says)


def test_a_large_object_goes_in_and_out_in_little_memory(objects: Objects):
    objects.put([b"what is made once is made before the measuring"])
    tracemalloc.start()
    try:
        kept = objects.put(megabytes(64))
        digest = hashlib.sha256()
        for chunk in objects.stream(kept.digest, 0, kept.size):
            digest.update(chunk)
        assert objects.check(kept.digest) == 64 * MIB
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (digest.digest(), kept.size) == (kept.digest, 64 * MIB)
    assert peak < WITHIN
    objects.discard(kept.digest)


# -- in a folder -------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_any_altered_byte_of_an_object_is_found(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
):
    folder = tmp_path_factory.mktemp("objects")
    objects = Folder(folder)
    kept = objects.put([content])
    (file,) = files(folder)
    place, bit = data.draw(st.integers(0, len(content) - 1)), 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
    with pytest.raises(FixityMismatch):
        objects.check(kept.digest)
    file.write_bytes(content[:-1])
    with pytest.raises(FixityMismatch):
        objects.check(kept.digest)
    file.write_bytes(content)
    assert objects.check(kept.digest) == len(content)


def test_putting_the_bytes_of_a_damaged_object_again_repairs_it(tmp_path: Path):
    objects = Folder(tmp_path)
    kept = objects.put([b"whole"])
    files(tmp_path)[0].write_bytes(b"w")
    objects.put([b"whole"])
    assert objects.read(kept.digest, 0, 5) == b"whole"


def test_files_of_others_in_the_folder_are_no_objects(tmp_path: Path):
    objects = Folder(tmp_path)
    kept = objects.put([b"ours"])
    (files(tmp_path)[0].parent / ".directory").write_bytes(b"a file manager's")
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "objects.txt").write_bytes(b"somebody's note")
    assert list(objects.names()) == [kept.digest]


KILLED = """
import os, signal, sys
from pathlib import Path
from app.store.objects import Folder
def chunks():
    yield bytes(100_000)
    os.kill(os.getpid(), signal.SIGKILL)
    yield b"never"
objects = Folder(Path(sys.argv[1]))
objects.put([b"kept"])
objects.put(chunks())
"""


def test_a_process_killed_while_it_puts_leaves_incoming_files_alone_and_they_are_swept(tmp_path: Path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False, timeout=60)
    assert killed.returncode == -9
    objects, now = Folder(tmp_path), datetime.now(UTC)
    assert list(objects.names()) == [hashlib.sha256(b"kept").digest()]
    assert [file.parent.name for file in files(tmp_path) if file.parent.name == "incoming"] == ["incoming"]
    assert objects.sweep(older_than=now - timedelta(hours=1)) == 0
    assert objects.sweep(older_than=now + timedelta(hours=1)) == 1
    assert [file.read_bytes() for file in files(tmp_path)] == [b"kept"]


# -- when there is no room ---------------------------------------------------------------------------------

LIMITED = """
import resource, sys
from pathlib import Path
from app.db import DiskFull
from app.store.objects import Folder
objects = Folder(Path(sys.argv[1]))
kept = objects.put([b"before"])
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    objects.put(bytes(1 << 18) for _ in range(8))
except DiskFull as error:
    print(error.code, error.next)
print(objects.put([b"after"]).size)
"""


def test_where_a_file_may_not_grow_nothing_is_half_done(tmp_path: Path):
    told = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.stdout.splitlines() == ["disk-full Make room, then run again.", "5"]
    assert sorted(file.read_bytes() for file in files(tmp_path)) == [b"after", b"before"]


@pytest.fixture
def little_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() or mount is None:
        pytest.skip("only root may mount a disk of one megabyte")
    asked = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(asked, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount a disk of one megabyte")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_on_a_full_disk_nothing_is_half_done_and_what_was_there_stays(little_disk: Path):
    objects = Folder(little_disk)
    before = objects.put([b"b" * 600_000])
    with pytest.raises(DiskFull) as refused:
        objects.put(bytes(MIB // 4) for _ in range(8))
    assert refused.value.next == "Make room, then run again."
    assert len(files(little_disk)) == 1
    assert objects.check(before.digest) == 600_000
    objects.discard(before.digest)
    assert objects.put(bytes(MIB // 4) for _ in range(3)).size == 3 * MIB // 4

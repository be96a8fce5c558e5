"""The keyring: secrets survive, a rotation leaves nothing that an old key opens, and a power cut loses none."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import FrameType

import pytest
from sqlalchemy.exc import IntegrityError

from app import main
from app.db import Database
from app.db.migrate import upgrade
from app.store import Store, keyring
from app.store.keyring import KeyMissing, Keyring, MasterKeys
from app.store.sealing import new_secret
from tests.archives import settings_at

OWNERS = [bytes([number]) * 16 for number in range(1, 6)]


class Ring:
    """A keyring by itself in a folder, opened as each process would."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "master.key"
        self.opened: list[Database] = []

    def open(self) -> Keyring:
        self.opened.append(Database(f"sqlite:///{self.folder / 'keyring.db'}"))
        return Keyring(self.opened[-1], MasterKeys(self.file))

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def keys(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.file.read_text())["epochs"]
        return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[bytes, bytes], bytes]:
    """A keyring with five secrets and a key that has a name; nobody writes to it."""
    ring = Ring(tmp_path_factory.mktemp("made"))
    MasterKeys.create(ring.file)
    here = ring.open()
    upgrade(here.database, keyring=True)
    secrets = {owner: new_secret() for owner in OWNERS}
    here.keep(secrets)
    named = here.named("lookup")
    ring.close()
    return ring.folder, secrets, named


@pytest.fixture
def ring(made: tuple[Path, dict[bytes, bytes], bytes], tmp_path: Path) -> Iterator[Ring]:
    ring = Ring(Path(shutil.copytree(made[0], tmp_path / "ring")))
    yield ring
    ring.close()


@pytest.fixture
def secrets(made: tuple[Path, dict[bytes, bytes], bytes]) -> dict[bytes, bytes]:
    return made[1]


@pytest.fixture
def named(made: tuple[Path, dict[bytes, bytes], bytes]) -> bytes:
    return made[2]


# -- keeping -----------------------------------------------------------------------------------------------


def test_secrets_survive_that_the_keyring_is_closed(ring: Ring, secrets: dict[bytes, bytes], named: bytes):
    here = ring.open()
    assert here.secrets(OWNERS) == secrets
    assert list(here.owners()) == OWNERS
    assert here.named("lookup") == named
    assert here.named("another") not in {named, *secrets.values()}


def test_an_owner_whose_secret_was_forgotten_has_none_and_the_others_keep_theirs(
    ring: Ring, secrets: dict[bytes, bytes]
):
    assert ring.open().forget(OWNERS[:2]) == 2
    here = ring.open()
    assert here.secrets(OWNERS) == {owner: secrets[owner] for owner in OWNERS[2:]}
    assert here.secret(OWNERS[2]) == secrets[OWNERS[2]]
    with pytest.raises(KeyMissing):
        here.secret(OWNERS[0])


def test_the_secret_of_an_owner_is_never_replaced(ring: Ring, secrets: dict[bytes, bytes]):
    here = ring.open()
    with pytest.raises(IntegrityError):
        here.keep({b"n" * 16: new_secret(), OWNERS[0]: new_secret()})
    assert here.secrets([*OWNERS, b"n" * 16]) == secrets


def test_neither_secrets_nor_keys_lie_in_the_database_in_the_clear(
    ring: Ring, secrets: dict[bytes, bytes], named: bytes
):
    content = b"".join(file.read_bytes() for file in ring.folder.glob("keyring.db*"))
    assert OWNERS[0] in content
    assert not any(secret in content for secret in (*secrets.values(), named))
    assert not any(bytes.fromhex(key) in content for key in ring.keys().values())


def test_a_key_that_many_ask_for_first_is_made_once(anywhere: Store):
    def ask(_number: int) -> bytes:
        return Keyring(anywhere.keyring.database, anywhere.keyring.keys).named("asked for at once")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1


# -- the master key file -----------------------------------------------------------------------------------


def test_the_master_key_file_is_for_its_owner_alone(ring: Ring, tmp_path: Path):
    before = os.umask(0)
    try:
        MasterKeys.create(tmp_path / "new" / "master.key")
        ring.open().rotate()
    finally:
        os.umask(before)
    for file in (tmp_path / "new" / "master.key", ring.file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_making_a_master_key_file_leaves_one_that_exists_as_it_is(ring: Ring):
    before = ring.keys()
    MasterKeys.create(ring.file)
    assert ring.keys() == before


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"epochs": []}', '{"epochs": {"1": "xyz"}}', "{}"])
def test_without_the_master_key_the_archive_says_so_and_opens_nothing(
    home: Path, reopen: Callable[[], Store], content: str | None
):
    kept = (home / "keys" / "master.key").read_text()
    if content is None:
        (home / "keys" / "master.key").unlink()
    else:
        (home / "keys" / "master.key").write_text(content)
    with pytest.raises(KeyMissing, match=r"master\.key") as refused:
        main.open_store(settings_at(home))
    assert "Put the master key file back" in refused.value.next
    (home / "keys" / "master.key").write_text(kept)
    assert reopen().ledger.verify() == []


def test_the_master_key_of_another_archive_opens_nothing(home: Path, tmp_path: Path):
    MasterKeys.create(tmp_path / "master.key")
    shutil.copy(tmp_path / "master.key", home / "keys" / "master.key")
    with pytest.raises(KeyMissing, match="does not unwrap"):
        main.open_store(settings_at(home))


def test_a_secret_that_was_moved_to_another_owner_does_not_open(ring: Ring, secrets: dict[bytes, bytes]):
    here = ring.open()
    with here.database.begin() as tx:
        table = keyring.secrets_table
        tx.execute(table.update().where(table.c.owner == OWNERS[0]).values(owner=b"n" * 16))
    with pytest.raises(KeyMissing, match="does not unwrap"):
        here.secrets([b"n" * 16])
    assert here.secret(OWNERS[1]) == secrets[OWNERS[1]]


# -- rotation ----------------------------------------------------------------------------------------------


def test_a_rotation_wraps_everything_anew_and_destroys_the_old_key(
    ring: Ring, secrets: dict[bytes, bytes], named: bytes
):
    before = ring.keys()
    assert ring.open().rotate() == 2
    here = ring.open()
    assert (here.secrets(OWNERS), here.named("lookup")) == (secrets, named)
    assert list(ring.keys()) == ["2"]
    ring.close()
    content = b"".join(file.read_bytes() for file in ring.folder.iterdir())
    assert before["1"].encode() not in content
    assert sorted(file.name for file in ring.folder.iterdir() if "key" in file.suffix) == ["master.key"]


def test_an_old_key_opens_nothing_new_and_a_new_key_nothing_old(ring: Ring, tmp_path: Path):
    old = Path(shutil.copytree(ring.folder, tmp_path / "old"))
    ring.open().rotate()
    ring.close()
    new = Path(shutil.copytree(ring.folder, tmp_path / "new"))
    for database, key in ((old, new), (new, old)):
        with_both = Ring(tmp_path / f"{database.name} with {key.name} key")
        shutil.copytree(database, with_both.folder)
        shutil.copy(key / "master.key", with_both.file)
        with pytest.raises(KeyMissing):
            with_both.open().secret(OWNERS[0])
        with pytest.raises(KeyMissing):
            with_both.open().named("lookup")
        with_both.close()


def test_a_forgotten_secret_opens_with_an_older_copy_until_the_rotation_and_not_after(
    ring: Ring, secrets: dict[bytes, bytes], tmp_path: Path
):
    shutil.copytree(ring.folder, tmp_path / "older")
    ring.open().forget(OWNERS[:1])
    older = Ring(tmp_path / "older")
    shutil.copy(ring.file, older.file)
    assert older.open().secret(OWNERS[0]) == secrets[OWNERS[0]]
    ring.open().rotate()
    shutil.copy(ring.file, older.file)
    with pytest.raises(KeyMissing):
        older.open().secret(OWNERS[0])
    older.close()


def test_another_process_goes_on_keeping_and_reading_across_a_rotation(
    ring: Ring, secrets: dict[bytes, bytes], named: bytes
):
    other, here = ring.open(), ring.open()
    assert other.secrets(OWNERS) == secrets
    here.rotate()
    later = {b"l" * 16: new_secret()}
    other.keep(later)
    assert other.named("made later") == ring.open().named("made later")
    assert other.secrets([*OWNERS, *later]) == secrets | later
    assert ring.open().secrets([*OWNERS, *later]) == secrets | later
    assert ring.open().named("lookup") == named


def test_a_key_file_that_is_replaced_while_it_is_read_is_read_again(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
):
    here, decode = ring.open(), json.loads
    to_come = [here.keys.add, here.keys.add]

    def late(content: bytes) -> object:
        """Somebody rotates while the file is read, which overwrites what was being read."""
        if to_come:
            to_come.pop()()
            return decode(os.urandom(len(content)))
        return decode(content)

    monkeypatch.setattr(json, "loads", late)
    held = MasterKeys(ring.file).held()
    assert held == here.keys.held()
    ring.file.write_bytes(os.urandom(40))
    with pytest.raises(KeyMissing, match="cannot be read"):
        MasterKeys(ring.file)


def test_secrets_kept_while_rotations_run_at_once_are_never_lost(
    ring: Ring, secrets: dict[bytes, bytes], named: bytes
):
    kept: dict[bytes, bytes] = {}
    over = Event()

    def keep() -> None:
        here = ring.open()
        while not over.is_set() and len(kept) < 400:
            new = {len(kept).to_bytes(16): new_secret()}
            here.keep(new)
            kept.update(new)

    with ThreadPoolExecutor(3) as pool:
        keeping = pool.submit(keep)
        rotating = [pool.submit(ring.open().rotate) for _ in range(2)]
        epochs = [one.result() for one in rotating]
        over.set()
        keeping.result()
    here = ring.open()
    assert max(epochs) == 3
    assert list(ring.keys()) == ["3"]
    assert here.secrets([*OWNERS, *kept]) == secrets | kept
    assert here.named("lookup") == named


@pytest.mark.parametrize("where", ["postgresql"])
def test_a_rotation_on_postgresql_leaves_the_same(postgres_url: str, tmp_path: Path, where: str):
    keys, database = MasterKeys.create(tmp_path / "master.key"), Database(postgres_url)
    upgrade(database, keyring=True)
    here, other = Keyring(database, keys), Keyring(database, MasterKeys(tmp_path / "master.key"))
    told = {owner: new_secret() for owner in OWNERS}
    here.keep(told)
    assert here.rotate() == 2
    other.keep({b"l" * 16: told[OWNERS[0]]})
    assert Keyring(database, MasterKeys(tmp_path / "master.key")).secrets([*OWNERS, b"l" * 16]) == {
        **told,
        b"l" * 16: told[OWNERS[0]],
    }
    assert MasterKeys(tmp_path / "master.key").epochs() == [2]
    database.close()


STEPS = {"add", "destroy", "rotate", "_write", "_shred", "_rewrap", "_destroy_old", "_empty_log"}
"""The functions in which a rotation changes anything; the others only read and reckon."""


def die_at(line: int, ring: Ring) -> bool:
    """Rotate in a process that ends, with nothing closed or flushed, before the given line of those steps."""
    child = os.fork()
    if not child:
        passed = 0

        def each_line(frame: FrameType, event: str, _value: object) -> object:
            nonlocal passed
            if frame.f_code.co_filename != keyring.__file__ or frame.f_code.co_name not in STEPS:
                return None
            passed += event == "line"
            if passed == line:
                os._exit(9)
            return each_line

        here = ring.open()
        sys.settrace(each_line)  # type: ignore[arg-type]  # a trace function that ends the process
        here.rotate()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: a process that ends leaves the same there, and fsync costs nothing."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_a_rotation_broken_off_at_any_step_loses_nothing_and_finishes_when_run_again(
    made: tuple[Path, dict[bytes, bytes], bytes], memory: Path, stride: int
):
    folder, secrets, named = made
    old = json.loads((folder / "master.key").read_text())["epochs"]["1"].encode()
    line, broken = 1, True
    while broken:
        ring = Ring(memory / str(line))
        shutil.copytree(folder, ring.folder)
        broken = die_at(line, ring)
        here = ring.open()
        assert here.secrets(OWNERS) == secrets, line
        assert here.named("lookup") == named, line
        epoch = here.rotate()
        again = ring.open()
        assert (again.secrets(OWNERS), again.named("lookup")) == (secrets, named), line
        assert list(ring.keys()) == [str(epoch)], line
        ring.close()
        left = {file.name: file.read_bytes() for file in ring.folder.iterdir()}
        assert left.keys() == {"master.key", "keyring.db"}, line
        assert not any(old in content for content in left.values()), line
        shutil.rmtree(ring.folder)
        line += stride
    assert line > 50


def test_a_key_of_the_archive_that_is_gone_is_never_made_anew(store: Store, reopen: Callable[[], Store]):
    store.ledger.checkpoint()
    store.keyring.forget_named(f"ledger/{store.ledger.origin}")
    with pytest.raises(KeyMissing, match="signs"):
        store.ledger.checkpoint()
    store.keyring.forget_named("lookup")
    with pytest.raises(KeyMissing, match="look-ups"):
        reopen()

"""Backup and restore: what is put back is what was there, what was disposed of stays disposed, and no checkpoint is forked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from app import main
from app.capture import lanes, lease, pages
from app.db import Database, DiskFull
from app.disposition.replay import replay
from app.index import follower
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.jobs.doctor import examine
from app.records.clock import FixedClock
from app.records.errors import Invalid, Refused
from app.records.ids import new_id
from app.records.nouns import Disposed
from app.settings import Settings
from app.store import Store, disposals, fixity, proofs
from app.store.backup import disposed, epochs, kept, postgres, restoring, sets, taking
from app.store.backup.epochs import Begins, GoesOn, Known
from app.store.backup.kept import KeyCopy, NoSuchBackup, StillThere
from app.store.backup.restoring import NewerBackup, PlaceTaken, RestoreUnfinished
from app.store.backup.sets import BackupAltered, Log, NoBackup, SetsDiffer
from app.store.backup.taking import NothingToBackUp, Taken
from app.store.keyring import KeyMissing, Keyring, MasterKeys
from app.store.ledger import LedgerBroken
from app.store.note import Checkpoint, opened
from app.store.proofs import FolderNotEmpty
from app.store.publish import Publish
from app.store.s3 import Bucket
from app.store.store import NoArchive
from app.store.tables import (
    backups,
    checkpoints,
    ledger_epochs,
    officers,
    passes,
    suppressed,
    tombstones,
)
from app.store.tables import lanes as lane_table
from app.store.tables import pages as page_table
from app.store.tables import records as record_table
from tests import archives
from tests.archives import NOON, settings_at
from tests.postgres import Cluster
from tests.seaweed import serving
from tests.steps.remains import Everything, Wanted, found_when_opened
from tests.steps.scripted import listing
from tests.steps.test_capture import OFFICER, World, comment, post
from tests.steps.test_destruction import authorise, dispose, execute, told

pytestmark = pytest.mark.faults

WORDS = {"stays": "The zebrafinch of Vantroost Lane", "goes": "A wolverine on the very same lane", "late": "Doppelganger Fotheringay"}  # fmt: skip


@dataclass
class Yard:
    """An archive, the folders that its backups go to, and places to restore them into."""

    world: World
    folder: Path
    cluster: Cluster | None = None
    restored: list[Store] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def home(self) -> Path:
        return self.store.ledger.folder.parent

    def take(self, name: str, *, data: bool = True, keys: bool = True, **more: Any) -> Taken:
        """A backup into `data-NAME` and `keys-NAME`."""
        return taking.take(
            self.store,
            home=self.home,
            data=self.data(name) if data else None,
            keys=self.keys(name) if keys else None,
            program="1",
            by=OFFICER,
            why="test",
            **more,
        )

    def data(self, name: str) -> Path:
        return self.folder / f"data-{name}"

    def keys(self, name: str) -> Path:
        return self.folder / f"keys-{name}"

    def lose(self) -> None:
        """Lose the data folder and whatever it knows; the databases of a server are gone with it."""
        archives.close(self.store)
        shutil.rmtree(self.home)

    def place(self, name: str = "again") -> Settings:
        """An empty place like the one that was lost."""
        more = {}
        if self.cluster is not None:
            self.addresses += [self.cluster.fresh(), self.cluster.fresh()]
            more = {"database_url": self.addresses[-2], "keyring_url": self.addresses[-1]}
        return settings_at(self.folder / name, **more)

    def restore(
        self, data: str, keys: str | None = None, *, into: Settings | None = None, **more: Any
    ) -> tuple[main.Restoration, World]:
        """Restore, and go on in the restored archive as the world before did."""
        settings = into or self.place(f"again-{len(self.restored)}")
        done = main.restore(
            settings,
            self.data(data),
            self.keys(keys or data),
            token="",
            why="the disk is gone",
            clock=self.world.clock,
            **more,
        )
        store = main.open_store(settings, self.world.clock)
        self.restored.append(store)
        return done, again(self.world, store)


def again(before: World, store: Store) -> World:
    """The same page and script over another store."""
    world = object.__new__(World)
    world.store, world.clock = store, before.clock
    world.client, world.connector = before.client, before.connector
    with store.database.read() as tx:
        world.page = pages.get(tx, str(before.page.id))
    return world


@pytest.fixture
def yard(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Yard]:
    made = Yard(World(store, clock), tmp_path)
    yield made
    for one in made.restored:
        archives.close(one)


@pytest.fixture
def yard_anywhere(
    anywhere: Store, clock: FixedClock, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Yard]:
    """The same on each database in turn."""
    cluster = None if anywhere.database.sqlite else request.getfixturevalue("postgres_cluster")
    made = Yard(World(anywhere, clock), tmp_path, cluster)
    yield made
    for one in made.restored:
        archives.close(one)
    for address in made.addresses:
        made.cluster.drop(address)  # type: ignore[union-attr]  # only a cluster gave addresses


def conversation(world: World) -> None:
    world.capture(
        listing(
            world.clock,
            post("p1", WORDS["stays"], published_at=NOON),
            comment("c1", WORDS["goes"]),
            comment("c2", "stays too"),
        )
    )


def texts(world: World) -> dict[str, str]:
    return {name: str(record.version.fields["text"]) for name, record in world.records().items()}


def size(store: Store) -> int:
    with store.database.read() as tx:
        return store.ledger.size(tx)


# -- there and back ----------------------------------------------------------------------------------------


def test_what_is_put_back_is_the_archive_that_was_there(yard_anywhere: Yard):
    yard = yard_anywhere
    conversation(yard.world)
    before = texts(yard.world)
    taken = yard.take("one")
    yard.lose()
    done, world = yard.restore("one")
    assert texts(world) == before
    assert world.soundness() == []
    assert done.restored.findings == []
    assert done.indexed == len(before)
    # Nothing was lost, so the ledger goes on, and the backup itself is in it.
    assert (done.restored.lost, world.store.ledger.origin) == (None, "harrowfalls.example/records/1")
    with world.store.database.read() as tx:
        told = [(act.type, act.subject, act.why) for act in world.store.ledger.acts(tx, limit=2)]
    assert told == [("backup", taken.backup, "the disk is gone"), ("backup", taken.backup, "test")]
    # The next night goes on from its cursor.
    report = world.capture(listing(world.clock, post("p1", WORDS["stays"]), comment("c3", "new")))
    assert (report.status, report.tally.new) == ("complete", 1)
    assert world.soundness() == []


def test_the_data_set_holds_no_word_and_no_key_and_neither_set_holds_the_index(yard: Yard):
    conversation(yard.world)
    engine = TantivyEngine.open(yard.home / "index")
    follower.catch_up(LedgerSource(yard.store), engine)
    yard.take("one")
    wanted = Wanted({"stays": WORDS["stays"], "goes": WORDS["goes"]})
    assert {Path(file).parts[len(yard.home.parts)] for file in wanted.found_in_files(yard.home)} == {"index"}
    assert wanted.found_in_files(yard.data("one"), yard.keys("one")) == {}
    secrets = [key.hex() for key in yard.store.keyring.keys.held().values()]
    with yard.store.database.read() as tx:
        record = bytes(tx.execute(select(record_table.c.id).limit(1)).scalar_one())
    secrets.append(yard.store.keyring.secret(record).hex())
    in_data = b"".join(file.read_bytes() for file in yard.data("one").rglob("*") if file.is_file())
    for secret in secrets:
        assert secret.encode() not in in_data
        assert bytes.fromhex(secret) not in in_data
    assert secrets[0].encode() in (yard.keys("one") / "master.key").read_bytes()
    assert {file.name for file in yard.keys("one").iterdir()} == {
        *("manifest.json", "manifest.note", "keyring.db", "master.key", "disposed.jsonl"),
        *("later-1.note", "later-1.jsonl"),
    }
    assert (yard.keys("one").stat().st_mode & 0o777, (yard.keys("one") / "master.key").stat().st_mode & 0o777) == (0o700, 0o600)  # fmt: skip


def test_a_copy_of_the_database_carries_no_freed_page(yard: Yard):
    """The twin: the living file, with its log, still has what was taken out of a table that is not overwritten."""
    words = b"written-and-taken-out-again"
    with yard.store.database.begin() as tx:
        tx.exec_driver_sql("PRAGMA secure_delete=OFF")
        tx.execute(text("CREATE TABLE scratch (words TEXT)"))
        for _ in range(500):
            tx.execute(text("INSERT INTO scratch VALUES (:words)"), {"words": words.decode() * 40})
    with yard.store.database.begin() as tx:
        tx.exec_driver_sql("PRAGMA secure_delete=OFF")
        tx.execute(text("DROP TABLE scratch"))
    living = b"".join(file.read_bytes() for file in yard.home.glob("archive.db*"))
    assert words in living
    yard.take("one")
    assert words not in (yard.data("one") / "archive.db").read_bytes()


def test_a_writer_does_not_wait_for_a_backup(yard: Yard):
    conversation(yard.world)
    seen: list[str] = []

    def point(name: str) -> None:
        seen.append(name)
        if name in {"after-database", "after-keyring", "during-objects"}:
            yard.world.capture(listing(yard.world.clock, post(f"at-{name}", "kept meanwhile")))

    yard.take("one", point=point)
    assert {"after-database", "after-keyring", "during-objects"} <= set(seen)
    yard.lose()
    done, world = yard.restore("one")
    # Whatever the rows speak of is there, and what was signed meanwhile is known.
    assert world.soundness() == []
    assert set(texts(world)) == {"p1", "c1", "c2"}
    assert done.restored.findings == []


def test_the_keys_alone_are_a_backup_and_so_are_the_data_alone(yard: Yard):
    conversation(yard.world)
    yard.take("data", keys=False)
    yard.take("keys", data=False)
    yard.lose()
    main.restore(yard.place(), yard.data("data"), yard.keys("keys"), token="", why="lost", clock=yard.world.clock)  # fmt: skip
    store = main.open_store(settings_at(yard.folder / "again"), yard.world.clock)
    yard.restored.append(store)
    assert set(texts(again(yard.world, store))) == {"p1", "c1", "c2"}
    assert fixity.verify(store, full=True).findings == []


def test_objects_of_an_earlier_set_are_not_read_again(yard: Yard):
    conversation(yard.world)
    yard.take("one")
    yard.world.capture(listing(yard.world.clock, post("p2", "the second night")))
    # Nobody could read them: what the earlier set has is named a second time.
    for file in (yard.data("one") / "objects").rglob("*"):
        if file.is_file():
            taking.lies_at(yard.home / "objects", file.parent.name + file.name).unlink()
    taken = yard.take("two", since=yard.data("one"))
    assert taken.data is not None
    assert (taken.data.objects, taken.data.linked, taken.data.damaged) == (2, 1, [])
    shutil.rmtree(yard.data("one"))
    yard.lose()
    _, world = yard.restore("two")
    assert set(texts(world)) == {"p1", "c1", "c2", "p2"}
    assert world.soundness() == []


@pytest.mark.parametrize("how", ["damaged", "lost"])
def test_what_the_archive_itself_has_lost_is_named_and_the_rest_is_copied(yard: Yard, how: str):
    conversation(yard.world)
    yard.world.capture(listing(yard.world.clock, post("p2", "the second night")))
    file = next(file for file in (yard.home / "objects").rglob("*") if file.is_file())
    digest = file.parent.name + file.name
    if how == "lost":
        file.unlink()
    else:
        altered(file)
    taken = yard.take("one")
    assert taken.data is not None
    assert [(one.object, one.code) for one in taken.data.damaged] == [
        (digest, "object-missing" if how == "lost" else "fixity-mismatch")
    ]
    with pytest.raises(BackupAltered, match="1 objects are missing"):
        yard.restore("one", into=yard.place("refused"))
    done, _ = yard.restore("one", with_damage=True)
    assert [one.where for one in done.restored.findings] == [digest, "index"]


# -- what is refused ---------------------------------------------------------------------------------------


def altered(file: Path) -> None:
    """Another byte in the middle of a file."""
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(body)


PARTS = [
    *("data/manifest.json", "data/manifest.note", "data/archive.db", "data/objects.txt", "data/checkpoint"),
    *("data/log.vkey", "data/objects/*/*", "keys/manifest.json", "keys/manifest.note", "keys/keyring.db"),
    *("keys/master.key", "keys/disposed.jsonl", "keys/later-1.note"),
]


def of_both(yard: Yard, part: str) -> Path:
    kind, _, name = part.partition("/")
    return next((yard.data("one") if kind == "data" else yard.keys("one")).glob(name))


def test_a_set_of_which_one_byte_is_another_or_a_file_is_missing_is_refused_and_nothing_is_served(yard: Yard):
    conversation(yard.world)
    dispose(yard.world, "c2")
    yard.take("one")
    found = {
        f"{kind}/{'objects/*/*' if 'objects' in file.parts else file.name}"
        for kind, folder in (("data", yard.data("one")), ("keys", yard.keys("one")))
        for file in folder.rglob("*")
        if file.is_file()
    }
    # the list of what was disposed of later is vouched for by its note; altered, it says nothing
    assert found - {"keys/later-1.jsonl"} == set(PARTS)
    for part in PARTS:
        file = of_both(yard, part)
        whole = file.read_bytes()
        for change in (altered, Path.unlink):
            if (part, change) == ("keys/later-1.note", Path.unlink):
                continue  # a disk that was not there when something was signed has none
            change(file)
            place = yard.place(f"refused-{part.replace('/', '-')}-{change.__name__}")
            with pytest.raises((BackupAltered, NoBackup)):
                main.restore(
                    place, yard.data("one"), yard.keys("one"), token="", why="x", clock=yard.world.clock
                )
            with pytest.raises((NoArchive, RestoreUnfinished)):
                main.open_store(place)
            file.write_bytes(whole)
    yard.lose()
    assert yard.restore("one")[0].restored.findings == []  # the twin


def test_a_list_that_leads_out_of_its_folder_is_refused(yard: Yard):
    yard.take("one")
    manifest = sets.read(yard.data("one"), sets.DATA)
    body = manifest.written().replace(b'"archive.db","sha256"', b'"../archive.db","sha256"')
    with pytest.raises(BackupAltered, match="no file of a set"):
        sets.Manifest.read(body)


def other(tmp_path: Path, clock: FixedClock, name: str, domain: str) -> Yard:
    """Another archive, with a backup of its own."""
    store = main.make(
        settings_at(tmp_path / name / "home"), agency="Other", domain=domain, timezone="UTC", clock=clock
    )
    made = Yard(World(store, clock), tmp_path / name)
    made.take("one")
    return made


@pytest.mark.parametrize("domain", ["elsewhere.example", "harrowfalls.example"])
def test_data_of_one_archive_are_not_restored_with_the_keys_of_another(
    yard: Yard, tmp_path: Path, clock: FixedClock, domain: str
):
    yard.take("one")
    foreign = other(tmp_path, clock, "foreign", domain)
    for data, keys in ((yard.data("one"), foreign.keys("one")), (foreign.data("one"), yard.keys("one"))):
        with pytest.raises(SetsDiffer):
            main.restore(yard.place(), data, keys, token="", why="mixed", clock=clock)
    assert not (yard.folder / "again").exists()
    archives.close(foreign.store)


def test_each_set_goes_into_an_empty_folder_apart_from_everything(yard: Yard):
    for data, keys in (
        (None, None),
        (yard.home / "backup", None),
        (yard.folder / "a", yard.folder / "a"),
        (yard.folder / "a", yard.folder / "a" / "keys"),
        (None, yard.home.parent),
    ):
        with pytest.raises(NothingToBackUp):
            taking.take(yard.store, home=yard.home, data=data, keys=keys, program="1", by=None, why="test")
    yard.data("one").mkdir()
    (yard.data("one") / "somebody's").write_text("file")
    with pytest.raises(FolderNotEmpty):
        yard.take("one")
    assert (yard.data("one") / "somebody's").exists()
    assert not yard.keys("one").exists()


def test_an_empty_disk_of_its_own_is_an_empty_folder(yard: Yard):
    (yard.data("one") / "lost+found").mkdir(parents=True)
    yard.take("one")
    assert sets.read(yard.data("one"), sets.DATA).kind == sets.DATA


def test_no_restore_goes_where_something_lies(yard_anywhere: Yard):
    yard = yard_anywhere
    yard.take("one")
    place = yard.place()
    place.home.mkdir()
    (place.home / "somebody's").write_text("file")
    with pytest.raises(PlaceTaken, match="not an empty folder"):
        yard.restore("one", into=place)
    (place.home / "somebody's").unlink()
    if place.database_url:
        database = Database(place.database_url)
        with database.begin() as tx:
            tx.execute(text("CREATE TABLE somebodys (words TEXT)"))
        with pytest.raises(PlaceTaken, match="database is not empty"):
            yard.restore("one", into=place)
        with database.begin() as tx:
            assert tx.execute(text("SELECT count(*) FROM somebodys")).scalar_one() == 0
        database.close()
    else:
        key = place.home.parent / "other.key"
        key.write_text("somebody's")
        with pytest.raises(PlaceTaken, match="is there already"):
            yard.restore("one", into=place.model_copy(update={"master_key_file": key}))
        assert key.read_text() == "somebody's"
    assert not (place.home / restoring.MARK).exists()


def test_a_restore_goes_into_the_kind_of_database_that_was_copied(yard: Yard, postgres_cluster: Cluster):
    yard.take("one")
    yard.cluster = postgres_cluster
    with pytest.raises(Refused, match="a copy from sqlite"):
        yard.restore("one")


def test_a_set_of_a_newer_program_is_refused(yard: Yard):
    yard.take("one")
    manifest = sets.read(yard.data("one"), sets.DATA)
    with pytest.raises(NewerBackup, match="version 1"):
        restoring._must_be_known(
            sets.Manifest.read(manifest.written().replace(b'"revision":"0', b'"revision":"9')), keyring=False
        )


def test_what_cannot_fit_is_said_before_anything_is_written(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    conversation(yard.world)
    usage = shutil.disk_usage(yard.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1 << 20))
    with pytest.raises(DiskFull, match="has room for 1 MiB"):
        yard.take("one")
    assert not yard.data("one").exists()
    with yard.store.database.read() as tx:
        assert kept.key_copies(tx) == []


def test_a_disk_that_fills_up_on_the_way_leaves_an_empty_folder_and_the_archive_as_it_was(yard: Yard):
    conversation(yard.world)

    def point(name: str) -> None:
        if name == "after-keyring":
            raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull):
        yard.take("one", point=point)
    assert list(yard.data("one").iterdir()) == list(yard.keys("one").iterdir()) == []
    with yard.store.database.read() as tx:
        copies = kept.key_copies(tx)
    assert [one.done for one in copies] == [False]
    assert yard.world.soundness() == []
    yard.take("one")
    assert sets.read(yard.keys("one"), sets.KEYS).kind == sets.KEYS


# -- PostgreSQL's programs ---------------------------------------------------------------------------------


def test_no_secret_of_the_database_stands_on_a_command_line(
    yard: Yard, postgres_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A program in front of pg_dump writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        true = shutil.which(name)
        assert true is not None
        script = folder / name
        script.write_text(
            '#!/bin/sh\nif [ "$1" = --version ]; then echo "x (PostgreSQL) 99.1"; exit; fi\n'
            f'echo "$0 $*" >>{tmp_path}/called; env | grep -E "^(PG|MUNIMENT_)" >>{tmp_path}/surroundings\n'
            f'exec {true} "$@"\n'
        )
        script.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("MUNIMENT_TOKEN", "not-for-pg-dump")
    source, target = (
        make_url(postgres_cluster.fresh()).set(password="sesame-open"),
        make_url(postgres_cluster.fresh()).set(password="sesame-open"),
    )
    there, here = Database(source), Database(target)
    with there.begin() as tx:
        tx.execute(text("CREATE TABLE kept AS SELECT 7 AS number"))
    with there.read() as tx:
        postgres.dump(source, tx, tmp_path / "dump")
    with here.read() as tx:
        postgres.restore(target, tx, tmp_path / "dump")
    with here.read() as tx:
        assert tx.execute(text("SELECT number FROM kept")).scalar_one() == 7
    there.close()
    here.close()
    called = (tmp_path / "called").read_text()
    assert called.count("\n") == 2
    assert "sesame-open" not in called
    surroundings = (tmp_path / "surroundings").read_text()
    assert "PGPASSWORD=sesame-open" in surroundings
    assert "not-for-pg-dump" not in surroundings


@pytest.mark.parametrize(
    ("version", "says"), [(None, "is not on this machine"), ("9", "cannot read a newer one")]
)
def test_a_missing_or_older_program_is_said_plainly(
    postgres_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, says: str
):
    monkeypatch.setattr(postgres, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    if version is not None:
        (tmp_path / "pg_dump").write_text(f'#!/bin/sh\necho "pg_dump (PostgreSQL) {version}.4"\n')
        (tmp_path / "pg_dump").chmod(0o700)
    address = postgres_cluster.fresh()
    database = Database(address)
    with database.read() as tx, pytest.raises(postgres.DatabaseProgram, match=says):
        postgres.dump(database.url, tx, tmp_path / "dump")
    database.close()
    postgres_cluster.drop(address)


def test_what_an_address_says_that_no_program_understands_is_refused():
    url = make_url("postgresql+psycopg://me:word@host:99/name?sslmode=require&application_name=m")
    assert postgres.environment(url) == {
        "PGHOST": "host",
        "PGPORT": "99",
        "PGUSER": "me",
        "PGPASSWORD": "word",
        "PGDATABASE": "name",
        "PGSSLMODE": "require",
    }
    with pytest.raises(Invalid, match="prepare_threshold"):
        postgres.environment(make_url("postgresql+psycopg://host/name?prepare_threshold=0"))


# -- disposed stays disposed -------------------------------------------------------------------------------


def nowhere(yard: Yard, world: World, *names: str) -> None:
    """Nothing of these words is in the restored folder, nor in what any living key opens, of it or of the data set."""
    wanted = Wanted({name: WORDS[name] for name in names})
    home = world.store.ledger.folder.parent
    assert wanted.found_in_files(home) == {}
    held = Everything.of(world.store.database, home / "objects")
    assert found_when_opened(wanted, held, world.store) == {}


def test_what_was_disposed_of_after_the_data_were_copied_stays_disposed(yard_anywhere: Yard):
    """The data are older than the keys: the keys say what is gone."""
    yard = yard_anywhere
    conversation(yard.world)
    yard.take("old")
    yard.world.capture(listing(yard.world.clock, comment("c9", WORDS["late"], published_at=NOON)))
    going = {name: record.id for name, record in yard.world.records().items()}
    batch = dispose(yard.world, "c1", "c9")
    before = {name: told(yard.world, going[name]) for name in ("c1", "c9")}
    yard.take("new", data=False)
    yard.lose()
    done, world = yard.restore("old", "new")
    assert (done.replayed.records, done.replayed.batches) == (2, [batch])
    assert done.restored.findings == []
    assert world.soundness() == []
    nowhere(yard, world, "goes", "late")
    # Also of the one that was kept only after the data were copied; both as of the day on which they went.
    after = {name: told(world, going[name]) for name in ("c1", "c9")}
    assert after == before
    with world.store.database.read() as tx:
        stones = disposals.disposed(tx, going.values())
    assert {name: stones[going[name]].detail["month"] for name in ("c1", "c9")} == {
        "c1": None,
        "c9": "2026-03",
    }
    assert all(isinstance(one, Disposed) for one in after.values())
    assert set(texts(world)) == {"p1", "c2"}
    # The platform still shows them, and neither is kept again.
    report = world.capture(
        listing(
            world.clock,
            *(post("p1", WORDS["stays"]), comment("c1", WORDS["goes"]), comment("c9", WORDS["late"])),
        )
    )
    assert report.tally.suppressed == 2
    nowhere(yard, world, "goes", "late")
    assert world.soundness() == []


def test_without_the_keys_that_know_of_it_a_disposal_is_undone(yard: Yard):
    """The twin, and why the newest keys are to be taken: both sets are from before, and nothing lies beside them."""
    conversation(yard.world)
    yard.take("old")
    dispose(yard.world, "c1")
    yard.lose()
    done, world = yard.restore("old")
    assert done.replayed.records == 0
    assert texts(world)["c1"] == WORDS["goes"]


def test_a_disposal_after_the_last_backup_is_known_from_what_was_left_beside_its_keys(yard: Yard):
    conversation(yard.world)
    yard.take("old")
    dispose(yard.world, "c1")
    yard.store.ledger.checkpoint()  # which is told to every copy of the keys that can be reached
    yard.lose()
    done, world = yard.restore("old")
    assert done.replayed.records == 1
    assert done.restored.lost is not None
    nowhere(yard, world, "goes")
    assert world.soundness() == []
    # And again, when that archive is lost too.
    world.store.ledger.checkpoint()
    archives.close(world.store)
    more, world = yard.restore("old")
    assert more.replayed.records == 1
    assert world.store.ledger.origin == "harrowfalls.example/records/3"
    nowhere(yard, world, "goes")


@pytest.mark.parametrize("days", [-5, 45], ids=["set back", "far ahead"])
def test_a_disposal_by_a_wrong_clock_is_known_all_the_same(yard: Yard, days: int):
    conversation(yard.world)
    yard.take("old")
    right = yard.world.clock.at
    yard.world.clock.at = right + timedelta(days=days)
    dispose(yard.world, "c1")
    yard.store.ledger.checkpoint()
    yard.world.clock.at = right + timedelta(hours=1)
    yard.lose()
    done, world = yard.restore("old")
    assert done.replayed.records == 1
    nowhere(yard, world, "goes")


def test_what_somebody_else_left_beside_the_keys_disposes_of_nothing(
    yard: Yard, tmp_path: Path, clock: FixedClock
):
    """It is signed with a key of another archive of the same name: that a later epoch was there may be believed, no more."""
    conversation(yard.world)
    yard.take("old")
    record = yard.world.records()["c1"].id
    dispose(yard.world, "c1")
    yard.store.ledger.checkpoint()
    note = yard.keys("old") / "later-1.note"
    text_, _, _ = note.read_text().partition("\n\n")
    foreign = other(tmp_path, clock, "foreign", "harrowfalls.example")
    note.write_text(foreign.store.ledger.signer().sign(text_ + "\n"))
    done, world = yard.restore("old")
    assert done.replayed.records == 0
    assert not isinstance(told(world, record), Disposed)
    archives.close(foreign.store)


def test_secrets_that_older_keys_bring_back_are_destroyed_again(yard_anywhere: Yard):
    """The keys are older than the data."""
    yard = yard_anywhere
    conversation(yard.world)
    yard.take("old", data=False)
    record = yard.world.records()["c1"].id
    dispose(yard.world, "c1")
    yard.take("new", keys=False)
    yard.lose()
    done, world = yard.restore("new", "old")
    assert done.replayed.forgotten > 0
    assert world.store.keyring.secrets([record.bytes]) == {}
    assert min(world.store.keyring.keys.epochs()) > 1
    nowhere(yard, world, "goes")
    # What was done after the keys were copied has lost its secrets for no lawful reason, and that is said.
    codes = {one.code for one in done.restored.findings}
    assert "not-destroyed" not in codes
    assert isinstance(told(world, record), Disposed)


def test_a_secret_that_is_missing_for_no_lawful_reason_is_a_finding(yard: Yard):
    conversation(yard.world)
    yard.take("old", data=False)
    yard.world.capture(listing(yard.world.clock, comment("c9", "kept after the keys were copied")))
    record = yard.world.records()["c9"].id
    yard.take("new", keys=False)
    yard.lose()
    done, _ = yard.restore("new", "old")
    missing = [one for one in done.restored.findings if one.code == "key-missing"]
    assert record.hex in {one.where for one in missing}
    assert "newest key backup" in missing[0].next


def test_what_was_authorised_and_not_destroyed_is_withdrawn_and_stays(yard: Yard):
    conversation(yard.world)
    held = yard.world.records()
    batch = authorise(yard.world, held["c1"], held["c2"])
    yard.take("old", keys=False)
    execute(yard.world, batch, recheck=lambda _tx, _ids: {held["c2"].id: "held"})
    yard.take("new", data=False)
    yard.lose()
    done, world = yard.restore("old", "new")
    assert (done.replayed.records, done.replayed.withdrawn) == (1, [held["c2"].id])
    assert set(texts(world)) == {"p1", "c2"}
    with world.store.database.read() as tx:
        assert disposals.states(tx, batch) == {
            held["c1"].id: disposals.VERIFIED,
            held["c2"].id: disposals.WITHDRAWN,
        }
    assert world.soundness() == []


@pytest.mark.parametrize("lost", [True, False])
def test_what_waits_to_be_destroyed_is_withdrawn_where_a_hold_may_have_been_lost(yard: Yard, lost: bool):
    conversation(yard.world)
    batch = authorise(yard.world, yard.world.records()["c1"])
    yard.take("old")
    if lost:
        yard.world.capture(listing(yard.world.clock, post("p2", "after the backup")))
        yard.store.ledger.checkpoint()
    yard.lose()
    done, world = yard.restore("old")
    assert (done.restored.lost is not None, len(done.replayed.withdrawn)) == (lost, int(lost))
    with world.store.database.read() as tx:
        state = disposals.WITHDRAWN if lost else disposals.AUTHORISED
        assert set(disposals.states(tx, batch).values()) == {state}


def test_a_record_that_went_with_another_batch_than_the_data_know_goes_all_the_same(yard: Yard):
    conversation(yard.world)
    held = yard.world.records()
    first = authorise(yard.world, held["c1"], held["c2"])
    yard.take("old", keys=False)
    with yard.store.database.begin() as tx:
        from app.store import destruction

        destruction.withdraw(yard.store, tx, first, by=OFFICER, why="another citation")
    dispose(yard.world, "c1")
    yard.take("new", data=False)
    yard.lose()
    done, world = yard.restore("old", "new")
    assert (done.replayed.records, done.replayed.withdrawn) == (1, [held["c2"].id])
    assert set(texts(world)) == {"p1", "c2"}
    assert world.soundness() == []


def test_a_disposal_under_way_when_the_data_were_copied_is_finished(yard: Yard):
    conversation(yard.world)
    batch = authorise(yard.world, yard.world.records()["c1"])

    def point(name: str) -> None:
        if name == "after-tombstone":
            yard.take("middle")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(yard.world, batch, point=point)
    yard.lose()
    done, world = yard.restore("middle")
    assert done.replayed.forgotten + done.replayed.finished > 0
    with world.store.database.read() as tx:
        assert set(disposals.states(tx, batch).values()) == {disposals.VERIFIED}
    nowhere(yard, world, "goes")
    assert world.soundness() == []


def test_replaying_twice_is_replaying_once(yard: Yard):
    conversation(yard.world)
    yard.take("old")
    dispose(yard.world, "c1")
    yard.take("new", data=False)
    yard.lose()
    _, world = yard.restore("old", "new")
    carried = disposed.read(yard.keys("new") / disposed.FILE)
    before = size(world.store)
    assert replay(world.store, carried, lost=False, by=None, why="again").records == 0
    assert size(world.store) == before


def test_the_list_of_what_was_disposed_of_holds_no_content(yard: Yard):
    conversation(yard.world)
    dispose(yard.world, "c1")
    yard.take("one")
    lines = [json.loads(line) for line in (yard.keys("one") / disposed.FILE).read_text().splitlines()]
    assert [line["t"] for line in lines][:2] == ["batch", "record"]
    assert set().union(*(line.keys() for line in lines)) == {
        *("t", "id", "at", "entry", "series", "citation", "authority"),
        *("page", "kind", "month", "private", "received", "mark", "batch"),
    } - {"batch"}
    [gone] = [line for line in lines if line["t"] == "record"]
    with yard.store.database.read() as tx:
        row = tx.execute(select(tombstones.c.at, suppressed.c.mac).join(suppressed, suppressed.c.record == tombstones.c.record)).one()  # fmt: skip
    assert (gone["at"], gone["mark"]) == (row.at, bytes(row.mac).hex())


# -- the ledger --------------------------------------------------------------------------------------------


def lost_some(yard: Yard) -> tuple[str, int]:
    """A backup, then a checkpoint beyond it that the keys know: the checkpoint, and how far the data reach."""
    conversation(yard.world)
    yard.take("old")
    yard.world.capture(listing(yard.world.clock, post("p2", "after the backup")))
    note = yard.store.ledger.checkpoint()
    yard.take("new", data=False)
    reached = sets.read(yard.data("old"), sets.DATA).told["ledger"]["size"]
    yard.lose()
    return note, reached


def test_a_ledger_that_lost_what_was_signed_goes_on_under_another_name(yard_anywhere: Yard):
    yard = yard_anywhere
    old = yard.store.ledger.verifier()
    note, reached = lost_some(yard)
    signed = Checkpoint.parse(opened(note, old))
    done, world = yard.restore("old", "new")
    store = world.store
    assert done.restored.lost is not None
    assert done.restored.lost[0] == reached < signed.size <= (done.restored.lost[1] or 0)
    assert store.ledger.origin == store.agency.origin == "harrowfalls.example/records/2"
    # 1. The first entry of the new epoch commits to the last that was signed in the old one, and to what happened.
    with store.database.read() as tx:
        entry = json.loads(store.ledger.entry(tx, reached))
        [ended] = store.ledger.ended(tx)
        [act] = [act for act in store.ledger.acts(tx, limit=50) if act.type == "epoch"]
    assert (entry["type"], entry["after"], entry["reached"]) == ("epoch", old.name, reached)
    assert (entry["size"], entry["root"]) == (ended.size, ended.root.hex())
    assert act.detail["lost"] == {"from": reached, "to": ended.size}
    assert "are lost" in str(act.detail["statement"])
    # 2. Old checkpoints are verified with the old key, new ones with the new; both are of this tree.
    assert store.ledger.verify() == []
    assert store.ledger.verify_some(0, 10) == []
    new = store.ledger.verifier()
    assert (ended.verifier, new != old) == (old, True)
    with store.database.read() as tx:
        sizes = sorted(tx.execute(select(checkpoints.c.size)).scalars())
        keys = [store.ledger.verifier_at(tx, one) for one in sizes]
    assert sizes[0] <= reached < sizes[-1]
    assert keys == [old if one <= reached else new for one in sizes]
    # 3. The old key is gone, and the last thing that it signed is the new one.
    assert not store.keyring.has_named(f"ledger/{old.name}")
    assert opened(ended.succession, old).splitlines() == ["muniment-epoch/1", new.line()]
    assert world.soundness() == []
    # 4. The night goes on, in the new epoch.
    world.capture(listing(world.clock, post("p2", "after the backup")))
    assert Checkpoint.parse(opened(store.ledger.checkpoint(), new)).size == size(store)
    assert world.soundness() == []


def test_a_record_of_the_old_epoch_is_proven_in_the_new_one(yard: Yard):
    """By the program that stands in every proof folder, which knows nothing of epochs."""
    lost_some(yard)
    _, world = yard.restore("old", "new")
    out = yard.folder / "proof"
    with world.store.database.read() as tx:
        proofs.write(world.store, tx, world.records()["p1"].id, out)
    said = subprocess.run(
        [sys.executable, str(out / "verify.py"), str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 0, said.stdout
    assert "in harrowfalls.example/records/2" in said.stdout


def test_the_ledger_goes_on_where_everything_that_was_signed_is_there(yard: Yard):
    """The twin."""
    conversation(yard.world)
    yard.take("old")
    yard.lose()
    done, world = yard.restore("old")
    assert (done.restored.lost, world.store.ledger.origin) == (None, "harrowfalls.example/records/1")
    with world.store.database.read() as tx:
        assert world.store.ledger.ended(tx) == []


@pytest.mark.parametrize(
    "said", [True, False], ids=["somebody says that nothing came after", "nobody says so"]
)
def test_a_backup_that_is_not_of_just_now_begins_a_new_epoch_unless_somebody_says_that_nothing_came_after(
    yard: Yard, said: bool
):
    conversation(yard.world)
    yard.take("old")
    yard.lose()
    yard.world.clock.at += timedelta(days=1)
    done, world = yard.restore("old", nothing_since=said)
    reached = sets.read(yard.data("old"), sets.DATA).told["ledger"]["size"]
    assert done.restored.lost == (None if said else (reached, None))
    assert world.store.ledger.origin == f"harrowfalls.example/records/{1 if said else 2}"
    assert world.soundness() == []


def test_a_checkpoint_that_somebody_holds_tells_how_far_the_ledger_had_come(yard: Yard):
    conversation(yard.world)
    yard.take("old")
    (yard.keys("old") / "later-1.note").unlink()
    yard.world.capture(listing(yard.world.clock, post("p2", "after the backup")))
    yard.store.ledger.signed = None  # the disk with the keys is not there
    held = yard.folder / "held.txt"
    held.write_text(yard.store.ledger.checkpoint())
    end = size(yard.store)
    yard.lose()
    done, _ = yard.restore("old", checkpoints=[held])
    assert done.restored.lost is not None
    assert done.restored.lost[1] == end
    held.write_text("nobody's\n1\nAAAA\n\n— nobody's AAAAAAAA\n")
    with pytest.raises(epochs.NotACheckpoint):
        yard.restore("old", checkpoints=[held])


def test_entries_that_contradict_what_was_signed_are_not_restored(yard: Yard):
    conversation(yard.world)
    yard.take("old")
    signer = yard.store.ledger.signer()
    held = yard.folder / "held.txt"
    held.write_text(signer.sign(Checkpoint(signer.name, 3, bytes(32)).text()))
    with pytest.raises(LedgerBroken, match=r"held\.txt"):
        yard.restore("old", into=yard.place("refused"), checkpoints=[held])
    with pytest.raises(RestoreUnfinished):
        main.open_store(settings_at(yard.folder / "refused"))


@pytest.mark.parametrize("older", ["data", "keys"])
def test_sets_of_different_epochs_begin_another_one(yard: Yard, older: str):
    """The archive that was restored once is lost again, and one of the sets is from before the first loss."""
    conversation(yard.world)
    yard.take("first")
    yard.world.capture(listing(yard.world.clock, post("p2", "lost")))
    yard.store.ledger.checkpoint()
    first = yard.store.ledger.verifier()
    yard.lose()
    _, world = yard.restore("first")
    second = Yard(world, yard.folder)
    world.capture(listing(world.clock, post("p3", "kept in the second epoch")))
    second.take("second")
    archives.close(world.store)
    names = ("first", "second") if older == "data" else ("second", "first")
    done, world = yard.restore(*names)
    ledger = world.store.ledger
    assert ledger.origin == "harrowfalls.example/records/3"
    assert ledger.verify() == []
    with world.store.database.read() as tx:
        ended = ledger.ended(tx)
    assert [one.origin[-1] for one in ended] == (["1"] if older == "data" else ["1", "2"])
    assert ended[0].verifier == first
    assert ledger.verifier() not in [one.verifier for one in ended]
    if older == "data":
        assert world.soundness() == []
    else:  # what was done in the second epoch has no key
        assert {one.code for one in done.restored.findings} == {"key-missing"}


def test_an_epoch_whose_row_was_altered_is_found(yard: Yard):
    lost_some(yard)
    _, world = yard.restore("old", "new")
    with world.store.database.begin() as tx, pytest.raises(DatabaseError, match="never changes"):
        tx.execute(update(ledger_epochs).values(reached=1))
    with world.store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER ledger_epochs_refuse_update"))
        tx.execute(update(ledger_epochs).values(size=1))
    assert any("ended as its row has it" in wrong for wrong in world.store.ledger.verify())


LOG = Log("town.example/records/1", "key")


def root_of(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def known(number: int, root: bytes | None = None, origin: str = LOG.origin) -> Known:
    return Known(origin, number, root_of(number) if root is None else root, "test")


@given(
    reached=st.integers(0, 1000),
    signed=st.lists(st.integers(0, 1000), max_size=5),
    minutes=st.integers(0, 100),
    said=st.booleans(),
)
def test_a_ledger_goes_on_only_where_nothing_that_is_known_to_be_signed_lies_beyond(
    reached: int, signed: list[int], minutes: int, said: bool
):
    fate = epochs.decide(
        LOG,
        reached,
        root_of,
        [known(one) for one in signed],
        age=timedelta(minutes=minutes),
        nothing_since=said,
    )
    match fate:
        case GoesOn():
            assert max(signed, default=0) <= reached
            assert said or minutes <= 10
        case Begins(number, last, lost_from, lost_to):
            assert (number, lost_from) == (2, reached)
            assert last.size == max(signed, default=0)
            assert lost_to == (last.size if last.size > reached else None)


def test_an_epoch_that_began_elsewhere_is_never_begun_twice():
    later = known(9, origin="town.example/records/4")
    fate = epochs.decide(LOG, 20, root_of, [known(20), later], age=timedelta(0), nothing_since=True)
    assert isinstance(fate, Begins)
    assert (fate.number, fate.lost_to) == (5, None)


def test_a_contradiction_is_no_reason_for_a_new_epoch():
    with pytest.raises(LedgerBroken):
        epochs.decide(LOG, 20, root_of, [known(5, bytes(32))], age=timedelta(0), nothing_since=False)


def test_a_successor_is_believed_only_where_the_key_before_it_signed(yard: Yard):
    lost_some(yard)
    _, world = yard.restore("old", "new")
    with world.store.database.read() as tx:
        [ended] = world.store.ledger.ended(tx)
    logs = [Log(ended.origin, ended.verifier.line())]
    assert [one.number for one in epochs.succeeded(logs, [ended.succession])] == [1, 2]
    forged = world.store.ledger.signer().sign(f"muniment-epoch/1\n{world.store.ledger.verifier().line()}\n")
    assert epochs.succeeded(logs, [forged]) == logs


def test_segments_in_a_bucket_are_looked_for_there_and_what_was_published_is_not_contradicted(
    home: Path, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    clock.at = datetime.now(UTC)  # the storage has the machine's time
    with serving() as storage:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEEPER")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-keeper")
        where = f"s3://{storage.common(lock=False)}/{storage.prefix()}"
        more = {
            "objects_url": where,
            "s3_endpoint": storage.address,
            "s3_governance_days": 0,
            "s3_compliance_days": 0,
        }
        archive = main.open_archive(settings_at(home, **more), clock)
        yard = Yard(World(archive.store, clock), tmp_path)
        conversation(yard.world)
        taken = yard.take("old")
        assert taken.data is not None
        assert not (yard.data("old") / "objects").exists()
        assert taken.data.objects == 1
        (yard.keys("old") / "later-1.note").unlink()
        archive.store.ledger.signed = None  # the disk with the keys is not there
        yard.world.capture(listing(clock, post("p2", "after the backup")))
        assert archive.publish() > 0
        end = size(yard.store)
        yard.lose()
        done, world = yard.restore("old", into=settings_at(tmp_path / "again", **more))
        assert done.restored.findings == []
        assert done.restored.lost is not None
        assert done.restored.lost[1] == end
        assert world.soundness() == []
        # Under its new name the ledger is published beside the old, which stays what it was.
        reopened = main.open_archive(settings_at(tmp_path / "again", **more), clock, store=world.store)
        assert reopened.publish() > 0
        bucket = world.store.objects
        assert isinstance(bucket, Bucket)
        notes = Publish(bucket, days=0).newest()
        assert [note.splitlines()[0][-1] for note in notes] == ["1", "2"]
        # What the bucket has lost is a finding.
        for digest in list(bucket.names()):
            bucket.discard(digest)
        missing, _ = yard.restore("old", into=settings_at(tmp_path / "poorer", **more), with_damage=True)
        assert "object-missing" in {one.code for one in missing.restored.findings}
        assert missing.restored.store.ledger.origin.endswith("/3")


# -- what was under way ------------------------------------------------------------------------------------


def test_leases_and_sessions_of_the_old_machine_end(yard: Yard):
    conversation(yard.world)
    with yard.store.database.begin() as tx:
        lease.take(yard.store, tx, yard.world.page, "another-machine/1/1")
        lease.take_stream(yard.store, tx, yard.world.page, "another-machine/1/1")
        tx.execute(
            insert(officers).values(
                key=1, id=b"o" * 16, email="a@town.example", roles="[]", active=True, added_at=0
            )
        )
        for kind in ("session", "token"):
            tx.execute(insert(passes).values(digest=kind.encode().ljust(32), officer=1, kind=kind, made_at=0))
    yard.take("one")
    yard.lose()
    _, world = yard.restore("one")
    with world.store.database.read() as tx:
        assert set(tx.execute(select(page_table.c.lease_owner)).scalars()) == {None}
        assert set(tx.execute(select(lane_table.c.lease_owner)).scalars()) == {None}
        assert list(tx.execute(select(passes.c.kind)).scalars()) == ["token"]
    assert world.capture(listing(world.clock, post("p1", WORDS["stays"]))).status == "complete"


def test_a_cursor_that_older_keys_cannot_open_begins_anew(yard: Yard):
    conversation(yard.world)
    yard.take("old", data=False)
    dispose(yard.world, "c1")  # which destroys the secret of the page's cursors
    yard.world.capture(listing(yard.world.clock, post("p1", WORDS["stays"])))
    yard.take("new", keys=False)
    yard.lose()
    _, world = yard.restore("new", "old")
    with world.store.database.read() as tx:
        assert lanes.lane(world.store, tx, world.page, lanes.WHOLE).cursor is None
    assert world.capture(listing(world.clock, post("p5", "new"))).status == "complete"


# -- copies of the keys expire -----------------------------------------------------------------------------


def copy(day: int, epoch: int = 1, *, done: bool = True, destroyed: bool = False) -> KeyCopy:
    return KeyCopy(new_id(), NOON + timedelta(days=day), done, "/backup/keys", epoch, destroyed)


@pytest.mark.parametrize(
    ("copies", "epoch", "day"),
    [
        ([], 3, None),
        ([copy(0, 3)], 3, date(2026, 4, 2)),
        ([copy(0, 3), copy(1, 2)], 3, date(2026, 4, 3)),
        ([copy(0, 3), copy(9, 4)], 3, date(2026, 4, 2)),
        ([copy(9, 4)], 3, None),
        ([copy(0, 3, done=False)], 3, date(2026, 4, 2)),
        ([copy(0, 3, destroyed=True)], 3, None),
    ],
    ids=[
        "none",
        "one",
        "the later of two",
        "one after the rotation",
        "only one after",
        "broken off",
        "destroyed",
    ],
)
def test_a_disposal_is_beyond_every_copy_of_the_keys_from_that_day_on(
    copies: Sequence[KeyCopy], epoch: int, day: date | None
):
    assert kept.opened_until(copies, epoch) == day


def test_a_real_disposal_is_final_when_the_copy_before_it_has_expired_and_not_sooner(yard: Yard):
    from app.store import destruction

    conversation(yard.world)
    yard.take("before")
    batch = dispose(yard.world, "c1")
    yard.take("after", data=False)
    with yard.store.database.read() as tx:
        entry = next(
            json.loads(body)
            for body in yard.store.ledger.bodies(0, size(yard.store))
            if json.loads(body).get("act") == "executed"
        )
        day = kept.opened_until(kept.key_copies(tx), entry["epoch"])
    assert day is not None
    yard.world.clock.at += timedelta(days=29)
    with yard.store.database.begin() as tx, pytest.raises(destruction.KeyBackupsLive):
        destruction.final(yard.store, tx, batch, backups_expired=day, by=None, why="the night")
    yard.world.clock.at += timedelta(days=3)
    with yard.store.database.begin() as tx:
        assert destruction.final(
            yard.store, tx, batch, backups_expired=day, by=None, why="the night"
        ).final_entry


def test_copies_past_their_time_are_named_until_somebody_says_that_they_are_destroyed(yard: Yard):
    first = yard.take("one")
    assert first.to_destroy == []
    yard.world.clock.at += timedelta(days=30)
    second = yard.take("two", data=False)
    assert [one.backup for one in second.to_destroy] == [first.backup]
    with yard.store.database.begin() as tx, pytest.raises(StillThere):
        kept.destroyed(yard.store, tx, first.backup, by=OFFICER, why="due")
    shutil.rmtree(yard.keys("one"))
    with yard.store.database.begin() as tx:
        assert kept.destroyed(yard.store, tx, first.backup, by=OFFICER, why="due").destroyed
        assert kept.destroyed(yard.store, tx, first.backup, by=OFFICER, why="due").destroyed
        with pytest.raises(NoSuchBackup):
            kept.destroyed(yard.store, tx, new_id(), by=OFFICER, why="due")
    with yard.store.database.read() as tx:
        assert kept.to_destroy(kept.key_copies(tx), yard.world.clock.now()) == []
        done = [act for act in yard.store.ledger.acts(tx) if act.type == "backup" and act.why == "due"]
    assert len(done) == 1


def test_what_is_known_of_a_backup_is_only_added_to(yard_anywhere: Yard):
    yard = yard_anywhere
    yard.take("one")
    for values in ({"epoch": 9}, {"keys_place": "/elsewhere"}, {"done_at": None}):
        with pytest.raises(DatabaseError, match="only added to"), yard.store.database.begin() as tx:
            tx.execute(update(backups).values(**values))
    with pytest.raises(DatabaseError, match="only added to"), yard.store.database.begin() as tx:
        tx.execute(backups.delete())


def doctor_says(yard: Yard) -> Any:
    settings = settings_at(yard.home)
    return next(one for one in examine(settings, yard.store, lambda: 0) if one.what == "backup of the keys")


def test_the_doctor_fails_when_the_newest_copy_of_the_keys_is_older_than_a_day(yard: Yard):
    conversation(yard.world)
    assert doctor_says(yard).ok  # the archive itself is younger than a day
    yard.world.clock.at += timedelta(days=1)
    assert not doctor_says(yard).ok
    yard.take("one", data=False)
    assert doctor_says(yard).ok
    yard.world.clock.at += timedelta(hours=25)
    assert not doctor_says(yard).ok
    assert "muniment backup" in doctor_says(yard).says


def test_the_doctor_says_what_only_a_newer_copy_would_know_and_what_is_past_its_time(yard: Yard):
    conversation(yard.world)
    yard.take("one", data=False)
    dispose(yard.world, "c1")
    assert "1 records were disposed of since" in doctor_says(yard).says
    yard.world.clock.at += timedelta(days=30)
    yard.take("two", data=False)
    assert not doctor_says(yard).ok
    assert str(yard.keys("one")) in doctor_says(yard).says
    shutil.rmtree(yard.keys("one"))
    assert doctor_says(yard).ok


def test_a_restored_archive_knows_the_copies_that_were_made_after_its_data(yard: Yard):
    yard.take("old")
    second = yard.take("new", data=False)
    yard.lose()
    _, world = yard.restore("old", "new")
    with world.store.database.read() as tx:
        assert second.backup in {one.backup for one in kept.key_copies(tx)}


def test_keys_that_are_copied_while_the_epoch_is_rotated_open_everything(yard: Yard):
    conversation(yard.world)
    stop = threading.Event()

    def rotate() -> None:
        while not stop.is_set():
            yard.store.keyring.rotate()

    turning = threading.Thread(target=rotate)
    turning.start()
    try:
        yard.take("one", data=False)
    finally:
        stop.set()
        turning.join()
    keyring = Keyring(
        Database(f"sqlite:///{yard.keys('one') / 'keyring.db'}"), MasterKeys(yard.keys("one") / "master.key")
    )
    owners = list(keyring.owners())
    assert set(keyring.secrets(owners)) == set(owners)
    assert keyring.named("lookup") == yard.store.lookup
    keyring.database.close()


def test_a_copy_of_the_keys_that_lacks_an_epoch_is_never_made(yard: Yard):
    yard.store.keyring.keys.file.write_text('{"epochs": {"9": "' + "00" * 32 + '"}}')
    with pytest.raises(KeyMissing, match="epoch 1"):
        yard.take("one", data=False)
    assert list(yard.keys("one").iterdir()) == []

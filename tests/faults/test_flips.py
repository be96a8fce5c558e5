"""One flipped bit anywhere that means something is found, and whoever is told of it is told where."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app import main
from app.records.clock import FixedClock
from app.records.errors import ArchiveError
from app.store import Store, fixity, merkle, proofs
from app.store.fixity import Finding
from app.store.note import Checkpoint, opened
from tests.archives import close, settings_at
from tests.faults import flips
from tests.faults.conftest import Base
from tests.faults.flips import ARCHIVE, KEYRING, Names, Value
from tests.faults.scene import ACTS, Fact, Scene, checked, copied
from tests.steps.vouching import Office

AT_ONCE = {"objects": 2_000, "tiles": 150, "values": 950, "keys": 50, "pages": 700, "proofs": 1_150}
AT_LENGTH = {name: number * 20 for name, number in AT_ONCE.items()}
assert sum(AT_ONCE.values()) == 5_000

pytestmark = pytest.mark.faults
Did = Callable[[str, int], None]
LENGTHS = [pytest.param(AT_ONCE, id="once"), pytest.param(AT_LENGTH, id="length", marks=pytest.mark.soak)]
WITHOUT_DISPOSAL = (
    "capture",
    "edit",
    "attach",
    "receive",
    "anchor",
    "close day",
    "stumble",
    "retain",
    "counsel",
    "propose",
    "capture",
    "sign",
)
OF_DISPOSAL = {
    "disposals", "disposal_records", "tombstones", "suppressed", "ended_circles", "unlinked", "forgotten"
}  # fmt: skip
"""Tables that have rows only after a disposal; what was disposed of has little left to hold its other rows against."""


@dataclass(slots=True)
class Living:
    """An archive that stays open while bits of it are flipped and put back."""

    store: Store
    home: Path
    clock: FixedClock
    names: Names
    values: list[Value]

    @classmethod
    def after(cls, base: Base, to: Path, office: Office, *acts: str) -> Living:
        home = copied(base.home, to / "home")
        scene = Scene.open(home, base.clock(), office)
        said: list[Fact] = []
        for number, act in enumerate(acts):
            ACTS[act](scene, number, said.append)
        scene.close()
        flips.unguard(home)
        store = main.open_store(settings_at(home), scene.clock)
        assert checked(store).findings == []
        return cls(store, home, scene.clock, Names.of(home, store.ledger.origin), flips.values(home))

    def found(self, *looks: str) -> list[Finding]:
        """What the full check finds, or those of its looks that are named: what one finds, all find."""
        return checked(self.store, wanted=lambda look: not looks or look in looks).findings

    def found_anew(self) -> list[Finding]:
        """The same by a process that opens the archive now; one that does not open says why."""
        try:
            store = main.open_store(settings_at(self.home), self.clock)
        except ArchiveError as error:
            return [Finding(error.code, str(error), "", error.next)]
        try:
            return checked(store).findings
        except ArchiveError as error:
            return [Finding(error.code, str(error), "", error.next)]
        finally:
            close(store)


@pytest.fixture(scope="module")
def living(base: Base, quick: Path, office: Office) -> Iterator[Living]:
    made = Living.after(base, quick / "living", office, *WITHOUT_DISPOSAL)
    yield made
    close(made.store)


@pytest.fixture(scope="module")
def disposed(base: Base, quick: Path, office: Office) -> Iterator[Living]:
    made = Living.after(base, quick / "disposed", office, "capture", "destroy", "sign")
    yield made
    close(made.store)


# -- objects -----------------------------------------------------------------------------------------------


def objects(home: Path) -> list[Path]:
    return [
        file
        for file in sorted((home / "objects").rglob("*"))
        if file.is_file() and len(file.parent.name) == 2
    ]


@pytest.mark.parametrize("numbers", LENGTHS)
def test_a_flipped_bit_of_an_object_is_found_and_the_object_is_named(
    living: Living, did: Did, numbers: dict[str, int]
):
    chance = random.Random(1)
    files = objects(living.home)
    hit = Counter[Path]()
    for _ in range(numbers["objects"]):
        file = chance.choice(files)
        bit = chance.randrange(file.stat().st_size * 8)
        with flips.flipped(file, bit):
            found = living.found(fixity.OBJECTS)
        assert [(one.code, one.where) for one in found] == [
            ("fixity-mismatch", file.parent.name + file.name)
        ], (file, bit)
        hit[file] += 1
    assert set(hit) == set(files)
    assert living.found() == []
    did("flips in objects", numbers["objects"])


# -- tiles -------------------------------------------------------------------------------------------------


def named(found: list[Finding]) -> set[str]:
    """The files that were made of the ledger and are damaged; nothing else may be told."""
    assert {one.code for one in found} <= {"tile-broken"}
    return {one.where for one in found}


@pytest.mark.parametrize("numbers", LENGTHS)
def test_a_flipped_bit_of_a_tile_changes_no_proof_and_is_named_and_made_good_by_the_next_check(
    living: Living, did: Did, numbers: dict[str, int]
):
    """Tiles are derived from the entries: nothing is signed, and nothing proven, by a tile alone."""
    chance = random.Random(2)
    ledger = living.store.ledger
    files = [file for file in sorted(ledger.folder.rglob("*")) if file.is_file() and file.stat().st_size]
    assert {file.name for file in files} >= {"checkpoint", "size"}
    said = Checkpoint.parse(opened(ledger.checkpoint(), ledger.verifier()))
    with living.store.database.read() as tx:
        leaves = [merkle.leaf_hash(ledger.entry(tx, index)) for index in range(said.size)]
    for _ in range(numbers["tiles"]):
        file = chance.choice(files)
        before = file.read_bytes()
        bit = chance.randrange(len(before) * 8)
        if file.name == "size":
            bit -= bit % 8 == 7  # digits: the seven lower bits of each byte
        with flips.flipped(file, bit):
            ledger.tiles.__init__(ledger.folder)  # type: ignore[misc]  # what another process would read
            name = str(file.relative_to(ledger.folder))
            if chance.random() < 0.5:
                index = chance.randrange(said.size)
                proven = ledger.proof(index)
                assert proven.endswith(ledger.checkpoint())
                path = ledger.inclusion(index, said.size)
                assert merkle.check_inclusion(leaves[index], index, said.size, path, said.root)
                assert named(living.found("ledger")) <= {name}, "or made anew by what was read of it"
            elif file.name == "size":
                assert named(living.found("ledger")) <= {name}, (
                    "a smaller number says only that tiles are behind"
                )
            else:
                assert named(living.found("ledger")) == {name}
            assert living.found("ledger") == []
            if "tile" in file.parts:
                assert file.read_bytes() == before, "made anew"
    did("flips in tiles", numbers["tiles"])


# -- values of rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", LENGTHS)
def test_a_flipped_bit_of_a_watched_value_is_found_and_its_row_is_named(
    living: Living, disposed: Living, did: Did, numbers: dict[str, int]
):
    chance = random.Random(3)
    by_column: dict[tuple[str, str], list[tuple[Living, Value]]] = {}
    for where, tables in ((living, None), (disposed, OF_DISPOSAL)):
        for value in where.values:
            if value.watched and (tables is None or value.table in tables):
                by_column.setdefault((value.database, value.name), []).append((where, value))
    assert len(by_column) > 90
    columns = sorted(by_column)
    done = 0
    while done < numbers["values"]:
        where, value = chance.choice(by_column[columns[done % len(columns)]])
        new = flips.bent(value, chance)
        with flips.altered(where.home, value, new) as accepted:
            done += 1
            if not accepted:
                continue  # the database itself refuses what is there already
            found = where.found(*(look for look, names in flips.ROOMS.items() if value.table in names))
        assert found, f"{value.name} of {value.row}: {new!r} was not found"
        names = where.names.called(value, new)
        assert flips.mention(found, names), f"{value.name} of {value.row}: {found} names none of {names}"
    for where in (living, disposed):
        assert where.found() == []
    did("flips in values of rows", done)


def test_every_value_that_is_not_watched_says_why_and_is_there(living: Living, disposed: Living):
    """The twin: what is left out is written down, and no name in that list is of a column that is no more."""
    known = {
        f"{table.name}.{column.name}"
        for tables in flips.TABLES.values()
        for table in tables.values()
        for column in table.columns
    }
    assert all(any(name.startswith(prefix) for name in known) for prefix in flips.NOT_WATCHED)
    for name in (
        "versions.size",
        "pieces.commitment",
        "entries.body",
        "tombstones.detail",
        "secrets.wrapped",
    ):
        assert flips.is_watched(name)
    for name in ("lanes.sealed_cursor", "versions.mark"):
        assert not flips.is_watched(name)


# -- whole files -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Closed:
    """An archive that nobody has open: its files are flipped as they lie on the disk."""

    living: Living
    content: dict[str, bytes]
    rows: dict[str, dict[str, list[flips.Row]]]
    made: dict[Path, bytes]
    """The files that are made of the ledger."""

    def put_back(self) -> None:
        for name, content in self.content.items():
            for beside in ("-wal", "-shm"):
                (self.living.home / f"{name}{beside}").unlink(missing_ok=True)
            (self.living.home / name).write_bytes(content)
        for (
            file,
            content,
        ) in self.made.items():  # a look makes the ledger's files anew from the entries that it reads
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


@pytest.fixture(scope="module")
def closed(base: Base, quick: Path, office: Office) -> Closed:
    made = Living.after(base, quick / "closed", office, *WITHOUT_DISPOSAL)
    close(made.store)
    names = (ARCHIVE, KEYRING, "keys/master.key")
    content = {name: (made.home / name).read_bytes() for name in names}
    rows = {name: flips.rows_of(made.home, name) for name in (ARCHIVE, KEYRING)}
    ledger = [file for file in (made.home / "ledger").rglob("*") if file.is_file()]
    return Closed(made, content, rows, {file: file.read_bytes() for file in ledger})


def readable(home: Path, database: str) -> dict[str, list[flips.Row]] | None:
    """What a database says, or None where SQLite itself cannot read it."""
    try:
        return flips.rows_of(home, database)
    except (sqlite3.Error, IndexError, UnicodeDecodeError, KeyError):
        return None


def schema(home: Path, database: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / database)) as connection:
        connection.text_factory = bytes
        return [
            tuple(row) for row in connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        ]


@pytest.mark.parametrize("numbers", LENGTHS)
@pytest.mark.parametrize("database", [ARCHIVE, KEYRING])
def test_a_flipped_bit_of_a_database_file_is_found_or_changes_nothing_that_is_watched(
    closed: Closed, did: Did, numbers: dict[str, int], database: str
):
    """A bit of SQLite's own pages: where it is not found, every table says what it said before, to the byte."""
    chance = random.Random(4)
    home, whole = closed.living.home, closed.content[database]
    full = flips.used(whole)
    number = numbers["pages"] // 20 if database == KEYRING else numbers["pages"] * 19 // 20
    told = Counter[str]()
    plain = schema(home, database)
    for _ in range(number):
        place = chance.choice(full) if chance.random() < 0.8 else chance.randrange(len(whole))
        bit = 8 * place + chance.randrange(8)
        closed.put_back()
        (home / database).write_bytes(flips.flip(whole, bit))
        after = readable(home, database)
        try:
            same_schema = schema(home, database) == plain
        except (sqlite3.Error, UnicodeDecodeError):
            same_schema = False
        closed.put_back()
        (home / database).write_bytes(flips.flip(whole, bit))
        found = closed.living.found_anew()
        changed = flips.differences(closed.rows[database], after) if after is not None else {"unreadable"}
        if found:
            told["found"] += 1
        elif not changed:
            told["no row differs" if same_schema else "only the text of the schema differs"] += 1
        else:
            assert not (lost := {name for name in changed if flips.is_watched(name)}), (bit, lost)
            told["not watched"] += 1
    closed.put_back()
    assert closed.living.found_anew() == []
    assert told["found"] > number // 4
    for what, count in told.items():
        did(f"flips in database files: {what}", count)


@pytest.mark.parametrize("numbers", LENGTHS)
def test_a_flipped_bit_of_the_keys_is_found_and_the_keys_are_named(
    closed: Closed, did: Did, numbers: dict[str, int]
):
    """The master key file, and the wrapped keys of the archive itself, which are read when it is opened."""
    chance = random.Random(5)
    home, name = closed.living.home, "keys/master.key"
    whole = closed.content[name]
    own = [
        value
        for value in closed.living.values
        if value.database == KEYRING and value.table == "named" and value.column == "wrapped"
    ]
    assert own
    for number in range(numbers["keys"]):
        closed.put_back()
        if number % 4 == 0:
            value = chance.choice(own)
            with flips.altered(home, value, flips.bent(value, chance)):
                found = closed.living.found_anew()
            assert {one.code for one in found} & {"key-missing", "access-log-altered"}, (value, found)
            continue
        bit = chance.randrange(len(whole) * 8)
        (home / name).write_bytes(flips.flip(whole, bit))
        found = closed.living.found_anew()
        if not found:
            assert flips.flip(whole, bit).lower() == whole.lower(), f"bit {bit} of the master key"
        else:
            assert {one.code for one in found} == {"key-missing"}, (bit, found)
    closed.put_back()
    assert closed.living.found_anew() == []
    did("flips in keys", numbers["keys"])


# -- a proof folder ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proof(living: Living, quick: Path) -> Path:
    folder = quick / "proof"
    with living.store.database.read() as tx:
        record = Scene.open(living.home, living.clock).records()["p1"].id
        proofs.write(living.store, tx, record, folder)
    assert (folder / "anchors").is_dir()
    return folder


@pytest.fixture(scope="module")
def verify(proof: Path) -> Iterator[ModuleType]:
    """`verify.py` as it lies in the folder."""
    spec = importlib.util.spec_from_file_location("verify_of_a_flipped_proof", proof / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize("numbers", LENGTHS)
def test_a_flipped_bit_of_a_proof_folder_is_found_by_its_verifier_and_the_file_is_named(
    proof: Path, verify: ModuleType, office: Office, did: Did, numbers: dict[str, int]
):
    chance = random.Random(6)
    instructions = {"verify.sh", "verify.py", "VERIFY.md"}
    files = [file for file in sorted(proof.rglob("*")) if file.is_file() and file.name not in instructions]
    assert verify.Folder(proof, (office.root,)).check() == []
    for _ in range(numbers["proofs"]):
        file = chance.choice(files)
        bit = chance.randrange(file.stat().st_size * 8)
        with flips.flipped(file, bit):
            found = verify.Folder(proof, (office.root,)).check()
        name = str(file.relative_to(proof))
        assert any(name in wrong.where for wrong in found), (name, bit, found)
    assert verify.Folder(proof, (office.root,)).check() == []
    did("flips in a proof folder", numbers["proofs"])


def test_a_copy_of_what_is_flipped_is_left_as_it_was(living: Living, quick: Path):
    """The twin of every flip: put back, the archive and its files are what they were."""
    file = objects(living.home)[0]
    before = file.read_bytes()
    with flips.flipped(file, 0):
        assert file.read_bytes() != before
    assert file.read_bytes() == before
    shutil.rmtree(quick / "nothing", ignore_errors=True)


def test_values_that_are_read_as_the_same_yes_or_no_are_no_difference_and_others_are():
    def pages(value: object, column: str = "approved") -> dict[str, list[Mapping[str, Any]]]:
        return {"pages": [{column: value}]}

    no, empty, yes, nothing = (pages(value) for value in (0, b"", 1, None))
    assert flips.differences(no, empty) == set()
    assert flips.differences(no, yes) == flips.differences(no, nothing) == {"pages.approved"}
    assert flips.differences(pages("", "name"), pages(b"", "name")) == {"pages.name"}

"""The ledger: every entry proven, nothing signed that contradicts what was signed before, altered entries found."""

from __future__ import annotations

import base64
import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app import main
from app.db import DatabaseBroken
from app.records.clock import FixedClock
from app.store import Store, export, merkle
from app.store.ledger import Deed, Examined, LedgerBroken, NoSuchEntry
from app.store.merkle import leaf_hash
from app.store.note import Checkpoint, Verifier, opened
from app.store.proofs import FolderNotEmpty
from app.store.tiles import WIDTH, Tiles
from tests.archives import close, settings_at
from tests.postgres import Cluster

SIZES = [1, 2, 7, 255, 256, 257, 300, 512, 513, 700]


def write(store: Store, count: int, kind: str = "test") -> int:
    """Write entries for things that were done; return how many the ledger has then."""
    with store.database.begin() as tx:
        store.ledger.act_each(
            tx, [Deed(kind, None, "test", {"n": number}, {}, None) for number in range(count)]
        )
        return store.ledger.size(tx)


def grow(store: Store, size: int) -> int:
    with store.database.read() as tx:
        return write(store, size - store.ledger.size(tx))


def bodies(store: Store, size: int) -> list[bytes]:
    return list(store.ledger.bodies(0, size))


def said(store: Store, note: str) -> Checkpoint:
    return Checkpoint.parse(opened(note, store.ledger.verifier()))


def alter(home: Path, index: int) -> None:
    """Change one entry as an administrator of the machine could: the guards are dropped first."""
    with sqlite3.connect(home / "archive.db") as database:
        database.execute("DROP TRIGGER entries_refuse_update")
        (body,) = database.execute('SELECT body FROM entries WHERE "index" = ?', (index,)).fetchone()
        database.execute('UPDATE entries SET body = ? WHERE "index" = ?', (body + b" ", index))
    database.close()


def tiles_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in (folder / "tile").rglob("*")
        if file.is_file()
    }


# -- proofs ------------------------------------------------------------------------------------------------


def test_an_empty_ledger_has_a_checkpoint_too(store: Store):
    assert said(store, store.ledger.checkpoint()) == Checkpoint(store.ledger.origin, 0, merkle.EMPTY_ROOT)
    assert said(store, store.ledger.checkpoint()).size == 0
    assert store.ledger.verify() == []


def test_a_checkpoint_says_the_root_of_all_entries(store: Store):
    size = write(store, 300)
    checkpoint = said(store, store.ledger.checkpoint())
    leaves = [leaf_hash(body) for body in bodies(store, size)]
    assert checkpoint == Checkpoint(store.ledger.origin, size, merkle.fold(leaves))
    assert (store.ledger.folder / "checkpoint").read_text() == store.ledger.checkpoint()


def test_every_entry_is_proven_and_no_other_one_in_its_place(store: Store):
    size = write(store, 300)
    checkpoint = said(store, store.ledger.checkpoint())
    leaves = [leaf_hash(body) for body in bodies(store, size)]
    for index, leaf in enumerate(leaves):
        proof = store.ledger.inclusion(index, size)
        assert merkle.check_inclusion(leaf, index, size, proof, checkpoint.root)
        assert not merkle.check_inclusion(leaves[index - 1], index, size, proof, checkpoint.root)


def test_a_proof_as_text_holds_index_path_and_checkpoint(store: Store):
    size = write(store, 70)
    lines = store.ledger.proof(41).split("\n")
    path = lines[2 : lines.index("")]
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 41"]
    assert [base64.b64decode(line) for line in path] == store.ledger.inclusion(41, size)
    assert "\n".join(lines[lines.index("") + 1 :]) == store.ledger.checkpoint()
    with pytest.raises(NoSuchEntry):
        store.ledger.proof(size)


def test_any_two_checkpoints_are_proven_to_be_of_one_ledger(store: Store):
    roots = {}
    for size in SIZES:
        assert grow(store, size) == size
        roots[size] = said(store, store.ledger.checkpoint()).root
    for new in SIZES:
        for old in [size for size in SIZES if size <= new]:
            proof = store.ledger.consistency(old, new)
            assert merkle.check_consistency(old, new, roots[old], roots[new], proof)
            assert not merkle.check_consistency(old, new, roots[700 if old < 700 else 1], roots[new], proof)
    assert store.ledger.verify() == []


# -- tiles -------------------------------------------------------------------------------------------------


def test_tiles_that_grew_night_by_night_are_those_that_are_made_at_once(store: Store, tmp_path: Path):
    for size in SIZES:
        grow(store, size)
        store.ledger.checkpoint()
    at_once = Tiles(tmp_path / "anew")
    at_once.extend(0, SIZES[-1], bodies(store, SIZES[-1]))
    assert len(tiles_of(at_once.folder)) == 4
    assert tiles_of(store.ledger.folder) == tiles_of(at_once.folder)


def test_a_tile_that_was_partial_answers_as_it_was_after_it_has_grown(store: Store):
    grow(store, 70)
    then = said(store, store.ledger.checkpoint())
    partial = store.ledger.tiles.tile(0, 0, 70)
    for size in (90, 256, 400):
        grow(store, size)
        store.ledger.checkpoint()
        assert store.ledger.tiles.tile(0, 0, 70) == partial
        assert merkle.root(store.ledger.tiles.at(70), 70) == then.root


HARMS: dict[str, Callable[[Path], object]] = {
    "all are gone": lambda folder: shutil.rmtree(folder / "tile"),
    "the folder is gone": shutil.rmtree,
    "one is gone": lambda folder: (folder / "tile/0/000").unlink(),
    "one is cut": lambda folder: (folder / "tile/0/001").write_bytes(b"short"),
    "one is empty": lambda folder: (folder / "tile/1/000.p/2").write_bytes(b""),
    "the last one is gone": lambda folder: shutil.rmtree(folder / "tile/0/002.p"),
    "one is flipped": lambda folder: (folder / "tile/1/000.p/2").write_bytes(bytes(64)),
    "another one is flipped": lambda folder: (folder / "tile/0/001").write_bytes(bytes(WIDTH * 32)),
    "the size was cut by a crash": lambda folder: (folder / "size").write_text(""),
    "the size is ahead": lambda folder: (folder / "size").write_text("9999"),
    "a crash left one half written": lambda folder: (folder / "tile/0/002.p/99.new").write_bytes(b"half"),
}


NAMED: dict[str, set[str]] = {
    "all are gone": {"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"},
    "one is gone": {"tile/0/000"},
    "one is cut": {"tile/0/001"},
    "one is empty": {"tile/1/000.p/2"},
    "the last one is gone": {"tile/0/002.p/88"},
    "one is flipped": {"tile/1/000.p/2"},
    "another one is flipped": {"tile/0/001"},
    "the size was cut by a crash": {"size"},
    "the size is ahead": {"size"},
    "a crash left one half written": set(),
    "what was signed is altered": {"checkpoint"},
    "what was signed is gone": {"checkpoint"},
}
"""Which files are told to be damaged; of a folder that is gone as a whole, those that say how far it went."""


@pytest.mark.parametrize("harm", NAMED)
def test_what_was_lost_or_damaged_of_the_files_is_named_once_and_is_then_whole(store: Store, harm: str):
    grow(store, 300)
    store.ledger.checkpoint()
    grow(store, 600)
    store.ledger.checkpoint()
    whole = tiles_of(store.ledger.folder)
    assert store.ledger.examine() == Examined([], [])
    harms = HARMS | {
        "what was signed is altered": lambda folder: (folder / "checkpoint").write_text("nothing\n"),
        "what was signed is gone": lambda folder: (folder / "checkpoint").unlink(),
    }
    harms[harm](store.ledger.folder)
    examined = store.ledger.examine()
    assert examined.wrong == []
    assert {one.name for one in examined.damaged} == NAMED[harm]
    assert store.ledger.examine() == Examined([], [])
    assert tiles_of(store.ledger.folder) == whole
    assert (store.ledger.folder / "checkpoint").read_text() == store.ledger.checkpoint()


@pytest.mark.parametrize("harm", HARMS)
def test_tiles_that_were_lost_or_damaged_are_made_anew(
    store: Store, reopen: Callable[[], Store], tmp_path: Path, harm: str
):
    grow(store, 600)
    store.ledger.checkpoint()
    whole = tiles_of(store.ledger.folder)
    HARMS[harm](store.ledger.folder)
    again = reopen()
    grow(again, 610)
    checkpoint = said(again, again.ledger.checkpoint())
    leaves = [leaf_hash(body) for body in bodies(again, 610)]
    assert checkpoint.root == merkle.fold(leaves)
    for index in (0, 300, 599, 609):
        path = again.ledger.proof(index).split("\n\n")[0].split("\n")[2:]
        proof = [base64.b64decode(line) for line in path]
        assert merkle.check_inclusion(leaves[index], index, 610, proof, checkpoint.root)
    assert again.ledger.verify() == []
    assert whole.keys() - tiles_of(again.ledger.folder).keys() == {"tile/0/002.p/88"}


# -- an older copy -----------------------------------------------------------------------------------------


def copy_of(home: Path, to: Path) -> None:
    to.mkdir()
    for file in home.glob("archive.db*"):
        shutil.copy2(file, to / file.name)


def put_back(copy: Path, home: Path) -> None:
    for file in home.glob("archive.db*"):
        file.unlink()
    for file in copy.iterdir():
        shutil.copy2(file, home / file.name)


@pytest.fixture
def rolled_back(home: Path, reopen: Callable[[], Store], tmp_path: Path) -> Callable[[int, int], Store]:
    """Signs the ledger at one size, puts back a copy of the database from when it had fewer entries."""

    def roll(older: int, signed: int) -> Store:
        store = reopen()
        grow(store, older)
        close(store)
        copy_of(home, tmp_path / "copy")
        store = reopen()
        grow(store, signed)
        store.ledger.checkpoint()
        close(store)
        put_back(tmp_path / "copy", home)
        return reopen()

    return roll


def test_an_older_copy_of_the_database_refuses_to_sign(rolled_back: Callable[[int, int], Store]):
    store = rolled_back(20, 40)
    with pytest.raises(LedgerBroken, match="has 20 entries, but a checkpoint of 40 was signed"):
        store.ledger.checkpoint()
    assert store.ledger.verify() == ["a checkpoint of 40 entries was signed, the ledger has 20"]


def test_a_copy_from_which_nothing_signed_is_missing_goes_on(rolled_back: Callable[[int, int], Store]):
    store = rolled_back(40, 40)
    grow(store, 41)
    assert said(store, store.ledger.checkpoint()).size == 41
    assert store.ledger.verify() == []


@pytest.mark.parametrize(
    ("older", "signed", "later"),
    [(20, 40, 40), (20, 40, 60), (200, 512, 512), (200, 512, 700), (300, 600, 650), (511, 512, 768)],
)
def test_an_older_copy_refuses_to_sign_however_far_it_has_grown_since(
    rolled_back: Callable[[int, int], Store], older: int, signed: int, later: int
):
    store = rolled_back(older, signed)
    grow(store, later)
    with pytest.raises(LedgerBroken, match=f"the first {signed} entries are not those that were signed"):
        store.ledger.checkpoint()
    assert store.ledger.verify() != []


def test_an_older_copy_of_database_and_keyring_is_known_by_the_checkpoint_that_was_given_out(
    home: Path, reopen: Callable[[], Store], tmp_path: Path
):
    store = reopen()
    grow(store, 20)
    store.ledger.checkpoint()
    close(store)
    copy_of(home, tmp_path / "copy")
    shutil.copytree(home / "keys", tmp_path / "keys")
    store = reopen()
    grow(store, 40)
    store.ledger.checkpoint()
    close(store)
    put_back(tmp_path / "copy", home)
    shutil.rmtree(home / "keys")
    shutil.copytree(tmp_path / "keys", home / "keys")
    with pytest.raises(LedgerBroken, match="a checkpoint of 40 was signed"):
        reopen().ledger.checkpoint()


def test_tiles_of_a_past_that_was_never_signed_are_not_signed_either(
    home: Path, reopen: Callable[[], Store], tmp_path: Path
):
    store = reopen()
    grow(store, 300)
    store.ledger.checkpoint()
    close(store)
    copy_of(home, tmp_path / "copy")
    store = reopen()
    store.ledger.catch_up(grow(store, 600))
    close(store)
    put_back(tmp_path / "copy", home)
    store = reopen()
    grow(store, 900)
    leaves = [leaf_hash(body) for body in bodies(store, 900)]
    assert said(store, store.ledger.checkpoint()).root == merkle.fold(leaves)
    assert store.ledger.verify() == []


def test_tiles_that_were_damaged_before_they_were_signed_are_not_signed(store: Store):
    grow(store, 256)
    store.ledger.checkpoint()
    store.ledger.catch_up(grow(store, 600))
    (store.ledger.folder / "tile/0/001").write_bytes(bytes(WIDTH * 32))
    (store.ledger.folder / "tile/1/000.p/2").write_bytes(bytes(64))
    leaves = [leaf_hash(body) for body in bodies(store, 600)]
    assert said(store, store.ledger.checkpoint()).root == merkle.fold(leaves)


# -- an altered entry --------------------------------------------------------------------------------------


def test_a_ledger_that_nobody_altered_verifies_and_signs(store: Store):
    grow(store, 300)
    store.ledger.checkpoint()
    grow(store, 310)
    assert store.ledger.verify() == []
    assert said(store, store.ledger.checkpoint()).size == 310


@pytest.mark.parametrize("index", [0, 100, 255, 256, 299])
def test_an_altered_entry_is_found_by_verify_and_nothing_is_signed_after_it(
    store: Store, home: Path, index: int
):
    grow(store, 300)
    store.ledger.checkpoint()
    alter(home, index)
    grow(store, 310)
    assert any("are not those" in wrong for wrong in store.ledger.verify())
    with pytest.raises(LedgerBroken, match="the first 300 entries are not those that were signed"):
        store.ledger.checkpoint()


def test_an_altered_entry_is_found_by_the_next_checkpoint_where_the_ledger_grows(store: Store, home: Path):
    grow(store, 300)
    store.ledger.checkpoint()
    alter(home, 290)
    grow(store, 310)
    with pytest.raises(LedgerBroken, match="are not those that were signed"):
        store.ledger.checkpoint()


def test_an_altered_entry_is_never_given_a_proof(store: Store, home: Path):
    grow(store, 300)
    store.ledger.proof(100)
    alter(home, 100)
    with pytest.raises(LedgerBroken, match=r"is not the one that was signed|are not those that were signed"):
        store.ledger.proof(100)


@pytest.mark.parametrize("index", [0, 255, 256, 300, 699])
def test_an_altered_entry_is_found_by_the_night_that_reads_its_part(store: Store, home: Path, index: int):
    grow(store, 700)
    store.ledger.checkpoint()
    assert store.ledger.verify_some(0, 700) == []
    alter(home, index)
    begin = index // WIDTH * WIDTH
    elsewhere = 0 if begin else WIDTH
    # The last tile is looked at every night, as it grows.
    assert index > 512 or store.ledger.verify_some(elsewhere, elsewhere + WIDTH) == []
    assert store.ledger.verify_some(begin, begin + WIDTH) != []


def test_an_entry_that_was_altered_together_with_its_tiles_is_found_by_the_root(store: Store, home: Path):
    grow(store, 700)
    store.ledger.checkpoint()
    alter(home, 300)
    store.ledger.rebuild()
    assert store.ledger.verify_some(0, WIDTH) != []


def test_a_tile_that_was_damaged_is_named_by_the_night_and_made_anew(store: Store, home: Path):
    grow(store, 700)
    store.ledger.checkpoint()
    tile = next(file for file in (home / "ledger" / "tile" / "0").iterdir() if file.is_file())
    tile.write_bytes(bytes(len(tile.read_bytes())))
    store.ledger.tiles._read_full.cache_clear()
    assert store.ledger.verify_some(0, 700) == [f"tile/0/{tile.name} does not hold the hashes of its entries"]
    assert tile.read_bytes().strip(b"\0")
    assert store.ledger.verify_some(0, 700) == []


def test_an_entry_that_was_removed_is_found(store: Store, home: Path):
    grow(store, 300)
    store.ledger.checkpoint()
    with sqlite3.connect(home / "archive.db") as database:
        database.execute("DROP TRIGGER entries_refuse_delete")
        database.execute('DELETE FROM entries WHERE "index" = 100')
    database.close()
    assert store.ledger.verify() == ["entry 100 is missing"]
    shutil.rmtree(store.ledger.folder / "tile")
    with pytest.raises(LedgerBroken, match="entry 100 is missing"):
        store.ledger.checkpoint()


def test_a_checkpoint_by_another_key_is_found(store: Store, home: Path):
    grow(store, 30)
    note = store.ledger.checkpoint()
    with sqlite3.connect(home / "archive.db") as database:
        database.execute("DROP TRIGGER checkpoints_refuse_update")
        database.execute("UPDATE checkpoints SET note = ?", (note.replace("\n30\n", "\n31\n"),))
    database.close()
    (wrong,) = store.ledger.verify()
    assert "the signature is not by" in wrong


# -- many at once ------------------------------------------------------------------------------------------


class _ChangedItsMind(Exception):
    pass


def test_indexes_have_no_hole_however_many_write_and_sign_at_once(anywhere: Store):
    store, writers, rounds = anywhere, 6, 8

    def change_its_mind() -> None:
        with store.database.begin() as tx:
            store.ledger.act(tx, "undone", by=None, why="a transaction that fails")
            raise _ChangedItsMind

    def work(writer: int) -> None:
        for number in range(rounds):
            write(store, 1 + (writer + number) % 4, f"writer-{writer}")
            with pytest.raises(_ChangedItsMind):
                change_its_mind()
            if writer < 3:
                store.ledger.checkpoint()

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(work, range(writers)))
    with store.database.read() as tx:
        size = store.ledger.size(tx)
        done = store.ledger.acts(tx, limit=1000)
    assert size == sum(1 + (writer + number) % 4 for writer in range(writers) for number in range(rounds))
    assert [act.entry for act in done] == list(reversed(range(size)))
    assert len(bodies(store, size)) == size
    assert not any(b"undone" in body for body in bodies(store, size))
    assert said(store, store.ledger.checkpoint()).size == size
    assert store.ledger.verify() == []


def test_an_archive_of_the_longest_domain_signs_too(
    postgres_cluster: Cluster, tmp_path: Path, clock: FixedClock
):
    domain = ".".join(["records" * 9] * 3 + ["example"])
    settings = settings_at(
        tmp_path / "long", database_url=postgres_cluster.fresh(), keyring_url=postgres_cluster.fresh()
    )
    store = main.make(settings, agency="Harrow Falls", domain=domain, timezone="UTC", clock=clock)
    write(store, 3)
    assert said(store, store.ledger.checkpoint()).origin == f"{domain}/records/1"
    close(store)


def test_its_size_asked_by_itself_is_that_of_what_is_committed(anywhere: Store):
    with anywhere.database.begin() as tx:
        before = anywhere.ledger.size(tx)
        anywhere.ledger.act(tx, "review", by=None, why="to grow by one")
        assert anywhere.ledger.size(tx) == before + 1
        assert anywhere.ledger.size_now() == before
    assert anywhere.ledger.size_now() == before + 1


def test_its_size_is_told_to_many_at_once_and_holds_up_no_writer(anywhere: Store):
    size = anywhere.ledger.size_now
    before = size()
    with ThreadPoolExecutor(8) as several:
        assert set(several.map(lambda _: size(), range(200))) == {before}
        for more in range(1, 20):
            told = [several.submit(size) for _ in range(8)]
            write(anywhere, 1)
            assert {one.result() for one in told} <= {before + more - 1, before + more}
            assert size() == before + more


def test_where_its_size_cannot_be_asked_the_reason_is_told_as_any_other(tmp_path: Path, clock: FixedClock):
    store = main.make(
        settings_at(tmp_path / "home"), agency="Harrow Falls", domain="a.example", timezone="UTC", clock=clock
    )
    write(store, 3)
    assert store.ledger.size_now() == 3
    with sqlite3.connect(tmp_path / "home" / "archive.db") as database:
        database.execute("ALTER TABLE entries RENAME TO was_entries")
    database.close()
    with pytest.raises(DatabaseBroken, match="entries"):
        store.ledger.size_now()
    close(store)


def test_a_smaller_checkpoint_that_is_signed_late_does_not_displace_a_larger_one(anywhere: Store):
    keyring = anywhere.keyring
    for size in (5, 3, 4):
        keyring.note_signed("origin", size, bytes([size]) * 32)
    assert keyring.largest_signed("origin") == (5, bytes([5]) * 32)
    keyring.note_signed("origin", 6, bytes([6]) * 32)
    assert keyring.largest_signed("origin") == (6, bytes([6]) * 32)


# -- as static files ---------------------------------------------------------------------------------------


def test_an_entry_bundle_holds_the_entries_each_after_its_length(store: Store):
    size = grow(store, 300)
    content, found = export.bundle(store.ledger, 1, 44), []
    while content:
        length = int.from_bytes(content[:2])
        found.append(content[2 : 2 + length])
        content = content[2 + length :]
    assert found == bodies(store, size)[256:]


def test_the_exported_ledger_proves_itself_with_nothing_else_beside_it(store: Store, tmp_path: Path):
    size = grow(store, 600)
    told = export.ledger(store.ledger, tmp_path / "out")
    out = tmp_path / "out"
    verifier = Verifier.parse((out / "log.vkey").read_text().rstrip("\n"))
    checkpoint = Checkpoint.parse(opened((out / "checkpoint").read_text(), verifier))
    names = ["000", "001", "002.p/88"]
    bundles = b"".join((out / "tile/entries" / name).read_bytes() for name in names)
    leaves = []
    while bundles:
        length = int.from_bytes(bundles[:2])
        leaves.append(hashlib.sha256(b"\x00" + bundles[2 : 2 + length]).digest())
        bundles = bundles[2 + length :]
    hashes = b"".join((out / "tile/0" / name).read_bytes() for name in names)
    assert (told["size"], checkpoint.size, len(leaves)) == (size, size, size)
    assert hashes == b"".join(leaves)
    assert merkle.fold(leaves) == checkpoint.root


def test_a_ledger_is_exported_into_an_empty_folder_only(store: Store, tmp_path: Path):
    grow(store, 3)
    (tmp_path / "out").mkdir()
    export.ledger(store.ledger, tmp_path / "out")
    with pytest.raises(FolderNotEmpty):
        export.ledger(store.ledger, tmp_path / "out")

"""Fixity: whatever is altered, moved or removed, in files or in rows, is found; what nobody touched is not accused."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import main
from app.capture import importing, pages
from app.records.clock import FixedClock
from app.records.errors import ArchiveError
from app.store import Store, access, fixity
from connectors.contract import Attachment, Cursor, Gap, Kind, Listing, Sighting, Span, State
from tests.archives import NOON, close, settings_at
from tests.steps.scripted import exchange, listing
from tests.steps.test_capture import World, comment, post

FEW = settings(max_examples=40, deadline=None)


def shared_author(world: World) -> object:
    """Two comments that name the same bytes of their answer: a circle."""
    shown, places = exchange(world.clock, [{"id": n, "author": {"name": "Ann"}} for n in range(3)])
    begin = shown.body.index(b'{"name"')
    author = Span(0, begin, begin + len(b'{"name": "Ann"}'))
    found = [
        replace(
            comment(f"s{number}", f"words {number}"),
            evidence=(Span(0, *place), *((author,) if number else ())),
        )
        for number, place in enumerate(places)
    ]
    return replace(
        listing(world.clock, *(post(f"s{n}", "") for n in range(3))), exchanges=[shown], observations=found
    )


@pytest.fixture(scope="module")
def rich(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive in which there is something of everything; nobody writes to it."""
    home = Path(shutil.copytree(archive_template, tmp_path_factory.mktemp("rich") / "home"))
    clock = FixedClock(NOON)
    store = main.open_store(settings_at(home), clock)
    world = World(store, clock)
    picture = Attachment(id="a", url="https://blog.example/a.png", media_type="image/png")
    world.client.files = {picture.url or "": bytes(range(256)) * 100}
    published = NOON - timedelta(days=3)
    world.capture(
        listing(
            clock,
            post("p1", "The road is closed", attachments=(picture,), published_at=published),
            post("p2", "A second post", published_at=published, counts={"likes": 2}),
            comment("c1", "Which road?"),
            gaps=[
                Gap(
                    what="comments of p2",
                    why="only some are listed",
                    native_id="p2",
                    since=NOON,
                    until=clock.at,
                )
            ],
        )
    )
    world.capture(shared_author(world))
    world.capture(
        listing(clock, post("p1", "The road is open", attachments=(picture,), published_at=published))
    )
    clock.at += timedelta(hours=1)
    full = Listing(kinds=[Kind.POST], began_at=clock.now(), exchange=0)
    answer = replace(
        listing(clock, cursor=""),
        exchanges=[exchange(clock, [], status=404)[0]],
        resume_from=Cursor(""),
        sightings=[Sighting(native_id="p2", state=State.GONE, exchange=0, reason="404")],
    )
    world.capture(listing(clock, post("p1", "The road is open"), listings=[full]), looks=(answer,))
    many = [post(f"m{number}", f"one of many: {number}", published_at=published) for number in range(30)]
    for _ in range(2):
        clock.at += timedelta(days=1)
        world.capture(listing(clock, *many, listings=[]))
    file = home.parent / "lines.jsonl"
    lines = [
        {
            "platform": "mail",
            "page": f"list {n % 2}",
            "native_id": f"n{n}",
            "kind": "post",
            "text": f"letter {n}",
        }
        for n in range(6)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + "no JSON\n")
    importing.observations(store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0)
    for number in range(3):
        with store.database.begin() as tx:
            access.note(store, tx, "search", by=UUID(int=number + 1), detail={"q": f"road {number}"})
    clock.at += timedelta(days=1)
    with store.database.begin() as tx:
        access.close_days(store, tx, by=None, why="test")
        access.note(store, tx, "view", by=None, record=UUID(int=5), detail={})
        pages.approve(store, tx, world.page, by=UUID(int=7), why="test")
    store.ledger.checkpoint()
    close(store)
    return home


@pytest.fixture(scope="module")
def living(rich: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path]]:
    """A copy that stays open; a test puts back what it alters."""
    home = Path(shutil.copytree(rich, tmp_path_factory.mktemp("living") / "home"))
    store = main.open_store(settings_at(home), FixedClock(NOON + timedelta(days=4)))
    yield store, home
    close(store)


@pytest.fixture
def copy(rich: Path, tmp_path: Path) -> Iterator[tuple[Store, Path]]:
    """A copy of its own, to be broken for good."""
    home = Path(shutil.copytree(rich, tmp_path / "copy"))
    store = main.open_store(settings_at(home), FixedClock(NOON + timedelta(days=4)))
    yield store, home
    close(store)


def codes(store: Store, *, full: bool) -> set[str]:
    return {finding.code for finding in fixity.verify(store, full=full).findings}


def behind_its_back(home: Path, *, keyring: bool = False) -> sqlite3.Connection:
    """The database as an administrator of the machine has it: no guards, no foreign keys."""
    database = sqlite3.connect(home / ("keys/keyring.db" if keyring else "archive.db"), isolation_level=None)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {name}")
    return database


def objects(home: Path) -> list[Path]:
    return sorted(file for file in (home / "objects").rglob("*") if file.is_file())


# -- what nobody touched -----------------------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
def test_an_archive_that_nobody_touched_has_no_findings(living: tuple[Store, Path], full: bool):
    told = fixity.verify(living[0], full=full)
    assert (told.findings, told.more) == ([], 0)
    assert told.checked["objects"] == len(objects(living[1])) > 5
    assert told.checked["versions"] > told.checked["records"] > 10
    assert full == (told.checked.get("versions_opened") == told.checked["versions"])
    if full:
        assert all(
            told.checked[what] for what in ("pieces_opened", "exchanges", "acts", "attachments", "circles")
        )


def test_what_is_kept_while_somebody_verifies_is_no_finding(store: Store, clock: FixedClock):
    world = World(store, clock)
    world.capture(listing(clock, post("p0", "first"), gaps=[Gap(what="a", why="b")]))
    kept: list[str] = []

    def meanwhile(what: str, number: int) -> None:
        if (what, number) not in {("objects", 1), ("versions opened", 1), ("pieces opened", 3)}:
            return
        kept.append(what)
        world.capture(listing(clock, post(f"p{len(kept)}", what), gaps=[Gap(what="a", why="b")]))
        with store.database.begin() as tx:
            access.note(store, tx, "search", by=None, detail={})
        store.ledger.checkpoint()

    told = fixity.verify(store, full=True, progress=meanwhile)
    assert len(kept) >= 2
    assert told.findings == []
    assert fixity.verify(store, full=True).findings == []


def test_a_record_whose_secret_was_destroyed_under_a_tombstone_that_no_entry_speaks_of_is_found(
    copy: tuple[Store, Path],
):
    store, home = copy
    with closing(behind_its_back(home)) as database:
        key, identity = database.execute(
            "SELECT key, id FROM records WHERE kind = 'comment' LIMIT 1"
        ).fetchone()
        database.execute("INSERT INTO tombstones VALUES (?, ?, 0, '{}')", (key, b"b" * 16))
    store.keyring.forget([identity])
    assert "disposal-without-entry" in codes(store, full=False)
    assert "disposal-without-entry" in codes(store, full=True)


# -- objects -----------------------------------------------------------------------------------------------


@FEW
@given(st.data())
def test_any_altered_byte_of_any_object_is_found_even_by_the_quick_check(
    living: tuple[Store, Path], data: st.DataObject
):
    store, home = living
    file = data.draw(st.sampled_from(objects(home)), label="object")
    whole = file.read_bytes()
    place, bit = data.draw(st.integers(0, len(whole) - 1)), 1 << data.draw(st.integers(0, 7))
    file.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    try:
        assert "fixity-mismatch" in codes(store, full=False)
    finally:
        file.write_bytes(whole)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_an_altered_byte_of_a_frame_is_found_by_what_it_opens_too(
    living: tuple[Store, Path], data: st.DataObject
):
    """Whoever gives the altered object a new name, in the row as well, is found by the full check."""
    store, home = living
    with closing(behind_its_back(home)) as database:
        held = database.execute(
            "SELECT o.key, o.digest, p.place, p.size FROM pieces p JOIN objects o ON o.key = p.object"
            " UNION SELECT o.key, o.digest, v.place, v.size FROM versions v JOIN objects o ON o.key = v.object"
        ).fetchall()
        key, digest, start, size = data.draw(st.sampled_from(sorted(held)))
        place = start + data.draw(st.integers(0, size - 1))
        whole = store.objects.read(digest, 0, store.objects.check(digest))
        renamed = store.objects.put([whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]])
        database.execute("UPDATE objects SET digest = ? WHERE key = ?", (renamed.digest, key))
        try:
            assert codes(store, full=False) == set()
            assert "seal-broken" in codes(store, full=True)
        finally:
            database.execute("UPDATE objects SET digest = ? WHERE key = ?", (digest, key))
            store.objects.discard(renamed.digest)


def test_a_missing_object_is_found_and_one_that_nobody_knows_is_not_accused(copy: tuple[Store, Path]):
    store, home = copy
    store.objects.put([b"left by a crash"])
    assert codes(store, full=True) == set()
    lost = objects(home)[0]
    lost.unlink()
    found = [
        finding for finding in fixity.verify(store, full=False).findings if finding.code == "object-missing"
    ]
    assert [finding.where for finding in found] == [lost.parent.name + lost.name]
    assert "object-missing" in codes(store, full=True)


# -- rows --------------------------------------------------------------------------------------------------

ROWS: dict[str, tuple[str, ...]] = {
    "versions": ("record", "number", "entry", "state", "observed_at", "exchange", "object", "place", "size"),
    "records": (
        "id", "page", "kind", "native_mac", "parent_mac", "state", "version", "published_at", "first_seen", "received",
    ),
    "exchanges": ("id", "entry", "kind", "at", "status", "envelope", "layout", "alike"),
    "pieces": ("record", "circle", "exchange", "commitment", "length", "object", "place", "size"),
    "objects": ("digest", "size"),
    "entries": ("index", "body"),
    "acts": ("entry", "type", "at", "officer", "secret", "sealed"),
    "gaps": ("run", "page", "entry", "since", "until", "native_mac"),
    "manifests": ("entry", "page", "day", "count", "root", "previous", "through"),
    "checkpoints": ("size", "root", "note"),
    "circles": ("id",),
    "circle_members": ("record", "wrapped"),
    "circle_parts": ("circle", "part", "wrapped"),
    "attachments": ("id", "record", "piece", "state"),
    "accesses": ("at", "day", "officer", "action", "record", "sealed", "commitment"),
    "access_digests": ("day", "entry", "count", "root"),
}  # fmt: skip
"""What rows say that nobody may alter unnoticed."""
COLUMNS = [(table, column) for table, columns in ROWS.items() for column in columns]


def another(value: object, column: str, data: st.DataObject) -> object:
    """A value like this one, and not the same; times differ by more than their second, as entries tell them."""
    match value:
        case bytes():
            place, bit = data.draw(st.integers(0, len(value) - 1)), 1 << data.draw(st.integers(0, 7))
            return value[:place] + bytes([value[place] ^ bit]) + value[place + 1 :]
        case int() if column in {"at", "observed_at", "first_seen", "published_at", "since", "until"}:
            return value + data.draw(
                st.sampled_from([-86_400_000_000, -1_000_000, 1_000_000, 31_536_000_000_000])
            )
        case int() if column == "received":
            return 1 - value
        case int():
            return value + data.draw(st.sampled_from([-1, 1, 2, 1_000_000]))
        case str():
            return data.draw(
                st.sampled_from(["gone", "post", "2026-01-01", "search", "file"]).filter(
                    lambda one: one != value
                )
            )
        case _:
            raise AssertionError(value)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@settings(max_examples=1, deadline=None)
@given(data=st.data())
def test_any_altered_value_of_any_row_is_found(
    living: tuple[Store, Path], table: str, column: str, data: st.DataObject
):
    store, home = living
    with closing(behind_its_back(home)) as database:
        asked = f'SELECT rowid, "{column}" FROM {table} WHERE "{column}" IS NOT NULL AND "{column}" != x\'\' ORDER BY 1'
        held = database.execute(asked).fetchall()
        assert held, f"the archive of these tests has no {table}.{column}"
        row, value = data.draw(st.sampled_from(held))
        altered = another(value, column, data)
        set_it = f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?'
        try:
            database.execute(set_it, (altered, row))
        except sqlite3.IntegrityError:
            return  # the database itself refuses what is there already
        try:
            # A key that is the row's own name in SQLite moves with it.
            assert codes(store, full=True) != set(), (value, altered)
        finally:
            moved = (
                altered
                if database.execute(f"SELECT 1 FROM {table} WHERE rowid = ?", (row,)).fetchone() is None
                else row
            )
            database.execute(set_it, (value, moved))


@pytest.mark.parametrize("table", [table for table in ROWS if table != "checkpoints"])
def test_a_row_that_is_gone_is_missed(copy: tuple[Store, Path], table: str):
    store, home = copy
    with closing(behind_its_back(home)) as database:
        database.execute(f"DELETE FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table})")
    if table == "accesses":  # the first of them is in a digest
        assert codes(store, full=False) == {"access-log-altered"}
    assert codes(store, full=True) != set()


@pytest.mark.parametrize("table", ["versions", "exchanges", "acts", "gaps", "manifests", "attachments"])
def test_rows_that_are_gone_altogether_are_missed_by_the_quick_check_too(
    copy: tuple[Store, Path], table: str
):
    store, home = copy
    with closing(behind_its_back(home)) as database:
        database.execute(f"DELETE FROM {table}")
    assert codes(store, full=False) & {"entry-without-row", "entry-without-version"}


def test_a_version_that_no_entry_speaks_of_is_found(copy: tuple[Store, Path]):
    store, home = copy
    with closing(behind_its_back(home)) as database:
        database.execute(
            "INSERT INTO versions SELECT record, number + 7, entry + 100000, state, observed_at, last_seen_before,"
            " exchange, object, place, size, mark FROM versions WHERE number = 1 LIMIT 1"
        )
    assert codes(store, full=True) & {"row-altered", "version-without-entry"}


def test_two_versions_that_changed_places_are_found(copy: tuple[Store, Path]):
    store, home = copy
    with closing(behind_its_back(home)) as database:
        one, other = database.execute("SELECT rowid, entry FROM versions WHERE number = 1 LIMIT 2").fetchall()
        for row, entry in ((one[0], -1), (other[0], one[1]), (one[0], other[1])):
            database.execute("UPDATE versions SET entry = ? WHERE rowid = ?", (entry, row))
    assert "version-without-entry" in codes(store, full=False)


def test_an_altered_entry_is_found_by_the_quick_check(copy: tuple[Store, Path]):
    store, home = copy
    with closing(behind_its_back(home)) as database:
        database.execute("UPDATE entries SET body = replace(body, 'capture', 'CAPTURE') WHERE \"index\" = 3")
        database.execute("UPDATE entries SET body = CAST(body || ' ' AS BLOB) WHERE \"index\" = 2")
    assert "ledger-broken" in codes(store, full=False)


def test_an_entry_that_was_removed_is_a_finding_and_not_the_end_of_looking(copy: tuple[Store, Path]):
    store, home = copy
    objects(home)[0].write_bytes(b"altered too")
    with closing(behind_its_back(home)) as database:
        database.execute('DELETE FROM entries WHERE "index" = 5')
    assert codes(store, full=False) >= {"ledger-broken", "fixity-mismatch"}


# -- the keyring -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["records", "pages", "runs", "acts"])
def test_a_missing_secret_is_found(copy: tuple[Store, Path], table: str):
    store, home = copy
    with closing(behind_its_back(home)) as database:
        (owner,) = database.execute(
            f"SELECT {'secret' if table == 'acts' else 'id'} FROM {table} LIMIT 1"
        ).fetchone()
    assert store.keyring.forget([owner]) == 1
    found = fixity.verify(store, full=True).findings
    assert {finding.code for finding in found} == {"key-missing"}
    assert {finding.next for finding in found} == {"Restore the newest key backup."}


def test_a_secret_that_was_altered_is_a_finding_and_not_the_end_of_looking(copy: tuple[Store, Path]):
    store, home = copy
    with closing(behind_its_back(home)) as archive, closing(behind_its_back(home, keyring=True)) as database:
        (owner,) = archive.execute("SELECT id FROM records LIMIT 1").fetchone()
        (wrapped,) = database.execute("SELECT wrapped FROM secrets WHERE owner = ?", (owner,)).fetchone()
        altered = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
        database.execute("UPDATE secrets SET wrapped = ? WHERE owner = ?", (altered, owner))
    objects(home)[0].write_bytes(b"altered too")
    assert codes(store, full=True) >= {"key-missing", "fixity-mismatch"}


# -- the database file -------------------------------------------------------------------------------------


def test_a_damaged_database_file_is_an_integrity_failure_and_says_so(home: Path, reopen: Callable[[], Store]):
    store = reopen()
    World(store, FixedClock(NOON))
    close(store)
    with closing(sqlite3.connect(home / "archive.db")) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
        index = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'acts'").fetchone()[0]
    content = bytearray((home / "archive.db").read_bytes())
    content[(index - 1) * size : index * size] = b"\xff" * size
    (home / "archive.db").write_bytes(content)
    try:
        found = codes(reopen(), full=True)
    except ArchiveError as error:
        found = {error.code}
    assert "database-broken" in found


def test_findings_beyond_a_thousand_are_counted():
    told = fixity.Checked()
    for number in range(1_200):
        told.find("fixity-mismatch", "altered", str(number))
    assert (len(told.findings), told.more) == (1_000, 200)

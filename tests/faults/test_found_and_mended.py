"""What the faults brought to light, each once: quick enough for every run of the suite."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.db import DatabaseBroken
from app.db.migrate import NeedsUpgrade
from app.records.clock import FixedClock
from app.store import Store, access, accounts, fixity, folders
from app.store.store import AgencyUnreadable
from app.store.tables import acts
from tests.archives import NOON, close
from tests.faults import flips
from tests.steps.scripted import listing
from tests.steps.test_capture import World, post

DAY = timedelta(days=1)


def noted(store: Store) -> None:
    with store.database.begin() as tx:
        access.note(store, tx, "search", by=None, detail={"q": "road"})


def closed(store: Store) -> int:
    with store.database.begin() as tx:
        return access.close_days(store, tx, by=None, why="test")


def codes(store: Store) -> set[str]:
    return {finding.code for finding in fixity.verify(store, full=True).findings}


def test_what_is_read_after_a_clock_was_set_back_is_noted_on_a_day_that_is_still_open(
    store: Store, clock: FixedClock
):
    noted(store)
    clock.at += DAY
    assert closed(store) == 1
    clock.at -= DAY
    noted(store)
    assert codes(store) == set(), "the digest of the closed day holds"
    clock.at += 3 * DAY
    assert closed(store) == 1
    assert codes(store) == set()
    with store.database.read() as tx:
        assert [told.at for told in access.read(store, tx)] == [NOON, NOON], "when it was is told as it was"


@pytest.fixture
def full(store: Store, clock: FixedClock, home: Path, reopen: Callable[[], Store]) -> Store:
    """A few records, behind whose back rows may be altered."""
    world = World(store, clock)
    world.capture(listing(clock, post("p1", "The road is closed"), post("p2", "The road is open")))
    store.ledger.checkpoint()
    close(store)
    flips.unguard(home)
    return reopen()


def test_a_text_that_cannot_be_decoded_is_a_finding_that_names_the_database(full: Store, home: Path):
    with closing(flips.connect(home, flips.ARCHIVE)) as database:
        database.execute("UPDATE acts SET type = CAST(x'ff' AS TEXT) WHERE entry = 0")
    found = fixity.verify(full, full=True).findings
    assert [one for one in found if one.code == "database-broken" and "archive.db" in one.what], found


def test_a_schema_that_cannot_be_decoded_is_a_damaged_database(
    full: Store, home: Path, reopen: Callable[[], Store]
):
    close(full)
    content = (home / flips.KEYRING).read_bytes()
    at = content.index(b"CREATE TABLE secrets")
    (home / flips.KEYRING).write_bytes(content[:at] + b"\xff\xfe" + content[at + 2 :])
    with pytest.raises(DatabaseBroken, match=r"keyring\.db"):
        reopen()


@pytest.mark.parametrize(
    "change",
    [
        "replace(value, 'origin', 'oRigin')",
        "replace(value, 'America/', 'AmericA/')",
        "replace(value, '{', '[')",
        "CAST(replace(value, 'name', 'nam' || char(128)) AS BLOB)",
        "7",
    ],
)
def test_an_agency_that_cannot_be_read_is_told_as_such_and_opens_nothing(
    full: Store, home: Path, reopen: Callable[[], Store], change: str
):
    with closing(flips.connect(home, flips.ARCHIVE)) as connection:
        assert connection.execute(f"UPDATE archive SET value = {change} WHERE name = 'agency'").rowcount
    assert "row-altered" in codes(full)
    close(full)
    with pytest.raises(AgencyUnreadable, match="altered"):
        reopen()


def test_a_form_that_is_no_text_is_told_as_a_form_that_this_program_does_not_know(
    full: Store, home: Path, reopen: Callable[[], Store]
):
    close(full)
    with closing(flips.connect(home, flips.ARCHIVE)) as connection:
        assert connection.execute("UPDATE alembic_version SET version_num = CAST('x' AS BLOB)").rowcount
    with pytest.raises(NeedsUpgrade, match="is at b'x', this program expects"):
        reopen()


@pytest.mark.parametrize(
    ("database", "change", "code"),
    [
        (flips.ARCHIVE, "UPDATE runs SET status = 'failed'", "row-altered"),
        (flips.ARCHIVE, "UPDATE runs SET tally = replace(tally, '\"new\": 2', '\"new\": 3')", "row-altered"),
        (flips.ARCHIVE, "ALTER TABLE layouts RENAME COLUMN digest TO dogest", "database-broken"),
        (flips.ARCHIVE, "UPDATE objects SET size = CAST(size AS BLOB)", "row-altered"),
        (flips.ARCHIVE, "UPDATE objects SET digest = x''", "object-missing"),
        (flips.ARCHIVE, "UPDATE objects SET digest = x'00'", "object-missing"),
        (flips.KEYRING, "UPDATE signed SET size = 0.5 + size", "row-altered"),
        (flips.KEYRING, "UPDATE signed SET origin = 'another'", "row-altered"),
        (flips.KEYRING, "UPDATE secrets SET wrapped = zeroblob(60)", "key-missing"),
    ],
)
def test_what_nothing_was_held_against_is_found(
    full: Store, home: Path, database: str, change: str, code: str
):
    with closing(flips.connect(home, database)) as connection:
        assert connection.execute(change).rowcount
    assert code in codes(full)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE versions SET observed_at = CAST(observed_at AS BLOB) WHERE number = 1",
        "UPDATE exchanges SET at = at + (1 << 59)",
        "UPDATE acts SET type = CAST(type AS BLOB) WHERE entry = 0",
    ],
)
def test_a_value_of_another_kind_than_its_columns_is_told_with_its_row(full: Store, home: Path, change: str):
    with closing(flips.connect(home, flips.ARCHIVE)) as connection:
        assert connection.execute(change).rowcount
    found = fixity.verify(full, full=True).findings
    assert any("a value of another kind" in one.what and one.where for one in found), found


def test_an_error_that_no_value_of_the_row_explains_accuses_no_row(full: Store):
    """The twin: a judge that is called wrongly says so itself."""
    with full.database.read() as tx:
        row = tx.execute(select(acts).order_by(acts.c.entry)).first()
    with pytest.raises(TypeError):
        list(accounts.act(row, b'{"by": null}', None))  # type: ignore[arg-type]  # what a mistake of ours would be


def test_what_was_not_altered_is_not_accused(full: Store):
    """The twin."""
    assert codes(full) == set()


def test_a_folder_is_made_with_those_above_it_and_is_no_error_when_it_is_there(tmp_path: Path):
    folders.make(tmp_path / "a" / "b" / "c", mode=0o700)
    folders.make(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").stat().st_mode & 0o777 == 0o700


def test_an_object_that_is_discarded_twice_is_no_error(store: Store):
    kept = store.objects.put([json.dumps({"a": 1}).encode()])
    store.objects.discard(kept.digest)
    store.objects.discard(kept.digest)
    assert list(store.objects.names()) == []

"""The access log: reading leaves a trace, sealed; each day's digest is an entry; an altered trace is found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from app.records.clock import FixedClock
from app.store import Store, access, fixity
from app.store.tables import accesses
from tests.archives import NOON

OFFICER, OTHER, RECORD = UUID(int=1), UUID(int=2), UUID(int=3)


def note(store: Store, action: str, **more: object) -> None:
    with store.database.begin() as tx:
        access.note(store, tx, action, **({"by": OFFICER, "detail": {}} | more))  # type: ignore[arg-type]  # a test names the fields


def close_days(store: Store) -> int:
    with store.database.begin() as tx:
        return access.close_days(store, tx, by=None, why="the nightly work")


def wrong_days(store: Store, *, full: bool) -> list[str]:
    with store.database.read() as tx:
        return access.check_days(store, tx, full=full)


@pytest.fixture
def noted(store: Store, clock: FixedClock) -> Store:
    """Three accesses of one day, which was closed, and one of the next, which is not."""
    note(store, "sign-in", detail={"address": "192.0.2.7"})
    note(store, "search", detail={"query": "hippopotamus"})
    note(store, "view", by=OTHER, record=RECORD)
    clock.at += timedelta(days=1)
    assert close_days(store) == 1
    note(store, "view", record=RECORD)
    return store


def test_what_was_read_is_told_by_whom_of_what_and_when(anywhere: Store, clock: FixedClock):
    note(anywhere, "search", detail={"query": "road w/3 closed", "total": 12})
    clock.at += timedelta(hours=1)
    note(anywhere, "view", by=OTHER, record=RECORD)
    note(anywhere, "reset-asked", by=None)
    with anywhere.database.read() as tx:
        told = list(access.read(anywhere, tx))
        by_other = list(access.read(anywhere, tx, by=OTHER))
        of_record = list(access.read(anywhere, tx, record=RECORD))
        later = list(access.read(anywhere, tx, since=clock.now()))
        before = list(access.read(anywhere, tx, until=NOON))
    assert [(one.action, one.officer, one.record) for one in told] == [
        ("search", OFFICER, None),
        ("view", OTHER, RECORD),
        ("reset-asked", None, None),
    ]
    assert (told[0].at, told[0].detail) == (NOON, {"query": "road w/3 closed", "total": 12})
    assert by_other == of_record == told[1:2]
    assert (later, before) == (told[1:], told[:1])


def test_what_was_asked_lies_nowhere_in_the_clear(noted: Store, home: Path):
    noted.database.close()
    content = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert b"search" in content
    assert b"hippopotamus" not in content
    assert b"192.0.2.7" not in content


def test_an_access_that_was_not_committed_was_not_noted(store: Store):
    def fails() -> None:
        with store.database.begin() as tx:
            access.note(store, tx, "view", by=OFFICER)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        fails()
    with store.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(accesses)).scalar_one() == 0


def test_a_day_that_is_over_gets_one_digest_and_today_none(store: Store, clock: FixedClock):
    note(store, "view")
    assert close_days(store) == 0
    clock.at = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
    note(store, "view")
    assert close_days(store) == 1
    assert close_days(store) == 0
    clock.at += timedelta(days=5)
    assert close_days(store) == 1
    with store.database.read() as tx:
        days = [msgspec.json.decode(store.ledger.entry(tx, act.entry)) for act in store.ledger.acts(tx)]
    assert [(day["type"], day["day"], day["n"]) for day in days] == [
        ("access", "2026-03-03", 1),
        ("access", "2026-03-02", 1),
    ]


def test_the_digest_says_nothing_of_who_or_what(noted: Store):
    with noted.database.read() as tx:
        (body,) = (noted.ledger.entry(tx, act.entry) for act in noted.ledger.acts(tx))
    assert msgspec.json.decode(body).keys() == {"v", "type", "ts", "c", "day", "n", "root"}


@pytest.mark.parametrize("full", [False, True])
def test_a_log_that_nobody_altered_is_as_it_was_noted(noted: Store, full: bool):
    assert wrong_days(noted, full=full) == []
    assert fixity.verify(noted, full=full).findings == []


@pytest.mark.parametrize(
    "change", ["UPDATE accesses SET action = 'x'", "DELETE FROM accesses", "DELETE FROM access_digests"]
)
def test_the_database_itself_refuses_to_alter_the_log(noted: Store, change: str):
    with pytest.raises(DatabaseError, match="never change"), noted.database.begin() as tx:
        tx.exec_driver_sql(change)


ALTERED = {
    "another officer": ("UPDATE accesses SET officer = zeroblob(16) WHERE key = 2", "2026-03-02"),
    "another action": ("UPDATE accesses SET action = 'view' WHERE key = 2", "2026-03-02"),
    "another record": ("UPDATE accesses SET record = zeroblob(16) WHERE key = 3", "2026-03-02"),
    "no record": ("UPDATE accesses SET record = NULL WHERE key = 3", "2026-03-02"),
    "another time": ("UPDATE accesses SET at = at + 1 WHERE key = 1", "2026-03-02"),
    "another query": ("UPDATE accesses SET sealed = (SELECT sealed FROM accesses WHERE key = 1) WHERE key = 2", "2026-03-02"),
    "a day that is still open": ("UPDATE accesses SET officer = zeroblob(16) WHERE key = 4", "2026-03-03"),
}  # fmt: skip
REMOVED = {
    "one is gone": "DELETE FROM accesses WHERE key = 2",
    "one was moved to another day": "UPDATE accesses SET day = '2026-03-03' WHERE key = 2",
    "one was added": "INSERT INTO accesses (at, day, action, sealed, commitment) SELECT at, day, action, sealed, commitment FROM accesses WHERE key = 1",
    "one took another's commitment": "UPDATE accesses SET commitment = zeroblob(32) WHERE key = 2",
    "the digest is another": "UPDATE access_digests SET count = 2",
    "the digest names another entry": "UPDATE access_digests SET entry = 99",
    "access and digest were altered together": "DELETE FROM accesses WHERE key = 2; UPDATE access_digests SET count = 2, root = zeroblob(32)",
}  # fmt: skip


def alter(home: Path, script: str) -> None:
    with closing(sqlite3.connect(home / "archive.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.executescript(script)
        database.commit()


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_access_is_found_by_opening_it(noted: Store, home: Path, what: str):
    script, day = ALTERED[what]
    alter(home, script)
    assert wrong_days(noted, full=True) == [day]
    assert {finding.code for finding in fixity.verify(noted, full=True).findings} == {"access-log-altered"}


@pytest.mark.parametrize("what", REMOVED)
def test_a_day_that_no_longer_gives_its_digest_is_found_without_opening_anything(
    noted: Store, home: Path, what: str
):
    alter(home, REMOVED[what])
    assert "2026-03-02" in wrong_days(noted, full=False)
    found = [(finding.code, finding.where) for finding in fixity.verify(noted, full=False).findings]
    assert ("access-log-altered", "2026-03-02") in found

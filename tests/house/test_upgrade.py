"""An archive of every earlier form, with real content in it, is brought to today's and goes on.

`archives/0001.tar.xz` was made by the version that laid the store: two pages of
the invented town over six nights, one of which a page did not survive.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine, func, select, text, update

from app import ROOT, main
from app.capture import lanes, pages
from app.db import Database, migrate
from app.demo.platform import SimulatedPlatform
from app.demo.run import nights
from app.records.clock import FixedClock
from app.settings import Settings
from app.store import Store, fixity
from app.store.tables import exchanges, records, versions
from app.store.tables import pages as page_table
from connectors.http import Manners
from tests.archives import settings_at
from tests.postgres import Cluster

ARCHIVES = ROOT / "tests" / "house" / "archives"
HELD = {"records": 111, "exchanges": 103}
THEN = nights()[5].at


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The data folder of the archive in its first form."""
    with tarfile.open(ARCHIVES / "0001.tar.xz") as packed:
        packed.extractall(tmp_path / "earlier", filter="data")
    return tmp_path / "earlier"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, earlier: Path) -> Iterator[Settings]:
    """Where the archive lies, on each database in turn."""
    if request.param == "sqlite":
        yield settings_at(earlier)
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    addresses = []
    for file, keyring, first in (
        (earlier / "archive.db", False, "0001"),
        (earlier / "keys" / "keyring.db", True, "k0001"),
    ):
        addresses.append(cluster.fresh())
        moved = Database(addresses[-1])
        migrate.upgrade(moved, keyring=keyring, to=first)
        _move(file, moved)
        moved.close()
        file.unlink()
    yield settings_at(earlier, database_url=addresses[0], keyring_url=addresses[1])
    for address in addresses:
        cluster.drop(address)


def _move(file: Path, into: Database) -> None:
    """Copy every row of an archive on SQLite into one of the same form on PostgreSQL."""
    there, here = MetaData(), MetaData()
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as old, into.begin() as tx:
        here.reflect(old)
        there.reflect(tx)
        for table in there.sorted_tables:
            if table.name.startswith("alembic"):
                continue
            truths = [column.name for column in table.columns if column.type.python_type is bool]
            rows = [
                _row(row, truths) for row in old.execute(select(here.tables[table.name])).mappings().all()
            ]
            if rows:
                tx.execute(table.insert(), rows)
            numbered = tx.execute(
                text("SELECT pg_get_serial_sequence(:table, 'key')")
                if "key" in table.columns
                else text("SELECT NULL"),
                {"table": table.name} if "key" in table.columns else {},
            ).scalar()
            if numbered and rows:
                tx.execute(select(func.setval(numbered, max(row["key"] for row in rows))))
    engine.dispose()


def _row(row: Mapping[Any, Any], truths: list[str]) -> dict[str, Any]:
    return {name: bool(value) if name in truths else value for name, value in row.items()}


def opened(settings: Settings) -> Store:
    return main.open_store(settings, FixedClock(THEN + timedelta(hours=2)))


def test_the_program_does_not_open_an_archive_of_an_earlier_form_and_says_what_to_do(settings: Settings):
    with pytest.raises(migrate.NeedsUpgrade, match="0001") as refused:
        opened(settings)
    assert "muniment upgrade" in (refused.value.next or "")


def test_an_archive_of_the_first_form_upgrades_with_everything_in_it(settings: Settings):
    main.upgrade_all(settings)
    store = opened(settings)
    told = fixity.verify(store, full=True)
    assert told.findings == []
    with store.database.read() as tx:
        counted = {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (records, exchanges)
        }
        stand = {page.name: lanes.lane(store, tx, page, lanes.WHOLE) for page in pages.listed(tx)}
    assert counted == HELD
    assert all(lane.cursor for lane in stand.values())
    assert {name: lane.unfinished for name, lane in stand.items()} == {
        "Harrow Falls Parks and Trails": False,
        "Harrow Falls Town Council: meetings": True,
    }
    store.database.close()
    store.keyring.database.close()


def test_an_upgraded_archive_goes_on_where_it_stood(settings: Settings):
    main.upgrade_all(settings)
    with SimulatedPlatform() as platform:
        clock = FixedClock(nights()[6].at)
        platform.night = 7
        shown = settings.model_copy(update={"allow_hosts": f"127.0.0.1:{platform.port}"})
        archive = main.open_archive(shown, clock)
        archive.manners = Manners(interval=timedelta(0))
        store = archive.store
        with store.database.begin() as tx:
            for page in pages.listed(tx):
                there = page.address.replace(":8917", f":{platform.port}")
                tx.execute(update(page_table).where(page_table.c.key == page.key).values(address=there))
            listed = pages.listed(tx)
        reports = {page.name: archive.capture(page, by=None, why="the night") for page in listed}
        assert {report.status for report in reports.values()} == {"complete"}
        known = sum(report.tally.unchanged for report in reports.values())
        assert known > sum(report.tally.new for report in reports.values())
        findings = [one for one in fixity.verify(store, full=True).findings if "page" not in one.where]
        assert findings == []
        with store.database.read() as tx:
            assert tx.execute(select(func.count()).select_from(versions)).scalar_one() > HELD["records"]
        archive.close()

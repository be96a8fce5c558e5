"""Archives for tests: made once, copied for each test, on SQLite or on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import main
from app.records.clock import FixedClock
from app.settings import Settings
from app.store import Store
from tests.postgres import Cluster

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def settings_at(home: Path, **more: Any) -> Settings:
    """Settings of an archive in `home`, whatever the environment says."""
    return Settings(home=home, _env_file=None, **more)


def make(home: Path, clock: FixedClock, **more: Any) -> Store:
    return main.make(
        settings_at(home, **more),
        agency="Harrow Falls",
        domain="harrowfalls.example",
        timezone="America/Juneau",
        clock=clock,
    )


def close(store: Store) -> None:
    store.database.close()
    store.keyring.database.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def archive_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that was made once; nobody writes to it."""
    home = tmp_path_factory.mktemp("template") / "home"
    close(make(home, FixedClock(NOON)))
    return home


@pytest.fixture
def home(archive_template: Path, tmp_path: Path) -> Path:
    """The data folder of a fresh archive."""
    return Path(shutil.copytree(archive_template, tmp_path / "home"))


@pytest.fixture
def reopen(home: Path, clock: FixedClock) -> Iterator[Callable[[], Store]]:
    """Opens the archive in `home` as a new process would."""
    opened: list[Store] = []

    def again() -> Store:
        opened.append(main.open_store(settings_at(home), clock))
        return opened[-1]

    yield again
    for store in opened:
        close(store)


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    """The store of a fresh archive on SQLite."""
    return reopen()


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an archive on PostgreSQL that was made once; its databases are there to be copied."""
    home = tmp_path_factory.mktemp("postgres") / "home"
    addresses: list[str] = []

    def build(address: str) -> None:
        addresses.append(address)
        if len(addresses) == 2:
            close(make(home, FixedClock(NOON), database_url=addresses[0], keyring_url=addresses[1]))

    postgres_cluster.template("archive_template", build)
    postgres_cluster.template("keyring_template", build)
    return home


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    """The store of a fresh archive, on each database in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("store")
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    home = shutil.copytree(request.getfixturevalue("postgres_template"), tmp_path / "anywhere")
    address, keys = cluster.fresh(template="archive_template"), cluster.fresh(template="keyring_template")
    store = main.open_store(settings_at(home, database_url=address, keyring_url=keys), clock)
    yield store
    close(store)
    cluster.drop(address)
    cluster.drop(keys)

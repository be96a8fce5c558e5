"""Copies of a database, made while others write to it, each of one moment.

SQLite: `VACUUM INTO`. It reads one snapshot, so writers go on meanwhile, and
it writes the rows anew: the copy has no freed page in which something lay that
was disposed of since, and nothing of the write-ahead log. (The backup API
copies pages as they are, freed ones too, and begins again whenever somebody
writes.) PostgreSQL: `pg_dump` on a snapshot that we hold, for the same reasons.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from app.db import Database, DiskFull, Tx
from app.records.errors import Invalid
from app.store.backup import postgres

SQLITE, POSTGRESQL = "sqlite", "postgresql"


def kind_of(database: Database) -> str:
    return SQLITE if database.sqlite else POSTGRESQL


def name_of(database: Database, name: str) -> str:
    """What the copy of a database is called in a set."""
    return f"{name}.db" if database.sqlite else f"{name}.pgdump"


@contextmanager
def copied(database: Database, file: Path) -> Iterator[Tx]:
    """Copy a database into `file`; what is yielded sees exactly what the copy holds."""
    if not database.sqlite:
        with database.read() as tx:
            postgres.dump(database.url, tx, file)
            yield tx
        return
    _vacuum(database, file)
    engine = create_engine("sqlite://", creator=lambda: _looked_at(file), poolclass=NullPool)
    try:
        with engine.connect() as tx:
            yield tx
    finally:
        engine.dispose()


def _vacuum(database: Database, file: Path) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # a vacuum stands in no transaction
        try:
            connection.exec_driver_sql("VACUUM INTO ?", (str(file),))
        except OperationalError as error:
            if "full" in str(error.orig).lower():
                raise DiskFull(
                    f"the disk that holds {file} is full", next="Make room, or name another disk."
                ) from error
            raise
        finally:
            connection.exec_driver_sql("BEGIN")


def _looked_at(file: Path) -> sqlite3.Connection:
    """A copy that nobody writes: looked at without a log or a lock beside it."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def is_empty(database: Database) -> bool:
    """Whether nothing is in a database yet; looking makes none."""
    if database.sqlite:
        file = _file(database)
        return not file.exists() or file.stat().st_size == 0
    with database.read() as tx:
        return postgres.tables(tx) == 0


def put_back(copy: Path, database: Database) -> None:
    """Put a copy into an empty database."""
    if database.sqlite:
        file = _file(database)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, file)
        file.chmod(0o600)
        return
    with database.read() as tx:
        postgres.restore(database.url, tx, copy)


def empty(database: Database) -> None:
    """Take out what a restore that was broken off has put there."""
    if database.sqlite:
        file = _file(database)
        for one in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal"))):
            one.unlink(missing_ok=True)
        return
    with database.begin() as tx:
        postgres.empty(tx)


def _file(database: Database) -> Path:
    if not database.url.database:
        raise Invalid("the database lies in memory: nothing can be put there")
    return Path(database.url.database)

"""One engine and its transactions.

A transaction is begun at a door, handed to verbs, and committed at the door
before the answer is given. Writers take the database's write lock at the
start (`BEGIN IMMEDIATE` on SQLite), so that what they decide cannot change
under them; readers see one snapshot.
"""

from __future__ import annotations

import os
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Select, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from app.records.errors import IntegrityFailure, Unavailable

Tx = Connection
"""A transaction that somebody else began and will commit."""


class ArchiveBusy(Unavailable):
    """Another writer holds the database, or it cannot be reached; nothing was changed."""

    code = "archive-busy"


class DiskFull(Unavailable):
    """No room is left; what was not acknowledged was not kept, what was is still there."""

    code = "disk-full"


class DatabaseBroken(IntegrityFailure):
    """The database file itself is damaged: its pages are not what the database wrote."""

    code = "database-broken"


class Database:
    """The archive's database, SQLite or PostgreSQL."""

    def __init__(self, url: str | URL, *, busy_seconds: float = 30.0) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url, busy_seconds) if self.sqlite else _postgresql(self.url)
        self._name = str(self.url.database).rpartition("/")[2]
        """What to call the database to whoever has to look at it: its file, or its name on a server."""
        self._folder = Path(self.url.database).parent if self.sqlite and self.url.database else None
        """Where SQLite's files lie; None for a server's, and for one in memory."""
        self._statements: dict[int, tuple[Select[Any], str]] = {}
        self._ready: list[tuple[int, PoolProxiedConnection]] = []
        """Connections held ready for a glance, of a process each: as many as ever glanced at once."""

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Begin a transaction that may write; it commits at the end, or nothing happened."""
        with (
            _translated(self._name, self._folder),
            self.engine.connect().execution_options(muniment_writes=True) as tx,
            tx.begin(),
        ):
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Begin a transaction that only reads, on one snapshot."""
        with _translated(self._name, self._folder), self.engine.connect() as tx:
            if not self.sqlite:
                tx.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with tx.begin():
                yield tx

    def glance(self, asked: Select[Any]) -> Any:
        """One value, read by a statement of its own, or None where there is no row: to know whether anything has changed.

        Much cheaper than a transaction, and no part of one: whoever finds
        something else than before begins a transaction and asks again. `asked`
        is a constant, without parameters.
        """
        if self.sqlite:
            try:
                return self._glanced(self._written(asked))
            except (sqlite3.Error, DatabaseError):
                pass  # a transaction meets it as well, and says what it means
        with self.read() as tx:
            return tx.execute(asked).scalar()

    def _glanced(self, words: str) -> Any:
        """Through a connection that is held ready for this: to fetch one from the pool costs more than to ask."""
        connection = self._held()
        cursor = connection.cursor()
        cursor.execute(words)
        row = cursor.fetchone()
        cursor.close()
        self._ready.append((os.getpid(), connection))
        return None if row is None else row[0]

    def _held(self) -> PoolProxiedConnection:
        try:
            opened_by, connection = self._ready.pop()
        except IndexError:
            opened_by, connection = 0, None
        if connection is None or opened_by != os.getpid():
            connection = self.engine.raw_connection()
            connection.detach()
        return connection

    def _written(self, asked: Select[Any]) -> str:
        """A statement as SQLite reads it; each is put into words once."""
        written = self._statements.get(id(asked))
        if written is None:
            words = str(asked.compile(self.engine, compile_kwargs={"literal_binds": True}))
            written = self._statements[id(asked)] = (asked, words)  # kept, so that its identity stays its own
        return written[1]

    def close(self) -> None:
        """Give back every connection."""
        while self._ready:
            self._ready.pop()[1].close()
        self.engine.dispose()


@contextmanager
def _translated(name: str, folder: Path | None) -> Iterator[None]:
    """Say what the reader should do next when the database itself cannot go on."""
    try:
        yield
    except UnicodeDecodeError as error:
        if not _of_the_driver(error):
            raise
        raise _broken(name, error) from error
    except DatabaseError as error:
        words = str(error.orig).lower()
        if any(sign in words for sign in _BROKEN):
            raise _broken(name, error.orig) from error
        if not isinstance(error, OperationalError):
            raise
        refused = any(sign in words for sign in _REFUSED)
        if any(sign in words for sign in _FULL) or (refused and _without_room(folder)):
            raise DiskFull(
                "the disk that holds the database is full", next="Make room, then try again."
            ) from error
        if refused:
            raise ArchiveBusy(
                f"the database cannot be written: {error.orig}",
                next="Look at the disk that holds it: is it full, read-only or failing?",
            ) from error
        if any(sign in words for sign in _BUSY):
            raise ArchiveBusy(
                f"the database is not available: {error.orig}", next="Try again in a moment."
            ) from error
        raise


def _without_room(folder: Path | None) -> bool:
    """Whether the disk is full: SQLite calls it an I/O error where it cannot lengthen its shared memory."""
    if folder is None:
        return False
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LEAST


def _broken(name: str, says: object) -> DatabaseBroken:
    return DatabaseBroken(
        f"the database {name} is damaged: {says}",
        next="Keep this copy as evidence, and restore the newest backup.",
    )


def _of_the_driver(error: UnicodeDecodeError) -> bool:
    """Whether SQLite's own words could not be decoded: its schema is damaged, and it quotes from it."""
    frames = list(traceback.walk_tb(error.__traceback__))
    last = frames[-1][0].f_code.co_filename
    return last == __file__ or "/sqlalchemy/" in last


_BROKEN = (
    "malformed",
    "file is not a database",
    "could not decode to utf-8",
    "no such table",
    "no such column",
    "unsupported file format",
    "invalid page in block",
)
_FULL = ("disk is full", "no space left", "could not extend file")
_LEAST = 64 << 10
"""With fewer bytes free, SQLite cannot begin: one piece of its shared memory takes half of it."""
_REFUSED = ("disk i/o error", "readonly database", "unable to open database file")
_BUSY = ("locked", "busy", "timeout", "connection", "deadlock detected")
"""What SQLite and PostgreSQL say, in small letters."""


def _sqlite(url: URL, busy_seconds: float) -> Engine:
    """WAL so that readers never wait, FULL so that a commit survives a power cut, deleted content overwritten."""
    engine = create_engine(
        url,
        connect_args={"timeout": busy_seconds, "check_same_thread": False, "isolation_level": None},
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=24,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=ON",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-65536",
            "journal_size_limit=67108864",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("muniment_writes", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:  # nothing to wait for, and nothing that fails before it reads
            connection.connection.cursor().execute("BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    return create_engine(url, pool_size=8, max_overflow=24, pool_pre_ping=True)


LEDGER_LOCK = 0x4D554E49
"""The advisory lock under which ledger indexes are given on PostgreSQL ("MUNI")."""


def lock_ledger(tx: Tx) -> None:
    """Wait until no other transaction is giving ledger indexes, and keep it so until this one ends.

    On SQLite `begin` has already done so.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LEDGER_LOCK})


def key_of(result: CursorResult[Any]) -> int:
    """The key that the database gave to the row just inserted."""
    key = result.inserted_primary_key
    if key is None:
        raise ValueError("nothing was inserted")
    return int(key[0])

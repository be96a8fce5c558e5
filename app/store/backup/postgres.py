"""PostgreSQL's own programs: one snapshot out (`pg_dump`), and in again (`pg_restore`).

What opens the database goes to them in their environment, which only the same
user may read; a command line stands in every list of processes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL

from app.db import Tx
from app.records.errors import Invalid, Unavailable

_DEBIAN = Path("/usr/lib/postgresql")
_NAMES: Mapping[str, str] = {
    "channel_binding": "PGCHANNELBINDING",
    "client_encoding": "PGCLIENTENCODING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "port": "PGPORT",
    "require_auth": "PGREQUIREAUTH",
    "service": "PGSERVICE",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""How libpq calls in the environment what stands after `?` in an address."""
_OURS = {"application_name"}


class DatabaseProgram(Unavailable):
    """PostgreSQL's own programs are missing, older than the server, or could not do it."""

    code = "database-program"


def dump(url: URL, tx: Tx, file: Path) -> None:
    """Write the schema of the database that `tx` sees, just as it sees it, in the custom format."""
    server = int(tx.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    snapshot = tx.execute(text("SELECT pg_export_snapshot()")).scalar_one()
    _run(
        _program("pg_dump", server),
        url,
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot}",
        f"--schema={_schema(tx)}",
        f"--file={file}",
    )


def restore(url: URL, tx: Tx, file: Path) -> None:
    """Put a dump into the empty schema that `tx` sees, in one transaction: it is there whole, or not at all."""
    server = int(tx.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    _run(
        _program("pg_restore", server),
        url,
        f"--dbname={url.database or ''}",
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        f"--schema={_schema(tx)}",
        str(file),
    )


def tables(tx: Tx) -> int:
    """How many tables the schema has already."""
    asked = text("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
    return int(tx.execute(asked).scalar_one())


def empty(tx: Tx) -> None:
    """Take everything out of the schema: only of one that was empty when its restore began."""
    schema = tx.dialect.identifier_preparer.quote(_schema(tx))
    tx.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    tx.exec_driver_sql(f"CREATE SCHEMA {schema}")


def _schema(tx: Tx) -> str:
    found = tx.execute(text("SELECT current_schema()")).scalar()
    if not found:
        raise Invalid(
            "the database's role has no schema to work in", next="Set its search_path, or make the schema."
        )
    return str(found)


def _program(name: str, server: int) -> Path:
    """The newest program of that name, or `DatabaseProgram` where there is none that can speak with the server."""
    found = [file for file in sorted(_DEBIAN.glob(f"*/bin/{name}")) if os.access(file, os.X_OK)]
    if in_path := shutil.which(name):
        found.append(Path(in_path))
    versions = {file: _version(file) for file in found}
    newest = max(found, key=lambda file: versions[file], default=None)
    if newest is None:
        raise DatabaseProgram(
            f"{name} is not on this machine",
            next=f"Install PostgreSQL's client programs, version {server} or newer (Debian: postgresql-client).",
        )
    if versions[newest] < server:
        raise DatabaseProgram(
            f"{newest} is of version {versions[newest]}, the server of {server}: it cannot read a newer one",
            next=f"Install PostgreSQL's client programs, version {server} or newer.",
        )
    return newest


def _version(file: Path) -> int:
    said = subprocess.run([file, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - PostgreSQL's own program
    number = re.search(r"\) (\d+)", said.stdout)
    return int(number[1]) if number else 0


def _run(program: Path, url: URL, *words: str) -> None:
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, our own words
        [program, "--no-password", *words],
        env={**_surroundings(), **environment(url)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise DatabaseProgram(
            f"{program.name} failed: {said[0] if said else f'exit code {done.returncode}'}",
            next="Look at the database server and the disk; the backup or restore can be run again.",
        )


def _surroundings() -> dict[str, str]:
    """Our own environment, from which libpq may have more than the address says, without our settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MUNIMENT_")}


def environment(url: URL) -> dict[str, str]:
    """What an address says, in the variables that libpq reads; `Invalid` for what has none."""
    told = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password is not None else None,
        "PGDATABASE": url.database,
    }
    for name, value in url.query.items():
        if name in _OURS:
            continue
        if name not in _NAMES:
            raise Invalid(
                f"a backup cannot hand {name!r} of the database's address on to PostgreSQL's programs"
            )
        told[_NAMES[name]] = value if isinstance(value, str) else ",".join(value)
    return {name: value for name, value in told.items() if value}

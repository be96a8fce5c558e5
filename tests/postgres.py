"""A throw-away PostgreSQL: a cluster for each test process, a database for each test.

The cluster lies in a short temporary folder, listens on a Unix socket alone
and does without fsync. A keeper, a small shell that waits for its standard
input to close, stops the server and removes the folder however the tests end:
even a killed process closes its pipes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

SECONDS = 60
"""How long starting and stopping may take on a machine that is busy with other things."""

_KEEPER = """
bin=$1 folder=$2
exec 3<&0
if "$bin/initdb" -D "$folder/data" --auth=trust --encoding=UTF8 --locale=C --no-sync --username=postgres; then
    "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=200 \\
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off 3<&- &
    server=$!
    { read -r _ <&3; kill -QUIT $server; } &
    wait $server
    kill $! 2>/dev/null
fi
rm -rf "$folder"
"""


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs, the newest version first, or None where it is not installed."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    found = [path for path in versions if (path / "initdb").exists()]
    if not found and (initdb := shutil.which("initdb")):
        found = [Path(initdb).resolve().parent]
    return found[0] if found else None


class Cluster:
    """A running server. It refuses to run as root, so there it runs as Debian's `postgres`."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self._numbers = count(1)
        self._templates: set[str] = set()
        # Short, because the path of a Unix socket holds 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="muniment-pg-", dir="/tmp"))
        if self._owner:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server runs
        self._keeper = self._keep()
        try:
            self._admin = self._connect()
        except BaseException:
            self.stop()
            raise

    def fresh(self, *, template: str = "template1") -> str:
        """The address of a new database, empty or a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self._create(name, template)
        return self._address(name)

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """Build a database once, for `fresh(template=name)` to copy; `build` is given its address.

        `build` MUST have closed its connections when it returns.
        """
        if name not in self._templates:
            self._create(name, "template1")
            build(self._address(name))
            self._templates.add(name)
        return name

    def drop(self, address: str) -> None:
        """Drop a database, whoever is still connected to it."""
        name = address.removeprefix("postgresql+psycopg://postgres@/").partition("?")[0]
        self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Have the keeper stop the server and remove every byte of it."""
        if admin := getattr(self, "_admin", None):
            admin.close()
        self._keeper.communicate(timeout=SECONDS)
        self._said.close()

    def _create(self, name: str, template: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._admin.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))

    def _address(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def _keep(self) -> subprocess.Popen[bytes]:
        """Start the keeper, in a session of its own so that Ctrl-C does not reach it before its time."""
        return subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", str(self._bin), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            cwd="/",
            start_new_session=True,
            user=self._owner and self._owner.pw_uid,
            group=self._owner and self._owner.pw_gid,
            extra_groups=self._owner and [],
        )

    def _connect(self) -> psycopg.Connection:
        """Wait until the server answers, or say what it said when it ended instead."""
        deadline = time.monotonic() + SECONDS
        while self._keeper.poll() is None and time.monotonic() < deadline:
            try:
                return psycopg.connect(
                    host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
                )
            except psycopg.OperationalError:
                time.sleep(0.02)  # another process is starting; there is nothing to be told by
        self._said.seek(0)
        raise RuntimeError(f"PostgreSQL did not start:\n{self._said.read().decode()}")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this test process's own."""
    found = programs()
    if found is None and os.environ.get("CI"):
        pytest.fail("PostgreSQL is not installed, and in CI its tests are not skipped")
    if found is None:
        pytest.skip("PostgreSQL is not installed (on Debian and Ubuntu: sudo apt-get install postgresql)")
    cluster = Cluster(found)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The address of an empty database on PostgreSQL."""
    address = postgres_cluster.fresh()
    yield address
    postgres_cluster.drop(address)

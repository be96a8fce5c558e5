"""The throw-away PostgreSQL that other tests stand on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from app import ROOT
from tests.postgres import SECONDS, Cluster


def rows(address: str, *statements: str) -> list[object]:
    """What the last of `statements` answers."""
    engine = create_engine(address)
    try:
        with engine.begin() as tx:
            answers = [tx.execute(text(statement)) for statement in statements]
            return list(answers[-1].scalars()) if answers[-1].returns_rows else []
    finally:
        engine.dispose()


def alive(process: int) -> bool:
    """Whether a process still does something; one that only waits to be buried has no command line."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


def test_a_fresh_database_is_empty_and_speaks_utf_8(postgres_url):
    count = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
    assert rows(postgres_url, count) == [0]
    assert rows(postgres_url, "SHOW server_encoding") == ["UTF8"]


def test_two_databases_do_not_see_each_other(postgres_cluster, postgres_url):
    rows(postgres_url, "CREATE TABLE ours (n int)")
    other = postgres_cluster.fresh()
    with pytest.raises(ProgrammingError, match="ours"):
        rows(other, "SELECT n FROM ours")
    postgres_cluster.drop(other)


def test_a_template_is_built_once_and_its_copies_are_apart(postgres_cluster):
    built: list[str] = []

    def build(address: str) -> None:
        built.append(address)
        rows(address, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")

    copies = [
        postgres_cluster.fresh(template=postgres_cluster.template("house_kept", build)) for _ in range(2)
    ]
    rows(copies[0], "DELETE FROM kept")

    assert len(built) == 1
    assert rows(copies[0], "SELECT n FROM kept") == []
    assert rows(copies[1], "SELECT n FROM kept") == [7]
    for copy in copies:
        postgres_cluster.drop(copy)


def test_it_listens_on_no_port(postgres_url):
    assert rows(postgres_url, "SHOW listen_addresses") == [""]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_test_process_leaves_no_server_and_no_folder(postgres_cluster: Cluster):
    """The twin of a clean stop: nobody had the time to clean up."""
    program = (
        "from tests.postgres import Cluster, programs\n"
        "cluster = Cluster(programs())\n"
        "print(cluster.folder, (cluster.folder / 'data/postmaster.pid').read_text().split()[0], flush=True)\n"
        "input()\n"  # until it is killed
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder, server = process.stdout.readline().split()
        assert alive(int(server))
        process.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + SECONDS
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.02)  # another process is cleaning up; there is nothing to be told by
    assert not Path(folder).exists()
    assert not alive(int(server))

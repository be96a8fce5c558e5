"""Real servers on loopback, started for the tests and ended with them.

They are started by scripts that stand beside the checkout
(`MUNIMENT_SHARED`, by default `../shared`) and need packages of the
distribution. Where these are missing a test is skipped and says why; where
`CI` is `true` it fails, because there somebody relies on its having run.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from app import ROOT

SHARED = Path(os.environ.get("MUNIMENT_SHARED", ROOT.parent / "shared"))
START_WITHIN = 120.0
"""Seconds: ten times what a busy machine with two cores needed."""


def unavailable(why: str) -> NoReturn:
    """Skip the test, or fail it where it was promised to run.

    `MUNIMENT_LIVE_WITHOUT` ("atproto: why; …") names servers whose packages
    could not be had; what needs them is skipped there too.
    """
    without = [
        one.partition(":")[0].strip() for one in os.environ.get("MUNIMENT_LIVE_WITHOUT", "").split(";")
    ]
    if os.environ.get("CI") == "true" and not any(name and name in why for name in without):
        pytest.fail(f"{why}; with CI=true the live tests must run", pytrace=False)
    pytest.skip(why)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def end_group(leader: int) -> None:
    """End a process that leads its group, and all of that group; return once none of it runs."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, how)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if not running(leader):
                return
            select.select([], [], [], 0.02)


def running(group: int) -> bool:
    """Whether any process of the group still runs; one that waits only for its parent to notice does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False


class LiveWordPress:
    """A WordPress that runs on loopback, with the site's own doors to what a moderator does."""

    def __init__(self, said: Mapping[str, Any], php: str) -> None:
        self.said = said
        self.address: str = said["base"]
        self._php = php
        self._folder = Path(said["dir"])
        self._server: int | None = said["pids"][-1]
        self._again: subprocess.Popen[bytes] | None = None
        admin = said["admin"]
        self.secret = {"user": admin["user"], "application_password": admin["application_password"]}
        self._editor = httpx.Client(
            base_url=self.address + "/wp-json/wp/v2",
            auth=(self.secret["user"], self.secret["application_password"]),
            trust_env=False,
            timeout=30,
        )

    def api(self, method: str, route: str, **fields: Any) -> Any:
        """Do what an editor does in the dashboard."""
        answer = self._editor.request(method, route, json=fields or None)
        assert answer.is_success, f"{method} {route}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def upload(self, name: str, post: int) -> int:
        """Put a picture of one pixel into the library, uploaded to a post."""
        pixel = bytes.fromhex(
            "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
        )
        headers = {"Content-Type": "image/gif", "Content-Disposition": f'attachment; filename="{name}"'}
        answer = self._editor.post("/media", content=pixel, headers=headers, params={"post": post})
        assert answer.is_success, answer.text[:300]
        number: int = answer.json()["id"]
        return number

    def stop(self) -> None:
        """The site goes down; its database stays."""
        if self._server is not None:
            end_group(self._server)
            self._server = None
        if self._again is not None:
            self._again.wait(10)
            self._again = None

    def start(self) -> None:
        """The site comes back as it was."""
        if self._server is not None:
            return
        where = self.address.removeprefix("http://")
        command = [self._php, "-d", "display_errors=0", "-S", where, "-t"]
        command += [str(self._folder / "site"), str(self._folder / "router.php")]
        with (self._folder / "php.log").open("ab") as log:
            self._again = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._server = self._again.pid
        until = time.monotonic() + START_WITHIN
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.address + "/?robots=1", trust_env=False, timeout=30).status_code == 200:
                    return
            select.select([], [], [], 0.05)
        pytest.fail("WordPress did not come back")

    def close(self) -> None:
        self._editor.close()
        self.stop()


@pytest.fixture(scope="session")
def wordpress() -> Iterator[LiveWordPress]:
    """A real WordPress with a seeded post, comments, an edit, and things trashed and deleted."""
    script = SHARED / "servers" / "start_wordpress.py"
    if not script.is_file():
        unavailable(f"no {script.name} in {SHARED / 'servers'} (set MUNIMENT_SHARED)")
    if not Path("/usr/share/wordpress/wp-load.php").is_file():
        unavailable("the Debian package wordpress is not installed")
    found = {tool: shutil.which(tool) for tool in ("php", "mariadbd", "mariadb", "mariadb-install-db")}
    missing = [tool for tool, where in found.items() if where is None]
    php = found["php"]
    if missing or php is None:
        unavailable(f"not installed: {', '.join(missing)} (Debian: php8.2-cli php8.2-mysql mariadb-server)")
    with starting([sys.executable, str(script), "--port", str(free_port())]) as said:
        site = LiveWordPress(said, php)
        try:
            yield site
        finally:
            site.close()


@contextlib.contextmanager
def starting(command: list[str]) -> Iterator[Mapping[str, Any]]:
    """Run a start script until it has printed what it made; end it, and what it started, afterwards."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    said: dict[str, Any] = {}
    try:
        said = _what_it_says(process)
        yield said
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)  # the script ends its servers and removes its folder
        end_group(process.pid)
        for leader in said.get("pids", ()):
            end_group(leader)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def _what_it_says(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    heard, until = b"", time.monotonic() + START_WITHIN
    while time.monotonic() < until:
        if select.select([process.stdout], [], [], 0.2)[0]:
            piece = process.stdout.read()
            heard += piece or b""
            with contextlib.suppress(ValueError):
                said: dict[str, Any] = json.loads(heard)
                return said
            if piece == b"":
                break
    why = process.stderr.read().decode(errors="replace") if process.stderr and process.poll() else ""
    pytest.fail(f"the server did not start: {why[-800:]}", pytrace=False)

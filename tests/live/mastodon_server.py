"""A stateful mock of Mastodon's interface that is not ours (mastodon_mock), started on loopback for the tests.

`.ci/mastodon.sh` installs it into a folder of its own (`MUNIMENT_LIVE_CACHE`);
where it is missing the tests are skipped and say so. No real Mastodon could be
run here: this is the best stand-in that the package registries have.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.conftest import START_WITHIN, end_group, free_port, unavailable

_CACHES = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "muniment-live"
_CACHE = Path(os.environ.get("MUNIMENT_LIVE_CACHE", _CACHES)) / "mastodon"
PEOPLE = ("police", "jo", "al", "troll")


def token_of(person: str) -> str:
    """The token with which somebody acts on the mock."""
    return f"token-of-{person}-0123456789"


class LiveMastodon:
    """One server, its accounts, and what they do there. It keeps what it has while it is down."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder, self._port = program, folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"http://127.0.0.1:{self._port}"
        seeds = [
            f'[[seed.accounts]]\nusername = "{person}"\naccess_token = "{token_of(person)}"\n'
            + ('role = "admin"\n' if person == "al" else "")
            for person in PEOPLE
        ]
        settings = f'[database]\npath = "{folder / "mock.db"}"\n\n' + "\n".join(seeds)
        (folder / "mock.toml").write_text(settings, encoding="utf-8")

    @property
    def secret(self) -> dict[str, str]:
        return {"access_token": token_of("police")}

    def start(self) -> None:
        """The server comes up, with what it had."""
        if self._process is not None:
            return
        command = [str(self._program), "serve", "--config", str(self._folder / "mock.toml")]
        command += ["--host", "127.0.0.1", "--port", str(self._port), "--log-level", "error"]
        command += ["--domain", f"127.0.0.1:{self._port}"]
        with (self._folder / "mock.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + START_WITHIN
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.address + "/api/v2/instance", trust_env=False).status_code == 200:
                    return
            select.select([], [], [], 0.05)
        pytest.fail(f"mastodon_mock did not start: {(self._folder / 'mock.log').read_text()[-800:]}")

    def stop(self) -> None:
        """The server goes down; its database stays."""
        if self._process is not None:
            end_group(self._process.pid)
            self._process.wait(10)
            self._process = None

    def act(self, person: str, method: str, path: str, **fields: Any) -> Any:
        """Do what somebody does there."""
        answer = httpx.request(
            method,
            self.address + path,
            headers={"Authorization": f"Bearer {token_of(person)}"},
            json=fields or None,
            trust_env=False,
            timeout=30,
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def say(self, person: str, text: str, to: str | None = None, **more: Any) -> str:
        """Publish a status, or answer one; its id."""
        answering = {"in_reply_to_id": to} if to else {}
        identity: str = self.act(person, "POST", "/api/v1/statuses", status=text, **answering, **more)["id"]
        return identity

    def amend(self, person: str, identity: str, text: str) -> None:
        self.act(person, "PUT", f"/api/v1/statuses/{identity}", status=text)

    def delete(self, person: str, identity: str) -> None:
        self.act(person, "DELETE", f"/api/v1/statuses/{identity}")

    def picture(self, person: str, description: str) -> str:
        """Upload a picture of one pixel; its id."""
        pixel = bytes.fromhex(
            "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
        )
        answer = httpx.post(
            self.address + "/api/v2/media",
            headers={"Authorization": f"Bearer {token_of(person)}"},
            files={"file": ("sign.gif", pixel, "image/gif")},
            data={"description": description},
            trust_env=False,
            timeout=30,
        )
        assert answer.is_success, answer.text[:300]
        identity: str = answer.json()["id"]
        return identity

    def number(self, person: str) -> str:
        identity: str = self.act(person, "GET", "/api/v1/accounts/verify_credentials")["id"]
        return identity

    def fault(self, **rule: Any) -> None:
        """The mock's own door for trouble: what it is told here it does to what is asked of it."""
        self.act("al", "POST", "/api/v1/_mock/faults", **rule)

    def well_again(self) -> None:
        self.act("al", "DELETE", "/api/v1/_mock/faults")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[LiveMastodon]:
    """The mock, with four accounts and nothing said; it ends with its context."""
    program = _CACHE / "bin" / "mastodon_mock"
    if not program.is_file():
        unavailable(f"no mastodon_mock in {_CACHE}: run .ci/mastodon.sh, or set MUNIMENT_LIVE_CACHE")
    server = LiveMastodon(program, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()

"""A real MediaWiki on loopback, with the wiki's own doors to what its writers and administrators do.

It needs the Debian packages mediawiki, php8.2-cli, php8.2-sqlite3,
php8.2-intl, php8.2-mbstring and php8.2-xml.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.conftest import SHARED, START_WITHIN, end_group, free_port, starting, unavailable

INSTALLED = Path("/usr/share/mediawiki")
PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
BOT_PASSWORD = "r4nd0mb0tp4ssw0rd0fthe4rch1ve567"
"""MediaWiki takes a bot password of 32 letters and digits."""


class Writer:
    """Somebody with an account, signed in as a browser does."""

    def __init__(self, base: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=base, trust_env=False, timeout=60)
        self._token: str | None = None
        token = self.ask(action="query", meta="tokens", type="login")["query"]["tokens"]["logintoken"]
        said = self.ask(
            action="clientlogin", username=user, password=password, loginreturnurl=base, logintoken=token
        )
        assert said["clientlogin"]["status"] == "PASS", said

    def ask(self, **fields: str) -> Any:
        answer = self._client.post("/api.php", data={**fields, "format": "json", "formatversion": "2"})
        said = answer.json()
        assert "error" not in said, said
        return said

    def does(self, **fields: str) -> Any:
        """Change something on the wiki."""
        if self._token is None:
            self._token = self.ask(action="query", meta="tokens")["query"]["tokens"]["csrftoken"]
        return self.ask(**fields, token=self._token)

    def write(self, title: str, text: str, summary: str = "") -> dict[str, Any]:
        said: dict[str, Any] = self.does(action="edit", title=title, text=text, summary=summary)["edit"]
        assert said["result"] == "Success", said
        return said

    def upload(self, name: str, content: bytes) -> None:
        token = self.ask(action="query", meta="tokens")["query"]["tokens"]["csrftoken"]
        form = {"action": "upload", "filename": name, "ignorewarnings": "1", "token": token, "format": "json"}
        answer = self._client.post("/api.php", data=form, files={"file": (name, content, "image/gif")})
        assert answer.json()["upload"]["result"] == "Success", answer.text[:300]

    def close(self) -> None:
        self._client.close()


class LiveMediaWiki:
    """A MediaWiki that runs on loopback."""

    def __init__(self, said: Mapping[str, Any], php: str) -> None:
        self.address: str = said["base"]
        self._php = php
        self._folder = Path(said["dir"])
        self._settings = self._folder / "conf" / "LocalSettings.php"
        self._server: int | None = said["pid"]
        self._again: subprocess.Popen[bytes] | None = None
        self._env = {
            **os.environ,
            "MW_CONFIG_FILE": str(self._settings),
            "PHP_CLI_SERVER_WORKERS": "4",
            "MW_UPLOADS": str((self._folder / "images").resolve()),
        }
        self.admin = Writer(self.address, said["admin"]["user"], said["admin"]["password"])
        self.press = Writer(self.address, said["account"]["user"], said["account"]["password"])
        self.secret = {"user": "Admin@archive", "password": BOT_PASSWORD}
        self._maintain(
            "createBotPassword.php",
            "--appid",
            "archive",
            "--grants",
            "basic,viewdeleted",
            "Admin",
            BOT_PASSWORD,
        )

    @contextlib.contextmanager
    def set_to(self, php: str) -> Iterator[None]:
        """The wiki with other settings for a while."""
        before = self._settings.read_text()
        self._settings.write_text(f"{before}\n{php}\n")
        try:
            yield
        finally:
            self._settings.write_text(before)

    def stop(self) -> None:
        """The wiki goes down; its database stays."""
        if self._server is not None:
            end_group(self._server)
            self._server = None
        if self._again is not None:
            self._again.wait(10)
            self._again = None

    def start(self) -> None:
        """The wiki comes back as it was."""
        if self._server is not None:
            return
        command = [self._php, "-d", "opcache.enable_cli=1", "-d", "opcache.revalidate_freq=0", "-S"]
        command += [
            self.address.removeprefix("http://"),
            "-t",
            str(INSTALLED),
            str(self._folder / "router.php"),
        ]
        with (self._folder / "php.log").open("ab") as log:
            self._again = subprocess.Popen(
                command, env=self._env, stdout=log, stderr=log, start_new_session=True
            )
        self._server = self._again.pid
        until = time.monotonic() + START_WITHIN
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                asked = {"action": "query", "meta": "siteinfo", "format": "json"}
                answer = httpx.get(self.address + "/api.php", params=asked, trust_env=False, timeout=30)
                if answer.status_code == 200:
                    return
            select.select([], [], [], 0.05)
        pytest.fail("MediaWiki did not come back")

    def close(self) -> None:
        self.admin.close()
        self.press.close()
        self.stop()

    def _maintain(self, script: str, *arguments: str) -> None:
        command = [self._php, str(INSTALLED / "maintenance" / script), *arguments]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def running_mediawiki() -> Iterator[LiveMediaWiki]:
    """A real MediaWiki with an administrator, a press office and a bot password."""
    script = SHARED / "servers" / "start_mediawiki.py"
    if not script.is_file():
        unavailable(f"no {script.name} in {SHARED / 'servers'} (set MUNIMENT_SHARED)")
    if not (INSTALLED / "api.php").exists():
        unavailable("the Debian package mediawiki is not installed")
    php = shutil.which("php")
    if php is None:
        unavailable(
            "not installed: php (Debian: php8.2-cli php8.2-sqlite3 php8.2-intl php8.2-mbstring php8.2-xml)"
        )
    with starting([sys.executable, str(script), "--port", str(free_port())]) as said:
        wiki = LiveMediaWiki(said, php)
        try:
            yield wiki
        finally:
            wiki.close()

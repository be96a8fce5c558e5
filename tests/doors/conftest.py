"""An archive of an invented town, copied for each test, and the people who work in it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import __version__, officers
from app.capture import importing
from app.main import Archive, make, open_archive
from app.officers import NoMail, passes
from app.officers.passes import Kind
from app.records.clock import FixedClock
from app.records.nouns import Role
from app.settings import Settings
from app.store.store import Store
from app.web.app import create
from app.web.parts import Parts

FIRST = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECOND = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
THIRD = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 9, 18, 0, tzinfo=UTC)

POLICE = {"platform": "mastodon", "page": "Alder Creek Police"}
PARKS = {"platform": "wordpress", "page": "Alder Creek Parks"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
PASSWORD = "quiet herons wade slowly"


def item(native_id: str, text: str, hour: int, **more: Any) -> dict[str, Any]:
    """One invented observation."""
    return {
        **POLICE,
        "native_id": native_id,
        "kind": "comment" if "in_reply_to" in more else "post",
        "author": {
            "id": f"a-{native_id}",
            "name": f"Neighbour {native_id}",
            "handle": f"@n{native_id}@alder.example",
        },
        "published_at": (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)).isoformat(),
        "text": text,
        "url": f"https://social.alder.example/{native_id}",
        **more,
    }


HARMFUL = '<p>Bridge <b>closed</b></p><script>steal()</script><img src="https://elsewhere.example/x.png" alt="a map"><a href="javascript:steal()">look</a>'
FIRST_LINES = [
    item(
        "1", "The bridge on Mill Road is closed because of the flood.", 8, html=HARMFUL, counts={"likes": 3}
    ),
    item("2", "How long will the bridge stay closed?", 9, in_reply_to="1"),
    item("3", "Nobody tells us anything, as usual.", 10, in_reply_to="1"),
    item("4", "At least until Friday.", 11, in_reply_to="2"),
    item("5", '=HYPERLINK("https://elsewhere.example","click")', 12, in_reply_to="1"),
    item("6", "My number is in this letter.", 13, kind="message"),
    item("7", "A post that nobody dated.", 0, published_at=None, **PARKS),
    item(
        "8",
        "The meadow path is dry again.",
        14,
        **PARKS,
        attachments=[
            {"id": "meadow", "path": "meadow.png", "media_type": "image/png", "url": None},
            {"id": "plan", "path": "plan.html", "media_type": "text/html", "url": None},
        ],
    ),
]
SECOND_LINES = [
    item("1", "The bridge on Mill Road is open again for cars.", 8, html=None, counts={"likes": 5}),
    item("3", "Nobody tells us anything, as usual.", 10, in_reply_to="1", state="hidden"),
]
THIRD_LINES = [item("4", "At least until Friday.", 11, in_reply_to="2", state="gone")]

ROLES = {
    "reader": [Role.RECORDS_OFFICER],
    "custodian": [Role.RECORDS_OFFICER, Role.CUSTODIAN_OF_EVIDENCE],
    "confidant": [Role.RECORDS_OFFICER, Role.MESSAGES],
    "auditor": [Role.AUDITOR],
    "approver": [Role.APPROVER],
    "machine": [Role.INGEST],
}


@dataclass
class Town:
    """The archive with everybody's tokens; `administrator` made it and is a records officer too."""

    home: Path
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)


def settings(home: Path, **more: Any) -> Settings:
    return Settings(_env_file=None, home=home, public_url="http://testserver", **more)


@pytest.fixture(scope="session")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Made once: three imports on three days, so that things change, and one person for each role."""
    home = tmp_path_factory.mktemp("town") / "home"
    clock = FixedClock(FIRST)
    store = make(
        settings(home),
        agency="Town of Alder Creek",
        domain="alder.example",
        timezone="America/Juneau",
        clock=clock,
    )
    town = Town(home)
    with store.database.begin() as tx:
        first = officers.first(store, tx, "admin@alder.example")
    town.tokens["administrator"], town.ids["administrator"] = first.token, first.officer.id
    for name, roles in ROLES.items():
        with store.database.begin() as tx:
            invited = officers.add(
                store, tx, f"{name}@alder.example", roles, name=name.title(), by=first.officer, why="hired"
            )
            accepted = officers.accept(store, tx, invited.secret, PASSWORD)
        town.tokens[name], town.ids[name] = accepted.token, accepted.officer.id
    (home.parent / "meadow.png").write_bytes(PNG)
    (home.parent / "plan.html").write_bytes(b"<script>steal()</script>")
    for at, lines in ((FIRST, FIRST_LINES), (SECOND, SECOND_LINES), (THIRD, THIRD_LINES)):
        clock.at = at
        file = home.parent / f"{at:%d}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        importing.observations(
            store, file, page=None, make_pages=True, by=first.officer.id, why="a test", tick=lambda: 0.0
        )
    store.ledger.checkpoint()
    store.database.close()
    store.keyring.database.close()
    opened = open_archive(settings(home), clock)
    opened.follow()
    opened.close()
    return town


@pytest.fixture
def archive(laid: Town, tmp_path: Path) -> Iterator[Archive]:
    """A copy of the town's archive, opened, with its index caught up."""
    home = tmp_path / "home"
    shutil.copytree(laid.home, home)
    opened = open_archive(settings(home), FixedClock(NOW))
    yield opened
    opened.close()


@dataclass
class Started:
    """The captures that were asked for: what a builder would hand to its workers."""

    asked: list[tuple[UUID, UUID, str]] = field(default_factory=list)

    def __call__(self, page_id: UUID, by: UUID, why: str) -> None:
        self.asked.append((page_id, by, why))


def parts_of(archive: Archive, **more: Any) -> Parts:
    given: dict[str, Any] = {
        "store": archive.store,
        "settings": archive.settings,
        "version": __version__,
        "mailer": NoMail(),
        "index": archive.index,
        "add_page": archive.add_page,
        "capture": Started(),
        "desk": archive.desk(),
        "invite_manager": lambda page, email, by, why: archive.invite_manager(
            page, email, given["mailer"] if "mailer" not in more else more["mailer"], by=by, why=why
        ),
        "write_evidence": archive.write_evidence,
        "write_proof": archive.write_proof,
        "disposing": archive.disposing(),
    }
    return Parts(**(given | more))


_put_together: dict[bool, FastAPI] = {}


def serving(parts: Parts) -> FastAPI:
    """The application over these parts. It is put together once a process: to analyse its routes costs more than most tests."""
    https = parts.settings.public_url.startswith("https://")
    if https not in _put_together:
        _put_together[https] = create(parts)
    _put_together[https].state.parts = parts
    return _put_together[https]


@pytest.fixture
def web(archive: Archive) -> FastAPI:
    return serving(parts_of(archive))


class Person:
    """Somebody who asks the API with their token."""

    def __init__(self, app: FastAPI, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = TestClient(app, headers=headers, raise_server_exceptions=False, follow_redirects=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


class Browser(Person):
    """Somebody who reads pages: keeps cookies and posts the forms that it was shown."""

    def __init__(self, app: FastAPI, base_url: str = "http://testserver") -> None:
        self.client = TestClient(
            app, base_url=base_url, raise_server_exceptions=False, follow_redirects=False
        )

    def mark(self, page: str) -> str:
        """The mark of the first form on a page."""
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.client.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def send(self, page: str, to: str, **values: Any) -> Any:
        """Post a form of `page`."""
        return self.client.post(to, data={"csrf": self.mark(page), **values})

    def sign_in(self, email: str, password: str = PASSWORD) -> Any:
        return self.send("/sign-in", "/sign-in", email=email, password=password)


@pytest.fixture
def person(web: FastAPI, laid: Town):
    """`person("reader")` asks with that person's token; `person(None)` is a stranger."""
    return lambda name: Person(web, laid.tokens[name] if name else None)


@pytest.fixture
def browser(web: FastAPI, archive: Archive, laid: Town):
    """`browser("reader")` has a session already; `browser(None)` has none."""

    def opened(name: str | None) -> Browser:
        made = Browser(web)
        if name:
            with archive.store.database.begin() as tx:
                officer = officers.get(tx, laid.ids[name])
                session = passes.make(
                    archive.store, tx, Kind.SESSION, officer, lasts=timedelta(hours=1), used=True
                )
            made.client.cookies.set("muniment_session", session.secret)
        return made

    return opened


def record_of(store: Store, native_id: str) -> UUID:
    """The record that the platform knows by that id."""
    from app.capture import records

    with store.database.read() as tx:
        keys = range(1, 100)
        for one in records.read(store, tx, list(keys), messages=True):
            if one.version.text("native_id") == native_id:
                return one.id
    raise LookupError(native_id)

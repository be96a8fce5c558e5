"""The doors at which platforms tell by themselves: the genuine are heard, nobody learns anything, staff see how they stand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.capture import hints, hooks, pages
from app.cli import main as command
from app.db import Database
from app.main import Archive
from app.records.clock import FixedClock
from app.records.errors import Unavailable
from app.records.nouns import Page
from connectors.webhooks import LONGEST
from tests.doors.conftest import Person, Town, parts_of, serving

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
WORD = "a word that was agreed"
NUMBER = "100064000000001"
DOOR = "/hooks/facebook"
ASKED = {"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": "1158201444"}


@pytest.fixture
def page(archive: Archive, tmp_path: Path) -> Page:
    """A page on Facebook, and a door that was set up."""
    apps = tmp_path / "apps.toml"
    apps.write_text(f'[facebook]\nclient_secret = "{SECRET}"\nwebhook_token = "{WORD}"\n')
    archive.settings.apps_file = apps
    return archive.add_page(
        "facebook",
        f"https://www.facebook.com/{NUMBER}",
        name="Police on Facebook",
        custodian="",
        options={},
        by=UUID(int=7),
        why="test",
    )


@pytest.fixture
def web(archive: Archive) -> FastAPI:
    return serving(parts_of(archive, door=archive.door, doors=archive.doors, refusals=archive.refusals))


@pytest.fixture
def platform(page: Page, web: FastAPI) -> Person:
    return Person(web, None)


def delivery(archive: Archive, *, verb: str = "add", comment: str = "1_2", words: str = "Hello") -> bytes:
    at = int(archive.store.clock.now().timestamp())
    value = {
        "item": "comment",
        "verb": verb,
        "post_id": f"{NUMBER}_1",
        "comment_id": comment,
        "message": words,
    }
    entry = {"id": NUMBER, "time": at, "changes": [{"field": "feed", "value": value}]}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        "Content-Type": "application/json",
    }


def later(archive: Archive, **span: float) -> None:
    clock = archive.store.clock
    assert isinstance(clock, FixedClock)
    clock.at += timedelta(**span)


def waiting(archive: Archive, page: Page) -> list[str | None]:
    with archive.store.database.read() as tx:
        return [one.native_id for one in hints.waiting(archive.store, tx, page)]


def test_the_platform_is_greeted_by_its_own_word_and_a_stranger_by_none(platform: Person):
    answer = platform.get(DOOR, params=ASKED)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for asked in (ASKED | {"hub.verify_token": "another"}, {}, {"hub.challenge": "1"}):
        answer = platform.get(DOOR, params=asked)
        assert (answer.status_code, answer.content) == (403, b"")


def test_a_genuine_delivery_is_acknowledged_and_waits_to_be_looked_at(
    platform: Person, archive: Archive, page: Page
):
    body = delivery(archive)
    answer = platform.post(DOOR, content=body, headers=signed(body))
    assert (answer.status_code, answer.content) == (200, b"")
    assert waiting(archive, page) == [f"{NUMBER}_1"]


def test_the_signature_is_over_the_bytes_as_they_came(platform: Person, archive: Archive, page: Page):
    body = json.dumps(json.loads(delivery(archive)), indent=3).replace("\n", "\r\n").encode()
    assert platform.post(DOOR, content=body, headers=signed(body)).status_code == 200
    assert platform.post(DOOR, content=body.replace(b"\r\n", b"\n"), headers=signed(body)).status_code == 403


def test_a_delivery_that_comes_twice_is_acknowledged_twice_and_acts_once(
    platform: Person, archive: Archive, page: Page
):
    body = delivery(archive)
    told = [platform.post(DOOR, content=body, headers=signed(body)) for _ in range(2)]
    assert [(one.status_code, one.content) for one in told] == [(200, b"")] * 2
    with archive.store.database.read() as tx:
        assert hints.of_page(tx, page).waiting == 1


def test_whatever_is_wrong_is_answered_in_the_same_way_and_without_words(
    platform: Person, archive: Archive, page: Page, web: FastAPI
):
    body = delivery(archive)
    old = delivery(archive)
    later(archive, days=3)
    tried = [
        platform.post(DOOR, content=delivery(archive)),
        platform.post(DOOR, content=delivery(archive), headers=signed(body)),
        platform.post(DOOR, content=body, headers=signed(body, "another application's secret")),
        platform.post(DOOR, content=old, headers=signed(old)),
        platform.post(DOOR, content=b"{}", headers=signed(b"{}")),
        platform.post(DOOR, content=b""),
        platform.post("/hooks/feed", content=body, headers=signed(body)),
        platform.post("/hooks/no-such-connector", content=body, headers=signed(body)),
        platform.post("/hooks/instagram", content=body, headers=signed(body)),
        platform.post("/hooks/" + "x" * 200, content=body, headers=signed(body)),
        platform.post("/hooks/Face%00book", content=body, headers=signed(body)),
        platform.get("/hooks/no-such-connector", params=ASKED),
    ]
    assert {(one.status_code, one.content) for one in tried} == {(403, b"")}
    assert {tuple(sorted(one.headers)) for one in tried} == {tuple(sorted(tried[0].headers))}
    assert waiting(archive, page) == []


def test_what_is_too_long_is_refused_whether_it_says_so_beforehand_or_not(
    platform: Person, archive: Archive, page: Page
):
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    body = b" " * LONGEST + delivery(archive)
    assert platform.post(DOOR, content=body, headers=signed(body)).status_code == 413
    assert platform.post(DOOR, content=endless(), headers={"X-Hub-Signature-256": "x"}).status_code == 413
    just = (b" " * LONGEST + delivery(archive))[-LONGEST:]
    assert platform.post(DOOR, content=just, headers=signed(just)).status_code == 200
    archive.refusals.write(archive.store)
    assert [one["why"] for one in facebook(archive)["refused"]] == ["it is longer than any delivery"]


def test_a_delivery_that_breaks_off_is_none_and_troubles_nobody(
    platform: Person, archive: Archive, page: Page, web: FastAPI
):
    body = delivery(archive)
    headers = [(name.lower().encode(), value.encode()) for name, value in signed(body).items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
        "path": DOOR, "raw_path": DOOR.encode(), "root_path": "", "query_string": b"", "state": {},
        "headers": [(b"host", b"testserver"), *headers], "client": ("198.51.100.7", 1), "server": ("testserver", 443),
    }  # fmt: skip

    def come(*parts: dict[str, Any]) -> None:
        coming = iter(parts)

        async def receive() -> dict[str, Any]:
            return next(coming, {"type": "http.disconnect"})

        async def send(_: Any) -> None:
            """Nobody is there any more to be answered."""

        asyncio.run(web(scope, receive, send))

    come({"type": "http.request", "body": body[:20], "more_body": True})
    assert waiting(archive, page) == []
    come({"type": "http.request", "body": body, "more_body": False})
    assert waiting(archive, page) == [f"{NUMBER}_1"]


def test_whoever_is_refused_too_often_is_not_read_any_more_and_the_platform_is(
    platform: Person, archive: Archive, page: Page, web: FastAPI
):
    refused = [platform.post(DOOR, content=b"x").status_code for _ in range(70)]
    assert (refused[0], refused[-1]) == (403, 429)
    assert platform.get(DOOR, params=ASKED).status_code == 429
    elsewhere = TestClient(web, client=("198.51.100.7", 5000))
    body = delivery(archive)
    assert elsewhere.post(DOOR, content=body, headers=signed(body)).status_code == 200
    later(archive, minutes=1)
    assert platform.get(DOOR, params=ASKED).status_code == 200


def test_what_could_not_be_written_is_not_acknowledged_and_comes_again(
    platform: Person, archive: Archive, page: Page, monkeypatch: pytest.MonkeyPatch
):
    body = delivery(archive)

    def full(_self: Database) -> Any:
        raise Unavailable("the disk is full of the public's words")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "begin", full)
        answer = platform.post(DOOR, content=body, headers=signed(body))
    assert (answer.status_code, answer.content) == (503, b"")
    assert answer.headers["Retry-After"] == "60"
    assert platform.post(DOOR, content=body, headers=signed(body)).status_code == 200


def test_nobody_needs_a_session_and_no_cookie_is_given(platform: Person, archive: Archive, page: Page):
    body = delivery(archive)
    headers = signed(body) | {"Sec-Fetch-Site": "cross-site", "Cookie": "muniment_session=not-one-of-ours"}
    answer = platform.post(DOOR, content=body, headers=headers)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_a_file_of_applications_that_cannot_be_read_lets_the_platform_come_again(
    platform: Person, archive: Archive, page: Page
):
    assert archive.settings.apps_file is not None
    archive.settings.apps_file.write_text("[facebook")
    body = delivery(archive)
    assert platform.post(DOOR, content=body, headers=signed(body)).status_code == 503
    assert platform.get(DOOR, params=ASKED).status_code == 503


# -- how they stand ------------------------------------------------------------------------------------------


def facebook(archive: Archive) -> dict[str, Any]:
    with archive.store.database.read() as tx:
        (told,) = hooks.standing(tx, archive.doors(), "http://testserver")
    return told.as_dict()


def test_staff_see_over_the_api_how_the_doors_stand_and_strangers_do_not(
    platform: Person, archive: Archive, page: Page, person
):
    body = delivery(archive)
    platform.get(DOOR, params=ASKED)
    for _ in range(2):
        platform.post(DOOR, content=body, headers=signed(body))
    platform.post(DOOR, content=body)
    archive.refusals.write(archive.store)
    assert platform.get("/api/v1/hooks").status_code == 401
    (told,) = person("reader").get("/api/v1/hooks").json()
    counted = {name: one["count"] for name, one in told.items() if isinstance(one, dict)}
    assert counted == {"greeted": 1, "accepted": 1, "repeated": 1}
    assert (told["connector"], told["address"], told["set_up"], told["lacks"]) == (
        "facebook",
        "http://testserver/hooks/facebook",
        True,
        None,
    )
    assert [(one["why"], one["count"]) for one in told["refused"]] == [
        ("it bears no signature that we could check", 1)
    ]
    assert SECRET not in json.dumps(told)


def test_the_page_of_a_connection_says_what_is_told_and_what_the_operator_has_yet_to_do(
    platform: Person, archive: Archive, page: Page, browser
):
    shown = browser("reader").get(f"/pages/{page.id}/connection").text
    assert "http://testserver/hooks/facebook" in shown
    assert "nobody ever called" in shown
    body = delivery(archive, words="Words of somebody")
    platform.post(DOOR, content=body, headers=signed(body))
    shown = browser("reader").get(f"/pages/{page.id}/connection").text
    assert "nobody ever called" not in shown
    assert "Words of somebody" not in shown
    archive.settings.apps_file = None
    shown = browser("reader").get(f"/pages/{page.id}/connection").text
    assert "names no secret of the application" in shown
    assert SECRET not in shown
    assert WORD not in shown


def test_a_page_whose_platform_never_tells_has_no_such_section(archive: Archive, browser, page: Page):
    other = archive.add_page(
        "feed", "https://town.example/feed", name=None, custodian="", options={}, by=UUID(int=7), why="test"
    )
    assert "tells by itself" not in browser("reader").get(f"/pages/{other.id}/connection").text


def test_the_command_line_tells_the_same(
    archive: Archive,
    page: Page,
    laid: Town,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    monkeypatch.setenv("MUNIMENT_APPS_FILE", str(archive.settings.apps_file))
    monkeypatch.setenv("MUNIMENT_PUBLIC_URL", "https://archive.alder.example/")
    monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens["reader"])
    assert command(["hooks", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["connector"], one["set_up"], one["accepted"]) for one in told] == [("facebook", True, None)]
    assert command(["hooks"]) == 0
    said = capsys.readouterr().out
    assert "https://archive.alder.example/hooks/facebook" in said
    assert "nobody ever called" in said
    assert SECRET not in said
    assert command(["doctor", "--json"]) in (0, 5)
    checks = {one["what"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert "nobody ever called" in checks["webhooks"]["says"]
    assert not checks["webhooks"]["needed"], "passes make up for it"


def test_a_paused_page_is_told_of_in_vain(platform: Person, archive: Archive, page: Page):
    with archive.store.database.begin() as tx:
        pages.pause(archive.store, tx, page, by=UUID(int=7), why="test")
    body = delivery(archive)
    assert platform.post(DOOR, content=body, headers=signed(body)).status_code == 200
    assert waiting(archive, page) == []
    paused = facebook(archive)["paused"]
    assert paused["count"] == 1

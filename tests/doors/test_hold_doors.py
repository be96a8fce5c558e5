"""Matters, holds and quarantine through the doors: API, pages and command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from app.capture import pages
from app.cli import door
from app.holds import noticing
from app.main import Archive
from app.officers import mailer, passes
from app.officers.passes import Kind
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store import tables
from tests.doors.conftest import Browser, Person, Town, parts_of, record_of, serving
from tests.sinks import Sink


@pytest.fixture
def app(archive: Archive) -> FastAPI:
    return serving(parts_of(archive, guards=archive.guards))


def hired(archive: Archive, name: str, *roles: Role) -> str:
    """A token of somebody who works here."""
    made = Officer(id=new_id(), email=f"{name}@alder.example", name=name.title(), roles=frozenset(roles))
    with archive.store.database.begin() as tx:
        tx.execute(
            insert(tables.officers).values(
                id=made.id.bytes,
                email=made.email,
                name=made.name,
                roles=" ".join(roles),
                active=True,
                added_at=0,
            )
        )
        return passes.make(archive.store, tx, Kind.TOKEN, made, lasts=None).secret


@pytest.fixture
def attorney(app: FastAPI, archive: Archive) -> Person:
    return Person(app, hired(archive, "counsel", Role.ATTORNEY))


@pytest.fixture
def second(app: FastAPI, archive: Archive) -> Person:
    return Person(app, hired(archive, "second", Role.ATTORNEY))


def opened(attorney: Person, **more: Any) -> dict[str, Any]:
    told = attorney.post("/api/v1/matters", json={"name": "Doe v. Alder Creek", "why": "a letter", **more})
    assert told.status_code == 201, told.text
    made: dict[str, Any] = told.json()
    return made


# -- API ---------------------------------------------------------------------------------------------------


def test_a_hold_is_placed_seen_and_released_by_two_people(attorney: Person, second: Person, archive: Archive):
    matter = opened(attorney, trigger="2026-02-01", notes="a bridge")
    placed = attorney.post(
        "/api/v1/holds", json={"matter": matter["id"], "scope": "bridge", "why": "to be kept"}
    )
    assert placed.status_code == 201, placed.text
    told = placed.json()
    assert {"id", "matter", "covers", "possibly_disposed"} <= told.keys()
    assert told["possibly_disposed"] == {"records": 0, "basis": []}
    assert told["covers"] >= 2
    listed = attorney.get(f"/api/v1/holds/{told['id']}/records").json()
    assert listed["total"] == told["covers"]
    record = str(record_of(archive.store, "1"))
    assert record in {one["id"] for one in listed["records"]}
    assert second.get(f"/api/v1/records/{record}").json()["held"] is True
    hits = second.get("/api/v1/records?q=bridge").json()["records"]
    assert {one["held"] for one in hits} == {True}
    asked = attorney.post(f"/api/v1/holds/{told['id']}/release", json={"why": "settled"})
    assert asked.json()["state"] == "release-asked"
    same = attorney.post(f"/api/v1/holds/{told['id']}/approve-release", json={"why": "settled"})
    assert (same.status_code, same.json()["code"]) == (409, "release-same-person")
    done = second.post(f"/api/v1/holds/{told['id']}/approve-release", json={"why": "settled"}).json()
    assert done["state"] == "release-approved"
    assert done["release"]["effective_at"].startswith("2026-03-16")


def test_a_preview_places_nothing_and_says_what_is_just_outside(attorney: Person):
    matter = opened(attorney)
    told = attorney.post("/api/v1/holds/preview", json={"matter": matter["id"], "scope": "close"}).json()
    assert told["covers"] == told["by_basis"]["undecided"]
    assert any("closed" in one["words"] for one in told["near_misses"])
    assert attorney.get("/api/v1/holds").json()["total"] == 0


@pytest.mark.parametrize("scope", ["tag:x", "state:gone flood", "flood AND ("])
def test_a_scope_that_is_refused_points_at_the_place(scope: str, attorney: Person):
    matter = opened(attorney)
    told = attorney.post("/api/v1/holds", json={"matter": matter["id"], "scope": scope, "why": "x"})
    assert told.status_code == 422
    assert told.json()["code"] in ("scope-refused", "bad-query")
    assert isinstance(told.json()["position"], int)
    assert told.json()["next"]


def test_an_author_who_is_left_empty_is_refused_and_nothing_is_placed(attorney: Person):
    matter = opened(attorney)
    for path in ("/api/v1/holds", "/api/v1/holds/preview"):
        told = attorney.post(
            path, json={"matter": matter["id"], "scope": "bridge", "authors": [" "], "why": "x"}
        )
        assert (told.status_code, told.json()["code"]) == (422, "empty-scope")
    assert attorney.get("/api/v1/holds").json()["total"] == 0


BROKEN = json.loads('"\\ud800"')
"""Half a character, as a program that cuts text in the wrong place sends it."""


def test_half_a_character_is_refused_wherever_it_stands_and_nothing_is_placed(attorney: Person):
    matter = opened(attorney)
    at = f"/api/v1/matters/{matter['id']}"
    hold = attorney.post("/api/v1/holds", json={"matter": matter["id"], "scope": "bridge", "why": "x"}).json()
    asked: list[tuple[str, dict[str, object]]] = [
        ("/api/v1/holds", {"matter": matter["id"], "scope": "bridge", "authors": [BROKEN]}),
        ("/api/v1/holds", {"matter": matter["id"], "scope": "bridge", "from": BROKEN}),
        ("/api/v1/holds/preview", {"matter": matter["id"], "scope": BROKEN}),
        (f"/api/v1/holds/{hold['id']}/notices", {"to": BROKEN}),
        (f"{at}/custodians", {"name": "Pat", "email": BROKEN}),
        (f"{at}/custodians/leave", {"email": BROKEN}),
    ]
    for path, value in asked:
        told = attorney.post(
            path,
            content=json.dumps({"why": "x", **value}),  # in ASCII, with the escape
            headers={"content-type": "application/json"},
        )
        assert (told.status_code, told.json()["code"]) == (422, "invalid"), path
    assert attorney.get("/api/v1/holds", params={"matter": matter["id"]}).json()["total"] == 1


def test_only_attorneys_open_matters_and_place_holds(
    attorney: Person, person: Callable[[str], Person], app: FastAPI
):
    assert person("reader").post("/api/v1/matters", json={"name": "x", "why": "x"}).status_code == 403
    matter = opened(attorney)
    told = person("reader").post("/api/v1/holds", json={"matter": matter["id"], "scope": "flood", "why": "x"})
    assert (told.status_code, told.json()["code"]) == (403, "not-your-matter")
    assert person("reader").get(f"/api/v1/matters/{matter['id']}").json()["name"] == "Doe v. Alder Creek"


def test_custodians_members_notes_and_closing(attorney: Person, second: Person):
    matter = opened(attorney)
    at = f"/api/v1/matters/{matter['id']}"
    refused = attorney.post(f"{at}/custodians", json={"name": "Pat", "email": "", "why": "x"})
    assert (refused.status_code, refused.json()["code"]) == (422, "custodian-without-address")
    told = attorney.post(
        f"{at}/custodians", json={"name": "Pat", "email": "pat@alder.example", "why": "x"}
    ).json()
    assert [one["email"] for one in told["custodians"]] == ["pat@alder.example"]
    told = attorney.post(f"{at}/members", json={"email": "second@alder.example", "why": "x"}).json()
    assert told["members"] == ["counsel@alder.example", "second@alder.example"]
    told = second.post(
        f"{at}/change", json={"note": "spoke with Pat", "trigger": "2026-01-05", "why": "x"}
    ).json()
    assert (told["notes"][-1]["text"], told["trigger"]) == ("spoke with Pat", "2026-01-05")
    assert attorney.post(f"{at}/close", json={"why": "over"}).json()["state"] == "closed"


def test_a_page_under_a_hold_is_not_paused_without_consent(attorney: Person, app: FastAPI, laid: Town):
    admin = Person(app, laid.tokens["administrator"])
    matter = opened(attorney)
    hold = attorney.post("/api/v1/holds", json={"matter": matter["id"], "scope": "flood", "why": "x"}).json()
    page = attorney.get("/api/v1/pages").json()["pages"][0]["id"]
    told = admin.post(f"/api/v1/pages/{page}/pause", json={"why": "a relaunch"})
    assert (told.status_code, told.json().get("code")) == (409, "page-is-needed"), told.text
    attorney.post(f"/api/v1/holds/{hold['id']}/consent", json={"page": page, "why": "handed over"})
    told = admin.post(f"/api/v1/pages/{page}/pause", json={"why": "a relaunch"})
    assert told.status_code == 200, told.text


def test_quarantine_cuts_off_every_route_for_everybody_else(
    attorney: Person, person: Callable[[str], Person], archive: Archive
):
    record = str(record_of(archive.store, "1"))
    reader, custodian = person("reader"), person("custodian")
    before = reader.get("/api/v1/records?q=bridge&facets=kind").json()
    told = attorney.post(
        "/api/v1/quarantine",
        json={"record": record, "with": "auditor@alder.example", "why": "an order comes"},
    )
    assert told.status_code == 201, told.text
    for path in ("", "/versions", "/family", "/evidence", "/proof"):
        random = custodian.get(f"/api/v1/records/{new_id()}{path}")
        gone = custodian.get(f"/api/v1/records/{record}{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, random.json()["code"]), path
    assert reader.get(f"/records/{record}").status_code == 404
    after = reader.get("/api/v1/records?q=bridge&facets=kind").json()
    assert after["total"] == before["total"] - 1
    assert record not in json.dumps(after)
    assert record not in custodian.get("/api/v1/records.ndjson?q=*").text
    assert record not in reader.get("/search?q=bridge").text
    assert attorney.get(f"/api/v1/records/{record}").status_code == 200
    assert person("auditor").get(f"/api/v1/records/{record}").status_code == 200
    assert attorney.get("/api/v1/quarantine").json()["total"] == 1
    assert reader.get("/api/v1/quarantine").json()["total"] == 0
    assert attorney.post(f"/api/v1/quarantine/{record}/end", json={"why": "no order"}).status_code == 200
    assert reader.get(f"/api/v1/records/{record}").status_code == 200


# -- pages -------------------------------------------------------------------------------------------------


@pytest.fixture
def counsel(app: FastAPI, archive: Archive, attorney: Person) -> Browser:
    """The attorney's browser."""
    from datetime import timedelta

    from app import officers

    browser = Browser(app)
    with archive.store.database.begin() as tx:
        officer = officers.find(tx, "counsel@alder.example")
        session = passes.make(archive.store, tx, Kind.SESSION, officer, lasts=timedelta(hours=1), used=True)
    browser.client.cookies.set("muniment_session", session.secret)
    return browser


def test_on_pages_a_matter_is_opened_and_a_hold_previewed_placed_and_released(counsel: Browser):
    made = counsel.send("/matters", "/matters", name="The fence", why="a letter", members="", notes="")
    assert made.status_code == 303, made.text
    matter = made.headers["location"]
    identity = matter.rpartition("/")[2]
    assert "The fence" in counsel.get(matter).text
    preview = counsel.send(f"{matter}/place", "/holds", matter=identity, scope="close", step="preview")
    assert "Just outside" in preview.text
    missing = counsel.send(f"{matter}/place", "/holds", matter=identity, scope="bridge", step="place", why="")
    assert missing.status_code == 422
    placed = counsel.send(
        f"{matter}/place", "/holds", matter=identity, scope="bridge", step="place", why="kept"
    )
    assert placed.status_code == 303, placed.text
    hold = placed.headers["location"]
    assert "meet the scope" in counsel.get(hold).text
    counsel.send(matter, f"{matter}/custodian", name="Pat", email="pat@alder.example", why="has drafts")
    counsel.send(hold, f"{hold}/notify", custodian="pat@alder.example", why="must keep")
    assert "pat@alder.example" in counsel.get(hold).text
    asked = counsel.send(hold, f"{hold}/release", why="settled")
    assert asked.status_code == 303
    assert "release asked" in counsel.get(hold).text
    refused = counsel.send(hold, f"{hold}/approve-release", why="settled")
    assert refused.status_code == 409
    assert "Matters and holds" in counsel.get("/matters").text


def test_on_its_page_a_matter_is_said_to_be_about_other_pages_or_none(counsel: Browser, archive: Archive):
    made = counsel.send("/matters", "/matters", name="The fence", why="a letter", members="", notes="")
    matter = made.headers["location"]
    with archive.store.database.read() as tx:
        police, parks = (page for page in pages.listed(tx))

    def said(*about: UUID, why: str = "they said so") -> Any:
        form = {"csrf": counsel.mark(matter), "page": [str(one) for one in about], "why": why}
        return counsel.client.post(f"{matter}/pages", data=form)

    form = counsel.get(matter).text
    assert f'action="{matter}/pages"' in form
    assert "selected" not in form.partition(f'action="{matter}/pages"')[2].partition("</form>")[0]
    changed = said(parks.id, police.id)
    assert changed.status_code == 303, changed.text
    shown = counsel.get(matter).text
    assert f"{parks.name}, {police.name}" in shown
    assert f'<option value="{parks.id}" selected>' in shown
    assert said(new_id()).status_code == 404
    assert said(parks.id, why="").status_code == 422
    assert f"{parks.name}, {police.name}" in counsel.get(matter).text
    assert said(why="about no page").status_code == 303
    assert "none is named" in counsel.get(matter).text


def test_a_custodian_acknowledges_without_an_account(
    counsel: Browser, archive: Archive, app: FastAPI, serve: Callable[..., Sink]
):
    sink = serve()
    matter = counsel.send("/matters", "/matters", name="The fence", why="a letter").headers["location"]
    counsel.send(matter, f"{matter}/custodian", name="Pat", email="pat@alder.example", why="has drafts")
    placed = counsel.send(
        f"{matter}/place",
        "/holds",
        matter=matter.rpartition("/")[2],
        scope="bridge",
        step="place",
        why="kept",
    )
    hold = placed.headers["location"]
    counsel.send(hold, f"{hold}/notify", custodian="pat@alder.example", why="must keep")
    post = mailer(f"smtp://127.0.0.1:{sink.port}", "archive@alder.example", clock=archive.store.clock)
    assert noticing.send(archive.store, post, "http://testserver") == 1
    found = re.search(r"http://testserver(/hold-notice/\S+)", sink.messages()[0].get_content())
    assert found
    pat = Browser(app)
    assert "I have read this" in pat.get(found[1]).text
    assert "You acknowledged" in pat.send(found[1], found[1]).text
    assert "acknowledged" in counsel.get(hold).text
    assert pat.get("/hold-notice/not-a-secret").status_code == 404
    assert pat.client.post(found[1]).status_code == 403


def noticed(archive: Archive, attorney: Person, sink: Sink) -> tuple[str, str]:
    """A matter, and a hold of it that a custodian was told of and acknowledged."""
    matter = str(opened(attorney, trigger="2026-02-01")["id"])
    attorney.post(f"/api/v1/matters/{matter}/custodians", json={"name": "Pat", "email": PAT, "why": "drafts"})
    asked = {"matter": matter, "scope": "bridge", "why": "kept"}
    hold = str(attorney.post("/api/v1/holds", json=asked).json()["id"])
    attorney.post(f"/api/v1/holds/{hold}/notices", json={"to": PAT, "why": "must keep"})
    post = mailer(f"smtp://127.0.0.1:{sink.port}", "archive@alder.example", clock=archive.store.clock)
    assert noticing.send(archive.store, post, "http://testserver") == 1
    found = re.search(r"http://testserver/hold-notice/(\S+)", sink.messages()[0].get_content())
    assert found
    with archive.store.database.begin() as tx:
        noticing.acknowledge(archive.store, tx, found[1])
    return matter, hold


PAT = "pat@alder.example"


@pytest.mark.parametrize("way", ["api", "page", "command line"])
def test_by_every_door_another_trigger_date_gives_notice_anew_and_a_note_does_not(
    way: str,
    attorney: Person,
    archive: Archive,
    serve: Callable[..., Sink],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    matter, hold = noticed(archive, attorney, serve())
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    monkeypatch.setenv("MUNIMENT_TOKEN", hired(archive, "third", Role.ATTORNEY))

    def changed(**to: str) -> list[tuple[str, str]]:
        match way:
            case "api":
                attorney.post(f"/api/v1/matters/{matter}/change", json={**to, "why": "a letter"})
            case "page":
                browser: Browser = request.getfixturevalue("counsel")
                browser.send(f"/matters/{matter}", f"/matters/{matter}/note", **to, why="a letter")
            case _:
                words = [word for name, value in to.items() for word in (f"--{name}", value)]
                assert door.main(["matter", "change", matter, *words, "--why", "a letter"]) == 0
                capsys.readouterr()
        told = attorney.get(f"/api/v1/holds/{hold}/notices").json()["notices"]
        return [(one["kind"], one["state"]) for one in told]

    before = [("notice", "acknowledged")]
    assert changed(note="counsel called") == before
    assert changed(trigger="2026-02-01") == before
    assert changed(trigger="2026-01-15") == [*before, ("changed", "waiting")]


def test_the_link_of_a_notice_that_is_over_asks_nobody_to_keep_anything(
    attorney: Person, archive: Archive, app: FastAPI, serve: Callable[..., Sink]
):
    sink = serve()
    matter, _ = noticed(archive, attorney, sink)
    found = re.search(r"http://testserver(/hold-notice/\S+)", sink.messages()[0].get_content())
    assert found
    pat = Browser(app)
    assert "must keep certain records" in pat.get(found[1]).text
    attorney.post(f"/api/v1/matters/{matter}/change", json={"trigger": "2026-01-15", "why": "a letter"})
    told = pat.get(found[1]).text
    assert "It is over: what holds now is said by the newest letter" in told
    assert "must keep certain records" not in told
    assert "Thank you. Keep" not in told


# -- command line ------------------------------------------------------------------------------------------


def test_the_command_line_places_and_releases(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    tokens = {name: hired(archive, name, Role.ATTORNEY) for name in ("counsel", "second")}

    def run(*words: str, by: str = "counsel", code: int = 0) -> Any:
        monkeypatch.setenv("MUNIMENT_TOKEN", tokens[by])
        assert door.main([*words, "--json"]) == code, capsys.readouterr()
        return json.loads(capsys.readouterr().out)

    matter = run("matter", "open", "Doe", "--silent", "--why", "a letter")
    assert run("matter", "list")[0]["name"] == "Doe"
    assert run("matter", "list", by="second") == []
    assert (
        run("hold", "place", str(new_id()), "--scope", "x", "--why", "x", code=3)["error"]["code"]
        == "no-such-matter"
    )
    assert (
        run("hold", "place", "Doe", "--scope", "tag:x", "--why", "x", code=2)["error"]["code"]
        == "scope-refused"
    )
    run("hold", "preview", "Doe", "--scope", "close")
    placed = run("hold", "place", "Doe", "--scope", "bridge", "--why", "kept")
    assert {"id", "matter", "covers", "possibly_disposed"} <= placed.keys()
    assert run("hold", "records", placed["id"])["total"] == placed["covers"]
    assert run("hold", "list")[0]["covers"] == placed["covers"]
    assert run("hold", "list", by="second") == []
    assert run("hold", "preview-release", placed["id"])["freed"] == placed["covers"]
    assert run("matter", "close", "Doe", "--why", "x", code=4)["error"]["code"] == "matter-has-holds"
    run("matter", "member", "Doe", "second@alder.example", "--why", "helps")
    run("hold", "release", placed["id"], "--why", "settled")
    approved = run("hold", "approve-release", placed["id"], "--why", "settled", by="second")
    assert approved["state"] == "release-approved"
    assert run("hold", "cancel-release", placed["id"], "--why", "no")["state"] == "active"
    assert run("hold", "release", placed["id"], code=2)["error"]["code"] == "why-missing"
    assert run("matter", "show", matter["id"])["silent"] is True


def test_the_command_line_cuts_off_access(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    token, record = hired(archive, "counsel", Role.ATTORNEY), str(record_of(archive.store, "1"))

    def run(*words: str, token: str, code: int = 0) -> Any:
        monkeypatch.setenv("MUNIMENT_TOKEN", token)
        assert door.main([*words, "--json"]) == code, capsys.readouterr()
        return json.loads(capsys.readouterr().out)

    refused = run("quarantine", record, "--why", "x", token=token, code=2)
    assert refused["error"]["code"] == "bad-quarantine"
    run("quarantine", record, "--with", "auditor@alder.example", "--why", "an order", token=token)
    reader = laid.tokens["reader"]
    assert run("record", "show", record, token=reader, code=3)["error"]["code"] == "no-such-record"
    assert run("record", "show", record, token=token)["id"] == record
    run("quarantine", record, "--end", "--why", "no order", token=token)
    assert run("record", "show", record, token=reader)["id"] == record

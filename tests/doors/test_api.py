"""The API: who may ask what, how errors look, and that a yes is only said after the commit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from sqlalchemy import Connection, event
from starlette.testclient import TestClient

from app.db import ArchiveBusy
from app.main import Archive
from app.records.nouns import Role
from app.web import forms, who
from app.web.transactions import reading, transaction
from tests.doors.conftest import Person, parts_of, record_of

PUBLIC = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/hold-notice/{secret}",  # a custodian acknowledges, who has no account
    "/given/{token}",  # whoever was given a production by a link
    "/given/{token}/folder.zip",
    "/static",
    "/api/v1/openapi.json",
    "/api/v1/ledger/checkpoint",
    "/api/v1/ledger/vkey",
    "/api/v1/ledger/tile/{path:path}",
    "/api/v1/ledger/consistency/{old}/{new}",
    "/api/v1/ledger/proof/{index}",
    "/api/v1/ledger/checkpoint/{size}",
    "/api/v1/ledger/checkpoint/{size}/timestamps",
    "/api/v1/ledger/timestamp/{digest}",
    "/sign-in",
    "/sign-out",
    "/forgot",
    "/reset/{secret}",
    "/invitation/{secret}",
    "/connect/back",
    "/connect/{secret}",
    "/connect/{secret}/leave",
    "/hooks/{connector}",  # platforms, which sign what they tell
}


def routes(app: FastAPI) -> list[RouteContext]:
    """Every route, those of included routers too."""
    return list(iter_route_contexts(app.routes))


def calls(dependant: Any) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from calls(one)


# -- who may ask -------------------------------------------------------------------------------------------


def test_every_route_asks_who_is_there(web):
    found = routes(web)
    assert len(found) > 60
    open_to_all = {
        route.path
        for route in found
        if not isinstance(route.original_route, APIRoute)
        or not any(isinstance(call, who.Holding) for call in calls(route.dependant))
    }
    assert open_to_all == PUBLIC


def test_every_form_is_bound_to_its_session(web):
    posts = [r for r in routes(web) if "POST" in (r.methods or ()) and not str(r.path).startswith("/api/")]
    assert len(posts) > 12
    others = [r.path for r in posts if forms.posted not in list(calls(r.dependant))]
    assert others == ["/hooks/{connector}"], "what a platform delivers is no form: it is signed"


def test_no_route_waits_for_the_database_before_it_knows_who_asks(web):
    """A stranger must not be able to make writers wait."""
    checked = 0
    for route in routes(web):
        if isinstance(route.original_route, APIRoute):
            order = [one.call for one in route.dependant.dependencies]
            held = [place for place, call in enumerate(order) if isinstance(call, who.Holding)]
            opened = [place for place, call in enumerate(order) if call in {transaction, reading}]
            if held and opened:
                checked += 1
                assert held[0] < opened[0], route.path
    assert checked > 20


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (None, "/api/v1/pages", 401),
        ("machine", "/api/v1/pages", 200),
        ("machine", "/api/v1/audit", 403),
        ("administrator", "/api/v1/audit", 403),
        ("auditor", "/api/v1/audit", 200),
        ("auditor", "/api/v1/users", 403),
        ("administrator", "/api/v1/users", 200),
        ("approver", "/api/v1/accesses", 403),
        ("auditor", "/api/v1/accesses", 200),
    ],
)
def test_a_role_opens_its_own_doors_and_no_other(person, role, path, status):
    assert person(role).get(path).status_code == status


def test_somebody_without_a_reading_role_does_not_read_records(person, archive):
    record = record_of(archive.store, "1")
    assert person("reader").get(f"/api/v1/records/{record}").status_code == 200
    for role in ("machine", "approver"):
        for what in ("", "/versions", "/family"):
            assert person(role).get(f"/api/v1/records/{record}{what}").status_code == 403


def test_a_token_that_was_revoked_opens_nothing(person, archive, laid):
    from app import officers

    assert person("reader").get("/api/v1/pages").status_code == 200
    with archive.store.database.begin() as tx:
        reader = officers.get(tx, laid.ids["reader"])
        name = officers.pass_id(laid.tokens["reader"])
        officers.revoke(archive.store, tx, reader, name, by=reader, why="lost")
    answer = person("reader").get("/api/v1/pages")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_session_over_the_api_needs_the_mark_of_its_forms_to_change_anything(browser, archive):
    reader = browser("reader")
    page = reader.get("/api/v1/pages").json()["pages"][0]["id"]
    body = {"why": "seen and agreed"}
    assert reader.post(f"/api/v1/pages/{page}/approve", json=body).json()["code"] == "form-expired"
    marked = reader.post(
        f"/api/v1/pages/{page}/approve", json=body, headers={"X-CSRF-Token": reader.mark("/")}
    )
    assert marked.status_code == 200
    assert marked.json()["approved"] is True


# -- transactions ------------------------------------------------------------------------------------------


@contextmanager
def commits_failing(archive: Archive, failure: Exception) -> Iterator[None]:
    """While this lasts, everything goes well until the database is told to commit."""

    def fails(tx: Connection) -> None:
        if tx.get_execution_options().get("muniment_writes"):
            raise failure

    event.listen(archive.store.database.engine, "commit", fails)
    try:
        yield
    finally:
        event.remove(archive.store.database.engine, "commit", fails)


@pytest.mark.parametrize(
    ("failure", "status"), [(ArchiveBusy("nobody may write"), 503), (RuntimeError("torn"), 500)]
)
def test_a_commit_that_fails_is_never_a_yes(person, archive, failure, status):
    page = person("reader").get("/api/v1/pages").json()["pages"][0]["id"]
    with commits_failing(archive, failure):
        answer = person("reader").post(f"/api/v1/pages/{page}/approve", json={"why": "seen"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "torn" not in answer.text
    assert person("reader").get(f"/api/v1/pages/{page}").json()["approved"] is False
    assert person("reader").post(f"/api/v1/pages/{page}/approve", json={"why": "seen"}).status_code == 200


@pytest.mark.parametrize(("scope", "status"), [("function", 500), ("request", 200)])
def test_only_the_scope_of_the_function_commits_before_the_answer(archive, scope, status):
    """The twin: with FastAPI's own default, the same failure would have been a yes."""
    app = FastAPI()
    app.state.parts = parts_of(archive)

    app.add_api_route("/", lambda: "kept", methods=["POST"], dependencies=[Depends(transaction, scope=scope)])
    with commits_failing(archive, RuntimeError("torn")):
        assert TestClient(app, raise_server_exceptions=False).post("/").status_code == status


# -- errors ------------------------------------------------------------------------------------------------


def test_errors_are_problems_with_a_stable_code(person):
    answer = person("reader").get(f"/api/v1/records/{uuid4()}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == "urn:muniment:error:no-such-record"
    assert told["code"] == "no-such-record"
    assert {"title", "status", "detail", "next"} <= told.keys()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/records/not-an-id", 422, "invalid"),
        ("/api/v1/pages?limit=0", 422, "invalid"),
        ("/api/v1/pages?cursor=nonsense", 422, "bad-cursor"),
        ("/api/v1/nothing-here", 404, "not-found"),
        (f"/api/v1/captures/{UUID(int=404)}", 404, "no-such-run"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_too(person, path, status, code):
    answer = person("reader").get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_method_that_is_not_there_is_a_problem_too(person):
    answer = person("reader").delete("/api/v1/pages")
    assert answer.status_code == 405
    assert answer.json()["status"] == 405


def test_what_was_not_expected_says_nothing_of_the_inside(web, laid, archive, monkeypatch):
    from app.capture import pages

    def fails(tx: Any) -> Any:
        raise ZeroDivisionError("the secret of Jane Doe")

    monkeypatch.setattr(pages, "listed", fails)
    answer = Person(web, laid.tokens["reader"]).get("/api/v1/pages")
    assert answer.status_code == 500
    assert answer.json()["code"] == "unexpected"
    assert "Jane" not in answer.text
    assert "Zero" not in answer.text


def test_every_answer_is_careful(person, browser):
    for answer in (
        person("reader").get("/api/v1/pages"),
        person(None).get("/api/v1/pages"),
        browser(None).get("/sign-in"),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers


def test_the_description_of_the_api_can_be_read_by_anybody(person):
    told = person(None).get("/api/v1/openapi.json").json()
    assert "/api/v1/records/{record}/family" in told["paths"]
    assert not any(path.startswith(("/sign-in", "/users", "/metrics")) for path in told["paths"])


# -- pages and captures ------------------------------------------------------------------------------------


def test_pages_are_listed_in_parts_with_their_exact_total(person):
    first = person("reader").get("/api/v1/pages?limit=1").json()
    assert (first["total"], len(first["pages"])) == (2, 1)
    second = person("reader").get("/api/v1/pages", params={"limit": 1, "cursor": first["next"]}).json()
    assert second["next"] is None
    assert {first["pages"][0]["name"], second["pages"][0]["name"]} == {
        "Alder Creek Police",
        "Alder Creek Parks",
    }


def test_a_page_is_added_paused_resumed_and_connected(person):
    reader = person("reader")
    body = {
        "connector": "feed",
        "address": "https://alder.example/feed",
        "name": "Notices",
        "why": "it is ours",
    }
    made = reader.post("/api/v1/pages", json=body)
    assert made.status_code == 201, made.text
    page = made.json()["id"]
    assert made.json()["approved"] is False
    assert (
        reader.post(f"/api/v1/pages/{page}/pause", json={"why": "moving house"}).json()["status"] == "paused"
    )
    again = reader.post(f"/api/v1/pages/{page}/pause", json={"why": "moving house"})
    assert (again.status_code, again.json()["code"]) == (409, "refused")
    assert reader.post(f"/api/v1/pages/{page}/resume", json={"why": "moved"}).json()["status"] == "active"
    secret = {"secret": {"user": "archive", "password": "b7!kept-apart"}, "why": "ours"}
    connected = reader.post(f"/api/v1/pages/{page}/connect", json=secret)
    assert connected.json()["connected"] is True
    assert "b7!kept-apart" not in connected.text


def test_a_change_without_a_reason_is_not_made(person):
    page = person("reader").get("/api/v1/pages").json()["pages"][0]["id"]
    answer = person("reader").post(f"/api/v1/pages/{page}/approve", json={"why": "  "})
    assert (answer.status_code, answer.json()["code"]) == (422, "reason-missing")


def test_runs_are_listed_newest_first_and_shown_with_their_gaps(person):
    told = person("reader").get("/api/v1/captures?limit=2").json()
    assert told["total"] == 3
    assert [run["began_at"] for run in told["captures"]] == ["2026-03-06T10:00:00Z", "2026-03-04T10:00:00Z"]
    rest = person("reader").get("/api/v1/captures", params={"limit": 2, "cursor": told["next"]}).json()
    assert (len(rest["captures"]), rest["next"]) == (1, None)
    shown = person("reader").get(f"/api/v1/captures/{rest['captures'][0]['run']}").json()
    assert shown["new"] == 8
    assert shown["gaps"] == []
    assert shown["kind"] == "import"


def test_starting_a_capture_is_accepted_and_says_where_it_will_show(web, person):
    page = person("reader").get("/api/v1/pages").json()["pages"][0]["id"]
    answer = person("machine").post("/api/v1/captures", json={"page": page, "why": "the flood"})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/captures?page={page}"
    assert [(str(asked[0]), asked[2]) for asked in web.state.parts.capture.asked] == [(page, "the flood")]
    assert person("approver").post("/api/v1/captures", json={"page": page}).status_code == 403


# -- people and traces -------------------------------------------------------------------------------------


def test_an_administrator_invites_changes_roles_and_shuts_out(person, laid):
    admin = person("administrator")
    new = {"email": "new@alder.example", "name": "New", "roles": ["approver"], "why": "hired"}
    made = admin.post("/api/v1/users", json=new)
    assert made.status_code == 201
    assert made.json()["invitation"].startswith("muniment-invitation-")
    user = made.json()["user"]["id"]
    changed = admin.post(f"/api/v1/users/{user}/roles", json={"roles": ["auditor"], "why": "moved"})
    assert changed.json()["roles"] == ["auditor"]
    shut = admin.post(f"/api/v1/users/{laid.ids['approver']}/deactivate", json={"why": "left"})
    assert shut.json()["active"] is False
    assert person("approver").get("/api/v1/pages").status_code == 401
    assert admin.get("/api/v1/users").json()["total"] == 8


def test_the_audit_is_paged_newest_first_and_names_who_and_why(person, laid):
    auditor = person("auditor")
    first = auditor.get("/api/v1/audit?limit=5").json()
    assert len(first["acts"]) == 5
    entries = [act["entry"] for act in first["acts"]]
    assert entries == sorted(entries, reverse=True)
    seen, cursor = list(entries), first["next"]
    while cursor:
        part = auditor.get("/api/v1/audit", params={"limit": 5, "cursor": cursor}).json()
        seen += [act["entry"] for act in part["acts"]]
        cursor = part["next"]
    assert len(seen) == len(set(seen)) == first["total"]
    assert [act["type"] for act in first["acts"]] == ["manifest", "run", "manifest", "run", "manifest"]
    runs = auditor.get("/api/v1/audit", params={"type": "run"}).json()
    assert runs["total"] == 3
    assert {act["by"] for act in runs["acts"]} == {str(laid.ids["administrator"])}
    said = [act["why"].partition(", SHA-256 ")[0] for act in runs["acts"]]
    assert said == [f"a test (file {day}.jsonl" for day in ("06", "04", "02")]


def test_looking_leaves_a_trace(person, archive, laid):
    record = record_of(archive.store, "1")
    person("reader").get(f"/api/v1/records/{record}")
    person("reader").get(f"/api/v1/records/{record}/family")
    told = person("auditor").get("/api/v1/accesses", params={"record": str(record)}).json()
    assert told["total"] == 2
    assert {one["by"] for one in told["accesses"]} == {str(laid.ids["reader"])}
    assert [one["detail"]["what"] for one in told["accesses"]] == ["family", "record"]
    by = person("auditor").get("/api/v1/accesses", params={"by": "nobody@alder.example"})
    assert by.status_code == 404


def test_roles_are_said_in_the_fields_words():
    assert {str(role) for role in Role} >= {"records_officer", "custodian_of_evidence"}
    assert json.dumps(Role.AUDITOR) == '"auditor"'

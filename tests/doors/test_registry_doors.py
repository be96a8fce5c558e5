"""The registry at the doors: who may do what, what each door answers, and that all three say the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.capture import pages
from app.cli.door import main as command
from app.main import Archive
from app.records.errors import Refused
from app.web.app import create
from tests.doors.conftest import Person, Town, parts_of, record_of

WHY = {"why": "council decision 7"}


@pytest.fixture
def page(archive: Archive) -> str:
    """The page of the invented police."""
    with archive.store.database.read() as tx:
        return str(pages.get(tx, "Alder Creek Police").id)


@pytest.fixture
def at(page: str) -> Callable[[str], str]:

    def place(what: str = "") -> str:
        return f"/api/v1/pages/{page}{what}"

    return place


Ran = Callable[..., tuple[int, Any]]


@pytest.fixture
def cli(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ran:
    """Runs a command as somebody; its exit code and its answer."""
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))

    def ran(*words: str, by: str = "administrator") -> tuple[int, Any]:
        monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens[by])
        code = command([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return ran


# -- the API -----------------------------------------------------------------------------------------------


def test_a_page_is_described_and_shown_with_what_it_is_for(person, at):
    reader = person("reader")
    told = {
        "purpose": "News",
        "audiences": ["visitors"],
        "official_site": "https://alder.example",
        "review_on": "2026-03-01",
        **WHY,
    }
    changed = reader.post(at("/change"), json=told)
    assert changed.status_code == 200, changed.text
    shown = reader.get(at("")).json()
    assert (shown["purpose"], shown["audiences"], shown["review_on"], shown["review_overdue"]) == (
        "News",
        ["visitors"],
        "2026-03-01",
        True,
    )
    assert (shown["approved"], shown["approval"], shown["scope"]) == (False, "none", "")
    listed = reader.get("/api/v1/pages").json()
    assert {"purpose", "approval"} <= listed["pages"][0].keys()
    wrong = reader.post(at("/change"), json={"review_on": "soon", **WHY})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad-date")


def test_a_page_is_added_with_what_it_is_for_in_one_entry(person, archive):
    asked = {
        "connector": "feed",
        "address": "https://alder.example/feed",
        "purpose": "Closures",
        "policy": "juneau",
    }
    with archive.store.database.read() as tx:
        size = archive.store.ledger.size(tx)
    made = person("reader").post("/api/v1/pages", json=asked)
    assert made.status_code == 201, made.text
    assert (made.json()["purpose"], made.json()["policy"]) == ("Closures", "juneau")
    with archive.store.database.read() as tx:
        assert archive.store.ledger.size(tx) == size + 1


def test_an_approval_lapses_and_is_withdrawn_over_the_api(person, at):
    reader = person("reader")
    assert reader.post(at("/approve"), json={"until": "2026-03-09", **WHY}).json()["approved"] is True
    assert reader.get(at("")).json()["approved_until"] == "2026-03-09"
    past = reader.post(at("/approve"), json={"until": "2026-03-08", **WHY})
    assert (past.status_code, past.json()["code"]) == (422, "bad-date")
    assert reader.post(at("/withdraw"), json=WHY).json()["approval"] == "none"
    told = reader.get(at("/approvals")).json()
    assert [(one["act"], one["by"]) for one in told["approvals"]] == [
        ("withdrawn", "reader@alder.example"),
        ("approved", "reader@alder.example"),
    ]


def test_under_a_policy_an_approval_needs_the_chief_or_a_recorded_delegation(person, at):
    admin, reader, approver = person("administrator"), person("reader"), person("approver")
    assert admin.post("/api/v1/policy/use", json={"name": "jackson", **WHY}).status_code == 200
    nobody = reader.post(at("/approve"), json=WHY)
    assert (nobody.status_code, nobody.json()["code"]) == (409, "no-chief")
    named = admin.post("/api/v1/policy/chief", json={"email": "approver@alder.example", **WHY})
    assert named.json()["chief"] == "approver@alder.example"
    refused = reader.post(at("/approve"), json=WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "approval-not-theirs")
    given = {"email": "reader@alder.example", "instrument": "Order 12", **WHY}
    own = reader.post("/api/v1/policy/delegations", json=given)
    assert (own.status_code, own.json()["code"]) == (409, "delegation-not-allowed")
    made = approver.post("/api/v1/policy/delegations", json=given)
    assert made.status_code == 201
    assert reader.post(at("/approve"), json=WHY).json()["approved"] is True
    (one,) = made.json()["delegations"]
    ended = approver.post(f"/api/v1/policy/delegations/{one['id']}/end", json=WHY)
    assert ended.json()["delegations"][0]["runs"] is False
    assert reader.post(at("/approve"), json=WHY).json()["code"] == "approval-not-theirs"


@pytest.mark.parametrize("who", ["auditor", "machine", "reader"])
def test_the_policy_is_chosen_by_administrators_and_seen_by_everybody(person, who):
    refused = person(who).post("/api/v1/policy/use", json={"name": "juneau", **WHY})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
    assert person(who).get("/api/v1/policy").json()["policy"] is None


def test_managers_are_authorised_and_ended_over_the_api(person, at):
    reader = person("reader")
    made = reader.post(at("/managers"), json={"email": "pat@alder.example", "until": "2026-12-31", **WHY})
    assert made.status_code == 201
    assert made.json()["managers"][0]["by"] == "reader@alder.example"
    ended = reader.post(at("/managers/end"), json={"email": "pat@alder.example", **WHY}).json()
    assert (ended["total"], ended["managers"][0]["authorised"]) == (1, False)
    none = reader.post(at("/managers/end"), json={"email": "pat@alder.example", **WHY})
    assert (none.status_code, none.json()["code"]) == (404, "no-such-manager")


def test_statements_are_looked_for_and_marked_over_the_api(person, at):
    admin, reader = person("administrator"), person("reader")
    assert reader.get(at("/statements")).json() == {"policy": None, "statements": []}
    admin.post("/api/v1/policy/use", json={"name": "juneau", **WHY})
    looked = reader.post(at("/statements/check"), json=WHY).json()
    assert {one["name"]: one["answer"] for one in looked["statements"]}["contact"] == "cannot tell"
    marked = reader.post(at("/statements/contact/mark"), json={"why": "on the banner"}).json()
    said = {one["name"]: (one["answer"], one["why"], one["by"]) for one in marked["statements"]}
    assert said["contact"] == ("marked", "on the banner", "reader@alder.example")
    assert reader.post(at("/statements/contact/unmark"), json=WHY).status_code == 200
    wrong = reader.post(at("/statements/monitoring/mark"), json=WHY)
    assert (wrong.status_code, wrong.json()["code"]) == (404, "no-such-policy")


CHANGES: tuple[tuple[str, dict[str, str]], ...] = (
    ("/approve", {}),
    ("/withdraw", {}),
    ("/pause", {}),
    ("/remove", {}),
    ("/resume", {}),
    ("/change", {"purpose": "x"}),
    ("/managers", {"email": "pat@alder.example"}),
    ("/managers/end", {"email": "pat@alder.example"}),
    ("/statements/check", {}),
    ("/statements/contact/mark", {}),
    ("/statements/contact/unmark", {}),
)


@pytest.mark.parametrize(("who", "status"), [("auditor", 403), ("machine", 403), (None, 401)])
def test_who_may_not_decide_pages_changes_nothing(person, at, who, status):
    asking = person(who)
    assert {asking.post(at(what), json={**asked, **WHY}).status_code for what, asked in CHANGES} == {status}


def test_nothing_is_changed_without_a_reason(person, at, archive):
    reader = person("reader")
    with archive.store.database.read() as tx:
        size = archive.store.ledger.size(tx)
    for what, asked in CHANGES:
        refused = reader.post(at(what), json={**asked, "why": " "})
        assert (refused.status_code, refused.json()["code"]) == (422, "reason-missing"), what
    with archive.store.database.read() as tx:
        assert archive.store.ledger.size(tx) == size


def test_a_guard_of_the_builder_is_asked_at_the_web_and_what_it_refuses_is_not_done(archive, laid, at):
    def held(_tx: object, found: Any, act: str) -> None:
        raise Refused(f"a hold covers {found.name}", next=f"Ask the attorney before you {act} it.")

    guarded = Person(create(parts_of(archive, guards=[held])), laid.tokens["reader"])
    for what in ("/pause", "/remove"):
        refused = guarded.post(at(what), json=WHY)
        assert (refused.status_code, "a hold covers" in refused.json()["detail"]) == (409, True)
    assert guarded.get(at("")).json()["status"] == "active"


def test_a_violation_is_reported_by_anybody_and_answered_by_another_supervisor(person, archive):
    auditor, reader, approver = person("auditor"), person("reader"), person("approver")
    record = str(record_of(archive.store, "3"))
    made = reader.post("/api/v1/violations", json={"what": "a threat", "record": record})
    assert made.status_code == 201, made.text
    at_it = f"/api/v1/violations/{made.json()['id']}/answer"
    assert {one["what"] for one in reader.get("/api/v1/needs").json()} >= {
        "A violation report awaits an answer."
    }
    own = reader.post(at_it, json={"answer": "seen"})
    assert (own.status_code, own.json()["code"]) == (409, "own-report")
    assert auditor.post(at_it, json={"answer": "seen"}).status_code == 403
    answered = approver.post(at_it, json={"answer": "talked to the officer"}).json()
    assert (answered["open"], answered["answered_by"]) == (False, "approver@alder.example")
    assert person("machine").get("/api/v1/violations").status_code == 403
    assert auditor.get("/api/v1/violations").json()["total"] == 1


def test_a_record_that_somebody_may_not_read_is_linked_to_nothing(person, archive):
    message = str(record_of(archive.store, "6"))
    told = {"what": "a threat", "record": message}
    assert person("approver").post("/api/v1/violations", json=told).status_code == 403
    hidden = person("reader").post("/api/v1/violations", json=told)
    random = person("reader").post(
        "/api/v1/violations", json={**told, "record": "00000000-0000-4000-8000-000000000000"}
    )
    assert (hidden.status_code, hidden.json()["code"]) == (404, "no-such-record")
    assert hidden.json()["title"] == random.json()["title"]
    assert person("confidant").post("/api/v1/violations", json=told).status_code == 201


def test_authorisations_are_written_down_linked_to_a_record_and_ended(person, archive):
    record = str(record_of(archive.store, "1"))
    told = {"who": "Pat", "what": "names", "given_by": "the chief", "record": record, **WHY}
    made = person("reader").post("/api/v1/authorisations", json=told)
    assert made.status_code == 201, made.text
    found = person("auditor").get(f"/api/v1/authorisations?record={record}").json()
    assert (found["total"], found["authorisations"][0]["runs"]) == (1, True)
    other = str(record_of(archive.store, "2"))
    assert person("auditor").get(f"/api/v1/authorisations?record={other}").json()["total"] == 0
    ended = person("reader").post(f"/api/v1/authorisations/{made.json()['id']}/end", json=WHY).json()
    assert (ended["runs"], ended["ended_why"]) == (False, WHY["why"])
    assert person("machine").get("/api/v1/authorisations").status_code == 403
    assert person("auditor").post("/api/v1/authorisations", json=told).status_code == 403
    person("administrator").post("/api/v1/policy/use", json={"name": "juneau", **WHY})
    spoken = person("reader").post("/api/v1/authorisations", json=told)
    assert (spoken.status_code, spoken.json()["code"]) == (422, "not-in-writing")


# -- pages -------------------------------------------------------------------------------------------------


def test_a_browser_describes_approves_and_removes_a_page_and_takes_it_up_again(browser, page):
    reader, place = browser("reader"), f"/pages/{page}"
    fields = {
        "custodian": "Clerk",
        "purpose": "News of the river",
        "audiences": "visitors\nnight owls",
        "official_site": "https://alder.example",
        "review_on": "2026-03-01",
        "profile": "juneau",
        "scope": "",
        **WHY,
    }
    assert reader.send(place, f"{place}/change", **fields).status_code == 303
    assert reader.send(place, f"{place}/managers", email="pat@alder.example", **WHY).status_code == 303
    assert reader.send(place, f"{place}/statements/check").status_code == 303
    shown = reader.get(place).text
    for words in (
        "News of the river",
        "visitors, night owls",
        "overdue",
        "Juneau Police Department",
        "pat@alder.example",
        "Cannot tell",
        "IV B2",
    ):
        assert words in shown, words
    refused = reader.send(place, f"{place}/approve", **WHY)
    assert (refused.status_code, "no-chief" in refused.text) == (409, True)
    assert reader.send(place, f"{place}/change", **(fields | {"profile": "none"})).status_code == 303
    assert reader.send(place, f"{place}/approve", until="2026-12-31", **WHY).status_code == 303
    assert "Approved until 31 December 2026" in reader.get("/pages").text
    assert reader.send(place, f"{place}/withdraw", **WHY).status_code == 303
    assert reader.send(place, f"{place}/remove", **WHY).status_code == 303
    gone = reader.get(place).text
    assert "Removed" in gone
    assert "Capture this page again" in gone
    assert "since it was removed from capture" in gone
    assert reader.send(place, f"{place}/resume", **WHY).status_code == 303
    assert reader.send(place, f"{place}/managers/end", email="pat@alder.example", **WHY).status_code == 303


def test_what_somebody_typed_is_shown_as_words_and_not_as_markup(browser, page):
    reader, place = browser("reader"), f"/pages/{page}"
    typed = "<script>steal()</script>"
    reader.send(place, f"{place}/change", purpose=typed, audiences=typed, scope=typed, **WHY)
    reader.send("/violations/new", "/violations", what=typed, address=typed, attachment=typed)
    reader.send("/authorisations", "/authorisations", whom=typed, what=typed, given_by=typed, **WHY)
    for shown in (place, "/violations", "/authorisations", "/policy", "/pages", "/"):
        told = reader.get(shown)
        assert told.status_code == 200, shown
        assert "<script>steal" not in told.text, shown


def test_a_page_is_added_in_a_form_with_what_it_is_for(browser):
    reader = browser("reader")
    given = {
        "connector": "feed",
        "address": "https://alder.example/feed",
        "purpose": "Closures",
        "review_on": "soon",
        **WHY,
    }
    wrong = reader.send("/pages", "/pages", **given)
    assert wrong.status_code == 422
    assert 'value="Closures"' in wrong.text, "what was typed stands there still"
    made = reader.send("/pages", "/pages", **(given | {"review_on": "2027-01-01"}))
    assert made.status_code == 303
    assert "Closures" in reader.get(made.headers["location"]).text


def test_the_policy_is_chosen_and_delegated_in_forms(browser):
    admin, approver = browser("administrator"), browser("approver")
    assert admin.send("/policy", "/policy/use", name="jackson", **WHY).status_code == 303
    assert admin.send("/policy", "/policy/chief", email="approver@alder.example", **WHY).status_code == 303
    given = {"email": "reader@alder.example", "instrument": "Order 12", **WHY}
    assert approver.send("/policy", "/policy/delegate", **given).status_code == 303
    shown = approver.get("/policy").text
    for words in ("5.4 A2d(ii)", "Order 12", "the chief or a designee", "approver@alder.example"):
        assert words in shown, words
    assert "/policy/use" not in shown, "an approver chooses no policy"
    assert approver.send("/policy", "/policy/use", name="none", **WHY).status_code == 403


def test_the_overview_tells_what_the_registry_needs(browser, page):
    reader = browser("reader")
    assert "Not approved yet; it is captured all the same." in reader.get("/").text
    reader.send("/violations/new", "/violations", what="a threat", address="https://x.example/1")
    assert "A violation report awaits an answer." in reader.get("/").text
    report = browser("approver").get("/violations").text
    assert "a threat" in report
    assert "What was done about it" in report
    assert "What was done about it" not in reader.get("/violations").text, "nobody answers their own report"


def test_who_may_not_read_the_registers_is_shown_neither(browser):
    machine = browser("machine")
    assert machine.get("/violations").status_code == 403
    assert machine.get("/authorisations").status_code == 403
    assert machine.get("/violations/new").status_code == 200
    assert 'href="/violations"' not in machine.get("/pages").text


# -- the command line --------------------------------------------------------------------------------------


def test_the_command_line_describes_and_approves_a_page_and_shows_its_people(cli: Ran, page: str):
    code, changed = cli(
        "page", "change", page, "--purpose", "News", "--audience", "visitors", "--audience", "recruits",
        "--review", "2020-01-01", "--why", "council decision 7",
    )  # fmt: skip
    assert (code, changed["purpose"], changed["audiences"]) == (0, "News", ["visitors", "recruits"])
    assert cli("page", "approve", page, "--why", "agreed")[1]["approved"] is True
    code, listed = cli(
        "page",
        "managers",
        page,
        "--add",
        "pat@alder.example",
        "--until",
        "2099-12-31",
        "--why",
        "press office",
    )
    assert (code, listed[0]["email"], listed[0]["until"], listed[0]["by"]) == (
        0,
        "pat@alder.example",
        "2099-12-31",
        "admin@alder.example",
    )
    assert cli("page", "managers", page)[1] == listed
    code, shown = cli("page", "show", page)
    assert [one["act"] for one in shown["approvals"]] == ["approved"]
    assert shown["managers"] == listed
    assert [one["what"] for one in shown["needs"]] == ["Its review was due on 2020-01-01."]
    code, ended = cli("page", "managers", page, "--remove", "pat@alder.example", "--why", "left")
    assert (code, ended[0]["authorised"], ended[0]["ended_why"]) == (0, False, "left")


def test_the_command_line_pauses_and_removes_and_the_gap_is_shown(cli: Ran, page: str):
    assert cli("page", "pause", page, "--why", "moving")[1]["status"] == "paused"
    (gap,) = cli("page", "show", page)[1]["gaps"]
    assert (gap["why"], gap["until"]) == ("paused: moving", None)
    assert cli("page", "resume", page, "--why", "moved")[1]["status"] == "active"
    (gap,) = cli("page", "show", page)[1]["gaps"]
    assert gap["until"] is not None
    assert cli("page", "remove", page, "--why", "closed")[1]["status"] == "removed"
    code, refused = cli("page", "pause", page, "--why", "again")
    assert (code, refused["error"]["code"]) == (4, "refused")


def test_the_command_line_chooses_the_policy_and_refuses_an_approval_without_authority(cli: Ran, page: str):
    assert [one["name"] for one in cli("policy", "list")[1]] == ["jackson", "juneau"]
    assert cli("policy", "use", "nowhere", "--why", "test")[0] == 3
    assert cli("policy", "use", "juneau", "--why", "our policy")[1]["policy"]["name"] == "juneau"
    assert cli("policy", "chief", "approver@alder.example", "--why", "sworn in")[0] == 0
    code, refused = cli("page", "approve", page, "--why", "agreed")
    assert (code, refused["error"]["code"]) == (4, "approval-not-theirs")
    assert cli("page", "approve", page, "--why", "agreed", by="approver")[0] == 0
    code, refused = cli(
        "policy",
        "delegate",
        "reader@alder.example",
        "--instrument",
        "Order 12",
        "--why",
        "leave",
        by="approver",
    )
    assert (code, refused["error"]["code"]) == (4, "delegation-not-allowed")
    assert cli("policy", "use", "jackson", "--why", "test", by="reader")[0] == 4
    code, said = cli("page", "statements", page, "--check")
    assert (code, {one["answer"] for one in said}) == (0, {"cannot tell"})
    code, said = cli("page", "statements", page, "--present", "contact", "--why", "on the banner")
    assert {one["name"]: one["answer"] for one in said}["contact"] == "marked"
    assert cli("policy", "show", by="auditor")[1]["chief"] == "approver@alder.example"


def test_the_registers_on_the_command_line(cli: Ran):
    code, made = cli(
        "violation", "report", "--address", "https://x.example/1", "--why", "a threat", by="auditor"
    )
    assert (code, made["open"]) == (0, True)
    assert cli("violation", "answer", made["id"], "--why", "seen", by="auditor")[0] == 4
    assert cli("violation", "answer", made["id"], "--why", "talked to them")[1]["open"] is False
    assert len(cli("violation", "list")[1]) == 1
    code, given = cli(
        "authorisation",
        "add",
        "--who",
        "Pat",
        "--what",
        "names",
        "--given-by",
        "the chief",
        "--why",
        "order 12",
    )
    assert (code, given["runs"]) == (0, True)
    assert cli("authorisation", "end", given["id"], "--why", "over")[1]["runs"] is False
    assert [one["id"] for one in cli("authorisation", "list", by="auditor")[1]] == [given["id"]]


def test_a_command_that_changes_something_is_refused_without_a_reason(cli: Ran, page: str):
    for words in (
        ("page", "change", page, "--purpose", "x"),
        ("page", "managers", page, "--add", "pat@alder.example"),
        ("page", "remove", page),
        ("page", "withdraw", page),
        ("policy", "use", "juneau"),
        ("violation", "report", "--address", "https://x.example"),
    ):
        code, refused = cli(*words)
        assert (code, refused["error"]["code"]) == (2, "why-missing"), words

"""Disposition through its three doors: who may, what each answers, and that all of them say the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app import officers
from app.cli.door import main as command
from app.disposition.executing import keys_of
from app.holds import matters, placing
from app.holds.finding import Found
from app.holds.scopes import Scope
from app.index.keys import Keys
from app.main import Archive
from app.records.nouns import Officer, Role
from app.retention import adopted, recording
from app.store import access, disposals
from tests.doors.conftest import Town, record_of

Ran = Callable[..., tuple[int, Any]]
SCHEDULE = b"""\
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "2026"
effective: 2026-01-01
waiting_days: 0
approvals: [records_officer, approver]
series:
  - code: COR-03
    title: General correspondence
    citation: Resolution 12, item 3
    verified: true
    rule: {after: published, keep: P1D, then: destroy}
  - code: EXE-01
    title: Executive correspondence
    citation: Resolution 12, item 7
    verified: true
    rule: {after: published, keep: P1D, then: transfer}
classify: []
"""


@pytest.fixture
def cli(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ran:
    """Runs a command as somebody; its exit code and its answer."""
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))

    def ran(*words: str, by: str = "reader", as_json: bool = True) -> tuple[int, Any]:
        monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens[by])
        code = command([*words, *(["--json"] if as_json else [])])
        said = capsys.readouterr().out
        return code, json.loads(said) if as_json else said

    return ran


@pytest.fixture
def old(archive: Archive, laid: Town) -> list[UUID]:
    """Three records whose day has come, in one series; the schedule is adopted."""
    store = archive.store
    ids = [record_of(store, name) for name in ("2", "3", "4")]
    with store.database.begin() as tx:
        clerk = officers.get(tx, laid.ids["reader"])
        adopted.adopt(store, tx, SCHEDULE, instrument="Resolution 12", by=clerk.id, why="adopted")
        recording.assign(store, tx, ids, "COR-03", by=clerk, why="correspondence")
    return ids


def hold(archive: Archive, *wanted: UUID) -> None:
    """A silent hold on records."""
    store = archive.store
    attorney = Officer(id=UUID(int=9), email="a@b.example", name="", roles=frozenset({Role.ATTORNEY}))
    with store.database.begin() as tx:
        matter = matters.open(store, tx, "Doe", silent=True, by=attorney, why="a letter")
        found = Found(store.ledger.size(tx), named=Keys.of(keys_of(tx, wanted).values()))
        placing.place(store, tx, matter, Scope(records=tuple(wanted)), found, by=attorney, why="a letter")


def gone(archive: Archive, wanted: list[UUID]) -> set[UUID]:
    with archive.store.database.read() as tx:
        return set(disposals.disposed(tx, wanted))


# -- the command line --------------------------------------------------------------------------------------


def test_the_whole_way_on_the_command_line(cli: Ran, old: list[UUID], archive: Archive, tmp_path: Path):
    code, seen = cli("disposition", "propose", "COR-03", "--preview")
    assert (code, seen["records"], seen["stayed"]) == (0, 3, 0)
    code, made = cli("disposition", "propose", "COR-03", "--why", "it is due")
    assert code == 0
    assert (made["records"], made["state"], made["waits_for"]) == (3, "proposed", ["approver"])
    code, told = cli("disposition", "approve", made["id"], "--why", "again")
    assert (code, told["error"]["code"]) == (4, "proposer-approves")
    code, told = cli("disposition", "execute", made["id"], "--why", "now")
    assert (code, told["error"]["code"]) == (4, "proposal-state")
    code, told = cli("disposition", "approve", made["id"], "--why", "I looked", by="approver")
    assert (code, told["state"]) == (0, "approved")
    code, told = cli("disposition", "execute", made["id"], "--why", "it is due")
    assert code == 0
    assert (told["disposed"], told["excluded"], told["state"]) == (3, [], "executed")
    assert gone(archive, old) == set(old)
    code, told = cli("record", "show", str(old[0]))
    assert code == 0
    assert {"on", "batch", "series", "citation", "authority"} <= told["disposed"].keys()
    assert told["disposed"]["batch"] == made["id"]
    out = tmp_path / "certificate.pdf"
    code, told = cli("disposition", "certificate", made["id"], "--out", str(out), by="auditor")
    assert (code, told["state"], told["records"]) == (0, "executed", 3)
    assert out.read_bytes().startswith(b"%PDF-1.7")
    code, told = cli("disposition", "certificate", made["id"], "--out", str(out))
    assert code == 2
    code, told = cli("disposition", "certificate", made["id"], "--out", str(tmp_path / "c.json"))
    assert json.loads((tmp_path / "c.json").read_text())["batch"] == made["id"]
    code, told = cli("disposition", "list")
    assert [one["id"] for one in told] == [made["id"]]
    code, told = cli("disposition", "show", made["id"])
    assert {one["became"] for one in told["list"]} == {"verified"}
    assert "3 records were disposed of" in cli("disposition", "show", made["id"], as_json=False)[1]


def test_a_held_record_stays_and_the_command_says_no_more_than_that(
    cli: Ran, old: list[UUID], archive: Archive
):
    made = cli("disposition", "propose", "COR-03", "--why", "it is due")[1]
    cli("disposition", "approve", made["id"], "--why", "I looked", by="approver")
    hold(archive, old[1])
    code, told = cli("disposition", "execute", made["id"], "--why", "it is due")
    assert code == 0
    assert (told["disposed"], told["excluded"]) == (
        2,
        [{"record": str(old[1]), "why": "withdrawn_on_recheck"}],
    )
    assert gone(archive, old) == {old[0], old[2]}
    told = cli("disposition", "show", made["id"])[1]
    assert sorted(one["became"] for one in told["list"]) == ["verified", "verified", "withdrawn_on_recheck"]


def test_a_transfer_on_the_command_line(cli: Ran, old: list[UUID], archive: Archive, tmp_path: Path):
    with archive.store.database.begin() as tx:
        clerk = officers.list_all(tx)[0]
        recording.assign(archive.store, tx, old[:1], "EXE-01", by=clerk, why="the chief answered")
    made = cli("disposition", "propose", "EXE-01", "--why", "it is due")[1]
    assert made["kind"] == "transfer"
    cli("disposition", "approve", made["id"], "--why", "I looked", by="approver")
    code, told = cli("disposition", "execute", made["id"], "--why", "now")
    assert (code, told["error"]["code"]) == (4, "no-receipt")
    code, told = cli("disposition", "transfer", made["id"], "--out", str(tmp_path / "bag"), "--why", "packed")
    assert (code, told["records"]) == (0, 1)
    receipt = tmp_path / "receipt.txt"
    receipt.write_text(f"Received {told['bag_sha256']}")
    code, told = cli("disposition", "accept", made["id"], "--receipt", str(receipt), "--why", "it came")
    assert code == 0
    assert told["transfer"]["receipt_sha256"]
    assert cli("disposition", "execute", made["id"], "--why", "received")[1]["disposed"] == 1


def test_an_order_on_the_command_line(cli: Ran, old: list[UUID], archive: Archive):
    code, told = cli(
        "disposition", "order", str(old[0]), "--why", "ordered", "--instrument", "Order of 3 May"
    )
    assert (code, told["kind"], told["records"]) == (0, "order", 1)
    cli("disposition", "approve", told["id"], "--why", "I read it", by="approver")
    assert cli("disposition", "execute", told["id"], "--why", "ordered")[1]["disposed"] == 1
    assert gone(archive, old) == {old[0]}
    assert cli("disposition", "order", "no-id", "--why", "x", "--instrument", "y")[0] == 2


def test_lists_are_shortened_rejected_and_withdrawn_on_the_command_line(cli: Ran, old: list[UUID]):
    made = cli("disposition", "propose", "COR-03", "--why", "it is due", "--without", str(old[0]))[1]
    assert made["records"] == 2
    told = cli("disposition", "leave-out", made["id"], str(old[1]), "--why", "asked for", by="approver")[1]
    assert told["records"] == 1
    code, told = cli("disposition", "reject", made["id"], "--why", "no", by="approver")
    assert (code, told["state"]) == (0, "rejected")
    made = cli("disposition", "propose", "COR-03", "--why", "it is due", "--limit", "1")[1]
    assert cli("disposition", "withdraw", made["id"], "--why", "no")[1]["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("words", "by"),
    [
        (("propose", "COR-03", "--why", "x"), "auditor"),
        (("propose", "COR-03", "--why", "x"), "approver"),
        (("approve", str(UUID(int=1)), "--why", "x"), "auditor"),
        (("execute", str(UUID(int=1)), "--why", "x"), "approver"),
        (("withdraw", str(UUID(int=1)), "--why", "x"), "approver"),
        (("confirm-holds", "--why", "x"), "reader"),
        (("list",), "machine"),
    ],
)
def test_each_command_asks_for_its_role(cli: Ran, old: list[UUID], words: tuple[str, ...], by: str):
    code, told = cli("disposition", *words, by=by)
    assert (code, told["error"]["code"]) == (4, "not-permitted")


def test_what_changes_something_says_why_and_what_is_not_there_is_not_found(cli: Ran, old: list[UUID]):
    assert cli("disposition", "propose", "COR-03")[1]["error"]["code"] == "why-missing"
    assert cli("disposition", "approve", str(UUID(int=1)), "--why", "x", by="approver")[0] == 3
    assert cli("disposition", "propose", "COR-99", "--why", "x")[0] == 2


# -- the API -----------------------------------------------------------------------------------------------


def test_the_whole_way_over_the_api(person, old: list[UUID], archive: Archive):
    reader, approver = person("reader"), person("approver")
    seen = reader.get("/api/v1/dispositions/preview?series=COR-03").json()
    assert (seen["records"], seen["then"]) == (3, "destroy")
    made = reader.post("/api/v1/dispositions", json={"series": "COR-03", "why": "it is due"})
    assert made.status_code == 201
    where = f"/api/v1/dispositions/{made.json()['id']}"
    refused = reader.post(f"{where}/approve", json={"why": "me too"})
    assert (refused.status_code, refused.json()["code"]) == (409, "proposer-approves")
    assert approver.post(f"{where}/approve", json={"why": "I looked"}).json()["state"] == "approved"
    hold(archive, old[2])
    done = reader.post(f"{where}/execute", json={"why": "it is due"}).json()
    assert (done["disposed"], len(done["excluded"])) == (2, 1)
    listed = reader.get(f"{where}/records?limit=2").json()
    assert (listed["total"], len(listed["records"])) == (3, 2)
    rest = reader.get(f"{where}/records?limit=2&cursor={listed['next']}").json()
    assert (len(rest["records"]), rest["next"]) == (1, None)
    log = person("auditor").get("/api/v1/dispositions").json()
    assert (log["total"], log["dispositions"][0]["state"], log["next"]) == (1, "executed", None)
    paper = person("auditor").get(f"{where}/certificate?as=pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert reader.get(f"{where}/certificate").json()["quantity"]["records"] == 2
    told = reader.get(f"/api/v1/records/{old[0]}").json()
    assert told["disposed"]["batch"] == made.json()["id"]


def test_lists_are_shortened_rejected_and_withdrawn_over_the_api(person, old: list[UUID]):
    reader, approver = person("reader"), person("approver")
    made = reader.post("/api/v1/dispositions", json={"series": "COR-03", "why": "due"}).json()
    where = f"/api/v1/dispositions/{made['id']}"
    left = approver.post(f"{where}/leave-out", json={"records": [str(old[0])], "why": "asked for"})
    assert left.json()["records"] == 2
    assert approver.post(f"{where}/reject", json={"why": "no"}).json()["state"] == "rejected"
    made = reader.post(
        "/api/v1/dispositions/orders",
        json={"records": [str(old[0])], "instrument": "Order", "why": "ordered"},
    ).json()
    assert reader.post(f"/api/v1/dispositions/{made['id']}/withdraw", json={"why": "void"}).json()["state"] == "withdrawn"  # fmt: skip
    assert reader.get(where).json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("verb", "who"), [("approve", "auditor"), ("execute", "approver"), ("withdraw", "approver"), ("reject", "machine")]
)  # fmt: skip
def test_each_route_asks_for_its_role(person, old: list[UUID], verb: str, who: str):
    made = person("reader").post("/api/v1/dispositions", json={"series": "COR-03", "why": "due"}).json()
    answer = person(who).post(f"/api/v1/dispositions/{made['id']}/{verb}", json={"why": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted")
    assert person(None).get("/api/v1/dispositions").status_code == 401
    assert person("reader").post("/api/v1/dispositions/confirm-holds", json={"why": "x"}).status_code == 403
    assert person("reader").post("/api/v1/dispositions", json={"series": "COR-03"}).json()["code"] == "reason-missing"  # fmt: skip
    assert person("reader").get(f"/api/v1/dispositions/{UUID(int=1)}").status_code == 404


# -- the pages ---------------------------------------------------------------------------------------------


def test_the_whole_way_on_the_pages(browser, old: list[UUID], archive: Archive):
    reader, approver = browser("reader"), browser("approver")
    assert "Nothing was proposed" in reader.get("/dispositions").text
    seen = reader.get("/dispositions/propose?series=COR-03&on=").text
    assert "3 records of series COR-03" in seen
    assert "Eligible since" in seen
    sent = reader.send(
        "/dispositions/propose?series=COR-03", "/dispositions/propose", series="COR-03", why="due"
    )
    assert sent.status_code == 303
    where = sent.headers["location"]
    assert "It waits for the approval of: approver" in reader.get(where).text
    assert f'action="{where}/approve"' not in reader.get(where).text
    assert f'action="{where}/approve"' in approver.get(where).text
    assert approver.send(where, f"{where}/approve", why="I looked").status_code == 303
    assert reader.send(where, f"{where}/execute", why="it is due").status_code == 303
    told = reader.get(where).text
    assert "3 records were disposed of" in told
    assert reader.get(f"{where}/certificate?as=pdf").content.startswith(b"%PDF")
    assert gone(archive, old) == set(old)
    former = reader.get(f"/records/{old[0]}").text
    assert "This record was disposed of" in former
    assert where in former
    assert "COR-03" in reader.get("/dispositions").text


def test_a_page_tells_what_it_cannot_propose(browser, old: list[UUID]):
    answer = browser("reader").get("/dispositions/propose?series=COR-99")
    assert answer.status_code == 422
    assert "no edition in force has a series" in answer.text.lower()


def test_a_proposal_is_rejected_and_withdrawn_on_its_page(browser, old: list[UUID]):
    reader, approver = browser("reader"), browser("approver")
    form = "/dispositions/propose?series=COR-03"
    where = reader.send(form, "/dispositions/propose", series="COR-03", why="due").headers["location"]
    approver.send(where, f"{where}/reject", why="the mayor asks for them")
    assert "Rejected" in reader.get(where).text
    where = reader.send(form, "/dispositions/propose", series="COR-03", why="due").headers["location"]
    reader.send(where, f"{where}/withdraw", why="not now")
    assert "Withdrawn" in reader.get(where).text


def test_a_form_of_another_site_disposes_of_nothing(browser, old: list[UUID], archive: Archive):
    reader = browser("reader")
    where = reader.send(
        "/dispositions/propose?series=COR-03", "/dispositions/propose", series="COR-03", why="due"
    ).headers["location"]
    browser("approver").send(where, f"{where}/approve", why="I looked")
    assert reader.client.post(f"{where}/execute", data={"why": "due"}).status_code == 403
    assert gone(archive, old) == set()


def test_a_list_shows_what_its_records_say_to_who_may_read_them_and_the_look_is_written_down(
    old: list[UUID], browser: Any, archive: Archive
):
    reader, approver = browser("reader"), browser("approver")
    sent = reader.send(
        "/dispositions/propose?series=COR-03", "/dispositions/propose", series="COR-03", why="old"
    )
    where = sent.headers["location"]
    before = accesses(archive)
    shown, ids = reader.client.get(where).text, [str(one) for one in old]
    assert 'Comment of 1 March 2026</a> <span class="author">Neighbour 2</span>' in shown
    assert "How long will the bridge stay closed?" in shown
    assert accesses(archive)[len(before) :] == [("view", {"what": "a list", "records": 3})]
    told = approver.client.get(where).text
    assert "Neighbour" not in told
    assert all(f"<code>{one}</code>" in told for one in ids)


def accesses(archive: Archive) -> list[tuple[str, Any]]:
    """What is on the access log, oldest first."""
    with archive.store.database.read() as tx:
        return [(one.action, dict(one.detail)) for one in access.read(archive.store, tx)]

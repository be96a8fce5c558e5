"""Requests for records through the doors: API, pages and command line; who may, what each answers, and no way around."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import door
from app.main import Archive, open_archive
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.store import audit
from tests.doors.conftest import NOW, Browser, Person, Town

Who = Callable[[str | None], Person]
MESSAGE = b"""\
From: Pat Smith <pat@elsewhere.example>
Subject: Records
Date: Mon, 02 Mar 2026 09:15:00 -0900
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: text/plain

Everything about the bridge.
--a
Content-Type: text/html
Content-Disposition: attachment; filename=x.html

<script>steal()</script>
--a--
"""


def opened(who: Person, **more: Any) -> dict[str, Any]:
    asked = {
        "text": "All about the bridge",
        "received": "2026-03-02T10:00",
        "law": "us-ak-state",
        "why": "it came",
        **more,
    }
    told = who.post("/api/v1/requests", json=asked)
    assert told.status_code == 201, told.text
    made: dict[str, Any] = told.json()
    return made


# -- API ---------------------------------------------------------------------------------------------------


def test_a_request_is_opened_and_says_what_is_due_with_its_citation(person: Who):
    made = opened(person("reader"), **{"from": "Pat Smith", "email": "pat@elsewhere.example"})
    assert made["number"] == "PD-2026-0001"
    (due,) = made["due"]
    assert {"what", "on", "citation"} <= due.keys()
    assert (due["on"], due["citation"], due["state"]) == ("2026-03-16", "2 AAC 96.325(a)", "on track")
    again = person("reader").get(f"/api/v1/requests/{made['number']}").json()
    assert again["id"] == made["id"]
    listed = person("auditor").get("/api/v1/requests?state=open").json()
    assert (listed["total"], [one["number"] for one in listed["requests"]]) == (1, ["PD-2026-0001"])


def test_from_its_opening_its_records_are_held(person: Who):
    reader = person("reader")
    assert {one["held"] for one in reader.get("/api/v1/records?q=bridge").json()["records"]} == {False}
    opened(reader)
    assert {one["held"] for one in reader.get("/api/v1/records?q=bridge").json()["records"]} == {True}


def test_only_records_officers_and_attorneys_work_on_requests(person: Who):
    made = opened(person("reader"))
    at = f"/api/v1/requests/{made['number']}"
    for name, may_read in (("auditor", True), ("approver", False), ("machine", False)):
        assert (
            person(name)
            .post("/api/v1/requests", json={"text": "x", "received": "2026-03-02", "why": "x"})
            .status_code
            == 403
        )
        assert person(name).post(f"{at}/close", json={"why": "x"}).status_code == 403
        assert person(name).get(at).status_code == (200 if may_read else 403)
    assert person(None).get(at).status_code == 401


def test_who_read_a_request_stands_in_the_access_log(
    person: Who, browser: Callable[[str], Browser], archive: Archive
):
    made = opened(person("reader"))
    told = person("reader").post(f"/api/v1/requests/{made['number']}/acknowledge", json={"why": "x"}).json()

    def seen() -> int:
        with archive.store.database.read() as tx:
            return audit.accesses_before(archive.store, tx, limit=500).total

    before = seen()
    person("auditor").get(f"/api/v1/requests/{made['number']}")
    browser("auditor").get(f"/requests/{made['number']}")
    person("auditor").get(f"/api/v1/requests/{made['number']}/papers/{told['papers'][0]['id']}")
    assert seen() == before + 3
    person("approver").get(f"/api/v1/requests/{made['number']}")
    assert seen() == before + 3


def test_a_request_that_is_not_there_is_not_found(person: Who):
    for which in ("PD-2026-0009", str(new_id()), "x"):
        told = person("reader").get(f"/api/v1/requests/{which}")
        assert (told.status_code, told.json()["code"]) == (404, "no-such-request")


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"law": "us-zz"}, 404, "no-such-law"),
        ({"received": "soon"}, 422, "bad-request"),
        ({"received": "2026-04-01"}, 422, "bad-request"),
        ({"received": ""}, 422, "invalid"),
        ({"text": " "}, 422, "bad-request"),
        ({"track": "urgent"}, 422, "bad-request"),
        ({"why": " "}, 422, "reason-missing"),
        ({"email": "nowhere"}, 422, "bad-email"),
        ({"pages": ["01a1fc86-bc93-722a-8b03-bac9f400b5e5"]}, 404, "no-such-page"),
        ({"since": "2026-03-01", "until": "2026-02-01"}, 422, "bad-query"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(person: Who, wrong: dict[str, Any], status: int, code: str):
    asked = {"text": "All", "received": "2026-03-02", "why": "x", **wrong}
    told = person("reader").post("/api/v1/requests", json=asked)
    assert (told.status_code, told.json()["code"]) == (status, code), told.text
    assert person("reader").get("/api/v1/requests").json()["total"] == 0


def test_a_message_is_handed_in_and_kept_and_never_shown(person: Who):
    reader = person("reader")
    told = reader.post(
        "/api/v1/requests/message",
        files={"message": ("from pat.eml", MESSAGE)},
        data={"why": "it came", "law": "us-wa"},
    )
    assert told.status_code == 201, told.text
    made = told.json()
    assert (made["from"], made["text"], made["received_at"][:10]) == (
        "Pat Smith",
        "Records\n\nEverything about the bridge.",
        "2026-03-02",
    )
    kinds = {one["kind"]: one for one in made["papers"]}
    at = f"/api/v1/requests/{made['number']}/papers"
    whole = reader.get(f"{at}/{kinds['message']['id']}")
    assert whole.content == MESSAGE
    hostile = reader.get(f"{at}/{kinds['attached']['id']}")
    assert hostile.headers["content-type"] == "application/octet-stream"
    assert hostile.headers["content-disposition"].startswith("attachment;")
    assert (
        reader.post(
            "/api/v1/requests/message", files={"message": ("x.eml", b"")}, data={"why": "x"}
        ).status_code
        == 422
    )


def test_clocks_fees_answers_and_appeals_over_the_api(person: Who):
    reader = person("reader")
    made = opened(reader, **{"from": "Pat Smith"})
    at = f"/api/v1/requests/{made['number']}"

    def act(name: str, status: int = 200, **more: Any) -> dict[str, Any]:
        told = reader.post(f"{at}/{name}", json={"why": "so it is", **more})
        assert told.status_code == status, told.text
        answer: dict[str, Any] = told.json()
        return answer

    def on(told: dict[str, Any]) -> str | None:
        found: str | None = told["due"][0]["on"]
        return found

    assert on(act("acknowledge")) == "2026-03-16"
    assert act("extend", 422, not_for_delay=False)["code"] == "notice-incomplete"
    assert on(act("extend", reasons="three offices")) == "2026-03-31"
    assert act("extend", 409)["code"] == "no-extension"
    assert on(act("toll")) is None
    assert on(act("resume")) == "2026-03-31"
    assert act("time", minutes=360, cents_an_hour=4000)["fees"]["chargeable_hours"] == 1
    assert act("time", minutes=60, work="privilege_review")["fees"]["chargeable_hours"] == 1
    assert act("fee", 409, act="notice", cents=9_000)["code"] == "free-of-charge"
    assert act("fee", act="notice", cents=4_000)["fees"]["owed_cents"] == 4_000
    assert on(act("fee", act="paid", cents=4_000)) == "2026-03-31"
    act("ask", question="Which bridge?")
    act("mark", event="clarification_answered")
    act("promise", on="2026-03-20")
    act("instalment")
    act("assign", email="reader@alder.example")
    assert act("litigant", litigant=False)["litigant"] is False
    assert act("deny", 409)["code"] == "denial-incomplete"
    denied = act("deny", exemptions=["(a)(6)(C)"], delegation="Order 4", partly=True)
    assert denied["due"][0]["met_on"] == "2026-03-09"
    act("appeal", words="I disagree")
    act("decide", decision="partly")
    closed = act("close")
    assert (closed["state"], closed["outcome"]) == ("closed", "partly")
    assert act("extend", 409)["code"] == "request-closed"
    assert act("reopen")["state"] == "selecting"
    act("close", outcome="produced")
    act("let-go")
    done = [one["act"] for one in reader.get(f"{at}/history").json()["acts"]]
    assert (done[0], done[-1]) == ("opened", "let-go")
    letters = {one["name"] for one in closed["papers"]}
    assert {"opening.txt", "extension.txt", "fee.txt", "denial.txt", "appeal.txt", "closing.txt"} <= letters
    sent = reader.post(f"{at}/papers/{closed['papers'][0]['id']}/send", json={"why": "x"})
    assert (sent.status_code, sent.json()["code"]) == (422, "no-address")


def test_a_letter_without_a_mail_server_waits_for_one(person: Who):
    made = opened(person("reader"), email="pat@elsewhere.example")
    at = f"/api/v1/requests/{made['number']}"
    told = person("reader").post(f"{at}/acknowledge", json={"why": "x"}).json()
    sent = person("reader").post(f"{at}/papers/{told['papers'][0]['id']}/send", json={"why": "x"})
    assert (sent.status_code, sent.json()["code"]) == (503, "mail-not-set-up")


def test_the_laws_are_told_with_their_clocks_and_grounds(person: Who):
    told = person("reader").get("/api/v1/requests/laws").json()
    by_name = {one["law"]: one for one in told["laws"]}
    assert told["own"] == "none"
    assert by_name["us-ak-juneau"]["clock"] == "none_statutory"
    assert by_name["us-wa"]["clock"] == "statutory"
    assert "(a)(6)(C)" in {one["code"] for one in by_name["us-ak-state"]["exemptions"]}


def test_the_log_leaves_as_csv(person: Who):
    opened(person("reader"), **{"from": "Pat Smith"})
    told = person("auditor").post("/api/v1/request-log", json={"why": "asked for"})
    assert told.headers["content-type"].startswith("text/csv")
    assert "PD-2026-0001,2026-03-02,Pat Smith" in told.text
    assert person("approver").post("/api/v1/request-log", json={"why": "x"}).status_code == 403


# -- pages -------------------------------------------------------------------------------------------------


def test_on_pages_a_request_is_opened_worked_on_and_closed(browser: Callable[[str], Browser]):
    officer = browser("reader")
    made = officer.send("/requests/open", "/requests/open", text="All about the bridge", received="2026-03-02T10:00",
                        law="us-ak-state", name="Pat <b>Smith</b>", why="it came")  # fmt: skip
    assert made.status_code == 303, made.text
    at = made.headers["location"]
    assert at == "/requests/PD-2026-0001"
    page = officer.get(at).text
    assert "16 March 2026" in page
    assert "2 AAC 96.325(a)" in page
    assert "Pat &lt;b&gt;Smith&lt;/b&gt;" in page
    assert "PD-2026-0001" in officer.get("/requests").text
    for name, values in (
        ("acknowledge", {}),
        ("extend", {"not_for_delay": "yes", "words": "three offices"}),
        ("toll", {"code": "fee"}),
        ("resume", {"code": "fee"}),
        ("ask", {"words": "Which bridge?"}),
        ("promise", {"on": "2026-03-20", "number": "1"}),
        ("mark", {"code": "determined"}),
        ("instalment", {}),
        ("assign", {"email": "reader@alder.example"}),
        ("litigant", {"answer": "no"}),
        ("time", {"hours": "6", "work": "search", "rate": "40"}),
        ("fee-notice", {"amount": "40"}),
        ("fee-paid", {"amount": "20"}),
        ("fee-waived", {}),
        ("no-records", {"words": "we searched"}),
        ("deny", {"exemption": "(a)(6)(C)", "delegation": "Order 4", "partly": "yes"}),
        ("appeal", {"words": "I disagree"}),
        ("decide", {"answer": "reversed"}),
        ("close", {}),
        ("reopen", {}),
        ("close", {"answer": "produced"}),
        ("let-go", {}),
    ):
        told = officer.send(at, f"{at}/{name}", why="so it is", **values)
        assert told.status_code == 303, (name, told.text)
        assert officer.get(at).status_code == 200, name
    page = officer.get(at).text
    assert "nothing any more" in page
    assert "PD-2026-0001" in officer.get("/requests?state=closed").text
    assert "There is none." in officer.get("/requests").text


def test_a_mistake_on_a_page_is_told_there_and_changes_nothing(browser: Callable[[str], Browser]):
    officer = browser("reader")
    told = officer.send(
        "/requests/open", "/requests/open", text="All", received="2026-03-02", law="us-zz", why="x"
    )
    assert told.status_code == 404
    assert "No law" in told.text
    form = {"csrf": officer.mark("/requests/open"), "text": "All", "received": "2026-03-02", "why": "x"}
    told = officer.client.post("/requests/open", data={**form, "page": "x"})
    assert told.status_code == 422
    at = officer.send(
        "/requests/open", "/requests/open", text="All", received="2026-03-02", law="us-wa", why="x"
    ).headers["location"]
    for name, values, status in (
        ("extend", {}, 409),
        ("toll", {}, 409),
        ("time", {"hours": "many"}, 422),
        ("fee-paid", {"amount": "-1"}, 422),
        ("promise", {}, 422),
        ("burn", {}, 422),
        ("close", {"why": ""}, 422),
    ):
        told = officer.send(at, f"{at}/{name}", **{"why": "x", **values})
        assert told.status_code == status, (name, told.text)
        assert 'role="alert"' in told.text
    assert "open: what answers it is being looked for" in officer.get(at).text


def test_what_was_typed_for_an_act_that_is_refused_stands_there_yet(browser: Callable[[str], Browser]):
    officer = browser("reader")
    at = officer.send("/requests/open", "/requests/open", text="All", received="2026-03-02", law="us-ak-state",
                      why="x").headers["location"]  # fmt: skip
    told = officer.send(
        at,
        f"{at}/deny",
        words="three <pages> of reasons",
        exemption="(a)(6)(C)",
        partly="yes",
        why="a witness",
    )
    assert (told.status_code, "by what delegation" in told.text) == (409, True)
    assert ">three &lt;pages&gt; of reasons</textarea>" in told.text
    assert '<option value="(a)(6)(C)" selected>' in told.text
    assert 'name="partly" type="checkbox" value="yes" checked' in told.text
    assert told.text.count('value="a witness"') == 1, "in the form that was sent, and in no other"
    assert "three &lt;pages&gt;" not in officer.get(at).text
    told = officer.send(at, f"{at}/time", hours="many", work="redaction", on="2026-03-02", why="read")
    assert 'value="many"' in told.text
    assert '<option value="redaction" selected>' in told.text


def test_what_was_typed_for_a_request_that_is_refused_stands_there_yet(browser: Callable[[str], Browser]):
    told = browser("reader").send(
        "/requests/open",
        "/requests/open",
        text="All about the bridge",
        name="x" * 300,
        law="us-wa",
        why="it came",
    )
    assert told.status_code == 422
    assert "All about the bridge" in told.text
    assert 'value="it came"' in told.text


def test_hours_are_told_as_they_are(browser: Callable[[str], Browser]):
    officer = browser("reader")
    at = officer.send("/requests/open", "/requests/open", text="All", received="2026-02-23", law="us-ak-state",
                      why="x").headers["location"]  # fmt: skip
    assert officer.send(at, f"{at}/time", hours="6.25", rate="40", why="x").status_code == 303
    assert "6.25 hours; 6.25 count under the law, 5 of them are free" in officer.get(at).text
    for day in ("2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27", "2026-02-28"):
        assert officer.send(at, f"{at}/time", hours="20", work="review", on=day, why="x").status_code == 303
    assert "106.25 hours;" in officer.get(at).text


def test_what_came_as_a_message_came_by_e_mail(browser: Callable[[str], Browser]):
    officer = browser("reader")
    told = officer.client.post(
        "/requests/open", data={"csrf": officer.mark("/requests/open"), "law": "us-wa", "channel": "page", "why": "it came"},
        files={"message": ("from pat.eml", MESSAGE, "message/rfc822")},
    )  # fmt: skip
    assert ", email</dd>" in officer.get(told.headers["location"]).text


def test_only_what_can_be_done_is_offered(browser: Callable[[str], Browser]):
    officer = browser("reader")
    at = officer.send("/requests/open", "/requests/open", text="All", received="2026-03-02", law="us-ak-bethel",
                      why="x").headers["location"]  # fmt: skip
    answered = '<option value="clarification_answered"'
    assert answered not in officer.get(at).text
    assert officer.send(at, f"{at}/ask", words="Which bridge?", why="x").status_code == 303
    assert answered in officer.get(at).text
    assert officer.send(at, f"{at}/close", answer="withdrawn", why="x").status_code == 303
    assert f'action="{at}/extend"' not in officer.get(at).text
    assert officer.send(at, f"{at}/appeal", why="x").status_code == 303
    assert f'action="{at}/extend"' in officer.get(at).text
    assert officer.send(at, f"{at}/extend", words="the manager is ill", why="x").status_code == 303


def test_in_juneau_no_page_says_overdue(browser: Callable[[str], Browser]):
    officer = browser("reader")
    at = officer.send("/requests/open", "/requests/open", text="All", received="2026-02-02", law="us-ak-juneau",
                      target="2026-02-16", why="x").headers["location"]  # fmt: skip
    for page in (officer.get(at).text, officer.get("/requests").text):
        assert "Target passed" in page
        assert "Overdue" not in page
    assert "No statutory clock" in officer.get(at).text


def test_a_message_is_handed_in_on_the_page(browser: Callable[[str], Browser]):
    officer = browser("reader")
    told = officer.client.post(
        "/requests/open", data={"csrf": officer.mark("/requests/open"), "law": "us-wa", "channel": "email", "why": "it came"},
        files={"message": ("from pat.eml", MESSAGE, "message/rfc822")},
    )  # fmt: skip
    assert told.status_code == 303, told.text
    page = officer.get(told.headers["location"]).text
    assert "from pat.eml" in page
    assert "x.html" in page
    assert "steal()" not in page


def test_letters_are_read_as_plain_text_and_the_log_leaves_as_a_file(
    browser: Callable[[str], Browser], person: Who
):
    officer = browser("reader")
    made = opened(person("reader"))
    told = person("reader").post(f"/api/v1/requests/{made['number']}/acknowledge", json={"why": "x"}).json()
    letter = officer.get(f"/requests/{made['number']}/papers/{told['papers'][0]['id']}")
    assert letter.headers["content-type"].startswith("text/plain")
    assert "we received your request" in letter.text.lower()
    assert "PD-2026-0001" in officer.get("/requests/log").text
    out = officer.send("/requests/log", "/requests/log", why="asked for")
    assert out.headers["content-type"].startswith("text/csv")
    assert officer.send("/requests/log", "/requests/log", why="").status_code == 422


def test_an_auditor_reads_and_has_no_form_but_the_log(browser: Callable[[str], Browser], person: Who):
    made = opened(person("reader"))
    auditor = browser("auditor")
    page = auditor.get(f"/requests/{made['number']}").text
    assert "16 March 2026" in page
    assert f'action="/requests/{made["number"]}/' not in page
    assert auditor.get("/requests/open").status_code == 403
    assert browser("approver").get("/requests").status_code == 403


def test_a_form_of_another_session_opens_nothing(browser: Callable[[str], Browser]):
    officer = browser("reader")
    told = officer.client.post(
        "/requests/open", data={"csrf": "0" * 64, "text": "All", "received": "2026-03-02", "why": "x"}
    )
    assert told.status_code == 403


# -- command line ------------------------------------------------------------------------------------------

Ran = Callable[..., Any]


@pytest.fixture
def run(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ran:
    """Runs a command as the records officer; its answer."""
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    monkeypatch.setattr(
        "app.cli.session.open_archive", lambda settings: open_archive(settings, FixedClock(NOW))
    )

    def ran(*words: str, by: str = "reader", code: int = 0) -> Any:
        monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens[by])
        assert door.main([*words, "--json"]) == code, capsys.readouterr()
        return json.loads(capsys.readouterr().out)

    return ran


def test_the_command_line_does_everything_that_the_surface_promises(run: Ran, tmp_path: Path):
    made = run(
        "request", "open", "--from", "Pat Smith", "--text", "All about the bridge", "--received", "2026-03-02T10:00",
        "--law", "us-ak-state", "--why", "it came",
    )  # fmt: skip
    assert {"id", "due"} <= made.keys()
    assert {"what", "on", "citation"} <= made["due"][0].keys()
    which = made["id"]
    assert run("request", "list")[0]["id"] == which
    assert run("request", "show", made["number"])["due"][0]["on"] == "2026-03-16"
    assert run("request", "extend", which, "--why", "three offices")["due"][0]["on"] == "2026-03-31"
    assert run("request", "extend", which, "--why", "again", code=4)["error"]["code"] == "no-extension"
    assert (
        run("request", "toll", which, "--until", "2026-03-16", "--why", "a fee")["due"][0]["on"]
        == "2026-04-07"
    )
    assert (
        run("request", "time", which, "--hours", "6.5", "--rate", "40", "--why", "searched")["fees"][
            "chargeable_hours"
        ]
        == 1.5
    )
    assert run("request", "fee", which)["fees"]["may_charge_cents"] == 6_000
    assert run("request", "fee", which, "--notice", "60", "--why", "x")["fees"]["owed_cents"] == 6_000
    assert run("request", "fee", which, "--waive", "--why", "uniformly")["fees"]["owed_cents"] == 0
    assert run("request", "deny", which, "--why", "x", code=4)["error"]["code"] == "denial-incomplete"
    denied = run(
        "request", "deny", which, "--exemption", "(a)(6)(C)", "--delegation", "Order 4", "--why", "a witness"
    )
    assert denied["due"][0]["met_on"] == "2026-03-09"
    run("request", "appeal", which, "--words", "I disagree", "--why", "received")
    run("request", "appeal", which, "--decided", "upheld", "--why", "the council")
    closed = run("request", "close", which, "--why", "over")
    assert (closed["state"], closed["outcome"]) == ("closed", "denied")
    assert run("request", "close", which, "--why", "again", code=4)["error"]["code"] == "request-closed"
    letter = next(one for one in closed["papers"] if one["name"] == "denial.txt")
    out = tmp_path / "denial.txt"
    run("request", "paper", which, letter["id"], "--out", str(out))
    assert "AS 40.25.120(a)(6)(C)" in out.read_text()
    assert (
        run("request", "paper", which, letter["id"], "--out", str(out), code=2)["error"]["code"] == "invalid"
    )
    run("request", "log", "--out", str(tmp_path / "log.csv"), "--why", "asked for", by="auditor")
    assert "PD-2026-0001" in (tmp_path / "log.csv").read_text("utf-8-sig")


def test_the_command_line_opens_from_a_message_and_refuses_what_is_wrong(run: Ran, tmp_path: Path):
    file = tmp_path / "from pat.eml"
    file.write_bytes(MESSAGE)
    made = run("request", "open", "--message", str(file), "--law", "wa", "--why", "it came")
    assert (made["from"], made["channel"], made["due"][0]["on"]) == ("Pat Smith", "email", "2026-03-09")
    for words, code, error in (
        (("--text", "x", "--why", "x"), 2, "invalid"),
        (("--text", "x", "--received", "2026-03-02"), 2, "why-missing"),
        (("--text", "x", "--received", "2026-03-02", "--law", "us-zz", "--why", "x"), 3, "no-such-law"),
        (("--message", str(tmp_path / "no.eml"), "--why", "x"), 2, "invalid"),
    ):
        assert run("request", "open", *words, code=code)["error"]["code"] == error
    assert run("request", "show", "PD-2026-0007", code=3)["error"]["code"] == "no-such-request"
    assert (
        run("request", "time", made["id"], "--hours", "many", "--why", "x", code=2)["error"]["code"]
        == "invalid"
    )
    assert (
        run("request", "open", "--text", "x", "--received", "2026-03-02", "--why", "x", by="auditor", code=4)[
            "error"
        ]["code"]
        == "not-permitted"
    )


def test_the_agencys_own_laws_lie_in_a_folder_of_its_home(run: Ran, archive: Archive, tmp_path: Path):
    folder = archive.settings.home / "request_laws"
    folder.mkdir()
    (folder / "agency.yaml").write_text("law: us-wy\n")
    assert [one["law"] for one in run("request", "laws") if one["own"]] == ["us-wy"]
    made = run("request", "open", "--text", "All", "--received", "2026-03-02", "--why", "x")
    assert made["law"] == "us-wy"
    bad = tmp_path / "bad.yaml"
    bad.write_text("law: us-xx\ntitle: X\n")
    told = run("request", "laws", "--check", str(bad), code=2)
    assert told[0]["problems"][0]["line"] == 1
    (folder / "broken.yaml").write_text("lwa: x\n")
    assert run("request", "list", code=2)["error"]["code"] == "bad-law"

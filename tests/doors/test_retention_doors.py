"""Retention through its three doors: who may, what each answers, and that nothing changes before it is confirmed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app import officers
from app.capture import importing
from app.cli.door import main as command
from app.holds import finding, matters, placing
from app.holds.scopes import Scope
from app.main import Archive
from app.records.nouns import Role
from app.retention import classifying
from app.retention.standing import Standing
from app.store.tables import officers as officers_table
from tests.doors.conftest import NOW, PNG, Town, item, record_of
from tests.steps.filing import a_schedule

Ran = Callable[..., tuple[int, Any]]
SERIES = {
    "POSTS": "{after: published, keep: P9Y, then: destroy}",
    "TALK": "{after: published, keep: P1D, then: destroy}",
    "KEPT": "{then: permanent}",
}
RULES = (
    ("KEPT", 'when: "bridge"', 30),
    ("POSTS", 'when: "kind:post"', 20),
    ("TALK", 'when: "kind:comment"', 10),
)
FILE = a_schedule(SERIES, RULES, title="Alder Creek schedule")
WHY = {"why": "the council adopted it"}
TODAY = f"{NOW:%Y-%m-%d}"


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
def file(tmp_path: Path) -> Path:
    made = tmp_path / "schedule.yaml"
    made.write_bytes(FILE)
    return made


@pytest.fixture
def adopted(archive: Archive, person: Any) -> Archive:
    """The town's archive under a schedule, everything classified."""
    form = {"content": FILE.decode(), "instrument": "Resolution 12", **WHY}
    assert person("reader").post("/api/v1/schedules", json=form).status_code == 201
    assert person("reader").post("/api/v1/retention/classification", json=WHY).status_code == 200
    return archive


# -- adopting ----------------------------------------------------------------------------------------------


def test_a_schedule_is_previewed_adopted_listed_and_ended_on_the_command_line(
    cli: Ran, file: Path, tmp_path: Path
):
    code, told = cli("schedule", "adopt", str(file), "--instrument", "Resolution 12", "--preview")
    assert (code, told["records"]) == (0, 8)
    assert cli("schedule", "list") == (0, [])
    code, made = cli(
        "schedule",
        "adopt",
        str(file),
        "--instrument",
        "Resolution 12",
        "--why",
        "the council",
        "--from",
        "2026-01-01",
    )
    assert (code, made["title"], made["standing"], made["from"]) == (
        0,
        "Alder Creek schedule",
        "in force",
        "2026-01-01",
    )
    code, found = cli("schedule", "list", by="approver")
    assert [one["id"] for one in found] == [made["id"]]
    out = tmp_path / "out.yaml"
    assert cli("schedule", "show", made["id"], "--out", str(out))[1]["rules"] == 3
    assert out.read_bytes() == FILE
    assert cli("schedule", "end", made["id"], "--why", "it was repealed")[1]["standing"] == "ended"


def test_what_cannot_be_adopted_says_its_family_and_what_to_do(cli: Ran, file: Path):
    assert cli("schedule", "adopt", str(file), "--why", "x")[0] == 2
    assert cli("schedule", "adopt", str(file), "--instrument", "R")[1]["error"]["code"] == "why-missing"
    assert cli("schedule", "adopt", str(file), "--instrument", "R", "--why", "x")[0] == 0
    code, told = cli("schedule", "adopt", str(file), "--instrument", "R", "--why", "x")
    assert (code, told["error"]["code"]) == (4, "two-editions-in-force") or told["error"][
        "code"
    ] == "already-adopted"
    file.write_text("series: []")
    code, told = cli("schedule", "adopt", str(file), "--instrument", "R", "--why", "x")
    assert (code, told["error"]["code"]) == (2, "bad-schedule")
    assert cli("schedule", "show", "nothing")[0] == 3


def test_a_schedule_is_previewed_and_adopted_over_the_api_by_a_records_officer_alone(person: Any):
    form = {"content": FILE.decode(), "instrument": "Resolution 12", **WHY}
    told = person("reader").post("/api/v1/schedules/preview", json=form).json()
    assert told["records"] == 8
    assert person("reader").get("/api/v1/schedules").json()["total"] == 0
    for name in ("approver", "auditor", "machine"):
        assert person(name).post("/api/v1/schedules", json=form).status_code == 403
    made = person("reader").post("/api/v1/schedules", json=form)
    assert made.status_code == 201, made.text
    shown = person("approver").get(f"/api/v1/schedules/{made.json()['id']}").json()
    assert [one["code"] for one in shown["series"]] == list(SERIES)
    assert person("auditor").get(f"/api/v1/schedules/{made.json()['id']}/file").content == FILE
    assert person(None).get("/api/v1/schedules").status_code == 401
    bad = person("reader").post("/api/v1/schedules", json=form | {"content": "series: []"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad-schedule")
    ended = person("reader").post(f"/api/v1/schedules/{made.json()['id']}/end", json=WHY)
    assert ended.json()["ended_on"] == TODAY


def test_the_page_shows_what_adopting_would_do_before_it_is_confirmed_and_keeps_every_byte(browser: Any):
    reader = browser("reader")
    content = FILE.replace(b"\n", b"\r\n") + b"# \xc3\xa9"
    mark = reader.mark("/schedules/adopt")
    page = reader.client.post(
        "/schedules/preview",
        data={"csrf": mark, "instrument": "Resolution 12"},
        files={"file": ("s.yaml", content, "application/yaml")},
    )
    assert page.status_code == 200, page.text
    assert "would become eligible" in page.text
    assert "No schedule is adopted" in reader.get("/schedules").text
    carried = re.search(r'name="content" value="([^"]+)"', page.text)
    assert carried
    assert base64.b64decode(carried[1]) == content
    done = reader.client.post(
        "/schedules/adopt", data={"csrf": mark, "content": carried[1], "instrument": "Resolution 12", **WHY}
    )
    assert done.status_code == 303, done.text
    shown = reader.get(done.headers["location"]).text
    assert "adopted by" in shown.lower()
    assert reader.get(f"{done.headers['location']}/file").content == content
    assert "Alder Creek schedule" in reader.get("/schedules").text


def test_a_page_that_cannot_adopt_says_each_mistake_with_its_line(browser: Any):
    reader = browser("reader")
    page = reader.client.post(
        "/schedules/preview",
        data={"csrf": reader.mark("/schedules/adopt"), "instrument": "R"},
        files={"file": ("s.yaml", FILE.replace(b"kind:comment", b"tag:x"), "application/yaml")},
    )
    assert page.status_code == 422
    assert re.search(r"Line \d+: .*tag:x", page.text)
    assert browser("auditor").get("/schedules/adopt").status_code == 403


# -- how records stand -------------------------------------------------------------------------------------


def counts(told: dict[str, Any]) -> dict[str | None, dict[str, int]]:
    return {one["series"]: one["decisions"] for one in told["series"]}


def test_counts_by_series_and_decision_are_the_same_at_every_door(
    adopted: Archive, cli: Ran, person: Any, browser: Any
):
    told = person("approver").get("/api/v1/retention").json()
    assert counts(told) == {
        None: {"keep": 1},
        "KEPT": {"permanent": 2},
        "POSTS": {"keep": 1, "keep_until": 1},
        "TALK": {"destroy": 3},
    }
    code, said = cli("retention", "preview", "--on", TODAY)
    assert (code, counts(said)) == (0, counts(told))
    page = browser("auditor").get("/retention").text
    assert re.search(r"TALK</th><td class=\"figure\">3", page)
    assert person("approver").get("/api/v1/retention", params={"on": "2040-01-01"}).json()["series"][1] == {
        "series": "KEPT",
        "decisions": {"permanent": 2},
    }
    assert person("machine").get("/api/v1/retention").status_code == 403


def test_a_record_says_its_series_wherever_it_is_shown(adopted: Archive, cli: Ran, person: Any, browser: Any):
    record = record_of(adopted.store, "3")
    assert person("reader").get(f"/api/v1/records/{record}").json()["series"] == "TALK"
    assert cli("record", "show", str(record))[1]["series"] == "TALK"
    assert "Why is it kept?" in browser("reader").get(f"/records/{record}").text
    found = person("reader").get("/api/v1/records", params={"q": "nobody"}).json()
    assert [one["series"] for one in found["records"]] == ["TALK", "POSTS"]


def test_why_a_record_is_kept_is_explained_at_every_door(
    adopted: Archive, cli: Ran, person: Any, browser: Any
):
    record = record_of(adopted.store, "8")
    told = person("reader").get(f"/api/v1/records/{record}/explain").json()
    assert (told["series"], told["decision"], told["classification"]["won"]["priority"]) == (
        "POSTS",
        "keep_until",
        20,
    )
    assert [one["why"] for one in told["classification"]["lost"]] == [
        "not so: bridge",
        "not so: kind:comment",
    ]
    assert not told["to_be_classified_anew"]
    code, said = cli("retention", "explain", str(record))
    assert (code, said["until"], said["says"]) == (0, told["until"], told["says"])
    page = browser("auditor").get(f"/records/{record}/retention").text
    assert told["says"] in page
    assert "priority 30, series KEPT, lost: not so: bridge" in page


def test_a_private_message_is_explained_to_nobody_who_may_not_read_it(
    adopted: Archive, cli: Ran, person: Any, browser: Any
):
    record = record_of(adopted.store, "6")
    path = f"/api/v1/records/{record}/explain"
    assert person("confidant").get(path).status_code == 200
    none = person("reader").get("/api/v1/records/00000000-0000-7000-8000-000000000000/explain")
    refused = person("reader").get(path)
    assert (
        (refused.status_code, refused.json()["code"])
        == (none.status_code, none.json()["code"])
        == (404, "no-such-record")
    )
    assert browser("reader").get(f"/records/{record}/retention").status_code == 404
    assert cli("retention", "explain", str(record))[0] == 3
    form = {"records": [str(record)], "series": "KEPT", **WHY}
    assert person("reader").post("/api/v1/retention/assignments", json=form).status_code == 404
    assert cli("retention", "assign", str(record), "KEPT", "--why", "x")[0] == 3


# -- what people record ------------------------------------------------------------------------------------


def test_an_officer_assigns_records_events_and_keeps_longer_over_the_api(adopted: Archive, person: Any):
    record = str(record_of(adopted.store, "3"))
    reader, path = person("reader"), f"/api/v1/records/{record}/explain"
    form = {"records": [record], "series": "KEPT", **WHY}
    assert reader.post("/api/v1/retention/assignments", json=form).status_code == 201
    assert reader.get(path).json()["decision"] == "permanent"
    assert reader.post("/api/v1/retention/assignments", json=form | {"series": None}).status_code == 201
    assert reader.get(path).json()["decision"] == "destroy"
    more = {"records": [record], "until": "2030-01-01", **WHY}
    assert reader.post("/api/v1/retention/extensions", json=more).status_code == 201
    assert reader.get(path).json()["until"] == "2030-01-01"
    said = {"records": [record], "name": "read", "on": "2026-03-02", "evidence": "a receipt", **WHY}
    made = reader.post("/api/v1/retention/events", json=said)
    assert made.status_code == 201, made.text
    back = reader.post(f"/api/v1/retention/events/{made.json()['id']}/take-back", json=WHY)
    assert back.json()["superseded_entry"]
    for name in ("approver", "auditor", "machine"):
        assert person(name).post("/api/v1/retention/events", json=said).status_code == 403
    assert reader.post("/api/v1/retention/events", json=said | {"name": "flooded"}).status_code == 422
    assert reader.post("/api/v1/retention/events", json=said | {"why": ""}).status_code == 422


def test_an_officer_does_the_same_on_the_command_line_for_one_record_or_for_many(
    adopted: Archive, cli: Ran, tmp_path: Path
):
    record = str(record_of(adopted.store, "3"))
    assert cli("retention", "assign", record, "KEPT", "--why", "I read it")[1]["series"] == "KEPT"
    assert cli("retention", "unassign", record, "--why", "the rules are right")[1]["series"] == "TALK"
    named = ["--on", "2026-03-02", "--evidence", "a list", "--why", "x"]
    assert cli("retention", "event", record, "read", *named)[1]["records"] == 1
    assert cli("retention", "event", "read", "--query", "kind:comment", *named)[1]["records"] == 4
    listed = tmp_path / "records.txt"
    listed.write_text(record + "\n")
    code, made = cli("retention", "extend", "--records", str(listed), "--until", "2040-01-01", "--why", "x")
    assert (code, made["on"]) == (0, "2040-01-01")
    assert cli("retention", "take-back", made["id"], "--why", "a mistake")[0] == 0
    assert cli("retention", "event", "read", *named)[1]["error"]["code"] == "no-records-named"


def test_an_officer_does_the_same_on_the_records_own_page(adopted: Archive, browser: Any):
    record = record_of(adopted.store, "3")
    reader, page = browser("reader"), f"/records/{record}/retention"
    assert reader.send(page, f"{page}/assign", series="KEPT", why="I read it").status_code == 303
    assert "Permanent: it is kept for ever." in reader.get(page).text
    assert reader.send(page, f"{page}/assign", series="", why="no").status_code == 303
    assert reader.send(page, f"{page}/extend", until="2031-05-05", why="x").status_code == 303
    assert "2031-05-05" in reader.get(page).text
    said = {"name": "read", "on": "2026-03-02", "evidence": "a receipt"}
    assert reader.send(page, f"{page}/event", **said, why="x").status_code == 303
    refused = reader.send(page, f"{page}/event", **said, why="")
    assert (refused.status_code, "a reason" in refused.text) == (422, True)
    assert (
        'method="post"'
        not in browser("auditor").get(page).text.replace('action="/sign-out"', "").split("<main")[1]
    )
    assert (
        browser("auditor").client.post(f"{page}/assign", data={"series": "KEPT", "why": "x"}).status_code
        == 403
    )


# -- classifying, and the years to come --------------------------------------------------------------------


def test_classifying_is_previewed_and_carried_out_at_every_door(
    archive: Archive, cli: Ran, person: Any, browser: Any
):
    form = {"content": FILE.decode(), "instrument": "Resolution 12", **WHY}
    assert person("reader").post("/api/v1/schedules", json=form).status_code == 201
    told = person("reader").get("/api/v1/retention/classification").json()
    assert (told["due"], told["records"]) == (
        True,
        0,
    )  # nothing was looked at before: the follower does it first
    assert "See what would change" in browser("reader").get("/retention").text
    assert "would go into another series" in browser("reader").get("/retention?classify=preview").text
    done = browser("reader").send("/retention?classify=preview", "/retention/classify", why="now")
    assert done.status_code == 303
    assert not person("reader").get("/api/v1/retention/classification").json()["due"]
    assert cli("retention", "classify", "--why", "again")[1]["changed"] == 0
    assert cli("retention", "classify", "--preview")[1] == {"changed": 0, "moves": []}


def test_the_years_to_come_are_told_drawn_and_listed(
    adopted: Archive, cli: Ran, person: Any, browser: Any, tmp_path: Path, file: Path
):
    told = person("approver").get("/api/v1/retention/simulation").json()
    assert (told["records"], told["already"]["eligible"], told["permanent"]) == (8, 3, 2)
    assert [one for one in told["months"] if one["eligible"]] == [
        {"month": "2035-03", "eligible": 1, "held": 0}
    ]
    held = person("approver").get("/api/v1/retention/simulation", params={"hold": "nobody"}).json()
    assert held["already"] == {"eligible": 2, "held": 1}
    page = browser("auditor").get("/retention/years").text
    assert page.count("<svg") == 1
    assert re.search(r"2035-03</th><td class=\"figure\">1", page)
    assert browser("auditor").get("/retention/years?hold=%28").status_code == 422
    svg = tmp_path / "years.svg"
    code, said = cli("retention", "simulate", "--svg", str(svg), "--on", "2026-11-30")
    assert (code, said["already"]["eligible"]) == (0, 3)
    assert "<svg" in svg.read_text()
    file.write_bytes(FILE.replace(b"P9Y", b"P1D").replace(b'edition: "1"', b'edition: "2"'))
    assert cli("retention", "simulate", "--schedule", str(file))[1]["already"]["eligible"] == 4


def test_the_doctor_says_whether_the_clock_can_be_believed(archive: Archive, cli: Ran):
    from app.jobs.doctor import examine

    def clock() -> Any:
        return next(one for one in examine(archive.settings, archive.store, lambda: 0) if one.what == "clock")

    assert clock().ok
    archive.keep_classified()
    archive.store.clock.at = NOW.replace(month=1)  # type: ignore[attr-defined] # the clock of a test stands until it is moved
    assert not clock().ok
    assert "nothing is eligible" in clock().says
    with archive.store.database.read() as tx:
        assert Standing(archive.store).today(tx).doubt


# -- under a schedule that is not adopted ------------------------------------------------------------------

CANDIDATE = FILE.replace(b"P9Y", b"P1D").replace(b'edition: "1"', b'edition: "2"')


def asked(reader: Any, content: bytes = b"", **values: str) -> Any:
    """The years to come under a schedule that is handed over."""
    return reader.client.post(
        "/retention/years",
        data={"csrf": reader.mark("/retention/years"), **values},
        files={"file": ("coming.yaml" if content else "", content, "application/yaml")},
    )


def test_what_a_schedule_would_do_is_told_alike_at_every_door_and_nothing_is_adopted(
    adopted: Archive, cli: Ran, person: Any, browser: Any, file: Path
):
    told = (
        person("approver").post("/api/v1/retention/simulation", json={"content": CANDIDATE.decode()}).json()
    )
    assert (told["adopting"]["becomes"], told["adopting"]["stops"]) == (1, 0)
    assert told["already"] == {"eligible": 4, "held": 0}
    file.write_bytes(CANDIDATE)
    code, said = cli("retention", "simulate", "--schedule", str(file))
    assert (code, said["adopting"], said["already"]) == (0, told["adopting"], told["already"])
    assert (
        "1 would become eligible at once"
        in cli("retention", "simulate", "--schedule", str(file), as_json=False)[1]
    )
    page = asked(browser("auditor"), CANDIDATE)
    assert page.status_code == 200, page.text
    assert "1 would become eligible at once that are not now, and 0 would stop being so" in page.text
    assert re.search(r'POSTS</th><td class="figure">1</td><td class="figure">0', page.text)
    assert page.text.count("<svg") == 1
    assert "<script" not in page.text
    assert [one["edition"] for one in cli("schedule", "list")[1]] == ["1"]
    assert "adopting" not in person("approver").get("/api/v1/retention/simulation").json()


def test_one_that_comes_with_the_program_is_chosen_from_a_list(archive: Archive, browser: Any):
    reader = browser("approver")
    form = reader.get("/retention/years").text
    assert "us-wa-core" in form
    assert "jackson" not in form, "a placeholder is no schedule yet"
    page = asked(reader, shipped="us-wa-core")
    assert page.status_code == 200, page.text
    assert "Local Government Common Records Retention Schedule" in page.text.split("</details>")[1]
    for nothing in ("", "../pyproject", "jackson/../us-wa-core"):
        assert asked(reader, shipped=nothing).status_code == 422


def test_what_cannot_be_adopted_says_each_mistake_with_its_line_here_too(archive: Archive, browser: Any):
    page = asked(browser("auditor"), FILE.replace(b"kind:comment", b"kind:("))
    assert page.status_code == 422
    assert re.search(r"Line \d+: ", page.text)
    assert "<svg" not in page.text
    assert asked(browser("auditor"), b"x" * 700_001).status_code == 422
    assert browser("machine").client.post("/retention/years").status_code == 403
    assert browser("auditor").client.post("/retention/years").status_code == 403, (
        "the form is not of the session"
    )


def test_a_hold_that_is_thought_of_counts_private_messages_for_those_alone_who_may_read_them(
    adopted: Archive, cli: Ran, person: Any, browser: Any
):
    """Otherwise the numbers would tell which words stand in them; the record of the message has no series."""
    assert (
        person("confidant")
        .post(
            "/api/v1/retention/assignments",
            json={"records": [str(record_of(adopted.store, "6"))], "series": "TALK", **WHY},
        )
        .status_code
        == 201
    )
    query = {"hold": "number letter"}
    seen = person("confidant").get("/api/v1/retention/simulation", params=query).json()
    assert seen["already"] == {"eligible": 3, "held": 1}
    for name in ("reader", "approver", "auditor"):
        told = person(name).get("/api/v1/retention/simulation", params=query).json()
        assert told["already"] == {"eligible": 4, "held": 0}
    assert cli("retention", "simulate", "--hold", "number letter")[1]["already"]["held"] == 0
    assert cli("retention", "simulate", "--hold", "number letter", by="confidant")[1]["already"]["held"] == 1


def test_no_question_of_the_years_to_come_tells_of_a_hold(
    archive: Archive, cli: Ran, person: Any, browser: Any
):
    for query in ("hold:any", "NOT hold:any"):
        told = person("auditor").get("/api/v1/retention/simulation", params={"hold": query})
        assert (told.status_code, told.json()["code"]) == (422, "scope-refused")
        assert browser("auditor").get("/retention/years", params={"hold": query}).status_code == 422
        assert asked(browser("auditor"), CANDIDATE, hold=query).status_code == 422
        assert cli("retention", "simulate", "--hold", query)[0] == 2


def test_a_hold_that_is_thought_of_covers_what_the_same_hold_covers_when_it_is_placed(
    adopted: Archive, cli: Ran, person: Any, laid: Town
):
    """What bears no date, what shows a picture and says nothing, and what the index has not reached, too."""
    ids = [str(record_of(adopted.store, name)) for name in ("1", "2", "3", "4", "5", "7", "8")]
    body = {"records": ids, "series": "TALK", **WHY}
    assert person("confidant").post("/api/v1/retention/assignments", json=body).status_code == 201
    file = adopted.settings.home.parent / "late.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in (
        item("91", "The heron is back at the pond.", 15, in_reply_to="1"),
        item("92", "", 15, in_reply_to="1", attachments=[
            {"id": "heron", "path": "heron.png", "media_type": "image/png", "url": None}]),
    )))  # fmt: skip
    (file.parent / "heron.png").write_bytes(PNG)
    importing.observations(
        adopted.store, file, page=None, make_pages=False, by=laid.ids["reader"], why="x", tick=lambda: 0.0
    )
    classifying.follow(adopted.store)
    assert adopted.behind()
    with adopted.store.database.begin() as tx:
        by = officers.get(tx, laid.ids["reader"])
        by = replace(by, roles=frozenset({*by.roles, Role.ATTORNEY}))
        matter = matters.open(adopted.store, tx, "Doe", by=by, why="a letter")
    for query in ("heron", "NOT bridge", "date:2026-03-01..2026-03-01", "bridge OR friday", "kind:comment"):
        told = person("reader").get("/api/v1/retention/simulation", params={"hold": query}).json()
        found = finding.find(adopted.store, adopted.index, Scope(query=query))
        with adopted.store.database.begin() as tx:
            hold = placing.place(adopted.store, tx, matter, Scope(query=query), found, by=by, why="x").hold
            covers = finding.covered(tx, hold.key, messages=False)
            undated = record_of(adopted.store, "7")
            named = {one.record for one in placing.records_of(tx, hold, messages=False, limit=50).records}
        counted = sum(of.get("held", 0) for of in told["series"].values())
        # A post that nobody dated is never eligible, so nothing of it can be counted as kept from that.
        assert counted == sum(covers.values()) - (undated in named), (query, covers, told["series"])
        assert covers["matched"] == 6 or query != "kind:comment"


# -- many records at once ----------------------------------------------------------------------------------


def test_what_happened_to_all_that_a_query_finds_is_one_entry_at_every_door(
    adopted: Archive, cli: Ran, person: Any
):
    event = {"name": "last_action", "on": "2026-03-05", "evidence": "a letter", **WHY}
    made = person("reader").post("/api/v1/retention/events", json={"query": "kind:comment", **event})
    assert (made.status_code, made.json()["records"]) == (201, 4)
    code, same = cli(
        "retention", "event", "last_action", "--query", "kind:comment", "--on", "2026-03-05",
        "--evidence", "a letter", "--why", "x",
    )  # fmt: skip
    assert (code, same["records"]) == (0, 4)
    longer = {"query": "bridge", "until": "2030-01-01", **WHY}
    assert person("reader").post("/api/v1/retention/extensions", json=longer).json()["records"] == 2
    looked = {"query": "bridge", "found": "still needed", **WHY}
    assert person("reader").post("/api/v1/retention/reviews", json=looked).json()["records"] == 2
    both = {"query": "bridge", "records": [str(record_of(adopted.store, "1"))], **event}
    for body, status, word in (
        ({**event}, 422, "no-records-named"),
        (both, 422, "no-records-named"),
        ({**event, "query": "unicorn"}, 422, "no-records-named"),
        ({**event, "query": "("}, 422, "bad-query"),
        ({**event, "query": "hold:any"}, 409, "query-not-supported"),
    ):
        told = person("reader").post("/api/v1/retention/events", json=body)
        assert (told.status_code, told.json()["code"]) == (status, word), body


def test_what_a_query_finds_is_recorded_on_a_page_after_its_number_was_seen(
    adopted: Archive, person: Any, browser: Any, laid: Town
):
    reader = browser("reader")
    assert "/retention/many" in reader.get("/retention").text
    given = {
        "query": "kind:comment", "act": "event", "name": "last_action", "on": "2026-03-05", "evidence": "a letter",
        "why": "x",
    }  # fmt: skip

    def entries() -> int:
        with adopted.store.database.read() as tx:
            return len(adopted.store.ledger.acts(tx, limit=500))

    before = entries()
    seen = reader.send("/retention/many", "/retention/many", step="preview", **given)
    assert (seen.status_code, "Record it of 4 records" in seen.text) == (200, True)
    assert 'value="a letter"' in seen.text
    stale = reader.send("/retention/many", "/retention/many", step="record", seen="3", **given)
    assert "another number of records" in stale.text
    assert entries() == before
    done = reader.send("/retention/many", "/retention/many", step="record", seen="4", **given)
    assert "Recorded:" in done.text
    assert entries() == before + 1
    for act, more in (
        ("extend", {"last": "2030-01-01"}),
        ("review", {"found": "still needed", "again": "2027-01-01"}),
    ):
        told = reader.send(
            "/retention/many", "/retention/many", step="record", seen="2", query="bridge", act=act, why="x", **more
        )  # fmt: skip
        assert "Recorded:" in told.text, told.text
    for wrong in (
        {"query": "("},
        {"query": ""},
        {"on": "2030-01-01"},
        {"name": "unheard_of"},
        {"evidence": ""},
        {"why": " "},
        {"act": "extend", "last": ""},
    ):
        told = reader.send("/retention/many", "/retention/many", step="record", seen="4", **(given | wrong))
        assert told.status_code == 422, wrong
    assert (
        reader.send("/retention/many", "/retention/many", **(given | {"query": "unicorn"})).status_code == 200
    )


def test_attorneys_record_what_happened_too_and_whoever_only_looks_does_not(
    adopted: Archive, person: Any, browser: Any, laid: Town
):
    """As on the command line: events, orders to keep longer and reviews; series are the records officer's."""
    with adopted.store.database.begin() as tx:
        tx.execute(
            update(officers_table)
            .where(officers_table.c.id == laid.ids["machine"].bytes)
            .values(roles=str(Role.ATTORNEY))
        )
    body = {"query": "bridge", "name": "last_action", "on": "2026-03-05", "evidence": "a letter", **WHY}
    assert person("machine").post("/api/v1/retention/events", json=body).status_code == 201
    one = str(record_of(adopted.store, "2"))
    assert (
        person("machine")
        .post("/api/v1/retention/assignments", json={"records": [one], "series": "TALK", **WHY})
        .status_code
        == 403
    )
    attorney = browser("machine")
    assert attorney.get("/retention/many").status_code == 200
    page = attorney.get(f"/records/{one}/retention").text
    assert "/retention/event" in page
    assert "/retention/assign" not in page
    kept = attorney.send(
        f"/records/{one}/retention", f"/records/{one}/retention/extend", until="2030-01-01", why="x"
    )
    assert kept.status_code == 303
    for name in ("auditor", "approver"):
        assert person(name).post("/api/v1/retention/events", json=body).status_code == 403
        assert browser(name).get("/retention/many").status_code == 403
        assert "/retention/many" not in browser(name).get("/retention").text


# -- reviews -----------------------------------------------------------------------------------------------

LOOKED_AT = {
    "POSTS": "{after: published, keep: P1D, then: review, assigns: [KEPT]}",
    "KEPT": "{then: permanent}",
}


@pytest.fixture
def to_review(archive: Archive, person: Any) -> tuple[str, str]:
    """A schedule under which two posts are to be reviewed: the one about the bridge, and the one about the meadow."""
    rules = (("POSTS", 'when: "bridge OR meadow"', 20), ("KEPT", 'when: "kind:comment"', 10))
    form = {"content": a_schedule(LOOKED_AT, rules).decode(), "instrument": "Resolution 12", **WHY}
    assert person("reader").post("/api/v1/schedules", json=form).status_code == 201
    assert person("reader").post("/api/v1/retention/classification", json=WHY).status_code == 200
    return str(record_of(archive.store, "1")), str(record_of(archive.store, "8"))


def due(person: Any) -> set[str]:
    return {one["record"] for one in person("auditor").get("/api/v1/retention/reviews").json()["records"]}


def test_what_is_due_for_review_is_listed_on_a_page_and_recorded_there_for_those_that_are_ticked(
    to_review: tuple[str, str], cli: Ran, person: Any, browser: Any
):
    one, other = to_review
    there = due(person)
    assert {one, other} <= there
    reader, page = browser("reader"), "/retention/reviews"
    shown = reader.get(page).text
    assert "<script" not in shown
    assert set(re.findall(r'name="record" value="([^"]+)"', shown)) == there
    assert "KEPT" in shown
    said = {"record": [one], "found": "still of use", "again": "2027-03-09"}
    assert reader.send(page, page, **said, why="the yearly review").status_code == 303
    assert due(person) == there - {one}
    assert {told["record"] for told in cli("retention", "reviews")[1]["records"]} == there - {one}
    assert one not in reader.get(page).text
    assert "still of use" in person("reader").get(f"/api/v1/records/{one}/explain").text


def test_a_review_without_a_record_a_finding_or_a_reason_is_refused_and_nothing_is_lost_of_what_was_written(
    to_review: tuple[str, str], person: Any, browser: Any
):
    reader, page, before = browser("reader"), "/retention/reviews", due(person)
    said = {"record": [to_review[0]], "found": "a finding", "why": "a reason"}
    for missing in ("record", "found", "why"):
        refused = reader.send(page, page, **{name: value for name, value in said.items() if name != missing})
        assert refused.status_code == 422, missing
        assert 'role="alert"' in refused.text
        assert missing == "found" or "a finding" in refused.text
        assert missing == "record" or f'value="{to_review[0]}" checked' in refused.text
    assert reader.send(page, page, **said, again="2026-03-09").status_code == 422, "the day is not to come"
    assert due(person) == before


def test_whoever_sees_schedules_sees_what_is_due_and_a_records_officer_alone_says_what_was_found(
    to_review: tuple[str, str], browser: Any
):
    for name in ("auditor", "approver"):
        shown = browser(name).get("/retention/reviews")
        assert shown.status_code == 200
        assert to_review[0] in shown.text
        assert 'action="/retention/reviews"' not in shown.text
        assert browser(name).client.post("/retention/reviews", data={"why": "x"}).status_code == 403
    assert browser("machine").get("/retention/reviews").status_code == 403
    assert 'href="/retention/reviews"' in browser("auditor").get("/retention").text


def test_a_permanent_record_is_reviewed_on_its_own_page_and_listed_on_the_day_that_was_named(
    to_review: tuple[str, str], archive: Archive, person: Any, browser: Any
):
    record = record_of(archive.store, "4")
    reader, page = browser("reader"), f"/records/{record}/retention"
    assert "Permanent" in reader.get(page).text
    assert reader.send(page, f"{page}/review", found="", why="x").status_code == 422
    said = {"found": "of lasting value", "again": "2026-04-01"}
    assert reader.send(page, f"{page}/review", **said, why="appraised").status_code == 303
    assert "of lasting value" in reader.get(page).text
    assert str(record) not in due(person)
    archive.store.clock.at = NOW.replace(month=4, day=2)  # type: ignore[attr-defined] # the clock of a test stands until it is moved
    assert str(record) in due(person)
    assert str(record) in browser("reader").get("/retention/reviews").text


def test_what_is_private_or_in_quarantine_is_neither_listed_for_others_nor_reviewed_by_them(
    to_review: tuple[str, str], archive: Archive, person: Any, browser: Any
):
    secret, one = str(record_of(archive.store, "6")), to_review[0]
    form = {"records": [secret], "series": "POSTS", **WHY}
    assert person("confidant").post("/api/v1/retention/assignments", json=form).status_code == 201
    cut = {"record": one, "with": "auditor@alder.example", "why": "an order may come"}
    assert person("administrator").post("/api/v1/quarantine", json=cut).status_code == 201
    assert secret in browser("confidant").get("/retention/reviews").text
    for name in ("reader", "approver"):
        shown = browser(name).get("/retention/reviews").text
        assert secret not in shown
        assert one not in shown
    reader, page = browser("reader"), "/retention/reviews"
    none = "00000000-0000-7000-8000-000000000000"
    said = {
        which: reader.send(page, page, record=[which], found="x", why="x") for which in (secret, one, none)
    }
    assert {answer.status_code for answer in said.values()} == {404}
    told = {answer.text.split("<main")[1].replace(which, "ID") for which, answer in said.items()}
    lists = [re.sub(r'name="csrf" value="[^"]+"', "", one) for one in told]
    assert len(set(lists)) == 1

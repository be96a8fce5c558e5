"""What follows a first production through the doors: supplements, instalments, what was asked back, links; and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.cli import door
from app.main import Archive, _Productions
from tests.doors.conftest import Browser, Person, Town, parts_of, record_of, serving
from tests.doors.test_request_doors import opened

Who = Callable[[str | None], Person]
Sits = Callable[[str | None], Browser]
WHY = {"why": "to answer it"}
N = "PD-2026-0001"
FORMS = {"prefix": "AC-", "forms": ["text", "csv"]}


@pytest.fixture
def web(archive: Archive, tmp_path: Path) -> FastAPI:
    return serving(parts_of(archive, productions=_Productions(archive, tmp_path / "productions")))


@pytest.fixture
def reader(person: Who) -> Person:
    """A records officer with a request whose selection is confirmed."""
    who = person("reader")
    opened(who)
    ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "bridge", **WHY}))
    ok(who.post(f"/api/v1/requests/{N}/confirm", json=WHY))
    return who


def ok(told: Any, status: int = 201) -> Any:
    assert told.status_code == status, told.text
    return told.json()


def more(who: Person) -> None:
    """One more record is selected and confirmed."""
    ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "Friday", "add": True, **WHY}))
    ok(who.post(f"/api/v1/requests/{N}/confirm", json=WHY))


def produced(who: Person, **asked: Any) -> Any:
    return ok(who.post(f"/api/v1/requests/{N}/productions", json={**FORMS, **asked, **WHY}))


def test_an_instalment_leaves_the_request_unanswered_and_a_supplement_brings_the_rest(reader: Person):
    first = produced(reader, more=True)
    events = [one["event"] for one in ok(reader.get(f"/api/v1/requests/{N}"), 200)["happened"]]
    assert ("instalment" in events, "produced" in events) == (True, False)
    more(reader)
    second = produced(reader, supplement=True)
    assert (second["documents"], second["first"]) == (1, "AC-0000003")
    assert first["last"] == "AC-0000002"
    events = [one["event"] for one in ok(reader.get(f"/api/v1/requests/{N}"), 200)["happened"]]
    assert events.count("instalment") == 2
    assert "produced" in events
    again = reader.post(f"/api/v1/requests/{N}/productions", json={**FORMS, "supplement": True, **WHY})
    assert (again.status_code, again.json()["code"]) == (409, "nothing-new")


def test_documents_that_were_asked_back_are_given_anew_under_their_numbers(reader: Person, archive: Archive):
    record = str(record_of(archive.store, "1"))
    first = produced(reader)
    path = f"/api/v1/productions/{first['production']}"
    wrong = reader.post(f"{path}/claw-back", json={"ranges": "AC-0000009", **WHY})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad-range")
    none = reader.post(f"{path}/claw-back", json={"exemption": "  nothing\n ", "ranges": "77", **WHY})
    assert (none.status_code, ok(reader.get(f"/api/v1/requests/{N}"), 200)["papers"]) == (422, [])
    ok(reader.post(f"{path}/claw-back", json={"ranges": "1-2", "exemption": "(a)(6)(C)", "rule": "Civil Rule 26(b)(5)", **WHY}), 200)  # fmt: skip
    (letter,) = ok(reader.get(f"/api/v1/requests/{N}"), 200)["papers"]
    words = " ".join(reader.get(f"/api/v1/requests/{N}/papers/{letter['id']}").text.split())
    assert f"we gave you {N}-P01." in words
    assert "We ask for it back: AC-0000001 to AC-0000002. Ground: AS 40.25.120(a)(6)(C)" in words
    assert "This notice rests on: Civil Rule 26(b)(5)." in words
    assert "bridge" not in words
    second = produced(reader, replaces=first["production"], records=[record])
    assert (second["documents"], second["first"]) == (1, "AC-0000001")
    shown = ok(reader.get(f"/api/v1/productions/{second['production']}"), 200)
    assert (shown["first"], shown["last"]) == ("AC-0000001", "AC-0000001")


@pytest.mark.parametrize(
    "asked",
    [
        {"replaces": "PD-2026-0001-P01"},
        {"records": ["0198f1b4-0000-7000-8000-000000000000"]},
        {
            "replaces": "PD-2026-0001-P01",
            "records": ["0198f1b4-0000-7000-8000-000000000000"],
            "supplement": True,
        },
    ],
)
def test_half_a_replacement_is_refused(reader: Person, asked: dict[str, Any]):
    told = reader.post(f"/api/v1/requests/{N}/productions", json={**FORMS, **asked, **WHY})
    assert (told.status_code, told.json()["code"]) == (422, "bad-recipe")
    assert ok(reader.get("/api/v1/productions"), 200)["total"] == 0


def test_a_link_answers_whoever_asks_for_its_head_and_takes_nothing_by_it(reader: Person, web: FastAPI):
    made = produced(reader)
    path = f"/api/v1/productions/{made['production']}"
    given = ok(reader.post(f"{path}/hand-over", json={"to": "Pat", "days": 7, **WHY}))
    link = given["link"].removeprefix("http://testserver")
    stranger = Browser(web)
    assert stranger.client.head(link).status_code == 200
    head = stranger.client.head(link + "/folder.zip")
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/zip")
    assert ok(reader.get(path), 200)["given_to"][0]["taken_at"] is None
    part = stranger.client.get(link + "/folder.zip", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content[:2]) == (200, b"PK")
    assert len(part.content) > 4
    assert ok(reader.get(path), 200)["given_to"][0]["taken_at"] is not None
    ok(reader.post(f"{path}/claw-back", json=WHY), 200)
    assert (
        stranger.client.head(link).status_code
        == stranger.client.head(link + "/folder.zip").status_code
        == 404
    )


def test_no_link_is_made_that_leads_to_nothing(reader: Person, browser: Sits, tmp_path: Path):
    made = produced(reader)["production"]
    (tmp_path / "productions" / made.lower()).rename(tmp_path / "taken away")
    path, at = f"/api/v1/productions/{made}", f"/requests/{N}/productions"
    told = reader.post(f"{path}/hand-over", json={"to": "Pat", "days": 7, **WHY})
    assert (told.status_code, told.json()["code"]) == (404, "production-elsewhere")
    officer = browser("reader")
    given = {"csrf": officer.mark(at), "to": "Pat", "days": "7", **WHY}
    assert officer.client.post(f"/productions/{made}/hand-over", data=given).status_code == 404
    assert ok(reader.get(path), 200)["given_to"] == []
    ok(reader.post(f"{path}/hand-over", json={"to": "Pat", **WHY}))


# -- pages -------------------------------------------------------------------------------------------------


def test_by_pages_a_supplement_and_an_instalment_are_made(reader: Person, browser: Sits):
    produced(reader)
    officer, at = browser("reader"), f"/requests/{N}/productions"
    refused = officer.send(at, at, prefix="AC-", what="new", **WHY)
    assert refused.status_code == 409
    assert "othing is new since" in refused.text
    more(reader)
    assert "A supplement" in officer.get(at).text
    assert officer.send(at, at, prefix="AC-", what="new", more="yes", **WHY).status_code == 303
    (second, _) = ok(reader.get("/api/v1/productions"), 200)["productions"]
    assert (second["records"], second["first"]) == (1, "AC-0000003")
    assert ok(reader.get(f"/api/v1/requests/{N}"), 200)["happened"][-1]["event"] == "instalment"


@pytest.mark.parametrize("days", ["soon", "0", "-1", "366", "1e3", "9" * 30])
def test_what_is_no_number_of_days_gives_nothing_to_anybody(reader: Person, browser: Sits, days: str):
    made = produced(reader)["production"]
    at = f"/requests/{N}/productions"
    officer = browser("reader")
    given = {"csrf": officer.mark(at), "to": "Pat", "days": days, **WHY}
    told = officer.client.post(f"/productions/{made}/hand-over", data=given)
    assert told.status_code == 422
    assert ok(reader.get(f"/api/v1/productions/{made}"), 200)["given_to"] == []


@pytest.mark.parametrize("act", ["frob", "handover"])
def test_an_act_that_no_button_has_does_nothing(reader: Person, browser: Sits, archive: Archive, act: str):
    made, officer = produced(reader)["production"], browser("reader")
    record = record_of(archive.store, "1")
    at, review = f"/requests/{N}/productions", f"/requests/{N}/review"
    given = {"csrf": officer.mark(at), "to": "Pat", **WHY}
    assert officer.client.post(f"/productions/{made}/{act}", data=given).status_code == 422
    assert officer.send(review, f"{review}/{act}", **WHY).status_code == 422
    one = f"{review}/records/{record}"
    assert officer.send(one, f"{one}/{act}", exemption="6", **WHY).status_code == 422
    assert (
        officer.send(f"/requests/{N}/selection", f"/requests/{N}/selection/{act}", **WHY).status_code == 422
    )
    assert ok(reader.get(f"/api/v1/productions/{made}"), 200)["given_to"] == []
    queue = ok(reader.get(f"/api/v1/reviews/{N}"), 200)
    assert (queue["selected"], queue["looked"], queue["withheld"]) == (2, 0, 0)


@pytest.mark.parametrize("said", [{"words": "   "}, {}, {"region": "1:0,0,5,5"}])
def test_taking_out_nothing_withholds_nothing(reader: Person, browser: Sits, archive: Archive, said: dict[str, str]):  # fmt: skip
    at = f"/requests/{N}/review/records/{record_of(archive.store, '1')}"
    officer = browser("reader")
    assert officer.send(at, f"{at}/redact", exemption="6", **said, **WHY).status_code == 422
    assert officer.send(at, f"{at}/keep", **said, **WHY).status_code == 422
    assert ok(reader.get(f"/api/v1/reviews/{N}"), 200)["withheld"] == 0
    assert officer.send(at, f"{at}/withhold", exemption="6", **WHY).status_code == 303
    assert ok(reader.get(f"/api/v1/reviews/{N}"), 200)["withheld"] == 1


# -- command line ------------------------------------------------------------------------------------------


def test_supplements_and_hand_overs_by_the_command_line(
    reader: Person, archive: Archive, laid: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):  # fmt: skip
    home, out = archive.settings.home, tmp_path / "out"
    del reader
    archive.close()
    monkeypatch.setenv("MUNIMENT_HOME", str(home))
    monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens["reader"])
    monkeypatch.setenv("MUNIMENT_PRODUCTIONS", str(out))

    def run(*words: str, code: int = 0) -> Any:
        assert door.main([*words, "--json"]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return json.loads(said.out or said.err)

    make = (
        "disclose",
        "produce",
        N,
        "--out",
        str(out),
        "--prefix",
        "AC-",
        "--forms",
        "text,csv",
        "--why",
        "x",
    )
    first = run(*make, "--more")
    run("request", "select", N, "--query", "Friday", "--add", "--why", "x")
    run("request", "confirm", N, "--why", "x")
    second = run(*make, "--supplement")
    assert (first["documents"], second["documents"], second["first"]) == (2, 1, "AC-0000003")
    run(*make, "--supplement", code=4)
    given = run("disclose", "hand-over", second["production"], "--to", "Pat", "--days", "7", "--why", "x")
    assert "/given/" in given["link"]
    assert run("disclose", "hand-over", second["production"], "--to", "Pat", "--why", "x")["link"] is None
    run("disclose", "hand-over", second["production"], "--to", "Pat", "--days", "0", "--why", "x", code=2)
    shown = run("disclose", "show", second["production"])
    assert [(one["to"], one["until"] is not None) for one in shown["given_to"]] == [("Pat", True), ("Pat", False)]  # fmt: skip
    monkeypatch.setenv("MUNIMENT_PRODUCTIONS", str(tmp_path / "elsewhere"))
    run("disclose", "hand-over", second["production"], "--to", "Pat", "--days", "7", "--why", "x", code=3)
    run("disclose", "claw-back", second["production"], "--ranges", "AC-0000001", "--why", "x", code=2)
    monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens["auditor"])
    run("disclose", "hand-over", first["production"], "--to", "Pat", "--why", "x", code=4)

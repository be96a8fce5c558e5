"""Selection, review and productions through the doors: who may, what each answers, and nothing that leads around."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from pypdf import PdfWriter
from sqlalchemy import select

from app.capture import importing, records
from app.cli import door
from app.main import Archive, _Productions
from app.store import tables
from tests.doors.conftest import Browser, Person, Town, parts_of, record_of, serving
from tests.doors.test_request_doors import opened

Who = Callable[[str | None], Person]
WHY = {"why": "to answer it"}
N = "PD-2026-0001"
READER = "reader@alder.example"
GROUND = "AS 40.25.120(a)(6)(C)"


@pytest.fixture
def web(archive: Archive, tmp_path: Path) -> FastAPI:
    return serving(parts_of(archive, productions=_Productions(archive, tmp_path / "productions")))


@pytest.fixture
def reader(person: Who) -> Person:
    """A records officer with a request whose selection is confirmed."""
    who = person("reader")
    opened(who)
    assert who.post(f"/api/v1/requests/{N}/selection", json={"query": "bridge", "families": True, **WHY}).status_code == 201  # fmt: skip
    assert who.post(f"/api/v1/requests/{N}/confirm", json=WHY).status_code == 201
    return who


def ok(told: Any, status: int = 201) -> Any:
    assert told.status_code == status, told.text
    return told.json()


# -- API ---------------------------------------------------------------------------------------------------


def test_a_selection_says_how_it_came_about(reader: Person):
    told = ok(reader.get(f"/api/v1/requests/{N}/selection"), 200)
    assert [(one["how"], one["selected"]) for one in told["steps"]] == [("query", 5), ("confirmed", 5)]
    assert (told["steps"][0]["understood"], told["steps"][0]["families"]) == ("bridge", True)


def test_a_record_is_reviewed_redacted_withheld_and_retracted(reader: Person, archive: Archive):
    one, two = (record_of(archive.store, name) for name in ("1", "3"))
    made = ok(reader.post(f"/api/v1/reviews/{N}/records/{one}/redactions", json={"span": [4, 10], "exemption": GROUND, **WHY}))  # fmt: skip
    assert (made["exemption"], made["citation"], made["listed"], made["span"]) == ("(a)(6)(C)", GROUND, True, "4:10")  # fmt: skip
    ok(reader.post(f"/api/v1/reviews/{N}/records/{two}/redactions", json={"record": True, "exemption": "(a)(2)", **WHY}))  # fmt: skip
    queue = ok(reader.get(f"/api/v1/reviews/{N}"), 200)
    assert (queue["selected"], queue["redacted"], queue["withheld"], queue["next"]) == (5, 1, 1, None)
    assert [row["record"] for row in ok(reader.get(f"/api/v1/reviews/{N}?only=withheld"), 200)["records"]] == [str(two)]  # fmt: skip
    shown = ok(reader.get(f"/api/v1/reviews/{N}/records/{one}"), 200)
    assert [one["id"] for one in shown["decisions"]] == [made["id"]]
    assert len(shown["versions"]) == 2
    ok(reader.post(f"/api/v1/redactions/{made['id']}/retract", json=WHY), 200)
    assert ok(reader.get(f"/api/v1/reviews/{N}/records/{one}"), 200)["decisions"] == []


def test_a_second_look_is_somebody_elses(reader: Person, person: Who):
    assert ok(reader.post(f"/api/v1/reviews/{N}/looked", json={"all": True, **WHY}), 200) == {"looked": 5, "second": 0}  # fmt: skip
    again = reader.post(f"/api/v1/reviews/{N}/looked", json={"all": True, **WHY})
    assert (again.status_code, again.json()["code"]) == (403, "same-reviewer")
    other = person("custodian")
    assert ok(other.post(f"/api/v1/reviews/{N}/looked", json={"all": True, **WHY}), 200) == {"looked": 0, "second": 5}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"record": True, "region": [1, 0, 0, 5, 5], "exemption": GROUND}, "invalid"),
        ({"exemption": GROUND}, "invalid"),
        ({"span": [0, 9999], "exemption": GROUND}, "bad-redaction"),
        ({"span": [0, 4], "field": "author", "exemption": GROUND}, "invalid"),
        ({"span": [0, 4], "exemption": " "}, "no-ground"),
    ],
)
def test_what_does_not_say_one_thing_on_a_ground_is_refused(reader: Person, archive: Archive, asked: dict[str, Any], code: str):  # fmt: skip
    record = record_of(archive.store, "1")
    told = reader.post(f"/api/v1/reviews/{N}/records/{record}/redactions", json={**asked, **WHY})
    assert (told.status_code, told.json()["code"]) == (422, code)
    assert told.json()["next"]


def test_private_messages_are_selected_by_nobody_who_may_not_read_them(person: Who):
    who = person("reader")
    opened(who)
    assert ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "letter", **WHY}))["selected"] == 0
    confidant = person("confidant")
    assert (
        ok(confidant.post(f"/api/v1/requests/{N}/selection", json={"query": "letter", **WHY}))["selected"]
        == 1
    )


@pytest.mark.parametrize("name", ["approver", "machine", "auditor", None])
def test_nobody_else_selects_reviews_or_produces(
    reader: Person, person: Who, archive: Archive, name: str | None
):
    other, record = person(name), record_of(archive.store, "1")
    status = 401 if name is None else 403
    for path in (
        f"/api/v1/requests/{N}/selection", f"/api/v1/requests/{N}/confirm",
        f"/api/v1/reviews/{N}/records/{record}/redactions", f"/api/v1/reviews/{N}/looked", f"/api/v1/requests/{N}/productions",
    ):  # fmt: skip
        body = {"query": "x", "span": [0, 4], "exemption": "x", "all": True, "prefix": "P-", **WHY}
        assert other.post(path, json=body).status_code == status
    for path in (f"/api/v1/reviews/{N}", f"/api/v1/requests/{N}/selection", "/api/v1/productions"):
        assert other.get(path).status_code == (200 if name == "auditor" else status)
    del reader


def test_a_production_is_made_taken_handed_over_and_asked_back(
    reader: Person, archive: Archive, web: FastAPI
):
    record = record_of(archive.store, "3")
    ok(reader.post(f"/api/v1/reviews/{N}/records/{record}/redactions", json={"record": True, "exemption": "(a)(2)", **WHY}))  # fmt: skip
    preview = ok(reader.get(f"/api/v1/requests/{N}/production"), 200)
    assert (preview["records"], preview["withheld"], preview["conflicts"]) == (5, 1, [])
    made = ok(reader.post(f"/api/v1/requests/{N}/productions", json={"prefix": "AC-", "forms": ["text", "csv"], **WHY}))  # fmt: skip
    assert (made["production"], made["records"], made["withheld"], made["first"]) == (f"{N}-P01", 4, 1, "AC-0000001")  # fmt: skip
    assert ok(reader.get("/api/v1/productions"), 200)["productions"][0]["state"] == "issued"
    packed = reader.get(f"/api/v1/productions/{made['production']}/folder.zip")
    assert (packed.status_code, packed.content[:2], packed.headers["content-type"]) == (200, b"PK", "application/zip")  # fmt: skip
    given = ok(reader.post(f"/api/v1/productions/{made['production']}/hand-over", json={"to": "Pat Smith", "days": 7, **WHY}))  # fmt: skip
    stranger = Browser(web)
    path = given["link"].removeprefix("http://testserver")
    assert made["production"] in stranger.get(path).text
    taken = stranger.get(path + "/folder.zip")
    assert (taken.status_code, taken.content) == (200, packed.content)
    shown = ok(reader.get(f"/api/v1/productions/{made['production']}"), 200)
    assert [(one["to"], one["taken_at"] is not None) for one in shown["given_to"]] == [("Pat Smith", True)]
    assert ok(reader.post(f"/api/v1/productions/{made['production']}/claw-back", json=WHY), 200)["state"] == "asked back"  # fmt: skip
    assert stranger.get(path).status_code == stranger.get(path + "x").status_code == 404
    assert stranger.get(path).text.count("leads to nothing") == 1


def test_without_a_place_for_them_productions_are_made_by_the_command_line(archive: Archive, laid: Town):
    who = Person(serving(parts_of(archive)), laid.tokens["reader"])
    opened(who)
    ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "bridge", **WHY}))
    ok(who.post(f"/api/v1/requests/{N}/confirm", json=WHY))
    told = who.post(f"/api/v1/requests/{N}/productions", json={"prefix": "AC-", **WHY})
    assert (told.status_code, told.json()["code"]) == (404, "production-elsewhere")
    assert "MUNIMENT_PRODUCTIONS" in told.json()["next"]


# -- pages -------------------------------------------------------------------------------------------------


def test_by_pages_words_are_taken_out_a_suggestion_stays_and_the_queue_leads_on(
    browser: Callable[[str | None], Browser], reader: Person, archive: Archive
):
    officer = browser("reader")
    record = record_of(archive.store, "1")
    at = f"/requests/{N}/review/records/{record}"
    page = officer.get(at).text
    assert 'accesskey="l"' in page
    assert "open again for cars" in page
    done = officer.send(at, f"{at}/redact", words="open again", exemption=GROUND, why="privacy")
    assert (done.status_code, done.headers["location"]) == (303, at)
    assert '<del title="taken out: (a)(6)(C)">open again</del>' in officer.get(at).text
    wrong = officer.send(at, f"{at}/redact", words="not there", exemption=GROUND, why="x")
    assert wrong.status_code == 422
    assert "does not have these words" in wrong.text
    assert 'value="not there"' in wrong.text, "what was typed stands there yet"
    assert wrong.text.count(f'value="{GROUND}"') - officer.get(at).text.count(f'value="{GROUND}"') == 1
    on = officer.send(at, f"{at}/look", why="read").headers["location"]
    assert re.fullmatch(rf"/requests/{N}/review/records/[0-9a-f-]{{36}}", on)
    assert on != at
    assert f"<td>{READER}: privacy</td>" in officer.get(at).text, "who took it out"
    queue = officer.get(f"/requests/{N}/review").text
    assert "leaves in part" in queue
    assert officer.get(f"/requests/{N}/review?only=unlooked").text.count("nobody</td>") == 4
    del reader


def test_the_selections_page_says_what_is_held_after_every_step(
    browser: Callable[[str | None], Browser], reader: Person
):
    officer, at = browser("reader"), f"/requests/{N}/selection"
    whole = "everything on the request’s pages and dates is held"
    assert "The selection is confirmed" in officer.get(at).text
    assert officer.send(at, f"{at}/query", query="nowhere", why="x").status_code == 303
    page = officer.get(at).text
    assert whole not in page
    assert "changed since it was confirmed" in page
    assert "Nothing is selected." in page
    del reader


def test_a_selection_that_a_colleague_changed_is_not_confirmed_unseen(
    browser: Callable[[str | None], Browser], reader: Person
):
    officer, at = browser("reader"), f"/requests/{N}/selection"
    ok(reader.post(f"/api/v1/requests/{N}/selection", json={"query": "bridge", **WHY}))
    (seen,) = re.findall(r'name="seen" value="(\d+)"', officer.get(at).text)
    newest = ok(reader.post(f"/api/v1/requests/{N}/selection", json={"query": "", **WHY}))["entry"]
    told = officer.send(at, f"{at}/confirm", seen=seen, why="I looked")
    assert (told.status_code, "was changed since" in told.text) == (409, True)
    told = reader.post(f"/api/v1/requests/{N}/confirm", json={"seen": int(seen), **WHY})
    assert (told.status_code, told.json()["code"]) == (409, "selection-changed")
    assert officer.send(at, f"{at}/confirm", seen=str(newest), why="I looked").status_code == 303


def test_a_mistake_in_a_question_is_told_once_with_what_to_do(
    browser: Callable[[str | None], Browser], reader: Person
):
    officer, at = browser("reader"), f"/requests/{N}/selection"
    told = officer.send(at, f"{at}/query", query="mill AND (bridge", why="x").text
    assert told.count("Close it with )") == 1
    assert "mill AND (bridge" in told
    del reader


def test_a_request_tells_what_was_done_on_it_by_whom(
    browser: Callable[[str | None], Browser], reader: Person
):
    ok(reader.post(f"/api/v1/reviews/{N}/looked", json={"all": True, **WHY}), 200)
    told = browser("reader").get(f"/requests/{N}").text
    done = re.findall(r"<td>([a-z: ]+)</td><td>([^<]+)</td><td>to answer it</td>", told)
    assert done == [(what, READER) for what in ("selection: query", "selection: confirmed", "confirmed", "review: looked")]  # fmt: skip
    assert f"{READER}: to answer it" in browser("reader").get(f"/requests/{N}/selection").text


def test_a_picture_is_shown_with_its_tenths_and_with_what_is_taken_out_of_it(
    browser: Callable[[str | None], Browser], person: Who, archive: Archive
):
    who = person("reader")
    opened(who)
    ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "*", **WHY}))
    officer, (record, attachment) = browser("reader"), pictured(archive)
    at = f"/requests/{N}/review/records/{record}"
    assert officer.get(f"/attachments/{attachment}").headers["content-type"].startswith("image/")
    page = officer.get(at).text
    assert f'<img src="/attachments/{attachment}"' in page
    assert f'<a href="/attachments/{attachment}">look</a>' in page
    assert '<rect class="taken"' not in page
    region = {"attachment": str(attachment), "region": "1, 0, 1000, 5000, 2500"}
    assert officer.send(at, f"{at}/redact", **region, exemption=GROUND, why="a face").status_code == 303
    assert '<rect class="taken" x="0" y="1000" width="5000" height="1500"/>' in officer.get(at).text


def test_a_region_is_told_by_two_clicks_in_either_order_and_taken_out_of_its_page_alone(
    browser: Callable[[str | None], Browser], person: Who, archive: Archive, tmp_path: Path
):
    who = person("reader")
    opened(who)
    with_a_document(archive, tmp_path)
    ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "*", **WHY}))
    officer, (record, attachment) = browser("reader"), pictured(archive, "application/pdf")
    at = f"/requests/{N}/review/records/{record}"
    page = f"{at}/attachments/{attachment}/2"
    assert f'<a href="{at}/attachments/{attachment}/1">Tell a region of it by two clicks</a>, page by page' in officer.get(at).text  # fmt: skip
    picture = officer.get(f"{page}/picture")
    assert picture.headers["content-type"].startswith("image/")
    assert 'width="800" height="400"' in officer.get(page).text, "the page is twice as wide as high"
    once = officer.get(page, params={"at.x": "600", "at.y": "398"}).text
    assert '<input type="hidden" name="corner" value="7500,10000">' in once
    twice = officer.get(page, params={"corner": "7500,10000", "at.x": "200", "at.y": "100"}).text
    assert 'value="2, 2500, 2500, 7500, 10000"' in twice
    region = {"attachment": str(attachment), "region": "2, 2500, 2500, 7500, 10000"}
    assert officer.send(page, f"{at}/redact", **region, exemption=GROUND, why="a name").status_code == 303
    taken = '<rect class="taken" x="2500" y="2500" width="5000" height="7500"/>'
    assert taken in officer.get(page).text
    assert taken not in officer.get(f"{at}/attachments/{attachment}/1").text


@pytest.mark.parametrize("what", ["a page too many", "another record's", "none of its kind"])
def test_what_is_no_page_of_the_record_is_not_shown(
    browser: Callable[[str | None], Browser], person: Who, archive: Archive, tmp_path: Path, what: str
):
    opened(person("reader"))
    with_a_document(archive, tmp_path)
    officer = browser("reader")
    (record, attachment), (other, picture) = pictured(archive, "application/pdf"), pictured(archive)
    at, number = {
        "a page too many": (f"{record}/attachments/{attachment}/3", 404),
        "another record's": (f"{other}/attachments/{attachment}/1", 404),
        "none of its kind": (f"{other}/attachments/{picture}/2", 404),
    }[what]
    base = f"/requests/{N}/review/records"
    assert officer.get(f"{base}/{at}").status_code == number
    assert officer.get(f"{base}/{at}/picture").status_code == number
    assert officer.get(f"{base}/{other}/attachments/{picture}/1/picture").status_code == 200


def with_a_document(archive: Archive, folder: Path) -> None:
    """A record is received with two pages."""
    writer = PdfWriter()
    for wide, high in ((595, 842), (800, 400)):
        writer.add_blank_page(wide, high)
    with (folder / "agenda.pdf").open("wb") as out:
        writer.write(out)
    held = {"id": "agenda", "path": "agenda.pdf", "media_type": "application/pdf", "url": None}
    line = {"platform": "blog", "page": "minutes", "native_id": "m1", "kind": "post", "text": "The agenda", "attachments": [held]}  # fmt: skip
    (folder / "lines.jsonl").write_text(json.dumps(line) + "\n")
    importing.observations(
        archive.store, folder / "lines.jsonl", page=None, make_pages=True, by=None, why="a test", tick=lambda: 0.0
    )  # fmt: skip
    archive.follow()


def pictured(archive: Archive, media_type: str = "image/png") -> tuple[UUID, UUID]:
    """A record with a picture, and the picture; or with a document."""
    with archive.store.database.read() as tx:
        for one in records.read(
            archive.store, tx, list(tx.execute(select(tables.records.c.key)).scalars()), messages=True
        ):
            for held in one.attachments:
                if held.id and held.media_type == media_type:
                    return one.id, held.id
    raise LookupError("no record has a picture")


def test_a_page_never_shows_what_a_record_says_as_markup(browser: Callable[[str | None], Browser], person: Who, archive: Archive):  # fmt: skip
    who = person("reader")
    opened(who)
    ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "bridge", "families": True, **WHY}))
    record = record_of(archive.store, "5")
    shown = browser("reader").get(f"/requests/{N}/review/records/{record}").text
    assert "=HYPERLINK(" in shown
    assert '<a href="https://elsewhere' not in shown
    assert "<script" not in shown


def test_a_form_of_another_session_changes_nothing(browser: Callable[[str | None], Browser], reader: Person):
    officer = browser("reader")
    told = officer.post(f"/requests/{N}/review/two", data={"csrf": "0" * 64, "why": "x"})
    assert told.status_code == 403
    assert ok(reader.get(f"/api/v1/reviews/{N}"), 200)["two_persons"] is False


# -- command line ------------------------------------------------------------------------------------------


def test_the_whole_way_by_the_command_line(archive: Archive, laid: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # fmt: skip
    record = record_of(archive.store, "1")
    home = archive.settings.home
    archive.close()
    monkeypatch.setenv("MUNIMENT_HOME", str(home))
    monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens["reader"])

    def run(*words: str, code: int = 0) -> Any:
        assert door.main([*words, "--json"]) == code, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    made = run("request", "open", "--text", "the bridge", "--received", "2026-03-02T10:00:00-09:00", "--law", "us-ak-state", "--why", "mail")  # fmt: skip
    assert run("request", "select", made["id"], "--query", "bridge", "--why", "x")["selected"] == 2
    assert run("request", "select", made["id"], "--query", "Friday", "--add", "--why", "x")["selected"] == 3
    assert run("request", "confirm", made["id"], "--why", "x")["state"] == "reviewing"
    told = run(
        "review", "redact", made["id"], str(record), "--span", "4:10", "--exemption", GROUND, "--why", "x"
    )
    assert (told["span"], told["what"]) == ("4:10", "text of version 2, characters 4 to 10")
    assert run("review", "list", made["id"])["redacted"] == 1
    assert run("review", "show", made["id"], str(record))["decisions"][0]["id"] == told["id"]
    assert run("disclose", "preview", made["id"])["records"] == 3
    done = run("disclose", "produce", made["id"], "--out", str(tmp_path / "out"), "--prefix", "PD2026", "--forms", "text,csv", "--why", "x")  # fmt: skip
    assert {"production", "records", "withheld", "pages", "first", "last", "folder"} <= done.keys()
    assert done["first"] == "PD2026-0000001"
    assert run("disclose", "list", made["id"])[0]["production"] == done["production"]
    assert len(run("disclose", "show", done["production"], "--records")["documents"]) == 3
    monkeypatch.delenv("MUNIMENT_HOME")
    monkeypatch.delenv("MUNIMENT_TOKEN")
    assert run("disclose", "verify", done["folder"])["findings"] == []
    assert run("disclose", "verify", str(tmp_path / "out"))["findings"] == []

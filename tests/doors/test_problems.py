"""What cannot be said in characters: refused with its place, and told as it is written rather than not at all."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from app.cli.door import main as command
from app.main import Archive
from app.records.errors import Invalid, NotFound
from app.web.problems import install
from app.web.showing import show, templates
from tests.doors.conftest import Browser, Person, Town, parts_of
from tests.steps.filing import a_schedule

HALF = "\ud800"
GOOD = a_schedule(
    {"TALK": "{after: published, keep: P1D, then: destroy}"}, (("TALK", 'when: "kind:comment"', 10),)
).decode()
BROKEN = {
    "a code": GOOD.replace("TALK", '"T\\uD800"', 1),
    "a title": GOOD.replace("Schedule", '"A \\uD83D\\uDE00"', 1),
    "a question": GOOD.replace('"kind:comment"', '"(\\uD800"'),
    "a key": GOOD + '"\\uD800": x\n',
    "nothing": GOOD.replace("TALK", '"T\\0"', 1),
}


class Quoted(Invalid):
    """What was sent is quoted."""

    code = "quoted"
    part = f"a{HALF}b"


@pytest.fixture
def failing(archive: Archive) -> FastAPI:
    """An application whose routes quote half a character each in another way."""

    made = FastAPI()
    made.state.parts, made.state.templates = parts_of(archive), templates()
    install(made)

    @made.get("/api/v1/invalid")
    @made.get("/invalid")
    def invalid() -> None:
        raise Quoted(f"{HALF} is nothing", next=f"Write {HALF} otherwise.")

    @made.get("/api/v1/missing")
    @made.get("/missing")
    def missing() -> None:
        raise NotFound(f"no {HALF}")

    @made.get("/api/v1/validation")
    @made.get("/validation")
    def validation() -> None:
        raise RequestValidationError([{"loc": ("body", HALF), "msg": f"no {HALF}", "type": "x"}])

    @made.get("/shown")
    def shown(request: Request) -> Any:
        return show(request, "error.html", status=200, code="", title=HALF, said=HALF, what_next="")

    return made


@pytest.mark.parametrize(("path", "status"), [("invalid", 422), ("missing", 404), ("validation", 422)])
def test_half_a_character_in_an_error_is_told_with_the_errors_own_status(
    failing: FastAPI, path: str, status: int
):
    told = Person(failing, None).get(f"/api/v1/{path}")
    assert (told.status_code, told.headers["content-type"]) == (status, "application/problem+json")
    assert "\\ud800" in told.json()["detail"]
    json.dumps(told.json(), ensure_ascii=False).encode()
    page = Browser(failing).get(f"/{path}")
    assert page.status_code == status
    assert "\\ud800" in page.text


def test_a_page_that_shows_half_a_character_is_a_page(failing: FastAPI):
    page = Browser(failing).get("/shown")
    assert (page.status_code, "\\ud800" in page.text) == (200, True)


@pytest.mark.parametrize("name", BROKEN)
def test_a_schedule_with_what_is_no_character_is_refused_at_its_line(name: str, person: Any, browser: Any):
    content = BROKEN[name]
    body = {"content": content, "instrument": "Resolution 12", "why": "x"}
    told = person("reader").post("/api/v1/schedules", json=body)
    assert (told.status_code, told.json()["code"]) == (422, "bad-schedule")
    assert "is no character of a text" in told.json()["detail"]
    assert told.json()["next"] == "Write the character itself."
    reader = browser("reader")
    form = {"csrf": reader.mark("/schedules/adopt"), "instrument": "x", "why": "x"}
    file = {"file": ("a.yaml", content.encode())}
    assert reader.post("/schedules/preview", data=form, files=file).status_code == 422
    encoded = base64.b64encode(content.encode()).decode()
    assert reader.post("/schedules/adopt", data=form | {"content": encoded}).status_code == 422
    assert person("reader").get("/api/v1/schedules").json()["total"] == 0


def test_a_schedule_in_whole_characters_is_adopted(person: Any):
    body = {"content": GOOD.replace("Schedule", "Plan 😀 für alle", 1), "instrument": "x", "why": "x"}
    assert person("reader").post("/api/v1/schedules", json=body).status_code == 201


def test_what_is_sent_as_a_file_and_is_none_is_refused(browser: Any):
    reader = browser("reader")
    for content in ("é", "a", "=="):
        told = reader.send("/schedules/adopt", "/schedules/adopt", content=content, instrument="x", why="x")
        assert told.status_code == 422
        assert "what was sent is no file" in told.text.lower()


def test_the_command_line_tells_a_name_that_is_no_text_as_it_is_written(
    archive: Archive,
    laid: Town,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens["reader"])
    name = str(tmp_path / "no-\udcff.yaml")
    for words, code in (
        (("schedule", "check", name), 2),
        (("retention", "assign", "\udcff", "X", "--why", "x"), 3),
        (("hold", "show", "\udcff"), 3),
        (("disposition", "show", "\udcff"), 3),
    ):
        assert command([*words]) == code, words
        capfd.readouterr()
        assert command([*words, "--json"]) == code
        told = json.loads(capfd.readouterr().out)
        assert told["error"]["code"]

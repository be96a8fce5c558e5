"""Coverage and pace at every door: who may ask, what is said of each day, and what cannot be asked."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app import main
from app.capture import pages, run
from app.cli import main as muniment
from app.main import Archive
from app.records.clock import FixedClock
from app.records.nouns import Page
from app.store import audit
from connectors.contract import Gap
from connectors.errors import TryAgainLater
from tests.archives import close
from tests.doors.conftest import NOW, Town, settings
from tests.steps.scripted import Scripted, ScriptedClient, listing
from tests.steps.test_capture import post

HARM = '<script>steal()</script>"><b>'
NAME = f"Parks {HARM}"
DAY = timedelta(days=1)
FIRST = datetime(2026, 2, 24, 12, 0, tzinfo=UTC)
INVALID, NOT_FOUND, REFUSED = 2, 3, 4


@pytest.fixture(scope="module")
def captured(laid: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's archive with a page over two weeks: well, with a gap on one day, broken on three, well again."""
    home = tmp_path_factory.mktemp("covered") / "home"
    shutil.copytree(laid.home, home)
    clock = FixedClock(FIRST - 5 * DAY)
    store = main.open_store(settings(home), clock)
    with store.database.begin() as tx:
        made = pages.add(
            store,
            tx,
            connector="wordpress",
            platform="wordpress",
            address="https://parks.alder.example",
            name=NAME,
            by=None,
            why="test",
        )
    for number in range(14):
        clock.at = FIRST + number * DAY
        client = ScriptedClient(clock)
        connector = Scripted(client)
        gaps = [Gap(what="an album", why=f"404 {HARM}")] if number == 4 else []
        shown = listing(clock, post(f"p{number}", "words"), gaps=gaps)
        connector.steps = [TryAgainLater(f"503 {HARM}")] if number in (7, 8, 9) else [shown]
        run.capture(store, made, connector, client, by=None, why="test", tick=lambda: 0.0)
    close(store)
    return home


@pytest.fixture
def archive(captured: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of that archive, opened now."""
    home = tmp_path / "home"
    shutil.copytree(captured, home)
    opened = main.open_archive(settings(home), FixedClock(NOW))
    yield opened
    opened.close()


@pytest.fixture
def page(archive: Archive) -> Page:
    with archive.store.database.read() as tx:
        return pages.get(tx, NAME)


@pytest.fixture
def command(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Any]]:
    """`command("reader", "coverage", …)` runs `muniment` with that person's token, now; gives exit code and answer."""
    monkeypatch.chdir(archive.settings.home)
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    monkeypatch.setattr(main, "SystemClock", lambda: archive.store.clock)

    def asked(name: str | None, *words: str) -> tuple[int, Any]:
        monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens[name] if name else "")
        code = muniment([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return asked


COVERS = {
    "2026-02-19": "uncovered",
    "2026-02-24": "partly",
    "2026-02-25": "covered",
    "2026-02-28": "partly",
    "2026-03-01": "covered",
    "2026-03-02": "partly",
    "2026-03-03": "uncovered",
    "2026-03-05": "uncovered",
    "2026-03-06": "partly",
    "2026-03-07": "covered",
    "2026-03-08": "covered",
    "2026-03-09": "pending",
}


# -- the account -------------------------------------------------------------------------------------------


def test_the_api_tells_of_every_day_how_it_is_covered_and_why(person, page):
    told = person("reader").get(f"/api/v1/pages/{page.id}/coverage").json()
    assert (told["name"], told["page"]) == (page.name, str(page.id))
    days = {one["on"]: one for one in told["days"]}
    assert len(days) == 19
    assert {on: days[on]["cover"] for on in COVERS} == COVERS
    assert days["2026-02-28"]["why"] == [f"an album: 404 {HARM}"]
    assert days["2026-03-04"]["why"] == [f"what the page would have shown: it did not answer: 503 {HARM}"]
    assert "before the first capture" in days["2026-02-19"]["why"][0]
    assert days["2026-03-09"]["why"] == []
    assert told["blind_spots"]
    assert told["first_capture"] == FIRST.isoformat()


def test_windows_leave_no_room_between_them(person, page):
    told = person("reader").get(f"/api/v1/pages/{page.id}/coverage").json()
    parts = sorted(
        (one["since"], one["until"])
        for cover in ("covered", "partly", "uncovered", "pending")
        for one in told[cover]
    )
    assert [until for _, until in parts[:-1]] == [since for since, _ in parts[1:]]
    assert (parts[0][0], parts[-1][1]) == (told["from"], told["to"])


def test_the_command_line_says_the_same_as_the_api(person, page, command):
    days = {"from": "2026-02-26", "to": "2026-03-05"}
    asked = person("reader").get(f"/api/v1/pages/{page.id}/coverage", params=days).json()
    code, told = command("reader", "coverage", page.name, "--from", days["from"], "--to", days["to"])
    assert (code, told) == (0, asked)
    assert [one["on"] for one in told["days"]][:: len(told["days"]) - 1] == [days["from"], days["to"]]


def test_the_command_line_tells_people_the_windows_in_the_agencys_time(page, command, capsys):
    command("reader", "coverage", str(page.id))
    assert muniment(["coverage", str(page.id)]) == 0
    said = capsys.readouterr().out
    assert "2026-02-24 03:00" in said, "noon in UTC is three in the morning in Juneau"
    assert "known to exist and not held: 0" in said
    assert "not seen: " in said


def test_a_page_that_was_never_captured_is_uncovered_wholly(person, browser, archive, command):
    with archive.store.database.begin() as tx:
        fresh = pages.add(
            archive.store,
            tx,
            connector="feed",
            platform="feed",
            address="https://new.alder.example",
            name="New",
            by=None,
            why="test",
        )
    told = person("reader").get(f"/api/v1/pages/{fresh.id}/coverage").json()
    assert [one["why"] for one in told["uncovered"]] == [["it has never been captured"]]
    assert told["first_capture"] is told["last_complete"] is told["latency"] is None
    assert (told["covered"], told["counts"], told["not_held"]["named"]) == (
        [],
        {"held": {}, "platform": []},
        0,
    )
    shown = browser("reader").get(f"/pages/{fresh.id}/coverage")
    assert shown.status_code == 200
    assert "none yet" in shown.text
    assert command("reader", "coverage", "New")[0] == 0


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-03-05", "2026-03-01"),  # the wrong way round
        ("2026-03-10", "2026-03-12"),  # has not come yet
        ("1990-01-01", "2026-03-01"),  # longer than ten years
        ("2026-02-30", "2026-03-01"),  # there is no such day
        ("tomorrow", "2026-03-01"),
    ],
)
def test_days_that_cannot_be_asked_for_are_refused_at_every_door(
    person, browser, page, command, first: str, last: str
):
    asked = person("reader").get(f"/api/v1/pages/{page.id}/coverage", params={"from": first, "to": last})
    assert asked.status_code == 422
    assert asked.headers["content-type"].startswith("application/problem+json")
    shown = browser("reader").get(f"/pages/{page.id}/coverage", params={"from": first, "to": last})
    assert shown.status_code == 422
    code, told = command("reader", "coverage", str(page.id), "--from", first, "--to", last)
    assert code == INVALID
    assert told["error"]["message"]


def test_a_page_that_is_not_known_is_the_same_404_at_every_door(person, browser, page, command):
    nobody = uuid4()
    for at in ("coverage", "pace"):
        assert person("reader").get(f"/api/v1/pages/{nobody}/{at}").status_code == 404
    assert browser("reader").get(f"/pages/{nobody}/coverage").status_code == 404
    assert command("reader", "coverage", str(nobody))[0] == NOT_FOUND
    assert command("reader", "pace", str(nobody))[0] == NOT_FOUND


# -- who may ask -------------------------------------------------------------------------------------------


def test_a_stranger_is_told_nothing(person, browser, page, command):
    for at in ("coverage", "pace"):
        assert person(None).get(f"/api/v1/pages/{page.id}/{at}").status_code == 401
    assert browser(None).get(f"/pages/{page.id}/coverage").status_code == 303
    assert command(None, "coverage", str(page.id))[0] == REFUSED


@pytest.mark.parametrize("name", ["reader", "auditor", "administrator"])
def test_everybody_who_works_here_sees_what_is_covered(person, browser, page, name: str):
    assert person(name).get(f"/api/v1/pages/{page.id}/coverage").status_code == 200
    assert person(name).get(f"/api/v1/pages/{page.id}/pace").status_code == 200
    assert browser(name).get(f"/pages/{page.id}/coverage").status_code == 200


# -- the pace ----------------------------------------------------------------------------------------------


def test_a_pace_is_set_number_by_number_with_a_reason_that_the_ledger_keeps(person, archive, page):
    keeper, at = person("administrator"), f"/api/v1/pages/{page.id}/pace"
    before = keeper.get(at).json()
    assert keeper.post(at, json={"every": 5, "why": "a flood"}).json() == {**before, "every": 5}
    assert keeper.post(at, json={"sweep": 30, "why": "as agreed"}).json() == {
        **before,
        "every": 5,
        "sweep": 30,
    }
    assert keeper.get(at).json() == {**before, "every": 5, "sweep": 30}
    with archive.store.database.read() as tx:
        newest = audit.acts_before(archive.store, tx, kind="page").acts[0]
    assert newest.why == "as agreed"


@pytest.mark.parametrize(
    "told",
    [
        {"every": -1, "why": "x"},
        {"window": 0, "why": "x"},
        {"every": "often", "why": "x"},
        {"evry": 5, "why": "x"},
        {"every": 5},
        {"every": 5, "why": "  "},
    ],
)
def test_a_pace_that_cannot_be_or_has_no_reason_is_refused_and_nothing_is_set(
    person, page, told: dict[str, object]
):
    keeper, at = person("administrator"), f"/api/v1/pages/{page.id}/pace"
    before = keeper.get(at).json()
    assert keeper.post(at, json=told).status_code == 422
    assert keeper.get(at).json() == before


def test_whoever_only_reads_cannot_set_a_pace(person, page, command):
    at = f"/api/v1/pages/{page.id}/pace"
    assert person("auditor").post(at, json={"every": 5, "why": "x"}).status_code == 403
    assert command("auditor", "pace", str(page.id), "--every", "5", "--why", "x")[0] == REFUSED
    assert person("auditor").get(at).json()["every"] == 15


def test_the_command_line_shows_and_sets_a_pace(person, page, command):
    code, told = command("auditor", "pace", str(page.id))
    assert (code, told["page"], told["every"]) == (0, str(page.id), 15)
    assert command("administrator", "pace", str(page.id), "--every", "0")[0] == INVALID, "why?"
    code, told = command("administrator", "pace", str(page.id), "--every", "0", "--why", "only at night")
    assert (code, told["every"]) == (0, 0)
    assert person("auditor").get(f"/api/v1/pages/{page.id}/pace").json()["every"] == 0
    assert command("administrator", "pace", str(page.id), "--budget", "0", "--why", "x")[0] == INVALID


# -- the page for people -----------------------------------------------------------------------------------


def test_the_calendar_has_a_cell_for_every_day_with_sign_and_word(browser, page):
    shown = browser("reader").get(f"/pages/{page.id}/coverage").text
    cells = re.findall(
        r'<td class="day-(\w+)"[^>]*><span class="date">(\d+)</span>.*?class="unseen">([^<]+)<', shown
    )
    assert len(cells) == 19
    assert {cover: word for cover, _, word in cells} == {
        "covered": "Covered",
        "partly": "Partly covered",
        "uncovered": "Uncovered",
        "pending": "Not told yet",
    }
    assert re.findall(r"<caption>(\w+ \d{4})</caption>", shown) == ["February 2026", "March 2026"]
    assert shown.count("<h1>") == 1
    for table in re.findall(r"<table.*?</table>", shown, re.DOTALL):
        assert "<caption>" in table
        assert 'scope="col"' in table


def test_every_field_of_the_page_has_its_label(browser, page):
    shown = browser("reader").get(f"/pages/{page.id}/coverage").text
    named = re.findall(r'<input type="date" id="(\w+)"', shown)
    assert named == ["from", "to"]
    assert all(f'<label for="{one}">' in shown for one in named)


def test_what_the_platform_or_a_page_is_called_cannot_write_into_the_page(browser, page):
    shown = browser("reader").get(f"/pages/{page.id}/coverage").text
    assert "steal()" in shown
    assert "<script" not in shown
    assert "<b>" not in shown


def test_the_page_shows_the_days_that_were_asked_for_and_keeps_them_in_its_form(browser, page):
    shown = browser("reader").get(f"/pages/{page.id}/coverage?from=2026-03-02&to=2026-03-04").text
    assert len(re.findall(r'<td class="day-', shown)) == 3
    assert 'value="2026-03-02"' in shown
    assert 'value="2026-03-04"' in shown


def test_from_a_page_one_comes_to_its_coverage(browser, page):
    assert f"/pages/{page.id}/coverage" in browser("reader").get(f"/pages/{page.id}").text

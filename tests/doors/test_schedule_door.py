"""`muniment schedule check`: what is wrong in a schedule, with file, line and remedy; it needs no archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli import main as muniment
from app.retention import schedules

INVALID = 2
TOWN = """\
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "2026"
effective: 2026-01-01
series:
  - code: COR-03
    title: General correspondence
    citation: Resolution 12, item 3
    verified: true
    rule: {after: published, keep: P3Y, cutoff: calendar_year, then: destroy}
classify:
  - {series: COR-03, when: "kind:comment OR kind:post", priority: 10}
"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No archive, no token."""
    monkeypatch.setenv("MUNIMENT_HOME", str(tmp_path / "no-archive"))
    monkeypatch.delenv("MUNIMENT_TOKEN", raising=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "town.yaml"
    file.write_text(TOWN)
    return file


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(TOWN.replace("keep: P3Y", "keep: 3Y").replace("series: COR-03", "series: COR-30"))
    return file


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_a_schedule_in_order_is_told_back_in_words(good: Path, capsys: pytest.CaptureFixture[str]):
    assert muniment(["schedule", "check", str(good)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{good}: Records retention schedule, edition 2026 (Town council): 1 series, 1 verified, 1 rule of classification",
        "  COR-03  General correspondence: 3 years after the end of the calendar year in which it was published, then destroyed",
    ]


def test_it_answers_programs(good: Path, capsys: pytest.CaptureFixture[str]):
    assert muniment(["schedule", "check", str(good), "--json"]) == 0
    told = as_json(capsys)
    assert (told["valid"], told["errors"]) == (True, [])
    assert "error" not in told
    (file,) = told["files"]
    assert (file["file"], file["title"], file["edition"], file["rules"]) == (
        str(good),
        "Records retention schedule",
        "2026",
        1,
    )
    assert file["series"][0]["code"] == "COR-03"


def test_every_mistake_is_told_with_file_line_and_remedy(bad: Path, capsys: pytest.CaptureFixture[str]):
    assert muniment(["schedule", "check", str(bad)]) == INVALID
    assert capsys.readouterr().out.splitlines() == [
        f"{bad}:11: keep: '3Y' is no period",
        "    Write it as ISO 8601 does: P3Y, P6M, P2W, P90D or P1Y6M.",
        f"{bad}:13: no series here has the code 'COR-30'",
        "    Is COR-03 meant?",
    ]


def test_mistakes_are_told_to_programs_and_do_not_hide_the_next_file(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
):
    assert muniment(["schedule", "check", str(bad), str(good), "--json"]) == INVALID
    told = as_json(capsys)
    assert told["valid"] is False
    assert [(one["file"], one["valid"]) for one in told["files"]] == [(str(bad), False), (str(good), True)]
    assert [(one["code"], one["file"], one["line"]) for one in told["errors"]] == [
        ("bad-schedule", str(bad), 11),
        ("bad-schedule", str(bad), 13),
    ]
    assert all(one["message"] and one["remedy"] for one in told["errors"])
    assert told["error"]["code"] == "bad-schedule", "as every refusal is told"
    assert told["error"]["message"].startswith(f"{bad}:11: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert muniment(["schedule", "check", str(tmp_path / "none.yaml"), "--json"]) == INVALID
    (error,) = as_json(capsys)["errors"]
    assert (error["line"], error["file"]) == (1, str(tmp_path / "none.yaml"))


def test_everything_that_is_shipped_is_in_order(capsys: pytest.CaptureFixture[str]):
    files = [str(file) for file in schedules.shipped().values()]
    assert len(files) > 10
    assert muniment(["schedule", "check", *files]) == 0
    said = capsys.readouterr().out
    assert "a placeholder, which cannot be adopted" in said
    assert "is not verified: nothing under it is disposed of" in said


def test_what_keeps_without_being_a_mistake_is_noted(good: Path, capsys: pytest.CaptureFixture[str]):
    good.write_text(TOWN.replace("    verified: true\n", ""))
    assert muniment(["schedule", "check", str(good)]) == 0
    assert (
        f"{good}:7: note: COR-03 is not verified: nothing under it is disposed of" in capsys.readouterr().out
    )

"""What a newcomer has in front of them after `muniment demo`: a whole archive, in which every room has something to show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import ROOT

MINUTES = 600


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody at a command line, with what the demonstration has printed."""

    home: Path
    told: str

    def asks(self, *words: str, code: int = 0) -> Any:
        token = self.told.partition("MUNIMENT_TOKEN=")[2].split()[0]
        done = muniment(self.home, *words, "--json", MUNIMENT_TOKEN=token)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return json.loads(done.stdout)


def muniment(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "MUNIMENT_HOME": str(home), "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run(
        [sys.executable, "-m", "app", *words], cwd=home.parent, env=clean, capture_output=True, text=True,
        timeout=MINUTES, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    home = tmp_path_factory.mktemp("demonstration") / "home"
    made = muniment(home, "demo", "--no-serve")
    assert made.returncode == 0, made.stderr
    return Newcomer(home, made.stderr)


def test_the_archive_is_whole(newcomer: Newcomer):
    told = newcomer.asks("verify", "--full")
    assert told["findings"] == []
    assert told["checked"]["records"] > 300


@pytest.mark.parametrize(
    ("words", "something"),
    [
        (("search", "bridge"), lambda told: told["total"] > 10),
        (("matter", "list"), lambda told: len(told) == 1),
        (("hold", "list"), lambda told: [one["state"] for one in told].count("active") >= 2),
        (("disposition", "list"), lambda told: told[0]["state"] == "proposed"),
        (("request", "list"), lambda told: {one["state"] for one in told} == {"closed", "reviewing"}),
        (("review", "list", "PD-2026-0002"), lambda told: len(told["records"]) > 5),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_every_room_has_something_to_show(
    newcomer: Newcomer, words: tuple[str, ...], something: Callable[[Any], bool]
):
    told = newcomer.asks(*words)
    assert something(told), told


def test_the_production_that_was_handed_over_proves_itself_and_does_not_show_the_number(newcomer: Newcomer):
    folder = newcomer.home.with_name("home-productions") / "pd-2026-0001-p01"
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify" / "verify.py"), str(folder)],
        capture_output=True, text=True, timeout=MINUTES, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    content = b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
    assert b"My number if you want to talk about it" in content
    assert b"555-0163" not in content


def test_made_again_it_is_the_same_archive_and_another_archive_is_left_alone(
    newcomer: Newcomer, tmp_path: Path
):
    again = muniment(newcomer.home, "demo", "--no-serve")
    assert again.returncode == 0
    assert again.stderr == newcomer.told[-len(again.stderr) :], (
        "nothing is made, and the same account is told"
    )
    (tmp_path / "home" / "keys").mkdir(parents=True)
    other = muniment(tmp_path / "home", "demo", "--no-serve")
    assert other.returncode != 0
    assert "not-the-demonstration" in other.stderr

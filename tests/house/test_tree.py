"""What no file of the tree may hold: places on someone's machine, addresses of package indexes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app import ROOT

# Written in halves, so that this file does not hold them.
INDEXES = (
    "py" + "pi.org",
    "files.python" + "hosted.org",
    "registry.npm" + "js.org",
    "--index" + "-url",
    "extra-index" + "-url",
)
COMMON = {"/", "/opt", "/srv", "/tmp", "/usr/src", "/var/tmp"}
HOMES = ("/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/")


def places() -> list[re.Pattern[str]]:
    """Where this checkout stands and where people keep theirs, as absolute paths."""
    beside = [] if str(ROOT.parent) in COMMON else [f"{ROOT.parent}/"]
    return [re.compile(rf"(?<![\w.~$}}]){re.escape(start)}") for start in (str(ROOT), *beside, *HOMES)]


def offences(text: str) -> list[str]:
    """The lines of `text` that name such a place or address."""
    return [
        line.strip()
        for line in text.splitlines()
        if any(index in line for index in INDEXES) or any(place.search(line) for place in places())
    ]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file that is committed or would be."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is not a git checkout, or git is not installed")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60).stdout
    return [ROOT / name for name in names.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_place_on_this_machine_or_a_package_index(tracked):
    assert len(tracked) > 30
    found = {
        str(path.relative_to(ROOT)): lines
        for path in tracked
        if (lines := offences(path.read_text(errors="ignore")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        f"see {ROOT}/app",
        f"--{INDEXES[4]} https://example.org/simple",
        f"https://{INDEXES[0]}/simple/six",
        f"open('{HOMES[0]}jane/notes')",
        f"cd {HOMES[1]}muniment",
    ],
)
def test_such_a_line_would_be_found(line: str):
    assert offences(f"harmless\n{line}\n") == [line]


@pytest.mark.parametrize(
    "line", ["cd ~/papers/", "$HOME/muniment", "https://town.example/home/page", "/data"]
)
def test_a_harmless_line_is_not(line: str):
    assert offences(line) == []

"""What an agency installs: one package that carries the tree, and a command that finds it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import app
from app import ROOT

CARRIED = [
    name for name in ("app", "connectors", "migrations", "retention_schedules") if (ROOT / name).is_dir()
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that what other tests leave in the checkout cannot get in its way."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in CARRIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    (built,) = (folder / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def carried(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_its_only_package_is_muniment(carried):
    assert {name.partition("/")[0] for name in carried} == {
        "muniment",
        f"muniment-{app.__version__}.dist-info",
    }


def test_it_carries_every_file_of_the_tree(carried):
    in_the_tree = {
        f"muniment/_bundle/{path.relative_to(ROOT).as_posix()}"
        for name in CARRIED
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    in_the_wheel = {name for name in carried if name.startswith("muniment/_bundle/")}
    assert len(in_the_tree) > 10
    elsewhere = {"muniment/_bundle/app/_launch.py"}  # it is muniment/__init__.py
    assert in_the_wheel == in_the_tree - elsewhere


def test_it_carries_no_tests_and_no_leftovers(carried):
    assert not [name for name in carried if "/tests/" in name or "__pycache__" in name or "/.env" in name]


def test_the_installed_command_runs_the_tree_it_came_with(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import sys, muniment\n"
        "assert 'app' not in sys.modules\n"
        "sys.argv = ['muniment', '--help']\n"
        "try:\n"
        "    code = muniment.main()\n"
        "except SystemExit as left:\n"
        "    code = left.code\n"
        "import app\n"
        "print(code, app.ROOT)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1] == f"0 {tmp_path / 'muniment' / '_bundle'}"

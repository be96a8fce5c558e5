"""The walls between the rooms, and that they would be noticed if they fell."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

from app import ROOT

ALLOWED_IN_CONNECTORS = {
    "httpx", "pydantic", "msgspec", "feedparser", "defusedxml", "cryptography", "websockets", "httpcore",
}  # fmt: skip


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(settings["tool"]["importlinter"]["contracts"])


def test_every_contract_is_kept():
    said = lint_imports(ROOT)
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"Contracts: {len(contracts())} kept, 0 broken." in said.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("app", "connectors"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("app/store/ahead.py", "import app.holds", "The line"),
        ("app/newthing.py", "", "app.newthing"),
        ("connectors/curious.py", "import app.records", "Connectors know the contract"),
        ("app/records/rows.py", "import sqlalchemy", "Rules are pure"),
        ("app/capture/door.py", "import fastapi", "Only the web speaks FastAPI"),
        ("app/web/shortcut.py", "import app.store.tables", "Doors use verbs"),
    ],
)
def test_a_broken_wall_is_noticed(copy: Path, file: str, line: str, broken: str):
    (copy / file).write_text(f"{line}\n")
    said = lint_imports(copy)
    assert said.returncode == 1
    assert broken in said.stdout


def libraries(package: str) -> set[str]:
    """Everything outside itself and the standard library that `package` imports."""
    graph = grimp.build_graph(package, include_external_packages=True, cache_dir=None)
    roots = {module.partition(".")[0] for module in graph.modules}
    return roots - {package} - sys.stdlib_module_names


def test_connectors_need_little_more_than_the_standard_library():
    """The promise suite, which ships for tests alone, also needs what runs tests."""
    assert libraries("connectors") <= ALLOWED_IN_CONNECTORS | {"pytest"}
    graph = grimp.build_graph("connectors", include_external_packages=True, cache_dir=None)
    assert graph.find_modules_that_directly_import("pytest") == {"connectors.promises"}


def test_the_archive_needs_more_than_connectors_may_have():
    """The twin: the question above is answered by looking, not by finding nothing."""
    assert "sqlalchemy" in libraries("app")


def there(modules: set[str]) -> set[str]:
    """Those of `modules` that exist."""
    return {
        module
        for module in modules
        if (path := ROOT.joinpath(*module.split("."))).with_suffix(".py").exists()
        or (path / "__init__.py").exists()
    }


def named(contract: str, key: str) -> set[str]:
    return {name for each in contracts() if each["name"] == contract for name in each[key]}


def test_every_connector_stands_in_the_contract_that_keeps_them_apart():
    folders = {f"connectors.{path.parent.name}" for path in (ROOT / "connectors").glob("*/__init__.py")}
    assert named("Connectors do not know one another", "modules") == folders


def test_every_door_stands_in_the_contract_that_keeps_it_from_the_tables():
    doors = there({"app.web", "app.jobs", "app.cli"})
    assert named("Doors use verbs, not tables", "source_modules") == doors


def test_what_destroys_is_kept_from_everyone_but_disposition():
    destroys = there({"app.store.destruction"})
    assert named("Only disposition may destroy", "protected_modules") == destroys


def test_every_rule_that_must_be_pure_stands_in_its_contract():
    rules = {"app.records", "app.store.canonical", "app.store.merkle", "connectors.contract"}
    rules |= there({"app.retention.decide", "app.retention.schedule", "app.disclosure.bates"})
    assert rules <= named("Rules are pure", "source_modules")

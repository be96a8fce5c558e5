"""The lock files: exact versions with their digests, and no word about where to fetch them."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app import ROOT

RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
PINNED = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;\\]+)(?: --hash=sha256:[0-9a-f]{64})+")


def entries(text: str) -> list[str]:
    """The requirements of a lock file, each on one line, without comments."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins(name: str) -> dict[str, str]:
    matches = [PINNED.fullmatch(entry) for entry in entries((ROOT / name).read_text())]
    return {match["name"]: match["version"] for match in matches if match}


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_every_line_is_a_version_with_its_digests_and_nothing_else(name: str):
    found = entries((ROOT / name).read_text())
    assert len(found) > 20
    assert [entry for entry in found if not PINNED.fullmatch(entry)] == []


@pytest.mark.parametrize(
    "line",
    [
        "six==1.17.0",
        "six>=1.17.0 --hash=sha256:" + "0" * 64,
        "--find-links wheels",
        "six @ https://packages.example/six.whl --hash=sha256:" + "0" * 64,
    ],
)
def test_a_line_without_version_or_digest_or_with_an_address_would_be_found(line: str):
    assert not PINNED.fullmatch(entries(line)[0])


def test_what_runs_is_what_is_tested():
    runtime, development = pins(RUNTIME), pins(DEVELOPMENT)
    assert runtime.items() <= development.items()


def test_every_dependency_is_locked_at_a_version_it_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for wanted, name in [
        (project["project"]["dependencies"], RUNTIME),
        (project["project"]["optional-dependencies"]["dev"], DEVELOPMENT),
        (project["build-system"]["requires"], DEVELOPMENT),
    ]:
        locked = pins(name)
        for requirement in map(Requirement, wanted):
            version = locked.get(canonicalize_name(requirement.name))
            assert version, f"{requirement.name} is not in {name}; run make lock"
            assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


def test_every_dependency_says_why_it_is_there():
    text = (ROOT / "pyproject.toml").read_text()
    listed = re.findall(r'^    "[a-z][^"]*[<>=][^"]*",(.*)$', text, re.MULTILINE)
    assert len(listed) > 30
    assert [rest for rest in listed if not re.match(r" +# \S", rest)] == []

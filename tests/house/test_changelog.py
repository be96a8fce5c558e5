"""The changelog speaks to the officer who upgrades, under headings that can be relied on."""

from __future__ import annotations

import re

import pytest

import app
from app import ROOT

HEADINGS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Evidence format", "Operators"}


def releases(text: str) -> dict[str, list[str]]:
    """The headings of every release, newest first."""
    parts = re.split(r"^## \[?([^\]\n]+)\]?.*$", text, flags=re.MULTILINE)
    return {
        name: re.findall(r"^### (.+)$", body, flags=re.MULTILINE)
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


@pytest.fixture
def changelog() -> dict[str, list[str]]:
    return releases((ROOT / "CHANGELOG.md").read_text())


def test_the_newest_entry_is_what_has_not_been_released(changelog):
    assert next(iter(changelog)) == "Unreleased"


def test_what_an_operator_must_read_has_its_headings(changelog):
    assert {"Evidence format", "Operators"} <= set(changelog["Unreleased"])


def test_no_heading_is_one_of_a_kind(changelog):
    assert {heading for headings in changelog.values() for heading in headings} <= HEADINGS


def test_a_release_is_a_version(changelog):
    numbers = [name for name in changelog if name != "Unreleased"]
    assert [name for name in numbers if not re.fullmatch(r"\d+\.\d+\.\d+", name)] == []
    assert not numbers or numbers[0] == app.__version__


def test_a_strange_heading_would_be_found():
    text = "## [Unreleased]\n### Stuff\n"
    assert not set(releases(text)["Unreleased"]) <= HEADINGS

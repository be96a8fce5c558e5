"""Every error has a code of its own, and `docs/errors.md` says what to do about it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import TypeAlias

import pytest

import app
import connectors
from app import ROOT
from app.records.errors import ArchiveError
from connectors.errors import ConnectorError

Error: TypeAlias = type[ArchiveError] | type[ConnectorError]


def everything_under(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name not in {"app.__main__", "connectors.promises"}:  # one runs, the other is a test suite
            importlib.import_module(module.name)


def family(root: Error) -> list[Error]:
    """Every error of ours below `root`, without what tests themselves derive."""

    def below(error: Error) -> Iterator[Error]:
        yield error
        for child in error.__subclasses__():
            yield from below(child)

    everything_under(app)
    everything_under(connectors)
    ours = {error for error in below(root) if error.__module__.partition(".")[0] in {"app", "connectors"}}
    return sorted(ours, key=lambda error: error.__qualname__)


def explained(text: str) -> dict[str, str]:
    """The codes that a page has headings for, each with what stands below it."""
    parts = re.split(r"^#+ `([a-z-]+)`.*$", text, flags=re.MULTILINE)
    below = [re.split(r"^#", words, flags=re.MULTILINE)[0].strip() for words in parts[2::2]]
    return dict(zip(parts[1::2], below, strict=True))


def page(root: Error) -> dict[str, str]:
    """What `docs/errors.md` explains: the archive's errors first, those of connectors in the last section."""
    text = (ROOT / "docs" / "errors.md").read_text()
    archive, _, connector = text.partition("## What a connector could not do")
    return explained(archive if root is ArchiveError else connector)


BOTH = pytest.mark.parametrize("root", [ArchiveError, ConnectorError])


@BOTH
def test_every_error_has_a_code_of_its_own(root):
    errors = family(root)
    assert len(errors) > 5
    assert [error.__name__ for error in errors if "code" not in vars(error)] == []
    assert [code for code, times in Counter(error.code for error in errors).items() if times > 1] == []


@BOTH
def test_every_code_can_stand_in_an_address(root):
    assert [error.code for error in family(root) if not re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)] == []


@BOTH
def test_every_error_is_explained(root):
    known = page(root)
    missing = {error.code: error.__name__ for error in family(root) if not known.get(error.code)}
    assert missing == {}, "explain these in docs/errors.md"


@BOTH
def test_no_explanation_has_outlived_its_error(root):
    assert sorted(set(page(root)) - {error.code for error in family(root)}) == []


def test_a_heading_without_words_explains_nothing():
    assert explained("### `one`\n\n### `two`\nAsk again.\n") == {"one": "", "two": "Ask again."}

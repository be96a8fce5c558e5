"""What a journey begins with: a records office that was opened this morning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.records.clock import FixedClock
from tests.journeys.department import Department, Founded, department_in, founded_in
from tests.journeys.office import Office, office_in
from tests.sinks import Sink


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Days, weeks and years in an office take their time: `make journeys`."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.journeys)


@pytest.fixture
def office(home: Path, clock: FixedClock) -> Iterator[Office]:
    """The office of a fresh archive; its clock is the test's to move."""
    with office_in(home, clock) as opened:
        yield opened


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    """A department on its first evening, made once for the tests of a file."""
    with founded_in(tmp_path_factory.mktemp("year") / "home") as first:
        yield first


@pytest.fixture
def department(
    founded: Founded,
    tmp_path: Path,
    serve: Callable[..., Sink],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Department]:
    """That department for one test, with the clock and the letters in the test's hand."""
    with department_in(tmp_path / "home", founded, serve(), monkeypatch, capsys) as of:
        yield of

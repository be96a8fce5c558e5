"""What a journey begins with: a records office that was opened this morning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.records.clock import FixedClock
from tests.journeys.office import Office, office_in


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

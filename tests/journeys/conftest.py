"""What a journey begins with: a records office that was opened this morning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.records.clock import FixedClock
from tests.journeys.office import Office, office_in


@pytest.fixture
def office(home: Path, clock: FixedClock) -> Iterator[Office]:
    """The office of a fresh archive; its clock is the test's to move."""
    with office_in(home, clock) as opened:
        yield opened

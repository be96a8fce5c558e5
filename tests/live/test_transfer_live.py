"""A bag for the archives, held against bagit.py, the program that archives check bags with.

It stands in the environment of the export tools: `MUNIMENT_EXPORT_TOOLS` names its folder of programs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.records.clock import FixedClock
from app.store import Store
from tests.live.test_export_live import asked
from tests.steps.disposing import Office, office
from tests.steps.test_capture import World
from tests.steps.test_transfer import pack

pytestmark = pytest.mark.live


@pytest.fixture
def here(store: Store, clock: FixedClock) -> Office:
    made = office(World(store, clock), clock)
    made.adopt()
    return made


def test_bagit_finds_the_bag_whole_and_an_altered_one_not(here: Office, tmp_path: Path):
    here.keep("a", series="EXE-01")
    out = tmp_path / "bag"
    pack(here, here.approved("EXE-01"), out)
    code, said = asked("bagit.py", "--validate", out)
    assert code == 0, said
    (text,) = out.glob("data/records/*/text.txt")
    text.write_text("words of b")
    assert asked("bagit.py", "--validate", out)[0] != 0

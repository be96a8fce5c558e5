"""What everything derived promises that holds content in the clear: purged of a record, it holds no byte of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.index import follower
from app.index.documents import Change, Document
from app.index.engine import Engine
from app.index.purging import IndexPurger
from app.index.tantivy_engine import TantivyEngine
from app.index.whoosh_engine import WhooshEngine
from app.store.disposals import Purger
from tests.steps.remains import Wanted

DAY = datetime(2024, 5, 1, 12, tzinfo=UTC)
WORDS = {1: "a heron in the mill race", 2: "a bittern in the reeds", 3: "a grebe on the pond"}


class Held:
    """What is held and may be followed; disposing takes the words away."""

    def __init__(self) -> None:
        self.words = dict(WORDS)

    def size(self) -> int:
        return len(WORDS)

    def read(self, after: int, limit: int) -> Sequence[Change]:
        return [
            Change(key - 1, key, self._documents(key)) for key in WORDS if key - 1 > after and key <= limit
        ]

    def _documents(self, key: int) -> tuple[Document, ...]:
        if key not in self.words:
            return ()
        return (
            Document(
                record=key, version=1, entry=key - 1, page="p", page_name="Town", platform="web", kind="post",
                captured_at=DAY, text=self.words[key],
            ),
        )  # fmt: skip


Opened = Callable[[Path], Engine]
ENGINES: dict[str, Opened] = {"tantivy": partial(TantivyEngine, heap=15_000_000), "whoosh": WhooshEngine}


def an_index(opened: Opened, held: Held, folder: Path) -> Purger:
    engine = opened(folder)
    follower.catch_up(held, engine)
    return IndexPurger(held, engine, ZoneInfo("UTC"), threading.RLock())


Make = Callable[[Held, Path], Purger]


@pytest.fixture(params=[partial(an_index, opened) for opened in ENGINES.values()], ids=list(ENGINES))
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def test_it_holds_what_it_was_given_until_it_is_purged(make: Make, tmp_path: Path):
    purger = make(Held(), tmp_path)
    assert purger.still_holds([1, 2, 3]) == 3
    assert purger.still_holds([4]) == 0
    found = Wanted({str(key): words for key, words in WORDS.items()}).found_in_files(tmp_path)
    assert found, "the search finds what is there"


def test_purged_it_holds_no_byte_of_them_and_everything_else(make: Make, tmp_path: Path):
    held = Held()
    purger = make(held, tmp_path)
    del held.words[1], held.words[2]
    purger.purge([1, 2])
    assert purger.still_holds([1, 2]) == 0
    assert purger.still_holds([3]) == 1
    assert Wanted({"1": "heron", "2": "bittern"}).found_in_files(tmp_path) == {}
    assert Wanted({"3": "grebe"}).found_in_files(tmp_path)


def test_purging_twice_is_purging_once(make: Make, tmp_path: Path):
    held = Held()
    purger = make(held, tmp_path)
    del held.words[1]
    purger.purge([1])
    purger.purge([1])
    assert purger.still_holds([1, 2, 3]) == 2


@pytest.mark.parametrize("opened", ENGINES.values(), ids=list(ENGINES))
def test_an_index_that_is_unfit_to_be_asked_is_made_anew_all_the_same(opened: Opened, tmp_path: Path):
    held = Held()
    an_index(opened, held, tmp_path)
    (description,) = tmp_path.glob("*/muniment.json")
    description.write_text('{"format": 0, "analyser": 0}')
    del held.words[1]
    purger = IndexPurger(held, opened(tmp_path), ZoneInfo("UTC"), threading.RLock())
    purger.purge([1])
    assert purger.still_holds([1, 2, 3]) == 2


@pytest.mark.parametrize(("before", "after"), [("tantivy", "whoosh"), ("whoosh", "tantivy")])
def test_purged_by_another_engine_it_holds_nothing_of_what_the_first_one_wrote(
    before: str, after: str, tmp_path: Path
):
    held = Held()
    an_index(ENGINES[before], held, tmp_path)
    del held.words[1]
    purger = IndexPurger(held, ENGINES[after](tmp_path), ZoneInfo("UTC"), threading.RLock())
    purger.purge([1])
    assert purger.still_holds([1, 2, 3]) == 2
    assert Wanted({"1": "heron"}).found_in_files(tmp_path) == {}
    assert Wanted({"3": "grebe"}).found_in_files(tmp_path)

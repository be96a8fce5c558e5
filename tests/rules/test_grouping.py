"""Families of hits, a part at a time: each stands in one part, whatever is captured or disposed of in between."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from app.index import grouping
from app.index.documents import Position
from app.index.engine import BadCursor, Sort
from app.index.families import Families
from app.index.grouping import Groups
from app.index.keys import Keys
from app.index.tantivy_engine import TantivyEngine
from app.index.tree import Term
from tests.promises.test_engines import DAY, PUBLIC, a_document


class Town:
    """Posts with their comments; a key by its family, a later one published later."""

    def __init__(self, home: Path, families: Mapping[int, int]) -> None:
        self.engine = TantivyEngine(home)
        self.root: dict[int, int] = {}
        self.entry = 0
        self.come(families)

    def come(self, families: Mapping[int, int]) -> None:
        self.root |= families
        self.engine.add([a_document(key, "x", published_at=DAY + timedelta(hours=key)) for key in families])
        self._commit()

    def go(self, *keys: int) -> None:
        self.engine.remove(keys)
        for key in keys:
            del self.root[key]
        self._commit()

    def _commit(self) -> None:
        self.engine.commit(Position(self.entry, 1))
        self.entry += 1

    def part(self, limit: int, after: str | None = None, sort: Sort = Sort.NEWEST) -> Groups:
        last = max(self.root)
        root = array("q", (self.root.get(key, key) for key in range(last + 1)))
        members = array("q", bytes(8 * (last + 1)))
        for of in self.root.values():
            members[of] += 1
        known = Families(Keys.of(self.root), root, members)
        return grouping.of(self.engine.ask(Term("x"), PUBLIC), sort, known, limit, after)


def shown(groups: Groups) -> list[tuple[int, ...]]:
    return [one.hits for one in groups.groups]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "index", {1: 1, 2: 2, 3: 3, 4: 4, 5: 1, 6: 2})


def test_families_stand_at_the_place_of_their_first_hit_with_all_of_their_hits(town):
    first = town.part(2)
    assert (first.total, shown(first)) == (4, [(6, 2), (5, 1)])
    second = town.part(2, first.cursor)
    assert (second.total, shown(second), second.cursor) == (4, [(4,), (3,)], None)
    assert shown(town.part(9, sort=Sort.OLDEST)) == [(1, 5), (2, 6), (3,), (4,)]


def test_a_comment_that_comes_between_two_parts_brings_no_family_twice_and_hides_none(town):
    first = town.part(2)
    town.come({7: 1, 8: 3, 9: 9})
    second = town.part(2, first.cursor)
    assert shown(second) == [(4,), (8, 3)]
    assert (second.total, second.cursor) == (5, None)


def test_a_family_that_is_disposed_of_between_two_parts_stops_nobody(town):
    first = town.part(2)
    town.go(5, 1)
    assert shown(town.part(2, first.cursor)) == [(4,), (3,)]
    first = town.part(1, sort=Sort.OLDEST)
    town.go(2)
    assert shown(town.part(9, first.cursor, sort=Sort.OLDEST)) == [(3,), (4,), (6,)]


def test_a_cursor_of_another_list_or_order_is_refused(town):
    cursor = town.part(1).cursor
    for wrong in (
        "nonsense",
        "ZmFtaWx5OjE6eA",
        town.engine.ask(Term("x"), PUBLIC).page(Sort.NEWEST, 1).cursor,
    ):
        with pytest.raises(BadCursor):
            town.part(1, wrong)
    with pytest.raises(BadCursor):
        town.part(1, cursor, sort=Sort.OLDEST)

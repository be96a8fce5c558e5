"""What every engine promises, over every engine: exact totals, one record however many versions, nothing that is not asked."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from whoosh.filedb.filestore import FileStorage
from whoosh.writing import SegmentWriter

from app import ROOT, main
from app.capture import importing
from app.holds import searching
from app.index import generations, whoosh_files
from app.index.documents import LACKS, PLACES, Document, Passage, Position
from app.index.engine import (
    FACETS,
    BadCursor,
    Engine,
    IndexBusy,
    IndexFailed,
    IndexNeedsRebuild,
    QueryNotSupported,
    Scope,
    Sort,
    StillFound,
    UnfitDocument,
)
from app.index.keys import Keys
from app.index.language import parse
from app.index.printer import show
from app.index.tantivy_engine import TantivyEngine
from app.index.tree import (
    Address,
    All,
    Among,
    CapturedRange,
    DateRange,
    Exactly,
    Field,
    Fuzzy,
    In,
    Mention,
    Near,
    Not,
    Or,
    Part,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
    both,
    either,
    everything_in,
)
from app.index.whoosh_engine import WhooshEngine
from app.settings import BadSetting
from tests.archives import settings_at
from tests.promises.reference_engine import ReferenceEngine

JUNEAU = ZoneInfo("America/Juneau")
PUBLIC, ALL = Scope(JUNEAU), Scope(JUNEAU, messages=True)
DAY = datetime(2024, 5, 1, 12, tzinfo=UTC)


def a_document(record: int, text: str = "", version: int = 1, **told: object) -> Document:
    values: dict[str, object] = {
        "entry": record,
        "page": "p1",
        "page_name": "Town Police",
        "platform": "mastodon",
        "kind": "post",
        "published_at": DAY,
        "captured_at": DAY,
    }
    return Document(record=record, version=version, text=text, **(values | told))  # type: ignore[arg-type]  # a test names the fields


def kept(engine: Engine, *documents: Document, entry: int = 0) -> Engine:
    engine.add(documents)
    engine.commit(Position(entry, 1))
    return engine


def found(engine: Engine, query: str | Tree, scope: Scope = PUBLIC) -> set[int]:
    """The records that are hits, told in three ways that must agree."""
    answer = engine.ask(parse(query).tree if isinstance(query, str) else query, scope)
    every = list(answer.every(Sort.NEWEST))
    assert answer.total() == len(every) == len(set(every))
    assert list(answer.page(Sort.NEWEST, 1000).records) == every
    return set(every)


class EnginePromises:
    """Inherit, and give an `engine` fixture that is empty."""

    def test_an_index_that_followed_nothing_finds_nothing(self, engine):
        assert engine.position() is None
        assert found(engine, "*") == set()
        assert engine.ask(All(), PUBLIC).facets(FACETS) == {name: {} for name in FACETS}

    def test_nothing_is_found_before_it_is_committed_and_all_of_it_after(self, engine):
        kept(engine, a_document(1, "road"))
        engine.add([a_document(2, "road")])
        assert found(engine, "road") == {1}
        engine.commit(Position(7, 1))
        assert found(engine, "road") == {1, 2}
        assert engine.position() == Position(7, 1)

    def test_questions_that_belong_together_are_asked_of_one_commit(self, engine):
        assert engine.still().position() is None
        kept(engine, a_document(1, "road"), entry=1)
        still = engine.still()
        engine.remove([1])
        kept(engine, a_document(2, "road"), a_document(3, "road"), entry=2)
        assert [still.ask(Term("road"), PUBLIC).total(), still.position()] == [1, Position(1, 1)]
        assert list(still.ask(Not(Term("closed")), PUBLIC).every(Sort.NEWEST)) == [1]
        assert [engine.ask(Term("road"), PUBLIC).total(), engine.position()] == [2, Position(2, 1)]

    @pytest.mark.parametrize("sort", Sort)
    def test_what_stands_all_the_time_is_shown_once_while_records_come_and_go_and_are_edited(
        self, engine, sort
    ):
        """Equal dates and none; after each page one that was shown goes, the last one shown is edited, new ones come."""
        dates = [None, DAY, DAY, DAY, DAY + timedelta(days=1), None]
        standing = {n: dates[n % len(dates)] for n in range(1, 19)}
        kept(engine, *(a_document(n, "x", published_at=at) for n, at in standing.items()))
        shown: list[int] = []
        gone: set[int] = set()
        cursor: str | None = None
        for step in itertools.count(1):
            page = engine.ask(Term("x"), PUBLIC).page(sort, 2, cursor)
            shown, cursor = [*shown, *page.records], page.cursor
            if cursor is None:
                break
            last, new = page.records[-1], 100 + 2 * step
            gone.add(page.records[0])
            engine.remove([page.records[0], last])
            engine.add(
                [a_document(last, "x", version, published_at=standing.get(last, DAY)) for version in (1, 2)]
            )
            engine.add([a_document(new + n, "x", published_at=dates[n]) for n in range(2) if step < 5])
            engine.commit(Position(step, 1))
        assert len(shown) == len(set(shown))
        assert set(standing) <= set(shown)

    def test_what_was_not_committed_is_dropped_when_the_engine_settles(self, engine):
        kept(engine, a_document(1, "road"))
        engine.add([a_document(2, "road")])
        engine.remove([1])
        engine.settle()
        engine.commit(Position(1, 1))
        assert found(engine, "*") == {1}

    def test_a_word_is_found_whole_and_without_regard_to_case(self, engine):
        kept(
            engine, a_document(1, "The ROAD, closed."), a_document(2, "Roadworks"), a_document(3, "ＲＯＡＤ")
        )
        assert found(engine, "road") == {1, 3}
        assert found(engine, "roa") == set()

    def test_a_phrase_is_found_in_its_order_only(self, engine):
        kept(
            engine,
            a_document(1, "road closed"),
            a_document(2, "closed road"),
            a_document(3, "road is closed"),
        )
        assert found(engine, '"road closed"') == {1}
        assert found(engine, "road closed") == {1, 2, 3}

    def test_scripts_without_spaces_are_found_by_any_run(self, engine):
        kept(engine, a_document(1, "警察来了"), a_document(2, "警 x 察"), a_document(3, "ตำรวจมาแล้ว"))
        assert found(engine, "警察") == {1}
        assert found(engine, "警 察") == {1, 2}
        assert found(engine, "ตำรวจ") == {3}

    def test_a_sigil_finds_only_itself_and_the_bare_word_finds_both(self, engine):
        kept(
            engine,
            a_document(1, "#flood @juneaupd"),
            a_document(2, "flood juneaupd"),
            a_document(3, "#flooding"),
        )
        assert found(engine, "#flood") == {1}
        assert found(engine, "flood") == {1, 2}
        assert found(engine, "#flood*") == {1, 3}
        assert found(engine, "@juneaupd") == {1}
        assert found(engine, '"#flood juneaupd"') == {1}
        assert found(engine, "#flooding w/5 juneaupd") == set()

    def test_an_address_is_found_whole_or_by_its_beginning(self, engine):
        kept(
            engine,
            a_document(1, "see https://town.example/Road?x=1."),
            a_document(2, "https://town.example/"),
        )
        assert found(engine, "https://town.example/road?x=1") == {1}
        assert found(engine, "https://town.example") == {2}
        assert found(engine, "https://town.ex*") == {1, 2}
        assert found(engine, "town") == {1, 2}

    @pytest.mark.parametrize(
        ("query", "records"),
        [
            ("clos*", {1, 2}),
            ("*burg", {3}),
            ("cl?sed", {1}),
            ("?losed", {1}),
            ("c*s*d", {1}),
            ("closed%", {1, 2}),
            ("colsed%", {1}),
            ("clasad%%", {1}),
            ("closing~", {1, 2}),
            ("closed~ AND NOT closed", {2}),
        ],
    )
    def test_one_word_may_be_asked_for_loosely(self, engine, query, records):
        kept(engine, a_document(1, "closed"), a_document(2, "closes"), a_document(3, "Petersburg"))
        assert found(engine, query) == records

    def test_neighbours_are_one_apart(self, engine):
        kept(engine, a_document(1, "road x x closed"), a_document(2, "closed road"))
        assert found(engine, "road w/1 closed") == {2}
        assert found(engine, "road w/2 closed") == {2}
        assert found(engine, "road w/3 closed") == {1, 2}
        assert found(engine, "road pre/3 closed") == {1}
        assert found(engine, "road pre/2 closed") == set()

    def test_a_word_is_near_itself_only_if_it_stands_there_twice(self, engine):
        kept(engine, a_document(1, "road"), a_document(2, "road road"))
        assert found(engine, "road w/3 road") == {2}
        assert found(engine, '"road road"') == {2}

    def test_groups_of_proximity_nest_by_their_hulls(self, engine):
        kept(engine, a_document(1, "a b x c"), a_document(2, "a x b x x c"), a_document(3, "c a b"))
        assert found(engine, "(a w/1 b) w/2 c") == {1, 3}
        assert found(engine, "(a pre/2 b) pre/3 c") == {1, 2}

    def test_every_combination_of_spans_counts_not_only_the_shortest(self, engine):
        """The minimal span of a and b begins too late: only the longer one reaches back."""
        kept(engine, a_document(1, "c a a b"))
        assert found(engine, "c pre/1 (a pre/3 b)") == {1}

    def test_spans_that_overlap_are_not_near_one_another(self, engine):
        kept(engine, a_document(1, "a b c"), a_document(2, "a b b c"))
        assert found(engine, '"a b" w/1 "b c"') == {2}

    def test_a_lone_exclusion_finds_everything_else(self, engine):
        kept(engine, a_document(1, "road"), a_document(2, "bridge"), a_document(3))
        assert found(engine, "NOT road") == {2, 3}
        assert found(engine, "NOT *") == set()
        assert found(engine, "NOT road OR road") == {1, 2, 3}

    def test_fields_are_compared_whole_and_without_regard_to_case(self, engine):
        jane = a_document(1, author=("17", "Jane Doe", "jane@Town.example"), language="es", media=True)
        other = a_document(
            2, page="p2", page_name="Town", platform="web", kind="comment", state="gone", origin="received"
        )
        kept(engine, jane, other)
        for query in (
            'author:"jane doe"', "author:17", "author:JANE@town.example", 'page:"TOWN POLICE"', "page:p1",
            "platform:Mastodon", "kind:post", "state:present", "lang:ES", "has:media", "origin:captured",
        ):  # fmt: skip
            assert found(engine, query) == {1}, query
        for query in ("page:town", "kind:comment", "state:gone", "platform:web", "origin:received"):
            assert found(engine, query) == {2}, query
        assert found(engine, "author:jane") == set()

    def test_days_are_those_of_the_agency(self, engine):
        kept(
            engine,
            a_document(
                1, published_at=datetime(2024, 1, 1, 8, 59, 59, 999999, tzinfo=UTC)
            ),  # still 2023 in Juneau
            a_document(2, published_at=datetime(2024, 1, 1, 9, tzinfo=UTC)),
            a_document(3, published_at=datetime(2024, 7, 1, 7, 59, tzinfo=UTC)),  # summer: eight hours
            a_document(4, published_at=None),
        )
        assert found(engine, "date:2023") == {1}
        assert found(engine, "date:2024-01-01..2024-06-30") == {2, 3}
        assert found(engine, "date:>=2024-07") == set()
        assert found(engine, "date:<2024-01-01") == {1}
        assert found(engine, "has:date") == {1, 2, 3}
        assert engine.ask(All(), PUBLIC).facets(["month"]) == {
            "month": {"2023-12": 1, "2024-01": 1, "2024-06": 1}
        }

    def test_capture_has_days_of_its_own(self, engine):
        kept(engine, a_document(1, captured_at=datetime(2025, 3, 1, 12, tzinfo=UTC)), a_document(2))
        assert found(engine, "captured:2025") == {1}

    def test_a_record_is_a_hit_if_any_one_version_is(self, engine):
        kept(engine, a_document(1, "road closed"), a_document(1, "road open", 2), a_document(2, "closed"))
        assert found(engine, "closed") == {1, 2}
        assert found(engine, "road") == {1}
        assert found(engine, "version:current closed") == {2}
        assert found(engine, "closed open") == set()  # the whole question against one version
        assert found(engine, "NOT closed") == {1}

    def test_a_record_counts_once_under_its_newest_version_that_is_a_hit(self, engine):
        kept(
            engine,
            a_document(1, "road", 1, state="present"),
            a_document(1, "road", 2, state="hidden"),
            a_document(1, "bridge", 3, state="gone"),
        )
        assert engine.ask(Term("road"), PUBLIC).facets(["state"]) == {"state": {"hidden": 1}}
        assert engine.ask(All(), PUBLIC).facets(["state"]) == {"state": {"gone": 1}}

    def test_private_messages_do_not_exist_for_whoever_may_not_read_them(self, engine):
        kept(
            engine, a_document(1, "road"), a_document(2, "road", kind="message", private=True, author=("x",))
        )
        for query in (
            "road",
            "*",
            "NOT bridge",
            "kind:message OR road",
            "author:x OR road",
            "road w/9 road OR road",
        ):
            assert found(engine, query) == {1}, query
            assert found(engine, query, ALL) == {1, 2}, query
        assert engine.ask(All(), PUBLIC).facets(["kind", "author"]) == {"kind": {"post": 1}, "author": {}}

    def test_a_replaced_record_is_found_by_its_new_words_only(self, engine):
        kept(engine, a_document(1, "road"))
        engine.remove([1])
        engine.add([a_document(1, "bridge")])
        engine.commit(Position(2, 1))
        assert found(engine, "road") == set()
        assert found(engine, "bridge") == {1}
        assert engine.removed() == 0

    def test_a_removed_record_is_gone_from_every_answer(self, engine):
        kept(
            engine,
            a_document(1, "road"),
            a_document(1, "road closed", 2),
            a_document(2, "road", author=("x",)),
        )
        engine.remove([1, 99])
        engine.commit(Position(2, 1))
        for query in ("road", "*", "NOT bridge", "roa*", "road w/1 closed OR road"):
            assert found(engine, query) == {2}
        assert engine.removed() == 1

    def test_removing_before_the_first_commit_leaves_nothing(self, engine):
        engine.add([a_document(1, "road")])
        engine.remove([1])
        engine.commit(Position(1, 1))
        assert found(engine, "*") == set()

    def test_an_answer_stands_still_while_the_index_goes_on(self, engine):
        kept(engine, a_document(1, "road"), a_document(2, "road"))
        answer = engine.ask(Term("road"), PUBLIC)
        engine.remove([1])
        engine.add([a_document(3, "road")])
        engine.commit(Position(3, 1))
        assert answer.total() == 2
        assert set(answer.every(Sort.NEWEST)) == {1, 2}

    @pytest.mark.parametrize("sort", list(Sort))
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
    def test_pages_follow_one_another_without_a_gap_or_a_double(self, engine, sort, limit):
        """Many equal times, some none at all: the order is still one."""
        days = [None if n % 5 == 0 else DAY + timedelta(days=n % 3) for n in range(1, 30)]
        kept(engine, *(
            a_document(n, "x", published_at=day, captured_at=DAY + timedelta(days=n % 2)) for n, day in enumerate(days, 1)
        ))  # fmt: skip
        answer = engine.ask(All(), PUBLIC)
        expected = list(answer.every(sort))
        assert sorted(expected) == list(range(1, 30))
        paged: list[int] = []
        cursor: str | None = None
        while True:
            page = answer.page(sort, limit, cursor)
            paged += page.records
            cursor = page.cursor
            if cursor is None:
                break
            assert len(page.records) == limit
        assert paged == expected

    def test_the_newest_come_first_and_the_undated_last(self, engine):
        kept(
            engine,
            a_document(1, published_at=DAY),
            a_document(2, published_at=DAY + timedelta(days=1)),
            a_document(3, published_at=None),
            a_document(4, published_at=datetime(1969, 1, 1, tzinfo=UTC)),
        )
        answer = engine.ask(All(), PUBLIC)
        assert list(answer.every(Sort.NEWEST)) == [2, 1, 4, 3]
        assert list(answer.every(Sort.OLDEST)) == [4, 1, 2, 3]

    def test_what_is_not_known_of_records_is_refused_by_name(self, engine):
        kept(engine, a_document(1))
        with pytest.raises(QueryNotSupported, match="tag:x"):
            engine.ask(Not(Field("tag", "x")), PUBLIC).total()

    def test_words_are_found_wherever_they_stand_and_each_place_can_be_asked_for(self, engine):
        kept(
            engine,
            a_document(1, "flood"),
            a_document(2, "road", passages=(Passage("alt", "The Flood #high"),)),
            a_document(3, "road", passages=(Passage("attachment", "flood flood"), Passage("title", "road"))),
        )
        assert found(engine, "flood") == {1, 2, 3}
        for place, records in (("text", {1}), ("alt", {2}), ("attachment", {3}), ("caption", set())):
            for query in ("flood", "flo*", "*ood", "fl?od", "floods~", "flodd%", "(flood OR bridge)"):
                assert found(engine, f"{place}:{query}") == records, f"{place}:{query}"
        assert found(engine, "#high") == found(engine, "alt:#hi*") == {2}
        assert found(engine, "text:#high") == found(engine, "#flood") == set()
        assert found(engine, "NOT flood") == set()
        assert found(engine, "NOT text:flood") == {2, 3}
        assert found(engine, "road flood") == {2, 3}  # the whole question against one version
        assert found(engine, "has:alt") == {2}
        assert found(engine, "NOT has:title") == {1, 2}

    def test_no_phrase_and_no_proximity_goes_from_one_text_into_another(self, engine):
        kept(
            engine,
            a_document(1, "road", passages=(Passage("alt", "closed"),)),
            a_document(2, passages=(Passage("alt", "road"), Passage("alt", "closed"))),
            a_document(3, passages=(Passage("alt", "x"), Passage("alt", "road closed"))),
            a_document(4, passages=(Passage("alt", "road"), Passage("caption", "closed"))),
            a_document(5, "road closed"),
            a_document(6, passages=(Passage("alt", "road road"), Passage("alt", "x closed"))),
        )
        for query in (
            '"road closed"',
            "road w/1 closed",
            "road w/9 closed",
            "road pre/2 closed",
            '"roa* closed"',
        ):
            assert found(engine, query) == {3, 5}, query
            assert found(engine, f"alt:({query})") == {3}, query
            assert found(engine, f"text:({query})") == {5}, query
            assert found(engine, f"NOT ({query})") == {1, 2, 4, 6}, query
        assert found(engine, "(road w/9 road) w/9 closed") == set()
        assert found(engine, "road closed") == {1, 2, 3, 4, 5, 6}

    def test_what_could_not_be_searched_can_be_asked_for(self, engine):
        kept(
            engine,
            a_document(1, lacks=("scanned", "not_kept")),
            a_document(2, lacks=("protected",)),
            a_document(3),
        )
        assert found(engine, "unsearchable:any") == {1, 2}
        assert found(engine, "unsearchable:scanned") == {1}
        assert found(engine, "NOT unsearchable:any") == {3}

    def test_a_word_beyond_all_measure_is_found_beside_the_text_too(self, engine):
        long = "x" * 20_000
        kept(
            engine,
            a_document(1, "road", passages=(Passage("alt", f"flood {long}"),)),
            a_document(2, "road flood"),
        )
        assert found(engine, f"alt:{long}") == found(engine, "alt:flood") == {1}
        assert found(engine, '"road flood"') == {2}
        assert found(engine, "road") == {1, 2}

    @pytest.mark.parametrize("keys", [set(), {2}, {1, 3}, {1, 2, 3, 9}, {9}])
    def test_facts_that_no_index_keeps_are_joined_as_sets_of_records(self, engine, keys):
        kept(
            engine,
            a_document(1, "road"),
            a_document(2, "road"),
            a_document(2, "bridge", 2),
            a_document(3, "bridge"),
        )
        among = Among(Field("tag", "x"), Keys.of(keys))
        assert found(engine, among) == keys & {1, 2, 3}
        assert found(engine, Not(among)) == {1, 2, 3} - keys
        assert found(engine, both(Term("road"), among)) == keys & {1, 2}
        assert engine.ask(both(Term("road"), among), PUBLIC).total() == len(keys & {1, 2})

    def test_versions_can_be_named_one_by_one(self, engine):
        kept(engine, a_document(1, "road", state="hidden"), a_document(1, "bridge", 2), a_document(2, "road"))
        first = engine.ask(Exactly(frozenset([(1, 1), (7, 1)])), PUBLIC)
        assert list(first.every(Sort.NEWEST)) == [1]
        assert first.facets(["state"]) == {"state": {"hidden": 1}}

    def test_an_index_made_beside_answers_after_it_is_adopted(self, engine):
        kept(engine, a_document(1, "road"))
        beside = kept(engine.beside(), a_document(2, "bridge"), entry=4)
        assert found(engine, "*") == {1}
        engine.adopt(beside)
        assert found(engine, "*") == {2}
        assert engine.position() == Position(4, 1)
        kept(engine, a_document(3, "bridge"))
        assert found(engine, "bridge") == {2, 3}

    @pytest.mark.parametrize("seed", range(3))
    def test_every_answer_is_the_one_that_brute_force_gives(self, engine, seed):
        agrees_with_brute_force(engine, a_history(seed, 6))

    @pytest.mark.soak
    @pytest.mark.parametrize("seed", range(100, 200))
    def test_every_answer_is_the_one_that_brute_force_gives_for_long(self, engine, seed):
        agrees_with_brute_force(engine, a_history(seed, 12))


@dataclass(frozen=True)
class Asked:
    """A question, and what brute force answers."""

    tree: Tree
    scope: Scope
    orders: Mapping[Sort, Sequence[int]]
    facets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Round:
    """One commit, and what is asked after it."""

    removed: Collection[int]
    added: Sequence[Document]
    asked: Sequence[Asked]


@lru_cache(maxsize=4)  # one for each seed of the quick suite: every engine is compared with the same
def a_history(seed: int, rounds: int) -> Sequence[Round]:
    """Few words, so that they meet often; many trees; records added, replaced and removed in between."""
    chance = random.Random(seed)
    truth = ReferenceEngine()
    living: set[int] = set()
    told: list[Round] = []
    for entry in range(rounds):
        replaced = {record for record in living if chance.random() < 0.2}
        gone = {record for record in living - replaced if chance.random() < 0.1}
        new = set(range(entry * 20 + 1, entry * 20 + 21))
        documents = [one for record in sorted(replaced | new) for one in some_versions(chance, record)]
        truth.remove(replaced | gone)
        truth.add(documents)
        truth.commit(Position(entry, 1))
        living = (living - gone) | new
        questions = [(a_tree(chance), chance.choice([PUBLIC, ALL])) for _ in range(25)]
        told.append(Round(replaced | gone, documents, [brute_force(truth, *one) for one in questions]))
    hits = sum(bool(one.orders[Sort.NEWEST]) for round_ in told for one in round_.asked)
    assert hits > 7 * rounds  # the questions are not all beside the point
    return told


def brute_force(truth: ReferenceEngine, tree: Tree, scope: Scope) -> Asked:
    answer = truth.ask(tree, scope)
    return Asked(tree, scope, {sort: list(answer.every(sort)) for sort in Sort}, answer.facets(FACETS))


def agrees_with_brute_force(engine: Engine, history: Sequence[Round]) -> None:
    for entry, round_ in enumerate(history):
        engine.remove(round_.removed)
        engine.add(round_.added)
        engine.commit(Position(entry, 1))
        for asked in round_.asked:
            answer = engine.ask(asked.tree, asked.scope)
            for sort in Sort:
                assert list(answer.every(sort)) == asked.orders[sort], show(asked.tree)
            assert answer.total() == len(asked.orders[Sort.NEWEST]), show(asked.tree)
            assert answer.facets(FACETS) == asked.facets, show(asked.tree)
            if not any(isinstance(part, Among | Exactly) for part in everything_in(asked.tree)):
                assert parse(show(asked.tree)).tree == asked.tree


# ---- small worlds --------------------------------------------------------------------------------

WORDS = ["a", "b", "c", "ab", "abc", "bac", "closed", "closing", "警", "#a", "#ab", "@b", "https://a.b/c"]


def a_text(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.choice([0, 1, 2, 3, 5, 8, 12])))


def some_versions(chance: random.Random, record: int) -> Sequence[Document]:
    private = chance.random() < 0.1
    return [
        a_document(
            record,
            a_text(chance),
            version,
            page=chance.choice(["p1", "p2"]),
            page_name=chance.choice(["Town", "town", "Police"]),
            kind=chance.choice(["post", "comment"]),
            state=chance.choice(["present", "hidden", "gone"]),
            author=chance.choice([(), ("1", "Jane Doe", "jane"), ("2", "jane")]),
            language=chance.choice([None, "en", "es"]),
            media=chance.random() < 0.5,
            passages=some_passages(chance),
            lacks=tuple(chance.sample(LACKS, chance.choice([0, 0, 0, 1, 2]))),
            private=private,
            published_at=chance.choice([None, *(DAY + timedelta(hours=9 * n) for n in range(6))]),
            captured_at=DAY + timedelta(days=chance.randrange(3)),
        )
        for version in range(1, chance.choice([2, 2, 2, 3, 4]))
    ]


def some_passages(chance: random.Random) -> tuple[Passage, ...]:
    """Often none; otherwise short ones, several of a place among them, so that words meet across them."""
    return tuple(
        Passage(chance.choice(PLACES[1:3]), " ".join(chance.choices(WORDS, k=chance.choice([1, 2, 4]))))
        for _ in range(chance.choice([0, 0, 0, 1, 2, 4]))
    )


def a_part(chance: random.Random, *, quoted: bool = False) -> Part:
    word = chance.choice(["a", "b", "c", "ab", "abc", "closed"])
    choices: list[Part] = [
        *[Term(word)] * 6, Term("警"), Wild(chance.choice(["a*", "*c", "a?c"])), Tag(chance.choice(["a", "a*"])),
        Mention("b"), Address("https://a.b/c"),
    ]  # fmt: skip
    if not quoted:
        choices += [
            Wild("?a*"),
            Fuzzy("abc", 1),
            Fuzzy("bca", 2),
            Stem("closed"),
            Address("https://a", prefix=True),
            Wild("a?"),
        ]
    return chance.choice(choices)


def a_joinable(chance: random.Random, depth: int) -> Tree:
    kind = chance.random()
    if depth and kind < 0.3:
        within, left, right = (
            chance.randint(1, 4),
            a_joinable(chance, depth - 1),
            a_joinable(chance, depth - 1),
        )
        return Near(within, left, right) if chance.random() < 0.5 else Pre(within, left, right)
    if depth and kind < 0.45:
        return either(a_joinable(chance, depth - 1), a_joinable(chance, depth - 1))
    if kind < 0.6:
        return Phrase(tuple(a_part(chance, quoted=True) for _ in range(chance.choice([2, 2, 3]))))
    return a_part(chance)


def a_fact(chance: random.Random) -> Tree:
    day = date(2024, 5, 1) + timedelta(days=chance.randrange(4))
    facts: list[Tree] = [
        All(),
        Field("page", "TOWN"),
        Field("author", chance.choice(["jane doe", "jane", "2"])),
        Field("kind", "comment"),
        Field("state", "gone"),
        Field("version", "current"),
        Field("has", chance.choice(["media", "date"])),
        Field("lang", "ES"),
        DateRange(day, None),
        DateRange(None, day),
        DateRange(day, day + timedelta(days=1)),
        CapturedRange(day, None),
        Field("has", "alt"),
        Field("unsearchable", chance.choice(["any", LACKS[0]])),
        Among(Field("tag", "x"), Keys.of(chance.sample(range(200), chance.choice([0, 3, 60, 190])))),
        Exactly(frozenset((chance.randrange(100), chance.randint(1, 3)) for _ in range(40))),
    ]
    return chance.choice(facts)


def a_tree(chance: random.Random, depth: int = 3) -> Tree:
    kind = chance.random()
    if depth and kind < 0.2:
        return both(a_tree(chance, depth - 1), a_tree(chance, depth - 1))
    if depth and kind < 0.35:
        return either(a_tree(chance, depth - 1), a_tree(chance, depth - 1))
    if depth and kind < 0.5:
        return Not(a_tree(chance, depth - 1))
    if kind < 0.65:
        return a_fact(chance)
    if kind < 0.8:
        part = a_joinable(chance, 2)
        return part if isinstance(part, Or) else In(chance.choice(PLACES[:3]), part)
    return a_joinable(chance, 2)


# ---- over every engine ---------------------------------------------------------------------------


class TestReference(EnginePromises):
    @pytest.fixture
    def engine(self) -> ReferenceEngine:
        return ReferenceEngine()


class FolderPromises(EnginePromises):
    """What an engine promises that lives in a folder. Inherit, and give an `in_folder` fixture that opens one."""

    @pytest.fixture
    def open_engine(
        self, tmp_path: Path, in_folder: Callable[[Path], Engine]
    ) -> Iterator[Callable[[], Engine]]:
        opened: list[Engine] = []

        def one() -> Engine:
            opened.append(in_folder(tmp_path / "index"))
            return opened[-1]

        yield one
        for engine in opened:
            engine.settle()

    @pytest.fixture
    def engine(self, open_engine: Callable[[], Engine]) -> Engine:
        return open_engine()

    def test_an_index_is_found_again_when_it_is_opened(self, engine, open_engine):
        kept(engine, a_document(1, "road"), entry=5)
        engine.settle()
        again = open_engine()
        assert again.position() == Position(5, 1)
        assert found(again, "road") == {1}

    def test_a_reader_sees_what_another_process_committed_and_adopted(self, engine, open_engine):
        reader = open_engine()
        kept(engine, a_document(1, "road"))
        assert found(reader, "road") == {1}
        engine.adopt(kept(engine.beside(), a_document(2, "road")))
        assert found(reader, "road") == {2}

    def test_two_writers_are_refused_and_the_second_may_write_when_the_first_has_settled(
        self, engine, open_engine
    ):
        kept(engine, a_document(1, "road"))
        second = open_engine()
        with pytest.raises(IndexBusy):
            second.add([a_document(2, "road")])
        engine.settle()
        kept(second, a_document(2, "road"))
        assert found(engine, "road") == {1, 2}

    @pytest.mark.parametrize(
        "unfit",
        [
            a_document(0),
            a_document(-1),
            a_document(1 << 38),
            a_document(1, version=0),
            a_document(1, captured_at=datetime(2024, 1, 1)),  # noqa: DTZ001 - without a zone, which is the point
        ],
    )
    def test_an_unfit_document_is_refused_and_spoils_nothing(self, engine, unfit):
        engine.add([a_document(5, "road")])
        with pytest.raises(UnfitDocument):
            engine.add([a_document(6, "road"), unfit])
        engine.commit(Position(1, 1))
        assert found(engine, "road") == {5}

    def test_words_longer_than_the_engine_takes_are_found_all_the_same(self, engine):
        long = "x" * 70_000
        kept(
            engine,
            a_document(1, f"road {long} closed #{long}"),
            a_document(2, "road closed"),
            a_document(3, long[:-1]),
        )
        assert found(engine, long) == {1}
        assert found(engine, f"#{long}") == {1}
        assert found(engine, "xxx*") == {1, 3}
        assert found(engine, "road w/2 closed") == {1, 2}
        assert found(engine, '"road closed"') == {2}
        assert found(engine, "road AND NOT xx*") == {2}
        assert found(engine, f'author:"{long}" OR road') == {1, 2}

    def test_values_longer_than_the_engine_takes_are_still_compared_whole(self, engine):
        long = "x" * 70_000
        kept(engine, a_document(1, author=(long,)), a_document(2, author=(long + "y",)))
        assert found(engine, f"author:{long}") == {1}

    def test_text_that_is_no_text_is_kept_as_far_as_it_is(self, engine):
        kept(engine, a_document(1, "road \ud800 \x00 closed", author=("\ud800",), page_name="\ud800"))
        assert found(engine, '"road closed"') == {1}

    def test_a_cursor_of_another_order_is_refused(self, engine):
        kept(engine, a_document(1), a_document(2))
        answer = engine.ask(All(), PUBLIC)
        cursor = answer.page(Sort.NEWEST, 1).cursor
        with pytest.raises(BadCursor):
            answer.page(Sort.OLDEST, 1, cursor)
        for nonsense in ("x", "####", "bmV3ZXN0OjE6LTE"):
            with pytest.raises(BadCursor):
                answer.page(Sort.NEWEST, 1, nonsense)

    @pytest.mark.parametrize(("key", "value"), [("analyser", 0), ("format", 0), ("analyser", None)])
    def test_an_index_of_another_edition_must_be_rebuilt_and_says_so(
        self, engine, open_engine, tmp_path, key, value
    ):
        kept(engine, a_document(1))
        engine.settle()
        living = generations.current(tmp_path / "index")
        assert living is not None
        description = living / "muniment.json"
        was = json.loads(description.read_text())
        assert key in was
        description.write_text(json.dumps(was | {key: value}))
        unfit = open_engine()
        for ask in (unfit.position, lambda: unfit.ask(All(), PUBLIC), lambda: unfit.add([a_document(2)])):
            with pytest.raises(IndexNeedsRebuild, match=key):
                ask()
        unfit.adopt(kept(unfit.beside(), a_document(3)))
        assert found(unfit, "*") == {3}
        assert found(engine, "*") == {3}
        assert [folder for folder in (tmp_path / "index").iterdir() if folder.is_dir()] != [living]

    def test_several_ask_while_one_writes_and_each_sees_one_commit_whole(self, engine):
        kept(engine, *(a_document(n, "road") for n in range(1, 6)))
        totals: list[int] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                totals.append(engine.ask(Term("road"), PUBLIC).total())
                if len(totals) > 20_000:
                    return

        asking = [threading.Thread(target=ask) for _ in range(2)]
        for thread in asking:
            thread.start()
        try:
            for batch in range(1, 5):
                kept(engine, *(a_document(batch * 10 + n, "road") for n in range(5)), entry=batch)
        finally:
            done.set()
            for thread in asking:
                thread.join()
        assert totals
        assert {total % 5 for total in totals} == {0}
        assert found(engine, "road") == {n for b in range(1, 5) for n in range(b * 10, b * 10 + 5)} | set(
            range(1, 6)
        )

    def test_after_a_rebuild_no_byte_of_what_was_removed_is_in_the_folder(self, engine, tmp_path):
        kept(engine, a_document(1, "xyzzyunique road"), a_document(2, "road"))
        engine.remove([1])
        engine.commit(Position(1, 1))

        def lies_about() -> bool:
            files = [path for path in (tmp_path / "index").rglob("*") if path.is_file()]
            assert files
            return any(b"xyzzyunique" in path.read_bytes() for path in files)

        assert lies_about()  # which is why a disposal is followed by a rebuild
        engine.adopt(kept(engine.beside(), a_document(2, "road")))
        assert not lies_about()
        assert found(engine, "road") == {2}


class TestTantivy(FolderPromises):
    @pytest.fixture
    def in_folder(self) -> Callable[[Path], Engine]:
        return partial(TantivyEngine, heap=15_000_000)

    def test_what_is_counted_has_no_limit(self, engine, monkeypatch):
        monkeypatch.setattr("app.index.tantivy_engine._MOST_BUCKETS", 10)
        monkeypatch.setattr("app.index.tantivy_engine._BATCH", 7)
        kept(engine, *(a_document(n, "x", author=(f"author {n % 40}",)) for n in range(1, 201)))
        answer = engine.ask(All(), PUBLIC)
        assert answer.facets(["author"]) == {"author": {f"author {n}": 5 for n in range(40)}}
        assert sorted(answer.every(Sort.OLDEST)) == list(range(1, 201))
        assert found(engine, "x w/1 x OR x*") == set(range(1, 201))

    @pytest.mark.parametrize("alike", [5, 30, 200])  # fewer and more than are read beyond a page
    def test_records_of_one_moment_are_paged_in_one_order(self, engine, alike):
        times = [DAY if n <= alike else DAY - timedelta(days=n) for n in range(1, alike + 6)]
        kept(engine, *(a_document(n, "x", published_at=at) for n, at in enumerate(times, 1)))
        shown: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            page = engine.ask(parse("x").tree, PUBLIC).page(Sort.NEWEST, 4, cursor or None)
            shown, cursor = [*shown, *page.records], page.cursor
        assert shown == [*range(alike, 0, -1), *range(alike + 1, alike + 6)]

    @pytest.mark.parametrize("words", [["road"], ["road", "closed", "now"], [f"w{n}" for n in range(300)]])
    def test_a_phrase_of_hundreds_of_words_is_found_whole(self, engine, words):
        """Each word costs the engine a walk over all that hold it: 20,000 times the same would take minutes."""
        long = list(itertools.islice(itertools.cycle(words), 300))
        swapped = [*long[:150], "bridge", *long[151:]]
        kept(
            engine,
            a_document(1, " ".join(["so", *long, "it"])),
            a_document(2, " ".join(long[:299])),
            a_document(3, " ".join(swapped)),
            a_document(4, passages=(Passage("alt", " ".join(long)),)),
        )
        assert found(engine, Phrase(tuple(map(Term, long)))) == {1, 4}
        assert found(engine, Phrase((*map(Term, long[:299]), Wild(f"{long[299][:-1]}*")))) == {1, 4}
        assert found(engine, Phrase(tuple(map(Term, long[:130])))) == {1, 2, 3, 4}

    def test_a_question_that_was_asked_before_finds_what_came_since(self, engine):
        kept(engine, a_document(1, "road"))
        assert found(engine, "road") == found(engine, "road") == {1}
        kept(engine, a_document(2, "road"))
        assert found(engine, "road") == {1, 2}

    def test_questions_of_several_threads_are_kept_within_bounds(self, engine, monkeypatch):
        monkeypatch.setattr("app.index.tantivy_engine._MOST_COMPILED", 2)
        kept(engine, *(a_document(n, f"word{n}") for n in range(1, 21)))
        with ThreadPoolExecutor(4) as several:
            told = list(several.map(lambda n: found(engine, f"word{n % 20 + 1}"), range(200)))
        assert told == [{n % 20 + 1} for n in range(200)]
        assert len(engine._freshen()._compiled) == 2

    def test_a_batch_that_fails_is_given_up_and_the_index_goes_on(self, engine, monkeypatch):
        kept(engine, a_document(1, "road"))
        with monkeypatch.context() as broken:
            broken.setattr("app.index.tantivy_engine._made", lambda *_, **__: object())
            with pytest.raises(TypeError):
                engine.add([a_document(2, "road")])
        kept(engine, a_document(3, "road"))
        assert found(engine, "road") == {1, 3}


class TestWhoosh(FolderPromises):
    @pytest.fixture
    def in_folder(self) -> Callable[[Path], Engine]:
        return WhooshEngine

    def test_every_answer_is_the_same_when_segments_are_written_anew(self, engine, monkeypatch):
        monkeypatch.setattr("app.index.whoosh_files._MOST_SEGMENTS", 2)
        agrees_with_brute_force(engine, a_history(0, 6))

    def test_segments_do_not_grow_in_number_and_empty_ones_go(self, engine, tmp_path):
        for n in range(1, 13):
            kept(engine, a_document(n, "road"), entry=n)
        assert 1 < len(list(tmp_path.rglob("*.seg"))) <= 8
        assert found(engine, "road") == set(range(1, 13))
        engine.remove(range(1, 13))
        engine.commit(Position(13, 1))
        assert found(engine, "*") == set()
        assert len(list(tmp_path.rglob("*.seg"))) == 1  # how far it has followed
        assert engine.removed() == 12

    def test_what_whoosh_excludes_wrongly_is_excluded(self, engine):
        """Three documents, `b` the first: Whoosh's own `a ANDNOT b` finds the second."""
        kept(engine, a_document(1, "b"), a_document(2, "a b"), a_document(3, "a"))
        assert found(engine, "a AND NOT b") == {3}
        assert found(engine, "NOT b") == {3}
        engine.remove([3])
        engine.commit(Position(1, 1))
        assert found(engine, "a AND NOT b") == found(engine, "NOT b") == set()

    def test_a_commit_that_is_cut_off_at_any_file_leaves_the_one_before_or_itself(
        self, engine, open_engine, tmp_path, monkeypatch
    ):
        """Each write of Whoosh's is failed in turn until one commit needs none of them."""
        kept(engine, a_document(1, "road"), entry=1)
        engine.settle()
        before, after = (Position(1, 1), {1}), (Position(2, 1), {2})
        failed = 0
        for step in itertools.count():
            one = open_engine()
            one.remove([1])
            one.add([a_document(2, "road")])
            with monkeypatch.context() as broken:
                cut = power_is_cut(broken, step)
                with suppress(IndexFailed):
                    one.commit(Position(2, 1))
            one.settle()
            again = open_engine()
            stands = again.position(), found(again, "road")
            assert stands in (before, after)
            if not cut():
                assert stands == after
                break
            failed += 1
            if stands == after:  # what came after it was only sweeping
                again.remove([2])
                again.add([a_document(1, "road")])
                again.commit(Position(1, 1))
                again.settle()
        assert failed > 5
        (folder,) = (tmp_path / "index").glob("generation-*")
        kinds = sorted(path.suffix for path in folder.iterdir())
        assert kinds == [".json", ".lock", ".seg", ".toc"]  # nothing lies about of what was cut off

    def test_everything_that_a_commit_names_is_on_disk_before_it_is_put_in_place(self, engine, monkeypatch):
        kept(engine, a_document(1, "road"))
        safe: set[str] = set()
        placed: list[str] = []
        sync, rename = whoosh_files._sync, FileStorage.rename_file

        def synced(path: Path) -> None:
            safe.add(path.name)
            sync(path)

        def renamed(storage: Any, old: str, new: str, **how: bool) -> None:
            assert {name for name in storage.list() if name.startswith(("MAIN_", "_MAIN_"))} <= safe
            placed.append(new)
            rename(storage, old, new, **how)

        monkeypatch.setattr(whoosh_files, "_sync", synced)
        monkeypatch.setattr(FileStorage, "rename_file", renamed)
        kept(engine, a_document(2, "road"), entry=1)
        assert len(placed) == 1
        assert placed[0].endswith(".toc")

    def test_a_question_does_not_wait_for_a_batch_that_is_being_written(self, engine, monkeypatch):
        kept(engine, a_document(1, "road"))
        whole = SegmentWriter.commit
        answered: list[int] = []

        def meanwhile(writer: Any, **how: Any) -> None:
            asking = threading.Thread(
                target=lambda: answered.append(engine.ask(Term("road"), PUBLIC).total())
            )
            asking.start()
            asking.join(60)
            whole(writer, **how)

        monkeypatch.setattr(SegmentWriter, "commit", meanwhile)
        kept(engine, a_document(2, "road"), entry=1)
        assert answered == [1]
        assert found(engine, "road") == {1, 2}

    @pytest.mark.faults
    @pytest.mark.parametrize("commits", range(1, 13))
    def test_a_process_that_is_killed_while_it_writes_loses_nothing_that_it_had_committed(
        self, commits, open_engine, tmp_path
    ):
        command = [sys.executable, "-c", WRITES_ON, str(tmp_path / "index")]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        ) as process:
            assert process.stdout is not None
            said = [int(process.stdout.readline()) for _ in range(commits)]
            process.kill()
        engine = open_engine()
        position = engine.position()
        assert position is not None
        assert position.entry >= said[-1]  # it may have gone on until the signal came
        assert found(engine, "road") == set(range(position.entry * 5, position.entry * 5 + 5))
        kept(engine, a_document(99_999, "road"), entry=position.entry + 1)
        assert 99_999 in found(engine, "road")

    def test_a_record_that_is_still_found_after_its_removal_is_an_alarm(self, engine, monkeypatch):
        kept(engine, a_document(1, "road"))
        monkeypatch.setattr("whoosh.writing.SegmentWriter.delete_document", lambda *_, **__: None)
        engine.remove([1])
        with pytest.raises(StillFound):
            engine.commit(Position(1, 1))

    def test_a_batch_that_fails_is_given_up_and_the_index_goes_on(self, engine, monkeypatch):
        kept(engine, a_document(1, "road"))
        with monkeypatch.context() as broken:
            broken.setattr("app.index.whoosh_engine._laid", lambda *_, **__: object())
            engine.add([a_document(2, "road")])
            with pytest.raises(IndexFailed):
                engine.commit(Position(1, 1))
        kept(engine, a_document(3, "road"))
        assert found(engine, "road") == {1, 3}

    def test_damaged_files_are_said_and_made_anew(self, engine, open_engine, tmp_path):
        kept(engine, a_document(1, "road"))
        engine.settle()
        (segment,) = tmp_path.rglob("*.seg")
        segment.write_bytes(segment.read_bytes()[:-40])
        damaged = open_engine()
        with pytest.raises(IndexFailed):
            damaged.ask(Term("road"), PUBLIC)
        damaged.adopt(kept(damaged.beside(), a_document(2, "road")))
        assert found(damaged, "road") == {2}


WRITES_ON = """
import itertools, sys
from pathlib import Path
from app.index.documents import Position
from app.index.whoosh_engine import WhooshEngine
from tests.promises.test_engines import a_document

engine = WhooshEngine(Path(sys.argv[1]))
for entry in itertools.count(1):
    engine.remove(range(entry * 5 - 5, entry * 5))
    engine.add([a_document(entry * 5 + n, "road") for n in range(5)])
    engine.commit(Position(entry, 1))
    print(entry, flush=True)
"""
"""Takes the records of the commit before out, puts five new ones in, and says so; without end."""


def power_is_cut(broken: pytest.MonkeyPatch, step: int) -> Callable[[], bool]:
    """From Whoosh's write number `step` on, each fails. Tells whether it came so far."""
    writes = itertools.count()
    cut: list[int] = []

    def failing(name: str) -> Callable[..., object]:
        whole = getattr(FileStorage, name)

        def write(*arguments: object, **how: object) -> object:
            if next(writes) >= step:
                cut.append(step)
                raise OSError(errno.EIO, "the power is cut")
            return whole(*arguments, **how)

        return write

    for name in ("create_file", "rename_file", "delete_file"):
        broken.setattr(FileStorage, name, failing(name))
    return lambda: bool(cut)


@pytest.mark.parametrize(
    ("first", "second"),
    [(partial(TantivyEngine, heap=15_000_000), WhooshEngine), (WhooshEngine, TantivyEngine)],
    ids=["tantivy-whoosh", "whoosh-tantivy"],
)
def test_an_index_of_another_engine_must_be_rebuilt_and_then_answers_the_same(first, second, tmp_path):
    documents = [a_document(n, "road", published_at=DAY + timedelta(days=n // 3)) for n in range(1, 10)]
    one = kept(first(tmp_path), *documents)
    page = one.ask(Term("road"), PUBLIC).page(Sort.OLDEST, 4)
    rest = one.ask(Term("road"), PUBLIC).page(Sort.OLDEST, 10, page.cursor)
    one.settle()
    other = second(tmp_path)
    for ask in (other.position, lambda: other.ask(All(), PUBLIC), lambda: other.add(documents)):
        with pytest.raises(IndexNeedsRebuild):
            ask()
    other.adopt(kept(other.beside(), *documents))
    assert other.ask(Term("road"), PUBLIC).page(Sort.OLDEST, 4) == page
    assert other.ask(Term("road"), PUBLIC).page(Sort.OLDEST, 10, page.cursor) == rest
    with pytest.raises(IndexNeedsRebuild):
        one.position()
    other.settle()


def test_an_archive_searches_with_the_engine_that_its_settings_name(home, clock, tmp_path):
    file = tmp_path / "seen.jsonl"
    file.write_text(
        "".join(
            json.dumps(
                {"platform": "web", "page": "Town", "native_id": str(n), "kind": "post", "text": f"road {n}"}
            )
            + "\n"
            for n in range(5)
        )
    )
    first = main.open_archive(settings_at(home, search="whoosh"), clock)
    try:
        importing.observations(
            first.store, file, page=None, make_pages=True, by=None, why="told", tick=lambda: 0.0
        )
        assert first.follow() == 5
        answered = first.search("road AND NOT 3", messages=False, limit=3)
        assert answered.total == 4
        assert type(searching.whole(first.index)) is WhooshEngine
        assert not {finding.code for finding in first.verify(full=False).findings}
    finally:
        first.close()
    second = main.open_archive(settings_at(home), clock)
    try:
        with pytest.raises(IndexNeedsRebuild):
            second.search("road", messages=False)
        assert second.reindex() == 5
        assert second.search("road AND NOT 3", messages=False, limit=3) == answered
        assert type(searching.whole(second.index)) is TantivyEngine
    finally:
        second.close()


def test_a_name_of_no_engine_is_refused_before_anything_is_opened(home, clock):
    with pytest.raises(BadSetting, match="sphinx"):
        main.open_archive(settings_at(home, search="sphinx"), clock)
    assert not (home / "index").exists()


def test_trees_of_the_small_world_cover_every_kind():
    chance = random.Random(1)
    kinds = {type(a_tree(chance, 0)) for _ in range(2000)}
    assert {
        Near,
        Pre,
        Phrase,
        Term,
        Wild,
        Fuzzy,
        Stem,
        Tag,
        Mention,
        Address,
        Field,
        DateRange,
        CapturedRange,
        All,
    } <= kinds

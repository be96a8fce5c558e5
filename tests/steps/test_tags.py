"""Tags: given and taken off by officers, found at the moment of asking, and nowhere written in the clear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.capture import tags
from app.capture.records import NoSuchRecord
from app.capture.tags import BadTag, NoSuchTag, TaggedAlready
from app.holds.joining import Known
from app.index import search
from app.index.engine import QueryNotSupported, Sort
from app.index.search import NoSuchSize
from app.records.clock import FixedClock
from app.store import Store
from tests.steps.scripted import listing
from tests.steps.test_capture import post
from tests.steps.test_counsel import Office
from tests.steps.test_destruction import dispose

WORD = "Heron-2026"


class Desk(Office):
    def tag(self, name: str, word: str) -> int:
        with self.store.database.begin() as tx:
            return tags.add(
                self.store, tx, self.records()[name], word, by=self.attorney, why="to find it"
            ).entry

    def untag(self, name: str, word: str) -> int:
        with self.store.database.begin() as tx:
            return tags.remove(self.store, tx, self.records()[name], word, by=self.attorney, why="done")

    def asked(self, query: str, **more: object) -> search.Found:
        self.follow()
        with self.store.database.read() as tx:
            return search.search(
                self.engine,
                query,
                zone=self.store.agency.zone(),
                ledger_size=self.store.ledger.size(tx),
                standing=Known(self.store, tx, self.attorney),
                **more,  # type: ignore[arg-type] # a test names what it asks for
            )

    def names(self, query: str) -> set[str]:
        keys = set(self.asked(query, limit=100).records)
        return {name for name, one in self.records().items() if one.key in keys}

    def follow(self) -> None:
        from app.index import follower

        follower.catch_up(self.source, self.engine)


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(store, clock, tmp_path / "index")
    made.capture(
        listing(clock, *(post(f"p{n}", f"road {'closed' if n % 2 else 'open'}") for n in range(1, 7)))
    )
    yield made
    made.engine.settle()


def test_a_tag_is_found_whatever_its_case_alone_and_among_words(desk: Desk):
    for name in ("p1", "p2", "p3"):
        desk.tag(name, WORD)
    desk.tag("p3", "weir notes")
    assert desk.names(f"tag:{WORD}") == desk.names("tag:HERON-2026") == {"p1", "p2", "p3"}
    assert desk.names('tag:"weir notes"') == {"p3"}
    assert desk.names("tag:heron-2026 closed") == {"p1", "p3"}
    assert desk.names("closed NOT tag:heron-2026") == {"p5"}
    assert desk.names("tag:heron-2026 OR open") == {"p1", "p2", "p3", "p4", "p6"}
    assert desk.names("tag:heron") == desk.names("tag:unheard-of") == set()


def test_totals_orders_cursors_and_counts_are_exact_with_a_tag_in_the_question(desk: Desk):
    for name in ("p1", "p2", "p3", "p5"):
        desk.tag(name, WORD)
    desk.tag("p5", "Other")
    first = desk.asked("tag:heron-2026", limit=3, sort=Sort.OLDEST, facets=["tag", "kind", "series"])
    assert (first.total, len(first.records)) == (4, 3)
    assert first.facets == {"tag": {WORD: 4, "Other": 1}, "kind": {"post": 4}, "series": {}}
    rest = desk.asked("tag:heron-2026", limit=3, sort=Sort.OLDEST, after=first.cursor)
    assert (rest.total, rest.cursor) == (4, None)
    every = [*first.records, *rest.records]
    assert every == sorted(every)
    assert desk.asked("closed", facets=["tag"]).facets == {"tag": {WORD: 3, "Other": 1}}
    assert first.query["understood"] == "tag:heron-2026"


def test_a_tag_that_is_taken_off_is_not_found_and_stays_written_down(desk: Desk):
    given = desk.tag("p1", WORD)
    taken = desk.untag("p1", WORD.upper())
    assert desk.names("tag:heron-2026") == set()
    with desk.store.database.read() as tx:
        assert tags.listed(desk.store, tx) == []
        acts = [one.entry for one in desk.store.ledger.acts(tx, subject=desk.records()["p1"].id)]
    assert {given, taken} <= set(acts)
    assert desk.tag("p1", WORD) > taken
    assert desk.names("tag:heron-2026") == {"p1"}
    assert desk.soundness() == []


def test_what_is_no_tag_or_stands_already_is_refused(desk: Desk):
    desk.tag("p1", WORD)
    with pytest.raises(TaggedAlready):
        desk.tag("p1", WORD.lower())
    with pytest.raises(NoSuchTag):
        desk.untag("p2", WORD)
    for word in ("", " ", "-", "x" * 101, "a\nb\x00"):
        with pytest.raises(BadTag):
            desk.tag("p2", word)
    with pytest.raises(QueryNotSupported, match="hold:mine"):
        desk.asked("hold:mine")


def test_no_tag_stands_in_the_clear_and_each_goes_with_its_record(desk: Desk):
    desk.tag("p1", WORD)
    desk.tag("p2", WORD)
    with desk.store.database.begin() as tx:
        raw = tx.connection.dbapi_connection
        assert raw is not None
        dump = "\n".join(raw.iterdump())
    assert "heron" not in dump.casefold()
    assert b"heron".hex() not in dump.casefold()
    gone = desk.records()["p1"]
    dispose(desk, "p1")
    with desk.store.database.begin() as tx:
        assert tags.listed(desk.store, tx) == [tags.Counted(WORD, 1)]
        with pytest.raises(NoSuchRecord):
            tags.add(desk.store, tx, gone, "late", by=desk.attorney, why="too late")
    with desk.store.database.read() as tx:
        assert tags.of(desk.store, tx, [gone.key]) == {}
    assert desk.names("tag:heron-2026") == {"p2"}


def test_what_officers_say_has_no_history_and_is_refused_as_of_an_earlier_size(desk: Desk):
    desk.tag("p1", WORD)
    with desk.store.database.read() as tx:
        then = search.past(desk.store, tx, desk.store.ledger.size(tx))
        with pytest.raises(NoSuchSize):
            search.past(desk.store, tx, then.size + 1)
    desk.follow()
    assert desk.asked("closed", past=then).total == 3
    for query in ("tag:heron-2026", "closed NOT series:x", "hold:any OR closed"):
        with pytest.raises(QueryNotSupported, match="no history"):
            desk.asked(query, past=then)
    with pytest.raises(QueryNotSupported, match="tag"):
        desk.asked("closed", past=then, facets=["tag"])


def test_as_of_an_earlier_size_says_how_many_were_disposed_of_since(desk: Desk):
    with desk.store.database.read() as tx:
        size = desk.store.ledger.size(tx)
    desk.capture(listing(desk.clock, post("p1", "road open"), post("p7", "closed")))
    dispose(desk, "p3")
    assert desk.names("closed") == {"p1", "p5", "p7"}
    desk.follow()
    with desk.store.database.read() as tx:
        then = search.past(desk.store, tx, size)
    found = desk.asked("closed version:current", past=then, facets=["kind"])
    assert (found.total, found.disposed_since, found.as_of) == (2, 1, size)
    assert found.facets == {"kind": {"post": 2}}
    assert desk.asked("closed version:current").total == 2  # p5 and p7

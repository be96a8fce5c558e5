"""Quarantine: at once nobody but two people sees a record, and nothing of it is lost."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from warcio.archiveiterator import ArchiveIterator

from app.capture import account, overview, records
from app.capture.records import NoSuchRecord
from app.holds import accounted, covering, quarantine, searching
from app.holds.quarantine import BadQuarantine, InQuarantine, NotInQuarantine
from app.index import families, search
from app.index.engine import Scope, Sort
from app.index.language import parse
from app.records.clock import FixedClock
from app.records.errors import NotPermitted
from app.records.nouns import Officer, Record
from app.store import Store, reading, warc
from app.store.outgoing import walk
from app.store.tables import quarantines
from tests.archives import NOON
from tests.steps.holding import Law, opened
from tests.steps.test_capture import comment, post


@pytest.fixture
def law(store: Store, clock: FixedClock, tmp_path: Path) -> Law:
    law = Law(store, clock, opened(tmp_path / "index"))
    law.shown(
        post("p1", "the flood", published_at=NOON),
        comment("c1", "zebra flood", published_at=NOON),
        comment("c2", "flood too", published_at=NOON),
    )
    return law


@pytest.fixture
def law_anywhere(anywhere: Store, clock: FixedClock) -> Law:
    law = Law(anywhere, clock)
    law.shown(post("p1", "the flood", published_at=NOON), comment("c1", "zebra flood", published_at=NOON))
    return law


def cut_off(law: Law, name: str = "c1", *, by: Officer | None = None) -> Record:
    found = law.records()[name]
    with law.store.database.begin() as tx:
        quarantine.begin(
            law.store, tx, found.id, law.clerk.email, by=by or law.counsel, why="a court may order it"
        )
    return found


def seen(law: Law, record: Record, by: Officer | None) -> bool:
    try:
        with law.store.database.read() as tx:
            records.get(law.store, tx, record.id, messages=True, by=by.id if by else None)
    except NoSuchRecord:
        return False
    return True


def test_only_the_two_who_are_named_see_the_record(law_anywhere: Law):
    law = law_anywhere
    found = cut_off(law)
    assert [seen(law, found, one) for one in (law.counsel, law.clerk)] == [True, True]
    assert [seen(law, found, one) for one in (law.second, law.admin, law.auditor, None)] == [False] * 4
    assert seen(law, law.records()["p1"], law.second)


def test_it_is_found_in_no_search_count_or_facet(law: Law):
    everything = Scope(law.store.agency.zone(), messages=True)
    before = law.engine.ask(parse("flood").tree, everything)
    assert before.total() == 3
    cut_off(law)
    after = law.engine.ask(parse("flood").tree, everything)
    assert after.total() == 2
    assert len(list(after.every(Sort.NEWEST))) == 2
    assert sum(after.facets(["kind"])["kind"].values()) == 2
    assert law.engine.ask(parse("zebra").tree, everything).total() == 0
    assert law.engine.ask(parse("NOT zebra").tree, everything).total() == 2
    told = search.search(law.engine, "flood", zone=law.store.agency.zone(), ledger_size=0, facets=["kind"])
    assert told.total == 2


def asked_anew(law: Law) -> int:
    """How many records a question finds that is asked as a door asks it."""
    engine = searching.known(law.engine, law.store.ledger.size_now())
    if engine is None:
        with law.store.database.read() as tx:
            engine = searching.within(law.engine, tx, law.store.ledger.size(tx))
    return engine.ask(parse("flood").tree, Scope(law.store.agency.zone())).total()


def test_whoever_has_asked_before_is_answered_as_it_stands_now(law: Law):
    assert [asked_anew(law), asked_anew(law)] == [3, 3]
    first = cut_off(law)
    assert [asked_anew(law), asked_anew(law)] == [2, 2]
    second = cut_off(law, "c2")
    assert asked_anew(law) == 1
    for one in (first, second):
        with law.store.database.begin() as tx:
            quarantine.end(law.store, tx, one.id, by=law.counsel, why="the court said no")
    assert asked_anew(law) == 3


def test_a_quarantine_that_came_to_nothing_leaves_no_trace_in_later_answers(law: Law):
    found = law.records()["c1"]
    with law.store.database.engine.connect() as tx, tx.begin() as transaction:
        quarantine.begin(law.store, tx, found.id, law.clerk.email, by=law.counsel, why="a court may order it")
        assert asked_anew(law) == 3
        transaction.rollback()
    assert asked_anew(law) == 3


def test_it_is_in_no_list_family_count_or_export(law: Law):
    found = cut_off(law)
    assert set(law.records()) == {"p1", "c2"}
    with law.store.database.read() as tx:
        p1 = next(one for one in law.records().values() if one.version.text("native_id") == "p1")
        assert {
            one.version.text("native_id") for one in records.family(law.store, tx, p1, messages=True)
        } == {"p1", "c2"}
        [standing] = overview.standings(tx, messages=True)
        assert standing.records == 2
        assert sum(account.held(tx, law.page).values()) == 2
        assert len(families.read(tx, law.store.ledger.size(tx), messages=True).living) == 2
    told = walk.as_of(law.store, walk.signed_now(law.store))
    [page] = walk.pages_of(law.store, [])
    assert found.key not in [key for part in walk.record_keys(law.store, page, told) for key in part]


def test_evidence_of_its_neighbours_has_a_hole_in_its_place(law: Law):
    neighbour = law.records()["c2"]
    whole = evidence(law, neighbour)
    assert b"zebra" in whole
    found = cut_off(law)
    assert b"zebra" not in evidence(law, neighbour)
    assert b"flood too" in evidence(law, neighbour)
    assert b"zebra" in evidence(law, found)


def evidence(law: Law, record: Record) -> bytes:
    out = BytesIO()
    with law.store.database.read() as tx:
        warc.write(law.store, tx, record.id, out, software="a test")
    out.seek(0)
    return b"".join(one.content_stream().read() for one in ArchiveIterator(out, no_record_parse=True))


def test_nothing_is_destroyed_and_everything_still_verifies(law: Law):
    found = cut_off(law)
    assert law.soundness() == []
    with law.store.database.begin() as tx:
        quarantine.end(law.store, tx, found.id, by=law.clerk, why="no order came")
    assert seen(law, found, law.second)
    assert law.soundness() == []


def test_a_hold_covers_what_is_in_quarantine(law: Law):
    found = cut_off(law)
    law.place(law.matter(), "zebra")
    with law.store.database.read() as tx:
        assert covering.covering(law.store, tx, [found.key])[found.key]
        assert covering.quarantined(tx, [found.key, 999]) == {found.key}


def test_the_ledger_says_that_something_was_put_into_quarantine_and_not_what(law: Law):
    found = cut_off(law)
    with law.store.database.begin() as tx:
        ended = quarantine.end(law.store, tx, found.id, by=law.clerk, why="no order came")
    with law.store.database.read() as tx:
        began, over = (law.store.ledger.entry(tx, one) for one in (ended - 1, ended))
    for entry in (began, over):
        assert b'"type":"quarantine"' in entry
        assert found.id.hex.encode() not in entry
        assert str(found.id).encode() not in entry


@pytest.mark.parametrize("clear", [False, True], ids=["sealed", "in the clear"])
def test_a_row_that_cuts_off_another_record_than_its_entry_is_found_whatever_version_wrote_it(
    law: Law, clear: bool
):
    """Entries of earlier versions name the record in the clear."""
    held = law.records()

    def written(entered: str, row: str) -> None:
        item: dict[str, Any] = {"item": held[entered].id.hex}
        access = [str(law.counsel.id), str(law.clerk.id)]
        about: dict[str, Any] = {
            "by": law.counsel.id,
            "why": "an order may come",
            "subject": held[entered].id,
        }
        mine, sealed = (item, {}) if clear else ({}, item)
        with law.store.database.begin() as tx:
            began = law.store.ledger.act(
                tx, "quarantine", facts={"act": "began"} | mine, detail={"access": access} | sealed, **about
            )
            over: dict[str, Any] = {"act": "ended"} | (mine or {"of": began})
            ended = law.store.ledger.act(tx, "quarantine", facts=over, detail=sealed, **about)
            people = {"ordered_by": law.counsel.id.bytes, "named": law.clerk.id.bytes}
            tx.execute(
                insert(quarantines).values(record=held[row].key, entry=began, ended_entry=ended, **people)
            )

    written("c1", row="c1")
    assert list(accounted.wrong(law.store)) == []
    written("c1", row="c2")
    assert len(list(accounted.wrong(law.store))) == 1


def test_attorneys_and_administrators_order_it_and_name_somebody_else(law: Law):
    with pytest.raises(NotPermitted):
        cut_off(law, by=law.auditor)
    for second in ("", law.counsel.email):
        with pytest.raises(BadQuarantine), law.store.database.begin() as tx:
            quarantine.begin(law.store, tx, law.records()["c1"].id, second, by=law.counsel, why="x")
    cut_off(law, by=law.admin)


def test_a_record_is_in_one_quarantine_and_others_do_not_know_of_it(law: Law):
    found = cut_off(law)
    with pytest.raises(InQuarantine), law.store.database.begin() as tx:
        quarantine.begin(law.store, tx, found.id, law.clerk.email, by=law.counsel, why="again")
    with pytest.raises(NoSuchRecord), law.store.database.begin() as tx:
        quarantine.begin(law.store, tx, found.id, law.clerk.email, by=law.second, why="mine")
    with pytest.raises(NotInQuarantine), law.store.database.begin() as tx:
        quarantine.end(law.store, tx, found.id, by=law.second, why="mine")


def test_an_exchange_is_joined_whole_again_afterwards(law: Law):
    found = cut_off(law)
    with law.store.database.read() as tx:
        exchange = next(iter(warc.exchanges_of(tx, law.records()["c2"].key)))
        assert reading.exchange(law.store, tx, exchange).holes
        assert not reading.exchange(law.store, tx, exchange, of=found.key).holes

"""Holds: what they cover is never disposed of, whatever the index says; releases take two people and time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from app.capture import pages
from app.holds import acts, covering, following, guarding, losses, near, placing, releasing
from app.holds import finding as looking
from app.holds import requests as of_requests
from app.holds.finding import UnknownRecords
from app.holds.guarding import ConsentGiven, PageIsNeeded
from app.holds.matters import MatterClosed, MatterHasHolds, NotYourMatter
from app.holds.placing import NoSuchHold, Placed
from app.holds.releasing import ReleaseAsked, ReleaseContradicted, ReleaseNotAsked, SamePersonTwice
from app.holds.scopes import Judge, Met, Scope, read_all
from app.index.documents import Position
from app.index.engine import Engine
from app.records.clock import FixedClock
from app.records.errors import Refused
from app.store import Store, tables
from connectors.contract import Attachment, Author, Kind, Observation
from tests.archives import NOON
from tests.promises.reference_engine import ReferenceEngine
from tests.steps.holding import Law, opened
from tests.steps.test_capture import comment, post

WEEK = timedelta(days=7)


@pytest.fixture
def law(store: Store, clock: FixedClock) -> Law:
    return Law(store, clock)


@pytest.fixture
def law_anywhere(anywhere: Store, clock: FixedClock) -> Law:
    return Law(anywhere, clock)


def a_flood(law: Law, *, index: bool = True) -> None:
    """A post about a flood with answers, one of which is about something else."""
    law.shown(
        post("p1", "The road is closed because of the flood", published_at=NOON),
        comment("c1", "the flood took my fence", published_at=NOON),
        comment("c2", "nice weather", published_at=NOON),
        index=index,
    )


# -- the law -----------------------------------------------------------------------------------------------


def test_law_1_no_item_under_any_hold_is_ever_destroyed(law_anywhere: Law):
    """By query, page, author, days or name, placed at any time before the destroying commit."""
    law = law_anywhere
    law.shown(
        post("by-query", "the flood", published_at=NOON),
        post("by-author", "hello", author=Author(id="7", name="Jane Doe"), published_at=NOON),
        post("by-days", "hello", published_at=NOON - timedelta(days=400)),
        post("by-name", "hello", published_at=NOON),
        post("free", "hello", published_at=NOON),
    )
    matter = law.matter()
    law.place(matter, "flood")
    law.place(matter, authors=("Jane Doe",))
    law.place(matter, until="2025-12-31")
    law.place(matter, records=(law.records()["by-name"].id,))
    told = law.dispose("by-query", "by-author", "by-days", "by-name", "free")
    assert len(told.withdrawn) == 4
    assert set(law.records()) == {"by-query", "by-author", "by-days", "by-name"}
    law.place(matter, pages=(str(law.page.id),))
    assert law.dispose(*law.records()).destroyed == []
    assert law.soundness() == []


def test_without_a_hold_the_same_records_are_destroyed(law: Law):
    a_flood(law)
    assert len(law.dispose("p1", "c1", "c2").destroyed) == 3


def test_a_hold_that_is_placed_while_a_batch_runs_protects_what_is_still_to_go(law: Law):
    a_flood(law)
    matter, placed = law.matter(), list[Placed]()
    look = law.recheck

    def then_place(tx: Any, wanted: Sequence[UUID]) -> Any:
        if (
            not placed
        ):  # the last look comes first, then the hold, as another process would place it after the commit
            placed.append(law_place_within(law, tx, matter))
        return look(tx, wanted)

    law.recheck = then_place  # type: ignore[method-assign]  # the twin of the world's own look
    told = law.dispose("p1", "c1", "c2")
    assert len(told.withdrawn) == 2
    assert len(told.destroyed) == 1


def law_place_within(law: Law, tx: Any, matter: Any) -> Placed:
    scope = Scope(query="flood")
    found = looking.Found(0)
    return placing.place(law.store, tx, matter, scope, found, by=law.counsel, why="just in time")


# -- placing -----------------------------------------------------------------------------------------------


def test_placing_says_what_is_covered_and_new_captures_join_by_themselves(law_anywhere: Law):
    law = law_anywhere
    a_flood(law)
    placed = law.place(law.matter(), "flood")
    assert placed.covers == 2
    assert placed.by_basis == {"matched": 2}
    assert law.held(placed.hold) == {"p1", "c1"}
    law.shown(comment("c3", "another flood is coming"), comment("c4", "no"))
    assert law.held(placed.hold) == {"p1", "c1"}
    assert law.join() == 1
    assert law.join() == 0
    assert law.held(placed.hold) == {"p1", "c1", "c3"}


def test_what_was_captured_between_the_look_and_the_lock_is_covered_too(law: Law):
    a_flood(law)
    scope = Scope(query="flood")
    found = looking.find(law.store, law.engine, scope)
    matter = law.matter()
    law.shown(comment("c3", "another flood is coming"))
    with law.store.database.begin() as tx:
        placed = placing.place(law.store, tx, matter, scope, found, by=law.counsel, why="to be kept")
    assert law.held(placed.hold) == {"p1", "c1", "c3"}


def test_coverage_only_grows_until_release(law: Law):
    a_flood(law)
    placed = law.place(law.matter(), "flood")
    law.shown(
        post("p1", "The road is open", published_at=NOON), comment("c1", "never mind"), comment("c2", "hm")
    )
    law.join()
    assert law.held(placed.hold) == {"p1", "c1"}
    assert {name for name, held in law.covered().items() if held} == {"p1", "c1"}


def test_an_edit_that_brings_the_words_in_joins(law: Law):
    a_flood(law)
    placed = law.place(law.matter(), "flood")
    law.shown(comment("c2", "I take it back: the flood was bad", published_at=NOON))
    law.join()
    assert "c2" in law.held(placed.hold)


def test_rows_of_coverage_are_never_taken_away(law_anywhere: Law):
    a_flood(law_anywhere)
    placed = law_anywhere.place(law_anywhere.matter(), "flood")
    mine = tables.hold_records.c.hold == placed.hold.key
    for change in (delete(tables.hold_records).where(mine), delete(tables.holds)):
        with (
            pytest.raises(DatabaseError, match=r"only grows|is released once|never change"),
            law_anywhere.store.database.begin() as tx,
        ):
            tx.execute(change)
    with (
        pytest.raises(DatabaseError, match=r"only grows|never change"),
        law_anywhere.store.database.begin() as tx,
    ):
        tx.execute(update(tables.hold_records).where(mine).values(basis="named"))


def test_what_a_scope_cannot_decide_it_covers_and_says_why(law: Law):
    law.shown(
        post("dated", "hello", published_at=NOON),
        post("undated", "hello"),
        post(
            "picture",
            "",
            attachments=(Attachment(id="a", url="https://x.example/a.png", media_type="image/png"),),
            published_at=NOON,
        ),
        post("early", "hello", published_at=NOON - timedelta(days=400)),
    )
    days = law.place(law.matter(), since="2026-01-01")
    assert law.held(days.hold) == {"dated", "undated", "picture"}
    assert days.by_basis == {"matched": 2, "undecided": 1}
    words = law.place(law.matter(), "flood")
    assert law.held(words.hold) == {"picture"}
    found = looking.find(law.store, law.engine, Scope(query="flood"))
    assert found.reasons()["unsearchable"] == 1
    assert looking.find(law.store, law.engine, Scope(since="2026-01-01")).reasons()["undated"] == 1


def test_records_that_are_named_must_be_held(law: Law):
    a_flood(law)
    with pytest.raises(UnknownRecords, match="not held"):
        law.place(law.matter(), records=(UUID(int=5),))
    held = law.place(law.matter(), records=(law.records()["c2"].id,))
    assert held.by_basis == {"named": 1}


def test_a_named_record_is_covered_even_where_its_row_is_lost(law: Law):
    a_flood(law)
    hold = law.place(law.matter(), records=(law.records()["c2"].id,)).hold
    with law.store.database.begin() as tx:
        tx.exec_driver_sql("DROP TRIGGER hold_records_refuse_delete")
        tx.execute(delete(tables.hold_records))
    assert law.covered()["c2"] == {hold.id}


def test_two_holds_overlap_and_releasing_one_frees_nothing_that_the_other_covers(law: Law):
    a_flood(law)
    matter = law.matter()
    first, second = law.place(matter, "flood"), law.place(matter, "road OR flood")
    release(law, first)
    assert law.covered()["p1"] == frozenset({second.hold.id})
    assert law.dispose("p1", "c1").destroyed == []


def test_private_messages_are_covered_and_counted_only_for_those_who_may_read_them(law: Law):
    law.shown(
        post("p1", "flood", published_at=NOON),
        Observation(
            native_id="m1", kind=Kind.MESSAGE, text="the flood is a secret", private=True, published_at=NOON
        ),
    )
    placed = law.place(law.matter(), "flood")
    assert placed.covers == 1
    assert law.held(placed.hold) == {"p1", "m1"}
    assert law.dispose("m1").destroyed == []


# -- the index is never trusted ----------------------------------------------------------------------------


class Wrong(ReferenceEngine):
    """An index that says it has seen everything, and has nothing."""

    def position(self) -> Position | None:
        return Position(10**9, 1)


@pytest.mark.parametrize("state", ["stopped", "behind", "wrong"])
def test_a_hold_covers_by_the_records_own_text_when_the_index_is(state: str, store: Store, clock: FixedClock):
    engine: Engine = Wrong() if state == "wrong" else ReferenceEngine()
    law = Law(store, clock, engine)
    a_flood(law, index=state == "behind" and False)
    if state == "behind":
        law.follow()
        law.shown(comment("c9", "flood once more", published_at=NOON), index=False)
    law.place(law.matter(), "flood")
    expected = {"p1", "c1"} | ({"c9"} if state == "behind" else set())
    assert {name for name, held in law.covered().items() if held} == expected
    assert law.dispose(*law.records()).withdrawn.keys() == {law.records()[name].id for name in expected}


def test_an_index_that_is_behind_is_made_up_for_when_a_hold_is_placed(law: Law):
    a_flood(law)
    law.shown(comment("c9", "flood once more", published_at=NOON), index=False)
    placed = law.place(law.matter(), "flood")
    assert law.held(placed.hold) == {"p1", "c1", "c9"}


def test_much_that_the_index_has_not_reached_is_covered_unread_and_then_read(
    law: Law, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(looking, "_READ_NOW", 1)
    a_flood(law, index=False)
    placed = law.place(law.matter(), "flood")
    assert (placed.covers, placed.not_reached) == (3, 3)
    assert {name for name, held in law.covered().items() if held} == {"p1", "c1"}
    law.join()
    assert law.held(placed.hold) == {"p1", "c1"}


def test_a_record_that_cannot_be_opened_is_covered_by_every_hold(law: Law):
    a_flood(law)
    matter = law.matter()
    hold = law.place(matter, "zebra").hold
    key = law.keys()["c2"]
    with law.store.database.begin() as tx:
        identity = tx.execute(select(tables.records.c.id).where(tables.records.c.key == key)).scalar_one()
    law.store.keyring.forget([bytes(identity)])
    with law.store.database.read() as tx:
        assert covering.covering(law.store, tx, [key]) == {key: frozenset({hold.id})}


def test_without_holds_every_record_that_was_asked_about_is_answered(law: Law):
    a_flood(law)
    assert law.covered() == dict.fromkeys(("p1", "c1", "c2"), frozenset())


# -- what was lost before ----------------------------------------------------------------------------------


def test_placing_tells_what_its_pages_kinds_and_months_had_lost_and_that_words_cannot_be_known(law: Law):
    a_flood(law)
    law.shown(post("p2", "old news", published_at=NOON - timedelta(days=90)))
    law.dispose("p2", "c1")
    placed = law.place(law.matter(), "flood")
    told = losses.as_json(placed.lost)
    assert told["records"] == 2
    assert "cannot be known" in str(told["note"])
    narrow = law.place(law.matter(), "flood kind:comment", since="2026-03-01")
    assert [(one.kind, one.month, one.records) for one in narrow.lost] == [("comment", "2026-03", 1)]
    assert losses.as_json(law.place(law.matter(), "flood platform:elsewhere").lost) == {
        "records": 0,
        "basis": [],
    }


# -- near misses -------------------------------------------------------------------------------------------


def test_the_preview_shows_what_is_written_a_little_otherwise(
    store: Store, clock: FixedClock, tmp_path: Path
):
    law = Law(store, clock, opened(tmp_path / "index"))
    law.shown(
        post("p1", "we don't close the café", published_at=NOON),
        post("p2", "dont come", published_at=NOON),
        post("p3", "the cafe is closing", published_at=NOON),
        post("p4", "it is closd", published_at=NOON),
    )
    scope = Scope(query="don't OR close OR café")
    with law.store.database.read() as tx:
        del tx
    _, told = placing.preview(law.store, law.engine, law.matter(), scope, by=law.counsel)
    assert told.covers == 1
    said = {one["written"]: one["words"] for one in near.as_json(told.near)}
    assert said["dont"] == ["dont"]
    assert said["close~"] == ["closing"]
    assert said["cafe"] == ["cafe"]
    assert said["close%"] == ["closd"]


SPELLINGS = {
    "dont": "don't",
    "they're": "theyre",
    "theyre": "they're",
    "obrien": "O'Brien",
    "ano": "año",
    "año": "ano",
    "resume": "résumé",
    '"don\'t stop"': "dont stop",
    '"cafe closed"': "café closed",
    '"our cafe"': "our café",
    "cafe w/3 closed": "café is closed",
}


@pytest.mark.parametrize("scope", SPELLINGS)
def test_accents_and_apostrophes_are_near_misses_in_short_words_and_in_phrases_too(
    scope: str, store: Store, clock: FixedClock, tmp_path: Path
):
    law = Law(store, clock, opened(tmp_path / "index"))
    law.shown(
        post("p1", f"here {SPELLINGS[scope]} there", published_at=NOON),
        post("p2", "something else", published_at=NOON),
    )
    _, told = placing.preview(law.store, law.engine, law.matter(), Scope(query=scope), by=law.counsel)
    assert told.covers == 0
    missed = {one.written: one.records for one in told.near}
    assert 1 in missed.values()
    # What is shown can be asked for, and finds it.
    for written in missed:
        _, again = placing.preview(law.store, law.engine, law.matter(), Scope(query=written), by=law.counsel)
        assert again.covers == 1


def test_what_is_written_altogether_otherwise_is_no_near_miss(
    store: Store, clock: FixedClock, tmp_path: Path
):
    law = Law(store, clock, opened(tmp_path / "index"))
    law.shown(post("p1", "here is something else", published_at=NOON))
    for scope in SPELLINGS:
        _, told = placing.preview(law.store, law.engine, law.matter(), Scope(query=scope), by=law.counsel)
        assert (told.covers, list(told.near)) == (0, [])


def test_a_preview_places_nothing(law: Law):
    a_flood(law)
    placing.preview(law.store, law.engine, law.matter(), Scope(query="flood"), by=law.counsel)
    assert not any(law.covered().values())


# -- release -----------------------------------------------------------------------------------------------


def release(law: Law, placed: Placed, *, after: timedelta = timedelta(0)) -> None:
    with law.store.database.begin() as tx:
        releasing.ask(law.store, tx, placed.hold, by=law.counsel, why="settled")
    with law.store.database.begin() as tx:
        releasing.approve(law.store, tx, placed.hold, after=after, by=law.second, why="settled")
    releasing.settle(law.store)


def state(law: Law, placed: Placed) -> str:
    with law.store.database.read() as tx:
        return placing.of_id(law.store, tx, placed.hold.id).state


def test_a_hold_protects_until_its_release_was_asked_approved_and_waited_for(law_anywhere: Law):
    law = law_anywhere
    a_flood(law)
    placed = law.place(law.matter(), "flood")
    with law.store.database.begin() as tx:
        releasing.ask(law.store, tx, placed.hold, by=law.counsel, why="settled")
    assert state(law, placed) == "release-asked"
    assert law.dispose("c1").destroyed == []
    with law.store.database.begin() as tx:
        releasing.approve(law.store, tx, placed.hold, after=WEEK, by=law.second, why="settled")
    assert state(law, placed) == "release-approved"
    assert releasing.settle(law.store) == []
    assert law.dispose("c1").destroyed == []
    law.clock.at += WEEK
    assert releasing.settle(law.store) == [placed.hold.id]
    assert state(law, placed) == "released"
    assert len(law.dispose("c1", "p1").destroyed) == 2


def test_whoever_asked_does_not_approve(law: Law):
    placed = law.place(law.matter(), "flood")
    with law.store.database.begin() as tx:
        releasing.ask(law.store, tx, placed.hold, by=law.counsel, why="settled")
    with pytest.raises(SamePersonTwice), law.store.database.begin() as tx:
        releasing.approve(law.store, tx, placed.hold, after=WEEK, by=law.counsel, why="settled")
    with pytest.raises(ReleaseAsked), law.store.database.begin() as tx:
        releasing.ask(law.store, tx, placed.hold, by=law.second, why="settled")


def test_a_release_that_was_not_asked_for_is_not_approved(law: Law):
    placed = law.place(law.matter(), "flood")
    with pytest.raises(ReleaseNotAsked), law.store.database.begin() as tx:
        releasing.approve(law.store, tx, placed.hold, after=WEEK, by=law.second, why="settled")
    with pytest.raises(NotYourMatter), law.store.database.begin() as tx:
        releasing.ask(law.store, tx, placed.hold, by=law.clerk, why="settled")


def test_a_release_that_the_ledger_does_not_know_frees_nothing(law: Law):
    a_flood(law)
    matter = law.matter()
    first, other = law.place(matter, "flood"), law.place(matter, "road")
    with law.store.database.begin() as tx:
        releasing.ask(law.store, tx, first.hold, by=law.counsel, why="settled")
        releasing.approve(law.store, tx, first.hold, after=timedelta(0), by=law.second, why="settled")
        tx.exec_driver_sql("DROP TRIGGER releases_refuse_update")
        tx.execute(update(tables.releases).values(hold=other.hold.key))
    with pytest.raises(ReleaseContradicted):
        releasing.settle(law.store)
    assert law.covered()["p1"] == {first.hold.id, other.hold.id}


def test_a_cancelled_release_frees_nothing(law: Law):
    a_flood(law)
    placed = law.place(law.matter(), "flood")
    with law.store.database.begin() as tx:
        releasing.ask(law.store, tx, placed.hold, by=law.counsel, why="settled")
        releasing.approve(law.store, tx, placed.hold, after=WEEK, by=law.second, why="settled")
        releasing.cancel(law.store, tx, placed.hold, by=law.counsel, why="not settled after all")
    law.clock.at += WEEK
    assert releasing.settle(law.store) == []
    assert state(law, placed) == "active"
    assert law.dispose("c1").destroyed == []


def test_the_preview_of_a_release_says_what_it_would_free(law: Law):
    a_flood(law)
    matter = law.matter()
    first = law.place(matter, "flood")
    law.place(matter, "road")
    with law.store.database.read() as tx:
        told = releasing.preview(tx, first.hold, by=law.counsel)
    assert (told.covers, told.still_covered, told.freed) == (2, 1, 1)
    assert told.by_page == {"Police blog": 1}


def test_a_matter_is_closed_when_its_holds_are_released(law: Law):
    from app.holds import matters

    matter = law.matter()
    placed = law.place(matter, "flood")
    with pytest.raises(MatterHasHolds), law.store.database.begin() as tx:
        matters.close(law.store, tx, matter, by=law.counsel, why="over")
    release(law, placed)
    with law.store.database.begin() as tx:
        matters.close(law.store, tx, matter, by=law.counsel, why="over")
    with pytest.raises(MatterClosed):
        law.place(matter, "flood")


def test_a_released_hold_is_not_released_again(law: Law):
    placed = law.place(law.matter(), "flood")
    release(law, placed)
    with pytest.raises(NoSuchHold), law.store.database.begin() as tx:
        releasing.ask(law.store, tx, placed.hold, by=law.counsel, why="once more")


# -- guards ------------------------------------------------------------------------------------------------


def test_a_page_that_a_hold_concerns_is_neither_paused_nor_removed(law: Law):
    law.place(law.matter(), "flood")
    guard = guarding.page_guard(law.store)
    for act in (pages.pause, pages.remove):
        with pytest.raises(PageIsNeeded) as refused, law.store.database.begin() as tx:
            act(law.store, tx, law.page, by=law.admin.id, why="a relaunch", guards=[guard])
        assert "it is not said which" in str(refused.value)


def test_a_page_that_no_hold_concerns_is_paused(law: Law):
    law.place(law.matter(), "flood platform:elsewhere")
    with law.store.database.begin() as tx:
        pages.pause(
            law.store,
            tx,
            law.page,
            by=law.admin.id,
            why="a relaunch",
            guards=[guarding.page_guard(law.store)],
        )


def test_with_an_attorneys_consent_the_pause_is_a_gap(law: Law):
    placed = law.place(law.matter(), "flood")
    with law.store.database.begin() as tx:
        guarding.consent(law.store, tx, placed.hold, law.page, by=law.counsel, why="the page is handed over")
    with pytest.raises(ConsentGiven), law.store.database.begin() as tx:
        guarding.consent(law.store, tx, placed.hold, law.page, by=law.counsel, why="again")
    with law.store.database.begin() as tx:
        paused = pages.pause(
            law.store,
            tx,
            law.page,
            by=law.admin.id,
            why="a relaunch",
            guards=[guarding.page_guard(law.store)],
        )
    assert paused.status == pages.PAUSED
    assert law.count(tables.gaps) == 1


def test_what_was_disposed_of_and_is_shown_again_is_kept_where_a_hold_covers_it(law: Law):
    a_flood(law)
    law.dispose("c1", "c2")
    law.place(law.matter(), "flood")
    held = guarding.kept_again(law.store)
    shown = [
        post("p1", "The road is closed because of the flood", published_at=NOON),
        comment("c1", "the flood took my fence", published_at=NOON),
        comment("c2", "nice weather", published_at=NOON),
    ]
    from tests.steps.scripted import listing

    report = law.capture(listing(law.clock, *shown), held=held)
    assert (report.tally.new, report.tally.suppressed) == (1, 1)
    assert set(law.records()) == {"p1", "c1"}
    assert law.covered()["c1"]


# -- requests ----------------------------------------------------------------------------------------------


def test_from_its_opening_a_request_holds_its_pages_and_then_what_is_responsive(law: Law):
    a_flood(law)
    request = UUID(int=77)
    with law.store.database.begin() as tx:
        of_requests.open_for_request(law.store, tx, request, [law.page], by=law.clerk, why="a request")
    assert law.dispose("p1", "c1", "c2").destroyed == []
    with law.store.database.begin() as tx:
        of_requests.confirm_for_request(
            law.store, tx, request, [law.keys()["c1"]], by=law.clerk, why="confirmed"
        )
    assert len(law.dispose("p1", "c1", "c2").destroyed) == 2
    with law.store.database.begin() as tx:
        assert (
            of_requests.end_for_request(law.store, tx, request, by=law.clerk, why="the window is over") == 1
        )
    assert len(law.dispose("c1").destroyed) == 1


def test_a_request_that_names_no_page_holds_the_whole_archive(law: Law):
    a_flood(law)
    with law.store.database.begin() as tx:
        hold = of_requests.open_for_request(law.store, tx, UUID(int=78), by=law.clerk, why="a request")
    with pytest.raises(Refused, match="ends with the request"), law.store.database.begin() as tx:
        releasing.ask(law.store, tx, hold, by=law.counsel, why="no")
    assert all(law.covered().values())


# -- any scope, any archive --------------------------------------------------------------------------------

WORDS = ("flood", "road", "closed", "open", "fence")


def some_archive(chance: random.Random, law: Law) -> None:
    shown = []
    for number in range(chance.randrange(3, 8)):
        more: dict[str, Any] = {}
        if chance.random() < 0.7:
            more["published_at"] = datetime(2026, chance.randrange(1, 4), chance.randrange(1, 28), tzinfo=UTC)
        if chance.random() < 0.3:
            more["attachments"] = (Attachment(id="a", url="https://x.example/a.png", media_type="image/png"),)
        words = " ".join(chance.choices(WORDS, k=chance.randrange(4)))
        author = Author(name=chance.choice(("Pat", "Jane Doe")))
        shown.append(post(f"p{number}", words, author=author, **more))
    law.shown(*shown, index=chance.random() < 0.5)


def some_scope(chance: random.Random, depth: int = 2) -> str:
    match chance.randrange(7 if depth else 4):
        case 0:
            return chance.choice(WORDS)
        case 1:
            return chance.choice(("date:2026-02", "date:>=2026-02-10", "date:<=2026-01-20"))
        case 2:
            return chance.choice(('author:"Jane Doe"', "kind:post", "kind:comment", "has:media"))
        case 3:
            return f'"{chance.choice(WORDS)} {chance.choice(WORDS)}"'
        case 4:
            return f"({some_scope(chance, depth - 1)} AND {some_scope(chance, depth - 1)})"
        case 5:
            return f"({some_scope(chance, depth - 1)} OR {some_scope(chance, depth - 1)})"
        case _:
            return f"NOT ({some_scope(chance, depth - 1)})"


def plainly(law: Law, query: str) -> set[str]:
    """What a scope covers, read record by record and without any index."""
    tree = Scope(query=query).understood()
    assert tree is not None
    judge = Judge(tree, law.store.agency.zone())
    keys = law.keys()
    told = {one[0].record: judge.of(read_all(one)) for one in law.source.of(keys.values())}
    return {name for name, key in keys.items() if told[key] is not Met.NO}


@pytest.mark.parametrize("seed", range(4))
def test_any_scope_over_any_archive_covers_what_a_plain_reading_covers(
    seed: int, store: Store, clock: FixedClock
):
    chance = random.Random(seed)
    law = Law(store, clock)
    matter = law.matter()
    some_archive(chance, law)
    expected: set[str] = set()
    for _ in range(8):
        query = some_scope(chance)
        placed = law.place(matter, query)
        now = plainly(law, query)
        assert law.held(placed.hold) == now, query
        expected |= now
    some_archive(chance, law)
    law.join()
    covered = {name for name, held in law.covered().items() if held}
    assert expected <= covered
    with law.store.database.read() as tx:
        shown = covering.shown(law.store, tx, list(law.keys().values()), by=law.clerk)
    assert {key for key, held in shown.items() if held} == {law.keys()[name] for name in covered}
    told = law.dispose(*law.records())
    assert {law.records()[name].id for name in covered} == set(told.withdrawn)


def test_following_goes_on_where_it_was_broken_off(law: Law):
    placed = law.place(law.matter(), "flood")
    a_flood(law)
    law.shown(comment("c3", "flood again"))
    following.follow(law.store, most=1)
    law.join()
    assert law.held(placed.hold) == {"p1", "c1", "c3"}


# -- the ledger --------------------------------------------------------------------------------------------


def test_acts_on_matters_and_empty_ones_look_alike_in_the_ledger(law: Law):
    import msgspec

    with law.store.database.read() as tx:
        before = law.store.ledger.size(tx)
    law.place(law.matter(silent=True), "flood")
    with law.store.database.begin() as tx:
        acts.empty(law.store, tx)
    with law.store.database.read() as tx:
        told = [
            msgspec.json.decode(law.store.ledger.entry(tx, entry))
            for entry in range(before, law.store.ledger.size(tx))
        ]
    assert {one["type"] for one in told} == {"act"}
    assert {tuple(sorted(one)) for one in told} == {("c", "ts", "type", "v")}


def test_empty_acts_are_written_at_random_whatever_matters_there_are(law: Law):
    chance = random.Random(4)
    assert 0 < sum(acts.stir(law.store, chance) for _ in range(1_000)) < 20


def test_words_of_matters_and_scopes_stand_nowhere_in_the_clear(law: Law, home: Path):
    a_flood(law)
    law.place(law.matter("Zanzibar versus Harrow Falls"), "quagmire OR flood")
    law.store.database.close()
    everything = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"Zanzibar" not in everything
    assert b"quagmire" not in everything

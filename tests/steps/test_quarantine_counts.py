"""Quarantine, where records are counted and disposed of: it is in no number and on no list, and nothing in it is destroyed."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.disposition import approving, proposals, proposing
from app.disposition.approving import NotOnTheList
from app.disposition.proposals import EXECUTED, Proposal
from app.disposition.proposing import UnknownRecords
from app.disposition.refusals import BadOrder, NothingEligible
from app.holds import accounted, quarantine
from app.index.engine import Engine
from app.records.clock import FixedClock
from app.records.nouns import Officer
from app.retention import effects
from app.retention.standing import Standing
from app.store import Store
from tests.steps.disposing import Office, office
from tests.steps.holding import Law


@pytest.fixture
def here(store: Store, clock: FixedClock) -> Office:
    law = Law(store, clock)
    made = office(law, clock)
    made.attorney, made.clerk = law.counsel, law.clerk
    made.adopt()
    return made


def cut_off(here: Office, record: UUID) -> None:
    with here.store.database.begin() as tx:
        quarantine.begin(
            here.store, tx, record, "second@harrowfalls.example", by=here.attorney, why="a court may order it"
        )


def give_back(here: Office, record: UUID) -> None:
    with here.store.database.begin() as tx:
        quarantine.end(here.store, tx, record, by=here.attorney, why="no order came")


def engine(here: Office) -> Engine:
    return here.world.engine  # type: ignore[attr-defined,no-any-return]  # the world is a law department


def counted(here: Office) -> int:
    with here.store.database.read() as tx:
        return sum(
            sum(one.values()) for one in effects.tally(Standing(here.store), tx, engine(here)).values()
        )


def on_list(here: Office, found: Proposal) -> list[UUID]:
    with here.store.database.read() as tx:
        assert proposals.listed_ever(tx, found) == len(proposals.of_list(tx, found))
        return [one.id for one in proposals.of_list(tx, found)]


def test_what_is_in_quarantine_is_in_no_count_of_retention_until_it_is_given_back(here: Office):
    [one, _] = here.keep("a", "b")
    assert counted(here) == 2
    cut_off(here, one)
    assert counted(here) == 1
    with here.store.database.read() as tx:
        told = effects.simulate(Standing(here.store), tx, engine(here))
    assert told.records == 1
    give_back(here, one)
    assert counted(here) == 2


def test_it_is_never_proposed_and_not_told_among_those_that_stay(here: Office):
    [one, other] = here.keep("a", "b")
    cut_off(here, one)
    found = here.propose()
    assert (found.records, found.stayed, on_list(here, found)) == (1, 0, [other])
    with pytest.raises(NothingEligible):
        here.propose()
    give_back(here, one)
    assert on_list(here, here.propose()) == [one]


def test_it_is_seen_on_no_list_on_which_it_stood_before(here: Office):
    [one, other] = here.keep("a", "b")
    found = here.propose()
    assert on_list(here, found) == [one, other]
    cut_off(here, one)
    assert on_list(here, found) == [other]
    assert (here.get(found).shown, here.get(found).records) == (1, 2)
    give_back(here, one)
    assert on_list(here, found) == [one, other]


@pytest.mark.parametrize("in_quarantine", [True, False])
def test_nothing_is_destroyed_in_quarantine(here: Office, in_quarantine: bool):
    """The twin: without a quarantine the same list is destroyed as a whole."""
    [one, other] = here.keep("a", "b")
    found = here.approved()
    here.wait()
    if in_quarantine:
        cut_off(here, one)
    done = here.execute(found)
    assert here.gone(one, other) == ({other} if in_quarantine else {one, other})
    assert done.excluded == [], "whoever looks is not told which record stayed"
    assert here.get(found).state == EXECUTED


def test_an_order_waits_until_the_quarantine_is_over_and_tells_nobody_else_of_it(here: Office):
    [one, _] = here.keep("a", "b")
    cut_off(here, one)

    def order(by: Officer) -> Proposal:
        with here.store.database.begin() as tx:
            return proposing.order(
                here.of, tx, [one], instrument="Order 7", waiting_days=0, by=by, why="the court ordered it"
            )

    with pytest.raises(UnknownRecords):
        order(here.clerk)
    with pytest.raises(BadOrder, match="quarantine"):
        order(here.attorney)
    give_back(here, one)
    found = order(here.attorney)
    here.approve(found, by=here.clerk)
    cut_off(here, one)
    here.execute(found)
    assert here.gone(one) == set()


def test_what_was_in_quarantine_and_then_destroyed_by_an_order_is_accounted_for(here: Office):
    """What the ledger sealed of it went with the record; the row and its two entries still agree."""
    [one, other] = here.keep("a", "b")
    cut_off(here, one)
    cut_off(here, other)
    give_back(here, one)
    with here.store.database.begin() as tx:
        found = proposing.order(
            here.of, tx, [one], instrument="Order 7", waiting_days=0, by=here.attorney, why="ordered"
        )
    here.approve(found, by=here.clerk)
    here.execute(found)
    assert here.gone(one) == {one}
    assert list(accounted.wrong(here.store)) == []


def test_nobody_else_learns_by_leaving_it_out_that_it_stands_on_a_list(here: Office):
    [one, _] = here.keep("a", "b")
    found = here.propose()
    cut_off(here, one)
    with here.store.database.begin() as tx, pytest.raises(NotOnTheList):
        approving.leave_out(here.of, tx, found.id, [one], by=here.clerk, why="I guess")
    give_back(here, one)
    with here.store.database.begin() as tx:
        approving.leave_out(here.of, tx, found.id, [one], by=here.clerk, why="a history is written")
    assert here.get(found).records == 1

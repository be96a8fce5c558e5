"""Orders of a court: records are destroyed outside their schedule, by a second person's approval, and never under a hold."""

from __future__ import annotations

from datetime import date

import pytest

from app.capture.deeds import TooLong
from app.disposition import proposing
from app.disposition.proposals import APPROVED, EXECUTED, Proposal
from app.disposition.proposing import COURT, UnknownRecords
from app.disposition.refusals import BadOrder, NotYourStep, ProposerApproves, WaitingPeriod
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Role
from app.store import Store, disposals
from tests.steps.disposing import YOUNG, Office, office, somebody
from tests.steps.test_capture import World

INSTRUMENT = "Superior Court at Juneau, order of expungement of 3 May 2026"


@pytest.fixture
def here(store: Store, clock: FixedClock) -> Office:
    made = office(World(store, clock), clock)
    made.adopt()
    return made


def order(here: Office, *wanted: object, instrument: str = INSTRUMENT, wait: int = 0) -> Proposal:
    with here.store.database.begin() as tx:
        return proposing.order(
            here.of, tx, list(wanted), instrument=instrument, waiting_days=wait,  # type: ignore[arg-type]  # some are no ids: that is the test
            by=here.clerk, why="the court ordered it",
        )  # fmt: skip


def test_what_a_court_orders_is_destroyed_though_its_schedule_keeps_it(here: Office):
    young = here.keep("a", "b", published=YOUNG)
    found = here.approve(order(here, young[0]), here.attorney)
    assert (found.state, found.opens_on, found.kind) == (APPROVED, date(2026, 3, 2), "order")
    done = here.execute(found)
    assert (done.disposed, done.proposal.state) == (1, EXECUTED)
    assert here.gone(*young) == {young[0]}
    assert here.world.soundness() == []


def test_an_order_needs_a_second_person(here: Office):
    (young,) = here.keep("a", published=YOUNG)
    found = order(here, young)
    with pytest.raises(ProposerApproves):
        here.approve(found, here.clerk)
    with pytest.raises(NotYourStep):
        here.approve(found, somebody("auditor", Role.AUDITOR))
    assert here.approve(found, here.second_clerk).state == APPROVED


def test_an_order_waits_as_long_as_it_says(here: Office):
    (young,) = here.keep("a", published=YOUNG)
    found = here.approve(order(here, young, wait=30), here.attorney)
    with pytest.raises(WaitingPeriod):
        here.execute(found)
    here.wait(31)
    assert here.execute(found).disposed == 1


def test_a_held_record_stays_under_an_order_too(here: Office):
    held, free = here.keep("a", "b", published=YOUNG)
    hold = here.place(held)
    found = here.approve(order(here, held, free), here.attorney)
    done = here.execute(found)
    assert (done.disposed, list(done.excluded)) == (1, [held])
    here.release(hold)  # the matter's attorney has had it released: the order is given again
    again = here.approve(order(here, held), here.attorney)
    assert here.execute(again).disposed == 1


def test_the_instrument_of_an_order_stands_sealed(here: Office):
    (young,) = here.keep("a", published=YOUNG)
    found = here.approve(order(here, young), here.attorney)
    here.execute(found)
    assert found.detail["instrument"] == INSTRUMENT
    with here.store.database.read() as tx:
        batch = disposals.batch(tx, found.id)
        (tombstone,) = disposals.notes(tx, found.id)
    assert (batch.series, batch.citation, batch.authority) == ("order", COURT, COURT)
    assert "Superior" not in str(tombstone.as_note())


def test_an_order_without_records_without_instrument_or_over_unknown_records_is_refused(here: Office):
    (young,) = here.keep("a", published=YOUNG)
    with pytest.raises(BadOrder):
        order(here)
    with pytest.raises(TooLong):
        order(here, young, instrument=" ")
    with pytest.raises(UnknownRecords):
        order(here, young, new_id())
    with pytest.raises(BadOrder):
        order(here, young, wait=-1)
    order(here, young)
    with pytest.raises(BadOrder, match="another list"):
        order(here, young)

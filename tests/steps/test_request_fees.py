"""Time and fees: five hours are free for a person and a month in Alaska, privilege is never charged, payment lets clocks go on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.deeds import BadDate
from app.disclosure import fees, known
from app.disclosure.fees import FreeOfCharge, Spent
from app.disclosure.law import Charges, Fees
from app.disclosure.requests import BadRequest, Request
from app.records.clock import FixedClock
from app.store import Store
from tests.steps.asking import Office

MONTH = Fees(
    citation="x",
    free_hours=5,
    per="requester_month",
    chargeable=("search", "copying"),
    never=("privilege_review",),
)


@pytest.fixture
def office(store: Store, clock: FixedClock) -> Office:
    return Office(store, clock)


@pytest.fixture
def office_anywhere(anywhere: Store, clock: FixedClock) -> Office:
    return Office(anywhere, clock)


def spend(office: Office, request: Request, hours: float, work: str = "search", **more: object) -> None:
    with office.store.database.begin() as tx:
        fees.spend(office.store, tx, request, round(hours * 60), work, by=office.clerk, why="worked", **more)  # type: ignore[arg-type]  # as each test has it


def reckoned(office: Office, request: Request) -> fees.Reckoned:
    with office.store.database.read() as tx:
        return fees.reckoned(tx, office.now(request))


def notify(office: Office, request: Request, cents: int, **more: Any) -> Request:
    with office.store.database.begin() as tx:
        return fees.notify(
            office.store, tx, office.laws, request, cents, by=office.clerk, why="so it is", **more
        )


# -- reckoning ---------------------------------------------------------------------------------------------


def test_five_hours_are_free_and_what_goes_beyond_may_be_charged(office_anywhere: Office):
    office = office_anywhere
    made = office.open()
    spend(office, made, 5)
    assert (reckoned(office, made).chargeable, reckoned(office, made).cents) == (0, 0)
    spend(office, made, 1.5, cents_an_hour=4_000)
    told = reckoned(office, made)
    assert (told.minutes, told.free, told.chargeable, told.cents) == (390, 300, 90, 6_000)
    assert told.citation == "AS 40.25.110(b)-(d)"


def test_reading_for_privilege_is_charged_to_nobody(office: Office):
    made = office.open()
    spend(office, made, 5)
    spend(office, made, 20, "privilege_review", cents_an_hour=10_000)
    told = reckoned(office, made)
    assert (told.chargeable, told.never, told.counted) == (0, 1_200, 300)


def test_the_free_hours_are_those_of_the_person_in_a_month_over_all_their_requests(office: Office):
    first, second = office.open(email="pat@x.example"), office.open(email="pat@x.example")
    stranger = office.open(email="another@x.example")
    spend(office, first, 4)
    spend(office, second, 3, cents_an_hour=3_000)
    spend(office, stranger, 5)
    assert reckoned(office, first).chargeable == 0
    assert (reckoned(office, second).chargeable, reckoned(office, second).others) == (120, 240)
    assert reckoned(office, stranger).chargeable == 0


def test_each_month_has_its_free_hours(office: Office):
    made = office.open(received=datetime(2026, 2, 20, 18, tzinfo=UTC))
    spend(office, made, 5, on=date(2026, 2, 25))
    spend(office, made, 5, on=date(2026, 3, 2))
    assert reckoned(office, made).chargeable == 0
    spend(office, made, 1, on=date(2026, 2, 26))
    assert reckoned(office, made).chargeable == 60


def test_where_nobody_said_what_an_hour_costs_no_sum_is_told(office: Office):
    made = office.open()
    spend(office, made, 6)
    assert (reckoned(office, made).chargeable, reckoned(office, made).cents) == (60, None)


def test_time_is_taken_back_by_a_row_of_its_own(office: Office):
    made = office.open()
    spend(office, made, 6)
    spend(office, made, -2)
    assert reckoned(office, made).minutes == 240
    with pytest.raises(BadRequest, match="takes back more"):
        spend(office, made, -5)


@pytest.mark.parametrize("hours", [0, 25, -25])
def test_a_day_has_a_day(office: Office, hours: float):
    with pytest.raises(BadRequest):
        spend(office, office.open(), hours)


def test_time_lies_between_the_receipt_and_today(office: Office):
    made = office.open()
    for day in (date(2026, 3, 1), date(2026, 3, 3)):
        with pytest.raises(BadDate):
            spend(office, made, 1, on=day)


minutes = st.lists(st.tuples(st.integers(1, 28), st.integers(1, 600), st.integers(1, 2)), max_size=12)


@given(minutes, st.integers(0, 10), st.sampled_from(list(Charges)))
def test_what_may_be_charged_is_never_more_than_what_goes_beyond_the_free_hours(told, free, charges):
    law = Fees(citation="x", free_hours=free, per="requester_month", charges=charges)
    times = [
        Spent(request=which, officer=UUID(int=1), day=date(2026, 2, day), minutes=count, work="search", cents_an_hour=None, entry=number)
        for number, (day, count, which) in enumerate(told)
    ]  # fmt: skip
    total = sum(one.minutes for one in times)
    over = sum(found for _, found in fees.chargeable(law, times))
    assert over == (total if charges is Charges.WHOLE and total > 60 * free else max(0, total - 60 * free))
    assert len(fees.chargeable(law, times)) == len(times)


# -- fees --------------------------------------------------------------------------------------------------


def test_what_the_law_lets_go_free_is_not_charged(office: Office):
    made = office.open()
    spend(office, made, 5)
    with pytest.raises(FreeOfCharge, match="5 hours for one requester in a month are free"):
        notify(office, made, 5_000)
    assert notify(office, made, 500, copies=500).of("fee_notice")


def test_hours_that_are_expected_count_for_a_payment_beforehand(office: Office):
    made = office.open()
    with pytest.raises(FreeOfCharge):
        notify(office, made, 8_000)
    assert notify(office, made, 8_000, expected_minutes=420).of("fee_notice")


def test_no_more_is_charged_than_the_time_comes_to(office: Office):
    made = office.open()
    spend(office, made, 5)
    spend(office, made, 1, cents_an_hour=4_000)
    with pytest.raises(FreeOfCharge, match=r"\$40\.00"):
        notify(office, made, 4_001)
    notify(office, made, 4_000)


def test_a_fee_stops_the_clock_until_it_is_paid(office_anywhere: Office):
    office = office_anywhere
    made = office.open()
    spend(office, made, 6, cents_an_hour=4_000)
    notify(office, made, 4_000)
    assert office.due(made)["determination"].on is None
    office.later(days=7)
    with office.store.database.begin() as tx:
        now = fees.paid(office.store, tx, made, 1_000, by=office.clerk, why="a cheque")
    assert office.due(now)["determination"].on is None
    with office.store.database.begin() as tx:
        now = fees.paid(office.store, tx, made, 3_000, by=office.clerk, why="the rest")
        assert fees.account(tx, now).owed == 0
    assert office.due(now)["determination"].on == date(2026, 3, 23)


def test_a_waived_fee_lets_the_clock_go_on_too(office: Office):
    made = notify(office, office.open(), 500, copies=500)
    with office.store.database.begin() as tx:
        now = fees.waive(office.store, tx, made, by=office.clerk, why="uniformly")
    assert office.due(now)["determination"].on == date(2026, 3, 16)
    with office.store.database.begin() as tx:
        assert fees.account(tx, now).waived == 500
        with pytest.raises(BadRequest):
            fees.waive(office.store, tx, now, 100, by=office.clerk, why="again")


def test_an_estimate_is_told_to_nobody_and_stops_nothing(office: Office):
    made = office.open()
    with office.store.database.begin() as tx:
        now = fees.estimate(office.store, tx, made, 9_900, by=office.clerk, why="roughly")
        assert (fees.account(tx, now).estimated, fees.account(tx, now).owed) == (9_900, 0)
    assert office.due(now)["determination"].on == date(2026, 3, 16)


def test_a_law_that_says_nothing_of_fees_forbids_none(office: Office):
    assert known.of(None).get("us-wa").on(date(2026, 3, 2)).fees is None
    assert notify(office, office.open("us-wa"), 5_000).of("fee_notice")

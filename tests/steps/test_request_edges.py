"""Requests at their edges: the last day of a hold, a second answer, an appeal after the closing, steps out of order."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from app.disclosure import fees, known, reminding, requests
from app.disclosure.clock import NoExtension, NoTolling
from app.disclosure.moving import NotClosed
from app.disclosure.requests import BadRequest, Request
from app.records.clock import FixedClock
from app.store import Store
from tests.steps.asking import Office
from tests.steps.test_capture import post

TOWN = """\
law: us-xx-town
title: Town of Somewhere
authority: Town Code 4
country: US
editions:
  - edition: "2026"
    deadlines:
      - {code: answer, what: The answer, after: received, within: 5, count: working, citation: Town Code 4.1, verified: true}
      - {code: appeal, what: The decision on the appeal, after: appealed, within: 10, count: working, met_by: [appeal_decided], citation: Town Code 4.8, verified: true}
    extensions:
      - {code: more, title: More time, deadlines: [answer], most: 5, count: working, notice: [reasons, expected_on], citation: Town Code 4.2, verified: true}
      - {code: appeal, title: More time for the appeal, deadlines: [appeal], most: 30, count: working, notice: [reasons, expected_on], citation: Town Code 4.9, verified: true}
    tolling:
      - {code: emergency, title: Emergency, starts: paused, ends: resumed, citation: Town Code 4.3, verified: true}
      - {code: fee, title: Until a fee is paid, starts: fee_notice, ends: fee_arranged, citation: Town Code 4.4, verified: true}
    appeals:
      - {to: the council, after: denied, within: 30, count: calendar, citation: Town Code 4.8, verified: true}
    reopening: {within: 10, count: calendar, citation: Town Code 4.9, verified: true}
exemptions:
  - {code: "4.5", title: Draft, explanation: a draft, citation: Town Code 4.5, verified: true}
"""


@pytest.fixture
def office(store: Store, clock: FixedClock, tmp_path: Path) -> Office:
    (tmp_path / "town.yaml").write_text(TOWN)
    return Office(store, clock, known.of(tmp_path))


def tonight(office: Office) -> int:
    return reminding.tonight(office.store, lambda: office.laws)


def put(office: Office) -> int:
    with office.store.database.begin() as tx:
        return reminding.remind(office.store, tx, lambda: office.laws)


def notify(office: Office, request: Request, cents: int) -> Request:
    with office.store.database.begin() as tx:
        return fees.notify(
            office.store, tx, office.laws, request, cents, copies=cents, by=office.clerk, why="copies"
        )


def pay(office: Office, request: Request, cents: int) -> Request:
    with office.store.database.begin() as tx:
        return fees.paid(office.store, tx, request, cents, by=office.clerk, why="a cheque")


def denied(office: Office, *, closed: bool = True) -> Request:
    """A request about p1 of two posts, denied in whole, and closed."""
    office.shown(post("p1", "the bridge"), post("p2", "the park"))
    made = office.confirm(office.open("us-xx-town"), "p1")
    made = office.do("deny", made, exemptions=["4.5"])
    return office.do("close", made) if closed else made


# -- the appeal window -------------------------------------------------------------------------------------


def test_the_time_for_appeals_runs_from_the_newest_denial_also_where_it_is_one_in_part(office: Office):
    made = denied(office, closed=False)
    office.later(days=25)
    office.do("deny", made, exemptions=["4.5"], partly=True)
    closed = office.do("close", made)
    assert requests.kept_until(office.store, office.laws, closed) == date(2026, 4, 26)
    office.later(days=30)
    assert tonight(office) == 0
    assert office.protected() == {"p1"}
    office.later(days=1)
    assert tonight(office) == 1


def test_after_it_was_opened_again_the_time_for_appeals_runs_from_the_new_answer(office: Office):
    made = denied(office)
    office.later(days=9)
    office.do("reopen", made)
    office.confirm(made, "p1")
    office.later(days=60)
    office.do("no_records", made)
    closed = office.do("close", made)
    assert requests.kept_until(office.store, office.laws, closed) == date(2026, 6, 9)


def test_an_appeal_that_was_not_upheld_holds_until_it_is_opened_again_or_an_officer_ends_it(office: Office):
    made = denied(office)
    office.later(days=29)
    office.do("appeal", made)
    office.later(days=8)
    office.do("decide_appeal", made, "reversed")
    office.later(days=1)
    assert tonight(office) == 0
    assert office.protected() == {"p1"}
    with office.store.database.read() as tx:
        said = [one.what for one in reminding.to_do(office.store, tx, lambda: office.laws)]
    assert any("not upheld" in one for one in said), said
    assert office.do("let_go", made).let_go
    assert office.protected() == set()


def test_an_appeal_that_was_upheld_holds_no_longer_than_its_time(office: Office):
    made = denied(office)
    office.later(days=29)
    office.do("appeal", made)
    office.later(days=8)
    office.do("decide_appeal", made, "upheld")
    assert tonight(office) == 1
    assert office.protected() == set()


def test_nobody_lets_go_of_what_is_held_before_a_time_for_appeals_that_is_known_is_over(office: Office):
    made = denied(office)
    office.later(days=30)
    with pytest.raises(NotClosed, match="2026-04-01"):
        office.do("let_go", made)
    assert office.protected() == {"p1"}
    office.later(days=1)
    assert office.do("let_go", made).let_go


# -- appeals after the closing -----------------------------------------------------------------------------


def test_the_day_of_an_appeal_is_reminded_of_after_the_closing_too(office: Office):
    made = denied(office)
    office.do("appeal", made)
    assert office.due(made)["appeal"].on == date(2026, 3, 16)
    assert put(office) == 0
    office.later(days=7)
    assert put(office) == 1
    office.later(days=8)
    assert put(office) == 1
    with office.store.database.read() as tx:
        (late,) = (one for one in reminding.to_do(office.store, tx, lambda: office.laws) if one.urgent)
    assert "was due on 2026-03-16" in late.what
    office.do("decide_appeal", made, "upheld")
    office.later(days=1)
    assert put(office) == 0


def test_the_decision_on_an_appeal_is_extended_after_the_closing_too(office: Office):
    made = denied(office)
    with pytest.raises(requests.RequestClosed):
        office.do("extend", made, reasons="the council meets in May")
    office.do("appeal", made)
    office.do("extend", made, reasons="the council meets in May")
    assert office.due(made)["appeal"].on == date(2026, 4, 27)


# -- steps out of order ------------------------------------------------------------------------------------


def test_a_clock_that_an_answer_ended_is_stopped_again_once_it_was_opened_again(office: Office):
    made = office.open("us-xx-town")
    office.do("toll", made, ground="emergency")
    office.do("close", made, outcome="withdrawn")
    office.do("reopen", made)
    office.do("toll", made, ground="emergency")
    assert office.due(made)["answer"].met_on is not None
    with pytest.raises(NoTolling, match="stands still for that already"):
        office.do("toll", made, ground="emergency")
    office.plainly("resume", made, ground="emergency")


def test_a_payment_lets_the_clock_go_on_whatever_was_written_down_before_the_notice(office: Office):
    made = office.open("us-xx-town")
    pay(office, notify(office, made, 500), 500)
    with pytest.raises(BadRequest, match="payment"):
        office.plainly("mark", made, "fee_arranged")
    notify(office, made, 800)
    assert office.due(made)["answer"].on is None
    pay(office, made, 300)
    assert office.due(made)["answer"].on == date(2026, 3, 9)


def test_what_was_never_asked_is_not_answered(office: Office):
    made = office.open("us-xx-town")
    for event in ("clarification_answered", "fee_arranged"):
        with pytest.raises(BadRequest):
            office.plainly("mark", made, event)
    office.do("ask", made, "Which bridge?")
    office.plainly("mark", made, "clarification_answered")
    with pytest.raises(BadRequest):
        office.plainly("mark", made, "clarification_answered")


def test_where_a_denial_is_its_own_appeal_the_answer_to_it_is_reminded_of(office: Office):
    made = office.open("us-ak-anchorage")
    office.do("deny", made, exemptions=["(a)(4)"])
    office.do("close", made)
    assert office.due(made)["appeal"].on == date(2026, 3, 11)
    office.later(days=8)
    assert put(office) == 1
    office.do("appeal", made)
    office.do("decide_appeal", made, "upheld")
    office.later(days=4)
    assert put(office) == 0


def test_what_happens_once_is_written_down_once(office: Office):
    made = office.open("us-nj", complete=False)
    office.plainly("mark", made, "complete")
    assert office.due(made)["response"].on == date(2026, 3, 11)
    office.later(days=3)
    with pytest.raises(BadRequest, match="2026-03-02"):
        office.plainly("mark", made, "complete")
    office.plainly("mark", made, "routed")
    with pytest.raises(BadRequest, match="already"):
        office.plainly("mark", made, "routed")


def test_a_second_letter_does_not_begin_the_time_for_an_appeal_anew(office: Office):
    made = denied(office)
    office.do("appeal", made)
    office.later(days=7)
    with pytest.raises(BadRequest, match="waits for its decision"):
        office.do("appeal", made, words="a reminder")
    assert office.due(made)["appeal"].on == date(2026, 3, 16)
    office.do("decide_appeal", made, "partly")
    office.do("appeal", made, words="and another one")
    assert office.due(made)["appeal"].on == date(2026, 3, 23)


def test_no_appeal_is_decided_before_it_was_received(office: Office):
    made = denied(office)
    office.later(days=3)
    office.do("appeal", made)
    with pytest.raises(BadRequest, match="before the appeal was received"):
        office.do("decide_appeal", made, "upheld", at=office.clock.at - timedelta(days=1))
    office.do("decide_appeal", made, "upheld")


def test_one_extension_is_one_for_the_answer_and_the_appeal_together(office: Office):
    made = office.open("us-foia")
    office.do("extend", made, reasons="boxes", circumstance="voluminous")
    office.do("deny", made, exemptions=["(b)(6)"])
    office.do("close", made)
    office.do("appeal", made)
    with pytest.raises(NoExtension, match="once"):
        office.do("extend", made, reasons="boxes", circumstance="voluminous")
    other = office.open("us-foia")
    office.do("deny", other, exemptions=["(b)(6)"])
    office.do("close", other)
    office.do("appeal", other)
    office.do("extend", other, reasons="boxes", circumstance="voluminous")


def test_no_fee_is_told_that_is_paid_already(office: Office):
    made = office.open("us-xx-town")
    pay(office, notify(office, made, 500), 500)
    with pytest.raises(BadRequest, match=r"\$5\.00 are paid"):
        notify(office, made, 300)
    assert office.due(made)["answer"].on is not None

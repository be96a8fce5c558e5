"""What is due on a request, and by when: counted from data, in the agency's calendar, never nearer than the law has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure import clock, known
from app.disclosure.clock import Due, Happened, Hours, NoExtension, NoticeIncomplete, NoTolling
from app.disclosure.law import AfterHours, Count, DayOne, Deadline, Edition, Extension, Latest, Tolling
from app.retention.working_days import WorkingDays

ZONE = ZoneInfo("America/Juneau")
PLAIN = Hours(calendar=WorkingDays(), zone=ZONE)
ALASKA = Hours(calendar=WorkingDays(country="US", subdivision="AK"), zone=ZONE)
MONDAY = date(2026, 3, 2)
NOTICE = {"reasons": "a voluminous search", "circumstance": "many offices", "not_for_delay": "yes"}


def at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


def happened(event: str, day: date, hour: int = 10, **more: object) -> Happened:
    return Happened(event=event, at=at(day, hour), **more)  # type: ignore[arg-type]  # as each event has it


def rules(*deadlines: Deadline, **more: object) -> Edition:
    return Edition(label="x", deadlines=deadlines, **more)  # type: ignore[arg-type]  # as each test has it


def answer(within: int = 10, count: Count = Count.WORKING, **more: object) -> Deadline:
    values: dict[str, object] = {"after": ("received",), **more}
    return Deadline(code="answer", what="The answer", within=within, count=count, citation="Law 1", **values)  # type: ignore[arg-type]  # as each test has it


def due(edition: Edition, *told: Happened, hours: Hours = PLAIN, **more: object) -> Due:
    (found,) = clock.reckon(edition, told, hours, **more)  # type: ignore[arg-type]  # as each test has it
    return found


def on(edition: Edition, *told: Happened, hours: Hours = PLAIN, **more: object) -> date | None:
    return due(edition, *told, hours=hours, **more).on


def shipped(name: str) -> tuple[Edition, Hours]:
    laws = known.of(None)
    law = laws.get(name)
    return law.on(MONDAY), laws.hours(law, ZONE)


# -- counting ----------------------------------------------------------------------------------------------


def test_the_day_of_receipt_is_not_counted_and_weekends_are_not():
    assert on(rules(answer(5)), happened("received", MONDAY)) == date(2026, 3, 9)
    assert on(rules(answer(5, Count.CALENDAR)), happened("received", MONDAY)) == date(2026, 3, 7)


def test_where_the_law_counts_the_first_day_it_is_counted():
    assert on(rules(answer(5, day_one=DayOne.INCLUDED)), happened("received", MONDAY)) == date(2026, 3, 6)


def test_an_observed_holiday_is_not_counted():
    seward = date(2026, 3, 30)
    before = date(2026, 3, 27)
    assert on(rules(answer(1)), happened("received", before), hours=ALASKA) == seward + timedelta(days=1)
    assert on(rules(answer(1)), happened("received", before)) == seward


@pytest.mark.parametrize(
    ("law", "received", "answered", "closed"),
    [
        ("us-tx", date(2026, 3, 20), date(2026, 4, 3), {}),  # Cesar Chavez Day and Good Friday are optional
        ("us-tx", date(2026, 3, 20), date(2026, 4, 6), {date(2026, 4, 3): "Good Friday, which we observe"}),
        ("us-tx", date(2026, 6, 29), date(2026, 7, 13), {}),  # the Friday before a Fourth on a Saturday
        ("us-tx", date(2026, 8, 24), date(2026, 9, 9), {}),  # but the days of Johnson and of labor are free
        (
            "us-nj",
            date(2026, 2, 9),
            date(2026, 2, 19),
            {},
        ),  # on Lincoln's Birthday the state's offices are open
        ("us-nj", date(2025, 6, 13), date(2025, 6, 24), {}),  # Juneteenth is a day of the agency's own
        ("us-nj", date(2025, 6, 13), date(2025, 6, 25), {date(2025, 6, 20): "Juneteenth, the third Friday"}),
        ("us-nj", date(2026, 6, 25), date(2026, 7, 6), {}),  # the Friday before a Fourth on a Saturday
        ("us-nj", date(2027, 6, 25), date(2027, 7, 7), {}),  # but the Monday after one on a Sunday is free
        ("us-nj", date(2026, 3, 30), date(2026, 4, 9), {}),  # as are Good Friday
        ("us-nj", date(2026, 10, 30), date(2026, 11, 12), {}),  # and the day of the general election
    ],
)
def test_a_holiday_that_not_every_agency_observes_makes_no_deadline_later(law, received, answered, closed):
    edition, hours = shipped(law)
    calendar = replace(hours.calendar, closed=closed)
    told = happened("received", received), happened("complete", received)
    assert on(edition, *told, hours=Hours(calendar=calendar, zone=ZONE)) == answered


@pytest.mark.parametrize("day", [date(2026, 3, 31), date(2026, 11, 27), date(2027, 10, 29)])
def test_a_holiday_that_binds_no_city_of_california_is_a_working_day(day):
    _, hours = shipped("us-ca")
    assert hours.calendar.works(day)
    assert not WorkingDays(country="US", subdivision="CA").works(day)


@pytest.mark.parametrize(
    ("law", "answered"),
    [("us-ak-state", date(2026, 10, 26)), ("us-ak-haines", date(2026, 10, 26)), ("us-ak-anchorage", date(2026, 10, 13))],
)  # fmt: skip
def test_indigenous_peoples_day_is_no_legal_holiday_of_alaska_and_alaska_day_is(law, answered):
    """AS 44.12.010: the second Monday in October is not in it; the eighteenth is, and falls on a Sunday in 2026."""
    edition, hours = shipped(law)
    found = clock.reckon(edition, [happened("received", date(2026, 10, 9))], hours)
    assert min(one.on for one in found if one.on) == answered
    assert hours.calendar.works(date(2026, 10, 12))
    assert not hours.calendar.works(date(2026, 10, 19))


def test_two_holidays_of_one_day_leave_the_one_that_counts():
    texas = WorkingDays(country="US", subdivision="TX", optional=frozenset({"Confederate Memorial Day"}))
    assert texas.closed_for(date(2026, 1, 19)) == "Martin Luther King Jr. Day"


def test_the_agencys_own_closed_day_is_not_counted():
    closed = Hours(calendar=WorkingDays(closed={date(2026, 3, 3): "snow"}), zone=ZONE)
    assert on(rules(answer(1)), happened("received", MONDAY), hours=closed) == date(2026, 3, 4)


def test_a_last_day_without_work_rolls_only_where_the_law_says_so():
    saturday = answer(5, Count.CALENDAR)
    assert on(rules(saturday), happened("received", MONDAY)) == date(2026, 3, 7)
    assert on(rules(replace(saturday, rolls=True)), happened("received", MONDAY)) == date(2026, 3, 9)


def test_an_extension_counts_on_from_the_day_to_which_it_rolled_and_its_notice_says_the_same_day():
    longer = Extension(
        code="more", title="More time", deadlines=("answer",), most=5, count=Count.CALENDAR, citation="Law 3", verified=True
    )  # fmt: skip
    told = [happened("received", MONDAY)]  # the fifth day is a Saturday
    for rolls, said in ((True, date(2026, 3, 16)), (False, date(2026, 3, 12))):
        edition = rules(answer(5, Count.CALENDAR, rolls=rolls), extensions=(longer,))
        made = clock.extend(edition, told, PLAIN, today=MONDAY, notice=NOTICE)
        assert made.on == said
        extended = happened("extended", MONDAY, code="answer", rule="more", days=made.days)
        assert on(edition, *told, extended) == said


def test_what_came_after_hours_counts_as_the_law_has_it():
    late = happened("received", MONDAY, 20)
    assert on(rules(answer(1)), late) == date(2026, 3, 3)
    next_day = rules(answer(1), after_hours=AfterHours.NEXT_WORKING_DAY)
    assert on(next_day, late) == date(2026, 3, 4)
    assert on(next_day, happened("received", MONDAY, 16)) == date(2026, 3, 3)
    assert on(next_day, happened("received", date(2026, 3, 7))) == date(2026, 3, 10)


def test_hours_are_counted_to_the_hour_and_across_the_change_of_clocks():
    found = due(rules(answer(24, Count.HOURS)), happened("received", date(2026, 3, 7), 10))
    assert found.at == at(date(2026, 3, 7), 10) + timedelta(hours=24)
    assert found.on == date(2026, 3, 8)


def test_a_receipt_late_in_the_evening_is_of_the_agencys_own_day():
    evening = Happened(
        event="received", at=datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
    )  # 22:30 on the 2nd in Juneau
    assert on(rules(answer(1)), evening) == date(2026, 3, 3)


def test_a_clock_waits_for_its_event():
    waiting = due(rules(answer(after=("acknowledged",))), happened("received", MONDAY))
    assert (waiting.on, waiting.standing(MONDAY)) == (None, "waiting")
    assert waiting.waits_for == "its receipt is acknowledged"
    known_ = happened("acknowledged", MONDAY)
    assert on(rules(answer(1, after=("acknowledged",))), happened("received", MONDAY), known_) == date(
        2026, 3, 3
    )


def test_a_start_that_waits_has_a_latest_day():
    rule = answer(
        1, Count.CALENDAR, after=("routed", "received"), at_latest=Latest(after="received", within=10)
    )
    received = happened("received", MONDAY)
    assert on(rules(rule), received) == date(2026, 3, 3)
    assert on(rules(rule), received, happened("routed", date(2026, 3, 6))) == date(2026, 3, 7)
    assert on(rules(rule), received, happened("routed", date(2026, 4, 6))) == date(2026, 3, 13)


def test_what_came_by_mail_without_proof_counts_from_its_postmark():
    edition, hours = shipped("us-tx")
    posted = happened("postmarked", date(2026, 3, 5))
    received = happened("received", date(2026, 3, 6))
    (early,) = clock.reckon(edition, [received], hours)
    (found,) = clock.reckon(edition, [posted, received], hours)
    assert early.on == date(2026, 3, 20)
    assert found.on == date(2026, 3, 24)
    (late,) = clock.reckon(edition, [posted, happened("received", date(2026, 3, 25))], hours)
    assert late.on == found.on  # nobody can prove that it came so late


def test_a_target_that_stands_still_for_ages_is_reached_on_the_last_day_there_is():
    still = Tolling(code="agreed", title="agreed", starts="paused", ends="resumed", citation="Law 2")
    edition = rules(tolling=(still,))
    paused = happened("paused", MONDAY, rule="agreed", on=date.max)
    assert on(edition, happened("received", MONDAY), paused, target=date(2026, 4, 1)) == date.max


# -- tolling -----------------------------------------------------------------------------------------------

STOPS = Tolling(
    code="fee", title="a fee", starts="fee_notice", ends="fee_arranged", citation="Law 2", verified=True
)


def test_days_on_which_it_stood_still_are_not_counted():
    told = (
        happened("received", MONDAY),
        happened("fee_notice", date(2026, 3, 4)),
        happened("fee_arranged", date(2026, 3, 11)),
    )
    assert on(rules(answer(5), tolling=(STOPS,)), *told) == date(2026, 3, 16)
    assert on(rules(answer(5)), *told) == date(2026, 3, 9)


def test_while_it_stands_still_there_is_no_day():
    found = due(
        rules(answer(5), tolling=(STOPS,)),
        happened("received", MONDAY),
        happened("fee_notice", date(2026, 3, 4)),
    )
    assert (found.on, found.waits_for) == (None, "payment is arranged")


def test_a_ground_stops_only_the_deadlines_that_it_names():
    other = replace(STOPS, deadlines=("another",))
    told = (happened("received", MONDAY), happened("fee_notice", date(2026, 3, 4)))
    assert on(rules(answer(5), tolling=(other,)), *told) == date(2026, 3, 9)


def test_a_ground_stops_no_oftener_than_the_law_has_it():
    once = replace(STOPS, times=1)
    told = [happened("received", MONDAY)]
    for day in (3, 5):
        told += [happened("fee_notice", date(2026, 3, day)), happened("fee_arranged", date(2026, 3, day + 1))]
    assert on(rules(answer(5), tolling=(STOPS,)), *told) == date(2026, 3, 11)
    assert on(rules(answer(5), tolling=(once,)), *told) == date(2026, 3, 10)
    with pytest.raises(NoTolling, match="once"):
        clock.toll(rules(answer(5), tolling=(once,)), told, "fee")


def test_tolling_that_the_law_does_not_know_is_refused():
    with pytest.raises(NoTolling, match="stops no clock"):
        clock.toll(rules(answer(5)), [happened("received", MONDAY)])
    two = (STOPS, replace(STOPS, code="other"))
    with pytest.raises(NoTolling, match="several grounds"):
        clock.toll(rules(answer(5), tolling=two), [happened("received", MONDAY)])
    with pytest.raises(NoTolling, match="already"):
        clock.toll(
            rules(answer(5), tolling=(STOPS,)), [happened("received", MONDAY), happened("fee_notice", MONDAY)]
        )


def test_a_named_end_holds_unless_the_clock_went_on_sooner():
    pause = replace(STOPS, code="agreed", starts="paused", ends="resumed")
    edition = rules(answer(5), tolling=(pause,))
    begun = happened("paused", date(2026, 3, 3), rule="agreed", on=date(2026, 3, 13))
    received = happened("received", MONDAY)
    assert on(edition, received, begun) == date(2026, 3, 19)
    assert on(edition, received, begun, happened("resumed", date(2026, 3, 6), rule="agreed")) == date(
        2026, 3, 12
    )
    assert on(edition, received, begun, happened("resumed", date(2026, 3, 2), rule="agreed")) == date(
        2026, 3, 19
    )


# -- extending ---------------------------------------------------------------------------------------------

MORE = Extension(
    code="more",
    title="More time",
    deadlines=("answer",),
    most=10,
    citation="Law 3",
    verified=True,
    notice=("reasons", "expected_on"),
)


def extended(
    edition: Edition, told: list[Happened], today: date, hours: Hours = PLAIN, **more: object
) -> clock.Extended:
    return clock.extend(edition, told, hours, today=today, notice=NOTICE, **more)  # type: ignore[arg-type]  # as each test has it


def as_event(found: clock.Extended, day: date) -> Happened:
    return happened("extended", day, code=found.deadline, rule=found.rule.code, days=found.days)


def test_an_extension_counts_on_from_the_day_that_it_found():
    edition, told = rules(answer(5), extensions=(MORE,)), [happened("received", MONDAY)]
    found = extended(edition, told, MONDAY)
    assert (found.before, found.on, found.days) == (date(2026, 3, 9), date(2026, 3, 23), 10)
    assert found.notice["expected_on"] == "2026-03-23"
    assert on(edition, *told, as_event(found, MONDAY)) == date(2026, 3, 23)


def test_it_is_allowed_once_and_only_before_the_day_has_passed():
    edition, told = rules(answer(5), extensions=(MORE,)), [happened("received", MONDAY)]
    with pytest.raises(NoExtension, match="before it has passed"):
        extended(edition, told, date(2026, 3, 10))
    again = [*told, as_event(extended(edition, told, date(2026, 3, 9)), date(2026, 3, 9))]
    with pytest.raises(NoExtension, match="once"):
        extended(edition, again, date(2026, 3, 10))


def test_it_goes_no_further_than_the_law_lets_it():
    edition, told = rules(answer(5), extensions=(MORE,)), [happened("received", MONDAY)]
    found = extended(edition, told, MONDAY, until=date(2026, 3, 12))
    assert (found.on, found.days) == (date(2026, 3, 12), 3)
    with pytest.raises(NoExtension, match="until 2026-03-23"):
        extended(edition, told, MONDAY, until=date(2026, 3, 24))
    with pytest.raises(NoExtension, match="not later"):
        extended(edition, told, MONDAY, until=date(2026, 3, 9))


def test_without_its_mandatory_notice_there_is_none():
    edition, told = rules(answer(5), extensions=(MORE,)), [happened("received", MONDAY)]
    with pytest.raises(NoticeIncomplete, match="the reasons"):
        clock.extend(edition, told, PLAIN, today=MONDAY, notice={})
    state, hours = shipped("us-ak-state")
    with pytest.raises(NoticeIncomplete, match="purposes of delay"):
        clock.extend(state, told, hours, today=MONDAY, notice={**NOTICE, "not_for_delay": ""})
    assert clock.extend(state, told, hours, today=MONDAY, notice=NOTICE).days == 10


def test_a_circumstance_is_one_of_those_that_the_law_lists():
    edition, hours = shipped("us-foia")
    told = [happened("received", MONDAY)]
    with pytest.raises(NoticeIncomplete, match="none of the circumstances"):
        clock.extend(edition, told, hours, today=MONDAY, notice=NOTICE)
    named = {**NOTICE, "circumstance": "voluminous"}
    assert clock.extend(edition, told, hours, today=MONDAY, notice=named).days == 10


def test_a_law_without_extensions_has_none():
    with pytest.raises(NoExtension, match="no such extension"):
        extended(rules(answer(5)), [happened("received", MONDAY)], MONDAY)


def test_what_nobody_verified_moves_no_day_of_the_laws():
    stops, more = replace(STOPS, verified=False), replace(MORE, verified=False)
    edition, received = rules(answer(5), tolling=(stops,), extensions=(more,)), happened("received", MONDAY)
    told = (received, happened("fee_notice", date(2026, 3, 4)), happened("fee_arranged", date(2026, 3, 11)))
    assert on(edition, *told) == date(2026, 3, 9)
    with pytest.raises(NoExtension, match="not verified"):
        extended(edition, [received], MONDAY)
    with pytest.raises(NoTolling, match="not verified"):
        clock.toll(edition, [received], "fee")
    assert clock.would_stop(edition, [received], "fee_notice") is None


def test_an_agreement_moves_the_agencys_own_target():
    edition, hours = shipped("us-ak-juneau")
    told = [
        happened("received", MONDAY),
        happened("paused", date(2026, 3, 4), rule="agreed", on=date(2026, 3, 11)),
    ]
    (target,) = clock.reckon(edition, told, hours, target=date(2026, 3, 16))
    assert target.on == date(2026, 3, 23)
    found = clock.extend(
        edition, told, hours, today=MONDAY, notice=NOTICE, target=date(2026, 3, 16), until=date(2026, 4, 1)
    )
    later = happened("extended", date(2026, 3, 20), code="target", rule=found.rule.code, on=found.on)
    (target,) = clock.reckon(edition, [*told, later], hours, target=date(2026, 3, 16))
    assert target.on == date(2026, 4, 1)
    with pytest.raises(NoExtension, match="no statutory clock"):
        clock.extend(edition, told, hours, today=MONDAY, notice=NOTICE, target=date(2026, 3, 16))


def test_days_on_which_a_target_stands_still_on_two_grounds_are_counted_once():
    edition = rules(
        tolling=(
            Tolling(code="one", title="One", starts="clarification_asked", ends="clarification_answered", citation="x"),
            Tolling(code="two", title="Two", starts="fee_notice", ends="fee_arranged", citation="x"),
        ),
        no_clock="none",
    )  # fmt: skip
    told = [happened("received", MONDAY)]
    told += [happened(event, date(2026, 3, 3)) for event in ("clarification_asked", "fee_notice")]
    told.append(happened("clarification_answered", date(2026, 3, 10)))
    for arranged, moved in ((date(2026, 3, 10), 27), (date(2026, 3, 12), 29), (date(2026, 3, 5), 27)):
        paid = happened("fee_arranged", arranged)
        assert on(edition, *told, paid, target=date(2026, 3, 20)) == date(2026, 3, moved)


def test_where_the_law_sets_no_day_a_target_can_be_set_later():
    edition, hours = shipped("us-fl")
    told = [happened("received", MONDAY)]
    found = clock.extend(edition, told, hours, today=MONDAY, notice=NOTICE, until=date(2026, 3, 20))
    told.append(happened("extended", MONDAY, code="target", rule=found.rule.code, on=found.on))
    (target,) = clock.reckon(edition, told, hours)
    assert (target.on, target.statutory) == (date(2026, 3, 20), False)


def test_an_answered_deadline_is_not_extended():
    edition = rules(answer(5), extensions=(MORE,))
    with pytest.raises(NoExtension, match="met already"):
        extended(edition, [happened("received", MONDAY), happened("denied", MONDAY)], MONDAY)


# -- several at once, and how they stand -------------------------------------------------------------------


def test_a_state_agency_of_alaska_has_ten_working_days():
    edition, hours = shipped("us-ak-state")
    assert on(edition, happened("received", MONDAY), hours=hours) == date(2026, 3, 16)
    assert on(edition, happened("received", MONDAY), hours=hours, track="oral") == date(2026, 3, 9)


def test_in_juneau_nothing_is_ever_late_in_law():
    edition, hours = shipped("us-ak-juneau")
    received = happened("received", MONDAY)
    assert clock.reckon(edition, [received], hours) == []
    (target,) = clock.reckon(edition, [received], hours, target=date(2026, 3, 16))
    assert not target.statutory
    assert target.standing(date(2026, 3, 17)) == "target passed"
    assert all(target.standing(MONDAY + timedelta(days=n)) != "overdue" for n in range(400))


def test_wyomings_clocks_start_with_the_acknowledgement_and_run_side_by_side():
    edition, hours = shipped("us-wy")
    before = clock.reckon(edition, [happened("received", MONDAY)], hours)
    assert [(one.on, one.waits_for) for one in before] == [(None, "its receipt is acknowledged")] * 2
    told = [happened("received", MONDAY), happened("acknowledged", date(2026, 3, 4))]
    assert {one.code: one.on for one in clock.reckon(edition, told, hours)} == {
        "notice": date(2026, 3, 13),
        "release": date(2026, 4, 3),
    }


def test_washingtons_five_days_are_met_by_an_estimate_and_the_estimate_is_due_itself():
    edition, hours = shipped("us-wa")
    told = [
        happened("received", MONDAY),
        happened("promised", date(2026, 3, 5), number=1, on=date(2026, 4, 1)),
    ]
    found = {one.code: one for one in clock.reckon(edition, told, hours)}
    assert found["response"].met_on == date(2026, 3, 5)
    assert (found["instalment-1"].on, found["instalment-1"].standing(date(2026, 4, 2))) == (
        date(2026, 4, 1),
        "overdue",
    )
    told.append(happened("instalment", date(2026, 3, 31), number=1))
    assert {one.code: one.met_on for one in clock.reckon(edition, told, hours)}["instalment-1"] == date(
        2026, 3, 31
    )


def test_new_jerseys_branches_have_days_of_their_own():
    edition, hours = shipped("us-nj")
    told = [happened("received", MONDAY), happened("complete", MONDAY)]
    days = {track: on(edition, *told, hours=hours, track=track) for track in edition.known_tracks()}
    assert days == {
        "standard": date(2026, 3, 11),
        "immediate": MONDAY,
        "crime": date(2026, 3, 3),
        "commercial": date(2026, 3, 11),
        "election": date(2026, 3, 4),
    }
    found = clock.extend(edition, told, hours, today=MONDAY, notice=NOTICE, track="commercial")
    assert found.on == date(2026, 3, 20)


def test_californias_ten_days_are_calendar_days_and_so_are_its_fourteen_more():
    edition, hours = shipped("us-ca")
    told = [happened("received", MONDAY)]
    assert on(edition, *told, hours=hours) == date(2026, 3, 12)
    assert clock.extend(edition, told, hours, today=MONDAY, notice=NOTICE).on == date(2026, 3, 26)


def test_an_appeal_has_a_clock_of_its_own_only_once_it_was_received():
    edition, hours = shipped("us-ak-bethel")
    told = [happened("received", MONDAY), happened("denied", date(2026, 3, 4))]
    assert [one.code for one in clock.reckon(edition, told, hours)] == ["response"]
    told.append(happened("appealed", date(2026, 3, 9)))
    assert {one.code: one.on for one in clock.reckon(edition, told, hours)}["appeal"] == date(2026, 3, 23)


def test_a_deadline_stands_as_its_day_is_near_past_or_met():
    edition, received = rules(answer(5)), happened("received", MONDAY)
    open_ = due(edition, received)
    told = [open_.standing(date(2026, 3, day)) for day in (2, 5, 6, 9, 10)]
    assert told == ["on track", "on track", "near", "near", "overdue"]
    assert due(edition, received, happened("denied", date(2026, 3, 9))).standing(date(2026, 4, 1)) == "met"
    assert (
        due(edition, received, happened("denied", date(2026, 3, 10))).standing(date(2026, 4, 1)) == "met late"
    )


def test_it_says_how_its_day_came_about():
    edition = rules(answer(5), tolling=(STOPS,), extensions=(MORE,))
    told = (
        happened("received", MONDAY),
        happened("fee_notice", date(2026, 3, 4)),
        happened("fee_arranged", date(2026, 3, 5)),
    )
    found = due(edition, *told)
    assert found.stands_on == (
        "the request was received on 2026-03-02",
        "5 working days, that day not counted",
        "stood still from 2026-03-04 until 2026-03-05: a fee",
    )


# -- properties --------------------------------------------------------------------------------------------

days = st.integers(0, 60).map(lambda number: MONDAY + timedelta(days=number))
counts = st.sampled_from([Count.WORKING, Count.CALENDAR])
withins = st.integers(0, 40)
rolling = st.booleans()


@given(withins, counts, rolling, st.lists(st.tuples(days, days), max_size=4), days, days)
def test_a_toll_never_brings_a_deadline_nearer(within, count, rolls, before, start, end):
    edition = rules(answer(within, count, rolls=rolls), tolling=(STOPS,))
    told = [happened("received", MONDAY)]
    for one, other in before:
        told += [happened("fee_notice", one), happened("fee_arranged", other)]
    without = due(edition, *told)
    more = [happened("fee_notice", start), happened("fee_arranged", end)]
    found = due(edition, *told, *more)
    assert without.on is not None
    assert found.on is not None
    assert found.on >= without.on
    standing = due(edition, *told, more[0])
    assert standing.on is None or standing.on >= without.on


@given(
    withins, counts, rolling, st.integers(1, 30), st.sampled_from([Count.WORKING, Count.CALENDAR]), days, days
)
def test_an_extension_never_brings_a_deadline_nearer(within, count, rolls, most, by, start, end):
    rule = replace(MORE, most=most, count=by, notice=())
    edition = rules(answer(within, count, rolls=rolls), tolling=(STOPS,), extensions=(rule,))
    told = [happened("received", MONDAY), happened("fee_notice", start), happened("fee_arranged", end)]
    before = on(edition, *told)
    assert before is not None
    found = clock.extend(edition, told, PLAIN, today=MONDAY, notice=NOTICE)
    after = on(edition, *told, as_event(found, MONDAY))
    assert after is not None
    assert after >= before


@given(withins, counts, rolling, st.sets(days, max_size=10), st.sets(days, max_size=10))
def test_a_holiday_never_brings_a_deadline_nearer(within, count, rolls, some, more):
    edition = rules(answer(within, count, rolls=rolls), after_hours=AfterHours.NEXT_WORKING_DAY)
    few = Hours(calendar=WorkingDays(closed=dict.fromkeys(some, "x")), zone=ZONE)
    many = Hours(calendar=WorkingDays(closed=dict.fromkeys(some | more, "x")), zone=ZONE)
    received = happened("received", MONDAY)
    first, second = on(edition, received, hours=few), on(edition, received, hours=many)
    assert first is not None
    assert second is not None
    assert second >= first


@given(
    withins,
    counts,
    st.lists(st.tuples(st.sampled_from(["fee_notice", "fee_arranged"]), st.integers(0, 40)), max_size=6),
    st.integers(1, 30),
)
def test_a_clock_that_goes_backwards_never_shortens(within, count, events, back):
    """Whatever end is written down with a time before its start ends nothing sooner than no stop at all."""
    edition = rules(answer(within, count), tolling=(STOPS,))
    plain = on(edition, happened("received", MONDAY))
    told = [happened("received", MONDAY)]
    for event, day in events:
        shown = MONDAY + timedelta(days=day - (back if event == "fee_arranged" else 0))
        told.append(Happened(event=event, at=max(at(shown), told[0].at)))
    found = on(edition, *told)
    assert plain is not None
    assert found is None or found >= plain


@given(withins, counts, days, days)
def test_a_later_receipt_is_never_due_sooner(within, count, one, other):
    edition = rules(answer(within, count))
    first, last = sorted((one, other))
    early, late = on(edition, happened("received", first)), on(edition, happened("received", last))
    assert early is not None
    assert late is not None
    assert late >= early

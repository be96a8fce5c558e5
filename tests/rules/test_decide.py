"""What a schedule requires of one record on one day: every form of period, everything that may be missing, and never too early."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.nouns import Role
from app.retention import schedules
from app.retention.calendar import Between, Period, YearStart
from app.retention.classify import Unclassified
from app.retention.decide import (
    Decision,
    Eligible,
    Held,
    Keep,
    KeepUntil,
    Permanent,
    Review,
    Why,
    decide,
    eligible,
)
from app.retention.editions import (
    Edition,
    InForce,
    NotAdoptable,
    SchedulesOverlap,
    TwoEditionsInForce,
    check,
    in_force,
)
from app.retention.facts import Assignment, Event, Facts, Today
from app.retention.preview import Ruling, kind
from app.retention.schedule import (
    Block,
    Clause,
    Clock,
    Cutoff,
    How,
    Rule,
    Schedule,
    Series,
    Several,
    Standing,
    Then,
    Timed,
)
from app.retention.telling import as_json, headline, lines

ASSIGNED = Assignment(series="S-1", by="rule")
TOWN = """
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "2026"
effective: 2020-01-01
fiscal_year_starts: 07-01
events: {final_adjudication: the court's decision became final}
series:
  - {code: S-0, title: What others point to, citation: Item 0, verified: true, rule: {then: permanent}}
  - code: S-1
    title: General correspondence
    citation: Resolution 12, item 3
    verified: true
    rule: RULE
"""


def schedule(rule: str) -> Schedule:
    """The town's schedule with one rule in it, read as an officer would have written it."""
    return schedules.read(TOWN.replace("RULE", rule))


def edition(made: Schedule, **more: object) -> Edition:
    return Edition(schedule=made, instrument="Resolution 12", adopted_on=date(2020, 1, 1), **more)  # type: ignore[arg-type]  # the test names what it means


def on(day: date, *editions: Edition) -> InForce:
    return in_force(editions, day)


def record(**days: date | None) -> Facts:
    """A record with the events that the test names; None: nobody knows the day."""
    return Facts(id="r1", events=tuple(Event.on(name, day) for name, day in days.items()))


def decided(rule: str, facts: Facts, today: date, *, holds: Collection[str] | bool | None = ()) -> Decision:
    return decide(facts, ASSIGNED, on(today, edition(schedule(rule))), holds, Today.plainly(today))


def ends(rule: str, facts: Facts) -> date:
    """The last day of keeping, looked for from both sides: kept on that day, eligible on the next."""
    found = decided(rule, facts, date(2020, 1, 1))
    assert isinstance(found, KeepUntil)
    kept, after = found.until, found.until + timedelta(days=1)
    assert isinstance(decided(rule, facts, kept), KeepUntil)
    later = decided(rule, facts, after)
    assert isinstance(later, Eligible)
    assert later.since == after
    return kept


# -- the forms of a period ---------------------------------------------------------------------------------


def test_a_fixed_period_ends_with_the_same_day_years_later():
    published = record(published=date(2024, 3, 5))
    assert ends("{after: published, keep: P2Y, then: destroy}", published) == date(2026, 3, 5)


def test_from_29_february_a_year_ends_on_1_march():
    assert ends("{after: published, keep: P1Y, then: destroy}", record(published=date(2024, 2, 29))) == date(
        2025, 3, 1
    )


@pytest.mark.parametrize("day", [date(2024, 1, 1), date(2024, 6, 30), date(2024, 12, 31)])
def test_after_a_calendar_year_the_years_count_from_its_end(day: date):
    rule = "{after: published, keep: P3Y, cutoff: calendar_year, then: destroy}"
    assert ends(rule, record(published=day)) == date(2027, 12, 31)


def test_after_a_fiscal_year_the_years_count_from_its_end():
    rule = "{after: published, keep: P1Y, cutoff: fiscal_year, then: destroy}"
    assert ends(rule, record(published=date(2024, 6, 30))) == date(2025, 6, 30)
    assert ends(rule, record(published=date(2024, 7, 1))) == date(2026, 6, 30)


def test_a_fiscal_year_that_ends_in_february_ends_on_its_last_day_in_a_leap_year_too():
    made = schedules.read(
        TOWN.replace("07-01", "03-01").replace(
            "RULE", "{after: published, keep: P3Y, cutoff: fiscal_year, then: destroy}"
        )
    )
    found = decide(
        record(published=date(2024, 6, 1)),
        ASSIGNED,
        on(date(2025, 1, 1), edition(made)),
        (),
        Today.plainly(date(2025, 1, 1)),
    )
    assert isinstance(found, KeepUntil)
    assert found.until == date(2028, 2, 29)


def test_anniversary_years_count_from_the_event_itself_unless_another_day_is_named():
    superseded = record(published=date(2019, 2, 1), superseded=date(2024, 3, 5))
    plain = "{after: superseded, keep: P1Y, cutoff: anniversary, then: destroy}"
    assert ends(plain, superseded) == date(2025, 3, 5)
    named = "{after: superseded, keep: P1Y, cutoff: anniversary, anniversary_of: published, then: destroy}"
    assert ends(named, superseded) == date(2026, 1, 31)


def test_a_post_that_still_stands_never_becomes_eligible_under_a_rule_that_waits_for_its_removal():
    rule = "{all_of: [{after: published, keep: P2Y}, {after: removed, keep: P2Y}], then: destroy}"
    stands = record(published=date(2020, 5, 1))
    found = decided(rule, stands, date(2099, 1, 1))
    assert isinstance(found, Keep)
    assert [one.code for one in found.missing] == [Why.NO_EVENT]
    assert found.missing[0].words == "no event removed is known"
    taken_down = stands.with_event(Event.on("removed", date(2024, 8, 1)))
    assert ends(rule, taken_down) == date(2026, 8, 1)


def test_the_later_of_two_counts_or_the_earlier_as_the_rule_says():
    facts = record(published=date(2021, 1, 1), last_action=date(2023, 1, 1))
    parts = "[{after: published, keep: P5Y}, {after: last_action, keep: P1Y}]"
    assert ends(f"{{all_of: {parts}, then: destroy}}", facts) == date(2026, 1, 1)
    assert ends(f"{{any_of: {parts}, then: destroy}}", facts) == date(2024, 1, 1)


def test_the_earlier_of_need_and_a_year_does_not_wait_for_a_need_that_nobody_declared():
    rule = "{any_of: [{after: declared, keep: P0D}, {after: published, keep: P1Y}], then: destroy}"
    assert ends(rule, record(published=date(2021, 1, 1))) == date(2022, 1, 1)


def test_combinations_nest():
    rule = "{all_of: [{after: published, keep: P1Y}, {any_of: [{after: answered, keep: P1M}, {after: last_action, keep: P6M}]}], then: destroy}"
    facts = record(published=date(2021, 1, 1), answered=date(2022, 1, 1), last_action=date(2023, 1, 1))
    assert ends(rule, facts) == date(2022, 2, 1)


def test_what_needs_a_declaration_waits_for_one_that_is_signed_and_speaks_of_its_series():
    rule = "{after: declared, keep: P0D, declares: its value has ended, then: destroy}"
    plain = record(published=date(2021, 1, 1))

    def why(*events: Event) -> list[Why]:
        facts = plain
        for event in events:
            facts = facts.with_event(event)
        found = decided(rule, facts, date(2030, 1, 1))
        return [one.code for one in found.missing] if isinstance(found, Keep) else []

    day = date(2024, 5, 1)
    assert why() == [Why.NO_EVENT]
    assert why(Event.on("declared", day, about="S-1")) == [Why.NOT_SIGNED]
    assert why(Event.on("declared", day, about="S-0", signed_by="Ann Lee")) == [Why.NO_EVENT]
    assert why(Event.on("declared", None, about="S-1", signed_by="Ann Lee")) == [Why.NO_DAY]
    assert why(Event.on("declared", day, about="S-1", signed_by="Ann Lee")) == []


def test_what_depends_on_another_series_waits_until_its_records_were_disposed_of():
    rule = "{depends_on: S-0, keep: P0D, then: destroy}"
    plain = record(published=date(2021, 1, 1))
    found = decided(rule, plain, date(2030, 1, 1))
    assert isinstance(found, Keep)
    assert found.missing[0].words == "no disposal of series S-0 is known"
    other = plain.with_event(Event.on("disposed", date(2024, 5, 1), about="S-9"))
    assert isinstance(decided(rule, other, date(2030, 1, 1)), Keep)
    gone = plain.with_event(Event.on("disposed", date(2024, 5, 1), about="S-0"))
    assert ends(rule, gone) == date(2024, 5, 1)


def test_zero_ends_with_the_day_of_the_event():
    assert ends(
        "{after: read, keep: P0D, then: destroy}", record(published=date(2024, 5, 1), read=date(2024, 5, 2))
    ) == date(2024, 5, 2)


def test_an_event_of_the_schedules_own_starts_a_clock():
    rule = "{after: final_adjudication, keep: P3Y, then: destroy}"
    facts = record(published=date(2019, 5, 1), final_adjudication=date(2021, 5, 1))
    assert ends(rule, facts) == date(2024, 5, 1)


def test_what_is_transferred_in_blocks_waits_for_the_last_year_of_its_block():
    rule = "{after: published, keep: P20Y, cutoff: calendar_year, blocks: {years: 5, from: 2001}, then: transfer}"
    assert ends(rule, record(published=date(2001, 1, 1))) == date(2025, 12, 31)
    assert ends(rule, record(published=date(2005, 12, 31))) == date(2025, 12, 31)
    found = decided(rule, record(published=date(2001, 1, 1)), date(2026, 1, 1))
    assert isinstance(found, Eligible)
    assert found.then is Then.TRANSFER


def test_the_agencys_own_period_counts_where_it_is_longer():
    facts = record(published=date(2021, 1, 1))
    assert ends("{after: published, keep: P2Y, agency_keep: P3Y, then: destroy}", facts) == date(2024, 1, 1)
    assert ends("{after: published, keep: P24M, agency_keep: P2Y, then: destroy}", facts) == date(2023, 1, 1)


def test_where_the_agency_must_set_the_period_nothing_ends_until_it_has():
    facts = record(published=date(2021, 1, 1))
    unset = decided("{after: published, agency_must_set: true, then: destroy}", facts, date(2099, 1, 1))
    assert isinstance(unset, Keep)
    assert [one.code for one in unset.missing] == [Why.UNDEFINED]
    set_by_it = "{after: published, agency_must_set: true, agency_keep: P1Y, then: destroy}"
    assert ends(set_by_it, facts) == date(2022, 1, 1)


def test_a_part_that_is_undefined_keeps_even_where_the_earliest_would_count():
    rule = (
        "{any_of: [{after: published, agency_must_set: true}, {after: published, keep: P1Y}], then: destroy}"
    )
    found = decided(rule, record(published=date(2021, 1, 1)), date(2099, 1, 1))
    assert isinstance(found, Keep)
    assert [one.code for one in found.missing] == [Why.UNDEFINED]


def test_a_maximum_is_told_and_disposes_of_nothing():
    facts = record(published=date(2021, 1, 1))
    alone = decided("{after: published, at_most: P90D, then: destroy}", facts, date(2099, 1, 1))
    assert isinstance(alone, Keep)
    assert "2021-04-01 at most; that day has passed" in alone.grounds.notices[0]
    both = decided("{after: published, keep: P1Y, at_most: P5Y, then: destroy}", facts, date(2021, 6, 1))
    assert isinstance(both, KeepUntil)
    assert "that day has not passed" in both.grounds.notices[0]


def test_permanent_is_kept_for_ever():
    assert isinstance(
        decided("{then: permanent}", record(published=date(1999, 1, 1)), date(2999, 1, 1)), Permanent
    )


def test_a_review_is_due_and_keeps_all_the_same():
    rule = "{after: published, keep: P5Y, then: review, assigns: [S-0]}"
    facts = record(published=date(2021, 1, 1))
    early, due = decided(rule, facts, date(2026, 1, 1)), decided(rule, facts, date(2026, 1, 2))
    assert isinstance(early, Review)
    assert isinstance(due, Review)
    assert (early.due, due.due, due.on, due.assigns) == (False, True, date(2026, 1, 2), ("S-0",))
    assert not eligible(due)


def test_what_is_undefined_is_kept_and_says_why():
    found = decided(
        "{undefined: its period was not read}", record(published=date(2021, 1, 1)), date(2099, 1, 1)
    )
    assert isinstance(found, Keep)
    assert found.missing[0].words == "its series has no period: its period was not read"


def test_what_an_officer_orders_kept_longer_is_kept_longer_and_never_shorter():
    rule = "{after: published, keep: P2Y, then: destroy}"
    facts = record(published=date(2021, 1, 1))
    assert ends(rule, replace(facts, extended_until=date(2024, 6, 1))) == date(2024, 6, 1)
    assert ends(rule, replace(facts, extended_until=date(2022, 6, 1))) == date(2023, 1, 1)


# -- events ------------------------------------------------------------------------------------------------

TWO_YEARS = "{after: removed, keep: P2Y, then: destroy}"


def test_an_interval_starts_the_clock_at_its_later_end():
    facts = record(published=date(2021, 1, 1)).with_event(
        Event(name="removed", when=Between(after=date(2022, 3, 1), by=date(2022, 3, 9)))
    )
    assert ends(TWO_YEARS, facts) == date(2024, 3, 9)


def test_an_event_without_a_day_starts_no_clock():
    found = decided(TWO_YEARS, record(published=date(2021, 1, 1), removed=None), date(2099, 1, 1))
    assert isinstance(found, Keep)
    assert [one.code for one in found.missing] == [Why.NO_DAY]
    assert "nobody knows on which day: the page stopped showing it" in found.missing[0].words


def test_of_several_events_the_latest_counts_and_one_without_a_day_might_be_the_latest():
    facts = record(published=date(2021, 1, 1), removed=date(2021, 5, 1))
    twice = facts.with_event(Event.on("removed", date(2022, 5, 1)))
    assert ends(TWO_YEARS, twice) == date(2024, 5, 1)
    assert isinstance(decided(TWO_YEARS, twice.with_event(Event.on("removed", None)), date(2099, 1, 1)), Keep)


def test_a_clock_never_starts_before_the_record_was_there():
    mistaken = record(published=date(2021, 1, 1), first_seen=date(2021, 1, 2), removed=date(2011, 5, 1))
    assert ends(TWO_YEARS, mistaken) == date(2023, 1, 1)
    imported = record(published=date(2015, 1, 1), first_seen=date(2021, 1, 2), removed=date(2019, 5, 1))
    assert ends(TWO_YEARS, imported) == date(2021, 5, 1)


def test_an_event_before_an_undated_record_was_captured_starts_no_clock():
    undated = record(published=None, first_seen=date(2021, 1, 2), removed=date(2011, 5, 1))
    found = decided(TWO_YEARS, undated, date(2099, 1, 1))
    assert isinstance(found, Keep)
    assert [one.code for one in found.missing] == [Why.BEFORE_RECORD]
    after = record(published=None, first_seen=date(2021, 1, 2), removed=date(2021, 5, 1))
    assert ends(TWO_YEARS, after) == date(2023, 5, 1)


# -- what must be so for every record ----------------------------------------------------------------------

PLAIN = "{after: published, keep: P2Y, then: destroy}"
OLD = record(published=date(2021, 1, 1))
NOW = date(2026, 3, 1)


def why(found: Decision) -> list[Why]:
    assert isinstance(found, Keep)
    return [one.code for one in found.missing]


def with_series(**changed: object) -> Edition:
    made = schedule(PLAIN)
    first, second = made.series
    return edition(replace(made, series=(first, replace(second, **changed))))  # type: ignore[arg-type]  # the test names what it means


def test_with_everything_in_order_it_is_eligible_and_cites_its_authority():
    found = decide(OLD, ASSIGNED, on(NOW, with_series()), (), Today.plainly(NOW))
    assert isinstance(found, Eligible)
    assert (found.since, found.then, found.grounds.citation) == (
        date(2023, 1, 2),
        Then.DESTROY,
        "Resolution 12, item 3",
    )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"verified": False}, Why.NOT_VERIFIED),
        ({"unconfirmed": "the beginning"}, Why.NOT_CONFIRMED),
        ({"standing": Standing.PROPOSED}, Why.NOT_CURRENT),
        ({"standing": Standing.SUPERSEDED}, Why.NOT_CURRENT),
        ({"citation": ""}, Why.NO_CITATION),
    ],
)
def test_a_series_that_lacks_something_keeps_and_says_what(changed: dict[str, object], code: Why):
    assert why(decide(OLD, ASSIGNED, on(NOW, with_series(**changed)), (), Today.plainly(NOW))) == [code]


def test_nothing_is_decided_by_a_schedule_that_nobody_adopted():
    assert why(decide(OLD, ASSIGNED, on(NOW), (), Today.plainly(NOW))) == [Why.NOT_ADOPTED]


def test_nor_by_one_before_it_is_in_force_or_after_it_ended():
    future = edition(replace(schedule(PLAIN), effective=date(2026, 3, 2)))
    assert why(decide(OLD, ASSIGNED, on(NOW, future), (), Today.plainly(NOW))) == [Why.NOT_ADOPTED]
    ended = edition(schedule(PLAIN), ended_on=NOW)
    assert why(decide(OLD, ASSIGNED, on(NOW, ended), (), Today.plainly(NOW))) == [Why.NOT_ADOPTED]
    last_day = NOW - timedelta(days=1)
    assert eligible(decide(OLD, ASSIGNED, on(last_day, ended), (), Today.plainly(last_day)))


def test_an_edition_that_does_not_bind_on_the_day_decides_nothing_even_if_it_is_handed_in():
    ended = edition(schedule(PLAIN), ended_on=NOW)
    assert why(decide(OLD, ASSIGNED, InForce(NOW, (ended,)), (), Today.plainly(NOW))) == [Why.NOT_ADOPTED]


def test_editions_that_were_looked_up_for_another_day_decide_nothing():
    found = decide(OLD, ASSIGNED, on(NOW, with_series()), (), Today.plainly(NOW + timedelta(days=1)))
    assert why(found) == [Why.OTHER_DAY]


def test_a_record_without_a_series_is_kept_and_so_is_one_in_a_series_that_is_not_there():
    force = on(NOW, with_series())
    assert why(decide(OLD, None, force, (), Today.plainly(NOW))) == [Why.NO_SERIES]
    elsewhere = Assignment(series="S-7", by="Ann Lee")
    assert why(decide(OLD, elsewhere, force, (), Today.plainly(NOW))) == [Why.UNKNOWN_SERIES]


@pytest.mark.parametrize("holds", [True, ["h1"], ["h2", "h1"]])
def test_a_hold_outranks_every_schedule(holds: Collection[str] | bool):
    found = decided(PLAIN, OLD, NOW, holds=holds)
    assert isinstance(found, Held)
    assert isinstance(found.otherwise, Eligible)
    assert not eligible(found)
    assert found.holds == (() if isinstance(holds, bool) else tuple(sorted(holds)))


@pytest.mark.parametrize("holds", [False, (), frozenset()])
def test_no_hold_is_a_fact_only_if_somebody_looked(holds: Collection[str] | bool):
    assert eligible(decided(PLAIN, OLD, NOW, holds=holds))
    assert why(decided(PLAIN, OLD, NOW, holds=None)) == [Why.NOBODY_LOOKED]


def test_a_clock_that_goes_back_makes_nothing_eligible():
    force = on(NOW, with_series())
    back = Today(day=NOW, seen=NOW + timedelta(days=1))
    assert why(decide(OLD, ASSIGNED, force, (), back)) == [Why.CLOCK]
    assert eligible(decide(OLD, ASSIGNED, force, (), Today(day=NOW, seen=NOW)))


def test_a_clock_that_runs_ahead_of_what_is_attested_makes_nothing_eligible():
    force = on(NOW, with_series())
    ahead = Today(day=NOW, seen=NOW, attested=NOW - timedelta(days=1))
    assert why(decide(OLD, ASSIGNED, force, (), ahead)) == [Why.CLOCK]
    assert eligible(decide(OLD, ASSIGNED, force, (), replace(ahead, attested=NOW)))


def test_everything_that_is_missing_is_named_at_once():
    found = decide(
        record(published=None),
        ASSIGNED,
        on(NOW, with_series(verified=False, citation="")),
        None,
        Today(day=NOW, seen=NOW + timedelta(days=1)),
    )
    assert why(found) == [
        Why.NOBODY_LOOKED,
        Why.CLOCK,
        Why.NOT_VERIFIED,
        Why.NO_CITATION,
        Why.NO_DAY,
    ]


# -- editions ----------------------------------------------------------------------------------------------


def test_an_edition_binds_from_its_adoption_or_its_effect_whichever_is_later():
    made = schedule(PLAIN)
    assert edition(made).since == date(2020, 1, 1)
    assert edition(replace(made, effective=date(2027, 1, 1))).since == date(2027, 1, 1)
    assert edition(replace(made, effective=None)).since == date(2020, 1, 1)
    assert edition(replace(made, effective=date(2012, 7, 4))).since == date(2020, 1, 1), "adopted later"


def test_two_editions_in_force_at_once_are_refused():
    one = edition(schedule(PLAIN))
    two = edition(replace(schedule(PLAIN), edition="2027", effective=date(2027, 1, 1)))
    assert len(on(NOW, one, two).editions) == 1, "the second has not begun"
    with pytest.raises(TwoEditionsInForce) as refused:
        check([one, two])
    assert "2027-01-01" in str(refused.value)
    check([replace(one, ended_on=date(2027, 1, 1)), two])
    with pytest.raises(TwoEditionsInForce):
        on(date(2027, 1, 1), one, two)
    with pytest.raises(TwoEditionsInForce):
        InForce(date(2027, 1, 1), (one, two))


def test_two_schedules_that_use_one_code_or_one_priority_are_refused():
    one = edition(schedule(PLAIN))
    same_code = edition(replace(schedule(PLAIN), title="Police records"))
    with pytest.raises(SchedulesOverlap, match="S-0"):
        check([one, same_code])
    rules = "\nclassify:\n  - {series: S-1, when: flood, priority: 5}\n"
    mine = edition(schedules.read(TOWN.replace("RULE", PLAIN) + rules))
    theirs = edition(
        schedules.read(
            (TOWN.replace("RULE", PLAIN) + rules).replace("S-", "P-").replace("Records retention", "Police")
        )
    )
    with pytest.raises(SchedulesOverlap, match="priority 5"):
        check([mine, theirs])
    check([one, theirs])


def test_a_placeholder_cannot_be_adopted():
    with pytest.raises(NotAdoptable) as refused:
        check([edition(replace(schedule(PLAIN), placeholder="its text was not found"))])
    assert "its text was not found" in str(refused.value)


def test_a_new_edition_speaks_of_every_record_that_is_held():
    """Also of those whose years had begun, or were over, under the edition before it."""
    longer = edition(
        replace(schedule("{after: published, keep: P10Y, then: destroy}"), effective=date(2026, 1, 1))
    )
    before = edition(schedule(PLAIN), ended_on=date(2026, 1, 1))
    day = date(2025, 12, 31)
    assert eligible(decide(OLD, ASSIGNED, on(day, before, longer), (), Today.plainly(day)))
    found = decide(OLD, ASSIGNED, on(NOW, before, longer), (), Today.plainly(NOW))
    assert isinstance(found, KeepUntil)
    assert found.until == date(2031, 1, 1)


# -- properties --------------------------------------------------------------------------------------------

SMALL = st.tuples(st.integers(0, 6), st.integers(0, 13), st.integers(0, 40)).map(
    lambda drawn: Period(years=drawn[0], months=drawn[1], days=drawn[2])
)
NAMES = ("published", "first_seen", "removed", "last_action", "declared", "answered")
NEAR = st.integers(0, 16 * 365).map(lambda days: date(2015, 1, 1) + timedelta(days=days))


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    cutoff = draw(st.sampled_from(Cutoff))
    years = cutoff in {Cutoff.CALENDAR_YEAR, Cutoff.FISCAL_YEAR} and draw(st.integers(0, 3))
    return Clause(
        after=draw(st.sampled_from(NAMES)),
        keep=draw(SMALL) if draw(st.integers(0, 9)) else None,
        agency_keep=draw(SMALL) if draw(st.booleans()) else None,
        agency_must_set=not draw(st.integers(0, 9)),
        cutoff=cutoff,
        block=Block(years=years, first=2003) if years else None,
    )


CLAUSES = clauses()
CLOCKS: st.SearchStrategy[Clock] = st.recursive(
    CLAUSES,
    lambda inner: st.builds(
        Several, how=st.sampled_from(How), parts=st.lists(inner, min_size=1, max_size=2).map(tuple)
    ),
    max_leaves=4,
)
RULES: st.SearchStrategy[Rule] = st.tuples(CLOCKS, st.booleans()).map(
    lambda drawn: Timed(clock=drawn[0], then=Then.TRANSFER if drawn[1] else Then.DESTROY)
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    name = draw(st.sampled_from(NAMES))
    known = draw(st.integers(0, 9))
    after = draw(NEAR) if known > 7 else None
    declared = name == "declared"
    return Event(
        name=name,
        when=Between(by=draw(NEAR), after=after) if known else None,
        about="S-1" if declared else "",
        signed_by="Ann Lee" if declared else "",
    )


FACTS = st.builds(
    Facts,
    id=st.just("r1"),
    events=st.lists(events(), min_size=1, max_size=7).map(tuple),
    extended_until=st.one_of(st.none(), NEAR),
)
CASES = settings(max_examples=80)


def force(rule: Rule, day: date) -> InForce:
    made = Schedule(
        jurisdiction="us-xx",
        authority="Council",
        title="Schedule",
        edition="1",
        effective=date(2000, 1, 1),
        fiscal_year_starts=YearStart(month=7, day=1),
        approvals=(Role.RECORDS_OFFICER, Role.APPROVER),
        series=(Series(code="S-1", title="All", rule=rule, citation="Item 1", verified=True),),
    )
    return in_force([Edition(schedule=made, instrument="Ordinance 1", adopted_on=date(2000, 1, 1))], day)


def is_eligible(rule: Rule, facts: Facts, day: date, **more: date) -> bool:
    return eligible(decide(facts, ASSIGNED, force(rule, day), (), Today(day=day, seen=more.get("seen", day))))


DAYS = st.integers(0, 30 * 365).map(lambda days: date(2015, 1, 1) + timedelta(days=days))


@CASES
@given(RULES, FACTS, DAYS, st.integers(min_value=0, max_value=2000), st.integers(min_value=0, max_value=10))
def test_an_event_that_moves_later_never_makes_a_record_eligible_earlier(
    rule: Rule, facts: Facts, day: date, later: int, which: int
):
    def moved(place: int, event: Event) -> Event:
        if place != which % max(1, len(facts.events)) or event.when is None:
            return event
        return replace(event, when=Between(after=event.when.after, by=event.when.by + timedelta(days=later)))

    changed = replace(facts, events=tuple(moved(place, event) for place, event in enumerate(facts.events)))
    assert is_eligible(rule, facts, day) or not is_eligible(rule, changed, day)


@CASES
@given(RULES, FACTS, DAYS, st.integers(min_value=0, max_value=10))
def test_an_event_that_becomes_unknown_never_makes_a_record_eligible(
    rule: Rule, facts: Facts, day: date, which: int
):
    place = which % max(1, len(facts.events))
    changed = replace(
        facts,
        events=tuple(
            replace(event, when=None) if at == place else event for at, event in enumerate(facts.events)
        ),
    )
    assert is_eligible(rule, facts, day) or not is_eligible(rule, changed, day)


def longer(clock: Clock, more: Period) -> Clock:
    if isinstance(clock, Several):
        return replace(clock, parts=tuple(longer(part, more) for part in clock.parts))

    def grown(period: Period | None) -> Period | None:
        return period and Period(
            years=period.years + more.years, months=period.months + more.months, days=period.days + more.days
        )

    return replace(clock, keep=grown(clock.keep), agency_keep=grown(clock.agency_keep))


@CASES
@given(CLOCKS, FACTS, DAYS, SMALL)
def test_a_period_that_grows_never_makes_a_record_eligible_earlier(
    clock: Clock, facts: Facts, day: date, more: Period
):
    short, long = (Timed(clock=one, then=Then.DESTROY) for one in (clock, longer(clock, more)))
    assert is_eligible(short, facts, day) or not is_eligible(long, facts, day)


@CASES
@given(RULES, FACTS, DAYS, st.integers(min_value=0, max_value=4000))
def test_a_day_that_goes_back_never_makes_a_record_eligible(rule: Rule, facts: Facts, day: date, back: int):
    earlier = day - timedelta(days=min(back, (day - date(2001, 1, 1)).days))
    assert is_eligible(rule, facts, day) or not is_eligible(rule, facts, earlier)
    assert earlier == day or not is_eligible(rule, facts, earlier, seen=day)


@CASES
@given(RULES, FACTS, DAYS, st.one_of(st.none(), st.just(True), st.lists(st.text(min_size=1), min_size=1)))
def test_a_hold_never_allows_disposition(
    rule: Rule, facts: Facts, day: date, holds: Collection[str] | bool | None
):
    assert not eligible(decide(facts, ASSIGNED, force(rule, day), holds, Today.plainly(day)))


@CASES
@given(CLAUSES, FACTS, DAYS)
def test_the_latest_of_several_is_never_earlier_than_one_and_the_earliest_never_later(
    clause: Clause, facts: Facts, day: date
):
    other = Clause(after="published", keep=Period(years=1))
    alone = is_eligible(Timed(clock=clause, then=Then.DESTROY), facts, day)
    latest = Timed(clock=Several(how=How.ALL, parts=(clause, other)), then=Then.DESTROY)
    earliest = Timed(clock=Several(how=How.ANY, parts=(clause, other)), then=Then.DESTROY)
    assert alone or not is_eligible(latest, facts, day)
    if not clause.undefined:
        assert is_eligible(earliest, facts, day) or not alone


@CASES
@given(RULES, FACTS, DAYS)
def test_eligibility_always_cites_authority_and_rests_on_days_that_are_known(
    rule: Rule, facts: Facts, day: date
):
    found = decide(facts, ASSIGNED, force(rule, day), (), Today.plainly(day))
    told = as_json(Ruling(classification=Unclassified(why="not asked"), decision=found))
    if isinstance(found, Eligible):
        assert found.grounds.citation
        assert found.since <= day
        assert told["instrument"] == "Ordinance 1"
    elif isinstance(found, Keep):
        assert found.missing
        assert all(one.words for one in found.missing)
    else:
        assert isinstance(found, KeepUntil)
        assert found.until >= day


def test_some_of_these_are_eligible():
    """The twin: the properties above do not hold because nothing ever is."""
    found = decide(OLD, ASSIGNED, force(Timed(clock=Clause(after="published", keep=Period(years=1)), then=Then.DESTROY), NOW), (), Today.plainly(NOW))  # fmt: skip
    assert eligible(found)


# -- what people are told ----------------------------------------------------------------------------------


def told(found: Decision) -> list[str]:
    return lines(Ruling(classification=Unclassified(why="nobody asked"), decision=found))


def test_a_decision_explains_itself():
    rule = "{all_of: [{after: published, keep: P3Y, cutoff: calendar_year}, {after: removed, keep: P2Y}], then: destroy, instruction: by shredding}"
    facts = record(published=date(2021, 5, 1), removed=date(2024, 8, 1))
    said = told(decided(rule, facts, date(2025, 1, 1)))
    assert said[0] == "Kept until the end of 2026-08-01; after that it may be destroyed."
    assert "Series S-1, General correspondence (Records retention schedule, edition 2026)." in said
    assert "Authority: Resolution 12, item 3; adopted by Resolution 12." in said
    assert "The latest counts:" in said
    assert (
        "  3 years after the end of the calendar year in which it was published: the clock started on 2021-05-01, cut off on 2021-12-31, kept until the end of 2024-12-31"
        in said
    )
    assert (
        "  2 years after the page stopped showing it: the clock started on 2024-08-01, kept until the end of 2026-08-01"
        in said
    )


SAYS: list[tuple[Callable[[], Decision], str, str]] = [
    (lambda: decided(PLAIN, OLD, NOW), "destroy", "Eligible since 2023-01-02 to be destroyed."),
    (
        lambda: decided(PLAIN, OLD, NOW, holds=True),
        "held",
        "Held: it is kept whatever its schedule says. Without the hold: Eligible since 2023-01-02 to be destroyed.",
    ),
    (lambda: decided("{then: permanent}", OLD, NOW), "permanent", "Permanent: it is kept for ever."),
    (
        lambda: decided("{after: published, keep: P2Y, then: review}", OLD, NOW),
        "review_due",
        "Due for review since 2023-01-02; kept until somebody has.",
    ),
    (
        lambda: decided("{after: published, keep: P9Y, then: transfer}", OLD, NOW),
        "keep_until",
        "Kept until the end of 2030-01-01; after that it may be transferred.",
    ),
    (lambda: decided(TWO_YEARS, OLD, NOW), "keep", "Kept: no event removed is known."),
]


@pytest.mark.parametrize(("found", "word", "sentence"), SAYS, ids=[word for _, word, _ in SAYS])
def test_every_outcome_has_a_word_and_a_sentence(found: Callable[[], Decision], word: str, sentence: str):
    assert (kind(found()), headline(found())) == (word, sentence)
    assert as_json(Ruling(classification=Unclassified(why=""), decision=found()))["decision"] == word


def test_the_ids_of_holds_are_not_told():
    found = decided(PLAIN, OLD, NOW, holds=["matter-of-silence"])
    assert "matter-of-silence" not in repr(told(found)) + repr(
        as_json(Ruling(classification=Unclassified(why=""), decision=found))
    )

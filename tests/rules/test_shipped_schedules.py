"""The schedules that come with Muniment: each says what was read of its authority's text, and nothing more."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from app.retention import schedules, schema
from app.retention.calendar import Period
from app.retention.decide import Eligible, Keep, KeepUntil, Permanent, Review, decide
from app.retention.editions import Edition, InForce, NotAdoptable, check, in_force
from app.retention.facts import Assignment, Event, Facts, Today
from app.retention.schedule import (
    DECLARED,
    EVENTS,
    Clause,
    Forever,
    How,
    Schedule,
    Series,
    Several,
    Standing,
    Then,
    Timed,
    Undefined,
    clauses,
)

NAMES = (
    "jackson", "us-ak-juneau", "us-ak-model", "us-mn-cities", "us-nara-grs-6.4", "us-nc", "us-or-cities", "us-tx-gr",
    "us-ut", "us-wa-core", "us-wy",
)  # fmt: skip
FOUNDING = ("jackson", "us-ak-juneau")
EVERY = pytest.mark.parametrize("name", NAMES)
LATER = date(2199, 1, 1)


@cache
def shipped(name: str) -> Schedule:
    return schedules.load(schedules.shipped()[name])


def every_series() -> list[tuple[str, Series]]:
    return [(name, one) for name in NAMES for one in shipped(name).series]


# -- each file ---------------------------------------------------------------------------------------------


def test_these_are_shipped():
    assert tuple(schedules.shipped()) == NAMES


@EVERY
def test_every_file_meets_the_published_schema(name: str):
    text = schedules.shipped()[name].read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schedule.schema.json\n")
    told = yaml.safe_load(text)
    told["effective"] = told["effective"] and str(told["effective"])
    jsonschema.Draft202012Validator(schema.make()).validate(told)


@EVERY
def test_every_series_names_where_it_was_read(name: str):
    for one in shipped(name).series:
        assert "http" in one.source, one.code


@EVERY
def test_what_was_not_read_has_no_period(name: str):
    for one in shipped(name).series:
        assert isinstance(one.rule, Undefined) is not one.verified, one.code


@EVERY
def test_no_file_classifies_for_an_agency(name: str):
    assert shipped(name).classify == ()


@pytest.mark.parametrize("name", FOUNDING)
def test_the_founding_departments_keep_everything_until_their_own_schedule_is_there(name: str):
    made = shipped(name)
    edition = Edition(schedule=made, instrument="Resolution 1", adopted_on=date(2026, 1, 1))
    with pytest.raises(NotAdoptable):
        check([edition])
    with pytest.raises(NotAdoptable):
        InForce(LATER, (edition,))
    facts = Facts(id="r", events=(Event.on("published", date(2011, 1, 1)),))
    nothing = in_force([], LATER)
    assert isinstance(
        decide(facts, Assignment(series="1", by="rule"), nothing, (), Today.plainly(LATER)), Keep
    )


def test_no_state_is_assumed_for_jackson():
    text = schedules.shipped()["jackson"].read_text(encoding="utf-8")
    assert shipped("jackson").jurisdiction == "jackson"
    assert re.search(r"\bW\.?S\.?|\bWY\b|wyoming|new jersey|us-[a-z]{2}", text, re.IGNORECASE) is None


# -- what would happen if they were adopted ----------------------------------------------------------------


def everything_happened(series: str) -> Facts:
    """A record to which everything has happened long ago, declared and signed for its series."""
    day = date(2012, 8, 1)
    told = [Event.on(name, day, about=series, signed_by="Ann Lee") for name in EVENTS]
    return Facts(id="r", events=(Event.on("published", date(2012, 7, 5)), *told[1:]))


def ruled(name: str, one: Series) -> Any:
    edition = Edition(schedule=shipped(name), instrument="Ordinance 1", adopted_on=date(2026, 1, 1))
    found = decide(
        everything_happened(one.code),
        Assignment(series=one.code, by="Ann Lee"),
        in_force([edition], LATER),
        (),
        Today.plainly(LATER),
    )
    assert isinstance(found, Keep | Permanent | Eligible | KeepUntil | Review)
    return found


def test_only_series_that_were_read_and_confirmed_ever_end():
    ending = {f"{name}: {one.code}" for name, one in every_series() if isinstance(ruled(name, one), Eligible)}
    assert ending == {
        "us-mn-cities: COMPLAINTS-GENERAL",
        "us-mn-cities: CORRESPONDENCE-MESSAGES",
        "us-nara-grs-6.4: GRS 6.4/010",
        "us-nara-grs-6.4: GRS 6.4/020",
        "us-or-cities: 166-200-0235(15)",
        "us-or-cities: 166-200-0325(6)",
        "us-ut: GRS-1758",
        "us-wa-core: GS2010-001",
        "us-wa-core: GS50-01-12 Rev. 3",
        "us-wy: ADM-COM-04",
        "us-wy: ADM-COM-07",
        "us-wy: ADM-GMT-05",
        "us-wy: ADM-GMT-26",
    }


def test_none_of_them_ends_on_the_day_before_its_last():
    """Washington's two years count from the removal, wherever it lies after publication."""
    washington = shipped("us-wa-core")
    edition = Edition(schedule=washington, instrument="Ordinance 1", adopted_on=date(2020, 1, 1))
    made = Assignment(series="GS2010-001", by="Ann Lee")
    post = Facts(id="r", events=(Event.on("published", date(2021, 3, 1)),))

    def on(day: date, facts: Facts) -> object:
        return decide(facts, made, in_force([edition], day), (), Today.plainly(day))

    assert isinstance(on(LATER, post), Keep), "it still stands"
    removed = post.with_event(Event.on("removed", date(2024, 5, 1)))
    assert isinstance(on(date(2026, 5, 1), removed), KeepUntil)
    assert isinstance(on(date(2026, 5, 2), removed), Eligible)


# -- against what was read ---------------------------------------------------------------------------------

FILES = {
    ("US-AK-Juneau", "CBJ records"): "us-ak-juneau",
    ("US-WY-Jackson", "Relevant"): "jackson",
    ("US-AK", "Local Government Model"): "us-ak-model",
    ("US-WY", "Wyoming Records"): "us-wy",
    ("US-WA", "Local Government Common"): "us-wa-core",
    ("US-OR", "City General"): "us-or-cities",
    ("US-TX", "Local Schedule GR"): "us-tx-gr",
    ("US-NC", ""): "us-nc",
    ("US-MN", "General Records"): "us-mn-cities",
    ("US-UT", "General Retention"): "us-ut",
    ("US", "General Records Schedule 6.4:"): "us-nara-grs-6.4",
}
EVENT_OF = {
    "created": "published",
    "superseded_or_obsolete": "superseded",
    "last_action": "last_action",
    "action_completed": "completed",
    "read": "read",
    "separation": "officer_separated",
    "administrative_value_ends": DECLARED,
}


@pytest.fixture(scope="module")
def facts(shared: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = yaml.safe_load(
        (shared / "reference" / "schedules_facts.yaml").read_text(encoding="utf-8")
    )
    return told


def file_of(fact: dict[str, Any]) -> str | None:
    return next(
        (
            name
            for (place, title), name in FILES.items()
            if fact["jurisdiction"] == place and str(fact["schedule_title"]).startswith(title)
        ),
        None,
    )


def pairs(facts: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Series]]:
    """Each fact with the series that we ship for it."""
    found = []
    for fact in facts:
        name = file_of(fact)
        if name is None or name in FOUNDING:
            continue
        matching = [
            one
            for one in shipped(name).series
            if (one.ours and one.title == fact["series_title"])
            or (not one.ours and one.code == str(fact["series_id"]))
        ]
        assert len(matching) == 1, (name, fact["series_id"], fact["series_title"])
        found.append((fact, matching[0]))
    return found


def test_every_series_that_was_read_is_shipped_and_no_other(facts: list[dict[str, Any]]):
    found = pairs(facts)
    assert len(found) > 35
    assert sorted(one.code for _, one in found) == sorted(one.code for _, one in every_series())
    assert {file_of(fact) for fact in facts} - {None} == set(NAMES)


def test_each_is_called_cited_and_verified_as_it_was_read(facts: list[dict[str, Any]]):
    for fact, one in pairs(facts):
        assert one.title == fact["series_title"], one.code
        assert one.citation == (fact["citation"] or ""), one.code
        assert one.verified == fact["verified"], one.code
        assert one.ours == (fact["series_id"] is None), one.code
        (address, *_) = re.findall(r"https?://[^\s;)]+", fact["source"])
        assert address in one.source, one.code


def test_a_schedule_is_its_authoritys(facts: list[dict[str, Any]]):
    for fact in facts:
        name = file_of(fact)
        if name is not None:
            assert shipped(name).authority == fact["authority"]
            assert name == "jackson" or shipped(name).jurisdiction == fact["jurisdiction"].lower()


def test_each_period_is_the_one_that_was_read(facts: list[dict[str, Any]]):
    for fact, one in pairs(facts):
        if not fact["verified"]:
            assert isinstance(one.rule, Undefined), one.code
        elif fact["disposition"] == "permanent":
            assert one.rule == Forever(), one.code
        else:
            assert isinstance(one.rule, Timed), one.code
            kept = {clause.keep for clause in clauses(one.rule.clock) if clause.after != DECLARED}
            period = fact["period_iso8601"]
            if period is not None:
                assert kept == {Period.read(period)}, one.code
            else:
                assert kept <= {Period()}, f"{one.code} has a period that nobody read"


def test_each_clock_starts_with_the_event_that_was_read(facts: list[dict[str, Any]]):
    seen = 0
    for fact, one in pairs(facts):
        if isinstance(one.rule, Timed) and isinstance(one.rule.clock, Clause):
            assert one.rule.clock.after == EVENT_OF[fact["trigger"]], one.code
            seen += 1
        elif isinstance(one.rule, Timed):
            assert fact["trigger"].startswith("later_of("), one.code
            assert isinstance(one.rule.clock, Several)
            assert one.rule.clock.how is How.ALL
            seen += 1
    assert seen > 15


def test_whatever_was_inferred_or_is_ambiguous_waits_for_somebody_to_confirm_it(facts: list[dict[str, Any]]):
    inferred = 0
    for fact, one in pairs(facts):
        if isinstance(one.rule, Timed) and (fact.get("trigger_stated") is False or fact.get("ambiguous")):
            assert one.unconfirmed, one.code
            inferred += 1
        if fact.get("agency_must_set_minimum"):
            assert isinstance(one.rule, Timed)
            assert any(clause.undefined for clause in clauses(one.rule.clock))
    assert inferred > 5


def test_what_is_superseded_or_proposed_says_so(facts: list[dict[str, Any]]):
    known = {"superseded_edition": Standing.SUPERSEDED, "proposed": Standing.PROPOSED, None: Standing.CURRENT}
    told = [(one.standing, known[fact.get("status")], one.code) for fact, one in pairs(facts)]
    assert [code for ours, read, code in told if ours is not read] == []
    assert len({ours for ours, _, _ in told}) == 3


def test_what_is_done_at_the_end_is_what_was_read(facts: list[dict[str, Any]]):
    ends = {
        "destroy": Then.DESTROY,
        "destroy_permitted": Then.DESTROY,
        "transfer_for_appraisal": Then.TRANSFER,
        "permanent_transfer_archives": Then.TRANSFER,
    }
    for fact, one in pairs(facts):
        if isinstance(one.rule, Timed):
            assert one.rule.then is ends[fact["disposition"]], one.code

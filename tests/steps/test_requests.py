"""Requests: opened with their number, their law and their hold; confirmed, answered, appealed, closed, opened again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from app.capture import deeds
from app.disclosure import clock, known, log, opening, papers, reminding, requests
from app.disclosure.law import NoEditionInForce, NoSuchExemption
from app.disclosure.moving import DenialIncomplete, MayNotReopen, NotAppealed, NotClosed
from app.disclosure.papers import New, NoSuchPaper, PaperTooLarge
from app.disclosure.requests import (
    CLOSED,
    REVIEWING,
    SELECTING,
    BadRequest,
    NoSuchRequest,
    RequestClosed,
    RequestLawAltered,
)
from app.records.clock import FixedClock
from app.records.errors import NotPermitted
from app.store import Store, tables
from tests.steps.asking import WORDS, Office
from tests.steps.test_capture import post


@pytest.fixture
def office(store: Store, clock: FixedClock) -> Office:
    return Office(store, clock)


@pytest.fixture
def office_anywhere(anywhere: Store, clock: FixedClock) -> Office:
    return Office(anywhere, clock)


# -- opening -----------------------------------------------------------------------------------------------


def test_a_request_is_opened_with_everything_that_is_said_of_it(office_anywhere: Office):
    office = office_anywhere
    made = office.open(
        email="Pat@Elsewhere.example", address="1 Mill Road", litigant=False, pages=[office.page],
        since=date(2026, 1, 1), until=date(2026, 2, 1), channel="email",
    )  # fmt: skip
    assert made.number == "PD-2026-0001"
    assert (made.words, made.name, made.email, made.address) == (
        WORDS,
        "Pat Smith",
        "pat@elsewhere.example",
        "1 Mill Road",
    )
    assert (made.law, made.rules.label, made.track, made.state) == (
        "us-ak-state",
        "2024",
        "standard",
        SELECTING,
    )
    assert (made.litigant, made.pages, made.since, made.until) == (
        False,
        (office.page.id,),
        date(2026, 1, 1),
        date(2026, 2, 1),
    )
    assert [one.event for one in made.happened] == ["received", "complete"]
    assert made.opened_by == office.clerk.id
    assert office.due(made)["determination"].on == date(2026, 3, 16)


def test_numbers_have_no_gaps_and_begin_anew_each_year(office: Office):
    assert [office.open().number for _ in range(3)] == ["PD-2026-0001", "PD-2026-0002", "PD-2026-0003"]
    with pytest.raises(BadRequest):
        office.open(words=" ")
    assert office.open().number == "PD-2026-0004"
    office.clock.at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    assert office.open().number == "PD-2027-0001"


def test_two_who_open_at_once_have_two_numbers(office_anywhere: Office):
    office = office_anywhere
    with ThreadPoolExecutor(4) as people:
        made = list(people.map(lambda _: office.open().number, range(12)))
    assert sorted(made) == [f"PD-2026-{number:04}" for number in range(1, 13)]


def test_a_request_is_found_by_its_number_and_by_its_id(office: Office):
    made = office.open()
    nobodys = str(UUID(int=made.id.int ^ 1))
    with office.store.database.read() as tx:
        for which in (made.number, made.number.lower(), "2026-1", str(made.id), made.id.hex):
            assert requests.get(office.store, tx, which).id == made.id
        for which in ("PD-2026-0002", "PD-2026", "", "x", nobodys, "PD-2026-" + "9" * 40):
            with pytest.raises(NoSuchRequest):
                requests.get(office.store, tx, which)


def test_nobody_has_to_say_who_they_are(office: Office):
    one, other = office.open(name=""), office.open(name="")
    assert one.anonymous
    assert one.known_as is None
    assert other.known_as is None


def test_requests_of_one_person_are_told_by_their_address(office: Office):
    first, second = office.open(email="pat@x.example"), office.open(name="P. Smith", email="PAT@x.example")
    third = office.open(email="")
    assert first.known_as == second.known_as
    assert third.known_as not in (None, first.known_as)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"received": datetime(2026, 3, 3, tzinfo=UTC)}, "still to come"),
        ({"received": datetime(2026, 3, 1)}, "no zone"),  # noqa: DTZ001 - that is what is refused
        ({"since": date(2026, 2, 1), "until": date(2026, 1, 1)}, "is before"),
        ({"track": "urgent"}, "no requests of the track"),
        ({"channel": "pigeon"}, "no way in which requests come"),
        ({"words": "x" * 100_001}, "has words"),
        ({"postmarked": datetime(2026, 3, 2, 11, tzinfo=UTC)}, "postmarked after"),
    ],
)
def test_what_cannot_be_is_refused(office: Office, wrong: dict[str, Any], says: str):
    with pytest.raises(BadRequest, match=says):
        office.open(**wrong)
    assert office.open().number == "PD-2026-0001"


def test_only_records_officers_and_attorneys_open_requests(office: Office):
    for outside in (office.auditor, office.admin):
        with pytest.raises(NotPermitted):
            office.open(by=outside)
    assert office.open(by=office.counsel).opened_by == office.counsel.id


def test_an_oral_request_has_its_own_clock_where_the_law_has_one(office: Office):
    assert office.due(office.open(channel="oral"))["oral"].on == date(2026, 3, 9)
    assert office.open("us-wa", channel="oral").track == "standard"


# -- the law that it was received under --------------------------------------------------------------------

TOWN = """\
law: us-xx-town
title: Town of Somewhere
authority: Town Code 4
country: US
editions:
  - edition: "2025"
    until: 2026-03-01
    deadlines:
      - {code: answer, what: The answer, after: received, within: 20, count: working, citation: Town Code 4.1}
  - edition: "2026"
    from: 2026-03-01
    until: 2027-01-01
    deadlines:
      - {code: answer, what: The answer, after: received, within: 5, count: working, citation: Town Code 4.1}
    reopening: {within: 10, count: calendar, citation: Town Code 4.9, verified: true}
    appeals:
      - {to: the council, after: denied, within: 30, count: calendar, citation: Town Code 4.8, verified: true}
exemptions:
  - {code: "4.5", title: Draft, explanation: a draft, citation: Town Code 4.5}
"""


def town(tmp_path: Path, text: str = TOWN) -> known.Laws:
    (tmp_path / "town.yaml").write_text(text)
    return known.of(tmp_path)


def test_the_edition_in_force_on_receipt_stays_the_requests_own(office_anywhere: Office, tmp_path: Path):
    office = office_anywhere
    office.laws = town(tmp_path)
    old = office.open("us-xx-town", received=datetime(2026, 2, 27, 18, tzinfo=UTC))
    new = office.open("us-xx-town")
    assert (old.rules.label, office.due(old)["answer"].on) == ("2025", date(2026, 3, 27))
    assert (new.rules.label, office.due(new)["answer"].on) == ("2026", date(2026, 3, 9))
    office.laws = town(tmp_path, TOWN.replace("within: 5,", "within: 1,"))
    assert office.due(new)["answer"].on == date(2026, 3, 9)
    assert office.due(office.open("us-xx-town"))["answer"].on == date(2026, 3, 3)
    with office.store.database.read() as tx:
        assert len(tx.execute(select(tables.request_laws.c.key)).all()) == 2


def test_a_law_that_was_altered_is_no_law_of_a_request(office: Office):
    made = office.open()
    with office.store.database.begin() as tx:
        tx.exec_driver_sql("DROP TRIGGER request_laws_refuse_update")
        other = office.laws.files["us-ak-state"].replace(b"within: 10", b"within: 90")
        tx.execute(update(tables.request_laws).values(content=other))
    with pytest.raises(RequestLawAltered):
        office.now(made)


def test_a_day_without_an_edition_is_refused(office: Office, tmp_path: Path):
    office.laws = town(tmp_path)
    office.clock.at = datetime(2027, 2, 1, tzinfo=UTC)
    with pytest.raises(NoEditionInForce):
        office.open("us-xx-town")


def test_an_agency_that_named_no_law_has_no_statutory_clock(office: Office):
    made = office.open("")
    assert (made.law, office.due(made)) == ("none", {})
    told = requests.as_json(made, [], date(2026, 3, 2), {})
    assert (told["clock"], told["due"]) == ("none_statutory", [])


def test_where_the_law_sets_no_day_the_agencys_target_stands(office: Office, tmp_path: Path):
    (tmp_path / "agency.yaml").write_text("law: us-ak-juneau\ntarget_days: 10\n")
    office.laws = known.of(tmp_path)
    made = office.open("")
    assert made.law == "us-ak-juneau"
    assert made.target == date(2026, 3, 16)
    office.later(days=30)
    assert office.due(made)["target"].standing(date(2026, 4, 1)) == "target passed"
    assert office.open("us-ak-state").target is None


def test_the_grounds_of_a_request_are_those_of_its_law(office: Office):
    made = office.open()
    found = requests.exemption(made, "(a)(6)(C)")
    assert found is not None
    assert found.citation == "AS 40.25.120(a)(6)(C)"
    assert requests.exemption(made, "552.108") is None
    assert "(a)(6)(C)" in requests.exemptions(made)
    assert f"{made.law}" == "us-ak-state"


# -- the hold ----------------------------------------------------------------------------------------------


def test_from_its_opening_everything_on_its_pages_is_held_until_somebody_confirms(office_anywhere: Office):
    office = office_anywhere
    office.shown(post("p1", "the bridge"), post("p2", "the park"))
    assert office.protected() == set()
    made = office.open(pages=[office.page])
    assert office.protected() == {"p1", "p2"}
    assert requests.selecting_since(made) == made.opened_at
    assert set(office.dispose("p1").withdrawn.values()) == {"withdrawn_on_recheck"}
    office.shown(post("p1", "the bridge"), post("p2", "the park"), post("p3", "new"))
    assert office.protected() == {"p1", "p2", "p3"}
    now = office.confirm(made, "p1")
    assert (now.state, requests.selecting_since(now)) == (REVIEWING, None)
    assert office.protected() == {"p1"}
    assert office.holds_of(made) == 1


def test_where_no_page_is_named_the_whole_archive_is_held(office: Office):
    office.shown(post("p1", "the bridge"))
    office.open()
    assert office.protected() == {"p1"}


def test_where_nothing_answers_it_nothing_is_held(office: Office):
    office.shown(post("p1", "the bridge"))
    made = office.open()
    assert office.confirm(made).state == REVIEWING
    assert office.protected() == set()


def test_what_is_responsive_is_held_through_the_appeal_window(office: Office, tmp_path: Path):
    office.laws = town(tmp_path)
    office.shown(post("p1", "the bridge"), post("p2", "the park"))
    made = office.confirm(office.open("us-xx-town"), "p1")
    office.do("deny", made, exemptions=["4.5"])
    closed = office.do("close", made)
    assert (closed.state, closed.outcome) == (CLOSED, "denied")
    assert requests.kept_until(office.store, office.laws, closed) == date(2026, 4, 1)
    office.later(days=30)
    assert reminding.tonight(office.store, lambda: office.laws) == 0
    assert office.protected() == {"p1"}
    office.later(days=1)
    assert reminding.tonight(office.store, lambda: office.laws) == 1
    assert office.protected() == set()
    assert office.now(made).let_go
    assert reminding.tonight(office.store, lambda: office.laws) == 0


def test_where_the_law_does_not_say_how_long_the_hold_stays_until_an_officer_ends_it(office: Office):
    office.shown(post("p1", "the bridge"))
    made = office.do("close", office.confirm(office.open(), "p1"), outcome="produced")
    assert requests.kept_until(office.store, office.laws, made) is None
    office.later(days=3650)
    assert reminding.tonight(office.store, lambda: office.laws) == 0
    assert office.protected() == {"p1"}
    assert office.do("let_go", made).let_go
    assert office.protected() == set()
    with pytest.raises(NotClosed):
        office.do("let_go", made)


def test_a_time_for_appeals_that_nobody_verified_ends_nothing_by_itself(office: Office, tmp_path: Path):
    office.laws = town(tmp_path, TOWN.replace("4.8, verified: true", "4.8"))
    made = office.open("us-xx-town")
    office.do("deny", made, exemptions=["4.5"])
    assert requests.kept_until(office.store, office.laws, office.do("close", made)) is None
    office.later(days=3650)
    assert reminding.tonight(office.store, lambda: office.laws) == 0


def test_nothing_is_let_go_while_it_is_open_or_under_appeal(office: Office):
    made = office.open()
    with pytest.raises(NotClosed, match="open"):
        office.do("let_go", made)
    office.do("close", made, outcome="withdrawn")
    office.do("appeal", made, words="I disagree")
    with pytest.raises(NotClosed, match="under appeal"):
        office.do("let_go", made)


def test_an_appeal_after_everything_was_let_go_holds_it_again(office: Office):
    office.shown(post("p1", "the bridge"))
    made = office.do("close", office.open(), outcome="withdrawn")
    office.do("let_go", made)
    assert office.protected() == set()
    now = office.do("appeal", made)
    assert office.protected() == {"p1"}
    assert (now.let_go, now.state) == (False, CLOSED)


# -- answers -----------------------------------------------------------------------------------------------


def test_an_acknowledgement_starts_what_waits_for_it_and_is_a_letter(office: Office):
    made = office.open("us-wy", email="pat@x.example")
    assert office.due(made)["release"].on is None
    office.do("acknowledge", made)
    assert office.due(made)["release"].on == date(2026, 4, 1)
    text = letter(office, made, "opening")
    assert made.number in text
    assert WORDS in text
    assert "W.S. 16-4-202(c)" in text


def letter(office: Office, made: requests.Request, kind: str) -> str:
    with office.store.database.read() as tx:
        found = [one for one in papers.listed(office.store, tx, made) if one.name == f"{kind}.txt"]
        return papers.content(office.store, tx, found[-1]).decode()


def test_an_extension_moves_its_day_once_and_writes_the_notice_that_the_law_demands(office_anywhere: Office):
    office = office_anywhere
    made = office.open()
    office.do("extend", made, reasons="the records lie in three offices")
    assert office.due(made)["determination"].on == date(2026, 3, 31)
    text = letter(office, made, "extension")
    for part in (
        "three offices",
        "31 March 2026",
        "16 March 2026",
        "not invoked for purposes of delay",
        "2 AAC 96.325",
    ):
        assert part in text
    with pytest.raises(clock.NoExtension, match="once"):
        office.do("extend", made)
    assert office.due(made)["determination"].on == date(2026, 3, 31)


def test_why_is_the_archives_own_and_stands_in_no_letter(office: Office):
    made = office.open("us-ak-state")
    for verb, given in (
        ("acknowledge", ()),
        ("toll", ()),
        ("ask", ("Which bridge?",)),
        ("promise", (date(2026, 4, 1),)),
        ("no_records", ()),
        ("appeal", ()),
        ("decide_appeal", ("reversed",)),
        ("close", ()),
        ("reopen", ()),
    ):
        office.do(verb, made, *given)
    with office.store.database.read() as tx:
        kept = papers.listed(office.store, tx, made)
        texts = [papers.content(office.store, tx, one).decode() for one in kept]
    assert len(texts) == 9
    assert [text for text in texts if "as the law has it" in text] == []
    office.do("close", made, reasons="you told us so")
    assert "you told us so" in letter(office, made, "closing")


def test_a_law_that_lists_circumstances_wants_one_of_them(office: Office):
    made = office.open("us-foia")
    with pytest.raises(clock.NoticeIncomplete):
        office.do("extend", made)
    office.do("extend", made, circumstance="voluminous")
    assert "voluminous amount" in letter(office, made, "extension")


def test_a_clock_is_stopped_only_where_the_law_stops_it(office: Office):
    made = office.open("us-wa")
    with pytest.raises(clock.NoTolling):
        office.do("toll", made, until=date(2026, 4, 1))
    other = office.open()
    office.do("toll", other, until=date(2026, 3, 12))
    assert office.due(other)["determination"].on == date(2026, 3, 26)


def test_a_clock_that_stands_still_goes_on(office: Office):
    made = office.open()
    office.do("toll", made)
    assert office.due(made)["determination"].on is None
    office.later(days=7)
    office.plainly("resume", made)
    assert office.due(made)["determination"].on == date(2026, 3, 23)
    with pytest.raises(clock.NoTolling):
        office.plainly("resume", made)


def test_a_question_stops_the_clock_where_the_law_has_it_and_once(office: Office):
    made = office.open("us-foia")
    first = office.due(made)["determination"].on
    office.do("ask", made, "Which bridge?")
    assert office.due(made)["determination"].on is None
    office.later(days=14)
    office.plainly("mark", made, "clarification_answered")
    second = office.due(made)["determination"].on
    assert first is not None
    assert second == first + timedelta(days=14)
    office.do("ask", made, "Which year?")
    assert office.due(made)["determination"].on == second
    assert "stands still" not in letter(office, made, "clarification")


def test_a_denial_names_its_grounds_and_says_how_to_appeal(office: Office):
    made = office.open()
    with pytest.raises(DenialIncomplete, match="names the ground"):
        office.do("deny", made, delegation="Order 4")
    with pytest.raises(DenialIncomplete, match="by what delegation"):
        office.do("deny", made, exemptions=["(a)(6)(C)"])
    with pytest.raises(NoSuchExemption):
        office.do("deny", made, exemptions=["552.108"], delegation="Order 4")
    office.do("deny", made, exemptions=["(a)(6)(C)"], delegation="Order 4", reasons="a witness is named")
    text = letter(office, made, "denial")
    for part in (
        "AS 40.25.120(a)(6)(C)",
        "Personal privacy",
        "a witness is named",
        "Order 4",
        "2 AAC 96.335",
        "court",
        "signature",
    ):
        assert part in text
    assert office.due(made)["determination"].met_on == date(2026, 3, 2)
    assert office.do("close", made).outcome == "denied"


def test_a_denial_in_part_grants_the_rest(office: Office):
    made = office.open("us-wa")
    office.do("deny", made, exemptions=["RCW 42.56.240"], partly=True)
    assert "denied in part" in letter(office, made, "denial")
    assert office.do("close", made).outcome == "partly"


def test_no_records_is_an_answer_of_its_own(office: Office):
    made = office.open()
    office.do("no_records", made, reasons="we searched every page")
    assert "we searched every page" in letter(office, made, "no_records")
    assert office.do("close", made).outcome == "no_records"


def test_instalments_are_due_as_promised_and_met_as_produced(office: Office):
    made = office.open("us-wa")
    office.do("promise", made, date(2026, 3, 20))
    office.do("promise", made, date(2026, 4, 20), number=2)
    assert office.due(made)["response"].met_on == date(2026, 3, 2)
    office.later(days=10)
    office.plainly("instalment", made)
    found = office.due(made)
    assert (found["instalment-1"].met_on, found["instalment-2"].met_on) == (date(2026, 3, 12), None)
    office.plainly("instalment", made, last=True)
    assert office.due(made)["instalment-2"].met_on == date(2026, 3, 12)
    assert office.do("close", made).outcome == "produced"


def test_a_request_that_was_told_nothing_is_closed_as_such(office: Office):
    assert office.do("close", office.open()).outcome == "unstated"


def test_a_denial_names_who_decides_and_in_which_office_where_the_law_wants_it(office: Office):
    made = office.open()
    office.do("deny", made, exemptions=["(a)(2)"], reasons="a juvenile", delegation="AO 12")
    said = office.clerk.name or office.clerk.email
    assert f"Decided by {said}, records officer (2 AAC 96.335)." in letter(office, made, "denial")
    other = office.open("us-wa")
    office.do("deny", other, exemptions=["RCW 42.56.240"], reasons="an investigation")
    assert "Decided by" not in letter(office, other, "denial")


def test_what_was_denied_in_part_before_it_was_produced_is_not_granted_in_full(office: Office):
    made = office.open()
    office.do("deny", made, exemptions=["(a)(2)"], reasons="a juvenile", delegation="AO 12", partly=True)
    office.plainly("instalment", made, last=True)
    assert office.do("close", made).outcome == "partly"


def test_where_only_an_instalment_was_given_it_is_not_granted_in_full(office: Office):
    made = office.open("us-wa")
    office.plainly("instalment", made)
    assert office.do("close", made).outcome == "partly"
    other = office.open("us-wa")
    office.plainly("instalment", other)
    office.do("deny", other, exemptions=["RCW 42.56.240"], reasons="the rest")
    assert office.do("close", other).outcome == "partly"


@pytest.mark.parametrize(
    ("verb", "given", "more"),
    [("promise", [date.max], {}), ("toll", [], {"until": date.max}), ("extend", [], {"until": date.max})],
)
def test_a_day_that_nobody_lives_to_see_is_refused(
    office: Office, verb: str, given: list[date], more: dict[str, Any]
):
    made = office.open("none", target=date(2026, 4, 1))
    with pytest.raises(BadRequest, match="hundred years"):
        office.do(verb, made, *given, **more)
    near: dict[str, Any] = dict.fromkeys(more, date(2126, 1, 1))
    assert office.do(verb, made, *[date(2126, 1, 1)] * len(given), **near).open


@pytest.mark.parametrize("more", [
    {"received": datetime(1, 1, 1, tzinfo=UTC)},
    {"postmarked": datetime(1, 1, 2, tzinfo=UTC)},
    {"law": "none", "target": date.max},
])  # fmt: skip
def test_nothing_was_received_or_is_due_a_hundred_years_away(office: Office, more: dict[str, Any]):
    with pytest.raises(BadRequest, match="hundred years"):
        office.open(**more)


@pytest.mark.parametrize("written", ["0001-01-01", "0001-01-02T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_no_moment_is_read_that_lies_outside_of_what_the_calendar_has_room_for(written: str):
    zone = ZoneInfo("America/Juneau")
    with pytest.raises(BadRequest, match="no year"):
        opening.moment(written, zone)
    assert opening.moment("1999-12-31", zone) == datetime(1999, 12, 31, tzinfo=zone)


def test_no_target_lies_in_the_past(office: Office):
    with pytest.raises(BadRequest, match="before the receipt"):
        office.open("none", target=date(2026, 3, 1))
    made = office.open("none", target=date(2026, 3, 2))
    with pytest.raises(clock.NoExtension, match="is past"):
        office.do("extend", made, until=date(2026, 3, 1))
    assert office.do("extend", made, until=date(2026, 3, 2)).open


def test_the_log_may_be_asked_for_all_time(office: Office):
    office.open()
    assert len(logged(office, since=date.min, until=date.max)) == 2
    assert len(logged(office, since=date(2026, 3, 3), until=date.max)) == 1


def test_a_closed_request_changes_no_more(office: Office):
    made = office.do("close", office.open(), outcome="withdrawn")
    for verb in ("acknowledge", "extend", "toll", "no_records", "deny", "close"):
        with pytest.raises(RequestClosed):
            office.do(verb, made)
    with pytest.raises(RequestClosed):
        requests.must_be_open(made)
    with pytest.raises(RequestClosed):
        office.confirm(made)


def test_a_litigants_request_goes_by_the_rules_of_court(office: Office):
    made = office.open(litigant=True)
    assert made.in_court
    assert office.due(made) == {}
    with pytest.raises(clock.NoExtension, match="rules of court"):
        office.do("extend", made)
    assert office.do("close", made).outcome == "discovery"
    assert not office.open("us-wa", litigant=True).in_court


def test_the_question_of_litigation_is_answered_once(office: Office):
    made = office.open()
    assert made.litigant is None
    assert office.plainly("answer_litigant", made, litigant=True).in_court
    with pytest.raises(BadRequest):
        office.plainly("answer_litigant", made, litigant=False)


# -- appeals, and opening again ----------------------------------------------------------------------------


def test_an_appeal_is_decided_and_a_request_opened_again_where_it_succeeds(office: Office):
    office.shown(post("p1", "the bridge"), post("p2", "the park"))
    made = office.confirm(office.open("us-ak-bethel"), "p1")
    office.do("deny", made, exemptions=["(a)(4)"])
    office.do("close", made)
    with pytest.raises(NotAppealed):
        office.do("decide_appeal", made, "upheld")
    office.do("appeal", made)
    assert office.due(made)["appeal"].on == date(2026, 3, 16)
    with pytest.raises(MayNotReopen):
        office.do("reopen", made)
    office.do("decide_appeal", made, "reversed")
    assert office.due(made)["appeal"].met_on == date(2026, 3, 2)
    now = office.do("reopen", made)
    assert now.state == SELECTING
    assert office.protected() == {"p1", "p2"}


def test_closed_requests_are_told_by_what_waits_on_them(office_anywhere: Office):
    office = office_anywhere
    made = [office.do("close", office.open(), outcome="withdrawn") for _ in range(3)]
    office.do("appeal", made[0])
    office.do("appeal", made[1])
    office.do("decide_appeal", made[1], "upheld")
    office.do("let_go", made[2])
    with office.store.database.read() as tx:
        assert [one.number for one in requests.closed_under_appeal(office.store, tx)] == [made[0].number]
        held = [one.number for one in requests.closed_and_held(office.store, tx)]
    assert held == [made[0].number, made[1].number]


def test_an_appeal_that_was_upheld_opens_nothing(office: Office):
    made = office.do("close", office.open(), outcome="withdrawn")
    office.do("appeal", made)
    office.do("decide_appeal", made, "upheld")
    with pytest.raises(MayNotReopen, match="does not have it"):
        office.do("reopen", made)


def test_a_law_with_reopening_has_it_within_its_days(office: Office, tmp_path: Path):
    office.laws = town(tmp_path)
    one, other = office.open("us-xx-town"), office.open("us-xx-town")
    for made in (one, other):
        office.do("close", made, outcome="abandoned")
    office.later(days=10)
    assert office.do("reopen", one).open
    office.later(days=1)
    with pytest.raises(MayNotReopen, match="until 2026-03-12"):
        office.do("reopen", other)


# -- papers ------------------------------------------------------------------------------------------------


def test_papers_are_kept_as_they_came_and_open_with_their_act(office_anywhere: Office):
    office = office_anywhere
    content = bytes(range(256)) * 40
    made = office.open(enclosed=[New("attached", "plan.pdf", "application/pdf", content)])
    with office.store.database.read() as tx:
        (kept,) = papers.listed(office.store, tx, made)
        assert (kept.name, kept.media_type, kept.bytes) == ("plan.pdf", "application/pdf", len(content))
        assert papers.content(office.store, tx, kept) == content
        row = tx.execute(select(tables.request_papers.c.sealed)).scalar_one()
        assert content[:64] not in bytes(row)
        with pytest.raises(NoSuchPaper):
            papers.get(office.store, tx, made, made.id)


def test_a_paper_that_is_too_large_is_refused():
    with pytest.raises(PaperTooLarge):
        New("attached", "film.mp4", "video/mp4", bytes(papers.MOST_BYTES + 1))


# -- what is kept, and who sees it -------------------------------------------------------------------------


def test_words_and_names_stand_sealed_and_never_in_the_clear(office: Office, home: Path):
    office.open(name="Quentin Unusualname", words="an unrepeatable sentence", email="quentin@unusual.example")
    made = office.open()
    office.do("no_records", made, reasons="an unrepeatable reason")
    office.store.database.close()
    held = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    for word in (b"Unusualname", b"unrepeatable", b"unusual.example"):
        assert word not in held


def test_every_act_is_one_entry_with_who_and_why(office: Office):
    made = office.open()
    office.do("acknowledge", made)
    office.do("close", made, outcome="withdrawn")
    with office.store.database.read() as tx:
        told = requests.history(office.store, tx, made)
        assert [one.text("act") for one in told] == ["opened", "acknowledged", "closed"]
        assert {one.by for one in told} == {office.clerk.id}
        assert all(one.why for one in told)
        body = msgspec.json.decode(office.store.ledger.entry(tx, made.entry))
    assert body.keys() == {"act", "c", "request", "ts", "type", "v"}


def test_what_stands_in_the_rows_of_requests_never_changes(office_anywhere: Office):
    office = office_anywhere
    made = office.open(enclosed=[New("attached", "x", "text/plain", b"x")], litigant=False)
    for change in (
        update(tables.requests).values(received_at=0),
        update(tables.requests).values(number=7),
        update(tables.requests).values(state="closed"),
        update(tables.requests).values(litigant=True),
        update(tables.requests).values(custodian=office.clerk.id.bytes),
        delete(tables.requests),
        update(tables.request_events).values(at=0),
        delete(tables.request_events),
        update(tables.request_laws).values(content=b""),
        delete(tables.request_papers),
    ):
        with pytest.raises(DatabaseError), office.store.database.begin() as tx:
            tx.execute(change)
    assert office.now(made).received_at == made.received_at


def test_the_list_is_paged_and_counted(office: Office):
    made = [office.open() for _ in range(5)]
    office.do("close", made[0], outcome="withdrawn")
    with office.store.database.read() as tx:
        found = requests.listed(office.store, tx, states=(SELECTING, REVIEWING), limit=3)
        assert [one.number for one in found] == ["PD-2026-0005", "PD-2026-0004", "PD-2026-0003"]
        rest = requests.listed(office.store, tx, states=(SELECTING, REVIEWING), after=found[-1].key)
        assert [one.number for one in rest] == ["PD-2026-0002"]
        assert requests.count(office.store, tx) == 5
        assert requests.count(office.store, tx, states=(CLOSED,)) == 1


# -- the log -----------------------------------------------------------------------------------------------


def logged(office: Office, **more: object) -> list[str]:
    with office.store.database.begin() as tx:
        made = log.as_csv(office.store, tx, by=office.auditor, why="asked for", **more)  # type: ignore[arg-type]  # as each test has it
    return made.decode("utf-8-sig").splitlines()


def test_the_log_has_the_columns_that_the_law_names(office: Office):
    made = office.open()
    office.do("acknowledge", made)
    assert logged(office) == [
        "Number,Received,Requester,Receipt acknowledged,More information asked for",
        "PD-2026-0001,2026-03-02,Pat Smith,2026-03-02,",
    ]


def test_washingtons_log_has_the_words_and_what_was_withheld(office: Office):
    made = office.open("us-wa")
    office.do("deny", made, exemptions=["RCW 42.56.240"], reasons="an open investigation")
    office.do("close", made)
    heads, line = logged(office)
    assert (
        heads
        == 'Number,Received,Requester,Request in its own words,"Withheld, and why",Final disposition,Final disposition on'
    )
    assert WORDS in line
    assert "RCW 42.56.240; an open investigation" in line
    assert line.endswith("denied,2026-03-02")


def test_a_law_that_does_not_want_the_words_in_its_log_leaves_them_out(office: Office):
    office.open("us-wa", words="words of Washington")
    office.open("us-ak-state", words="words of Alaska")
    assert "words of Washington" in "".join(logged(office))
    assert "words of Alaska" not in "".join(logged(office))
    assert "words of Alaska" in "".join(logged(office, everything=True))


def test_no_spreadsheet_runs_what_a_stranger_wrote(office: Office):
    office.open("us-wa", name="=HYPERLINK(1)", words="@SUM(1)")
    assert "'=HYPERLINK(1),'@SUM(1)" in logged(office)[1]
    office.open("us-wa", name="\uff1dHYPERLINK(1)", words="'=SUM(1)")
    assert "'\uff1dHYPERLINK(1),''=SUM(1)" in logged(office)[2]


def test_what_is_no_text_does_not_keep_the_log_from_leaving(office: Office):
    office.open("us-wa", words="all of it\x00 please")
    assert "\x00" not in logged(office)[1]


def test_that_the_log_left_is_an_entry(office: Office):
    office.open()
    with office.store.database.read() as tx:
        before = office.store.ledger.size(tx)
    logged(office, since=date(2026, 3, 1), until=date(2026, 3, 31))
    with office.store.database.read() as tx:
        told = deeds.told(office.store, tx, [before])[before]
    assert told.text("act") == "log-exported"
    with pytest.raises(NotPermitted), office.store.database.begin() as tx:
        log.as_csv(office.store, tx, by=office.admin, why="x")

"""Public-records laws as they are written and read: those that are shipped, every mistake with its line, the schema."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import yaml

from app import ROOT
from app.disclosure import known, law_schema, letters, reading
from app.disclosure.known import FOLDER, NoSuchLaw
from app.disclosure.law import (
    DENIAL,
    EVENTS,
    LOG,
    NOTICE,
    Cited,
    Count,
    Deadline,
    Extension,
    Law,
    NoEditionInForce,
    NoSuchExemption,
    to_come,
)
from app.disclosure.reading import BadLaw

NAMES = (
    "none", "us-ak-anchorage", "us-ak-bethel", "us-ak-haines", "us-ak-juneau", "us-ak-municipal", "us-ak-state", "us-ca", "us-fl",
    "us-foia", "us-ma", "us-mn", "us-nc", "us-nj", "us-oh", "us-or", "us-tx", "us-wa", "us-wy",
)  # fmt: skip
EVERY = pytest.mark.parametrize("name", NAMES)
SCHEMA = json.loads((FOLDER / "law.schema.json").read_text())
TODAY = date(2026, 3, 2)
SMALL = """\
law: us-xx-town
title: Town of Somewhere
authority: Town Code 4
country: US
editions:
  - edition: "2026"
    deadlines:
      - code: answer
        what: The answer
        after: received
        within: 5
        count: working
        citation: Town Code 4.1
"""


def shipped(name: str) -> Law:
    return known.of(None).get(name)


# -- what is shipped ---------------------------------------------------------------------------------------


def test_these_are_shipped():
    assert tuple(sorted(known.of(None).laws)) == NAMES
    assert tuple(sorted(file.stem for file in FOLDER.glob("*.yaml"))) == NAMES


@EVERY
def test_every_file_meets_the_published_schema(name: str):
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=law.schema.json\n")
    told = yaml.safe_load(text)
    for one in told["editions"]:
        for key in ("from", "until"):
            if key in one:
                one[key] = str(one[key])
    jsonschema.Draft202012Validator(SCHEMA).validate(told)


@EVERY
def test_every_rule_has_its_citation_and_what_was_verified_says_where(name: str):
    law = shipped(name)
    rules: list[Cited] = [*law.exemptions]
    for edition in law.editions:
        rules += [
            *edition.deadlines,
            *edition.duties,
            *edition.extensions,
            *edition.tolling,
            *edition.appeals,
        ]
        parts = (edition.keep, edition.fees, edition.mailed, edition.litigant, edition.denial, edition.log)
        rules += [one for one in parts if one is not None]
    assert rules
    for one in rules:
        assert one.citation
        assert not one.verified or one.source.startswith("http"), one.citation


@EVERY
def test_every_law_has_a_letter_for_whatever_it_demands(name: str):
    for edition in shipped(name).editions:
        assert set(edition.denial.needs if edition.denial else ()) <= set(DENIAL)
        assert set(edition.log.needs if edition.log else ()) <= set(LOG)
        for rule in edition.extensions:
            assert set(rule.notice) <= set(NOTICE)
    assert all((Path(letters.__file__).parent / "letters" / f"{kind}.txt").exists() for kind in letters.KINDS)


def test_the_states_ten_days_bind_no_municipality():
    assert shipped("us-ak-state").on(TODAY).deadline("determination") is not None
    for name in ("us-ak-municipal", "us-ak-juneau"):
        rules = shipped(name).on(TODAY)
        assert rules.deadlines == ()
        assert rules.no_clock


def test_juneaus_own_chapter_is_not_called_verified():
    law = shipped("cbj")
    assert law.name == "us-ak-juneau"
    assert [one.verified for one in law.on(TODAY).duties] == [False]


def test_a_law_is_found_by_its_aliases():
    assert shipped("Alaska").name == "us-ak-state"
    assert shipped("US_WA").name == "us-wa"
    with pytest.raises(NoSuchLaw):
        shipped("us-zz")


def test_the_edition_of_the_day_of_receipt_is_the_one_that_counts():
    law = shipped("us-nj")
    assert law.on(date(2024, 9, 2)).label == "before 2024"
    assert law.on(date(2024, 9, 3)).label == "2024"
    assert "commercial" not in law.on(date(2024, 9, 2)).tracks
    assert "commercial" in law.on(date(2024, 9, 3)).tracks


def test_an_exemption_is_found_by_its_code_and_by_its_citation():
    law = shipped("us-ak-state")
    assert law.exemption("(a)(6)(c)").citation == "AS 40.25.120(a)(6)(C)"
    assert law.exemption("AS 40.25.120(a)(6)(C)").code == "(a)(6)(C)"
    with pytest.raises(NoSuchExemption, match="no exemption"):
        law.exemption("(a)(9)")


def test_alaska_charges_nobody_for_reading_for_privilege():
    for name in NAMES:
        if name.startswith("us-ak"):
            fees = shipped(name).on(TODAY).fees
            assert fees is not None
            assert (fees.free_hours, fees.per) == (5, "requester_month")
            assert "privilege_review" in fees.never


# -- reading -----------------------------------------------------------------------------------------------


def test_a_small_law_is_read():
    law = reading.read(SMALL)
    assert law.on(TODAY).deadlines[0].after == ("received",)
    assert law.on(TODAY).known_tracks() == {"standard": "a request of no special kind"}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("        within: 5\n", "", 8, "a deadline has no within"),
        ("within: 5", "within: soon", 11, "within must be a whole number"),
        ("within: 5", "wihtin: 5", 11, "a deadline has no 'wihtin'"),
        ("count: working", "count: business", 12, "count cannot be 'business'"),
        ("after: received", "after: arrival", 10, "after cannot be 'arrival'"),
        ("after: received", "after: []", 10, "after names no event"),
        ("code: answer", "code: The Answer", 8, "code cannot be"),
        ("law: us-xx-town", "law: Some Where", 1, "law cannot be"),
        ("        citation: Town Code 4.1\n", "", 8, "a deadline has no citation"),
        ("country: US\n", "country: US\ncuntry: US\n", 5, "a law has no 'cuntry'"),
        ('edition: "2026"', 'edition: "2026"\n    no_clock: none', 6, "without a statutory clock has deadlines"),
        ('edition: "2026"', 'edition: "2026"\n    from: yesterday', 7, "from is no day"),
        ("count: working", "count: working\n        tracks: [urgent]", 6, "the track urgent, which is not here"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_remedy(old: str, new: str, line: int, says: str):
    assert old in SMALL
    with pytest.raises(BadLaw) as told:
        reading.read(SMALL.replace(old, new, 1), "town.yaml")
    found = [one for one in told.value.problems if says in one.what]
    assert found, [one.what for one in told.value.problems]
    assert found[0].line == line
    assert str(told.value).startswith("town.yaml:")


def test_all_mistakes_are_told_at_once():
    wrong = SMALL.replace("within: 5", "within: soon").replace("count: working", "count: business")
    with pytest.raises(BadLaw) as told:
        reading.read(wrong)
    assert len(told.value.problems) == 2


def test_two_editions_that_hold_on_one_day_are_refused():
    second = SMALL[SMALL.index("  - edition") :].replace('"2026"', '"2027"')
    with pytest.raises(BadLaw, match="hold on one day"):
        reading.read(SMALL + second)
    ended = SMALL.replace('edition: "2026"', 'edition: "2026"\n    until: 2027-01-01')
    later = second.replace('edition: "2027"', 'edition: "2027"\n    from: 2027-01-01')
    law = reading.read(ended + later)
    assert [law.on(day).label for day in (date(2026, 12, 31), date(2027, 1, 1))] == ["2026", "2027"]


def test_a_day_before_every_edition_has_none():
    law = reading.read(SMALL.replace('edition: "2026"', 'edition: "2026"\n    from: 2026-01-01'))
    with pytest.raises(NoEditionInForce):
        law.on(date(2025, 12, 31))


@pytest.mark.parametrize("named", ["extensions", "tolling"])
def test_what_names_a_deadline_that_is_not_there_is_refused(named: str):
    rule = {
        "extensions": "{code: more, title: More, deadlines: [anwser], most: 5, citation: x}",
        "tolling": "{code: more, title: More, starts: paused, ends: resumed, deadlines: [anwser], citation: x}",
    }[named]
    with pytest.raises(BadLaw, match="names the deadline anwser") as told:
        reading.read(f"{SMALL}    {named}:\n      - {rule}\n")
    assert told.value.next == "Is answer meant?"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"law: [", b"- a\n- b\n", b"law: &x y\n"])
def test_what_is_no_law_is_refused(content: bytes):
    with pytest.raises(BadLaw):
        reading.of_bytes(content, "town.yaml")


def test_the_published_schema_is_the_one_that_the_reader_goes_by():
    assert law_schema.make() == SCHEMA, "write app.disclosure.law_schema.make() to laws/law.schema.json"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_the_reader_refuses_for_its_form_the_schema_refuses_too():
    valid = jsonschema.Draft202012Validator(SCHEMA)
    valid.validate(yaml.safe_load(SMALL))
    for old, new in (("within: 5", "within: soon"), ("count: working", "count: business"), ("law:", "lwa:")):
        assert list(valid.iter_errors(yaml.safe_load(SMALL.replace(old, new, 1))))


# -- the agency's own --------------------------------------------------------------------------------------


def test_an_agencys_own_law_takes_the_place_of_a_shipped_one(tmp_path: Path):
    (tmp_path / "juneau.yaml").write_text(SMALL.replace("us-xx-town", "us-ak-juneau"))
    (tmp_path / "agency.yaml").write_text("law: us-ak-juneau\n")
    laws = known.of(tmp_path)
    assert laws.get().title == "Town of Somewhere"
    assert laws.files["us-ak-juneau"].decode().startswith("law: us-ak-juneau")
    assert known.of(None).get("us-ak-juneau").title == "City and Borough of Juneau"


def test_a_file_that_changed_is_read_again(tmp_path: Path):
    file = tmp_path / "town.yaml"
    file.write_text(SMALL)
    assert known.of(tmp_path).get("us-xx-town").title == "Town of Somewhere"
    file.write_text(SMALL.replace("Town of Somewhere", "Town of Somewhere Else"))
    assert known.of(tmp_path).get("us-xx-town").title == "Town of Somewhere Else"


def test_an_agency_that_names_a_law_that_is_not_there_is_told_so(tmp_path: Path):
    (tmp_path / "agency.yaml").write_text("law: us-zz\n")
    with pytest.raises(NoSuchLaw, match="us-zz"):
        known.of(tmp_path)


def test_the_agencys_own_days_stand_in_its_calendar(tmp_path: Path):
    (tmp_path / "agency.yaml").write_text(
        'law: us-ak-state\ncloses: "16:30"\nclosed:\n  2026-03-04: The office moves\nopen: [2026-03-30]\ntarget_days: 10\n'
    )
    laws = known.of(tmp_path)
    hours = laws.hours(laws.get(), ZoneInfo("America/Juneau"))
    assert hours.calendar.closed_for(date(2026, 3, 4)) == "The office moves"
    assert hours.calendar.works(date(2026, 3, 30))
    assert not known.of(None).hours(laws.get(), ZoneInfo("America/Juneau")).calendar.works(date(2026, 3, 30))
    assert hours.closes == datetime(2026, 1, 1, 16, 30).time()  # noqa: DTZ001 - a time of day has no zone


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lwa: us-wa\n", "no 'lwa'"),
        ("closed: {someday: x}\n", "'someday' is no day"),
        ("closes: late\n", "no time of day"),
        ("target_days: many\n", "whole number"),
        ("country: ZZ\n", "no holidays are known"),
    ],
)
def test_a_mistake_in_the_agencys_own_file_is_told_with_its_line(text: str, says: str):
    with pytest.raises(BadLaw) as told:
        known.read_house(text)
    assert any(says in one.what for one in told.value.problems), [one.what for one in told.value.problems]
    assert str(told.value).startswith("agency.yaml:1")


# -- what the officer's page says of them ------------------------------------------------------------------


def counted(one: Deadline | Extension) -> str:
    """A number of days or hours, as the page writes it."""
    number = one.within if isinstance(one, Deadline) else one.most
    unit = "hour" if one.count is Count.HOURS else f"{one.count} day"
    return f"{number} {unit}{'' if number == 1 else 's'}" if number else "at once"


def told_of(law: Law) -> list[str]:
    """The rows that the page has for a law: one for each rule of each of its editions."""
    rows = []
    for edition in law.editions:
        name = f"`{law.name}`" + (f", {edition.label}" if len(law.editions) > 1 else "")

        def row(what: str, when: str, rule: Cited | None, name: str = name) -> None:
            mark = "" if rule is None or rule.verified else " (not verified)"
            rows.append(f"| {name} | {what} | {when} | {f'{rule.citation}{mark}' if rule else ''} |")

        if edition.no_clock:
            row("no statutory clock", edition.no_clock, None)
        for one in edition.deadlines:
            track = f" ({', '.join(one.tracks)})" if one.tracks and one.tracks != ("standard",) else ""
            joined = "after" if one.within else "when"
            row(f"{one.what}{track}", f"{counted(one)} {joined} {EVENTS[one.after[0]]}", one)
        for duty in edition.duties:
            row(duty.what, "no days are counted", duty)
        for more in edition.extensions:
            if more.deadlines:
                times = "once" if more.times == 1 else f"{more.times} times"
                row(f"extension: {more.title}", f"up to {counted(more)} more, {times}", more)
        for stop in edition.tolling:
            row(f"stands still: {stop.title}", f"until {to_come(stop.ends)}", stop)
    return rows


def test_the_officers_page_tells_every_clock_that_is_shipped_as_its_data_has_it():
    page = (ROOT / "docs" / "requests.md").read_text()
    table = [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 5]
    wanted = [row for name in NAMES for row in told_of(shipped(name))]
    assert len(wanted) > 50
    assert table == wanted, "write these rows into docs/requests.md:\n" + "\n".join(wanted)

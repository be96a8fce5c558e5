"""How schedules are written and read: every form, every mistake with its line and remedy, and the published schema."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app import ROOT
from app.index.language import parse
from app.records.nouns import Role
from app.retention import lines, printer, remarks, schedules, schema
from app.retention.calendar import Period, YearStart
from app.retention.schedule import (
    DISPOSED,
    EVENTS,
    Block,
    Classifying,
    Clause,
    Clock,
    Cutoff,
    Forever,
    How,
    Schedule,
    Series,
    Several,
    Standing,
    Then,
    Timed,
    Undefined,
    sentence,
)
from app.retention.schedules import BadSchedule

TOWN = """\
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "2026"
effective: 2026-01-01
fiscal_year_starts: 07-01
waiting_days: 14            # between the last approval and execution; 0 or more
approvals: [records_officer, approver]
series:
  - code: COR-03
    title: General correspondence
    scope: Posts and comments without lasting value
    citation: Resolution 12, item 3
    verified: true
    rule: {after: published, keep: P3Y, cutoff: calendar_year, then: destroy}
classify:
  - {series: COR-03, when: "kind:comment OR kind:post", priority: 10}
"""
RULE = "{after: published, keep: P3Y, cutoff: calendar_year, then: destroy}"


def town(rule: str = RULE, **replaced: str) -> str:
    """The town's schedule with another rule, or with lines of it replaced: what stood there, and what shall."""
    text = TOWN.replace(RULE, rule)
    for line in replaced.values():
        old, new = line.split(" => ")
        assert old in text, old
        text = text.replace(old, new)
    return text


def read_rule(rule: str, **replaced: str) -> Any:
    return schedules.read(town(rule, **replaced)).series[0].rule


def problems(text: str) -> list[lines.Problem]:
    with pytest.raises(BadSchedule) as refused:
        schedules.read(text, "town.yaml")
    assert str(refused.value).startswith(f"town.yaml:{refused.value.problems[0].line}: ")
    assert all(one.remedy for one in refused.value.problems), refused.value.problems
    return list(refused.value.problems)


# -- what is written ---------------------------------------------------------------------------------------


def test_the_example_reads_as_it_says():
    made = schedules.read(TOWN)
    assert made == Schedule(
        jurisdiction="us-xx-town",
        authority="Town council",
        title="Records retention schedule",
        edition="2026",
        effective=date(2026, 1, 1),
        fiscal_year_starts=YearStart(month=7, day=1),
        waiting_days=14,
        approvals=(Role.RECORDS_OFFICER, Role.APPROVER),
        series=(
            Series(
                code="COR-03",
                title="General correspondence",
                scope="Posts and comments without lasting value",
                citation="Resolution 12, item 3",
                verified=True,
                rule=Timed(
                    clock=Clause(after="published", keep=Period(years=3), cutoff=Cutoff.CALENDAR_YEAR),
                    then=Then.DESTROY,
                ),
            ),
        ),
        classify=(Classifying(series="COR-03", priority=10, when=parse("kind:comment OR kind:post")),),
    )
    assert (made.series[0].line, made.classify[0].line) == (10, 17)


def test_what_is_left_out_keeps():
    bare = "\n".join(line for line in TOWN.splitlines() if not line.strip().startswith(("verified", "citation", "waiting", "approvals")))  # fmt: skip
    made = schedules.read(bare)
    assert (made.series[0].verified, made.series[0].citation) == (False, "")
    assert (made.waiting_days, len(made.approvals)) == (30, 2)


AFTER = Clause(after="published", keep=Period(years=2))


@pytest.mark.parametrize(
    ("rule", "read"),
    [
        ("{after: published, keep: P2Y, then: destroy}", Timed(clock=AFTER, then=Then.DESTROY)),
        (
            "{after: published, keep: P2Y, cutoff: fiscal_year, then: transfer}",
            Timed(
                clock=Clause(after="published", keep=Period(years=2), cutoff=Cutoff.FISCAL_YEAR),
                then=Then.TRANSFER,
            ),
        ),
        (
            "{after: superseded, keep: P1Y, cutoff: anniversary, anniversary_of: published, then: destroy}",
            Timed(
                clock=Clause(
                    after="superseded",
                    keep=Period(years=1),
                    cutoff=Cutoff.ANNIVERSARY,
                    anniversary_of="published",
                ),
                then=Then.DESTROY,
            ),
        ),
        (
            "{all_of: [{after: published, keep: P2Y}, {after: removed, keep: P0D}], cutoff: calendar_year, then: destroy}",
            Timed(
                clock=Several(
                    how=How.ALL,
                    parts=(
                        Clause(after="published", keep=Period(years=2), cutoff=Cutoff.CALENDAR_YEAR),
                        Clause(after="removed", keep=Period(), cutoff=Cutoff.CALENDAR_YEAR),
                    ),
                ),
                then=Then.DESTROY,
            ),
        ),
        (
            "{any_of: [{after: published, keep: P2Y}, {all_of: [{after: published, keep: P2Y}]}], then: destroy}",
            Timed(
                clock=Several(how=How.ANY, parts=(AFTER, Several(how=How.ALL, parts=(AFTER,)))),
                then=Then.DESTROY,
            ),
        ),
        (
            "{after: declared, keep: P0D, declares: its value has ended, then: destroy}",
            Timed(
                clock=Clause(after="declared", keep=Period(), declares="its value has ended"),
                then=Then.DESTROY,
            ),
        ),
        (
            "{after: declared, keep: P0D, then: destroy}",
            Timed(clock=Clause(after="declared", keep=Period()), then=Then.DESTROY),
        ),
        (
            "{after: published, agency_must_set: true, then: destroy}",
            Timed(clock=Clause(after="published", agency_must_set=True), then=Then.DESTROY),
        ),
        (
            "{after: published, keep: P2Y, agency_keep: P3Y, at_most: P5Y, then: destroy}",
            Timed(
                clock=Clause(
                    after="published",
                    keep=Period(years=2),
                    agency_keep=Period(years=3),
                    at_most=Period(years=5),
                ),
                then=Then.DESTROY,
            ),
        ),
        (
            "{after: published, at_most: P90D, then: destroy}",
            Timed(clock=Clause(after="published", at_most=Period(days=90)), then=Then.DESTROY),
        ),
        (
            "{after: published, keep: P20Y, cutoff: calendar_year, blocks: {years: 5, from: 2001}, then: transfer, instruction: in blocks}",
            Timed(
                clock=Clause(
                    after="published",
                    keep=Period(years=20),
                    cutoff=Cutoff.CALENDAR_YEAR,
                    block=Block(years=5, first=2001),
                ),
                then=Then.TRANSFER,
                instruction="in blocks",
            ),
        ),
        ("{then: permanent}", Forever()),
        ("{after: published, keep: P2Y, then: permanent}", Forever(clock=AFTER)),
        ("{undefined: not read}", Undefined(why="not read")),
    ],
)
def test_every_form_of_a_period_can_be_written(rule: str, read: object):
    assert read_rule(rule) == read
    assert schedules.read(printer.as_yaml(schedules.read(town(rule)))).series[0].rule == read


SECOND = """\
  - code: COR-04
    title: Another
    citation: Item 4
    rule: {then: permanent}
classify:
"""


def test_a_series_can_depend_on_another_and_a_review_assigns_others():
    depends = read_rule("{depends_on: COR-04, keep: P0D, then: destroy}", more=f"classify:\n => {SECOND}")
    assert depends.clock == Clause(after=DISPOSED, series="COR-04", keep=Period())
    review = read_rule(
        "{after: published, keep: P5Y, then: review, assigns: [COR-04]}", more=f"classify:\n => {SECOND}"
    )
    assert review.assigns == ("COR-04",)


def test_an_event_of_the_schedules_own_is_one_that_it_explains():
    own = "series:\n => events: {final_order: the order became final}\nseries:\n"
    made = schedules.read(town("{after: final_order, keep: P3Y, then: destroy}", events=own))
    assert made.happened("final_order") == "the order became final"
    assert sentence(made, made.series[0].rule) == "3 years after the order became final, then destroyed"
    (problem,) = problems(town("{after: final_order, keep: P3Y, then: destroy}"))
    assert (problem.line, problem.what) == (15, "no event is called 'final_order'")
    assert "events:" in problem.remedy


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (RULE, "3 years after the end of the calendar year in which it was published, then destroyed"),
        ("{after: read, keep: P0D, then: destroy}", "until it was read, then destroyed"),
        ("{then: permanent, instruction: in the vault}", "permanent (in the vault)"),
        ("{undefined: not read}", "kept, for no period is known: not read"),
        (
            "{any_of: [{after: declared, keep: P0D, declares: no need}, {after: published, keep: P1Y}], then: destroy}",
            "the earliest of: until an officer declared in writing: no need; 1 year after it was published, then destroyed",
        ),
        (
            "{after: published, agency_must_set: true, then: transfer}",
            "without end, for the schedule leaves the period to the agency, and the agency has set none, then transferred to the archives",
        ),
        (
            "{after: published, keep: P1Y, at_most: P2Y, then: review}",
            "1 year after it was published, no longer than 2 years after it was published, then reviewed",
        ),
    ],
)
def test_a_rule_is_said_in_words(rule: str, says: str):
    made = schedules.read(town(rule))
    assert sentence(made, made.series[0].rule) == says


# -- mistakes ----------------------------------------------------------------------------------------------

MISTAKES = {
    "an unknown key": (town(a="waiting_days => wating_days"), 7, "no 'wating_days'", "waiting_days"),
    "an unknown key of a series": (town(a="scope: Posts => skope: Posts"), 12, "no 'skope'", "scope"),
    "an unknown key of a rule": (town("{after: published, kep: P3Y, then: destroy}"), 15, "no 'kep'", "keep"),
    "an unknown key of classify": (town(a="when: => wen:"), 17, "no 'wen'", "when"),
    "a code of two lines": (
        town(a='code: COR-03 => code: "COR\\n03"'),
        10,
        "one line of at most 80",
        "title",
    ),
    "a code that is too long": (
        town(a=f"code: COR-03 => code: {'C' * 81}"),
        10,
        "one line of at most 80",
        "title",
    ),
    "an event of an endless name": (
        town(a=f"series:\n => events: {{{'e' * 81}: it was so}}\nseries:\n"),
        9,
        "no name of an event",
        "final_adjudication",
    ),
    "no day at all": (town(a='2026-01-01 => ""'), 5, "effective is no day: ''", "2026-03-31"),
    "a key twice": (town(a="edition: => title: Again\nedition:"), 4, "twice, first on line 3", "one of them"),
    "a missing key": (town(a="authority: Town council\n => "), 1, "no authority", "authority"),
    "a missing rule": (town(a=f"    rule: {RULE}\n => "), 10, "no rule", "rule"),
    "no series": (
        town(
            a='classify:\n  - {series: COR-03, when: "kind:comment OR kind:post", priority: 10}\n => '
        ).partition("series:")[0]
        + "series: []\n",
        9,
        "no series",
        "placeholder",
    ),
    "text that YAML takes for yes": (
        town(a="General correspondence => no"),
        11,
        "something else",
        "quotation",
    ),
    "text that YAML takes for a fraction": (town(a='"2026" => 20.26'), 4, "something else", '"20.26"'),
    "an empty value": (town(a="Town council => "), 2, "empty", "authority"),
    "a list for text": (town(a="Town council => [Town, council]"), 2, "must be text", "some words"),
    "a jurisdiction with spaces": (town(a="us-xx-town => a town"), 1, "jurisdiction", "us-ak-juneau"),
    "no day": (town(a="2026-01-01 => 2026-02-30"), 5, "no day", "2026-03-31"),
    "a day otherwise written": (town(a="2026-01-01 => 1 January 2026"), 5, "no day", "2026-03-31"),
    "no beginning of a year": (town(a="07-01 => 02-29"), 6, "every year", "07-01"),
    "days below nothing": (town(a="waiting_days: 14 => waiting_days: -1"), 7, "from 0", "waiting_days"),
    "days as a fraction": (
        town(a="waiting_days: 14 => waiting_days: 1.5"),
        7,
        "whole number",
        "waiting_days",
    ),
    "octal days": (town(a="waiting_days: 14 => waiting_days: 010"), 7, "whole number", "waiting_days"),
    "one approval": (town(a="[records_officer, approver] => [approver]"), 8, "1 approvals", "two people"),
    "an unknown role": (town(a="[records_officer, approver] => [clerk, approver]"), 8, "'clerk'", "approver"),
    "a role that may not approve": (
        town(a="[records_officer, approver] => [administrator, approver]"),
        8,
        "'administrator'",
        "approver",
    ),
    "yes written otherwise": (
        town(a="verified: true => verified: yes"),
        14,
        "true or false",
        "verified: true",
    ),
    "an unknown status": (
        town(a="verified: true => status: outdated"),
        14,
        "'outdated'",
        "current",
    ),
    "one code twice": (
        town(a=f"classify:\n => {SECOND.replace('COR-04', 'COR-03')}"),
        16,
        "the first on line 10",
        "its own",
    ),
    "nothing that follows": (town("{after: published, keep: P3Y}"), 15, "what follows", "destroy"),
    "an unknown end": (town("{after: published, keep: P3Y, then: delete}"), 15, "'delete'", "destroy"),
    "no clock": (town("{then: destroy}"), 15, "nothing says when", "after:"),
    "no event": (town("{keep: P3Y, then: destroy}"), 15, "when the clock starts", "after:"),
    "an unknown event": (town("{after: publishd, keep: P3Y, then: destroy}"), 15, "'publishd'", "published"),
    "disposed as an event": (
        town("{after: disposed, keep: P3Y, then: destroy}"),
        15,
        "another series",
        "depends_on",
    ),
    "no period": (town("{after: published, then: destroy}"), 15, "how long", "P0D"),
    "a period in words": (
        town("{after: published, keep: 3 years, then: destroy}"),
        15,
        "keep: '3 years'",
        "P3Y",
    ),
    "a period with hours": (
        town("{after: published, keep: PT24H, then: destroy}"),
        15,
        "no period",
        "civil days",
    ),
    "an unknown cut-off": (
        town("{after: published, keep: P3Y, cutoff: year, then: destroy}"),
        15,
        "cutoff cannot be 'year'",
        "calendar_year",
    ),
    "a fiscal year that nobody defined": (
        town(
            "{after: published, keep: P3Y, cutoff: fiscal_year, then: destroy}",
            a="fiscal_year_starts: 07-01\n => ",
        ),
        14,
        "fiscal year starts",
        "07-01",
    ),
    "two clocks side by side": (
        town("{after: published, keep: P3Y, any_of: [{after: removed, keep: P1Y}], then: destroy}"),
        15,
        "side by side",
        "all_of",
    ),
    "a period beside several clocks": (
        town("{keep: P3Y, any_of: [{after: removed, keep: P1Y}], then: destroy}"),
        15,
        "belongs to one clock",
        "item of any_of",
    ),
    "an end inside a clock": (
        town("{all_of: [{after: removed, keep: P1Y, then: destroy}], then: destroy}"),
        15,
        "belongs to the whole rule",
        "beside all_of",
    ),
    "an empty list of clocks": (town("{all_of: [], then: destroy}"), 15, "all_of is empty", "List"),
    "an anniversary of nothing": (
        town("{after: removed, keep: P1Y, anniversary_of: published, then: destroy}"),
        15,
        "anniversaries",
        "cutoff: anniversary",
    ),
    "blocks of no years": (
        town("{after: removed, keep: P1Y, blocks: {years: 5, from: 2001}, then: destroy}"),
        15,
        "blocks",
        "calendar_year",
    ),
    "blocks without a beginning": (
        town("{after: removed, keep: P1Y, cutoff: calendar_year, blocks: {years: 5}, then: destroy}"),
        15,
        "blocks has no from",
        "from",
    ),
    "a declaration of what needs none": (
        town("{after: removed, keep: P1Y, declares: no need, then: destroy}"),
        15,
        "something to declare",
        "after: declared",
    ),
    "an own period below the law's": (
        town("{after: removed, keep: P2Y, agency_keep: P6M, then: destroy}"),
        15,
        "agency_keep is shorter",
        "least",
    ),
    "a maximum below the minimum": (
        town("{after: removed, keep: P2Y, at_most: P1Y, then: destroy}"),
        15,
        "at_most is shorter",
        "least",
    ),
    "an undefined period with a period": (
        town("{undefined: not read, keep: P2Y}"),
        15,
        "no period",
        "alone",
    ),
    "a sentence that a comma divides": (
        town("{undefined: read, and not its period}"),
        15,
        "no 'and not its period'",
        "quotation marks",
    ),
    "a review into nowhere": (
        town("{after: removed, keep: P2Y, then: review, assigns: [COR-9]}"),
        10,
        "COR-9, which is not here",
        "COR-03",
    ),
    "an assignment without a review": (
        town("{after: removed, keep: P2Y, then: destroy, assigns: [COR-03]}"),
        15,
        "only a review",
        "review",
    ),
    "a series that depends on itself": (
        town("{depends_on: COR-03, keep: P0D, then: destroy}"),
        10,
        "waits for itself",
        "depends on",
    ),
    "series that wait for one another": (
        town(
            "{depends_on: COR-04, keep: P0D, then: destroy}",
            a=f"classify:\n => {SECOND.replace('{then: permanent}', '{depends_on: COR-03, keep: P0D, then: destroy}')}",
        ),
        10,
        "waits for itself",
        "depends on",
    ),
    "an own event under a known name": (
        town(a="series:\n => events: {removed: taken down}\nseries:\n"),
        9,
        "every schedule has",
        "another name",
    ),
    "an own event with a strange name": (
        town(a="series:\n => events: {Final-Order: it became final}\nseries:\n"),
        9,
        "no name",
        "final_adjudication",
    ),
    "a rule that points at no series": (
        town(a="{series: COR-03, => {series: COR-30,"),
        17,
        "no series here has the code 'COR-30'",
        "COR-03",
    ),
    "a rule without a priority": (town(a=", priority: 10 => "), 17, "no priority", "priority"),
    "a priority below nothing": (town(a="priority: 10 => priority: -1"), 17, "priority must be", "priority"),
    "a rule that asks nothing": (
        town(a='when: "kind:comment OR kind:post", => '),
        17,
        "asks nothing",
        "when",
    ),
    "two rules of one priority": (
        TOWN + "  - {series: COR-03, when: flood, priority: 10}\n",
        18,
        "the other on line 17",
        "its own",
    ),
    "a question that cannot be understood": (
        town(a="kind:comment OR kind:post => kind:comment OR"),
        17,
        'at character 14, "OR"',
        "must follow",
    ),
    "an unknown kind": (
        town(a="kind:comment OR kind:post => kind:letter"),
        17,
        "kind: has no value letter",
        "comment",
    ),
    "a rule about series": (
        town(a="kind:comment OR kind:post => NOT series:COR-03"),
        17,
        "cannot ask series",
        "Leave",
    ),
    "a rule about holds": (town(a="kind:comment OR kind:post => hold:any"), 17, "cannot ask hold", "Leave"),
    "an unknown direction": (
        town(a='when: "kind:comment OR kind:post" => direction: inbound'),
        17,
        "direction cannot be",
        "incoming",
    ),
    "an anchor": (town(a="Town council => &council Town"), 2, "anchors", "Write the value out"),
    "an alias": (town(a="Town council => *council"), 2, "anchors", "Write the value out"),
    "a tag": (town(a="Town council => !!python/name:os.system"), 2, "tags", "Leave"),
    "a second document": (TOWN + "---\ntitle: Another\n", 18, "second document", "file of its own"),
    "a tab": (town(a="    title: General => \ttitle: General"), 11, "not YAML", "spaces"),
    "a colon in a title": (town(a="General correspondence => Letters: general"), 11, "not YAML", "quotation"),
    "a list as the whole": ("- one\n- two\n", 1, "keys and values", "key: value"),
    "a question with a bracket too many": (
        town(a="kind:comment OR kind:post => kind:comment)"),
        17,
        "never opened",
        "Write (road OR bridge)",
    ),
    "a rule where there are no series": (
        TOWN[: TOWN.index("  - code")].replace("series:", "series: []") + TOWN[TOWN.index("classify:") :],
        11,
        "no series here has the code",
        "Write the series first",
    ),
    "nothing": ("# only a comment\n", 1, "empty", "jurisdiction"),
    "a character that cannot be seen": (
        town(a="Town council => Town\x07council"),
        2,
        "not YAML",
        "cannot be seen",
    ),
    "a bracket that is open": (town(a="then: destroy} => then: destroy"), 16, "not YAML", "quotation"),
    "a key that is a list": (town(a="Town council => x\n? [a]\n: b"), 3, "key must be one word", "bracket"),
    "what nests too deep": ("jurisdiction: " + "[" * 200 + "]" * 200, 1, "deep", "few levels"),
    "what is far too long": ("# " + "x" * lines.MOST_CHARACTERS, 1, "more than", "right file"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_how_to_write_it(name: str):
    text, line, what, remedy = MISTAKES[name]
    found = [one for one in problems(text) if what in one.what]
    assert [one.line for one in found[:1]] == [line], problems(text)
    assert remedy in found[0].remedy


@pytest.mark.parametrize("digits", [20, 5_000])
@pytest.mark.parametrize(
    ("written", "line"), [("waiting_days: 14", 7), ("keep: P3Y", 15), ("priority: 10", 17), ("07-01", 6)]
)
def test_a_number_of_however_many_digits_is_a_mistake_with_its_line(written: str, line: int, digits: int):
    """Python refuses to read a number of more than 4,300 digits, which must not end the reading."""
    longer = re.sub(r"\d+", "9" * digits, written, count=1)
    assert longer != written
    [found] = problems(TOWN.replace(written, longer))
    assert (found.line, len(found.what) < 6_000) == (line, True)


@pytest.mark.parametrize("escape", ["\\ud800", "\\ud83d\\ude00", "\\0", "\\x1b", "\\x7f"])
def test_what_is_no_character_of_a_text_is_a_mistake_with_its_line(escape: str):
    for written, line in (("Town council", 2), ("General correspondence", 11), ("COR-03", 10)):
        found = problems(TOWN.replace(written, f'"{escape}"', 1))
        assert (found[0].line, "is no character of a text" in found[0].what) == (line, True)
    assert schedules.read(TOWN.replace("Town council", '"Town\\tcouncil \\U0001F600"')).authority


def test_a_code_may_have_blanks_and_as_many_characters_as_are_kept():
    code = "GS 50-01/12 Ümläut " + "x" * 60
    made = schedules.read(TOWN.replace("COR-03", code[:80]))
    assert [one.code for one in made.series] == [code[:80].strip()]


def test_every_mistake_of_a_file_is_told_at_once():
    text = town(
        "{after: publishd, keep: P3Y, then: destroy}",
        a="Town council => ",
        b="waiting_days: 14 => waiting_days: no",
        c="priority: 10 => priority: high",
    )
    assert [one.line for one in problems(text)] == [2, 7, 15, 17]


def test_the_message_names_the_first_and_how_many_follow():
    with pytest.raises(BadSchedule) as refused:
        schedules.read(town(a="Town council => ", b="2026-01-01 => never"), "town.yaml")
    assert str(refused.value) == "town.yaml:2: authority is empty (and 1 more)"
    assert refused.value.next == "Write authority: some words, or leave it out."


@pytest.mark.parametrize(
    ("held", "line", "what"), [(b"jurisdiction: x\ntitle: \xff\n", 2, "UTF-8"), (None, 1, "cannot be read")]
)
def test_a_file_that_cannot_be_read_is_a_mistake_too(
    tmp_path: Path, held: bytes | None, line: int, what: str
):
    file = tmp_path / "town.yaml"
    if held is not None:
        file.write_bytes(held)
    with pytest.raises(BadSchedule) as refused:
        schedules.load(file)
    (problem,) = refused.value.problems
    assert problem.line == line
    assert what in problem.what
    assert problem.remedy


def test_a_file_is_read_with_windows_line_ends_and_a_byte_order_mark(tmp_path: Path):
    file = tmp_path / "town.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + TOWN.replace("\n", "\r\n").encode())
    made = schedules.load(file)
    assert made == schedules.read(TOWN)
    assert made.series[0].line == 10


def tried(text: str) -> Schedule | list[lines.Problem]:
    """What a text reads as, or everything that is wrong in it."""
    try:
        return schedules.read(text)
    except BadSchedule as refused:
        return list(refused.problems)


@given(st.text(max_size=200))
@settings(max_examples=60)
def test_what_is_no_schedule_is_refused_with_its_place(text: str):
    found = tried(text)
    assert isinstance(found, list)
    assert found
    assert all(one.line >= 1 and one.what for one in found)


@given(
    st.integers(min_value=0, max_value=len(TOWN)),
    st.sampled_from(["", " ", ":", "\n", "{", "]", "-", "'", "é", "0", "&a"]),
)
@settings(max_examples=60)
def test_a_slip_of_the_pen_is_read_or_refused_with_its_place(place: int, slip: str):
    found = tried(TOWN[:place] + slip + TOWN[place + 1 :])
    if isinstance(found, Schedule):
        assert found.series
    else:
        assert all(one.line >= 1 and one.what for one in found)


# -- what is worth saying ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (town(a="verified: true => verified: false"), 10, "is not verified"),
        (town(a="verified: true => status: proposed"), 10, "is proposed"),
        (town(a="verified: true => unconfirmed: the beginning"), 10, "is not confirmed"),
        (town(a="    citation: Resolution 12, item 3\n => "), 10, "cites no authority"),
        (town("{undefined: not read}"), 10, "has no period: not read"),
        (town("{after: published, keep: P1Y, then: permanent}"), 10, "the clock that is written with it ends nothing"),
        (town("{after: published, at_most: P1Y, then: destroy}"), 10, "never ends"),
        (town("{after: published, agency_must_set: true, then: destroy}"), 10, "never ends"),
        (town(a="2026-01-01 => null"), 1, "from the day of its adoption"),
        (TOWN.partition("classify")[0], 1, "no rule classifies"),
        (town(a="edition => placeholder: not found\nedition"), 1, "cannot be adopted"),
        (town(a="kind:post => and"), 17, "operators are written in capitals"),
    ],
)  # fmt: skip
def test_what_keeps_without_being_a_mistake_is_remarked(text: str, line: int, says: str):
    found = remarks.remarks(schedules.read(text))
    assert [one.line for one in found if says in one.what] == [line], found
    assert remarks.remarks(schedules.read(TOWN)) == []


# -- printing ----------------------------------------------------------------------------------------------

PERIODS = st.one_of(
    st.builds(Period, years=st.integers(0, 99), months=st.integers(0, 11)),
    st.builds(Period, days=st.integers(0, 9999)),
)
WORDS = st.text(alphabet="abzXY é“'\"#:-{}[]&*!|>%@`,?", min_size=1, max_size=20).map(
    lambda text: f"w {text} w"
)


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    cutoff = draw(st.sampled_from(Cutoff))
    yearly = cutoff in {Cutoff.CALENDAR_YEAR, Cutoff.FISCAL_YEAR}
    after = draw(st.sampled_from([*EVENTS, "own_event"]))
    keep = draw(st.one_of(st.none(), PERIODS))
    must_set = draw(st.booleans())
    return Clause(
        after=after,
        keep=keep,
        cutoff=cutoff,
        anniversary_of="published" if cutoff is Cutoff.ANNIVERSARY and draw(st.booleans()) else "",
        block=Block(years=draw(st.integers(1, 9)), first=2001) if yearly and draw(st.booleans()) else None,
        agency_keep=None if keep is not None else draw(st.one_of(st.none(), PERIODS)),
        agency_must_set=must_set,
        at_most=draw(PERIODS) if keep is None and not must_set else None,
        declares=draw(WORDS) if after == "declared" and draw(st.booleans()) else "",
    )


CLOCKS: st.SearchStrategy[Clock] = st.recursive(
    clauses(),
    lambda inner: st.builds(Several, how=st.sampled_from(How), parts=st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=4,
)  # fmt: skip
ENDS = st.sampled_from([Then.DESTROY, Then.TRANSFER, Then.REVIEW])
RULES = st.one_of(
    st.builds(Timed, clock=CLOCKS, then=ENDS, instruction=st.one_of(st.just(""), WORDS)),
    st.builds(Undefined, why=WORDS),
    st.builds(Forever, instruction=st.one_of(st.just(""), WORDS), clock=st.one_of(st.none(), CLOCKS)),
)
QUESTIONS = ("flood", "kind:post AND NOT flood w/5 road", 'author:"Jane Doe"', "*", "date:>=2024")


@st.composite
def written(draw: st.DrawFn) -> Schedule:
    series = tuple(
        Series(
            code=f"S-{number}",
            title=draw(WORDS),
            rule=draw(RULES),
            scope=draw(st.one_of(st.just(""), WORDS)),
            citation=draw(st.one_of(st.just(""), WORDS)),
            verified=draw(st.booleans()),
            unconfirmed=draw(st.one_of(st.just(""), WORDS)),
            standing=draw(st.sampled_from(Standing)),
            ours=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    return Schedule(
        jurisdiction="us-xx",
        authority=draw(WORDS),
        title=draw(WORDS),
        edition=draw(st.sampled_from(["2026", "4.0", "yes", "2026-01-01", "null", "0x1F"])),
        effective=draw(st.one_of(st.none(), st.dates(min_value=date(1900, 1, 1)))),
        fiscal_year_starts=YearStart(month=draw(st.integers(1, 12)), day=1),
        waiting_days=draw(st.integers(0, 3650)),
        approvals=(Role.RECORDS_OFFICER, Role.ATTORNEY, Role.APPROVER),
        events={"own_event": draw(WORDS)},
        series=series,
        classify=tuple(
            Classifying(
                series=one.code,
                priority=place,
                when=parse(draw(st.sampled_from(QUESTIONS))),
                answered=draw(st.sampled_from([None, True, False])),
                incoming=draw(st.sampled_from([None, True, False])),
            )
            for place, one in enumerate(series)
        ),
    )


SCHEMA = json.loads((ROOT / "retention_schedules" / "schedule.schema.json").read_text())
VALID = jsonschema.Draft202012Validator(SCHEMA)


@given(written())
@settings(max_examples=60)
def test_a_schedule_that_is_written_is_read_again_and_meets_the_schema(made: Schedule):
    text = printer.as_yaml(made)
    assert schedules.read(text) == made
    assert [error.message for error in VALID.iter_errors(plain(text))] == []


# -- the schema --------------------------------------------------------------------------------------------


def plain(text: str) -> Any:
    """A schedule as an editor reads it: YAML of JSON's types, so that days stay text."""

    class Editor(yaml.SafeLoader):
        pass

    Editor.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader=Editor)  # a SafeLoader all the same


def test_the_published_schema_is_the_one_that_the_reader_makes():
    assert schema.make() == SCHEMA, "write app.retention.schema.make() to schedule.schema.json"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_example_meets_the_schema():
    VALID.validate(plain(TOWN))


# What only the reader knows: what names one another, what questions mean, and what YAML hides from an editor.
BY_THE_READER_ALONE = {
    "a key twice", "one code twice", "an unknown event", "disposed as an event", "a fiscal year that nobody defined",
    "an own period below the law's", "a maximum below the minimum", "a review into nowhere",
    "an assignment without a review", "a series that depends on itself", "series that wait for one another",
    "an own event under a known name", "a rule that points at no series", "two rules of one priority",
    "a question that cannot be understood", "a question with a bracket too many", "a rule where there are no series",
    "an unknown kind", "a rule about series", "a rule about holds",
    "no beginning of a year", "no day", "an anniversary of nothing", "blocks of no years", "no period", "no series",
    "a declaration of what needs none", "a period beside several clocks", "octal days", "yes written otherwise",
    "an anchor", "an alias", "a tag", "a second document", "a tab", "a colon in a title", "nothing",
    "a character that cannot be seen", "a bracket that is open", "a key that is a list", "what is far too long",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(MISTAKES) - BY_THE_READER_ALONE))
def test_an_editor_sees_the_same_mistake(name: str):
    assert not VALID.is_valid(plain(MISTAKES[name][0]))


def test_an_editor_sees_most_mistakes():
    assert len(MISTAKES) - len(BY_THE_READER_ALONE) > 30
    assert set(MISTAKES) >= BY_THE_READER_ALONE


# -- the guide ---------------------------------------------------------------------------------------------

GUIDE = (ROOT / "docs" / "retention.md").read_text()


def test_the_guide_names_every_key_and_every_event():
    keys = {*schedules.SCHEDULE_KEYS, *schedules.SERIES_KEYS, *schedules.RULE_KEYS, *schedules.CLASSIFY_KEYS}
    assert sorted(name for name in keys | set(EVENTS) if not re.search(rf"`{name}\b|\b{name}:", GUIDE)) == []


def test_every_form_that_the_guide_shows_can_be_read():
    (example,) = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
    assert schedules.read(example) == schedules.read(TOWN)
    two = SECOND.replace("classify:\n", SECOND.replace("COR-04", "COR-05"))
    shown = re.findall(r"`(\{[^`]*then: [^`]*\}|\{undefined[^`]*\})`", GUIDE)
    assert len(shown) > 10
    for rule in shown:
        assert read_rule(rule, more=f"classify:\n => {two}")

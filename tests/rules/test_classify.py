"""Which series a record belongs to, by which rule, and why the others lost; and what another edition would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.index.documents import Document
from app.index.engine import Scope
from app.index.language import parse
from app.index.tree import Not
from app.retention import schedules
from app.retention.classify import (
    Assigned,
    Classification,
    Classified,
    Unclassified,
    assignment_of,
    classify,
)
from app.retention.decide import Eligible
from app.retention.editions import Edition, InForce, in_force
from app.retention.facts import Assignment, Event, Facts, Today
from app.retention.meeting import Described, Met, any_of, every, lacking, meets
from app.retention.preview import NO_SERIES, Subject, changes, preview, rule, tally
from app.retention.telling import as_json, lines
from tests.promises import reference_engine

ZONE = ZoneInfo("America/Juneau")
NOW = date(2026, 3, 1)
TODAY = Today.plainly(NOW)


def version(text: str = "", number: int = 1, **more: object) -> Document:
    """One version of an invented record."""
    told: dict[str, object] = {
        "record": 1,
        "version": number,
        "entry": number,
        "page": "p1",
        "page_name": "Alder Creek Police",
        "platform": "mastodon",
        "kind": "post",
        "author": ("a1", "Jane Doe", "@jane"),
        "published_at": datetime(2024, 3, 1, 12, tzinfo=UTC),
        "captured_at": datetime(2024, 3, 2, 12, tzinfo=UTC),
        "text": text,
        "language": "en",
    }
    return Document(**(told | more))  # type: ignore[arg-type]  # the test names what it means


def described(*versions: Document, **more: object) -> Described:
    return Described(versions=versions or (version(),), zone=ZONE, **more)  # type: ignore[arg-type]  # the test names what it means


def asked(question: str, record: Described) -> Met:
    return meets(parse(question).tree, record)


# -- yes, no, and nobody can tell --------------------------------------------------------------------------

FLOOD = version(
    "The road is closed because of the flood. #flood @harbor https://town.example/map", media=True
)


@pytest.mark.parametrize(
    "question",
    [
        "flood",
        '"road is closed"',
        "road w/2 closed",
        "closed pre/5 flood",
        "clos*",
        "floof%",
        "closing~",
        "#flood",
        "@harbor",
        "https://town.example/*",
        "kind:post",
        'author:"JANE doe"',
        "author:@jane",
        "page:p1",
        'page:"alder creek police"',
        "platform:Mastodon",
        "lang:EN",
        "state:present",
        "has:media",
        "has:date",
        "origin:captured",
        "version:current",
        "date:2024-03-01",
        "captured:2024-03-02",
        "*",
        "flood AND NOT bridge",
        "bridge OR flood",
    ],
)
def test_a_question_is_met_by_a_records_own_words_and_facts(question: str):
    assert asked(question, described(FLOOD)) is Met.YES
    assert meets(Not(parse(question).tree), described(FLOOD)) is Met.NO


@pytest.mark.parametrize(
    "question",
    ["bridge", '"closed road"', "flood pre/5 closed", "kind:comment", "date:2024-03-02", "state:gone"],
)
def test_what_a_record_does_not_say_is_not_met(question: str):
    assert asked(question, described(FLOOD)) is Met.NO


def test_published_is_on_the_agencys_own_day():
    late = described(version(published_at=datetime(2024, 3, 1, 5, tzinfo=UTC)))
    assert asked("date:2024-02-29", late) is Met.YES
    assert asked("date:2024-03-01", late) is Met.NO


@pytest.mark.parametrize(
    ("question", "record"),
    [
        ("date:2024", described(version(published_at=None))),
        ("NOT date:2024", described(version(published_at=None))),
        ('author:"Jane Doe"', described(version(author=()))),
        ("lang:en", described(version(language=None))),
        ("tag:historic", described()),
        ("flood", described(version(), unread=frozenset({1}))),
        ("NOT flood", described(version(), unread=frozenset({1}))),
        ("flood AND date:2024", described(version("flood", published_at=None))),
        ("*", Described(versions=(), zone=ZONE)),
    ],
)
def test_what_is_not_known_is_neither_met_nor_not(question: str, record: Described):
    assert asked(question, record) is Met.UNKNOWN


@pytest.mark.parametrize(
    ("question", "met"),
    [("bridge AND date:2024", Met.NO), ("flood OR date:2024", Met.YES), ("bridge OR date:2024", Met.UNKNOWN)],
)
def test_what_is_known_settles_it_where_it_can(question: str, met: Met):
    assert asked(question, described(version("flood", published_at=None))) is met


def test_a_record_meets_a_question_if_any_of_its_versions_does_and_the_whole_of_it():
    record = described(version("closed until six"), version("open again", number=2))
    assert asked("closed", record) is Met.YES
    assert asked("closed AND version:current", record) is Met.NO
    assert asked("closed AND open", record) is Met.NO


def test_tags_are_met_without_regard_to_case():
    assert asked("tag:historic", described(tags=frozenset({"Historic"}))) is Met.YES
    assert asked("tag:historic", described(tags=frozenset())) is Met.NO


def test_yes_no_and_unknown_are_joined_as_kleene_did():
    yes, no, unknown = Met.YES, Met.NO, Met.UNKNOWN
    assert [every(pair) for pair in ((yes, yes), (yes, no), (yes, unknown), (no, unknown), ())] == [
        yes, no, unknown, no, yes,
    ]  # fmt: skip
    assert [any_of(pair) for pair in ((no, no), (yes, no), (yes, unknown), (no, unknown), ())] == [
        no, yes, yes, unknown, no,
    ]  # fmt: skip


QUESTIONS = [
    "flood", "NOT flood", '"road closed"', "road w/3 flood", "fl* OR kind:comment", "kind:post AND NOT (flood OR road)",
    "date:2024-03", "NOT date:>=2025", "state:gone OR has:media", "version:current AND flood", 'NOT page:"other"', "lang:en road",
    "captured:<=2024", "author:@jane AND flood", "origin:received", "has:date",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(["flood", "road", "closed", "is", "the"]), max_size=6).map(" ".join)


@given(
    st.sampled_from(QUESTIONS),
    st.lists(
        st.builds(
            version,
            TEXTS,
            kind=st.sampled_from(["post", "comment"]),
            state=st.sampled_from(["present", "gone"]),
            media=st.booleans(),
        ),
        min_size=1,
        max_size=3,
    ),
)
@settings(max_examples=150)
def test_where_every_fact_is_known_the_answer_is_that_of_an_obviously_right_engine(
    question: str, found: list[Document]
):
    versions = [replace(one, version=number) for number, one in enumerate(found, 1)]
    tree, scope = parse(question).tree, Scope(ZONE)
    expected = any(reference_engine.meets(tree, one, scope, current=one is versions[-1]) for one in versions)
    assert meets(tree, described(*versions)) is Met.of(expected)


def test_the_part_that_is_lacking_is_named():
    record = described(version("flood"))
    assert lacking(parse("flood AND kind:comment AND bridge").tree, record) == "kind:comment"
    assert lacking(parse("bridge OR harbor").tree, record) == "bridge OR harbor"


# -- rules -------------------------------------------------------------------------------------------------

TOWN = """
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "2026"
effective: 2020-01-01
series:
  - {code: GEN, title: General, citation: Item 1, verified: true, rule: {after: published, keep: P1Y, then: destroy}}
  - {code: LET, title: Letters, citation: Item 2, verified: true, rule: {after: published, keep: P9Y, then: destroy}}
  - {code: HIS, title: Historical, citation: Item 3, verified: true, rule: {then: permanent}}
classify:
  - {series: GEN, when: "*", priority: 1}
  - {series: HIS, when: "tag:historic", priority: 30}
  - {series: LET, when: "kind:comment", answered: true, direction: incoming, priority: 20}
"""


def adopted(text: str = TOWN) -> InForce:
    return in_force(
        [Edition(schedule=schedules.read(text), instrument="Resolution 12", adopted_on=date(2020, 1, 1))], NOW
    )


KNOWN: dict[str, object] = {"tags": frozenset(), "answered": False, "incoming": True}


def known(*versions: Document, **more: object) -> Described:
    """A record of which everything is known that a rule may ask."""
    return described(*versions, **(KNOWN | more))


def series(found: Classification) -> str | None:
    made = assignment_of(found)
    return None if made is None else made.series


def test_the_rule_of_the_greatest_priority_that_is_met_wins():
    comment = version(kind="comment")
    assert series(classify(known(comment), adopted())) == "GEN"
    assert series(classify(known(comment, answered=True), adopted())) == "LET"
    assert series(classify(known(comment, answered=True, tags=frozenset({"historic"})), adopted())) == "HIS"
    assert series(classify(known(comment, answered=True, incoming=False), adopted())) == "GEN"


def test_every_rule_says_why_it_won_or_lost():
    found = classify(known(version(kind="comment"), answered=True), adopted())
    assert isinstance(found, Classified)
    assert found.rule.priority == 20
    assert found.assignment == Assignment(series="LET", by="rule", why="kind:comment, answered, incoming")
    assert [(one.rule.priority, one.met, one.why) for one in found.lost] == [
        (30, Met.NO, "not so: tag:historic"),
        (1, Met.YES, "comes after priority 20"),
    ]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"answered": False}, "not so: the agency answered it"),
        ({"answered": True, "incoming": False}, "not so: the public sent it"),
    ],
)
def test_a_condition_beside_the_question_is_named_too(more: dict[str, object], why: str):
    found = classify(known(version(kind="comment"), **more), adopted())
    assert isinstance(found, Classified)
    assert [one.why for one in found.lost if one.rule.priority == 20] == [why]


def test_a_rule_that_cannot_be_told_stops_those_after_it():
    """Whether the agency answered is not known: the record might belong to the letters, which are kept longer."""
    found = classify(known(version(kind="comment"), answered=None), adopted())
    assert isinstance(found, Unclassified)
    assert found.why == "whether it belongs to series LET cannot be told"
    assert [(one.rule.priority, one.why) for one in found.lost] == [
        (30, "not so: tag:historic"),
        (20, "cannot be told: the agency answered it"),
        (1, "priority 20 comes before it, and cannot be told"),
    ]


def test_unless_it_cannot_be_met_whatever_the_answer():
    assert series(classify(known(version(kind="post"), answered=None), adopted())) == "GEN"


def test_or_leads_to_the_same_series():
    same = TOWN.replace("{series: LET, when", "{series: GEN, when")
    assert series(classify(known(version(kind="comment"), answered=None), adopted(same))) == "GEN"


def test_without_a_rule_that_is_met_a_record_has_no_series():
    narrow = TOWN.replace('when: "*"', "when: bridge")
    found = classify(known(), adopted(narrow))
    assert isinstance(found, Unclassified)
    assert found.why == "no rule is met"
    nothing = classify(known(), in_force([], NOW))
    assert isinstance(nothing, Unclassified)
    assert nothing.why == "no schedule in force has a rule"


def test_an_officer_outranks_the_rules_and_what_they_said_is_shown():
    assigned = Assignment(series="HIS", by="Ann Lee", why="the flood of the century")
    found = classify(known(), adopted(), assigned)
    assert isinstance(found, Assigned)
    assert series(found) == "HIS"
    assert series(found.otherwise) == "GEN"


def test_reading_only_as_far_as_needed_gives_the_same_series():
    record = known(version(kind="comment"), answered=True)
    short, whole = classify(record, adopted(), thorough=False), classify(record, adopted())
    assert assignment_of(short) == assignment_of(whole)
    assert isinstance(short, Classified)
    assert isinstance(whole, Classified)
    assert len(short.lost) < len(whole.lost)


@given(
    st.sampled_from(["post", "comment"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, frozenset[str](), frozenset({"historic"})]),
)
def test_what_becomes_unknown_never_puts_a_record_into_another_series(
    kind: str, answered: bool | None, incoming: bool | None, tags: frozenset[str] | None
):
    """With a fact missing, a record keeps its series or loses it; it never gains one that the fact would have denied."""
    record = described(version(kind=kind), answered=answered, incoming=incoming, tags=tags)
    found = series(classify(record, adopted()))
    for full in (
        described(version(kind=kind), answered=a, incoming=i, tags=t)
        for a in ([answered] if answered is not None else [True, False])
        for i in ([incoming] if incoming is not None else [True, False])
        for t in ([tags] if tags is not None else [frozenset[str](), frozenset({"historic"})])
    ):
        assert found in {None, series(classify(full, adopted()))}


# -- what people are told ----------------------------------------------------------------------------------


def subject(number: int, day: date | None, *, kind: str = "post", holds: bool | None = False) -> Subject:
    """A record that was published on a day, and is otherwise known."""
    at = None if day is None else datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
    return Subject(
        facts=Facts(id=f"r{number}", kind=kind, events=(Event.on("published", day),)),
        described=known(version(kind=kind, published_at=at), answered=kind == "comment"),
        holds=holds,
    )


def test_a_ruling_tells_which_rule_won_which_lost_and_until_when():
    ruling = rule(subject(1, date(2024, 1, 5), kind="comment"), adopted(), TODAY, thorough=True)
    said = lines(ruling)
    assert said[:4] == [
        "Kept until the end of 2033-01-05; after that it may be destroyed.",
        "The rule of priority 20 put it into series LET: kind:comment, answered, incoming.",
        "  priority 30, series HIS, lost: not so: tag:historic",
        "  priority 1, series GEN, lost: comes after priority 20",
    ]
    told = as_json(ruling)
    assert (told["decision"], told["until"], told["series"], told["citation"]) == (
        "keep_until",
        "2033-01-05",
        "LET",
        "Item 2",
    )
    assert told["classification"]["won"] == {
        "series": "LET",
        "priority": 20,
        "when": "kind:comment",
        "line": 14,
    }
    assert [one["why"] for one in told["classification"]["lost"]] == [
        "not so: tag:historic",
        "comes after priority 20",
    ]


def test_an_officers_assignment_is_told_beside_what_the_rules_said():
    made = Assignment(series="HIS", by="Ann Lee", why="the flood")
    ruling = rule(replace(subject(1, date(2024, 1, 5)), assigned=made), adopted(), TODAY, thorough=True)
    said = lines(ruling)
    assert said[:3] == [
        "Permanent: it is kept for ever.",
        "Ann Lee assigned it to series HIS: the flood.",
        "By the rules: The rule of priority 1 put it into series GEN: *.",
    ]
    told = as_json(ruling)["classification"]
    assert (told["by"], told["series"], told["by_rules"]) == ("Ann Lee", "HIS", "GEN")


def test_a_record_without_a_series_says_so():
    ruling = rule(subject(1, date(2024, 1, 5)), adopted(TOWN.replace('"*"', "bridge")), TODAY)
    assert lines(ruling)[:2] == ["Kept: no series is assigned to it.", "No series: no rule is met."]
    assert as_json(ruling)["series"] is None


# -- previews ----------------------------------------------------------------------------------------------

MANY = [
    subject(1, date(2024, 1, 5)),
    subject(2, date(2024, 1, 5), holds=True),
    subject(3, date(2025, 6, 1)),
    subject(4, None),
    subject(5, date(2024, 1, 5), kind="comment"),
    subject(6, date(2010, 1, 5), kind="comment"),
    subject(7, date(2024, 1, 5), holds=None),
]


def test_records_are_counted_by_series_and_decision():
    assert tally(MANY, adopted(), TODAY) == {
        "GEN": {"destroy": 1, "held": 1, "keep_until": 1, "keep": 2},
        "LET": {"keep_until": 1, "destroy": 1},
    }


def test_records_without_a_series_are_counted_apart():
    narrow = adopted(TOWN.replace('"*"', "bridge"))
    assert tally([subject(1, date(2024, 1, 5))], narrow, TODAY) == {NO_SERIES: {"keep": 1}}


LONGER = TOWN.replace("keep: P1Y", "keep: P3Y").replace("keep: P9Y", "keep: P2Y")


def test_a_preview_of_another_edition_counts_what_becomes_eligible_and_what_stops_being_so():
    found = preview(MANY, adopted(), adopted(LONGER), TODAY)
    assert (found.records, found.becomes, found.stops) == (7, 1, 1)
    general, letters = found.by_series["GEN"], found.by_series["LET"]
    assert (general.becomes, general.stops, general.remains) == (0, 1, 0)
    assert (letters.becomes, letters.stops, letters.remains) == (1, 0, 1)


def test_a_preview_counts_what_other_rules_put_elsewhere():
    moved = TOWN.replace("{series: LET, when", "{series: GEN, when")
    found = preview(MANY, adopted(), adopted(moved), TODAY)
    assert (found.by_series["LET"].leaves, found.by_series["GEN"].arrives) == (2, 2)
    assert (found.by_series["GEN"].becomes, found.by_series["LET"].stops) == (1, 0)
    assert found.by_series["GEN"].remains == 2
    back = preview(MANY, adopted(moved), adopted(), TODAY)
    assert (back.by_series["GEN"].stops, back.by_series["LET"].stops) == (1, 0), "counted where it was"


def test_the_records_that_change_are_told_one_by_one():
    told = list(changes(MANY, adopted(), adopted(LONGER), TODAY))
    assert [(one.id, one.becomes, one.stops) for one in told] == [("r1", False, True), ("r5", True, False)]
    assert isinstance(told[1].after.decision, Eligible)


def test_the_same_edition_changes_nothing():
    found = preview(MANY, adopted(), adopted(), TODAY)
    assert (found.becomes, found.stops) == (0, 0)
    assert list(changes(MANY, adopted(), adopted(), TODAY)) == []


def test_records_stream_through_a_preview():
    """However many there are: each is asked for when the one before it was counted."""
    alive = 0

    def endless() -> Iterator[Subject]:
        nonlocal alive
        for number in range(300):
            alive += 1
            yield subject(number, date(2024, 1, 5), kind="comment")

    found = changes(endless(), adopted(), adopted(LONGER), TODAY)
    assert next(found).id == "r0"
    assert alive == 1
    assert sum(1 for _ in found) == 299

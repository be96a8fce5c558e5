"""Records are put into series as they are captured, explained by the rules, and put anew when other rules come into force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from app.index import follower
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.records.clock import FixedClock
from app.retention import classifying, effects, recording
from app.retention.classify import Classified
from app.retention.explaining import explain
from app.retention.schedules import BadSchedule
from app.store import Store, tables
from connectors.contract import Author
from tests.steps.filing import AGENCY, RULES, Desk, a_schedule, comment, post, profile
from tests.steps.test_destruction import authorise, execute


class Stopped(Exception):
    """The process ends here."""


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(store, clock, tmp_path / "words")
    yield made
    made.engine.settle()


@pytest.fixture
def desk_anywhere(anywhere: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(anywhere, clock, tmp_path / "words")
    yield made
    made.engine.settle()


FAMILY = (profile(), post("p1"), comment("c1"), comment("c2", "The old one", to="c1", author=AGENCY))


def test_what_is_captured_is_put_into_series_by_the_first_rule_that_is_met(desk_anywhere: Desk):
    desk = desk_anywhere
    desk.adopt(a_schedule())
    desk.shown(*FAMILY)
    desk.classify()
    assert desk.series() == {"account:1": "KEPT", "p1": "POSTS", "c1": "TALK", "c2": "POSTS"}


def test_without_a_schedule_nothing_has_a_series_and_nothing_is_written_of_it(desk: Desk):
    desk.shown(*FAMILY[:3])
    desk.classify()
    assert set(desk.series().values()) == {None}
    assert desk.acts("classification") == 0


def test_classifying_again_writes_nothing(desk: Desk):
    desk.adopt(a_schedule())
    desk.shown(*FAMILY)
    desk.classify()
    before = desk.acts("classification")
    assert desk.classify().looked == 0
    assert desk.acts("classification") == before


def test_a_schedule_that_is_adopted_later_is_applied_to_what_is_there(desk: Desk):
    desk.shown(*FAMILY)
    desk.classify()
    desk.adopt(a_schedule())
    with desk.store.database.read() as tx:
        assert classifying.due(desk.store, tx)
    done = desk.classify()
    assert done.changed == 4
    assert desk.series()["c1"] == "TALK"
    with desk.store.database.read() as tx:
        assert not classifying.due(desk.store, tx)


def test_other_rules_are_previewed_from_which_series_to_which_and_change_nothing_until_they_are_carried_out(
    desk: Desk,
):
    desk.adopt(a_schedule())
    desk.shown(*FAMILY)
    desk.classify()
    desk.clock.at += timedelta(days=1)
    desk.adopt(a_schedule(rules=(("KEPT", 'when: "bridge"', 40), *RULES), edition="2"))
    with desk.store.database.read() as tx:
        moves = effects.of_classifying(desk.store, tx, desk.engine)
    assert moves == {("POSTS", "KEPT"): 1, ("TALK", "KEPT"): 1}
    assert desk.series()["c1"] == "TALK"
    done = desk.classify()
    assert dict(done.moves) == dict(moves)
    assert desk.series()["c1"] == "KEPT"


def test_an_officers_assignment_outranks_the_rules_and_stays_through_every_classification(
    desk_anywhere: Desk,
):
    desk = desk_anywhere
    desk.adopt(a_schedule())
    desk.shown(*FAMILY)
    desk.classify()
    desk.assign("c1", "KEPT")
    desk.adopt(a_schedule(rules=(("POSTS", 'when: "*"', 40),), edition="2"), since=date(2026, 3, 3))
    desk.clock.at += timedelta(days=2)
    desk.classify()
    assert desk.series() == {"account:1": "POSTS", "p1": "POSTS", "c1": "KEPT", "c2": "POSTS"}
    with desk.store.database.begin() as tx:
        recording.unassign(desk.store, tx, desk.ids("c1"), by=desk.clerk, why="the rules are right")
    assert desk.series()["c1"] == "POSTS"


def test_only_a_series_in_force_can_be_assigned(desk: Desk):
    desk.adopt(a_schedule())
    desk.shown(*FAMILY)
    with pytest.raises(recording.NoSuchSeries, match="TALKS"):
        desk.assign("c1", "TALKS")
    assert desk.assign("c1", "TALK")


# -- who sent it, and whether the agency answered ----------------------------------------------------------

ANSWERED = (("KEPT", "answered: true", 30), ("TALK", "answered: false", 20))


def test_an_answer_of_the_pages_own_publisher_answers_and_its_record_is_the_evidence(desk_anywhere: Desk):
    desk = desk_anywhere
    desk.adopt(a_schedule(rules=ANSWERED))
    desk.shown(*FAMILY)
    desk.classify()
    assert desk.series() == {"account:1": "TALK", "p1": "TALK", "c1": "KEPT", "c2": "TALK"}
    with desk.store.database.read() as tx:
        (event,) = recording.of_record(desk.store, tx, desk.keys()["c1"])
    assert event.evidence == f"record {desk.ids('c2')[0]}"
    assert event.on == date(2024, 1, 11)


def test_an_answer_that_comes_later_has_the_question_classified_anew(desk: Desk):
    desk.adopt(a_schedule(rules=ANSWERED))
    desk.shown(*FAMILY[:3])
    desk.classify()
    assert desk.series()["c1"] == "TALK"
    desk.shown(*FAMILY)
    desk.classify()
    assert desk.series()["c1"] == "KEPT"


def test_whoever_calls_themselves_like_the_agency_does_not_answer_for_it(desk: Desk):
    """The twin: a name and a handle prove nothing, the platform's own id does."""
    desk.adopt(a_schedule(rules=ANSWERED))
    impostor = Author(id="impostor", name=AGENCY.name, handle=AGENCY.handle)
    desk.shown(*FAMILY[:3], comment("c2", "The old one", to="c1", author=impostor))
    desk.classify()
    assert desk.series()["c1"] == "TALK"


def test_where_nobody_knows_as_whom_the_page_publishes_nothing_is_decided_by_who_sent_it(desk: Desk):
    desk.adopt(a_schedule())
    desk.shown(*FAMILY[1:])
    desk.classify()
    assert desk.series() == {"p1": None, "c1": None, "c2": None}


def test_when_the_page_introduces_itself_its_records_are_read_anew(desk: Desk):
    desk.adopt(a_schedule())
    desk.shown(*FAMILY[1:])
    desk.classify()
    desk.shown(*FAMILY)
    desk.classify()
    assert desk.series() == {"account:1": "KEPT", "p1": "POSTS", "c1": "TALK", "c2": "POSTS"}


def test_a_duplicate_is_one_only_when_an_officer_found_it(desk: Desk):
    desk.adopt(a_schedule(rules=(("TALK", "duplicate: true", 30), ("POSTS", 'when: "*"', 10))))
    desk.shown(*FAMILY)
    desk.classify()
    assert desk.series()["p1"] == "POSTS"
    found = desk.event("p1", "duplicated", date(2026, 3, 1), evidence="it stands on the town's own site")
    desk.classify()
    assert desk.series()["p1"] == "TALK"
    with desk.store.database.begin() as tx:
        recording.take_back(desk.store, tx, found.id, by=desk.clerk, why="it was another one")
    desk.classify()
    assert desk.series()["p1"] == "POSTS"


# -- all at once, and one by one ---------------------------------------------------------------------------

EVERYTHING = (
    ("KEPT", 'when: "author:pat date:2024-01"', 60),
    ("POSTS", 'when: "bridge NOT road", direction: outgoing', 50),
    ("TALK", 'when: "lang:es"', 40),
    ("KEPT", 'when: "date:<2023", answered: false', 30),
    ("POSTS", 'when: "has:media OR old*"', 20),
    ("TALK", 'when: "kind:comment"', 10),
)
CROWD = (
    *FAMILY,
    post("p2", "The road over the bridge", published_at=None),
    post("p3", "El puente", language="es"),
    comment("c3", "Nobody dated this", to="p2", published_at=None),
    comment("c4", "Nobody knows who", to="p2", author=None),
    comment("c5", "Old words", to="p3", language="en"),
    comment("c6", "Bridge", to="p3", author=AGENCY, language="es"),
)


def test_sets_of_the_engine_and_single_records_are_classified_alike(desk_anywhere: Desk):
    desk = desk_anywhere
    desk.shown(*CROWD)
    desk.classify()
    desk.adopt(a_schedule(rules=EVERYTHING))
    assert desk.classify().looked == len(CROWD)
    at_once = desk.series()
    with desk.store.database.read() as tx:
        for name, key in desk.keys().items():
            told = explain(desk.standing, tx, key)
            assert (told.ruling.series or None) == at_once[name], name
            assert not told.waits
    assert len(set(at_once.values())) > 2


@pytest.mark.parametrize("behind", [True, False])
def test_what_the_index_has_not_reached_is_read_by_itself(desk: Desk, tmp_path: Path, behind: bool):
    desk.shown(*CROWD[:4])
    engine = TantivyEngine.open(tmp_path / "late")
    if not behind:
        follower.catch_up(LedgerSource(desk.store), engine)
    desk.shown(*CROWD)
    classifying.follow(desk.store)
    desk.adopt(a_schedule(rules=EVERYTHING))
    classifying.classify_all(desk.store, engine)
    late = desk.series()
    engine.settle()
    with desk.store.database.begin() as tx:
        tx.execute(delete(tables.classifyings))
    classifying.classify_all(desk.store, desk.engine)
    assert desk.series() == late


def test_a_rule_that_no_engine_answers_is_refused_when_it_is_adopted_with_its_line(desk: Desk):
    file = a_schedule(rules=(("TALK", 'when: "tag:storm"', 10),))
    with pytest.raises(BadSchedule, match="tag:storm") as refused:
        desk.adopt(file)
    line = 1 + file.decode().splitlines().index('  - {series: TALK, when: "tag:storm", priority: 10}')
    assert [problem.line for problem in refused.value.problems] == [line]
    assert refused.value.next


# -- broken off --------------------------------------------------------------------------------------------


def test_a_classification_that_is_killed_at_any_commit_goes_on_and_gives_the_same_series(desk: Desk):
    desk.shown(*CROWD)
    classifying.follow(desk.store)
    desk.adopt(a_schedule(rules=EVERYTHING))
    kills = 0
    while True:
        left = kills

        def point(_name: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Stopped

        try:
            classifying.classify_all(desk.store, desk.engine, part=2, point=point)
            break
        except Stopped:
            kills += 1
    assert kills > 1
    with desk.store.database.read() as tx:
        assert len(tx.execute(select(tables.classifyings)).all()) == 1
        for name, key in desk.keys().items():
            told = explain(desk.standing, tx, key)
            assert (told.ruling.series or None) == told.series, name


def test_a_follower_that_is_killed_behind_a_commit_misses_nothing_and_does_nothing_twice(desk: Desk):
    desk.adopt(a_schedule(rules=ANSWERED))
    desk.shown(*FAMILY)

    def stop(_name: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        classifying.follow(desk.store, point=stop)
    desk.classify()
    assert desk.series()["c1"] == "KEPT"
    with desk.store.database.read() as tx:
        assert len(recording.of_record(desk.store, tx, desk.keys()["c1"])) == 1


def test_what_is_captured_while_everything_is_classified_is_not_put_where_it_was(desk: Desk):
    desk.shown(*CROWD)
    classifying.follow(desk.store)
    desk.adopt(a_schedule(rules=(("KEPT", 'when: "flood"', 20), ("TALK", 'when: "*"', 10))))
    told = iter(["begun", "part"])

    def point(name: str) -> None:
        if name == next(told, None) == "part":
            desk.shown(comment("c6", "A flood", to="p3", author=AGENCY, language="es"))
            classifying.follow(desk.store)

    classifying.classify_all(desk.store, desk.engine, part=2, point=point)
    assert desk.series()["c6"] == "KEPT"
    with desk.store.database.read() as tx:
        assert not any(explain(desk.standing, tx, key).waits for key in desk.keys().values())


def test_rules_that_change_on_the_way_begin_it_again(desk: Desk):
    desk.shown(*FAMILY)
    desk.classify()
    desk.adopt(a_schedule(rules=(("POSTS", 'when: "*"', 10),)))
    told = iter(["begun", "part"])

    def point(name: str) -> None:
        if name == next(told, None) == "part":
            desk.clock.at += timedelta(days=1)
            desk.adopt(a_schedule(rules=(("TALK", 'when: "*"', 10),), edition="2"))

    classifying.classify_all(desk.store, desk.engine, part=2, point=point)
    assert set(desk.series().values()) == {"TALK"}


def test_the_explanation_names_the_rule_that_won_and_why_the_others_lost(desk: Desk):
    desk.adopt(a_schedule())
    desk.shown(*FAMILY)
    desk.classify()
    with desk.store.database.read() as tx:
        told = explain(desk.standing, tx, desk.keys()["c1"])
    found = told.ruling.classification
    assert isinstance(found, Classified)
    assert (found.rule.series, found.rule.priority) == ("TALK", 10)
    assert [(one.rule.series, one.why) for one in found.lost] == [
        ("KEPT", "not so: kind:profile"),
        ("POSTS", "not so: the agency published it"),
    ]


def test_of_what_was_disposed_of_the_classification_keeps_nothing(desk: Desk):
    desk.adopt(a_schedule())
    desk.shown(*FAMILY)
    desk.classify()
    key = desk.keys()["c2"]
    execute(desk, authorise(desk, desk.records()["c2"]))
    desk.classify()
    with desk.store.database.read() as tx:
        left = set(tx.execute(select(tables.classified.c.record)).scalars())
    assert key not in left
    assert len(left) == 3

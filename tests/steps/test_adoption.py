"""A schedule binds when it is adopted, byte for byte, by an instrument; one edition at a time, each previewed before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DatabaseError

from app.capture.deeds import BadDate, TooLong
from app.holds import finding
from app.index.keys import Keys
from app.records.clock import FixedClock
from app.retention import adopted, effects, picture
from app.retention.adopted import AlreadyAdopted, ScheduleAltered, ScheduleEnded
from app.retention.editions import NotAdoptable, SchedulesOverlap, TwoEditionsInForce
from app.retention.schedules import BadSchedule, read
from app.store import Store, tables
from tests.steps.filing import PLAIN, RULES, Desk, a_schedule, comment, on, post, profile


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


def binding(desk: Desk, day: date) -> list[str]:
    with desk.store.database.read() as tx:
        return [one.schedule.edition for one in adopted.in_force(desk.store, tx, day).editions]


def test_a_schedule_is_kept_byte_for_byte_and_binds_from_the_day_of_its_adoption(desk_anywhere: Desk):
    desk, file = desk_anywhere, a_schedule() + b"# the clerk's own remark, with a blank at its end \n"
    made = desk.adopt(file)
    with desk.store.database.read() as tx:
        (one,) = adopted.listed(desk.store, tx)
        assert adopted.content(tx, one) == file
    assert one == made
    assert (one.edition.instrument, one.by, one.why) == (
        "Resolution 12",
        desk.clerk.id,
        "the council adopted it",
    )
    assert binding(desk, date(2026, 3, 1)) == []
    assert binding(desk, date(2026, 3, 2)) == ["1"]
    assert desk.acts("schedule") == 1


def test_an_edition_is_adopted_from_a_day_that_is_past_or_to_come(desk: Desk):
    desk.adopt(a_schedule(), since=date(2025, 7, 1))
    desk.adopt(a_schedule(edition="2"), since=date(2026, 7, 1))
    assert binding(desk, date(2025, 6, 30)) == []
    assert binding(desk, date(2026, 6, 30)) == ["1"]
    assert binding(desk, date(2026, 7, 1)) == ["2"]


def test_the_edition_before_ends_when_its_successor_binds_and_what_was_in_force_can_be_read_for_ever(
    desk: Desk,
):
    first = desk.adopt(a_schedule(), since=date(2026, 1, 1))
    desk.clock.at += timedelta(days=10)
    second = desk.adopt(a_schedule(edition="2"))
    with desk.store.database.read() as tx:
        ended = adopted.get(desk.store, tx, first.id)
    assert (ended.edition.ended_on, ended.standing(date(2026, 3, 12))) == (date(2026, 3, 12), "ended")
    assert second.standing(date(2026, 3, 12)) == "in force"
    assert binding(desk, date(2026, 3, 11)) == ["1"]


def test_two_editions_in_force_at_once_are_refused(desk: Desk):
    desk.adopt(a_schedule(), since=date(2026, 2, 1))
    with pytest.raises(TwoEditionsInForce):
        desk.adopt(a_schedule(edition="2"), since=date(2026, 1, 1))
    assert desk.adopt(a_schedule(edition="2"), since=date(2026, 2, 2)).edition.since == date(2026, 2, 2)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (a_schedule({"TALK": "{then: permanent}"}, (), title="Another"), "series TALK"),
        (
            a_schedule({"X": "{then: permanent}"}, (("X", "direction: incoming", 10),), title="Another"),
            "priority 10",
        ),
    ],
)
def test_schedules_that_overlap_are_refused(desk: Desk, other: bytes, words: str):
    desk.adopt(a_schedule())
    with pytest.raises(SchedulesOverlap, match=words):
        desk.adopt(other)
    beside = a_schedule({"X": "{then: permanent}"}, (("X", "direction: incoming", 11),), title="Another")
    assert desk.adopt(beside).edition.schedule.title == "Another"


def test_what_is_no_schedule_or_holds_the_place_of_one_or_has_no_instrument_is_not_adopted(desk: Desk):
    with pytest.raises(BadSchedule):
        desk.adopt(b"series: []")
    with pytest.raises(BadSchedule, match="UTF-8"):
        desk.adopt(b"title: \xff")
    with pytest.raises(NotAdoptable):
        desk.adopt(a_schedule().replace(b"series:", b"placeholder: it was not found\nseries:", 1))
    with pytest.raises(TooLong), desk.store.database.begin() as tx:
        adopted.adopt(desk.store, tx, a_schedule(), instrument=" ", by=desk.clerk.id, why="x")
    with desk.store.database.read() as tx:
        assert adopted.listed(desk.store, tx) == []


def test_what_is_in_force_already_is_not_adopted_again(desk: Desk):
    desk.adopt(a_schedule())
    desk.clock.at += timedelta(days=1)
    with pytest.raises(AlreadyAdopted):
        desk.adopt(a_schedule())


def test_an_edition_that_nothing_succeeds_is_ended_once_and_not_in_the_past(desk_anywhere: Desk):
    desk = desk_anywhere
    made = desk.adopt(a_schedule(), since=date(2026, 1, 1))

    def end(day: date) -> None:
        with desk.store.database.begin() as tx:
            adopted.end(desk.store, tx, made, on=day, by=desk.clerk.id, why="it was repealed")

    for day in (date(2025, 12, 1), date(2026, 2, 1)):
        with pytest.raises(BadDate):
            end(day)
    end(date(2026, 3, 5))
    assert binding(desk, date(2026, 3, 4)) == ["1"]
    assert binding(desk, date(2026, 3, 5)) == []
    with pytest.raises(ScheduleEnded):
        end(date(2026, 3, 6))
    with pytest.raises(DatabaseError, match="never changes"), desk.store.database.engine.begin() as tx:
        tx.execute(update(tables.schedules).values(content=b"x"))


@pytest.mark.parametrize("column", ["content", "adopted_on", "ended_on"])
def test_an_edition_that_was_altered_in_its_row_is_noticed_when_it_is_read(desk: Desk, column: str):
    desk.adopt(a_schedule(), since=date(2026, 1, 1))
    values = {
        "content": a_schedule().replace(b"P2Y", b"P1D"),
        "adopted_on": "2020-01-01",
        "ended_on": "2030-01-01",
    }
    with desk.store.database.engine.begin() as tx:
        tx.exec_driver_sql("DROP TRIGGER schedules_refuse_update")
        tx.execute(update(tables.schedules).values({column: values[column]}))
    with pytest.raises(ScheduleAltered), desk.store.database.read() as tx:
        desk.standing.in_force(tx, date(2026, 3, 2))


# -- previews ----------------------------------------------------------------------------------------------


def filed(desk: Desk) -> Desk:
    desk.adopt(a_schedule())
    desk.shown(
        profile(),
        post("old", published_at=on(2020, 1, 1)),
        post("p1", published_at=on(2024, 9, 1)),
        comment("c1", to="p1", published_at=on(2024, 9, 1)),
        comment("new", to="p1", published_at=on(2026, 1, 15)),
    )
    desk.classify()
    return desk


def test_adopting_is_previewed_by_what_becomes_eligible_what_stops_and_what_goes_elsewhere(
    desk_anywhere: Desk,
):
    desk = filed(desk_anywhere)
    longer = PLAIN | {
        "POSTS": "{after: published, keep: P9Y, then: destroy}",
        "TALK": "{after: published, keep: P1M, then: destroy}",
    }
    rules = (("KEPT", 'when: "kind:profile OR date:2026"', 30), *RULES[1:])
    with desk.store.database.read() as tx:
        schedule = read(a_schedule(longer, rules, edition="2").decode())
        told = effects.of_adopting(desk.standing, tx, desk.engine, schedule, since=date(2026, 3, 3))
    assert told.records == 5
    assert (told.becomes, told.stops) == (0, 1)
    assert (told.by_series["POSTS"].stops, told.by_series["TALK"].remains) == (1, 1)
    assert (told.by_series["TALK"].leaves, told.by_series["KEPT"].arrives) == (1, 1)
    assert binding(desk, date(2026, 3, 3)) == ["1"]
    desk.clock.at += timedelta(days=1)
    desk.adopt(a_schedule(longer, rules, edition="2"))
    desk.classify()
    assert desk.eligible("POSTS", date(2026, 3, 3)) == set()
    assert desk.series()["new"] == "KEPT"


def test_a_preview_refuses_what_adopting_would(desk: Desk):
    filed(desk)
    with desk.store.database.read() as tx:
        for file, error in (
            (a_schedule(edition="2"), TwoEditionsInForce),
            (a_schedule(rules=(("TALK", 'when: "tag:x"', 1),), edition="2"), BadSchedule),
        ):
            with pytest.raises(error):
                effects.of_adopting(
                    desk.standing, tx, desk.engine, read(file.decode()), since=date(2026, 3, 1)
                )


def test_a_preview_of_a_day_counts_series_and_decisions(desk: Desk):
    filed(desk)
    with desk.store.database.read() as tx:
        now = effects.tally(desk.standing, tx)
        later = effects.tally(desk.standing, tx, date(2027, 1, 16))
    assert now == {
        "KEPT": {"permanent": 1},
        "POSTS": {"destroy": 1, "keep_until": 1},
        "TALK": {"destroy": 1, "keep_until": 1},
    }
    assert later["TALK"] == {"destroy": 2}


# -- the years to come -------------------------------------------------------------------------------------


def simulated(desk: Desk, **more: Any) -> effects.Simulation:
    with desk.store.database.read() as tx:
        return effects.simulate(desk.standing, tx, desk.engine, **more)


def thought_of(desk: Desk, query: str) -> Keys:
    return finding.thought_of(desk.store, desk.engine, query, messages=False)


def test_the_years_to_come_are_counted_month_by_month(desk: Desk):
    found = simulated(filed(desk))
    assert (found.records, found.already.eligible, found.permanent) == (5, 2, 1)
    assert {one.month: one.eligible for one in found.months if one.eligible} == {"2026-09": 1, "2027-01": 1}
    assert len(found.months) == 120
    assert (found.months[0].month, found.months[-1].month) == ("2026-03", "2036-02")


def test_the_years_under_another_schedule_or_a_hold_are_simulated_and_nothing_changes(desk: Desk):
    filed(desk)
    longer = PLAIN | {"TALK": "{after: published, keep: P20Y, then: destroy}"}
    found = simulated(desk, schedule=read(a_schedule(longer, edition="2").decode()), on=date(2046, 1, 1))
    assert (found.already.eligible, found.later) == (1, 2)
    assert found.counts["TALK"] == {"destroy": 1, "keep_until": 1}
    held = simulated(desk, held=thought_of(desk, "bridge"))
    assert (held.already.eligible, held.already.held) == (0, 2)
    assert simulated(desk) == simulated(filed_again(desk))


def filed_again(desk: Desk) -> Desk:
    assert desk.classify().looked == 0
    return desk


def test_the_picture_says_in_words_what_it_shows(desk: Desk):
    filed(desk)
    found = simulated(desk, held=thought_of(desk, "which"))
    drawn = picture.draw(found)
    assert drawn.startswith("<svg")
    assert 'role="img"' in drawn
    assert "Of 5 records 1 are eligible already and 1 more become so within 120 months" in drawn
    assert "<title>2026-09: 1 eligible</title>" in drawn
    assert "<title>2027-01: 1 held</title>" in drawn
    assert "<script" not in drawn


@pytest.mark.parametrize(
    ("most", "top"), [(0, 4), (4, 4), (5, 8), (19, 20), (21, 40), (1_000_000, 2_000_000)]
)
def test_the_scale_of_the_picture_has_room_for_its_tallest_bar(most: int, top: int):
    assert picture.ceiling(most) == top

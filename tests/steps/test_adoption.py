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
        now = effects.tally(desk.standing, tx, desk.engine)
        later = effects.tally(desk.standing, tx, desk.engine, date(2027, 1, 16))
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


EVERY_FORM = {
    "POSTS": "{after: published, keep: P2Y, cutoff: fiscal_year, then: destroy}",
    "TALK": "{any_of: [{after: published, keep: P6Y}, {after: completed, keep: P1Y}], then: destroy}",
    "KEPT": "{then: permanent}",
    "SEEN": "{all_of: [{after: published, keep: P3Y}, {after: first_seen, keep: P18M}], then: review}",
}


def busy(desk: Desk, *editions: tuple[bytes, date]) -> Desk:
    """A page of several years, with editions that are adopted and come into force later."""
    for file, since in editions:
        desk.adopt(file, since=since)
    desk.shown(
        profile(),
        *(post(f"p{year}", published_at=on(year, 2, 28 + (year % 4 == 0))) for year in range(2012, 2027)),
        *(
            comment(
                f"c{year}",
                words="A fence" if year % 2 else "A gate",
                to="p2020",
                published_at=on(year, 12, 31),
            )
            for year in range(2015, 2026)
        ),
    )
    desk.classify()
    desk.event("c2023 c2024 c2025", "completed", date(2026, 2, 3))
    return desk


def stood(desk: Desk, day: date) -> dict[str, dict[str, int]]:
    """How the records stand when the clock has come to a day, and everything was classified by then."""
    desk.clock.at = on(day.year, day.month, day.day)
    desk.classify()
    with desk.store.database.read() as tx:
        return {code: dict(counts) for code, counts in effects.tally(desk.standing, tx, desk.engine).items()}


def went(desk: Desk) -> int:
    with desk.store.database.read() as tx:
        counts = effects.tally(desk.standing, tx, desk.engine)
    return sum(one["destroy"] + one["transfer"] for one in counts.values())


COMING = a_schedule(
    EVERY_FORM | {"TALK": "{after: published, keep: P9Y, then: transfer}"},
    (("SEEN", 'when: "fence"', 25), *RULES),
    edition="2",
).replace(b"effective: null", b"effective: null\nfiscal_year_starts: 07-01")
FIRST = a_schedule(EVERY_FORM).replace(b"effective: null", b"effective: null\nfiscal_year_starts: 10-31")


@pytest.mark.parametrize(
    "editions",
    [
        [(FIRST, date(2026, 3, 1))],
        [(FIRST, date(2026, 3, 1)), (COMING, date(2029, 5, 15))],
        [(FIRST, date(2028, 2, 29))],
    ],
    ids=["one edition", "another edition comes", "the first edition comes"],
)
def test_every_year_of_the_next_ten_stands_as_the_simulator_said(
    desk: Desk, editions: list[tuple[bytes, date]]
):
    busy(desk, *editions)
    days = [date(2026 + year, 11, 1) for year in range(11)]
    said = [{code: dict(counts) for code, counts in simulated(desk, on=day).counts.items()} for day in days]
    with desk.store.database.read() as tx:
        told = [effects.tally(desk.standing, tx, desk.engine, day) for day in days]
    assert said == told
    assert said == [stood(desk, day) for day in days]


def test_what_an_edition_to_come_lets_go_stands_in_its_month(desk: Desk):
    shorter = FIRST.replace(b"keep: P2Y", b"keep: P1M").replace(b'edition: "1"', b'edition: "2"')
    busy(desk, (FIRST, date(2026, 3, 1)), (shorter, date(2027, 5, 15)))
    found = simulated(desk)
    months = {one.month: one.eligible for one in found.months if one.eligible}
    counted = found.already.eligible
    for month in ("2027-04", "2027-05", "2027-06", "2027-12", "2028-12"):
        counted = found.already.eligible + sum(number for name, number in months.items() if name <= month)
        year, number = int(month[:4]), int(month[5:])
        desk.clock.at = on(year, number, 28)
        desk.classify()
        assert went(desk) == counted, month


def test_an_edition_that_ends_lets_nothing_go_from_its_day_on(desk: Desk):
    busy(desk, (FIRST, date(2026, 3, 1)))
    with desk.store.database.begin() as tx:
        (one,) = adopted.listed(desk.store, tx)
        adopted.end(desk.store, tx, one, on=date(2027, 1, 1), by=desk.clerk.id, why="repealed")
    found = simulated(desk, on=date(2030, 1, 1))
    assert not any(one.eligible for one in found.months if one.month >= "2027")
    assert not any("destroy" in counts for counts in found.counts.values())
    assert found.later == found.review == found.permanent == 0
    assert found.kept + found.already.eligible + sum(one.eligible for one in found.months) == found.records


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

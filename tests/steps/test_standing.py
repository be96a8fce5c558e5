"""What the archive knows of records decides when they may go: never earlier than their schedule, never by a clock that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import DatabaseError

from app.capture.deeds import BadDate
from app.db import to_instant
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.retention import days, effects, judging, known, recording
from app.retention.calendar import Between
from app.retention.decide import Eligible, Held, Keep, KeepUntil, Permanent, decide
from app.retention.editions import Edition, InForce
from app.retention.entered import RecordedAltered
from app.retention.facts import Assignment, Event, Facts, Today
from app.retention.schedules import read
from app.retention.standing import Standing
from app.store import Store, destruction, tables
from connectors.contract import State
from tests.steps.filing import Desk, a_schedule, comment, on, post, profile
from tests.steps.test_destruction import authorise, execute

SERIES = {
    "POSTS": "{after: published, keep: P2Y, then: destroy}",
    "TALK": "{after: published, keep: P1Y, then: destroy}",
    "REMOVED": "{after: removed, keep: P30D, then: destroy}",
    "EDITED": "{after: edited, keep: P30D, then: destroy}",
    "SUPERSEDED": "{after: superseded, keep: P30D, then: destroy}",
    "ACTION": "{after: last_action, keep: P30D, then: destroy}",
    "DECLARED": "{after: declared, keep: P0D, declares: it is not needed, then: destroy}",
    "AFTER": "{depends_on: TALK, keep: P0D, then: destroy}",
    "KEPT": "{then: permanent}",
}
RULES = (
    ("KEPT", 'when: "kind:profile"', 30),
    ("POSTS", "direction: outgoing", 20),
    ("TALK", 'when: "*"', 10),
)
SCHEDULE = a_schedule(SERIES, RULES)
ZONE = ZoneInfo("America/Juneau")


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


def kept(desk: Desk, *shown: Any) -> Desk:
    desk.adopt(SCHEDULE, since=date(2020, 1, 1))
    desk.shown(profile(), *shown)
    desk.classify()
    return desk


def why(decision: object) -> list[str]:
    assert isinstance(decision, Keep)
    return [str(one.code) for one in decision.missing]


# -- law 2: not before its cut-off, nor under a schedule that is not in force -------------------------------


def test_a_record_is_eligible_when_its_period_is_over_and_not_a_day_before(desk_anywhere: Desk):
    desk = kept(desk_anywhere, post("p1"), comment("c1"))
    found = desk.decisions()
    assert isinstance(found["c1"], Eligible)
    assert found["c1"].since == date(2025, 1, 12)
    assert isinstance(found["account:1"], Permanent)
    assert desk.eligible("TALK", date(2025, 1, 12)) == {"c1"}
    assert desk.eligible("TALK", date(2025, 1, 11)) == set()


def test_law_2_nothing_is_eligible_under_an_edition_that_is_not_in_force(desk: Desk):
    desk.shown(profile(), comment("c1"))
    desk.adopt(SCHEDULE, since=date(2026, 3, 4))
    desk.classify()
    assert why(desk.decisions()["c1"])[0] == "not-adopted"
    desk.clock.at += timedelta(days=2)
    desk.classify()
    assert isinstance(desk.decisions()["c1"], Eligible)


def test_where_nobody_looked_for_holds_a_record_is_kept_and_under_one_it_is_held(desk: Desk):
    kept(desk, comment("c1"))
    assert why(desk.decisions(looked=False)["c1"]) == ["holds-unknown"]
    hold, key = UUID(int=5), desk.keys()["c1"]
    with desk.store.database.read() as tx:
        today = desk.standing.today(tx)
        found = desk.standing.decisions(tx, [key], {key: {hold}}, today)
        none = desk.standing.decisions(tx, [key], {}, today)
    held = found[key]
    assert isinstance(held, Held)
    assert held.holds == (str(hold),)
    assert why(none[key]) == ["holds-unknown"]


def test_what_was_disposed_of_is_decided_no_more(desk: Desk):
    kept(desk, post("p1"), comment("c1"))
    key = desk.keys()["c1"]
    execute(desk, authorise(desk, desk.records()["c1"]))
    with desk.store.database.read() as tx:
        assert desk.standing.decisions(tx, [key], {key: ()}, desk.standing.today(tx)) == {}
        assert desk.standing.eligible(tx, "TALK", date(2026, 3, 2), 0, 10) == []


def test_eligible_records_come_in_the_order_of_keys_and_go_on_behind_a_key(desk: Desk):
    kept(desk, *(comment(f"c{number}") for number in range(5)), comment("new", published_at=on(2026, 3, 1)))
    with desk.store.database.read() as tx:
        first = list(desk.standing.eligible(tx, "TALK", date(2026, 3, 2), 0, 3))
        more = list(desk.standing.eligible(tx, "TALK", date(2026, 3, 2), first[-1], 3))
    assert first + more == sorted(first + more)
    assert len(first + more) == 5


# -- law 10: clocks ----------------------------------------------------------------------------------------


def test_law_10_a_clock_that_goes_back_makes_nothing_eligible_until_it_is_right(desk_anywhere: Desk):
    desk = kept(desk_anywhere, comment("c1"))
    assert isinstance(desk.decisions()["c1"], Eligible)
    now = desk.clock.at
    desk.clock.at = now - timedelta(days=3)
    assert why(desk.decisions()["c1"]) == ["clock-in-doubt"]
    assert desk.eligible("TALK", date(2026, 3, 2)) == set()
    desk.clock.at = now
    assert isinstance(desk.decisions()["c1"], Eligible)


def test_law_10_a_clock_ahead_of_what_is_attested_makes_nothing_eligible(desk: Desk):
    kept(desk, comment("c1"))
    asking = Standing(desk.store, attested=True)
    desk.standing = asking
    assert why(desk.decisions()["c1"]) == ["clock-in-doubt"]  # nobody has attested any day
    attest(desk)
    assert isinstance(desk.decisions()["c1"], Eligible)
    desk.clock.at += timedelta(days=2)
    assert why(desk.decisions()["c1"]) == ["clock-in-doubt"]


def attest(desk: Desk) -> None:
    """An authority has timestamped a checkpoint just now."""
    desk.store.ledger.checkpoint()
    with desk.store.database.begin() as tx:
        size = tx.execute(select(tables.checkpoints.c.size)).scalars().first()
        at = to_instant(desk.clock.now())
        row = {
            "entry": 0,
            "size": size,
            "authority": "x",
            "at": at,
            "kept_at": at,
            "policy": "1",
            "serial": "1",
        }
        tx.execute(insert(tables.anchors).values(digest=bytes(32), token=b"", roots="", **row))


def test_a_day_that_was_seen_is_kept_and_none_is_taken_back(desk_anywhere: Desk):
    store = desk_anywhere.store
    for _ in range(2):
        with store.database.begin() as tx:
            days.note(store, tx)
    desk_anywhere.clock.at -= timedelta(days=9)
    with store.database.begin() as tx:
        days.note(store, tx)
        assert len(tx.execute(select(tables.days_seen)).all()) == 1
        assert desk_anywhere.standing.today(tx).seen == date(2026, 3, 2)
    with pytest.raises(DatabaseError, match="seen"), store.database.engine.begin() as tx:
        tx.execute(tables.days_seen.delete())


# -- what captures show ------------------------------------------------------------------------------------


def test_removed_is_between_the_last_time_it_was_there_and_the_first_time_it_was_not(desk: Desk):
    kept(desk, post("p1"))
    desk.assign("p1", "REMOVED")
    assert why(desk.decisions()["p1"]) == ["no-event"]
    desk.clock.at += timedelta(days=4)
    desk.shown(profile(), gone(post("p1")))
    with desk.store.database.read() as tx:
        (facts,) = desk.standing.facts(tx, [desk.keys()["p1"]]).values()
    (removed,) = facts.of("removed")
    assert removed.when == Between(after=date(2026, 3, 2), by=date(2026, 3, 6))
    decision = desk.decisions()["p1"]
    assert isinstance(decision, KeepUntil)
    assert decision.until == date(2026, 4, 5)


def test_a_record_that_is_shown_again_was_not_removed(desk: Desk):
    kept(desk, post("p1"))
    desk.assign("p1", "REMOVED")
    desk.clock.at += timedelta(days=4)
    desk.shown(gone(post("p1")))
    desk.clock.at += timedelta(days=90)
    desk.shown(post("p1"))
    assert why(desk.decisions()["p1"]) == ["no-event"]


def gone(shown: Any) -> Any:
    return replace(shown, state=State.GONE)


def test_an_edit_starts_its_clock_and_supersedes_nothing_while_the_newest_version_is_shown(desk: Desk):
    kept(desk, post("p1"), post("p2"))
    for name, code in (("p1", "EDITED"), ("p2", "SUPERSEDED")):
        desk.assign(name, code)
    assert why(desk.decisions()["p1"]) == ["no-event"]
    desk.clock.at += timedelta(days=4)
    desk.shown(post("p1", "It is open"), post("p2", "It is open"))
    assert isinstance(desk.decisions()["p1"], KeepUntil)
    assert why(desk.decisions()["p2"]) == ["no-event"]
    desk.clock.at += timedelta(days=4)
    desk.shown(gone(post("p2", "It is open")))
    decision = desk.decisions()["p2"]
    assert isinstance(decision, KeepUntil)
    assert decision.until == date(2026, 4, 9)


def test_the_last_action_is_the_latest_of_all_that_was_done_with_it(desk: Desk):
    kept(desk, post("p1"))
    desk.assign("p1", "ACTION")
    assert isinstance(desk.decisions()["p1"], Eligible)
    desk.event("p1", "completed", date(2026, 2, 20))
    decision = desk.decisions()["p1"]
    assert isinstance(decision, KeepUntil)
    assert decision.until == date(2026, 3, 22)
    desk.event("p1", "last_action", None)
    assert why(desk.decisions()["p1"]) == ["event-without-day"]


# -- what people record ------------------------------------------------------------------------------------


def test_a_declaration_counts_for_its_series_and_is_signed_by_who_recorded_it(desk_anywhere: Desk):
    desk = kept(desk_anywhere, comment("c1"), comment("c2"))
    for name in ("c1", "c2"):
        desk.assign(name, "DECLARED")
    told = desk.event("c1", "declared", date(2026, 3, 1), about="DECLARED")
    assert told.signed_by == desk.clerk.id
    desk.event("c2", "declared", date(2026, 3, 1), about="TALK")
    found = desk.decisions()
    assert isinstance(found["c1"], Eligible)
    assert why(found["c2"]) == ["no-event"]


def test_a_day_on_which_a_record_was_not_there_yet_is_refused_and_nothing_is_recorded(desk: Desk):
    """As far as anybody knows when it was published; a record of an unknown day may be older than its capture."""
    kept(desk, comment("c1"), comment("c2", published_at=on(2025, 6, 2)), comment("c3", published_at=None))
    before = desk.acts("retention")
    for named in ("c2", "c1 c2 c3"):
        with pytest.raises(
            BadDate, match=r"2025-06-01 is before record .* published on 2025-06-02"
        ) as refused:
            desk.event(named, "completed", date(2025, 6, 1))
        assert str(desk.ids("c2")[0]) in str(refused.value)
    with pytest.raises(BadDate):
        desk.event("c1", "completed", date(1, 1, 1))
    with pytest.raises(BadDate):
        desk.event("c2", "completed", date(2024, 1, 1), until=date(2025, 6, 1))
    assert desk.acts("retention") == before
    desk.event("c2", "completed", date(2025, 6, 2))
    desk.event("c2", "completed", date(2024, 1, 1), until=date(2025, 6, 2))
    desk.event("c1 c3", "completed", date(2025, 6, 1))
    desk.event("c2", "disposed", date(2024, 6, 1), about="TALK")


def test_a_correction_supersedes_an_event_and_both_stay(desk: Desk):
    kept(desk, comment("c1"))
    desk.assign("c1", "DECLARED")
    first = desk.event("c1", "declared", date(2026, 1, 1), about="DECLARED")
    second = desk.event("c1", "declared", None, about="DECLARED", corrects=first.id)
    assert why(desk.decisions()["c1"]) == ["event-without-day"]
    with desk.store.database.read() as tx:
        told = recording.of_record(desk.store, tx, desk.keys()["c1"])
    assert [one.superseded_entry for one in told] == [None, second.entry]
    with pytest.raises(recording.AlreadySuperseded):
        desk.event("c1", "declared", None, about="DECLARED", corrects=first.id)
    with pytest.raises(DatabaseError, match="never changes"), desk.store.database.engine.begin() as tx:
        tx.execute(tables.retention_events.update().values(by_on="2020-01-01"))


@pytest.mark.parametrize(
    ("name", "more", "error"),
    [
        ("published", {}, recording.BadEvent),
        ("flooded", {}, recording.BadEvent),
        ("declared", {}, recording.BadEvent),
        ("declared", {"about": "NONE"}, recording.NoSuchSeries),
        ("read", {"about": "TALK"}, recording.BadEvent),
        ("read", {"until": date(2026, 2, 1)}, BadDate),
    ],
)
def test_an_event_that_no_schedule_knows_or_that_lacks_something_is_refused(
    desk: Desk, name: str, more: dict[str, Any], error: type[Exception]
):
    kept(desk, comment("c1"))
    with pytest.raises(error):
        desk.event("c1", name, date(2026, 3, 1), **more)
    with pytest.raises(BadDate, match="to come"):
        desk.event("c1", "read", date(2026, 4, 1))


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("retention_events", {"by_on": "2020-01-01"}),
        ("retention_events", {"after_on": None}),
        ("retention_events", {"name": "removed"}),
        ("retention_events", {"record": 2}),
        ("assigned", {"series": "TALK"}),
    ],
)
def test_what_was_altered_in_its_row_decides_nothing(desk: Desk, table: str, values: dict[str, Any]):
    kept(desk, comment("c1"))
    desk.assign("c1", "ACTION")
    desk.event("c1", "completed", date(2026, 3, 1))
    assert isinstance(desk.decisions()["c1"], KeepUntil)
    with desk.store.database.engine.begin() as tx:
        tx.exec_driver_sql(f"DROP TRIGGER {table}_refuse_update")
        tx.execute(
            tables.metadata.tables[table]
            .update()
            .values(**values | ({"record": desk.keys()["account:1"]} if "record" in values else {}))
        )
    with pytest.raises(RecordedAltered):
        desk.decisions()


def test_many_records_share_one_entry(desk: Desk):
    kept(desk, comment("c1"), comment("c2"))
    before = desk.acts("retention")
    told = desk.event("c1 c2", "read", date(2026, 3, 1))
    assert (told.records, desk.acts("retention") - before) == (2, 1)


def test_an_order_to_keep_longer_outlasts_the_schedule_and_never_cuts_it_short(desk: Desk):
    kept(desk, comment("c1"), comment("new", published_at=on(2026, 3, 1)))
    with desk.store.database.begin() as tx:
        ids = desk.ids("c1", "new")
        recording.extend(desk.store, tx, ids, date(2026, 6, 30), by=desk.clerk, why="a lawsuit may come")
    found = desk.decisions()
    assert isinstance(found["c1"], KeepUntil)
    assert found["c1"].until == date(2026, 6, 30)
    assert isinstance(found["new"], KeepUntil)
    assert found["new"].until == date(2027, 3, 1)


# -- another series ----------------------------------------------------------------------------------------


def test_the_end_of_another_series_is_known_when_all_of_it_was_disposed_of(desk: Desk):
    kept(desk, post("p1"), comment("c1"), comment("c2"))
    desk.assign("p1", "AFTER")
    execute(desk, authorise_as(desk, "TALK", "c1"))
    assert why(desk.decisions()["p1"]) == ["no-event"]
    execute(desk, authorise_as(desk, "TALK", "c2"))
    assert not isinstance(desk.decisions()["p1"], Eligible)  # ends with the day itself
    desk.clock.at += timedelta(days=1)
    assert isinstance(desk.decisions()["p1"], Eligible)
    desk.shown(post("p1"), comment("c3"))
    assert why(desk.decisions()["p1"]) == ["no-event"]  # what was captured since may be of that series


def authorise_as(desk: Desk, series: str, *names: str) -> UUID:
    batch = new_id()
    with desk.store.database.begin() as tx:
        law = {"authority": "Town council", "series": series, "citation": "Resolution 12"}
        destruction.authorise(
            desk.store, tx, batch, desk.ids(*names), **law, by=desk.clerk.id, why="the schedule"
        )
    return batch


# -- many at once ------------------------------------------------------------------------------------------


def test_what_is_decided_of_many_at_once_is_what_is_decided_of_each(desk_anywhere: Desk):
    desk = desk_anywhere
    shown = [post(f"p{number}", published_at=on(2023, 1 + number, 1)) for number in range(9)]
    shown += [
        comment(f"c{number}", published_at=None if number % 3 else on(2025, 3, 1)) for number in range(9)
    ]
    kept(desk, *shown)
    for number, code in enumerate(("REMOVED", "EDITED", "SUPERSEDED", "ACTION", "DECLARED", "AFTER")):
        desk.assign(f"p{number}", code)
        desk.assign(f"c{number}", code)
    desk.event("p3 p4 c4", "read", date(2026, 2, 1))
    desk.event("p4", "declared", date(2026, 2, 1), about="DECLARED")
    desk.clock.at += timedelta(days=10)
    desk.shown(*(post(f"p{number}", "Edited", published_at=on(2023, 1 + number, 1)) for number in range(3)))
    desk.shown(gone(post("p0", "Edited", published_at=on(2023, 1, 1))))
    desk.clock.at += timedelta(days=45)
    keys = {key: name for name, key in desk.keys().items()}
    each = desk.decisions()
    with desk.store.database.read() as tx:
        judge = desk.standing.judge(tx, desk.standing.today(tx))
        at_once = {keys[one.row.key]: one.decision for one in judging.every(tx, judge)}
        counts = effects.tally(desk.standing, tx, desk.engine)
    assert {name: essence(one) for name, one in at_once.items()} == {
        name: essence(one) for name, one in each.items()
    }
    assert sum(sum(one.values()) for one in counts.values()) == len(keys)


def essence(decision: Any) -> tuple[object, ...]:
    told = [getattr(decision, name, None) for name in ("since", "until", "then", "missing")]
    return (type(decision).__name__, *told)


# -- properties --------------------------------------------------------------------------------------------

EDITION = Edition(schedule=read(SCHEDULE.decode()), instrument="Resolution 12", adopted_on=date(2020, 1, 1))
DAYS = st.dates(date(2021, 1, 1), date(2025, 12, 31))
NAMES = st.sampled_from(["published", "first_seen", "removed", "edited", "superseded", "last_action", "read"])


@st.composite
def some_facts(draw: st.DrawFn) -> Facts:
    events = draw(st.lists(st.tuples(NAMES, DAYS | st.none()), max_size=6))
    return Facts(id="r", events=tuple(Event.on(name, day) for name, day in events))


def decided(facts: Facts, series: str, today: Today) -> object:
    return decide(facts, Assignment(series=series, by="rule"), InForce(today.day, (EDITION,)), False, today)


@settings(deadline=None)
@given(some_facts(), st.sampled_from(sorted(SERIES)), st.dates(date(2021, 1, 1), date(2026, 12, 31)))
def test_a_day_that_the_archive_learns_less_of_never_makes_a_record_go_earlier(
    facts: Facts, series: str, day: date
):
    """A fact whose day is lost keeps; it never lets go."""
    today = Today.plainly(day)
    blurred = replace(facts, events=tuple(replace(event, when=None) for event in facts.events))
    if isinstance(decided(blurred, series, today), Eligible):
        assert isinstance(decided(facts, series, today), Eligible)


@settings(deadline=None)
@given(some_facts(), st.sampled_from(sorted(SERIES)), st.dates(date(2021, 1, 1), date(2026, 12, 31)), DAYS)
def test_law_10_no_clock_that_is_doubted_lets_a_record_go(facts: Facts, series: str, day: date, seen: date):
    today = Today(day=day, seen=max(day, seen))
    found = decided(facts, series, today)
    if isinstance(found, Eligible):
        assert seen <= day


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["present", "hidden", "absent", "gone", "unknown"]), st.integers(0, 900)),
        max_size=6,
    )
)
def test_a_record_is_removed_only_if_it_is_not_shown_now_and_never_before_it_was_first_missed(
    told: list[tuple[str, int]],
):
    """The first version is present; later sightings come in their order."""
    moments = sorted(day for _, day in told)
    states = ["present", *(state for state, _ in told)]
    rows = [
        Seen(number, state, to_instant(on(2022, 1, 1) + timedelta(days=day)), None)
        for number, (state, day) in enumerate(zip(states, [0, *moments], strict=True), 1)
    ]
    found = {event.name: event for event in known.of_versions(rows, known.days(ZONE))}
    if "removed" in found:
        assert states[-1] not in ("present", "unknown")
        when = found["removed"].when
        last_shown = max(row.observed_at for row in rows if row.state == "present")
        assert when is not None
        assert when.by >= known.days(ZONE)(last_shown)
    else:
        assert states[-1] in ("present", "unknown")


class Seen:
    """A version as its row has it."""

    def __init__(self, number: int, state: str, at: int, before: int | None) -> None:
        self.number, self.state, self.observed_at, self.last_seen_before = number, state, at, before

"""Rounds of fixity: in so many nights everything is read again; what is found is told until it is mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.jobs import rounds
from app.jobs.doctor import examine
from app.jobs.rounds import NotWhatItWas, Round, Rounds, Throttle, due, looks_of, part_of
from app.jobs.telling import Telling
from app.officers import Smtp, mailer
from app.records.clock import FixedClock
from app.store import Store, audit, fixity
from app.store.fixity import BY_PARTS, WHOLE, Span
from app.store.tables import objects
from connectors.contract import Attachment
from tests.archives import NOON, settings_at
from tests.sinks import Sink
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment, post

JUNEAU = ZoneInfo("America/Juneau")
DAYS = 4

# -- what is due -------------------------------------------------------------------------------------------


def at(day: int, hour: int = 11) -> datetime:
    return datetime(2026, 3, day, hour, 30, tzinfo=UTC)


def test_a_part_is_due_each_night_and_none_twice_a_day():
    assert due(None, at(2), JUNEAU) == 1
    known = Round(began=at(2), parts=DAYS, done=1, at=at(2))
    assert due(known, at(2, 20), JUNEAU) == 0
    assert due(known, at(3, 11) - timedelta(minutes=5), JUNEAU) == 1  # a night that begins a little earlier


def test_missed_nights_are_made_up_for_three_parts_at_a_time():
    known = Round(began=at(2), parts=30, done=1, at=at(2))
    assert [due(known, at(day), JUNEAU) for day in (4, 5, 6, 20)] == [2, 3, 3, 3]


def test_the_next_round_begins_on_the_day_after_the_last_part():
    known = Round(began=at(2), parts=DAYS, done=DAYS, at=at(5))
    assert [due(known, moment, JUNEAU) for moment in (at(5, 20), at(6), at(16))] == [0, 1, 1]


@given(st.integers(1, 40), st.lists(st.integers(0, 50), min_size=40, max_size=40))
def test_however_an_archive_grows_the_parts_of_a_round_leave_nothing_out_and_take_nothing_twice(
    parts: int, grown: list[int]
):
    known, newest, taken = Round(began=NOON, parts=parts), 0, []
    for night in range(parts):
        newest += grown[night]
        spans = part_of(known, dict.fromkeys(BY_PARTS, newest))
        assert {*spans} == {*BY_PARTS}
        span = spans["objects"]
        taken += list(range(span.after + 1, span.upto + 1))
        known = Round(
            began=NOON, parts=parts, done=night + 1, marks={look: one.upto for look, one in spans.items()}
        )
    assert taken == list(range(newest + 1))


@given(st.integers(1, 366))
def test_each_look_that_is_taken_as_a_whole_belongs_to_one_part_of_a_round(parts: int):
    taken = [look for done in range(parts) for look in looks_of(Round(began=NOON, parts=parts, done=done))]
    assert taken == list(WHOLE)


def test_every_look_of_the_full_check_is_in_a_round(store: Store):
    asked: list[str] = []

    def wanted(look: str) -> bool:
        asked.append(look)
        return False

    fixity.verify(store, full=True, wanted=wanted)
    assert sorted(asked) == sorted([*BY_PARTS, *WHOLE])


# -- reading -----------------------------------------------------------------------------------------------


def test_whoever_reads_faster_than_the_pace_waits_for_it():
    now, waited = 0.0, []

    def wait(seconds: float) -> None:
        nonlocal now
        waited.append(seconds)
        now += seconds

    pace = Throttle(100, lambda: now, wait)
    pace(50)
    pace(150)
    assert (waited, now) == ([0.5, 1.5], 2.0)
    now += 10
    pace(100)
    assert len(waited) == 2  # it is behind its pace


def test_without_a_pace_nobody_waits():
    Throttle(0, lambda: 0.0, lambda _seconds: pytest.fail("waited"))(1 << 40)


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    made = World(store, clock)
    picture = Attachment(id="a", url="https://blog.example/a.png", media_type="image/png")
    made.client.files = {picture.url or "": bytes(range(256)) * 100}
    for number in range(6):
        made.capture(
            listing(
                clock,
                post(f"p{number}", f"words {number}", attachments=(picture,)),
                comment(f"c{number}", "?"),
            )
        )
        clock.at += timedelta(minutes=5)
    return made


def made(store: Store, days: int = DAYS) -> Rounds:
    return Rounds(store, days, lambda: Throttle(0, lambda: 0.0, lambda _seconds: None))


def nights(world: World, count: int) -> None:
    for _ in range(count):
        made(world.store).tonight()
        world.clock.at += timedelta(days=1)


def acts(store: Store) -> Sequence[Any]:
    with store.database.read() as tx:
        found = audit.acts_before(store, tx, kind="fixity", limit=100).acts
    return [act.detail for act in reversed(found)]


def test_a_round_reads_everything_once_and_says_in_the_ledger_what_it_read(world: World):
    nights(world, DAYS)
    whole = fixity.verify(world.store, full=True).checked
    told = acts(world.store)
    assert len(told) == DAYS
    for what in ("objects", "versions_opened", "exchanges", "attachments"):
        assert sum(one["checked"].get(what, 0) for one in told) == whole[what], what
    assert all(one["findings"] == [] for one in told)
    with world.store.database.read() as tx:
        size = sum(tx.execute(select(objects.c.size)).scalars())
    assert sum(int(str(one["bytes"])) for one in told) > size


def test_every_night_reads_a_part_and_no_night_reads_it_all(world: World):
    nights(world, DAYS)
    whole = fixity.verify(world.store, full=True).checked["objects"]
    assert all(0 < int(one["checked"]["objects"]) < whole for one in acts(world.store))


def damage(store: Store) -> tuple[Path, bytes]:
    """One byte of the oldest object, altered behind the archive's back."""
    with store.database.read() as tx:
        digest = bytes(tx.execute(select(objects.c.digest).order_by(objects.c.key)).scalars().all()[0]).hex()
    file = store.objects.folder / digest[:2] / digest[2:]  # type: ignore[attr-defined]  # a folder in this test
    held = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(bytes([held[0] ^ 1]) + held[1:])
    return file, held


def test_damage_is_found_within_the_days_of_a_round_and_told_until_it_is_mended(world: World):
    nights(world, 1)
    file, held = damage(world.store)
    nights(world, DAYS - 1)  # the part that lies in was read before
    with pytest.raises(NotWhatItWas, match=file.parent.name + file.name):
        nights(world, 1)
    world.clock.at += timedelta(days=1)
    with pytest.raises(NotWhatItWas):  # it belongs to no later part, and is looked at again all the same
        nights(world, 1)
    file.write_bytes(held)
    world.clock.at += timedelta(days=1)
    nights(world, 1)
    with world.store.database.read() as tx:
        assert rounds.to_do(tx) == ()


def test_the_doctor_and_the_overview_say_what_was_found(world: World):
    assert checks(world)["fixity"][0]
    damage(world.store)
    with pytest.raises(NotWhatItWas):
        nights(world, 1)
    well, says = checks(world)["fixity"]
    assert (well, "object-damaged" in says or "not what" in says) == (False, True)
    with world.store.database.read() as tx:
        (due_now,) = rounds.to_do(tx)
    assert due_now.urgent


def test_the_doctor_says_when_nothing_is_read_again(world: World):
    nights(world, 1)
    world.clock.at += timedelta(days=2)
    assert checks(world)["fixity"][0]
    world.clock.at += timedelta(days=1)
    assert not checks(world)["fixity"][0]


def checks(world: World) -> dict[str, tuple[bool, str]]:
    folder = world.store.objects.folder.parent  # type: ignore[attr-defined]  # a folder in this test
    found = examine(settings_at(folder), world.store, lambda: 0)
    return {one.what: (one.ok, one.says) for one in found}


def test_one_letter_tells_of_damage_with_what_to_do(
    world: World, serve: Callable[..., Sink], clock: FixedClock
):
    from app import officers

    with world.store.database.begin() as tx:
        officers.first(world.store, tx, "clerk@harrowfalls.example")
    sink = serve()
    smtp = mailer(f"smtp://127.0.0.1:{sink.port}", "archive@harrowfalls.example", clock=clock)
    assert isinstance(smtp, Smtp)
    telling = Telling(world.store, smtp, "https://archive.example", "07:00")
    damage(world.store)
    for _ in range(2):
        with pytest.raises(NotWhatItWas):
            nights(world, 1)
        telling.tick()
        world.clock.at += timedelta(days=1)
    letters = [one for one in sink.messages() if "to do" not in one["Subject"]]
    assert [one["Subject"] for one in letters] == ["Harrow Falls: something kept is not what it was"]
    assert "muniment verify --full" in letters[0].get_content()


def test_a_part_that_was_broken_off_is_read_again(world: World):
    def killed(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Rounds(world.store, DAYS, lambda: Throttle(1, lambda: 0.0, killed)).tonight()
    nights(world, DAYS)
    assert [json.loads(json.dumps(one["checked"]))["objects"] > 0 for one in acts(world.store)] == [
        True
    ] * DAYS


def test_a_span_takes_the_rows_in_it_alone(world: World):
    newest = fixity.newest(world.store)
    found = fixity.verify(
        world.store,
        full=True,
        wanted=BY_PARTS.__contains__,
        spans={look: Span(last, last + 10) for look, last in newest.items()},
    )
    assert sum(found.checked.values()) == 0

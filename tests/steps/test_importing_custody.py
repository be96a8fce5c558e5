"""Chain of custody of what was handed in, and imports that were broken off: none stays running for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.capture import importing, lease, records, runs
from app.capture.formats.observations import Observations
from app.capture.importing import ImportLost, ImportUnderWay, Received
from app.db.rows import update_rows
from app.records.clock import FixedClock
from app.records.nouns import Record
from app.store import Store, fixity, reading
from app.store.tables import exchanges, versions
from app.store.tables import records as record_table
from app.store.tables import runs as run_table
from tests.steps.scripted import listing
from tests.steps.test_capture import World, post

OFFICER = UUID(int=7)


class Desk:
    """Where files are received."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def file(self, name: str, *ids: str, text: str = "words") -> Path:
        made = self.folder / name
        told = [
            {"platform": "mail", "page": "letters", "native_id": one, "kind": "post", "text": text}
            for one in ids
        ]
        made.write_text("".join(json.dumps(one) + "\n" for one in told))
        return made

    def receive(self, file: Path, **more: Any) -> Received:
        ticks = iter(range(1_000))
        return importing.receive(
            self.store,
            Observations(file),
            page=None,
            make_pages=True,
            by=OFFICER,
            why="test",
            tick=lambda: next(ticks),
            **more,
        )

    def record(self, name: str, number: int | None = None) -> Record:
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key).order_by(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True, number=number)
        return next(one for one in found if one.version.fields["native_id"] == name)

    def statuses(self) -> list[str]:
        with self.store.database.read() as tx:
            return [run.status for run in runs.recent(tx)]

    def gaps(self) -> list[str]:
        with self.store.database.read() as tx:
            return [gap.what for gap in runs.gaps_of(self.store, tx)]

    def close(self) -> list[runs.Run]:
        with self.store.database.begin() as tx:
            return importing.close_broken_off(self.store, tx, by=None)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    (tmp_path / "desk").mkdir()
    return Desk(store, tmp_path / "desk")


class _Killed(BaseException):
    pass


def killed(which: str = "before-commit") -> Callable[[str], None]:
    def point(name: str) -> None:
        if name == which:
            raise _Killed

    return point


def break_off(desk: Desk, file: Path, *, owner: str) -> None:
    """Begin an import in the name of another process, and leave it as a power cut would."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lease, "owner", lambda: owner)
        with pytest.raises(_Killed):
            desk.receive(file, point=killed())


# -- from whom ---------------------------------------------------------------------------------------------


def test_a_record_says_in_which_file_it_was_received_from_whom_and_when(desk: Desk):
    report = desk.receive(desk.file("a.jsonl", "n1"), handed_by="Pat Lee, town clerk")
    assert records.as_json(desk.record("n1"))["received"] == {
        "file": "a.jsonl",
        "sha256": report.sha256,
        "from": "Pat Lee, town clerk",
        "at": "2026-03-02T12:00:00+00:00",
    }
    assert report.as_dict()["from"] == "Pat Lee, town clerk"


def test_each_version_says_its_own_file(desk: Desk):
    desk.receive(desk.file("a.jsonl", "n1"), handed_by="Pat")
    desk.receive(desk.file("b.jsonl", "n1", text="other words"))
    told = [(desk.record("n1", number).handed_in or {}) for number in (1, 2)]
    assert [(one["file"], one["from"]) for one in told] == [("a.jsonl", "Pat"), ("b.jsonl", None)]


def test_what_was_captured_was_received_from_nobody(store: Store, clock: FixedClock):
    world = World(store, clock)
    world.capture(listing(clock, post("p1", "seen by ourselves")))
    assert records.as_json(world.records()["p1"])["received"] is None


def test_file_digest_and_giver_stand_in_the_evidence_and_in_the_run_s_entry(desk: Desk):
    report = desk.receive(desk.file("a.jsonl", "n1"), handed_by="Pat")
    with desk.store.database.read() as tx:
        key = tx.execute(select(exchanges.c.key)).scalar_one()
        envelope = json.loads(reading.exchange(desk.store, tx, key).envelope or b"{}")
    assert {name: envelope[name] for name in ("file", "sha256", "from", "format")} == {
        "file": "a.jsonl",
        "sha256": report.sha256,
        "from": "Pat",
        "format": "observations",
    }
    assert fixity.verify(desk.store, full=True).findings == []


# -- broken off --------------------------------------------------------------------------------------------


def test_an_import_whose_process_ended_is_closed_as_partial_with_a_gap(desk: Desk):
    break_off(desk, desk.file("a.jsonl", "n1"), owner=lease.owner().rpartition("/")[0] + "/another-start")
    assert desk.statuses() == ["running"]
    assert len(desk.close()) == 1
    assert (desk.statuses(), desk.gaps()) == (["partial"], ["the rest of a.jsonl"])
    assert desk.close() == []
    assert fixity.verify(desk.store, full=True).findings == []


def test_an_import_of_this_very_process_that_is_not_under_way_any_more_is_closed(desk: Desk):
    break_off(desk, desk.file("a.jsonl", "n1"), owner=lease.owner())
    assert len(desk.close()) == 1


def test_an_import_that_is_under_way_is_left_alone(desk: Desk):
    found: list[object] = []

    def look(name: str) -> None:
        if name == "before-objects":
            found.extend(desk.close())

    assert desk.receive(desk.file("a.jsonl", "n1"), point=look).status == "complete"
    assert found == []


def test_an_import_on_another_machine_is_left_for_ten_minutes_and_then_closed(desk: Desk, clock: FixedClock):
    break_off(desk, desk.file("a.jsonl", "n1"), owner="elsewhere/1/1")
    clock.at += timedelta(minutes=9)
    assert desk.close() == []
    clock.at += timedelta(minutes=2)
    assert len(desk.close()) == 1


def test_an_import_that_was_taken_for_broken_off_keeps_nothing_more(desk: Desk):
    def ended(name: str) -> None:
        if name == "before-objects":
            with desk.store.database.begin() as tx:
                key = tx.execute(select(run_table.c.key)).scalar_one()
                update_rows(tx, run_table, ("status",), "key", [("partial", key)])

    with pytest.raises(ImportLost):
        desk.receive(desk.file("a.jsonl", "n1"), point=ended)
    with desk.store.database.read() as tx:
        assert tx.execute(select(versions.c.number)).all() == []


def test_the_next_import_of_any_file_closes_one_that_was_broken_off(desk: Desk):
    break_off(desk, desk.file("a.jsonl", "n1"), owner=lease.owner())
    desk.receive(desk.file("b.jsonl", "n2"))
    assert (desk.statuses(), desk.gaps()) == (["complete", "partial"], ["the rest of a.jsonl"])


def test_a_broken_off_import_that_was_closed_goes_on_where_it_stopped_all_the_same(desk: Desk):
    file = desk.file("a.jsonl", *(f"n{n}" for n in range(2_500)))
    seen = 0

    def point(name: str) -> None:
        nonlocal seen
        seen += name == "before-commit"
        if seen == 2:
            raise _Killed

    with pytest.raises(_Killed):
        desk.receive(file, point=point)
    desk.close()
    report = desk.receive(file)
    assert (report.tally.new, report.tally.unchanged) == (500, 0)


def test_a_broken_off_import_goes_on_although_another_file_came_in_between(desk: Desk):
    file = desk.file("a.jsonl", *(f"n{n}" for n in range(2_500)))
    seen = 0

    def point(name: str) -> None:
        nonlocal seen
        seen += name == "before-commit"
        if seen == 2:
            raise _Killed

    with pytest.raises(_Killed):
        desk.receive(file, point=point)
    desk.receive(desk.file("b.jsonl", "m1"))
    assert desk.receive(file).tally.unchanged == 0
    assert desk.receive(file).tally.unchanged == 2_500


def test_the_same_file_goes_on_without_a_gap_because_nothing_is_missing(desk: Desk):
    file = desk.file("a.jsonl", "n1")
    break_off(desk, file, owner=lease.owner())
    desk.receive(file)
    assert (desk.statuses(), desk.gaps()) == (["complete", "partial"], [])


def test_the_same_file_is_not_imported_twice_at_once(desk: Desk):
    file = desk.file("a.jsonl", "n1")

    def again(name: str) -> None:
        if name == "before-objects":
            with pytest.raises(ImportUnderWay):
                desk.receive(file)

    assert desk.receive(file, point=again).status == "complete"


def test_an_import_that_fails_is_closed_at_once(desk: Desk):
    def fail(name: str) -> None:
        if name == "before-objects":
            raise OSError(5, "the disk")

    with pytest.raises(OSError, match="the disk"):
        desk.receive(desk.file("a.jsonl", "n1"), point=fail)
    assert (desk.statuses(), desk.gaps()) == (["partial"], ["the rest of a.jsonl"])

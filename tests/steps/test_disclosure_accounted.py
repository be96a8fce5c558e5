"""Whatever selection, review and production say in rows is held against what was done, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from app.disclosure import accounted, handing, produced, reviewing, selecting
from app.disclosure.redacting import Field, Span, Whole
from app.records.clock import FixedClock
from app.store import Store, fixity, tables
from app.store.fixity import Finding
from tests.steps.scripted import listing
from tests.steps.test_accounted import Archive
from tests.steps.test_capture import comment, post
from tests.steps.test_producing import Producer
from tests.steps.test_review import WHY

ROOM = (
    "selections", "selected", "redactions", "reviewed", "review_rules", "productions", "produced", "handovers",
)  # fmt: skip
INTERNAL = {"key"}
"""Numbers of rows that nothing else refers to: another one says nothing else."""


class Room(Archive):
    """An archive in which everything was done that this room can do, looked at from outside."""

    def __init__(self, desk: Producer, outside: Engine) -> None:
        self._desk, self.outside = desk, outside

    @property
    def store(self) -> Store:
        return self._desk.store

    def found(self, *looks: str) -> list[Finding]:
        more = ((accounted.LOOK, accounted.wrong),)
        return fixity.verify(
            self.store, full=True, wanted=lambda look: look in (looks or (accounted.LOOK,)), more=more
        ).findings


@pytest.fixture
def room(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Room]:
    desk = Producer(store, clock, tmp_path / "index")
    desk.capture(
        listing(
            clock,
            post("p1", "Elm Street is closed"),
            comment("c1", "call 907-555-0133"),
            post("p2", "Elm is open"),
        )
    )
    request = desk.opened()
    desk.select(request, "Elm", families=True)
    held = desk.records()
    with store.database.begin() as tx:
        selecting.by_hand(store, tx, request, remove=[held["p2"].id], by=desk.admin, why=WHY)
    desk.confirm(request)
    first = desk.redact(request, "c1", Span(1, 5, 17))
    gone = desk.redact(request, "p1", Field("address"))
    desk.redact(request, "p1", Whole(), only_here=True)
    with store.database.begin() as tx:
        reviewing.ask_for_two(store, tx, request, True, by=desk.attorney, why=WHY)
        reviewing.ask_for_two(store, tx, request, False, by=desk.attorney, why=WHY)
        reviewing.approve(store, tx, first.id, by=desk.second, why=WHY)
        reviewing.retract(store, tx, gone.id, by=desk.admin, why=WHY)
        keys = selecting.of(tx, request.id)
        reviewing.assign(store, tx, request, keys, desk.second, by=desk.admin, why=WHY)
        reviewing.look(store, tx, request, keys, by=desk.second, why=WHY)
        reviewing.look(store, tx, request, keys, by=desk.admin, why=WHY)
    desk.redact(request, "c1", Field("author"))
    given_up = desk.begin(desk.plan(request), "XX-")
    with store.database.begin() as tx:
        produced.give_up(store, tx, given_up, by=desk.admin, why=WHY)
    production, _ = desk.make(request, tmp_path / "out")
    with store.database.begin() as tx:
        link = handing.hand_over(store, tx, production, "Ann", days=3, by=desk.admin, why=WHY)
        handing.taken(store, tx, link.token or "")
        produced.claw_back(store, tx, production, by=desk.admin, why=WHY)
    outside = create_engine(store.database.url)
    made = Room(desk, outside)
    yield made
    outside.dispose()
    desk.engine.settle()


def test_every_altered_value_and_every_removed_row_is_found_and_where_nobody_touched_anything_nothing_is(
    room: Room,
):
    assert room.found() == []
    assert [name for name in ROOM if not room.rows(tables.metadata.tables[name])] == []
    room.unguarded()
    missed, done = room.missed(ROOM, most=2, but=INTERNAL)
    assert missed == []
    assert done > 60
    assert room.found() == []

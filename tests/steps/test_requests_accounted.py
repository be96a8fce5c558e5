"""Whatever requests say in rows is held against what was done, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine

from app.disclosure import fees, requests_accounted
from app.disclosure.papers import New
from app.records.clock import FixedClock
from app.store import Store, fixity, tables
from app.store.fixity import Finding
from tests.steps.asking import Office
from tests.steps.scripted import listing
from tests.steps.test_accounted import Archive
from tests.steps.test_capture import post

ROOM = ("requests", "request_pages", "request_events", "request_papers", "request_times", "request_fees")
SEALED = {"request_papers.sealed", "requests.law", "key"}
"""Bytes that are opened when they are read, and numbers of rows."""


class Room(Archive):
    """An archive in which everything was done that requests can have done to them, looked at from outside."""

    def __init__(self, office: Office, outside: Engine) -> None:
        self._office, self.outside = office, outside

    @property
    def store(self) -> Store:
        return self._office.store

    def found(self, *looks: str) -> list[Finding]:
        more = ((requests_accounted.LOOK, requests_accounted.wrong),)
        return fixity.verify(
            self.store,
            full=True,
            wanted=lambda look: look in (looks or (requests_accounted.LOOK,)),
            more=more,
        ).findings


@pytest.fixture
def room(store: Store, clock: FixedClock) -> Iterator[Room]:
    office = Office(store, clock)
    office.capture(listing(clock, post("p1", "The bridge is closed")))
    made = office.open(
        enclosed=[New("attached", "plan.txt", "text/plain", b"a plan")], pages=[office.page],
        since=clock.at.date() - timedelta(days=9), until=clock.at.date(), email="pat@elsewhere.example",
    )  # fmt: skip
    office.do("acknowledge", made)
    office.plainly("assign", made, office.clerk.email)
    office.do("extend", made, reasons="three offices")
    office.confirm(made, "p1")
    with store.database.begin() as tx:
        fees.spend(store, tx, office.now(made), 90, "search", by=office.clerk, why="worked")
    office.do("no_records", made, reasons="none")
    office.do("close", made, outcome="produced")
    office.do("appeal", made, words="I disagree")
    office.do("decide_appeal", made, "reversed")
    office.do("reopen", made)
    other = office.open("us-wa", name="", email="")
    office.do("close", other, outcome="withdrawn")
    office.do("let_go", other)
    with store.database.begin() as tx:
        fees.estimate(store, tx, office.now(made), 1250, by=office.clerk, why="so it is")
    outside = create_engine(store.database.url)
    yield Room(office, outside)
    outside.dispose()


def test_every_altered_value_and_every_removed_row_of_a_request_is_found_and_otherwise_nothing_is(room: Room):
    assert room.found() == []
    assert [name for name in ROOM if not room.rows(tables.metadata.tables[name])] == []
    room.unguarded()
    missed, done = room.missed(ROOM, most=3, but=SEALED)
    assert missed == []
    assert done > 60
    assert room.found() == []

"""A hold that was acknowledged is there after any crash, and a release that was not carried out protects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.db.database import Database
from app.holds import covering, following, placing, releasing
from app.holds import finding as looking
from app.holds.scopes import Scope
from app.records.clock import FixedClock
from app.store import Store, fixity, tables
from tests.archives import NOON
from tests.steps.holding import Law
from tests.steps.test_capture import comment, post


class PowerCut(Exception):
    """The power goes."""


@pytest.fixture
def law(store: Store, clock: FixedClock) -> Law:
    law = Law(store, clock)
    law.shown(post("p1", "the flood", published_at=NOON), comment("c1", "hello", published_at=NOON))
    return law


def reopened(reopen: Callable[[], Store]) -> Store:
    store = reopen()
    assert [one.what for one in fixity.verify(store, full=True).findings] == []
    return store


def holds_of(store: Store) -> list[UUID]:
    with store.database.read() as tx:
        return [one.id for one in covering.active(store, tx)]


def covered(store: Store) -> int:
    with store.database.read() as tx:
        keys = list(tx.execute(select(tables.records.c.key)).scalars())
        return sum(bool(held) for held in covering.covering(store, tx, keys).values())


def test_before_its_commit_a_hold_is_not_there_and_was_not_acknowledged(
    law: Law, reopen: Callable[[], Store]
):
    matter = law.matter()
    found = looking.find(law.store, law.engine, Scope(query="flood"))

    def broken_off() -> None:
        with law.store.database.begin() as tx:
            placing.place(law.store, tx, matter, Scope(query="flood"), found, by=law.counsel, why="kept")
            raise PowerCut

    with pytest.raises(PowerCut):
        broken_off()
    store = reopened(reopen)
    assert holds_of(store) == []
    assert covered(store) == 0


def test_after_its_commit_a_hold_is_there_with_everything_that_it_covers(
    law: Law, reopen: Callable[[], Store]
):
    placed = law.place(law.matter(), "flood")
    store = reopened(reopen)
    assert holds_of(store) == [placed.hold.id]
    assert covered(store) == 1


def test_following_that_was_broken_off_goes_on_and_the_record_is_covered_meanwhile(
    law: Law, reopen: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
):
    placed = law.place(law.matter(), "flood")
    law.shown(comment("c2", "flood again", published_at=NOON))
    whole = Database.begin

    def cut(database: Database) -> Any:
        if database is law.store.database:
            raise PowerCut
        return whole(database)

    monkeypatch.setattr(Database, "begin", cut)
    with pytest.raises(PowerCut):
        following.follow(law.store)
    monkeypatch.setattr(Database, "begin", whole)
    store = reopened(reopen)
    assert covered(store) == 2
    assert following.follow(store) == 1
    assert covered(store) == 2
    assert placed.covers == 1


@pytest.mark.parametrize("step", ["ask", "approve", "settle"])
def test_a_release_that_was_broken_off_frees_nothing(step: str, law: Law, reopen: Callable[[], Store]):
    placed = law.place(law.matter(), "flood")

    def act(*, cut: bool, which: str) -> None:
        if which == "settle":
            releasing.settle(law.store)
            return
        with law.store.database.begin() as tx:
            if which == "ask":
                releasing.ask(law.store, tx, placed.hold, by=law.counsel, why="settled")
            else:
                releasing.approve(
                    law.store, tx, placed.hold, after=timedelta(days=7), by=law.second, why="settled"
                )
            if cut:
                raise PowerCut

    steps = ["ask", "approve", "settle"]
    for before in steps[: steps.index(step)]:
        act(cut=False, which=before)
    if step == "settle":
        act(cut=True, which=step)  # the delay has not passed
    else:
        with pytest.raises(PowerCut):
            act(cut=True, which=step)
    store = reopened(reopen)
    assert holds_of(store) == [placed.hold.id]
    assert covered(store) == 1
    law.clock.at += timedelta(days=8)
    assert bool(releasing.settle(store)) is (step == "settle")
    assert covered(store) == (0 if step == "settle" else 1)

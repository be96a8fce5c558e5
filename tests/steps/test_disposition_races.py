"""Two people at once, each with a transaction of their own, on both engines: nothing held is disposed of, nothing breaks.

Each race is run between threads that begin together; whoever comes second is
refused with a reason or sees what the first has done. No order is forced, so
every outcome that the law allows is accepted, and none other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.disposition import approving, proposals
from app.disposition.proposals import APPROVED, EXECUTED, EXECUTING, PROPOSED
from app.disposition.refusals import NothingEligible, NotWaitingForThat, SameOfficerTwice
from app.holds import placing, releasing
from app.records.clock import FixedClock
from app.records.errors import ArchiveError
from app.records.nouns import Role
from app.store import Store, tables
from app.store.disposals import WITHDRAWN
from tests.steps.disposing import Office, office, somebody
from tests.steps.test_capture import World

ROUNDS = 2


@pytest.fixture
def here(anywhere: Store, clock: FixedClock) -> Office:
    made = office(World(anywhere, clock), clock)
    made.adopt(waiting=0)
    return made


def race(*deeds: Callable[[], object]) -> list[object]:
    """Do all of these at once; what each said, or the refusal that it met. Anything else that is raised fails the test."""
    told: list[object] = [None] * len(deeds)
    begin = threading.Barrier(len(deeds))

    def one(number: int, deed: Callable[[], object]) -> None:
        begin.wait()
        try:
            told[number] = deed()
        except Exception as error:  # noqa: BLE001 - told to the test, which looks at it
            told[number] = error

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    unhandled = [one for one in told if isinstance(one, Exception) and not isinstance(one, ArchiveError)]
    assert unhandled == []
    return told


def refusals(told: Sequence[object]) -> list[ArchiveError]:
    return [one for one in told if isinstance(one, ArchiveError)]


def entries_of(here: Office, ids: Sequence[UUID]) -> dict[UUID, int]:
    """The entry that destroyed each of these records, as far as it was."""
    asked = (
        select(tables.records.c.id, tables.disposal_records.c.entry)
        .join(tables.disposal_records, tables.disposal_records.c.record == tables.records.c.key)
        .join(tables.tombstones, tables.tombstones.c.record == tables.records.c.key)
        .where(tables.disposal_records.c.state != WITHDRAWN)
    )
    with here.store.database.read() as tx:
        found = {UUID(bytes=bytes(row.id)): row.entry for row in tx.execute(asked)}
    return {one: entry for one, entry in found.items() if one in ids}


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_hold_placed_while_a_batch_executes_keeps_all_that_was_not_gone_before_it(
    here: Office, round_: int
):
    ids = here.keep(*(f"r{number}" for number in range(12)))
    found = here.approved()
    told = race(lambda: here.execute(found, most=1 + round_), lambda: here.place(*ids))
    assert refusals(told[:1]) == []
    hold = told[1]
    gone = entries_of(here, ids)
    if isinstance(hold, placing.Hold):
        assert all(entry < hold.entry for entry in gone.values()), "what went, went before the hold was there"
        with here.store.database.read() as tx:
            held = here.of.holds(tx, [one.key for one in here.world.records().values()])
        assert len([one for one in held.values() if one]) >= len(ids) - len(gone)
    else:
        assert len(gone) == len(ids), "a hold is refused only where nothing is left to name"
    assert here.get(found).state == EXECUTED
    assert here.world.soundness() == []


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_the_same_person_in_two_sessions_approves_once(here: Office, round_: int):
    here.clock.at += timedelta(days=1)
    here.adopt(
        edition="2026b",
        instrument="Resolution 13",
        waiting=0,
        approvals="[records_officer, approver, attorney]",
    )
    both = somebody("both", Role.APPROVER, Role.ATTORNEY)
    here.keep("a", "b")
    found = here.propose()
    told = race(*[lambda: here.approve(found, both)] * (2 + round_))
    (kept,) = [one for one in told if not isinstance(one, ArchiveError)]
    assert isinstance(kept, proposals.Proposal)
    assert {type(one) for one in refusals(told)} == {SameOfficerTwice}
    now = here.get(found)
    assert (now.state, len(now.approvals)) == (PROPOSED, 1)
    assert here.world.soundness() == []


def test_two_who_take_the_last_step_at_once_authorise_one_batch(here: Office):
    here.keep("a", "b")
    found = here.propose()
    other = somebody("deputy", Role.APPROVER)
    told = race(lambda: here.approve(found), lambda: here.approve(found, other))
    assert [type(one) for one in refusals(told)] == [NotWaitingForThat]
    with here.store.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(tables.disposals)).scalar_one() == 1
    assert here.get(found).state == APPROVED


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_release_that_is_cancelled_while_its_delay_ends_is_one_or_the_other(here: Office, round_: int):
    (old,) = here.keep("a")
    hold = here.place(old)
    other = somebody("other", Role.ATTORNEY)
    with here.store.database.begin() as tx:
        releasing.ask(here.store, tx, hold, by=here.attorney, why="settled")
        now = placing.of_id(here.store, tx, hold.id)
        releasing.approve(here.store, tx, now, after=timedelta(days=1), by=other, why="settled")
    here.wait(1)

    def cancel() -> object:
        with here.store.database.begin() as tx:
            return releasing.cancel(here.store, tx, hold, by=here.attorney, why="an appeal")

    deeds = [cancel, lambda: releasing.settle(here.store), lambda: releasing.settle(here.store)]
    told = race(*deeds[round_:], *deeds[:round_])
    said = [*told[len(deeds) - round_ :], *told[: len(deeds) - round_]]
    with here.store.database.read() as tx:
        now = placing.of_id(here.store, tx, hold.id)
    cancelled = not isinstance(said[0], ArchiveError)
    assert now.released is not cancelled
    assert sum(len(one) for one in said[1:] if isinstance(one, list)) == (0 if cancelled else 1)
    assert here.world.soundness() == []


def test_an_edition_adopted_while_a_batch_executes_keeps_all_that_was_not_gone_before_it(here: Office):
    ids = here.keep(*(f"r{number}" for number in range(8)))
    here.clock.at += timedelta(days=1)
    found = here.approved()

    def adopt() -> int:
        here.adopt(edition="2026b", instrument="Resolution 13", waiting=0, keep="P90Y")
        with here.store.database.read() as tx:
            return int(tx.execute(select(func.max(tables.schedules.c.entry))).scalar_one())

    told = race(lambda: here.execute(found, most=2), adopt)
    bound = told[1]
    assert isinstance(bound, int), bound
    assert all(entry < bound for entry in entries_of(here, ids).values())
    assert here.get(found).state in (APPROVED, EXECUTED)
    assert here.world.soundness() == []


def test_executing_twice_at_once_disposes_of_every_record_once(here: Office):
    ids = here.keep(*(f"r{number}" for number in range(6)))
    found = here.approved()
    told = race(*[lambda: here.execute(found, most=2)] * 2)
    assert {type(one) for one in refusals(told)} <= {NotWaitingForThat}
    assert set(entries_of(here, ids)) == set(ids)
    assert here.get(found).state == EXECUTED
    assert here.world.soundness() == []


def test_what_is_withdrawn_while_it_is_executed_stays_or_is_gone_and_is_told_so(here: Office):
    ids = here.keep(*(f"r{number}" for number in range(8)))
    found = here.approved()

    def withdraw() -> object:
        with here.store.database.begin() as tx:
            return approving.withdraw(here.of, tx, found.id, by=here.attorney, why="a call from the mayor")

    race(lambda: here.execute(found, most=2), withdraw)
    now = here.get(found)
    gone = entries_of(here, ids)
    assert now.state in (EXECUTED, WITHDRAWN, EXECUTING)
    assert proposals.destroyed(now.batch) == len(gone)
    if now.state == WITHDRAWN:
        assert not gone
    assert here.world.soundness() == []


def test_two_who_propose_at_once_put_every_record_on_one_list(here: Office):
    here.keep("a", "b", "c")
    told = race(here.propose, lambda: here.propose(by=here.second_clerk))
    (refused,) = refusals(told)
    assert isinstance(refused, NothingEligible)
    with here.store.database.read() as tx:
        on_lists = list(tx.execute(select(tables.proposal_records.c.record)).scalars())
    assert len(on_lists) == len(set(on_lists)) == 3


def test_a_clock_that_goes_back_between_approval_and_execution_disposes_of_nothing(here: Office):
    (old,) = here.keep("a")
    found = here.approved()
    here.clock.at -= timedelta(days=2)
    told = race(lambda: here.execute(found), lambda: here.execute(found))
    assert len(refusals(told)) == 2
    assert {one.code for one in refusals(told)} == {"clock-in-doubt"}
    assert here.gone(old) == set()
    here.clock.at += timedelta(days=3)
    assert here.execute(found).disposed == 1

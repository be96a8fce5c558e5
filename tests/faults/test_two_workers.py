"""Two workers place, release, capture, approve and execute at the same time; the laws of disposal hold all the same.

1. What a hold covers when it is disposed of, is not disposed of: for every
   record that is gone, no hold that covers it stands before the entry that
   destroyed it without having been released before.
2. Nothing is disposed of before its day, without a citation, or without two
   people who are not the same.
3. A hold that was acknowledged covers what it covers until it is released.

Hypothesis draws what happens and what happens meanwhile: either between two
parts of an execution, at a point that comes again the same way, or in a second
thread that sets out at the same moment.
"""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app import main
from app.db import from_instant
from app.disposition import executing, nightly, proposals
from app.disposition.refusals import NothingEligible, NotWaitingForThat, WaitingPeriod
from app.holds import covering, matters, placing
from app.holds.finding import Found
from app.holds.placing import Hold
from app.holds.scopes import Scope
from app.index.keys import Keys
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.store import Store, disposals, fixity
from app.store.tables import disposal_records, entries, holds, records, tombstones, versions
from tests.archives import NOON, close, settings_at
from tests.postgres import Cluster
from tests.steps.disposing import OLD, YOUNG, Office, office
from tests.steps.scripted import listing
from tests.steps.test_capture import World, post

WORDS = ("heron", "otter", "badger")
Open = Callable[[FixedClock], Store]


@dataclass(slots=True)
class Known:
    """A record as the test knows it: every word that it ever said with the entry that says so, and when it was published."""

    id: UUID
    key: int
    words: dict[str, int]
    published: date


@dataclass(slots=True)
class Placed:
    """A hold as the test knows it."""

    hold: Hold
    word: str
    named: frozenset[UUID]

    def covers(self, one: Known, before: int) -> bool:
        """Whether it covers a record by what the ledger had before an entry."""
        return one.id in self.named or one.words.get(self.word, before) < before


class TwoWorkers(RuleBasedStateMachine):
    """One archive with a schedule of three years, and two people's worth of everything."""

    opens: ClassVar[Open]
    gives_back: ClassVar[Callable[[Store], None]]
    counted: ClassVar[Counter[str]] = Counter()

    @initialize()
    def begin(self) -> None:
        self.clock = FixedClock(NOON)
        self.store = type(self).opens(self.clock)
        self.here: Office = office(World(self.store, self.clock), self.clock)
        self.here.adopt(waiting=1)
        self.known: dict[str, Known] = {}
        self.placed: list[Placed] = []
        self.lock = threading.Lock()
        for word in (*WORDS, *WORDS):
            self._capture(word, old=True)
        self.here.approved()  # and open: whatever is drawn first, there is something to execute
        self.here.wait(2)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert fixity.verify(self.store, full=True).findings == []
            type(self).gives_back(self.store)

    # -- what one worker does ------------------------------------------------------------------------------

    def _capture(self, word: str, *, old: bool) -> None:
        name = f"n{len(self.known)}"
        published = OLD if old else YOUNG
        self.here.world.capture(
            listing(self.clock, post(name, f"a {word} called {name}", published_at=published))
        )
        with self.store.database.read() as tx:
            row = tx.execute(
                select(records.c.key, records.c.id).order_by(records.c.key.desc()).limit(1)
            ).one()
        identity = UUID(bytes=bytes(row.id))
        self.known[name] = Known(identity, row.key, {word: self._newest(row.key)[1]}, published.date())
        self.here.assign([identity], "COR-03")

    def _edit(self, which: int, word: str) -> None:
        name, one = sorted(self.known.items())[which % len(self.known)]
        if one.id in self.here.gone(one.id):
            return
        number, _ = self._newest(one.key)
        published = OLD if one.published == OLD.date() else YOUNG
        shown = post(name, f"a {word} called {name}", published_at=published)
        self.here.world.capture(listing(self.clock, shown))
        now, entry = self._newest(one.key)
        if now > number:  # it was not disposed of just before
            one.words.setdefault(word, entry)

    def _newest(self, key: int) -> tuple[int, int]:
        """The newest version of a record, and its entry."""
        asked = select(versions.c.number, versions.c.entry).where(versions.c.record == key)
        with self.store.database.read() as tx:
            row = tx.execute(asked.order_by(versions.c.number.desc()).limit(1)).one()
        return row.number, row.entry

    def _place(self, word: str, which: int | None) -> None:
        named = frozenset(
            [sorted(self.known.values(), key=lambda one: one.key)[which % len(self.known)].id]
            if which is not None and self.known
            else []
        )
        scope = Scope(query="" if named else word, records=tuple(named))
        with self.store.database.begin() as tx:
            matter = matters.open(self.store, tx, f"matter {new_id()}", by=self.here.attorney, why="a letter")
            keys = executing.keys_of(tx, list(named)).values()
            found = Found(0, named=Keys.of(keys))
            told = placing.place(self.store, tx, matter, scope, found, by=self.here.attorney, why="a letter")
        with self.lock:
            self.placed.append(Placed(told.hold, "" if named else word, named))

    def _execute(self, during: Callable[[], None] | None) -> None:
        with self.store.database.read() as tx:
            waiting = proposals.in_state(self.store, tx, proposals.APPROVED, proposals.EXECUTING)
        if not waiting:
            return
        parts: list[str] = []

        def point(name: str) -> None:
            parts.append(name)
            if name == "after-tombstone" and parts.count(name) == 1 and during is not None:
                during()

        try:
            done = self.here.execute(waiting[0], most=2, point=point)
        except (WaitingPeriod, NotWaitingForThat):
            return  # it waits still, or the other worker was first
        self.counted["disposed"] += done.disposed
        self.counted["stayed"] += len(done.excluded)

    # -- what happens --------------------------------------------------------------------------------------

    @rule(word=st.sampled_from(WORDS), old=st.booleans())
    def capture(self, word: str, old: bool) -> None:
        self._capture(word, old=old)

    @rule(words=st.lists(st.sampled_from(WORDS), min_size=2, max_size=4))
    def capture_several(self, words: list[str]) -> None:
        for word in words:
            self._capture(word, old=True)

    @precondition(lambda self: self.known)
    @rule(which=st.integers(0, 30), word=st.sampled_from(WORDS))
    def edit(self, which: int, word: str) -> None:
        self._edit(which, word)

    @rule(word=st.sampled_from(WORDS), which=st.none() | st.integers(0, 30))
    def place(self, word: str, which: int | None) -> None:
        self._place(word, which)

    @precondition(lambda self: self.placed)
    @rule(which=st.integers(0, 30))
    def release(self, which: int) -> None:
        with self.store.database.read() as tx:
            ended = set(tx.execute(select(holds.c.id).where(holds.c.released_entry.is_not(None))).scalars())
        running = [one for one in self.placed if one.hold.id.bytes not in {bytes(one) for one in ended}]
        if not running:
            return
        self.here.release(running[which % len(running)].hold)

    @rule()
    def propose_and_approve(self) -> None:
        try:
            self.here.approved()
        except NothingEligible:
            return

    @rule(word=st.sampled_from(WORDS), held=st.booleans())
    def approve_hold_and_wait(self, word: str, held: bool) -> None:
        """What was approved is open; a hold may have come meanwhile."""
        self.propose_and_approve()
        if held:
            self._place(word, None)
        self.here.wait(2)

    @rule()
    def propose_only(self) -> None:
        try:
            self.here.propose(limit=2)
        except NothingEligible:
            return

    @rule(days=st.integers(1, 4))
    def wait(self, days: int) -> None:
        self.here.wait(days)

    @rule()
    def execute(self) -> None:
        self._execute(None)

    @rule(word=st.sampled_from(WORDS), which=st.none() | st.integers(0, 30), edits=st.booleans())
    def execute_while_a_hold_is_placed_between_parts(self, word: str, which: int | None, edits: bool) -> None:
        def during() -> None:
            if edits and self.known:
                self._edit(which or 0, word)
            self._place(word, which)

        self._execute(during)

    @rule(word=st.sampled_from(WORDS), which=st.none() | st.integers(0, 30), other=st.sampled_from(["place", "execute", "edit"]))  # fmt: skip
    def execute_while_another_works(self, word: str, which: int | None, other: str) -> None:
        """Both set out at the same moment; which comes first is the machine's to say, and the ledger tells."""
        together, failed = threading.Barrier(2), []

        def beside() -> None:
            together.wait()
            try:
                match other:
                    case "place":
                        self._place(word, which)
                    case "execute":
                        self._execute(None)
                    case _:
                        if self.known:
                            self._edit(which or 0, word)
            except Exception as error:  # noqa: BLE001 - told by the thread that waits for it
                failed.append(error)

        worker = threading.Thread(target=beside)
        worker.start()
        together.wait()
        self._execute(None)
        worker.join()
        if failed:
            raise failed[0]

    @rule()
    def night(self) -> None:
        nightly.tonight(self.here.of)

    # -- the laws ------------------------------------------------------------------------------------------

    @invariant()
    def what_is_gone_went_lawfully(self) -> None:
        if not hasattr(self, "store"):
            return
        by_key = {one.key: one for one in self.known.values()}
        with self.store.database.read() as tx:
            gone = tx.execute(
                select(tombstones.c.record, tombstones.c.batch, tombstones.c.at, disposal_records.c.entry)
                .join(disposal_records, disposal_records.c.record == tombstones.c.record)
                .where(disposal_records.c.state.in_((disposals.DESTROYED, disposals.VERIFIED)))
            ).all()
            ended = {
                UUID(bytes=bytes(row.id)): row.released_entry
                for row in tx.execute(select(holds.c.id, holds.c.released_entry))
            }
            size = tx.execute(select(entries.c.index).order_by(entries.c.index.desc()).limit(1)).scalar_one()
            for row in gone:
                one = by_key[row.record]
                assert row.entry <= size
                # 1. No hold stood over it in the moment in which it went.
                for held in self.placed:
                    if held.covers(one, row.entry) and held.hold.entry < row.entry:
                        until = ended[held.hold.id]
                        assert until is not None, "a held record was disposed of"
                        assert until < row.entry, "a record was disposed of before its hold was released"
                # 2. Its day had come, two people looked, and an authority is cited.
                day = from_instant(row.at).astimezone(self.store.agency.zone()).date()
                assert day > one.published.replace(year=one.published.year + 3)
                found = proposals.get(self.store, tx, UUID(bytes=bytes(row.batch)))
                approvers = {approval.officer for approval in found.approvals if approval.counts}
                assert approvers - {found.by}
                assert found.by not in approvers
                assert found.detail["citation"]
                assert found.opens_on is not None
                assert day >= found.opens_on
            # 3. Every hold that was acknowledged still covers what is left of its records.
            keys = sorted(by_key.keys() - {row.record for row in gone})
            covered = covering.covering(self.store, tx, keys)
            for held in self.placed:
                if ended[held.hold.id] is None:
                    for key in keys:
                        if held.covers(by_key[key], size + 1):
                            assert held.hold.id in covered[key], "a hold that was acknowledged is lost"


LONG = 50
"""From so many examples on they are drawn anew each time."""


def run(opens: Open, gives_back: Callable[[Store], None], *, examples: int, steps: int, at_most: int) -> None:
    """Let them work; twice as many examples each time, up to `at_most`, until something was disposed of and something held."""
    told: Counter[str] = Counter()
    how = {"opens": staticmethod(opens), "gives_back": staticmethod(gives_back), "counted": told}
    machine = type("TwoWorkersHere", (TwoWorkers,), how)
    while True:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=(Phase.explicit, Phase.generate, Phase.shrink),
                database=None,
                derandomize=examples < LONG,
            ),
        )
        if (told["disposed"] and told["stayed"]) or examples >= at_most:
            break
        examples = min(2 * examples, at_most)
    assert told["disposed"] > 0, "nothing was disposed of, so that no law could be broken"
    assert told["stayed"] > 0, "nothing was held when it was executed, so that law 1 could not be broken"


@pytest.fixture
def on_sqlite(archive_template: Path, tmp_path: Path) -> Iterator[Open]:
    made: list[Store] = []

    def opens(clock: FixedClock) -> Store:
        home = tmp_path / f"home-{len(made)}"
        shutil.copytree(archive_template, home)
        made.append(main.open_store(settings_at(home), clock))
        return made[-1]

    return iter([opens])


def test_laws_1_and_2_hold_whatever_two_workers_do_at_the_same_time(on_sqlite: Iterator[Open]):
    run(next(on_sqlite), close, examples=4, steps=10, at_most=64)


@pytest.mark.faults
def test_laws_1_and_2_hold_at_length(on_sqlite: Iterator[Open]):
    run(next(on_sqlite), close, examples=60, steps=40, at_most=240)


@pytest.mark.faults
def test_laws_1_and_2_hold_on_postgresql(postgres_template: Path, postgres_cluster: Cluster, tmp_path: Path):
    made: list[tuple[str, str]] = []

    def opens(clock: FixedClock) -> Store:
        home = shutil.copytree(postgres_template, tmp_path / f"home-{len(made)}")
        address = postgres_cluster.fresh(template="archive_template")
        keys = postgres_cluster.fresh(template="keyring_template")
        made.append((address, keys))
        return main.open_store(settings_at(home, database_url=address, keyring_url=keys), clock)

    def gives_back(store: Store) -> None:
        close(store)
        for address in made[-1]:
            postgres_cluster.drop(address)

    run(opens, gives_back, examples=15, steps=25, at_most=60)


def test_the_laws_would_be_broken_by_an_execution_that_looks_before_it_begins(on_sqlite: Iterator[Open]):
    """The failing twin: holds as they were before the first part, and a hold that comes between two parts."""

    class Careless(TwoWorkers):
        @initialize()
        def begin(self) -> None:
            super().begin()
            looked: dict[str, Any] = {}

            def once(tx: Any, keys: Any) -> Any:
                if "told" not in looked:
                    looked["told"] = covering.covering(
                        self.store, tx, [one.key for one in self.known.values()]
                    )
                return {key: looked["told"].get(key, frozenset()) for key in keys}

            self.here.of = replace(self.here.of, covering=once)

    how = {"opens": staticmethod(next(on_sqlite)), "gives_back": staticmethod(close)}
    machine: Careless = type("CarelessHere", (Careless,), how)()
    machine.begin()
    machine.capture_several(["heron", "heron", "otter", "otter"])
    machine.execute_while_a_hold_is_placed_between_parts("otter", None, False)
    with pytest.raises(AssertionError, match="a held record was disposed of"):
        machine.what_is_gone_went_lawfully()
    close(machine.store)

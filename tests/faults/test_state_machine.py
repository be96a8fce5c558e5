"""Anything in any order: captured, edited, disposed of, killed, restarted, backed up, restored, at any hour; the laws hold.

Beside the store stands a plain model (`Expected`): what was acknowledged. The
laws are those of the store, by the numbers under which docs/faults.md has
them. Hypothesis draws the order and, when a law is broken, shortens it.
"""

from __future__ import annotations

import importlib.util
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app import main
from app.capture import records
from app.records.clock import today
from app.records.nouns import Disposed
from app.store import destruction, disposals, fixity, merkle, proofs
from app.store.backup import taking
from app.store.destruction import KeyBackupsLive
from app.store.note import Checkpoint, opened, proof_parts
from tests.archives import settings_at
from tests.faults import flips, scene
from tests.faults.conftest import Base, Worker
from tests.faults.scene import ACTS, DAY, Expected, Fact, Scene, copied, wrong_in
from tests.postgres import Cluster
from tests.steps.vouching import Office

RUNS_AT_ONCE, STEPS_AT_ONCE = 20, 12
RUNS_AT_LENGTH, STEPS_AT_LENGTH = 1_000, 40

pytestmark = pytest.mark.faults
Did = Callable[[str, int], None]
QUIET = ("capture", "edit", "attach", "receive", "close day", "stumble")
KILLED = ("capture", "edit", "attach", "receive", "sign", "stumble", "rotate", "destroy")
SHARED = {"d1", "d2", "d3", "s1", "d5", "s2"}


@dataclass(slots=True)
class Backup:
    """Two sets, and what the archive promised when they were taken."""

    data: Path
    keys: Path
    expected: Expected
    disposed: set[str]


class Anything(RuleBasedStateMachine):
    """One archive, from its first day on."""

    base: ClassVar[Base]
    worker: ClassVar[Worker | None]
    office: ClassVar[Office]
    quick: ClassVar[Path]
    more: ClassVar[Callable[..., dict[str, str]]] = staticmethod(dict)
    counted: ClassVar[Counter[str]] = Counter()
    verify: ClassVar[ModuleType | None] = None

    @initialize()
    def begin(self) -> None:
        self.folder = self.quick / f"run {self.counted['runs']}"
        self.counted["runs"] += 1
        self.clock = self.base.clock()
        self.home = copied(self.base.home, self.folder / "first" / "home")
        self.settings: dict[str, str] = self.more()
        if self.settings:  # another database than the one that was copied: begin with an archive of its own
            shutil.rmtree(self.folder)
            self.home.parent.mkdir(parents=True)
            scene.make(self.home, self.clock, **self.settings)
        self.expected = Expected() if self.settings else self.base.expected.copy()
        self.scene = Scene.open(self.home, self.clock, self.office, **self.settings)
        if self.settings:
            scene.furnish(self.scene, self.say)
        self.backups: list[Backup] = []
        self.number = 0
        if not self.settings:
            self.take_backup()

    def say(self, fact: Fact) -> None:
        self.expected.take([fact])

    def done(self) -> int:
        self.counted["steps"] += 1
        self.number += 1
        return self.number

    # -- what is done --------------------------------------------------------------------------------------

    @rule(act=st.sampled_from(QUIET))
    def something_is_kept(self, act: str) -> None:
        ACTS[act](self.scene, self.done(), self.say)

    @rule()
    def the_ledger_is_signed(self) -> None:
        scene.sign(self.scene, self.done(), self.say)
        self.law_4_every_checkpoint_continues_those_before()

    @rule()
    def keys_are_rotated(self) -> None:
        self.done()
        scene.rotate(self.scene, 0, self.say)

    @rule(data=st.data())
    def some_are_disposed_of(self, data: st.DataObject) -> None:
        living = sorted(self.expected.texts.keys() - self.expected.disposed - {"p1"})
        if not living:
            return
        self.done()
        names = data.draw(st.lists(st.sampled_from(living), min_size=1, max_size=4, unique=True))
        scene.dispose(self.scene, names, self.say)
        self.law_5_nothing_disposed_of_can_be_reached()
        self.law_6_and_9_whatever_lives_is_whole()

    @rule(days=st.integers(-400, 400))
    def the_clock_is_set(self, days: int) -> None:
        """Forward or back, by whoever has the machine, or by a server that tells the wrong time."""
        self.done()
        self.clock.at = self.base.now + timedelta(days=days)
        self.law_10_no_clock_hurries_a_disposal()

    @rule()
    def it_is_restarted(self) -> None:
        self.done()
        self.reopen()
        self.law_3_what_was_acknowledged_is_there()

    @precondition(lambda self: self.worker is not None)
    @rule(act=st.sampled_from(KILLED), call=st.integers(1, 250))
    def it_is_killed(self, act: str, call: int) -> None:
        """In the midst of an act, before some call that changes a file; the next start goes on, and the act is done again."""
        number = self.done()
        self.scene.close()
        assert self.worker is not None
        ended, told = self.worker.ask(
            home=str(self.home),
            act=act,
            number=number,
            office=str(self.office.folder),
            clock=self.clock.at.isoformat(),
            at={"call": call},
        )
        assert ended in (-9, 0), (act, call)
        self.counted["kills"] += ended == -9
        self.expected.take(one["fact"] for one in told if "fact" in one)
        self.clock.at += timedelta(hours=1)  # whoever was killed holds the page no longer
        self.scene = Scene.open(self.home, self.clock, self.office, **self.settings)
        destruction.finish(self.scene.store, [])
        going = [name for name in scene.GOING if name in self.expected.texts] if act == "destroy" else []
        assert not (wrong := wrong_in(self.scene, self.expected, may_be_gone=going)), wrong
        ACTS[act](self.scene, number, self.say)
        self.law_3_what_was_acknowledged_is_there()
        self.law_6_and_9_whatever_lives_is_whole()

    @precondition(lambda self: not self.settings and len(self.backups) < 2)
    @rule()
    def a_backup_is_taken(self) -> None:
        self.done()
        self.take_backup()

    def take_backup(self) -> None:
        number = self.number
        sets = self.folder / f"data {number}", self.folder / f"keys {number}"
        taking.take(
            self.scene.store,
            home=self.home,
            data=sets[0],
            keys=sets[1],
            program="1",
            by=scene.OFFICER,
            why="test",
        )
        scene.signed(self.scene, self.say)
        self.backups.append(Backup(*sets, self.expected.copy(), set(self.expected.disposed)))

    @precondition(lambda self: bool(self.backups))
    @rule(data=st.data())
    def the_disk_is_lost_and_a_backup_restored(self, data: st.DataObject) -> None:
        """Everything since is lost, but for what was disposed of: that stays disposed."""
        number = self.done()
        backup = data.draw(st.sampled_from(self.backups))
        self.clock.at = self.base.now + timedelta(hours=1)
        scene.sign(
            self.scene, number, self.say
        )  # by a clock that is right: what the copies of the keys are told last
        before, gone = self.expected, set(self.expected.disposed)
        self.scene.close()
        shutil.rmtree(self.home)
        self.home = self.folder / f"again {number}" / "home"
        self.home.parent.mkdir()
        main.restore(
            settings_at(self.home),
            backup.data,
            backup.keys,
            token="",
            why="the disk is gone",
            clock=self.clock,
        )
        self.counted["restores"] += 1
        self.expected = backup.expected.copy()
        self.expected.disposed = {name for name in gone if name in self.expected.texts}
        self.expected.pictures = {
            name: picture
            for name, picture in self.expected.pictures.items()
            if name not in self.expected.disposed
        }
        self.expected.epoch = 1  # the newest epoch may be of a rotation that the backup has not seen
        self.scene = Scene.open(self.home, self.clock, self.office)
        self.backups = [one for one in self.backups if one is backup]
        self.law_4_after_a_restore(before)
        self.law_5_nothing_disposed_of_can_be_reached()
        self.law_6_and_9_whatever_lives_is_whole()

    def reopen(self) -> None:
        self.scene.close()
        self.scene = Scene.open(self.home, self.clock, self.office, **self.settings)
        destruction.finish(self.scene.store, [])

    # -- the laws ------------------------------------------------------------------------------------------

    def law_3_what_was_acknowledged_is_there(self) -> None:
        """Acknowledged capture: after any crash the item, its bytes and its entry exist."""
        assert not (wrong := wrong_in(self.scene, self.expected)), wrong

    def law_4_every_checkpoint_continues_those_before(self) -> None:
        """Every signed checkpoint is consistent with every earlier one ever emitted: proven, and not recomputed."""
        ledger = self.scene.store.ledger
        newest = Checkpoint.parse(opened(ledger.checkpoint(), ledger.verifier()))
        for size, root in self.expected.signed:
            proof = ledger.consistency(size, newest.size)
            assert merkle.check_consistency(size, newest.size, bytes.fromhex(root), newest.root, proof), size

    def law_4_after_a_restore(self, before: Expected) -> None:
        """Either the ledger goes on and continues all that was ever signed, or it has another name from now on."""
        ledger = self.scene.store.ledger
        with self.scene.store.database.read() as tx:
            size, ended = ledger.size(tx), ledger.ended(tx)
        lost = [at for at, _ in before.signed if at > size or (at, _) not in self.expected.signed]
        assert ended or not lost, "checkpoints were lost, and the ledger goes on under its name"
        assert not ended or ledger.origin != ended[-1].origin
        self.law_4_every_checkpoint_continues_those_before()

    def law_5_nothing_disposed_of_can_be_reached(self) -> None:
        """Every destroyed item: entry and disposal verify; content and keys are gone."""
        store = self.scene.store
        with store.database.read() as tx:
            assert disposals.unfinished(tx) == []
            for batch in disposals.batches(tx):
                for identity, state in disposals.states(tx, batch.id).items():
                    if state != disposals.VERIFIED:
                        continue
                    assert isinstance(records.get(store, tx, identity, messages=True), Disposed)
                    assert store.keyring.secrets([identity.bytes]) == {}
        assert not self.expected.disposed & self.scene.records().keys()

    def law_6_and_9_whatever_lives_is_whole(self) -> None:
        """Every live item decrypts, its hash matches, its proof verifies; what it shares has survived the others."""
        found = fixity.verify(self.scene.store, full=True).findings
        assert found == [], found
        self.law_3_what_was_acknowledged_is_there()
        held = self.scene.records()
        if held:
            one = held[sorted(held)[self.number % len(held)]]
            index, path, note = proof_parts(self.scene.store.ledger.proof(one.version.entry))
            said = Checkpoint.parse(opened(note, self.scene.store.ledger.verifier()))
            with self.scene.store.database.read() as tx:
                leaf = merkle.leaf_hash(self.scene.store.ledger.entry(tx, one.version.entry))
            assert merkle.check_inclusion(leaf, index, said.size, path, said.root)

    def law_7_a_proof_that_left_verifies_without_us(self) -> None:
        """What leaves is verified by the program that goes with it, which finds a flipped bit."""
        held = self.scene.records()
        if not held:
            return
        record = held[sorted(held)[self.number % len(held)]]
        out = self.folder / "proof"
        with self.scene.store.database.read() as tx:
            proofs.write(self.scene.store, tx, record.id, out)
        verify = verifier(out)
        assert verify.Folder(out, (self.office.root,)).check() == []
        chance = random.Random(self.number)
        file = out / chance.choice(("statement.json", "entry.json", "item.tlog-proof", "disclosures.txt"))
        with flips.flipped(file, chance.randrange(file.stat().st_size * 8)):
            assert any(file.name in wrong.where for wrong in verify.Folder(out, (self.office.root,)).check())
        shutil.rmtree(out)

    def law_10_no_clock_hurries_a_disposal(self) -> None:
        """Nothing is destroyed, and nothing becomes final, because of what time it is said to be."""
        store = self.scene.store
        before = {name: one.id for name, one in self.scene.records().items()}
        destruction.finish(store, [])
        tomorrow = today(self.clock, store.agency.zone()) + DAY
        with store.database.read() as tx:
            verified = [one.id for one in disposals.batches(tx) if set(one.numbers) == {disposals.VERIFIED}]
        for batch in verified[:1]:
            with pytest.raises(KeyBackupsLive), store.database.begin() as tx:
                destruction.final(store, tx, batch, backups_expired=tomorrow, by=None, why="test")
        assert {name: one.id for name, one in self.scene.records().items()} == before

    def teardown(self) -> None:
        if not hasattr(self, "scene"):
            return
        try:
            self.reopen()
            self.law_3_what_was_acknowledged_is_there()
            self.law_4_every_checkpoint_continues_those_before()
            self.law_5_nothing_disposed_of_can_be_reached()
            self.law_6_and_9_whatever_lives_is_whole()
            self.law_7_a_proof_that_left_verifies_without_us()
        finally:
            self.scene.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def verifier(folder: Path) -> ModuleType:
    """`verify.py` as it lies in the folder."""
    if Anything.verify is None:
        spec = importlib.util.spec_from_file_location("verify_of_any_proof", folder / "verify.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        spec.loader.exec_module(module)
        sys.dont_write_bytecode = before
        Anything.verify = module
    return Anything.verify


def anything(base: Base, worker: Worker | None, quick: Path, office: Office, **more: Any) -> type[Anything]:
    """The machine over one base, with counters of its own."""
    given = {"base": base, "worker": worker, "quick": quick, "office": office, "counted": Counter(), **more}
    return type("Anything", (Anything,), given)


def lived_through(machine: type[Anything], runs: int, steps: int, did: Did, *, seed: bool) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            derandomize=seed,
            database=None,
            print_blob=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    for what, number in machine.counted.items():
        did(f"{what} of the state machine", number)


def test_whatever_happens_in_whatever_order_the_laws_hold(
    base: Base, worker: Worker, quick: Path, office: Office, did: Did
):
    machine = anything(base, worker, quick, office)
    lived_through(machine, RUNS_AT_ONCE, STEPS_AT_ONCE, did, seed=True)
    assert machine.counted["steps"] > RUNS_AT_ONCE * STEPS_AT_ONCE // 2
    assert machine.counted["kills"] > RUNS_AT_ONCE // 5
    assert machine.counted["restores"] > 0


@pytest.mark.soak
def test_for_a_long_time_the_laws_hold(base: Base, worker: Worker, quick: Path, office: Office, did: Did):
    lived_through(anything(base, worker, quick, office), RUNS_AT_LENGTH, STEPS_AT_LENGTH, did, seed=False)


@pytest.mark.soak
def test_on_postgresql_the_laws_hold(
    base: Base, quick: Path, office: Office, postgres_cluster: Cluster, did: Did
):
    """Without kills and restores: those of a server's database are its own."""

    def fresh() -> dict[str, str]:
        return {"database_url": postgres_cluster.fresh(), "keyring_url": postgres_cluster.fresh()}

    lived_through(
        anything(base, None, quick, office, more=staticmethod(fresh)),
        RUNS_AT_LENGTH // 20,
        20,
        did,
        seed=False,
    )


# -- the failing twins: laws that see what they are there to see -------------------------------------------


@pytest.fixture
def one(base: Base, worker: Worker, quick: Path, office: Office) -> Anything:
    machine = anything(base, worker, quick, office)()
    machine.begin()
    return machine


def test_a_restore_that_would_bring_back_what_was_disposed_of_would_be_noticed(one: Anything):
    one.a_backup_is_taken()
    scene.dispose(one.scene, ["d4"], one.say)
    held = one.scene
    older = main.open_store(settings_at(copied(one.base.home, one.folder / "older" / "home")), one.clock)
    one.scene = Scene(older, one.clock, held.page, held.home, held.client, held.connector)
    with pytest.raises(AssertionError):
        one.law_5_nothing_disposed_of_can_be_reached()
    one.scene.close()
    one.scene = held
    one.teardown()


def test_an_older_copy_put_in_the_place_of_the_newest_would_be_noticed(one: Anything):
    scene.sign(one.scene, 1, one.say)
    one.scene.close()
    shutil.rmtree(one.home)
    shutil.copytree(one.base.home, one.home)
    one.scene = Scene.open(one.home, one.clock, one.office)
    with pytest.raises(AssertionError):
        one.law_3_what_was_acknowledged_is_there()
    with pytest.raises((AssertionError, ValueError, LookupError)):
        one.law_4_every_checkpoint_continues_those_before()
    one.scene.close()


def test_the_time_of_the_tests_is_the_machines_only_where_others_sign_with_it(base: Base):
    assert isinstance(base.now, datetime)
    assert base.clock().now() == base.now

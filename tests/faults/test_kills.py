"""A process killed at any write point, named or not, loses nothing that it acknowledged, and the next start goes on."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.records.errors import IntegrityFailure
from tests.faults import points, scene
from tests.faults.conftest import Base, Worker
from tests.faults.scene import ACTS, copied, recover
from tests.steps.vouching import Office

AT_ONCE, AT_LENGTH = 500, 10_000
PARTS = 10

pytestmark = pytest.mark.faults
Did = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What an act does when nobody kills it: how often it comes by each write point, and how many calls it makes."""

    seen: Counter[str]
    calls: int


@dataclass(frozen=True, slots=True)
class Kill:
    """In which act, and where: at a write point (the nth time, before or after), or before the nth call of all."""

    act: str
    point: tuple[str, int, bool] | None = None
    call: int | None = None

    @property
    def at(self) -> dict[str, Any]:
        return {"point": self.point} if self.point else {"call": self.call}


@pytest.fixture(scope="module")
def runs(base: Base, worker: Worker, quick: Path, office: Office) -> dict[str, Run]:
    """Every act once, to its end."""
    found = {}
    for number, act in enumerate(ACTS):
        home = copied(base.home, quick / f"whole {number}" / "home")
        ended, told = done(worker, base, home, act, office, {})
        assert ended == 0, f"{act} fails of itself"
        found[act] = Run(Counter(told[-1]["seen"]), told[-1]["calls"])
        shutil.rmtree(home.parent)
    return found


def done(
    worker: Worker, base: Base, home: Path, act: str, office: Office, at: dict[str, Any]
) -> tuple[int, list[dict[str, Any]]]:
    return worker.ask(
        home=str(home), act=act, number=1, office=str(office.folder), clock=base.now.isoformat(), at=at
    )


def named(runs: dict[str, Run]) -> list[Kill]:
    """Every named point before and after, the first and the last time that each act comes by it."""
    return [
        Kill(act, (name, nth, after))
        for act, ran in runs.items()
        for name, times in sorted(ran.seen.items())
        if name in points.WRITE_POINTS
        for nth in sorted({1, times})
        for after in (False, True)
    ]


def at_random(runs: dict[str, Run], chance: random.Random) -> Iterator[Kill]:
    """Before any call whatever that changes a file, SQLite's own among them."""
    while True:
        act = chance.choice(sorted(runs))
        yield Kill(act, call=chance.randint(1, runs[act].calls))


def chosen(runs: dict[str, Run], most: int, seed: int) -> tuple[list[Kill], random.Random]:
    """At most half of the kills at named points, each of them at least once before and once after; and the chance of the rest."""
    chance = random.Random(seed)
    all_named = named(runs)
    chance.shuffle(all_named)
    once = {(kill.point[0], kill.point[2]): kill for kill in all_named if kill.point}
    first = [*once.values(), *(kill for kill in all_named if kill not in set(once.values()))]
    return first[: max(most // 2, len(once))], chance


@dataclass(slots=True)
class Killing:
    """Kills, starts again and looks, one after the other."""

    base: Base
    worker: Worker
    quick: Path
    office: Office
    count: int = 0

    def one(self, kill: Kill) -> None:
        """Kill, start again and look. A call that did not come is no kill: how SQLite lays out random ids differs a little."""
        home = copied(self.base.home, self.quick / "killed" / "home")
        ended, told = done(self.worker, self.base, home, kill.act, self.office, kill.at)
        assert ended == -9 or (ended == 0 and kill.call), kill
        self.count += ended == -9
        facts = [one["fact"] for one in told if "fact" in one]
        expected = self.base.expected.copy().take(facts)
        try:
            recover(home, self.base.clock(), expected, kill.act, self.office)
        except Exception as error:
            raise AssertionError(f"after {kill}, of which was told: {facts}") from error
        shutil.rmtree(home.parent)

    def all(self, kills: list[Kill], others: Iterator[Kill], most: int) -> int:
        for kill in kills:
            self.one(kill)
        while self.count < most:
            self.one(next(others))
        return self.count


@pytest.fixture(scope="module")
def killing(base: Base, worker: Worker, quick: Path, office: Office) -> Killing:
    return Killing(base, worker, quick, office)


def test_every_write_point_is_reached_by_an_act(
    runs: dict[str, Run], worker: Worker, base: Base, quick: Path
):
    seen = {name for ran in runs.values() for name in ran.seen} | set(made(worker, base, quick))
    assert seen >= points.WRITE_POINTS, sorted(points.WRITE_POINTS - seen)


def test_every_write_point_of_the_acts_is_killed_at_before_and_after(runs: dict[str, Run]):
    kills, _ = chosen(runs, AT_ONCE, 1)
    reached = {name for ran in runs.values() for name in ran.seen} & points.WRITE_POINTS
    assert len(reached) > 35
    assert {(kill.point[0], kill.point[2]) for kill in kills if kill.point} == {
        (name, after) for name in reached for after in (False, True)
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_any_write_point_loses_nothing_and_the_next_start_goes_on(
    killing: Killing, runs: dict[str, Run], part: int, did: Did
):
    kills, _ = chosen(runs, AT_ONCE, 1)
    killing.count = 0
    did("kills", killing.all(kills[part::PARTS], at_random(runs, random.Random(part)), AT_ONCE // PARTS))


@pytest.mark.soak
def test_a_long_run_of_kills_loses_nothing(killing: Killing, runs: dict[str, Run], did: Did):
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed of the kills: {seed}")
    kills, chance = chosen(runs, AT_LENGTH, seed)
    killing.count = 0
    did("kills", killing.all(kills, at_random(runs, chance), AT_LENGTH))


# -- the failing twins: what the look after a kill would see ------------------------------------------------


def lost_object(home: Path) -> None:
    next(file for file in sorted((home / "objects").rglob("*")) if file.is_file()).unlink()


def lost_transaction(home: Path) -> None:
    """The newest transactions are gone, as if a commit had been told of too early."""
    with closing(sqlite3.connect(home / "archive.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute('DELETE FROM entries WHERE "index" > 20')
        database.commit()


def lost_key(home: Path) -> None:
    with closing(sqlite3.connect(home / "keys" / "keyring.db")) as database:
        database.execute("DELETE FROM secrets WHERE owner = (SELECT min(owner) FROM secrets)")
        database.commit()


@pytest.mark.parametrize("lose", [lost_object, lost_transaction, lost_key])
def test_what_a_kill_must_not_do_would_be_noticed(
    base: Base, quick: Path, office: Office, tmp_path: Path, lose: Callable[[Path], None]
):
    home = copied(base.home, tmp_path / "twin" / "home")
    recover(home, base.clock(), base.expected.copy(), None, office)
    lose(home)
    with pytest.raises((AssertionError, IntegrityFailure)):
        recover(home, base.clock(), base.expected.copy(), None, office)


def test_what_was_acknowledged_and_is_not_there_would_be_noticed(base: Base, office: Office, tmp_path: Path):
    for fact in (
        {"kept": {"nobody": "was ever kept"}},
        {"kept": {"p1": "words that it never had"}},
        {"pictures": {"s2": 1}},
        {"disposed": ["c2"]},
        {"entered": [3, "00" * 32]},
        {"signed": [7, "00" * 32]},
        {"anchored": "00" * 32},
        {"seen": [7, "00" * 32]},
        {"epoch": 2},
    ):
        home = copied(base.home, tmp_path / next(iter(fact)) / next(iter(fact)) / "home")
        with pytest.raises(AssertionError, match=r"acknowledged|not|fewer|forgotten|older|another"):
            recover(home, base.clock(), base.expected.copy().take([fact]), None, office)
        shutil.rmtree(home.parent)


# -- making an archive -------------------------------------------------------------------------------------


def made(worker: Worker, base: Base, quick: Path, at: dict[str, Any] | None = None) -> Counter[str]:
    """An archive is made; what that came by."""
    home = quick / "fresh" / "home"
    home.parent.mkdir()
    ended, told = worker.ask(
        home=str(home), act="make", clock=base.now.isoformat(), office=None, number=0, at=at
    )
    assert ended == (-9 if at else 0), at
    if at is None:
        shutil.rmtree(home.parent)
    return Counter(told[-1]["seen"]) if told else Counter()


def test_a_kill_while_an_archive_is_made_leaves_one_that_can_be_made(
    worker: Worker, base: Base, quick: Path, did: Did
):
    came_by = made(worker, base, quick)
    wanted = [(name, 1, after) for name in came_by for after in (False, True)]
    assert len(wanted) > 10
    for point in wanted:
        made(worker, base, quick, {"point": point})
        home = quick / "fresh" / "home"
        scene.make_or_open(home, base.clock())
        shutil.rmtree(home.parent)
    did("kills while an archive is made", len(wanted))

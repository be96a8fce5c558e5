"""Power cut at any moment, writes lost and torn: what was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from app.records.clock import FixedClock
from tests.faults import disk, scene
from tests.faults.conftest import Base, Worker
from tests.faults.disk import Call, Disk
from tests.faults.scene import ACTS, Expected, Fact, copied, recover
from tests.steps.vouching import Office

AT_ONCE, AT_LENGTH = 200, 1_000
RECORDINGS, PARTS = 2, 10
WHILE_MADE = 20

pytestmark = pytest.mark.faults
Did = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """A run of the program on a watched disk: what was there before, every call, and what it promised before."""

    root: Path
    before: Path
    calls: list[Call]
    expected: Expected
    now: FixedClock
    made: int = 0
    """The first call after the archive was made; before it there is nothing to open."""

    def said(self) -> list[int]:
        """The places right after something was acknowledged."""
        return [
            place + 1
            for place, call in enumerate(self.calls)
            if call.kind == disk.SAY and "begins" not in call.said
        ]

    def facts(self, cut: int) -> list[Fact]:
        told = [call.said for call in self.calls[:cut] if call.kind == disk.SAY]
        return [one for one in told if not one.keys() & {"begins", "made"}]

    def act(self, cut: int) -> str | None:
        """What was being done."""
        begun = [call.said.get("begins") for call in self.calls[:cut] if call.kind == disk.SAY]
        return next((one for one in reversed(begun) if one is not None), None) or None


def recorded(
    worker: Worker, base: Base, within: Path, office: Office, acts: list[str], *, make: bool = False
) -> Recording:
    within.mkdir()
    home = within / "disk" / "home"
    before = within / "before"
    if make:
        home.parent.mkdir(parents=True)
    else:
        copied(base.home, home)
    shutil.copytree(home.parent, before)
    journal = within / "journal"
    ended, _ = worker.ask(
        home=str(home),
        journal=str(journal),
        acts=acts,
        make=make,
        office=str(office.folder),
        clock=base.now.isoformat(),
    )
    assert ended == 0
    expected = Expected() if make else base.expected
    told = list(disk.calls(journal))
    begun = next(place for place, call in enumerate(told) if call.kind == disk.SAY) if make else 0
    return Recording(home.parent, before, told, expected, base.clock(), begun)


def program(seed: int) -> list[str]:
    """Every act at least once, in an order of chance."""
    chance = random.Random(seed)
    acts = [*ACTS, *chance.choices(sorted(ACTS), k=6)]
    chance.shuffle(acts)
    return acts


@pytest.fixture(scope="module", params=range(RECORDINGS))
def recording(
    request: pytest.FixtureRequest, worker: Worker, base: Base, quick: Path, office: Office
) -> Iterator[Recording]:
    within = quick / f"recording {request.param}"
    yield recorded(worker, base, within, office, program(request.param))
    shutil.rmtree(within)


def moments(recording: Recording, number: int, chance: random.Random) -> list[int]:
    """Where to cut: half of them right after something was acknowledged, the rest anywhere."""
    said = recording.said()
    return sorted(
        chance.choice(said) + chance.randrange(3)
        if chance.random() < 0.5
        else chance.randrange(recording.made, len(recording.calls))
        for _ in range(number)
    )


def cut_all(recording: Recording, number: int, seed: int, quick: Path, office: Office) -> None:
    """Cut the power so many times, start again after each, and look."""
    chance = random.Random(seed)
    machine = Disk(recording.root, recording.before)
    played = 0
    for place in moments(recording, number, chance):
        cut = min(place, len(recording.calls))
        for call in recording.calls[played:cut]:
            machine.play(call)
        played = cut
        one = chance.getrandbits(32)
        machine.cut(random.Random(one), quick / "after")
        facts, act = recording.facts(cut), recording.act(cut)
        clock = FixedClock(recording.now.at + timedelta(days=3))
        try:
            recover(quick / "after" / "home", clock, recording.expected.copy().take(facts), act, office)
        except Exception as error:
            kept = quick.parent / f"{quick.name}-failed"
            raise AssertionError(
                f"cut before call {cut} ({described(recording, cut)}), seeds {seed} and {one}, in {act!r}; see {kept}"
            ) from error
        finally:
            shutil.rmtree(quick / "after")


def described(recording: Recording, cut: int) -> str:
    """The calls around a cut, for whoever reads the failure."""
    names = {value: name for name, value in vars(disk).items() if name.isupper() and isinstance(value, int)}
    near = recording.calls[max(0, cut - 4) : cut + 1]
    return ", ".join(f"{names[one.kind]} {one.first[-60:]!r}" for one in near)


# -- the watched disk itself -------------------------------------------------------------------------------


def test_the_journal_played_to_its_end_is_the_folder_byte_for_byte(recording: Recording):
    """So nothing was written in a way that is not watched."""
    machine = Disk(recording.root, recording.before)
    for call in recording.calls:
        machine.play(call)
    seen = {name: content for name, content in machine.as_seen().items() if not disk.derived(name)}
    assert seen == disk.on_disk(recording.root)
    assert len(recording.said()) > 20
    assert {call.kind for call in recording.calls} >= {
        disk.OPEN, disk.WRITE, disk.TRUNCATE, disk.SYNC, disk.RENAME, disk.LINK, disk.UNLINK, disk.MKDIR, disk.SAY
    }  # fmt: skip


# -- cuts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(PARTS))
def test_a_power_cut_loses_nothing_that_was_acknowledged(
    recording: Recording, quick: Path, office: Office, part: int, did: Did
):
    number = AT_ONCE // PARTS // RECORDINGS
    cut_all(recording, number, part, quick, office)
    did("power losses", number)


@pytest.mark.soak
def test_many_power_cuts_lose_nothing_that_was_acknowledged(
    worker: Worker, base: Base, quick: Path, office: Office, did: Did
):
    for number in range(10):
        seed = random.SystemRandom().getrandbits(32)
        print(f"seed of the power losses: {seed}")
        made = recorded(worker, base, quick / f"long {number}", office, program(seed))
        cut_all(made, AT_LENGTH // 10, seed, quick, office)
        shutil.rmtree(quick / f"long {number}")
        did("power losses", AT_LENGTH // 10)


def test_a_power_cut_while_an_archive_is_made_leaves_one_that_can_be_made(
    worker: Worker, base: Base, quick: Path, office: Office, did: Did
):
    made = recorded(worker, base, quick / "making", office, [], make=True)
    chance = random.Random(1)
    for cut in sorted(chance.sample(range(made.made), WHILE_MADE)):
        machine = Disk(made.root, made.before)
        for call in made.calls[:cut]:
            machine.play(call)
        machine.cut(chance, quick / "after")
        scene.make_or_open(quick / "after" / "home", base.clock())
        shutil.rmtree(quick / "after")
    did("power losses while an archive is made", WHILE_MADE)
    cut_all(made, WHILE_MADE, 1, quick, office)
    did("power losses", WHILE_MADE)


# -- the failing twins: a program that does not sync -------------------------------------------------------


@pytest.mark.parametrize("which", ["objects/", "archive.db-wal", "keyring.db-wal", "master.key"])
def test_a_program_that_would_not_sync_these_files_would_be_found_out(
    recording: Recording, quick: Path, office: Office, which: str
):
    """The twin: the same calls, but for those that make certain files safe."""
    names = {call.file: bytes(call.first) for place, call in enumerate(numbered(recording.calls))}
    careless = [
        call
        for call in recording.calls
        if not (call.kind == disk.SYNC and which.encode() in names.get(call.file, b""))
    ]
    assert len(careless) < len(recording.calls)
    told = Recording(recording.root, recording.before, careless, recording.expected, recording.now)
    with pytest.raises(AssertionError, match="cut before call"):
        cut_all(told, 40, 1, quick, office)


def numbered(calls: list[Call]) -> Iterator[Call]:
    return (call for call in calls if call.kind == disk.OPEN)


def test_the_same_seed_cuts_the_same(recording: Recording, quick: Path):
    machine = Disk(recording.root, recording.before)
    for call in recording.calls[: len(recording.calls) // 2]:
        machine.play(call)
    told = []
    for _ in range(2):
        machine.cut(random.Random(5), quick / "same")
        told.append(
            json.dumps({name: content.hex() for name, content in disk.on_disk(quick / "same").items()})
        )
        shutil.rmtree(quick / "same")
    assert told[0] == told[1]

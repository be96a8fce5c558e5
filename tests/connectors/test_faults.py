"""Whatever goes wrong while a page is captured, the archive ends where an undisturbed one does, and nothing is falsely absent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import Batch, Cursor, Kind, Page
from connectors.errors import ConnectorError
from connectors.promises import ConnectorPromises
from tests.connectors import faults
from tests.connectors.fakes.nested import Nested
from tests.connectors.test_promises import (
    Remembers,
    TakesAnOutageForAnEnd,
    TakesAnOutageForARemoval,
    promises_of,
)

SEEDS = range(3)
AT_LENGTH = range(3, 203)
FAILED_ONCE = {"mediawiki": (5, 7, 19), "webpage": (17, 115)}
"""Seeds that showed a connector's defect, which was mended: they are tried at every run."""


@pytest.fixture
def fresh(archive_template: Path, tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """Folders of fresh archives."""
    made: list[Path] = []

    def another() -> Path:
        made.append(Path(shutil.copytree(archive_template, tmp_path / f"home{len(made)}")))
        return made[-1]

    yield another
    for home in made:
        shutil.rmtree(home, ignore_errors=True)


def played(name: str, seed: int, fresh: Callable[[], Path], of: ConnectorPromises | None = None) -> None:
    honest = faults.made(name)
    with (
        faults.archive(honest, fresh()) as twin,
        faults.archive(of or faults.made(name), fresh()) as disturbed,
    ):
        faults.play(name, seed, twin, disturbed)


def test_there_are_worlds_to_disturb():
    assert {"nested", "sideloading", "wordpress", "feed"} <= set(faults.known())


@pytest.mark.parametrize(
    ("name", "seed"),
    [(name, seed) for name in faults.known() for seed in (*SEEDS, *FAILED_ONCE.get(name, ()))],
)
def test_trouble_of_every_kind_ends_where_no_trouble_does(name, seed, fresh):
    played(name, seed, fresh)


def test_the_seeds_bring_every_kind_of_trouble():
    told = [one for seed in SEEDS for name in faults.WORLDS for one in faults.attempts(name, seed, 9, {})]
    assert {fault for one in told for fault in one.wire.values()} == set(faults.OF_THE_WIRE)
    assert {act for one in told for act in one.page.values()} == set(faults.OF_THE_PAGE)
    assert {one.platform[0] for one in told if one.platform} == set(faults.OF_THE_PLATFORM)
    assert {one.kill[0] for one in told if one.kill} == set(faults.POINTS)
    assert faults.attempts("nested", 3, 9, {}) == faults.attempts("nested", 3, 9, {})


class TakesAnOutageForAnEndAndCannotLook(TakesAnOutageForAnEnd):
    """What its false listings miss, nobody asks for again."""

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        yield from ()


class GivesUpAfterTrouble(Nested):
    """What it could not read once, it never reads again."""

    given_up = False

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            for batch in super().observe(page, since):
                items = [one for one in batch.observations if one.kind is Kind.PROFILE or not self.given_up]
                yield replace(batch, observations=items)
        except ConnectorError:
            type(self).given_up = True
            raise


class CountsItsNames(Nested):
    """What it names anew at each pass is kept twice."""

    passes = 0

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        type(self).passes += 1
        for batch in super().observe(page, since):
            named = [replace(one, native_id=f"{one.native_id}.{self.passes}") for one in batch.observations]
            yield replace(batch, observations=[*batch.observations, *named])


@pytest.mark.parametrize(
    ("made", "seed", "says"),
    [
        (TakesAnOutageForAnEndAndCannotLook, 2, "stored as absent or gone"),
        (TakesAnOutageForARemoval, 1, "stored as absent or gone"),
        (GivesUpAfterTrouble, 0, "missed"),
        (CountsItsNames, 0, "nobody else knows of"),
        (Remembers, 1, "and not"),
    ],
)
def test_a_connector_that_is_led_astray_is_caught(made, seed, says, fresh):
    Remembers.memory, GivesUpAfterTrouble.given_up = {}, False
    with pytest.raises(AssertionError, match=says):
        played("nested", seed, fresh, promises_of(made))


@pytest.mark.soak
@pytest.mark.parametrize("seed", AT_LENGTH)
@pytest.mark.parametrize("name", faults.known())
def test_trouble_of_every_kind_ends_where_no_trouble_does_at_length(name, seed, fresh):
    played(name, seed, fresh)

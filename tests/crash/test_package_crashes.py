"""A process that is killed while it makes a production: another goes on, to the same bytes, and nothing half-made is taken for whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import ROOT, main
from app.disclosure.package.recipe import Form, Recipe
from app.disclosure.verify import checking
from app.records.clock import FixedClock
from app.store.canonical import canonical
from tests.archives import NOON, close, settings_at
from tests.steps.packing import Town, lay, tree
from tests.steps.test_capture import World

pytestmark = pytest.mark.faults

FORMS = frozenset({Form.TEXT, Form.NATIVE, Form.CSV, Form.WACZ, Form.PROOFS, Form.COMPLETENESS})
MOST = 5
"""So many kills, spread over everything that becomes durable."""

# A process of its own, which kills itself (SIGKILL: nothing is flushed, nothing is closed) at the nth time that
# something is about to become durable, or has just become it.
VICTIM = """
import json, os, signal, sys
from datetime import datetime
from pathlib import Path
from app import main
from app.capture.leaving import Leaving
from app.disclosure import assembling
from app.disclosure.package import building
from app.disclosure.package.recipe import recalled
from app.records.clock import FixedClock
from app.settings import Settings
from tests.steps.packing import NoRemaker
home, out, recipe = Path(sys.argv[1]), Path(sys.argv[2]), recalled(json.loads(sys.argv[3]))
keys, at, when, after = json.loads(sys.argv[4]), datetime.fromisoformat(sys.argv[5]), int(sys.argv[6]), sys.argv[7] == "after"
met = 0
def durable(real):
    def call(*words, **named):
        global met
        met += 1
        if met == when and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        told = real(*words, **named)
        if met == when:
            os.kill(os.getpid(), signal.SIGKILL)
        return told
    return call
store = main.open_store(Settings(home=home, _env_file=None), FixedClock(at))
building.OFTEN = building.SELDOM = 1
for name in ("fsync", "rename", "replace"):
    setattr(os, name, durable(getattr(os, name)))
building.build(
    recipe,
    lambda position: assembling.items(store, keys[position:], lambda tx, part: {}, size=1 << 40, messages=False, by=NoRemaker()),
    out,
    building.Sources(store=store, teller=Leaving(store), settle=lambda: None),  # a kill is no power cut
    workers=1,
)
print(met)
"""


@dataclass(frozen=True)
class Scene:
    """An archive of which a production is to be made, and what an unbroken one gives."""

    home: Path
    recipe: Recipe
    keys: list[int]
    whole: dict[str, bytes]
    durable: int


def run(home: Path, out: Path, recipe: Recipe, keys: list[int], when: int, how: str) -> tuple[int, str]:
    out.mkdir(exist_ok=True)
    said = [
        str(home),
        str(out),
        canonical(recipe.told()).decode(),
        json.dumps(keys),
        recipe.made_at.isoformat(),
    ]
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, *said, str(when), how],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def scene(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("scene")
    home = shutil.copytree(archive_template, folder / "home")
    store = main.open_store(settings_at(home), FixedClock(NOON))
    town: Town = lay(World(store, FixedClock(NOON)))
    recipe, keys = town.recipe(FORMS), town.keys()
    close(store)
    code, said = run(home, folder / "whole", recipe, keys, 0, "never")
    assert code == 0, said
    return Scene(home, recipe, keys, tree(folder / "whole" / recipe.folder), int(said.split()[-1]))


def test_something_becomes_durable_again_and_again(scene: Scene):
    assert scene.durable > 50


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("part", range(MOST))
def test_killed_anywhere_it_goes_on_to_the_same_bytes(scene: Scene, tmp_path: Path, part: int, how: str):
    when = 1 + part * (scene.durable - 1) // (MOST - 1)
    code, said = run(scene.home, tmp_path, scene.recipe, scene.keys, when, how)
    assert code == -signal.SIGKILL, said
    there = tmp_path / scene.recipe.folder
    if there.exists():
        assert tree(there) == scene.whole, "what is in its place is whole"
    code, said = run(scene.home, tmp_path, scene.recipe, scene.keys, 0, "never")
    assert code == 0, said
    assert tree(there) == scene.whole
    assert checking.check(there).findings == []

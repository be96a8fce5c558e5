"""The shim, the warm process whose children are killed, and the archive in which everything begins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import ROOT
from app.records.clock import FixedClock
from tests.faults import scene
from tests.faults.scene import Expected, Scene
from tests.steps.vouching import Office

SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The watched disk, as a library to be preloaded."""
    compiler = shutil.which("cc")
    if compiler is None:
        why = "no C compiler (Debian: gcc and libc6-dev)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{why}; with CI=true kills and power losses must be tried", pytrace=False)
        pytest.skip(why)
    library = tmp_path_factory.mktemp("shim") / "disk_shim.so"
    source = Path(__file__).with_name("disk_shim.c")
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, "-o", str(library), str(source), "-ldl", "-lpthread"], check=True)
    return library


@pytest.fixture(scope="module")
def quick() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of copies are made and thrown away in it."""
    within = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="muniment-faults-", dir=within) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("authority") / "office", "Office of Time")


@dataclass(frozen=True, slots=True)
class Base:
    """An archive that nobody writes to, what it promises, and what time it is in it."""

    home: Path
    expected: Expected
    now: datetime

    def clock(self) -> FixedClock:
        return FixedClock(self.now)


@pytest.fixture(scope="module")
def base(quick: Path, office: Office) -> Base:
    home = quick / "base" / "home"
    clock = FixedClock(datetime.now(UTC))  # openssl timestamps with no other
    scene.make(home, clock)
    opened = Scene.open(home, clock, office)
    said: list[scene.Fact] = []
    scene.furnish(opened, said.append)
    opened.close()
    return Base(home, Expected().take(said), clock.at)


class Worker:
    """The warm process."""

    def __init__(self, shim: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            cwd=ROOT,
            env={**os.environ, "LD_PRELOAD": str(shim)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **told: Any) -> tuple[int, list[dict[str, Any]]]:
        """Have a child do something; how it ended, and what it said."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(told), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        return answer["ended"], answer["told"]

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def worker(shim: Path) -> Iterator[Worker]:
    made = Worker(shim)
    yield made
    made.close()


@pytest.fixture
def did(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Tells at the end how many of what were done."""

    def tell(what: str, number: int) -> None:
        request.node.user_properties.append((DID, (what, number)))

    return tell


DID = "faults"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many kills, losses, flips and steps there were."""
    counted: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, told in getattr(report, "user_properties", ()):
                if name == DID and report.when == "call":
                    counted[told[0]] += told[1]
    for what, number in sorted(counted.items()):
        terminalreporter.write_line(f"faults: {number} {what}")

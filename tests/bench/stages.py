"""The stages of the benchmark, each a process of its own, so that its memory is its own too."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app import main
from app.capture import importing, keep
from app.jobs.night import FOLLOW_SECONDS
from app.settings import Settings

TEXT = "text"


def settings(home: Path) -> Settings:
    return Settings(home=home, _env_file=None)


def receive(home: Path, files: list[Path]) -> dict[str, float]:
    """Import the files and let the index follow; the archive is made first where there is none."""
    if not home.exists():
        store = main.make(
            settings(home), agency="Benchmark", domain="bench.example", timezone="America/Juneau"
        )
        store.database.close()
        store.keyring.database.close()
    archive = main.open_archive(settings(home))
    told: dict[str, float] = {"new": 0, "edited": 0, "unchanged": 0, "unreadable": 0}
    began = time.perf_counter()
    for file in files:
        report = importing.observations(
            archive.store, file, page=None, make_pages=True, by=None, why="benchmark", tick=time.perf_counter
        )
        told["new"] += report.tally.new
        told["edited"] += report.tally.edited
        told["unchanged"] += report.tally.unchanged
        told["unreadable"] += len(report.unreadable)
    kept = time.perf_counter()
    archive.follow()
    told["seconds"] = time.perf_counter() - began
    told["follow_seconds"] = time.perf_counter() - kept
    archive.store.ledger.checkpoint()
    archive.close()
    return told


def sealing(home: Path, files: list[Path]) -> dict[str, float]:
    """Import the files, and tell how much of the time went into statements, commitments and sealing."""
    spent = 0.0

    def timed(work: Callable[..., object]) -> Callable[..., object]:
        def doing(*arguments: object) -> object:
            nonlocal spent
            began = time.perf_counter()
            try:
                return work(*arguments)
            finally:
                spent += time.perf_counter() - began

        return doing

    for name in ("state", "seal", "derive", "piece_commitment", "exchange_commitment", "new_secret"):
        setattr(keep, name, timed(getattr(keep, name)))
    told = receive(home, files)
    return told | {"sealing": spent}


def verify(home: Path) -> dict[str, float]:
    """`verify --full`."""
    archive = main.open_archive(settings(home))
    began = time.perf_counter()
    told = archive.verify(full=True)
    seconds = time.perf_counter() - began
    archive.close()
    return {
        "records": told.checked["records"],
        "findings": len(told.findings) + told.more,
        "seconds": seconds,
    }


def ask(home: Path, questions: Path, expected: str) -> dict[str, object]:
    """Every question with its count, and how long its first page took: exact total and the newest twenty."""
    archive = main.open_archive(settings(home))
    wrong, refused, times = [], [], []
    asked = [json.loads(line) for line in questions.read_text().splitlines()]
    for question in asked:
        try:
            total = archive.search(question["muniment"], limit=20, messages=False).total
        except Exception as error:  # noqa: BLE001 - a question that is not answered is counted, whatever the reason
            refused.append(f"{question['id']}: {type(error).__name__}: {error}")
            continue
        if total != question[expected]:
            wrong.append(f"{question['id']} {question['muniment']}: {total}, expected {question[expected]}")
        for _ in range(3):
            began = time.perf_counter()
            archive.search(question["muniment"], limit=20, messages=False)
            times.append((time.perf_counter() - began) * 1000)
    archive.close()
    times.sort()
    return {
        "asked": len(asked),
        "right": len(asked) - len(wrong) - len(refused),
        "wrong": wrong,
        "refused": refused,
        "median_ms": statistics.median(times) if times else None,
        "p95_ms": times[int(len(times) * 0.95)] if times else None,
    }


def found(home: Path, files: list[Path], probes: int = 8) -> dict[str, object]:
    """How long it takes until something that was received is found, while an import runs in another process."""
    store = main.make(settings(home), agency="Benchmark", domain="bench.example", timezone="America/Juneau")
    store.database.close()
    store.keyring.database.close()
    archive = main.open_archive(settings(home))
    command = [sys.executable, __file__, "only", str(home), *map(str, files)]
    busy = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    over = threading.Event()

    def follow() -> None:
        while not over.wait(FOLLOW_SECONDS):
            archive.follow()

    following = threading.Thread(target=follow)
    following.start()
    waited: list[float] = []
    try:
        while archive.behind() == 0 and busy.poll() is None:
            time.sleep(0.1)
        for number in range(probes):
            if busy.poll() is not None:
                break
            file = home.parent / f"probe-{number}.jsonl"
            told = {"platform": "probe", "page": "probe", "native_id": f"probe{number}", "kind": "post"}
            file.write_text(json.dumps(told | {"text": f"zyzzyva{number}"}) + "\n")
            importing.observations(
                archive.store,
                file,
                page=None,
                make_pages=True,
                by=None,
                why="benchmark",
                tick=time.perf_counter,
            )
            began = time.perf_counter()
            while archive.search(f"zyzzyva{number}", limit=1, messages=False).total == 0:
                time.sleep(0.05)
            waited.append(time.perf_counter() - began)
    finally:
        over.set()
        following.join()
        busy.kill()
        busy.wait()
        archive.close()
    return {
        "probes": len(waited),
        "worst": max(waited, default=None),
        "median": statistics.median(waited or [0]),
    }


def only(home: Path, files: list[Path]) -> dict[str, float]:
    """Import alone: the index follows in another process."""
    store = main.open_store(settings(home))
    for file in files:
        importing.observations(
            store, file, page=None, make_pages=True, by=None, why="benchmark", tick=time.perf_counter
        )
    return {}


def main_of_stage(arguments: list[str]) -> None:
    name, home, *rest = arguments
    stages: dict[str, Callable[[], object]] = {
        "receive": lambda: receive(Path(home), [Path(file) for file in rest]),
        "sealing": lambda: sealing(Path(home), [Path(file) for file in rest]),
        "found": lambda: found(Path(home), [Path(file) for file in rest]),
        "only": lambda: only(Path(home), [Path(file) for file in rest]),
        "verify": lambda: verify(Path(home)),
        "ask": lambda: ask(Path(home), Path(rest[0]), rest[1]),
    }
    told = stages[name]()
    print(json.dumps({"told": told, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main_of_stage(sys.argv[1:])

"""What lies where a file should be and is none, or is one beyond all measure: every means says so at once, and waits for nothing."""

from __future__ import annotations

import ast
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.disclosure.verify import checking
from app.index.extracting import Extractor
from tests.productions.made import Made

SECONDS = 60
"""Whoever waits for somebody to write into a pipe waits for ever; a check of this production takes a few seconds."""
GIGABYTES = 2 << 30
MEMORY = 512 << 20


def pipe(at: Path) -> None:
    os.mkfifo(at)


def listening(at: Path) -> None:
    here = Path.cwd()
    os.chdir(at.parent)  # its name may be no longer than a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(at.name)
    finally:
        os.chdir(here)


def loop(at: Path) -> None:
    at.symlink_to(at.name)


def endless(at: Path) -> None:
    at.symlink_to("/dev/zero")


def folder(at: Path) -> None:
    at.mkdir()


def enormous(at: Path) -> None:
    with at.open("wb") as content:
        content.truncate(GIGABYTES)


STRANGE: list[Callable[[Path], None]] = [pipe, listening, loop, endless, folder]
TWO_LINES: list[Callable[[Path], object]] = [
    lambda copy: (copy / f"{copy.name}.seal.7.tsr\nxx{copy.name}.seal.8.tsr").write_bytes(b"x"),
    lambda copy: (copy / "bag" / "data" / "empty").mkdir(),
    lambda copy: (copy / "verify" / "__pycache__").mkdir(),
]
PLACES = (
    "outside-sha256.txt", "*.seal.json", "*.seal.p7s", "*.seal.p7s.tsr", "read-me-first.pdf", "trust/log.vkey",
    "trust/agency-chain.pem", "trust/tsa-*.pem", "verify/verify.md", "bag/bagit.txt", "bag/bag-info.txt", "bag/manifest-sha512.txt",
    "bag/tagmanifest-sha256.txt", "bag/data/production.json", "bag/data/data/vol001.dat", "bag/data/proof/checkpoint",
    "bag/data/proof/cosignatures", "bag/data/proof/log.vkey", "bag/data/proof/items/*/1/item.tlog-proof", "bag/data/proof/items/*/1/statement.json",
)  # fmt: skip


class Waits(BaseException):
    """It waits for what never comes; no error of the system, which would be taken for a file that cannot be read."""


def said(command: list[str], memory: int = 0) -> tuple[int, str]:
    def bounded() -> None:
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False, preexec_fn=bounded, stdin=subprocess.DEVNULL
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def python(folder: Path, means: Path) -> list[str]:
    return [sys.executable, str(means / "verify/verify.py"), str(folder)]


def shell(folder: Path, means: Path) -> list[str]:
    return ["sh", str(means / "verify/verify.sh"), str(folder)]


def ours(folder: Path, extractor: Extractor) -> list[tuple[str, str]]:
    """What the product says, or `Waits` where it waits."""

    def waited(_number: int, _frame: object) -> None:
        raise Waits

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(SECONDS)
    try:
        return [(one.code, one.where) for one in checking.check(folder, extractor=extractor).findings]
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def copied(made: Made, to: Path, place: str, by: Callable[[Path], None]) -> tuple[Path, str]:
    """A copy in which something else lies in one place, and that place's name."""
    copy = made.copied(to / made.folder.name)
    file = min(copy.glob(place))
    file.unlink()
    by(file)
    return copy, file.relative_to(copy).as_posix()


@pytest.mark.parametrize("strange", STRANGE, ids=lambda one: one.__name__)
def test_what_is_no_file_is_found_at_once_and_never_waited_for(
    strange: Callable[[Path], None], made: Made, tmp_path: Path
):
    for number, place in enumerate(PLACES):
        copy, name = copied(made, tmp_path / str(number), place, strange)
        code, told = said(python(copy, made.folder))
        assert (code, name in told or f"*{place[1:]}" in told) == (6, True), (place, told)


@pytest.mark.parametrize("strange", [pipe, folder], ids=lambda one: one.__name__)
def test_the_product_does_not_wait_either(
    strange: Callable[[Path], None], made: Made, extractor: Extractor, tmp_path: Path
):
    for number, place in enumerate(PLACES):
        copy, name = copied(made, tmp_path / str(number), place, strange)
        assert any(name in where for _, where in ours(copy, extractor)), place


@pytest.mark.skipif(shutil.which("xxd") is None, reason="needs xxd")
@pytest.mark.parametrize("place", ["*.seal.json", "*.seal.p7s", "bag/data/proof/checkpoint"])
@pytest.mark.parametrize("strange", [pipe, folder], ids=lambda one: one.__name__)
def test_nor_does_the_shell(strange: Callable[[Path], None], place: str, made: Made, tmp_path: Path):
    copy, name = copied(made, tmp_path, place, strange)
    code, told = said(shell(copy, made.folder))
    assert (code, name in told or f"*{place[1:]}" in told) == (6, True), told


@pytest.mark.parametrize(
    "place", ["*.seal.json", "outside-sha256.txt", "bag/bag-info.txt", "bag/data/proof/checkpoint"]
)
def test_a_file_beyond_all_measure_is_never_held_in_memory(
    place: str, made: Made, extractor: Extractor, tmp_path: Path
):
    copy, name = copied(made, tmp_path, place, enormous)
    code, told = said(python(copy, made.folder), memory=MEMORY)
    assert (code, name in told) == (6, True), told
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert any(name in where for _, where in ours(copy, extractor))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY >> 10


def test_a_signature_that_was_taken_away_is_missed_by_the_timestamp_over_it(
    made: Made, extractor: Extractor, tmp_path: Path
):
    copy, name = copied(made, tmp_path, "*.seal.p7s", lambda _at: None)
    assert said(python(copy, made.folder))[0] == 6
    assert ("file-missing", name) in ours(copy, extractor)
    if shutil.which("xxd") is not None:
        assert said(shell(copy, made.folder))[0] == 6


def test_a_name_of_two_lines_and_an_empty_folder_are_found_by_every_means(
    made: Made, extractor: Extractor, tmp_path: Path
):
    for number, put in enumerate(TWO_LINES):
        copy = made.copied(tmp_path / str(number) / made.folder.name)
        put(copy)
        assert said(python(copy, made.folder))[0] == 6
        assert ours(copy, extractor)
        if shutil.which("xxd") is not None:
            assert said(shell(copy, made.folder))[0] == 6


def test_what_goes_with_a_production_runs_on_an_old_machine(made: Made):
    """Python 3.8, whatever the words of a new one."""
    for name in ("verify.py", "proof.py"):
        ast.parse((made.folder / "verify" / name).read_text(), feature_version=(3, 8))


def test_a_folder_is_the_same_through_a_link_and_in_any_language(made: Made, tmp_path: Path):
    (tmp_path / "þar er það").symlink_to(made.folder)
    for way in (f"{made.folder}/", str(tmp_path / "þar er það"), f"{tmp_path / 'þar er það'}/"):
        done = subprocess.run(
            [sys.executable, str(made.folder / "verify/verify.py"), way], capture_output=True, timeout=SECONDS, check=False,
            env={"PATH": os.environ["PATH"], "LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

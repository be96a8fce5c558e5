"""Somebody who means ill and has the folder alone: whatever is done to whichever kind of file, every means says no and names it."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.disclosure.verify import checking
from app.index.extracting import Extractor
from tests.productions.made import Made

Act = Callable[[Path, random.Random], list[str]]


def kinds(folder: Path) -> list[str]:
    """One file of each kind: of each folder and ending the first, by its path."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder)
            parts = ["*" if any(map(str.isdigit, part)) else part for part in name.parent.parts]
            stem = path.suffix if any(map(str.isdigit, name.stem)) else path.name
            found.setdefault(("/".join(parts), stem), name.as_posix())
    return sorted(found.values())


def flip(file: Path, chance: random.Random) -> list[str]:
    content = bytearray(file.read_bytes())
    bit = chance.randrange(len(content) * 8)
    content[bit // 8] ^= 1 << bit % 8
    put(file, bytes(content))
    return [file.name]


def cut(file: Path, chance: random.Random) -> list[str]:
    content = file.read_bytes()
    put(file, content[: chance.randrange(len(content))])
    return [file.name]


def lengthen(file: Path, chance: random.Random) -> list[str]:
    put(file, file.read_bytes() + chance.choice([b"\n", b"\0", b"x"]))
    return [file.name]


def swap(file: Path, chance: random.Random) -> list[str]:
    """With a neighbour of its kind; without one, with nothing in it."""
    others = [
        one
        for one in sorted(file.parent.iterdir())
        if one.is_file() and one.suffix == file.suffix and one.read_bytes() != file.read_bytes()
    ]
    if not others:
        put(file, b"")
        return [file.name]
    other = chance.choice(others)
    one, two = file.read_bytes(), other.read_bytes()
    put(file, two)
    put(other, one)
    return [file.name, other.name]


def rename(file: Path, chance: random.Random) -> list[str]:
    del chance
    file.rename(file.with_name(f"{file.stem}-of-another{file.suffix}"))
    return [file.name, f"{file.stem}-of-another{file.suffix}"]


def in_capitals(file: Path, chance: random.Random) -> list[str]:
    del chance
    file.rename(file.with_name(file.name.swapcase()))
    return [file.name, file.name.swapcase()]


def add(file: Path, chance: random.Random) -> list[str]:
    del chance
    shutil.copyfile(file, file.with_name(f"one-more{file.suffix}"))
    return [f"one-more{file.suffix}"]


def hide(file: Path, chance: random.Random) -> list[str]:
    del chance
    (file.parent / ".hidden\nname").write_bytes(b"x")
    return [".hidden"]


def symlink(file: Path, chance: random.Random) -> list[str]:
    """To the same bytes somewhere else: what is handed on is a name."""
    del chance
    away = Path(tempfile.mkdtemp()) / file.name
    file.rename(away)
    file.symlink_to(away)
    return [file.name]


def symlinked_folder(file: Path, chance: random.Random) -> list[str]:
    del chance
    (file.parent / "beside").symlink_to(file.parent)
    return ["beside"]


def delete(file: Path, chance: random.Random) -> list[str]:
    del chance
    file.unlink()
    return [file.name]


ACTS: list[Act] = [
    flip,
    cut,
    lengthen,
    swap,
    rename,
    in_capitals,
    add,
    hide,
    symlink,
    symlinked_folder,
    delete,
]


def put(file: Path, content: bytes) -> None:
    mode = file.stat().st_mode
    file.unlink()
    file.write_bytes(content)
    file.chmod(mode)


def python(folder: Path, means: Path) -> tuple[int, str]:
    command = [sys.executable, str(means / "verify/verify.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_every_kind_of_file_is_there_to_be_tampered_with(made: Made):
    assert len(kinds(made.folder)) > 50


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_whatever_is_done_to_a_file_is_found_and_named(
    act: Act, made: Made, extractor: Extractor, tmp_path: Path
):
    chance = random.Random(act.__name__)
    for number, name in enumerate(chance.sample(kinds(made.folder), 3)):
        folder = made.copied(tmp_path / str(number) / made.folder.name)
        told = act(folder / name, chance)
        if name.endswith(".seal.json"):
            told.append("*.seal.json")  # without a seal there is none to be named
        report = checking.check(folder, extractor=extractor)
        said = " ".join(f"{one.where} {one.what}" for one in report.findings)
        assert any(one in said for one in told), (name, said)
        code, said = python(folder, made.folder)
        assert code == 6
        assert any(one in said for one in told), (name, said)


def test_a_folder_that_leads_into_itself_hinders_neither_means(made: Made, tmp_path: Path):
    folder = made.copied(tmp_path / made.folder.name)
    item = next(iter(sorted((folder / "bag/data/proof/items").glob("*/1"))))
    (item / "beside").symlink_to(item)
    code, said = python(folder, made.folder)
    assert (code, f"{item.relative_to(folder).as_posix()}/beside" in said) == (6, True)


@pytest.mark.parametrize("act", [flip, symlink], ids=lambda act: act.__name__)
@pytest.mark.skipif(shutil.which("xxd") is None, reason="needs xxd")
def test_the_shell_names_it_too(act: Act, made: Made, tmp_path: Path):
    folder = made.copied(tmp_path / made.folder.name)
    told = act(folder / "bag/data/data/vol001.dat", random.Random(1))
    code, said = shell(folder, made.folder)
    assert code == 6
    assert any(one in said for one in told), said


def shell(folder: Path, means: Path) -> tuple[int, str]:
    command = ["sh", str(means / "verify/verify.sh"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr

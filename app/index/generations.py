"""The folder of the index: one sub-folder for each time it was made, and a pointer to the living one.

The pointer is swapped in one step, so that a reader sees the old index or the
new one, never half of each. Everything here is derived and may be thrown away.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

DESCRIPTION = "muniment.json"
"""What each generation says of how it was made."""
POINTER = "current"
"""The file that names the living generation."""
_PREFIX = "generation-"


def current(home: Path) -> Path | None:
    """The living generation, if there is one."""
    try:
        name = (home / POINTER).read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    folder = home / name
    return folder if name.startswith(_PREFIX) and folder.is_dir() else None


def begin(home: Path) -> Path:
    """A new, empty folder beside the living one."""
    home.mkdir(parents=True, exist_ok=True)
    number = max((_number(folder) for folder in home.glob(f"{_PREFIX}*")), default=0)
    while True:
        number += 1
        folder = home / f"{_PREFIX}{number:06}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder


def _number(folder: Path) -> int:
    digits = folder.name.removeprefix(_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def point_at(folder: Path) -> None:
    """Make `folder` the living generation, durably and in one step."""
    home = folder.parent
    beside = home / f"{POINTER}.{os.getpid()}.new"
    with beside.open("w", encoding="ascii") as file:
        file.write(folder.name + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(home / POINTER)
    descriptor = os.open(home, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard_others(home: Path) -> None:
    """Remove every generation but the living one: the one before it, and what a crash left.

    Readers that have one open keep what they hold.
    """
    living = current(home)
    for folder in home.glob(f"{_PREFIX}*"):
        if folder != living:
            shutil.rmtree(folder, ignore_errors=True)


def described(folder: Path) -> Mapping[str, object] | None:
    """What a generation says of how it was made; None where it does not say it."""
    try:
        said = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def edition(home: Path) -> str:
    """Which engine made the living index, and in which format, as it says itself."""
    folder = current(home)
    said = (None if folder is None else described(folder)) or {}
    return f"{said.get('engine', 'unknown')}, format {said.get('format', 'unknown')}"

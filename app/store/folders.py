"""Folders whose names survive a power cut: a name is safe only once the folder that holds it was synced."""

from __future__ import annotations

import os
from pathlib import Path


def make(folder: Path, *, mode: int = 0o777) -> None:
    """Make a folder and those above it that are missing; when this returns, its name is safe, whoever made it."""
    if not folder.parent.is_dir():
        make(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    sync(folder.parent)


def sync(folder: Path) -> None:
    """Make the names in a folder safe: those that came, and those that went."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

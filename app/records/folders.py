"""Walking a folder of any size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def below(folder: Path) -> Iterator[Path]:
    """Everything below a folder in the order of paths, each folder before what it holds; no link is followed.

    The names of one folder, and of those above it, are held at a time: a
    million files take no more memory than a thousand. Of what is no folder,
    or is not there, there is nothing.
    """
    try:
        with os.scandir(folder) as found:
            inside = sorted(found, key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for one in inside:
        path = Path(one.path)
        yield path
        if one.is_dir(follow_symlinks=False):
            yield from below(path)

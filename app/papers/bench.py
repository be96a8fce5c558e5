"""The workbench: a folder for the pictures of documents that are being set, gone when the work is, however it ends.

It holds what is released of records, and nobody should find it afterwards. A
process that is killed cannot tidy up. So each bench is locked as long as its
process lives, and whoever sets up the next one discards those that nobody
holds any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

_BEGINS = "muniment-press-"
_LOCK = "lock"


class Bench:
    """A folder of our own that ends with this value, or with the process at the latest."""

    def __init__(self) -> None:
        _tidy(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_BEGINS))
        lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._end = weakref.finalize(self, _ended, self.path, lock)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        self._end()


def _ended(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _tidy(among: Path) -> None:
    """Discard what processes left that are no more."""
    for left in among.glob(f"{_BEGINS}*"):
        # One that has no lock yet is being set up; one that is locked is in use; others' are not ours to touch.
        with suppress(OSError):
            lock = os.open(left / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)

"""Reading attachments in a process of its own, so that a hostile file can neither hang nor end whoever follows the ledger.

The process is started with the first file and kept for the next ones. Where
it does not answer in time, or dies, it is ended and the file counts as
unreadable; the next file gets a new one.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from app import ROOT
from app.index.attached import MOST_BYTES, MOST_SECONDS, Asked, Attached, put

_BESIDE = "import sys; sys.path.insert(0, sys.argv[1]); from app.index.attached import serve; serve()"
_GRACE = MOST_SECONDS + 10
_MOST_ANSWERED = 64 * 1024 * 1024


class Extractor:
    """Reads files one after another; for one thread at a time. Its process ends with it."""

    def __init__(self, *, grace: float = _GRACE, now: Callable[[], float] = time.monotonic) -> None:
        self._grace, self._now = grace, now
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = _nothing

    def read(self, chunks: Iterable[bytes], size: int, media_type: str, name: str) -> Attached:
        """The words of a file of `size` bytes that comes in chunks."""
        if size > MOST_BYTES:
            return Attached(lacks="too_long")
        content = b"".join(chunks)
        try:
            return self._asked(content, media_type, name)
        except _Silent:
            self.close()
            return Attached(lacks="too_long")
        except (OSError, msgspec.MsgspecError):
            self.close()
            return Attached(lacks="unreadable")

    def close(self) -> None:
        """End the process."""
        self._process = None
        self._end()

    def _asked(self, content: bytes, media_type: str, name: str) -> Attached:
        process = self._process or self._begin()
        assert process.stdin is not None, "the process was started with pipes"
        put(process.stdin, msgspec.msgpack.encode(Asked(len(content), media_type, name)))
        process.stdin.write(content)
        process.stdin.flush()
        until = self._now() + self._grace
        length = int(struct.unpack(">I", self._bytes(process, 4, until))[0])
        if length > _MOST_ANSWERED:
            raise OSError("the answer is longer than any text")
        return msgspec.msgpack.decode(self._bytes(process, length, until), type=Attached)

    def _begin(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(  # noqa: S603 - our own program, our own words
            [sys.executable, "-I", "-c", _BESIDE, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )
        self._end = weakref.finalize(self, _ended, self._process)
        return self._process

    def _bytes(self, process: subprocess.Popen[bytes], count: int, until: float) -> bytes:
        assert process.stdout is not None, "the process was started with pipes"
        held = bytearray()
        while len(held) < count:
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - self._now()))
            if not ready:
                raise _Silent
            part = os.read(process.stdout.fileno(), count - len(held))
            if not part:
                raise OSError("the process ended")
            held += part
        return bytes(held)


def _nothing() -> None:
    """There is no process to end."""


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what could not be written any more is not wanted
                pipe.close()


class _Silent(Exception):
    """The process does not answer in time."""

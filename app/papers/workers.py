"""Work done in a process of its own, so that a hostile file or a hostile text can neither hang nor end whoever asks.

A worker is started with the first message and kept for the next ones. Where
it does not answer in time, or dies, it is ended and the caller is told; the
next message gets a new one.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, BinaryIO

from app import ROOT

_BESIDE = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from importlib import import_module; import_module(sys.argv[2]).serve(*sys.argv[3:])"
)
_HEAD = struct.Struct(">Q")
_MOST_ANSWERED = 512 * 1024 * 1024


class Gone(Exception):
    """The worker ended without an answer: killed for its memory or its time, or fallen over what it was given."""


class Worker:
    """A process that runs `serve` of a module of ours; for one thread at a time. It ends with this value."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._module, self._arguments, self._seconds, self._now = module, arguments, seconds, now
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = _nothing

    def ask(self, message: bytes) -> bytes:
        """The worker's answer; raises `Gone` where it gives none."""
        process = self._process or self._begin()
        try:
            assert process.stdin is not None, "the process was started with pipes"
            put(process.stdin, message)
            until = self._now() + self._seconds
            (length,) = _HEAD.unpack(self._bytes(process, _HEAD.size, until))
            if length > _MOST_ANSWERED:
                raise Gone("the answer is longer than any")
            return self._bytes(process, length, until)
        except (OSError, Gone) as error:
            self.close()
            raise Gone(str(error)) from error

    def close(self) -> None:
        """End the process; the next message starts another."""
        self._process = None
        self._end()

    def _begin(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(  # noqa: S603 - our own program, our own words
            [sys.executable, "-I", "-c", _BESIDE, str(ROOT), self._module, *self._arguments],
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
                raise Gone("it did not answer in time")
            part = os.read(process.stdout.fileno(), min(count - len(held), 1 << 20))
            if not part:
                raise Gone("it ended")
            held += part
        return bytes(held)


def served(answer: Callable[[bytes], bytes], *, memory: int, seconds: int, writes: bool = False) -> None:
    """In the worker: answer messages from standard input until it ends.

    The process may use `memory` bytes, writes no file unless it `writes`, and
    ends by itself where an answer takes twice as long as it is waited for.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not writes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    into, out = sys.stdin.buffer, sys.stdout.buffer
    while (message := _taken(into)) is not None:
        signal.alarm(seconds * 2)  # by default it ends the process, whatever holds it up
        said = answer(message)
        signal.alarm(0)
        with suppress(BrokenPipeError):
            put(out, said)


def put(out: BinaryIO | IO[bytes], message: bytes) -> None:
    """Write one message with its length."""
    out.write(_HEAD.pack(len(message)))
    out.write(message)
    out.flush()


def _taken(into: BinaryIO) -> bytes | None:
    head = into.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    return into.read(int(_HEAD.unpack(head)[0]))


def _nothing() -> None:
    """There is no process to end."""


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what could not be written any more is not wanted
                pipe.close()

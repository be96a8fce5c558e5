"""A warm process whose children do one act each, on a disk that is watched, and are killed in it.

It is started with the shim preloaded and reads its orders as lines of JSON. A
child is a real process with connections of its own: it opens the archive, does
the act, and tells through a pipe what it acknowledged. `SIGKILL` at a write
point leaves what the operating system had been given, and nothing else.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from app.records.clock import FixedClock
from tests.faults import points, scene
from tests.steps.vouching import Office

KINDS = {2: "write", 3: "truncate", 4: "sync", 5: "rename", 6: "link", 7: "remove", 8: "mkdir", 9: "remove"}
ASKED = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)


class Watch:
    """What the shim asks before and after each call: whether to go on, and what to remember."""

    def __init__(self, out: int, wanted: dict[str, Any]) -> None:
        self.out, self.wanted = out, wanted
        self.seen: Counter[str] = Counter()
        self.calls = 0
        self.asked = ASKED(self._asked)

    def _asked(self, kind: int, path: bytes, done: int) -> None:
        name = points.of_frame(sys._getframe(1), KINDS[kind], path.decode())
        if not done:
            self.calls += 1
            if name is not None:
                self.seen[name] += 1
        if self.wanted.get("call") == self.calls and not done:
            self._end()
        if (name, self.seen[name or ""], bool(done)) == self.wanted.get("point"):
            self._end()

    def _end(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def say(self, fact: scene.Fact) -> None:
        os.write(self.out, json.dumps({"fact": fact}).encode() + b"\n")


def order(told: dict[str, Any], shim: ctypes.CDLL, out: int) -> None:
    """One act in a child; whatever it has to say goes to `out`."""
    wanted = told.get("at") or {}
    if "point" in wanted:
        wanted["point"] = tuple(wanted["point"])
    watch = Watch(out, wanted)
    home = Path(told["home"])
    office = _office(told["office"])
    clock = FixedClock(datetime.fromisoformat(told["clock"]))
    shim.disk_watch(os.fsencode(home.parent), -1, watch.asked)
    if told["act"] == "make":
        scene.make(home, clock)
    else:
        opened = scene.Scene.open(home, clock, office)
        scene.ACTS[told["act"]](opened, told["number"], watch.say)
        opened.close()
    os.write(out, json.dumps({"seen": watch.seen, "calls": watch.calls}).encode() + b"\n")


def record(told: dict[str, Any], shim: ctypes.CDLL, out: int) -> None:
    """Many acts in one child, each of whose calls is written into a journal."""
    home = Path(told["home"])
    journal = os.open(told["journal"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    clock = FixedClock(datetime.fromisoformat(told["clock"]))
    shim.disk_watch(os.fsencode(home.parent), journal, ASKED())

    def say(fact: scene.Fact) -> None:
        words = json.dumps(fact).encode()
        shim.disk_say(words, ctypes.c_size_t(len(words)))

    def begin(act: str) -> None:
        say({"begins": act})

    if told.get("make"):
        scene.make(home, clock)
        say({"made": True})
    opened = scene.Scene.open(home, clock, _office(told["office"]))
    if told.get("make"):
        scene.furnish(opened, say)
    for number, act in enumerate(told["acts"]):
        begin(act)
        scene.ACTS[act](opened, number, say)
    begin("")
    opened.close()
    os.write(out, b"{}\n")


def _office(folder: str | None) -> Office | None:
    """An authority that was made before: its keys lie in the folder."""
    if folder is None:
        return None
    office = object.__new__(Office)
    office.folder = Path(folder)
    return office


def main() -> None:
    shim = ctypes.CDLL(os.environ.pop("LD_PRELOAD"))
    shim.disk_watch.argtypes = [ctypes.c_char_p, ctypes.c_int, ASKED]
    for line in sys.stdin:
        told = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            try:
                (record if "journal" in told else order)(told, shim, write)
            except BaseException:  # noqa: BLE001 - whatever it is, a child must never come back to this loop
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as answer:
            lines = [json.loads(one) for one in answer.read().splitlines() if one.endswith(b"}")]
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"ended": ended, "told": lines}), flush=True)


if __name__ == "__main__":
    main()

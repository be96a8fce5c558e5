"""Records a second in each form in which they leave, and what memory and time of processors that takes.

    python tests/bench/rendition.py [COUNT [PROCESSES]]

The records are invented: one in twenty is long, one in fifty has a picture,
one in forty was edited, one in a hundred is withheld. Nothing is written to
disk. The ratio is against the least that a process of Python can do with the
same words: encode them and take their digest.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from app.disclosure.package.numbering import Numbering
from app.disclosure.released import Item, Released, plain
from app.disclosure.rendition import pages, pdf
from app.disclosure.rendition.native import native
from app.disclosure.rendition.plain import text
from tests.steps.rendering import a_picture, a_recipe, a_record, a_slip, attached, identity, in_line, version

WORDS = [
    "road",
    "closed",
    "after",
    "the",
    "flood",
    "on",
    "Main",
    "Street",
    "use",
    "bridge",
    "water",
    "rising",
    "town",
    "crew",
    "thanks",
    "everyone",
    "stay",
    "safe",
]
PICTURE = a_picture("JPEG", (1200, 800))
_FAMILY = 10


def records(count: int) -> Iterator[Item]:
    """The same at every run: threads of ten."""
    chance = Random(7)
    for number in range(1, count + 1):
        post = number - (number - 1) % _FAMILY
        answers = None if number == post else post
        if number % 100 == 0:
            yield a_slip(number, root=identity(post), in_reply_to=identity(post))
            continue
        said = " ".join(chance.choices(WORDS, k=900 if number % 20 == 3 else chance.randrange(5, 60)))
        kept = (attached(PICTURE, "image/jpeg"),) if number % 50 == 7 else ()
        versions = [version(1, said, attachments=kept)]
        if number % 40 == 9:
            versions.append(version(2, said + " (edited)", attachments=kept))
        yield a_record(number, *versions, answers=answers)


def taken(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the clock, seconds of processors in this process and those that ended, and what came of it."""
    before = _processors()
    began = time.perf_counter()
    said = work()
    return time.perf_counter() - began, _processors() - before, said


def _processors() -> float:
    ours, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime


def _pdf(count: int, processes: int) -> tuple[int, int]:
    sheets = size = 0
    for numbered, content in pdf.documents(records(count), Numbering(a_recipe()), processes=processes):
        sheets += numbered.pages
        size += len(content)
    return sheets, size


def _html(count: int) -> int:
    size = 0
    held = in_line(list(records(count)))
    for start in range(0, len(held), _FAMILY):
        thread = held[start : start + _FAMILY]
        size += sum(map(len, pages.thread(thread, a_recipe(), lambda one, attachment: None)))
    return size


def measured(count: int, processes: int) -> dict[str, Any]:
    """Every form, with its ratio."""
    floor, _, _ = taken(
        lambda: [
            hashlib.sha256(plain(one.now.text).encode()).digest()
            for one in records(count)
            if isinstance(one, Released)
        ]
    )
    told: dict[str, Any] = {"records": count, "processes": processes}

    def tell(name: str, work: Callable[[], Any]) -> Any:
        seconds, processors, said = taken(work)
        told[name] = {
            "a second": round(count / seconds),
            "ms of processors each": round(processors * 1000 / count, 2),
            "times the floor": round(seconds / floor),
        }
        return said

    tell("text", lambda: [text(one, "America/Denver") for one in in_line(list(records(count)))])
    tell("native", lambda: [native(one) for one in records(count) if isinstance(one, Released)])
    tell("html", lambda: _html(count))
    sheets, size = tell("pdf", lambda: _pdf(count, processes))
    told["pdf"] |= {"pages": sheets, "bytes each": size // count}
    told["MiB of memory"] = {
        "here": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "largest process": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    return told


if __name__ == "__main__":
    arguments = [int(one) for one in sys.argv[1:]]
    print(json.dumps(measured(*(arguments + [2_000, 2][len(arguments) :])), indent=1))

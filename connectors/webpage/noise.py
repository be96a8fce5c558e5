"""What changes in a page at every look without anybody having edited it. Pure.

Three things keep noise from being taken for an edit. What a reader never sees
(scripts, hidden fields, comments in the markup, classes, parameters that say
who asks) is not compared at all. What differs between two answers given one
right after the other was not written by anyone in between: in such a block
numbers and long tokens are masked, and where the rest differs too, the block
is. And a block that was masked once is masked from then on, so that a counter
that happens to stand still for a moment is no edit either.

Masking concerns what is compared and searched. The bytes as they were served
are kept whole, both times.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher

MASK = "…"
_VARYING = re.compile(r"[A-Za-z0-9_-]{16,}|\d[\d.,:]*")
_MOST_COMPARED = 1_000_000
"""Pairs of blocks beyond which two answers are compared place by place: finding what moved would take too long."""

_RELATIVE = re.compile(
    r"\s*(?:(?:about|over|almost|vor|hace|il y a|\d+|an?|one|einer?m?|un[ae]?)\s+)*"
    r"(?:just now|moments? ago|yesterday|today|gerade eben|gestern|heute|hier|ayer|hoy|"
    r"(?:\d+\s*)?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mo|months?|y|years?)(?:\s+ago)?|"
    r"sekunden?|minuten?|stunden?|tage?n?|wochen?|monate?n?|jahre?n?|segundos?|minutos?|horas?|d[ií]as?|semanas?|mes(?:es)?|"
    r"a[nñ]os?|secondes?|heures?|jours?|semaines?|mois|ans?)\s*",
    re.IGNORECASE,
)


def is_relative(text: str) -> bool:
    """Whether a time is told from where the reader stands: "3 hours ago"."""
    return len(text) < 60 and bool(_RELATIVE.fullmatch(text))


def digest(*parts: str) -> str:
    """A short name for what these parts say."""
    told = hashlib.sha256()
    for part in parts:
        told.update(len(part).to_bytes(8) + part.encode("utf-8", "surrogatepass"))
    return told.hexdigest()[:32]


def masked(blocks: Sequence[str], known: Collection[str]) -> list[str]:
    """The blocks, with those masked that are known to vary."""
    if not known:
        return list(blocks)
    return [_mask(block) if _name(block) in known else block for block in blocks]


def settled(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], list[str]]:
    """What two answers, one right after the other, have in common; and the names of the blocks that vary."""
    kept: list[str] = []
    varying: list[str] = []
    for operation, start, end, other, until in _differences(first, second):
        if operation == "equal":
            kept += first[start:end]
        elif end - start == until - other:
            for one, again in zip(first[start:end], second[other:until], strict=True):
                if _mask(one) == _mask(again):
                    kept.append(_mask(one))
                    varying.append(_name(one))
                else:
                    kept.append(MASK)
        else:
            kept.append(MASK)
    return kept, varying


def are_alike(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two answers share at least half of their blocks, whatever numbers and tokens stand in them."""
    one, other = (Counter(_mask(block) for block in blocks) for blocks in (first, second))
    return 2 * (one & other).total() >= one.total() + other.total()


def _differences(first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """The parts that two answers share, and those in which they differ, in their order."""
    shortest = min(len(first), len(second))
    head = next((at for at in range(shortest) if first[at] != second[at]), shortest)
    tail = next((at for at in range(shortest - head) if first[-1 - at] != second[-1 - at]), shortest - head)
    until, other = len(first) - tail, len(second) - tail
    if head:
        yield "equal", 0, head, 0, head
    if (until - head) * (other - head) <= _MOST_COMPARED:
        for name, a, b, c, d in SequenceMatcher(
            None, first[head:until], second[head:other], autojunk=False
        ).get_opcodes():
            yield name, head + a, head + b, head + c, head + d
    else:
        yield from _by_place(first, second, head, until, other)
    if tail:
        yield "equal", until, len(first), other, len(second)


def _by_place(
    first: Sequence[str], second: Sequence[str], head: int, until: int, other: int
) -> Iterator[tuple[str, int, int, int, int]]:
    shared = min(until, other)
    for at in range(head, shared):
        yield "equal" if first[at] == second[at] else "replace", at, at + 1, at, at + 1
    if until != other:
        yield "replace", shared, until, shared, other


def _mask(block: str) -> str:
    return _VARYING.sub(MASK, block)


def _name(block: str) -> str:
    return digest(_mask(block))[:16]

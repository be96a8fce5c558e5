"""What changed between two texts, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MANY = 4_000


@dataclass(frozen=True, slots=True)
class Change:
    """A run of text: `same`, `added` or `removed`."""

    what: str
    text: str


def differences(before: str, after: str) -> list[Change]:
    """The runs that lead from `before` to `after`; very long texts are compared line by line."""
    old, new = _parts(before), _parts(after)
    if max(len(old), len(new)) > _MANY:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return list(_changes(old, new))


def _parts(text: str) -> list[str]:
    return _WORDS.findall(text)


def _changes(old: list[str], new: list[str]) -> Iterator[Change]:
    """The runs; a blank that stands between two changes goes with them, so that sentences are read as sentences."""
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    removed = added = ""
    for number, (what, old_from, old_to, new_from, new_to) in enumerate(steps):
        before, after = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        between = 0 < number < len(steps) - 1
        if what != "equal" or (between and before.isspace() and "\n" not in before):
            removed, added = removed + before, added + after
            continue
        yield from _pair(removed, added)
        removed = added = ""
        yield Change("same", before)
    yield from _pair(removed, added)


def _pair(removed: str, added: str) -> Iterator[Change]:
    if removed:
        yield Change("removed", removed)
    if added:
        yield Change("added", added)

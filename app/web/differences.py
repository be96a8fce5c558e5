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
    for what, old_from, old_to, new_from, new_to in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if what == "equal":
            yield Change("same", "".join(old[old_from:old_to]))
            continue
        if old_to > old_from:
            yield Change("removed", "".join(old[old_from:old_to]))
        if new_to > new_from:
            yield Change("added", "".join(new[new_from:new_to]))

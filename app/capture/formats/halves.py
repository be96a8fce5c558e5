r"""Halves of characters: JSON can escape them (`\ud83d` alone), names of files can bear them, and no text can hold them.

The replacement character takes the place of each, and the record says how many
there were; the bytes are kept as they were. In what items are known by, each
half is written out instead, so that two ids stay two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar

import msgspec

from app.capture.formats.source import Line, Source, Unreadable
from app.capture.lines import Stretch
from connectors.contract import Batch, Observation
from connectors.spans import ESCAPE

_COUNTED = "unreadable_characters"
_NAMES = frozenset({"native_id", "in_reply_to", "id", "path"})
_HALF = re.compile("[\ud800-\udfff]")
_write = msgspec.json.Encoder(enc_hook=str).encode
T = TypeVar("T")


def read(source: Source, stretch: Stretch) -> Sequence[Line]:
    """The observations of one stretch, as `Source.read` tells them, with texts that can be kept."""
    return [whole(line) for line in source.read(stretch)]


def page(source: Source) -> tuple[str, str] | None:
    """Platform and name of the page whose download this is, as `Source.page` tells them, in letters that can be kept."""
    own = source.page()
    return own and (replaced(own[0]), replaced(own[1]))


def batch(told: Batch) -> Batch:
    """What a connector told, without halves of characters: an item that bears one is kept, and says how many there were."""
    if _fits((told.observations, told.sightings, told.gaps)):
        return told
    return replace(
        told,
        observations=[_observed(one) for one in told.observations],
        sightings=[_Mended().value(one) for one in told.sightings],
        gaps=[_Mended().value(one) for one in told.gaps],
    )


def _observed(item: Observation) -> Observation:
    if _fits(item):
        return item
    mended = _Mended()
    found = mended.value(item)
    return replace(found, extra={**found.extra, _COUNTED: mended.halves}) if mended.halves else found


def _fits(told: object) -> bool:
    try:
        _write(told)
    except (
        UnicodeEncodeError,
        OverflowError,
    ):  # the latter of a number that JSON's readers hold for too wide
        return False
    return True


def whole(line: Line) -> Line:
    """The line without halves of characters; `Unreadable` where the name of its page holds one."""
    for what, name in (("platform", line.platform), ("page", line.page)):
        if name and _HALF.search(name):
            raise Unreadable(f"{what} holds half of a character")
    if _fits(line.observation):
        return line
    mended = _Mended()
    found = mended.value(line.observation)
    return _counted(replace(line, observation=found), mended.halves)


def counted(lines: Sequence[Line], content: bytes) -> Sequence[Line]:
    """The lines of an item in JSON; each says how many halves of characters its own bytes escape."""
    if not escaped(content) or not content.lstrip().startswith((b"{", b"[")):
        return lines
    return [_counted(one, escaped(content[slice(*one.span)] if one.span else content)) for one in lines]


def escaped(content: bytes) -> int:
    """How many halves of characters JSON escapes in these bytes."""
    if b"\\ud" not in content and b"\\uD" not in content:
        return 0
    return sum(found[1] is not None for found in ESCAPE.finditer(content))


def replaced(text: str) -> str:
    """The text with the replacement character for each half."""
    return _HALF.sub("\ufffd", text)


def _counted(line: Line, number: int) -> Line:
    extra = line.observation.extra
    if not number or _COUNTED in extra:
        return line
    return replace(line, observation=replace(line.observation, extra={**extra, _COUNTED: number}))


@dataclass(slots=True)
class _Mended:
    """Values without halves, and how many there were."""

    halves: int = 0

    def value(self, value: T, name: str = "") -> T:
        made: object = value
        if isinstance(value, str) and type(value) is str:
            made, number = _HALF.subn(_written_out if name in _NAMES else "\ufffd", value)
            self.halves += number
        elif isinstance(value, Mapping):
            made = {self.value(key): self.value(one) for key, one in value.items()}
        elif isinstance(value, (list, tuple)):
            made = type(value)(self.value(one) for one in value)
        elif is_dataclass(value):
            told = {one.name: self.value(getattr(value, one.name), one.name) for one in fields(value)}
            made = replace(value, **told)  # type: ignore[type-var]  # an instance, never a class
        return made  # type: ignore[return-value]  # of the type that it was


def _written_out(half: re.Match[str]) -> str:
    return f"\\u{ord(half[0]):04x}"

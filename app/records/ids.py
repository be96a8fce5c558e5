"""Random ids (RFC 9562, version 7): ordered by the time they were made, so that rows of one night lie together."""

from __future__ import annotations

import os
import time
from uuid import UUID

from app.records.errors import Invalid

_VERSION, _VARIANT = 0x7 << 76, 0x2 << 62
_RANDOM_A, _RANDOM_B = (1 << 12) - 1, (1 << 62) - 1


def new_id() -> UUID:
    """A new id: 48 bits of time, 74 of chance. It tells nothing of what it names."""
    return UUID(int=_value(time.time_ns() // 1_000_000, os.urandom(10)))


def new_ids(count: int) -> list[bytes]:
    """Many new ids at once, as 16 bytes each."""
    now, chance = time.time_ns() // 1_000_000, os.urandom(10 * count)
    return [_value(now, chance[start : start + 10]).to_bytes(16) for start in range(0, 10 * count, 10)]


def _value(milliseconds: int, chance: bytes) -> int:
    bits = int.from_bytes(chance)
    return (
        (milliseconds & (1 << 48) - 1) << 80
        | _VERSION
        | (bits >> 62 & _RANDOM_A) << 64
        | _VARIANT
        | bits & _RANDOM_B
    )


def listed(text: str) -> list[UUID]:
    """The ids of records in a list, one a line or divided by blanks, each once; the mistake is told with its line."""
    found: dict[UUID, None] = {}
    for number, line in enumerate(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines(), 1):
        for one in line.split():
            try:
                found[UUID(one)] = None
            except ValueError as error:
                raise Invalid(
                    f"line {number}: {one[:60]!r} is no record id", next="Write one id a line."
                ) from error
    return list(found)


def of_file(content: bytes) -> list[UUID]:
    """The ids in a file that is such a list."""
    try:
        return listed(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Invalid(
            f"the file cannot be read as ids of records: byte {error.start + 1:,} is no UTF-8",
            next="Write one id a line, in UTF-8.",
        ) from error

"""Sets of records by their internal keys, one bit each: a million records are 125 kilobytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

_PART = 1 << 16
"""Bits that are looked at together when a set is walked."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A set of keys. Bit n of `bits` stands for key n."""

    bits: int = 0

    @classmethod
    def of(cls, keys: Iterable[int]) -> Self:
        """The set of these keys, in whatever order they come, and however often."""
        held = bytearray()
        for key in keys:
            place = key >> 3
            if place >= len(held):
                held.extend(bytes(max(place + 1 - len(held), len(held) >> 1)))
            held[place] |= 1 << (key & 7)
        return cls(int.from_bytes(held, "little"))

    def __and__(self, other: Keys) -> Keys:
        return Keys(self.bits & other.bits)

    def __or__(self, other: Keys) -> Keys:
        return Keys(self.bits | other.bits)

    def __sub__(self, other: Keys) -> Keys:
        return Keys(self.bits & ~other.bits)

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __bool__(self) -> bool:
        return self.bits != 0

    def __contains__(self, key: int) -> bool:
        return key >= 0 and bool(self.bits >> key & 1)

    def __iter__(self) -> Iterator[int]:
        """Every key, the lowest first."""
        held = self.bits.to_bytes((self.bits.bit_length() + 7) // 8, "little")
        for start in range(0, len(held), _PART):
            part = held[start : start + _PART]
            if not any(part):
                continue
            for place, byte in enumerate(part, start):
                if byte:
                    yield from (place * 8 + bit for bit in range(8) if byte >> bit & 1)

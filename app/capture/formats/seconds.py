"""How many items would bear one id if it were made from their time alone, for lists of millions."""

from __future__ import annotations

import hashlib
from array import array
from itertools import groupby

_DIGEST = 8


class Seconds:
    """Counts ids, all of them before the first question; of each, eight bytes are held, and after that only of those that are shared."""

    def __init__(self) -> None:
        self._met: array[int] = array("Q")
        self._shared: dict[int, int] = {}

    def add(self, made: str) -> None:
        """An item's id was met."""
        self._met.append(_short(made))

    def shared(self, made: str) -> bool:
        """Whether more than one item would bear this id."""
        return _short(made) in self.settled()

    def several(self) -> int:
        """How many items share theirs with another."""
        return sum(self.settled().values())

    def settled(self) -> dict[int, int]:
        """The ids that are shared, and how often; to be asked for while nothing large is in memory."""
        if self._met:
            counted = ((one, sum(1 for _ in alike)) for one, alike in groupby(sorted(self._met)))
            for one, times in counted:
                if times > 1:
                    self._shared[one] = times
            self._met = array("Q")
        return self._shared


def _short(made: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(made.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
    )

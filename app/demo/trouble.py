"""What goes wrong in which night, so that the archive has something to be honest about; and what goes wrong until it is mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock


class Kind(StrEnum):
    """The ways in which the simulated platform fails."""

    THROTTLED = "throttled"
    """429 with Retry-After: asked too often."""
    CUT = "cut"
    """The connection ends in the middle of the body."""
    DOWN = "down"
    """503: out of service."""
    SIGN_IN = "sign-in"
    """A sign-in form, with status 200, where data should be."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failure: requests of `site` whose path contains `path`; `times` None lasts all night.

    `night` None is every night: it lasts until it is mended.
    """

    night: int | None
    site: str
    kind: Kind
    path: str = ""
    times: int | None = None

    def meets(self, night: int, site: str, path: str) -> bool:
        return self.night in {None, night} and self.site == site and self.path in path


TROUBLES: Sequence[Trouble] = (
    Trouble(2, "police", Kind.THROTTLED, "/wp/v2/comments", times=2),
    Trouble(4, "police", Kind.CUT, "/wp/v2/comments", times=1),
    Trouble(5, "parks", Kind.DOWN),
    Trouble(6, "council", Kind.SIGN_IN),
)

RETRY_AFTER = 1
"""Seconds that a throttled visitor is told to wait."""


class Troublemaker:
    """Says of each request whether it fails, and counts the failures that are told off by number."""

    def __init__(self, troubles: Sequence[Trouble]) -> None:
        self._troubles = list(troubles)
        self._met: Counter[Trouble] = Counter()
        self._lock = Lock()

    def begin_night(self) -> None:
        """What is told off by number within a night starts afresh."""
        with self._lock:
            self._met = Counter({one: met for one, met in self._met.items() if one.night is None})

    def begin(self, trouble: Trouble) -> None:
        """From now on this goes wrong, before anything else that might."""
        with self._lock:
            self._troubles.insert(0, trouble)
            self._met.pop(trouble, None)

    def mend(self, site: str) -> None:
        """What was begun at this site is over."""
        with self._lock:
            self._troubles = [one for one in self._troubles if one.site != site or one.night is not None]

    def next(self, night: int, site: str, path: str) -> Kind | None:
        with self._lock:
            for trouble in self._troubles:
                if trouble.meets(night, site, path) and (
                    trouble.times is None or self._met[trouble] < trouble.times
                ):
                    self._met[trouble] += 1
                    return trouble.kind
        return None

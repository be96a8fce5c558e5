"""When capture of a page goes wrong, and when it is well again. Pure.

One trouble is told once, however many runs it lasts; a worse one is told
again. A run that was not seen through is a failure; one that was, but knows of
gaps, is partial, and only a pass that looks at as much can end that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.capture import lanes


class Cause(StrEnum):
    """What is wrong, the worse the later."""

    PARTIAL = "partial"
    """The page was read, and something on it could not be got."""
    FAILED = "failed"
    """The page was not read to its end."""
    UNAUTHORISED = "unauthorised"
    """The platform no longer lets us in."""


_WORSE = list(Cause)
_LOOKS_AT = {lanes.WHOLE: 3, lanes.WINDOW: 2, lanes.SWEEP: 1, lanes.LATELY: 1, lanes.SURGE: 0, lanes.TOLD: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that ended, as far as troubles go."""

    run: int
    lane: str
    status: str
    finished: bool
    disconnected: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A trouble that is not over."""

    key: int
    cause: Cause
    lane: str


@dataclass(frozen=True, slots=True)
class Begins:
    """Something is wrong that was not known to be."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Worsens:
    """A known trouble is worse than it was."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Ends:
    """The trouble is over."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """All is as it was."""


Change = Begins | Worsens | Ends | Nothing


def change(known: Trouble | None, run: Ended) -> Change:
    """What a run that ended changes."""
    cause = _cause(run)
    if known is None:
        return Begins(cause) if cause is not None else Nothing()
    if cause is None:
        enough = known.cause is not Cause.PARTIAL or _LOOKS_AT[run.lane] >= _LOOKS_AT[known.lane]
        return Ends() if enough else Nothing()
    if cause is Cause.PARTIAL and known.cause is not Cause.PARTIAL:
        # It is read again; what it still lacks is the lesser trouble, and was perhaps so before.
        return Ends()
    return Worsens(cause) if _WORSE.index(cause) > _WORSE.index(known.cause) else Nothing()


def _cause(run: Ended) -> Cause | None:
    if run.disconnected:
        return Cause.UNAUTHORISED
    if not run.finished:
        return Cause.FAILED
    return Cause.PARTIAL if run.status == "partial" else None


REMINDED = (timedelta(days=14), timedelta(days=7), timedelta(days=2))


def reminder(ends: datetime, now: datetime) -> str | None:
    """Which reminder is due for credentials that end: 14, 7 and 2 days before, then every day; None where none is.

    Each has a name of its own, so that it is sent once.
    """
    left = ends - now
    if left > REMINDED[0]:
        return None
    if left > REMINDED[-1]:
        return f"{next(mark for mark in reversed(REMINDED) if left <= mark).days} days"
    return f"day {-(left // timedelta(days=-1))}"

"""Coverage: when capture was provably working, when it was not, and why. Pure.

A pass covers the time since the pass before it: what was published then and
still stood is held. It covers it only if it was seen through, reached back to
the one before, and came within 26 hours of it; after a longer pause, what was
published and removed meanwhile was seen by nobody. "Covered" always means
within the view that the connector declares; its blind spots stand beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

LONGEST = timedelta(hours=26)
"""A night and a little: a page without a complete pass for longer is not being captured."""


class Cover(StrEnum):
    """How a window of time is covered."""

    COVERED = "covered"
    PARTLY = "partly"
    """A pass was seen through, and knows of something that it did not get."""
    UNCOVERED = "uncovered"
    PENDING = "pending"
    """Since the last complete pass: the next one will tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A run as far as coverage goes: when, what span, whether it was seen through, and what it did not get."""

    began_at: datetime
    ended_at: datetime
    finished: bool
    published_from: datetime | None = None
    lacks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The page was paused by somebody; `until` is None while it still is."""

    since: datetime
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time, how it is covered, and if not wholly, why. `since` is None before everything."""

    since: datetime | None
    until: datetime
    cover: Cover
    why: tuple[str, ...] = ()


def account(
    passes: Sequence[Passed],
    pauses: Sequence[Pause],
    *,
    now: datetime,
    longest: timedelta = LONGEST,
    reached: datetime | None = None,
) -> list[Window]:
    """The unbroken account of a page up to `now`, oldest window first; `passes` in the order in which they began.

    Where only the later part of a page's passes is looked at, `reached` is
    when the last pass before them began that was seen through; the account
    then begins there.
    """
    covering = list(_covering(passes, reached))
    if reached is not None:
        covering.insert(0, Passed(began_at=reached, ended_at=reached, finished=True))
    if not covering:
        why = _between(passes, pauses, None, now) or ("it has never been captured",)
        return [Window(since=None, until=now, cover=Cover.UNCOVERED, why=why)]
    first = covering[0]
    before = "before the first capture: what the page no longer showed then was seen by nobody"
    windows = []
    if reached is None:
        why = (before, *_unique(first.lacks))
        windows.append(Window(since=None, until=first.began_at, cover=Cover.UNCOVERED, why=why))
    for earlier, later in pairwise(covering):
        windows.append(_window(passes, pauses, earlier, later, longest))
    last = covering[-1]
    if now > last.began_at:
        if now - last.began_at <= longest:
            windows.append(
                Window(
                    since=last.began_at,
                    until=now,
                    cover=Cover.PENDING,
                    why=_between(passes, pauses, last.began_at, now),
                )
            )
        else:
            why = _between(passes, pauses, last.began_at, now) or ("no pass was made",)
            windows.append(Window(since=last.began_at, until=now, cover=Cover.UNCOVERED, why=why))
    return windows


def _covering(passes: Sequence[Passed], reached: datetime | None) -> Iterator[Passed]:
    """The passes that were seen through, each reaching back to the one before it."""
    for one in passes:
        if not one.finished:
            continue
        if one.published_from is None or (reached is not None and one.published_from <= reached):
            reached = one.began_at
            yield one


def _window(
    passes: Sequence[Passed], pauses: Sequence[Pause], earlier: Passed, later: Passed, longest: timedelta
) -> Window:
    since, until = earlier.began_at, later.began_at
    if until - since > longest:
        why = _between(passes, pauses, since, until) or ("no pass was made",)
        return Window(since=since, until=until, cover=Cover.UNCOVERED, why=why)
    if later.lacks:
        return Window(since=since, until=until, cover=Cover.PARTLY, why=_unique(later.lacks))
    return Window(since=since, until=until, cover=Cover.COVERED)


def _between(
    passes: Sequence[Passed], pauses: Sequence[Pause], since: datetime | None, until: datetime
) -> tuple[str, ...]:
    """What went wrong in a stretch of time: pauses, and passes that were not seen through."""
    paused = [
        pause.why
        for pause in pauses
        if pause.since < until and (since is None or pause.until is None or pause.until > since)
    ]
    broken = [
        lack
        for one in passes
        if not one.finished and one.began_at < until and (since is None or one.began_at >= since)
        for lack in one.lacks
    ]
    return _unique([*paused, *broken])


def _unique(told: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(told))


def clipped(windows: Sequence[Window], since: datetime, until: datetime) -> list[Window]:
    """The part of an account between two moments; neighbours that say the same are one window."""
    found: list[Window] = []
    for one in windows:
        begin = since if one.since is None else max(one.since, since)
        end = min(one.until, until)
        if begin >= end:
            continue
        part = Window(since=begin, until=end, cover=one.cover, why=one.why)
        if found and (found[-1].cover, found[-1].why, found[-1].until) == (part.cover, part.why, begin):
            part = Window(since=found[-1].since, until=end, cover=part.cover, why=part.why)
            found.pop()
        found.append(part)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A civil day of the agency, and how it is covered."""

    on: date
    cover: Cover
    why: tuple[str, ...] = ()


def days(windows: Sequence[Window], first: date, last: date, zone: ZoneInfo) -> list[Day]:
    """Every day from `first` to `last`: covered, uncovered, or partly; days that lie ahead are pending."""
    found = []
    day = first
    while day <= last:
        begin = datetime.combine(day, time.min, zone)
        end = datetime.combine(day + timedelta(days=1), time.min, zone)
        parts = clipped(windows, begin, end)
        covers = {part.cover for part in parts}
        if not parts:
            cover = Cover.PENDING
        elif covers == {Cover.UNCOVERED}:
            cover = Cover.UNCOVERED
        elif covers & {Cover.UNCOVERED, Cover.PARTLY}:
            cover = Cover.PARTLY
        else:
            cover = Cover.PENDING if Cover.PENDING in covers else Cover.COVERED
        why = _unique([reason for part in parts if part.cover is not Cover.PENDING for reason in part.why])
        found.append(Day(on=day, cover=cover, why=why))
        day += timedelta(days=1)
    return found

"""How often a page is captured, and how much of it at a time. Pure, but for the facts that it is told.

Nightly, what was published lately is read again, and of what is older another
part each night, so that every record is seen again within its days. In
between, every few minutes, what is new. A post on which much happens is
observed more often while it is busy. None of it asks a platform for more than
the page's budget.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from app.capture import lanes
from app.capture.hints import Hint
from app.capture.run import Pass
from app.records.errors import Invalid

OVERLAP = timedelta(hours=1)
"""Platforms' clocks and ours differ, and what is published appears late: passes reach so far into the one before."""
LATEST = timedelta(days=1)
_LONGEST_WAIT = timedelta(hours=4)
SURGE_LEAVES = 500
"""Exchanges of a day's budget that a busy post does not take from the rest of the page."""
MOST_TOLD = 50
"""So many posts and items that a platform told of are looked at in one run."""
_SHARE_OF_LATELY = 2
"""Passes in between may use one half of a day's budget; the night keeps the other."""


class BadPace(Invalid):
    """A page cannot be captured at that pace."""

    code = "bad-pace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a page is captured: minutes, days and exchanges, all whole numbers."""

    every: int = 15
    """Minutes between two looks for what is new; 0: only at night."""
    window: int = 30
    """Days back from tonight that each night reads again."""
    sweep: int = 90
    """Days within which everything older is seen again."""
    budget: int = 5000
    """Exchanges a day that the platform is asked for at most."""
    surge: int = 2
    """Minutes between two looks at a post that is busy; 0: never."""
    busy: int = 20
    """New answers within an hour that make a post busy."""

    def changed(self, told: Mapping[str, object]) -> Pace:
        """This pace with some numbers replaced; raises `BadPace` for what is none."""
        known = {field.name for field in fields(self)}
        for name, value in told.items():
            if name not in known:
                raise BadPace(f"a pace has no {name!r}", next=f"It has {', '.join(sorted(known))}.")
            least = 0 if name in ("every", "surge") else 1
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise BadPace(f"{name} cannot be {value!r}", next=f"Give a whole number of {least} or more.")
        return replace(self, **{name: int(str(value)) for name, value in told.items()})

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @staticmethod
    def read(kept: str, usual: Pace) -> Pace:
        """The pace of a page: what was set for it, and what is usual for the rest."""
        told: dict[str, Any] = json.loads(kept)
        return usual.changed({name: value for name, value in told.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a page when it is decided what to do next."""

    narrows: bool
    """Whether its connector can keep to a span of publication."""
    whole_at: datetime | None = None
    """When a pass over all of it was last seen through."""
    covered_at: datetime | None = None
    """When the last pass began after which nothing newer was left out."""
    tried_at: datetime | None = None
    """When anything was last tried."""
    passed_at: datetime | None = None
    """When a pass was last tried. Posts that are observed by themselves put no pass off; None: as `tried_at`."""
    failures: int = 0
    """How many runs have failed since one that did not, and since the page was last connected."""
    anew: bool = False
    """Whether the page was connected since anything was last tried."""
    spent: int = 0
    """Exchanges of the last 24 hours."""
    usual_cost: int = 1
    """Exchanges that a look for what is new took last."""
    unfinished: bool = False
    """Whether a pass over all of it was begun and not seen through."""


def nightly(pace: Pace, facts: Facts, older: Pass | None, now: datetime) -> list[Pass]:
    """What a night does with a page: all of it, or what is recent and one part of what is `older`."""
    left = max(1, pace.budget - facts.spent)
    if not facts.narrows or facts.whole_at is None or facts.unfinished:
        return [Pass(lane=lanes.WHOLE, most=left)]
    since = now - timedelta(days=pace.window)
    if facts.covered_at is not None:
        since = min(since, facts.covered_at - OVERLAP)
    passes = [Pass(lane=lanes.WINDOW, published_from=since, most=left)]
    return [*passes, replace(older, most=left)] if older is not None else passes


def part(held: int, nights: int, pace: Pace) -> int:
    """How many of the `held` older records one sweep takes, when the last was `nights` ago.

    Two nights are left over in each round: records grow old meanwhile, and
    each part begins with the record at which the last one ended.
    """
    rounds = max(1, pace.sweep - 2)
    return min(held, (-(-held // rounds) + 1) * max(1, nights))


def lately(pace: Pace, facts: Facts, now: datetime) -> Pass | None:
    """A look for what is new, when one is due and the budget allows it."""
    if pace.every == 0 or facts.tried_at is None:
        return None
    wait = timedelta(minutes=pace.every)
    share = pace.budget // _SHARE_OF_LATELY
    if facts.usual_cost * timedelta(days=1) > wait * share:
        wait = timedelta(days=1) * facts.usual_cost / max(1, share)
    early = now - (facts.passed_at or facts.tried_at) < wait
    if (early or _fails(pace, facts, now)) and not facts.anew:
        return None
    left = share - facts.spent
    if left < facts.usual_cost:
        return None
    if not facts.narrows:
        return Pass(lane=lanes.WHOLE, most=pace.budget - facts.spent)
    since = min(now - LATEST, (facts.covered_at or now) - OVERLAP)
    return Pass(lane=lanes.LATELY, published_from=since, most=left)


def told(pace: Pace, facts: Facts, waiting: Sequence[Hint], now: datetime, *, families: bool) -> Pass | None:
    """What a platform told of and nobody has looked at yet; None where nothing is due or the budget is spent.

    What was never tried goes together, posts and items before a pass. What
    failed goes alone, so that it keeps nothing else waiting. What was looked at
    a moment ago rests, however often it is told of. A connector that cannot
    observe single posts makes a pass instead; one that cannot narrow either
    waits for its next pass.
    """
    left = pace.budget - facts.spent - min(SURGE_LEAVES, pace.budget // 2)
    if left <= 0 or (_fails(pace, facts, now) and not facts.anew):
        return None
    rest = timedelta(minutes=max(1, pace.surge))
    ripe = [one for one in waiting if one.taken_at is None or now - one.taken_at >= rest]
    can = [one for one in ripe if facts.narrows or _closely(one, families=families)]
    if not can:
        return None
    first = min(can, key=lambda one: (one.tries, one.told_at, one.key))
    closely = _closely(first, families=families)
    alike = [one for one in can if one.tries == 0 and _closely(one, families=families) == closely]
    took = alike[:MOST_TOLD] if first.tries == 0 else [first]
    keys = tuple(one.key for one in took)
    if not closely:
        since = min(one.since or one.told_at - LATEST for one in took)
        return Pass(lane=lanes.TOLD, published_from=since, hints=keys, most=left)
    return Pass(
        lane=lanes.TOLD,
        families=tuple(one.native_id for one in took if one.native_id and one.kind is None),
        looks=tuple((one.kind, one.native_id) for one in took if one.native_id and one.kind is not None),
        hints=keys,
        most=left,
    )


def _closely(hint: Hint, *, families: bool) -> bool:
    """Whether it is looked at by itself, without a pass."""
    return hint.since is None and (families or hint.kind is not None)


def _fails(pace: Pace, facts: Facts, now: datetime) -> bool:
    """Whether the page failed so lately that it is left alone."""
    return facts.tried_at is not None and now - facts.tried_at < backoff(pace, facts.failures)


def backoff(pace: Pace, failures: int) -> timedelta:
    """How long a page that fails is left alone: twice as long each time, four hours at most."""
    if failures == 0:
        return timedelta(0)
    return min(_LONGEST_WAIT, timedelta(minutes=max(1, pace.every) << min(failures, 16)))


def busy(pace: Pace, answers: Mapping[str, int]) -> list[str]:
    """The posts that are busy, busiest first, by how many answers each got within the hour."""
    if pace.surge == 0:
        return []
    found = [name for name, count in answers.items() if count >= pace.busy]
    return sorted(found, key=lambda name: (-answers[name], name))

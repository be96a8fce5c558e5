"""What a day, or another edition of a schedule, would make of many records. Pure; records stream through.

Nothing is changed by a preview, and nothing may be disposed of by one:
whatever executes looks at facts, schedule and holds again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.retention.classify import Classification, assignment_of, classify
from app.retention.decide import (
    Decision,
    Eligible,
    Held,
    Keep,
    KeepUntil,
    Permanent,
    Review,
    decide,
    eligible,
)
from app.retention.editions import InForce
from app.retention.facts import Assignment, Facts, Today
from app.retention.meeting import Described

NO_SERIES = ""
"""Where records are counted that have no series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Everything that is known of a record for its retention."""

    facts: Facts
    described: Described
    holds: Collection[str] | bool | None
    """The ids of the holds that cover it, or whether one does; None where nobody looked."""
    assigned: Assignment | None = None
    """What an officer decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """How one record is classified, and what is decided of it."""

    classification: Classification
    decision: Decision

    @property
    def series(self) -> str:
        found = assignment_of(self.classification)
        return NO_SERIES if found is None else found.series


def rule(subject: Subject, editions: InForce, today: Today, *, thorough: bool = False) -> Ruling:
    """Classify one record and decide."""
    found = classify(subject.described, editions, subject.assigned, thorough=thorough)
    decision = decide(subject.facts, assignment_of(found), editions, subject.holds, today)
    return Ruling(classification=found, decision=decision)


def kind(decision: Decision) -> str:
    """A decision in one word, for counting: `held`, `keep`, `keep_until`, `destroy`, `transfer`, `review`, `review_due`, `permanent`."""
    match decision:
        case Held():
            return "held"
        case Keep():
            return "keep"
        case KeepUntil():
            return "keep_until"
        case Eligible(then=then):
            return str(then)
        case Review(due=due):
            return "review_due" if due else "review"
        case Permanent():
            return "permanent"


def tally(subjects: Iterable[Subject], editions: InForce, today: Today) -> Mapping[str, Counter[str]]:
    """How many records of each series stand how; those without a series under `NO_SERIES`."""
    counts: dict[str, Counter[str]] = {}
    for subject in subjects:
        ruling = rule(subject, editions, today)
        counts.setdefault(ruling.series, Counter())[kind(ruling.decision)] += 1
    return counts


# -- another edition ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record for which another edition decides otherwise."""

    id: str
    before: Ruling
    after: Ruling

    @property
    def becomes(self) -> bool:
        """Whether it is eligible only under the later edition."""
        return eligible(self.after.decision) and not eligible(self.before.decision)

    @property
    def stops(self) -> bool:
        """Whether it is eligible only under the earlier edition."""
        return eligible(self.before.decision) and not eligible(self.after.decision)


@dataclass(slots=True)
class Effect:
    """What another edition does to the records of one series."""

    becomes: int = 0
    """Eligible now, and not before; counted where they are after."""
    stops: int = 0
    """Eligible before, and no more; counted where they were."""
    remains: int = 0
    """Eligible before and after."""
    arrives: int = 0
    leaves: int = 0
    """Records that other rules put into the series, or into another."""


@dataclass(slots=True)
class Preview:
    """The effect by series, and over all."""

    records: int = 0
    by_series: dict[str, Effect] = field(default_factory=dict)

    def of(self, series: str) -> Effect:
        return self.by_series.setdefault(series, Effect())

    @property
    def becomes(self) -> int:
        return sum(effect.becomes for effect in self.by_series.values())

    @property
    def stops(self) -> int:
        return sum(effect.stops for effect in self.by_series.values())


def preview(subjects: Iterable[Subject], before: InForce, after: InForce, on: Today) -> Preview:
    """What becomes eligible on a day under other editions, and what stops being so."""
    found = Preview()
    for change in _compared(subjects, before, after, on):
        found.records += 1
        was, comes = found.of(change.before.series), found.of(change.after.series)
        comes.becomes += change.becomes
        was.stops += change.stops
        comes.remains += eligible(change.before.decision) and eligible(change.after.decision)
        if change.before.series != change.after.series:
            was.leaves += 1
            comes.arrives += 1
    return found


def changes(subjects: Iterable[Subject], before: InForce, after: InForce, on: Today) -> Iterator[Change]:
    """The records that become eligible or stop being so, one by one."""
    return (one for one in _compared(subjects, before, after, on) if one.becomes or one.stops)


def _compared(subjects: Iterable[Subject], before: InForce, after: InForce, on: Today) -> Iterator[Change]:
    for subject in subjects:
        yield Change(id=subject.facts.id, before=rule(subject, before, on), after=rule(subject, after, on))

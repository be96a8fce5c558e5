"""Says what the schedule requires of one record on one day, and why. Pure, and it fails towards keeping.

A record is eligible only when everything speaks for it: an adopted edition in
force on that day, a verified series with its citation, every event that the
rule needs with its latest possible day, every period run out, no hold, and a
clock that can be believed. Whatever is missing is named, and keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from app.retention import calendar
from app.retention.calendar import JANUARY, YearStart, add, next_day
from app.retention.editions import Edition, InForce
from app.retention.facts import Assignment, Event, Facts, Today
from app.retention.schedule import (
    DECLARED,
    DISPOSED,
    FIRST_SEEN,
    PUBLISHED,
    Clause,
    Clock,
    Cutoff,
    Forever,
    How,
    Schedule,
    Series,
    Standing,
    Then,
    Timed,
    Undefined,
    of_clause,
)


class Why(StrEnum):
    """Why a record is kept though no day is known until which."""

    NOBODY_LOOKED = "holds-unknown"
    CLOCK = "clock-in-doubt"
    NOT_ADOPTED = "not-adopted"
    OTHER_DAY = "edition-of-another-day"
    NO_SERIES = "no-series"
    UNKNOWN_SERIES = "series-not-in-force"
    NOT_VERIFIED = "not-verified"
    NOT_CONFIRMED = "not-confirmed"
    NOT_CURRENT = "not-current"
    NO_CITATION = "no-citation"
    UNDEFINED = "undefined"
    NO_EVENT = "no-event"
    NO_DAY = "event-without-day"
    NOT_SIGNED = "not-signed"
    BEFORE_RECORD = "event-before-record"


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that stands between a record and the end of its keeping: a stable code, and words."""

    code: Why
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """One clause, reckoned for one record. `until` is the last day of keeping; None where none is known."""

    says: str
    started: date | None = None
    """The day of the event that started the clock."""
    cut_off: date | None = None
    """The last day of the year that had to end first."""
    until: date | None = None
    at_most: date | None = None
    """The last day on which the schedule lets it be kept, where it says so."""
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """Several clocks, reckoned; `until` is that of the one that counts."""

    how: How
    parts: tuple[Reckoning, ...]
    until: date | None


Reckoning: TypeAlias = Reckoned | Combined


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a decision rests on."""

    assignment: Assignment | None = None
    edition: Edition | None = None
    series: Series | None = None
    reckoning: Reckoning | None = None
    extended_until: date | None = None
    notices: tuple[str, ...] = ()
    """What people should be told, though it decides nothing."""

    @property
    def citation(self) -> str:
        return self.series.citation if self.series else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Kept, for something is missing; nobody can say until when."""

    missing: tuple[Missing, ...]
    grounds: Grounds = field(default_factory=Grounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepUntil:
    """Kept until the end of `until`."""

    until: date
    then: Then
    grounds: Grounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """Eligible since the morning of `since`, to be destroyed or transferred."""

    since: date
    then: Then
    grounds: Grounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A person reviews it on `on`; `due` when that day has come. It is kept all the same."""

    on: date
    due: bool
    assigns: tuple[str, ...]
    grounds: Grounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Permanent:
    """Kept for ever."""

    grounds: Grounds


Ruled: TypeAlias = Keep | KeepUntil | Eligible | Review | Permanent


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold covers it. `otherwise` is what the schedule alone would say; nobody acts on that."""

    holds: tuple[str, ...]
    otherwise: Ruled


Decision: TypeAlias = Held | Ruled


def decide(
    facts: Facts,
    assignment: Assignment | None,
    editions: InForce,
    holds: Collection[str] | bool | None,
    today: Today,
) -> Decision:
    """Say what the schedule requires of a record on a day.

    A hold outranks every schedule; `holds` are the ids of those that cover
    the record, or whether one does. None means that nobody looked, and keeps.
    """
    ruled = _ruled(facts, assignment, editions, today, looked=holds is not None)
    if holds is None or holds is False or (not isinstance(holds, bool) and not holds):
        return ruled
    return Held(holds=() if holds is True else tuple(sorted(holds)), otherwise=ruled)


def eligible(decision: Decision) -> bool:
    """Whether disposition may propose the record."""
    return isinstance(decision, Eligible)


def _ruled(
    facts: Facts, assignment: Assignment | None, editions: InForce, today: Today, *, looked: bool
) -> Ruled:
    # 1. What must be so for any record.
    missing: list[Missing] = []
    if not looked:
        missing.append(Missing(Why.NOBODY_LOOKED, "nobody has looked whether a hold covers it"))
    if today.doubt:
        missing.append(Missing(Why.CLOCK, f"{today.doubt}: nothing is eligible until that is put right"))
    if not editions.editions:
        missing.append(Missing(Why.NOT_ADOPTED, f"no schedule is adopted and in force on {today.day}"))
    elif editions.on != today.day:
        missing.append(
            Missing(
                Why.OTHER_DAY, f"the editions in force were looked up for {editions.on}, not for {today.day}"
            )
        )
    if assignment is None:
        missing.append(Missing(Why.NO_SERIES, "no series is assigned to it"))
        return Keep(missing=tuple(missing))
    found = editions.series(assignment.series)
    if found is None:
        if editions.editions:
            missing.append(
                Missing(
                    Why.UNKNOWN_SERIES,
                    f"no edition in force on {today.day} has the series {assignment.series}",
                )
            )
        return Keep(missing=tuple(missing), grounds=Grounds(assignment=assignment))

    # 2. What must be so for its series, and 3. what its rule says.
    edition, series = found
    if not edition.binds(today.day):
        missing.append(
            Missing(Why.NOT_ADOPTED, f"edition {edition.schedule.edition} is not in force on {today.day}")
        )
    missing += _wanting(series)
    rule = series.rule
    grounds = Grounds(
        assignment=assignment, edition=edition, series=series, extended_until=facts.extended_until
    )
    match rule:
        case Undefined(why=why):
            missing.append(Missing(Why.UNDEFINED, f"its series has no period: {why}"))
            return Keep(missing=tuple(missing), grounds=grounds)
        case Forever():
            return Permanent(grounds=grounds)
        case Timed():
            return _timed(facts, rule, grounds, missing, edition.schedule, today)


def _wanting(series: Series) -> Iterator[Missing]:
    """What a series lacks before anything under it may end."""
    if not series.verified:
        yield Missing(Why.NOT_VERIFIED, f"the series {series.code} is not verified")
    if series.unconfirmed:
        yield Missing(
            Why.NOT_CONFIRMED, f"of the series {series.code} is not confirmed: {series.unconfirmed}"
        )
    if series.standing is not Standing.CURRENT:
        yield Missing(Why.NOT_CURRENT, f"the series {series.code} is not in force: {series.standing}")
    if not series.citation:
        yield Missing(Why.NO_CITATION, f"the series {series.code} cites no authority")


def _timed(
    facts: Facts, rule: Timed, grounds: Grounds, missing: list[Missing], schedule: Schedule, today: Today
) -> Ruled:
    reckoning, undefined = reckon(facts, rule.clock, schedule, grounds.series.code if grounds.series else "")
    until = reckoning.until
    if until is not None and facts.extended_until is not None:
        until = max(until, facts.extended_until)
    grounds = Grounds(
        assignment=grounds.assignment,
        edition=grounds.edition,
        series=grounds.series,
        reckoning=reckoning,
        extended_until=grounds.extended_until,
        notices=tuple(_notices(reckoning, today)),
    )
    if until is None or undefined:
        missing += dict.fromkeys([*undefined, *_missing(reckoning)])
    if missing or until is None:
        return Keep(missing=tuple(missing), grounds=grounds)
    since = next_day(until)
    match rule.then:
        case Then.REVIEW:
            return Review(on=since, due=until < today.day, assigns=rule.assigns, grounds=grounds)
        case Then.DESTROY | Then.TRANSFER:
            if until < today.day:
                return Eligible(since=since, then=rule.then, grounds=grounds)
            return KeepUntil(until=until, then=rule.then, grounds=grounds)


# -- clocks ------------------------------------------------------------------------------------------------


def reckon(facts: Facts, clock: Clock, schedule: Schedule, series: str) -> tuple[Reckoning, list[Missing]]:
    """A clock for one record, and what in it is undefined whatever happens.

    Of several, the latest counts where all must have run out, and one that
    never does keeps; the earliest counts where any may. What is undefined
    keeps in either case.
    """
    if isinstance(clock, Clause):
        reckoned = _clause(facts, clock, schedule, series)
        return reckoned, [one for one in reckoned.missing if one.code is Why.UNDEFINED]
    parts: list[Reckoning] = []
    undefined: list[Missing] = []
    for part in clock.parts:
        reckoned_part, lacks = reckon(facts, part, schedule, series)
        parts.append(reckoned_part)
        undefined += lacks
    known = [part.until for part in parts if part.until is not None]
    if clock.how is How.ALL:
        until = max(known) if len(known) == len(parts) else None
    else:
        until = min(known, default=None)
    return Combined(how=clock.how, parts=tuple(parts), until=until), undefined


def _clause(facts: Facts, clause: Clause, schedule: Schedule, series: str) -> Reckoned:
    says = of_clause(schedule, clause)
    event = _latest(facts, clause, schedule, series)
    if isinstance(event, Missing):
        return Reckoned(says=says, missing=(event, *_undefined(clause)))
    started = _not_before_the_record(facts, clause, event)
    if started is None:
        words = f"{schedule.happened(clause.after)} on {event}, before the record was first captured, and nobody knows when it was published"
        return Reckoned(says=says, missing=(Missing(Why.BEFORE_RECORD, words), *_undefined(clause)))
    opens: date | None
    if clause.cutoff is Cutoff.ANNIVERSARY and clause.anniversary_of:
        of = _latest(facts, Clause(after=clause.anniversary_of), schedule, series)
        if isinstance(of, Missing):
            return Reckoned(says=says, started=started, missing=(of, *_undefined(clause)))
        opens = calendar.anniversary(of, started)
    else:
        opens = _year_after(clause, started, schedule.fiscal_year_starts)
    ends = [_last_day(opens, started, period) for period in (clause.keep, clause.agency_keep) if period]
    return Reckoned(
        says=says,
        started=started,
        cut_off=None if opens is None else opens - calendar.DAY,
        until=max(ends) if ends and not clause.undefined else None,
        at_most=None if clause.at_most is None else _last_day(opens, started, clause.at_most),
        missing=tuple(_undefined(clause)),
    )


def _undefined(clause: Clause) -> Iterator[Missing]:
    if clause.undefined:
        yield Missing(Why.UNDEFINED, clause.undefined)


def _latest(facts: Facts, clause: Clause, schedule: Schedule, series: str) -> date | Missing:
    """The latest day on which the event of a clause can have happened, or what is missing to know it."""
    about = clause.series or (series if clause.after == DECLARED else "")
    events = facts.of(clause.after, about)
    named = f"disposal of series {clause.series}" if clause.after == DISPOSED else f"event {clause.after}"
    if clause.after == DECLARED:
        unsigned = [event for event in events if not event.signed_by]
        if unsigned and len(unsigned) == len(events):
            return Missing(Why.NOT_SIGNED, "the declaration is not signed")
        events = [event for event in events if event.signed_by]
        named = f"signed declaration for series {series}"
    if not events:
        return Missing(Why.NO_EVENT, f"no {named} is known")
    days = [_by(event) for event in events]
    known = [day for day in days if day is not None]
    if len(known) < len(days):
        return Missing(Why.NO_DAY, f"nobody knows on which day: {schedule.happened(clause.after)}")
    return max(known)


def _by(event: Event) -> date | None:
    """The later end of the interval in which it happened: a clock that it starts, starts there."""
    if event.when is None:
        return None
    return event.when.by if event.when.after is None else max(event.when.by, event.when.after)


def _known(facts: Facts, name: str) -> date | None:
    """The day of an event, or None where it, or the latest of several, is not known."""
    days = [_by(event) for event in facts.of(name)]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def _not_before_the_record(facts: Facts, clause: Clause, event: date) -> date | None:
    """The day on which a clock starts: that of the event, and never before the record was there.

    Whoever enters a day from before the record existed has mistaken it; the
    clock then starts with the record. None where nobody can tell.
    """
    if clause.after in {PUBLISHED, FIRST_SEEN}:
        return event
    seen, published = _known(facts, FIRST_SEEN), _known(facts, PUBLISHED)
    if seen is not None and event >= seen:
        return event
    if published is None:
        return None
    floor = published if seen is None else min(published, seen)
    return max(event, floor)


def _year_after(clause: Clause, started: date, fiscal: YearStart) -> date | None:
    """The first day after the year, or block of years, that must end first; None where none must."""
    if clause.cutoff in {Cutoff.NONE, Cutoff.ANNIVERSARY}:
        return None
    start = fiscal if clause.cutoff is Cutoff.FISCAL_YEAR else JANUARY
    if clause.block is not None:
        return calendar.block_ends(start, started, clause.block.years, clause.block.first)
    return start.following(started)


def _last_day(opens: date | None, started: date, period: calendar.Period) -> date:
    """The last day of keeping. A year counts from its first day, an event from the day after it."""
    if opens is None:
        return add(started, period)
    ends = add(opens, period)
    return ends if ends == calendar.LAST else ends - calendar.DAY


def _missing(reckoning: Reckoning) -> Iterator[Missing]:
    """What is missing in a clock that has no end."""
    if isinstance(reckoning, Reckoned):
        yield from reckoning.missing
        return
    for part in reckoning.parts:
        if part.until is None:
            yield from _missing(part)


def _notices(reckoning: Reckoning, today: Today) -> Iterator[str]:
    if isinstance(reckoning, Combined):
        for part in reckoning.parts:
            yield from _notices(part, today)
    elif reckoning.at_most is not None:
        over = "that day has passed" if reckoning.at_most < today.day else "that day has not passed"
        yield (
            f"the schedule lets it be kept until {reckoning.at_most} at most; {over}, and nothing is disposed of by that alone"
        )

"""The nouns of a retention schedule: series, rules and what starts their clocks. Pure.

A rule is one of three things. *Undefined* says why there is no period: it
never disposes. *Forever* keeps. *Timed* has a clock: one clause, or several of
which the earliest or the latest counts. Whoever asks `match`es on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal, TypeAlias

from app.index.language import Query
from app.records.nouns import Role
from app.retention.calendar import JANUARY, Period, YearStart

DECLARED, DISPOSED = "declared", "disposed"
PUBLISHED, FIRST_SEEN = "published", "first_seen"
DUPLICATED = "duplicated"

EVENTS: Mapping[str, str] = {
    PUBLISHED: "it was published",
    FIRST_SEEN: "it was first captured",
    "edited": "it was last edited",
    "removed": "the page stopped showing it",
    "superseded": "it was superseded or became obsolete",
    "answered": "the agency last answered it",
    "read": "it was read",
    "last_action": "the last action on it was taken",
    "completed": "the action that it asked for was completed",
    "final_entry": "the last entry was made in it",
    DECLARED: "an officer declared in writing that it is no longer needed",
    "matter_closed": "the matter was closed",
    "request_closed": "the request was fulfilled or closed",
    "officer_separated": "the officer left the agency",
    "audit_closed": "the audit was closed",
    DUPLICATED: "an officer found that it is kept elsewhere as the record",
}
"""The events that every schedule may name; a schedule may bring others of its own."""


class Cutoff(StrEnum):
    """When the clock starts: with the event, or when the year in which it falls is over."""

    NONE = "none"
    CALENDAR_YEAR = "calendar_year"
    FISCAL_YEAR = "fiscal_year"
    ANNIVERSARY = "anniversary"
    """Years counted from a day of the record's own: the event's, or that of another event."""


class Then(StrEnum):
    """What follows when the clock has run out."""

    DESTROY = "destroy"
    TRANSFER = "transfer"
    REVIEW = "review"
    PERMANENT = "permanent"


Ends: TypeAlias = Literal[Then.DESTROY, Then.TRANSFER, Then.REVIEW]
"""What can follow a clock; what is permanent has none."""


class How(StrEnum):
    """Which of several clocks counts."""

    ALL = "all_of"
    """The latest: every one must have run out."""
    ANY = "any_of"
    """The earliest: the first that runs out."""


class Standing(StrEnum):
    """Whether the text from which a series was read is in force."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    PROPOSED = "proposed"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Years that leave together: a record waits until the last year of its block is over."""

    years: int
    first: int
    """A year with which one block begins; the others follow from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clock: `keep` after `after`, or until records of another series were disposed of.

    Without `keep` nothing says how long at least, and the clause never runs
    out. `at_most` is told to people and ends nothing by itself.
    """

    after: str
    keep: Period | None = None
    cutoff: Cutoff = Cutoff.NONE
    anniversary_of: str = ""
    block: Block | None = None
    agency_keep: Period | None = None
    """The agency's own period; the longer of the two counts."""
    agency_must_set: bool = False
    """The schedule obliges the agency to set its own period: until it has, the clause never runs out."""
    at_most: Period | None = None
    declares: str = ""
    """What an officer declares, and signs, for the event `declared`."""
    series: str = ""
    """The other series, for the event `disposed`."""

    @property
    def undefined(self) -> str:
        """Why this clause can never run out, whatever happens; empty where it can."""
        if self.agency_must_set and self.agency_keep is None:
            return "the schedule leaves the period to the agency, and the agency has set none"
        if self.keep is None and self.agency_keep is None:
            return "the schedule says how long it may be kept at most, and not how long at least"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """Several clocks, of which the latest or the earliest counts."""

    how: How
    parts: tuple[Clock, ...]


Clock: TypeAlias = Clause | Several


@dataclass(frozen=True, slots=True, kw_only=True)
class Undefined:
    """No period is known; the record is kept."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forever:
    """The record is permanent. A clock that is written all the same ends nothing."""

    instruction: str = ""
    clock: Clock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """The record is kept until its clock has run out; then `then`."""

    clock: Clock
    then: Ends
    instruction: str = ""
    """How the schedule wants it done: appraisal, sampling, weeding."""
    assigns: tuple[str, ...] = ()
    """The series of which a review assigns one."""


Rule: TypeAlias = Undefined | Forever | Timed


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A class of records and what the schedule requires of it."""

    code: str
    title: str
    rule: Rule
    scope: str = ""
    citation: str = ""
    source: str = ""
    """Where its words were read."""
    verified: bool = False
    """Whether title and period were read there, by a person who says so."""
    unconfirmed: str = ""
    """What of the rule was inferred or can be read in two ways; nothing is disposed of while something is."""
    standing: Standing = Standing.CURRENT
    ours: bool = False
    """The authority gives no number: the code is ours."""
    note: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifying:
    """A rule that puts records into a series. What it asks must all be so; the greater priority is looked at first."""

    series: str
    priority: int
    when: Query | None = None
    answered: bool | None = None
    incoming: bool | None = None
    """True: what the public sent; False: what the agency published."""
    duplicate: bool | None = None
    """Whether an officer found that the same is kept elsewhere as the record."""
    note: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One edition of an authority's schedule, as it is written."""

    jurisdiction: str
    authority: str
    title: str
    edition: str
    effective: date | None
    """When the edition takes effect; None: its own copy does not say, and adoption decides."""
    fiscal_year_starts: YearStart = JANUARY
    waiting_days: int = 30
    approvals: tuple[Role, ...] = (Role.RECORDS_OFFICER, Role.APPROVER)
    authorisation: str = ""
    """The instrument that must be at hand before anything is disposed of."""
    placeholder: str = ""
    """Why this is no schedule yet: everything under it is kept."""
    note: str = ""
    events: Mapping[str, str] = field(default_factory=dict)
    """Events of this schedule's own, each with what happened."""
    series: tuple[Series, ...] = ()
    classify: tuple[Classifying, ...] = ()
    file: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """What all its editions have in common."""
        return f"{self.jurisdiction} / {self.authority} / {self.title}"

    def one(self, code: str) -> Series | None:
        """The series of that code, if there is one."""
        return next((series for series in self.series if series.code == code), None)

    def happened(self, event: str) -> str:
        """An event as a clause of a sentence: `it was published`."""
        return self.events.get(event) or EVENTS.get(event, event)


def clauses(clock: Clock) -> Iterator[Clause]:
    """Every clause of a clock."""
    if isinstance(clock, Clause):
        yield clock
    else:
        for part in clock.parts:
            yield from clauses(part)


def sentence(schedule: Schedule, rule: Rule) -> str:
    """What a rule requires, in words."""
    match rule:
        case Undefined():
            return f"kept, for no period is known: {rule.why}"
        case Forever():
            return "permanent" + (f" ({rule.instruction})" if rule.instruction else "")
        case Timed():
            end = {
                Then.DESTROY: "then destroyed",
                Then.TRANSFER: "then transferred to the archives",
                Then.REVIEW: "then reviewed",
            }[rule.then]
            extra = [rule.instruction] if rule.instruction else []
            extra += [f"into one of {', '.join(rule.assigns)}"] if rule.assigns else []
            return f"{_said(schedule, rule.clock)}, {end}" + (f" ({'; '.join(extra)})" if extra else "")


def _said(schedule: Schedule, clock: Clock) -> str:
    if isinstance(clock, Several):
        word = "the latest of" if clock.how is How.ALL else "the earliest of"
        return f"{word}: " + "; ".join(
            f"[{_said(schedule, part)}]" if isinstance(part, Several) else _said(schedule, part)
            for part in clock.parts
        )
    return of_clause(schedule, clock)


def of_clause(schedule: Schedule, clause: Clause) -> str:
    """One clause in words: `3 years after the end of the calendar year in which it was published`."""
    ends = {
        Cutoff.NONE: "",
        Cutoff.CALENDAR_YEAR: "the end of the calendar year in which ",
        Cutoff.FISCAL_YEAR: "the end of the fiscal year in which ",
        Cutoff.ANNIVERSARY: (
            f"the anniversary of the day on which {schedule.happened(clause.anniversary_of)} that follows the day on which "
            if clause.anniversary_of
            else ""
        ),
    }[clause.cutoff]
    if clause.block is not None:
        ends = f"the end of the block of {clause.block.years} years in which "
    happened = (
        f"the records of series {clause.series} were disposed of"
        if clause.after == DISPOSED
        else f"an officer declared in writing: {clause.declares}"
        if clause.declares
        else schedule.happened(clause.after)
    )
    said = []
    if clause.keep is not None:
        said.append(_counted(clause.keep, f"{ends}{happened}"))
    if clause.agency_keep is not None:
        said.append(f"by the agency's own rule {_counted(clause.agency_keep, f'{ends}{happened}')}")
    if clause.undefined:
        said.append(f"without end, for {clause.undefined}")
    if clause.at_most is not None:
        said.append(f"no longer than {clause.at_most.words()} after {ends}{happened}")
    return ", ".join(said)


def _counted(period: Period, since: str) -> str:
    return f"until {since}" if period == Period() else f"{period.words()} after {since}"

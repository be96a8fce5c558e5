"""The nouns of a public-records law: deadlines, extensions, tolling, appeals, fees, exemptions. Pure.

A law is data: what it asks of the agency stands in a file, each rule with its
citation, the place where its words were read, and whether a person read them
there. Laws change; a file has an edition for each time in which its rules held,
and the edition in force on the day of receipt is the request's own for good.
What the law leaves open is open here too: where there is no statutory clock,
nothing is ever late in law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from app.records.errors import Invalid, NotFound

STANDARD = "standard"
"""The track of a request of which nothing special was said."""

EVENTS: Mapping[str, str] = {
    "received": "the request was received",
    "postmarked": "the request was postmarked",
    "routed": "the request reached the office that answers it",
    "complete": "the request was complete",
    "acknowledged": "its receipt was acknowledged",
    "clarification_asked": "the requester was asked what is meant",
    "clarification_answered": "the requester answered",
    "fee_notice": "the requester was told of a fee",
    "fee_arranged": "payment was arranged",
    "paused": "the clock was stopped",
    "resumed": "the clock went on",
    "extended": "the time was extended",
    "promised": "a day was promised",
    "instalment": "an instalment was produced",
    "ruling_asked": "a ruling was asked for",
    "determined": "the requester was told what is granted and what is denied",
    "no_records": "the requester was told that there are no such records",
    "denied": "the request was denied",
    "produced": "the records were produced",
    "appealed": "an appeal was received",
    "appeal_decided": "the appeal was decided",
    "reopened": "the request was opened again",
    "closed": "the request was closed",
}
"""What can happen to a request, as a clause of a sentence."""


def to_come(event: str) -> str:
    """The same of what is waited for: `payment is arranged`."""
    said = (
        EVENTS[event]
        .replace(" was ", " is ")
        .replace(" went on", " goes on")
        .replace(" reached ", " reaches ")
    )
    return said.replace(" answered", " answers")


ANSWERS = ("determined", "no_records", "denied", "produced", "closed")
"""What ends the wait for an answer."""

NOTICE: Mapping[str, str] = {
    "reasons": "the reasons",
    "circumstance": "the circumstance that the law lists",
    "expected_on": "the day by which the answer is expected",
    "not_for_delay": "that the extension is not invoked for purposes of delay",
}
"""What the notice of an extension may have to say."""

DENIAL: Mapping[str, str] = {
    "reasons": "the reasons",
    "exemption": "the exemption, by its citation",
    "explanation": "how the exemption applies, in brief",
    "official": "the name and title of whoever decides",
    "delegation": "by what delegation they decide",
    "appeal": "how and by when it can be appealed",
    "court": "that a court can be asked at once",
    "rules": "a copy of the rules on appeals",
    "signature": "date and signature",
}
"""What a denial may have to say."""

LOG: Mapping[str, str] = {
    "number": "Number",
    "received": "Received",
    "requester": "Requester",
    "words": "Request in its own words",
    "acknowledged": "Receipt acknowledged",
    "clarification_asked": "More information asked for",
    "withheld": "Withheld, and why",
    "disposition": "Final disposition",
    "disposed_on": "Final disposition on",
}
"""What a request log may have to show, with its heading."""

WORK: Mapping[str, str] = {
    "search": "searching",
    "copying": "copying",
    "review": "reading for exemptions",
    "redaction": "redacting",
    "privilege_review": "reading for privilege",
    "other": "anything else",
}
"""What time is spent on."""


class NoSuchExemption(NotFound):
    """The law of a request has no exemption of that code."""

    code = "no-such-exemption"


class NoEditionInForce(Invalid):
    """No edition of a law that is known was in force on the day of receipt."""

    code = "no-edition-in-force"


class Count(StrEnum):
    """What is counted."""

    WORKING = "working"
    CALENDAR = "calendar"
    HOURS = "hours"


class AfterHours(StrEnum):
    """On which day something counts as received that came after hours, or on a day without work."""

    SAME_DAY = "same_day"
    NEXT_WORKING_DAY = "next_working_day"


class DayOne(StrEnum):
    """Whether the day of the event is the first of those that are counted."""

    EXCLUDED = "excluded"
    INCLUDED = "included"


class Charges(StrEnum):
    """What is charged once the free hours are used up."""

    BEYOND = "beyond"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A rule with its authority."""

    citation: str
    source: str = ""
    """Where its words were read."""
    verified: bool = False
    """Whether they were read there, by a person who says so."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A start that does not wait for its event for ever: `within` days after another at the latest."""

    after: str
    within: int
    count: Count = Count.CALENDAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline(Cited):
    """Something that is due `within` so many days, or hours, after an event.

    `after` names events; the first of them that happened starts the clock.
    """

    code: str
    what: str
    after: tuple[str, ...]
    within: int
    count: Count = Count.WORKING
    day_one: DayOne = DayOne.EXCLUDED
    rolls: bool = False
    """Whether a last day without work is followed to the next working day."""
    at_latest: Latest | None = None
    met_by: tuple[str, ...] = ANSWERS
    tracks: tuple[str, ...] = ()
    """For requests of these tracks alone; none named: for all."""
    missed: str = ""
    """What the law makes of it where the day passes."""

    def concerns(self, track: str) -> bool:
        return not self.tracks or track in self.tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty(Cited):
    """Something that the law asks without counting days: promptly, within a reasonable time."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Cited):
    """By how much a deadline may be extended, how often, and what its notice must say."""

    code: str
    title: str
    deadlines: tuple[str, ...]
    most: int
    count: Count = Count.WORKING
    times: int = 1
    notice: tuple[str, ...] = ()
    circumstances: Mapping[str, str] = field(default_factory=dict)
    """The circumstances that the law lists, by a word for each; none: it lists none, or they were not read."""
    tracks: tuple[str, ...] = ()

    def concerns(self, track: str) -> bool:
        return not self.tracks or track in self.tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolling(Cited):
    """What stops a clock: from one event until another, `times` at the most."""

    code: str
    title: str
    starts: str
    ends: str
    deadlines: tuple[str, ...] = ()
    """The deadlines that stand still; none named: all."""
    times: int | None = None

    def stops(self, deadline: str) -> bool:
        return not self.deadlines or deadline in self.deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal(Cited):
    """To whom a requester can turn, and within how long; None: the law that was read does not say."""

    to: str
    after: str = "denied"
    within: int | None = None
    count: Count = Count.CALENDAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping(Cited):
    """How long what was asked for is kept at the least, whatever the schedule says."""

    after: str
    within: int
    count: Count = Count.CALENDAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees(Cited):
    """What may be charged for time: so many hours are free for each request, or each requester and month."""

    free_hours: int = 0
    per: str = "request"
    chargeable: tuple[str, ...] = ("search", "copying")
    never: tuple[str, ...] = ()
    """Work that is charged to nobody."""
    charges: Charges = Charges.BEYOND
    basis: str = ""
    prepay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed(Cited):
    """When a request counts as received that came by mail without proof of receipt."""

    within: int
    count: Count = Count.WORKING


@dataclass(frozen=True, slots=True, kw_only=True)
class Litigant(Cited):
    """The question whether the requester is a party to litigation, and that such a request goes by the rules of court."""

    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs(Cited):
    """What a paper must say, by the words of `DENIAL`, `LOG` and the like."""

    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalments(Cited):
    """That records may be produced in parts; each has the day that was promised for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopening(Cited):
    """That a closed request is opened again where the requester comes back within so many days."""

    within: int
    count: Count = Count.CALENDAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The rules of a law as they held from one day on."""

    label: str
    since: date | None = None
    until: date | None = None
    """The first day on which they held no more."""
    no_clock: str = ""
    """Why there is no statutory clock."""
    after_hours: AfterHours = AfterHours.SAME_DAY
    tracks: Mapping[str, str] = field(default_factory=dict)
    deadlines: tuple[Deadline, ...] = ()
    duties: tuple[Duty, ...] = ()
    extensions: tuple[Extension, ...] = ()
    tolling: tuple[Tolling, ...] = ()
    appeals: tuple[Appeal, ...] = ()
    keep: Keeping | None = None
    fees: Fees | None = None
    mailed: Mailed | None = None
    litigant: Litigant | None = None
    denial: Needs | None = None
    log: Needs | None = None
    instalments: Instalments | None = None
    reopening: Reopening | None = None
    note: str = ""
    line: int = field(default=0, compare=False)

    def holds_on(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)

    def known_tracks(self) -> Mapping[str, str]:
        return {STANDARD: "a request of no special kind", **self.tracks}

    def deadline(self, code: str) -> Deadline | None:
        return next((one for one in self.deadlines if one.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption(Cited):
    """A ground on which the law lets the agency withhold, with what is printed on a box and in a log."""

    code: str
    title: str
    """What stands on the box."""
    explanation: str
    """What it says, in brief."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays(Cited):
    """Which days of the state's list of holidays are working days all the same, unless the agency says that it is closed."""

    optional: tuple[str, ...] = ()
    """By the names that the list gives them."""
    moved: bool = True
    """Whether the day on which a holiday of a weekend is observed counts as one."""
    fridays: bool = True
    """Whether that holds of the Friday before a Saturday, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A public-records law, as its file writes it."""

    name: str
    title: str
    authority: str
    aliases: tuple[str, ...] = ()
    country: str = ""
    subdivision: str = ""
    """Whose holidays count: `US`, and `AK` within it."""
    holidays: Holidays | None = None
    editions: tuple[Edition, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    note: str = ""
    file: str = field(default="", compare=False)

    def on(self, day: date) -> Edition:
        """The edition in force on a day, or `NoEditionInForce`."""
        for one in self.editions:
            if one.holds_on(day):
                return one
        raise NoEditionInForce(
            f"no edition of {self.title} is known that was in force on {day}",
            next="Add one to the law's file in the folder of the agency's own laws.",
        )

    def edition(self, label: str) -> Edition:
        """The edition of that label, which a request was received under."""
        return next(one for one in self.editions if one.label == label)

    def exemption(self, code: str) -> Exemption:
        """The exemption of that code, or `NoSuchExemption`."""
        wanted = code.strip().casefold()
        for one in self.exemptions:
            if wanted in (one.code.casefold(), one.citation.casefold()):
                return one
        listed: Sequence[str] = [one.code for one in self.exemptions]
        raise NoSuchExemption(
            f"{self.title} has no exemption {code.strip()[:60]!r} here",
            next=f"Known are {', '.join(listed)}."
            if listed
            else "Its file lists none: add them to a file of the agency's own.",
        )

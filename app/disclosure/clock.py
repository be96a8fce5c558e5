"""What is due on a request, by when and why: a law's edition, what happened, and the days on which the agency works. Pure.

Several deadlines run at once, each from its own event. Days on which a clock
stood still are not counted; an extension counts on from the day that it found,
and only as often as the law allows. Where something could be read in two ways
the nearer day stands, for whoever answers early is never late: a rule of tolling or
extension that nobody verified therefore moves no day of the law's. What the law
leaves without days gets none: it is told as a duty, and never as late.

What happened is taken in the order in which it was written down. A machine
whose clock went backwards therefore shortens nothing: an end that lies before
its beginning stops no day, and a day that was counted is never taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.disclosure.law import (
    ANSWERS,
    EVENTS,
    NOTICE,
    STANDARD,
    AfterHours,
    Count,
    DayOne,
    Deadline,
    Edition,
    Extension,
    Tolling,
    to_come,
)
from app.records.errors import Invalid, Refused
from app.retention.calendar import DAY, LAST, civil
from app.retention.working_days import WorkingDays

TARGET = "target"
"""The code of what the agency set itself, where the law sets nothing."""
INSTALMENT = "instalment"
_VERIFY = "Have an attorney read it; then write the law with verified: true into the folder of the agency's own laws."
SOON = 3
"""A deadline is near when so many days are left, or fewer."""


class NoExtension(Refused):
    """The law allows no extension, or none any more."""

    code = "no-extension"


class NoticeIncomplete(Invalid):
    """The notice of an extension does not say what the law wants it to say."""

    code = "notice-incomplete"


class NoTolling(Refused):
    """The law stops its clock on no such ground, or not again."""

    code = "no-tolling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that happened to a request. `code` is of a deadline, an extension or a ground, `number` of an instalment."""

    event: str
    at: datetime
    code: str = ""
    rule: str = ""
    """The code of the extension or tolling by which it was done."""
    days: int = 0
    on: date | None = None
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When the agency closes for the day, and when it works."""

    calendar: WorkingDays
    zone: ZoneInfo
    closes: time = time(17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that is due. `on` is None while its clock has not started, or stands still: `waits_for` says for what."""

    code: str
    what: str
    on: date | None
    citation: str
    stands_on: tuple[str, ...] = ()
    """How the day came about, in sentences."""
    statutory: bool = True
    verified: bool = True
    at: datetime | None = None
    """The moment, where hours are counted."""
    met_on: date | None = None
    waits_for: str = ""
    missed: str = ""

    def standing(self, today: date) -> str:
        """How it stands on a day: `met`, `met late`, `waiting`, `on track`, `near`, `overdue`; a target passes and is never overdue."""
        if self.met_on is not None:
            return "met late" if self.on is not None and self.met_on > self.on else "met"
        if self.on is None:
            return "waiting"
        if today > self.on:
            return "overdue" if self.statutory else "target passed"
        return "near" if (self.on - today).days <= SOON else "on track"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Days that are not counted: those after `since`, up to and with `until`; None: it stands still yet."""

    since: date
    until: date | None
    title: str
    waits_for: str = ""

    def holds(self, day: date) -> bool:
        return day > self.since and (self.until is None or day <= self.until)


# -- the deadlines -----------------------------------------------------------------------------------------


def reckon(
    edition: Edition,
    happened: Sequence[Happened],
    hours: Hours,
    *,
    track: str = STANDARD,
    target: date | None = None,
) -> list[Due]:
    """Everything that is due on a request under `edition`, what is due first at the beginning; what waits at the end."""
    told = [_due(edition, one, happened, hours) for one in edition.deadlines if one.concerns(track)]
    found = [one for one in told if one is not None]
    found += _instalments(edition, happened, hours.zone)
    aim = target or next((one.on for one in happened if one.event == "extended" and one.code == TARGET), None)
    if aim is not None:
        found.append(_target(edition, happened, hours, aim))
    return sorted(found, key=lambda one: (one.met_on is not None, one.on or LAST, one.code))


def _due(edition: Edition, rule: Deadline, happened: Sequence[Happened], hours: Hours) -> Due | None:
    place, day, said = start(edition, rule, happened, hours)
    due = Due(
        code=rule.code, what=rule.what, on=None, citation=rule.citation, verified=rule.verified, missed=rule.missed
    )  # fmt: skip
    if place is None or day is None:
        if rule.after[0] not in ("received", "complete", "acknowledged", "routed"):
            return None  # nothing was appealed, or denied: nothing of it is due
        return replace(due, waits_for=to_come(rule.after[0]))
    met = _met(rule, happened, place, hours.zone)
    if rule.count is Count.HOURS:
        at = happened[place].at + timedelta(hours=rule.within)
        return replace(
            due, on=civil(at, hours.zone), at=at, met_on=met, stands_on=(*said, f"{rule.within} hours")
        )
    stopped = stops(edition, rule.code, happened, hours.zone)
    reached = advance(_first(rule, day), rule.within, rule.count, hours.calendar, stopped)
    reached, rolled = _rolled(rule, reached, hours)
    said = (*said, _counted(rule.within, rule.count, rule.day_one), *rolled)
    said += tuple(_told(one) for one in stopped)
    for one in _extensions(rule, happened):
        if reached is None:
            break
        by = next((known for known in edition.extensions if known.code == one.rule), None)
        count = by.count if by is not None else rule.count
        reached, rolled = _rolled(rule, advance(reached, one.days, count, hours.calendar, stopped), hours)
        said += (
            f"extended by {_days(one.days, count)} on {_day(one, hours.zone)}"
            + (f" ({by.citation})" if by else ""),
            *rolled,
        )
    if reached is None:
        waits = next((one.waits_for for one in stopped if one.until is None), "")
        return replace(due, met_on=met, waits_for=waits, stands_on=said)
    return replace(due, on=reached, met_on=met, stands_on=said)


def _rolled(rule: Deadline, reached: date | None, hours: Hours) -> tuple[date | None, tuple[str, ...]]:
    """The next working day where the law has it so and the day that was reached is none; and that said."""
    if reached is None or not rule.rolls or hours.calendar.works(reached):
        return reached, ()
    return hours.calendar.this_or_next(reached), ("the next working day, since the last day was none",)


def start(
    edition: Edition, rule: Deadline, happened: Sequence[Happened], hours: Hours
) -> tuple[int | None, date | None, tuple[str, ...]]:
    """The place of the event that starts a deadline, its day, and that said in a sentence."""
    for event in rule.after:
        place = _place(happened, event)
        if place is None:
            continue
        day = day_of(edition, happened[place], happened, hours)
        said = f"{EVENTS[event]} on {day}"
        if rule.at_latest is not None and event != rule.at_latest.after:
            other = _place(happened, rule.at_latest.after)
            if other is not None:
                begun = day_of(edition, happened[other], happened, hours)
                limit = advance(begun, rule.at_latest.within, rule.at_latest.count, hours.calendar, ())
                if limit is not None and limit < day:
                    return place, limit, (f"{said}; the clock started on {limit} at the latest",)
        return place, day, (said,)
    return None, None, ()


def day_of(edition: Edition, one: Happened, happened: Sequence[Happened], hours: Hours) -> date:
    """The day on which something counts as having happened.

    What was received after hours, or on a day without work, counts as the
    law's edition says. A request that came by mail without proof of receipt
    counts as received so many days after its postmark, whenever it was opened.
    """
    day = civil(one.at, hours.zone)
    if one.event not in ("received", "complete"):
        return day
    if edition.after_hours is AfterHours.NEXT_WORKING_DAY:
        if not hours.calendar.works(day):
            day = hours.calendar.this_or_next(day)
        elif one.at.astimezone(hours.zone).time() >= hours.closes:
            day = hours.calendar.after(day, 1)
    mailed = next((other for other in happened if other.event == "postmarked"), None)
    if one.event == "received" and mailed is not None and edition.mailed is not None:
        posted = advance(
            civil(mailed.at, hours.zone), edition.mailed.within, edition.mailed.count, hours.calendar, ()
        )
        day = posted or day
    return day


def advance(
    day: date, within: int, count: Count, calendar: WorkingDays, stopped: Sequence[Stopped]
) -> date | None:
    """The day that is the `within`th counted after `day`; None where a clock that stands still never lets it come."""
    left = within
    while left > 0:
        if day == LAST:
            return LAST
        day += DAY
        if any(one.until is None and one.holds(day) for one in stopped):
            return None
        if any(one.holds(day) for one in stopped):
            continue
        if count is Count.WORKING and not calendar.works(day):
            continue
        left -= 1
    return day


def stops(edition: Edition, deadline: str, happened: Sequence[Happened], zone: ZoneInfo) -> list[Stopped]:
    """The days on which a deadline stood still; a rule that nobody verified stops no day of the law's."""
    found: list[Stopped] = []
    for rule in edition.tolling:
        if rule.stops(deadline) and (rule.verified or deadline == TARGET):
            found += _pairs(rule, happened, zone)
    return found


def _pairs(rule: Tolling, happened: Sequence[Happened], zone: ZoneInfo) -> list[Stopped]:
    """From each start to its end, as often as the law allows.

    An end that was named beforehand holds, unless the clock really went on
    sooner; an end that lies before its start is a clock that went backwards,
    and ends nothing sooner.
    """
    found: list[Stopped] = []
    since: date | None = None
    named: date | None = None
    for one in happened:
        mine = one.event not in ("paused", "resumed") or one.rule == rule.code
        day = civil(one.at, zone)
        if mine and one.event == rule.starts and (since is None or named is not None):
            if since is not None:
                found.append(Stopped(since, named, rule.title))
            since, named = day, one.on
        elif since is not None and mine and (one.event == rule.ends or one.event in ANSWERS):
            until = day if named is None else min(named, day) if day >= since else named
            found.append(Stopped(since, until, rule.title))
            since, named = None, None
    if since is not None:
        found.append(Stopped(since, named, rule.title, "" if named else to_come(rule.ends)))
    return found[: rule.times]


def _place(happened: Sequence[Happened], event: str) -> int | None:
    """Where the event is that starts a clock: of what happens once the first, of appeals and answers the newest."""
    places = [place for place, one in enumerate(happened) if one.event == event]
    if not places:
        return None
    return (
        places[0] if event in ("received", "complete", "acknowledged", "routed", "postmarked") else places[-1]
    )


def _first(rule: Deadline, day: date) -> date:
    return day - DAY if rule.day_one is DayOne.INCLUDED and rule.within else day


def _met(rule: Deadline, happened: Sequence[Happened], place: int, zone: ZoneInfo) -> date | None:
    days = [civil(one.at, zone) for one in happened[place + 1 :] if one.event in rule.met_by]
    opened = [number for number, one in enumerate(happened) if one.event == "reopened"]
    if opened and rule.met_by == ANSWERS:
        days = [
            civil(one.at, zone) for one in happened[max(place, opened[-1]) + 1 :] if one.event in rule.met_by
        ] or days
    return min(days, default=None)


def _extensions(rule: Deadline, happened: Iterable[Happened]) -> list[Happened]:
    return [one for one in happened if one.event == "extended" and one.code == rule.code and one.days > 0]


def _instalments(edition: Edition, happened: Sequence[Happened], zone: ZoneInfo) -> list[Due]:
    """What was promised for a day: of each instalment the newest promise, met when that instalment was produced."""
    promised = {one.number: one for one in happened if one.event == "promised" and one.on is not None}
    done = [one for one in happened if one.event in ("instalment", *ANSWERS)]
    rule, found = edition.instalments, []
    for number, one in sorted(promised.items()):
        met = [
            civil(other.at, zone)
            for other in done
            if (other.event == "instalment" and other.number >= number)
            or other.event in ("produced", "closed", "denied", "no_records")
        ]
        found.append(
            Due(
                code=f"{INSTALMENT}-{number}",
                what=f"Instalment {number}, as it was promised",
                on=one.on,
                citation=rule.citation if rule else "the agency's own promise",
                stands_on=(f"promised on {civil(one.at, zone)}",),
                statutory=rule is not None,
                verified=rule.verified if rule else True,
                met_on=min(met, default=None),
            )
        )
    return found


def _target(edition: Edition, happened: Sequence[Happened], hours: Hours, target: date) -> Due:
    """The agency's own target: moved when another was agreed, and by the days on which everything stood still."""
    newest, stated = target, civil(happened[0].at, hours.zone) if happened else target
    for one in happened:
        if one.event == "extended" and one.code == TARGET and one.on is not None:
            newest, stated = one.on, civil(one.at, hours.zone)
    stopped = [one for one in stops(edition, TARGET, happened, hours.zone) if one.since >= stated]
    reached, counted = newest, date.min
    for still in sorted(stopped, key=lambda still: still.since):
        since = max(still.since, counted)
        if still.until is not None and still.until > since and since <= reached:
            reached += min(still.until - since, LAST - reached)
            counted = still.until
    standing = next((still for still in stopped if still.until is None and still.since <= reached), None)
    met = [civil(one.at, hours.zone) for one in happened if one.event in ANSWERS]
    return Due(
        code=TARGET,
        what="The agency's own target; the law sets no day",
        on=None if standing else reached,
        citation=f"no statutory clock: {edition.no_clock}" if edition.no_clock else "the agency's own target",
        stands_on=(f"set to {newest}", *(_told(one) for one in stopped)),
        statutory=False,
        met_on=min(met, default=None),
        waits_for=standing.waits_for if standing else "",
    )


def _day(one: Happened, zone: ZoneInfo) -> date:
    return civil(one.at, zone)


def _days(number: int, count: Count) -> str:
    word = "working day" if count is Count.WORKING else "calendar day" if count is Count.CALENDAR else "hour"
    return f"{number} {word}{'' if number == 1 else 's'}"


def _counted(number: int, count: Count, first: DayOne) -> str:
    how = "that day not counted" if first is DayOne.EXCLUDED else "that day counted"
    return f"{_days(number, count)}, {how}" if number else "at once"


def _told(one: Stopped) -> str:
    return (
        f"stood still from {one.since} until {one.until}: {one.title}"
        if one.until
        else f"stands still since {one.since}: {one.title}"
    )


# -- extending ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """An extension that the law allows: which rule, which deadline, by how many days, and the day before and after."""

    rule: Extension
    deadline: str
    days: int
    before: date
    on: date
    notice: Mapping[str, str] = field(default_factory=dict)


def extend(
    edition: Edition,
    happened: Sequence[Happened],
    hours: Hours,
    *,
    today: date,
    notice: Mapping[str, str],
    track: str = STANDARD,
    target: date | None = None,
    deadline: str = "",
    rule: str = "",
    until: date | None = None,
) -> Extended:
    """The extension that is asked for, or why there is none.

    Refused where the law knows none, where it was used up, and where the day
    that it would extend is past: an extension is invoked within its period.
    `until` lies within what the law allows; left out it is the most of it.
    """
    if not edition.deadlines:
        return _extend_target(edition, happened, hours, today, target, until, notice)
    allowed = [
        one for one in edition.extensions
        if one.concerns(track) and (not rule or one.code == rule) and (not deadline or deadline in one.deadlines)
    ]  # fmt: skip
    if not allowed:
        known = ", ".join(f"{one.code} ({one.title})" for one in edition.extensions)
        raise NoExtension(
            "the law of this request has no such extension",
            next=f"It has {known}."
            if known
            else "Answer in time, or agree on another day with the requester in writing.",
        )
    unread = [one for one in allowed if not one.verified]
    allowed = [one for one in allowed if one.verified]
    if not allowed:
        raise NoExtension(
            f"the extension {unread[0].code} was not verified against the text of the law ({unread[0].citation})",
            next=_VERIFY,
        )
    dues = {one.code: one for one in reckon(edition, happened, hours, track=track)}
    open_ = [
        (one, dues[code]) for one in allowed for code in one.deadlines
        if code in dues and dues[code].met_on is None and (not deadline or code == deadline)
    ]  # fmt: skip
    if not open_:
        raise NoExtension(
            "what it would extend is met already, or has not begun", next="Look at what is due."
        )
    fresh = [(one, due) for one, due in open_ if _used(happened, one) < one.times]
    if not fresh:
        one = open_[0][0]
        times = "once" if one.times == 1 else f"{one.times} times"
        raise NoExtension(
            f"it was extended already, and the law allows that {times} ({one.citation})",
            next="Answer with what there is, or in instalments.",
        )
    chosen, due = fresh[0]
    if due.on is None:
        raise NoExtension(f"its clock stands still, until {due.waits_for}", next="Extend it when it goes on.")
    if today > due.on:
        raise NoExtension(
            f"the day to extend was {due.on}, and an extension is invoked before it has passed ({chosen.citation})",
            next="Answer at once.",
        )
    days = (
        chosen.most if until is None else _days_to(due.on, until, chosen, hours, edition, happened, due.code)
    )
    on = advance(due.on, days, chosen.count, hours.calendar, stops(edition, due.code, happened, hours.zone))
    of = edition.deadline(due.code)
    on = _rolled(of, on, hours)[0] if of is not None else on
    assert on is not None, "a clock that runs reaches its day"
    told = {**notice, "expected_on": notice.get("expected_on") or on.isoformat()}
    _must_say(chosen, told)
    return Extended(rule=chosen, deadline=due.code, days=days, before=due.on, on=on, notice=told)


def _extend_target(
    edition: Edition,
    happened: Sequence[Happened],
    hours: Hours,
    today: date,
    target: date | None,
    until: date | None,
    notice: Mapping[str, str],
) -> Extended:
    """Another target of the agency's own, or its first, where the law sets no day."""
    rule = edition.extensions[0] if edition.extensions else None
    if rule is None or until is None:
        raise NoExtension("there is no statutory clock to extend", next="Set a target: --until DATE.")
    if until < today:
        raise NoExtension(f"{until} is past", next="Set a target that is still to come.")
    stands = next(
        (one for one in reckon(edition, happened, hours, target=target) if one.code == TARGET), None
    )
    before = stands.on if stands is not None and stands.on is not None else until
    return Extended(rule=rule, deadline=TARGET, days=0, before=before, on=until, notice=dict(notice))


def _used(happened: Sequence[Happened], rule: Extension) -> int:
    """How often a rule was used, for whichever of its deadlines: one that names two is one for both together."""
    return sum(one.event == "extended" and one.rule == rule.code for one in happened)


def _days_to(
    before: date,
    until: date,
    rule: Extension,
    hours: Hours,
    edition: Edition,
    happened: Sequence[Happened],
    deadline: str,
) -> int:
    """How many counted days lead to `until`; more than the law allows is refused."""
    if until <= before:
        raise NoExtension(f"{until} is not later than {before}", next="Give a later day, or none.")
    stopped = stops(edition, deadline, happened, hours.zone)
    furthest = advance(before, rule.most, rule.count, hours.calendar, stopped)
    if furthest is None or until > furthest:
        raise NoExtension(
            f"the law allows {_days(rule.most, rule.count)}, until {furthest} ({rule.citation})",
            next=f"Give a day until {furthest}.",
        )
    days, reached = 0, before
    while reached < until:
        days += 1
        found = advance(before, days, rule.count, hours.calendar, stopped)
        assert found is not None, "the furthest day is reached"
        reached = found
    return days


def _must_say(rule: Extension, notice: Mapping[str, str]) -> None:
    missing = [NOTICE[key] for key in rule.notice if not notice.get(key, "").strip()]
    if missing:
        raise NoticeIncomplete(
            f"its notice must say {', '.join(missing)} ({rule.citation})",
            next=_how(rule),
        )
    named = notice.get("circumstance", "").strip()
    if rule.circumstances and named not in rule.circumstances:
        raise NoticeIncomplete(
            f"{named[:60]!r} is none of the circumstances for which the law extends ({rule.citation})",
            next=_how(rule),
        )


def _how(rule: Extension) -> str:
    listed = "; ".join(f"{word}: {says}" for word, says in rule.circumstances.items())
    return f"Name one: {listed}." if listed else "Say it with --reasons, --circumstance and --not-for-delay."


# -- stopping ----------------------------------------------------------------------------------------------


def toll(edition: Edition, happened: Sequence[Happened], ground: str = "", *, starts: str = "") -> Tolling:
    """The rule by which a clock is stopped, or why it is not: no such ground, used up, or it stands still already."""
    known = [
        one for one in edition.tolling
        if (not starts or one.starts == starts) and (not ground or one.code == ground)
    ]  # fmt: skip
    if not known:
        named = ", ".join(f"{one.code} ({one.title})" for one in edition.tolling)
        raise NoTolling(
            f"the law of this request stops no clock {f'on the ground {ground[:40]!r}' if ground else 'for that'}",
            next=f"It knows {named}." if named else "Its clock runs on, whatever is asked or agreed.",
        )
    if len(known) > 1:
        raise NoTolling(
            "the law stops its clock on several grounds",
            next=f"Name one with --ground: {', '.join(one.code for one in known)}.",
        )
    rule = known[0]
    if edition.deadlines and not rule.verified:
        raise NoTolling(
            f"the ground {rule.code} was not verified against the text of the law ({rule.citation})",
            next=_VERIFY,
        )
    begun = [one for one in happened if _is(one, rule.starts, rule)]
    if rule.times is not None and len(begun) >= rule.times:
        times = "once" if rule.times == 1 else f"{rule.times} times"
        raise NoTolling(f"the law stops its clock for that {times} ({rule.citation})", next="It runs on.")
    if _stands(rule, happened):
        raise NoTolling("it stands still for that already", next=f"It goes on when {to_come(rule.ends)}.")
    return rule


def _is(one: Happened, event: str, rule: Tolling) -> bool:
    return one.event == event and (event not in ("paused", "resumed") or one.rule == rule.code)


def _stands(rule: Tolling, happened: Iterable[Happened]) -> bool:
    """Whether it stands still without an end that was named: nothing let it go on since, and no answer ended it."""
    stands = False
    for one in happened:
        if _is(one, rule.starts, rule):
            stands = stands or one.on is None
        elif _is(one, rule.ends, rule) or one.event in ANSWERS:
            stands = False
    return stands


def would_stop(edition: Edition, happened: Sequence[Happened], starts: str) -> Tolling | None:
    """The rule by which an event would stop a clock; None where it stops none, or none any more."""
    for one in edition.tolling:
        used = sum(_is(other, starts, one) for other in happened)
        if one.starts == starts and one.verified and (one.times is None or used < one.times):
            return one
    return None


def standing_still(
    edition: Edition, happened: Sequence[Happened], zone: ZoneInfo, today: date
) -> list[Tolling]:
    """The grounds on which a clock stands still on a day."""
    count = [one for one in edition.tolling if one.verified or not edition.deadlines]
    return [
        rule for rule in count
        if any(one.since <= today and (one.until is None or today < one.until) for one in _pairs(rule, happened, zone))
    ]  # fmt: skip

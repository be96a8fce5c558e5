"""What the archive knows of records for their retention: read from rows in streams, never one record at a time.

What no capture shows and nobody recorded is not known, and starts no clock.
Where rows leave a choice, the later day is taken: a record is removed on the
day on which it was first seen to be gone, edited on the last day on which it
may have been.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select

from app.db import Tx, from_instant
from app.retention.calendar import Between, civil
from app.retention.facts import Event, Facts
from app.retention.schedule import DISPOSED, FIRST_SEEN, PUBLISHED, Schedule, Timed, clauses
from app.store import quarantine
from app.store.disposals import DESTROYED, VERIFIED
from app.store.tables import (
    assigned,
    classified,
    disposal_records,
    disposals,
    followed,
    pages,
    records,
    retention_events,
    to_classify,
    tombstones,
    versions,
)

KEPT_UNTIL = "kept-until"
"""An officer's order to keep a record beyond its schedule; no event of a schedule can be called so."""
REVIEWED, REVIEW_ON = "reviewed", "review-on"
"""That a person looked, and the day on which one is to look again; neither starts a clock."""
REMOVED, EDITED, SUPERSEDED, ANSWERED, LAST_ACTION = (
    "removed",
    "edited",
    "superseded",
    "answered",
    "last_action",
)
OF_VERSIONS = frozenset({REMOVED, EDITED, SUPERSEDED, LAST_ACTION})
"""Events that are read from the versions of a record."""
CAPTURED = "captured"
"""The follower that classifies what is captured."""
SHOWN, NOT_SHOWN = frozenset({"present"}), frozenset({"hidden", "absent", "gone"})
ACTIONS = frozenset({EDITED, ANSWERED, "read", "completed", "final_entry", LAST_ACTION})
_ASK = 500
_MANY = 10_000
_QUARTER = 15 * 60 * 1_000_000
_QUARTERS = 96
_MODERN = 20 * 365 * 24 * 60 * 60 * 1_000_000
"""From 1990 on every zone's offset is a whole number of quarters of an hour."""


class Row(NamedTuple):
    """A living record as its rows have it."""

    key: int
    id: bytes
    kind: str
    state: str
    version: int
    published_at: int | None
    first_seen: int
    page: int
    ruled: str | None
    """The series into which the rules put it."""
    given: str | None
    """The series that an officer gave it, which outranks the rules."""
    incoming: bool | None
    """Whether the public sent it; None where nobody can tell."""
    authored: bool | None
    """Whether every version names an author; None where the classification has not looked yet."""
    spoken: bool | None
    """Whether every version names its language."""

    @property
    def series(self) -> str | None:
        return self.ruled if self.given is None else self.given


@dataclass(slots=True)
class Beside:
    """What stands in other rows about some records."""

    events: dict[int, list[Event]] = field(default_factory=dict)
    until: dict[int, date] = field(default_factory=dict)
    versions: dict[int, list[Any]] = field(default_factory=dict)


@cache
def days(zone: ZoneInfo) -> Callable[[int], date]:
    """The civil day of an instant in `zone`. Where in a UTC day the next one begins there is looked for once."""

    def of_quarter(quarter: int) -> date:
        return civil(from_instant(quarter * _QUARTER), zone)

    @cache
    def begins(number: int) -> tuple[int, date, date] | None:
        """The first quarter of a UTC day with the later civil day, and both; None where there are more than two."""
        first = number * _QUARTERS
        before, after = of_quarter(first), of_quarter(first + _QUARTERS - 1)
        place = bisect_right(range(_QUARTERS), before, key=lambda quarter: of_quarter(first + quarter))
        if place < _QUARTERS and of_quarter(first + place) != after:
            return None
        return first + place, before, after

    def day(at: int) -> date:
        quarter = at // _QUARTER
        found = begins(quarter // _QUARTERS) if at >= _MODERN else None
        if found is None:
            return civil(from_instant(at), zone)
        return found[2] if quarter >= found[0] else found[1]

    return day


# -- records -----------------------------------------------------------------------------------------------


def living() -> Select[Any]:
    """Every record that was not disposed of, in the order of keys, with its series."""
    return (
        select(
            records.c.key,
            records.c.id,
            records.c.kind,
            records.c.state,
            records.c.version,
            records.c.published_at,
            records.c.first_seen,
            records.c.page,
            classified.c.series,
            assigned.c.series,
            classified.c.incoming,
            classified.c.authored,
            classified.c.spoken,
        )
        .outerjoin(classified, classified.c.record == records.c.key)
        .outerjoin(assigned, (assigned.c.record == records.c.key) & assigned.c.ended_entry.is_(None))
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None))
        .order_by(records.c.key)
    )


def shown() -> Select[Any]:
    """The same for whoever counts or lists: what is in quarantine is counted nowhere."""
    return living().where(quarantine.outside(records.c.key))


def of_series(code: str) -> Select[Any]:
    """The living records of one series, in the order of keys."""
    by_officer = select(assigned.c.record).where(assigned.c.series == code, assigned.c.ended_entry.is_(None))
    by_rule = select(classified.c.record).where(classified.c.series == code)
    asked = living().where(records.c.key.in_(by_officer.union(by_rule)))
    return asked.where(func.coalesce(assigned.c.series, classified.c.series) == code)


def rows(tx: Tx, keys: Sequence[int]) -> dict[int, Row]:
    """The living records of these keys."""
    found = {}
    for part in _parts(keys):
        for row in tx.execute(living().where(records.c.key.in_(part))):
            found[row[0]] = Row._make(row)
    return found


def read(tx: Tx, asked: Select[Any], *, after: int, limit: int) -> list[Row]:
    """The first of these records behind the key `after`."""
    return [Row._make(row) for row in tx.execute(asked.where(records.c.key > after).limit(limit))]


def every(tx: Tx, asked: Select[Any]) -> Iterator[Row]:
    """All of these records, in parts."""
    after = 0
    while told := read(tx, asked, after=after, limit=_MANY):
        yield from told
        after = told[-1].key


def codes(tx: Tx) -> set[str]:
    """Every series that a record is in, by a rule or by an officer."""
    ruled = tx.execute(
        select(classified.c.series).where(classified.c.series.is_not(None)).distinct()
    ).scalars()
    given = select(assigned.c.series).where(assigned.c.ended_entry.is_(None)).distinct()
    return {*ruled, *tx.execute(given).scalars()}


def pages_of(tx: Tx) -> dict[int, str]:
    """The ids of all pages."""
    return {
        key: str(UUID(bytes=bytes(identity))) for key, identity in tx.execute(select(pages.c.key, pages.c.id))
    }


# -- what stands beside them -------------------------------------------------------------------------------


def beside(
    tx: Tx, told: Sequence[Row], *, with_versions: Callable[[Row], bool], spans: bool = False
) -> Beside:
    """Recorded events, and the versions of those records for which they are wanted and say something.

    With `spans`, the rows are all that lie between two keys.
    """
    found = Beside()
    if not told:
        return found
    within = (told[0].key, told[-1].key) if spans else None
    for row in _asked(tx, _events(), retention_events.c.record, [row.key for row in told], within):
        if row.name == KEPT_UNTIL:
            until = date.fromisoformat(row.by_on)
            found.until[row.record] = max(until, found.until.get(row.record, until))
        else:
            found.events.setdefault(row.record, []).append(event_of(row))
    changed = [row.key for row in told if (row.version > 1 or row.state not in SHOWN) and with_versions(row)]
    many = within if len(changed) * 4 > len(told) else None
    for row in _asked(tx, _versions(), versions.c.record, changed, many):
        found.versions.setdefault(row.record, []).append(row)
    return found


def event_of(row: Any) -> Event:
    """A recorded event; one without a day happened, and nobody knows when."""
    when = None
    if row.by_on is not None:
        when = Between(by=date.fromisoformat(row.by_on), after=_day(row.after_on))
    return Event(
        name=row.name,
        when=when,
        about=row.about,
        signed_by=UUID(bytes=bytes(row.signed_by)).hex if row.signed_by is not None else "",
    )


def _events() -> Select[Any]:
    return (
        select(
            retention_events.c.record,
            retention_events.c.name,
            retention_events.c.about,
            retention_events.c.after_on,
            retention_events.c.by_on,
            retention_events.c.signed_by,
        )
        .where(retention_events.c.superseded_entry.is_(None))
        .order_by(retention_events.c.record, retention_events.c.key)
    )


def _versions() -> Select[Any]:
    return select(
        versions.c.record,
        versions.c.number,
        versions.c.state,
        versions.c.observed_at,
        versions.c.last_seen_before,
    ).order_by(versions.c.record, versions.c.number)


def _asked(
    tx: Tx, asked: Select[Any], column: Any, keys: Sequence[int], within: tuple[int, int] | None
) -> Iterator[Any]:
    if within is not None:
        yield from tx.execute(asked.where(column >= within[0], column <= within[1]))
        return
    for part in _parts(keys):
        yield from tx.execute(asked.where(column.in_(part)))


# -- facts -------------------------------------------------------------------------------------------------


def facts_of(
    row: Row, stands: Beside, day: Callable[[int], date], page: str, whole: Iterable[Event]
) -> Facts:
    """What is known of one record. `whole` are events that concern every record, such as the end of a series."""
    recorded = stands.events.get(row.key, [])
    told = [Event.on(FIRST_SEEN, day(row.first_seen))]
    if row.published_at is not None:
        told.append(Event.on(PUBLISHED, day(row.published_at)))
    told += recorded
    told += of_versions(stands.versions.get(row.key, ()), day)
    told.append(_last_action(row, told, stands.versions.get(row.key, ()), day))
    return Facts(
        id=str(UUID(bytes=row.id)),
        kind=row.kind,
        page=page,
        events=(*told, *whole),
        extended_until=stands.until.get(row.key),
    )


def of_versions(told: Sequence[Any], day: Callable[[int], date]) -> list[Event]:
    """What the versions of a record say happened to it: that it was removed, edited, superseded."""
    found: list[Event] = []
    removed = _removed(told, day)
    if removed is not None:
        found.append(Event(name=REMOVED, when=removed))
    edited = _edited(told, day)
    if edited is not None:
        found.append(Event.on(EDITED, edited))
        if removed is not None:  # while the newest version is shown, nothing took the place of the record
            found.append(Event.on(SUPERSEDED, max(edited, removed.by)))
    return found


def _removed(told: Sequence[Any], day: Callable[[int], date]) -> Between | None:
    """Between which days the page stopped showing it; None while it shows it, or nobody can tell."""
    if not told or told[-1].state not in NOT_SHOWN:
        return None
    first = None
    for version in reversed(told):
        if version.state in SHOWN:
            break
        if version.state in NOT_SHOWN:
            first = version
    assert first is not None, "the newest version is one of these"
    before = first.last_seen_before
    by = day(first.observed_at)
    return Between(by=by, after=None if before is None else min(day(before), by))


def _edited(told: Sequence[Any], day: Callable[[int], date]) -> date | None:
    """The last day on which it may have been edited, where it certainly was: a version in the state of the one before it."""
    sure = any(after.state == before.state for before, after in pairwise(told))
    if not sure:
        return None
    with_content = [one for one in told[1:] if one.state in ("present", "hidden")] or told[1:]
    return max(day(one.observed_at) for one in with_content)


def _last_action(row: Row, told: Sequence[Event], seen: Sequence[Any], day: Callable[[int], date]) -> Event:
    """The latest of all that is known to have been done with it; where the day of one is not known, none is."""
    ends = [day(row.first_seen if row.published_at is None else row.published_at)]
    ends += [day(version.observed_at) for version in seen[1:]]
    for event in told:
        if event.name in ACTIONS:
            if event.when is None:
                return Event.on(LAST_ACTION, None)
            ends.append(event.when.by)
    return Event.on(LAST_ACTION, max(ends))


# -- the end of a series -----------------------------------------------------------------------------------


def depended_on(told: Iterable[Schedule]) -> set[str]:
    """The series whose disposal others wait for."""
    return {
        clause.series
        for schedule in told
        for series in schedule.series
        if isinstance(series.rule, Timed)
        for clause in clauses(series.rule.clock)
        if clause.series
    }


def ended_series(tx: Tx, codes: Collection[str], day: Callable[[int], date]) -> tuple[Event, ...]:
    """For each series of which every record was disposed of: that it was, and the last day.

    While any record may still belong to it (because it is not classified yet,
    or no rule could be told) it has not.
    """
    if not codes or not _everything_is_classified(tx):
        return ()
    found = []
    for code in sorted(codes):
        asked = (
            select(func.max(tombstones.c.at))
            .join(disposal_records, disposal_records.c.record == tombstones.c.record)
            .join(disposals, disposals.c.key == disposal_records.c.batch)
            .where(disposals.c.series == code, disposal_records.c.state.in_((DESTROYED, VERIFIED)))
        )
        last = tx.execute(asked).scalar()
        if last is not None and tx.execute(of_series(code).limit(1)).first() is None:
            found.append(Event.on(DISPOSED, day(last), about=code))
    return tuple(found)


def _everything_is_classified(tx: Tx) -> bool:
    newest = tx.execute(select(func.max(versions.c.entry))).scalar()
    reached = tx.execute(select(followed.c.reached).where(followed.c.name == CAPTURED)).scalar()
    if newest is not None and (reached is None or reached <= newest):
        return False
    if tx.execute(select(to_classify.c.record).limit(1)).first() is not None:
        return False
    nowhere = living().where(or_(classified.c.record.is_(None), classified.c.series.is_(None)))
    return tx.execute(nowhere.where(assigned.c.series.is_(None)).limit(1)).first() is None


def wanted(events: Mapping[str, frozenset[str]], series: str | None) -> frozenset[str]:
    """The events that the rule of a series asks for."""
    return events.get(series or "", frozenset())


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _parts(keys: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), _ASK):
        yield list(keys[start : start + _ASK])

"""The account of a page: its coverage, what the platform counts against what is held, and what is known to be missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Select, exists, func, select

from app.capture import coverage, lanes
from app.capture.coverage import Day, Passed, Pause, Window
from app.capture.runs import CAPTURE, GAP_DISPOSED, GapFound, gaps_of
from app.db import Tx, from_instant, to_instant
from app.records.errors import Invalid
from app.records.nouns import Page
from app.store import quarantine
from app.store.ledger import DISPOSED_WITH, act_words, keyed
from app.store.store import Store
from app.store.tables import (
    acts,
    entries,
    gaps,
    objects,
    records,
    runs,
    stated,
    suppressed,
    tombstones,
    versions,
)

COVERING = (lanes.WHOLE, lanes.WINDOW, lanes.LATELY)
LATENCY_OVER = timedelta(days=30)
_MOST_TOLD = 200
_LONGEST_SPAN = 3660
_LEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the platform said it has of some kinds, when, and what was held of them then and is now."""

    kinds: str
    stated: int
    held_then: int
    held: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long it took from publication to being sealed: percentiles, over so many records."""

    records: int
    p50: timedelta
    p95: timedelta
    p99: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything that can be said of what was and was not captured of a page in a stretch of time."""

    since: datetime
    until: datetime
    windows: Sequence[Window]
    first_capture: datetime | None
    last_complete: datetime | None
    held: Mapping[str, int]
    counts: Sequence[Count]
    unheld: Sequence[GapFound]
    unheld_total: int
    unheld_parents: int
    latency: Latency | None


def of(store: Store, tx: Tx, page: Page, since: datetime, until: datetime) -> Account:
    """The account of a page between two moments."""
    whole = windows(store, tx, page, since)
    told, total = unheld(store, tx, page)
    return Account(
        since=since,
        until=until,
        windows=coverage.clipped(whole, since, until),
        first_capture=first_capture(tx, page),
        last_complete=last_complete(tx, page),
        held=held(tx, page),
        counts=counts(tx, page),
        unheld=told,
        unheld_total=total,
        unheld_parents=parents(tx, page),
        latency=latency(store, tx, page),
    )


def windows(store: Store, tx: Tx, page: Page, since: datetime | None = None) -> list[Window]:
    """The unbroken account of the page until now: from before its first capture, or from some days before `since`."""
    after = None if since is None else reached(tx, page, since - _LEAD)
    return coverage.account(
        passes(store, tx, page, after), pauses(store, tx, page), now=store.clock.now(), reached=after
    )


def covering_runs(page: Page) -> Select[Any]:
    """The page's passes that ended, of the kinds after which nothing newer was left out if they were seen through."""
    return select(runs).where(
        runs.c.page == page.key,
        runs.c.kind == CAPTURE,
        runs.c.lane.in_(COVERING),
        runs.c.ended_at.is_not(None),
    )


def reached(tx: Tx, page: Page, before: datetime | None = None, *, run: int | None = None) -> datetime | None:
    """When the last pass began that was seen through before a moment, or before a run; None where there was none."""
    asked = covering_runs(page).order_by(runs.c.key.desc())
    if before is not None:
        asked = asked.where(runs.c.began_at < to_instant(before))
    if run is not None:
        asked = asked.where(runs.c.key < run)
    for row in tx.execute(asked).yield_per(50):
        if not json.loads(row.tally).get("unfinished"):
            return from_instant(row.began_at)
    return None


def passes(store: Store, tx: Tx, page: Page, after: datetime | None = None) -> list[Passed]:
    """The page's runs as far as coverage goes, oldest first, with the reasons of their gaps."""
    asked = covering_runs(page)
    if after is not None:
        asked = asked.where(runs.c.began_at > to_instant(after))
    rows = tx.execute(asked.order_by(runs.c.began_at, runs.c.key)).all()
    lacking = _reasons(store, tx, page, rows[0].key if rows else 0)
    return [_passed(row, lacking.get(row.key, [])) for row in rows]


def _passed(row: Any, lacks: Sequence[str]) -> Passed:
    return Passed(
        began_at=from_instant(row.began_at),
        ended_at=from_instant(row.ended_at),
        finished=not json.loads(row.tally).get("unfinished"),
        published_from=from_instant(row.published_from) if row.published_from is not None else None,
        lacks=lacks,
    )


def _reasons(store: Store, tx: Tx, page: Page, first: int) -> dict[int, list[str]]:
    """What each run from `first` on did not get, in a sentence each, by run."""
    asked = (
        select(gaps.c.run, acts.c.secret, acts.c.sealed)
        .join(acts, acts.c.entry == gaps.c.entry)
        .where(gaps.c.page == page.key, gaps.c.run >= first)
        .order_by(gaps.c.key)
    )
    rows = tx.execute(asked).all()
    found: dict[int, list[str]] = {}
    for row, words in zip(rows, act_words(store.keyring, tx, rows), strict=True):
        detail = words["detail"]
        what, why = detail.get("what", GAP_DISPOSED), detail.get("why", DISPOSED_WITH)
        found.setdefault(row.run, []).append(f"{what}: {why}")
    return found


def pauses(store: Store, tx: Tx, page: Page) -> list[Pause]:
    """When the page was paused, and why, as the ledger tells it."""
    asked = (
        select(acts.c.at, acts.c.secret, acts.c.sealed, entries.c.body)
        .join(entries, entries.c.index == acts.c.entry)
        .where(acts.c.subject == page.id.bytes, acts.c.type == "page")
        .order_by(acts.c.entry)
    )
    rows = tx.execute(asked).all()
    found: list[Pause] = []
    for row, told in zip(rows, act_words(store.keyring, tx, rows), strict=True):
        what, at = msgspec.json.decode(bytes(row.body)).get("act"), from_instant(row.at)
        if what in ("paused", "removed"):
            if found and found[-1].until is None:
                found[-1] = Pause(since=found[-1].since, until=at, why=found[-1].why)
            found.append(Pause(since=at, until=None, why=f"{what}: {told.get('why', '')}"))
        elif what == "resumed" and found and found[-1].until is None:
            found[-1] = Pause(since=found[-1].since, until=at, why=found[-1].why)
    return found


def first_capture(tx: Tx, page: Page) -> datetime | None:
    """When the first run of the page began that kept anything."""
    first = select(func.min(runs.c.began_at)).where(
        runs.c.page == page.key, runs.c.kind == CAPTURE, runs.c.status.in_(("complete", "partial"))
    )
    at = tx.execute(first).scalar()
    return from_instant(at) if at is not None else None


def last_complete(tx: Tx, page: Page) -> datetime | None:
    """When the last pass ended that was seen through: the page was reached, and showed all that it shows."""
    asked = covering_runs(page).order_by(runs.c.key.desc())
    for row in tx.execute(asked).yield_per(50):
        if not json.loads(row.tally).get("unfinished"):
            return from_instant(row.ended_at)
    return None


def held(tx: Tx, page: Page) -> dict[str, int]:
    """How many records of each kind are held of the page."""
    asked = (
        select(records.c.kind, func.count().label("held"))
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(records.c.page == page.key, tombstones.c.record.is_(None), quarantine.outside(records.c.key))
        .group_by(records.c.kind)
    )
    return {row.kind: row.held for row in tx.execute(asked)}


def counts(tx: Tx, page: Page) -> list[Count]:
    """What the platform last said it has, by kinds, against what is held."""
    newest = (
        select(stated.c.kinds, func.max(stated.c.run).label("run"))
        .join(runs, runs.c.key == stated.c.run)
        .where(runs.c.page == page.key)
        .group_by(stated.c.kinds)
        .subquery()
    )
    asked = (
        select(stated.c.kinds, stated.c.total, stated.c.held, runs.c.ended_at, runs.c.began_at)
        .join(newest, (newest.c.kinds == stated.c.kinds) & (newest.c.run == stated.c.run))
        .join(runs, runs.c.key == stated.c.run)
        .order_by(stated.c.kinds)
    )
    shown = (
        select(func.count())
        .select_from(records)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(
            records.c.page == page.key,
            records.c.state.in_(("present", "hidden")),
            tombstones.c.record.is_(None),
            quarantine.outside(records.c.key),
        )
    )
    return [
        Count(
            kinds=row.kinds,
            stated=row.total,
            held_then=row.held,
            held=tx.execute(shown.where(records.c.kind.in_(row.kinds.split("+")))).scalar_one(),
            at=from_instant(row.ended_at or row.began_at),
        )
        for row in tx.execute(asked)
    ]


def unheld(store: Store, tx: Tx, page: Page) -> tuple[list[GapFound], int]:
    """Records that are known to exist and are not held: those that a gap names, newest first, and how many."""
    found: dict[str, GapFound] = {}
    known = (
        select(gaps.c.native_mac)
        .join(records, records.c.native_mac == gaps.c.native_mac)
        .where(gaps.c.page == page.key)
        .union(
            select(gaps.c.native_mac)  # what was held and disposed of is accounted for as well
            .join(suppressed, suppressed.c.mac == gaps.c.native_mac)
            .where(gaps.c.page == page.key)
        )
    )
    wanted = (
        select(func.count(gaps.c.native_mac.distinct()))
        .where(gaps.c.page == page.key, gaps.c.native_mac.is_not(None))
        .where(gaps.c.native_mac.not_in(known))
    )
    total = tx.execute(wanted).scalar_one()
    if total:
        macs = {bytes(mac) for mac in tx.execute(known).scalars()}
        for gap in gaps_of(store, tx, page=page.key, limit=10 * _MOST_TOLD):
            if (
                gap.native_id is not None
                and keyed(store.lookup, page.id.bytes, gap.native_id.encode()) not in macs
            ):
                found.setdefault(gap.native_id, gap)
    return list(found.values())[:_MOST_TOLD], total


def parents(tx: Tx, page: Page) -> int:
    """How many items are answered by something that we hold, and are not held themselves."""
    above = records.alias("above")
    asked = select(func.count(records.c.parent_mac.distinct())).where(
        records.c.page == page.key,
        records.c.parent_mac.is_not(None),
        ~exists().where(above.c.native_mac == records.c.parent_mac),
        ~exists().where(suppressed.c.mac == records.c.parent_mac),
    )
    return int(tx.execute(asked).scalar_one())


def latency(store: Store, tx: Tx, page: Page) -> Latency | None:
    """From publication to being sealed, for what was published lately and after the page was first read whole."""
    since = store.clock.now() - LATENCY_OVER
    first = tx.execute(
        select(func.min(runs.c.ended_at)).where(
            runs.c.page == page.key, runs.c.kind == CAPTURE, runs.c.status.in_(("complete", "partial"))
        )
    ).scalar()
    if first is None:
        return None
    asked = (
        select(objects.c.kept_at, records.c.published_at)
        .join(versions, (versions.c.record == records.c.key) & (versions.c.number == 1))
        .join(objects, objects.c.key == versions.c.object)
        .where(
            records.c.page == page.key,
            records.c.received.is_(False),
            records.c.published_at >= max(to_instant(since), first),
            records.c.published_at <= objects.c.kept_at,
        )
    )
    waits = sorted(kept - published for kept, published in tx.execute(asked))
    if not waits:
        return None

    def rank(share: float) -> timedelta:
        return timedelta(microseconds=waits[min(len(waits) - 1, int(len(waits) * share))])

    return Latency(records=len(waits), p50=rank(0.50), p95=rank(0.95), p99=rank(0.99))


def as_json(page: Page, told: Account, blind_spots: Sequence[str], zone: ZoneInfo) -> dict[str, object]:
    """The account as the command line and the API give it."""
    return {
        "page": str(page.id),
        "name": page.name,
        "from": told.since.isoformat(),
        "to": told.until.isoformat(),
        "first_capture": _iso(told.first_capture),
        "last_complete": _iso(told.last_complete),
        "covered": [_window(one) for one in told.windows if one.cover is coverage.Cover.COVERED],
        "partly": [_window(one) for one in told.windows if one.cover is coverage.Cover.PARTLY],
        "uncovered": [_window(one) for one in told.windows if one.cover is coverage.Cover.UNCOVERED],
        "pending": [_window(one) for one in told.windows if one.cover is coverage.Cover.PENDING],
        "days": [
            {"on": day.on.isoformat(), "cover": str(day.cover), "why": list(day.why)}
            for day in calendar(told, zone)
        ],
        "counts": {
            "held": dict(told.held),
            "platform": [
                {
                    "kinds": one.kinds.split("+"),
                    "stated": one.stated,
                    "held_then": one.held_then,
                    "held": one.held,
                    "at": one.at.isoformat(),
                }
                for one in told.counts
            ],
        },
        "not_held": {
            "named": told.unheld_total,
            "answered_only": told.unheld_parents,
            "records": [
                {"native_id": gap.native_id, "what": gap.what, "why": gap.why} for gap in told.unheld
            ],
        },
        "blind_spots": list(blind_spots),
        "latency": None
        if told.latency is None
        else {
            "records": told.latency.records,
            "seconds": {name: getattr(told.latency, name).total_seconds() for name in ("p50", "p95", "p99")},
        },
        "means": MEANS,
    }


MEANS = (
    "Covered is what lies between two passes that were seen through, within what the connector can see; "
    "its blind spots and the time before the first capture are not covered."
)


def calendar(told: Account, zone: ZoneInfo) -> list[Day]:
    """Each civil day of the stretch of time, and how it is covered."""
    last = (told.until - timedelta(microseconds=1)).astimezone(zone).date()
    return coverage.days(told.windows, told.since.astimezone(zone).date(), last, zone)


def _window(one: Window) -> dict[str, object]:
    return {"since": _iso(one.since), "until": one.until.isoformat(), "why": list(one.why)}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def span(store: Store, page: Page, first: date | None, last: date | None) -> tuple[datetime, datetime]:
    """From the beginning of one civil day to the end of another; raises `Invalid` where they are the wrong way round.

    Without them: from the day on which the page was added, 30 days back at the most, until now.
    """
    zone, now = store.agency.zone(), store.clock.now()
    today = now.astimezone(zone).date()
    begin = first or max(page.added_at.astimezone(zone).date(), today - timedelta(days=30))
    end = last or today
    if begin > end:
        raise Invalid(f"{begin} is after {end}", next="Give the earlier day as --from, the later as --to.")
    if (end - begin).days > _LONGEST_SPAN:
        raise Invalid(f"{begin} to {end} are more than ten years", next="Ask for them a part at a time.")
    until = min(datetime.combine(end + timedelta(days=1), time.min, zone).astimezone(UTC), now)
    since = datetime.combine(begin, time.min, zone).astimezone(UTC)
    if since >= now:
        raise Invalid(f"{begin} has not come yet", next="Ask for a day that has begun.")
    return since, until

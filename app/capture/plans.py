"""What is to be done with each page next: the facts out of the database, the decision from `pacing`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.capture import account, hints, lanes, pacing, pages
from app.capture.pacing import Facts, Pace
from app.capture.run import Pass
from app.capture.runs import CAPTURE
from app.db import Tx, from_instant, to_instant
from app.records.nouns import Page
from app.store.reading import VERSION_COLUMNS, Frames, fields, version_row
from app.store.store import Store
from app.store.tables import connections, objects, records, runs, tombstones, versions
from app.store.tables import pages as page_table

_LOOKED_AT = 400
"""So many runs back it is looked for the last good one."""
_SINGLY = (lanes.SURGE, lanes.TOLD)
"""Runs that are no pass over the page: posts and items by themselves, or what a platform told of."""
_DEPTH = 100
"""No thread is deeper, so that a circle of answers ends."""


def pace(tx: Tx, page: Page, usual: Pace) -> Pace:
    """How the page is captured."""
    kept = tx.execute(select(page_table.c.pace).where(page_table.c.key == page.key)).scalar_one()
    return Pace.read(kept, usual)


def set_pace(
    store: Store, tx: Tx, page: Page, told: Mapping[str, object], usual: Pace, *, by: UUID | None, why: str
) -> Pace:
    """Set some numbers of a page's pace; the others stay as they are."""
    kept = tx.execute(select(page_table.c.pace).where(page_table.c.key == page.key)).scalar_one()
    own = {**json.loads(kept), **told}
    made = usual.changed(own)
    pages.change(store, tx, page, "paced", by=by, why=why, pace=json.dumps(own))
    return made


def facts(store: Store, tx: Tx, page: Page, *, narrows: bool) -> Facts:
    """What is known of a page when it is decided what to do next."""
    now = store.clock.now()
    whole = lanes.lane(store, tx, page, lanes.WHOLE)
    asked = (
        select(runs)
        .where(runs.c.page == page.key, runs.c.kind == CAPTURE)
        .order_by(runs.c.key.desc())
        .limit(_LOOKED_AT)
    )
    rows = tx.execute(asked).all()
    told = [json.loads(row.tally) for row in rows]
    failures = 0
    # Whoever connects the page again should not wait for hours because the old credentials failed.
    connected = tx.execute(select(connections.c.since).where(connections.c.page == page.key)).scalar() or 0
    for row, tally in zip(rows, told, strict=True):
        if (row.status != "running" and not tally.get("unfinished")) or row.began_at < connected:
            break
        failures += row.status != "running"
    day = to_instant(now - timedelta(days=1))
    usual = next(
        (
            int(tally.get("exchanges", 1))
            for row, tally in zip(rows, told, strict=True)
            if row.status in ("complete", "partial")
            and not tally.get("unfinished")
            and row.lane == (lanes.LATELY if narrows else lanes.WHOLE)
        ),
        1,
    )
    return Facts(
        narrows=narrows,
        whole_at=whole.finished_at or (_whole_before(rows, told) if not whole.unfinished else None),
        covered_at=covered_at(tx, page),
        tried_at=from_instant(rows[0].ended_at or rows[0].began_at) if rows else None,
        passed_at=next(
            (from_instant(row.ended_at or row.began_at) for row in rows if row.lane not in _SINGLY), None
        ),
        failures=failures,
        spent=sum(
            int(tally.get("exchanges", 0))
            for row, tally in zip(rows, told, strict=True)
            if row.began_at >= day
        ),
        usual_cost=max(1, usual),
        unfinished=whole.unfinished,
        anew=bool(rows) and rows[0].began_at < connected,
    )


def _whole_before(rows: Sequence[Any], told: Sequence[Mapping[str, object]]) -> datetime | None:
    """When a whole pass ended, in an archive that did not yet write it down."""
    return next(
        (
            from_instant(row.ended_at)
            for row, tally in zip(rows, told, strict=True)
            if row.lane == lanes.WHOLE and row.ended_at and not tally.get("unfinished")
        ),
        None,
    )


def covered_at(tx: Tx, page: Page) -> datetime | None:
    """When the last pass began after which nothing newer was left out: each reaches back to the one before."""
    asked = account.covering_runs(page).order_by(runs.c.key.desc()).limit(_LOOKED_AT)
    rows = [(row.began_at, row.published_from, row.tally) for row in tx.execute(asked)]
    reached: int | None = None
    for began, since, tally in reversed(rows):
        if json.loads(tally).get("unfinished"):
            continue
        if reached is None and len(rows) == _LOOKED_AT:
            reached = began  # what was before reached back in its turn
        elif since is None or (reached is not None and since <= reached):
            reached = began
    return from_instant(reached) if reached is not None else None


def tonight(store: Store, tx: Tx, page: Page, usual: Pace, *, narrows: bool) -> list[Pass]:
    """What this night does with the page."""
    known, wanted, now = facts(store, tx, page, narrows=narrows), pace(tx, page, usual), store.clock.now()
    older = _older(store, tx, page, wanted, now) if narrows and known.whole_at is not None else None
    return pacing.nightly(wanted, known, older, now)


def now_due(store: Store, tx: Tx, page: Page, usual: Pace, *, narrows: bool) -> Pass | None:
    """A look for what is new, when one is due."""
    known, wanted = facts(store, tx, page, narrows=narrows), pace(tx, page, usual)
    return pacing.lately(wanted, known, store.clock.now())


def told(store: Store, tx: Tx, page: Page, usual: Pace, *, narrows: bool, families: bool) -> Pass | None:
    """What the page's platform told of by itself, when it is due to be looked at."""
    waiting = hints.waiting(store, tx, page)
    if not waiting:
        return None
    known, wanted = facts(store, tx, page, narrows=narrows), pace(tx, page, usual)
    return pacing.told(wanted, known, waiting, store.clock.now(), families=families)


def _older(store: Store, tx: Tx, page: Page, wanted: Pace, now: datetime) -> Pass | None:
    """The part of what is older than the window that is seen again tonight, newest first, night after night."""
    swept = lanes.lane(store, tx, page, lanes.SWEEP)
    edge = now - timedelta(days=wanted.window)
    if swept.unfinished:
        return Pass(
            lane=lanes.SWEEP, published_from=swept.published_from, published_until=swept.published_until
        )
    until = edge if swept.finished_at is None or swept.published_from is None else swept.published_from
    held = (
        select(records.c.published_at)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(
            records.c.page == page.key,
            records.c.published_at.is_not(None),
            records.c.received.is_(False),
            tombstones.c.record.is_(None),
        )
    )
    older = held.where(records.c.published_at < to_instant(edge)).subquery()
    count = tx.execute(select(func.count()).select_from(older)).scalar_one()
    if count == 0:
        return None
    nights = (now - swept.finished_at).days if swept.finished_at is not None else 1
    take = pacing.part(count, nights, wanted)
    below = (
        held.where(records.c.published_at <= to_instant(until))
        .order_by(records.c.published_at.desc())
        .offset(take - 1)
        .limit(1)
    )
    reached = tx.execute(below).scalar()
    since = from_instant(reached) if reached is not None else None
    if since is not None and since >= until:
        since = until - timedelta(seconds=1)
    return Pass(lane=lanes.SWEEP, published_from=since, published_until=until)


def busy(store: Store, tx: Tx, page: Page, wanted: Pace) -> list[str]:
    """The native ids of the posts that are busy now."""
    since = to_instant(store.clock.now() - timedelta(hours=1))
    fresh = tx.execute(
        select(records.c.parent_mac).where(
            records.c.page == page.key,
            records.c.first_seen >= since,
            records.c.published_at >= since,
            records.c.parent_mac.is_not(None),
        )
    ).scalars()
    answers: Counter[bytes] = Counter(bytes(mac) for mac in fresh)
    if sum(answers.values()) < wanted.busy:
        return []
    roots: Counter[bytes] = Counter()
    known: dict[bytes, bytes | None] = {}
    for mac, count in answers.items():
        roots[_root(tx, mac, known)] += count
    wanted_roots = pacing.busy(wanted, {mac.hex(): count for mac, count in roots.items()})
    return _native(store, tx, [bytes.fromhex(mac) for mac in wanted_roots])


def _root(tx: Tx, mac: bytes, known: dict[bytes, bytes | None]) -> bytes:
    for _ in range(_DEPTH):
        if mac not in known:
            above = tx.execute(select(records.c.parent_mac).where(records.c.native_mac == mac)).scalar()
            known[mac] = bytes(above) if above is not None else None
        above = known[mac]
        if above is None:
            return mac
        mac = above
    return mac


def _native(store: Store, tx: Tx, macs: Sequence[bytes]) -> list[str]:
    """The native ids of held records, in the order asked for."""
    asked = (
        select(*VERSION_COLUMNS, records.c.native_mac)
        .join(versions, (versions.c.record == records.c.key) & (versions.c.number == records.c.version))
        .join(objects, objects.c.key == versions.c.object)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(records.c.native_mac.in_(list(macs)), tombstones.c.record.is_(None))
    )
    rows = tx.execute(asked).all()
    secrets = store.keyring.secrets(bytes(row[1]) for row in rows)
    frames = Frames(store.objects)
    found = {
        bytes(row[-1]): str(
            fields(frames, secrets[version_row(row).record_id], version_row(row))["native_id"]
        )
        for row in rows
    }
    return [found[mac] for mac in macs if mac in found]

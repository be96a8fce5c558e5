"""Releasing holds: previewed, asked for, approved by a second person, and carried out after a delay.

Until it is carried out, a release can be cancelled, and the hold protects as
if nothing had been asked. What another hold covers stays covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, update

from app import officers
from app.capture import deeds
from app.db import Tx, to_instant
from app.db.database import lock_ledger
from app.holds import acts, covering, noticing, placing
from app.holds.matters import NotYourMatter
from app.holds.placing import Hold
from app.records.errors import IntegrityFailure, Refused
from app.records.nouns import Officer, Role
from app.store import quarantine
from app.store.store import Store
from app.store.tables import hold_notices, hold_records, holds, pages, records, releases, tombstones

APPROVERS = (Role.ATTORNEY, Role.RECORDS_OFFICER, Role.APPROVER)


class ReleaseAsked(Refused):
    """A release of this hold was asked for already."""

    code = "release-asked"


class ReleaseNotAsked(Refused):
    """No release of this hold waits."""

    code = "release-not-asked"


class SamePersonTwice(Refused):
    """Whoever asked for a release does not approve it."""

    code = "release-same-person"


class ReleaseContradicted(IntegrityFailure):
    """A row says that a hold is to be released, and the ledger's act does not."""

    code = "release-contradicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What a release would free: covered records, and those of them that no other hold covers which you may know of."""

    covers: int
    still_covered: int
    freed: int
    by_page: Mapping[str, int]
    messages: bool


def preview(tx: Tx, hold: Hold, *, by: Officer) -> Freed:
    """What would be covered no more. Holds that `by` may not know of are not told, and go on protecting.

    What is in quarantine is in no number; nothing in it is destroyed, held or not.
    """
    messages = by.may(Role.MESSAGES)
    elsewhere = (
        select(hold_records.c.record)
        .join(holds, holds.c.key == hold_records.c.hold)
        .where(holds.c.key != hold.key, holds.c.released_entry.is_(None), covering.known_to(by))
    )
    mine = (
        select(pages.c.name, func.count())
        .select_from(hold_records)
        .join(records, records.c.key == hold_records.c.record)
        .join(pages, pages.c.key == records.c.page)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(
            hold_records.c.hold == hold.key, tombstones.c.record.is_(None), quarantine.outside(records.c.key)
        )
        .group_by(pages.c.name)
    )
    if not messages:
        mine = mine.where(records.c.private.is_(False))
    everything = sum(int(number) for _, number in tx.execute(mine))
    freed = {
        str(name): int(number)
        for name, number in tx.execute(mine.where(hold_records.c.record.not_in(elsewhere)))
    }
    total = sum(freed.values())
    return Freed(
        covers=everything, still_covered=everything - total, freed=total, by_page=freed, messages=messages
    )


def ask(store: Store, tx: Tx, hold: Hold, *, by: Officer, why: str) -> Hold:
    """Ask for the release of a hold; nothing changes before somebody else approves it."""
    lock_ledger(tx)
    now = _active(store, tx, hold, by)
    placing.may_work_on(store, tx, now, by)
    if now.pending is not None:
        raise ReleaseAsked("a release of this hold was asked for already", next="Approve it, or cancel it.")
    entry = _act(store, tx, now, "hold:release-asked", {}, by=by.id, why=why)
    tx.execute(insert(releases).values(hold=now.key, asked_by=by.id.bytes, asked_entry=entry))
    return placing.of_id(store, tx, hold.id)


def approve(store: Store, tx: Tx, hold: Hold, *, after: timedelta, by: Officer, why: str) -> Hold:
    """Approve a release as the second person; it is carried out when `after` has passed."""
    lock_ledger(tx)
    now = _active(store, tx, hold, by)
    officers.require(by, *APPROVERS)
    waiting = now.pending
    if waiting is None or waiting.approved:
        raise ReleaseNotAsked(
            "no release of this hold waits for approval", next="Ask for it: muniment hold release ID."
        )
    if waiting.asked_by == by.id:
        raise SamePersonTwice(
            "you asked for this release; somebody else approves it", next="Ask a second person."
        )
    effective = store.clock.now() + after
    entry = _act(
        store, tx, now, "hold:release-approved", {"effective": effective.isoformat()}, by=by.id, why=why
    )
    tx.execute(
        update(releases)
        .where(releases.c.key == waiting.key)
        .values(approved_entry=entry, effective_at=to_instant(effective))
    )
    return placing.of_id(store, tx, hold.id)


def cancel(store: Store, tx: Tx, hold: Hold, *, by: Officer, why: str) -> Hold:
    """Take a release back before it is carried out: whoever works on the matter may, and whoever asked."""
    lock_ledger(tx)
    now = _active(store, tx, hold, by)
    waiting = now.pending
    if waiting is None:
        raise ReleaseNotAsked("no release of this hold waits")
    if waiting.asked_by != by.id and not by.may(Role.ATTORNEY):
        raise NotYourMatter("this needs the role attorney", next="Ask an attorney who works on the matter.")
    entry = _act(store, tx, now, "hold:release-cancelled", {}, by=by.id, why=why)
    tx.execute(update(releases).where(releases.c.key == waiting.key).values(ended_entry=entry))
    return placing.of_id(store, tx, hold.id)


def settle(store: Store) -> list[UUID]:
    """Carry out the releases whose delay has passed; called every minute, and before holds are looked at."""
    now = to_instant(store.clock.now())
    due = (
        select(releases.c.key, releases.c.approved_entry, holds.c.id)
        .join(holds, holds.c.key == releases.c.hold)
        .where(releases.c.ended_entry.is_(None), releases.c.effective_at <= now)
    )
    with store.database.read() as tx:
        if tx.execute(due).first() is None:
            return []
    done = []
    with store.database.begin() as tx:
        lock_ledger(tx)
        for row in tx.execute(due).all():
            hold = placing.of_id(store, tx, UUID(bytes=bytes(row.id)))
            if not _was_approved(store, tx, hold, row.approved_entry):
                raise ReleaseContradicted(
                    f"the release of hold {hold.id} is not what was approved in entry {row.approved_entry}",
                    next="Run muniment verify. Until then the hold protects.",
                )
            entry = _act(
                store,
                tx,
                hold,
                "hold:released",
                {},
                by=None,
                why="the release that was approved is due",
            )
            tx.execute(update(releases).where(releases.c.key == row.key).values(ended_entry=entry))
            end(tx, hold, entry)
            noticing.tell_of_release(store, tx, hold, why="the hold of which they were told is released")
            done.append(hold.id)
    return done


def _was_approved(store: Store, tx: Tx, hold: Hold, entry: int | None) -> bool:
    """Whether the act of that entry approved the release of this hold, for a moment that has come."""
    told = deeds.told(store, tx, [entry]).get(entry or -1)
    return (
        told is not None
        and told.text("act") == "hold:release-approved"
        and told.text("hold") == str(hold.id)
        and datetime.fromisoformat(told.text("effective")) <= store.clock.now()
    )


def end(tx: Tx, hold: Hold, entry: int) -> None:
    """Let a hold protect no more, as the entry says; notices of it end with it."""
    tx.execute(
        update(holds)
        .where(holds.c.key == hold.key, holds.c.released_entry.is_(None))
        .values(released_entry=entry)
    )
    running = (hold_notices.c.hold == hold.key) & hold_notices.c.ended_entry.is_(None)
    tx.execute(update(hold_notices).where(running).values(ended_entry=entry))


def _active(store: Store, tx: Tx, hold: Hold, by: Officer) -> Hold:
    """The hold as it stands under the lock, known to `by` and not released; the hold of a request is its own affair."""
    now = placing.must_be_active(placing.get(store, tx, str(hold.id), by=by))
    if now.matter is None:
        raise Refused(
            "the hold of a records request ends with the request", next="Confirm or close the request."
        )
    return now


def _act(
    store: Store,
    tx: Tx,
    hold: Hold,
    act: str,
    detail: dict[str, object],
    *,
    by: UUID | None,
    why: str,
) -> int:
    return acts.note(
        store, tx, act, matter=hold.matter, hold=hold.id, by=by, why=why, detail=detail, subject=hold.id
    )


def as_json(freed: Freed) -> dict[str, object]:
    """What a release would free, as programs read it."""
    return {
        "covers": freed.covers,
        "still_covered": freed.still_covered,
        "freed": freed.freed,
        "by_page": dict(freed.by_page),
        "messages": "counted" if freed.messages else "covered and not counted",
    }


def when(hold: Hold) -> datetime | None:
    """When an approved release takes effect."""
    return hold.pending.effective_at if hold.pending else None

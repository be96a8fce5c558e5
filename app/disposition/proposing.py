"""Proposing: the list of what is eligible and not held is frozen, each record with its grounds; or a court's order is taken down.

Nothing is destroyed by a proposal, and nothing is certain by it: whoever
executes looks at everything again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.capture import deeds
from app.db import Tx, key_of
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.disposition import chain, proposals
from app.disposition.chain import Step
from app.disposition.disposing import Disposing
from app.disposition.grounds import of_decision, of_order
from app.disposition.proposals import DESTROY, NO_EDITION, ORDER, PROPOSED, TRANSFER, TYPE, Prints, Proposal
from app.disposition.refusals import BadOrder, ClockInDoubt, DayToCome, NothingEligible
from app.records.errors import NotFound
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.retention.decide import Eligible
from app.retention.editions import Edition
from app.retention.recording import NoSuchSeries
from app.retention.schedule import Series, Then
from app.store import disposals, quarantine
from app.store.canonical import canonical, plain
from app.store.tables import proposal_records, records
from app.store.tables import proposals as table

PROPOSERS = (Role.RECORDS_OFFICER,)
ORDERERS = (Role.RECORDS_OFFICER, Role.ATTORNEY)
MOST = 100_000
"""So many records are proposed at once, unless somebody asks for fewer."""
COURT = "order of a court"
"""What rows and tombstones say of an order in the clear; its words stand sealed."""
_PART = 20_000
_LONGEST_WAIT = 3_650


class UnknownRecords(NotFound):
    """An order names a record that the archive does not hold, or none that you may know of."""

    code = "unknown-records"


@dataclass(slots=True)
class Eligibles:
    """What may be proposed: the records with their grounds, and how many stay though their day has come."""

    edition: Edition
    series: Series
    then: Then
    on: date
    keys: list[int] = field(default_factory=list)
    ground_of: list[int] = field(default_factory=list)
    grounds: list[dict[str, Any]] = field(default_factory=list)
    stayed: int = 0
    more: bool = False
    """Whether the limit was reached: there may be more."""
    _known: dict[bytes, int] = field(default_factory=dict)

    def add(self, key: int, ground: dict[str, Any]) -> None:
        text = canonical(plain(ground))
        if text not in self._known:
            self._known[text] = len(self.grounds)
            self.grounds.append(ground)
        self.keys.append(key)
        self.ground_of.append(self._known[text])


def look(of: Disposing, tx: Tx, code: str, *, on: date | None = None, limit: int = MOST) -> Eligibles:
    """What of a series may be proposed: eligible on `on` and today, not held, on no other list.

    Refuses a day to come: what is not eligible today is not proposed.
    """
    today = of.schedules.today(tx)
    if today.doubt:
        raise ClockInDoubt(today.doubt, next="Set the machine's clock right; `muniment doctor` says more.")
    on = on or today.day
    if on > today.day:
        raise DayToCome(
            f"{on} is still to come", next="`muniment retention preview --on` tells of days to come."
        )
    if limit < 1 or limit > MOST:
        raise DayToCome(f"a proposal lists 1 to {MOST:,} records", next="Propose the rest afterwards.")
    found = of.schedules.in_force(tx, today.day).series(code)
    if found is None:
        raise NoSuchSeries(
            f"no edition in force has a series {code[:80]!r}", next="`muniment schedule list` names them."
        )
    edition, series = found
    told = Eligibles(edition, series, Then.DESTROY, on)
    prints = Prints()
    wanted = prints.of(edition, series)
    after = 0
    while part := of.schedules.eligible(tx, series.code, on, after, _PART):
        after = part[-1]
        elsewhere = proposals.spoken_for(tx, part)
        decided = of.openly(tx, part, today)
        for key in part:
            decision = decided.get(key)
            if key in elsewhere or not isinstance(decision, Eligible) or not _of(decision, wanted, prints):
                told.stayed += key not in elsewhere
                continue
            if len(told.keys) == limit:
                told.more = True
                return told
            told.then = decision.then
            told.add(key, of_decision(decision))
    return told


def _of(decision: Eligible, wanted: bytes, prints: Prints) -> bool:
    """Whether a decision rests on this series of this edition."""
    grounds = decision.grounds
    return (
        grounds.edition is not None
        and grounds.series is not None
        and prints.of(grounds.edition, grounds.series) == wanted
    )


def propose(
    of: Disposing,
    tx: Tx,
    code: str,
    *,
    on: date | None = None,
    limit: int = MOST,
    without: Sequence[UUID] = (),
    by: Officer,
    why: str,
) -> Proposal:
    """Freeze the list of what is eligible and not held, without the records that somebody left out by name."""
    lock_ledger(tx)
    found = look(of, tx, code, on=on, limit=limit)
    left = _keys(tx, without)
    chosen = [
        (key, ground) for key, ground in zip(found.keys, found.ground_of, strict=True) if key not in left
    ]
    if not chosen:
        raise NothingEligible(
            f"no record of series {found.series.code} is eligible that may be proposed",
            next="`muniment retention preview` counts what each series has; `retention explain` tells of one record.",
        )
    schedule = found.edition.schedule
    detail = {
        "series": found.series.code,
        "title": found.series.title,
        "citation": found.series.citation,
        "schedule": schedule.title,
        "jurisdiction": schedule.jurisdiction,
        "authority": schedule.authority,
        "edition": schedule.edition,
        "instrument": found.edition.instrument,
        "adopted_on": str(found.edition.adopted_on),
        "demands": schedule.authorisation,
        "without": len(found.keys) - len(chosen),
    }
    return _write(
        of,
        tx,
        kind=TRANSFER if found.then is Then.TRANSFER else DESTROY,
        series=found.series.code,
        on=found.on,
        edition=proposals.fingerprint(found.edition, found.series),
        chosen=chosen,
        grounds=found.grounds,
        stayed=found.stayed,
        waiting_days=schedule.waiting_days,
        steps=chain.of_roles(schedule.approvals),
        detail=detail,
        by=by,
        why=why,
    )


def order(
    of: Disposing,
    tx: Tx,
    wanted: Sequence[UUID],
    *,
    instrument: str,
    waiting_days: int,
    by: Officer,
    why: str,
) -> Proposal:
    """Take down a court's order that these records be destroyed, whatever their schedule says.

    Holds are looked at all the same when it is executed: what one covers
    stays, until the matter's attorney has had it released.
    """
    lock_ledger(tx)
    words = deeds.words(instrument, "the instrument")
    if not wanted:
        raise BadOrder("an order names the records that are to be destroyed", next="Name them by their ids.")
    if not 0 <= waiting_days <= _LONGEST_WAIT:
        raise BadOrder(f"a waiting period has 0 to {_LONGEST_WAIT} days")
    keys = _keys(tx, wanted) - quarantine.hidden(tx, by.id)
    if len(keys) < len(set(wanted)):
        raise UnknownRecords("a record of the order is not in the archive", next="Look at its id again.")
    if keys & quarantine.hidden(tx):
        raise BadOrder(
            "a record of the order is in quarantine, where nothing is destroyed",
            next="End the quarantine first: muniment quarantine RECORD --end.",
        )
    taken = proposals.spoken_for(tx, sorted(keys))
    if taken:
        raise BadOrder(
            f"{len(taken)} of the records were disposed of, or stand on another list",
            next="Take them out of the order, or withdraw the other proposal.",
        )
    return _write(
        of,
        tx,
        kind=ORDER,
        series=ORDER,
        on=deeds.today(of.store),
        edition=NO_EDITION,
        chosen=[(key, 0) for key in sorted(keys)],
        grounds=[of_order(words)],
        stayed=0,
        waiting_days=waiting_days,
        steps=chain.of_an_order(),
        detail={"series": ORDER, "citation": words, "authority": COURT, "instrument": words, "demands": ""},
        by=by,
        why=why,
    )


def _write(
    of: Disposing,
    tx: Tx,
    *,
    kind: str,
    series: str,
    on: date,
    edition: bytes,
    chosen: Sequence[tuple[int, int]],
    grounds: Sequence[dict[str, Any]],
    stayed: int,
    waiting_days: int,
    steps: Sequence[Step],
    detail: dict[str, Any],
    by: Officer,
    why: str,
) -> Proposal:
    identity = new_id()
    named = _ids(tx, [key for key, _ in chosen])
    listed = disposals.root(proposals.leaf(named[key], ground) for key, ground in chosen)
    entry = of.store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={
            "batch": identity.hex,
            "act": "proposed",
            "n": len(chosen),
            "root": disposals.root(named.values()).hex(),
        },
        detail={
            **detail,
            "role": next(str(role) for role in (*PROPOSERS, *ORDERERS) if by.may(role)),
            "kind": kind,
            "on": str(on),
            "chain": [[str(role) for role in step.roles] for step in steps],
            "first_step": chain.proposal_takes(steps, by),
            "waiting_days": waiting_days,
            "edition_digest": edition.hex(),
            "stayed": stayed,
            "listed": listed.hex(),
            "grounds": list(grounds),
        },
        subject=identity,
    )
    made = tx.execute(
        insert(table).values(
            id=identity.bytes,
            entry=entry,
            kind=kind,
            officer=by.id.bytes,
            series=series,
            on_day=str(on),
            edition=edition,
            n=len(chosen),
            stayed=stayed,
            waiting_days=waiting_days,
            state=PROPOSED,
            state_entry=entry,
        )
    )
    key = key_of(made)
    insert_rows(
        tx,
        proposal_records,
        ("proposal", "record", "ground"),
        [(key, record, ground) for record, ground in chosen],
    )
    return proposals.get(of.store, tx, identity)


def _keys(tx: Tx, wanted: Sequence[UUID]) -> set[int]:
    found: set[int] = set()
    ids = [one.bytes for one in dict.fromkeys(wanted)]
    for start in range(0, len(ids), 500):
        asked = select(records.c.key).where(records.c.id.in_(ids[start : start + 500]))
        found |= set(tx.execute(asked).scalars())
    return found


def _ids(tx: Tx, keys: Sequence[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for start in range(0, len(keys), 500):
        asked = select(records.c.key, records.c.id).where(records.c.key.in_(list(keys[start : start + 500])))
        found |= {key: bytes(identity) for key, identity in tx.execute(asked)}
    return found

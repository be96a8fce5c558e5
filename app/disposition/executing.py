"""Executing: a person carries out what was approved, and whatever holds, schedule or facts say by then stays.

Why this is safe. Nothing here decides that a record goes: its schedule did, or
a court, and people approved the list. What is decided here is only what stays,
and it is decided in the destroying transaction itself, under the ledger's lock:
every active hold is looked at on the record's own words, the schedule is
reckoned again under the edition in force today, and a record that is not
eligible by both stays, and so does whatever is in quarantine. Whoever places a hold writes an entry under the same
lock, so it is there first and seen, or it comes after the tombstone and is told
so. Where anything cannot be looked at, the transaction fails and nothing goes.
Broken off anywhere, it goes on where it stopped when a person executes again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.db import Tx
from app.db.database import lock_ledger
from app.disposition import chain, proposals
from app.disposition.approving import (
    move,
    must_be_of_the_edition_in_force,
    must_know_the_holds,
    must_stand,
)
from app.disposition.disposing import Disposing
from app.disposition.entered import authorised_on, must_be_as_entered
from app.disposition.proposals import (
    APPROVED,
    EXECUTED,
    EXECUTING,
    ORDER,
    TRANSFER,
    TYPE,
    Prints,
    Proposal,
)
from app.disposition.refusals import (
    WITHDRAWN_ON_RECHECK,
    ClockInDoubt,
    NoReceipt,
    NotAnchored,
    WaitingPeriod,
)
from app.records.nouns import Officer, Role
from app.retention.decide import Decision, Eligible
from app.store import anchors, destruction, quarantine
from app.store.disposals import AUTHORISED, DESTROYED
from app.store.tables import attachments, records, transfer_records, versions

EXECUTORS = (Role.RECORDS_OFFICER,)
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: how many were disposed of, and which records stayed."""

    proposal: Proposal
    disposed: int
    excluded: Sequence[UUID]

    def as_json(self) -> dict[str, object]:
        return {
            "id": str(self.proposal.id),
            "state": self.proposal.state,
            "records": self.proposal.shown,
            "disposed": self.disposed,
            "excluded": [{"record": str(one), "why": WITHDRAWN_ON_RECHECK} for one in self.excluded],
        }


def execute(
    of: Disposing,
    which: str | UUID,
    *,
    by: Officer,
    why: str,
    most: int = MOST,
    point: Callable[[str], None] | None = None,
) -> Outcome:
    """Destroy what was approved, part by part, and see that it is gone; what is held or changed stays.

    Refused before the waiting period has passed, under another edition, while
    nobody outside vouches for the authorisation where somebody is asked to,
    after a restore that lost entries until the holds are confirmed, and of a
    transfer until the archives gave their receipt.
    """
    with of.store.database.begin() as tx:
        lock_ledger(tx)
        found = proposals.get(of.store, tx, which)
        must_stand(found, APPROVED, EXECUTING)
        _must_be_due(of, tx, found)
        entry = of.store.ledger.act(
            tx,
            TYPE,
            by=by.id,
            why=why,
            facts={"batch": found.id.hex, "act": "begun", "n": proposals.waiting(found.batch)},
            subject=found.id,
        )
        move(tx, found, EXECUTING, entry)
    destruction.execute(
        of.store,
        found.id,
        recheck=_recheck(of, found),
        derived=of.derived(),
        by=by.id,
        why=why,
        most=most,
        point=point,
    )
    with of.store.database.begin() as tx:
        lock_ledger(tx)
        return outcome(tx, settle(of, tx, proposals.get(of.store, tx, found.id)))


def outcome(tx: Tx, found: Proposal) -> Outcome:
    """What became of a batch so far."""
    return Outcome(found, proposals.destroyed(found.batch), list(proposals.excluded(tx, found.id)))


def settle(of: Disposing, tx: Tx, found: Proposal) -> Proposal:
    """Let a proposal be executed of which nothing is left to do."""
    batch = found.batch
    if found.state != EXECUTING or batch is None or batch.number(AUTHORISED) or batch.number(DESTROYED):
        return found
    move(tx, found, EXECUTED, found.state_entry)
    return proposals.get(of.store, tx, found.id)


# -- before ------------------------------------------------------------------------------------------------


def _must_be_due(of: Disposing, tx: Tx, found: Proposal) -> None:
    """Raise unless everything that has to come first has come."""
    # 1. The holds are known.
    must_know_the_holds(of, tx)
    # 2. The clock can be believed, and the schedule is the one that was approved.
    today = of.schedules.today(tx)
    if today.doubt:
        raise ClockInDoubt(today.doubt, next="Set the machine's clock right; `muniment doctor` says more.")
    must_be_of_the_edition_in_force(of, tx, found)
    # 3. Rows say what the entries say. The wait is over; where somebody outside vouches for the authorisation, it began no sooner than they say.
    assert found.batch is not None, "what is approved has its batch"
    must_be_as_entered(of.store, tx, found, found.batch)
    opens = chain.opens_on(authorised_on(of.store, tx, found.batch), found.waiting_days)
    if of.anchored:
        proven = anchors.proven_by(tx, found.batch.entry)
        if proven is None:
            raise NotAnchored(
                "no timestamp from outside covers the authorisation yet: its waiting period has not begun",
                next="`muniment ledger anchor`; the waiting period counts from that timestamp.",
            )
        day = proven.astimezone(of.store.agency.zone()).date()
        opens = max(opens, chain.opens_on(day, found.waiting_days))
    if today.day < opens:
        raise WaitingPeriod(
            f"this may be executed from {opens} on",
            next="Until then it can be withdrawn, and holds be placed.",
        )
    # 4. What is transferred was received.
    if found.kind == TRANSFER and (found.transfer is None or found.transfer.receipt is None):
        raise NoReceipt(
            "the archives have not given a receipt for these records",
            next="`muniment disposition transfer`, then `accept` with their receipt.",
        )


# -- the last look -----------------------------------------------------------------------------------------


def _recheck(of: Disposing, found: Proposal) -> destruction.Recheck:
    """The last look at a part of a batch, inside the transaction that destroys it."""

    def stays(tx: Tx, wanted: Sequence[UUID]) -> Mapping[UUID, str]:
        must_know_the_holds(of, tx)
        key_of = keys_of(tx, wanted)
        keys = [key_of[one] for one in wanted]
        cut_off = quarantine.hidden(tx)
        if found.kind == ORDER:
            held = of.holds(tx, keys)
            return {
                one: WITHDRAWN_ON_RECHECK for one in wanted if held[key_of[one]] or key_of[one] in cut_off
            }
        today = of.schedules.today(tx)
        if today.doubt:  # nothing is withdrawn for a clock that stands wrong: nothing happens at all
            raise ClockInDoubt(today.doubt, next="Set the machine's clock right; then execute again.")
        decided = of.decisions(tx, keys, today)
        changed = not_in_the_bag(tx, found, keys) if found.kind == TRANSFER else set()
        prints = Prints()
        return {
            one: WITHDRAWN_ON_RECHECK
            for one in wanted
            if not goes(decided.get(key_of[one]), found, prints) or key_of[one] in changed | cut_off
        }

    return stays


def goes(decision: Decision | None, found: Proposal, prints: Prints) -> bool:
    """Whether a decision of this very moment lets a record go as it was approved: same series, same edition, same end."""
    if not isinstance(decision, Eligible):
        return False
    grounds = decision.grounds
    return (
        grounds.edition is not None
        and grounds.series is not None
        and bool(grounds.citation)
        and grounds.series.code == found.series
        and str(decision.then) == found.kind
        and prints.of(grounds.edition, grounds.series) == found.edition
    )


def keys_of(tx: Tx, wanted: Sequence[UUID]) -> dict[UUID, int]:
    """The internal keys of records."""
    found: dict[UUID, int] = {}
    for start in range(0, len(wanted), 500):
        part = [one.bytes for one in wanted[start : start + 500]]
        asked = select(records.c.id, records.c.key).where(records.c.id.in_(part))
        found |= {UUID(bytes=bytes(row.id)): row.key for row in tx.execute(asked)}
    return found


def not_in_the_bag(tx: Tx, found: Proposal, keys: Sequence[int]) -> set[int]:
    """Those of these records that the archives do not have as they are: not packed, or grown since by a version or a file."""
    assert found.transfer is not None, "a transfer is executed after it was packed"
    missing = set(keys)
    files = files_of(tx, keys)
    for start in range(0, len(keys), 500):
        part = list(keys[start : start + 500])
        packed = select(transfer_records.c.record, transfer_records.c.files).where(
            transfer_records.c.transfer == found.transfer.key, transfer_records.c.record.in_(part)
        )
        missing -= {row.record for row in tx.execute(packed) if row.files == files[row.record]}
        grown = select(versions.c.record).where(
            versions.c.record.in_(part), versions.c.entry >= found.transfer.as_of
        )
        missing |= set(tx.execute(grown).scalars())
    return missing


def files_of(tx: Tx, keys: Sequence[int]) -> dict[int, int]:
    """How many attachments of each of these records are kept."""
    found = dict.fromkeys(keys, 0)
    for start in range(0, len(keys), 500):
        asked = (
            select(attachments.c.record, func.count().label("files"))
            .where(
                attachments.c.record.in_(list(keys[start : start + 500])), attachments.c.piece.is_not(None)
            )
            .group_by(attachments.c.record)
        )
        found |= {row.record: row.files for row in tx.execute(asked)}
    return found

"""Approving: one after the other says yes, in the order that the schedule names; the last yes authorises the batch.

What is approved is an edition and a list: where one of them changes, what was
said before counts for nothing. Authorising destroys nothing; it begins the
waiting period.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select, update

from app import officers
from app.capture import deeds, notices
from app.db import Tx
from app.db.database import lock_ledger
from app.disposition import chain, proposals
from app.disposition.disposing import Disposing
from app.disposition.entered import authorised_on
from app.disposition.proposals import (
    APPROVED,
    ENDED,
    EXECUTING,
    NO_EDITION,
    ORDER,
    PROPOSED,
    REJECTED,
    TYPE,
    Proposal,
)
from app.disposition.proposing import COURT
from app.disposition.refusals import (
    ClockInDoubt,
    EditionChanged,
    HoldsUnconfirmed,
    InstrumentMissing,
    NotWaitingForThat,
)
from app.records.errors import NotFound
from app.records.nouns import Officer, Role
from app.store import destruction, disposals, quarantine
from app.store.disposals import WITHDRAWN
from app.store.tables import hold_confirmations, proposal_approvals, proposal_records, records
from app.store.tables import proposals as table

APPROVERS = (Role.RECORDS_OFFICER, Role.APPROVER, Role.ATTORNEY)
WITHDRAWERS = (Role.RECORDS_OFFICER, Role.ATTORNEY)
CONFIRMERS = (Role.ATTORNEY,)
TOPIC = "disposition"
"""The topic of its letters; their marks are `id/began` and `id/ends`."""
TOLD = (Role.RECORDS_OFFICER, Role.ATTORNEY)
"""Who is told when a waiting period begins, and before it ends."""


class NotOnTheList(NotFound):
    """A record was to be taken off a list on which it does not stand."""

    code = "not-on-the-list"


def approve(
    of: Disposing, tx: Tx, which: str | UUID, *, by: Officer, why: str, instrument: str = ""
) -> Proposal:
    """Take the step of the chain that is waited for; with the last one the batch is authorised and the wait begins.

    Refused to whoever proposed it or approved it before, to whoever does not
    hold the role, where another edition came into force, and, for the last
    step, where the schedule demands an instrument and nobody named one.
    """
    lock_ledger(tx)
    found = proposals.get(of.store, tx, which)
    must_stand(found, PROPOSED)
    must_be_of_the_edition_in_force(of, tx, found)
    taken = chain.step_of(
        found.steps, found.standing, proposed=found.proposed_first_step, proposer=found.by, officer=by
    )
    words = deeds.words(instrument, "the instrument", needed=False)
    left = chain.waits_for(found.steps, (*found.standing, taken), proposed=found.proposed_first_step)
    if left is None:
        _must_name_what_is_demanded(found, words)
    digest = proposals.digest_of(tx, found)
    entry = of.store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"batch": found.id.hex, "act": "approved", "step": taken.step, "n": found.records},
        detail={"role": str(taken.role), "instrument": words, "of": digest.hex()},
        subject=found.id,
    )
    tx.execute(
        insert(proposal_approvals).values(
            proposal=found.key,
            entry=entry,
            officer=by.id.bytes,
            step=taken.step,
            role=str(taken.role),
            digest=digest,
        )
    )
    found = proposals.get(of.store, tx, found.id)
    return found if left is not None else _authorise(of, tx, found, digest, by=by, why=why)


def _authorise(of: Disposing, tx: Tx, found: Proposal, digest: bytes, *, by: Officer, why: str) -> Proposal:
    """Every step was taken, by different people: name the batch, record by record, and begin the wait."""
    approved = [one for one in found.approvals if one.counts]
    people = {found.by, *(one.officer for one in approved)}
    if any(one.digest != digest for one in approved) or len(people) < 2:
        raise NotWaitingForThat(
            "the approvals are not of this list and this edition", next="Withdraw it and propose anew."
        )
    wanted = [UUID(bytes=one) for one in proposals.ids(tx, found.key)]
    batch = destruction.authorise(
        of.store,
        tx,
        found.id,
        wanted,
        authority=authority(found),
        series=found.series,
        citation=COURT if found.kind == ORDER else str(found.detail["citation"]),
        by=by.id,
        why=why,
    )
    opens = chain.opens_on(authorised_on(of.store, tx, batch), found.waiting_days)
    move(tx, found, APPROVED, batch.entry, opens_on=str(opens))
    notices.write(of.store, tx, TOPIC, concerned(tx), mark=f"{found.id.hex}/began")
    return proposals.get(of.store, tx, found.id)


def authority(found: Proposal) -> str:
    """The authority in the words that tombstones and certificates bear."""
    told = found.detail
    if found.kind == ORDER:
        return COURT
    return (
        f"{told['authority']}, {told['schedule']}, edition {told['edition']}, adopted by {told['instrument']}"
    )


def _must_name_what_is_demanded(found: Proposal, words: str) -> None:
    demanded = str(found.detail.get("demands") or "")
    if demanded and not words and not any(one.instrument for one in found.approvals if one.counts):
        raise InstrumentMissing(
            f"the schedule demands: {demanded}",
            next='Name it with the approval: --instrument "Resolution 2026-14".',
        )


def reject(of: Disposing, tx: Tx, which: str | UUID, *, by: Officer, why: str) -> Proposal:
    """Say no, with a reason: the proposal ends, and its records may be proposed again."""
    lock_ledger(tx)
    found = proposals.get(of.store, tx, which)
    must_stand(found, PROPOSED)
    return _end(of, tx, found, REJECTED, "rejected", by=by.id, why=why)


def withdraw(of: Disposing, tx: Tx, which: str | UUID, *, by: Officer | None, why: str) -> Proposal:
    """Take a proposal back, as far as it was not executed. Nobody (`by`) is named only by the night."""
    lock_ledger(tx)
    found = proposals.get(of.store, tx, which)
    must_stand(found, PROPOSED, APPROVED, EXECUTING)
    officer = by.id if by is not None else None
    if found.batch is not None and found.state != PROPOSED:
        destruction.withdraw(of.store, tx, found.id, by=officer, why=why)
        if proposals.destroyed(
            found.batch
        ):  # what is gone is gone: the rest stays, and it is told as executed
            move(tx, found, proposals.EXECUTED, found.state_entry)
            return proposals.get(of.store, tx, found.id)
    return _end(of, tx, found, WITHDRAWN, "withdrawn", by=officer, why=why)


def _end(
    of: Disposing, tx: Tx, found: Proposal, state: str, act: str, *, by: UUID | None, why: str
) -> Proposal:
    entry = of.store.ledger.act(
        tx,
        TYPE,
        by=by,
        why=why,
        facts={"batch": found.id.hex, "act": act, "n": found.records},
        subject=found.id,
    )
    move(tx, found, state, entry)
    return proposals.get(of.store, tx, found.id)


def leave_out(
    of: Disposing, tx: Tx, which: str | UUID, wanted: Sequence[UUID], *, by: Officer, why: str
) -> Proposal:
    """Take records off a list that is not approved yet; whoever approved the longer list has to do so again."""
    lock_ledger(tx)
    found = proposals.get(of.store, tx, which)
    must_stand(found, PROPOSED)
    named = {one.bytes for one in wanted}
    on_list = named & set(proposals.ids(tx, found.key))
    if not named or on_list != named or _hidden(tx, wanted, by):
        raise NotOnTheList("a record that was named is not on the list", next="Look at the list again.")
    if len(on_list) == found.records:
        raise NotWaitingForThat("nothing would be left of the list", next="Reject or withdraw it.")
    entry = of.store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={
            "batch": found.id.hex,
            "act": "left-out",
            "n": len(on_list),
            "root": disposals.root(on_list).hex(),
        },
        subject=found.id,
    )
    for start in range(0, len(wanted), 500):
        keys = select(records.c.key).where(
            records.c.id.in_([one.bytes for one in wanted[start : start + 500]])
        )
        tx.execute(
            update(proposal_records)
            .where(proposal_records.c.proposal == found.key, proposal_records.c.record.in_(keys))
            .where(proposal_records.c.out_entry.is_(None))
            .values(out_entry=entry)
        )
    return proposals.get(of.store, tx, found.id)


def _hidden(tx: Tx, wanted: Sequence[UUID], by: Officer) -> bool:
    """Whether one of these is in quarantine and not there for `by`."""
    cut_off = quarantine.hidden(tx, by.id)
    if not cut_off:
        return False
    asked = select(records.c.id).where(records.c.key.in_(cut_off))
    return not {UUID(bytes=bytes(one)) for one in tx.execute(asked).scalars()}.isdisjoint(wanted)


def confirm_holds(of: Disposing, tx: Tx, *, by: Officer, why: str) -> int:
    """Write down that an attorney looked, after a restore that lost entries, and the holds are as they should be; return the entry."""
    lock_ledger(tx)
    epoch = _epoch(of, tx)
    entry = of.store.ledger.act(
        tx, TYPE, by=by.id, why=why, facts={"act": "holds-confirmed", "epoch": epoch}, detail={}
    )
    tx.execute(insert(hold_confirmations).values(entry=entry, officer=by.id.bytes, epoch=epoch))
    return entry


def must_know_the_holds(of: Disposing, tx: Tx) -> None:
    """Raise `HoldsUnconfirmed` where entries were lost in a restore and nobody confirmed the holds since."""
    epoch = _epoch(of, tx)
    if epoch == 0:
        return
    asked = select(hold_confirmations.c.key).where(hold_confirmations.c.epoch == epoch)
    if tx.execute(asked).first() is None:
        raise HoldsUnconfirmed(
            "the ledger lost entries in a restore: holds that were placed then are gone",
            next="An attorney looks at every matter, places again what is missing, and says so: muniment disposition confirm-holds.",
        )


def _epoch(of: Disposing, tx: Tx) -> int:
    """How many epochs of the ledger a restore has ended."""
    return len(of.store.ledger.ended(tx))


# -- what every verb here asks -----------------------------------------------------------------------------


def must_stand(found: Proposal, *states: str) -> None:
    """Raise unless the proposal stands in one of these states."""
    if found.state not in states:
        ended = " and is at its end" if found.state in ENDED else ""
        raise NotWaitingForThat(
            f"this was {'executed in part' if found.state == EXECUTING else found.state}{ended}",
            next="Look at it: muniment disposition show.",
        )


def must_be_of_the_edition_in_force(of: Disposing, tx: Tx, found: Proposal) -> None:
    """Raise `EditionChanged` unless today's edition says of the series what it said when this was proposed."""
    if found.edition == NO_EDITION:
        return
    today = of.schedules.today(tx)
    if today.doubt:
        raise ClockInDoubt(today.doubt, next="Set the machine's clock right; `muniment doctor` says more.")
    there = of.schedules.in_force(tx, today.day).series(found.series)
    if there is None or proposals.fingerprint(*there) != found.edition:
        raise EditionChanged(
            f"what the schedule says of series {found.series} changed after this was proposed: its approvals are void",
            next="Withdraw it, and propose anew under the edition in force.",
        )


def move(tx: Tx, found: Proposal, state: str, entry: int, **more: str) -> None:
    """Let a proposal stand otherwise; the database refuses what leads back."""
    tx.execute(update(table).where(table.c.key == found.key).values(state=state, state_entry=entry, **more))


def concerned(tx: Tx) -> list[str]:
    """Who is told of waiting periods: active records officers and attorneys."""
    return [one.email for one in officers.list_all(tx) if one.may(*TOLD)]

"""What the night does for dispositions: it ends what is over, tells whom it concerns, and executes nothing.

A person executes, always: a waiting period that ended is told by letter and on
the overview, and then it waits for somebody who looks.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.capture import deeds, notices
from app.capture.due import Due
from app.db import Tx
from app.db.database import lock_ledger
from app.disposition import certificate, chain, proposals
from app.disposition.approving import TOPIC, concerned, move, must_be_of_the_edition_in_force, withdraw
from app.disposition.disposing import Disposing
from app.disposition.executing import settle
from app.disposition.proposals import APPROVED, EXECUTED, EXECUTING, PROPOSED, Proposal
from app.disposition.refusals import ClockInDoubt, EditionChanged
from app.store import destruction, disposals
from app.store.disposals import AUTHORISED, DESTROYED, VERIFIED
from app.store.store import Store
from app.store.tables import proposals as table

_WHY = "the nightly work"
RESTORED = "a restore withdrew what was not executed: holds may have been lost"
CHANGED = "another edition of the schedule came into force: the approvals are void"


def tonight(of: Disposing) -> dict[str, int]:
    """Settle, withdraw what is void, remind, and write the `final` entries that are due; return what was done."""
    told = {"settled": 0, "withdrawn": 0, "final": 0}
    with of.store.database.read() as tx:
        standing = [
            (one.id, one.state) for one in proposals.in_state(of.store, tx, PROPOSED, APPROVED, EXECUTING)
        ]
        batches = [
            one.id for one in disposals.batches(tx) if one.final_entry is None and one.number(VERIFIED)
        ]
    for identity, state in standing:
        with of.store.database.begin() as tx:
            lock_ledger(tx)
            found = proposals.get(of.store, tx, identity)
            if state == EXECUTING:
                told["settled"] += settle(of, tx, found).state != EXECUTING
            elif found.batch is not None and not found.batch.number(AUTHORISED):
                told["settled"] += _after_a_restore(of, tx, found)
            elif found.state in (PROPOSED, APPROVED) and _is_void(of, tx, found):
                withdraw(of, tx, found.id, by=None, why=CHANGED)
                told["withdrawn"] += 1
    for identity in batches:
        told["final"] += _final(of, identity)
    return told


def remind(store: Store, tx: Tx) -> int:
    """Put the letters of waiting periods that end tomorrow, and of those that are over; return how many were put."""
    today, put = deeds.today(store), 0
    for row in tx.execute(select(table.c.id, table.c.opens_on).where(table.c.state == APPROVED)):
        opens = date.fromisoformat(row.opens_on)
        mark = bytes(row.id).hex()
        if today >= opens:
            put += notices.write(store, tx, TOPIC, concerned(tx), mark=f"{mark}/open")
        elif today >= chain.reminded_on(opens):
            put += notices.write(store, tx, TOPIC, concerned(tx), mark=f"{mark}/ends")
    return put


def to_do(store: Store, tx: Tx) -> list[Due]:
    """What of dispositions waits for a person, for the overview and the daily letter."""
    today = deeds.today(store)
    found = []
    asked = select(table.c.id, table.c.series, table.c.state, table.c.opens_on).where(
        table.c.state.in_((PROPOSED, APPROVED, EXECUTING))
    )
    for row in tx.execute(asked.order_by(table.c.key)):
        link = f"/dispositions/{UUID(bytes=bytes(row.id))}"
        match row.state:
            case "proposed":
                found.append(
                    Due(f"Series {row.series}", link, "A disposal waits for an approval.", urgent=False)
                )
            case "executing":
                found.append(
                    Due(
                        f"Series {row.series}",
                        link,
                        "A disposal was broken off: execute it again.",
                        urgent=True,
                    )
                )
            case _ if date.fromisoformat(row.opens_on) <= today:
                found.append(
                    Due(
                        f"Series {row.series}",
                        link,
                        "A waiting period is over: it may be executed.",
                        urgent=False,
                    )
                )
    return found


def _after_a_restore(of: Disposing, tx: Tx, found: Proposal) -> bool:
    """Settle what a restore carried out again, or withdrew, beneath a proposal that it brought back."""
    if not proposals.destroyed(found.batch):
        withdraw(of, tx, found.id, by=None, why=RESTORED)
        return True
    assert found.batch is not None, "what is destroyed has its batch"
    if found.batch.number(DESTROYED):
        return False  # it is finished first
    move(tx, found, EXECUTED, found.batch.entry)
    return True


def _is_void(of: Disposing, tx: Tx, found: Proposal) -> bool:
    try:
        must_be_of_the_edition_in_force(of, tx, found)
    except EditionChanged:
        return True
    except ClockInDoubt:
        return False  # nothing is concluded from a clock that stands wrong
    return False


def _final(of: Disposing, identity: UUID) -> bool:
    """Write that no copy of the keys is left, where that is so."""
    today = deeds.today(of.store)
    with of.store.database.begin() as tx:
        lock_ledger(tx)
        batch = disposals.batch(tx, identity)
        if batch.final_entry is not None or batch.number(AUTHORISED) or batch.number(DESTROYED):
            return False
        facts = certificate.executed_facts(of.store, tx, identity)
        until = certificate.keys_until(tx, facts, of.store.agency.zone())
        if until is not None and until > today:
            return False
        destruction.final(of.store, tx, identity, backups_expired=until or today, by=None, why=_WHY)
    return True

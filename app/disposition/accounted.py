"""Proposals, approvals and transfers held against the acts that wrote them: what fixity asks of this room.

Whoever executes asks `entered` of the very list that goes. This looks at every
proposal that was ever made: what its row says, how it stands, who approved it,
and by number and root each list, with the grounds of every record on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.db import Tx
from app.disposition import chain
from app.disposition.proposals import (
    APPROVED,
    EXECUTED,
    EXECUTING,
    PROPOSED,
    REJECTED,
    TYPE,
    leaf,
)
from app.store.accounts import ALTERED, MISSING, Wrong
from app.store.disposals import AUTHORISED, DESTROYED, VERIFIED, WITHDRAWN, root
from app.store.hearing import NOT_ALL, NOT_AS_DONE, Heard, Rows, by_entry, compared, heard, roots, whole
from app.store.store import Store
from app.store.tables import (
    disposal_records,
    disposals,
    hold_confirmations,
    proposal_approvals,
    proposal_records,
    proposals,
    records,
    transfer_records,
    transfers,
)

LOOK = "dispositions"
"""What fixity calls this look."""
Done = dict[Any, dict[str, object]]
_NONE = Rows(0, root(()))
_GONE = (DESTROYED, VERIFIED)


def wrong(store: Store) -> Wrong:
    """Whatever the rows of dispositions say that nobody did, or no longer say although somebody did."""
    with store.database.read() as tx:
        said = _Said()
        for act in heard(store, tx, TYPE, "disposal"):
            said.take(act)
        yield from _proposals(tx, said)
        yield from _standing(store, tx, said)
        yield from _lists(tx, said)
        yield from _approvals(tx, said)
        yield from _transfers(tx, said)


@dataclass(slots=True)
class _Said:
    """What was done, as the rows should have it; proposals by their ids."""

    proposals: Done = field(default_factory=dict)
    listed: dict[bytes, tuple[Heard, list[Heard]]] = field(default_factory=dict)
    """The entry of each list, and those that took records off it."""
    stands: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    """What was done last of each that says how it stands, and the entry."""
    authorised: dict[bytes, Heard] = field(default_factory=dict)
    approvals: Done = field(default_factory=dict)
    transfers: Done = field(default_factory=dict)
    packed: dict[int, Heard] = field(default_factory=dict)
    confirmed: Done = field(default_factory=dict)

    def take(self, act: Heard) -> None:
        if act.act == "holds-confirmed":
            self.confirmed[act.entry] = {"officer": act.by, "epoch": act.facts["epoch"]}
            return
        batch = bytes.fromhex(act.facts.get("batch", ""))
        match act.type, act.act:
            case "disposal", "authorised":
                self.authorised[batch] = act
                self.stands[batch] = act.act, act.entry
            case "disposition", "proposed":
                self._proposed(act, batch)
            case "disposition", "approved":
                self.approvals[act.entry] = {
                    "of": batch,
                    "officer": act.by,
                    "step": act.facts["step"],
                    "role": act.detail["role"],
                    "digest": bytes.fromhex(act.detail["of"]),
                }
            case "disposition", "begun" | "rejected" | "withdrawn":
                self.stands[batch] = act.act, act.entry
            case "disposition", "left-out":
                self.listed[batch][1].append(act)
            case "disposition", "packed":
                self.packed[act.entry] = act
                self.transfers[act.entry] = {
                    "of": batch,
                    "bag": bytes.fromhex(act.facts["digest"]),
                    "n": act.facts["n"],
                    "receipt_entry": None,
                    "receipt": None,
                }
            case "disposition", "accepted":
                newest = max(entry for entry, row in self.transfers.items() if row["of"] == batch)
                receipt = bytes.fromhex(act.facts["digest"])
                self.transfers[newest] |= {"receipt_entry": act.entry, "receipt": receipt}
            case _:
                pass

    def _proposed(self, act: Heard, batch: bytes) -> None:
        told = act.detail
        self.proposals[batch] = {
            "entry": act.entry,
            "kind": told["kind"],
            "officer": act.by,
            "series": told["series"],
            "on_day": told["on"],
            "edition": bytes.fromhex(told["edition_digest"]),
            "n": act.facts["n"],
            "waiting_days": told["waiting_days"],
            **({"stayed": told["stayed"]} if "stayed" in told else {}),
        }
        self.listed[batch] = act, []
        self.stands[batch] = act.act, act.entry


# -- proposals ---------------------------------------------------------------------------------------------


def _proposals(tx: Tx, said: _Said) -> Wrong:
    """1. Every proposal is what was proposed, by whom, under which edition."""
    yield from compared(
        tx.execute(select(proposals).order_by(proposals.c.key)),
        said.proposals,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )


def _standing(store: Store, tx: Tx, said: _Said) -> Wrong:
    """2. Every proposal stands as what was done last of it has it, and opens when the wait is over."""
    numbers: dict[bytes, dict[str, int]] = {}
    counted = (
        select(disposals.c.id, disposal_records.c.state, func.count())
        .join(disposal_records, disposal_records.c.batch == disposals.c.key)
        .group_by(disposals.c.id, disposal_records.c.state)
    )
    for identity, state, number in tx.execute(counted):
        numbers.setdefault(bytes(identity), {})[state] = number
    zone = store.agency.zone()
    for row in tx.execute(select(proposals).order_by(proposals.c.key)):
        identity = bytes(row.id)
        if identity in said.proposals and not _stands(row, said, numbers.get(identity, {}), zone):
            yield ALTERED, NOT_AS_DONE, identity.hex()


def _stands(row: Any, said: _Said, batch: dict[str, int], zone: ZoneInfo) -> bool:
    identity = bytes(row.id)
    act, entry = said.stands[identity]
    authorised = said.authorised.get(identity)
    left, gone = batch.get(AUTHORISED, 0), sum(batch.get(state, 0) for state in _GONE)
    opens = None
    if authorised is not None:
        day = authorised.at.astimezone(zone).date()
        opens = str(chain.opens_on(day, row.waiting_days))
    stands = (row.state, row.state_entry)
    ended = stands == (EXECUTED, entry) and not left and bool(gone)
    match act:
        case "proposed":
            return stands == (PROPOSED, entry) and row.opens_on is None
        case "rejected":
            return stands == (REJECTED, entry) and row.opens_on is None
        case "withdrawn":
            return stands == (WITHDRAWN, entry) and row.opens_on in (None, opens)
        case "begun":
            going = stands == (EXECUTING, entry) or (stands == (EXECUTED, entry) and not left)
            return going and row.opens_on == opens
        case _:
            if row.opens_on is None:  # a restore carried it out again beneath a proposal that it brought back
                return not left and (ended or stands == (PROPOSED, row.entry))
            return row.opens_on == opens and (stands == (APPROVED, entry) or ended)


# -- lists -------------------------------------------------------------------------------------------------


def _lists(tx: Tx, said: _Said) -> Wrong:
    """3. The records of a list are those that were put on it, each for its grounds; taken off are those that were."""
    asked = (
        select(
            proposal_records.c.proposal, records.c.id, proposal_records.c.ground, proposals.c.id.label("of")
        )
        .join(records, records.c.key == proposal_records.c.record)
        .outerjoin(proposals, proposals.c.key == proposal_records.c.proposal)
        .order_by(proposal_records.c.proposal, records.c.id)
    )
    held = {row.of: rows for _, rows, row in roots(tx, asked, lambda row: leaf(bytes(row.id), row.ground))}
    for identity, (act, _) in said.listed.items():
        rows = held.pop(identity, _NONE)
        stated = (act.facts["n"], act.detail.get("listed", rows.root.hex()))
        if stated != (rows.n, rows.root.hex()):
            yield (MISSING if rows.n < act.facts["n"] else ALTERED), NOT_ALL, identity.hex()
    for of in held:
        yield ALTERED, NOT_ALL, bytes(of).hex() if of is not None else LOOK
    off = (
        select(proposal_records.c.out_entry, records.c.id)
        .join(records, records.c.key == proposal_records.c.record)
        .where(proposal_records.c.out_entry.is_not(None))
        .order_by(proposal_records.c.out_entry, records.c.id)
    )
    taken = {entry: rows for entry, rows, _ in roots(tx, off)}
    for identity, (_, acts) in said.listed.items():
        for act in acts:
            rows = taken.pop(act.entry, _NONE)
            if (act.facts["n"], act.facts["root"]) != (rows.n, rows.root.hex()):
                yield ALTERED, NOT_ALL, identity.hex()
    for entry in taken:
        yield ALTERED, NOT_ALL, f"entry {entry}"


def _approvals(tx: Tx, said: _Said) -> Wrong:
    """4. Approvals, and confirmations of the holds after a restore, are those of their entries."""
    asked = select(proposal_approvals, proposals.c.id.label("of")).outerjoin(
        proposals, proposals.c.key == proposal_approvals.c.proposal
    )
    for rows, done in (
        (asked.order_by(proposal_approvals.c.key), said.approvals),
        (select(hold_confirmations).order_by(hold_confirmations.c.key), said.confirmed),
    ):
        yield from compared(
            tx.execute(rows),
            done,
            key=lambda row: row.entry,
            where=by_entry,
            missing=lambda one: f"entry {one}",
        )


# -- transfers ---------------------------------------------------------------------------------------------


def _transfers(tx: Tx, said: _Said) -> Wrong:
    """5. Bags, what was in them and the receipts for them are those of their entries."""
    asked = select(transfers, proposals.c.id.label("of")).outerjoin(
        proposals, proposals.c.key == transfers.c.proposal
    )
    yield from compared(
        tx.execute(asked.order_by(transfers.c.key)),
        said.transfers,
        key=lambda row: row.entry,
        where=by_entry,
        missing=lambda one: f"entry {one}",
    )
    inside = (
        select(
            transfer_records.c.transfer,
            records.c.id,
            transfer_records.c.files,
            transfers.c.entry.label("packed"),
        )
        .join(records, records.c.key == transfer_records.c.record)
        .outerjoin(transfers, transfers.c.key == transfer_records.c.transfer)
        .order_by(transfer_records.c.transfer, records.c.id)
    )
    held = {
        row.packed: rows for _, rows, row in roots(tx, inside, lambda row: leaf(bytes(row.id), row.files))
    }
    for entry, act in said.packed.items():
        rows = held.pop(entry, _NONE)
        stated = (act.facts["n"], act.detail.get("listed", rows.root.hex()))
        if stated != (rows.n, rows.root.hex()):
            yield (MISSING if rows.n < act.facts["n"] else ALTERED), NOT_ALL, f"entry {entry}"
    for entry in held:
        yield ALTERED, NOT_ALL, f"entry {entry}"

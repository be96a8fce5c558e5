"""Proposals as they can be read: what is to be disposed of, why, who approved it, and how it stands.

Nothing is changed here. Who, why, the authority and each record's grounds are
read from the entry of the proposal; the rows hold numbers, days and states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from app.capture import deeds
from app.capture.deeds import Told
from app.db import Tx
from app.disposition import chain
from app.disposition.chain import Step, Taken
from app.disposition.refusals import WITHDRAWN_ON_RECHECK, NoSuchProposal
from app.records.nouns import Role
from app.retention.editions import Edition
from app.retention.schedule import Series
from app.store import disposals, quarantine
from app.store.canonical import canonical, plain
from app.store.disposals import AUTHORISED, DESTROYED, VERIFIED, WITHDRAWN, Batch, NoSuchBatch
from app.store.store import Store
from app.store.tables import (
    disposal_records,
    proposal_approvals,
    proposal_records,
    proposals,
    records,
    tombstones,
    transfers,
)
from app.store.tables import disposals as batches

PROPOSED, APPROVED, EXECUTING, EXECUTED = "proposed", "approved", "executing", "executed"
REJECTED = "rejected"
ENDED = (EXECUTED, REJECTED, WITHDRAWN)
DESTROY, TRANSFER, ORDER = "destroy", "transfer", "order"
TYPE = "disposition"
"""The type of the entries: proposed, approved, rejected, withdrawn, left out, begun, packed, accepted, confirmed."""
NO_EDITION = bytes(32)
"""In the place of an edition where an order stands outside every schedule."""
_ASK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's approval: `counts` while edition and list are what was approved."""

    officer: UUID
    step: int
    role: Role
    at: datetime
    why: str
    instrument: str
    entry: int
    digest: bytes
    counts: bool

    def taken(self) -> Taken:
        return Taken(self.officer, self.step, self.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """A bag that was packed for the archives, and their receipt."""

    key: int
    entry: int
    at: datetime
    bag: bytes
    records: int
    as_of: int
    """How many entries the ledger had when the records were read that were packed."""
    receipt_entry: int | None
    receipt: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed for disposal, as it stands."""

    key: int
    id: UUID
    entry: int
    kind: str
    by: UUID
    at: datetime
    why: str
    series: str
    on: date
    edition: bytes
    records: int
    """How many are on the list now."""
    shown: int
    """The same without those in quarantine, which are counted nowhere and destroyed by no one."""
    stayed: int
    """How many were eligible by their dates and were not put on it; why is told to nobody here."""
    left_out: int
    """How many were left out by name: when it was proposed, or taken off the list since; none in quarantine is counted."""
    waiting_days: int
    state: str
    state_entry: int
    opens_on: date | None
    detail: Mapping[str, Any]
    approvals: Sequence[Approval] = ()
    transfer: Transferred | None = None
    batch: Batch | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(Step(tuple(Role(role) for role in step)) for step in self.detail["chain"])

    @property
    def proposed_first_step(self) -> bool:
        """Whether the proposal itself was the first step of the chain."""
        return bool(self.detail["first_step"])

    @property
    def standing(self) -> tuple[Taken, ...]:
        """The steps that were taken and still count."""
        return tuple(one.taken() for one in self.approvals if one.counts)

    @property
    def waits_for(self) -> Step | None:
        """Whose approval comes next; None where all are there."""
        number = chain.waits_for(self.steps, self.standing, proposed=self.proposed_first_step)
        return None if number is None else self.steps[number]

    @property
    def final(self) -> bool:
        """Whether no copy of the keys is left that could open what was destroyed."""
        return self.batch is not None and self.batch.final_entry is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A record on a list: why it is there, and what became of it."""

    key: int
    id: UUID
    grounds: Mapping[str, Any] = field(default_factory=dict)
    became: str | None = None
    left_out: bool = False


def get(store: Store, tx: Tx, which: str | UUID) -> Proposal:
    """The proposal of that id, or `NoSuchProposal`."""
    try:
        identity = which if isinstance(which, UUID) else UUID(which.strip())
    except ValueError:
        raise _none(which) from None
    row = tx.execute(select(proposals).where(proposals.c.id == identity.bytes)).one_or_none()
    if row is None:
        raise _none(which)
    return _read(store, tx, [row])[0]


def _none(which: object) -> NoSuchProposal:
    return NoSuchProposal(
        f"no proposal {str(which)[:80]!r} was made", next="List them: muniment disposition list."
    )


def listed(store: Store, tx: Tx, *, after: int | None = None, limit: int = 100) -> list[Proposal]:
    """The log of dispositions, the newest first; `after` is the key to go on after."""
    asked = select(proposals).order_by(proposals.c.key.desc()).limit(limit)
    if after is not None:
        asked = asked.where(proposals.c.key < after)
    return _read(store, tx, tx.execute(asked).all())


def count(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(proposals)).scalar_one())


def listed_ever(tx: Tx, proposal: Proposal) -> int:
    """How many records were put on a list, those that were taken off it among them."""
    asked = select(func.count()).where(
        proposal_records.c.proposal == proposal.key, quarantine.outside(proposal_records.c.record)
    )
    return int(tx.execute(asked).scalar_one())


def in_state(store: Store, tx: Tx, *states: str) -> list[Proposal]:
    """Those that stand so, the oldest first."""
    asked = select(proposals).where(proposals.c.state.in_(states)).order_by(proposals.c.key)
    return _read(store, tx, tx.execute(asked).all())


def _read(store: Store, tx: Tx, rows: Sequence[Any]) -> list[Proposal]:
    keys = [row.key for row in rows]
    listed_now = (
        select(proposal_records.c.proposal, func.count().label("n"))
        .where(proposal_records.c.proposal.in_(keys), proposal_records.c.out_entry.is_(None))
        .group_by(proposal_records.c.proposal)
    )
    numbers: dict[int, int] = {one.proposal: one.n for one in tx.execute(listed_now)}
    open_ = listed_now.where(quarantine.outside(proposal_records.c.record))
    shown: dict[int, int] = {one.proposal: one.n for one in tx.execute(open_)}
    off = (
        select(proposal_records.c.proposal, func.count().label("n"))
        .where(
            proposal_records.c.proposal.in_(keys),
            proposal_records.c.out_entry.is_not(None),
            quarantine.outside(proposal_records.c.record),
        )
        .group_by(proposal_records.c.proposal)
    )
    left_out: dict[int, int] = {one.proposal: one.n for one in tx.execute(off)}
    taken_off = (
        select(proposal_records.c.proposal, func.max(proposal_records.c.out_entry).label("last"))
        .where(proposal_records.c.proposal.in_(keys), proposal_records.c.out_entry.is_not(None))
        .group_by(proposal_records.c.proposal)
    )
    shortened: dict[int, int] = {one.proposal: one.last for one in tx.execute(taken_off)}
    approved = tx.execute(
        select(proposal_approvals)
        .where(proposal_approvals.c.proposal.in_(keys))
        .order_by(proposal_approvals.c.key)
    ).all()
    moved = tx.execute(
        select(transfers).where(transfers.c.proposal.in_(keys)).order_by(transfers.c.key)
    ).all()
    said = deeds.told(
        store,
        tx,
        [row.entry for row in rows] + [row.entry for row in approved] + [row.entry for row in moved],
    )
    found = []
    for row in rows:
        identity = UUID(bytes=bytes(row.id))
        last = next((one for one in reversed(moved) if one.proposal == row.key), None)
        found.append(
            Proposal(
                key=row.key,
                id=identity,
                entry=row.entry,
                kind=row.kind,
                by=UUID(bytes=bytes(row.officer)),
                at=said[row.entry].at,
                why=said[row.entry].why,
                series=row.series,
                on=date.fromisoformat(row.on_day),
                edition=bytes(row.edition),
                records=numbers.get(row.key, 0),
                shown=shown.get(row.key, 0),
                stayed=row.stayed,
                left_out=left_out.get(row.key, 0) + int(str(said[row.entry].detail.get("without") or 0)),
                waiting_days=row.waiting_days,
                state=row.state,
                state_entry=row.state_entry,
                opens_on=None if row.opens_on is None else date.fromisoformat(row.opens_on),
                detail=said[row.entry].detail,
                approvals=[
                    _approval(one, said, shortened.get(row.key, -1))
                    for one in approved
                    if one.proposal == row.key
                ],
                transfer=None if last is None else _transfer(last, said),
                batch=_batch(tx, identity),
            )
        )
    return found


def _approval(row: Any, said: Mapping[int, Told], shortened: int) -> Approval:
    """An approval; of a list from which something was taken afterwards (`shortened`) it is none any more."""
    told = said[row.entry]
    return Approval(
        officer=UUID(bytes=bytes(row.officer)),
        step=row.step,
        role=Role(row.role),
        at=told.at,
        why=told.why,
        instrument=told.text("instrument"),
        entry=row.entry,
        digest=bytes(row.digest),
        counts=row.entry > shortened,
    )


def _transfer(row: Any, said: Mapping[int, Told]) -> Transferred:
    return Transferred(
        key=row.key,
        entry=row.entry,
        at=said[row.entry].at,
        bag=bytes(row.bag),
        records=row.n,
        as_of=int(str(said[row.entry].detail["as_of"])),
        receipt_entry=row.receipt_entry,
        receipt=None if row.receipt is None else bytes(row.receipt),
    )


def _batch(tx: Tx, identity: UUID) -> Batch | None:
    try:
        return disposals.batch(tx, identity)
    except NoSuchBatch:
        return None


# -- the list ----------------------------------------------------------------------------------------------


def ids(tx: Tx, proposal: int) -> list[bytes]:
    """The ids of the records on the list now."""
    asked = (
        select(records.c.id)
        .join(proposal_records, proposal_records.c.record == records.c.key)
        .where(proposal_records.c.proposal == proposal, proposal_records.c.out_entry.is_(None))
        .order_by(records.c.key)
    )
    return [bytes(one) for one in tx.execute(asked).scalars()]


def leaf(identity: bytes, number: int) -> bytes:
    """A record of a list with a number of its own: of its grounds, or of how many files were packed of it."""
    return identity + str(number).encode()


def digest_of(tx: Tx, proposal: Proposal) -> bytes:
    """What an approval is an approval of: this edition, and exactly these records."""
    told = {
        "proposal": proposal.id.hex,
        "edition": proposal.edition.hex(),
        "records": disposals.root(ids(tx, proposal.key)).hex(),
    }
    return hashlib.sha256(b"muniment-proposal/1\n" + canonical(told)).digest()


def fingerprint(edition: Edition, series: Series) -> bytes:
    """The digest of an edition as far as it governs a series: another rule, chain or instrument makes another digest."""
    schedule = edition.schedule
    told = {
        "name": schedule.name,
        "edition": schedule.edition,
        "effective": schedule.effective,
        "fiscal_year": schedule.fiscal_year_starts,
        "waiting_days": schedule.waiting_days,
        "approvals": list(schedule.approvals),
        "authorisation": schedule.authorisation,
        "instrument": edition.instrument,
        "adopted_on": edition.adopted_on,
        "series": {
            name: value for name, value in msgspec.to_builtins(series).items() if name not in ("line", "rule")
        },
        "rule": [type(series.rule).__name__, series.rule],
    }
    return hashlib.sha256(
        b"muniment-edition/1\n" + canonical(plain(msgspec.to_builtins(told, str_keys=True)))
    ).digest()


class Prints:
    """The digests of editions, each reckoned once for the many decisions that rest on it."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Edition, Series, bytes]] = {}

    def of(self, edition: Edition, series: Series) -> bytes:
        """The digest of an edition as far as it governs a series."""
        which = (
            id(edition),
            id(series),
        )  # the very objects: they are kept here, so that no other takes their place
        if which not in self._known:
            self._known[which] = edition, series, fingerprint(edition, series)
        return self._known[which][2]


def of_list(tx: Tx, proposal: Proposal, *, after: int = 0, limit: int = 100) -> Sequence[Listed]:
    """The records of a list in the order of their keys, with their grounds and what became of them.

    What is in quarantine by now is not among them.
    """
    asked = (
        select(
            records.c.key, records.c.id, proposal_records.c.ground, proposal_records.c.out_entry,
            disposal_records.c.state,
        )
        .join(proposal_records, proposal_records.c.record == records.c.key)
        .outerjoin(batches, batches.c.id == proposal.id.bytes)
        .outerjoin(
            disposal_records,
            (disposal_records.c.batch == batches.c.key) & (disposal_records.c.record == records.c.key),
        )
        .where(
            proposal_records.c.proposal == proposal.key,
            records.c.key > after,
            quarantine.outside(records.c.key),
        )
        .order_by(records.c.key)
        .limit(limit)
    )  # fmt: skip
    grounds = proposal.detail["grounds"]
    return [
        Listed(
            key=row.key,
            id=UUID(bytes=bytes(row.id)),
            grounds=grounds[row.ground] if row.ground < len(grounds) else {},
            became=row.state,
            left_out=row.out_entry is not None,
        )
        for row in tx.execute(asked)
    ]


def excluded(tx: Tx, identity: UUID) -> Iterator[UUID]:
    """The records of a batch that stayed, but for those in quarantine."""
    asked = (
        select(records.c.id)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .join(batches, batches.c.key == disposal_records.c.batch)
        .where(
            batches.c.id == identity.bytes,
            disposal_records.c.state == WITHDRAWN,
            quarantine.outside(records.c.key),
        )
        .order_by(records.c.key)
    )
    for one in tx.execute(asked).scalars():
        yield UUID(bytes=bytes(one))


def destroyed(batch: Batch | None) -> int:
    """How many records of a batch have their tombstones."""
    return 0 if batch is None else batch.number(DESTROYED) + batch.number(VERIFIED)


def waiting(batch: Batch | None) -> int:
    """How many records of a batch are still to be destroyed."""
    return 0 if batch is None else batch.number(AUTHORISED)


def spoken_for(tx: Tx, keys: Sequence[int]) -> set[int]:
    """Those of these records that were disposed of, or stand on a list or in a batch that has not ended."""
    found: set[int] = set()
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        for asked in (
            select(tombstones.c.record).where(tombstones.c.record.in_(part)),
            select(disposal_records.c.record).where(
                disposal_records.c.record.in_(part), disposal_records.c.state != WITHDRAWN
            ),
            select(proposal_records.c.record)
            .join(proposals, proposals.c.key == proposal_records.c.proposal)
            .where(
                proposal_records.c.record.in_(part),
                proposal_records.c.out_entry.is_(None),
                proposals.c.state == PROPOSED,
            ),
        ):
            found |= set(tx.execute(asked).scalars())
    return found


__all__ = ["WITHDRAWN_ON_RECHECK", "Approval", "Listed", "Proposal", "Transferred"]

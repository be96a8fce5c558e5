"""Matters, holds, notices and quarantines held against the acts that wrote them: what fixity asks of this room.

Everything here is told in the same words and by random ids alone, so that a
finding does not say whether a silent matter is concerned. What a hold covers
follows what is captured and is no act of anybody: it is held against the scope
and the numbers that were stated when the hold was placed, and whoever destroys
judges the records themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.db import Tx, to_instant
from app.holds import acts
from app.holds.placing import MATCHED, NAMED, UNDECIDED
from app.store.accounts import ALTERED, MISSING, Wrong
from app.store.hearing import NO_ROW, NOT_AS_DONE, NOT_DONE, Heard, by_entry, compared, heard, whole
from app.store.store import Store
from app.store.tables import (
    custodians,
    hold_consents,
    hold_notices,
    hold_records,
    holds,
    matter_acts,
    matter_members,
    matters,
    pages,
    quarantines,
    records,
    releases,
)

LOOK = "counsel"
"""What fixity calls this look."""
Done = dict[Any, dict[str, object]]


def wrong(store: Store) -> Wrong:
    """Whatever the rows of this room say that nobody did, or no longer say although somebody did."""
    with store.database.read() as tx:
        said = _Said()
        for act in heard(store, tx, acts.TYPE, "quarantine"):
            said.take(act)
        yield from _matters(tx, said)
        yield from _known(tx, said)
        yield from _holds(tx, said)
        yield from _covered(tx, said)
        yield from _notices(tx, said)
        yield from _quarantines(tx, said)


@dataclass(slots=True)
class _Said:
    """What was done, as the rows should have it; matters, holds and people by their ids."""

    acts: dict[int, tuple[bytes | None, bytes | None]] = field(default_factory=dict)
    """Each act, with the matter that it is about itself, and the hold."""
    matters: Done = field(default_factory=dict)
    members: Done = field(default_factory=dict)
    custodians: Done = field(default_factory=dict)
    addresses: dict[bytes, str] = field(default_factory=dict)
    holds: Done = field(default_factory=dict)
    scopes: dict[bytes, Mapping[str, Any]] = field(default_factory=dict)
    rows: dict[bytes, Mapping[str, int]] = field(default_factory=dict)
    consents: Done = field(default_factory=dict)
    releases: Done = field(default_factory=dict)
    pending: dict[bytes, dict[str, object]] = field(default_factory=dict)
    notices: Done = field(default_factory=dict)
    told: dict[bytes, str] = field(default_factory=dict)
    quarantines: Done = field(default_factory=dict)

    def take(self, act: Heard) -> None:
        if act.type == "quarantine":
            self._cut_off(act)
            return
        hold = _id(act.detail.get("hold"))
        about = None if hold or not act.act else (_id(act.detail.get("matter")) or act.subject)
        self.acts[act.entry] = about, hold
        if about is not None:
            self._of_matter(act, about)
        elif hold is not None:
            self._of_hold(act, hold)

    def _of_matter(self, act: Heard, matter: bytes) -> None:
        detail = act.detail
        match act.act:
            case "matter:opened":
                self.matters[matter] = {"entry": act.entry, "silent": detail["silent"], "closed_entry": None}
                for one in detail.get("members") or [str(UUID(bytes=act.by))] * (act.by is not None):
                    self.members[matter, _id(one), act.entry] = {"ended_entry": None}
            case "matter:closed":
                self.matters[matter]["closed_entry"] = act.entry
            case "matter:member":
                self.members[matter, _id(detail["member"]), act.entry] = {"ended_entry": None}
            case "matter:member-left":
                for (of, who, _), row in self.members.items():
                    if (of, who) == (matter, _id(detail["member"])) and row["ended_entry"] is None:
                        row["ended_entry"] = act.entry
            case "matter:custodian":
                one = UUID(detail["custodian"]).bytes
                self.custodians[one] = {"of": matter, "entry": act.entry, "ended_entry": None}
                self.addresses[one] = detail["email"]
            case "matter:custodian-left":
                self.custodians[UUID(detail["custodian"]).bytes]["ended_entry"] = act.entry
            case _:
                pass

    def _of_hold(self, act: Heard, hold: bytes) -> None:
        detail = act.detail
        match act.act:
            case "hold:placed":
                self.holds[hold] = {
                    "of": _id(detail.get("matter")),
                    "request": _id(detail.get("request")),
                    "entry": act.entry,
                    "released_entry": None,
                }
                self.scopes[hold], self.rows[hold] = detail["scope"], detail.get("rows", {})
            case "hold:consent":
                self.consents[hold, _id(detail["page"])] = {"entry": act.entry}
            case "hold:release-asked":
                self.pending[hold] = {
                    "of": hold,
                    "asked_by": act.by,
                    "approved_entry": None,
                    "effective_at": None,
                    "ended_entry": None,
                }
                self.releases[act.entry] = self.pending[hold]
            case "hold:release-approved":
                effective = datetime.fromisoformat(detail["effective"])
                self.pending[hold] |= {"approved_entry": act.entry, "effective_at": to_instant(effective)}
            case "hold:release-cancelled":
                self.pending.pop(hold)["ended_entry"] = act.entry
            case "hold:released":
                self.holds[hold]["released_entry"] = act.entry
                if hold in self.pending:
                    self.pending.pop(hold)["ended_entry"] = act.entry
                for row in self.notices.values():
                    if row["of"] == hold and row["ended_entry"] is None:
                        row["ended_entry"] = act.entry
            case _ if "notice" in detail:
                self._of_notice(act, hold, UUID(detail["notice"]).bytes)
            case _:
                pass

    def _of_notice(self, act: Heard, hold: bytes, notice: bytes) -> None:
        match act.act:
            case "notice:given":
                self.told[notice] = act.detail["to"]
                if "instead" in act.detail:
                    self.notices[UUID(act.detail["instead"]).bytes]["ended_entry"] = act.entry
                self.notices[notice] = {
                    "of": hold,
                    "entry": act.entry,
                    "kind": act.detail["kind"],
                    "sent_entry": None,
                    "letters": 0,
                    "acknowledged_entry": None,
                    "ended_entry": None,
                }
            case "notice:sent":
                row = self.notices[notice]
                row |= {"sent_entry": act.entry, "letters": int(str(row["letters"])) + 1}
            case "notice:acknowledged":
                self.notices[notice]["acknowledged_entry"] = act.entry
            case _:
                pass

    def _cut_off(self, act: Heard) -> None:
        """Which record it was stands sealed; the entries of earlier versions name it in the clear."""
        named = act.facts.get("item") or act.detail.get("item")
        item = bytes.fromhex(named) if isinstance(named, str) else None
        if act.act == "ended":
            for began, row in self.quarantines.items():
                if row["ended_entry"] is None and (
                    began == act.facts["of"] if "of" in act.facts else row.get("item") == item
                ):
                    row["ended_entry"] = act.entry
            return
        said: dict[str, object] = {"ended_entry": None}
        if item is not None:
            said["item"] = item
        if not act.untold:
            by, named_too = act.detail["access"]
            said |= {"ordered_by": _id(by), "named": _id(named_too)}
        self.quarantines[act.entry] = said


def _id(value: object) -> bytes | None:
    return UUID(value).bytes if isinstance(value, str) else None


# -- matters and their people ------------------------------------------------------------------------------


def _matters(tx: Tx, said: _Said) -> Wrong:
    """1. Matters, their members and custodians are those of their acts."""
    yield from compared(
        tx.execute(select(matters).order_by(matters.c.key)),
        said.matters,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )
    members = select(matter_members, matters.c.id.label("of")).outerjoin(
        matters, matters.c.key == matter_members.c.matter
    )
    yield from compared(
        tx.execute(members.order_by(matter_members.c.key)),
        said.members,
        key=lambda row: (row.of, row.officer, row.entry),
        where=by_entry,
        missing=lambda one: f"entry {one[2]}",
    )
    named = select(custodians, matters.c.id.label("of")).outerjoin(
        matters, matters.c.key == custodians.c.matter
    )
    yield from compared(
        tx.execute(named.order_by(custodians.c.key)),
        said.custodians,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )


def _known(tx: Tx, said: _Said) -> Wrong:
    """2. Each act is known on the matter and the hold that it is about, and what is about nothing says so."""
    keys = {bytes(row.id): row.key for row in tx.execute(select(matters.c.id, matters.c.key))}
    of = {bytes(row.id): row.matter for row in tx.execute(select(holds.c.id, holds.c.matter))}
    done: Done = {}
    for entry, (about, hold) in said.acts.items():
        matter = of.get(hold) if hold is not None else keys.get(about or b"")
        done[entry] = {"matter": matter, "hold": hold, "empty": about is None and hold is None}
    yield from compared(
        tx.execute(select(matter_acts).order_by(matter_acts.c.entry)),
        done,
        key=lambda row: row.entry,
        where=by_entry,
        missing=lambda one: f"entry {one}",
    )


# -- holds -------------------------------------------------------------------------------------------------


def _holds(tx: Tx, said: _Said) -> Wrong:
    """3. Holds, consents and releases are those of their acts."""
    placed = select(holds, matters.c.id.label("of")).outerjoin(matters, matters.c.key == holds.c.matter)
    rows = tx.execute(placed.order_by(holds.c.key)).all()
    yield from compared(
        rows,
        said.holds,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )
    for row in rows:  # of a matter that is not there: an outer join tells it as none
        if row.matter is not None and row.of is None:
            yield ALTERED, NOT_AS_DONE, whole(row)
    consents = (
        select(hold_consents, holds.c.id.label("of"), pages.c.id.label("page_id"))
        .outerjoin(holds, holds.c.key == hold_consents.c.hold)
        .outerjoin(pages, pages.c.key == hold_consents.c.page)
    )
    yield from compared(
        tx.execute(consents),
        said.consents,
        key=lambda row: (row.of, row.page_id),
        where=lambda row: bytes(row.of).hex() if row.of is not None else by_entry(row),
        missing=lambda one: bytes(one[0]).hex(),
    )
    asked = select(releases, holds.c.id.label("of")).outerjoin(holds, holds.c.key == releases.c.hold)
    yield from compared(
        tx.execute(asked.order_by(releases.c.key)),
        said.releases,
        key=lambda row: row.asked_entry,
        where=lambda row: f"entry {row.asked_entry}",
        missing=lambda one: f"entry {one}",
    )


def _covered(tx: Tx, said: _Said) -> Wrong:
    """4. A hold covers no fewer records than when it was placed; every row is of a hold and a record that are there."""
    ids = {row.key: bytes(row.id) for row in tx.execute(select(holds.c.key, holds.c.id))}
    counted: dict[bytes, Counter[str]] = {one: Counter() for one in said.holds}
    asked = select(hold_records.c.hold, hold_records.c.basis, func.count())
    for hold, basis, number in tx.execute(asked.group_by(hold_records.c.hold, hold_records.c.basis)):
        identity = ids.get(hold, b"")
        if identity not in counted or basis not in (MATCHED, UNDECIDED, NAMED):
            yield ALTERED, NOT_DONE, identity.hex()
        else:
            counted[identity][basis] += number
    for identity, numbers in counted.items():
        if any(numbers[basis] < number for basis, number in said.rows[identity].items()):
            yield MISSING, NO_ROW, identity.hex()
    lost = (
        select(hold_records.c.hold)
        .outerjoin(records, records.c.key == hold_records.c.record)
        .where(records.c.key.is_(None))
        .distinct()
    )
    for hold in tx.execute(lost).scalars():
        yield ALTERED, NOT_DONE, ids.get(hold, b"").hex()
    yield from _named(tx, ids, said)


def _named(tx: Tx, ids: Mapping[int, bytes], said: _Said) -> Wrong:
    """What a scope names is covered as named, as far as it was there to be held; nothing else is."""
    for key, identity in ids.items():
        wanted = {_id(one) for one in said.scopes.get(identity, {}).get("records", ())}
        asked = (
            select(records.c.id)
            .join(hold_records, hold_records.c.record == records.c.key)
            .where(hold_records.c.hold == key, hold_records.c.basis == NAMED)
        )
        there = {bytes(one) for one in tx.execute(asked).scalars()}
        stated = said.rows.get(identity, {}).get(NAMED, len(wanted))
        if not there <= wanted or len(there) != stated:
            yield ALTERED, NOT_AS_DONE, identity.hex()


# -- notices -----------------------------------------------------------------------------------------------


def _notices(tx: Tx, said: _Said) -> Wrong:
    """5. Notices were given, sent and acknowledged as their acts say, to whom they say."""
    asked = (
        select(hold_notices, holds.c.id.label("of"), custodians.c.id.label("whom"))
        .outerjoin(holds, holds.c.key == hold_notices.c.hold)
        .outerjoin(custodians, custodians.c.key == hold_notices.c.custodian)
        .order_by(hold_notices.c.key)
    )
    rows = tx.execute(asked).all()
    yield from compared(
        rows,
        said.notices,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )
    for row in rows:
        whom = said.addresses.get(bytes(row.whom)) if row.whom is not None else None
        if whom is None or whom != said.told.get(bytes(row.id)):
            yield ALTERED, NOT_AS_DONE, whole(row)


# -- quarantines -------------------------------------------------------------------------------------------


def _quarantines(tx: Tx, said: _Said) -> Wrong:
    """6. Quarantines began and ended as their entries say, with access for whom they name."""
    asked = select(quarantines, records.c.id.label("item")).outerjoin(
        records, records.c.key == quarantines.c.record
    )
    yield from compared(
        tx.execute(asked.order_by(quarantines.c.key)),
        said.quarantines,
        key=lambda row: row.entry,
        where=by_entry,
        missing=lambda one: f"entry {one}",
    )

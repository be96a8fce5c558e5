"""Placing holds: what a scope covers is looked for beforehand, and the hold is there with its entry.

The order is what keeps it safe. The looking takes no lock and may take a while.
Then, under the ledger's lock, what was captured meanwhile is looked at too, and
entry, hold and rows are written in one transaction. From its commit on the hold
is seen by whoever destroys: they look under the same lock, and at the records'
own content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app import officers
from app.capture import deeds
from app.db import Tx, from_instant, key_of
from app.db.database import lock_ledger
from app.holds import acts, covering, finding, losses, matters, near
from app.holds.finding import NOT_REACHED, Found
from app.holds.losses import Loss
from app.holds.matters import Matter
from app.holds.near import NearMiss
from app.holds.scopes import Met, Scope
from app.index.engine import Engine
from app.index.keys import Keys
from app.index.printer import show
from app.records.errors import NotFound
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store import quarantine
from app.store.store import Store
from app.store.tables import hold_records, holds, records, releases, tombstones
from app.store.tables import matters as matters_table

MATCHED, UNDECIDED, NAMED = "matched", "undecided", "named"
_ASK = 500


class NoSuchHold(NotFound):
    """No hold of that id is there, or none that you may know of."""

    code = "no-such-hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A release that was asked for: by whom, and from when on it takes effect where it was approved."""

    key: int
    asked_by: UUID
    asked_entry: int
    effective_at: datetime | None

    @property
    def approved(self) -> bool:
        return self.effective_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold as it stands. `matter` is None for the hold of a records request."""

    key: int
    id: UUID
    matter: int | None
    request: UUID | None
    scope: Scope
    understood: str
    entry: int
    at: datetime
    by: UUID | None
    why: str
    reached: int
    released: bool
    pending: Pending | None = None

    @property
    def state(self) -> str:
        """`active`, `release-asked`, `release-approved` or `released`; until the last it protects."""
        if self.released:
            return "released"
        if self.pending is None:
            return "active"
        return "release-approved" if self.pending.approved else "release-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a scope would cover, what is just outside it, and what was disposed of before."""

    understood: str
    covers: int
    by_basis: Mapping[str, int]
    undecided: Mapping[str, int]
    near: Sequence[NearMiss]
    lost: Sequence[Loss]
    messages: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A hold that was just placed."""

    hold: Hold
    covers: int
    by_basis: Mapping[str, int]
    lost: Sequence[Loss]
    messages: bool
    not_reached: int = 0


@dataclass(frozen=True, slots=True)
class Covered:
    """A record that a hold covers: why, and by what it is read."""

    record: UUID
    key: int
    basis: str


@dataclass(frozen=True, slots=True)
class Part:
    """Some of what a hold covers; `next` is the key to go on after, None at the end."""

    records: Sequence[Covered]
    total: int
    next: int | None = field(default=None)


# -- looking beforehand ------------------------------------------------------------------------------------


def preview(
    store: Store, engine: Engine, matter: Matter, scope: Scope, *, by: Officer
) -> tuple[Found, Preview]:
    """What a hold of that scope would cover; the look is an act on the matter."""
    messages = by.may(Role.MESSAGES)
    with store.database.read() as tx:
        matters.must_be_open(matters.may_work_on(store, tx, matter, by))
    found, tree = finding.find(store, engine, scope, by=by), scope.understood()
    missed = near.near_misses(store, engine, tree, found.keys(), messages=messages) if tree else []
    with store.database.begin() as tx:
        lost = losses.possibly_disposed(tx, tree)
        told = _told(tx, found, scope, missed, lost, messages=messages)
        acts.note(
            store, tx, "hold:previewed", matter=matter.key, by=by.id, why="a hold was thought over",
            detail={"scope": scope.as_json(), "covers": told.covers}, subject=matter.id,
        )  # fmt: skip
    return found, told


def _told(
    tx: Tx,
    found: Found,
    scope: Scope,
    missed: Sequence[NearMiss],
    lost: Sequence[Loss],
    *,
    messages: bool,
) -> Preview:
    by_basis = {MATCHED: found.matched, UNDECIDED: Keys.of(found.undecided), NAMED: found.named}
    reasons = found.reasons()
    unseen = finding.uncounted(tx, messages=messages)
    by_basis = {name: keys - unseen for name, keys in by_basis.items()}
    for key in unseen & Keys.of(found.undecided):
        reasons[found.undecided[key]] -= 1
    whole = by_basis[MATCHED] | by_basis[UNDECIDED] | by_basis[NAMED]
    tree = scope.understood()
    return Preview(
        understood=show(tree) if tree is not None else "",
        covers=len(whole),
        by_basis={name: len(keys) for name, keys in by_basis.items()},
        undecided=reasons,
        near=missed,
        lost=lost,
        messages=messages,
    )


# -- placing -----------------------------------------------------------------------------------------------


def place(
    store: Store, tx: Tx, matter: Matter, scope: Scope, found: Found, *, by: Officer, why: str
) -> Placed:
    """Place a hold on what `find` found for this scope, and on whatever was captured since.

    The answer tells what it covers, and what may have been disposed of before.
    """
    lock_ledger(tx)
    matters.must_be_open(matters.may_work_on(store, tx, matter, by))
    hold = written(store, tx, scope, found, matter=matter.key, request=None, by=by.id, why=why)
    return answer(store, tx, hold, found, messages=by.may(Role.MESSAGES))


def written(
    store: Store,
    tx: Tx,
    scope: Scope,
    found: Found,
    *,
    matter: int | None,
    request: UUID | None,
    by: UUID | None,
    why: str,
) -> Hold:
    """Write entry, hold and rows. The caller MUST have the ledger's lock, and have asked whether it may."""
    tree, identity = scope.understood(), new_id()
    size = store.ledger.size(tx)
    late = _since(store, tx, scope, found) if found.size < size else {}
    buried = _buried(tx)
    named = found.named - buried
    matched = (found.matched - buried) | Keys.of(one for one, value in late.items() if value is Met.YES)
    undecided = Keys.of(one for one, reason in found.undecided.items() if reason != NOT_REACHED) - buried
    undecided |= Keys.of(one for one, value in late.items() if value is Met.UNDECIDED)
    rows = {NAMED: named, MATCHED: matched - named, UNDECIDED: undecided - matched - named}
    of = select(matters_table.c.id).where(matters_table.c.key == matter)
    entry = acts.note(
        store,
        tx,
        "hold:placed",
        matter=matter,
        hold=identity,
        by=by,
        why=why,
        detail={
            "scope": scope.as_json(),
            "understood": show(tree) if tree is not None else "",
            "rows": {basis: len(keys) for basis, keys in rows.items()},
            **({"matter": str(UUID(bytes=bytes(tx.execute(of).scalar_one())))} if matter is not None else {}),
            **({"request": str(request)} if request else {}),
        },
        subject=identity,
    )
    behind = any(why == NOT_REACHED for why in found.undecided.values())
    made = tx.execute(
        insert(holds).values(
            id=identity.bytes,
            matter=matter,
            request=request.bytes if request else None,
            entry=entry,
            reached=found.size if behind else size,
        )
    )
    key = key_of(made)
    for basis, keys in rows.items():
        finding.cover(tx, key, keys, basis)
    return of_id(store, tx, identity)


def _since(store: Store, tx: Tx, scope: Scope, found: Found) -> dict[int, Met]:
    """What the scope says of records that were captured after the look and before the lock."""
    tree = scope.understood()
    if tree is None or any(why == NOT_REACHED for why in found.undecided.values()):
        return {}
    keys = list(tx.execute(finding.captured_since(found.size)).scalars())
    asked = covering.Active(0, UUID(int=0), None, 0, 0, scope, tree)
    return {key: told[asked] for key, told in covering.judged(store, tx, keys, [asked]).items()}


def _buried(tx: Tx) -> Keys:
    return Keys.of(tx.execute(select(tombstones.c.record)).scalars())


def answer(store: Store, tx: Tx, hold: Hold, found: Found, *, messages: bool) -> Placed:
    """What placing a hold answers."""
    del store
    by_basis = finding.covered(tx, hold.key, messages=messages)
    unread = Keys.of(key for key, why in found.undecided.items() if why == NOT_REACHED)
    not_reached = len(unread - finding.uncounted(tx, messages=messages))
    return Placed(
        hold=hold,
        covers=sum(by_basis.values()) + not_reached,
        by_basis=by_basis,
        lost=losses.possibly_disposed(tx, hold.scope.understood()),
        messages=messages,
        not_reached=not_reached,
    )


# -- reading -----------------------------------------------------------------------------------------------


def listed(store: Store, tx: Tx, *, by: Officer, matter: Matter | None = None) -> list[Hold]:
    """The holds that `by` may know of, the newest first."""
    asked = select(holds).order_by(holds.c.key.desc())
    if matter is not None:
        asked = asked.where(holds.c.matter == matter.key)
    known = {one.key for one in matters.listed(store, tx, by=by)}
    sees_requests = by.may(*matters.READERS)
    rows = [
        row for row in tx.execute(asked) if (row.matter in known if row.matter is not None else sees_requests)
    ]
    return _read(store, tx, rows)


def get(store: Store, tx: Tx, which: str, *, by: Officer) -> Hold:
    """The hold of that id, or `NoSuchHold`: also where its matter is one that `by` may not know of."""
    try:
        wanted = UUID(which.strip())
    except ValueError:
        wanted = UUID(int=0)
    for one in listed(store, tx, by=by):
        if one.id == wanted:
            return one
    raise NoSuchHold(f"no hold {which.strip()[:60]} is there", next="See muniment hold list.")


def of_id(store: Store, tx: Tx, identity: UUID) -> Hold:
    """The hold of that id, whoever may know of it: for the archive's own work."""
    rows = tx.execute(select(holds).where(holds.c.id == identity.bytes)).all()
    if not rows:
        raise NoSuchHold(f"no hold {identity} is there")
    return _read(store, tx, rows)[0]


def records_of(
    tx: Tx, hold: Hold, *, messages: bool, after: int = 0, limit: int = 50, basis: str | None = None
) -> Part:
    """Some of what a hold covers, in the order of keys, with the exact total; what is in quarantine is not told."""
    asked = (
        select(hold_records.c.record, hold_records.c.basis, records.c.id)
        .join(records, records.c.key == hold_records.c.record)
        .where(
            hold_records.c.hold == hold.key,
            hold_records.c.record > after,
            quarantine.outside(hold_records.c.record),
        )
        .order_by(hold_records.c.record)
    )
    if not messages:
        asked = asked.where(records.c.private.is_(False))
    if basis is not None:
        asked = asked.where(hold_records.c.basis == basis)
    rows = tx.execute(asked.limit(limit + 1)).all()
    counted = finding.covered(tx, hold.key, messages=messages)
    total = counted.get(basis, 0) if basis else sum(counted.values())
    told = [Covered(UUID(bytes=bytes(row.id)), row.record, row.basis) for row in rows[:limit]]
    return Part(told, total, told[-1].key if len(rows) > limit else None)


def must_be_active(hold: Hold) -> Hold:
    """The hold, unless it was released."""
    if hold.released:
        raise NoSuchHold(f"hold {hold.id} was released", next="See muniment hold list.")
    return hold


def may_work_on(store: Store, tx: Tx, hold: Hold, by: Officer) -> Matter | None:
    """The matter of a hold, if `by` may change what is on it; None for the hold of a request."""
    if hold.matter is None:
        officers.require(by, Role.ATTORNEY)
        return None
    return matters.may_work_on(store, tx, matters.of_key(store, tx, hold.matter, by=by), by)


def _read(store: Store, tx: Tx, rows: Sequence[Any]) -> list[Hold]:
    said = deeds.told(store, tx, [row.entry for row in rows])
    waiting: dict[int, Pending] = {}
    keys = [row.key for row in rows]
    for start in range(0, len(keys), _ASK):
        asked = select(releases).where(
            releases.c.hold.in_(keys[start : start + _ASK]), releases.c.ended_entry.is_(None)
        )
        for row in tx.execute(asked):
            waiting[row.hold] = Pending(
                key=row.key,
                asked_by=UUID(bytes=bytes(row.asked_by)),
                asked_entry=row.asked_entry,
                effective_at=from_instant(row.effective_at) if row.effective_at is not None else None,
            )
    found = []
    for row in rows:
        told = said[row.entry]
        given = told.detail.get("scope")
        found.append(
            Hold(
                key=row.key,
                id=UUID(bytes=bytes(row.id)),
                matter=row.matter,
                request=UUID(bytes=bytes(row.request)) if row.request is not None else None,
                scope=Scope.of(given if isinstance(given, dict) else {}),
                understood=told.text("understood"),
                entry=row.entry,
                at=told.at,
                by=told.by,
                why=told.why,
                reached=row.reached,
                released=row.released_entry is not None,
                pending=waiting.get(row.key),
            )
        )
    return found


# -- telling -----------------------------------------------------------------------------------------------


def as_json(hold: Hold, matter: Matter | None, counted: Mapping[str, int]) -> dict[str, object]:
    """A hold as programs read it; `counted` is how many records it covers, by basis, for whoever reads."""
    pending = hold.pending
    return {
        "id": str(hold.id),
        "matter": str(matter.id) if matter else None,
        "matter_name": matter.name if matter else None,
        "request": str(hold.request) if hold.request else None,
        "state": hold.state,
        "placed_at": hold.at.isoformat(),
        "why": hold.why,
        "scope": {**hold.scope.as_json(), "records": counted.get(NAMED, 0)},
        "understood": hold.understood,
        "release": {
            "approved": pending.approved,
            "effective_at": pending.effective_at.isoformat() if pending.effective_at else None,
        }
        if pending
        else None,
        "entry": hold.entry,
        "covers": sum(counted.values()),
    }


def placed_json(placed: Placed, matter: Matter | None) -> dict[str, object]:
    """What placing a hold answers, as programs read it."""
    return {
        "id": str(placed.hold.id),
        "matter": str(matter.id) if matter else None,
        "covers": placed.covers,
        "by_basis": dict(placed.by_basis),
        "not_reached": placed.not_reached,
        "messages": _messages(counted=placed.messages),
        "understood": placed.hold.understood,
        "possibly_disposed": losses.as_json(placed.lost),
        "entry": placed.hold.entry,
    }


def preview_json(told: Preview) -> dict[str, object]:
    """What a scope would cover, as programs read it."""
    return {
        "understood": told.understood,
        "covers": told.covers,
        "by_basis": dict(told.by_basis),
        "undecided": dict(told.undecided),
        "near_misses": near.as_json(told.near),
        "messages": _messages(counted=told.messages),
        "possibly_disposed": losses.as_json(told.lost),
    }


def _messages(*, counted: bool) -> str:
    """What the numbers say of private messages: a hold covers them, whoever placed it."""
    return "counted" if counted else "covered and not counted"

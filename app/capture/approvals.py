"""Who may approve pages, and on what authority: the chief, a designee with a recorded delegation, or a role.

What the agency's policy profile says decides. Where none is chosen, whoever
holds a role that decides pages may approve, as their role allows.

A delegation counts while it runs and as long as the chief who gave it is the
chief: a new chief delegates anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import insert, select, update

from app.capture import deeds, policy
from app.capture.policy import Policy
from app.db import Tx
from app.db.database import lock_ledger
from app.records.errors import Invalid, NotFound, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Page, Role
from app.store.store import Store
from app.store.tables import approvals, archive, delegations

POLICY, CHIEF = "policy", "chief"
DECIDES = (Role.ADMINISTRATOR, Role.RECORDS_OFFICER, Role.APPROVER)
"""The roles that decide pages."""
APPROVED, WITHDRAWN = "approved", "withdrawn"


class NotTheirApproval(Refused):
    """The policy gives the approval of pages to somebody else."""

    code = "approval-not-theirs"


class NoChief(Refused):
    """The policy gives the approval of pages to the chief, and nobody was named as chief."""

    code = "no-chief"


class DelegationNotAllowed(Refused):
    """The agency's policy lets nobody but the chief approve pages, or nobody may write this delegation down."""

    code = "delegation-not-allowed"


class NoSuchDelegation(NotFound):
    """No delegation of that id is recorded."""

    code = "no-such-delegation"


class CannotApprove(Invalid):
    """The officer is not here any more, or holds no role that decides pages."""

    code = "cannot-approve"


class Basis(StrEnum):
    """On what somebody's approval rests."""

    CHIEF = "chief"
    DELEGATION = "delegation"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Authority:
    """On what an approval rests; `delegation` is the number of the delegation's row where it rests on one."""

    basis: Basis
    delegation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """What the chief let another do, from which day to which, by what instrument."""

    key: int
    id: UUID
    given_by: UUID
    given_to: UUID
    since: date
    until: date | None
    instrument: str
    entry: int
    recorded_at: datetime
    recorded_by: UUID | None
    why: str
    ended_at: datetime | None = None
    ended_by: UUID | None = None
    ended_why: str = ""

    def runs(self, today: date) -> bool:
        """Whether it counts on that day."""
        return self.ended_at is None and self.since <= today and (self.until is None or today <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approval of a page, or its withdrawal."""

    act: str
    at: datetime
    by: UUID | None
    why: str
    authority: str
    delegation: UUID | None
    until: date | None
    entry: int


def decide(
    asked: Policy | None, officer: UUID, chief: UUID | None, given: Sequence[Delegation], today: date
) -> Authority:
    """Say on what authority `officer` approves a page on `today`, or raise `NotTheirApproval` or `NoChief`."""
    if asked is None:
        return Authority(Basis.ROLE)
    if chief is None:
        raise NoChief(
            f"{asked.title} ({asked.approval_citation}) gives the approval of pages to the chief, and nobody is named",
            next="`muniment policy chief EMAIL` says who the chief is.",
        )
    if officer == chief:
        return Authority(Basis.CHIEF)
    if asked.designee:
        for one in given:
            if (one.given_to, one.given_by) == (officer, chief) and one.runs(today):
                return Authority(Basis.DELEGATION, one.key)
    who = "the chief or a designee" if asked.designee else "the chief alone"
    raise NotTheirApproval(
        f"{asked.title} ({asked.approval_citation}) gives the approval of pages to {who}",
        next="Ask the chief to approve it"
        + (", or record the chief's delegation: `muniment policy delegate`." if asked.designee else "."),
    )


def authority(store: Store, tx: Tx, page: Page, officer: UUID) -> Authority:
    """On what authority the officer decides this page's approval, or the error that says why not."""
    asked = policy.of_page(page, of_agency(tx))
    return decide(asked, officer, chief(tx), listed(store, tx), deeds.today(store))


# -- the agency --------------------------------------------------------------------------------------------


def of_agency(tx: Tx) -> Policy | None:
    """The profile that the agency follows, or None."""
    name = _fact(tx, POLICY)
    return policy.named(name) if name else None


def use(store: Store, tx: Tx, name: str, *, by: UUID, why: str) -> Policy | None:
    """Choose the profile that the agency follows; `none` is none."""
    chosen = None if name == policy.NONE else policy.named(name)
    lock_ledger(tx)
    _put(tx, POLICY, chosen.name if chosen else "")
    store.ledger.act(tx, "policy", by=by, why=why, facts={"act": "used"}, detail={"policy": name})
    return chosen


def chief(tx: Tx) -> UUID | None:
    """Who the chief is, or None where nobody was named."""
    told = _fact(tx, CHIEF)
    return UUID(told) if told else None


def name_chief(store: Store, tx: Tx, officer: Officer, *, by: UUID, why: str) -> None:
    """Write down who the chief is."""
    _may_decide(officer)
    lock_ledger(tx)
    _put(tx, CHIEF, officer.id.hex)
    store.ledger.act(
        tx,
        "policy",
        by=by,
        why=why,
        facts={"act": "chief-named"},
        detail={"chief": officer.id.hex, "email": officer.email},
        subject=officer.id,
    )


def _may_decide(officer: Officer) -> None:
    if not officer.may(*DECIDES):
        raise CannotApprove(
            f"{officer.email} may not decide pages",
            next="It takes somebody active with the role approver, records_officer or administrator.",
        )


def _fact(tx: Tx, name: str) -> str:
    return tx.execute(select(archive.c.value).where(archive.c.name == name)).scalar() or ""


def _put(tx: Tx, name: str, value: str) -> None:
    if not tx.execute(update(archive).where(archive.c.name == name).values(value=value)).rowcount:
        tx.execute(insert(archive).values(name=name, value=value))


# -- delegations -------------------------------------------------------------------------------------------


def delegate(
    store: Store,
    tx: Tx,
    to: Officer,
    *,
    instrument: str,
    by: UUID,
    why: str,
    since: date | None = None,
    until: date | None = None,
) -> Delegation:
    """Record that the chief lets `to` approve pages; who is given it cannot write it down themselves."""
    asked, head = of_agency(tx), chief(tx)
    if asked is not None and not asked.designee:
        raise DelegationNotAllowed(
            f"{asked.title} ({asked.approval_citation}) gives the approval of pages to the chief alone"
        )
    if head is None:
        raise NoChief("nobody is named as chief", next="`muniment policy chief EMAIL` says who the chief is.")
    if by == to.id:
        raise DelegationNotAllowed(
            "nobody records a delegation to themselves", next="The chief, or somebody else, records it."
        )
    _may_decide(to)
    begins = since or deeds.today(store)
    if until is not None and until < begins:
        raise deeds.BadDate(f"{until} is before {begins}")
    ends, identity = deeds.until(store, until), new_id()
    text = deeds.words(instrument, "the instrument")
    lock_ledger(tx)
    entry = store.ledger.act(
        tx,
        "policy",
        by=by,
        why=why,
        facts={"act": "delegated", "delegation": identity.hex},
        detail={
            "from": head.hex,
            "to": to.id.hex,
            "since": begins.isoformat(),
            "until": ends,
            "instrument": text,
        },
        subject=to.id,
    )
    tx.execute(
        insert(delegations).values(
            id=identity.bytes,
            entry=entry,
            given_by=head.bytes,
            given_to=to.id.bytes,
            since=begins.isoformat(),
            until=ends,
        )
    )
    return _delegation(store, tx, identity)


def end_delegation(store: Store, tx: Tx, identity: UUID, *, by: UUID, why: str) -> Delegation:
    """End a delegation; what was approved on it stays approved."""
    lock_ledger(tx)
    one = _delegation(store, tx, identity)
    if one.ended_at is not None:
        raise Refused("this delegation was ended already")
    entry = store.ledger.act(
        tx,
        "policy",
        by=by,
        why=why,
        facts={"act": "delegation-ended", "delegation": identity.hex},
        detail={"to": one.given_to.hex},
        subject=one.given_to,
    )
    tx.execute(update(delegations).where(delegations.c.key == one.key).values(ended_entry=entry))
    return _delegation(store, tx, identity)


def _delegation(store: Store, tx: Tx, identity: UUID) -> Delegation:
    for one in listed(store, tx):
        if one.id == identity:
            return one
    raise NoSuchDelegation(f"no delegation {identity} is recorded", next="See `muniment policy show`.")


def listed(store: Store, tx: Tx) -> list[Delegation]:
    """Every delegation, those that ended included, oldest first."""
    rows = tx.execute(select(delegations).order_by(delegations.c.key)).all()
    said = deeds.told(store, tx, [entry for row in rows for entry in (row.entry, row.ended_entry)])
    found = []
    for row in rows:
        made, ended = said[row.entry], said.get(row.ended_entry)
        found.append(
            Delegation(
                key=row.key,
                id=UUID(bytes=bytes(row.id)),
                given_by=UUID(bytes=bytes(row.given_by)),
                given_to=UUID(bytes=bytes(row.given_to)),
                since=date.fromisoformat(row.since),
                until=deeds.of_row(row.until),
                instrument=made.text("instrument"),
                entry=row.entry,
                recorded_at=made.at,
                recorded_by=made.by,
                why=made.why,
                ended_at=ended.at if ended else None,
                ended_by=ended.by if ended else None,
                ended_why=ended.why if ended else "",
            )
        )
    return found


# -- the history of a page's approval ----------------------------------------------------------------------


def note(tx: Tx, page: Page, entry: int, act: str, on: Authority, until: str | None) -> None:
    """Keep the row of an approval or a withdrawal; the verbs that write the entry are in `pages`."""
    tx.execute(
        insert(approvals).values(
            page=page.key,
            entry=entry,
            act=act,
            authority=str(on.basis),
            delegation=on.delegation,
            until=until,
        )
    )


def history(store: Store, tx: Tx, page: Page) -> list[Approval]:
    """Every approval of a page and every withdrawal, newest first."""
    rows = tx.execute(
        select(approvals, delegations.c.id.label("given"))
        .outerjoin(delegations, delegations.c.key == approvals.c.delegation)
        .where(approvals.c.page == page.key)
        .order_by(approvals.c.key.desc())
    ).all()
    said = deeds.told(store, tx, [row.entry for row in rows])
    return [
        Approval(
            act=row.act,
            at=said[row.entry].at,
            by=said[row.entry].by,
            why=said[row.entry].why,
            authority=row.authority,
            delegation=UUID(bytes=bytes(row.given)) if row.given is not None else None,
            until=deeds.of_row(row.until),
            entry=row.entry,
        )
        for row in rows
    ]

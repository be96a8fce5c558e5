"""Time and fees of a request, as its law counts them.

Time is written down by whom, on which day and on what. Alaska lets five
person-hours go free for each requester and calendar month, whatever number of
requests that month brings, and lets nobody be charged for reading for
privilege; both are the law's data, and a fee that they forbid is refused. What
is charged is entered by a person: the reckoning says what may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app import officers
from app.capture import deeds
from app.capture.deeds import BadDate
from app.db import Tx
from app.disclosure import clock, letters, papers, requests
from app.disclosure.clock import Happened
from app.disclosure.known import Laws
from app.disclosure.law import WORK, Charges, Fees
from app.disclosure.requests import WORKERS, BadRequest, Request, fresh, must_be_open, note
from app.records.errors import Refused
from app.records.nouns import Officer
from app.retention.calendar import civil
from app.store.store import Store
from app.store.tables import request_fees, request_times
from app.store.tables import requests as table

ESTIMATE, NOTICE, PAID, WAIVED = "estimate", "notice", "paid", "waived"
MOST_MINUTES = 24 * 60
MOST_CENTS = 1_000_000_000


class FreeOfCharge(Refused):
    """The law lets nothing be charged for this time."""

    code = "free-of-charge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Time that was spent on a request."""

    request: int
    officer: UUID
    day: date
    minutes: int
    work: str
    cents_an_hour: int | None
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """What the law makes of the time of a request: how much counts, how much of it is free, and what may be charged."""

    minutes: int
    """All time of this request."""
    counted: int
    """What of it the law counts at all."""
    never: int
    """What of it is charged to nobody."""
    free: int
    """What of the counted time costs nothing."""
    chargeable: int
    cents: int | None
    """What that comes to; None where nobody said what an hour costs."""
    others: int
    """How much of the free time other requests of the same person used, as far as the law puts them together."""
    citation: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The fees of a request: what was estimated, told, paid, waived, and what is still to be paid."""

    estimated: int
    told: int
    paid: int
    waived: int

    @property
    def owed(self) -> int:
        return max(0, self.told - self.paid - self.waived)


# -- time --------------------------------------------------------------------------------------------------


def spend(
    store: Store,
    tx: Tx,
    request: Request,
    minutes: int,
    work: str = "search",
    *,
    on: date | None = None,
    officer: Officer | None = None,
    cents_an_hour: int | None = None,
    by: Officer,
    why: str,
) -> Request:
    """Write down time: whose, on which day, on what. What was wrong is corrected by minutes below zero."""
    officers.require(by, *WORKERS)
    now = fresh(store, tx, request)
    day = on or deeds.today(store)
    if work not in WORK:
        raise BadRequest(f"{work[:40]!r} is no work that is told apart", next=f"Known are {', '.join(WORK)}.")
    if not minutes or abs(minutes) > MOST_MINUTES:
        raise BadRequest("time is between a minute and a day", next="Write each day's time by itself.")
    if day > deeds.today(store) or day < civil(now.received_at, store.agency.zone()):
        raise BadDate(
            f"{day} is not between the receipt and today", next="Give the day on which it was spent."
        )
    if cents_an_hour is not None and not 0 <= cents_an_hour <= 1_000_000:
        raise BadRequest("an hour does not cost that", next="Give actual salary and benefits for an hour.")
    whose = officer or by
    before = sum(
        one.minutes
        for one in spent(tx, [now.key])
        if (one.day, one.work, one.officer) == (day, work, whose.id)
    )
    if before + minutes < 0:
        raise BadRequest("that takes back more than was written down", next="Look at what stands there.")
    entry = note(
        store, tx, now, "time",
        detail={"minutes": minutes, "work": work, "day": day.isoformat(), "officer": str(whose.id), "cents_an_hour": cents_an_hour},
        by=by, why=why,
    )  # fmt: skip
    tx.execute(
        insert(request_times).values(
            request=now.key,
            entry=entry,
            day=day.isoformat(),
            minutes=minutes,
            work=work,
            officer=whose.id.bytes,
            cents_an_hour=cents_an_hour,
        )
    )
    return now


def spent(tx: Tx, keys: Sequence[int]) -> list[Spent]:
    """The time of these requests, in the order of its days."""
    asked = select(request_times).where(request_times.c.request.in_(list(keys)))
    rows = tx.execute(asked.order_by(request_times.c.day, request_times.c.key)).all()
    return [_spent(row) for row in rows]


def _spent(row: Any) -> Spent:
    return Spent(
        request=row.request,
        officer=UUID(bytes=bytes(row.officer)),
        day=date.fromisoformat(row.day),
        minutes=row.minutes,
        work=row.work,
        cents_an_hour=row.cents_an_hour,
        entry=row.entry,
    )


# -- reckoning ---------------------------------------------------------------------------------------------


def reckoned(tx: Tx, request: Request, *, more: int = 0, on: date | None = None) -> Reckoned:
    """What may be charged for the time of a request, with `more` minutes of search that are expected on a day."""
    law = request.rules.fees or Fees(citation="", free_hours=0, chargeable=tuple(WORK))
    mine = spent(tx, [request.key])
    told = spent(tx, _together(tx, request, law))
    if more and on is not None:
        expected = Spent(
            request=request.key, officer=UUID(int=0), day=on, minutes=more, work="search", cents_an_hour=None, entry=1 << 62
        )  # fmt: skip
        told, mine = [*told, expected], [*mine, expected]
    counted = [one for one in told if one.work in law.chargeable and one.work not in law.never]
    beyond = chargeable(law, counted)
    ours = [(one, over) for one, over in beyond if one.request == request.key]
    prices = [(over, one.cents_an_hour) for one, over in ours if over]
    known = all(price is not None for _, price in prices)
    counted_here = sum(one.minutes for one, _ in ours)
    over_here = sum(over for _, over in ours)
    return Reckoned(
        minutes=sum(one.minutes for one in mine),
        counted=counted_here,
        never=sum(one.minutes for one in mine if one.work in law.never),
        free=counted_here - over_here,
        chargeable=over_here,
        cents=sum(round(over * (price or 0) / 60) for over, price in prices) if known else None,
        others=sum(one.minutes - over for one, over in beyond if one.request != request.key),
        citation=law.citation,
        note=law.note,
    )


def chargeable(law: Fees, counted: Sequence[Spent]) -> list[tuple[Spent, int]]:
    """Each time with how much of it goes beyond the free hours, in the order of its days. Pure.

    Hours are free for each request, or for each requester and calendar month;
    once a law charges the whole, nothing of such a month stays free.
    """
    free = 60 * law.free_hours
    groups: dict[object, list[Spent]] = {}
    for one in sorted(counted, key=lambda one: (one.day, one.entry)):
        groups.setdefault(
            (one.day.year, one.day.month) if law.per == "requester_month" else one.request, []
        ).append(one)
    found: list[tuple[Spent, int]] = []
    for group in groups.values():
        total = sum(one.minutes for one in group)
        whole = law.charges is Charges.WHOLE and total > free
        run = 0
        for one in group:
            over = one.minutes if whole else max(0, run + one.minutes - free) - max(0, run - free)
            run += one.minutes
            found.append((one, over))
    return found


def _together(tx: Tx, request: Request, law: Fees) -> list[int]:
    """The requests whose time the law puts together: those of one person, or this one alone."""
    if law.per != "requester_month" or request.known_as is None:
        return [request.key]
    asked = select(table.c.key).where(table.c.requester == request.known_as).order_by(table.c.key)
    return list(tx.execute(asked).scalars())


# -- fees --------------------------------------------------------------------------------------------------


def estimate(store: Store, tx: Tx, request: Request, cents: int, *, by: Officer, why: str) -> Request:
    """Write down what it will cost, for the agency's own use; nobody is told yet."""
    now = _open(store, tx, request, by)
    _put(store, tx, now, ESTIMATE, _cents(cents), by=by, why=why)
    return requests.get(store, tx, str(now.id))


def notify(
    store: Store,
    tx: Tx,
    laws: Laws,
    request: Request,
    cents: int,
    *,
    copies: int = 0,
    expected_minutes: int = 0,
    reasons: str = "",
    by: Officer,
    why: str,
) -> Request:
    """Tell the requester of a fee; where the law has it, the clock stands still until payment is arranged.

    `copies` is what of it is for copies. The rest is for time, and refused
    where the law's free hours cover what was spent and what is expected.
    """
    now = _open(store, tx, request, by)
    total, of_copies = _cents(cents), _cents(copies) if copies else 0
    if of_copies > total:
        raise BadRequest(
            "the copies cost more than the whole", next="Give the whole fee, and what of it is for copies."
        )
    stands = account(tx, now)
    if (settled := stands.paid + stands.waived) >= total:
        raise BadRequest(
            f"{money(settled)} are paid or waived already",
            next="Give the whole fee, with what was told before; what is not asked for any more is waived.",
        )
    law = now.rules.fees
    told = reckoned(tx, now, more=expected_minutes, on=deeds.today(store))
    if law is not None and total > of_copies and told.chargeable <= 0:
        free = f"{law.free_hours} hours {'for one requester in a month' if law.per == 'requester_month' else 'of a request'}"
        raise FreeOfCharge(
            f"{free} are free, and {told.counted / 60:g} of this request are counted ({law.citation})",
            next="Charge copies alone (--copies), or say how many hours are expected (--hours).",
        )
    if law is not None and told.cents is not None and total - of_copies > told.cents:
        raise FreeOfCharge(
            f"the time that may be charged comes to {money(told.cents)} ({law.citation})",
            next="Charge that, or write down what an hour costs.",
        )
    stops = clock.would_stop(now.rules, now.happened, "fee_notice")
    kept = letters.written(
        store, laws, now, "fee", by=by, amount=money(total), copies=money(of_copies) if of_copies else "",
        fees=law, reasons=reasons, rule=stops,
    )  # fmt: skip
    event = Happened(event="fee_notice", at=store.clock.now())
    entry = _put(
        store, tx, now, NOTICE, total, event=event, by=by, why=why,
        more={"copies": of_copies, "papers": papers.named(kept), "expected_minutes": expected_minutes},
    )  # fmt: skip
    papers.keep(store, tx, now.key, entry, kept)
    return requests.get(store, tx, str(now.id))


def paid(store: Store, tx: Tx, request: Request, cents: int, *, by: Officer, why: str) -> Request:
    """Write down a payment; with the last of it the clock goes on."""
    return _settle(store, tx, request, PAID, cents, by=by, why=why)


def waive(store: Store, tx: Tx, request: Request, cents: int = 0, *, by: Officer, why: str) -> Request:
    """Waive a fee, or what is left of it."""
    return _settle(store, tx, request, WAIVED, cents, by=by, why=why)


def _settle(
    store: Store, tx: Tx, request: Request, act: str, cents: int, *, by: Officer, why: str
) -> Request:
    now = _open(store, tx, request, by)
    stands = account(tx, now)
    amount = _cents(cents or (stands.owed if act == WAIVED else 0))
    left = stands.owed - amount
    if left < 0 and act == WAIVED:
        raise BadRequest(f"{money(stands.owed)} are to be paid", next="Waive no more than that.")
    waits = now.waits_for("fee_arranged", since="fee_notice")
    event = Happened(event="fee_arranged", at=store.clock.now()) if waits and left <= 0 else None
    _put(store, tx, now, act, amount, event=event, by=by, why=why)
    return requests.get(store, tx, str(now.id))


def account(tx: Tx, request: Request) -> Account:
    """How the fees of a request stand."""
    asked = select(request_fees).where(request_fees.c.request == request.key).order_by(request_fees.c.key)
    rows = tx.execute(asked).all()
    newest = {row.act: row.cents for row in rows}
    return Account(
        estimated=newest.get(ESTIMATE, 0),
        told=newest.get(NOTICE, 0),
        paid=sum(row.cents for row in rows if row.act == PAID),
        waived=sum(row.cents for row in rows if row.act == WAIVED),
    )


def money(cents: int) -> str:
    """An amount as people write it."""
    return f"${cents // 100:,}.{cents % 100:02}"


def as_json(tx: Tx, request: Request) -> dict[str, object]:
    """Time and fees of a request, as programs read them."""
    told, stands = reckoned(tx, request), account(tx, request)
    return {
        "hours": told.minutes / 60,
        "counted_hours": told.counted / 60,
        "free_hours": told.free / 60,
        "chargeable_hours": told.chargeable / 60,
        "never_charged_hours": told.never / 60,
        "may_charge_cents": told.cents,
        "citation": told.citation or None,
        "note": told.note or None,
        "estimated_cents": stands.estimated,
        "told_cents": stands.told,
        "paid_cents": stands.paid,
        "waived_cents": stands.waived,
        "owed_cents": stands.owed,
    }


def _open(store: Store, tx: Tx, request: Request, by: Officer) -> Request:
    officers.require(by, *WORKERS)
    return must_be_open(fresh(store, tx, request))


def _put(
    store: Store,
    tx: Tx,
    request: Request,
    act: str,
    cents: int,
    *,
    event: Happened | None = None,
    more: dict[str, object] | None = None,
    by: Officer,
    why: str,
) -> int:
    entry = note(
        store, tx, request, f"fee-{act}", event=event, detail={"cents": cents, **(more or {})}, by=by, why=why
    )
    tx.execute(insert(request_fees).values(request=request.key, entry=entry, act=act, cents=cents))
    return entry


def _cents(cents: int) -> int:
    if not 0 < cents <= MOST_CENTS:
        raise BadRequest("an amount is more than nothing", next="Write it in dollars: 12.50.")
    return cents

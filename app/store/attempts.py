"""Whom the archive asked to vouch for its ledger, when, and what went wrong: a delay is a fact, and is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select

from app.db import Tx, from_instant, to_instant
from app.store.store import Store
from app.store.tables import acts, attempts

ANCHOR, COSIGNATURE = "anchor", "cosignature"
DELAYED = {ANCHOR: "anchor-delayed", COSIGNATURE: "cosignature-delayed"}
OF_THEIR_OWN = (ANCHOR, COSIGNATURE, *DELAYED.values())
"""Entries that asking brings about by itself: they are no reason to ask again."""
EVERY, RENEW, AGAIN = timedelta(hours=1), timedelta(days=1), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with one authority or witness.

    `done` is when it last vouched, for a ledger of `size` entries; `tried` when
    it was asked last; `failure` what went wrong then, None where nothing did.
    """

    whom: str
    done: datetime | None
    size: int
    tried: datetime | None
    failure: str | None


def due(standing: Standing, active: int, now: datetime) -> bool:
    """Whether to ask now, with `active` entries written since: at the first chance, then hourly, and daily all the same.

    After a failure five minutes pass. A clock that went backwards is no reason
    to wait.
    """
    if standing.failure is not None and standing.tried and timedelta(0) <= now - standing.tried < AGAIN:
        return False
    if standing.done is None:
        return active > 0
    passed = now - standing.done
    if passed < timedelta(0):
        return active > 0
    return passed >= RENEW or (active > 0 and passed >= EVERY)


def standing(tx: Tx, kind: str, whom: str) -> Standing:
    """How things stand with `whom`."""
    here = (attempts.c.kind == kind) & (attempts.c.whom == whom)
    last = tx.execute(select(attempts).where(here).order_by(attempts.c.key.desc()).limit(1)).one_or_none()
    done = tx.execute(
        select(attempts).where(here, attempts.c.failure.is_(None)).order_by(attempts.c.key.desc()).limit(1)
    ).one_or_none()
    return Standing(
        whom=whom,
        done=from_instant(done.at) if done else None,
        size=done.size if done else 0,
        tried=from_instant(last.at) if last else None,
        failure=last.failure if last else None,
    )


def active(store: Store, tx: Tx, since: int) -> int:
    """How many entries there are from `since` on that asking did not bring about by itself."""
    own = tx.execute(select(func.count()).where(acts.c.entry >= since, _own())).scalar_one()
    return int(store.ledger.size(tx) - since - own)


def first_active(store: Store, tx: Tx, since: int) -> int | None:
    """The first such entry, or None."""
    own = set(tx.execute(select(acts.c.entry).where(acts.c.entry >= since, _own())).scalars())
    return next((index for index in range(since, store.ledger.size(tx)) if index not in own), None)


def note(
    store: Store,
    tx: Tx,
    kind: str,
    whom: str,
    size: int,
    *,
    failure: str | None,
    says: str,
    by: UUID | None,
    why: str,
) -> None:
    """Write down that `whom` was asked. The first failure after all was well has a ledger entry of its own."""
    before = standing(tx, kind, whom)
    tx.execute(
        insert(attempts).values(
            kind=kind, whom=whom, at=to_instant(store.clock.now()), size=size, failure=failure
        )
    )
    if failure is not None and before.failure != failure:
        store.ledger.act(
            tx,
            DELAYED[kind],
            by=by,
            why=why,
            facts={"size": size},
            detail={
                "whom": whom,
                "failure": failure,
                "says": says,
                "covered": before.size,
                "last": before.done.isoformat() if before.done else None,
            },
        )


def delays(tx: Tx, kind: str, whom: Sequence[str]) -> list[Standing]:
    """Those of `whom` that failed when they were asked last."""
    found = [standing(tx, kind, one) for one in whom]
    return [one for one in found if one.failure is not None]


def _own() -> ColumnElement[bool]:
    return acts.c.type.in_(OF_THEIR_OWN)

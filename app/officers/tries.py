"""Tries: how often somebody may guess, ask or fail before they have to wait.

What is counted is kept under a keyed HMAC: the table names nobody, whether
they have an account or not.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import delete, insert, select, text

from app.db import Tx, from_instant, to_instant
from app.store.store import Store
from app.store.tables import tries as table


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries, within so long."""

    name: str
    tries: int
    within: timedelta


def wait(store: Store, tx: Tx, limit: Limit, who: str) -> timedelta:
    """How long `who` has to wait before the next try; zero when they need not.

    Until the transaction ends, nobody else is told about the same `who`: a
    hundred guesses sent at one moment are counted one after the other.
    """
    subject, now = _subject(store, limit, who), store.clock.now()
    _alone(tx, subject)
    since = to_instant(now - limit.within)
    asked = (
        select(table.c.at).where(table.c.subject == subject, table.c.at > since).order_by(table.c.at.desc())
    )
    times = tx.execute(asked.limit(limit.tries)).scalars().all()
    if len(times) < limit.tries:
        return timedelta()
    return from_instant(times[-1]) + limit.within - now


def count(store: Store, tx: Tx, limit: Limit, who: str) -> None:
    """Count one try."""
    tx.execute(insert(table).values(subject=_subject(store, limit, who), at=to_instant(store.clock.now())))


def forgive(store: Store, tx: Tx, limit: Limit, who: str) -> None:
    """Forget the tries of `who`."""
    tx.execute(delete(table).where(table.c.subject == _subject(store, limit, who)))


def sweep_tries(store: Store, tx: Tx) -> int:
    """Discard tries that no limit looks at any more; return how many."""
    return tx.execute(
        delete(table).where(table.c.at < to_instant(store.clock.now() - timedelta(days=1)))
    ).rowcount


def neighbourhood(address: str) -> str:
    """What counts as one network address: a household's whole /64 where addresses are as plenty as in IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _subject(store: Store, limit: Limit, who: str) -> bytes:
    told = f"tries/{limit.name}\x00{who}".encode("utf-8", "surrogatepass")
    return hmac.digest(store.lookup, told, "sha256")


def _alone(tx: Tx, subject: bytes) -> None:
    """On SQLite, a transaction that writes is alone already."""
    if tx.dialect.name == "postgresql":
        number = int.from_bytes(subject[:8], signed=True)
        tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})

"""Acts on matters and holds: entries that all look alike, and who may read what stands in them.

Each bears the type `act` and nothing in the clear but its time, so that the
ledger, which anybody may read, does not tell a silent matter from an open one.
It does tell that something of the kind happened. Therefore the archive also
writes such entries with nothing in them, at random moments: an entry of the
type `act` that an officer finds in the ledger and not in what they may read is
one of those, or it is not, and they cannot know which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from uuid import UUID

from sqlalchemy import insert, select

from app.capture import deeds
from app.capture.deeds import Told
from app.db import Tx
from app.store.store import Store
from app.store.tables import matter_acts

TYPE = "act"
_OFTEN = 1 / 300
"""How probably a look writes an empty entry; looks come every minute, so there are about five a day."""


def note(
    store: Store,
    tx: Tx,
    act: str,
    *,
    matter: int | None,
    hold: UUID | None = None,
    by: UUID | None,
    why: str,
    detail: Mapping[str, object] | None = None,
    subject: UUID | None = None,
) -> int:
    """Write one entry for something that was done on a matter or a hold; what it was stands sealed in it."""
    told = {"act": act, **({"hold": str(hold)} if hold else {}), **(detail or {})}
    entry = store.ledger.act(tx, TYPE, by=by, why=why, detail=told, subject=subject)
    known(tx, entry, matter, hold)
    return entry


def known(tx: Tx, entry: int, matter: int | None, hold: UUID | None = None) -> None:
    """Write down on which matter and hold an act is."""
    tx.execute(insert(matter_acts).values(entry=entry, matter=matter, hold=hold.bytes if hold else None))


def stir(store: Store, chance: Random) -> bool:
    """Now and then write an entry with nothing in it; called every minute, whatever matters there are."""
    if chance.random() >= _OFTEN:
        return False
    with store.database.begin() as tx:
        empty(store, tx)
    return True


def empty(store: Store, tx: Tx) -> int:
    """Write an entry of the type of all acts on matters, with nothing in it."""
    entry = store.ledger.act(tx, TYPE, by=None, why="")
    tx.execute(insert(matter_acts).values(entry=entry, empty=True))
    return entry


def of_matter(store: Store, tx: Tx, matter: int) -> list[Told]:
    """Everything that was done on a matter and its holds, oldest first."""
    asked = select(matter_acts.c.entry).where(matter_acts.c.matter == matter)
    return _told(store, tx, tx.execute(asked).scalars())


def of_hold(store: Store, tx: Tx, hold: UUID) -> list[Told]:
    """Everything that was done on a hold, oldest first."""
    asked = select(matter_acts.c.entry).where(matter_acts.c.hold == hold.bytes)
    return _told(store, tx, tx.execute(asked).scalars())


def of_matters(store: Store, tx: Tx, matters: Sequence[int]) -> dict[int, list[Told]]:
    """The same for several matters at once."""
    rows = tx.execute(
        select(matter_acts.c.entry, matter_acts.c.matter).where(matter_acts.c.matter.in_(list(matters)))
    ).all()
    said = deeds.told(store, tx, [row.entry for row in rows])
    found: dict[int, list[Told]] = {matter: [] for matter in matters}
    for row in sorted(rows, key=lambda row: int(row.entry)):
        found[row.matter].append(said[row.entry])
    return found


def _told(store: Store, tx: Tx, entries: Iterable[int]) -> list[Told]:
    return [told for _, told in sorted(deeds.told(store, tx, entries).items())]

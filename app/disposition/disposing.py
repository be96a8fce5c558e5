"""What disposition stands on, put together by the builder: the store, the schedule, the holds, and what is derived."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias
from uuid import UUID

from sqlalchemy import select

from app.db import Tx
from app.retention.decide import Decision
from app.retention.editions import InForce
from app.retention.facts import Today
from app.store.disposals import Purger
from app.store.store import Store
from app.store.tables import holds, matters

Covering: TypeAlias = Callable[[Tx, Sequence[int]], Mapping[int, Collection[UUID]]]
"""Every active hold that covers each of these records, silent ones too, as of this transaction.

It MUST raise where it cannot look; a record that it does not name is not held.
"""


class Schedules(Protocol):
    """What is adopted and known, as `app.retention.standing` tells it."""

    def today(self, tx: Tx) -> Today:
        """The civil day, and what is known of the clock."""
        ...

    def in_force(self, tx: Tx, on: date) -> InForce:
        """The editions that bind on a day."""
        ...

    def decisions(
        self, tx: Tx, keys: Sequence[int], holds: Mapping[int, Collection[str]] | None, today: Today
    ) -> Mapping[int, Decision]:
        """What the schedule requires of each of these records on that day."""
        ...

    def eligible(self, tx: Tx, series: str, on: date, after: int, limit: int) -> Sequence[int]:
        """The next records of a series, by their keys, that are eligible on a day; holds are not looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Disposing:
    """What a disposal looks at and reaches."""

    store: Store
    schedules: Schedules
    covering: Covering
    derived: Callable[[], Sequence[Purger]]
    anchored: bool
    """Whether somebody outside timestamps checkpoints: then an authorisation is executed only under a timestamp."""

    def holds(self, tx: Tx, keys: Sequence[int]) -> dict[int, Collection[str]]:
        """The ids of the holds over each of these records; every record is named, so that none was forgotten."""
        found = self.covering(tx, keys)
        return {key: tuple(sorted(str(one) for one in found.get(key, ()))) for key in keys}

    def decisions(self, tx: Tx, keys: Sequence[int], today: Today) -> Mapping[int, Decision]:
        """What schedule and holds say of these records in this very transaction."""
        return self.schedules.decisions(tx, keys, self.holds(tx, keys), today)

    def openly(self, tx: Tx, keys: Sequence[int], today: Today) -> Mapping[int, Decision]:
        """The same as if no silent matter were there: for what is listed, counted or packed, and never for what destroys.

        A list that left out what a silent hold covers would tell of it by its
        number. So the record is on the list, and stays when it is executed.
        """
        silent = _silent(tx)
        held = {
            key: [one for one in found if one not in silent] for key, found in self.holds(tx, keys).items()
        }
        return self.schedules.decisions(tx, keys, held, today)


def _silent(tx: Tx) -> frozenset[str]:
    """The holds of silent matters that are active."""
    asked = (
        select(holds.c.id)
        .join(matters, matters.c.key == holds.c.matter)
        .where(matters.c.silent, holds.c.released_entry.is_(None))
    )
    return frozenset(str(UUID(bytes=bytes(one))) for one in tx.execute(asked).scalars())

"""What of a request was kept back, as its issued productions have it: how many records, and on which grounds.

For whoever closes a request, and for its line in the log: what left in part was
not granted in full, whether or not a letter of denial went.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.db import Tx
from app.disclosure import reviewing
from app.store.store import Store
from app.store.tables import produced, productions

WITHHELD, REDACTED = "withheld", "redacted"


@dataclass(frozen=True, slots=True)
class KeptBack:
    """The records, by key, that left as a slip alone, and those that left in part."""

    withheld: tuple[int, ...]
    redacted: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.withheld or self.redacted)

    def says(self) -> str:
        """In a few words: `1 record withheld, 2 redacted`."""
        told = [(len(self.withheld), WITHHELD), (len(self.redacted), REDACTED)]
        parts = [f"{number} {how}" for number, how in told if number]
        number, _, rest = ", ".join(parts).partition(" ")
        return f"{number} record{'' if number == '1' else 's'} {rest}" if rest else ""


def of(tx: Tx, request: UUID) -> KeptBack:
    """How each record left that a production of the request had; of several productions the newest tells."""
    asked = (
        select(produced.c.record, produced.c.how)
        .join(productions, productions.c.key == produced.c.production)
        .where(productions.c.request == request.bytes, productions.c.issued_entry.is_not(None))
        .order_by(productions.c.key)
    )
    how = {int(row.record): str(row.how) for row in tx.execute(asked.execution_options(yield_per=10_000))}
    return KeptBack(*(tuple(key for key, said in how.items() if said == one) for one in (WITHHELD, REDACTED)))


def grounds(store: Store, tx: Tx, kept: KeptBack) -> Iterator[str]:
    """The grounds that stand on these records, each with what it says, in the order in which they were named."""
    made = reviewing.of_records(store, tx, [*kept.withheld, *kept.redacted])
    for one in sorted(
        (one for found in made.values() for one in found if one.code), key=lambda one: one.entry
    ):
        yield f"{one.citation}: {one.explanation}" if one.explanation else one.citation

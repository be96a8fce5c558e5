"""Which records belong together: a post with everything that answers it, for the whole archive at once.

Kept as three columns of whole numbers, not as records: about 25 bytes for each
record, whatever it says.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from app.db import Tx
from app.index.keys import Keys
from app.store import quarantine
from app.store.tables import records, suppressed, tombstones, versions

_PART = 10_000


@dataclass(frozen=True, slots=True)
class Families:
    """`living` are the records that there were at one size of the ledger, are still there, and may be read.

    `root` gives for each key the one that stands for its family, and `members`
    how many of `living` belong to it.
    """

    living: Keys
    root: array[int]
    members: array[int]

    def with_family(self, hits: Keys) -> int:
        """How many records the families of `hits` have."""
        if not hits:
            return 0
        return sum(self.members[root] for root in Keys.of(self.root[key] for key in hits))


def read(tx: Tx, size: int, *, messages: bool) -> Families:
    """The families as of `size` entries of the ledger; private messages only where `messages` is set."""
    last = tx.execute(select(func.max(records.c.key))).scalar() or 0
    root = array("q", range(last + 1))
    for child, parent in _pairs(tx):
        _join(root, child, parent)
    for key in range(last + 1):
        root[key] = _top(root, key)
    asked = (
        select(records.c.key)
        .join(versions, (versions.c.record == records.c.key) & (versions.c.number == 1))
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(versions.c.entry < size, tombstones.c.record.is_(None), quarantine.outside(records.c.key))
    )
    if not messages:
        asked = asked.where(records.c.private.is_(False))
    living = Keys.of(key for (key,) in tx.execute(asked.execution_options(yield_per=_PART)))
    members = array("q", bytes(8 * (last + 1)))
    for key in living:
        members[root[key]] += 1
    return Families(living, root, members)


def _pairs(tx: Tx) -> Any:
    """Every record with the one that it answers, and with one that was disposed of and that others answer, too."""
    above = records.alias("above")
    answered: Select[Any] = select(records.c.key, above.c.key).join(
        above, above.c.native_mac == records.c.parent_mac
    )
    buried: Select[Any] = select(records.c.key, suppressed.c.record).join(
        suppressed, suppressed.c.mac == records.c.parent_mac
    )
    for asked in (answered, buried):
        yield from tx.execute(asked.execution_options(yield_per=_PART))


def _top(root: array[int], key: int) -> int:
    """Who stands for the family of `key`; the way there is shortened for the next one."""
    while root[key] != key:
        root[key] = root[root[key]]
        key = root[key]
    return key


def _join(root: array[int], one: int, other: int) -> None:
    """Make one family of two; the one that was kept first stands for it."""
    first, second = _top(root, one), _top(root, other)
    root[max(first, second)] = min(first, second)

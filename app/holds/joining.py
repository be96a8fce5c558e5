"""What officers say of records, as sets for the index: tags, series, and the holds that somebody may know of.

The index keeps none of it. Here, above the rooms that do, it is read in the
transaction of whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from app.capture import tags
from app.db import Tx
from app.holds.covering import held_keys
from app.index.engine import folded
from app.index.keys import Keys
from app.index.tree import Field, Tree, everything_in
from app.records.errors import Refused
from app.records.nouns import Officer
from app.retention import known
from app.store.store import Store
from app.store.tables import assigned, classified, matter_members, matters, records, tombstones


class HeldWouldBeTold(Refused):
    """A member of a silent matter asked for everything that is held to leave the archive."""

    code = "held-would-be-told"


@dataclass(frozen=True, slots=True)
class Known:
    """What `by` may know of records, as `tx` sees it."""

    store: Store
    tx: Tx
    by: Officer

    def must_not_leave(self, tree: Tree) -> None:
        """Refuse an export of what is held to a member of a silent matter: its number is an entry, which anybody may read."""
        asks = any(isinstance(part, Field) and part.name == "hold" for part in everything_in(tree))
        member = (
            select(matter_members.c.key)
            .join(matters, matters.c.key == matter_members.c.matter)
            .where(
                matters.c.silent,
                matter_members.c.officer == self.by.id.bytes,
                matter_members.c.ended_entry.is_(None),
            )
        )
        if asks and self.tx.execute(member.limit(1)).first() is not None:
            raise HeldWouldBeTold(
                "how many records leave is an entry that anybody may read: by `hold:` it would tell of a silent matter",
                next="Name the words, pages and days that the hold covers.",
            )

    def having(self, fact: str, value: str) -> Keys:
        """The records of which a fact holds; of a value that nobody gave, none."""
        match fact:
            case "tag":
                return Keys.of(tags.having(self.store, self.tx, value))
            case "series":
                return Keys.of(key for code in self._codes(value) for key in self._of_series(code))
            case _:
                return Keys.of(held_keys(self.tx, by=self.by))

    def counted(self, fact: str, among: Keys) -> Mapping[str, int]:
        """For each value how many of these records have it, the most frequent first."""
        if not among:
            return {}
        if fact == "tag":
            told = {tag: len(Keys.of(keys) & among) for tag, keys in tags.by_tag(self.store, self.tx)}
        else:
            told = {code: len(Keys.of(keys) & among) for code, keys in self._series().items()}
        found = [(value, number) for value, number in told.items() if number]
        return dict(sorted(found, key=lambda one: (-one[1], one[0])))

    def _codes(self, value: str) -> list[str]:
        """The series of that name, in whatever case they are written."""
        given = select(assigned.c.series).where(assigned.c.ended_entry.is_(None))
        ruled = select(classified.c.series).where(classified.c.series.is_not(None))
        told = self.tx.execute(given.union(ruled)).scalars()
        return [code for code in told if folded(code) == folded(value)]

    def _of_series(self, code: str) -> list[int]:
        asked = known.of_series(code).with_only_columns(records.c.key)
        return list(self.tx.execute(asked).scalars())

    def _series(self) -> Mapping[str, list[int]]:
        """The living records of each series: those that an officer put there, and the others as the rules have it."""
        ruled = select(classified.c.record, classified.c.series).where(classified.c.series.is_not(None))
        given = select(assigned.c.record, assigned.c.series).where(assigned.c.ended_entry.is_(None))
        standing: dict[int, str] = {}
        for asked, record in ((ruled, classified.c.record), (given, assigned.c.record)):
            living = asked.outerjoin(tombstones, tombstones.c.record == record).where(
                tombstones.c.record.is_(None)
            )
            standing.update((key, code) for key, code in self.tx.execute(living))
        told: dict[str, list[int]] = {}
        for key, code in standing.items():
            told.setdefault(code, []).append(key)
        return told

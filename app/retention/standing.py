"""How records stand: which schedules are in force, what is known of each record, and what is decided of it.

Others ask here and nowhere else. Whatever destroys asks inside its own
transaction, so that what was decided is still so when it is carried out.
Where something is not known, or was not looked for, the record is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.capture import deeds
from app.db import Tx
from app.index.engine import folded
from app.index.keys import Keys
from app.retention import adopted, days, judging, known
from app.retention.classify import BY_RULE
from app.retention.decide import Decision, decide, eligible
from app.retention.editions import InForce
from app.retention.entered import must_be_as_entered
from app.retention.facts import Assignment, Facts, Today
from app.retention.judging import Judge
from app.store import quarantine
from app.store.store import Store
from app.store.tables import assigned, records


@dataclass(frozen=True, slots=True)
class Standing:
    """Reading what is adopted, assigned and known. It writes nothing."""

    store: Store
    attested: bool = field(default=False, kw_only=True)
    """Whether authorities outside timestamp the ledger: a clock ahead of the newest answer is then not believed."""

    def today(self, tx: Tx) -> Today:
        """The civil day in the agency's zone, the highest day ever seen, and the day that is attested from outside."""
        return days.today(self.store, tx, attested=self.attested)

    def in_force(self, tx: Tx, on: date) -> InForce:
        """The editions that bind on a day."""
        return adopted.in_force(self.store, tx, on)

    def facts(self, tx: Tx, keys: Sequence[int]) -> dict[int, Facts]:
        """What is known of these records, from rows and recorded events; disposed ones are left out."""
        judge = self.judge(tx, self.today(tx))
        told = list(known.rows(tx, keys).values())
        stands = known.beside(tx, told, with_versions=lambda _row: True)
        return {row.key: judge.facts(row, stands) for row in told}

    def assignments(self, tx: Tx, keys: Sequence[int]) -> dict[int, Assignment]:
        """The series of these records: what an officer gave before what the rules say. Without one, a record is left out."""
        told = known.rows(tx, keys)
        given = [row.key for row in told.values() if row.given is not None]
        by = _officers(self.store, tx, given)
        found = {}
        for row in told.values():
            if row.given is not None:
                who, why = by[row.key]
                found[row.key] = Assignment(series=row.given, by=who, why=why)
            elif row.ruled is not None:
                found[row.key] = Assignment(series=row.ruled, by=BY_RULE)
        return found

    def series_of(self, tx: Tx, keys: Sequence[int]) -> dict[int, str]:
        """The series of these records; without one, a record is left out."""
        return {key: row.series for key, row in known.rows(tx, keys).items() if row.series is not None}

    def in_series(self, tx: Tx, code: str) -> Keys:
        """Every living record of a series, whose code is compared whole and without regard to case."""
        codes = sorted(one for one in known.codes(tx) if folded(one) == folded(code))
        found = Keys()
        for one in codes:
            found |= Keys.of(row.key for row in known.every(tx, known.of_series(one)))
        return found

    def series_counted(self, tx: Tx, among: Keys) -> dict[str, int]:
        """How many of these records are in each series, the most frequent first; those without one are not counted."""
        counts = Counter(
            row.series
            for row in known.every(tx, known.shown())
            if row.series is not None and row.key in among
        )
        return dict(counts.most_common())

    def decisions(
        self, tx: Tx, keys: Sequence[int], holds: Mapping[int, Collection[str | UUID]] | None, today: Today
    ) -> dict[int, Decision]:
        """What the schedules require of these records today, under the holds that cover them.

        `holds` MUST name every record that was looked at, with an empty
        collection where none covers it: one that is not named was not looked
        at, and is kept. Disposed records are left out. Raises an
        `IntegrityFailure` where what was adopted or recorded was altered.
        """
        must_be_as_entered(self.store, tx, keys)
        judge = self.judge(tx, today)
        told = list(known.rows(tx, keys).values())
        stands = known.beside(tx, told, with_versions=lambda _row: True)
        found: dict[int, Decision] = {}
        for row in told:
            made = None if row.series is None else Assignment(series=row.series, by=_by(row))
            looked = None if holds is None or row.key not in holds else [str(one) for one in holds[row.key]]
            found[row.key] = decide(judge.facts(row, stands), made, judge.editions, looked, today)
        return found

    def eligible(self, tx: Tx, series: str, on: date, after: int, limit: int) -> Sequence[int]:
        """The keys of records of a series that are eligible on a day, in their order, behind `after`; at most `limit`.

        Holds are not looked at: this is for proposing, and so what is in
        quarantine is left out. While the clock cannot be believed there are none.
        """
        if self.today(tx).doubt or limit < 1:
            return []
        judge = self.judge(tx, Today.plainly(on))
        found: list[int] = []
        outside = quarantine.outside(records.c.key)
        for one in judging.every(tx, judge, known.of_series(series).where(outside), after=after):
            if eligible(one.decision):
                found.append(one.row.key)
                if len(found) == limit:
                    break
        return found

    def judge(self, tx: Tx, today: Today, editions: InForce | None = None) -> Judge:
        """What decides for many records under the editions of a day, or under `editions`."""
        binds = editions if editions is not None else self.in_force(tx, today.day)
        zone = self.store.agency.zone()
        codes = known.depended_on(edition.schedule for edition in binds.editions)
        whole = known.ended_series(tx, codes, known.days(zone))
        return Judge(binds, today, zone, known.pages_of(tx), whole)


def _by(row: known.Row) -> str:
    return BY_RULE if row.given is None else "officer"


def _officers(store: Store, tx: Tx, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Who gave these records their series, and why."""
    if not keys:
        return {}
    rows: list[Any] = []
    for start in range(0, len(keys), 500):
        asked = select(assigned.c.record, assigned.c.officer, assigned.c.entry).where(
            assigned.c.record.in_(keys[start : start + 500]), assigned.c.ended_entry.is_(None)
        )
        rows += tx.execute(asked).all()
    told = deeds.told(store, tx, [row.entry for row in rows])
    return {row.record: (UUID(bytes=bytes(row.officer)).hex, told[row.entry].why) for row in rows}

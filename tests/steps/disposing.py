"""An archive with a schedule, old records and the people who dispose of them: for every test of disposition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db import Tx
from app.disposition import approving, executing, proposals, proposing
from app.disposition.disposing import Disposing
from app.disposition.executing import Outcome
from app.disposition.proposals import Proposal
from app.holds import covering, matters, placing, releasing
from app.holds.finding import Found
from app.holds.placing import Hold
from app.holds.scopes import Scope
from app.index.keys import Keys
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.retention import adopted, recording
from app.retention.standing import Standing
from app.store import Store, disposals
from app.store.disposals import Purger
from tests.archives import NOON
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment, post

OLD = NOON.replace(year=2020)
YOUNG = NOON - timedelta(days=30)
SCHEDULE = """\
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "{edition}"
effective: 2026-01-01
waiting_days: {waiting}
approvals: {approvals}
{more}series:
  - code: COR-03
    title: General correspondence
    citation: Resolution 12, item 3
    verified: true
    rule: {{after: published, keep: {keep}, then: destroy}}
  - code: EXE-01
    title: Executive correspondence
    citation: Resolution 12, item 7
    verified: true
    rule: {{after: published, keep: P3Y, then: transfer}}
  - code: PER-01
    title: Minutes
    citation: Resolution 12, item 9
    verified: true
    rule: {{then: permanent}}
classify: []
"""


def somebody(name: str, *roles: Role) -> Officer:
    return Officer(
        id=new_id(), email=f"{name}@harrowfalls.example", name=name.title(), roles=frozenset(roles)
    )


@dataclass
class Office:
    """The archive, what disposes in it, and its people."""

    world: World
    clock: FixedClock
    of: Disposing
    clerk: Officer = field(default_factory=lambda: somebody("clerk", Role.RECORDS_OFFICER))
    second_clerk: Officer = field(default_factory=lambda: somebody("second", Role.RECORDS_OFFICER))
    chief: Officer = field(default_factory=lambda: somebody("chief", Role.APPROVER))
    attorney: Officer = field(default_factory=lambda: somebody("attorney", Role.ATTORNEY))

    @property
    def store(self) -> Store:
        return self.world.store

    # -- the schedule --------------------------------------------------------------------------------------

    def adopt(
        self,
        *,
        edition: str = "2026",
        keep: str = "P3Y",
        waiting: int = 14,
        approvals: str = "[records_officer, approver]",
        more: str = "",
        instrument: str = "Resolution 12",
    ) -> None:
        text = SCHEDULE.format(edition=edition, keep=keep, waiting=waiting, approvals=approvals, more=more)
        with self.store.database.begin() as tx:
            adopted.adopt(
                self.store, tx, text.encode(), instrument=instrument, by=self.clerk.id, why="the council adopted it"
            )  # fmt: skip

    def adopt_another(self, **more: Any) -> None:
        """Another edition takes the place of the one before, on the next day."""
        self.clock.at += timedelta(days=1)
        self.adopt(**{"edition": "2026b", "instrument": "Resolution 13", **more})

    # -- records -------------------------------------------------------------------------------------------

    def keep(self, *names: str, published: datetime = OLD, series: str = "COR-03") -> list[UUID]:
        """Capture posts of these names, each with words of its own, and put them into a series."""
        shown = [post(name, f"words of {name}", published_at=published) for name in names]
        self.world.capture(listing(self.clock, *shown))
        held = self.world.records()
        ids = [held[name].id for name in names]
        self.assign(ids, series)
        return ids

    def comment(self, name: str, *, published: datetime = OLD, series: str = "COR-03") -> UUID:
        self.world.capture(listing(self.clock, comment(name, f"words of {name}", published_at=published)))
        identity = self.world.records()[name].id
        self.assign([identity], series)
        return identity

    def assign(self, ids: Sequence[UUID], series: str) -> None:
        with self.store.database.begin() as tx:
            recording.assign(self.store, tx, ids, series, by=self.clerk, why="it is correspondence")

    # -- holds ---------------------------------------------------------------------------------------------

    def place(self, *wanted: UUID, silent: bool = False) -> Hold:
        """A hold of a matter on records that are named one by one."""
        scope = Scope(records=tuple(wanted))
        with self.store.database.begin() as tx:
            matter = matters.open(
                self.store, tx, f"matter {new_id()}", silent=silent, by=self.attorney, why="a demand letter"
            )
            found = Found(self.store.ledger.size(tx), named=_named(tx, wanted))
            return placing.place(
                self.store, tx, matter, scope, found, by=self.attorney, why="a demand letter"
            ).hold

    def release(self, hold: Hold) -> None:
        other = somebody("other-attorney", Role.ATTORNEY)
        with self.store.database.begin() as tx:
            releasing.ask(self.store, tx, hold, by=self.attorney, why="settled")
            found = placing.of_id(self.store, tx, hold.id)
            releasing.approve(self.store, tx, found, after=timedelta(0), by=other, why="settled")
        releasing.settle(self.store)

    # -- disposition ---------------------------------------------------------------------------------------

    def propose(self, series: str = "COR-03", *, by: Officer | None = None, **more: Any) -> Proposal:
        with self.store.database.begin() as tx:
            return proposing.propose(self.of, tx, series, by=by or self.clerk, why="it is due", **more)

    def approve(self, found: Proposal, by: Officer | None = None, instrument: str = "") -> Proposal:
        with self.store.database.begin() as tx:
            return approving.approve(
                self.of, tx, found.id, by=by or self.chief, why="I looked at the list", instrument=instrument
            )

    def approved(self, series: str = "COR-03", **more: Any) -> Proposal:
        return self.approve(self.propose(series, **more))

    def wait(self, days: int = 15) -> None:
        self.clock.at += timedelta(days=days)

    def execute(self, found: Proposal, **more: Any) -> Outcome:
        return executing.execute(self.of, found.id, by=self.clerk, why="the period is over", **more)

    def get(self, found: Proposal) -> Proposal:
        with self.store.database.read() as tx:
            return proposals.get(self.store, tx, found.id)

    def gone(self, *wanted: UUID) -> set[UUID]:
        """Those of these records that have a tombstone."""
        with self.store.database.read() as tx:
            return set(disposals.disposed(tx, wanted))

    def acts(self, found: Proposal) -> list[str]:
        """What was done with a proposal, by the names in its entries, the oldest first."""
        import msgspec

        with self.store.database.read() as tx:
            said = self.store.ledger.acts(tx, subject=found.id, limit=1_000)
            return [
                str(msgspec.json.decode(self.store.ledger.entry(tx, one.entry))["act"])
                for one in reversed(said)
            ]


def office(
    world: World,
    clock: FixedClock,
    derived: Callable[[], Sequence[Purger]] = lambda: (),
    *,
    anchored: bool = False,
) -> Office:
    """The people of a world, over the real schedules and the real holds."""
    store = world.store
    of = Disposing(
        store=store,
        schedules=Standing(store),
        covering=lambda tx, keys: covering.covering(store, tx, keys),
        derived=derived,
        anchored=anchored,
    )
    return Office(world, clock, of)


def _named(tx: Tx, wanted: Sequence[UUID]) -> Keys:
    return Keys.of(executing.keys_of(tx, wanted).values())

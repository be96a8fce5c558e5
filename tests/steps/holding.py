"""A law department: a page that is captured by script, its index, attorneys and those who are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.db import Tx
from app.holds import covering, following, matters, placing
from app.holds import finding as looking
from app.holds.matters import Matter
from app.holds.placing import Hold, Placed
from app.holds.scopes import Scope
from app.holds.searching import Honouring
from app.index import follower
from app.index.engine import Engine
from app.index.source import LedgerSource
from app.officers import accounts
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store import Store, destruction, tables
from app.store.destruction import Executed
from connectors.contract import Observation
from tests.promises.reference_engine import ReferenceEngine
from tests.steps.scripted import listing
from tests.steps.test_capture import World

WITHDRAWN = "withdrawn_on_recheck"


class Law(World):
    """The page, the index that follows it, and the people of the law department."""

    def __init__(self, store: Store, clock: FixedClock, engine: Engine | None = None) -> None:
        super().__init__(store, clock)
        self.inner: Engine = engine or ReferenceEngine()
        self.engine: Engine = Honouring(self.inner, store)
        self.source = LedgerSource(store)
        self.counsel = self.hired("counsel", Role.ATTORNEY)
        self.second = self.hired("second", Role.ATTORNEY)
        self.clerk = self.hired("clerk", Role.RECORDS_OFFICER)
        self.auditor = self.hired("auditor", Role.AUDITOR)
        self.admin = self.hired("admin", Role.ADMINISTRATOR)

    def hired(self, name: str, *roles: Role) -> Officer:
        """Somebody who works here; no password is made, because that takes longer than most tests."""
        made = Officer(id=new_id(), email=f"{name}@harrowfalls.example", name=name, roles=frozenset(roles))
        with self.store.database.begin() as tx:
            tx.execute(
                insert(tables.officers).values(
                    id=made.id.bytes,
                    email=made.email,
                    name=name,
                    roles=" ".join(roles),
                    active=True,
                    added_at=0,
                )
            )
            told = {"email": made.email, "name": name, "roles": list(roles)}
            accounts.write(self.store, tx, "added", made, by=None, why="works here", detail=told)
        return made

    # -- capture and index --

    def shown(self, *items: Observation, index: bool = True) -> None:
        """Capture a listing of all that the page shows; the index follows, unless it is stopped."""
        self.capture(listing(self.clock, *items))
        if index:
            self.follow()

    def follow(self) -> None:
        follower.catch_up(self.source, self.inner)

    def keys(self) -> dict[str, int]:
        return {name: one.key for name, one in self.records().items()}

    def names(self, keys: Sequence[int] | set[int]) -> set[str]:
        known = {key: name for name, key in self.keys().items()}
        return {known[key] for key in keys}

    # -- matters and holds --

    def matter(self, name: str = "Doe v. Harrow Falls", *, by: Officer | None = None, **more: Any) -> Matter:
        with self.store.database.begin() as tx:
            return matters.open(self.store, tx, name, by=by or self.counsel, why="a demand letter", **more)

    def place(self, matter: Matter, query: str = "", *, by: Officer | None = None, **more: Any) -> Placed:
        scope = Scope(query=query, **more)
        found = looking.find(self.store, self.engine, scope)
        with self.store.database.begin() as tx:
            return placing.place(
                self.store, tx, matter, scope, found, by=by or self.counsel, why="to be kept"
            )

    def covered(self) -> dict[str, frozenset[UUID]]:
        """What covers each record, judged on its own text."""
        keys = self.keys()
        with self.store.database.read() as tx:
            told = covering.covering(self.store, tx, list(keys.values()))
        return {name: told[key] for name, key in keys.items()}

    def held(self, hold: Hold) -> set[str]:
        """The records that have a row for this hold."""
        asked = select(tables.hold_records.c.record).where(tables.hold_records.c.hold == hold.key)
        with self.store.database.read() as tx:
            return self.names(set(tx.execute(asked).scalars()))

    def join(self) -> int:
        return following.follow(self.store)

    # -- disposing --

    def recheck(self, tx: Tx, wanted: Sequence[UUID]) -> Mapping[UUID, str]:
        """The last look of a disposal, as far as holds are concerned."""
        asked = select(tables.records.c.key, tables.records.c.id).where(
            tables.records.c.id.in_([one.bytes for one in wanted])
        )
        keys = {key: UUID(bytes=bytes(identity)) for key, identity in tx.execute(asked)}
        told = covering.covering(self.store, tx, list(keys))
        return {identity: WITHDRAWN for key, identity in keys.items() if told[key]}

    def dispose(self, *names: str) -> Executed:
        """Dispose of records as the schedule would, looking again inside the destroying transaction."""
        batch, held = new_id(), self.records()
        with self.store.database.begin() as tx:
            destruction.authorise(
                self.store,
                tx,
                batch,
                [held[name].id for name in names],
                authority="Town council",
                series="COR-03",
                citation="Resolution 12, item 3",
                by=self.clerk.id,
                why="the schedule",
            )
        return destruction.execute(
            self.store, batch, recheck=self.recheck, derived=(), by=self.clerk.id, why="it is due"
        )


def opened(folder: Path) -> Engine:
    """A real index."""
    from app.index.tantivy_engine import TantivyEngine

    return TantivyEngine.open(folder)

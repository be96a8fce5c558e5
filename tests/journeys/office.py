"""A records office: an archive with its registry of pages, and what an officer asks of it night after night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app import main, officers
from app.capture import pages, records, runs
from app.capture.runs import Report
from app.db import from_instant
from app.main import Archive
from app.records.clock import Clock
from app.records.nouns import Page, Record, Version
from app.store import fixity, merkle, reading
from app.store.tables import entries, exchanges, manifests, versions
from app.store.tables import pages as page_table
from app.store.tables import records as record_table
from app.store.tables import runs as run_table
from connectors.http import Manners
from tests.archives import settings_at

LOOPBACK = "127.0.0.1"
CLERK = "clerk@harrowfalls.example"


@dataclass(frozen=True, slots=True)
class Change:
    """A version that a night added."""

    record: UUID
    number: int
    state: str


class Office:
    """An archive, its first officer, and the verbs of a night.

    Pauses between requests take no time here: the pages stand on this machine.
    """

    def __init__(self, archive: Archive) -> None:
        self.archive, self.store = archive, archive.store
        archive.wait = lambda _pause: None
        archive.manners = Manners(interval=timedelta(0))
        with self.store.database.begin() as tx:
            if not officers.list_all(tx):
                officers.first(self.store, tx, CLERK)
            (self.officer,) = (one for one in officers.list_all(tx) if one.email == CLERK)

    # -- the registry --------------------------------------------------------------------------------------

    def add(
        self,
        connector: str,
        address: str,
        name: str,
        *,
        secret: Mapping[str, str] | None = None,
        custodian: str = "",
        options: Mapping[str, str] | None = None,
    ) -> Page:
        """Register a page, and connect it where there is a secret."""
        page = self.archive.add_page(
            connector,
            address,
            name=name,
            custodian=custodian,
            options=options or {},
            by=self.officer.id,
            why="the council decided to keep it",
        )
        if secret is None:
            return page
        with self.store.database.begin() as tx:
            return pages.connect(self.store, tx, page, secret, by=self.officer.id, why="password received")

    def page(self, name: str) -> Page:
        with self.store.database.read() as tx:
            return pages.get(tx, name)

    # -- the night -----------------------------------------------------------------------------------------

    def capture(self, page: Page) -> Report:
        return self.archive.capture(page, by=None, why="the nightly capture")

    def ledger_size(self) -> int:
        with self.store.database.read() as tx:
            return self.store.ledger.size(tx)

    def changes(self, page: Page, since: int) -> list[Change]:
        """Every version of this page's records that was added from ledger entry `since` on."""
        asked = (
            select(record_table.c.id, versions.c.number, versions.c.state)
            .join(record_table, record_table.c.key == versions.c.record)
            .where(record_table.c.page == page.key, versions.c.entry >= since)
            .order_by(versions.c.entry)
        )
        with self.store.database.read() as tx:
            return [Change(UUID(bytes=bytes(row.id)), row.number, row.state) for row in tx.execute(asked)]

    def statuses(self, report: Report) -> list[int]:
        """What the platform answered during a run, in order; 0 where no answer came."""
        asked = (
            select(exchanges.c.status)
            .join(run_table, run_table.c.key == exchanges.c.run)
            .where(run_table.c.id == report.run.bytes)
            .order_by(exchanges.c.key)
        )
        with self.store.database.read() as tx:
            return list(tx.execute(asked).scalars())

    # -- what is held --------------------------------------------------------------------------------------

    def known(self, page: Page) -> dict[str, Record]:
        """Every record of a page by its native id."""
        with self.store.database.read() as tx:
            keys = tx.execute(
                select(record_table.c.key).where(record_table.c.page == page.key).order_by(record_table.c.key)
            ).scalars()
            found = records.read(self.store, tx, list(keys), messages=True)
        return {str(one.version.fields["native_id"]): one for one in found}

    def read(self, identities: set[UUID]) -> dict[UUID, Record]:
        """These records with their newest versions."""
        with self.store.database.read() as tx:
            keys: list[int] = []
            for identity in identities:
                keys += tx.execute(
                    select(record_table.c.key).where(record_table.c.id == identity.bytes)
                ).scalars()
            return {one.id: one for one in records.read(self.store, tx, keys, messages=True)}

    def history(self, record: Record) -> list[Version]:
        with self.store.database.read() as tx:
            return records.history(self.store, tx, record)

    def told(self, record: Record) -> list[tuple[str, str]]:
        """The state and the text of each version, oldest first."""
        return [(version.state, version.text("text") or "") for version in self.history(record)]

    def family(self, record: Record) -> list[Record]:
        with self.store.database.read() as tx:
            return records.family(self.store, tx, record, messages=False)

    def stood(self, record: Record, moment: datetime) -> str:
        """How a record stood at a moment: shown, not_shown or uncertain."""
        with self.store.database.read() as tx:
            (one,) = records.stood_at(self.store, tx, [record], moment)
        return one.shown

    def gaps(self, page: Page) -> list[runs.GapFound]:
        with self.store.database.read() as tx:
            return runs.gaps_of(self.store, tx, page=page.key)

    def bodies(self, report: Report) -> list[bytes]:
        """The bodies of a run's exchanges, joined again from their pieces."""
        asked = (
            select(exchanges.c.key)
            .join(run_table, run_table.c.key == exchanges.c.run)
            .where(run_table.c.id == report.run.bytes)
            .order_by(exchanges.c.key)
        )
        with self.store.database.read() as tx:
            kept = [reading.exchange(self.store, tx, key) for key in tx.execute(asked).scalars()]
        assert not any(one.holes for one in kept)
        return [one.body for one in kept]

    # -- whether it is sound -------------------------------------------------------------------------------

    def unsound(self) -> list[str]:
        """What the full check finds, and what the manifests leave open."""
        told = fixity.verify(self.store, full=True)
        return [f"{one.code}: {one.what} ({one.where})" for one in told.findings] + list(self.unchained())

    def unchained(self) -> Iterator[str]:
        """Where the manifests of a page do not follow one another, or do not say what was captured between them."""
        with self.store.database.read() as tx:
            for key, name in tx.execute(select(page_table.c.key, page_table.c.name)).all():
                held = tx.execute(
                    select(versions.c.entry, entries.c.body)
                    .join(record_table, record_table.c.key == versions.c.record)
                    .join(entries, entries.c.index == versions.c.entry)
                    .where(record_table.c.page == key)
                    .order_by(versions.c.entry)
                ).all()
                told = tx.execute(
                    select(manifests, manifests.c.count.label("stated"))
                    .where(manifests.c.page == key)
                    .order_by(manifests.c.entry)
                ).all()
                ended = tx.execute(
                    select(run_table.c.ended_at).where(
                        run_table.c.page == key, run_table.c.ended_at.is_not(None)
                    )
                ).scalars()
                zone = self.store.agency.zone()
                days = {from_instant(at).astimezone(zone).date().isoformat() for at in ended}
                if {one.day for one in told} != days or len(told) != len(days):
                    yield f"{name}: runs on {len(days)} days and {len(told)} manifests"
                before, through, place = None, -1, 0
                for one in told:
                    leaves = []
                    while place < len(held) and held[place].entry <= one.through:
                        leaves.append(merkle.leaf_hash(bytes(held[place].body)))
                        place += 1
                    if one.previous != before or not through <= one.through < one.entry:
                        yield f"{name}: the manifest at entry {one.entry} does not follow the one at {before}"
                    if (one.stated, bytes(one.root)) != (len(leaves), _root(leaves)):
                        yield f"{name}: the manifest at entry {one.entry} does not state what was captured"
                    before, through = one.entry, one.through
                left = select(exchanges.c.at).join(versions, versions.c.exchange == exchanges.c.key)
                later = {
                    from_instant(tx.execute(left.where(versions.c.entry == one.entry)).scalar_one())
                    .astimezone(zone)
                    .date()
                    .isoformat()
                    for one in held[place:]
                }
                if later - {one.day for one in told[-1:]}:
                    yield f"{name}: {len(held) - place} versions of an earlier day are in no manifest"


def _root(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, section 2.1, written as it is defined there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else merkle.EMPTY_ROOT
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return merkle.node_hash(_root(leaves[:split]), _root(leaves[split:]))


@contextmanager
def office_in(home: Path, clock: Clock) -> Iterator[Office]:
    """The office of the archive in `home`."""
    archive = main.open_archive(settings_at(home, allow_hosts=LOOPBACK), clock)
    try:
        yield Office(archive)
    finally:
        archive.close()

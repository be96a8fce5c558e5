"""An archive with one page of one platform, captured night after night: what journeys over nights begin with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

from sqlalchemy import select

from app.capture import attachments, pages, records, run
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.records.nouns import Record, Version
from app.store import Store, fixity
from app.store.tables import records as record_table
from connectors.contract import Client, Connector, Page
from connectors.http import EvidenceClient, Manners
from tests.connectors.worlds.loopback import ALLOWED, Passing

NIGHT = timedelta(days=1)


class Desk:
    """An archive with one page."""

    def __init__(
        self,
        store: Store,
        clock: FixedClock,
        stack: ExitStack,
        connector: Callable[[Client], Connector],
        page: Page,
        secret: Mapping[str, str],
        opens: Callable[..., EvidenceClient] = EvidenceClient,
    ) -> None:
        self.store, self.clock, self.connector = store, clock, connector
        passing = Passing()
        self.client = stack.enter_context(
            opens(
                clock=clock,
                monotonic=passing.monotonic,
                wait=passing.wait,
                contact="records@town.example",
                secrets=secret,
                allow_hosts=ALLOWED,
                manners=Manners(interval=timedelta(0), retries=0),
            )
        )
        manifest = connector(self.client).manifest
        with store.database.begin() as tx:
            self.page = pages.add(
                store,
                tx,
                connector=manifest.name,
                platform=manifest.platform,
                address=page.address,
                name="Police",
                by=None,
                why="test",
                options=dict(page.options),
            )

    def night(self, after: timedelta = NIGHT) -> Report:
        """One run, so long after the one before."""
        self.clock.at += after
        return run.capture(
            self.store,
            self.page,
            self.connector(self.client),
            self.client,
            by=None,
            why="test",
            tick=count().__next__,
        )

    def held(self) -> dict[str, Record]:
        """Every record by its native id."""
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True)
        return {str(one.version.fields["native_id"]): one for one in found}

    def states(self) -> dict[str, str]:
        """Everything that is not simply present."""
        return {name: one.state for name, one in self.held().items() if one.state != "present"}

    def words(self, name: str) -> object:
        """The words of a record's newest version."""
        return self.held()[name].version.fields["text"]

    def history(self, name: str) -> list[Version]:
        """Every version of a record, oldest first."""
        record = self.held()[name]
        with self.store.database.read() as tx:
            return records.history(self.store, tx, record)

    def versions(self, name: str) -> list[Version]:
        """Every version of a record, oldest first."""
        record = self.held()[name]
        with self.store.database.read() as tx:
            return records.history(self.store, tx, record)

    def files(self, name: str) -> dict[str, bytes]:
        """The files of a record that are held, by their ids."""
        record = self.held()[name]
        listed = record.version.fields.get("attachments")
        names = (
            [str(one["id"]) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        )
        with self.store.database.read() as tx:
            rows = attachments.of(self.store, tx, record.id.bytes, names)
            return {
                file: b"".join(attachments.stream(self.store, row))
                for file, row in rows.items()
                if row.state == attachments.KEPT
            }

    def sound(self) -> bool:
        """Whether everything held is what was kept."""
        return fixity.verify(self.store, full=True).findings == []


def told(report: Report) -> tuple[str, int, int, int, int]:
    """How a night ended: its status, and what was new, edited, hidden and gone."""
    tally = report.tally
    return report.status, tally.new, tally.edited, tally.hidden, tally.gone

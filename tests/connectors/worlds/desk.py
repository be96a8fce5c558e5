"""An archive with one page of one platform, captured night after night: what journeys over nights begin with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

from sqlalchemy import select

from app.capture import account, attachments, pages, records, run
from app.capture.run import Pass
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.records.nouns import Page, Record, Version
from app.store import Store, fixity
from app.store.tables import records as record_table
from connectors.contract import Client, Connector
from connectors.contract import Page as PageAddress
from connectors.http import EvidenceClient, Manners
from tests.connectors.worlds.loopback import ALLOWED, Passing

NIGHT = timedelta(days=1)


class Desk:
    """An archive with one page.

    The connector is made anew each night, with the secret that stands then: a
    journey may put another one into `secret`. What becomes of a platform's
    world of itself, before a night or after it, its own desk says in `evening`
    and `morning`.
    """

    def __init__(
        self,
        store: Store,
        clock: FixedClock,
        stack: ExitStack,
        connector: Callable[[Client, Mapping[str, str]], Connector],
        page: PageAddress,
        secret: Mapping[str, str],
        opens: Callable[..., EvidenceClient] = EvidenceClient,
        *,
        name: str = "Police",
    ) -> None:
        self.store, self.clock, self.connector, self.secret = store, clock, connector, secret
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
        self._at = page
        self.page = self.adds(name)

    def adds(self, name: str, **options: str) -> Page:
        """Put the page into the registry under a name; once more, under another name, with these options besides."""
        manifest = self.connector(self.client, self.secret).manifest
        with self.store.database.begin() as tx:
            return pages.add(
                self.store,
                tx,
                connector=manifest.name,
                platform=manifest.platform,
                address=self._at.address,
                name=name,
                by=None,
                why="test",
                options={**self._at.options, **options},
            )

    def evening(self) -> None:
        """What becomes of the world before a night's run."""

    def morning(self) -> None:
        """What becomes of the world after a night's run."""

    def night(self, pass_: Pass | None = None, *, after: timedelta = NIGHT) -> Report:
        """One run, so long after the one before. `pass_` says which part of the page it is about; without it, all of it."""
        self.clock.at += after
        self.evening()
        report = run.capture(
            self.store,
            self.page,
            self.connector(self.client, self.secret),
            self.client,
            by=None,
            why="test",
            tick=count().__next__,
            pass_=pass_,
        )
        self.morning()
        return report

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

    def described(self, name: str) -> list[list[object]]:
        """What each version of a record says of what its files show, oldest first."""
        listed = (one.fields.get("attachments") for one in self.history(name))
        return [
            [one.get("description") or one.get("caption") for one in files if isinstance(one, dict)]
            for files in listed
            if isinstance(files, list)
        ]

    def hears_other_descriptions(
        self, name: str, expire: Callable[[], None], describe: Callable[[str | None], None]
    ) -> None:
        """Nights over a record with a picture of "A barrier": another address is no edit, another description is, and so is none."""
        assert self.night().status == "complete"
        expire()
        assert told_in_full(self.night()) == ("complete", 0, 0, 0, 0, 0)
        for words in ("A barrier across the road", None):
            describe(words)
            assert told_in_full(self.night()) == ("complete", 0, 1, 0, 0, 0)
        assert self.described(name) == [["A barrier"], ["A barrier across the road"], [None]]
        assert self.sound()

    def counted(self) -> dict[str, tuple[int, int]]:
        """What the platform last said it has, by kinds, and how much of it is held now."""
        with self.store.database.read() as tx:
            return {one.kinds: (one.stated, one.held) for one in account.counts(tx, self.page)}

    def sound(self) -> bool:
        """Whether everything held is what was kept."""
        return fixity.verify(self.store, full=True).findings == []


def told(report: Report) -> tuple[str, int, int, int, int]:
    """How a night ended: its status, and what was new, edited, hidden and gone."""
    tally = report.tally
    return report.status, tally.new, tally.edited, tally.hidden, tally.gone


def told_in_full(report: Report) -> tuple[str, int, int, int, int, int]:
    """How a night ended: its status, and what was new, edited, hidden, absent and gone."""
    tally = report.tally
    return report.status, tally.new, tally.edited, tally.hidden, tally.absent, tally.gone


def changed(report: Report) -> int:
    """How many records a night said anything new of."""
    tally = report.tally
    return tally.new + tally.edited + tally.hidden + tally.absent + tally.gone + tally.restored

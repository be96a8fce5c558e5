"""Capturing a page: what its connector observes is kept batch by batch, and what it could not see is written down.

A batch is one transaction with the cursor that follows it, so that a run that
is broken off goes on where it stopped and misses nothing. A throttled,
unauthorised or failing answer ends the run with a gap; it never makes anything
absent or gone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from app.capture import attachments, lease, pages, runs
from app.capture.keep import Carried, ExchangeRef, Keeper, PageRef, Seen, Stood
from app.capture.runs import GapFound, Report, Run
from app.db import Tx, to_instant
from app.records.errors import ArchiveError, Refused
from app.records.nouns import Page
from app.store.ledger import keyed
from app.store.reading import VERSION_COLUMNS, Frames, fields, version_row
from app.store.store import Store
from app.store.tables import objects, records, tombstones, versions
from connectors.contract import (
    Attachment,
    Batch,
    Client,
    Connector,
    Cursor,
    Exchange,
    Kind,
    Listing,
    Sighting,
    State,
)
from connectors.contract import Page as PageAddress
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater

_log = logging.getLogger("muniment.capture")

_MANY_OBSERVATIONS = 500
_MANY_BYTES = 8 * 1024 * 1024


class PagePaused(Refused):
    """The page is paused; resume it before it is captured."""

    code = "page-paused"


class Streaming(Client, Protocol):
    """The evidence client, as far as capture uses it."""

    def stream(self, url: str, *, most: int) -> AbstractContextManager[tuple[Exchange, Iterator[bytes]]]: ...

    def take(self) -> list[Exchange]: ...


def capture(
    store: Store,
    page: Page,
    connector: Connector,
    client: Streaming,
    *,
    by: UUID | None,
    why: str,
    most_bytes: int = 2 << 30,
    tick: Callable[[], float],
    point: Callable[[str], None] | None = None,
) -> Report:
    """Capture what a page shows; return what became of it.

    Raises `PageBusy` when another run has the page and `PagePaused` when it is
    paused. What the platform does wrong is in the report, never raised.
    """
    _not_paused(page)
    return _Running(store, page, connector, client, by, why, most_bytes, tick, point).go()


def ready(store: Store, page: Page) -> None:
    """Raise `PagePaused` or `PageBusy` where a capture could not even begin."""
    _not_paused(page)
    with store.database.read() as tx:
        lease.look(store, tx, page)


def _not_paused(page: Page) -> None:
    if page.status == pages.PAUSED:
        raise PagePaused(
            f"{page.name} is paused", next=f"`muniment page resume {page.id}` captures it again."
        )


class _Running:
    """One run of one page."""

    def __init__(
        self,
        store: Store,
        page: Page,
        connector: Connector,
        client: Streaming,
        by: UUID | None,
        why: str,
        most: int,
        tick: Callable[[], float],
        point: Callable[[str], None] | None,
    ) -> None:
        self.store, self.page, self.connector, self.client = store, page, connector, client
        self.by, self.why, self.most, self.tick = by, why, most, tick
        self.point = point or (lambda _name: None)
        self.who = lease.owner()
        self.ref = PageRef(page.key, page.id.bytes, page.platform, page.name)
        self.address = PageAddress(address=page.address, options=dict(page.options))
        self.pending: list[Batch] = []
        self.taken: list[Exchange] = []
        self.files: list[tuple[str, Attachment]] = []
        self.run: Run
        self.keeper: Keeper
        self.report: Report

    def go(self) -> Report:
        began = self.tick()
        store = self.store
        with store.database.begin() as tx:
            lease.take(store, tx, self.page, self.who)
            runs.close_interrupted(store, tx, self.page, runs.CAPTURE, by=self.by)
            self.run = runs.begin(store, tx, self.page, runs.CAPTURE)
            since = pages.cursor(store, tx, self.page)
            resumed = since is not None and runs.broken_before(tx, self.run)
        self.report = Report(page=self.page.id, run=self.run.id)
        manifest = self.connector.manifest
        self.keeper = Keeper(
            store, self.run.key, f"{manifest.name}/{manifest.parser}", received=False, point=self.point
        )
        try:
            self._observe(Cursor(since) if since is not None else None)
            if resumed:
                # What was resumed is the pass that an earlier night began; this night's own is still to come.
                self._observe(self._cursor())
            self._fetch()
            self._rest()
        except ConnectorError as error:
            self._failed(error)
        except ArchiveError:
            self._broken("the archive could not keep it")
            raise
        except Exception as error:  # noqa: BLE001 - a connector's own fault must not end the night
            _log.exception("the connector of %s failed", self.page.id)
            self._broken(f"the connector failed: {type(error).__name__}")
        self.report.seconds = self.tick() - began
        self._end()
        return self.report

    # -- observing -----------------------------------------------------------------------------------------

    def _observe(self, since: Cursor | None) -> None:
        observed = weight = 0
        try:
            for batch in self.connector.observe(self.address, since):
                self.pending.append(batch)
                observed += len(batch.observations)
                weight += sum(len(exchange.body) for exchange in batch.exchanges)
                if batch.listings or observed >= _MANY_OBSERVATIONS or weight >= _MANY_BYTES:
                    self._flush()
                    observed = weight = 0
        finally:
            self._flush()

    def _cursor(self) -> Cursor | None:
        with self.store.database.read() as tx:
            reached = pages.cursor(self.store, tx, self.page)
        return Cursor(reached) if reached is not None else None

    def _flush(self) -> None:
        """Keep what is pending as one batch, with its cursor; then look for what its listings miss."""
        if not self.pending:
            return
        batches, self.pending = self.pending, []
        carried: list[Carried] = []
        seen: list[Seen] = []
        stood: list[Stood] = []
        found: list[GapFound] = []
        listings: list[tuple[Listing, int]] = []
        for batch in batches:
            first = len(carried)
            carried += [carry(exchange) for exchange in batch.exchanges]
            seen += [
                Seen(
                    self.ref,
                    item,
                    [(first + span.exchange, span.start, span.end) for span in item.evidence]
                    or [(first, 0, 0)],
                )
                for item in batch.observations
            ]
            stood += [
                one for sighting in batch.sightings if (one := self._stood(sighting, first)) is not None
            ]
            found += [GapFound(gap.what, gap.why, gap.native_id, gap.since, gap.until) for gap in batch.gaps]
            listings += [(listing, first + listing.exchange) for listing in batch.listings]
        carried += [
            carry(exchange) for exchange in self._untold(one for batch in batches for one in batch.exchanges)
        ]
        self._keep(carried, seen, stood, found, batches[-1].resume_from)
        for item in seen:
            self.files += [
                (item.observation.native_id, attachment)
                for attachment in item.observation.attachments
                if attachment.url
            ]
        kept = list(self.keeper.exchanges)
        for listing, place in listings:
            self._missing(listing, kept[place])

    def _keep(
        self,
        carried: Sequence[Carried],
        seen: Sequence[Seen],
        stood: Sequence[Stood],
        found: Sequence[GapFound],
        cursor: str | None,
    ) -> None:
        def also(tx: Tx) -> None:
            lease.renew(self.store, tx, self.page, self.who)
            if cursor is not None:
                pages.set_cursor(self.store, tx, self.page, cursor)
            runs.note_gaps(self.store, tx, self.run, self.page, found, by=self.by)

        self.report.tally.add(self.keeper.keep(carried, seen, stood, also=also))
        self.report.gaps += found

    def _untold(self, told: Iterable[Exchange], *, last: bool = False) -> list[Exchange]:
        """Exchanges that were made and that no batch told of: retries, redirects on the way, what was asked in vain.

        One that was made just now may belong to the batch that comes next, and
        waits for it; at the `last` call nothing comes next.
        """
        known = {id(exchange) for exchange in told}
        waited = [exchange for exchange in self.taken if id(exchange) not in known]
        self.taken = [exchange for exchange in self.client.take() if id(exchange) not in known]
        if last:
            waited, self.taken = waited + self.taken, []
        return waited

    def _stood(self, sighting: Sighting, first: int) -> Stood | None:
        """A sighting of a record that we hold; of one that we do not hold there is nothing to say."""
        mac = keyed(self.store.lookup, self.page.id.bytes, sighting.native_id.encode())
        with self.store.database.read() as tx:
            record = tx.execute(select(records.c.id).where(records.c.native_mac == mac)).scalar()
        return (
            None
            if record is None
            else Stood(bytes(record), sighting.state, first + sighting.exchange, sighting.reason)
        )

    # -- what a listing misses -----------------------------------------------------------------------------

    def _missing(self, listing: Listing, shown: ExchangeRef) -> None:
        """Ask by id for what a complete listing does not show; what cannot be told is absent, no more."""
        missing = self._candidates(listing)
        if not missing:
            return
        by_name = {name: record for record, name, _, _ in missing}
        left = {name: state for _, name, _, state in missing}
        for batch in self.connector.look(self.address, [(Kind(kind), name) for _, name, kind, _ in missing]):
            stood = []
            for sighting in batch.sightings:
                if sighting.native_id not in left:
                    continue
                before = left[sighting.native_id]
                if sighting.state is State.UNKNOWN and before is not State.ABSENT:
                    told = Stood(
                        by_name[sighting.native_id], State.ABSENT, sighting.exchange, sighting.reason
                    )
                else:
                    told = Stood(
                        by_name[sighting.native_id], sighting.state, sighting.exchange, sighting.reason
                    )
                del left[sighting.native_id]
                stood.append(told)
            gaps = [GapFound(gap.what, gap.why, gap.native_id, gap.since, gap.until) for gap in batch.gaps]
            made = [*batch.exchanges, *self._untold(batch.exchanges)]
            self._keep([carry(exchange) for exchange in made], [], stood, gaps, None)
        unasked = [
            Stood(by_name[name], State.ABSENT, shown, "missing from a complete listing")
            for name, before in left.items()
            if before is not State.ABSENT
        ]
        if unasked:
            self._keep([], [], unasked, [], None)

    def _candidates(self, listing: Listing) -> list[tuple[bytes, str, str, State]]:
        """What we hold within the listing's scope and have not seen since it began: id, native id, kind, state."""
        shown = [str(state) for state in {*listing.states, State.ABSENT}]
        asked = (
            select(*VERSION_COLUMNS, records.c.kind, records.c.state)
            .join(versions, (versions.c.record == records.c.key) & (versions.c.number == records.c.version))
            .join(objects, objects.c.key == versions.c.object)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(
                records.c.page == self.page.key,
                records.c.kind.in_([str(kind) for kind in listing.kinds]),
                records.c.state.in_(shown),
                records.c.last_seen < to_instant(listing.began_at),
                records.c.received.is_(False),
                tombstones.c.record.is_(None),
            )
        )
        if listing.in_reply_to is not None:
            asked = asked.where(
                records.c.parent_mac
                == keyed(self.store.lookup, self.page.id.bytes, listing.in_reply_to.encode())
            )
        if listing.published_from is not None:
            asked = asked.where(records.c.published_at >= to_instant(listing.published_from))
        if listing.published_until is not None:
            asked = asked.where(records.c.published_at <= to_instant(listing.published_until))
        with self.store.database.read() as tx:
            rows = tx.execute(asked).all()
        secrets = self.store.keyring.secrets(bytes(row[1]) for row in rows)
        frames = Frames(self.store.objects)
        found = []
        for row in rows:
            version = version_row(row)
            name = fields(frames, secrets[version.record_id], version)["native_id"]
            found.append((version.record_id, str(name), str(row[-2]), State(row[-1])))
        return found

    # -- attachments ---------------------------------------------------------------------------------------

    def _fetch(self) -> None:
        """Fetch the attachments that are not kept yet; one that cannot be fetched is a gap."""
        store = self.store
        for name, attachment in {(name, item.id): (name, item) for name, item in self.files}.values():
            mac = keyed(store.lookup, self.page.id.bytes, name.encode())
            with store.database.read() as tx:
                record = tx.execute(select(records.c.id).where(records.c.native_mac == mac)).scalar()
                if record is None or not attachments.wanted(store, tx, bytes(record), [attachment.id]):
                    continue
            self._fetch_one(bytes(record), name, attachment)

    def _fetch_one(self, record: bytes, name: str, attachment: Attachment) -> None:
        self._rest()
        try:
            with self.client.stream(attachment.url or "", most=self.most) as (head, chunks):
                if head.status == 200:
                    attachments.keep(self.store, record, attachment.id, chunks)
        except ConnectorError as error:
            self.client.take()
            self._unfetched(record, name, attachment, str(error), *error.exchanges)
            return
        this = (head.url, head.started_at)
        before = [exchange for exchange in self.client.take() if (exchange.url, exchange.started_at) != this]
        if head.status == 200:
            self._keep([carry(exchange, record) for exchange in (*before, head)], [], [], [], None)
        else:
            self._unfetched(record, name, attachment, f"the platform answered {head.status}", *before, head)

    def _rest(self) -> None:
        """Keep the exchanges that no batch told of, once observing is over."""
        left = self._untold((), last=True)
        if left:
            self._keep([carry(exchange) for exchange in left], [], [], [], None)

    def _unfetched(
        self, record: bytes, name: str, attachment: Attachment, why: str, *heads: Exchange
    ) -> None:
        """Write down what could not be fetched; the next run tries again."""
        with self.store.database.begin() as tx:
            attachments.miss(self.store, tx, record, attachment.id)
        gap = GapFound("an attachment", why, native_id=name)
        self._keep([carry(head, record) for head in heads], [], [], [gap], None)

    # -- how it ends ---------------------------------------------------------------------------------------

    def _failed(self, error: ConnectorError) -> None:
        """Keep the exchanges that show the failure, and say what was not seen."""
        anything = self.report.tally.exchanges > 0
        self.report.status, self.report.finished = "partial" if anything else "failed", False
        self.pending = []
        gap = GapFound(_missed(error), str(error), since=self.run.began_at)
        shown = [*self._untold(error.exchanges, last=True), *error.exchanges]
        self._keep([carry(exchange) for exchange in shown], [], [], [gap], None)
        if isinstance(error, AccessRevoked):
            with self.store.database.begin() as tx:
                pages.change(
                    self.store,
                    tx,
                    self.page,
                    "disconnected",
                    by=self.by,
                    why=str(error),
                    status=pages.DISCONNECTED,
                )

    def _broken(self, why: str) -> None:
        self.report.status = "partial" if self.report.tally.exchanges else "failed"
        self.report.finished = False
        self.pending = []
        try:
            self._keep([], [], [], [GapFound("the rest of this run", why, since=self.run.began_at)], None)
        except ArchiveError:
            _log.exception("the gap of run %s could not be written; the next start will", self.run.id)

    def _end(self) -> None:
        if self.report.status == "complete" and self.report.gaps:
            self.report.status = "partial"
        with self.store.database.begin() as tx:
            runs.end(self.store, tx, self.run, self.report, [self.page], by=self.by, why=self.why)
            lease.give_back(tx, self.page, self.who)


def carry(exchange: Exchange, *concerns: bytes) -> Carried:
    """An exchange with its envelope: everything but the body, as JSON. It goes with the records that it concerns."""
    envelope = {
        "method": exchange.method,
        "url": exchange.url,
        "http_version": exchange.http_version,
        "request_headers": list(exchange.request_headers),
        "request_body": exchange.request_body.decode("utf-8", "replace"),
        "status": exchange.status,
        "reason": exchange.reason,
        "response_headers": list(exchange.response_headers),
        "seconds": str(exchange.seconds),
        "truncated": exchange.truncated,
        "failure": exchange.failure,
        "peer_address": exchange.peer_address,
        "peer_certificate_sha256": exchange.peer_certificate_sha256,
        "replaced": [[item.where, item.marker, item.count] for item in exchange.replaced],
        "at": exchange.started_at.isoformat(),
    }
    return Carried(
        "http",
        exchange.started_at,
        exchange.status,
        json.dumps(envelope, ensure_ascii=False).encode(),
        exchange.body,
        concerns=concerns,
    )


def _missed(error: ConnectorError) -> str:
    match error:
        case TryAgainLater():
            return "what the page would have shown: it did not answer"
        case AccessRevoked():
            return "what the page would have shown: it no longer lets us in"
        case _:
            return "what the page would have shown: its answer could not be understood"

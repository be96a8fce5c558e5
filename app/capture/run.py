"""Capturing a page: what its connector observes is kept batch by batch, and what it could not see is written down.

A batch is one transaction with the cursor that follows it, so that a run that
is broken off goes on where it stopped and misses nothing. A throttled,
unauthorised or failing answer ends the run with a gap; it never makes anything
absent or gone.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select

from app.capture import attachments, hints, lanes, lease, pages, runs
from app.capture.formats import halves
from app.capture.keep import Carried, ExchangeRef, Keeper, PageRef, Seen, Stood
from app.capture.runs import GapFound, Report, Run
from app.db import Tx, to_instant
from app.records.errors import ArchiveError, Invalid, Refused
from app.records.nouns import Page
from app.store import suppression
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
    Observation,
    Sighting,
    State,
    Streams,
)
from connectors.contract import Page as PageAddress
from connectors.errors import AccessRevoked, ConnectorError, NoSuchPage, TryAgainLater
from connectors.failing import FAMILY

_log = logging.getLogger("muniment.capture")

_MANY_OBSERVATIONS = 500
_MANY_BYTES = 8 * 1024 * 1024
_ASK = 500
_BY_DIGEST = "sha256:"
_MOST_STATED = 2**53 - 1
_living = (
    select(records.c.id)
    .outerjoin(tombstones, tombstones.c.record == records.c.key)
    .where(tombstones.c.record.is_(None))
)


class PagePaused(Refused):
    """The page is paused; resume it before it is captured."""

    code = "page-paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a run is about: its lane, the span of publication, single families, and how much it may ask.

    A lane that stopped before its end goes on with its own span first.
    `families` are the native ids of posts that are observed with what answers
    them, and `looks` items that are asked for by id, instead of the page.
    `hints` are the keys of what the platform told of and this pass is to see.
    `most` is the number of exchanges after which the rest of a pass waits for
    the next run.
    """

    lane: str = lanes.WHOLE
    published_from: datetime | None = None
    published_until: datetime | None = None
    families: Sequence[str] = ()
    looks: Sequence[tuple[Kind, str]] = ()
    hints: Sequence[int] = ()
    most: int | None = None

    @property
    def singly(self) -> bool:
        """Whether it is about single posts and items, and not about the page."""
        return bool(self.families or self.looks)


class PassImpossible(Invalid):
    """The page's connector cannot make the pass that was asked for."""

    code = "pass-impossible"


@dataclass(frozen=True, slots=True)
class _Missing:
    """A record that a complete listing does not show, how it stood, and the exchange that lacks it."""

    record: bytes
    name: str
    kind: str
    state: State
    shown: ExchangeRef


class _Enough(Exception):
    """The budget of the page is spent; the rest waits."""


class Streaming(Client, Protocol):
    """The evidence client, as far as capture uses it."""

    def stream(
        self, url: str, *, most: int, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[tuple[Exchange, Iterator[bytes]]]: ...

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
    pass_: Pass | None = None,
    renew: Callable[[], bool] | None = None,
    held: Callable[[PageRef, Observation], bool] | None = None,
    point: Callable[[str], None] | None = None,
) -> Report:
    """Capture what a page shows; return what became of it.

    `pass_` says which part of the page it is about; without it, all of it.
    `renew` may get fresh credentials once, when the platform no longer takes
    those that we have; the pass then goes on where it stopped. `held` says
    whether an active hold covers an item: what was disposed of is then kept as
    a new record, where it would otherwise be dropped. Raises
    `PageBusy` when another run has the page, or had what its hints name, and `PagePaused` when it is
    paused. What the platform does wrong is in the report, never raised.
    """
    _not_paused(page)
    wanted = pass_ or Pass()
    running = _Running(store, page, connector, client, by, why, most_bytes, tick, wanted, renew, point)
    running.held = held
    return running.go()


def listen(
    store: Store,
    page: Page,
    connector: Streams,
    client: Streaming,
    *,
    by: UUID | None,
    why: str,
    most_bytes: int = 2 << 30,
    tick: Callable[[], float],
    until: Callable[[], bool],
    renew: Callable[[], bool] | None = None,
    held: Callable[[PageRef, Observation], bool] | None = None,
    point: Callable[[str], None] | None = None,
) -> Report:
    """Keep what the platform tells of a page by itself, until `until` says so or the stream breaks.

    `renew`, `held` and `point` are those of a capture. It is a run of its own beside the passes: what both see is one record. It
    holds the stream's lease, so that no two processes listen to one page.
    Raises `PageBusy` where another does.
    """
    _not_paused(page)
    listening = _Listening(store, page, connector, client, by, why, most_bytes, tick, until, renew, point)
    listening.held = held
    return listening.go()


def ready(store: Store, page: Page) -> None:
    """Raise `PagePaused` or `PageBusy` where a capture could not even begin."""
    _not_paused(page)
    with store.database.read() as tx:
        lease.look(store, tx, page)


def _not_paused(page: Page) -> None:
    if page.status in pages.NOT_CAPTURED:
        raise PagePaused(
            f"{page.name} is {page.status}", next=f"`muniment page resume {page.id}` captures it again."
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
        wanted: Pass,
        renew: Callable[[], bool] | None,
        point: Callable[[str], None] | None,
    ) -> None:
        self.store, self.page, self.connector, self.client = store, page, connector, client
        self.by, self.why, self.most, self.tick = by, why, most, tick
        self.point = point or (lambda _name: None)
        self.who = lease.owner()
        self.ref = PageRef(page.key, page.id.bytes, page.platform, page.name)
        self.wanted, self.renew, self.own_begun = wanted, renew, False
        self.held: Callable[[PageRef, Observation], bool] | None = None
        self.address = PageAddress(address=page.address, options=dict(page.options))
        self.pending: list[Batch] = []
        self.told: set[str] = set()
        """What the pending batches observe, by native id."""
        self.taken: list[Exchange] = []
        self.files: list[tuple[str, Attachment]] = []
        self.lost: list[GapFound] = []
        """What the platform told of and was gone before anybody saw it."""
        self.run: Run
        self.keeper: Keeper
        self.report: Report

    def go(self) -> Report:
        began = self.tick()
        store = self.store
        wanted = self.wanted
        with store.database.begin() as tx:
            self._take(tx)
            kind = runs.STREAM if wanted.lane == lanes.STREAM else runs.CAPTURE
            runs.close_interrupted(store, tx, self.page, kind, by=self.by)
            self.run = runs.begin(
                store,
                tx,
                self.page,
                kind,
                lane=wanted.lane,
                published_from=wanted.published_from,
                published_until=wanted.published_until,
            )
            if wanted.hints and not hints.take(tx, wanted.hints, store.clock.now()):
                raise lease.PageBusy(f"another run looked at what was told of {self.page.name}")
        self.report = Report(page=self.page.id, run=self.run.id)
        manifest = self.connector.manifest
        self.keeper = Keeper(
            store,
            self.run.key,
            f"{manifest.name}/{manifest.parser}",
            received=False,
            again=manifest.tells_history,
            held=self.held,
            point=self.point,
        )
        try:
            self._see_renewed()
            self._fetch()
            self._rest()
        except ConnectorError as error:
            self._failed(error)
        except _Enough:
            self._spent()
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

    def _see_renewed(self) -> None:
        """Make the pass; where the platform refuses us and there are other credentials then, go on with these."""
        while True:
            try:
                self._see()
            except AccessRevoked as error:
                if self.renew is None or not self.renew():
                    raise
                self._shown(error)
            else:
                return

    def _see(self) -> None:
        """Make the pass that is wanted; one that an earlier run left unfinished is seen through before it."""
        if self.wanted.singly:
            self.lost.clear()
            self._remember()
            if self.wanted.families:
                self._families()
            if self.wanted.looks:
                self._looks()
            return
        with self.store.database.read() as tx:
            left = lanes.lane(self.store, tx, self.page, self.wanted.lane)
        if left.unfinished and left.cursor is not None:
            self._pass(left.cursor, left.published_from, left.published_until)
            with self.store.database.read() as tx:
                left = lanes.lane(self.store, tx, self.page, self.wanted.lane)
            if self.own_begun:
                return  # what was gone on with was this run's own pass
        self.own_begun = True
        self._pass(left.cursor, *self._span())

    def _span(self) -> tuple[datetime | None, datetime | None]:
        return self.wanted.published_from, self.wanted.published_until

    def _pass(
        self, cursor: str | None, published_from: datetime | None, published_until: datetime | None
    ) -> None:
        """One pass over a span, from where it stands to its end."""
        with self.store.database.begin() as tx:
            lanes.begin(tx, self.page, self.wanted.lane, published_from, published_until)
        self.address = replace(self.address, published_from=published_from, published_until=published_until)
        self._observe(self.connector.observe(self.address, None if cursor is None else Cursor(cursor)))
        with self.store.database.begin() as tx:
            lanes.finish(tx, self.page, self.wanted.lane, self.store.clock.now())

    def _remember(self) -> None:
        """Let the connector know the page again: it may be called otherwise since it was added."""
        knows = getattr(self.connector, "remember", None)
        with self.store.database.read() as tx:
            cursor = lanes.lane(self.store, tx, self.page, lanes.WHOLE).cursor
        if knows is not None and cursor is not None:
            knows(Cursor(cursor))

    def _families(self) -> None:
        """Observe single posts again, each with what answers it."""
        closely = getattr(self.connector, "family", None)
        if closely is None:
            raise PassImpossible(
                f"the connector {self.connector.manifest.name} cannot observe one post alone",
                next="Capture the whole page.",
            )
        for root in self.wanted.families:
            self._observe(closely(self.address, root))

    def _looks(self) -> None:
        """Ask by id how items stand that the platform told of.

        What it cannot tell changes nothing: the next pass sees whether the item
        is still listed. One that is gone and was never held is a gap.
        """
        for batch in self.connector.look(self.address, list(self.wanted.looks)):
            told = [one for one in batch.sightings if one.state is not State.UNKNOWN]
            gone = [one.native_id for one in told if one.state in (State.GONE, State.ABSENT)]
            self.lost += [
                GapFound("an item that the platform told of", "it was gone before it could be captured", name)
                for name in gone
                if not self._holds(name)
            ]
            self._observe(iter([replace(batch, sightings=told)]))

    def _holds(self, name: str) -> bool:
        """Whether there is a record of that native id, or was one that was disposed of."""
        mac = keyed(self.store.lookup, self.page.id.bytes, name.encode())
        with self.store.database.read() as tx:
            held = tx.execute(select(records.c.key).where(records.c.native_mac == mac)).first()
            return held is not None or bool(suppression.laid(tx, [mac]))

    def _observe(self, batches: Iterator[Batch]) -> None:
        observed = weight = asked = 0
        try:
            for batch in map(halves.batch, batches):
                if any(sighting.native_id in self.told for sighting in batch.sightings):
                    self._flush()  # a sighting is of what is kept already
                    observed = weight = asked = 0
                self.pending.append(batch)
                self.told.update(item.native_id for item in batch.observations)
                observed += len(batch.observations)
                asked += len(batch.exchanges)
                weight += sum(len(exchange.body) for exchange in batch.exchanges)
                if batch.listings or observed >= _MANY_OBSERVATIONS or weight >= _MANY_BYTES:
                    self._flush()
                    observed = weight = asked = 0
                if self.wanted.most is not None and self.report.tally.exchanges + asked >= self.wanted.most:
                    raise _Enough
        finally:
            self._flush()

    def _flush(self) -> None:
        """Keep what is pending as one batch, with its cursor; then look for what its listings miss."""
        if not self.pending:
            return
        batches, self.pending = self.pending, []
        self.told.clear()
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
        cursor = None if self.wanted.singly else batches[-1].resume_from
        self._keep(carried, seen, stood, found, cursor)
        self._carried_files(seen, carried)
        for item in seen:
            self.files += [
                (item.observation.native_id, attachment)
                for attachment in self.keeper.files.get(
                    item.observation.native_id, item.observation.attachments
                )
                if attachment.url
            ]
        kept = list(self.keeper.exchanges)
        answers: dict[Listing, list[tuple[str, ExchangeRef]]] = {}
        for listing, place in listings:
            if listing.in_reply_to is None and self.wanted.singly:
                continue  # one post says nothing of the others, whatever is promised
            if listing.in_reply_to is None:
                within = self._within(listing)
                self._state(within)
                self._missing(within, kept[place])
            else:
                alike = replace(
                    listing,
                    in_reply_to=None,
                    kinds=tuple(listing.kinds),
                    states=tuple(listing.states),
                    exchange=0,
                )
                answers.setdefault(alike, []).append((listing.in_reply_to, kept[place]))
        for listing, shown in answers.items():
            self._missing(listing, shown[0][1], dict(shown))

    def _keep(
        self,
        carried: Sequence[Carried],
        seen: Sequence[Seen],
        stood: Sequence[Stood],
        found: Sequence[GapFound],
        cursor: str | None,
    ) -> None:
        def also(tx: Tx) -> None:
            self._renew(tx)
            if cursor is not None:
                lanes.reach(self.store, tx, self.page, self.wanted.lane, cursor)
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
        # A stream also tells of what is not this page's: a message that no batch told is let go, it is a stranger's.
        self.taken = [
            exchange
            for exchange in self.client.take()
            if id(exchange) not in known and exchange.message is None
        ]
        if last:
            waited, self.taken = waited + self.taken, []
        return waited

    def _stood(self, sighting: Sighting, first: int) -> Stood | None:
        """A sighting of a record that we hold; of one that we do not hold there is nothing to say."""
        mac = keyed(self.store.lookup, self.page.id.bytes, sighting.native_id.encode())
        with self.store.database.read() as tx:
            record = tx.execute(_living.where(records.c.native_mac == mac)).scalar()
        return (
            None
            if record is None
            else Stood(bytes(record), sighting.state, first + sighting.exchange, sighting.reason)
        )

    # -- what a listing misses -----------------------------------------------------------------------------

    def _missing(
        self, listing: Listing, shown: ExchangeRef, answered: Mapping[str, ExchangeRef] | None = None
    ) -> None:
        """Ask by id for what a complete listing does not show; what cannot be told is absent, no more.

        With `answered`, the listing stands for several: one of what answers
        each of these items, and the exchange that shows it.
        """
        missing = self._candidates(listing, shown, answered)
        if not missing:
            return
        by_name = {one.name: one.record for one in missing}
        left = {one.name: one.state for one in missing}
        for batch in self.connector.look(self.address, [(Kind(one.kind), one.name) for one in missing]):
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
            Stood(one.record, State.ABSENT, one.shown, "missing from a complete listing")
            for one in missing
            if left.get(one.name, State.ABSENT) is not State.ABSENT
        ]
        if unasked:
            self._keep([], [], unasked, [], None)

    def _within(self, listing: Listing) -> Listing:
        """A listing promises nothing outside the span of its pass, whatever it says."""
        since, until = self.address.published_from, self.address.published_until
        if since is None and until is None:
            return listing
        return replace(
            listing,
            published_from=max(filter(None, (since, listing.published_from)), default=None),
            published_until=min(filter(None, (until, listing.published_until)), default=None),
        )

    def _state(self, listing: Listing) -> None:
        """Remember what the platform says it has of these kinds, and what we hold of them now."""
        narrowed = listing.published_from or listing.published_until
        # A total that no page can have tells nothing: nobody could write it down, and the run would not end.
        if listing.stated_total is None or narrowed or not 0 <= listing.stated_total <= _MOST_STATED:
            return
        kinds = sorted(str(kind) for kind in listing.kinds)
        held = (
            select(func.count())
            .select_from(records)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(
                records.c.page == self.page.key,
                records.c.kind.in_(kinds),
                records.c.state.in_([str(state) for state in listing.states]),
                tombstones.c.record.is_(None),
            )
        )
        with self.store.database.read() as tx:
            self.report.stated["+".join(kinds)] = (
                listing.stated_total,
                tx.execute(held).scalar_one(),
            )

    def _candidates(
        self, listing: Listing, shown: ExchangeRef, answered: Mapping[str, ExchangeRef] | None
    ) -> list[_Missing]:
        """What we hold within the listing's scope and have not seen since it began."""
        states = [str(state) for state in {*listing.states, State.ABSENT}]
        asked = (
            select(*VERSION_COLUMNS, records.c.parent_mac, records.c.kind, records.c.state)
            .join(versions, (versions.c.record == records.c.key) & (versions.c.number == records.c.version))
            .join(objects, objects.c.key == versions.c.object)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(
                records.c.page == self.page.key,
                records.c.kind.in_([str(kind) for kind in listing.kinds]),
                records.c.state.in_(states),
                records.c.last_seen < to_instant(listing.began_at),
                records.c.received.is_(False),
                tombstones.c.record.is_(None),
            )
        )
        if listing.published_from is not None:
            asked = asked.where(records.c.published_at >= to_instant(listing.published_from))
        if listing.published_until is not None:
            asked = asked.where(records.c.published_at <= to_instant(listing.published_until))
        rows: list[Any] = []
        by_parent: dict[bytes, ExchangeRef] = {}
        with self.store.database.read() as tx:
            if answered is None:
                rows += tx.execute(asked).all()
            else:
                by_parent = {
                    keyed(self.store.lookup, self.page.id.bytes, name.encode()): ref
                    for name, ref in answered.items()
                }
                macs = list(by_parent)
                for start in range(0, len(macs), _ASK):
                    rows += tx.execute(
                        asked.where(records.c.parent_mac.in_(macs[start : start + _ASK]))
                    ).all()
        secrets = self.store.keyring.secrets(bytes(row[1]) for row in rows)
        frames = Frames(self.store.objects)
        found = []
        for row in rows:
            version = version_row(row)
            name = fields(frames, secrets[version.record_id], version)["native_id"]
            shows = by_parent[bytes(row[-3])] if answered is not None else shown
            found.append(_Missing(version.record_id, str(name), str(row[-2]), State(row[-1]), shows))
        return found

    # -- attachments ---------------------------------------------------------------------------------------

    def _fetch(self) -> None:
        """Fetch the attachments that are not kept yet; one that cannot be fetched is a gap."""
        for name, attachment in {(name, item.id): (name, item) for name, item in self.files}.values():
            record = self._wants(name, attachment)
            if record is not None:
                self._fetch_one(record, name, attachment)

    def _carried_files(self, seen: Sequence[Seen], carried: Sequence[Carried]) -> None:
        """Keep the attachments whose bytes came with the batch: those that name them by `sha256:` and their digest."""
        named = [
            (item.observation.native_id, attachment)
            for item in seen
            for attachment in item.observation.attachments
            if (attachment.path or "").startswith(_BY_DIGEST)
        ]
        if not named:
            return
        bodies = {hashlib.sha256(one.body).hexdigest(): one.body for one in carried if one.body}
        for name, attachment in named:
            body = bodies.get((attachment.path or "").removeprefix(_BY_DIGEST))
            record = self._wants(name, attachment)
            if body is not None and record is not None:
                self._keep_body(record, attachment, body)

    def _keep_body(self, record: bytes, attachment: Attachment, body: bytes) -> None:
        """Keep bytes that are at hand, however often a record that has them too is disposed of meanwhile."""
        while True:
            with suppress(attachments.HolderGone):
                attachments.keep(self.store, record, attachment.id, [body])
                return

    def _wants(self, name: str, attachment: Attachment) -> bytes | None:
        """The record of that native id, if it lacks the attachment's bytes."""
        mac = keyed(self.store.lookup, self.page.id.bytes, name.encode())
        with self.store.database.read() as tx:
            record = tx.execute(_living.where(records.c.native_mac == mac)).scalar()
            if record is None or not attachments.wanted(self.store, tx, bytes(record), [attachment.id]):
                return None
        return bytes(record)

    def _fetch_one(self, record: bytes, name: str, attachment: Attachment) -> None:
        self._rest()
        address = attachment.url or ""
        signed = getattr(self.connector, "signed", None)
        try:
            headers = signed(self.address, address) if signed is not None else {}
            with self.client.stream(address, most=self.most, headers=headers) as (head, chunks):
                why = f"the platform answered {head.status}"
                if head.status == 200:
                    first = attachments.beginning(chunks)
                    why = attachments.no_file(first, attachment.media_type, address)
                    if not why:
                        came: Iterable[bytes] = chain([first], chunks)
                        if not head.header("Content-Encoding"):  # a packed one is kept as it came
                            came = attachments.as_named(attachment.id, came)
                        try:
                            attachments.keep(self.store, record, attachment.id, came)
                        except attachments.NotKept as fault:
                            why = str(fault)
        except AccessRevoked as error:
            # Nobody signs in to ask for a file: it was an address for a while, or for nobody any more.
            self.client.take()
            answered = error.exchanges[-1].status if error.exchanges else 403
            why = f"the platform answered {answered}: its address may have expired"
            self._unfetched(record, name, attachment, why, *error.exchanges)
            return
        except ConnectorError as error:
            self.client.take()
            self._unfetched(record, name, attachment, str(error), *error.exchanges)
            return
        # A file that broke off took several answers, and its head says so by now.
        made = self.client.take()
        this = (head.url, head.started_at)
        if all((one.url, one.started_at) != this for one in made):
            made.append(head)
        if why:
            self._unfetched(record, name, attachment, why, *made)
        else:
            self._keep([carry(exchange, record) for exchange in made], [], [], [], None)

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
        self._shown(error, gap)
        if isinstance(error, AccessRevoked):
            with self.store.database.begin() as tx:
                pages.disconnect(self.store, tx, self.page, by=self.by, why=str(error))

    def _shown(self, error: ConnectorError, *found: GapFound) -> None:
        """Keep the exchanges that show what went wrong."""
        shown = [*self._untold(error.exchanges, last=True), *error.exchanges]
        self._keep([carry(exchange) for exchange in shown], [], [], list(found), None)

    def _spent(self) -> None:
        """The page's budget is spent: the pass goes on with the next run."""
        self.report.status, self.report.finished = "partial", False
        gap = GapFound(
            "the rest of this pass",
            f"the page's budget allowed {self.wanted.most} exchanges",
            since=self.run.began_at,
        )
        self._rest()
        self._keep([], [], [], [gap], None)

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
        wanted, now = self.wanted, self.store.clock.now()
        with self.store.database.begin() as tx:
            runs.note_gaps(self.store, tx, self.run, self.page, self.lost, by=self.by)
            runs.end(self.store, tx, self.run, self.report, [self.page], by=self.by, why=self.why)
            if self.report.finished:
                if all(gap.what != FAMILY for gap in self.report.gaps):  # what failed waits to be tried again
                    hints.settle(tx, wanted.hints, now)
                if not wanted.singly:
                    hints.passed(tx, self.page, wanted.lane, wanted.published_from, self.run.began_at, now)
            self._give_back(tx)

    # -- whose turn it is ----------------------------------------------------------------------------------

    def _take(self, tx: Tx) -> None:
        lease.take(self.store, tx, self.page, self.who)

    def _renew(self, tx: Tx) -> None:
        lease.renew(self.store, tx, self.page, self.who)

    def _give_back(self, tx: Tx) -> None:
        lease.give_back(tx, self.page, self.who)


def carry(exchange: Exchange, *concerns: bytes) -> Carried:
    """An exchange with its envelope: everything but the body, as JSON. It goes with the records that it concerns."""
    envelope: dict[str, object] = {
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
    if exchange.message is not None:
        envelope["message"] = exchange.message
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
        case NoSuchPage():
            return "what the page would have shown: there is nothing at its address any more"
        case _:
            return "what the page would have shown: its answer could not be understood"


class _Listening(_Running):
    """One run over a stream: every message that tells something is kept as it comes."""

    def __init__(
        self,
        store: Store,
        page: Page,
        connector: Streams,
        client: Streaming,
        by: UUID | None,
        why: str,
        most: int,
        tick: Callable[[], float],
        until: Callable[[], bool],
        renew: Callable[[], bool] | None,
        point: Callable[[str], None] | None,
    ) -> None:
        wanted = Pass(lane=lanes.STREAM)
        super().__init__(store, page, connector, client, by, why, most, tick, wanted, renew, point)  # type: ignore[arg-type]  # streams are all that is asked of it
        self.streams, self.until = connector, until

    def _take(self, tx: Tx) -> None:
        lease.take_stream(self.store, tx, self.page, self.who)

    def _renew(self, tx: Tx) -> None:
        lease.renew_stream(self.store, tx, self.page, self.who)

    def _give_back(self, tx: Tx) -> None:
        lease.give_back_stream(tx, self.page, self.who)

    def _see(self) -> None:
        with self.store.database.read() as tx:
            before = lanes.lane(self.store, tx, self.page, lanes.STREAM).cursor
        told = self.streams.listen(self.address, None if before is None else Cursor(before))
        try:
            for batch in map(halves.batch, told):
                if batch.listings:
                    batch = replace(batch, listings=())  # noqa: PLW2901 - a stream promises nothing of what it did not tell
                self.pending.append(batch)
                self._flush()
                self._fetch()
                self.files.clear()
                if self.until():
                    return
        finally:
            if isinstance(told, Generator):
                told.close()

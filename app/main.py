"""The builder: the only place where engines, keyrings, ledgers, clients and schedulers are made."""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx

from app import ROOT, __version__, officers
from app.capture import accounted as tags_accounted
from app.capture import applications, credentials, hooks, introductions, pages, plans, run
from app.capture.connecting import LINK_PATH, Desk
from app.capture.credentials import Living
from app.capture.leaving import Leaving
from app.capture.pacing import Pace
from app.capture.renewing import Renewing, finish_all
from app.capture.runs import Report
from app.db import Database, DiskFull, Tx
from app.db.migrate import bring_up, check, upgrade
from app.disclosure import accounted as disclosure_accounted
from app.disclosure import known as request_laws
from app.disclosure import produced, reminding, requests_accounted, selecting
from app.disclosure.handing import TooManyForTheWeb, folder_in
from app.disposition import accounted as dispositions_accounted
from app.disposition import nightly as dispositions
from app.disposition import unfinished
from app.disposition.disposing import Disposing
from app.disposition.replay import Replayed, replay
from app.holds import accounted as holds_accounted
from app.holds import acts, following, guarding, noticing, releasing, searching
from app.holds.covering import covering
from app.holds.joining import Known
from app.index import alerts, asof, follower, search
from app.index.engine import Engine, Sort
from app.index.language import Query
from app.index.purging import IndexPurger
from app.index.search import Found
from app.index.source import LedgerSource
from app.jobs import rounds
from app.jobs.doctor import examine
from app.jobs.lookout import Listeners, Lookout
from app.jobs.night import Night, night
from app.jobs.publishing import Publishing
from app.jobs.rounds import Rounds, Throttle
from app.jobs.telling import Telling, check_captured
from app.officers import Letter, Mailer, MailNotSent, Outbox, connect_letter, mailer, plain_email
from app.officers import accounted as people_accounted
from app.records.clock import Clock, SystemClock
from app.records.errors import ArchiveError, IntegrityFailure, Invalid, NotPermitted, Refused, Unavailable
from app.records.nouns import Officer, Page, Record
from app.retention import accounted as retention_accounted
from app.retention import classifying, reviews
from app.retention.standing import Standing
from app.settings import ClusterAddress, Settings
from app.store import access, anchors, export, fixity, folders, proofs, warc, witness
from app.store.anchors import Anchoring
from app.store.asking import Asking
from app.store.backup import later, restoring, taking
from app.store.backup.taking import Taken
from app.store.disposals import Purger
from app.store.keyring import KeyMissing, Keyring, MasterKeys
from app.store.ledger import Ledger
from app.store.objects import Folder, Objects
from app.store.outgoing import folder, leave, walk
from app.store.store import Agency, NoArchive, Store, agency_of, found
from connectors import registry
from connectors.contract import Finding, Manifest, OAuth2, Streams
from connectors.contract import Page as PageAddress
from connectors.courtesy import Turns
from connectors.errors import ConnectorError
from connectors.http import EvidenceClient, Manners
from connectors.tokens import TokenClient

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.disclosure.package.building import Built
    from app.disclosure.package.recipe import Forms
    from app.disclosure.produced import Production
    from app.disclosure.producing import Plan
    from app.disclosure.requests import Request
    from app.store.publish import Publish

_CHANCE = SystemRandom()
MOST_BY_WEB = 5_000
"""So many records are produced at most while a browser waits."""
ACCOUNTED: fixity.More = (
    (people_accounted.LOOK, people_accounted.wrong),
    (tags_accounted.LOOK, tags_accounted.wrong),
    (retention_accounted.LOOK, retention_accounted.wrong),
    (holds_accounted.LOOK, holds_accounted.wrong),
    (dispositions_accounted.LOOK, dispositions_accounted.wrong),
    (requests_accounted.LOOK, requests_accounted.wrong),
    (disclosure_accounted.LOOK, disclosure_accounted.wrong),
)
"""What fixity looks at above the store: each room holds its own rows against the acts that wrote them."""
LOOKUP = "lookup"
"""The name of the key of look-ups."""
_log = logging.getLogger("muniment")


class BadAgency(Invalid):
    """The agency cannot be set up as it was described."""

    code = "bad-agency"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A manager who was invited to connect a page; `link` is None where a letter has it."""

    email: str
    until: datetime
    link: str | None = field(repr=False)


class AlreadyMade(Refused):
    """An archive is here already; it is never made twice."""

    code = "already-made"


@dataclass(frozen=True, slots=True)
class Foundation:
    """What an archive stands on before it is known whose it is."""

    settings: Settings
    database: Database
    keyring: Keyring
    objects: Objects

    def close(self) -> None:
        self.database.close()
        self.keyring.database.close()


def lay(settings: Settings, *, make: bool = False, clock: Clock | None = None) -> Foundation:
    """The databases, keys and folders of `settings`; made where `make` is set, and where its bucket answers."""
    restoring.must_not_be_half_restored(settings.home)
    bucket = _bucket(settings, clock or SystemClock())
    if make:
        if bucket is not None:
            bucket.describe()
        try:
            folders.make(settings.home.resolve())
            folders.make(settings.keys(), mode=0o700)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise DiskFull("the disk is full", next="Make room, then try again.") from error
            raise BadAgency(
                f"{settings.home} cannot be made: {error.strerror}",
                next="Set MUNIMENT_HOME to a folder that you may write.",
            ) from error
    elif not settings.home.is_dir():
        raise _no_archive(settings)
    keys = MasterKeys.create(settings.master_key()) if make else MasterKeys(settings.master_key())
    database = Database(settings.database())
    keyring = Keyring(Database(settings.keyring()), keys)
    return Foundation(settings, database, keyring, bucket or Folder(settings.objects()))


def _bucket(settings: Settings, clock: Clock) -> Objects | None:
    """The bucket of segments; None where they lie in a folder."""
    address = settings.bucket()
    if address is None:
        return None
    from app.store.s3 import open_bucket  # noqa: PLC0415 - only here, so that archives in folders start without the SDK

    return open_bucket(
        address.bucket,
        address.prefix,
        spool=settings.spool(),
        clock=clock,
        days=settings.s3_governance_days,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        disposal_profile=settings.s3_disposal_profile,
        wait=time.sleep,
    )


def make(settings: Settings, *, agency: str, domain: str, timezone: str, clock: Clock | None = None) -> Store:
    """Make a new archive for an agency and open it."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadAgency(
            f"{timezone!r} is no time zone", next="Write one of the IANA names, such as America/Juneau."
        ) from error
    if not agency.strip():
        raise BadAgency("the agency has no name")
    domain = domain.strip().lower()
    if not domain or any(sign in domain for sign in " /+\n@:"):
        raise BadAgency(
            f"{domain!r} is no domain", next="Write the agency's domain, such as police.example.gov."
        )
    foundation = lay(settings, make=True, clock=clock)
    upgrade(foundation.database)
    upgrade(foundation.keyring.database, keyring=True)
    made = Agency(name=agency.strip(), domain=domain, timezone=timezone, origin=f"{domain}/records/1")
    with foundation.database.read() as tx:
        _must_be_new(tx, settings)
    lookup = foundation.keyring.named(
        LOOKUP
    )  # before the archive is there: afterwards one that is missing was lost
    with foundation.database.begin() as tx:
        _must_be_new(tx, settings)
        found(tx, made, lookup)
    return assemble(foundation, made, clock or SystemClock())


def _must_be_new(tx: Tx, settings: Settings) -> None:
    with contextlib.suppress(NoArchive):
        agency_of(tx)
        raise AlreadyMade(
            f"an archive is in {settings.home} already",
            next="Use another MUNIMENT_HOME for a second archive.",
        )


def open_store(settings: Settings, clock: Clock | None = None) -> Store:
    """Open the archive that is there; raises `NoArchive` or `NeedsUpgrade`."""
    foundation = lay(settings, clock=clock)
    try:
        if foundation.database.sqlite and not _exists(foundation.database):
            raise _no_archive(settings)
        check(foundation.database)
        check(foundation.keyring.database, keyring=True)
        with foundation.database.read() as tx:
            agency = agency_of(tx)
        if not foundation.keyring.has_named(LOOKUP):
            raise KeyMissing(
                "the archive's own key of look-ups is not in the keyring",
                next="Restore the newest key backup; with another key nothing that is held would be known again.",
            )
        return assemble(foundation, agency, clock or SystemClock())
    except BaseException:
        foundation.close()
        raise


def assemble(foundation: Foundation, agency: Agency, clock: Clock) -> Store:
    """Put the parts together."""
    keyring = foundation.keyring
    store = Store(
        database=foundation.database,
        keyring=keyring,
        objects=foundation.objects,
        ledger=Ledger(foundation.database, keyring, foundation.settings.ledger(), agency.origin, clock),
        clock=clock,
        agency=agency,
        lookup=keyring.named(LOOKUP),
    )
    store.ledger.signed = later.Beside(store)
    return store


def upgrade_all(settings: Settings) -> list[str]:
    """Bring both databases of an archive to this version's form."""
    foundation = lay(settings)
    try:
        if foundation.database.sqlite and not _exists(foundation.database):
            raise _no_archive(settings)
        upgrade(foundation.database)
        upgrade(foundation.keyring.database, keyring=True)
    finally:
        foundation.close()
    return ["archive", "keyring"]


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a restore did, as its door tells it."""

    home: Path
    restored: restoring.Restored
    replayed: Replayed
    sets: restoring.Sets
    size: int
    indexed: int
    by: UUID | None


def restore(
    settings: Settings,
    data: Path,
    keys: Path,
    *,
    token: str,
    why: str,
    checkpoints: Sequence[Path] = (),
    nothing_since: bool = False,
    with_damage: bool = False,
    clock: Clock | None = None,
    point: Callable[[str], None] | None = None,
) -> Restoration:
    """Put two sets into the empty place that `settings` name; it opens for others when everything is as it must be.

    Who restores may have no token that is known: whoever has both sets has
    everything anyway, and people sign in again afterwards.
    """
    clock, point = clock or SystemClock(), point or (lambda _name: None)
    bucket = _bucket(settings, clock)
    of = restoring.opened(data, keys, checkpoints, _published(bucket))
    place = restoring.Place(
        home=settings.home,
        keys=settings.keys(),
        master_key=settings.master_key(),
        database=Database(settings.database()),
        keyring=Database(settings.keyring()),
        objects=settings.objects() if bucket is None else None,
    )
    try:
        restoring.claim(place, of)
        point("claimed")
        findings = restoring.put(place, of, with_damage=with_damage, point=point)
        foundation = Foundation(
            settings,
            place.database,
            Keyring(place.keyring, MasterKeys(place.master_key)),
            bucket or Folder(settings.objects()),
        )
        bring_up(foundation.database)
        bring_up(foundation.keyring.database, keyring=True)
        restoring.must_open(foundation.keyring, of)
        with foundation.database.read() as tx:
            agency = agency_of(tx)
        store = assemble(foundation, agency, clock)
        by = _who(store, token)
        told = restoring.settle(store, of, by=by, why=why, nothing_since=nothing_since, point=point)
        store = told.store
        store.ledger.signed = later.Beside(store)
        replayed = replay(store, of.disposed, lost=told.lost is not None, by=by, why=why)
        point("after-replay")
        told.findings = [*findings, *restoring.missing(store, of), *restoring.look(store)]
        point("before-finished")
        restoring.finish(settings.home)
        point("after-finished")
        store.ledger.checkpoint()
    finally:
        place.database.close()
        place.keyring.close()
    archive, indexed = open_archive(settings, clock), 0
    try:
        try:
            indexed = archive.follow()
        except (
            IntegrityFailure
        ) as error:  # something of the set is damaged: the rest is restored all the same
            told.findings.append(restoring.unopened(error, "index"))
        with archive.store.database.read() as tx:
            size = archive.store.ledger.size(tx)
    finally:
        archive.close()
    return Restoration(settings.home, told, replayed, of, size, indexed, by)


def _published(bucket: Objects | None) -> list[str]:
    """The checkpoints in the archive's bucket, where it has one: nobody can have removed them."""
    publish = _publish(bucket, days=0) if bucket is not None else None
    return publish.newest() if publish is not None else []


def _publish(objects: Objects, *, days: int) -> Publish | None:
    """What publishes into the bucket of these objects; None where they lie in a folder."""
    from app.store.publish import Publish  # noqa: PLC0415 - only here, so that archives in folders start without the SDK
    from app.store.s3 import Bucket  # noqa: PLC0415 - only here, so that archives in folders start without the SDK

    return Publish(objects, days=days) if isinstance(objects, Bucket) else None


def _who(store: Store, token: str) -> UUID | None:
    """The officer whose token it is in the restored archive, or nobody."""
    if not token:
        return None
    try:
        with store.database.begin() as tx:
            return officers.token(store, tx, token).id
    except NotPermitted:
        return None


def open_archive(settings: Settings, clock: Clock | None = None, *, store: Store | None = None) -> Archive:
    """Open the archive with its index and everything that works on it."""
    # A name that is none is said before anything is opened.
    engine = _engine(settings, clock or SystemClock())
    store = store or open_store(settings, clock)
    return Archive(
        settings,
        store,
        searching.Honouring(engine(settings.index()), store),
        guards=(guarding.page_guard(store),),
    )


def _engine(settings: Settings, clock: Clock) -> Callable[[Path], Engine]:
    """What opens an index with the engine that `settings` name; each is loaded only where it is chosen."""
    match settings.engine():
        case "tantivy":
            from app.index.tantivy_engine import TantivyEngine  # noqa: PLC0415 - only here, so that one engine starts without the other

            return TantivyEngine.open
        case "whoosh":
            from app.index.whoosh_engine import WhooshEngine  # noqa: PLC0415 - only here, so that one engine starts without the other

            return WhooshEngine.open
        case ClusterAddress() as told:
            from app.index.opensearch_client import connect  # noqa: PLC0415 - only here, so that one engine starts without the other
            from app.index.opensearch_engine import OpenSearchEngine  # noqa: PLC0415 - only here, so that one engine starts without the other

            cluster = connect(
                told.address, secret_file=told.secret_file, ca_file=told.ca_file, wait=time.sleep
            )
            shards, replicas = told.shards, told.replicas
            return lambda _: OpenSearchEngine(
                cluster, told.name, clock=clock, shards=shards, replicas=replicas
            )


def doctor(settings: Settings) -> list[dict[str, object]]:
    """What is well and what is not, of an archive that may not even open."""
    try:
        archive = open_archive(settings)
    except ArchiveError as error:
        return [
            {
                "what": "archive",
                "ok": False,
                "needed": True,
                "says": f"{error.code}: {error} {error.next}".strip(),
            }
        ]
    try:
        return [check.as_dict() for check in examine(settings, archive.store, archive.behind, archive.doors)]
    finally:
        archive.close()


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the pages and the API, and do the nightly work, until told to stop."""
    import uvicorn  # noqa: PLC0415 - only here, so that every other command starts without it

    archive = open_archive(settings)
    outbox = Outbox(
        mailer(settings.smtp_url, _sender(settings, archive.store), clock=archive.store.clock), _unsent
    )
    starter = ThreadPoolExecutor(max_workers=settings.workers, thread_name_prefix="capture")
    lookout = Lookout(archive.store, archive, starter, archive.usual_pace())
    listeners = Listeners(archive.store, archive)
    telling = Telling(
        archive.store,
        mailer(settings.smtp_url, _sender(settings, archive.store), clock=archive.store.clock),
        settings.public_url,
        settings.digest_at,
        laws=archive.laws,
    )
    works = Night(
        archive.store,
        lambda: night(
            archive.store,
            lambda page, why: archive.tonight(page, by=None, why=why),
            archive.follow,
            workers=settings.workers,
            also=(
                ("statements", lambda: introductions.check_all(archive.store)),
                ("disposals", archive.finish_disposals),
                ("classification", archive.classify),
                ("dispositions", lambda: dispositions.tonight(archive.disposing())),
                ("requests", lambda: reminding.tonight(archive.store, archive.laws)),
                ("publishing", archive.publish),
                ("fixity", archive.rounds().tonight),
                ("hints", lambda: hooks.tidy(archive.store)),
            ),
        ),
        archive.follow,
        settings.nightly_at,
        minutely=(
            lookout.tick,
            listeners.tick,
            lambda: archive.refusals.write(archive.store),
            archive.look_for_alerts,
            archive.keep_classified,
            archive.look_after_holds,
            lambda: noticing.send(archive.store, telling.mailer, settings.public_url),
            telling.tick,
            archive.anchor_when_due,
        ),
    )
    try:
        application = create_app(archive, outbox, starter)
        works.start()
        starter.submit(archive.finish_disposals)
        starter.submit(archive.finish_renewals)
        settle()
        uvicorn.run(
            application, host=host, port=port, log_level="warning", proxy_headers=True, server_header=False
        )
    finally:
        works.stop()
        listeners.stop()
        starter.shutdown(wait=True)
        outbox.close()
        with contextlib.suppress(ArchiveError):
            archive.refusals.write(archive.store)
        archive.close()


def settle() -> None:
    """Leave what the program has loaded out of every later search for garbage: it stays until the end."""
    gc.collect()
    gc.freeze()


def _check_storage(store: Store) -> None:
    store.objects.describe()


@dataclass(frozen=True, slots=True)
class _Productions:
    """Productions that are asked for over the web; they lie in `out`, each in a folder of its own."""

    archive: Archive
    out: Path

    def preview(self, request: Request, *, messages: bool) -> Plan:
        return self.archive.preview(request, messages=messages)

    def make(
        self,
        request: Request,
        *,
        prefix: str,
        forms: Sequence[str],
        profile: str,
        messages: bool,
        more: bool = False,
        only_new: bool = False,
        replaces: str = "",
        only: Sequence[UUID] = (),
        by: Officer,
        why: str,
    ) -> dict[str, object]:
        produced.one_of(replaces, only, only_new=only_new)
        with self.archive.store.database.read() as tx:
            number = selecting.count(tx, request.id)
        if number > MOST_BY_WEB:
            raise TooManyForTheWeb(
                f"{number:,} records keep a browser waiting for too long",
                next=f"Use the command line: muniment disclose produce {request.number}.",
            )
        wanted = produced.forms(forms)
        self.out.mkdir(mode=0o700, parents=True, exist_ok=True)
        production, built, plan = self.archive.produce(
            request, self.out, prefix=prefix, forms=wanted, profile=profile, messages=messages, more=more, only_new=only_new,
            replaces=replaces, only=only, by=by, why=why, progress=lambda _what, _number: None,
        )  # fmt: skip
        return produced.told(production, built, plan.conflicts)

    def folder(self, number: str) -> Path:
        return folder_in(self.out, number)


def create_app(archive: Archive, letters: Mailer, starter: Executor) -> FastAPI:
    """The pages and the API over an archive."""
    from app import web  # noqa: PLC0415 - only here, so that the command line starts without the web
    from app.web.parts import Parts  # noqa: PLC0415 - only here, so that the command line starts without the web

    def start(page_id: UUID, by: UUID, why: str) -> None:
        with archive.store.database.read() as tx:
            page = pages.get(tx, str(page_id))
        run.ready(archive.store, page)
        starter.submit(_captured, archive, page, by, why)

    return web.create(
        Parts(
            store=archive.store,
            settings=archive.settings,
            version=__version__,
            mailer=letters,
            index=archive.index,
            usual_pace=archive.usual_pace(),
            add_page=archive.add_page,
            guards=archive.guards,
            disposing=archive.disposing(),
            capture=start,
            desk=archive.desk(),
            door=archive.door,
            doors=archive.doors,
            refusals=archive.refusals,
            invite_manager=lambda page, email, by, why: archive.invite_manager(
                page, email, letters, by=by, why=why
            ),
            write_evidence=archive.write_evidence,
            write_proof=archive.write_proof,
            productions=_Productions(archive, archive.settings.productions)
            if archive.settings.productions
            else None,
            to_do=lambda tx: [
                *rounds.to_do(tx),
                *dispositions.to_do(archive.store, tx),
                *reviews.to_do(archive.store, tx),
                *reminding.to_do(archive.store, tx, archive.laws),
            ],
            ready={
                "index": archive.index_ready,
                "capture": lambda: check_captured(archive.store),
                "storage": lambda: _check_storage(archive.store),
                "fixity": lambda: rounds.check(archive.store),
            },
        )
    )


def _captured(archive: Archive, page: Page, by: UUID, why: str) -> None:
    try:
        archive.capture(page, by=by, why=why)
        archive.follow()
    except ArchiveError:
        _log.exception("page %s was not captured", page.id)


def _sender(settings: Settings, store: Store) -> str:
    return settings.mail_from or f"muniment@{store.agency.domain}"


def _unsent(letter: Letter, error: ArchiveError) -> None:
    _log.error("a letter %r was not sent: %s", letter.subject, error.code)


_LARGE = 20_000
"""Ledger entries from which on a second process pays for its start."""
_BESIDE = "from app.main import verify_versions; verify_versions()"


def verify_versions() -> None:
    """Half of the full check, in a process of its own: settings come on standard input, findings leave on standard output."""
    store = open_store(Settings.model_validate_json(sys.stdin.read()))
    told = fixity.verify(store, full=True, wanted=lambda look: look == fixity.VERSIONS)
    findings = [finding.as_dict() for finding in told.findings]
    json.dump({"checked": told.checked, "findings": findings, "more": told.more}, sys.stdout)


@contextlib.contextmanager
def _versions_beside(settings: Settings) -> Iterator[Callable[[], fixity.Checked]]:
    """Begin checking versions in another process; what is yielded waits for it and tells what it found."""
    begun = subprocess.Popen(  # noqa: S603 - our own program, our own words
        [sys.executable, "-c", _BESIDE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert begun.stdin is not None
    with begun.stdin as asked:
        asked.write(settings.model_dump_json())

    def told() -> fixity.Checked:
        assert begun.stdout is not None
        with begun.stdout as answer:
            said = answer.read()
        if begun.wait() != 0:
            raise Unavailable(
                "the process that checks versions ended early", next="Run `muniment verify --full` again."
            )
        found = json.loads(said)
        findings = [fixity.Finding(**finding) for finding in found["findings"]]
        return fixity.Checked(found["checked"], findings, found["more"])

    try:
        yield told
    finally:
        if begun.poll() is None:
            begun.kill()
            begun.wait()


def _sleep(pause: timedelta) -> None:
    time.sleep(pause.total_seconds())


@dataclass(slots=True)
class Archive:
    """The archive as the doors use it: the store, the index that follows it, and the way to the platforms."""

    settings: Settings
    store: Store
    index: Engine
    wait: Callable[[timedelta], None] = _sleep
    manners: Manners = field(default_factory=Manners)
    guards: Sequence[pages.Guard] = ()
    """What is asked before a page is paused or removed."""
    turns: Turns = field(default_factory=Turns)
    refusals: hooks.Refusals = field(default_factory=hooks.Refusals)
    """What was refused at the doors of platforms since it was last written down."""
    _following: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """Give everything back."""
        self.index.settle()
        close = getattr(self.index, "close", None)  # an engine that is asked over a network has connections
        if close is not None:
            close()
        self.store.database.close()
        self.store.keyring.database.close()

    # -- capture -------------------------------------------------------------------------------------------

    def client(self, secret: Mapping[str, str] | None = None) -> EvidenceClient:
        """The evidence client: polite, recording, and unable to reach private addresses that were not allowed."""
        hosts = [host.strip() for host in self.settings.allow_hosts.split(",") if host.strip()]
        return EvidenceClient(
            clock=self.store.clock,
            monotonic=time.monotonic,
            wait=self.wait,
            contact=self.settings.contact,
            version=__version__,
            secrets=secret,
            allow_hosts=hosts,
            manners=self.manners,
            turns=self.turns,
        )

    def add_page(
        self,
        connector: str,
        address: str,
        *,
        name: str | None,
        custodian: str,
        options: Mapping[str, str],
        by: UUID,
        why: str,
        about: pages.About | None = None,
    ) -> Page:
        """Put a page into the registry; its connector and the form of its address are checked, not whether it answers."""
        try:
            manifest = registry.load(connector).manifest
        except registry.NoSuchConnector as error:
            raise pages.BadPage(str(error), next="`muniment connectors` lists them.") from error
        unknown = options.keys() - manifest.options.keys()
        if unknown:
            raise pages.BadPage(
                f"{connector} knows no option {', '.join(sorted(unknown))}",
                next=f"It knows {', '.join(manifest.options) or 'none'}.",
            )
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise pages.BadPage(
                f"{address!r} is no address of a page",
                next="Write it with https:// and without a user or password.",
            )
        with self.store.database.begin() as tx:
            return pages.add(
                self.store,
                tx,
                connector=connector,
                platform=manifest.platform,
                address=address,
                name=name or parts.hostname + parts.path.rstrip("/"),
                by=by,
                why=why,
                custodian=custodian,
                options=options,
                about=about,
            )

    def usual_pace(self) -> Pace:
        """How pages are captured that have no pace of their own."""
        told = self.settings
        return Pace(
            every=told.every_minutes,
            window=told.window_days,
            sweep=told.sweep_days,
            budget=told.day_budget,
        )

    def tonight(self, page: Page, *, by: UUID | None, why: str) -> list[Report]:
        """Make the passes of one night over a page: all of it, or what is recent and a part of the rest."""
        with self.store.database.read() as tx:
            passes = plans.tonight(self.store, tx, page, self.usual_pace(), narrows=self.narrows(page))
        reports = []
        for wanted in passes:
            reports.append(self.capture(page, by=by, why=why, pass_=wanted))
            if not reports[-1].finished:
                break
        return reports

    def narrows(self, page: Page) -> bool:
        """Whether the page's connector can keep to a span of publication."""
        return registry.load(page.connector).manifest.narrows

    def sees_families(self, page: Page) -> bool:
        """Whether the page's connector can observe one post with what answers it."""
        return hasattr(registry.load(page.connector), "family")

    def streams(self, page: Page) -> bool:
        """Whether the page's platform tells by itself what happens, and we may listen."""
        told = registry.load(page.connector)
        return hasattr(told, "listen") and (page.connected or told.manifest.streams_openly)

    def listen(self, page: Page, *, by: UUID | None, why: str, until: Callable[[], bool]) -> Report:
        """Keep what the platform tells of a page by itself, until `until` says so or the stream breaks."""
        secret = self.living(page)
        client = self.client(secret.standing() if secret is not None else None)
        try:
            connector = registry.load(page.connector)(client, secret)
            if secret is not None:
                secret.wake(client.keep_secret)
            return run.listen(
                self.store,
                page,
                cast(Streams, connector),
                client,
                by=by,
                why=why,
                most_bytes=self.settings.max_attachment_mb << 20,
                tick=time.monotonic,
                until=until,
                renew=lambda: credentials.renewed(secret),
                held=guarding.kept_again(self.store),
            )
        finally:
            client.close()

    def door(self, connector: str) -> hooks.Door | None:
        """The door at which a connector's platform tells by itself; None where it never does, or there is no such connector."""
        try:
            manner = getattr(registry.load(connector), "hooks", None)
        except registry.NoSuchConnector:
            return None
        if manner is None:
            return None
        agreed = applications.agreed(self.settings.apps_file).get(connector, applications.Agreed())
        return hooks.Door(connector, manner, agreed.word, agreed.secrets)

    def doors(self) -> list[hooks.Door]:
        """The doors of all platforms that have a page here, or with which something was agreed."""
        with self.store.database.read() as tx:
            known = {page.connector for page in pages.listed(tx) if page.status != pages.REMOVED}
        known |= applications.agreed(self.settings.apps_file).keys()
        return [door for name in sorted(known) if (door := self.door(name)) is not None]

    def capture(self, page: Page, *, by: UUID | None, why: str, pass_: run.Pass | None = None) -> Report:
        """Capture a page now: all of it, or what `pass_` says."""
        secret = self.living(page)
        client = self.client(secret.standing() if secret is not None else None)
        try:
            connector = registry.load(page.connector)(client, secret)
            if secret is not None:
                secret.wake(client.keep_secret)
            return run.capture(
                self.store,
                page,
                connector,
                client,
                by=by,
                why=why,
                most_bytes=self.settings.max_attachment_mb << 20,
                tick=time.monotonic,
                pass_=pass_,
                renew=lambda: credentials.renewed(secret),
                held=guarding.kept_again(self.store),
            )
        finally:
            client.close()

    # -- connecting ----------------------------------------------------------------------------------------

    def living(self, page: Page) -> Living | None:
        """The page's credentials for its connector, renewed while they are used; None where it is not connected."""
        with self.store.database.read() as tx:
            held = credentials.held(self.store, tx, page)
        if held is None:
            return None
        return Living(held, self.renewing(page) or (lambda before: before), self.store.clock.now)

    def renewing(self, page: Page) -> Renewing | None:
        """What renews the page's access token; None where its platform has nothing of the kind."""
        try:
            sign_in = registry.load(page.connector).manifest.sign_in
        except registry.NoSuchConnector:
            return None
        if not isinstance(sign_in, OAuth2):
            return None
        return Renewing(
            store=self.store,
            page=page,
            sign_in=sign_in,
            asks=self.asks(),
            wait=self.wait,
            known=applications.read(self.settings.apps_file).get(page.connector),
        )

    def finish_renewals(self) -> None:
        """Finish the renewals that a crash left open, while the platform may still accept the old token."""
        for page in finish_all(self.store, self.renewing):
            _log.warning("the access token of page %s could not be renewed yet", page.id)

    def asks(self) -> TokenClient:
        """The way to the token endpoints; nothing that passes there is recorded."""
        hosts = [host.strip() for host in self.settings.allow_hosts.split(",") if host.strip()]
        return TokenClient(version=__version__, allow_hosts=hosts)

    def desk(self) -> Desk:
        """Where pages are connected."""
        return Desk(
            store=self.store,
            asks=self.asks(),
            manifest_of=self.manifest_of,
            check=self.check,
            public_url=self.settings.public_url,
            apps_file=self.settings.apps_file,
        )

    def manifest_of(self, connector: str) -> Manifest:
        """What a connector says of itself, or `BadPage` where there is none of that name."""
        try:
            return registry.load(connector).manifest
        except registry.NoSuchConnector as error:
            raise pages.BadPage(str(error), next="`muniment connectors` lists them.") from error

    def check(self, page: Page) -> list[Finding]:
        """What a page's connector says of its connection; empty where it offers no check."""
        secret = self.living(page)
        client = self.client(secret.standing() if secret is not None else None)
        try:
            connector = registry.load(page.connector)(client, secret)
            if secret is not None:
                secret.wake(client.keep_secret)
            offered = getattr(connector, "check", None)
            if offered is None:
                return []
            return list(offered(PageAddress(address=page.address, options=dict(page.options))))
        except ConnectorError as error:
            return [Finding(what=f"{page.platform} could not be asked", fine=False, remedy=str(error))]
        except Exception as error:  # noqa: BLE001 - a connector's own fault must not hide that the page is connected
            _log.exception("the check of page %s failed", page.id)
            told = f"the check failed: {type(error).__name__}"
            return [Finding(what=told, fine=False, remedy="Tell your operator; the log has the rest.")]
        finally:
            client.close()

    def invite_manager(self, page: Page, email: str, letters: Mailer, *, by: Officer, why: str) -> Invitation:
        """Send the page's manager a link; where no letter can go, the link is in the answer, to be handed over."""
        link = self.desk().invite(page, plain_email(email), by=by.id, why=why)
        base_url = self.settings.public_url
        letter = connect_letter(
            self.store.agency, page, link.email, link.secret, link.until, by=by, base_url=base_url
        )
        try:
            letters.send(letter.to, letter.subject, letter.text)
        except MailNotSent:
            return Invitation(link.email, link.until, base_url.rstrip("/") + LINK_PATH + link.secret)
        return Invitation(link.email, link.until, None)

    def letters(self) -> Mailer:
        """The mail server, or what stands in for one; the letter is sent before this returns."""
        return mailer(self.settings.smtp_url, _sender(self.settings, self.store), clock=self.store.clock)

    # -- the index -----------------------------------------------------------------------------------------

    def derived(self) -> Sequence[Purger]:
        """Every copy that is made of records, as something that disposal purges."""
        source = LedgerSource(self.store)
        return (IndexPurger(source, searching.whole(self.index), self.store.agency.zone(), self._following),)

    def disposing(self) -> Disposing:
        """What disposes of records looks at and reaches: the schedules, every hold, and what is derived."""
        store, outside = self.store, bool(self.settings.timestamp_urls)
        return Disposing(
            store=store,
            schedules=Standing(store, attested=outside),
            covering=lambda tx, keys: covering(store, tx, keys),
            derived=self.derived,
            anchored=outside,
        )

    def finish_disposals(self) -> int:
        """Finish what a crash left of disposals past their point of no return; return how many records are gone."""
        return unfinished.finish(self.store, self.derived())

    def publish(self) -> int:
        """Publish what is new of the ledger and of disposals into the bucket; 0 where segments lie in a folder."""
        if isinstance(self.store.objects, Folder):
            return 0
        publish = _publish(self.store.objects, days=self.settings.s3_compliance_days)
        assert publish is not None, "segments lie neither in a folder nor in a bucket"
        return Publishing(self.store, publish).tonight()

    def rounds(self) -> Rounds:
        """The rounds in which everything is read again."""
        pace = self.settings.fixity_mb_a_second << 20
        return Rounds(
            self.store,
            self.settings.fixity_days,
            lambda: Throttle(pace, time.monotonic, time.sleep),
            self.derived,
            ACCOUNTED,
        )

    def follow(self) -> int:
        """Let the index catch up with the ledger; return how many records it took in."""
        with self._following:
            return follower.catch_up(LedgerSource(self.store), self.index)

    def reindex(self) -> int:
        """Make the index anew beside the living one, then swap; return how many records are in it."""
        with self._following:
            return follower.rebuild(LedgerSource(self.store), self.index)

    def behind(self) -> int:
        """How many ledger entries the index has not seen yet."""
        return follower.unsearchable(LedgerSource(self.store), self.index)

    def laws(self) -> request_laws.Laws:
        """The public-records laws that the agency knows: those that come with Muniment, and its own."""
        return request_laws.of(self.settings.request_laws_folder())

    def look_for_alerts(self) -> int:
        """Read what was captured for everybody who is told of a saved search; return how many letters were put."""
        return alerts.look(self.store, LedgerSource(self.store), asof.size_of(self.index))

    def standing(self) -> Standing:
        """The schedules in force, and how records stand under them."""
        return Standing(self.store, attested=bool(self.settings.timestamp_urls))

    def keep_classified(self) -> int:
        """Classify what was captured since the last time; return how many records were looked at."""
        return classifying.follow(self.store)

    def classify(self, *, by: UUID | None = None, why: str = classifying.WHY_ALL) -> classifying.Done:
        """Classify what was captured, and everything where other rules are in force than before."""
        self.keep_classified()
        with self._following:
            follower.catch_up(LedgerSource(self.store), self.index)
        return classifying.classify_all(self.store, searching.whole(self.index), by=by, why=why)

    def look_after_holds(self) -> int:
        """Let what was captured join the holds that cover it, and carry out releases that are due; return how many rows were added."""
        releasing.settle(self.store)
        acts.stir(self.store, _CHANCE)
        return following.follow(self.store)

    def index_ready(self) -> None:
        """Raise where the index cannot answer."""
        self.index.position()

    def search(
        self,
        query: str | Query,
        *,
        messages: bool,
        sort: Sort = Sort.NEWEST,
        limit: int = 50,
        after: str | None = None,
        facets: Sequence[str] = (),
        by: Officer | None = None,
        as_of: int | None = None,
    ) -> Found:
        """Answer a question with its exact total; what officers say of records, `by` must be there to ask."""
        ask = partial(
            search.search,
            query=query,
            zone=self.store.agency.zone(),
            may_read_messages=messages,
            sort=sort,
            limit=limit,
            after=after,
            facets=facets,
            history=LedgerSource(self.store),
        )
        if by is None and as_of is None:
            size = self.store.ledger.size_now()
            unchanged = searching.known(self.index, size)
            if unchanged is not None:
                return ask(unchanged, ledger_size=size)
        with self.store.database.read() as tx:
            size = self.store.ledger.size(tx)
            return ask(
                searching.within(self.index, tx, size),
                ledger_size=size,
                standing=None if by is None else Known(self.store, tx, by),
                past=None if as_of is None else search.past(self.store, tx, as_of),
            )

    def every(
        self,
        query: str | Query,
        *,
        messages: bool,
        sort: Sort = Sort.NEWEST,
        by: Officer | None = None,
        as_of: int | None = None,
    ) -> Iterator[int]:
        """The key of every hit, without a cap."""
        with self.store.database.read() as tx:
            return search.every(
                searching.within(self.index, tx, self.store.ledger.size(tx)),
                query,
                zone=self.store.agency.zone(),
                may_read_messages=messages,
                sort=sort,
                standing=None if by is None else Known(self.store, tx, by),
                past=None if as_of is None else search.past(self.store, tx, as_of),
            )

    # -- checks and ways out of custody --------------------------------------------------------------------

    def verify(self, *, full: bool, progress: Callable[[str, int], None] | None = None) -> fixity.Checked:
        """Check the store, and the index against it. Of a large archive, two processes check half each."""
        with self.store.database.read() as tx:
            large = full and self.store.ledger.size(tx) > _LARGE
        if large:
            with _versions_beside(self.settings) as versions:
                told = fixity.verify(
                    self.store,
                    full=True,
                    progress=progress,
                    wanted=lambda look: look != fixity.VERSIONS,
                    derived=self.derived(),
                    more=ACCOUNTED,
                )
                told.add(versions())
        else:
            told = fixity.verify(
                self.store, full=full, progress=progress, derived=self.derived(), more=ACCOUNTED
            )
        if self.behind() == 0:
            everything = searching.whole(self.index)
            indexed = search.count(everything, "*", zone=self.store.agency.zone(), may_read_messages=True)
            told.count("indexed", indexed)
            if indexed != told.checked.get("records"):
                told.findings.append(
                    fixity.Finding(
                        "index-differs",
                        f"{indexed} records are in the index, {told.checked.get('records')} in the archive",
                        str(self.settings.index()),
                        "Run `muniment reindex`; nothing is lost.",
                    )
                )
        else:
            told.checked["index_behind"] = self.behind()
        return told

    def anchor(self, *, by: UUID | None, why: str) -> Anchoring:
        """Have the newest checkpoint cosigned and timestamped now by everybody who is configured."""
        told = self.settings
        with httpx.Client(verify=httpx.create_ssl_context(), trust_env=False) as outside:
            return anchors.attest(
                self.store,
                anchors.authorities(told.timestamp_urls),
                witness.witnesses(told.witnesses),
                Asking(outside),
                by=by,
                why=why,
            )

    def anchor_when_due(self) -> None:
        """The same as far as it is due: at first activity, hourly while there is some, daily anyway."""
        told = self.settings
        vouching, cosigning = anchors.authorities(told.timestamp_urls), witness.witnesses(told.witnesses)
        if not vouching and not cosigning:
            return
        with httpx.Client(verify=httpx.create_ssl_context(), trust_env=False) as outside:
            anchors.minutely(self.store, vouching, cosigning, Asking(outside))

    def backup(
        self, data: Path | None, keys: Path | None, *, since: Path | None, by: Officer, why: str
    ) -> Taken:
        """Copy the data, the keys, or both, while everything goes on."""
        return taking.take(
            self.store,
            home=self.settings.home,
            data=data,
            keys=keys,
            since=since,
            program=__version__,
            by=by.id,
            why=why,
        )

    def export_ledger(self, folder: Path) -> dict[str, object]:
        """Write the ledger as static files."""
        return export.ledger(self.store.ledger, folder)

    def write_evidence(self, record: Record, out: Path, *, by: Officer, why: str) -> dict[str, object]:
        """Write a record's exchanges as WARC; an export has an entry of its own."""
        with self.store.database.begin() as tx:
            coming = out.with_name(out.name + ".part")
            with coming.open("xb") as file:
                told = warc.write(self.store, tx, record.id, file, software=f"Muniment {__version__}")
            self._exported(tx, record, "evidence", by, why)
        coming.replace(out)
        return {
            "record": str(record.id),
            "file": str(out),
            "exchanges": told.exchanges,
            "records": told.records,
            "holes": told.holes,
        }

    def write_proof(
        self, record: Record, out: Path, *, number: int | None, by: Officer, why: str
    ) -> dict[str, object]:
        """Write a version's proof folder; an export has an entry of its own."""
        proofs.must_be_empty(out)
        coming = out.with_name(out.name + ".part")
        with self.store.database.read() as tx:
            told = proofs.write(self.store, tx, record.id, coming, number=number)
        with self.store.database.begin() as tx:
            self._exported(tx, record, "proof", by, why)
        coming.replace(out)
        return told | {"folder": str(out)}

    def export_whole(
        self,
        form: str,
        out: Path,
        *,
        pages: Sequence[Page],
        messages: bool,
        by: Officer,
        why: str,
        progress: Callable[[str, int], None],
    ) -> dict[str, object]:
        """Write everything that is held, or what is held of some pages, in an open format; go on where a run was broken off.

        That it began is in the access log before the first byte leaves; what
        left is an entry before the folder says that it is complete.
        """
        folder.must_lie_outside(out, self.settings.home)
        store = walk.remembering(self.store)
        software = f"Muniment {__version__}"
        scope = leave.scope_of(store, form, [page.id for page in pages], messages=messages, software=software)
        with folder.opened(out, scope, lambda: walk.signed_now(store)) as going:
            about = {
                "what": form,
                "folder": str(out),
                "pages": list(scope.pages),
                "messages": messages,
                "entries": going.size,
            }
            with self.store.database.begin() as tx:
                access.note(self.store, tx, "export", by=by.id, detail={**about, "goes_on": going.resumed})
            left = leave.write(store, Leaving(store), going, progress)
            holds = left.tally.as_dict()
            with self.store.database.begin() as tx:
                self.store.ledger.act(
                    tx,
                    "export",
                    by=by.id,
                    why=why or f"the archive as {form} asked for",
                    facts={"what": form, "digest": left.digest, "size": left.size, **holds},
                    detail=about,
                )
            leave.done(going, left, settle=os.sync)
        return {"as": form, "folder": str(out), "entries": left.size, **holds, "digest": left.digest}

    def preview(self, request: Request, *, messages: bool) -> Plan:
        """What a production of a request's confirmed selection would hold, and everything that is in conflict."""
        from app.disclosure import producing  # noqa: PLC0415 - only here: what typesets takes a while to load

        return producing.plan(self.store, request, messages=messages)

    def produce(
        self,
        request: Request,
        out: Path,
        *,
        prefix: str,
        forms: Forms,
        profile: str,
        messages: bool,
        more: bool = False,
        replaces: str = "",
        only: Sequence[UUID] = (),
        only_new: bool = False,
        by: Officer,
        why: str,
        progress: Callable[[str, int], None],
    ) -> tuple[Production, Built, Plan]:
        """Make a production of a request's confirmed selection in `out`, or go on with one that was broken off, and issue it."""
        from app.disclosure import producing  # noqa: PLC0415 - only here: what typesets takes a while to load
        from app.disclosure.package import sealing  # noqa: PLC0415 - only here: what typesets takes a while to load
        from app.disclosure.package.building import Sources  # noqa: PLC0415 - only here: what typesets takes a while to load
        from app.disclosure.rendition.remaking import Remakes  # noqa: PLC0415 - only here: what typesets takes a while to load

        folder.must_lie_outside(out, self.settings.home)
        told = self.settings
        store = walk.remembering(self.store)
        signs = sealing.signer(told.production_certificate_file, told.production_key_file)
        with (
            closing(Remakes()) as remaking,
            httpx.Client(verify=httpx.create_ssl_context(), trust_env=False) as outside,
        ):
            plan = producing.plan(store, request, messages=messages)
            with store.database.read() as tx:
                production = produced.under_way(store, tx, request, prefix)
            if production is not None:
                producing.must_be_the_same(production, forms, replaces, only, only_new=only_new)
            if production is None:
                size = walk.signed_now(store)
                with store.database.begin() as tx:
                    before = produced.get(store, tx, replaces) if replaces else None
                    anew = producing.given_before(tx, before, only, prefix) if before else None
                    if only_new:
                        anew = producing.changed(store, tx, plan, prefix)
                    production = producing.begin(
                        store, tx, plan, prefix=prefix, forms=forms, profile=profile, checkpoint=size,
                        anew=anew, only_new=only_new, software=f"Muniment {__version__}", by=by, why=why,
                    )  # fmt: skip
            producing.narrow(store, plan, production.recipe)
            sources = Sources(
                store=store, teller=Leaving(store), signer=signs, authorities=anchors.authorities(told.timestamp_urls),
                ask=Asking(outside), dates=producing.dates(store, request), progress=progress,
            )  # fmt: skip
            built = producing.build(plan, production, out, sources, remaking)
            with store.database.begin() as tx:
                access.note(
                    store,
                    tx,
                    "production",
                    by=by.id,
                    detail={"production": production.number, "folder": str(out)},
                )
                production = producing.issue(store, tx, production, plan, built, more=more, by=by, why=why)
            built.settle()
        return production, built, plan

    def _exported(self, tx: Tx, record: Record, what: str, by: Officer, why: str) -> None:
        access.note(self.store, tx, "export", by=by.id, record=record.id, detail={"what": what})
        self.store.ledger.act(
            tx,
            "export",
            by=by.id,
            why=why or f"{what} asked for",
            facts={"item": record.id.hex, "what": what},
            subject=record.id,
        )


def _exists(database: Database) -> bool:
    return bool(database.url.database) and Path(str(database.url.database)).exists()


def _no_archive(settings: Settings) -> NoArchive:
    return NoArchive(
        f"no archive is in {settings.home}",
        next="Run `muniment init`, or set MUNIMENT_HOME to the archive's folder.",
    )

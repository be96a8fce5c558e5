"""The builder: the only place where engines, keyrings, ledgers, clients and schedulers are made."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.db import Database, DiskFull
from app.db.migrate import check, upgrade
from app.records.clock import Clock, SystemClock
from app.records.errors import Invalid, Refused
from app.settings import Settings
from app.store.keyring import Keyring, MasterKeys
from app.store.ledger import Ledger
from app.store.objects import Folder
from app.store.store import Agency, NoArchive, Store, agency_of, found


class BadAgency(Invalid):
    """The agency cannot be set up as it was described."""

    code = "bad-agency"


class AlreadyMade(Refused):
    """An archive is here already; it is never made twice."""

    code = "already-made"


@dataclass(frozen=True, slots=True)
class Foundation:
    """What an archive stands on before it is known whose it is."""

    settings: Settings
    database: Database
    keyring: Keyring
    objects: Folder

    def close(self) -> None:
        self.database.close()
        self.keyring.database.close()


def lay(settings: Settings, *, make: bool = False) -> Foundation:
    """The databases, keys and folders of `settings`; made where `make` is set."""
    if make:
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
            settings.keys().mkdir(parents=True, exist_ok=True, mode=0o700)
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
    return Foundation(settings, database, keyring, Folder(settings.objects()))


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
    foundation = lay(settings, make=True)
    upgrade(foundation.database)
    upgrade(foundation.keyring.database, keyring=True)
    made = Agency(name=agency.strip(), domain=domain, timezone=timezone, origin=f"{domain}/records/1")
    with foundation.database.begin() as tx:
        with contextlib.suppress(NoArchive):
            agency_of(tx)
            raise AlreadyMade(
                f"an archive is in {settings.home} already",
                next="Use another MUNIMENT_HOME for a second archive.",
            )
        found(tx, made)
    return assemble(foundation, made, clock or SystemClock())


def open_store(settings: Settings, clock: Clock | None = None) -> Store:
    """Open the archive that is there; raises `NoArchive` or `NeedsUpgrade`."""
    foundation = lay(settings)
    if foundation.database.sqlite and not _exists(foundation.database):
        raise _no_archive(settings)
    check(foundation.database)
    check(foundation.keyring.database, keyring=True)
    with foundation.database.read() as tx:
        agency = agency_of(tx)
    return assemble(foundation, agency, clock or SystemClock())


def assemble(foundation: Foundation, agency: Agency, clock: Clock) -> Store:
    """Put the parts together."""
    keyring = foundation.keyring
    return Store(
        database=foundation.database,
        keyring=keyring,
        objects=foundation.objects,
        ledger=Ledger(foundation.database, keyring, foundation.settings.ledger(), agency.origin, clock),
        clock=clock,
        agency=agency,
        lookup=keyring.named("lookup"),
    )


def _exists(database: Database) -> bool:
    return bool(database.url.database) and Path(str(database.url.database)).exists()


def _no_archive(settings: Settings) -> NoArchive:
    return NoArchive(
        f"no archive is in {settings.home}",
        next="Run `muniment init`, or set MUNIMENT_HOME to the archive's folder.",
    )

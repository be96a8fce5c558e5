"""The store as one thing to hand on: database, keyring, objects, ledger and clock belong together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from app.db import Database, Tx
from app.records.clock import Clock
from app.records.errors import NotFound
from app.store.keyring import Keyring
from app.store.ledger import Ledger
from app.store.objects import Objects
from app.store.tables import archive


class NoArchive(NotFound):
    """No archive has been made here yet."""

    code = "no-archive"


@dataclass(frozen=True, slots=True)
class Agency:
    """Whose archive this is."""

    name: str
    domain: str
    timezone: str
    origin: str

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that keeps: handed to the steps, made by the builder alone."""

    database: Database
    keyring: Keyring
    objects: Objects
    ledger: Ledger
    clock: Clock
    agency: Agency
    lookup: bytes = field(repr=False)
    """The key of look-up values; it opens nothing."""


def found(tx: Tx, agency: Agency) -> None:
    """Write down whose archive this is; there is one a database."""
    tx.execute(
        insert(archive).values(
            name="agency",
            value=json.dumps(
                {
                    "name": agency.name,
                    "domain": agency.domain,
                    "timezone": agency.timezone,
                    "origin": agency.origin,
                }
            ),
        )
    )


def agency_of(tx: Tx) -> Agency:
    """Whose archive this is, or `NoArchive`."""
    value = tx.execute(select(archive.c.value).where(archive.c.name == "agency")).scalar()
    if value is None:
        raise NoArchive(
            "no archive has been made here",
            next="Run `muniment init`, or set MUNIMENT_HOME to the archive's folder.",
        )
    return Agency(**json.loads(value))

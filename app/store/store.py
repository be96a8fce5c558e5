"""The store as one thing to hand on: database, keyring, objects, ledger and clock belong together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update

from app.db import Database, Tx
from app.records.clock import Clock
from app.records.errors import NotFound
from app.store.canonical import canonical
from app.store.keyring import Keyring
from app.store.ledger import Ledger, keyed
from app.store.objects import Objects
from app.store.tables import archive

AGENCY = "agency"
_MARK = "mark"


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


def found(tx: Tx, agency: Agency, lookup: bytes) -> None:
    """Write down whose archive this is; there is one a database."""
    tx.execute(insert(archive).values(name=AGENCY, value=_written(agency, lookup)))


def rename(tx: Tx, agency: Agency, lookup: bytes) -> None:
    """Write down whose archive this is from now on: a ledger that begins anew has another name."""
    tx.execute(update(archive).where(archive.c.name == AGENCY).values(value=_written(agency, lookup)))


def _written(agency: Agency, lookup: bytes) -> str:
    told = asdict(agency)
    return json.dumps({**told, _MARK: _mark(told, lookup)})


def _mark(told: Mapping[str, str], lookup: bytes) -> str:
    return keyed(lookup, b"agency", canonical(dict(told))).hex()


def unaltered(tx: Tx, lookup: bytes) -> bool:
    """Whether what is written of the agency is what was written when the archive was made."""
    value = tx.execute(select(archive.c.value).where(archive.c.name == AGENCY)).scalar()
    try:
        told = dict(json.loads(value or ""))
    except (ValueError, TypeError):
        return False
    mark = told.pop(_MARK, None)
    known = set(told) == {one.name for one in fields(Agency)}
    return known and (mark is None or bool(mark == _mark(told, lookup)))


def agency_of(tx: Tx) -> Agency:
    """Whose archive this is, or `NoArchive`."""
    value = tx.execute(select(archive.c.value).where(archive.c.name == AGENCY)).scalar()
    if value is None:
        raise NoArchive(
            "no archive has been made here",
            next="Run `muniment init`, or set MUNIMENT_HOME to the archive's folder.",
        )
    told = json.loads(value)
    told.pop(_MARK, None)
    return Agency(**told)

"""The store as one thing to hand on: database, keyring, objects, ledger and clock belong together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import insert, select, update

from app.db import Database, Tx
from app.records.clock import Clock
from app.records.errors import IntegrityFailure, NotFound
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


class AgencyUnreadable(IntegrityFailure):
    """What the database says of the agency is not what any version of Muniment wrote there."""

    code = "agency-unreadable"


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
    try:
        told = _read(_value(tx))
    except AgencyUnreadable:
        return False
    mark = told.pop(_MARK, None)
    return mark is None or mark == _mark(told, lookup)


def agency_of(tx: Tx) -> Agency:
    """Whose archive this is, `NoArchive`, or `AgencyUnreadable` where its row was altered so that nobody can say."""
    value = _value(tx)
    if value is None:
        raise NoArchive(
            "no archive has been made here",
            next="Run `muniment init`, or set MUNIMENT_HOME to the archive's folder.",
        )
    told = _read(value)
    told.pop(_MARK, None)
    return Agency(**told)


def _value(tx: Tx) -> object:
    return tx.execute(select(archive.c.value).where(archive.c.name == AGENCY)).scalar()


def _read(value: object) -> dict[str, str]:
    """The agency's facts by name, perhaps with their mark; each a text, the zone one that there is."""
    try:
        told = msgspec.json.decode(value, type=dict[str, str]) if isinstance(value, str) else {}
        if set(told) - {_MARK} == {one.name for one in fields(Agency)}:
            ZoneInfo(told["timezone"])
            return told
    except (msgspec.DecodeError, ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise AgencyUnreadable(
        "what the database says of the agency was altered and cannot be read",
        next="Keep this copy of the database for whoever looks into it, and restore the newest backup.",
    )

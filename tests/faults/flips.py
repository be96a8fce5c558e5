"""One bit of an archive, flipped: in a file, or in a value of a row; and what it may be called by whoever finds it."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Boolean, Table

from app.store import keyring, tables

ARCHIVE, KEYRING = "archive.db", "keys/keyring.db"
TABLES: dict[str, dict[str, Table]] = {
    ARCHIVE: dict(tables.metadata.tables),
    KEYRING: dict(keyring.metadata.tables),
}
Row: TypeAlias = Mapping[str, Any]

_YES_OR_NO = {
    f"{table.name}.{column.name}"
    for known in TABLES.values()
    for table in known.values()
    for column in table.columns
    if isinstance(column.type, Boolean)
}
OWN_NUMBER = "the row's own number, which nothing refers to"
LATER = "says when our own clock wrote the row; the entry says it too"
WORK = "work in progress: a wrong value costs a request or a letter, and is no evidence"
READ_OFF = "read off the record's own content by the classification, which decides by that and makes it anew"
FOLLOWS = "where a follower of the ledger has come to: another value has it read again, or later"
COVERS = "follows what is captured and is nobody's act; numbers are held, and whoever destroys judges the record itself"
NOT_WATCHED: dict[str, str] = {
    "accesses.key": OWN_NUMBER,
    "acts.subject": "where the act is looked up by; what it is about stands in its detail",
    "anchors.authority": "the timestamp itself says who gave it",
    "anchors.kept_at": LATER,
    "anchors.key": OWN_NUMBER,
    "anchors.roots": "whoever checks a timestamp brings the roots that they trust",
    "assigned.key": OWN_NUMBER,
    "attachments.key": OWN_NUMBER,
    "attachments.mac": "where it is looked up by: another value has it fetched again",
    "attempts.": WORK,
    "checkpoints.signed_at": LATER,
    "circles.key": "every piece and member names it; those that lose it are found, the number itself is nobody's",
    "classified.authored": READ_OFF,
    "classified.incoming": READ_OFF,
    "classified.spoken": READ_OFF,
    "classifyings.key": OWN_NUMBER,
    "classifyings.reached": FOLLOWS,
    "cosignatures.key": OWN_NUMBER,
    "counts.": "numbers of a platform: likes, shares, views; no version states them",
    "custodians.key": "what names it loses it, and is found; the number itself is nobody's",
    "days_seen.at": "the day is held against it; of the moment itself our own clock is the only witness",
    "disposals.at": LATER,
    "disposals.final_entry": LATER,
    "exchanges.key": "every version that it shows names it; those that lose it are found",
    "exchanges.run": "which run asked; the entry does not name it",
    "followed.": FOLLOWS,
    "gaps.at": LATER,
    "gaps.key": OWN_NUMBER,
    "hold_confirmations.key": OWN_NUMBER,
    "hold_notices.acknowledged_at": LATER,
    "hold_notices.at": LATER,
    "hold_notices.digest": "of the secret in the newest letter: another value spends its link, and the reminder has a new one",
    "hold_notices.failure": WORK,
    "hold_notices.key": OWN_NUMBER,
    "hold_notices.next_at": WORK,
    "hold_notices.sent_at": LATER,
    "hold_notices.tries": WORK,
    "hold_records.hold": COVERS,
    "hold_records.record": COVERS,
    "holds.key": "what names it loses it, and is found; the number itself is nobody's",
    "holds.reached": FOLLOWS,
    "lanes.": WORK,
    "layouts.": "where a layout is looked up by: another value has it written again",
    "letters.": WORK,
    "matter_members.key": OWN_NUMBER,
    "matters.key": "what names it loses it, and is found; the number itself is nobody's",
    "objects.kept_at": LATER,
    "officers.added_at": LATER,
    "officers.key": "what names it loses it, and is found; the number itself is nobody's",
    "page_authors.": "a keyed digest of who a page publishes as; another value has its records classified anew",
    "pages.added_at": LATER,
    "pages.lease_": WORK,
    "proposal_approvals.key": OWN_NUMBER,
    "proposals.key": "what names it loses it, and is found; the number itself is nobody's",
    "quarantines.key": OWN_NUMBER,
    "records.counts": "numbers of a platform: likes, shares, views; no version states them",
    "releases.key": OWN_NUMBER,
    "retention_events.key": OWN_NUMBER,
    "runs.began_at": LATER,
    "runs.ended_at": LATER,
    "runs.key": "every exchange and gap names it; those that lose it are found",
    "runs.lane": WORK,
    "runs.published_": WORK,
    "runs.sealed_note": WORK,
    "runs.tally": "its counters are held against the entry; whether a pass came to its end is " + WORK,
    "schedules.key": "what names it loses it, and is found; the number itself is nobody's",
    "stated.": "numbers of a platform, as the run's entry says them too",
    "tags.key": OWN_NUMBER,
    "to_classify.": WORK,
    "tombstones.at": LATER,
    "transfers.key": "what names it loses it, and is found; the number itself is nobody's",
    "unlinked.at": LATER,
    "unlinked.batch": LATER,
    "unlinked.until": WORK,
    "versions.mark": "what the next capture compares with: another value makes one version more",
    "named.epoch": "read when the archive opens; see the flips of whole files",
    "named.name": "as above",
    "named.wrapped": "as above",
}
"""Values that the check of an archive does not hold against anything, by the beginning of their names, and why."""
ROOMS: dict[str, tuple[str, ...]] = {
    "people": ("officers",),
    "tags": ("tags",),
    "retention": (
        "schedules", "classified", "assigned", "retention_events", "classifyings", "days_seen"
    ),
    "counsel": (
        "matters", "matter_acts", "matter_members", "custodians", "holds", "hold_records", "hold_consents",
        "releases", "hold_notices", "quarantines",
    ),
    "dispositions": (
        "proposals", "proposal_records", "proposal_approvals", "transfers", "transfer_records",
        "hold_confirmations",
    ),
}  # fmt: skip
"""The looks of the rooms above the store, and the tables that each of them answers for."""
SECONDS = {"acts.at", "exchanges.at", "records.first_seen", "records.published_at", "versions.observed_at"}
"""Times of which entries tell the second."""
_SECOND = 21
"""The lowest bit of a time in microseconds that is more than two seconds."""


def flip(content: bytes, bit: int) -> bytes:
    """The same bytes but for one bit."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@contextmanager
def flipped(file: Path, bit: int) -> Iterator[None]:
    """A file with one bit flipped, and as it was again afterwards."""
    before = file.read_bytes()
    file.write_bytes(flip(before, bit))
    try:
        yield
    finally:
        file.write_bytes(before)


# -- values ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a row, by the row's own key."""

    database: str
    table: str
    column: str
    row: Row
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def watched(self) -> bool:
        if self.table == "attachments" and self.row["piece"] is None:
            return False  # one that could not be fetched: nothing is kept under its id
        return is_watched(self.name)


def is_watched(name: str) -> bool:
    return not any(name.startswith(prefix) for prefix in NOT_WATCHED)


def connect(home: Path, database: str) -> sqlite3.Connection:
    """The database as an administrator of the machine has it: no guards, no foreign keys, texts as their bytes."""
    connection = sqlite3.connect(home / database, isolation_level=None)
    connection.text_factory = bytes
    connection.row_factory = sqlite3.Row
    return connection


def unguard(home: Path) -> None:
    """Take the guards away that would refuse to alter a row: whoever has the machine can."""
    for database in TABLES:
        with closing(connect(home, database)) as connection:
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {row['name'].decode()}")


def rows_of(home: Path, database: str) -> dict[str, list[Row]]:
    """Every row of every table, in the order of their keys."""
    found: dict[str, list[Row]] = {}
    with closing(connect(home, database)) as connection:
        for name, table in sorted(TABLES[database].items()):
            order = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
            asked = f'SELECT * FROM "{name}" ORDER BY {order}'
            rows = connection.execute(asked)
            # SQLite knows a column by its name in whatever case a flipped bit has it.
            names = [one[0].lower() for one in rows.description]
            found[name] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


def values(home: Path) -> list[Value]:
    """Every value of every row of both databases that holds at least a bit."""
    return [
        Value(database, name, column, row, tuple(one.name for one in known[name].primary_key.columns))
        for database, known in TABLES.items()
        for name, rows in rows_of(home, database).items()
        for row in rows
        for column, value in row.items()
        if value is not None and value != b""
    ]


def bent(value: Value, chance: random.Random) -> object:
    """The value with one bit flipped."""
    held = value.row[value.column]
    if not isinstance(held, int):
        return flip(held, chance.randrange(len(held) * 8))
    if value.name in SECONDS:
        return held ^ (1 << chance.randrange(_SECOND, 50))
    boolean = TABLES[value.database][value.table].c[value.column].type.python_type is bool
    return held ^ (1 << chance.randrange(1 if boolean else max(8, held.bit_length())))


@contextmanager
def altered(home: Path, value: Value, new: object) -> Iterator[bool]:
    """The row with another value, and as it was again afterwards; false where the database itself refuses it."""
    with closing(connect(home, value.database)) as connection:
        if not _set(connection, value, value.row, new):
            yield False
            return
        try:
            yield True
        finally:
            moved = {**value.row, value.column: new} if value.column in value.key else value.row
            assert _set(connection, value, moved, value.row[value.column])


def _set(connection: sqlite3.Connection, value: Value, row: Row, new: object) -> bool:
    typed = TABLES[value.database][value.table].c

    def given(column: str) -> str:
        text = typed[column].type.python_type is str
        return "CAST(? AS TEXT)" if text else "?"

    wanted = " AND ".join(f'"{name}" = {given(name)}' for name in value.key)
    asked = f'UPDATE "{value.table}" SET "{value.column}" = {given(value.column)} WHERE {wanted}'
    try:
        return connection.execute(asked, (new, *(row[name] for name in value.key))).rowcount == 1
    except sqlite3.IntegrityError:
        return False


# -- what a row is called ----------------------------------------------------------------------------------

_LABELS = {
    ("entries", "index"): ("entry",),
    ("pieces", "key"): ("piece",),
    ("circles", "key"): ("circle",),
    ("objects", "key"): ("object",),
    ("anchors", "entry"): ("anchor", "entry"),
    ("cosignatures", "entry"): ("cosignature", "entry"),
    ("attachments", "piece"): ("piece",),
    ("pieces", "object"): ("object",),
    ("versions", "object"): ("object",),
    ("unlinked", "object"): ("object",),
}
_REFERS: dict[tuple[str, str], tuple[str, str]] = {
    ("versions", "exchange"): ("exchanges", "key"),
    ("versions", "object"): ("objects", "key"),
    ("pieces", "object"): ("objects", "key"),
    ("pieces", "record"): ("records", "key"),
    ("pieces", "circle"): ("circles", "key"),
    ("pieces", "exchange"): ("exchanges", "key"),
    ("exchanges", "envelope"): ("pieces", "key"),
    ("exchanges", "alike"): ("exchanges", "key"),
    ("attachments", "piece"): ("pieces", "key"),
    ("records", "id"): ("secrets", "owner"),
    ("exchanges", "id"): ("secrets", "owner"),
    ("pages", "id"): ("secrets", "owner"),
    ("runs", "id"): ("secrets", "owner"),
    ("acts", "secret"): ("secrets", "owner"),
    ("tombstones", "batch"): ("disposals", "id"),
    ("access_digests", "day"): ("accesses", "day"),
} | {
    (table.name, column.name): (key.column.table.name, key.column.name)
    for table in tables.metadata.tables.values()
    for column in table.columns
    for key in column.foreign_keys
}
"""Which column names a row of which table, beside those that the database knows of."""
_ENTRIES = {
    (table.name, column.name): ("entries", "index")
    for table in tables.metadata.tables.values()
    for column in table.columns
    if column.name == "entry"
}


@dataclass(slots=True)
class Names:
    """By what names a finding may speak of a row: its own, and those of what belongs to it, two steps away at most."""

    origin: str
    rows: dict[str, list[Row]]
    by_value: dict[tuple[str, str, Any], list[tuple[str, Row]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def of(cls, home: Path, origin: str) -> Names:
        names = cls(origin, rows_of(home, ARCHIVE) | rows_of(home, KEYRING))
        for table, rows in names.rows.items():
            for row in rows:
                for column, value in row.items():
                    names.by_value[table, column, value].append((table, row))
        for row in names.rows["exchanges"]:
            for piece, _, _ in msgspec.msgpack.decode(row["layout"]) if row["layout"] else ():
                names.by_value["exchanges", "pieces of its layout", piece].append(("exchanges", row))
        return names

    def called(self, value: Value, new: object) -> set[str]:
        changed = {**value.row, value.column: new}
        found = {Path(value.database).name, "keyring" if value.database == KEYRING else "archive"}
        found.add(value.table)  # what cannot be read at all is told by what was looked at
        for row in (value.row, changed):
            found |= self._own(value.table, row)
            for table, other in self._beside(value.table, row):
                found |= self._own(table, other)
                found |= {name for near in self._beside(table, other) for name in self._own(*near)}
        if value.table in ("entries", "checkpoints", "signed") or value.column == "entry":
            found.add(self.origin)
        return found

    def _own(self, table: str, row: Row) -> set[str]:
        found = {value.hex() for value in row.values() if isinstance(value, bytes) and len(value) in (16, 32)}
        for column, value in row.items():
            labels = _LABELS.get((table, column)) or (("entry",) if column.endswith("entry") else ())
            found |= {f"{label} {value}" for label in labels}
            if column == "day" and isinstance(value, bytes):
                found.add(value.decode("utf-8", "replace"))
        return found

    def _beside(self, table: str, row: Row) -> Iterator[tuple[str, Row]]:
        yield from self._above(table, row)
        if table == "pieces":
            yield from self.by_value.get(("exchanges", "pieces of its layout", row["key"]), [])
        for (other, column), (named, key) in (_REFERS | _ENTRIES).items():
            if named == table:
                yield from self.by_value.get((other, column, row[key]), [])

    def _above(self, table: str, row: Row) -> Iterator[tuple[str, Row]]:
        for (other, column), (named, key) in (_REFERS | _ENTRIES).items():
            if other == table and row[column] is not None:
                yield from self.by_value.get((named, key, row[column]), [])


def differences(before: dict[str, list[Row]], after: dict[str, list[Row]]) -> set[str]:
    """The columns in which two copies of a database differ; of rows that came or went, all."""
    found: set[str] = set()
    for table, rows in before.items():
        others = after[table]
        if len(rows) != len(others):
            found |= {f"{table}.{column}" for row in (*rows, *others) for column in row}
            continue
        for row, other in zip(rows, others, strict=True):
            found |= {
                f"{table}.{column}"
                for column, value in row.items()
                if other.get(column) != value
                and not _within_seconds(table, column, value, other.get(column))
                and not _reads_alike(table, column, value, other.get(column))
            }
    return found


def _reads_alike(table: str, column: str, value: Any, other: Any) -> bool:
    """Whether both are read as the same yes or no: SQLite keeps an empty text where a flipped bit wants one."""
    return f"{table}.{column}" in _YES_OR_NO and None not in (value, other) and bool(value) == bool(other)


def _within_seconds(table: str, column: str, value: Any, other: Any) -> bool:
    """Whether a time differs by less than entries tell."""
    both = isinstance(value, int) and isinstance(other, int)
    return both and f"{table}.{column}" in SECONDS and abs(value - other) < 1 << _SECOND


def used(content: bytes) -> list[int]:
    """The bytes of a file that hold something; most of a small database is room."""
    return [place for place, byte in enumerate(content) if byte]


def mention(findings: Iterable[Any], names: set[str]) -> bool:
    """Whether any finding speaks of something by one of these names."""
    return any(name in f"{finding.where} {finding.what}" for finding in findings for name in names if name)

"""Tags: words that officers give records, to find them again and to work through them.

A tag is an officer's word, not a record's. Still it may tell of one (the name
of a case, of somebody who complained), so it stands where every word stands:
sealed, in the detail of the ledger's entry, which goes with the record when
that is disposed of. The row beside it has a keyed value by which records of
one tag are found, and nothing that can be read.

Tags are compared whole and without regard to case, as the query language
compares every field. Taking one off is an entry of its own; that it was given
stays written down.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update

from app.capture import deeds
from app.capture.records import NoSuchRecord
from app.db import Tx
from app.db.database import lock_ledger
from app.records.clock import iso
from app.records.errors import Invalid, NotFound, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Record, Role
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import tags, tombstones

TAGGERS = (Role.RECORDS_OFFICER, Role.ATTORNEY)
"""Who gives tags and takes them off."""
_LONGEST = 100
_ASK = 500


class BadTag(Invalid):
    """A tag fits on a line, has a letter or a digit, and at most a hundred characters."""

    code = "bad-tag"


class TaggedAlready(Refused):
    """The record has this tag."""

    code = "tagged-already"


class NoSuchTag(NotFound):
    """The record does not have this tag."""

    code = "no-such-tag"


@dataclass(frozen=True, slots=True)
class Given:
    """A tag of a record: who gave it, when and why."""

    tag: str
    by: UUID | None
    at: datetime
    why: str
    entry: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A tag and how many records have it."""

    tag: str
    records: int


def add(store: Store, tx: Tx, record: Record, tag: str, *, by: Officer, why: str) -> Given:
    """Give a record a tag."""
    word = plain(tag)
    lock_ledger(tx)
    if _gone(tx, record):
        raise NoSuchRecord(f"record {record.id} was disposed of")
    if _row(store, tx, record, word) is not None:
        raise TaggedAlready(f"the record is tagged {word!r} already")
    identity = new_id()
    entry = store.ledger.act(
        tx,
        "tag",
        by=by.id,
        why=why,
        facts={"tag": identity.hex, "item": record.id.hex, "act": "given"},
        detail={"tag": word},
        subject=record.id,
    )
    tx.execute(insert(tags).values(id=identity.bytes, record=record.key, mac=mac(store, word), entry=entry))
    return next(one for one in of_record(store, tx, record) if one.entry == entry)


def remove(store: Store, tx: Tx, record: Record, tag: str, *, by: Officer, why: str) -> int:
    """Take a tag off a record; return the entry."""
    word = plain(tag)
    lock_ledger(tx)
    row = _row(store, tx, record, word)
    if row is None:
        raise NoSuchTag(
            f"the record is not tagged {word!r}", next="`muniment tag list RECORD` shows its tags."
        )
    entry = store.ledger.act(
        tx,
        "tag",
        by=by.id,
        why=why,
        facts={"tag": UUID(bytes=bytes(row.id)).hex, "item": record.id.hex, "act": "taken off"},
        detail={"tag": word},
        subject=record.id,
    )
    tx.execute(update(tags).where(tags.c.key == row.key).values(removed_entry=entry))
    return entry


def of_record(store: Store, tx: Tx, record: Record) -> list[Given]:
    """The tags of a record, in the order in which they were given."""
    rows = tx.execute(_living().where(tags.c.record == record.key).order_by(tags.c.entry)).all()
    said = deeds.told(store, tx, [row.entry for row in rows])
    return [
        Given(one.text("tag"), one.by, one.at, one.why, one.entry)
        for row in rows
        if (one := said.get(row.entry)) is not None
    ]


def of(store: Store, tx: Tx, keys: Sequence[int]) -> dict[int, list[str]]:
    """The tags of these records, by their keys; a record without one is left out."""
    found: dict[int, list[str]] = {}
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        rows = tx.execute(_living().where(tags.c.record.in_(part)).order_by(tags.c.entry)).all()
        said = deeds.told(store, tx, [row.entry for row in rows])
        for row in rows:
            if row.entry in said:
                found.setdefault(row.record, []).append(said[row.entry].text("tag"))
    return found


def listed(store: Store, tx: Tx) -> list[Counted]:
    """Every tag that a record has, the most frequent first. Disposed records have none."""
    counted = (
        select(tags.c.mac, func.count(), func.max(tags.c.entry))
        .outerjoin(tombstones, tombstones.c.record == tags.c.record)
        .where(tags.c.removed_entry.is_(None), tombstones.c.record.is_(None))
        .group_by(tags.c.mac)
    )
    rows = tx.execute(counted).all()
    said = deeds.told(store, tx, [row[2] for row in rows])
    found = [Counted(said[entry].text("tag"), number) for _, number, entry in rows if entry in said]
    return sorted(found, key=lambda one: (-one.records, one.tag))


def having(store: Store, tx: Tx, tag: str) -> Iterator[int]:
    """The keys of the records that have a tag."""
    asked = _living().with_only_columns(tags.c.record).where(tags.c.mac == mac(store, tag))
    yield from tx.execute(asked.execution_options(yield_per=10_000)).scalars()


def by_tag(store: Store, tx: Tx) -> Iterator[tuple[str, Iterator[int]]]:
    """Every tag with the keys of its records."""
    for one in listed(store, tx):
        yield one.tag, having(store, tx, one.tag)


def mac(store: Store, tag: str) -> bytes:
    """What a tag is found by, in whatever case it is written."""
    return keyed(store.lookup, b"tag", folded(tag).encode("utf-8", "replace"))


def folded(tag: str) -> str:
    """A tag as it is compared."""
    return unicodedata.normalize("NFKC", " ".join(tag.split())).casefold()


def plain(tag: str) -> str:
    """A tag as it is kept, or `BadTag`."""
    word = " ".join(tag.split())
    if not word or len(word) > _LONGEST or not word.isprintable() or not any(one.isalnum() for one in word):
        raise BadTag(
            f"a tag has 1 to {_LONGEST} characters on one line, a letter or a digit among them",
            next="Write a word or two, such as flood-2026.",
        )
    return word


def as_json(given: Given, by: str | None) -> dict[str, object]:
    """A tag of a record as programs read it; `by` is the e-mail of whoever gave it."""
    return {
        "tag": given.tag,
        "by": by,
        "at": iso(given.at),
        "why": given.why,
        "entry": given.entry,
    }


def _living() -> Select[Any]:
    return (
        select(tags.c.key, tags.c.id, tags.c.entry, tags.c.record)
        .outerjoin(tombstones, tombstones.c.record == tags.c.record)
        .where(tags.c.removed_entry.is_(None), tombstones.c.record.is_(None))
    )


def _row(store: Store, tx: Tx, record: Record, word: str) -> Any:
    asked = _living().where(tags.c.record == record.key, tags.c.mac == mac(store, word))
    return tx.execute(asked).one_or_none()


def _gone(tx: Tx, record: Record) -> bool:
    asked = select(tombstones.c.record).where(tombstones.c.record == record.key)
    return tx.execute(asked).first() is not None

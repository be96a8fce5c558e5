"""What is known of the backups that were taken: where each copy of the keys lies, and until when it may.

Whoever holds an older copy of the keys holds what was disposed of since. So a
copy is kept for thirty days at most, and a fresh one is always there: whoever
loses the keys loses the archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from app.db import Tx, from_instant, to_instant
from app.records.errors import NotFound, Refused
from app.store.backup import sets
from app.store.store import Store
from app.store.tables import backups, tombstones

KEPT_FOR = timedelta(days=30)
"""How long a copy of the keys may be kept."""
FRESH_FOR = timedelta(days=1)
"""How old the newest copy of the keys may be."""


class NoSuchBackup(NotFound):
    """No backup of the keys of that id was ever taken."""

    code = "no-such-backup"


class StillThere(Refused):
    """A copy of the keys is said to be destroyed and lies where it was put."""

    code = "keys-still-there"


@dataclass(frozen=True, slots=True)
class KeyCopy:
    """A copy of the keys: the oldest epoch that it opens, and whether somebody said that it is destroyed."""

    backup: UUID
    at: datetime
    done: bool
    place: str
    epoch: int
    destroyed: bool
    entry: int | None = None
    """Where in the ledger it was begun; None where only another set tells of it."""

    @property
    def expires(self) -> datetime:
        return self.at + KEPT_FOR

    def lies_there(self) -> bool:
        """Whether it lies where it was put; a disk that is not there says nothing."""
        try:
            return sets.read(Path(self.place), sets.KEYS).backup == self.backup
        except (sets.NoBackup, sets.BackupAltered):
            return sets.is_broken_off(Path(self.place))


def begin(
    store: Store, tx: Tx, backup: UUID, *, data: Path | None, keys: Path | None, by: UUID | None, why: str
) -> int:
    """Write down that a backup begins, before anything is copied: no copy of the keys is ever unknown."""
    epoch = min(store.keyring.keys.epochs())
    entry = store.ledger.act(
        tx,
        "backup",
        by=by,
        why=why,
        facts={
            "backup": backup.hex,
            "act": "taken",
            "data": data is not None,
            "keys": keys is not None,
            "epoch": epoch,
        },
        detail={"data": str(data) if data else None, "keys": str(keys) if keys else None},
        subject=backup,
    )
    tx.execute(
        insert(backups).values(
            id=backup.bytes,
            entry=entry,
            at=to_instant(store.clock.now()),
            data_place=str(data) if data else None,
            keys_place=str(keys) if keys else None,
            epoch=epoch,
        )
    )
    return entry


def done(tx: Tx, backup: UUID, at: datetime) -> None:
    """Write down that the sets of a backup are whole."""
    mine = (backups.c.id == backup.bytes) & backups.c.done_at.is_(None)
    tx.execute(update(backups).where(mine).values(done_at=to_instant(at)))


def destroyed(store: Store, tx: Tx, backup: UUID, *, by: UUID | None, why: str) -> KeyCopy:
    """Write down that a copy of the keys is destroyed; refused while it lies where it was put."""
    found = next((one for one in key_copies(tx) if one.backup == backup), None)
    if found is None:
        raise NoSuchBackup(f"no backup of the keys {backup} was taken")
    if found.destroyed:
        return found
    if found.lies_there():
        raise StillThere(f"the copy of the keys lies in {found.place}", next="Destroy it first.")
    facts: dict[str, Any] = {"backup": backup.hex, "act": "keys-destroyed"}
    entry = store.ledger.act(tx, "backup", by=by, why=why, facts=facts, subject=backup)
    tx.execute(update(backups).where(backups.c.id == backup.bytes).values(destroyed_entry=entry))
    return next(one for one in key_copies(tx) if one.backup == backup)


def key_copies(tx: Tx) -> list[KeyCopy]:
    """Every copy of the keys that was begun, the oldest first; one that was broken off may lie around too."""
    asked = select(backups).where(backups.c.keys_place.is_not(None)).order_by(backups.c.at, backups.c.key)
    return [
        KeyCopy(
            backup=UUID(bytes=bytes(row.id)),
            at=from_instant(row.at),
            done=row.done_at is not None,
            place=row.keys_place,
            epoch=row.epoch,
            destroyed=row.destroyed_entry is not None,
            entry=row.entry,
        )
        for row in tx.execute(asked)
    ]


def learn(tx: Tx, copies: Iterable[KeyCopy]) -> None:
    """Write down copies that the database does not know: they were made after the copy of it that was restored."""
    known = {bytes(one) for one in tx.execute(select(backups.c.id)).scalars()}
    for one in copies:
        if one.backup.bytes not in known:
            tx.execute(
                insert(backups).values(
                    id=one.backup.bytes,
                    at=to_instant(one.at),
                    done_at=to_instant(one.at) if one.done else None,
                    keys_place=one.place,
                    epoch=one.epoch,
                )
            )


def newest(copies: Iterable[KeyCopy]) -> KeyCopy | None:
    """The newest copy of the keys that is whole and not destroyed."""
    return max(
        (one for one in copies if one.done and not one.destroyed), key=lambda one: one.at, default=None
    )


def to_destroy(copies: Iterable[KeyCopy], now: datetime) -> list[KeyCopy]:
    """The copies that are past their thirty days and not known to be destroyed."""
    return [one for one in copies if not one.destroyed and one.expires <= now]


def opened_until(copies: Iterable[KeyCopy], epoch: int, zone: tzinfo = UTC) -> date | None:
    """The first day in `zone` on which the last copy has expired that opens what was sealed under `epoch` or before; None where none does.

    A disposal's `executed` entry names the epoch: the newest under which its
    records' secrets still were wrapped. A copy without a key of that epoch or
    an older one opens none of them, whenever it was made. One that somebody
    said is destroyed opens nothing.
    """
    ends = [one.expires for one in copies if one.epoch <= epoch and not one.destroyed]
    return (max(ends).astimezone(zone) + timedelta(days=1)).date() if ends else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the copies of the keys stand: what `doctor` says of them."""

    newest: KeyCopy | None
    disposed_since: int
    """Records that were disposed of after the newest copy: only a newer one knows that they are."""
    expired: Sequence[KeyCopy]

    def fresh(self, now: datetime, founded: datetime | None) -> bool:
        """Whether there is a copy younger than a day, or the archive itself is younger."""
        last = self.newest.at if self.newest else founded
        return last is None or now - last <= FRESH_FOR


def standing(tx: Tx, now: datetime) -> Standing:
    copies = key_copies(tx)
    last = newest(copies)
    asked = select(func.count()).select_from(tombstones)
    if last is not None:
        asked = asked.where(tombstones.c.at >= to_instant(last.at))
    return Standing(last, int(tx.execute(asked).scalar_one()), to_destroy(copies, now))

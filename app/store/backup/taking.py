"""Taking a backup while everything goes on: two sets, each whole or recognisably not.

The order makes them fit together. Keeping writes objects, then secrets, then
rows; so rows are copied first, then secrets, then objects, and whatever the
copy of the rows speaks of is in the other two. Destroying writes tombstones,
then forgets secrets, then removes objects; so what was disposed of is listed
after the secrets were copied, and whatever the copy lacks is in the list.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from alembic.migration import MigrationContext
from sqlalchemy import func, select

from app.db import Database, DiskFull, Tx
from app.records.errors import Invalid
from app.records.ids import new_id
from app.store import ledger as ledgers
from app.store.backup import copies, disposed, kept, sets
from app.store.backup.kept import KeyCopy
from app.store.backup.sets import File, Log, Manifest
from app.store.keyring import KeyMissing, MasterKeys, named_table, secrets_table, signed_table
from app.store.objects import FixityMismatch, Folder, ObjectMissing
from app.store.store import Store
from app.store.tables import checkpoints, objects, unlinked

OBJECTS, OBJECT_LIST = "objects", "objects.txt"
MASTER = "master.key"
_CHUNK = 1 << 20
_PART = 5_000
_TRIES = 5
_SPARE = 64 << 20
"""What a disk should have left after the copies of the databases."""


class NothingToBackUp(Invalid):
    """Neither set was asked for, or one of them would lie where it is lost together with what it copies."""

    code = "nothing-to-back-up"


@dataclass(frozen=True, slots=True)
class Damaged:
    """An object of which the archive itself has no whole copy."""

    object: str
    code: str
    what: str


@dataclass(slots=True)
class DataSet:
    folder: Path
    size: int
    """How many entries of the ledger it holds."""
    objects: int = 0
    bytes: int = 0
    linked: int = 0
    """Objects that are a second name of the file in an earlier set."""
    damaged: list[Damaged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KeySet:
    folder: Path
    copy: KeyCopy
    disposed: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup, and which older copies of the keys are past their time."""

    backup: UUID
    data: DataSet | None
    keys: KeySet | None
    to_destroy: Sequence[KeyCopy]


def take(
    store: Store,
    *,
    home: Path,
    data: Path | None,
    keys: Path | None,
    program: str,
    by: UUID | None,
    why: str,
    since: Path | None = None,
    point: Callable[[str], None] | None = None,
) -> Taken:
    """Copy the data, the keys, or both, each into an empty folder of its own; nobody has to stop.

    Objects that the whole set in `since` has already are given a second name
    there instead of being read again, where it lies on the same disk. What the
    archive itself has lost or damaged is named, and the rest is copied.
    """
    point = point or (lambda _name: None)
    folders = [folder.absolute() for folder in (data, keys) if folder is not None]
    _must_lie_apart(folders, home)
    for folder in folders:
        sets.must_be_free(folder)
    earlier = sets.read(since, sets.DATA) if since is not None else None
    _must_fit(store, data, earlier)
    # 1. Who and why, and where the keys will lie. The checkpoint covers it, so that the set holds what was signed.
    backup = new_id()
    with store.database.begin() as tx:
        kept.begin(
            store,
            tx,
            backup,
            data=data.absolute() if data else None,
            keys=keys.absolute() if keys else None,
            by=by,
            why=why,
        )
    store.ledger.checkpoint()
    point("begun")
    with ExitStack() as stack:
        if data is not None:
            stack.enter_context(sets.writing(data, sets.DATA))
        if keys is not None:
            stack.enter_context(sets.writing(keys, sets.KEYS))
        head = _Head(store, backup, program)
        told: DataSet | None = None
        if data is not None:
            # 2. The rows, as of one moment.
            with copies.copied(store.database, data / copies.name_of(store.database, "archive")) as tx:
                point("after-database")
                told = DataSet(data, store.ledger.size(tx))
                facts = _database(tx, store.database)
                note = _newest_note(tx)
                _list_objects(tx, data / OBJECT_LIST)
            held = _keys(head, keys, point) if keys is not None else None
            # 5. Last the objects: all that the rows speak of are there, unless they went with a disposal.
            _copy_objects(store, told, since, point)
            _finish_data(head, told, facts, note, point)
        else:
            assert keys is not None
            held = _keys(head, keys, point)
    point("before-noted")
    with store.database.begin() as tx:
        kept.done(tx, backup, store.clock.now())
        known = kept.key_copies(tx)
        newest = _newest_note(tx)
    if newest and store.ledger.signed is not None:
        store.ledger.signed(newest)  # what was signed while this copied
    copy = next((one for one in known if one.backup == backup), None)
    return Taken(
        backup,
        told,
        KeySet(keys, copy, held) if keys is not None and copy is not None and held is not None else None,
        kept.to_destroy(known, store.clock.now()),
    )


@dataclass(frozen=True, slots=True)
class _Head:
    """What both sets of a backup say of themselves."""

    store: Store
    backup: UUID
    program: str

    def manifest(
        self,
        kind: str,
        folder: Path,
        database: dict[str, str],
        names: Sequence[str],
        signed: tuple[int, bytes] | None,
        told: dict[str, Any],
    ) -> Manifest:
        with self.store.database.read() as tx:
            ended = [Log(one.origin, one.verifier.line()) for one in self.store.ledger.ended(tx)]
        size, root = signed or (0, hashlib.sha256(b"").digest())
        return Manifest(
            kind=kind,
            backup=self.backup,
            at=self.store.clock.now().replace(microsecond=0),
            program=self.program,
            agency=self.store.agency,
            logs=[*ended, Log(self.store.ledger.origin, self.store.ledger.verifier().line())],
            size=size,
            root=root,
            database=database,
            files=[File.of(folder, name) for name in names],
            told=told,
        )


def _must_lie_apart(folders: Sequence[Path], home: Path) -> None:
    if not folders:
        raise NothingToBackUp("no folder was named", next="Write `muniment backup DATA --keys KEYS`.")
    for folder in folders:
        others = [home.absolute(), *(other for other in folders if other is not folder)]
        for other in others:
            if folder == other or other in folder.parents or folder in other.parents:
                raise NothingToBackUp(
                    f"{folder} and {other} lie in one another",
                    next="Put the sets beside the data folder and apart from each other, best on other disks.",
                )


def _must_fit(store: Store, data: Path | None, earlier: Manifest | None) -> None:
    """Raise `DiskFull` before anything is written where the copy cannot fit."""
    if data is None:
        return
    wanted = _SPARE
    if store.database.sqlite and store.database.url.database:
        wanted += Path(store.database.url.database).stat().st_size
    if earlier is None and isinstance(store.objects, Folder):
        with store.database.read() as tx:
            gone = select(unlinked.c.object)
            asked = select(func.sum(objects.c.size)).where(objects.c.key.not_in(gone))
            wanted += int(tx.execute(asked).scalar() or 0)
    there = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < wanted:
        raise DiskFull(
            f"{data} has room for {free >> 20} MiB, the data need {wanted >> 20} MiB",
            next="Name another disk.",
        )


def _database(tx: Tx, database: Database) -> dict[str, str]:
    return {
        "kind": copies.kind_of(database),
        "file": copies.name_of(database, "archive"),
        "revision": MigrationContext.configure(tx).get_current_revision() or "",
    }


# -- the keys ----------------------------------------------------------------------------------------------


def _keys(head: _Head, folder: Path, point: Callable[[str], None]) -> int:
    """Copy the keyring with the epoch keys that it needs, then list what was disposed of; the set is then whole."""
    store = head.store
    # 3. The secrets, after the rows that speak of them.
    file = folder / copies.name_of(store.keyring.database, "keyring")
    facts, signed, keys = _copy_keyring(store, file)
    MasterKeys(folder / MASTER).hold(keys)
    point("after-keyring")
    # 4. What was disposed of, after the secrets: whatever the copy of them lacks is in this list.
    with store.database.read() as tx:
        count = disposed.write(tx, folder / disposed.FILE)
        known = kept.key_copies(tx)
    told = {
        "epochs": sorted(keys),
        "disposed": count,
        "expires": ledgers.timestamp(store.clock.now() + kept.KEPT_FOR),
        "copies": [
            {
                "backup": one.backup.hex,
                "at": ledgers.timestamp(one.at),
                "done": one.done or one.backup == head.backup,
                "place": one.place,
                "epoch": one.epoch,
                "destroyed": one.destroyed,
            }
            for one in known
        ],
    }
    names = [file.name, MASTER, disposed.FILE]
    manifest = head.manifest(sets.KEYS, folder, facts, names, signed, told)
    sets.seal(folder, manifest, store.ledger.signer(), point)
    return count


def _copy_keyring(
    store: Store, file: Path
) -> tuple[dict[str, str], tuple[int, bytes] | None, dict[int, bytes]]:
    """The keyring of one moment, what it knows to be signed, and every epoch key that it is wrapped under.

    Epoch keys are read before and after: a rotation meanwhile makes one and
    destroys another. Where two rotations passed, it is tried again.
    """
    lacking: set[int] = set()
    for _ in range(_TRIES):
        before = store.keyring.keys.held()
        with copies.copied(store.keyring.database, file) as tx:
            used = {
                int(epoch)
                for table in (secrets_table, named_table)
                for epoch in tx.execute(select(table.c.epoch).distinct()).scalars()
            }
            row = tx.execute(
                select(signed_table.c.size, signed_table.c.root).where(
                    signed_table.c.origin == store.ledger.origin
                )
            ).one_or_none()
            revision = MigrationContext.configure(
                tx, opts={"version_table": "alembic_version_keyring"}
            ).get_current_revision()
        keys = before | store.keyring.keys.held()
        lacking = used - keys.keys()
        if not lacking:
            facts = {
                "kind": copies.kind_of(store.keyring.database),
                "file": file.name,
                "revision": revision or "",
            }
            signed = (int(row.size), bytes(row.root)) if row is not None else None
            return facts, signed, {epoch: keys[epoch] for epoch in sorted(used)}
        file.unlink()
    raise KeyMissing(
        f"the key of epoch {min(lacking)} is not in {store.keyring.keys.file}",
        next="Put the master key file back that belongs to this keyring.",
    )


# -- the objects -------------------------------------------------------------------------------------------


def _list_objects(tx: Tx, file: Path) -> None:
    """Every object that the rows speak of, but those that a disposal removed: digest and size, one a line."""
    asked = (
        select(objects.c.digest, objects.c.size)
        .outerjoin(unlinked, unlinked.c.object == objects.c.key)
        .where(unlinked.c.object.is_(None))
        .order_by(objects.c.digest)
    )
    with file.open("w", encoding="ascii") as out:
        for digest, size in tx.execution_options(yield_per=_PART).execute(asked):
            out.write(f"{bytes(digest).hex()} {size}\n")


def listed(file: Path) -> Iterator[tuple[str, int]]:
    """The objects of a set."""
    with file.open(encoding="ascii") as lines:
        for line in lines:
            digest, _, size = line.rstrip("\n").partition(" ")
            yield digest, int(size)


def lies_at(folder: Path, digest: str) -> Path:
    """Where an object lies below a folder of objects."""
    return folder / digest[:2] / digest[2:]


def _copy_objects(store: Store, told: DataSet, since: Path | None, point: Callable[[str], None]) -> None:
    """Copy every object of the list, or name it a second time where an earlier set has it. A bucket keeps its own."""
    folder = told.folder / OBJECTS
    held = store.objects
    if isinstance(held, Folder):
        folder.mkdir()
    for digest, size in listed(told.folder / OBJECT_LIST):
        told.objects += 1
        told.bytes += size
        if not isinstance(held, Folder):
            continue
        file = lies_at(folder, digest)
        if not file.parent.exists():
            file.parent.mkdir()
        if since is not None and _linked(lies_at(since / OBJECTS, digest), size, file):
            told.linked += 1
            continue
        try:
            copy_object(lies_at(held.folder, digest), digest, size, file)
        except (ObjectMissing, FixityMismatch) as error:
            if not _went_with_a_disposal(store, digest):
                told.damaged.append(Damaged(digest, error.code, str(error)))
        if told.objects == 1:
            point("during-objects")
    point("after-objects")


def _linked(earlier: Path, size: int, file: Path) -> bool:
    """Whether an object of an earlier set could be given a second name."""
    try:
        if earlier.stat().st_size != size:
            return False
        os.link(earlier, file)
    except OSError:  # it is not there, or lies on another disk: then the archive's own is read
        return False
    return True


def copy_object(held: Path, digest: str, size: int, file: Path) -> None:
    """Copy one object, and see that it is what its name says; nothing is left of one that is not."""
    found, read = hashlib.sha256(), 0
    try:
        with held.open("rb") as source, file.open("xb") as out:
            while chunk := source.read(_CHUNK):
                found.update(chunk)
                read += len(chunk)
                out.write(chunk)
    except FileNotFoundError as error:
        raise ObjectMissing(f"object {digest} is not in {held.parents[1]}") from error
    if (found.hexdigest(), read) != (digest, size):
        file.unlink()
        raise FixityMismatch(f"object {digest} does not hold what its name says")


def _went_with_a_disposal(store: Store, digest: str) -> bool:
    """Whether an object was removed after the rows were copied, because nothing in it could be opened any more."""
    asked = (
        select(unlinked.c.object)
        .join(objects, objects.c.key == unlinked.c.object)
        .where(objects.c.digest == bytes.fromhex(digest))
    )
    with store.database.read() as tx:
        return tx.execute(asked).first() is not None


def _newest_note(tx: Tx) -> str:
    """The newest checkpoint that the rows themselves hold."""
    found = tx.execute(select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)).scalar()
    return str(found or "")


def _finish_data(
    head: _Head, told: DataSet, facts: dict[str, str], note: str, point: Callable[[str], None]
) -> None:
    """Say how far the ledger reaches in the set, and what the archive itself knows to be signed by now."""
    store = head.store
    folder, in_folder = told.folder, isinstance(store.objects, Folder)
    ledger = {
        "size": told.size,
        "root": store.ledger.root(told.size).hex(),
    }
    (folder / "checkpoint").write_text(note, encoding="utf-8")
    (folder / "log.vkey").write_text(store.ledger.verifier().line() + "\n", encoding="utf-8")
    names = [facts["file"], OBJECT_LIST, "checkpoint", "log.vkey"]
    more = {
        "ledger": ledger,
        "objects": {
            "in": "set" if in_folder else store.objects.describe().where,
            "count": told.objects,
            "bytes": told.bytes,
            "damaged": [one.object for one in told.damaged],
        },
    }
    signed = store.keyring.largest_signed(store.ledger.origin)
    manifest = head.manifest(sets.DATA, folder, facts, names, signed, more)
    sets.seal(folder, manifest, store.ledger.signer(), point)

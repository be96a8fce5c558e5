"""Restoring: two sets are put into an empty place, and nothing there serves before everything is as the law has it.

A mark in the data folder says that a restore is under way; the program opens
no archive that bears it. Broken off anywhere, it is run again in the same
place with the same sets: what was put there is cleared away, and it begins
anew. What it reads is never written to.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, update

from app.db import Database, Tx
from app.db.migrate import leads_on_from
from app.records.errors import IntegrityFailure, Refused, Unavailable
from app.store import fixity
from app.store.backup import copies, disposed, epochs, kept, later, sets, taking
from app.store.backup.disposed import Carried
from app.store.backup.epochs import Begins, Known
from app.store.backup.kept import KeyCopy
from app.store.backup.sets import BackupAltered, Log, Manifest
from app.store.keyring import KeyMissing, Keyring
from app.store.note import Signer
from app.store.objects import FixityMismatch, Folder, ObjectMissing, Objects
from app.store.proofs import FolderNotEmpty
from app.store.store import Store
from app.store.tables import lanes, pages, passes, renewals

MARK = "restoring.json"
_SESSIONS = ("session", "reset")
_NEXT = "Keep both sets as they are, and look for another backup that has it."


class PlaceTaken(Refused):
    """Something lies where the archive would be restored to."""

    code = "place-taken"


class RestoreUnfinished(Unavailable):
    """A restore into this data folder was broken off; nothing is served from it."""

    code = "restore-unfinished"


class NewerBackup(Unavailable):
    """The set was made by a newer version of the program."""

    code = "newer-backup"


@dataclass(frozen=True, slots=True)
class Sets:
    """Two sets that belong together, whole and as they were written, and what is known of the time after."""

    data: Path
    keys: Path
    of_data: Manifest
    of_keys: Manifest
    known: Sequence[Known]
    disposed: Sequence[Carried]

    @property
    def logs(self) -> Sequence[Log]:
        """The epochs of the ledger that either set knows."""
        return max(self.of_data.logs, self.of_keys.logs, key=len)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an archive is put: its data folder, and what the settings have put elsewhere."""

    home: Path
    keys: Path
    master_key: Path
    database: Database
    keyring: Database
    objects: Path | None
    """None where the segments lie in a bucket, which no set copies."""


@dataclass(slots=True)
class Restored:
    """What a restore did, and what it found that is not as it was."""

    store: Store
    lost: tuple[int, int | None] | None = None
    begun: str | None = None
    """Why a new epoch of the ledger began."""
    findings: list[fixity.Finding] = field(default_factory=list)


def opened(data: Path, keys: Path, checkpoints: Sequence[Path] = (), published: Sequence[str] = ()) -> Sets:
    """Read two sets and see that they are whole, as they were written, and of one archive. Nothing is put anywhere.

    `checkpoints` are files with checkpoints that somebody holds: the newest
    tells how far the ledger had come; so do those that were `published`.
    """
    of_data, of_keys = sets.read(data, sets.DATA), sets.read(keys, sets.KEYS)
    sets.must_belong_together(of_data, of_keys)
    for folder, manifest in ((data, of_data), (keys, of_keys)):
        sets.must_be_as_written(folder, manifest)
    for manifest, keyring in ((of_data, False), (of_keys, True)):
        _must_be_known(manifest, keyring=keyring)
    logs = max(of_data.logs, of_keys.logs, key=len)
    after = later.look(keys, of_keys, logs)
    known = [
        Known(one.logs[-1].origin, one.size, one.root, f"the {one.kind} set") for one in (of_data, of_keys)
    ]
    known += after.known
    for file in checkpoints:
        try:
            note = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise epochs.NotACheckpoint(f"{file} cannot be read: {error}") from error
        known.append(epochs.read(note, logs, of_data.agency.domain, file.name))
    known += [epochs.read(note, logs, of_data.agency.domain, "the bucket") for note in published]
    gone = disposed.together(disposed.read(keys / disposed.FILE), *after.disposed)
    return Sets(data, keys, of_data, of_keys, known, gone)


def _must_be_known(manifest: Manifest, *, keyring: bool) -> None:
    """Raise `NewerBackup` where this program does not know the form of the copied database."""
    revision = manifest.database.get("revision", "")
    if not leads_on_from(revision, keyring=keyring):
        raise NewerBackup(
            f"the {manifest.kind} set was made by version {manifest.program}, of a form that this program does not know",
            next="Restore it with that version, or a newer one.",
        )


# -- the place ---------------------------------------------------------------------------------------------


def must_not_be_half_restored(home: Path) -> None:
    """Raise `RestoreUnfinished` where a restore into this data folder was broken off."""
    if (home / MARK).exists():
        raise RestoreUnfinished(
            f"a restore into {home} was broken off",
            next="Run `muniment restore` again with the same sets; it begins anew.",
        )


def claim(place: Place, of: Sets) -> None:
    """Mark an empty place as being restored to; what an earlier try with the same sets left there is cleared away.

    Raises `PlaceTaken` where anything else lies there.
    """
    for manifest, database in ((of.of_data, place.database), (of.of_keys, place.keyring)):
        if manifest.database["kind"] != copies.kind_of(database):
            raise Refused(
                f"the {manifest.kind} set is a copy from {manifest.database['kind']}, the settings name {copies.kind_of(database)}",
                next="Restore into the same kind of database that the backup was made from.",
            )
    told = {"data": of.of_data.backup.hex, "keys": of.of_keys.backup.hex}
    mark = place.home / MARK
    if mark.exists():
        if _marked(mark) != told:
            raise PlaceTaken(
                f"a restore of other sets into {place.home} was broken off",
                next="Go on with those sets, or empty the folder and the databases.",
            )
        _clear(place, mark)
        return
    coming = mark.with_name(f"{MARK}.part")
    coming.unlink(missing_ok=True)
    _must_be_empty(place)
    with sets.full_disk(place.home):
        place.home.mkdir(parents=True, exist_ok=True)
        coming.write_text(json.dumps(told))
        coming.replace(mark)
        sets.sync(place.home)


def _marked(mark: Path) -> object:
    try:
        return json.loads(mark.read_text())
    except ValueError:
        return None


def _must_be_empty(place: Place) -> None:
    try:
        sets.must_be_free(place.home)
        if place.objects is not None:
            sets.must_be_free(place.objects)
    except FolderNotEmpty as error:
        raise PlaceTaken(
            str(error), next="Set MUNIMENT_HOME to an empty folder, and keep what lies there."
        ) from error
    for what, database in (("database", place.database), ("keyring's database", place.keyring)):
        if not copies.is_empty(database):
            raise PlaceTaken(
                f"the {what} is not empty", next="Make an empty one, and name it in the settings."
            )
    if place.master_key.exists():
        raise PlaceTaken(
            f"{place.master_key} is there already",
            next="Move it away and keep it; the keys set brings the one that belongs to it.",
        )


def _clear(place: Place, mark: Path) -> None:
    """Take out whatever a restore that was broken off put here; the place was empty when it began."""
    copies.empty(place.database)
    copies.empty(place.keyring)
    place.master_key.unlink(missing_ok=True)
    if place.objects is not None and place.objects.exists():
        sets.clear(place.objects)
    sets.clear(place.home, but=mark.name)


def put(place: Place, of: Sets, *, with_damage: bool, point: Callable[[str], None]) -> list[fixity.Finding]:
    """Put everything in its place. Raises `BackupAltered` where an object is damaged, unless told to go on `with_damage`."""
    with sets.full_disk(place.home):
        place.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.master_key.parent.mkdir(parents=True, exist_ok=True)
        copies.put_back(of.data / of.of_data.database["file"], place.database)
        point("after-database")
        copies.put_back(of.keys / of.of_keys.database["file"], place.keyring)
        shutil.copyfile(of.keys / taking.MASTER, place.master_key)
        place.master_key.chmod(0o600)
        point("after-keyring")
        found = _put_objects(place, of, point)
    if found and not with_damage:
        raise BackupAltered(
            f"{len(found)} objects are missing or damaged, the first is {found[0].where}",
            next="Look for another backup that has them. `--with-damage` restores everything else.",
        )
    return found


def _put_objects(place: Place, of: Sets, point: Callable[[str], None]) -> list[fixity.Finding]:
    if place.objects is None:
        return []
    found: list[fixity.Finding] = []
    known = set(of.of_data.told["objects"]["damaged"])
    in_set = of.data / taking.OBJECTS
    place.objects.mkdir(parents=True, exist_ok=True)
    for digest, size in taking.listed(of.data / taking.OBJECT_LIST):
        file = taking.lies_at(place.objects, digest)
        file.parent.mkdir(exist_ok=True)
        try:
            taking.copy_object(taking.lies_at(in_set, digest), digest, size, file)
        except (ObjectMissing, FixityMismatch) as error:
            said = "the archive had lost it before the backup" if digest in known else str(error)
            found.append(fixity.Finding(error.code, said, digest, _NEXT))
        point("during-objects")
    return found


def missing(store: Store, of: Sets) -> list[fixity.Finding]:
    """The objects of the list that are not in the bucket: whatever lies in a bucket is copied by nobody."""
    held: Objects = store.objects
    if isinstance(held, Folder):
        return []
    there = {name.hex() for name in held.names()}
    return [
        fixity.Finding(ObjectMissing.code, "the bucket does not hold an object of the backup", digest, _NEXT)
        for digest, _ in taking.listed(of.data / taking.OBJECT_LIST)
        if digest not in there
    ]


# -- before anything serves --------------------------------------------------------------------------------


def must_open(keyring: Keyring, of: Sets) -> None:
    """Raise `KeyMissing` unless the keyring opens, and holds the very key that signed both lists."""
    log = of.of_keys.logs[-1]
    name = f"ledger/{log.origin}"
    if not keyring.has_named(name):
        raise KeyMissing(f"the keyring of the keys set does not hold the key of {log.origin}")
    if Signer(log.origin, keyring.named(name)).verifier().line() != log.vkey:
        raise BackupAltered(
            "the keys set is not signed with the key that lies in it", next="Name the set of this archive."
        )


def settle(
    store: Store,
    of: Sets,
    *,
    by: UUID | None,
    why: str,
    nothing_since: bool,
    point: Callable[[str], None],
) -> Restored:
    """Say whether the ledger goes on, end what the old process was in the middle of, and note the restore itself.

    The entry that begins a new epoch is the first that is written. What was
    disposed of is carried out again afterwards, by disposition.
    """
    now = store.clock.now()
    with store.database.read() as tx:
        reached = store.ledger.size(tx)
    said = of.of_data.told["ledger"]
    if (reached, store.ledger.root(reached).hex()) != (said["size"], said["root"]):
        raise BackupAltered("the ledger in the data set is not the one that its list speaks of")
    known = [*of.known, *_known_to(store)]
    log = of.of_data.logs[-1]
    fate = epochs.decide(
        log,
        reached,
        store.ledger.root,
        known,
        age=_age(of, now),
        nothing_since=nothing_since,
        has_key=store.keyring.has_named(f"ledger/{log.origin}"),
    )
    told = {
        "data": of.of_data.backup.hex,
        "data_of": of.of_data.at.isoformat(),
        "keys": of.of_keys.backup.hex,
        "keys_of": of.of_keys.at.isoformat(),
    }
    restored = Restored(store)
    if isinstance(fate, Begins):
        restored.store = store = epochs.begin(
            store, log, fate, {**told, "statement": _statement(fate)}, by=by, why=why
        )
        restored.lost, restored.begun = (fate.lost_from, fate.lost_to), fate.why
        point("after-epoch")
    with store.database.begin() as tx:
        store.ledger.act(
            tx,
            "backup",
            by=by,
            why=why,
            facts={"backup": of.of_data.backup.hex, "act": "restored", "keys": of.of_keys.backup.hex},
            detail=told,
            subject=of.of_data.backup,
        )
        _end_what_was_under_way(tx)
        kept.done(tx, of.of_data.backup, of.of_data.at)
        kept.done(tx, of.of_keys.backup, of.of_keys.at)
        kept.learn(tx, _copies(of))
    point("after-settled")
    return restored


def _age(of: Sets, now: datetime) -> timedelta:
    """How long ago the archive was last seen, by whichever set is the newer."""
    return now - max(of.of_data.at, of.of_keys.at)


def _known_to(store: Store) -> list[Known]:
    """What the restored keyring knows to be signed."""
    found = store.keyring.largest_signed(store.ledger.origin)
    return [Known(store.ledger.origin, found[0], found[1], "the keyring")] if found else []


def _statement(fate: Begins) -> str:
    """What happened, for whoever opens the entry."""
    if fate.lost_to is not None:
        lost = (
            f"entries {fate.lost_from} to {fate.lost_to - 1} of {fate.last.origin} were signed and are lost"
        )
    else:
        lost = f"it is not known whether {fate.last.origin} had entries from {fate.lost_from} on"
    return (
        f"The archive was restored from a backup; {lost}. No checkpoint is signed under that name any more."
    )


def _copies(of: Sets) -> list[KeyCopy]:
    """The copies of the keys that the keys set knows of, itself among them."""
    found = [
        KeyCopy(
            backup=UUID(hex=one["backup"]),
            at=datetime.fromisoformat(one["at"]),
            done=one["done"],
            place=one["place"],
            epoch=one["epoch"],
            destroyed=one["destroyed"],
        )
        for one in of.of_keys.told["copies"]
    ]
    return [one for one in found if not one.destroyed]


def _end_what_was_under_way(tx: Tx) -> None:
    """Nobody runs what the old process was running: leases end, and so do sessions and links that reset passwords.

    A run that says it is running is ended, with its gap, by the next run of
    its page, as after any crash.
    """
    tx.execute(update(pages).values(lease_owner=None, lease_until=None))
    tx.execute(update(lanes).values(lease_owner=None, lease_until=None))
    tx.execute(update(renewals).values(owner=None))
    tx.execute(delete(passes).where(passes.c.kind.in_(_SESSIONS)))


def look(store: Store) -> list[fixity.Finding]:
    """What is not as it should be: a secret that is missing for no lawful reason, an entry or a disposal that does not agree."""
    wanted = {"ledger", "entries", "keyring", "disposals"}
    store.ledger.give_out()
    return fixity.verify(store, full=False, wanted=lambda name: name in wanted).findings


def finish(home: Path) -> None:
    """Take the mark away: from here on the archive opens."""
    (home / MARK).unlink()
    sets.sync(home)


def unopened(error: IntegrityFailure, what: str) -> fixity.Finding:
    """A failure as a finding, where the rest goes on."""
    return fixity.Finding(error.code, str(error), what, error.next or _NEXT)

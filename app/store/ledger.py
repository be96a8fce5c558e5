"""The ledger: an append-only, numbered list of entries that a Merkle tree makes provable.

An entry is written in the same transaction as the rows that it speaks of; its
index is given last, under one lock, so that no follower can skip one. It holds
random ids, a time and commitments, never content or names. Checkpoints are
signed over it; one that would contradict an earlier one is never signed.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select

from app.db import Database, Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.records.clock import Clock
from app.records.errors import IntegrityFailure, NotFound
from app.records.ids import new_ids
from app.store import folders, merkle
from app.store.canonical import Json, canonical, plain
from app.store.keyring import KeyMissing, Keyring
from app.store.note import Checkpoint, NoteBroken, Signer, Verifier, opened, proof_text
from app.store.sealing import derive, new_secret, seal, unseal
from app.store.tables import acts, checkpoints, entries, forgotten, ledger_epochs
from app.store.tiles import WIDTH, TileBroken, Tiles, TreeAt, last_tile

LONGEST_ENTRY = 65_535
DISPOSED_WITH = "disposed of together with a record that it named"
"""What is told in the place of an act's words, where they went with a disposal."""
_ASK, _OWNERS = 10_000, 500
_LAST = select(func.max(entries.c.index))
_NEWEST_CHECKPOINTS = 100
T = TypeVar("T")


class LedgerBroken(IntegrityFailure):
    """The ledger is not what it was: an entry was altered, or it is shorter than a checkpoint already signed."""

    code = "ledger-broken"


class NoSuchEntry(NotFound):
    """The ledger has no entry of that index."""

    code = "no-such-entry"


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what, when and why: the detail that an entry commits to."""

    entry: int
    type: str
    at: datetime
    officer: UUID | None
    subject: UUID | None
    why: str
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Ended:
    """An epoch of the ledger that a restore ended: it never signs again, and what it signed stays verifiable.

    Of its entries `reached` are still here; the epoch after it goes on from
    there. `size` and `root` are the last checkpoint known to have been signed.
    `succession` is the last thing that its key signed: the key after it.
    """

    number: int
    origin: str
    verifier: Verifier
    reached: int
    size: int
    root: bytes
    entry: int
    succession: str


@dataclass(frozen=True, slots=True)
class Deed:
    """Something about to be written down: by whom, why, and what of it may stand in the clear."""

    type: str
    by: UUID | None
    why: str
    facts: Mapping[str, Json]
    detail: Mapping[str, object]
    subject: UUID | None


@dataclass(frozen=True, slots=True)
class Damage:
    """A file made of the ledger that was not what its entries give: its name in the ledger's folder, and what was wrong."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found when every entry was read: wrong with the ledger itself, and with the files made of it."""

    wrong: list[str]
    damaged: list[Damage]


class Ledger:
    """The archive's ledger; its signing key lies in the keyring."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path, origin: str, clock: Clock) -> None:
        self.database, self.keyring, self.origin, self.clock = database, keyring, origin, clock
        self.tiles = Tiles(folder)
        self.folder = folder
        self.signed: Callable[[str], None] | None = None
        """Told of each checkpoint as soon as it is signed; whatever goes wrong there is its own business."""

    # -- writing -------------------------------------------------------------------------------------------

    def append(self, tx: Tx, bodies: Sequence[bytes]) -> int:
        """Write entries; return the index of the first. Other writers wait until this transaction ends."""
        lock_ledger(tx)
        first = self.size(tx)
        insert_rows(tx, entries, ("index", "body"), list(enumerate(bodies, start=first)))
        return first

    def act(
        self,
        tx: Tx,
        type: str,
        *,
        by: UUID | None,
        why: str,
        facts: Mapping[str, Json] | None = None,
        detail: Mapping[str, object] | None = None,
        subject: UUID | None = None,
    ) -> int:
        """Write one entry for something that was done; `facts` stand in the clear, all else is committed.

        `facts` MUST hold random ids, counts and digests only.
        """
        return self.act_each(tx, [Deed(type, by, why, facts or {}, detail or {}, subject)])

    def act_each(self, tx: Tx, deeds: Sequence[Deed]) -> int:
        """Write an entry for each of several things that were done; return the first one's index."""
        at = self.clock.now()
        owners = new_ids(len(deeds))
        secrets = {owner: new_secret() for owner in owners}
        told = [
            canonical(
                {"by": deed.by.hex if deed.by else None, "why": deed.why, "detail": plain(dict(deed.detail))}
            )
            for deed in deeds
        ]
        self.keyring.keep(secrets)
        bodies = [
            canonical(
                {
                    **deed.facts,
                    "v": 1,
                    "type": deed.type,
                    "ts": timestamp(at),
                    "c": act_commitment(secrets[owner], text).hex(),
                }
            )
            for deed, owner, text in zip(deeds, owners, told, strict=True)
        ]
        first = self.append(tx, bodies)
        rows = [
            {
                "entry": first + number,
                "type": deed.type,
                "at": to_instant(at),
                "officer": deed.by.bytes if deed.by else None,
                "subject": deed.subject.bytes if deed.subject else None,
                "secret": owner,
                "sealed": seal(secrets[owner], b"act", text),
            }
            for number, (deed, owner, text) in enumerate(zip(deeds, owners, told, strict=True))
        ]
        if rows:
            tx.execute(insert(acts), rows)
        return first

    # -- reading -------------------------------------------------------------------------------------------

    def size(self, tx: Tx) -> int:
        """How many entries there are."""
        last = tx.execute(_LAST).scalar()
        return 0 if last is None else last + 1

    def size_now(self) -> int:
        """How many entries there are, asked by itself."""
        last = self.database.glance(_LAST)
        return 0 if last is None else int(last) + 1

    def entry(self, tx: Tx, index: int) -> bytes:
        """The exact bytes of an entry, or `NoSuchEntry`."""
        body = tx.execute(select(entries.c.body).where(entries.c.index == index)).scalar()
        if body is None:
            raise NoSuchEntry(f"the ledger has no entry {index}")
        return bytes(body)

    def bodies(self, start: int, end: int) -> Iterator[bytes]:
        """The entries from `start` to `end` (half open), in bounded memory."""
        for low in range(start, end, _ASK):
            with self.database.read() as tx:
                asked = (
                    select(entries.c.index, entries.c.body)
                    .where(entries.c.index >= low, entries.c.index < min(low + _ASK, end))
                    .order_by(entries.c.index)
                )
                found = tx.execute(asked).all()
            for expected, (index, body) in enumerate(found, start=low):
                if index != expected:
                    raise LedgerBroken(f"entry {expected} is missing")
                if not isinstance(body, bytes):  # SQLite keeps what it is given, text among bytes too
                    raise LedgerBroken(f"entry {expected} is not the bytes that it was")
                yield body
            if len(found) != min(low + _ASK, end) - low:
                raise LedgerBroken(f"entries are missing after {low + len(found) - 1}")

    def acts(self, tx: Tx, *, subject: UUID | None = None, after: int = -1, limit: int = 100) -> list[Act]:
        """What was done, newest first, with its detail."""
        asked = select(acts).where(acts.c.entry > after).order_by(acts.c.entry.desc()).limit(limit)
        if subject:
            asked = asked.where(acts.c.subject == subject.bytes)
        found = tx.execute(asked).all()
        told = []
        for row, value in zip(found, act_words(self.keyring, tx, found), strict=True):
            told.append(
                Act(
                    entry=row.entry,
                    type=row.type,
                    at=from_instant(row.at),
                    officer=UUID(bytes=bytes(row.officer)) if row.officer else None,
                    subject=UUID(bytes=bytes(row.subject)) if row.subject else None,
                    why=value["why"],
                    detail=value["detail"],
                )
            )
        return told

    # -- checkpoints and proofs ----------------------------------------------------------------------------

    def signer(self) -> Signer:
        name = f"ledger/{self.origin}"
        if not self.keyring.has_named(name) and self.keyring.largest_signed(self.origin) is not None:
            raise KeyMissing(
                f"the key with which {self.origin} signs is not in the keyring",
                next="Restore the newest key backup; another key would sign for nobody.",
            )
        return Signer(self.origin, self.keyring.named(name))

    def verifier(self) -> Verifier:
        """The public key that checkpoints are checked with, those of this epoch."""
        return self.signer().verifier()

    def ended(self, tx: Tx) -> list[Ended]:
        """The epochs that a restore ended, the oldest first."""
        return [
            Ended(
                row.number,
                row.origin,
                Verifier.parse(row.vkey),
                row.reached,
                row.size,
                bytes(row.root),
                row.entry,
                row.succession,
            )
            for row in tx.execute(select(ledger_epochs).order_by(ledger_epochs.c.number))
        ]

    def verifier_at(self, tx: Tx, size: int) -> Verifier:
        """The public key of the epoch in which a checkpoint of `size` entries was signed."""
        return self._signed_by(self.ended(tx), size)

    def _signed_by(self, ended: Sequence[Ended], size: int) -> Verifier:
        """An epoch begins with an entry of its own: checkpoints of up to `reached` entries are of the one before."""
        return next((epoch.verifier for epoch in ended if size <= epoch.reached), None) or self.verifier()

    def checkpoint(self) -> str:
        """Sign the ledger as it stands, or return the checkpoint that already says so.

        Refuses with `LedgerBroken` when the ledger is behind, or contradicts,
        the largest checkpoint that was ever signed.
        """
        signed = self._largest()  # before the size: another process may sign a larger one at any moment
        with self.database.read() as tx:
            size = self.size(tx)
            latest = tx.execute(
                select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
            ).one_or_none()
        self._refuse_to_contradict(size, signed)
        if latest is not None and latest.size == size:
            self._give_out(size, str(latest.note))
            return str(latest.note)
        root, signer = self._root(size), self.signer()
        self.keyring.note_signed(self.origin, size, root)
        note = signer.sign(Checkpoint(self.origin, size, root).text())
        with self.database.begin() as tx:
            lock_ledger(tx)
            if tx.execute(select(checkpoints.c.size).where(checkpoints.c.size == size)).scalar() is None:
                tx.execute(
                    insert(checkpoints).values(
                        size=size, root=root, signed_at=to_instant(self.clock.now()), note=note
                    )
                )
        self._give_out(size, note)
        if self.signed is not None:
            self.signed(note)
        return note

    def give_out(self) -> None:
        """Let the file that others read say what was signed last, where only the database was put back."""
        with self.database.read() as tx:
            latest = tx.execute(select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).first()
        if latest is not None:
            self._give_out(latest.size, str(latest.note))

    def _give_out(self, size: int, note: str) -> None:
        """Let the file that others read say so, unless it says a larger one already; one that was lost or damaged is made anew."""
        with self._alone():
            said = self._said()
            if said is None or said.size < size:
                self._put("checkpoint", note)

    def _refuse_to_contradict(self, size: int, signed: tuple[int, bytes] | None) -> None:
        """Compare the entries with the largest checkpoint that is known to have been signed."""
        if signed is not None and signed[0] > size:
            raise LedgerBroken(
                f"the ledger has {size} entries, but a checkpoint of {signed[0]} was signed",
                next="An older copy of the database was put in place. Restore the newest one; nothing is signed until then.",
            )
        self.catch_up(size, since=signed[0] if signed else 0)
        if signed is None or self._root(signed[0]) == signed[1]:
            return
        self.rebuild()  # tiles are derived: what was signed is held against the entries themselves
        if self._root(signed[0]) != signed[1]:
            raise LedgerBroken(
                f"the first {signed[0]} entries are not those that were signed",
                next="Entries were altered. Keep this copy as evidence and restore the newest backup.",
            )

    def _largest(self) -> tuple[int, bytes] | None:
        """The largest checkpoint ever signed: as the keyring remembers it, or the file that was given out."""
        said = self._said()
        known = [self.keyring.largest_signed(self.origin), (said.size, said.root) if said else None]
        return max((one for one in known if one is not None), default=None, key=lambda one: one[0])

    def _said(self) -> Checkpoint | None:
        """The checkpoint in the ledger's folder; one that we did not sign says nothing."""
        try:
            said = Checkpoint.parse(opened((self.folder / "checkpoint").read_text(), self.verifier()))
        except (FileNotFoundError, UnicodeDecodeError, NoteBroken):
            return None
        return said if said.origin == self.origin else None

    def catch_up(self, size: int, *, since: int | None = None) -> None:
        """Make the tiles complete up to `size` entries; those that were lost, or are of another past, are made anew.

        With `since`, whatever comes after that many entries is read again.
        """
        with self._alone():
            self.tiles.mend()
            done = self._tiled() if since is None else min(self._tiled(), since)
            if not self._are_ours(done):
                self._make_anew(size)
            elif done < size:
                try:
                    self.tiles.extend(done, size, self.bodies(last_tile(done) * WIDTH, size))
                    self._put("size", str(size))
                except TileBroken:
                    self._make_anew(size)

    def rebuild(self) -> list[Damage]:
        """Make every tile anew from the entries; return those that were not what their entries give."""
        with self._alone():
            with self.database.read() as tx:
                size = self.size(tx)
            return self._make_anew(size)

    def _make_anew(self, size: int) -> list[Damage]:
        """Make the tiles beside the living ones, hold them against one another as far as there were any, then swap them."""
        beside = self.folder / "anew"
        shutil.rmtree(beside, ignore_errors=True)
        fresh = Tiles(beside)
        fresh.extend(0, size, self.bodies(0, size))
        done = min(self._tiled(), size)
        found = [Damage(name, f"{name} {what}") for name, what in self.tiles.differing(fresh, done)]
        self.tiles.replace(fresh)
        folders.sync(self.folder)
        self._put("size", str(size))
        shutil.rmtree(beside, ignore_errors=True)
        return found

    def _are_ours(self, done: int) -> bool:
        """Whether the last of `done` tiled entries are those of the database, which may be an older or another copy."""
        begin = last_tile(done) * WIDTH
        try:
            hashes = b"".join(merkle.leaf_hash(body) for body in self.bodies(begin, done))
            return not done or self.tiles.tile(0, last_tile(done), done - begin) == hashes
        except (LedgerBroken, TileBroken):
            return False

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that entry `index` is in the ledger of `size` entries."""
        self.catch_up(size)
        return self._from_tree(size, lambda tree: merkle.inclusion(tree, index, size))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the ledger of `new` entries begins with that of `old`."""
        self.catch_up(new)
        return self._from_tree(new, lambda tree: merkle.consistency(tree, old, new))

    def proof(self, index: int) -> str:
        """A `tlog-proof` of one entry under a checkpoint signed now.

        It is checked before it is handed out: an entry that is not the one
        that was signed raises `LedgerBroken`.
        """
        with self.database.read() as tx:
            leaf = merkle.leaf_hash(self.entry(tx, index))
        note = self.checkpoint()
        said = Checkpoint.parse(opened(note, self.verifier()))
        for last in (False, True):
            found = self.inclusion(index, said.size)
            if merkle.check_inclusion(leaf, index, said.size, found, said.root):
                return proof_text(index, found, note)
            if not last:
                self.rebuild()
        raise LedgerBroken(
            f"entry {index} is not the one that was signed",
            next="Entries were altered. Keep this copy as evidence and restore the newest backup.",
        )

    def root(self, size: int) -> bytes:
        """The root of the tree over the first `size` entries."""
        self.catch_up(size)
        return self._root(size)

    def _root(self, size: int) -> bytes:
        return self._from_tree(size, lambda tree: merkle.root(tree, size))

    def _from_tree(self, size: int, read: Callable[[TreeAt], T]) -> T:
        """Read from the tree as it stood at `size`; where tiles are lost, they are made anew first."""
        try:
            return read(self.tiles.at(size))
        except TileBroken:
            self.rebuild()
            return read(self.tiles.at(size))

    def verify(self) -> list[str]:
        """Read every entry and say what is wrong: with the tree, and with every checkpoint ever signed."""
        return self.examine().wrong

    def examine(self) -> Examined:
        """Read every entry; say what is wrong with the ledger, and which files made of it were damaged.

        Those files are made anew: what they hold is derived, and nothing is
        signed or proven by them alone.
        """
        wrong: list[str] = []
        with self._alone():
            self.tiles.mend()
            damaged = self._files()
        largest = self._largest()
        with self.database.read() as tx:
            size = self.size(tx)
            signed = tx.execute(select(checkpoints).order_by(checkpoints.c.size)).all()
            ended = self.ended(tx)
            wrong += [said for epoch in ended for said in self._epoch(tx, epoch)]
        try:
            damaged = self.rebuild() + damaged
        except IntegrityFailure as error:
            return Examined([str(error)], damaged)
        if signed and any(one.name == "checkpoint" for one in damaged):
            self._give_out(signed[-1].size, str(signed[-1].note))
        for row in signed:
            by = self._signed_by(ended, row.size)
            wrong += self._checked(row.size, bytes(row.root), str(row.note), size, by)
        if largest and largest[0] > size:
            wrong.append(f"a checkpoint of {largest[0]} entries was signed, the ledger has {size}")
        elif largest and self._root(largest[0]) != largest[1]:
            wrong.append(f"the first {largest[0]} entries are not those that were signed")
        return Examined(wrong, damaged)

    def _files(self) -> list[Damage]:
        """What is wrong with the two files that say how far the tiles go, and what was signed last."""
        found: list[Damage] = []
        with self.database.read() as tx:
            notes = {str(note) for note in tx.execute(select(checkpoints.c.note)).scalars()}
        try:
            said = (self.folder / "checkpoint").read_bytes()
            if said not in {note.encode() for note in notes}:
                found.append(Damage("checkpoint", "checkpoint holds nothing that was signed here"))
        except FileNotFoundError:
            if (
                len(notes) > 1
            ):  # a crash after the first was signed leaves none, and the next one gives it out
                found.append(Damage("checkpoint", "checkpoint is missing"))
        tiled = self._tiled()
        if (self.folder / "size").exists():
            with self.database.read() as tx:
                size = self.size(tx)
            # Tiles of no entry are what they were made of, unless something was signed since.
            if not tiled and size and (len(notes) > 1 or not self._is_number("size")):
                found.append(Damage("size", "size does not say how far the tiles go"))
            elif tiled > size:
                found.append(Damage("size", f"size speaks of {tiled} entries, the ledger has {size}"))
        elif len(notes) > 1:
            found.append(Damage("size", "size is missing"))
        return found

    def verify_some(self, first: int, last: int) -> list[str]:
        """Read entries from `first` up to but not with `last` against the tree that was signed; say what is wrong.

        The tiles over them are checked one against the other up to the root,
        and the root against the newest checkpoints. Where anything differs,
        everything is read, as `verify` does.
        """
        with self.database.read() as tx:
            size = self.size(tx)
            signed = tx.execute(
                select(checkpoints).order_by(checkpoints.c.size.desc()).limit(_NEWEST_CHECKPOINTS)
            ).all()
            ended = self.ended(tx)
        last = min(last, size)
        try:
            self.catch_up(size)
            same = all(self._same(number, size) for number in range(first // WIDTH, -(-last // WIDTH)))
        except IntegrityFailure:
            same = False
        if not same or any(
            self._checked(row.size, bytes(row.root), str(row.note), size, self._signed_by(ended, row.size))
            for row in signed
        ):
            examined = self.examine()
            return examined.wrong + [one.what for one in examined.damaged]
        return []

    def _epoch(self, tx: Tx, ended: Ended) -> list[str]:
        """What is wrong with the row of an epoch that ended: the entry that began the next one says the same."""
        try:
            told = msgspec.json.decode(self.entry(tx, ended.entry))
        except (NoSuchEntry, msgspec.DecodeError):
            told = {}
        said = [told.get(name) for name in ("type", "after", "reached", "size", "root")]
        if said != ["epoch", ended.origin, ended.reached, ended.size, ended.root.hex()]:
            return [f"entry {ended.entry} does not say that {ended.origin} ended as its row has it"]
        return []

    def _same(self, number: int, size: int) -> bool:
        """Whether a tile has the hashes of its entries, and the tiles above it those of what lies below them."""
        begin = number * WIDTH
        width = min(WIDTH, size - begin)
        row = [merkle.leaf_hash(body) for body in self.bodies(begin, begin + width)]
        if self.tiles.tile(0, number, width) != b"".join(row):
            return False
        level = 0
        while width == WIDTH:
            told = merkle.fold(row)
            level, place, number = level + 1, number % WIDTH, number // WIDTH
            width = min(WIDTH, (size >> (8 * level)) - number * WIDTH)
            above = self.tiles.tile(level, number, width)
            row = [above[start : start + 32] for start in range(0, len(above), 32)]
            if row[place] != told:
                return False
        return True

    def _checked(self, at: int, root: bytes, note: str, size: int, by: Verifier) -> list[str]:
        try:
            said = Checkpoint.parse(opened(note, by))
        except NoteBroken as error:
            return [f"the checkpoint of {at} entries: {error}"]
        if (said.size, said.root, said.origin) != (at, root, by.name):
            return [f"the checkpoint of {at} entries says something else than its row"]
        if at > size:
            return [f"a checkpoint of {at} entries was signed, the ledger has {size}"]
        if self._root(at) != root:
            return [f"the first {at} entries are not those of the checkpoint"]
        return []

    def _tiled(self) -> int:
        """How many entries the tiles say that they hold; a file that a crash left empty says none."""
        try:
            told = (self.folder / "size").read_text()
        except (FileNotFoundError, UnicodeDecodeError):
            return 0
        return int(told) if told.isascii() and told.isdigit() else 0

    def _is_number(self, name: str) -> bool:
        """Whether a file of the ledger's folder holds a number, and nothing else."""
        told = (self.folder / name).read_bytes()
        return told.isdigit()

    def _put(self, name: str, text: str) -> None:
        """Write a file of the ledger's folder whole, or not at all; it is safe on the disk when this returns."""
        coming = self.folder / f"{name}.new"
        with coming.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        coming.replace(self.folder / name)
        folders.sync(self.folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other thread and no other process writes to the ledger's folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / "lock", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def act_words(keyring: Keyring, tx: Tx, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What acts say (`by`, `why`, `detail`), in the order of their rows, which have `secret` and `sealed`.

    Of one that named what was disposed of there is left only that it went with
    it. Raises `KeyMissing` where a secret is gone and no disposal took it.
    """
    owners = [bytes(row.secret) for row in rows]
    secrets = keyring.secrets(owners)
    missing = [owner for owner in owners if owner not in secrets]
    for start in range(0, len(missing), _OWNERS):
        part = missing[start : start + _OWNERS]
        went = set(tx.execute(select(forgotten.c.owner).where(forgotten.c.owner.in_(part))).scalars())
        if lost := [owner for owner in part if owner not in went]:
            raise KeyMissing(f"the keyring has no secret for {lost[0].hex()}")
    return [
        msgspec.json.decode(unseal(secrets[owner], b"act", bytes(row.sealed)))
        if owner in secrets
        else {"by": None, "why": DISPOSED_WITH, "detail": {}}
        for owner, row in zip(owners, rows, strict=True)
    ]


def act_commitment(secret: bytes, told: bytes) -> bytes:
    """The commitment to an act's detail: as a record's, with the salt that its secret gives."""
    return hashlib.sha256(
        b"act-commit/v1\n" + derive(secret, b"salt") + hashlib.sha256(told).digest()
    ).digest()


def keyed(key: bytes, *parts: bytes) -> bytes:
    """A 16-byte look-up value that says nothing without `key`."""
    return hmac.digest(key, b"\x00".join(parts), "sha256")[:16]

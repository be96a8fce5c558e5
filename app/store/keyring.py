"""The keyring: one random secret a record, in a database of its own, wrapped by the key of an epoch.

What a record's secret opens is gone when the secret is destroyed and the
epoch is rotated: rotation wraps what is left under a new key and destroys the
old one, which reaches write-ahead logs, dead rows and old copies of this
database alike. Epoch keys live in a file of their own and are random; nothing
derives them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from app.db import Database, Tx
from app.records.errors import IntegrityFailure
from app.store.sealing import new_secret

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

secrets_table = Table(
    "secrets",
    metadata,
    Column("owner", LargeBinary(16), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
named_table = Table(
    "named",
    metadata,
    Column("name", String(300), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
signed_table = Table(
    "signed",
    metadata,
    Column("origin", String(300), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)
"""The largest checkpoint that was ever signed: the second place that a rolled-back ledger is noticed by."""

_NONCE = 12
_ASK = 500
_PART = 5_000
_LOCK = 0x4D554E4B
"""The advisory lock that keeps a rotation and new secrets apart on PostgreSQL ("MUNK")."""
_WRAPPED: tuple[tuple[Table, Column[bytes] | Column[str]], ...] = (
    (secrets_table, secrets_table.c.owner),
    (named_table, named_table.c.name),
)


class KeyMissing(IntegrityFailure):
    """The keyring has no secret for something that was not disposed of, or its epoch's key is gone."""

    code = "key-missing"


_LOOKS = 100
"""So often a file that is replaced while it is read is read again."""


class MasterKeys:
    """The epoch keys, in one file that only its owner can read.

    Another process may rotate at any moment: before a key is chosen to wrap
    with, and where one is missing, the file is looked at again.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._keys: dict[int, bytes] = {}
        self._read: tuple[int, int] | None = None
        self._look()

    @classmethod
    def create(cls, file: Path) -> MasterKeys:
        """Make the file with the key of the first epoch; one that exists is left as it is."""
        keys = cls(file)
        if not keys._keys:
            keys.add()
        return keys

    def current(self) -> int:
        self._look()
        if not self._keys:
            raise KeyMissing(
                f"no epoch key is in {self.file}",
                next="Put the master key file back; without it nothing can be read.",
            )
        return max(self._keys)

    def epochs(self) -> list[int]:
        """The epochs whose keys are there, oldest first."""
        self._look()
        return sorted(self._keys)

    def cipher(self, epoch: int) -> AESGCM:
        if epoch not in self._keys:
            self._look()
        try:
            return AESGCM(self._keys[epoch])
        except KeyError as error:
            raise KeyMissing(
                f"the key of epoch {epoch} is not in {self.file}",
                next="Put the master key file back that belongs to this keyring.",
            ) from error

    def held(self) -> dict[int, bytes]:
        """The epoch keys themselves: for the copy that a backup of the keys takes."""
        self._look()
        return dict(self._keys)

    def hold(self, keys: Mapping[int, bytes]) -> None:
        """Hold these keys too: how the copy's own file is written."""
        self._look()
        self._write({**self._keys, **keys})

    def add(self) -> int:
        """Make the key of the next epoch and return its number."""
        self._look()
        epoch = max(self._keys, default=0) + 1
        self._write({**self._keys, epoch: new_secret()})
        return epoch

    def destroy(self, epochs: Sequence[int]) -> None:
        """Forget the keys of these epochs, in the file and in the blocks where the file lay."""
        self._look()
        self._write({epoch: key for epoch, key in self._keys.items() if epoch not in epochs})

    def _look(self) -> None:
        """Read the file unless it is the one that was read last.

        One that is replaced while it is read is overwritten, and unreadable
        then: it is the one that took its place that counts.
        """
        for _ in range(_LOOKS):
            found: os.stat_result | None = None
            try:
                with self.file.open("rb") as file:
                    found = os.fstat(file.fileno())
                    if self._read == (found.st_ino, found.st_mtime_ns):
                        return
                    told = json.loads(file.read())["epochs"]
                    self._keys = {int(epoch): bytes.fromhex(key) for epoch, key in told.items()}
                    self._read = (found.st_ino, found.st_mtime_ns)
                    return
            except FileNotFoundError:
                return
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                if found is not None and self._replaced(found):
                    continue
                raise self._unreadable() from error
        raise self._unreadable()

    def _replaced(self, read: os.stat_result) -> bool:
        """Whether another file has taken the place of the one that was read."""
        try:
            return not os.path.samestat(read, self.file.stat())
        except OSError:
            return False

    def _unreadable(self) -> KeyMissing:
        return KeyMissing(
            f"{self.file} cannot be read as epoch keys",
            next="Put the master key file back from the newest key backup.",
        )

    def _write(self, keys: Mapping[int, bytes]) -> None:
        """Put the file in place whole, then overwrite the one before, so that nothing destroyed stays in its blocks.

        Until the new file stands in its place, the old one is untouched: a
        power cut at any point leaves one of the two.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        before = self.file.with_name(self.file.name + ".before")
        self._shred(before)
        coming = self.file.with_name(self.file.name + ".new")
        coming.unlink(missing_ok=True)
        content = json.dumps({"epochs": {str(epoch): key.hex() for epoch, key in sorted(keys.items())}})
        handle = os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if self.file.exists():
            os.link(self.file, before)
        coming.replace(self.file)
        self._sync()
        self._look()
        self._shred(before)

    def _shred(self, before: Path) -> None:
        """Overwrite and remove the file that was replaced; where it is still the one in use, remove only its second name."""
        if not before.exists():
            return
        if not (self.file.exists() and before.samefile(self.file)):
            with before.open("r+b") as old:
                old.write(os.urandom(before.stat().st_size))
                old.flush()
                os.fsync(old.fileno())
        before.unlink()
        self._sync()

    def _sync(self) -> None:
        """Make the names in the folder survive a power cut."""
        folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Keyring:
    """Secrets by owner (a record's, an exchange's or an act's random id) and by name (the archive's own keys)."""

    def __init__(self, database: Database, keys: MasterKeys) -> None:
        self.database, self.keys = database, keys
        self._named: dict[str, bytes] = {}

    def keep(self, secrets: Mapping[bytes, bytes]) -> None:
        """Commit new secrets; when this returns they survive a power cut. An owner's secret is never replaced."""
        if not secrets:
            return
        with self.database.begin() as tx:
            _lock(tx, alone=False)
            epoch = self.keys.current()
            cipher = self.keys.cipher(epoch)
            rows = [
                {"owner": owner, "epoch": epoch, "wrapped": _wrap(cipher, owner, secret)}
                for owner, secret in secrets.items()
            ]
            tx.execute(insert(secrets_table), rows)

    def secrets(self, owners: Iterable[bytes]) -> dict[bytes, bytes]:
        """The secrets of those owners that have one; a disposed record has none."""
        wanted = list(dict.fromkeys(owners))
        try:
            return self._secrets(wanted)
        except KeyMissing:  # a rotation may have passed between reading a row and asking for its key
            return self._secrets(wanted)

    def _secrets(self, wanted: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        ciphers: dict[int, AESGCM] = {}
        with self.database.read() as tx:
            for start in range(0, len(wanted), _ASK):
                asked = select(secrets_table).where(secrets_table.c.owner.in_(wanted[start : start + _ASK]))
                for owner, epoch, wrapped in tx.execute(asked):
                    cipher = ciphers.get(epoch) or ciphers.setdefault(epoch, self.keys.cipher(epoch))
                    found[bytes(owner)] = _unwrap(cipher, bytes(owner), bytes(wrapped))
        return found

    def secret(self, owner: bytes) -> bytes:
        """The secret of one owner, or `KeyMissing`."""
        try:
            return self.secrets([owner])[owner]
        except KeyError as error:
            raise KeyMissing(f"the keyring has no secret for {owner.hex()}") from error

    def named(self, name: str, make: Callable[[], bytes] = new_secret) -> bytes:
        """The archive's own key of that name, made on first use."""
        if name not in self._named:
            try:
                self._named[name] = self._named_or_made(name, make)
            except IntegrityError:  # another process made it at this very moment
                self._named[name] = self._named_or_made(name, make)
        return self._named[name]

    def _named_or_made(self, name: str, make: Callable[[], bytes]) -> bytes:
        with self.database.begin() as tx:
            _lock(tx, alone=False)
            row = tx.execute(select(named_table).where(named_table.c.name == name)).one_or_none()
            if row is None:
                epoch, secret = self.keys.current(), make()
                wrapped = _wrap(self.keys.cipher(epoch), name.encode(), secret)
                tx.execute(insert(named_table).values(name=name, epoch=epoch, wrapped=wrapped))
            else:
                secret = _unwrap(self.keys.cipher(row.epoch), name.encode(), bytes(row.wrapped))
        return secret

    def has_named(self, name: str) -> bool:
        """Whether there is a key of that name; none is made."""
        if name in self._named:
            return True
        with self.database.read() as tx:
            return (
                tx.execute(select(named_table.c.name).where(named_table.c.name == name)).first() is not None
            )

    def forget_named(self, name: str) -> None:
        """Remove the archive's own key of that name, which is used no more; rotation reaches its old copies."""
        with self.database.begin() as tx:
            tx.execute(delete(named_table).where(named_table.c.name == name))
        self._named.pop(name, None)

    def owners(self, *, after: bytes = b"") -> Iterable[bytes]:
        """Every owner that comes after `after`, in order, in bounded memory."""
        last = after
        while True:
            with self.database.read() as tx:
                page = [
                    bytes(owner)
                    for (owner,) in tx.execute(
                        select(secrets_table.c.owner)
                        .where(secrets_table.c.owner > last)
                        .order_by(secrets_table.c.owner)
                        .limit(10_000)
                    )
                ]
            if not page:
                return
            yield from page
            last = page[-1]

    def forget(self, owners: Sequence[bytes]) -> int:
        """Remove secrets; what they opened cannot be opened again once the epoch is rotated.

        Called by destruction, and by the sweep for owners that no row ever spoke of.
        """
        removed = 0
        with self.database.begin() as tx:
            for start in range(0, len(owners), _ASK):
                asked = delete(secrets_table).where(
                    secrets_table.c.owner.in_(list(owners[start : start + _ASK]))
                )
                removed += tx.execute(asked).rowcount
        return removed

    def rotate(self) -> int:
        """Wrap everything under a new epoch's key, then destroy the old ones; return the new epoch.

        Broken off at any point, it leaves a keyring that opens everything, and
        running it again finishes. Others may keep secrets meanwhile.
        """
        with self.database.begin() as tx:
            _lock(tx, alone=True)
            self.keys.add()
        while True:
            for table, id_column in _WRAPPED:
                while self._rewrap(table, id_column):
                    pass
            self._empty_log()
            if self._destroy_old():
                return self.keys.current()

    def _rewrap(self, table: Table, id_column: Column[bytes] | Column[str]) -> bool:
        """Wrap some rows of older epochs under the current key; say whether there were any."""
        with self.database.begin() as tx:
            _lock(tx, alone=True)
            epoch = self.keys.current()
            cipher = self.keys.cipher(epoch)
            rows = tx.execute(
                select(id_column, table.c.epoch, table.c.wrapped).where(table.c.epoch != epoch).limit(_PART)
            ).all()
            changed = []
            for owner, old, wrapped in rows:
                bound = owner.encode() if isinstance(owner, str) else bytes(owner)
                secret = _unwrap(self.keys.cipher(old), bound, bytes(wrapped))
                changed.append({"bound": owner, "epoch": epoch, "wrapped": _wrap(cipher, bound, secret)})
            if changed:
                tx.execute(update(table).where(id_column == bindparam("bound")), changed)
        return bool(rows)

    def _destroy_old(self) -> bool:
        """Destroy every key but the current one, unless a row still needs it."""
        with self.database.begin() as tx:
            _lock(tx, alone=True)
            epoch = self.keys.current()
            for table, id_column in _WRAPPED:
                if tx.execute(select(id_column).where(table.c.epoch != epoch).limit(1)).first() is not None:
                    return False
            self.keys.destroy([old for old in self.keys.epochs() if old != epoch])
        return True

    def _empty_log(self) -> None:
        """Have SQLite write its log into the database, so that no older wrapping stays in it."""
        if self.database.sqlite:
            with self.database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")

    def largest_signed(self, origin: str) -> tuple[int, bytes] | None:
        """The size and root of the largest checkpoint ever signed under `origin`."""
        with self.database.read() as tx:
            row = tx.execute(
                select(signed_table.c.size, signed_table.c.root).where(signed_table.c.origin == origin)
            ).one_or_none()
        return None if row is None else (row.size, bytes(row.root))

    def note_signed(self, origin: str, size: int, root: bytes) -> None:
        """Remember that a checkpoint is about to be signed; commits before it is."""
        with self.database.begin() as tx:
            _lock(tx, alone=True)
            _put_signed(tx, origin, size, root)


def _put_signed(tx: Tx, origin: str, size: int, root: bytes) -> None:
    """Put it in the place of a smaller one; a larger one stays, whoever comes last."""
    known = tx.execute(select(signed_table.c.size).where(signed_table.c.origin == origin)).scalar()
    if known is None:
        tx.execute(insert(signed_table).values(origin=origin, size=size, root=root))
    else:
        smaller = (signed_table.c.origin == origin) & (signed_table.c.size < size)
        tx.execute(update(signed_table).where(smaller).values(size=size, root=root))


def _lock(tx: Tx, *, alone: bool) -> None:
    """Keep a rotation and new secrets apart until the transaction ends; on SQLite `begin` has already done so."""
    if tx.dialect.name == "postgresql":
        shared = "" if alone else "_shared"
        tx.execute(text(f"SELECT pg_advisory_xact_lock{shared}(:lock)"), {"lock": _LOCK})


def _wrap(cipher: AESGCM, owner: bytes, secret: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, secret, owner)


def _unwrap(cipher: AESGCM, owner: bytes, wrapped: bytes) -> bytes:
    try:
        return cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], owner)
    except InvalidTag as error:
        raise KeyMissing(f"the secret of {owner.hex()} does not unwrap") from error

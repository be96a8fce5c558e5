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
    update,
)

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
    Column("name", String(64), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
signed_table = Table(
    "signed",
    metadata,
    Column("origin", String(255), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)
"""The largest checkpoint that was ever signed: the second place that a rolled-back ledger is noticed by."""

_NONCE = 12
_ASK = 500


class KeyMissing(IntegrityFailure):
    """The keyring has no secret for something that was not disposed of, or its epoch's key is gone."""

    code = "key-missing"


class MasterKeys:
    """The epoch keys, in one file that only its owner can read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._keys: dict[int, bytes] = {}
        if file.exists():
            self._keys = {
                int(epoch): bytes.fromhex(key)
                for epoch, key in json.loads(file.read_text())["epochs"].items()
            }

    @classmethod
    def create(cls, file: Path) -> MasterKeys:
        """Make the file with the key of the first epoch; one that exists is left as it is."""
        keys = cls(file)
        if not keys._keys:
            keys.add(1)
        return keys

    def current(self) -> int:
        if not self._keys:
            raise KeyMissing(
                f"no epoch key is in {self.file}",
                next="Put the master key file back; without it nothing can be read.",
            )
        return max(self._keys)

    def epochs(self) -> list[int]:
        """The epochs whose keys are there, oldest first."""
        return sorted(self._keys)

    def cipher(self, epoch: int) -> AESGCM:
        try:
            return AESGCM(self._keys[epoch])
        except KeyError as error:
            raise KeyMissing(f"the key of epoch {epoch} is not in {self.file}") from error

    def add(self, epoch: int) -> None:
        self._keys[epoch] = new_secret()
        self._write()

    def destroy(self, epoch: int) -> None:
        """Forget an epoch's key: overwrite the file that held it, then replace it."""
        self._keys.pop(epoch)
        if self.file.exists():
            with self.file.open("r+b") as old:
                old.write(os.urandom(self.file.stat().st_size))
                os.fsync(old.fileno())
        self._write()

    def _write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        coming = self.file.with_suffix(".new")
        content = json.dumps({"epochs": {str(epoch): key.hex() for epoch, key in sorted(self._keys.items())}})
        handle = os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        coming.replace(self.file)
        folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


class Keyring:
    """Secrets by owner (a record's, an exchange's or an act's random id) and by name (the archive's own keys)."""

    def __init__(self, database: Database, keys: MasterKeys) -> None:
        self.database, self.keys = database, keys
        self._named: dict[str, bytes] = {}

    def keep(self, secrets: Mapping[bytes, bytes]) -> None:
        """Commit new secrets; when this returns they survive a power cut. Keeping one twice is harmless."""
        if not secrets:
            return
        epoch = self.keys.current()
        cipher = self.keys.cipher(epoch)
        rows = [
            {"owner": owner, "epoch": epoch, "wrapped": _wrap(cipher, owner, secret)}
            for owner, secret in secrets.items()
        ]
        with self.database.begin() as tx:
            tx.execute(insert(secrets_table), rows)

    def secrets(self, owners: Iterable[bytes]) -> dict[bytes, bytes]:
        """The secrets of those owners that have one; a disposed record has none."""
        wanted = list(dict.fromkeys(owners))
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
        if name in self._named:
            return self._named[name]
        with self.database.begin() as tx:
            row = tx.execute(select(named_table).where(named_table.c.name == name)).one_or_none()
            if row is None:
                epoch, secret = self.keys.current(), make()
                wrapped = _wrap(self.keys.cipher(epoch), name.encode(), secret)
                tx.execute(insert(named_table).values(name=name, epoch=epoch, wrapped=wrapped))
            else:
                secret = _unwrap(self.keys.cipher(row.epoch), name.encode(), bytes(row.wrapped))
        self._named[name] = secret
        return secret

    def owners(self) -> Iterable[bytes]:
        """Every owner, in order, in bounded memory."""
        last = b""
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

        Interrupted, it leaves both keys and rows of both epochs, and running it again finishes.
        """
        old = self.keys.current()
        self.keys.add(old + 1)
        new_cipher = self.keys.cipher(old + 1)
        for table, id_column in ((secrets_table, secrets_table.c.owner), (named_table, named_table.c.name)):
            while self._rewrap(table, id_column, old + 1, new_cipher):
                pass
        if self.database.sqlite:
            with self.database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
        for epoch in [epoch for epoch in self.keys.epochs() if epoch <= old]:
            self.keys.destroy(epoch)
        return old + 1

    def _rewrap(
        self, table: Table, id_column: Column[bytes] | Column[str], epoch: int, cipher: AESGCM
    ) -> bool:
        with self.database.begin() as tx:
            rows = tx.execute(
                select(id_column, table.c.epoch, table.c.wrapped).where(table.c.epoch != epoch).limit(5_000)
            ).all()
            changed = []
            for owner, old, wrapped in rows:
                bound = owner.encode() if isinstance(owner, str) else bytes(owner)
                secret = _unwrap(self.keys.cipher(old), bound, bytes(wrapped))
                changed.append({"bound": owner, "epoch": epoch, "wrapped": _wrap(cipher, bound, secret)})
            if changed:
                tx.execute(update(table).where(id_column == bindparam("bound")), changed)
        return bool(rows)

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
            _put_signed(tx, origin, size, root)


def _put_signed(tx: Tx, origin: str, size: int, root: bytes) -> None:
    """Put it in the place of a smaller one; a larger one stays, whoever comes last."""
    known = tx.execute(select(signed_table.c.size).where(signed_table.c.origin == origin)).scalar()
    if known is None:
        tx.execute(insert(signed_table).values(origin=origin, size=size, root=root))
    else:
        smaller = (signed_table.c.origin == origin) & (signed_table.c.size < size)
        tx.execute(update(signed_table).where(smaller).values(size=size, root=root))


def _wrap(cipher: AESGCM, owner: bytes, secret: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, secret, owner)


def _unwrap(cipher: AESGCM, owner: bytes, wrapped: bytes) -> bytes:
    try:
        return cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], owner)
    except InvalidTag as error:
        raise KeyMissing(f"the secret of {owner.hex()} does not unwrap") from error

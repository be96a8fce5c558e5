"""The database: engine, transactions and the types that rows are made of."""

from app.db.database import ArchiveBusy, Database, DatabaseBroken, DiskFull, Tx, key_of
from app.db.types import Instant, from_instant, to_instant

__all__ = [
    "ArchiveBusy",
    "Database",
    "DatabaseBroken",
    "DiskFull",
    "Instant",
    "Tx",
    "from_instant",
    "key_of",
    "to_instant",
]

"""Inserting and updating many rows at once, without paying for each of them what a single one costs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from app.db.database import Tx


def insert_rows(tx: Tx, table: Table, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Insert `rows`, whose values stand in the order of `columns` and are of the database's own types.

    On SQLite the statement is written once and the driver is handed the
    tuples; elsewhere SQLAlchemy batches them.
    """
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql(_statement(table, tuple(columns)), list(rows))
    else:
        tx.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


def inserting(tx: Tx, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that may say what becomes of a row that is there already: each of the two databases has its own."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


@lru_cache(maxsize=64)
def _statement(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join("?" * len(columns))})'  # noqa: S608 - our own names


def update_rows(
    tx: Tx, table: Table, columns: Sequence[str], key: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Update many rows: each tuple holds the new values of `columns`, then the value of `key` that names its row."""
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        names = ", ".join(f'"{column}" = ?' for column in columns)
        tx.exec_driver_sql(f'UPDATE "{table.name}" SET {names} WHERE "{key}" = ?', list(rows))  # noqa: S608 - our own names
        return
    changed = update(table).where(table.c[key] == bindparam("which"))
    changed = changed.values({column: bindparam(f"new_{column}") for column in columns})
    names_of = [*(f"new_{column}" for column in columns), "which"]
    tx.execute(changed, [dict(zip(names_of, row, strict=True)) for row in rows])

"""Alembic's door to the archive's database: it reads the settings, or takes the connection that it is handed."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from app.settings import Settings
from app.store.tables import metadata


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    address = context.config.get_alembic_option("sqlalchemy.url") or Settings().database()
    with create_engine(address).connect() as connection:
        _migrate(connection)
        connection.commit()


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True
    )
    with context.begin_transaction():
        context.run_migrations()


run()

"""Alembic's door to the keyring, which is a database of its own."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from app.settings import Settings
from app.store.keyring import metadata


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    address = context.config.get_alembic_option("sqlalchemy.url") or Settings().keyring()
    with create_engine(address).connect() as connection:
        _migrate(connection)
        connection.commit()


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        version_table="alembic_version_keyring",
    )
    with context.begin_transaction():
        context.run_migrations()


run()

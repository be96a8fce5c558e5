"""Backups and epochs of the ledger: every copy of the keys that was made, and every epoch that a restore ended.

What an operator will notice: `muniment backup` and `muniment restore` are
there. The archive remembers each copy of its keys, where it was put and until
when it may be kept, and `muniment doctor` fails from now on when the newest
copy is older than a day: make one.

Revision: 0008
Follows: 0007
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

BACKUP_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.at = OLD.at
    AND NEW.entry IS NOT DISTINCT FROM OLD.entry AND NEW.data_place IS NOT DISTINCT FROM OLD.data_place AND NEW.keys_place IS NOT DISTINCT FROM OLD.keys_place
    AND NEW.epoch = OLD.epoch
    AND (OLD.done_at IS NULL OR NEW.done_at IS NOT DISTINCT FROM OLD.done_at)
    AND (OLD.destroyed_entry IS NULL OR NEW.destroyed_entry IS NOT DISTINCT FROM OLD.destroyed_entry)
)"""
_BACKUPS = "what is known of a backup is only added to"
_EPOCHS = "an epoch that ended never changes"


def upgrade() -> None:
    op.create_table(
        "backups",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("data_place", sa.Text()),
        sa.Column("keys_place", sa.Text()),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("destroyed_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_backups")),
        sa.UniqueConstraint("id", name=op.f("uq_backups_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_backups_entry")),
    )
    op.create_table(
        "ledger_epochs",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("succession", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_epochs")),
        sa.UniqueConstraint("origin", name=op.f("uq_ledger_epochs_origin")),
        sa.UniqueConstraint("entry", name=op.f("uq_ledger_epochs_entry")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table, change, words, unless in (
        ("backups", "DELETE", _BACKUPS, ""),
        ("backups", "UPDATE", _BACKUPS, f"WHEN NOT {BACKUP_MAY.replace('IS NOT DISTINCT FROM', 'IS')} "),
        ("ledger_epochs", "DELETE", _EPOCHS, ""),
        ("ledger_epochs", "UPDATE", _EPOCHS, ""),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} {unless}"
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change_of_a_backup() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND {BACKUP_MAY} THEN RETURN NEW; END IF; RAISE EXCEPTION '{_BACKUPS}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER backups_refuse_change BEFORE UPDATE OR DELETE ON backups "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_backup()"
    )
    op.execute(
        "CREATE TRIGGER ledger_epochs_refuse_change BEFORE UPDATE OR DELETE ON ledger_epochs "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table in ("backups", "ledger_epochs"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NoWayBack

"""Trusted time: timestamps of others over checkpoints, cosignatures of witnesses, and who could not be reached.

What an operator will notice: with MUNIMENT_TIMESTAMP_URLS set, checkpoints are
timestamped by those authorities within the hour; with MUNIMENT_WITNESSES set,
witnesses sign them too. Neither changes what is already in the ledger.

Revision: 0006
Follows: 0005
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEVER_CHANGE = ("anchors", "cosignatures", "attempts")


def upgrade() -> None:
    op.create_table(
        "anchors",
        sa.Column("key", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.String(length=200), nullable=False),
        sa.Column("serial", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("roots", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["checkpoints.size"], name=op.f("fk_anchors_size_checkpoints")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_anchors")),
        sa.UniqueConstraint("entry", name=op.f("uq_anchors_entry")),
        sa.UniqueConstraint("digest", name=op.f("uq_anchors_digest")),
    )
    op.create_index("ix_anchors_size", "anchors", ["size"])
    op.create_index("ix_anchors_authority", "anchors", ["authority"])
    op.create_table(
        "cosignatures",
        sa.Column("key", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", sa.String(length=500), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["checkpoints.size"], name=op.f("fk_cosignatures_size_checkpoints")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cosignatures")),
        sa.UniqueConstraint("entry", name=op.f("uq_cosignatures_entry")),
        sa.UniqueConstraint("size", "witness", name=op.f("uq_cosignatures_size_witness")),
    )
    op.create_index("ix_cosignatures_witness", "cosignatures", ["witness"])
    op.create_table(
        "attempts",
        sa.Column("key", KEY, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("whom", sa.String(length=500), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.String(length=64)),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_kind_whom", "attempts", ["kind", "whom"])
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table in NEVER_CHANGE:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} never change'); END"
            )


def _guard_postgresql() -> None:
    for table in NEVER_CHANGE:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NoWayBack

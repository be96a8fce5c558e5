"""Lay the keyring: secrets by owner, the archive's own keys, and the largest checkpoint that was signed.

What an operator will notice: this is the first form of the keyring.

Revision: k0001
Follows:
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "k0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "named",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_named")),
    )
    op.create_table(
        "secrets",
        sa.Column("owner", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_secrets")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signed",
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_signed")),
    )


def downgrade() -> None:
    raise NoWayBack

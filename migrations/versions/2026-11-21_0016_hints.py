"""What platforms tell by themselves: where to look, which deliveries were accepted, and what became of the others.

What an operator will notice: platforms can tell the archive at once when
something happens on a page (docs/webhooks.md); until a door is set up, nothing
changes.

Revision: 0016
Follows: 0015
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NEVER = "that a delivery was accepted never changes"


def upgrade() -> None:
    op.create_table(
        "hints",
        sa.Column("key", KEY, nullable=False),
        sa.Column("page", KEY, nullable=False),
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed_what", sa.LargeBinary()),
        sa.Column("since", sa.BigInteger()),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_at", sa.BigInteger()),
        sa.Column("done_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hints")),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_hints_page_pages")),
        sa.UniqueConstraint("page", "mac", name=op.f("uq_hints_page_mac")),
    )
    op.create_index("ix_hints_told_at", "hints", ["told_at"])
    op.create_table(
        "deliveries",
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connector", "mark", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_at", "deliveries", ["at"])
    op.create_table(
        "hooks",
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connector", "outcome", "why", name=op.f("pk_hooks")),
    )
    # Marks go when they are too old to matter; a change would let a delivery in twice.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER deliveries_refuse_update BEFORE UPDATE ON deliveries "
            f"BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )
    else:
        op.execute(
            "CREATE FUNCTION refuse_change_of_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{_NEVER}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER deliveries_refuse_change BEFORE UPDATE ON deliveries "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_deliveries()"
        )


def downgrade() -> None:
    raise NoWayBack

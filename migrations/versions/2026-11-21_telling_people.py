"""What people were told: troubles of pages, and the letters about them.

What an operator will notice: with MUNIMENT_SMTP_URL set, the records staff and
administrators are written to when capture of a page goes wrong or is well
again, before a page's credentials end, and once a day about what needs doing.

Revision: 0005
Follows: 0004
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "troubles",
        sa.Column("key", KEY, nullable=False),
        sa.Column("page", KEY, nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=12), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("last_good", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_run", KEY),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_troubles_page_pages")),
        sa.ForeignKeyConstraint(["run"], ["runs.key"], name=op.f("fk_troubles_run_runs")),
        sa.ForeignKeyConstraint(["ended_run"], ["runs.key"], name=op.f("fk_troubles_ended_run_runs")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_troubles")),
    )
    op.create_index("ix_troubles_page", "troubles", ["page"])
    op.create_table(
        "letters",
        sa.Column("key", KEY, nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        sa.Column("page", KEY),
        sa.Column("trouble", KEY),
        sa.Column("mark", sa.String(length=64), server_default="", nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger()),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_letters_page_pages")),
        sa.ForeignKeyConstraint(["trouble"], ["troubles.key"], name=op.f("fk_letters_trouble_troubles")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_letters")),
        sa.UniqueConstraint("topic", "mark", "recipient", name=op.f("uq_letters_topic_mark_recipient")),
    )
    op.create_index("ix_letters_told_at", "letters", ["told_at"])


def downgrade() -> None:
    raise NoWayBack

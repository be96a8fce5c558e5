"""Pages and their people: purpose and review, approvals, managers, required statements, two registers.

What an operator will notice: pages that were approved before stay so, without
an end; on whose authority is not known of them.

Revision: 0004
Follows: 0003
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("purpose", "scope", "official_site"):
        op.add_column("pages", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("pages", sa.Column("audiences", sa.Text(), server_default="[]", nullable=False))
    op.add_column("pages", sa.Column("review_on", sa.String(length=10)))
    op.add_column("pages", sa.Column("policy", sa.String(length=40), server_default="", nullable=False))
    op.add_column("pages", sa.Column("approved_until", sa.String(length=10)))
    _people()
    _statements()
    _registers()


def _people() -> None:
    op.create_table(
        "delegations",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("given_by", sa.LargeBinary(length=16), nullable=False),
        sa.Column("given_to", sa.LargeBinary(length=16), nullable=False),
        sa.Column("since", sa.String(length=10), nullable=False),
        sa.Column("until", sa.String(length=10)),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_delegations")),
        sa.UniqueConstraint("id", name=op.f("uq_delegations_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_delegations_entry")),
    )
    op.create_table(
        "approvals",
        sa.Column("key", KEY, nullable=False),
        sa.Column("page", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("authority", sa.String(length=12), nullable=False),
        sa.Column("delegation", KEY),
        sa.Column("until", sa.String(length=10)),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_approvals_page_pages")),
        sa.ForeignKeyConstraint(
            ["delegation"], ["delegations.key"], name=op.f("fk_approvals_delegation_delegations")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_approvals")),
        sa.UniqueConstraint("entry", name=op.f("uq_approvals_entry")),
    )
    op.create_index("ix_approvals_page", "approvals", ["page"])
    op.create_table(
        "managers",
        sa.Column("key", KEY, nullable=False),
        sa.Column("page", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.String(length=10), nullable=False),
        sa.Column("until", sa.String(length=10)),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_managers_page_pages")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_managers")),
        sa.UniqueConstraint("entry", name=op.f("uq_managers_entry")),
    )
    op.create_index("ix_managers_page", "managers", ["page"])


def _statements() -> None:
    op.create_table(
        "statement_answers",
        sa.Column("key", KEY, nullable=False),
        sa.Column("page", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.String(length=40), nullable=False),
        sa.Column("statement", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=False),
        sa.Column("record", sa.LargeBinary(length=16)),
        sa.Column("version", sa.Integer()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_statement_answers_page_pages")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_statement_answers")),
    )
    op.create_index("ix_statement_answers_page", "statement_answers", ["page"])


def _registers() -> None:
    op.create_table(
        "authorisations",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("page", KEY),
        sa.Column("record", sa.LargeBinary(length=16)),
        sa.Column("given_on", sa.String(length=10), nullable=False),
        sa.Column("until", sa.String(length=10)),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_authorisations_page_pages")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_authorisations")),
        sa.UniqueConstraint("id", name=op.f("uq_authorisations_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_authorisations_entry")),
    )
    op.create_table(
        "violations",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("page", KEY),
        sa.Column("record", sa.LargeBinary(length=16)),
        sa.Column("answer_entry", sa.BigInteger()),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_violations_page_pages")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_violations")),
        sa.UniqueConstraint("id", name=op.f("uq_violations_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_violations_entry")),
    )


def downgrade() -> None:
    raise NoWayBack

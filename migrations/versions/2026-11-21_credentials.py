"""How pages are connected: links for their managers, tokens with their ends, renewals that survive a crash.

What an operator will notice: pages that were connected before stay so; since
when is not known of them and is given as the time of this upgrade.

Revision: 0003
Follows: 0002
Made: 2026-11-21
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "connections",
        sa.Column("page", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=True),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.Column("access_until", sa.BigInteger(), nullable=True),
        sa.Column("refresh_until", sa.BigInteger(), nullable=True),
        sa.Column("stated_until", sa.BigInteger(), nullable=True),
        sa.Column("renews", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_connections_page_pages")),
        sa.PrimaryKeyConstraint("page", name=op.f("pk_connections")),
    )
    op.create_table(
        "renewals",
        sa.Column("page", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_renewals_page_pages")),
        sa.PrimaryKeyConstraint("page", name=op.f("pk_renewals")),
    )
    op.create_table(
        "connect_links",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("page", KEY, nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_connect_links_page_pages")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_connect_links")),
    )
    op.create_index("ix_connect_links_page", "connect_links", ["page"], unique=False)
    op.create_table(
        "connect_visits",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("link", sa.LargeBinary(length=32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"], ["connect_links.digest"], name=op.f("fk_connect_visits_link_connect_links")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_connect_visits")),
    )
    op.create_index("ix_connect_visits_link", "connect_visits", ["link"], unique=False)
    op.create_table(
        "applications",
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("redirect", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("connector", "origin", name=op.f("pk_applications")),
    )
    _note_those_connected_before()


def _note_those_connected_before() -> None:
    """What is sealed of a connection can be written by the program alone; an empty seal says that nothing is known."""
    now = int(time.time() * 1_000_000)
    sqlite = op.get_bind().dialect.name == "sqlite"
    no, nothing = ("0", "x''") if sqlite else ("false", "''::bytea")
    op.execute(
        "INSERT INTO connections (page, number, how, since, renewed_at, renews, sealed) "  # noqa: S608 - our own words
        f"SELECT key, 1, 'file', {now}, {now}, {no}, {nothing} FROM pages WHERE sealed_secret IS NOT NULL"
    )


def downgrade() -> None:
    raise NoWayBack

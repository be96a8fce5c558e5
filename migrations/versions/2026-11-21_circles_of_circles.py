"""Circles of circles; layouts that stand already; lanes, in which a page is captured at several paces.

What an operator will notice: a night adds rows for what changed, no longer for
all that a page shows. The place where each page's capture goes on moves into a
table of its own; nothing is captured twice.

Revision: 0002
Follows: 0001
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEVER_CHANGE = ("circle_parts", "ended_circles", "stated", "suppressed")

DISPOSED = """(
    (OLD.record IS NOT NULL AND EXISTS (SELECT 1 FROM tombstones WHERE tombstones.record = OLD.record))
    OR (OLD.circle IS NOT NULL AND EXISTS (SELECT 1 FROM ended_circles WHERE ended_circles.circle = OLD.circle))
)"""
ENDED = """(
    EXISTS (SELECT 1 FROM circles WHERE circles.key = NEW.circle)
    AND NOT EXISTS (
        SELECT 1 FROM circle_members WHERE circle_members.circle = NEW.circle
        AND NOT EXISTS (SELECT 1 FROM tombstones WHERE tombstones.record = circle_members.record)
    )
    AND NOT EXISTS (
        SELECT 1 FROM circle_parts WHERE circle_parts.circle = NEW.circle
        AND NOT EXISTS (SELECT 1 FROM ended_circles WHERE ended_circles.circle = circle_parts.part)
    )
)"""
_LIVING = "a circle ends with the last of its records"
_KEPT = "a sealed piece goes only together with a tombstone"


def upgrade() -> None:
    op.create_table(
        "circle_parts",
        sa.Column("circle", KEY, nullable=False),
        sa.Column("part", KEY, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["circle"], ["circles.key"], name=op.f("fk_circle_parts_circle_circles")),
        sa.ForeignKeyConstraint(["part"], ["circles.key"], name=op.f("fk_circle_parts_part_circles")),
        sa.PrimaryKeyConstraint("circle", "part", name=op.f("pk_circle_parts")),
    )
    op.create_table(
        "ended_circles",
        sa.Column("circle", KEY, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["circle"], ["circles.key"], name=op.f("fk_ended_circles_circle_circles")),
        sa.PrimaryKeyConstraint("circle", name=op.f("pk_ended_circles")),
    )
    op.create_table(
        "layouts",
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("exchange", KEY, nullable=False),
        sa.ForeignKeyConstraint(["exchange"], ["exchanges.key"], name=op.f("fk_layouts_exchange_exchanges")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_layouts")),
    )
    op.create_table(
        "lanes",
        sa.Column("page", KEY, nullable=False),
        sa.Column("name", sa.String(length=12), nullable=False),
        sa.Column("sealed_cursor", sa.LargeBinary()),
        sa.Column("published_from", sa.BigInteger()),
        sa.Column("published_until", sa.BigInteger()),
        sa.Column("unfinished", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("lease_owner", sa.String(length=64)),
        sa.Column("lease_until", sa.BigInteger()),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_lanes_page_pages")),
        sa.PrimaryKeyConstraint("page", "name", name=op.f("pk_lanes")),
    )
    op.create_table(
        "stated",
        sa.Column("run", KEY, nullable=False),
        sa.Column("kinds", sa.String(length=40), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.key"], name=op.f("fk_stated_run_runs")),
        sa.PrimaryKeyConstraint("run", "kinds", name=op.f("pk_stated")),
    )
    op.create_table(
        "suppressed",
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_suppressed_record_records")),
        sa.PrimaryKeyConstraint("mac", name=op.f("pk_suppressed")),
    )
    op.add_column("exchanges", sa.Column("alike", KEY))
    op.add_column("runs", sa.Column("lane", sa.String(length=12), server_default="whole", nullable=False))
    op.add_column("runs", sa.Column("published_from", sa.BigInteger()))
    op.add_column("runs", sa.Column("published_until", sa.BigInteger()))
    op.add_column("pages", sa.Column("pace", sa.Text(), server_default="{}", nullable=False))
    _move_cursors()
    op.drop_column("pages", "sealed_cursor")
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _move_cursors() -> None:
    """Every page goes on where it stood; a pass whose last run did not see it through is unfinished."""
    op.execute(
        "INSERT INTO lanes (page, name, sealed_cursor, unfinished) SELECT pages.key, 'whole', sealed_cursor, "
        "COALESCE((SELECT runs.tally LIKE '%unfinished_: 1%' FROM runs WHERE runs.page = pages.key "
        "AND runs.kind = 'capture' ORDER BY runs.key DESC LIMIT 1), false) "
        "FROM pages WHERE sealed_cursor IS NOT NULL"
    )


def _guard_sqlite() -> None:
    for table in NEVER_CHANGE:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} never change'); END"
            )
    op.execute(
        f"CREATE TRIGGER ended_circles_refuse_living BEFORE INSERT ON ended_circles WHEN NOT {ENDED} "
        f"BEGIN SELECT RAISE(ABORT, '{_LIVING}'); END"
    )
    op.execute("DROP TRIGGER pieces_refuse_delete")
    op.execute(
        f"CREATE TRIGGER pieces_refuse_delete BEFORE DELETE ON pieces WHEN NOT {DISPOSED} "
        f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
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
    op.execute(
        "CREATE FUNCTION refuse_living_circle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {ENDED} THEN RETURN NEW; END IF; RAISE EXCEPTION '{_LIVING}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ended_circles_refuse_living BEFORE INSERT ON ended_circles "
        "FOR EACH ROW EXECUTE FUNCTION refuse_living_circle()"
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_unless_disposed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {DISPOSED} THEN RETURN OLD; END IF; RAISE EXCEPTION '{_KEPT}'; END $$"
    )


def downgrade() -> None:
    raise NoWayBack

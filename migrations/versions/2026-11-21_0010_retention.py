"""Retention: schedules as they were adopted, series, events, and how far the classification came.

What an operator will notice: schedules can be adopted, and records are put
into series and explained. Nothing is disposed of by that. The first
classification of a large archive reads every record once, in the background.

Revision: 0010
Follows: 0009
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SCHEDULE_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.entry = OLD.entry AND NEW.adopted_on = OLD.adopted_on
    AND NEW.digest = OLD.digest AND NEW.content = OLD.content
    AND OLD.ended_entry IS NULL AND NEW.ended_entry IS NOT NULL AND NEW.ended_on IS NOT NULL
)"""
ASSIGNED_MAY = """(
    NEW.key = OLD.key AND NEW.record = OLD.record AND NEW.entry = OLD.entry AND NEW.officer = OLD.officer
    AND NEW.series = OLD.series AND OLD.ended_entry IS NULL AND NEW.ended_entry IS NOT NULL
)"""
EVENT_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.record = OLD.record AND NEW.entry = OLD.entry
    AND NEW.name = OLD.name AND NEW.about = OLD.about
    AND NEW.after_on IS NOT DISTINCT FROM OLD.after_on AND NEW.by_on IS NOT DISTINCT FROM OLD.by_on
    AND NEW.signed_by IS NOT DISTINCT FROM OLD.signed_by AND NEW.evidence IS NOT DISTINCT FROM OLD.evidence
    AND OLD.superseded_entry IS NULL AND NEW.superseded_entry IS NOT NULL
)"""
GUARDS = (
    (
        "schedules",
        "refuse_change_of_a_schedule",
        SCHEDULE_MAY,
        "an adopted edition never changes, and ends once",
    ),
    (
        "assigned",
        "refuse_change_of_an_assignment",
        ASSIGNED_MAY,
        "an assignment never changes, and ends once",
    ),
    (
        "retention_events",
        "refuse_change_of_an_event",
        EVENT_MAY,
        "an event never changes, and is corrected by another one",
    ),
)
_DAYS = "a day that was seen stays seen"


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("adopted_on", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("ended_on", sa.String(length=10)),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_schedules")),
        sa.UniqueConstraint("id", name=op.f("uq_schedules_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_schedules_entry")),
    )
    op.create_table(
        "classified",
        sa.Column("record", KEY, autoincrement=False, nullable=False),
        sa.Column("series", sa.String(length=80)),
        sa.Column("schedule", KEY),
        sa.Column("priority", sa.Integer()),
        sa.Column("entry", sa.BigInteger()),
        sa.Column("incoming", sa.Boolean()),
        sa.Column("authored", sa.Boolean(), nullable=False),
        sa.Column("spoken", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_classified")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_classified_record_records")),
        sa.ForeignKeyConstraint(
            ["schedule"], ["schedules.key"], name=op.f("fk_classified_schedule_schedules")
        ),
    )
    op.create_index("ix_classified_series", "classified", ["series", "record"])
    op.create_table(
        "assigned",
        sa.Column("key", KEY, nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("series", sa.String(length=80), nullable=False),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_assigned")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_assigned_record_records")),
    )
    op.create_index(
        "ix_assigned_record",
        "assigned",
        ["record"],
        unique=True,
        sqlite_where=sa.text("ended_entry IS NULL"),
        postgresql_where=sa.text("ended_entry IS NULL"),
    )
    op.create_table(
        "retention_events",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=80), server_default="", nullable=False),
        sa.Column("after_on", sa.String(length=10)),
        sa.Column("by_on", sa.String(length=10)),
        sa.Column("signed_by", sa.LargeBinary(length=16)),
        sa.Column("evidence", sa.LargeBinary(length=16)),
        sa.Column("superseded_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_retention_events")),
        sa.UniqueConstraint("record", "id", name=op.f("uq_retention_events_record_id")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_retention_events_record_records")),
    )
    op.create_index("ix_retention_events_name", "retention_events", ["name"])
    op.create_table(
        "to_classify",
        sa.Column("record", KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_to_classify")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_to_classify_record_records")),
    )
    op.create_table(
        "page_authors",
        sa.Column("page", KEY, autoincrement=False, nullable=False),
        sa.Column("authors", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("page", name=op.f("pk_page_authors")),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_page_authors_page_pages")),
    )
    op.create_table(
        "classifyings",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reached", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_classifyings")),
        sa.UniqueConstraint("id", name=op.f("uq_classifyings_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_classifyings_entry")),
    )
    op.create_table(
        "followed",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_followed")),
    )
    op.create_table(
        "days_seen",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_days_seen")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table, _, may, words in GUARDS:
        unless = may.replace("IS NOT DISTINCT FROM", "IS")  # as SQLite of every age writes it
        _refuse(table, "DELETE", words, "")
        _refuse(table, "UPDATE", words, f"WHEN NOT {unless} ")
    for change in ("UPDATE", "DELETE"):
        _refuse("days_seen", change, _DAYS, "")


def _refuse(table: str, change: str, words: str, unless: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} {unless}"
        f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
    )


def _guard_postgresql() -> None:
    for table, function, may, words in GUARDS:
        op.execute(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' AND {may} THEN RETURN NEW; END IF; RAISE EXCEPTION '{words}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER days_seen_refuse_change BEFORE UPDATE OR DELETE ON days_seen "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table in ("schedules", "assigned", "retention_events", "days_seen"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NoWayBack

"""Lay the store: pages, records, versions, evidence, ledger, access log and officers.

What an operator will notice: this is the first form of the database.

Rows that must never change are guarded here, in the database itself, on both
engines: they refuse UPDATE and DELETE. A sealed piece may go only together with
the tombstone of the record that it belongs to, or of every record of its circle.

Revision: 0001
Follows:
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NEVER_CHANGE = (
    "versions",
    "exchanges",
    "entries",
    "acts",
    "gaps",
    "counts",
    "checkpoints",
    "manifests",
    "tombstones",
    "accesses",
    "access_digests",
)

DISPOSED = """(
    (OLD.record IS NOT NULL AND EXISTS (SELECT 1 FROM tombstones WHERE tombstones.record = OLD.record))
    OR (OLD.circle IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM circle_members WHERE circle_members.circle = OLD.circle
        AND NOT EXISTS (SELECT 1 FROM tombstones WHERE tombstones.record = circle_members.record)
    ))
)"""


def upgrade() -> None:
    op.create_table(
        "access_digests",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_access_digests")),
    )
    op.create_table(
        "accesses",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=True),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("record", sa.LargeBinary(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_accesses")),
    )
    op.create_index("ix_accesses_day", "accesses", ["day"], unique=False)
    op.create_index("ix_accesses_officer", "accesses", ["officer"], unique=False)
    op.create_index("ix_accesses_record", "accesses", ["record"], unique=False)
    op.create_table(
        "acts",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=True),
        sa.Column("subject", sa.LargeBinary(length=16), nullable=True),
        sa.Column("secret", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_acts")),
    )
    op.create_index("ix_acts_subject", "acts", ["subject"], unique=False)
    op.create_table(
        "archive",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_archive")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "circles",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_circles")),
        sa.UniqueConstraint("id", name=op.f("uq_circles_id")),
        sa.UniqueConstraint("mac", name=op.f("uq_circles_mac")),
    )
    op.create_table(
        "entries",
        sa.Column(
            "index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_entries")),
    )
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("last_began_at", sa.BigInteger(), nullable=True),
        sa.Column("last_ended_at", sa.BigInteger(), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )
    op.create_table(
        "objects",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_objects")),
        sa.UniqueConstraint("digest", name=op.f("uq_objects_digest")),
    )
    op.create_table(
        "officers",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_officers")),
        sa.UniqueConstraint("email", name=op.f("uq_officers_email")),
        sa.UniqueConstraint("id", name=op.f("uq_officers_id")),
    )
    op.create_table(
        "pages",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("custodian", sa.Text(), server_default="", nullable=False),
        sa.Column("options", sa.Text(), server_default="{}", nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("approved", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_cursor", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_pages")),
        sa.UniqueConstraint("id", name=op.f("uq_pages_id")),
        sa.UniqueConstraint("platform", "name", name=op.f("uq_pages_platform_name")),
    )
    op.create_table(
        "tries",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tries")),
    )
    op.create_index("ix_tries_subject_at", "tries", ["subject", "at"], unique=False)
    op.create_table(
        "manifests",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("page", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.BigInteger(), nullable=True),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_manifests_page_pages")),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_manifests")),
    )
    op.create_index("ix_manifests_page_day", "manifests", ["page", "day"], unique=False)
    op.create_table(
        "passes",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("officer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["officer"], ["officers.key"], name=op.f("fk_passes_officer_officers")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_passes")),
    )
    op.create_index("ix_passes_officer", "passes", ["officer"], unique=False)
    op.create_table(
        "pieces",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("record", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("circle", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("exchange", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["object"], ["objects.key"], name=op.f("fk_pieces_object_objects")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_pieces")),
    )
    op.create_index(
        "ix_pieces_circle",
        "pieces",
        ["circle"],
        unique=False,
        sqlite_where=sa.text("circle IS NOT NULL"),
        postgresql_where=sa.text("circle IS NOT NULL"),
    )
    op.create_index(
        "ix_pieces_exchange",
        "pieces",
        ["exchange"],
        unique=False,
        sqlite_where=sa.text("exchange IS NOT NULL"),
        postgresql_where=sa.text("exchange IS NOT NULL"),
    )
    op.create_index(
        "ix_pieces_record",
        "pieces",
        ["record"],
        unique=False,
        sqlite_where=sa.text("record IS NOT NULL"),
        postgresql_where=sa.text("record IS NOT NULL"),
    )
    op.create_table(
        "records",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("page", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("native_mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("parent_mac", sa.LargeBinary(length=16), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("received", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_records_page_pages")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_records")),
        sa.UniqueConstraint("id", name=op.f("uq_records_id")),
        sa.UniqueConstraint("native_mac", name=op.f("uq_records_native_mac")),
    )
    op.create_index("ix_records_page", "records", ["page"], unique=False)
    op.create_index(
        "ix_records_parent_mac",
        "records",
        ["parent_mac"],
        unique=False,
        sqlite_where=sa.text("parent_mac IS NOT NULL"),
        postgresql_where=sa.text("parent_mac IS NOT NULL"),
    )
    op.create_table(
        "runs",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("page", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("tally", sa.Text(), server_default="{}", nullable=False),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_runs_page_pages")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_runs_id")),
    )
    op.create_index("ix_runs_page_began_at", "runs", ["page", "began_at"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("piece", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_attachments_record_records")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attachments")),
        sa.UniqueConstraint("id", name=op.f("uq_attachments_id")),
        sa.UniqueConstraint("record", "mac", name=op.f("uq_attachments_record_mac")),
    )
    op.create_table(
        "circle_members",
        sa.Column("circle", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("record", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["circle"], ["circles.key"], name=op.f("fk_circle_members_circle_circles")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_circle_members_record_records")),
        sa.PrimaryKeyConstraint("circle", "record", name=op.f("pk_circle_members")),
    )
    op.create_index("ix_circle_members_record", "circle_members", ["record"], unique=False)
    op.create_table(
        "counts",
        sa.Column("record", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_counts_record_records")),
        sa.PrimaryKeyConstraint("record", "at", name=op.f("pk_counts")),
    )
    op.create_table(
        "exchanges",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("envelope", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("layout", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.key"], name=op.f("fk_exchanges_run_runs")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_exchanges")),
        sa.UniqueConstraint("entry", name=op.f("uq_exchanges_entry")),
        sa.UniqueConstraint("id", name=op.f("uq_exchanges_id")),
    )
    op.create_table(
        "gaps",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("page", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("native_mac", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_gaps_page_pages")),
        sa.ForeignKeyConstraint(["run"], ["runs.key"], name=op.f("fk_gaps_run_runs")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_gaps")),
    )
    op.create_index("ix_gaps_page", "gaps", ["page"], unique=False)
    op.create_index("ix_gaps_run", "gaps", ["run"], unique=False)
    op.create_table(
        "tombstones",
        sa.Column(
            "record",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("batch", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_tombstones_record_records")),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "versions",
        sa.Column("record", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_before", sa.BigInteger(), nullable=True),
        sa.Column("exchange", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mark", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["object"], ["objects.key"], name=op.f("fk_versions_object_objects")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_versions_record_records")),
        sa.PrimaryKeyConstraint("record", "number", name=op.f("pk_versions")),
        sa.UniqueConstraint("entry", name=op.f("uq_versions_entry")),
    )

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
    op.execute(
        "CREATE TRIGGER pieces_refuse_update BEFORE UPDATE ON pieces "
        "BEGIN SELECT RAISE(ABORT, 'pieces never change'); END"
    )
    op.execute(
        f"CREATE TRIGGER pieces_refuse_delete BEFORE DELETE ON pieces WHEN NOT {DISPOSED} "
        "BEGIN SELECT RAISE(ABORT, 'a sealed piece goes only together with a tombstone'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% never change', TG_TABLE_NAME; END $$"
    )
    op.execute(
        "CREATE FUNCTION refuse_unless_disposed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {DISPOSED} THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'a sealed piece goes only together with a tombstone'; END $$"
    )
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
        "CREATE TRIGGER pieces_refuse_update BEFORE UPDATE ON pieces FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER pieces_refuse_delete BEFORE DELETE ON pieces FOR EACH ROW EXECUTE FUNCTION refuse_unless_disposed()"
    )
    op.execute(
        "CREATE TRIGGER pieces_refuse_truncate BEFORE TRUNCATE ON pieces FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NoWayBack

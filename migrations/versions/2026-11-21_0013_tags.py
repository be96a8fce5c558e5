"""Tags: words that officers give records to find them again.

What an operator will notice: records can be tagged, and searched by their
tags. The index is of another format, because it now knows where the words of
a record stand: run `muniment reindex` once after the upgrade.

Revision: 0013
Follows: 0012
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TAG_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.record = OLD.record AND NEW.mac = OLD.mac
    AND NEW.entry = OLD.entry
    AND (OLD.removed_entry IS NULL OR NEW.removed_entry IS NOT DISTINCT FROM OLD.removed_entry)
)"""
_WORDS = "a tag is taken off once, and its entry stays"


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("removed_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tags")),
        sa.UniqueConstraint("id", name=op.f("uq_tags_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_tags_entry")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_tags_record_records")),
    )
    op.create_index("ix_tags_mac", "tags", ["mac"])
    op.create_index(
        "ix_tags_record",
        "tags",
        ["record", "mac"],
        unique=True,
        sqlite_where=sa.text("removed_entry IS NULL"),
        postgresql_where=sa.text("removed_entry IS NULL"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    may = TAG_MAY.replace("IS NOT DISTINCT FROM", "IS")  # as SQLite of every age writes it
    for change, unless in (("DELETE", ""), ("UPDATE", f"WHEN NOT {may} ")):
        op.execute(
            f"CREATE TRIGGER tags_refuse_{change.lower()} BEFORE {change} ON tags {unless}"
            f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
        )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change_of_a_tag() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND {TAG_MAY} THEN RETURN NEW; END IF; RAISE EXCEPTION '{_WORDS}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER tags_refuse_change BEFORE UPDATE OR DELETE ON tags "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_tag()"
    )
    op.execute(
        "CREATE TRIGGER tags_refuse_truncate BEFORE TRUNCATE ON tags "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NoWayBack

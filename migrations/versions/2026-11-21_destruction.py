"""Destruction: batches of disposal, what became of each record, and what went with them.

What an operator will notice: records can be disposed of. The places where
capture goes on are sealed from now on under a secret of their own, which every
disposal on the page destroys; in data backups from before they are sealed
under the page's own, so let those backups expire.

The counters of a record may now go together with its tombstone, and no sooner;
a record that was kept again under a hold can be disposed of a second time. A
record's way through a batch is guarded by the database: it is destroyed only
with a tombstone of that batch, and nothing leads back.

Revision: 0007
Follows: 0006
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEVER_CHANGE = ("forgotten",)
NEVER_GO = ("disposals", "disposal_records", "unlinked")

COUNTS_MAY_GO = "EXISTS (SELECT 1 FROM tombstones WHERE tombstones.record = OLD.record)"
BATCH_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.entry = OLD.entry AND NEW.at = OLD.at
    AND NEW.series = OLD.series AND NEW.citation = OLD.citation AND NEW.authority = OLD.authority
    AND OLD.final_entry IS NULL
)"""
RECORD_MAY = """(
    NEW.batch = OLD.batch AND NEW.record = OLD.record AND NEW.entry IS NOT NULL AND (
        (OLD.state = 'authorised' AND NEW.state = 'withdrawn')
        OR (OLD.state = 'authorised' AND NEW.state = 'destroyed' AND EXISTS (
            SELECT 1 FROM tombstones JOIN disposals ON disposals.id = tombstones.batch
            WHERE tombstones.record = NEW.record AND disposals.key = NEW.batch
        ))
        OR (OLD.state = 'destroyed' AND NEW.state = 'verified' AND NEW.entry = OLD.entry)
    )
)"""
OBJECT_MAY = "(NEW.object = OLD.object AND NEW.batch = OLD.batch AND NEW.at = OLD.at)"
CHANGES = {"disposals": BATCH_MAY, "disposal_records": RECORD_MAY, "unlinked": OBJECT_MAY}
_BACK = "a disposal never goes back"
_COUNTED = "counts never change, and go only together with a tombstone"


def upgrade() -> None:
    op.create_table(
        "disposals",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("series", sa.String(length=80), nullable=False),
        sa.Column("citation", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("final_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_disposals")),
        sa.UniqueConstraint("id", name=op.f("uq_disposals_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_disposals_entry")),
    )
    op.create_table(
        "disposal_records",
        sa.Column("batch", KEY, autoincrement=False, nullable=False),
        sa.Column("record", KEY, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("entry", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["batch"], ["disposals.key"], name=op.f("fk_disposal_records_batch_disposals")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_disposal_records_record_records")),
        sa.PrimaryKeyConstraint("batch", "record", name=op.f("pk_disposal_records")),
    )
    op.create_index(
        "ix_disposal_records_record",
        "disposal_records",
        ["record"],
        unique=True,
        sqlite_where=sa.text("state != 'withdrawn'"),
        postgresql_where=sa.text("state != 'withdrawn'"),
    )
    op.create_table(
        "forgotten",
        sa.Column("owner", sa.LargeBinary(length=16), nullable=False),
        sa.Column("batch", KEY, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["disposals.key"], name=op.f("fk_forgotten_batch_disposals")),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_forgotten")),
    )
    op.create_table(
        "unlinked",
        sa.Column("object", KEY, autoincrement=False, nullable=False),
        sa.Column("batch", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.ForeignKeyConstraint(["batch"], ["disposals.key"], name=op.f("fk_unlinked_batch_disposals")),
        sa.ForeignKeyConstraint(["object"], ["objects.key"], name=op.f("fk_unlinked_object_objects")),
        sa.PrimaryKeyConstraint("object", name=op.f("pk_unlinked")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _suppress_again_sqlite()
        _guard_sqlite()
    else:
        _suppress_again_postgresql()
        _guard_postgresql()


def _suppress_again_sqlite() -> None:
    """One mark may stand for several records, one after the other."""
    op.execute("DROP TRIGGER suppressed_refuse_update")
    op.execute("DROP TRIGGER suppressed_refuse_delete")
    op.execute("ALTER TABLE suppressed RENAME TO suppressed_before")
    op.create_table(
        "suppressed",
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", KEY, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_suppressed_record_records")),
        sa.PrimaryKeyConstraint("mac", "record", name=op.f("pk_suppressed")),
    )
    op.execute("INSERT INTO suppressed (mac, record) SELECT mac, record FROM suppressed_before")
    op.drop_table("suppressed_before")
    _refuse("suppressed", "UPDATE")
    _refuse("suppressed", "DELETE")


def _suppress_again_postgresql() -> None:
    op.execute("ALTER TABLE suppressed DROP CONSTRAINT pk_suppressed")
    op.execute("ALTER TABLE suppressed ADD CONSTRAINT pk_suppressed PRIMARY KEY (mac, record)")


def _refuse(table: str, change: str, words: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{words or f'{table} never change'}'); END"
    )


def _guard_sqlite() -> None:
    for table in NEVER_CHANGE:
        _refuse(table, "UPDATE")
        _refuse(table, "DELETE")
    for table in NEVER_GO:
        _refuse(table, "DELETE", _BACK)
    for table, may in CHANGES.items():
        op.execute(
            f"CREATE TRIGGER {table}_refuse_update BEFORE UPDATE ON {table} WHEN NOT {may} "
            f"BEGIN SELECT RAISE(ABORT, '{_BACK}'); END"
        )
    op.execute("DROP TRIGGER counts_refuse_delete")
    op.execute(
        f"CREATE TRIGGER counts_refuse_delete BEFORE DELETE ON counts WHEN NOT {COUNTS_MAY_GO} "
        f"BEGIN SELECT RAISE(ABORT, '{_COUNTED}'); END"
    )


def _guard_postgresql() -> None:
    for table in NEVER_CHANGE:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE FUNCTION refuse_going_back() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_BACK}'; END $$"
    )
    for table in NEVER_GO:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_delete BEFORE DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_going_back()"
        )
    for table in (*NEVER_CHANGE, *NEVER_GO):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table, may in CHANGES.items():
        op.execute(
            f"CREATE FUNCTION {table}_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {may} THEN RETURN NEW; END IF; RAISE EXCEPTION '{_BACK}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_update BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse_update()"
        )
    op.execute("DROP TRIGGER counts_refuse_change ON counts")
    op.execute(
        "CREATE TRIGGER counts_refuse_change BEFORE UPDATE ON counts "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE FUNCTION refuse_counts_of_the_living() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {COUNTS_MAY_GO} THEN RETURN OLD; END IF; RAISE EXCEPTION '{_COUNTED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER counts_refuse_delete BEFORE DELETE ON counts "
        "FOR EACH ROW EXECUTE FUNCTION refuse_counts_of_the_living()"
    )


def downgrade() -> None:
    raise NoWayBack

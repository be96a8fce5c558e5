"""Holds: matters, holds, releases, notices to custodians, and quarantine.

What an operator will notice: attorneys can open matters and place holds; what
a hold covers is not disposed of, and a page that one concerns is not paused.
Notices to custodians need the mail server that other letters need.

Revision: 0011
Follows: 0010
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.LargeBinary(length=16)


def _only(*kept: str, once: str = "") -> str:
    """That an update leaves the columns `kept` as they are, and `once` where it is set already."""
    same = [f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in kept]
    ends = [f"(OLD.{once} IS NULL OR NEW.{once} IS NOT DISTINCT FROM OLD.{once})"] if once else []
    return "(" + " AND ".join([*same, *ends]) + ")"


GUARDED: dict[str, tuple[str, str | None]] = {
    "matters": (
        "a matter stays, and is closed once",
        _only("key", "id", "entry", "silent", once="closed_entry"),
    ),
    "matter_acts": ("which matter an act is on never changes", None),
    "matter_members": (
        "who worked on a matter stays, and ends once",
        _only("key", "matter", "officer", "entry", once="ended_entry"),
    ),
    "custodians": (
        "a custodian stays, and ends once",
        _only("key", "id", "matter", "entry", once="ended_entry"),
    ),
    "holds": (
        "a hold stays, and is released once",
        _only("key", "id", "matter", "request", "entry", once="released_entry")[:-1]
        + " AND NEW.reached >= OLD.reached)",
    ),
    "hold_records": ("what a hold covers only grows", None),
    "hold_consents": ("a consent never changes", None),
    "releases": (
        "a release stays as it was asked for and approved, and ends once",
        _only("key", "hold", "asked_by", "asked_entry", once="ended_entry")[:-1]
        + " AND (OLD.approved_entry IS NULL OR (NEW.approved_entry = OLD.approved_entry"
        " AND NEW.effective_at = OLD.effective_at)))",
    ),
    "hold_notices": (
        "a notice stays, and is acknowledged once",
        _only("key", "id", "hold", "custodian", "entry", "kind", "at", once="acknowledged_entry"),
    ),
    "quarantines": (
        "a quarantine stays, and ends once",
        _only("key", "record", "entry", "ordered_by", "named", once="ended_entry"),
    ),
}
"""By table: what is said to whoever changes it, and which updates are none of that; None: no update at all."""


def upgrade() -> None:
    op.create_table(
        "matters",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("closed_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_matters")),
        sa.UniqueConstraint("id", name=op.f("uq_matters_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_matters_entry")),
    )
    op.create_table(
        "matter_acts",
        sa.Column("entry", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("matter", KEY),
        sa.Column("hold", ID),
        sa.Column("empty", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_matter_acts")),
        sa.ForeignKeyConstraint(["matter"], ["matters.key"], name=op.f("fk_matter_acts_matter_matters")),
    )
    op.create_index("ix_matter_acts_matter", "matter_acts", ["matter"])
    op.create_index("ix_matter_acts_hold", "matter_acts", ["hold"])
    op.create_table(
        "matter_members",
        sa.Column("key", KEY, nullable=False),
        sa.Column("matter", KEY, nullable=False),
        sa.Column("officer", ID, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_matter_members")),
        sa.ForeignKeyConstraint(["matter"], ["matters.key"], name=op.f("fk_matter_members_matter_matters")),
    )
    op.create_index("ix_matter_members_matter", "matter_members", ["matter"])
    op.create_table(
        "custodians",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("matter", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_custodians")),
        sa.UniqueConstraint("id", name=op.f("uq_custodians_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_custodians_entry")),
        sa.ForeignKeyConstraint(["matter"], ["matters.key"], name=op.f("fk_custodians_matter_matters")),
    )
    op.create_index("ix_custodians_matter", "custodians", ["matter"])
    op.create_table(
        "holds",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("matter", KEY),
        sa.Column("request", ID),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("released_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_holds")),
        sa.UniqueConstraint("id", name=op.f("uq_holds_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_holds_entry")),
        sa.ForeignKeyConstraint(["matter"], ["matters.key"], name=op.f("fk_holds_matter_matters")),
    )
    op.create_index("ix_holds_matter", "holds", ["matter"])
    op.create_table(
        "hold_records",
        sa.Column("hold", KEY, nullable=False, autoincrement=False),
        sa.Column("record", KEY, nullable=False, autoincrement=False),
        sa.Column("basis", sa.String(length=9), nullable=False),
        sa.PrimaryKeyConstraint("hold", "record", name=op.f("pk_hold_records")),
        sa.ForeignKeyConstraint(["hold"], ["holds.key"], name=op.f("fk_hold_records_hold_holds")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_hold_records_record_records")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_hold_records_record", "hold_records", ["record"])
    op.create_table(
        "hold_consents",
        sa.Column("hold", KEY, nullable=False, autoincrement=False),
        sa.Column("page", KEY, nullable=False, autoincrement=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hold", "page", name=op.f("pk_hold_consents")),
        sa.ForeignKeyConstraint(["hold"], ["holds.key"], name=op.f("fk_hold_consents_hold_holds")),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_hold_consents_page_pages")),
    )
    op.create_table(
        "releases",
        sa.Column("key", KEY, nullable=False),
        sa.Column("hold", KEY, nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_entry", sa.BigInteger(), nullable=False),
        sa.Column("approved_entry", sa.BigInteger()),
        sa.Column("effective_at", sa.BigInteger()),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_releases")),
        sa.UniqueConstraint("asked_entry", name=op.f("uq_releases_asked_entry")),
        sa.ForeignKeyConstraint(["hold"], ["holds.key"], name=op.f("fk_releases_hold_holds")),
    )
    op.create_index("ix_releases_hold", "releases", ["hold"])
    op.create_table(
        "hold_notices",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("hold", KEY, nullable=False),
        sa.Column("custodian", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32)),
        sa.Column("sent_entry", sa.BigInteger()),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("letters", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("acknowledged_entry", sa.BigInteger()),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hold_notices")),
        sa.UniqueConstraint("id", name=op.f("uq_hold_notices_id")),
        sa.UniqueConstraint("digest", name=op.f("uq_hold_notices_digest")),
        sa.ForeignKeyConstraint(["hold"], ["holds.key"], name=op.f("fk_hold_notices_hold_holds")),
        sa.ForeignKeyConstraint(
            ["custodian"], ["custodians.key"], name=op.f("fk_hold_notices_custodian_custodians")
        ),
    )
    op.create_index("ix_hold_notices_hold", "hold_notices", ["hold"])
    op.create_table(
        "quarantines",
        sa.Column("key", KEY, nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("ordered_by", ID, nullable=False),
        sa.Column("named", ID, nullable=False),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_quarantines")),
        sa.UniqueConstraint("entry", name=op.f("uq_quarantines_entry")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_quarantines_record_records")),
    )
    op.create_index("ix_quarantines_record", "quarantines", ["record"])
    guard = _guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgresql
    for table, (words, may) in GUARDED.items():
        guard(table, words, may)


def _guard_sqlite(table: str, words: str, may: str | None) -> None:
    lite = may.replace("IS NOT DISTINCT FROM", "IS") if may else None
    for change, unless in (("DELETE", ""), ("UPDATE", f"WHEN NOT {lite} " if lite else "")):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} {unless}"
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _guard_postgresql(table: str, words: str, may: str | None) -> None:
    function = "refuse_change"
    if may is not None:
        function = f"refuse_change_of_{table}"
        op.execute(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' AND {may} THEN RETURN NEW; END IF; RAISE EXCEPTION '{words}'; END $$"
        )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NoWayBack

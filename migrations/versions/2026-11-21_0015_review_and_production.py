"""Review and production: what was selected for a request, what is taken out of records, and what left under which numbers.

What an operator will notice: records can be selected and reviewed for a
request, and productions made of them.

Revision: 0015
Follows: 0014
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.LargeBinary(length=16)
DIGEST = sa.LargeBinary(length=32)


def _only(*kept: str, once: tuple[str, ...]) -> str:
    """A row changes in nothing but these columns, each of them once."""
    same = [f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in kept]
    ends = [f"(OLD.{name} IS NULL OR NEW.{name} IS NOT DISTINCT FROM OLD.{name})" for name in once]
    return "(" + " AND ".join([*same, *ends]) + ")"


GUARDED: dict[str, tuple[str, str | None]] = {
    "selections": ("a step of a selection never changes", None),
    "selected": (
        "that a record was selected stays, and ends once",
        _only("key", "request", "record", "entry", once=("left_entry",)),
    ),
    "redactions": (
        "a redaction stays, and is approved and retracted once",
        _only(
            "key",
            "id",
            "request",
            "record",
            "kind",
            "entry",
            "officer",
            once=("approved_entry", "retracted_entry"),
        ),
    ),
    "reviewed": (
        "that somebody looked stays, and ends once",
        _only("key", "request", "record", "entry", "act", "officer", once=("ended_entry",)),
    ),
    "review_rules": ("a rule of a review stays; another one follows it", None),
    "productions": (
        "a production stays, and is issued, given up and asked back once",
        _only(
            "key",
            "id",
            "request",
            "entry",
            "number",
            "prefix",
            "first",
            "made_at",
            "size",
            once=("last", "records", "withheld", "issued_entry", "digest", "given_up_entry", "clawed_entry"),
        ),
    ),
    "produced": ("what left under which number never changes", None),
    "handovers": (
        "to whom a production was given stays, and that it was taken once",
        _only("key", "production", "entry", "token", "until", once=("taken_entry",)),
    ),
}
"""By table: what is said to whoever changes it, and which updates are none of that; None: no update at all."""


def upgrade() -> None:
    op.create_table(
        "selections",
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", ID, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(length=9), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_selections")),
        sa.UniqueConstraint("entry", name=op.f("uq_selections_entry")),
    )
    op.create_index("ix_selections_request", "selections", ["request"])
    op.create_table(
        "selected",
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", ID, nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("left_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_selected")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_selected_record_records")),
    )
    op.create_index("ix_selected_record", "selected", ["record"])
    op.create_index(
        "ix_selected_request",
        "selected",
        ["request", "record"],
        unique=True,
        sqlite_where=sa.text("left_entry IS NULL"),
        postgresql_where=sa.text("left_entry IS NULL"),
    )
    op.create_table(
        "redactions",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("request", ID, nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("officer", ID, nullable=False),
        sa.Column("approved_entry", sa.BigInteger()),
        sa.Column("retracted_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_redactions")),
        sa.UniqueConstraint("id", name=op.f("uq_redactions_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_redactions_entry")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_redactions_record_records")),
    )
    op.create_index("ix_redactions_record", "redactions", ["record"])
    op.create_index("ix_redactions_request", "redactions", ["request"])
    op.create_table(
        "reviewed",
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", ID, nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=8), nullable=False),
        sa.Column("officer", ID, nullable=False),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_reviewed")),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_reviewed_record_records")),
    )
    op.create_index("ix_reviewed_record", "reviewed", ["record"])
    op.create_index("ix_reviewed_request", "reviewed", ["request", "record"])
    op.create_table(
        "review_rules",
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", ID, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("two_persons", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_review_rules")),
        sa.UniqueConstraint("entry", name=op.f("uq_review_rules_entry")),
    )
    op.create_index("ix_review_rules_request", "review_rules", ["request"])
    op.create_table(
        "productions",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("request", ID, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=64), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger()),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger()),
        sa.Column("withheld", sa.BigInteger()),
        sa.Column("issued_entry", sa.BigInteger()),
        sa.Column("digest", DIGEST),
        sa.Column("given_up_entry", sa.BigInteger()),
        sa.Column("clawed_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_productions")),
        sa.UniqueConstraint("id", name=op.f("uq_productions_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_productions_entry")),
        sa.UniqueConstraint("number", name=op.f("uq_productions_number")),
    )
    op.create_index("ix_productions_request", "productions", ["request"])
    op.create_index("ix_productions_prefix", "productions", ["prefix", "first"])
    op.create_table(
        "produced",
        sa.Column("production", KEY, nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("decisions", DIGEST, nullable=False),
        sa.PrimaryKeyConstraint("production", "record", name=op.f("pk_produced")),
        sa.ForeignKeyConstraint(
            ["production"], ["productions.key"], name=op.f("fk_produced_production_productions")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_produced_record_records")),
    )
    op.create_index("ix_produced_record", "produced", ["record"])
    op.create_table(
        "handovers",
        sa.Column("key", KEY, nullable=False),
        sa.Column("production", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("token", DIGEST),
        sa.Column("until", sa.BigInteger()),
        sa.Column("taken_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_handovers")),
        sa.UniqueConstraint("entry", name=op.f("uq_handovers_entry")),
        sa.UniqueConstraint("token", name=op.f("uq_handovers_token")),
        sa.ForeignKeyConstraint(
            ["production"], ["productions.key"], name=op.f("fk_handovers_production_productions")
        ),
    )
    op.create_index("ix_handovers_production", "handovers", ["production"])
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

"""Search for counsel: saved searches, alerts, and drafts of search declarations.

What an operator will notice: searches can be kept and shared, somebody can be
told by letter when what is captured meets one, and drafts of search
declarations are kept. Letters of alerts need the mail server that other
letters need.

Revision: 0009
Follows: 0008
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SEARCH_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.entry = OLD.entry
    AND NEW.officer = OLD.officer AND NEW.shared = OLD.shared
    AND (OLD.removed_entry IS NULL OR NEW.removed_entry IS NOT DISTINCT FROM OLD.removed_entry)
)"""
ALERT_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.search = OLD.search
    AND NEW.entry = OLD.entry AND NEW.officer = OLD.officer
    AND (OLD.ended_entry IS NULL OR NEW.ended_entry IS NOT DISTINCT FROM OLD.ended_entry)
)"""
_SEARCHES = "a saved search is named anew or removed once, and its entry stays"
_ALERTS = "whose alert it is never changes, and it ends once"
_DECLARATIONS = "a declaration never changes"


def upgrade() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("named_entry", sa.BigInteger()),
        sa.Column("removed_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("id", name=op.f("uq_saved_searches_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_saved_searches_entry")),
    )
    op.create_index("ix_saved_searches_officer", "saved_searches", ["officer"])
    op.create_table(
        "alerts",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("search", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("letter", KEY),
        sa.Column("said_reached", sa.BigInteger()),
        sa.Column("said_found", sa.BigInteger()),
        sa.Column("ended_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alerts")),
        sa.UniqueConstraint("id", name=op.f("uq_alerts_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_alerts_entry")),
        sa.ForeignKeyConstraint(
            ["search"], ["saved_searches.key"], name=op.f("fk_alerts_search_saved_searches")
        ),
        sa.ForeignKeyConstraint(["letter"], ["letters.key"], name=op.f("fk_alerts_letter_letters")),
    )
    op.create_index("ix_alerts_search", "alerts", ["search"])
    op.create_table(
        "declarations",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("messages", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_declarations")),
        sa.UniqueConstraint("id", name=op.f("uq_declarations_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_declarations_entry")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table, change, words, unless in (
        ("saved_searches", "DELETE", _SEARCHES, ""),
        ("saved_searches", "UPDATE", _SEARCHES, f"WHEN NOT {_lite(SEARCH_MAY)} "),
        ("alerts", "DELETE", _ALERTS, ""),
        ("alerts", "UPDATE", _ALERTS, f"WHEN NOT {_lite(ALERT_MAY)} "),
        ("declarations", "DELETE", _DECLARATIONS, ""),
        ("declarations", "UPDATE", _DECLARATIONS, ""),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} {unless}"
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _lite(condition: str) -> str:
    """The same as SQLite of every age writes it."""
    return condition.replace("IS NOT DISTINCT FROM", "IS")


def _guard_postgresql() -> None:
    for table, function, may, words in (
        ("saved_searches", "refuse_change_of_a_saved_search", SEARCH_MAY, _SEARCHES),
        ("alerts", "refuse_change_of_an_alert", ALERT_MAY, _ALERTS),
    ):
        op.execute(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' AND {may} THEN RETURN NEW; END IF; RAISE EXCEPTION '{words}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER declarations_refuse_change BEFORE UPDATE OR DELETE ON declarations "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table in ("saved_searches", "alerts", "declarations"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NoWayBack

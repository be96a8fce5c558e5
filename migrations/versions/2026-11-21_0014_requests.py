"""Requests: public-records requests, the law under which each was received, and what happened to them.

What an operator will notice: requests can be opened; from that moment nothing
on their pages and dates is disposed of. Laws of the agency's own lie in the
folder of MUNIMENT_REQUEST_LAWS, HOME/request_laws where it is not set.

Revision: 0014
Follows: 0013
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.LargeBinary(length=16)
_KEPT = (
    "key", "id", "entry", "year", "number", "law", "edition", "track", "received_at", "requester",
    "from_day", "until_day", "target_day",
)  # fmt: skip
_REQUEST_MAY = (
    "("
    + " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _KEPT)
    + " AND NEW.state_entry >= OLD.state_entry"
    + " AND (NEW.state_entry > OLD.state_entry OR (NEW.state = OLD.state AND NEW.outcome IS NOT DISTINCT FROM OLD.outcome))"
    + " AND (OLD.litigant IS NULL OR NEW.litigant IS NOT DISTINCT FROM OLD.litigant)"
    + " AND (OLD.let_go_entry IS NULL OR NEW.state_entry > OLD.state_entry"
    " OR NEW.let_go_entry IS NOT DISTINCT FROM OLD.let_go_entry)"
    + " AND (NEW.custodian IS NOT DISTINCT FROM OLD.custodian OR COALESCE(NEW.custodian_entry, -1) > COALESCE(OLD.custodian_entry, -1)))"
)
GUARDED: dict[str, tuple[str, str | None]] = {
    "request_laws": ("the law under which a request was received never changes", None),
    "requests": ("a request stays as it was received, and moves on with an entry", _REQUEST_MAY),
    "request_pages": ("the pages of a request never change", None),
    "request_events": ("what happened to a request never changes", None),
    "request_papers": ("what came with a request and what went out never changes", None),
    "request_times": ("time that was written down never changes; a correction is a row of its own", None),
    "request_fees": ("a fee that was written down never changes", None),
}
"""By table: what is said to whoever changes it, and which updates are none of that; None: no update at all."""


def upgrade() -> None:
    op.create_table(
        "request_laws",
        sa.Column("key", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_laws")),
        sa.UniqueConstraint("digest", name=op.f("uq_request_laws_digest")),
    )
    op.create_table(
        "requests",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("law", KEY, nullable=False),
        sa.Column("edition", sa.String(length=80), nullable=False),
        sa.Column("track", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("target_day", sa.String(length=10)),
        sa.Column("litigant", sa.Boolean()),
        sa.Column("requester", ID),
        sa.Column("from_day", sa.String(length=10)),
        sa.Column("until_day", sa.String(length=10)),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("state_entry", sa.BigInteger(), nullable=False),
        sa.Column("custodian", ID),
        sa.Column("custodian_entry", sa.BigInteger()),
        sa.Column("outcome", sa.String(length=12)),
        sa.Column("let_go_entry", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_requests")),
        sa.UniqueConstraint("id", name=op.f("uq_requests_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_requests_entry")),
        sa.UniqueConstraint("year", "number", name=op.f("uq_requests_year_number")),
        sa.ForeignKeyConstraint(["law"], ["request_laws.key"], name=op.f("fk_requests_law_request_laws")),
    )
    op.create_index("ix_requests_state", "requests", ["state"])
    op.create_index("ix_requests_requester", "requests", ["requester"])
    op.create_table(
        "request_pages",
        sa.Column("request", KEY, nullable=False, autoincrement=False),
        sa.Column("page", KEY, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("request", "page", name=op.f("pk_request_pages")),
        sa.ForeignKeyConstraint(
            ["request"], ["requests.key"], name=op.f("fk_request_pages_request_requests")
        ),
        sa.ForeignKeyConstraint(["page"], ["pages.key"], name=op.f("fk_request_pages_page_pages")),
    )
    op.create_table(
        "request_events",
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=60), server_default="", nullable=False),
        sa.Column("rule", sa.String(length=60), server_default="", nullable=False),
        sa.Column("days", sa.Integer(), server_default="0", nullable=False),
        sa.Column("on_day", sa.String(length=10)),
        sa.Column("number", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_events")),
        sa.ForeignKeyConstraint(
            ["request"], ["requests.key"], name=op.f("fk_request_events_request_requests")
        ),
    )
    op.create_index("ix_request_events_request", "request_events", ["request"])
    op.create_table(
        "request_papers",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("request", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_papers")),
        sa.UniqueConstraint("id", name=op.f("uq_request_papers_id")),
        sa.ForeignKeyConstraint(
            ["request"], ["requests.key"], name=op.f("fk_request_papers_request_requests")
        ),
    )
    op.create_index("ix_request_papers_request", "request_papers", ["request"])
    op.create_table(
        "request_times",
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("work", sa.String(length=20), nullable=False),
        sa.Column("officer", ID, nullable=False),
        sa.Column("cents_an_hour", sa.Integer()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_times")),
        sa.UniqueConstraint("entry", name=op.f("uq_request_times_entry")),
        sa.ForeignKeyConstraint(
            ["request"], ["requests.key"], name=op.f("fk_request_times_request_requests")
        ),
    )
    op.create_index("ix_request_times_request", "request_times", ["request"])
    op.create_table(
        "request_fees",
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_fees")),
        sa.UniqueConstraint("entry", name=op.f("uq_request_fees_entry")),
        sa.ForeignKeyConstraint(["request"], ["requests.key"], name=op.f("fk_request_fees_request_requests")),
    )
    op.create_index("ix_request_fees_request", "request_fees", ["request"])
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

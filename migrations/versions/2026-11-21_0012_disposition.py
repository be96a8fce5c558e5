"""Disposition: what is proposed for disposal, who approved it, what was transferred.

What an operator will notice: records whose schedule has run out can be
proposed, approved by several people, and disposed of after a waiting period.
Nothing is disposed of by itself: a person executes. Letters of disposition
need the mail server that other letters need. After a restore that lost entries
of the ledger an attorney has to confirm the holds before anything executes.

Revision: 0012
Follows: 0011
Made: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

PROPOSAL_MAY = """(
    NEW.key = OLD.key AND NEW.id = OLD.id AND NEW.entry = OLD.entry AND NEW.kind = OLD.kind
    AND NEW.officer = OLD.officer AND NEW.series = OLD.series AND NEW.on_day = OLD.on_day
    AND NEW.edition = OLD.edition AND NEW.n = OLD.n AND NEW.stayed = OLD.stayed
    AND NEW.waiting_days = OLD.waiting_days
    AND (OLD.opens_on IS NULL OR NEW.opens_on IS NOT DISTINCT FROM OLD.opens_on)
    AND (NEW.state = OLD.state
        OR (OLD.state = 'proposed' AND NEW.state IN ('approved', 'rejected', 'withdrawn'))
        OR (OLD.state = 'approved' AND NEW.state IN ('executing', 'withdrawn'))
        OR (OLD.state = 'executing' AND NEW.state IN ('executed', 'withdrawn'))
        OR (NEW.state = 'executed' AND EXISTS (SELECT 1 FROM tombstones WHERE tombstones.batch = NEW.id)))
)"""
LISTED_MAY = """(
    NEW.proposal = OLD.proposal AND NEW.record = OLD.record AND NEW.ground = OLD.ground
    AND (OLD.out_entry IS NULL OR NEW.out_entry IS NOT DISTINCT FROM OLD.out_entry)
)"""
TRANSFER_MAY = """(
    NEW.key = OLD.key AND NEW.proposal = OLD.proposal AND NEW.entry = OLD.entry AND NEW.bag = OLD.bag
    AND NEW.n = OLD.n AND OLD.receipt_entry IS NULL
)"""
CHANGES = {"proposals": PROPOSAL_MAY, "proposal_records": LISTED_MAY, "transfers": TRANSFER_MAY}
NEVER_CHANGE = ("proposal_approvals", "transfer_records", "hold_confirmations")
BY_THE_PROPOSER = """EXISTS (
    SELECT 1 FROM proposals WHERE proposals.key = NEW.proposal AND proposals.officer = NEW.officer
)"""
_BACK = "a proposal never goes back, and its list only loses records"
_NEVER = "what was approved, packed or confirmed never changes"
_ALONE = "nobody approves what they proposed"


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("series", sa.String(length=80), nullable=False),
        sa.Column("on_day", sa.String(length=10), nullable=False),
        sa.Column("edition", sa.LargeBinary(length=32), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("stayed", sa.BigInteger(), nullable=False),
        sa.Column("waiting_days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("state_entry", sa.BigInteger(), nullable=False),
        sa.Column("opens_on", sa.String(length=10)),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_proposals")),
        sa.UniqueConstraint("id", name=op.f("uq_proposals_id")),
        sa.UniqueConstraint("entry", name=op.f("uq_proposals_entry")),
    )
    op.create_index("ix_proposals_state", "proposals", ["state"])
    op.create_table(
        "proposal_records",
        sa.Column("proposal", KEY, autoincrement=False, nullable=False),
        sa.Column("record", KEY, autoincrement=False, nullable=False),
        sa.Column("ground", sa.Integer(), nullable=False),
        sa.Column("out_entry", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["proposal"], ["proposals.key"], name=op.f("fk_proposal_records_proposal_proposals")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_proposal_records_record_records")),
        sa.PrimaryKeyConstraint("proposal", "record", name=op.f("pk_proposal_records")),
    )
    op.create_index("ix_proposal_records_record", "proposal_records", ["record"])
    op.create_table(
        "proposal_approvals",
        sa.Column("key", KEY, nullable=False),
        sa.Column("proposal", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal"], ["proposals.key"], name=op.f("fk_proposal_approvals_proposal_proposals")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_proposal_approvals")),
        sa.UniqueConstraint("entry", name=op.f("uq_proposal_approvals_entry")),
        sa.UniqueConstraint(
            "proposal", "officer", "digest", name=op.f("uq_proposal_approvals_proposal_officer_digest")
        ),
    )
    op.create_table(
        "transfers",
        sa.Column("key", KEY, nullable=False),
        sa.Column("proposal", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("bag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("receipt_entry", sa.BigInteger()),
        sa.Column("receipt", sa.LargeBinary(length=32)),
        sa.ForeignKeyConstraint(
            ["proposal"], ["proposals.key"], name=op.f("fk_transfers_proposal_proposals")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_transfers")),
        sa.UniqueConstraint("entry", name=op.f("uq_transfers_entry")),
    )
    op.create_table(
        "transfer_records",
        sa.Column("transfer", KEY, autoincrement=False, nullable=False),
        sa.Column("record", KEY, autoincrement=False, nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transfer"], ["transfers.key"], name=op.f("fk_transfer_records_transfer_transfers")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.key"], name=op.f("fk_transfer_records_record_records")),
        sa.PrimaryKeyConstraint("transfer", "record", name=op.f("pk_transfer_records")),
    )
    op.create_table(
        "hold_confirmations",
        sa.Column("key", KEY, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hold_confirmations")),
        sa.UniqueConstraint("entry", name=op.f("uq_hold_confirmations_entry")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table, may in CHANGES.items():
        condition = may.replace("IS NOT DISTINCT FROM", "IS")
        op.execute(
            f"CREATE TRIGGER {table}_refuse_update BEFORE UPDATE ON {table} WHEN NOT {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{_BACK}'); END"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{_BACK}'); END"
        )
    for table in NEVER_CHANGE:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
            )
    op.execute(
        "CREATE TRIGGER proposal_approvals_refuse_alone BEFORE INSERT ON proposal_approvals "
        f"WHEN {BY_THE_PROPOSER} BEGIN SELECT RAISE(ABORT, '{_ALONE}'); END"
    )


def _guard_postgresql() -> None:
    for table, may in CHANGES.items():
        op.execute(
            f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' AND {may} THEN RETURN NEW; END IF; RAISE EXCEPTION '{_BACK}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse_change()"
        )
    for table in NEVER_CHANGE:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in (*CHANGES, *NEVER_CHANGE):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE FUNCTION refuse_approving_alone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {BY_THE_PROPOSER} THEN RAISE EXCEPTION '{_ALONE}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER proposal_approvals_refuse_alone BEFORE INSERT ON proposal_approvals "
        "FOR EACH ROW EXECUTE FUNCTION refuse_approving_alone()"
    )


def downgrade() -> None:
    raise NoWayBack

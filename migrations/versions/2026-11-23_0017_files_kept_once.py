"""Files that several records have are kept once.

What an operator will notice: a picture that comes again with another record
takes no more room. Files that were kept before stay as they are and open as
before; nothing is sealed anew.

Revision: 0017
Follows: 0016
Made: 2026-11-23
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attachments", sa.Column("file", sa.LargeBinary(length=16)))
    op.add_column("attachments", sa.Column("wrapped", sa.LargeBinary()))
    op.add_column("attachments", sa.Column("content_mac", sa.LargeBinary(length=16)))
    for name in ("file", "content_mac"):
        op.create_index(
            f"ix_attachments_{name}",
            "attachments",
            [name, "key"],
            sqlite_where=sa.text(f"{name} IS NOT NULL"),
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )


def downgrade() -> None:
    raise NoWayBack

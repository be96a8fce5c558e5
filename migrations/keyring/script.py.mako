"""${message}

What an operator will notice: …

Never rewrite a ledger row. Never drop a column that a sealed production refers to.

Revision: ${up_revision}
Follows: ${down_revision | comma,n}
Made: ${create_date}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db.migrate import NoWayBack
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    raise NoWayBack

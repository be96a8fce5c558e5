"""The rows of the store. They hold no words, names, handles or native ids: content is sealed, look-ups are keyed.

Times are whole microseconds since 1970 in UTC. `key` columns are internal
numbers; `id` columns are the random ids that leave the house.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")

archive = Table(
    "archive",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about this archive: agency, domain, time zone, origin of the ledger, format."""

pages = Table(
    "pages",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("connector", String(64), nullable=False),
    Column("platform", String(64), nullable=False),
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("custodian", Text, nullable=False, server_default=""),
    Column("options", Text, nullable=False, server_default="{}"),
    Column("status", String(16), nullable=False),
    Column("approved", Boolean, nullable=False, server_default="0"),
    Column("added_at", BigInteger, nullable=False),
    Column("sealed_cursor", LargeBinary),
    Column("sealed_secret", LargeBinary),
    Column("lease_owner", String(64)),
    Column("lease_until", BigInteger),
    UniqueConstraint("platform", "name"),
)

records = Table(
    "records",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("native_mac", LargeBinary(16), nullable=False),
    Column("parent_mac", LargeBinary(16)),
    Column("state", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("published_at", BigInteger),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("received", Boolean, nullable=False),
    Column("counts", Text),
    UniqueConstraint("native_mac"),
)
Index("ix_records_page", records.c.page)
Index(
    "ix_records_parent_mac",
    records.c.parent_mac,
    sqlite_where=records.c.parent_mac.is_not(None),
    postgresql_where=records.c.parent_mac.is_not(None),
)

counts = Table(
    "counts",
    metadata,
    Column("record", Key, ForeignKey("records.key"), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("counts", Text, nullable=False),
)
"""Likes, shares and views as they were seen: a series of their own, numbers only."""

objects = Table(
    "objects",
    metadata,
    Column("key", Key, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("record", Key, ForeignKey("records.key"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("state", String(8), nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("last_seen_before", BigInteger),
    Column("exchange", Key, nullable=False),
    Column("object", Key, ForeignKey("objects.key"), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("mark", LargeBinary(16), nullable=False),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("run", Key, ForeignKey("runs.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("envelope", Key, nullable=False),
    Column("layout", LargeBinary, nullable=False),
)

pieces = Table(
    "pieces",
    metadata,
    Column("key", Key, primary_key=True),
    Column("record", Key),
    Column("circle", Key),
    Column("exchange", Key),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("object", Key, ForeignKey("objects.key"), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
)
for _owner in ("record", "circle", "exchange"):
    Index(
        f"ix_pieces_{_owner}",
        pieces.c[_owner],
        sqlite_where=pieces.c[_owner].is_not(None),
        postgresql_where=pieces.c[_owner].is_not(None),
    )

circles = Table(
    "circles",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("mac", LargeBinary(16), nullable=False, unique=True),
)
"""A circle is the set of records that share a piece. Its secret is wrapped under each member's own."""

circle_members = Table(
    "circle_members",
    metadata,
    Column("circle", Key, ForeignKey("circles.key"), primary_key=True),
    Column("record", Key, ForeignKey("records.key"), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
Index("ix_circle_members_record", circle_members.c.record)

attachments = Table(
    "attachments",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("mac", LargeBinary(16), nullable=False),
    Column("piece", Key),
    Column("state", String(8), nullable=False),
    UniqueConstraint("record", "mac"),
)

runs = Table(
    "runs",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("page", Key, ForeignKey("pages.key")),
    Column("kind", String(8), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("status", String(8), nullable=False),
    Column("tally", Text, nullable=False, server_default="{}"),
    Column("sealed_note", LargeBinary),
)
Index("ix_runs_page_began_at", runs.c.page, runs.c.began_at)

gaps = Table(
    "gaps",
    metadata,
    Column("key", Key, primary_key=True),
    Column("run", Key, ForeignKey("runs.key"), nullable=False),
    Column("page", Key, ForeignKey("pages.key")),
    Column("entry", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("since", BigInteger),
    Column("until", BigInteger),
    Column("native_mac", LargeBinary(16)),
)
Index("ix_gaps_page", gaps.c.page)
Index("ix_gaps_run", gaps.c.run)

entries = Table(
    "entries",
    metadata,
    Column("index", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

acts = Table(
    "acts",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("officer", LargeBinary(16)),
    Column("subject", LargeBinary(16)),
    Column("secret", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
Index("ix_acts_subject", acts.c.subject)
"""The detail of an entry: who, why and what, sealed under a secret of its own and committed in the entry."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

manifests = Table(
    "manifests",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("day", String(10), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("previous", BigInteger),
    Column("through", BigInteger, nullable=False),
)
Index("ix_manifests_page_day", manifests.c.page, manifests.c.day)

tombstones = Table(
    "tombstones",
    metadata,
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
    Column("batch", LargeBinary(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)

accesses = Table(
    "accesses",
    metadata,
    Column("key", Key, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("officer", LargeBinary(16)),
    Column("action", String(24), nullable=False),
    Column("record", LargeBinary(16)),
    Column("sealed", LargeBinary, nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
)
Index("ix_accesses_day", accesses.c.day)
Index("ix_accesses_officer", accesses.c.officer)
Index("ix_accesses_record", accesses.c.record)

access_digests = Table(
    "access_digests",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("entry", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)

officers = Table(
    "officers",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("password", Text),
    Column("roles", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("added_at", BigInteger, nullable=False),
)

passes = Table(
    "passes",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("officer", Key, ForeignKey("officers.key"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("used_at", BigInteger),
)
Index("ix_passes_officer", passes.c.officer)
"""Tokens, sessions, invitations and reset links: only their SHA-256 is kept."""

tries = Table(
    "tries",
    metadata,
    Column("key", Key, primary_key=True),
    Column("subject", LargeBinary(32), nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("ix_tries_subject_at", tries.c.subject, tries.c.at)

jobs = Table(
    "jobs",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("last_began_at", BigInteger),
    Column("last_ended_at", BigInteger),
    Column("last_outcome", Text),
)

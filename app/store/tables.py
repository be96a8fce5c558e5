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
    Column("sealed_secret", LargeBinary),
    Column("lease_owner", String(64)),
    Column("lease_until", BigInteger),
    Column("pace", Text, nullable=False, server_default="{}"),
    Column("purpose", Text, nullable=False, server_default=""),
    Column("scope", Text, nullable=False, server_default=""),
    Column("audiences", Text, nullable=False, server_default="[]"),
    Column("official_site", Text, nullable=False, server_default=""),
    Column("review_on", String(10)),
    Column("policy", String(40), nullable=False, server_default=""),
    Column("approved_until", String(10)),
    UniqueConstraint("platform", "name"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("page", Key, ForeignKey("pages.key"), primary_key=True),
    Column("name", String(12), primary_key=True),
    Column("sealed_cursor", LargeBinary),
    Column("published_from", BigInteger),
    Column("published_until", BigInteger),
    Column("unfinished", Boolean, nullable=False, server_default="0"),
    Column("finished_at", BigInteger),
    Column("lease_owner", String(64)),
    Column("lease_until", BigInteger),
)
"""How far each kind of pass over a page has come: the cursor it goes on from, and the span that it is about."""

stated = Table(
    "stated",
    metadata,
    Column("run", Key, ForeignKey("runs.key"), primary_key=True),
    Column("kinds", String(40), primary_key=True),
    Column("total", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
)
"""What the platform said it has of some kinds, and what was held of them when it said so."""

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
    Column("alike", Key),
)
"""`alike` is an earlier exchange whose layout is this one's too; `layout` is then empty."""

layouts = Table(
    "layouts",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("exchange", Key, ForeignKey("exchanges.key"), nullable=False),
)
"""Where a layout stands already: a night in which nothing changed refers to it."""

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

circle_parts = Table(
    "circle_parts",
    metadata,
    Column("circle", Key, ForeignKey("circles.key"), primary_key=True),
    Column("part", Key, ForeignKey("circles.key"), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
"""The circles in a circle: its secret is wrapped under theirs too, so that many records share a piece in few rows."""

ended_circles = Table(
    "ended_circles",
    metadata,
    Column("circle", Key, ForeignKey("circles.key"), primary_key=True, autoincrement=False),
)
"""Circles whose records were all disposed of; the database lets none in before, and their pieces go only then."""

attachments = Table(
    "attachments",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("mac", LargeBinary(16), nullable=False),
    Column("piece", Key),
    Column("state", String(8), nullable=False),
    Column("file", LargeBinary(16)),
    Column("wrapped", LargeBinary),
    Column("content_mac", LargeBinary(16)),
    UniqueConstraint("record", "mac"),
)
"""`file` is what the bytes were sealed as, `wrapped` the secret that opens them, under the record's own.

Records that have the same bytes attached have the same `file`. Both are null
where the bytes were sealed under the record's own secret. `content_mac` is a
keyed digest, by which the next record that has these bytes finds them.
"""
for _found_by in ("file", "content_mac"):
    Index(
        f"ix_attachments_{_found_by}",
        attachments.c[_found_by],
        attachments.c.key,
        sqlite_where=attachments.c[_found_by].is_not(None),
        postgresql_where=attachments.c[_found_by].is_not(None),
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
    Column("lane", String(12), nullable=False, server_default="whole"),
    Column("published_from", BigInteger),
    Column("published_until", BigInteger),
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

suppressed = Table(
    "suppressed",
    metadata,
    Column("mac", LargeBinary(16), primary_key=True),
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
)
"""What was disposed of and is not kept again, by a keyed digest of page and native id.

One that a hold let in again, and that was disposed of once more, has a second row.
"""

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

connections = Table(
    "connections",
    metadata,
    Column("page", Key, ForeignKey("pages.key"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("how", String(8), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("officer", LargeBinary(16)),
    Column("renewed_at", BigInteger, nullable=False),
    Column("access_until", BigInteger),
    Column("refresh_until", BigInteger),
    Column("stated_until", BigInteger),
    Column("renews", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""How a page is connected: since when, by which officer, until when. Its credentials lie sealed with the page itself.

`number` is another one after every change of the credentials, so that another
process notices. `sealed` holds who permitted it, whose the credentials are, and
what was permitted.
"""

renewals = Table(
    "renewals",
    metadata,
    Column("page", Key, ForeignKey("pages.key"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("owner", String(80)),
    Column("until", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sealed_answer", LargeBinary),
)
"""A renewal under way: written before a refresh token is used, and the answer before anything is done with it."""

connect_links = Table(
    "connect_links",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("officer", LargeBinary(16), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("sealed", LargeBinary, nullable=False),
)
Index("ix_connect_links_page", connect_links.c.page)
"""Links that let a page's manager connect it, once: only the SHA-256 of each is kept."""

connect_visits = Table(
    "connect_visits",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("link", LargeBinary(32), ForeignKey("connect_links.digest"), nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("sealed", LargeBinary, nullable=False),
)
Index("ix_connect_visits_link", connect_visits.c.link)
"""Managers who are at a platform to permit the archive: the SHA-256 of the state that they come back with."""

applications = Table(
    "applications",
    metadata,
    Column("connector", String(64), primary_key=True),
    Column("origin", String(300), primary_key=True),
    Column("redirect", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""The applications that servers registered for this archive without asking a person."""

hints = Table(
    "hints",
    metadata,
    Column("key", Key, primary_key=True),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("mac", LargeBinary(16), nullable=False),
    Column("sealed_what", LargeBinary),
    Column("since", BigInteger),
    Column("first_at", BigInteger, nullable=False),
    Column("told_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("taken_at", BigInteger),
    Column("done_at", BigInteger),
    UniqueConstraint("page", "mac"),
)
Index("ix_hints_told_at", hints.c.told_at)
"""Where to look, because a platform told by itself that something happened there. One row, however often it was told.

`sealed_what` is what is to be looked at, while nobody has; `since` is set where
it is a pass over what was published since then. A row is done when it was read
after it was told last.
"""

deliveries = Table(
    "deliveries",
    metadata,
    Column("connector", String(64), primary_key=True),
    Column("mark", LargeBinary(32), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
Index("ix_deliveries_at", deliveries.c.at)
"""The marks of deliveries that were accepted, for as long as one may be sent again: keyed digests that tell nothing."""

hooks = Table(
    "hooks",
    metadata,
    Column("connector", String(64), primary_key=True),
    Column("outcome", String(8), primary_key=True),
    Column("why", String(200), primary_key=True),
    Column("times", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)
"""What became of everything that came to a platform's door: how often, and when first and last."""

troubles = Table(
    "troubles",
    metadata,
    Column("key", Key, primary_key=True),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("cause", String(16), nullable=False),
    Column("lane", String(12), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("run", Key, ForeignKey("runs.key"), nullable=False),
    Column("last_good", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_run", Key, ForeignKey("runs.key")),
)
Index("ix_troubles_page", troubles.c.page)
"""When capture of a page went wrong, and when it was well again; people are told of both once."""

letters = Table(
    "letters",
    metadata,
    Column("key", Key, primary_key=True),
    Column("topic", String(16), nullable=False),
    Column("page", Key, ForeignKey("pages.key")),
    Column("trouble", Key, ForeignKey("troubles.key")),
    Column("mark", String(64), nullable=False, server_default=""),
    Column("recipient", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("told_at", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", BigInteger, nullable=False),
    Column("failure", Text),
    UniqueConstraint("topic", "mark", "recipient"),
)
Index("ix_letters_told_at", letters.c.told_at)
"""Who is to be told of what, and when they were; the words are written when the letter goes."""

delegations = Table(
    "delegations",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("given_by", LargeBinary(16), nullable=False),
    Column("given_to", LargeBinary(16), nullable=False),
    Column("since", String(10), nullable=False),
    Column("until", String(10)),
    Column("ended_entry", BigInteger),
)
"""Who may approve pages in the chief's place, from which day to which; the instrument stands in the entry's detail."""

approvals = Table(
    "approvals",
    metadata,
    Column("key", Key, primary_key=True),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("act", String(12), nullable=False),
    Column("authority", String(12), nullable=False),
    Column("delegation", Key, ForeignKey("delegations.key")),
    Column("until", String(10)),
)
Index("ix_approvals_page", approvals.c.page)
"""Every approval of a page and every withdrawal, on whose authority; who, when and why stand in the entry's detail."""

managers = Table(
    "managers",
    metadata,
    Column("key", Key, primary_key=True),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("since", String(10), nullable=False),
    Column("until", String(10)),
    Column("ended_entry", BigInteger),
)
Index("ix_managers_page", managers.c.page)
"""Who was authorised to manage a page, from which day to which; their names stand in the entry's detail."""

statement_answers = Table(
    "statement_answers",
    metadata,
    Column("key", Key, primary_key=True),
    Column("page", Key, ForeignKey("pages.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("policy", String(40), nullable=False),
    Column("statement", String(40), nullable=False),
    Column("answer", String(12), nullable=False),
    Column("record", LargeBinary(16)),
    Column("version", Integer),
    Column("source", Text, nullable=False),
)
Index("ix_statement_answers_page", statement_answers.c.page)
"""What a page's introduction said of each required statement, whenever the answer changed.

`source` names the records and versions that were read; the words that were
found stand in the entry's detail.
"""

authorisations = Table(
    "authorisations",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("page", Key, ForeignKey("pages.key")),
    Column("record", LargeBinary(16)),
    Column("given_on", String(10), nullable=False),
    Column("until", String(10)),
    Column("written", Boolean, nullable=False),
    Column("ended_entry", BigInteger),
)
"""Who may disclose what: the words stand in the entry's detail."""

violations = Table(
    "violations",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("page", Key, ForeignKey("pages.key")),
    Column("record", LargeBinary(16)),
    Column("answer_entry", BigInteger),
)
"""Reports of a posting or page that violates the policy, open until a supervisor answers."""

anchors = Table(
    "anchors",
    metadata,
    Column("key", Key, primary_key=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("size", BigInteger, ForeignKey("checkpoints.size"), nullable=False),
    Column("authority", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Column("policy", String(200), nullable=False),
    Column("serial", String(200), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("token", LargeBinary, nullable=False),
    Column("roots", Text, nullable=False),
)
Index("ix_anchors_size", anchors.c.size)
Index("ix_anchors_authority", anchors.c.authority)
"""Timestamps of others (RFC 3161) over checkpoints as the ledger signed them: `at` is the authority's time.

`roots` holds the certificates to which the token's led when it was checked.
"""

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("key", Key, primary_key=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("size", BigInteger, ForeignKey("checkpoints.size"), nullable=False),
    Column("witness", String(500), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("line", Text, nullable=False),
    UniqueConstraint("size", "witness"),
)
Index("ix_cosignatures_witness", cosignatures.c.witness)
"""What witnesses signed: that they saw this checkpoint, and that it continues all that they saw before."""

attempts = Table(
    "attempts",
    metadata,
    Column("key", Key, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("whom", String(500), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("failure", String(64)),
)
Index("ix_attempts_kind_whom", attempts.c.kind, attempts.c.whom)
"""When an authority or a witness was asked, for a checkpoint of how many entries, and what went wrong if anything did."""

disposals = Table(
    "disposals",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("series", String(80), nullable=False),
    Column("citation", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("final_entry", BigInteger),
)
"""A batch of records whose destruction was authorised, and by what; `final_entry` when no key backup opens it any more."""

disposal_records = Table(
    "disposal_records",
    metadata,
    Column("batch", Key, ForeignKey("disposals.key"), primary_key=True, autoincrement=False),
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
    Column("state", String(10), nullable=False),
    Column("entry", BigInteger),
)
Index(
    "ix_disposal_records_record",
    disposal_records.c.record,
    unique=True,
    sqlite_where=disposal_records.c.state != "withdrawn",
    postgresql_where=disposal_records.c.state != "withdrawn",
)
"""What became of each record of a batch: authorised, then withdrawn or destroyed, then verified.

`entry` is the one that withdrew or destroyed it. A record stands in one batch
only, unless it was withdrawn from the others.
"""

forgotten = Table(
    "forgotten",
    metadata,
    Column("owner", LargeBinary(16), primary_key=True),
    Column("batch", Key, ForeignKey("disposals.key"), nullable=False),
    Column("kind", String(8), nullable=False),
)
"""Secrets that went with a batch beside those of its records: of acts and exchanges that name one of them."""

unlinked = Table(
    "unlinked",
    metadata,
    Column("object", Key, ForeignKey("objects.key"), primary_key=True, autoincrement=False),
    Column("batch", Key, ForeignKey("disposals.key"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
)
"""Objects in which nothing can be opened any more.

`until` is when to try and remove them, later where the storage locks them;
there is none where they are gone.
"""

backups = Table(
    "backups",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("data_place", Text),
    Column("keys_place", Text),
    Column("epoch", Integer, nullable=False),
    Column("destroyed_entry", BigInteger),
)
"""Backups: where each set was put, and the oldest epoch whose key the copy of the keys holds.

The row is written before anything is copied, so that no copy of the keys is
unknown; `done_at` is when the sets were whole, `destroyed_entry` where somebody
said that the copy of the keys is destroyed. A copy that is known only from the
set that was restored has no entry.
"""

ledger_epochs = Table(
    "ledger_epochs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(300), nullable=False, unique=True),
    Column("vkey", Text, nullable=False),
    Column("reached", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("succession", Text, nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
)
"""Epochs of the ledger that a restore ended: under which name and key, and how far their entries are still here.

`reached` entries are here; `size` and `root` are the last checkpoint known to
have been signed, which may lie beyond; `entry` began the epoch after it.
`succession` is what its key signed last: the key of the epoch after it.
"""

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("officer", LargeBinary(16), nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("named_entry", BigInteger),
    Column("removed_entry", BigInteger),
)
Index("ix_saved_searches_officer", saved_searches.c.officer)
"""Searches that officers keep, for themselves or for everybody; name and query stand in the entry's detail.

`named_entry` gave it another name, `removed_entry` took it off the list.
"""

alerts = Table(
    "alerts",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("search", Key, ForeignKey("saved_searches.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("officer", LargeBinary(16), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("reached", BigInteger, nullable=False),
    Column("found", BigInteger, nullable=False, server_default="0"),
    Column("letter", Key, ForeignKey("letters.key")),
    Column("said_reached", BigInteger),
    Column("said_found", BigInteger),
    Column("ended_entry", BigInteger),
)
Index("ix_alerts_search", alerts.c.search)
"""Saved searches that are read against whatever is captured: a follower of the ledger for each.

Entries below `reached` were read, and `found` records are new to the search
since the size `since`, up to which its owner was told. `letter` is the one that
is to tell of them; `said_reached` and `said_found` are what it said when it went.
"""

declarations = Table(
    "declarations",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("messages", Boolean, nullable=False),
)
"""Drafts of search declarations: what was found as of which size of the ledger. The query stands in the entry's detail."""

# -- retention: schedules adopted, events, assignments ---------------------------------------------------------

schedules = Table(
    "schedules",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("adopted_on", String(10), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("ended_on", String(10)),
    Column("ended_entry", BigInteger),
)
"""Editions of schedules as they were adopted, each with the exact bytes of its file, which are public.

`ended_on` is the first day on which an edition binds no more. By which
instrument it was adopted stands in the entry's detail.
"""

classified = Table(
    "classified",
    metadata,
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
    Column("series", String(80)),
    Column("schedule", Key, ForeignKey("schedules.key")),
    Column("priority", Integer),
    Column("entry", BigInteger),
    Column("incoming", Boolean),
    Column("authored", Boolean, nullable=False),
    Column("spoken", Boolean, nullable=False),
)
Index("ix_classified_series", classified.c.series, classified.c.record)
"""Into which series the rules put a record: by which rule of which edition, and the entry of the batch that did.

Without a series no rule told one, and without an entry none ever did. Beside it stands what rules ask of a record
and no row said: whether the public sent it, and whether each version names an
author and a language. All of it is derived, and is made anew from the records.
"""

assigned = Table(
    "assigned",
    metadata,
    Column("key", Key, primary_key=True),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("officer", LargeBinary(16), nullable=False),
    Column("series", String(80), nullable=False),
    Column("ended_entry", BigInteger),
)
Index(
    "ix_assigned_record",
    assigned.c.record,
    unique=True,
    sqlite_where=assigned.c.ended_entry.is_(None),
    postgresql_where=assigned.c.ended_entry.is_(None),
)
"""Series that officers gave to records, which outrank every rule; one at a time."""

retention_events = Table(
    "retention_events",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("name", String(80), nullable=False),
    Column("about", String(80), nullable=False, server_default=""),
    Column("after_on", String(10)),
    Column("by_on", String(10)),
    Column("signed_by", LargeBinary(16)),
    Column("evidence", LargeBinary(16)),
    Column("superseded_entry", BigInteger),
    UniqueConstraint("record", "id"),
)
Index("ix_retention_events_name", retention_events.c.name)
"""What happened to records and no capture shows: recorded by people, or read by the classification.

It happened not before `after_on` and at the latest on `by_on`; without either
nobody knows when. `evidence` is the record that shows it. A correction is
another event, and `superseded_entry` names its entry.
"""

to_classify = Table(
    "to_classify",
    metadata,
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
)
"""Records of which a fact changed without a capture of theirs; they are classified anew, and leave the list."""

page_authors = Table(
    "page_authors",
    metadata,
    Column("page", Key, ForeignKey("pages.key"), primary_key=True, autoincrement=False),
    Column("authors", LargeBinary(16), nullable=False),
)
"""A keyed digest of who a page publishes as; when it changes, whoever sent its records is told anew."""

classifyings = Table(
    "classifyings",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("rules", LargeBinary(32), nullable=False),
    Column("reached", BigInteger, nullable=False, server_default="0"),
    Column("ended_entry", BigInteger),
)
"""Classifications of everything by the rules of the editions in force: how far each came, by the key of the record."""

followed = Table(
    "followed",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("reached", BigInteger, nullable=False),
)
"""How many entries of the ledger each follower of it has seen."""

days_seen = Table(
    "days_seen",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
"""The civil days that the archive has seen, in the agency's time zone; none is ever taken back."""

# -- holds: matters, holds, notices, quarantine ----------------------------------------------------------------

matters = Table(
    "matters",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("silent", Boolean, nullable=False),
    Column("closed_entry", BigInteger),
)
"""Litigations, audits and investigations; name, pages, trigger and notes stand in the details of its acts."""

matter_acts = Table(
    "matter_acts",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("matter", Key, ForeignKey("matters.key")),
    Column("hold", LargeBinary(16)),
    Column("empty", Boolean, nullable=False, server_default="0"),
)
Index("ix_matter_acts_matter", matter_acts.c.matter)
Index("ix_matter_acts_hold", matter_acts.c.hold)
"""Which matter an act of the type `act` is on, and which hold.

An act on the hold of a records request has no matter. An empty one is on
nothing: such entries are written at random, so that their number in the
ledger tells of no silent matter.
"""

matter_members = Table(
    "matter_members",
    metadata,
    Column("key", Key, primary_key=True),
    Column("matter", Key, ForeignKey("matters.key"), nullable=False),
    Column("officer", LargeBinary(16), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("ended_entry", BigInteger),
)
Index("ix_matter_members_matter", matter_members.c.matter)
"""Who works on a matter; a silent one is known to nobody else."""

custodians = Table(
    "custodians",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("matter", Key, ForeignKey("matters.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("ended_entry", BigInteger),
)
Index("ix_custodians_matter", custodians.c.matter)
"""People who must keep what they have for a matter; their names and addresses stand in the entry's detail."""

holds = Table(
    "holds",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("matter", Key, ForeignKey("matters.key")),
    Column("request", LargeBinary(16)),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("reached", BigInteger, nullable=False),
    Column("released_entry", BigInteger),
)
Index("ix_holds_matter", holds.c.matter)
"""Holds: of a matter, or of a records request. The scope stands in the entry's detail.

What was captured in entries below `reached` is read already, and what of it
is covered has its row; a hold is active until `released_entry`.
"""

hold_records = Table(
    "hold_records",
    metadata,
    Column("hold", Key, ForeignKey("holds.key"), primary_key=True, autoincrement=False),
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
    Column("basis", String(9), nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_hold_records_record", hold_records.c.record)
"""What a hold covers: met its scope, could not be decided, or was named. Rows are only added."""

hold_consents = Table(
    "hold_consents",
    metadata,
    Column("hold", Key, ForeignKey("holds.key"), primary_key=True, autoincrement=False),
    Column("page", Key, ForeignKey("pages.key"), primary_key=True, autoincrement=False),
    Column("entry", BigInteger, nullable=False),
)
"""That a page may be paused or removed although a hold concerns it: an attorney of the matter consented."""

releases = Table(
    "releases",
    metadata,
    Column("key", Key, primary_key=True),
    Column("hold", Key, ForeignKey("holds.key"), nullable=False),
    Column("asked_by", LargeBinary(16), nullable=False),
    Column("asked_entry", BigInteger, nullable=False, unique=True),
    Column("approved_entry", BigInteger),
    Column("effective_at", BigInteger),
    Column("ended_entry", BigInteger),
)
Index("ix_releases_hold", releases.c.hold)
"""That a hold is to be released: asked, approved by a second person, then cancelled or carried out (`ended_entry`)."""

hold_notices = Table(
    "hold_notices",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("hold", Key, ForeignKey("holds.key"), nullable=False),
    Column("custodian", Key, ForeignKey("custodians.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), unique=True),
    Column("sent_entry", BigInteger),
    Column("sent_at", BigInteger),
    Column("letters", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", BigInteger, nullable=False),
    Column("failure", Text),
    Column("acknowledged_entry", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("ended_entry", BigInteger),
)
Index("ix_hold_notices_hold", hold_notices.c.hold)
"""Notices to custodians: `letters` were sent of it (the notice, then reminders), `next_at` is when the next is due.

`digest` is the SHA-256 of the secret in the newest letter's link. A notice
that another replaced, or whose hold was released, has ended.
"""

quarantines = Table(
    "quarantines",
    metadata,
    Column("key", Key, primary_key=True),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("ordered_by", LargeBinary(16), nullable=False),
    Column("named", LargeBinary(16), nullable=False),
    Column("ended_entry", BigInteger),
)
Index("ix_quarantines_record", quarantines.c.record)
"""Records to which only two people have access, until it ends."""

# -- disposition: proposals, approvals, transfers --------------------------------------------------------------

proposals = Table(
    "proposals",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("officer", LargeBinary(16), nullable=False),
    Column("series", String(80), nullable=False),
    Column("on_day", String(10), nullable=False),
    Column("edition", LargeBinary(32), nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("stayed", BigInteger, nullable=False),
    Column("waiting_days", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("state_entry", BigInteger, nullable=False),
    Column("opens_on", String(10)),
)
Index("ix_proposals_state", proposals.c.state)
"""What is proposed for disposal: by whom, under which edition (its digest), how many records, and how it stands.

Once it is approved a batch of the same id is authorised; `opens_on` is the
first day on which that may be executed. Why, and each record's grounds, stand
in the entry's detail.
"""

proposal_records = Table(
    "proposal_records",
    metadata,
    Column("proposal", Key, ForeignKey("proposals.key"), primary_key=True, autoincrement=False),
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
    Column("ground", Integer, nullable=False),
    Column("out_entry", BigInteger),
)
Index("ix_proposal_records_record", proposal_records.c.record)
"""The list of a proposal: `ground` counts in the grounds of its entry; `out_entry` took the record off the list."""

proposal_approvals = Table(
    "proposal_approvals",
    metadata,
    Column("key", Key, primary_key=True),
    Column("proposal", Key, ForeignKey("proposals.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("officer", LargeBinary(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("role", String(24), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    UniqueConstraint("proposal", "officer", "digest"),
)
"""Who approved a proposal in which role; `digest` is of edition and list as they were: of others it is no approval."""

transfers = Table(
    "transfers",
    metadata,
    Column("key", Key, primary_key=True),
    Column("proposal", Key, ForeignKey("proposals.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("bag", LargeBinary(32), nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("receipt_entry", BigInteger),
    Column("receipt", LargeBinary(32)),
)
"""A bag for the archives: the SHA-256 of its tag manifest, and of the receipt that they gave for it."""

transfer_records = Table(
    "transfer_records",
    metadata,
    Column("transfer", Key, ForeignKey("transfers.key"), primary_key=True, autoincrement=False),
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
    Column("files", Integer, nullable=False),
)
"""What was in a bag, each record with so many attachments: nothing else of its list is disposed of by the receipt for it."""

hold_confirmations = Table(
    "hold_confirmations",
    metadata,
    Column("key", Key, primary_key=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("officer", LargeBinary(16), nullable=False),
    Column("epoch", Integer, nullable=False),
)
"""Who confirmed, after a restore that lost entries, that the holds are as they should be, for which epoch of the ledger."""

# -- tags ------------------------------------------------------------------------------------------------------

tags = Table(
    "tags",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("mac", LargeBinary(16), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("removed_entry", BigInteger),
)
Index("ix_tags_mac", tags.c.mac)
Index(
    "ix_tags_record",
    tags.c.record,
    tags.c.mac,
    unique=True,
    sqlite_where=tags.c.removed_entry.is_(None),
    postgresql_where=tags.c.removed_entry.is_(None),
)
"""Tags that officers gave records. The word stands sealed in the entry's detail; `mac` is what it is found by."""

# -- review and production ---------------------------------------------------------------------------------------

selections = Table(
    "selections",
    metadata,
    Column("key", Key, primary_key=True),
    Column("request", LargeBinary(16), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("how", String(9), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)
Index("ix_selections_request", selections.c.request)
"""What was selected for a request: by a question (`query`), by hand (`added`, `removed`), or `confirmed` by a person.

`size` is the ledger's size as of which it was asked, `n` and `digest` say how
many records are selected after it, and which. The question stands in the entry's detail.
"""

selected = Table(
    "selected",
    metadata,
    Column("key", Key, primary_key=True),
    Column("request", LargeBinary(16), nullable=False),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("left_entry", BigInteger),
)
Index("ix_selected_record", selected.c.record)
Index(
    "ix_selected_request",
    selected.c.request,
    selected.c.record,
    unique=True,
    sqlite_where=selected.c.left_entry.is_(None),
    postgresql_where=selected.c.left_entry.is_(None),
)
"""The records of a selection: which entry brought each in, and which took it out again."""

redactions = Table(
    "redactions",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("request", LargeBinary(16), nullable=False),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("officer", LargeBinary(16), nullable=False),
    Column("approved_entry", BigInteger),
    Column("retracted_entry", BigInteger),
)
Index("ix_redactions_record", redactions.c.record)
Index("ix_redactions_request", redactions.c.request)
"""What is taken out of every rendition of a record, whoever asks for it: span, field, region, attachment, or the record.

`leaves` is the decision that an attachment leaves whole although something else
does not. Where it stands, on what ground and why are in the entry's detail,
which goes with the record.
"""

reviewed = Table(
    "reviewed",
    metadata,
    Column("key", Key, primary_key=True),
    Column("request", LargeBinary(16), nullable=False),
    Column("record", Key, ForeignKey("records.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("act", String(8), nullable=False),
    Column("officer", LargeBinary(16), nullable=False),
    Column("ended_entry", BigInteger),
)
Index("ix_reviewed_record", reviewed.c.record)
Index("ix_reviewed_request", reviewed.c.request, reviewed.c.record)
"""What people did with a record for a request: `assigned` to an officer, `looked` through, `second` looked through by another.

It ends where the record changed or something was decided anew.
"""

review_rules = Table(
    "review_rules",
    metadata,
    Column("key", Key, primary_key=True),
    Column("request", LargeBinary(16), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("two_persons", Boolean, nullable=False),
)
Index("ix_review_rules_request", review_rules.c.request)
"""Whether a request asks for a second person's look at whatever is taken out; the newest row counts."""

productions = Table(
    "productions",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("request", LargeBinary(16), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("number", String(64), nullable=False, unique=True),
    Column("prefix", String(64), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger),
    Column("made_at", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("records", BigInteger),
    Column("withheld", BigInteger),
    Column("issued_entry", BigInteger),
    Column("digest", LargeBinary(32)),
    Column("given_up_entry", BigInteger),
    Column("clawed_entry", BigInteger),
)
Index("ix_productions_request", productions.c.request)
Index("ix_productions_prefix", productions.c.prefix, productions.c.first)
"""The productions of a request: their numbers, as of which size of the ledger, and the digest of what was sealed.

`issued_entry` is there once it was sealed, `given_up_entry` once nobody builds it
any more, `clawed_entry` once it was asked back.
"""

produced = Table(
    "produced",
    metadata,
    Column("production", Key, ForeignKey("productions.key"), primary_key=True, autoincrement=False),
    Column("record", Key, ForeignKey("records.key"), primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("how", String(8), nullable=False),
    Column("decisions", LargeBinary(32), nullable=False),
)
Index("ix_produced_record", produced.c.record)
"""What left of each record, under which numbers: `whole`, `redacted` or `withheld`; `decisions` is a keyed digest of what was taken out."""

handovers = Table(
    "handovers",
    metadata,
    Column("key", Key, primary_key=True),
    Column("production", Key, ForeignKey("productions.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("token", LargeBinary(32), unique=True),
    Column("until", BigInteger),
    Column("taken_entry", BigInteger),
)
Index("ix_handovers_production", handovers.c.production)
"""To whom a production was given: by hand, or by a link that works until a moment; who it was stands in the entry's detail."""

# -- requests for records ----------------------------------------------------------------------------------------

request_laws = Table(
    "request_laws",
    metadata,
    Column("key", Key, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
)
"""The files of public-records laws under which requests were received, byte for byte."""

requests = Table(
    "requests",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("law", Key, ForeignKey("request_laws.key"), nullable=False),
    Column("edition", String(80), nullable=False),
    Column("track", String(40), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("target_day", String(10)),
    Column("litigant", Boolean),
    Column("requester", LargeBinary(16)),
    Column("from_day", String(10)),
    Column("until_day", String(10)),
    Column("state", String(10), nullable=False),
    Column("state_entry", BigInteger, nullable=False),
    Column("custodian", LargeBinary(16)),
    Column("custodian_entry", BigInteger),
    Column("outcome", String(12)),
    Column("let_go_entry", BigInteger),
    UniqueConstraint("year", "number"),
)
Index("ix_requests_state", requests.c.state)
Index("ix_requests_requester", requests.c.requester)
"""Requests for records: number, the edition of the law under which each was received, and how it stands.

Words, requester and address stand in the entry's detail; `requester` is a keyed
digest by which several requests of one person are told, None where nothing is
known of them. `let_go_entry` is there once nothing is held for it any more.
"""

request_pages = Table(
    "request_pages",
    metadata,
    Column("request", Key, ForeignKey("requests.key"), primary_key=True, autoincrement=False),
    Column("page", Key, ForeignKey("pages.key"), primary_key=True, autoincrement=False),
)
"""The pages that a request is about; none: the whole archive."""

request_events = Table(
    "request_events",
    metadata,
    Column("key", Key, primary_key=True),
    Column("request", Key, ForeignKey("requests.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("event", String(24), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("code", String(60), nullable=False, server_default=""),
    Column("rule", String(60), nullable=False, server_default=""),
    Column("days", Integer, nullable=False, server_default="0"),
    Column("on_day", String(10)),
    Column("number", Integer, nullable=False, server_default="0"),
)
Index("ix_request_events_request", request_events.c.request)
"""What happened to a request and when: what its clocks are reckoned from. Words stand in the entries' details."""

request_papers = Table(
    "request_papers",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary(16), nullable=False, unique=True),
    Column("request", Key, ForeignKey("requests.key"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
Index("ix_request_papers_request", request_papers.c.request)
"""What came with a request and what went out: the message as it arrived, its attachments, each letter.

Sealed under the secret of the act that kept it; name, media type and SHA-256
stand in that act's detail.
"""

request_times = Table(
    "request_times",
    metadata,
    Column("key", Key, primary_key=True),
    Column("request", Key, ForeignKey("requests.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("day", String(10), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("work", String(20), nullable=False),
    Column("officer", LargeBinary(16), nullable=False),
    Column("cents_an_hour", Integer),
)
Index("ix_request_times_request", request_times.c.request)
"""Time that was spent on a request: whose, on which day, on what; a correction is a row of its own, with minutes below zero."""

request_fees = Table(
    "request_fees",
    metadata,
    Column("key", Key, primary_key=True),
    Column("request", Key, ForeignKey("requests.key"), nullable=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("act", String(10), nullable=False),
    Column("cents", BigInteger, nullable=False),
)
Index("ix_request_fees_request", request_fees.c.request)
"""Fees of a request: estimated, told to the requester (`notice`), paid, waived."""

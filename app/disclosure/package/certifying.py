"""Drafts for the witness: what the archive knows of a production, written down for a person to read, complete and sign.

A certification under Rules 902(11), (13) and (14) of the Federal Rules of
Evidence, or the state's own rule, is the statement of a qualified person. The
archive cannot make it. What it can do is to fill in what a witness would
otherwise have to look up, with where to check each, to leave blanks where only
a person can speak, and to say what is not claimed. Nothing here is signed, and
nothing here decides what is admissible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select

from app.db import Tx, from_instant
from app.disclosure.package.completing import GapTold, PageAccount
from app.disclosure.package.recipe import Recipe
from app.papers.blocks import Block, Heading, Listed, Paragraph, Signature, Table
from app.store import witness
from app.store.note import Checkpoint, opened
from app.store.store import Store
from app.store.tables import acts, checkpoints, entries
from app.store.tables import anchors as anchor_rows
from connectors import registry

BLANK = "______________________________"
"""Left for a person: what the archive cannot know."""
_MOST = 200

NOT_CLAIMED = (
    "that an author is who the name says: names, handles and ids are as the platform gave them",
    "that the platform served the truth, or served others the same: what is proven is what the archive was given",
    "that a statement in a record is true, relevant or admissible: authenticity alone is spoken of here",
    "that nothing was published that the archive did not see: gaps, blind spots and the time before the first capture are listed",
    "when something was observed, beyond what timestamps of others attest: times of observation are the archive's own clock",
    "that records which were received in a file were shown by the platform: of these only what the file said is proven",
)


@dataclass(frozen=True, slots=True)
class Document:
    """A paper, before it is typeset."""

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a production holds."""

    documents: int
    pages: int
    released: int
    redacted: int
    withheld: int
    versions: int
    attachments: int
    compared: int
    """Versions whose payload was compared with the digest in its statement."""
    received: int
    kept_back: int
    """Entries of the ledger that are shown of withheld records."""
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the archive knows of itself that bears on how its records are made: read once, for all papers."""

    origin: str
    key: str
    size: int
    root: str
    signed_at: datetime | None
    witnesses: Sequence[str]
    timestamps: Sequence[tuple[str, datetime, int]]
    """Authority, time, and over how many entries; the newest few."""
    covering: Sequence[tuple[int, datetime, str]]
    """By size: the checkpoints that cover the entries of this production, when each was timestamped first, and by whom."""
    clock: tuple[float, float] | None
    """By how many seconds the archive's clock was ahead of authorities, least and most."""
    fixity: Sequence[tuple[datetime, int]]
    """When parts of everything kept were read again, and how many findings there were; the newest."""
    fixity_findings: int
    restores: int
    delays: int
    """How often an authority or a witness did not answer and was noted."""
    routes: Sequence[tuple[str, str, str, str]]
    """Of each page: its name, the connector, the route, and what it sees."""
    blind_spots: Sequence[tuple[str, str]]


def known(
    store: Store, tx: Tx, recipe: Recipe, accounts: Sequence[PageAccount], covering: Sequence[int] = ()
) -> Known:
    """Read it, as of the recipe; `covering` are the sizes of the timestamped checkpoints that its proofs stand under."""
    size = recipe.checkpoint or recipe.as_of
    row = tx.execute(select(checkpoints).where(checkpoints.c.size == size)).one_or_none()
    by = store.ledger.verifier_at(tx, size)
    said = Checkpoint.parse(opened(str(row.note), by)) if row is not None else None
    tokens = tx.execute(
        select(anchor_rows.c.authority, anchor_rows.c.at, anchor_rows.c.size, anchor_rows.c.kept_at)
        .where(anchor_rows.c.entry < recipe.as_of)
        .order_by(anchor_rows.c.key.desc())
        .limit(_MOST)
    ).all()
    ahead = [(one.kept_at - one.at) / 1_000_000 for one in tokens]
    rounds = _rounds(tx, recipe.as_of)
    connectors = {one.name: one for one in registry.connectors()}
    routes, blind = [], []
    for account in accounts:
        manifest = connectors.get(account.page.connector)
        sees = ", ".join(f"{what}: {how}" for what, how in manifest.captures.items()) if manifest else ""
        routes.append(
            (
                account.page.name,
                manifest.title if manifest else account.page.connector,
                manifest.route if manifest else "",
                sees,
            )
        )
        blind += [(account.page.name, one) for one in account.blind_spots]
    return Known(
        origin=store.agency.origin,
        key=by.line(),
        size=size,
        root=said.root.hex() if said is not None else "",
        signed_at=from_instant(row.signed_at) if row is not None else None,
        witnesses=[key.name for key, _ in witness.lines_over(tx, size)],
        timestamps=[(one.authority, from_instant(one.at), one.size) for one in tokens[:5]],
        covering=_covering(tx, covering, recipe.as_of),
        clock=(min(ahead), max(ahead)) if ahead else None,
        fixity=[(at, findings) for at, findings in rounds[:5]],
        fixity_findings=sum(findings for _, findings in rounds),
        restores=len(store.ledger.ended(tx)),
        delays=_number(tx, ("anchor-delayed", "cosignature-delayed"), recipe.as_of),
        routes=routes,
        blind_spots=blind,
    )


def _covering(tx: Tx, sizes: Sequence[int], as_of: int) -> list[tuple[int, datetime, str]]:
    asked = (
        select(anchor_rows.c.size, anchor_rows.c.at, anchor_rows.c.authority)
        .where(anchor_rows.c.size.in_(sizes[:_MOST]), anchor_rows.c.entry < as_of)
        .order_by(anchor_rows.c.size, anchor_rows.c.at)
    )
    found: dict[int, tuple[int, datetime, str]] = {}
    for size, at, authority in tx.execute(asked):
        found.setdefault(size, (size, from_instant(at), authority))
    return list(found.values())


def _rounds(tx: Tx, size: int) -> list[tuple[datetime, int]]:
    asked = (
        select(acts.c.at, entries.c.body)
        .join(entries, entries.c.index == acts.c.entry)
        .where(acts.c.type == "fixity", acts.c.entry < size)
        .order_by(acts.c.entry.desc())
        .limit(_MOST)
    )
    return [
        (from_instant(row.at), int(msgspec.json.decode(bytes(row.body)).get("findings", 0)))
        for row in tx.execute(asked)
    ]


def _number(tx: Tx, types: Sequence[str], size: int) -> int:
    asked = select(acts.c.entry).where(acts.c.type.in_(types), acts.c.entry < size)
    return len(tx.execute(asked).all())


# -- the papers --------------------------------------------------------------------------------------------


def certification(recipe: Recipe, counts: Counts, told: Known, digest: Mapping[str, str]) -> Document:
    """The draft certification. `digest` are files of the bag and their SHA-256, to which the exhibit refers."""
    return Document(
        "902-certification",
        f"Draft certification of records: {recipe.number}",
        [
            Paragraph(
                "DRAFT, NOT SIGNED. Prepared by the archive for a qualified person, who answers for every word of it,"
                " corrects what is wrong, fills what is blank and strikes what does not apply. Rules: Federal Rules of"
                " Evidence 902(11), 902(13) and 902(14); declaration under 28 U.S.C. § 1746. A state court has its own"
                " rule: replace the citation. Counsel gives the other side reasonable written notice."
            ),
            Heading("Who declares"),
            Table(
                ("Asked", "Answer"),
                [
                    ("Name", BLANK),
                    ("Employer", recipe.agency),
                    ("Title, and for how long", BLANK),
                    ("Training and experience with this system", BLANK),
                    ("Responsible for it since", BLANK),
                ],
            ),
            Heading("What these records are"),
            Paragraph(
                f"Production {recipe.number} in answer to {recipe.request}: {counts.documents} documents on"
                f" {counts.pages} numbered pages, {counts.first} to {counts.last}; {counts.released} records are"
                f" released, {counts.redacted} of these in part, and {counts.withheld} are withheld, each with a"
                " slip-sheet in its place. They are postings of the pages named below, and of those who answered there."
            ),
            Paragraph(
                "Kept in the course of a regularly conducted activity, as a regular practice, and made at or near the"
                f" time by the process described below (Rule 902(11), 803(6)): {BLANK} (the declarant says whether,"
                " and of which records; what strangers wrote is hearsay in them)."
            ),
            *_process(told),
            Heading("Copies and their comparison (Rule 902(14))"),
            Paragraph(
                f"Of {counts.compared} versions of records the bytes that the platform gave, or the line of the file in"
                f" which they were received, lie in this production. Each was compared on"
                f" {_day(recipe.made_at)} by {recipe.software} with the SHA-256 that its statement recorded when it was"
                " captured; all were equal, or nothing would have been produced. Records of which something was taken"
                " out carry their statement and commitment, and no bytes."
            ),
            Table(("Exhibit", "SHA-256"), sorted(digest.items())),
            Paragraph(
                "The tables list, for each record: its numbers, its id, its address on the platform, when it was published"
                " as the platform says and observed by the archive's clock, SHA-256 and size of its native file, and its"
                " entries in the ledger. When each entry existed at the latest, by others' clocks, follows from its index"
                " and the table of timestamps below."
            ),
            *_time(told),
            *_incidents(told, ()),
            Heading("What was taken out"),
            Paragraph(
                f"{counts.redacted} records in part and {counts.withheld} as a whole, by the persons and on the grounds"
                " that the logs name. When this was made the unredacted originals were in the archive. Whether they"
                f" still are, and if not, under which authority they were disposed of: {BLANK}"
            ),
            Heading("What is not claimed"),
            Listed(NOT_CLAIMED),
            Heading("Declaration"),
            Paragraph(
                "I declare under penalty of perjury under the laws of the United States of America that the foregoing"
                " is true and correct to the best of my knowledge."
            ),
            Signature(("Place and date", "Signature", "Name in print")),
        ],
    )


def description(recipe: Recipe, told: Known) -> Document:
    """What the system is and how it makes records, for whoever has to understand it without it (Rule 902(13))."""
    return Document(
        "system-description",
        f"How these records were made: {recipe.number}",
        [
            Paragraph(
                f"{recipe.agency} keeps its pages with {recipe.software}. What follows is true of that version."
            ),
            *_process(told),
            *_time(told),
            Heading("Who can change what"),
            Listed(
                (
                    "Nobody can change a record: what is captured again and differs is a further version beside it.",
                    "Every act of a person is an entry of the ledger, with who and why; the reasons are sealed.",
                    "Records are disposed of by a schedule that was adopted, with the approvals that it names, never while a hold covers them. Each leaves a tombstone.",
                    "Who holds the machine, its disks and its keys could write another history of what nobody outside had vouched for yet. Timestamps and witnesses bound that time.",
                )
            ),
            Heading("What is not claimed"),
            Listed(NOT_CLAIMED),
        ],
    )


def incidents(
    recipe: Recipe, told: Known, accounts: Sequence[PageAccount], missing: Sequence[GapTold]
) -> Document:
    """What was read again and found as it was, and what was not: fixity, restores, delays, gaps of the time concerned."""
    blocks: list[Block] = [*_incidents(told, accounts)]
    blocks.append(Heading("Gaps in the time concerned"))
    if missing:
        blocks.append(
            Table(
                ("Noted", "What", "Why", "Entry"),
                [(_day(one.at), one.what, one.why, str(one.entry)) for one in missing[:_MOST]],
            )
        )
        if len(missing) > _MOST:
            blocks.append(
                Paragraph(
                    f"{len(missing) - _MOST} more stand in proof/completeness/gaps.jsonl and logs/gaps.csv."
                )
            )
    else:
        blocks.append(Paragraph("None is known."))
    return Document("fixity-and-incidents", f"Fixity and incidents: {recipe.number}", blocks)


def first_read(recipe: Recipe, counts: Counts, sealed: Sequence[str]) -> Document:
    """What whoever opens the folder reads first: what it is, and how to check it."""
    return Document(
        "read-me-first",
        f"Read me first: {recipe.number}",
        [
            Paragraph(
                f"{recipe.agency} gives you this in answer to {recipe.request}, “{recipe.title}”: {counts.documents}"
                f" documents, {counts.first} to {counts.last}, on {counts.pages} pages; {counts.redacted} released in"
                f" part, {counts.withheld} withheld. Made on {_day(recipe.made_at)}."
            ),
            *_before(recipe),
            Heading("To read it"),
            Listed(_to_read(recipe)),
            Heading("To check it"),
            Paragraph(
                "You need neither the agency, nor its program, nor a network. On a computer with Python 3 and openssl:"
            ),
            Listed(
                (
                    "python3 verify/verify.py (or: sh verify/verify.sh) checks everything; verify/verify.md explains each finding; verify/expected-output.txt is what it said when this was made.",
                    "In bag/: sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt, or bagit.py --validate bag.",
                    *sealed,
                    "Keys and certificates in trust/ came with the folder. Compare them with ones that you got another way.",
                )
            ),
            Heading("What it does not show"),
            Listed(NOT_CLAIMED),
        ],
    )


def _before(recipe: Recipe) -> list[Block]:
    """What it has to do with what was given before, where there is anything to say."""
    told: list[str] = []
    if recipe.only_new:
        told.append(
            "It holds what was not given for this request before, or not as it is now; what was given keeps its numbers."
        )
    if recipe.asked_back:
        told.append(f"Asked back: {'; '.join(recipe.asked_back)}. Do not use those any more.")
    return [Paragraph(" ".join(told))] if told else []


def _to_read(recipe: Recipe) -> list[str]:
    forms = {str(one) for one in recipe.forms}
    told = []
    if "pdf" in forms:
        told.append("bag/data/pdf/: every document as a numbered PDF, withheld ones as slip-sheets.")
    if "html" in forms:
        told.append("bag/data/html/index.html: conversations as they stood, in any browser.")
    if forms & {"csv", "xlsx"}:
        told.append(
            f"bag/data/data/{recipe.volume.lower()}.csv and .xlsx: a line for each document; fields.csv explains the columns."
        )
    if forms & {"loadfile", "rsmf"}:
        told.append("bag/data/data/*.dat and *.opt, bag/data/rsmf/: for review programs.")
    told.append("bag/data/logs/: what was taken out or withheld, by whom and on what ground; known gaps.")
    return told


def _process(told: Known) -> list[Block]:
    blocks: list[Block] = [
        Heading("How these records are made (Rule 902(13))"),
        Listed(
            (
                "Capture runs by itself, every few minutes and each night, through the interface that the platform gives to the agency or to everyone. No person copies, types or chooses.",
                "What the platform answers is kept byte for byte, after credentials were replaced. Bytes are cut by the record to which they belong, sealed, and named by their digest.",
                "In the same transaction each version of a record gets a statement of its fields, and an entry in an append-only ledger that commits to it. Nothing is kept without an entry, and no entry is ever rewritten.",
                "A record gets a new version when words, author, attachments or state differ. That something is gone is said only where the platform says so; throttled or failing answers are gaps.",
                "Everything that is kept is read again in turn, and compared with the ledger.",
            )
        ),
        Table(("Page", "Connector", "Route", "What it sees"), list(told.routes)),
    ]
    if told.blind_spots:
        blocks.append(Paragraph("What it cannot see:"))
        blocks.append(Listed([f"{page}: {spot}" for page, spot in told.blind_spots]))
    return blocks


def _time(told: Known) -> list[Block]:
    rows = [
        ("Ledger", told.origin),
        ("Verifier key", told.key),
        ("Checkpoint", f"{told.size} entries, root {told.root}, signed {_second(told.signed_at)}"),
        ("Witnesses", ", ".join(told.witnesses) or "none: no one else cosigned it"),
        (
            "Timestamps",
            "; ".join(f"{name}, {_second(at)}, over {size} entries" for name, at, size in told.timestamps)
            or "none: the times are the archive's own clock",
        ),
    ]
    if told.clock is not None:
        rows.append(
            (
                "Clock",
                f"ahead of the authorities by {told.clock[0]:.1f} to {told.clock[1]:.1f} seconds, their answers' way included",
            )
        )
    return [
        Heading("Ledger, time and witnesses"),
        Paragraph(
            "Three times are never merged: when the platform says that something was published, when the archive"
            " observed it by its own clock, and when at the latest others attest that its entry existed."
        ),
        Table(("What", "As of this production"), rows),
        *_existed(told),
    ]


def _existed(told: Known) -> list[Block]:
    if not told.covering:
        return []
    rows = [(str(size), _second(at), authority) for size, at, authority in told.covering]
    return [
        Paragraph("Entries of this production whose index is smaller existed at the latest:"),
        Table(("Index below", "Existed by", "Attested by"), rows),
    ]


def _incidents(told: Known, accounts: Sequence[PageAccount]) -> list[Block]:
    blocks: list[Block] = [
        Heading("Fixity and incidents"),
        Table(
            ("What", "Known to the archive"),
            [
                (
                    "Read again and compared",
                    "; ".join(f"{_day(at)}: {number} findings" for at, number in told.fixity)
                    or "no round is written down yet",
                ),
                ("Findings in all rounds", str(told.fixity_findings)),
                ("Restored from a backup", f"{told.restores} times"),
                ("Authority or witness late", f"{told.delays} times"),
                ("Anything else that bears on reliability", BLANK),
            ],
        ),
    ]
    for one in accounts:
        blocks += [
            Heading(f"{one.page.name} ({one.page.platform})", 3),
            Paragraph(
                f"{one.produced} records released and {one.withheld} withheld here. First captured:"
                f" {_second(one.first_capture)}. From {_second(one.since)} to {_second(one.until)}:"
            ),
            Table(
                ("From", "To", "Covered", "Why not"),
                [
                    (_second(window.since), _second(window.until), str(window.cover), "; ".join(window.why))
                    for window in one.windows[:_MOST]
                ],
            ),
        ]
    return blocks


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")


def _second(at: datetime | None) -> str:
    return "never" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")

"""What is told of a record beside its words, in the same words in every form: whose it is, how it stood, what was taken out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from app.disclosure.released import (
    Item,
    Leaves,
    Made,
    Marked,
    Passage,
    Released,
    ReleasedAttachment,
    ReleasedVersion,
    Removed,
    Withheld,
    plain,
)

KINDS = {
    "post": "Post",
    "comment": "Comment",
    "reply": "Reply",
    "message": "Message",
    "profile": "Introduction",
}
STATES = {
    "present": "shown",
    "hidden": "hidden",
    "absent": "missing where the page's listing should show it",
    "gone": "gone: the platform itself says so",
    "unknown": "not known",
}
LEAVES = {
    Leaves.WHOLE: "as it was captured",
    Leaves.REDACTED: "in part: made anew from what is released of it",
    Leaves.SCRUBBED: "made anew without its metadata",
    Leaves.WITHHELD: "withheld",
    Leaves.MISSING: "not held: the archive never got its bytes",
}
WRITERS = {
    "agency": "the agency",
    "visitor": "a visitor",
    "unknown": "not known: the page's own name there is not",
}
ANSWERS = "Answers"
Fact = tuple[str, Sequence[Passage]]
"""A name and what it is; several values stand on lines of their own."""


def kind(item: Item) -> str:
    """Post, comment, reply, message or introduction."""
    return KINDS.get(item.kind, item.kind.capitalize())


def moment(when: datetime | None, zone: tzinfo) -> str:
    """A time as the agency's clock shows it, and in UTC; a dash where there is none."""
    if when is None:
        return "–"
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M:%S %Z} ({utc(when)})"


def utc(when: datetime) -> str:
    """A time in UTC, as programs read it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def name(item: Released) -> Passage:
    """Who wrote it, by name and handle, as the platform named them."""
    author = item.author
    parts: list[str | Removed] = []
    for one in (author.name, author.handle):
        if one is None or one == "" or (isinstance(one, Removed) and one in parts):
            continue
        parts += [" ", one] if parts else [one]
    return tuple(parts) or ("not named by the platform",)


def marked(value: Marked | None) -> Passage | None:
    """A field as running text; None where there is nothing to tell."""
    return (value,) if value else None


def title(item: Item) -> str:
    """What a document is called: kind, page and day; nothing of what strangers wrote."""
    day = (
        item.day
        if isinstance(item, Withheld)
        else f"{(item.published_at or item.first_seen).astimezone(UTC):%Y-%m-%d}"
    )
    withheld = ", withheld" if isinstance(item, Withheld) else ""
    return f"{kind(item)} on {item.page.name}, {day}{withheld}"


def facts(item: Released, zone: tzinfo, answers: str | None = None) -> Iterator[Fact]:
    """Everything that is told of a record that leaves; `answers` is the number of what it answers, where that is known."""
    yield "Page", [(f"{item.page.name} ({item.page.platform})",), (item.page.address,)]
    yield "Custodian", [(item.page.custodian,)]
    yield "Author as named", [name(item)]
    if identity := marked(item.author.id):
        yield "Author's id", [identity]
    yield (
        "Published",
        [(moment(item.published_at, zone) if item.published_at else "the platform gave no time",)],
    )
    yield "Stands", [(stands(item, zone),)]
    yield "First and last seen", [(moment(item.first_seen, zone),), (moment(item.last_seen, zone),)]
    if item.in_reply_to is not None:
        yield ANSWERS, [(one,) for one in (answers, f"record {item.in_reply_to}") if one]
    if address := marked(item.url):
        yield "Address", [address]
    if native := marked(item.native_id):
        yield "Id on the platform", [native]
    if item.language:
        yield "Language", [(item.language,)]
    if item.counts:
        yield (
            "Counted",
            [(", ".join(f"{count:,} {what}" for what, count in sorted(item.counts.items())),)],
        )
    if item.received is not None:
        told = "; ".join(f"{what}: {value}" for what, value in sorted(item.received.items()))
        yield "Received", [("Not captured by the archive, but handed in: " + told,)]
    if item.series:
        yield "Retention series", [(item.series,)]
    yield "Record", [(str(item.id),), (_versions(item),)]


def withheld(item: Withheld) -> Iterator[Fact]:
    """What is told of a record that is kept back whole."""
    yield "Page", [(f"{item.page.name} ({item.page.platform})",)]
    yield "Kind", [(kind(item),)]
    yield "Day", [(item.day,)]
    yield "Written by", [(WRITERS.get(item.author, item.author),)]
    yield "Record", [(str(item.id),), (_entries(item.entries),)]


def grounds(made: Sequence[Made]) -> Iterator[Fact]:
    """On what grounds something was taken out, each once: the code, the citation and why it applies.

    Where in the words it stood is not told: that would tell how long it was.
    """
    for code, citation, explanation in dict.fromkeys(
        (one.code, one.citation, one.explanation) for one in made
    ):
        yield code, [(part,) for part in (citation, explanation) if part]


def stands(item: Released, zone: tzinfo) -> str:
    """How it stood when it was last seen."""
    return happened(item.versions, len(item.versions) - 1, zone, now=True)


def happened(versions: Sequence[ReleasedVersion], place: int, zone: tzinfo, *, now: bool = False) -> str:
    """What made a version, and between which two sightings: `hidden between … and …`."""
    version = versions[place]
    before = versions[place - 1] if place else None
    if before is None:
        how = STATES.get(version.state, version.state)
        return how if now else f"{how}, first seen {moment(version.observed_at, zone)}"
    if before.state != version.state:
        how = "shown again" if version.state == "present" else STATES.get(version.state, version.state)
        if plain(before.text) != plain(version.text):
            how += " and edited"
    else:
        how = "edited" if plain(before.text) != plain(version.text) else "changed"
        if now:
            how = f"{STATES.get(version.state, version.state)}; {how}"
    return f"{how} {interval(version, zone)}"


def interval(version: ReleasedVersion, zone: tzinfo) -> str:
    """Between which two sightings a version came to be."""
    if version.last_seen_before is None:
        return f"before {moment(version.observed_at, zone)}"
    return f"between {moment(version.last_seen_before, zone)} and {moment(version.observed_at, zone)}"


@dataclass(frozen=True, slots=True)
class Leaving:
    """An attachment of a record with its number among those of which a file leaves; 0 where none does."""

    number: int
    attachment: ReleasedAttachment


def attachments(item: Released) -> Mapping[int, Sequence[Leaving]]:
    """By version, what is attached to it; a file that several versions have bears one number."""
    numbers: dict[UUID | int, int] = {}
    told: dict[int, list[Leaving]] = {}
    for version in item.versions:
        for one in version.attachments:
            number = 0
            if one.chunks is not None:
                number = numbers.setdefault(one.id or id(one), len(numbers) + 1)
            told.setdefault(version.number, []).append(Leaving(number, one))
    return told


def attached(one: ReleasedAttachment) -> str:
    """An attachment in words: its type, its size, and how it leaves."""
    size = f", {one.size:,} bytes" if one.size is not None else ""
    ground = f" ({one.removed.code})" if one.removed is not None else ""
    return f"{one.media_type or 'of unknown type'}{size}, {LEAVES[one.leaves]}{ground}"


def _versions(item: Released) -> str:
    count = len(item.versions)
    entries = _entries([version.entry for version in item.versions])
    return f"{count:,} {'version' if count == 1 else 'versions'}, {entries}"


def _entries(entries: Sequence[int]) -> str:
    shown = ", ".join(f"{entry:,}" for entry in entries[:12])
    more = f" and {len(entries) - 12:,} more" if len(entries) > 12 else ""
    return f"ledger {'entry' if len(entries) == 1 else 'entries'} {shown}{more}"

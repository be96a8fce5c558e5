"""One feed document, read: RSS 0.9x and 2.0, RSS 1.0, Atom 0.3 and 1.0, JSON Feed 1 and 1.1.

Pure: bytes in, observations with the spans they were read from out. Nothing
here asks the network or reads a clock, so a captured document can be read
again when this reading improves.

Whatever a stranger published, the outcome is a `Document`, with gaps where it
could not be read for certain, or `NotAFeed`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from urllib.parse import urljoin, urlsplit, urlunsplit

from feedparser import datetimes as feedparser_datetimes

from connectors import text as words
from connectors.contract import Attachment, Author, Gap, Kind, Observation, Sighting, Span, State
from connectors.failing import AGAIN

PROFILE_ID = "profile"
"""A feed introduces one page, so its introduction needs no name beyond this."""

_COMMENT_ID = re.compile(r"[#/?&-]comment[-=_]?[0-9]+$", re.IGNORECASE)

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
_ORDINAL = re.compile(r"[0-9]{4}-[0-9]{3}")
_DIGITS_OF_DATES = frozenset({4, 8, 14})
_ZONE = re.compile(r"(?<=[0-9] )[A-Za-z]{3,4}$")
_ZONES = {
    "AKST": "-0900", "AKDT": "-0800", "HST": "-1000", "HAST": "-1000", "HADT": "-0900", "HDT": "-0900", "CHST": "+1000",
    "SST": "-1100", "NST": "-0330", "NDT": "-0230", "WET": "+0000", "WEST": "+0100", "BST": "+0100", "CET": "+0100",
    "MET": "+0100", "CEST": "+0200", "MEST": "+0200", "EET": "+0200", "EEST": "+0300", "SAST": "+0200", "MSK": "+0300",
    "JST": "+0900", "KST": "+0900", "AWST": "+0800", "ACST": "+0930", "ACDT": "+1030", "AEST": "+1000", "AEDT": "+1100",
    "NZST": "+1200", "NZDT": "+1300",
}  # fmt: skip
"""Zones that have one meaning among publishers, beside those of RFC 822; any other name means UTC (RFC 5322, 4.3)."""

_LONGEST_DATE = 100
"""No date is longer; reading a longer text as one would only cost time."""


class NotAFeed(ValueError):
    """The bytes are no feed of any kind that this connector reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What a document is read as: whose items they are, and where it came from.

    `kind` is POST or COMMENT. `answers` is the native id that comments answer
    unless they say otherwise. `exchange` is the place of the answer in its
    batch. With `introduces`, the page's own introduction is read too.
    """

    address: str
    charset: str | None = None
    kind: Kind = Kind.POST
    answers: str | None = None
    exchange: int = 0
    introduces: bool = True
    truncated: str | None = None
    shared: Collection[str] = ()
    """Marks of links that name no item of their own: several without an id bore one of these at once."""
    faces: Mapping[str, str] = field(default_factory=dict)
    """By which id items were met, by the mark of what they bear on their faces: some publishers change ids."""
    coded: int | None = None
    """How many bytes came, where a server compressed them unasked: their places inside are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentFeed:
    """Where the comments on one post, or on a whole site, are published. `count` is how many there are, if the feed says so."""

    address: str
    answers: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What one feed document shows."""

    observations: Sequence[Observation] = ()
    sightings: Sequence[Sighting] = ()
    gaps: Sequence[Gap] = ()
    comment_feeds: Sequence[CommentFeed] = ()
    following: str | None = None
    """The next part of the same feed (RFC 5005, JSON Feed `next_url`)."""
    complete: bool = False
    """The publisher says that this one document lists everything (RFC 5005, section 2)."""
    items: int = 0
    farthest: str | None = None
    """The item with which the document reaches farthest back."""
    reaching: Sequence[tuple[str, datetime]] = ()
    """Items behind which only older ones stand, and when they were published."""
    certain: bool = True
    """Whether no item of the document can have been missed."""
    shared: Sequence[str] = ()
    """Marks of the links that this document gives to several items without an id."""
    faces: Mapping[str, str] = field(default_factory=dict)
    """The ids of its items by the marks of their faces."""
    unread: int = 0
    """How many of its items have another shape than its format gives them."""

    @property
    def ids(self) -> list[str]:
        """The native ids of the document's items, in their order there."""
        return [seen.native_id for seen in self.observations if seen.kind is not Kind.PROFILE]


@dataclass(slots=True, kw_only=True)
class Item:
    """One item as its format tells of it, before it is an observation."""

    id: str = ""
    link: str = ""
    title: str = ""
    contents: list[tuple[str, str]] = field(default_factory=list)
    """Each form in which the item's words are given: its media type and the words."""
    author: Author | None = None
    published: str = ""
    updated: str = ""
    answers: str = ""
    language: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    files_told: bool = True
    count: int | None = None
    comment_feed: str = ""
    span: tuple[int, int] = (0, 0)
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """How a feed introduces the page that it belongs to."""

    title: str = ""
    subtitle: tuple[str, str] = ("text/plain", "")
    link: str = ""
    picture: str = ""
    language: str = ""
    author: Author | None = None
    spans: Sequence[tuple[int, int]] = ()
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """An item of another shape than its format gives it: which one it is, what it is called as far as that can be read, and what is strange."""

    number: int
    id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A document in its format's own terms, as `xmlfeed` and `jsonfeed` give it."""

    items: Sequence[Item]
    introduction: Introduction
    gone: Sequence[tuple[str, str]] = ()
    """Ids that the feed itself says were deleted, and when (RFC 6721)."""
    unread: Sequence[Unread] = ()
    gaps: Sequence[Gap] = ()
    certain: bool = True
    """Whether no item can have been missed but what is `unread`: a broken character hides none, a broken tag may."""
    following: str = ""
    complete: bool = False


def document(parts: Parts, where: Where) -> Document:
    """Turn a document's parts into observations, oldest first, the page's introduction before them."""
    gaps = [*parts.gaps, *(_gap(one, where) for one in parts.unread)]
    if where.truncated is not None:
        gaps.append(Gap(what="the rest of the feed", why=f"The answer ended early ({where.truncated})."))
    if where.coded is not None:
        why = "The server compressed its answer unasked; the whole answer is the evidence of every item."
        gaps.append(Gap(what="places of items in the feed", why=why))
    shared = _shared(parts)
    nobodys = {*where.shared, *shared}
    borne = {item.id for item in parts.items}
    faces = _faces(parts.items)
    for face, item in faces.items():
        before = where.faces.get(face)
        if before is not None and before not in borne:
            item.id = before  # the publisher gave it another id; nothing else bears the one of before
    read = [(_observation(item, where, nobodys), item) for item in parts.items]
    kept, repeated = _settled([seen for seen, _ in read])
    gaps += repeated
    present = {seen.native_id for seen in kept}
    return Document(
        observations=[*_profile(parts.introduction, where), *_oldest_first(kept)],
        sightings=[
            gone for ref, when in parts.gone if (gone := _gone(ref, when, where)).native_id not in present
        ],
        gaps=gaps,
        comment_feeds=_comment_feeds(read, where),
        following=http_address(parts.following, where.address),
        complete=parts.complete,
        items=len(parts.items),
        farthest=_farthest(kept),
        reaching=_reaching(kept),
        certain=parts.certain and not parts.unread and where.truncated is None,
        unread=len(parts.unread),
        shared=shared,
        faces={face: item.id for face, item in faces.items()},
    )


def _gap(one: Unread, where: Where) -> Gap:
    return Gap(
        what=f"item {one.number} of the feed",
        why=f"{where.address}: {one.why} {AGAIN}",
        native_id=f"{where.kind.value}:{one.id}" if one.id else None,
    )


def http_address(found: str, base: str) -> str | None:
    """`found` as an absolute web address, relative to `base` if it is relative; None if it is none."""
    try:
        absolute = urljoin(base, found.strip()) if found.strip() else ""
        parts = urlsplit(absolute)
    except ValueError:
        return None
    return absolute if parts.scheme in {"http", "https"} and parts.hostname else None


def moment(written: str) -> datetime | None:
    """The moment that a date in a feed means, in UTC; None where nobody can tell."""
    short = _ZONE.sub(lambda found: _ZONES.get(found[0].upper(), found[0]), written.strip())
    if not short or len(short) > _LONGEST_DATE:
        return None
    if short.isdecimal() and len(short) not in _DIGITS_OF_DATES:
        return None  # seconds since 1970, perhaps: feedparser would take the first four for a year
    try:
        if _ORDINAL.fullmatch(short):
            day = datetime.strptime(short, "%Y-%j").replace(tzinfo=UTC)
            return day if day.year == int(short[:4]) else None
        exact = datetime.fromisoformat(short)
        return exact.astimezone(UTC) if exact.tzinfo is not None else exact.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        if _ISO_DAY.match(short) and not _is_day(short[:10]):
            return None  # feedparser would take the nearest day that exists
        if _ISO_TIME.match(short) and not _is_time(short):
            return None  # and the nearest hour
    try:
        found = feedparser_datetimes._parse_date(short)  # noqa: SLF001 -- the only door to its nine readings
        if found is None:
            return None
        year, month, day, hour, minute, second = found[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # 60 is a leap second
    except Exception:  # noqa: BLE001 -- nine readings of a stranger's text fail in more ways than can be named
        return None


def _is_time(written: str) -> bool:
    """Whether the clock can show it; midnight may end a day as 24:00, and a minute may have a leap second."""
    hour, minute, second = (int(one or 0) for one in _ISO_TIME.findall(written)[0])
    return (hour < 24 and minute < 60 and second <= 60) or (hour, minute, second) == (24, 0, 0)


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def plain(media_type: str, value: str) -> str:
    """The words of a text that a feed gives as `media_type`."""
    return words.plain(value) if is_html(media_type) else value.strip()


def is_html(media_type: str) -> bool:
    return media_type in {"text/html", "application/xhtml+xml", "html", "xhtml"}


def sound(value: str) -> str:
    """`value` without halves of characters, which no text can hold."""
    return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value


def attachment_list(found: Iterable[Attachment]) -> list[Attachment]:
    """The files of one item, each once, under ids that stay when an address merely expires."""
    by_address: dict[str, Attachment] = {}
    for one in found:
        by_address.setdefault(one.url or one.id, one)
    ids: dict[str, int] = {}
    result = []
    for one in by_address.values():
        ids[one.id] = ids.get(one.id, 0) + 1
        result.append(one if ids[one.id] == 1 else replace(one, id=f"{one.id}#{ids[one.id]}"))
    return result


def attachment(found: str, base: str, media_type: str = "", description: str = "") -> Attachment | None:
    """A file that an item names; its id is its address without the query, where signatures expire."""
    address = http_address(found, base)
    if address is None:
        return None
    parts = urlsplit(address)
    return Attachment(
        id=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        url=address,
        media_type=media_type or None,
        description=description,
    )


def mark(name: str) -> str:
    """A short mark of an item or a link, enough to know it again."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _shared(parts: Parts) -> list[str]:
    """Marks of the links that several items without an id bear, or the page itself: by them no item is known."""
    faces: dict[str, set[tuple[str, str]]] = {}
    for item in parts.items:
        if item.link and not item.id:
            faces.setdefault(item.link, set()).add((item.title, item.published or item.updated))
    page = parts.introduction.link.rstrip("/")
    return [mark(link) for link, found in faces.items() if len(found) > 1 or link.rstrip("/") == page]


def _faces(items: Sequence[Item]) -> dict[str, Item]:
    """Items by the marks of their faces, where a face says when it was published and is one item's alone.

    One whose id is its address is known by that alone: at another address
    stands another item.
    """
    found: dict[str, list[Item]] = {}
    for item in items:
        if item.id and item.title and item.published and item.link != item.id:
            link = item.link.partition("://")[2]
            found.setdefault(mark(json.dumps([item.title, item.published, link])), []).append(item)
    return {face: several[0] for face, several in found.items() if len(several) == 1}


def _observation(item: Item, where: Where, nobodys: Collection[str]) -> Observation:
    published, updated = moment(item.published), moment(item.updated)
    extra = dict(item.extra)
    if item.title:
        extra["title"] = item.title
    unread = [
        text for text, read in ((item.published, published), (item.updated, updated)) if text and not read
    ]
    if unread:
        extra["date_text"] = unread[0]
    if published is None and updated is not None and not item.published:
        extra["published_from"] = "updated"
    forms = [(plain(media_type, value), media_type, value) for media_type, value in item.contents]
    said, media_type, fullest = max(forms, key=lambda form: len(form[0]), default=("", "text/plain", ""))
    shorter = [other for other, _, _ in forms if other and other not in said]
    if shorter:
        extra["summary"] = "\n\n".join(dict.fromkeys(shorter))
    parts = [item.title, said] if item.title != said else [said]
    link = http_address(item.link, where.address)
    if item.link and link is None:
        extra["link"] = item.link
    return Observation(
        native_id=f"{where.kind.value}:{_identity(item, said, nobodys)}",
        kind=where.kind,
        author=item.author,
        text="\n\n".join(part for part in parts if part),
        html=fullest if is_html(media_type) and fullest else None,
        url=link,
        in_reply_to=_answered(item, where),
        published_at=published or (updated if not item.published else None),
        edited_at=updated if published and updated and updated != published else None,
        language=item.language or None,
        attachments=item.attachments,
        files_told=item.files_told,
        counts={} if item.count is None else {"comments": item.count},
        extra=extra,
        evidence=_evidence([item.span], where),
    )


def _evidence(spans: Sequence[tuple[int, int]], where: Where) -> list[Span]:
    if where.coded is not None:
        return [Span(where.exchange, 0, where.coded)]
    return [Span(where.exchange, *span) for span in spans]


def _comment_feeds(read: Sequence[tuple[Observation, Item]], where: Where) -> list[CommentFeed]:
    """The feeds of comments that posts name; one that several posts name is nobody's own."""
    found: dict[str, CommentFeed] = {}
    for seen, item in read:
        address = http_address(item.comment_feed, where.address)
        if address is None or where.kind is not Kind.POST:
            continue
        before = found.get(address)
        shared = before is not None and before.answers != seen.native_id
        found[address] = CommentFeed(
            address=address,
            answers=None if shared else seen.native_id,
            count=None if shared else item.count,
        )
    return list(found.values())


def _identity(item: Item, said: str, nobodys: Collection[str]) -> str:
    """What the item is known by: its id, else a link of its own, else a digest of what it bears on its face."""
    if item.id or (item.link and mark(item.link) not in nobodys):
        return item.id or item.link
    face = [item.title, item.published or item.updated, item.link]
    if not any(face):
        face.append(said)
    return "sha256:" + hashlib.sha256(json.dumps(face).encode()).hexdigest()


def _answered(item: Item, where: Where) -> str | None:
    """The native id of what an item answers.

    RFC 4685 names the answered entry by its id and does not say whether that
    is a post or a comment. In the comments on one post, any id but the post's
    is a comment's; in the comments on a whole site, one that ends as comment
    ids do. What stands elsewhere in the window MUST NOT matter: the same
    comment would answer now this, now that.
    """
    if not item.answers:
        return where.answers
    post, comment = f"{Kind.POST.value}:{item.answers}", f"{Kind.COMMENT.value}:{item.answers}"
    if where.kind is Kind.POST or post == where.answers:
        return post
    if where.answers is not None or _COMMENT_ID.search(item.answers):
        return comment
    return post


def _settled(read: Sequence[Observation]) -> tuple[list[Observation], list[Gap]]:
    """One observation for each id: the one with the latest date, or the first in the document.

    Feeds put the newest first, and RFC 4287 (4.1.1) lets a later date stand
    for the later state. The other's bytes belong to the same record.
    """
    kept: dict[str, Observation] = {}
    evidence: dict[str, dict[Span, None]] = {}
    repeated: dict[str, Gap] = {}
    for seen in read:
        before = kept.setdefault(seen.native_id, seen)
        evidence.setdefault(seen.native_id, {}).update(dict.fromkeys(seen.evidence))
        if before is seen:
            continue
        if _dated(seen) > _dated(before):
            kept[seen.native_id] = seen
        if replace(before, evidence=()) != replace(seen, evidence=()):
            why = "The feed gives one id to several items; the latest, or the first, was taken as its state."
            repeated[seen.native_id] = Gap(what="other states of an item", why=why, native_id=seen.native_id)
    settled = [replace(seen, evidence=list(evidence[seen.native_id])) for seen in kept.values()]
    return settled, list(repeated.values())


def _dated(seen: Observation) -> datetime:
    return seen.edited_at or seen.published_at or datetime.min.replace(tzinfo=UTC)


def _oldest_first(kept: Sequence[Observation]) -> list[Observation]:
    ordered = list(reversed(kept))  # feeds put the newest first
    if all(seen.published_at is not None for seen in kept):
        ordered.sort(key=lambda seen: seen.published_at or datetime.max.replace(tzinfo=UTC))
    return ordered


def _farthest(kept: Sequence[Observation]) -> str | None:
    """The last item of a document that begins with the newest, as nearly all do; else the first.

    The place decides, not the date: a post that is kept at the top is old and
    says nothing of how far the others reach.
    """
    return kept[0 if _rising(kept) else -1].native_id if kept else None


def _reaching(kept: Sequence[Observation]) -> list[tuple[str, datetime]]:
    """Items behind which only older ones stand, with their dates: among these nothing newer is left out.

    A post that is kept at the top is not among them: newer ones stand behind it.
    """
    found: list[tuple[str, datetime]] = []
    latest = datetime.min.replace(tzinfo=UTC)
    for seen in kept if _rising(kept) else reversed(kept):
        if seen.published_at is None:
            break
        if seen.published_at >= latest:
            latest = seen.published_at
            found.append((seen.native_id, latest))
    return found


def _rising(kept: Sequence[Observation]) -> bool:
    """Whether a document begins with the oldest item."""
    dates = [seen.published_at for seen in kept if seen.published_at is not None]
    return sum((first < second) - (first > second) for first, second in pairwise(dates)) > 0


def _gone(ref: str, when: str, where: Where) -> Sighting:
    reason = f"at:deleted-entry when={when}" if when else "at:deleted-entry"
    return Sighting(
        native_id=f"{where.kind.value}:{ref}", state=State.GONE, exchange=where.exchange, reason=reason
    )


def _profile(introduction: Introduction, where: Where) -> list[Observation]:
    about = introduction
    said = plain(*about.subtitle)
    picture = attachment(about.picture, where.address) if about.picture else None
    if not where.introduces or not (about.title or said or picture):
        return []
    return [
        Observation(
            native_id=PROFILE_ID,
            kind=Kind.PROFILE,
            author=about.author,
            text="\n\n".join(part for part in (about.title, said) if part),
            html=about.subtitle[1] if is_html(about.subtitle[0]) and about.subtitle[1] else None,
            url=http_address(about.link, where.address),
            language=about.language or None,
            attachments=[picture] if picture else [],
            extra=about.extra | ({"title": about.title} if about.title else {}),
            evidence=_evidence(about.spans, where),
        )
    ]

"""RSS and Atom: the parts of an XML feed, each with the bytes that it was read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from connectors.contract import Attachment, Author, Gap
from connectors.feed import encoding, lenient, markup
from connectors.feed.parse import (
    Introduction,
    Item,
    NotAFeed,
    Parts,
    Unread,
    attachment,
    attachment_list,
    plain,
    sound,
)

_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})
_FEED_TYPES = ("application/atom+xml", "application/rss+xml", "application/xml", "text/xml")


def parts(body: bytes, charset: str | None, address: str) -> Parts:
    """Read an XML feed; `NotAFeed` if it is none."""
    characters = encoding.read(body, charset)
    seen = markup.outline(characters.text)
    if seen.root not in _ROOTS and not (seen.items and seen.root != "html"):
        raise NotAFeed(
            f"The root of the document is <{seen.root}>." if seen.root else "No element was found."
        )
    faults = markup.Faults()
    marker = _unused("muniment-item", characters.text)
    mended = markup.mended(characters.text, seen, marker, faults)
    try:
        reading = lenient.read(mended, address, marker)
    except lenient.NotReadable as fault:
        raise NotAFeed(f"The document cannot be read as a feed ({fault}).") from fault
    spans = _spans(body, characters, seen)
    placed = [
        spans[number] if number is not None and spans[number] is not None else None
        for number in reading.items
    ]
    whole = (0, len(body))
    read = [
        (number, entry, place)
        for number, entry, place in zip(reading.items, reading.entries, placed, strict=True)
        if seen.cut is None or number != seen.cut
    ]
    blank = [place for place, (_, entry, _) in enumerate(read) if _is_blank(entry)]
    if len(blank) == len(read):
        blank = []  # a feed whose items say no more has no odd one among them
    atom = reading.version.startswith("atom")
    inherited = _author(reading.feed) if atom else None
    return Parts(
        items=[
            _item(entry, span or whole, address, atom=atom, inherited=inherited)
            for place, (_, entry, span) in enumerate(read)
            if place not in blank
        ],
        unread=[Unread(place + 1, "", "It has neither an id nor words.") for place in blank],
        introduction=_introduction(
            reading.feed, _introduction_spans(body, characters, seen) or [whole], address
        ),
        gone=[(_text(gone, "ref"), _text(gone, "when")) for gone in reading.tombstones if _text(gone, "ref")],
        gaps=list(_gaps(characters, seen, faults, reading, placed)),
        certain=seen.ends and len(seen.items) == len(reading.entries),
        following=_related(reading.feed, "next") or _related(reading.feed, "prev-archive"),
        complete="fh_complete" in reading.feed and seen.well_formed,
    )


def _is_blank(entry: lenient.Dict) -> bool:
    """Whether an item says nothing by which it could be known."""
    told = ("id", "link", "title", "summary", "published", "created", "updated")
    lists = ("content", "media_content", "media_thumbnail")
    leads = any(_text(link, "href") for link in _list(entry, "links"))
    return not (
        leads or any(_text(entry, name) for name in told) or any(_list(entry, name) for name in lists)
    )


def _spans(
    body: bytes, characters: encoding.Characters, seen: markup.Outline
) -> list[tuple[int, int] | None]:
    """The bytes of each item; None where they cannot be told for certain."""
    return [
        found if found is not None and _is(body, characters, found, item) else None
        for item, found in zip(seen.items, _placed(body, characters, seen.items), strict=True)
    ]


def _introduction_spans(
    body: bytes, characters: encoding.Characters, seen: markup.Outline
) -> list[tuple[int, int]]:
    """The bytes of the elements with which the feed introduces itself; neighbours are joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(seen.introduction):
        if joined and not characters.text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    found = _placed(body, characters, joined)
    return [span for span in found if span is not None] if None not in found else []


def _placed(
    body: bytes, characters: encoding.Characters, places: Sequence[tuple[int, int]]
) -> list[tuple[int, int] | None]:
    offsets = encoding.byte_offsets(body, characters, [edge for place in places for edge in place])
    return [
        (offsets[start], offsets[end]) if start in offsets and end in offsets else None
        for start, end in places
    ]


def _is(body: bytes, characters: encoding.Characters, span: tuple[int, int], item: tuple[int, int]) -> bool:
    """Whether the bytes of a span, read by themselves, are the item's own characters."""
    return body[slice(*span)].decode(characters.encoding, "replace") == characters.text[slice(*item)]


def _gaps(
    characters: encoding.Characters,
    seen: markup.Outline,
    faults: markup.Faults,
    reading: lenient.Reading,
    placed: Sequence[tuple[int, int] | None],
) -> Iterator[Gap]:
    if characters.broken is not None:
        yield Gap(what="characters in the feed", why=f"The feed {characters.broken}.")
    if faults.characters:
        yield Gap(
            what="characters in the feed",
            why=f"XML forbids {faults.characters} of its characters; U+FFFD stands for them in the words.",
        )
    if faults.unexpanded:
        names = ", ".join(f"&{name[:40]};" for name in sorted(faults.unexpanded)[:5])
        yield Gap(
            what="entities in the feed",
            why=f"Entities that a document declares or nobody knows are never expanded; as written: {names}.",
        )
    if seen.unclosed is not None:
        yield Gap(what="the rest of the feed", why=f"A {seen.unclosed} has no end and hides what follows it.")
    if seen.cut is not None:
        yield Gap(
            what="the last item of the feed",
            why="The document ends in its midst: half an item is no state of it, and the next whole answer shows it.",
        )
    if not seen.well_formed or reading.fault is not None:
        fault = reading.fault or "its tags do not match"
        yield Gap(what="markup of the feed", why=f"Not well-formed XML ({fault}); read as far as it goes.")
    unplaced = sum(place is None for place in placed)
    if unplaced:
        yield Gap(
            what="places of items in the feed",
            why=f"Where {unplaced} of {len(placed)} items begin and end is not certain; "
            "the whole document is their evidence.",
        )
    if len(seen.items) > len(reading.entries):
        yield Gap(
            what="items of the feed",
            why=f"Of {len(seen.items)} items only {len(reading.entries)} could be read.",
        )
    if any(first is not None and first == second for first, second in pairwise(placed)):
        yield Gap(what="items of the feed", why="Two items were read from one place.")


def _unused(name: str, text: str) -> str:
    number = 0
    while name in text:
        number += 1
        name = f"muniment-item-{number}"
    return name


def _item(
    entry: lenient.Dict, span: tuple[int, int], address: str, *, atom: bool, inherited: Author | None
) -> Item:
    published, updated = _dates(entry, atom=atom)
    contents = [(_text(content, "type"), _text(content, "value")) for content in _list(entry, "content")]
    summary = _content(entry, "summary")
    if summary[1] and all(summary[1] != value for _, value in contents):  # feedparser copies one to the other
        contents.append(summary)
    item = Item(
        id=_text(entry, "id"),
        link=_link(entry),
        title=_plain_title(entry),
        contents=contents,
        author=_author(entry) or (inherited if "source" not in entry else None),
        published=published,
        updated=updated,
        answers=_text(_dict(entry, "thr_in-reply-to"), "ref"),
        language=_language(entry),
        attachments=_attachments(entry, address),
        count=_count(entry),
        comment_feed=_comment_feed(entry),
        span=span,
        extra=_extra(entry),
    )
    if not item.id and not item.answers:
        item.answers = ""
    return item


def _dates(entry: lenient.Dict, *, atom: bool) -> tuple[str, str]:
    """When an item says that it was published and edited, as written.

    RSS knows no time of editing: where only Dublin Core gives a date, feedparser
    calls it "updated", and it is the time of publishing.
    """
    published = _text(entry, "published") or _text(entry, "created")
    updated = _text(entry, "updated")
    if atom or (published and updated):
        return published, updated if atom else ""
    return published or updated, ""


def _introduction(feed: lenient.Dict, spans: Sequence[tuple[int, int]], address: str) -> Introduction:
    picture = (
        _text(_dict(feed, "image"), "href")
        or _text(_dict(feed, "image"), "url")
        or _text(feed, "logo")
        or _text(feed, "icon")
    )
    extra: dict[str, object] = {
        key: value
        for key in ("id", "rights", "generator", "published", "docs")
        if (value := _text(feed, key))
    }
    return Introduction(
        title=_plain_title(feed),
        subtitle=_content(feed, "subtitle"),
        link=_link(feed) or address,
        picture=picture,
        language=_text(feed, "language"),
        author=_author(feed),
        spans=spans,
        extra=extra,
    )


def _plain_title(context: lenient.Dict) -> str:
    return " ".join(plain(*_content(context, "title")).split())


def _content(context: lenient.Dict, key: str) -> tuple[str, str]:
    detail = _dict(context, f"{key}_detail")
    value = _text(detail, "value") or _text(context, key)
    return (_text(detail, "type") or "text/plain", value)


def _language(entry: lenient.Dict) -> str:
    details = [*_list(entry, "content"), _dict(entry, "summary_detail"), _dict(entry, "title_detail")]
    return next((language for detail in details if (language := _text(detail, "language"))), "")


def _link(context: lenient.Dict) -> str:
    """Where the item is read on the web; its id only where it is plainly an address."""
    link = _text(context, "link")
    if link and link != _text(context, "id"):
        return link
    found = _related(context, "alternate") or link
    return found if found.lower().startswith(("http://", "https://")) else ""


def _related(context: lenient.Dict, relation: str) -> str:
    return next(
        (_text(link, "href") for link in _list(context, "links") if _text(link, "rel") == relation), ""
    )


def _comment_feed(entry: lenient.Dict) -> str:
    for link in _list(entry, "links"):
        if _text(link, "rel") == "replies" and _text(link, "type").startswith(_FEED_TYPES):
            return _text(link, "href")
    return _text(entry, "wfw_commentrss")


def _author(context: lenient.Dict) -> Author | None:
    detail = _dict(context, "author_detail")
    name = _text(detail, "name") or _text(context, "author")
    known_by = _text(detail, "href") or _text(detail, "email")
    return Author(id=known_by or None, name=name or None) if name or known_by else None


def _attachments(entry: lenient.Dict, address: str) -> list[Attachment]:
    media = _list(entry, "media_content") or _list(entry, "media_thumbnail")
    found = [
        attachment(_text(link, "href"), address, _text(link, "type"), _text(link, "title"))
        for link in _list(entry, "links")
        if _text(link, "rel") == "enclosure"
    ]
    found += [  # what stands elsewhere instead of in the entry (RFC 4287, 4.1.3.2)
        attachment(_text(one, "src"), _text(one, "base") or address, _text(one, "type"))
        for one in _list(entry, "content")
        if _text(one, "src")
    ]
    found += [attachment(_text(one, "url"), address, _text(one, "type")) for one in media]
    return attachment_list(one for one in found if one is not None)


def _count(entry: lenient.Dict) -> int | None:
    written = _text(entry, "slash_comments") or _text(entry, "thr_total")
    if not written:
        written = next(
            (
                count
                for link in _list(entry, "links")
                if _text(link, "rel") == "replies" and (count := _text(link, "thr:count"))
            ),
            "",
        )
    return int(written) if written.isdecimal() and len(written) < 10 else None


def _extra(entry: lenient.Dict) -> dict[str, object]:
    extra: dict[str, object] = {}
    tags = [_text(tag, "label") or _text(tag, "term") for tag in _list(entry, "tags")]
    if any(tags):
        extra["tags"] = [tag for tag in tags if tag]
    for key, name in (("comments", "comments_page"), ("rights", "rights")):
        if value := _text(entry, key):
            extra[name] = value
    if source := {
        key: value for key in ("title", "href", "id") if (value := _text(_dict(entry, "source"), key))
    }:
        extra["source"] = source
    if contributors := [name for one in _list(entry, "contributors") if (name := _text(one, "name"))]:
        extra["contributors"] = contributors
    return extra


# feedparser's dictionaries answer for keys that they do not have; these three take only what is there.


def _text(context: lenient.Dict, key: str) -> str:
    value: Any = dict.get(context, key)
    return sound(value.strip()) if isinstance(value, str) else ""


def _dict(context: lenient.Dict, key: str) -> lenient.Dict:
    value: Any = dict.get(context, key)
    return value if isinstance(value, dict) else {}


def _list(context: lenient.Dict, key: str) -> list[lenient.Dict]:
    value: Any = dict.get(context, key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

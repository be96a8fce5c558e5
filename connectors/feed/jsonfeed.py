"""JSON Feed 1 and 1.1 (jsonfeed.org): the parts of a feed, each with the bytes that it was read from."""

from __future__ import annotations

import json
from typing import Any

from connectors import spans
from connectors.contract import Attachment, Author, Gap
from connectors.feed.parse import Introduction, Item, NotAFeed, Parts, attachment, attachment_list, sound

_ABOUT_THE_PAGE = (
    "version", "title", "home_page_url", "feed_url", "description", "user_comment", "icon", "favicon",
    "author", "authors", "language", "hubs", "expired",
)  # fmt: skip


def parts(body: bytes, address: str) -> Parts:
    """Read a JSON Feed; `NotAFeed` if it is none."""
    try:
        feed = json.loads(body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError) as fault:
        raise NotAFeed("The document is not JSON.") from fault
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise NotAFeed("The document is JSON, but no JSON Feed: it has no list of items.")
    whole = (0, len(body))
    places, about, gaps = _places(body, len(feed["items"]))
    items = []
    for position, written in enumerate(feed["items"]):
        if isinstance(written, dict):
            items.append(_item(written, places[position] if places else whole, address))
        else:
            gaps.append(Gap(what=f"item {position + 1} of the feed", why="It is not a JSON object."))
    expired = {"expired": True} if feed.get("expired") is True else {}
    return Parts(
        items=items,
        introduction=Introduction(
            title=_text(feed, "title"),
            subtitle=("text/plain", _text(feed, "description")),
            link=_text(feed, "home_page_url") or address,
            picture=_text(feed, "icon") or _text(feed, "favicon"),
            language=_text(feed, "language"),
            author=_author(feed),
            spans=about or [whole],
            extra=expired | ({"version": _text(feed, "version")} if _text(feed, "version") else {}),
        ),
        gaps=gaps,
        certain=all(isinstance(written, dict) for written in feed["items"]),
        following=_text(feed, "next_url"),
    )


def _places(body: bytes, count: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[Gap]]:
    """Where the items stand, and what the feed says of the page; with a gap where that is not certain."""
    try:
        members = spans.object_members(body, spans.document(body))
        places = spans.array_items(body, *members["items"])
    except (spans.NotJson, KeyError, ValueError):
        places, members = [], {}
    if len(places) != count:
        why = "Where items begin and end is not certain; the whole document is their evidence."
        return [], [], [Gap(what="places of items in the feed", why=why)]
    return places, sorted(members[name] for name in _ABOUT_THE_PAGE if name in members), _broken(body)


def _broken(body: bytes) -> list[Gap]:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return [Gap(what="characters in the feed", why="The feed has bytes that are not UTF-8.")]
    return []


def _item(written: dict[str, Any], span: tuple[int, int], address: str) -> Item:
    contents = [
        (media_type, _text(written, key))
        for key, media_type in (
            ("content_html", "text/html"),
            ("content_text", "text/plain"),
            ("summary", "text/plain"),
        )
        if _text(written, key)
    ]
    extra: dict[str, object] = {}
    if tags := [sound(tag) for tag in _list(written, "tags") if isinstance(tag, str)]:
        extra["tags"] = tags
    if external := _text(written, "external_url"):
        extra["external_url"] = external
    return Item(
        id=_text(written, "id"),
        link=_text(written, "url"),
        title=" ".join(_text(written, "title").split()),
        contents=contents,
        author=_author(written),
        published=_text(written, "date_published"),
        updated=_text(written, "date_modified"),
        language=_text(written, "language"),
        attachments=_attachments(written, address),
        span=span,
        extra=extra,
    )


def _attachments(written: dict[str, Any], address: str) -> list[Attachment]:
    found = [
        attachment(_text(one, "url"), address, _text(one, "mime_type"), _text(one, "title"))
        for one in _list(written, "attachments")
        if isinstance(one, dict)
    ] + [attachment(_text(written, key), address) for key in ("image", "banner_image")]
    return attachment_list(one for one in found if one is not None)


def _author(written: dict[str, Any]) -> Author | None:
    for one in (*_list(written, "authors"), written.get("author")):
        if isinstance(one, dict) and (_text(one, "name") or _text(one, "url")):
            return Author(id=_text(one, "url") or None, name=_text(one, "name") or None)
    return None


def _text(written: dict[str, Any], key: str) -> str:
    value = written.get(key)
    if isinstance(value, str):
        return sound(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)  # the specification asks readers to take a number for an id (version 1.1, "id")
    return ""


def _list(written: dict[str, Any], key: str) -> list[Any]:
    value = written.get(key)
    return value if isinstance(value, list) else []

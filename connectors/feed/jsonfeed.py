"""JSON Feed 1 and 1.1 (jsonfeed.org): the parts of a feed, each with the bytes that it was read from."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from connectors import spans
from connectors.contract import Attachment, Author, Gap
from connectors.feed.parse import (
    Introduction,
    Item,
    NotAFeed,
    Parts,
    Unread,
    attachment,
    attachment_list,
    sound,
)
from connectors.pieces import STRANGE

_TEXTS = (
    "url", "title", "content_html", "content_text", "summary", "date_published", "date_modified",
)  # fmt: skip
"""What an item says in texts: by another value there, it would seem to say nothing."""

_MOST_DIGITS = 400
"""A whole number of more is no item's id; thousands would be refused by Python itself."""

_ABOUT_THE_PAGE = (
    "version", "title", "home_page_url", "feed_url", "description", "user_comment", "icon", "favicon",
    "author", "authors", "language", "hubs", "expired",
)  # fmt: skip


def parts(body: bytes, address: str) -> Parts:
    """Read a JSON Feed; `NotAFeed` if it is none."""
    try:
        feed = json.loads(
            body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff"),
            parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else float("inf"),
        )
    except (ValueError, RecursionError) as fault:
        raise NotAFeed("The document is not JSON.") from fault
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise NotAFeed("The document is JSON, but no JSON Feed: it has no list of items.")
    whole = (0, len(body))
    places, about, gaps = _places(body, len(feed["items"]))
    items, unread = [], []
    for position, written in enumerate(feed["items"]):
        strange = _strange(written)
        if strange is None:
            items.append(_item(written, places[position] if places else whole, address))
        else:
            named = _text(written, "id") if isinstance(written, dict) and _is_id(written.get("id")) else ""
            unread.append(Unread(position + 1, named, strange))
    if not items and len(unread) >= STRANGE:
        raise NotAFeed(f"None of its {len(unread)} items can be read. {unread[-1].why}")
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
        unread=unread,
        following=_text(feed, "next_url"),
    )


def _strange(written: Any) -> str | None:
    """What is strange about an item that has another shape than JSON Feed gives it; None where nothing is."""
    if not isinstance(written, dict):
        return "It is not a JSON object."
    if written.get("id") is not None and not _is_id(written["id"]):
        return "Its id is neither a text nor a number."
    for name in _TEXTS:
        if not (written.get(name) is None or _is_id(written[name])):
            return f"What stands as its {name} is no text."
    if not _text(written, "id") and not any(_text(written, name) for name in _TEXTS):
        return "It has neither an id nor words."
    return None


def _is_id(value: Any) -> bool:
    """Whether it is a text, or a number that may stand in place of one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    return isinstance(value, str) or isfinite(value)


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
        files_told=_files_told(written),
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


def _files_told(written: dict[str, Any]) -> bool:
    """Whether every file that an item names can be read."""
    listed = written.get("attachments")
    if not (listed is None or isinstance(listed, list)):
        return False
    addresses = [one.get("url") if isinstance(one, dict) else None for one in listed or ()]
    pictures = [one for key in ("image", "banner_image") if (one := written.get(key)) is not None]
    return all(isinstance(one, str) for one in (*addresses, *pictures))


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

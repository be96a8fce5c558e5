"""Write feeds: Atom (RFC 4287, with the tombstones of RFC 6721), RSS 2.0 and JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from app.demo.answers import as_html
from app.demo.blogs import DOMAIN
from app.demo.nouns import Entry, Feed
from app.demo.pictures import picture
from app.demo.telling import paragraphs

PER_PAGE = 6
"""How many meetings the council's feed shows to a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What an RSS feed says of one post or comment."""

    id: str
    link: str
    title: str
    html: str
    author: str
    at: datetime
    tags: Sequence[str] = ()
    comments: int | None = None


def entry_id(feed: Feed, slug: str) -> str:
    """The lasting id of an entry, a tag URI (RFC 4151): it does not depend on where the feed is served."""
    return f"tag:{DOMAIN},2019:{feed.key}/{slug}"


def atom(feed: Feed, home: str) -> bytes:
    """The feed as Atom, what was withdrawn as `at:deleted-entry`."""
    entries = "".join(_atom_entry(feed, entry, home) for entry in feed.entries)
    tombstones = "".join(
        f"  <at:deleted-entry ref={quoteattr(entry_id(feed, gone.slug))} when={quoteattr(_rfc3339(gone.at))}>\n"
        f"    <at:by><name>{escape(gone.by.name)}</name></at:by>\n"
        f"    <at:comment>{escape(gone.reason)}</at:comment>\n"
        "  </at:deleted-entry>\n"
        for gone in feed.withdrawn
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"'
        ' xml:lang="en">\n'
        f"  <id>tag:{DOMAIN},2019:{feed.key}</id>\n"
        f"  <title>{escape(feed.name)}</title>\n"
        f"  <subtitle>{escape(feed.tagline)}</subtitle>\n"
        f"  <updated>{_rfc3339(feed.updated)}</updated>\n"
        f'  <link rel="self" type="application/atom+xml" href={quoteattr(f"{home}/atom.xml")}/>\n'
        f'  <link rel="alternate" type="text/html" href={quoteattr(f"{home}/")}/>\n'
        f"{entries}{tombstones}</feed>\n"
    ).encode()


def _atom_entry(feed: Feed, entry: Entry, home: str) -> str:
    categories = "".join(f"    <category term={quoteattr(tag)}/>\n" for tag in entry.tags)
    return (
        "  <entry>\n"
        f"    <id>{escape(entry_id(feed, entry.slug))}</id>\n"
        f"    <title>{escape(entry.title)}</title>\n"
        f'    <link rel="alternate" type="text/html" href={quoteattr(f"{home}/{entry.slug}")}/>\n'
        f"    <published>{_rfc3339(entry.at)}</published>\n"
        f"    <updated>{_rfc3339(entry.updated)}</updated>\n"
        f"    <author><name>{escape(entry.by.name)}</name></author>\n"
        f"{categories}"
        f'    <content type="html">{escape(as_html(entry.text))}</content>\n'
        "  </entry>\n"
    )


def rss(title: str, home: str, description: str, changed: datetime, items: Sequence[Item]) -> bytes:
    """Items as RSS 2.0, in the shape in which WordPress writes it."""
    written = "".join(_rss_item(item) for item in items)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:slash="http://purl.org/rss/1.0/modules/slash/">\n<channel>\n'
        f"  <title>{escape(title)}</title>\n"
        f"  <link>{escape(home)}</link>\n"
        f"  <description>{escape(description)}</description>\n"
        f"  <lastBuildDate>{_rfc822(changed)}</lastBuildDate>\n"
        f"  <language>en-US</language>\n{written}</channel>\n</rss>\n"
    ).encode()


def _rss_item(item: Item) -> str:
    categories = "".join(f"    <category>{escape(tag)}</category>\n" for tag in item.tags)
    count = "" if item.comments is None else f"    <slash:comments>{item.comments}</slash:comments>\n"
    return (
        "  <item>\n"
        f"    <title>{escape(item.title)}</title>\n"
        f"    <link>{escape(item.link)}</link>\n"
        f"    <dc:creator>{escape(item.author)}</dc:creator>\n"
        f"    <pubDate>{_rfc822(item.at)}</pubDate>\n"
        f"{categories}"
        f'    <guid isPermaLink="false">{escape(item.id)}</guid>\n'
        f"    <content:encoded>{escape(item.html)}</content:encoded>\n"
        f"{count}  </item>\n"
    )


def json_feed(feed: Feed, home: str, page: int) -> bytes:
    """One page of the feed as JSON Feed; `next_url` names the next where there is one."""
    start = (page - 1) * PER_PAGE
    whole: dict[str, object] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.name,
        "description": feed.tagline,
        "home_page_url": f"{home}/",
        "feed_url": f"{home}/feed.json",
        "language": "en",
        "items": [_json_item(feed, entry, home) for entry in feed.entries[start : start + PER_PAGE]],
    }
    if start + PER_PAGE < len(feed.entries):
        whole["next_url"] = f"{home}/feed.json?page={page + 1}"
    return json.dumps(whole, ensure_ascii=False, indent=2).encode()


def _json_item(feed: Feed, entry: Entry, home: str) -> dict[str, object]:
    item: dict[str, object] = {
        "id": entry_id(feed, entry.slug),
        "url": f"{home}/{entry.slug}",
        "title": entry.title,
        "content_html": as_html(entry.text),
        "content_text": "\n\n".join(paragraphs(entry.text)),
        "date_published": _rfc3339(entry.at),
        "authors": [{"name": entry.by.name}],
        "tags": list(entry.tags),
    }
    if entry.updated != entry.at:
        item["date_modified"] = _rfc3339(entry.updated)
    if entry.picture:
        file, description = entry.picture
        item["attachments"] = [
            {
                "url": f"{home}/files/{file}",
                "mime_type": "image/png",
                "title": description,
                "size_in_bytes": len(picture(file)),
            }
        ]
    return item


def _rfc3339(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))

"""Which feeds a web page names, and what a server says of the bytes it sends. Pure."""

from __future__ import annotations

import re

from connectors import text as words
from connectors.feed.parse import http_address

_TYPES = {
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
}
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_ROOT = re.compile(rb"<(rss|feed|(?:[a-z0-9]+:)?rdf|channel|html|!doctype\s+html)[\s>]", re.IGNORECASE)
_COMMENTS = re.compile(r"/comments/(feed|rss|atom)|feed=comments|comment[s-]*(feed|rss|atom)", re.IGNORECASE)


def named_feeds(body: bytes, charset: str | None, address: str) -> tuple[list[str], list[str]]:
    """The feeds that a web page names in `<link rel=alternate>`: of posts, and of comments."""
    html = _characters(body, charset)
    base = address
    posts: list[str] = []
    comments: list[str] = []
    for name, tag in words.tokens(html):
        if name == "base" and base == address:
            base = http_address(words.attributes(tag).get("href", ""), address) or address
        if name != "link":
            continue
        found = words.attributes(tag)
        feed = http_address(found.get("href", ""), base)
        media_type = found.get("type", "").partition(";")[0].strip().lower()
        if feed and media_type in _TYPES and "alternate" in found.get("rel", "").lower().split():
            (comments if _COMMENTS.search(feed) else posts).append(feed)
    return list(dict.fromkeys(posts)), list(dict.fromkeys(comments))


def charset(content_type: str | None) -> str | None:
    """The encoding that a Content-Type header names."""
    found = _CHARSET.search(content_type or "")
    return found.group(1) if found else None


def looks_like_html(body: bytes, content_type: str | None) -> bool:
    """Whether an answer is a web page: by its first element, and by its type where that says nothing.

    Feeds are often served as text/html, and web pages may begin as XML does.
    """
    found = _ROOT.search(body[:4096].replace(b"\x00", b""))
    if found is not None:
        return b"html" in found.group(1).lower()
    return "html" in (content_type or "").lower() and body.lstrip()[:1] not in {b"{", b"["}


def _characters(body: bytes, charset: str | None) -> str:
    for encoding in (charset, "utf-8"):
        try:
            return body.decode(encoding or "utf-8")
        except (LookupError, UnicodeError):
            continue
    return body.decode("latin-1")

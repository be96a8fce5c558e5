"""A post as a plain page of the web, where the platform gave it through an interface only. It says what it is."""

from __future__ import annotations

from html import escape
from uuid import UUID

from app.store.outgoing.telling import VersionTold


def title(version: VersionTold) -> str:
    """The first words of a version, or what it is where it has none."""
    words = " ".join(str(version.json.get("text") or "").split())
    return words[:80] or f"a {version.json['kind']} without words"


def page(record: UUID, version: VersionTold) -> bytes:
    """The version's words, author, time and attachments; nothing is fetched from elsewhere that is not beside it."""
    author = version.json.get("author")
    who = (author.get("name") or author.get("handle") or "") if isinstance(author, dict) else ""
    language = version.json.get("language")
    spoken = f' lang="{escape(str(language))}"' if language else ""
    published = escape(str(version.json.get("published_at") or ""))
    note = (
        f"A rendering by this archive of what it captured: version {version.number} of record {record}, "
        f"observed {escape(version.observed_at.isoformat())}. It is not what the platform served."
    )
    parts = [
        f"<!doctype html>\n<html{spoken}>",
        f'<head><meta charset="utf-8"><title>{escape(title(version))}</title></head>',
        f"<body><article><header><p>{escape(str(who))}</p><p><time>{published}</time></p></header>",
        f'<div style="white-space: pre-wrap">{escape(str(version.json.get("text") or ""))}</div>',
        *(_attached(one.url, one.media_type) for one in version.attachments if one.url),
        f"</article><footer><p>{note}</p></footer></body></html>\n",
    ]
    return "\n".join(parts).encode()


def _attached(url: str, media_type: str | None) -> str:
    where = escape(url, quote=True)
    if (media_type or "").startswith("image/"):
        return f'<p><img src="{where}" alt=""></p>'
    return f'<p><a href="{where}">{where}</a></p>'

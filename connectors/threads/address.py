"""Which account, as a person wrote it: `https://www.threads.com/@town.police`, `@town.police`, a number."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_NAME = re.compile(r"@?([A-Za-z0-9_](?:[\w.]{0,28}[\w])?)", re.ASCII)
_HOSTS = re.compile(r"(?:www\.)?threads\.(?:net|com)")


def read(written: str) -> str | None:
    """The account's name in small letters, or its number; None where the text names no account."""
    text = written.strip()
    if _HOSTS.fullmatch(text.lower().rstrip("/")):
        return None
    if "/" not in text and (alone := _NAME.fullmatch(text)) is not None:
        return alone[1].lower()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return None
    if not _HOSTS.fullmatch((parts.hostname or "").lower()):
        return None
    first = next((step for step in parts.path.split("/") if step), "")
    named = _NAME.fullmatch(first)
    return named[1].lower() if named is not None and first.startswith("@") else None

"""Which account, as a person wrote it: `https://www.pinterest.com/townpolice/`, `@townpolice`, `townpolice`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_NAME = re.compile(r"@?([A-Za-z0-9_]{3,30})", re.ASCII)
_HOSTS = re.compile(r"(?:[a-z]{2,3}\.)?pinterest\.(?:com(?:\.[a-z]{2})?|co\.[a-z]{2}|[a-z]{2,4})")
_NO_ACCOUNT = frozenset(
    {
        "pin",
        "ideas",
        "search",
        "today",
        "business",
        "settings",
        "login",
        "explore",
        "videos",
        "topics",
        "about",
    }
)
"""What stands in an account's place in addresses and is none."""


def read(written: str) -> str | None:
    """The account's name in small letters; None where the text names no account."""
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
    return named[1].lower() if named is not None and first.lower() not in _NO_ACCOUNT else None

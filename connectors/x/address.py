"""Which account, as a person wrote it: `https://x.com/townpolice`, `@townpolice`, `twitter.com/townpolice`, a number."""

from __future__ import annotations

import re

from connectors.naming import steps

_HANDLE = re.compile(r"@?([A-Za-z0-9_]{1,20})")
_NUMBER = re.compile(r"[0-9]{6,20}")
"""A number by itself. A handle may consist of digits too; such a one is given with its @, or as an address."""

_HOSTS = re.compile(r"(?:(?:www|mobile|m)\.)?(?:x|twitter)\.com")
_NO_ACCOUNT = frozenset(
    {"compose", "explore", "hashtag", "home", "i", "intent", "login", "messages", "notifications", "search",
     "settings", "share", "signup", "tos", "privacy"}
)  # fmt: skip


def read(written: str) -> str | None:
    """The account's handle without its @, or its number after `id:`; None where the text names no account."""
    text = written.strip()
    if _NUMBER.fullmatch(text):
        return f"id:{text}"
    alone = _HANDLE.fullmatch(text)
    if alone is not None:
        return alone[1]
    path = steps(text, _HOSTS) or []
    if path[:2] == ["i", "user"] and len(path) > 2:
        return f"id:{path[2]}" if path[2].isascii() and path[2].isdecimal() else None
    named = _HANDLE.fullmatch(path[0]) if path else None
    return named[1] if named is not None and named[1].lower() not in _NO_ACCOUNT else None

"""Which account, as a person wrote it: `https://www.instagram.com/town.police/`, `@town.police`, a number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.naming import name

_NAME = re.compile(r"@?([A-Za-z0-9_](?:[\w.]{0,28}[\w])?)", re.ASCII)
_HOSTS = re.compile(r"(?:www\.|m\.)?(?:instagram\.com|instagr\.am)")
_NO_ACCOUNT = frozenset({"p", "reel", "reels", "tv", "stories", "explore", "accounts", "direct", "about"})


def read(written: str) -> str | None:
    """The account's name in small letters, or its number; None where the text names no account."""
    return name(written, _HOSTS, _NAME, _within)


def _within(steps: Sequence[str]) -> str:
    first = next(iter(steps), "")
    return first if first.lower() not in _NO_ACCOUNT else ""

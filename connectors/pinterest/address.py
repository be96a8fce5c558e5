"""Which account, as a person wrote it: `https://www.pinterest.com/townpolice/`, `@townpolice`, `townpolice`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.naming import name

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
    return name(written, _HOSTS, _NAME, _within)


def _within(steps: Sequence[str]) -> str:
    first = next(iter(steps), "")
    return first if first.lower() not in _NO_ACCOUNT else ""

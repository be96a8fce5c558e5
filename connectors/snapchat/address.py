"""Which profile, as a person wrote it: `https://www.snapchat.com/@townpolice`, `/add/townpolice`, `@townpolice`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.naming import name

_NAME = re.compile(r"@?([A-Za-z][A-Za-z0-9._-]{1,28}[A-Za-z0-9])", re.ASCII)
_HOSTS = re.compile(r"(?:(?:www|story)\.)?snapchat\.com")


def read(written: str) -> str | None:
    """The profile's name in small letters; None where the text names no profile."""
    return name(written, _HOSTS, _NAME, _within)


def _within(steps: Sequence[str]) -> str:
    match steps:
        case ["add" | "s", named, *_]:
            return named
        case [named, *_] if named.startswith("@"):
            return named
        case _:
            return ""

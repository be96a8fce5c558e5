"""Which profile, as a person wrote it: `https://www.snapchat.com/@townpolice`, `/add/townpolice`, `@townpolice`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_NAME = re.compile(r"@?([A-Za-z][A-Za-z0-9._-]{1,28}[A-Za-z0-9])", re.ASCII)
_HOSTS = re.compile(r"(?:(?:www|story)\.)?snapchat\.com")


def read(written: str) -> str | None:
    """The profile's name in small letters; None where the text names no profile."""
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
    match [step for step in parts.path.split("/") if step]:
        case ["add" | "s", name, *_]:
            named = _NAME.fullmatch(name)
        case [name, *_] if name.startswith("@"):
            named = _NAME.fullmatch(name)
        case _:
            return None
    return named[1].lower() if named is not None else None

"""Which page is meant, as a person wrote it: an address at one of a platform's hosts, or a name that stands alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit


def steps(text: str, hosts: re.Pattern[str]) -> list[str] | None:
    """The steps of the path of an address, as they are written; None where it is of none of these hosts."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return None
    if not hosts.fullmatch((parts.hostname or "").lower()):
        return None
    return [step for step in parts.path.split("/") if step]


def site(written: str) -> SplitResult | None:
    """The address of a site that may stand on any host, without its scheme perhaps; None where the text is none."""
    text = written.strip()
    if text and "://" not in text:
        text = "https://" + text
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - a port that is no number raises here
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in parts.netloc:
        return None
    return parts


def name(
    written: str, hosts: re.Pattern[str], pattern: re.Pattern[str], within: Callable[[Sequence[str]], str]
) -> str | None:
    """The name of an account in small letters, alone or in an address; None where the text names no account.

    It is the first group of `pattern`. `within` tells which step of an address
    it stands in; nothing, where in none. A host alone names no account.
    """
    text = written.strip()
    if hosts.fullmatch(text.lower().rstrip("/")):
        return None
    named = pattern.fullmatch(text) if "/" not in text else None
    if named is None:
        named = pattern.fullmatch(within(steps(text, hosts) or ()))
    return named[1].lower() if named is not None else None

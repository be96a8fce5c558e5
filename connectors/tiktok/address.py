"""Which account, as a person wrote it: `https://www.tiktok.com/@townpolice`, `@townpolice`, `townpolice`."""

from __future__ import annotations

import re
from urllib.parse import unquote

from connectors.naming import steps

_NAME = re.compile(r"@?([\w](?:[\w.]{0,22}[\w])?)", re.ASCII)
_HOSTS = re.compile(r"(?:(?:www|m)\.)?tiktok\.com")


def read(written: str) -> str | None:
    """The account's name in small letters; None where the text names no account.

    Short addresses (`vm.tiktok.com`) name none: where they lead is told to a
    browser alone.
    """
    text = written.strip()
    if "/" not in text and not _HOSTS.fullmatch(text.lower()):
        alone = _NAME.fullmatch(text)
        return alone[1].lower() if alone is not None else None
    first = next(map(unquote, steps(text, _HOSTS) or ()), "")
    named = _NAME.fullmatch(first)
    return named[1].lower() if named is not None and first.startswith("@") else None

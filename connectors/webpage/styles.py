"""The files that a stylesheet names. Pure."""

from __future__ import annotations

import re

from connectors.webpage.places import joined

_NAMED = re.compile(
    r"""@import\s{0,9}["']([^"'\n]{1,1500})["']"""
    r"""|url\(\s{0,9}(?:"([^"\n]{1,1500})"|'([^'\n]{1,1500})'|([^)"'\s]{1,1500}))\s{0,9}\)""",
    re.IGNORECASE,
)


def named(style: str, base: str) -> list[str]:
    """The addresses that `style` names, each once, in their order; data that stands in it is not asked for."""
    found: dict[str, None] = {}
    for match in _NAMED.finditer(_without_comments(style)):
        written = next((part for part in match.groups() if part), "")
        if written.startswith(("data:", "#", "about:")):
            continue
        address = joined(written, base)
        if address is not None:
            found.setdefault(address)
    return list(found)


def _without_comments(style: str) -> str:
    parts: list[str] = []
    at = 0
    while (start := style.find("/*", at)) >= 0:
        parts.append(style[at:start])
        end = style.find("*/", start + 2)
        if end < 0:
            return " ".join(parts)
        at = end + 2
    return " ".join([*parts, style[at:]])

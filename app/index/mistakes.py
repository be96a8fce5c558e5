"""Shows where in a question a mistake is: the words around it, and how many columns each part takes."""

from __future__ import annotations

import re
import unicodedata

from app.index import analyser
from app.index.language import BadQuery

_BEFORE, _LONGEST, _AFTER = 60, 60, 30
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What has no place in a line."""


def around(error: BadQuery) -> tuple[str, str, str]:
    """What stands before the mistake, the mistake itself, and what comes after it, as one line."""
    query, start = _UNSHOWN.sub(" ", error.query), error.position
    end = start + max(1, min(error.length, _LONGEST))
    begin = max(0, start - _BEFORE)
    before = ("…" if begin else "") + query[begin:start]
    return before, query[start:end], query[end : end + _AFTER] + ("…" if len(query) > end + _AFTER else "")


def drawn(error: BadQuery) -> tuple[str, str]:
    """Two lines for a terminal: the words around the mistake, and carets under it."""
    before, mistake, after = around(error)
    return before + mistake + after, " " * columns(before) + "^" * max(1, columns(mistake))


def columns(text: str) -> int:
    """How many columns a text takes where letters have one width: two for what is wide, none for marks on what they follow."""
    return sum(2 if len(one) > 1 else _width(one) for one in analyser.clusters(text))


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

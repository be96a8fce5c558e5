"""Which page, as a person wrote it: `https://www.facebook.com/town.police`, `facebook.com/profile.php?id=12`, an id."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

_NAME = re.compile(r"@?([\w.-]{1,120})")
_HOSTS = re.compile(r"(?:[\w-]+\.)?(?:facebook|fb)\.com")
_NOT_A_PAGE = frozenset(
    {"groups", "events", "watch", "marketplace", "login", "share", "photo.php", "permalink.php"}
)


def read(written: str) -> str | None:
    """The page's name or id, as Graph takes it; None where the text names no page."""
    text = written.strip()
    alone = _NAME.fullmatch(text)
    if alone is not None and not _HOSTS.fullmatch(text):
        return alone[1]
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return None
    if not _HOSTS.fullmatch((parts.hostname or "").lower()):
        return None
    steps = [step for step in parts.path.split("/") if step]
    if steps == ["profile.php"]:
        return _id_in(parts.query)
    if steps and steps[0] in {"pg", "pages", "people"}:
        # /pg/name, /pages/Name/12345 and /people/Name/12345: the last step that names it.
        named = steps[1:2] if steps[0] == "pg" else steps[-1:]
    else:
        named = steps[:1]
    if not named or named[0].lower() in _NOT_A_PAGE or _NAME.fullmatch(named[0]) is None:
        return None
    # A name may carry its id at the end, as /Town-Police-100064000000001 does.
    numbered = re.fullmatch(r".+-(\d{9,})", named[0])
    return numbered[1] if numbered else named[0].removeprefix("@")


def _id_in(query: str) -> str | None:
    told = parse_qs(query).get("id", [""])[0]
    return told if told.isdecimal() else None

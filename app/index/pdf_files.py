"""Reader of PDF: the words of each page, what is noted on it and filled into it, and the files that it carries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from app.index.writing import Enough, Protected, Writing

_LETTER = re.compile(r"\w")
_MOST_ABOVE = 32
"""So far up are fields of a form asked for what was filled in."""


def pdf(content: bytes, writing: Writing) -> None:
    """Every page; a page that is only a picture is a scan, and one that is damaged stops no other."""
    from pypdf import PdfReader  # noqa: PLC0415 - only here: most files are none, and it takes a while to load
    from pypdf.errors import DependencyError, FileNotDecryptedError  # noqa: PLC0415 - only here: it takes a while to load

    try:
        reader = PdfReader(BytesIO(content), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Protected
        for page in reader.pages:
            writing.page()
            _page(page, writing)
        for name, held in reader.attachments.items():
            for one in held:
                writing.file(one, "", name)
    except (DependencyError, FileNotDecryptedError) as error:
        raise Protected from error
    if not any(map(_LETTER.search, writing.parts)):
        writing.lack("scanned")


def _page(page: Any, writing: Writing) -> None:
    try:
        words = page.extract_text()
        writing.say(words)
        for said in _written_on(page):
            writing.say(f"\n{said}")
        if _LETTER.search(words) is None and _has_picture(page.get("/Resources"), _MOST_ABOVE):
            writing.lack("scanned")
    except (Enough, MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - a damaged page may raise anything in pypdf, and the others are read
        writing.lack("unreadable")


def _written_on(page: Any) -> Iterator[str]:
    """What is noted on a page, and what is filled into the fields of a form on it."""
    for one in _known(page.get("/Annots")) or ():
        note = _known(one)
        if not isinstance(note, Mapping):
            continue
        if note.get("/Subtype") == "/Widget":
            yield from _filled(note)
        elif note.get("/Subtype") != "/Popup":
            yield from _texts(note.get("/Contents"))


def _filled(field: Mapping[str, Any]) -> Iterator[str]:
    above: Any = field
    for _ in range(_MOST_ABOVE):
        if not isinstance(above, Mapping):
            return
        if "/V" in above:
            if above.get("/FT") != "/Sig":
                yield from _texts(above["/V"])
            return
        above = _known(above.get("/Parent"))


def _texts(value: Any) -> Iterator[str]:
    known = _known(value)
    if isinstance(known, list):
        for one in known:
            yield from _texts(one)
    elif isinstance(known, str) and not known.startswith("/"):
        yield str(known)


def _has_picture(resources: Any, depth: int) -> bool:
    known = _known(resources)
    drawn = _known(known.get("/XObject")) if isinstance(known, Mapping) else None
    if not isinstance(drawn, Mapping) or depth < 1:
        return False
    for one in drawn.values():
        found = _known(one)
        if isinstance(found, Mapping) and (
            found.get("/Subtype") == "/Image" or _has_picture(found.get("/Resources"), depth - 1)
        ):
            return True
    return False


def _known(value: Any) -> Any:
    """What a reference refers to."""
    return value.get_object() if hasattr(value, "get_object") else value

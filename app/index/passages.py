"""What stands beside a version's text: what pictures, files and links say, and what attachments hold.

Read from the version's own fields and from what was read in its attachments.
Pure: whoever has opened them hands them in. What the archive made itself (a
rendering of how a page looked) says nothing, for it would be found by our
words and not by the page's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit
from uuid import UUID

from app.index import attached
from app.index.attached import Attached
from app.index.documents import LACKS, Passage

_MADE = re.compile(r"(screenshot|pdf):")
_FILE_NAME = re.compile(r"[^/\\]{1,200}\.[A-Za-z0-9]{1,8}")
_KINDS = {"image": "picture", "video": "video", "audio": "sound"}

Reading: TypeAlias = Callable[[str, str, str], tuple[UUID, Attached, int] | str]
"""By the platform's id of an attachment, its media type and its name: its own id, its words and the entry with which it was kept; or why there are none."""


def of(fields: Mapping[str, object], reading: Reading) -> tuple[tuple[Passage, ...], tuple[str, ...]]:
    """The passages of a version and what of it could not be searched, in words of `LACKS`."""
    found: list[Passage] = [*_titles(fields)]
    lacks: set[str] = set()
    for number, item in enumerate(_listed(fields), start=1):
        name = name_of(item)
        what = called(item, number)
        said = [
            Passage("alt", _text(item, "description"), what),
            Passage("caption", _text(item, "caption"), what),
            Passage("filename", name, what),
        ]
        found += [passage for passage in said if passage.text]
        silent = not (said[0].text or said[1].text)
        kind = attached.told_by_name(_text(item, "media_type"), name)
        if kind == attached.QUIET:
            continue
        if kind == attached.MEDIA:
            lacks |= {"media_without_text"} if silent else set()
            continue
        told = reading(_text(item, "id"), _text(item, "media_type"), name)
        if isinstance(told, str):
            lacks.add(told)
            continue
        identity, words, entry = told
        if words.text.strip():
            held = Passage("attachment", words.text, name or what, words.pages, words.unit, identity, entry)
            found.append(held)
        if words.lacks == attached.MEDIA:
            lacks |= {"media_without_text"} if silent else set()
        elif words.lacks in LACKS:
            lacks.add(words.lacks)
    return tuple(found), tuple(reason for reason in LACKS if reason in lacks)


def files(fields: Mapping[str, object]) -> Iterator[str]:
    """The platform's ids of those attachments whose bytes may hold words."""
    for item in _listed(fields):
        if attached.told_by_name(_text(item, "media_type"), name_of(item)) is None:
            yield _text(item, "id")


def name_of(item: Mapping[str, Any]) -> str:
    """What a file is called, by the end of its address; empty where that is no name."""
    for told in (_text(item, "url"), _text(item, "id")):
        last = unquote(urlsplit(told).path.rpartition("/")[2]) if _parts(told) else ""
        if _FILE_NAME.fullmatch(last):
            return last
    return ""


def _parts(address: str) -> bool:
    try:
        urlsplit(address)
    except ValueError:
        return False
    return True


def called(item: Mapping[str, Any], number: int) -> str:
    """An attachment in words: `picture 2`, or the name of a file."""
    kind = _KINDS.get(_text(item, "media_type").partition("/")[0])
    name = name_of(item)
    if kind is None and attached.told_by_name(_text(item, "media_type"), name) == attached.MEDIA:
        kind = (
            "picture"
            if re.search(r"\.(jpe?g|png|gif|webp|avif|heic|bmp|svg)$", name, re.IGNORECASE)
            else None
        )
    return f"{kind} {number}" if kind else name or f"attachment {number}"


def where(passage: Passage, at: int) -> str:
    """Where a character of a passage stands, in words: `in the alt text of picture 2`, `on page 3 of notes.pdf`."""
    match passage.place:
        case "alt":
            return f"in the alt text of {passage.of}"
        case "caption":
            return f"in the caption of {passage.of}"
        case "filename":
            return f"in the file name of {passage.of}"
        case "title":
            return f"in the title of {passage.of}"
        case "attachment" if passage.pages:
            page = sum(begin <= at for begin in passage.pages)
            return f"on {passage.unit} {max(1, page)} of {passage.of}"
        case "attachment":
            return f"in {passage.of}"
        case _:
            return "in the text"


def _listed(fields: Mapping[str, object]) -> Sequence[Mapping[str, Any]]:
    listed = fields.get("attachments")
    if not isinstance(listed, list):
        return []
    return [item for item in listed if isinstance(item, Mapping) and not _MADE.match(_text(item, "id"))]


def _titles(fields: Mapping[str, object]) -> Iterator[Passage]:
    extra = fields.get("extra")
    if isinstance(extra, str):
        extra = _as_json(extra)
    if not isinstance(extra, Mapping):
        return
    if _text(extra, "title"):
        yield Passage("title", _text(extra, "title"), "the record")
    card = extra.get("card")
    if isinstance(card, Mapping):
        said = "\n".join(filter(None, (_text(card, "title"), _text(card, "description"))))
        if said:
            yield Passage("title", said, "a link")


def _as_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value.strip() if isinstance(value, str) else ""

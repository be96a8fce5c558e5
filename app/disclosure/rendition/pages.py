"""A production to be read in a browser, offline: a page for each post with what answers it, and a list of them.

Nothing on a page runs, nothing is loaded but the pictures that lie beside it,
and no link opens a file whose scripts a browser would run. Every word of a record is escaped and made harmless. Headings, landmarks,
languages and contrast are as WCAG 2.2 AA asks.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.disclosure.package.recipe import Numbered, Recipe
from app.disclosure.released import Passage, Released, ReleasedAttachment, ReleasedVersion, Withheld, plain
from app.disclosure.rendition import telling
from app.disclosure.rendition.telling import Leaving
from app.papers import words

SHOWN, NOT_SHOWN, UNCERTAIN = "shown", "not shown", "uncertain"
_SEEN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""Pictures that browsers show and that run nothing; an SVG can, so it is a file like others."""
_RUNS = frozenset({"text/html", "image/svg+xml"})
"""Files that are given a name by which a browser runs their scripts: they are named, and no link opens them."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_DEEPEST = 4
_PART = 200
_FIRST_WORDS = 120

Where = Callable[[Numbered, ReleasedAttachment], str | None]
"""The address of an attachment's file as a page links to it; None where it has none."""


class Thread(NamedTuple):
    """A post with what answers it, as the list of them tells it."""

    file: str
    begins: str
    title: str
    words: str
    documents: int


@dataclass(frozen=True, slots=True)
class Stood:
    """How a record stood at a moment, as far as the archive saw it: shown, not shown or uncertain."""

    shown: str
    version: ReleasedVersion
    """The newest then; of a record that was first seen later, its first."""
    last_seen: datetime | None
    first_seen_after: datetime | None


def stood(record: Released, at: datetime) -> Stood:
    """How a record stood at `at`.

    It is uncertain between two sightings that differ, before the first one
    where it may have been published already, and after the last one.
    """
    before = [version for version in record.versions if version.observed_at <= at]
    after = [version for version in record.versions if version.observed_at > at]
    if not before:
        later = record.published_at is not None and record.published_at > at
        return Stood(NOT_SHOWN if later else UNCERTAIN, after[0], None, after[0].observed_at)
    current = before[-1]
    shown = _shown(current)
    if not after:
        unsure = record.last_seen < at and current.state == "present"
        return Stood(UNCERTAIN if unsure else shown, current, record.last_seen, None)
    coming = after[0]
    if coming.last_seen_before is not None and at <= coming.last_seen_before:
        return Stood(shown, current, coming.last_seen_before, coming.observed_at)
    return Stood(
        shown if _shown(coming) == shown else UNCERTAIN, current, coming.last_seen_before, coming.observed_at
    )


def thread(
    documents: Iterable[Numbered], recipe: Recipe, where: Where, *, at: datetime | None = None
) -> Iterator[bytes]:
    """A page in parts: a post and what answers it, in the order given, as it stood at `at`; by default when last seen.

    Earlier words stand below each record's newest ones. What was seen only
    after `at` is told as having happened later, without its words.
    """
    zone = ZoneInfo(recipe.timezone)
    depth: dict[UUID, int] = {}
    begins: dict[UUID, str] = {}
    first = True
    for one in documents:
        item = one.item
        if first:
            when = telling.moment(at, zone) if at is not None else "the last look at each record"
            title = f"{telling.title(item)}, with what answers it"
            yield _rendered("thread-head.html", recipe, title=words.line(title), at=when)
            first = False
        above = item.in_reply_to
        depth[item.id] = min(_DEEPEST, depth[above] + 1) if above is not None and above in depth else 0
        begins[item.id] = one.begins
        answered = begins.get(above) if above is not None else None
        yield _rendered("item.html", recipe, **_told(one, where, zone, at, depth[item.id], answered))
    if not first:
        yield _rendered("thread-foot.html", recipe)


def listed(documents: Sequence[Numbered] | Numbered, file: str, count: int) -> Thread:
    """A thread for the list, from its first document."""
    head = documents if isinstance(documents, Numbered) else documents[0]
    said = plain(head.item.now.text) if isinstance(head.item, Released) else "withheld"
    return Thread(file, head.begins, telling.title(head.item), words.line(said, _FIRST_WORDS), count)


def index(threads: Iterable[Thread], recipe: Recipe) -> Iterator[tuple[str, bytes]]:
    """The list of threads in parts of some hundred: `index.html`, `index-2.html` and so on, each with its name."""
    part: list[Thread] = []
    number = 1
    for one in threads:
        if len(part) == _PART:
            yield _name(number), _list(part, number, recipe, more=True)
            part, number = [], number + 1
        part.append(one)
    yield _name(number), _list(part, number, recipe, more=False)


def _list(part: Sequence[Thread], number: int, recipe: Recipe, *, more: bool) -> bytes:
    title = recipe.title if number == 1 else f"{recipe.title}, part {number:,}"
    return _rendered(
        "index.html", recipe, title=words.line(title), threads=part,
        before=_name(number - 1) if number > 1 else None, after=_name(number + 1) if more else None,
    )  # fmt: skip


def _name(number: int) -> str:
    return "index.html" if number == 1 else f"index-{number}.html"


def _told(
    one: Numbered, where: Where, zone: tzinfo, at: datetime | None, depth: int, answered: str | None
) -> dict[str, Any]:
    item = one.item
    numbers = one.begins if one.pages == 1 else f"{one.begins} to {one.ends}"
    common: dict[str, Any] = {
        "anchor": _anchor(one.begins),
        "depth": depth,
        "answers": {"number": answered, "anchor": _anchor(answered)} if answered else None,
    }
    if isinstance(item, Withheld):
        return common | {
            "withheld": True,
            "heading": telling.kind(item),
            "by": None,
            "rest": f", {item.day} ({numbers})",
            "codes": "; ".join(dict.fromkeys(ground.code for ground in item.grounds)),
            "facts": list(telling.withheld(item)),
            "grounds": list(telling.grounds(item.grounds)),
        }
    so = stood(item, at) if at is not None else Stood(_shown(item.now), item.now, item.last_seen, None)
    place = list(item.versions).index(so.version)
    leaving = telling.attachments(item)
    by = words.line(plain(telling.name(item)), 120)
    published = telling.moment(item.published_at, zone) if item.published_at else "at an unknown time"
    return common | {
        "withheld": False,
        "heading": telling.kind(item),
        "by": by,
        "rest": f", {published} ({numbers})",
        "stood": _stands(item, so, place, zone, at),
        "language": item.language if item.language and _LANGUAGE.fullmatch(item.language) else None,
        "current": None
        if at is not None and so.version.observed_at > at
        else _version(one, so.version, leaving, where),
        "later": [
            f"Later: {telling.happened(item.versions, number, zone)}."
            for number in range(place + 1, len(item.versions))
        ],
        "earlier": [
            {"heading": f"Earlier: {telling.happened(item.versions, number, zone)}"}
            | _version(one, item.versions[number], leaving, where)
            for number in reversed(range(place))
        ],
        "facts": list(telling.facts(item, zone, answered)),
        "grounds": list(telling.grounds(item.redactions)),
    }


def _stands(item: Released, so: Stood, place: int, zone: tzinfo, at: datetime | None) -> str:
    if at is None:
        return f"{_sentence(telling.stands(item, zone))} Last seen {telling.moment(item.last_seen, zone)}."
    parts = [f"{so.shown.capitalize()} at {telling.moment(at, zone)}."]
    if so.version.observed_at <= at:
        parts.append(_sentence(telling.happened(item.versions, place, zone)))
    if so.last_seen is not None:
        parts.append(f"Last seen so {telling.moment(so.last_seen, zone)}.")
    if so.first_seen_after is not None:
        parts.append(f"Seen otherwise, or for the first time, {telling.moment(so.first_seen_after, zone)}.")
    return " ".join(parts)


def _sentence(told: str) -> str:
    return f"{told[:1].upper()}{told[1:]}."


def _version(
    one: Numbered, version: ReleasedVersion, leaving: Mapping[int, Sequence[Leaving]], where: Where
) -> dict[str, Any]:
    return {
        "words": version.text if plain(version.text) else None,
        "attachments": [_file(one, file, where) for file in leaving.get(version.number, ())],
    }


def _file(one: Numbered, file: Leaving, where: Where) -> dict[str, Any]:
    address = where(one, file.attachment) if file.number else None
    described = plain(file.attachment.description)
    kind = (file.attachment.media_type or "").partition(";")[0].strip().lower()
    about: Passage | None = file.attachment.description or None
    if file.attachment.explanation:
        about = (file.attachment.explanation,)
    return {
        "number": file.number,
        "where": address,
        "picture": address is not None and kind in _SEEN,
        "runs": kind in _RUNS,
        "alt": described or "A picture that nobody described",
        "told": telling.attached(file.attachment),
        "about": about,
    }


def _shown(version: ReleasedVersion) -> str:
    return SHOWN if version.state == "present" else NOT_SHOWN


def _anchor(begins: str) -> str:
    return f"d-{begins.lower()}"


@cache
def _environment() -> Environment:
    folder = Path(__file__).with_name("templates")
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sheet = (folder / "sheet.css").read_text("utf-8")
    made.filters["harmless"] = words.harmless
    # The sheet is ours and holds nothing that would have to be escaped; its digest is over what stands in the page.
    assert not set(sheet) & set("<&"), "the sheet stands in a page as it is"
    made.globals["sheet"] = _Ours(sheet)
    made.globals["sheet_digest"] = b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return made


class _Ours(str):
    """Text of this package, which needs no escaping."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def _rendered(template: str, recipe: Recipe, **told: Any) -> bytes:
    page = _environment().get_template(template)
    return page.render(recipe=recipe, made_at=telling.utc(recipe.made_at), **told).encode()

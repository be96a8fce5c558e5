"""What a production is made by, and the numbers and names that each of its documents bears: pure values.

A recipe is frozen when the production is created. With it and the same items
two builds are the same bytes, but for what others sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias, cast
from uuid import UUID

from app.disclosure.released import Item, Released, ReleasedAttachment, Withheld
from app.records.errors import Invalid

DIGITS = 7
"""A number has at least so many; review tools sort by them as by words."""
LAST = 10**DIGITS - 1
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}[A-Za-z-]|[A-Za-z]", re.ASCII)
_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9-]{0,59}", re.ASCII)
_VOLUME = re.compile(r"[A-Z]{2,3}[0-9]{3}", re.ASCII)

_EXTENSIONS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/webp": "webp",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


class BadPrefix(Invalid):
    """Numbers with this prefix would be refused, or read wrongly, by the programs that load productions."""

    code = "bad-prefix"


class BadRecipe(Invalid):
    """A production cannot be made from what is asked for."""

    code = "bad-recipe"


class Form(StrEnum):
    """In what form a production carries its records."""

    TEXT = "text"
    NATIVE = "native"
    PDF = "pdf"
    HTML = "html"
    CSV = "csv"
    XLSX = "xlsx"
    LOADFILE = "loadfile"
    """DAT and OPT."""
    RSMF = "rsmf"
    WACZ = "wacz"
    IMAGES = "images"
    """Single pages beside the documents, for review tools that show page by page."""
    PROOFS = "proofs"
    COMPLETENESS = "completeness"
    DISPOSALS = "disposals"
    """Proof of what was lawfully disposed of in the pages concerned; only when asked for."""


Forms: TypeAlias = frozenset[Form]
USUAL: Forms = frozenset(Form) - {Form.DISPOSALS}
"""What a production carries where nobody asks for less or more."""


class Ground(NamedTuple):
    """An exemption, in the words that stand in boxes, logs and letters."""

    citation: str
    title: str
    explanation: str


class Earlier(NamedTuple):
    """The numbers that a document already bears, in the production that is now replaced."""

    production: str
    first: int
    pages: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything of a production that is not its documents. MUST NOT change once numbers were given by it."""

    production: UUID
    number: str
    """What people call it: `PD-2026-0001-P01`."""
    request: str
    title: str
    agency: str
    domain: str
    timezone: str
    prefix: str
    first: int
    """The first number that is free."""
    volume: str
    made_at: datetime
    """Aware, UTC, whole seconds: the time that every file, PDF and ZIP of it bears."""
    as_of: int
    """How many entries of the ledger the selection and the facts were read at."""
    checkpoint: int
    """How many entries the checkpoint speaks of under which every proof of it stands; 0 where it has no proofs."""
    forms: Forms
    exemptions: Mapping[str, Ground]
    software: str
    profile: str = "relativity"
    """Whose names the load file's fields bear."""
    supplements: str | None = None
    """The number of the production that this one continues."""
    replaces: Mapping[UUID, Earlier] = field(default_factory=dict)
    """By record: what it was numbered before; it keeps that number."""
    only_new: bool = False
    """Whether it holds only what was not given for the request before, or not as it is now."""
    asked_back: tuple[str, ...] = ()
    """The productions of the request that were asked back until then, each with its numbers where it was not all of them."""

    def __post_init__(self) -> None:
        fit(self.prefix)
        if not _NUMBER.fullmatch(self.number) or not _VOLUME.fullmatch(self.volume):
            raise BadRecipe(f"{self.number} {self.volume} cannot name a production and its volume")
        if self.made_at.utcoffset() is None or self.made_at.microsecond or self.made_at.year < 1980:
            raise BadRecipe("a production is made at a time with an offset, in whole seconds")
        if not 1 <= self.first <= LAST + 1:  # one more than the last: none is free
            raise BadRecipe(f"numbers run from 1 to {LAST}, and {self.first} is none of them")

    @property
    def folder(self) -> str:
        """The name of its folder, and of what lies beside the bag."""
        return self.number.lower()

    def bates(self, page: int) -> str:
        """The number that a page bears: the prefix and seven digits."""
        return f"{self.prefix}{page:0{DIGITS}d}"

    def told(self) -> dict[str, object]:
        """As `production.json` has it."""
        more: dict[str, object] = {"only_new": True} if self.only_new else {}
        if self.asked_back:
            more["asked_back"] = list(self.asked_back)
        return {
            **more,
            "production": str(self.production),
            "number": self.number,
            "request": self.request,
            "title": self.title,
            "agency": self.agency,
            "domain": self.domain,
            "timezone": self.timezone,
            "prefix": self.prefix,
            "first": self.first,
            "volume": self.volume,
            "made_at": self.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "as_of": self.as_of,
            "checkpoint": self.checkpoint,
            "forms": sorted(self.forms),
            "exemptions": {code: list(ground) for code, ground in sorted(self.exemptions.items())},
            "software": self.software,
            "profile": self.profile,
            "supplements": self.supplements,
            "replaces": {str(one): list(was) for one, was in sorted(self.replaces.items())},
        }


def recalled(told: Mapping[str, object]) -> Recipe:
    """The recipe that `Recipe.told` gave; raises `BadRecipe` for what it cannot have given."""
    try:
        forms = cast("list[str]", told["forms"])
        exemptions = cast("dict[str, list[str]]", told["exemptions"])
        replaces = cast("dict[str, list[object]]", told["replaces"])
        return Recipe(
            production=UUID(str(told["production"])),
            number=str(told["number"]),
            request=str(told["request"]),
            title=str(told["title"]),
            agency=str(told["agency"]),
            domain=str(told["domain"]),
            timezone=str(told["timezone"]),
            prefix=str(told["prefix"]),
            first=_whole(told["first"]),
            volume=str(told["volume"]),
            made_at=datetime.strptime(str(told["made_at"]), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            as_of=_whole(told["as_of"]),
            checkpoint=_whole(told["checkpoint"]),
            forms=frozenset(Form(one) for one in forms),
            exemptions={code: Ground(*ground) for code, ground in exemptions.items()},
            software=str(told["software"]),
            profile=str(told["profile"]),
            supplements=None if told["supplements"] is None else str(told["supplements"]),
            replaces={
                UUID(one): Earlier(str(was[0]), _whole(was[1]), _whole(was[2]), _whole(was[3]))
                for one, was in replaces.items()
            },
            only_new=told.get("only_new") is True,
            asked_back=tuple(str(one) for one in cast("list[object]", told.get("asked_back", []))),
        )
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise BadRecipe(f"this is no recipe of a production: {error}") from error


def fit(prefix: str) -> str:
    """The prefix itself; raises `BadPrefix` for one that load programs refuse or misread.

    ASCII letters, digits and hyphens, at most 40; not beginning with a hyphen,
    which spreadsheets take for a sum; not ending in a digit, which would run
    into the number; no brackets, no blanks.
    """
    if not _PREFIX.fullmatch(prefix):
        raise BadPrefix(
            f"{prefix!r} cannot stand before numbers",
            next="Use ASCII letters, digits and hyphens, beginning with a letter or digit, ending in a letter or hyphen: TOWN-2026-0001-",
        )
    return prefix


def extension(media_type: str | None) -> str:
    """How the name of a file of this type ends; `bin` where nobody knows."""
    return _EXTENSIONS.get((media_type or "").partition(";")[0].strip().lower(), "bin")


class Attached(NamedTuple):
    """An attachment that leaves as a file of its own."""

    name: str
    """Below the payload: `natives/0001/<begins>-<n>.<ext>`."""
    attachment: ReleasedAttachment


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Where a document's files lie, below `data/` of the bag; None and nothing where it has none."""

    pdf: str | None = None
    text: str | None = None
    native: str | None = None
    images: Sequence[str] = ()
    """One a page, in the order of pages; where a document has one page, its PDF."""
    attached: Sequence[Attached] = ()
    """In the order of versions and of attachments in them; the same bytes only once."""
    html: str | None = None
    rsmf: str | None = None
    """The file that holds what happened on the day when it was published."""
    wacz: str | None = None
    proof: str | None = None
    """The folder of its proofs; below it one a version, by its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A document of a production: an item with the numbers of its pages and the names of its files."""

    item: Item
    first: int
    pages: int
    begins: str
    """`PREFIX0000001`"""
    ends: str
    volume: str
    thread: str
    """How the first document of its family begins: post and answers share it."""
    parent: str | None = None
    """How the document begins that it answers, where that is in this production, before it."""
    revision: int = 1
    """2 and more: the same number as before, made anew."""
    replaced: str | None = None
    """The production in which it stood under this number before."""
    names: Names = Names()

    @property
    def last(self) -> int:
        """The number of its last page."""
        return self.first + self.pages - 1

    @property
    def released(self) -> Released | None:
        """The record that leaves; None where it is withheld."""
        return self.item if isinstance(self.item, Released) else None

    @property
    def withheld(self) -> Withheld | None:
        """The record that is kept back whole; None where it leaves."""
        return self.item if isinstance(self.item, Withheld) else None

    @property
    def whole(self) -> bool:
        """Whether it leaves with nothing taken out, its attachments too: only then its very bytes may leave."""
        return isinstance(self.item, Released) and not self.item.redacted and not self.item.withheld_from


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value

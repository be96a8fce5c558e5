"""What stands on paper: headings, paragraphs, tables and pictures, as plain values.

Whatever words come in are made harmless here, on their way to the typesetter,
so that nobody who lays out a document can forget it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from app.papers import words

_LONG, _PART = 36, 18
"""A longer word may be divided after every so many characters, or it would run off the page."""
_MOST_RUN = 8_000


class Mark(Protocol):
    """What stands where something was taken out; its text is shown in a border."""

    @property
    def code(self) -> str:
        """The ground on which it was taken out."""


Passage: TypeAlias = Sequence[str | Mark]
"""Running text, with a mark wherever something was taken out."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title, and no level is left out."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; a line feed begins a new line."""

    text: Passage | str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """Somebody else's words, set off by a line at their side; a blank line begins a new paragraph."""

    text: Passage | str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class FileName:
    """In a value: the name of a file, which begins with the document's number, whatever that will be."""

    after: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """In a value: the number of the document that this one answers, where there is one."""


Value: TypeAlias = str | Passage | FileName | Answered


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are; several values stand on lines of their own."""

    rows: Sequence[tuple[str, Sequence[Value]]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head that is repeated on every page."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list; numbered, or with dots."""

    items: Sequence[str]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that somebody types, in letters of one width."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was made here, with what it shows in words. It takes up to a page."""

    content: bytes = field(repr=False)
    media_type: str
    width: float
    """In points, or in whatever keeps the proportion; it is made smaller where it does not fit."""
    height: float
    alt: str


@dataclass(frozen=True, slots=True)
class Full:
    """A picture that is a page of its own, of its own size and without a margin or a foot."""

    content: bytes = field(repr=False)
    media_type: str
    width: float
    """In points."""
    height: float
    alt: str


@dataclass(frozen=True, slots=True)
class NewPage:
    """What follows begins on a new page."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Lines to be signed or filled in by hand, each with what belongs on it."""

    lines: Sequence[str]


Block: TypeAlias = (
    Heading | Paragraph | Words | Facts | Table | Listed | Code | Picture | Full | NewPage | Signature
)

_WIDE, _HIGH = 480.0, 590.0
"""What a picture may take up of a Letter page, in points."""


def told(blocks: Sequence[Block], pictures: Sequence[str]) -> list[dict[str, Any]]:
    """Blocks as the sheet reads them; `pictures` are the names of their files, in order."""
    names = iter(pictures)
    return [_told(one, names) for one in blocks]


def _told(block: Block, names: Iterator[str]) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"kind": "heading", "level": level, "parts": list(_run(words.line(text, 200)))}
        case Paragraph(text, language):
            return {"kind": "paragraph", "lines": _lines(text), **_spoken(text, language)}
        case Words(text, language):
            return {"kind": "words", "paragraphs": _paragraphs(text), **_spoken(text, language)}
        case Facts(rows):
            return {
                "kind": "facts",
                "rows": [
                    [words.line(name), [line for value in values for line in _value(value)]]
                    for name, values in rows
                ],
            }
        case Table(head, rows):
            width = max(4, _PART * 3 // max(3, len(head)))
            return {
                "kind": "table",
                "head": [words.line(cell) for cell in head],
                "rows": [[list(_run(words.line(cell), width)) for cell in row] for row in rows],
            }
        case Listed(items, numbered):
            return {
                "kind": "list",
                "numbered": numbered,
                "items": [list(_run(words.line(one))) for one in items],
            }
        case Code(text):
            return {"kind": "code", "lines": _lines(text)}
        case Picture():
            less = min(_WIDE / block.width, _HIGH / block.height, 1.0)
            return {
                "kind": "picture",
                "file": next(names),
                "alt": words.line(block.alt, 1_000),
                "width": round(block.width * less, 2),
                "height": round(block.height * less, 2),
            }
        case Full():
            return {
                "kind": "full",
                "file": next(names),
                "alt": words.line(block.alt, 1_000),
                "width": block.width,
                "height": block.height,
            }
        case NewPage():
            return {"kind": "page"}
        case Signature(lines):
            return {"kind": "signature", "lines": [words.line(one) for one in lines]}


def _value(value: Value) -> list[list[Any]]:
    match value:
        case FileName(after):
            return [[{"file": after}]]
        case Answered():
            return [[{"answers": True}]]
        case _:
            return _lines(value)


def _lines(text: Passage | str) -> list[list[Any]]:
    """Lines of runs: text, a part of a long word in a list, or the mark of something that was taken out."""
    lines: list[list[Any]] = [[]]
    for run in (text,) if isinstance(text, str) else text:
        if not isinstance(run, str):
            lines[-1].append({"code": words.line(str(run))})
            continue
        first, *others = words.harmless(run).replace("\t", "    ").split("\n")
        lines[-1] += _run(first)
        lines += [list(_run(one)) for one in others]
    return lines


def _paragraphs(text: Passage | str) -> list[list[list[Any]]]:
    paragraphs: list[list[list[Any]]] = [[]]
    for line in _lines(text):
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return [one for one in paragraphs if one]


def _run(text: str, part: int = _PART) -> Iterator[Any]:
    """A line in runs; long words are cut into parts between which a line may end."""
    plain = ""
    for word in text.split(" "):
        if len(word) <= part * 2:
            plain += word + " "
            if len(plain) > _MOST_RUN:
                yield plain
                plain = ""
            continue
        if plain:
            yield plain
        yield from ([one] for one in _parts(word, part))
        plain = " "
    plain = plain[:-1] if plain != " " or text.endswith(" ") else ""
    if plain:
        yield plain


def _parts(word: str, part: int) -> Iterator[str]:
    begin = 0
    while begin < len(word):
        end = begin + part
        while end < len(word) and _belongs(word[end]) and end - begin < part * 4:
            end += 1
        yield word[begin:end]
        begin = end


def _belongs(char: str) -> bool:
    """Whether a character cannot be parted from the one before it."""
    return unicodedata.category(char)[0] == "M" or char in "\u200c\u200d"


def _spoken(text: Passage | str, language: str | None) -> dict[str, Any]:
    said = text if isinstance(text, str) else "".join(run for run in text if isinstance(run, str))
    spoken: dict[str, Any] = {} if words.rightwards(said) else {"rtl": True}
    primary = (language or "").replace("_", "-").split("-")[0].lower()
    if primary.isascii() and primary.isalpha() and 2 <= len(primary) <= 3:
        spoken["lang"] = primary
    return spoken

"""Readers of zipped documents: Word, Excel, PowerPoint and OpenDocument.

What stands inside a paragraph and is no part of its sentence (a text box, a
note, what a picture shows, how a word is pronounced) is said after it, so that
phrases meet as people read them.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Protocol

from app.index.writing import Enough, Protected, Writing

_MOST_UNPACKED = 256 * 1024 * 1024
_MOST_PARTS = 10_000


def sort_of(content: bytes) -> str:
    """Which reader reads a zipped document; `unreadable` or `unknown_format` where none does."""
    try:
        names = set(zipfile.ZipFile(BytesIO(content)).namelist())
    except (zipfile.BadZipFile, ValueError, RuntimeError):  # the last is of a method of packing that is newer
        return "unreadable"
    for part, kind in (
        (r"word/document\d*\.xml", "docx"), (r"xl/workbook\d*\.xml", "xlsx"), (r"ppt/presentation\d*\.xml", "pptx"), (r"content\.xml", "odf"),
    ):  # fmt: skip
        if any(re.fullmatch(part, name) for name in names):
            return kind
    return "unknown_format"


# ---- parts ---------------------------------------------------------------------------------------


class _Parts:
    """The parts of a zipped document, read up to a bound all together: what unpacks beyond measure is no document."""

    def __init__(self, content: bytes) -> None:
        self.file = zipfile.ZipFile(BytesIO(content))
        told = self.file.infolist()
        if len(told) > _MOST_PARTS or sum(one.file_size for one in told) > _MOST_UNPACKED:
            raise Enough
        if any(one.flag_bits & 1 for one in told):
            raise Protected
        self.names = {one.filename for one in told}
        self.said: set[str] = set()

    def open(self, name: str) -> IO[bytes]:
        self.said.add(name)
        return self.file.open(name)  # the length that the directory tells is a bound: reading ends there

    def one(self, pattern: str) -> str | None:
        """The first part of such a name."""
        return min(filter(re.compile(pattern).fullmatch, self.names), default=None)

    def numbered(self, pattern: str) -> list[str]:
        """The parts of such names, by the number in them."""
        found = ((re.fullmatch(pattern, name), name) for name in self.names)
        return [name for _, name in sorted((int(match[1]), name) for match, name in found if match)]

    def related(self, name: str) -> Mapping[str, tuple[str, str]]:
        """What a part refers to, by its id: the kind, and the name of the part."""
        folder, last = posixpath.split(name)
        known = f"{folder}/_rels/{last}.rels"
        found: dict[str, tuple[str, str]] = {}
        if known in self.names:
            for event, tag, element in _events(self.open(known)):
                if event == "start" and tag == "Relationship" and element.get("TargetMode", "") != "External":
                    target = posixpath.normpath(
                        posixpath.join("/", folder, element.get("Target", ""))
                    ).lstrip("/")
                    kind = element.get("Type", "").rpartition("/")[2]
                    if target in self.names:
                        found[element.get("Id", "")] = (kind, target)
        return found

    def in_order(self, name: str, tag: str) -> list[tuple[str, str]]:
        """The parts that a part lists, in its order, each with the name that people see."""
        known, found = self.related(name), []
        for event, told, element in _events(self.open(name)):
            if event == "start" and told == tag:
                ids = [value for key, value in element.items() if key.endswith("}id")]
                found += [(known[one][1], element.get("name", "")) for one in ids if one in known]
        return found


class _Element(Protocol):
    """What is used of an element."""

    tag: str
    text: str | None
    tail: str | None

    def get(self, name: str, default: str) -> str: ...
    def items(self) -> Iterator[tuple[str, str]]: ...
    def clear(self) -> None: ...
    def __iter__(self) -> Iterator[_Element]: ...


def _events(part: IO[bytes]) -> Iterator[tuple[str, str, _Element]]:
    """Every element as it begins and as it ends, by its name without a namespace; no entity is ever followed."""
    from defusedxml.ElementTree import iterparse  # noqa: PLC0415 - only here: most files are none of these

    for event, element in iterparse(part, events=("start", "end"), forbid_dtd=True):
        yield event, _name(element), element


def _name(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]


# ---- paragraphs ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Paragraph:
    """What a paragraph says, and what stands in it beside its sentence, each once."""

    said: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    def aside(self, text: str) -> None:
        if text.strip() and text not in self.beside:
            self.beside.append(text)

    def __str__(self) -> str:
        return "\n".join(["".join(self.said), *self.beside])


_IN_PLACE_OF = {"tab": " ", "br": "\n", "cr": "\n", "ptab": " ", "noBreakHyphen": "\u2011"}
_SAYS = frozenset(("t", "delText"))
_ASIDE = frozenset(("rt", "rPh"))
_SHOWS = frozenset(("docPr", "cNvPr"))


def _paragraphs(part: IO[bytes], writing: Writing, says: frozenset[str] = _SAYS) -> None:
    """The paragraphs of a part of Microsoft's formats."""
    open_: list[_Paragraph] = [_Paragraph()]  # the first is of what stands in none
    for event, tag, element in _events(part):
        here = open_[-1]
        if event == "start":
            if tag == "p" or tag in _ASIDE:
                open_.append(_Paragraph())
            elif tag in _SHOWS:
                here.aside("\n".join(filter(None, (element.get("title", ""), element.get("descr", "")))))
        elif tag in says:
            here.said.append(element.text or "")
        elif tag in _IN_PLACE_OF:
            here.said.append(_IN_PLACE_OF[tag])
        elif tag == "p" or tag in _ASIDE:
            done = open_.pop()
            if len(open_) == 1 and tag == "p":
                writing.say(f"{done}\n")
            else:
                open_[-1].aside(str(done))
            element.clear()
    writing.say(f"{open_[0]}\n")


def _every_text(part: IO[bytes], writing: Writing, tags: frozenset[str], within: str) -> None:
    """The texts of a part, each as one: those of `tags` inside each `within`."""
    held: list[str] = []
    aside = 0
    for event, tag, element in _events(part):
        if tag in _ASIDE:
            aside += 1 if event == "start" else -1
        if event == "end" and tag in tags and element.text and not aside:
            held.append(element.text)
        if event == "end" and tag == within:
            writing.say("".join(held) + "\n")
            held = []
            element.clear()
    writing.say("\n".join([*held, ""]))


def docx(content: bytes, writing: Writing) -> None:
    """A Word document: its text, then notes, comments, headers, charts and diagrams."""
    parts = _Parts(content)
    main = parts.one(r"word/document\d*\.xml") or ""
    _paragraphs(parts.open(main), writing)
    wanted = re.compile(r"word/(footnotes|endnotes|comments|header|footer)\d*\.xml")
    for name in sorted(filter(wanted.fullmatch, parts.names)):
        _paragraphs(parts.open(name), writing)
    _drawn(parts, writing, "word")


def _drawn(parts: _Parts, writing: Writing, folder: str) -> None:
    """Charts and diagrams that nothing has said so far."""
    wanted = re.compile(
        rf"{folder}/(charts/chart\w*|diagrams/data\w*|drawings/drawing\w*|notesSlides/notesSlide\w*|comments/\w+)\.xml"
    )
    for name in sorted(filter(wanted.fullmatch, parts.names - parts.said)):
        _beside(parts, name, writing)


_PLAIN_TEXT = frozenset(("t", "v"))


def _beside(parts: _Parts, name: str, writing: Writing) -> None:
    """A comment, a chart, a diagram or a drawing, by what it is."""
    if name in parts.said:
        return
    kind = re.sub(r"[\d.]|xml$", "", posixpath.basename(name).lower())
    if "/charts/" in name:
        _every_text(parts.open(name), writing, _PLAIN_TEXT, "v")
    elif "comment" in kind:
        _every_text(parts.open(name), writing, frozenset(("t", "text")), "comment")
    else:
        _paragraphs(parts.open(name), writing)
    for _, (related, target) in sorted(parts.related(name).items()):
        if related in _BESIDE:
            _beside(parts, target, writing)


_BESIDE = frozenset(
    ("notesSlide", "comments", "threadedComment", "chart", "chartEx", "diagramData", "drawing")
)


def pptx(content: bytes, writing: Writing) -> None:
    """Slides as they are numbered on the screen, each with its notes, comments, charts and diagrams."""
    writing.unit = "slide"
    parts = _Parts(content)
    main = parts.one(r"ppt/presentation\d*\.xml") or ""
    listed = [name for name, _ in parts.in_order(main, "sldId")]
    for name in dict.fromkeys([*listed, *parts.numbered(r"ppt/slides/slide(\d+)\.xml")]):
        writing.page()
        _paragraphs(parts.open(name), writing)
        related = parts.related(name)
        for _, (kind, target) in sorted(related.items()):
            if kind in _BESIDE:
                _beside(parts, target, writing)
        notes = name.replace("slides/slide", "notesSlides/notesSlide")
        if not listed and not related and notes in parts.names:
            _beside(parts, notes, writing)
    _drawn(parts, writing, "ppt")


def xlsx(content: bytes, writing: Writing) -> None:
    """Sheets in their order, each with its name, its cells row by row, its comments and its drawings."""
    writing.unit = "sheet"
    parts = _Parts(content)
    main = parts.one(r"xl/workbook\d*\.xml") or ""
    shared = list(_shared(parts)) if "xl/sharedStrings.xml" in parts.names else []
    listed = dict(parts.in_order(main, "sheet"))
    for name in dict.fromkeys([*listed, *parts.numbered(r"xl/worksheets/sheet(\d+)\.xml")]):
        writing.page()
        writing.say(f"{listed.get(name, '')}\n")
        _cells(parts.open(name), shared, writing)
        for _, (kind, target) in sorted(parts.related(name).items()):
            if kind in _BESIDE:
                _beside(parts, target, writing)
    _drawn(parts, writing, "xl")


_PAPER = re.compile(r'&"[^"]*"|&K[0-9A-F]{6}|&\d+|&.')
_ON_PAPER = frozenset(f"{which}{what}" for which in ("odd", "even", "first") for what in ("Header", "Footer"))


def _cells(part: IO[bytes], shared: list[str], writing: Writing) -> None:
    kind, inline, aside = "", list[str](), 0
    for event, tag, element in _events(part):
        if tag in _ASIDE:
            aside += 1 if event == "start" else -1
        if event == "start" and tag == "c":
            kind = element.get("t", "")
        elif event == "end" and tag == "t" and not aside:
            inline.append(element.text or "")
        elif event == "end" and tag == "is":
            writing.say("".join(inline) + "\t")
            inline = []
        elif event == "end" and tag == "v" and element.text:
            at = int(element.text) if kind == "s" and element.text.isdigit() else None
            said = element.text if at is None else shared[at] if at < len(shared) else ""
            writing.say(said + "\t")
        elif event == "end" and tag in _ON_PAPER:
            writing.say(_PAPER.sub(" ", element.text or "") + "\n")
        elif event == "end" and tag == "row":
            writing.say("\n")
            element.clear()


def _shared(parts: _Parts) -> Iterator[str]:
    held, aside = list[str](), list[str]()
    inside = 0
    for event, tag, element in _events(parts.open("xl/sharedStrings.xml")):
        if tag == "rPh":
            inside += 1 if event == "start" else -1
        elif event == "end" and tag == "t":
            (aside if inside else held).append(element.text or "")
        elif event == "end" and tag == "si":
            yield "\n".join(["".join(held), *aside])
            held, aside = [], []
            element.clear()


# ---- OpenDocument --------------------------------------------------------------------------------

_UNITS = {"spreadsheet": ("table", "sheet"), "presentation": ("page", "slide"), "drawing": ("page", "page")}
_SPOKEN = frozenset(("p", "h"))
_UNSAID = frozenset(
    ("note-citation", "creator", "date", "creator-initials", "sender-initials", "date-string")
)
_APART = frozenset(
    ("annotation", "note", "frame", "ruby-text", "title", "desc", "text-box", "custom-shape", "g")
)


def odf(content: bytes, writing: Writing) -> None:
    """An OpenDocument text, spreadsheet, presentation or drawing, and what stands on every page of it."""
    parts = _Parts(content)
    if "META-INF/manifest.xml" in parts.names and b"encryption-data" in parts.open(
        "META-INF/manifest.xml"
    ).read(1 << 20):
        raise Protected
    page = ""

    def begin(tag: str, element: _Element) -> None:
        nonlocal page
        if tag in _UNITS and not page:
            page, writing.unit = _UNITS[tag]
        elif tag == page:
            writing.page()
            named = [value for key, value in element.items() if key.endswith("}name")]
            writing.say("\n".join([*named, ""]))

    _spoken(parts.open("content.xml"), writing, begin)
    if "styles.xml" in parts.names:
        _spoken(parts.open("styles.xml"), writing, lambda tag, element: None)  # noqa: ARG005 - the shape of `begin`


def _spoken(part: IO[bytes], writing: Writing, begin: Callable[[str, _Element], None]) -> None:
    """Every paragraph, and what pictures outside of one show."""
    inside = 0
    for event, tag, element in _events(part):
        if event == "start":
            inside += tag in _SPOKEN
            if not inside:
                begin(tag, element)
        elif tag in _SPOKEN:
            inside -= 1
            if not inside:
                said = _Paragraph()
                _say(element, said)
                writing.say(f"{said}\n")
                element.clear()
        elif tag in ("title", "desc") and not inside:
            writing.say(f"{element.text or ''}\n")


def _say(element: _Element, here: _Paragraph) -> None:
    here.said.append(element.text or "")
    for child in element:
        tag = _name(child)
        if tag in _SPOKEN or tag in _APART:
            inner = _Paragraph()
            _say(child, inner)
            here.aside(str(inner).strip())
        elif tag in ("s", "tab", "line-break"):
            here.said.append(" ")
        elif tag not in _UNSAID:
            _say(child, here)
        here.said.append(child.tail or "")

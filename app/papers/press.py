"""The press: typst, in processes of its own, sets documents as tagged PDF/A that says PDF/UA of itself.

What a document says goes in as JSON and comes out as text; none of it is ever
read as markup. The typesetter opens nothing but the pictures that were made
here for it, asks no network, and knows no time but the one it is given, so
that the same document is the same bytes wherever the same fonts are.

Fonts: DejaVu and Noto where the machine has them (Debian: fonts-dejavu-core,
fonts-noto-core, fonts-noto-cjk, fonts-noto-color-emoji), else those that the
typesetter brings. A character that no font has is shown by its number.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import typst

from app.papers import blocks as on_paper
from app.papers import words
from app.papers.bench import Bench
from app.papers.blocks import Block, Full, Picture
from app.papers.workers import Gone, Worker, served
from app.records.errors import Unavailable

FONTS = ("DejaVu Sans", "Noto Sans", "Libertinus Serif")
MONO = ("DejaVu Sans Mono",)
_FOLDERS = (
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/truetype/noto",
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/dejavu",
    "/usr/share/fonts/dejavu-sans-fonts",
    "/usr/share/fonts/dejavu-sans-mono-fonts",
    "/usr/share/fonts/google-noto",
    "/usr/share/fonts/noto",
    "/usr/share/fonts/noto-cjk",
)
SECONDS = 120
_MEMORY = 3 << 30
_LASTS = 2_000
"""Documents that a process sets before another takes its place: what it remembers of them grows."""
_TRIES = 8
_NEVER = datetime(1980, 1, 1, tzinfo=UTC)
_SHEET = Path(__file__).with_name("sheet.typ")
_MISSING = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))")
_PAGES = re.compile(rb"<xmpTPg:NPages>(\d+)</xmpTPg:NPages>")
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png"}


class PaperFailed(Unavailable):
    """A document could not be set: the process that does it ended, or refused what it was given."""

    code = "paper-failed"


class Stamp(NamedTuple):
    """The number that stands on each page: a prefix and, in seven digits, `first` and what follows it."""

    prefix: str
    first: int
    answers: str | None = None
    """The number of the document that this one answers."""


class Attachment(NamedTuple):
    """A text file that lies in a document, for programs."""

    name: str
    media_type: str
    text: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """A document before it is set."""

    title: str
    author: str
    made_at: datetime
    """Aware; the time that the PDF says it was made at."""
    blocks: Sequence[Block]
    subject: str = ""
    running: str = ""
    """Stands at the foot of every page."""
    language: str = "en"
    stamp: Stamp | None = None
    """Without one, pages bear their number of how many."""
    attached: Sequence[Attachment] = ()


class Pressed(NamedTuple):
    """A document as PDF, and how many pages it has."""

    content: bytes
    pages: int


@dataclass(frozen=True, slots=True)
class Plate:
    """A document that is ready to be set, with any number: its data, and its pictures as files."""

    data: str
    attached: str
    standards: tuple[str, ...]
    timestamp: int
    folder: Path | None = field(default=None)

    def discard(self) -> None:
        """Forget its pictures."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class _Asked(msgspec.Struct, frozen=True):
    data: str
    stamp: str
    attached: str
    standards: tuple[str, ...]
    timestamp: int
    plainly: bool = False
    """Everything but Latin letters and what stands between them is shown by its number."""


class _Answer(msgspec.Struct, frozen=True):
    content: bytes = b""
    pages: int = 0
    failed: str | None = None


class Press:
    """Sets documents one after another; for one thread at a time. Its process ends with it.

    What is made ready by one press can be set by another at the same `bench`;
    without one it has a bench of its own, which ends with it too.
    """

    def __init__(self, bench: Bench | None = None, *, seconds: float = SECONDS + 10) -> None:
        self._own = None if bench else Bench()
        self._bench = bench or self._own
        assert self._bench is not None, "it has its own where it is given none"
        self._folder = self._bench.path
        (self._folder / _SHEET.name).write_bytes(_SHEET.read_bytes())
        self._worker = Worker("app.papers.press", (str(self._folder),), seconds=seconds)
        self._set = 0

    def plate(self, sheets: Sheets) -> Plate:
        """Make a document ready. Whoever asks MUST discard it."""
        pictures = [one for one in sheets.blocks if isinstance(one, (Picture, Full))]
        folder = None
        names: list[str] = []
        if pictures:
            folder = Path(tempfile.mkdtemp(dir=self._folder))
            for number, one in enumerate(pictures, 1):
                name = f"{number}.{_SUFFIX[one.media_type]}"
                (folder / name).write_bytes(one.content)
                names.append(f"/{folder.name}/{name}")
        made = sheets.made_at.astimezone(UTC)
        data = json.dumps(_told(sheets, names, made), ensure_ascii=False)
        attached = json.dumps([one._asdict() for one in sheets.attached], ensure_ascii=False)
        standards = ("a-3a" if sheets.attached else "a-2a", "ua-1")
        return Plate(data, attached, standards, int(made.timestamp()), folder)

    def press(self, plate: Plate, stamp: Stamp | None) -> Pressed:
        """The document as PDF; raises `PaperFailed`.

        Words over which the typesetter falls are set once more with every
        character beyond Latin letters shown by its number.
        """
        if self._set >= _LASTS:
            self._worker.close()
            self._set = 0
        self._set += 1
        asked = _Asked(
            plate.data, json.dumps(stamp and stamp._asdict()), plate.attached, plate.standards, plate.timestamp
        )  # fmt: skip
        answer = self._asked(asked)
        if answer.failed is not None:
            answer = self._asked(msgspec.structs.replace(asked, plainly=True))
        if answer.failed is not None:
            raise PaperFailed(
                f"a document could not be set: {answer.failed}",
                next="Try again; if it fails again, this is a fault of the program: report it.",
            )
        return Pressed(answer.content, answer.pages)

    def _asked(self, asked: _Asked) -> _Answer:
        try:
            return msgspec.msgpack.decode(self._worker.ask(msgspec.msgpack.encode(asked)), type=_Answer)
        except Gone as error:
            return _Answer(failed=f"the typesetter gave no answer: {error}")

    def pdf(self, sheets: Sheets) -> Pressed:
        """A document as PDF, with the stamp that it asks for."""
        plate = self.plate(sheets)
        try:
            return self.press(plate, sheets.stamp)
        finally:
            plate.discard()

    def close(self) -> None:
        """End the process, and the bench if it is its own."""
        self._worker.close()
        if self._own is not None:
            self._own.close()


def _told(sheets: Sheets, names: Sequence[str], made: datetime) -> dict[str, Any]:
    return {
        "title": words.line(sheets.title, 300) or "Untitled",
        "author": words.line(sheets.author, 300),
        "subject": words.line(sheets.subject, 300),
        "running": words.line(sheets.running, 200),
        "made": [made.year, made.month, made.day, made.hour, made.minute, made.second],
        "lang": sheets.language,
        "fonts": list(FONTS),
        "mono": list(MONO),
        "blocks": on_paper.told(sheets.blocks, names),
    }


# ---- in the process ------------------------------------------------------------------------------


def serve(folder: str) -> None:
    """In the process: set documents until there are no more."""
    table = _Table(folder)
    served(table.answer, memory=_MEMORY, seconds=SECONDS)


class _Table:
    """What the process knows: its fonts, and of which characters they have a sign."""

    def __init__(self, folder: str) -> None:
        there = [one for one in _FOLDERS if Path(one).is_dir()]
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=there)
        self._compiler = typst.Compiler(str(Path(folder) / _SHEET.name), root=folder, font_paths=fonts)
        self._tried: set[str] = set()
        self._unknown: dict[int, str] = {}

    def answer(self, message: bytes) -> bytes:
        asked = msgspec.msgpack.decode(message, type=_Asked)
        try:
            said = self._set(asked)
        except typst.TypstError as error:
            said = _Answer(failed=str(error.message)[:500])
        return msgspec.msgpack.encode(said)

    def _set(self, asked: _Asked) -> _Answer:
        """Set it; what no font has is put by its number, and the rest set again.

        A character may be shown by itself and not beside another one. So those
        that no font has at all are found first, each by itself, and only what
        is lacking still is put by numbers for this document: what comes out
        does not depend on what was set before.
        """
        data = _numbers(asked.data) if asked.plainly else asked.data.translate(self._unknown)
        for attempt in range(_TRIES):
            try:
                return self._compiled(asked, data)
            except typst.TypstError as error:
                if attempt == _TRIES - 1 or not _MISSING.search(str(error.message)):
                    raise
                lacking = _lacking(error)
            learnt = self._learnt({char for text in lacking for char in text if not char.isascii()})
            if learnt:
                data = data.translate(self._unknown)
            elif lacking and attempt < _TRIES - 2:
                for text in sorted(lacking, key=lambda text: (-len(text), text)):
                    data = data.replace(text, _numbers(text))
            else:
                data = _numbers(data)
        raise AssertionError("the last try returns or raises")

    def _compiled(self, asked: _Asked, data: str) -> _Answer:
        content = self._compiler.compile(
            sys_inputs={"told": data, "stamp": asked.stamp, "attached": asked.attached},
            format="pdf",
            pdf_standards=list(asked.standards),  # type: ignore[arg-type]  # their names, as Press.plate has them
            timestamp=asked.timestamp,
        )
        assert isinstance(content, bytes), "a PDF is one file"
        return _Answer(content, int(_PAGES.findall(content)[-1]))

    def _learnt(self, chars: set[str]) -> bool:
        """Try each of these characters by itself, once; says whether there are new ones that no font has."""
        new = sorted(chars - self._tried)
        if not new:
            return False
        self._tried.update(new)
        blocks = [{"kind": "paragraph", "lines": [[char]]} for char in new]
        told = _told(Sheets(title="Characters", author="", made_at=_NEVER, blocks=()), (), _NEVER)
        probe = _Asked(json.dumps(told | {"blocks": blocks}, ensure_ascii=False), "null", "[]", ("a-2a",), 0)
        try:
            self._compiled(probe, probe.data)
        except typst.TypstError as error:
            unknown = {char for text in _lacking(error) for char in text} & set(new)
            self._unknown |= {ord(char): words.shown(char) for char in unknown}
            return bool(unknown)
        return False


def _numbers(text: str) -> str:
    """Everything beyond Latin letters and the signs that stand in numbers, by its number."""
    return "".join(char if ord(char) < 0x250 or char in "⟨⟩…–—‘’“”" else words.shown(char) for char in text)


def _lacking(error: typst.TypstError) -> set[str]:
    """What no font has. A blank is named now and then, for what stands beside it; the fonts have those."""
    found = _MISSING.findall(f"{error.message}\n{error.diagnostic}")
    return {text for text in (_ESCAPED.sub(_unescaped, one) for one in found) if not text.isascii()}


def _unescaped(found: re.Match[str]) -> str:
    if found.group(1):
        return chr(int(found.group(1), 16))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(found.group(2), found.group(2))

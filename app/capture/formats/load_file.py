"""Load files: a table of documents beside the folders of their words, natives and pages, as review programs hand them out.

Concordance's form has DC4 between the values and þ around them, with ® for a
line end inside a value; others are divided like any table. The table stands in
a ZIP or folder with its files. A path in it is found whatever drive or folder
it begins with, as long as just one file ends so. An image load file (Opticon,
OPT) of the same name says which pages a document has.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self, cast

from app.capture.formats.divided import inside
from app.capture.formats.download import Download, composed
from app.capture.formats.encoding import Encoding, encoding_of
from app.capture.formats.loose import Loose
from app.capture.formats.mapping import BadMapping, MappingFile, Row
from app.capture.formats.source import CHUNK, Beside, Counted, Left, Line, Mark
from app.capture.formats.table import Fact, fact
from app.capture.formats.tabular import Csv
from app.capture.lines import BadFile, Stretch
from connectors.contract import Attachment, Observation

DELIMITER = "\x14"
_QUALIFIER, _NEWLINE = 0xFE, 0xAE
"""þ and ®, as they stand in one byte."""
_TEXTS = (
    "textpath",
    "textlink",
    "textfile",
    "extractedtextpath",
    "extractedtext",
    "ocrpath",
    "fulltextpath",
    "ocrtext",
)
_LONGEST, _PAGES, _OPT_LINE = 16 << 20, 1_000_000, 1 << 16
_FOLDERS = frozenset({"data", "dat", "load", "loadfile", "loadfiles", "load files"})
"""Folders of a volume in which the load file stands; the files lie beside these."""


class LoadFile(Csv):
    """A load file with its files."""

    format = "load-file"
    reader = "load-file/1"
    shared = True

    def __init__(self, file: Path, mapping: MappingFile | None) -> None:
        self.download = Loose([file])
        try:
            self.path = _table_of(self.download)
            self.alone = not self.download.packed and not file.is_dir()
            self._roots = _roots(file) if self.alone else []
            self._ends: dict[str, list[str]] = {}
            for path in self.download.members:
                self._ends.setdefault(PurePosixPath(path).name.casefold(), []).append(path)
            self.newline_sign = ""
            self.pages: dict[str, list[str]] = {}
            self.others: list[Left] = []
            self.named: set[str] = set()
            self.no_text, self.letters, self.long = Counted(), Counted(), Counted()
            self.text_place: int | None = None
            super().__init__(file, mapping, self.download.handed)
            self.total = self.download.members[self.path].size
            self._text_column()
            self._read_pages()
        except BaseException:
            self.download.close()
            raise

    # -- the table -----------------------------------------------------------------------------------------

    def opened(self) -> tuple[BinaryIO, BinaryIO]:
        """The table, wherever it stands."""
        streamed = cast("BinaryIO", _Streamed(self.download, self.path))
        return streamed, streamed

    def encoding_of(self, content: BinaryIO) -> Encoding:
        """The encoding: as stated, or as in any table, once the form's own two signs are passed over.

        Where the first value is opened by þ in one byte, the file is written
        in a Windows code page; which one, the other letters must leave no
        doubt about, or the mapping says it.
        """
        first = content.read(4)
        if self.reading.encoding is None and first[:1] == b"\xfe" and first[:2] != b"\xfe\xff":
            found = encoding_of(cast("BinaryIO", _Without(first, content)), None)
            if found.name == "utf-8" and found.known != "all of it is ASCII":
                raise BadFile(
                    "þ stands there in one byte, and other letters in more",
                    next="State `encoding` in the mapping.",
                )
            known = "þ stands there in one byte, as in Windows code pages"
            return Encoding("cp1252", 0, f"{known}; of the rest, {found.known}")
        return encoding_of(cast("BinaryIO", _Again(first, content)), self.reading.encoding)

    def signs(self, sample: str) -> tuple[str, str]:
        """DC4 and þ where the table has them; else what the mapping says or what fits."""
        head = sample.split("\n", 1)[0]
        if self.reading.delimiter is None and DELIMITER in head:
            self.newline_sign = self._sign(_NEWLINE)
            return DELIMITER, self._sign(_QUALIFIER)
        return super().signs(sample)

    def head(self, cells: Sequence[object]) -> None:
        """Take the names of the columns."""
        super().head([self._lined(cell) for cell in cells])

    def _sign(self, byte: int) -> str:
        """A sign of the form, as the encoding reads its byte."""
        if self.encoding.name.startswith("utf"):
            return chr(byte)
        try:
            return bytes([byte]).decode(self.encoding.name)
        except UnicodeDecodeError:
            return chr(byte)

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Every row after those that are kept; the files that the others name are known all the same."""
        for number, stretch in enumerate(self.rows()):
            if isinstance(stretch.found, Row):
                self._know(stretch.found)
            if number >= after.stretches:
                yield stretch
        self._done = self.total

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """The document of one row, with its words and its files."""
        row = stretch.found
        if not isinstance(row, Row):
            return ()
        lined = Row([self._lined(cell) for cell in row.cells], row.place, row.bad)
        return [
            replace(line, observation=self._whole(line.observation, lined))
            for line in super().read(replace(stretch, found=lined))
        ]

    def _whole(self, found: Observation, row: Row) -> Observation:
        more: list[Attachment] = []
        text = found.text
        if (path := self._text_path(row)) is not None:
            more.append(Attachment(id=path, path=path, media_type="text/plain"))
            text = text or self._words(path, row.place) or ""
        more += [Attachment(id=page, path=page) for page in self._pages_of(row)]
        held = {one.id for one in found.attachments}
        return replace(
            found, text=text, attachments=(*found.attachments, *(one for one in more if one.id not in held))
        )

    def reading_suggested(self) -> list[str]:
        """The column in which the files of the words stand, where one is called so and holds such paths."""
        for place, name in enumerate(self.columns):
            plain = "".join(one for one in name.casefold() if one.isalnum())
            if plain in _TEXTS and any(
                str(stretch.found.cells[place]).lower().endswith(".txt")
                for stretch in self.rows()
                if isinstance(stretch.found, Row) and place < len(stretch.found.cells)
            ):
                return ["read:", f'  text_file: "{name}"']
        return []

    # -- its files -----------------------------------------------------------------------------------------

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """A file that the table names."""
        if self.alone:
            for root in self._roots:
                for tried in _tried(path):
                    if (found := Beside(root).open(tried)) is not None:
                        return found
            return None
        held = self.found(path)
        return self.download.attachment(held) if held else None

    def found(self, path: str) -> str | None:
        """The file that a path of the table means: the only one that ends so, whatever the case of its letters."""
        for tried in _tried(path):
            wanted = composed(tried).casefold()
            ends = [
                one
                for one in self._ends.get(PurePosixPath(wanted).name, ())
                if one.casefold() == wanted or one.casefold().endswith("/" + wanted)
            ]
            exact = [one for one in ends if one.casefold() == wanted]
            if len(exact) == 1 or len(ends) == 1:
                return (exact if len(exact) == 1 else ends)[0]
            if ends:
                return None
        return None

    def _why_not(self, path: str) -> str:
        kind = self.download.packing(path)
        return inside(kind) if kind else "no row of the load file names it"

    def left(self) -> Sequence[Left]:
        """Every file that no row names."""
        known = {self.path, *self.named, *(one.name for one in self.others)}
        return [
            *self.download.refused,
            *self.others,
            *(
                Left(path, one.size, self._why_not(path))
                for path, one in sorted(self.download.members.items())
                if path not in known
            ),
        ]

    def facts(self) -> list[Fact]:
        """How it was read, and what was not there."""
        told = super().facts()
        if self.newline_sign:
            told.append(
                Fact("values stand between þ, and ® in them is read as a line end, as the form has it")
            )
        told += fact(self.no_text, "{} documents have no file of words where the load file names one")
        told += fact(self.letters, "{} files of words hold characters that could not be read")
        told += fact(
            self.long,
            f"{{}} files of words are longer than {_LONGEST >> 20} MiB: they are kept whole, and read as far as that",
        )
        return told

    def close(self) -> None:
        """Give the files back."""
        super().close()
        self.download.close()

    def _text_column(self) -> None:
        name = self.reading.text_file
        if name is None:
            return
        if name not in self.columns:
            raise BadMapping(
                f"text_file: the table has no column {name!r}",
                next=f"Its columns are {', '.join(self.columns)}.",
            )
        self.text_place = self.columns.index(name)

    def _text_path(self, row: Row) -> str | None:
        if self.text_place is None or self.text_place >= len(row.cells):
            return None
        return str(row.cells[self.text_place]).strip() or None

    def _words(self, path: str, place: str) -> str | None:
        """The words of a document, from the file that holds them; None where there is none."""
        opened = self.attachment(path)
        if opened is None:
            self.no_text.add(place)
            return None
        try:
            with opened as file:
                content = file.read(_LONGEST + 1)
        except BadFile:
            self.no_text.add(place)
            return None
        if len(content) > _LONGEST:
            self.long.add(place)
        cut = content[:_LONGEST]
        for name, mark in (
            ("utf-8", b"\xef\xbb\xbf"),
            ("utf-16-le", b"\xff\xfe"),
            ("utf-16-be", b"\xfe\xff"),
        ):
            if cut.startswith(mark):
                return cut[len(mark) :].decode(name, "replace").replace("\r\n", "\n")
        try:
            told = cut.decode()
        except UnicodeDecodeError:
            own = "cp1252" if self.encoding.name.startswith("utf") else self.encoding.name
            told = cut.decode(own, "replace")
            if "\ufffd" in told or own == "cp1252":
                self.letters.add(place)
        return told.replace("\r\n", "\n")

    def _know(self, row: Row) -> None:
        """Note the files that a row names."""
        if self.bound is None or self.alone:
            return
        lined = Row([self._lined(cell) for cell in row.cells], row.place, row.bad)
        paths = [] if self.bound.files is None else self.bound.files(lined)
        if (text := self._text_path(lined)) is not None:
            paths.append(text)
        for path in [*paths, *self._pages_of(lined)]:
            if (held := self.found(path)) is not None:
                self.named.add(held)

    def _pages_of(self, row: Row) -> list[str]:
        """The pictures of a document's pages: the first of them bears one of the row's own numbers."""
        if not self.pages:
            return []
        return next((self.pages[str(cell)] for cell in row.cells if str(cell) in self.pages), [])

    def _read_pages(self) -> None:
        """The image load file that bears the table's name, or the only one."""
        found = [one for one in self.download.members if one.lower().endswith(".opt")]
        same = [
            one
            for one in found
            if PurePosixPath(one).stem.casefold() == PurePosixPath(self.path).stem.casefold()
        ]
        chosen = same or found
        if len(chosen) != 1:
            return
        path, pages = chosen[0], 0
        begins = ""
        try:
            with (
                self.download.open(path) as opened,
                io.TextIOWrapper(
                    cast("BinaryIO", io.BufferedReader(_Raw(opened))), "utf-8-sig", "replace"
                ) as lines,
            ):
                while line := lines.readline(_OPT_LINE):
                    cells = line.rstrip("\r\n").split(",")
                    if len(cells) < 4 or not cells[0]:
                        continue
                    pages += 1
                    if pages > _PAGES:
                        break
                    if cells[3].strip().upper() == "Y" or not begins:
                        begins = cells[0].strip()
                    self.pages.setdefault(begins, []).append(cells[2].strip())
        except BadFile as error:
            self.pages = {}
            self.others.append(Left(path, self.download.members[path].size, str(error)))
            return
        why = "the image load file: read for the pages of each document"
        if pages > _PAGES:
            why += f", as far as the first {_PAGES}"
        self.others.append(Left(path, self.download.members[path].size, why))

    def _lined(self, cell: object) -> str:
        told = str(cell if cell is not None else "")
        return told.replace(self.newline_sign, "\n") if self.newline_sign else told


def _table_of(download: Download) -> str:
    """The load file among the files: the only one of its kind."""
    members = list(download.members)
    if len(members) == 1:
        return members[0]
    for suffix in (".dat", ".csv", ".txt"):
        found = [one for one in members if one.lower().endswith(suffix)]
        if suffix != ".dat":
            # Words lie in hundreds of text files: a load file of this kind stands above all folders.
            least = min((one.count("/") for one in members), default=0)
            named = [one for one in found if "load_file" in one.lower() or "loadfile" in one.lower()]
            found = named or [one for one in found if one.count("/") <= least]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadFile(
                f"{download.handed.name} holds {len(found)} load files: {', '.join(sorted(found)[:20])}",
                next="Give each volume by itself.",
            )
    raise download.refusal(
        f"{download.handed.name} holds no load file", "Give a .dat with its folders, or a ZIP of them."
    )


def _tried(path: str) -> Iterator[str]:
    """A path as its load file may mean it: as it stands, and without the folders that it begins with."""
    steps = [one for one in path.replace("\\", "/").split("/") if one not in {"", "."}]
    if steps and steps[0].endswith(":"):
        steps = steps[1:]
    if not steps or ".." in steps or "\0" in path:
        return
    for start in range(max(1, len(steps) - 1)):
        yield "/".join(steps[start:])


def _roots(file: Path) -> list[Path]:
    folder = file.resolve().parent
    return [folder, folder.parent] if folder.name.casefold() in _FOLDERS else [folder]


class _Streamed:
    """A file of a download, as long as it is read."""

    def __init__(self, download: Download, path: str) -> None:
        self._stack = ExitStack()
        self._inside = self._stack.enter_context(download.open(path))
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def read(self, most: int = -1) -> bytes:
        found = self._inside.read(most)
        self._count += len(found)
        return found

    def tell(self) -> int:
        return self._count


class _Again:
    """A file of which the first bytes were read already."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self.first, self.rest = first, rest

    def read(self, most: int = -1) -> bytes:
        found, self.first = self.first, b""
        if len(found) == most:
            return found
        return found + self.rest.read(most - len(found) if most >= 0 else CHUNK)


class _Without(_Again):
    """The same without the form's own two signs."""

    def read(self, most: int = -1) -> bytes:
        while found := super().read(most):
            if kept := found.translate(None, bytes([_QUALIFIER, _NEWLINE])):
                return kept
        return b""


class _Raw(io.RawIOBase):
    """A file of a download, for what reads lines."""

    def __init__(self, inside: BinaryIO) -> None:
        super().__init__()
        self.inside = inside

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        view = memoryview(cast("bytearray", into))
        found = self.inside.read(len(view))
        view[: len(found)] = found
        return len(found)

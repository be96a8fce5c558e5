"""A YouTube channel's takeout from Google: a ZIP, several ZIPs of one takeout, or a folder.

Its folders are named in the language of whoever asked, so that what a table
is, is told by its columns. Tables are read strictly, row by row: one whose
quotation marks do not close where a cell ends is reported, not repaired. Only
what the channel itself wrote is in a takeout, never what visitors wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from app.capture.formats import takeout_items
from app.capture.formats.divided import Divided, Item
from app.capture.formats.rows import Row, cells_of, rows
from app.capture.formats.source import Line, Unreadable
from app.capture.formats.takeout_items import CHANNELS, POSTS, VIDEOS, Channel, Told
from app.capture.lines import BadFile

_FILMS = frozenset({".mp4", ".mov", ".webm", ".mkv", ".avi", ".wmv", ".flv", ".3gp", ".m4v", ".mpg"})
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp"})


@dataclass(frozen=True, slots=True)
class _Table:
    what: str
    columns: Sequence[str]


class YoutubeTakeout(Divided):
    """Everything that a channel's takeout shows."""

    format = "youtube-takeout"
    reader = "youtube-takeout/1"

    def __init__(self, files: Sequence[Path]) -> None:
        self.told = Told()
        self.tables: dict[str, _Table] = {}
        super().__init__(files)

    def page(self) -> tuple[str, str] | None:
        """The channel whose takeout this is; of several, each row names its own; `BadFile` where it does not say."""
        if not self.told.channels:
            raise BadFile(
                f"{self.handed.name} does not say whose channel it is", next="Name the page with --page."
            )
        return "youtube", next(iter(self.told.channels.values())).title

    def addresses(self) -> Mapping[tuple[str, str], str]:
        """Each channel with its id, in which the addresses end that never change."""
        return {("youtube", one.title): one.id for one in self.told.channels.values()}

    def remarks(self) -> Sequence[str]:
        """What was put together, and what may be missing."""
        told = []
        if len(self.told.channels) > 1:
            names = ", ".join(channel.title for channel in self.told.channels.values())
            told.append(f"The takeout is of several channels, and each row goes to its own page: {names}")
        if self.told.by_title:
            told.append(
                f"{self.told.by_title} videos are put to their files by the title alone, as a takeout bears no other link"
            )
        if self.told.odd_times:
            told.append(
                f"{self.told.odd_times} times cannot be: they are kept in `extra`, and no date was made of them"
            )
        told += self.beside()
        told.append("Visitors' comments are not in a takeout; capturing the channel shows them.")
        return told

    def why_not(self, path: str) -> str:
        """Why a file was not taken of which nothing else is known."""
        if PurePosixPath(path).suffix.lower() in _FILMS:
            return "no video's title, or more than one, fits its name"
        return super().why_not(path)

    # -- what is in it -------------------------------------------------------------------------------------

    def survey(self) -> None:
        """Find out what each table holds, whose channels they are, and which files belong to which rows."""
        for path in self.paths(".csv"):
            self._recognise(path)
        if not self.tables:
            html = any(path.lower().endswith((".html", ".htm")) for path in self.download.members)
            raise self.refusal(
                f"{self.handed.name} holds no table of a YouTube takeout that is known"
                + (", only pages in HTML" if html else ""),
                advice="Ask Google for the takeout of YouTube again, as ZIP, with Google's pages set to English.",
            )
        self._files()
        # The files that rows name are known when all titles are.
        for path, table in self.tables.items():
            if table.what in {VIDEOS, POSTS}:
                for row in self._rows(self.body(path) or b"", table):
                    self._want(table.what, row)

    def _files(self) -> None:
        """Films and pictures of YouTube's part of the takeout alone: Google's other services have files of such names too."""
        roots = tuple(str(PurePosixPath(path).parent.parent) + "/" for path in self.tables)
        for path in self.download.members:
            name = PurePosixPath(path)
            if not path.startswith(roots) and "./" not in roots:
                continue
            if name.suffix.lower() in _FILMS:
                takeout_items.know_film(path, self.told)
            elif name.suffix.lower() in _PICTURES:
                self.told.pictures.setdefault(name.name, path)

    def _recognise(self, path: str) -> None:
        """Take a table whose columns are known; of every other say what it is."""
        body = self.body(path)
        if body is None:
            return
        head: list[Row] = []
        for row in rows(body):
            head.append(row)
            if len(head) == 2:
                break
        first = head[1].cells if len(head) > 1 else ()
        known = takeout_items.kind_of(head[0].cells, first) if head else None
        if head and known is None and (sign := _divided_anew(head[0].cells)):
            self.unreadable[path] = (
                f"its cells are divided by {sign!r}, as Google's are not: some program saved it anew; "
                "give the takeout as Google handed it out"
            )
            return
        if known is None:
            number = sum(1 for _ in rows(body))
            names = ", ".join(head[0].cells)[:200] if head else ""
            self.leave(
                path, f"a table whose columns are not known ({names}); it has {max(number - 1, 0)} rows"
            )
            return
        what, columns = known
        if what == CHANNELS and not first:
            self.leave(path, "a table without rows")
            return
        table = self.tables[path] = _Table(what, columns)
        self.understood.append(path)
        if what == CHANNELS:
            for told in self._rows(body, table):
                identity, title = (
                    told.get("channel id", "").strip(),
                    told.get("channel title (original)", "").strip(),
                )
                if identity and title:
                    self.told.channels.setdefault(identity, Channel(identity, title))
        elif what == VIDEOS:
            for told in self._rows(body, table):
                takeout_items.know_title(told.get("video title (original)", ""), self.told)

    def _rows(self, body: bytes, table: _Table) -> Iterator[Mapping[str, str]]:
        """The rows of a table that can be read, by the names of their columns."""
        for row in rows(body):
            if row.start > 0 and row.why is None and len(row.cells) == len(table.columns):
                yield _named(row.cells, table)

    def _want(self, what: str, row: Mapping[str, str]) -> None:
        try:
            found = takeout_items.post(row, Told()) if what == POSTS else None
        except Unreadable:
            return
        if found is not None:
            self.wanted.update(
                self.told.pictures.get(str(one.path), str(one.path)) for one in found.attachments
            )
        elif path := takeout_items.film_of(row.get("video title (original)", "").strip(), self.told):
            self.wanted.add(path)

    # -- row by row ----------------------------------------------------------------------------------------

    def items(self, path: str, body: bytes) -> Iterator[Item]:
        """The rows of a table below its header; empty ones are nobody's."""
        table = self.tables[path]
        read = partial(self._read, table=table)
        for number, row in enumerate(rows(body)):
            if number == 0 or (row.why is None and not any(row.cells)):
                continue
            why = row.why
            if why is None and len(row.cells) != len(table.columns):
                why = f"{len(row.cells)} cells where the table has {len(table.columns)} columns"
            yield Item(row.start, row.end, read, why)

    def _read(self, content: bytes, *, table: _Table) -> Sequence[Line]:
        """One row, which was read before out of these very bytes."""
        return takeout_items.lines(table.what, _named(cells_of(content), table), self.told)


def _divided_anew(cells: Sequence[str]) -> str | None:
    """What divides the columns of a table that is known but for that."""
    return next((sign for sign in ";\t|" if takeout_items.kind_of(",".join(cells).split(sign), ())), None)


def _named(cells: Sequence[str], table: _Table) -> dict[str, str]:
    """Cells by the names of their columns; of two of one name, the first that holds something counts."""
    found: dict[str, str] = {}
    for name, cell in zip(table.columns, cells, strict=True):
        found[name] = found.get(name) or cell
    return found

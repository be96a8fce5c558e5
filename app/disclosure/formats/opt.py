"""Opticon load files (OPT): one line a page, seven values between six commas, for programs that show page by page.

`page,volume,path,Y where a document begins,folder,box,pages of the document`.
The first page's id is the document's first number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from app.disclosure.formats.shape import Malformed

END = "\r\n"
LONGEST = 1 << 20
_PLAIN = re.compile(r'[^,"\r\n\x00-\x1f]+')
_COUNT = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_NUMBER = re.compile(r"(.*?)([0-9]+)", re.ASCII)


class Page(NamedTuple):
    """A page's number, and where its picture lies, from the folder that holds the load file's folder."""

    number: str
    path: str


class Document(NamedTuple):
    """A document as the file has it: where its first line stands, its volume and its pages."""

    where: str
    volume: str
    pages: Sequence[Page]


class Writer:
    """Writes an image load file to an open binary file, a document at a time."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out

    def write(self, volume: str, pages: Sequence[Page]) -> None:
        """One document with all its pages. Refuses (`ValueError`) what the form cannot hold: it has no way to quote."""
        if not pages:
            raise ValueError("a document has at least one page")
        for value in (volume, *(part for page in pages for part in page)):
            if not _PLAIN.fullmatch(value):
                raise ValueError(f"{value!r} cannot stand in an image load file")
        told = [
            f"{page.number},{volume},{page.path},{'' if place else 'Y'},,,{'' if place else len(pages)}{END}"
            for place, page in enumerate(pages)
        ]
        self.out.write("".join(told).encode())


def read(file: BinaryIO, name: str) -> Iterator[Document]:
    """The documents of an image load file; raises `Malformed` with the line.

    Each MUST begin with a line that breaks and counts its pages, and have just
    so many, with numbers that rise by one from page to page.
    """
    where, volume, count = "", "", 0
    pages: list[Page] = []
    before: Page | None = None
    for number, line in enumerate(iter(lambda: file.readline(LONGEST), b""), start=1):
        here = f"line {number}"
        page, its_volume, told = _line(name, here, line)
        if before is not None and told is None:
            _rises(name, here, before.number, page.number)
        before = page
        if told is None:
            if not pages:
                raise Malformed(name, here, "the file does not begin with a document")
            if its_volume != volume:
                raise Malformed(name, here, "a document lies in two volumes")
            pages.append(page)
            continue
        if pages:
            yield _whole(name, where, volume, pages, count)
        where, volume, count, pages = here, its_volume, told, [page]
    if pages:
        yield _whole(name, where, volume, pages, count)


def _line(name: str, here: str, line: bytes) -> tuple[Page, str, int | None]:
    """A line as page, volume, and the count of pages where a document begins."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise Malformed(name, f"{here}, byte {error.start + 1}", "it is not UTF-8") from error
    if not text.endswith(END):
        raise Malformed(name, here, "the line does not end with CR LF")
    values = text[: -len(END)].split(",")
    if len(values) != 7:
        raise Malformed(name, here, f"{len(values)} values, and a page has seven")
    number, volume, path, breaks, folder, box, count = values
    for what, value in (("number", number), ("volume", volume), ("path", path)):
        if not _PLAIN.fullmatch(value):
            raise Malformed(name, here, f"the page has no {what} that can be read")
    if folder or box:
        raise Malformed(name, here, "a folder or box begins here, and productions have none")
    if breaks == "Y" and _COUNT.fullmatch(count):
        return Page(number, path), volume, int(count)
    if breaks == count == "":
        return Page(number, path), volume, None
    raise Malformed(
        name, here, "a document begins with Y and the count of its pages, and every other page has neither"
    )


def _whole(name: str, where: str, volume: str, pages: Sequence[Page], count: int) -> Document:
    if len(pages) != count:
        raise Malformed(name, where, f"the document is said to have {count} pages, and has {len(pages)}")
    return Document(where, volume, tuple(pages))


def _rises(name: str, here: str, before: str, after: str) -> None:
    one, other = _NUMBER.fullmatch(before), _NUMBER.fullmatch(after)
    if one is None or other is None or one[1] != other[1] or len(one[2]) != len(other[2]):
        raise Malformed(name, here, f"{after} is not a number of the same kind as {before}")
    if int(other[2]) != int(one[2]) + 1:
        raise Malformed(name, here, f"{after} does not follow {before}")

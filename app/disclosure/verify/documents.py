"""The documents of a production as its load files list them: one row each, in the order of their numbers, the same in every file.

The first load file that there is names the documents; every other one is read
beside it, row by row, and must say the same in the same order. Nothing is held
but the current row and a count for each folder.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from app.disclosure.formats import dat, opt, table, xlsx
from app.disclosure.formats.fields import BY_NAME, Kind, file_of
from app.disclosure.formats.profiles import Profile, called
from app.disclosure.formats.shape import Malformed, Row, Table
from app.disclosure.package.recipe import DIGITS, Form, Recipe
from app.disclosure.verify.findings import Finding, Report, Wrong
from app.disclosure.verify.lying import Outside
from app.records.folders import below

_PATHS = ("TEXTPATH", "PDFPATH", "NATIVEPATH", "HTMLPATH", "RSMFPATH", "WACZPATH")
_OWN = ("pdf", "text", "natives", "images")
"""Folders in which every file belongs to one document."""
_SHOWN = re.compile("⟨U\\+([0-9A-F]{4,6})⟩")
_BROKEN = re.compile("⟨(U(\\+[0-9A-F]*)?)?$")
FOLDERS = (*_OWN, "html", "rsmf", "wacz", "data", "logs", "cert", "proof")


@dataclass(frozen=True, slots=True)
class Document:
    """A row: the fields that the load file gives, by our own names for them."""

    where: str
    values: Mapping[str, str]
    images: Sequence[opt.Page] = ()
    agreed: bool = True
    """Whether every table says the same of it."""

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def begins(self) -> str:
        return self["BEGDOC"]

    @property
    def pages(self) -> int:
        return int(self["PGCOUNT"])

    @property
    def withheld(self) -> bool:
        return self["WITHHELD"] == "Y" or self["PROPERTIES"] == "Document Withheld"

    @property
    def redacted(self) -> bool:
        return not self.withheld and (self["REDACTED"] == "Y" or self["PROPERTIES"] == "Redacted")

    def file(self, name: str) -> str | None:
        """The file below the payload that a field names; None where it is blank, or names none that can lie there."""
        return _below(self[name]) if self[name] else None

    def attached(self) -> list[str]:
        told = (_below(one) for one in self._attachments())
        return [one for one in told if one is not None]

    def misnamed(self) -> str:
        """A value that should name a file below the payload and cannot; empty where there is none."""
        told = [self[name] for name in (*_PATHS, "PROOFPATH") if self[name]]
        told += [*self._attachments(), *(page.path for page in self.images)]
        return next((one for one in told if _below(one) is None), "")

    def _attachments(self) -> list[str]:
        return [one.replace("%3B", ";") for one in self["ATTACHPATHS"].split(";") if one]


@dataclass(slots=True)
class Counts:
    """What was counted on the way, to be held against what the production says of itself."""

    documents: int = 0
    pages: int = 0
    withheld: int = 0
    redacted: int = 0
    first: str = ""
    last: str = ""
    proven: int = 0
    """Of how many documents a row names proofs."""
    files: dict[str, int] = field(default_factory=dict)
    shared: dict[str, set[str]] = field(default_factory=dict)
    columns: Collection[str] = ()
    pictured: bool = False
    """Whether an image load file names every page."""


def stem(recipe: Recipe) -> str:
    """How the load files of a production are called, without their endings."""
    return recipe.volume.lower()


def has_rows(recipe: Recipe) -> bool:
    """Whether the production lists its documents in any load file."""
    return bool({Form.LOADFILE, Form.CSV, Form.XLSX} & recipe.forms)


def read(of: Outside, recipe: Recipe, counts: Counts, report: Report) -> Iterator[Document | Finding]:
    """Every document with what is wrong with its row, its numbers and its paths; `counts` are made on the way."""
    profile = called(recipe.profile)
    with ExitStack() as held:
        tables = list(_tables(of, recipe, profile, held))
        pages = _pages(of, recipe, held)
        if not tables:
            return
        name, columns, rows = tables[0]
        counts.pictured = pages is not None
        numbers = _Numbers(recipe)
        try:
            for row, *others in zip_longest(rows, *(each for _, _, each in tables[1:])):
                pictured = next(pages, None) if pages is not None else None
                document = _document(name, columns, row, recipe, pictured, has_pages=pages is not None)
                if apart := list(_alike(name, document, tables[1:], others)):
                    document = replace(document, agreed=False)
                yield from apart
                yield from numbers.next(document, f"bag/data/{name}, {document.where}")
                yield from _named(of, document, counts)
                _count(document, counts)
                report.count("documents")
                yield document
            if pages is not None and (more := next(pages, None)) is not None:
                where = f"bag/data/data/{stem(recipe)}.opt, {more.where}"
                yield Finding("loadfiles-differ", f"{more.pages[0].number} is in no other load file", where)
        except Malformed as error:
            what = f"{error.where}: {error.what}" if error.where else error.what
            raise Wrong("loadfile-form", what, f"bag/data/{error.file}") from error
    yield from _unlisted(of, counts)


# -- rows --------------------------------------------------------------------------------------------------


def _tables(
    of: Outside, recipe: Recipe, profile: Profile, held: ExitStack
) -> Iterator[tuple[str, Sequence[str], Iterator[Row]]]:
    """Each table of the production, its columns by our own names, and its rows."""
    readers = {
        "csv": (Form.CSV, table.read),
        "dat": (Form.LOADFILE, dat.read),
        "xlsx": (Form.XLSX, xlsx.read),
    }
    for ending, (form, reader) in readers.items():
        name = f"data/{stem(recipe)}.{ending}"
        if form not in recipe.forms:
            continue
        try:
            told: Table = reader(held.enter_context(_opened(of, name)), name)
        except Malformed as error:
            raise Wrong(
                "loadfile-form",
                f"{error.where}: {error.what}" if error.where else error.what,
                f"bag/data/{name}",
            ) from error
        yield name, _columns(name, told.columns, profile), told.rows


def _columns(name: str, columns: Sequence[str], profile: Profile) -> Sequence[str]:
    """Our own names of the columns: those of the recipient's profile, or ours."""
    if tuple(columns) == profile.names:
        return [ours for _, ours in profile.columns]
    if all(one in BY_NAME for one in columns):
        return columns
    raise Wrong("loadfile-form", "its columns are not those of the recipient's profile", f"bag/data/{name}")


def _pages(of: Outside, recipe: Recipe, held: ExitStack) -> Iterator[opt.Document] | None:
    name = f"data/{stem(recipe)}.opt"
    if not (of.data / name).exists():
        return None
    return opt.read(held.enter_context(_opened(of, name)), name)


def _opened(of: Outside, name: str) -> BinaryIO:
    try:
        return (of.data / name).open("rb")
    except OSError as error:
        raise Wrong(
            "file-missing", "the production says that it has this form", f"bag/data/{name}"
        ) from error


def _document(
    name: str,
    columns: Sequence[str],
    row: Row | None,
    recipe: Recipe,
    pictured: opt.Document | None,
    *,
    has_pages: bool,
) -> Document:
    if row is None:
        raise Wrong(
            "loadfiles-differ", "another load file has documents that this one has not", f"bag/data/{name}"
        )
    values = dict(zip(columns, row.values, strict=True))
    where = f"bag/data/{name}, {row.where}"
    count = values.get("PGCOUNT", "")
    if not count.isascii() or not count.isdigit() or not values.get("BEGDOC"):
        raise Wrong(
            "loadfile-form", "it says neither where the document begins nor how many pages it has", where
        )
    if not has_pages:
        return Document(row.where, values)
    lines = int(count) if Form.IMAGES in recipe.forms else 1  # without pictures, the PDF alone
    if pictured is None or (pictured.pages[0].number, len(pictured.pages)) != (values["BEGDOC"], lines):
        there = (
            "nothing" if pictured is None else f"{pictured.pages[0].number} with {len(pictured.pages)} pages"
        )
        raise Wrong(
            "loadfiles-differ",
            f"{values['BEGDOC']} has {count} pages, and the image load file has {there}",
            where,
        )
    return Document(row.where, values, pictured.pages)


def _alike(
    name: str,
    document: Document,
    others: Sequence[tuple[str, Sequence[str], Iterator[Row]]],
    beside: Sequence[Row | None],
) -> Iterator[Finding]:
    """Whether the other tables say the same of the document, as far as they can hold it."""
    for (other, columns, _), told in zip(others, beside, strict=True):
        where = f"bag/data/{name}, {document.where}"
        if told is None:
            yield Finding("loadfiles-differ", f"bag/data/{other} ends before it", where)
            continue
        for column, value in zip(columns, told.values, strict=True):
            if column in document.values and not alike(column, document[column], value):
                yield Finding(
                    "loadfiles-differ", f"{column} is another in bag/data/{other}, {told.where}", where
                )
                break


def alike(column: str, one: str, other: str) -> bool:
    """Whether two forms can both stand for one value: each as the forms that lose something leave it."""
    if one == other:
        return True
    if BY_NAME[column].kind in (Kind.NUMBER, Kind.FLAG, Kind.PATH):
        return False
    first, second = _least(one), _least(other)
    if _is_cut(one) or _is_cut(other):
        first, second = sorted((_beginning(first), _beginning(second)), key=len)
        return second.startswith(first)
    return first == second


def _least(value: str) -> str:
    """A value as every form leaves it: the letters that all of them hold, each as itself where a form shows its number."""
    told = _SHOWN.sub(lambda found: chr(min(int(found[1], 16), sys.maxunicode)), value)
    return "".join(told.split())


def _is_cut(value: str) -> bool:
    """Whether a form that holds no more ended the value with words that say so."""
    return value.endswith(xlsx.CONTINUED) and len(value) > xlsx.LONGEST // 4


def _beginning(least: str) -> str:
    """What was left of a value before it was cut, perhaps within the number of a character."""
    return _BROKEN.sub("", least.removesuffix("".join(xlsx.CONTINUED.split())))


# -- numbers -----------------------------------------------------------------------------------------------


class _Numbers:
    """Holds the numbers of one document against those of the one before it."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._next = recipe.first
        self._before = {one.first for one in recipe.replaces.values()}

    def next(self, document: Document, where: str) -> Iterator[Finding]:
        begins, ends, count = self._page(document.begins), self._page(document["ENDDOC"]), document.pages
        if begins is None or ends is None or count < 1:
            yield Finding(
                "number-form",
                f"{document.begins} – {document['ENDDOC']} are no numbers of this production",
                where,
            )
            return
        if ends - begins + 1 != count:
            yield Finding(
                "number-form", f"{document.begins} – {document['ENDDOC']} are not {count} pages", where
            )
        if begins in self._before and begins != self._next:  # it keeps the number that it had
            self._before.remove(begins)
            return
        if begins < self._next:
            yield Finding("number-repeated", f"{document.begins} was given before", where)
        elif begins > self._next:
            yield Finding(
                "number-gap",
                f"{self._recipe.bates(self._next)} to {self._recipe.bates(begins - 1)} are of no document",
                where,
            )
        self._next = max(self._next, ends + 1)

    def _page(self, number: str) -> int | None:
        told = number.removeprefix(self._recipe.prefix)
        if (
            not number.startswith(self._recipe.prefix)
            or len(told) != DIGITS
            or not told.isascii()
            or not told.isdigit()
        ):
            return None
        return int(told)


# -- paths -------------------------------------------------------------------------------------------------


def _named(of: Outside, document: Document, counts: Counts) -> Iterator[Finding]:
    """Whether every file that the row names lies there, in its own folder; counted for `_unlisted`."""
    where = f"{document.begins}"
    if misnamed := document.misnamed():
        yield Finding("path-missing", f"{misnamed!r} is no path below the payload", where)
    files = [(name, file) for name in _PATHS if (file := document.file(name)) is not None]
    files += [("ATTACHPATHS", file) for file in document.attached()]
    files += [("image", page.path) for page in images(document)]
    for name, file in files:
        folder = file.partition("/")[0]
        path = of.data / file
        if folder not in FOLDERS or not path.is_file():
            yield Finding("path-missing", f"{name} names bag/data/{file}, which is not there", where)
        elif folder in _OWN:
            counts.files[folder] = counts.files.get(folder, 0) + 1
        else:
            counts.shared.setdefault(folder, set()).add(file)


def images(document: Document) -> list[opt.Page]:
    """Pages that have a file of their own: the only page of a document is its PDF."""
    told = [(page.number, _below(page.path)) for page in document.images]
    pdf = document.file("PDFPATH")
    return [opt.Page(number, path) for number, path in told if path is not None and path != pdf]


def _below(told: str) -> str | None:
    """The file below the payload that a value names; None where it names none that can lie there."""
    try:
        return file_of(told)
    except ValueError:
        return None


def _unlisted(of: Outside, counts: Counts) -> Iterator[Finding]:
    """Files in a folder of the documents that no row names. Names are looked at only where numbers differ."""
    named = {
        "pdf": {"PDFPATH"},
        "text": {"TEXTPATH"},
        "natives": {"NATIVEPATH", "ATTACHPATHS"},
        "images": {"PDFPATH"},
    }
    for folder in _OWN:
        if folder == "images" and not counts.pictured:
            continue
        if not named[folder] <= set(counts.columns):
            continue  # not every recipient asks for every path
        there = _how_many(of.data / folder)
        if there > counts.files.get(folder, 0):
            yield Finding(
                "path-unlisted",
                f"{there} files lie there, and the load files name {counts.files.get(folder, 0)}",
                f"bag/data/{folder}",
            )
    items = len(list((of.data / "proof" / "items").glob("*")))
    if "PROOFPATH" in counts.columns and items > counts.proven:
        what = f"{items} documents are proven there, and the load files name {counts.proven}"
        yield Finding("path-unlisted", what, "bag/data/proof/items")
    for folder, column in (("rsmf", "RSMFPATH"), ("wacz", "WACZPATH")):
        if column not in counts.columns:
            continue
        listed = counts.shared.get(folder, set())
        for path in below(of.data / folder):
            name = path.relative_to(of.data).as_posix()
            if path.is_file() and name not in listed:
                yield Finding("path-unlisted", "no load file names it", f"bag/data/{name}")


def _how_many(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


def _count(document: Document, counts: Counts) -> None:
    counts.documents += 1
    counts.pages += document.pages
    counts.withheld += document.withheld
    counts.redacted += document.redacted
    counts.proven += bool(document["PROOFPATH"])
    counts.first = counts.first or document.begins
    counts.last = max(counts.last, document["ENDDOC"])
    counts.columns = document.values.keys()

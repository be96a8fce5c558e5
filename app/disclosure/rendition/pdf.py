"""A record as a document on paper: what is told of it, its words as they stood, its pictures and pages, each page numbered.

Everything is laid out from what is released. A mark stands where something
was taken out, black on white in a border, and under it lies nothing. What
cannot be shown on paper has a slip-sheet, and so has what is withheld, so that
no number is without a page.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from io import BytesIO
from queue import SimpleQueue
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ByteStringObject, NameObject, StreamObject

from app.disclosure.package.numbering import Numbering
from app.disclosure.package.recipe import Form, Numbered, Recipe, extension
from app.disclosure.released import Item, Leaves, Passage, Released, ReleasedAttachment, Withheld, plain
from app.disclosure.rendition import telling
from app.disclosure.rendition.pictures import REASONS, Unfit
from app.disclosure.rendition.studio import MOST_BYTES, Studio
from app.disclosure.rendition.telling import Leaving
from app.papers import words
from app.papers.bench import Bench
from app.papers.blocks import (
    Answered,
    Block,
    Facts,
    FileName,
    Heading,
    NewPage,
    Paragraph,
    Picture,
    Value,
    Words,
)
from app.papers.press import PaperFailed, Plate, Press, Pressed, Sheets, Stamp

PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/avif")
DOCUMENTS = ("application/pdf",)
_SHORT, _LINES = 1_500, 12
"""A record with no more characters and lines, and nothing else, surely fits on one page."""
_AHEAD = 24
"""So many documents are prepared before the first of them is fetched,"""
_HEAVY = 64 * 1024 * 1024
"""or fewer, where what is attached to them has so many bytes."""


def sheets(item: Item, recipe: Recipe, studio: Studio, again: str = "") -> Sheets:
    """A record as a document that is ready to be set with any number; `again` ends the names of files made anew."""
    zone = ZoneInfo(recipe.timezone)
    blocks = _slip(item) if isinstance(item, Withheld) else list(_released(item, recipe, zone, studio, again))
    title = telling.title(item)
    return Sheets(
        title=title, author=recipe.agency, made_at=recipe.made_at, blocks=blocks,
        subject=f"Production {recipe.number}, request {recipe.request}",
        running=f"{words.line(recipe.agency, 60)} · {recipe.number} · {words.line(title, 70)}",
    )  # fmt: skip


def documents(
    items: Iterable[Item], numbers: Numbering, *, processes: int | None = None
) -> Iterator[tuple[Numbered, bytes]]:
    """Every item as a numbered document, in order, as PDF.

    Numbers are given here, by `numbers`, once the pages of a document are
    known, one document after the other. A short record is set once, with the
    number that it will have if everything before it has the pages that it
    seems to have; only where that was wrong is a document set again. Two runs
    over the same items give the same bytes. Memory is bounded by some dozens of
    documents, or fewer large ones; whoever stops taking stops the work.
    Attachments are read in threads of its own. Raises `PaperFailed`.
    """
    coming = iter(items)
    line: deque[_Making] = deque()
    given: dict[UUID, int] = {}
    root: UUID | None = None
    with _workshop(processes or min(4, os.cpu_count() or 1)) as shop:
        while True:
            while _room(line) and (item := next(coming, None)) is not None:
                line.append(_Making(item, *_estimate(item)))
            if not line:
                return
            head = line[0]
            _plan(line, numbers, given, shop)
            made = head.work.result()
            head.pages = made.pressed.pages
            if not _plan(line, numbers, given, shop):
                continue  # it was set with another number than it has, and is set again
            line.popleft()
            if head.item.root != root:
                root, given = head.item.root, {}
            numbered = numbers.give(head.item, head.pages)
            assert head.stamp is not None, "it was set with a number"
            assert numbered.first == head.stamp.first, "planning and numbering agree"
            given[head.item.id] = numbered.first
            made.plate.discard()
            yield numbered, made.pressed.content


class _Made(NamedTuple):
    plate: Plate
    pressed: Pressed


@dataclass(slots=True)
class _Making:
    """A document on its way: what is expected of it, and what it was last set with."""

    item: Item
    estimate: int
    sure: bool
    pages: int | None = None
    stamp: Stamp | None = None
    again: str = ""
    work: Future[_Made] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Workshop:
    pool: ThreadPoolExecutor
    tools: SimpleQueue[tuple[Press, Studio]]

    def make(self, item: Item, recipe: Recipe, stamp: Stamp, again: str) -> Future[_Made]:
        """Lay a record out and set it."""
        return self.pool.submit(self._made, item, recipe, stamp, again)

    def again(self, plate: Plate, stamp: Stamp) -> Future[_Made]:
        """Set it with another number."""
        return self.pool.submit(self._pressed, plate, stamp)

    def _made(self, item: Item, recipe: Recipe, stamp: Stamp, again: str) -> _Made:
        with self._taken() as (press, studio):
            plate = press.plate(sheets(item, recipe, studio, again))
            try:
                return _Made(plate, press.press(plate, stamp))
            except PaperFailed as error:
                raise PaperFailed(
                    f"record {item.id} cannot be put on paper: {error}", next=error.next
                ) from error

    def _pressed(self, plate: Plate, stamp: Stamp) -> _Made:
        with self._taken() as (press, _):
            return _Made(plate, press.press(plate, stamp))

    @contextmanager
    def _taken(self) -> Iterator[tuple[Press, Studio]]:
        tools = self.tools.get()
        try:
            yield tools
        finally:
            self.tools.put(tools)


@contextmanager
def _workshop(processes: int) -> Iterator[_Workshop]:
    with ExitStack() as stack:
        bench = stack.enter_context(closing(Bench()))
        tools: SimpleQueue[tuple[Press, Studio]] = SimpleQueue()
        for _ in range(processes):
            tools.put((stack.enter_context(closing(Press(bench))), stack.enter_context(closing(Studio()))))
        pool = ThreadPoolExecutor(processes, thread_name_prefix="press")
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        yield _Workshop(pool, tools)


def _plan(line: Iterable[_Making], numbers: Numbering, given: Mapping[UUID, int], shop: _Workshop) -> bool:
    """Set what can be set, with the number that it will have; says whether the first in line is set as it should be."""
    recipe = numbers.recipe
    free = numbers.place.next
    expected = dict(given)
    exact = ready = True
    for place, one in enumerate(line):
        pages = one.pages or one.estimate
        earlier = recipe.replaces.get(one.item.id)
        keeps = earlier is not None and pages <= earlier.pages
        first = earlier.first if earlier is not None and keeps else free
        again = f"-v{earlier.revision + 1}" if earlier is not None and keeps else ""
        above = expected.get(one.item.in_reply_to) if one.item.in_reply_to is not None else None
        stamp = Stamp(recipe.prefix, first, recipe.bates(above) if above is not None else None)
        expected[one.item.id] = first
        if not keeps:
            free += pages
        if one.stamp is None:
            if exact or not one.sure:
                one.stamp, one.again = stamp, again
                one.work = shop.make(one.item, recipe, stamp, again)
        elif exact and (one.stamp, one.again) != (stamp, again) and one.work.done():
            ready = ready and place > 0
            plate = one.work.result().plate
            if one.again == again:
                one.work = shop.again(plate, stamp)
            else:
                plate.discard()
                one.work = shop.make(one.item, recipe, stamp, again)
            one.stamp, one.again = stamp, again
        if one.pages is None and one.work.done():
            one.pages = one.work.result().pressed.pages
        exact = exact and (one.pages is not None or one.sure)
    return ready


def _room(line: deque[_Making]) -> bool:
    """Whether another document may be prepared before the first one is fetched."""
    return len(line) < _AHEAD and sum(_weight(one.item) for one in line) < _HEAVY


def _weight(item: Item) -> int:
    if isinstance(item, Withheld):
        return 0
    return sum(one.size or 0 for version in item.versions for one in version.attachments)


def _estimate(item: Item) -> tuple[int, bool]:
    """How many pages a document will have, and whether that is as good as certain."""
    if isinstance(item, Withheld):
        return 1, True
    said = sum(len(plain(version.text)) for version in item.versions)
    lines = sum(plain(version.text).count("\n") for version in item.versions)
    leaving = {one.id or id(one): one for version in item.versions for one in version.attachments}
    sheets_ = sum(one.leaves is not Leaves.MISSING for one in leaving.values())
    sure = (
        not sheets_
        and len(item.versions) <= 2
        and said <= _SHORT
        and lines <= _LINES
        and len(item.redactions) < 4
    )
    return 1 + said // 3_500 + sheets_, sure


def singles(content: bytes) -> Iterator[bytes]:
    """The pages of a document as PDFs of one page each, for programs that show page by page.

    They are pictures of pages, so to say: PDF/A-2u, with words that can be
    searched, and without the structure, which belongs to the whole.
    """
    reader = PdfReader(BytesIO(content))
    root = reader.root_object
    whole = hashlib.sha256(content).hexdigest()
    for number, page in enumerate(reader.pages, 1):
        writer = PdfWriter()
        writer.pdf_header = "%PDF-1.7"
        added = writer.add_page(page)
        for name in ("/StructParents", "/Tabs"):
            added.pop(NameObject(name), None)
        writer.root_object[NameObject("/OutputIntents")] = root["/OutputIntents"].clone(writer)
        if "/Lang" in root:
            writer.root_object[NameObject("/Lang")] = root["/Lang"].clone(writer)
        writer.xmp_metadata = _XMP.encode()
        told = writer.root_object["/Metadata"].get_object()
        assert isinstance(told, StreamObject), "it was made in the line before"
        told[NameObject("/Type")], told[NameObject("/Subtype")] = NameObject("/Metadata"), NameObject("/XML")
        writer.metadata = None
        mark = ByteStringObject(hashlib.sha256(f"{whole}/{number}".encode()).digest()[:16])
        writer._ID = ArrayObject((mark, mark))  # noqa: SLF001 - what it offers for this is drawn at random
        out = BytesIO()
        writer.write(out)
        yield out.getvalue()


_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


def _slip(item: Withheld) -> list[Block]:
    return [
        Heading(f"Withheld in full: {'; '.join(dict.fromkeys(one.code for one in item.grounds))}", 1),
        Paragraph(
            "A record that the law keeps back stands in this place. This sheet is the whole of it here."
        ),
        Facts(list(telling.withheld(item))),
        Heading("On what ground"),
        Facts(list(telling.grounds(item.grounds))),
    ]


def _released(item: Released, recipe: Recipe, zone: tzinfo, studio: Studio, again: str) -> Iterator[Block]:
    yield Heading(telling.title(item), 1)
    yield Facts([_fact(*fact) for fact in telling.facts(item, zone)])
    leaving = telling.attachments(item)
    later: list[tuple[int, Leaving]] = []
    seen: set[int] = set()
    before: str | None = None
    for place, version in enumerate(item.versions):
        of_it = leaving.get(version.number, ())
        said = plain(version.text)
        happened = telling.happened(item.versions, place, zone)
        yield Heading(f"Version {version.number}")
        yield Paragraph(f"{happened[:1].upper()}{happened[1:]}.")
        if version.edited_at:
            yield Paragraph(f"The platform says that it was edited {version.edited_at}.")
        if before is not None and said == before:
            yield Paragraph("The same words as before.")
        else:
            yield Words(version.text, item.language) if said else Paragraph("No words.")
        before = said
        if of_it:
            yield Facts([_listed(one) for one in of_it])
        for one in of_it:
            if one.number == 0 or one.number not in seen:
                later.append((version.number, one))
            seen.add(one.number)
    if item.redactions:
        yield Heading("Taken out, and on what ground")
        yield Facts(list(telling.grounds(item.redactions)))
    for number, one in later:
        yield from _attachment(one, number, recipe, studio, again)


def _fact(name: str, values: Sequence[Passage]) -> tuple[str, Sequence[Value]]:
    return (name, [Answered(), *values]) if name == telling.ANSWERS else (name, values)


def _listed(one: Leaving) -> tuple[str, Sequence[Value]]:
    name = f"Attachment {one.number}" if one.number else "Attachment"
    described = [one.attachment.description] if one.attachment.description else []
    return name, [(telling.attached(one.attachment),), *described]


def _attachment(one: Leaving, version: int, recipe: Recipe, studio: Studio, again: str) -> Iterator[Block]:
    attachment = one.attachment
    if attachment.leaves is Leaves.MISSING:
        return
    if attachment.leaves is Leaves.WITHHELD or attachment.chunks is None:
        yield NewPage()
        yield Heading(f"Attachment withheld{f': {attachment.removed.code}' if attachment.removed else ''}")
        kind = attachment.media_type or "of unknown type"
        yield Paragraph(f"An attachment of version {version}, {kind}, is kept back.")
        if attachment.explanation:
            yield Paragraph(attachment.explanation)
        return
    try:
        match (attachment.media_type or "").partition(";")[0].strip().lower():
            case kind if kind in PICTURES:
                yield from _picture(one, studio)
            case kind if kind in DOCUMENTS:
                yield from _pages(one, studio)
            case _:
                yield from _native(one, recipe, again)
    except Unfit as error:
        yield from _native(one, recipe, again, f"It cannot be shown on paper: {REASONS[error.reason]}.")


def _native(one: Leaving, recipe: Recipe, again: str, why: str = "") -> Iterator[Block]:
    attachment = one.attachment
    yield NewPage()
    rows: list[tuple[str, Sequence[Value]]] = []
    if Form.NATIVE in recipe.forms:
        yield Heading("Produced in native format")
        rows.append(("File", [FileName(f"{again}-{one.number}.{extension(attachment.media_type)}")]))
    else:
        yield Heading("Not shown on paper, and its file is no part of this production")
    yield Facts([*rows, _listed(one)])
    if why:
        yield Paragraph(why)


def _picture(one: Leaving, studio: Studio) -> Iterator[Block]:
    shown = studio.shown(_content(one.attachment))
    yield NewPage()
    yield Heading(f"Attachment {one.number}: a picture, {telling.LEAVES[one.attachment.leaves]}")
    if shown.frames > 1:
        yield Paragraph(f"It moves; this is the first of {shown.frames:,} frames.")
    yield Picture(shown.content, shown.media_type, shown.width, shown.height, _alt(one, "A picture"))
    if one.attachment.description:
        yield Paragraph(one.attachment.description)


def _pages(one: Leaving, studio: Studio) -> Iterator[Block]:
    with studio.opened(_content(one.attachment)) as turned:
        sheets_ = list(turned)  # a document that is damaged further on is not shown in part
    for number, sheet in enumerate(sheets_, 1):
        yield NewPage()
        of = f"page {number:,} of {len(sheets_):,}"
        yield Heading(f"Attachment {one.number}: a document, {of}, {telling.LEAVES[one.attachment.leaves]}")
        yield Picture(
            sheet.content, sheet.media_type, sheet.width, sheet.height, _alt(one, f"A picture of {of}")
        )


def _alt(one: Leaving, what: str) -> str:
    described = plain(one.attachment.description)
    return f"{what}. {described}" if described else f"{what} that nobody described"


def _content(attachment: ReleasedAttachment) -> bytes:
    """An attachment as it leaves; raises `Unfit` where it is too large to be opened."""
    assert attachment.chunks is not None, "what leaves has bytes"
    if (attachment.size or 0) > MOST_BYTES:
        raise Unfit("too_large")
    held = bytearray()
    for chunk in attachment.chunks():
        held += chunk
        if len(held) > MOST_BYTES:
            raise Unfit("too_large")
    return bytes(held)

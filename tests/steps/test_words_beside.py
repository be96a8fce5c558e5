"""Words beside the text: in pictures' alt texts, in titles and file names, and in what attachments hold."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.capture import attachments
from app.index import asof, attached, follower, highlights, search
from app.index.attached import Attached
from app.index.documents import Document
from app.index.engine import Scope
from app.index.extracting import Extractor
from app.index.keys import Keys
from app.index.language import parse
from app.index.purging import IndexPurger
from app.index.readings import Readings
from app.index.search import Past
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.records.clock import FixedClock
from app.store import Store
from app.store.objects import Folder
from connectors.contract import Attachment
from tests.steps.scripted import listing
from tests.steps.test_capture import World, post
from tests.steps.test_destruction import dispose


def a_pdf(*pages: str) -> bytes:
    """A PDF of so many pages, each with one line of text or none."""
    count = len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (count, b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(count))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, words in enumerate(pages):
        drawn = b"BT /F1 12 Tf 72 720 Td (%s) Tj ET" % words.encode() if words else b""
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
            % (5 + 2 * number),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def zipped(**parts: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return held.getvalue()


DOCX = zipped(**{
    "word/document.xml": '<w:d xmlns:w="w"><w:p><w:r><w:t>The ro</w:t><w:t>ad</w:t></w:r></w:p><w:p><w:t>is closed</w:t></w:p></w:d>',
    "word/footnotes.xml": '<w:d xmlns:w="w"><w:p><w:t>until May</w:t></w:p></w:d>',
})  # fmt: skip
XLSX = zipped(**{
    "xl/workbook.xml": "<x/>",
    "xl/sharedStrings.xml": "<s><si><t>Bridge</t></si><si><r><t>Cul</t></r><r><t>vert</t></r></si></s>",
    "xl/worksheets/sheet1.xml": '<w><row><c t="s"><v>1</v></c><c><v>42</v></c></row><row><c t="inlineStr"><is><t>Weir</t></is></c></row></w>',
    "xl/worksheets/sheet2.xml": '<w><row><c t="s"><v>0</v></c></row></w>',
})  # fmt: skip
PPTX = zipped(**{
    "ppt/presentation.xml": "<p/>",
    "ppt/slides/slide2.xml": '<a:s xmlns:a="a"><a:p><a:t>second</a:t></a:p></a:s>',
    "ppt/slides/slide1.xml": '<a:s xmlns:a="a"><a:p><a:t>first</a:t></a:p></a:s>',
    "ppt/notesSlides/notesSlide1.xml": '<a:s xmlns:a="a"><a:p><a:t>said aloud</a:t></a:p></a:s>',
})  # fmt: skip
ODT = zipped(**{"content.xml": '<o xmlns:t="t"><t:h>Notice</t:h><t:p>to <t:span>all</t:span></t:p></o>'})


# -- reading, as it is -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words", "pages", "unit"),
    [
        (a_pdf("Road closed", "on the bridge"), ["Road closed", "on the bridge"], 2, "page"),
        (DOCX, ["The road", "is closed", "until May"], 0, "page"),
        (XLSX, ["Culvert", "42", "Weir", "Bridge"], 2, "sheet"),
        (PPTX, ["first", "said aloud", "second"], 2, "slide"),
        (ODT, ["Notice", "to all"], 0, "page"),
        (b"<!DOCTYPE html><p>Road<script>var x</script><img alt='a weir'> closed", ["Road", "a weir", "closed"], 0, "page"),
        ("Straße gesperrt".encode("utf-16"), ["Straße gesperrt"], 0, "page"),
        (b"caf\xe9", ["café"], 0, "page"),
    ],
)  # fmt: skip
def test_files_are_read_by_what_they_are(content: bytes, words: Sequence[str], pages: int, unit: str):
    told = attached.read(content, "text/plain" if content == b"caf\xe9" else "")
    assert told.lacks is None
    at = [told.text.index(one) for one in words]
    assert at == sorted(at)
    assert (len(told.pages), told.unit) == (pages, unit)
    assert "var x" not in told.text


@pytest.mark.parametrize(
    ("content", "media_type", "lacks"),
    [
        (a_pdf("", ""), "", "scanned"),
        (b"%PDF-1.7 and nothing of one", "", "unreadable"),
        (a_pdf("Road")[:200], "", "unreadable"),
        (b"PK\x03\x04 and nothing of one", "", "unreadable"),
        (zipped(**{"a.bin": "x"}), "", "unknown_format"),
        (zipped(**{"word/document.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}), "", "unreadable"),
        (zipped(**{"word/document.xml": "<x/>", "x": "0" * (257 << 20)}), "", "too_long"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "", "protected"),
        (zipped(**{"content.xml": "<x/>", "META-INF/manifest.xml": "<m encryption-data='1'/>"}), "", "protected"),
        (b"\x89PNG\r\n", "", "media"),
        (b"body { color: red }", "text/css", "quiet"),
        (b"\x00\x01\x02\x03", "", "unknown_format"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(content: bytes, media_type: str, lacks: str):
    told = attached.read(content, media_type)
    assert (told.lacks, told.text.strip()) == (lacks, "")


def test_a_file_that_takes_too_long_is_read_as_far_as_it_got():
    ticks = iter(range(0, 10_000, 8))
    told = attached.read(PPTX, now=lambda: next(ticks))
    assert told.lacks == "too_long"
    assert "first" in told.text
    assert "second" not in told.text
    assert "second" in attached.read(PPTX).text


def test_a_file_beyond_measure_is_not_even_looked_at():
    def never() -> Iterator[bytes]:
        raise AssertionError("nobody asked for it")
        yield b""

    assert Extractor().read(never(), attached.MOST_BYTES + 1, "", "").lacks == "too_long"


# -- reading, in a process of its own ----------------------------------------------------------------------


def test_a_process_that_dies_or_hangs_costs_one_file_only(monkeypatch: pytest.MonkeyPatch):
    reader = Extractor(grace=20)
    try:
        assert reader.read([DOCX], len(DOCX), "", "").text.startswith("The road")
        process = reader._process
        assert process is not None
        process.kill()
        process.wait()
        assert reader.read([DOCX], len(DOCX), "", "").lacks == "unreadable"
        assert reader.read([DOCX], len(DOCX), "", "").lacks is None
    finally:
        reader.close()
    silent = Extractor(grace=0.05)
    monkeypatch.setattr("app.index.extracting._BESIDE", "import sys; sys.stdin.read()")
    try:
        assert silent.read([DOCX], len(DOCX), "", "").lacks == "too_long"
        assert silent._process is None
    finally:
        silent.close()


def test_the_process_may_not_take_all_the_memory_there_is(monkeypatch: pytest.MonkeyPatch):
    told = "from app.index import attached; attached._MEMORY = 100 << 20; attached.serve()"
    monkeypatch.setattr(
        "app.index.extracting._BESIDE", f"import sys; sys.path.insert(0, sys.argv[1]); {told}"
    )
    reader = Extractor()
    huge = zipped(**{"word/document.xml": "<w><p>" + "<t/>" * 2_000_000 + "</p></w>"})
    try:
        assert reader.read([huge], len(huge), "", "").lacks == "unreadable"
        assert reader.read([DOCX], len(DOCX), "", "").lacks is None
    finally:
        reader.close()


# -- an archive --------------------------------------------------------------------------------------------


@dataclass
class Here:
    """Reads in this process, and counts how often."""

    asked: list[str] = field(default_factory=list)

    def read(self, chunks: Iterable[bytes], size: int, media_type: str, name: str) -> Attached:
        self.asked.append(name)
        return attached.read(b"".join(chunks), media_type, name)

    def close(self) -> None:
        """There is nothing to end."""


class Office(World):
    def __init__(self, store: Store, clock: FixedClock, folder: Path) -> None:
        super().__init__(store, clock)
        assert isinstance(store.objects, Folder), "these archives lie in folders"
        self.folder = store.objects.folder
        self.reader = Here()
        self.readings = Readings(store, folder / "index" / "readings", self.reader)
        self.engine = TantivyEngine(folder / "index", heap=15_000_000)

    def source(self) -> LedgerSource:
        return LedgerSource(self.store, self.readings)

    def posted(self, name: str, text: str, *attached: Attachment, **more: Any) -> None:
        self.capture(listing(self.clock, post(name, text, attachments=attached, **more)))

    def found(self, query: str, **more: Any) -> search.Found:
        follower.catch_up(self.source(), self.engine)
        with self.store.database.read() as tx:
            size = self.store.ledger.size(tx)
        return search.search(self.engine, query, zone=self.store.agency.zone(), ledger_size=size, **more)

    def names(self, query: str) -> set[str]:
        keys = set(self.found(query).records)
        return {name for name, one in self.records().items() if one.key in keys}

    def where(self, query: str) -> list[str]:
        found = self.found(query)
        with self.store.database.read() as tx:
            told = highlights.of_records(self.source(), tx, parse(query).tree, found.records)
        return [one.where for one in told.values()]

    def late(self, name: str, file: str, content: bytes) -> None:
        """Keep an attachment of a record that was captured before."""
        attachments.keep(self.store, self.records()[name].id.bytes, file, [content])


@pytest.fixture
def office(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Office]:
    made = Office(store, clock, tmp_path / "derived")
    yield made
    made.engine.settle()


def a_file(name: str, **more: Any) -> Attachment:
    return Attachment(id=name, url=f"https://files.example/{name}", **more)


def test_words_are_found_wherever_they_stand_and_it_is_said_where(office: Office):
    office.client.files = {"https://files.example/flood-notes.pdf": a_pdf("Nothing", "Road closed", "again")}
    office.posted(
        "p1", "See below.",
        a_file("pic.jpg", media_type="image/jpeg", description="A weir under water"),
        a_file("flood-notes.pdf"),
        extra={"title": "Spring tide", "card": {"title": "Heron count", "url": "https://x.example"}},
    )  # fmt: skip
    office.posted("p2", "weir")
    assert office.names("weir") == {"p1", "p2"}
    assert office.names("alt:weir") == {"p1"}
    assert office.names("text:weir") == {"p2"}
    assert office.names('attachment:"road closed"') == office.names("closed w/2 again") == {"p1"}
    assert office.names("water w/30 see") == office.names("water w/99 closed") == set()
    assert office.names("filename:flood") == office.names("title:heron") == office.names("tide") == {"p1"}
    assert office.where("under") == ["in the alt text of picture 1"]
    assert office.where("closed") == ["on page 2 of flood-notes.pdf"]
    assert office.where("heron") == ["in the title of a link"]
    assert office.where("flood") == ["in the file name of flood-notes.pdf"]
    assert office.where("below weir") == ["in the text"]
    assert office.where("kind:post") == []


def test_what_could_not_be_searched_is_counted_by_its_reason_where_words_are_asked_for(office: Office):
    office.client.files = {"https://files.example/scan.pdf": a_pdf("")}
    office.posted("p1", "a", a_file("pic.png"), a_file("scan.pdf"))
    office.posted("p2", "b", a_file("lost.pdf"))
    office.posted("p3", "c", a_file("said.png", description="A heron"))
    found = office.found("heron")
    assert found.not_searched == {"media_without_text": 1, "scanned": 1, "not_kept": 1}
    assert (found.total, found.unsearchable) == (1, 2)  # records, each once
    assert office.names("unsearchable:any") == {"p1", "p2"}
    assert office.found("kind:post").not_searched == {}  # no words were asked for
    assert office.found("heron AND date:2020").not_searched == {}  # nor could these be hits by any words
    assert office.found("NOT heron").unsearchable == 2


def test_an_attachment_that_is_kept_later_is_found_from_then_on(office: Office):
    office.posted("p1", "a", a_file("late.pdf"))
    office.posted("p2", "b")
    assert office.found("closed").not_searched == {"not_kept": 1}
    with office.store.database.read() as tx:
        before = office.store.ledger.size(tx)
    office.late("p1", "late.pdf", a_pdf("Road closed"))
    assert office.found("closed").total == 1
    assert office.found("closed").not_searched == {}
    scope = Scope(office.store.agency.zone())
    tree = parse("closed").tree
    assert asof.hits(office.source(), office.engine, tree, scope, before) == Keys()
    assert len(asof.hits(office.source(), office.engine, tree, scope, before + 1)) == 1
    assert office.found("closed", past=Past(office.source(), before, 0)).total == 0
    fresh = office.engine.beside()
    follower.catch_up(office.source(), fresh)
    assert fresh.ask(tree, scope).total() == 1
    fresh.settle()


def test_a_follower_that_reads_in_small_parts_misses_no_attachment(office: Office):
    for number in range(6):
        office.posted(f"p{number}", "x", a_file(f"n{number}.txt", media_type="text/plain"))
    for number in (3, 0, 5, 1):
        office.late(f"p{number}", f"n{number}.txt", f"heron {number}".encode())
    source, told, after = office.source(), dict[int, Sequence[Document]](), -1
    while changes := source.read(after, 2):
        assert len(changes) <= 4
        told |= {change.record: change.documents for change in changes}
        after = changes[-1].upto
    assert sum(bool(one.passages and one.passages[-1].place == "attachment") for (one,) in told.values()) == 4


def test_what_was_read_is_kept_sealed_and_not_read_again(office: Office):
    office.client.files = {"https://files.example/n.pdf": a_pdf("Road heron closed")}
    office.posted("p1", "a", a_file("n.pdf"))
    assert office.found("heron").total == 1
    follower.rebuild(office.source(), office.engine)
    assert office.found("heron").total == 1
    assert office.reader.asked == ["n.pdf"]
    (kept,) = (file for file in office.readings.folder.rglob("*") if file.is_file())
    assert b"heron" not in kept.read_bytes()
    kept.write_bytes(kept.read_bytes()[:-1])  # a torn file is read anew
    follower.rebuild(office.source(), office.engine)
    assert office.found("heron").total == 1
    assert office.reader.asked == ["n.pdf", "n.pdf"]


def test_inside_a_transaction_nothing_is_read_anew_and_that_is_said(office: Office):
    office.client.files = {"https://files.example/n.pdf": a_pdf("heron")}
    office.posted("p1", "a", a_file("n.pdf"))
    key = office.records()["p1"].key
    with office.store.database.begin() as tx:
        ((document,),) = office.source().within(tx, [key])
    assert document.lacks == ("not_read",)
    assert office.reader.asked == []
    office.found("x")
    with office.store.database.begin() as tx:
        ((document,),) = office.source().within(tx, [key])
    assert (document.lacks, document.passages[-1].text) == ((), "heron")


def test_a_damaged_attachment_stops_nobody_and_is_said(office: Office):
    office.client.files = {"https://files.example/n.txt": b"heron"}
    office.posted("p1", "a", a_file("n.txt", media_type="text/plain"))
    office.posted("p2", "heron")
    with office.store.database.read() as tx:
        row = attachments.get(tx, office.records()["p1"].attachments[0].id or UUID(int=0))
    assert row is not None
    assert row.digest is not None
    (file,) = (one for one in office.folder.rglob("*") if row.digest.hex().endswith(one.name))
    file.chmod(0o600)
    file.write_bytes(bytes(file.stat().st_size))
    found = office.found("heron")
    assert (found.total, found.not_searched) == (1, {"unreadable": 1})


def test_disposal_takes_what_was_read_in_attachments_with_it(office: Office):
    office.client.files = {f"https://files.example/{n}.txt": f"heron {n}".encode() for n in ("a", "b")}
    office.posted("p1", "x", a_file("a.txt", media_type="text/plain"))
    office.posted("p2", "y", a_file("b.txt", media_type="text/plain"))
    assert office.names("attachment:heron") == {"p1", "p2"}
    held = office.records()
    dispose(office, "p1")
    purger = IndexPurger(office.source(), office.engine, office.store.agency.zone(), threading.RLock())
    assert purger.still_holds([held["p1"].key, held["p2"].key]) == 2
    purger.purge([held["p1"].key])
    assert purger.still_holds([held["p1"].key]) == 0
    assert [file.parent.name for file in office.readings.folder.rglob("*") if file.is_file()] == [
        held["p2"].id.hex
    ]
    assert office.names("heron") == {"p2"}
    purger.purge([held["p1"].key])

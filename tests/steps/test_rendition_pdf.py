"""Records on paper: tagged PDF/A with a number on every page, from which nothing that was taken out can be had again."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # it brings no types
import pytest
from pypdf import PdfReader

from app.disclosure.package.numbering import Numbering
from app.disclosure.package.recipe import USUAL, Earlier, Form
from app.disclosure.released import Item, Leaves, ReleasedAuthor, Removed
from app.disclosure.rendition import pdf
from app.disclosure.rendition.studio import Studio
from app.papers.blocks import Words
from app.papers.press import Press, Sheets, Stamp
from tests.steps.rendering import (
    GONE,
    GROUND,
    HOSTILE,
    a_picture,
    a_recipe,
    a_record,
    a_slip,
    attached,
    identity,
    version,
)

LONG = "A sentence about the flood and what was done about it. " * 150


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with closing(Press()) as made:
        yield made


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with closing(Studio()) as made:
        yield made


@pytest.fixture
def printed(press: Press, studio: Studio):
    """A record as PDF that begins with the number 41."""

    def made(item: Item, **recipe: Any) -> bytes:
        sheets = pdf.sheets(item, a_recipe(**recipe), studio)
        plate = press.plate(sheets)
        try:
            return press.press(plate, Stamp("TOWN-", 41, "TOWN-0000007")).content
        finally:
            plate.discard()

    return made


def read(content: bytes) -> str:
    """The words of a PDF as another program extracts them, blanks and line ends alike."""
    document = pypdfium2.PdfDocument(content)
    told = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join(told.split())


def streams(content: bytes) -> Iterator[bytes]:
    """Everything that a PDF holds, unpacked."""
    reader = PdfReader(BytesIO(content))
    yield content
    for number in reader.xref[0]:
        one: Any = reader.get_object(number)
        yield repr(one).encode()
        if hasattr(one, "get_data"):
            yield one.get_data()


def test_a_record_is_told_with_its_words_and_its_number(printed):
    told = read(printed(a_record(1, version(text="Main Street is closed."), answers=7)))
    assert told.startswith("Comment on Harrow Falls Police, 2026-03-02")
    for said in ("Jane Doe @jane", "2026-03-02 12:00:00 MST", "Main Street is closed.", "TOWN-0000041"):
        assert said in told
    assert "Answers TOWN-0000007 record" in told


def test_what_answers_nothing_names_no_number(printed):
    assert "TOWN-0000007" not in read(printed(a_record()))


def test_it_says_that_it_is_pdf_a_and_pdf_ua_and_has_what_these_ask(printed):
    content = printed(a_record(1, version(attachments=(attached(a_picture(), description=("The bridge",)),))))
    reader = PdfReader(BytesIO(content))
    root: Any = reader.trailer["/Root"].get_object()
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert not {"/AcroForm", "/AA", "/OpenAction"} & set(root)
    kinds = tags(root["/StructTreeRoot"])
    assert {"/Document", "/H1", "/H2", "/L", "/P", "/Figure"} <= kinds
    figure = next(one for one in elements(root["/StructTreeRoot"]) if one["/S"] == "/Figure")
    assert figure["/Alt"] == "A picture. The bridge"
    assert reader.metadata is not None
    assert reader.metadata.title == "Post on Harrow Falls Police, 2026-03-02"
    assert reader.metadata.author == "Town of Harrow Falls"
    assert reader.metadata.creation_date == a_recipe().made_at


def elements(node: Any) -> Iterator[Any]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from elements(one)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from elements(node["/K"])


def tags(root: Any) -> set[str]:
    return {str(one["/S"]) for one in elements(root)}


def test_every_font_is_embedded(printed):
    reader = PdfReader(BytesIO(printed(a_record(1, version(text=HOSTILE)))))
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]  # as typst writes it
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)
        assert "/ToUnicode" in font


def test_hostile_words_are_read_as_words_and_what_steers_is_shown(printed):
    content = printed(a_record(1, version(text=HOSTILE), author=ReleasedAuthor(name=HOSTILE)))
    told = read(content)
    for said in (
        "Look ⟨U+202E⟩ere⟨U+202C⟩", "<script>alert('x')</script>", "zero⟨U+200B⟩width", "#set text(red) $x^2$ @ref",
        "*b* _i_ {{ 7*7 }}", "þ®⟨U+0014⟩⟨U+0000⟩", "⟨U+D800⟩", "&amp; \"q\" 'r' =1+1 ⟨U+001B⟩[31m",
    ):  # fmt: skip
        assert told.count(said) == 2, said
    assert "\ufffd" not in told


def test_a_character_that_no_font_has_is_shown_by_its_number(printed):
    told = read(printed(a_record(1, version(text="A \U0001ccf0 B \u0378 C \U000e0041"))))
    assert "A ⟨U+1CCF0⟩ B ⟨U+0378⟩ C ⟨U+E0041⟩" in told


@pytest.mark.parametrize(
    "text", ["w" * 64_000, "word " * 13_000, "́a" * 20_000, "\n" * 3_000 + "end", "🎉" * 9_000]
)
def test_sixty_four_thousand_characters_of_anything_have_their_pages(printed, text: str):
    content = printed(a_record(1, version(text=text)))
    reader = PdfReader(BytesIO(content))
    numbers = [page.extract_text().split()[-1] for page in reader.pages]
    assert numbers == [f"TOWN-{number:07d}" for number in range(41, 41 + len(numbers))]


def test_a_mark_stands_where_something_was_taken_out_and_nothing_lies_under_it(printed):
    content = printed(
        a_record(
            1,
            version(text=("I live at ", Removed("b(6)"), ", come by")),
            author=ReleasedAuthor(id=GONE, name=GONE, handle=GONE),
            url=GONE,
            redactions=(GROUND,),
        )
    )
    told = read(content)
    assert "I live at [REDACTED b(6)] , come by" in told or "I live at [REDACTED b(6)], come by" in told
    assert "Author as named [REDACTED b(6)]" in told
    assert "b(6) 5 U.S.C. 552(b)(6) A home address" in told
    page: Any = PdfReader(BytesIO(content)).pages[0]
    drawn = page.get_contents().get_data().decode("latin-1")
    assert not re.search(r"\b0 g\s[^S]*\bre\s*f", drawn), "no black box is filled"


def test_every_version_that_differs_is_there_and_words_that_do_not_stand_once(printed):
    told = read(
        printed(
            a_record(
                1,
                version(1, "First words"),
                version(2, "Other words"),
                version(3, "Other words", state="hidden"),
            )
        )
    )
    assert told.count("First words") == told.count("Other words") == 1
    assert "Edited between 2026-03-02 13:00:00 MST" in told
    assert "Hidden between 2026-03-02 14:00:00 MST" in told
    assert "The same words as before." in told


def test_pictures_and_pages_of_documents_have_pages_of_their_own(printed, press: Press):
    inner = press.pdf(Sheets(title="x", author="", made_at=a_recipe().made_at, blocks=[Words(LONG)])).content
    pages = len(PdfReader(BytesIO(inner)).pages)
    assert pages > 1
    content = printed(
        a_record(
            1,
            version(
                1,
                attachments=(
                    attached(a_picture("JPEG"), "image/jpeg", 1),
                    attached(inner, "application/pdf", 2),
                ),
            ),
            version(2, "Edited", attachments=(attached(a_picture("JPEG"), "image/jpeg", 1),)),
        )
    )
    told = [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(content)).pages]
    assert len(told) == 1 + 1 + pages
    assert told[1].startswith("Attachment 1: a picture, as it was captured")
    assert told[2].startswith(f"Attachment 2: a document, page 1 of {pages}, as it was captured")
    assert told[-1].endswith(f"TOWN-{40 + len(told):07d}")


def test_what_cannot_be_shown_has_a_slip_that_names_its_file(printed):
    film, broken = attached(b"film", "video/mp4", 1), attached(b"no picture", "image/png", 2)
    record = a_record(1, version(attachments=(film, broken)))
    told = [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(printed(record))).pages]
    assert told[1].startswith("Produced in native format File town-0000041-1.mp4")
    assert "town-0000041-2.png" in told[2]
    assert "It cannot be shown on paper" in told[2]
    without = read(printed(record, forms=USUAL - {Form.NATIVE}))
    assert "Produced in native format" not in without
    assert "its file is no part of this production" in without


def test_a_withheld_attachment_has_a_slip_and_a_missing_one_has_none(printed):
    kept_back = attached(
        None,
        "application/pdf",
        leaves=Leaves.WITHHELD,
        removed=Removed("b(7)"),
        explanation="Names of children",
    )
    pages = PdfReader(BytesIO(printed(a_record(1, version(attachments=(kept_back, attached(None))))))).pages
    assert len(pages) == 2
    assert "Attachment withheld: b(7)" in pages[1].extract_text()
    assert "Names of children" in pages[1].extract_text()


def test_a_withheld_record_is_one_sheet(printed):
    pages = PdfReader(BytesIO(printed(a_slip()))).pages
    assert len(pages) == 1
    told = read(printed(a_slip()))
    assert told.startswith("Withheld in full: b(6)")
    assert "Jane" not in told


# ---- many ----------------------------------------------------------------------------------------


def items() -> list[Item]:
    """Short ones, one of several pages, one with a picture, and one that is withheld."""
    return [
        a_record(1, version(text="Short.")),
        a_record(2, version(text=LONG), answers=1),
        a_record(3, version(text="Short.", attachments=(attached(a_picture()),)), answers=2),
        a_slip(4, root=identity(1), in_reply_to=identity(1)),
        a_record(5, version(text="Last."), answers=4),
    ]


def test_numbers_go_on_without_a_gap_and_stand_on_their_pages():
    made = list(pdf.documents(items(), Numbering(a_recipe(first=11)), processes=2))
    pages = [page.extract_text() for _, content in made for page in PdfReader(BytesIO(content)).pages]
    assert [told.split()[-1] for told in pages] == [
        f"TOWN-{number:07d}" for number in range(11, 11 + len(pages))
    ]
    assert [(one.first, one.pages) for one, _ in made] == [(11, 1), (12, 3), (15, 2), (17, 1), (18, 1)]
    assert [one.item.id for one, _ in made] == [one.id for one in items()]
    assert "Answers TOWN-0000012 record" in " ".join(pages[4].split())


def test_the_same_records_give_the_same_bytes():
    recipe = a_recipe()
    one = [content for _, content in pdf.documents(items(), Numbering(recipe), processes=1)]
    other = [content for _, content in pdf.documents(items(), Numbering(recipe), processes=2)]
    assert one == other


def test_a_guess_at_the_pages_that_was_wrong_is_mended(monkeypatch):
    honest = list(pdf.documents(items(), Numbering(a_recipe()), processes=1))
    monkeypatch.setattr(pdf, "_estimate", lambda item: (1, True))
    guessed = list(pdf.documents(items(), Numbering(a_recipe()), processes=2))
    assert [(one.first, one.pages, content) for one, content in guessed] == [
        (one.first, one.pages, content) for one, content in honest
    ]


def test_what_is_produced_anew_keeps_its_number_where_it_fits():
    replaces = {identity(1): Earlier("PD-1", 3, 1, 1), identity(2): Earlier("PD-1", 4, 1, 1)}
    recipe = a_recipe(first=900, replaces=replaces)
    made = list(pdf.documents(items()[:3], Numbering(recipe), processes=2))
    assert [(one.first, one.pages) for one, _ in made] == [(3, 1), (900, 3), (903, 2)]
    assert "TOWN-0000003" in read(made[0][1])
    assert "TOWN-0000900" in read(made[1][1])


def test_whoever_stops_taking_stops_the_work(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    taken = 0

    def endless() -> Iterator[Item]:
        nonlocal taken
        while True:
            taken += 1
            yield a_record(taken)

    made = pdf.documents(endless(), Numbering(a_recipe()), processes=1)
    next(made)
    made.close()  # type: ignore[attr-defined]  # it is a generator
    assert taken <= 60
    assert not list(tmp_path.iterdir())


def test_single_pages_bear_their_numbers_and_can_be_searched(printed):
    content = printed(a_record(1, version(text=LONG)))
    pages = list(pdf.singles(content))
    assert [read(page).split()[-1] for page in pages] == ["TOWN-0000041", "TOWN-0000042", "TOWN-0000043"]
    assert pages == list(pdf.singles(content))
    root: Any = PdfReader(BytesIO(pages[0])).trailer["/Root"].get_object()
    assert "/OutputIntents" in root
    assert b"<pdfaid:conformance>U" in root["/Metadata"].get_object().get_data()


def test_where_something_was_taken_out_is_told_nowhere_in_the_file(printed):
    record = a_record(1, version(text=("At ", GONE, " Elm Street")), redactions=(GROUND,))
    whole = b"".join(streams(printed(record)))
    assert b"/StructElem" in whole, "what is packed was unpacked"
    assert GROUND.where.encode() not in whole
    assert b"characters 5" not in whole

"""Documents made anew: pictures of their pages, with what is taken out filled, and nothing else of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pypdfium2  # type: ignore[import-untyped]  # it brings no types
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.actions import JavaScript
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from app.disclosure.redacting import Held, Region
from app.disclosure.released import Removed
from app.disclosure.rendition import documents
from app.disclosure.rendition.pictures import Filled, Unfit
from app.disclosure.rendition.remaking import CannotBeRemade, Remakes
from app.papers import paper

SECRET = "Elmstreet"
WHEN = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def remakes() -> Iterator[Remakes]:
    with closing(Remakes()) as made:
        yield made


@pytest.fixture(scope="module")
def letter() -> bytes:
    """Two pages; on the first stands the secret, all over the upper half."""
    return paper.document(
        "A letter", [paper.Paragraph(f"{SECRET} " * 120), paper.NewPage(), paper.Paragraph("The second page.")],
        agency="Town", made_at=WHEN,
    )  # fmt: skip


def redact(remakes: Remakes, content: bytes, regions: Sequence[tuple[int, int, int, int, int]] = ()) -> bytes:
    held = Held(
        id=UUID(int=5), state="kept", media_type="application/pdf", size=len(content), description="",
        chunks=lambda: iter((content,)), commitment=None,
    )  # fmt: skip
    made, media_type = remakes.remade(held, [(Region(UUID(int=5), *one), Removed("b(6)")) for one in regions])
    assert media_type == "application/pdf"
    return made


def drawn(content: bytes, page: int = 0) -> Image.Image:
    document = pypdfium2.PdfDocument(content)
    picture: Image.Image = document[page].render(scale=1).to_pil().convert("L")
    document.close()
    return picture


def words(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


def ink(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    return sum(picture.crop(box).histogram()[:128])


def test_a_region_is_filled_and_the_rest_of_the_page_is_as_it_was(remakes: Remakes, letter: bytes):
    made = redact(remakes, letter, [(1, 0, 0, 10_000, 5_000)])
    before, after = drawn(letter), drawn(made)
    assert before.size == after.size
    assert ink(before, (10, 60, 600, 380)) > 4 * ink(after, (10, 60, 600, 380)), (
        "the code is all that is left"
    )
    assert ink(after, (10, 700, 600, 780)) > 0, "the foot"
    assert ink(drawn(made, 1), (10, 10, 600, 780)) == pytest.approx(
        ink(drawn(letter, 1), (10, 10, 600, 780)), rel=0.2
    )


def test_no_words_are_left_on_any_page(remakes: Remakes, letter: bytes):
    made = redact(remakes, letter, [(1, 0, 0, 10_000, 5_000)])
    assert SECRET in words(letter)
    assert words(made).strip() == ""
    reader = PdfReader(BytesIO(made))
    for number in reader.xref[0]:
        one: Any = reader.get_object(number)
        assert SECRET not in repr(one)
        if hasattr(one, "get_data"):
            assert SECRET.encode() not in one.get_data()


def test_scripts_files_links_forms_and_metadata_stay_behind(remakes: Remakes, letter: bytes):
    writer = PdfWriter(clone_from=BytesIO(letter))
    writer.add_open_action(JavaScript("app.alert('x')"))
    writer.add_attachment("secret.txt", SECRET.encode())
    writer.add_metadata({"/Author": SECRET, "/Title": SECRET})
    writer.add_outline_item(title=SECRET, page_number=0)
    out = BytesIO()
    writer.write(out)
    assert SECRET.encode() in out.getvalue()
    made = redact(remakes, out.getvalue())
    reader = PdfReader(BytesIO(made))
    root: Any = reader.trailer["/Root"].get_object()
    assert not {"/Names", "/AcroForm", "/OpenAction", "/AA", "/AF"} & set(root)
    assert not reader.attachments
    assert not reader.outline
    assert SECRET.encode() not in made
    assert reader.metadata is not None
    assert reader.metadata.title == "Attachment, made anew"
    assert not [page for page in reader.pages if "/Annots" in page]


def with_a_form(filled: bytes) -> bytes:
    """A page with a field, and what somebody filled in."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    looks = StreamObject()
    looks.set_data(b"0 0 0 rg 0 0 180 40 re f" if filled else b"")
    looks.update({
        NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Form"),
        NameObject("/BBox"): ArrayObject([NumberObject(one) for one in (0, 0, 180, 40)]),
    })  # fmt: skip
    field = DictionaryObject({
        NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Widget"),
        NameObject("/FT"): NameObject("/Tx"), NameObject("/T"): TextStringObject("name"), NameObject("/F"): NumberObject(4),
        NameObject("/V"): TextStringObject(SECRET), NameObject("/Rect"): ArrayObject([NumberObject(one) for one in (10, 100, 190, 140)]),
        NameObject("/AP"): DictionaryObject({NameObject("/N"): writer._add_object(looks)}),
    })  # fmt: skip
    reference = writer._add_object(field)
    page[NameObject("/Annots")] = ArrayObject([reference])
    form = DictionaryObject({NameObject("/Fields"): ArrayObject([reference])})
    writer.root_object[NameObject("/AcroForm")] = writer._add_object(form)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_what_was_filled_in_is_seen_and_the_field_stays_behind(remakes: Remakes):
    made = redact(remakes, with_a_form(b"filled"))
    assert ink(drawn(made), (0, 0, 200, 200)) > 5_000
    assert ink(drawn(redact(remakes, with_a_form(b""))), (0, 0, 200, 200)) == 0
    assert SECRET.encode() not in made


def test_earlier_states_of_a_file_stay_behind(remakes: Remakes, letter: bytes):
    writer = PdfWriter(BytesIO(letter), incremental=True)
    writer.add_metadata({"/Title": "Changed"})
    out = BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(letter)
    assert not redact(remakes, out.getvalue()).startswith(letter[:2_000])


def test_pages_keep_their_size_and_turn(remakes: Remakes):
    writer = PdfWriter()
    writer.add_blank_page(300, 200)
    writer.add_blank_page(200, 500).rotate(90)
    out = BytesIO()
    writer.write(out)
    sizes = [
        (round(page.mediabox.width), round(page.mediabox.height))
        for page in PdfReader(BytesIO(redact(remakes, out.getvalue()))).pages
    ]
    assert sizes == [(300, 200), (500, 200)]


def test_every_page_says_in_words_what_it_is_a_picture_of(remakes: Remakes, letter: bytes):
    made = redact(remakes, letter, [(2, 0, 0, 100, 100)])
    root: Any = PdfReader(BytesIO(made)).trailer["/Root"].get_object()
    told = repr(list(alternatives(root["/StructTreeRoot"])))
    assert "A picture of page 1 of 2'" in told
    assert "A picture of page 2 of 2; parts of it are taken out'" in told


def alternatives(node: Any) -> Iterator[str]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from alternatives(one)
    elif isinstance(node, dict):
        if "/Alt" in node:
            yield str(node["/Alt"])
        if "/K" in node:
            yield from alternatives(node["/K"])


def test_the_same_document_gives_the_same_bytes(remakes: Remakes, letter: bytes):
    assert redact(remakes, letter, [(1, 0, 0, 9, 9)]) == redact(remakes, letter, [(1, 0, 0, 9, 9)])
    assert redact(remakes, letter, [(1, 0, 0, 9, 9)]) != redact(remakes, letter)


def blank(count: int, **more: Any) -> bytes:
    writer = PdfWriter()
    for _ in range(count):
        writer.add_blank_page(72, 72)
    if more:
        writer.encrypt(**more)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (blank(1, user_password="x", algorithm="RC4-128"), "locked with a password"),
        (blank(0), "cannot be read"),
        (b"%PDF-1.7\njunk", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_what_is_no_sound_document_is_refused_with_what_to_do(remakes: Remakes, content: bytes, why: str):
    with pytest.raises(CannotBeRemade, match=why) as refused:
        redact(remakes, content)
    assert "Withhold" in (refused.value.next or "")


def test_a_document_with_more_pages_than_can_be_made_is_refused(monkeypatch):
    monkeypatch.setattr(documents, "MOST_PAGES", 3)
    with pytest.raises(Unfit, match="pages"):
        documents.Pages(blank(4))
    assert documents.Pages(blank(3)).count == 3


@pytest.mark.parametrize("region", [(3, 0, 0, 1, 1), (0, 0, 0, 1, 1), (1, 5, 0, 5, 1), (1, 0, 0, 10_001, 1)])
def test_a_region_outside_of_the_document_is_refused(
    remakes: Remakes, letter: bytes, region: tuple[int, ...]
):
    with pytest.raises(CannotBeRemade, match="outside of it"):
        redact(remakes, letter, [region])  # type: ignore[list-item]  # five numbers


def test_a_page_of_any_size_has_a_picture_of_bounded_size():
    writer = PdfWriter()
    writer.add_blank_page(14_000, 14_000)
    writer.add_blank_page(3, 3)
    out = BytesIO()
    writer.write(out)
    pages = documents.Pages(out.getvalue(), [Filled(1, 0, 0, 10, 10, "x")])
    large, small = pages.sheet(1), pages.sheet(2)
    with Image.open(BytesIO(large.content)) as picture:
        assert picture.width * picture.height <= 12_100_000
    assert (large.width, small.width) == (2_880.0, 36.0)

"""What kinds of attached files say: documents, tables, slides, letters, captions, forms, in the order in which people read them."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping, Sequence

import pytest
from pypdf import PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, StreamObject, TextStringObject

from app.index import attached
from app.index.analyser import analyse
from app.index.language import parse
from app.index.spans import Words, met
from app.index.tree import And
from tests.steps.test_words_beside import a_pdf

RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(parts: Mapping[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return held.getvalue()


def related(**targets: str) -> str:
    """What a part refers to: by its id the kind and the place, `notesSlide ../notesSlides/notesSlide1.xml`."""
    said = "".join(
        f'<Relationship Id="{name}" Type="{RELATED}/{told.split()[0]}" Target="{told.split()[1]}"/>'
        for name, told in targets.items()
    )
    return f"<Relationships>{said}</Relationships>"


def docx(body: str, **more: str) -> bytes:
    return zipped({"word/document.xml": f'<w:d xmlns:w="w" xmlns:m="m" xmlns:wp="wp">{body}</w:d>'} | more)


def odt(body: str, root: str = "text", **more: str) -> bytes:
    content = (
        '<office:document-content xmlns:office="o" xmlns:text="t" xmlns:dc="dc" xmlns:draw="d" xmlns:table="tb" '
        f'xmlns:svg="svg"><office:body><office:{root}>{body}</office:{root}></office:body></office:document-content>'
    )
    return zipped({"content.xml": content} | more)


def meets(told: attached.Attached, query: str) -> bool:
    read = analyse(told.text)
    tree = parse(query).tree
    told_words = [("attachment", Words(read.words.split(), read.sigils))]
    return all(met(part, told_words) for part in (tree.parts if isinstance(tree, And) else (tree,)))


def page_of(told: attached.Attached, word: str) -> int:
    return sum(begin <= told.text.index(word) for begin in told.pages)


# -- words stay whole, and those that stand apart stay apart -------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found", "not_found"),
    [
        (docx("<w:p><w:t>co</w:t><w:noBreakHyphen/><w:t>op fl</w:t><w:softHyphen/><w:t>ood</w:t></w:p>"), ['"co op flood"'], ["coop"]),
        (docx("<w:p><w:t>The road</w:t><w:p><w:t>boxed</w:t></w:p><w:t> is closed</w:t></w:p>"), ['"road is closed"', "boxed"], ["roadboxed"]),
        (docx("<w:p><w:t>東</w:t><w:ruby><w:rt><w:t>ひがし</w:t></w:rt></w:ruby><w:t>京</w:t></w:p>"), ["東京", "ひがし"], []),
        (docx('<w:p><w:t>See </w:t><wp:docPr id="1" descr="a landslide"/><w:t>below</w:t></w:p>'), ['"see below"', "landslide"], []),
        (odt("<text:p>foo<text:tab/>bar<text:s/>baz<text:line-break/>qux</text:p>"), ['"foo bar baz qux"'], ["foobarbazqux"]),
        (odt("<text:p>road<office:annotation><dc:creator>Jane</dc:creator><text:p>noted</text:p></office:annotation> closed</text:p>"), ['"road closed"', "noted"], ["roadjane*"]),
        (odt("<text:p>road<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>since May</text:p></text:note-body></text:note> closed</text:p>"), ['"road closed"', '"since may"'], ["road1"]),
        (odt("<text:p>road <draw:frame><svg:desc>a weir</svg:desc><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame>closed</text:p>"), ['"road closed"', "boxed", "weir"], ["roadboxedclosed"]),
        (odt("<text:p>body</text:p>", **{"styles.xml": '<s xmlns:text="t"><text:p>letterhead</text:p></s>'}), ["body", "letterhead"], []),
    ],
)  # fmt: skip
def test_words_of_a_document_stay_whole_and_beside_one_another(
    content: bytes, found: Sequence[str], not_found: Sequence[str]
):
    told = attached.read(content)
    assert told.lacks is None
    assert [query for query in found if not meets(told, query)] == []
    assert [query for query in not_found if meets(told, query)] == []


def test_charts_diagrams_and_comments_of_a_document_are_read():
    told = attached.read(
        docx(
            "<w:p/>",
            **{
                "word/diagrams/data1.xml": '<d xmlns:a="a"><a:p><a:t>evacuate</a:t></a:p></d>',
                "word/charts/chart1.xml": '<c xmlns:c="c"><c:v>Quarter</c:v></c>',
                "word/comments.xml": '<c xmlns:w="w"><w:p><w:t>remark</w:t></w:p></c>',
            },
        )
    )
    assert [word for word in ("evacuate", "quarter", "remark") if not meets(told, word)] == []


# -- tables --------------------------------------------------------------------------------------------------


def test_sheets_are_read_in_their_order_with_their_names_and_what_is_written_beside_the_cells():
    book = zipped(
        {
            "xl/workbook.xml": f'<w xmlns:r="{RELATED}"><sheets><sheet name="Budget" r:id="b"/><sheet name="Crew" r:id="a"/></sheets></w>',
            "xl/_rels/workbook.xml.rels": related(
                a="worksheet worksheets/sheet1.xml", b="worksheet worksheets/sheet2.xml"
            ),
            "xl/sharedStrings.xml": "<s><si><t>東京</t><rPh><t>トウキョウ</t></rPh></si></s>",
            "xl/worksheets/sheet1.xml": '<s><row><c t="s"><v>0</v></c><c t="str"><v>駅</v></c></row></s>',
            "xl/worksheets/sheet2.xml": '<s><row><c t="inlineStr"><is><r><t>flo</t></r><r><t>od</t></r></is></c></row></s>',
            "xl/worksheets/_rels/sheet2.xml.rels": related(
                c="comments ../comments1.xml", d="drawing ../drawings/drawing1.xml"
            ),
            "xl/comments1.xml": "<c><comment><text><r><t>over</t></r><r><t>spent</t></r></text></comment></c>",
            "xl/drawings/drawing1.xml": '<d xmlns:a="a"><a:p><a:t>boxed</a:t></a:p></d>',
        }
    )
    told = attached.read(book)
    assert told.lacks is None
    assert {word: page_of(told, word) for word in ("Budget", "flood", "overspent", "boxed", "Crew", "東京")} == {
        "Budget": 1, "flood": 1, "overspent": 1, "boxed": 1, "Crew": 2, "東京": 2,
    }  # fmt: skip


def test_tables_of_an_opendocument_text_are_no_sheets_and_those_of_a_spreadsheet_are():
    table = '<table:table table:name="Budget"><table:table-row><table:table-cell><text:p>flood</text:p></table:table-cell></table:table-row></table:table>'
    assert attached.read(odt(f"<text:p>before</text:p>{table}")).pages == ()
    told = attached.read(odt(table, "spreadsheet"))
    assert (len(told.pages), told.unit) == (1, "sheet")
    assert meets(told, "budget flood")
    told = attached.read(
        odt(
            "<draw:page><text:p>one</text:p></draw:page><draw:page><text:p>two</text:p></draw:page>",
            "presentation",
        )
    )
    assert (len(told.pages), told.unit, page_of(told, "two")) == (2, "slide", 2)


# -- slides --------------------------------------------------------------------------------------------------


def test_slides_are_numbered_as_they_are_shown_and_notes_belong_to_their_slide():
    slides = zipped(
        {
            "ppt/presentation.xml": f'<p xmlns:r="{RELATED}"><sldIdLst><sldId id="256" r:id="two"/><sldId id="257" r:id="one"/></sldIdLst></p>',
            "ppt/_rels/presentation.xml.rels": related(
                one="slide slides/slide2.xml", two="slide /ppt/slides/slide7.xml"
            ),
            "ppt/slides/slide2.xml": '<s xmlns:a="a"><a:p><a:t>older</a:t></a:p></s>',
            "ppt/slides/slide7.xml": '<s xmlns:a="a"><a:p><a:t>newer</a:t></a:p></s>',
            "ppt/slides/_rels/slide2.xml.rels": related(
                n="notesSlide ../notesSlides/notesSlide1.xml", c="comments ../comments/comment1.xml"
            ),
            "ppt/notesSlides/notesSlide1.xml": '<s xmlns:a="a"><a:p><a:t>spoken</a:t></a:p></s>',
            "ppt/comments/comment1.xml": '<c xmlns:p="p"><p:cm><p:text>objection</p:text></p:cm></c>',
        }
    )
    told = attached.read(slides)
    assert told.lacks is None
    assert {word: page_of(told, word) for word in ("newer", "older", "spoken", "objection")} == {
        "newer": 1, "older": 2, "spoken": 2, "objection": 2,
    }  # fmt: skip


# -- forms and notes in a PDF --------------------------------------------------------------------------------


def a_form(*, scan: bool = False) -> bytes:
    """A PDF with a note, a field that somebody filled in, and with `scan` a page that is a picture."""
    made = PdfWriter(clone_from=io.BytesIO(a_pdf("Application")))
    page = made.pages[0]
    made.add_annotation(0, FreeText(text="received late", rect=(10, 10, 100, 100)))
    parent = made._add_object(
        DictionaryObject(
            {NameObject("/FT"): NameObject("/Tx"), NameObject("/V"): TextStringObject("Oakhurst")}
        )
    )
    field = DictionaryObject(
        {NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Widget"), NameObject("/Parent"): parent}
    )  # fmt: skip
    page[NameObject("/Annots")] = ArrayObject([*(page.annotations or ()), made._add_object(field)])
    if scan:
        picture = StreamObject()
        picture.set_data(b"\x00")
        picture.update(
            {NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Image")}
        )
        blank = made.add_blank_page(200, 200)
        held = DictionaryObject({NameObject("/Im1"): made._add_object(picture)})
        blank[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): held})
    out = io.BytesIO()
    made.write(out)
    return out.getvalue()


def test_what_is_filled_into_a_form_and_noted_on_a_page_is_read():
    told = attached.read(a_form())
    assert told.lacks is None
    assert [word for word in ("application", '"received late"', "oakhurst") if not meets(told, word)] == []


def test_a_scanned_page_among_pages_with_words_is_counted_and_the_words_are_found():
    told = attached.read(a_form(scan=True))
    assert told.lacks == "scanned"
    assert meets(told, "application")


def test_what_was_read_of_a_damaged_file_is_found_and_the_rest_counted():
    told = attached.read(zipped({"word/document.xml": '<w:d xmlns:w="w"><w:p><w:t>first</w:t></w:p><w:p>'}))
    assert (told.text.strip(), told.lacks) == ("first", "unreadable")


# -- letters, rich text, captions, calendars -----------------------------------------------------------------


RTF = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Times;}{\f1\fcharset204 Arial Cyr;}}{\*\generator secretware;}
{\info{\author Bob}}\pard The {\b fl}ood in Orl\'e9ans, caf\u233\'e9s, na\u239?ve co\_op\par road\tab closed
 {\f1 \'ef\'ee\'f2\'ee\'ef}{\footnote since May}{\*\annotation doubted}{\shp{\*\shpinst{\shptxt boxed}}}{\pict 0102}\line \{end\}}"""


def test_rich_text_is_read_as_its_words():
    told = attached.read(RTF, "application/rtf", "a.rtf")
    assert told.lacks is None
    wanted = ['"the flood in orléans"', "cafés", "naïve", '"co op"', '"road closed"', "потоп", '"since may"', "doubted", "boxed", "end"]  # fmt: skip
    assert [query for query in wanted if not meets(told, query)] == []
    unwanted = ["rtf1", "times", "secretware", "par", "0102", "bob"]
    assert [query for query in unwanted if meets(told, query)] == []


LETTER = (
    b"From: =?utf-8?q?J=C3=B6rg?= <joerg@town.example>\r\nTo: clerk@town.example\r\n"
    b"Subject: =?utf-8?b?" + base64.b64encode("Überflutung".encode()) + b"?=\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="cut"\r\n\r\n'
    b"--cut\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(b"The bridge is washed out")
    + b"\r\n--cut\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"<p>Orl=E9ans is clo=\r\nsed</p>\r\n"
    b'--cut\r\nContent-Type: application/pdf; name="notes.pdf"\r\nContent-Disposition: attachment; filename="notes.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n"
)


@pytest.mark.parametrize(("inside", "lacks"), [(a_pdf("culvert"), None), (a_pdf(""), "scanned")])
def test_a_letter_is_read_with_its_headers_and_what_is_attached_to_it(inside: bytes, lacks: str | None):
    letter = LETTER + base64.encodebytes(inside) + b"\r\n--cut--\r\n"
    for media_type, name in (("message/rfc822", ""), ("application/octet-stream", "a.eml"), ("", "")):
        told = attached.read(letter, media_type, name)
        wanted = ["jörg", "überflutung", '"bridge is washed out"', '"orléans is closed"', '"notes pdf"']
        assert [query for query in wanted if not meets(told, query)] == []
        assert (told.lacks, meets(told, "culvert")) == (lacks, lacks is None)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"1\r\n00:00:01,000 --> 00:00:03,000\r\nThe road\r\n\r\n2\r\n00:00:03,000 --> 00:00:05,000\r\nis <i>clo</i>sed\r\n", "a.srt"),
        (b"WEBVTT\n\nSTYLE\n::cue { color: red }\n\n00:01.000 --> 00:03.000 align:start\n<v Mayor>The road\n\n7\n00:03.000 --> 00:05.000\nis <i>clo</i>sed &amp; wet\n", "a.vtt"),
    ],
)  # fmt: skip
def test_captions_are_one_speech_without_their_times(content: bytes, name: str):
    told = attached.read(content, "", name)
    assert meets(told, '"the road is closed"')
    assert not meets(told, "00")
    assert not meets(told, "color")
    assert name == "a.srt" or meets(told, "mayor")


@pytest.mark.parametrize(
    ("content", "media_type", "query"),
    [
        (b"BEGIN:VCALENDAR\r\nDESCRIPTION:The brid\r\n ge is closed\\nagain\r\nEND:VCALENDAR\r\n", "text/calendar", '"bridge is closed again"'),
        (b'{"a": "fl\\u00f6ding \\ud83d\\ude00", "b": "one\\ntwo"}', "application/json", '"flöding 😀" "one two"'),
        ("<html><meta charset='shift_jis'><p>洪水".encode("shift_jis"), "text/html", "洪水"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>потоп'.encode("cp1251"), "text/html", "потоп"),
        ("потоп".encode("koi8-r"), "text/plain; charset=koi8-r", "потоп"),
        ("洪水".encode("iso2022_jp"), "text/plain; charset=iso-2022-jp", "洪水"),
        ("Straße".encode(), "text/plain; charset=iso-8859-1", "straße"),
        ("flood road".encode("utf-16-le"), "text/plain", '"flood road"'),
        ("<?xml version='1.0' encoding='koi8-r'?><a>потоп</a>".encode("koi8-r"), "application/xml", "потоп"),
        (b"<p>x<select><option>alpha</option><option>beta</option></select><figcaption>gamma</figcaption>delta", "text/html", "alpha beta gamma delta"),
    ],
)  # fmt: skip
def test_text_is_read_in_the_signs_that_it_was_written_in(content: bytes, media_type: str, query: str):
    told = attached.read(content, media_type)
    assert told.lacks is None
    assert meets(told, query)


def test_a_letter_in_a_letter_without_end_is_read_so_far_and_counted():
    letter = b"Subject: innermost\r\nMIME-Version: 1.0\r\n\r\nhello"
    for _ in range(60):
        letter = b"Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + letter
    assert attached.read(letter, "message/rfc822").lacks in (None, "too_long")
    zeros = b"{\\rtf1 " + b"{" * 200_000
    assert attached.read(zeros).lacks in (None, "unreadable")

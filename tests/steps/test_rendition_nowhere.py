"""What was taken out of a record is in no form of it, however deep one looks; where nothing was taken out, it is in every one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from html import escape
from io import BytesIO
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pypdfium2  # type: ignore[import-untyped]  # it brings no types
import pytest
from PIL import Image
from pypdf import PdfReader

from app.disclosure import redacting
from app.disclosure.package.numbering import Numbering
from app.disclosure.redacting import Field, Held, Read, Redaction, Region, Span, Where
from app.disclosure.released import Released
from app.disclosure.rendition import native, pages, pdf, plain
from app.disclosure.rendition.remaking import Remakes
from app.papers import paper
from app.records.nouns import Page, Record, Version
from tests.steps.rendering import NOON, a_recipe

NAME, HANDLE, STREET = "Aurelia Thistlewood", "aurelia.t88", "14 Quince Hollow Lane"
SECRETS = (NAME, HANDLE, STREET)
TEXT = f"Please come to {STREET} tonight, says {NAME}."
PICTURE, LETTER = UUID(int=71), UUID(int=72)


def a_picture_that_tells() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = STREET
    out = BytesIO()
    Image.new("RGB", (200, 120), (90, 120, 160)).save(out, "JPEG", exif=exif, comment=HANDLE.encode())
    return out.getvalue() + NAME.encode()


def a_letter_that_tells() -> bytes:
    return paper.document(STREET, [paper.Paragraph(TEXT)], agency=NAME, subject=HANDLE, made_at=NOON)


def held(identity: UUID, content: bytes, media_type: str) -> Held:
    return Held(
        id=identity, state="kept", media_type=media_type, size=len(content), description=f"The house of {NAME}",
        chunks=lambda: iter((content,)), commitment="ab" * 32,
    )  # fmt: skip


@pytest.fixture(scope="module")
def record() -> Read:
    page = Page(
        key=1, id=UUID(int=1), connector="mastodon", platform="mastodon", address="https://town.example/@police",
        name="Harrow Falls Police", custodian="Clerk", options={}, status="active", approved=True, added_at=NOON, connected=False,
    )  # fmt: skip
    fields: Mapping[str, object] = {
        "author_id": HANDLE, "author_name": NAME, "author_handle": HANDLE, "url": f"https://town.example/@{HANDLE}/1",
        "native_id": "1", "html": f"<p>{TEXT}</p>", "extra": {"card": STREET}, "language": "en",
    }  # fmt: skip
    versions = [
        Version(
            number=number,
            entry=number,
            state="present",
            observed_at=NOON + timedelta(hours=number),
            last_seen_before=NOON if number > 1 else None,
            fields={**fields, "text": text},
        )
        for number, text in enumerate((TEXT, f"Edited: {TEXT.upper()}"), 1)
    ]
    noun = Record(
        key=1, id=UUID(int=5), page=page, kind="post", state="present", in_reply_to=None, root=UUID(int=5),
        published_at=NOON, first_seen=NOON, last_seen=NOON, versions=2, version=versions[-1], counts={}, attachments=(),
        private=False, received=False,
    )  # fmt: skip
    attached = [
        held(PICTURE, a_picture_that_tells(), "image/jpeg"),
        held(LETTER, a_letter_that_tells(), "application/pdf"),
    ]
    return Read(
        record=noun,
        versions=versions,
        attachments={1: attached, 2: attached},
        author="visitor",
        day="2026-03-02",
    )


def redaction(where: Where) -> Redaction:
    return Redaction(
        where=where, code="b(6)", citation="5 U.S.C. 552(b)(6)", explanation="Privacy", by="Clerk", approved_by=None, on=NOON
    )  # fmt: skip


REDACTED = [
    redaction(Span(1, TEXT.index(STREET), TEXT.index(STREET) + len(STREET))),
    redaction(Field("author")),
    redaction(Region(LETTER, 1, 0, 0, 10_000, 10_000)),
]


def forms(item: Released) -> Iterator[tuple[str, bytes]]:
    """Everything that leaves of a record."""
    ((numbered, document),) = pdf.documents([item], Numbering(a_recipe()), processes=1)
    yield "pdf", document
    for number, one in enumerate(pdf.singles(document), 1):
        yield f"page {number}", one
    yield "text", plain.text(numbered, "America/Denver")
    where: Callable[[Any, Any], str] = lambda document, attachment: "natives/1.bin"  # noqa: E731 - one line says it
    yield "html", b"".join(pages.thread([numbered], a_recipe(), where))
    yield (
        "list",
        b"".join(content for _, content in pages.index([pages.listed(numbered, "1.html", 1)], a_recipe())),
    )
    for attachment in item.now.attachments:
        assert attachment.chunks is not None
        yield str(attachment.media_type), b"".join(attachment.chunks())
    if not item.redacted:
        yield "native", native.native(item)


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes of a file, those of everything that is packed in it, and its words."""
    yield content
    if not content.startswith(b"%PDF"):
        return
    reader = PdfReader(BytesIO(content))
    for number in reader.xref[0]:
        one: Any = reader.get_object(number)
        yield repr(one).encode()
        if hasattr(one, "get_data"):
            yield one.get_data()
    document = pypdfium2.PdfDocument(content)
    yield " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split()).encode()
    document.close()
    yield repr(reader.metadata).encode()


def written(word: str) -> Sequence[bytes]:
    """A word in every way in which a file may hold it."""
    ways = {word, word.upper(), escape(word), quote(word), word.encode("unicode_escape").decode()}
    return [
        *(way.encode(code) for way in ways for code in ("utf-8", "utf-16-le", "utf-16-be")),
        *(base64.b64encode(word.encode()[skip:])[:-4] for skip in range(3)),
        word.encode().hex().encode(),
    ]


def found(item: Released) -> set[tuple[str, str]]:
    return {
        (form, word)
        for form, content in forms(item)
        for part in unpacked(content)
        for word in SECRETS
        if any(way in part for way in written(word))
    }


def test_what_was_taken_out_is_nowhere(record: Read):
    with closing(Remakes()) as by:
        item = redacting.release(record, REDACTED, whole=frozenset(), by=by)
        assert isinstance(item, Released)
        assert item.redacted
        assert found(item) == set()


def test_what_was_not_taken_out_is_found_by_the_same_search(record: Read):
    with closing(Remakes()) as by:
        item = redacting.release(record, [], whole=frozenset(), by=by)
    assert isinstance(item, Released)
    there = found(item)
    assert {form for form, _ in there} >= {
        "pdf",
        "page 1",
        "text",
        "html",
        "list",
        "native",
        "image/jpeg",
        "application/pdf",
    }
    assert {word for _, word in there} == set(SECRETS)

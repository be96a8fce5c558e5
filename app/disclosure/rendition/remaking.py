"""Attachments made anew, in part or without their metadata: what a review calls when something is taken out of a record.

Pictures keep their kind; a document (PDF) becomes a document of pictures of
its pages. Anything else cannot be made anew: it leaves whole or not at all,
and a person says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.disclosure.redacting import DOCUMENTS, PICTURES, Held, Region, plain_type
from app.disclosure.released import Removed
from app.disclosure.rendition.documents import Sheet
from app.disclosure.rendition.pictures import REASONS, Filled, Unfit
from app.disclosure.rendition.studio import MOST_BYTES, Studio
from app.papers.blocks import Full
from app.papers.press import Press, Sheets
from app.records.errors import NotFound, Refused

_LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)
"""When every document that is made anew says it was made: the same regions give the same bytes at any time."""


class CannotBeRemade(Refused):
    """An attachment cannot be made anew, so it leaves neither in part nor without its metadata."""

    code = "attachment-cannot-be-remade"
    outside = False
    """Whether it is a region that is at fault: on a page that the document does not have."""


class NoSuchSheet(NotFound):
    """A document has fewer pages."""

    code = "no-such-sheet"


class Remakes:
    """Makes attachments anew in a process of its own, which ends with it; for one thread at a time."""

    def __init__(self) -> None:
        self._studio = Studio()
        self._press: Press | None = None

    def remade(self, held: Held, regions: Sequence[tuple[Region, Removed]] = ()) -> tuple[bytes, str]:
        """An attachment with its regions filled and without its metadata, and its media type.

        Raises `CannotBeRemade`, which says why and what a person can do.
        """
        filled = _filled(regions)
        try:
            content = _content(held)
            if plain_type(held.media_type) in DOCUMENTS:
                return self._document(content, filled), "application/pdf"
            if plain_type(held.media_type) in PICTURES:
                return self._studio.remade(content, filled)
            raise Unfit("unknown")
        except Unfit as error:
            raise _refused(held, regions, error) from error

    def fits(self, held: Held, regions: Sequence[tuple[Region, Removed]] = ()) -> None:
        """Whether `remade` would make it anew, as far as opening it tells; raises what that would."""
        document = plain_type(held.media_type) in DOCUMENTS
        try:
            self._studio.tried(_content(held), _filled(regions), document=document)
        except Unfit as error:
            raise _refused(held, regions, error) from error

    def page(self, held: Held, number: int) -> tuple[Sheet, int]:
        """A page of a document as a picture, or the picture itself, with nothing taken out; and how many pages there are.

        Raises `NoSuchSheet`, or `CannotBeRemade` where none of it can be shown.
        """
        try:
            if plain_type(held.media_type) in DOCUMENTS:
                return self._studio.page(_content(held), number)
            if plain_type(held.media_type) not in PICTURES:
                raise Unfit("unknown")
            if number != 1:
                raise Unfit("page")
            shown = self._studio.shown(_content(held))
            return Sheet(shown.content, shown.media_type, shown.width, shown.height), 1
        except Unfit as error:
            if error.reason == "page":
                raise NoSuchSheet(f"attachment {held.id} has no page {number}") from error
            raise CannotBeRemade(
                f"attachment {held.id} ({held.media_type or 'of unknown type'}) cannot be shown: {REASONS[error.reason]}",
                next="Take the attachment itself and look at it there; only all of it can be withheld.",
            ) from error

    def close(self) -> None:
        """End the processes."""
        self._studio.close()
        if self._press is not None:
            self._press.close()
            self._press = None

    def _document(self, content: bytes, regions: Sequence[Filled]) -> bytes:
        with self._studio.opened(content, regions) as turned:
            sheets = list(turned)
        if self._press is None:
            self._press = Press()
        parts = {one.page for one in regions}
        blocks = [
            Full(
                sheet.content, sheet.media_type, sheet.width, sheet.height,
                f"A picture of page {number} of {len(sheets)}{'; parts of it are taken out' if number in parts else ''}",
            )
            for number, sheet in enumerate(sheets, 1)
        ]  # fmt: skip
        return self._press.pdf(
            Sheets(title="Attachment, made anew", author="", made_at=_LONG_AGO, blocks=blocks)
        ).content


def _filled(regions: Sequence[tuple[Region, Removed]]) -> list[Filled]:
    return [
        Filled(region.page, region.left, region.top, region.right, region.bottom, mark.code)
        for region, mark in regions
    ]


def _refused(held: Held, regions: Sequence[tuple[Region, Removed]], error: Unfit) -> CannotBeRemade:
    what = f"attachment {held.id} ({held.media_type or 'of unknown type'}) cannot be made anew"
    if error.reason == "page":
        page = max((region.page for region, _ in regions), default=0)
        refused = CannotBeRemade(
            f"{what}: a region lies outside of it, on page {page}, which it does not have",
            next="Count its pages from 1; what was decided is taken back by `muniment review retract`.",
        )
        refused.outside = True
        return refused
    return CannotBeRemade(
        f"{what}: {REASONS[error.reason]}",
        next="Withhold the attachment on a ground, or, where only its metadata is at stake, let it leave whole.",
    )


def _content(held: Held) -> bytes:
    assert held.chunks is not None, "what is kept has bytes"
    if (held.size or 0) > MOST_BYTES:
        raise Unfit("too_large")
    content = b"".join(held.chunks())
    if len(content) > MOST_BYTES:
        raise Unfit("too_large")
    return content

"""Documents (PDF) made anew: every page becomes a picture of itself, and nothing else of the file is kept.

Safe because the old file is only looked at. Text layers, form fields, hidden
layers, attached files, scripts, links, metadata and earlier states of the
document have no place in a picture; boxes are drawn into it before it is
encoded. What is lost is that words can be searched: whoever redacts a
document gives that up, and the text form of the record says what was taken
out.

These are pure functions; `studio` runs them in a process of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import pypdfium2  # type: ignore[import-untyped]  # it brings no types
from PIL import Image

from app.disclosure.rendition.pictures import FINE, Filled, Unfit, compact, fill

MOST_PAGES = 500
_DOTS = 150
"""Dots per inch; small print stays readable."""
_MOST_DOTS = 12_000_000
_INCH = 72.0
_LEAST, _MOST = 36.0, 2_880.0
"""The sides of a page in points, from half an inch to forty inches; others are shown in these bounds."""


class Sheet(NamedTuple):
    """A page as a picture: PNG or JPEG, and its size in points."""

    content: bytes
    media_type: str
    width: float
    height: float


class Pages:
    """An opened document. Raises `Unfit` where it is damaged, locked, or too long."""

    def __init__(self, content: bytes, regions: Sequence[Filled] = ()) -> None:
        try:
            self._document = pypdfium2.PdfDocument(content)
            self._document.init_forms()  # what was filled in is part of what is read; no script runs
            self.count = len(self._document)
        except pypdfium2.PdfiumError as error:
            # The library tells an earlier file's reason where it has none of its own.
            locked = "password" in str(error).lower() and b"/Encrypt" in content
            raise Unfit("protected" if locked else "damaged") from error
        if not 0 < self.count <= MOST_PAGES:
            self.close()
            raise Unfit("pages")
        self._regions: dict[int, list[Filled]] = {}
        for one in regions:
            if not 1 <= one.page <= self.count:
                self.close()
                raise Unfit("page")
            if not (0 <= one.left < one.right <= FINE and 0 <= one.top < one.bottom <= FINE):
                self.close()
                raise Unfit("region")
            self._regions.setdefault(one.page, []).append(one)

    def sheet(self, number: int) -> Sheet:
        """Page `number`, counted from 1, as it is printed, with its regions filled."""
        try:
            page = self._document[number - 1]
            wide, high = page.get_size()
            scale = _scale(wide, high)
            picture = page.render(scale=scale, may_draw_forms=True, draw_annots=True).to_pil()
            page.close()
        except (pypdfium2.PdfiumError, ValueError, IndexError) as error:
            raise Unfit("damaged") from error
        plain = Image.new("RGB", picture.size, (255, 255, 255))
        plain.paste(picture.convert("RGB"))
        fill(plain, self._regions.get(number, ()))
        content, media_type = compact(plain)
        return Sheet(content, media_type, _bounded(wide), _bounded(high))

    def close(self) -> None:
        """Forget the document."""
        with suppress(pypdfium2.PdfiumError):
            self._document.close()


def _scale(wide: float, high: float) -> float:
    if not (wide > 0 and high > 0):
        raise Unfit("damaged")
    scale = _DOTS / _INCH
    dots = wide * high * scale * scale
    return scale if dots <= _MOST_DOTS else scale * (_MOST_DOTS / dots) ** 0.5


def _bounded(side: float) -> float:
    return round(min(max(side, _LEAST), _MOST), 2)

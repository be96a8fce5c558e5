"""The first part of a production: every item gets its pages, with them its numbers, and its own files.

Nothing here is made from anything but what leaves of an item.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from app.disclosure.formats.fields import Digests
from app.disclosure.package import spooling
from app.disclosure.package.numbering import Numbering, Place
from app.disclosure.package.recipe import Attached, Form, Numbered, Recipe
from app.disclosure.package.spooling import Hashing
from app.disclosure.released import Item, ReleasedAttachment
from app.disclosure.rendition import native, pdf, plain
from app.records.errors import IntegrityFailure


class AttachmentDiffers(IntegrityFailure):
    """An attachment that was to leave has not the size that was stated of it."""

    code = "attachment-differs"


class Document(NamedTuple):
    """A document that is laid: its numbers, its files, and how numbering stood before it."""

    told: Numbered
    files: dict[str, Digests]
    before: Place


class Numbers(Numbering):
    """Numbering that remembers how it stood before each number that it gave, for whoever has to go on there."""

    def __init__(self, recipe: Recipe, place: Place) -> None:
        super().__init__(recipe, place)
        self.befores: deque[Place] = deque()

    def give(self, item: Item, pages: int) -> Numbered:
        self.befores.append(replace(self.place, files=dict(self.place.files)))
        return super().give(item, pages)


def lay(items: Iterator[Item], numbers: Numbers, payload: Path, workers: int) -> Iterator[Document]:
    """Write the files of one item after the other below `payload`."""
    recipe = numbers.recipe
    if Form.PDF in recipe.forms:
        for told, content in pdf.documents(items, numbers, processes=workers):
            yield _laid(told, content, numbers, payload)
    else:
        for item in items:
            yield _laid(numbers.give(item, 1), None, numbers, payload)


def _laid(told: Numbered, content: bytes | None, numbers: Numbers, payload: Path) -> Document:
    recipe, names = numbers.recipe, told.names
    files: dict[str, Digests] = {}
    if content is not None and names.pdf is not None:
        files[names.pdf] = spooling.put(payload, names.pdf, content)
        if len(names.images) > 1:
            for name, page in zip(names.images, pdf.singles(content), strict=True):
                files[name] = spooling.put(payload, name, page)
    if names.text is not None:
        files[names.text] = spooling.put(payload, names.text, plain.text(told, recipe.timezone))
    if names.native is not None and told.released is not None:
        files[names.native] = spooling.put(payload, names.native, native.native(told.released))
    for one in names.attached:
        files[one.name] = _attached(payload, one)
    return Document(told, files, numbers.befores.popleft())


def _attached(payload: Path, one: Attached) -> Digests:
    """An attachment as it leaves, streamed; cut short or longer than stated is a failure, and nothing to deliver."""
    file = payload / one.name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        told = Hashing(out)
        for chunk in _chunks(one.attachment):
            told.write(chunk)
    digests = told.digests()
    if one.attachment.size is not None and digests.size != one.attachment.size:
        raise AttachmentDiffers(
            f"{one.name} has {digests.size} bytes, and {one.attachment.size} were to leave",
            next="Run `muniment verify --full`, and produce nothing before it finds nothing.",
        )
    return digests


def _chunks(one: ReleasedAttachment) -> Iterator[bytes]:
    assert one.chunks is not None, "only what leaves has a name"
    return one.chunks()

"""Whether what is to be taken out of a picture or a document can be: tried when it is decided, not when a production is built.

Strangers' files are opened for it, one after another and outside any
transaction: each may take a gigabyte and a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from threading import Lock
from uuid import UUID

from app.disclosure import assembling, matching, redacting
from app.disclosure.redacting import DOCUMENTS, BadRedaction, Held, Read, Redaction, Region, Where, plain_type
from app.disclosure.released import Removed
from app.disclosure.rendition.remaking import CannotBeRemade, Remakes
from app.index.extracting import Extractor
from app.records.nouns import Record
from app.store.store import Store

ONE_AT_A_TIME = Lock()


def region(store: Store, record: Record, where: Where, code: str) -> None:
    """Make an attachment anew without a region of it, and throw it away; anything but a region is passed over.

    Raises `BadRedaction` where the document has no such page, and
    `CannotBeRemade` where it is locked, damaged or too large.
    """
    if not isinstance(where, Region):
        return
    with store.database.read() as tx:
        read = assembling.one(store, tx, record)
    redacting.check(read, where)
    held = next(one for one in _kept(read) if one.id == where.attachment)
    if held.chunks is None:
        raise BadRedaction(
            f"the bytes of attachment {held.id} were never captured, so nothing of it leaves",
            next="There is nothing to take out of it.",
        )
    with ONE_AT_A_TIME, closing(Remakes()) as remakes:
        try:
            remakes.remade(held, [(where, Removed(code))])
        except CannotBeRemade as error:
            if error.outside:
                raise BadRedaction(str(error), next=error.next) from error
            raise


class Trial:
    """Looks whether the attachments of records that leave in part can be made anew; it has a process only once it needs one.

    `absent` are the words that are taken out of any record.
    """

    def __init__(self, absent: Iterable[str] = ()) -> None:
        self._remakes: Remakes | None = None
        self._extractor: Extractor | None = None
        self._absent = matching.Many(absent)

    def of(
        self, read: Read, redactions: Sequence[Redaction], whole: frozenset[UUID]
    ) -> Iterator[tuple[Held, str, str]]:
        """The attachments of a record that cannot be, each with why and what to do."""
        for held, regions in redacting.to_be_remade(read, redactions, whole):
            try:
                if self._remakes is None:
                    self._remakes = Remakes()
                self._remakes.fits(held, regions)
            except CannotBeRemade as error:
                yield held, str(error), error.next or ""

    def shown(
        self, read: Read, redactions: Sequence[Redaction], whole: frozenset[UUID]
    ) -> Iterator[tuple[Held, int]]:
        """The pages of documents that are made anew, on which words that are taken out can be read and no region is.

        A page that is only a picture has no words that a program could read.
        """
        taken = matching.Many(
            word for word in redacting.words(read, redactions) if matching.long_enough(matching.folded(word))
        )
        for held, regions in redacting.to_be_remade(read, redactions, whole):
            if plain_type(held.media_type) in DOCUMENTS:
                filled = {region.page for region, _ in regions}
                for number, said in enumerate(self._pages(held), 1):
                    if number not in filled and (taken.within(said) or self._absent.within(said)):
                        yield held, number

    def _pages(self, held: Held) -> Iterator[str]:
        assert held.chunks is not None, "what is made anew has bytes"
        self._extractor = self._extractor or Extractor()
        told = self._extractor.read(held.chunks(), held.size or 0, held.media_type or "", "")
        for start, end in pairwise((*told.pages, len(told.text))):
            yield told.text[start:end]

    def close(self) -> None:
        """End the processes."""
        if self._remakes is not None:
            self._remakes.close()
            self._remakes = None
        if self._extractor is not None:
            self._extractor.close()
            self._extractor = None


def _kept(read: Read) -> Iterator[Held]:
    """The attachments of a record, those whose bytes are kept first."""
    listed: Mapping[bool, list[Held]] = {True: [], False: []}
    for found in read.attachments.values():
        for one in found:
            listed[one.chunks is not None].append(one)
    yield from (*listed[True], *listed[False])

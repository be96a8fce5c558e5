"""By which words a record was found, and where they stand: in its text, or in a picture's alt text, a title, a page of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.db import Tx
from app.index import passages
from app.index.documents import Document
from app.index.search import highlight
from app.index.source import LedgerSource
from app.index.spans import marks
from app.index.tree import Tree

_AROUND = 200


@dataclass(frozen=True, slots=True)
class Highlight:
    """A text that met a question, with the places in it; `where` says in words what text it is, of which version."""

    version: int
    where: str
    text: str
    places: Sequence[tuple[int, int]]

    def as_json(self) -> dict[str, object]:
        """As programs read it: the words around the first place, and where in them the question was met."""
        begin = max(0, self.places[0][0] - _AROUND)
        end = min(len(self.text), self.places[0][1] + _AROUND)
        return {
            "version": self.version,
            "where": self.where,
            "words": self.text[begin:end],
            "met": [[start - begin, stop - begin] for start, stop in self.places if stop <= end],
        }


def of(tree: Tree, documents: Sequence[Document]) -> Highlight | None:
    """What met the question in the newest version that bears any of it, the text before what stands beside it."""
    for document in reversed(documents):
        if places := highlight(tree, document.text):
            return Highlight(document.version, "in the text", document.text, places)
        for passage in document.passages:
            if places := highlight(tree, passage.text, passage.place):
                where = passages.where(passage, places[0][0])
                return Highlight(document.version, where, passage.text, places)
    return None


def of_records(
    source: LedgerSource, tx: Tx, tree: Tree, keys: Iterable[int], *, before: int | None = None
) -> Mapping[int, Highlight]:
    """The same for several records, by their keys, by what was captured when the ledger had `before` entries.

    No attachment is read for it that was not read before.
    """
    if not marks(tree):
        return {}
    found: dict[int, Highlight] = {}
    for documents in source.within(tx, list(keys)):
        told = of(tree, [one for one in documents if before is None or one.entry < before])
        if told is not None:
            found[documents[0].record] = told
    return found

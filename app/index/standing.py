"""Facts of records that no index keeps: tags, series, holds.

They change without a capture, and many at a time: a schedule that is adopted
gives every record another series. So the index never hears of them. When a
question names one, whoever knows it answers with a set of records, and the set
takes the place of the fact in the question; counts by such a fact are read for
the records that were found. What is answered is therefore exact at the moment
of asking.

They have no history. As of an earlier size of the ledger they are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.index.engine import FACETS, QueryNotSupported
from app.index.keys import Keys
from app.index.printer import show
from app.index.tree import Among, And, Field, Not, Or, Tree, both, either, everything_in

FACTS = ("tag", "series", "hold")
"""What a question may name beside what the index keeps."""
JOINED = ("series", "tag")
"""What hits can be counted by beside the facets of the index."""
COUNTED = (*FACETS, *JOINED)


class Standing(Protocol):
    """Knows these facts, for whoever asks: somebody outside a silent matter is told of no hold of it."""

    def having(self, fact: str, value: str) -> Keys:
        """The records of which a fact holds. The value is compared whole and without regard to case."""
        ...

    def counted(self, fact: str, among: Keys) -> Mapping[str, int]:
        """For each value of a fact how many of these records have it, the most frequent first."""
        ...


def joined(tree: Tree, standing: Standing | None) -> Tree:
    """The question with sets of records in the place of facts that no index keeps.

    Without anybody who knows them the facts stay, and the engine refuses them.
    """
    if standing is None:
        return tree
    match tree:
        case Field(name, value) if name in FACTS:
            if name == "hold" and value.casefold() != "any":
                raise QueryNotSupported(
                    show(tree), "only hold:any is known, which meets what any hold covers"
                )
            return Among(tree, standing.having(name, value))
        case And(parts):
            return both(*(joined(part, standing) for part in parts))
        case Or(parts):
            return either(*(joined(part, standing) for part in parts))
        case Not(part):
            return Not(joined(part, standing))
        case _:
            return tree


def must_have_history(tree: Tree) -> None:
    """Raise `QueryNotSupported` where a question about the past names a fact that is only known as it stands now."""
    for part in everything_in(tree):
        if isinstance(part, Field) and part.name in FACTS:
            raise QueryNotSupported(
                show(part), "what officers say of a record has no history, so it is known as of now only"
            )

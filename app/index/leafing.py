"""Lists of hits that somebody leafs through while the archive goes on capturing.

By publication nothing moves: a record has one date, and a cursor stands behind
all its versions. By capture, a record that is edited meanwhile moves to the
top, before the place that was reached, and would be shown in no part at all.
So the cursor of such a list says at which size of the ledger it was begun, and
its later parts show the records as they stood then.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from app.index import asof
from app.index.asof import History
from app.index.engine import BadCursor, Index, Scope, Sort
from app.index.tree import Tree


@dataclass(frozen=True, slots=True)
class Begun:
    """A list in an order: at which size of the ledger it was begun, and after which place this part of it comes.

    `size` is None where nothing can move in it.
    """

    size: int | None
    after: str | None

    @classmethod
    def of(cls, sort: Sort, cursor: str | None, seen: int) -> Begun:
        """The list that a cursor goes on with, or one that begins now, when the index has seen so many entries.

        Raises `BadCursor` for one of another order.
        """
        if sort is not Sort.CAPTURED:
            return cls(None, cursor)
        if cursor is None:
            return cls(seen, None)
        try:
            what, size, after = (
                base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(":", 2)
            )
            if what != "begun" or not (size.isascii() and size.isdigit() and len(size) < 19):
                raise ValueError(what)
        except (ValueError, binascii.Error) as error:
            raise BadCursor(
                "The cursor belongs to another order.", next="Begin again without one."
            ) from error
        return cls(int(size), after)

    def cursor(self, after: str | None) -> str | None:
        """The cursor of this list that goes on after that place; None where nothing follows."""
        if self.size is None or after is None:
            return after
        return base64.urlsafe_b64encode(f"begun:{self.size}:{after}".encode()).decode().rstrip("=")

    def question(self, history: History, engine: Index, tree: Tree, scope: Scope) -> Tree:
        """The question whose hits this part is taken from: as it was asked, where nothing has moved since."""
        if self.size is None or self.after is None or asof.size_of(engine) <= self.size:
            return tree
        return asof.going_on(history, engine, tree, scope, self.size)

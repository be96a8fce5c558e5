"""What one pass over a page on Nextdoor leaves to the next: what its cursor holds. Nobody's words and no token are in it."""

from __future__ import annotations

import msgspec

from connectors import cursors
from connectors.contract import Cursor


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A pass takes a handful of questions, so that one which is broken off begins anew, and misses nothing.

    `most` is how many posts the account's list has shown at most. A list that
    shows fewer than it did is not cut off at its end.
    """

    most: int = 0

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read knows nothing of earlier passes."""
        return cursors.read(cursor, Place) or Place()

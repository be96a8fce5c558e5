"""How far a pass has come: what a Snapchat cursor holds."""

from __future__ import annotations

from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the page showed, and what is still to be asked for.

    `known` is everything that the page showed when it was last read, each with
    when it was published (empty where that is not told). `unread` are spotlights
    of which the page told no words, and `left` those that it shows no longer:
    each is asked for at its own page. `failed` are those of the latter at which
    Snapchat failed: the next pass asks again.
    """

    known: dict[str, str] = {}
    unread: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def moved(self, **changes: Any) -> Place:
        """The same, further on."""
        return msgspec.structs.replace(self, **changes)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        return cursors.read(cursor, Place) or Place()

"""How far the wiki pages of a page have been read: what a MediaWiki cursor holds.

A cursor holds no place in a pass. Each pass asks for every wiki page it knows,
fifty at a time and without their words, and reads on only where something
changed; a pass that was broken off therefore begins again and soon stands where
it stopped.
"""

from __future__ import annotations

from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor


class Known(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One wiki page, as far as it was read: everything up to the revision `last`, made at `at`.

    `highest` is the highest number among the revisions that were read: a
    higher one that stands before `last` was put in later, by an import or a
    merger of histories. `touched` is the wiki's own time of the last change
    of anything about the page; empty where the page has not been read to its
    end, or changed in the very moment of reading. `log` is the highest number
    of a log entry that was read, `answers` what a talk page answers, `gone`
    whether the wiki said that it deleted the page. One of which only the
    introduction was read has a title and nothing else. `unread` are the
    revisions whose words the wiki kept back, and `count` is how many stood in
    the history up to `last`: where there are more, some were brought back.
    """

    title: str = ""
    last: int = 0
    at: str = ""
    highest: int = 0
    touched: str = ""
    log: int = 0
    answers: str = ""
    gone: bool = False
    unread: tuple[int, ...] = ()
    count: int = -1

    def moved(self, **changes: Any) -> Known:
        """The same page, further on."""
        return msgspec.structs.replace(self, **changes)


class Place(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The wiki's interface, every wiki page by its number, and the newest log entry of titles that name no page."""

    interface: str = ""
    pages: dict[int, Known] = msgspec.field(default_factory=dict)
    lost: dict[str, int] = msgspec.field(default_factory=dict)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins from nothing, which misses nothing."""
        return cursors.read(cursor, Place) or Place()

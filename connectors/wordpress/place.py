"""How far a pass has come: what a WordPress cursor holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor

STREAMS = ("posts", "pages", "comments")
"""In the order in which a pass reads them. Posts and pages are of one kind and closed by one listing."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The stream being read, the row to ask for next, and what a listing will need at its end.

    `last` is the highest number seen in the stream: the next answer has to
    reach back to it, or something slipped away in between. `began` is when
    the pass began. `since` is from when on changed posts are asked for their
    earlier texts; None asks all.
    """

    stream: str = STREAMS[0]
    offset: int = 0
    last: int = 0
    seen: int = 0
    began: datetime | None = None
    since: datetime | None = None
    stated: int | None = 0
    whole: bool = True

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    def moved(self, **changes: Any) -> Place:
        """The same pass, further on."""
        return msgspec.structs.replace(self, **changes)

    def after(self, stream: str, *, stated: int | None, margin: timedelta) -> Place:
        """Where to go on once `stream` is read: the next stream, or the next pass.

        Posts hand on their total to pages, which one listing closes together.
        The next pass asks for earlier texts from `margin` before this one on.
        """
        if stream == STREAMS[-1]:
            return Place(since=self.begun() - margin)
        following = STREAMS[STREAMS.index(stream) + 1]
        passed = Place(stream=following, began=self.began, since=self.since)
        return passed.moved(stated=stated, whole=self.whole) if stream == "posts" else passed

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        place = cursors.read(cursor, Place)
        return place if place and place.stream in STREAMS and place.offset >= 0 else Place()

"""How far a pass has come: what a WordPress cursor holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from connectors import cursors

STREAMS = ("posts", "pages", "comments", "pings")
"""In the order in which a pass reads them. Posts and pages are of one kind and closed by one listing, and so are comments and pings."""

ROUTES = {"posts": "posts", "pages": "pages", "comments": "comments", "pings": "comments"}
"""Where each stream is asked for."""


class Place(cursors.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The stream being read, the row to ask for next, and what a listing will need at its end.

    `last` is the highest number seen in the stream: the next answer has to
    reach back to it, or something slipped away in between. `began` is when
    the pass began. `since` is from when on changed posts are asked for their
    earlier texts; None asks all. `owed` are the posts whose earlier texts the
    site failed to tell, to be asked for whenever they changed.
    """

    stream: str = STREAMS[0]
    offset: int = 0
    last: int = 0
    seen: int = 0
    since: datetime | None = None
    stated: int | None = 0
    whole: bool = True
    owed: tuple[str, ...] = ()

    def after(self, streams: Sequence[str], *, stated: int | None, margin: timedelta) -> Place:
        """Where to go on once the stream is read: the next of `streams`, or the next pass.

        Streams that one listing closes together hand on their total. The next
        pass asks for earlier texts from `margin` before this one on.
        """
        if self.stream == streams[-1]:
            return Place(since=self.begun() - margin, owed=self.owed)
        following = streams[streams.index(self.stream) + 1]
        passed = Place(stream=following, began=self.began, since=self.since, owed=self.owed)
        together = following in {"pages", "pings"}
        return passed.moved(stated=stated, whole=self.whole) if together else passed

    def leads_on(self) -> bool:
        return self.stream in STREAMS and self.offset >= 0

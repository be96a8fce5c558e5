"""How far a pass has come: what a Facebook cursor holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor

SETTINGS = "settings"
CONVERSATIONS = "conversations"
THINGS = ("events", "albums", "videos", "video_reels", "live_videos", "ratings")
POSTS = ("tagged", "visitor_posts", "published_posts")
STAGES = (SETTINGS, CONVERSATIONS, *THINGS, *POSTS)
"""In the order in which a pass reads them: the page's own posts last, because their end closes the pass."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The edge that is read, and where in it.

    `at` is what the next answer is asked for with, `ended` whether there is
    none; `waiting` are posts whose
    comments, or conversations whose messages, are still to be read, each with
    what to ask for next. `years` counts the page's own posts by the year in
    which they were published, and `total` the comments that Facebook counts.
    `posts` and `threads` say whether everything was shown: of the posts, and
    of what answers them. `gave` are the edges that gave something in the last
    pass (None: there was none), and `met` in this one: an edge that is refused
    and never gave anything hides nothing that we hold. `one_by_one` is set
    after a pass that met a post whose comments were not all shown: comments are
    then listed post by post, so that this one does not keep the others from
    being compared.
    """

    page: str = ""
    began: datetime | None = None
    stage: str = STAGES[0]
    at: dict[str, str] = {}
    ended: bool = False
    waiting: tuple[tuple[str, dict[str, str]], ...] = ()
    years: dict[str, int] = {}
    total: int | None = 0
    posts: bool = True
    threads: bool = True
    gave: tuple[str, ...] | None = None
    met: tuple[str, ...] = ()
    one_by_one: bool = False

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    def moved(self, **changes: Any) -> Place:
        """The same pass, further on."""
        return msgspec.structs.replace(self, **changes)

    def after(self, stage: str) -> Place:
        """Where to go on once `stage` is read to its end."""
        following = STAGES[min(STAGES.index(stage) + 1, len(STAGES) - 1)]
        return self.moved(stage=following, at={}, ended=False, waiting=())

    def finished(self) -> Place:
        """Where the next pass begins."""
        gave = tuple(sorted({*(self.gave or ()), *self.met}))
        return Place(page=self.page, gave=gave, one_by_one=not self.threads)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        place = cursors.read(cursor, Place)
        return place if place and place.stage in STAGES else Place()

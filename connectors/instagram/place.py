"""How far a pass has come: what an Instagram cursor holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor

STORIES = "stories"
CONVERSATIONS = "conversations"
TAGS = "tags"
MEDIA = "media"
STAGES = (STORIES, CONVERSATIONS, TAGS, MEDIA)
"""In the order in which a pass reads them: the account's own posts last, because their end closes the pass."""

COMMENTS = "comments"
COUNTED = "counted"
"""Comments that Instagram counts, and has not told inside their post."""
LATELY = "lately"
"""Comments of a post that is older than the span of the pass: read as far as they lie within it."""
REPLIES = "replies"
MESSAGES = "messages"


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `page` is the account's number, and `owner` that of the page on Facebook
    which it belongs to. `at` is what the next answer is asked for with, `ended`
    whether there is none; `waiting` are lists below what was read, each by its
    kind (`COMMENTS` and those that follow it), whose it is and what to ask for next.
    `count` and `oldest` are of the account's own posts, `total` the comments
    that Instagram counts. `posts` and `threads` say whether everything was
    shown: of the posts, and of what answers them. `gave` are the lists that
    gave something in the last pass (None: there was none), and `met` in this
    one: a list that is refused and never gave anything hides nothing that we
    hold. `one_by_one` is set after a pass that met a post whose comments were
    not all shown: comments are then listed post by post, so that this one does
    not keep the others from being compared.
    """

    page: str = ""
    owner: str = ""
    began: datetime | None = None
    stage: str = STAGES[0]
    at: dict[str, str] = {}
    ended: bool = False
    waiting: tuple[tuple[str, str, dict[str, str]], ...] = ()
    count: int = 0
    oldest: datetime | None = None
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
        return Place(page=self.page, owner=self.owner, gave=gave, one_by_one=not self.threads)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        place = cursors.read(cursor, Place)
        return place if place and place.stage in STAGES else Place()

"""How far a pass has come: what an Instagram cursor holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from connectors import graph_passes

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


class Place(graph_passes.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it; see `graph_passes.Place` for what is not said here.

    `owner` is the number of the page on Facebook which the account belongs to.
    `waiting` are lists below what was read, each by its kind (`COMMENTS` and
    those that follow it), whose it is and what to ask for next; `odd` are the
    posts and comments of what answers which one cannot be read. `count` and
    `oldest` are of the account's own posts, `total` the comments that Instagram
    counts.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    owner: str = ""
    stage: str = STAGES[0]
    waiting: tuple[tuple[str, str, dict[str, str]], ...] = ()
    odd: tuple[str, ...] = ()
    count: int = 0
    oldest: datetime | None = None
    total: int | None = 0

    def finished(self) -> Place:
        """Where the next pass begins."""
        return super().finished().moved(owner=self.owner)

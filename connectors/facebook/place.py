"""How far a pass has come: what a Facebook cursor holds. No token is in it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from connectors import graph_passes

SETTINGS = "settings"
BLOCKED = "blocked"
CONVERSATIONS = "conversations"
THINGS = ("events", "albums", "videos", "video_reels", "live_videos", "ratings")
POSTS = ("tagged", "visitor_posts", "published_posts")
STAGES = (SETTINGS, BLOCKED, CONVERSATIONS, *THINGS, *POSTS)
"""In the order in which a pass reads them: the page's own posts last, because their end closes the pass."""


class Place(graph_passes.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The edge that is read, and where in it; see `graph_passes.Place` for what is not said here.

    `waiting` are posts whose comments, or conversations whose messages, are
    still to be read, each with what to ask for next; `odd` are those of these
    posts of whose comments one cannot be read. `years` counts the page's
    own posts by the year in which they were published, and `total` the comments
    that Facebook counts.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    stage: str = STAGES[0]
    waiting: tuple[tuple[str, dict[str, str]], ...] = ()
    odd: tuple[str, ...] = ()
    years: dict[str, int] = msgspec.field(default_factory=dict)
    total: int | None = 0
